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
    blocked: Vec<bool>,
    stack: Vec<Node>,
}

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
            blocked: vec![false; nodes],
            stack: Vec::new(),
        }
    }

    /// What follows from these nodes.
    pub(crate) fn close(&mut self, focus: &Focus, held: impl IntoIterator<Item = Node>) -> &Marks {
        self.marks.close(&focus.graph, held);
        &self.marks
    }

    /// A smallest-by-inclusion block that contains none of the choices `held`;
    /// the caller knows that `held` is no attack. `last` are choices that
    /// the block should rather contain than others.
    pub(crate) fn block(
        &mut self,
        focus: &Focus,
        held: &[u32],
        last: impl Fn(u32) -> bool,
    ) -> Vec<u32> {
        self.marks.close(
            &focus.graph,
            held.iter().map(|&choice| focus.choices[choice as usize].0),
        );
        self.shrink(focus, last)
    }

    /// The same for what [`Cutter::close`] or another closure has already marked.
    fn shrink(&mut self, focus: &Focus, last: impl Fn(u32) -> bool) -> Vec<u32> {
        let graph = &focus.graph;
        // Walk back from the target: in every rule that could make what is blocked, one premise goes.
        let mut members = Vec::new();
        let mut walked = vec![focus.target];
        self.blocked[at(focus.target)] = true;
        self.stack.push(focus.target);
        while let Some(node) = self.stack.pop() {
            let choice = self.choice_of[at(node)];
            if choice != FALSE {
                members.push(choice);
            }
            for &[a, b] in graph.rules_into(node) {
                if self.blocked[at(a)] || self.blocked[at(b)] {
                    continue;
                }
                let goes = if self.marks.holds(a)
                    || (!self.marks.holds(b) && self.price[at(b)] < self.price[at(a)])
                {
                    b
                } else {
                    a
                };
                self.blocked[at(goes)] = true;
                walked.push(goes);
                self.stack.push(goes);
            }
        }
        for node in walked {
            self.blocked[at(node)] = false;
        }
        // Hold everything outside it, then give back members while the target stays out of reach.
        let mut inside = vec![false; focus.choices.len()];
        for &choice in &members {
            inside[choice as usize] = true;
        }
        self.marks.close(
            graph,
            focus
                .choices
                .iter()
                .zip(&inside)
                .filter(|&(_, &inside)| !inside)
                .map(|(&(node, _), _)| node),
        );
        // Far from the target first: what stays is near it, and short. Choices the caller wants kept come last.
        members.sort_unstable_by_key(|&choice| {
            (
                last(choice),
                std::cmp::Reverse(focus.choices[choice as usize].0),
            )
        });
        members.retain(|&choice| {
            let node = focus.choices[choice as usize].0;
            if self.marks.holds(node) {
                return false;
            }
            let point = self.marks.len();
            self.marks.extend(graph, node);
            if self.marks.holds(focus.target) {
                self.marks.undo(point);
                return true;
            }
            false
        });
        members.sort_unstable();
        members
    }
}
