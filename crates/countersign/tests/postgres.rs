//! A real installation on PostgreSQL: moved there from SQLite, and served by two gates at once.

#![expect(
    clippy::indexing_slicing,
    reason = "helpers of tests, which clippy does not see as tests"
)]

mod common;

use std::{fmt::Write as _, time::Duration};

use common::{
    Installation, countersign, said,
    site::{Acked, Backend, Site, note},
};
use countersign_testkit::postgres::{self, Cluster, Database};
use reqwest::{Method, StatusCode};
use serde_json::json;
use tokio::time::{Instant, sleep, timeout};

/// Far longer than anything here takes; so that what never comes fails the test.
const LONG: Duration = Duration::from_secs(30);

/// An installation that keeps everything there.
fn on(database: &Database, backend: &Backend) -> Installation {
    let installation = Installation::with(backend);
    use_database(&installation, &database.address());
    installation
}

fn use_database(installation: &Installation, address: &str) {
    installation.edit(
        "database = \"countersign.db\"",
        &format!("database = \"{address}\""),
    );
}

/// Waits until the case is done.
async fn done(site: &Site, case: &str) {
    let began = Instant::now();
    while site.case(case).await["state"] != "done" {
        assert!(began.elapsed() < LONG, "{}", site.case(case).await);
        sleep(Duration::from_millis(20)).await;
    }
}

/// The ledger of a gate, held against its key and a note it gave earlier.
fn verifies(site: &Site, since: Option<&str>) {
    let key = site.key.to_string();
    let mut arguments = vec!["ledger", "verify", &site.url, "--key", &key];
    arguments.extend(since.iter().flat_map(|note| ["--since", *note]));
    let (text, complaint, code) = said(&countersign(&arguments));
    assert_eq!(code, 0, "{text}{complaint}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_installation_moves_with_its_ledger_unchanged() {
    let Some(database) = postgres::database() else {
        return;
    };
    let backend = Backend::start().await;
    let installation = Installation::with(&backend);
    let gate = installation.serve(&[]);
    let site = Site::new(&gate, &installation).await;
    let (case, seat) = site.whole_case("1041", |_| {}).await.unwrap();
    done(&site, &case).await;
    let receipt = site.receipt(&case, &seat).await;
    let receipt_file = installation.path("receipt.json");
    std::fs::write(&receipt_file, &receipt).unwrap();

    let config = installation.config();
    let source = format!("sqlite:{}", installation.path("countersign.db").display());
    let target = database.address();
    let migrate = [
        "migrate", "--config", &config, "--from", &source, "--to", &target,
    ];
    let (_, complaint, code) = said(&countersign(&migrate));
    assert_eq!(code, 2, "a gate has it open");
    assert!(
        complaint.contains("in use by another program"),
        "{complaint}"
    );
    let (status, checkpoint) = site.text("/ledger/checkpoint").await.unwrap();
    assert_eq!(status, StatusCode::OK);
    assert_eq!(gate.end().1, 0);
    let (text, complaint, code) = said(&countersign(&migrate));
    assert_eq!(code, 0, "{text}{complaint}");
    assert!(text.contains("entries of the ledger, "), "{text}");
    let (_, complaint, code) = said(&countersign(&migrate));
    assert_eq!(code, 2, "a second time");
    assert!(complaint.contains("is not empty"), "{complaint}");

    use_database(&installation, &target);
    let (text, _, _) = said(&countersign(&["doctor", "--config", &config]));
    assert!(text.contains("can be opened"), "{text}");
    let gate = installation.serve(&[]);
    let moved = Site::new(&gate, &installation).await;
    // The first start may log; what it was before is all there, to the byte, and the tree only grows.
    let note = installation.path("checkpoint");
    std::fs::write(&note, &checkpoint).unwrap();
    verifies(&moved, note.to_str());
    let size: u64 = checkpoint.lines().nth(1).unwrap().parse().unwrap();
    assert_eq!(
        database.execute(&format!(
            "SELECT note FROM countersign.checkpoint WHERE tree_size = {size}"
        )),
        checkpoint.trim_end()
    );
    let (text, complaint, code) = said(&countersign(&[
        "receipt",
        "verify",
        receipt_file.to_str().unwrap(),
        "--key",
        &moved.key.to_string(),
        "--ledger",
        &moved.url,
    ]));
    assert_eq!(code, 0, "{text}{complaint}");
    assert_eq!(moved.case(&case).await["state"], "done");
    let (case, _) = moved.whole_case("1042", |_| {}).await.unwrap();
    done(&moved, &case).await;
    verifies(&moved, note.to_str());

    // Beside the running gate: figures, and the ledger as files.
    let (text, complaint, code) = said(&countersign(&[
        "statistics",
        "--config",
        &config,
        "--format",
        "json",
    ]));
    assert_eq!(code, 0, "{text}{complaint}");
    let folder = installation.path("exported");
    let folder = folder.to_str().unwrap();
    let (text, complaint, code) = said(&countersign(&[
        "ledger", "export", "--config", &config, folder,
    ]));
    assert_eq!(code, 0, "{text}{complaint}");
    let (text, complaint, code) = said(&countersign(&["ledger", "verify", folder]));
    assert_eq!(code, 0, "{text}{complaint}");
}

/// Opened at one gate, proved at the other, run by whichever is first; the page at the other is live; any of the two may go.
#[tokio::test(flavor = "multi_thread")]
async fn two_gates_serve_one_installation() {
    let Some(database) = postgres::database() else {
        return;
    };
    let backend = Backend::start().await;
    let installation = on(&database, &backend);
    let gates = [installation.serve(&[]), installation.serve(&[])];
    let one = Site::new(&gates[0], &installation).await;
    let two = Site::new(&gates[1], &installation).await;

    let put = json!({ "name": "Ann", "number": "1041" });
    let answer = one.api(Method::PUT, "/v1/customers/1041", None, &put).await;
    assert_eq!(answer.unwrap().0, StatusCode::CREATED);
    let pin = json!({ "pin_hash": one.pin_hash });
    let holding = "/v1/customers/1041/holdings/pin";
    assert!(
        two.api(Method::PUT, holding, None, &pin)
            .await
            .unwrap()
            .0
            .is_success()
    );
    let open = |site: &Site| {
        let site = site.clone();
        async move {
            site.api(Method::POST, "/v1/cases", Some("key-1041"), &note("1041"))
                .await
                .unwrap()
        }
    };
    // The same request at both gates at once is one case: the second waits for the first, or is told to.
    let ((first, opened), (second, again)) = tokio::join!(open(&one), open(&two));
    let ((status, opened), other) = if first.is_success() {
        ((first, opened), (second, again))
    } else {
        ((second, again), (first, opened))
    };
    assert!(status.is_success(), "{opened}");
    if other.0 == StatusCode::CONFLICT {
        assert_eq!(other.1["code"], "request-under-way");
    } else {
        assert_eq!(other.1, opened);
    }
    for site in [&one, &two] {
        assert_eq!(open(site).await.1, opened, "whoever is asked again");
    }
    let case = opened["id"].as_str().unwrap().to_owned();
    let digest = opened["digest"].as_str().unwrap().to_owned();

    // Somebody watches it at the first gate.
    let mut live = one
        .client
        .get(format!("{}/v1/cases/{case}/events", one.url))
        .bearer_auth(&one.token)
        .timeout(LONG)
        .send()
        .await
        .unwrap();
    assert!(live.chunk().await.unwrap().is_some(), "the present version");

    // The customer comes to the second, and once over to the first.
    let link = opened["link"]["url"].as_str().unwrap();
    let path = link.find("/c/").and_then(|at| link.get(at..)).unwrap();
    let (_, link) = two.page(Method::GET, path, "", "").await.unwrap();
    let (_, seat) = two.page(Method::POST, "/c/yes", &link, "").await.unwrap();
    let (status, _) = two
        .page(Method::POST, "/c/prove/pin", &seat, "secret=4711")
        .await
        .unwrap();
    assert_eq!(status, StatusCode::SEE_OTHER);
    let told = timeout(LONG, live.chunk())
        .await
        .expect("live at the other gate")
        .unwrap();
    assert!(String::from_utf8_lossy(&told.unwrap()).contains("changed"));
    let confirm = format!("digest={digest}");
    let (status, _) = one
        .page(Method::POST, "/c/confirm", &seat, &confirm)
        .await
        .unwrap();
    assert_eq!(status, StatusCode::SEE_OTHER);
    done(&two, &case).await;
    assert_eq!(one.case(&case).await["state"], "done");
    assert_eq!(
        backend
            .books()
            .values()
            .map(|run| run.times)
            .collect::<Vec<_>>(),
        [1]
    );
    let note_one = one.text("/ledger/checkpoint").await.unwrap().1;
    let note_two = two.text("/ledger/checkpoint").await.unwrap().1;
    assert_eq!(note_one, note_two);

    // Kill -9 of one: the other goes on. Another comes in its place.
    let [first, second] = gates;
    first.kill();
    let (case, _) = two.whole_case("1042", |_: Acked| {}).await.unwrap();
    done(&two, &case).await;
    let third = installation.serve(&[]);
    let three = Site::new(&third, &installation).await;
    second.kill();
    let (case, _) = three.whole_case("1043", |_: Acked| {}).await.unwrap();
    done(&three, &case).await;
    verifies(&three, None);
    let runs = backend.books();
    assert!(runs.len() == 3 && runs.values().all(|run| run.times == 1));
}

/// `docs/operations.md`, rehearsed: a copy and the archive of the log give back any moment. What was published after that
/// moment is gone, so the gate goes on from none but the last.
#[tokio::test(flavor = "multi_thread")]
async fn a_moment_is_had_back_and_the_gate_goes_on_from_the_last_alone() {
    let Some(cluster) = Cluster::archiving() else {
        return;
    };
    let database = cluster.database();
    let backend = Backend::start().await;
    let installation = on(&database, &backend);
    let config = installation.config();
    let gate = installation.serve(&[]);
    let site = Site::new(&gate, &installation).await;
    let case = async |site: &Site, id: &str| {
        let (case, _) = site.whole_case(id, |_| {}).await.unwrap();
        done(site, &case).await;
        case
    };
    let published = async |name: &str| {
        let (_, note) = site.text("/ledger/checkpoint").await.unwrap();
        let kept = installation.path(name);
        std::fs::write(&kept, note).unwrap();
        kept.to_str().unwrap().to_owned()
    };
    let before = case(&site, "before").await;
    tokio::task::block_in_place(|| cluster.back_up());
    let between = case(&site, "between").await;
    let kept_between = published("between.kept").await;
    let moment = database.execute("SELECT clock_timestamp()");
    let after = case(&site, "after").await;
    let kept = published("last.kept").await;
    // The gate's last word is in the archive, and then the machine is gone.
    gate.kill();
    tokio::task::block_in_place(|| cluster.archive());
    let cases = || {
        database.execute("SELECT string_agg(key, ' ') FROM countersign.record WHERE space = 'case'")
    };

    tokio::task::block_in_place(|| cluster.restore(Some(&moment)));
    let found = cases();
    assert!(
        found.contains(&before) && found.contains(&between),
        "{found}"
    );
    assert!(!found.contains(&after), "{found}");
    // Whole, and its ledger begins with what was published until then; but not with what was published since.
    let folder = installation.path("ledger-between");
    let folder = folder.to_str().unwrap();
    let key = site.key.to_string();
    let (text, complaint, code) = said(&countersign(&[
        "ledger", "export", "--config", &config, folder,
    ]));
    assert_eq!(code, 0, "{text}{complaint}");
    let verify = ["ledger", "verify", folder, "--key", &key, "--since"];
    let (text, complaint, code) = said(&countersign(&[&verify[..], &[&kept_between]].concat()));
    assert_eq!(code, 0, "{text}{complaint}");
    let (text, complaint, code) = said(&countersign(&[&verify[..], &[&kept]].concat()));
    assert_ne!(code, 0, "{text}{complaint}");
    let (_, complaint, code) = said(&countersign(&[
        "serve", "--config", &config, "--since", &kept,
    ]));
    assert_eq!(code, 2, "{complaint}");
    assert!(
        complaint.contains("were published: what came between is gone"),
        "{complaint}"
    );

    // From the same copy once more, with all that was archived: nothing that was acknowledged is missing.
    tokio::task::block_in_place(|| cluster.restore(None));
    assert!(cases().contains(&after));
    let gate = installation.serve(&["--since", &kept]);
    let site = Site::new(&gate, &installation).await;
    assert_eq!(site.case(&after).await["state"], "done");
    case(&site, "again").await;
    verifies(&site, Some(&kept));
    assert_eq!(gate.end().1, 0);
    assert!(backend.books().len() == 4 && backend.books().values().all(|run| run.times == 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_served_says_what_to_do() {
    let backend = Backend::start().await;
    let installation = Installation::with(&backend);
    for (address, says) in [
        (
            "postgres://gate:s3cr@db/x",
            "stands apart, at `database_password`",
        ),
        (
            "postgres://gate@db/x?pasword=s3cr",
            "`pasword` is not known",
        ),
        (
            "mysql://gate@db/x",
            "or an address such as `postgres://user@host/database`",
        ),
        (
            "postgres://gate@localhost/x?host=/nonexistent",
            "cannot connect to PostgreSQL at `/nonexistent`",
        ),
    ] {
        let text = std::fs::read_to_string(installation.path("countersign.toml")).unwrap();
        use_database(&installation, address);
        let (_, complaint, code) =
            said(&countersign(&["serve", "--config", &installation.config()]));
        assert_eq!(code, 2, "{complaint}");
        assert!(
            complaint.contains(says) && !complaint.contains("s3cr"),
            "{complaint}"
        );
        std::fs::write(installation.path("countersign.toml"), text).unwrap();
    }
    let Some(cluster) = Cluster::start(&["fsync=off"]) else {
        return;
    };
    let database = cluster.database();
    use_database(&installation, &database.address());
    let (_, complaint, code) = said(&countersign(&["serve", "--config", &installation.config()]));
    assert_eq!(code, 2, "{complaint}");
    assert!(
        complaint.contains("set it to `on` for this database and restart the gate"),
        "{complaint}"
    );
    let (text, _, code) = said(&countersign(&[
        "doctor",
        "--config",
        &installation.config(),
    ]));
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("has `fsync` set to `off`"), "{text}");
}

/// A password comes from a file or the environment, reaches the server, and stands nowhere else.
#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_used_and_not_told() {
    let Some(cluster) = Cluster::start(&["password_encryption=scram-sha-256"]) else {
        return;
    };
    let database = cluster.database();
    database.execute(
        "CREATE ROLE gate LOGIN PASSWORD 'pa55-of-the-gate'; GRANT CREATE ON DATABASE postgres TO gate",
    );
    database.execute(&format!(
        "GRANT CREATE ON DATABASE {} TO gate",
        database.name()
    ));
    cluster.ask_for_passwords_of("gate");
    let backend = Backend::start().await;
    let installation = Installation::with(&backend);
    use_database(
        &installation,
        &database.address().replace("countersign@", "gate@"),
    );
    let serve = || said(&countersign(&["serve", "--config", &installation.config()]));
    let (_, complaint, code) = serve();
    assert_eq!(code, 2, "{complaint}");
    assert!(
        complaint.contains("cannot connect to PostgreSQL"),
        "{complaint}"
    );
    std::fs::write(
        installation.path("keys/database.password"),
        "pa55-of-the-gate\n",
    )
    .unwrap();
    installation.edit("# database_password", "database_password");
    let gate = installation.serve(&[]);
    let site = Site::new(&gate, &installation).await;
    let (case, _) = site.whole_case("1041", |_| {}).await.unwrap();
    done(&site, &case).await;
    assert_eq!(gate.end().1, 0);
    assert!(!installation.read("log").contains("pa55"));
    std::fs::write(installation.path("keys/database.password"), "pa55-wrong").unwrap();
    let (_, complaint, code) = serve();
    assert_eq!(code, 2, "{complaint}");
    assert!(
        !complaint.contains("pa55") && complaint.contains("password authentication failed"),
        "{complaint}"
    );
}

/// Prints what `docs/scale.md` reckons with: rows and bytes of one case from opening to receipt, the mean of three hundred
/// with `COUNTERSIGN_WEIGH=1 cargo test -p countersign --test postgres weighs -- --nocapture`.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_case_weighs() {
    let cases: u32 = if std::env::var_os("COUNTERSIGN_WEIGH").is_some() {
        300
    } else {
        3
    };
    let Some(database) = postgres::database() else {
        return;
    };
    let backend = Backend::start().await;
    let installation = on(&database, &backend);
    let gate = installation.serve(&[]);
    let site = Site::new(&gate, &installation).await;
    let mut last = String::new();
    for n in 0..cases {
        last = site.whole_case(&format!("{n:06}"), |_| {}).await.unwrap().0;
    }
    done(&site, &last).await;
    assert_eq!(gate.end().1, 0);
    let table = |name: &str, bytes: &str| {
        database.execute(&format!(
            "SELECT count(*)::float / {cases}, coalesce(avg({bytes}), 0)::int, pg_total_relation_size('countersign.{name}') / {cases} FROM countersign.{name}"
        ))
    };
    let mut answer = String::from("table|rows a case|bytes a row|bytes a case on disk\n");
    for (name, bytes) in [
        ("event", "length(data)"),
        ("leaf", "length(data)"),
        ("record", "length(value)"),
        ("checkpoint", "length(note)"),
        ("tile", "length(data)"),
        ("work", "length(body)"),
    ] {
        writeln!(answer, "{name}|{}", table(name, bytes)).unwrap();
    }
    answer.push_str(&database.execute(
        "SELECT kind, count(*), avg(length(data))::int FROM countersign.event GROUP BY 1 ORDER BY 2 DESC",
    ));
    answer.push('\n');
    answer.push_str(&database.execute(
        "SELECT space, count(*), avg(length(value))::int FROM countersign.record GROUP BY 1 ORDER BY 2 DESC",
    ));
    // For whoever asked; and what scale.md says of the number of events a case has is not wrong by a half.
    println!("{answer}");
    let events = table("event", "length(data)");
    let events: f64 = events.split('|').next().unwrap().parse().unwrap();
    assert!((5.0..=15.0).contains(&events), "{answer}");
}
