//! The checker that companies are given as a sample, run as they run it.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use countersign_cases::{Digest, Timestamp};
use countersign_service::adapters::{
    checker::{Asked, Checker, CheckerResult, Question},
    clock::{Clock as _, SystemClock},
    http::{Endpoint, http_client},
    webhooks::{WebhookHeaders, WebhookSecrets},
};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

const SECRET: &str = "whsec_ZG9vcmRvb3Jkb29yZG9vcmRvb3Jkb29yZG9vcmRvb3I=";
const OTHER: &str = "whsec_Zm9yZWlnbmZvcmVpZ25mb3JlaWduZm9yZWlnbmZvcmU=";

/// Ends with the test.
struct Sample(Child, String);

impl Drop for Sample {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// `None` where there is no Python.
fn sample(folder: &Path, more: &[&str]) -> Option<Sample> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../integrations/checker/checker.py");
    std::fs::write(folder.join("check.whsec"), format!("{SECRET}\n")).unwrap();
    std::fs::write(folder.join("present.txt"), "c-7\nc-1042\n").unwrap();
    let started = Command::new("python3")
        .arg(file)
        .args(["check.whsec", "present.txt", "--port", "0"])
        .args(more)
        .current_dir(folder)
        .stdout(Stdio::piped())
        .spawn();
    let mut child = match started {
        Ok(child) => child,
        Err(error) => {
            assert!(
                std::env::var_os("CI").is_none(),
                "the sample needs python3: {error}"
            );
            return None;
        }
    };
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    Some(Sample(child, line.trim().to_owned()))
}

fn checker(url: &str, secret: &str) -> Checker {
    let secrets = WebhookSecrets::parse([secret]).unwrap();
    Checker::new(http_client().unwrap(), Endpoint::new(url, secrets).unwrap())
}

fn question<'a>(id: &'a str, customer: &'a str, answer_to: &'a str) -> Question<'a> {
    Question {
        question: id,
        case: "CS-7F3K9Q",
        customer,
        proof: "door",
        sentence: "Erase everything on web-3 and install debian-13",
        digest: Digest([7; 32]),
        until_ms: SystemClock.now().plus_seconds(60).0,
        answer_to,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sample_answers_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let Some(sample) = sample(folder.path(), &["--at-once"]) else {
        return;
    };
    let now = SystemClock.now();
    let asks = checker(&sample.1, SECRET);
    for (customer, result) in [
        ("c-1042", CheckerResult::Proved),
        ("c-104", CheckerResult::Refused),
    ] {
        let asked = asks
            .ask(&question("q_1", customer, "http://127.0.0.1:1/"), now)
            .await;
        let Asked::Answered { answer, .. } = asked else {
            panic!("{asked:?}");
        };
        assert_eq!((answer.question.as_str(), answer.result), ("q_1", result));
    }
    // It refuses whoever else asks, and what is old.
    let asked = question("q_1", "c-1042", "http://127.0.0.1:1/");
    let foreign = checker(&sample.1, OTHER).ask(&asked, now).await;
    assert_eq!(foreign, Asked::Unavailable(Some(401)));
    let old = asks.ask(&asked, Timestamp(now.0 - 400_000)).await;
    assert_eq!(old, Asked::Unavailable(Some(401)));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sample_answers_later_in_a_message_that_verifies() {
    let folder = tempfile::tempdir().unwrap();
    let Some(sample) = sample(folder.path(), &[]) else {
        return;
    };
    let gate = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let answer_to = format!("http://{}/v1/questions/q_9", gate.local_addr().unwrap());
    let asks = checker(&sample.1, SECRET);
    let asked = question("q_9", "c-1042", &answer_to);
    // Asked twice under one id, as after an interruption: one message comes.
    for _ in 0..2 {
        assert_eq!(asks.ask(&asked, SystemClock.now()).await, Asked::Later);
    }
    let (mut stream, _) = gate.accept().await.unwrap();
    let mut bytes = Vec::new();
    let (head, body) = loop {
        assert_ne!(stream.read_buf(&mut bytes).await.unwrap(), 0);
        let text = String::from_utf8(bytes.clone()).unwrap();
        if let Some((head, body)) = text.split_once("\r\n\r\n")
            && body.ends_with('}')
        {
            break (head.to_owned(), body.to_owned());
        }
    };
    stream
        .write_all(b"HTTP/1.1 204 x\r\nconnection: close\r\n\r\n")
        .await
        .unwrap();
    assert!(head.starts_with("POST /v1/questions/q_9 "), "{head}");
    let header = |name: &str| {
        let mut lines = head.lines().filter_map(|line| line.split_once(": "));
        let found = lines.find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.unwrap().1.to_owned()
    };
    let headers = WebhookHeaders {
        id: header("webhook-id"),
        timestamp: header("webhook-timestamp"),
        signature: header("webhook-signature"),
    };
    asks.verify(&headers, body.as_bytes(), SystemClock.now())
        .unwrap();
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(&body).unwrap(),
        json!({ "question": "q_9", "result": "proved" })
    );
}
