//! What is known about a customer at the moment of a decision, gathered from the gate's documents.

use std::collections::BTreeMap;

use countersign_cases::{
    ContactFact, CustomerId, EarlierRefusal, Facts, HoldingFact, LockFact, NOTICE_REACH_SECONDS,
    PersonId, Timestamp, TriesFact,
    attempts::{Limits as TryLimits, Tally},
};
use countersign_language::{HoldingKind, Method, Procedure, ProofId};
use sha2::{Digest as _, Sha256};

use crate::{
    gate::Gate,
    records::{self, Customer, Desk, FactorKind, Run, space},
    trouble::Trouble,
};

/// Wrong answers of one customer, by name of the proof: the count outlives versions of the procedure.
pub(crate) type Tallies = BTreeMap<String, Tally>;

/// Which facts are wanted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'a> {
    pub(crate) procedure: &'a Procedure,
    pub(crate) action: &'a str,
    pub(crate) parameters: &'a BTreeMap<String, String>,
    pub(crate) opener: Option<&'a PersonId>,
    pub(crate) case: Option<&'a countersign_cases::CaseId>,
}

impl Gate {
    pub(crate) async fn facts(
        &self,
        wanted: Wanted<'_>,
        customer: &Customer,
        desk: &Desk,
        now: Timestamp,
    ) -> Result<(Facts, OpenerRuns), Trouble> {
        let tallies = self
            .tallies(&customer.id)
            .await?
            .map(|held| held.value)
            .unwrap_or_default();
        let request = request_hash(wanted.action, wanted.parameters);
        let opener_runs = match wanted.opener {
            Some(person) => self.runs_by(person).await?,
            None => OpenerRuns::default(),
        };
        let of_action = |runs: &[Run]| {
            runs.iter()
                .filter(|run| run.action == wanted.action)
                .map(|run| run.at)
                .collect()
        };
        let facts = Facts {
            holdings: holdings(wanted.procedure, customer),
            contacts: contacts(wanted.procedure, customer, now),
            attributes: customer.attributes.clone(),
            backups: self.backups_of(&customer.id).await?,
            locked: locked(wanted.procedure, &tallies, now),
            tries: tries(wanted.procedure, &tallies, now),
            earlier: desk
                .closed
                .iter()
                .filter(|closed| closed.request == request)
                .map(|closed| EarlierRefusal {
                    case: closed.case.clone(),
                    at: closed.at,
                    stopped: closed.stopped,
                    closed_until: closed.closed_until,
                })
                .collect(),
            open_case: desk
                .open
                .get(wanted.action)
                .filter(|open| Some(*open) != wanted.case)
                .cloned(),
            runs_for_customer: of_action(&desk.runs),
            runs_by_opener: of_action(&opener_runs.runs),
        };
        Ok((facts, opener_runs))
    }

    pub(crate) async fn tallies(
        &self,
        customer: &CustomerId,
    ) -> Result<Option<records::Held<Tallies>>, Trouble> {
        self.load(space::ATTEMPTS, &records::part(&customer.0))
            .await
    }

    pub(crate) async fn locked_proofs(
        &self,
        procedure: &Procedure,
        customer: &CustomerId,
        now: Timestamp,
    ) -> Result<Vec<LockFact>, Trouble> {
        let tallies = self
            .tallies(customer)
            .await?
            .map(|held| held.value)
            .unwrap_or_default();
        Ok(locked(procedure, &tallies, now))
    }

    async fn runs_by(&self, person: &PersonId) -> Result<OpenerRuns, Trouble> {
        let key = records::part(&person.0);
        let held = self.load::<Vec<Run>>(space::RUNS_BY, &key).await?;
        let (runs, revision) = held.map_or((Vec::new(), 0), |held| (held.value, held.revision));
        Ok(OpenerRuns {
            key: Some(key),
            runs,
            revision,
        })
    }
}

/// Grants in cases a person opened, and the revision they were read at: what counts them and what writes them must be one reading.
#[derive(Debug, Default)]
pub(crate) struct OpenerRuns {
    /// Of the record; `None` where the customer opened the case.
    pub(crate) key: Option<String>,
    pub(crate) runs: Vec<Run>,
    pub(crate) revision: u64,
}

/// Names a request whatever the case: what stays closed after a refusal. Action and parameters, RFC 8785, SHA-256.
pub(crate) fn request_hash(action: &str, parameters: &BTreeMap<String, String>) -> String {
    let request = serde_json::json!({ "action": action, "parameters": parameters });
    // Strings alone always have a canonical form; the ordinary one is as good for a name should that ever change.
    let bytes = serde_json_canonicalizer::to_vec(&request)
        .unwrap_or_else(|_| request.to_string().into_bytes());
    countersign_cases::Digest(Sha256::digest(bytes).into()).to_string()
}

fn holdings(procedure: &Procedure, customer: &Customer) -> Vec<HoldingFact> {
    procedure
        .holdings
        .iter()
        .filter_map(|holding| {
            let changed_at = if holding.using == Some(Method::Panel) {
                // Whoever the panel sends is in this state, and nobody else shows it; nothing of it is on file.
                None
            } else if holding.kind == HoldingKind::Channel {
                let live = customer.contacts.iter().filter(|contact| {
                    contact.removed_at.is_none() && contact.channel == holding.name
                });
                // The newest change counts: one poisoned address unsettles the channel. A removal is a change as well.
                let newest = live.map(|contact| contact.changed_at).max()?;
                let removed = customer
                    .contacts
                    .iter()
                    .filter(|contact| contact.channel == holding.name)
                    .filter_map(|contact| contact.removed_at)
                    .max();
                newest.max(removed)
            } else {
                let factor = customer.factors.get(&holding.name)?;
                if let FactorKind::Passkeys { keys, .. } = &factor.kind
                    && keys.is_empty()
                {
                    return None;
                }
                factor.changed_at
            };
            Some(HoldingFact {
                holding: procedure.holding_named(&holding.name)?,
                changed_at,
            })
        })
        .collect()
}

fn contacts(procedure: &Procedure, customer: &Customer, now: Timestamp) -> Vec<ContactFact> {
    customer
        .contacts
        .iter()
        .filter(|contact| {
            contact
                .removed_at
                .is_none_or(|removed| now.seconds_since(removed) <= NOTICE_REACH_SECONDS)
        })
        .filter_map(|contact| {
            Some(ContactFact {
                id: contact.id.clone(),
                channel: procedure.holding_named(&contact.channel)?,
                changed_at: contact.changed_at,
                removed_at: contact.removed_at,
            })
        })
        .collect()
}

fn named_proofs<'a>(
    procedure: &'a Procedure,
    tallies: &'a Tallies,
) -> impl Iterator<Item = (ProofId, &'a Tally)> {
    tallies
        .iter()
        .filter_map(|(name, tally)| Some((procedure.proof_named(name)?, tally)))
}

fn locked(procedure: &Procedure, tallies: &Tallies, now: Timestamp) -> Vec<LockFact> {
    named_proofs(procedure, tallies)
        .filter_map(|(proof, tally)| {
            Some(LockFact {
                proof,
                until: tally.locked_until(now)?,
            })
        })
        .collect()
}

fn tries(procedure: &Procedure, tallies: &Tallies, now: Timestamp) -> Vec<TriesFact> {
    let limits = TryLimits::default();
    named_proofs(procedure, tallies)
        .map(|(proof, tally)| TriesFact {
            proof,
            left: tally.left(now, &limits),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_has_one_name_whatever_the_case() {
        let one = BTreeMap::from([("server".to_owned(), "a".to_owned())]);
        let two = BTreeMap::from([("server".to_owned(), "b".to_owned())]);
        assert_eq!(request_hash("x", &one), request_hash("x", &one));
        assert_ne!(request_hash("x", &one), request_hash("x", &two));
        assert_ne!(request_hash("x", &one), request_hash("y", &one));
    }
}
