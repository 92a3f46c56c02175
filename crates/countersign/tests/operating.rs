//! `docs/operations.md`, rehearsed: the real program, restarted under load, watched, copied, restored, and given new keys.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "helpers of tests, which clippy does not see as tests"
)]

mod common;

use std::{
    collections::{BTreeSet, VecDeque},
    io::{BufRead as _, BufReader},
    net::TcpListener,
    os::fd::OwnedFd,
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use common::{
    Installation,
    collector::{Collector, Span},
    countersign, said,
    site::{Backend, Site, note},
};
use countersign_grant::JwkSet;
use countersign_ledger::{Checkpoint, VerifierKey};
use countersign_testkit::postgres;
use reqwest::Method;
use serde_json::{Value, json};

/// Far more than any of this takes.
const LONG: Duration = Duration::from_secs(20);

/// The program on a socket that somebody else holds, as under a socket unit of systemd.
struct Supervised {
    program: Child,
    url: String,
}

impl Supervised {
    fn start(installation: &Installation, socket: &TcpListener) -> Self {
        let socket: OwnedFd = socket.try_clone().unwrap().into();
        let mut program = Command::new("sh")
            .args([
                "-c",
                "exec 3<&0 </dev/null; export LISTEN_FDS=1 LISTEN_PID=$$; exec \"$@\"",
                "sh",
                env!("CARGO_BIN_EXE_countersign"),
                "serve",
                "--config",
                &installation.config(),
            ])
            .stdin(Stdio::from(socket))
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(installation.path("log")).unwrap())
            .spawn()
            .expect("the program starts");
        let mut line = String::new();
        BufReader::new(program.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let Some(url) = line.trim().strip_prefix("listening on ") else {
            let _ = program.wait();
            panic!(
                "the gate did not start: {line:?} {}",
                installation.read("log")
            );
        };
        let url = url.to_owned();
        Self { program, url }
    }

    /// SIGTERM, and its end.
    fn end(mut self) {
        let pid = self.program.id().to_string();
        let asked = Command::new("kill").args(["-TERM", &pid]).status().unwrap();
        assert!(asked.success());
        assert_eq!(self.program.wait().unwrap().code(), Some(0));
    }
}

impl Drop for Supervised {
    fn drop(&mut self) {
        // Already gone is as good.
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_under_load_refuses_and_loses_no_request() {
    let backend = Backend::start().await;
    let installation = Installation::with(&backend);
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut gate = Supervised::start(&installation, &socket);
    assert_eq!(
        gate.url,
        format!("http://{}", socket.local_addr().unwrap()),
        "it listens on the socket it was given, whatever the configuration says"
    );
    let site = Site::at(&gate.url, &installation).await;
    let (done, enough) = (
        Arc::new(AtomicU64::new(0)),
        Arc::new(AtomicBool::new(false)),
    );
    let clients: Vec<_> = (0..4)
        .map(|client| {
            let (site, done, enough) = (site.clone(), Arc::clone(&done), Arc::clone(&enough));
            tokio::spawn(async move {
                for turn in 0.. {
                    if enough.load(Ordering::SeqCst) {
                        return;
                    }
                    // Every one of its requests must be answered, and rightly.
                    let whole = site.whole_case(&format!("c{client}-t{turn}"), |_| {}).await;
                    assert!(whole.is_some(), "a request was refused or cut off");
                    done.fetch_add(1, Ordering::SeqCst);
                }
            })
        })
        .collect();
    let more = async |count: u64| {
        let from = done.load(Ordering::SeqCst);
        let grown = async {
            while done.load(Ordering::SeqCst) < from + count {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(LONG, grown)
            .await
            .expect("cases go on");
    };
    more(4).await;
    for _ in 0..3 {
        tokio::task::block_in_place(|| gate.end());
        gate = tokio::task::block_in_place(|| Supervised::start(&installation, &socket));
        more(4).await;
    }
    enough.store(true, Ordering::SeqCst);
    for client in clients {
        client.await.unwrap();
    }
    tokio::task::block_in_place(|| gate.end());
    for run in backend.books().values() {
        assert_eq!(run.times, 1);
    }
    println!(
        "{} whole cases over 3 restarts",
        done.load(Ordering::SeqCst)
    );
}

/// As a load balancer does: each case begins at a gate that says it is ready.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_gates_are_replaced_one_after_the_other_and_no_request_fails() {
    let Some(database) = postgres::database() else {
        return;
    };
    let backend = Backend::start().await;
    let installation = Installation::with(&backend);
    installation.edit(
        "database = \"countersign.db\"",
        &format!("database = \"{}\"", database.address()),
    );
    installation.edit("[gate]\n", "[gate]\ndrain_seconds = 3\n");
    let mut gates = VecDeque::from([installation.serve(&[]), installation.serve(&[])]);
    let site = Site::new(&gates[0], &installation).await;
    let urls: Vec<String> = gates.iter().map(|gate| gate.url.clone()).collect();
    let urls = Arc::new(Mutex::new(urls));
    let (done, enough) = (
        Arc::new(AtomicU64::new(0)),
        Arc::new(AtomicBool::new(false)),
    );
    let clients: Vec<_> = (0..3)
        .map(|client| {
            let (site, urls) = (site.clone(), Arc::clone(&urls));
            let (done, enough) = (Arc::clone(&done), Arc::clone(&enough));
            tokio::spawn(async move {
                for turn in 0_u64.. {
                    if enough.load(Ordering::SeqCst) {
                        return;
                    }
                    let known = urls.lock().unwrap().clone();
                    let url = known[usize::try_from(turn).unwrap() % known.len()].clone();
                    let mut site = site.clone();
                    site.url = url;
                    // A gate that is gone, or says that it will be, is asked no more.
                    if site
                        .text("/readyz")
                        .await
                        .is_none_or(|(status, _)| status != 200)
                    {
                        continue;
                    }
                    let whole = site.whole_case(&format!("c{client}-t{turn}"), |_| {}).await;
                    assert!(whole.is_some(), "a request was refused or cut off");
                    done.fetch_add(1, Ordering::SeqCst);
                }
            })
        })
        .collect();
    for _ in 0..2 {
        let new = tokio::task::block_in_place(|| installation.serve(&[]));
        urls.lock().unwrap().push(new.url.clone());
        gates.push_back(new);
        let old = gates.pop_front().unwrap();
        let url = old.url.clone();
        let (_, code) = tokio::task::block_in_place(|| old.end());
        assert_eq!(code, 0);
        urls.lock().unwrap().retain(|known| *known != url);
    }
    enough.store(true, Ordering::SeqCst);
    for client in clients {
        client.await.unwrap();
    }
    let done = done.load(Ordering::SeqCst);
    assert!(done >= 6, "{done} cases");
    let site = Site::at(&gates[0].url, &installation).await;
    let all_run = async {
        while (backend.books().len() as u64) < done {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(LONG, all_run)
        .await
        .expect("every case is run by some gate");
    assert!(backend.books().values().all(|run| run.times == 1));
    let verified = countersign(&[
        "ledger",
        "verify",
        &site.url,
        "--key",
        &site.key.to_string(),
    ]);
    assert_eq!(said(&verified).2, 0, "{verified:?}");
    println!("{done} whole cases while both gates were replaced");
}

/// What the log and the measures say names no person, no secret and no address.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_measured_and_logged_says_how_much_and_never_who() {
    let backend = Backend::start().await;
    let installation = Installation::with(&backend);
    installation.edit("level = \"error\"", "level = \"debug\"\nformat = \"json\"");
    installation.append("[metrics]\nlisten = \"127.0.0.1:0\"");
    let gate = installation.serve(&[]);
    let site = Site::new(&gate, &installation).await;
    let (case, seat) = site.whole_case("planted-customer", |_| {}).await.unwrap();
    let wrong = site
        .page(Method::POST, "/c/prove/pin", &seat, "secret=770077")
        .await;
    assert!(wrong.is_some());
    site.text("/planted/path?query=planted-query")
        .await
        .unwrap();
    let address = installation
        .read("log")
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .find(|line| line["message"] == "metrics")
        .and_then(|line| line["address"].as_str().map(str::to_owned))
        .expect("where metrics are");
    let ask = async || {
        let url = format!("http://{address}/metrics");
        site.client
            .get(url)
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap()
    };
    let handed_over = async {
        loop {
            let text = ask().await;
            if text.contains("countersign_events_total{kind=\"case.concluded\"} 1") {
                return text;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let text = tokio::time::timeout(LONG, handed_over)
        .await
        .expect("a case that was counted");
    for expected in [
        "http_server_request_duration_seconds_bucket{http_request_method=\"POST\",http_route=\"/c/prove/{way}\",http_response_status_code=\"303\",le=\"0.005\"}",
        "http_server_request_duration_seconds_count{http_request_method=\"GET\",http_route=\"none\",http_response_status_code=\"404\"} 1",
        "countersign_store_commit_duration_seconds_count{outcome=\"kept\"}",
        "countersign_store_group_requests_sum",
        "countersign_events_total{kind=\"case.opened\"} 1",
        "countersign_events_total{kind=\"case.granted\"} 1",
        "countersign_hand_overs_total{outcome=\"done\"} 1",
        "countersign_hashing{state=\"waiting\"} 0",
        "countersign_ledger_size",
        "countersign_ledger_unchanged_seconds",
        "countersign_work_due{queue=\"run\"} 0",
        "countersign_work_due_age_seconds{queue=\"mail\"}",
        "countersign_listeners 0",
        "process_memory_usage_bytes",
    ] {
        assert!(text.contains(expected), "no `{expected}` in\n{text}");
    }
    // Never on the address that people see.
    assert_eq!(site.text("/metrics").await.unwrap().0, 404);
    assert_eq!(gate.end().1, 0);

    let log = installation.read("log");
    for line in log.lines() {
        let line: Value = serde_json::from_str(line).expect("every line is JSON");
        assert!(
            line["level"].is_string() && line["timestamp"].is_string(),
            "{line}"
        );
    }
    assert!(log.contains("grant handed over"), "{log}");
    let seat = seat.split('=').nth(1).unwrap();
    for planted in [
        "planted",
        "770077",
        "4711",
        "about ",
        &site.token,
        &site.pin_hash,
        seat,
        &installation.read("keys/panel.whsec"),
        &installation.read("keys/grant.key"),
    ] {
        assert!(!log.contains(planted), "`{planted}` in the log:\n{log}");
        assert!(
            !text.contains(planted),
            "`{planted}` in the measures:\n{text}"
        );
    }
    assert!(!text.contains(&case), "a case is no label");
}

/// A case from its opening to its backend, as a collector sees it: names as OpenTelemetry has them, one trace for what one
/// request set going, and nobody's name in any of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trace_goes_through_the_gate_and_names_nobody() {
    let backend = Backend::start().await;
    let collector = Collector::start().await;
    let installation = Installation::with(&backend);
    installation.edit(
        "# trusted_proxies = [\"127.0.0.1\"]",
        "trusted_proxies = [\"127.0.0.1\"]",
    );
    std::fs::write(
        installation.path("keys/telemetry.token"),
        "Bearer s3cret-of-the-collector\n",
    )
    .unwrap();
    installation.append(&format!(
        "[telemetry]\nendpoint = \"{}\"\nheader_value = {{ file = \"keys/telemetry.token\" }}",
        collector.url
    ));
    let gate = installation.serve(&[]);
    let site = Site::new(&gate, &installation).await;
    let (case, seat) = site.whole_case("planted-customer", |_| {}).await.unwrap();
    site.page(Method::POST, "/c/prove/pin", &seat, "secret=770077")
        .await;
    site.text("/planted/path?query=planted-query").await;
    // From the proxy that is trusted, a caller's trace.
    let (caller, parent) = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");
    site.client
        .get(format!("{}/v1/cases/{case}", site.url))
        .bearer_auth(&site.token)
        .header("traceparent", format!("00-{caller}-{parent}-01"))
        .header("tracestate", "planted=state")
        .send()
        .await
        .unwrap();
    let run = async {
        while site.case(&case).await["state"] != "done" {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(LONG, run).await.expect("a case done");
    // What was not sent yet is sent at the end, to a collector that is busy at first.
    assert_eq!(gate.end().1, 0, "{}", installation.read("log"));

    let spans = collector.spans();
    let named = |name: &str| -> Vec<&Span> {
        let found: Vec<_> = spans.iter().filter(|span| span.name == name).collect();
        assert!(!found.is_empty(), "no `{name}` among {spans:#?}");
        found
    };
    let child_of = |parent: &Span, name: &str| -> &Span {
        let of = |span: &&&Span| span.parent.as_ref() == Some(&parent.id);
        let found = named(name);
        let found = found.iter().find(of);
        found.unwrap_or_else(|| panic!("no `{name}` within {parent:?}: {spans:#?}"))
    };
    // The request, the decision it asked for, and its transaction.
    let confirmed = named("POST /c/confirm")[0];
    assert_eq!(
        (confirmed.kind, &confirmed.parent, confirmed.failed),
        (2, &None, false)
    );
    for (key, value) in [
        ("http.request.method", "POST"),
        ("http.route", "/c/confirm"),
        ("http.response.status_code", "303"),
        ("url.scheme", "http"),
    ] {
        assert_eq!(confirmed.attributes[key], value);
    }
    let decision = child_of(confirmed, "decision");
    assert_eq!(
        (decision.kind, &decision.attributes["countersign.case"]),
        (1, &case)
    );
    let commit = child_of(decision, "COMMIT");
    assert_eq!((commit.kind, &commit.trace), (3, &confirmed.trace));
    assert_eq!(commit.attributes["db.system.name"], "sqlite");
    assert_eq!(commit.attributes["db.operation.name"], "COMMIT");
    // The hand-over is a trace of its own, of the same case; it goes on in the backend.
    let work = named("work run")[0];
    assert_eq!((work.kind, &work.parent), (5, &None));
    let handed_over = named("POST hand over")[0];
    assert_eq!((handed_over.kind, &handed_over.trace), (3, &work.trace));
    assert_eq!(handed_over.attributes["server.address"], "127.0.0.1");
    assert_eq!(handed_over.attributes["http.response.status_code"], "200");
    let given = backend.books().values().next().unwrap().traceparent.clone();
    let expected = format!("00-{}-{}-01", handed_over.trace, handed_over.id);
    assert_eq!(given, Some(expected));
    // What the proxy began goes on here, and nothing else of what it sent.
    let of_caller: Vec<_> = spans.iter().filter(|span| span.trace == caller).collect();
    assert_eq!(of_caller.len(), 1, "{of_caller:#?}");
    assert_eq!(of_caller[0].name, "GET /v1/cases/{case}");
    assert_eq!(of_caller[0].parent.as_deref(), Some(parent));
    let nowhere = named("GET")[0];
    assert_eq!(nowhere.attributes["http.response.status_code"], "404");
    assert_eq!(nowhere.attributes.get("http.route"), None);

    let resource = collector.resource();
    assert_eq!(resource["service.name"], "countersign");
    assert_eq!(resource["service.version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(resource["service.instance.id"].len(), 32);
    let text = collector.text();
    let seat = seat.split('=').nth(1).unwrap();
    let run = backend.books().keys().next().unwrap().clone();
    for planted in [
        "planted",
        "770077",
        "4711",
        "about ",
        "s3cret-of",
        &site.token,
        &site.pin_hash,
        seat,
        &run,
        &installation.read("keys/panel.whsec"),
        &installation.read("keys/grant.key"),
    ] {
        assert!(
            !text.contains(planted),
            "`{planted}` in the traces:\n{text}"
        );
    }
    assert!(!installation.read("log").contains("s3cret-of"));
}

/// A stranger's `traceparent` is not believed; of what begins here as much is kept as was asked for; and a collector that
/// is away costs nobody anything.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stranger_writes_into_no_trace_and_a_collector_may_be_away() {
    let backend = Backend::start().await;
    let collector = Collector::start().await;
    let installation = Installation::with(&backend);
    let token = installation.path("keys/telemetry.token");
    std::fs::write(&token, "Bearer s3cret-of-the-collector\n").unwrap();
    installation.append(&format!(
        "[telemetry]\nendpoint = \"{}\"\nheader_value = {{ file = \"keys/telemetry.token\" }}",
        collector.url
    ));
    installation.edit("level = \"error\"", "level = \"warn\"");
    let caller = "4bf92f3577b34da6a3ce929d0e0e4736";
    let gate = installation.serve(&[]);
    let site = Site::new(&gate, &installation).await;
    for flags in ["00", "01"] {
        let answer = site
            .client
            .get(format!("{}/healthz", site.url))
            .header(
                "traceparent",
                format!("00-{caller}-00f067aa0ba902b7-{flags}"),
            )
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 200);
    }
    assert_eq!(gate.end().1, 0);
    let asked = collector.spans();
    let asked: Vec<_> = asked
        .iter()
        .filter(|span| span.name == "GET /healthz")
        .collect();
    assert_eq!(asked.len(), 2);
    assert!(
        asked
            .iter()
            .all(|span| span.trace != caller && span.parent.is_none())
    );

    let doctor = || {
        said(&countersign(&[
            "doctor",
            "--config",
            &installation.config(),
        ]))
        .0
    };
    let found = tokio::task::block_in_place(doctor);
    assert!(found.contains("/v1/traces takes them"), "{found}");
    // It wants to see another secret from now on: said once, and the gate goes on.
    std::fs::write(&token, "Bearer another\n").unwrap();
    let found = tokio::task::block_in_place(doctor);
    assert!(found.contains("it answers 401"), "{found}");
    let gate = installation.serve(&[]);
    let site = Site::new(&gate, &installation).await;
    site.whole_case("somebody", |_| {}).await.unwrap();
    assert_eq!(gate.end().1, 0);
    let log = installation.read("log");
    assert!(
        log.contains("the collector does not take traces") && log.contains("401"),
        "{log}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_made_meanwhile_is_whole_and_an_old_one_is_refused() {
    let backend = Backend::start().await;
    let installation = Installation::with(&backend);
    let config = installation.config();
    let gate = installation.serve(&[]);
    let site = Site::new(&gate, &installation).await;
    site.whole_case("before", |_| {}).await.unwrap();
    let folder = installation.path("backups");
    let (text, complaint, code) = said(&countersign(&[
        "backup",
        "--config",
        &config,
        "--to",
        folder.to_str().unwrap(),
    ]));
    assert_eq!(code, 0, "{text}{complaint}");
    let backup = std::fs::read_dir(&folder)
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    assert!(text.starts_with(backup.to_str().unwrap()), "{text}");
    let names: BTreeSet<String> = std::fs::read_dir(&backup)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(
        names,
        BTreeSet::from(["countersign.db".to_owned(), "ledger".to_owned()])
    );
    // It can be checked by itself, with nothing of the installation.
    let ledger = backup.join("ledger");
    let key = site.key.to_string();
    let verified = countersign(&["ledger", "verify", ledger.to_str().unwrap(), "--key", &key]);
    assert_eq!(said(&verified).2, 0);

    site.whole_case("after", |_| {}).await.unwrap();
    let kept = installation.path("checkpoint.kept");
    let (_, note) = site.text("/ledger/checkpoint").await.unwrap();
    std::fs::write(&kept, &note).unwrap();
    let kept = kept.to_str().unwrap();
    let restore = |more: &[&str]| {
        let from = backup.to_str().unwrap();
        let command = ["restore", "--config", &config, "--from", from];
        said(&countersign(&[&command, more].concat()))
    };
    let (_, complaint, code) = restore(&[]);
    assert_eq!(code, 2);
    assert!(complaint.contains("move it away first"), "{complaint}");
    assert_eq!(gate.end().1, 0);
    std::fs::rename(
        installation.path("countersign.db"),
        installation.path("lost.db"),
    )
    .unwrap();

    // What was published since is not in the copy: said before anything is changed, and again by the gate.
    let (_, complaint, code) = restore(&["--since", kept]);
    assert_eq!(code, 2);
    assert!(
        complaint.contains("were published: what came between is gone"),
        "{complaint}"
    );
    assert!(!installation.path("countersign.db").exists());
    let (text, complaint, code) = restore(&[]);
    assert_eq!(code, 0, "{text}{complaint}");
    assert!(complaint.contains("--since"), "{complaint}");
    let (_, complaint, code) = said(&countersign(&[
        "serve", "--config", &config, "--since", kept,
    ]));
    assert_eq!(code, 2);
    assert!(complaint.contains("were published"), "{complaint}");

    // Begun with what the copy has, the gate goes on.
    let early = ledger.join("checkpoint");
    let gate = installation.serve(&["--since", early.to_str().unwrap()]);
    let site = Site::new(&gate, &installation).await;
    site.whole_case("again", |_| {}).await.unwrap();
    assert_eq!(gate.end().1, 0);
}

/// A backend fetches the keys that are published and keeps them; the ledger's readers keep theirs. Nobody refuses anything
/// at any step, and what was signed before verifies after.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_are_exchanged_and_nobody_refuses_anything() {
    let backend = Backend::start().await;
    let installation = Installation::with(&backend);
    for key in ["grant", "ledger"] {
        let made = said(&countersign(&["secret", "key"]));
        assert_eq!(made.2, 0);
        std::fs::write(installation.path(&format!("keys/{key}.new.key")), made.0).unwrap();
    }
    let grant = "grant = { file = \"keys/grant.key\" }";
    let ledger = "ledger = { file = \"keys/ledger.key\" }";
    let new_grant = "grant = { file = \"keys/grant.new.key\" }";
    let new_ledger = "ledger = { file = \"keys/ledger.new.key\" }";

    // Step 0: the old keys. A receipt is handed out.
    let (old, receipt) = stage(&installation, "zero").await;
    let old_key: VerifierKey = old.ledger[0].parse().unwrap();
    assert_eq!((old.ledger.len(), old.grants.keys.len()), (1, 1));

    // Step 1: the new ones beside them. The grant key signs nothing yet; every checkpoint carries both signatures.
    installation.edit(
        grant,
        &format!("{grant}\nsecond_{new_grant}\nsecond_{new_ledger}"),
    );
    let (both, _) = stage(&installation, "one").await;
    let new_key: VerifierKey = both.ledger[1].parse().unwrap();
    assert_eq!(both.grants.keys[0], old.grants.keys[0], "the old one signs");
    assert_eq!((both.ledger.len(), both.grants.keys.len()), (2, 2));
    for key in [&old_key, &new_key] {
        assert!(Checkpoint::verify(&both.checkpoint, key).is_ok());
    }

    // Step 2: they change places.
    installation.edit(&format!("{ledger}\n"), &format!("{new_ledger}\n"));
    installation.edit(
        &format!("{grant}\nsecond_{new_grant}\nsecond_{new_ledger}"),
        &format!("{new_grant}\nsecond_{grant}\nsecond_{ledger}"),
    );
    let (changed, _) = stage(&installation, "two").await;
    assert_eq!(changed.ledger[0], new_key.to_string());
    assert_eq!(
        changed.grants.keys[0], both.grants.keys[1],
        "the new one signs"
    );
    for key in [&old_key, &new_key] {
        assert!(Checkpoint::verify(&changed.checkpoint, key).is_ok());
    }
    // A backend that read the keys in step 1 knows the one that signs in step 2.
    let known = both.grants.clone().by_kid().unwrap();
    assert!(
        changed
            .grants
            .by_kid()
            .unwrap()
            .keys()
            .all(|kid| known.contains_key(kid))
    );

    // Step 3: the old ones sign no more; the ledger's stays published, for receipts from its time.
    installation.edit(
        &format!("{new_grant}\nsecond_{grant}\nsecond_{ledger}"),
        &format!("{new_grant}\nformer_ledger = [\"{old_key}\"]"),
    );
    let (after, _) = stage(&installation, "three").await;
    assert_eq!(after.ledger, [new_key.to_string(), old_key.to_string()]);
    assert_eq!(after.grants.keys.len(), 1);
    assert!(Checkpoint::verify(&after.checkpoint, &new_key).is_ok());
    assert!(Checkpoint::verify(&after.checkpoint, &old_key).is_err());

    // The first receipt, by the program and by the page.
    let file = installation.path("receipt.json");
    std::fs::write(&file, &receipt).unwrap();
    let file = file.to_str().unwrap();
    let by_old = countersign(&["receipt", "verify", file, "--key", &old_key.to_string()]);
    assert_eq!(said(&by_old).2, 0);
    let gate = installation.serve(&[]);
    let form = format!(
        "--b\r\nContent-Disposition: form-data; name=\"receipt\"\r\n\r\n{receipt}\r\n--b--\r\n"
    );
    let answer = reqwest::Client::new()
        .post(format!("{}/receipts/verify", gate.url))
        .header("content-type", "multipart/form-data; boundary=b")
        .body(form)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200, "{}", answer.text().await.unwrap());
    // The ledger is one, from its first entry to its last.
    let verified = countersign(&["ledger", "verify", &gate.url, "--key", &new_key.to_string()]);
    assert_eq!(said(&verified).2, 0, "{verified:?}");
    assert_eq!(gate.end().1, 0);
    for run in backend.books().values() {
        assert_eq!(run.times, 1);
    }
    assert_eq!(backend.books().len(), 4);

    // A leap is refused, as at a second gate with keys of its own; but keys that are lost can be left behind.
    let config = installation.config();
    let serve = ["serve", "--config", &config];
    for key in ["ledger", "grant"] {
        let file = installation.path(&format!("keys/{key}.new.key"));
        std::fs::write(file, said(&countersign(&["secret", "key"])).0).unwrap();
        let (_, complaint, code) = said(&countersign(&serve));
        assert_eq!(code, 2, "{complaint}");
        let says = format!("`keys.{key}` is another key than this database was served with");
        assert!(complaint.contains(&says), "{complaint}");
        for more in [&["--new-keys"][..], &[]] {
            let gate = installation.serve(more);
            assert_eq!(gate.end().1, 0);
        }
    }
}

/// What a gate publishes.
struct Publishes {
    ledger: Vec<String>,
    grants: JwkSet,
    checkpoint: String,
}

/// Starts the gate, carries a case to its end, and ends it; with what it published, and the customer's receipt.
async fn stage(installation: &Installation, id: &str) -> (Publishes, String) {
    let gate = installation.serve(&[]);
    let site = Site::new(&gate, installation).await;
    let (case, seat) = site.whole_case(id, |_| {}).await.unwrap();
    let done = async {
        while site.case(&case).await["state"] != "done" {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(LONG, done)
        .await
        .expect("a case that is done");
    let receipt = site.receipt(&case, &seat).await;
    let (_, known) = site.text("/.well-known/countersign").await.unwrap();
    let known: Value = serde_json::from_str(&known).unwrap();
    let others = known["ledger"]["others"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let keys = std::iter::once(&known["ledger"]["key"]).chain(&others);
    let keys = keys.map(|key| key.as_str().unwrap().to_owned()).collect();
    let grant_keys = serde_json::from_value(known["grant_keys"].clone()).unwrap();
    let (_, checkpoint) = site.text("/ledger/checkpoint").await.unwrap();
    assert_eq!(gate.end().1, 0);
    let published = Publishes {
        ledger: keys,
        grants: grant_keys,
        checkpoint,
    };
    (published, receipt)
}

/// A customer with a real PIN (hashed at full cost), on the page where it is asked for: their cookie.
async fn seated(site: &Site, id: &str) -> String {
    let customer = format!("/v1/customers/{id}");
    let put = json!({ "name": id, "number": id });
    let (status, _) = site.api(Method::PUT, &customer, None, &put).await.unwrap();
    assert!(status.is_success());
    let holding = format!("{customer}/holdings/pin");
    let put = json!({ "pin": "4711" });
    let (status, _) = site.api(Method::PUT, &holding, None, &put).await.unwrap();
    assert!(status.is_success());
    let (_, opened) = site
        .api(Method::POST, "/v1/cases", None, &note(id))
        .await
        .unwrap();
    let link = opened["link"]["url"].as_str().expect("a link").to_owned();
    let path = &link[link.find("/c/").unwrap()..];
    let (_, link) = site.page(Method::GET, path, "", "").await.unwrap();
    site.page(Method::POST, "/c/yes", &link, "")
        .await
        .unwrap()
        .1
}

/// How long right PINs of others take, in ms, from the quickest to the slowest.
async fn right_answers(site: &Site, prefix: &str, count: usize) -> Vec<f64> {
    let mut took = Vec::new();
    for number in 0..count {
        let seat = seated(site, &format!("{prefix}{number}")).await;
        let asked = Instant::now();
        let (status, _) = site
            .page(Method::POST, "/c/prove/pin", &seat, "secret=4711")
            .await
            .unwrap();
        assert_eq!(status, 303);
        took.push(asked.elapsed().as_secs_f64() * 1e3);
    }
    took.sort_by(f64::total_cmp);
    took
}

/// Measures, and so only when asked, on a machine that does nothing else:
/// `COUNTERSIGN_FLOOD=1 cargo nextest run --release -p countersign --test operating --no-capture flood`.
/// The bound: the 99th percentile of the others within twice the quiet one, each guess from another network.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_wrong_pins_for_one_customer_does_not_slow_the_others() {
    if std::env::var_os("COUNTERSIGN_FLOOD").is_none() {
        println!("left out: it measures, and a machine that does something else would fail it");
        return;
    }
    let backend = Backend::start().await;
    let installation = Installation::with(&backend);
    installation.edit(
        "# trusted_proxies = [\"127.0.0.1\"]",
        "trusted_proxies = [\"127.0.0.1\"]",
    );
    let gate = installation.serve(&[]);
    let site = Site::new(&gate, &installation).await;
    let victim = seated(&site, "victim").await;
    right_answers(&site, "warm", 10).await;
    let quiet = right_answers(&site, "quiet", 100).await;

    let guesses = Arc::new(AtomicU64::new(0));
    let enough = Arc::new(AtomicBool::new(false));
    let flood: Vec<_> = (0..8)
        .map(|_| {
            let (guesses, enough) = (Arc::clone(&guesses), Arc::clone(&enough));
            let (client, url, victim) = (site.client.clone(), site.url.clone(), victim.clone());
            tokio::spawn(async move {
                while !enough.load(Ordering::Relaxed) {
                    let number = guesses.fetch_add(1, Ordering::Relaxed);
                    let sent = client
                        .post(format!("{url}/c/prove/pin"))
                        .header("cookie", &victim)
                        .header(
                            "x-forwarded-for",
                            format!(
                                "10.{}.{}.{}",
                                number >> 16 & 255,
                                number >> 8 & 255,
                                number & 255
                            ),
                        )
                        .header("content-type", "application/x-www-form-urlencoded")
                        .body("secret=000000")
                        .send()
                        .await
                        .unwrap();
                    assert!([422, 429, 503].contains(&sent.status().as_u16()));
                    // A thousand guesses a second, not as many as one machine can make of itself.
                    tokio::time::sleep(Duration::from_millis(8)).await;
                }
            })
        })
        .collect();
    let flooded = right_answers(&site, "flooded", 100).await;
    enough.store(true, Ordering::Relaxed);
    for client in flood {
        client.await.unwrap();
    }
    let p99 = |took: &[f64]| took[took.len() * 99 / 100 - 1];
    println!(
        "right PINs: quiet p50 {:.1} ms p99 {:.1} ms; while one customer was flooded with {} guesses p50 {:.1} ms p99 {:.1} ms",
        quiet[quiet.len() / 2],
        p99(&quiet),
        guesses.load(Ordering::Relaxed),
        flooded[flooded.len() / 2],
        p99(&flooded)
    );
    assert!(p99(&flooded) <= 2.0 * p99(&quiet));
}
