//! The harness's own PostgreSQL: made, killed, started again, and gone when its owner is.

#![cfg(unix)]

use countersign_testkit::postgres::{self, Cluster};
use std::os::unix::net::UnixStream;

#[test]
fn each_test_has_a_database_of_its_own() {
    let Some(one) = postgres::database() else {
        return;
    };
    one.execute("CREATE TABLE t (n INT)");
    one.execute("INSERT INTO t VALUES (7)");
    let copy = one.copy();
    one.execute("DELETE FROM t");
    assert_eq!(copy.execute("SELECT n FROM t"), "7");
    let other = postgres::database().unwrap();
    assert_eq!(other.execute("SELECT to_regclass('t') IS NULL"), "t");
    let name = one.name().to_owned();
    drop(one);
    assert_eq!(
        other.execute(&format!(
            "SELECT count(*) FROM pg_database WHERE datname = '{name}'"
        )),
        "0"
    );
}

#[test]
fn a_killed_cluster_comes_back_with_what_was_committed() {
    let Some(cluster) = Cluster::start(&["work_mem=1MB"]) else {
        return;
    };
    let database = cluster.database();
    assert_eq!(database.execute("SHOW work_mem"), "1MB");
    assert_eq!(database.execute("SHOW fsync"), "on");
    database.execute("CREATE TABLE t (n INT); INSERT INTO t VALUES (7)");
    cluster.crash();
    let socket = cluster.folder().join(".s.PGSQL.5432");
    assert!(UnixStream::connect(&socket).is_err(), "nobody is left");
    cluster.resume();
    assert_eq!(database.execute("SELECT n FROM t"), "7");
    cluster.stop();
    cluster.resume();
    assert_eq!(database.execute("SELECT n FROM t"), "7");
    let folder = cluster.folder().to_owned();
    drop(database);
    drop(cluster);
    assert!(!folder.exists());
}
