//! Blocks: sets of choices of which every attack needs at least one.
//!
//! A block is the dual of an attack and the heart of every proof that there is
//! none: take all its members away and the target cannot be derived. One is
//! learnt from any set of choices that is no attack, and shares none with it.

#![expect(
    clippy::indexing_slicing,
    reason = "node and choice numbers come from one `Focus` and are in range"
)]

use crate::graph::{FALSE, Focus, Marks, Node, at, number};

/// Learns blocks for one focus.
#[derive(Debug)]
pub(crate) struct Cutter {
    marks: Marks,
    /// Which choice a node is.
    choice_of: Vec<u32>,
    cuts: Cuts,
    state: Vec<u8>,
    walked: Vec<Node>,
    /// Rules whose premise to go is not decided yet.
    open: Vec<[Node; 2]>,
    freed: Vec<Node>,
    /// Of these, those still to be followed.
    follow: Vec<Node>,
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
        Self {
            marks: Marks::new(&focus.graph),
            cuts: Cuts::new(focus, &choice_of),
            choice_of,
            state: vec![OUTSIDE; nodes],
            walked: Vec::new(),
            open: Vec::new(),
            freed: Vec::new(),
            follow: Vec::new(),
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
        let mut members = self.walk_back(focus, held);
        // Far from the target first: what stays is near it, and short. Choices the caller wants kept come last.
        members.sort_unstable_by_key(|&choice| {
            let node = focus.choices[choice as usize].0;
            (last(choice), std::cmp::Reverse(node))
        });
        members.retain(|&choice| !self.give_back(focus, focus.choices[choice as usize].0));
        self.cuts.end(held);
        for node in self.walked.drain(..) {
            self.state[at(node)] = OUTSIDE;
        }
        members.sort_unstable();
        members
    }

    /// Blocks the target and, in every rule that could make what is blocked, one premise that
    /// does not hold; returns the choices among what is blocked. Taking them away takes the target away,
    /// even if everything else held.
    fn walk_back(&mut self, focus: &Focus, held: &[u32]) -> Vec<u32> {
        let mut members = Vec::new();
        self.cuts.begin(held);
        self.block_node(focus.target);
        let mut next = 0;
        loop {
            // What cannot be chosen first: it tells what will be cheap.
            while let Some(&node) = self.walked.get(next) {
                next += 1;
                let choice = self.choice_of[at(node)];
                if choice != FALSE {
                    members.push(choice);
                }
                for &[a, b] in focus.graph.rules_into(node) {
                    if self.state[at(a)] == BLOCKED || self.state[at(b)] == BLOCKED {
                        continue;
                    }
                    if self.marks.holds(a) {
                        self.block_node(b);
                    } else if self.marks.holds(b) {
                        self.block_node(a);
                    } else {
                        self.open.push([a, b]);
                    }
                }
            }
            let Some([a, b]) = self.open.pop() else {
                return members;
            };
            if self.state[at(a)] == OUTSIDE && self.state[at(b)] == OUTSIDE {
                let (of_a, of_b) = (self.cuts.price(a, &|_| 1), self.cuts.price(b, &|_| 1));
                let into = |node| focus.graph.rules_into(node).len();
                let b_goes = (of_b, into(b)) < (of_a, into(a));
                self.block_node(if b_goes { b } else { a });
            }
        }
    }

    fn block_node(&mut self, node: Node) {
        self.state[at(node)] = BLOCKED;
        self.walked.push(node);
        self.cuts.plan(node);
    }

    /// Gives a choice back if the target stays blocked without it; everything outside counts as held.
    fn give_back(&mut self, focus: &Focus, node: Node) -> bool {
        if self.state[at(node)] == FREED {
            return true;
        }
        self.freed.clear();
        self.follow.clear();
        self.freed.push(node);
        self.follow.push(node);
        self.state[at(node)] = FREED;
        // Depth first: where the answer is no, the target is found soon.
        while let Some(node) = self.follow.pop() {
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
                    self.follow.push(head);
                }
            }
        }
        true
    }
}

/// For the nodes near the target, few choices without which a node cannot be made.
///
/// They guide the walk and prove nothing. A cut of a node has of every rule the
/// cut of one premise; sets, not sums, because what is shared is paid once,
/// and going round a cycle adds nothing. Each pass from the outside in
/// corrects what the pass before took for free.
#[derive(Debug)]
pub(crate) struct Cuts {
    /// Start and length in `pool`; a length of [`MANY`] stands for a cut too large.
    span: Vec<(u32, u32)>,
    pool: Vec<u32>,
    /// Stamps of the choices that go anyway, or [`HELD`].
    planned: Vec<u32>,
    epoch: u32,
}

/// The stamp of a choice that must not go.
const HELD: u32 = u32::MAX;

/// What a choice that must not go counts in a cut: something else should rather go.
pub(crate) const KEEP: u32 = 16;

const MANY: u32 = u32::MAX;

/// A larger cut is none.
const CUT_MAX: usize = 64;

/// Cuts are known of so many nodes next to the target.
const NEAR: usize = 1 << 15;

const PASSES: usize = 4;

impl Cuts {
    pub(crate) fn new(focus: &Focus, choice_of: &[u32]) -> Self {
        let nodes = focus.graph.nodes();
        let near = nodes.min(NEAR);
        let mut cuts = Self {
            span: vec![(0, MANY); nodes],
            // Each choice is a cut of itself.
            pool: (0..number(focus.choices.len())).collect(),
            planned: vec![0; focus.choices.len()],
            epoch: 0,
        };
        for (index, &(node, _)) in (0..).zip(&focus.choices) {
            if focus.graph.rules_into(node).is_empty() {
                cuts.span[at(node)] = (index, 1);
            }
        }
        cuts.span[1..near].iter_mut().for_each(|span| {
            if span.1 == MANY {
                *span = (0, 0);
            }
        });
        let (mut cut, mut open) = (Vec::new(), Vec::new());
        for _ in 0..PASSES {
            let mut changed = false;
            for node in (1..number(near)).rev() {
                let rules = focus.graph.rules_into(node);
                if !rules.is_empty() {
                    let small = cuts.cut_of(rules, choice_of[at(node)], &mut cut, &mut open);
                    changed |= cuts.note(node, small.then_some(&cut));
                }
            }
            if !changed {
                break;
            }
        }
        cuts
    }

    /// The cut of a node from those of the premises; false if it is too large.
    fn cut_of(
        &mut self,
        rules: &[[Node; 2]],
        choice: u32,
        cut: &mut Vec<u32>,
        open: &mut Vec<[Node; 2]>,
    ) -> bool {
        cut.clear();
        open.clear();
        self.epoch += 1;
        if choice != FALSE {
            self.planned[at(choice)] = self.epoch;
            cut.push(choice);
        }
        for &[a, b] in rules {
            match (self.span[at(a)].1 == MANY, self.span[at(b)].1 == MANY) {
                (true, true) => return false,
                (false, true) => self.join(a, cut),
                (true, false) => self.join(b, cut),
                (false, false) => open.push([a, b]),
            }
            if cut.len() > CUT_MAX {
                return false;
            }
        }
        for &[a, b] in open.iter() {
            let b_goes = self.price(b, &|_| 1) < self.price(a, &|_| 1);
            self.join(if b_goes { b } else { a }, cut);
            if cut.len() > CUT_MAX {
                return false;
            }
        }
        true
    }

    #[inline]
    fn join(&mut self, node: Node, cut: &mut Vec<u32>) {
        let (start, length) = self.span[at(node)];
        for &choice in &self.pool[at(start)..][..at(length)] {
            if self.planned[at(choice)] != self.epoch {
                self.planned[at(choice)] = self.epoch;
                cut.push(choice);
            }
        }
    }

    /// Notes the cut of a node; true if it is another than before.
    fn note(&mut self, node: Node, cut: Option<&Vec<u32>>) -> bool {
        let (start, length) = self.span[at(node)];
        let Some(cut) = cut else {
            self.span[at(node)].1 = MANY;
            return length != MANY;
        };
        let (fits, start_at) = (length != MANY && at(length) >= cut.len(), at(start));
        if fits && self.pool[start_at..][..at(length)] == **cut {
            return false;
        }
        if fits {
            self.pool[start_at..][..cut.len()].copy_from_slice(cut);
        } else {
            self.span[at(node)].0 = number(self.pool.len());
            self.pool.extend_from_slice(cut);
        }
        self.span[at(node)].1 = number(cut.len());
        true
    }

    /// What choices more must go for this node to go weigh.
    #[inline]
    pub(crate) fn price(&self, node: Node, weight: &impl Fn(u32) -> u32) -> u32 {
        let (start, length) = self.span[at(node)];
        if length == MANY {
            return MANY;
        }
        self.pool[at(start)..][..at(length)]
            .iter()
            .map(|&choice| match self.planned[at(choice)] {
                HELD => KEEP,
                stamp if stamp == self.epoch => 0,
                _ => weight(choice),
            })
            .fold(0, u32::saturating_add)
    }

    /// Gets ready for a block without the choices held.
    pub(crate) fn begin(&mut self, held: &[u32]) {
        self.epoch += 1;
        for &choice in held {
            self.planned[at(choice)] = HELD;
        }
    }

    /// The node goes.
    #[inline]
    pub(crate) fn plan(&mut self, node: Node) {
        let (start, length) = self.span[at(node)];
        if length != MANY {
            for &choice in &self.pool[at(start)..][..at(length)] {
                if self.planned[at(choice)] != HELD {
                    self.planned[at(choice)] = self.epoch;
                }
            }
        }
    }

    /// Forgets what was held.
    fn end(&mut self, held: &[u32]) {
        for &choice in held {
            self.planned[at(choice)] = 0;
        }
    }
}
