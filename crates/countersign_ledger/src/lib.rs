//! A tamper-evident log, pure: it computes and checks, and leaves reading, writing, clocks
//! and dice to its caller.
//!
//! The log is an RFC 6962 Merkle tree served as c2sp.org/tlog-tiles: [`Appender`] turns
//! entries into hash tiles and entry bundles, a [`Checkpoint`] states the size and root in a
//! [`SignedNote`]. Any verifier written to those pages can read it.

mod audit;
mod checkpoint;
mod note;
mod policy;
mod proof;
mod tile;
mod tlog_proof;
mod tree;

pub use audit::{AuditFinding, AuditReport, audit};
pub use checkpoint::{Checkpoint, CheckpointError, Cosignature};
pub use note::{
    KeyError, KeyId, KeyKind, NoteError, NoteSignature, NoteSigner, SecretKey, Signed, SignedNote,
    VerifierKey, verify_ed25519,
};
pub use policy::{Accepted, Policy, PolicyError, PolicyErrorAt, Untrusted};
pub use proof::{
    ProofError, Tiles, WrongProof, consistency_proof, inclusion_proof, tiles_for_consistency,
    tiles_for_inclusion, verify_consistency, verify_inclusion,
};
pub use tile::{NotATilePath, TILE_WIDTH, TilePath, entries};
pub use tlog_proof::{NotAProof, NotProved, TlogProof};
pub use tree::{
    Appender, Changed, ENTRY_BYTES_MAX, EntryTooLong, Hash, ResumeError, empty_root, leaf_hash,
    node_hash,
};

/// The examples of the manual page, compiled with the documentation tests.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/ledger.md")]
struct ManualPage;
