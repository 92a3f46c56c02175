//! The company's own checker on the loopback: asks for a good signature, and answers as it is told to.

use std::sync::{Arc, Mutex};

use countersign_cases::Timestamp;
use countersign_service::adapters::{
    clock::{Clock as _, SettableClock},
    secrets::Secret,
    webhooks::{WebhookHeaders, WebhookSecrets},
};
use countersign_service::settings;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// What it answers to a good question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Says {
    /// 202: the answer comes later.
    Later,
    /// 200 with this result.
    Now(&'static str),
    /// 200 with a result for another question.
    ForAnother,
    /// This status, these headers and this body.
    Raw(u16, String, String),
    /// Nothing: it hangs up.
    HangsUp,
}

#[derive(Debug)]
struct Shared {
    says: Mutex<Says>,
    asked: Mutex<Vec<Value>>,
    refused: Mutex<usize>,
    secrets: WebhookSecrets,
    clock: Arc<SettableClock>,
}

/// Stops when dropped.
#[derive(Debug)]
pub(crate) struct Checker {
    shared: Arc<Shared>,
    pub(crate) url: String,
    secret: String,
    task: JoinHandle<()>,
}

impl Drop for Checker {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Checker {
    pub(crate) async fn start(secret: &str, clock: Arc<SettableClock>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/check", listener.local_addr().unwrap());
        let shared = Arc::new(Shared {
            says: Mutex::new(Says::Later),
            asked: Mutex::default(),
            refused: Mutex::default(),
            secrets: WebhookSecrets::parse([secret]).unwrap(),
            clock,
        });
        let task = tokio::spawn(listen(listener, Arc::clone(&shared)));
        Self {
            shared,
            url,
            secret: secret.to_owned(),
            task,
        }
    }

    /// What stands in the gate's settings.
    pub(crate) fn settings(&self, proof: &str) -> settings::Checker {
        settings::Checker {
            proof: proof.to_owned(),
            url: self.url.clone(),
            secrets: vec![Secret::new(self.secret.clone())],
            expires_seconds: 300,
        }
    }

    pub(crate) fn says(&self, says: Says) {
        *self.shared.says.lock().unwrap() = says;
    }

    /// Every question that carried a good signature.
    pub(crate) fn asked(&self) -> Vec<Value> {
        self.shared.asked.lock().unwrap().clone()
    }

    /// Requests without one.
    pub(crate) fn refused(&self) -> usize {
        *self.shared.refused.lock().unwrap()
    }

    /// A message of this checker.
    pub(crate) fn signs(&self, id: &str, now: Timestamp, body: &[u8]) -> WebhookHeaders {
        self.shared.secrets.sign(id, now, body).unwrap()
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
            .unwrap_or_default()
    };
    let length: usize = header("content-length").parse().unwrap_or(0);
    while bytes.len() < head_end + 4 + length {
        stream.read_buf(&mut bytes).await.ok()?;
    }
    let body = bytes[head_end + 4..].to_vec();
    let headers = WebhookHeaders {
        id: header("webhook-id"),
        timestamp: header("webhook-timestamp"),
        signature: header("webhook-signature"),
    };
    let signed = shared.secrets.verify(&headers, &body, shared.clock.now());
    let (status, more, answer) = if signed.is_ok() && head.starts_with("POST /check ") {
        let question: Value = serde_json::from_slice(&body).ok()?;
        assert_eq!(question["question"], headers.id.as_str());
        let says = shared.says.lock().unwrap().clone();
        let id = question["question"].clone();
        shared.asked.lock().unwrap().push(question);
        match says {
            Says::Later => (202, String::new(), String::new()),
            Says::Now(result) => (
                200,
                String::new(),
                json!({ "question": id, "result": result }).to_string(),
            ),
            Says::ForAnother => (
                200,
                String::new(),
                json!({ "question": "q_another", "result": "proved" }).to_string(),
            ),
            Says::Raw(status, more, body) => (status, more, body),
            Says::HangsUp => return None,
        }
    } else {
        *shared.refused.lock().unwrap() += 1;
        (401, String::new(), String::new())
    };
    let response = format!(
        "HTTP/1.1 {status} x\r\ncontent-length: {}\r\nconnection: close\r\n{more}\r\n{answer}",
        answer.len()
    );
    stream.write_all(response.as_bytes()).await.ok()?;
    stream.shutdown().await.ok()
}
