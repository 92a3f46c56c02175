//! One line for each event, of whatever kind: who, and what, without anything a person typed or a customer is.

use countersign_cases::{Event, EventKind, Outcome};
use countersign_language::Procedure;
use serde_json::Value;

use super::index::doer_of_case;
use crate::timeline::WhoView;

/// Who did something, as events name them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Doer {
    /// The customer of the case.
    Customer,
    /// The gate itself.
    Gate,
    /// Somebody who was told and holds a stop link.
    Contact,
    /// Somebody on the staff, or a robot, by person, as a case names them.
    Person {
        /// Id of the person.
        id: String,
        /// Name then.
        name: String,
        /// A program.
        robot: bool,
    },
    /// A staff account or a machine, by its name.
    Named(String),
}

impl Doer {
    /// What they are looked for by.
    pub(crate) fn key(&self) -> &str {
        match self {
            Self::Customer => "customer",
            Self::Gate => "gate",
            Self::Contact => "contact",
            Self::Person { id, .. } | Self::Named(id) => id,
        }
    }

    /// As shown; `name_of` gives the name of an account.
    pub(crate) fn view(&self, name_of: impl Fn(&str) -> Option<String>) -> WhoView {
        let (kind, name) = match self {
            Self::Customer => ("customer", None),
            Self::Gate => ("gate", None),
            Self::Contact => ("contact", None),
            Self::Person { name, robot, .. } => {
                (if *robot { "robot" } else { "staff" }, Some(name.clone()))
            }
            Self::Named(id) => match name_of(id) {
                Some(name) => ("staff", Some(name)),
                None => ("machine", Some(id.clone())),
            },
        };
        WhoView { kind, name }
    }
}

/// Who did what an event says; `None` where it does not say.
pub(crate) fn doer(kind: &str, data: &Value) -> Option<Doer> {
    if kind.starts_with("case.") {
        let event: Event = serde_json::from_value(data.clone()).ok()?;
        return Some(doer_of_case(&event));
    }
    if matches!(kind, "customer.wrong_answer" | "customer.checker_asked") {
        return Some(Doer::Customer);
    }
    let text = |name: &str| data.get(name).and_then(Value::as_str).map(str::to_owned);
    // What is done to an account names both; whoever did it stands under `by`.
    text("by")
        .or_else(|| text("account"))
        .map(Doer::Named)
        .or_else(|| kind.starts_with("procedure.").then_some(Doer::Gate))
}

/// What happened, in words. `procedure` is the one the case was opened under.
pub(crate) fn words(kind: &str, data: &Value, procedure: Option<&Procedure>) -> String {
    if kind.starts_with("case.") {
        return serde_json::from_value::<Event>(data.clone()).map_or_else(
            |_| "This entry cannot be read".to_owned(),
            |event| of_case(&event, procedure),
        );
    }
    let text = |name: &str| data.get(name).and_then(Value::as_str).unwrap_or("");
    let holding = || {
        let name = text("holding");
        let known = procedure.and_then(|known| {
            let id = known.holding_named(name)?;
            known.holdings.get(id.index())
        });
        known.map_or_else(|| name.to_owned(), |holding| holding.label.clone())
    };
    match kind {
        "customer.wrong_answer" => {
            let proof = proof_label(procedure, text("proof"));
            match data.get("left").and_then(Value::as_u64) {
                Some(0) => format!("Answer not right: {proof}. Locked"),
                _ => format!("Answer not right: {proof}"),
            }
        }
        "customer.checker_asked" => {
            format!("Checker asked: {}", proof_label(procedure, text("proof")))
        }
        "customer.checker_silent" => {
            format!(
                "Checker did not answer: {}",
                proof_label(procedure, text("proof"))
            )
        }
        "customer.checker_failed" => {
            format!(
                "Checker could not be asked: {}",
                proof_label(procedure, text("proof"))
            )
        }
        "drill.planned" => "A drill planned".to_owned(),
        "drill.dropped" => "A planned drill dropped: it could not be played".to_owned(),
        "customer.put" => match data.get("created").and_then(Value::as_bool) {
            Some(true) => "Customer recorded".to_owned(),
            _ => "Customer changed".to_owned(),
        },
        "customer.factor_put" => format!("Holding recorded: {}", holding()),
        "customer.factor_removed" => format!("Holding removed: {}", holding()),
        "customer.passkey_added" => format!("Passkey registered: {}", holding()),
        "customer.erased" => "Customer erased, with all their cases".to_owned(),
        "backup.attested" => format!("Backup attested at {}", text("place")),
        "staff.signed_in" => "Signed in".to_owned(),
        "staff.signed_out" => "Signed out".to_owned(),
        "staff.stepped_up" => "Showed again that it is them".to_owned(),
        "staff.link_issued" => "Link made for the customer".to_owned(),
        "staff.looked_up" => "Looked customers up".to_owned(),
        "staff.looked_at_case" => "Saw a customer unmasked in a case".to_owned(),
        "staff.looked_at_entry" => "Read an entry of this log whole".to_owned(),
        "staff.exported_log" => "Exported this log".to_owned(),
        "staff.account_made" => format!("Account made: {}", text("account")),
        "staff.account_changed" => format!("Account changed: {}", text("account")),
        "staff.invited" => format!("Invited: {}", text("account")),
        "staff.passkey_added" => "Passkey registered".to_owned(),
        "staff.passkey_removed" => "Passkey removed".to_owned(),
        "staff.passkey_renamed" => "Passkey renamed".to_owned(),
        "staff.passkeys_dropped" => format!("All passkeys dropped: {}", text("account")),
        "reconciliation.done" => match data.get("uncovered").and_then(Value::as_u64) {
            Some(0) => format!("Log reconciled: {}", text("connector")),
            Some(n) => format!("Log reconciled: {}, {n} uncovered", text("connector")),
            None => "Log reconciled".to_owned(),
        },
        "procedure.activated" => format!("Procedure in force: {}", short(text("version"))),
        "procedure.proposed" => format!("Procedure proposed: {}", short(text("version"))),
        "procedure.proposal_withdrawn" => {
            format!("Proposed procedure withdrawn: {}", short(text("version")))
        }
        "alarm.raised" => format!("Alarm raised: {}", text("action")),
        "alarm.settled" => "Alarm settled".to_owned(),
        "alarm.taken" => format!("Alarm taken into incident {}", text("incident")),
        "incident.opened" => format!("Incident opened: {}", text("incident")),
        "incident.scope_changed" => "Said what an incident is about".to_owned(),
        "incident.line_added" => "Added a line to an incident".to_owned(),
        "incident.marked" => "Said how an incident stands with a customer".to_owned(),
        "incident.task_added" => "Added a task to an incident".to_owned(),
        "incident.task_moved" => "Moved a task of an incident on".to_owned(),
        "incident.update_posted" => "Told the public of an incident".to_owned(),
        "incident.draft_saved" => "Wrote on a statement".to_owned(),
        "incident.submitted" => "Handed a statement in".to_owned(),
        "incident.published" => "Published a statement with a passkey".to_owned(),
        "incident.letters_sent" => "Wrote to customers of an incident".to_owned(),
        "incident.closed" => "Closed an incident".to_owned(),
        other => other.replace(['.', '_'], " "),
    }
}

fn of_case(event: &Event, procedure: Option<&Procedure>) -> String {
    let contacts = |count: usize| match count {
        1 => "1 contact".to_owned(),
        n => format!("{n} contacts"),
    };
    match &event.kind {
        EventKind::Opened {
            action,
            action_index,
            ..
        } => {
            let known = procedure.and_then(|known| known.actions.get(action_index.index()));
            let label = known.map_or(action.as_str(), |action| action.label.as_str());
            format!("Case opened: {label}")
        }
        EventKind::LinkUsed => "Link opened and used".to_owned(),
        EventKind::Proved { proof, .. } => {
            let known = procedure.and_then(|known| known.proofs.get(proof.index()));
            format!(
                "Proven: {}",
                known.map_or("proof", |proof| proof.label.as_str())
            )
        }
        EventKind::Confirmed => "Confirmed the exact words".to_owned(),
        EventKind::Vouched { .. } => "Gave their word".to_owned(),
        EventKind::SignedOff { .. } => "Signed with a passkey".to_owned(),
        EventKind::Refused { .. } => "Refused".to_owned(),
        EventKind::NoticesDue { contacts: told, .. } => {
            format!("Notices to {} on their way", contacts(told.len()))
        }
        EventKind::Notified {
            handed_over: true, ..
        } => "Notice handed over".to_owned(),
        EventKind::Notified { .. } => "Notice could not be delivered".to_owned(),
        EventKind::WaitStarted { .. } => "The waiting period began".to_owned(),
        EventKind::WaitVoid { .. } => "The waiting period counts no more".to_owned(),
        EventKind::Ready { .. } => "Nothing is missing".to_owned(),
        EventKind::NoLongerReady { .. } => "A requirement no longer holds".to_owned(),
        EventKind::Granted { .. } => "Granted".to_owned(),
        EventKind::HandedOver => "Handed to the system that runs it".to_owned(),
        EventKind::Concluded { outcome } => match outcome {
            Outcome::Done => "Done".to_owned(),
            Outcome::Failed { .. } => "Could not be carried out; nothing changed".to_owned(),
            Outcome::Unknown => "No answer: it is not certain whether it happened".to_owned(),
        },
        EventKind::Stopped { .. } => "Stopped".to_owned(),
        EventKind::StopCameTooLate { .. } => "Tried to stop it, too late".to_owned(),
        EventKind::Withdrawn { .. } => "Taken back".to_owned(),
        EventKind::Expired => "Ran out".to_owned(),
        EventKind::DrillTold { .. } => "Told to have been a drill".to_owned(),
    }
}

fn proof_label(procedure: Option<&Procedure>, name: &str) -> String {
    let known = procedure.and_then(|known| {
        let mut proofs = known.proofs.iter();
        proofs.find(|proof| proof.name == name)
    });
    known.map_or_else(|| name.to_owned(), |proof| proof.label.clone())
}

/// The first characters of a version.
fn short(version: &str) -> String {
    version.chars().take(12).collect()
}
