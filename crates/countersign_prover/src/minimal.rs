//! All minimal sets of choices up to a size, level by level.
//!
//! Every node keeps the sets that are minimal for it. A set first shows itself
//! where a rule joins two smaller ones; what else it makes is followed from
//! there, and only as far as no proper subset makes it too, which the lists
//! themselves tell. Blocks (see [`crate::block`]) throw away early what cannot
//! grow into an attack of the wanted size. `docs/prover.md` has the proof.

#![expect(
    clippy::indexing_slicing,
    reason = "node, set and choice numbers come from one `Focus` and one `Work` and are in range"
)]

use crate::{
    filter::{Filter, is_subset},
    graph::{FALSE, Focus, Node, TRUE, at, number},
};

/// No set may be larger.
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
    /// So many sets tried.
    pub(crate) tried: u64,
    /// So many candidates remembered.
    pub(crate) candidates: usize,
}

/// Unions looked at for each set that may be tried.
const UNIONS: u64 = 16;

/// All minimal sets of at most `size` choices that derive the target.
pub(crate) fn minimal_sets(focus: &Focus, size: usize, stop: Stop) -> Found {
    let size = size.min(SIZE_MAX);
    let mut work = Work::new(focus, size, stop);
    let mut found = Found::default();
    found.sets.append(&mut work.filter.early);
    if work.filter.finished {
        found.complete_to = size;
        return found;
    }
    for (choice, &(node, _)) in focus.choices.iter().enumerate() {
        work.candidates.add(&[number(choice)], node);
    }
    let mut tried = 0;
    for level in 1..=size {
        work.filter.next_level();
        let mut next = 0;
        while let Some(set) = work.candidates.of_size(level, next) {
            next += 1;
            tried += 1;
            crate::progress::sets(level, found.sets.len(), tried);
            if work.try_set(level, set) {
                let members = work.candidates.members(set).to_vec();
                if level < size {
                    work.filter.attack(&members);
                }
                found.sets.push(members);
            }
            found.sets.append(&mut work.filter.early);
            if found.sets.len() >= stop.sets || tried >= stop.tried || work.is_full() {
                found.complete_to = level - 1;
                return found;
            }
        }
        work.candidates.finish(level);
    }
    found.complete_to = size;
    found
}

struct Work<'a> {
    focus: &'a Focus,
    /// The largest size wanted.
    size: usize,
    stop: Stop,
    /// Unions looked at.
    joined: u64,
    candidates: Candidates,
    known: Known,
    /// Nodes that the set at hand makes and none of its proper subsets does.
    fresh: Vec<Node>,
    /// Whose fresh node each is: the number of the try.
    fresh_in: Vec<u32>,
    /// Whether a proper subset makes each node, as far as asked: twice the number of the try, and one if so.
    asked: Vec<u32>,
    tries: u32,
    union: Vec<u32>,
    filter: Filter,
    wasted: u32,
}

impl<'a> Work<'a> {
    fn new(focus: &'a Focus, size: usize, stop: Stop) -> Self {
        let nodes = focus.graph.nodes();
        Self {
            focus,
            size,
            stop,
            joined: 0,
            candidates: Candidates::new(size),
            known: Known::new(nodes),
            fresh: Vec::new(),
            fresh_in: vec![0; nodes],
            asked: vec![0; nodes],
            tries: 0,
            union: Vec::new(),
            filter: Filter::new(focus, size),
            wasted: 0,
        }
    }

    /// Nothing more may be remembered, or too many unions were looked at.
    fn is_full(&self) -> bool {
        self.candidates.made >= self.stop.candidates
            || self.joined >= self.stop.tried.saturating_mul(UNIONS)
    }

    /// True if the set is a minimal attack; otherwise what it makes is noted for larger sets.
    fn try_set(&mut self, level: usize, set: u32) -> bool {
        let left = self.size - level;
        if !self.filter.can_grow(self.candidates.members(set), left) {
            return false;
        }
        let members: [u32; SIZE_MAX] = {
            let mut members = [0; SIZE_MAX];
            members[..level].copy_from_slice(self.candidates.members(set));
            members
        };
        let signature = signature(&members[..level]);
        self.known.prepare(&members[..level], &self.candidates);
        self.follow(set, &members[..level], signature);
        if self.fresh_in[at(self.focus.target)] == self.tries {
            return true;
        }
        self.wasted = self.wasted.saturating_add(number(self.fresh.len()));
        if self.wasted >= self.filter.patience {
            self.wasted = 0;
            self.filter.learn(self.focus, &members[..level], left);
            if !self.filter.can_grow(&members[..level], left) {
                return false;
            }
        }
        if left > 0 {
            for index in 0..self.fresh.len() {
                self.known.note(self.fresh[index], set, signature);
            }
            for index in 0..self.fresh.len() {
                self.join_all(&members[..level], signature, self.fresh[index]);
            }
        }
        false
    }

    /// Finds the nodes that only the whole set makes.
    fn follow(&mut self, set: u32, members: &[u32], signature: u64) {
        self.tries += 1;
        self.fresh.clear();
        let mut seed = self.candidates.first_seed(set);
        while let Some((node, next)) = seed {
            self.refresh(node, members, signature);
            seed = self.candidates.seed(next);
        }
        let graph = &self.focus.graph;
        let mut next = 0;
        while let Some(&node) = self.fresh.get(next) {
            next += 1;
            for &[other, head] in graph.out(node) {
                let holds = other == TRUE
                    || self.fresh_in[at(other)] == self.tries
                    || self.makes(other, members, signature);
                if holds {
                    self.refresh(head, members, signature);
                }
            }
        }
    }

    /// Whether a proper subset of the set at hand makes the node.
    fn makes(&mut self, node: Node, members: &[u32], signature: u64) -> bool {
        let asked = self.asked[at(node)];
        if asked / 2 == self.tries {
            return asked % 2 == 1;
        }
        let makes = self.known.makes(node, members, signature, &self.candidates);
        self.asked[at(node)] = self.tries * 2 + u32::from(makes);
        makes
    }

    fn refresh(&mut self, node: Node, members: &[u32], signature: u64) {
        if self.fresh_in[at(node)] != self.tries && !self.makes(node, members, signature) {
            self.fresh_in[at(node)] = self.tries;
            self.fresh.push(node);
        }
    }

    /// Notes the unions of the set with the sets of every node that makes something new together with `node`.
    fn join_all(&mut self, members: &[u32], signature: u64, node: Node) {
        let focus = self.focus;
        let missed = self.filter.missed(members);
        for &[other, head] in focus.graph.out(node) {
            let mut entry = self.known.newest[at(other)];
            if self.is_full() {
                return;
            }
            if other == TRUE
                || entry == FALSE
                || self.fresh_in[at(head)] == self.tries
                || self.makes(head, members, signature)
            {
                continue;
            }
            while entry != FALSE {
                let Entry {
                    set: with,
                    older,
                    signature: of,
                } = self.known.entries[entry as usize];
                entry = older;
                // The signatures' bits are at most the members, so many bits mean a set too large.
                if (signature | of).count_ones() as usize > self.size {
                    continue;
                }
                self.joined += 1;
                let other_members = self.candidates.members(with);
                // Most unions are as large as wanted already and miss a block.
                if members.len() + 1 == self.size && !self.filter.meet(missed, other_members) {
                    continue;
                }
                merge(members, other_members, &mut self.union);
                let together = self.union.len();
                if together <= self.size
                    && together > members.len()
                    && together > other_members.len()
                    && self.filter.can_grow(&self.union, self.size - together)
                {
                    self.candidates.add(&self.union, head);
                }
            }
        }
    }
}

/// The union of two ascending lists.
fn merge(one: &[u32], two: &[u32], union: &mut Vec<u32>) {
    union.clear();
    let (mut i, mut j) = (0, 0);
    while i < one.len() && j < two.len() {
        let (first, second) = (one[i], two[j]);
        union.push(first.min(second));
        i += usize::from(first <= second);
        j += usize::from(second <= first);
    }
    union.extend_from_slice(&one[i..]);
    union.extend_from_slice(&two[j..]);
}

/// One bit for each member, perhaps shared: a subset's signature is a subset of the signature.
fn signature(members: &[u32]) -> u64 {
    members.iter().fold(0, |bits, &choice| {
        bits | 1 << (choice.wrapping_mul(0x9E37_79B9) >> 26)
    })
}

/// The minimal sets of each node.
struct Known {
    /// Newest entry of each node's list.
    newest: Vec<u32>,
    /// How long each node's list is.
    length: Vec<u32>,
    entries: Vec<Entry>,
    /// Every entry by node and set, for lists too long to read.
    table: Vec<u64>,
    /// Sets that are proper subsets of the one at hand.
    subsets: Vec<u32>,
}

#[derive(Clone, Copy)]
struct Entry {
    signature: u64,
    set: u32,
    older: u32,
}

/// A list longer than this is not read but asked for each subset.
const LONG: u32 = 12;

/// The subsets of sets no larger than this are tried one by one.
const SUBSETS_MAX: usize = 5;

const EMPTY: u64 = u64::MAX;

impl Known {
    fn new(nodes: usize) -> Self {
        Self {
            newest: vec![FALSE; nodes],
            length: vec![0; nodes],
            entries: Vec::new(),
            table: vec![EMPTY; 1024],
            subsets: Vec::new(),
        }
    }

    fn note(&mut self, node: Node, set: u32, signature: u64) {
        let older = self.newest[at(node)];
        self.newest[at(node)] = number(self.entries.len());
        self.length[at(node)] += 1;
        self.entries.push(Entry {
            signature,
            set,
            older,
        });
        if self.entries.len() * 2 > self.table.len() {
            let bigger = vec![EMPTY; self.table.len() * 2];
            for key in std::mem::replace(&mut self.table, bigger) {
                if key != EMPTY {
                    let slot = self.find(key);
                    self.table[slot] = key;
                }
            }
        }
        let key = u64::from(node) << 32 | u64::from(set);
        let slot = self.find(key);
        self.table[slot] = key;
    }

    fn find(&self, key: u64) -> usize {
        let mask = self.table.len() - 1;
        let mut slot = (key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) as usize & mask;
        while self.table[slot] != EMPTY && self.table[slot] != key {
            slot = (slot + 1) & mask;
        }
        slot
    }

    /// Gets ready for questions about this set.
    fn prepare(&mut self, members: &[u32], candidates: &Candidates) {
        self.subsets.clear();
        if members.len() > SUBSETS_MAX {
            return;
        }
        let mut subset = Vec::with_capacity(SUBSETS_MAX);
        for which in 1..(1_u32 << members.len()) - 1 {
            subset.clear();
            subset.extend(
                members
                    .iter()
                    .enumerate()
                    .filter(|(at, _)| which >> at & 1 == 1)
                    .map(|(_, &one)| one),
            );
            self.subsets.extend(candidates.get(&subset));
        }
    }

    /// Whether a proper subset of the prepared set is known to make the node.
    fn makes(&self, node: Node, members: &[u32], signature: u64, candidates: &Candidates) -> bool {
        if self.length[at(node)] > LONG && members.len() <= SUBSETS_MAX {
            return self.subsets.iter().any(|&set| {
                let key = u64::from(node) << 32 | u64::from(set);
                self.table[self.find(key)] == key
            });
        }
        let mut entry = self.newest[at(node)];
        while entry != FALSE {
            let Entry {
                signature: of,
                set,
                older,
            } = self.entries[entry as usize];
            if of & !signature == 0 && is_subset(candidates.members(set), members) {
                return true;
            }
            entry = older;
        }
        false
    }
}

/// Every set met so far, once, grouped by size, with the nodes where it showed itself.
struct Candidates {
    members: Vec<u32>,
    starts: Vec<u32>,
    by_size: Vec<Vec<u32>>,
    /// Newest seed of each set.
    newest: Vec<u32>,
    /// A node where a set showed itself, and the set's older seed.
    seeds: Vec<(Node, u32)>,
    table: Vec<u32>,
    /// Sets and seeds together, as a measure of memory.
    made: usize,
}

impl Candidates {
    fn new(size: usize) -> Self {
        Self {
            members: Vec::new(),
            starts: vec![0],
            by_size: vec![Vec::new(); size + 1],
            newest: Vec::new(),
            seeds: Vec::new(),
            table: vec![FALSE; 1024],
            made: 0,
        }
    }

    fn members(&self, set: u32) -> &[u32] {
        &self.members[at(self.starts[at(set)])..at(self.starts[at(set) + 1])]
    }

    fn of_size(&self, size: usize, nth: usize) -> Option<u32> {
        self.by_size[size].get(nth).copied()
    }

    /// Nothing asks for the list of this size again.
    fn finish(&mut self, size: usize) {
        self.by_size[size] = Vec::new();
    }

    fn first_seed(&self, set: u32) -> Option<(Node, u32)> {
        self.seed(self.newest[at(set)])
    }

    fn seed(&self, seed: u32) -> Option<(Node, u32)> {
        self.seeds.get(seed as usize).copied()
    }

    fn get(&self, members: &[u32]) -> Option<u32> {
        Some(self.table[self.find(members)]).filter(|&set| set != FALSE)
    }

    fn add(&mut self, members: &[u32], node: Node) {
        if self.newest.len() * 2 >= self.table.len() {
            self.table = vec![FALSE; self.table.len() * 2];
            for set in 0..number(self.newest.len()) {
                let slot = self.find(self.members(set));
                self.table[slot] = set;
            }
        }
        let slot = self.find(members);
        if self.table[slot] == FALSE {
            let set = number(self.newest.len());
            self.table[slot] = set;
            self.members.extend_from_slice(members);
            self.starts.push(number(self.members.len()));
            self.by_size[members.len()].push(set);
            self.newest.push(FALSE);
            self.made += 1;
        }
        let set = self.table[slot];
        let older = self.newest[at(set)];
        if self.seed(older).is_none_or(|(last, _)| last != node) {
            self.newest[at(set)] = number(self.seeds.len());
            self.seeds.push((node, older));
            self.made += 1;
        }
    }

    fn find(&self, members: &[u32]) -> usize {
        let mixed = members.iter().fold(0_u64, |hash, &choice| {
            (hash.rotate_left(23) ^ u64::from(choice)).wrapping_mul(0x9E37_79B9_7F4A_7C15)
        });
        let mask = self.table.len() - 1;
        let mut slot = (mixed >> 32) as usize & mask;
        while self.table[slot] != FALSE && self.members(self.table[slot]) != members {
            slot = (slot + 1) & mask;
        }
        slot
    }
}
