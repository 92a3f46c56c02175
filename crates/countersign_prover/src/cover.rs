//! Choices that meet every block, for no more than a price: weighted hitting sets, exactly.
//!
//! Branch and bound. What is left to meet is bounded from below by a Lagrangian
//! relaxation: each block not yet met pays a multiplier to each of its members,
//! members that are paid more than they cost are taken, and whatever the
//! multipliers, the sum is no more than the price of any set that meets all
//! blocks. The same sum fixes single choices: one whose taking, or leaving,
//! would lift it over the price is decided. All sums are of whole numbers, so
//! nothing is lost to rounding. (Beasley 1990; Caprara, Fischetti and Toth 1999.)

#![expect(
    clippy::indexing_slicing,
    reason = "members and blocks are numbered by `Cover::new` and are in range"
)]

use std::collections::BTreeMap;

use crate::search::Budget;

/// Outcome of a search for a hitting set.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Hit {
    /// These choices meet every block and cost no more than the price.
    Set(Vec<u32>),
    /// No choices do.
    None,
    /// The work allowed was done first.
    GaveUp {
        /// Any that meet every block cost at least this.
        at_least: u64,
    },
}

/// Blocks, and the multipliers that were good for them last time.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    blocks: Vec<Vec<u32>>,
    /// In prices.
    multipliers: Vec<f64>,
}

impl Pool {
    pub(crate) fn add(&mut self, block: Vec<u32>) {
        self.blocks.push(block);
        self.multipliers.push(0.0);
    }

    /// Forgets choices that are not to be taken.
    pub(crate) fn retain(&mut self, keep: impl Fn(u32) -> bool) {
        for block in &mut self.blocks {
            block.retain(|&choice| keep(choice));
        }
    }

    /// Looks for choices within the limits of the budget's classes that meet every block and cost at most `cap` in all.
    ///
    /// Says too which of `choices` can be among any such, as far as the bound shows, whatever blocks
    /// there are besides. `work` is what may be done, in members looked at, and is lowered by what was done.
    pub(crate) fn hit(
        &mut self,
        budget: &Budget,
        choices: &[u32],
        cap: u64,
        work: &mut u64,
    ) -> (Hit, Vec<bool>) {
        let Some(mut cover) = Cover::new(self, budget, cap, *work) else {
            return (Hit::GaveUp { at_least: 0 }, vec![true; choices.len()]);
        };
        let (outcome, open) = if cover.root() {
            let multipliers = cover.multiplier.iter();
            self.multipliers = multipliers.map(|&parts| cover.price_of(parts)).collect();
            let open = cover.open(choices, budget);
            (cover.visit(), open)
        } else {
            (Step::None, vec![false; choices.len()])
        };
        *work = cover.work;
        let hit = match outcome {
            Step::Found => Hit::Set(cover.taken()),
            Step::None => Hit::None,
            Step::GaveUp => Hit::GaveUp {
                at_least: cover.at_least(),
            },
        };
        (hit, open)
    }
}

/// Multipliers are kept in so small parts of a price.
const PART: i64 = 1 << 10;

/// Prices and how many of them may add up to so much.
const LARGEST: i64 = 1 << 44;

/// Rounds of improving the multipliers before the first branch, and at each later one.
const ROUNDS: [u32; 2] = [300, 10];

/// Steps shorter than this improve nothing worth having.
const SHORT: f64 = 0.05;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Is {
    Free,
    Taken,
    Left,
}

enum Step {
    Found,
    None,
    GaveUp,
}

struct Cover {
    /// The caller's number of each member.
    name: Vec<u32>,
    /// In parts.
    price: Vec<i64>,
    class: Vec<u8>,
    /// What is left of each class, in parts.
    left: Vec<i64>,
    /// What is left in all, in parts.
    cap: i64,
    /// All prices are multiples of this; a part is a `PART`th of it.
    unit: u64,
    blocks: Vec<Vec<u32>>,
    blocks_of: Vec<Vec<u32>>,
    is: Vec<Is>,
    /// How many members of each block are taken, and how many are free.
    met: Vec<u32>,
    free: Vec<u32>,
    multiplier: Vec<i64>,
    /// The multipliers to start from, in prices.
    warm: Vec<f64>,
    /// Price of each member less the multipliers of its unmet blocks.
    reduced: Vec<i64>,
    /// Decided members, in order.
    trail: Vec<u32>,
    spent: i64,
    /// The best bound before anything was decided, and the best before the first branch.
    bound: i64,
    last: i64,
    depth: u32,
    work: u64,
}

impl Cover {
    /// None if the prices are too large to be added up.
    fn new(pool: &Pool, budget: &Budget, cap: u64, work: u64) -> Option<Self> {
        let mut name: Vec<u32> = pool.blocks.iter().flatten().copied().collect();
        name.sort_unstable();
        name.dedup();
        // What costs more than all may cost is never taken.
        name.retain(|&choice| budget.price[choice as usize] <= cap);
        let number: BTreeMap<u32, u32> = name.iter().copied().zip(0..).collect();
        let price = |choice: u32| budget.price[choice as usize];
        let unit = name
            .iter()
            .fold(0, |unit, &choice| gcd(unit, price(choice)))
            .max(1);
        let parts =
            |price: u64| -> Option<i64> { i64::try_from(price / unit).ok()?.checked_mul(PART) };
        let prices: Vec<i64> = name
            .iter()
            .map(|&choice| parts(price(choice)))
            .collect::<Option<_>>()?;
        let all = prices
            .iter()
            .try_fold(0_i64, |sum, &price| sum.checked_add(price))?;
        if all > LARGEST {
            return None;
        }
        let at_most_all = |price: u64| parts(price).map_or(all, |price| price.min(all));
        let kept: Vec<Vec<u32>> = pool
            .blocks
            .iter()
            .map(|block| {
                block
                    .iter()
                    .filter_map(|choice| number.get(choice).copied())
                    .collect()
            })
            .collect();
        let mut blocks_of = vec![Vec::new(); name.len()];
        for (index, block) in (0..).zip(&kept) {
            for &member in block {
                blocks_of[member as usize].push(index);
            }
        }
        Some(Self {
            class: name
                .iter()
                .map(|&choice| budget.class[choice as usize])
                .collect(),
            left: budget
                .limit
                .iter()
                .map(|&limit| at_most_all(limit))
                .collect(),
            cap: at_most_all(cap),
            unit,
            is: vec![Is::Free; name.len()],
            reduced: prices.clone(),
            price: prices,
            name,
            met: vec![0; kept.len()],
            free: kept
                .iter()
                .map(|block| u32::try_from(block.len()).unwrap_or(u32::MAX))
                .collect(),
            multiplier: Vec::new(),
            warm: pool.multipliers.clone(),
            blocks: kept,
            blocks_of,
            trail: Vec::new(),
            spent: 0,
            bound: 0,
            last: 0,
            depth: 0,
            work,
        })
    }

    fn taken(&self) -> Vec<u32> {
        let taken = self
            .name
            .iter()
            .zip(&self.is)
            .filter(|&(_, &is)| is == Is::Taken);
        taken.map(|(&name, _)| name).collect()
    }

    /// What every hitting set costs at least, in whole units.
    fn at_least(&self) -> u64 {
        let units = u64::try_from(self.bound)
            .unwrap_or(0)
            .div_ceil(PART.unsigned_abs());
        units.saturating_mul(self.unit)
    }

    /// Decides what follows, then tries one member in and then out.
    fn visit(&mut self) -> Step {
        let from = self.trail.len();
        loop {
            if self.work == 0 {
                return Step::GaveUp;
            }
            if !self.settle() {
                self.undo(from);
                return Step::None;
            }
            let Some(member) = self.branch() else {
                return Step::Found;
            };
            let here = self.trail.len();
            self.decide(member, Is::Taken);
            self.depth += 1;
            let step = self.visit();
            self.depth -= 1;
            if !matches!(step, Step::None) {
                return step;
            }
            self.undo(here);
            self.decide(member, Is::Left);
        }
    }

    /// Finds good multipliers and decides what they decide, before the first branch; false if nothing within the
    /// price is left.
    fn root(&mut self) -> bool {
        let start = |(block, &warm): (&Vec<u32>, &f64)| {
            // A block that has no multiplier yet pays as much as the poorest member's share.
            let share = |&member: &u32| {
                let blocks = i64::try_from(self.blocks_of[member as usize].len()).unwrap_or(1);
                self.price[member as usize] / blocks.max(1)
            };
            match self.parts_of(warm) {
                0 => block.iter().map(share).min().unwrap_or(0),
                parts => parts,
            }
        };
        self.multiplier = self.blocks.iter().zip(&self.warm).map(start).collect();
        loop {
            let decided = self.trail.len();
            if !self.only_members() || !self.bounded() {
                return false;
            }
            if self.trail.len() == decided {
                return true;
            }
        }
    }

    /// Which of these choices the bound before the first branch leaves open. One that no block has costs its
    /// price on top of the bound.
    fn open(&self, choices: &[u32], budget: &Budget) -> Vec<bool> {
        let units = u64::try_from((self.cap - self.last) / PART).unwrap_or(0);
        let of = |choice: &u32| match self.name.binary_search(choice) {
            Ok(member) => self.is[member] != Is::Left,
            Err(_) => budget.price[*choice as usize] / self.unit <= units,
        };
        choices.iter().map(of).collect()
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "any multipliers are right, only some are better"
    )]
    fn price_of(&self, parts: i64) -> f64 {
        parts as f64 / PART as f64 * self.unit as f64
    }

    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "any multipliers are right, only some are better"
    )]
    fn parts_of(&self, price: f64) -> i64 {
        ((price / self.unit as f64 * PART as f64) as i64).clamp(0, self.cap + PART)
    }

    fn decide(&mut self, member: u32, is: Is) {
        let index = member as usize;
        self.is[index] = is;
        self.trail.push(member);
        for &block in &self.blocks_of[index] {
            self.free[block as usize] -= 1;
            if is == Is::Taken {
                self.met[block as usize] += 1;
            }
        }
        if is == Is::Taken {
            self.spent += self.price[index];
            self.left[self.class[index] as usize] -= self.price[index];
        }
    }

    fn undo(&mut self, to: usize) {
        while self.trail.len() > to {
            let Some(member) = self.trail.pop() else {
                return;
            };
            let index = member as usize;
            for &block in &self.blocks_of[index] {
                self.free[block as usize] += 1;
                if self.is[index] == Is::Taken {
                    self.met[block as usize] -= 1;
                }
            }
            if self.is[index] == Is::Taken {
                self.spent -= self.price[index];
                self.left[self.class[index] as usize] += self.price[index];
            }
            self.is[index] = Is::Free;
        }
    }

    /// Decides everything that follows; false if nothing within the price can.
    fn settle(&mut self) -> bool {
        loop {
            if !self.only_members() {
                return false;
            }
            let decided = self.trail.len();
            if !self.bounded() {
                return false;
            }
            if self.trail.len() == decided {
                self.dominated();
            }
            if self.trail.len() == decided {
                return true;
            }
        }
    }

    /// Takes the only free member of each block that has one; false if a block has none, or it does not fit.
    fn only_members(&mut self) -> bool {
        loop {
            if self.spent > self.cap || self.left.iter().any(|&left| left < 0) {
                return false;
            }
            let mut again = false;
            for block in 0..self.blocks.len() {
                if self.met[block] > 0 {
                    continue;
                }
                if self.free[block] == 0 {
                    return false;
                }
                if self.free[block] == 1
                    && let Some(&member) = self.blocks[block]
                        .iter()
                        .find(|&&member| self.is[member as usize] == Is::Free)
                {
                    self.decide(member, Is::Taken);
                    again = true;
                }
            }
            for member in 0..self.name.len() {
                let over = self.price[member] > self.left[self.class[member] as usize]
                    || self.price[member] > self.cap - self.spent;
                if over && self.is[member] == Is::Free {
                    self.decide(u32::try_from(member).unwrap_or(0), Is::Left);
                    again = true;
                }
            }
            if !again {
                return true;
            }
        }
    }

    /// Improves the multipliers; false if they show that the price is not enough. Stops when they decide a member.
    fn bounded(&mut self) -> bool {
        let rounds = ROUNDS[usize::from(self.depth > 0)];
        let mut step = if self.depth == 0 { 2.0 } else { 1.0 };
        let mut best = i64::MIN;
        let mut stale = 0;
        for _ in 0..rounds {
            let mut bound = self.spent;
            for member in 0..self.name.len() {
                if self.is[member] != Is::Free {
                    continue;
                }
                let paid: i64 = self.blocks_of[member]
                    .iter()
                    .filter(|&&block| self.met[block as usize] == 0)
                    .map(|&block| self.multiplier[block as usize])
                    .sum();
                self.reduced[member] = self.price[member] - paid;
                bound += self.reduced[member].min(0);
            }
            // How often each unmet block is met by what is paid more than it costs, less once.
            let mut squares = 0_i64;
            let mut unmet = Vec::with_capacity(self.blocks.len());
            for (index, block) in self.blocks.iter().enumerate() {
                if self.met[index] > 0 {
                    continue;
                }
                bound += self.multiplier[index];
                let paid = block.iter().filter(|&&member| {
                    self.is[member as usize] == Is::Free && self.reduced[member as usize] < 0
                });
                let missing = 1 - i64::try_from(paid.count()).unwrap_or(0);
                squares += missing * missing;
                unmet.push((index, missing));
                self.work = self.work.saturating_sub(2 * block.len() as u64);
            }
            if self.depth == 0 {
                self.last = bound;
                if self.trail.is_empty() {
                    self.bound = self.bound.max(bound);
                }
            }
            if bound > self.cap {
                return false;
            }
            if self.fix(bound) {
                return true;
            }
            if squares == 0 {
                return true;
            }
            if bound > best {
                (best, stale) = (bound, 0);
            } else {
                stale += 1;
                if stale == 10 {
                    (step, stale) = (step / 2.0, 0);
                    if step < SHORT {
                        return true;
                    }
                }
            }
            #[expect(
                clippy::cast_precision_loss,
                clippy::cast_possible_truncation,
                reason = "any multipliers are right, only some are better"
            )]
            for (index, missing) in unmet {
                let gap = (self.cap + PART - bound) as f64;
                let by = (step * gap * missing as f64 / squares as f64) as i64;
                self.multiplier[index] = self.multiplier[index]
                    .saturating_add(by)
                    .clamp(0, self.cap + PART);
            }
        }
        true
    }

    /// Decides members that the bound decides; whether there was any.
    fn fix(&mut self, bound: i64) -> bool {
        let room = self.cap - bound;
        let decided = self.trail.len();
        for member in 0..self.name.len() {
            let reduced = self.reduced[member];
            if self.is[member] != Is::Free || reduced.abs() <= room {
                continue;
            }
            let is = if reduced > 0 { Is::Left } else { Is::Taken };
            self.decide(u32::try_from(member).unwrap_or(0), is);
        }
        self.trail.len() > decided
    }

    /// Leaves members for which another, no dearer, meets all that they would meet.
    fn dominated(&mut self) {
        for member in 0..self.name.len() {
            if self.is[member] != Is::Free {
                continue;
            }
            let unmet = |&&block: &&u32| self.met[block as usize] == 0;
            let fewest = self.blocks_of[member]
                .iter()
                .filter(unmet)
                .min_by_key(|&&block| self.free[block as usize]);
            let better = match fewest {
                None => true,
                Some(&fewest) => self.blocks[fewest as usize].iter().any(|&other| {
                    let at = other as usize;
                    at != member
                        && self.is[at] == Is::Free
                        && self.price[at] <= self.price[member]
                        && (self.class[at] == self.class[member]
                            || self.left[self.class[at] as usize] >= self.cap - self.spent)
                        && self.blocks_of[member]
                            .iter()
                            .filter(unmet)
                            .all(|block| self.blocks[*block as usize].contains(&other))
                }),
            };
            if better {
                self.decide(u32::try_from(member).unwrap_or(0), Is::Left);
            }
        }
    }

    /// The member to try: of an unmet block with the fewest free members, the one that pays most.
    fn branch(&self) -> Option<u32> {
        let unmet = (0..self.blocks.len()).filter(|&block| self.met[block] == 0);
        let block = unmet.min_by_key(|&block| (self.free[block], -self.multiplier[block]))?;
        let free = self.blocks[block]
            .iter()
            .copied()
            .filter(|&member| self.is[member as usize] == Is::Free);
        free.min_by_key(|&member| self.reduced[member as usize])
    }
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_testkit::naive::Dice;

    fn hit(blocks: &[Vec<u32>], budget: &Budget, cap: u64, work: &mut u64) -> (Hit, Vec<bool>) {
        let mut pool = Pool::default();
        for block in blocks {
            pool.add(block.clone());
        }
        pool.hit(budget, &[], cap, work)
    }

    /// The least price of a set that meets all blocks within the limits, by trying every set.
    fn least(blocks: &[Vec<u32>], budget: &Budget) -> Option<u64> {
        let choices = budget.price.len();
        (0_u32..1 << choices)
            .filter(|set| {
                blocks
                    .iter()
                    .all(|block| block.iter().any(|&choice| set >> choice & 1 == 1))
            })
            .filter_map(|set| {
                let mut left = budget.limit.clone();
                let mut total = 0;
                for choice in (0..choices).filter(|choice| set >> choice & 1 == 1) {
                    let left = &mut left[budget.class[choice] as usize];
                    *left = left.checked_sub(budget.price[choice])?;
                    total += budget.price[choice];
                }
                Some(total)
            })
            .min()
    }

    #[test]
    fn hitting_sets_are_found_exactly_where_there_are_any() {
        let (mut found, mut none) = (0, 0);
        for seed in 0..3_000 {
            let mut dice = Dice(seed);
            let choices = 3 + dice.below(9);
            let dearest = [1, 4, 40][dice.below(3)];
            let budget = Budget {
                class: (0..choices).map(|_| u8::from(dice.chance(40))).collect(),
                limit: vec![
                    u64::MAX,
                    if dice.chance(50) {
                        u64::MAX
                    } else {
                        dice.below(20) as u64
                    },
                ],
                price: (0..choices)
                    .map(|_| dice.below(dearest + 1) as u64 * [1, 7][dice.below(2)])
                    .collect(),
            };
            let blocks: Vec<Vec<u32>> = (0..=dice.below(14))
                .map(|_| {
                    (0..=dice.below(4))
                        .map(|_| u32::try_from(dice.below(choices)).expect("small"))
                        .collect()
                })
                .collect();
            let expected = least(&blocks, &budget);
            let caps = expected.map_or(vec![0, 3, 1_000], |least| {
                vec![least, least + 1, least.saturating_sub(1), 1_000]
            });
            for cap in caps {
                match hit(&blocks, &budget, cap, &mut 1_000_000).0 {
                    Hit::Set(set) => {
                        let price: u64 = set
                            .iter()
                            .map(|&choice| budget.price[choice as usize])
                            .sum();
                        assert!(price <= cap, "seed {seed}: too dear");
                        assert!(
                            blocks
                                .iter()
                                .all(|block| block.iter().any(|choice| set.contains(choice))),
                            "seed {seed}: a block is missed"
                        );
                        assert!(
                            expected.is_some_and(|least| least <= price),
                            "seed {seed}: over a limit"
                        );
                        found += 1;
                    }
                    Hit::None => {
                        assert!(
                            expected.is_none_or(|least| least > cap),
                            "seed {seed}: there is one for {expected:?}, asked for {cap}"
                        );
                        none += 1;
                    }
                    Hit::GaveUp { .. } => panic!("seed {seed}: so small a question is decided"),
                }
            }
        }
        assert!(found > 1_000 && none > 1_000, "{found} {none}");
    }

    #[test]
    fn a_stop_says_what_is_known() {
        let mut dice = Dice(7);
        let blocks: Vec<Vec<u32>> = (0..220)
            .map(|_| {
                (0..3)
                    .map(|_| u32::try_from(dice.below(120)).expect("small"))
                    .collect()
            })
            .collect();
        let budget = Budget {
            class: vec![0; 120],
            limit: vec![u64::MAX],
            price: vec![1; 120],
        };
        let mut work = 2_000_000;
        let Hit::GaveUp { at_least } = hit(&blocks, &budget, 44, &mut work).0 else {
            panic!("decided in no time");
        };
        assert!((36..=44).contains(&at_least), "{at_least}");
        assert_eq!(work, 0);
    }

    #[test]
    fn prices_too_large_to_add_up_are_given_up() {
        let budget = Budget {
            class: vec![0; 2],
            limit: vec![u64::MAX],
            price: vec![u64::MAX, u64::MAX - 1],
        };
        let outcome = hit(&[vec![0, 1]], &budget, u64::MAX, &mut 1_000).0;
        assert_eq!(outcome, Hit::GaveUp { at_least: 0 });
    }
}
