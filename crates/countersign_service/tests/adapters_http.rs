//! Connector, password check and text gateway against a real server on the loopback that can misbehave in every way.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use countersign_cases::Timestamp;
use countersign_service::adapters::{
    connector::{AskOutcome, Connector, RunOutcome},
    delivery::{Delivery, LaterReason, RefusedReason},
    dice::SystemDice,
    http::{Endpoint, MAX_ANSWER_BYTES, http_client},
    password_check::{PasswordCheck, PasswordVerdict},
    secrets::Secret,
    text_gateway::TextGateway,
    webhooks::{WebhookError, WebhookHeaders, WebhookSecrets},
};
use serde_json::{Value, json};

const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
const NOW: Timestamp = Timestamp(1_760_000_000_000);
const JTI: &str = "0198c0ffee";

/// How the server treats its one request.
#[derive(Debug, Clone)]
enum Manner {
    /// Answers with this status and body.
    Answer(u16, String),
    /// Answers with a redirect there.
    Redirect(String),
    /// Reads the request and closes.
    Cut,
    /// Closes without reading.
    CutAtOnce,
    /// Announces more body than it sends, then closes.
    CutInBody,
    /// Reads the request and says nothing until the other side gives up.
    Silent,
    /// Sends headers, then one byte at a time for ever.
    Trickle,
    /// Answers something that is not HTTP.
    Gibberish,
}

#[derive(Debug, Clone, Default)]
struct Seen {
    line: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Seen {
    fn header(&self, name: &str) -> String {
        self.headers
            .iter()
            .find(|(found, _)| found == name)
            .map(|(_, value)| value.clone())
            .unwrap_or_default()
    }

    fn signature_verdict(&self) -> Result<(), WebhookError> {
        let headers = WebhookHeaders {
            id: self.header("webhook-id"),
            timestamp: self.header("webhook-timestamp"),
            signature: self.header("webhook-signature"),
        };
        secrets().verify(&headers, &self.body, NOW)
    }
}

/// Serves exactly one connection.
struct Server {
    address: SocketAddr,
    /// Short where nothing but the time-out ends the wait, long where a busy machine might need it.
    patience: Duration,
    seen: Arc<Mutex<Option<Seen>>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let waits = matches!(manner, Manner::Silent | Manner::Trickle);
        let patience = Duration::from_millis(if waits { 300 } else { 8_000 });
        let seen = Arc::new(Mutex::new(None));
        let thread = std::thread::spawn({
            let seen = Arc::clone(&seen);
            move || {
                let (stream, _) = listener.accept().unwrap();
                stream
                    .set_read_timeout(Some(Duration::from_secs(10)))
                    .unwrap();
                serve(stream, &manner, &seen);
            }
        });
        Self {
            address,
            patience,
            seen,
            thread: Some(thread),
        }
    }

    fn endpoint(&self) -> Endpoint {
        endpoint(&self.url()).with_timeout(self.patience)
    }

    fn url(&self) -> String {
        format!("http://{}/run", self.address)
    }

    /// What was seen, once the server is done.
    fn finish(mut self) -> Seen {
        self.thread.take().unwrap().join().unwrap();
        self.seen.lock().unwrap().clone().unwrap_or_default()
    }
}

fn serve(mut stream: TcpStream, manner: &Manner, seen: &Mutex<Option<Seen>>) {
    if matches!(manner, Manner::CutAtOnce) {
        return;
    }
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut request = Seen::default();
    reader.read_line(&mut request.line).unwrap();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            break;
        };
        request
            .headers
            .push((name.to_ascii_lowercase(), value.to_owned()));
    }
    let length = request.header("content-length").parse().unwrap_or(0);
    request.body = vec![0; length];
    reader.read_exact(&mut request.body).unwrap();
    *seen.lock().unwrap() = Some(request);
    // The other side may have hung up by now; that is its right.
    let mut say = |text: &str| {
        stream
            .write_all(text.as_bytes())
            .and_then(|()| stream.flush())
    };
    match manner {
        Manner::Answer(status, body) => {
            let _ = say(&format!(
                "HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            ));
        }
        Manner::Redirect(to) => {
            let _ = say(&format!(
                "HTTP/1.1 307 X\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n"
            ));
        }
        Manner::CutInBody => {
            let _ = say("HTTP/1.1 200 X\r\ncontent-length: 500\r\n\r\n{\"outcome\":\"done\"}");
        }
        Manner::Silent => {
            let _ = reader.read(&mut [0]);
        }
        Manner::Trickle => {
            let _ = say("HTTP/1.1 200 X\r\ncontent-length: 60000\r\n\r\n");
            while say(" ").is_ok() {
                std::thread::sleep(Duration::from_millis(5));
            }
        }
        Manner::Gibberish => {
            let _ = say("220 mail.example ESMTP\r\n");
        }
        Manner::Cut | Manner::CutAtOnce => {}
    }
}

fn secrets() -> WebhookSecrets {
    WebhookSecrets::parse([SECRET]).unwrap()
}

fn endpoint(url: &str) -> Endpoint {
    Endpoint::new(url, secrets()).unwrap()
}

fn connector(server: &Server) -> Connector {
    Connector::new(http_client().unwrap(), server.endpoint())
}

async fn run(manner: Manner) -> RunOutcome {
    let server = Server::start(manner);
    let outcome = connector(&server)
        .run(JTI, &json!({ "grant": "…" }), NOW)
        .await
        .unwrap();
    server.finish();
    outcome
}

async fn ask(manner: Manner) -> AskOutcome {
    let server = Server::start(manner);
    let outcome = connector(&server).ask(JTI, NOW).await.unwrap();
    server.finish();
    outcome
}

/// An address where certainly nobody listens.
fn nobody() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
}

fn failed(reason: &str) -> String {
    json!({ "outcome": "failed", "reason": reason }).to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_run_is_signed_with_its_jti_and_carries_the_body() {
    let server = Server::start(Manner::Answer(200, r#"{"outcome":"done"}"#.into()));
    let body = json!({ "grant": { "jws": "a.b.c" }, "action": "server.reinstall", "parameters": { "server": "web-1 ö" } });
    assert_eq!(
        connector(&server).run(JTI, &body, NOW).await,
        Ok(RunOutcome::Done)
    );
    let seen = server.finish();
    assert_eq!(seen.line, "POST /run HTTP/1.1\r\n");
    assert_eq!(seen.header("webhook-id"), JTI);
    assert_eq!(seen.header("content-type"), "application/json");
    assert_eq!(serde_json::from_slice::<Value>(&seen.body).unwrap(), body);
    assert_eq!(seen.signature_verdict(), Ok(()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn done_and_failed_are_taken_only_where_they_are_plain() {
    let done = r#"{"outcome":"done"}"#.to_owned();
    let refused = RunOutcome::Failed {
        reason: "server_locked".into(),
    };
    for (status, body, expected) in [
        (200, done.clone(), RunOutcome::Done),
        (
            201,
            json!({ "outcome": "done", "jti": JTI, "more": [1] }).to_string(),
            RunOutcome::Done,
        ),
        (200, failed("server_locked"), refused.clone()),
        (409, failed("server_locked"), refused),
        (
            422,
            failed("Dear customer Signe!"),
            RunOutcome::Failed {
                reason: "unspecified".into(),
            },
        ),
        (
            422,
            r#"{"outcome":"failed"}"#.into(),
            RunOutcome::Failed {
                reason: "unspecified".into(),
            },
        ),
        // Everything else leaves open what happened.
        (
            200,
            json!({ "outcome": "done", "jti": "another" }).to_string(),
            RunOutcome::Unknown,
        ),
        (404, done.clone(), RunOutcome::Unknown),
        (500, done.clone(), RunOutcome::Unknown),
        (500, failed("server_locked"), RunOutcome::Unknown),
        (502, "<html>bad gateway</html>".into(), RunOutcome::Unknown),
        (200, String::new(), RunOutcome::Unknown),
        (204, String::new(), RunOutcome::Unknown),
        (200, "ok".into(), RunOutcome::Unknown),
        (200, "{}".into(), RunOutcome::Unknown),
        (200, r#"{"outcome":"DONE"}"#.into(), RunOutcome::Unknown),
        (200, r#"{"outcome":"running"}"#.into(), RunOutcome::Unknown),
        (
            200,
            r#"{"outcome":"never_seen"}"#.into(),
            RunOutcome::Unknown,
        ),
        (
            200,
            r#"{"outcome":"done","outcome":"failed"}"#.into(),
            RunOutcome::Unknown,
        ),
        (200, format!("{done}{done}"), RunOutcome::Unknown),
        (401, String::new(), RunOutcome::Unknown),
    ] {
        assert_eq!(
            run(Manner::Answer(status, body.clone())).await,
            expected,
            "{status} {body}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn whatever_goes_wrong_after_the_request_left_is_unknown() {
    for manner in [
        Manner::Cut,
        Manner::CutAtOnce,
        Manner::CutInBody,
        Manner::Silent,
        Manner::Trickle,
        Manner::Gibberish,
    ] {
        let started = Instant::now();
        assert_eq!(run(manner.clone()).await, RunOutcome::Unknown, "{manner:?}");
        assert!(started.elapsed() < Duration::from_secs(8), "{manner:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_answer_over_the_limit_is_unknown_and_one_at_the_limit_is_read() {
    let body = |length: usize| {
        let done = r#"{"outcome":"done"}"#;
        format!("{done}{}", " ".repeat(length - done.len()))
    };
    assert_eq!(
        run(Manner::Answer(200, body(MAX_ANSWER_BYTES))).await,
        RunOutcome::Done
    );
    assert_eq!(
        run(Manner::Answer(200, body(MAX_ANSWER_BYTES + 1))).await,
        RunOutcome::Unknown
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_redirect_is_not_followed() {
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    other.set_nonblocking(true).unwrap();
    let to = format!("http://{}/run", other.local_addr().unwrap());
    assert_eq!(run(Manner::Redirect(to)).await, RunOutcome::Unknown);
    assert_eq!(
        other.accept().map(|_| ()).unwrap_err().kind(),
        std::io::ErrorKind::WouldBlock
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_never_left_may_be_sent_again() {
    let client = http_client().unwrap();
    let refused = Connector::new(
        client.clone(),
        endpoint(&format!("http://{}/run", nobody())),
    );
    assert_eq!(
        refused.run(JTI, &json!({}), NOW).await,
        Ok(RunOutcome::NotSent)
    );
    assert_eq!(refused.ask(JTI, NOW).await, Ok(AskOutcome::StillUnknown));
    // TLS to somebody who does not speak it fails before the request is written.
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!(
        "https://localhost:{}/run",
        server.local_addr().unwrap().port()
    );
    let plain = std::thread::spawn(move || {
        let (mut stream, _) = server.accept().unwrap();
        let mut hello = [0; 512];
        let read = stream.read(&mut hello).unwrap();
        stream
            .write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            .unwrap();
        hello[..read].to_vec()
    });
    let no_tls = Connector::new(client, endpoint(&url));
    assert_eq!(
        no_tls.run(JTI, &json!({ "grant": "secret" }), NOW).await,
        Ok(RunOutcome::NotSent)
    );
    assert!(!plain.join().unwrap().windows(6).any(|six| six == b"secret"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_jti_that_cannot_be_signed_sends_nothing() {
    let connector = Connector::new(
        http_client().unwrap(),
        endpoint(&format!("http://{}/run", nobody())),
    );
    assert_eq!(
        connector.run("a.b", &json!({}), NOW).await,
        Err(WebhookError::BadId)
    );
    assert_eq!(
        connector.ask("../admin", NOW).await,
        Err(WebhookError::BadId)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn asking_is_signed_and_goes_to_the_status_url() {
    let server = Server::start(Manner::Answer(200, r#"{"outcome":"done"}"#.into()));
    assert_eq!(connector(&server).ask(JTI, NOW).await, Ok(AskOutcome::Done));
    let seen = server.finish();
    assert_eq!(seen.line, format!("GET /run/{JTI} HTTP/1.1\r\n"));
    assert_eq!(
        (seen.header("webhook-id").as_str(), seen.signature_verdict()),
        (JTI, Ok(()))
    );

    let server = Server::start(Manner::Answer(200, r#"{"outcome":"done"}"#.into()));
    let elsewhere = format!("http://{}/status/", server.address);
    let connector = connector(&server).with_status_url(&elsewhere).unwrap();
    assert_eq!(connector.ask(JTI, NOW).await, Ok(AskOutcome::Done));
    assert_eq!(
        server.finish().line,
        format!("GET /status/{JTI} HTTP/1.1\r\n")
    );
    assert!(
        connector
            .with_status_url("http://panel.acme.example/")
            .is_err()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn asking_believes_only_plain_words() {
    for (status, body, expected) in [
        (
            200,
            failed("disk_full"),
            AskOutcome::Failed {
                reason: "disk_full".into(),
            },
        ),
        (
            200,
            r#"{"outcome":"never_seen"}"#.into(),
            AskOutcome::NeverSeen,
        ),
        (
            404,
            r#"{"outcome":"never_seen"}"#.into(),
            AskOutcome::NeverSeen,
        ),
        (404, String::new(), AskOutcome::StillUnknown),
        (
            404,
            r#"{"outcome":"done"}"#.into(),
            AskOutcome::StillUnknown,
        ),
        (
            200,
            r#"{"outcome":"running"}"#.into(),
            AskOutcome::StillUnknown,
        ),
        (
            200,
            json!({ "outcome": "never_seen", "jti": "another" }).to_string(),
            AskOutcome::StillUnknown,
        ),
        (
            500,
            r#"{"outcome":"never_seen"}"#.into(),
            AskOutcome::StillUnknown,
        ),
        (
            503,
            r#"{"outcome":"done"}"#.into(),
            AskOutcome::StillUnknown,
        ),
    ] {
        assert_eq!(
            ask(Manner::Answer(status, body.clone())).await,
            expected,
            "{status} {body}"
        );
    }
    for manner in [Manner::Cut, Manner::Silent, Manner::CutInBody] {
        assert_eq!(ask(manner).await, AskOutcome::StillUnknown);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_password_is_right_wrong_or_not_found_out() {
    for (manner, expected) in [
        (
            Manner::Answer(200, r#"{"ok":true}"#.into()),
            PasswordVerdict::Right,
        ),
        (
            Manner::Answer(200, r#"{"ok":false}"#.into()),
            PasswordVerdict::Wrong,
        ),
        (
            Manner::Answer(200, r#"{"ok":"true"}"#.into()),
            PasswordVerdict::Unavailable,
        ),
        (
            Manner::Answer(200, r#"{"ok":1}"#.into()),
            PasswordVerdict::Unavailable,
        ),
        (
            Manner::Answer(200, "{}".into()),
            PasswordVerdict::Unavailable,
        ),
        (
            Manner::Answer(401, r#"{"ok":true}"#.into()),
            PasswordVerdict::Unavailable,
        ),
        (
            Manner::Answer(500, r#"{"ok":false}"#.into()),
            PasswordVerdict::Unavailable,
        ),
        (Manner::Silent, PasswordVerdict::Unavailable),
        (Manner::Cut, PasswordVerdict::Unavailable),
    ] {
        let server = Server::start(manner.clone());
        let check = PasswordCheck::new(http_client().unwrap(), server.endpoint());
        let password = Secret::new("hunter2 \"ö");
        assert_eq!(
            check.check("C-1", &password, &SystemDice, NOW).await,
            expected,
            "{manner:?}"
        );
        assert!(!format!("{check:?}").contains("hunter2"));
        let seen = server.finish();
        assert_eq!(seen.signature_verdict(), Ok(()));
        assert!(!seen.line.contains("hunter2"), "never in a URL");
        let body: Value = serde_json::from_slice(&seen.body).unwrap();
        assert_eq!(
            body,
            json!({ "customer": "C-1", "password": "hunter2 \"ö" })
        );
    }
    let nobody = PasswordCheck::new(
        http_client().unwrap(),
        endpoint(&format!("http://{}/", nobody())),
    );
    assert_eq!(
        nobody
            .check("C-1", &Secret::new("x"), &SystemDice, NOW)
            .await,
        PasswordVerdict::Unavailable
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_text_message_is_handed_over_refused_or_for_later() {
    for (manner, expected) in [
        (Manner::Answer(202, String::new()), Delivery::HandedOver),
        (
            Manner::Answer(400, String::new()),
            Delivery::Refused(RefusedReason::Answered(400)),
        ),
        (
            Manner::Answer(422, String::new()),
            Delivery::Refused(RefusedReason::Answered(422)),
        ),
        (
            Manner::Answer(401, String::new()),
            Delivery::TryLater(LaterReason::Answered(401)),
        ),
        (
            Manner::Answer(429, String::new()),
            Delivery::TryLater(LaterReason::Answered(429)),
        ),
        (
            Manner::Answer(500, String::new()),
            Delivery::TryLater(LaterReason::Answered(500)),
        ),
        (
            Manner::Redirect("http://127.0.0.1:1/".into()),
            Delivery::TryLater(LaterReason::Answered(307)),
        ),
        (Manner::Cut, Delivery::TryLater(LaterReason::Unreachable)),
    ] {
        let server = Server::start(manner.clone());
        let gateway = TextGateway::new(http_client().unwrap(), server.endpoint());
        assert_eq!(
            gateway
                .send("n-17", "+46701234567", "Code 1234 5678", NOW)
                .await,
            expected,
            "{manner:?}"
        );
        let seen = server.finish();
        assert_eq!(
            (seen.header("webhook-id").as_str(), seen.signature_verdict()),
            ("n-17", Ok(()))
        );
        assert_eq!(
            serde_json::from_slice::<Value>(&seen.body).unwrap(),
            json!({ "to": "+46701234567", "text": "Code 1234 5678" })
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_text_message_that_cannot_be_is_refused_unsent() {
    let gateway = TextGateway::new(
        http_client().unwrap(),
        endpoint(&format!("http://{}/", nobody())),
    );
    let long = "x".repeat(1_531);
    for (key, to, text) in [
        ("k", "0701234567", "hello"),
        ("k", "+0701234567", "hello"),
        ("k", "+46 70", "hello"),
        ("k", "+4670123456789012", "hello"),
        ("k", "+46701234567\n", "hello"),
        ("k", "+46701234567", ""),
        ("k", "+46701234567", &long),
        ("k.k", "+46701234567", "hello"),
    ] {
        assert_eq!(
            gateway.send(key, to, text, NOW).await,
            Delivery::Refused(RefusedReason::Malformed),
            "{to}"
        );
    }
    assert_eq!(
        gateway.send("k", "+46701234567", "hello", NOW).await,
        Delivery::TryLater(LaterReason::Unreachable)
    );
}
