//! Whoever speaks HTTP to the gate: a browser with cookies and passkeys, or a program with a token.

use std::collections::BTreeMap;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, header};
use countersign_service::adapters::soft_passkey::SoftPasskey;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::html::{self, Form};
use super::{HOST, ORIGIN};

/// One visitor.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    router: Router,
    /// What the browser keeps.
    pub(crate) cookies: BTreeMap<String, String>,
    /// What a program sends.
    pub(crate) token: Option<String>,
    /// The network it comes from.
    pub(crate) peer: Option<std::net::SocketAddr>,
    /// What the browser says its owner reads.
    pub(crate) accept_language: Option<&'static str>,
}

/// What came back.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) status: u16,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Vec<u8>,
}

impl Client {
    pub(crate) fn new(router: Router) -> Self {
        Self {
            router,
            cookies: BTreeMap::new(),
            token: None,
            peer: None,
            accept_language: None,
        }
    }

    pub(crate) fn with_token(router: Router, token: &str) -> Self {
        Self {
            token: Some(token.to_owned()),
            ..Self::new(router)
        }
    }

    /// The gate was started again; cookies stay.
    pub(crate) fn moves_to(&mut self, router: &Router) {
        self.router = router.clone();
    }

    /// One request, exactly as given beside cookies and token; keeps the cookies that come back.
    pub(crate) async fn send(&mut self, request: Request<Body>) -> Seen {
        let path = request
            .uri()
            .path_and_query()
            .map_or_else(String::new, ToString::to_string);
        let head = request.method() == Method::HEAD;
        let response = self.begin(request).await;
        for cookie in response.headers().get_all(header::SET_COOKIE) {
            self.keep(cookie.to_str().unwrap());
        }
        let (parts, body) = response.into_parts();
        let seen = Seen {
            status: parts.status.as_u16(),
            path,
            headers: parts.headers,
            bytes: axum::body::to_bytes(body, 4 << 20).await.unwrap().to_vec(),
        };
        seen.keeps_the_rules(head);
        seen
    }

    /// The answer before its body was read: for streams.
    pub(crate) async fn begin(&mut self, mut request: Request<Body>) -> axum::response::Response {
        let headers = request.headers_mut();
        headers.insert(header::HOST, HOST.parse().unwrap());
        if !self.cookies.is_empty() {
            let cookies: Vec<String> = self
                .cookies
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            headers.insert(header::COOKIE, cookies.join("; ").parse().unwrap());
        }
        if let Some(accepted) = self.accept_language {
            headers.insert(
                header::ACCEPT_LANGUAGE,
                header::HeaderValue::from_bytes(accepted.as_bytes()).unwrap(),
            );
        }
        if let Some(token) = &self.token {
            headers
                .entry(header::AUTHORIZATION)
                .or_insert(format!("Bearer {token}").parse().unwrap());
        }
        if let Some(peer) = self.peer {
            request
                .extensions_mut()
                .insert(axum::extract::ConnectInfo(peer));
        }
        self.router.clone().oneshot(request).await.unwrap()
    }

    fn keep(&mut self, cookie: &str) {
        let (pair, attributes) = cookie.split_once("; ").unwrap();
        let (name, value) = pair.split_once('=').unwrap();
        let panel = name == "__Host-countersign-panel";
        let same_site = if panel {
            "SameSite=None"
        } else {
            "SameSite=Lax"
        };
        assert_eq!(attributes.contains("Partitioned"), panel, "{cookie}");
        for wanted in ["Path=/", "HttpOnly", same_site, "Secure"] {
            assert!(
                attributes.split("; ").any(|one| one == wanted),
                "{wanted} is missing: {cookie}"
            );
        }
        assert!(!attributes.contains("Domain"), "{cookie}");
        if attributes.contains("Max-Age=0") {
            self.cookies.remove(name);
        } else {
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
    }

    /// `GET` as a browser that follows a link, and where that leads.
    pub(crate) async fn get(&mut self, path: &str) -> Seen {
        let mut path = path.to_owned();
        for _ in 0..6 {
            let seen = self.look(&path).await;
            match seen.location() {
                Some(next) if seen.status == 303 => path = next,
                _ => return seen,
            }
        }
        panic!("{path} leads nowhere");
    }

    /// `GET` without following.
    pub(crate) async fn look(&mut self, path: &str) -> Seen {
        let request = Request::builder()
            .uri(path)
            .header(header::ACCEPT, "text/html,application/xhtml+xml;q=0.9")
            .header("sec-fetch-site", "same-origin")
            .body(Body::empty())
            .unwrap();
        self.send(request).await
    }

    /// Posts fields as a form of our own pages does, without following.
    pub(crate) async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Seen {
        let request = Request::post(path)
            .header(header::ACCEPT, "text/html,application/xhtml+xml;q=0.9")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            // What browsers send under `Referrer-Policy: no-referrer` (Fetch §4.6).
            .header(header::ORIGIN, "null")
            .header("sec-fetch-site", "same-origin")
            .body(Body::from(serde_urlencoded::to_string(fields).unwrap()))
            .unwrap();
        self.send(request).await
    }

    /// Fills in a form of the page and presses the button that says this; and where that leads.
    pub(crate) async fn press(
        &mut self,
        page: &Seen,
        button: &str,
        filled: &[(&str, &str)],
    ) -> Seen {
        let seen = self.press_once(page, button, filled).await;
        match seen.location() {
            Some(next) if seen.status == 303 => self.get(&next).await,
            _ => seen,
        }
    }

    /// The same without following.
    pub(crate) async fn press_once(
        &mut self,
        page: &Seen,
        button: &str,
        filled: &[(&str, &str)],
    ) -> Seen {
        let form = page.form(button);
        let fields = form.filled(filled);
        let fields: Vec<(&str, &str)> = fields
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        if form.method == "get" {
            let query = serde_urlencoded::to_string(&fields).unwrap();
            return self.look(&format!("{}?{query}", form.action)).await;
        }
        assert_eq!(form.method, "post", "{form:?}");
        self.post(&form.action, &fields).await
    }

    /// Follows the link that says this.
    pub(crate) async fn follow(&mut self, page: &Seen, link: &str) -> Seen {
        let href = page.link(link);
        self.get(&href).await
    }

    /// Does what the page's script does with its passkey form: start, device, finish, go on.
    pub(crate) async fn use_passkey(&mut self, page: &Seen, passkey: &mut SoftPasskey) -> Seen {
        let form = page.passkey_form();
        let begun = self.script(&form.data["start"], &form.as_json()).await;
        assert_eq!(begun.status, 200, "{}", begun.text());
        let credential = passkey
            .get(&begun.json()["publicKey"], ORIGIN)
            .expect("the device answers");
        self.finish_passkey(&form, &begun, &credential).await
    }

    /// The same with a form that makes a new passkey.
    pub(crate) async fn make_passkey(&mut self, page: &Seen, name: &str) -> (Seen, SoftPasskey) {
        let mut form = page.passkey_form();
        form.fields = form.filled(&[("name", name)]);
        let begun = self.script(&form.data["start"], &form.as_json()).await;
        assert_eq!(begun.status, 200, "{}", begun.text());
        let (passkey, credential) =
            SoftPasskey::create(&begun.json()["publicKey"], ORIGIN).unwrap();
        (
            self.finish_passkey(&form, &begun, &credential).await,
            passkey,
        )
    }

    pub(crate) async fn finish_passkey(
        &mut self,
        form: &Form,
        begun: &Seen,
        credential: &Value,
    ) -> Seen {
        let mut answer = form.as_json();
        answer["ceremony"] = begun.json()["ceremony"].clone();
        answer["credential"] = credential.clone();
        let finished = self.script(&form.data["finish"], &answer).await;
        match finished.json()["location"].as_str() {
            Some(location) if finished.status == 200 => self.get(location).await,
            _ => finished,
        }
    }

    /// A `fetch` of our own scripts.
    pub(crate) async fn script(&mut self, path: &str, body: &Value) -> Seen {
        let request = Request::post(path)
            .header(header::ACCEPT, "application/json")
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ORIGIN, ORIGIN)
            .header("sec-fetch-site", "same-origin")
            .body(Body::from(body.to_string()))
            .unwrap();
        self.send(request).await
    }

    /// A request of a program.
    pub(crate) async fn call(&mut self, method: &str, path: &str, body: &Value) -> Seen {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::ACCEPT, "application/json")
            .header(header::CONTENT_TYPE, "application/json");
        let body = if body.is_null() {
            Body::empty()
        } else {
            Body::from(body.to_string())
        };
        self.send(request.body(body).unwrap()).await
    }

    /// `GET` of a program.
    pub(crate) async fn read(&mut self, path: &str) -> Seen {
        self.call("GET", path, &Value::Null).await
    }
}

impl Form {
    /// Its fields with these filled in; a person cannot fill in what is not there.
    pub(crate) fn filled(&self, filled: &[(&str, &str)]) -> Vec<(String, String)> {
        let mut fields = self.fields.clone();
        for (name, value) in filled {
            assert!(
                self.names.iter().any(|known| known == name),
                "there is no field `{name}` in {self:?}"
            );
            fields.retain(|(known, _)| known != name);
            fields.push(((*name).to_owned(), (*value).to_owned()));
        }
        fields
    }

    fn as_json(&self) -> Value {
        let fields: serde_json::Map<String, Value> = self
            .fields
            .iter()
            .map(|(name, value)| (name.clone(), json!(value)))
            .collect();
        Value::Object(fields)
    }
}

impl Seen {
    pub(crate) fn body(&self) -> &str {
        std::str::from_utf8(&self.bytes).unwrap()
    }

    pub(crate) fn location(&self) -> Option<String> {
        Some(
            self.headers
                .get(header::LOCATION)?
                .to_str()
                .unwrap()
                .to_owned(),
        )
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    /// Somebody may put it into a frame.
    pub(crate) fn is_framed(&self) -> bool {
        self.header("content-security-policy")
            .contains("frame-ancestors http")
    }

    fn path_alone(&self) -> String {
        self.path.split('?').next().unwrap().to_owned()
    }

    pub(crate) fn is_page(&self) -> bool {
        self.header("content-type").starts_with("text/html")
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_default()
    }

    /// The stable word of a problem document.
    pub(crate) fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    /// The field a problem document names.
    pub(crate) fn field(&self) -> String {
        self.json()["errors"][0]["field"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    pub(crate) fn text(&self) -> String {
        if self.is_page() {
            html::text(self.body())
        } else {
            self.body().to_owned()
        }
    }

    pub(crate) fn h1(&self) -> String {
        html::elements(self.body(), "h1").join(" / ")
    }

    /// The words card, character for character.
    pub(crate) fn words(&self) -> String {
        html::of_class(self.body(), "words")
            .into_iter()
            .next()
            .unwrap_or_else(|| panic!("no words on {}: {}", self.path, self.text()))
    }

    /// The form with this button.
    pub(crate) fn form(&self, button: &str) -> Form {
        html::forms(self.body())
            .into_iter()
            .find(|form| form.buttons.iter().any(|own| own.starts_with(button)))
            .unwrap_or_else(|| panic!("no button `{button}` on {}: {}", self.path, self.text()))
    }

    pub(crate) fn has_button(&self, button: &str) -> bool {
        html::forms(self.body())
            .iter()
            .any(|form| form.buttons.iter().any(|own| own.starts_with(button)))
    }

    pub(crate) fn passkey_form(&self) -> Form {
        html::forms(self.body())
            .into_iter()
            .find(|form| form.data.contains_key("passkey"))
            .unwrap_or_else(|| panic!("no passkey form on {}: {}", self.path, self.text()))
    }

    /// Where the link that says this goes; always somewhere in the gate or back to the panel.
    pub(crate) fn link(&self, says: &str) -> String {
        let links = html::links(self.body());
        links
            .iter()
            .find(|(text, _)| text.starts_with(says))
            .map_or_else(
                || panic!("no link `{says}` on {}: {links:?}", self.path),
                |(_, href)| href.clone(),
            )
    }

    /// Where the link goes whose words hold this.
    pub(crate) fn link_with(&self, says: &str) -> String {
        let links = html::links(self.body());
        links
            .iter()
            .find(|(text, _)| text.contains(says))
            .map_or_else(
                || panic!("no link with `{says}` on {}: {links:?}", self.path),
                |(_, href)| href.clone(),
            )
    }

    /// What every answer keeps to.
    fn keeps_the_rules(&self, head: bool) {
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            (
                "x-frame-options",
                if self.is_framed() { "" } else { "DENY" },
            ),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
            (
                "strict-transport-security",
                "max-age=63072000; includeSubDomains",
            ),
        ] {
            assert_eq!(self.header(name), value, "{name} on {}", self.path);
        }
        let policy = self.header("content-security-policy");
        for part in [
            "default-src 'none'",
            "frame-ancestors ",
            "base-uri 'none'",
            "form-action 'self'",
            "require-trusted-types-for 'script'",
        ] {
            assert!(policy.contains(part), "{part} on {}", self.path);
        }
        assert!(!policy.contains("unsafe"), "{policy}");
        assert!(
            self.is_framed() || policy.contains("frame-ancestors 'none'"),
            "{policy}"
        );
        assert!(
            !self.is_framed() || countersign_web::site::panel::is_framed(&self.path_alone()),
            "{} may be framed",
            self.path
        );
        assert_ne!(self.status, 500, "{}: {}", self.path, self.text());
        let public = ["/assets/", "/ledger/", "/.well-known/", "/openapi.json"];
        let path = self.path_alone();
        let status = ["/status", "/status/feed.atom", "/v1/status"].contains(&path.as_str())
            || path.starts_with("/status/IN-");
        if status && self.status < 400 {
            assert_eq!(self.header("cache-control"), "public, max-age=60");
        } else if !public.iter().any(|path| self.path.starts_with(path)) || self.status >= 400 {
            assert_eq!(self.header("cache-control"), "no-store", "{}", self.path);
        }
        if self.is_page() && !head {
            assert_eq!(
                html::elements(self.body(), "h1").len(),
                1,
                "headings of {}: {}",
                self.path,
                self.text()
            );
            assert!(!self.h1().is_empty(), "{}", self.path);
            let lower = self.body().to_lowercase();
            assert!(
                !lower.contains("<script>")
                    && !lower.contains(" style=")
                    && !lower.contains(" onclick="),
                "{}",
                self.path
            );
            for form in html::forms(self.body()) {
                assert!(
                    form.action.starts_with('/') && !form.action.starts_with("//"),
                    "{form:?}"
                );
                assert!(
                    form.method == "post"
                        || ["/customers", "/audit", "/statistics"].contains(&form.action.as_str())
                        || form.action.starts_with("/procedures/")
                        // Filters: the address is the state, and names nobody but by the company's own numbers.
                        || form.action == "/audit"
                        || form.action == "/statistics"
                        || form.action.starts_with("/cases/new/"),
                    "{form:?}"
                );
            }
        }
        if self.header("content-type") == "application/problem+json" && !head {
            let problem = self.json();
            let code = problem["code"].as_str().expect("a code");
            assert_eq!(problem["type"], format!("/problems/{code}"));
            assert_eq!(problem["status"], self.status);
            assert!(
                problem["title"]
                    .as_str()
                    .is_some_and(|title| !title.is_empty())
            );
        }
    }
}
