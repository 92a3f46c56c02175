//! Staff look customers up: masked, counted, and recorded.

use std::collections::BTreeMap;

use countersign_cases::{CustomerId, Timestamp};
use countersign_language::Procedure;
use countersign_store::Batch;
use serde::Serialize;

use crate::{
    customers::{ContactView, CustomerError, FIELD_CHARS_MAX, FactorView, normal},
    decisions::Loaded,
    gate::Gate,
    mask::{mask_address, mask_word},
    records::{self, Contact, Customer, Desk, FactorKind, Held, space},
    sessions::SignedInStaff,
    shell::{Entry, Tries},
    trouble::Trouble,
};

/// A customer as staff see them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CustomerView {
    /// The company's own id.
    pub id: CustomerId,
    /// Name.
    pub name: String,
    /// Number.
    pub number: String,
    /// Customer since.
    pub since: Timestamp,
    /// True while nothing is proved in the case it is seen for: contacts are masked, attributes absent.
    pub masked: bool,
    /// Attributes; empty while masked.
    pub attributes: BTreeMap<String, String>,
    /// Contacts; masked, and only live ones, while masked.
    pub contacts: Vec<ContactView>,
    /// Kinds and dates of registered ways to prove.
    pub factors: Vec<FactorView>,
    /// Ways closed after too many wrong answers, with when they open again.
    pub locked: Vec<(String, Timestamp)>,
    /// Cases not finished.
    pub open_cases: Vec<countersign_cases::CaseId>,
    /// The newest refusal or stop of any request, if it is still closed.
    pub refused: Option<RefusedNote>,
}

/// A recent refusal that the next person must see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RefusedNote {
    /// In which case.
    pub case: countersign_cases::CaseId,
    /// When.
    pub at: Timestamp,
    /// True for a stop.
    pub stopped: bool,
    /// Until when the same request stays closed.
    pub closed_until: Timestamp,
}

impl Gate {
    /// Finds customers by number, live email address, domain (all exact) or the beginning of a word of the name. Counted and recorded.
    pub async fn find_customers(
        &self,
        by: &SignedInStaff,
        query: &str,
    ) -> Result<Vec<CustomerView>, CustomerError> {
        let term = normal(query);
        if term.chars().count() < 3 || term.chars().count() > FIELD_CHARS_MAX {
            return Err(CustomerError::field("q", "has at least three characters"));
        }
        let mut ids: Vec<String> = Vec::new();
        for (kind, exact) in [
            ("number", true),
            ("email", true),
            ("domain", true),
            ("name", false),
        ] {
            let prefix = if exact {
                format!("{kind}/{}/", records::part(&term))
            } else {
                format!("{kind}/{}", records::part(&term))
            };
            for id in self
                .list::<String>(space::FIND, records::beginning_with(&prefix, false), 20)
                .await?
            {
                let concerned = by.record().concerned.iter().any(|tied| tied.0 == id);
                if !concerned && !ids.contains(&id) && ids.len() < 20 {
                    ids.push(id);
                }
            }
        }
        self.count_look_up(by, "search", &ids).await?;
        let mut found = Vec::with_capacity(ids.len());
        for id in ids {
            if let Some(view) = self.masked_view(&CustomerId(id)).await? {
                found.push(view);
            }
        }
        Ok(found)
    }

    /// One customer, masked. Counted and recorded.
    pub async fn look_up_customer(
        &self,
        by: &SignedInStaff,
        id: &CustomerId,
    ) -> Result<CustomerView, CustomerError> {
        if by.record().concerned.contains(id) {
            return Err(CustomerError::NotAllowed("somebody who is not concerned"));
        }
        let view = self.masked_view(id).await?;
        self.count_look_up(by, "customer", std::slice::from_ref(&id.0))
            .await?;
        view.ok_or(CustomerError::Unknown)
    }

    async fn masked_view(&self, id: &CustomerId) -> Result<Option<CustomerView>, CustomerError> {
        let Some(Held {
            value: customer, ..
        }) = self.load_customer(id).await?
        else {
            return Ok(None);
        };
        Ok(Some(self.customer_view(&customer, true).await?))
    }

    pub(crate) async fn customer_view(
        &self,
        customer: &Customer,
        masked: bool,
    ) -> Result<CustomerView, Trouble> {
        let procedure = self.procedure();
        let now = self.now();
        let desk = self
            .load::<Desk>(space::DESK, &records::part(&customer.id.0))
            .await?
            .map(|held| held.value)
            .unwrap_or_default();
        let locked = self.locked_proofs(&procedure, &customer.id, now).await?;
        Ok(CustomerView {
            id: customer.id.clone(),
            name: customer.name.clone(),
            number: customer.number.clone(),
            since: customer.since,
            masked,
            attributes: if masked {
                BTreeMap::new()
            } else {
                customer.attributes.clone()
            },
            contacts: customer
                .contacts
                .iter()
                .filter(|contact| !masked || contact.removed_at.is_none())
                .map(|contact| contact_view(&procedure, contact, masked))
                .collect(),
            factors: factor_views(&procedure, customer),
            locked: locked
                .iter()
                .filter_map(|lock| {
                    Some((
                        procedure.proofs.get(lock.proof.index())?.label.clone(),
                        lock.until,
                    ))
                })
                .collect(),
            open_cases: desk.open.into_values().collect(),
            refused: desk
                .closed
                .first()
                .filter(|closed| now < closed.closed_until)
                .map(|closed| RefusedNote {
                    case: closed.case.clone(),
                    at: closed.at,
                    stopped: closed.stopped,
                    closed_until: closed.closed_until,
                }),
        })
    }

    /// Records, once for each account and case, that somebody saw a customer unmasked.
    pub(crate) async fn note_look_at(
        &self,
        by: &SignedInStaff,
        loaded: &Loaded,
    ) -> Result<(), Trouble> {
        let key = format!(
            "{}/case/{}",
            records::part(by.account()),
            records::part(&loaded.row.case.0)
        );
        let mut tries = Tries::default();
        loop {
            if self
                .load::<Timestamp>(space::LOOKUPS, &key)
                .await?
                .is_some()
            {
                return Ok(());
            }
            let mut batch = Batch::default();
            batch.records.push(records::put(
                space::LOOKUPS,
                key.clone(),
                &loaded.now,
                Some(0),
            )?);
            let data = serde_json::json!({ "account": by.account(), "what": "case", "case": loaded.row.case });
            let mut entry = Entry::new(
                "staff.looked_at_case",
                loaded.now,
                Some(&loaded.customer.pseudonym),
                &data,
            )?;
            entry.case = Some(loaded.row.pseudonym.clone());
            self.log(&mut batch, &records::account_stream(by.account()), entry)
                .await?;
            if self.committed(batch, &mut tries).await? {
                return Ok(());
            }
        }
    }

    /// Counts a look-up and records it; fails once the hour's number is used up.
    async fn count_look_up(
        &self,
        by: &SignedInStaff,
        what: &'static str,
        customers: &[String],
    ) -> Result<(), CustomerError> {
        let mut tries = Tries::default();
        loop {
            let now = self.now();
            let hour = now.0 / 3_600_000;
            let key = format!("{}/{hour}", records::part(by.account()));
            let held = self.load::<u32>(space::LOOKUPS, &key).await?;
            let (count, revision) = held.map_or((0, 0), |held| (held.value, held.revision));
            if count >= self.settings().limits.lookups_per_hour {
                return Err(CustomerError::TooManyLookUps);
            }
            let mut batch = Batch::default();
            batch.records.push(records::put_until(
                space::LOOKUPS,
                key,
                &(count + 1),
                Some(revision),
                now.plus_seconds(2 * 3_600),
            )?);
            let entry = Entry::new(
                "staff.looked_up",
                now,
                None,
                &serde_json::json!({ "account": by.account(), "what": what, "customers": customers }),
            )?;
            self.log(&mut batch, &records::account_stream(by.account()), entry)
                .await?;
            if self.committed(batch, &mut tries).await? {
                return Ok(());
            }
        }
    }
}

pub(crate) fn contact_view(procedure: &Procedure, contact: &Contact, masked: bool) -> ContactView {
    ContactView {
        id: contact.id.clone(),
        channel: contact.channel.clone(),
        channel_label: holding_label(procedure, &contact.channel),
        address: if masked {
            mask_address(&contact.address)
        } else {
            contact.address.clone()
        },
        first_seen: contact.first_seen,
        changed_at: contact.changed_at,
        removed_at: contact.removed_at,
    }
}

pub(crate) fn factor_views(procedure: &Procedure, customer: &Customer) -> Vec<FactorView> {
    customer
        .factors
        .iter()
        .map(|(holding, factor)| FactorView {
            holding: holding.clone(),
            label: holding_label(procedure, holding),
            kind: match &factor.kind {
                FactorKind::Pin(_) => "pin",
                FactorKind::Totp { .. } => "totp",
                FactorKind::Passkeys { .. } => "passkey",
                FactorKind::Elsewhere => "elsewhere",
                FactorKind::Account(_) => "account",
            },
            changed_at: factor.changed_at,
            count: if let FactorKind::Passkeys { keys, .. } = &factor.kind {
                keys.len()
            } else {
                1
            },
        })
        .collect()
}

pub(crate) fn holding_label(procedure: &Procedure, name: &str) -> String {
    let holding = procedure
        .holding_named(name)
        .and_then(|id| procedure.holdings.get(id.index()));
    holding.map_or_else(|| mask_word(name), |holding| holding.label.clone())
}
