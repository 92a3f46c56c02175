//! A proof one can carry away and check without the log (c2sp.org/tlog-proof).

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::checkpoint::{parse_decimal, parse_hash};
use crate::policy::{Accepted, Policy, Untrusted};
use crate::proof::{WrongProof, verify_inclusion};
use crate::tree::Hash;

/// The first line of every such proof.
const HEADER: &str = "c2sp.org/tlog-proof@v1";

/// No tree of `u64` entries is higher.
const HASHES_MAX: usize = 64;

/// That an entry stands in a log, as text to keep: its place, the way up to the root, and the
/// checkpoint with its signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlogProof {
    /// Zero-based place of the entry in the log.
    pub index: u64,
    /// Sibling hashes from the leaf up.
    pub proof: Vec<Hash>,
    /// Bytes that come along unauthenticated; ours are the leaf's, whose hash the proof proves.
    pub extra: Option<Vec<u8>>,
    /// The checkpoint note, word for word.
    pub checkpoint: String,
}

impl TlogProof {
    /// Checks that the policy accepts the checkpoint and that the proof puts `leaf` into it.
    pub fn verify(&self, leaf: &Hash, policy: &Policy) -> Result<Accepted, NotProved> {
        let accepted = policy
            .accept(&self.checkpoint)
            .map_err(NotProved::Checkpoint)?;
        let Accepted { checkpoint, .. } = &accepted;
        verify_inclusion(
            self.index,
            checkpoint.size,
            leaf,
            &self.proof,
            &checkpoint.root,
        )
        .map_err(NotProved::Inclusion)?;
        Ok(accepted)
    }
}

impl fmt::Display for TlogProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEADER}")?;
        if let Some(extra) = &self.extra {
            writeln!(f, "extra {}", STANDARD.encode(extra))?;
        }
        writeln!(f, "index {}", self.index)?;
        for hash in &self.proof {
            writeln!(f, "{}", STANDARD.encode(hash))?;
        }
        write!(f, "\n{}", self.checkpoint)
    }
}

impl FromStr for TlogProof {
    type Err = NotAProof;

    /// Reads a proof strictly: what reads is written back the same.
    fn from_str(text: &str) -> Result<Self, NotAProof> {
        let (head, checkpoint) = text.split_once("\n\n").ok_or(NotAProof)?;
        let mut lines = head.split('\n').peekable();
        if lines.next() != Some(HEADER) {
            return Err(NotAProof);
        }
        let extra = match lines.peek().and_then(|line| line.strip_prefix("extra ")) {
            Some(extra) => {
                lines.next();
                Some(STANDARD.decode(extra).map_err(|_| NotAProof)?)
            }
            None => None,
        };
        let index = lines
            .next()
            .and_then(|line| line.strip_prefix("index "))
            .and_then(parse_decimal)
            .ok_or(NotAProof)?;
        let mut proof = Vec::new();
        for line in lines {
            if proof.len() == HASHES_MAX {
                return Err(NotAProof);
            }
            proof.push(parse_hash(line).ok_or(NotAProof)?);
        }
        Ok(Self {
            index,
            proof,
            extra,
            checkpoint: checkpoint.to_owned(),
        })
    }
}

/// The text is not a c2sp.org/tlog-proof@v1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAProof;

impl fmt::Display for NotAProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a c2sp.org/tlog-proof@v1")
    }
}

impl std::error::Error for NotAProof {}

/// Why a proof does not prove its entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotProved {
    /// The policy does not accept the checkpoint.
    Checkpoint(Untrusted),
    /// The entry is not in the log the checkpoint describes.
    Inclusion(WrongProof),
}

impl fmt::Display for NotProved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Checkpoint(error) => error.fmt(f),
            Self::Inclusion(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for NotProved {}
