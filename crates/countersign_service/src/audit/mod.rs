//! The audit log: everything that happened, for those who look over others' shoulders.
//!
//! Read from the events; the indexes of [`index`] say where to look. Only the
//! console role `auditor` may read it, reading an entry of a customer whole is
//! itself an entry, and an auditor who is tied to a customer sees that
//! something happened to them and no more.

mod check;
mod entry;
mod export;
pub(crate) mod index;
mod reading;
pub(crate) mod words;

use countersign_cases::{CaseId, CustomerId, Timestamp};
use countersign_store::StoredEvent;
use serde::Serialize;
use serde_json::Value;

pub use check::{AuditCheck, AuditFinding};
pub use entry::{AuditEntry, SignatureView};
pub use export::AuditExport;
pub use index::AuditKind;

use crate::{
    cases::CaseError,
    gate::Gate,
    kept::day_of,
    records::{self, Account, CaseRow, space},
    sessions::SignedInStaff,
    settings::ConsoleRole,
    timeline::WhoView,
    trouble::Trouble,
};

/// Rows of one page.
pub const AUDIT_ROWS_MAX: usize = 100;

/// Most cases of one customer whose events are looked through.
const CASES_MAX: usize = 500;

/// Which entries are shown. All that is given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct AuditFilter {
    /// A staff account, a person, a machine, or `customer`, `contact`, `gate`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub who: Option<String>,
    /// What kind of thing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<AuditKind>,
    /// One case, by its spoken number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub case: Option<CaseId>,
    /// One customer, by the company's own id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer: Option<CustomerId>,
    /// First day, `2026-11-23`, UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Last day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

/// Which page of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuditPlace {
    /// The newest.
    Newest,
    /// Those before this entry.
    Before(u64),
    /// Those after it.
    After(u64),
}

/// A page, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AuditPage {
    /// At most [`AUDIT_ROWS_MAX`].
    pub rows: Vec<AuditRow>,
    /// There are older ones: those before this entry.
    pub older: Option<u64>,
    /// There are newer ones: those after this entry.
    pub newer: Option<u64>,
    /// How many entries there are under the filter, on all pages.
    pub count: u64,
    /// The count is an upper bound: days and people are counted apart.
    pub at_most: bool,
    /// Entries that filters do not find yet, because the indexes are being made.
    pub behind: u64,
}

/// One entry as a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AuditRow {
    /// Its number: the global position. Numbers of erased entries are missing.
    pub number: u64,
    /// When.
    pub at: Timestamp,
    /// `case.signed_off`
    pub kind: String,
    /// Who.
    pub who: WhoView,
    /// What, without anything a person typed.
    pub words: String,
    /// Which case.
    pub case: Option<CaseId>,
    /// The ledger's leaf that commits to it.
    pub leaf: Option<u64>,
    /// The reader is tied to this customer: nothing more is shown.
    pub closed: bool,
}

/// An event with what it says.
#[derive(Debug)]
pub(crate) struct Opened {
    event: StoredEvent,
    data: Value,
}

impl Gate {
    /// A page of the audit log.
    ///
    /// # Errors
    /// [`CaseError::NotAllowed`] without the console role `auditor`.
    pub async fn audit(
        &self,
        by: &SignedInStaff,
        filter: &AuditFilter,
        place: AuditPlace,
    ) -> Result<AuditPage, CaseError> {
        auditor(by)?;
        let source = self.audit_source(filter).await?;
        let (events, older, newer) = self.page_of(&source, filter, place).await?;
        let (count, at_most) = self.count_of(&source, filter).await?;
        let kept = self.kept_until().await?;
        Ok(AuditPage {
            rows: self.audit_rows(by, events).await?,
            older,
            newer,
            count,
            at_most,
            behind: if filter.case.is_some() || filter.customer.is_some() {
                0
            } else {
                self.position().saturating_sub(kept.position)
            },
        })
    }

    /// Events as lines, in the order given. Cases and accounts are looked up together.
    async fn audit_rows(
        &self,
        by: &SignedInStaff,
        events: Vec<StoredEvent>,
    ) -> Result<Vec<AuditRow>, Trouble> {
        let opened: Vec<Opened> = events
            .into_iter()
            .map(|event| Opened {
                data: index::data_of(&event).unwrap_or_default(),
                event,
            })
            .collect();
        let cases = self.cases_of_entries(&opened).await?;
        let names = self.names_of_entries(&opened).await?;
        let mut rows = Vec::with_capacity(opened.len());
        for entry in &opened {
            let case = case_of(entry);
            let known = case.as_ref().and_then(|id| cases.get(&id.0));
            let customer = customer_of(&entry.event).or_else(|| Some(known?.customer.clone()));
            let closed = customer.is_some_and(|id| by.record().concerned.contains(&id));
            let procedure = match known {
                Some(row) => self.procedure_of(&row.procedure).await.ok(),
                None => Some(self.procedure()),
            };
            let kind = entry.event.kind.as_str();
            let who = words::doer(kind, &entry.data).unwrap_or(words::Doer::Gate);
            rows.push(AuditRow {
                number: entry.event.position,
                at: Timestamp(entry.event.at_ms),
                kind: kind.to_owned(),
                who: who.view(|id| names.get(id).cloned()),
                words: if closed {
                    "Not shown: you are tied to this customer".to_owned()
                } else {
                    words::words(kind, &entry.data, procedure.as_deref())
                },
                case: case.filter(|_| !closed),
                leaf: entry.event.leaf,
                closed,
            });
        }
        Ok(rows)
    }

    async fn cases_of_entries(
        &self,
        entries: &[Opened],
    ) -> Result<std::collections::BTreeMap<String, CaseRow>, Trouble> {
        let mut keys: Vec<String> = entries
            .iter()
            .filter_map(case_of)
            .map(|case| records::part(&case.0))
            .collect();
        keys.sort_unstable();
        keys.dedup();
        let found = self.journal().get_many(space::CASE, &keys).await?;
        found
            .iter()
            .map(|record| {
                let row: CaseRow = records::read_json(&record.value)?;
                Ok((row.case.0.clone(), row))
            })
            .collect()
    }

    async fn names_of_entries(
        &self,
        entries: &[Opened],
    ) -> Result<std::collections::BTreeMap<String, String>, Trouble> {
        let mut keys: Vec<String> = entries
            .iter()
            .filter_map(|entry| match words::doer(&entry.event.kind, &entry.data)? {
                words::Doer::Named(name) => Some(records::part(&name)),
                _ => None,
            })
            .collect();
        keys.sort_unstable();
        keys.dedup();
        let found = self.journal().get_many(space::ACCOUNT, &keys).await?;
        found
            .iter()
            .map(|record| {
                let account: Account = records::read_json(&record.value)?;
                Ok((account.account, account.name))
            })
            .collect()
    }
}

/// Only auditors read the log.
pub(crate) fn auditor(by: &SignedInStaff) -> Result<(), CaseError> {
    if by.has(ConsoleRole::Auditor) {
        Ok(())
    } else {
        Err(CaseError::NotAllowed("auditor"))
    }
}

/// The case an entry is about, by its spoken number.
fn case_of(entry: &Opened) -> Option<CaseId> {
    let by_stream = entry.event.stream.0.split_once("/case.");
    if let Some((_, case)) = by_stream {
        return Some(CaseId(records::whole(case)));
    }
    let named = entry.data.get("case").and_then(Value::as_str);
    named.map(|case| CaseId(case.to_owned()))
}

/// The customer whose stream an entry stands in.
fn customer_of(event: &StoredEvent) -> Option<CustomerId> {
    let (customer, _) = event.stream.0.strip_prefix("c.")?.split_once('/')?;
    Some(CustomerId(records::whole(customer)))
}

/// Whether an event is what is looked for: also where an index led to it, for days are kept by their ends.
fn fits(filter: &AuditFilter, event: &StoredEvent) -> bool {
    let day = day_of(Timestamp(event.at_ms));
    filter.from.as_ref().is_none_or(|from| day >= *from)
        && filter.to.as_ref().is_none_or(|to| day <= *to)
        && filter
            .kind
            .is_none_or(|kind| AuditKind::of(&event.kind) == kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_names_its_customer_and_case() {
        let customer = CustomerId("c/10 42é".to_owned());
        let case = CaseId("CS-7F3K9Q".to_owned());
        let entry = Opened {
            event: StoredEvent {
                position: 1,
                stream: records::case_stream(&customer, &case),
                sequence: 1,
                kind: "case.opened".to_owned(),
                version: 1,
                at_ms: 0,
                data: String::new(),
                leaf: None,
            },
            data: Value::Null,
        };
        assert_eq!(customer_of(&entry.event), Some(customer));
        assert_eq!(case_of(&entry), Some(case));
    }
}
