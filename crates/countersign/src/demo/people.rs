//! Everybody who takes part, as HTTP clients: machines with tokens, colleagues and customers with passkeys in software.
//!
//! Nothing here reaches into the gate. A colleague holds a session that they
//! signed in for, a browser holds the cookies that it was given.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use countersign_service::adapters::http::install_tls_provider;
use countersign_service::adapters::soft_passkey::SoftPasskey;
use countersign_service::adapters::tokens::Token;
use reqwest::{Client, Method, RequestBuilder, header, redirect};
use serde_json::{Value, json};

/// Speaks to one origin on this machine.
#[derive(Debug, Clone)]
pub(crate) struct Http {
    client: Client,
    origin: String,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    /// HTTP status.
    pub(crate) status: u16,
    /// Where it sends a browser on to.
    pub(crate) location: Option<String>,
    /// Every `Set-Cookie`, whole.
    pub(crate) cookies: Vec<String>,
    /// The body as text.
    pub(crate) text: String,
}

impl Http {
    /// For `http://localhost:PORT`, whatever this machine's resolver makes of that name.
    pub(crate) fn new(origin: &str) -> anyhow::Result<Self> {
        install_tls_provider();
        let client = Client::builder()
            .redirect(redirect::Policy::none())
            .no_proxy()
            .resolve("localhost", SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))
            .timeout(Duration::from_secs(30))
            .build()
            .context("no HTTP client")?;
        Ok(Self {
            client,
            origin: origin.to_owned(),
        })
    }

    /// `http://localhost:PORT`
    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }

    /// Reads what anyone may.
    pub(crate) async fn get(&self, path: &str) -> anyhow::Result<Reply> {
        self.send(self.request(Method::GET, path)).await
    }

    /// Posts JSON as a stranger.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Reply> {
        self.send(self.request(Method::POST, path).json(body)).await
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client
            .request(method, format!("{}{path}", self.origin))
    }

    async fn send(&self, request: RequestBuilder) -> anyhow::Result<Reply> {
        let response = request.send().await.context("no answer")?;
        let texts = |name: header::HeaderName| -> Vec<String> {
            response
                .headers()
                .get_all(name)
                .iter()
                .filter_map(|value| value.to_str().ok().map(str::to_owned))
                .collect()
        };
        let (cookies, location) = (
            texts(header::SET_COOKIE),
            texts(header::LOCATION).into_iter().next(),
        );
        let status = response.status().as_u16();
        let text = response.text().await.context("half an answer")?;
        Ok(Reply {
            status,
            location,
            cookies,
            text,
        })
    }
}

impl Reply {
    /// Whether it worked.
    pub(crate) fn is_good(&self) -> bool {
        self.status < 400
    }

    /// The body as JSON; null if it is none.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }

    /// A text of the JSON body; empty if it is not there.
    pub(crate) fn field(&self, name: &str) -> String {
        text(&self.json(), name)
    }

    /// The same answer, if it worked.
    pub(crate) fn good(self) -> anyhow::Result<Self> {
        ensure!(
            self.is_good(),
            "the answer was {} {}",
            self.status,
            self.field("code")
        );
        Ok(self)
    }
}

/// A text of a JSON object; empty if it is not there.
pub(crate) fn text(object: &Value, name: &str) -> String {
    object
        .get(name)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

/// A program with a token.
#[derive(Debug)]
pub(crate) struct Machine {
    http: Http,
    token: Token,
}

impl Machine {
    /// With this token.
    pub(crate) fn new(http: Http, token: Token) -> Self {
        Self { http, token }
    }

    /// Sends a log, JSON lines.
    pub(crate) async fn send_log(&self, path: &str, log: String) -> anyhow::Result<Reply> {
        let request = self
            .http
            .request(Method::POST, path)
            .bearer_auth(self.token.expose())
            .header(header::CONTENT_TYPE, "application/x-ndjson");
        self.http.send(request.body(log)).await
    }

    /// Asks for something; the answer may be a refusal.
    pub(crate) async fn ask(
        &self,
        method: Method,
        path: &str,
        body: &Value,
    ) -> anyhow::Result<Reply> {
        let request = self
            .http
            .request(method, path)
            .bearer_auth(self.token.expose());
        self.http.send(request.json(body)).await
    }
}

/// A member of staff, signed in with a passkey.
#[derive(Debug)]
pub(crate) struct Colleague {
    http: Http,
    /// First name.
    pub(crate) name: &'static str,
    passkey: SoftPasskey,
    session: String,
}

impl Colleague {
    /// Follows an invitation: registers a passkey, and is signed in.
    pub(crate) async fn join(
        http: &Http,
        name: &'static str,
        invitation: &str,
    ) -> anyhow::Result<Self> {
        let path = format!("/v1/invitations/{invitation}");
        let prompt = http
            .post(&format!("{path}/start"), &json!({}))
            .await?
            .good()?
            .json();
        let (passkey, credential) = SoftPasskey::create(options(&prompt), http.origin())?;
        let answer = json!({ "ceremony": text(&prompt, "ceremony"), "credential": credential, "name": "laptop" });
        let opened = http
            .post(&format!("{path}/finish"), &answer)
            .await?
            .good()
            .context("registering a passkey")?;
        Ok(Self {
            http: http.clone(),
            name,
            passkey,
            session: opened.field("token"),
        })
    }

    /// Signs in with the passkey. The answer carries the session's cookie.
    pub(crate) async fn sign_in(&mut self) -> anyhow::Result<Reply> {
        let prompt = self
            .http
            .post("/v1/sign-in/start", &json!({}))
            .await?
            .good()?
            .json();
        let credential = self.passkey.get(options(&prompt), self.http.origin())?;
        let answer = json!({ "ceremony": text(&prompt, "ceremony"), "credential": credential });
        let opened = self
            .http
            .post("/v1/sign-in/finish", &answer)
            .await?
            .good()
            .with_context(|| format!("{} could not sign in", self.name))?;
        self.session = opened.field("token");
        Ok(opened)
    }

    /// Reads something.
    pub(crate) async fn read(&mut self, path: &str) -> anyhow::Result<Reply> {
        self.ask(Method::GET, path, None).await
    }

    /// Asks for something; the answer may be a refusal.
    pub(crate) async fn post(&mut self, path: &str, body: &Value) -> anyhow::Result<Reply> {
        self.ask(Method::POST, path, Some(body)).await
    }

    /// Puts a whole document; the answer may be a refusal.
    pub(crate) async fn put(&mut self, path: &str, body: &Value) -> anyhow::Result<Reply> {
        self.ask(Method::PUT, path, Some(body)).await
    }

    /// Signs what stands at this address; `body` is what is said with it, at the start and at the end.
    pub(crate) async fn sign_at(&mut self, path: &str, body: &Value) -> anyhow::Result<Reply> {
        let begun = self.post(&format!("{path}/start"), body).await?;
        if !begun.is_good() {
            return Ok(begun);
        }
        let prompt = begun.json();
        let credential = self.passkey.get(options(&prompt), self.http.origin())?;
        let mut answer = body.clone();
        if let Some(answer) = answer.as_object_mut() {
            if answer.is_empty() {
                answer.insert("ceremony".to_owned(), text(&prompt, "ceremony").into());
            }
            answer.insert("credential".to_owned(), credential);
        }
        self.post(&format!("{path}/finish"), &answer).await
    }

    /// Signs a case: the passkey's signature is made over the digest of exactly this case.
    pub(crate) async fn sign(&mut self, case: &str) -> anyhow::Result<Reply> {
        let path = format!("/v1/cases/{case}/sign-off");
        let begun = self.post(&format!("{path}/start"), &json!({})).await?;
        if !begun.is_good() {
            return Ok(begun);
        }
        let prompt = begun.json();
        let credential = self.passkey.get(options(&prompt), self.http.origin())?;
        let answer = json!({ "ceremony": text(&prompt, "ceremony"), "credential": credential });
        self.post(&format!("{path}/finish"), &answer).await
    }

    /// Types something into the customer's page with the staff session, which is no seat.
    pub(crate) async fn type_for_customer(
        &mut self,
        way: &str,
        secret: &str,
    ) -> anyhow::Result<Reply> {
        let request = self
            .http
            .request(Method::POST, &format!("/c/prove/{way}"))
            .bearer_auth(&self.session)
            .header(header::COOKIE, format!("countersign={}", self.session));
        self.http.send(request.form(&[("secret", secret)])).await
    }

    async fn ask(
        &mut self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Reply> {
        let reply = self.ask_once(method.clone(), path, body).await?;
        if reply.status != 401 {
            return Ok(reply);
        }
        // The session ran out: the demo's clock is moved on by whole days.
        self.sign_in().await?;
        self.ask_once(method, path, body).await
    }

    async fn ask_once(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Reply> {
        let request = self.http.request(method, path).bearer_auth(&self.session);
        let request = match body {
            Some(body) => request.json(body),
            None => request,
        };
        self.http.send(request).await
    }
}

/// A browser: pages, forms and cookies.
#[derive(Debug)]
pub(crate) struct Browser {
    http: Http,
    cookies: BTreeMap<String, String>,
}

impl Browser {
    /// A new one.
    pub(crate) fn new(http: &Http) -> Self {
        Self {
            http: http.clone(),
            cookies: BTreeMap::new(),
        }
    }

    /// Opens a page and goes where it is sent.
    pub(crate) async fn open(&mut self, path: &str) -> anyhow::Result<Reply> {
        let mut path = path.to_owned();
        for _ in 0..8 {
            let reply = self.send(Method::GET, &path, None).await?;
            match reply.location {
                Some(next) if reply.status == 303 => path = next,
                _ => return Ok(reply),
            }
        }
        anyhow::bail!("sent from page to page without an end")
    }

    /// Sends a form, and goes nowhere after it.
    pub(crate) async fn submit(
        &mut self,
        path: &str,
        fields: &[(&str, &str)],
    ) -> anyhow::Result<Reply> {
        self.send(Method::POST, path, Some(fields)).await
    }

    /// Posts JSON, as the script of a page does.
    pub(crate) async fn submit_json(&mut self, path: &str, body: &Value) -> anyhow::Result<Reply> {
        let request = self.request(Method::POST, path).json(body);
        self.finish(request).await
    }

    async fn send(
        &mut self,
        method: Method,
        path: &str,
        fields: Option<&[(&str, &str)]>,
    ) -> anyhow::Result<Reply> {
        let mut request = self.request(method, path);
        if let Some(fields) = fields {
            request = request.form(fields);
        }
        self.finish(request).await
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let origin = (method != Method::GET).then(|| self.http.origin());
        let request = self
            .http
            .request(method, path)
            .header(header::COOKIE, cookies.join("; "));
        match origin {
            Some(origin) => request.header(header::ORIGIN, origin),
            None => request,
        }
    }

    async fn finish(&mut self, request: RequestBuilder) -> anyhow::Result<Reply> {
        let reply = self.http.send(request).await?;
        for cookie in &reply.cookies {
            let pair = cookie.split(';').next().unwrap_or_default();
            let Some((name, value)) = pair.split_once('=') else {
                continue;
            };
            if value.is_empty() {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        Ok(reply)
    }
}

/// The value of a hidden field of a form.
pub(crate) fn hidden<'a>(html: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = html.split_once(&format!("name=\"{name}\" value=\""))?;
    rest.split('"').next()
}

/// What the page of a passkey prompt hands to the browser.
pub(crate) fn options(prompt: &Value) -> &Value {
    prompt.get("publicKey").unwrap_or(&Value::Null)
}
