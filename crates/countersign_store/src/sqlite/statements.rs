//! The writer's statements: each writes all rows of its kind in a group.
//!
//! Whatever is asked of a connection costs a hop to its thread and back, so statements go there
//! several at a time, as one text ([`Script`]), and each writes many rows. Rows are made up to one
//! of a few numbers with empty ones, which are not written, so that a few texts, prepared once,
//! serve every number of rows.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::{AssertSqlSafe, SqliteConnection, sqlite::SqliteArguments};

use super::int;
use crate::{
    journal::{StoredEvent, Work},
    plan::{Facts, Needs, Place, RecordEffect, WorkEffect},
};

/// How many rows a statement may have; at 8 columns well under `SQLite`'s 32,766 parameters. Above three, no number of rows is
/// made up by more than a quarter.
const ROWS: [usize; 22] = [
    1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 28, 32, 40, 48, 56, 64, 80, 96, 112, ROWS_MAX,
];

/// The most rows in one statement.
const ROWS_MAX: usize = 128;

/// The most expired records deleted at once.
const SWEEP_MAX: u32 = 500;

/// Every piece that is due, with when its oldest was; the index on queue and time carries it.
pub(super) const BACKLOG: &str =
    "SELECT queue, COUNT(*), MIN(due_ms) FROM work WHERE due_ms <= ?1 GROUP BY queue";

pub(super) const READ: &str = "
    SELECT position, stream, sequence, kind, version, at_ms, data, leaf
    FROM event WHERE stream = ?1 AND sequence > ?2 ORDER BY sequence";

pub(super) const FOLLOW: &str = "
    SELECT position, stream, sequence, kind, version, at_ms, data, leaf
    FROM event WHERE position > ?1 ORDER BY position LIMIT ?2";

pub(super) const FOLLOW_BACK: &str = "
    SELECT position, stream, sequence, kind, version, at_ms, data, leaf
    FROM event WHERE position < ?1 ORDER BY position DESC LIMIT ?2";

pub(super) const EVENTS_AT: &str = "
    SELECT position, stream, sequence, kind, version, at_ms, data, leaf
    FROM event WHERE position IN (SELECT value FROM json_each(?1)) ORDER BY position";

pub(super) const GET_MANY: &str = "
    SELECT key, value, revision FROM record
    WHERE space = ?1 AND key IN (SELECT value FROM json_each(?2))
        AND (expires_ms IS NULL OR expires_ms > ?3)
    ORDER BY key";

pub(super) const COUNT: &str = "
    SELECT count(*) FROM (
        SELECT 1 FROM record
        WHERE space = ?1 AND key >= ?2 AND key < ?3 AND (expires_ms IS NULL OR expires_ms > ?4)
        LIMIT ?5)";

pub(super) const GET: &str = "
    SELECT value, revision, expires_ms FROM record
    WHERE space = ?1 AND key = ?2 AND (expires_ms IS NULL OR expires_ms > ?3)";

pub(super) const SCAN: &str = "
    SELECT key, value, revision FROM record
    WHERE space = ?1 AND key >= ?2 AND key < ?3 AND (expires_ms IS NULL OR expires_ms > ?4)
    ORDER BY key LIMIT ?5";

pub(super) const SCAN_BACK: &str = "
    SELECT key, value, revision FROM record
    WHERE space = ?1 AND key >= ?2 AND key < ?3 AND (expires_ms IS NULL OR expires_ms > ?4)
    ORDER BY key DESC LIMIT ?5";

pub(super) const IS_WORK_DUE: &str = "
    SELECT due_ms FROM work
    WHERE queue = ?1 AND due_ms <= ?2 AND (leased_until_ms IS NULL OR leased_until_ms <= ?2) LIMIT 1";

/// One look-up for all that a group needs to know and is not known already.
pub(super) const LOOK_UP: &str = "
    SELECT 0, j.key, (SELECT max(sequence) FROM event WHERE stream = j.value) FROM json_each(?1) AS j
    UNION ALL
    SELECT 1, j.key, r.revision FROM json_each(?2) AS j
        CROSS JOIN record AS r ON r.space = j.value->>0 AND r.key = j.value->>1
        WHERE r.expires_ms IS NULL OR r.expires_ms > ?4
    UNION ALL
    SELECT 2, j.key, 1 FROM json_each(?3) AS j
        CROSS JOIN work AS w ON w.queue = j.value->>0 AND w.key = j.value->>1";

pub(super) const SWEEP: &str = "
    DELETE FROM record WHERE (space, key) IN
        (SELECT space, key FROM record WHERE expires_ms <= ? ORDER BY expires_ms LIMIT ?)";

pub(super) const REMOVE_RECORDS: &str =
    "DELETE FROM record WHERE (space, key) IN (SELECT value->>0, value->>1 FROM json_each(?))";

pub(super) const ERASE: &str = "DELETE FROM event WHERE stream IN (SELECT value FROM json_each(?))";

pub(super) const PUT_WORK: &str = "
    INSERT INTO work (queue, key, due_ms, attempts, body)
    SELECT value->>0, value->>1, value->>2, 0, value->>3 FROM json_each(?) WHERE true
    ON CONFLICT (queue, key) DO UPDATE
        SET due_ms = excluded.due_ms, leased_until_ms = NULL, attempts = 0, body = excluded.body";

pub(super) const MOVE_WORK: &str = "
    UPDATE work SET due_ms = j.due_ms, leased_until_ms = NULL
    FROM (SELECT value->>0 AS queue, value->>1 AS key, value->>2 AS due_ms FROM json_each(?)) AS j
    WHERE work.queue = j.queue AND work.key = j.key";

pub(super) const REMOVE_WORK: &str =
    "DELETE FROM work WHERE (queue, key) IN (SELECT value->>0, value->>1 FROM json_each(?))";

pub(super) const TAKE_WORK: &str = "
    UPDATE work SET leased_until_ms = ?3, attempts = attempts + 1
    WHERE queue = ?1 AND key IN
        (SELECT key FROM work
         WHERE queue = ?1 AND due_ms <= ?2 AND (leased_until_ms IS NULL OR leased_until_ms <= ?2)
         ORDER BY due_ms, key LIMIT ?4)
    RETURNING key, body, attempts - 1, due_ms";

/// Only the transaction after a signature writes it down.
const NOTE: &str = "UPDATE checkpoint SET note = ? WHERE tree_size = ?";

/// No `ON CONFLICT`: a second root for a size must fail.
const ROOT: &str = "INSERT INTO checkpoint (tree_size, root) VALUES (?, ?)";

const HEAD: &str = "UPDATE head SET generation = ?, position = ?, tree_size = ?";

const LEAVES: Table = Table {
    into: "leaf (leaf_index, data)",
    columns: 2,
    instead: "",
};

const EVENTS: Table = Table {
    into: "event (stream, sequence, position, kind, version, at_ms, data, leaf)",
    columns: 8,
    instead: "",
};

const RECORDS: Table = Table {
    into: "record (space, key, revision, expires_ms, value)",
    columns: 5,
    instead: " ON CONFLICT (space, key) DO UPDATE
        SET revision = excluded.revision, expires_ms = excluded.expires_ms, value = excluded.value",
};

const TILES: Table = Table {
    into: "tile (level, tile_index, data)",
    columns: 3,
    instead: " ON CONFLICT (level, tile_index) DO UPDATE SET data = excluded.data",
};

pub(super) async fn look_up(
    connection: &mut SqliteConnection,
    needs: &Needs,
    mut facts: Facts,
    now_ms: i64,
) -> sqlx::Result<Facts> {
    if needs.is_empty() {
        return Ok(facts);
    }
    let streams: Vec<_> = needs.streams.iter().collect();
    let records: Vec<_> = needs.records.iter().collect();
    let work: Vec<_> = needs.work.iter().collect();
    let rows: Vec<(u8, u32, Option<u64>)> = sqlx::query_as(LOOK_UP)
        .bind(json(&streams)?)
        .bind(json(&records)?)
        .bind(json(&work)?)
        .bind(now_ms)
        .fetch_all(connection)
        .await?;
    for (what, at, found) in rows {
        let (at, Some(found)) = (at as usize, found) else {
            continue;
        };
        match what {
            0 => facts
                .streams
                .extend(streams.get(at).map(|stream| ((*stream).clone(), found))),
            1 => facts
                .records
                .extend(records.get(at).map(|place| ((*place).clone(), found))),
            _ => facts
                .work
                .extend(work.get(at).map(|place| (*place).clone())),
        }
    }
    Ok(facts)
}

/// Statements that run one after the other in one hop, the first failure ending it.
#[derive(Debug, Default)]
pub(super) struct Script {
    text: String,
    arguments: SqliteArguments,
}

impl Script {
    /// The beginning of a transaction.
    pub(super) fn begin() -> Self {
        let mut script = Self::default();
        script.add("BEGIN IMMEDIATE");
        script
    }

    fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    pub(super) async fn run(self, connection: &mut SqliteConnection) -> sqlx::Result<()> {
        if self.is_empty() {
            return Ok(());
        }
        // The text is put together of constants of this file.
        sqlx::query_with(AssertSqlSafe(self.text), self.arguments)
            .execute(connection)
            .await?;
        Ok(())
    }

    /// Deletes some records that have expired.
    pub(super) fn sweep(&mut self, now_ms: i64) -> sqlx::Result<()> {
        self.add(SWEEP);
        self.bind(now_ms)?;
        self.bind(SWEEP_MAX)
    }

    /// Writes down a checkpoint's note.
    pub(super) fn note(&mut self, size: u64, note: &str) -> sqlx::Result<()> {
        self.add(NOTE);
        self.bind(note)?;
        self.bind(int(size))
    }

    /// Hash tiles (level, index and bytes), the root over them, and how many leaves it covers.
    pub(super) fn tree(
        &mut self,
        tiles: &[(u8, u64, &[u8])],
        size: u64,
        root: [u8; 32],
    ) -> sqlx::Result<()> {
        for tiles in tiles.chunks(ROWS_MAX) {
            self.insert(&TILES, tiles, |script, (level, index, bytes)| {
                script.bind(*level)?;
                script.bind(int(*index))?;
                script.bind(*bytes)
            })?;
        }
        self.add(ROOT);
        self.bind(int(size))?;
        self.bind(&root[..])
    }

    /// Where the store stands from now on.
    pub(super) fn head(
        &mut self,
        generation: u64,
        position: u64,
        tree_size: u64,
    ) -> sqlx::Result<()> {
        self.add(HEAD);
        self.bind(int(generation))?;
        self.bind(int(position))?;
        self.bind(int(tree_size))
    }

    /// Forgets streams. From here to [`end_erasure`](Self::end_erasure) every page that a deletion or a change frees is overwritten.
    pub(super) fn erase(&mut self, streams: &BTreeSet<String>) -> sqlx::Result<()> {
        self.add("PRAGMA secure_delete = ON");
        self.add(ERASE);
        self.bind(json(streams)?)
    }

    /// Ends what [`erase`](Self::erase) began, once the records of its batch are gone too.
    pub(super) fn end_erasure() -> Self {
        let mut script = Self::default();
        script.add("PRAGMA secure_delete = FAST");
        script
    }

    /// What becomes of work, and the records that are removed. These rows are few beside those that are put, and go in as JSON: one
    /// text serves any number of them.
    pub(super) fn work_and_removals(
        &mut self,
        work: &BTreeMap<Place, WorkEffect>,
        records: &BTreeMap<Place, RecordEffect>,
    ) -> sqlx::Result<()> {
        let mut put = Vec::new();
        let mut moved = Vec::new();
        let mut removed = Vec::new();
        for ((queue, key), effect) in work {
            match effect {
                WorkEffect::Put { due_ms, body } => put.push((queue, key, *due_ms, body)),
                WorkEffect::Move { due_ms } => moved.push((queue, key, *due_ms)),
                WorkEffect::Remove => removed.push((queue, key)),
            }
        }
        let gone: Vec<_> = records
            .iter()
            .filter(|(_, effect)| matches!(effect, RecordEffect::Remove))
            .map(|(place, _)| place)
            .collect();
        self.many(PUT_WORK, &put)?;
        self.many(MOVE_WORK, &moved)?;
        self.many(REMOVE_WORK, &removed)?;
        self.many(REMOVE_RECORDS, &gone)
    }

    fn many(&mut self, statement: &str, rows: &[impl serde::Serialize]) -> sqlx::Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        self.add(statement);
        self.bind(json(rows)?)
    }

    fn add(&mut self, statement: &str) {
        self.text.push_str(statement);
        self.text.push(';');
    }

    fn bind<'v>(
        &mut self,
        value: impl sqlx::Encode<'v, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>,
    ) -> sqlx::Result<()> {
        sqlx::Arguments::add(&mut self.arguments, value).map_err(sqlx::Error::Encode)
    }

    /// Puts at most [`ROWS_MAX`] rows into a table, made up to one of [`ROWS`] with rows that are not written.
    fn insert<R>(
        &mut self,
        table: &Table,
        rows: &[R],
        mut bind: impl FnMut(&mut Self, &R) -> sqlx::Result<()>,
    ) -> sqlx::Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        let count = ROWS.into_iter().find(|count| *count >= rows.len());
        let count = count.unwrap_or(rows.len());
        table.statement(count, &mut self.text);
        for row in rows {
            bind(self, row)?;
        }
        for _ in 0..(count - rows.len()) * table.columns {
            self.bind(None::<i64>)?;
        }
        Ok(())
    }
}

/// How rows go into a table; the first column of a row is never empty.
struct Table {
    /// Its name and columns.
    into: &'static str,
    columns: usize,
    /// What to do where there is such a row.
    instead: &'static str,
}

impl Table {
    fn statement(&self, rows: usize, text: &mut String) {
        text.push_str("INSERT INTO ");
        text.push_str(self.into);
        text.push_str(" SELECT * FROM (VALUES ");
        for row in 0..rows {
            text.push_str(if row == 0 { "(?" } else { ",(?" });
            for _ in 1..self.columns {
                text.push_str(",?");
            }
            text.push(')');
        }
        text.push_str(") WHERE column1 IS NOT NULL");
        text.push_str(self.instead);
        text.push(';');
    }
}

pub(super) async fn store_note(
    connection: &mut SqliteConnection,
    size: u64,
    note: &str,
) -> sqlx::Result<()> {
    let mut script = Script::default();
    script.note(size, note)?;
    script.run(connection).await
}

/// Leaves, the first of them with this index, and the events that point to them.
pub(super) async fn insert_events(
    connection: &mut SqliteConnection,
    first: u64,
    leaves: &[Vec<u8>],
    events: &[StoredEvent],
) -> sqlx::Result<()> {
    // Leaves before the events that point to them.
    let leaves: Vec<_> = (first..).zip(leaves).collect();
    let mut leaves = leaves.chunks(ROWS_MAX).peekable();
    let mut events = events.chunks(ROWS_MAX);
    loop {
        let mut script = Script::default();
        script.insert(
            &LEAVES,
            leaves.next().unwrap_or_default(),
            |script, (index, leaf)| {
                script.bind(int(*index))?;
                script.bind(leaf.as_slice())
            },
        )?;
        let some = if leaves.peek().is_none() {
            events.next()
        } else {
            None
        };
        script.insert(&EVENTS, some.unwrap_or_default(), |script, event| {
            script.bind(event.stream.0.as_str())?;
            script.bind(int(event.sequence))?;
            script.bind(int(event.position))?;
            script.bind(event.kind.as_str())?;
            script.bind(event.version)?;
            script.bind(event.at_ms)?;
            script.bind(event.data.as_str())?;
            script.bind(event.leaf.map(int))
        })?;
        if script.is_empty() {
            return Ok(());
        }
        script.run(connection).await?;
    }
}

pub(super) async fn put_records(
    connection: &mut SqliteConnection,
    records: &BTreeMap<Place, RecordEffect>,
) -> sqlx::Result<()> {
    let put: Vec<_> = records
        .iter()
        .filter_map(|(place, effect)| match effect {
            RecordEffect::Put {
                value,
                revision,
                expires_ms,
            } => Some((place, value, *revision, *expires_ms)),
            RecordEffect::Remove => None,
        })
        .collect();
    for put in put.chunks(ROWS_MAX) {
        let mut script = Script::default();
        script.insert(
            &RECORDS,
            put,
            |script, ((space, key), value, revision, expires_ms)| {
                script.bind(*space)?;
                script.bind(key.as_str())?;
                script.bind(int(*revision))?;
                script.bind(*expires_ms)?;
                script.bind(value.as_str())
            },
        )?;
        script.run(connection).await?;
    }
    Ok(())
}

pub(super) async fn insert_root(
    connection: &mut SqliteConnection,
    size: u64,
    root: [u8; 32],
) -> sqlx::Result<()> {
    let mut script = Script::default();
    script.tree(&[], size, root)?;
    script.run(connection).await
}

pub(super) async fn take_work(
    connection: &mut SqliteConnection,
    queue: &'static str,
    now_ms: i64,
    lease_until_ms: i64,
    limit: usize,
) -> sqlx::Result<Vec<Work>> {
    let mut rows: Vec<(String, String, u32, i64)> = sqlx::query_as(TAKE_WORK)
        .bind(queue)
        .bind(now_ms)
        .bind(lease_until_ms)
        .bind(super::at_most(limit))
        .fetch_all(connection)
        .await?;
    // `RETURNING` promises no order.
    rows.sort_by(|(a, .., a_due), (b, .., b_due)| (a_due, a).cmp(&(b_due, b)));
    let work = |(key, body, attempts, _)| Work {
        queue: queue.to_owned(),
        key,
        body,
        attempts,
    };
    Ok(rows.into_iter().map(work).collect())
}

pub(super) async fn insert_head(
    connection: &mut SqliteConnection,
    origin: &str,
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO head (one, origin, generation, position, tree_size) VALUES (1, ?, 0, 0, 0)",
    )
    .bind(origin)
    .execute(connection)
    .await?;
    Ok(())
}

pub(super) fn json(value: &(impl serde::Serialize + ?Sized)) -> sqlx::Result<String> {
    serde_json::to_string(value).map_err(|error| sqlx::Error::Encode(error.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_number_of_rows_is_made_up_by_more_than_a_quarter() {
        assert!(ROWS.is_sorted());
        for rows in 4..=ROWS_MAX {
            let made_up = ROWS.into_iter().find(|count| *count >= rows).unwrap();
            assert!(4 * (made_up - rows) <= rows, "{rows} become {made_up}");
        }
    }

    #[test]
    fn a_statement_has_a_place_for_every_column_of_every_row() {
        for table in [LEAVES, EVENTS, RECORDS, TILES] {
            let columns = table.into.split(',').count();
            assert_eq!(columns, table.columns, "{}", table.into);
            for rows in [1, 3, ROWS_MAX] {
                let mut text = String::new();
                table.statement(rows, &mut text);
                assert_eq!(text.matches('?').count(), rows * columns);
            }
        }
    }
}
