//! Standard Webhooks 1.0.0 signatures (<https://www.standardwebhooks.com/>), symmetric `v1`: sign and verify.
//!
//! The signed content is `{id}.{timestamp}.{body}`; the signature
//! `v1,` and the base64 of its HMAC-SHA256. A header may carry several,
//! separated by spaces, so that a secret can be exchanged without a gap.

use std::fmt;

use aws_lc_rs::hmac;
use base64::{Engine, engine::general_purpose::STANDARD};
use countersign_cases::Timestamp;

use super::{
    dice::{Dice, random_bytes},
    secrets::Secret,
};

/// Unique id of the message; the same for every repeat.
pub const ID_HEADER: &str = "webhook-id";
/// When this attempt was made, in seconds since the epoch.
pub const TIMESTAMP_HEADER: &str = "webhook-timestamp";
/// One or more signatures, separated by spaces.
pub const SIGNATURE_HEADER: &str = "webhook-signature";

/// How far a timestamp may be from now, in seconds, as in the published libraries.
pub const TOLERANCE_SECONDS: u64 = 5 * 60;

const PREFIX: &str = "whsec_";
const VERSION: &str = "v1";
/// More signatures than any rotation needs; the rest of a longer header is not looked at.
const MAX_SIGNATURES: usize = 16;

/// A secret shared with one endpoint: 24 to 64 bytes, written `whsec_` and base64.
#[derive(Clone)]
pub struct WebhookSecret(hmac::Key);

/// The secrets of one endpoint. The first is current; all sign and all are accepted while one replaces another.
#[derive(Debug, Clone)]
pub struct WebhookSecrets(Vec<WebhookSecret>);

/// The three headers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookHeaders {
    /// [`ID_HEADER`]
    pub id: String,
    /// [`TIMESTAMP_HEADER`]
    pub timestamp: String,
    /// [`SIGNATURE_HEADER`]
    pub signature: String,
}

/// Why something is no secret, cannot be signed, or was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WebhookError {
    /// Not `whsec_` and base64 of 24 to 64 bytes.
    #[error("a webhook secret is `whsec_` followed by 24 to 64 bytes in base64")]
    BadSecret,
    /// No secrets at all.
    #[error("at least one webhook secret is needed")]
    NoSecret,
    /// The id is empty, too long, or has characters that could be taken for something else.
    #[error("a webhook id has 1 to 128 letters, digits, `-` and `_`")]
    BadId,
    /// Not a whole number of seconds.
    #[error("the webhook timestamp is not a number of seconds")]
    BadTimestamp,
    /// Too long ago, or too far ahead.
    #[error("the webhook timestamp is too far from now")]
    NotFresh,
    /// No signature fits.
    #[error("no webhook signature fits")]
    BadSignature,
}

impl WebhookSecret {
    /// Reads `whsec_…`.
    ///
    /// # Errors
    /// [`WebhookError::BadSecret`]
    pub fn parse(text: &str) -> Result<Self, WebhookError> {
        let encoded = text.strip_prefix(PREFIX).ok_or(WebhookError::BadSecret)?;
        let key = Secret::from_bytes(
            STANDARD
                .decode(encoded)
                .map_err(|_| WebhookError::BadSecret)?,
        );
        if !(24..=64).contains(&key.expose().len()) {
            return Err(WebhookError::BadSecret);
        }
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, key.expose())))
    }

    /// A new secret of 32 bytes, as text to be shown once and configured on both sides.
    pub fn generate(dice: &dyn Dice) -> Secret {
        Secret::new(format!(
            "{PREFIX}{}",
            STANDARD.encode(random_bytes::<32>(dice))
        ))
    }
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSecret(…)")
    }
}

impl WebhookSecrets {
    /// The current secret first, then those being retired.
    ///
    /// # Errors
    /// [`WebhookError::NoSecret`]
    pub fn new(secrets: Vec<WebhookSecret>) -> Result<Self, WebhookError> {
        if secrets.is_empty() {
            Err(WebhookError::NoSecret)
        } else {
            Ok(Self(secrets))
        }
    }

    /// Reads several `whsec_…`, the current one first.
    ///
    /// # Errors
    /// [`WebhookError::NoSecret`], [`WebhookError::BadSecret`]
    pub fn parse<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, WebhookError> {
        Self::new(
            texts
                .into_iter()
                .map(WebhookSecret::parse)
                .collect::<Result<_, _>>()?,
        )
    }

    /// The headers for exactly these bytes of body.
    ///
    /// # Errors
    /// [`WebhookError::BadId`]: an id with a full stop could be shifted into the timestamp.
    pub fn sign(
        &self,
        id: &str,
        now: Timestamp,
        body: &[u8],
    ) -> Result<WebhookHeaders, WebhookError> {
        check_id(id)?;
        let timestamp = (now.0.div_euclid(1_000)).to_string();
        let content = signed_content(id, &timestamp, body);
        let signatures: Vec<String> = self
            .0
            .iter()
            .map(|secret| {
                format!(
                    "{VERSION},{}",
                    STANDARD.encode(hmac::sign(&secret.0, &content))
                )
            })
            .collect();
        Ok(WebhookHeaders {
            id: id.to_owned(),
            timestamp,
            signature: signatures.join(" "),
        })
    }

    /// Accepts exactly these bytes of body if any signature fits any secret and the timestamp is fresh.
    ///
    /// A receiver must still recognise an id it has seen before.
    ///
    /// # Errors
    /// [`WebhookError`]
    pub fn verify(
        &self,
        headers: &WebhookHeaders,
        body: &[u8],
        now: Timestamp,
    ) -> Result<(), WebhookError> {
        check_id(&headers.id)?;
        let plain_number = !headers.timestamp.is_empty()
            && headers.timestamp.bytes().all(|byte| byte.is_ascii_digit());
        let sent_s: i64 = headers
            .timestamp
            .parse()
            .ok()
            .filter(|_| plain_number)
            .ok_or(WebhookError::BadTimestamp)?;
        if now.0.div_euclid(1_000).abs_diff(sent_s) > TOLERANCE_SECONDS {
            return Err(WebhookError::NotFresh);
        }
        let content = signed_content(&headers.id, &headers.timestamp, body);
        let fits = headers
            .signature
            .split(' ')
            .take(MAX_SIGNATURES)
            .filter_map(|signature| signature.split_once(','))
            .filter(|(version, _)| *version == VERSION)
            .filter_map(|(_, encoded)| STANDARD.decode(encoded).ok())
            .any(|tag| {
                self.0
                    .iter()
                    .any(|secret| hmac::verify(&secret.0, &content, &tag).is_ok())
            });
        if fits {
            Ok(())
        } else {
            Err(WebhookError::BadSignature)
        }
    }
}

fn check_id(id: &str) -> Result<(), WebhookError> {
    let plain = id
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    if plain && (1..=128).contains(&id.len()) {
        Ok(())
    } else {
        Err(WebhookError::BadId)
    }
}

fn signed_content(id: &str, timestamp: &str, body: &[u8]) -> Vec<u8> {
    [id.as_bytes(), b".", timestamp.as_bytes(), b".", body].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapters::dice::SeededDice;

    /// The vector of the reference libraries.
    const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    const ID: &str = "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk";
    const NOW: Timestamp = Timestamp(1_649_367_553_000);
    const BODY: &[u8] = br#"{"email":"test@example.com","username":"test_user"}"#;
    const SIGNATURE: &str = "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=";

    fn secrets(texts: &[&str]) -> WebhookSecrets {
        WebhookSecrets::parse(texts.iter().copied()).unwrap()
    }

    #[test]
    fn the_published_vector() {
        let headers = secrets(&[SECRET]).sign(ID, NOW, BODY).unwrap();
        let expected = WebhookHeaders {
            id: ID.into(),
            timestamp: "1649367553".into(),
            signature: SIGNATURE.into(),
        };
        assert_eq!(headers, expected);
        assert_eq!(secrets(&[SECRET]).verify(&headers, BODY, NOW), Ok(()));
    }

    #[test]
    fn every_changed_byte_is_noticed() {
        let secrets = secrets(&[SECRET]);
        let headers = secrets.sign(ID, NOW, BODY).unwrap();
        for at in 0..BODY.len() {
            let mut body = BODY.to_vec();
            body[at] ^= 1;
            assert_eq!(
                secrets.verify(&headers, &body, NOW),
                Err(WebhookError::BadSignature),
                "{at}"
            );
        }
        let change = |text: &str, at: usize| {
            let mut bytes = text.as_bytes().to_vec();
            bytes[at] ^= 1;
            String::from_utf8(bytes).unwrap()
        };
        for at in 0..headers.id.len() {
            assert!(
                secrets
                    .verify(
                        &WebhookHeaders {
                            id: change(ID, at),
                            ..headers.clone()
                        },
                        BODY,
                        NOW
                    )
                    .is_err(),
                "{at}"
            );
        }
        for at in 0..headers.timestamp.len() {
            let headers = WebhookHeaders {
                timestamp: change(&headers.timestamp, at),
                ..headers.clone()
            };
            assert!(secrets.verify(&headers, BODY, NOW).is_err(), "{at}");
        }
        for at in 0..SIGNATURE.len() {
            let headers = WebhookHeaders {
                signature: change(SIGNATURE, at),
                ..headers.clone()
            };
            assert!(secrets.verify(&headers, BODY, NOW).is_err(), "{at}");
        }
    }

    #[test]
    fn a_signature_cut_short_does_not_fit() {
        let secrets = secrets(&[SECRET]);
        for signature in [
            "",
            "v1,",
            "v1",
            "v1,tZ1I",
            "v2,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=",
        ] {
            let headers = WebhookHeaders {
                id: ID.into(),
                timestamp: "1649367553".into(),
                signature: signature.into(),
            };
            assert_eq!(
                secrets.verify(&headers, BODY, NOW),
                Err(WebhookError::BadSignature),
                "{signature}"
            );
        }
    }

    #[test]
    fn a_secret_can_be_exchanged_without_a_gap() {
        let fresh = WebhookSecret::generate(&SeededDice::new(1));
        let (old, both, new) = (
            secrets(&[SECRET]),
            secrets(&[fresh.expose_text(), SECRET]),
            secrets(&[fresh.expose_text()]),
        );
        let headers = both.sign(ID, NOW, BODY).unwrap();
        assert_eq!(headers.signature.split(' ').count(), 2);
        for receiver in [&old, &both, &new] {
            assert_eq!(receiver.verify(&headers, BODY, NOW), Ok(()));
        }
        assert_eq!(
            new.verify(&old.sign(ID, NOW, BODY).unwrap(), BODY, NOW),
            Err(WebhookError::BadSignature)
        );
    }

    #[test]
    fn an_old_or_future_timestamp_is_refused() {
        let secrets = secrets(&[SECRET]);
        let headers = secrets.sign(ID, NOW, BODY).unwrap();
        for (shift_s, verdict) in [
            (300, Ok(())),
            (-300, Ok(())),
            (301, Err(WebhookError::NotFresh)),
            (-301, Err(WebhookError::NotFresh)),
        ] {
            assert_eq!(
                secrets.verify(&headers, BODY, Timestamp(NOW.0 + shift_s * 1_000)),
                verdict,
                "{shift_s}"
            );
        }
        for timestamp in [
            "",
            "x",
            "+1649367553",
            "-1",
            "1649367553.0",
            "99999999999999999999",
        ] {
            let headers = WebhookHeaders {
                timestamp: timestamp.into(),
                ..headers.clone()
            };
            assert_eq!(
                secrets.verify(&headers, BODY, NOW),
                Err(WebhookError::BadTimestamp),
                "{timestamp}"
            );
        }
    }

    /// Moving the full stops would let one signature serve two messages.
    #[test]
    fn an_id_cannot_run_into_the_timestamp() {
        let secrets = secrets(&[SECRET]);
        for id in ["", "a.1649367553", "a b", "ä", &"a".repeat(129)] {
            assert_eq!(
                secrets.sign(id, NOW, BODY),
                Err(WebhookError::BadId),
                "{id}"
            );
        }
    }

    #[test]
    fn secrets_have_a_form() {
        let short = format!("whsec_{}", STANDARD.encode([1; 23]));
        let long = format!("whsec_{}", STANDARD.encode([1; 65]));
        for text in [
            "",
            "whsec_",
            "C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
            "whsec_!",
            &short,
            &long,
        ] {
            assert_eq!(
                WebhookSecret::parse(text).map(|_| ()),
                Err(WebhookError::BadSecret),
                "{text}"
            );
        }
        assert_eq!(
            WebhookSecrets::parse([]).map(|_| ()),
            Err(WebhookError::NoSecret)
        );
        assert!(!format!("{:?}", secrets(&[SECRET])).contains("C2FV"));
    }
}
