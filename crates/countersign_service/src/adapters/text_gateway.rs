//! Sends text messages through a gateway of the company's choice.
//!
//! `POST {url}` with `{"to", "text"}` and Standard Webhooks headers. Any 2xx is
//! handed over, 4xx refused for good except those that mean "not now", and
//! everything else is for later. `webhook-id` is the caller's key, the same for
//! every repeat, so that a gateway can recognise one.

use countersign_cases::Timestamp;
use reqwest::{Method, StatusCode};
use serde_json::json;

use super::{
    delivery::{Delivery, LaterReason, RefusedReason},
    http::{Endpoint, Reply, SignedRequest, send},
    outside::Wire,
};

/// A gateway.
#[derive(Debug, Clone)]
pub struct TextGateway {
    wire: Wire,
    endpoint: Endpoint,
}

/// Longest text sent, in characters: ten concatenated messages of the GSM alphabet.
const MAX_TEXT_CHARS: usize = 1_530;

impl TextGateway {
    /// At this endpoint.
    pub fn new(wire: impl Into<Wire>, endpoint: Endpoint) -> Self {
        Self {
            wire: wire.into(),
            endpoint,
        }
    }

    /// Sends one message to one number in international form (`+46701234567`).
    pub async fn send(&self, key: &str, to: &str, text: &str, now: Timestamp) -> Delivery {
        if !is_international_number(to) || text.is_empty() || text.chars().count() > MAX_TEXT_CHARS
        {
            return Delivery::Refused(RefusedReason::Malformed);
        }
        let request = SignedRequest {
            method: Method::POST,
            url: self.endpoint.url.clone(),
            endpoint: &self.endpoint,
            purpose: "text message",
            id: key,
            now,
            body: json!({ "to": to, "text": text }).to_string().into_bytes(),
        };
        match send(&self.wire, request).await {
            Ok(Reply::Answer(answer)) => verdict(answer.status),
            Ok(Reply::NotSent | Reply::NoAnswer) => Delivery::TryLater(LaterReason::Unreachable),
            Err(_) => Delivery::Refused(RefusedReason::Malformed),
        }
    }
}

fn verdict(status: StatusCode) -> Delivery {
    match status {
        status if status.is_success() => Delivery::HandedOver,
        // Wrong credentials or a moved gateway are ours to mend, not the number's fault.
        StatusCode::UNAUTHORIZED
        | StatusCode::FORBIDDEN
        | StatusCode::NOT_FOUND
        | StatusCode::METHOD_NOT_ALLOWED
        | StatusCode::REQUEST_TIMEOUT
        | StatusCode::CONFLICT
        | StatusCode::TOO_EARLY
        | StatusCode::TOO_MANY_REQUESTS => {
            Delivery::TryLater(LaterReason::Answered(status.as_u16()))
        }
        status if status.is_client_error() => {
            Delivery::Refused(RefusedReason::Answered(status.as_u16()))
        }
        status => Delivery::TryLater(LaterReason::Answered(status.as_u16())),
    }
}

/// E.164: a plus sign and 7 to 15 digits, the first not zero.
fn is_international_number(to: &str) -> bool {
    to.strip_prefix('+').is_some_and(|digits| {
        (7..=15).contains(&digits.len())
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && !digits.starts_with('0')
    })
}
