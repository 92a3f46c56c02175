//! The company's backend: verifies each grant offline, runs it once, and counts.

use std::{
    cell::RefCell,
    collections::{BTreeMap, HashMap},
    net::SocketAddr,
    rc::Rc,
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use countersign_grant::{Expected, JwkSet, Verifier};
use countersign_ledger::{Policy, VerifierKey};
use serde_json::Value;
use tokio::{net::TcpListener, sync::oneshot};

use crate::{Failed, http};

/// The panel's books.
#[derive(Debug, Clone, Default)]
pub(crate) struct Panel(Rc<RefCell<Books>>);

#[derive(Debug, Default)]
struct Books {
    verifier: Option<Verifier>,
    /// How often each grant came.
    runs: HashMap<String, u32>,
    refused: Vec<String>,
    /// Who waits for which case's text, and is told when it ran.
    waiting: HashMap<String, oneshot::Sender<Instant>>,
}

impl Panel {
    /// Listens on a free port.
    pub(crate) async fn start() -> Result<(Self, SocketAddr), Failed> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let panel = Self::default();
        let books = panel.clone();
        tokio::task::spawn_local(http::serve(listener, move |line, body| {
            let answer = books.answer(&line, &body);
            async move { answer }
        }));
        Ok((panel, address))
    }

    /// From now on believes this gate: what `/.well-known/countersign` says.
    pub(crate) fn trust(&self, known: &Value) -> Result<(), Failed> {
        let keys: JwkSet =
            serde_json::from_value(known.get("grant_keys").cloned().unwrap_or_default())?;
        let log: VerifierKey = known
            .pointer("/ledger/key")
            .and_then(Value::as_str)
            .ok_or("no ledger key")?
            .parse()?;
        self.0.borrow_mut().verifier = Some(Verifier {
            issuer: known
                .get("issuer")
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned(),
            audience: "panel".to_owned(),
            keys: keys.by_kid()?,
            policy: Policy::of_log(log)?,
            leeway_s: 0,
        });
        Ok(())
    }

    /// When the case with this text ran; the sender's end is dropped if it is asked for twice.
    pub(crate) fn when_run(&self, text: String) -> oneshot::Receiver<Instant> {
        let (tell, told) = oneshot::channel();
        self.0.borrow_mut().waiting.insert(text, tell);
        told
    }

    /// Grants run, how many of them more than once, and refusals.
    pub(crate) fn books(&self) -> (usize, usize, Vec<String>) {
        let books = self.0.borrow();
        let twice = books.runs.values().filter(|times| **times != 1).count();
        (books.runs.len(), twice, books.refused.clone())
    }

    fn answer(&self, line: &str, body: &[u8]) -> String {
        let mut books = self.0.borrow_mut();
        if let Some(status) = line.strip_prefix("GET ") {
            let id = status.split([' ', '/']).rfind(|part| part.len() == 22);
            let seen = id.is_some_and(|id| books.runs.contains_key(id));
            let outcome = if seen { "done" } else { "never_seen" };
            return format!("{{\"outcome\":\"{outcome}\"}}");
        }
        match books.run(body) {
            Ok(()) => "{\"outcome\":\"done\"}".to_owned(),
            Err(why) => {
                books.refused.push(why.to_string());
                "{\"outcome\":\"failed\",\"reason\":\"refused\"}".to_owned()
            }
        }
    }
}

impl Books {
    fn run(&mut self, bundle: &[u8]) -> Result<(), Failed> {
        let bundle = std::str::from_utf8(bundle)?;
        // What the panel is about to do it reads from the grant, as a small backend would; the verifier holds the rest against it.
        let expected = expected(bundle)?;
        let verifier = self.verifier.as_ref().ok_or("no keys yet")?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        let runs = &mut self.runs;
        let mut first_use = |id: &str, _: u64| {
            let times = runs.entry(id.to_owned()).or_default();
            *times += 1;
            *times == 1
        };
        verifier
            .verify(bundle, &expected, now, &mut first_use)
            .map_err(|reason| format!("refused: {reason}"))?;
        let text = expected.parameters.get("text").cloned();
        if let Some(waiting) = text.and_then(|text| self.waiting.remove(&text)) {
            // Whoever waited may have given up.
            let _ = waiting.send(Instant::now());
        }
        Ok(())
    }
}

fn expected(bundle: &str) -> Result<Expected, Failed> {
    let bundle: Value = serde_json::from_str(bundle)?;
    let payload = bundle
        .get("grant")
        .and_then(Value::as_str)
        .and_then(|grant| grant.split('.').nth(1))
        .ok_or("no grant")?;
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload)?)?;
    let detail = claims
        .pointer("/authorization_details/0")
        .ok_or("no detail")?;
    let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
    let parameters: BTreeMap<String, String> =
        serde_json::from_value(detail.get("parameters").cloned().unwrap_or_default())?;
    Ok(Expected {
        action: text(detail.get("action")),
        parameters,
        subject: text(claims.get("sub")),
    })
}
