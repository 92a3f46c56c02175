//! *Who else?* Customers touched by the same path, agent, connector or time window, with counts and reasons.

use std::collections::{BTreeMap, BTreeSet};

use countersign_cases::{CaseId, CustomerId, Event, EventKind, Timestamp};
use countersign_store::KeyRange;
use serde::Serialize;

use super::{Incident, IncidentError, Mark, Scope};
use crate::{
    alarms::Alarm,
    audit::index,
    gate::Gate,
    records::{self, Account, CaseRow, Customer, space},
    sessions::SignedInStaff,
    shell::Envelope,
    trouble::Trouble,
};

/// Most cases of a time window that are looked at.
const CASES_MAX: usize = 2_000;

/// Most of them whose events are read.
const READ_MAX: usize = 500;

/// How far back an incident looks that does not say when it began.
const BACK_SECONDS: i64 = 30 * 86_400;

/// Why a customer may have been touched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// An alarm of the incident names them.
    Alarm,
    /// A case of the incident is theirs.
    Case,
    /// They are who the incident is about.
    Customer,
    /// The same action, by the same path.
    Path,
    /// The same agent opened, vouched for or signed a case of theirs, or looked them up.
    Agent,
    /// The same connector ran something for them.
    Connector,
    /// A case of theirs was open at the time.
    Window,
}

/// A customer the incident may have touched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TouchedCustomer {
    /// The company's own id; `None` once they are erased.
    pub customer: Option<CustomerId>,
    /// Their name.
    pub name: String,
    /// Why, and how often.
    pub reasons: Vec<(Reason, u64)>,
    /// Their cases that belong to it.
    pub cases: Vec<CaseId>,
    /// What somebody said of them.
    pub mark: Option<Mark>,
    /// Whether a letter is on its way to them.
    pub lettered: bool,
    #[serde(skip)]
    pub(crate) pseudonym: String,
}

/// Everybody an incident may have touched.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Touched {
    /// Those with the closest reasons first.
    pub customers: Vec<TouchedCustomer>,
    /// How many there are for each reason.
    pub counts: BTreeMap<Reason, u64>,
    /// Customers the reader is tied to, and who are therefore not shown.
    pub hidden: u64,
    /// There are more cases in the time window than were looked at: narrow it down.
    pub more: bool,
}

/// A case of the incident with its events.
#[derive(Debug, Clone)]
pub(crate) struct TouchedCase {
    pub(crate) row: CaseRow,
    pub(crate) events: Vec<Event>,
    pub(crate) reasons: BTreeSet<Reason>,
}

/// What was looked up for an incident.
#[derive(Debug, Default)]
pub(crate) struct Around {
    pub(crate) cases: Vec<TouchedCase>,
    pub(crate) alarms: Vec<Alarm>,
    /// Customers the agent looked up, and how often.
    looked_up: BTreeMap<CustomerId, u64>,
    /// Customers who were marked affected and are not erased.
    pub(crate) affected: BTreeSet<CustomerId>,
    pub(crate) more: bool,
}

impl Gate {
    /// Everything round an incident: its cases and alarms, and those that share a path, an agent, a connector or the time.
    pub(crate) async fn around(&self, incident: &Incident) -> Result<Around, Trouble> {
        let scope = &incident.scope;
        let (from, to) = self.window(incident);
        let (rows, more) = self.rows_between(scope, from, to).await?;
        let agent = match &scope.agent {
            Some(agent) => self
                .load::<Account>(space::ACCOUNT, &records::part(agent))
                .await?
                .map(|held| held.value),
            None => None,
        };
        let mut around = Around {
            more,
            ..Around::default()
        };
        let customer = match &scope.customer {
            Some(pseudonym) => self.customer_named(pseudonym).await?,
            None => None,
        };
        for (read, row) in rows.into_iter().enumerate() {
            let mut reasons = BTreeSet::new();
            if scope.cases.contains(&row.case) {
                reasons.insert(Reason::Case);
            }
            if customer.as_ref().is_some_and(|one| one.id == row.customer) {
                reasons.insert(Reason::Customer);
            }
            if read >= READ_MAX {
                around.more = true;
                break;
            }
            let events = self.events_of(&row).await?;
            self.add_reasons(scope, agent.as_ref(), &row, &events, &mut reasons)
                .await;
            if scope.from.is_some() && (scope.to.is_some() || incident.closed.is_some()) {
                reasons.insert(Reason::Window);
            }
            if !reasons.is_empty() {
                around.cases.push(TouchedCase {
                    row,
                    events,
                    reasons,
                });
            }
        }
        around.alarms = self.all_alarms().await?;
        around.alarms.retain(|alarm| {
            scope.alarms.contains(&alarm.id)
                || (scope.connector.is_some()
                    && alarm.connector == scope.connector
                    && (from..=to).contains(&alarm.at))
        });
        for (pseudonym, mark) in &incident.marks {
            if mark.standing == super::Standing::Affected
                && let Some(customer) = self.customer_named(pseudonym).await?
            {
                around.affected.insert(customer.id);
            }
        }
        if let Some(agent) = &agent {
            around.looked_up = self.looked_up(&agent.account, from, to).await?;
        }
        Ok(around)
    }

    /// The time an incident is about.
    pub(crate) fn window(&self, incident: &Incident) -> (Timestamp, Timestamp) {
        let scope = &incident.scope;
        let began = Timestamp(incident.opened_at.0 - BACK_SECONDS * 1_000);
        let ended = incident.closed.as_ref().map(|closed| closed.at);
        (
            scope.from.unwrap_or(began),
            scope.to.or(ended).unwrap_or_else(|| self.now()),
        )
    }

    /// Cases that were open at some time in between, and those that are named.
    async fn rows_between(
        &self,
        scope: &Scope,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<(Vec<CaseRow>, bool), Trouble> {
        let finished = KeyRange {
            from: records::sortable(from),
            to: records::sortable(Timestamp(i64::MAX)),
            reverse: false,
        };
        let open = records::beginning_with("", false);
        let finished = self
            .list::<CaseRow>(space::FINISHED, finished, CASES_MAX)
            .await?;
        let open = self.list::<CaseId>(space::OPEN, open, CASES_MAX).await?;
        let more = finished.len() == CASES_MAX || open.len() == CASES_MAX;
        let mut rows: BTreeMap<CaseId, CaseRow> = BTreeMap::new();
        for found in [finished, self.rows(&open).await?] {
            let within = found
                .into_iter()
                .filter(|row| row.opened_at <= to && row.updated_at >= from);
            rows.extend(within.map(|row| (row.case.clone(), row)));
        }
        for case in &scope.cases {
            if !rows.contains_key(case)
                && let Some(held) = self
                    .load::<CaseRow>(space::CASE, &records::part(&case.0))
                    .await?
            {
                rows.insert(case.clone(), held.value);
            }
        }
        let mut rows: Vec<CaseRow> = rows.into_values().collect();
        // Named ones first, so that the bound on what is read never leaves them out.
        rows.sort_by_key(|row| (!scope.cases.contains(&row.case), row.opened_at));
        Ok((rows, more))
    }

    async fn add_reasons(
        &self,
        scope: &Scope,
        agent: Option<&Account>,
        row: &CaseRow,
        events: &[Event],
        reasons: &mut BTreeSet<Reason>,
    ) {
        if let Some(agent) = agent
            && events.iter().any(|event| {
                matches!(index::doer_of_case(event), crate::audit::words::Doer::Person { id, .. } if id == agent.person.0)
            })
        {
            reasons.insert(Reason::Agent);
        }
        // A version that cannot be read any more names no connector and no path.
        let Ok(procedure) = self.procedure_of(&row.procedure).await else {
            return;
        };
        let action = procedure
            .actions
            .iter()
            .find(|action| action.name == row.action);
        let handed_over = events
            .iter()
            .any(|event| matches!(event.kind, EventKind::HandedOver));
        if handed_over
            && scope.connector.is_some()
            && action.is_some_and(|action| action.runs == scope.connector)
        {
            reasons.insert(Reason::Connector);
        }
        if scope.action.as_ref() == Some(&row.action) {
            let taken = events.iter().rev().find_map(|event| match &event.kind {
                EventKind::Granted { path, .. }
                | EventKind::Ready { path, .. }
                | EventKind::NoticesDue { path, .. } => action?.paths.get(path.index()),
                _ => None,
            });
            let same = match (&scope.path, taken) {
                (None, _) => true,
                (Some(path), taken) => taken.is_some_and(|taken| taken.name == *path),
            };
            if same {
                reasons.insert(Reason::Path);
            }
        }
    }

    /// Customers somebody looked up in a time, and how often.
    async fn looked_up(
        &self,
        account: &str,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<BTreeMap<CustomerId, u64>, Trouble> {
        let stream = records::account_stream(account);
        let mut found: BTreeMap<CustomerId, u64> = BTreeMap::new();
        for event in self.journal().read(&stream, 0).await? {
            if event.kind != "staff.looked_up" || !(from.0..=to.0).contains(&event.at_ms) {
                continue;
            }
            let data = Envelope::open(&event)?.data;
            let customers = data.get("customers").and_then(|list| list.as_array());
            for customer in customers.into_iter().flatten() {
                if let Some(id) = customer.as_str() {
                    *found.entry(CustomerId(id.to_owned())).or_default() += 1;
                }
            }
        }
        Ok(found)
    }

    /// Who else may have been touched.
    ///
    /// # Errors
    /// [`Trouble`] of the store.
    pub(crate) async fn touched(
        &self,
        by: &SignedInStaff,
        incident: &Incident,
        around: &Around,
    ) -> Result<Touched, IncidentError> {
        let mut found: BTreeMap<CustomerId, (BTreeMap<Reason, u64>, Vec<CaseId>)> = BTreeMap::new();
        for case in &around.cases {
            let (reasons, cases) = found.entry(case.row.customer.clone()).or_default();
            for reason in &case.reasons {
                *reasons.entry(*reason).or_default() += 1;
            }
            cases.push(case.row.case.clone());
        }
        for customer in around
            .alarms
            .iter()
            .filter_map(|alarm| alarm.customer.clone())
        {
            *found
                .entry(customer)
                .or_default()
                .0
                .entry(Reason::Alarm)
                .or_default() += 1;
        }
        for (customer, count) in &around.looked_up {
            *found
                .entry(customer.clone())
                .or_default()
                .0
                .entry(Reason::Agent)
                .or_default() += count;
        }
        let mut touched = Touched {
            more: around.more,
            ..Touched::default()
        };
        let mut seen: BTreeSet<String> = BTreeSet::new();
        let mut rows = Vec::new();
        for (id, (reasons, cases)) in found {
            let Some(customer) = self.load_customer(&id).await?.map(|held| held.value) else {
                continue;
            };
            seen.insert(customer.pseudonym.clone());
            rows.push((customer.pseudonym.clone(), Some(customer), reasons, cases));
        }
        // People named by hand, for whom nothing here speaks.
        for pseudonym in incident.marks.keys().filter(|known| !seen.contains(*known)) {
            let customer: Option<Customer> = self.customer_named(pseudonym).await?;
            rows.push((pseudonym.clone(), customer, BTreeMap::new(), Vec::new()));
        }
        let concerned = &by.record().concerned;
        for (pseudonym, customer, reasons, cases) in rows {
            for reason in reasons.keys() {
                *touched.counts.entry(*reason).or_default() += 1;
            }
            if customer
                .as_ref()
                .is_some_and(|customer| concerned.contains(&customer.id))
            {
                touched.hidden += 1;
                continue;
            }
            touched.customers.push(TouchedCustomer {
                name: customer
                    .as_ref()
                    .map_or_else(|| "Erased".to_owned(), |customer| customer.name.clone()),
                customer: customer.map(|customer| customer.id),
                reasons: reasons.into_iter().collect(),
                cases,
                mark: incident.marks.get(&pseudonym).cloned(),
                lettered: incident.lettered.contains(&pseudonym),
                pseudonym,
            });
        }
        touched.customers.sort_by_key(|row| {
            let closest = row.reasons.iter().map(|(reason, _)| *reason).min();
            (closest.is_none(), closest, row.name.clone())
        });
        Ok(touched)
    }
}
