//! Blocks: sets of choices of which every attack needs at least one.
//!
//! A block is the dual of an attack and the heart of every proof that there is
//! none: take all its members away and the target cannot be derived. One is
//! learnt from any set of choices that is no attack, and shares none with it.

#![expect(
    clippy::indexing_slicing,
    reason = "node and choice numbers come from one `Focus` and are in range"
)]

use crate::graph::{FALSE, Focus, Marks, Node, TRUE, at, number};

/// Learns blocks for one focus.
#[derive(Debug)]
pub(crate) struct Cutter {
    marks: Marks,
    /// About how many choices must go to take this node away.
    price: Vec<u32>,
    /// Which choice a node is.
    choice_of: Vec<u32>,
    state: Vec<u8>,
    walked: Vec<Node>,
    freed: Vec<Node>,
}

/// Not looked at: may hold for all the block cares.
const OUTSIDE: u8 = 0;
/// Must not be made.
const BLOCKED: u8 = 1;
/// Was blocked, need not be.
const FREED: u8 = 2;

impl Cutter {
    pub(crate) fn new(focus: &Focus) -> Self {
        let nodes = focus.graph.nodes();
        let mut choice_of = vec![FALSE; nodes];
        for (index, &(node, _)) in focus.choices.iter().enumerate() {
            choice_of[at(node)] = number(index);
        }
        let mut marks = Marks::new(&focus.graph);
        marks.close(&focus.graph, focus.choices.iter().map(|&(node, _)| node));
        let mut price = vec![0_u32; nodes];
        let mut seen = vec![false; nodes];
        seen[at(TRUE)] = true;
        price[at(TRUE)] = u32::MAX;
        for &node in marks.order() {
            let mut total = u32::from(choice_of[at(node)] != FALSE);
            for &[a, b] in focus.graph.rules_into(node) {
                if seen[at(a)] && seen[at(b)] {
                    total = total.saturating_add(price[at(a)].min(price[at(b)]));
                }
            }
            price[at(node)] = total;
            seen[at(node)] = true;
        }
        Self {
            marks,
            price,
            choice_of,
            state: vec![OUTSIDE; nodes],
            walked: Vec::new(),
            freed: Vec::new(),
        }
    }

    /// What follows from these nodes.
    pub(crate) fn close(&mut self, focus: &Focus, held: impl IntoIterator<Item = Node>) -> &Marks {
        self.marks.close(&focus.graph, held);
        &self.marks
    }

    /// A block that contains none of the choices `held` and none of whose members is idle;
    /// the caller knows that `held` is no attack. `last` are choices that the
    /// block should rather contain than others.
    pub(crate) fn block(
        &mut self,
        focus: &Focus,
        held: &[u32],
        last: impl Fn(u32) -> bool,
    ) -> Vec<u32> {
        let nodes = held.iter().map(|&choice| focus.choices[choice as usize].0);
        self.marks.close(&focus.graph, nodes);
        let mut members = self.walk_back(focus);
        // Far from the target first: what stays is near it, and short. Choices the caller wants kept come last.
        members.sort_unstable_by_key(|&choice| {
            let node = focus.choices[choice as usize].0;
            (last(choice), std::cmp::Reverse(node))
        });
        members.retain(|&choice| !self.give_back(focus, focus.choices[choice as usize].0));
        for node in self.walked.drain(..) {
            self.state[at(node)] = OUTSIDE;
        }
        members.sort_unstable();
        members
    }

    /// Blocks the target and, in every rule that could make what is blocked, one premise that
    /// does not hold; returns the choices among what is blocked. Taking them away takes the target away,
    /// even if everything else held.
    fn walk_back(&mut self, focus: &Focus) -> Vec<u32> {
        let graph = &focus.graph;
        let mut members = Vec::new();
        self.state[at(focus.target)] = BLOCKED;
        self.walked.push(focus.target);
        let mut next = 0;
        while let Some(&node) = self.walked.get(next) {
            next += 1;
            let choice = self.choice_of[at(node)];
            if choice != FALSE {
                members.push(choice);
            }
            for &[a, b] in graph.rules_into(node) {
                if self.state[at(a)] == BLOCKED || self.state[at(b)] == BLOCKED {
                    continue;
                }
                let b_is_cheaper = self.price[at(b)] < self.price[at(a)];
                let goes = if self.marks.holds(a) || (!self.marks.holds(b) && b_is_cheaper) {
                    b
                } else {
                    a
                };
                self.state[at(goes)] = BLOCKED;
                self.walked.push(goes);
            }
        }
        members
    }

    /// Gives a choice back if the target stays blocked without it; everything outside counts as held.
    fn give_back(&mut self, focus: &Focus, node: Node) -> bool {
        if self.state[at(node)] == FREED {
            return true;
        }
        self.freed.clear();
        self.freed.push(node);
        self.state[at(node)] = FREED;
        let mut next = 0;
        while let Some(&node) = self.freed.get(next) {
            next += 1;
            if node == focus.target {
                for &node in &self.freed {
                    self.state[at(node)] = BLOCKED;
                }
                return false;
            }
            for &[other, head] in focus.graph.out(node) {
                if self.state[at(head)] == BLOCKED && self.state[at(other)] != BLOCKED {
                    self.state[at(head)] = FREED;
                    self.freed.push(head);
                }
            }
        }
        true
    }
}
