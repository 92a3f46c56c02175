//! Kill -9 at random moments under load, then an audit of everything that was acknowledged.
//!
//! The real program on a real installation, driven over HTTP: customers are
//! put, cases opened, PINs proved, sentences confirmed, and grants carried to
//! a backend that keeps its own books. After every kill the gate is started
//! again on the same database and held against what it had said.
//!
//! `CRASHES=200` sets how often (default 10), `CRASH_SEED` repeats the moments of a run.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "helpers of tests, which clippy does not see as tests"
)]

mod common;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use axum::{
    Json, Router,
    extract::{Path, State},
    routing::{get, post},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use common::{Gate, Installation, countersign, said};
use countersign_grant::Bundle;
use countersign_ledger::{
    Checkpoint, TilePath, TlogProof, VerifierKey, consistency_proof, tiles_for_consistency,
    verify_consistency,
};
use countersign_service::adapters::{
    dice::SystemDice,
    http::install_tls_provider,
    secrets::{HashCost, HashLimits, Secret, SecretHasher},
};
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};

/// Clients at the same time.
const CLIENTS: u64 = 4;
/// The longest a gate lives, in ms.
const LIFE_MS_MAX: u64 = 400;
/// How many of the older acknowledgements are looked at again in each round.
const LOOKED_AT_AGAIN: usize = 8;

const PROCEDURE: &str = r#"organisation "Acme Hosting"
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_by_kill_9() {
    let crashes: u64 = number("CRASHES").unwrap_or(10);
    let seed = number("CRASH_SEED").unwrap_or_else(|| {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        u64::from(since.subsec_nanos()) ^ since.as_secs()
    });
    println!("CRASH_SEED={seed} CRASHES={crashes}");
    let mut dice = seed;

    let backend = Backend::start().await;
    let installation = Installation::new();
    std::fs::write(installation.path("hosting.procedure"), PROCEDURE).unwrap();
    installation.edit("http://localhost:4181", &backend.url);
    installation.edit(
        "may = [\"panel\", \"customers\"]",
        "may = [\"panel\", \"customers\", \"read\"]",
    );
    installation.append("[limits]\nanswers_per_minute = 10000\n[log]\nlevel = \"error\"");
    let mut books = Books::default();

    for round in 0..crashes {
        let gate = installation.serve(&[]);
        let site = Site::new(&gate, &installation).await;
        audit(&site, &mut books, &installation, &gate).await;
        load(
            &site,
            round,
            gate,
            &backend,
            &mut books,
            random(&mut dice, LIFE_MS_MAX),
        )
        .await;
    }
    let gate = installation.serve(&[]);
    let site = Site::new(&gate, &installation).await;
    audit(&site, &mut books, &installation, &gate).await;
    let (_, code) = gate.end();
    assert_eq!(code, 0, "it ends well when it is asked to");
    let done = books
        .all
        .iter()
        .filter(|acked| matches!(acked, Acked::Confirmed { .. }))
        .count();
    println!(
        "{} acknowledgements, {done} whole cases, {} grants, {} checkpoints",
        books.all.len(),
        backend.books().len(),
        books.checkpoints.len()
    );
    assert!(!books.all.is_empty(), "the load must do something");
}

/// What a client was told had happened.
#[derive(Debug, Clone)]
enum Acked {
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

/// Everything that was ever acknowledged, and every root that was ever shown.
#[derive(Debug, Default)]
struct Books {
    all: Vec<Acked>,
    /// How many of them were looked at after a kill.
    audited: usize,
    checkpoints: BTreeMap<u64, Checkpoint>,
    /// Sizes seen since the last audit.
    fresh: Vec<u64>,
}

impl Books {
    /// Two roots of one size, and the ledger is worth nothing.
    fn saw(&mut self, note: &str, key: &VerifierKey) {
        let checkpoint = Checkpoint::verify(note, key).expect("a checkpoint that verifies");
        let size = checkpoint.size;
        if let Some(earlier) = self.checkpoints.insert(size, checkpoint.clone()) {
            assert_eq!(
                earlier, checkpoint,
                "two checkpoints of size {size} contradict"
            );
        } else {
            self.fresh.push(size);
        }
    }
}

/// Drives the gate until it is killed, `life_ms` after the load began.
async fn load(
    site: &Site,
    round: u64,
    gate: Gate,
    backend: &Backend,
    books: &mut Books,
    life_ms: u64,
) {
    let heard: Arc<Mutex<(Vec<Acked>, Vec<String>)>> = Arc::default();
    let mut clients = Vec::new();
    for client in 0..CLIENTS {
        let (site, heard) = (site.clone(), Arc::clone(&heard));
        clients.push(tokio::spawn(async move {
            for turn in 0.. {
                let id = format!("r{round}-c{client}-t{turn}");
                let tell = |acked| heard.lock().unwrap().0.push(acked);
                // An error means that the gate is gone.
                if site.whole_case(&id, tell).await.is_none() {
                    return;
                }
            }
        }));
    }
    let (watching, notes) = (site.clone(), Arc::clone(&heard));
    clients.push(tokio::spawn(async move {
        while let Some((StatusCode::OK, note)) = watching.text("/ledger/checkpoint").await {
            notes.lock().unwrap().1.push(note);
        }
    }));
    tokio::time::sleep(Duration::from_millis(life_ms)).await;
    gate.kill();
    for client in clients {
        client.await.unwrap();
    }
    let (acked, notes) = std::mem::take(&mut *heard.lock().unwrap());
    books.all.extend(acked);
    for note in notes {
        books.saw(&note, &site.key);
    }
    for run in backend.books().values() {
        assert_eq!(
            run.times, 1,
            "a grant reached the backend {} times",
            run.times
        );
        books.saw(&run.checkpoint, &site.key);
    }
}

/// Holds a gate that was just started against everything that was ever acknowledged.
async fn audit(site: &Site, books: &mut Books, installation: &Installation, gate: &Gate) {
    // A second program on the same file.
    let (_, complaint, code) = said(&countersign(&["serve", "--config", &installation.config()]));
    assert_eq!(code, 2, "{complaint}");
    assert!(
        complaint.contains("in use by another program"),
        "{complaint}"
    );

    let step = (books.audited / LOOKED_AT_AGAIN).max(1);
    let older = books.all.iter().take(books.audited).step_by(step);
    for acked in older.chain(books.all.iter().skip(books.audited)) {
        site.still_there(acked).await;
    }
    books.audited = books.all.len();

    let (_, note) = site
        .text("/ledger/checkpoint")
        .await
        .expect("the gate answers");
    books.saw(&note, &site.key);
    let newest = Checkpoint::verify(&note, &site.key).unwrap();
    for size in std::mem::take(&mut books.fresh) {
        let earlier = &books.checkpoints[&size];
        assert!(size <= newest.size, "entry {size} was signed and is gone");
        let mut tiles = BTreeMap::new();
        for path in tiles_for_consistency(size, newest.size) {
            tiles.insert(path, site.bytes(&format!("/ledger/{path}")).await);
        }
        let proof = consistency_proof(size, newest.size, &|path: &TilePath| {
            tiles.get(path).cloned()
        })
        .unwrap();
        verify_consistency(size, newest.size, &earlier.root, &newest.root, &proof)
            .expect("the ledger only grows");
    }
    let verified = countersign(&[
        "ledger",
        "verify",
        &gate.url,
        "--key",
        &site.key.to_string(),
    ]);
    assert!(verified.status.success(), "{}", said(&verified).0);
}

/// A gate as its clients see it.
#[derive(Debug, Clone)]
struct Site {
    client: Client,
    url: String,
    token: String,
    key: VerifierKey,
    /// Of `4711`: the company puts it hashed, and cheaply, so that the load is not all hashing.
    pin_hash: String,
}

impl Site {
    async fn new(gate: &Gate, installation: &Installation) -> Self {
        install_tls_provider();
        let client = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_secs(10))
            .build()
            .unwrap();
        let known: Value = client
            .get(format!("{}/.well-known/countersign", gate.url))
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        let key = known["ledger"]["key"].as_str().unwrap().parse().unwrap();
        Self {
            client,
            url: gate.url.clone(),
            token: installation.read("keys/panel.token"),
            key,
            pin_hash: pin_hash().await,
        }
    }

    /// A customer is put, asks, proves and confirms. Tells what was acknowledged; `None` once the gate is gone.
    async fn whole_case(&self, id: &str, tell: impl Fn(Acked)) -> Option<()> {
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
        tell(Acked::Confirmed { case });
        Some(())
    }

    async fn still_there(&self, acked: &Acked) {
        match acked {
            Acked::Customer { id, name } => {
                let (status, customer) = self
                    .api(
                        Method::GET,
                        &format!("/v1/customers/{id}"),
                        None,
                        &Value::Null,
                    )
                    .await
                    .unwrap();
                assert_eq!(
                    (status, customer["name"].as_str()),
                    (StatusCode::OK, Some(name.as_str())),
                    "{customer}"
                );
            }
            Acked::Opened {
                customer,
                key,
                case,
                digest,
            } => {
                let found = self.case(case).await;
                assert_eq!(found["digest"], json!(digest), "{found}");
                // The same request again is the same case, and no second one.
                let (status, again) = self
                    .api(Method::POST, "/v1/cases", Some(key), &note(customer))
                    .await
                    .unwrap();
                assert_eq!(
                    (status, &again["id"]),
                    (StatusCode::CREATED, &json!(case)),
                    "{again}"
                );
            }
            Acked::Confirmed { case } => {
                let found = self.case(case).await;
                let kinds: Vec<&str> = found["timeline"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .filter_map(|entry| entry["kind"].as_str())
                    .collect();
                assert!(
                    kinds.contains(&"proved") && kinds.contains(&"confirmed"),
                    "{found}"
                );
            }
        }
    }

    async fn case(&self, case: &str) -> Value {
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
    async fn api(
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
        let status = response.status();
        let text = response.text().await.ok()?;
        Some((status, serde_json::from_str(&text).unwrap_or(Value::Null)))
    }

    /// As the customer's browser: the cookie that the answer sets, or else the one that was sent.
    async fn page(
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

    async fn text(&self, path: &str) -> Option<(StatusCode, String)> {
        let response = self
            .client
            .get(format!("{}{path}", self.url))
            .send()
            .await
            .ok()?;
        Some((response.status(), response.text().await.ok()?))
    }

    async fn bytes(&self, path: &str) -> Vec<u8> {
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

fn note(customer: &str) -> Value {
    json!({ "customer": customer, "action": "note.add", "parameters": { "text": format!("about {customer}") } })
}

/// The company's backend: it does what it is handed, and writes down how often.
#[derive(Debug, Clone)]
struct Backend {
    url: String,
    runs: Arc<Mutex<BTreeMap<String, Run>>>,
}

#[derive(Debug, Clone)]
struct Run {
    times: u32,
    /// In the proof that came with the grant.
    checkpoint: String,
}

impl Backend {
    async fn start() -> Self {
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

    fn books(&self) -> MutexGuard<'_, BTreeMap<String, Run>> {
        self.runs.lock().unwrap()
    }

    async fn run(State(backend): State<Self>, Json(bundle): Json<Bundle>) -> Json<Value> {
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
            });
        run.times += 1;
        Json(json!({ "outcome": "done" }))
    }

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
    hasher.hash(&Secret::new("4711")).await.unwrap()
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name)
        .ok()
        .map(|text| text.parse().expect("a number"))
}

/// splitmix64, below `bound`.
fn random(state: &mut u64, bound: u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (z ^ (z >> 31)) % bound
}
