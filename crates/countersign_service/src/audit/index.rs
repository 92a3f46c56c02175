//! The audit log's indexes: which events are of a kind, or by somebody, and on which day.
//!
//! Lists of positions in blocks, so that a page reads one or two records however long the log is. They say where to look and
//! nothing else: what is shown is read from the events.

use countersign_cases::{Actor, Event, EventKind, Stopper};
use countersign_store::StoredEvent;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::words::{Doer, doer};
use crate::{records, shell::Envelope};

/// Positions in one block.
const BLOCK_MAX: usize = 256;

/// A stretch of one list: positions in ascending order, each after the first as the distance to the one before.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Block {
    /// How many positions stand in earlier blocks of the list.
    before: u64,
    at: Vec<u64>,
}

impl Block {
    /// The newest block with these positions added, and those that follow it once it is full.
    pub(crate) fn grown(newest: Option<Self>, positions: &[u64]) -> Vec<Self> {
        let mut block = newest.unwrap_or_default();
        let mut last = block.last();
        let mut grown = Vec::new();
        for position in positions {
            if block.at.len() >= BLOCK_MAX {
                let next = Self {
                    before: block.total(),
                    at: Vec::new(),
                };
                grown.push(std::mem::replace(&mut block, next));
                last = 0;
            }
            block.at.push(position.saturating_sub(last));
            last = *position;
        }
        grown.push(block);
        grown
    }

    /// The record's key within a list.
    pub(crate) fn key(&self, list: &str) -> String {
        format!("{list}/{:016}", self.at.first().copied().unwrap_or(0))
    }

    /// How many positions there are up to the end of this block.
    pub(crate) fn total(&self) -> u64 {
        self.before + self.at.len() as u64
    }

    /// The positions themselves, ascending.
    pub(crate) fn positions(&self) -> impl Iterator<Item = u64> + '_ {
        self.at.iter().scan(0_u64, |sum, step| {
            *sum += step;
            Some(*sum)
        })
    }

    fn last(&self) -> u64 {
        self.at.iter().sum()
    }
}

/// Where the events of one day stand. Clocks are set back now and then, so other days' may stand between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Day {
    pub(crate) first: u64,
    pub(crate) last: u64,
    pub(crate) count: u64,
}

impl Day {
    /// Nothing yet; the first event stands here.
    pub(crate) fn at(position: u64) -> Self {
        Self {
            first: position,
            last: position,
            count: 0,
        }
    }

    pub(crate) fn add(&mut self, position: u64) {
        self.first = self.first.min(position);
        self.last = self.last.max(position);
        self.count += 1;
    }

    /// Both together.
    pub(crate) fn with(self, other: Self) -> Self {
        Self {
            first: self.first.min(other.first),
            last: self.last.max(other.last),
            count: self.count + other.count,
        }
    }
}

/// What kind of thing happened: what the filter offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuditKind {
    /// Signed in, out, or showed again who they are.
    SignedIn,
    /// A case was opened, its link made or used.
    Opened,
    /// The customer proved or confirmed, or staff gave their word.
    Proved,
    /// An answer was not right.
    WrongAnswer,
    /// A colleague refused.
    Refused,
    /// A colleague signed.
    Signed,
    /// Granted, handed over, and what became of it.
    Ran,
    /// Stopped, or tried to.
    Stopped,
    /// Taken back or ran out.
    Ended,
    /// Notices, waits, and a case becoming ready.
    Told,
    /// A procedure was proposed, signed or withdrawn.
    ChangedRules,
    /// Somebody looked a customer up, or read the log.
    LookedUp,
    /// Accounts and passkeys of staff.
    Accounts,
    /// Customers, what they hold, backups.
    Customers,
    /// Anything else.
    Other,
}

impl AuditKind {
    /// All, in the order of the filter.
    pub const ALL: [Self; 15] = [
        Self::SignedIn,
        Self::Opened,
        Self::Proved,
        Self::WrongAnswer,
        Self::Refused,
        Self::Signed,
        Self::Ran,
        Self::Stopped,
        Self::Ended,
        Self::Told,
        Self::ChangedRules,
        Self::LookedUp,
        Self::Accounts,
        Self::Customers,
        Self::Other,
    ];

    /// As in addresses: `signed_in`.
    pub fn word(self) -> &'static str {
        match self {
            Self::SignedIn => "signed_in",
            Self::Opened => "opened",
            Self::Proved => "proved",
            Self::WrongAnswer => "wrong_answer",
            Self::Refused => "refused",
            Self::Signed => "signed",
            Self::Ran => "ran",
            Self::Stopped => "stopped",
            Self::Ended => "ended",
            Self::Told => "told",
            Self::ChangedRules => "changed_rules",
            Self::LookedUp => "looked_up",
            Self::Accounts => "accounts",
            Self::Customers => "customers",
            Self::Other => "other",
        }
    }

    /// The kind of this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }

    /// The kind of an event.
    pub(crate) fn of(event: &str) -> Self {
        match event {
            "staff.signed_in" | "staff.signed_out" | "staff.stepped_up" => Self::SignedIn,
            "case.opened" | "case.link_used" | "staff.link_issued" => Self::Opened,
            "case.proved" | "case.confirmed" | "case.vouched" => Self::Proved,
            "customer.wrong_answer" => Self::WrongAnswer,
            "case.refused" => Self::Refused,
            "case.signed_off" => Self::Signed,
            "case.granted" | "case.handed_over" | "case.concluded" => Self::Ran,
            "case.stopped" | "case.stop_came_too_late" => Self::Stopped,
            "case.withdrawn" | "case.expired" => Self::Ended,
            "case.notices_due"
            | "case.notified"
            | "case.wait_started"
            | "case.wait_void"
            | "case.ready"
            | "case.no_longer_ready" => Self::Told,
            "staff.looked_up"
            | "staff.looked_at_case"
            | "staff.looked_at_entry"
            | "staff.exported_log" => Self::LookedUp,
            other if other.starts_with("procedure.") => Self::ChangedRules,
            other if other.starts_with("staff.") => Self::Accounts,
            other if other.starts_with("customer.") || other.starts_with("backup.") => {
                Self::Customers
            }
            _ => Self::Other,
        }
    }
}

/// The list of a kind.
pub(crate) fn of_kind(kind: AuditKind) -> String {
    format!("k.{}", kind.word())
}

/// The list of somebody, perhaps of one kind.
pub(crate) fn of_doer(who: &str, kind: Option<AuditKind>) -> String {
    let who = records::part(who);
    match kind {
        None => format!("w.{who}"),
        Some(kind) => format!("b.{}.{who}", kind.word()),
    }
}

/// The lists an event stands in.
pub(crate) fn lists_of(event: &StoredEvent) -> Vec<String> {
    let kind = AuditKind::of(&event.kind);
    let mut lists = vec![of_kind(kind)];
    // What cannot be read stands under its kind all the same.
    if let Some(who) = data_of(event).and_then(|data| doer(&event.kind, &data)) {
        lists.push(of_doer(who.key(), None));
        lists.push(of_doer(who.key(), Some(kind)));
    }
    lists
}

/// What an event says; `None` if it cannot be read.
pub(crate) fn data_of(event: &StoredEvent) -> Option<Value> {
    Envelope::open(event).ok().map(|envelope| envelope.data)
}

/// Who did what a case's event says.
pub(crate) fn doer_of_case(event: &Event) -> Doer {
    let actor = |actor: &Actor| match actor {
        Actor::Customer => Doer::Customer,
        Actor::Gate => Doer::Gate,
        Actor::Staff(member) => Doer::Person {
            id: member.person.0.clone(),
            name: member.name.clone(),
            robot: member.robot,
        },
    };
    match &event.kind {
        EventKind::Opened { by, .. }
        | EventKind::Granted { by, .. }
        | EventKind::Withdrawn { by } => actor(by),
        EventKind::Vouched { by, .. }
        | EventKind::SignedOff { by, .. }
        | EventKind::Refused { by, .. } => actor(&Actor::Staff(by.clone())),
        EventKind::LinkUsed | EventKind::Proved { .. } | EventKind::Confirmed => Doer::Customer,
        EventKind::Stopped { by, .. } | EventKind::StopCameTooLate { by, .. } => match by {
            Stopper::Customer => Doer::Customer,
            Stopper::Contact(_) => Doer::Contact,
        },
        _ => Doer::Gate,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_fill_one_after_the_other_and_lose_nothing() {
        let all: Vec<u64> = (1..=1_000).map(|n| n * n).collect();
        for step in [1, 7, 255, 256, 257, 1_000] {
            let mut blocks: Vec<Block> = Vec::new();
            for some in all.chunks(step) {
                let grown = Block::grown(blocks.pop(), some);
                blocks.extend(grown);
            }
            let positions: Vec<u64> = blocks.iter().flat_map(Block::positions).collect();
            assert_eq!(positions, all, "in steps of {step}");
            assert_eq!(blocks.len(), 4);
            assert_eq!(blocks.last().unwrap().total(), 1_000);
            let keys: Vec<String> = blocks.iter().map(|block| block.key("k.x")).collect();
            assert!(keys.is_sorted());
        }
    }

    #[test]
    fn every_kind_is_found_by_its_word() {
        for kind in AuditKind::ALL {
            assert_eq!(AuditKind::from_word(kind.word()), Some(kind));
        }
        assert_eq!(AuditKind::of("case.signed_off"), AuditKind::Signed);
        assert_eq!(AuditKind::of("staff.invited"), AuditKind::Accounts);
        assert_eq!(AuditKind::of("weather.changed"), AuditKind::Other);
    }
}
