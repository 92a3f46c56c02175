//! The statements: a whole group is looked up by one and written by one.
//!
//! Each costs a way to the server and back while the head is locked, so rows travel as arrays (`unnest`) and the tables are
//! written side by side in one statement (`WITH`), whose text is the same for every number of rows.

use std::collections::{BTreeMap, BTreeSet};

use countersign_ledger::{TILE_WIDTH, TilePath};
use sqlx::PgConnection;

use super::{int, uint};
use crate::{
    journal::StoredEvent,
    plan::{Facts, Group, Needs, Place, RecordEffect, WorkEffect},
};

/// The most expired records deleted at once.
const SWEEP_MAX: i64 = 500;

/// Every piece that is due, with when its oldest was; the index on queue and time carries it.
pub(super) const BACKLOG: &str =
    "SELECT queue, COUNT(*), MIN(due_ms) FROM countersign.work WHERE due_ms <= $1 GROUP BY queue";

pub(super) const READ: &str = "
    SELECT position, stream, sequence, kind, version, at_ms, data, leaf
    FROM countersign.event WHERE stream = $1 AND sequence > $2 ORDER BY sequence";

pub(super) const FOLLOW: &str = "
    SELECT position, stream, sequence, kind, version, at_ms, data, leaf
    FROM countersign.event WHERE position > $1 ORDER BY position LIMIT $2";

pub(super) const FOLLOW_BACK: &str = "
    SELECT position, stream, sequence, kind, version, at_ms, data, leaf
    FROM countersign.event WHERE position < $1 ORDER BY position DESC LIMIT $2";

pub(super) const EVENTS_AT: &str = "
    SELECT position, stream, sequence, kind, version, at_ms, data, leaf
    FROM countersign.event WHERE position = ANY ($1) ORDER BY position";

pub(super) const GET: &str = "
    SELECT key, value, revision FROM countersign.record
    WHERE space = $1 AND key = $2 AND (expires_ms IS NULL OR expires_ms > $3)";

pub(super) const GET_MANY: &str = "
    SELECT key, value, revision FROM countersign.record
    WHERE space = $1 AND key = ANY ($2) AND (expires_ms IS NULL OR expires_ms > $3)
    ORDER BY key";

pub(super) const COUNT: &str = "
    SELECT count(*) FROM (
        SELECT 1 FROM countersign.record
        WHERE space = $1 AND key >= $2 AND key < $3 AND (expires_ms IS NULL OR expires_ms > $4)
        LIMIT $5) AS counted";

pub(super) const SCAN: &str = "
    SELECT key, value, revision FROM countersign.record
    WHERE space = $1 AND key >= $2 AND key < $3 AND (expires_ms IS NULL OR expires_ms > $4)
    ORDER BY key LIMIT $5";

pub(super) const SCAN_BACK: &str = "
    SELECT key, value, revision FROM countersign.record
    WHERE space = $1 AND key >= $2 AND key < $3 AND (expires_ms IS NULL OR expires_ms > $4)
    ORDER BY key DESC LIMIT $5";

pub(super) const TILE: &str =
    "SELECT data FROM countersign.tile WHERE level = $1 AND tile_index = $2";

pub(super) const LEAVES: &str = "
    SELECT data FROM countersign.leaf WHERE leaf_index >= $1 AND leaf_index < $2 ORDER BY leaf_index";

pub(super) const GENERATION: &str = "SELECT generation FROM countersign.head WHERE one = 1";

/// A transaction that nobody else commits beside. The row is read by a statement of its own: only that sees all that was
/// committed before the lock was had, whatever the lock had to wait for.
pub(super) const BEGIN: &str = "
    BEGIN ISOLATION LEVEL READ COMMITTED;
    SELECT one FROM countersign.head WHERE one = 1 FOR UPDATE;
    SELECT h.generation, h.position, h.tree_size, c.root
    FROM countersign.head h JOIN countersign.checkpoint c ON c.tree_size = h.tree_size WHERE h.one = 1";

/// Several gates, and several tasks of one, may ask at once: whoever comes second passes over what the first has.
pub(super) const TAKE_WORK: &str = "
    WITH due AS MATERIALIZED (
        SELECT queue, key, due_ms FROM countersign.work
        WHERE queue = $1 AND due_ms <= $2 AND (leased_until_ms IS NULL OR leased_until_ms <= $2)
        ORDER BY due_ms, key LIMIT $4 FOR UPDATE SKIP LOCKED)
    UPDATE countersign.work AS w SET leased_until_ms = $3, attempts = w.attempts + 1
    FROM due WHERE w.queue = due.queue AND w.key = due.key
    RETURNING w.key, w.body, w.attempts - 1, w.due_ms";

const LOOK_UP: &str = "
    SELECT 0, wanted.at,
        (SELECT sequence FROM countersign.event e WHERE e.stream = wanted.stream ORDER BY sequence DESC LIMIT 1)
        FROM unnest($1::text[]) WITH ORDINALITY AS wanted(stream, at)
    UNION ALL
    SELECT 1, wanted.at, r.revision
        FROM unnest($2::text[], $3::text[]) WITH ORDINALITY AS wanted(space, key, at)
        JOIN countersign.record r ON r.space = wanted.space AND r.key = wanted.key
        WHERE r.expires_ms IS NULL OR r.expires_ms > $6
    UNION ALL
    SELECT 2, wanted.at, 1
        FROM unnest($4::text[], $5::text[]) WITH ORDINALITY AS wanted(queue, key, at)
        JOIN countersign.work w ON w.queue = wanted.queue AND w.key = wanted.key";

const SWEEP: &str = "
    DELETE FROM countersign.record WHERE (space, key) IN
        (SELECT space, key FROM countersign.record WHERE expires_ms <= $1 ORDER BY expires_ms LIMIT $2)";

const ERASE: &str = "DELETE FROM countersign.event WHERE stream = ANY ($1)";

/// Writes everything, and moves the head if it is still where it was; answers with a row only then. The notification is
/// the server's to deliver, when this is committed.
const WRITE: &str = "
    WITH note AS (
        UPDATE countersign.checkpoint SET note = $2 WHERE tree_size = $1),
    leaves AS (
        INSERT INTO countersign.leaf (leaf_index, data)
        SELECT $3 + at - 1, data FROM unnest($4::bytea[]) WITH ORDINALITY AS l(data, at)),
    events AS (
        INSERT INTO countersign.event (stream, sequence, position, kind, version, at_ms, data, leaf)
        SELECT * FROM unnest($5::text[], $6::bigint[], $7::bigint[], $8::text[], $9::int[], $10::bigint[],
            $11::text[], $12::bigint[])),
    put_records AS (
        INSERT INTO countersign.record (space, key, revision, expires_ms, value)
        SELECT * FROM unnest($13::text[], $14::text[], $15::bigint[], $16::bigint[], $17::text[])
        ON CONFLICT (space, key) DO UPDATE
            SET revision = excluded.revision, expires_ms = excluded.expires_ms, value = excluded.value),
    removed_records AS (
        DELETE FROM countersign.record r USING unnest($18::text[], $19::text[]) AS gone(space, key)
        WHERE r.space = gone.space AND r.key = gone.key),
    put_work AS (
        INSERT INTO countersign.work (queue, key, due_ms, attempts, body)
        SELECT queue, key, due_ms, 0, body
        FROM unnest($20::text[], $21::text[], $22::bigint[], $23::text[]) AS put(queue, key, due_ms, body)
        ON CONFLICT (queue, key) DO UPDATE
            SET due_ms = excluded.due_ms, leased_until_ms = NULL, attempts = 0, body = excluded.body),
    moved_work AS (
        UPDATE countersign.work w SET due_ms = moved.due_ms, leased_until_ms = NULL
        FROM unnest($24::text[], $25::text[], $26::bigint[]) AS moved(queue, key, due_ms)
        WHERE w.queue = moved.queue AND w.key = moved.key),
    removed_work AS (
        DELETE FROM countersign.work w USING unnest($27::text[], $28::text[]) AS gone(queue, key)
        WHERE w.queue = gone.queue AND w.key = gone.key),
    tiles AS (
        INSERT INTO countersign.tile (level, tile_index, data)
        SELECT * FROM unnest($29::int[], $30::bigint[], $31::bytea[])
        ON CONFLICT (level, tile_index) DO UPDATE SET data = excluded.data),
    root AS (
        INSERT INTO countersign.checkpoint (tree_size, root) SELECT * FROM unnest($32::bigint[], $33::bytea[])),
    gate AS (
        INSERT INTO countersign.gate (gate, generation, at_ms) VALUES ($34, $35, $36)
        ON CONFLICT (gate) DO UPDATE SET generation = excluded.generation, at_ms = excluded.at_ms)
    UPDATE countersign.head SET generation = $35, position = $37, tree_size = $38
    WHERE one = 1 AND generation = $39
    RETURNING pg_notify('countersign', $35::text)::text";

pub(super) async fn look_up(
    connection: &mut PgConnection,
    needs: &Needs,
    now_ms: i64,
) -> sqlx::Result<Facts> {
    let mut facts = Facts::default();
    if needs.is_empty() {
        return Ok(facts);
    }
    let streams: Vec<_> = needs.streams.iter().map(String::as_str).collect();
    let records: Vec<_> = needs.records.iter().collect();
    let work: Vec<_> = needs.work.iter().collect();
    let (spaces, keys) = columns(&records);
    let (queues, work_keys) = columns(&work);
    let rows: Vec<(i32, i64, Option<i64>)> = sqlx::query_as(LOOK_UP)
        .bind(&streams)
        .bind(spaces)
        .bind(keys)
        .bind(queues)
        .bind(work_keys)
        .bind(now_ms)
        .fetch_all(connection)
        .await?;
    for (what, at, found) in rows {
        // `WITH ORDINALITY` counts from one.
        let (Ok(at), Some(found)) = (usize::try_from(at - 1), found) else {
            continue;
        };
        match what {
            0 => facts.streams.extend(
                streams
                    .get(at)
                    .map(|stream| ((*stream).to_owned(), uint(found))),
            ),
            1 => facts
                .records
                .extend(records.get(at).map(|place| ((*place).clone(), uint(found)))),
            _ => facts
                .work
                .extend(work.get(at).map(|place| (*place).clone())),
        }
    }
    Ok(facts)
}

pub(super) async fn sweep(connection: &mut PgConnection, now_ms: i64) -> sqlx::Result<()> {
    sqlx::query(SWEEP)
        .bind(now_ms)
        .bind(SWEEP_MAX)
        .execute(connection)
        .await?;
    Ok(())
}

/// Before [`write`]: parts of one statement happen in no order, and an erased stream may begin again.
pub(super) async fn erase(
    connection: &mut PgConnection,
    streams: &BTreeSet<String>,
) -> sqlx::Result<()> {
    if streams.is_empty() {
        return Ok(());
    }
    let streams: Vec<_> = streams.iter().map(String::as_str).collect();
    sqlx::query(ERASE).bind(streams).execute(connection).await?;
    Ok(())
}

/// Everything a transaction writes.
pub(super) struct Writing<'a> {
    pub(super) group: &'a Group,
    /// A checkpoint signed since the last time: its size and note.
    pub(super) note: Option<&'a (u64, String)>,
    pub(super) tiles: &'a [(TilePath, Vec<u8>)],
    pub(super) root: [u8; 32],
    pub(super) gate: &'a str,
    pub(super) now_ms: i64,
    /// The generation and tree size it goes on from.
    pub(super) from: (u64, u64),
}

/// Writes the group and moves the head; false if the head was moved meanwhile, which the lock forbids.
pub(super) async fn write(
    connection: &mut PgConnection,
    writing: &Writing<'_>,
) -> sqlx::Result<bool> {
    let Writing {
        group,
        note,
        tiles,
        root,
        gate,
        now_ms,
        from: (generation, first_leaf),
    } = writing;
    let size = group.tree_size();
    let leaves: Vec<_> = group.leaves.iter().map(Vec::as_slice).collect();
    let events = Events::of(&group.events);
    let records = Records::of(&group.records);
    let work = WorkRows::of(&group.work);
    let tiles = Tiles::of(tiles);
    let grown = size > *first_leaf;
    let sizes: Vec<i64> = grown.then(|| int(size)).into_iter().collect();
    let roots: Vec<&[u8]> = grown.then_some(&root[..]).into_iter().collect();
    let moved: Option<String> = sqlx::query_scalar(WRITE)
        .bind(note.map(|(size, _)| int(*size)))
        .bind(note.map(|(_, note)| note.as_str()))
        .bind(int(*first_leaf))
        .bind(leaves)
        .bind(events.streams)
        .bind(events.sequences)
        .bind(events.positions)
        .bind(events.kinds)
        .bind(events.versions)
        .bind(events.times)
        .bind(events.data)
        .bind(events.leaves)
        .bind(records.spaces)
        .bind(records.keys)
        .bind(records.revisions)
        .bind(records.expiries)
        .bind(records.values)
        .bind(records.removed.0)
        .bind(records.removed.1)
        .bind(work.queues)
        .bind(work.keys)
        .bind(work.dues)
        .bind(work.bodies)
        .bind(work.moved.0)
        .bind(work.moved.1)
        .bind(work.moved_dues)
        .bind(work.removed.0)
        .bind(work.removed.1)
        .bind(tiles.levels)
        .bind(tiles.indexes)
        .bind(tiles.data)
        .bind(sizes)
        .bind(roots)
        .bind(*gate)
        .bind(int(generation + 1))
        .bind(*now_ms)
        .bind(int(group.position))
        .bind(int(size))
        .bind(int(*generation))
        .fetch_optional(connection)
        .await?;
    Ok(moved.is_some())
}

#[derive(Default)]
struct Events<'a> {
    streams: Vec<&'a str>,
    sequences: Vec<i64>,
    positions: Vec<i64>,
    kinds: Vec<&'a str>,
    versions: Vec<i32>,
    times: Vec<i64>,
    data: Vec<&'a str>,
    leaves: Vec<Option<i64>>,
}

impl<'a> Events<'a> {
    fn of(events: &'a [StoredEvent]) -> Self {
        let mut rows = Self::default();
        for event in events {
            rows.streams.push(&event.stream.0);
            rows.sequences.push(int(event.sequence));
            rows.positions.push(int(event.position));
            rows.kinds.push(&event.kind);
            rows.versions.push(event.version.into());
            rows.times.push(event.at_ms);
            rows.data.push(&event.data);
            rows.leaves.push(event.leaf.map(int));
        }
        rows
    }
}

#[derive(Default)]
struct Records<'a> {
    spaces: Vec<&'a str>,
    keys: Vec<&'a str>,
    revisions: Vec<i64>,
    expiries: Vec<Option<i64>>,
    values: Vec<&'a str>,
    removed: (Vec<&'a str>, Vec<&'a str>),
}

impl<'a> Records<'a> {
    fn of(records: &'a BTreeMap<Place, RecordEffect>) -> Self {
        let mut rows = Self::default();
        for ((space, key), effect) in records {
            match effect {
                RecordEffect::Put {
                    value,
                    revision,
                    expires_ms,
                } => {
                    rows.spaces.push(space);
                    rows.keys.push(key);
                    rows.revisions.push(int(*revision));
                    rows.expiries.push(*expires_ms);
                    rows.values.push(value);
                }
                RecordEffect::Remove => {
                    rows.removed.0.push(space);
                    rows.removed.1.push(key);
                }
            }
        }
        rows
    }
}

#[derive(Default)]
struct WorkRows<'a> {
    queues: Vec<&'a str>,
    keys: Vec<&'a str>,
    dues: Vec<i64>,
    bodies: Vec<&'a str>,
    moved: (Vec<&'a str>, Vec<&'a str>),
    moved_dues: Vec<i64>,
    removed: (Vec<&'a str>, Vec<&'a str>),
}

impl<'a> WorkRows<'a> {
    fn of(work: &'a BTreeMap<Place, WorkEffect>) -> Self {
        let mut rows = Self::default();
        for ((queue, key), effect) in work {
            match effect {
                WorkEffect::Put { due_ms, body } => {
                    rows.queues.push(queue);
                    rows.keys.push(key);
                    rows.dues.push(*due_ms);
                    rows.bodies.push(body);
                }
                WorkEffect::Move { due_ms } => {
                    rows.moved.0.push(queue);
                    rows.moved.1.push(key);
                    rows.moved_dues.push(*due_ms);
                }
                WorkEffect::Remove => {
                    rows.removed.0.push(queue);
                    rows.removed.1.push(key);
                }
            }
        }
        rows
    }
}

#[derive(Default)]
struct Tiles<'a> {
    levels: Vec<i32>,
    indexes: Vec<i64>,
    data: Vec<&'a [u8]>,
}

impl<'a> Tiles<'a> {
    /// Hash tiles to keep: see [`kept`].
    fn of(tiles: &'a [(TilePath, Vec<u8>)]) -> Self {
        let mut rows = Self::default();
        for (path, bytes) in tiles {
            if let Some((level, index)) = kept(path) {
                rows.levels.push(level);
                rows.indexes.push(index);
                rows.data.push(bytes);
            }
        }
        rows
    }
}

/// The place of a tile that has a row: no entry bundle, and of the lowest level only a full one.
pub(super) fn kept(path: &TilePath) -> Option<(i32, i64)> {
    match path {
        TilePath::Hashes {
            level: 0, width, ..
        } if *width != TILE_WIDTH => None,
        TilePath::Hashes { level, index, .. } => Some(((*level).into(), int(*index))),
        TilePath::Entries { .. } => None,
    }
}

fn columns<'a>(places: &[&'a Place]) -> (Vec<&'a str>, Vec<&'a str>) {
    places
        .iter()
        .map(|(space, key)| (*space, key.as_str()))
        .unzip()
}
