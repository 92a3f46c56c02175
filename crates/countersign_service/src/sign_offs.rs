//! Signatures by colleagues: a passkey assertion whose challenge is made of the case itself.

use countersign_cases::{CaseId, Command, Digest, Evidence, State, decide};
use serde::Serialize;
use serde_json::Value;

use crate::{
    adapters::webauthn::{self, Passkey, VerifiedAssertion, challenge_for},
    cases::Applied,
    decisions::{Also, Loaded},
    gate::Gate,
    proofs::ProofError,
    records::{self, Account, Held, space},
    sessions::{self, SignedInStaff},
    shell::Tries,
    trouble::Trouble,
    views,
};

/// What a colleague's passkey signs: this, the case's nonce, and its digest.
pub const SIGN_OFF_DOMAIN: &str = "countersign/sign-off/v1";

/// A passkey prompt for a case: nothing to remember, for the challenge is made of the case itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PasskeyPrompt {
    /// What is being signed for.
    pub digest: Digest,
    /// For `parseRequestOptionsFromJSON`.
    pub options: Value,
}

impl Gate {
    /// Begins a signature: the prompt is for this case and no other, and only for who may sign it.
    pub async fn start_sign_off(
        &self,
        by: &SignedInStaff,
        case: &CaseId,
    ) -> Result<PasskeyPrompt, ProofError> {
        let loaded = self.load_case(case).await?;
        let member = by.member(&loaded.procedure, &loaded.row.customer);
        views::can_sign(&loaded, &member)?;
        let keys = by.record().keys();
        if keys.is_empty() {
            return Err(ProofError::NoPasskey);
        }
        let challenge = challenge(&loaded, SIGN_OFF_DOMAIN)?;
        Ok(PasskeyPrompt {
            digest: loaded.digest()?,
            options: self.relying_party().request_options(&challenge, &keys),
        })
    }

    /// A colleague's passkey answered: the assertion is kept as evidence.
    #[tracing::instrument(target = "trace", name = "decision", level = "info", skip_all, fields(countersign.case = case.0))]
    pub async fn finish_sign_off(
        &self,
        by: &SignedInStaff,
        case: &CaseId,
        digest: Digest,
        response: &Value,
    ) -> Result<Applied, ProofError> {
        let mut tries = Tries::default();
        loop {
            let loaded = self.load_case(case).await?;
            // The account as it is now, not as it was when the session was looked up.
            let account = self
                .load::<Account>(space::ACCOUNT, &records::part(by.account()))
                .await?;
            let Held {
                value: mut account,
                revision,
            } = account
                .filter(|held| held.value.active)
                .ok_or(ProofError::NotAccepted)?;
            let member = sessions::member(&account, &loaded.procedure, &loaded.row.customer);
            views::can_sign(&loaded, &member)?;
            let keys = account.keys();
            let challenge = challenge(&loaded, SIGN_OFF_DOMAIN)?;
            let (credential, verified) = self.verify_with(&keys, &challenge, response)?;
            account.answered(&credential, &verified, loaded.now);
            let command = Command::SignOff {
                by: member,
                digest,
                evidence: kept(&verified),
            };
            let decision = decide(&loaded.procedure, &loaded.case, command, &loaded.moment())?;
            let mut also = Also::default();
            also.records.push(records::put(
                space::ACCOUNT,
                records::part(&account.account),
                &account,
                Some(revision),
            )?);
            let (batch, case) = self.write_decision(&loaded, &decision.events, None, also)?;
            if self.committed(batch, &mut tries).await? {
                return Ok(Applied {
                    version: case.version(),
                    state: case.state(),
                });
            }
        }
    }

    pub(crate) fn verify_with(
        &self,
        keys: &[Passkey],
        challenge: &[u8; 32],
        response: &Value,
    ) -> Result<(Vec<u8>, VerifiedAssertion), ProofError> {
        let not_accepted = |error: webauthn::WebauthnError| {
            tracing::info!(%error, "passkey not accepted");
            ProofError::NotAccepted
        };
        let credential = webauthn::claimed_credential(response).map_err(not_accepted)?;
        let key = keys
            .iter()
            .find(|key| key.credential == credential)
            .ok_or(ProofError::NotAccepted)?;
        let verified = self
            .relying_party()
            .verify_assertion(challenge, key, response)
            .map_err(not_accepted)?;
        Ok((credential, verified))
    }
}

/// The challenge for one question about one case: whoever has the case's first event can work it out again.
pub(crate) fn challenge(loaded: &Loaded, domain: &str) -> Result<[u8; 32], Trouble> {
    let damaged = || Trouble::Damaged("a case without its nonce".to_owned());
    let opened = loaded
        .case
        .opened()
        .filter(|_| loaded.case.state() != State::None)
        .ok_or_else(damaged)?;
    let nonce = from_hex(&opened.nonce).ok_or_else(damaged)?;
    Ok(challenge_for(domain, &nonce, &opened.digest.0))
}

pub(crate) fn from_hex(text: &str) -> Option<[u8; 16]> {
    let mut bytes = [0; 16];
    if text.len() != 32 {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        let pair = std::str::from_utf8(pair).ok()?;
        *byte = u8::from_str_radix(pair, 16).ok()?;
    }
    Some(bytes)
}

pub(crate) fn kept(verified: &VerifiedAssertion) -> Evidence {
    let evidence = verified.evidence.clone();
    Evidence::Assertion {
        credential: evidence.credential,
        public_key: evidence.public_key,
        client_data: evidence.client_data,
        authenticator_data: evidence.authenticator_data,
        signature: evidence.signature,
    }
}
