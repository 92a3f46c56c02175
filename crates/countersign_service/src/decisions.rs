//! One decision about one case: everything it reads, the asking, and the one commit that follows.
//!
//! Every surface ends in [`Gate::apply`] or, for a grant, in [`Gate::grant`].
//! Nothing here weighs a requirement.

use std::sync::Arc;

use countersign_cases::{
    Actor, Case, CaseId, Command, CustomerId, Digest, Event, EventKind, Facts, GrantId, Moment,
    Outcome, Permit, Refusal, State, Timestamp, decide, evolve,
};
use countersign_language::{GATE, Procedure};
use countersign_store::{Batch, FinishedWork, NewWork, RecordWrite, StreamKey};
use sha2::{Digest as _, Sha256};

use crate::{
    adapters::dice,
    cases::{Applied, CaseError},
    delivery, drills, enrolment,
    facts::{OpenerRuns, Wanted, request_hash},
    gate::Gate,
    grants::Minted,
    notices,
    records::{self, CaseRow, ClosedRequest, Customer, Desk, GrantRecord, Held, Run, space},
    shell::{Entry, Tries, said_by},
    spoken,
    trouble::Trouble,
    views,
};

/// The queue of moments at which time alone may change a case.
pub(crate) const TIMER: &str = "timer";

/// Runs older than this can no longer matter: the longest window a procedure can sensibly count, two years.
const RUNS_KEPT_SECONDS: u64 = 2 * 366 * 86_400;

/// Most runs and refusals kept for one customer or person.
const KEPT_MAX: usize = 1_000;

/// Everything a decision about one case reads, with the revisions it was read at.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) case: Case,
    pub(crate) procedure: Arc<Procedure>,
    pub(crate) customer: Customer,
    pub(crate) desk: Desk,
    pub(crate) desk_revision: u64,
    pub(crate) row: CaseRow,
    pub(crate) row_revision: u64,
    pub(crate) facts: Facts,
    pub(crate) opener_runs: OpenerRuns,
    pub(crate) now: Timestamp,
}

impl Loaded {
    pub(crate) fn moment(&self) -> Moment<'_> {
        Moment {
            now: self.now,
            facts: &self.facts,
        }
    }

    pub(crate) fn digest(&self) -> Result<Digest, Trouble> {
        self.case
            .digest()
            .ok_or_else(|| Trouble::Damaged("a case without its first event".to_owned()))
    }

    pub(crate) fn stream(&self) -> StreamKey {
        records::case_stream(&self.row.customer, &self.row.case)
    }
}

/// More to be written together with a decision.
#[derive(Debug, Default)]
pub(crate) struct Also {
    pub(crate) records: Vec<RecordWrite>,
    pub(crate) work: Vec<NewWork>,
    pub(crate) finished: Vec<FinishedWork>,
}

impl Gate {
    /// Makes one decision about a case and commits it, again from the start if anything it read changed meanwhile.
    pub(crate) async fn apply(
        &self,
        id: &CaseId,
        command: impl Fn(&Loaded) -> Result<Command, CaseError>,
    ) -> Result<Applied, CaseError> {
        self.apply_with(id, |loaded| Ok((command(loaded)?, Also::default())))
            .await
    }

    /// As [`Gate::apply`], with more to be written in the same commit.
    #[tracing::instrument(target = "trace", name = "decision", level = "info", skip_all, fields(countersign.case = id.0))]
    pub(crate) async fn apply_with(
        &self,
        id: &CaseId,
        command: impl Fn(&Loaded) -> Result<(Command, Also), CaseError>,
    ) -> Result<Applied, CaseError> {
        let mut tries = Tries::default();
        loop {
            let loaded = self.load_case(id).await?;
            let (command, also) = command(&loaded)?;
            let decision = decide(&loaded.procedure, &loaded.case, command, &loaded.moment())?;
            let nothing =
                also.records.is_empty() && also.work.is_empty() && also.finished.is_empty();
            if decision.events.is_empty() && nothing {
                // Time passed and changed nothing.
                return Ok(Applied {
                    version: loaded.case.version(),
                    state: loaded.case.state(),
                });
            }
            let (batch, case) = self.write_and_run(&loaded, decision.events, also)?;
            if self.committed(batch, &mut tries).await? {
                tell_log(&loaded, &case);
                return Ok(Applied {
                    version: case.version(),
                    state: case.state(),
                });
            }
        }
    }

    /// A decision; and where the case runs by itself from then on, the grant in the same commit. Everything is evaluated for
    /// it once more, as it stands after the decision.
    pub(crate) fn write_and_run(
        &self,
        loaded: &Loaded,
        mut events: Vec<Event>,
        also: Also,
    ) -> Result<(Batch, Case), CaseError> {
        let after = events.iter().fold(loaded.case.clone(), evolve);
        let runs_by_itself = matches!(
            after.state(),
            State::Ready {
                runs_by_itself: true,
                ..
            }
        );
        if runs_by_itself && !events.is_empty() {
            let command = Command::Run {
                by: Actor::Gate,
                grant: GrantId(dice::random_bytes(self.dice())),
                salt: loaded.row.salt,
            };
            // Refused, it stays ready, and its timer asks again.
            if let Ok(decision) = decide(&loaded.procedure, &after, command, &loaded.moment())
                && let Some(permit) = decision.permit
            {
                events.extend(decision.events);
                return self.write_grant(loaded, &events, permit, also);
            }
        }
        Ok(self.write_decision(loaded, &events, None, also)?)
    }

    /// The one way to a grant: `decide` makes the permit, [`crate::grants`] uses it up, and events, leaf and outbox entry are one commit.
    #[tracing::instrument(target = "trace", name = "decision", level = "info", skip_all, fields(countersign.case = id.0))]
    pub(crate) async fn grant(
        &self,
        id: &CaseId,
        by: impl Fn(&Loaded) -> Actor,
    ) -> Result<Applied, CaseError> {
        let mut tries = Tries::default();
        let mut looked = false;
        loop {
            let loaded = self.load_case(id).await?;
            let command = Command::Run {
                by: by(&loaded),
                grant: GrantId(dice::random_bytes(self.dice())),
                salt: loaded.row.salt,
            };
            let decision = match decide(&loaded.procedure, &loaded.case, command, &loaded.moment())
            {
                // What was missing came a moment ago, and time has not looked at the case since.
                Err(Refusal::NotReady { missing }) if missing.is_empty() && !looked => {
                    looked = true;
                    self.apply(id, |_| Ok(Command::Tick)).await?;
                    continue;
                }
                decided => decided?,
            };
            let permit = decision
                .permit
                .ok_or_else(|| Trouble::Damaged("a decision to run without a permit".to_owned()))?;
            let (batch, case) =
                self.write_grant(&loaded, &decision.events, permit, Also::default())?;
            if self.committed(batch, &mut tries).await? {
                tell_log(&loaded, &case);
                return Ok(Applied {
                    version: case.version(),
                    state: case.state(),
                });
            }
        }
    }

    fn write_grant(
        &self,
        loaded: &Loaded,
        events: &[Event],
        permit: Permit,
        mut also: Also,
    ) -> Result<(Batch, Case), CaseError> {
        let minted = self.mint(permit, loaded.now);
        let (mut not_after, mut due) = (minted.not_after, loaded.now);
        if minted.connector == GATE {
            not_after = enrolment::until(loaded.now);
            due = not_after;
            also.records
                .push(self.begin_enrolment(loaded, &minted, not_after)?);
        }
        let record = GrantRecord {
            case: loaded.row.case.clone(),
            customer: loaded.row.customer.clone(),
            connector: minted.connector.clone(),
            jws: minted.jws.clone(),
            not_after,
            delivery: records::Delivery::Waiting,
        };
        also.records.push(records::put(
            space::GRANT,
            minted.id.clone(),
            &record,
            Some(0),
        )?);
        let work = delivery::Delivering {
            case: loaded.row.case.clone(),
            grant: minted.id.clone(),
        };
        also.work.push(NewWork {
            queue: delivery::RUN,
            key: minted.id.clone(),
            due_ms: due.0,
            body: records::write_json(&work)?,
        });
        Ok(self.write_decision(loaded, events, Some(&minted), also)?)
    }

    /// Everything a decision about this case reads.
    pub(crate) async fn load_case(&self, id: &CaseId) -> Result<Loaded, CaseError> {
        let key = records::part(&id.0);
        let Held {
            value: row,
            revision: row_revision,
        } = self
            .load::<CaseRow>(space::CASE, &key)
            .await?
            .ok_or(CaseError::Unknown)?;
        let case = self.case_of(&row).await?;
        let procedure = self.procedure_of(&row.procedure).await?;
        // The time is taken before the facts: they are never older than it claims.
        let now = self.now();
        let (desk, desk_revision) = self.desk_of(&row.customer).await?;
        let customer = self
            .load_customer(&row.customer)
            .await?
            .ok_or(CaseError::UnknownCustomer)?
            .value;
        let opened = case.opened().ok_or(CaseError::Unknown)?;
        let wanted = Wanted {
            procedure: &procedure,
            action: &opened.action,
            parameters: &opened.parameters,
            opener: opened.opener().map(|member| &member.person),
            case: Some(id),
        };
        let (facts, opener_runs) = self.facts(wanted, &customer, &desk, now).await?;
        Ok(Loaded {
            case,
            procedure,
            customer,
            desk,
            desk_revision,
            row,
            row_revision,
            facts,
            opener_runs,
            now,
        })
    }

    pub(crate) async fn events_of(&self, row: &CaseRow) -> Result<Vec<Event>, Trouble> {
        let stored = self
            .journal()
            .read(&records::case_stream(&row.customer, &row.case), 0)
            .await?;
        stored.iter().map(said_by).collect()
    }

    pub(crate) async fn desk_of(&self, customer: &CustomerId) -> Result<(Desk, u64), Trouble> {
        let held = self
            .load::<Desk>(space::DESK, &records::part(&customer.0))
            .await?;
        Ok(held.map_or((Desk::default(), 0), |held| (held.value, held.revision)))
    }

    /// One commit: events and leaves, the customer's desk, the case's row, and what is to be done next.
    pub(crate) fn write_decision(
        &self,
        loaded: &Loaded,
        events: &[Event],
        minted: Option<&Minted>,
        also: Also,
    ) -> Result<(Batch, Case), Trouble> {
        let case = events.iter().fold(loaded.case.clone(), evolve);
        let mut batch = Batch {
            records: also.records,
            work: also.work,
            finished: also.finished,
            ..Batch::default()
        };
        let mut entries = Vec::with_capacity(events.len());
        for event in events {
            let (case, customer) = (&loaded.row.pseudonym, &loaded.customer.pseudonym);
            let mut entry = Entry::of_case(event, case, customer)?;
            if matches!(event.kind, EventKind::Granted { .. }) {
                entry.grant = minted.map(|minted| Sha256::digest(minted.jws.as_bytes()).into());
            }
            entries.push(entry);
        }
        self.record(&mut batch, &loaded.stream(), loaded.case.version(), entries)?;
        let mut desk = loaded.desk.clone();
        for event in events {
            note_on_desk(&mut desk, loaded, &case, event);
            if matches!(event.kind, EventKind::Granted { .. })
                && let Some(key) = &loaded.opener_runs.key
            {
                let mut runs = loaded.opener_runs.runs.clone();
                push_run(&mut runs, &loaded.row.action, event.at);
                let revision = Some(loaded.opener_runs.revision);
                batch
                    .records
                    .push(records::put(space::RUNS_BY, key.clone(), &runs, revision)?);
            }
            work_for(&mut batch, loaded, &case, event)?;
        }
        if loaded.case.state().is_live() && !case.state().is_live() {
            // Time does nothing more to it; left alone, the timer would fire for nothing, two days later, once for each case.
            let key = timer_key(&loaded.row.case, loaded.case.expires_at());
            batch.finished.push(notices::finished(TIMER, &key, None));
        }
        // Written also where nothing on it changed: it is what keeps two decisions about one customer from passing each other.
        batch.records.push(records::put(
            space::DESK,
            records::part(&loaded.row.customer.0),
            &desk,
            Some(loaded.desk_revision),
        )?);
        let mut row = row_after(loaded, &case, events);
        spoken::keep(&mut batch, loaded, &case, &mut row)?;
        drills::after(&mut batch, loaded, &case, events, &row)?;
        push_row(
            &mut batch,
            &row,
            &loaded.row,
            loaded.row_revision,
            !case.state().is_final(),
        )?;
        index_row(&mut batch, &row, events, case.state())?;
        Ok((batch, case))
    }
}

fn push_run(runs: &mut Vec<Run>, action: &str, at: Timestamp) {
    runs.insert(
        0,
        Run {
            action: action.to_owned(),
            at,
        },
    );
    runs.retain(|run| at.seconds_since(run.at) <= RUNS_KEPT_SECONDS);
    runs.truncate(KEPT_MAX);
}

/// The row by its case, and in the lists of open ones and of those that wait for a signature. `before` is the row as it was.
pub(crate) fn push_row(
    batch: &mut Batch,
    row: &CaseRow,
    before: &CaseRow,
    revision: u64,
    open: bool,
) -> Result<(), Trouble> {
    let key = records::part(&row.case.0);
    let first = records::put(space::CASE, key, row, Some(revision))?;
    // The oldest first, which is the order in which people should come to them.
    let listed = records::in_time(row.opened_at, &row.case);
    if !open {
        batch
            .records
            .push(records::remove(space::OPEN, listed.clone(), None));
    } else if revision == 0 {
        batch
            .records
            .push(records::put(space::OPEN, listed.clone(), &row.case, None)?);
    }
    if open && !row.wants_sign_off.is_empty() {
        batch.records.push(RecordWrite {
            space: space::WANTED,
            key: listed,
            expected: None,
            ..first.clone()
        });
    } else if !before.wants_sign_off.is_empty() {
        batch
            .records
            .push(records::remove(space::WANTED, listed, None));
    }
    batch.records.push(first);
    Ok(())
}

/// The lists that hold ids only, and the finished ones.
fn index_row(
    batch: &mut Batch,
    row: &CaseRow,
    events: &[Event],
    state: State,
) -> Result<(), Trouble> {
    let opened = events
        .iter()
        .any(|event| matches!(event.kind, EventKind::Opened { .. }));
    if opened {
        let of_customer = format!(
            "{}/{}",
            records::part(&row.customer.0),
            records::in_time(row.opened_at, &row.case)
        );
        batch
            .records
            .push(records::put(space::CASES_OF, of_customer, &row.case, None)?);
    }
    if let Some(person) = &row.opener {
        let key = format!(
            "{}/{}",
            records::part(&person.0),
            records::in_time(row.opened_at, &row.case)
        );
        if state.is_final() {
            batch
                .records
                .push(records::remove(space::OPEN_BY, key, None));
        } else if opened {
            batch
                .records
                .push(records::put(space::OPEN_BY, key, &row.case, None)?);
        }
    }
    if state.is_final() && !events.is_empty() {
        batch.records.push(records::put(
            space::FINISHED,
            records::in_time(row.updated_at, &row.case),
            row,
            None,
        )?);
    }
    for event in events {
        if let EventKind::SignedOff { by, .. } | EventKind::Refused { by, .. } = &event.kind {
            let key = format!(
                "{}/{}",
                records::part(&by.person.0),
                records::in_time(event.at, &row.case)
            );
            batch
                .records
                .push(records::put(space::DECIDED_BY, key, &row.case, None)?);
        }
    }
    Ok(())
}

fn note_on_desk(desk: &mut Desk, loaded: &Loaded, case: &Case, event: &Event) {
    let id = &loaded.row.case;
    let action = &loaded.row.action;
    let mut closed = |stopped: bool, closed_until: Timestamp| {
        let parameters = case.opened().map(|opened| &opened.parameters);
        let request = parameters
            .map(|parameters| request_hash(action, parameters))
            .unwrap_or_default();
        desk.closed.insert(
            0,
            ClosedRequest {
                request,
                case: id.clone(),
                at: event.at,
                stopped,
                closed_until,
            },
        );
        desk.closed.truncate(KEPT_MAX);
    };
    match &event.kind {
        EventKind::Refused { closed_until, .. } => closed(false, *closed_until),
        EventKind::Stopped { closed_until, .. } => closed(true, *closed_until),
        EventKind::Granted { .. } => push_run(&mut desk.runs, action, event.at),
        _ => {}
    }
    if case.state().is_final() {
        desk.open.retain(|_, open| open != id);
    } else {
        desk.open.insert(action.clone(), id.clone());
    }
}

/// What must be done because of an event: notices, timers, asking.
fn work_for(batch: &mut Batch, loaded: &Loaded, case: &Case, event: &Event) -> Result<(), Trouble> {
    let id = &loaded.row.case;
    let timer = |at: Timestamp| -> Result<NewWork, Trouble> {
        Ok(NewWork {
            queue: TIMER,
            key: timer_key(id, at),
            due_ms: at.0,
            body: records::write_json(id)?,
        })
    };
    match &event.kind {
        EventKind::Opened { expires_at, .. } => batch.work.push(timer(*expires_at)?),
        EventKind::WaitStarted {
            until, expires_at, ..
        } => {
            batch.work.push(timer(*until)?);
            batch.work.push(timer(*expires_at)?);
        }
        EventKind::Ready {
            runs_by_itself: true,
            ..
        } if case.state().is_live() => batch.work.push(timer(event.at)?),
        EventKind::NoticesDue { contacts, .. } => {
            for contact in contacts {
                let letter = notices::Letter::Notice {
                    case: id.clone(),
                    contact: contact.clone(),
                };
                batch.work.push(NewWork {
                    queue: notices::MAIL,
                    key: format!(
                        "notice/{}/{}",
                        records::part(&id.0),
                        records::part(&contact.0)
                    ),
                    due_ms: event.at.0,
                    body: records::write_json(&letter)?,
                });
            }
        }
        EventKind::Concluded {
            outcome: Outcome::Unknown,
        } => {
            if let Some(grant) = case.grant() {
                let grant = crate::grants::grant_key(&grant.id);
                let asking = delivery::Delivering {
                    case: id.clone(),
                    grant: grant.clone(),
                };
                batch.work.push(NewWork {
                    queue: delivery::ASK,
                    key: grant,
                    due_ms: event.at.0,
                    body: records::write_json(&asking)?,
                });
            }
        }
        _ => {}
    }
    Ok(())
}

fn timer_key(case: &CaseId, at: Timestamp) -> String {
    format!("{}/{}", records::part(&case.0), records::sortable(at))
}

fn row_after(loaded: &Loaded, case: &Case, events: &[Event]) -> CaseRow {
    let mut row = loaded.row.clone();
    row.sentence = case
        .opened()
        .map(|opened| opened.sentence.clone())
        .unwrap_or_default();
    case.state().word().clone_into(&mut row.state);
    row.updated_at = events.last().map_or(row.updated_at, |event| event.at);
    row.expires_at = case.expires_at();
    row.proved = !case.proofs().is_empty();
    row.version = case.version();
    for event in events {
        if let EventKind::SignedOff { by, .. } | EventKind::Refused { by, .. } = &event.kind {
            row.decided_by.push(by.person.clone());
        }
    }
    row.masked_sentence = views::masked_sentence(loaded, case);
    row.takes_effect_at = views::takes_effect(case);
    (row.missing, row.wants_sign_off) = if case.state().is_live() {
        views::missing_words(loaded, case)
    } else {
        (Vec::new(), Vec::new())
    };
    row
}

fn tell_log(loaded: &Loaded, case: &Case) {
    if case.state() != loaded.case.state() {
        tracing::info!(
            case = loaded.row.case.0,
            state = case.state().word(),
            "case moved"
        );
    }
}
