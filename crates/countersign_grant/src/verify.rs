//! Checking a grant without asking the gate: what a backend does before it acts.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign_ledger::{
    Accepted, Checkpoint, Policy, SignedNote, TlogProof, Untrusted, leaf_hash, verify_ed25519,
    verify_inclusion,
};
use serde::{Deserialize, Serialize};

use crate::key::ALGORITHM;
use crate::leaf::{GRANTED, Leaf, grant_hash};
use crate::mint::{Bundle, Claims, DETAIL_TYPE, LIFETIME_S_MAX, TYP};

/// The largest bundle that is looked at. An honest one has about two kilobytes.
const BUNDLE_BYTES_MAX: usize = 64 * 1024;

/// What a backend knows beforehand: whose grants it accepts, in whose name, and which ledger
/// and witnesses it trusts.
#[derive(Clone, Debug)]
pub struct Verifier {
    /// The gate, as in `iss`.
    pub issuer: String,
    /// This connector, as in `aud`.
    pub audience: String,
    /// The gate's public keys by `kid`; see [`JwkSet::by_kid`](crate::JwkSet::by_kid).
    pub keys: BTreeMap<String, [u8; 32]>,
    /// The trusted ledger, its witnesses and how many of them a checkpoint needs.
    pub policy: Policy,
    /// Seconds the two clocks may differ. Zero is right where both keep time.
    pub leeway_s: u64,
}

/// What the backend is about to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// The action.
    pub action: String,
    /// Its parameters, all of them.
    pub parameters: BTreeMap<String, String>,
    /// The customer whose account it concerns.
    pub subject: String,
}

/// A grant that passed every check, once. Nothing else makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    claims: Claims,
    leaf: Leaf,
    index: u64,
    accepted: Accepted,
}

impl Verified {
    /// What the grant says.
    pub fn claims(&self) -> &Claims {
        &self.claims
    }

    /// Its leaf in the ledger.
    pub fn leaf(&self) -> &Leaf {
        &self.leaf
    }

    /// The leaf's zero-based place in the ledger.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// The checkpoint that covers the leaf, and its cosignatures.
    pub fn accepted(&self) -> &Accepted {
        &self.accepted
    }
}

/// Why a grant is refused: the first check that failed. The checks run in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// Not a bundle of a JWS with a grant's claims and a tlog-proof.
    Form,
    /// The header's `typ` is not that of a grant.
    Typ,
    /// The header's `kid` or `alg` is not one that is trusted.
    Key,
    /// The gate did not sign this.
    Signature,
    /// `iss` is another gate.
    Issuer,
    /// `aud` is another connector.
    Audience,
    /// `nbf` is yet to come.
    NotYetValid,
    /// `exp` has passed.
    Expired,
    /// It is good for longer than a grant may be, or for no time at all.
    Lifetime,
    /// It is for another action, another customer or other parameters.
    Parameters,
    /// The proof does not carry the leaf that made this grant.
    Leaf,
    /// The checkpoint is not signed by a trusted log.
    LogKey,
    /// The checkpoint or the grant names another log.
    Origin,
    /// Too few witnesses cosigned the checkpoint, or one's cosignature is wrong.
    WitnessQuorum,
    /// The leaf is not in the log.
    Inclusion,
    /// The grant was used before.
    Replay,
}

impl Reason {
    /// Every reason, in the order of the checks.
    pub const ALL: [Self; 16] = [
        Self::Form,
        Self::Typ,
        Self::Key,
        Self::Signature,
        Self::Issuer,
        Self::Audience,
        Self::NotYetValid,
        Self::Expired,
        Self::Lifetime,
        Self::Parameters,
        Self::Leaf,
        Self::LogKey,
        Self::Origin,
        Self::WitnessQuorum,
        Self::Inclusion,
        Self::Replay,
    ];

    /// The code, the same in every language's verifier.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Form => "form",
            Self::Typ => "typ",
            Self::Key => "key",
            Self::Signature => "signature",
            Self::Issuer => "issuer",
            Self::Audience => "audience",
            Self::NotYetValid => "not-yet-valid",
            Self::Expired => "expired",
            Self::Lifetime => "lifetime",
            Self::Parameters => "parameters",
            Self::Leaf => "leaf",
            Self::LogKey => "log-key",
            Self::Origin => "origin",
            Self::WitnessQuorum => "witness-quorum",
            Self::Inclusion => "inclusion",
            Self::Replay => "replay",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::error::Error for Reason {}

impl Verifier {
    /// Checks a bundle against what the backend is about to do at `now` (Unix seconds).
    ///
    /// `first_use` is asked last, with the grant's `jti` and the Unix second after which it
    /// can be forgotten. It notes the `jti` and answers whether it was new; it belongs into
    /// the transaction that does the action.
    pub fn verify(
        &self,
        bundle: &str,
        expected: &Expected,
        now: u64,
        first_use: &mut dyn FnMut(&str, u64) -> bool,
    ) -> Result<Verified, Reason> {
        let parts = parse(bundle).ok_or(Reason::Form)?;

        if parts.header.typ != TYP {
            return Err(Reason::Typ);
        }
        // The key decides the algorithm; the header may only agree.
        let key = self.keys.get(&parts.header.kid).ok_or(Reason::Key)?;
        if parts.header.alg != ALGORITHM {
            return Err(Reason::Key);
        }
        if !verify_ed25519(key, parts.signed.as_bytes(), &parts.signature) {
            return Err(Reason::Signature);
        }
        self.check_claims(&parts.claims, expected, now)?;

        let leaf_bytes = parts.proof.extra.as_deref().ok_or(Reason::Leaf)?;
        let leaf = Leaf::decode(leaf_bytes).map_err(|_| Reason::Leaf)?;
        if leaf.kind != GRANTED || leaf.grant != Some(grant_hash(&parts.bundle.grant)) {
            return Err(Reason::Leaf);
        }
        let accepted = self.check_checkpoint(&parts)?;
        verify_inclusion(
            parts.proof.index,
            accepted.checkpoint.size,
            &leaf_hash(leaf_bytes),
            &parts.proof.proof,
            &accepted.checkpoint.root,
        )
        .map_err(|_| Reason::Inclusion)?;

        let forget_after = parts.claims.expires_at.saturating_add(self.leeway_s);
        if !first_use(&parts.claims.id, forget_after) {
            return Err(Reason::Replay);
        }
        Ok(Verified {
            claims: parts.claims,
            leaf,
            index: parts.proof.index,
            accepted,
        })
    }

    fn check_claims(&self, claims: &Claims, expected: &Expected, now: u64) -> Result<(), Reason> {
        if claims.issuer != self.issuer {
            return Err(Reason::Issuer);
        }
        if claims.audience != self.audience {
            return Err(Reason::Audience);
        }
        if now.saturating_add(self.leeway_s) < claims.not_before {
            return Err(Reason::NotYetValid);
        }
        if now >= claims.expires_at.saturating_add(self.leeway_s) {
            return Err(Reason::Expired);
        }
        // Counted from the earlier of the two, so that neither can stretch it.
        let start = claims.issued_at.min(claims.not_before);
        let lifetime = claims.expires_at.saturating_sub(start);
        if lifetime == 0 || lifetime > LIFETIME_S_MAX {
            return Err(Reason::Lifetime);
        }
        if claims.action != expected.action
            || claims.parameters != expected.parameters
            || claims.subject != expected.subject
        {
            return Err(Reason::Parameters);
        }
        Ok(())
    }

    fn check_checkpoint(&self, parts: &Parts) -> Result<Accepted, Reason> {
        let accepted = self.policy.accept(&parts.proof.checkpoint);
        match accepted {
            Err(Untrusted::Form(_)) => Err(Reason::Form),
            Err(Untrusted::LogKey) => Err(Reason::LogKey),
            Err(Untrusted::Origin) => Err(Reason::Origin),
            _ if parts.claims.log_origin != parts.origin => Err(Reason::Origin),
            Err(Untrusted::WrongCosignature | Untrusted::Quorum) => Err(Reason::WitnessQuorum),
            Ok(accepted) => Ok(accepted),
        }
    }
}

/// A bundle taken apart; nothing in it is vouched for yet.
struct Parts {
    bundle: Bundle,
    header: Header,
    claims: Claims,
    /// The part of the JWS that the signature covers.
    signed: String,
    signature: Vec<u8>,
    proof: TlogProof,
    /// The origin that the proof's checkpoint names.
    origin: String,
}

fn parse(bundle: &str) -> Option<Parts> {
    if bundle.len() > BUNDLE_BYTES_MAX {
        return None;
    }
    let bundle: Bundle = serde_json::from_str(bundle).ok()?;
    let (signed, signature) = bundle.grant.rsplit_once('.')?;
    let (header, payload) = signed.split_once('.')?;
    let header = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).ok()?).ok()?;
    let payload = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()?;
    let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
    let signed = signed.to_owned();
    let proof: TlogProof = bundle.proof.parse().ok()?;
    let note = SignedNote::parse(&proof.checkpoint).ok()?;
    let checkpoint: Checkpoint = note.text.parse().ok()?;
    Some(Parts {
        header,
        claims: claims_of(payload)?,
        signed,
        signature,
        proof,
        origin: checkpoint.origin,
        bundle,
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    kid: String,
    typ: String,
}

/// Further claims are passed over (RFC 7519, 4), further members of the parts that say what
/// may run are not.
#[derive(Deserialize)]
struct Payload {
    iss: String,
    aud: String,
    sub: String,
    iat: u64,
    nbf: u64,
    exp: u64,
    jti: String,
    authorization_details: [Detail; 1],
    tlog: Tlog,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Detail {
    r#type: String,
    action: String,
    parameters: BTreeMap<String, String>,
    digest: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tlog {
    origin: String,
}

fn claims_of(payload: Payload) -> Option<Claims> {
    let [detail] = payload.authorization_details;
    let id: [u8; 16] = URL_SAFE_NO_PAD.decode(&payload.jti).ok()?.try_into().ok()?;
    let digest_is_hex = detail.digest.len() == 64
        && detail
            .digest
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if detail.r#type != DETAIL_TYPE || !digest_is_hex {
        return None;
    }
    Some(Claims {
        issuer: payload.iss,
        audience: payload.aud,
        subject: payload.sub,
        issued_at: payload.iat,
        not_before: payload.nbf,
        expires_at: payload.exp,
        id: URL_SAFE_NO_PAD.encode(id),
        action: detail.action,
        parameters: detail.parameters,
        digest: detail.digest,
        log_origin: payload.tlog.origin,
    })
}
