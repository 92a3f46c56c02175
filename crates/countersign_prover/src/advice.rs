//! Advice about a valid procedure that takes more than reading it: what follows
//! from what, in any number of steps.
//!
//! Each piece of advice is a handful of closures, so all of it together stays
//! within [`FACTS_MAX`] derived facts. What each lint decides, and what it does
//! not see, is on its page in `docs/diagnostics/`; `docs/language/9-advice.md`
//! lists them.

#![expect(
    clippy::indexing_slicing,
    reason = "every index in a checked `Procedure` and its `System` is in range"
)]

use std::collections::{BTreeMap, BTreeSet};

use countersign_language::{
    Action, ActionId, Diagnostic, Effect, EffectKind, Expr, HoldingId, HoldingKind, LossId, Path,
    PathId, Procedure, Requirement, RoleId, Span, Target, by_place, codes,
};

use crate::{
    Compromise, System, What,
    compromise::target_name,
    graph::{FALSE, Focused, Marks, Node, focus, number},
    narrate::{self, Attack},
    search::{self, Budget, Outcome},
    system::{Choice, slots},
};

mod evidence;
mod rules;

use evidence::Evidence;
pub use rules::{RULE_SETS, RuleSet, judge};

/// So many facts are derived at most, over all questions; about 100 ms.
const FACTS_MAX: usize = 2_000_000;
/// More findings than this of one procedure are not kept: nobody reads the rest.
const FINDINGS_MAX: usize = 1_000;
/// Actions whose recovery is looked at beyond single thefts; each is a search of its own.
const SEARCHES_MAX: usize = 12;
/// Systems with more nodes, some thousands of actions, are not searched at all.
const SEARCHED_MAX: usize = 30_000;
/// Nodes of the tree of such a search.
const SEARCH_STEPS: u64 = 200;

/// Looks at a procedure as somebody would who has seen many go wrong: warnings, by place.
///
/// Bounded in time and number; if a bound is met, the last finding is
/// `too-many-findings` and says so.
pub fn advice(procedure: &Procedure) -> Vec<Diagnostic> {
    let system = System::compile(procedure);
    let mut adviser = Adviser {
        procedure,
        marks: Marks::new(&system.graph),
        system: &system,
        yields: yields(procedure),
        facts: 0,
        cut: false,
        weak: BTreeSet::new(),
        found: BTreeMap::new(),
    };
    adviser.one_person();
    adviser.reset_by_itself();
    adviser.single_thefts();
    adviser.larger_recoveries();
    adviser.finish()
}

struct Adviser<'p> {
    procedure: &'p Procedure,
    system: &'p System,
    marks: Marks,
    /// The actions that yield each holding, with where they say so, in file order.
    yields: BTreeMap<HoldingId, Vec<(ActionId, Effect)>>,
    facts: usize,
    cut: bool,
    /// Paths already called a weak recovery.
    weak: BTreeSet<Place>,
    /// By place, code and message, so that one thing is said once.
    found: BTreeMap<(Span, &'static str, String), Diagnostic>,
}

/// A path's place in the procedure.
type Place = (ActionId, PathId);

impl Adviser<'_> {
    fn finish(self) -> Vec<Diagnostic> {
        let mut all: Vec<Diagnostic> = self.found.into_values().collect();
        let kept = all.len().min(FINDINGS_MAX);
        let dropped = all.len() - kept;
        all.truncate(kept);
        by_place(&mut all);
        if dropped > 0 || self.cut {
            let place = all.last().map_or_else(Span::default, Diagnostic::place);
            let message = if dropped > 0 {
                format!("{dropped} more pieces of advice are not shown")
            } else {
                "the procedure is too large to ask everything: there may be more to advise"
                    .to_owned()
            };
            let mut last = Diagnostic::new(codes::TOO_MANY_FINDINGS, place, message);
            last.help("mend the first ones: many of the others may follow from them");
            all.push(last);
        }
        all
    }

    fn add(&mut self, finding: Diagnostic) {
        let key = (finding.place(), finding.code, finding.message.clone());
        self.found.entry(key).or_insert(finding);
    }

    /// Follows everything from these; false if no more is to be asked.
    fn ask(&mut self, seeds: &[Node]) -> bool {
        if self.facts > FACTS_MAX {
            self.cut = true;
            return false;
        }
        let seeds = seeds.iter().copied().filter(|&node| node != FALSE);
        self.facts += 16 + self.marks.close(&self.system.graph, seeds).len();
        true
    }

    /// Holds because of what was asked, not anyway.
    fn follows(&self, node: Node) -> bool {
        node != FALSE && self.marks.holds(node) && !self.marks.always(node)
    }

    fn holds(&self, node: Node) -> bool {
        node != FALSE && self.marks.holds(node)
    }

    /// A loss that nothing, or one deceived person alone, brings about.
    fn one_person(&mut self) {
        let losses: Vec<LossId> = (0..number(self.procedure.losses.len()))
            .map(LossId)
            .collect();
        let free: Vec<LossId> = losses
            .iter()
            .copied()
            .filter(|loss| {
                let node = self.system.losses[loss.index()];
                node != FALSE && self.marks.always(node)
            })
            .collect();
        for &loss in &free {
            self.enough(loss, None);
        }
        let mut by: BTreeMap<LossId, Vec<RoleId>> = BTreeMap::new();
        for role in (0..number(self.procedure.roles.len())).map(RoleId) {
            let Some(node) = self.system.choice(Choice::Person(role, 1)) else {
                continue;
            };
            if !self.ask(&[node]) {
                return;
            }
            for &loss in &losses {
                if self.follows(self.system.losses[loss.index()]) {
                    by.entry(loss).or_default().push(role);
                }
            }
        }
        for (loss, roles) in by {
            for &role in &roles {
                // A role that includes another one that is enough says nothing new.
                let lower = roles
                    .iter()
                    .any(|&other| other != role && self.procedure.role_covers(role, other));
                if !lower {
                    self.enough(loss, Some(role));
                }
            }
        }
    }

    fn enough(&mut self, loss: LossId, role: Option<RoleId>) {
        let set: Vec<Compromise> = role
            .map(|role| Compromise::Deceived { role, count: 1 })
            .into_iter()
            .collect();
        let target = Target::Loss(loss);
        let Some(attack) = narrate::attack(self.procedure, self.system, &set, &[target]) else {
            return;
        };
        let steps = self.acts(&attack);
        let Some((&last, before)) = steps.split_last() else {
            return;
        };
        let lost = &self.procedure.losses[loss.index()];
        let message = match role {
            None => format!(
                "nobody has to be robbed or fooled for the loss of `{}`",
                lost.name
            ),
            Some(role) => format!(
                "one deceived {} is enough for the loss of `{}`",
                self.procedure.roles[role.index()].label,
                lost.name
            ),
        };
        let mut finding = Diagnostic::new(codes::ONE_PERSON_ENOUGH, self.path(last).span, message);
        for &step in before {
            finding.also(self.path(step).span, "after this");
        }
        finding.help(match role {
            None => "ask for a proof that only the customer can make",
            Some(_) => {
                "ask for a proof by the customer besides, or for the `sign-off` of a second person"
            }
        });
        self.add(finding);
    }

    /// The paths inside the gate that an attack takes, in order; all of them if none is inside.
    fn acts(&self, attack: &Attack) -> Vec<Place> {
        let all: Vec<Place> = attack
            .steps
            .iter()
            .filter_map(|step| match step.what {
                What::Act { action, path, .. } => Some((action, path)),
                _ => None,
            })
            .collect();
        let inside: Vec<Place> = all
            .iter()
            .copied()
            .filter(|(action, _)| !self.procedure.actions[action.index()].outside)
            .collect();
        if inside.is_empty() { all } else { inside }
    }

    fn path(&self, (action, path): Place) -> &Path {
        &self.procedure.actions[action.index()].paths[path.index()]
    }

    /// What guards a thing falls to whoever has the thing.
    fn reset_by_itself(&mut self) {
        // Which holdings are needed, where, to get each thing; and whether it is got or replaced.
        let mut guards: BTreeMap<(HoldingId, bool), BTreeMap<HoldingId, Span>> = BTreeMap::new();
        for action in inside(self.procedure) {
            let things: Vec<(HoldingId, bool)> = action
                .effects
                .iter()
                .filter_map(|effect| match effect.kind {
                    EffectKind::Gives(thing) => Some((thing, false)),
                    EffectKind::Sends { what, .. } => Some((what, false)),
                    EffectKind::Changes(thing) => Some((thing, true)),
                    EffectKind::Loses(_) => None,
                })
                .collect();
            if things.is_empty() {
                continue;
            }
            for path in &action.paths {
                let needed = needed(self.procedure, path);
                for thing in &things {
                    let guards = guards.entry(*thing).or_default();
                    for (&guard, &place) in &needed {
                        if guard != thing.0 {
                            guards.entry(guard).or_insert(place);
                        }
                    }
                }
            }
        }
        for ((thing, replaced), guards) in guards {
            let seed = if replaced {
                self.system.new[thing.index()]
            } else {
                self.system.own[thing.index()]
            };
            if !self.ask(&[seed]) {
                return;
            }
            for (guard, place) in guards {
                let got = self.follows(self.system.own[guard.index()])
                    || self.follows(self.system.new[guard.index()]);
                if let Some((action, by)) = got.then(|| self.yielding(guard)).flatten() {
                    let guard = &self.procedure.holdings[guard.index()];
                    let thing = &self.procedure.holdings[thing.index()];
                    let mut finding = Diagnostic::new(
                        codes::RESET_BY_ITSELF,
                        by,
                        format!(
                            "whoever has `{}` gets a new `{}`, which is to guard it",
                            thing.name, guard.name
                        ),
                    );
                    finding
                        .also(place, format!("`{}` guards `{}` here", guard.name, thing.name))
                        .help(format!(
                            "let `{}` ask for something that `{}` does not lead to, or notify every channel and wait",
                            action, thing.name
                        ));
                    self.add(finding);
                }
            }
        }
    }

    /// The first action inside the gate that was done and yields this, and where it says so.
    fn yielding(&self, wanted: HoldingId) -> Option<(String, Span)> {
        let mut yields = self.yields.get(&wanted)?.iter();
        yields.find_map(|(id, effect)| {
            let action = &self.procedure.actions[id.index()];
            if action.outside || !self.follows(self.system.actions[id.index()]) {
                return None;
            }
            let arrives = match effect.kind {
                EffectKind::Sends { to, .. } => {
                    self.holds(self.system.own[to.index()])
                        || self.holds(self.system.new[to.index()])
                }
                _ => true,
            };
            arrives.then(|| (action.name.clone(), effect.span))
        })
    }

    /// What follows from each single theft: the other proof of a path, or a whole login.
    fn single_thefts(&mut self) {
        let procedure = self.procedure;
        let mut shown: BTreeMap<HoldingId, BTreeSet<Place>> = BTreeMap::new();
        for (index, action) in procedure.actions.iter().enumerate() {
            for (which, path) in action.paths.iter().enumerate() {
                let mut atoms = Vec::new();
                proofs(path).for_each(|(expr, _)| holdings_in(procedure, expr, &mut atoms));
                for (holding, _) in atoms {
                    let place = (ActionId(number(index)), PathId(number(which)));
                    if !action.outside {
                        shown.entry(holding).or_default().insert(place);
                    }
                }
            }
        }
        let logins = logins(procedure);
        let login_of: BTreeMap<Node, ActionId> = logins
            .keys()
            .map(|&login| (self.system.actions[login.index()], login))
            .collect();
        let mut weaker: BTreeMap<ActionId, HoldingId> = BTreeMap::new();
        for holding in (0..number(procedure.holdings.len())).map(HoldingId) {
            if self.system.choice(Choice::Holding(holding)).is_none() {
                continue;
            }
            if !self.ask(&[self.system.own[holding.index()]]) {
                break;
            }
            for &place in shown.get(&holding).into_iter().flatten() {
                self.leads(place, holding);
            }
            // Only what was derived is looked at, not every login there is.
            for &login in self
                .marks
                .order()
                .iter()
                .filter_map(|node| login_of.get(node))
            {
                if logins[&login].0 > 1 {
                    weaker.entry(login).or_insert(holding);
                }
            }
        }
        for (login, theft) in weaker {
            self.weaker(login, logins[&login], &[Compromise::Holding(theft)]);
        }
    }

    /// Reports the parts of a path that follow from the proof of another part.
    fn leads(&mut self, place: Place, holding: HoldingId) {
        let parts: Vec<&Expr> = proofs(self.path(place)).map(|(expr, _)| expr).collect();
        let mut found = Vec::new();
        self.leads_within(&parts, holding, &mut found);
        let thing = &self.procedure.holdings[holding.index()];
        for (from, to, got) in found {
            let other = &self.procedure.holdings[got.index()];
            let mut finding = Diagnostic::new(
                codes::PROOF_LEADS_TO_PROOF,
                to,
                format!(
                    "whoever has the {} also gets the {}",
                    thing.label, other.label
                ),
            );
            finding.also(from, "so this proof alone is enough");
            if let Some((by, way)) = self.way_to(got) {
                finding.also(way, format!("by `{by}`"));
            }
            finding.help("ask for a proof that the other one does not lead to");
            self.add(finding);
        }
    }

    fn leads_within(
        &self,
        parts: &[&Expr],
        holding: HoldingId,
        found: &mut Vec<(Span, Span, HoldingId)>,
    ) {
        let mut flat: Vec<&Expr> = Vec::new();
        for part in parts {
            match part {
                Expr::And(of) => flat.extend(of),
                one => flat.push(one),
            }
        }
        for (position, part) in flat.iter().enumerate() {
            let mut atoms = Vec::new();
            holdings_in(self.procedure, part, &mut atoms);
            let Some(&(_, from)) = atoms.iter().find(|(shown, _)| *shown == holding) else {
                continue;
            };
            let others = flat.iter().enumerate();
            for (_, to) in others.filter(|(other, _)| *other != position) {
                let mut atoms = Vec::new();
                holdings_in(self.procedure, to, &mut atoms);
                // One holding shown twice is found by reading; what is public, too.
                if atoms.iter().any(|(shown, _)| *shown == holding) || !self.met(to) {
                    continue;
                }
                let got = atoms.iter().find(|(shown, _)| {
                    // A state is no second proof, and is not taken for one.
                    self.procedure.holdings[shown.index()].kind != HoldingKind::State
                        && (self.follows(self.system.own[shown.index()])
                            || self.follows(self.system.new[shown.index()]))
                });
                if let Some(&(got, place)) = got {
                    found.push((from, place, got));
                }
            }
        }
        for part in flat {
            match part {
                Expr::NOf { n, of } if *n > 1 => {
                    self.leads_within(&of.iter().collect::<Vec<_>>(), holding, found);
                }
                // No `and` is left here: all of them were laid flat.
                Expr::And(of) | Expr::Or(of) | Expr::NOf { of, .. } => {
                    for one in of {
                        self.leads_within(&[one], holding, found);
                    }
                }
                Expr::Atom { .. } => {}
            }
        }
    }

    /// Whether the last answer makes these proofs.
    fn met(&self, expr: &Expr) -> bool {
        match expr {
            Expr::Atom { proof, settled, .. } => self
                .system
                .atom(
                    self.procedure,
                    *proof,
                    settled.map(countersign_language::Duration::seconds),
                )
                .into_iter()
                .any(|node| self.holds(node)),
            Expr::And(of) => of.iter().all(|part| self.met(part)),
            Expr::Or(of) => of.iter().any(|part| self.met(part)),
            Expr::NOf { n, of } => of.iter().filter(|part| self.met(part)).count() >= *n as usize,
        }
    }

    /// The first action that was done and yields this, inside or outside.
    fn way_to(&self, wanted: HoldingId) -> Option<(&str, Span)> {
        let mut yields = self.yields.get(&wanted)?.iter();
        let (id, effect) = yields.find(|(id, _)| self.follows(self.system.actions[id.index()]))?;
        Some((&self.procedure.actions[id.index()].name, effect.span))
    }

    /// Logins that ask for three things or more: is there an attack with fewer compromises?
    fn larger_recoveries(&mut self) {
        let choices: Vec<(Node, u32)> = (0..)
            .zip(&self.system.choices)
            .map(|(index, &(_, node))| (node, index))
            .collect();
        let large: Vec<(ActionId, (usize, PathId))> = logins(self.procedure)
            .into_iter()
            .filter(|(_, (needs, _))| *needs > 2)
            .collect();
        if large.len() > SEARCHES_MAX {
            self.cut = true;
        }
        if self.system.graph.nodes() > SEARCHED_MAX {
            self.cut |= !large.is_empty();
            return;
        }
        for (login, needs) in large.into_iter().take(SEARCHES_MAX) {
            let target = self.system.actions[login.index()];
            let Focused::Open(focus) = focus(&self.system.graph, &[target], &[], &choices) else {
                continue;
            };
            let fewer = u64::try_from(needs.0 - 1).unwrap_or(u64::MAX);
            let budget = Budget {
                class: vec![0; focus.choices.len()],
                limit: vec![fewer],
                price: vec![1; focus.choices.len()],
            };
            match search::within(&focus, &budget, SEARCH_STEPS) {
                Outcome::Attack(set) => {
                    let set = narrate::set_of(
                        self.system,
                        set.iter().map(|&choice| focus.choices[choice as usize].1),
                    );
                    self.weaker(login, needs, &set);
                }
                Outcome::Refuted(_) => {}
                Outcome::GaveUp => self.cut = true,
            }
        }
    }

    fn weaker(&mut self, login: ActionId, (needs, ordinary): (usize, PathId), set: &[Compromise]) {
        let target = Target::Action(login);
        let Some(attack) = narrate::attack(self.procedure, self.system, set, &[target]) else {
            return;
        };
        let steps = self.acts(&attack);
        // The weak place is the first step that is not the ordinary way itself.
        let Some(&weak) = steps
            .iter()
            .find(|step| **step != (login, ordinary))
            .or(steps.first())
        else {
            return;
        };
        let count: usize = set.iter().map(|compromise| compromise.size()).sum();
        let message = format!(
            "`{}` asks for {needs} things, and by this path {count} {} enough: {}",
            target_name(self.procedure, target),
            if count == 1 { "is" } else { "are" },
            attack.set.join(" + ")
        );
        if !self.weak.insert(weak) {
            return;
        }
        let mut finding = Diagnostic::new(codes::RECOVERY_WEAKER, self.path(weak).span, message);
        finding.also(
            self.path((login, ordinary)).span,
            format!("asks for {needs}"),
        );
        finding.help("let whoever recovers prove as much as whoever logs in, in another way: a second proof, a second person, or a notice to every channel and a wait");
        self.add(finding);
    }
}

fn yields(procedure: &Procedure) -> BTreeMap<HoldingId, Vec<(ActionId, Effect)>> {
    let mut yields: BTreeMap<HoldingId, Vec<(ActionId, Effect)>> = BTreeMap::new();
    for (index, action) in procedure.actions.iter().enumerate() {
        for effect in &action.effects {
            let (EffectKind::Gives(what)
            | EffectKind::Changes(what)
            | EffectKind::Sends { what, .. }) = effect.kind
            else {
                continue;
            };
            yields
                .entry(what)
                .or_default()
                .push((ActionId(number(index)), effect.clone()));
        }
    }
    yields
}

/// The actions of the gate itself.
fn inside(procedure: &Procedure) -> impl Iterator<Item = &Action> {
    procedure.actions.iter().filter(|action| !action.outside)
}

/// The `prove` lines of a path.
fn proofs(path: &Path) -> impl Iterator<Item = (&Expr, Span)> {
    path.lines
        .iter()
        .filter_map(|line| match &line.requirement {
            Requirement::Prove(expr) => Some((expr, line.span)),
            _ => None,
        })
}

/// Every holding that is shown, with where.
fn holdings_in(procedure: &Procedure, expr: &Expr, found: &mut Vec<(HoldingId, Span)>) {
    match expr {
        Expr::Atom { proof, span, .. } => {
            found.push((procedure.proofs[proof.index()].shows, *span));
        }
        Expr::And(of) | Expr::Or(of) | Expr::NOf { of, .. } => {
            for part in of {
                holdings_in(procedure, part, found);
            }
        }
    }
}

/// The holdings without which a path cannot be proved, with where each is asked for.
fn needed(procedure: &Procedure, path: &Path) -> BTreeMap<HoldingId, Span> {
    let mut atoms = Vec::new();
    proofs(path).for_each(|(expr, _)| holdings_in(procedure, expr, &mut atoms));
    let mut needed = BTreeMap::new();
    for (holding, place) in atoms {
        let without = proofs(path).all(|(expr, _)| shown_without(procedure, expr, holding));
        if !without && procedure.holdings[holding.index()].kind != HoldingKind::State {
            needed.entry(holding).or_insert(place);
        }
    }
    needed
}

fn shown_without(procedure: &Procedure, expr: &Expr, missing: HoldingId) -> bool {
    match expr {
        Expr::Atom { proof, .. } => procedure.proofs[proof.index()].shows != missing,
        Expr::And(of) => of
            .iter()
            .all(|part| shown_without(procedure, part, missing)),
        Expr::Or(of) => of
            .iter()
            .any(|part| shown_without(procedure, part, missing)),
        Expr::NOf { n, of } => {
            of.iter()
                .filter(|part| shown_without(procedure, part, missing))
                .count()
                >= *n as usize
        }
    }
}

/// Actions that give a state or lose something and have an ordinary path, one of
/// proofs alone: how many different things the easiest such path asks for, and which it is.
fn logins(procedure: &Procedure) -> BTreeMap<ActionId, (usize, PathId)> {
    let mut logins = BTreeMap::new();
    let mut evidence = Evidence::new(procedure);
    for (index, action) in procedure.actions.iter().enumerate() {
        let matters = action.effects.iter().any(|effect| match effect.kind {
            EffectKind::Gives(holding) => {
                procedure.holdings[holding.index()].kind == HoldingKind::State
            }
            EffectKind::Loses(_) => true,
            EffectKind::Changes(_) | EffectKind::Sends { .. } => false,
        });
        if action.outside || !matters {
            continue;
        }
        let easiest = action
            .paths
            .iter()
            .enumerate()
            .filter(|(_, path)| {
                let waits = |line: &countersign_language::Line| {
                    matches!(line.requirement, Requirement::Wait(_))
                };
                slots(path).is_empty() && !path.lines.iter().any(waits)
            })
            .filter_map(|(which, path)| {
                let least = evidence.least(path)?;
                Some((least, PathId(number(which))))
            })
            .min();
        if let Some(easiest) = easiest {
            logins.insert(ActionId(number(index)), easiest);
        }
    }
    logins
}
