//! The company's own systems on the loopback: the panel that runs actions and accepts nothing without a good grant,
//! the password check, and the text gateway.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use countersign_cases::Timestamp;
use countersign_grant::{Expected, Reason, Verifier};
use countersign_service::adapters::{
    clock::{Clock, SettableClock},
    webhooks::{WebhookHeaders, WebhookSecrets},
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};

/// How the panel behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Does it and says so.
    Honest,
    /// Says that nothing changed.
    Fails,
    /// Does it and hangs up before it says so.
    LosesItsAnswer,
    /// Hangs up without doing it.
    LosesTheRequest,
    /// Does it and never answers.
    Hangs,
}

/// What the panel did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ran {
    pub(crate) action: String,
    pub(crate) customer: String,
    pub(crate) parameters: BTreeMap<String, String>,
    pub(crate) jti: String,
}

#[derive(Debug)]
struct State {
    mode: Mode,
    ran: Vec<Ran>,
    refused: Vec<Reason>,
    requests: usize,
    asked: usize,
    used: BTreeSet<String>,
    passwords: BTreeMap<String, String>,
    texts: Vec<(String, String)>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    verifier: Verifier,
    secrets: WebhookSecrets,
    clock: Arc<SettableClock>,
    busy: watch::Sender<usize>,
}

/// Stops when dropped.
#[derive(Debug)]
pub(crate) struct Backend {
    shared: Arc<Shared>,
    pub(crate) url: String,
    task: JoinHandle<()>,
}

impl Drop for Backend {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Backend {
    pub(crate) async fn start(
        verifier: Verifier,
        secrets: WebhookSecrets,
        clock: Arc<SettableClock>,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = State {
            mode: Mode::Honest,
            ran: Vec::new(),
            refused: Vec::new(),
            requests: 0,
            asked: 0,
            used: BTreeSet::new(),
            passwords: BTreeMap::new(),
            texts: Vec::new(),
        };
        let shared = Arc::new(Shared {
            state: Mutex::new(state),
            verifier,
            secrets,
            clock,
            busy: watch::Sender::new(0),
        });
        let task = tokio::spawn(listen(listener, Arc::clone(&shared)));
        Self { shared, url, task }
    }

    pub(crate) fn mode(&self, mode: Mode) {
        self.shared.state.lock().unwrap().mode = mode;
    }

    pub(crate) fn ran(&self) -> Vec<Ran> {
        self.shared.state.lock().unwrap().ran.clone()
    }

    pub(crate) fn refused(&self) -> Vec<Reason> {
        self.shared.state.lock().unwrap().refused.clone()
    }

    pub(crate) fn requests(&self) -> usize {
        self.shared.state.lock().unwrap().requests
    }

    pub(crate) fn asked(&self) -> usize {
        self.shared.state.lock().unwrap().asked
    }

    pub(crate) fn texts(&self) -> Vec<(String, String)> {
        self.shared.state.lock().unwrap().texts.clone()
    }

    pub(crate) fn set_password(&self, customer: &str, password: &str) {
        let mut state = self.shared.state.lock().unwrap();
        state
            .passwords
            .insert(customer.to_owned(), password.to_owned());
    }

    /// Returns once the panel has acted on this many run requests, whether or not it answers.
    pub(crate) async fn acted(&self, count: usize) {
        let mut busy = self.shared.busy.subscribe();
        busy.wait_for(|acted| *acted >= count).await.unwrap();
    }
}

async fn listen(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(serve(stream, Arc::clone(&shared)));
    }
}

async fn serve(mut stream: TcpStream, shared: Arc<Shared>) -> Option<()> {
    let mut bytes = Vec::new();
    let head_end = loop {
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break at;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(bytes[..head_end].to_vec()).ok()?;
    let header = |name: &str| {
        head.lines()
            .filter_map(|line| line.split_once(':'))
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim().to_owned())
    };
    let length: usize = header("content-length").map_or(0, |length| length.parse().unwrap());
    while bytes.len() < head_end + 4 + length {
        stream.read_buf(&mut bytes).await.ok()?;
    }
    let body = bytes[head_end + 4..].to_vec();
    let headers = WebhookHeaders {
        id: header("webhook-id")?,
        timestamp: header("webhook-timestamp")?,
        signature: header("webhook-signature")?,
    };
    let now = shared.clock.now();
    let (status, answer) = if shared.secrets.verify(&headers, &body, now).is_ok() {
        let line = head.lines().next()?;
        let (method, path) = (line.split(' ').next()?, line.split(' ').nth(1)?);
        match (method, path) {
            ("POST", "/run") => run(&shared, &headers.id, &body, now).await?,
            ("GET", path) if path.starts_with("/run/") => {
                ask(&shared, path.trim_start_matches("/run/"))
            }
            ("POST", "/password") => password(&shared, &body),
            ("POST", "/text") => text(&shared, &body),
            _ => (404, json!({})),
        }
    } else {
        (401, json!({}))
    };
    let answer = answer.to_string();
    let response = format!(
        "HTTP/1.1 {status} x\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{answer}",
        answer.len()
    );
    stream.write_all(response.as_bytes()).await.ok()?;
    stream.shutdown().await.ok()
}

/// `None` to hang up.
async fn run(shared: &Shared, id: &str, body: &[u8], now: Timestamp) -> Option<(u16, Value)> {
    let mode = {
        let mut state = shared.state.lock().unwrap();
        state.requests += 1;
        state.mode
    };
    if mode == Mode::LosesTheRequest {
        return None;
    }
    let verdict = act(shared, id, body, now, mode);
    shared.busy.send_modify(|acted| *acted += 1);
    match mode {
        Mode::LosesItsAnswer => None,
        Mode::Hangs => std::future::pending().await,
        _ => Some(verdict),
    }
}

fn act(shared: &Shared, id: &str, body: &[u8], now: Timestamp, mode: Mode) -> (u16, Value) {
    let text = std::str::from_utf8(body).unwrap();
    let bundle: Value = serde_json::from_str(text).unwrap();
    let payload = bundle["grant"].as_str().unwrap().split('.').nth(1).unwrap();
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap();
    let detail = &claims["authorization_details"][0];
    let expected = Expected {
        action: detail["action"].as_str().unwrap().to_owned(),
        parameters: serde_json::from_value(detail["parameters"].clone()).unwrap(),
        subject: claims["sub"].as_str().unwrap().to_owned(),
    };
    let mut state = shared.state.lock().unwrap();
    let now_s = u64::try_from(now.0 / 1_000).unwrap();
    let mut used = std::mem::take(&mut state.used);
    let verified = shared
        .verifier
        .verify(text, &expected, now_s, &mut |jti, _| {
            used.insert(jti.to_owned())
        });
    state.used = used;
    match verified {
        Ok(verified) => {
            assert_eq!(verified.claims().id, id, "the webhook's id is the grant's");
            if mode == Mode::Fails {
                return (409, json!({ "outcome": "failed", "reason": "server_busy" }));
            }
            state.ran.push(Ran {
                action: expected.action,
                customer: expected.subject,
                parameters: expected.parameters,
                jti: id.to_owned(),
            });
            (200, json!({ "outcome": "done", "jti": id }))
        }
        Err(reason) => {
            state.refused.push(reason);
            (
                403,
                json!({ "outcome": "failed", "reason": reason.as_str() }),
            )
        }
    }
}

fn ask(shared: &Shared, jti: &str) -> (u16, Value) {
    let mut state = shared.state.lock().unwrap();
    state.asked += 1;
    if state.ran.iter().any(|ran| ran.jti == jti) {
        (200, json!({ "outcome": "done" }))
    } else {
        (404, json!({ "outcome": "never_seen" }))
    }
}

fn password(shared: &Shared, body: &[u8]) -> (u16, Value) {
    let asked: Value = serde_json::from_slice(body).unwrap();
    let state = shared.state.lock().unwrap();
    let right = state.passwords.get(asked["customer"].as_str().unwrap());
    (
        200,
        json!({ "ok": right.map(String::as_str) == asked["password"].as_str() }),
    )
}

fn text(shared: &Shared, body: &[u8]) -> (u16, Value) {
    let sent: Value = serde_json::from_slice(body).unwrap();
    let text = |name: &str| sent[name].as_str().unwrap().to_owned();
    shared
        .state
        .lock()
        .unwrap()
        .texts
        .push((text("to"), text("text")));
    (202, json!({}))
}
