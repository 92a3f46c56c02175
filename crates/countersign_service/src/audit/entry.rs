//! One entry whole: every field, the record its leaf commits to, and whether all of it holds.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use countersign_cases::{Event, EventKind, Evidence};
use countersign_grant::{Leaf, commitment};
use countersign_ledger::{Policy, leaf_hash};
use serde::Serialize;
use serde_json::{Value, json};

use super::{AuditRow, auditor, case_of, customer_of, index};
use crate::{
    adapters::webauthn::{AssertionEvidence, challenge_for, check_evidence},
    cases::CaseError,
    gate::Gate,
    ledger,
    proofs::PROOF_DOMAIN,
    records::{self, space},
    sessions::SignedInStaff,
    shell::{Entry, Envelope, Tries},
    sign_offs::{SIGN_OFF_DOMAIN, from_hex},
    trouble::Trouble,
    versions,
};

/// One entry with everything that is known of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AuditEntry {
    /// As on the list.
    pub row: AuditRow,
    /// Version of the kind's shape.
    pub version: u16,
    /// Number within its stream.
    pub sequence: u64,
    /// RFC 8785 canonical JSON of what happened: the very text the leaf commits to.
    pub record: String,
    /// Hash of its leaf in the ledger (RFC 6962), hexadecimal.
    pub leaf_hash: Option<String>,
    /// The leaf's salted commitment is to this record.
    pub committed: Option<bool>,
    /// Size of the tree it was proved to be in, under a checkpoint whose signature was verified; `None` if it could not be.
    pub included_in: Option<u64>,
    /// The signature it holds.
    pub signature: Option<SignatureView>,
    /// The entry before, and the one after.
    pub before: Option<u64>,
    /// See `before`.
    pub after: Option<u64>,
}

/// A passkey's signature, as kept, and checked again now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SignatureView {
    /// The words whose digest is in the challenge.
    pub words: String,
    /// That digest, hexadecimal.
    pub digest: String,
    /// What was signed for: the challenge, base64url.
    pub challenge: String,
    /// Which credential.
    pub credential: String,
    /// `clientDataJSON`, base64url.
    pub client_data: String,
    /// `authenticatorData`, base64url.
    pub authenticator_data: String,
    /// The signature, base64url.
    pub signature: String,
    /// It verifies.
    pub verified: bool,
}

impl Gate {
    /// One entry whole. Reading an entry of a customer is itself an entry, once for each account and entry.
    ///
    /// # Errors
    /// [`CaseError::Unknown`] if there is none of this number, it was erased, or the reader is tied to the customer.
    pub async fn audit_entry(
        &self,
        by: &SignedInStaff,
        number: u64,
    ) -> Result<AuditEntry, CaseError> {
        auditor(by)?;
        let event = self.event_at(number).await?.ok_or(CaseError::Unknown)?;
        let mut rows = self.audit_rows(by, vec![event.clone()]).await?;
        let row = rows.pop().ok_or(CaseError::Unknown)?;
        if row.closed {
            return Err(CaseError::Unknown);
        }
        let envelope = Envelope::open(&event)?;
        let record = ledger::record(&envelope.data)?;
        let mut entry = AuditEntry {
            version: event.version,
            sequence: event.sequence,
            leaf_hash: None,
            committed: None,
            included_in: None,
            signature: self.signature_in(&event, &envelope.data).await?,
            before: self.neighbour_before(number).await?,
            after: self.neighbour_after(number).await?,
            record,
            row,
        };
        if let Some(index) = event.leaf {
            // A store that cannot prove its own leaf says so on the page; it is what the page is for.
            if let Ok(proof) = self.prove_leaf(index).await {
                let leaf = proof.extra.unwrap_or_default();
                entry.leaf_hash = Some(hex(&leaf_hash(&leaf)));
                let salt = envelope.salt()?;
                entry.committed = Some(Leaf::decode(&leaf).is_ok_and(|leaf| {
                    leaf.commitment == commitment(&salt, entry.record.as_bytes())
                }));
                entry.included_in = self.size_signed(&proof.checkpoint);
            }
        }
        if customer_of(&event).is_some() {
            self.note_entry_read(by, &entry, &event).await?;
        }
        Ok(entry)
    }

    /// Size of a checkpoint whose signature by this gate's log verifies.
    pub(crate) fn size_signed(&self, note: &str) -> Option<u64> {
        let log = self.settings().log_verifier.parse().ok()?;
        let policy = Policy::of_log(log).ok()?;
        Some(policy.accept(note).ok()?.checkpoint.size)
    }

    async fn neighbour_before(&self, number: u64) -> Result<Option<u64>, Trouble> {
        let found = self.journal().follow_back(number, 1).await?;
        Ok(found.first().map(|event| event.position))
    }

    async fn neighbour_after(&self, number: u64) -> Result<Option<u64>, Trouble> {
        let found = self.journal().follow(number, 1).await?;
        Ok(found.first().map(|event| event.position))
    }

    async fn signature_in(
        &self,
        stored: &countersign_store::StoredEvent,
        data: &Value,
    ) -> Result<Option<SignatureView>, Trouble> {
        if stored.kind == "procedure.activated" {
            return Ok(self.procedure_signature(data));
        }
        let Ok(event) = serde_json::from_value::<Event>(data.clone()) else {
            return Ok(None);
        };
        let (evidence, domain) = match &event.kind {
            EventKind::SignedOff { evidence, .. } => (evidence, SIGN_OFF_DOMAIN),
            EventKind::Proved { evidence, .. } => (evidence, PROOF_DOMAIN),
            _ => return Ok(None),
        };
        let Some(assertion) = assertion(evidence) else {
            return Ok(None);
        };
        let Some(opened) = self.opening_of(stored).await? else {
            return Ok(None);
        };
        let EventKind::Opened {
            nonce,
            digest,
            sentence,
            ..
        } = opened.kind
        else {
            return Ok(None);
        };
        let Some(nonce) = from_hex(&nonce) else {
            return Ok(None);
        };
        let challenge = challenge_for(domain, &nonce, &digest.0);
        Ok(Some(self.signature_view(
            sentence,
            &digest.to_string(),
            &challenge,
            assertion,
        )))
    }

    fn procedure_signature(&self, data: &Value) -> Option<SignatureView> {
        let evidence: Evidence = serde_json::from_value(data.get("evidence")?.clone()).ok()?;
        let assertion = assertion(&evidence)?;
        let text = |name: &str| data.get(name).and_then(Value::as_str);
        let (version, replaces) = (text("version")?, text("replaces")?);
        let (digest, challenge) = versions::signed_words_of(version, text("nonce")?).ok()?;
        let words = format!("Put procedure {version} in force in place of {replaces}");
        Some(self.signature_view(words, &digest.to_string(), &challenge, assertion))
    }

    fn signature_view(
        &self,
        words: String,
        digest: &str,
        challenge: &[u8; 32],
        evidence: AssertionEvidence,
    ) -> SignatureView {
        let party = self.relying_party();
        let verified = check_evidence(party.id(), party.origins(), challenge, &evidence).is_ok();
        SignatureView {
            words,
            digest: digest.to_owned(),
            challenge: URL_SAFE_NO_PAD.encode(challenge),
            credential: evidence.credential,
            client_data: evidence.client_data,
            authenticator_data: evidence.authenticator_data,
            signature: evidence.signature,
            verified,
        }
    }

    /// Records, once for each account and entry, that somebody read what is known of a customer.
    async fn note_entry_read(
        &self,
        by: &SignedInStaff,
        entry: &AuditEntry,
        event: &countersign_store::StoredEvent,
    ) -> Result<(), Trouble> {
        let number = entry.row.number;
        let key = format!("{}/entry/{number}", records::part(by.account()));
        let mut tries = Tries::default();
        loop {
            if self.journal().get(space::LOOKUPS, &key).await?.is_some() {
                return Ok(());
            }
            let now = self.now();
            let mut batch = countersign_store::Batch::default();
            batch
                .records
                .push(records::put(space::LOOKUPS, key.clone(), &now, Some(0))?);
            let customer = customer_of(event);
            let pseudonym = match &customer {
                Some(id) => self
                    .load_customer(id)
                    .await?
                    .map(|held| held.value.pseudonym),
                None => None,
            };
            let said = Entry::new(
                "staff.looked_at_entry",
                now,
                pseudonym.as_deref(),
                &json!({
                    "account": by.account(), "entry": number,
                    "case": case_of(&super::Opened { event: event.clone(), data: index::data_of(event).unwrap_or_default() }),
                }),
            )?;
            self.log(&mut batch, &records::account_stream(by.account()), said)
                .await?;
            if self.committed(batch, &mut tries).await? {
                return Ok(());
            }
        }
    }
}

fn assertion(evidence: &Evidence) -> Option<AssertionEvidence> {
    match evidence {
        Evidence::None | Evidence::Checked { .. } => None,
        Evidence::Assertion {
            credential,
            public_key,
            client_data,
            authenticator_data,
            signature,
        } => Some(AssertionEvidence {
            credential: credential.clone(),
            public_key: public_key.clone(),
            client_data: client_data.clone(),
            authenticator_data: authenticator_data.clone(),
            signature: signature.clone(),
        }),
    }
}

fn hex(bytes: &[u8; 32]) -> String {
    countersign_cases::Digest(*bytes).to_string()
}
