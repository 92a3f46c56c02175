//! What is known of a case: the sum of its events.

use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet};

use countersign_language::{ActionId, PathId, Procedure, ProofId, Version};
use serde::{Deserialize, Serialize};

use crate::{
    Actor, CaseId, ContactId, CustomerId, Digest, DrillPlan, EarlierRefusal, Event, EventKind,
    Evidence, GrantId, Mark, Outcome, PersonId, StaffMember, Stopper, Timestamp,
};

/// A case, as its events so far make it. Changed by [`evolve`] alone.
//
// The order is that of memory: what `may_run` looks at comes first, within few cache lines, because
// a gate asks of one case after the other and finds each of them cold.
#[repr(C)]
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Case {
    state: State,
    expires_at: Timestamp,
    confirmed_at: Option<Timestamp>,
    /// Of [`Opened::procedure`], decoded once.
    procedure_version: Option<[u8; 32]>,
    proofs: Vec<ProofMade>,
    sign_offs: Vec<SignOff>,
    opened: Option<Opened>,
    waits: BTreeMap<PathId, Wait>,
    notified_for: BTreeMap<PathId, PathNotices>,
    notices: Vec<Notice>,
    vouches: Vec<Vouch>,
    version: u64,
    link_used_at: Option<Timestamp>,
    grant: Option<Grant>,
    failure: Option<String>,
    ending: Option<Ending>,
    late_stops: Vec<Stopper>,
    #[serde(default)]
    drill: Option<DrillPlan>,
}

/// Where a case is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum State {
    /// Not opened yet.
    #[default]
    None,
    /// Something is still missing.
    Open,
    /// Only time is missing; of several waits the one that ends first.
    Waiting {
        /// The path that waits.
        path: PathId,
        /// When its wait is over.
        until: Timestamp,
    },
    /// Nothing is missing.
    Ready {
        /// The complete path.
        path: PathId,
        /// True where nobody needs to say "run".
        runs_by_itself: bool,
    },
    /// A grant was made and not handed over yet; it can still be stopped.
    Granted,
    /// The grant was handed to the backend.
    Running,
    /// The backend did it.
    Done,
    /// The backend did not do it, and nothing changed.
    Failed,
    /// The backend did not answer: it may or may not have happened.
    Unknown,
    /// A colleague refused.
    Refused,
    /// The customer, or somebody notified, stopped it.
    Stopped,
    /// The opener or the customer took it back.
    Withdrawn,
    /// It ran out.
    Expired,
}

impl State {
    /// Open, waiting or ready: still before the grant.
    pub fn is_live(self) -> bool {
        matches!(self, Self::Open | Self::Waiting { .. } | Self::Ready { .. })
    }

    /// Nothing more will happen. An unknown outcome is not final.
    pub fn is_final(self) -> bool {
        matches!(
            self,
            Self::Done
                | Self::Failed
                | Self::Refused
                | Self::Stopped
                | Self::Withdrawn
                | Self::Expired
        )
    }

    /// The state in one word, as in the stored form.
    pub fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Open => "open",
            Self::Waiting { .. } => "waiting",
            Self::Ready { .. } => "ready",
            Self::Granted => "granted",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
            Self::Refused => "refused",
            Self::Stopped => "stopped",
            Self::Withdrawn => "withdrawn",
            Self::Expired => "expired",
        }
    }
}

/// What was asked for, by whom: fixed for the whole life of the case.
#[repr(C)] // Looked at first comes first; see `Case`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opened {
    /// Position of the action in the procedure the case was opened under.
    pub action_index: ActionId,
    /// Its id.
    pub case: CaseId,
    /// For whom.
    pub customer: CustomerId,
    /// Name of the action.
    pub action: String,
    /// Value by parameter name.
    pub parameters: BTreeMap<String, String>,
    /// Version of that procedure, hexadecimal.
    pub procedure: String,
    /// 128 random bits, hexadecimal.
    pub nonce: String,
    /// What everything about this case is bound to.
    pub digest: Digest,
    /// The sentence people see and sign.
    pub sentence: String,
    /// Who opened it.
    pub by: Actor,
    /// Why, in the opener's words.
    pub reason: Option<String>,
    /// Ticket or chat reference.
    pub reference: Option<String>,
    /// When.
    pub at: Timestamp,
    /// Earlier refusals of the same request.
    pub earlier: Vec<EarlierRefusal>,
    /// Whether it is a case or a drill, to whoever holds the salt.
    #[serde(default)]
    pub mark: Option<Mark>,
}

impl Opened {
    /// The member of staff who opened it, if the customer did not.
    pub fn opener(&self) -> Option<&StaffMember> {
        match &self.by {
            Actor::Staff(member) => Some(member),
            Actor::Customer | Actor::Gate => None,
        }
    }

    /// Whether this person opened it, from whichever account.
    pub fn is_opener(&self, person: &PersonId) -> bool {
        self.opener().is_some_and(|opener| opener.person == *person)
    }
}

/// A proof the customer made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProofMade {
    /// Which.
    pub proof: ProofId,
    /// When.
    pub at: Timestamp,
    /// Number of the event that recorded it, from 1.
    pub event: u64,
    /// What was kept of it. Boxed, so that looking through the proofs stays cheap.
    pub evidence: Box<Evidence>,
}

/// The word of the opener, or of a colleague beside them, for a `confirms` line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vouch {
    /// Who.
    pub by: StaffMember,
    /// For what.
    pub text: String,
    /// When.
    pub at: Timestamp,
    /// Number of the event that recorded it, from 1.
    pub event: u64,
}

/// A colleague's signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignOff {
    /// Who.
    pub by: StaffMember,
    /// Their assertion. Boxed, so that looking through the signatures stays cheap.
    pub evidence: Box<Evidence>,
    /// When.
    pub at: Timestamp,
    /// Number of the event that recorded it, from 1.
    pub event: u64,
    /// Whether it can fill a slot at all: of a person, not the opener, not concerned, who gave no word
    /// for the case, for the first time. `decide` refuses the others; nothing relies on that.
    pub counts: bool,
}

/// A notice to one contact. A contact is told once in a case, for whichever paths need it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// Whom.
    pub contact: ContactId,
    /// Since when it is to be sent.
    pub due_at: Timestamp,
    /// What became of it; `None` while it is on its way.
    pub answer: Option<NoticeAnswer>,
}

/// What became of a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeAnswer {
    /// True if it was handed over, false if it was refused for good.
    pub handed_over: bool,
    /// When.
    pub at: Timestamp,
    /// Number of the event that recorded it, from 1.
    pub event: u64,
}

/// The contacts a path's notices went to.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PathNotices {
    /// All of them.
    pub contacts: BTreeSet<ContactId>,
    /// Those that had not changed lately when they were named.
    pub settled: BTreeSet<ContactId>,
}

/// A wait that began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wait {
    /// When.
    pub started_at: Timestamp,
    /// When it is over.
    pub until: Timestamp,
    /// Number of the event that recorded it, from 1. Only what was earned before it counts after it.
    pub event: u64,
}

/// The one grant of a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// Its id.
    pub id: GrantId,
    /// The path that earned it.
    pub path: PathId,
    /// Who said run.
    pub by: Actor,
    /// When.
    pub at: Timestamp,
}

/// Who ended a case before it ran, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ending {
    /// Who; `None` where time did.
    pub by: Option<EndedBy>,
    /// Their words.
    pub reason: Option<String>,
    /// When.
    pub at: Timestamp,
    /// Until when the same request stays closed.
    pub closed_until: Option<Timestamp>,
}

/// Who ended a case before it ran.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndedBy {
    /// A colleague refused.
    Colleague(StaffMember),
    /// It was stopped.
    Stopper(Stopper),
    /// It was taken back.
    Withdrawer(Actor),
}

impl Case {
    /// Before it is opened.
    pub fn none() -> Self {
        Self::default()
    }

    /// The case these events make, first event first.
    pub fn replay<E: Borrow<Event>>(events: impl IntoIterator<Item = E>) -> Self {
        events
            .into_iter()
            .fold(Self::none(), |case, event| evolve(case, event.borrow()))
    }

    /// How many events it has.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Where it is in its life.
    pub fn state(&self) -> State {
        self.state
    }

    /// What was asked for; `None` before it is opened.
    pub fn opened(&self) -> Option<&Opened> {
        self.opened.as_ref()
    }

    /// Its id; `None` before it is opened.
    pub fn id(&self) -> Option<&CaseId> {
        self.opened.as_ref().map(|opened| &opened.case)
    }

    /// What everything about it is bound to; `None` before it is opened.
    pub fn digest(&self) -> Option<Digest> {
        self.opened.as_ref().map(|opened| opened.digest)
    }

    /// Version of the procedure it was opened under; `None` before it is opened.
    pub fn procedure(&self) -> Option<Version> {
        self.procedure_version.map(Version)
    }

    /// Whether this is the procedure it was opened under. Its version covers the order of actions, so
    /// that [`Opened::action_index`] means the same action.
    pub(crate) fn is_under(&self, procedure: &Procedure) -> bool {
        self.procedure_version.as_ref() == Some(&procedure.version.0)
    }

    /// When it runs out if nothing ends it before.
    pub fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    /// Whether the customer's link must be used before the customer can do anything: a member of staff opened it.
    pub fn needs_link(&self) -> bool {
        self.opened
            .as_ref()
            .is_some_and(|opened| opened.opener().is_some())
    }

    /// When the customer's link was used.
    pub fn link_used_at(&self) -> Option<Timestamp> {
        self.link_used_at
    }

    /// When the customer confirmed the sentence.
    pub fn confirmed_at(&self) -> Option<Timestamp> {
        self.confirmed_at
    }

    /// Proofs made, in order. A proof that was made again after its holding changed is here twice.
    pub fn proofs(&self) -> &[ProofMade] {
        &self.proofs
    }

    /// The words of the opener and of colleagues, in order.
    pub fn vouches(&self) -> &[Vouch] {
        &self.vouches
    }

    /// Signatures, in order.
    pub fn sign_offs(&self) -> &[SignOff] {
        &self.sign_offs
    }

    /// Notices, in the order they became due.
    pub fn notices(&self) -> &[Notice] {
        &self.notices
    }

    /// The notice to this contact, if one was due.
    pub fn notice_to(&self, contact: &ContactId) -> Option<&Notice> {
        self.notices
            .iter()
            .find(|notice| notice.contact == *contact)
    }

    /// The contacts this path's notices went to, if they are due.
    pub fn notified_for(&self, path: PathId) -> Option<&PathNotices> {
        self.notified_for.get(&path)
    }

    /// The wait of this path, if it began.
    pub fn wait_of(&self, path: PathId) -> Option<&Wait> {
        self.waits.get(&path)
    }

    /// The next instant at which time alone may change this case: a wait is over, or it expires.
    pub fn next_deadline(&self, now: Timestamp) -> Option<Timestamp> {
        self.state.is_live().then(|| {
            let waits = self
                .waits
                .values()
                .map(|wait| wait.until)
                .filter(|until| *until > now);
            waits
                .chain([self.expires_at])
                .min()
                .unwrap_or(self.expires_at)
        })
    }

    /// Its grant, if one was made.
    pub fn grant(&self) -> Option<&Grant> {
        self.grant.as_ref()
    }

    /// The backend's reason, if it failed.
    pub fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }

    /// Who ended it before it ran, if anyone did.
    pub fn ending(&self) -> Option<&Ending> {
        self.ending.as_ref()
    }

    /// What it was, if it was a drill and that was told. While a drill runs this is `None`, as in any case.
    pub fn drill(&self) -> Option<&DrillPlan> {
        self.drill.as_ref()
    }

    /// Who tried to stop it when it was too late.
    pub fn late_stops(&self) -> &[Stopper] {
        &self.late_stops
    }

    /// Where it rests while no path is complete.
    fn resting(&self, now: Timestamp) -> State {
        self.waits
            .iter()
            .filter(|(_, wait)| wait.until > now)
            .min_by_key(|(_, wait)| wait.until)
            .map_or(State::Open, |(path, wait)| State::Waiting {
                path: *path,
                until: wait.until,
            })
    }
}

/// The case after this event. Total: it judges nothing, for what happened has happened.
#[must_use]
pub fn evolve(mut case: Case, event: &Event) -> Case {
    let at = event.at;
    case.version = case.version.saturating_add(1);
    let number = case.version;
    match &event.kind {
        EventKind::Opened {
            case: id,
            customer,
            action,
            action_index,
            parameters,
            procedure,
            nonce,
            digest,
            sentence,
            by,
            reason,
            reference,
            expires_at,
            earlier,
            mark,
        } => {
            case.state = State::Open;
            case.expires_at = *expires_at;
            case.procedure_version = Digest::from_hex(procedure).map(|version| version.0);
            case.opened = Some(Opened {
                case: id.clone(),
                customer: customer.clone(),
                action: action.clone(),
                action_index: *action_index,
                parameters: parameters.clone(),
                procedure: procedure.clone(),
                nonce: nonce.clone(),
                digest: *digest,
                sentence: sentence.clone(),
                by: by.clone(),
                reason: reason.clone(),
                reference: reference.clone(),
                at,
                earlier: earlier.clone(),
                mark: *mark,
            });
        }
        EventKind::LinkUsed => case.link_used_at = Some(at),
        EventKind::Proved { proof, evidence } => case.proofs.push(ProofMade {
            proof: *proof,
            at,
            event: number,
            evidence: Box::new(evidence.clone()),
        }),
        EventKind::Confirmed => case.confirmed_at = Some(at),
        EventKind::Vouched { by, text } => case.vouches.push(Vouch {
            by: by.clone(),
            text: text.clone(),
            at,
            event: number,
        }),
        EventKind::SignedOff { by, evidence } => {
            let own = case
                .opened()
                .is_some_and(|opened| opened.is_opener(&by.person));
            let again = case
                .sign_offs
                .iter()
                .any(|other| other.by.person == by.person);
            let vouched = case
                .vouches
                .iter()
                .any(|vouch| vouch.by.person == by.person);
            case.sign_offs.push(SignOff {
                by: by.clone(),
                evidence: Box::new(evidence.clone()),
                at,
                event: number,
                counts: !(own || again || vouched || by.robot || by.concerned),
            });
        }
        EventKind::Refused {
            by,
            reason,
            closed_until,
        } => {
            case.state = State::Refused;
            case.ending = Some(Ending {
                by: Some(EndedBy::Colleague(by.clone())),
                reason: Some(reason.clone()),
                at,
                closed_until: Some(*closed_until),
            });
        }
        EventKind::NoticesDue {
            path,
            contacts,
            named_before,
            settled,
        } => {
            for contact in contacts {
                if case.notice_to(contact).is_none() {
                    case.notices.push(Notice {
                        contact: contact.clone(),
                        due_at: at,
                        answer: None,
                    });
                }
            }
            let of_path = case.notified_for.entry(*path).or_default();
            of_path
                .contacts
                .extend(contacts.iter().chain(named_before).cloned());
            of_path.settled.extend(settled.iter().cloned());
        }
        EventKind::Notified {
            contact,
            handed_over,
        } => {
            if let Some(notice) = case
                .notices
                .iter_mut()
                .find(|notice| notice.contact == *contact)
            {
                notice.answer = Some(NoticeAnswer {
                    handed_over: *handed_over,
                    at,
                    event: number,
                });
            }
        }
        EventKind::WaitStarted {
            path,
            until,
            expires_at,
        } => {
            case.waits.insert(
                *path,
                Wait {
                    started_at: at,
                    until: *until,
                    event: number,
                },
            );
            case.expires_at = *expires_at;
            case.state = case.resting(at);
        }
        EventKind::WaitVoid { path } => {
            case.waits.remove(path);
            case.state = case.resting(at);
        }
        EventKind::Ready {
            path,
            runs_by_itself,
        } => {
            case.state = State::Ready {
                path: *path,
                runs_by_itself: *runs_by_itself,
            };
        }
        EventKind::NoLongerReady { .. } => case.state = case.resting(at),
        EventKind::Granted { path, by, grant } => {
            case.state = State::Granted;
            case.grant = Some(Grant {
                id: *grant,
                path: *path,
                by: by.clone(),
                at,
            });
        }
        EventKind::HandedOver => case.state = State::Running,
        EventKind::Concluded { outcome } => {
            case.state = match outcome {
                Outcome::Done => State::Done,
                Outcome::Failed { .. } => State::Failed,
                Outcome::Unknown => State::Unknown,
            };
            if let Outcome::Failed { reason } = outcome {
                case.failure = Some(reason.clone());
            }
        }
        EventKind::Stopped {
            by,
            reason,
            closed_until,
        } => {
            case.state = State::Stopped;
            case.ending = Some(Ending {
                by: Some(EndedBy::Stopper(by.clone())),
                reason: reason.clone(),
                at,
                closed_until: Some(*closed_until),
            });
        }
        EventKind::StopCameTooLate { by, .. } => case.late_stops.push(by.clone()),
        EventKind::Withdrawn { by } => {
            case.state = State::Withdrawn;
            case.ending = Some(Ending {
                by: Some(EndedBy::Withdrawer(by.clone())),
                reason: None,
                at,
                closed_until: None,
            });
        }
        EventKind::DrillTold { plan, .. } => case.drill = Some(plan.clone()),
        EventKind::Expired => {
            case.state = State::Expired;
            case.ending = Some(Ending {
                by: None,
                reason: None,
                at,
                closed_until: None,
            });
        }
    }
    case
}
