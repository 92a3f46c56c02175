//! Text signed by one or more keys, as c2sp.org/signed-note writes it, with the two kinds of
//! signature a log needs: Ed25519 (0x01) and the witnesses' cosignature/v1 (0x04).

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// Signature lines a note may have. The specification asks for 16 at least; a note is small
/// enough to send with every receipt, so the limit is generous but not open.
const SIGNATURES_MAX: usize = 64;

/// Bytes of an Ed25519 seed or public key.
const KEY_BYTES: usize = 32;

/// A text and the signatures under it.
///
/// Nothing in it may be relied on until [`verify`](Self::verify) has been asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedNote {
    /// The signed text, ending in a newline.
    pub text: String,
    /// Its signatures in the order of their lines.
    pub signatures: Vec<NoteSignature>,
}

/// One signature line of a note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteSignature {
    /// Name of the key that is said to have signed.
    pub name: String,
    /// The key's short identifier.
    pub id: KeyId,
    /// The signature itself, without the identifier.
    pub signature: Vec<u8>,
}

/// The first four bytes of `SHA-256(name || 0x0A || type || public key)`.
///
/// It tells keys apart; it proves nothing.
pub type KeyId = [u8; 4];

/// A key that signed a note, and the time it states if its kind states one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed<'a> {
    /// The key whose signature was verified.
    pub key: &'a VerifierKey,
    /// Unix seconds; for a cosignature, when the witness saw the checkpoint.
    pub time: Option<u64>,
}

impl SignedNote {
    /// A note with no signatures yet. Fails if `text` does not end in a newline or holds
    /// another control character.
    pub fn new(text: impl Into<String>) -> Result<Self, NoteError> {
        let text = text.into();
        if !text.ends_with('\n') || has_control_characters(&text) {
            return Err(NoteError::Malformed);
        }
        Ok(Self {
            text,
            signatures: Vec::new(),
        })
    }

    /// Reads a note with its signatures; checks the form alone.
    pub fn parse(note: &str) -> Result<Self, NoteError> {
        if has_control_characters(note) {
            return Err(NoteError::Malformed);
        }
        // The text keeps its last newline; the one after it is the blank line.
        let (text, lines) = note.rsplit_once("\n\n").ok_or(NoteError::Malformed)?;
        let lines = lines.strip_suffix('\n').ok_or(NoteError::Malformed)?;
        let mut signatures = Vec::new();
        for line in lines.split('\n') {
            if signatures.len() == SIGNATURES_MAX {
                return Err(NoteError::TooManySignatures);
            }
            signatures.push(line.parse()?);
        }
        Ok(Self {
            text: format!("{text}\n"),
            signatures,
        })
    }

    /// Adds a signature of the text. `time` in Unix seconds goes into a witness's signature
    /// and is not used by any other.
    pub fn sign(&mut self, signer: &NoteSigner, time: u64) {
        self.signatures.push(signer.sign(&self.text, time));
    }

    /// The keys among `keys` whose signatures stand under the text, each once.
    ///
    /// Signatures of unknown keys are passed over. A signature that claims to be of a known
    /// key and is not makes the whole note worthless, and so does the absence of any known
    /// signature.
    pub fn verify<'a>(
        &self,
        keys: impl IntoIterator<Item = &'a VerifierKey>,
    ) -> Result<Vec<Signed<'a>>, NoteError> {
        let mut signed = Vec::new();
        for key in keys {
            let mut of_key = self
                .signatures
                .iter()
                .filter(|line| line.id == key.id && line.name == key.name);
            let Some(first) = of_key.next() else {
                continue;
            };
            let time = key.verify(&self.text, &first.signature)?;
            for again in of_key {
                key.verify(&self.text, &again.signature)?;
            }
            signed.push(Signed { key, time });
        }
        if signed.is_empty() {
            return Err(NoteError::Unsigned);
        }
        Ok(signed)
    }
}

impl fmt::Display for SignedNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        for signature in &self.signatures {
            writeln!(f, "{signature}")?;
        }
        Ok(())
    }
}

impl fmt::Display for NoteSignature {
    /// The line without its newline.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = self.id.to_vec();
        bytes.extend_from_slice(&self.signature);
        write!(f, "— {} {}", self.name, STANDARD.encode(bytes))
    }
}

impl FromStr for NoteSignature {
    type Err = NoteError;

    /// Reads one signature line without its newline.
    fn from_str(line: &str) -> Result<Self, NoteError> {
        let (name, signature) = line
            .strip_prefix("— ")
            .and_then(|rest| rest.split_once(' '))
            .ok_or(NoteError::Malformed)?;
        let bytes = STANDARD
            .decode(signature)
            .map_err(|_| NoteError::Malformed)?;
        let (id, signature) = bytes.split_first_chunk().ok_or(NoteError::Malformed)?;
        if !is_key_name(name) || signature.is_empty() {
            return Err(NoteError::Malformed);
        }
        Ok(Self {
            name: name.to_owned(),
            id: *id,
            signature: signature.to_vec(),
        })
    }
}

/// How a key signs, the type byte of c2sp.org/signed-note.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyKind {
    /// 0x01: Ed25519 over the text. A log signs its checkpoints so.
    Ed25519,
    /// 0x04: Ed25519 over a time and the text, c2sp.org/tlog-cosignature. A witness signs so.
    CosignatureV1,
}

impl KeyKind {
    fn byte(self) -> u8 {
        match self {
            Self::Ed25519 => 0x01,
            Self::CosignatureV1 => 0x04,
        }
    }
}

/// A public key with its name. Its text form is the *vkey*:
/// `name+hex(id)+base64(type || public key)`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct VerifierKey {
    name: String,
    kind: KeyKind,
    public: [u8; KEY_BYTES],
    id: KeyId,
}

impl VerifierKey {
    /// Names a public key. Fails if `name` is empty or holds white space or `+`.
    pub fn new(
        name: impl Into<String>,
        kind: KeyKind,
        public: [u8; KEY_BYTES],
    ) -> Result<Self, KeyError> {
        let name = name.into();
        if !is_key_name(&name) {
            return Err(KeyError::Name);
        }
        let id = key_id(&name, kind, &public);
        Ok(Self {
            name,
            kind,
            public,
            id,
        })
    }

    /// The key's name; for a log, its origin.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How the key signs.
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// The raw public key (RFC 8032).
    pub fn public(&self) -> &[u8; KEY_BYTES] {
        &self.public
    }

    /// The short identifier that stands in the key's signatures.
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// Checks one signature of `text`; answers the time it states, if its kind states one.
    pub fn verify(&self, text: &str, signature: &[u8]) -> Result<Option<u64>, NoteError> {
        let key = UnparsedPublicKey::new(&ED25519, &self.public);
        match self.kind {
            KeyKind::Ed25519 => {
                key.verify(text.as_bytes(), signature)
                    .map_err(|_| NoteError::WrongSignature)?;
                Ok(None)
            }
            KeyKind::CosignatureV1 => {
                let (time, signature) = signature
                    .split_first_chunk()
                    .ok_or(NoteError::WrongSignature)?;
                let time = u64::from_be_bytes(*time);
                key.verify(cosigned(text, time).as_bytes(), signature)
                    .map_err(|_| NoteError::WrongSignature)?;
                Ok(Some(time))
            }
        }
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut typed = vec![self.kind.byte()];
        typed.extend_from_slice(&self.public);
        write!(
            f,
            "{}+{:08x}+{}",
            self.name,
            u32::from_be_bytes(self.id),
            STANDARD.encode(typed)
        )
    }
}

impl FromStr for VerifierKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        // Base64 may hold a `+`, so only the first two divide.
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(typed)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(KeyError::Form);
        };
        let typed = STANDARD.decode(typed).map_err(|_| KeyError::Form)?;
        let (kind, public) = match typed.split_first() {
            Some((0x01, public)) => (KeyKind::Ed25519, public),
            Some((0x04, public)) => (KeyKind::CosignatureV1, public),
            Some(_) => return Err(KeyError::Kind),
            None => return Err(KeyError::Form),
        };
        let public = public.try_into().map_err(|_| KeyError::Form)?;
        let key = Self::new(name, kind, public)?;
        if format!("{:08x}", u32::from_be_bytes(key.id)) != id {
            return Err(KeyError::Id);
        }
        Ok(key)
    }
}

/// An Ed25519 key to sign with. Its bytes are never shown.
#[derive(Clone)]
pub struct SecretKey {
    pair: Arc<Ed25519KeyPair>,
    public: [u8; KEY_BYTES],
}

impl SecretKey {
    /// The key of a seed: 32 bytes from a good source of randomness, kept secret. This is also
    /// how a new key is made.
    pub fn from_seed(seed: &[u8; KEY_BYTES]) -> Result<Self, KeyError> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| KeyError::Form)?;
        let public = pair
            .public_key()
            .as_ref()
            .try_into()
            .map_err(|_| KeyError::Form)?;
        Ok(Self {
            pair: Arc::new(pair),
            public,
        })
    }

    /// The raw public key (RFC 8032).
    pub fn public(&self) -> &[u8; KEY_BYTES] {
        &self.public
    }

    /// The 64 bytes of an Ed25519 signature.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.pair.sign(message).as_ref().to_vec()
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretKey").finish_non_exhaustive()
    }
}

/// Whether an Ed25519 signature of `message` is right.
pub fn verify_ed25519(public: &[u8; KEY_BYTES], message: &[u8], signature: &[u8]) -> bool {
    UnparsedPublicKey::new(&ED25519, public)
        .verify(message, signature)
        .is_ok()
}

/// A named key that signs notes.
#[derive(Clone, Debug)]
pub struct NoteSigner {
    key: SecretKey,
    verifier: VerifierKey,
}

impl NoteSigner {
    /// A signer of the given kind: [`KeyKind::Ed25519`] for a log, [`KeyKind::CosignatureV1`]
    /// for a witness.
    pub fn new(name: impl Into<String>, kind: KeyKind, key: SecretKey) -> Result<Self, KeyError> {
        let verifier = VerifierKey::new(name, kind, *key.public())?;
        Ok(Self { key, verifier })
    }

    /// The public half, to hand to verifiers.
    pub fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// Signs `text`. `time` in Unix seconds goes into a witness's signature and is not used by
    /// any other.
    pub fn sign(&self, text: &str, time: u64) -> NoteSignature {
        let signature = match self.verifier.kind {
            KeyKind::Ed25519 => self.key.sign(text.as_bytes()),
            KeyKind::CosignatureV1 => {
                let mut stamped = time.to_be_bytes().to_vec();
                stamped.extend(self.key.sign(cosigned(text, time).as_bytes()));
                stamped
            }
        };
        NoteSignature {
            name: self.verifier.name.clone(),
            id: self.verifier.id,
            signature,
        }
    }
}

/// Why a note is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoteError {
    /// The text is not a signed note.
    Malformed,
    /// More signature lines than any honest note has.
    TooManySignatures,
    /// A signature that names a known key is not that key's.
    WrongSignature,
    /// No known key has signed.
    Unsigned,
}

impl fmt::Display for NoteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "not a signed note",
            Self::TooManySignatures => "the note has too many signatures",
            Self::WrongSignature => "a signature of a known key is wrong",
            Self::Unsigned => "no known key has signed the note",
        })
    }
}

impl std::error::Error for NoteError {}

/// Why a text or a name does not make a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyError {
    /// Not `name+id+base64`, or the key has the wrong length.
    Form,
    /// The name is empty or holds white space or `+`.
    Name,
    /// The type is neither Ed25519 (01) nor cosignature/v1 (04).
    Kind,
    /// The identifier is not the one of this name and key.
    Id,
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Form => "not a key of the form `name+id+base64`",
            Self::Name => "a key's name may not be empty nor hold white space or `+`",
            Self::Kind => "the key's type is neither Ed25519 (01) nor cosignature/v1 (04)",
            Self::Id => "the key's identifier does not belong to its name and bytes",
        })
    }
}

impl std::error::Error for KeyError {}

/// What a witness signs (c2sp.org/tlog-cosignature).
fn cosigned(text: &str, time: u64) -> String {
    format!("cosignature/v1\ntime {time}\n{text}")
}

fn key_id(name: &str, kind: KeyKind, public: &[u8; KEY_BYTES]) -> KeyId {
    let mut sha = Sha256::new();
    sha.update(name);
    sha.update([b'\n', kind.byte()]);
    sha.update(public);
    let hash: [u8; 32] = sha.finalize().into();
    let [a, b, c, d, ..] = hash;
    [a, b, c, d]
}

fn is_key_name(name: &str) -> bool {
    !name.is_empty()
        && !name
            .chars()
            .any(|c| c.is_whitespace() || c == '+' || c < ' ')
}

fn has_control_characters(text: &str) -> bool {
    text.bytes().any(|byte| byte < b' ' && byte != b'\n')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn signer(name: &str, kind: KeyKind, seed: u8) -> NoteSigner {
        NoteSigner::new(name, kind, SecretKey::from_seed(&[seed; 32]).unwrap()).unwrap()
    }

    /// The example of c2sp.org/signed-note's Go implementation, golang.org/x/mod/sumdb/note.
    #[test]
    fn a_published_note_verifies() {
        let key: VerifierKey = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
            .parse()
            .unwrap();
        let note = "If you think cryptography is the answer to your problem,\n\
            then you don't know what your problem is.\n\
            \n\
            — PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
        let parsed = SignedNote::parse(note).unwrap();
        assert_eq!(parsed.verify([&key]).unwrap().len(), 1);
        assert_eq!(parsed.to_string(), note);
        assert_eq!(
            key.to_string(),
            "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
        );
    }

    #[test]
    fn both_kinds_sign_and_verify() {
        let log = signer("log.example", KeyKind::Ed25519, 1);
        let witness = signer("witness.example", KeyKind::CosignatureV1, 2);
        let mut note = SignedNote::new("a\n\nb\n").unwrap();
        note.sign(&log, 0);
        note.sign(&witness, 1_700_000_000);
        let read = SignedNote::parse(&note.to_string()).unwrap();
        assert_eq!(read, note);
        let keys = [log.verifier(), witness.verifier()];
        let signed = read.verify(keys).unwrap();
        let times: Vec<_> = signed.iter().map(|signed| signed.time).collect();
        assert_eq!(times, [None, Some(1_700_000_000)]);
    }

    #[test]
    fn unknown_keys_are_passed_over_and_known_ones_must_be_right() {
        let known = signer("log.example", KeyKind::Ed25519, 1);
        let namesake = signer("log.example", KeyKind::Ed25519, 3);
        let mut note = SignedNote::new("text\n").unwrap();
        note.sign(&namesake, 0);
        assert_eq!(note.verify([known.verifier()]), Err(NoteError::Unsigned));
        note.sign(&known, 0);
        assert_eq!(note.verify([known.verifier()]).unwrap().len(), 1);

        let mut second = note.signatures[1].clone();
        second.signature[0] ^= 1;
        note.signatures.push(second);
        assert_eq!(
            note.verify([known.verifier()]),
            Err(NoteError::WrongSignature)
        );
    }

    #[test]
    fn sixteen_signatures_are_accepted_and_a_flood_is_not() {
        let mut note = SignedNote::new("text\n").unwrap();
        let signers: Vec<_> = (0..16)
            .map(|n| signer(&format!("w{n}"), KeyKind::CosignatureV1, n))
            .collect();
        for signer in &signers {
            note.sign(signer, 7);
        }
        let read = SignedNote::parse(&note.to_string()).unwrap();
        let keys = signers.iter().map(NoteSigner::verifier);
        assert_eq!(read.verify(keys).unwrap().len(), 16);

        let line = note.signatures[0].clone();
        note.signatures = vec![line; SIGNATURES_MAX + 1];
        assert_eq!(
            SignedNote::parse(&note.to_string()),
            Err(NoteError::TooManySignatures)
        );
    }

    #[test]
    fn notes_of_another_form_are_refused() {
        let good = "text\n\n— name AAAAAAA=\n";
        assert!(SignedNote::parse(good).is_ok());
        for note in [
            "",
            "\n\n",
            "text\n",
            "text\n\n",
            "text\n— name AAAAAAA=\n",
            "text\n\n— name AAAAAAA=",
            "text\n\n— name AAAAAAA=\n\n",
            "text\n\n- name AAAAAAA=\n",
            "text\n\n—  AAAAAAA=\n",
            "text\n\n— na+me AAAAAAA=\n",
            "text\n\n— na\u{2003}me AAAAAAA=\n",
            "text\n\n— name  AAAAAAA=\n",
            "text\n\n— name AAAAAAA= \n",
            "text\n\n— name AAAAAAA\n",
            "text\n\n— name AAAAAAB=\n",
            "text\n\n— name AAAAAA==\n",
            "te\txt\n\n— name AAAAAAA=\n",
            "text\r\n\n— name AAAAAAA=\n",
        ] {
            assert_eq!(
                SignedNote::parse(note),
                Err(NoteError::Malformed),
                "{note:?}"
            );
        }
        for text in ["", "text", "te\0xt\n"] {
            assert_eq!(SignedNote::new(text), Err(NoteError::Malformed));
        }
    }

    #[test]
    fn keys_of_another_form_are_refused() {
        let good = signer("log.example", KeyKind::Ed25519, 1)
            .verifier()
            .to_string();
        for (key, error) in [
            (String::new(), KeyError::Form),
            (good.replace("log.example", ""), KeyError::Name),
            (good.replace("log.example", "log example"), KeyError::Name),
            (good.replace("log.example", "log.examplf"), KeyError::Id),
            (good.replacen("+A", "+B", 1), KeyError::Kind),
            (format!("{good}A"), KeyError::Form),
            (format!("{good} "), KeyError::Form),
            (good.replace('+', " "), KeyError::Form),
        ] {
            assert_eq!(key.parse::<VerifierKey>(), Err(error), "{key}");
        }
        assert!(good.parse::<VerifierKey>().is_ok());
    }

    #[test]
    fn a_secret_key_does_not_show_itself() {
        let key = SecretKey::from_seed(&[0x41; 32]).unwrap();
        assert_eq!(format!("{key:?}"), "SecretKey { .. }");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn any_bit_flipped_is_noticed(at in 0..1000usize, bit in 0..8u32, text in "[a-z\n]{0,40}") {
            let log = signer("log.example", KeyKind::Ed25519, 1);
            let mut note = SignedNote::new(format!("{text}\n")).unwrap();
            note.sign(&log, 0);
            let mut bytes = note.to_string().into_bytes();
            let at = at % bytes.len();
            bytes[at] ^= 1 << bit;
            if let Ok(text) = String::from_utf8(bytes) {
                let accepted = SignedNote::parse(&text)
                    .and_then(|read| read.verify([log.verifier()]).map(|_| ()));
                prop_assert!(accepted.is_err());
            }
        }

        #[test]
        fn any_text_is_read_without_a_panic(text in "[a—\n =+A]{0,60}") {
            if let Ok(note) = SignedNote::parse(&text) {
                prop_assert_eq!(note.to_string(), text);
            }
        }
    }
}
