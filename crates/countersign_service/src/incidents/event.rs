//! What happens to an incident, and what it is then. Pure: [`evolve`] looks at nothing but its arguments.
//!
//! Events are kept for ever, so fields are only ever added. Customers stand in them by their pseudonym: who that is, the
//! customer's own record says, and nothing once they are erased.

use std::collections::{BTreeMap, BTreeSet};

use countersign_cases::{CaseId, Digest, Evidence, PersonId, Timestamp};
use serde::{Deserialize, Serialize};

use super::statement::{Facts, Texts};

/// Somebody on the staff who did something, as it was then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Author {
    /// Account.
    pub account: String,
    /// The human being behind it.
    pub person: PersonId,
    /// Name as colleagues read it.
    pub name: String,
}

/// One thing that happened, who did it, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentEvent {
    /// When.
    pub at: Timestamp,
    /// Who.
    #[serde(flatten)]
    pub by: Author,
    /// What.
    #[serde(flatten)]
    pub what: Happened,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Happened {
    /// The incident began.
    Opened {
        /// Its id: `IN-7F3K9Q`.
        incident: String,
        /// What colleagues call it.
        title: String,
        /// What it was opened from.
        source: Source,
        /// What it is about, as far as is known.
        scope: Scope,
        /// 16 random bytes, hexadecimal: signatures are made over it.
        nonce: String,
    },
    /// It is about something else, or more.
    ScopeChanged {
        /// What now.
        scope: Scope,
    },
    /// Somebody added a line to the timeline.
    LineAdded {
        /// When it was so.
        when: Timestamp,
        /// What.
        text: String,
        /// Where this is known from.
        source: String,
    },
    /// Somebody said how it stands with a customer.
    Marked {
        /// The customer's pseudonym.
        customer: String,
        /// How it stands.
        standing: Standing,
        /// Why.
        reason: String,
    },
    /// Something is to be done.
    TaskAdded {
        /// Its number, from 1.
        task: u32,
        /// What.
        text: String,
        /// A role of the procedure or an account.
        owner: String,
        /// Until when.
        due: Timestamp,
    },
    /// It came on.
    TaskMoved {
        /// Which.
        task: u32,
        /// How far.
        state: TaskState,
    },
    /// The public was told how it stands.
    UpdatePosted {
        /// Its number, from 1.
        update: u32,
        /// The incident in one sentence, as the public reads it.
        headline: String,
        /// How it stands.
        phase: Phase,
        /// More.
        text: String,
        /// When the next update comes; `None` only where it is over.
        next_at: Option<Timestamp>,
    },
    /// The statement was written on.
    DraftSaved {
        /// All versions of it, with fields not filled in.
        texts: Texts,
    },
    /// The statement is ready for the second person.
    Submitted {
        /// The versions, fields filled in: what is signed and published.
        texts: Texts,
        /// The facts they were filled with.
        facts: Facts,
        /// What is signed.
        digest: Digest,
        /// 16 random bytes, hexadecimal.
        nonce: String,
    },
    /// A second person signed it: it is public.
    Published {
        /// From 1; a correction is the next one.
        version: u32,
        /// The versions.
        texts: Texts,
        /// The facts.
        facts: Facts,
        /// What was signed.
        digest: Digest,
        /// See `submitted`.
        nonce: String,
        /// Who wrote it.
        authors: Vec<Author>,
        /// The signature.
        evidence: Evidence,
    },
    /// Letters to these customers are on their way.
    LettersSent {
        /// Pseudonyms; nobody is written to twice.
        customers: Vec<String>,
    },
    /// It is over and done with.
    Closed {
        /// Why it may be.
        because: Because,
    },
}

/// What an incident was opened from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "from", rename_all = "snake_case")]
pub enum Source {
    /// A case.
    Case {
        /// Which.
        case: CaseId,
    },
    /// An alarm.
    Alarm {
        /// Which.
        alarm: String,
    },
    /// Somebody knew of it.
    Hand,
}

/// What an incident is about. What is not named narrows nothing down.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    /// Cases.
    #[serde(default)]
    pub cases: Vec<CaseId>,
    /// Alarms, by id.
    #[serde(default)]
    pub alarms: Vec<String>,
    /// A customer, by pseudonym.
    #[serde(default)]
    pub customer: Option<String>,
    /// A staff account.
    #[serde(default)]
    pub agent: Option<String>,
    /// A connector.
    #[serde(default)]
    pub connector: Option<String>,
    /// An action, by name.
    #[serde(default)]
    pub action: Option<String>,
    /// A path of that action.
    #[serde(default)]
    pub path: Option<String>,
    /// From when.
    #[serde(default)]
    pub from: Option<Timestamp>,
    /// Until when.
    #[serde(default)]
    pub to: Option<Timestamp>,
}

/// How it stands with a customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// The incident touched their account.
    Affected,
    /// It did not.
    NotAffected,
    /// Nobody knows yet.
    Unknown,
}

/// How far a task is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskState {
    /// Whether to do it is being found out.
    Evaluated,
    /// It will be done.
    Planned,
    /// Somebody is at it.
    BeingDone,
    /// Done.
    Done,
}

/// How an incident stands, as the public reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Looking into it.
    Looking,
    /// Found.
    Found,
    /// Fixed, watching.
    Watching,
    /// Over.
    Over,
}

/// Why an incident may be closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum Because {
    /// Its cause is in the procedure as a promise that is kept.
    Promise {
        /// The promise in words.
        promise: String,
        /// Version of the procedure that keeps it.
        kept_by: String,
        /// Version at the time of the incident.
        then: String,
        /// How that one stood to it.
        stood: ThenStood,
    },
    /// Somebody senior who is not its author signed why no promise is needed.
    Signature {
        /// Why.
        reason: String,
        /// What was signed.
        digest: Digest,
        /// The signature.
        evidence: Evidence,
    },
}

/// How the procedure of the time stood to a promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ThenStood {
    /// It speaks of what that procedure did not know: nobody could have promised it.
    Absent,
    /// The claim, tried on that procedure, does not hold.
    Broken,
}

/// An incident: what its events amount to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incident {
    /// `IN-7F3K9Q`
    pub id: String,
    /// What colleagues call it.
    pub title: String,
    /// What it was opened from.
    pub source: Source,
    /// When.
    pub opened_at: Timestamp,
    /// By whom.
    pub opened_by: Author,
    /// See [`Happened::Opened`].
    pub nonce: String,
    /// What it is about.
    pub scope: Scope,
    /// Lines people added.
    pub lines: Vec<Line>,
    /// By pseudonym.
    pub marks: BTreeMap<String, Mark>,
    /// In the order of their numbers.
    pub tasks: Vec<Task>,
    /// Oldest first.
    pub updates: Vec<Update>,
    /// What was written of the statement and is not public yet.
    pub draft: Draft,
    /// What waits for the second person.
    pub submitted: Option<Submission>,
    /// Oldest first; never changed.
    pub published: Vec<Publication>,
    /// Pseudonyms of customers who were written to.
    pub lettered: BTreeSet<String>,
    /// How it ended.
    pub closed: Option<Closing>,
    /// How many events there are.
    pub version: u64,
}

/// A line somebody added to the timeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// When it was so.
    pub when: Timestamp,
    /// What.
    pub text: String,
    /// Where this is known from.
    pub source: String,
    /// Who added it.
    pub by: Author,
}

/// How it stands with a customer, and who says so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// How.
    pub standing: Standing,
    /// Why.
    pub reason: String,
    /// Who says so.
    pub by: Author,
    /// When.
    pub at: Timestamp,
}

/// Something to be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// From 1.
    pub task: u32,
    /// What.
    pub text: String,
    /// A role of the procedure or an account.
    pub owner: String,
    /// Until when.
    pub due: Timestamp,
    /// How far.
    pub state: TaskState,
}

/// What the public was told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Update {
    /// From 1.
    pub update: u32,
    /// When.
    pub at: Timestamp,
    /// In one sentence.
    pub headline: String,
    /// How it stood.
    pub phase: Phase,
    /// More.
    pub text: String,
    /// When the next one comes.
    pub next_at: Option<Timestamp>,
}

/// A statement being written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    /// All versions, with fields not filled in.
    pub texts: Texts,
    /// Everybody who wrote on it since the last publication.
    pub authors: Vec<Author>,
    /// How often it was saved.
    pub revision: u32,
}

/// A statement that waits for the second person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Submission {
    /// Fields filled in.
    pub texts: Texts,
    /// With these.
    pub facts: Facts,
    /// What is signed.
    pub digest: Digest,
    /// See [`Happened::Submitted`].
    pub nonce: String,
    /// By whom.
    pub by: Author,
    /// When.
    pub at: Timestamp,
}

/// A statement that is public.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Publication {
    /// From 1.
    pub version: u32,
    /// As published.
    pub texts: Texts,
    /// The facts in them.
    pub facts: Facts,
    /// What was signed.
    pub digest: Digest,
    /// Who wrote it.
    pub authors: Vec<Author>,
    /// Who signed it.
    pub signed_by: Author,
    /// When.
    pub at: Timestamp,
}

/// How an incident ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closing {
    /// When.
    pub at: Timestamp,
    /// Who closed it.
    pub by: Author,
    /// Why it could be.
    pub because: Because,
}

impl Incident {
    /// From its events, in order. `None` if the first one does not open it.
    pub fn replay<'a>(events: impl IntoIterator<Item = &'a IncidentEvent>) -> Option<Self> {
        events.into_iter().fold(None, evolve)
    }

    /// Whether anything of it is public.
    pub fn is_public(&self) -> bool {
        !self.updates.is_empty() || !self.published.is_empty()
    }

    /// The last thing the public was told.
    pub fn last_update(&self) -> Option<&Update> {
        self.updates.last()
    }

    /// When the next update was promised for, where that is past.
    pub fn overdue_since(&self, now: Timestamp) -> Option<Timestamp> {
        self.last_update()
            .and_then(|update| update.next_at)
            .filter(|next| *next < now)
    }

    /// Whether this person wrote on the statement, or handed it in.
    pub fn wrote(&self, person: &PersonId) -> bool {
        let handed_in = self.submitted.iter().map(|submitted| &submitted.by);
        self.draft
            .authors
            .iter()
            .chain(handed_in)
            .any(|author| author.person == *person)
    }

    /// How many customers were marked so.
    pub fn count(&self, standing: Standing) -> u64 {
        let marked = self.marks.values().filter(|mark| mark.standing == standing);
        marked.count().try_into().unwrap_or(u64::MAX)
    }
}

/// The incident after one more event.
pub(super) fn evolve(incident: Option<Incident>, event: &IncidentEvent) -> Option<Incident> {
    let Some(mut incident) = incident else {
        return opened(event);
    };
    let (at, by) = (event.at, || event.by.clone());
    match &event.what {
        // A second beginning is none.
        Happened::Opened { .. } => {}
        Happened::ScopeChanged { scope } => incident.scope = scope.clone(),
        Happened::LineAdded { when, text, source } => incident.lines.push(Line {
            when: *when,
            text: text.clone(),
            source: source.clone(),
            by: by(),
        }),
        Happened::Marked {
            customer,
            standing,
            reason,
        } => {
            let mark = Mark {
                standing: *standing,
                reason: reason.clone(),
                by: by(),
                at,
            };
            incident.marks.insert(customer.clone(), mark);
        }
        Happened::TaskAdded {
            task,
            text,
            owner,
            due,
        } => incident.tasks.push(Task {
            task: *task,
            text: text.clone(),
            owner: owner.clone(),
            due: *due,
            state: TaskState::Evaluated,
        }),
        Happened::TaskMoved { task, state } => {
            let moved = incident.tasks.iter_mut().find(|known| known.task == *task);
            if let Some(known) = moved {
                known.state = *state;
            }
        }
        Happened::UpdatePosted {
            update,
            headline,
            phase,
            text,
            next_at,
        } => incident.updates.push(Update {
            update: *update,
            at,
            headline: headline.clone(),
            phase: *phase,
            text: text.clone(),
            next_at: *next_at,
        }),
        Happened::DraftSaved { texts } => {
            incident.submitted = None;
            incident.draft.texts = texts.clone();
            incident.draft.revision += 1;
            if !incident.wrote(&event.by.person) {
                incident.draft.authors.push(by());
            }
        }
        Happened::Submitted {
            texts,
            facts,
            digest,
            nonce,
        } => {
            incident.submitted = Some(Submission {
                texts: texts.clone(),
                facts: facts.clone(),
                digest: *digest,
                nonce: nonce.clone(),
                by: by(),
                at,
            });
        }
        Happened::Published {
            version,
            texts,
            facts,
            digest,
            authors,
            ..
        } => {
            incident.submitted = None;
            incident.draft.authors.clear();
            incident.published.push(Publication {
                version: *version,
                texts: texts.clone(),
                facts: facts.clone(),
                digest: *digest,
                authors: authors.clone(),
                signed_by: by(),
                at,
            });
        }
        Happened::LettersSent { customers } => {
            incident.lettered.extend(customers.iter().cloned());
        }
        Happened::Closed { because } => {
            incident.closed = Some(Closing {
                at,
                by: by(),
                because: because.clone(),
            });
        }
    }
    incident.version += 1;
    Some(incident)
}

fn opened(event: &IncidentEvent) -> Option<Incident> {
    let Happened::Opened {
        incident,
        title,
        source,
        scope,
        nonce,
    } = &event.what
    else {
        return None;
    };
    Some(Incident {
        id: incident.clone(),
        title: title.clone(),
        source: source.clone(),
        opened_at: event.at,
        opened_by: event.by.clone(),
        nonce: nonce.clone(),
        scope: scope.clone(),
        lines: Vec::new(),
        marks: BTreeMap::new(),
        tasks: Vec::new(),
        updates: Vec::new(),
        draft: Draft::default(),
        submitted: None,
        published: Vec::new(),
        lettered: BTreeSet::new(),
        closed: None,
        version: 1,
    })
}

impl Happened {
    /// The event's kind in the journal.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Opened { .. } => "incident.opened",
            Self::ScopeChanged { .. } => "incident.scope_changed",
            Self::LineAdded { .. } => "incident.line_added",
            Self::Marked { .. } => "incident.marked",
            Self::TaskAdded { .. } => "incident.task_added",
            Self::TaskMoved { .. } => "incident.task_moved",
            Self::UpdatePosted { .. } => "incident.update_posted",
            Self::DraftSaved { .. } => "incident.draft_saved",
            Self::Submitted { .. } => "incident.submitted",
            Self::Published { .. } => "incident.published",
            Self::LettersSent { .. } => "incident.letters_sent",
            Self::Closed { .. } => "incident.closed",
        }
    }
}
