//! What a PostgreSQL journal refuses to open, and that it says what to do.

use std::sync::Arc;

use countersign_store::{
    Batch, CheckpointSigner, Clock, Journal as _, OpenError, PostgresAddress, PostgresJournal,
    conformance::RecordingSigner,
};
use countersign_testkit::postgres::{self, Cluster, Database};

async fn refusal(database: &Database) -> OpenError {
    match super::open_with(
        &database.address(),
        Arc::new(RecordingSigner::default()),
        Clock::system(),
    )
    .await
    {
        Ok(_) => panic!("it was opened"),
        Err(error) => error,
    }
}

/// A closed journal with 300 leaves.
async fn filled() -> Option<Database> {
    let database = postgres::database()?;
    let signer = Arc::new(RecordingSigner::default());
    let journal = super::open(&database, &signer).await;
    let leaves = (0..300_u32).map(|n| n.to_be_bytes().to_vec()).collect();
    journal
        .commit(Batch {
            leaves,
            ..Batch::default()
        })
        .await
        .unwrap();
    journal.close().await;
    Some(database)
}

/// Whatever of the ledger's edge does not fit the rest, the store does not go on with it.
#[tokio::test]
async fn a_damaged_ledger_is_refused() {
    let Some(sound) = filled().await else { return };
    let zeros = "decode(repeat('00', 32), 'hex')";
    let free = "ALTER TABLE countersign.leaf DISABLE TRIGGER ALL; ALTER TABLE countersign.checkpoint DISABLE TRIGGER ALL;";
    let enabled = "; ALTER TABLE countersign.leaf ENABLE TRIGGER ALL; ALTER TABLE countersign.checkpoint ENABLE TRIGGER ALL";
    let damages = [
        format!("UPDATE countersign.tile SET data = {zeros} WHERE level = 1"),
        "DELETE FROM countersign.tile WHERE level = 1".into(),
        "DELETE FROM countersign.leaf WHERE leaf_index = 299".into(),
        "UPDATE countersign.leaf SET data = 'x' WHERE leaf_index = 270".into(),
        "INSERT INTO countersign.leaf VALUES (300, 'x')".into(),
        format!("UPDATE countersign.checkpoint SET root = {zeros} WHERE tree_size = 300"),
        "DELETE FROM countersign.checkpoint WHERE tree_size = 300".into(),
        format!("INSERT INTO countersign.checkpoint VALUES (301, {zeros}, NULL)"),
        "UPDATE countersign.head SET tree_size = 299".into(),
        "UPDATE countersign.head SET position = 1".into(),
        "INSERT INTO countersign.event VALUES ('ann/a', 1, 1, 'k', 1, 0, '{}', NULL)".into(),
    ];
    for damage in damages {
        let database = sound.copy();
        database.execute(&format!("{free} {damage} {enabled}"));
        let error = refusal(&database).await;
        assert!(
            matches!(error, OpenError::Damaged { .. }),
            "{damage}: {error}"
        );
        assert!(
            error.to_string().contains("restore the newest backup"),
            "{error}"
        );
    }
    super::open(&sound, &Arc::default()).await;
}

#[tokio::test]
async fn what_is_newer_or_half_migrated_is_refused_and_left_alone() {
    let Some(sound) = filled().await else { return };
    for (change, says) in [
        (
            "UPDATE countersign.schema_version SET version = 7",
            "schema version 7, this program knows up to 1; run the newer program",
        ),
        (
            "DROP TABLE countersign.work",
            "half migrated: `work.attempts` is missing; restore the copy",
        ),
        (
            "ALTER TABLE countersign.event DROP COLUMN leaf",
            "half migrated: `event.leaf` is missing",
        ),
        (
            "DROP INDEX countersign.work_by_due",
            "half migrated: `index:work_by_due` is missing",
        ),
        (
            "DROP TRIGGER leaf_stays ON countersign.leaf",
            "half migrated: `trigger:leaf_stays` is missing",
        ),
        (
            "ALTER TABLE countersign.event DISABLE TRIGGER event_is_final",
            "half migrated: `trigger:event_is_final` is missing",
        ),
        (
            "DROP TABLE countersign.schema_version",
            "half migrated: there are tables, and nothing says of which version",
        ),
        (
            "DELETE FROM countersign.schema_version",
            "half migrated: its version was never written down",
        ),
        (
            "DELETE FROM countersign.head",
            "half migrated: its ledger was never begun",
        ),
    ] {
        let database = sound.copy();
        database.execute(change);
        let error = refusal(&database).await.to_string();
        assert!(error.contains(says), "{change}: {error}");
        assert_eq!(
            database.execute("SELECT count(*) FROM countersign.leaf"),
            "300"
        );
    }
}

#[tokio::test]
async fn another_log_is_refused() {
    #[derive(Debug)]
    struct Other;
    impl CheckpointSigner for Other {
        fn origin(&self) -> &'static str {
            "other.example/ledger"
        }
        fn sign(&self, _: u64, _: [u8; 32]) -> String {
            panic!("nothing of another log is signed")
        }
    }
    let Some(database) = filled().await else {
        return;
    };
    let error = super::open_with(&database.address(), Arc::new(Other), Clock::system())
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("conformance.example/ledger") && error.contains("other.example/ledger"),
        "{error}"
    );
}

/// Settings of a database or a user, which win over the server's own.
#[tokio::test]
async fn a_database_whose_transactions_mean_something_else_is_refused() {
    for (setting, found) in [
        ("default_transaction_isolation", "serializable"),
        ("default_transaction_isolation", "repeatable read"),
        ("default_transaction_read_only", "on"),
        ("synchronous_commit", "off"),
    ] {
        let Some(database) = postgres::database() else {
            return;
        };
        database.execute(&format!(
            "ALTER DATABASE {} SET {setting} = '{found}'",
            database.name()
        ));
        let error = refusal(&database).await.to_string();
        assert!(
            error.starts_with(&format!(
                "the server has `{setting}` set to `{found}`; set it to `"
            )),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_server_that_would_lose_what_it_has_acknowledged_is_refused() {
    for setting in ["fsync", "full_page_writes"] {
        let Some(cluster) = Cluster::start(&[&format!("{setting}=off")]) else {
            return;
        };
        let database = cluster.database();
        let error = refusal(&database).await.to_string();
        assert!(
            error.starts_with(&format!(
                "the server has `{setting}` set to `off`; set it to `on`"
            )),
            "{error}"
        );
        assert_eq!(
            database.execute("SELECT to_regnamespace('countersign') IS NULL"),
            "t"
        );
    }
}

#[tokio::test]
async fn a_standby_is_refused() {
    let Some(cluster) = Cluster::start(&["hot_standby=on"]) else {
        return;
    };
    let database = cluster.database();
    cluster.follow_nobody();
    let error = refusal(&database).await;
    assert!(matches!(error, OpenError::Standby), "{error}");
    assert!(
        error.to_string().contains("the primary's address"),
        "{error}"
    );
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named_without_its_password() {
    let address = PostgresAddress::parse("postgres://gate@localhost/x?host=/nonexistent/folder")
        .unwrap()
        .with_password("s3cr");
    let signer = Arc::new(RecordingSigner::default());
    let error = PostgresJournal::open(&address, signer).await.unwrap_err();
    let says = format!("{error} {error:?}");
    assert!(
        says.contains("cannot connect to PostgreSQL at `/nonexistent/folder`"),
        "{says}"
    );
    assert!(!says.contains("s3cr"), "{says}");
}

/// History is protected from mistakes in code, too.
#[tokio::test]
async fn nothing_written_for_good_can_be_rewritten() {
    let Some(database) = filled().await else {
        return;
    };
    database.execute("INSERT INTO countersign.event VALUES ('ann/a', 1, 1, 'k', 1, 0, '{}', 3)");
    for (rewrite, says) in [
        ("UPDATE countersign.event SET data = ''", "never rewritten"),
        ("TRUNCATE countersign.event", "never rewritten"),
        (
            "UPDATE countersign.leaf SET data = 'x' WHERE leaf_index = 3",
            "never rewritten",
        ),
        (
            "DELETE FROM countersign.leaf WHERE leaf_index = 3",
            "never deleted",
        ),
        ("TRUNCATE countersign.leaf", "never deleted"),
        (
            "UPDATE countersign.checkpoint SET root = decode(repeat('00', 32), 'hex')",
            "never rewritten",
        ),
        ("DELETE FROM countersign.checkpoint", "never deleted"),
        (
            "INSERT INTO countersign.checkpoint VALUES (300, decode(repeat('00', 32), 'hex'), NULL)",
            "duplicate key",
        ),
        (
            "INSERT INTO countersign.event VALUES ('ann/b', 1, 1, 'k', 1, 0, '{}', NULL)",
            "duplicate key",
        ),
    ] {
        let error = database.try_execute(rewrite).unwrap_err().to_string();
        assert!(error.contains(says), "{rewrite}: {error}");
    }
}
