//! Cutting the target off: blocks found by walking back from it.
//!
//! Whoever asks says what holds. Everything here looks only at what is walked,
//! so a block costs what it touches and not what the graph is.

#![expect(
    clippy::indexing_slicing,
    reason = "node and choice numbers come from one `Focus` and are in range"
)]

use crate::{
    block::{Cuts, KEEP},
    graph::{FALSE, Focus, Node, at},
};

/// A set of choices of which every attack needs one, and why.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Block {
    /// The choices, ascending.
    pub(crate) of: Vec<u32>,
    /// Nodes that cannot be made without them, the target included: each rule that
    /// makes one of these needs another of them.
    pub(crate) beyond: Vec<Node>,
}

/// What is to be had of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Not looked at: may hold for all the block cares.
    Outside,
    /// Must not be made.
    Blocked,
    /// Was blocked, need not be.
    Freed,
    /// Blocked, and needed for the block.
    Beyond,
}

/// Walks back from the target of one focus, again and again.
#[derive(Debug)]
pub(crate) struct Walk {
    /// Which choice a node is.
    choice_of: Vec<u32>,
    cuts: Cuts,
    state: Vec<State>,
    walked: Vec<Node>,
    /// Rules whose premise to go is not decided yet.
    open: Vec<[Node; 2]>,
    freed: Vec<Node>,
}

impl Walk {
    pub(crate) fn new(focus: &Focus) -> Self {
        let nodes = focus.graph.nodes();
        let mut choice_of = vec![FALSE; nodes];
        for (index, &(node, _)) in (0..).zip(&focus.choices) {
            choice_of[at(node)] = index;
        }
        Self {
            cuts: Cuts::new(focus, &choice_of),
            choice_of,
            state: vec![State::Outside; nodes],
            walked: Vec::new(),
            open: Vec::new(),
            freed: Vec::new(),
        }
    }

    /// The choice that a node is.
    pub(crate) fn choice(&self, node: Node) -> Option<u32> {
        Some(self.choice_of[at(node)]).filter(|&choice| choice != FALSE)
    }

    /// A block none of whose members holds and none of whose members is idle.
    ///
    /// `holds` must be closed under the rules and not contain the target. Of two
    /// premises that do not hold, the one goes that takes less `weight` of choices with it. Members that
    /// come first in the order of `keep` are the first to be left out.
    pub(crate) fn block<K: Ord>(
        &mut self,
        focus: &Focus,
        holds: impl Fn(Node) -> bool,
        weight: impl Fn(u32) -> u32,
        keep: impl Fn(u32) -> K,
    ) -> Block {
        let mut members = self.back(focus, holds, weight);
        members.sort_by_cached_key(|&choice| keep(choice));
        for choice in members {
            self.give_back(focus, focus.choices[choice as usize].0);
        }
        let block = self.needed(focus);
        for node in self.walked.drain(..) {
            self.state[at(node)] = State::Outside;
        }
        block
    }

    /// Blocks the target and, in every rule that could make what is blocked, one premise that
    /// does not hold; returns the choices among what is blocked.
    fn back(
        &mut self,
        focus: &Focus,
        holds: impl Fn(Node) -> bool,
        weight: impl Fn(u32) -> u32,
    ) -> Vec<u32> {
        // What holds is no part of any cut: something else should rather go.
        let weight = |choice: u32| {
            let keep = if holds(focus.choices[choice as usize].0) {
                KEEP
            } else {
                1
            };
            weight(choice).saturating_mul(keep)
        };
        let mut members = Vec::new();
        self.cuts.begin(&[]);
        self.go(focus.target);
        let mut next = 0;
        loop {
            // What has no choice first: it tells what will be cheap.
            while let Some(&node) = self.walked.get(next) {
                next += 1;
                let choice = self.choice_of[at(node)];
                if choice != FALSE {
                    members.push(choice);
                }
                for &[a, b] in focus.graph.rules_into(node) {
                    if self.is(a, State::Blocked) || self.is(b, State::Blocked) {
                        continue;
                    }
                    if holds(a) {
                        self.go(b);
                    } else if holds(b) {
                        self.go(a);
                    } else {
                        self.open.push([a, b]);
                    }
                }
            }
            let Some([a, b]) = self.open.pop() else {
                return members;
            };
            if self.is(a, State::Outside) && self.is(b, State::Outside) {
                let into = |node| focus.graph.rules_into(node).len();
                let of = |node| (self.cuts.price(node, &weight), into(node));
                let goes = if of(b) < of(a) { b } else { a };
                self.go(goes);
            }
        }
    }

    fn go(&mut self, node: Node) {
        self.state[at(node)] = State::Blocked;
        self.walked.push(node);
        self.cuts.plan(node);
    }

    fn is(&self, node: Node, state: State) -> bool {
        self.state[at(node)] == state
    }

    /// Gives a choice back if the target stays blocked without it; everything outside counts as held.
    fn give_back(&mut self, focus: &Focus, choice: Node) {
        if self.is(choice, State::Freed) {
            return;
        }
        self.freed.clear();
        self.freed.push(choice);
        self.state[at(choice)] = State::Freed;
        let mut next = 0;
        while let Some(&node) = self.freed.get(next) {
            next += 1;
            if node == focus.target {
                for &node in &self.freed {
                    self.state[at(node)] = State::Blocked;
                }
                return;
            }
            for &[other, head] in focus.graph.out(node) {
                if self.is(head, State::Blocked) && !self.is(other, State::Blocked) {
                    self.state[at(head)] = State::Freed;
                    self.freed.push(head);
                }
            }
        }
    }

    /// Of what is still blocked, what the target hangs on.
    fn needed(&mut self, focus: &Focus) -> Block {
        let mut block = Block {
            of: Vec::new(),
            beyond: vec![focus.target],
        };
        self.state[at(focus.target)] = State::Beyond;
        let mut next = 0;
        while let Some(&node) = block.beyond.get(next) {
            next += 1;
            let choice = self.choice_of[at(node)];
            if choice != FALSE {
                block.of.push(choice);
            }
            for &[a, b] in focus.graph.rules_into(node) {
                if self.is(a, State::Beyond) || self.is(b, State::Beyond) {
                    continue;
                }
                let needed = if self.is(a, State::Blocked) { a } else { b };
                self.state[at(needed)] = State::Beyond;
                block.beyond.push(needed);
            }
        }
        block.of.sort_unstable();
        block
    }
}
