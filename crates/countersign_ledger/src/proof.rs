//! Proofs that an entry is in a log and that a log has only grown, made from tiles and
//! checked without them (RFC 9162, 2.1.3 and 2.1.4).

use std::collections::BTreeMap;
use std::fmt;

use crate::tile::{TILE_WIDTH, TilePath};
use crate::tree::{Hash, empty_root, node_hash, peaks_of, shift};

/// Levels of the tree that one hash tile spans.
const TILE_HEIGHT: u32 = 8;

/// Where tiles are read from: a folder, a database, a server.
///
/// A source answers with the bytes of exactly the tile asked for, or `None` if it does not
/// have it. Where a partial tile is missing the full one is asked for next, since a log may
/// delete partial tiles once they have filled (c2sp.org/tlog-tiles).
pub trait Tiles {
    /// The bytes of one tile.
    fn tile(&self, path: &TilePath) -> Option<Vec<u8>>;
}

impl<F: Fn(&TilePath) -> Option<Vec<u8>>> Tiles for F {
    fn tile(&self, path: &TilePath) -> Option<Vec<u8>> {
        self(path)
    }
}

/// The hash tiles [`inclusion_proof`] reads, each once; none if `index` is not in the log.
pub fn tiles_for_inclusion(index: u64, size: u64) -> Vec<TilePath> {
    tiles_for(&inclusion_ranges(index, size).unwrap_or_default(), size)
}

/// Proves that entry `index` is in the log of `size` entries: the sibling hashes from the
/// leaf up (RFC 9162, 2.1.3.1).
///
/// The proof is as good as the tiles are; whoever makes proofs from tiles they do not trust
/// checks them with [`verify_inclusion`].
pub fn inclusion_proof(index: u64, size: u64, tiles: &impl Tiles) -> Result<Vec<Hash>, ProofError> {
    let ranges = inclusion_ranges(index, size).ok_or(ProofError::OutOfRange)?;
    hashes(&ranges, size, tiles)
}

/// The hash tiles [`consistency_proof`] reads, each once; none if `old` is the larger size.
pub fn tiles_for_consistency(old: u64, new: u64) -> Vec<TilePath> {
    tiles_for(&consistency_ranges(old, new).unwrap_or_default(), new)
}

/// Proves that the log of `new` entries begins with the log of `old` entries (RFC 9162,
/// 2.1.4.1). Empty if either is the other or `old` is zero.
pub fn consistency_proof(old: u64, new: u64, tiles: &impl Tiles) -> Result<Vec<Hash>, ProofError> {
    let ranges = consistency_ranges(old, new).ok_or(ProofError::OutOfRange)?;
    hashes(&ranges, new, tiles)
}

/// Checks that `proof` puts `leaf` at `index` into the log of `size` entries with this root
/// (RFC 9162, 2.1.3.2).
pub fn verify_inclusion(
    index: u64,
    size: u64,
    leaf: &Hash,
    proof: &[Hash],
    root: &Hash,
) -> Result<(), WrongProof> {
    if index >= size {
        return Err(WrongProof::OutOfRange);
    }
    let mut at = index;
    let mut last = size - 1;
    let mut hash = *leaf;
    for sibling in proof {
        if last == 0 {
            return Err(WrongProof::Length);
        }
        if at & 1 == 1 || at == last {
            hash = node_hash(sibling, &hash);
            // The last node of a level without a sibling is the last node of the next too.
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        at >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(WrongProof::Length);
    }
    if hash == *root {
        Ok(())
    } else {
        Err(WrongProof::Root)
    }
}

/// Checks that `proof` shows the log of `new` entries to begin with the log of `old` entries
/// (RFC 9162, 2.1.4.2).
pub fn verify_consistency(
    old: u64,
    new: u64,
    old_root: &Hash,
    new_root: &Hash,
    proof: &[Hash],
) -> Result<(), WrongProof> {
    if old > new {
        return Err(WrongProof::OutOfRange);
    }
    if old == new || old == 0 {
        let expected = if old == new { *new_root } else { empty_root() };
        return match (proof, expected == *old_root) {
            ([_, ..], _) => Err(WrongProof::Length),
            (_, false) => Err(WrongProof::Root),
            (_, true) => Ok(()),
        };
    }
    let mut at = old - 1;
    let mut last = new - 1;
    while at & 1 == 1 {
        at >>= 1;
        last >>= 1;
    }
    // If the old log is one perfect subtree, its root is not in the proof.
    let (mut before, rest) = if at == 0 {
        (*old_root, proof)
    } else {
        let (first, rest) = proof.split_first().ok_or(WrongProof::Length)?;
        (*first, rest)
    };
    let mut after = before;
    for sibling in rest {
        if last == 0 {
            return Err(WrongProof::Length);
        }
        if at & 1 == 1 || at == last {
            before = node_hash(sibling, &before);
            after = node_hash(sibling, &after);
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            after = node_hash(&after, sibling);
        }
        at >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(WrongProof::Length);
    }
    if before == *old_root && after == *new_root {
        Ok(())
    } else {
        Err(WrongProof::Root)
    }
}

/// Why a proof could not be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProofError {
    /// The index is not in the log, or the old log is larger than the new one.
    OutOfRange,
    /// The source does not have the tile.
    Missing {
        /// The tile asked for.
        path: TilePath,
    },
    /// The tile holds fewer hashes than its path says.
    Malformed {
        /// The tile asked for.
        path: TilePath,
    },
}

impl fmt::Display for ProofError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutOfRange => f.write_str("the log is not that large"),
            Self::Missing { path } => write!(f, "tile `{path}` is missing"),
            Self::Malformed { path } => write!(f, "tile `{path}` is cut short"),
        }
    }
}

impl std::error::Error for ProofError {}

/// Why a proof is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WrongProof {
    /// The index is not in the log, or the old log is larger than the new one.
    OutOfRange,
    /// The proof has more or fewer hashes than its numbers call for.
    Length,
    /// The hashes do not lead to the root.
    Root,
}

impl fmt::Display for WrongProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OutOfRange => "the log is not that large",
            Self::Length => "the proof has the wrong number of hashes",
            Self::Root => "the proof does not lead to the root",
        })
    }
}

impl std::error::Error for WrongProof {}

/// Entries `start..end`, a whole subtree of the log: `start` is a multiple of the least power
/// of two that is not below `end - start`.
type Range = (u64, u64);

/// The subtrees beside the way from the root to an entry, lowest first.
fn inclusion_ranges(index: u64, size: u64) -> Option<Vec<Range>> {
    if index >= size {
        return None;
    }
    let mut ranges = Vec::new();
    let (mut start, mut end) = (0, size);
    while end - start > 1 {
        let middle = start + left_part(end - start);
        if index < middle {
            ranges.push((middle, end));
            end = middle;
        } else {
            ranges.push((start, middle));
            start = middle;
        }
    }
    ranges.reverse();
    Some(ranges)
}

/// The subtrees from which both the old and the new root follow, lowest first.
fn consistency_ranges(old: u64, new: u64) -> Option<Vec<Range>> {
    if old > new {
        return None;
    }
    let mut ranges = Vec::new();
    if old == 0 {
        return Some(ranges);
    }
    let (mut start, mut end) = (0, new);
    while end != old {
        let middle = start + left_part(end - start);
        if old <= middle {
            ranges.push((middle, end));
            end = middle;
        } else {
            ranges.push((start, middle));
            start = middle;
        }
    }
    if start != 0 {
        ranges.push((start, end));
    }
    ranges.reverse();
    Some(ranges)
}

/// The entries in the left subtree of a tree of `count` > 1 entries: the largest power of two
/// below it.
fn left_part(count: u64) -> u64 {
    1 << (u64::BITS - 1 - (count - 1).leading_zeros())
}

/// The perfect subtrees a range falls into, largest first: their heights and places in their
/// level.
fn perfect_parts((start, end): Range) -> Vec<(u32, u64)> {
    let mut parts = Vec::new();
    let mut start = start;
    while start < end {
        let height = u64::BITS - 1 - (end - start).leading_zeros();
        parts.push((height, start >> height));
        start += 1 << height;
    }
    parts
}

/// The tile of a log of `size` entries under a perfect subtree, and which of its hashes the
/// subtree covers.
fn tile_under((height, place): (u32, u64), size: u64) -> (TilePath, std::ops::Range<usize>) {
    let level = height / TILE_HEIGHT;
    let covered = 1_usize << (height % TILE_HEIGHT);
    let first = place << (height % TILE_HEIGHT);
    let index = first / u64::from(TILE_WIDTH);
    let beyond = shift(size, level) - index * u64::from(TILE_WIDTH);
    let path = TilePath::Hashes {
        level: u8::try_from(level).unwrap_or(u8::MAX),
        index,
        width: u16::try_from(beyond).map_or(TILE_WIDTH, |width| width.min(TILE_WIDTH)),
    };
    let within = usize::try_from(first % u64::from(TILE_WIDTH)).unwrap_or(0);
    (path, within..within + covered)
}

fn tiles_for(ranges: &[Range], size: u64) -> Vec<TilePath> {
    let mut paths: Vec<_> = ranges
        .iter()
        .flat_map(|range| perfect_parts(*range))
        .map(|part| tile_under(part, size).0)
        .collect();
    paths.sort_unstable();
    paths.dedup();
    paths
}

fn hashes(ranges: &[Range], size: u64, tiles: &impl Tiles) -> Result<Vec<Hash>, ProofError> {
    let mut read = BTreeMap::new();
    let mut found = Vec::with_capacity(ranges.len());
    for range in ranges {
        let mut hash: Option<Hash> = None;
        // A subtree that is not perfect leans left: fold its parts from the right.
        for part in perfect_parts(*range).into_iter().rev() {
            let (path, within) = tile_under(part, size);
            let tile: &Vec<u8> = match read.entry(path) {
                std::collections::btree_map::Entry::Occupied(tile) => tile.into_mut(),
                std::collections::btree_map::Entry::Vacant(place) => {
                    place.insert(read_tile(&path, tiles)?)
                }
            };
            let covered = tile
                .as_chunks::<32>()
                .0
                .get(within)
                .ok_or(ProofError::Malformed { path })?;
            let part = peaks_of(covered)
                .pop()
                .ok_or(ProofError::Malformed { path })?;
            hash = Some(match hash {
                Some(right) => node_hash(&part, &right),
                None => part,
            });
        }
        found.extend(hash);
    }
    Ok(found)
}

/// A tile or, where a partial one is gone, the beginning of the full one.
pub(crate) fn read_tile(path: &TilePath, tiles: &impl Tiles) -> Result<Vec<u8>, ProofError> {
    let full = || {
        let full = path.with_width(TILE_WIDTH);
        (full != *path).then(|| tiles.tile(&full)).flatten()
    };
    let bytes = tiles
        .tile(path)
        .or_else(full)
        .ok_or(ProofError::Missing { path: *path })?;
    let exact = path
        .cut(&bytes)
        .ok_or(ProofError::Malformed { path: *path })?;
    Ok(exact.to_vec())
}
