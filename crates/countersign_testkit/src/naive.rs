//! The prover's rules a second time, as plainly as they can be said, and random small procedures.
//!
//! Every question is answered by trying every set and applying DESIGN §5 to
//! the procedure until nothing changes. It shares nothing with
//! `countersign_prover` but the procedure, and is far too slow for anything
//! but small procedures, which is the point: the two must agree.

#![expect(
    clippy::indexing_slicing,
    reason = "every index in a checked `Procedure` is in range"
)]

use std::collections::{BTreeMap, BTreeSet};

use countersign_language::{
    Action, ActionId, Assumption, BackupGrade, Claim, Comparison, Duration, Effect, EffectKind,
    Exposure, Expr, Holding, HoldingId, HoldingKind, Line, Loss, LossId, Method, Openers, Path,
    Procedure, Promise, Proof, ProofId, Requirement, Role, RoleId, Scope, SentencePart, Shared,
    Span, Subject, Target, Unit, Value, Version,
};

/// What a thief has at the start.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Start {
    /// Stolen, hijacked, taken.
    pub holdings: BTreeSet<HoldingId>,
    /// Deceived people of each role.
    pub people: BTreeMap<RoleId, u32>,
    /// Nobody reads the notices.
    pub unread: bool,
}

impl Start {
    /// How many compromises; people count each.
    pub fn size(&self) -> usize {
        self.holdings.len()
            + self
                .people
                .values()
                .map(|&count| count as usize)
                .sum::<usize>()
            + usize::from(self.unread)
    }

    /// Whether every compromise of `other` is one of these.
    pub fn contains(&self, other: &Self) -> bool {
        other.holdings.is_subset(&self.holdings)
            && other
                .people
                .iter()
                .all(|(role, count)| self.people.get(role).is_some_and(|have| have >= count))
            && (self.unread || !other.unread)
    }

    /// Names as DESIGN §5 gives them, sorted.
    pub fn names(&self, procedure: &Procedure) -> Vec<String> {
        let mut names: Vec<String> = self
            .holdings
            .iter()
            .map(|id| {
                let holding = &procedure.holdings[id.index()];
                let fate = match holding.kind {
                    HoldingKind::Secret => "stolen",
                    HoldingKind::Channel => "hijacked",
                    HoldingKind::Device => "taken",
                    HoldingKind::State => "reached",
                };
                format!("{} {fate}", holding.name)
            })
            .collect();
        for (role, &count) in &self.people {
            let name = &procedure.roles[role.index()].name;
            match count {
                0 => {}
                1 => names.push(format!("{name} deceived")),
                more => names.push(format!("{more} {name} deceived")),
            }
        }
        if self.unread {
            names.push("notices unread".to_owned());
        }
        names.sort();
        names
    }
}

/// All that follows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Facts {
    /// Own H.
    pub own: BTreeSet<HoldingId>,
    /// New H.
    pub new: BTreeSet<HoldingId>,
    /// Actions done.
    pub actions: BTreeSet<ActionId>,
    /// Losses suffered.
    pub losses: BTreeSet<LossId>,
}

impl Facts {
    /// Whether the target is reached.
    pub fn reached(&self, target: Target) -> bool {
        match target {
            Target::Loss(loss) => self.losses.contains(&loss),
            Target::Action(action) => self.actions.contains(&action),
        }
    }
}

/// Everything a thief who starts with this can bring about.
pub fn thief(procedure: &Procedure, start: &Start) -> Facts {
    follow(
        procedure,
        known(procedure, start),
        |action, path, _, facts| open_to(procedure, start, action, path, facts),
    )
}

/// What a thief holds before anything is asked of anyone: what they took, what is public, what is read out to them.
pub fn known(procedure: &Procedure, start: &Start) -> Facts {
    let mut facts = Facts {
        own: start.holdings.clone(),
        ..Facts::default()
    };
    for (index, holding) in procedure.holdings.iter().enumerate() {
        let read = match holding.exposure {
            Exposure::Hidden => false,
            Exposure::Public => true,
            Exposure::VisibleTo(to) => start
                .people
                .iter()
                .any(|(&role, &count)| count > 0 && procedure.role_covers(role, to)),
        };
        if read {
            facts.own.insert(HoldingId(id(index)));
        }
    }
    facts
}

/// Whether a thief who has come this far can go this path.
pub fn open_to(
    procedure: &Procedure,
    start: &Start,
    action: &Action,
    path: &Path,
    facts: &Facts,
) -> bool {
    let shown = |holding: HoldingId, settled: Option<Duration>| {
        facts.own.contains(&holding)
            || (facts.new.contains(&holding) && (settled.is_none() || start.unread))
    };
    proved(procedure, path, &shown) && staffed(procedure, path, &start.people) && {
        let mut told: BTreeSet<HoldingId> = BTreeSet::new();
        let mut waits = false;
        for line in &path.lines {
            match &line.requirement {
                Requirement::Notify { channels, .. } => told.extend(channels),
                Requirement::Wait(_) => waits = true,
                _ => {}
            }
        }
        if action
            .effects
            .iter()
            .any(|effect| matches!(effect.kind, EffectKind::Changes(_)))
        {
            for (index, holding) in procedure.holdings.iter().enumerate() {
                if holding.kind == HoldingKind::Channel {
                    told.insert(HoldingId(id(index)));
                }
            }
        }
        !waits || start.unread || told.is_subset(&facts.own)
    }
}

/// All minimal sets up to a size that reach any of `on`: names sorted, sets sorted.
pub fn attacks(procedure: &Procedure, on: &[Target], at_most: usize) -> Vec<Vec<String>> {
    let mut minimal: Vec<Start> = Vec::new();
    for size in 0..=at_most {
        let mut of_size = Vec::new();
        starts(procedure, size, 0, &mut Start::default(), &mut |start| {
            if !minimal.iter().any(|smaller| start.contains(smaller)) {
                let facts = thief(procedure, start);
                if on.iter().any(|&target| facts.reached(target)) {
                    of_size.push(start.clone());
                }
            }
        });
        minimal.extend(of_size);
    }
    let mut names: Vec<Vec<String>> = minimal.iter().map(|start| start.names(procedure)).collect();
    names.sort();
    names
}

/// Every start of exactly this size, from the `from`th thing that can be compromised on.
fn starts(
    procedure: &Procedure,
    size: usize,
    from: usize,
    start: &mut Start,
    each: &mut dyn FnMut(&Start),
) {
    if size == 0 {
        each(start);
        return;
    }
    let (holdings, roles) = (procedure.holdings.len(), procedure.roles.len());
    for next in from..=holdings + roles {
        if next < holdings {
            if procedure.holdings[next].kind != HoldingKind::State {
                start.holdings.insert(HoldingId(id(next)));
                starts(procedure, size - 1, next + 1, start, each);
                start.holdings.remove(&HoldingId(id(next)));
            }
        } else if next < holdings + roles {
            let role = RoleId(id(next - holdings));
            for count in 1..=size {
                start.people.insert(role, id(count));
                starts(procedure, size - count, next + 1, start, each);
            }
            start.people.remove(&role);
        } else {
            start.unread = true;
            starts(procedure, size - 1, next + 1, start, each);
            start.unread = false;
        }
    }
}

/// Whether a `never` promise is kept, and if not the size of a smallest attack within its budget.
pub fn never(procedure: &Procedure, even_if: &[Assumption], targets: &[Target]) -> Option<usize> {
    let mut named = BTreeSet::new();
    let mut people: BTreeMap<RoleId, u32> = BTreeMap::new();
    let mut kinds: BTreeMap<HoldingKind, u32> = BTreeMap::new();
    let mut unread = false;
    for assumption in even_if {
        match *assumption {
            Assumption::Holding(holding) => {
                named.insert(holding);
            }
            Assumption::Deceived { count, role } => *people.entry(role).or_default() += count,
            Assumption::AnyDeceived(role) => *people.entry(role).or_default() += 1_000,
            Assumption::AnyOfKind { count, kind } => *kinds.entry(kind).or_default() += count,
            Assumption::NoticesUnread => unread = true,
        }
    }
    let fits = |start: &Start| {
        let mut left = kinds.clone();
        start
            .people
            .iter()
            .all(|(role, &count)| people.get(role).is_some_and(|&most| count <= most))
            && (unread || !start.unread)
            && start.holdings.iter().all(|holding| {
                named.contains(holding)
                    || left
                        .get_mut(&procedure.holdings[holding.index()].kind)
                        .is_some_and(|left| {
                            let fits = *left > 0;
                            *left = left.saturating_sub(1);
                            fits
                        })
            })
    };
    // The largest starts first: if none of them reaches anything, no smaller one does.
    let kept = !grown(procedure, &named, &kinds, &people, unread)
        .iter()
        .any(|start| {
            targets
                .iter()
                .any(|&target| thief(procedure, start).reached(target))
        });
    if kept {
        return None;
    }
    for size in 0_usize.. {
        let mut found = false;
        starts(procedure, size, 0, &mut Start::default(), &mut |start| {
            found = found
                || (fits(start) && {
                    let facts = thief(procedure, start);
                    targets.iter().any(|&target| facts.reached(target))
                });
        });
        if found {
            return Some(size);
        }
    }
    None
}

/// The largest starts within a budget.
fn grown(
    procedure: &Procedure,
    named: &BTreeSet<HoldingId>,
    kinds: &BTreeMap<HoldingKind, u32>,
    people: &BTreeMap<RoleId, u32>,
    unread: bool,
) -> Vec<Start> {
    let mut all = vec![(
        Start {
            holdings: named.clone(),
            people: people.clone(),
            unread,
        },
        kinds.clone(),
    )];
    for (index, holding) in procedure.holdings.iter().enumerate() {
        let holding_id = HoldingId(id(index));
        if named.contains(&holding_id) {
            continue;
        }
        let mut more = Vec::new();
        for (start, left) in &all {
            if left.get(&holding.kind).is_some_and(|&left| left > 0) {
                let (mut start, mut left) = (start.clone(), left.clone());
                start.holdings.insert(holding_id);
                left.entry(holding.kind).and_modify(|left| *left -= 1);
                more.push((start, left));
            }
        }
        all.extend(more);
    }
    all.into_iter().map(|(start, _)| start).collect()
}

/// How many seconds the quickest way to an action takes an honest customer without these; `Some(None)` if there
/// is no way, nothing if there are too many ways to try them all.
pub fn always(
    procedure: &Procedure,
    without: &[HoldingId],
    action: ActionId,
) -> Option<Option<u64>> {
    let mut lapses: BTreeSet<(bool, u32, u64)> = BTreeSet::new();
    for (index, action) in procedure.actions.iter().enumerate() {
        for (which, path) in action.paths.iter().enumerate() {
            if wait(path) > 0 {
                lapses.insert((true, id(index), which as u64));
            }
            for line in &path.lines {
                if let Requirement::Prove(expr) = &line.requirement {
                    settles(procedure, expr, &mut lapses);
                }
            }
        }
    }
    if !customer(procedure, without, &lapses)
        .actions
        .contains(&action)
    {
        return Some(None);
    }
    let mut lapses: Vec<(u64, (bool, u32, u64))> = lapses
        .into_iter()
        .map(|lapse| {
            let (waits, index, which) = lapse;
            let path = usize::try_from(which).unwrap_or(usize::MAX);
            (
                if waits {
                    wait(&procedure.actions[index as usize].paths[path])
                } else {
                    which
                },
                lapse,
            )
        })
        .collect();
    lapses.sort_unstable();
    // Every set of lapses, the shortest in all first; each is made from the one without its last member.
    let mut queue = BTreeSet::from([(0_u64, Vec::new())]);
    for _ in 0..5_000 {
        let (time, set) = queue.pop_first()?;
        let lapsed = set.iter().map(|&index: &usize| lapses[index].1).collect();
        if customer(procedure, without, &lapsed)
            .actions
            .contains(&action)
        {
            return Some(Some(time));
        }
        let from = set.last().map_or(0, |last| last + 1);
        for (next, (more, _)) in lapses.iter().enumerate().skip(from) {
            let mut longer = set.clone();
            longer.push(next);
            queue.insert((time + more, longer));
        }
    }
    None
}

fn settles(procedure: &Procedure, expr: &Expr, lapses: &mut BTreeSet<(bool, u32, u64)>) {
    match expr {
        Expr::Atom {
            proof,
            settled: Some(duration),
            ..
        } => {
            lapses.insert((
                false,
                procedure.proofs[proof.index()].shows.0,
                duration.seconds(),
            ));
        }
        Expr::Atom { .. } => {}
        Expr::And(of) | Expr::Or(of) | Expr::NOf { of, .. } => {
            for part in of {
                settles(procedure, part, lapses);
            }
        }
    }
}

/// Everything an honest customer can bring about with these lapses of time.
fn customer(
    procedure: &Procedure,
    without: &[HoldingId],
    lapsed: &BTreeSet<(bool, u32, u64)>,
) -> Facts {
    let mut facts = Facts::default();
    for (index, holding) in procedure.holdings.iter().enumerate() {
        let holding_id = HoldingId(id(index));
        let has = holding.kind != HoldingKind::State && !without.contains(&holding_id);
        if has || holding.exposure == Exposure::Public {
            facts.own.insert(holding_id);
        }
    }
    follow(procedure, facts, |action, path, which, facts| {
        let shown = |holding: HoldingId, settled: Option<Duration>| {
            facts.own.contains(&holding)
                || (facts.new.contains(&holding)
                    && settled.is_none_or(|duration| {
                        lapsed.contains(&(false, holding.0, duration.seconds()))
                    }))
        };
        let index = procedure
            .actions
            .iter()
            .position(|other| std::ptr::eq(other, action))
            .unwrap_or(0);
        proved(procedure, path, &shown)
            && (wait(path) == 0 || lapsed.contains(&(true, id(index), which as u64)))
    })
}

fn wait(path: &Path) -> u64 {
    let mut longest = 0;
    for line in &path.lines {
        if let Requirement::Wait(duration) = line.requirement {
            longest = longest.max(duration.seconds());
        }
    }
    longest
}

/// Applies every open path until nothing changes.
fn follow(
    procedure: &Procedure,
    mut facts: Facts,
    open: impl Fn(&Action, &Path, usize, &Facts) -> bool,
) -> Facts {
    loop {
        let before = facts.clone();
        for (index, action) in procedure.actions.iter().enumerate() {
            if !action
                .paths
                .iter()
                .enumerate()
                .any(|(which, path)| open(action, path, which, &facts))
            {
                continue;
            }
            facts.actions.insert(ActionId(id(index)));
            for effect in &action.effects {
                match effect.kind {
                    EffectKind::Gives(holding) => {
                        facts.own.insert(holding);
                    }
                    EffectKind::Changes(holding) => {
                        facts.new.insert(holding);
                    }
                    EffectKind::Sends { what, to } => {
                        if facts.own.contains(&to) || facts.new.contains(&to) {
                            facts.own.insert(what);
                        }
                    }
                    EffectKind::Loses(loss) => {
                        facts.losses.insert(loss);
                    }
                }
            }
        }
        if facts == before {
            return facts;
        }
    }
}

fn proved(
    procedure: &Procedure,
    path: &Path,
    shown: &dyn Fn(HoldingId, Option<Duration>) -> bool,
) -> bool {
    path.lines.iter().all(|line| match &line.requirement {
        Requirement::Prove(expr) => holds(procedure, expr, shown),
        _ => true,
    })
}

fn holds(
    procedure: &Procedure,
    expr: &Expr,
    shown: &dyn Fn(HoldingId, Option<Duration>) -> bool,
) -> bool {
    let count = |of: &[Expr]| {
        of.iter()
            .filter(|part| holds(procedure, part, shown))
            .count()
    };
    match expr {
        Expr::Atom { proof, settled, .. } => shown(procedure.proofs[proof.index()].shows, *settled),
        Expr::And(of) => count(of) == of.len(),
        Expr::Or(of) => count(of) >= 1,
        Expr::NOf { n, of } => count(of) >= *n as usize,
    }
}

/// Whether these people fill the path's slots, each one slot: every way to place them is tried.
fn staffed(procedure: &Procedure, path: &Path, people: &BTreeMap<RoleId, u32>) -> bool {
    let mut slots: Vec<RoleId> = Vec::new();
    let mut confirming: BTreeSet<RoleId> = BTreeSet::new();
    for line in &path.lines {
        match &line.requirement {
            Requirement::Confirms { role, .. } => {
                confirming.insert(*role);
            }
            Requirement::SignOff { count, role } => slots.extend((0..*count).map(|_| *role)),
            _ => {}
        }
    }
    slots.extend(confirming);
    place(procedure, &slots, &mut people.clone())
}

fn place(procedure: &Procedure, slots: &[RoleId], people: &mut BTreeMap<RoleId, u32>) -> bool {
    let Some((&slot, rest)) = slots.split_first() else {
        return true;
    };
    let roles: Vec<RoleId> = people.keys().copied().collect();
    roles.into_iter().any(|role| {
        let count = people.get(&role).copied().unwrap_or(0);
        if count == 0 || !procedure.role_covers(role, slot) {
            return false;
        }
        people.insert(role, count - 1);
        let placed = place(procedure, rest, people);
        people.insert(role, count);
        placed
    })
}

fn id(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

/// A small random procedure, the same for the same seed: cycles, thresholds, settled proofs, waits
/// with and without notices, role inclusion, public and visible holdings, all kinds of promise.
pub fn procedure(seed: u64) -> Procedure {
    let mut dice = Dice(seed);
    let roles = roles(&mut dice);
    let holdings = holdings(&mut dice, roles.len());
    let proofs = holdings
        .iter()
        .enumerate()
        .map(|(index, holding)| Proof {
            name: format!("proof_{}", holding.name),
            label: format!("proof of {}", holding.name),
            shows: HoldingId(id(index)),
            using: Some(Method::Pin),
            implied: matches!(holding.kind, HoldingKind::Secret | HoldingKind::State),
            span: Span::default(),
        })
        .collect();
    let losses = (0..=dice.below(2))
        .map(|index| Loss {
            name: format!("loss{index}"),
            label: format!("loss {index}"),
            span: Span::default(),
        })
        .collect();
    let mut procedure = Procedure {
        organisation: format!("Random {seed}"),
        roles,
        holdings,
        proofs,
        losses,
        actions: Vec::new(),
        promises: Vec::new(),
        drills: Vec::new(),
        version: Version([0; 32]),
    };
    let actions = 2 + dice.below(5);
    for index in 0..actions {
        let action = action(&mut dice, &procedure, index);
        procedure.actions.push(action);
    }
    // At least one action must hurt, or there is nothing to ask.
    let hurts = dice.below(actions);
    let loss = LossId(id(dice.below(procedure.losses.len())));
    procedure.actions[hurts].effects.push(Effect {
        kind: EffectKind::Loses(loss),
        span: Span::default(),
    });
    for index in 0..=dice.below(4) {
        let claim = claim(&mut dice, &procedure);
        procedure.promises.push(Promise {
            text: format!("promise {index}"),
            claim,
            span: Span::default(),
        });
    }
    procedure
}

fn roles(dice: &mut Dice) -> Vec<Role> {
    let mut roles: Vec<Role> = Vec::new();
    for index in 0..=dice.below(4) {
        let mut includes = BTreeSet::new();
        for (other, role) in roles.iter().enumerate() {
            if dice.chance(40) {
                includes.insert(RoleId(id(other)));
                includes.extend(role.includes.iter().copied());
            }
        }
        roles.push(Role {
            name: format!("role{index}"),
            label: format!("role {index}"),
            includes: includes.into_iter().collect(),
            span: Span::default(),
        });
    }
    roles
}

fn holdings(dice: &mut Dice, roles: usize) -> Vec<Holding> {
    (0..3 + dice.below(5))
        .map(|index| {
            let kind = *dice.pick(&[
                HoldingKind::Secret,
                HoldingKind::Secret,
                HoldingKind::Channel,
                HoldingKind::Channel,
                HoldingKind::Device,
                HoldingKind::State,
            ]);
            let exposure = match dice.below(10) {
                0 => Exposure::Public,
                1 | 2 => Exposure::VisibleTo(RoleId(id(dice.below(roles)))),
                _ => Exposure::Hidden,
            };
            Holding {
                name: format!("h{index}"),
                label: format!("holding {index}"),
                kind,
                using: None,
                exposure,
                span: Span::default(),
            }
        })
        .collect()
}

fn action(dice: &mut Dice, procedure: &Procedure, index: usize) -> Action {
    let holding = |dice: &mut Dice| HoldingId(id(dice.below(procedure.holdings.len())));
    let channels: Vec<HoldingId> = (0..procedure.holdings.len())
        .filter(|&index| procedure.holdings[index].kind == HoldingKind::Channel)
        .map(|index| HoldingId(id(index)))
        .collect();
    let mut effects = Vec::new();
    for _ in 0..dice.below(3) {
        let kind = match dice.below(8) {
            0..=2 => EffectKind::Gives(holding(dice)),
            3 | 4 => EffectKind::Changes(holding(dice)),
            5 | 6 if !channels.is_empty() => EffectKind::Sends {
                what: holding(dice),
                to: *dice.pick(&channels),
            },
            _ => EffectKind::Loses(LossId(id(dice.below(procedure.losses.len())))),
        };
        effects.push(Effect {
            kind,
            span: Span::default(),
        });
    }
    let outside = dice.chance(15);
    let paths = (0..=dice.below(3))
        .map(|which| path(dice, procedure, &channels, which, outside))
        .collect();
    Action {
        name: format!("action{index}"),
        label: format!("Action {index}"),
        outside,
        parameters: Vec::new(),
        says: vec![SentencePart::Text(format!("Do action {index}"))],
        opened_by: Openers {
            customer: true,
            roles: Shared::default(),
        },
        effects,
        runs: None,
        expires: Duration::DEFAULT_EXPIRES,
        paths,
        span: Span::default(),
    }
}

fn path(
    dice: &mut Dice,
    procedure: &Procedure,
    channels: &[HoldingId],
    which: usize,
    outside: bool,
) -> Path {
    let mut lines = Vec::new();
    let role = |dice: &mut Dice| RoleId(id(dice.below(procedure.roles.len())));
    for _ in 0..dice.below(3) + usize::from(!outside) {
        lines.push(Requirement::Prove(expr(dice, procedure, 2)));
    }
    if dice.chance(20) {
        for text in 0..=dice.below(3) {
            lines.push(Requirement::Confirms {
                role: role(dice),
                text: format!("confirmation {text}"),
            });
        }
    }
    for _ in 0..2 {
        if dice.chance(20) {
            lines.push(Requirement::SignOff {
                count: 1 + id(dice.below(2)),
                role: role(dice),
            });
        }
    }
    if dice.chance(30) && !channels.is_empty() {
        let every = dice.chance(50);
        let named = if every {
            channels.to_vec()
        } else {
            vec![*dice.pick(channels)]
        };
        lines.push(Requirement::Notify {
            every,
            channels: named.into(),
        });
    }
    if dice.chance(35) {
        lines.push(Requirement::Wait(length(dice)));
    }
    if dice.chance(10) {
        lines.push(Requirement::Backup {
            grade: BackupGrade::Exists,
            within: length(dice),
            places: 1,
        });
        lines.push(Requirement::AtMost {
            count: 1,
            per: length(dice),
            scope: Scope::Customer,
        });
        lines.push(Requirement::When {
            subject: Subject::Attribute("age".to_owned()),
            comparison: Comparison::More,
            value: Value::Number(1_000_000),
        });
    }
    let lines = lines
        .into_iter()
        .map(|requirement| Line {
            requirement,
            span: Span::default(),
        })
        .collect();
    Path {
        name: format!("path{which}"),
        lines,
        span: Span::default(),
    }
}

fn expr(dice: &mut Dice, procedure: &Procedure, depth: usize) -> Expr {
    let parts = |dice: &mut Dice, least: usize| -> Vec<Expr> {
        (0..least + dice.below(2))
            .map(|_| expr(dice, procedure, depth - 1))
            .collect()
    };
    match dice.below(if depth == 0 { 1 } else { 6 }) {
        3 => Expr::And(parts(dice, 2)),
        4 => Expr::Or(parts(dice, 2)),
        5 => {
            let of = parts(dice, 2);
            Expr::NOf {
                n: 1 + id(dice.below(of.len())),
                of,
            }
        }
        _ => Expr::Atom {
            proof: ProofId(id(dice.below(procedure.proofs.len()))),
            settled: dice.chance(25).then(|| length(dice)),
            span: Span::default(),
        },
    }
}

fn length(dice: &mut Dice) -> Duration {
    Duration {
        count: 1 + id(dice.below(3)),
        unit: *dice.pick(&[Unit::Hour, Unit::Day]),
    }
}

fn claim(dice: &mut Dice, procedure: &Procedure) -> Claim {
    let holding = |dice: &mut Dice| HoldingId(id(dice.below(procedure.holdings.len())));
    let action = |dice: &mut Dice| ActionId(id(dice.below(procedure.actions.len())));
    if dice.chance(35) {
        let without = (0..dice.below(4)).map(|_| holding(dice)).collect();
        let within = dice.chance(70).then(|| length(dice));
        return Claim::Always {
            without,
            action: action(dice),
            within,
        };
    }
    let mut even_if = Vec::new();
    for _ in 0..dice.below(5) {
        let role = RoleId(id(dice.below(procedure.roles.len())));
        even_if.push(match dice.below(10) {
            0..=4 => Assumption::AnyOfKind {
                count: 1 + id(dice.below(4) / 3),
                kind: *dice.pick(&[
                    HoldingKind::Secret,
                    HoldingKind::Channel,
                    HoldingKind::Device,
                ]),
            },
            5 | 6 => {
                let id = holding(dice);
                if procedure.holdings[id.index()].kind == HoldingKind::State {
                    Assumption::NoticesUnread
                } else {
                    Assumption::Holding(id)
                }
            }
            7 => Assumption::Deceived {
                count: 1 + id(dice.below(2)),
                role,
            },
            8 => Assumption::AnyDeceived(role),
            _ => Assumption::NoticesUnread,
        });
    }
    let target = |dice: &mut Dice| {
        if dice.chance(70) {
            Target::Loss(LossId(id(dice.below(procedure.losses.len()))))
        } else {
            Target::Action(action(dice))
        }
    };
    Claim::Never {
        even_if,
        targets: (0..=dice.below(2)).map(|_| target(dice)).collect(),
    }
}

/// Splitmix64: good enough to throw dice, the same everywhere.
#[derive(Debug, Clone)]
pub struct Dice(pub u64);

impl Dice {
    /// The next 64 bits.
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        bits ^ (bits >> 31)
    }

    /// A number below `n`, which is not zero.
    pub fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.roll() % n.max(1) as u64).unwrap_or(0)
    }

    /// True in so many of a hundred cases.
    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// One of these, which are not none.
    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        let index = self.below(of.len());
        &of[index]
    }
}
