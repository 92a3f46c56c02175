//! One OpenID provider: what it says about itself, its keys, and the few questions the gate puts to it.
//!
//! Authorization code with PKCE (RFC 6749, RFC 7636), ID tokens (OpenID
//! Connect Core 1.0), Discovery 1.0, the `iss` parameter (RFC 9207), step-up
//! (RFC 9470), and CIBA Core 1.0 in poll mode. By hand over the one HTTP
//! client and the one crypto the gate has (docs/decisions/0011). No case, no
//! person and no store here: bounded questions and exact answers.

mod client;
mod id_token;
mod keys;

use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use aws_lc_rs::{constant_time, digest};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use countersign_cases::Timestamp;
use reqwest::{Client, Url, header};
use serde::Deserialize;
use serde_json::{Map, Value, json};

pub use client::{BadPrivateKey, Credentials, check_private_key};
pub use id_token::{IdToken, TokenFault};
pub use keys::KeySet;

use client::Authentication;
use id_token::Expected;

use super::{
    dice::{Dice, random_bytes},
    http::{Answer, EndpointError, Reply, ask, plain_url},
    secrets::Secret,
};

/// The longest wait for any answer of a provider: a person is waiting for the page.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// How long what a provider says about itself is believed, in seconds.
const DOCUMENTS_SECONDS: u64 = 60 * 60;

/// An unknown key makes the gate ask for the keys again, but not more often than this, in seconds.
const KEYS_AGAIN_SECONDS: u64 = 60;

/// The grant of CIBA Core 1.0 §10.1.
const CIBA_GRANT: &str = "urn:openid:params:grant-type:ciba";

/// How often a CIBA answer is asked for where the provider says nothing, in seconds (CIBA §7.3).
const INTERVAL_SECONDS: u64 = 5;

/// `slow_down` adds this (CIBA §11).
pub const SLOW_DOWN_SECONDS: u64 = 5;

/// A provider and how the gate is known there.
#[derive(Debug, Clone)]
pub struct ProviderSettings {
    /// `https://login.acme.example`; loopback may be `http`.
    pub issuer: String,
    /// The gate's name there.
    pub client_id: String,
    /// How it shows that it is the gate.
    pub credentials: Credentials,
}

/// Why a provider cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProviderSettingsError {
    /// The issuer.
    #[error("issuer: {0}")]
    Issuer(#[from] EndpointError),
    /// The private key.
    #[error(transparent)]
    Key(#[from] BadPrivateKey),
}

/// What a provider says about itself (Discovery 1.0 §3).
#[derive(Debug, Clone)]
pub struct Metadata {
    /// Where people are sent.
    pub authorization_endpoint: Url,
    /// Where codes are redeemed.
    pub token_endpoint: Url,
    /// Where its keys are.
    pub jwks_uri: Url,
    /// Where it says more about a person.
    pub userinfo_endpoint: Option<Url>,
    /// Where a push is asked for (CIBA).
    pub backchannel_authentication_endpoint: Option<Url>,
    /// Every answer carries `iss` (RFC 9207).
    pub says_iss: bool,
    /// It takes a `claims` parameter.
    pub takes_claims: bool,
    /// It takes the client's secret in the form alone.
    pub secret_in_form: bool,
    /// It says that it takes PKCE with S256; `None` if it says nothing.
    pub says_s256: Option<bool>,
    /// It says that it lets a CIBA answer be polled; `None` if it says nothing.
    pub says_poll: Option<bool>,
    /// Authentication context classes it names.
    pub acr_values: Vec<String>,
}

/// Why a provider gave no answer that counts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// It does not answer, or not usably. The word says which question.
    #[error("the provider gave no usable answer to `{0}`")]
    NoAnswer(&'static str),
    /// What it says about itself cannot be.
    #[error("the provider's own description is wrong: {0}")]
    Description(&'static str),
    /// It refused, with this OAuth error code.
    #[error("the provider refused: `{0}`")]
    Refused(String),
    /// Its ID token is not believed.
    #[error(transparent)]
    Token(#[from] TokenFault),
}

/// Everything that one sign-in must remember until its answer comes back.
#[derive(Debug, Clone)]
pub struct Question<'a> {
    /// Where the answer is brought.
    pub redirect_uri: &'a str,
    /// Names the question; comes back with the answer.
    pub state: &'a str,
    /// Stands in the ID token.
    pub nonce: &'a str,
    /// PKCE verifier; its hash is sent.
    pub verifier: &'a str,
    /// `openid`, and what else.
    pub scope: &'a str,
    /// The person signs in again, whatever session they have.
    pub again: bool,
    /// Authentication contexts that will do, best first; empty: any.
    pub acr_values: &'a [String],
}

/// Tokens for a code.
pub struct Tokens {
    /// Still to be verified.
    pub id_token: Secret,
    /// For [`Provider::userinfo`].
    pub access_token: Option<Secret>,
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tokens(…)")
    }
}

/// A push that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Names it at the provider.
    pub auth_req_id: String,
    /// How long the provider waits for the person, in seconds.
    pub expires_in_seconds: u64,
    /// How often the answer may be asked for, in seconds.
    pub interval_seconds: u64,
}

/// How a push stands.
#[derive(Debug)]
pub enum Polled {
    /// The person has not answered.
    Pending,
    /// The same, and it is asked for too often.
    SlowDown,
    /// The person said yes.
    Yes(Tokens),
    /// The person said no.
    Denied,
    /// The provider waits no longer.
    Expired,
}

/// One provider, its description and keys kept for an hour.
pub struct Provider {
    client: Client,
    issuer: String,
    issuer_url: Url,
    client_id: String,
    authentication: Authentication,
    described: RwLock<Option<(Timestamp, Arc<Metadata>)>>,
    keys: RwLock<Option<(Timestamp, Arc<KeySet>)>>,
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Provider")
            .field("issuer", &self.issuer)
            .finish_non_exhaustive()
    }
}

impl Provider {
    /// Nothing is asked yet.
    ///
    /// # Errors
    /// If the issuer is no address, or the private key no key.
    pub fn new(client: Client, settings: &ProviderSettings) -> Result<Self, ProviderSettingsError> {
        Ok(Self {
            client,
            issuer_url: plain_url(&settings.issuer)?,
            issuer: settings.issuer.clone(),
            client_id: settings.client_id.clone(),
            authentication: Authentication::new(&settings.credentials)?,
            described: RwLock::new(None),
            keys: RwLock::new(None),
        })
    }

    /// `iss` of its tokens.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// What it says about itself.
    pub async fn metadata(&self, now: Timestamp) -> Result<Arc<Metadata>, ProviderError> {
        if let Some(known) = fresh(&self.described, now) {
            return Ok(known);
        }
        let mut url = self.issuer_url.clone();
        let path = format!(
            "{}/.well-known/openid-configuration",
            url.path().trim_end_matches('/')
        );
        url.set_path(&path);
        let document = self.document(url, "configuration").await?;
        let described = Arc::new(Metadata::read(&document, &self.issuer)?);
        remember(&self.described, now, &described);
        Ok(described)
    }

    /// Its keys, asked for again if they are older than an hour.
    pub async fn keys(&self, now: Timestamp) -> Result<Arc<KeySet>, ProviderError> {
        match fresh(&self.keys, now) {
            Some(known) => Ok(known),
            None => self.fetch_keys(now).await,
        }
    }

    async fn fetch_keys(&self, now: Timestamp) -> Result<Arc<KeySet>, ProviderError> {
        let url = self.metadata(now).await?.jwks_uri.clone();
        let document = self.document(url, "keys").await?;
        let keys = KeySet::parse(&document)
            .map(Arc::new)
            .ok_or(ProviderError::Description("its keys are not a JWK set"))?;
        remember(&self.keys, now, &keys);
        Ok(keys)
    }

    /// Where the person's browser goes to answer.
    pub async fn authorization_url(
        &self,
        question: &Question<'_>,
        now: Timestamp,
    ) -> Result<Url, ProviderError> {
        let described = self.metadata(now).await?;
        let mut url = described.authorization_endpoint.clone();
        let mut query = url.query_pairs_mut();
        query
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.client_id)
            .append_pair("redirect_uri", question.redirect_uri)
            .append_pair("scope", question.scope)
            .append_pair("state", question.state)
            .append_pair("nonce", question.nonce)
            .append_pair("code_challenge", &challenge(question.verifier))
            .append_pair("code_challenge_method", "S256");
        if question.again {
            query
                .append_pair("prompt", "login")
                .append_pair("max_age", "0");
        }
        if !question.acr_values.is_empty() {
            query.append_pair("acr_values", &question.acr_values.join(" "));
            if described.takes_claims {
                let wanted = json!({ "id_token": { "acr": { "essential": true, "values": question.acr_values } } });
                query.append_pair("claims", &wanted.to_string());
            }
        }
        drop(query);
        Ok(url)
    }

    /// Whether an answer that was brought back comes from this provider (RFC 9207 §2.4).
    pub async fn is_answer_of(
        &self,
        iss: Option<&str>,
        now: Timestamp,
    ) -> Result<bool, ProviderError> {
        Ok(match iss {
            Some(iss) => iss == self.issuer,
            None => !self.metadata(now).await?.says_iss,
        })
    }

    /// Redeems a code, once.
    pub async fn redeem(
        &self,
        code: &str,
        redirect_uri: &str,
        verifier: &str,
        dice: &dyn Dice,
        now: Timestamp,
    ) -> Result<Tokens, ProviderError> {
        let form = vec![
            ("grant_type", "authorization_code".to_owned()),
            ("code", code.to_owned()),
            ("redirect_uri", redirect_uri.to_owned()),
            ("code_verifier", verifier.to_owned()),
        ];
        let described = self.metadata(now).await?;
        let answer = self
            .post(
                &described,
                &described.token_endpoint,
                form,
                "token",
                dice,
                now,
            )
            .await?;
        tokens(&answer, "token")
    }

    /// Verifies an ID token. A key that is not known makes the gate ask for the keys again, once a minute at most.
    pub async fn id_token(
        &self,
        token: &Secret,
        nonce: Option<&str>,
        signed_in_since: Option<Timestamp>,
        acr_values: &[String],
        now: Timestamp,
    ) -> Result<IdToken, ProviderError> {
        let mut keys = self.keys(now).await?;
        if id_token::names_unknown_key(token.expose_text(), &keys) && self.may_ask_again(now) {
            keys = self.fetch_keys(now).await?;
        }
        let expected = Expected {
            issuer: &self.issuer,
            client_id: &self.client_id,
            nonce,
            signed_in_since,
            acr_values,
        };
        Ok(id_token::verify(
            token.expose_text(),
            &keys,
            &expected,
            now,
        )?)
    }

    fn may_ask_again(&self, now: Timestamp) -> bool {
        self.keys
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .as_ref()
            .is_none_or(|(at, _)| now.seconds_since(*at) >= KEYS_AGAIN_SECONDS)
    }

    /// What it says about the person of this ID token beyond the token; `None` where it says nothing more (Core §5.3).
    pub async fn userinfo(
        &self,
        access_token: &Secret,
        of: &IdToken,
        now: Timestamp,
    ) -> Result<Option<Map<String, Value>>, ProviderError> {
        let described = self.metadata(now).await?;
        let Some(url) = described.userinfo_endpoint.clone() else {
            return Ok(None);
        };
        let request = self
            .client
            .get(url)
            .bearer_auth(access_token.expose_text())
            .header(header::ACCEPT, "application/json");
        let answer = whole(ask(request, ANSWER_TIMEOUT, "openid").await, "userinfo")?;
        let said: Map<String, Value> = Some(&answer)
            .filter(|answer| answer.status.is_success())
            .and_then(Answer::json)
            .ok_or(ProviderError::NoAnswer("userinfo"))?;
        // Core §5.3.2: what is said about somebody else is not used.
        if said.get("sub").and_then(Value::as_str) == Some(of.subject()) {
            Ok(Some(said))
        } else {
            Err(ProviderError::Token(TokenFault::Subject))
        }
    }

    /// Asks for a push to this person's device (CIBA §7.1, poll mode).
    pub async fn ask_device(
        &self,
        login_hint: &str,
        binding_message: &str,
        acr_values: &[String],
        expires_in_seconds: u64,
        dice: &dyn Dice,
        now: Timestamp,
    ) -> Result<Asked, ProviderError> {
        #[derive(Deserialize)]
        struct Words {
            auth_req_id: String,
            expires_in: u64,
            interval: Option<u64>,
        }

        let described = self.metadata(now).await?;
        let url = described
            .backchannel_authentication_endpoint
            .as_ref()
            .ok_or(ProviderError::Description("it has no CIBA endpoint"))?;
        let mut form = vec![
            ("scope", "openid".to_owned()),
            ("login_hint", login_hint.to_owned()),
            ("binding_message", binding_message.to_owned()),
            ("requested_expiry", expires_in_seconds.to_string()),
        ];
        if !acr_values.is_empty() {
            form.push(("acr_values", acr_values.join(" ")));
        }
        let answer = self.post(&described, url, form, "push", dice, now).await?;
        let words: Words = answer.json().ok_or(ProviderError::NoAnswer("push"))?;
        Ok(Asked {
            auth_req_id: words.auth_req_id,
            // Whatever the provider says, a push does not wait longer than was asked for, nor is it polled in a loop.
            expires_in_seconds: words.expires_in.min(expires_in_seconds),
            interval_seconds: words.interval.unwrap_or(INTERVAL_SECONDS).clamp(1, 60),
        })
    }

    /// Asks what became of a push (CIBA §10.1 and §11).
    pub async fn poll(
        &self,
        auth_req_id: &str,
        dice: &dyn Dice,
        now: Timestamp,
    ) -> Result<Polled, ProviderError> {
        let form = vec![
            ("grant_type", CIBA_GRANT.to_owned()),
            ("auth_req_id", auth_req_id.to_owned()),
        ];
        let described = self.metadata(now).await?;
        let asked = self
            .post(
                &described,
                &described.token_endpoint,
                form,
                "poll",
                dice,
                now,
            )
            .await;
        match asked {
            Ok(answer) => Ok(Polled::Yes(tokens(&answer, "poll")?)),
            Err(ProviderError::Refused(code)) => match code.as_str() {
                "authorization_pending" => Ok(Polled::Pending),
                "slow_down" => Ok(Polled::SlowDown),
                "access_denied" => Ok(Polled::Denied),
                "expired_token" => Ok(Polled::Expired),
                _ => Err(ProviderError::Refused(code)),
            },
            Err(error) => Err(error),
        }
    }

    /// Posts a form as this client.
    async fn post(
        &self,
        described: &Metadata,
        url: &Url,
        mut form: Vec<(&'static str, String)>,
        what: &'static str,
        dice: &dyn Dice,
        now: Timestamp,
    ) -> Result<Answer, ProviderError> {
        #[derive(Deserialize)]
        struct Words {
            error: String,
        }

        let basic = self.authentication.add_to(
            &mut form,
            &self.client_id,
            &self.issuer,
            described.secret_in_form,
            dice,
            now,
        );
        let mut request = self
            .client
            .post(url.clone())
            .header(header::ACCEPT, "application/json")
            .form(&form);
        if let Some(basic) = basic {
            request = request.header(header::AUTHORIZATION, basic);
        }
        let answer = whole(ask(request, ANSWER_TIMEOUT, "openid").await, what)?;
        if answer.status.is_success() {
            return Ok(answer);
        }
        // A code of an error is a word; anything else is no answer and gets into no log.
        let code = answer
            .json::<Words>()
            .map(|words| words.error)
            .filter(|code| answer.status.is_client_error() && is_word(code));
        Err(code.map_or(ProviderError::NoAnswer(what), ProviderError::Refused))
    }

    async fn document(&self, url: Url, what: &'static str) -> Result<Value, ProviderError> {
        let request = self
            .client
            .get(url)
            .header(header::ACCEPT, "application/json");
        let answer = whole(ask(request, ANSWER_TIMEOUT, "openid").await, what)?;
        Some(&answer)
            .filter(|answer| answer.status.is_success())
            .and_then(Answer::json)
            .ok_or(ProviderError::NoAnswer(what))
    }
}

impl Metadata {
    fn read(document: &Value, issuer: &str) -> Result<Self, ProviderError> {
        let text = |key: &str| document.get(key).and_then(Value::as_str);
        let list = |key: &str| -> Option<Vec<String>> {
            let words = document.get(key)?.as_array()?.iter();
            Some(
                words
                    .filter_map(|word| word.as_str().map(str::to_owned))
                    .collect(),
            )
        };
        let has =
            |key: &str, word: &str| list(key).map(|words| words.iter().any(|one| one == word));
        let is = |key: &str| document.get(key).and_then(Value::as_bool) == Some(true);
        // Discovery §4.3. Without it whoever can answer for one name could answer for another.
        if text("issuer") != Some(issuer) {
            return Err(ProviderError::Description("it names another issuer"));
        }
        let address = |key: &str, wrong: &'static str| -> Result<Option<Url>, ProviderError> {
            text(key)
                .map(|url| endpoint(url).ok_or(ProviderError::Description(wrong)))
                .transpose()
        };
        let needed = |key: &str, wrong: &'static str| {
            address(key, wrong)?.ok_or(ProviderError::Description(wrong))
        };
        let basic = has(
            "token_endpoint_auth_methods_supported",
            "client_secret_basic",
        );
        let posted = has(
            "token_endpoint_auth_methods_supported",
            "client_secret_post",
        );
        Ok(Self {
            authorization_endpoint: needed(
                "authorization_endpoint",
                "its authorization endpoint is missing or not https",
            )?,
            token_endpoint: needed(
                "token_endpoint",
                "its token endpoint is missing or not https",
            )?,
            jwks_uri: needed(
                "jwks_uri",
                "the address of its keys is missing or not https",
            )?,
            userinfo_endpoint: address("userinfo_endpoint", "its userinfo endpoint is not https")?,
            backchannel_authentication_endpoint: address(
                "backchannel_authentication_endpoint",
                "its CIBA endpoint is not https",
            )?,
            says_iss: is("authorization_response_iss_parameter_supported"),
            takes_claims: is("claims_parameter_supported"),
            secret_in_form: basic == Some(false) && posted == Some(true),
            says_s256: has("code_challenge_methods_supported", "S256"),
            says_poll: has("backchannel_token_delivery_modes_supported", "poll"),
            acr_values: list("acr_values_supported").unwrap_or_default(),
        })
    }
}

/// A PKCE verifier (RFC 7636 §4.1): 256 random bits.
pub fn new_verifier(dice: &dyn Dice) -> String {
    URL_SAFE_NO_PAD.encode(random_bytes::<32>(dice))
}

/// PKCE `S256`.
fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, verifier.as_bytes()))
}

/// Whether two accounts are the same, in constant time.
pub fn same_account(left: &str, right: &str) -> bool {
    constant_time::verify_slices_are_equal(left.as_bytes(), right.as_bytes()).is_ok()
}

/// `https`, or `http` to this very machine; a query may be there, a fragment or a user may not.
fn endpoint(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let mut bare = url.clone();
    bare.set_query(None);
    plain_url(bare.as_str()).ok().map(|_| url)
}

fn is_word(code: &str) -> bool {
    (1..=64).contains(&code.len())
        && code
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

fn whole(reply: Reply, what: &'static str) -> Result<Answer, ProviderError> {
    match reply {
        Reply::Answer(answer) => Ok(answer),
        Reply::NotSent | Reply::NoAnswer => {
            tracing::warn!(what, "the OpenID provider does not answer");
            Err(ProviderError::NoAnswer(what))
        }
    }
}

fn tokens(answer: &Answer, what: &'static str) -> Result<Tokens, ProviderError> {
    #[derive(Deserialize)]
    struct Words {
        id_token: Secret,
        access_token: Option<Secret>,
    }

    let words: Words = answer.json().ok_or(ProviderError::NoAnswer(what))?;
    Ok(Tokens {
        id_token: words.id_token,
        access_token: words.access_token,
    })
}

fn fresh<T>(kept: &RwLock<Option<(Timestamp, Arc<T>)>>, now: Timestamp) -> Option<Arc<T>> {
    kept.read()
        .unwrap_or_else(PoisonError::into_inner)
        .as_ref()
        .filter(|(at, _)| now.seconds_since(*at) < DOCUMENTS_SECONDS)
        .map(|(_, value)| Arc::clone(value))
}

fn remember<T>(kept: &RwLock<Option<(Timestamp, Arc<T>)>>, now: Timestamp, value: &Arc<T>) {
    *kept.write().unwrap_or_else(PoisonError::into_inner) = Some((now, Arc::clone(value)));
}
