//! Is there an attack within a budget?
//!
//! The search branches over blocks: every attack takes at least one member of
//! every block, so if no member fits the budget there is none. The tree of
//! blocks visited is itself the proof that a promise is kept.

#![expect(
    clippy::indexing_slicing,
    reason = "choice, class and block numbers come from one `Focus` and its `Budget` and are in range"
)]

use std::collections::BTreeMap;

use crate::{
    cut::{Block, Walk},
    graph::{Focus, Marks, Node, TRUE, at, number},
};

/// What the choices cost and what may be spent.
#[derive(Debug, Clone)]
pub(crate) struct Budget {
    /// Class of each choice; there are at most 32 classes.
    pub(crate) class: Vec<u8>,
    /// What may be spent on each class; a choice costs its price there.
    pub(crate) limit: Vec<u64>,
    /// Price of each choice.
    pub(crate) price: Vec<u64>,
}

/// Why there is no attack within a budget.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Refutation {
    /// The blocks used.
    pub(crate) blocks: Vec<Block>,
    /// The block branched on at each node of the tree, parents before children,
    /// children in the order of the block's members, members skipped that do
    /// not fit or that an elder sibling has already dealt with.
    pub(crate) tree: Vec<u32>,
}

/// Outcome of a search.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// These choices are an attack within the budget, minimal by inclusion.
    Attack(Vec<u32>),
    /// There is none.
    Refuted(Refutation),
    /// The limit was reached first.
    GaveUp,
}

/// Searches for an attack within the budget; at most `steps` nodes of the tree are visited.
pub(crate) fn within(focus: &Focus, budget: &Budget, steps: u64) -> Outcome {
    let mut hunt = Hunt::new(focus, budget, steps);
    match hunt.visit() {
        Step::Found => {
            let mut marks = Marks::new(&focus.graph);
            Outcome::Attack(minimised(focus, &mut marks, &budget.price, &hunt.chosen))
        }
        Step::Refuted => Outcome::Refuted(hunt.refutation),
        Step::GaveUp => Outcome::GaveUp,
    }
}

/// The choices of an attack, less what is not needed, the dearest dropped first.
pub(crate) fn minimised(
    focus: &Focus,
    marks: &mut Marks,
    price: &[u64],
    attack: &[u32],
) -> Vec<u32> {
    let mut kept = attack.to_vec();
    kept.sort_unstable_by_key(|&choice| std::cmp::Reverse((price[choice as usize], choice)));
    for choice in kept.clone() {
        let others = kept.iter().filter(|&&other| other != choice);
        marks.close(
            &focus.graph,
            others.map(|&other| focus.choices[other as usize].0),
        );
        if marks.holds(focus.target) {
            kept.retain(|&other| other != choice);
        }
    }
    kept.sort_unstable();
    kept
}

enum Step {
    Found,
    Refuted,
    GaveUp,
}

struct Hunt<'a> {
    focus: &'a Focus,
    budget: &'a Budget,
    walk: Walk,
    held: Held,
    /// Whether all choices of a class cost the same.
    even: bool,
    /// What is left of each class.
    left: Vec<u64>,
    /// The least price of each class.
    least: Vec<u64>,
    chosen: Vec<u32>,
    /// Choices dealt with by an elder sibling, counted because siblings nest.
    dealt: Vec<u32>,
    /// How many of the blocks branched on have this member.
    branched: Vec<u32>,
    refutation: Refutation,
    /// Which blocks a choice is in.
    blocks_of: Vec<Vec<u32>>,
    /// How many members of each block are chosen.
    met: Vec<u32>,
    steps: u64,
}

impl<'a> Hunt<'a> {
    fn new(focus: &'a Focus, budget: &'a Budget, steps: u64) -> Self {
        let choices = focus.choices.len();
        let mut least = vec![u64::MAX; budget.limit.len()];
        for (&class, &price) in budget.class.iter().zip(&budget.price) {
            let least = &mut least[class as usize];
            *least = price.min(*least);
        }
        let mut priced = budget.class.iter().zip(&budget.price);
        let even = priced.all(|(&class, &price)| price == least[class as usize]);
        Self {
            focus,
            budget,
            walk: Walk::new(focus),
            held: Held::new(focus),
            even,
            left: budget.limit.clone(),
            least,
            chosen: Vec::new(),
            dealt: vec![0; choices],
            branched: vec![0; choices],
            refutation: Refutation::default(),
            blocks_of: vec![Vec::new(); choices],
            met: Vec::new(),
            steps,
        }
    }

    /// Still to be tried: not dealt with by an elder sibling, and within what is left.
    fn open(&self, choice: u32) -> bool {
        let index = choice as usize;
        self.dealt[index] == 0
            && self.budget.price[index] <= self.left[self.budget.class[index] as usize]
    }

    fn visit(&mut self) -> Step {
        if self.steps == 0 {
            return Step::GaveUp;
        }
        self.steps -= 1;
        crate::progress::node(self.steps);
        let block = match self.best_block() {
            Some(block) => block,
            None => match self.learn() {
                Some(block) => block,
                None => return Step::Found,
            },
        };
        self.refutation.tree.push(number(block));
        let members = self.refutation.blocks[block].of.clone();
        for &choice in &members {
            self.branched[choice as usize] += 1;
        }
        let mut dealt = Vec::new();
        for &choice in &members {
            if !self.open(choice) {
                continue;
            }
            self.choose(choice);
            let step = self.visit();
            if !matches!(step, Step::Refuted) {
                return step;
            }
            self.unchoose(choice);
            self.dealt[choice as usize] += 1;
            dealt.push(choice);
        }
        for choice in dealt {
            self.dealt[choice as usize] -= 1;
        }
        for choice in members {
            self.branched[choice as usize] -= 1;
        }
        Step::Refuted
    }

    fn choose(&mut self, choice: u32) {
        let index = choice as usize;
        self.left[self.budget.class[index] as usize] -= self.budget.price[index];
        self.chosen.push(choice);
        for &block in &self.blocks_of[index] {
            self.met[block as usize] += 1;
        }
    }

    fn unchoose(&mut self, choice: u32) {
        let index = choice as usize;
        self.left[self.budget.class[index] as usize] += self.budget.price[index];
        self.chosen.pop();
        for &block in &self.blocks_of[index] {
            self.met[block as usize] -= 1;
        }
    }

    /// Of the blocks not yet met, the one with the fewest members still open.
    fn best_block(&self) -> Option<usize> {
        let mut best: Option<(usize, usize)> = None;
        for (index, block) in self.refutation.blocks.iter().enumerate() {
            if self.met[index] > 0 {
                continue;
            }
            let fewest = best.map_or(usize::MAX, |(fewest, _)| fewest);
            let open = block.of.iter().filter(|&&choice| self.open(choice));
            let open = open.take(fewest).count();
            if open < fewest {
                best = Some((open, index));
                if open == 0 {
                    break;
                }
            }
        }
        best.map(|(_, index)| index)
    }

    /// A block that the chosen miss; none if they are an attack.
    fn learn(&mut self) -> Option<usize> {
        let left = |choice: u32| {
            let index = choice as usize;
            self.budget.price[index] <= self.left[self.budget.class[index] as usize]
        };
        let open = |choice: u32| self.dealt[choice as usize] == 0 && left(choice);
        let classes = (0..number(self.left.len()))
            .filter(|&class| self.left[class as usize] >= self.least[class as usize])
            .fold(0, |classes, class| classes | 1 << class);
        // If even everything that can still be chosen is no attack, a block of what cannot closes this branch at once.
        if self.even {
            self.held.prepare(self.focus, classes, |choice| {
                classes >> self.budget.class[choice as usize] & 1 == 1
            });
        } else {
            self.held.forget(classes);
            self.held.prepare(self.focus, classes, open);
        }
        if !self.held.misses(self.focus, classes, &self.chosen)
            && !self.held.misses(self.focus, 0, &self.chosen)
        {
            return None;
        }
        let holds = self.held.holds();
        // What was left to choose higher up is left out of this block where it can be, so that one
        // block serves many branches; and rather what is far from the target than what is near.
        let block = self.walk.block(
            self.focus,
            holds,
            |choice| if open(choice) { OPEN } else { 1 },
            |choice| {
                let node = self.focus.choices[choice as usize].0;
                let idle = self.branched[choice as usize] == 0;
                (!open(choice), idle, std::cmp::Reverse(node))
            },
        );
        for &choice in &block.of {
            self.blocks_of[choice as usize].push(number(self.refutation.blocks.len()));
        }
        self.met.push(0);
        self.refutation.blocks.push(block);
        Some(self.refutation.blocks.len() - 1)
    }
}

/// What follows from everything in some classes and from a few choices more.
///
/// The first is followed once for each set of classes, so that the second costs only what it adds.
#[derive(Debug)]
struct Held {
    /// For each set of classes, as bits, what follows from all of them.
    grounds: BTreeMap<u32, Vec<bool>>,
    /// The set of classes last asked about.
    on: u32,
    /// What the few choices add.
    mark: Vec<u32>,
    epoch: u32,
    queue: Vec<Node>,
}

/// What a choice that can still be made weighs, when one that cannot weighs 1.
const OPEN: u32 = 64;

impl Held {
    fn new(focus: &Focus) -> Self {
        let mut held = Self {
            grounds: BTreeMap::new(),
            on: 0,
            mark: vec![0; focus.graph.nodes()],
            epoch: 0,
            queue: Vec::new(),
        };
        held.prepare(focus, 0, |_| false);
        held
    }

    /// Follows everything that is `open`, unless that was done before for these classes.
    fn prepare(&mut self, focus: &Focus, classes: u32, open: impl Fn(u32) -> bool) {
        if self.grounds.contains_key(&classes) {
            return;
        }
        let nodes = focus.graph.nodes();
        self.queue.clear();
        self.queue.push(TRUE);
        for (choice, &(node, _)) in (0..).zip(&focus.choices) {
            if open(choice) {
                self.queue.push(node);
            }
        }
        let mut holds = vec![false; nodes];
        for &node in &self.queue {
            holds[at(node)] = true;
        }
        let mut next = 0;
        while let Some(&node) = self.queue.get(next) {
            next += 1;
            for &[other, head] in focus.graph.out(node) {
                if holds[at(other)] && !holds[at(head)] {
                    holds[at(head)] = true;
                    self.queue.push(head);
                }
            }
        }
        self.grounds.insert(classes, holds);
    }

    fn forget(&mut self, classes: u32) {
        self.grounds.remove(&classes);
    }

    /// Whether all of these classes and these choices together are no attack.
    fn misses(&mut self, focus: &Focus, classes: u32, chosen: &[u32]) -> bool {
        self.on = classes;
        self.epoch += 1;
        self.queue.clear();
        let Some(ground) = self.grounds.get(&classes) else {
            return false;
        };
        if ground[at(focus.target)] {
            return false;
        }
        let held = |mark: &[u32], node: Node| ground[at(node)] || mark[at(node)] == self.epoch;
        let nodes = chosen
            .iter()
            .map(|&choice| focus.choices[choice as usize].0);
        for node in nodes {
            if !held(&self.mark, node) {
                self.mark[at(node)] = self.epoch;
                self.queue.push(node);
            }
        }
        let mut next = 0;
        while let Some(&node) = self.queue.get(next) {
            next += 1;
            if node == focus.target {
                return false;
            }
            for &[other, head] in focus.graph.out(node) {
                if held(&self.mark, other) && !held(&self.mark, head) {
                    self.mark[at(head)] = self.epoch;
                    self.queue.push(head);
                }
            }
        }
        true
    }

    /// What follows, of what was last asked.
    fn holds(&self) -> impl Fn(Node) -> bool {
        let ground = self.grounds.get(&self.on).map_or(&[][..], Vec::as_slice);
        |node| self.mark[at(node)] == self.epoch || ground[at(node)]
    }
}
