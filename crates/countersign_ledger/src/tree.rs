//! The Merkle tree of RFC 6962 as its right edge, which is all an appending log needs.

use std::fmt;

use sha2::{Digest, Sha256};

use crate::tile::{TILE_WIDTH, TilePath};

/// A SHA-256 hash.
pub type Hash = [u8; 32];

/// The longest entry a bundle can hold: its length is written in two bytes.
pub const ENTRY_BYTES_MAX: usize = u16::MAX as usize;

/// Hash tiles have eight levels of the tree each.
const TILE_HEIGHT: u32 = 8;

/// The hash of an entry: `SHA-256(0x00 || entry)` (RFC 6962, 2.1).
pub fn leaf_hash(entry: &[u8]) -> Hash {
    let mut sha = Sha256::new();
    sha.update([0]);
    sha.update(entry);
    sha.finalize().into()
}

/// The hash of an inner node: `SHA-256(0x01 || left || right)` (RFC 6962, 2.1).
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut sha = Sha256::new();
    sha.update([1]);
    sha.update(left);
    sha.update(right);
    sha.finalize().into()
}

/// The root of a log without entries: `SHA-256("")` (RFC 6962, 2.1).
pub fn empty_root() -> Hash {
    Sha256::digest([]).into()
}

/// The right edge of a tree: appends leaves and yields the tiles and bundles that changed.
///
/// Holds under 100 KB for entries of 300 bytes, whatever the size of the log. A clone is a
/// snapshot to roll back to.
#[derive(Clone, PartialEq, Eq)]
pub struct Appender {
    size: u64,
    /// Roots of the perfect subtrees the tree falls into, largest first: one for each bit of
    /// `size`.
    peaks: Vec<Hash>,
    /// For each level the bytes of its last, not yet full tile.
    edge: Vec<Vec<u8>>,
    /// The bytes of the last, not yet full entry bundle.
    bundle: Vec<u8>,
}

/// The tiles an append changed, each with all its bytes at its new width.
///
/// Tiles only grow at their end: an earlier, narrower version is a prefix of these bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changed {
    /// Full tiles as they filled, then the partial ones of the new right edge.
    pub tiles: Vec<(TilePath, Vec<u8>)>,
}

impl Appender {
    /// The edge of a log without entries.
    pub fn empty() -> Self {
        Self {
            size: 0,
            peaks: Vec::new(),
            edge: Vec::new(),
            bundle: Vec::new(),
        }
    }

    /// The edge of a log of `size` entries, read from its partial tiles.
    ///
    /// `tile` is asked for exactly the partial tiles of that size, at most nine. It may answer
    /// with a wider version of a tile. The result is as good as the tiles are: compare
    /// [`root`](Self::root) with a checkpoint you trust.
    pub fn resume(
        size: u64,
        mut tile: impl FnMut(TilePath) -> Option<Vec<u8>>,
    ) -> Result<Self, ResumeError> {
        let mut fetch = |path: TilePath| {
            let bytes = tile(path).ok_or(ResumeError::Missing { path })?;
            let exact = path.cut(&bytes).ok_or(ResumeError::Malformed { path })?;
            Ok(exact.to_vec())
        };
        let mut edge = Vec::new();
        for path in partial_hash_tiles(size) {
            edge.push(match path {
                Some(path) => fetch(path)?,
                None => Vec::new(),
            });
        }
        let bundle = match partial_bundle(size) {
            Some(path) => fetch(path)?,
            None => Vec::new(),
        };
        let peaks = edge
            .iter()
            .rev()
            .flat_map(|tile| peaks_of(tile.as_chunks().0))
            .collect();
        Ok(Self {
            size,
            peaks,
            edge,
            bundle,
        })
    }

    /// Entries in the log.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The root hash of the log at its present size.
    pub fn root(&self) -> Hash {
        let mut peaks = self.peaks.iter().rev();
        let Some(last) = peaks.next() else {
            return empty_root();
        };
        peaks.fold(*last, |right, left| node_hash(left, &right))
    }

    /// Appends entries in their order. Fails before anything is appended if one is longer than
    /// [`ENTRY_BYTES_MAX`] bytes.
    pub fn append<'a>(
        &mut self,
        entries: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<Changed, EntryTooLong> {
        let mut lengths = Vec::new();
        for entry in entries {
            let length = u16::try_from(entry.len()).map_err(|_| EntryTooLong {
                position: lengths.len(),
                bytes: entry.len(),
            })?;
            lengths.push((length, entry));
        }
        let mut changed = Changed::default();
        let before = self.size;
        for (length, entry) in lengths {
            self.push(length, entry, &mut changed);
        }
        self.add_partial_tiles(before, &mut changed);
        Ok(changed)
    }

    /// The tiles of the right edge that are not full, at their present width.
    pub fn partial_tiles(&self) -> Changed {
        let mut changed = Changed::default();
        self.add_partial_tiles(0, &mut changed);
        changed
    }

    fn push(&mut self, length: u16, entry: &[u8], changed: &mut Changed) {
        let index = self.size;
        self.size += 1;

        self.bundle.extend_from_slice(&length.to_be_bytes());
        self.bundle.extend_from_slice(entry);
        if self.size.is_multiple_of(u64::from(TILE_WIDTH)) {
            let path = TilePath::Entries {
                index: index / u64::from(TILE_WIDTH),
                width: TILE_WIDTH,
            };
            let next = Vec::with_capacity(self.bundle.len());
            changed
                .tiles
                .push((path, std::mem::replace(&mut self.bundle, next)));
        }

        // As in adding one to a binary counter: each trailing one bit of the old size is a
        // perfect subtree that the new leaf completes into one twice as large.
        let mut hash = leaf_hash(entry);
        self.push_tile_hash(0, &hash, changed);
        for height in 1..=index.trailing_ones() {
            if let Some(left) = self.peaks.pop() {
                hash = node_hash(&left, &hash);
            }
            if height.is_multiple_of(TILE_HEIGHT) {
                self.push_tile_hash(height / TILE_HEIGHT, &hash, changed);
            }
        }
        self.peaks.push(hash);
    }

    /// Adds the root of a perfect subtree of height `8 * level` to that level's last tile.
    fn push_tile_hash(&mut self, level: u32, hash: &Hash, changed: &mut Changed) {
        let at = level as usize;
        if self.edge.len() <= at {
            self.edge.resize_with(at + 1, Vec::new);
        }
        let Some(tile) = self.edge.get_mut(at) else {
            return;
        };
        tile.extend_from_slice(hash);
        if tile.len() == usize::from(TILE_WIDTH) * hash.len() {
            let path = TilePath::Hashes {
                level: level_number(level),
                index: shift(self.size, level + 1).saturating_sub(1),
                width: TILE_WIDTH,
            };
            let next = Vec::with_capacity(tile.len());
            changed.tiles.push((path, std::mem::replace(tile, next)));
        }
    }

    /// Adds the partial tiles that differ from those of the same log at size `before`.
    fn add_partial_tiles(&self, before: u64, changed: &mut Changed) {
        if before == self.size {
            return;
        }
        for (path, tile) in partial_hash_tiles(self.size).into_iter().zip(&self.edge) {
            if let Some(path @ TilePath::Hashes { level, .. }) = path
                && shift(before, u32::from(level)) != shift(self.size, u32::from(level))
            {
                changed.tiles.push((path, tile.clone()));
            }
        }
        if let Some(path) = partial_bundle(self.size) {
            changed.tiles.push((path, self.bundle.clone()));
        }
    }
}

impl fmt::Debug for Appender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Appender")
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

/// An entry does not fit a bundle; nothing was appended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntryTooLong {
    /// Zero-based place of the entry among those given.
    pub position: usize,
    /// Its length; at most [`ENTRY_BYTES_MAX`] is allowed.
    pub bytes: usize,
}

impl fmt::Display for EntryTooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "entry {} has {} bytes, more than {ENTRY_BYTES_MAX}",
            self.position, self.bytes
        )
    }
}

impl std::error::Error for EntryTooLong {}

/// Why the right edge of a log could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResumeError {
    /// The source does not have the tile.
    Missing {
        /// The tile asked for.
        path: TilePath,
    },
    /// The bytes hold fewer hashes or entries than the path says.
    Malformed {
        /// The tile asked for.
        path: TilePath,
    },
}

impl fmt::Display for ResumeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { path } => write!(f, "tile `{path}` is missing"),
            Self::Malformed { path } => write!(f, "tile `{path}` is cut short"),
        }
    }
}

impl std::error::Error for ResumeError {}

/// The partial hash tile of each level of a log, lowest first; `None` where the level's last
/// tile is full or the level is below one that exists and has nothing over.
pub(crate) fn partial_hash_tiles(size: u64) -> Vec<Option<TilePath>> {
    let mut tiles = Vec::new();
    let mut level = 0;
    while shift(size, level) > 0 {
        let hashes = shift(size, level);
        tiles.push(partial_width(hashes).map(|width| TilePath::Hashes {
            level: level_number(level),
            index: hashes / u64::from(TILE_WIDTH),
            width,
        }));
        level += 1;
    }
    tiles
}

/// The partial entry bundle of a log, if its last bundle is not full.
pub(crate) fn partial_bundle(size: u64) -> Option<TilePath> {
    partial_width(size).map(|width| TilePath::Entries {
        index: size / u64::from(TILE_WIDTH),
        width,
    })
}

/// How many hashes or entries stand in the last tile of `count`, if it is not full.
fn partial_width(count: u64) -> Option<u16> {
    u16::try_from(count % u64::from(TILE_WIDTH))
        .ok()
        .filter(|width| *width > 0)
}

/// How many hashes level `level` has in a tree of `size` entries.
pub(crate) fn shift(size: u64, level: u32) -> u64 {
    size.checked_shr(level * TILE_HEIGHT).unwrap_or(0)
}

fn level_number(level: u32) -> u8 {
    // At most 7: a `u64` has eight bytes.
    u8::try_from(level).unwrap_or(u8::MAX)
}

/// The roots of the perfect subtrees over a run of hashes of one level, largest first.
pub(crate) fn peaks_of(hashes: &[Hash]) -> Vec<Hash> {
    let mut peaks: Vec<Hash> = Vec::new();
    for (index, hash) in hashes.iter().enumerate() {
        let mut hash = *hash;
        for _ in 0..index.trailing_ones() {
            if let Some(left) = peaks.pop() {
                hash = node_hash(&left, &hash);
            }
        }
        peaks.push(hash);
    }
    peaks
}
