//! What a log says about itself: its name, its size and its root
//! (c2sp.org/tlog-checkpoint), and what witnesses add (c2sp.org/tlog-cosignature).

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::note::{NoteError, NoteSignature, NoteSigner, SignedNote, VerifierKey};
use crate::tree::Hash;

/// The state of a log at one size. Its text form is the signed text of a checkpoint note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The log's name, which is also the name of its key.
    pub origin: String,
    /// Entries in the log.
    pub size: u64,
    /// Root hash over these entries.
    pub root: Hash,
}

impl Checkpoint {
    /// The checkpoint as a note signed by the log. Fails if the origin holds a control
    /// character.
    pub fn sign(&self, log: &NoteSigner) -> Result<SignedNote, NoteError> {
        let mut note = SignedNote::new(self.to_string())?;
        // A log's signature carries no time.
        note.sign(log, 0);
        Ok(note)
    }

    /// Reads a checkpoint note and checks that `log` signed it and is the log it names.
    pub fn verify(note: &str, log: &VerifierKey) -> Result<Self, CheckpointError> {
        let note = SignedNote::parse(note)?;
        note.verify([log])?;
        let checkpoint: Self = note.text.parse()?;
        if checkpoint.origin != log.name() {
            return Err(CheckpointError::Origin);
        }
        Ok(checkpoint)
    }
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.origin)?;
        writeln!(f, "{}", self.size)?;
        writeln!(f, "{}", STANDARD.encode(self.root))
    }
}

impl FromStr for Checkpoint {
    type Err = CheckpointError;

    /// Reads the text of a checkpoint note. Extension lines, which other logs may have, are
    /// passed over; they must not be empty.
    fn from_str(text: &str) -> Result<Self, CheckpointError> {
        let lines = text.strip_suffix('\n').ok_or(CheckpointError::Malformed)?;
        let mut lines = lines.split('\n');
        let mut line = || lines.next().filter(|line| !line.is_empty());
        let (Some(origin), Some(size), Some(root)) = (line(), line(), line()) else {
            return Err(CheckpointError::Malformed);
        };
        if lines.any(str::is_empty) {
            return Err(CheckpointError::Malformed);
        }
        Ok(Self {
            origin: origin.to_owned(),
            size: parse_decimal(size).ok_or(CheckpointError::Malformed)?,
            root: parse_hash(root).ok_or(CheckpointError::Malformed)?,
        })
    }
}

/// A witness's word that it saw a checkpoint at a time and found the log consistent with
/// everything it had seen of it before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cosignature {
    /// Name of the witness's key.
    pub witness: String,
    /// Unix seconds.
    pub time: u64,
    /// The line to add to the checkpoint note.
    pub line: NoteSignature,
}

impl Cosignature {
    /// Signs the text of a checkpoint at `time` (Unix seconds). `witness` must be of kind
    /// [`KeyKind::CosignatureV1`](crate::KeyKind::CosignatureV1).
    pub fn sign(checkpoint: &Checkpoint, witness: &NoteSigner, time: u64) -> Self {
        Self {
            witness: witness.verifier().name().to_owned(),
            time,
            line: witness.sign(&checkpoint.to_string(), time),
        }
    }

    /// The witness's cosignature of a checkpoint note, if it is there; an error if a line
    /// claims to be the witness's and is not.
    pub fn find(note: &SignedNote, witness: &VerifierKey) -> Result<Option<Self>, NoteError> {
        let Some(line) = note
            .signatures
            .iter()
            .find(|line| line.name == witness.name() && line.id == witness.id())
        else {
            return Ok(None);
        };
        let time = witness
            .verify(&note.text, &line.signature)?
            .ok_or(NoteError::WrongSignature)?;
        Ok(Some(Self {
            witness: witness.name().to_owned(),
            time,
            line: line.clone(),
        }))
    }
}

/// Why a checkpoint is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckpointError {
    /// The note around it is not accepted.
    Note(NoteError),
    /// The text is not origin, size and root, a line each.
    Malformed,
    /// The checkpoint names another log than the one whose key signed it.
    Origin,
}

impl From<NoteError> for CheckpointError {
    fn from(error: NoteError) -> Self {
        Self::Note(error)
    }
}

impl fmt::Display for CheckpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Note(error) => error.fmt(f),
            Self::Malformed => f.write_str("not a checkpoint of origin, size and root"),
            Self::Origin => f.write_str("the checkpoint is of another log than its key"),
        }
    }
}

impl std::error::Error for CheckpointError {}

/// A number in ASCII decimals without sign or leading zero.
pub(crate) fn parse_decimal(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

/// A hash in standard base64.
pub(crate) fn parse_hash(text: &str) -> Option<Hash> {
    STANDARD.decode(text).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::note::{KeyKind, SecretKey};
    use crate::tree::empty_root;

    fn signer(name: &str, kind: KeyKind, seed: u8) -> NoteSigner {
        NoteSigner::new(name, kind, SecretKey::from_seed(&[seed; 32]).unwrap()).unwrap()
    }

    fn checkpoint() -> Checkpoint {
        Checkpoint {
            origin: "log.example/gate".to_owned(),
            size: 0,
            root: empty_root(),
        }
    }

    #[test]
    fn the_text_is_three_lines() {
        assert_eq!(
            checkpoint().to_string(),
            "log.example/gate\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"
        );
        assert_eq!(checkpoint().to_string().parse(), Ok(checkpoint()));
    }

    #[test]
    fn extension_lines_are_passed_over() {
        let text = format!("{}extension\n", checkpoint());
        assert_eq!(text.parse(), Ok(checkpoint()));
    }

    #[test]
    fn texts_of_another_form_are_refused() {
        let good = checkpoint().to_string();
        for text in [
            String::new(),
            good.replace("\n0\n", "\n00\n"),
            good.replace("\n0\n", "\n+0\n"),
            good.replace("\n0\n", "\n-1\n"),
            good.replace("\n0\n", "\n18446744073709551616\n"),
            good.replace("\n0\n", "\n\n"),
            good.replace("log.example/gate", ""),
            good.replace("FU=", "FV="),
            good.replace("FU=", "FU"),
            good.trim_end().to_owned(),
            format!("{good}\n"),
        ] {
            let read: Result<Checkpoint, _> = text.parse();
            assert_eq!(read, Err(CheckpointError::Malformed), "{text:?}");
        }
    }

    #[test]
    fn the_log_that_signs_must_be_the_log_that_is_named() {
        let log = signer("log.example/gate", KeyKind::Ed25519, 1);
        let other = signer("log.example/other", KeyKind::Ed25519, 1);
        let note = checkpoint().sign(&log).unwrap().to_string();
        assert_eq!(Checkpoint::verify(&note, log.verifier()), Ok(checkpoint()));
        assert_eq!(
            Checkpoint::verify(&note, other.verifier()),
            Err(CheckpointError::Note(NoteError::Unsigned))
        );
        let foreign = checkpoint().sign(&other).unwrap().to_string();
        assert_eq!(
            Checkpoint::verify(&foreign, other.verifier()),
            Err(CheckpointError::Origin)
        );
    }

    #[test]
    fn a_cosignature_states_its_time() {
        let log = signer("log.example/gate", KeyKind::Ed25519, 1);
        let witness = signer("witness.example", KeyKind::CosignatureV1, 2);
        let mut note = checkpoint().sign(&log).unwrap();
        assert_eq!(Cosignature::find(&note, witness.verifier()), Ok(None));
        let given = Cosignature::sign(&checkpoint(), &witness, 1_800_000_000);
        note.signatures.push(given.line.clone());
        assert_eq!(
            Cosignature::find(&note, witness.verifier()),
            Ok(Some(given))
        );
        // The time is signed too.
        if let Some(line) = note.signatures.last_mut() {
            line.signature[7] ^= 1;
        }
        assert_eq!(
            Cosignature::find(&note, witness.verifier()),
            Err(NoteError::WrongSignature)
        );
    }
}
