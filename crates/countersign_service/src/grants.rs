//! The one place that turns a permit into a grant.
//!
//! INVARIANT: nothing else in this program calls `countersign_grant::mint`,
//! and [`Gate::mint`] cannot be called without a [`Permit`], which `decide`
//! alone makes and which is used up here.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use countersign_cases::{GrantId, Permit, Timestamp};
use countersign_grant::{Claims, GrantKey, JwkSet, LIFETIME_S_MAX, mint};

use crate::{gate::Gate, ledger};

/// A grant that was signed and is not stored yet.
#[derive(Debug)]
pub(crate) struct Minted {
    /// Its `jti`.
    pub(crate) id: String,
    /// The compact JWS.
    pub(crate) jws: String,
    /// The connector it is for.
    pub(crate) connector: String,
    /// The first moment it no longer counts.
    pub(crate) not_after: Timestamp,
}

impl Gate {
    /// Uses a permit up.
    pub(crate) fn mint(&self, permit: Permit, now: Timestamp) -> Minted {
        let contents = permit.consume();
        let issued_at = ledger::unix_seconds(now);
        let expires_at = issued_at + self.settings().limits.grant_seconds.min(LIFETIME_S_MAX);
        let id = grant_key(&contents.grant);
        let claims = Claims {
            issuer: self.settings().origin.clone(),
            audience: contents.connector.clone(),
            subject: contents.customer.0,
            issued_at,
            not_before: issued_at,
            expires_at,
            id: id.clone(),
            action: contents.action,
            parameters: contents.parameters,
            digest: contents.digest.to_string(),
            log_origin: self.log_origin().to_owned(),
        };
        Minted {
            id,
            jws: mint(self.grant_key(), &claims),
            connector: contents.connector,
            not_after: Timestamp(i64::try_from(expires_at).unwrap_or(i64::MAX / 1_000) * 1_000),
        }
    }

    /// The public keys grants are verified with: the one that signs first, then those of an exchange under way.
    pub fn grant_keys(&self) -> JwkSet {
        let others = &self.settings().keys.others.grant_seeds;
        // The program read them as keys before the gate was started.
        let others = others
            .iter()
            .filter_map(|seed| GrantKey::from_seed(seed).ok());
        let keys = others.map(|key| key.jwk());
        JwkSet {
            keys: std::iter::once(self.grant_key().jwk())
                .chain(keys)
                .collect(),
        }
    }
}

/// A grant's id as it stands in `jti`, `webhook-id` and records: base64url, 22 characters.
pub(crate) fn grant_key(id: &GrantId) -> String {
    URL_SAFE_NO_PAD.encode(id.0)
}
