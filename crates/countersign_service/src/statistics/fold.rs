//! What one event adds to the sums: from the events of its case alone, and the procedure the case was opened under.
//!
//! Pure. The kept figures and a recount go through here and nowhere else.

use std::collections::BTreeSet;

use countersign_cases::{
    Actor, Event, EventKind, Outcome, PersonId, StaffMember, Stopper, Timestamp,
};
use countersign_language::{Action, Expr, Path, PathId, Procedure, ProofId, Requirement};

use super::rollup::{Rollup, Slice, count};

/// The name that stands for a path where there was no grant.
pub(crate) const NO_PATH: &str = "";

/// Steps whose time from the opening is kept, in the order they come.
pub(crate) const STEPS: [(&str, &str); 8] = [
    ("link", "Link opened"),
    ("proof", "First proof"),
    ("confirmed", "Words confirmed"),
    ("signed", "First signature"),
    ("told", "Everybody told"),
    ("ready", "Nothing missing"),
    ("granted", "Granted"),
    ("done", "Done"),
];

/// How far a customer had come who gave up, in order.
pub(crate) const GAVE_UP: [(&str, &str); 4] = [
    ("link", "did not open the link"),
    ("proof", "opened it and proved nothing"),
    ("confirm", "proved something and did not confirm"),
    ("others", "did their part and were left waiting for others"),
];

/// What the last of these events of one case adds. `None` where it adds nothing, or where the beginning of the case is gone.
pub(crate) fn of_case(events: &[Event], procedure: Option<&Procedure>) -> Option<(Slice, Rollup)> {
    let (last, before) = events.split_last()?;
    let case = Story::of(events, procedure)?;
    let mut sums = Rollup::default();
    let first = |of: fn(&EventKind) -> bool| !before.iter().any(|event| of(&event.kind));
    let mut timed = |step: &str| {
        let seconds = last.at.seconds_since(case.opened_at);
        sums.times.entry(step.to_owned()).or_default().add(seconds);
    };
    match &last.kind {
        EventKind::Opened { .. } => sums.opened = 1,
        EventKind::LinkUsed if first(|kind| matches!(kind, EventKind::LinkUsed)) => timed("link"),
        EventKind::Proved { proof, .. } => {
            if first(|kind| matches!(kind, EventKind::Proved { .. })) {
                timed("proof");
            }
            count(&mut sums.proofs, &case.proof_name(*proof));
        }
        EventKind::Confirmed if first(|kind| matches!(kind, EventKind::Confirmed)) => {
            timed("confirmed");
        }
        EventKind::SignedOff { by, .. } => {
            if first(|kind| matches!(kind, EventKind::SignedOff { .. })) {
                timed("signed");
            }
            answered(&mut sums, by, before, last.at, true);
        }
        EventKind::WaitStarted { .. }
            if first(|kind| matches!(kind, EventKind::WaitStarted { .. })) =>
        {
            timed("told");
        }
        EventKind::Ready { .. } if first(|kind| matches!(kind, EventKind::Ready { .. })) => {
            timed("ready");
        }
        EventKind::Granted { path, .. } => {
            timed("granted");
            let grants = sums.granted.entry(case.path_name(*path)).or_default();
            grants.count = 1;
            grants.exception = path.index() > 0;
        }
        EventKind::Concluded { outcome } => {
            let path = case.granted_path(before);
            let was_unknown = before.iter().any(|event| {
                let unknown = Outcome::Unknown;
                matches!(&event.kind, EventKind::Concluded { outcome } if *outcome == unknown)
            });
            if was_unknown {
                count(&mut sums.resolved, &path);
            }
            let word = match outcome {
                Outcome::Done => {
                    timed("done");
                    "done"
                }
                Outcome::Failed { .. } => "failed",
                Outcome::Unknown => "unknown",
            };
            count(sums.outcomes.entry(path).or_default(), word);
        }
        EventKind::Refused { by, .. } => {
            answered(&mut sums, by, before, last.at, false);
            case.ended(&mut sums, before, "refused");
        }
        EventKind::Stopped { by, .. } => {
            count(&mut sums.stops, stopper(by));
            case.ended(&mut sums, before, "stopped");
        }
        EventKind::StopCameTooLate { .. } => count(&mut sums.stops, "too_late"),
        EventKind::Withdrawn { .. } => case.ended(&mut sums, before, "withdrawn"),
        EventKind::Expired => case.ended(&mut sums, before, "expired"),
        _ => {}
    }
    (sums != Rollup::default()).then(|| (case.slice(), sums))
}

/// What a wrong answer in the case that begins with this event adds.
pub(crate) fn of_wrong_answer(
    opened: &Event,
    procedure: Option<&Procedure>,
    proof: &str,
    left: u64,
) -> Option<(Slice, Rollup)> {
    let case = Story::of(std::slice::from_ref(opened), procedure)?;
    let mut sums = Rollup::default();
    count(&mut sums.wrong, proof);
    if left == 0 {
        count(&mut sums.lockouts, proof);
    }
    Some((case.slice(), sums))
}

/// The version a case that begins with this event was opened under, hexadecimal.
pub(crate) fn version_of(opened: &Event) -> Option<&str> {
    match &opened.kind {
        EventKind::Opened { procedure, .. } => Some(procedure),
        _ => None,
    }
}

fn stopper(by: &Stopper) -> &'static str {
    match by {
        Stopper::Customer => "customer",
        Stopper::Contact(_) => "contact",
    }
}

fn answered(sums: &mut Rollup, by: &StaffMember, before: &[Event], at: Timestamp, signed: bool) {
    // The longest they can have spent on what they signed or refused: nobody can look at a change before it was made.
    let changed = before.last().map_or(at, |event| event.at);
    let seconds = at.seconds_since(changed);
    let answers = sums.approvers.entry(by.person.0.clone()).or_default();
    by.name.clone_into(&mut answers.name);
    answers.signed = u64::from(signed);
    answers.refused = u64::from(!signed);
    answers.seconds.add(seconds);
    let waits = sums.hours.entry(hour_of_week(at)).or_default();
    waits.count = 1;
    waits.seconds = seconds;
}

/// 0 is Monday, 00:00 to 01:00 UTC; 167 the last hour of Sunday.
fn hour_of_week(at: Timestamp) -> u8 {
    // 1 January 1970 was a Thursday.
    let hours = at.0.div_euclid(3_600_000) + 3 * 24;
    u8::try_from(hours.rem_euclid(168)).unwrap_or(0)
}

/// A case as its first event and its procedure tell it.
struct Story<'a> {
    opened_at: Timestamp,
    version: &'a str,
    action_name: &'a str,
    opener: Option<&'a StaffMember>,
    by: &'a Actor,
    action: Option<&'a Action>,
    procedure: Option<&'a Procedure>,
}

impl<'a> Story<'a> {
    fn of(events: &'a [Event], procedure: Option<&'a Procedure>) -> Option<Self> {
        let first = events.first()?;
        let EventKind::Opened {
            action,
            procedure: version,
            by,
            ..
        } = &first.kind
        else {
            return None;
        };
        Some(Self {
            opened_at: first.at,
            version,
            action_name: action,
            opener: match by {
                Actor::Staff(member) => Some(member),
                Actor::Customer | Actor::Gate => None,
            },
            by,
            action: procedure.and_then(|known| {
                let mut actions = known.actions.iter();
                actions.find(|candidate| candidate.name == *action)
            }),
            procedure,
        })
    }

    fn slice(&self) -> Slice {
        Slice {
            procedure: self.version.to_owned(),
            action: self.action_name.to_owned(),
            team: self.team(),
        }
    }

    fn team(&self) -> String {
        match (self.by, self.opener) {
            (_, Some(member)) if member.robot => "robot".to_owned(),
            (_, Some(member)) => {
                let roles = self.procedure.map_or(&[][..], |known| &known.roles);
                let held = member.roles.iter().filter_map(|id| roles.get(id.index()));
                held.max_by_key(|role| role.includes.len())
                    .map_or_else(|| "staff".to_owned(), |role| role.name.clone())
            }
            (Actor::Gate, None) => "gate".to_owned(),
            (_, None) => "customer".to_owned(),
        }
    }

    fn proof_name(&self, proof: ProofId) -> String {
        let proofs = self.procedure.map_or(&[][..], |known| &known.proofs);
        proofs
            .get(proof.index())
            .map_or_else(|| "proof".to_owned(), |proof| proof.name.clone())
    }

    fn path_name(&self, path: PathId) -> String {
        let path = self
            .action
            .and_then(|action| action.paths.get(path.index()));
        path.map_or_else(|| "path".to_owned(), |path| path.name.clone())
    }

    fn granted_path(&self, before: &[Event]) -> String {
        let granted = before.iter().rev().find_map(|event| match &event.kind {
            EventKind::Granted { path, .. } => Some(*path),
            _ => None,
        });
        granted.map_or_else(|| NO_PATH.to_owned(), |path| self.path_name(path))
    }

    /// The case ended without having run.
    fn ended(&self, sums: &mut Rollup, before: &[Event], outcome: &str) {
        let path = self.granted_path(before);
        let earned = path != NO_PATH;
        count(sums.outcomes.entry(path).or_default(), outcome);
        if earned {
            return;
        }
        if let Some(missing) = self.missing(before) {
            count(&mut sums.missing, &missing);
        }
        if matches!(outcome, "expired" | "withdrawn") {
            count(&mut sums.gave_up, self.how_far(before));
        }
    }

    fn how_far(&self, before: &[Event]) -> &'static str {
        let has = |of: fn(&EventKind) -> bool| before.iter().any(|event| of(&event.kind));
        if has(|kind| matches!(kind, EventKind::Confirmed)) {
            "others"
        } else if has(|kind| matches!(kind, EventKind::Proved { .. })) {
            "confirm"
        } else if self.opener.is_none() || has(|kind| matches!(kind, EventKind::LinkUsed)) {
            "proof"
        } else {
            "link"
        }
    }

    /// The first requirement not met on the path that had come furthest; the earlier path of two.
    fn missing(&self, before: &[Event]) -> Option<String> {
        let (action, procedure) = (self.action?, self.procedure?);
        let done = Done::of(before);
        if self.opener.is_some() && !done.link {
            return Some("open the link".to_owned());
        }
        let nearest = action
            .paths
            .iter()
            .zip(0_u32..)
            .map(|(path, number)| done.along(procedure, path, PathId(number)))
            .reduce(|best, next| if next.met > best.met { next } else { best })?;
        Some(nearest.missing)
    }
}

/// What had been done in a case.
#[derive(Default)]
struct Done {
    link: bool,
    confirmed: bool,
    proofs: BTreeSet<u32>,
    vouched: BTreeSet<String>,
    signed: BTreeSet<PersonId>,
    told: BTreeSet<PathId>,
    waited: BTreeSet<PathId>,
    ready: BTreeSet<PathId>,
}

/// How far a path had come.
struct Along {
    /// Per mille of its requirements.
    met: usize,
    /// The first one that was not.
    missing: String,
}

impl Done {
    fn of(events: &[Event]) -> Self {
        let mut done = Self::default();
        for event in events {
            match &event.kind {
                EventKind::LinkUsed => done.link = true,
                EventKind::Confirmed => done.confirmed = true,
                EventKind::Proved { proof, .. } => {
                    done.proofs.insert(proof.0);
                }
                EventKind::Vouched { text, .. } => {
                    done.vouched.insert(text.clone());
                }
                EventKind::SignedOff { by, .. } => {
                    done.signed.insert(by.person.clone());
                }
                EventKind::WaitStarted { path, .. } => {
                    done.told.insert(*path);
                }
                EventKind::WaitVoid { path } => {
                    done.told.remove(path);
                }
                EventKind::Ready { path, .. } => {
                    done.waited.insert(*path);
                    done.ready.insert(*path);
                }
                EventKind::NoLongerReady { path } => {
                    done.ready.remove(path);
                }
                _ => {}
            }
        }
        done
    }

    fn along(&self, procedure: &Procedure, path: &Path, id: PathId) -> Along {
        // The customer's confirmation stands behind what they prove and before what others do.
        let (theirs, others): (Vec<_>, Vec<_>) = path
            .lines
            .iter()
            .map(|line| &line.requirement)
            .partition(|requirement| matches!(requirement, Requirement::Prove(_)));
        let mut met = 0;
        let mut missing = None;
        let mut note = |gap: Option<String>| match gap {
            None => met += 1,
            Some(words) => missing = missing.take().or(Some(words)),
        };
        for requirement in &theirs {
            note(self.gap(procedure, requirement, id));
        }
        note((!self.confirmed).then(|| "confirm the words".to_owned()));
        for requirement in &others {
            note(self.gap(procedure, requirement, id));
        }
        let all = theirs.len() + others.len() + 1;
        Along {
            met: met * 1_000 / all,
            missing: missing.unwrap_or_else(|| {
                if self.ready.contains(&id) {
                    "run it".to_owned()
                } else {
                    // Everything that events can show was there: a backup, a condition or a limit was not.
                    unseen(path).unwrap_or_else(|| "run it".to_owned())
                }
            }),
        }
    }

    /// In words what is missing of a requirement; `None` where nothing is, or where events do not show it.
    fn gap(
        &self,
        procedure: &Procedure,
        requirement: &Requirement,
        path: PathId,
    ) -> Option<String> {
        match requirement {
            Requirement::Prove(expr) => self
                .unproved(procedure, expr)
                .map(|what| format!("prove {what}")),
            Requirement::Confirms { text, .. } => {
                (!self.vouched.contains(text)).then(|| format!("staff confirms: {text}"))
            }
            Requirement::SignOff { count, role } => {
                let signed = u32::try_from(self.signed.len()).unwrap_or(u32::MAX);
                let role = procedure.roles.get(role.index());
                (signed < *count).then(|| {
                    let label = role.map_or("colleague", |role| role.label.as_str());
                    format!("sign-off: {label}")
                })
            }
            Requirement::Notify { .. } => {
                let told = self.told.contains(&path) || self.ready.contains(&path);
                (!told).then(|| "notices handed over".to_owned())
            }
            Requirement::Wait(length) => {
                (!self.waited.contains(&path)).then(|| format!("wait {length}"))
            }
            Requirement::Backup { .. } | Requirement::When { .. } | Requirement::AtMost { .. } => {
                None
            }
        }
    }

    /// What is missing of an expression, in words; `None` if it holds.
    fn unproved(&self, procedure: &Procedure, expr: &Expr) -> Option<String> {
        match expr {
            Expr::Atom { proof, .. } => (!self.proofs.contains(&proof.0)).then(|| {
                let proof = procedure.proofs.get(proof.index());
                proof.map_or_else(|| "something".to_owned(), |proof| proof.label.clone())
            }),
            Expr::And(all) => all.iter().find_map(|each| self.unproved(procedure, each)),
            Expr::Or(any) => self.too_few(procedure, any, 1),
            Expr::NOf { n, of } => self.too_few(procedure, of, *n as usize),
        }
    }

    fn too_few(&self, procedure: &Procedure, of: &[Expr], needed: usize) -> Option<String> {
        let gaps: Vec<String> = of
            .iter()
            .filter_map(|each| self.unproved(procedure, each))
            .collect();
        (of.len() - gaps.len() < needed).then(|| gaps.join(" or "))
    }
}

fn unseen(path: &Path) -> Option<String> {
    path.lines.iter().find_map(|line| match &line.requirement {
        Requirement::Backup { within, .. } => Some(format!("backup within {within}")),
        Requirement::When { .. } => Some("condition (when)".to_owned()),
        Requirement::AtMost { count, per, .. } => Some(format!("at most {count} per {per}")),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weeks_begin_on_monday() {
        // Monday 23 November 2026, 10:00 UTC.
        assert_eq!(hour_of_week(Timestamp(1_795_428_000_000)), 10);
        assert_eq!(hour_of_week(Timestamp(0)), 3 * 24);
        assert_eq!(hour_of_week(Timestamp(-3_600_000)), 3 * 24 - 1);
    }
}
