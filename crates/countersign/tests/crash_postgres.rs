//! As `crash`, on PostgreSQL: kill -9 of the gate, of PostgreSQL itself, and a wire that is cut.
//!
//! `CRASHES_POSTGRES=200` sets how often (default 4), `CRASH_SEED` repeats the moments of a run.

mod common;

use std::time::{Duration, Instant};

use common::{
    Installation,
    books::{Books, Load, audit, number, random, seed},
    site::{Backend, Site},
};
use countersign_testkit::postgres::{Cluster, Cut, Proxy, database};

/// The longest a gate lives, in ms.
const LIFE_MS_MAX: u64 = 600;

/// How long something may take that does not depend on us.
const PATIENCE: Duration = Duration::from_secs(30);

fn rounds() -> u64 {
    number("CRASHES_POSTGRES").unwrap_or(4)
}

fn installation(backend: &Backend, address: &str) -> Installation {
    let installation = Installation::with(backend);
    installation.edit("\"countersign.db\"", &format!("\"{address}\""));
    installation
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_by_kill_9_of_the_gate() {
    let Some(database) = database() else { return };
    let mut dice = seed();
    let backend = Backend::start().await;
    let installation = installation(&backend, &database.address());
    let mut books = Books::default();
    for round in 0..rounds() {
        let gate = installation.serve(&[]);
        let site = Site::new(&gate, &installation).await;
        audit(&site, &mut books, &gate).await;
        let load = Load::begin(&site, &format!("r{round}"));
        tokio::time::sleep(Duration::from_millis(random(&mut dice, LIFE_MS_MAX))).await;
        gate.kill();
        load.end(&site, &backend, &mut books).await;
    }
    let gate = installation.serve(&[]);
    let site = Site::new(&gate, &installation).await;
    audit(&site, &mut books, &gate).await;
    assert_eq!(gate.end().1, 0);
    books.tell(&backend);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gate_outlives_its_postgresql() {
    let Some(cluster) = Cluster::start(&[]) else {
        return;
    };
    let database = cluster.database();
    let mut dice = seed();
    let backend = Backend::start().await;
    let installation = installation(&backend, &database.address());
    let mut books = Books::default();
    let gate = installation.serve(&[]);
    let site = Site::new(&gate, &installation).await;
    for round in 0..rounds().div_ceil(2) {
        let load = Load::begin(&site, &format!("p{round}"));
        wait_until("cases are played", || load.heard() > 4).await;
        tokio::time::sleep(Duration::from_millis(random(&mut dice, LIFE_MS_MAX))).await;
        cluster.crash();
        cluster.resume();
        let heard = load.heard();
        wait_until("it goes on by itself", || load.heard() > heard + 8).await;
        load.end(&site, &backend, &mut books).await;
        audit(&site, &mut books, &gate).await;
    }
    assert_eq!(gate.end().1, 0);
    books.tell(&backend);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wire_that_is_cut_loses_and_repeats_nothing() {
    let Some(database) = database() else { return };
    let wire = Proxy::to(&database).unwrap();
    let backend = Backend::start().await;
    let installation = installation(&backend, &wire.address());
    let mut books = Books::default();
    let gate = installation.serve(&[]);
    let site = Site::new(&gate, &installation).await;
    for round in 0..rounds() {
        let load = Load::begin(&site, &format!("w{round}"));
        wait_until("cases are played", || load.heard() > 4).await;
        match round % 4 {
            // For seconds, as when somebody restarts what is in between.
            0 => {
                wire.down();
                wait_until("somebody is turned away", || site.turned_away() > 0).await;
                tokio::time::sleep(Duration::from_secs(2)).await;
                wire.up();
            }
            1 => wire.cut_once(Cut::AfterCommit),
            2 => wire.cut_once(Cut::BeforeCommit),
            _ => {
                wire.stay_down_after(Cut::AfterCommit);
                let cuts = wire.cuts();
                wait_until("a commit is cut off", || wire.cuts() > cuts).await;
                wire.up();
            }
        }
        let heard = load.heard();
        wait_until("it goes on by itself", || load.heard() > heard + 8).await;
        load.end(&site, &backend, &mut books).await;
        audit(&site, &mut books, &gate).await;
    }
    assert_eq!(gate.end().1, 0);
    books.tell(&backend);
}

async fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !done() {
        assert!(
            begin.elapsed() < PATIENCE,
            "not within {PATIENCE:?}: {what}"
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
