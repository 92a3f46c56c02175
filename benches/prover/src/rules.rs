//! A procedure as flat monotone rules, written from DESIGN §5 a third time: this is what the peers are asked.
//!
//! It shares nothing with `countersign_prover` but the checked procedure, so a
//! misreading there shows as a disagreement with a peer. The tests hold it to
//! the naive oracle of the test kit.

use std::collections::{BTreeMap, BTreeSet};

use countersign_language::{
    Action, EffectKind, Exposure, Expr, HoldingId, HoldingKind, Path, Procedure, Requirement,
    RoleId, Target,
};
use countersign_prover::Compromise;

/// More people than this on one path are nobody's attack.
const PEOPLE_MAX: u32 = 32;

/// One thing that a thief may have at the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Primitive {
    Holding(HoldingId),
    /// The `nth` person of this role, from 1; only with those before.
    Person(RoleId, u32),
    Unread,
}

/// At least `need` of the facts `of` make `makes`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rule {
    pub(crate) need: usize,
    pub(crate) of: Vec<u32>,
    pub(crate) makes: u32,
}

/// Facts are numbers; the first so many are what the primitives give.
pub(crate) struct Rules {
    pub(crate) facts: u32,
    pub(crate) list: Vec<Rule>,
    /// Each with the fact it gives.
    pub(crate) primitives: Vec<(Primitive, u32)>,
    pub(crate) own: Vec<u32>,
    pub(crate) new: Vec<Option<u32>>,
    pub(crate) actions: Vec<u32>,
    pub(crate) losses: Vec<u32>,
}

impl Rules {
    pub(crate) fn of(procedure: &Procedure) -> Self {
        Writer::new(procedure).run()
    }

    pub(crate) fn target(&self, target: Target) -> u32 {
        match target {
            Target::Loss(loss) => self.losses[loss.index()],
            Target::Action(action) => self.actions[action.index()],
        }
    }

    /// Primitives by their numbers, as the prover names them.
    pub(crate) fn compromises(&self, set: &[usize]) -> Vec<Compromise> {
        let mut people: BTreeMap<RoleId, u32> = BTreeMap::new();
        let mut named = Vec::new();
        for &at in set {
            match self.primitives[at].0 {
                Primitive::Holding(holding) => named.push(Compromise::Holding(holding)),
                Primitive::Person(role, _) => *people.entry(role).or_default() += 1,
                Primitive::Unread => named.push(Compromise::NoticesUnread),
            }
        }
        named.extend(
            people
                .into_iter()
                .map(|(role, count)| Compromise::Deceived { role, count }),
        );
        named.sort_unstable();
        named
    }
}

struct Writer<'a> {
    procedure: &'a Procedure,
    facts: u32,
    rules: Vec<Rule>,
    primitives: Vec<(Primitive, u32)>,
    own: Vec<u32>,
    new: Vec<Option<u32>>,
    /// Own or new.
    has: Vec<u32>,
    /// Own, or new with nobody reading notices; made where it is asked for.
    settled: BTreeMap<HoldingId, u32>,
    unread: u32,
    /// For each role, the roles that are it or include it.
    covering: Vec<Vec<RoleId>>,
    /// For each role, the facts of its first, second … person.
    people: Vec<Vec<u32>>,
    quiet: BTreeMap<Vec<HoldingId>, u32>,
    crews: BTreeMap<BTreeMap<RoleId, u32>, Vec<u32>>,
}

impl<'a> Writer<'a> {
    fn new(procedure: &'a Procedure) -> Self {
        let mut covering: Vec<Vec<RoleId>> = vec![Vec::new(); procedure.roles.len()];
        for (role, at) in procedure.roles.iter().zip(0..) {
            covering[at as usize].push(RoleId(at));
            for included in &role.includes {
                covering[included.index()].push(RoleId(at));
            }
        }
        Self {
            procedure,
            facts: 0,
            rules: Vec::new(),
            primitives: Vec::new(),
            own: Vec::new(),
            new: Vec::new(),
            has: Vec::new(),
            settled: BTreeMap::new(),
            unread: 0,
            covering,
            people: Vec::new(),
            quiet: BTreeMap::new(),
            crews: BTreeMap::new(),
        }
    }

    fn run(mut self) -> Rules {
        self.start();
        let procedure = self.procedure;
        let actions: Vec<u32> = procedure.actions.iter().map(|_| self.fact()).collect();
        let losses: Vec<u32> = procedure.losses.iter().map(|_| self.fact()).collect();
        for (action, &done) in procedure.actions.iter().zip(&actions) {
            for path in &action.paths {
                let of = self.path(action, path);
                self.all(of, done);
            }
            for effect in &action.effects {
                match effect.kind {
                    EffectKind::Gives(holding) => self.all(vec![done], self.own[holding.index()]),
                    EffectKind::Changes(holding) => {
                        if let Some(new) = self.new[holding.index()] {
                            self.all(vec![done], new);
                        }
                    }
                    EffectKind::Sends { what, to } => {
                        self.all(vec![done, self.has[to.index()]], self.own[what.index()]);
                    }
                    EffectKind::Loses(loss) => self.all(vec![done], losses[loss.index()]),
                }
            }
        }
        Rules {
            facts: self.facts,
            list: self.rules,
            primitives: self.primitives,
            own: self.own,
            new: self.new,
            actions,
            losses,
        }
    }

    fn fact(&mut self) -> u32 {
        self.facts += 1;
        self.facts - 1
    }

    fn all(&mut self, of: Vec<u32>, makes: u32) {
        let of: Vec<u32> = of
            .into_iter()
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect();
        self.rules.push(Rule {
            need: of.len(),
            of,
            makes,
        });
    }

    /// What a thief can have at the start, and what each of it gives.
    fn start(&mut self) {
        let procedure = self.procedure;
        self.unread = self.fact();
        self.primitives.push((Primitive::Unread, self.unread));
        for (holding, id) in procedure.holdings.iter().zip((0..).map(HoldingId)) {
            let own = self.fact();
            self.own.push(own);
            if holding.exposure == Exposure::Public {
                self.all(Vec::new(), own);
            } else if holding.kind != HoldingKind::State {
                self.primitives.push((Primitive::Holding(id), own));
            }
        }
        let changed: BTreeSet<HoldingId> = procedure
            .actions
            .iter()
            .flat_map(|action| &action.effects)
            .filter_map(|effect| match effect.kind {
                EffectKind::Changes(holding) => Some(holding),
                _ => None,
            })
            .collect();
        for (own, id) in self.own.clone().into_iter().zip((0..).map(HoldingId)) {
            let (new, has) = if changed.contains(&id) {
                let (new, has) = (self.fact(), self.fact());
                self.all(vec![own], has);
                self.all(vec![new], has);
                (Some(new), has)
            } else {
                (None, own)
            };
            self.new.push(new);
            self.has.push(has);
        }
        let mut most = vec![0_u32; procedure.roles.len()];
        for path in procedure.actions.iter().flat_map(|action| &action.paths) {
            let mut fits: BTreeMap<RoleId, u32> = BTreeMap::new();
            for (wanted, count) in slots(path) {
                for &role in &self.covering[wanted.index()] {
                    let sum = fits.entry(role).or_default();
                    *sum = sum.saturating_add(count);
                }
            }
            for (role, count) in fits {
                most[role.index()] = most[role.index()].max(count.min(PEOPLE_MAX));
            }
        }
        let mut reads: Vec<Vec<u32>> = vec![Vec::new(); procedure.roles.len()];
        for (holding, &own) in procedure.holdings.iter().zip(&self.own) {
            if let Exposure::VisibleTo(to) = holding.exposure {
                for role in &self.covering[to.index()] {
                    reads[role.index()].push(own);
                }
            }
        }
        for ((most, reads), role) in most.into_iter().zip(reads).zip((0..).map(RoleId)) {
            let count = most.max(u32::from(!reads.is_empty()));
            let mut people = Vec::new();
            for nth in 1..=count {
                let person = self.fact();
                self.primitives.push((Primitive::Person(role, nth), person));
                people.push(person);
            }
            for own in reads {
                self.all(vec![people[0]], own);
            }
            self.people.push(people);
        }
    }

    /// What must hold for a path to be open.
    fn path(&mut self, action: &Action, path: &Path) -> Vec<u32> {
        let mut of = Vec::new();
        let mut told: BTreeSet<HoldingId> = BTreeSet::new();
        let mut waits = false;
        for line in &path.lines {
            match &line.requirement {
                Requirement::Prove(expr) => self.conjuncts(expr, &mut of),
                Requirement::Notify { channels, .. } => told.extend(channels),
                Requirement::Wait(_) => waits = true,
                Requirement::Confirms { .. }
                | Requirement::SignOff { .. }
                | Requirement::Backup { .. }
                | Requirement::When { .. }
                | Requirement::AtMost { .. } => {}
            }
        }
        let changes =
            |effect: &countersign_language::Effect| matches!(effect.kind, EffectKind::Changes(_));
        if waits && action.effects.iter().any(changes) {
            let holdings = self.procedure.holdings.iter().zip((0..).map(HoldingId));
            told.extend(
                holdings
                    .filter(|(holding, _)| holding.kind == HoldingKind::Channel)
                    .map(|(_, id)| id),
            );
        }
        if waits && !told.is_empty() {
            of.push(self.unstopped(told.into_iter().collect()));
        }
        of.extend(self.crew(slots(path)));
        of
    }

    fn conjuncts(&mut self, expr: &Expr, of: &mut Vec<u32>) {
        if let Expr::And(parts) = expr {
            for part in parts {
                self.conjuncts(part, of);
            }
        } else {
            of.push(self.expr(expr));
        }
    }

    fn expr(&mut self, expr: &Expr) -> u32 {
        let (need, parts) = match expr {
            Expr::Atom { proof, settled, .. } => {
                let holding = self.procedure.proofs[proof.index()].shows;
                return match settled {
                    Some(_) => self.settled(holding),
                    None => self.has[holding.index()],
                };
            }
            Expr::And(parts) => (parts.len(), parts),
            Expr::Or(parts) => (1, parts),
            Expr::NOf { n, of } => (*n as usize, of),
        };
        let mut of: Vec<u32> = Vec::new();
        for part in parts {
            let mut fact = self.expr(part);
            // Two proofs of one holding count twice.
            if of.contains(&fact) {
                let again = self.fact();
                self.all(vec![fact], again);
                fact = again;
            }
            of.push(fact);
        }
        let makes = self.fact();
        self.rules.push(Rule { need, of, makes });
        makes
    }

    fn settled(&mut self, holding: HoldingId) -> u32 {
        let own = self.own[holding.index()];
        let Some(new) = self.new[holding.index()] else {
            return own;
        };
        if let Some(&fact) = self.settled.get(&holding) {
            return fact;
        }
        let fact = self.fact();
        self.all(vec![own], fact);
        self.all(vec![new, self.unread], fact);
        self.settled.insert(holding, fact);
        fact
    }

    /// Everybody told is the thief, or nobody reads.
    fn unstopped(&mut self, told: Vec<HoldingId>) -> u32 {
        if let Some(&fact) = self.quiet.get(&told) {
            return fact;
        }
        let fact = self.fact();
        let own = told.iter().map(|channel| self.own[channel.index()]);
        self.all(own.collect(), fact);
        self.all(vec![self.unread], fact);
        self.quiet.insert(told, fact);
        fact
    }

    /// Deceived people fill the slots, each one of them: by Hall's theorem, if
    /// for every group of slots there are as many of them who fit one of the group.
    fn crew(&mut self, slots: BTreeMap<RoleId, u32>) -> Vec<u32> {
        if let Some(facts) = self.crews.get(&slots) {
            return facts.clone();
        }
        let listed: Vec<(RoleId, u32)> =
            slots.iter().map(|(&role, &count)| (role, count)).collect();
        let mut facts = Vec::new();
        for group in 1..1_u64 << listed.len() {
            let members = listed
                .iter()
                .enumerate()
                .filter(|(at, _)| group >> at & 1 == 1)
                .map(|(_, slot)| slot);
            let mut who: BTreeSet<RoleId> = BTreeSet::new();
            let mut need = 0_u32;
            for (wanted, count) in members {
                who.extend(&self.covering[wanted.index()]);
                need = need.saturating_add(*count);
            }
            let of: Vec<u32> = who
                .iter()
                .flat_map(|role| self.people[role.index()].iter().copied())
                .collect();
            let makes = self.fact();
            self.rules.push(Rule {
                need: need as usize,
                of,
                makes,
            });
            facts.push(makes);
        }
        self.crews.insert(slots, facts.clone());
        facts
    }
}

/// The people that a path needs: one for everything an opener of one role confirms, and those who sign.
fn slots(path: &Path) -> BTreeMap<RoleId, u32> {
    let mut slots: BTreeMap<RoleId, u32> = BTreeMap::new();
    let mut openers: BTreeSet<RoleId> = BTreeSet::new();
    for line in &path.lines {
        match line.requirement {
            Requirement::Confirms { role, .. } => {
                openers.insert(role);
            }
            Requirement::SignOff { count, role } => {
                let sum = slots.entry(role).or_default();
                *sum = sum.saturating_add(count);
            }
            _ => {}
        }
    }
    for role in openers {
        let sum = slots.entry(role).or_default();
        *sum = sum.saturating_add(1);
    }
    slots
}
