//! The independent checker: DESIGN §5 read off the procedure, and nothing else.
//!
//! Shares no code with the search. Linear in certificate and procedure, up to look-ups.

use std::collections::{BTreeMap, BTreeSet};

use countersign_language::{
    Action, ActionId, Assumption, Claim, Duration, EffectKind, Exposure, Expr, HoldingId,
    HoldingKind, Path, PathId, Procedure, Requirement, RoleId, Target,
};

use super::{Certificate, Element, Fact, Fault, Refutation, WayStep};
use crate::Compromise;

type Checked<T> = Result<T, Fault>;
type Facts = BTreeSet<Fact>;
type Elements = BTreeSet<Element>;

/// Checks that `certificate` proves that the promise of this number is `kept`, or is not.
pub fn check(procedure: &Procedure, promise: usize, kept: bool, by: &Certificate) -> Checked<()> {
    let promise = procedure.promises.get(promise);
    match &promise.ok_or(Fault::NoSuchPromise)?.claim {
        Claim::Never { even_if, targets } => match (kept, by) {
            (true, Certificate::Refuted(by)) => {
                World::thief(procedure, even_if).refuted(by, targets)
            }
            (false, Certificate::Attack { set, steps, target }) => {
                World::thief(procedure, even_if).grants(set)?;
                ensure(targets.contains(target), Fault::Short)?;
                World::of_set(procedure, set).walk(steps, *target)
            }
            _ => Err(Fault::WrongKind),
        },
        Claim::Always {
            without,
            action,
            within,
        } => {
            let time = within.map_or(u64::MAX, Duration::seconds);
            let world = World::customer(procedure, without, time);
            let target = Target::Action(*action);
            match (kept, by) {
                (true, Certificate::Way(steps)) => world.walk(steps, target),
                (false, Certificate::Refuted(by)) => world.refuted(by, &[target]),
                _ => Err(Fault::WrongKind),
            }
        }
    }
}

/// Who starts with what, what may be chosen besides, and which actions make which facts.
pub(crate) struct World<'a> {
    procedure: &'a Procedure,
    honest: bool,
    start: BTreeSet<HoldingId>,
    /// How many more holdings of each kind may be chosen.
    kinds: BTreeMap<HoldingKind, u64>,
    /// Deceived people of each role; the maximum means any number.
    people: BTreeMap<RoleId, u32>,
    unread: bool,
    /// How much time there is.
    seconds: u64,
    makers: BTreeMap<Fact, Vec<(ActionId, Option<HoldingId>)>>,
    channels: Vec<HoldingId>,
}

impl<'a> World<'a> {
    fn new(procedure: &'a Procedure, honest: bool, seconds: u64) -> Self {
        let ids = (0..).map(HoldingId).zip(&procedure.holdings);
        let channels = ids.filter(|(_, holding)| holding.kind == HoldingKind::Channel);
        Self {
            procedure,
            honest,
            start: BTreeSet::new(),
            kinds: BTreeMap::new(),
            people: BTreeMap::new(),
            unread: false,
            seconds,
            makers: BTreeMap::new(),
            channels: channels.map(|(id, _)| id).collect(),
        }
    }

    fn thief(procedure: &'a Procedure, even_if: &[Assumption]) -> Self {
        let mut world = Self::new(procedure, false, 0);
        for assumption in even_if {
            match *assumption {
                Assumption::Holding(holding) => drop(world.start.insert(holding)),
                Assumption::AnyOfKind { count, kind } => {
                    *world.kinds.entry(kind).or_default() += u64::from(count);
                }
                Assumption::Deceived { count, role } => {
                    let people = world.people.entry(role).or_default();
                    *people = people.saturating_add(count);
                }
                Assumption::AnyDeceived(role) => drop(world.people.insert(role, u32::MAX)),
                Assumption::NoticesUnread => world.unread = true,
            }
        }
        world
    }

    /// A thief with exactly this set of compromises.
    pub(crate) fn of_set(procedure: &'a Procedure, set: &[Compromise]) -> Self {
        let mut world = Self::new(procedure, false, 0);
        for &compromise in set {
            match compromise {
                Compromise::Holding(holding) => drop(world.start.insert(holding)),
                Compromise::Deceived { role, count } => drop(world.people.insert(role, count)),
                Compromise::NoticesUnread => world.unread = true,
            }
        }
        world
    }

    /// An honest customer without these.
    pub(crate) fn customer(procedure: &'a Procedure, without: &[HoldingId], time: u64) -> Self {
        let mut world = Self::new(procedure, true, time);
        world.start = (0..)
            .map(HoldingId)
            .take(procedure.holdings.len())
            .collect();
        world.start.retain(|holding| !without.contains(holding));
        world
    }

    /// Whether what may be chosen covers the set.
    fn grants(mut self, set: &[Compromise]) -> Checked<()> {
        for &compromise in set {
            let granted = match compromise {
                Compromise::Holding(holding) => {
                    self.start.contains(&holding) || self.spend(Element::Holding(holding))?
                }
                Compromise::Deceived { role, count } => self.people.remove(&role) >= Some(count),
                Compromise::NoticesUnread => self.unread,
            };
            ensure(granted, Fault::OverBudget)?;
        }
        Ok(())
    }

    /// Takes the steps one by one and adds up the time.
    pub(crate) fn walk(mut self, steps: &[WayStep], target: Target) -> Checked<()> {
        let (mut facts, mut lapsed) = (Facts::new(), Elements::new());
        for (at, &step) in steps.iter().enumerate() {
            if self.honest && lapsed.insert(step.lapse()) && !self.spend(step.lapse())? {
                return Err(Fault::TooLong);
            }
            let starts = |fact| matches!(fact, Fact::Own(id) if self.starts(id));
            let holds = |fact| starts(fact) || facts.contains(&fact);
            let has_lapsed = |of| lapsed.contains(&of);
            let id = match step {
                WayStep::Settle(holding, _) if holds(Fact::New(holding)) => continue,
                WayStep::Act(id, path) if self.open(id, path, &holds, &has_lapsed)? => id,
                _ => return Err(Fault::Step(at)),
            };
            facts.insert(Fact::Done(id));
            for effect in &self.action(id)?.effects {
                let (made, to) = Fact::made_by(effect.kind);
                let shown = |fact| starts(fact) || facts.contains(&fact);
                if to.is_none_or(|to| shown(Fact::Own(to)) || shown(Fact::New(to))) {
                    facts.insert(made);
                }
            }
        }
        ensure(facts.contains(&target.into()), Fault::Short)
    }

    fn refuted(mut self, refutation: &Refutation, targets: &[Target]) -> Checked<()> {
        let blocks = refutation.blocks.iter();
        let beyond: Facts = blocks.flat_map(|block| block.beyond.clone()).collect();
        for (at, action) in (0..).map(ActionId).zip(&self.procedure.actions) {
            for effect in &action.effects {
                let (fact, to) = Fact::made_by(effect.kind);
                if matches!(fact, Fact::New(_)) || beyond.contains(&fact) {
                    self.makers.entry(fact).or_default().push((at, to));
                }
            }
        }
        for (at, block) in refutation.blocks.iter().enumerate() {
            let beyond: Facts = block.beyond.iter().copied().collect();
            let of: Elements = block.of.iter().copied().collect();
            let mut blocks = targets.iter().all(|&t| beyond.contains(&t.into()));
            for &fact in &beyond {
                blocks = blocks && self.out_of_reach(fact, &beyond, &of)?;
            }
            ensure(blocks, Fault::Block(at))?;
        }
        let (mut next, mut chosen, mut dealt) = (0, Elements::new(), Elements::new());
        self.node(refutation, &mut next, &mut chosen, &mut dealt)?;
        ensure(next == refutation.tree.len(), Fault::Tree(next))
    }

    /// Checks one node of the tree and all below it.
    fn node(
        &mut self,
        refutation: &Refutation,
        next: &mut usize,
        chosen: &mut Elements,
        dealt: &mut Elements,
    ) -> Checked<()> {
        let here = *next;
        *next += 1;
        let block = *refutation.tree.get(here).ok_or(Fault::Tree(here))? as usize;
        let of = &refutation.blocks.get(block).ok_or(Fault::Tree(here))?.of;
        let missed = of.iter().all(|one| !chosen.contains(one));
        ensure(missed, Fault::Tree(here))?;
        let mut here_dealt = Vec::new();
        for &element in of {
            if dealt.contains(&element) || !self.spend(element)? {
                continue;
            }
            chosen.insert(element);
            self.node(refutation, next, chosen, dealt)?;
            chosen.remove(&element);
            let (left, price) = self.purse(element)?;
            *left += price;
            dealt.insert(element);
            here_dealt.push(element);
        }
        for element in here_dealt {
            dealt.remove(&element);
        }
        Ok(())
    }

    /// No way to make `fact` but with the elements or with other facts that are beyond.
    fn out_of_reach(&self, fact: Fact, beyond: &Facts, of: &Elements) -> Checked<bool> {
        // What nothing can make does not hold either.
        let holds = |fact: Fact| {
            !beyond.contains(&fact)
                && (!matches!(fact, Fact::New(_)) || self.makers.contains_key(&fact))
        };
        if let Fact::Done(id) = fact {
            let mut open = false;
            for path in (0..).map(PathId).take(self.action(id)?.paths.len()) {
                open = open || self.open(id, path, &holds, &|lapse| !of.contains(&lapse))?;
            }
            return Ok(!open);
        }
        if let Fact::Own(id) = fact {
            let kind = self.kind(id)?;
            let choosable = self.kinds.get(&kind).is_some_and(|&count| count > 0);
            let chosen = choosable && !of.contains(&Element::Holding(id));
            if self.starts(id) || (chosen && kind != HoldingKind::State) {
                return Ok(false);
            }
        }
        let idle = |&(action, to): &(ActionId, Option<HoldingId>)| {
            beyond.contains(&Fact::Done(action))
                || to.is_some_and(|to| !holds(Fact::Own(to)) && !holds(Fact::New(to)))
        };
        Ok(self.makers.get(&fact).into_iter().flatten().all(idle))
    }

    /// Held from the start without any choice. A state is only ever reached by an action.
    fn starts(&self, id: HoldingId) -> bool {
        let holding = self.procedure.holdings.get(id.index());
        holding.is_some_and(|holding| match holding.exposure {
            Exposure::Public => true,
            Exposure::VisibleTo(to) if self.crew(&[to]) => true,
            _ => holding.kind != HoldingKind::State && self.start.contains(&id),
        })
    }

    /// Whether the path can be completed with these facts and these lapses of time.
    fn open(
        &self,
        id: ActionId,
        path: PathId,
        holds: &dyn Fn(Fact) -> bool,
        lapsed: &dyn Fn(Element) -> bool,
    ) -> Checked<bool> {
        let shown = |holding: HoldingId, settled: Option<Duration>| {
            let lapse = |length: Duration| Element::Settle(holding, length.seconds());
            let in_time = |length| self.unread || (self.honest && lapsed(lapse(length)));
            holds(Fact::Own(holding)) || (holds(Fact::New(holding)) && settled.is_none_or(in_time))
        };
        let (action, asked) = self.path(id, path)?;
        let mut effects = action.effects.iter();
        let changes = effects.any(|effect| matches!(effect.kind, EffectKind::Changes(_)));
        // A change tells every channel, whatever the path says.
        let (mut told, mut waits) = (Vec::new(), false);
        let (mut slots, mut openers) = (Vec::new(), BTreeSet::new());
        for line in &asked.lines {
            match &line.requirement {
                Requirement::Prove(expr) if !self.proved(expr, &shown) => return Ok(false),
                Requirement::Confirms { role, .. } => drop(openers.insert(*role)),
                Requirement::SignOff { count, role } => slots.extend((0..*count).map(|_| *role)),
                Requirement::Notify { channels, .. } => told.extend(channels),
                Requirement::Wait(_) => waits = true,
                _ => {}
            }
        }
        if self.honest {
            return Ok(!waits || lapsed(Element::Wait(id, path)));
        }
        slots.extend(openers);
        let owned = |&channel: &HoldingId| holds(Fact::Own(channel));
        let all_owned = || told.iter().all(owned) && (!changes || self.channels.iter().all(owned));
        let unstopped = !waits || self.unread || all_owned();
        Ok(unstopped && self.crew(&slots))
    }

    /// Whether the deceived people can fill the slots, each one slot.
    pub(crate) fn crew(&self, slots: &[RoleId]) -> bool {
        let enough =
            |(&role, &n): (&RoleId, &u32)| (0..slots.len()).take(n as usize).map(move |_| role);
        let mut people: Vec<_> = self
            .people
            .iter()
            .flat_map(enough)
            .map(|role| (role, None))
            .collect();
        let mut seated = slots.iter();
        seated.all(|&slot| self.seat(slot, &mut people, &mut BTreeSet::new()))
    }

    /// Finds somebody for one more slot, moving others where they fit as well (Kuhn).
    fn seat(
        &self,
        slot: RoleId,
        people: &mut [(RoleId, Option<RoleId>)],
        tried: &mut BTreeSet<usize>,
    ) -> bool {
        (0..people.len()).any(|at| {
            let fits = |p: &&mut (RoleId, _)| self.procedure.role_covers(p.0, slot);
            let Some(&mut (role, before)) = people.get_mut(at).filter(fits) else {
                return false;
            };
            let free = tried.insert(at) && before.is_none_or(|slot| self.seat(slot, people, tried));
            people
                .iter_mut()
                .skip(at)
                .take(usize::from(free))
                .for_each(|p| *p = (role, Some(slot)));
            free
        })
    }

    fn proved(&self, expr: &Expr, shown: &dyn Fn(HoldingId, Option<Duration>) -> bool) -> bool {
        let count = |of: &[Expr]| of.iter().filter(|part| self.proved(part, shown)).count();
        match expr {
            Expr::Atom { proof, settled, .. } => {
                let proof = self.procedure.proofs.get(proof.index());
                proof.is_some_and(|proof| shown(proof.shows, *settled))
            }
            Expr::And(of) => count(of) == of.len(),
            Expr::Or(of) => count(of) > 0,
            Expr::NOf { n, of } => count(of) >= *n as usize,
        }
    }

    fn action(&self, id: ActionId) -> Checked<&'a Action> {
        let action = self.procedure.actions.get(id.index());
        action.ok_or(Fault::OutOfRange)
    }

    fn kind(&self, id: HoldingId) -> Checked<HoldingKind> {
        let holding = self.procedure.holdings.get(id.index());
        holding.map(|holding| holding.kind).ok_or(Fault::OutOfRange)
    }

    fn path(&self, action: ActionId, path: PathId) -> Checked<(&'a Action, &'a Path)> {
        let action = self.action(action)?;
        let path = action.paths.get(path.index());
        Ok((action, path.ok_or(Fault::OutOfRange)?))
    }

    /// Takes the element's price from what may be chosen, if it is there.
    fn spend(&mut self, element: Element) -> Checked<bool> {
        let (left, price) = self.purse(element)?;
        let fits = *left >= price;
        *left -= if fits { price } else { 0 };
        Ok(fits)
    }

    fn purse(&mut self, element: Element) -> Checked<(&mut u64, u64)> {
        match element {
            Element::Holding(id) => {
                let kind = self.kind(id)?;
                Ok((self.kinds.entry(kind).or_default(), 1))
            }
            Element::Settle(_, seconds) => Ok((&mut self.seconds, seconds)),
            Element::Wait(action, path) => {
                let lines = &self.path(action, path)?.1.lines;
                let waits = lines.iter().map(|line| match line.requirement {
                    Requirement::Wait(length) => length.seconds(),
                    _ => 0,
                });
                Ok((&mut self.seconds, waits.max().unwrap_or(0)))
            }
        }
    }
}

fn ensure(holds: bool, fault: Fault) -> Checked<()> {
    if holds { Ok(()) } else { Err(fault) }
}
