//! What can be asked besides promises: attacks, reach, lockout.

#![expect(
    clippy::indexing_slicing,
    reason = "every index in a checked `Procedure` and its `System` is in range"
)]

use std::collections::BTreeMap;

use countersign_language::{ActionId, HoldingId, LossId, PathId, Procedure, Target};

use crate::{
    cheapest::{self, WORK},
    compromise::{Compromise, choices, names},
    graph::{FALSE, Focused, Marks, Node, focus, number},
    minimal::{self, SIZE_MAX, Stop},
    narrate::{self, Attack},
    search::Budget,
    system::System,
    verdict::{self, Missing, Way},
};

/// When a question that may explode stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// So many sets are enough.
    pub sets: usize,
    /// So many sets are tried at most.
    pub tried: u64,
    /// So many candidate sets are remembered at most (about 40 bytes each).
    pub candidates: usize,
}

impl Default for Limits {
    /// About ten seconds and 400 MB at the worst.
    fn default() -> Self {
        Self {
            sets: 500_000,
            tried: 20_000_000,
            candidates: 8_000_000,
        }
    }
}

/// All minimal attacks up to a size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attacks {
    /// Any of these is reached.
    pub on: Vec<Target>,
    /// The size asked for.
    pub at_most: usize,
    /// Every minimal set up to this size is listed; `at_most` unless a limit was reached.
    pub complete_to: usize,
    /// The sets, by the order of their names.
    pub sets: Vec<Vec<Compromise>>,
    /// The same by name: members sorted, sets sorted.
    pub names: Vec<Vec<String>>,
}

impl Attacks {
    /// Nothing of the size asked for is missing.
    pub fn complete(&self) -> bool {
        self.complete_to >= self.at_most
    }
}

/// All minimal sets of compromises of at most `at_most` that reach any of `on`.
pub fn attacks(procedure: &Procedure, on: &[Target], at_most: usize, limits: Limits) -> Attacks {
    System::compile(procedure).attacks(procedure, on, at_most, limits)
}

/// The cheapest attack on any of `on`, told in steps; none if there is none at all.
///
/// `price` gives each single compromise (one person at a time) what it costs a thief.
pub fn cheapest(
    procedure: &Procedure,
    on: &[Target],
    price: impl Fn(Compromise) -> u64,
) -> Option<Cheapest> {
    System::compile(procedure).cheapest(procedure, on, price)
}

/// A cheapest attack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cheapest {
    /// The attack.
    pub attack: Attack,
    /// What it costs.
    pub price: u64,
    /// No attack costs less than this.
    pub at_least: u64,
    /// No attack is cheaper; false if the search stopped at its limit first, with the cheapest between `at_least` and `price`.
    pub proved: bool,
}

/// What somebody can get and do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reach {
    /// What they started with.
    pub with: Vec<Compromise>,
    /// Actions they can have done, in file order, with a path that is open to them.
    pub actions: Vec<(ActionId, PathId)>,
    /// Holdings they come to own that they did not start with.
    pub own: Vec<HoldingId>,
    /// Holdings they can replace by one of their choosing.
    pub new: Vec<HoldingId>,
    /// Losses they can cause.
    pub losses: Vec<LossId>,
}

/// Everything somebody can do who has these.
pub fn reach(procedure: &Procedure, with: &[Compromise]) -> Reach {
    let mut system = System::compile(procedure);
    if system.left_out.is_some() {
        // How many people there are is known here, and with that who can fill which slot.
        let mut people = BTreeMap::new();
        for &one in with {
            if let Compromise::Deceived { role, count } = one {
                let all: &mut u32 = people.entry(role).or_default();
                *all = all.saturating_add(count);
            }
        }
        system = System::compile_with_people(procedure, &people);
    }
    // Once only: to number the nodes anew would take longer than to ask.
    let mut marks = Marks::new(&system.graph);
    marks.close(
        &system.graph,
        with.iter().flat_map(|&compromise| system.nodes(compromise)),
    );
    answer(&system, with, |node| marks.holds(node))
}

/// What of the system holds, as an answer.
pub(crate) fn answer(system: &System, with: &[Compromise], holds: impl Fn(Node) -> bool) -> Reach {
    let holds = |node| node != FALSE && holds(node);
    let held = |nodes: &[Node]| -> Vec<u32> {
        (0..)
            .zip(nodes)
            .filter(|&(_, &node)| holds(node))
            .map(|(index, _)| index)
            .collect()
    };
    let actions = held(&system.actions)
        .into_iter()
        .filter_map(|index| {
            let guards = system.guards(ActionId(index));
            let path = guards.iter().position(|&guard| holds(guard))?;
            Some((ActionId(index), PathId(number(path))))
        })
        .collect();
    let started = |id: &HoldingId| with.contains(&Compromise::Holding(*id));
    Reach {
        with: with.to_vec(),
        actions,
        own: held(&system.own)
            .into_iter()
            .map(HoldingId)
            .filter(|id| !started(id))
            .collect(),
        new: held(&system.new).into_iter().map(HoldingId).collect(),
        losses: held(&system.losses).into_iter().map(LossId).collect(),
    }
}

/// What an honest customer who has lost something can still do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lockout {
    /// What they have lost.
    pub without: Vec<HoldingId>,
    /// Every action, in file order.
    pub actions: Vec<Access>,
}

/// How an honest customer gets to one action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// The action.
    pub action: ActionId,
    /// The quickest way; none if they are locked out.
    pub way: Option<Way>,
    /// What keeps them out.
    pub missing: Vec<Missing>,
}

/// What an honest customer without these holdings can still do, and how fast.
pub fn lockout(procedure: &Procedure, without: &[HoldingId]) -> Lockout {
    let system = System::compile_honest(procedure);
    let starting = verdict::starting(procedure, &system, without);
    let actions = (0..number(procedure.actions.len()))
        .map(ActionId)
        .map(|action| {
            let way = verdict::quickest(procedure, &system, without, action);
            let missing = if way.is_some() {
                Vec::new()
            } else {
                verdict::locked_out(procedure, &system, &starting, action)
            };
            Access {
                action,
                way,
                missing,
            }
        })
        .collect();
    Lockout {
        without: without.to_vec(),
        actions,
    }
}

impl System {
    /// See [`attacks`].
    pub fn attacks(
        &self,
        procedure: &Procedure,
        on: &[Target],
        at_most: usize,
        limits: Limits,
    ) -> Attacks {
        let targets: Vec<Node> = on.iter().map(|&target| self.target(target)).collect();
        let choices: Vec<(Node, u32)> = (0..)
            .zip(&self.choices)
            .map(|(index, &(_, node))| (node, index))
            .collect();
        let (sets, complete_to) = match focus(&self.graph, &targets, &[], &choices) {
            Focused::Holds => (vec![Vec::new()], at_most),
            Focused::Beyond => (Vec::new(), at_most),
            Focused::Open(focus) => {
                let stop = Stop {
                    sets: limits.sets,
                    tried: limits.tried,
                    candidates: limits.candidates,
                };
                let found = minimal::minimal_sets(&focus, at_most, stop);
                let names = |set: Vec<u32>| {
                    narrate::set_of(
                        self,
                        set.into_iter()
                            .map(|choice| focus.choices[choice as usize].1),
                    )
                };
                // Asking for more than the whole is asking for the whole.
                let whole = at_most.min(SIZE_MAX).min(focus.choices.len());
                let complete_to =
                    if found.complete_to >= whole && at_most <= SIZE_MAX.max(focus.choices.len()) {
                        at_most
                    } else {
                        found.complete_to
                    };
                (found.sets.into_iter().map(names).collect(), complete_to)
            }
        };
        // A path that is left out asks for so many people that no smaller set is missing.
        let written = self
            .left_out
            .map_or(usize::MAX, |people| people as usize - 1);
        let complete_to = if sets.iter().any(Vec::is_empty) {
            complete_to
        } else {
            complete_to.min(written)
        };
        let mut by_name: Vec<(Vec<String>, Vec<Compromise>)> = sets
            .into_iter()
            .map(|set| (names(procedure, &set), set))
            .collect();
        by_name.sort_unstable();
        let (names, sets) = by_name.into_iter().unzip();
        Attacks {
            on: on.to_vec(),
            at_most,
            complete_to,
            sets,
            names,
        }
    }

    /// See [`cheapest`].
    pub fn cheapest(
        &self,
        procedure: &Procedure,
        on: &[Target],
        price: impl Fn(Compromise) -> u64,
    ) -> Option<Cheapest> {
        let targets: Vec<Node> = on.iter().map(|&target| self.target(target)).collect();
        let choices: Vec<(Node, u32)> = (0..)
            .zip(&self.choices)
            .map(|(index, &(_, node))| (node, index))
            .collect();
        let (set, at_least) = match focus(&self.graph, &targets, &[], &choices) {
            Focused::Holds => (Vec::new(), 0),
            Focused::Beyond => return None,
            Focused::Open(focus) => {
                let price = |&(_, index): &(Node, u32)| {
                    let one = narrate::set_of(self, [index]);
                    one.first().map_or(0, |&compromise| price(compromise))
                };
                let budget = Budget {
                    class: vec![0; focus.choices.len()],
                    limit: vec![u64::MAX],
                    price: focus.choices.iter().map(price).collect(),
                };
                let best = cheapest::cheapest(&focus, &budget, None, WORK)?;
                let set: Vec<u32> = best
                    .set
                    .iter()
                    .map(|&choice| focus.choices[choice as usize].1)
                    .collect();
                (set, best.at_least)
            }
        };
        let prices = set.iter().map(|&index| {
            let one = narrate::set_of(self, [index]);
            one.first().map_or(0, |&compromise| price(compromise))
        });
        let total = prices.fold(0_u64, u64::saturating_add);
        let set = narrate::set_of(self, set);
        let attack = narrate::attack(procedure, self, &set, on)?;
        Some(Cheapest {
            attack,
            price: total,
            at_least,
            proved: at_least >= total,
        })
    }

    /// Tells how a set reaches one of `on`, step by step; none if it does not.
    pub fn explain(
        &self,
        procedure: &Procedure,
        set: &[Compromise],
        on: &[Target],
    ) -> Option<Attack> {
        narrate::attack(procedure, self, set, on)
    }

    /// The nodes that a compromise makes hold. A state counts as reached.
    pub(crate) fn nodes(&self, compromise: Compromise) -> impl Iterator<Item = Node> {
        let (holding, others) = match compromise {
            Compromise::Holding(holding) => (self.own.get(holding.index()).copied(), Vec::new()),
            other => (None, choices(&[other])),
        };
        holding
            .into_iter()
            .chain(others.into_iter().filter_map(|choice| self.choice(choice)))
    }
}
