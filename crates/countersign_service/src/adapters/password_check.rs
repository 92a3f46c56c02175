//! Asks the company whether a customer's password is right, without ever keeping it.
//!
//! `POST {url}` with `{"customer", "password"}` and Standard Webhooks headers;
//! the answer is `{"ok": true}` or `{"ok": false}`. The company must answer
//! `false` alike for a wrong password and an unknown customer.

use countersign_cases::Timestamp;
use reqwest::Method;
use serde::Deserialize;
use serde_json::json;

use super::{
    dice::{Dice, random_bytes},
    http::{Endpoint, Reply, SignedRequest, send},
    outside::Wire,
    secrets::Secret,
};

/// The company's own check.
#[derive(Debug, Clone)]
pub struct PasswordCheck {
    wire: Wire,
    endpoint: Endpoint,
}

/// What the company said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasswordVerdict {
    /// Right.
    Right,
    /// Wrong, or no such customer.
    Wrong,
    /// Nothing usable: not to be counted as a wrong answer, and certainly not as a right one.
    Unavailable,
}

impl PasswordCheck {
    /// At this endpoint.
    pub fn new(wire: impl Into<Wire>, endpoint: Endpoint) -> Self {
        Self {
            wire: wire.into(),
            endpoint,
        }
    }

    /// Asks once.
    pub async fn check(
        &self,
        customer: &str,
        password: &Secret,
        dice: &dyn Dice,
        now: Timestamp,
    ) -> PasswordVerdict {
        #[derive(Deserialize)]
        struct Words {
            ok: bool,
        }

        let request = SignedRequest {
            method: Method::POST,
            url: self.endpoint.url.clone(),
            endpoint: &self.endpoint,
            purpose: "password",
            id: &message_id("pw", dice),
            now,
            body: json!({ "customer": customer, "password": password.expose_text() })
                .to_string()
                .into_bytes(),
        };
        let Ok(Reply::Answer(answer)) = send(&self.wire, request).await else {
            return PasswordVerdict::Unavailable;
        };
        if !answer.status.is_success() {
            return PasswordVerdict::Unavailable;
        }
        match answer.json::<Words>() {
            Some(Words { ok: true }) => PasswordVerdict::Right,
            Some(Words { ok: false }) => PasswordVerdict::Wrong,
            None => PasswordVerdict::Unavailable,
        }
    }
}

/// A new `webhook-id` for a question that is never repeated.
fn message_id(prefix: &str, dice: &dyn Dice) -> String {
    format!("{prefix}_{:032x}", u128::from_be_bytes(random_bytes(dice)))
}
