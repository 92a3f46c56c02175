//! The provider's public keys (RFC 7517). Keys of a kind that is not understood are passed over, as §5 asks.

use jsonwebtoken::{
    Algorithm, DecodingKey,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, PublicKeyUse},
};
use serde::Deserialize;
use serde_json::Value;

/// Most keys of one provider that are looked at.
const KEYS_MAX: usize = 64;

/// The keys that can verify an ID token.
#[derive(Clone, Default)]
pub struct KeySet {
    keys: Vec<Key>,
}

#[derive(Clone)]
struct Key {
    kid: Option<String>,
    algorithms: &'static [Algorithm],
    /// The one algorithm the key says it is for.
    only: Option<String>,
    decoding: DecodingKey,
}

impl std::fmt::Debug for KeySet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KeySet({} keys)", self.keys.len())
    }
}

impl KeySet {
    /// From a JWKS document; `None` if it is not one.
    pub fn parse(document: &Value) -> Option<Self> {
        let keys = document
            .get("keys")?
            .as_array()?
            .iter()
            .take(KEYS_MAX)
            .filter_map(Key::parse)
            .collect();
        Some(Self { keys })
    }

    /// How many keys can be used.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The key of this name that makes such signatures. Without a name there must be exactly one that does (Core §10.1).
    pub(super) fn key(&self, kid: Option<&str>, algorithm: Algorithm) -> Option<&DecodingKey> {
        let mut fitting = self
            .keys
            .iter()
            .filter(|key| (kid.is_none() || key.kid.as_deref() == kid) && key.makes(algorithm));
        let first = fitting.next()?;
        fitting.next().is_none().then_some(&first.decoding)
    }
}

impl Key {
    fn parse(value: &Value) -> Option<Self> {
        let jwk = Jwk::deserialize(value).ok()?;
        if !matches!(
            jwk.common.public_key_use,
            None | Some(PublicKeyUse::Signature)
        ) {
            return None;
        }
        // The kind of key decides what it may verify; a token never does.
        let algorithms: &[Algorithm] = match &jwk.algorithm {
            AlgorithmParameters::RSA(_) => &[Algorithm::RS256, Algorithm::PS256],
            AlgorithmParameters::EllipticCurve(ec) if ec.curve == EllipticCurve::P256 => {
                &[Algorithm::ES256]
            }
            AlgorithmParameters::OctetKeyPair(pair) if pair.curve == EllipticCurve::Ed25519 => {
                &[Algorithm::EdDSA]
            }
            _ => return None,
        };
        Some(Self {
            algorithms,
            only: value.get("alg").and_then(Value::as_str).map(str::to_owned),
            decoding: DecodingKey::from_jwk(&jwk).ok()?,
            kid: jwk.common.key_id,
        })
    }

    fn makes(&self, algorithm: Algorithm) -> bool {
        self.algorithms.contains(&algorithm)
            && self
                .only
                .as_deref()
                .is_none_or(|only| only == format!("{algorithm:?}"))
    }
}
