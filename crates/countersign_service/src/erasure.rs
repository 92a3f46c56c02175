//! Forgetting a person.
//!
//! The ledger holds pseudonyms and salted commitments; what they mean stands
//! in the customer's streams and records alone. Both are deleted, salts
//! included, in one commit that says so in the ledger. Receipts that the
//! customer keeps go on verifying, and so does the ledger.
//!
//! What stays: in the logs of staff accounts the company's own customer
//! number and the case's spoken number, of whom they looked up or are tied
//! to; answers
//! remembered for repeated requests, sealed, for a day; and one keyed hash of
//! the customer number for a year, so that a customer put again under it
//! cannot pass for one whose addresses were never changed.

use std::collections::BTreeSet;

use aws_lc_rs::hmac;
use countersign_cases::{CaseId, CustomerId, Event, EventKind, Timestamp};
use countersign_store::{Batch, Erasure, KeyRange, StreamKey};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    customers::{CustomerError, allow, terms},
    gate::Gate,
    records::{
        self, AskedChecker, CaseRow, Customer, Desk, GrantRecord, Held, Link, Owner, Seat, Stop,
        space,
    },
    sessions::MachineCaller,
    settings::Scope,
    shell::{Entry, Tries},
    trouble::Trouble,
};

/// How long an erased customer number is remembered, as a keyed hash.
const REMEMBERED_SECONDS: u64 = 366 * 86_400;

/// How many records are looked through at once.
const PAGE: usize = 1_000;

/// Most cases of one customer that are erased at once.
const CASES_MAX: usize = 50_000;

/// What is kept of an erased customer.
#[derive(Debug, Serialize, Deserialize)]
struct Tombstone {
    at: Timestamp,
}

impl Gate {
    /// Erases a customer: everything known of them and all their cases, salts included. The ledger stays as it is.
    ///
    /// Refused while a case is open, and while a request of theirs that was refused or stopped is still closed: forgetting it would open it again.
    pub async fn erase_customer(
        &self,
        by: &MachineCaller,
        id: &CustomerId,
    ) -> Result<(), CustomerError> {
        allow(by, Scope::Erase, "erase")?;
        let mut tries = Tries::default();
        loop {
            let now = self.now();
            let customer = self
                .load_customer(id)
                .await?
                .ok_or(CustomerError::Unknown)?;
            let (desk, desk_revision) = self.desk_of(id).await?;
            may_be_erased(&desk, now)?;
            // What is erased cannot be counted afterwards. Every later event of this customer changes the desk that was just read.
            self.keep_up().await?;
            let mut batch = Batch::default();
            let cases = self.erase_cases(&mut batch, id).await?;
            self.erase_person(&mut batch, &customer, desk_revision)
                .await?;
            batch.records.push(records::put_until(
                space::ERASED,
                self.tombstone_key(id),
                &Tombstone { at: now },
                None,
                now.plus_seconds(REMEMBERED_SECONDS),
            )?);
            let entry = Entry::new(
                "customer.erased",
                now,
                Some(&customer.value.pseudonym),
                &serde_json::json!({ "by": by.name(), "cases": cases }),
            )?;
            self.log(&mut batch, &records::gate_stream(), entry).await?;
            if self.committed(batch, &mut tries).await? {
                self.folded().clear();
                tracing::info!(by = by.name(), cases, "a customer was erased");
                return Ok(());
            }
        }
    }

    /// Whether a customer of this number was erased in the last year.
    pub(crate) async fn was_erased(&self, id: &CustomerId) -> Result<bool, Trouble> {
        Ok(self
            .load::<Tombstone>(space::ERASED, &self.tombstone_key(id))
            .await?
            .is_some())
    }

    /// Keyed, so that a database without its keys does not tell who was a customer.
    fn tombstone_key(&self, id: &CustomerId) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.settings().keys.seal);
        let said = format!("countersign/erased/v1\0{}", id.0);
        let tag = hmac::sign(&key, said.as_bytes());
        let mut bytes = [0; 32];
        bytes.copy_from_slice(tag.as_ref());
        countersign_cases::Digest(bytes).to_string()
    }

    async fn erase_cases(&self, batch: &mut Batch, id: &CustomerId) -> Result<usize, Trouble> {
        let prefix = format!("{}/", records::part(&id.0));
        let range = records::beginning_with(&prefix, false);
        let listed = self
            .journal()
            .scan(space::CASES_OF, range, CASES_MAX)
            .await?;
        for entry in &listed {
            batch
                .records
                .push(records::remove(space::CASES_OF, entry.key.clone(), None));
            let case: CaseId = records::read_json(&entry.value)?;
            self.erase_case(batch, &case).await?;
        }
        Ok(listed.len())
    }

    async fn erase_case(&self, batch: &mut Batch, case: &CaseId) -> Result<(), Trouble> {
        let key = records::part(&case.0);
        let Some(held) = self.load::<CaseRow>(space::CASE, &key).await? else {
            return Ok(());
        };
        let row = held.value;
        let events = self.events_of(&row).await?;
        let listed = records::in_time(row.opened_at, case);
        let mut gone: BTreeSet<(&'static str, String)> = [
            (space::OPEN, listed.clone()),
            (space::WANTED, listed),
            (space::ENROLMENT, key.clone()),
            (space::FINISHED, records::in_time(row.updated_at, case)),
        ]
        .into();
        for event in &events {
            gone.insert((space::FINISHED, records::in_time(event.at, case)));
            gone.extend(named_by(event, case));
        }
        let codes = records::beginning_with(&format!("{key}/"), false);
        for space in [space::CODE, space::PUSH, space::QUESTION] {
            for found in self.journal().scan(space, codes.clone(), PAGE).await? {
                gone.insert((space, found.key));
            }
        }
        // Earlier questions of the case go within a day of their end by themselves, and name nobody.
        for asked in self
            .list::<AskedChecker>(space::QUESTION, codes, PAGE)
            .await?
        {
            gone.insert((space::QUESTION_AT, asked.id));
        }
        batch.records.extend(
            gone.into_iter()
                .map(|(space, key)| records::remove(space, key, None)),
        );
        batch
            .records
            .push(records::remove(space::CASE, key, Some(held.revision)));
        erase_stream(
            batch,
            records::case_stream(&row.customer, &row.case),
            events.len() as u64,
        );
        Ok(())
    }

    async fn erase_person(
        &self,
        batch: &mut Batch,
        held: &Held<Customer>,
        desk_revision: u64,
    ) -> Result<(), Trouble> {
        let id = &held.value.id;
        let key = records::part(&id.0);
        batch.records.extend([
            records::remove(space::CUSTOMER, key.clone(), Some(held.revision)),
            // Every decision about this customer writes this record, so none is under way.
            records::remove(space::DESK, key.clone(), Some(desk_revision)),
            records::remove(space::ATTEMPTS, key.clone(), None),
            records::remove(space::BACKUPS, key, None),
        ]);
        let found_by = terms(&held.value).into_iter();
        batch
            .records
            .extend(found_by.map(|term| records::remove(space::FIND, term, None)));
        batch.records.push(records::remove(
            space::PSEUDONYM,
            held.value.pseudonym.clone(),
            None,
        ));
        batch.records.extend(self.alarms_without(id).await?);
        batch.records.extend(self.backend_events_without(id).await?);
        let mut theirs = Vec::new();
        for (space, keys) in [
            (space::LINK, self.keys_of(space::LINK, |link: &Link| link.customer == *id).await?),
            (space::SEAT, self.keys_of(space::SEAT, |seat: &Seat| seat.customer == *id).await?),
            (space::STOP, self.keys_of(space::STOP, |stop: &Stop| stop.customer == *id).await?),
            (
                space::GRANT,
                self.keys_of(space::GRANT, |grant: &GrantRecord| grant.customer == *id).await?,
            ),
            (
                space::CREDENTIAL,
                self.keys_of(space::CREDENTIAL, |owner: &Owner| {
                    matches!(owner, Owner::Customer { customer, .. } if customer == id)
                })
                .await?,
            ),
        ] {
            theirs.extend(keys.into_iter().map(|key| records::remove(space, key, None)));
        }
        batch.records.extend(theirs);
        let stream = records::customer_stream(id);
        if let Some(head) = self.load::<u64>(space::HEAD, &stream.0).await? {
            batch.records.push(records::remove(
                space::HEAD,
                stream.0.clone(),
                Some(head.revision),
            ));
            erase_stream(batch, stream, head.value);
        }
        Ok(())
    }

    /// Keys of what belongs to somebody, in a space that is kept by hash: read through once. Erasing is rare.
    async fn keys_of<T: DeserializeOwned>(
        &self,
        space: &'static str,
        belongs: impl Fn(&T) -> bool,
    ) -> Result<Vec<String>, Trouble> {
        let mut keys = Vec::new();
        let mut range = records::beginning_with("", false);
        loop {
            let page = self.journal().scan(space, range.clone(), PAGE).await?;
            for record in &page {
                if belongs(&records::read_json(&record.value)?) {
                    keys.push(record.key.clone());
                }
            }
            match page.last() {
                Some(last) if page.len() == PAGE => {
                    // The least key after this one: keys hold nothing below a space.
                    range = KeyRange {
                        from: format!("{} ", last.key),
                        ..range
                    };
                }
                _ => return Ok(keys),
            }
        }
    }
}

fn may_be_erased(desk: &Desk, now: Timestamp) -> Result<(), CustomerError> {
    if !desk.open.is_empty() {
        return Err(CustomerError::OpenCases);
    }
    let closed = desk.closed.iter().map(|request| request.closed_until);
    match closed.filter(|until| now < *until).max() {
        Some(until) => Err(CustomerError::StillClosed { until }),
        None => Ok(()),
    }
}

fn erase_stream(batch: &mut Batch, stream: StreamKey, expected: u64) {
    if expected > 0 {
        batch.erased.push(Erasure { stream, expected });
    }
}

/// Entries of other lists that an event made.
fn named_by(event: &Event, case: &CaseId) -> Option<(&'static str, String)> {
    match &event.kind {
        EventKind::SignedOff { by, .. } | EventKind::Refused { by, .. } => Some((
            space::DECIDED_BY,
            format!(
                "{}/{}",
                records::part(&by.person.0),
                records::in_time(event.at, case)
            ),
        )),
        _ => None,
    }
}
