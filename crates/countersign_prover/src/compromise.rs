//! What a thief may have got before anything is asked of the gate, and its names.

use std::collections::BTreeMap;

use countersign_language::{HoldingId, HoldingKind, Procedure, RoleId, Target};

use crate::system::Choice;

/// One member of an attack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Compromise {
    /// This holding is stolen, hijacked or taken.
    Holding(HoldingId),
    /// So many people of exactly this role are fooled or bribed. Counts as so many in a size.
    Deceived {
        /// Their role.
        role: RoleId,
        /// How many; at least 1.
        count: u32,
    },
    /// Nobody reads the notices.
    NoticesUnread,
}

impl Compromise {
    /// Its name in answers: `mailbox hijacked`, `agent deceived`, `2 agent deceived`, `notices unread`.
    pub fn name(self, procedure: &Procedure) -> String {
        match self {
            Self::Holding(id) => {
                procedure
                    .holdings
                    .get(id.index())
                    .map_or_else(String::new, |holding| {
                        let fate = match holding.kind {
                            HoldingKind::Secret => "stolen",
                            HoldingKind::Channel => "hijacked",
                            HoldingKind::Device => "taken",
                            HoldingKind::State => "reached",
                        };
                        format!("{} {fate}", holding.name)
                    })
            }
            Self::Deceived { role, count } => {
                let name = procedure
                    .roles
                    .get(role.index())
                    .map_or("", |role| role.name.as_str());
                if count == 1 {
                    format!("{name} deceived")
                } else {
                    format!("{count} {name} deceived")
                }
            }
            Self::NoticesUnread => "notices unread".to_owned(),
        }
    }

    /// How much it adds to the size of a set: people count each.
    pub fn size(self) -> usize {
        match self {
            Self::Deceived { count, .. } => count as usize,
            Self::Holding(_) | Self::NoticesUnread => 1,
        }
    }
}

/// Names of a set, sorted.
pub fn names(procedure: &Procedure, set: &[Compromise]) -> Vec<String> {
    let mut names: Vec<String> = set
        .iter()
        .map(|compromise| compromise.name(procedure))
        .collect();
    names.sort_unstable();
    names
}

/// Name of a loss or action.
pub fn target_name(procedure: &Procedure, target: Target) -> &str {
    match target {
        Target::Loss(id) => procedure
            .losses
            .get(id.index())
            .map_or("", |loss| loss.name.as_str()),
        Target::Action(id) => procedure
            .actions
            .get(id.index())
            .map_or("", |action| action.name.as_str()),
    }
}

/// Chosen holdings, people and unread notices as one set, people of one role counted together.
pub(crate) fn compromises(choices: impl IntoIterator<Item = Choice>) -> Vec<Compromise> {
    let mut set = Vec::new();
    let mut people: BTreeMap<RoleId, u32> = BTreeMap::new();
    for choice in choices {
        match choice {
            Choice::Holding(holding) => set.push(Compromise::Holding(holding)),
            Choice::Person(role, _) => *people.entry(role).or_default() += 1,
            Choice::NoticesUnread => set.push(Compromise::NoticesUnread),
            Choice::Wait(..) | Choice::Settle(..) => {}
        }
    }
    set.extend(
        people
            .into_iter()
            .map(|(role, count)| Compromise::Deceived { role, count }),
    );
    set.sort_unstable();
    set
}

/// The other way round: each person of a count is one choice.
pub(crate) fn choices(set: &[Compromise]) -> Vec<Choice> {
    let mut choices = Vec::new();
    for &compromise in set {
        match compromise {
            Compromise::Holding(holding) => choices.push(Choice::Holding(holding)),
            Compromise::Deceived { role, count } => {
                choices.extend(
                    (1..=count.min(crate::system::PEOPLE_MAX)).map(|nth| Choice::Person(role, nth)),
                );
            }
            Compromise::NoticesUnread => choices.push(Choice::NoticesUnread),
        }
    }
    choices
}
