//! A passkey in software, for the demo and for tests only.
//!
//! It plays browser and authenticator at once: takes the options our pages
//! get, answers as `credential.toJSON()` would. Its key lies open in memory and
//! "user verification" is whatever it is told, so it proves nothing about any
//! person. Written apart from the verifier, and checked against it like any
//! other authenticator.

use std::fmt;

use aws_lc_rs::{
    digest,
    rand::SystemRandom,
    rsa::{KeyPair as RsaKeyPair, KeySize},
    signature::{
        ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
        RSA_PKCS1_SHA256,
    },
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ciborium::Value as Cbor;
use serde_json::{Value, json};

use super::{
    dice::{Dice, SystemDice, random_bytes},
    webauthn::Algorithm,
};

/// One passkey in software.
pub struct SoftPasskey {
    key: Key,
    credential: Vec<u8>,
    user: String,
    rp_id: String,
    counter: u32,
    user_verified: bool,
}

enum Key {
    Es256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Rs256(Box<RsaKeyPair>),
}

/// Why it could not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SoftPasskeyError {
    /// The options lack this or have it wrong.
    #[error("the options have no usable `{0}`")]
    BadOptions(&'static str),
    /// The origin is not within the RP ID: a real browser would refuse too.
    #[error("the origin is not within the relying party")]
    WrongOrigin,
    /// The options allow other credentials only.
    #[error("this passkey is not among those allowed")]
    NotAllowed,
    /// The options exclude this authenticator or offer no algorithm it has.
    #[error("no algorithm in common")]
    NoAlgorithm,
    /// Key generation or signing failed.
    #[error("cryptography failed")]
    Failed,
}

impl SoftPasskey {
    /// Registers: a new passkey with the first algorithm of the options it has, and the answer for
    /// [`super::webauthn::RelyingParty::finish_registration`].
    ///
    /// # Errors
    /// [`SoftPasskeyError`]
    pub fn create(options: &Value, origin: &str) -> Result<(Self, Value), SoftPasskeyError> {
        let offered = options
            .get("pubKeyCredParams")
            .and_then(Value::as_array)
            .ok_or(SoftPasskeyError::BadOptions("pubKeyCredParams"))?;
        let algorithm = offered
            .iter()
            .filter_map(|parameter| parameter.get("alg").and_then(Value::as_i64))
            .find_map(|id| {
                Algorithm::OFFERED
                    .into_iter()
                    .find(|algorithm| i64::from(algorithm.cose_id()) == id)
            })
            .ok_or(SoftPasskeyError::NoAlgorithm)?;
        Self::create_with(algorithm, options, origin)
    }

    /// As [`SoftPasskey::create`], with this algorithm whatever the options prefer.
    ///
    /// # Errors
    /// [`SoftPasskeyError`]
    pub fn create_with(
        algorithm: Algorithm,
        options: &Value,
        origin: &str,
    ) -> Result<(Self, Value), SoftPasskeyError> {
        Self::register(Key::generate(algorithm)?, &SystemDice, options, origin)
    }

    /// As [`SoftPasskey::create`], Ed25519 and with everything drawn from these dice: the same dice make the same passkey,
    /// and it signs the same words alike every time.
    ///
    /// # Errors
    /// [`SoftPasskeyError`]
    pub fn create_by(
        dice: &dyn Dice,
        options: &Value,
        origin: &str,
    ) -> Result<(Self, Value), SoftPasskeyError> {
        let key = Ed25519KeyPair::from_seed_unchecked(&random_bytes::<32>(dice))
            .map_err(|_| SoftPasskeyError::Failed)?;
        Self::register(Key::Ed25519(key), dice, options, origin)
    }

    fn register(
        key: Key,
        dice: &dyn Dice,
        options: &Value,
        origin: &str,
    ) -> Result<(Self, Value), SoftPasskeyError> {
        let text = |pointer: &'static str| {
            options
                .pointer(pointer)
                .and_then(Value::as_str)
                .ok_or(SoftPasskeyError::BadOptions(pointer))
        };
        let algorithm = key.algorithm();
        let passkey = Self {
            key,
            credential: random_bytes::<16>(dice).to_vec(),
            user: text("/user/id")?.to_owned(),
            rp_id: text("/rp/id")?.to_owned(),
            counter: 0,
            user_verified: true,
        };
        passkey.check_origin(origin)?;
        let client_data = client_data("webauthn.create", text("/challenge")?, origin);
        let attested = passkey.attested_credential()?;
        // Self attestation: the one kind a browser leaves in place where none was asked for (WebAuthn §5.1.3).
        let authenticator_data = passkey.authenticator_data(AT, &attested);
        let signature = passkey
            .key
            .sign(&signed_bytes(&authenticator_data, &client_data))?;
        let attestation_object = Cbor::Map(vec![
            ("fmt".into(), "packed".into()),
            (
                "attStmt".into(),
                Cbor::Map(vec![
                    ("alg".into(), algorithm.cose_id().into()),
                    ("sig".into(), Cbor::Bytes(signature)),
                ]),
            ),
            ("authData".into(), Cbor::Bytes(authenticator_data)),
        ]);
        let response = json!({
            "clientDataJSON": URL_SAFE_NO_PAD.encode(&client_data),
            "attestationObject": URL_SAFE_NO_PAD.encode(to_cbor(&attestation_object)?),
            "transports": ["internal"],
        });
        let answer = passkey.envelope(&response);
        Ok((passkey, answer))
    }

    /// Signs: the answer for [`super::webauthn::RelyingParty::verify_assertion`]. Counts up.
    ///
    /// # Errors
    /// [`SoftPasskeyError`]
    pub fn get(&mut self, options: &Value, origin: &str) -> Result<Value, SoftPasskeyError> {
        let text = |name: &'static str| {
            options
                .get(name)
                .and_then(Value::as_str)
                .ok_or(SoftPasskeyError::BadOptions(name))
        };
        if text("rpId")? != self.rp_id {
            return Err(SoftPasskeyError::NotAllowed);
        }
        self.check_origin(origin)?;
        let allowed = options.get("allowCredentials").and_then(Value::as_array);
        let own_id = URL_SAFE_NO_PAD.encode(&self.credential);
        if let Some(allowed) = allowed.filter(|allowed| !allowed.is_empty())
            && !allowed
                .iter()
                .any(|descriptor| descriptor.get("id").and_then(Value::as_str) == Some(&own_id))
        {
            return Err(SoftPasskeyError::NotAllowed);
        }
        self.counter = self.counter.saturating_add(1);
        let client_data = client_data("webauthn.get", text("challenge")?, origin);
        let authenticator_data = self.authenticator_data(0, &[]);
        let signed = signed_bytes(&authenticator_data, &client_data);
        let response = json!({
            "clientDataJSON": URL_SAFE_NO_PAD.encode(&client_data),
            "authenticatorData": URL_SAFE_NO_PAD.encode(&authenticator_data),
            "signature": URL_SAFE_NO_PAD.encode(self.key.sign(&signed)?),
            "userHandle": self.user,
        });
        Ok(self.envelope(&response))
    }

    /// Its credential id.
    pub fn credential(&self) -> &[u8] {
        &self.credential
    }

    /// The user handle it was registered under, base64url.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// From now on says whether the user was verified, true or not.
    pub const fn set_user_verified(&mut self, user_verified: bool) {
        self.user_verified = user_verified;
    }

    /// Sets the signature counter, as a clone restored from an old copy would have it.
    pub const fn set_counter(&mut self, counter: u32) {
        self.counter = counter;
    }

    fn check_origin(&self, origin: &str) -> Result<(), SoftPasskeyError> {
        let host = origin
            .split_once("://")
            .map_or("", |(_, rest)| rest.split(':').next().unwrap_or_default());
        let within = host == self.rp_id
            || host
                .strip_suffix(&self.rp_id)
                .is_some_and(|sub| sub.ends_with('.'));
        if within {
            Ok(())
        } else {
            Err(SoftPasskeyError::WrongOrigin)
        }
    }

    fn envelope(&self, response: &Value) -> Value {
        let id = URL_SAFE_NO_PAD.encode(&self.credential);
        json!({
            "id": id,
            "rawId": id,
            "type": "public-key",
            "authenticatorAttachment": "platform",
            "clientExtensionResults": {},
            "response": response,
        })
    }

    /// WebAuthn §6.1.
    fn authenticator_data(&self, more_flags: u8, rest: &[u8]) -> Vec<u8> {
        let flags = UP | (if self.user_verified { UV } else { 0 }) | more_flags;
        let rp_id_hash = digest::digest(&digest::SHA256, self.rp_id.as_bytes());
        [
            rp_id_hash.as_ref(),
            &[flags],
            &self.counter.to_be_bytes(),
            rest,
        ]
        .concat()
    }

    /// WebAuthn §6.5.1, with an AAGUID of zeros.
    fn attested_credential(&self) -> Result<Vec<u8>, SoftPasskeyError> {
        let length = u16::try_from(self.credential.len()).map_err(|_| SoftPasskeyError::Failed)?;
        let (length, key) = (length.to_be_bytes(), to_cbor(&self.key.cose()?)?);
        Ok([[0; 16].as_slice(), &length, &self.credential, &key].concat())
    }
}

impl fmt::Debug for SoftPasskey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SoftPasskey")
            .field("rp_id", &self.rp_id)
            .field("counter", &self.counter)
            .finish_non_exhaustive()
    }
}

const UP: u8 = 1;
const UV: u8 = 1 << 2;
const AT: u8 = 1 << 6;

impl Key {
    fn generate(algorithm: Algorithm) -> Result<Self, SoftPasskeyError> {
        match algorithm {
            Algorithm::Es256 => {
                EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).map(Self::Es256)
            }
            Algorithm::Ed25519 => Ed25519KeyPair::generate().map(Self::Ed25519),
            Algorithm::Rs256 => RsaKeyPair::generate(KeySize::Rsa2048)
                .map(Box::new)
                .map(Self::Rs256),
        }
        .map_err(|_| SoftPasskeyError::Failed)
    }

    const fn algorithm(&self) -> Algorithm {
        match self {
            Self::Es256(_) => Algorithm::Es256,
            Self::Ed25519(_) => Algorithm::Ed25519,
            Self::Rs256(_) => Algorithm::Rs256,
        }
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SoftPasskeyError> {
        let failed = |_| SoftPasskeyError::Failed;
        match self {
            Self::Es256(key) => Ok(key
                .sign(&SystemRandom::new(), message)
                .map_err(failed)?
                .as_ref()
                .to_vec()),
            Self::Ed25519(key) => Ok(key.sign(message).as_ref().to_vec()),
            Self::Rs256(key) => {
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(
                    &RSA_PKCS1_SHA256,
                    &SystemRandom::new(),
                    message,
                    &mut signature,
                )
                .map_err(failed)?;
                Ok(signature)
            }
        }
    }

    /// As COSE_Key, members in CTAP2 canonical order.
    fn cose(&self) -> Result<Cbor, SoftPasskeyError> {
        let member = |label: i64, value: Cbor| (Cbor::from(label), value);
        let members = match self {
            Self::Es256(key) => {
                let point = key
                    .public_key()
                    .as_ref()
                    .split_first()
                    .map(|(_form, xy)| xy)
                    .unwrap_or_default();
                let (x, y) = point.split_at_checked(32).ok_or(SoftPasskeyError::Failed)?;
                let (x, y) = (Cbor::Bytes(x.to_vec()), Cbor::Bytes(y.to_vec()));
                vec![
                    member(1, 2.into()),
                    member(3, (-7).into()),
                    member(-1, 1.into()),
                    member(-2, x),
                    member(-3, y),
                ]
            }
            Self::Ed25519(key) => {
                let x = Cbor::Bytes(key.public_key().as_ref().to_vec());
                vec![
                    member(1, 1.into()),
                    member(3, (-8).into()),
                    member(-1, 6.into()),
                    member(-2, x),
                ]
            }
            Self::Rs256(key) => {
                // The DER of RSAPublicKey (RFC 8017 §A.1.1) with 2048 bits: 9 bytes of headers, the modulus, the exponent 65537.
                let modulus = key
                    .public_key()
                    .as_ref()
                    .get(9..9 + 256)
                    .ok_or(SoftPasskeyError::Failed)?;
                let (n, e) = (Cbor::Bytes(modulus.to_vec()), Cbor::Bytes(vec![1, 0, 1]));
                vec![
                    member(1, 3.into()),
                    member(3, (-257).into()),
                    member(-1, n),
                    member(-2, e),
                ]
            }
        };
        Ok(Cbor::Map(members))
    }
}

/// WebAuthn §5.8.1.1.
fn client_data(kind: &str, challenge: &str, origin: &str) -> Vec<u8> {
    json!({ "type": kind, "challenge": challenge, "origin": origin, "crossOrigin": false })
        .to_string()
        .into_bytes()
}

/// What every signature covers: the authenticator data and the hash of the client data.
fn signed_bytes(authenticator_data: &[u8], client_data: &[u8]) -> Vec<u8> {
    [
        authenticator_data,
        digest::digest(&digest::SHA256, client_data).as_ref(),
    ]
    .concat()
}

fn to_cbor(value: &Cbor) -> Result<Vec<u8>, SoftPasskeyError> {
    let mut bytes = Vec::new();
    ciborium::into_writer(value, &mut bytes).map_err(|_| SoftPasskeyError::Failed)?;
    Ok(bytes)
}
