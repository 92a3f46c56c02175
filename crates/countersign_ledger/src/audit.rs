//! The whole log computed again from its entries and compared with everything it published.

use std::fmt;

use crate::checkpoint::Checkpoint;
use crate::policy::{Accepted, Policy, Untrusted};
use crate::proof::{ProofError, Tiles, read_tile};
use crate::tile::{TILE_WIDTH, TilePath, entries};
use crate::tree::{Appender, Changed, Hash};

/// What an audit found in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditReport {
    /// The checkpoint that everything agrees with, and its cosignatures.
    pub accepted: Accepted,
    /// Hash tiles compared.
    pub hash_tiles: u64,
    /// Entry bundles read.
    pub bundles: u64,
    /// Bytes of all entries.
    pub entry_bytes: u64,
}

/// Computes the tree again from the entry bundles and compares every hash tile, the checkpoint,
/// and, if one is given, a checkpoint that was seen earlier. Stops at the first difference.
///
/// Reads each tile once, from left to right, and keeps only the right edge: memory does not
/// grow with the log. `visit` is shown the entries of each bundle with the index of its first
/// one; the entries are not yet vouched for while it is asked.
pub fn audit(
    source: &impl Tiles,
    checkpoint: &str,
    policy: &Policy,
    previous: Option<&Checkpoint>,
    mut visit: impl FnMut(u64, &[&[u8]]),
) -> Result<AuditReport, AuditFinding> {
    let accepted = policy
        .accept(checkpoint)
        .map_err(AuditFinding::Checkpoint)?;
    let Checkpoint { origin, size, root } = &accepted.checkpoint;
    if let Some(previous) = previous {
        if previous.origin != *origin {
            return Err(AuditFinding::OtherLog);
        }
        if previous.size > *size {
            return Err(AuditFinding::Shrunk {
                was: previous.size,
                is: *size,
            });
        }
    }

    let mut edge = Appender::empty();
    let mut report = AuditReport {
        accepted: accepted.clone(),
        hash_tiles: 0,
        bundles: 0,
        entry_bytes: 0,
    };
    check_previous(previous, &edge)?;
    while edge.size() < *size {
        let first = edge.size();
        let path = TilePath::Entries {
            index: first / u64::from(TILE_WIDTH),
            width: u16::try_from(size - first).map_or(TILE_WIDTH, |width| width.min(TILE_WIDTH)),
        };
        let bundle = exact_tile(&path, source)?;
        let bundle = entries(&bundle).ok_or(AuditFinding::Malformed { path })?;
        visit(first, &bundle);
        report.bundles += 1;
        report.entry_bytes += bundle.iter().map(|entry| entry.len() as u64).sum::<u64>();

        // The earlier checkpoint may end inside this bundle.
        let until_previous = previous
            .and_then(|previous| previous.size.checked_sub(first))
            .and_then(|count| usize::try_from(count).ok())
            .map_or(0, |count| count.min(bundle.len()));
        let (before, after) = bundle.split_at(until_previous);
        for part in [before, after] {
            let changed = edge
                .append(part.iter().copied())
                .map_err(|_| AuditFinding::Malformed { path })?;
            report.hash_tiles += compare_full(&changed, source)?;
            check_previous(previous, &edge)?;
        }
    }
    for (path, computed) in edge.partial_tiles().tiles {
        if let TilePath::Hashes { .. } = path {
            compare(&path, &computed, source)?;
            report.hash_tiles += 1;
        }
    }
    if edge.root() == *root {
        Ok(report)
    } else {
        Err(AuditFinding::Root { size: *size })
    }
}

fn check_previous(previous: Option<&Checkpoint>, edge: &Appender) -> Result<(), AuditFinding> {
    match previous {
        Some(previous) if previous.size == edge.size() && previous.root != edge.root() => {
            Err(AuditFinding::Rewritten {
                size: previous.size,
            })
        }
        _ => Ok(()),
    }
}

/// Compares the hash tiles that have just filled; answers how many there were.
fn compare_full(changed: &Changed, source: &impl Tiles) -> Result<u64, AuditFinding> {
    let mut compared = 0;
    for (path, computed) in &changed.tiles {
        if let TilePath::Hashes { .. } = path
            && path.is_full()
        {
            compare(path, computed, source)?;
            compared += 1;
        }
    }
    Ok(compared)
}

fn compare(path: &TilePath, computed: &[u8], source: &impl Tiles) -> Result<(), AuditFinding> {
    let published = exact_tile(path, source)?;
    let (computed, _): (&[Hash], _) = computed.as_chunks();
    let (published, _): (&[Hash], _) = published.as_chunks();
    match computed.iter().zip(published).position(|(a, b)| a != b) {
        Some(position) => Err(AuditFinding::Hash {
            path: *path,
            position,
        }),
        None => Ok(()),
    }
}

/// The bytes of a tile, neither more nor fewer than its path says.
fn exact_tile(path: &TilePath, source: &impl Tiles) -> Result<Vec<u8>, AuditFinding> {
    if let Some(bytes) = source.tile(path) {
        return if path.cut(&bytes).is_some_and(|cut| cut.len() == bytes.len()) {
            Ok(bytes)
        } else {
            Err(AuditFinding::Malformed { path: *path })
        };
    }
    read_tile(path, source).map_err(|error| match error {
        ProofError::Malformed { path } => AuditFinding::Malformed { path },
        ProofError::Missing { .. } | ProofError::OutOfRange => {
            AuditFinding::Missing { path: *path }
        }
    })
}

/// The first thing in a log that is not as its checkpoint says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditFinding {
    /// The checkpoint is not accepted.
    Checkpoint(Untrusted),
    /// The earlier checkpoint is of another log.
    OtherLog,
    /// The log is smaller than it was.
    Shrunk {
        /// Entries at the earlier checkpoint.
        was: u64,
        /// Entries now.
        is: u64,
    },
    /// The log does not begin with what the earlier checkpoint described.
    Rewritten {
        /// Entries at the earlier checkpoint.
        size: u64,
    },
    /// A tile of a log of this size is not there.
    Missing {
        /// The tile asked for.
        path: TilePath,
    },
    /// A tile holds fewer or more hashes or entries than its path says.
    Malformed {
        /// The tile asked for.
        path: TilePath,
    },
    /// A hash in a tile does not follow from the entries.
    Hash {
        /// The hash tile.
        path: TilePath,
        /// Zero-based place of the hash in it.
        position: usize,
    },
    /// The entries and tiles agree with each other, but not with the checkpoint.
    Root {
        /// Entries at the checkpoint.
        size: u64,
    },
}

impl fmt::Display for AuditFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Checkpoint(error) => error.fmt(f),
            Self::OtherLog => f.write_str("the earlier checkpoint is of another log"),
            Self::Shrunk { was, is } => {
                write!(f, "the log had {was} entries and now has {is}")
            }
            Self::Rewritten { size } => write!(
                f,
                "the first {size} entries are not those of the earlier checkpoint"
            ),
            Self::Missing { path } => write!(f, "tile `{path}` is missing"),
            Self::Malformed { path } => {
                write!(f, "tile `{path}` does not hold what its path says")
            }
            Self::Hash {
                path:
                    path @ TilePath::Hashes {
                        level: 0, index, ..
                    },
                position,
            } => write!(
                f,
                "entry {} does not match its hash in tile `{path}`",
                index * u64::from(TILE_WIDTH) + *position as u64
            ),
            Self::Hash { path, position } => write!(
                f,
                "hash {position} in tile `{path}` does not follow from the entries"
            ),
            Self::Root { size } => write!(
                f,
                "the {size} entries do not have the root that the checkpoint states"
            ),
        }
    }
}

impl std::error::Error for AuditFinding {}
