//! What is the cheapest attack? The tree search with the budget lowered below each attack found.

#![expect(
    clippy::indexing_slicing,
    reason = "choice numbers come from one `Focus` and are in range"
)]

use crate::{block::Cutter, graph::Focus};

use crate::search::Budget;
/// Why there is no attack within a budget.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Refutation {
    /// The blocks used, each a list of choices.
    pub(crate) blocks: Vec<Vec<u32>>,
    /// The block branched on at each node of the tree, parents before children,
    /// children in the order of the block's members, members skipped that do
    /// not fit or that an elder sibling has already dealt with.
    pub(crate) tree: Vec<u32>,
}

/// The cheapest attack within the budget, by total price: the choices and whether it is proved cheapest.
pub(crate) fn cheapest(focus: &Focus, budget: &Budget, steps: u64) -> Option<(Vec<u32>, bool)> {
    let mut hunt = Hunt::new(focus, budget.clone(), steps);
    let mut best = None;
    loop {
        match hunt.visit() {
            Step::Found => {
                let set = hunt.minimised();
                let price: u64 = set
                    .iter()
                    .map(|&choice| budget.price[choice as usize])
                    .sum();
                hunt.restart(price);
                best = Some(set);
                if price == 0 {
                    return best.map(|set| (set, true));
                }
                hunt.total = price - 1;
            }
            Step::Refuted => return best.map(|set| (set, true)),
            Step::GaveUp => return best.map(|set| (set, false)),
        }
    }
}

enum Step {
    Found,
    Refuted,
    GaveUp,
}

struct Hunt<'a> {
    focus: &'a Focus,
    budget: Budget,
    cutter: Cutter,
    /// What is left of each class and in all.
    left: Vec<u64>,
    total: u64,
    chosen: Vec<u32>,
    is_chosen: Vec<bool>,
    /// Choices dealt with by an elder sibling, counted because siblings nest.
    dealt: Vec<u32>,
    refutation: Refutation,
    steps: u64,
}

impl<'a> Hunt<'a> {
    fn new(focus: &'a Focus, budget: Budget, steps: u64) -> Self {
        let choices = focus.choices.len();
        Self {
            focus,
            left: budget.limit.clone(),
            total: u64::MAX,
            budget,
            cutter: Cutter::new(focus),
            chosen: Vec::new(),
            is_chosen: vec![false; choices],
            dealt: vec![0; choices],
            refutation: Refutation::default(),
            steps,
        }
    }

    /// Forgets the tree but keeps the blocks, which hold whatever the budget.
    fn restart(&mut self, total: u64) {
        self.left.clone_from(&self.budget.limit);
        self.total = total;
        self.chosen.clear();
        self.is_chosen.fill(false);
        self.dealt.fill(0);
        self.refutation.tree.clear();
    }

    /// Still to be tried: not dealt with by an elder sibling, and within what is left.
    fn open(&self, choice: u32) -> bool {
        let index = choice as usize;
        let price = self.budget.price[index];
        self.dealt[index] == 0
            && price <= self.total
            && price <= self.left[self.budget.class[index] as usize]
    }

    fn visit(&mut self) -> Step {
        if self.steps == 0 {
            return Step::GaveUp;
        }
        self.steps -= 1;
        let block = match self.best_block() {
            Some(block) => block,
            None => match self.learn() {
                Some(block) => block,
                None => return Step::Found,
            },
        };
        self.refutation.tree.push(crate::graph::number(block));
        let mut dealt = Vec::new();
        let mut outcome = Step::Refuted;
        for nth in 0..self.refutation.blocks[block].len() {
            let choice = self.refutation.blocks[block][nth];
            if !self.open(choice) {
                continue;
            }
            let (index, price) = (choice as usize, self.budget.price[choice as usize]);
            let class = self.budget.class[index] as usize;
            self.left[class] -= price;
            self.total -= price;
            self.chosen.push(choice);
            self.is_chosen[index] = true;
            let step = self.visit();
            if !matches!(step, Step::Refuted) {
                outcome = step;
                break;
            }
            self.is_chosen[index] = false;
            self.chosen.pop();
            self.total += price;
            self.left[class] += price;
            self.dealt[index] += 1;
            dealt.push(index);
        }
        if matches!(outcome, Step::Refuted) {
            for index in dealt {
                self.dealt[index] -= 1;
            }
        }
        outcome
    }

    /// Of the blocks not yet met, the one with the fewest members still open.
    fn best_block(&self) -> Option<usize> {
        let mut best: Option<(usize, usize)> = None;
        for (index, block) in self.refutation.blocks.iter().enumerate() {
            if block.iter().any(|&choice| self.is_chosen[choice as usize]) {
                continue;
            }
            let open = block.iter().filter(|&&choice| self.open(choice)).count();
            if best.is_none_or(|(fewest, _)| open < fewest) {
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
        let nodes = &self.focus.choices;
        let marks = self.cutter.close(
            self.focus,
            self.chosen.iter().map(|&choice| nodes[choice as usize].0),
        );
        if marks.holds(self.focus.target) {
            return None;
        }
        // A block made only of what cannot be chosen any more closes this branch at once.
        let open: Vec<bool> = (0..crate::graph::number(nodes.len()))
            .map(|choice| self.open(choice))
            .collect();
        let mut held = self.chosen.clone();
        held.extend((0..crate::graph::number(nodes.len())).filter(|&choice| open[choice as usize]));
        if self
            .cutter
            .close(
                self.focus,
                held.iter().map(|&choice| nodes[choice as usize].0),
            )
            .holds(self.focus.target)
        {
            held.clone_from(&self.chosen);
        }
        let block = self
            .cutter
            .block(self.focus, &held, |choice| !open[choice as usize]);
        self.refutation.blocks.push(block);
        Some(self.refutation.blocks.len() - 1)
    }

    /// The chosen, less what is not needed.
    fn minimised(&mut self) -> Vec<u32> {
        let mut kept = self.chosen.clone();
        kept.sort_unstable_by_key(|&choice| {
            std::cmp::Reverse((self.budget.price[choice as usize], choice))
        });
        for choice in kept.clone() {
            let nodes = &self.focus.choices;
            let without = kept
                .iter()
                .filter(|&&other| other != choice)
                .map(|&other| nodes[other as usize].0);
            if self
                .cutter
                .close(self.focus, without)
                .holds(self.focus.target)
            {
                kept.retain(|&other| other != choice);
            }
        }
        kept.sort_unstable();
        kept
    }
}
