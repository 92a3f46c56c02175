//! Staff sign in at the company's identity provider.
//!
//! A person is named by issuer and subject together, never by an email
//! address. Their groups decide their roles at every sign-in: an unknown group
//! gives nothing, several give the union, and one that is gone is gone. Signing
//! a case off still takes a passkey of the account. As for customers, the GET
//! that brings the answer back decides nothing; a POST signs in.

use std::collections::BTreeSet;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use countersign_store::Batch;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use crate::{
    StartError,
    adapters::{
        dice,
        openid::{IdToken, Provider, ProviderError, Question},
        tokens::{Token, TokenHash, TokenKind},
    },
    company_proof::{Begun, ProviderAnswer, Unredeemed},
    customers::normal,
    gate::Gate,
    records::{self, Account, CompanyIdentity, Login, LoginPurpose, space},
    settings::{ConsoleRole, NewAccount, StaffLogin},
    staff::{StaffError, check_account},
    trouble::Trouble,
};

/// Where the browser brings the answer.
const STAFF_BACK: &str = "/sign-in/company/back";

/// Most groups of one person that are looked at.
const GROUPS_MAX: usize = 1_000;

/// A sign-in that was begun: where to go, and what the browser must show when it comes back.
#[derive(Debug, Clone)]
pub struct BegunSignIn {
    /// The provider's address.
    pub url: String,
    /// For a cookie of this browser: without it the answer counts for nothing (login CSRF).
    pub browser: Token,
}

/// A sign-in whose answer came back and was not looked at yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParkedSignIn {
    /// Path to go on to.
    pub next: String,
}

/// Roles that groups give.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Given {
    roles: BTreeSet<String>,
    console: BTreeSet<ConsoleRole>,
}

impl Given {
    fn by(settings: &StaffLogin, groups: &[String]) -> Self {
        let mut given = Self::default();
        for group in settings
            .groups
            .iter()
            .filter(|group| groups.contains(&group.name))
        {
            given.roles.extend(group.roles.iter().cloned());
            given.console.extend(group.console.iter().copied());
        }
        given
    }

    fn is_nothing(&self) -> bool {
        self.roles.is_empty() && self.console.is_empty()
    }
}

impl Gate {
    /// What staff call the provider they can sign in at, if there is one.
    pub fn company_sign_in(&self) -> Option<&str> {
        self.staff_provider()
            .map(|(_, settings)| settings.name.as_str())
    }

    /// Begins to sign in. `again`: the person signs in there once more, whatever session they have.
    pub async fn begin_company_sign_in(
        &self,
        next: &str,
        again: bool,
    ) -> Result<BegunSignIn, StaffError> {
        let (provider, settings) = self.staff_provider().ok_or(StaffError::NoCompanySignIn)?;
        let browser = Token::generate(TokenKind::Login, self.dice());
        let purpose = LoginPurpose::SignIn {
            next: next.to_owned(),
            again,
        };
        let nonce = URL_SAFE_NO_PAD.encode(dice::random_bytes::<32>(self.dice()));
        let begun = Begun::new(self, purpose, &nonce);
        let redirect_uri = format!("{}{STAFF_BACK}", self.settings().origin);
        let question = Question {
            redirect_uri: &redirect_uri,
            state: begun.state.expose(),
            nonce: &begun.login.nonce,
            verifier: &begun.login.verifier,
            scope: &settings.scope,
            again,
            acr_values: &[],
        };
        let url = provider
            .authorization_url(&question, self.now())
            .await
            .map_err(|error| not_signed_in(&Unredeemed::Provider(error)))?;
        self.keep_login(browser_key(browser.hash()), &begun.login)
            .await?;
        Ok(BegunSignIn {
            url: url.into(),
            browser,
        })
    }

    /// Keeps what the browser brought back. It is not looked at: only a POST does that.
    pub async fn keep_company_sign_in(
        &self,
        browser: &str,
        answer: &ProviderAnswer,
    ) -> Result<bool, Trouble> {
        match TokenHash::of(TokenKind::Login, browser) {
            Some(hash) => self.keep_answer(browser_key(hash), answer).await,
            None => Ok(false),
        }
    }

    /// The sign-in of this browser that came back and waits for its POST.
    pub async fn company_sign_in_back(
        &self,
        browser: &str,
    ) -> Result<Option<ParkedSignIn>, Trouble> {
        let Some(hash) = TokenHash::of(TokenKind::Login, browser) else {
            return Ok(None);
        };
        let held = self.load::<Login>(space::LOGIN, &browser_key(hash)).await?;
        Ok(held
            .filter(|held| held.value.answer.is_some())
            .and_then(|held| match held.value.purpose {
                LoginPurpose::SignIn { next, .. } => Some(ParkedSignIn { next }),
                LoginPurpose::Proof { .. } => None,
            }))
    }

    /// Signs in: gives the session's token for the cookie, and the path to go on to.
    pub async fn finish_company_sign_in(
        &self,
        browser: &str,
    ) -> Result<(Token, String), StaffError> {
        let (provider, settings) = self.staff_provider().ok_or(StaffError::NoCompanySignIn)?;
        let hash = TokenHash::of(TokenKind::Login, browser).ok_or(StaffError::SignInOver)?;
        let login = self
            .take_login(browser_key(hash))
            .await?
            .ok_or(StaffError::SignInOver)?;
        let (LoginPurpose::SignIn { next, again }, Some(answer)) = (&login.purpose, &login.answer)
        else {
            return Err(StaffError::SignInOver);
        };
        let redirect_uri = format!("{}{STAFF_BACK}", self.settings().origin);
        let tokens = self
            .redeem_answer(provider, &login, answer, &redirect_uri)
            .await
            .map_err(|error| not_signed_in(&error))?;
        let now = self.now();
        let token = provider
            .id_token(
                &tokens.id_token,
                Some(&login.nonce),
                again.then_some(login.begun_at),
                &[],
                now,
            )
            .await
            .map_err(|error| not_signed_in(&Unredeemed::Provider(error)))?;
        let more = self
            .more_about(provider, settings, &token, &tokens)
            .await
            .map_err(|error| not_signed_in(&Unredeemed::Provider(error)))?;
        let claim = |name: &str| token.claim(name).or_else(|| more.get(name));
        let given = Given::by(settings, &groups(claim(&settings.groups_claim)));
        let identity = CompanyIdentity {
            issuer: provider.issuer().to_owned(),
            subject: token.subject().to_owned(),
        };
        let named = |name: &str| claim(name).and_then(Value::as_str).unwrap_or_default();
        let account = match self.account_of_identity(&identity).await? {
            Some(account) => self.follow_groups(account, &given).await?,
            None => {
                self.account_on_first_sign_in(
                    settings,
                    &identity,
                    &given,
                    named("name"),
                    named("email"),
                )
                .await?
            }
        };
        let company_at = token.signed_in_at().filter(|at| *at <= now);
        let session = self.open_session(&account, None, company_at).await?;
        Ok((session, next.clone()))
    }

    /// What the token leaves out and the provider's userinfo says.
    async fn more_about(
        &self,
        provider: &Provider,
        settings: &StaffLogin,
        token: &IdToken,
        tokens: &crate::adapters::openid::Tokens,
    ) -> Result<Map<String, Value>, ProviderError> {
        let whole = [&*settings.groups_claim, "name", "email"]
            .iter()
            .all(|claim| token.claim(claim).is_some());
        match &tokens.access_token {
            Some(access) if !whole => Ok(provider
                .userinfo(access, token, self.now())
                .await?
                .unwrap_or_default()),
            _ => Ok(Map::new()),
        }
    }

    pub(crate) async fn account_of_identity(
        &self,
        identity: &CompanyIdentity,
    ) -> Result<Option<String>, Trouble> {
        Ok(self
            .load::<String>(space::SUBJECT, &subject_key(identity))
            .await?
            .map(|held| held.value))
    }

    /// Roles become what the groups give, also where that is nothing.
    async fn follow_groups(&self, account: String, given: &Given) -> Result<String, StaffError> {
        let what = if given.is_nothing() {
            "staff.sign_in_refused"
        } else {
            "staff.signed_in"
        };
        self.change_account(&account, &account, what, |record, now| {
            if !record.active {
                return Err(StaffError::NoAccountHere);
            }
            record.roles = given.roles.iter().cloned().collect();
            record.console = given.console.iter().copied().collect();
            if given.is_nothing() {
                record.sessions_from = now;
            }
            Ok(())
        })
        .await?;
        if given.is_nothing() {
            tracing::info!(
                account,
                "signed in at the company, and no group of theirs gives a role"
            );
            return Err(StaffError::NoAccountHere);
        }
        Ok(account)
    }

    async fn account_on_first_sign_in(
        &self,
        settings: &StaffLogin,
        identity: &CompanyIdentity,
        given: &Given,
        name: &str,
        email: &str,
    ) -> Result<String, StaffError> {
        let id = format!(
            "company.{}",
            subject_key(identity).chars().take(16).collect::<String>()
        );
        if !settings.create || given.is_nothing() {
            tracing::info!(
                account = id,
                "signed in at the company, and has no account here"
            );
            return Err(StaffError::NoAccountHere);
        }
        let new = NewAccount {
            account: id.clone(),
            person: format!("company:{}", subject_key(identity)),
            name: name.trim().to_owned(),
            email: email.trim().to_owned(),
            roles: given.roles.iter().cloned().collect(),
            console: given.console.iter().copied().collect(),
            concerned: Vec::new(),
            subject: Some(identity.subject.clone()),
        };
        if let Err(error) = check_account(&self.procedure(), &new) {
            tracing::warn!(
                account = id,
                code = error.code(),
                "the provider names no usable name and email"
            );
            return Err(StaffError::NoAccountHere);
        }
        // Never matched by address; but the same address is most likely the same human, who must not become two.
        let accounts = self
            .list::<Account>(space::ACCOUNT, records::beginning_with("", false), 1_000)
            .await?;
        if let Some(same) = accounts
            .iter()
            .find(|account| account.active && normal(&account.email) == normal(&new.email))
        {
            tracing::warn!(
                account = same.account,
                "a first sign-in at the company has the address of this account; give it their subject if it is the same person"
            );
            return Err(StaffError::NoAccountHere);
        }
        match self.make_account("groups", &new).await {
            // In another browser in this very moment.
            Ok(()) | Err(StaffError::Exists(_) | StaffError::SubjectTaken) => {}
            Err(error) => return Err(error),
        }
        self.follow_groups(id, given).await
    }

    /// Accounts of the settings that name a subject are that person's.
    pub(crate) async fn link_staff(&self) -> Result<(), StartError> {
        let Some((provider, _)) = self.staff_provider() else {
            return Ok(());
        };
        for new in &self.settings().staff {
            let Some(subject) = &new.subject else {
                continue;
            };
            let identity = CompanyIdentity {
                issuer: provider.issuer().to_owned(),
                subject: subject.clone(),
            };
            if self.account_of_identity(&identity).await?.as_ref() == Some(&new.account) {
                continue;
            }
            let linked = self
                .change_account("settings", &new.account, "staff.linked", |record, now| {
                    record.company = Some(identity.clone());
                    record.sessions_from = now;
                    Ok(())
                })
                .await;
            match linked {
                Ok(()) => {}
                Err(StaffError::Trouble(trouble)) => return Err(trouble.into()),
                Err(error) => {
                    return Err(StartError::Settings(format!(
                        "account `{}`: {error}",
                        new.account
                    )));
                }
            }
        }
        Ok(())
    }

    /// Writes that move an identity from one account to another; a second account with the same one cannot exist.
    pub(crate) async fn move_identity(
        &self,
        batch: &mut Batch,
        account: &str,
        from: Option<&CompanyIdentity>,
        to: Option<&CompanyIdentity>,
    ) -> Result<(), StaffError> {
        if from == to {
            return Ok(());
        }
        if let Some(from) = from {
            batch
                .records
                .push(records::remove(space::SUBJECT, subject_key(from), None));
        }
        if let Some(to) = to {
            if self
                .account_of_identity(to)
                .await?
                .is_some_and(|owner| owner != account)
            {
                return Err(StaffError::SubjectTaken);
            }
            batch.records.push(records::put(
                space::SUBJECT,
                subject_key(to),
                &account,
                Some(0),
            )?);
        }
        Ok(())
    }

    /// The identity that a subject names at the configured provider.
    pub(crate) fn identity(&self, subject: Option<&String>) -> Option<CompanyIdentity> {
        let (provider, _) = self.staff_provider()?;
        subject.map(|subject| CompanyIdentity {
            issuer: provider.issuer().to_owned(),
            subject: subject.clone(),
        })
    }

    /// Whether this account signs in at the company and nowhere else.
    pub(crate) async fn signs_in_at_company(&self, account: &str) -> Result<bool, Trouble> {
        if self.staff_provider().is_none() {
            return Ok(false);
        }
        let held = self
            .load::<Account>(space::ACCOUNT, &records::part(account))
            .await?;
        Ok(held.is_some_and(|held| held.value.company.is_some()))
    }
}

fn not_signed_in(error: &Unredeemed) -> StaffError {
    tracing::warn!(why = %error, "staff sign-in at the company not completed");
    match error {
        Unredeemed::Provider(ProviderError::NoAnswer(_) | ProviderError::Description(_)) => {
            StaffError::CompanyUnavailable
        }
        Unredeemed::Provider(ProviderError::Refused(code))
            if code == "access_denied" || code == "invalid_grant" =>
        {
            StaffError::SignInOver
        }
        _ => StaffError::SignInNotAccepted,
    }
}

/// A list of names, or one name.
fn groups(claim: Option<&Value>) -> Vec<String> {
    match claim {
        Some(Value::String(one)) => vec![one.clone()],
        Some(Value::Array(many)) => many
            .iter()
            .take(GROUPS_MAX)
            .filter_map(|one| one.as_str().map(str::to_owned))
            .collect(),
        _ => Vec::new(),
    }
}

fn browser_key(browser: TokenHash) -> String {
    format!("staff/{browser}")
}

/// SHA-256 of issuer and subject, hexadecimal: neither can reach into the other's part.
fn subject_key(identity: &CompanyIdentity) -> String {
    let mut hash = Sha256::new();
    hash.update(identity.issuer.as_bytes());
    hash.update([0]);
    hash.update(identity.subject.as_bytes());
    countersign_cases::Digest(hash.finalize().into()).to_string()
}
