//! The independent checker: DESIGN §5 read off the procedure, and nothing else.
//!
//! Shares no code with the search. Linear in the certificate, up to the
//! logarithm of a look-up, and in the parts of the procedure it touches.

use std::collections::{BTreeMap, BTreeSet};

use countersign_language::{
    Action, ActionId, Assumption, Claim, Duration, EffectKind, Exposure, Expr, HoldingId,
    HoldingKind, PathId, Procedure, Requirement, RoleId, Target,
};

use super::{Block, Certificate, Element, Fact, Fault, Refutation, WayStep};
use crate::Compromise;

/// Checks that `certificate` proves that the promise of this number is `kept`, or is not.
pub fn check(
    procedure: &Procedure,
    promise: usize,
    kept: bool,
    certificate: &Certificate,
) -> Result<(), Fault> {
    let promise = procedure
        .promises
        .get(promise)
        .ok_or(Fault::NoSuchPromise)?;
    match (&promise.claim, kept, certificate) {
        (Claim::Never { even_if, targets }, false, Certificate::Attack { set, steps, target }) => {
            if !targets.contains(target) {
                return Err(Fault::Short);
            }
            let steps: Vec<WayStep> = steps.iter().map(|&(a, p)| WayStep::Act(a, p)).collect();
            World::thief(procedure, even_if)
                .narrowed_to(set)?
                .walk(&steps, *target)
        }
        (Claim::Never { even_if, targets }, true, Certificate::Refuted(refutation)) => {
            World::thief(procedure, even_if).refuted(refutation, targets)
        }
        (
            Claim::Always {
                without,
                action,
                within,
            },
            true,
            Certificate::Way(steps),
        ) => World::customer(procedure, without, *within).walk(steps, Target::Action(*action)),
        (
            Claim::Always {
                without,
                action,
                within,
            },
            false,
            Certificate::Refuted(refutation),
        ) => {
            let world = World::customer(procedure, without, *within);
            world.refuted(refutation, &[Target::Action(*action)])
        }
        _ => Err(Fault::WrongKind),
    }
}

/// Who starts with what, what may be chosen besides, and which actions make which facts.
struct World<'a> {
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
    /// For what is sent, also the channel it goes to.
    makers: BTreeMap<Fact, Vec<(ActionId, Option<HoldingId>)>>,
}

impl<'a> World<'a> {
    fn new(procedure: &'a Procedure, honest: bool, seconds: u64) -> Self {
        let mut makers: BTreeMap<Fact, Vec<_>> = BTreeMap::new();
        for (at, action) in (0_u32..).zip(&procedure.actions) {
            for effect in &action.effects {
                let (fact, to) = match effect.kind {
                    EffectKind::Gives(holding) => (Fact::Own(holding), None),
                    EffectKind::Changes(holding) => (Fact::New(holding), None),
                    EffectKind::Sends { what, to } => (Fact::Own(what), Some(to)),
                    EffectKind::Loses(loss) => (Fact::Lost(loss), None),
                };
                makers.entry(fact).or_default().push((ActionId(at), to));
            }
        }
        let (start, kinds, people) = (BTreeSet::new(), BTreeMap::new(), BTreeMap::new());
        Self {
            procedure,
            honest,
            start,
            kinds,
            people,
            unread: false,
            seconds,
            makers,
        }
    }

    fn thief(procedure: &'a Procedure, even_if: &[Assumption]) -> Self {
        let mut world = Self::new(procedure, false, 0);
        for assumption in even_if {
            match *assumption {
                Assumption::Holding(holding) => {
                    world.start.insert(holding);
                }
                Assumption::AnyOfKind { count, kind } => {
                    *world.kinds.entry(kind).or_default() += u64::from(count);
                }
                Assumption::Deceived { count, role } => {
                    let people = world.people.entry(role).or_default();
                    *people = people.saturating_add(count);
                }
                Assumption::AnyDeceived(role) => {
                    world.people.insert(role, u32::MAX);
                }
                Assumption::NoticesUnread => world.unread = true,
            }
        }
        world
    }

    fn customer(procedure: &'a Procedure, without: &[HoldingId], within: Option<Duration>) -> Self {
        let mut world = Self::new(procedure, true, within.map_or(u64::MAX, Duration::seconds));
        let has = (0_u32..).zip(&procedure.holdings).filter(|&(at, holding)| {
            holding.kind != HoldingKind::State && !without.contains(&HoldingId(at))
        });
        world.start.extend(has.map(|(at, _)| HoldingId(at)));
        world
    }

    /// The same thief with exactly this set of compromises, if the budget grants it.
    fn narrowed_to(mut self, set: &[Compromise]) -> Result<Self, Fault> {
        let (mut start, mut people, mut unread) = (BTreeSet::new(), BTreeMap::new(), false);
        for &compromise in set {
            let granted = match compromise {
                Compromise::Holding(id) => {
                    let kind = self.kind(id)?;
                    let granted = self.start.contains(&id) || self.spend(Element::Holding(id))?;
                    granted && kind != HoldingKind::State && start.insert(id)
                }
                Compromise::Deceived { role, count } => {
                    self.people
                        .get(&role)
                        .is_some_and(|&granted| count <= granted)
                        && people.insert(role, count).is_none()
                }
                Compromise::NoticesUnread => {
                    unread = true;
                    self.unread
                }
            };
            if !granted {
                return Err(Fault::OverBudget);
            }
        }
        Ok(Self {
            start,
            people,
            unread,
            ..self
        })
    }

    /// Takes the steps one by one and adds up the time.
    fn walk(mut self, steps: &[WayStep], target: Target) -> Result<(), Fault> {
        let ids = (0..).map(HoldingId).take(self.procedure.holdings.len());
        let mut facts: BTreeSet<Fact> = ids.filter(|&id| self.starts(id)).map(Fact::Own).collect();
        let mut lapsed: BTreeSet<Element> = BTreeSet::new();
        for (at, &step) in steps.iter().enumerate() {
            let lapse = match step {
                WayStep::Settle(id, _) if !facts.contains(&Fact::New(id)) => {
                    return Err(Fault::Step(at));
                }
                WayStep::Settle(id, seconds) => Element::Settle(id, seconds),
                WayStep::Act(action, path) => Element::Wait(action, path),
            };
            if self.honest && lapsed.insert(lapse) && !self.spend(lapse)? {
                return Err(Fault::TooLong);
            }
            let WayStep::Act(id, path) = step else {
                continue;
            };
            let action = self
                .procedure
                .actions
                .get(id.index())
                .ok_or(Fault::OutOfRange)?;
            if !self.open(id, path, &|fact| facts.contains(&fact), &|lapse| {
                lapsed.contains(&lapse)
            })? {
                return Err(Fault::Step(at));
            }
            facts.insert(Fact::Done(id));
            for effect in &action.effects {
                match effect.kind {
                    EffectKind::Gives(holding) => facts.insert(Fact::Own(holding)),
                    EffectKind::Changes(holding) => facts.insert(Fact::New(holding)),
                    EffectKind::Sends { what, to } => {
                        (facts.contains(&Fact::Own(to)) || facts.contains(&Fact::New(to)))
                            && facts.insert(Fact::Own(what))
                    }
                    EffectKind::Loses(loss) => facts.insert(Fact::Lost(loss)),
                };
            }
        }
        if facts.contains(&fact_of(target)) {
            Ok(())
        } else {
            Err(Fault::Short)
        }
    }

    fn refuted(mut self, refutation: &Refutation, targets: &[Target]) -> Result<(), Fault> {
        for (at, block) in refutation.blocks.iter().enumerate() {
            let beyond: BTreeSet<Fact> = block.beyond.iter().copied().collect();
            let of: BTreeSet<Element> = block.of.iter().copied().collect();
            for fact in targets
                .iter()
                .map(|&target| fact_of(target))
                .chain(block.beyond.iter().copied())
            {
                if !beyond.contains(&fact) || !self.out_of_reach(fact, &beyond, &of)? {
                    return Err(Fault::Block(at));
                }
            }
        }
        let (chosen, dealt) = (BTreeSet::new(), BTreeMap::new());
        let mut walker = Walker {
            world: &mut self,
            refutation,
            next: 0,
            chosen,
            dealt,
        };
        walker.node()?;
        let next = walker.next;
        if next == refutation.tree.len() {
            Ok(())
        } else {
            Err(Fault::Tree(next))
        }
    }

    /// No way to make `fact` but with the elements or with other facts that are beyond.
    fn out_of_reach(
        &self,
        fact: Fact,
        beyond: &BTreeSet<Fact>,
        of: &BTreeSet<Element>,
    ) -> Result<bool, Fault> {
        let holds = |fact: Fact| !beyond.contains(&fact) && self.possible(fact);
        if let Fact::Done(id) = fact {
            let action = self
                .procedure
                .actions
                .get(id.index())
                .ok_or(Fault::OutOfRange)?;
            for path in (0..).map(PathId).take(action.paths.len()) {
                if self.open(id, path, &holds, &|lapse| !of.contains(&lapse))? {
                    return Ok(false);
                }
            }
            return Ok(true);
        }
        if let Fact::Own(id) = fact {
            let kind = self.kind(id)?;
            let chosen = !self.honest
                && self.kinds.get(&kind).is_some_and(|&count| count > 0)
                && !of.contains(&Element::Holding(id));
            if self.starts(id) || (chosen && kind != HoldingKind::State) {
                return Ok(false);
            }
        }
        Ok(self
            .makers
            .get(&fact)
            .into_iter()
            .flatten()
            .all(|&(action, to)| {
                beyond.contains(&Fact::Done(action))
                    || to.is_some_and(|to| !holds(Fact::Own(to)) && !holds(Fact::New(to)))
            }))
    }

    /// False only for what nothing at all can make.
    fn possible(&self, fact: Fact) -> bool {
        !matches!(fact, Fact::New(_)) || self.makers.contains_key(&fact)
    }

    /// Held from the start without any choice.
    fn starts(&self, id: HoldingId) -> bool {
        let Some(holding) = self.procedure.holdings.get(id.index()) else {
            return false;
        };
        let named = self.start.contains(&id) && holding.kind != HoldingKind::State;
        named
            || match holding.exposure {
                Exposure::Hidden => false,
                Exposure::Public => true,
                Exposure::VisibleTo(to) => {
                    let reads = |role: RoleId| self.procedure.role_covers(role, to);
                    self.people
                        .iter()
                        .any(|(&role, &count)| count > 0 && reads(role))
                }
            }
    }

    /// Whether the path can be completed with these facts and these lapses of time.
    fn open(
        &self,
        id: ActionId,
        path: PathId,
        holds: &dyn Fn(Fact) -> bool,
        lapsed: &dyn Fn(Element) -> bool,
    ) -> Result<bool, Fault> {
        let action = self
            .procedure
            .actions
            .get(id.index())
            .ok_or(Fault::OutOfRange)?;
        let lines = &action
            .paths
            .get(path.index())
            .ok_or(Fault::OutOfRange)?
            .lines;
        let shown = |holding: HoldingId, settled: Option<Duration>| {
            let in_time = |length: Duration| {
                if self.honest {
                    lapsed(Element::Settle(holding, length.seconds()))
                } else {
                    self.unread
                }
            };
            holds(Fact::Own(holding)) || (holds(Fact::New(holding)) && settled.is_none_or(in_time))
        };
        let (mut told, mut waits) = (self.told_of_change(action), false);
        let (mut slots, mut openers) = (Vec::new(), BTreeSet::new());
        for line in lines {
            match &line.requirement {
                Requirement::Prove(expr) if !self.proved(expr, &shown) => return Ok(false),
                Requirement::Confirms { role, .. } if openers.insert(*role) => {
                    slots.push((*role, 1))
                }
                Requirement::SignOff { count, role } => slots.push((*role, *count)),
                Requirement::Notify { channels, .. } => told.extend(channels.iter().copied()),
                Requirement::Wait(_) => waits = true,
                _ => {}
            }
        }
        if self.honest {
            return Ok(!waits || lapsed(Element::Wait(id, path)));
        }
        let unstopped =
            !waits || self.unread || told.iter().all(|&channel| holds(Fact::Own(channel)));
        Ok(unstopped && self.crew(&slots, &mut Vec::new()))
    }

    /// A change tells every channel, whatever the path says.
    fn told_of_change(&self, action: &Action) -> BTreeSet<HoldingId> {
        let changes = action
            .effects
            .iter()
            .any(|e| matches!(e.kind, EffectKind::Changes(_)));
        let holdings = (0_u32..).zip(&self.procedure.holdings);
        let channels =
            holdings.filter(|(_, holding)| changes && holding.kind == HoldingKind::Channel);
        channels.map(|(at, _)| HoldingId(at)).collect()
    }

    /// Hall: deceived people fill the slots, one each, if every group of slots has as many who fit.
    fn crew(&self, rest: &[(RoleId, u32)], group: &mut Vec<(RoleId, u32)>) -> bool {
        let fits = |role: RoleId| {
            group
                .iter()
                .any(|&(to, _)| self.procedure.role_covers(role, to))
        };
        let people = self.people.iter().filter(|&(&role, _)| fits(role));
        let have: u64 = people
            .map(|(_, &n)| {
                if n == u32::MAX {
                    u64::MAX >> 32
                } else {
                    u64::from(n)
                }
            })
            .fold(0, u64::saturating_add);
        let endless = self
            .people
            .iter()
            .any(|(&role, &n)| n == u32::MAX && fits(role));
        let enough = endless || have >= group.iter().map(|&(_, count)| u64::from(count)).sum();
        let Some((&next, rest)) = rest.split_first() else {
            return enough;
        };
        group.push(next);
        let with = self.crew(rest, group);
        group.pop();
        enough && with && self.crew(rest, group)
    }

    fn proved(&self, expr: &Expr, shown: &dyn Fn(HoldingId, Option<Duration>) -> bool) -> bool {
        match expr {
            Expr::Atom { proof, settled, .. } => self
                .procedure
                .proofs
                .get(proof.index())
                .is_some_and(|p| shown(p.shows, *settled)),
            Expr::And(of) => of.iter().all(|part| self.proved(part, shown)),
            Expr::Or(of) => of.iter().any(|part| self.proved(part, shown)),
            Expr::NOf { n, of } => {
                of.iter().filter(|part| self.proved(part, shown)).count() >= *n as usize
            }
        }
    }

    fn kind(&self, id: HoldingId) -> Result<HoldingKind, Fault> {
        self.procedure
            .holdings
            .get(id.index())
            .map(|holding| holding.kind)
            .ok_or(Fault::OutOfRange)
    }

    /// Takes the element's price from what may be chosen, if it is there.
    fn spend(&mut self, element: Element) -> Result<bool, Fault> {
        let (left, price) = self.purse(element)?;
        let fits = *left >= price;
        *left -= if fits { price } else { 0 };
        Ok(fits)
    }

    fn purse(&mut self, element: Element) -> Result<(&mut u64, u64), Fault> {
        match element {
            Element::Holding(id) => {
                let kind = self.kind(id)?;
                Ok((self.kinds.entry(kind).or_default(), 1))
            }
            Element::Wait(action, path) => {
                let action = self
                    .procedure
                    .actions
                    .get(action.index())
                    .ok_or(Fault::OutOfRange)?;
                let path = action.paths.get(path.index()).ok_or(Fault::OutOfRange)?;
                let wait = path.lines.iter().filter_map(|line| match line.requirement {
                    Requirement::Wait(length) => Some(length.seconds()),
                    _ => None,
                });
                Ok((&mut self.seconds, wait.max().unwrap_or(0)))
            }
            Element::Settle(_, seconds) => Ok((&mut self.seconds, seconds)),
        }
    }
}

/// Walks the tree of a refutation.
struct Walker<'w, 'a> {
    world: &'w mut World<'a>,
    refutation: &'w Refutation,
    next: usize,
    chosen: BTreeSet<Element>,
    dealt: BTreeMap<Element, u32>,
}

impl Walker<'_, '_> {
    fn node(&mut self) -> Result<(), Fault> {
        let (here, refutation) = (self.next, self.refutation);
        let block = refutation
            .tree
            .get(here)
            .and_then(|&at| refutation.blocks.get(at as usize));
        let block: &Block = block.ok_or(Fault::Tree(here))?;
        self.next += 1;
        if block.of.iter().any(|element| self.chosen.contains(element)) {
            return Err(Fault::Tree(here));
        }
        let mut dealt = Vec::new();
        for &element in &block.of {
            let before = self.dealt.get(&element).is_some_and(|&times| times > 0);
            if before || !self.world.spend(element)? {
                continue;
            }
            self.chosen.insert(element);
            self.node()?;
            self.chosen.remove(&element);
            let (left, price) = self.world.purse(element)?;
            *left += price;
            *self.dealt.entry(element).or_default() += 1;
            dealt.push(element);
        }
        for element in dealt {
            self.dealt.entry(element).and_modify(|times| *times -= 1);
        }
        Ok(())
    }
}

fn fact_of(target: Target) -> Fact {
    match target {
        Target::Loss(loss) => Fact::Lost(loss),
        Target::Action(action) => Fact::Done(action),
    }
}
