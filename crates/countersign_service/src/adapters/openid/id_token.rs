//! ID tokens: signature, then every claim, each with a fault of its own.
//!
//! OpenID Connect Core 1.0 §3.1.3.7, with the algorithms of RFC 8725 §3.1 in
//! mind: the list below is closed, so neither `none` nor an HMAC under a
//! public key is ever looked at. Times are compared with the gate's clock,
//! never with the machine's.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use countersign_cases::Timestamp;
use jsonwebtoken::{Algorithm, Validation};
use serde_json::{Map, Value};

use super::keys::KeySet;

/// The longest ID token that is looked at, in bytes.
const TOKEN_BYTES_MAX: usize = 16 * 1024;

/// How far the provider's clock may be from ours, for `exp` and `iat`.
const CLOCKS_APART_SECONDS: i64 = 60;

/// The same for `auth_time`. Short, because whoever signed in before the question was asked has not answered it.
const AUTH_TIME_APART_SECONDS: i64 = 5;

/// An ID token issued longer ago than this was not issued for this answer.
const AGE_SECONDS_MAX: i64 = 10 * 60;

/// The signatures that are looked at, and no others.
const ALGORITHMS: [(&str, Algorithm); 4] = [
    ("RS256", Algorithm::RS256),
    ("PS256", Algorithm::PS256),
    ("ES256", Algorithm::ES256),
    ("EdDSA", Algorithm::EdDSA),
];

/// What an ID token has to say.
#[derive(Debug, Clone, Copy)]
pub(super) struct Expected<'a> {
    /// `iss`, character for character.
    pub(super) issuer: &'a str,
    /// The only audience.
    pub(super) client_id: &'a str,
    /// `nonce`; `None` where there is none to send (CIBA).
    pub(super) nonce: Option<&'a str>,
    /// The person signed in after this moment, and the token must say so.
    pub(super) signed_in_since: Option<Timestamp>,
    /// `acr` must be one of these; empty: any.
    pub(super) acr_values: &'a [String],
}

/// An ID token that said all it had to. Made only by [`super::Provider::id_token`].
#[derive(Clone)]
pub struct IdToken {
    subject: String,
    claims: Map<String, Value>,
}

impl fmt::Debug for IdToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdToken(…)")
    }
}

impl IdToken {
    /// `sub`: who, at this issuer.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// A claim that is a string.
    pub fn text(&self, claim: &str) -> Option<&str> {
        self.claims.get(claim).and_then(Value::as_str)
    }

    /// Any claim.
    pub fn claim(&self, claim: &str) -> Option<&Value> {
        self.claims.get(claim)
    }

    /// When the person last signed in there, if the token says so.
    pub fn signed_in_at(&self) -> Option<Timestamp> {
        seconds(&self.claims, "auth_time").map(|at| Timestamp(at.saturating_mul(1_000)))
    }
}

/// Why an ID token was not believed: one reason, the first that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenFault {
    /// Not three parts, too long, or not JSON.
    #[error("the ID token is not one")]
    Form,
    /// Unsigned, HMAC, or another algorithm that is not on the list.
    #[error("the ID token is signed with an algorithm that is not accepted")]
    Algorithm,
    /// The key it names is not among the provider's, or cannot make such a signature.
    #[error("the ID token names a key the provider does not have")]
    UnknownKey,
    /// The signature does not fit.
    #[error("the signature of the ID token does not fit")]
    Signature,
    /// Another issuer.
    #[error("the ID token was issued by somebody else")]
    Issuer,
    /// For another client, or for others as well.
    #[error("the ID token was issued for another client")]
    Audience,
    /// It ran out.
    #[error("the ID token ran out")]
    Expired,
    /// Issued in the future, or long ago.
    #[error("the ID token was not issued now")]
    IssuedAt,
    /// The answer to another question.
    #[error("the ID token answers another request")]
    Nonce,
    /// The person did not sign in again.
    #[error("the person did not sign in again")]
    SignedInBefore,
    /// The person signed in in a weaker way than was asked for.
    #[error("the person signed in in a weaker way than was asked for")]
    Weak,
    /// It names nobody.
    #[error("the ID token names nobody")]
    Subject,
}

impl TokenFault {
    /// Whether the person, and nobody else, can mend it by signing in again as asked (RFC 9470's `insufficient_user_authentication`).
    pub fn asks_for_more(self) -> bool {
        matches!(self, Self::SignedInBefore | Self::Weak)
    }
}

/// Looks at an ID token.
///
/// What it says about the sign-in is looked at before whom it names, so that a
/// weak sign-in is told apart from a strong one and not one account from another.
///
/// # Errors
/// The first [`TokenFault`].
pub(super) fn verify(
    token: &str,
    keys: &KeySet,
    expected: &Expected<'_>,
    now: Timestamp,
) -> Result<IdToken, TokenFault> {
    let header = Header::read(token)?;
    let key = keys
        .key(header.kid.as_deref(), header.algorithm)
        .ok_or(TokenFault::UnknownKey)?;
    let mut validation = Validation::new(header.algorithm);
    // The claims are looked at below, by the gate's own clock.
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    let claims = jsonwebtoken::decode::<Map<String, Value>>(token, key, &validation)
        .map_err(|_| TokenFault::Signature)?
        .claims;
    let now_s = now.0.div_euclid(1_000);
    let text = |claim: &str| claims.get(claim).and_then(Value::as_str);
    if text("iss") != Some(expected.issuer) {
        return Err(TokenFault::Issuer);
    }
    if !is_for(&claims, expected.client_id) {
        return Err(TokenFault::Audience);
    }
    if seconds(&claims, "exp").is_none_or(|at| now_s >= at.saturating_add(CLOCKS_APART_SECONDS)) {
        return Err(TokenFault::Expired);
    }
    if seconds(&claims, "iat").is_none_or(|at| {
        at > now_s.saturating_add(CLOCKS_APART_SECONDS)
            || now_s.saturating_sub(at) > AGE_SECONDS_MAX
    }) {
        return Err(TokenFault::IssuedAt);
    }
    if let Some(nonce) = expected.nonce
        && text("nonce") != Some(nonce)
    {
        return Err(TokenFault::Nonce);
    }
    if let Some(since) = expected.signed_in_since {
        let earliest = since.0.div_euclid(1_000) - AUTH_TIME_APART_SECONDS;
        let latest = now_s.saturating_add(CLOCKS_APART_SECONDS);
        if seconds(&claims, "auth_time").is_none_or(|at| !(earliest..=latest).contains(&at)) {
            return Err(TokenFault::SignedInBefore);
        }
    }
    if !expected.acr_values.is_empty()
        && !text("acr").is_some_and(|acr| expected.acr_values.iter().any(|asked| asked == acr))
    {
        return Err(TokenFault::Weak);
    }
    // Core §2: at most 255 ASCII characters.
    let subject = text("sub")
        .filter(|sub| !sub.is_empty() && sub.len() <= 255 && sub.is_ascii())
        .ok_or(TokenFault::Subject)?
        .to_owned();
    Ok(IdToken { subject, claims })
}

/// Whether the key that an ID token names is known: where it is not, the provider may have a new one.
pub(super) fn names_unknown_key(token: &str, keys: &KeySet) -> bool {
    Header::read(token)
        .is_ok_and(|header| keys.key(header.kid.as_deref(), header.algorithm).is_none())
}

struct Header {
    algorithm: Algorithm,
    kid: Option<String>,
}

impl Header {
    fn read(token: &str) -> Result<Self, TokenFault> {
        if token.len() > TOKEN_BYTES_MAX || token.bytes().filter(|byte| *byte == b'.').count() != 2
        {
            return Err(TokenFault::Form);
        }
        let first = token.split('.').next().unwrap_or_default();
        let header: Map<String, Value> = URL_SAFE_NO_PAD
            .decode(first)
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .ok_or(TokenFault::Form)?;
        // RFC 7515 §4.1.11: what must be understood and is not is refused.
        if header.contains_key("crit") {
            return Err(TokenFault::Form);
        }
        let named = header.get("alg").and_then(Value::as_str);
        let algorithm = ALGORITHMS
            .iter()
            .find(|(name, _)| Some(*name) == named)
            .map(|(_, algorithm)| *algorithm)
            .ok_or(TokenFault::Algorithm)?;
        let kid = header.get("kid").and_then(Value::as_str).map(str::to_owned);
        Ok(Self { algorithm, kid })
    }
}

/// Ours is the only audience: nobody else is trusted to hold a token that counts here. `azp`, where it is, is ours too.
fn is_for(claims: &Map<String, Value>, client_id: &str) -> bool {
    let alone = match claims.get("aud") {
        Some(Value::String(one)) => one == client_id,
        Some(Value::Array(many)) => {
            matches!(many.as_slice(), [one] if one.as_str() == Some(client_id))
        }
        _ => false,
    };
    alone
        && claims
            .get("azp")
            .is_none_or(|azp| azp.as_str() == Some(client_id))
}

/// A NumericDate; a fraction is cut off.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a float becomes the nearest whole second that fits, and nonsense fails the comparison that follows"
)]
fn seconds(claims: &Map<String, Value>, claim: &str) -> Option<i64> {
    let value = claims.get(claim)?;
    value
        .as_i64()
        .or_else(|| value.as_f64().map(|seconds| seconds.floor() as i64))
}
