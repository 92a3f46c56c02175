//! What rules out early that a set grows into an attack not found yet.
//!
//! A set can still matter if so many more choices as its size allows make it
//! meet every known block without completing a known attack. That is decided
//! exactly, so whoever drops a set that cannot loses nothing, and whatever
//! contains a dropped set is dropped too. Where the answer is yes, the
//! completion is tried: it is an attack not known before, or one more block.

#![expect(
    clippy::indexing_slicing,
    reason = "choice and block numbers come from one `Focus` and one `Filter` and are in range"
)]

use std::collections::BTreeSet;

use crate::{
    block::Cutter,
    graph::{Focus, at, number},
};

/// Blocks and attacks known so far.
pub(crate) struct Filter {
    cutter: Cutter,
    /// With the age at which each was learnt. The place of a block is its bit; shorter ones come first, roughly.
    blocks: Vec<(Vec<u32>, u32)>,
    /// Which blocks each choice is in.
    hits: Vec<Mask>,
    attacks: Attacks,
    /// Attacks met while learning, for the caller to take.
    pub(crate) early: Vec<Vec<u32>>,
    /// There is no attack of the wanted size but those known.
    pub(crate) finished: bool,
    /// Once so many nodes were followed in vain, blocks are learnt from the set at hand.
    pub(crate) patience: u32,
    memo: Vec<Memo>,
    /// Counts what was learnt: older answers are void.
    age: u32,
    /// The completion at hand, after the set asked about.
    chosen: Vec<u32>,
}

/// One bit for each block.
pub(crate) type Mask = [u64; WORDS];

const WORDS: usize = 4;

const NONE: Mask = [0; WORDS];

/// So many blocks at most.
const BLOCKS_MAX: usize = 64 * WORDS;

/// Blocks are put in order each time so many were learnt.
const SORT: usize = 16;

/// A longer block rules out too little for what it costs.
const LONG: usize = 512;

/// So many nodes are followed in vain from sets of one size before blocks are learnt; later it takes more.
const PATIENCE: u32 = 512;

/// Blocks learnt from one set at one time.
const ROUNDS: usize = 4;

/// Completions tried before the search begins, for each number of choices: few and many.
const FIRST: (usize, usize) = (4, 96);

/// So many completions of one set are looked at; a set for which that is not enough may grow for all that is known.
const EFFORT: u32 = 4_000;

const MEMO: usize = 1 << 12;

/// Members of known attacks among the choices made, that an answer is remembered for.
const TOUCHED: usize = 3;

/// An answer for what is missed, so many choices left, and what of the choices made occurs in attacks.
#[derive(Clone, Copy)]
struct Memo {
    missed: Mask,
    touched: [u32; TOUCHED],
    left: u32,
    age: u32,
    answer: bool,
}

impl Filter {
    /// Learns what keeps sets of up to `size` choices from the target.
    pub(crate) fn new(focus: &Focus, size: usize) -> Self {
        let choices = focus.choices.len();
        let unused = Memo {
            missed: NONE,
            touched: [u32::MAX; TOUCHED],
            left: 0,
            age: 0,
            answer: false,
        };
        let mut filter = Self {
            cutter: Cutter::new(focus),
            blocks: Vec::new(),
            hits: vec![NONE; choices],
            attacks: Attacks::new(choices),
            early: Vec::new(),
            finished: false,
            patience: PATIENCE,
            memo: vec![unused; MEMO],
            age: 1,
            chosen: Vec::new(),
        };
        let first = (choices / 16).clamp(FIRST.0, FIRST.1);
        for left in 1..=size {
            if !filter.rule_out(focus, &[], left, first) {
                break;
            }
            filter.finished = left == size;
        }
        filter
    }

    /// Notes an attack; the caller has it.
    pub(crate) fn attack(&mut self, members: &[u32]) {
        self.attacks.add(members);
        self.age += 1;
    }

    /// Sets of another size are tried next.
    pub(crate) fn next_level(&mut self) {
        self.patience = PATIENCE;
    }

    /// Learns from a set that is no attack and has not grown into one.
    pub(crate) fn learn(&mut self, focus: &Focus, members: &[u32], left: usize) {
        self.patience += self.patience / 8;
        self.rule_out(focus, members, left, ROUNDS);
    }

    /// Whether at most `left` more choices can make the set meet every known block without
    /// completing a known attack.
    #[inline]
    pub(crate) fn can_grow(&mut self, members: &[u32], left: usize) -> bool {
        !self.attacks.within(members) && {
            let mut effort = EFFORT;
            self.chosen.clear();
            self.chosen.extend_from_slice(members);
            let missed = self.missed(members);
            self.cover(missed, left, &mut effort, false)
        }
    }

    /// Tries completions of a set, each an attack or a lesson; true if there are none left.
    fn rule_out(&mut self, focus: &Focus, members: &[u32], left: usize, rounds: usize) -> bool {
        for _ in 0..rounds {
            if self.attacks.within(members) {
                return true;
            }
            let mut effort = EFFORT;
            self.chosen.clear();
            self.chosen.extend_from_slice(members);
            let missed = self.missed(members);
            if !self.cover(missed, left, &mut effort, true) {
                return true;
            }
            if effort == 0 {
                return false;
            }
            let mut whole = self.chosen.clone();
            if self.reaches(focus, &whole) {
                let mut index = 0;
                while index < whole.len() {
                    let choice = whole.remove(index);
                    if !self.reaches(focus, &whole) {
                        whole.insert(index, choice);
                        index += 1;
                    }
                }
                whole.sort_unstable();
                self.attack(&whole);
                self.early.push(whole);
            } else {
                let block = self.cutter.block(focus, &whole, |_| false);
                if block.len() > LONG {
                    return false;
                }
                self.note(block);
            }
        }
        false
    }

    fn reaches(&mut self, focus: &Focus, members: &[u32]) -> bool {
        let nodes = members.iter().map(|&choice| focus.choices[at(choice)].0);
        self.cutter.close(focus, nodes).holds(focus.target)
    }

    fn note(&mut self, block: Vec<u32>) {
        self.age += 1;
        if self.blocks.len() >= BLOCKS_MAX {
            self.forget();
        }
        self.mark(self.blocks.len(), &block);
        self.blocks.push((block, self.age));
        if self.blocks.len().is_multiple_of(SORT) {
            self.unmark();
            self.blocks.sort_by_key(|(block, _)| block.len());
            self.mark_all();
        }
    }

    fn mark(&mut self, index: usize, block: &[u32]) {
        for &choice in block {
            self.hits[at(choice)][index / 64] |= 1 << (index % 64);
        }
    }

    fn mark_all(&mut self) {
        let blocks = std::mem::take(&mut self.blocks);
        for (index, (block, _)) in blocks.iter().enumerate() {
            self.mark(index, block);
        }
        self.blocks = blocks;
    }

    fn unmark(&mut self) {
        for &choice in self.blocks.iter().flat_map(|(block, _)| block) {
            self.hits[at(choice)] = NONE;
        }
    }

    /// Makes room: of the longer half of the blocks, those learnt first go.
    fn forget(&mut self) {
        self.unmark();
        self.blocks.sort_by_key(|(block, _)| block.len());
        let mut longer = self.blocks.split_off(self.blocks.len() / 2);
        longer.sort_by_key(|&(_, born)| born);
        self.blocks.extend(longer.drain(longer.len() / 2..));
        self.blocks.sort_by_key(|(block, _)| block.len());
        self.mark_all();
    }

    /// Whether these meet every block that another set misses.
    #[inline]
    pub(crate) fn meet(&self, missed: Mask, members: &[u32]) -> bool {
        let meet = |missed, &choice: &u32| without(missed, self.hits[at(choice)]);
        members.iter().fold(missed, meet) == NONE
    }

    /// The known blocks that these miss.
    #[inline]
    pub(crate) fn missed(&self, members: &[u32]) -> Mask {
        let mut missed = NONE;
        for (word, bits) in missed.iter_mut().enumerate() {
            let known = self.blocks.len().saturating_sub(64 * word).min(64);
            *bits = u64::MAX.checked_shr(number(64 - known)).unwrap_or(0);
        }
        members.iter().fold(missed, |missed, &choice| {
            without(missed, self.hits[at(choice)])
        })
    }

    /// Whether `left` choices added to `chosen` can meet what is missed without completing an attack;
    /// if so and a completion is wanted, `chosen` ends with it. Out of effort, the answer is yes.
    fn cover(&mut self, missed: Mask, left: usize, effort: &mut u32, wanted: bool) -> bool {
        let Some(first) = first(missed) else {
            return true;
        };
        if left == 0 {
            return false;
        }
        let key = (left > 1).then(|| self.key(missed, left)).flatten();
        if let Some((slot, key)) = key {
            let memo = &self.memo[slot];
            let known = memo.age == self.age
                && memo.missed == missed
                && memo.left == key.left
                && memo.touched == key.touched;
            if known && !(memo.answer && wanted) {
                return memo.answer;
            }
        }
        let mut answer = false;
        for index in 0..self.blocks[first].0.len() {
            let choice = self.blocks[first].0[index];
            let rest = without(missed, self.hits[at(choice)]);
            if left == 1 && rest != NONE || self.attacks.completes(&self.chosen, choice) {
                continue;
            }
            if *effort == 0 {
                return true;
            }
            *effort -= 1;
            self.chosen.push(choice);
            answer = self.cover(rest, left - 1, effort, wanted);
            if answer {
                if !wanted {
                    self.chosen.pop();
                }
                break;
            }
            self.chosen.pop();
        }
        if let (Some((slot, key)), true) = (key, *effort > 0) {
            self.memo[slot] = Memo { answer, ..key };
        }
        answer
    }

    /// Where an answer is remembered, unless too much depends on what was chosen.
    fn key(&self, missed: Mask, left: usize) -> Option<(usize, Memo)> {
        let mut touched = [u32::MAX; TOUCHED];
        let mut count = 0;
        for &choice in &self.chosen {
            if self.attacks.touches(choice) {
                *touched.get_mut(count)? = choice;
                count += 1;
            }
        }
        touched.sort_unstable();
        let left = number(left);
        let mixed = missed
            .iter()
            .copied()
            .chain(touched.iter().map(|&choice| u64::from(choice)))
            .fold(u64::from(left), |hash, word| {
                (hash.rotate_left(23) ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15)
            });
        let key = Memo {
            missed,
            touched,
            left,
            age: self.age,
            answer: false,
        };
        Some(((mixed >> 40) as usize % MEMO, key))
    }
}

#[inline]
fn without(mut mask: Mask, bits: Mask) -> Mask {
    for (word, bits) in mask.iter_mut().zip(bits) {
        *word &= !bits;
    }
    mask
}

#[inline]
fn first(mask: Mask) -> Option<usize> {
    let word = mask.iter().position(|&bits| bits != 0)?;
    Some(64 * word + mask[word].trailing_zeros() as usize)
}

/// Known attacks, so that no set with one of them in it is followed.
struct Attacks {
    members: Vec<u32>,
    starts: Vec<u32>,
    /// The attacks each choice is in.
    with: Vec<Vec<u32>>,
    /// By members.
    table: BTreeSet<Vec<u32>>,
    /// None is smaller.
    least: usize,
}

/// Fewer attacks than this are read one by one.
const FEW: usize = 24;

impl Attacks {
    fn new(choices: usize) -> Self {
        Self {
            members: Vec::new(),
            starts: vec![0],
            with: vec![Vec::new(); choices],
            table: BTreeSet::new(),
            least: usize::MAX,
        }
    }

    fn add(&mut self, members: &[u32]) {
        let attack = number(self.starts.len() - 1);
        self.members.extend_from_slice(members);
        self.starts.push(number(self.members.len()));
        for &choice in members {
            self.with[at(choice)].push(attack);
        }
        self.table.insert(members.to_vec());
        self.least = self.least.min(members.len());
    }

    /// Whether the choice is in any.
    #[inline]
    fn touches(&self, choice: u32) -> bool {
        !self.with[at(choice)].is_empty()
    }

    /// Whether one is among these.
    #[inline]
    fn within(&self, members: &[u32]) -> bool {
        members
            .iter()
            .enumerate()
            .any(|(before, &choice)| self.completes(&members[..before], choice))
    }

    /// Whether one is among these with this choice and contains it.
    fn completes(&self, members: &[u32], choice: u32) -> bool {
        let with = &self.with[at(choice)];
        if with.is_empty() {
            return false;
        }
        let touched = members.iter().filter(|&&one| self.touches(one)).count();
        if touched + 1 < self.least {
            return false;
        }
        if with.len() > FEW && touched < 8 {
            return self.subset_with(members, choice);
        }
        with.iter().any(|&attack| {
            let range = at(self.starts[at(attack)])..at(self.starts[at(attack) + 1]);
            self.members[range]
                .iter()
                .all(|one| *one == choice || members.contains(one))
        })
    }

    /// The same by looking up every subset.
    fn subset_with(&self, members: &[u32], choice: u32) -> bool {
        let touched: Vec<u32> = members
            .iter()
            .copied()
            .filter(|&one| self.touches(one))
            .collect();
        let mut subset = Vec::with_capacity(touched.len() + 1);
        (0..1_u32 << touched.len()).any(|which| {
            if which.count_ones() as usize + 1 < self.least {
                return false;
            }
            subset.clear();
            subset.push(choice);
            subset.extend(
                touched
                    .iter()
                    .enumerate()
                    .filter(|(place, _)| which >> place & 1 == 1)
                    .map(|(_, &one)| one),
            );
            subset.sort_unstable();
            self.table.contains(&subset)
        })
    }
}

/// Both ascending.
#[inline]
pub(crate) fn is_subset(few: &[u32], many: &[u32]) -> bool {
    let mut rest = many.iter();
    few.iter().all(|one| rest.any(|other| other == one))
}
