//! Making a grant: claims, signed as a compact JWS (RFC 7515, 7519, 8037, 9396).

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign_ledger::TlogProof;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::key::{ALGORITHM, GrantKey};

/// The `typ` of a grant's header. No other token of a company has it, so that none can pass
/// for a grant.
pub(crate) const TYP: &str = "countersign-grant+jwt";

/// The `type` of the one entry in `authorization_details` (RFC 9396).
pub(crate) const DETAIL_TYPE: &str = "countersign";

/// The longest a grant may be good for, in seconds.
pub const LIFETIME_S_MAX: u64 = 120;

/// Everything a grant says. Times are Unix seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    /// `iss`: the gate.
    pub issuer: String,
    /// `aud`: the one connector that may act on it.
    pub audience: String,
    /// `sub`: the customer, as the connector knows them.
    pub subject: String,
    /// `iat`
    pub issued_at: u64,
    /// `nbf`
    pub not_before: u64,
    /// `exp`: at most [`LIFETIME_S_MAX`] after `issued_at` and `not_before`.
    pub expires_at: u64,
    /// `jti`: base64url of 16 random bytes.
    pub id: String,
    /// The one action that may run.
    pub action: String,
    /// Its parameters, all of them.
    pub parameters: BTreeMap<String, String>,
    /// The case's digest, 64 lower-case hexadecimal digits.
    pub digest: String,
    /// `tlog.origin`: the ledger that holds the grant's leaf.
    pub log_origin: String,
}

/// Signs a grant: its compact JWS, which [`Leaf`](crate::Leaf) commits to.
///
/// Whoever calls this decides that the action may run. In the gate that is the one place that
/// consumes a permit.
pub fn mint(key: &GrantKey, claims: &Claims) -> String {
    let header = json!({ "alg": ALGORITHM, "kid": key.kid(), "typ": TYP });
    let payload = json!({
        "aud": claims.audience,
        "authorization_details": [{
            "action": claims.action,
            "digest": claims.digest,
            "parameters": claims.parameters,
            "type": DETAIL_TYPE,
        }],
        "exp": claims.expires_at,
        "iat": claims.issued_at,
        "iss": claims.issuer,
        "jti": claims.id,
        "nbf": claims.not_before,
        "sub": claims.subject,
        "tlog": { "origin": claims.log_origin },
    });
    let mut jws = URL_SAFE_NO_PAD.encode(header.to_string());
    jws.push('.');
    URL_SAFE_NO_PAD.encode_string(payload.to_string(), &mut jws);
    let signature = key.sign(jws.as_bytes());
    jws.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut jws);
    jws
}

/// A grant with the proof that it is in the ledger: what a backend is handed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bundle {
    /// The compact JWS.
    pub grant: String,
    /// The c2sp.org/tlog-proof of its leaf; the leaf itself is the proof's `extra`.
    pub proof: String,
}

impl Bundle {
    /// Puts a grant and the proof of its leaf together.
    pub fn new(grant: impl Into<String>, proof: &TlogProof) -> Self {
        Self {
            grant: grant.into(),
            proof: proof.to_string(),
        }
    }

    /// The bundle as JSON.
    pub fn to_json(&self) -> String {
        json!({ "grant": self.grant, "proof": self.proof }).to_string()
    }
}
