//! How far the store has come, and following it when another gate has moved it.

use std::collections::BTreeMap;

use countersign_ledger::{Appender, Hash, TILE_WIDTH, TilePath, leaf_hash};
use sqlx::PgConnection;

use super::{int, uint};
use crate::tiles;

/// The most leaves read at once when following.
const FOLLOWED: i64 = 4_096;

/// The newest state this gate knows, from which its next transaction goes on.
#[derive(Debug, Clone)]
pub(super) struct Head {
    /// Grows by one with every transaction of any gate.
    pub(super) generation: u64,
    /// Global position of the newest event.
    pub(super) position: u64,
    pub(super) tree: Appender,
}

/// Where the database stands, in a few words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mark {
    generation: u64,
    position: u64,
    size: u64,
    root: Vec<u8>,
}

impl Mark {
    pub(super) fn of((generation, position, size, root): (i64, i64, i64, Vec<u8>)) -> Self {
        Self {
            generation: uint(generation),
            position: uint(position),
            size: uint(size),
            root,
        }
    }

    /// Whether this is where this gate believes the database to be. Not the generation alone: after a failover that lost
    /// commits, another gate may have come to the same number by another way.
    pub(super) fn is(&self, head: &Head) -> bool {
        self.generation == head.generation
            && self.position == head.position
            && self.size == head.tree.size()
            && *self.root == head.tree.root()
    }
}

/// What the database says about its head.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) head: Head,
    /// The log's origin line.
    pub(super) origin: String,
    /// The newest checkpoint, if its signature was written down.
    pub(super) note: Option<String>,
}

/// Why the head could not be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum LoadError {
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// Two things in the database, or the database and what this gate has seen, contradict each other.
    #[error("{0}")]
    Unsound(String),
}

/// Reads the head, within a transaction that sees one state, and holds it against the newest event, leaves, tiles and
/// root. `None` if there is none.
///
/// As in `sqlite`, this looks at the tree's right edge only.
pub(super) async fn load(connection: &mut PgConnection) -> Result<Option<Loaded>, LoadError> {
    type Row = (String, i64, i64, i64, Option<i64>, Option<i64>);
    let row: Option<Row> = sqlx::query_as(
        "SELECT origin, generation, position, tree_size,
            (SELECT max(position) FROM countersign.event), (SELECT max(leaf_index) FROM countersign.leaf)
         FROM countersign.head",
    )
    .fetch_optional(&mut *connection)
    .await?;
    let Some((origin, generation, position, size, newest_event, newest_leaf)) = row else {
        return Ok(None);
    };
    let newest_event = newest_event.unwrap_or(0);
    if newest_event != position {
        return Err(unsound(format!(
            "the head stands at event {position}, the newest event is {newest_event}"
        )));
    }
    let leaves = newest_leaf.map_or(0, |index| index + 1);
    if leaves != size {
        return Err(unsound(format!(
            "the head says {size} leaves, there are {leaves}"
        )));
    }
    let newest: Option<(i64, Vec<u8>, Option<String>)> = sqlx::query_as(
        "SELECT tree_size, root, note FROM countersign.checkpoint ORDER BY tree_size DESC LIMIT 1",
    )
    .fetch_optional(&mut *connection)
    .await?;
    let Some((signed_size, root, note)) = newest else {
        return Err(unsound("there is no checkpoint".into()));
    };
    if signed_size != size {
        return Err(unsound(format!(
            "the head says {size} leaves, the newest checkpoint {signed_size}"
        )));
    }
    let tree = resume(connection, uint(size)).await?;
    if tree.root() != *root {
        return Err(unsound(format!(
            "the tiles of {size} leaves have another root than the checkpoint"
        )));
    }
    Ok(Some(Loaded {
        head: Head {
            generation: uint(generation),
            position: uint(position),
            tree,
        },
        origin,
        note,
    }))
}

/// Reads what other gates have written since; the head after it, or `None` if that is nothing.
///
/// The tree is not read but continued, leaf by leaf, and must come to the root that the other gate wrote down. So a gate
/// never goes on from, nor signs, a tree that does not begin with every leaf it has ever seen.
pub(super) async fn follow(
    connection: &mut PgConnection,
    known: &Head,
) -> Result<Option<Head>, LoadError> {
    // One statement sees one state; leaves are never changed after it.
    let row: Option<(i64, i64, i64, Vec<u8>)> = sqlx::query_as(
        "SELECT h.generation, h.position, h.tree_size, c.root
         FROM countersign.head h JOIN countersign.checkpoint c ON c.tree_size = h.tree_size",
    )
    .fetch_optional(&mut *connection)
    .await?;
    let Some(mark) = row.map(Mark::of) else {
        return Err(unsound("the head is gone".into()));
    };
    if mark.is(known) {
        return Ok(None);
    }
    let Mark {
        generation,
        position,
        size,
        root,
    } = mark;
    if generation <= known.generation || size < known.tree.size() || position < known.position {
        return Err(unsound(format!(
            "the database has gone back, or another way: it holds {size} leaves, this gate has seen {}",
            known.tree.size()
        )));
    }
    let mut tree = known.tree.clone();
    while tree.size() < size {
        let leaves: Vec<Vec<u8>> = sqlx::query_scalar(
            "SELECT data FROM countersign.leaf WHERE leaf_index >= $1 AND leaf_index < $2
             ORDER BY leaf_index LIMIT $3",
        )
        .bind(int(tree.size()))
        .bind(int(size))
        .bind(FOLLOWED)
        .fetch_all(&mut *connection)
        .await?;
        if leaves.is_empty() {
            return Err(unsound(format!("leaf {} is missing", tree.size())));
        }
        tree.append(leaves.iter().map(Vec::as_slice))
            .map_err(|error| unsound(error.to_string()))?;
    }
    if tree.root() != *root {
        return Err(unsound(format!(
            "the root of {size} leaves is not that of a tree that begins with the {} this gate has seen",
            known.tree.size()
        )));
    }
    Ok(Some(Head {
        generation,
        position,
        tree,
    }))
}

async fn resume(connection: &mut PgConnection, size: u64) -> Result<Appender, LoadError> {
    let width = u64::from(TILE_WIDTH);
    let mut edge = BTreeMap::new();
    let mut hashes = size;
    for level in 0_u8.. {
        if hashes == 0 {
            break;
        }
        // The level's last tile, full or not.
        let index = (hashes - 1) / width;
        let tile: Option<Vec<u8>> = sqlx::query_scalar(
            "SELECT data FROM countersign.tile WHERE level = $1 AND tile_index = $2",
        )
        .bind(i32::from(level))
        .bind(int(index))
        .fetch_optional(&mut *connection)
        .await?;
        if let Some(tile) = tile {
            edge.insert(hash_tile(level, index), tile);
        }
        hashes /= width;
    }

    if let Some(last) = size.checked_sub(1) {
        let index = last / width;
        let leaves: Vec<Vec<u8>> = sqlx::query_scalar(
            "SELECT data FROM countersign.leaf WHERE leaf_index >= $1 ORDER BY leaf_index",
        )
        .bind(int(index * width))
        .fetch_all(&mut *connection)
        .await?;
        let hashed = hashes_of(&leaves);
        if size.is_multiple_of(width) {
            if edge.get(&hash_tile(0, index)) != Some(&hashed) {
                return Err(unsound(format!(
                    "the last leaves of {size} are not those of their tile"
                )));
            }
        } else {
            edge.insert(hash_tile(0, index), hashed);
        }
        let bundle = tiles::bundle(leaves.iter().map(Vec::as_slice))
            .ok_or_else(|| unsound("a leaf is too long for its bundle".into()))?;
        edge.insert(
            TilePath::Entries {
                index,
                width: TILE_WIDTH,
            },
            bundle,
        );
    }
    Appender::resume(size, |path| edge.remove(&path.with_width(TILE_WIDTH)))
        .map_err(|error| unsound(error.to_string()))
}

/// The tile of the lowest level over these leaves.
pub(super) fn hashes_of(leaves: &[Vec<u8>]) -> Vec<u8> {
    let hashes: Vec<Hash> = leaves.iter().map(|leaf| leaf_hash(leaf)).collect();
    hashes.concat()
}

fn hash_tile(level: u8, index: u64) -> TilePath {
    TilePath::Hashes {
        level,
        index,
        width: TILE_WIDTH,
    }
}

fn unsound(what: String) -> LoadError {
    LoadError::Unsound(what)
}
