//! What `init` wrote really starts; what it did can be checked by anyone; what is wrong with it `doctor` says.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests, which clippy does not see as tests"
)]

mod common;

use std::{os::unix::fs::PermissionsExt as _, path::Path, time::Duration};

use axum::{
    Json, Router,
    body::Bytes,
    http::{HeaderMap, StatusCode},
    routing::{get, post},
};
use common::{
    Installation, countersign, said,
    site::{Backend, Site},
};
use countersign_cases::Timestamp;
use countersign_service::adapters::webhooks::{WebhookHeaders, WebhookSecrets};
use reqwest::Method;
use serde_json::{Value, json};

#[test]
fn a_new_installation_starts_and_ends_when_asked() {
    let installation = Installation::new();
    let mut gate = installation.serve(&["--invite", "admin"]);
    let invitation = gate.line();
    let (words, link) = invitation.split_once(" UTC: ").unwrap();
    assert!(
        words.starts_with("invitation for admin, once, until 2"),
        "{invitation}"
    );
    assert!(
        link.starts_with("http://localhost:4180/invitation/cs_invite_"),
        "{invitation}"
    );
    let (rest, code) = gate.end();
    assert_eq!((rest.as_str(), code), ("", 0));
    let log = installation.read("log");
    assert!(log.contains("started") && log.contains("stopped"), "{log}");
    assert!(
        !log.contains("cs_invite_"),
        "an invitation is a secret: {log}"
    );
    // Secrets are the owner's alone from the first byte on, and so is the database.
    for name in [
        "keys/ledger.key",
        "keys/panel.token",
        "keys/panel.whsec",
        "countersign.db",
    ] {
        let mode = std::fs::metadata(installation.path(name))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o077, 0, "{name}");
    }
    // Nothing is overwritten by a second `init`.
    let folder = installation.path("");
    let (_, complaint, code) = said(&countersign(&["init", folder.to_str().unwrap()]));
    assert_eq!(code, 2);
    assert!(
        complaint.contains("is already there: nothing was changed"),
        "{complaint}"
    );
}

#[test]
fn a_wrong_start_says_why() {
    let installation = Installation::new();
    let serve = |more: &[&str]| {
        said(&countersign(
            &[&["serve", "--config", &installation.config()], more].concat(),
        ))
    };
    let (_, complaint, code) = serve(&["--invite", "nobody"]);
    assert_eq!(code, 2, "{complaint}");
    assert!(complaint.contains("cannot invite `nobody`"), "{complaint}");
    // An action whose connector is not there.
    installation.edit("[connectors.panel]", "[connectors.pannel]");
    let (_, complaint, code) = serve(&[]);
    assert_eq!(code, 2, "{complaint}");
    assert!(
        complaint.contains("runs `panel`, and there is no connector of that name"),
        "{complaint}"
    );
    installation.edit("[connectors.pannel]", "[connectors.panel]");
    // A ledger keeps its name for life.
    drop(installation.serve(&[]));
    installation.edit(
        "# ledger = \"support.example/ledger\"",
        "ledger = \"other.example/ledger\"",
    );
    let (_, complaint, code) = serve(&[]);
    assert_eq!(code, 2, "{complaint}");
    assert!(
        complaint.contains("a ledger keeps its origin for life"),
        "{complaint}"
    );
}

/// A changed file is proposed, said so, and changes nothing until it is signed.
#[test]
fn a_changed_procedure_is_proposed_and_not_in_force() {
    let installation = Installation::new();
    drop(installation.serve(&[]));
    let file = installation.path("hosting.procedure");
    let text = std::fs::read_to_string(&file).unwrap();
    let changed = text.replacen("organisation \"", "organisation \"New ", 1);
    assert_ne!(text, changed);
    std::fs::write(&file, &changed).unwrap();
    let gate = installation.serve(&[]);
    let log = installation.read("log");
    assert!(
        log.contains("waits for a signature at http://localhost:4180/procedures/proposed"),
        "{log}"
    );
    drop(gate);
    // Put back, nothing waits any more.
    std::fs::write(&file, &text).unwrap();
    let gate = installation.serve(&[]);
    let log = installation.read("log");
    assert!(!log.contains("waits for a signature"), "{log}");
    drop(gate);
}

/// What a caller says of where it comes from counts only if it comes through a proxy of ours.
#[tokio::test]
async fn only_a_trusted_proxy_is_believed_about_who_asks() {
    countersign_service::adapters::http::install_tls_provider();
    for trusted in [false, true] {
        let installation = Installation::new();
        installation.append("[limits]\nanswers_per_minute = 2");
        if trusted {
            installation.edit("# trusted_proxies", "trusted_proxies");
        }
        let gate = installation.serve(&[]);
        let client = reqwest::Client::new();
        let asks = async |from: &str| {
            let sent = client
                .post(format!("{}/v1/sign-in/start", gate.url))
                .header("x-forwarded-for", from)
                .send();
            sent.await.unwrap().status().as_u16()
        };
        for _ in 0..2 {
            assert_eq!(asks("198.51.100.7").await, 200);
        }
        assert_eq!(asks("198.51.100.7").await, 429);
        // Another network has a count of its own, if the proxy says so and not if the caller does.
        let other = asks("203.0.113.9").await;
        assert_eq!(other, if trusted { 200 } else { 429 });
        // What stands left of the proxy's own word is the caller's.
        assert_eq!(asks("203.0.113.77, 198.51.100.7").await, 429);
        let (_, code) = gate.end();
        assert_eq!(code, 0);
        let log = installation.read("log");
        assert!(
            !log.contains("198.51.100") && !log.contains("203.0.113"),
            "no address stands in a log line: {log}"
        );
    }
}

#[test]
fn fresh_secrets_are_of_their_form_and_never_the_same() {
    for (kind, prefix, length) in [
        ("key", "", 64),
        ("token", "cs_machine_", 54),
        ("webhook", "whsec_", 50),
    ] {
        let (first, _, _) = said(&countersign(&["secret", kind]));
        let (second, _, _) = said(&countersign(&["secret", kind]));
        assert_ne!(first, second);
        assert!(
            first.starts_with(prefix) && first.trim().len() == length,
            "{kind}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn anyone_can_check_the_ledger_and_a_receipt() {
    let backend = Backend::start().await;
    let installation = Installation::with(&backend);
    let gate = installation.serve(&[]);
    let site = Site::new(&gate, &installation).await;
    let (case, seat) = site.whole_case("1041", |_| {}).await.unwrap();
    done(&site, &case).await;
    let receipt = site.receipt(&case, &seat).await;
    let file = installation.path("receipt.json");
    std::fs::write(&file, &receipt).unwrap();
    let (file, key) = (file.to_str().unwrap().to_owned(), site.key.to_string());
    let note = installation.path("checkpoint");
    let (_, early) = site.text("/ledger/checkpoint").await.unwrap();
    std::fs::write(&note, early).unwrap();
    let note = note.to_str().unwrap().to_owned();
    site.whole_case("1042", |_| {}).await.unwrap();

    // Over the network, from a gate's address and from its ledger's.
    for place in [site.url.clone(), format!("{}/ledger/", site.url)] {
        let (text, complaint, code) = said(&countersign(&[
            "ledger", "verify", &place, "--since", &note,
        ]));
        assert_eq!(code, 0, "{text}{complaint}");
        assert!(
            text.contains("the ledger verifies") && text.contains("came from the ledger itself"),
            "{text}"
        );
    }
    // The gate has the database; nobody exports beside it.
    let folder = installation.path("exported");
    let folder = folder.to_str().unwrap();
    let export = [
        "ledger",
        "export",
        "--config",
        &installation.config(),
        folder,
    ]
    .map(str::to_owned);
    let export: Vec<&str> = export.iter().map(String::as_str).collect();
    assert_eq!(said(&countersign(&export)).2, 2);
    assert_eq!(gate.end().1, 0);
    let (text, complaint, code) = said(&countersign(&export));
    assert_eq!(code, 0, "{text}{complaint}");

    // Offline, with nothing but files.
    let verify = |more: &[&str]| {
        said(&countersign(
            &[&["ledger", "verify", folder], more].concat(),
        ))
    };
    let (text, complaint, code) = verify(&["--key", &key, "--since", &note]);
    assert_eq!(code, 0, "{text}{complaint}");
    assert!(
        text.contains("it begins with the ") && !text.contains("note"),
        "{text}"
    );
    let receipt_verify = |more: &[&str]| {
        said(&countersign(
            &[&["receipt", "verify", &file], more].concat(),
        ))
    };
    for trust in [
        &["--key", key.as_str()][..],
        &["--ledger", folder],
        &["--key", &key, "--ledger", folder],
    ] {
        let (text, complaint, code) = receipt_verify(trust);
        assert_eq!(code, 0, "{text}{complaint}");
        assert!(
            text.contains("the receipt verifies: Add the note about 1041")
                && text.contains("outcome    done"),
            "{text}"
        );
    }
    let (text, _, code) = receipt_verify(&["--key", &key, "--format", "json"]);
    let answer: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        (code, &answer["verifies"], &answer["receipt"]["case"]),
        (0, &json!(true), &json!(case))
    );

    // Another sentence; another ledger's key.
    std::fs::write(&file, receipt.replace("about 1041", "about 1049")).unwrap();
    assert_eq!(receipt_verify(&["--key", &key]).2, 1);
    std::fs::write(&file, &receipt).unwrap();
    let other = Installation::new();
    let stranger = Site::new(&other.serve(&[]), &other).await.key.to_string();
    let (text, _, code) = receipt_verify(&["--key", &stranger]);
    assert_eq!(code, 1, "{text}");
    assert_eq!(verify(&["--key", &stranger]).2, 1);

    // One bit of one entry.
    let bundle = first_bundle(Path::new(folder));
    let mut bytes = std::fs::read(&bundle).unwrap();
    let middle = bytes.len() / 2;
    *bytes.get_mut(middle).unwrap() ^= 1;
    std::fs::write(&bundle, &bytes).unwrap();
    let (text, _, code) = verify(&["--key", &key]);
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("the ledger does NOT verify: "), "{text}");
    let (text, _, code) = verify(&["--key", &key, "--format", "json"]);
    assert_eq!(code, 1);
    assert_eq!(
        serde_json::from_str::<Value>(&text).unwrap()["verifies"],
        json!(false)
    );
    // What is not there cannot be right; what cannot be read is neither.
    std::fs::remove_file(&bundle).unwrap();
    assert_eq!(verify(&["--key", &key]).2, 1);
    std::fs::create_dir(&bundle).unwrap();
    assert_eq!(verify(&["--key", &key]).2, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_finds_what_is_careless_on_this_machine() {
    let backend = Backend::start().await;
    let installation = Installation::with(&backend);
    installation.edit(
        "# doors = [\"https://panel.example/servers/1/reinstall\"]",
        &format!(
            "doors = [\"{}/countersign/run\", \"{0}/shut\"]",
            backend.url
        ),
    );
    std::fs::set_permissions(
        installation.path("keys/grant.key"),
        std::fs::Permissions::from_mode(0o644),
    )
    .unwrap();
    std::fs::copy(
        installation.path("keys/seal.key"),
        installation.path("keys/codes.key"),
    )
    .unwrap();
    let (text, _, code) = doctor(&installation).await;
    assert_eq!(code, 1, "{text}");
    for found in [
        "problem  file permissions: others on this machine can read ",
        "`keys.codes` and `keys.seal` are the same secret",
        "/shut is shut (404 Not Found)",
        "problem  password: ",
    ] {
        assert!(text.contains(found), "`{found}` is not in {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_is_content_with_a_good_backend() {
    let url = careful_backend(Careful::Yes).await;
    let installation = Installation::new();
    installation.edit("http://localhost:4181", &url);
    installation.edit(
        "# doors = [\"https://panel.example/servers/1/reinstall\"]",
        &format!("doors = [\"{url}/servers/1/reinstall\", \"{url}/servers/2/reinstall\"]"),
    );
    let sink = countersign_service::adapters::smtp_sink::SmtpSink::start(0)
        .await
        .unwrap();
    installation.edit("smtp://localhost:25", &format!("smtp://{}", sink.address()));
    // The backend and the password endpoint keep one secret in this test.
    std::fs::write(installation.path("keys/panel.whsec"), WHSEC).unwrap();
    installation.edit("password.whsec", "panel.whsec");
    checker(&installation, &url);
    installation.append("[staff.second]\nname = \"Second senior\"\nemail = \"second@example.com\"\nroles = [\"senior\"]");
    let (text, _, _) = doctor(&installation).await;
    for found in [
        "ok       procedure: valid; 4 promises, all kept and proved",
        "ok       start: a gate starts with these settings",
        "ok       staff: enough people for every sign-off",
        "/countersign/run refuses requests without a good grant and a good signature",
        "says of an unknown grant that it never saw it",
        "/servers/1/reinstall is shut (403 Forbidden)",
        // It minds what was asked, not who asked.
        "/servers/2/reinstall answered 422 Unprocessable Entity",
        "/countersign/check refuses a request without our signature",
        "/countersign/check refuses a question that somebody else signed",
        "warning  checker `badge`: the procedure has no proof of that name that uses `webhook`",
        "ok       password: a customer that does not exist has no right password",
        "answers and lets us in",
        "ok       clock: ",
    ] {
        assert!(text.contains(found), "`{found}` is not in {text}");
    }
    assert_eq!(
        text.matches("problem  ").count(),
        1,
        "only the shared secret: {text}"
    );
    assert!(sink.mails().is_empty(), "doctor sends nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_warns_of_the_attacks_a_careless_backend_allows() {
    let url = careful_backend(Careful::No).await;
    let installation = Installation::new();
    installation.edit("http://localhost:4181", &url);
    installation.edit(
        "# doors = [\"https://panel.example/servers/1/reinstall\"]",
        &format!("doors = [\"{url}/servers/1/reinstall\"]"),
    );
    checker(&installation, &url);
    let (text, _, code) = doctor(&installation).await;
    assert_eq!(code, 1, "{text}");
    for found in [
        "a request with our signature and no grant was ACCEPTED (200 OK)",
        "a request with our signature and a forged grant was ACCEPTED (200 OK)",
        "a request with a wrong signature was ACCEPTED (200 OK)",
        "a request with no signature was ACCEPTED (200 OK)",
        "/countersign/check ACCEPTED a request without our signature (200 OK)",
        "/countersign/password ACCEPTED a request without our signature (200 OK)",
        "/servers/1/reinstall is OPEN",
        "claims to know a grant that never was",
    ] {
        assert!(text.contains(found), "`{found}` is not in {text}");
    }
}

/// A checker at this backend, with a secret that nobody there knows: it refuses whatever it is asked, or nothing.
fn checker(installation: &Installation, url: &str) {
    let secret = "whsec_ZG9vcmRvb3Jkb29yZG9vcmRvb3Jkb29yZG9vcmRvb3I=";
    let file = installation.path("keys/check.whsec");
    std::fs::write(&file, secret).unwrap();
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o600)).unwrap();
    installation.append(&format!(
        "[checkers.badge]\nurl = \"{url}/countersign/check\"\nsecret = {{ file = \"keys/check.whsec\" }}"
    ));
}

const WHSEC: &str = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Careful {
    Yes,
    No,
}

/// A backend that checks signatures and takes no grant; or one that says yes to everything.
async fn careful_backend(careful: Careful) -> String {
    let signed = |headers: &HeaderMap, body: &[u8]| {
        let text = |name: &str| {
            headers
                .get(name)
                .and_then(|value| value.to_str().ok())
                .unwrap_or_default()
                .to_owned()
        };
        let sent = WebhookHeaders {
            id: text("webhook-id"),
            timestamp: text("webhook-timestamp"),
            signature: text("webhook-signature"),
        };
        let now = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap();
        let now = Timestamp(i64::try_from(now.as_millis()).unwrap());
        WebhookSecrets::parse([WHSEC])
            .unwrap()
            .verify(&sent, body, now)
            .is_ok()
    };
    let yes = careful == Careful::No;
    let run = async move |headers: HeaderMap, body: Bytes| match (yes, signed(&headers, &body)) {
        (true, _) => StatusCode::OK,
        (false, true) => StatusCode::FORBIDDEN,
        (false, false) => StatusCode::UNAUTHORIZED,
    };
    let password = async move |headers: HeaderMap, body: Bytes| {
        let status = if yes || signed(&headers, &body) {
            StatusCode::OK
        } else {
            StatusCode::UNAUTHORIZED
        };
        (status, Json(json!({ "ok": yes })))
    };
    let status = async move || Json(json!({ "outcome": if yes { "done" } else { "never_seen" } }));
    let door = async move || {
        if yes {
            StatusCode::OK
        } else {
            StatusCode::FORBIDDEN
        }
    };
    let router = Router::new()
        .route("/countersign/run", post(run))
        .route("/countersign/check", post(run))
        .route("/countersign/password", post(password))
        .route("/countersign/status/{jti}", get(status))
        .route("/servers/1/reinstall", post(door))
        .route(
            "/servers/2/reinstall",
            post(async || StatusCode::UNPROCESSABLE_ENTITY),
        );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

/// A backend's own log, sent to the gate that runs: an alarm once, however often it is sent.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_is_sent_to_a_gate_that_runs() {
    let backend = Backend::start().await;
    let installation = Installation::with(&backend);
    installation.edit("\"read\"]", "\"read\", \"reconcile\"]");
    let gate = installation.serve(&[]);
    let site = Site::new(&gate, &installation).await;
    let (case, _) = site.whole_case("1041", |_| {}).await.unwrap();
    done(&site, &case).await;
    let at = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_millis();
    let line = |customer: &str| {
        format!("{{\"at\":{at},\"action\":\"note.add\",\"customer\":\"{customer}\"}}\n")
    };
    let log = installation.path("panel.jsonl");
    std::fs::write(&log, format!("{}{}{{\n", line("1041"), line("1042"))).unwrap();
    let token = installation.path("keys/panel.token");
    let (log, token) = (log.to_str().unwrap(), token.to_str().unwrap());
    let send = |token: &str, more: &[&str]| {
        let asked = ["reconcile", log, "--to", &site.url, "--token", token];
        said(&countersign(
            &[&asked[..], &["--connector", "panel"], more].concat(),
        ))
    };
    let leaves = async || -> u64 {
        let (_, note) = site.text("/ledger/checkpoint").await.unwrap();
        note.lines().nth(1).unwrap().parse().unwrap()
    };
    let before = leaves().await;
    let (text, complaint, code) = send(token, &[]);
    assert_eq!(code, 1, "{text}{complaint}");
    assert!(
        text.contains("adherence: 1 of 2") && text.contains("no case was granted that covers it"),
        "{text}"
    );
    // The alarm and the reconciliation; then the reconciliation alone.
    assert_eq!(leaves().await, before + 2);
    let (json, _, code) = send(token, &["--output", "json"]);
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(
        (
            json["uncovered"].as_u64(),
            json["unreadable"].as_u64(),
            code
        ),
        (Some(1), Some(1), 1)
    );
    assert_eq!(leaves().await, before + 3);
    let (_, kept) = site
        .api(Method::GET, "/v1/reconciliations", None, &Value::Null)
        .await
        .unwrap();
    assert_eq!(kept["logs"][0]["uncovered"], 1, "{kept}");

    let stranger = installation.path("stranger.token");
    std::fs::write(&stranger, "cs_machine_nobody").unwrap();
    let (_, complaint, code) = send(stranger.to_str().unwrap(), &[]);
    assert_eq!(code, 2, "{complaint}");
    assert!(complaint.contains("the gate answers 401"), "{complaint}");
    assert!(!complaint.contains("cs_machine"), "{complaint}");
    assert_eq!(gate.end().1, 0);
}

async fn doctor(installation: &Installation) -> (String, String, i32) {
    let config = installation.config();
    tokio::task::spawn_blocking(move || said(&countersign(&["doctor", "--config", &config])))
        .await
        .unwrap()
}

/// Waits until the backend has done it.
async fn done(site: &Site, case: &str) {
    for _ in 0..200 {
        let path = format!("/v1/cases/{case}");
        let (_, found) = site
            .api(Method::GET, &path, None, &Value::Null)
            .await
            .unwrap();
        if found["state"] == json!("done") {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("the backend was never asked to do {case}");
}

fn first_bundle(folder: &Path) -> std::path::PathBuf {
    let entries = folder.join("tile/entries");
    let mut files: Vec<_> = std::fs::read_dir(entries)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let first = files.into_iter().next().unwrap();
    if first.is_dir() {
        std::fs::read_dir(first)
            .unwrap()
            .next()
            .unwrap()
            .unwrap()
            .path()
    } else {
        first
    }
}
