//! Why a block is one, said in facts of the procedure: what a certificate of a kept promise is made of.

#![expect(
    clippy::indexing_slicing,
    reason = "every index in a checked `Procedure`, its `System` and its `Focus` is in range"
)]

use std::collections::{BTreeMap, BTreeSet};

use countersign_language::{
    Action, ActionId, EffectKind, Expr, HoldingId, Path, Procedure, Requirement, RoleId, Target,
};

use crate::{
    certificate::{Block, Element, Fact, Refutation},
    cut,
    graph::{FALSE, Focus, Marks, Node, number},
    search,
    system::{Choice, System, slots, told},
};

/// Writes refutations of one claim about one procedure.
pub(crate) struct Writer<'a> {
    procedure: &'a Procedure,
    system: &'a System,
    targets: &'a [Target],
    /// The people a thief has deceived; for an honest customer, none are no obstacle.
    people: Option<&'a BTreeMap<RoleId, u32>>,
    makers: Makers,
}

impl<'a> Writer<'a> {
    pub(crate) fn new(
        procedure: &'a Procedure,
        system: &'a System,
        targets: &'a [Target],
        people: Option<&'a BTreeMap<RoleId, u32>>,
    ) -> Self {
        Self {
            procedure,
            system,
            targets,
            people,
            makers: Makers::new(procedure),
        }
    }

    /// Nothing within reach is enough, whatever is chosen.
    pub(crate) fn hopeless(&self, granted: &[Node], choices: &[(Node, u32)]) -> Refutation {
        let mut marks = Marks::new(&self.system.graph);
        let all = choices.iter().map(|&(node, _)| node);
        marks.close(&self.system.graph, granted.iter().copied().chain(all));
        let beyond = self.beyond(|node| !marks.holds(node));
        Refutation {
            blocks: vec![Block {
                of: Vec::new(),
                beyond,
            }],
            tree: vec![0],
        }
    }

    /// The refutation that a search found.
    pub(crate) fn refutation(&self, focus: &Focus, found: &search::Refutation) -> Refutation {
        let mut used: Vec<u32> = found.tree.clone();
        used.sort_unstable();
        used.dedup();
        let renumbered = found
            .tree
            .iter()
            .filter_map(|block| used.binary_search(block).ok().map(number));
        let mut in_block = vec![false; focus.graph.nodes()];
        let blocks = used.iter().map(|&block| {
            let block = &found.blocks[block as usize];
            self.block(focus, block, &mut in_block)
        });
        Refutation {
            blocks: blocks.collect(),
            tree: renumbered.collect(),
        }
    }

    fn block(&self, focus: &Focus, block: &cut::Block, in_block: &mut [bool]) -> Block {
        for &node in &block.beyond {
            in_block[node as usize] = true;
        }
        let beyond = self.beyond(|node| {
            focus
                .place_of(&self.system.graph, node)
                .is_some_and(|here| here == FALSE || in_block[here as usize])
        });
        for &node in &block.beyond {
            in_block[node as usize] = false;
        }
        let element = |&choice: &u32| {
            let index = focus.choices[choice as usize].1;
            match self.system.choices[index as usize].0 {
                Choice::Holding(holding) => Some(Element::Holding(holding)),
                Choice::Wait(action, path) => Some(Element::Wait(action, path)),
                Choice::Settle(holding, seconds) => Some(Element::Settle(holding, seconds)),
                Choice::Person(..) | Choice::NoticesUnread => None,
            }
        };
        Block {
            of: block.of.iter().filter_map(element).collect(),
            beyond,
        }
    }

    /// The targets, and for each way to make one of the facts found so far another that it fails at.
    fn beyond(&self, out_of_reach: impl Fn(Node) -> bool) -> Vec<Fact> {
        let mut walk = Beyond {
            of: self,
            out_of_reach,
            found: BTreeSet::new(),
            queue: Vec::new(),
        };
        walk.queue
            .extend(self.targets.iter().map(|&target| Fact::from(target)));
        while let Some(fact) = walk.queue.pop() {
            if walk.found.insert(fact) {
                walk.follow(fact);
            }
        }
        walk.found.into_iter().collect()
    }

    fn node(&self, fact: Fact) -> Node {
        match fact {
            Fact::Own(holding) => self.system.own[holding.index()],
            Fact::New(holding) => self.system.new[holding.index()],
            Fact::Done(action) => self.system.actions[action.index()],
            Fact::Lost(loss) => self.system.losses[loss.index()],
        }
    }
}

struct Beyond<'a, F> {
    of: &'a Writer<'a>,
    out_of_reach: F,
    found: BTreeSet<Fact>,
    queue: Vec<Fact>,
}

impl<F: Fn(Node) -> bool> Beyond<'_, F> {
    /// Finds what every way to make this fact fails at.
    fn follow(&mut self, fact: Fact) {
        if let Fact::Done(id) = fact {
            let action = &self.of.procedure.actions[id.index()];
            for path in &action.paths {
                let fails_at = self.fails_at(action, path);
                self.queue.extend(fails_at);
            }
        }
        for &(action, to) in self.of.makers.of(fact) {
            let done = Fact::Done(action);
            match to {
                // The channel it is sent to is not held, and that is known or the only reason.
                Some(to) if !self.fails(done) || self.found.contains(&Fact::Own(to)) => {
                    let of_channel = [Fact::Own(to), Fact::New(to)];
                    if of_channel.iter().any(|&fact| self.may_hold(fact)) {
                        self.queue.push(done);
                    } else {
                        let exist = of_channel
                            .into_iter()
                            .filter(|&fact| self.of.node(fact) != FALSE);
                        self.queue.extend(exist);
                    }
                }
                _ => self.queue.push(done),
            }
        }
    }

    fn may_hold(&self, fact: Fact) -> bool {
        let node = self.of.node(fact);
        node != FALSE && !(self.out_of_reach)(node)
    }

    /// Whether the fact exists at all and cannot be had.
    fn fails(&self, fact: Fact) -> bool {
        let node = self.of.node(fact);
        node != FALSE && (self.out_of_reach)(node)
    }

    /// Facts that a path fails at; of those that would do, the fewest new ones.
    fn fails_at(&self, action: &Action, path: &Path) -> Vec<Fact> {
        let procedure = self.of.procedure;
        let mut ways: Vec<Vec<Fact>> = Vec::new();
        for line in &path.lines {
            if let Requirement::Prove(expr) = &line.requirement {
                ways.extend(self.unproved(expr));
            }
        }
        if let Some(people) = self.of.people {
            let filled = |wanted| {
                people
                    .keys()
                    .any(|&role| procedure.role_covers(role, wanted))
            };
            if !slots(path).into_iter().all(|(wanted, _)| filled(wanted)) {
                return Vec::new();
            }
            if self
                .of
                .system
                .choice(Choice::NoticesUnread)
                .is_none_or(|unread| (self.out_of_reach)(unread))
            {
                let told = told(procedure, action, path).unwrap_or_default();
                let owned = told.iter().copied().map(Fact::Own);
                ways.extend(owned.filter(|&own| self.fails(own)).map(|own| vec![own]));
            }
        }
        let fewest = ways.into_iter().min_by_key(|way| self.new_among(way));
        fewest.unwrap_or_default()
    }

    fn new_among(&self, way: &[Fact]) -> usize {
        way.iter().filter(|fact| !self.found.contains(fact)).count()
    }

    /// Facts without which this is not proved; none if it is.
    fn unproved(&self, expr: &Expr) -> Option<Vec<Fact>> {
        let parts = |of: &[Expr], open: usize| -> Option<Vec<Fact>> {
            // All but so many must fail.
            let mut ways: Vec<Vec<Fact>> =
                of.iter().filter_map(|part| self.unproved(part)).collect();
            let need = (of.len() + 1).checked_sub(open)?;
            if ways.len() < need {
                return None;
            }
            ways.sort_by_cached_key(|way| self.new_among(way));
            ways.truncate(need);
            Some(ways.concat())
        };
        match expr {
            Expr::Atom { proof, settled, .. } => {
                let holding = self.of.procedure.proofs[proof.index()].shows;
                let seconds = settled.map(countersign_language::Duration::seconds);
                let nodes = self.of.system.atom(self.of.procedure, *proof, seconds);
                let fails = |&node: &Node| node == FALSE || (self.out_of_reach)(node);
                if !nodes.iter().all(fails) {
                    return None;
                }
                // A change that may be had and is only not settled does not fail for want of the change.
                let facts = [Fact::Own(holding), Fact::New(holding)];
                Some(facts.into_iter().filter(|&fact| self.fails(fact)).collect())
            }
            Expr::And(of) => parts(of, of.len()),
            Expr::Or(of) => parts(of, 1),
            Expr::NOf { n, of } => parts(of, *n as usize),
        }
    }
}

/// Which actions make which facts, and for what is sent, to which channel.
struct Makers {
    holdings: usize,
    at: Vec<usize>,
    of: Vec<(ActionId, Option<HoldingId>)>,
}

impl Makers {
    fn new(procedure: &Procedure) -> Self {
        let holdings = procedure.holdings.len();
        let made = || {
            (0..)
                .map(ActionId)
                .zip(&procedure.actions)
                .flat_map(|(id, action)| {
                    action.effects.iter().map(move |effect| match effect.kind {
                        EffectKind::Gives(holding) => (Fact::Own(holding), (id, None)),
                        EffectKind::Changes(holding) => (Fact::New(holding), (id, None)),
                        EffectKind::Sends { what, to } => (Fact::Own(what), (id, Some(to))),
                        EffectKind::Loses(loss) => (Fact::Lost(loss), (id, None)),
                    })
                })
                .filter_map(|(fact, maker)| Some((Self::row(holdings, fact)?, maker)))
        };
        let mut at = vec![0; 2 * holdings + procedure.losses.len() + 1];
        for (row, _) in made() {
            at[row + 1] += 1;
        }
        for row in 1..at.len() {
            at[row] += at[row - 1];
        }
        let mut next = at.clone();
        let mut of = vec![(ActionId(0), None); at[at.len() - 1]];
        for (row, maker) in made() {
            of[next[row]] = maker;
            next[row] += 1;
        }
        Self { holdings, at, of }
    }

    fn row(holdings: usize, fact: Fact) -> Option<usize> {
        match fact {
            Fact::Own(holding) => Some(holding.index()),
            Fact::New(holding) => Some(holdings + holding.index()),
            Fact::Lost(loss) => Some(2 * holdings + loss.index()),
            Fact::Done(_) => None,
        }
    }

    fn of(&self, fact: Fact) -> &[(ActionId, Option<HoldingId>)] {
        Self::row(self.holdings, fact).map_or(&[], |row| &self.of[self.at[row]..self.at[row + 1]])
    }
}
