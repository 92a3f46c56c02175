//! Passkeys: registration and assertion by the letter of Web Authentication
//! Level 3 (<https://www.w3.org/TR/webauthn-3/>), §7.1 and §7.2.
//!
//! By hand because the challenge must be *our* digest and an assertion must be
//! checkable years later by anyone who holds only the ledger (decision 0003).
//! User verification is always required. Attestation is not asked for: who made
//! an authenticator changes nothing here.
//!
//! This module keeps nothing: the caller remembers which challenge it gave to
//! whom, uses each up with the first answer, and stores [`Passkey`] records.

mod authenticator_data;
mod client_data;
mod cose;
mod evidence;

use aws_lc_rs::{constant_time, digest};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub use cose::Algorithm;
pub use evidence::{AssertionEvidence, check_evidence};

use authenticator_data::AuthenticatorData;
use client_data::{Ceremony, ClientData};
use cose::PublicKey;

/// How long a page waits for the authenticator, in milliseconds.
const CEREMONY_TIMEOUT_MS: u32 = 120_000;

/// A credential id is at most this long (§7.1 step 25).
const MAX_CREDENTIAL_ID_BYTES: usize = 1023;
/// A user handle is at most this long (§5.4.3).
const MAX_USER_HANDLE_BYTES: usize = 64;
/// Far above what browsers send; bounds the work before anything is verified.
const MAX_FIELD_BYTES: usize = 16 * 1024;

/// SHA-256(domain ‖ 0 ‖ nonce ‖ digest): what an authenticator is asked to sign for a case.
///
/// The domain says for what (`countersign/approval/v1`), so that an answer to one question never answers another.
/// It must not contain a zero byte, or two domains could run into each other's nonces.
pub fn challenge_for(domain: &str, nonce: &[u8; 16], case_digest: &[u8; 32]) -> [u8; 32] {
    sha256(&[domain.as_bytes(), &[0], nonce, case_digest])
}

/// Where passkeys are good: one RP ID and the exact origins of the pages that may ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelyingParty {
    id: String,
    name: String,
    origins: Vec<String>,
}

/// A registered passkey: the credential record of §4, as stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passkey {
    /// Credential id.
    #[serde(with = "base64url")]
    pub credential: Vec<u8>,
    /// COSE_Key, exactly the bytes of the authenticator.
    #[serde(with = "base64url")]
    pub public_key: Vec<u8>,
    /// What it signs with.
    pub algorithm: Algorithm,
    /// The user handle it was registered under.
    #[serde(with = "base64url")]
    pub user: Vec<u8>,
    /// Signature counter; 0 for authenticators that do not count.
    pub counter: u32,
    /// True for a passkey that may be copied to other devices of its owner.
    pub backup_eligible: bool,
    /// True if it has been.
    pub backed_up: bool,
    /// How the browser reaches it (`internal`, `usb`, `hybrid` …); only ever given back as a hint.
    pub transports: Vec<String>,
}

/// An assertion that passed every check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedAssertion {
    /// To be stored as [`Passkey::counter`].
    pub new_counter: u32,
    /// To be stored as [`Passkey::backed_up`].
    pub backed_up: bool,
    /// What anyone needs to check it again.
    pub evidence: AssertionEvidence,
}

/// Why an answer of an authenticator was not accepted, named for the step of §7.1 or §7.2. For the log; whoever
/// answered is told only that it was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WebauthnError {
    /// Not the JSON, base64url, CBOR or byte layout it should be.
    #[error("malformed {0}")]
    Malformed(&'static str),
    /// The client data is of another ceremony.
    #[error("the client data is not of this ceremony")]
    WrongType,
    /// Not the challenge that was given.
    #[error("the challenge is another")]
    WrongChallenge,
    /// Made on another site.
    #[error("the origin is another")]
    WrongOrigin,
    /// Made inside a frame of another site.
    #[error("made in a cross-origin frame")]
    CrossOrigin,
    /// Made for another RP ID.
    #[error("the relying party is another")]
    WrongRelyingParty,
    /// Nobody was there.
    #[error("the user was not present")]
    UserNotPresent,
    /// The authenticator did not make sure who was there.
    #[error("the user was not verified")]
    UserNotVerified,
    /// Backed up without being able to be, or eligibility changed since registration.
    #[error("the backup flags contradict each other or the registration")]
    BackupFlags,
    /// Not one of the algorithms offered, or a key that does not fit its algorithm.
    #[error("the public key is of no supported kind")]
    UnsupportedKey,
    /// Neither `none` nor self attestation.
    #[error("the attestation is of no supported kind")]
    UnsupportedAttestation,
    /// Not the credential that was asked for.
    #[error("the credential is another")]
    WrongCredential,
    /// The credential names another user.
    #[error("the user handle is another")]
    WrongUser,
    /// The signature does not fit.
    #[error("the signature does not fit")]
    BadSignature,
    /// The counter did not go up: the authenticator may have been cloned.
    #[error("the signature counter went back")]
    CounterWentBack,
}

/// Why a relying party cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RelyingPartyError {
    /// An RP ID is a domain name in lower case, or `localhost`; never an address, port or scheme.
    #[error("`{0}` is not a domain name")]
    BadId(String),
    /// An origin is `https://` and a host within the RP ID, and perhaps a port; `http://` for `localhost` alone.
    #[error("`{origin}` is not an https origin within `{id}`")]
    BadOrigin {
        /// The origin.
        origin: String,
        /// The RP ID.
        id: String,
    },
    /// No origin at all.
    #[error("at least one origin is needed")]
    NoOrigin,
}

impl RelyingParty {
    /// Checks that browsers can use these together.
    ///
    /// # Errors
    /// [`RelyingPartyError`]
    pub fn new(id: &str, name: &str, origins: &[&str]) -> Result<Self, RelyingPartyError> {
        if !is_domain(id) {
            return Err(RelyingPartyError::BadId(id.to_owned()));
        }
        if origins.is_empty() {
            return Err(RelyingPartyError::NoOrigin);
        }
        if let Some(origin) = origins.iter().find(|origin| !is_origin_within(origin, id)) {
            return Err(RelyingPartyError::BadOrigin {
                origin: (*origin).to_owned(),
                id: id.to_owned(),
            });
        }
        let origins = origins.iter().map(|origin| (*origin).to_owned()).collect();
        Ok(Self {
            id: id.to_owned(),
            name: name.to_owned(),
            origins,
        })
    }

    /// The RP ID.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The origins.
    pub fn origins(&self) -> &[String] {
        &self.origins
    }

    /// What the page gives to `PublicKeyCredential.parseCreationOptionsFromJSON` (§5.1.9).
    ///
    /// `user_id` is an opaque handle of 1 to 64 bytes that says nothing about the person (§14.6.1);
    /// `exclude` the person's passkeys so far, so that one authenticator is not registered twice.
    pub fn creation_options(
        &self,
        user_id: &[u8],
        user_name: &str,
        display_name: &str,
        challenge: &[u8; 32],
        exclude: &[Passkey],
    ) -> Value {
        let algorithms: Vec<Value> = Algorithm::OFFERED
            .iter()
            .map(|alg| json!({ "type": "public-key", "alg": alg.cose_id() }))
            .collect();
        json!({
            "rp": { "id": self.id, "name": self.name },
            "user": { "id": URL_SAFE_NO_PAD.encode(user_id), "name": user_name, "displayName": display_name },
            "challenge": URL_SAFE_NO_PAD.encode(challenge),
            "pubKeyCredParams": algorithms,
            "timeout": CEREMONY_TIMEOUT_MS,
            "excludeCredentials": descriptors(exclude),
            "authenticatorSelection": {
                "residentKey": "required",
                "requireResidentKey": true,
                "userVerification": "required",
            },
            "attestation": "none",
            "extensions": { "credProps": true },
        })
    }

    /// What the page gives to `PublicKeyCredential.parseRequestOptionsFromJSON` (§5.1.10).
    ///
    /// An empty `allow` lets the person choose any passkey of this relying party.
    pub fn request_options(&self, challenge: &[u8; 32], allow: &[Passkey]) -> Value {
        json!({
            "rpId": self.id,
            "challenge": URL_SAFE_NO_PAD.encode(challenge),
            "timeout": CEREMONY_TIMEOUT_MS,
            "allowCredentials": descriptors(allow),
            "userVerification": "required",
        })
    }

    /// §7.1: makes a passkey of what `credential.toJSON()` gave after [`RelyingParty::creation_options`].
    ///
    /// Left to the caller: that the credential id is not registered yet, to anybody (step 26).
    ///
    /// # Errors
    /// [`WebauthnError`]
    pub fn finish_registration(
        &self,
        user_id: &[u8],
        challenge: &[u8; 32],
        response: &Value,
    ) -> Result<Passkey, WebauthnError> {
        if user_id.is_empty() || user_id.len() > MAX_USER_HANDLE_BYTES {
            return Err(WebauthnError::Malformed("user handle"));
        }
        // Steps 1 to 4 happened in the browser; extension results are asked for as a hint and ignored.
        let response: RegistrationResponse = parse_response(response)?;
        let credential_id = response.envelope.credential_id()?;
        let client_data_json = decode(&response.response.client_data, "clientDataJSON")?;
        // Steps 5 to 11.
        ClientData::parse(&client_data_json)?.check(Ceremony::Create, challenge, &self.origins)?;
        // Step 12.
        let client_data_hash = sha256(&[&client_data_json]);
        // Step 13.
        let attestation_object = decode(&response.response.object, "attestationObject")?;
        let attestation = authenticator_data::parse_attestation(&attestation_object)?;
        let data = AuthenticatorData::parse(&attestation.authenticator_data)?;
        // Steps 14 to 17. Steps 18 and 19 leave it to us what to do with the backup flags: they are recorded.
        data.check(&self.id)?;
        let credential = data
            .credential
            .as_ref()
            .ok_or(WebauthnError::Malformed("attested credential data"))?;
        // Step 20: PublicKey knows only the algorithms offered.
        let public_key = PublicKey::parse(&credential.public_key)?;
        // Steps 21 and 22; nothing of it is trusted further, so 23 and 24 are empty.
        attestation.check(&public_key, &client_data_hash)?;
        // Step 25, and that the envelope speaks of the same credential.
        if credential.id.is_empty() || credential.id.len() > MAX_CREDENTIAL_ID_BYTES {
            return Err(WebauthnError::Malformed("credential id"));
        }
        if credential.id != credential_id {
            return Err(WebauthnError::WrongCredential);
        }
        // Step 27.
        Ok(Passkey {
            credential: credential_id,
            public_key: credential.public_key.clone(),
            algorithm: public_key.algorithm(),
            user: user_id.to_vec(),
            counter: data.counter,
            backup_eligible: data.flags.backup_eligible,
            backed_up: data.flags.backed_up,
            transports: response.response.known_transports(),
        })
    }

    /// §7.2: checks what `credential.toJSON()` gave after [`RelyingParty::request_options`].
    ///
    /// # Errors
    /// [`WebauthnError`]
    pub fn verify_assertion(
        &self,
        challenge: &[u8; 32],
        passkey: &Passkey,
        response: &Value,
    ) -> Result<VerifiedAssertion, WebauthnError> {
        // Steps 1 to 4 happened in the browser; no extension was asked for.
        let response: AssertionResponse = parse_response(response)?;
        // Step 5, and 6: the caller found `passkey` among those of the person who is signing.
        if response.envelope.credential_id()? != passkey.credential {
            return Err(WebauthnError::WrongCredential);
        }
        if let Some(user_handle) = &response.response.user_handle {
            let user_handle = decode(user_handle, "userHandle")?;
            if user_handle != passkey.user {
                return Err(WebauthnError::WrongUser);
            }
        }
        // Step 7.
        let evidence = AssertionEvidence {
            credential: URL_SAFE_NO_PAD.encode(&passkey.credential),
            public_key: URL_SAFE_NO_PAD.encode(&passkey.public_key),
            client_data: response.response.client_data,
            authenticator_data: response.response.authenticator_data,
            signature: response.response.signature,
        };
        // Steps 8 to 18, 20 and 21: the same code that anyone runs later on the evidence alone.
        let data = evidence::check(&self.id, &self.origins, challenge, &evidence)?;
        // Step 19: whether a passkey can leave its device is fixed when it is made.
        if data.flags.backup_eligible != passkey.backup_eligible {
            return Err(WebauthnError::BackupFlags);
        }
        // Step 22: a counter that stands still or goes back is treated as a clone.
        if (data.counter != 0 || passkey.counter != 0) && data.counter <= passkey.counter {
            return Err(WebauthnError::CounterWentBack);
        }
        // Steps 23 and 24: no extension to process; the caller stores the new state.
        Ok(VerifiedAssertion {
            new_counter: data.counter,
            backed_up: data.flags.backed_up,
            evidence,
        })
    }
}

/// The credential id in what `credential.toJSON()` gave, to find the passkey it claims to be. Nothing is verified.
///
/// # Errors
/// [`WebauthnError::Malformed`]
pub fn claimed_credential(response: &Value) -> Result<Vec<u8>, WebauthnError> {
    parse_response::<Envelope>(response)?.credential_id()
}

/// The common part of RegistrationResponseJSON and AuthenticationResponseJSON (§5.1).
#[derive(Deserialize)]
struct Envelope {
    id: String,
    #[serde(rename = "rawId")]
    raw_id: String,
    #[serde(rename = "type")]
    kind: String,
}

impl Envelope {
    fn credential_id(&self) -> Result<Vec<u8>, WebauthnError> {
        if self.kind != "public-key" {
            return Err(WebauthnError::Malformed("credential type"));
        }
        if self.id != self.raw_id || self.raw_id.is_empty() {
            return Err(WebauthnError::Malformed("credential id"));
        }
        decode(&self.raw_id, "credential id")
    }
}

struct RegistrationResponse {
    envelope: Envelope,
    response: Attestation,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Attestation {
    #[serde(rename = "clientDataJSON")]
    client_data: String,
    #[serde(rename = "attestationObject")]
    object: String,
    #[serde(default)]
    transports: Vec<String>,
}

impl Attestation {
    /// A hint from the browser that is sent back to it later: bounded, and nothing but short plain words.
    fn known_transports(&self) -> Vec<String> {
        let plain = |text: &&String| {
            (1..=32).contains(&text.len())
                && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')
        };
        self.transports
            .iter()
            .filter(plain)
            .take(8)
            .cloned()
            .collect()
    }
}

struct AssertionResponse {
    envelope: Envelope,
    response: Assertion,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Assertion {
    #[serde(rename = "clientDataJSON")]
    client_data: String,
    authenticator_data: String,
    signature: String,
    user_handle: Option<String>,
}

trait Response: Sized {
    fn from_json(value: &Value) -> Option<Self>;
}

impl Response for Envelope {
    fn from_json(value: &Value) -> Option<Self> {
        Self::deserialize(value).ok()
    }
}

impl Response for RegistrationResponse {
    fn from_json(value: &Value) -> Option<Self> {
        let response = Attestation::deserialize(value.get("response")?).ok()?;
        Some(Self {
            envelope: Envelope::from_json(value)?,
            response,
        })
    }
}

impl Response for AssertionResponse {
    fn from_json(value: &Value) -> Option<Self> {
        let response = Assertion::deserialize(value.get("response")?).ok()?;
        Some(Self {
            envelope: Envelope::from_json(value)?,
            response,
        })
    }
}

fn parse_response<R: Response>(value: &Value) -> Result<R, WebauthnError> {
    R::from_json(value).ok_or(WebauthnError::Malformed("credential"))
}

fn descriptors(passkeys: &[Passkey]) -> Vec<Value> {
    passkeys
        .iter()
        .map(|passkey| {
            json!({
                "type": "public-key",
                "id": URL_SAFE_NO_PAD.encode(&passkey.credential),
                "transports": passkey.transports,
            })
        })
        .collect()
}

/// Base64url without padding, strictly, and not too long.
fn decode(text: &str, what: &'static str) -> Result<Vec<u8>, WebauthnError> {
    if text.len() > MAX_FIELD_BYTES.div_ceil(3) * 4 {
        return Err(WebauthnError::Malformed(what));
    }
    URL_SAFE_NO_PAD
        .decode(text)
        .map_err(|_| WebauthnError::Malformed(what))
}

fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts {
        context.update(part);
    }
    let mut hash = [0; 32];
    hash.iter_mut()
        .zip(context.finish().as_ref())
        .for_each(|(to, from)| *to = *from);
    hash
}

fn same(left: &[u8], right: &[u8]) -> bool {
    constant_time::verify_slices_are_equal(left, right).is_ok()
}

/// A domain name in lower case with letters in its last label, or `localhost`.
fn is_domain(id: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let last_has_letters = id
        .rsplit('.')
        .next()
        .is_some_and(|last| last.bytes().any(|byte| byte.is_ascii_lowercase()));
    id.len() <= 253
        && id.split('.').all(label)
        && last_has_letters
        && (id.contains('.') || id == "localhost")
}

fn is_origin_within(origin: &str, id: &str) -> bool {
    let (scheme, rest) = origin.split_once("://").unwrap_or(("", ""));
    let (host, port) = rest
        .split_once(':')
        .map_or((rest, None), |(host, port)| (host, Some(port)));
    let port_fits =
        port.is_none_or(|port| !port.starts_with(['0', '+']) && port.parse::<u16>().is_ok());
    let within = host == id || host.strip_suffix(id).is_some_and(|sub| sub.ends_with('.'));
    let secure = scheme == "https"
        || (scheme == "http" && (host == "localhost" || host.ends_with(".localhost")));
    secure && within && is_domain(host) && port_fits
}

/// Bytes as base64url text in JSON.
mod base64url {
    use super::{Engine, URL_SAFE_NO_PAD};
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&URL_SAFE_NO_PAD.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<u8>, D::Error> {
        URL_SAFE_NO_PAD
            .decode(String::deserialize(deserializer)?)
            .map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_depends_on_everything_in_it() {
        let challenge = challenge_for("countersign/approval/v1", &[1; 16], &[2; 32]);
        let mut message = b"countersign/approval/v1\0".to_vec();
        message.extend([1; 16]);
        message.extend([2; 32]);
        assert_eq!(
            challenge[..],
            *digest::digest(&digest::SHA256, &message).as_ref()
        );
        assert_ne!(
            challenge,
            challenge_for("countersign/proof/v1", &[1; 16], &[2; 32])
        );
        assert_ne!(
            challenge,
            challenge_for("countersign/approval/v1", &[3; 16], &[2; 32])
        );
        assert_ne!(
            challenge,
            challenge_for("countersign/approval/v1", &[1; 16], &[3; 32])
        );
    }

    #[test]
    fn a_relying_party_is_a_domain_with_secure_origins_inside_it() {
        for (id, origin) in [
            ("acme.example", "https://acme.example"),
            ("acme.example", "https://support.acme.example"),
            ("acme.example", "https://support.acme.example:8443"),
            ("localhost", "http://localhost:4180"),
        ] {
            assert!(
                RelyingParty::new(id, "Acme", &[origin]).is_ok(),
                "{id} {origin}"
            );
        }
        for id in [
            "",
            "127.0.0.1",
            "Acme.example",
            "acme",
            "https://acme.example",
            "acme.example:443",
            "-a.example",
            "a..example",
            "[::1]",
        ] {
            assert_eq!(
                RelyingParty::new(id, "", &["https://acme.example"]),
                Err(RelyingPartyError::BadId(id.into()))
            );
        }
        for origin in [
            "http://acme.example",
            "https://evilacme.example",
            "https://acme.example.evil.example",
            "https://acme.example/",
            "https://acme.example:99999",
            "https://user@acme.example",
            "acme.example",
            "",
        ] {
            assert!(
                matches!(
                    RelyingParty::new("acme.example", "", &[origin]),
                    Err(RelyingPartyError::BadOrigin { .. })
                ),
                "{origin}"
            );
        }
        assert_eq!(
            RelyingParty::new("acme.example", "", &[]),
            Err(RelyingPartyError::NoOrigin)
        );
    }
}
