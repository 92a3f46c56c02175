//! The writer's statements: each writes all rows of its kind in a group.
//!
//! Every statement costs a hop to the connection's thread and back, so there is one for many
//! rows. Rows go in by powers of two, so that a few statements of each kind, prepared once, serve
//! every number of rows.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::{QueryBuilder, Sqlite, SqliteConnection, query_builder::Separated};

use super::int;
use crate::{
    journal::{StoredEvent, Work},
    plan::{Facts, Needs, Place, RecordEffect, WorkEffect},
};

/// The most rows in one statement; at 8 columns well under `SQLite`'s 32,766 parameters.
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
        (SELECT space, key FROM record WHERE expires_ms <= ?1 ORDER BY expires_ms LIMIT ?2)";

pub(super) const REMOVE_RECORDS: &str =
    "DELETE FROM record WHERE (space, key) IN (SELECT value->>0, value->>1 FROM json_each(?1))";

pub(super) const ERASE: &str =
    "DELETE FROM event WHERE stream IN (SELECT value FROM json_each(?1))";

pub(super) const MOVE_WORK: &str = "
    UPDATE work SET due_ms = j.due_ms, leased_until_ms = NULL
    FROM (SELECT value->>0 AS queue, value->>1 AS key, value->>2 AS due_ms FROM json_each(?1)) AS j
    WHERE work.queue = j.queue AND work.key = j.key";

pub(super) const REMOVE_WORK: &str =
    "DELETE FROM work WHERE (queue, key) IN (SELECT value->>0, value->>1 FROM json_each(?1))";

pub(super) const TAKE_WORK: &str = "
    UPDATE work SET leased_until_ms = ?3, attempts = attempts + 1
    WHERE queue = ?1 AND key IN
        (SELECT key FROM work
         WHERE queue = ?1 AND due_ms <= ?2 AND (leased_until_ms IS NULL OR leased_until_ms <= ?2)
         ORDER BY due_ms, key LIMIT ?4)
    RETURNING key, body, attempts - 1, due_ms";

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

pub(super) async fn sweep(connection: &mut SqliteConnection, now_ms: i64) -> sqlx::Result<()> {
    sqlx::query(SWEEP)
        .bind(now_ms)
        .bind(SWEEP_MAX)
        .execute(connection)
        .await?;
    Ok(())
}

pub(super) async fn store_note(
    connection: &mut SqliteConnection,
    size: u64,
    note: &str,
) -> sqlx::Result<()> {
    let statement = sqlx::query("UPDATE checkpoint SET note = ?2 WHERE tree_size = ?1");
    statement
        .bind(int(size))
        .bind(note)
        .execute(connection)
        .await?;
    Ok(())
}

pub(super) async fn insert_leaves(
    connection: &mut SqliteConnection,
    first: u64,
    leaves: &[Vec<u8>],
) -> sqlx::Result<()> {
    let rows: Vec<_> = (first..).zip(leaves).collect();
    insert(
        connection,
        "INSERT INTO leaf (leaf_index, data) ",
        "",
        &rows,
        |mut row, (index, leaf)| {
            row.push_bind(int(*index)).push_bind(leaf.as_slice());
        },
    )
    .await
}

/// Forgets streams. From here to [`end_erasure`] every page that a deletion frees is overwritten.
pub(super) async fn erase(
    connection: &mut SqliteConnection,
    streams: &BTreeSet<String>,
) -> sqlx::Result<()> {
    if streams.is_empty() {
        return Ok(());
    }
    sqlx::query("PRAGMA secure_delete = ON")
        .execute(&mut *connection)
        .await?;
    sqlx::query(ERASE)
        .bind(json(streams)?)
        .execute(connection)
        .await?;
    Ok(())
}

/// Ends what [`erase`] began, once the records of its batch are gone too.
pub(super) async fn end_erasure(
    connection: &mut SqliteConnection,
    streams: &BTreeSet<String>,
) -> sqlx::Result<()> {
    if !streams.is_empty() {
        sqlx::query("PRAGMA secure_delete = FAST")
            .execute(connection)
            .await?;
    }
    Ok(())
}

pub(super) async fn insert_events(
    connection: &mut SqliteConnection,
    events: &[StoredEvent],
) -> sqlx::Result<()> {
    let into = "INSERT INTO event (stream, sequence, position, kind, version, at_ms, data, leaf) ";
    insert(connection, into, "", events, |mut row, event| {
        row.push_bind(event.stream.0.as_str())
            .push_bind(int(event.sequence))
            .push_bind(int(event.position))
            .push_bind(event.kind.as_str())
            .push_bind(event.version)
            .push_bind(event.at_ms)
            .push_bind(event.data.as_str())
            .push_bind(event.leaf.map(int));
    })
    .await
}

pub(super) async fn write_records(
    connection: &mut SqliteConnection,
    records: &BTreeMap<Place, RecordEffect>,
) -> sqlx::Result<()> {
    let mut put = Vec::new();
    let mut removed = Vec::new();
    for (place, effect) in records {
        match effect {
            RecordEffect::Put {
                value,
                revision,
                expires_ms,
            } => put.push((place, value, *revision, *expires_ms)),
            RecordEffect::Remove => removed.push(place),
        }
    }
    let into = "INSERT INTO record (space, key, revision, expires_ms, value) ";
    let instead = " ON CONFLICT (space, key) DO UPDATE
        SET revision = excluded.revision, expires_ms = excluded.expires_ms, value = excluded.value";
    insert(
        connection,
        into,
        instead,
        &put,
        |mut row, ((space, key), value, revision, expires_ms)| {
            row.push_bind(*space)
                .push_bind(key.as_str())
                .push_bind(int(*revision))
                .push_bind(*expires_ms)
                .push_bind(value.as_str());
        },
    )
    .await?;
    if !removed.is_empty() {
        sqlx::query(REMOVE_RECORDS)
            .bind(json(&removed)?)
            .execute(connection)
            .await?;
    }
    Ok(())
}

pub(super) async fn write_work(
    connection: &mut SqliteConnection,
    work: &BTreeMap<Place, WorkEffect>,
) -> sqlx::Result<()> {
    let mut put = Vec::new();
    let mut moved = Vec::new();
    let mut removed = Vec::new();
    for (place, effect) in work {
        match effect {
            WorkEffect::Put { due_ms, body } => put.push((place, *due_ms, body)),
            WorkEffect::Move { due_ms } => moved.push((place.0, &place.1, *due_ms)),
            WorkEffect::Remove => removed.push(place),
        }
    }
    let into = "INSERT INTO work (queue, key, due_ms, attempts, body) ";
    let instead = " ON CONFLICT (queue, key) DO UPDATE
        SET due_ms = excluded.due_ms, leased_until_ms = NULL, attempts = 0, body = excluded.body";
    insert(
        connection,
        into,
        instead,
        &put,
        |mut row, ((queue, key), due_ms, body)| {
            row.push_bind(*queue)
                .push_bind(key.as_str())
                .push_bind(*due_ms)
                .push_bind(0_i64)
                .push_bind(body.as_str());
        },
    )
    .await?;
    if !moved.is_empty() {
        sqlx::query(MOVE_WORK)
            .bind(json(&moved)?)
            .execute(&mut *connection)
            .await?;
    }
    if !removed.is_empty() {
        sqlx::query(REMOVE_WORK)
            .bind(json(&removed)?)
            .execute(connection)
            .await?;
    }
    Ok(())
}

/// Each row is a tile's level, index and bytes.
pub(super) async fn write_tiles(
    connection: &mut SqliteConnection,
    tiles: &[(u8, u64, &[u8])],
) -> sqlx::Result<()> {
    let into = "INSERT INTO tile (level, tile_index, data) ";
    let instead = " ON CONFLICT (level, tile_index) DO UPDATE SET data = excluded.data";
    insert(
        connection,
        into,
        instead,
        tiles,
        |mut row, (level, index, bytes)| {
            row.push_bind(*level)
                .push_bind(int(*index))
                .push_bind(*bytes);
        },
    )
    .await
}

pub(super) async fn insert_root(
    connection: &mut SqliteConnection,
    size: u64,
    root: [u8; 32],
) -> sqlx::Result<()> {
    // No `ON CONFLICT`: a second root for a size must fail.
    let statement = sqlx::query("INSERT INTO checkpoint (tree_size, root) VALUES (?, ?)");
    statement
        .bind(int(size))
        .bind(&root[..])
        .execute(connection)
        .await?;
    Ok(())
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

pub(super) async fn move_head(
    connection: &mut SqliteConnection,
    generation: u64,
    position: u64,
    tree_size: u64,
) -> sqlx::Result<()> {
    sqlx::query("UPDATE head SET generation = ?, position = ?, tree_size = ?")
        .bind(int(generation))
        .bind(int(position))
        .bind(int(tree_size))
        .execute(connection)
        .await?;
    Ok(())
}

/// `{into} VALUES (…), (…) {instead}` for all rows, by powers of two.
async fn insert<R>(
    connection: &mut SqliteConnection,
    into: &str,
    instead: &str,
    rows: &[R],
    mut bind: impl FnMut(Separated<'_, Sqlite, &'static str>, &R),
) -> sqlx::Result<()> {
    let mut rest = rows;
    while !rest.is_empty() {
        let count = (1 << rest.len().ilog2()).min(ROWS_MAX);
        let (chunk, after) = rest.split_at(count);
        let mut statement = QueryBuilder::new(into);
        statement.push_values(chunk, &mut bind).push(instead);
        statement.build().execute(&mut *connection).await?;
        rest = after;
    }
    Ok(())
}

pub(super) fn json(value: &(impl serde::Serialize + ?Sized)) -> sqlx::Result<String> {
    serde_json::to_string(value).map_err(|error| sqlx::Error::Encode(error.into()))
}
