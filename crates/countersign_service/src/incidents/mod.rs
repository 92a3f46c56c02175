//! Incidents: something went wrong anyway. What happened, to whom, what is done about it, and what the public is told.
//!
//! Everything is an event in the incident's own stream and a leaf in the
//! ledger; [`Incident`] is what they amount to, kept as a record beside them.
//! Auditors read; whoever may sign a new version of the procedure works on
//! incidents. What is published is signed by a second person, and what is
//! closed is closed by a promise that the prover keeps, or by a signature.

mod changes;
mod closing;
mod event;
mod letters;
mod public;
mod publication;
mod statement;
mod subscribers;
pub(crate) mod texts;
mod touched;
mod view;

use countersign_cases::Timestamp;
use countersign_store::{Batch, StreamKey};

pub use changes::{IncidentChange, NewIncident, ScopeWish};
pub use closing::{CLOSING_DOMAIN, PromiseStanding};
use event::evolve;
pub use event::{
    Author, Because, Closing, Draft, Happened, Incident, IncidentEvent, Line, Mark, Phase,
    Publication, Scope, Source, Standing, Submission, Task, TaskState, ThenStood, Update,
};
pub use letters::LetterPreview;
pub(crate) use letters::{IncidentLetter, StatusNews};
pub use public::{PublicIncident, PublicStatement, PublicStatus, PublicUpdate};
pub use publication::{STATEMENT_DOMAIN, StatementCheck};
pub use statement::{FIELDS, Facts, Finding, Texts};
pub(crate) use subscribers::SubscriberLetter;
pub use subscribers::{Confirmed, SubscriptionError};
pub use touched::{Reason, Touched, TouchedCustomer};
pub use view::{Deed, IncidentSummary, IncidentView, TimelineLine};

use crate::{
    cases::CaseError,
    gate::Gate,
    records::{self, Account, Held, space},
    sessions::SignedInStaff,
    settings::ConsoleRole,
    shell::{Entry, Envelope, Tries},
    trouble::Trouble,
};

/// Most incidents that are listed.
const LISTED_MAX: usize = 1_000;

/// Most events of one incident: no person makes more, and a program must not.
const EVENTS_MAX: u64 = 5_000;

/// Why something asked of an incident was not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IncidentError {
    /// The account lacks the role.
    #[error("this needs `{0}`")]
    NotAllowed(String),
    /// There is no such incident.
    #[error("there is no such incident")]
    Unknown,
    /// There is no such alarm.
    #[error("there is no such alarm")]
    UnknownAlarm,
    /// The alarm was settled, or belongs to an incident.
    #[error("the alarm was settled before")]
    AlarmSettled,
    /// The incident is closed: only a correction of its statement may follow.
    #[error("the incident is closed")]
    Closed,
    /// It changed since it was read.
    #[error("the incident changed since it was read")]
    Changed,
    /// Something sent is not right.
    #[error("`{field}`: {why}")]
    Field {
        /// Which field.
        field: &'static str,
        /// What is wrong.
        why: String,
    },
    /// There is no such customer, or it is not yours to see.
    #[error("there is no such customer")]
    UnknownCustomer,
    /// There is no such case, or it is not yours to see.
    #[error("there is no such case")]
    UnknownCase,
    /// There is no such task.
    #[error("there is no such task")]
    UnknownTask,
    /// The statement tells wrong facts.
    #[error("the statement has {0} that keep it from being published")]
    Facts(usize),
    /// No statement waits for a signature.
    #[error("no statement waits for a signature")]
    NothingSubmitted,
    /// Whoever wrote the statement does not sign it.
    #[error("whoever wrote the statement does not sign it")]
    OwnStatement,
    /// Whoever opened the incident does not sign that it needs no promise.
    #[error("whoever opened the incident does not sign this")]
    OwnIncident,
    /// No passkey to sign with.
    #[error("register a passkey first")]
    NoPasskey,
    /// The passkey's answer was not accepted.
    #[error("the passkey was not accepted")]
    NotAccepted,
    /// The procedure in force has no such promise.
    #[error("the procedure in force has no such promise")]
    UnknownPromise,
    /// The promise is broken.
    #[error("the procedure in force does not keep this promise")]
    PromiseBroken,
    /// The promise held at the time too, so it is not what went wrong.
    #[error("the procedure of that time kept this promise as well")]
    PromiseNotNew,
    /// Nobody is marked affected, or everybody was written to.
    #[error("there is nobody to write to")]
    NobodyToWriteTo,
    /// The incident has as many events as one may have.
    #[error("the incident is full")]
    Full,
    /// The store.
    #[error(transparent)]
    Trouble(#[from] Trouble),
}

impl IncidentError {
    /// Stable word.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotAllowed(_) => "not-allowed",
            Self::Unknown => "unknown-incident",
            Self::UnknownAlarm => "unknown-alarm",
            Self::AlarmSettled => "alarm-settled",
            Self::Closed => "incident-closed",
            Self::Changed => "incident-changed",
            Self::Field { .. } => "invalid-field",
            Self::UnknownCustomer => "unknown-customer",
            Self::UnknownCase => "unknown-case",
            Self::UnknownTask => "unknown-task",
            Self::Facts(_) => "statement-facts",
            Self::NothingSubmitted => "nothing-submitted",
            Self::OwnStatement => "own-statement",
            Self::OwnIncident => "own-incident",
            Self::NoPasskey => "no-passkey",
            Self::NotAccepted => "passkey-not-accepted",
            Self::UnknownPromise => "unknown-promise",
            Self::PromiseBroken => "promise-broken",
            Self::PromiseNotNew => "promise-not-new",
            Self::NobodyToWriteTo => "nobody-to-write-to",
            Self::Full => "incident-full",
            Self::Trouble(trouble) => trouble.code(),
        }
    }
}

impl From<CaseError> for IncidentError {
    fn from(error: CaseError) -> Self {
        match error {
            CaseError::Trouble(trouble) => trouble.into(),
            CaseError::UnknownCustomer => Self::UnknownCustomer,
            _ => Self::UnknownCase,
        }
    }
}

/// Name of an incident's stream.
pub(crate) fn stream(id: &str) -> StreamKey {
    StreamKey(format!("incident/{}", records::part(id)))
}

impl Gate {
    /// Whether this reader may open and change incidents: whoever may sign a new version of the procedure.
    pub fn edits_incidents(&self, by: &SignedInStaff) -> bool {
        self.may_sign(by.record(), &self.procedure())
    }

    /// Whether this reader may read them: those, and auditors.
    pub fn reads_incidents(&self, by: &SignedInStaff) -> bool {
        by.has(ConsoleRole::Auditor) || self.edits_incidents(by)
    }

    pub(crate) fn may_read_incidents(&self, by: &SignedInStaff) -> Result<(), IncidentError> {
        if self.reads_incidents(by) {
            Ok(())
        } else {
            Err(self.not_allowed())
        }
    }

    pub(crate) fn may_edit_incidents(&self, by: &SignedInStaff) -> Result<Author, IncidentError> {
        if self.edits_incidents(by) {
            Ok(author(by.record()))
        } else {
            Err(self.not_allowed())
        }
    }

    fn not_allowed(&self) -> IncidentError {
        IncidentError::NotAllowed(self.settings().procedure_role.clone())
    }

    pub(crate) async fn load_incident(&self, id: &str) -> Result<Held<Incident>, IncidentError> {
        self.load::<Incident>(space::INCIDENT, &records::part(id))
            .await?
            .ok_or(IncidentError::Unknown)
    }

    /// Every incident there is, in no order.
    pub(crate) async fn all_incidents(&self) -> Result<Vec<Incident>, Trouble> {
        let range = records::beginning_with("", false);
        self.list(space::INCIDENT, range, LISTED_MAX).await
    }

    /// The incident as its events tell it: what the record must be equal to.
    ///
    /// # Errors
    /// [`IncidentError::Unknown`] where there is none.
    pub async fn replay_incident(&self, id: &str) -> Result<Incident, IncidentError> {
        let stored = self
            .journal()
            .read(&stream(id), 0)
            .await
            .map_err(Trouble::from)?;
        let mut events = Vec::with_capacity(stored.len());
        for event in &stored {
            let data = Envelope::open(event)?.data;
            let read: IncidentEvent = serde_json::from_value(data)
                .map_err(|error| Trouble::Damaged(error.to_string()))?;
            events.push(read);
        }
        Incident::replay(&events).ok_or(IncidentError::Unknown)
    }

    /// The incident as it is now, to be changed with [`Gate::end_change`]; read again where somebody else was faster.
    pub(crate) async fn begin_change(&self, id: &str) -> Result<Changing, IncidentError> {
        let now = self.now();
        let Held {
            value: incident,
            revision,
        } = self.load_incident(id).await?;
        Ok(Changing {
            incident,
            revision,
            batch: Batch::default(),
            now,
        })
    }

    /// Adds events to an incident, with whatever else belongs into the commit. `false`: somebody else was faster, so begin
    /// again.
    pub(crate) async fn end_change(
        &self,
        changing: Changing,
        by: &Author,
        happened: Vec<Happened>,
        tries: &mut Tries,
    ) -> Result<bool, IncidentError> {
        let Changing {
            incident,
            revision,
            mut batch,
            now,
        } = changing;
        if happened.is_empty() {
            return Ok(true);
        }
        if incident.version >= EVENTS_MAX {
            return Err(IncidentError::Full);
        }
        let (id, expected) = (incident.id.clone(), incident.version);
        let (entries, after) = entries(Some(incident), by, happened, now)?;
        let after = after.ok_or(IncidentError::Unknown)?;
        self.record(&mut batch, &stream(&id), expected, entries)?;
        batch.records.push(records::put(
            space::INCIDENT,
            records::part(&id),
            &after,
            Some(revision),
        )?);
        Ok(self.committed(batch, tries).await?)
    }

    /// The account as it is now, not as it was when the session was looked up.
    pub(crate) async fn account_now(
        &self,
        by: &SignedInStaff,
    ) -> Result<Held<Account>, IncidentError> {
        self.load::<Account>(space::ACCOUNT, &records::part(by.account()))
            .await?
            .filter(|held| held.value.active && self.may_sign(&held.value, &self.procedure()))
            .ok_or_else(|| self.not_allowed())
    }
}

/// An incident that is being changed.
#[derive(Debug)]
pub(crate) struct Changing {
    pub(crate) incident: Incident,
    revision: u64,
    /// What belongs into the same commit.
    pub(crate) batch: Batch,
    pub(crate) now: Timestamp,
}

/// Events as entries of the journal, and the incident after them.
pub(crate) fn entries(
    incident: Option<Incident>,
    by: &Author,
    happened: Vec<Happened>,
    now: Timestamp,
) -> Result<(Vec<Entry>, Option<Incident>), Trouble> {
    let mut after = incident;
    let mut entries = Vec::with_capacity(happened.len());
    for what in happened {
        let event = IncidentEvent {
            at: now,
            by: by.clone(),
            what,
        };
        entries.push(Entry::new(event.what.kind(), now, None, &event)?);
        after = evolve(after, &event);
    }
    Ok((entries, after))
}

pub(crate) fn author(account: &Account) -> Author {
    Author {
        account: account.account.clone(),
        person: account.person.clone(),
        name: account.name.clone(),
    }
}
