//! The ledger's place in the gate: leaves, the checkpoint signer, proofs.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use countersign_cases::Timestamp;
use countersign_grant::{Leaf, commitment};
use countersign_ledger::{
    Checkpoint, Hash, KeyError, KeyKind, NoteSigner, SecretKey, SignedNote, TilePath, TlogProof,
    VerifierKey, inclusion_proof, leaf_hash, tiles_for_inclusion, verify_inclusion,
};
use countersign_store::CheckpointSigner;
use serde_json::Value;

use crate::{gate::Gate, shell::Entry, trouble::Trouble};

/// Bytes of a salt.
pub(crate) const SALT_BYTES: usize = 32;

/// Signs checkpoints with the log's own key; while that is exchanged, with a second one beside it.
#[derive(Debug, Clone)]
pub struct LogSigner {
    first: NoteSigner,
    second: Option<NoteSigner>,
}

impl LogSigner {
    /// The log named `origin`, such as `support.acme.example/ledger`, with the key of this seed.
    pub fn new(origin: &str, seed: &[u8; 32]) -> Result<Self, KeyError> {
        Ok(Self {
            first: note_signer(origin, seed)?,
            second: None,
        })
    }

    /// The same log, with every checkpoint signed by the key of this seed as well: whoever knows either key accepts it.
    ///
    /// # Errors
    /// [`KeyError`] if the seed is none.
    pub fn beside(self, seed: &[u8; 32]) -> Result<Self, KeyError> {
        let second = Some(note_signer(self.first.verifier().name(), seed)?);
        Ok(Self { second, ..self })
    }

    /// The key verifiers trust: `name+id+key`.
    pub fn verifier(&self) -> &VerifierKey {
        self.first.verifier()
    }

    /// The key of the second signer, if there is one.
    pub fn second_verifier(&self) -> Option<&VerifierKey> {
        self.second.as_ref().map(NoteSigner::verifier)
    }
}

impl CheckpointSigner for LogSigner {
    fn origin(&self) -> &str {
        self.first.verifier().name()
    }

    fn sign(&self, size: u64, root: Hash) -> String {
        let checkpoint = Checkpoint {
            origin: self.origin().to_owned(),
            size,
            root,
        };
        // An origin that is a key name has no control character, which is all that could make this fail; should it
        // fail all the same, an empty note is accepted by nobody.
        let Ok(mut note) = checkpoint.sign(&self.first) else {
            return String::new();
        };
        if let Some(second) = &self.second {
            // A log's signature carries no time.
            note.sign(second, 0);
        }
        note.to_string()
    }
}

fn note_signer(origin: &str, seed: &[u8; 32]) -> Result<NoteSigner, KeyError> {
    NoteSigner::new(origin, KeyKind::Ed25519, SecretKey::from_seed(seed)?)
}

/// The leaf of an entry: pseudonyms, and a commitment that only its salt opens.
pub(crate) fn leaf(entry: &Entry, salt: &[u8; SALT_BYTES]) -> Result<Vec<u8>, Trouble> {
    let leaf = Leaf {
        // Case events go by their own word; what makes a grant good is the leaf `granted`.
        kind: entry
            .kind
            .strip_prefix("case.")
            .unwrap_or(&entry.kind)
            .to_owned(),
        case: entry.case.as_deref().map(pseudonym).transpose()?,
        customer: entry.customer.as_deref().map(pseudonym).transpose()?,
        at: u64::try_from(entry.at.0 / 1_000).unwrap_or(0),
        commitment: commitment(salt, record(&entry.data)?.as_bytes()),
        grant: entry.grant,
    };
    leaf.encode()
        .map_err(|error| Trouble::Damaged(error.to_string()))
}

/// The exact text a leaf commits to: RFC 8785 canonical JSON of what happened.
pub(crate) fn record(data: &Value) -> Result<String, Trouble> {
    serde_json_canonicalizer::to_string(data).map_err(|error| Trouble::Damaged(error.to_string()))
}

/// 16 bytes behind a pseudonym's text.
fn pseudonym(text: &str) -> Result<[u8; 16], Trouble> {
    let bytes = URL_SAFE_NO_PAD
        .decode(text)
        .ok()
        .and_then(|bytes| bytes.try_into().ok());
    bytes.ok_or_else(|| Trouble::Damaged("a pseudonym that is not one".to_owned()))
}

impl Gate {
    /// The newest signed checkpoint.
    pub async fn checkpoint(&self) -> Result<String, Trouble> {
        Ok(self.journal().checkpoint().await?)
    }

    /// A tile or entry bundle by its path under `/ledger/`.
    pub async fn tile(&self, path: &str) -> Result<Option<Vec<u8>>, Trouble> {
        Ok(self.journal().tile(path).await?)
    }

    /// A proof that the leaf at this index is in the log, against its newest checkpoint. The leaf comes along.
    ///
    /// Checked before it is handed out, so that a damaged store gives no proof rather than a wrong one.
    pub(crate) async fn prove_leaf(&self, index: u64) -> Result<TlogProof, Trouble> {
        let note = self.journal().checkpoint().await?;
        let checkpoint = read_checkpoint(&note)?;
        let mut tiles = std::collections::BTreeMap::new();
        for path in tiles_for_inclusion(index, checkpoint.size) {
            if let Some(bytes) = self.journal().tile(&path.to_string()).await? {
                tiles.insert(path, bytes);
            }
        }
        let damaged = |what: String| Trouble::Damaged(format!("ledger: {what}"));
        let proof = inclusion_proof(index, checkpoint.size, &|path: &TilePath| {
            tiles.get(path).cloned()
        })
        .map_err(|error| damaged(error.to_string()))?;
        let leaf = self.leaf_at(index, checkpoint.size).await?;
        verify_inclusion(
            index,
            checkpoint.size,
            &leaf_hash(&leaf),
            &proof,
            &checkpoint.root,
        )
        .map_err(|error| damaged(error.to_string()))?;
        Ok(TlogProof {
            index,
            proof,
            extra: Some(leaf),
            checkpoint: note,
        })
    }

    async fn leaf_at(&self, index: u64, size: u64) -> Result<Vec<u8>, Trouble> {
        let bundle = index / u64::from(countersign_ledger::TILE_WIDTH);
        let full = u64::from(countersign_ledger::TILE_WIDTH);
        let width = (size - (bundle * full).min(size)).min(full);
        let path = TilePath::Entries {
            index: bundle,
            width: u16::try_from(width).unwrap_or(countersign_ledger::TILE_WIDTH),
        };
        let bytes = self
            .journal()
            .tile(&path.to_string())
            .await?
            .ok_or_else(|| Trouble::Damaged("an entry bundle is missing".to_owned()))?;
        let place = usize::try_from(index % full).unwrap_or(usize::MAX);
        let leaf = countersign_ledger::entries(&bytes)
            .and_then(|entries| entries.get(place).map(|entry| entry.to_vec()));
        leaf.ok_or_else(|| Trouble::Damaged("an entry bundle is cut short".to_owned()))
    }
}

/// Size and root of a note this gate's own store signed.
pub(crate) fn read_checkpoint(note: &str) -> Result<Checkpoint, Trouble> {
    let parsed = SignedNote::parse(note)
        .ok()
        .and_then(|note| note.text.parse().ok());
    parsed.ok_or_else(|| Trouble::Damaged("the checkpoint cannot be read".to_owned()))
}

/// Unix seconds.
pub(crate) fn unix_seconds(at: Timestamp) -> u64 {
    u64::try_from(at.0.div_euclid(1_000)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn while_keys_are_exchanged_whoever_knows_either_accepts_a_checkpoint() {
        let (old, new) = ([1; 32], [2; 32]);
        let alone = LogSigner::new("example.com/ledger", &old).unwrap();
        let both = alone.clone().beside(&new).unwrap();
        let after = LogSigner::new("example.com/ledger", &new).unwrap();
        assert_eq!(both.second_verifier(), Some(after.verifier()));
        let note = both.sign(7, [3; 32]);
        for key in [alone.verifier(), after.verifier()] {
            let checkpoint = Checkpoint::verify(&note, key).unwrap();
            assert_eq!((checkpoint.size, checkpoint.root), (7, [3; 32]));
        }
        let stranger = LogSigner::new("example.com/ledger", &[9; 32]).unwrap();
        assert!(Checkpoint::verify(&note, stranger.verifier()).is_err());
        assert!(Checkpoint::verify(&alone.sign(7, [3; 32]), after.verifier()).is_err());
    }
}
