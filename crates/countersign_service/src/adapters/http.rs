//! The one way out by HTTP: TLS by rustls with aws-lc, bounded in time and size, and nothing done behind our back.
//!
//! No redirect is followed (it could carry a grant or a password elsewhere), no
//! proxy is taken from the environment, no request is repeated, and no
//! connection is kept: a request on a connection that the other side is just
//! closing would leave us unable to say whether it was seen.

use std::{
    net::IpAddr,
    sync::Once,
    time::{Duration, Instant},
};

use countersign_cases::Timestamp;
use reqwest::{Client, Method, Request, StatusCode, Url, redirect};
use serde::de::DeserializeOwned;

use super::{
    outside::{OutsideReply, OutsideRequest, Wire},
    webhooks::{ID_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER, WebhookError, WebhookSecrets},
};
use crate::traces;

/// The longest wait for a connection, TLS included.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The longest wait for a whole answer, unless a caller says otherwise.
pub const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// The longest answer read, in bytes: 64 KiB.
pub const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// Makes aws-lc the process's TLS provider. Safe to call from anywhere, any number of times.
pub fn install_tls_provider() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        // An error means that somebody installed one before, which is as good.
        let _installed_before = rustls::crypto::aws_lc_rs::default_provider()
            .install_default()
            .is_err();
    });
}

/// A client as described above.
///
/// # Errors
/// If the platform's certificate store cannot be read.
pub fn http_client() -> Result<Client, reqwest::Error> {
    install_tls_provider();
    Client::builder()
        .user_agent(concat!("countersign/", env!("CARGO_PKG_VERSION")))
        .redirect(redirect::Policy::none())
        .retry(reqwest::retry::never())
        .no_proxy()
        .referer(false)
        .pool_max_idle_per_host(0)
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(ANSWER_TIMEOUT)
        .build()
}

/// Where one of the company's own services listens and the secrets shared with it.
#[derive(Debug, Clone)]
pub struct Endpoint {
    pub(super) url: Url,
    pub(super) secrets: WebhookSecrets,
    pub(super) timeout: Duration,
}

/// Why an endpoint cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// Not a URL.
    #[error("`{0}` is not a URL")]
    BadUrl(String),
    /// Neither https nor this very machine.
    #[error("`{0}` must be https, or http on this machine")]
    Insecure(String),
    /// A user name, password, query or fragment: they end up in logs.
    #[error("`{0}` must have no user name, password, query or fragment")]
    NotPlain(String),
}

impl Endpoint {
    /// An `https` URL, or `http` to a loopback address. An answer may take [`ANSWER_TIMEOUT`].
    ///
    /// # Errors
    /// [`EndpointError`], naming the URL without what should not be in it.
    pub fn new(url: &str, secrets: WebhookSecrets) -> Result<Self, EndpointError> {
        Ok(Self {
            url: plain_url(url)?,
            secrets,
            timeout: ANSWER_TIMEOUT,
        })
    }

    /// With another time for a whole answer.
    #[must_use]
    pub const fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }
}

pub(super) fn plain_url(text: &str) -> Result<Url, EndpointError> {
    let shown = || {
        text.split(['?', '#', '@'])
            .next_back()
            .unwrap_or_default()
            .to_owned()
    };
    let url = Url::parse(text).map_err(|_| EndpointError::BadUrl(shown()))?;
    if !url.username().is_empty()
        || url.password().is_some()
        || url.query().is_some()
        || url.fragment().is_some()
    {
        return Err(EndpointError::NotPlain(
            url.host_str().unwrap_or_default().to_owned(),
        ));
    }
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let loopback = host == "localhost"
        || host
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback());
    let secure = url.scheme() == "https" || (url.scheme() == "http" && loopback);
    if secure {
        Ok(url)
    } else {
        Err(EndpointError::Insecure(shown()))
    }
}

/// A signed request.
#[derive(Debug)]
pub(super) struct SignedRequest<'a> {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) endpoint: &'a Endpoint,
    /// What is asked for, in a word of the program.
    pub(super) purpose: &'static str,
    /// `webhook-id`
    pub(super) id: &'a str,
    pub(super) now: Timestamp,
    /// JSON, or empty.
    pub(super) body: Vec<u8>,
}

/// What came of a request.
#[derive(Debug)]
pub(super) enum Reply {
    /// The request certainly never left: it may be sent again.
    NotSent,
    /// It may have arrived; there is no usable answer.
    NoAnswer,
    /// A whole answer.
    Answer(Answer),
}

#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    body: Vec<u8>,
}

impl Answer {
    /// The body as it came.
    pub(super) fn body(&self) -> &[u8] {
        &self.body
    }

    /// The body as this JSON, or `None`.
    pub(super) fn json<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_slice(&self.body).ok()
    }
}

/// Signs and sends once.
///
/// # Errors
/// [`WebhookError::BadId`] if the id cannot be signed; nothing was sent then.
pub(super) async fn send(wire: &Wire, request: SignedRequest<'_>) -> Result<Reply, WebhookError> {
    let SignedRequest {
        method,
        url,
        endpoint,
        purpose,
        id,
        now,
        body,
    } = request;
    let headers = endpoint.secrets.sign(id, now, &body)?;
    let client = match wire {
        Wire::Network(client) => client,
        Wire::Played(outside) => {
            let played = OutsideRequest {
                method: method.to_string(),
                url: url.to_string(),
                id: headers.id,
                timestamp: headers.timestamp,
                signature: headers.signature,
                body,
            };
            return Ok(read_played(outside.request(played).await));
        }
    };
    let started = Instant::now();
    let mut builder = client
        .request(method, url)
        .header(ID_HEADER, headers.id)
        .header(TIMESTAMP_HEADER, headers.timestamp)
        .header(SIGNATURE_HEADER, headers.signature)
        .header("accept", "application/json");
    if !body.is_empty() {
        builder = builder
            .header("content-type", "application/json")
            .body(body);
    }
    let reply = ask(builder, endpoint.timeout, purpose).await;
    let elapsed_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    match &reply {
        Reply::NotSent => tracing::warn!(id, elapsed_ms, "request not sent"),
        Reply::NoAnswer => tracing::warn!(id, elapsed_ms, "request without usable answer"),
        Reply::Answer(answer) => tracing::debug!(
            id,
            elapsed_ms,
            status = answer.status.as_u16(),
            "request answered"
        ),
    }
    Ok(reply)
}

/// Sends once, as it is, within this time: for those who have a protocol of their own.
pub(super) async fn ask(
    builder: reqwest::RequestBuilder,
    timeout: Duration,
    purpose: &'static str,
) -> Reply {
    let (client, Ok(request)) = builder.timeout(timeout).build_split() else {
        return Reply::NotSent;
    };
    traces::asking(request, purpose, async |request| {
        // Beside the client's own time-outs, so that even an answer that trickles byte by byte ends in time.
        let reply = tokio::time::timeout(timeout, read_whole(&client, request))
            .await
            .unwrap_or(Reply::NoAnswer);
        let status = match &reply {
            Reply::Answer(answer) => Some(answer.status.as_u16()),
            Reply::NotSent | Reply::NoAnswer => None,
        };
        (reply, status)
    })
    .await
}

/// What was played instead of an answer, bounded like any other.
fn read_played(reply: OutsideReply) -> Reply {
    match reply {
        OutsideReply::NotSent => Reply::NotSent,
        OutsideReply::Answer { status, body } if body.len() <= MAX_ANSWER_BYTES => {
            StatusCode::from_u16(status).map_or(Reply::NoAnswer, |status| {
                Reply::Answer(Answer { status, body })
            })
        }
        OutsideReply::NoAnswer | OutsideReply::Answer { .. } => Reply::NoAnswer,
    }
}

async fn read_whole(client: &Client, request: Request) -> Reply {
    let mut response = match client.execute(request).await {
        Ok(response) => response,
        // The name did not resolve, nobody listened, or TLS failed: not one byte of the request was written.
        // A malformed request (`is_builder`) was not either.
        Err(error) if error.is_connect() || error.is_builder() => return Reply::NotSent,
        Err(_) => return Reply::NoAnswer,
    };
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() <= MAX_ANSWER_BYTES => {
                body.extend_from_slice(&chunk);
            }
            Ok(None) => {
                return Reply::Answer(Answer {
                    status: response.status(),
                    body,
                });
            }
            Ok(Some(_)) | Err(_) => return Reply::NoAnswer,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_https_or_this_machine() {
        let secrets = || WebhookSecrets::parse(["whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"]).unwrap();
        for url in [
            "https://panel.acme.example/run",
            "http://127.0.0.1:8080/run",
            "http://[::1]/run",
            "http://localhost/run",
        ] {
            assert!(Endpoint::new(url, secrets()).is_ok(), "{url}");
        }
        for url in [
            "http://panel.acme.example/run",
            "http://127.0.0.1.evil.example/",
            "ftp://localhost/",
            "file:///etc/passwd",
        ] {
            assert!(
                matches!(
                    Endpoint::new(url, secrets()),
                    Err(EndpointError::Insecure(_))
                ),
                "{url}"
            );
        }
        for url in [
            "https://user:hunter2@panel.acme.example/",
            "https://panel.acme.example/?key=hunter2",
            "https://panel.acme.example/#hunter2",
        ] {
            let error = Endpoint::new(url, secrets()).unwrap_err();
            assert!(matches!(error, EndpointError::NotPlain(_)), "{url}");
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
        assert!(matches!(
            Endpoint::new("not a url", secrets()),
            Err(EndpointError::BadUrl(_))
        ));
    }

    #[test]
    fn the_provider_can_be_installed_twice_and_the_client_built() {
        install_tls_provider();
        install_tls_provider();
        assert!(http_client().is_ok());
    }
}
