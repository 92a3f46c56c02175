//! Kill -9 at random moments under load, a disk that is full, a clock that goes back: and after each an audit of everything
//! that was acknowledged.
//!
//! The real program on a real installation, driven over HTTP: customers are
//! put, cases opened, PINs proved, sentences confirmed, and grants carried to
//! a backend that keeps its own books. After every kill the gate is started
//! again on the same database and held against what it had said.
//!
//! `CRASHES=200` sets how often (default 10), `CRASH_SEED` repeats the moments of a run.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests, which clippy does not see as tests"
)]

mod common;

use std::{path::PathBuf, time::Duration};

use common::{
    Installation,
    books::{Books, Load, audit, number, random, seed},
    countersign, said,
    site::{Backend, Site},
};
use reqwest::{Method, StatusCode};
use serde_json::json;

/// The longest a gate lives, in ms.
const LIFE_MS_MAX: u64 = 400;

/// How long something may take that does not depend on us.
const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_by_kill_9() {
    let crashes: u64 = number("CRASHES").unwrap_or(10);
    let mut dice = seed();
    let backend = Backend::start().await;
    let installation = Installation::with(&backend);
    let mut books = Books::default();

    for round in 0..crashes {
        let gate = installation.serve(&[]);
        let site = Site::new(&gate, &installation).await;
        a_second_one_is_refused(&installation);
        audit(&site, &mut books, &gate).await;
        let load = Load::begin(&site, &format!("r{round}"));
        tokio::time::sleep(Duration::from_millis(random(&mut dice, LIFE_MS_MAX))).await;
        gate.kill();
        load.end(&site, &backend, &mut books).await;
        assert_eq!(site.turned_away(), 0, "a gate that runs serves everybody");
    }
    let gate = installation.serve(&[]);
    let site = Site::new(&gate, &installation).await;
    audit(&site, &mut books, &gate).await;
    let (_, code) = gate.end();
    assert_eq!(code, 0, "it ends well when it is asked to");
    books.tell(&backend);
}

/// A second program on the same file.
fn a_second_one_is_refused(installation: &Installation) {
    let (_, complaint, code) = said(&countersign(&["serve", "--config", &installation.config()]));
    assert_eq!(code, 2, "{complaint}");
    assert!(
        complaint.contains("in use by another program"),
        "{complaint}"
    );
}

/// `./test` makes a file system of 8 MB in memory and says where. Full, the gate turns people away and goes on reading; with
/// room again it goes on by itself; and a kill in between loses nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_turns_away_and_loses_nothing() {
    let Some(disk) = std::env::var_os("COUNTERSIGN_SMALL_DISK_OF_GATE").map(PathBuf::from) else {
        println!(
            "left out: COUNTERSIGN_SMALL_DISK_OF_GATE names no small file system; ./test makes one"
        );
        return;
    };
    let folder = tempfile::tempdir_in(&disk).unwrap();
    let backend = Backend::start().await;
    let installation = Installation::with(&backend);
    let database = folder.path().join("gate.db");
    installation.edit(
        "\"countersign.db\"",
        &format!("{:?}", database.to_str().unwrap()),
    );
    let mut books = Books::default();

    let mut gate = installation.serve(&[]);
    for round in 0..4 {
        let site = Site::new(&gate, &installation).await;
        audit(&site, &mut books, &gate).await;
        let load = Load::begin(&site, &format!("d{round}"));
        tokio::time::sleep(Duration::from_millis(150)).await;
        let ballast = folder.path().join("ballast");
        fill(&ballast);
        wait_until("somebody is turned away", || site.turned_away() > 0).await;
        // What was read before is read still.
        let (status, _) = site.text("/ledger/checkpoint").await.unwrap();
        assert_eq!(status, StatusCode::OK);
        if round % 2 == 0 {
            std::fs::remove_file(&ballast).unwrap();
            let heard = load.heard();
            wait_until("it goes on by itself", || load.heard() > heard + 4).await;
        } else {
            gate.kill();
            std::fs::remove_file(&ballast).unwrap();
            gate = installation.serve(&[]);
        }
        load.end(&site, &backend, &mut books).await;
    }
    let site = Site::new(&gate, &installation).await;
    audit(&site, &mut books, &gate).await;
    assert_eq!(gate.end().1, 0);
    books.tell(&backend);
}

/// Takes all the room there is.
fn fill(ballast: &std::path::Path) {
    use std::io::Write as _;
    let mut file = std::fs::File::create(ballast).unwrap();
    for size in [1 << 16, 1 << 12, 1] {
        let some = vec![7_u8; size];
        while file.write_all(&some).is_ok() {}
    }
}

async fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let begin = std::time::Instant::now();
    while !done() {
        assert!(
            begin.elapsed() < PATIENCE,
            "not within {PATIENCE:?}: {what}"
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// The machine's clock is set back by an hour while people are served, and forward again (libfaketime stands between the
/// program and its clock; `./test` installs it).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_set_back_loses_nothing_and_repeats_nothing() {
    let Some(library) = faketime() else {
        println!(
            "left out: no libfaketime; install Debian's `libfaketime`, or run ./test, which does"
        );
        assert!(
            std::env::var_os("COUNTERSIGN_FAKETIME_REQUIRED").is_none(),
            "no libfaketime"
        );
        return;
    };
    let backend = Backend::start().await;
    let installation = Installation::with(&backend);
    let clock = installation.path("clock");
    let set = |offset: &str| {
        // Replaced whole: the program reads it at any moment.
        let new = installation.path("clock.new");
        std::fs::write(&new, offset).unwrap();
        std::fs::rename(&new, &clock).unwrap();
    };
    set("+0");
    let environment = [
        ("LD_PRELOAD", library.to_str().unwrap()),
        ("FAKETIME_TIMESTAMP_FILE", clock.to_str().unwrap()),
        ("FAKETIME_NO_CACHE", "1"),
        ("DONT_FAKE_MONOTONIC", "1"),
    ];
    let mut books = Books::default();
    // Forward only while nobody is served: an hour later every page has run out.
    let turns = [("+0", "-3600"), ("+7200", "-1"), ("+0", "-86400")];
    for (round, (before, under_way)) in turns.into_iter().enumerate() {
        set(before);
        let gate = installation.serve_with(&[], &environment);
        let site = Site::new(&gate, &installation).await;
        let load = Load::begin(&site, &format!("t{round}"));
        wait_until("cases are played", || load.heard() > 8).await;
        set(under_way);
        let heard = load.heard();
        wait_until("cases are played after the clock was set", || {
            load.heard() > heard + 12
        })
        .await;
        load.end(&site, &backend, &mut books).await;
        // One whose opening the clock now says is yet to come.
        let (status, answer) = site
            .api(
                Method::PUT,
                "/v1/customers/late",
                None,
                &json!({ "name": "Late", "number": "1" }),
            )
            .await
            .unwrap();
        assert!(status.is_success(), "{answer}");
        audit(&site, &mut books, &gate).await;
        // Killed, and begun again with the clock where it is.
        gate.kill();
        let gate = installation.serve_with(&[], &environment);
        let site = Site::new(&gate, &installation).await;
        audit(&site, &mut books, &gate).await;
        assert_eq!(gate.end().1, 0);
    }
    books.tell(&backend);
}

fn faketime() -> Option<PathBuf> {
    let found = std::fs::read_dir("/usr/lib").ok()?.filter_map(Result::ok);
    found
        .map(|triple| triple.path().join("faketime/libfaketimeMT.so.1"))
        .find(|library| library.exists())
}
