//! What is kept of an assertion, and how anyone checks it later with nothing else at hand.

use serde::{Deserialize, Serialize};

use super::{
    WebauthnError,
    authenticator_data::AuthenticatorData,
    client_data::{Ceremony, ClientData},
    cose::PublicKey,
    decode, sha256,
};

/// One assertion. All fields base64url without padding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AssertionEvidence {
    /// Which credential. Not covered by the signature (§13.4.7): it names the key, the key vouches for the rest.
    pub credential: String,
    /// Its public key, COSE_Key.
    pub public_key: String,
    /// `clientDataJSON`
    pub client_data: String,
    /// `authenticatorData`
    pub authenticator_data: String,
    /// The signature.
    pub signature: String,
}

/// Whether the holder of this public key, verified and present at one of these origins, signed this challenge.
///
/// Needs no store, clock or network. Whose key it was on that day is for the ledger to say.
///
/// # Errors
/// [`WebauthnError`]
pub fn check_evidence(
    rp_id: &str,
    origins: &[String],
    challenge: &[u8; 32],
    evidence: &AssertionEvidence,
) -> Result<(), WebauthnError> {
    check(rp_id, origins, challenge, evidence).map(|_| ())
}

/// §7.2 steps 8 to 18, 20 and 21.
pub(super) fn check(
    rp_id: &str,
    origins: &[String],
    challenge: &[u8; 32],
    evidence: &AssertionEvidence,
) -> Result<AuthenticatorData, WebauthnError> {
    decode(&evidence.credential, "credential id")?;
    let client_data = decode(&evidence.client_data, "clientDataJSON")?;
    let authenticator_data = decode(&evidence.authenticator_data, "authenticatorData")?;
    let signature = decode(&evidence.signature, "signature")?;
    let public_key = PublicKey::parse(&decode(&evidence.public_key, "public key")?)?;
    // Steps 8 to 14.
    ClientData::parse(&client_data)?.check(Ceremony::Get, challenge, origins)?;
    // Steps 15 to 18.
    let data = AuthenticatorData::parse(&authenticator_data)?;
    data.check(rp_id)?;
    // An assertion carries no attested credential data (§6.1).
    if data.credential.is_some() {
        return Err(WebauthnError::Malformed("authenticator data"));
    }
    // Steps 20 and 21.
    let signed = [authenticator_data.as_slice(), &sha256(&[&client_data])].concat();
    public_key.verify(&signed, &signature)?;
    Ok(data)
}
