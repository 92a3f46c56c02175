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
    sync::{Arc, Mutex},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use common::{
    Gate, Installation, countersign, said,
    site::{Acked, Backend, Site, note},
};
use countersign_ledger::{
    Checkpoint, TilePath, VerifierKey, consistency_proof, tiles_for_consistency, verify_consistency,
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

/// Clients at the same time.
const CLIENTS: u64 = 4;
/// The longest a gate lives, in ms.
const LIFE_MS_MAX: u64 = 400;
/// How many of the older acknowledgements are looked at again in each round.
const LOOKED_AT_AGAIN: usize = 8;

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
    let installation = Installation::with(&backend);
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
        still_there(site, acked).await;
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

/// What was acknowledged is there, as it was acknowledged.
async fn still_there(site: &Site, acked: &Acked) {
    match acked {
        Acked::Customer { id, name } => {
            let (status, customer) = site
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
            let found = site.case(case).await;
            assert_eq!(found["digest"], json!(digest), "{found}");
            // The same request again is the same case, and no second one.
            let (status, again) = site
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
            let found = site.case(case).await;
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
