//! How the gate shows a provider that it is itself: a shared secret, or a signature under a key of its own (RFC 7523).

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
    },
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use countersign_cases::Timestamp;
use serde_json::json;

use super::super::{
    dice::{Dice, random_bytes},
    secrets::Secret,
};

/// How long an assertion counts, in seconds.
const ASSERTION_SECONDS: i64 = 60;

/// The grant of RFC 7523 §2.2.
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The gate's own credentials at a provider.
#[derive(Debug, Clone)]
pub enum Credentials {
    /// `client_secret`.
    Secret(Secret),
    /// A private key, PKCS#8 in PEM: Ed25519, P-256, or RSA of 2048 bits and more.
    PrivateKey {
        /// The key.
        pem: Secret,
        /// `kid` in the header, where the provider wants one.
        key_id: Option<String>,
    },
}

/// A private key that cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the private key is not an Ed25519, P-256 or RSA key as PKCS#8 in PEM")]
pub struct BadPrivateKey;

/// Whether a private key can be used.
///
/// # Errors
/// [`BadPrivateKey`].
pub fn check_private_key(pem: &Secret) -> Result<(), BadPrivateKey> {
    Signer::parse(pem.expose_text()).map(|_| ())
}

/// Credentials that can be used.
pub(super) enum Authentication {
    Secret(Secret),
    Key { key: Signer, key_id: Option<String> },
}

impl Authentication {
    pub(super) fn new(credentials: &Credentials) -> Result<Self, BadPrivateKey> {
        Ok(match credentials {
            Credentials::Secret(secret) => Self::Secret(secret.clone()),
            Credentials::PrivateKey { pem, key_id } => Self::Key {
                key: Signer::parse(pem.expose_text())?,
                key_id: key_id.clone(),
            },
        })
    }

    /// Puts the proof of who we are into a form, or says what the `Authorization` header holds.
    pub(super) fn add_to(
        &self,
        form: &mut Vec<(&'static str, String)>,
        client_id: &str,
        issuer: &str,
        in_form: bool,
        dice: &dyn Dice,
        now: Timestamp,
    ) -> Option<String> {
        match self {
            Self::Secret(secret) if in_form => {
                form.push(("client_id", client_id.to_owned()));
                form.push(("client_secret", secret.expose_text().to_owned()));
                None
            }
            Self::Secret(secret) => {
                // RFC 6749 §2.3.1: each is form-encoded first.
                let pair = format!("{}:{}", encoded(client_id), encoded(secret.expose_text()));
                Some(format!("Basic {}", STANDARD.encode(pair)))
            }
            Self::Key { key, key_id } => {
                let now_s = now.0.div_euclid(1_000);
                let mut header = json!({ "alg": key.algorithm(), "typ": "JWT" });
                if let (Some(header), Some(kid)) = (header.as_object_mut(), key_id) {
                    header.insert("kid".to_owned(), json!(kid));
                }
                // The issuer alone is the audience: a token endpoint that somebody else runs cannot pass it on.
                let claims = json!({
                    "iss": client_id, "sub": client_id, "aud": issuer,
                    "jti": URL_SAFE_NO_PAD.encode(random_bytes::<16>(dice)),
                    "iat": now_s, "exp": now_s + ASSERTION_SECONDS,
                });
                let signed = format!(
                    "{}.{}",
                    URL_SAFE_NO_PAD.encode(header.to_string()),
                    URL_SAFE_NO_PAD.encode(claims.to_string())
                );
                // A key that was read signs; should it ever not, the provider refuses an empty signature.
                let signature = key.sign(signed.as_bytes()).unwrap_or_default();
                form.push(("client_id", client_id.to_owned()));
                form.push(("client_assertion_type", ASSERTION_TYPE.to_owned()));
                form.push((
                    "client_assertion",
                    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)),
                ));
                None
            }
        }
    }
}

/// `application/x-www-form-urlencoded`, one value.
fn encoded(text: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'*') {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

pub(super) enum Signer {
    Ed25519(Box<Ed25519KeyPair>),
    P256(Box<EcdsaKeyPair>),
    Rsa(Box<RsaKeyPair>),
}

impl Signer {
    fn parse(pem: &str) -> Result<Self, BadPrivateKey> {
        let body: String = pem
            .lines()
            .map(str::trim)
            .skip_while(|line| *line != "-----BEGIN PRIVATE KEY-----")
            .skip(1)
            .take_while(|line| *line != "-----END PRIVATE KEY-----")
            .collect();
        let der = STANDARD.decode(body).map_err(|_| BadPrivateKey)?;
        if let Ok(key) = Ed25519KeyPair::from_pkcs8(&der) {
            return Ok(Self::Ed25519(Box::new(key)));
        }
        if let Ok(key) = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &der) {
            return Ok(Self::P256(Box::new(key)));
        }
        RsaKeyPair::from_pkcs8(&der)
            .map(|key| Self::Rsa(Box::new(key)))
            .map_err(|_| BadPrivateKey)
    }

    const fn algorithm(&self) -> &'static str {
        match self {
            Self::Ed25519(_) => "EdDSA",
            Self::P256(_) => "ES256",
            Self::Rsa(_) => "RS256",
        }
    }

    fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        let random = SystemRandom::new();
        match self {
            Self::Ed25519(key) => Some(key.sign(message).as_ref().to_vec()),
            Self::P256(key) => Some(key.sign(&random, message).ok()?.as_ref().to_vec()),
            Self::Rsa(key) => {
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)
                    .ok()?;
                Some(signature)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_form_encoded_before_it_is_base64() {
        assert_eq!(encoded("a b:c+d%é"), "a%20b%3Ac%2Bd%25%C3%A9");
    }

    #[test]
    fn a_key_is_pkcs8_in_pem_and_nothing_else() {
        let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        let pem = |label: &str| {
            format!(
                "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
                STANDARD.encode(pkcs8.as_ref())
            )
        };
        assert_eq!(
            Signer::parse(&pem("PRIVATE KEY"))
                .map(|key| key.algorithm())
                .ok(),
            Some("EdDSA")
        );
        for wrong in [
            "",
            "hunter2",
            &pem("EC PRIVATE KEY"),
            "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----",
        ] {
            assert!(Signer::parse(wrong).is_err(), "{wrong}");
        }
    }
}
