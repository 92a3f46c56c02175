//! What a SQLite journal refuses to open, and that it says what to do.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests, which clippy does not see as tests"
)]

use std::{fs, path::Path, sync::Arc};

use countersign_store::{
    Batch, CheckpointSigner, Clock, Journal, OpenError, SqliteJournal, conformance::RecordingSigner,
};
use sqlx::{AssertSqlSafe, Connection, SqliteConnection};

async fn open(path: &Path) -> Result<SqliteJournal, OpenError> {
    SqliteJournal::open(path, Arc::new(RecordingSigner::default())).await
}

/// A closed journal with 300 leaves.
async fn filled(path: &Path) {
    let journal = open(path).await.unwrap();
    let leaves = (0..300_u32).map(|n| n.to_be_bytes().to_vec()).collect();
    journal
        .commit(Batch {
            leaves,
            ..Batch::default()
        })
        .await
        .unwrap();
    journal.close().await;
}

async fn execute(path: &Path, sql: &str) {
    let mut connection = SqliteConnection::connect(&format!("sqlite:{}?mode=rwc", path.display()))
        .await
        .unwrap();
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
}

#[tokio::test]
async fn a_database_in_use_is_refused_under_every_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    let journal = open(&path).await.unwrap();
    let error = open(&path).await.unwrap_err();
    assert!(matches!(error, OpenError::InUse { .. }), "{error}");
    assert!(error.to_string().contains("stop that one first"), "{error}");
    #[cfg(unix)]
    {
        let alias = folder.path().join("alias.db");
        std::os::unix::fs::symlink(&path, &alias).unwrap();
        assert!(matches!(open(&alias).await, Err(OpenError::InUse { .. })));
    }
    // The one that has it is not disturbed.
    journal
        .commit(Batch {
            leaves: vec![vec![1]],
            ..Batch::default()
        })
        .await
        .unwrap();
    journal.close().await;
    assert!(journal.commit(Batch::default()).await.is_err());
    assert!(journal.follow(0, 1).await.is_err());
    let journal = open(&path).await.unwrap();
    assert!(journal.tile("tile/0/000.p/1").await.unwrap().is_some());
}

#[cfg(unix)]
#[tokio::test]
async fn nobody_else_may_read_the_files() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let _journal = open(&folder.path().join("journal.db")).await.unwrap();
    let mut names = Vec::new();
    for file in fs::read_dir(folder.path()).unwrap() {
        let file = file.unwrap();
        assert_eq!(
            file.metadata().unwrap().permissions().mode() & 0o777,
            0o600,
            "{:?}",
            file.path()
        );
        names.push(file.file_name().into_string().unwrap());
    }
    names.sort();
    assert_eq!(
        names,
        [
            "journal.db",
            "journal.db-shm",
            "journal.db-wal",
            "journal.db.lock"
        ]
    );
}

#[tokio::test]
async fn what_is_not_ours_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("notes.txt");
    fs::write(&text, "Dear diary, ".repeat(200)).unwrap();
    let foreign = folder.path().join("foreign.db");
    execute(&foreign, "CREATE TABLE t (x); INSERT INTO t VALUES (1);").await;
    let newer = folder.path().join("newer.db");
    filled(&newer).await;
    execute(&newer, "PRAGMA user_version = 7").await;

    for (path, says) in [
        (&text, "not a countersign database"),
        (&foreign, "not a countersign database"),
        (&newer, "run the newer program"),
    ] {
        let before = fs::read(path).unwrap();
        let error = open(path).await.unwrap_err();
        assert!(
            matches!(
                error,
                OpenError::NotOurs | OpenError::Newer { found: 7, known: 1 }
            ),
            "{error}"
        );
        assert!(error.to_string().contains(says), "{error}");
        assert_eq!(fs::read(path).unwrap(), before, "{}", path.display());
    }
    let nowhere = open(&folder.path().join("no/such/folder.db"))
        .await
        .unwrap_err();
    assert!(matches!(nowhere, OpenError::File { .. }), "{nowhere}");
}

/// An upgrade that was begun by something else than this program, which does it in one transaction.
#[tokio::test]
async fn a_half_migrated_database_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    for (n, (change, missing)) in [
        ("DROP TABLE work", "work.attempts"),
        ("ALTER TABLE work RENAME COLUMN body TO text", "work.body"),
        ("DROP INDEX work_by_due", "index:work_by_due"),
        ("DROP TRIGGER leaf_stays", "trigger:leaf_stays"),
    ]
    .into_iter()
    .enumerate()
    {
        let path = folder.path().join(format!("{n}.db"));
        filled(&path).await;
        execute(&path, change).await;
        let before = fs::read(&path).unwrap();
        let error = open(&path).await.unwrap_err();
        assert!(matches!(error, OpenError::HalfMigrated { .. }), "{error}");
        let says = format!("half migrated: `{missing}` is missing; restore the copy");
        assert!(error.to_string().contains(&says), "{error}");
        let error = SqliteJournal::open_to_read(&path, Clock::system())
            .await
            .unwrap_err();
        assert!(matches!(error, OpenError::HalfMigrated { .. }), "{error}");
        assert_eq!(fs::read(&path).unwrap(), before, "{change}");
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
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    filled(&path).await;
    let error = SqliteJournal::open(&path, Arc::new(Other))
        .await
        .unwrap_err();
    let says = error.to_string();
    assert!(
        says.contains("conformance.example/ledger") && says.contains("other.example/ledger"),
        "{says}"
    );
    open(&path).await.unwrap();
}

/// Whatever of the ledger's edge does not fit the rest, the store does not go on with it.
#[tokio::test]
async fn a_damaged_ledger_is_refused() {
    let damages = [
        "UPDATE tile SET data = zeroblob(length(data)) WHERE level = 0 AND tile_index = 1",
        "UPDATE tile SET data = zeroblob(length(data)) WHERE level = 1",
        "UPDATE tile SET data = substr(data, 1, 64) WHERE level = 0 AND tile_index = 1",
        "DELETE FROM tile WHERE level = 1",
        "DELETE FROM tile WHERE level = 0 AND tile_index = 1",
        "DROP TRIGGER leaf_stays; DELETE FROM leaf WHERE leaf_index = 299;
         CREATE TRIGGER leaf_stays BEFORE DELETE ON leaf BEGIN SELECT 1; END",
        "DROP TRIGGER leaf_is_final; UPDATE leaf SET data = x'00' WHERE leaf_index = 270;
         CREATE TRIGGER leaf_is_final BEFORE UPDATE ON leaf BEGIN SELECT 1; END",
        "INSERT INTO leaf VALUES (300, x'00')",
        "DROP TRIGGER checkpoint_is_final; UPDATE checkpoint SET root = zeroblob(32) WHERE tree_size = 300;
         CREATE TRIGGER checkpoint_is_final BEFORE UPDATE ON checkpoint BEGIN SELECT 1; END",
        "DROP TRIGGER checkpoint_stays; DELETE FROM checkpoint WHERE tree_size = 300;
         CREATE TRIGGER checkpoint_stays BEFORE DELETE ON checkpoint BEGIN SELECT 1; END",
        "INSERT INTO checkpoint VALUES (301, zeroblob(32), NULL)",
        "UPDATE head SET tree_size = 299",
        "UPDATE head SET position = 1",
        "INSERT INTO event VALUES ('ann/a', 1, 1, 'k', 1, 0, '{}', NULL)",
    ];
    let folder = tempfile::tempdir().unwrap();
    for (n, damage) in damages.into_iter().enumerate() {
        let path = folder.path().join(format!("{n}.db"));
        filled(&path).await;
        open(&path).await.unwrap().close().await;
        execute(&path, damage).await;
        let Err(error) = open(&path).await else {
            panic!("opened after `{damage}`");
        };
        assert!(
            matches!(error, OpenError::Damaged { .. }),
            "{damage}: {error}"
        );
        assert!(
            error.to_string().contains("restore the newest backup"),
            "{error}"
        );
    }
}

/// History is protected from mistakes in code, too.
#[tokio::test]
async fn nothing_written_for_good_can_be_rewritten() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    filled(&path).await;
    execute(
        &path,
        "INSERT INTO event VALUES ('ann/a', 1, 1, 'k', 1, 0, '{}', 3)",
    )
    .await;
    for (rewrite, says) in [
        ("UPDATE event SET data = ''", "never rewritten"),
        (
            "UPDATE leaf SET data = x'00' WHERE leaf_index = 3",
            "never rewritten",
        ),
        ("DELETE FROM leaf WHERE leaf_index = 3", "never deleted"),
        (
            "UPDATE checkpoint SET root = zeroblob(32)",
            "never rewritten",
        ),
        ("DELETE FROM checkpoint", "never deleted"),
        (
            "INSERT INTO checkpoint VALUES (300, zeroblob(32), NULL)",
            "UNIQUE",
        ),
        (
            "INSERT INTO event VALUES ('ann/a', 2, 2, 'k', 1, 0, '{}', 300)",
            "FOREIGN KEY",
        ),
        (
            "INSERT INTO event VALUES ('ann/b', 1, 1, 'k', 1, 0, '{}', NULL)",
            "UNIQUE",
        ),
    ] {
        let mut connection = SqliteConnection::connect(&format!("sqlite:{}", path.display()))
            .await
            .unwrap();
        let error = sqlx::raw_sql(rewrite)
            .execute(&mut connection)
            .await
            .unwrap_err();
        assert!(error.to_string().contains(says), "{rewrite}: {error}");
        connection.close().await.unwrap();
    }
}
