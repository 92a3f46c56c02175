//! What a customer keeps: the record of an event, and the proof that the ledger holds it.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign_ledger::{Accepted, NotProved, Policy, TlogProof, leaf_hash};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::leaf::{Leaf, commitment};

/// One event opened to the person it concerns: `{"proof", "record", "salt"}`.
///
/// Record and salt are theirs alone; the leaf in the ledger is a commitment to both.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// The c2sp.org/tlog-proof of the event's leaf; the leaf itself is the proof's `extra`.
    pub proof: String,
    /// The event in full, as text.
    pub record: String,
    /// 32 bytes, base64url without padding.
    pub salt: String,
}

impl Receipt {
    /// Puts a record, its salt and the proof of its leaf together.
    pub fn new(record: impl Into<String>, salt: &[u8; 32], proof: &TlogProof) -> Self {
        Self {
            proof: proof.to_string(),
            record: record.into(),
            salt: URL_SAFE_NO_PAD.encode(salt),
        }
    }

    /// The receipt as JSON.
    pub fn to_json(&self) -> String {
        json!({ "proof": self.proof, "record": self.record, "salt": self.salt }).to_string()
    }

    /// Checks that this very record stands in a log that the policy trusts; answers its leaf
    /// and the checkpoint that covers it.
    pub fn verify(&self, policy: &Policy) -> Result<(Leaf, Accepted), ReceiptError> {
        let proof: TlogProof = self.proof.parse().map_err(|_| ReceiptError::Form)?;
        let salt = URL_SAFE_NO_PAD
            .decode(&self.salt)
            .map_err(|_| ReceiptError::Form)?;
        let salt: [u8; 32] = salt.try_into().map_err(|_| ReceiptError::Form)?;
        let leaf_bytes = proof.extra.as_deref().ok_or(ReceiptError::Form)?;
        let leaf = Leaf::decode(leaf_bytes).map_err(|_| ReceiptError::Form)?;
        if leaf.commitment != commitment(&salt, self.record.as_bytes()) {
            return Err(ReceiptError::Record);
        }
        let accepted = proof
            .verify(&leaf_hash(leaf_bytes), policy)
            .map_err(ReceiptError::NotProved)?;
        Ok((leaf, accepted))
    }
}

/// Why a receipt proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReceiptError {
    /// Not a receipt with a proof that carries its leaf.
    Form,
    /// The leaf commits to another record.
    Record,
    /// The leaf is not proved to be in a trusted log.
    NotProved(NotProved),
}

impl fmt::Display for ReceiptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Form => f.write_str("not a receipt"),
            Self::Record => f.write_str("the ledger's entry is of another record"),
            Self::NotProved(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ReceiptError {}
