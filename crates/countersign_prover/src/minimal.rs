//! All minimal sets of choices up to a size, level by level.
//!
//! Three facts carry the method. A set of size s that is minimal for some node
//! either is one choice or first shows itself where a rule joins two smaller
//! minimal sets. Everything else about a set is one closure. And a closure
//! with one lane per member left out tells at every node at once whether the
//! set is minimal there. Blocks (see [`crate::block`]) throw away early what
//! cannot grow into an attack of the wanted size. `docs/prover.md` has the proof.

#![expect(
    clippy::indexing_slicing,
    reason = "node and choice numbers come from one `Focus` and are in range"
)]

use crate::{
    block::Cutter,
    graph::{FALSE, Focus, Graph, Node, TRUE, at, number},
};

/// No set may be larger: a closure has one lane per member.
pub(crate) const SIZE_MAX: usize = 32;

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Minimal sets of choices, each ascending.
    pub(crate) sets: Vec<Vec<u32>>,
    /// Every minimal set up to this size is among them.
    pub(crate) complete_to: usize,
}

/// When to stop.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stop {
    /// So many sets found.
    pub(crate) sets: usize,
    /// So many closures made.
    pub(crate) closures: u64,
    /// So many candidates remembered.
    pub(crate) candidates: usize,
}

/// All minimal sets of at most `size` choices that derive the target.
pub(crate) fn minimal_sets(focus: &Focus, size: usize, stop: Stop) -> Found {
    let size = size.min(SIZE_MAX);
    let mut work = Work::new(focus, size);
    let mut found = Found::default();
    for choice in 0..number(focus.choices.len()) {
        work.sets.intern(&[choice]);
    }
    for level in 1..=size {
        let mut next = 0;
        while let Some(set) = work.sets.of_size(level, next) {
            next += 1;
            if work.try_set(focus, level, size, set) {
                found.sets.push(work.sets.members(set).to_vec());
            }
            if found.sets.len() >= stop.sets
                || work.closures >= stop.closures
                || work.sets.len() >= stop.candidates
            {
                found.complete_to = level - 1;
                return found;
            }
        }
        work.sets.finish_level(level);
    }
    found.complete_to = size;
    found
}

struct Work {
    sets: Sets,
    lanes: Lanes,
    /// Newest entry of each node's list of minimal sets.
    newest: Vec<u32>,
    /// `(set, older entry)`.
    entries: Vec<(u32, u32)>,
    fresh: Vec<Node>,
    union: Vec<u32>,
    filter: Filter,
    closures: u64,
    wasted: u64,
}

impl Work {
    fn new(focus: &Focus, size: usize) -> Self {
        Self {
            sets: Sets::new(size),
            lanes: Lanes::new(focus.graph.nodes()),
            newest: vec![FALSE; focus.graph.nodes()],
            entries: Vec::new(),
            fresh: Vec::new(),
            union: Vec::new(),
            filter: Filter::new(focus),
            closures: 0,
            wasted: 0,
        }
    }

    /// True if the set is a minimal attack; otherwise its consequences are noted for larger sets.
    fn try_set(&mut self, focus: &Focus, level: usize, size: usize, set: u32) -> bool {
        if !self.filter.can_grow(self.sets.members(set), size - level) {
            return false;
        }
        self.closures += 1;
        let members = self.sets.members(set);
        match self.lanes.close(
            &focus.graph,
            focus.target,
            members
                .iter()
                .map(|&choice| focus.choices[choice as usize].0),
        ) {
            Reached::TargetBySubset => return false,
            Reached::Target => return true,
            Reached::Other => {}
        }
        self.wasted += 1;
        if self.filter.worth_learning(&mut self.wasted) {
            self.filter.learn(focus, self.sets.members(set));
            if !self.filter.can_grow(self.sets.members(set), size - level) {
                return false;
            }
        }
        if level == size {
            return false;
        }
        self.fresh.clear();
        self.fresh.extend(self.lanes.fresh());
        for index in 0..self.fresh.len() {
            let node = self.fresh[index];
            self.entries.push((set, self.newest[at(node)]));
            self.newest[at(node)] = number(self.entries.len() - 1);
            for &[other, head] in focus.graph.out(node) {
                if other != TRUE && !self.lanes.touched(head) {
                    self.join(set, level, size, other);
                }
            }
        }
        false
    }

    /// Notes the unions of `set` with every minimal set of `other`.
    fn join(&mut self, set: u32, level: usize, size: usize, other: Node) {
        let mut entry = self.newest[at(other)];
        while entry != FALSE {
            let (with, older) = self.entries[entry as usize];
            entry = older;
            self.union.clear();
            let (one, two) = (self.sets.members(set), self.sets.members(with));
            let (mut i, mut j) = (0, 0);
            while i < one.len() && j < two.len() && self.union.len() <= size {
                let (first, second) = (one[i], two[j]);
                self.union.push(first.min(second));
                i += usize::from(first <= second);
                j += usize::from(second <= first);
            }
            self.union.extend_from_slice(&one[i..]);
            self.union.extend_from_slice(&two[j..]);
            let together = self.union.len();
            if together <= size
                && together > level
                && together > two.len()
                && self.filter.can_grow(&self.union, size - together)
            {
                self.sets.intern(&self.union);
            }
        }
    }
}

/// Every set met so far, once, grouped by size.
struct Sets {
    members: Vec<u32>,
    starts: Vec<u32>,
    by_size: Vec<Vec<u32>>,
    table: Vec<u32>,
}

impl Sets {
    fn new(size: usize) -> Self {
        Self {
            members: Vec::new(),
            starts: vec![0],
            by_size: vec![Vec::new(); size + 1],
            table: vec![FALSE; 1024],
        }
    }

    fn len(&self) -> usize {
        self.starts.len() - 1
    }

    fn members(&self, set: u32) -> &[u32] {
        &self.members[at(self.starts[at(set)])..at(self.starts[at(set) + 1])]
    }

    fn of_size(&self, size: usize, nth: usize) -> Option<u32> {
        self.by_size[size].get(nth).copied()
    }

    /// Nothing asks for the list of this size again.
    fn finish_level(&mut self, size: usize) {
        self.by_size[size] = Vec::new();
    }

    fn intern(&mut self, members: &[u32]) {
        if self.len() * 2 >= self.table.len() {
            self.table = vec![FALSE; self.table.len() * 2];
            for set in 0..number(self.len()) {
                let slot = self.find(hash(self.members(set)), self.members(set));
                self.table[slot] = set;
            }
        }
        let slot = self.find(hash(members), members);
        if self.table[slot] == FALSE {
            let set = number(self.len());
            self.table[slot] = set;
            self.members.extend_from_slice(members);
            self.starts.push(number(self.members.len()));
            self.by_size[members.len()].push(set);
        }
    }

    fn find(&self, hash: usize, members: &[u32]) -> usize {
        let mask = self.table.len() - 1;
        let mut slot = hash & mask;
        while self.table[slot] != FALSE && self.members(self.table[slot]) != members {
            slot = (slot + 1) & mask;
        }
        slot
    }
}

fn hash(members: &[u32]) -> usize {
    let mixed = members.iter().fold(0_u64, |hash, &choice| {
        (hash.rotate_left(23) ^ u64::from(choice)).wrapping_mul(0x9E37_79B9_7F4A_7C15)
    });
    (mixed >> 32) as usize
}

/// What a closure with lanes showed about the target.
enum Reached {
    Other,
    Target,
    TargetBySubset,
}

/// The closure of a set together with those of the set less one member each.
struct Lanes {
    /// Bit i: the node is also derived without member i.
    lane: Vec<u64>,
    touched: Vec<u32>,
    queued: Vec<bool>,
    epoch: u32,
    order: Vec<Node>,
    queue: Vec<Node>,
}

impl Lanes {
    fn new(nodes: usize) -> Self {
        let mut touched = vec![0; nodes];
        touched[at(TRUE)] = u32::MAX;
        let mut lane = vec![0; nodes];
        lane[at(TRUE)] = u64::MAX;
        Self {
            lane,
            touched,
            queued: vec![false; nodes],
            epoch: 0,
            order: Vec::new(),
            queue: Vec::new(),
        }
    }

    fn touched(&self, node: Node) -> bool {
        self.touched[at(node)] >= self.epoch
    }

    /// Nodes that only the whole set derives.
    fn fresh(&self) -> impl Iterator<Item = Node> {
        self.order
            .iter()
            .copied()
            .filter(|&node| self.lane[at(node)] == 0)
    }

    fn close(
        &mut self,
        graph: &Graph,
        target: Node,
        members: impl ExactSizeIterator<Item = Node>,
    ) -> Reached {
        self.epoch += 1;
        self.order.clear();
        self.queue.clear();
        let all = (1_u64 << members.len()) - 1;
        for (index, node) in members.enumerate() {
            self.raise(node, all & !(1 << index));
        }
        let mut next = 0;
        while let Some(&node) = self.queue.get(next) {
            next += 1;
            self.queued[at(node)] = false;
            let lane = self.lane[at(node)];
            for &[other, head] in graph.out(node) {
                if self.touched[at(other)] >= self.epoch {
                    self.raise(head, lane & self.lane[at(other)]);
                }
            }
            if self.touched(target) && self.lane[at(target)] != 0 {
                for &node in &self.queue[next..] {
                    self.queued[at(node)] = false;
                }
                return Reached::TargetBySubset;
            }
        }
        if self.touched(target) {
            Reached::Target
        } else {
            Reached::Other
        }
    }

    fn raise(&mut self, node: Node, lane: u64) {
        let at = at(node);
        if self.touched[at] < self.epoch {
            self.touched[at] = self.epoch;
            self.lane[at] = lane;
            self.order.push(node);
        } else if self.lane[at] | lane != self.lane[at] {
            self.lane[at] |= lane;
        } else {
            return;
        }
        if !self.queued[at] {
            self.queued[at] = true;
            self.queue.push(node);
        }
    }
}

/// Blocks learnt so far, and whether a set can still grow to meet them all.
struct Filter {
    cutter: Cutter,
    blocks: Vec<Vec<u32>>,
    /// Which blocks each choice is in.
    hits: Vec<u128>,
    /// Answers for `(missed blocks, choices left)`; emptied when a block is learnt.
    memo: Vec<(u128, u8, bool)>,
    price: u64,
}

const MEMO: usize = 1 << 12;

impl Filter {
    fn new(focus: &Focus) -> Self {
        let mut filter = Self {
            cutter: Cutter::new(focus),
            blocks: Vec::new(),
            hits: vec![0; focus.choices.len()],
            memo: vec![(0, 0, false); MEMO],
            price: 8,
        };
        filter.learn(focus, &[]);
        filter
    }

    /// Whether the closures that led nowhere would by now have paid for a block.
    fn worth_learning(&mut self, wasted: &mut u64) -> bool {
        if *wasted < self.price || self.blocks.len() >= 128 {
            return false;
        }
        *wasted = 0;
        self.price += self.price / 8;
        true
    }

    fn learn(&mut self, focus: &Focus, held: &[u32]) {
        if self.blocks.len() >= 128 {
            return;
        }
        let block = self.cutter.block(focus, held, |_| false);
        let bit = 1_u128 << self.blocks.len();
        for &choice in &block {
            self.hits[choice as usize] |= bit;
        }
        self.blocks.push(block);
        self.memo.fill((0, 0, false));
    }

    /// Whether `left` more choices can meet every block that these miss. Exact for the blocks known.
    fn can_grow(&mut self, members: &[u32], left: usize) -> bool {
        let hit = members
            .iter()
            .fold(0_u128, |hit, &choice| hit | self.hits[choice as usize]);
        let all = if self.blocks.len() == 128 {
            u128::MAX
        } else {
            (1 << self.blocks.len()) - 1
        };
        self.coverable(all & !hit, left)
    }

    fn coverable(&mut self, missed: u128, left: usize) -> bool {
        if missed == 0 {
            return true;
        }
        let first = missed.trailing_zeros() as usize;
        match left {
            0 => return false,
            1 => {
                return self.blocks[first]
                    .iter()
                    .any(|&choice| missed & !self.hits[choice as usize] == 0);
            }
            _ => {}
        }
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a hash of the mask, and sizes are at most 32"
        )]
        let (slot, key) = {
            let folded = (missed as u64) ^ ((missed >> 64) as u64).rotate_left(31) ^ (left as u64);
            (
                (folded.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40) as usize % MEMO,
                left as u8,
            )
        };
        let (of, at_left, answer) = self.memo[slot];
        if of == missed && at_left == key {
            return answer;
        }
        let mut answer = false;
        for index in 0..self.blocks[first].len() {
            let choice = self.blocks[first][index];
            if self.coverable(missed & !self.hits[choice as usize], left - 1) {
                answer = true;
                break;
            }
        }
        self.memo[slot] = (missed, key, answer);
        answer
    }
}
