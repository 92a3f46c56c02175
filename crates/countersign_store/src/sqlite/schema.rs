//! The tables, and the way from each version of them to the next.
//!
//! Events lie together by stream, records by space and key, work by queue: every key begins with
//! what a distributed engine would cut by. The ledger is one sequence by nature.

use std::collections::BTreeSet;

use sqlx::{AssertSqlSafe, Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};

use super::OpenError;

/// Says in the file's header whose it is: "CSGN".
const APPLICATION_ID: i32 = 0x4353_474e;

/// The version this program reads and writes.
pub(super) const VERSION: u32 = 1;

/// `MIGRATIONS[n]` leads from version `n` to `n + 1`. One that was released is never changed.
const MIGRATIONS: [&str; VERSION as usize] = ["
-- How far the store has come; one row. `generation` grows with every transaction, and so tells
-- whether one whose outcome was not heard has happened.
CREATE TABLE head (
    one        INTEGER PRIMARY KEY CHECK (one = 1),
    origin     TEXT    NOT NULL,
    generation INTEGER NOT NULL,
    position   INTEGER NOT NULL,
    tree_size  INTEGER NOT NULL
) STRICT;

-- One row for each leaf; entry bundles are put together when they are asked for. Rewriting a
-- growing bundle with every transaction would write each leaf a hundred times over.
CREATE TABLE leaf (
    leaf_index INTEGER PRIMARY KEY,
    data       BLOB    NOT NULL
) STRICT;
CREATE TRIGGER leaf_is_final BEFORE UPDATE ON leaf
    BEGIN SELECT RAISE(ABORT, 'a leaf is never rewritten'); END;
CREATE TRIGGER leaf_stays BEFORE DELETE ON leaf
    BEGIN SELECT RAISE(ABORT, 'a leaf is never deleted'); END;

-- The widest version of each hash tile; narrower ones are prefixes of it.
CREATE TABLE tile (
    level      INTEGER NOT NULL,
    tile_index INTEGER NOT NULL,
    data       BLOB    NOT NULL,
    PRIMARY KEY (level, tile_index)
) STRICT;

-- The root of every size that was ever the newest, in the transaction that made it so. The note
-- is signed only once that is durable, and written down by the next transaction.
CREATE TABLE checkpoint (
    tree_size INTEGER PRIMARY KEY,
    root      BLOB    NOT NULL CHECK (length(root) = 32),
    note      TEXT
) STRICT;
CREATE TRIGGER checkpoint_is_final BEFORE UPDATE OF tree_size, root ON checkpoint
    BEGIN SELECT RAISE(ABORT, 'a root is never rewritten'); END;
CREATE TRIGGER checkpoint_stays BEFORE DELETE ON checkpoint
    BEGIN SELECT RAISE(ABORT, 'a root is never deleted'); END;

CREATE TABLE event (
    stream   TEXT    NOT NULL,
    sequence INTEGER NOT NULL,
    position INTEGER NOT NULL UNIQUE,
    kind     TEXT    NOT NULL,
    version  INTEGER NOT NULL,
    at_ms    INTEGER NOT NULL,
    data     TEXT    NOT NULL,
    leaf     INTEGER REFERENCES leaf (leaf_index),
    PRIMARY KEY (stream, sequence)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER event_is_final BEFORE UPDATE ON event
    BEGIN SELECT RAISE(ABORT, 'an event is never rewritten'); END;

CREATE TABLE record (
    space      TEXT    NOT NULL,
    key        TEXT    NOT NULL,
    revision   INTEGER NOT NULL,
    expires_ms INTEGER,
    value      TEXT    NOT NULL,
    PRIMARY KEY (space, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX record_by_expiry ON record (expires_ms) WHERE expires_ms IS NOT NULL;

CREATE TABLE work (
    queue           TEXT    NOT NULL,
    key             TEXT    NOT NULL,
    due_ms          INTEGER NOT NULL,
    leased_until_ms INTEGER,
    attempts        INTEGER NOT NULL,
    body            TEXT    NOT NULL,
    PRIMARY KEY (queue, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX work_by_due ON work (queue, due_ms);
"];

/// Every table's columns, index and trigger that version [`VERSION`] has, as [`THINGS`] names them.
const WHOLE: &str = "
    checkpoint.note checkpoint.root checkpoint.tree_size
    event.at_ms event.data event.kind event.leaf event.position event.sequence event.stream event.version
    head.generation head.one head.origin head.position head.tree_size
    leaf.data leaf.leaf_index
    record.expires_ms record.key record.revision record.space record.value
    tile.data tile.level tile.tile_index
    work.attempts work.body work.due_ms work.key work.leased_until_ms work.queue
    index:record_by_expiry index:work_by_due
    trigger:checkpoint_is_final trigger:checkpoint_stays trigger:event_is_final trigger:leaf_is_final trigger:leaf_stays";

/// What there is, one name a row.
const THINGS: &str = "
    SELECT t.name || '.' || c.name FROM sqlite_schema t, pragma_table_info(t.name) c WHERE t.type = 'table'
    UNION ALL SELECT type || ':' || name FROM sqlite_schema WHERE type IN ('index', 'trigger') AND sql IS NOT NULL";

/// Refuses a file that is not ours or is ahead of us, or whose tables are not whole, before anything in it is touched.
pub(super) async fn check(options: &SqliteConnectOptions) -> Result<(), OpenError> {
    let mut connection = SqliteConnection::connect_with(options).await?;
    let header = sqlx::query_as(
        "SELECT (SELECT application_id FROM pragma_application_id),
                (SELECT user_version FROM pragma_user_version),
                (SELECT count(*) FROM sqlite_schema)",
    );
    let (application, version, things): (i32, u32, i64) = match header
        .fetch_one(&mut connection)
        .await
    {
        Ok(header) => header,
        Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some(NOT_A_DATABASE) => {
            return Err(OpenError::NotOurs);
        }
        Err(error) => return Err(error.into()),
    };
    let ours = application == APPLICATION_ID;
    let names: Vec<String> = if ours && version == VERSION {
        sqlx::query_scalar(THINGS)
            .fetch_all(&mut connection)
            .await?
    } else {
        Vec::new()
    };
    connection.close().await?;
    let is_new = things == 0 && application == 0 && version == 0;
    if !is_new && !ours {
        Err(OpenError::NotOurs)
    } else if version > VERSION {
        Err(OpenError::Newer {
            found: version,
            known: VERSION,
        })
    } else if version == VERSION {
        whole(&names)
    } else {
        Ok(())
    }
}

/// Refuses tables of which one, or a part of one, is missing: whatever began to change them did not come to its end.
fn whole(names: &[String]) -> Result<(), OpenError> {
    let things: BTreeSet<&str> = names.iter().map(String::as_str).collect();
    let missing = WHOLE
        .split_whitespace()
        .find(|thing| !things.contains(thing));
    match missing {
        Some(missing) => Err(OpenError::HalfMigrated {
            what: format!("`{missing}` is missing"),
        }),
        None => Ok(()),
    }
}

/// Brings the tables to [`VERSION`], one transaction for each step.
pub(super) async fn migrate(connection: &mut SqliteConnection) -> Result<(), OpenError> {
    let found: u32 = sqlx::query_scalar("PRAGMA user_version")
        .fetch_one(&mut *connection)
        .await?;
    for (version, migration) in (1_u32..).zip(MIGRATIONS).skip(found as usize) {
        let step = format!(
            "BEGIN IMMEDIATE; {migration}
             PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {version}; COMMIT;"
        );
        sqlx::raw_sql(AssertSqlSafe(step))
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// `SQLITE_NOTADB`.
const NOT_A_DATABASE: &str = "26";

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_the_migrations_make_is_what_is_looked_for() {
        let mut connection = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        migrate(&mut connection).await.unwrap();
        let things: Vec<String> = sqlx::query_scalar(THINGS)
            .fetch_all(&mut connection)
            .await
            .unwrap();
        let things: BTreeSet<&str> = things.iter().map(String::as_str).collect();
        assert_eq!(things, WHOLE.split_whitespace().collect());
    }
}
