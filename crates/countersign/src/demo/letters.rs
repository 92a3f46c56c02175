//! What customers receive: letters by mail, and text messages.

use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use countersign_service::adapters::clock::Clock;
use countersign_service::adapters::webhooks::WebhookSecrets;
use serde::Deserialize;

use super::panel::signed_by_gate;

/// The company's gateway for text messages, which keeps them for everybody to see.
#[derive(Debug, Clone)]
pub(crate) struct Texts(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    webhooks: WebhookSecrets,
    clock: Arc<dyn Clock>,
    received: Mutex<Vec<Message>>,
}

/// A text message.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Message {
    /// The number.
    pub(crate) to: String,
    /// The words.
    pub(crate) text: String,
}

impl Texts {
    /// A gateway that takes messages from this gate alone.
    pub(crate) fn new(webhooks: WebhookSecrets, clock: Arc<dyn Clock>) -> Self {
        Self(Arc::new(Inner {
            webhooks,
            clock,
            received: Mutex::default(),
        }))
    }

    /// All messages, oldest first.
    pub(crate) fn all(&self) -> Vec<Message> {
        self.0
            .received
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Its one route.
    pub(crate) fn router(&self) -> Router {
        Router::new()
            .route("/countersign/text", post(take))
            .with_state(self.clone())
    }
}

async fn take(State(texts): State<Texts>, headers: HeaderMap, body: Bytes) -> StatusCode {
    if !signed_by_gate(&texts.0.webhooks, &*texts.0.clock, &headers, &body) {
        return StatusCode::UNAUTHORIZED;
    }
    let Ok(message) = serde_json::from_slice::<Message>(&body) else {
        return StatusCode::BAD_REQUEST;
    };
    texts
        .0
        .received
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(message);
    StatusCode::NO_CONTENT
}
