//! Keys that sign grants, and their public halves as JSON Web Keys (RFC 8037).

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign_ledger::{KeyError, SecretKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The algorithm of every grant. RFC 9864 renames it to `Ed25519`; verifiers in use know it
/// by this name.
pub(crate) const ALGORITHM: &str = "EdDSA";

/// An Ed25519 key that signs grants. Its name, the `kid`, is its RFC 7638 thumbprint, so that
/// a key cannot be published under another's name by mistake.
#[derive(Clone, Debug)]
pub struct GrantKey {
    secret: SecretKey,
    kid: String,
}

impl GrantKey {
    /// The key of a seed: 32 bytes from a good source of randomness, kept secret.
    pub fn from_seed(seed: &[u8; 32]) -> Result<Self, KeyError> {
        let secret = SecretKey::from_seed(seed)?;
        let kid = thumbprint(secret.public());
        Ok(Self { secret, kid })
    }

    /// The key's name, 43 characters of base64url.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The raw public key (RFC 8032).
    pub fn public(&self) -> &[u8; 32] {
        self.secret.public()
    }

    /// The public half to publish.
    pub fn jwk(&self) -> Jwk {
        Jwk {
            kty: "OKP".to_owned(),
            crv: "Ed25519".to_owned(),
            x: URL_SAFE_NO_PAD.encode(self.public()),
            kid: self.kid.clone(),
            alg: Some(ALGORITHM.to_owned()),
            purpose: Some("sig".to_owned()),
        }
    }

    /// The 64 bytes of an Ed25519 signature.
    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.secret.sign(message)
    }
}

/// A public Ed25519 key as a JSON Web Key (RFC 8037, 2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jwk {
    /// Always `OKP`.
    pub kty: String,
    /// Always `Ed25519`.
    pub crv: String,
    /// The 32 bytes of the key, base64url without padding.
    pub x: String,
    /// The key's name.
    pub kid: String,
    /// `EdDSA`, if it is said.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub alg: Option<String>,
    /// `sig`, if it is said.
    #[serde(rename = "use", skip_serializing_if = "Option::is_none", default)]
    pub purpose: Option<String>,
}

/// A JSON Web Key Set (RFC 7517, 5): what a gate publishes for those who verify its grants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JwkSet {
    /// The keys; a set may hold the next key before it is used.
    pub keys: Vec<Jwk>,
}

impl JwkSet {
    /// The keys by their names, as [`Verifier`](crate::Verifier) wants them.
    pub fn by_kid(&self) -> Result<BTreeMap<String, [u8; 32]>, NotAGrantKey> {
        let mut keys = BTreeMap::new();
        for jwk in &self.keys {
            let public = jwk.public()?;
            if keys.insert(jwk.kid.clone(), public).is_some() {
                return Err(NotAGrantKey);
            }
        }
        Ok(keys)
    }
}

impl Jwk {
    /// The raw public key, if this is an Ed25519 signing key.
    pub fn public(&self) -> Result<[u8; 32], NotAGrantKey> {
        let may_say = |value: &Option<String>, known| value.as_ref().is_none_or(|it| it == known);
        if self.kty != "OKP"
            || self.crv != "Ed25519"
            || !may_say(&self.alg, ALGORITHM)
            || !may_say(&self.purpose, "sig")
        {
            return Err(NotAGrantKey);
        }
        let bytes = URL_SAFE_NO_PAD.decode(&self.x).map_err(|_| NotAGrantKey)?;
        bytes.try_into().map_err(|_| NotAGrantKey)
    }
}

/// The key is not an Ed25519 signing key, or two keys have one name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAGrantKey;

impl fmt::Display for NotAGrantKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a set of Ed25519 signing keys with a name each")
    }
}

impl std::error::Error for NotAGrantKey {}

/// RFC 7638, with the members RFC 8037 asks for.
fn thumbprint(public: &[u8; 32]) -> String {
    let x = URL_SAFE_NO_PAD.encode(public);
    let members = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#);
    URL_SAFE_NO_PAD.encode(Sha256::digest(members))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8037, appendix A.
    #[test]
    fn the_key_of_rfc_8037_has_its_thumbprint() {
        let seed = URL_SAFE_NO_PAD
            .decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A")
            .unwrap();
        let key = GrantKey::from_seed(&seed.try_into().unwrap()).unwrap();
        assert_eq!(key.jwk().x, "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
        assert_eq!(key.kid(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }

    #[test]
    fn a_key_set_reads_back_and_foreign_keys_are_refused() {
        let key = GrantKey::from_seed(&[7; 32]).unwrap();
        let set = JwkSet {
            keys: vec![key.jwk()],
        };
        let text = serde_json::to_string(&set).unwrap();
        let read: JwkSet = serde_json::from_str(&text).unwrap();
        assert_eq!(read, set);
        assert_eq!(read.by_kid().unwrap()[key.kid()], *key.public());

        let twice = JwkSet {
            keys: vec![key.jwk(), key.jwk()],
        };
        assert_eq!(twice.by_kid(), Err(NotAGrantKey));
        for change in [
            |jwk: &mut Jwk| jwk.kty = "EC".to_owned(),
            |jwk: &mut Jwk| jwk.crv = "X25519".to_owned(),
            |jwk: &mut Jwk| jwk.alg = Some("ES256".to_owned()),
            |jwk: &mut Jwk| jwk.purpose = Some("enc".to_owned()),
            |jwk: &mut Jwk| jwk.x.push('A'),
            |jwk: &mut Jwk| jwk.x.truncate(40),
        ] {
            let mut jwk = key.jwk();
            change(&mut jwk);
            assert_eq!(jwk.public(), Err(NotAGrantKey), "{jwk:?}");
        }
    }
}
