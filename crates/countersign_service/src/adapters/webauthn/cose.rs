//! Public keys as COSE_Key (RFC 9052 §7, RFC 9053 §7), and the little CBOR around them.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256,
    RsaPublicKeyComponents, UnparsedPublicKey,
};
use ciborium::Value;
use serde::{Deserialize, Serialize};

use super::WebauthnError;

/// Deepest nesting of CBOR read; CTAP2 canonical form allows four.
const MAX_CBOR_DEPTH: usize = 8;

/// What an authenticator signs with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Algorithm {
    /// Ed25519 (COSE -8).
    Ed25519,
    /// ECDSA on P-256 with SHA-256 (COSE -7).
    Es256,
    /// RSA PKCS#1 v1.5 with SHA-256, 2048 bits or more (COSE -257): what older Windows computers have.
    Rs256,
}

impl Algorithm {
    /// Those asked for, best first.
    pub const OFFERED: [Self; 3] = [Self::Ed25519, Self::Es256, Self::Rs256];

    /// Its number in the COSE registry.
    pub const fn cose_id(self) -> i32 {
        match self {
            Self::Ed25519 => -8,
            Self::Es256 => -7,
            Self::Rs256 => -257,
        }
    }
}

/// A public key that can verify. It cannot be made of anything but a well-formed COSE_Key of an offered algorithm.
#[derive(Debug)]
pub(super) enum PublicKey {
    Ed25519([u8; 32]),
    /// Uncompressed point: 4, x, y.
    Es256([u8; 65]),
    Rs256 {
        n: Vec<u8>,
        e: Vec<u8>,
    },
}

impl PublicKey {
    /// Strictly: exactly the members its kind needs, each once, and no others (§6.5.1.1), shortest encoding.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, WebauthnError> {
        let map = parse_map(bytes).ok_or(WebauthnError::Malformed("public key"))?;
        let mut canonical = Vec::with_capacity(bytes.len());
        let encoded = ciborium::into_writer(&Value::Map(map.clone()), &mut canonical);
        if encoded.is_err() || canonical != bytes {
            return Err(WebauthnError::Malformed("public key"));
        }
        let mut members = Members::read(map)?;
        let key = match (members.integer(KTY), members.integer(ALG)) {
            (Some(KTY_OKP), Some(-8)) if members.integer(CRV) == Some(CRV_ED25519) => {
                Self::Ed25519(members.bytes(X)?)
            }
            (Some(KTY_EC2), Some(-7)) if members.integer(CRV) == Some(CRV_P256) => {
                let (x, y): ([u8; 32], [u8; 32]) = (members.bytes(X)?, members.bytes(Y)?);
                let mut point = [4; 65];
                point
                    .iter_mut()
                    .skip(1)
                    .zip(x.iter().chain(&y))
                    .for_each(|(to, from)| *to = *from);
                Self::Es256(point)
            }
            (Some(KTY_RSA), Some(-257)) => {
                // In an RSA key, -1 is the modulus and -2 the exponent (RFC 8230 §4).
                Self::Rs256 {
                    n: members.any_bytes(CRV)?,
                    e: members.any_bytes(X)?,
                }
            }
            _ => return Err(WebauthnError::UnsupportedKey),
        };
        if members.is_empty() && key.is_sound() {
            Ok(key)
        } else {
            Err(WebauthnError::UnsupportedKey)
        }
    }

    /// A point on its curve, a modulus long enough: found out when the key is registered, not when it is first used.
    fn is_sound(&self) -> bool {
        match self {
            Self::Ed25519(key) => ParsedPublicKey::new(&ED25519, key).is_ok(),
            Self::Es256(point) => ParsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point).is_ok(),
            Self::Rs256 { n, e } => {
                (256..=1024).contains(&n.len()) && n.first() != Some(&0) && e.len() <= 4
            }
        }
    }

    pub(super) const fn algorithm(&self) -> Algorithm {
        match self {
            Self::Ed25519(_) => Algorithm::Ed25519,
            Self::Es256(_) => Algorithm::Es256,
            Self::Rs256 { .. } => Algorithm::Rs256,
        }
    }

    /// §7.2 step 21.
    pub(super) fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), WebauthnError> {
        match self {
            Self::Ed25519(key) => UnparsedPublicKey::new(&ED25519, key).verify(message, signature),
            Self::Es256(point) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point).verify(message, signature)
            }
            Self::Rs256 { n, e } => RsaPublicKeyComponents { n, e }.verify(
                &RSA_PKCS1_2048_8192_SHA256,
                message,
                signature,
            ),
        }
        .map_err(|_| WebauthnError::BadSignature)
    }
}

// Labels and values of RFC 9052 §7.1 and RFC 9053 §7.
const KTY: i64 = 1;
const ALG: i64 = 3;
const CRV: i64 = -1;
const X: i64 = -2;
const Y: i64 = -3;
const KTY_OKP: i64 = 1;
const KTY_EC2: i64 = 2;
const KTY_RSA: i64 = 3;
const CRV_P256: i64 = 1;
const CRV_ED25519: i64 = 6;

/// Members of a COSE_Key by label; reading one takes it out.
struct Members(std::collections::BTreeMap<i64, Value>);

impl Members {
    fn read(map: Vec<(Value, Value)>) -> Result<Self, WebauthnError> {
        let mut members = std::collections::BTreeMap::new();
        for (label, value) in map {
            let label = label
                .as_integer()
                .and_then(|label| i64::try_from(label).ok())
                .ok_or(WebauthnError::UnsupportedKey)?;
            if members.insert(label, value).is_some() {
                return Err(WebauthnError::Malformed("public key"));
            }
        }
        Ok(Self(members))
    }

    fn integer(&mut self, label: i64) -> Option<i64> {
        let integer = self.0.get(&label)?.as_integer()?;
        self.0.remove(&label);
        i64::try_from(integer).ok()
    }

    fn any_bytes(&mut self, label: i64) -> Result<Vec<u8>, WebauthnError> {
        match self.0.remove(&label) {
            Some(Value::Bytes(bytes)) if !bytes.is_empty() => Ok(bytes),
            _ => Err(WebauthnError::UnsupportedKey),
        }
    }

    fn bytes<const N: usize>(&mut self, label: i64) -> Result<[u8; N], WebauthnError> {
        self.any_bytes(label)?
            .try_into()
            .map_err(|_| WebauthnError::UnsupportedKey)
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// One CBOR map and nothing after it.
pub(super) fn parse_map(bytes: &[u8]) -> Option<Vec<(Value, Value)>> {
    let (value, rest) = read_item(bytes)?;
    rest.is_empty().then(|| value.into_map().ok())?
}

/// Cuts the map that stands at the front off from what follows it.
pub(super) fn split_item(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (value, rest) = read_item(bytes)?;
    value
        .is_map()
        .then(|| bytes.split_at_checked(bytes.len() - rest.len()))?
}

fn read_item(bytes: &[u8]) -> Option<(Value, &[u8])> {
    let mut rest = bytes;
    let value = ciborium::de::from_reader_with_recursion_limit(&mut rest, MAX_CBOR_DEPTH).ok()?;
    Some((value, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encode(members: &[(i64, Value)]) -> Vec<u8> {
        let map = members
            .iter()
            .map(|(label, value)| (Value::from(*label), value.clone()))
            .collect();
        let mut bytes = Vec::new();
        ciborium::into_writer(&Value::Map(map), &mut bytes).unwrap();
        bytes
    }

    fn p256() -> Vec<(i64, Value)> {
        vec![
            (1, 2.into()),
            (3, (-7).into()),
            (-1, 1.into()),
            (-2, Value::Bytes(GENERATOR[..32].to_vec())),
            (-3, Value::Bytes(GENERATOR[32..].to_vec())),
        ]
    }

    /// The base point of P-256 (FIPS 186-5), x and y.
    const GENERATOR: [u8; 64] = [
        0x6b, 0x17, 0xd1, 0xf2, 0xe1, 0x2c, 0x42, 0x47, 0xf8, 0xbc, 0xe6, 0xe5, 0x63, 0xa4, 0x40,
        0xf2, 0x77, 0x03, 0x7d, 0x81, 0x2d, 0xeb, 0x33, 0xa0, 0xf4, 0xa1, 0x39, 0x45, 0xd8, 0x98,
        0xc2, 0x96, 0x4f, 0xe3, 0x42, 0xe2, 0xfe, 0x1a, 0x7f, 0x9b, 0x8e, 0xe7, 0xeb, 0x4a, 0x7c,
        0x0f, 0x9e, 0x16, 0x2b, 0xce, 0x33, 0x57, 0x6b, 0x31, 0x5e, 0xce, 0xcb, 0xb6, 0x40, 0x68,
        0x37, 0xbf, 0x51, 0xf5,
    ];

    #[test]
    fn well_formed_keys_are_read() {
        assert!(matches!(
            PublicKey::parse(&encode(&p256())),
            Ok(PublicKey::Es256(_))
        ));
        let ed25519 = [
            (1, 1.into()),
            (3, (-8).into()),
            (-1, 6.into()),
            (-2, Value::Bytes(vec![1; 32])),
        ];
        assert!(matches!(
            PublicKey::parse(&encode(&ed25519)),
            Ok(PublicKey::Ed25519(_))
        ));
        let rsa = [
            (1, 3.into()),
            (3, (-257).into()),
            (-1, Value::Bytes(vec![1; 256])),
            (-2, Value::Bytes(vec![1, 0, 1])),
        ];
        assert!(matches!(
            PublicKey::parse(&encode(&rsa)),
            Ok(PublicKey::Rs256 { .. })
        ));
    }

    #[test]
    fn a_missing_foreign_or_doubled_member_is_refused() {
        for at in 0..p256().len() {
            let mut members = p256();
            members.remove(at);
            assert!(
                PublicKey::parse(&encode(&members)).is_err(),
                "without member {at}"
            );
            let mut members = p256();
            members.push(members[at].clone());
            assert!(
                PublicKey::parse(&encode(&members)).is_err(),
                "member {at} twice"
            );
        }
        for extra in [
            (4, Value::from(1)),
            (-4, Value::Bytes(vec![3; 32])),
            (2, Value::Bytes(vec![3; 8])),
        ] {
            let mut members = p256();
            members.push(extra);
            assert!(PublicKey::parse(&encode(&members)).is_err());
        }
    }

    #[test]
    fn key_type_algorithm_and_curve_must_fit_together() {
        for (at, value) in [(0, 1), (0, 3), (1, -8), (1, -257), (1, -35), (2, 2), (2, 6)] {
            let mut members = p256();
            members[at].1 = value.into();
            assert_eq!(
                PublicKey::parse(&encode(&members)).map(|_| ()),
                Err(WebauthnError::UnsupportedKey)
            );
        }
        for length in [0, 31, 33] {
            let mut members = p256();
            members[3].1 = Value::Bytes(vec![1; length]);
            assert_eq!(
                PublicKey::parse(&encode(&members)).map(|_| ()),
                Err(WebauthnError::UnsupportedKey)
            );
        }
    }

    #[test]
    fn only_the_shortest_encoding_is_accepted() {
        let bytes = encode(&p256());
        assert_eq!(&bytes[..3], [0xa5, 0x01, 0x02]);
        // The key type 2 as a two-byte integer.
        let longer = [&bytes[..2], &[0x18, 0x02], &bytes[3..]].concat();
        assert!(PublicKey::parse(&longer).is_err());
        // The same map with indefinite length.
        let indefinite = [&[0xbf], &bytes[1..], &[0xff]].concat();
        assert!(PublicKey::parse(&indefinite).is_err());
        assert!(PublicKey::parse(&[bytes.as_slice(), &[0]].concat()).is_err());
    }

    #[test]
    fn a_point_off_the_curve_or_a_short_modulus_is_refused() {
        let mut off_curve = p256();
        off_curve[4].1 = Value::Bytes(vec![2; 32]);
        let short = [
            (1, 3.into()),
            (3, (-257).into()),
            (-1, Value::Bytes(vec![1; 255])),
            (-2, Value::Bytes(vec![1, 0, 1])),
        ];
        for members in [off_curve.as_slice(), &short] {
            assert_eq!(
                PublicKey::parse(&encode(members)).map(|_| ()),
                Err(WebauthnError::UnsupportedKey)
            );
        }
    }

    #[test]
    fn deep_or_endless_cbor_is_refused() {
        assert!(parse_map(&[0x81; 10_000]).is_none());
        assert!(parse_map(&[0xbb, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]).is_none());
        assert!(
            parse_map(&[
                0x5b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3
            ])
            .is_none()
        );
        assert_eq!(
            split_item(&[0xa0, 1, 2]),
            Some(([0xa0].as_slice(), [1, 2].as_slice()))
        );
        assert_eq!(split_item(&[0x01, 2]), None);
    }
}
