//! What happened, as lines people read; and who did it, as far as the reader may know.

use countersign_cases::{
    Actor, ContactId, Event, EventKind, Outcome, StaffMember, Stopper, Timestamp,
};
use serde::Serialize;

use crate::{
    decisions::Loaded,
    lookups::holding_label,
    speech::{Arg, Key, Language},
};

/// One line of what happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TimelineEntry {
    /// When.
    pub at: Timestamp,
    /// The event's word, such as `proved`.
    pub kind: String,
    /// Who.
    pub who: WhoView,
    /// A sentence, in English.
    pub words: String,
    /// The same for a reader of any language.
    #[serde(skip)]
    pub told: ToldEvent,
}

/// What a line says: a message of the languages customers read, and what stands in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToldEvent {
    /// The message.
    pub key: Key,
    /// Name of the place, and what stands there.
    pub with: Option<(&'static str, Detail)>,
}

/// What stands in the place of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Detail {
    /// A label of the procedure.
    Label(String),
    /// Somebody's own words.
    Said(String),
    /// A number.
    Count(u64),
}

impl ToldEvent {
    fn new(key: Key) -> Self {
        Self { key, with: None }
    }

    fn with(key: Key, name: &'static str, detail: Detail) -> Self {
        Self {
            key,
            with: Some((name, detail)),
        }
    }

    /// As plain text.
    pub fn text(&self, language: Language) -> String {
        match &self.with {
            None => language.say(self.key),
            Some((name, Detail::Label(text) | Detail::Said(text))) => {
                language.tell(self.key, &[(name, Arg::Text(text))])
            }
            Some((name, Detail::Count(count))) => {
                language.tell(self.key, &[(name, Arg::Number(*count))])
            }
        }
    }
}

/// One event as a line people read.
pub(crate) fn timeline_entry(loaded: &Loaded, event: &Event) -> TimelineEntry {
    let customer = WhoView {
        kind: "customer",
        name: None,
    };
    let gate = WhoView {
        kind: "gate",
        name: None,
    };
    let plain = ToldEvent::new;
    let said = |key, name, words: &str| ToldEvent::with(key, name, Detail::Said(words.to_owned()));
    let (kind, who, told) = match &event.kind {
        EventKind::Opened { by, .. } => ("opened", actor_view(by), plain(Key("event-opened"))),
        EventKind::LinkUsed => ("link_used", customer, plain(Key("event-link-used"))),
        EventKind::Proved { proof, .. } => {
            let label = loaded
                .procedure
                .proofs
                .get(proof.index())
                .map_or("proof", |proof| proof.label.as_str());
            let label = Detail::Label(label.to_owned());
            let told = ToldEvent::with(Key("event-proved"), "label", label);
            ("proved", customer, told)
        }
        EventKind::Confirmed => ("confirmed", customer, plain(Key("event-confirmed"))),
        EventKind::Vouched { by, text } => (
            "vouched",
            staff_view(by),
            said(Key("event-vouched"), "text", text),
        ),
        EventKind::SignedOff { by, .. } => {
            ("signed_off", staff_view(by), plain(Key("event-signed")))
        }
        EventKind::Refused { by, reason, .. } => (
            "refused",
            staff_view(by),
            said(Key("event-refused"), "reason", reason),
        ),
        EventKind::NoticesDue { contacts, .. } => {
            let count = Detail::Count(u64::try_from(contacts.len()).unwrap_or(u64::MAX));
            let told = ToldEvent::with(Key("event-notices"), "count", count);
            ("notices_due", gate, told)
        }
        EventKind::Notified {
            contact,
            handed_over,
        } => ("notified", gate, notified(loaded, contact, *handed_over)),
        EventKind::WaitStarted { .. } => ("wait_started", gate, plain(Key("event-wait"))),
        EventKind::WaitVoid { .. } => ("wait_void", gate, plain(Key("event-wait-void"))),
        EventKind::Ready { .. } => ("ready", gate, plain(Key("event-ready"))),
        EventKind::NoLongerReady { .. } => ("no_longer_ready", gate, plain(Key("event-not-ready"))),
        EventKind::Granted { by, .. } => ("granted", actor_view(by), plain(Key("event-granted"))),
        EventKind::HandedOver => ("handed_over", gate, plain(Key("event-handed-over"))),
        EventKind::Concluded { outcome } => {
            let told = match outcome {
                Outcome::Done => plain(Key("event-done")),
                Outcome::Failed { reason } => said(Key("event-failed"), "reason", reason),
                Outcome::Unknown => plain(Key("event-unknown")),
            };
            ("concluded", gate, told)
        }
        EventKind::Stopped { by, reason, .. } => (
            "stopped",
            stopper_view(by),
            match given(reason.as_deref()) {
                Some(reason) => said(Key("event-stopped-because"), "reason", reason),
                None => plain(Key("event-stopped")),
            },
        ),
        EventKind::StopCameTooLate { by, reason } => (
            "stop_came_too_late",
            stopper_view(by),
            match given(reason.as_deref()) {
                Some(reason) => said(Key("event-too-late-because"), "reason", reason),
                None => plain(Key("event-too-late")),
            },
        ),
        EventKind::Withdrawn { by } => ("withdrawn", actor_view(by), plain(Key("event-withdrawn"))),
        EventKind::Expired => ("expired", gate, plain(Key("event-expired"))),
        EventKind::DrillTold { .. } => ("drill_told", gate, plain(Key("event-drill-told"))),
    };
    TimelineEntry {
        at: event.at,
        kind: kind.to_owned(),
        who,
        words: told.text(Language::English),
        told,
    }
}

fn notified(loaded: &Loaded, id: &ContactId, handed_over: bool) -> ToldEvent {
    let channel = loaded
        .customer
        .contacts
        .iter()
        .find(|contact| contact.id == *id)
        .map(|contact| holding_label(&loaded.procedure, &contact.channel));
    let (known, former) = if handed_over {
        (Key("event-notified"), Key("event-notified-former"))
    } else {
        (Key("event-not-notified"), Key("event-not-notified-former"))
    };
    channel.map_or_else(
        || ToldEvent::new(former),
        |label| ToldEvent::with(known, "label", Detail::Label(label)),
    )
}

fn given(reason: Option<&str>) -> Option<&str> {
    reason.filter(|reason| !reason.trim().is_empty())
}

/// Who did something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WhoView {
    /// `customer`, `staff`, `robot`, `gate`, `contact`.
    pub kind: &'static str,
    /// Name, where there is one.
    pub name: Option<String>,
}

pub(crate) fn actor_view(actor: &Actor) -> WhoView {
    match actor {
        Actor::Customer => WhoView {
            kind: "customer",
            name: None,
        },
        Actor::Staff(member) => staff_view(member),
        Actor::Gate => WhoView {
            kind: "gate",
            name: None,
        },
    }
}

pub(crate) fn staff_view(member: &StaffMember) -> WhoView {
    WhoView {
        kind: if member.robot { "robot" } else { "staff" },
        name: Some(member.name.clone()),
    }
}

pub(crate) fn stopper_view(stopper: &Stopper) -> WhoView {
    match stopper {
        Stopper::Customer => WhoView {
            kind: "customer",
            name: None,
        },
        // Which contact is nobody's business but the auditor's: naming it would tell one contact of another.
        Stopper::Contact(_) => WhoView {
            kind: "contact",
            name: None,
        },
    }
}
