//! The tables, and what the server must be like.
//!
//! As in `sqlite`, every key begins with what a distributed engine would cut by, and nothing is numbered by a sequence of
//! the server's: events by the head, which every commit locks anyway. Keys are compared byte by byte (`COLLATE "C"`),
//! whatever the database's own collation, because the contract orders them so. Two things differ: an event's leaf is no
//! foreign key (the check would lock and rewrite each leaf's row a second time; the audit looks at it), and the tile at the
//! right edge of the lowest level is not kept but made from its leaves (it would be written again by every commit).

use std::collections::BTreeSet;

use sqlx::{AssertSqlSafe, PgConnection};

use crate::OpenError;

/// The version this program reads and writes.
pub(super) const VERSION: i32 = 1;

/// The oldest server this was thought through for: the oldest that is still mended, and that has all that is used.
const SERVER_LEAST: u32 = 13;

/// `MIGRATIONS[n]` leads from version `n` to `n + 1`. One that was released is never changed.
const MIGRATIONS: [&str; VERSION as usize] = [r#"
CREATE TABLE countersign.schema_version (
    one     INT PRIMARY KEY CHECK (one = 1),
    version INT NOT NULL
);

-- How far the store has come; one row, and the lock every commit takes. `generation` grows by one with every commit of
-- any gate: it is compared before anything is written and moved in the same transaction.
CREATE TABLE countersign.head (
    one        INT    PRIMARY KEY CHECK (one = 1),
    origin     TEXT   NOT NULL,
    generation BIGINT NOT NULL,
    position   BIGINT NOT NULL,
    tree_size  BIGINT NOT NULL
) WITH (fillfactor = 10);

-- The last commit of each gate there is: tells one whose connection was cut whether its commit has happened.
CREATE TABLE countersign.gate (
    gate       TEXT COLLATE "C" PRIMARY KEY,
    generation BIGINT NOT NULL,
    at_ms      BIGINT NOT NULL
) WITH (fillfactor = 10);

CREATE TABLE countersign.leaf (
    leaf_index BIGINT PRIMARY KEY,
    data       BYTEA  NOT NULL
);

-- The widest version of each hash tile; of the lowest level full ones only.
CREATE TABLE countersign.tile (
    level      INT    NOT NULL,
    tile_index BIGINT NOT NULL,
    data       BYTEA  NOT NULL,
    PRIMARY KEY (level, tile_index)
);
-- Hashes do not get smaller.
ALTER TABLE countersign.tile ALTER data SET STORAGE EXTERNAL;

-- The root of every size that was ever the newest. The note is signed only once that is durable.
CREATE TABLE countersign.checkpoint (
    tree_size BIGINT PRIMARY KEY,
    root      BYTEA  NOT NULL CHECK (length(root) = 32),
    note      TEXT
);

CREATE TABLE countersign.event (
    stream   TEXT   COLLATE "C" NOT NULL,
    sequence BIGINT NOT NULL,
    position BIGINT NOT NULL,
    kind     TEXT   NOT NULL,
    version  INT    NOT NULL,
    at_ms    BIGINT NOT NULL,
    data     TEXT   NOT NULL,
    leaf     BIGINT,
    PRIMARY KEY (stream, sequence)
);
CREATE UNIQUE INDEX event_by_position ON countersign.event (position);

CREATE TABLE countersign.record (
    space      TEXT   COLLATE "C" NOT NULL,
    key        TEXT   COLLATE "C" NOT NULL,
    revision   BIGINT NOT NULL,
    expires_ms BIGINT,
    value      TEXT   NOT NULL,
    PRIMARY KEY (space, key)
);
CREATE INDEX record_by_expiry ON countersign.record (expires_ms) WHERE expires_ms IS NOT NULL;

CREATE TABLE countersign.work (
    queue           TEXT   COLLATE "C" NOT NULL,
    key             TEXT   COLLATE "C" NOT NULL,
    due_ms          BIGINT NOT NULL,
    leased_until_ms BIGINT,
    attempts        BIGINT NOT NULL,
    body            TEXT   NOT NULL,
    PRIMARY KEY (queue, key)
);
CREATE INDEX work_by_due ON countersign.work (queue, due_ms, key);

CREATE FUNCTION countersign.refuse() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION '%', TG_ARGV[0]; END $$;
CREATE TRIGGER leaf_is_final BEFORE UPDATE ON countersign.leaf
    EXECUTE FUNCTION countersign.refuse('a leaf is never rewritten');
CREATE TRIGGER leaf_stays BEFORE DELETE OR TRUNCATE ON countersign.leaf
    EXECUTE FUNCTION countersign.refuse('a leaf is never deleted');
CREATE TRIGGER checkpoint_is_final BEFORE UPDATE OF tree_size, root ON countersign.checkpoint
    EXECUTE FUNCTION countersign.refuse('a root is never rewritten');
CREATE TRIGGER checkpoint_stays BEFORE DELETE OR TRUNCATE ON countersign.checkpoint
    EXECUTE FUNCTION countersign.refuse('a root is never deleted');
CREATE TRIGGER event_is_final BEFORE UPDATE OR TRUNCATE ON countersign.event
    EXECUTE FUNCTION countersign.refuse('an event is never rewritten');
"#];

/// Every table's columns, index and trigger that version [`VERSION`] has, as [`THINGS`] names them.
const WHOLE: &str = "
    checkpoint.note checkpoint.root checkpoint.tree_size
    event.at_ms event.data event.kind event.leaf event.position event.sequence event.stream event.version
    gate.at_ms gate.gate gate.generation
    head.generation head.one head.origin head.position head.tree_size
    leaf.data leaf.leaf_index
    record.expires_ms record.key record.revision record.space record.value
    schema_version.one schema_version.version
    tile.data tile.level tile.tile_index
    work.attempts work.body work.due_ms work.key work.leased_until_ms work.queue
    index:checkpoint_pkey index:event_by_position index:event_pkey index:gate_pkey index:head_pkey index:leaf_pkey
    index:record_by_expiry index:record_pkey index:schema_version_pkey index:tile_pkey index:work_by_due index:work_pkey
    trigger:checkpoint_is_final trigger:checkpoint_stays trigger:event_is_final trigger:leaf_is_final trigger:leaf_stays";

/// What there is, one name a row.
const THINGS: &str = "
    WITH ours AS (SELECT c.oid, c.relname, c.relkind FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = 'countersign')
    SELECT c.relname || '.' || a.attname FROM ours c JOIN pg_attribute a ON a.attrelid = c.oid
        WHERE c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
    UNION ALL SELECT 'index:' || c.relname FROM ours c JOIN pg_index i ON i.indexrelid = c.oid WHERE i.indisvalid
    UNION ALL SELECT 'trigger:' || t.tgname FROM pg_trigger t JOIN ours c ON c.oid = t.tgrelid
        WHERE NOT t.tgisinternal AND t.tgenabled <> 'D'";

/// One of these at a time, of however many gates start at once: "csgn".
const MIGRATION_LOCK: i64 = 0x6373_676e;

/// Refuses a server that is too old, cannot be written, or would lose what it acknowledged.
pub(super) async fn fit(connection: &mut PgConnection) -> Result<(), OpenError> {
    let (number, version): (i32, String) = sqlx::query_as(
        "SELECT current_setting('server_version_num')::int, current_setting('server_version')",
    )
    .fetch_one(&mut *connection)
    .await?;
    new_enough(number, version)?;
    let standby: bool = sqlx::query_scalar("SELECT pg_is_in_recovery()")
        .fetch_one(&mut *connection)
        .await?;
    if standby {
        return Err(OpenError::Standby);
    }
    for (setting, wanted, other, why) in SETTINGS {
        // One that the server does not know cannot be wrong: engines that speak its protocol have their own.
        let found: Option<String> = sqlx::query_scalar("SELECT current_setting($1, true)")
            .bind(setting)
            .fetch_one(&mut *connection)
            .await?;
        if let Some(found) = found
            && found != wanted
            && !other.contains(&found.as_str())
        {
            return Err(OpenError::Unfit {
                setting,
                found,
                wanted,
                why,
            });
        }
    }
    Ok(())
}

/// A setting, what it should be, what else will do, and why.
type Setting = (
    &'static str,
    &'static str,
    &'static [&'static str],
    &'static str,
);

const SETTINGS: [Setting; 6] = [
    (
        "fsync",
        "on",
        &[],
        "what was acknowledged would be lost when the machine stops",
    ),
    (
        "full_page_writes",
        "on",
        &[],
        "a page half written when the machine stops could not be mended",
    ),
    (
        "synchronous_commit",
        "on",
        &["local", "remote_write", "remote_apply"],
        "a root would be signed before it is durable",
    ),
    (
        "default_transaction_isolation",
        "read committed",
        &[],
        "somebody has changed what a transaction means, and this program was tested with none but this",
    ),
    (
        "default_transaction_read_only",
        "off",
        &[],
        "the gate writes",
    ),
    ("server_encoding", "UTF8", &[], "not every text would fit"),
];

fn new_enough(number: i32, version: String) -> Result<(), OpenError> {
    if u32::try_from(number / 10_000).is_ok_and(|major| major >= SERVER_LEAST) {
        Ok(())
    } else {
        Err(OpenError::TooOld {
            found: version,
            least: SERVER_LEAST,
        })
    }
}

/// The first thing in a transaction that may migrate: what the server remembers of its tables is as old as the first look
/// at them.
pub(super) async fn alone(connection: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query("SELECT pg_advisory_xact_lock($1)")
        .bind(MIGRATION_LOCK)
        .execute(connection)
        .await?;
    Ok(())
}

/// Within a transaction that is [`alone`]: brings the tables from the version they have to [`VERSION`], or refuses what is
/// not whole.
pub(super) async fn migrate(connection: &mut PgConnection, found: i32) -> Result<(), OpenError> {
    if found == 0 {
        sqlx::query("CREATE SCHEMA IF NOT EXISTS countersign")
            .execute(&mut *connection)
            .await?;
    }
    let todo = usize::try_from(found).unwrap_or(usize::MAX);
    for (version, migration) in (1..).zip(MIGRATIONS).skip(todo) {
        let step = format!(
            "{migration}
            INSERT INTO countersign.schema_version (one, version) VALUES (1, {version})
                ON CONFLICT (one) DO UPDATE SET version = excluded.version;"
        );
        sqlx::raw_sql(AssertSqlSafe(step))
            .execute(&mut *connection)
            .await?;
    }
    whole(connection).await
}

/// The version of the tables; 0 if there are none.
pub(super) async fn version(connection: &mut PgConnection) -> Result<i32, OpenError> {
    let things = things(connection).await?;
    if things.is_empty() {
        return Ok(0);
    }
    if !things.contains("schema_version.version") {
        return Err(half("there are tables, and nothing says of which version"));
    }
    let version: Option<i32> = sqlx::query_scalar("SELECT version FROM countersign.schema_version")
        .fetch_optional(&mut *connection)
        .await?;
    match version {
        Some(version) if version > VERSION => Err(OpenError::Newer {
            found: version.unsigned_abs(),
            known: VERSION.unsigned_abs(),
        }),
        Some(version) if version > 0 => Ok(version),
        _ => Err(half("its version was never written down")),
    }
}

async fn whole(connection: &mut PgConnection) -> Result<(), OpenError> {
    let things = things(connection).await?;
    let missing = WHOLE
        .split_whitespace()
        .find(|thing| !things.contains(*thing));
    match missing {
        Some(missing) => Err(half(&format!("`{missing}` is missing"))),
        None => Ok(()),
    }
}

async fn things(connection: &mut PgConnection) -> Result<BTreeSet<String>, OpenError> {
    let names: Vec<String> = sqlx::query_scalar(THINGS).fetch_all(connection).await?;
    Ok(names.into_iter().collect())
}

fn half(what: &str) -> OpenError {
    OpenError::HalfMigrated { what: what.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_server_is_refused() {
        for (number, version) in [(90_624, "9.6.24"), (120_022, "12.22 (Debian)")] {
            let error = new_enough(number, version.into()).unwrap_err().to_string();
            assert_eq!(
                error,
                format!(
                    "the server is PostgreSQL {version}, this program needs 13 or newer; upgrade the server"
                )
            );
        }
        for number in [130_000, 150_018, 180_001] {
            new_enough(number, String::new()).unwrap();
        }
    }
}
