//! Handing grants over: once, and when the answer is lost, by asking.
//!
//! The order is what makes it at most once. `HandedOver` is committed before
//! the first byte leaves, so that a stop wins until then and is too late
//! after. The attempt itself is written down before it is made, so that a
//! crash between hand-over and answer is found as *unknown* and asked about.

use countersign_cases::{CaseId, Command, Outcome, Refusal, State, Timestamp, decide};
use countersign_grant::Bundle;
use countersign_language::GATE;
use countersign_store::{Batch, CommitError, Work};
use serde::{Deserialize, Serialize};

use crate::{
    adapters::connector::{AskOutcome, RunOutcome},
    cases::CaseError,
    decisions::{Also, Loaded},
    gate::Gate,
    measures,
    notices::finished,
    records::{self, Delivery, GrantRecord, Held, space},
    shell::Tries,
    trouble::Trouble,
};

/// The queue of grants to be handed over.
pub(crate) const RUN: &str = "run";

/// The queue of outcomes to be asked for.
pub(crate) const ASK: &str = "ask";

/// Pause before a grant that surely never left is sent again.
const NOT_SENT_AGAIN_SECONDS: u64 = 2;

/// How long a backend that says "never seen" is asked again after the grant ran out: its clock may be a little behind.
const CLOCKS_DIFFER_SECONDS: u64 = 60;

/// A grant to be handed over, or asked about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Delivering {
    pub(crate) case: CaseId,
    pub(crate) grant: String,
}

impl Gate {
    /// Hands one grant over.
    pub(crate) async fn deliver(&self, work: &Work) -> Result<(), Trouble> {
        let Delivering { case, grant } = records::read_json(&work.body)?;
        match self.deliver_grant(&case, &grant).await {
            Ok(()) => Ok(()),
            Err(CaseError::Trouble(trouble)) => Err(trouble),
            Err(error) => {
                tracing::info!(case = case.0, code = error.code(), "grant not handed over");
                self.finish(RUN, &grant, None).await
            }
        }
    }

    async fn deliver_grant(&self, case: &CaseId, grant: &str) -> Result<(), CaseError> {
        let loaded = self.load_case(case).await?;
        let Held {
            value: record,
            revision,
        } = self.load_grant(grant).await?;
        if record.connector == GATE {
            // The customer uses it, on their own page; here only the time runs out.
            return self.end_enrolment(case, grant).await;
        }
        match (loaded.case.state(), &record.delivery) {
            (State::Granted | State::Running, Delivery::Waiting | Delivery::NotSent) => {}
            // A program ended while it was sending: what happened then, only the backend knows.
            (State::Granted | State::Running, Delivery::Trying | Delivery::Sent) => {
                return self.conclude(case, grant, Outcome::Unknown).await;
            }
            // Stopped, withdrawn, or concluded: there is nothing to hand over any more.
            _ => return Ok(self.finish(RUN, grant, None).await?),
        }
        let connector = self.connector_client(&record.connector);
        let cannot = if self.now() >= record.not_after {
            Some("grant_ran_out")
        } else if connector.is_none() {
            Some("no_connector")
        } else {
            None
        };
        let (Some(connector), None) = (connector, cannot) else {
            if loaded.case.state() == State::Granted {
                self.apply(case, |_| Ok(Command::HandOver)).await?;
            }
            let reason = cannot.unwrap_or("no_connector").to_owned();
            return self.conclude(case, grant, Outcome::Failed { reason }).await;
        };
        let body = records::to_value(&self.bundle(&loaded.stream(), &record).await?)?;
        if !self
            .begin_delivery(&loaded, grant, &record, revision)
            .await?
        {
            // Somebody else is handing it over.
            return Ok(());
        }
        let outcome = connector.run(grant, &body, self.now()).await;
        measures::hand_over(outcome.as_ref().map_or("not sendable", word));
        tracing::info!(case = case.0, outcome = ?outcome.as_ref().map(word), "grant handed over");
        match outcome {
            Ok(RunOutcome::Done) => self.conclude(case, grant, Outcome::Done).await,
            Ok(RunOutcome::Failed { reason }) => {
                self.conclude(case, grant, Outcome::Failed { reason }).await
            }
            Ok(RunOutcome::Unknown) => self.conclude(case, grant, Outcome::Unknown).await,
            // Nothing left, so the same grant may go again while it counts, and never after.
            Ok(RunOutcome::NotSent) => {
                let Held {
                    value: record,
                    revision,
                } = self.load_grant(grant).await?;
                let record = GrantRecord {
                    delivery: Delivery::NotSent,
                    ..record
                };
                let batch = Batch {
                    records: vec![records::put(space::GRANT, grant, &record, Some(revision))?],
                    finished: vec![finished(
                        RUN,
                        grant,
                        Some(self.now().plus_seconds(NOT_SENT_AGAIN_SECONDS)),
                    )],
                    ..Batch::default()
                };
                Ok(self
                    .commit(batch)
                    .await
                    .map(|_| ())
                    .map_err(Trouble::from)?)
            }
            Err(_) => {
                self.conclude(
                    case,
                    grant,
                    Outcome::Failed {
                        reason: "not_sendable".to_owned(),
                    },
                )
                .await
            }
        }
    }

    /// Asks what became of a grant.
    pub(crate) async fn ask_outcome(&self, work: &Work) -> Result<(), Trouble> {
        let Delivering { case, grant } = records::read_json(&work.body)?;
        match self.ask_backend(work, &case, &grant).await {
            Ok(()) => Ok(()),
            Err(CaseError::Trouble(trouble)) => Err(trouble),
            Err(_) => self.finish(ASK, &grant, None).await,
        }
    }

    async fn ask_backend(&self, work: &Work, case: &CaseId, grant: &str) -> Result<(), CaseError> {
        let loaded = self.load_case(case).await?;
        if loaded.case.state() != State::Unknown {
            return Ok(self.finish(ASK, grant, None).await?);
        }
        let Held { value: record, .. } = self.load_grant(grant).await?;
        let again = |now: Timestamp| now.plus_seconds((2_u64 << work.attempts.min(9)).min(600));
        let Some(connector) = self.connector_client(&record.connector) else {
            return Ok(self.finish(ASK, grant, Some(again(loaded.now))).await?);
        };
        let answer = connector.ask(grant, loaded.now).await;
        let now = self.now();
        let outcome = match answer {
            Ok(AskOutcome::Done) => Outcome::Done,
            Ok(AskOutcome::Failed { reason }) => Outcome::Failed { reason },
            // Only once the grant counts no more is "never seen" final: before, it may still be under way.
            Ok(AskOutcome::NeverSeen)
                if now >= record.not_after.plus_seconds(CLOCKS_DIFFER_SECONDS) =>
            {
                Outcome::Failed {
                    reason: "never_arrived".to_owned(),
                }
            }
            Ok(AskOutcome::NeverSeen | AskOutcome::StillUnknown) | Err(_) => {
                return Ok(self.finish(ASK, grant, Some(again(now))).await?);
            }
        };
        self.conclude(case, grant, outcome).await
    }

    async fn conclude(
        &self,
        case: &CaseId,
        grant: &str,
        outcome: Outcome,
    ) -> Result<(), CaseError> {
        let concluded = self
            .apply_with(case, |_| {
                let mut also = Also {
                    finished: vec![finished(RUN, grant, None)],
                    ..Also::default()
                };
                if outcome != Outcome::Unknown {
                    also.finished.push(finished(ASK, grant, None));
                }
                Ok((Command::Conclude(outcome.clone()), also))
            })
            .await;
        match concluded {
            Ok(_) => Ok(()),
            // Concluded meanwhile by another worker.
            Err(CaseError::Refused(
                Refusal::StillUnknown | Refusal::AlreadyDone | Refusal::AlreadyFailed,
            )) => Ok(self.finish(RUN, grant, None).await?),
            Err(error) => Err(error),
        }
    }

    /// The grant with the proof of its leaf against the newest checkpoint.
    async fn bundle(
        &self,
        stream: &countersign_store::StreamKey,
        record: &GrantRecord,
    ) -> Result<Bundle, Trouble> {
        let stored = self.journal().read(stream, 0).await?;
        let granted = stored
            .iter()
            .find(|event| event.kind == "case.granted")
            .and_then(|event| event.leaf);
        let leaf =
            granted.ok_or_else(|| Trouble::Damaged("a grant without its leaf".to_owned()))?;
        Ok(Bundle::new(
            record.jws.clone(),
            &self.prove_leaf(leaf).await?,
        ))
    }

    pub(crate) async fn load_grant(&self, grant: &str) -> Result<Held<GrantRecord>, Trouble> {
        self.load(space::GRANT, grant)
            .await?
            .ok_or_else(|| Trouble::Damaged("a grant without its record".to_owned()))
    }

    /// Commits, at once, that it is handed over and that it is being tried; `false` if somebody else did meanwhile. A stop
    /// that was faster is a refusal.
    #[tracing::instrument(target = "trace", name = "decision", level = "info", skip_all, fields(countersign.case = loaded.row.case.0))]
    async fn begin_delivery(
        &self,
        loaded: &Loaded,
        grant: &str,
        record: &GrantRecord,
        revision: u64,
    ) -> Result<bool, CaseError> {
        let trying = GrantRecord {
            delivery: Delivery::Trying,
            ..record.clone()
        };
        let trying = records::put(space::GRANT, grant, &trying, Some(revision))?;
        if loaded.case.state() == State::Running {
            return match self.write_records(vec![trying]).await {
                Ok(()) => Ok(true),
                Err(CommitError::Conflict { .. }) => Ok(false),
                Err(error) => Err(Trouble::from(error).into()),
            };
        }
        let id = &loaded.row.case;
        let also = || Also {
            records: vec![trying.clone()],
            ..Also::default()
        };
        let decided = decide(
            &loaded.procedure,
            &loaded.case,
            Command::HandOver,
            &loaded.moment(),
        );
        if let Ok(decision) = decided {
            let (batch, _) = self.write_decision(loaded, &decision.events, None, also())?;
            if self.committed(batch, &mut Tries::default()).await? {
                return Ok(true);
            }
        }
        // Something changed meanwhile, if only another case of the customer: decided again on what there is now.
        match self
            .apply_with(id, |_| Ok((Command::HandOver, also())))
            .await
        {
            Ok(_) => Ok(true),
            Err(CaseError::Refused(refusal)) => {
                if self.load_case(id).await?.case.state() == State::Running {
                    Ok(false)
                } else {
                    Err(refusal.into())
                }
            }
            Err(error) => Err(error),
        }
    }
}

fn word(outcome: &RunOutcome) -> &'static str {
    match outcome {
        RunOutcome::Done => "done",
        RunOutcome::Failed { .. } => "failed",
        RunOutcome::NotSent => "not sent",
        RunOutcome::Unknown => "unknown",
    }
}
