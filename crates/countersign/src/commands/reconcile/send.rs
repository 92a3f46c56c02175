//! Sending logs to a gate that runs: it matches them, keeps what they came to, and raises an alarm for each uncovered line.

use std::io::Read;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail};
use countersign_service::adapters::http::install_tls_provider;
use countersign_service::adapters::secrets::Secret;
use countersign_service::reconcile::{LogForm, Mapping, Reconciliation};
use reqwest::{Body, Client, Url, header, redirect};
use serde_json::Value;
use tokio::sync::mpsc;

use super::{CHUNK, Progress, form_of, open};

/// How long the gate may take no piece of a log.
const SILENCE: Duration = Duration::from_mins(1);

/// How long it may take to answer once it has the whole log: up to a thousand alarms are raised then.
const ANSWER: Duration = Duration::from_mins(5);

/// The largest answer that is read.
const ANSWER_BYTES_MAX: usize = 16 << 20;

/// Pieces read ahead of the network.
const AHEAD: usize = 4;

/// A gate that runs, and what for.
pub(super) struct Target {
    client: Client,
    url: Url,
    token: Secret,
}

impl Target {
    /// `address` is the gate's, as in `gate.origin`; the token stands in the first line of a file.
    ///
    /// # Errors
    /// The address is none, or would show the token to the network; the file cannot be read.
    pub(super) fn new(
        address: &str,
        token: &Path,
        connector: &str,
        window: u32,
        mapping: &Mapping,
    ) -> anyhow::Result<Self> {
        let mut url: Url = address
            .parse()
            .with_context(|| format!("`{address}` is no address"))?;
        if url.scheme() != "https" && !is_loopback(&url) {
            bail!("`{address}` is not https, and the token would be for everybody to read");
        }
        url.set_path("/v1/reconciliations");
        url.query_pairs_mut()
            .clear()
            .extend_pairs(query(connector, window, mapping));
        let text = std::fs::read_to_string(token)
            .with_context(|| format!("cannot read the token `{}`", token.display()))?;
        install_tls_provider();
        let client = Client::builder()
            .user_agent(concat!("countersign/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .no_proxy()
            .connect_timeout(Duration::from_secs(10))
            .build()
            .context("cannot make connections")?;
        Ok(Self {
            client,
            url,
            token: Secret::new(text.lines().next().unwrap_or_default().trim()),
        })
    }

    /// Sends one log as it is read, and gives what it came to.
    ///
    /// # Errors
    /// The log cannot be read, or the gate does not take it; the gate's own words are in the error.
    pub(super) async fn send(
        &self,
        log: &Path,
        form: Option<LogForm>,
    ) -> anyhow::Result<Reconciliation> {
        let media = match form_of(log, form) {
            LogForm::Csv => "text/csv",
            LogForm::JsonLines => "application/x-ndjson",
        };
        let (reader, whole) = open(log)?;
        let (pieces, taken) = mpsc::channel::<std::io::Result<Vec<u8>>>(AHEAD);
        let body = futures_util::stream::unfold(taken, async |mut taken| {
            let piece = taken.recv().await?;
            Some((piece, taken))
        });
        let request = self
            .client
            .post(self.url.clone())
            .header(header::CONTENT_TYPE, media)
            .bearer_auth(self.token.expose_text())
            .body(Body::wrap_stream(body));
        let answered = tokio::spawn(async move { request.send().await });
        let runtime = tokio::runtime::Handle::current();
        let read = tokio::task::spawn_blocking(move || {
            feed(reader, Progress::new(whole), &pieces, &runtime)
        });
        let fed = read.await.context("the log was not read to its end")?;
        let answer = tokio::time::timeout(ANSWER, answered)
            .await
            .context("the gate does not answer")?
            .context("the log was not sent to its end")?;
        let response = match (answer, fed) {
            // What cannot be read on our side says more than a request that was cut off by it.
            (_, Err(error)) => return Err(error),
            (Err(error), Ok(())) => {
                return Err(error.without_url()).context("the gate cannot be reached");
            }
            (Ok(response), Ok(())) => response,
        };
        let status = response.status();
        let bytes = body_of(response).await?;
        if !status.is_success() {
            let problem: Value = serde_json::from_slice(&bytes).unwrap_or_default();
            let said = |name: &str| problem.get(name).and_then(Value::as_str);
            bail!(
                "the gate answers {}: {}",
                status.as_u16(),
                said("detail").or(said("title")).unwrap_or("without a word")
            );
        }
        serde_json::from_slice(&bytes).context("the gate's answer cannot be read")
    }
}

/// Reads the log and hands it on piece by piece, at most [`AHEAD`] ahead of the network.
fn feed(
    mut reader: Box<dyn Read + Send>,
    mut progress: Progress,
    pieces: &mpsc::Sender<std::io::Result<Vec<u8>>>,
    runtime: &tokio::runtime::Handle,
) -> anyhow::Result<()> {
    let mut lines = 0;
    let mut chunk = vec![0; CHUNK];
    loop {
        let length = match reader.read(&mut chunk) {
            Ok(0) => break,
            Ok(length) => length,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => {
                let kind = error.kind();
                // The request must not end as if this were the whole log.
                let cut_off = Err(std::io::Error::new(kind, "the log cannot be read"));
                let _ = runtime.block_on(pieces.send(cut_off));
                return Err(error).context("cannot read the log");
            }
        };
        let piece = chunk.get(..length).unwrap_or_default();
        lines += (piece.split(|byte| *byte == b'\n').count() - 1) as u64;
        let sent = runtime.block_on(tokio::time::timeout(
            SILENCE,
            pieces.send(Ok(piece.to_vec())),
        ));
        match sent {
            Ok(Ok(())) => progress.at(length as u64, lines),
            // It has answered before the end: what it says is in the answer.
            Ok(Err(_)) => break,
            Err(_) => bail!("the gate takes no more of it"),
        }
    }
    progress.done();
    Ok(())
}

async fn body_of(mut response: reqwest::Response) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    while let Some(piece) = response
        .chunk()
        .await
        .map_err(reqwest::Error::without_url)
        .context("the gate's answer was cut off")?
    {
        if bytes.len() + piece.len() > ANSWER_BYTES_MAX {
            bail!("the gate's answer is too long");
        }
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes)
}

/// The mapping in words of an address, as `POST /v1/reconciliations` reads it.
fn query(connector: &str, window: u32, mapping: &Mapping) -> Vec<(String, String)> {
    let mut query = vec![
        ("connector".to_owned(), connector.to_owned()),
        ("window".to_owned(), window.to_string()),
        ("time".to_owned(), mapping.time.clone()),
        ("action".to_owned(), mapping.action.clone()),
        ("customer".to_owned(), mapping.customer.clone()),
        ("grant".to_owned(), mapping.grant.clone()),
    ];
    let listed = |names: &std::collections::BTreeSet<String>| {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        names.join(",")
    };
    if let Some(id) = &mapping.id {
        query.push(("id".to_owned(), id.clone()));
    }
    if !mapping.ignore.is_empty() {
        query.push(("ignore".to_owned(), listed(&mapping.ignore)));
    }
    if let Some(outcome) = &mapping.outcome {
        query.push(("outcome".to_owned(), outcome.field.clone()));
        query.push(("done".to_owned(), listed(&outcome.done)));
    }
    for (name, field) in &mapping.parameters {
        query.push((format!("parameter.{name}"), field.clone()));
    }
    for (theirs, ours) in &mapping.actions {
        query.push((format!("rename.{theirs}"), ours.clone()));
    }
    query
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || bare
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_goes_to_nobody_who_could_be_listened_to() {
        let folder = tempfile::tempdir().unwrap();
        let token = folder.path().join("token");
        std::fs::write(&token, "cs_machine_x\n").unwrap();
        let to = |address| Target::new(address, &token, "panel", 300, &Mapping::default());
        for refused in ["http://support.acme.example", "ftp://127.0.0.1", "support"] {
            assert!(to(refused).is_err(), "{refused}");
        }
        for taken in [
            "https://support.acme.example",
            "http://127.0.0.1:4180",
            "http://[::1]:4180",
            "http://localhost:4180/",
        ] {
            let target = to(taken).ok().unwrap();
            assert_eq!(target.url.path(), "/v1/reconciliations");
        }
        assert!(
            Target::new(
                "https://a.example",
                &token.join("no"),
                "p",
                1,
                &Mapping::default()
            )
            .is_err()
        );
    }
}
