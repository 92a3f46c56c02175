//! Codes of an authenticator app (RFC 6238: SHA-1, 6 digits, 30 seconds, what every app understands).
//!
//! A code counts once: [`TotpSecret::verify`] says which time step was used,
//! the caller stores it in the same transaction and passes it next time.

use std::fmt;

use aws_lc_rs::constant_time;
use countersign_cases::Timestamp;
use totp_rs::{Builder, Totp};

use super::{
    codes::digits_typed,
    dice::{Dice, random_bytes},
    secrets::Secret,
};

/// Seconds a code lasts.
const STEP_SECONDS: u64 = 30;

/// Steps accepted before and after the present one: a slow typist, a clock half a minute off (RFC 6238 §5.2).
const WINDOW_STEPS: u64 = 1;

const TOTP_DIGITS: usize = 6;

/// The secret shared with one authenticator app: 160 bits (RFC 4226 §4 R6).
#[derive(Clone)]
pub struct TotpSecret(Secret);

/// What the customer needs once to set up an app.
#[derive(Clone)]
pub struct TotpEnrolment {
    /// To be stored, encrypted or at least apart.
    pub secret: TotpSecret,
    /// The same in base 32, to be typed into an app that cannot scan.
    pub base32: String,
    /// `otpauth://totp/…`, to be shown as a QR code.
    pub url: String,
}

/// Why a code was refused. The customer is told the same words for both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TotpRefusal {
    /// Not a code of this secret at this time.
    #[error("wrong code")]
    Wrong,
    /// A right code that was used before, or an older one than the last used.
    #[error("the code was used before")]
    Replayed,
}

/// Why a secret could not be made into something an app understands.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TotpError {
    /// The issuer or the account is empty or contains a colon.
    #[error("issuer and account must not be empty nor contain a colon")]
    BadName,
    /// The stored secret has not 20 bytes.
    #[error("an authenticator secret has 20 bytes")]
    BadSecret,
}

impl TotpSecret {
    /// A new secret and what the app needs. `issuer` is the organisation, `account` what the customer will recognise.
    ///
    /// # Errors
    /// [`TotpError::BadName`]
    pub fn enrol(dice: &dyn Dice, issuer: &str, account: &str) -> Result<TotpEnrolment, TotpError> {
        if issuer.is_empty() {
            return Err(TotpError::BadName);
        }
        let secret = Self(Secret::from_bytes(random_bytes::<20>(dice).to_vec()));
        let (base32, url) = secret.for_app(issuer, account)?;
        Ok(TotpEnrolment {
            secret,
            base32,
            url,
        })
    }

    /// What an app needs: the secret in base 32, and the `otpauth://totp/…` address of a QR code.
    ///
    /// # Errors
    /// [`TotpError::BadName`]
    pub fn for_app(&self, issuer: &str, account: &str) -> Result<(String, String), TotpError> {
        let totp = builder(self)
            .with_issuer(Some(issuer))
            .with_account_name(account)
            .build()
            .map_err(|_| TotpError::BadName)?;
        let url = totp.to_url().map_err(|_| TotpError::BadName)?;
        Ok((totp_rs::Secret::from(self.0.expose()).to_base32(), url))
    }

    /// From the 20 bytes that were stored.
    ///
    /// # Errors
    /// [`TotpError::BadSecret`]
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, TotpError> {
        if bytes.len() == 20 {
            Ok(Self(Secret::from_bytes(bytes.to_vec())))
        } else {
            Err(TotpError::BadSecret)
        }
    }

    /// The 20 bytes, to be stored.
    pub fn expose(&self) -> &[u8] {
        self.0.expose()
    }

    /// Checks what somebody typed, with any spaces and dashes. Gives the time step used, which must be stored and passed
    /// as `last_step` from then on.
    ///
    /// # Errors
    /// [`TotpRefusal`]
    pub fn verify(
        &self,
        typed: &str,
        now: Timestamp,
        last_step: Option<u64>,
    ) -> Result<u64, TotpRefusal> {
        let typed = digits_typed::<TOTP_DIGITS>(typed).ok_or(TotpRefusal::Wrong)?;
        let totp = builder(self).build_noncompliant();
        let step_now = u64::try_from(now.0).unwrap_or(0) / 1_000 / STEP_SECONDS;
        let mut verdict = Err(TotpRefusal::Wrong);
        // Every step is computed and compared, so that the time taken says nothing; the newest that fits wins.
        for step in step_now.saturating_sub(WINDOW_STEPS)..=step_now.saturating_add(WINDOW_STEPS) {
            let fits = constant_time::verify_slices_are_equal(
                code_at(&totp, step).as_bytes(),
                typed.as_bytes(),
            )
            .is_ok();
            if fits && last_step.is_none_or(|last| step > last) {
                verdict = Ok(step);
            } else if fits && verdict.is_err() {
                verdict = Err(TotpRefusal::Replayed);
            }
        }
        verdict
    }

    /// What the app would show now. For the demo and for tests.
    pub fn code_now(&self, now: Timestamp) -> String {
        code_at(
            &builder(self).build_noncompliant(),
            u64::try_from(now.0).unwrap_or(0) / 1_000 / STEP_SECONDS,
        )
    }
}

impl fmt::Debug for TotpSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TotpSecret(…)")
    }
}

impl fmt::Debug for TotpEnrolment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TotpEnrolment(…)")
    }
}

fn builder(secret: &TotpSecret) -> Builder {
    Builder::new()
        .with_step_duration(STEP_SECONDS)
        .with_secret(totp_rs::Secret::from(secret.0.expose()))
}

fn code_at(totp: &Totp, step: u64) -> String {
    totp.generate(step.saturating_mul(STEP_SECONDS)).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapters::dice::SeededDice;

    /// RFC 6238 appendix B, SHA-1, the last six of the eight digits printed there.
    #[test]
    fn the_vectors_of_rfc_6238() {
        let secret = TotpSecret::from_bytes(b"12345678901234567890").unwrap();
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000_i64, "353130"),
        ] {
            let now = Timestamp(seconds * 1_000);
            assert_eq!(secret.code_now(now), code);
            assert_eq!(
                secret.verify(code, now, None),
                Ok(u64::try_from(seconds).unwrap() / 30)
            );
        }
    }

    #[test]
    fn one_step_early_or_late_is_accepted_and_two_are_not() {
        let secret = TotpSecret::enrol(&SeededDice::new(1), "Acme", "signe")
            .unwrap()
            .secret;
        let made = Timestamp(1_760_000_010_000);
        let code = secret.code_now(made);
        let step = 1_760_000_010 / 30;
        for (shift_s, expected) in [
            (-60, Err(TotpRefusal::Wrong)),
            (-30, Ok(step)),
            (0, Ok(step)),
            (30, Ok(step)),
            (60, Err(TotpRefusal::Wrong)),
        ] {
            assert_eq!(
                secret.verify(&code, Timestamp(made.0 + shift_s * 1_000), None),
                expected,
                "{shift_s}"
            );
        }
    }

    #[test]
    fn a_code_counts_once() {
        let secret = TotpSecret::enrol(&SeededDice::new(2), "Acme", "signe")
            .unwrap()
            .secret;
        let now = Timestamp(1_760_000_000_000);
        let step = secret.verify(&secret.code_now(now), now, None).unwrap();
        assert_eq!(
            secret.verify(&secret.code_now(now), now, Some(step)),
            Err(TotpRefusal::Replayed)
        );
        // An older code than the last used counts as used too.
        let earlier = secret.code_now(Timestamp(now.0 - 30_000));
        assert_eq!(
            secret.verify(&earlier, now, Some(step)),
            Err(TotpRefusal::Replayed)
        );
        let next = Timestamp(now.0 + 30_000);
        assert_eq!(
            secret.verify(&secret.code_now(next), next, Some(step)),
            Ok(step + 1)
        );
    }

    #[test]
    fn spaces_and_dashes_do_not_matter_and_everything_else_does() {
        let secret = TotpSecret::from_bytes(b"12345678901234567890").unwrap();
        let now = Timestamp(59_000);
        for typed in ["287 082", " 287-082 ", "2 8 7 0 8 2", "287\u{a0}082"] {
            assert!(secret.verify(typed, now, None).is_ok(), "{typed}");
        }
        for typed in [
            "",
            "287",
            "2870820",
            "28708a",
            "94287082",
            "+287082",
            &"2".repeat(10_000),
        ] {
            assert_eq!(
                secret.verify(typed, now, None),
                Err(TotpRefusal::Wrong),
                "{typed}"
            );
        }
    }

    #[test]
    fn the_url_is_what_apps_read() {
        let enrolment = TotpSecret::enrol(
            &SeededDice::new(3),
            "Nordhamn Hosting",
            "signe@halden.example",
        )
        .unwrap();
        assert!(
            enrolment
                .url
                .starts_with("otpauth://totp/Nordhamn%20Hosting:signe%40halden.example?"),
            "{}",
            enrolment.url
        );
        assert!(
            enrolment
                .url
                .contains(&format!("secret={}", enrolment.base32)),
            "{}",
            enrolment.url
        );
        assert!(
            enrolment.url.contains("issuer=Nordhamn%20Hosting"),
            "{}",
            enrolment.url
        );
        let parsed = Totp::from_url(&enrolment.url).unwrap();
        let now = Timestamp(1_760_000_000_000);
        assert_eq!(
            parsed.generate(1_760_000_000).to_string(),
            enrolment.secret.code_now(now)
        );
        assert!(!format!("{enrolment:?}").contains(&enrolment.base32));
        for (issuer, account) in [("", "a"), ("a", ""), ("a:b", "c"), ("a", "b:c")] {
            assert_eq!(
                TotpSecret::enrol(&SeededDice::new(3), issuer, account).map(|_| ()),
                Err(TotpError::BadName)
            );
        }
    }

    #[test]
    fn a_time_before_1970_is_the_first_step() {
        let secret = TotpSecret::from_bytes(b"12345678901234567890").unwrap();
        assert_eq!(
            secret.verify(&secret.code_now(Timestamp(0)), Timestamp(-5), None),
            Ok(0)
        );
    }
}
