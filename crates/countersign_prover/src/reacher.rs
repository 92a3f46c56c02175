//! What follows, asked of one system again and again.
//!
//! The graph is made smaller and laid out anew once. A question that reaches
//! little then follows what it reaches; one that reaches much goes once through
//! all there is, in the order in which everything follows from all choices.

#![expect(
    clippy::indexing_slicing,
    reason = "nodes are numbered by `Layout::new` and are in range"
)]

use countersign_language::Target;

use crate::{
    compromise::Compromise,
    graph::{FALSE, Graph, HUB, Marks, Node, TRUE, at, number},
    questions::{Reach, answer},
    system::System,
};

/// Asks one compiled system again and again, without allocating.
#[derive(Debug)]
pub struct Reacher {
    layout: Layout,
    held: Held,
}

impl Reacher {
    /// Ready for questions about this system.
    pub fn new(system: &System) -> Self {
        let choices: Vec<Node> = system.choices.iter().map(|&(_, node)| node).collect();
        let own: Vec<Node> = system
            .own
            .iter()
            .copied()
            .filter(|&node| node != FALSE)
            .collect();
        let layout = Layout::new(&system.graph, &choices, &own);
        Self {
            held: Held::new(&layout),
            layout,
        }
    }

    /// Follows everything from these; returns how many facts follow, facts that are the same whatever is asked counted once.
    pub fn ask(&mut self, system: &System, with: &[Compromise]) -> usize {
        self.held.clear();
        for &compromise in with {
            for node in system.nodes(compromise) {
                // A start stands for itself, or always holds.
                self.held.add(self.layout.place[at(node)][0]);
            }
        }
        self.held.close(&self.layout);
        self.held.count
    }

    /// Whether the last question reached this.
    pub fn reached(&self, system: &System, target: Target) -> bool {
        self.holds(system.target(target))
    }

    /// The last answer in full.
    pub fn answer(&self, system: &System, with: &[Compromise]) -> Reach {
        answer(system, with, |node| self.holds(node))
    }

    fn holds(&self, node: Node) -> bool {
        let [a, b] = self.layout.place[at(node)];
        self.held.holds(a) && self.held.holds(b)
    }
}

/// Rules `a and b make head` over nodes in the order in which they follow from all choices.
///
/// A node that is another whatever is asked has no number of its own, nor has
/// one that only stands between two premises and the one thing they make.
#[derive(Debug)]
struct Layout {
    /// For each node of the system two here that it holds with: the node and [`TRUE`], or two premises.
    place: Vec<[Node; 2]>,
    /// A rule for each node with both premises before it, or the last node twice, which never holds.
    first: Vec<[Node; 2]>,
    /// The other rules.
    more: Rows,
    /// What a node helps to make: the other premise, and what.
    out: Rows,
    /// Of these what comes before the node.
    back: Rows,
}

/// Lists of pairs, one for each node.
#[derive(Debug)]
struct Rows {
    start: Vec<u32>,
    pairs: Vec<[Node; 2]>,
}

impl Rows {
    fn new(nodes: usize, entries: impl Iterator<Item = (Node, [Node; 2])> + Clone) -> Self {
        let mut start = vec![0_u32; nodes + 1];
        for (node, _) in entries.clone() {
            start[at(node) + 1] += 1;
        }
        for node in 0..nodes {
            start[node + 1] += start[node];
        }
        let mut next = start.clone();
        let mut pairs = vec![[TRUE; 2]; at(start[nodes])];
        for (node, pair) in entries {
            pairs[at(next[at(node)])] = pair;
            next[at(node)] += 1;
        }
        Self { start, pairs }
    }

    /// The long lists by the first of each pair.
    fn sorted(mut self) -> Self {
        for row in self.start.windows(2) {
            let list = &mut self.pairs[at(row[0])..at(row[1])];
            if list.len() > HUB {
                list.sort_unstable();
            }
        }
        self
    }

    fn of(&self, node: Node) -> &[[Node; 2]] {
        &self.pairs[at(self.start[at(node)])..at(self.start[at(node) + 1])]
    }
}

impl Layout {
    /// `others` are what a question may start with besides choices.
    fn new(graph: &Graph, choices: &[Node], others: &[Node]) -> Self {
        let all = choices.iter().chain(others).copied();
        let mut starts = vec![false; graph.nodes()];
        for node in all.clone() {
            starts[at(node)] = true;
        }
        // First what follows from all choices, then what needs something else to start with.
        let mut marks = Marks::new(graph);
        let mut order = marks.close(graph, choices.iter().copied()).to_vec();
        let mut seen = vec![false; graph.nodes()];
        for &node in &order {
            seen[at(node)] = true;
        }
        marks.close(graph, all);
        order.extend(marks.order().iter().filter(|&&node| !seen[at(node)]));

        // Which node stands for each, and for a node without a number its two premises.
        let mut same: Vec<Node> = (0..number(graph.nodes())).collect();
        let mut rules: Vec<[Node; 3]> = Vec::new();
        for &node in &order {
            let from = rules.len();
            for &premises in graph.rules_into(node) {
                if premises.iter().all(|&premise| marks.holds(premise)) {
                    let [a, b] =
                        premises.map(|premise| if marks.always(premise) { TRUE } else { premise });
                    rules.push(tidy([a, b, node]));
                }
            }
            if let ([[a, TRUE, _]], false) = (&rules[from..], starts[at(node)]) {
                same[at(node)] = same[at(*a)];
                rules.truncate(from);
            }
        }
        // The order of derivation visits a premise before its conclusion, except round a cycle.
        for rule in &mut rules {
            *rule = tidy(rule.map(|node| same[at(node)]));
        }
        rules.retain(|&[a, b, head]| a != head && b != head);
        let between = between(graph.nodes(), &mut rules, |node| starts[at(node)]);

        let mut numbers = vec![FALSE; graph.nodes()];
        let mut next = TRUE + 1;
        for &node in &order {
            if same[at(node)] == node && between[at(node)] == [FALSE; 2] {
                numbers[at(node)] = next;
                next += 1;
            }
        }
        let never = next;
        numbers[at(TRUE)] = TRUE;
        let place = (0..number(graph.nodes())).map(|node| {
            if marks.always(node) {
                return [TRUE; 2];
            }
            if !marks.holds(node) {
                return [never; 2];
            }
            let node = same[at(node)];
            match between[at(node)] {
                [FALSE, FALSE] => [numbers[at(node)], TRUE],
                premises => premises.map(|premise| numbers[at(premise)]),
            }
        });
        let place = place.collect();
        for rule in &mut rules {
            *rule = tidy(rule.map(|node| numbers[at(node)]));
        }
        // For each node the rule first whose later premise comes earliest.
        rules.sort_unstable_by_key(|&[a, b, head]| (head, a, b));
        rules.dedup();
        let nodes = at(never) + 1;
        let mut first = vec![[never; 2]; nodes];
        let mut more = Vec::new();
        for &[a, b, head] in &rules {
            if first[at(head)] == [never; 2] && a < head {
                first[at(head)] = [a, b];
            } else {
                more.push((head, [a, b]));
            }
        }
        let out = rules.iter().flat_map(|&[a, b, head]| {
            let other = (b != TRUE).then_some((b, [a, head]));
            std::iter::once((a, [b, head])).chain(other)
        });
        Self {
            place,
            first,
            more: Rows::new(nodes, more.iter().copied()),
            back: Rows::new(nodes, out.clone().filter(|&(node, [_, head])| head < node)),
            out: Rows::new(nodes, out).sorted(),
        }
    }
}

/// The later premise first; [`TRUE`] second if there is only one.
fn tidy([a, b, head]: [Node; 3]) -> [Node; 3] {
    [a.max(b), if a == b { TRUE } else { a.min(b) }, head]
}

/// Takes out nodes that one rule makes and that alone make one thing; for each of these its two premises.
fn between(
    nodes: usize,
    rules: &mut Vec<[Node; 3]>,
    keep: impl Fn(Node) -> bool,
) -> Vec<[Node; 2]> {
    // How many rules make each, and how many have it as a premise, one together with another counting twice.
    let (mut made, mut used) = (vec![0_u8; nodes], vec![0_u8; nodes]);
    for &[a, b, head] in rules.iter() {
        made[at(head)] = made[at(head)].saturating_add(1);
        if b == TRUE {
            used[at(a)] = used[at(a)].saturating_add(1);
        } else {
            used[at(a)] = 2;
            used[at(b)] = 2;
        }
    }
    let mut premises = vec![[FALSE; 2]; nodes];
    for &[a, b, head] in rules.iter() {
        if b != TRUE && made[at(head)] == 1 && used[at(head)] == 1 && !keep(head) {
            premises[at(head)] = [a, b];
        }
    }
    rules.retain(|&[_, _, head]| premises[at(head)] == [FALSE; 2]);
    for rule in rules.iter_mut() {
        let [a, TRUE, head] = *rule else { continue };
        if let [x, y] = premises[at(a)]
            && x != FALSE
        {
            *rule = [x, y, head];
        }
    }
    rules.retain(|&[a, b, head]| a != head && b != head);
    premises
}

/// What follows from the question at hand.
#[derive(Debug)]
struct Held {
    /// One bit for each node.
    bits: Vec<u64>,
    /// What holds, in order of derivation, as long as that is few.
    order: Vec<Node>,
    /// Not all that holds is in `order`.
    many: bool,
    /// How many nodes hold.
    count: usize,
}

/// A question with more starts than one node in so many reaches much.
const STARTS: usize = 16;

/// A question that has reached more than one node in so many reaches much.
const MUCH: usize = 4;

impl Held {
    fn new(layout: &Layout) -> Self {
        let mut held = Self {
            bits: vec![0; layout.first.len().div_ceil(64)],
            order: Vec::new(),
            many: true,
            count: 0,
        };
        held.clear();
        held
    }

    fn clear(&mut self) {
        if self.many {
            self.bits.fill(0);
            self.bits[0] = 1;
        } else {
            for &node in &self.order {
                self.bits[at(node) / 64] &= !(1 << (node % 64));
            }
        }
        self.many = false;
        self.order.clear();
    }

    fn holds(&self, node: Node) -> bool {
        self.bits[at(node) / 64] >> (node % 64) & 1 == 1
    }

    fn add(&mut self, node: Node) {
        let word = &mut self.bits[at(node) / 64];
        let bit = 1 << (node % 64);
        if *word & bit == 0 {
            *word |= bit;
            self.order.push(node);
        }
    }

    /// Follows everything from what was added.
    fn close(&mut self, layout: &Layout) {
        let nodes = layout.first.len();
        if self.order.len() <= nodes / STARTS {
            let mut next = 0;
            while let Some(&node) = self.order.get(next) {
                next += 1;
                let list = layout.out.of(node);
                if list.len() > HUB && list.len() / 8 > self.order.len() {
                    self.follow_hub(list);
                } else {
                    for &[other, head] in list {
                        if self.holds(other) {
                            self.add(head);
                        }
                    }
                }
                if self.order.len() > nodes / MUCH {
                    self.sweep(layout);
                    return;
                }
            }
            self.count = self.order.len();
            return;
        }
        self.sweep(layout);
    }

    /// Looks what a hub makes with each thing held so far; with what comes later, that finds the hub held.
    fn follow_hub(&mut self, list: &[[Node; 2]]) {
        let with = |other: Node| {
            let list = &list[list.partition_point(|&[x, _]| x < other)..];
            &list[..list.partition_point(|&[x, _]| x == other)]
        };
        for &[_, head] in with(TRUE) {
            self.add(head);
        }
        for index in 0..self.order.len() {
            for &[_, head] in with(self.order[index]) {
                self.add(head);
            }
        }
    }

    /// Goes once through all nodes in order, and then follows what was made of something later.
    fn sweep(&mut self, layout: &Layout) {
        self.many = true;
        self.order.clear();
        // Whether something before the node at hand does not hold.
        let mut gap = false;
        for (node, &[a, b]) in (0..).zip(&layout.first) {
            if !self.holds(node) {
                let follows = self.holds(a) && self.holds(b)
                    || layout
                        .more
                        .of(node)
                        .iter()
                        .any(|&[a, b]| self.holds(a) && self.holds(b));
                if !follows {
                    gap = true;
                    continue;
                }
                self.bits[at(node) / 64] |= 1 << (node % 64);
            }
            if gap {
                for &[other, head] in layout.back.of(node) {
                    if self.holds(other) {
                        self.add(head);
                    }
                }
            }
        }
        while let Some(node) = self.order.pop() {
            for &[other, head] in layout.out.of(node) {
                if self.holds(other) {
                    self.add(head);
                }
            }
        }
        let bits = self.bits.iter().map(|word| word.count_ones() as usize);
        self.count = bits.sum::<usize>() - 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Builder;
    use countersign_testkit::naive::Dice;

    /// Rules as procedures make them: shared pairs, some of several, one thing made in many ways, cycles.
    fn some_graph(dice: &mut Dice, facts: usize) -> (Graph, Vec<Node>) {
        let mut builder = Builder::new(0);
        let nodes: Vec<Node> = (0..facts).map(|_| builder.node()).collect();
        for _ in 0..2 * facts {
            let mut of: Vec<Node> = (0..=dice.below(4)).map(|_| *dice.pick(&nodes)).collect();
            let guard = if dice.chance(20) {
                builder.at_least(2, &of)
            } else {
                builder.all(&mut of)
            };
            builder.makes(guard, *dice.pick(&nodes));
        }
        if dice.chance(50) {
            builder.makes(TRUE, *dice.pick(&nodes));
        }
        (builder.finish(), nodes)
    }

    #[test]
    fn what_follows_is_what_follows_in_the_graph_however_much_it_is() {
        let (mut few, mut many) = (0, 0);
        for seed in 0..400 {
            let mut dice = Dice(seed);
            let facts = 10 + dice.below(60);
            let (graph, nodes) = some_graph(&mut dice, facts);
            let (choices, others) = nodes[..facts / 2].split_at(facts / 3);
            let layout = Layout::new(&graph, choices, others);
            let mut held = Held::new(&layout);
            let mut marks = Marks::new(&graph);
            for _ in 0..20 {
                let most = 1 + dice.below(facts / 2);
                let starts: Vec<Node> = (0..dice.below(most))
                    .map(|_| *dice.pick(&nodes[..facts / 2]))
                    .collect();
                marks.close(&graph, starts.iter().copied());
                held.clear();
                for &start in &starts {
                    held.add(layout.place[at(start)][0]);
                }
                held.close(&layout);
                if held.many {
                    many += 1;
                } else {
                    few += 1;
                }
                for node in 0..number(graph.nodes()) {
                    let [a, b] = layout.place[at(node)];
                    assert_eq!(
                        held.holds(a) && held.holds(b),
                        marks.holds(node),
                        "seed {seed}: {node} of {starts:?}"
                    );
                }
                let holding = (1..number(layout.first.len())).filter(|&node| held.holds(node));
                assert_eq!(held.count, holding.count(), "seed {seed}");
            }
        }
        assert!(few > 500 && many > 500, "{few} {many}");
    }
}
