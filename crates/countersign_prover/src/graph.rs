//! Monotone rules `a and b make c` over numbered nodes, and their closure.
//!
//! Everything the prover asks is asked of this form: conjunctions are chains of
//! shared pairs, "n of m" is a lattice of such pairs. A closure touches only
//! what it reaches and allocates nothing once its marks have grown.

#![expect(
    clippy::indexing_slicing,
    reason = "node numbers are handed out by `Builder` and are in range; bounds are still checked"
)]

/// A node: something that can be obtained.
pub(crate) type Node = u32;

/// The node that always holds.
pub(crate) const TRUE: Node = 0;

/// The node that never holds; it exists only while building.
pub(crate) const FALSE: Node = u32::MAX;

/// A node that helps to make more than this has its list sorted by the other premise.
pub(crate) const HUB: usize = 48;

/// Index of a node in a table.
#[inline]
pub(crate) const fn at(node: Node) -> usize {
    node as usize
}

/// `usize` to a node number; procedures are bounded far below four billion of anything.
#[inline]
pub(crate) fn number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

/// Collects rules.
#[derive(Debug)]
pub(crate) struct Builder {
    nodes: u32,
    rules: Vec<[Node; 3]>,
    pairs: Pairs,
}

impl Builder {
    /// No rules, and only [`TRUE`]; room for about so many rules.
    pub(crate) fn new(rules: usize) -> Self {
        Self {
            nodes: 1,
            rules: Vec::with_capacity(rules),
            pairs: Pairs::new(rules),
        }
    }

    /// A new node with no rule yet.
    pub(crate) fn node(&mut self) -> Node {
        let node = self.nodes;
        self.nodes += 1;
        node
    }

    /// `a and b` make `head`.
    #[inline]
    pub(crate) fn rule(&mut self, a: Node, b: Node, head: Node) {
        if a == FALSE || b == FALSE || head == FALSE || head == TRUE || a == head || b == head {
            return;
        }
        let (a, b) = if a == TRUE || a == b {
            (b, TRUE)
        } else {
            (a, b)
        };
        self.rules.push([a, b, head]);
    }

    /// `a` makes `head`.
    #[inline]
    pub(crate) fn makes(&mut self, a: Node, head: Node) {
        self.rule(a, TRUE, head);
    }

    /// The node that holds when both do.
    #[inline]
    pub(crate) fn both(&mut self, a: Node, b: Node) -> Node {
        if a == FALSE || b == FALSE {
            return FALSE;
        }
        if a == TRUE || a == b {
            return b;
        }
        if b == TRUE {
            return a;
        }
        let (low, high) = (a.min(b), a.max(b));
        let fresh = self.nodes;
        let node = self.pairs.get_or_insert(low, high, fresh);
        if node == fresh {
            self.nodes += 1;
            self.rules.push([low, high, node]);
        }
        node
    }

    /// The node that holds when all do; `TRUE` for none. Sorts the list.
    pub(crate) fn all(&mut self, nodes: &mut [Node]) -> Node {
        nodes.sort_unstable();
        let (mut so_far, mut last) = (TRUE, TRUE);
        for &node in &*nodes {
            if node != last {
                so_far = self.both(so_far, node);
                last = node;
            }
        }
        so_far
    }

    /// A node that holds when any does; `FALSE` for none. Sorts the list.
    pub(crate) fn any(&mut self, nodes: &mut [Node]) -> Node {
        // `FALSE` comes last, `TRUE` first.
        nodes.sort_unstable();
        let nodes = &nodes[..nodes.partition_point(|&node| node != FALSE)];
        match (nodes.first(), nodes.last()) {
            (None, _) | (_, None) => FALSE,
            (Some(&TRUE), _) => TRUE,
            (Some(&one), Some(&other)) if one == other => one,
            _ => {
                let head = self.node();
                let mut last = TRUE;
                for &node in nodes {
                    if node != last {
                        self.makes(node, head);
                        last = node;
                    }
                }
                head
            }
        }
    }

    /// A node that holds when at least `n` of the list do. Equal entries count each.
    pub(crate) fn at_least(&mut self, n: usize, nodes: &[Node]) -> Node {
        let free = nodes.iter().filter(|&&node| node == TRUE).count();
        let mut open: Vec<Node> = nodes
            .iter()
            .copied()
            .filter(|&node| node != TRUE && node != FALSE)
            .collect();
        let need = n.saturating_sub(free);
        if need == 0 {
            return TRUE;
        }
        if need > open.len() {
            return FALSE;
        }
        if need == 1 {
            return self.any(&mut open);
        }
        if need == open.len() {
            return self.all(&mut open);
        }
        // `row[j]` holds when at least j of the inputs seen so far do.
        let mut row = vec![FALSE; need + 1];
        row[0] = TRUE;
        for &node in &open {
            for j in (1..=need).rev() {
                let with = self.both(row[j - 1], node);
                row[j] = self.any(&mut [row[j], with]);
            }
        }
        row[need]
    }

    /// The finished rules.
    pub(crate) fn finish(self) -> Graph {
        Graph::new(self.nodes as usize, &self.rules)
    }
}

/// Pairs already given a node: open addressing, never iterated, so order cannot leak into results.
#[derive(Debug)]
struct Pairs {
    slots: Vec<[u32; 3]>,
    used: usize,
}

impl Pairs {
    /// Room for half as many pairs as rules, about.
    fn new(rules: usize) -> Self {
        Self {
            slots: vec![[FALSE; 3]; rules.next_power_of_two().max(64)],
            used: 0,
        }
    }

    fn get_or_insert(&mut self, a: u32, b: u32, fresh: u32) -> u32 {
        if self.used * 2 >= self.slots.len() {
            let bigger = vec![[FALSE; 3]; self.slots.len() * 2];
            for [a, b, node] in std::mem::replace(&mut self.slots, bigger) {
                if node != FALSE {
                    let slot = self.find(a, b);
                    self.slots[slot] = [a, b, node];
                }
            }
        }
        let slot = self.find(a, b);
        if self.slots[slot][2] == FALSE {
            self.slots[slot] = [a, b, fresh];
            self.used += 1;
        }
        self.slots[slot][2]
    }

    fn find(&self, a: u32, b: u32) -> usize {
        let mask = self.slots.len() - 1;
        let mixed = (u64::from(a) << 32 | u64::from(b)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let mut slot = (mixed >> 32) as usize & mask;
        loop {
            let [x, y, node] = self.slots[slot];
            if node == FALSE || (x == a && y == b) {
                return slot;
            }
            slot = (slot + 1) & mask;
        }
    }
}

/// Rules in two directions. A rule with one premise has [`TRUE`] as the other.
#[derive(Debug, Clone)]
pub(crate) struct Graph {
    out_at: Vec<u32>,
    out: Vec<[Node; 2]>,
    into_at: Vec<u32>,
    into: Vec<[Node; 2]>,
}

impl Graph {
    /// Rules `[a, b, head]` over `nodes` nodes.
    pub(crate) fn new(nodes: usize, rules: &[[Node; 3]]) -> Self {
        let mut out_at = vec![0_u32; nodes + 1];
        let mut into_at = vec![0_u32; nodes + 1];
        for &[a, b, head] in rules {
            out_at[at(a) + 1] += 1;
            if b != TRUE {
                out_at[at(b) + 1] += 1;
            }
            into_at[at(head) + 1] += 1;
        }
        for i in 0..nodes {
            out_at[i + 1] += out_at[i];
            into_at[i + 1] += into_at[i];
        }
        let mut out = vec![[TRUE; 2]; at(out_at[nodes])];
        let mut into = vec![[TRUE; 2]; rules.len()];
        let (mut next_out, mut next_into) = (out_at.clone(), into_at.clone());
        for &[a, b, head] in rules {
            out[at(next_out[at(a)])] = [b, head];
            next_out[at(a)] += 1;
            if b != TRUE {
                out[at(next_out[at(b)])] = [a, head];
                next_out[at(b)] += 1;
            }
            into[at(next_into[at(head)])] = [a, b];
            next_into[at(head)] += 1;
        }
        for node in 0..nodes {
            let list = &mut out[at(out_at[node])..at(out_at[node + 1])];
            if list.len() > HUB {
                list.sort_unstable();
            }
        }
        Self {
            out_at,
            out,
            into_at,
            into,
        }
    }

    /// How many nodes, [`TRUE`] included.
    #[inline]
    pub(crate) fn nodes(&self) -> usize {
        self.out_at.len() - 1
    }

    /// What a node helps to make: `[other premise, head]`.
    #[inline]
    pub(crate) fn out(&self, node: Node) -> &[[Node; 2]] {
        &self.out[at(self.out_at[at(node)])..at(self.out_at[at(node) + 1])]
    }

    /// Whether it pays to ask with [`Graph::out_with`] for each of so many nodes instead of reading the whole list.
    ///
    /// A hub helps with thousands of things, and few of the others hold when
    /// it is reached. What comes later finds the hub held.
    #[inline]
    pub(crate) fn is_hub(&self, node: Node, held: usize) -> bool {
        let length = self.out(node).len();
        length > HUB && length / 8 > held
    }

    /// What a hub helps to make together with `other`.
    #[inline]
    pub(crate) fn out_with(&self, hub: Node, other: Node) -> &[[Node; 2]] {
        let list = self.out(hub);
        let from = list.partition_point(|&[x, _]| x < other);
        let more = list[from..].partition_point(|&[x, _]| x == other);
        &list[from..from + more]
    }

    /// What makes a node: pairs of premises.
    #[inline]
    pub(crate) fn rules_into(&self, node: Node) -> &[[Node; 2]] {
        &self.into[at(self.into_at[at(node)])..at(self.into_at[at(node) + 1])]
    }

    /// Number of rules.
    #[cfg(test)]
    pub(crate) fn rules(&self) -> usize {
        self.into.len()
    }
}

/// What follows from some nodes. Reused between questions; a new question costs one increment.
#[derive(Debug, Clone)]
pub(crate) struct Marks {
    mark: Vec<u32>,
    epoch: u32,
    order: Vec<Node>,
    /// Something holds whatever is asked, and so is not in `order`.
    granted: bool,
}

/// Marks of nodes that hold whatever is asked.
const ALWAYS: u32 = u32::MAX;

impl Marks {
    /// Ready for questions about this graph; what follows from nothing holds from now on.
    pub(crate) fn new(graph: &Graph) -> Self {
        let mut marks = Self {
            mark: vec![0; graph.nodes()],
            epoch: ALWAYS,
            order: Vec::new(),
            granted: true,
        };
        marks.mark[at(TRUE)] = ALWAYS;
        marks.order.push(TRUE);
        marks.spread(graph, 0);
        marks.granted = marks.order.len() > 1;
        marks.order.clear();
        marks.epoch = 1;
        marks
    }

    /// Forgets the last question.
    pub(crate) fn clear(&mut self) {
        self.order.clear();
        if self.epoch + 1 == ALWAYS {
            for mark in &mut self.mark {
                if *mark != ALWAYS {
                    *mark = 0;
                }
            }
            self.epoch = 0;
        }
        self.epoch += 1;
    }

    /// What follows from these nodes, in an order of derivation (without what always holds).
    pub(crate) fn close(
        &mut self,
        graph: &Graph,
        nodes: impl IntoIterator<Item = Node>,
    ) -> &[Node] {
        self.clear();
        for node in nodes {
            self.add(node);
        }
        self.spread(graph, 0);
        &self.order
    }

    /// Whether the node holds.
    #[inline]
    pub(crate) fn holds(&self, node: Node) -> bool {
        self.mark[at(node)] >= self.epoch
    }

    /// Whether the node holds whatever is asked.
    #[inline]
    pub(crate) fn always(&self, node: Node) -> bool {
        self.mark[at(node)] == ALWAYS
    }

    /// In what order things were derived.
    pub(crate) fn order(&self) -> &[Node] {
        &self.order
    }

    #[inline]
    fn add(&mut self, node: Node) {
        if self.mark[at(node)] < self.epoch {
            self.mark[at(node)] = self.epoch;
            self.order.push(node);
        }
    }

    fn spread(&mut self, graph: &Graph, from: usize) {
        let mut next = from;
        while let Some(&node) = self.order.get(next) {
            next += 1;
            let held = self.order.len();
            if self.granted || !graph.is_hub(node, held) {
                for &[other, head] in graph.out(node) {
                    if self.mark[at(other)] >= self.epoch {
                        self.add(head);
                    }
                }
                continue;
            }
            for &[_, head] in graph.out_with(node, TRUE) {
                self.add(head);
            }
            for index in 0..held {
                for &[_, head] in graph.out_with(node, self.order[index]) {
                    self.add(head);
                }
            }
        }
    }
}

/// A graph cut down to one question.
#[derive(Debug)]
pub(crate) struct Focus {
    /// Only what can matter, numbered outwards from the target.
    pub(crate) graph: Graph,
    /// What is asked about.
    pub(crate) target: Node,
    /// The choices left: node here, and the caller's number of the choice.
    pub(crate) choices: Vec<(Node, u32)>,
    /// For each node of the whole graph its number here, [`TRUE`] if it holds for certain, [`AWAY`], or none
    /// looked for: [`CHOICE`] or [`IDLE`].
    place: Vec<Node>,
}

impl Focus {
    /// The node here that stands for a node of the whole graph: [`TRUE`] for what holds for certain, [`FALSE`] for what
    /// cannot be derived even with every choice; none for what does not lead to the target.
    pub(crate) fn place_of(&self, graph: &Graph, node: Node) -> Option<Node> {
        match self.place[at(same_as(graph, &self.place, node))] {
            AWAY => Some(FALSE),
            here => Some(here).filter(|&here| here < CHOICE),
        }
    }
}

/// Of a node that does not lead to the target, or is not known to.
const IDLE: Node = FALSE - 1;

/// Of a node that cannot be derived even with every choice.
const AWAY: Node = FALSE - 2;

/// Of a choice that has no number.
const CHOICE: Node = FALSE - 3;

/// Outcome of focusing.
#[derive(Debug)]
pub(crate) enum Focused {
    /// The target holds already.
    Holds,
    /// The target cannot be reached even with every choice.
    Beyond,
    /// It depends on the choices.
    Open(Focus),
}

/// Cuts `graph` down to what decides whether any of `targets` can be reached
/// with `granted` for certain and any of `choices` (node and caller's number).
pub(crate) fn focus(
    graph: &Graph,
    targets: &[Node],
    granted: &[Node],
    choices: &[(Node, u32)],
) -> Focused {
    let mut reached = Reached::new(graph);
    reached.follow(graph, granted.iter().copied());
    if targets.iter().any(|&target| reached.holds(target)) {
        return Focused::Holds;
    }
    let mut place: Vec<Node> = vec![AWAY; graph.nodes()];
    reached.each(|node| place[node] = TRUE);
    reached.follow(graph, choices.iter().map(|&(node, _)| node));
    if !targets.iter().any(|&target| reached.holds(target)) {
        return Focused::Beyond;
    }
    reached.each(|node| {
        if place[node] != TRUE {
            place[node] = IDLE;
        }
    });
    for &(node, _) in choices {
        if place[at(node)] == IDLE {
            place[at(node)] = CHOICE;
        }
    }
    let target = 1;
    let mut cone = Cone {
        graph,
        place,
        nodes: vec![TRUE, FALSE],
        rules: Vec::new(),
    };
    for &node in targets {
        if reached.holds(node) {
            cone.place[at(node)] = target;
        }
    }
    for &node in targets {
        if reached.holds(node) {
            cone.expand(node, target);
        }
    }
    cone.tidy(0);
    let mut next = at(target) + 1;
    while let Some(&node) = cone.nodes.get(next) {
        let from = cone.rules.len();
        cone.expand(node, number(next));
        cone.tidy(from);
        next += 1;
    }
    let choices = choices
        .iter()
        .map(|&(node, name)| (cone.place[at(node)], name))
        .filter(|&(here, _)| here != TRUE && here < CHOICE)
        .collect();
    Focused::Open(Focus {
        graph: Graph::new(cone.nodes.len(), &cone.rules),
        place: cone.place,
        target,
        choices,
    })
}

/// What leads to the target, numbered outwards.
struct Cone<'a> {
    graph: &'a Graph,
    /// [`TRUE`], [`AWAY`], the number here, or one of two without a number yet: [`CHOICE`] and [`IDLE`].
    place: Vec<Node>,
    /// The node of the whole graph for each number.
    nodes: Vec<Node>,
    rules: Vec<[Node; 3]>,
}

impl Cone<'_> {
    /// Notes the rules that make a node.
    fn expand(&mut self, node: Node, here: Node) {
        for &[a, b] in self.graph.rules_into(node) {
            if self.place[at(a)] == AWAY || self.place[at(b)] == AWAY {
                continue;
            }
            let (a, b) = (self.number_of(a), self.number_of(b));
            let [a, b] = [a.max(b), a.min(b)];
            if a != here && b != here {
                self.rules.push([a, if a == b { TRUE } else { b }, here]);
            }
        }
    }

    /// Puts the rules from there on, all of one node, in order, each once.
    fn tidy(&mut self, from: usize) {
        self.rules[from..].sort_unstable();
        let mut kept = from;
        for index in from..self.rules.len() {
            if kept == from || self.rules[index] != self.rules[kept - 1] {
                self.rules[kept] = self.rules[index];
                kept += 1;
            }
        }
        self.rules.truncate(kept);
    }

    fn number_of(&mut self, node: Node) -> Node {
        if self.place[at(node)] < CHOICE {
            return self.place[at(node)];
        }
        let same = same_as(self.graph, &self.place, node);
        if self.place[at(same)] >= CHOICE {
            self.place[at(same)] = number(self.nodes.len());
            self.nodes.push(same);
        }
        self.place[at(node)] = self.place[at(same)];
        self.place[at(node)]
    }
}

/// A node made by one rule from one other node, and no choice itself, is that other node.
///
/// That ends: what is made by one rule only is derived after its premises.
fn same_as(graph: &Graph, place: &[Node], mut node: Node) -> Node {
    let of = |node: Node| place[at(node)];
    while of(node) == IDLE {
        let rules = graph.rules_into(node).iter();
        let mut rules = rules.filter(|&&[a, b]| of(a) != AWAY && of(b) != AWAY);
        let (Some(&[a, b]), None) = (rules.next(), rules.next()) else {
            break;
        };
        node = match (of(a) == TRUE, of(b) == TRUE) {
            (false, true) => a,
            (true, false) => b,
            _ => break,
        };
    }
    node
}

/// What follows from ever more nodes, one bit each.
struct Reached {
    bits: Vec<u64>,
    queue: Vec<Node>,
}

impl Reached {
    /// What follows from nothing.
    fn new(graph: &Graph) -> Self {
        let mut reached = Self {
            bits: vec![0; graph.nodes().div_ceil(64)],
            queue: Vec::new(),
        };
        reached.follow(graph, [TRUE]);
        reached
    }

    #[inline]
    fn holds(&self, node: Node) -> bool {
        self.bits[at(node) / 64] >> (node % 64) & 1 == 1
    }

    #[inline]
    fn add(&mut self, node: Node) {
        let word = &mut self.bits[at(node) / 64];
        let bit = 1 << (node % 64);
        if *word & bit == 0 {
            *word |= bit;
            self.queue.push(node);
        }
    }

    fn follow(&mut self, graph: &Graph, nodes: impl IntoIterator<Item = Node>) {
        self.queue.clear();
        for node in nodes {
            self.add(node);
        }
        // First in, first out: what comes next is known early, so the processor fetches it while it waits.
        let mut next = 0;
        while let Some(&node) = self.queue.get(next) {
            next += 1;
            for &[other, head] in graph.out(node) {
                if self.holds(other) {
                    self.add(head);
                }
            }
        }
    }

    /// All that holds, ascending.
    fn each(&self, mut visit: impl FnMut(usize)) {
        for (index, &word) in self.bits.iter().enumerate() {
            let mut rest = word;
            while rest != 0 {
                visit(64 * index + rest.trailing_zeros() as usize);
                rest &= rest - 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_threshold_counts_equal_entries_each() {
        let mut builder = Builder::new(0);
        let (a, b, c) = (builder.node(), builder.node(), builder.node());
        let two = builder.at_least(2, &[a, a, b]);
        let three = builder.at_least(3, &[a, b, c, TRUE]);
        let graph = builder.finish();
        let mut marks = Marks::new(&graph);
        marks.close(&graph, [a]);
        assert!(marks.holds(two) && !marks.holds(three));
        marks.close(&graph, [b]);
        assert!(!marks.holds(two) && !marks.holds(three));
        marks.close(&graph, [b, c]);
        assert!(!marks.holds(two) && marks.holds(three));
    }

    #[test]
    fn pairs_are_shared() {
        let mut builder = Builder::new(0);
        let (a, b) = (builder.node(), builder.node());
        assert_eq!(builder.both(a, b), builder.both(b, a));
        assert_eq!(builder.both(TRUE, b), b);
        assert_eq!(builder.both(FALSE, b), FALSE);
        assert_eq!(builder.finish().rules(), 1);
    }

    #[test]
    fn a_hub_reached_before_or_after_its_others_makes_the_same() {
        let mut builder = Builder::new(0);
        let hub = builder.node();
        let others: Vec<Node> = (0..1_000).map(|_| builder.node()).collect();
        let heads: Vec<Node> = others
            .iter()
            .map(|&other| builder.both(hub, other))
            .collect();
        let graph = builder.finish();
        assert!(graph.is_hub(hub, 3));
        let mut marks = Marks::new(&graph);
        for order in [
            [hub, others[7], others[900]],
            [others[900], hub, others[7]],
            [others[7], others[900], hub],
        ] {
            let held: Vec<Node> = marks.close(&graph, order).to_vec();
            assert_eq!(held.len(), 5, "{held:?}");
            assert!(marks.holds(heads[7]) && marks.holds(heads[900]) && !marks.holds(heads[8]));
        }
    }
}
