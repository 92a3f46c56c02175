//! The sample hosting company's panel: a second HTTP server that accepts nothing without a good grant.
//!
//! It is what a backend engineer would write against Countersign, kept as
//! small as it can be: verify the webhook, verify the grant and its proof, note
//! the grant's id, do exactly that action, remember the answer.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign_cases::Timestamp;
use countersign_grant::{Bundle, Expected, Verifier};
use countersign_service::adapters::clock::Clock;
use countersign_service::adapters::webhooks::{WebhookHeaders, WebhookSecrets};
use serde::Deserialize;
use serde_json::{Value, json};

/// The panel, shared by its handlers and the stories that look at it.
#[derive(Debug, Clone)]
pub(crate) struct Panel(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    verifier: Verifier,
    webhooks: WebhookSecrets,
    clock: Arc<dyn Clock>,
    lobby: String,
    state: Mutex<Books>,
}

/// What the hosting company knows.
#[derive(Debug, Default)]
struct Books {
    passwords: BTreeMap<String, String>,
    servers: BTreeMap<String, Server>,
    /// What each customer was credited, in cents.
    credits: BTreeMap<String, u64>,
    /// What was done, as a backend logs it: a JSON object a line, for `countersign reconcile`.
    log: Vec<String>,
    /// Answer by grant id: a grant that comes twice gets the first answer and runs nothing.
    answers: BTreeMap<String, Value>,
    refused: Vec<String>,
    /// Bundles that were accepted, oldest first.
    accepted: Vec<String>,
}

/// A server a customer rents.
#[derive(Debug, Clone)]
pub(crate) struct Server {
    /// Whose.
    pub(crate) customer: String,
    /// What it runs.
    pub(crate) image: String,
    /// How often everything on it was erased.
    pub(crate) reinstalled: u32,
}

impl Panel {
    /// A panel that trusts this gate and nobody else.
    pub(crate) fn new(
        verifier: Verifier,
        webhooks: WebhookSecrets,
        clock: Arc<dyn Clock>,
        lobby: String,
    ) -> Self {
        Self(Arc::new(Inner {
            verifier,
            webhooks,
            clock,
            lobby,
            state: Mutex::default(),
        }))
    }

    /// Rents a server to a customer who signs in with this password.
    pub(crate) fn rent(&self, customer: &str, password: &str, server: &str, image: &str) {
        let mut books = self.books();
        books
            .passwords
            .insert(customer.to_owned(), password.to_owned());
        books.servers.insert(
            server.to_owned(),
            Server {
                customer: customer.to_owned(),
                image: image.to_owned(),
                reinstalled: 0,
            },
        );
    }

    /// A server as it is now.
    pub(crate) fn server(&self, name: &str) -> Option<Server> {
        self.books().servers.get(name).cloned()
    }

    /// The bundle of the newest grant that ran, as it arrived.
    pub(crate) fn newest_bundle(&self) -> Option<String> {
        self.books().accepted.last().cloned()
    }

    /// Somebody erases a server by hand, past the gate: nothing but the panel's own log says so.
    pub(crate) fn past_the_gate(&self, name: &str) {
        let at = self.0.clock.now();
        let mut books = self.books();
        let Some(server) = books.servers.get_mut(name) else {
            return;
        };
        server.reinstalled += 1;
        let customer = server.customer.clone();
        let parameters = BTreeMap::from([
            ("server".to_owned(), name.to_owned()),
            ("image".to_owned(), server.image.clone()),
        ]);
        books.note(at, &customer, "server.reinstall", None, &parameters);
    }

    /// Its own log of what was done, JSON lines.
    pub(crate) fn log(&self) -> String {
        let mut log = self.books().log.join("\n");
        log.push('\n');
        log
    }

    /// Its routes.
    pub(crate) fn router(&self) -> Router {
        Router::new()
            .route("/", get(front))
            .route("/demo.css", get(style))
            .route("/countersign/run", post(run))
            .route("/countersign/status/{jti}", get(status))
            .route("/countersign/password", post(password))
            .route("/log.jsonl", get(own_log))
            .route("/servers/{server}/reinstall", post(old_door))
            .with_state(self.clone())
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn signed_by_gate(&self, headers: &HeaderMap, body: &[u8]) -> bool {
        signed_by_gate(&self.0.webhooks, &*self.0.clock, headers, body)
    }

    /// Verifies and runs; the answer of the first time for a grant seen before.
    fn accept(&self, body: &str) -> Result<Value, &'static str> {
        let bundle: Bundle = serde_json::from_str(body).map_err(|_| "form")?;
        let claims = claims(&bundle.grant).ok_or("form")?;
        let mut books = self.books();
        if let Some(answer) = books.answers.get(&claims.jti) {
            return Ok(answer.clone());
        }
        let detail = claims.authorization_details.first().ok_or("form")?;
        let expected = Expected {
            action: detail.action.clone(),
            parameters: detail.parameters.clone(),
            subject: claims.sub.clone(),
        };
        let now = u64::try_from(self.0.clock.now().0 / 1_000).unwrap_or(0);
        let verified = self.0.verifier.verify(body, &expected, now, &mut |jti, _| {
            !books.answers.contains_key(jti)
        });
        if let Err(reason) = verified {
            books.refused.push(format!("a grant was refused: {reason}"));
            return Err(reason.as_str());
        }
        let answer = books.perform(&claims.sub, &detail.action, &detail.parameters);
        if answer.get("outcome").and_then(Value::as_str) == Some("done") {
            let at = self.0.clock.now();
            books.note(
                at,
                &claims.sub,
                &detail.action,
                Some(&claims.jti),
                &detail.parameters,
            );
        }
        books.answers.insert(claims.jti, answer.clone());
        books.accepted.push(body.to_owned());
        Ok(answer)
    }
}

impl Books {
    /// A line of the panel's own log. Without a grant it is an action that somebody took past the gate.
    fn note(
        &mut self,
        at: Timestamp,
        customer: &str,
        action: &str,
        grant: Option<&str>,
        parameters: &BTreeMap<String, String>,
    ) {
        let line = json!({
            "at": at.0, "action": action, "customer": customer, "grant": grant, "parameters": parameters,
        });
        self.log.push(line.to_string());
    }

    fn perform(
        &mut self,
        customer: &str,
        action: &str,
        parameters: &BTreeMap<String, String>,
    ) -> Value {
        let parameter = |name: &str| parameters.get(name).cloned().unwrap_or_default();
        match action {
            "server.reinstall" => match self
                .servers
                .get_mut(&parameter("server"))
                .filter(|server| server.customer == customer)
            {
                Some(server) => {
                    server.reinstalled += 1;
                    server.image = parameter("image");
                    json!({ "outcome": "done" })
                }
                None => json!({ "outcome": "failed", "reason": "no-such-server" }),
            },
            "email.change" | "password.reset" => json!({ "outcome": "done" }),
            // Cents, so that no fraction is lost; an amount that is none is not given.
            "credit.give" => match cents(&parameter("amount")) {
                Some(cents) => {
                    *self.credits.entry(customer.to_owned()).or_default() += cents;
                    json!({ "outcome": "done" })
                }
                None => json!({ "outcome": "failed", "reason": "no-such-amount" }),
            },
            _ => json!({ "outcome": "failed", "reason": "unknown-action" }),
        }
    }
}

/// `49.90` in cents; nothing for what is no amount with at most two decimal places.
fn cents(amount: &str) -> Option<u64> {
    let (euros, rest) = amount.split_once('.').unwrap_or((amount, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if euros.is_empty() || !digits(euros) || !digits(rest) || rest.len() > 2 {
        return None;
    }
    let rest: u64 = format!("{rest:0<2}").parse().ok()?;
    euros
        .parse::<u64>()
        .ok()?
        .checked_mul(100)?
        .checked_add(rest)
}

/// Whether the gate itself sent this: the Standard Webhooks signature over id, time and body.
pub(crate) fn signed_by_gate(
    webhooks: &WebhookSecrets,
    clock: &dyn Clock,
    headers: &HeaderMap,
    body: &[u8],
) -> bool {
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
    webhooks.verify(&sent, body, clock.now()).is_ok()
}

/// What a backend reads of a grant before it has verified it: only to say what it expects.
#[derive(Deserialize)]
struct Claims {
    sub: String,
    jti: String,
    authorization_details: Vec<Detail>,
}

#[derive(Deserialize)]
struct Detail {
    action: String,
    parameters: BTreeMap<String, String>,
}

fn claims(jws: &str) -> Option<Claims> {
    let payload = URL_SAFE_NO_PAD.decode(jws.split('.').nth(1)?).ok()?;
    serde_json::from_slice(&payload).ok()
}

async fn run(State(panel): State<Panel>, headers: HeaderMap, body: Bytes) -> Response {
    if !panel.signed_by_gate(&headers, &body) {
        return (
            StatusCode::UNAUTHORIZED,
            axum::Json(json!({ "error": "webhook signature" })),
        )
            .into_response();
    }
    let text = String::from_utf8_lossy(&body);
    match panel.accept(&text) {
        Ok(answer) => axum::Json(answer).into_response(),
        Err(reason) => (
            StatusCode::FORBIDDEN,
            axum::Json(json!({ "outcome": "failed", "reason": reason })),
        )
            .into_response(),
    }
}

async fn status(
    State(panel): State<Panel>,
    Path(jti): Path<String>,
    headers: HeaderMap,
) -> Response {
    if !panel.signed_by_gate(&headers, b"") {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let answer = panel.books().answers.get(&jti).cloned();
    axum::Json(answer.unwrap_or_else(|| json!({ "outcome": "never_seen" }))).into_response()
}

#[derive(Deserialize)]
struct Question {
    customer: String,
    password: String,
}

async fn password(State(panel): State<Panel>, headers: HeaderMap, body: Bytes) -> Response {
    if !panel.signed_by_gate(&headers, &body) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let Ok(question) = serde_json::from_slice::<Question>(&body) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let right = panel
        .books()
        .passwords
        .get(&question.customer)
        .is_some_and(|password| *password == question.password);
    axum::Json(json!({ "ok": right })).into_response()
}

/// How it was done before there was a gate: `countersign doctor` and the attacker try it, and it stays shut.
async fn old_door(State(panel): State<Panel>, Path(server): Path<String>) -> Response {
    panel.books().refused.push(format!(
        "somebody tried to reinstall {server} without a grant"
    ));
    (
        StatusCode::FORBIDDEN,
        axum::Json(json!({ "error": "this needs a grant" })),
    )
        .into_response()
}

/// The panel's own log, for whoever wants to reconcile it.
async fn own_log(State(panel): State<Panel>) -> Response {
    (
        [(header::CONTENT_TYPE, "application/x-ndjson")],
        panel.log(),
    )
        .into_response()
}

async fn front(State(panel): State<Panel>) -> Response {
    let books = panel.books();
    let mut servers = String::new();
    for (name, server) in &books.servers {
        let history = match server.reinstalled {
            0 => "untouched".to_owned(),
            1 => "erased and reinstalled once".to_owned(),
            n => format!("erased and reinstalled {n} times"),
        };
        // Writing into a string cannot fail.
        let _ = write!(
            servers,
            "<tr><td>{}</td><td>{}</td><td>{}</td><td>{history}</td></tr>",
            escape(name),
            escape(&server.customer),
            escape(&server.image)
        );
    }
    let mut refused = String::new();
    for line in books.refused.iter().rev().take(20) {
        let _ = write!(refused, "<li>{}</li>", escape(line));
    }
    let refused = if refused.is_empty() {
        "<p>Nothing was refused yet.</p>".to_owned()
    } else {
        format!("<ul>{refused}</ul>")
    };
    page(
        "The sample panel",
        &format!(
            "<p>An invented hosting company's own system. It runs an action only for a grant that verifies: signature, audience, time, parameters, ledger proof, first use.</p>\
             <table><caption>Servers</caption><thead><tr><th>Server</th><th>Customer</th><th>Image</th><th>History</th></tr></thead><tbody>{servers}</tbody></table>\
             <h2>Refused</h2>{refused}<p><a href=\"{}/\">Take another part</a></p>",
            panel.0.lobby
        ),
    )
}

/// A plain page in the colours of the gate, for the two servers that only the demo has.
pub(crate) fn page(title: &str, body: &str) -> Response {
    let html = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title>\
         <link rel=\"stylesheet\" href=\"/demo.css\"><main><p class=\"demo\">Demonstration with made-up data</p><h1>{title}</h1>{body}</main></html>"
    );
    let mut response = Html(html).into_response();
    response.headers_mut().insert(
        header::CONTENT_SECURITY_POLICY,
        header::HeaderValue::from_static("default-src 'none'; style-src 'self'; form-action 'self' http://localhost:*; frame-ancestors 'none'; base-uri 'none'"),
    );
    response
}

/// The style of those pages.
pub(crate) const STYLE: &str = include_str!("demo.css");

/// Serves [`STYLE`].
pub(crate) async fn style() -> Response {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], STYLE).into_response()
}

/// Text as HTML.
pub(crate) fn escape(text: &str) -> String {
    text.chars()
        .fold(String::with_capacity(text.len()), |mut out, letter| {
            match letter {
                '&' => out.push_str("&amp;"),
                '<' => out.push_str("&lt;"),
                '>' => out.push_str("&gt;"),
                '"' => out.push_str("&quot;"),
                '\'' => out.push_str("&#39;"),
                other => out.push(other),
            }
            out
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_cents_or_nothing() {
        assert_eq!(cents("50"), Some(5_000));
        assert_eq!(cents("49.9"), Some(4_990));
        assert_eq!(cents("0.05"), Some(5));
        for none in [
            "",
            ".5",
            "-1",
            "1.234",
            "1e3",
            "five",
            "99999999999999999999",
        ] {
            assert_eq!(cents(none), None, "{none}");
        }
    }

    #[test]
    fn a_credit_is_given_and_noted() {
        let mut books = Books::default();
        let parameters: BTreeMap<String, String> =
            [("amount".to_owned(), "49.90".to_owned())].into();
        let answer = books.perform("signe", "credit.give", &parameters);
        assert_eq!(answer["outcome"], "done");
        assert_eq!(books.credits["signe"], 4_990);
        books.note(Timestamp(7), "signe", "credit.give", Some("g"), &parameters);
        let line: Value = serde_json::from_str(&books.log[0]).unwrap();
        assert_eq!((&line["grant"], &line["at"]), (&json!("g"), &json!(7)));
    }
}
