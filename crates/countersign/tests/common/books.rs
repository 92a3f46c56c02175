//! What was acknowledged while something broke, and an audit that holds a gate against it.

#![expect(
    clippy::print_stdout,
    reason = "a seed and a summary, for whoever reads the test's output"
)]

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use countersign_ledger::{
    Checkpoint, TilePath, VerifierKey, consistency_proof, tiles_for_consistency, verify_consistency,
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::{
    Gate, countersign, said,
    site::{Acked, Backend, Site, note},
};

/// Clients at the same time.
const CLIENTS: u64 = 4;

/// How many of the older acknowledgements are looked at again in each audit.
const LOOKED_AT_AGAIN: usize = 8;

/// How long a client waits that was not served.
const NOT_SERVED: Duration = Duration::from_millis(20);

/// Everything that was ever acknowledged, and every root that was ever shown.
#[derive(Debug, Default)]
pub(crate) struct Books {
    pub(crate) all: Vec<Acked>,
    /// How many of them were looked at after a kill.
    audited: usize,
    pub(crate) checkpoints: BTreeMap<u64, Checkpoint>,
    /// Sizes seen since the last audit.
    fresh: Vec<u64>,
}

impl Books {
    /// Says what there is to be said, and that it was not nothing.
    pub(crate) fn tell(&self, backend: &Backend) {
        let done = self
            .all
            .iter()
            .filter(|acked| matches!(acked, Acked::Confirmed { .. }))
            .count();
        println!(
            "{} acknowledgements, {done} whole cases, {} grants, {} checkpoints",
            self.all.len(),
            backend.books().len(),
            self.checkpoints.len()
        );
        assert!(!self.all.is_empty(), "the load must do something");
    }

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

/// Clients who play case after case, and one who watches checkpoints, until they are stopped.
pub(crate) struct Load {
    heard: Arc<Mutex<(Vec<Acked>, Vec<String>)>>,
    stop: Arc<AtomicBool>,
    clients: Vec<JoinHandle<()>>,
}

impl Load {
    /// Begins; `round` makes their ids new ones.
    pub(crate) fn begin(site: &Site, round: &str) -> Self {
        let (heard, stop) = <(Arc<Mutex<_>>, Arc<AtomicBool>)>::default();
        let mut clients = Vec::new();
        for client in 0..CLIENTS {
            let (site, heard) = (site.clone(), Arc::clone(&heard));
            let (stop, round) = (Arc::clone(&stop), round.to_owned());
            clients.push(tokio::spawn(async move {
                for turn in 0.. {
                    let id = format!("{round}-c{client}-t{turn}");
                    let heard: &Mutex<(Vec<Acked>, Vec<String>)> = &heard;
                    let tell = |acked| heard.lock().unwrap().0.push(acked);
                    if site.whole_case(&id, tell).await.is_none() {
                        tokio::time::sleep(NOT_SERVED).await;
                    }
                    if stop.load(Ordering::Relaxed) {
                        return;
                    }
                }
            }));
        }
        let (site, notes, stopped) = (site.clone(), Arc::clone(&heard), Arc::clone(&stop));
        clients.push(tokio::spawn(async move {
            while !stopped.load(Ordering::Relaxed) {
                match site.text("/ledger/checkpoint").await {
                    Some((StatusCode::OK, note)) => notes.lock().unwrap().1.push(note),
                    _ => tokio::time::sleep(NOT_SERVED).await,
                }
            }
        }));
        Self {
            heard,
            stop,
            clients,
        }
    }

    /// Acknowledgements so far.
    pub(crate) fn heard(&self) -> usize {
        self.heard.lock().unwrap().0.len()
    }

    /// Stops, and writes down what was heard and what the backend ran: nothing twice.
    pub(crate) async fn end(self, site: &Site, backend: &Backend, books: &mut Books) {
        self.stop.store(true, Ordering::Relaxed);
        for client in self.clients {
            client.await.unwrap();
        }
        let (acked, notes) = std::mem::take(&mut *self.heard.lock().unwrap());
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
}

/// Holds a gate that was just started against everything that was ever acknowledged.
pub(crate) async fn audit(site: &Site, books: &mut Books, gate: &Gate) {
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

/// A number from the environment.
pub(crate) fn number(name: &str) -> Option<u64> {
    std::env::var(name)
        .ok()
        .map(|text| text.parse().expect("a number"))
}

/// splitmix64, below `bound`.
pub(crate) fn random(state: &mut u64, bound: u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (z ^ (z >> 31)) % bound
}

/// The seed of this run, which it prints: `CRASH_SEED`, or else the time.
pub(crate) fn seed() -> u64 {
    let seed = number("CRASH_SEED").unwrap_or_else(|| {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        u64::from(since.subsec_nanos()) ^ since.as_secs()
    });
    println!("CRASH_SEED={seed}");
    seed
}
