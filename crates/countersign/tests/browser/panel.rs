//! The company's own systems on loopback: the panel that runs actions, the password check, the gateway for texts.
//! It accepts nothing without the gate's signature, and runs nothing without a grant that verifies.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, OnceLock};

use axum::Json;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign_grant::{Bundle, Expected, Verifier};
use countersign_service::adapters::clock::Clock;
use countersign_service::adapters::webhooks::{WebhookHeaders, WebhookSecrets};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// Shared by its handlers and the stories that look at it.
#[derive(Clone)]
pub(crate) struct Panel {
    pub(crate) url: String,
    inner: Arc<Inner>,
}

struct Inner {
    secrets: WebhookSecrets,
    clock: Arc<dyn Clock>,
    /// Known once the gate is there and has published its keys.
    verifier: OnceLock<Verifier>,
    books: Mutex<Books>,
}

#[derive(Default)]
struct Books {
    passwords: BTreeMap<String, String>,
    ran: Vec<Ran>,
    used: BTreeSet<String>,
    refused: usize,
    texts: Vec<(String, String)>,
}

/// An action that was carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ran {
    pub(crate) action: String,
    pub(crate) customer: String,
    pub(crate) parameters: Value,
}

impl Panel {
    /// On a port that nobody has.
    pub(crate) async fn start(secrets: WebhookSecrets, clock: Arc<dyn Clock>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let panel = Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            inner: Arc::new(Inner {
                secrets,
                clock,
                verifier: OnceLock::new(),
                books: Mutex::default(),
            }),
        };
        let router = Router::new()
            .route("/run", post(run))
            .route("/run/{jti}", get(status))
            .route("/password", post(password))
            .route("/text", post(text))
            .with_state(panel.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        panel
    }

    /// Trusts this gate from now on.
    pub(crate) fn trust(&self, verifier: Verifier) {
        assert!(self.inner.verifier.set(verifier).is_ok(), "trusted once");
    }

    pub(crate) fn set_password(&self, customer: &str, password: &str) {
        let mut books = self.inner.books.lock().unwrap();
        books
            .passwords
            .insert(customer.to_owned(), password.to_owned());
    }

    /// What it carried out, oldest first.
    pub(crate) fn ran(&self) -> Vec<Ran> {
        self.inner.books.lock().unwrap().ran.clone()
    }

    /// How many grants it refused.
    pub(crate) fn refused(&self) -> usize {
        self.inner.books.lock().unwrap().refused
    }

    /// Text messages as (number, words), oldest first.
    pub(crate) fn texts(&self) -> Vec<(String, String)> {
        self.inner.books.lock().unwrap().texts.clone()
    }

    fn signed(&self, headers: &HeaderMap, body: &[u8]) -> bool {
        let text = |name: &str| {
            headers
                .get(name)
                .and_then(|value| value.to_str().ok())
                .unwrap_or_default()
                .to_owned()
        };
        let sent = WebhookHeaders {
            id: text("webhook-id"),
            timestamp: text("webhook-timestamp"),
            signature: text("webhook-signature"),
        };
        let now = self.inner.clock.now();
        self.inner.secrets.verify(&sent, body, now).is_ok()
    }

    /// Verifies and runs; `None` for a grant that is not good.
    fn accept(&self, body: &str) -> Option<()> {
        let bundle: Bundle = serde_json::from_str(body).ok()?;
        let claims = URL_SAFE_NO_PAD
            .decode(bundle.grant.split('.').nth(1)?)
            .ok()?;
        let claims: Value = serde_json::from_slice(&claims).ok()?;
        let (customer, jti) = (claims["sub"].as_str()?, claims["jti"].as_str()?);
        let detail = &claims["authorization_details"][0];
        let expected = Expected {
            action: detail["action"].as_str()?.to_owned(),
            parameters: serde_json::from_value(detail["parameters"].clone()).ok()?,
            subject: customer.to_owned(),
        };
        let now = u64::try_from(self.inner.clock.now().0 / 1_000).ok()?;
        let mut books = self.inner.books.lock().unwrap();
        let first = !books.used.contains(jti);
        let verifier = self.inner.verifier.get()?;
        verifier
            .verify(body, &expected, now, &mut |_, _| first)
            .ok()?;
        books.used.insert(jti.to_owned());
        books.ran.push(Ran {
            action: expected.action,
            customer: expected.subject,
            parameters: detail["parameters"].clone(),
        });
        Some(())
    }
}

async fn run(State(panel): State<Panel>, headers: HeaderMap, body: Bytes) -> Response {
    if !panel.signed(&headers, &body) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    if panel.accept(&String::from_utf8_lossy(&body)).is_some() {
        return Json(json!({ "outcome": "done" })).into_response();
    }
    panel.inner.books.lock().unwrap().refused += 1;
    let answer = json!({ "outcome": "failed", "reason": "not-granted" });
    (StatusCode::FORBIDDEN, Json(answer)).into_response()
}

async fn status(
    State(panel): State<Panel>,
    Path(jti): Path<String>,
    headers: HeaderMap,
) -> Response {
    if !panel.signed(&headers, b"") {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let known = panel.inner.books.lock().unwrap().used.contains(&jti);
    Json(json!({ "outcome": if known { "done" } else { "never_seen" } })).into_response()
}

async fn password(State(panel): State<Panel>, headers: HeaderMap, body: Bytes) -> Response {
    if !panel.signed(&headers, &body) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let question: Value = serde_json::from_slice(&body).unwrap();
    let books = panel.inner.books.lock().unwrap();
    let right = books
        .passwords
        .get(question["customer"].as_str().unwrap())
        .is_some_and(|password| question["password"] == json!(password));
    Json(json!({ "ok": right })).into_response()
}

async fn text(State(panel): State<Panel>, headers: HeaderMap, body: Bytes) -> StatusCode {
    if !panel.signed(&headers, &body) {
        return StatusCode::UNAUTHORIZED;
    }
    let message: Value = serde_json::from_slice(&body).unwrap();
    let word = |name: &str| message[name].as_str().unwrap().to_owned();
    let mut books = panel.inner.books.lock().unwrap();
    books.texts.push((word("to"), word("text")));
    StatusCode::NO_CONTENT
}
