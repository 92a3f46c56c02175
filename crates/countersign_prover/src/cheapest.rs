//! What is the cheapest attack?
//!
//! Blocks packed one after the other, each paid for by what is left of the
//! prices of its members, bound it from below (the landmark cuts of Helmert and
//! Domshlak, 2009); what is paid for in full is an attack and bounds it from
//! above. A choice that would lift the one over the other is dropped, and what
//! depended on it with it, and so again. What is still open then goes back and
//! forth between two questions, each exact: which choices meet all blocks known
//! for less than the best attack known, and which block do they miss?

#![expect(
    clippy::indexing_slicing,
    reason = "choice and node numbers come from one `Focus` and are in range"
)]

use std::collections::BTreeSet;

use crate::{
    cover::{Hit, Pool},
    cut::Walk,
    graph::{Focus, Focused, Marks, Node, TRUE, at, focus},
    minimal::{Stop, minimal_sets_that},
    search::{Budget, minimised},
};

/// The cheapest attack found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Best {
    /// Its choices, ascending.
    pub(crate) set: Vec<u32>,
    /// What it costs.
    pub(crate) price: u64,
    /// What every attack costs at least; the same as `price` if it is proved the cheapest.
    pub(crate) at_least: u64,
}

/// What may be done before the search stops: members and nodes looked at, some seconds' worth.
pub(crate) const WORK: u64 = 1_000_000_000;

/// One choice of so many must go for it to be worth while to look at everything anew.
const WORTH: usize = 8;

/// Of so few choices all minimal attacks are looked at.
const FEW: usize = 6;

/// When looking at all of them stops.
const ENOUGH: Stop = Stop {
    sets: 100_000,
    tried: 500_000,
    candidates: 500_000,
};

/// The cheapest attack within the limits of the budget's classes. `known` is one that is within them.
pub(crate) fn cheapest(
    whole: &Focus,
    budget: &Budget,
    known: Option<Vec<u32>>,
    mut work: u64,
) -> Option<Best> {
    let mut race = Race {
        whole,
        marks: Marks::new(&whole.graph),
        budget,
        best: None,
        at_least: 0,
    };
    race.offer(known);
    let mut pool = Pool::default();
    let mut here = Here {
        smaller: None,
        names: (0..).take(whole.choices.len()).collect(),
    };
    loop {
        let open = match race.pack(&here, &mut pool) {
            Some(affordable) => here.keep(whole, &affordable),
            None if race.over() || race.enumerate(&here) => false,
            None => match race.alternate(&here, &mut pool, &mut work) {
                Some(wanted) => here.keep(whole, &wanted),
                None => return race.finish(),
            },
        };
        if !open {
            // Nothing that is left is an attack, so none is cheaper.
            race.at_least(race.price().unwrap_or(u64::MAX));
            return race.finish();
        }
        let kept: BTreeSet<u32> = here.names.iter().copied().collect();
        pool.retain(|name| kept.contains(&name));
    }
}

/// What is left of the question: only what a cheaper attack could need.
struct Here {
    smaller: Option<Focus>,
    /// The number in the whole of each choice.
    names: Vec<u32>,
}

impl Here {
    fn focus<'a>(&'a self, whole: &'a Focus) -> &'a Focus {
        self.smaller.as_ref().unwrap_or(whole)
    }

    /// Drops all choices but these; false if the target is out of reach without the others.
    fn keep(&mut self, whole: &Focus, keep: &[bool]) -> bool {
        let here = self.focus(whole);
        let kept: Vec<(Node, u32)> = (0..)
            .zip(&here.choices)
            .filter(|&(choice, _)| keep[choice as usize])
            .map(|(choice, &(node, _))| (node, choice))
            .collect();
        let Focused::Open(focus) = focus(&here.graph, &[here.target], &[], &kept) else {
            return false;
        };
        let names = focus
            .choices
            .iter()
            .map(|&(_, choice)| self.names[choice as usize]);
        self.names = names.collect();
        self.smaller = Some(focus);
        true
    }
}

fn named(names: &[u32], set: &[u32]) -> Vec<u32> {
    set.iter().map(|&choice| names[choice as usize]).collect()
}

/// The best attack and the best bound so far.
struct Race<'a> {
    whole: &'a Focus,
    marks: Marks,
    budget: &'a Budget,
    best: Option<(u64, Vec<u32>)>,
    at_least: u64,
}

impl Race<'_> {
    fn price(&self) -> Option<u64> {
        self.best.as_ref().map(|&(price, _)| price)
    }

    /// Takes an attack if it is within the limits and cheaper than the best.
    fn offer(&mut self, attack: Option<Vec<u32>>) {
        let Some(attack) = attack else { return };
        let nodes = attack
            .iter()
            .map(|&choice| self.whole.choices[choice as usize].0);
        self.marks.close(&self.whole.graph, nodes);
        if !self.marks.holds(self.whole.target) {
            return;
        }
        let set = minimised(self.whole, &mut self.marks, &self.budget.price, &attack);
        let mut left = self.budget.limit.clone();
        let mut total = 0_u64;
        for &choice in &set {
            let price = self.budget.price[choice as usize];
            let left = &mut left[self.budget.class[choice as usize] as usize];
            let Some(rest) = left.checked_sub(price) else {
                return;
            };
            *left = rest;
            total = total.saturating_add(price);
        }
        if self.price().is_none_or(|best| total < best) {
            self.best = Some((total, set));
        }
    }

    /// No attack cheaper than the best costs less.
    fn at_least(&mut self, price: u64) {
        self.at_least = self.at_least.max(price);
    }

    fn over(&self) -> bool {
        self.price().is_some_and(|best| self.at_least >= best)
    }

    fn finish(self) -> Option<Best> {
        let (price, set) = self.best?;
        Some(Best {
            set,
            price,
            at_least: self.at_least.min(price),
        })
    }

    /// Packs blocks; which choices a cheaper attack can have, unless that is all of them.
    fn pack(&mut self, here: &Here, pool: &mut Pool) -> Option<Vec<bool>> {
        let focus = here.focus(self.whole);
        let price = |choice: u32| self.budget.price[here.names[choice as usize] as usize];
        let packing = Packing::new(focus, price);
        self.at_least(packing.sum);
        self.offer(Some(named(&here.names, &packing.attack)));
        if !self.over() {
            let plan = additive(focus, &packing.walk, price);
            self.offer(Some(named(&here.names, &plan)));
        }
        if !self.over() {
            // What is paid for already, rather.
            let plan = additive(focus, &packing.walk, |choice| {
                let left = packing.left[choice as usize];
                left.saturating_mul(16).saturating_add(price(choice))
            });
            self.offer(Some(named(&here.names, &plan)));
        }
        for block in &packing.blocks {
            pool.add(named(&here.names, block));
        }
        let best = self.price().filter(|_| !self.over())?;
        let affordable = packing
            .left
            .iter()
            .map(|&left| packing.sum.saturating_add(left) < best);
        let affordable: Vec<bool> = affordable.collect();
        affordable.contains(&false).then_some(affordable)
    }

    /// Where only a few choices together can be cheaper than the best, looks at all minimal attacks of so few;
    /// false if they are too many.
    fn enumerate(&mut self, here: &Here) -> bool {
        let Some(best) = self.price() else {
            return false;
        };
        let price = |&name: &u32| self.budget.price[name as usize];
        let mut prices: Vec<u64> = here.names.iter().map(price).collect();
        prices.sort_unstable();
        let mut sum = 0_u64;
        let most = prices.iter().take_while(|&&price| {
            sum = sum.saturating_add(price);
            sum < best
        });
        let most = most.count();
        if most > FEW {
            return false;
        }
        if most <= 1 {
            // Each alone: `offer` takes only what is an attack.
            for &name in &here.names {
                self.offer(Some(vec![name]));
            }
            return true;
        }
        let cheaper = |set: &[u32]| {
            let prices = set
                .iter()
                .map(|&choice| price(&here.names[choice as usize]));
            prices.fold(0, u64::saturating_add) < best
        };
        let found = minimal_sets_that(here.focus(self.whole), most, ENOUGH, cheaper);
        for set in &found.sets {
            self.offer(Some(named(&here.names, set)));
        }
        found.complete_to >= most
    }

    /// Asks for choices that meet all blocks, and for blocks that they miss. As soon as choices can be left out of
    /// account, says which cannot; none if one side has given in.
    fn alternate(&mut self, here: &Here, pool: &mut Pool, work: &mut u64) -> Option<Vec<bool>> {
        let focus = here.focus(self.whole);
        let price = |name: u32| self.budget.price[name as usize];
        let mut index = vec![None; self.whole.choices.len()];
        for (choice, &name) in (0_u32..).zip(&here.names) {
            index[name as usize] = Some(choice);
        }
        let mut learner = Learner::new(focus);
        while !self.over() {
            let cap = self.price().map_or(u64::MAX, |best| best - 1);
            let (hit, open) = pool.hit(self.budget, &here.names, cap, work);
            match hit {
                Hit::Set(set) => {
                    let set = set
                        .iter()
                        .filter_map(|&name| index[name as usize])
                        .collect();
                    let (missed, attack) =
                        learner.missed(focus, set, |choice| price(here.names[choice as usize]));
                    *work = work.saturating_sub(learner.walked());
                    for block in &missed {
                        pool.add(named(&here.names, block));
                    }
                    self.offer(Some(named(&here.names, &attack)));
                    let dropped = open.iter().filter(|&&open| !open).count();
                    let cheaper = self.price().is_some_and(|best| best <= cap);
                    if cheaper || dropped * WORTH >= open.len() {
                        return Some(open);
                    }
                }
                Hit::None => {
                    self.at_least(cap.saturating_add(1));
                    return None;
                }
                Hit::GaveUp { at_least } => {
                    self.at_least(at_least);
                    return None;
                }
            }
        }
        None
    }
}

/// What follows from choices added one after the other, and how.
struct Growing {
    holds: Vec<bool>,
    /// By which rule a node was first made; a choice by none.
    by: Vec<[Node; 2]>,
    queue: Vec<Node>,
}

impl Growing {
    fn new(focus: &Focus) -> Self {
        let mut holds = vec![false; focus.graph.nodes()];
        holds[at(TRUE)] = true;
        Self {
            holds,
            by: vec![[TRUE; 2]; focus.graph.nodes()],
            queue: Vec::new(),
        }
    }

    fn add(&mut self, focus: &Focus, node: Node) {
        if self.holds[at(node)] {
            return;
        }
        let mut next = self.queue.len();
        self.holds[at(node)] = true;
        self.by[at(node)] = [TRUE; 2];
        self.queue.push(node);
        while let Some(&node) = self.queue.get(next) {
            next += 1;
            for &[other, head] in focus.graph.out(node) {
                if self.holds[at(other)] && !self.holds[at(head)] {
                    self.holds[at(head)] = true;
                    self.by[at(head)] = [node, other];
                    self.queue.push(head);
                }
            }
        }
    }

    fn clear(&mut self) {
        for node in self.queue.drain(..) {
            self.holds[at(node)] = false;
        }
    }

    /// The choices, of those in the focus, that the target was first made from.
    fn attack(&self, focus: &Focus, choice_of: impl Fn(Node) -> Option<u32>) -> Vec<u32> {
        let mut seen = vec![false; focus.graph.nodes()];
        let mut stack = vec![focus.target];
        let mut attack = Vec::new();
        while let Some(node) = stack.pop() {
            if node == TRUE || std::mem::replace(&mut seen[at(node)], true) {
                continue;
            }
            match self.by[at(node)] {
                [TRUE, TRUE] => attack.extend(choice_of(node)),
                premises => stack.extend(premises),
            }
        }
        attack.sort_unstable();
        attack
    }
}

/// Blocks paid for one after the other until an attack is paid for in full.
struct Packing {
    walk: Walk,
    blocks: Vec<Vec<u32>>,
    /// What the blocks cost together: no attack costs less.
    sum: u64,
    /// What is left of the price of each choice: an attack with it costs at least the sum and this.
    left: Vec<u64>,
    /// Paid for in full.
    attack: Vec<u32>,
}

impl Packing {
    fn new(focus: &Focus, price: impl Fn(u32) -> u64) -> Self {
        let mut walk = Walk::new(focus);
        let mut growing = Growing::new(focus);
        let mut left: Vec<u64> = (0..).take(focus.choices.len()).map(price).collect();
        for (&(node, _), &left) in focus.choices.iter().zip(&left) {
            if left == 0 {
                growing.add(focus, node);
            }
        }
        let (mut blocks, mut sum) = (Vec::new(), 0_u64);
        while !growing.holds[at(focus.target)] {
            let block = walk.block(
                focus,
                |node| growing.holds[at(node)],
                |choice| u32::try_from(left[choice as usize]).unwrap_or(u32::MAX),
                |choice| {
                    let node = focus.choices[choice as usize].0;
                    (left[choice as usize], std::cmp::Reverse(node))
                },
            );
            let paid = block.of.iter().map(|&choice| left[choice as usize]).min();
            let paid = paid.unwrap_or(0);
            sum = sum.saturating_add(paid);
            for &choice in &block.of {
                let left = &mut left[choice as usize];
                *left -= paid;
                if *left == 0 {
                    growing.add(focus, focus.choices[choice as usize].0);
                }
            }
            if block.of.is_empty() {
                break;
            }
            blocks.push(block.of);
        }
        let attack = growing.attack(focus, |node| walk.choice(node));
        Self {
            walk,
            blocks,
            sum,
            left,
            attack,
        }
    }
}

/// An attack made of the cheapest way to each thing, as if nothing served twice (Knuth 1977).
fn additive(focus: &Focus, walk: &Walk, price: impl Fn(u32) -> u64) -> Vec<u32> {
    let mut growing = Growing::new(focus);
    let mut cost = vec![u64::MAX; focus.graph.nodes()];
    cost[at(TRUE)] = 0;
    let mut queue = std::collections::BinaryHeap::new();
    for (choice, &(node, _)) in (0..).zip(&focus.choices) {
        cost[at(node)] = price(choice);
        queue.push(std::cmp::Reverse((cost[at(node)], node)));
    }
    while let Some(std::cmp::Reverse((_, node))) = queue.pop() {
        if std::mem::replace(&mut growing.holds[at(node)], true) {
            continue;
        }
        if node == focus.target {
            break;
        }
        for &[other, head] in focus.graph.out(node) {
            if !growing.holds[at(other)] || growing.holds[at(head)] {
                continue;
            }
            let both = cost[at(node)].saturating_add(cost[at(other)]);
            if both < cost[at(head)] {
                cost[at(head)] = both;
                growing.by[at(head)] = [node, other];
                queue.push(std::cmp::Reverse((both, head)));
            }
        }
    }
    growing.attack(focus, |node| walk.choice(node))
}

/// Finds blocks that choices miss.
struct Learner {
    walk: Walk,
    growing: Growing,
    walked: u64,
}

impl Learner {
    fn new(focus: &Focus) -> Self {
        Self {
            walk: Walk::new(focus),
            growing: Growing::new(focus),
            walked: 0,
        }
    }

    /// Blocks that these choices miss, no two with a common member, and an attack from these choices and the blocks' members.
    fn missed(
        &mut self,
        focus: &Focus,
        choices: Vec<u32>,
        price: impl Fn(u32) -> u64,
    ) -> (Vec<Vec<u32>>, Vec<u32>) {
        self.growing.clear();
        for choice in choices {
            self.growing.add(focus, focus.choices[choice as usize].0);
        }
        let mut blocks = Vec::new();
        while !self.growing.holds[at(focus.target)] {
            let block = self.walk.block(
                focus,
                |node| self.growing.holds[at(node)],
                |_| 1,
                |choice| std::cmp::Reverse(focus.choices[choice as usize].0),
            );
            if block.of.is_empty() {
                break;
            }
            let Some(&cheapest) = block.of.iter().min_by_key(|&&choice| price(choice)) else {
                break;
            };
            self.growing.add(focus, focus.choices[cheapest as usize].0);
            self.walked += 4 * block.beyond.len() as u64;
            blocks.push(block.of);
        }
        self.walked += self.growing.queue.len() as u64;
        (
            blocks,
            self.growing.attack(focus, |node| self.walk.choice(node)),
        )
    }

    /// How much was looked at since last asked.
    fn walked(&mut self) -> u64 {
        std::mem::take(&mut self.walked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        graph::Builder,
        search::{Outcome, within},
    };
    use countersign_testkit::naive::Dice;

    /// Everything is lost if one choice of each of so many threes is made.
    fn threes(choices: usize, blocks: usize, seed: u64) -> Focus {
        let mut dice = Dice(seed);
        let mut builder = Builder::new(0);
        let nodes: Vec<Node> = (0..choices).map(|_| builder.node()).collect();
        let mut met: Vec<Node> = (0..blocks)
            .map(|_| builder.any(&mut [0; 3].map(|_| *dice.pick(&nodes))))
            .collect();
        let target = builder.all(&mut met);
        let graph = builder.finish();
        let choices: Vec<(Node, u32)> = nodes.into_iter().zip(0..).collect();
        match focus(&graph, &[target], &[], &choices) {
            Focused::Open(focus) => focus,
            other => panic!("{other:?}"),
        }
    }

    fn budget(focus: &Focus, most: u64, price: impl Fn(u32) -> u64) -> Budget {
        Budget {
            class: vec![0; focus.choices.len()],
            limit: vec![most],
            price: (0..).take(focus.choices.len()).map(price).collect(),
        }
    }

    fn is_attack(focus: &Focus, set: &[u32]) -> bool {
        let mut marks = Marks::new(&focus.graph);
        let nodes = set.iter().map(|&choice| focus.choices[choice as usize].0);
        marks.close(&focus.graph, nodes);
        marks.holds(focus.target)
    }

    #[test]
    fn hitting_sets_are_decided() {
        for seed in 0..6 {
            let focus = threes(40, 70, seed);
            let budget = budget(&focus, u64::MAX, |choice| 3 + u64::from(choice) * 7 % 5);
            let mut work = WORK / 100;
            let best = cheapest(&focus, &budget, None, work).expect("an attack");
            assert!(is_attack(&focus, &best.set), "seed {seed}");
            assert_eq!(best.at_least, best.price, "seed {seed}: not decided");
            // The same once more, from another side: the blocks are known here.
            let mut pool = Pool::default();
            let mut dice = Dice(seed);
            for _ in 0..70 {
                let three = (0..3).map(|_| u32::try_from(dice.below(40)).expect("small"));
                let index = |name| focus.choices.iter().position(|&(_, other)| other == name);
                let three =
                    three.map(|name| u32::try_from(index(name).expect("used")).expect("small"));
                pool.add(three.collect());
            }
            let (hit, _) = pool.hit(&budget, &[], best.price - 1, &mut work);
            assert_eq!(hit, Hit::None, "seed {seed}: there is a cheaper one");
        }
    }

    #[test]
    fn a_stop_says_between_what_the_answer_lies() {
        let focus = threes(120, 220, 1);
        let budget = budget(&focus, u64::MAX, |_| 1);
        let best = cheapest(&focus, &budget, None, 3_000_000).expect("an attack");
        assert!(is_attack(&focus, &best.set));
        assert!(
            30 < best.at_least && best.at_least < best.price && best.price < 60,
            "{} to {}",
            best.at_least,
            best.price
        );
    }

    #[test]
    fn a_promise_that_is_a_hitting_set_ends_at_its_limit() {
        let focus = threes(60, 100, 1);
        let outcome = within(&focus, &budget(&focus, 18, |_| 1), 2_000);
        assert!(matches!(outcome, Outcome::GaveUp), "{outcome:?}");
    }
}
