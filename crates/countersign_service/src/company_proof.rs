//! Proofs by signing in at the company's identity provider.
//!
//! The browser leaves from the customer's page, and what it brings back is
//! only kept: nothing is decided by the GET that brings it. The customer then
//! presses a button, and that POST redeems the code, verifies the ID token and
//! takes the proof (docs/decisions/0011). `state`, nonce and PKCE verifier are
//! of one seat, one proof and one digest; each sign-in counts once.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use countersign_cases::{Digest, Refusal};
use countersign_language::Method;
use countersign_store::CommitError;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{
    adapters::{
        dice,
        openid::{IdToken, Provider, ProviderError, Question, new_verifier, same_account},
        tokens::{Token, TokenHash, TokenKind},
    },
    decisions::Loaded,
    gate::Gate,
    proofs::{Answered, ProofError, Uses, account_of, may_try, shown_by},
    records::{self, Held, Login, LoginAnswer, LoginPurpose, space},
    sessions::CustomerSeat,
    settings::CompanyLogin,
    trouble::Trouble,
};

/// How long one may take at the provider, in seconds.
pub(crate) const LOGIN_SECONDS: u64 = 10 * 60;

/// Longest parameter of an answer that is kept, in bytes. Codes of some providers are whole JWTs.
const PARAMETER_BYTES_MAX: usize = 8 * 1024;

/// Where the customer's browser brings the answer.
const CUSTOMER_BACK: &str = "/c/company";

/// What a browser brought back from a provider: the parameters of RFC 6749 §4.1.2 and RFC 9207, as they came.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderAnswer {
    /// Names the question.
    #[serde(default)]
    pub state: String,
    /// To be redeemed.
    #[serde(default)]
    pub code: Option<String>,
    /// Instead of a code.
    #[serde(default)]
    pub error: Option<String>,
    /// Whose answer it is.
    #[serde(default)]
    pub iss: Option<String>,
}

impl std::fmt::Debug for ProviderAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ProviderAnswer(…)")
    }
}

impl ProviderAnswer {
    /// Whether this answers the question of this login.
    pub(crate) fn answers(&self, login: &Login) -> bool {
        TokenHash::of(TokenKind::Login, &self.state).is_some_and(|hash| hash == login.state)
    }

    /// What is kept of it; `None` if it is longer than any answer.
    pub(crate) fn kept(&self) -> Option<LoginAnswer> {
        let short = [&self.code, &self.error, &self.iss]
            .into_iter()
            .flatten()
            .all(|value| value.len() <= PARAMETER_BYTES_MAX);
        short.then(|| LoginAnswer {
            code: self.code.clone(),
            error: self.error.clone(),
            iss: self.iss.clone(),
        })
    }
}

/// How a sign-in for a proof stands in this browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CompanyStanding {
    /// Not begun, or begun and not come back.
    Away,
    /// Come back; the customer's button is next.
    Back,
}

impl Gate {
    /// Begins to prove by signing in: gives the address to go to. Nothing is decided by asking.
    pub async fn begin_company_proof(
        &self,
        seat: &CustomerSeat,
        proof: &str,
    ) -> Result<String, ProofError> {
        let loaded = self.load_case(seat.case()).await?;
        let (id, method) = self.asked(&loaded, proof)?;
        let (provider, login) = self
            .company_provider()
            .filter(|_| method == Method::Oidc)
            .ok_or(ProofError::NotAsked)?;
        let digest = loaded.digest()?;
        match may_try(&loaded, id, digest) {
            // Neither is told apart from a customer who can sign in: they are sent there all the same.
            Ok(()) | Err(Refusal::ProofLocked { .. } | Refusal::NotHeld { .. }) => {}
            Err(refusal) => return Err(refusal.into()),
        }
        let purpose = LoginPurpose::Proof {
            proof: proof.to_owned(),
            digest,
        };
        let redirect_uri = format!("{}{CUSTOMER_BACK}", self.settings().origin);
        let begun = Begun::new(self, purpose, &nonce_of(self, proof, &digest));
        let question = Question {
            redirect_uri: &redirect_uri,
            state: begun.state.expose(),
            nonce: &begun.login.nonce,
            verifier: &begun.login.verifier,
            scope: &login.scope,
            again: true,
            acr_values: acr_values(login, proof),
        };
        let url = provider
            .authorization_url(&question, loaded.now)
            .await
            .map_err(|error| not_proved(&loaded, proof, &error))?;
        self.keep_login(login_key(seat, proof), &begun.login)
            .await?;
        Ok(url.into())
    }

    /// Keeps what the browser brought back, and gives the name of the proof it is for. It is not looked at: only a POST does that.
    pub async fn keep_company_answer(
        &self,
        seat: &CustomerSeat,
        answer: &ProviderAnswer,
    ) -> Result<Option<String>, Trouble> {
        let begun: Vec<Login> = self
            .list(
                space::LOGIN,
                records::beginning_with(&format!("{}/", seat.key()), false),
                64,
            )
            .await?;
        for login in begun {
            let LoginPurpose::Proof { proof, .. } = &login.purpose else {
                continue;
            };
            if answer.answers(&login) {
                self.keep_answer(login_key(seat, proof), answer).await?;
                return Ok(Some(proof.clone()));
            }
        }
        Ok(None)
    }

    /// How the sign-in for a proof stands in this browser.
    pub async fn company_standing(
        &self,
        seat: &CustomerSeat,
        proof: &str,
    ) -> Result<CompanyStanding, Trouble> {
        let held = self
            .load::<Login>(space::LOGIN, &login_key(seat, proof))
            .await?;
        Ok(match held {
            Some(held) if held.value.answer.is_some() && self.counts(&held.value) => {
                CompanyStanding::Back
            }
            _ => CompanyStanding::Away,
        })
    }

    /// Redeems what the browser brought back, and takes the proof if the customer signed in to their own account, now, and as strongly as was asked for.
    ///
    /// Another account is a wrong answer like any other. Whatever comes of it, the sign-in is used up.
    pub async fn finish_company_proof(
        &self,
        seat: &CustomerSeat,
        proof: &str,
        digest: Digest,
    ) -> Result<Answered, ProofError> {
        let loaded = self.load_case(seat.case()).await?;
        let (id, method) = self.asked(&loaded, proof)?;
        let (provider, settings) = self
            .company_provider()
            .filter(|_| method == Method::Oidc)
            .ok_or(ProofError::NotAsked)?;
        let login = self
            .take_login(login_key(seat, proof))
            .await?
            .filter(|login| {
                let purpose = LoginPurpose::Proof {
                    proof: proof.to_owned(),
                    digest,
                };
                login.purpose == purpose
            })
            .ok_or(ProofError::LoginOver)?;
        let answer = login.answer.clone().ok_or(ProofError::LoginOver)?;
        let tell = self.seat_has_proved(seat).await?;
        let closed = match may_try(&loaded, id, digest) {
            Ok(()) => false,
            Err(Refusal::ProofLocked { .. } | Refusal::NotHeld { .. }) => true,
            Err(refusal) => return Err(refusal.into()),
        };
        let reservation = if closed {
            None
        } else {
            self.reserve(&loaded.customer, proof).await?
        };
        let redeemed = self
            .redeem_for_proof(provider, settings, &login, &answer, proof)
            .await;
        let Some(reservation) = reservation else {
            // Nothing was reserved, so nothing counts; what the provider said about the sign-in itself may still be said.
            redeemed.map_err(|error| refused(&loaded, proof, error))?;
            return Ok(Answered::NotRight {
                tries_left: tell.then_some(0),
            });
        };
        match redeemed {
            Ok(token) if is_account(&token, settings, account_of(&loaded, id)) => {
                let looked_at = shown_by(&loaded, id);
                self.take_proof(seat, proof, digest, &reservation, Uses::Nothing, looked_at)
                    .await
            }
            Ok(_) => {
                let left = self.count_wrong(&loaded, proof).await?;
                Ok(Answered::NotRight {
                    tries_left: tell.then_some(left),
                })
            }
            Err(error) => {
                self.give_back(&loaded.customer, proof, &reservation)
                    .await?;
                Err(refused(&loaded, proof, error))
            }
        }
    }

    async fn redeem_for_proof(
        &self,
        provider: &Provider,
        settings: &CompanyLogin,
        login: &Login,
        answer: &LoginAnswer,
        proof: &str,
    ) -> Result<IdToken, Unredeemed> {
        let redirect_uri = format!("{}{CUSTOMER_BACK}", self.settings().origin);
        let tokens = self
            .redeem_answer(provider, login, answer, &redirect_uri)
            .await?;
        provider
            .id_token(
                &tokens.id_token,
                Some(&login.nonce),
                Some(login.begun_at),
                acr_values(settings, proof),
                self.now(),
            )
            .await
            .map_err(Unredeemed::Provider)
    }

    /// The tokens for what was brought back, once the issuer that brought it is the one that was asked.
    pub(crate) async fn redeem_answer(
        &self,
        provider: &Provider,
        login: &Login,
        answer: &LoginAnswer,
        redirect_uri: &str,
    ) -> Result<crate::adapters::openid::Tokens, Unredeemed> {
        let now = self.now();
        if !provider
            .is_answer_of(answer.iss.as_deref(), now)
            .await
            .map_err(Unredeemed::Provider)?
        {
            return Err(Unredeemed::OtherIssuer);
        }
        if let Some(error) = &answer.error {
            return Err(Unredeemed::Provider(ProviderError::Refused(error.clone())));
        }
        let code = answer.code.as_deref().ok_or(Unredeemed::NoCode)?;
        provider
            .redeem(code, redirect_uri, &login.verifier, self.dice(), now)
            .await
            .map_err(Unredeemed::Provider)
    }

    pub(crate) async fn keep_login(&self, key: String, login: &Login) -> Result<(), Trouble> {
        let until = login.begun_at.plus_seconds(LOGIN_SECONDS);
        // A sign-in that is begun again takes the place of the first.
        let write = records::put_until(space::LOGIN, key, login, None, until)?;
        Ok(self.write_records(vec![write]).await?)
    }

    /// Keeps an answer with its login; the first one stays.
    pub(crate) async fn keep_answer(
        &self,
        key: String,
        answer: &ProviderAnswer,
    ) -> Result<bool, Trouble> {
        let Some(Held {
            value: mut login,
            revision,
        }) = self.load::<Login>(space::LOGIN, &key).await?
        else {
            return Ok(false);
        };
        if !answer.answers(&login) || !self.counts(&login) {
            return Ok(false);
        }
        let (None, Some(kept)) = (&login.answer, answer.kept()) else {
            return Ok(login.answer.is_some());
        };
        login.answer = Some(kept);
        let until = login.begun_at.plus_seconds(LOGIN_SECONDS);
        let write = records::put_until(space::LOGIN, key, &login, Some(revision), until)?;
        match self.write_records(vec![write]).await {
            Ok(()) | Err(CommitError::Conflict { .. }) => Ok(true),
            Err(error) => Err(error.into()),
        }
    }

    /// Takes a login: whatever comes of it, it counted once.
    pub(crate) async fn take_login(&self, key: String) -> Result<Option<Login>, Trouble> {
        let Some(Held {
            value: login,
            revision,
        }) = self.load::<Login>(space::LOGIN, &key).await?
        else {
            return Ok(None);
        };
        let taken = self
            .write_records(vec![records::remove(space::LOGIN, key, Some(revision))])
            .await;
        match taken {
            Ok(()) => Ok(Some(login).filter(|login| self.counts(login))),
            Err(CommitError::Conflict { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn counts(&self, login: &Login) -> bool {
        self.now() < login.begun_at.plus_seconds(LOGIN_SECONDS)
    }
}

/// A login as it begins: what is kept, and the `state` that only the browser carries.
pub(crate) struct Begun {
    pub(crate) login: Login,
    pub(crate) state: Token,
}

impl Begun {
    pub(crate) fn new(gate: &Gate, purpose: LoginPurpose, nonce: &str) -> Self {
        let state = Token::generate(TokenKind::Login, gate.dice());
        Self {
            login: Login {
                purpose,
                state: state.hash(),
                nonce: nonce.to_owned(),
                verifier: new_verifier(gate.dice()),
                begun_at: gate.now(),
                answer: None,
            },
            state,
        }
    }
}

/// Why an answer gave no ID token.
#[derive(Debug)]
pub(crate) enum Unredeemed {
    /// It came from another issuer than the one that was asked (mix-up).
    OtherIssuer,
    /// It holds neither code nor error.
    NoCode,
    /// What the provider did.
    Provider(ProviderError),
}

impl std::fmt::Display for Unredeemed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::OtherIssuer => f.write_str("the answer came from another issuer"),
            Self::NoCode => f.write_str("the answer holds no code"),
            // The code of an error that came in an address is a stranger's word.
            Self::Provider(ProviderError::Refused(_)) => f.write_str("the provider refused"),
            Self::Provider(error) => error.fmt(f),
        }
    }
}

/// What the customer is told.
fn refused(loaded: &Loaded, proof: &str, error: Unredeemed) -> ProofError {
    tracing::warn!(case = loaded.row.case.0, proof, why = %error, "company sign-in not redeemed");
    match error {
        Unredeemed::OtherIssuer | Unredeemed::NoCode => ProofError::LoginNotAccepted,
        Unredeemed::Provider(error) => provider_trouble(&error),
    }
}

fn not_proved(loaded: &Loaded, proof: &str, error: &ProviderError) -> ProofError {
    tracing::warn!(case = loaded.row.case.0, proof, why = %error, "company sign-in not begun");
    ProofError::Unavailable
}

fn provider_trouble(error: &ProviderError) -> ProofError {
    match error {
        ProviderError::Token(fault) if fault.asks_for_more() => ProofError::LoginTooWeak,
        ProviderError::Token(_) => ProofError::LoginNotAccepted,
        ProviderError::Refused(code) => match code.as_str() {
            "access_denied" => ProofError::LoginCancelled,
            // OpenID Connect Core §3.1.2.6, the unmet-requirements extension, and RFC 9470.
            "login_required"
            | "interaction_required"
            | "account_selection_required"
            | "unmet_authentication_requirements"
            | "insufficient_user_authentication" => ProofError::LoginTooWeak,
            "invalid_grant" => ProofError::LoginOver,
            _ => ProofError::Unavailable,
        },
        ProviderError::NoAnswer(_) | ProviderError::Description(_) => ProofError::Unavailable,
    }
}

/// Whether the token names this account. Nobody's account is compared as well, so that it takes the same time.
pub(crate) fn is_account(token: &IdToken, settings: &CompanyLogin, account: Option<&str>) -> bool {
    let named = if settings.account_claim == "sub" {
        Some(token.subject())
    } else {
        token.text(&settings.account_claim)
    };
    let same = same_account(named.unwrap_or_default(), account.unwrap_or_default());
    same && named.is_some_and(|named| !named.is_empty()) && account.is_some()
}

/// The authentication contexts that will do for this proof.
pub(crate) fn acr_values<'a>(settings: &'a CompanyLogin, proof: &str) -> &'a [String] {
    settings
        .proof_acr_values
        .get(proof)
        .unwrap_or(&settings.acr_values)
}

/// A nonce that commits to what is proved: 256 random bits, hashed with the proof and the digest.
fn nonce_of(gate: &Gate, proof: &str, digest: &Digest) -> String {
    let mut hash = Sha256::new();
    hash.update(b"countersign/login/v1/");
    hash.update(dice::random_bytes::<32>(gate.dice()));
    hash.update(digest.0);
    hash.update(proof.as_bytes());
    URL_SAFE_NO_PAD.encode(hash.finalize())
}

fn login_key(seat: &CustomerSeat, proof: &str) -> String {
    format!("{}/{}", seat.key(), records::part(proof))
}
