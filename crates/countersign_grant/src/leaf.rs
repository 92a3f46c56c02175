//! What the ledger keeps of each event: one leaf, in one spelling, without personal data.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign_ledger::Hash;
use serde::Deserialize;
use sha2::{Digest, Sha256};

/// The version of the leaf's encoding.
const VERSION: u8 = 1;

/// Characters of an event kind.
const KIND_MAX: usize = 48;

/// The kind of the one leaf that makes a grant good. A later event may name the grant too,
/// but does not vouch for it.
pub const GRANTED: &str = "granted";

/// One event as the ledger shows it to everybody.
///
/// It can hold nothing about a person: who and what it concerns are pseudonyms of 16 bytes,
/// and the event itself is a commitment that only its salt opens. Deleting salt and record
/// leaves a leaf that says nothing, and a log that is whole.
///
/// Encoded as RFC 8785 canonical JSON with the members `at`, `case`, `commitment`, `customer`,
/// `grant`, `kind` and `v`; `case`, `customer` and `grant` are left out where there is none.
/// Bytes are base64url without padding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// What happened: `a`–`z`, `0`–`9`, `_`, `.` and `-`, at most 48 characters.
    pub kind: String,
    /// Pseudonym of the case; none for events outside a case.
    pub case: Option<[u8; 16]>,
    /// Pseudonym of the customer, another in each installation.
    pub customer: Option<[u8; 16]>,
    /// Unix seconds, below 2^53.
    pub at: u64,
    /// [`commitment`] to the event.
    pub commitment: Hash,
    /// [`grant_hash`] of the grant this event made or used.
    pub grant: Option<Hash>,
}

/// `SHA-256(salt || record)`: binds the ledger to a record without showing it.
pub fn commitment(salt: &[u8; 32], record: &[u8]) -> Hash {
    let mut sha = Sha256::new();
    sha.update(salt);
    sha.update(record);
    sha.finalize().into()
}

/// SHA-256 of a grant's compact JWS, which its leaf names.
pub fn grant_hash(jws: &str) -> Hash {
    Sha256::digest(jws).into()
}

impl Leaf {
    /// The bytes that are appended to the ledger. Fails if the kind or time is out of bounds.
    pub fn encode(&self) -> Result<Vec<u8>, NotALeaf> {
        let kind_is_plain = self
            .kind
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.' | b'-'));
        if !kind_is_plain
            || self.kind.is_empty()
            || self.kind.len() > KIND_MAX
            || self.at >= 1 << 53
        {
            return Err(NotALeaf);
        }
        // Members in canonical order; no value needs an escape.
        let optional = |name: &str, bytes: Option<&[u8]>| match bytes {
            Some(bytes) => format!(r#""{name}":"{}","#, URL_SAFE_NO_PAD.encode(bytes)),
            None => String::new(),
        };
        let text = format!(
            r#"{{"at":{},{}"commitment":"{}",{}{}"kind":"{}","v":{VERSION}}}"#,
            self.at,
            optional("case", self.case.as_ref().map(<[u8; 16]>::as_slice)),
            URL_SAFE_NO_PAD.encode(self.commitment),
            optional("customer", self.customer.as_ref().map(<[u8; 16]>::as_slice)),
            optional("grant", self.grant.as_ref().map(<Hash>::as_slice)),
            self.kind,
        );
        Ok(text.into_bytes())
    }

    /// Reads a leaf; accepts the one encoding [`encode`](Self::encode) gives and nothing else.
    pub fn decode(bytes: &[u8]) -> Result<Self, NotALeaf> {
        let read: Members = serde_json::from_slice(bytes).map_err(|_| NotALeaf)?;
        let leaf = Self {
            kind: read.kind,
            case: read.case.map(|text| decoded(&text)).transpose()?,
            customer: read.customer.map(|text| decoded(&text)).transpose()?,
            at: read.at,
            commitment: decoded(&read.commitment)?,
            grant: read.grant.map(|text| decoded(&text)).transpose()?,
        };
        if read.v == VERSION && leaf.encode()? == bytes {
            Ok(leaf)
        } else {
            Err(NotALeaf)
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Members {
    at: u64,
    case: Option<String>,
    commitment: String,
    customer: Option<String>,
    grant: Option<String>,
    kind: String,
    v: u8,
}

fn decoded<const N: usize>(text: &str) -> Result<[u8; N], NotALeaf> {
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| NotALeaf)?;
    bytes.try_into().map_err(|_| NotALeaf)
}

/// The bytes are not a leaf, or the leaf cannot be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotALeaf;

impl fmt::Display for NotALeaf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a leaf of the ledger")
    }
}

impl std::error::Error for NotALeaf {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn leaf() -> Leaf {
        Leaf {
            kind: GRANTED.to_owned(),
            case: Some([1; 16]),
            customer: Some([2; 16]),
            at: 1_800_000_000,
            commitment: commitment(&[3; 32], b"record"),
            grant: Some(grant_hash("a.b.c")),
        }
    }

    #[test]
    fn a_leaf_is_canonical_json() {
        let bytes = leaf().encode().unwrap();
        let value: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(serde_json_canonicalizer::to_vec(&value).unwrap(), bytes);
        let bare = Leaf {
            case: None,
            customer: None,
            grant: None,
            ..leaf()
        };
        assert_eq!(
            String::from_utf8(bare.encode().unwrap()).unwrap(),
            format!(
                r#"{{"at":1800000000,"commitment":"{}","kind":"granted","v":1}}"#,
                URL_SAFE_NO_PAD.encode(bare.commitment)
            )
        );
    }

    #[test]
    fn other_spellings_are_refused() {
        let good = String::from_utf8(leaf().encode().unwrap()).unwrap();
        assert_eq!(Leaf::decode(good.as_bytes()), Ok(leaf()));
        for (from, to) in [
            ("\"v\":1", "\"v\":2"),
            ("\"v\":1", "\"v\":1,\"w\":1"),
            (",\"v\":1", ""),
            ("{\"at\"", "{ \"at\""),
            ("1800000000", "1.8e9"),
            ("1800000000", "18000000000000000"),
            ("granted", "Granted"),
            ("granted", ""),
            ("granted", "gr\\u0061nted"),
            ("\"AQEB", "\"AQE"),
            ("\"case\":\"AQEBAQEBAQEBAQEBAQEBAQ\"", "\"case\":null"),
            ("AQEBAQEBAQEBAQEBAQEBAQ", "AQEBAQEBAQEBAQEBAQEBAR"),
        ] {
            let changed = good.replacen(from, to, 1);
            assert_ne!(changed, good, "{from}");
            assert_eq!(Leaf::decode(changed.as_bytes()), Err(NotALeaf), "{changed}");
        }
    }

    #[test]
    fn a_kind_or_time_out_of_bounds_is_not_written() {
        for kind in ["", "Granted", "jane@example.org", &"a".repeat(49)] {
            let leaf = Leaf {
                kind: kind.to_owned(),
                ..leaf()
            };
            assert_eq!(leaf.encode(), Err(NotALeaf), "{kind}");
        }
        let leaf = Leaf {
            at: 1 << 53,
            ..leaf()
        };
        assert_eq!(leaf.encode(), Err(NotALeaf));
    }

    proptest! {
        #[test]
        fn every_leaf_reads_back(
            kind in "[a-z0-9_.-]{1,48}",
            case: Option<[u8; 16]>,
            customer: Option<[u8; 16]>,
            at in 0..1_u64 << 53,
            commitment: Hash,
            grant: Option<Hash>,
        ) {
            let leaf = Leaf { kind, case, customer, at, commitment, grant };
            prop_assert_eq!(Leaf::decode(&leaf.encode().unwrap()), Ok(leaf));
        }
    }
}
