//! A gate as its clients see it: the company's panel, a customer's browser, and the backend.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Json, Router,
    extract::{Path, State},
    http::HeaderMap,
    routing::{get, post},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use countersign_grant::Bundle;
use countersign_ledger::{TlogProof, VerifierKey};
use countersign_service::adapters::{
    dice::SystemDice,
    http::install_tls_provider,
    secrets::{HashCost, HashLimits, Secret, SecretHasher},
};
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};

use super::{Gate, Installation};

/// One action, one path, one proof.
pub(crate) const PROCEDURE: &str = r#"organisation "Acme Hosting"
staff agent  "support agent"
staff senior "senior support agent" includes agent
secret pin "support PIN" using pin
action note.add "Add a note" {
  with text "the note"
  says "Add the note {text}"
  runs panel
  path usual { prove pin }
}
"#;

/// What a client was told had happened.
#[derive(Debug, Clone)]
pub(crate) enum Acked {
    /// A customer was put under this name.
    Customer { id: String, name: String },
    /// A case was opened.
    Opened {
        customer: String,
        key: String,
        case: String,
        digest: String,
    },
    /// The customer proved and confirmed; the gate said "see the last page".
    Confirmed { case: String },
}

/// A gate as its clients see it.
#[derive(Debug, Clone)]
pub(crate) struct Site {
    pub(crate) client: Client,
    pub(crate) url: String,
    pub(crate) token: String,
    pub(crate) key: VerifierKey,
    /// Of `4711`: the company puts it hashed, and cheaply, so that the load is not all hashing.
    pub(crate) pin_hash: String,
    /// Requests answered with 5xx: not served, and nothing acknowledged.
    turned_away: Arc<AtomicUsize>,
}

impl Site {
    pub(crate) async fn new(gate: &Gate, installation: &Installation) -> Self {
        Self::at(&gate.url, installation).await
    }

    pub(crate) async fn at(url: &str, installation: &Installation) -> Self {
        install_tls_provider();
        let client = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_secs(10))
            .build()
            .unwrap();
        let known: Value = client
            .get(format!("{url}/.well-known/countersign"))
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        let key = known["ledger"]["key"].as_str().unwrap().parse().unwrap();
        Self {
            client,
            url: url.to_owned(),
            token: installation.read("keys/panel.token"),
            key,
            pin_hash: pin_hash().await,
            turned_away: Arc::default(),
        }
    }

    /// A customer is put, asks, proves and confirms. Tells what was acknowledged; gives the case and the
    /// customer's cookie, or `None` where the gate is gone or turns somebody away.
    pub(crate) async fn whole_case(
        &self,
        id: &str,
        tell: impl Fn(Acked),
    ) -> Option<(String, String)> {
        let name = format!("Customer {id}");
        let put = json!({ "name": name, "number": id });
        let (status, answer) = self
            .api(Method::PUT, &format!("/v1/customers/{id}"), None, &put)
            .await?;
        assert_eq!(status, StatusCode::CREATED, "{answer}");
        tell(Acked::Customer {
            id: id.to_owned(),
            name,
        });

        let (status, answer) = self
            .api(
                Method::PUT,
                &format!("/v1/customers/{id}/holdings/pin"),
                None,
                &json!({ "pin_hash": self.pin_hash }),
            )
            .await?;
        assert!(status.is_success(), "{answer}");

        let key = format!("key-{id}");
        let (status, opened) = self
            .api(Method::POST, "/v1/cases", Some(&key), &note(id))
            .await?;
        assert_eq!(status, StatusCode::CREATED, "{opened}");
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let (case, digest) = (text(&opened["id"]), text(&opened["digest"]));
        tell(Acked::Opened {
            customer: id.to_owned(),
            key,
            case: case.clone(),
            digest: digest.clone(),
        });

        let link = text(&opened["link"]["url"]);
        let path = &link[link.find("/c/").unwrap()..];
        let (_, link) = self.page(Method::GET, path, "", "").await?;
        let (_, seat) = self.page(Method::POST, "/c/yes", &link, "").await?;
        let (status, _) = self
            .page(Method::POST, "/c/prove/pin", &seat, "secret=4711")
            .await?;
        assert_eq!(status, StatusCode::SEE_OTHER, "the PIN of {id}");
        let (status, _) = self
            .page(
                Method::POST,
                "/c/confirm",
                &seat,
                &format!("digest={digest}"),
            )
            .await?;
        assert_eq!(status, StatusCode::SEE_OTHER, "the confirmation of {id}");
        tell(Acked::Confirmed { case: case.clone() });
        Some((case, seat))
    }

    pub(crate) async fn case(&self, case: &str) -> Value {
        let (status, found) = self
            .api(
                Method::GET,
                &format!("/v1/cases/{case}"),
                None,
                &Value::Null,
            )
            .await
            .unwrap();
        assert_eq!(status, StatusCode::OK, "{found}");
        found
    }

    /// As the company's panel; `None` if there is no whole answer.
    pub(crate) async fn api(
        &self,
        method: Method,
        path: &str,
        key: Option<&str>,
        body: &Value,
    ) -> Option<(StatusCode, Value)> {
        let mut request = self
            .client
            .request(method, format!("{}{path}", self.url))
            .bearer_auth(&self.token);
        if !body.is_null() {
            request = request.json(body);
        }
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        let response = request.send().await.ok()?;
        let status = self.served(response.status())?;
        let text = response.text().await.ok()?;
        Some((status, serde_json::from_str(&text).unwrap_or(Value::Null)))
    }

    /// As the customer's browser: the cookie that the answer sets, or else the one that was sent.
    pub(crate) async fn page(
        &self,
        method: Method,
        path: &str,
        cookie: &str,
        form: &str,
    ) -> Option<(StatusCode, String)> {
        let mut request = self
            .client
            .request(method.clone(), format!("{}{path}", self.url))
            .header("cookie", cookie);
        if method == Method::POST {
            request = request
                .header("content-type", "application/x-www-form-urlencoded")
                .body(form.to_owned());
        }
        let response = request.send().await.ok()?;
        self.served(response.status())?;
        let set = response
            .headers()
            .get_all("set-cookie")
            .iter()
            .filter_map(|set| set.to_str().ok());
        let set = set
            .filter_map(|set| set.split(';').next())
            .find(|pair| !pair.ends_with('='));
        Some((response.status(), set.unwrap_or(cookie).to_owned()))
    }

    /// How many requests were answered with 5xx.
    pub(crate) fn turned_away(&self) -> usize {
        self.turned_away.load(Ordering::Relaxed)
    }

    fn served(&self, status: StatusCode) -> Option<StatusCode> {
        if status.is_server_error() {
            self.turned_away.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        Some(status)
    }

    /// The receipt of a case, as its customer downloads it.
    pub(crate) async fn receipt(&self, case: &str, seat: &str) -> String {
        let asked = self
            .client
            .get(format!("{}/c/receipts/{case}/json", self.url))
            .header("cookie", seat);
        asked.send().await.unwrap().text().await.unwrap()
    }

    pub(crate) async fn text(&self, path: &str) -> Option<(StatusCode, String)> {
        let response = self
            .client
            .get(format!("{}{path}", self.url))
            .send()
            .await
            .ok()?;
        Some((response.status(), response.text().await.ok()?))
    }

    pub(crate) async fn bytes(&self, path: &str) -> Vec<u8> {
        let response = self
            .client
            .get(format!("{}{path}", self.url))
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        response.bytes().await.unwrap().to_vec()
    }
}

pub(crate) fn note(customer: &str) -> Value {
    json!({ "customer": customer, "action": "note.add", "parameters": { "text": format!("about {customer}") } })
}

/// The company's backend: it does what it is handed, and writes down how often.
#[derive(Debug, Clone)]
pub(crate) struct Backend {
    pub(crate) url: String,
    pub(crate) runs: Arc<Mutex<BTreeMap<String, Run>>>,
}

#[derive(Debug, Clone)]
pub(crate) struct Run {
    pub(crate) times: u32,
    /// In the proof that came with the grant.
    pub(crate) checkpoint: String,
    /// The trace that the request belongs to, if it says so.
    pub(crate) traceparent: Option<String>,
}

impl Backend {
    pub(crate) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let backend = Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            runs: Arc::default(),
        };
        let router = Router::new()
            .route("/countersign/run", post(Self::run))
            .route("/countersign/status/{jti}", get(Self::status))
            .with_state(backend.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        backend
    }

    pub(crate) fn books(&self) -> MutexGuard<'_, BTreeMap<String, Run>> {
        self.runs.lock().unwrap()
    }

    #[expect(clippy::unused_async, reason = "axum wants a future")]
    async fn run(
        State(backend): State<Self>,
        headers: HeaderMap,
        Json(bundle): Json<Bundle>,
    ) -> Json<Value> {
        let claims = URL_SAFE_NO_PAD
            .decode(bundle.grant.split('.').nth(1).unwrap())
            .unwrap();
        let claims: Value = serde_json::from_slice(&claims).unwrap();
        let proof: TlogProof = bundle.proof.parse().unwrap();
        let mut runs = backend.books();
        let run = runs
            .entry(claims["jti"].as_str().unwrap().to_owned())
            .or_insert(Run {
                times: 0,
                checkpoint: proof.checkpoint,
                traceparent: headers
                    .get("traceparent")
                    .map(|value| value.to_str().unwrap().to_owned()),
            });
        run.times += 1;
        Json(json!({ "outcome": "done" }))
    }

    #[expect(clippy::unused_async, reason = "axum wants a future")]
    async fn status(State(backend): State<Self>, Path(jti): Path<String>) -> Json<Value> {
        let outcome = if backend.books().contains_key(&jti) {
            "done"
        } else {
            "never_seen"
        };
        Json(json!({ "outcome": outcome }))
    }
}

async fn pin_hash() -> String {
    let dice = Arc::new(SystemDice);
    let cost = HashCost::cheap_for_tests();
    let hasher = SecretHasher::with_cost(cost, None, HashLimits::default(), dice).unwrap();
    hasher.hash("anybody", &Secret::new("4711")).await.unwrap()
}

impl Installation {
    /// With [`PROCEDURE`] and this backend, quiet, and without a limit on answers.
    pub(crate) fn with(backend: &Backend) -> Self {
        let installation = Self::new();
        std::fs::write(installation.path("hosting.procedure"), PROCEDURE).unwrap();
        installation.edit("http://localhost:4181", &backend.url);
        installation.edit(
            "may = [\"panel\", \"customers\"]",
            "may = [\"panel\", \"customers\", \"read\"]",
        );
        installation.append("[limits]\nanswers_per_minute = 10000\n[log]\nlevel = \"error\"");
        installation
    }
}
