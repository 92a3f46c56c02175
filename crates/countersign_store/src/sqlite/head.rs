//! How far the store has come, as it is written down, and whether that is sound.

use std::collections::BTreeMap;

use countersign_ledger::{Appender, Hash, TILE_WIDTH, TilePath, leaf_hash};
use sqlx::SqliteConnection;

use crate::tiles;

/// The newest state, from which the next transaction goes on.
#[derive(Debug, Clone)]
pub(super) struct Head {
    /// Grows by one with every transaction.
    pub(super) generation: u64,
    /// Global position of the newest event.
    pub(super) position: u64,
    pub(super) tree: Appender,
}

impl Head {
    pub(super) fn new() -> Self {
        Self {
            generation: 0,
            position: 0,
            tree: Appender::empty(),
        }
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
    /// Two things in the database contradict each other.
    #[error("{0}")]
    Unsound(String),
}

/// The head's columns, the newest event's position and the newest leaf's index.
type Row = (String, u64, u64, u64, Option<u64>, Option<u64>);

/// Reads the head and holds it against the newest event, leaves, tiles and root. `None` if the
/// database is new.
///
/// This looks at the tree's right edge only, so it takes the same time for every size; the rest
/// is for an audit.
pub(super) async fn load(connection: &mut SqliteConnection) -> Result<Option<Loaded>, LoadError> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT origin, generation, position, tree_size,
                (SELECT max(position) FROM event), (SELECT max(leaf_index) FROM leaf)
         FROM head",
    )
    .fetch_optional(&mut *connection)
    .await?;
    let Some((origin, generation, position, size, newest_event, newest_leaf)) = row else {
        return Ok(None);
    };
    if newest_event.unwrap_or(0) != position {
        return Err(unsound(format!(
            "the head stands at event {position}, the newest event is {}",
            newest_event.unwrap_or(0)
        )));
    }
    let leaves = newest_leaf.map_or(0, |index| index + 1);
    if leaves != size {
        return Err(unsound(format!(
            "the head says {size} leaves, there are {leaves}"
        )));
    }

    let newest: Option<(u64, Vec<u8>, Option<String>)> = sqlx::query_as(
        "SELECT tree_size, root, note FROM checkpoint ORDER BY tree_size DESC LIMIT 1",
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
    let tree = resume(connection, size).await?;
    if tree.root() != *root {
        return Err(unsound(format!(
            "the tiles of {size} leaves have another root than the checkpoint"
        )));
    }
    Ok(Some(Loaded {
        head: Head {
            generation,
            position,
            tree,
        },
        origin,
        note,
    }))
}

/// The newest checkpoint whose signature is written down, with its size in leaves.
pub(super) async fn newest_signed(
    connection: &mut SqliteConnection,
) -> sqlx::Result<Option<(u64, String)>> {
    sqlx::query_as(
        "SELECT tree_size, note FROM checkpoint WHERE note IS NOT NULL ORDER BY tree_size DESC LIMIT 1",
    )
    .fetch_optional(connection)
    .await
}

async fn resume(connection: &mut SqliteConnection, size: u64) -> Result<Appender, LoadError> {
    let width = u64::from(TILE_WIDTH);
    let mut edge = BTreeMap::new();
    let mut hashes = size;
    for level in 0_u8.. {
        if hashes == 0 {
            break;
        }
        // The level's last tile, full or not.
        let index = (hashes - 1) / width;
        let tile: Option<Vec<u8>> =
            sqlx::query_scalar("SELECT data FROM tile WHERE level = ? AND tile_index = ?")
                .bind(level)
                .bind(super::int(index))
                .fetch_optional(&mut *connection)
                .await?;
        if let Some(tile) = tile {
            edge.insert(
                TilePath::Hashes {
                    level,
                    index,
                    width: TILE_WIDTH,
                },
                tile,
            );
        }
        hashes /= width;
    }

    if let Some(last) = size.checked_sub(1) {
        let index = last / width;
        let leaves: Vec<Vec<u8>> =
            sqlx::query_scalar("SELECT data FROM leaf WHERE leaf_index >= ? ORDER BY leaf_index")
                .bind(super::int(index * width))
                .fetch_all(&mut *connection)
                .await?;
        let hashed: Vec<Hash> = leaves.iter().map(|leaf| leaf_hash(leaf)).collect();
        let tile = edge.get(&TilePath::Hashes {
            level: 0,
            index,
            width: TILE_WIDTH,
        });
        if tile.is_none_or(|tile| *tile != hashed.concat()) {
            return Err(unsound(format!(
                "the last leaves of {size} are not those of their tile"
            )));
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

fn unsound(what: String) -> LoadError {
    LoadError::Unsound(what)
}
