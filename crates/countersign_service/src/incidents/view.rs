//! An incident as its pages and the API show it: with the timeline that fills itself, and what the reader can do.

use std::collections::BTreeSet;

use countersign_cases::{CaseId, Timestamp};
use serde::Serialize;

use super::{
    Facts, Finding, Incident, IncidentError, Phase, Standing, TaskState, Touched,
    publication::StatementCheck, touched::Around,
};
use crate::{
    gate::Gate,
    sessions::SignedInStaff,
    timeline::{self, WhoView},
    views::Ability,
};

/// Most lines of a timeline; what is beyond stands in the cases.
const LINES_MAX: usize = 1_000;

/// An incident on the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct IncidentSummary {
    /// `IN-7F3K9Q`
    pub id: String,
    /// What colleagues call it.
    pub title: String,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// Who opened it.
    pub opened_by: String,
    /// How it stands for the public; `None` where nothing is public.
    pub phase: Option<Phase>,
    /// Since when an update is overdue.
    pub overdue_since: Option<Timestamp>,
    /// Tasks that are not done.
    pub tasks_open: usize,
    /// Customers marked affected.
    pub affected: u64,
    /// Versions of the statement that are public.
    pub published: usize,
    /// A statement waits for the second person.
    pub submitted: bool,
    /// When it was closed.
    pub closed_at: Option<Timestamp>,
}

/// A line of the timeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TimelineLine {
    /// When.
    pub at: Timestamp,
    /// What.
    pub text: String,
    /// Who, where it is known.
    pub who: Option<WhoView>,
    /// Where this is known from.
    pub source: String,
    /// The case, where it is one's.
    pub case: Option<CaseId>,
    /// The alarm, where it is one.
    pub alarm: Option<String>,
    /// A person added it.
    pub by_hand: bool,
}

/// What the reader can do, and why not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Deed {
    /// Change it.
    pub edit: Ability,
    /// Sign the statement that waits.
    pub sign: Ability,
    /// Sign that it needs no promise.
    pub close_by_signature: Ability,
}

/// An incident with everything that belongs to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct IncidentView {
    /// What its events amount to.
    pub incident: Incident,
    /// Oldest first.
    pub timeline: Vec<TimelineLine>,
    /// The timeline goes on beyond what is shown.
    pub timeline_cut: bool,
    /// Who else?
    pub touched: Touched,
    /// The company's own id of the customer it is about.
    pub about: Option<String>,
    /// What may be told to anybody.
    pub facts: Facts,
    /// The draft with its fields filled in, and what was found in it.
    pub check: StatementCheck,
    /// Since when an update is overdue.
    pub overdue_since: Option<Timestamp>,
    /// What the reader can do.
    pub can: Deed,
}

impl IncidentView {
    /// Errors that keep the draft from being published.
    pub fn errors(&self) -> impl Iterator<Item = &Finding> {
        self.check.findings.iter().filter(|finding| finding.error)
    }
}

impl Gate {
    /// All incidents, open ones first, then the newest.
    ///
    /// # Errors
    /// [`IncidentError::NotAllowed`]
    pub async fn incidents(
        &self,
        by: &SignedInStaff,
    ) -> Result<Vec<IncidentSummary>, IncidentError> {
        self.may_read_incidents(by)?;
        let now = self.now();
        let mut all: Vec<IncidentSummary> = self
            .all_incidents()
            .await?
            .iter()
            .map(|incident| summary(incident, now))
            .collect();
        all.sort_by_key(|one| (one.closed_at.is_some(), std::cmp::Reverse(one.opened_at)));
        Ok(all)
    }

    /// One incident whole.
    ///
    /// # Errors
    /// [`IncidentError::NotAllowed`], [`IncidentError::Unknown`]
    pub async fn incident(
        &self,
        by: &SignedInStaff,
        id: &str,
    ) -> Result<IncidentView, IncidentError> {
        self.may_read_incidents(by)?;
        let incident = self.load_incident(id).await?.value;
        let around = self.around(&incident).await?;
        let mut timeline = self.timeline_of(by, &incident, &around).await?;
        let timeline_cut = timeline.len() > LINES_MAX;
        timeline.truncate(LINES_MAX);
        let facts = self.facts_of(&incident, &around);
        let check = Self::check_texts(&incident, &incident.draft.texts, &facts, &around);
        let about = match &incident.scope.customer {
            Some(pseudonym) => self
                .customer_named(pseudonym)
                .await?
                .map(|customer| customer.id)
                .filter(|id| !by.record().concerned.contains(id))
                .map(|id| id.0),
            None => None,
        };
        Ok(IncidentView {
            touched: self.touched(by, &incident, &around).await?,
            overdue_since: incident.overdue_since(self.now()),
            can: self.deeds(by, &incident),
            timeline,
            timeline_cut,
            about,
            facts,
            check,
            incident,
        })
    }

    fn deeds(&self, by: &SignedInStaff, incident: &Incident) -> Deed {
        let no = |error: &IncidentError| Ability {
            can: false,
            code: Some(error.code()),
            why: Some(error.to_string()),
            help: None,
        };
        let yes = || Ability {
            can: true,
            code: None,
            why: None,
            help: None,
        };
        let of =
            |result: Result<(), IncidentError>| result.map_or_else(|error| no(&error), |()| yes());
        let open = || match incident.closed {
            Some(_) => Err(IncidentError::Closed),
            None => Ok(()),
        };
        let edits = || self.may_edit_incidents(by).map(|_| ());
        Deed {
            edit: of(edits().and_then(|()| open())),
            sign: of(edits().and_then(|()| may_sign_statement(by, incident))),
            close_by_signature: of(edits()
                .and_then(|()| open())
                .and_then(|()| super::closing::may_sign_closing(by, incident))),
        }
    }

    /// The timeline: events of the cases, alarms, and what people added, oldest first.
    async fn timeline_of(
        &self,
        by: &SignedInStaff,
        incident: &Incident,
        around: &Around,
    ) -> Result<Vec<TimelineLine>, IncidentError> {
        let (from, to) = self.window(incident);
        let mut lines = Vec::new();
        for case in &around.cases {
            if by.record().concerned.contains(&case.row.customer) {
                continue;
            }
            // Erased between two reads: then there is nothing to tell.
            let Ok(loaded) = self.load_case(&case.row.case).await else {
                continue;
            };
            let within = case
                .events
                .iter()
                .filter(|event| (from..=to).contains(&event.at));
            lines.extend(within.map(|event| {
                let entry = timeline::timeline_entry(&loaded, event);
                TimelineLine {
                    at: entry.at,
                    text: format!("{}: {}", case.row.action_label, entry.words),
                    who: Some(entry.who),
                    source: format!("case {}", case.row.case.0),
                    case: Some(case.row.case.clone()),
                    alarm: None,
                    by_hand: false,
                }
            }));
        }
        let concerned = &by.record().concerned;
        let seen = around.alarms.iter().filter(|alarm| {
            let customer = alarm.customer.as_ref();
            customer.is_none_or(|customer| !concerned.contains(customer))
        });
        lines.extend(seen.map(|alarm| TimelineLine {
            at: alarm.at,
            text: alarm_words(alarm),
            who: None,
            source: match &alarm.connector {
                Some(connector) => format!("the log of {connector}"),
                None => "an alarm".to_owned(),
            },
            case: None,
            alarm: Some(alarm.id.clone()),
            by_hand: false,
        }));
        lines.extend(incident.lines.iter().map(|line| TimelineLine {
            at: line.when,
            text: line.text.clone(),
            who: Some(WhoView {
                kind: "staff",
                name: Some(line.by.name.clone()),
            }),
            source: line.source.clone(),
            case: None,
            alarm: None,
            by_hand: true,
        }));
        lines.sort_by_key(|line| line.at);
        Ok(lines)
    }

    /// What may be told to anybody: from the cases and alarms, and from who was marked.
    pub(crate) fn facts_of(&self, incident: &Incident, around: &Around) -> Facts {
        let (from, to) = self.window(incident);
        // Cases that are named count whoever's they are: the incident says so.
        let cases = around
            .cases
            .iter()
            .filter(|case| {
                incident.scope.cases.contains(&case.row.case)
                    || around.affected.contains(&case.row.customer)
            })
            .count();
        let events = around
            .cases
            .iter()
            .filter(|case| {
                case.reasons
                    .iter()
                    .any(|reason| *reason != super::Reason::Window)
            })
            .flat_map(|case| case.events.iter().map(|event| event.at));
        let alarms = around.alarms.iter().map(|alarm| alarm.at);
        let mut times: Vec<_> = events
            .chain(alarms)
            .filter(|at| (from..=to).contains(at))
            .collect();
        if times.is_empty() {
            times.extend(incident.lines.iter().map(|line| line.when));
        }
        Facts {
            first_at: times.iter().min().copied(),
            last_at: times.iter().max().copied(),
            customers_affected: incident.count(Standing::Affected),
            customers_unknown: incident.count(Standing::Unknown),
            cases: u64::try_from(cases).unwrap_or(u64::MAX),
        }
    }
}

/// Every time the incident knows of: a statement may name these and no others.
pub(crate) fn known_times(incident: &Incident, around: &Around) -> BTreeSet<Timestamp> {
    let cases = around
        .cases
        .iter()
        .flat_map(|case| case.events.iter().map(|event| event.at));
    let alarms = around.alarms.iter().map(|alarm| alarm.at);
    let lines = incident.lines.iter().map(|line| line.when);
    let tasks = incident.tasks.iter().map(|task| task.due);
    let updates = incident
        .updates
        .iter()
        .flat_map(|update| [Some(update.at), update.next_at])
        .flatten();
    let opened = [incident.opened_at];
    cases
        .chain(alarms)
        .chain(lines)
        .chain(tasks)
        .chain(updates)
        .chain(opened)
        .collect()
}

pub(crate) fn may_sign_statement(
    by: &SignedInStaff,
    incident: &Incident,
) -> Result<(), IncidentError> {
    if incident.submitted.is_none() {
        return Err(IncidentError::NothingSubmitted);
    }
    if incident.wrote(by.person()) {
        return Err(IncidentError::OwnStatement);
    }
    if by.passkeys() == 0 {
        return Err(IncidentError::NoPasskey);
    }
    Ok(())
}

fn alarm_words(alarm: &crate::alarms::Alarm) -> String {
    let what = match alarm.kind.as_str() {
        crate::alarms::UNCOVERED => "No case covers this action",
        other => other,
    };
    let detail = alarm.detail.trim();
    if detail.is_empty() {
        format!("{what}: {}", alarm.action)
    } else {
        format!("{what}: {} ({detail})", alarm.action)
    }
}

fn summary(incident: &Incident, now: Timestamp) -> IncidentSummary {
    IncidentSummary {
        id: incident.id.clone(),
        title: incident.title.clone(),
        opened_at: incident.opened_at,
        opened_by: incident.opened_by.name.clone(),
        phase: incident.last_update().map(|update| update.phase),
        overdue_since: incident.overdue_since(now),
        tasks_open: incident
            .tasks
            .iter()
            .filter(|task| task.state != TaskState::Done)
            .count(),
        affected: incident.count(Standing::Affected),
        published: incident.published.len(),
        submitted: incident.submitted.is_some(),
        closed_at: incident.closed.as_ref().map(|closed| closed.at),
    }
}
