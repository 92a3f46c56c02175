//! One-time codes sent by mail or text message.
//!
//! Eight digits, good for fifteen minutes, for one case digest and one channel.
//! What is stored is an HMAC under the gate's own key: eight digits alone could
//! be found from a plain hash by trying them all. Counting wrong answers and
//! using a code up are the caller's, in the same transaction as the answer.

use std::fmt;

use aws_lc_rs::hmac;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use countersign_cases::Timestamp;
use serde::{Deserialize, Serialize};

use super::dice::{Dice, uniform_below};

/// How long a code is good, in seconds: 15 minutes.
pub const CODE_LIFETIME_SECONDS: u64 = 15 * 60;

const CODE_DIGITS: usize = 8;
const CODES: u32 = 100_000_000;

/// The gate's key for codes.
#[derive(Clone)]
pub struct CodeKey(hmac::Key);

/// A code in the clear, on its way into a message.
#[derive(Clone, PartialEq, Eq)]
pub struct Code(String);

/// What is stored of a code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredCode {
    /// HMAC-SHA256 over the code and what it is bound to, base64url.
    pub tag: String,
    /// The last moment it is good, exclusive.
    pub expires_at: Timestamp,
}

/// Why a code was refused. For the log and the counter; the customer is told the same words for both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CodeRefusal {
    /// Not this code, not this case, not this channel, or not a code at all.
    #[error("wrong code")]
    Wrong,
    /// It was good once.
    #[error("the code has expired")]
    Expired,
}

impl CodeKey {
    /// From 32 secret bytes of the gate.
    pub fn new(secret: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret))
    }

    /// A new code for one case digest and one channel (`mail`, `text`, or the proof's name).
    pub fn issue(
        &self,
        dice: &dyn Dice,
        digest: &[u8; 32],
        channel: &str,
        now: Timestamp,
    ) -> (Code, StoredCode) {
        let digits = format!("{:08}", uniform_below(dice, CODES));
        let expires_at = now.plus_seconds(CODE_LIFETIME_SECONDS);
        let tag = self.mac(&digits, digest, channel, expires_at).sign();
        (
            Code(digits),
            StoredCode {
                tag: URL_SAFE_NO_PAD.encode(tag),
                expires_at,
            },
        )
    }

    /// Checks what somebody typed, with any spaces and dashes, in constant time.
    ///
    /// # Errors
    /// A wrong code is [`CodeRefusal::Wrong`] before and after it expired: only the right one learns that it came too late.
    pub fn check(
        &self,
        stored: &StoredCode,
        digest: &[u8; 32],
        channel: &str,
        typed: &str,
        now: Timestamp,
    ) -> Result<(), CodeRefusal> {
        let digits = digits_typed::<CODE_DIGITS>(typed).ok_or(CodeRefusal::Wrong)?;
        let tag = URL_SAFE_NO_PAD
            .decode(&stored.tag)
            .map_err(|_| CodeRefusal::Wrong)?;
        self.mac(&digits, digest, channel, stored.expires_at)
            .verify(&tag)
            .map_err(|_| CodeRefusal::Wrong)?;
        if now < stored.expires_at {
            Ok(())
        } else {
            Err(CodeRefusal::Expired)
        }
    }

    /// The two digits that belong to a digest, the first not zero: `47`.
    pub fn two_digits(&self, digest: &[u8; 32]) -> String {
        let tag = self.tag("number-to-match", digest);
        let drawn = tag
            .iter()
            .take(8)
            .fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        // 90 does not divide 2⁶⁴; what that favours is less than one part in 10¹⁷.
        (10 + drawn % 90).to_string()
    }

    /// What something of the gate's own is known by: HMAC-SHA256 under a name for its purpose.
    pub(crate) fn tag(&self, purpose: &str, of: &[u8]) -> [u8; 32] {
        let mut message = format!("countersign/{purpose}/v1\0").into_bytes();
        message.extend_from_slice(of);
        let signed = hmac::sign(&self.0, &message);
        let mut tag = [0; 32];
        tag.iter_mut()
            .zip(signed.as_ref())
            .for_each(|(to, from)| *to = *from);
        tag
    }

    fn mac(
        &self,
        digits: &str,
        digest: &[u8; 32],
        channel: &str,
        expires_at: Timestamp,
    ) -> Mac<'_> {
        let mut message = b"countersign/code/v1\0".to_vec();
        // Fixed lengths first and the channel last, so that no two inputs run together.
        message.extend_from_slice(digest);
        message.extend_from_slice(&expires_at.0.to_be_bytes());
        message.extend_from_slice(digits.as_bytes());
        message.extend_from_slice(channel.as_bytes());
        Mac {
            key: &self.0,
            message,
        }
    }
}

impl fmt::Debug for CodeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CodeKey(…)")
    }
}

impl Code {
    /// Eight digits in two groups, as it goes into the message: `4821 7730`.
    pub fn for_message(&self) -> String {
        let (first, second) = self
            .0
            .split_at_checked(CODE_DIGITS / 2)
            .unwrap_or((&self.0, ""));
        format!("{first} {second}")
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code(…)")
    }
}

struct Mac<'a> {
    key: &'a hmac::Key,
    message: Vec<u8>,
}

impl Mac<'_> {
    fn sign(&self) -> hmac::Tag {
        hmac::sign(self.key, &self.message)
    }

    fn verify(&self, tag: &[u8]) -> Result<(), aws_lc_rs::error::Unspecified> {
        hmac::verify(self.key, &self.message, tag)
    }
}

/// Exactly `N` digits, whatever spaces and dashes stand between; `None` for anything else.
pub(crate) fn digits_typed<const N: usize>(typed: &str) -> Option<String> {
    if typed.len() > 8 * N {
        return None;
    }
    // Spaces and dashes as phones and word processors make them: no-break and thin spaces, hyphens, en dash.
    let digits: String = typed
        .chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '-' | '\u{2010}'..='\u{2014}'))
        .collect();
    (digits.len() == N && digits.bytes().all(|byte| byte.is_ascii_digit())).then_some(digits)
}

#[cfg(test)]
#[expect(clippy::string_slice, reason = "the texts cut here are ASCII")]
mod tests {
    use super::*;
    use crate::adapters::dice::SeededDice;

    const NOW: Timestamp = Timestamp(1_760_000_000_000);
    const DIGEST: [u8; 32] = [7; 32];

    fn key() -> CodeKey {
        CodeKey::new(&[1; 32])
    }

    #[test]
    fn the_code_sent_is_the_code_accepted() {
        let (code, stored) = key().issue(&SeededDice::new(1), &DIGEST, "mail", NOW);
        let sent = code.for_message();
        assert_eq!(sent.len(), 9);
        let bare = sent.replace(' ', "");
        for typed in [
            sent.clone(),
            bare.clone(),
            format!(" {}-{} ", &bare[..4], &bare[4..]),
            format!("{}\u{a0}{}", &bare[..2], &bare[2..]),
        ] {
            assert_eq!(
                key().check(&stored, &DIGEST, "mail", &typed, NOW),
                Ok(()),
                "{typed}"
            );
        }
    }

    #[test]
    fn a_code_is_bound_to_case_channel_key_and_expiry() {
        let (code, stored) = key().issue(&SeededDice::new(2), &DIGEST, "mail", NOW);
        let typed = code.for_message();
        assert_eq!(
            key().check(&stored, &[8; 32], "mail", &typed, NOW),
            Err(CodeRefusal::Wrong)
        );
        assert_eq!(
            key().check(&stored, &DIGEST, "text", &typed, NOW),
            Err(CodeRefusal::Wrong)
        );
        assert_eq!(
            CodeKey::new(&[2; 32]).check(&stored, &DIGEST, "mail", &typed, NOW),
            Err(CodeRefusal::Wrong)
        );
        let prolonged = StoredCode {
            expires_at: NOW.plus_seconds(86_400),
            ..stored.clone()
        };
        assert_eq!(
            key().check(&prolonged, &DIGEST, "mail", &typed, NOW),
            Err(CodeRefusal::Wrong)
        );
        let broken = StoredCode {
            tag: "not base64!".into(),
            ..stored
        };
        assert_eq!(
            key().check(&broken, &DIGEST, "mail", &typed, NOW),
            Err(CodeRefusal::Wrong)
        );
    }

    #[test]
    fn a_code_expires_to_the_millisecond() {
        let (code, stored) = key().issue(&SeededDice::new(3), &DIGEST, "mail", NOW);
        let end = NOW.plus_seconds(CODE_LIFETIME_SECONDS);
        assert_eq!(
            key().check(
                &stored,
                &DIGEST,
                "mail",
                &code.for_message(),
                Timestamp(end.0 - 1)
            ),
            Ok(())
        );
        assert_eq!(
            key().check(&stored, &DIGEST, "mail", &code.for_message(), end),
            Err(CodeRefusal::Expired)
        );
        assert_eq!(
            key().check(&stored, &DIGEST, "mail", "00000000", end),
            Err(CodeRefusal::Wrong)
        );
    }

    #[test]
    fn whatever_is_not_eight_digits_is_wrong() {
        let (code, stored) = key().issue(&SeededDice::new(4), &DIGEST, "mail", NOW);
        let bare = code.for_message().replace(' ', "");
        let padded = " ".repeat(200) + &bare;
        let mut changed = bare.clone().into_bytes();
        changed[7] = if changed[7] == b'9' {
            b'0'
        } else {
            changed[7] + 1
        };
        let changed = String::from_utf8(changed).unwrap();
        for typed in [
            "",
            "1",
            &bare[..7],
            &format!("{bare}0"),
            &changed,
            "１２３４５６７８",
            "+1234567",
            &padded,
        ] {
            assert_eq!(
                key().check(&stored, &DIGEST, "mail", typed, NOW),
                Err(CodeRefusal::Wrong),
                "{typed}"
            );
        }
    }

    #[test]
    fn neither_code_nor_key_shows_in_debug_text() {
        let (code, stored) = key().issue(&SeededDice::new(5), &DIGEST, "mail", NOW);
        let bare = code.for_message().replace(' ', "");
        assert!(!format!("{code:?} {stored:?} {:?}", key()).contains(&bare));
    }
}
