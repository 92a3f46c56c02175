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
pub(crate) const fn at(node: Node) -> usize {
    node as usize
}

/// `usize` to a node number; procedures are bounded far below four billion of anything.
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
    /// No rules, and only [`TRUE`].
    pub(crate) fn new() -> Self {
        Self {
            nodes: 1,
            rules: Vec::new(),
            pairs: Pairs::new(),
        }
    }

    /// A new node with no rule yet.
    pub(crate) fn node(&mut self) -> Node {
        let node = self.nodes;
        self.nodes += 1;
        node
    }

    /// `a and b` make `head`.
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
    pub(crate) fn makes(&mut self, a: Node, head: Node) {
        self.rule(a, TRUE, head);
    }

    /// The node that holds when both do.
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

    /// The node that holds when all do; `TRUE` for none.
    pub(crate) fn all(&mut self, nodes: &mut Vec<Node>) -> Node {
        nodes.sort_unstable();
        nodes.dedup();
        nodes
            .iter()
            .fold(TRUE, |so_far, &node| self.both(so_far, node))
    }

    /// A node that holds when any does; `FALSE` for none.
    pub(crate) fn any(&mut self, nodes: &mut Vec<Node>) -> Node {
        nodes.retain(|&node| node != FALSE);
        nodes.sort_unstable();
        nodes.dedup();
        match nodes.as_slice() {
            [] => FALSE,
            [TRUE, ..] => TRUE,
            [one] => *one,
            many => {
                let head = self.node();
                for &node in many {
                    self.makes(node, head);
                }
                head
            }
        }
    }

    /// A node that holds when at least `n` of the list do. Equal entries count each.
    pub(crate) fn at_least(&mut self, n: usize, nodes: &[Node]) -> Node {
        let free = nodes.iter().filter(|&&node| node == TRUE).count();
        let open: Vec<Node> = nodes
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
            return self.any(&mut open.clone());
        }
        if need == open.len() {
            return self.all(&mut open.clone());
        }
        // `row[j]` holds when at least j of the inputs seen so far do.
        let mut row = vec![FALSE; need + 1];
        row[0] = TRUE;
        for &node in &open {
            for j in (1..=need).rev() {
                let with = self.both(row[j - 1], node);
                row[j] = self.any(&mut vec![row[j], with]);
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
    fn new() -> Self {
        Self {
            slots: vec![[FALSE; 3]; 64],
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
    pub(crate) fn nodes(&self) -> usize {
        self.out_at.len() - 1
    }

    /// What a node helps to make: `[other premise, head]`.
    pub(crate) fn out(&self, node: Node) -> &[[Node; 2]] {
        &self.out[at(self.out_at[at(node)])..at(self.out_at[at(node) + 1])]
    }

    /// Whether it pays to ask with [`Graph::out_with`] for each of so many nodes instead of reading the whole list.
    ///
    /// A hub helps with thousands of things, and few of the others hold when
    /// it is reached. What comes later finds the hub held.
    pub(crate) fn is_hub(&self, node: Node, held: usize) -> bool {
        let length = self.out(node).len();
        length > HUB && length / 8 > held
    }

    /// What a hub helps to make together with `other`.
    pub(crate) fn out_with(&self, hub: Node, other: Node) -> &[[Node; 2]] {
        let list = self.out(hub);
        let from = list.partition_point(|&[x, _]| x < other);
        let more = list[from..].partition_point(|&[x, _]| x == other);
        &list[from..from + more]
    }

    /// What makes a node: pairs of premises.
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

    /// Makes these and what follows from them hold from now on.
    pub(crate) fn grant(&mut self, graph: &Graph, nodes: impl IntoIterator<Item = Node>) {
        self.epoch = ALWAYS;
        self.order.clear();
        for node in nodes {
            self.add(node);
        }
        self.granted = true;
        self.spread(graph, 0);
        self.order.clear();
        self.epoch = 1;
        for mark in &mut self.mark {
            if *mark != ALWAYS {
                *mark = 0;
            }
        }
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
    pub(crate) fn holds(&self, node: Node) -> bool {
        self.mark[at(node)] >= self.epoch
    }

    /// Whether the node holds whatever is asked.
    pub(crate) fn always(&self, node: Node) -> bool {
        self.mark[at(node)] == ALWAYS
    }

    /// In what order things were derived.
    pub(crate) fn order(&self) -> &[Node] {
        &self.order
    }

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
    /// Which node here stands for each node of the whole graph: [`TRUE`] for what holds for certain,
    /// [`FALSE`] for what cannot be derived even with every choice, [`IDLE`] for what does not lead to the target.
    pub(crate) place: Vec<Node>,
}

/// Of a node of the whole graph that does not lead to the target of a [`Focus`].
pub(crate) const IDLE: Node = FALSE - 1;

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
    let mut marks = Marks::new(graph);
    marks.grant(graph, granted.iter().copied());
    if targets.iter().any(|&target| marks.always(target)) {
        return Focused::Holds;
    }
    marks.close(graph, choices.iter().map(|&(node, _)| node));
    if !targets.iter().any(|&target| marks.holds(target)) {
        return Focused::Beyond;
    }
    let mut is_choice = vec![false; graph.nodes()];
    for &(node, _) in choices {
        is_choice[at(node)] = true;
    }
    let useful = |marks: &Marks, a: Node, b: Node| marks.holds(a) && marks.holds(b);

    // A node made by one rule from one other node, and no choice itself, is that other node.
    let mut alias: Vec<Node> = (0..number(graph.nodes())).collect();
    for &node in marks.order() {
        if is_choice[at(node)] || targets.contains(&node) {
            continue;
        }
        let mut rules = graph
            .rules_into(node)
            .iter()
            .filter(|&&[a, b]| useful(&marks, a, b));
        if let (Some(&[a, b]), None) = (rules.next(), rules.next()) {
            match (marks.always(a), marks.always(b)) {
                (false, true) => alias[at(node)] = a,
                (true, false) => alias[at(node)] = b,
                _ => {}
            }
        }
    }
    // The order of derivation visits a premise before its conclusion, so one pass resolves chains.
    for &node in marks.order() {
        let to = alias[at(node)];
        alias[at(node)] = alias[at(to)];
    }

    let target = 1;
    let mut number_of = vec![FALSE; graph.nodes()];
    let mut queue: Vec<Node> = Vec::new();
    for &node in targets {
        if marks.holds(node) {
            number_of[at(node)] = target;
        }
    }
    let mut next = target + 1;
    let mut rules: Vec<[Node; 3]> = Vec::new();
    let mut expand = |node: Node,
                      queue: &mut Vec<Node>,
                      number_of: &mut Vec<Node>,
                      rules: &mut Vec<[Node; 3]>| {
        for &[a, b] in graph.rules_into(node) {
            if !useful(&marks, a, b) {
                continue;
            }
            let premises = [a, b].map(|premise| {
                if marks.always(premise) {
                    return TRUE;
                }
                let premise = alias[at(premise)];
                if number_of[at(premise)] == FALSE {
                    number_of[at(premise)] = next;
                    next += 1;
                    queue.push(premise);
                }
                number_of[at(premise)]
            });
            let head = number_of[at(node)];
            let [a, b] = [premises[0].max(premises[1]), premises[0].min(premises[1])];
            if a != head && b != head {
                rules.push([a, if a == b { TRUE } else { b }, head]);
            }
        }
    };
    for &node in targets {
        if marks.holds(node) {
            expand(node, &mut queue, &mut number_of, &mut rules);
        }
    }
    let mut done = 0;
    while let Some(&node) = queue.get(done) {
        done += 1;
        expand(node, &mut queue, &mut number_of, &mut rules);
    }
    rules.sort_unstable_by_key(|&[a, b, head]| (head, a, b));
    rules.dedup();
    let choices = choices
        .iter()
        .filter(|&&(node, _)| number_of[at(node)] != FALSE && !marks.always(node))
        .map(|&(node, name)| (number_of[at(node)], name))
        .collect();
    let place = (0..number(graph.nodes())).map(|node| {
        if marks.always(node) {
            return TRUE;
        }
        if !marks.holds(node) {
            return FALSE;
        }
        match number_of[at(alias[at(node)])] {
            FALSE => IDLE,
            here => here,
        }
    });
    Focused::Open(Focus {
        place: place.collect(),
        graph: Graph::new(at(next), &rules),
        target,
        choices,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_threshold_counts_equal_entries_each() {
        let mut builder = Builder::new();
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
        let mut builder = Builder::new();
        let (a, b) = (builder.node(), builder.node());
        assert_eq!(builder.both(a, b), builder.both(b, a));
        assert_eq!(builder.both(TRUE, b), b);
        assert_eq!(builder.both(FALSE, b), FALSE);
        assert_eq!(builder.finish().rules(), 1);
    }

    #[test]
    fn a_hub_reached_before_or_after_its_others_makes_the_same() {
        let mut builder = Builder::new();
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
