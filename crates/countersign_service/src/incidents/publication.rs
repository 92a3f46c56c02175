//! The statement: written in the console, checked as it is written, signed by a second person, and then never changed.

use std::collections::BTreeSet;

use countersign_cases::Digest;
use countersign_store::Batch;
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{
    Facts, Finding, Happened, Incident, IncidentError, Texts, changes::hex, letters, statement,
    touched::Around, view,
};
use crate::{
    adapters::{
        dice,
        webauthn::{Passkey, challenge_for},
    },
    gate::Gate,
    ledger,
    proofs::ProofError,
    records::{self, Account, Held, space},
    sessions::SignedInStaff,
    shell::Tries,
    sign_offs::{self, PasskeyPrompt},
    staff::Operator,
    trouble::Trouble,
};

/// What a colleague's passkey signs for a statement: this, the submission's nonce, and the digest of the texts and facts.
pub const STATEMENT_DOMAIN: &str = "countersign/statement/v1";

/// A draft with its fields filled in, and what was found in it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct StatementCheck {
    /// The versions as they would be published.
    pub texts: Texts,
    /// Errors and advice.
    pub findings: Vec<Finding>,
}

impl Gate {
    /// Checks a statement that is being written, against the facts of its incident. Nothing is kept.
    ///
    /// # Errors
    /// [`IncidentError::NotAllowed`], [`IncidentError::Unknown`]
    pub async fn check_statement(
        &self,
        by: &SignedInStaff,
        id: &str,
        texts: &Texts,
    ) -> Result<StatementCheck, IncidentError> {
        self.may_read_incidents(by)?;
        let incident = self.load_incident(id).await?.value;
        let around = self.around(&incident).await?;
        let facts = self.facts_of(&incident, &around);
        Ok(Self::check_texts(&incident, texts, &facts, &around))
    }

    /// The facts of an incident, as the checker of statements reads them.
    ///
    /// # Errors
    /// [`IncidentError::NotAllowed`], [`IncidentError::Unknown`]
    pub async fn incident_facts(
        &self,
        by: &SignedInStaff,
        id: &str,
    ) -> Result<countersign_statements::Incident, IncidentError> {
        self.may_read_incidents(by)?;
        let incident = self.load_incident(id).await?.value;
        let around = self.around(&incident).await?;
        let facts = self.facts_of(&incident, &around);
        let times = view::known_times(&incident, &around);
        Ok(statement::known(&incident.id, &facts, &times))
    }

    /// The same, for whoever has the database.
    ///
    /// # Errors
    /// [`IncidentError::Unknown`]
    pub async fn incident_facts_at_the_console(
        &self,
        _: &Operator,
        id: &str,
    ) -> Result<countersign_statements::Incident, IncidentError> {
        let incident = self.load_incident(id).await?.value;
        let around = self.around(&incident).await?;
        let facts = self.facts_of(&incident, &around);
        let times = view::known_times(&incident, &around);
        Ok(statement::known(&incident.id, &facts, &times))
    }

    pub(crate) fn check_texts(
        incident: &Incident,
        texts: &Texts,
        facts: &Facts,
        around: &Around,
    ) -> StatementCheck {
        let times: BTreeSet<_> = view::known_times(incident, around);
        let (texts, findings) = statement::checked(texts, facts, &times);
        StatementCheck { texts, findings }
    }

    /// Hands the draft to the second person, fields filled in. Refused while it tells a wrong fact.
    ///
    /// # Errors
    /// [`IncidentError::Facts`], [`IncidentError::Changed`] where `revision` is not the draft's.
    pub async fn submit_statement(
        &self,
        by: &SignedInStaff,
        id: &str,
        revision: u32,
    ) -> Result<(), IncidentError> {
        let author = self.may_edit_incidents(by)?;
        let nonce = hex(&dice::random_bytes::<16>(self.dice()));
        let mut tries = Tries::default();
        loop {
            let open = self.begin_change(id).await?;
            let incident = &open.incident;
            if incident.draft.revision != revision {
                return Err(IncidentError::Changed);
            }
            let (texts, facts) = self.publishable(incident).await?;
            let same = incident
                .submitted
                .as_ref()
                .is_some_and(|waits| waits.texts == texts && waits.facts == facts);
            if same {
                return Ok(());
            }
            let happened = Happened::Submitted {
                digest: digest(incident, &texts, &facts)?,
                texts,
                facts,
                nonce: nonce.clone(),
            };
            if self
                .end_change(open, &author, vec![happened], &mut tries)
                .await?
            {
                return Ok(());
            }
        }
    }

    /// Begins to sign the statement that waits: the prompt is for these words and no others.
    ///
    /// # Errors
    /// [`IncidentError::OwnStatement`] for everybody who wrote on it, [`IncidentError::NothingSubmitted`],
    /// [`IncidentError::NoPasskey`]
    pub async fn start_publication(
        &self,
        by: &SignedInStaff,
        id: &str,
    ) -> Result<PasskeyPrompt, IncidentError> {
        self.may_edit_incidents(by)?;
        let incident = self.load_incident(id).await?.value;
        view::may_sign_statement(by, &incident)?;
        let submitted = incident
            .submitted
            .as_ref()
            .ok_or(IncidentError::NothingSubmitted)?;
        let challenge = challenge(STATEMENT_DOMAIN, &submitted.nonce, &submitted.digest)?;
        let keys = by.record().keys();
        Ok(PasskeyPrompt {
            digest: submitted.digest,
            options: self.relying_party().request_options(&challenge, &keys),
        })
    }

    /// A second person's passkey answered: the statement is public, and stays as it is. Gives its version, from 1.
    ///
    /// # Errors
    /// [`IncidentError::Changed`] where the texts or the facts in them are not those that were read.
    pub async fn finish_publication(
        &self,
        by: &SignedInStaff,
        id: &str,
        digest: Digest,
        response: &Value,
    ) -> Result<u32, IncidentError> {
        let signer = self.may_edit_incidents(by)?;
        let mut tries = Tries::default();
        loop {
            let mut open = self.begin_change(id).await?;
            let incident = &open.incident;
            view::may_sign_statement(by, incident)?;
            let waits = incident
                .submitted
                .as_ref()
                .ok_or(IncidentError::NothingSubmitted)?;
            if waits.digest != digest {
                return Err(IncidentError::Changed);
            }
            // What was true when it was handed in may not be any more.
            let (texts, facts) = self.publishable(incident).await?;
            if texts != waits.texts || facts != waits.facts {
                return Err(IncidentError::Changed);
            }
            let challenge = challenge(STATEMENT_DOMAIN, &waits.nonce, &digest)?;
            let evidence = self
                .signed(by, &mut open.batch, &challenge, response)
                .await?;
            let mut authors = incident.draft.authors.clone();
            if authors.iter().all(|known| known.person != waits.by.person) {
                authors.push(waits.by.clone());
            }
            let version = u32::try_from(incident.published.len() + 1).unwrap_or(u32::MAX);
            open.batch.work.push(letters::news(
                &incident.id,
                version,
                Some(version),
                open.now,
            )?);
            let happened = Happened::Published {
                version,
                texts,
                facts,
                digest,
                nonce: waits.nonce.clone(),
                authors,
                evidence,
            };
            if self
                .end_change(open, &signer, vec![happened], &mut tries)
                .await?
            {
                return Ok(version);
            }
        }
    }

    /// Texts with their fields filled in and the facts, if they tell nothing wrong.
    async fn publishable(&self, incident: &Incident) -> Result<(Texts, Facts), IncidentError> {
        let around = self.around(incident).await?;
        let facts = self.facts_of(incident, &around);
        let check = Self::check_texts(incident, &incident.draft.texts, &facts, &around);
        match check.findings.iter().filter(|found| found.error).count() {
            0 => Ok((check.texts, facts)),
            errors => Err(IncidentError::Facts(errors)),
        }
    }

    /// A passkey of the account as it is now answered this challenge: what is kept of it.
    pub(crate) async fn signed(
        &self,
        by: &SignedInStaff,
        batch: &mut Batch,
        challenge: &[u8; 32],
        response: &Value,
    ) -> Result<countersign_cases::Evidence, IncidentError> {
        let Held {
            value: mut account,
            revision,
        } = self.account_now(by).await?;
        let keys: Vec<Passkey> = account.keys();
        if keys.is_empty() {
            return Err(IncidentError::NoPasskey);
        }
        let (credential, verified) =
            self.verify_with(&keys, challenge, response)
                .map_err(|error| match error {
                    ProofError::Case(crate::cases::CaseError::Trouble(trouble)) => trouble.into(),
                    _ => IncidentError::NotAccepted,
                })?;
        account.answered(&credential, &verified, self.now());
        batch.records.push(put_account(&account, revision)?);
        Ok(sign_offs::kept(&verified))
    }
}

fn put_account(
    account: &Account,
    revision: u64,
) -> Result<countersign_store::RecordWrite, Trouble> {
    let key = records::part(&account.account);
    records::put(space::ACCOUNT, key, account, Some(revision))
}

/// What is signed: SHA-256 of the RFC 8785 canonical JSON of the incident, the version, its texts and its facts.
fn digest(incident: &Incident, texts: &Texts, facts: &Facts) -> Result<Digest, Trouble> {
    digest_of(&json!({
        "incident": incident.id,
        "version": incident.published.len() + 1,
        "texts": records::to_value(texts)?,
        "facts": records::to_value(facts)?,
    }))
}

pub(crate) fn digest_of(value: &Value) -> Result<Digest, Trouble> {
    let hash = Sha256::digest(ledger::record(value)?.as_bytes());
    let mut bytes = [0; 32];
    bytes
        .iter_mut()
        .zip(hash.iter())
        .for_each(|(to, from)| *to = *from);
    Ok(Digest(bytes))
}

pub(crate) fn challenge(
    domain: &str,
    nonce: &str,
    digest: &Digest,
) -> Result<[u8; 32], IncidentError> {
    let nonce = sign_offs::from_hex(nonce)
        .ok_or_else(|| Trouble::Damaged("an incident without its nonce".to_owned()))?;
    Ok(challenge_for(domain, &nonce, &digest.0))
}
