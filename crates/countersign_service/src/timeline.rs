//! What happened, as lines people read; and who did it, as far as the reader may know.

use countersign_cases::{
    Actor, ContactId, Event, EventKind, Outcome, StaffMember, Stopper, Timestamp,
};
use serde::Serialize;

use crate::{decisions::Loaded, lookups::holding_label};

/// One line of what happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TimelineEntry {
    /// When.
    pub at: Timestamp,
    /// The event's word, such as `proved`.
    pub kind: String,
    /// Who.
    pub who: WhoView,
    /// A sentence.
    pub words: String,
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
    let contact_label = |id: &ContactId| {
        let channel = loaded
            .customer
            .contacts
            .iter()
            .find(|contact| contact.id == *id)
            .map(|contact| &contact.channel);
        channel.map_or_else(
            || "a former contact".to_owned(),
            |channel| holding_label(&loaded.procedure, channel),
        )
    };
    let (kind, who, words) = match &event.kind {
        EventKind::Opened { by, .. } => ("opened", actor_view(by), "Case opened".to_owned()),
        EventKind::LinkUsed => ("link_used", customer, "Link opened and used".to_owned()),
        EventKind::Proved { proof, .. } => {
            let label = loaded
                .procedure
                .proofs
                .get(proof.index())
                .map_or("proof", |proof| proof.label.as_str());
            ("proved", customer, format!("Proven: {label}"))
        }
        EventKind::Confirmed => (
            "confirmed",
            customer,
            "Confirmed the exact words".to_owned(),
        ),
        EventKind::Vouched { by, text } => (
            "vouched",
            staff_view(by),
            format!("Gave their word: {text}"),
        ),
        EventKind::SignedOff { by, .. } => (
            "signed_off",
            staff_view(by),
            "Signed with a passkey".to_owned(),
        ),
        EventKind::Refused { by, reason, .. } => {
            ("refused", staff_view(by), format!("Refused: {reason}"))
        }
        EventKind::NoticesDue { contacts, .. } => (
            "notices_due",
            gate,
            format!("Notices to {} contacts are on their way", contacts.len()),
        ),
        EventKind::Notified {
            contact,
            handed_over: true,
        } => (
            "notified",
            gate,
            format!("Notice handed over: {}", contact_label(contact)),
        ),
        EventKind::Notified {
            contact,
            handed_over: false,
        } => (
            "notified",
            gate,
            format!("Notice could not be delivered: {}", contact_label(contact)),
        ),
        EventKind::WaitStarted { .. } => {
            ("wait_started", gate, "The waiting period began".to_owned())
        }
        EventKind::WaitVoid { .. } => (
            "wait_void",
            gate,
            "The waiting period counts no more: what it was earned with no longer holds".to_owned(),
        ),
        EventKind::Ready { .. } => ("ready", gate, "Nothing is missing".to_owned()),
        EventKind::NoLongerReady { .. } => (
            "no_longer_ready",
            gate,
            "A requirement no longer holds".to_owned(),
        ),
        EventKind::Granted { by, .. } => ("granted", actor_view(by), "Granted".to_owned()),
        EventKind::HandedOver => (
            "handed_over",
            gate,
            "Handed to the system that runs it".to_owned(),
        ),
        EventKind::Concluded {
            outcome: Outcome::Done,
        } => ("concluded", gate, "Done".to_owned()),
        EventKind::Concluded {
            outcome: Outcome::Failed { reason },
        } => (
            "concluded",
            gate,
            format!("Could not be carried out ({reason}); nothing changed"),
        ),
        EventKind::Concluded {
            outcome: Outcome::Unknown,
        } => (
            "concluded",
            gate,
            "No answer: it is not certain whether it happened".to_owned(),
        ),
        EventKind::Stopped { by, reason, .. } => (
            "stopped",
            stopper_view(by),
            with_reason("Stopped", reason.as_deref()),
        ),
        EventKind::StopCameTooLate { by, reason } => (
            "stop_came_too_late",
            stopper_view(by),
            with_reason("Tried to stop it, too late", reason.as_deref()),
        ),
        EventKind::Withdrawn { by } => ("withdrawn", actor_view(by), "Taken back".to_owned()),
        EventKind::Expired => ("expired", gate, "Ran out".to_owned()),
    };
    TimelineEntry {
        at: event.at,
        kind: kind.to_owned(),
        who,
        words,
    }
}

fn with_reason(words: &str, reason: Option<&str>) -> String {
    reason
        .filter(|reason| !reason.trim().is_empty())
        .map_or_else(|| words.to_owned(), |reason| format!("{words}: {reason}"))
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
