//! Are the promises kept?

#![expect(
    clippy::indexing_slicing,
    reason = "every index in a checked `Procedure` and its `System` is in range"
)]

use std::collections::{BTreeMap, BTreeSet};

use countersign_language::{
    ActionId, Assumption, Claim, Duration, EffectKind, Exposure, HoldingId, HoldingKind, Procedure,
    Promise, Requirement, RoleId, Span, Subject, Target,
};

use crate::{
    certificate::{Block, Certificate, Element, Fact, Refutation},
    compromise::{Compromise, choices},
    graph::{Focus, Focused, Marks, Node, focus, number},
    narrate::{self, Attack, Step, length, way_steps, words},
    search::{self, Budget, Outcome},
    system::{Choice, PEOPLE_MAX, System, slots, told, waits},
};

/// Whether one promise is kept, and the proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Number of the promise, from 0, in file order.
    pub promise: usize,
    /// The claim in words.
    pub text: String,
    /// Where it is declared.
    pub span: Span,
    /// Proved. False also where the search stopped at its limit: then the certificate is `Undecided`.
    pub kept: bool,
    /// For a broken `never`: the cheapest attack within its budget.
    pub attack: Option<Attack>,
    /// For a kept `always`: the quickest way.
    pub way: Option<Way>,
    /// For a broken `always`: what is missing.
    pub missing: Vec<Missing>,
    /// What the verdict takes for granted, in words.
    pub assumes: Vec<String>,
    /// What anyone can check it by.
    pub certificate: Certificate,
}

/// How an honest customer gets there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// In order.
    pub steps: Vec<Step>,
    /// The waits added up.
    pub seconds: u64,
    /// No way is quicker.
    pub quickest: bool,
}

/// One thing that keeps an honest customer out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// In the procedure's own words.
    pub text: String,
    /// The path it stands in, or the action.
    pub span: Span,
}

/// Nodes of the search tree after which a promise counts as undecided.
pub(crate) const STEPS: u64 = 2_000_000;

/// Decides every promise, in file order.
pub fn check(procedure: &Procedure) -> Vec<Verdict> {
    let mut thief = None;
    let mut honest = None;
    procedure
        .promises
        .iter()
        .enumerate()
        .map(|(index, promise)| match &promise.claim {
            Claim::Never { even_if, targets } => {
                let system = thief.get_or_insert_with(|| System::compile(procedure));
                never(procedure, system, index, promise, even_if, targets)
            }
            Claim::Always {
                without,
                action,
                within,
            } => {
                let system = honest.get_or_insert_with(|| System::compile_honest(procedure));
                always(procedure, system, index, promise, without, *action, *within)
            }
        })
        .collect()
}

/// What a `never` promise grants: for certain, and by kind.
struct Grant {
    certain: BTreeSet<Choice>,
    kinds: BTreeMap<HoldingKind, u64>,
    people: BTreeMap<RoleId, u32>,
}

impl Grant {
    fn of(system: &System, even_if: &[Assumption]) -> Self {
        let mut grant = Self {
            certain: BTreeSet::new(),
            kinds: BTreeMap::new(),
            people: BTreeMap::new(),
        };
        for assumption in even_if {
            match *assumption {
                Assumption::Holding(holding) => {
                    grant.certain.insert(Choice::Holding(holding));
                }
                Assumption::AnyOfKind { count, kind } => {
                    *grant.kinds.entry(kind).or_default() += u64::from(count);
                }
                Assumption::Deceived { count, role } => {
                    let people = grant.people.entry(role).or_default();
                    *people = people.saturating_add(count);
                }
                Assumption::AnyDeceived(role) => {
                    grant.people.insert(role, u32::MAX);
                }
                Assumption::NoticesUnread => {
                    grant.certain.insert(Choice::NoticesUnread);
                }
            }
        }
        grant.people.retain(|_, count| *count > 0);
        for (&role, &count) in &grant.people {
            grant
                .certain
                .extend(choices(&[Compromise::Deceived { role, count }]));
        }
        grant
            .certain
            .retain(|&choice| system.choice(choice).is_some());
        grant
    }

    /// What of the system's choices is granted for certain, and what may be chosen: numbers in `System::choices`.
    fn split(&self, procedure: &Procedure, system: &System) -> (Vec<u32>, Vec<u32>) {
        let (mut certain, mut open) = (Vec::new(), Vec::new());
        for (index, &(choice, _)) in system.choices.iter().enumerate() {
            if self.certain.contains(&choice) {
                certain.push(number(index));
            } else if let Choice::Holding(id) = choice
                && self
                    .kinds
                    .get(&procedure.holdings[id.index()].kind)
                    .is_some_and(|&count| count > 0)
            {
                open.push(number(index));
            }
        }
        (certain, open)
    }

    /// Prices and limits for these choices; class 0 is what is granted for certain.
    fn budget(&self, procedure: &Procedure, system: &System, choices: &[(Node, u32)]) -> Budget {
        let kinds = [
            HoldingKind::Secret,
            HoldingKind::Channel,
            HoldingKind::Device,
        ];
        let class = choices
            .iter()
            .map(|&(_, index)| match system.choices[index as usize].0 {
                choice if self.certain.contains(&choice) => 0,
                Choice::Holding(id) => match procedure.holdings[id.index()].kind {
                    HoldingKind::Secret => 1,
                    HoldingKind::Channel => 2,
                    HoldingKind::Device | HoldingKind::State => 3,
                },
                _ => 0,
            })
            .collect();
        let mut limit = vec![u64::MAX];
        limit.extend(
            kinds
                .iter()
                .map(|kind| self.kinds.get(kind).copied().unwrap_or(0)),
        );
        Budget {
            class,
            limit,
            price: vec![1; choices.len()],
            total: u64::MAX,
        }
    }
}

fn never(
    procedure: &Procedure,
    shared: &System,
    promise_index: usize,
    promise: &Promise,
    even_if: &[Assumption],
    targets: &[Target],
) -> Verdict {
    let mut verdict = blank(promise_index, promise);
    verdict.assumes = assumes_never(procedure, even_if);
    let mut grant = Grant::of(shared, even_if);
    // More people than the shared system counts, on either side: one compiled for exactly these people.
    let own_system = (needed_people(procedure) > PEOPLE_MAX || shared.left_out.is_some())
        .then(|| System::compile_with_people(procedure, &grant.people));
    let system = own_system.as_ref().unwrap_or(shared);
    if own_system.is_some() {
        grant
            .certain
            .retain(|&choice| system.choice(choice).is_some());
    }
    let nodes: Vec<Node> = targets
        .iter()
        .map(|&target| system.target(target))
        .collect();
    let (certain, open) = grant.split(procedure, system);
    let node_of = |index: u32| (system.choices[index as usize].1, index);
    let granted: Vec<Node> = certain.iter().map(|&index| node_of(index).0).collect();
    let choices: Vec<(Node, u32)> = open.iter().map(|&index| node_of(index)).collect();
    let found: Option<Vec<u32>> = match focus(&system.graph, &nodes, &granted, &choices) {
        Focused::Holds => Some(Vec::new()),
        Focused::Beyond => {
            let blocks = vec![Vec::new()];
            let certificate = refutation(
                procedure,
                system,
                targets,
                &granted,
                &choices,
                &blocks,
                &[0],
                false,
            );
            verdict.kept = true;
            verdict.certificate = Certificate::Refuted(certificate);
            None
        }
        Focused::Open(focus) => {
            let budget = grant.budget(procedure, system, &focus.choices);
            match search::within(&focus, &budget, STEPS) {
                Outcome::Attack(set) => Some(named(&focus, &set)),
                Outcome::Refuted(refuted) => {
                    let blocks: Vec<Vec<u32>> = refuted
                        .blocks
                        .iter()
                        .map(|block| named(&focus, block))
                        .collect();
                    let tree = &refuted.tree;
                    let certificate = refutation(
                        procedure, system, targets, &granted, &choices, &blocks, tree, false,
                    );
                    verdict.kept = true;
                    verdict.certificate = Certificate::Refuted(certificate);
                    None
                }
                Outcome::GaveUp => {
                    verdict.missing.push(undecided(promise));
                    None
                }
            }
        }
    };
    if let Some(found) = found {
        // Broken: of all attacks within the budget, what is granted for certain included, the cheapest.
        let all: Vec<(Node, u32)> = certain
            .iter()
            .chain(&open)
            .map(|&index| node_of(index))
            .collect();
        let set = match focus(&system.graph, &nodes, &[], &all) {
            Focused::Holds | Focused::Beyond => Vec::new(),
            Focused::Open(focus) => {
                let budget = grant.budget(procedure, system, &focus.choices);
                search::cheapest(&focus, &budget, STEPS / 10).map_or_else(
                    || certain.iter().chain(&found).copied().collect(),
                    |(set, _)| named(&focus, &set),
                )
            }
        };
        let mut set = narrate::set_of(system, set);
        if own_system.is_some() {
            let most = needed_people(procedure);
            set.extend(
                grant
                    .people
                    .iter()
                    .map(|(&role, &count)| Compromise::Deceived {
                        role,
                        count: count.min(most),
                    }),
            );
            set.sort_unstable();
        }
        verdict.attack = narrate::attack(procedure, system, &set, targets);
        verdict.certificate = verdict
            .attack
            .as_ref()
            .map_or(Certificate::Undecided, |attack| Certificate::Attack {
                set: attack.compromises.clone(),
                steps: way_steps(&attack.steps),
                target: attack.target,
            });
    }
    verdict
}

fn always(
    procedure: &Procedure,
    system: &System,
    promise_index: usize,
    promise: &Promise,
    without: &[HoldingId],
    action: ActionId,
    within: Option<Duration>,
) -> Verdict {
    let mut verdict = blank(promise_index, promise);
    verdict.assumes = assumes_always(procedure);
    let target = Target::Action(action);
    let starting = starting(procedure, system, without);
    let lapses = lapses(system);
    let limit = within.map_or(u64::MAX, Duration::seconds);
    let refuted = |verdict: &mut Verdict, blocks: &[Vec<u32>], tree: &[u32]| {
        let certificate = refutation(
            procedure,
            system,
            &[target],
            &starting,
            &lapses,
            blocks,
            tree,
            true,
        );
        verdict.certificate = Certificate::Refuted(certificate);
    };
    match quickest(procedure, system, without, action) {
        None => {
            refuted(&mut verdict, &[Vec::new()], &[0]);
            verdict.missing = locked_out(procedure, system, &starting, action);
        }
        Some(way) if way.seconds <= limit => {
            verdict.kept = true;
            verdict.certificate = Certificate::Way(way_steps(&way.steps));
            verdict.way = Some(way);
        }
        Some(way) => {
            if let Focused::Open(focus) =
                focus(&system.graph, &[system.target(target)], &starting, &lapses)
            {
                let budget = time_budget(procedure, system, &focus, limit);
                match search::within(&focus, &budget, STEPS) {
                    Outcome::Refuted(found) => {
                        let blocks: Vec<Vec<u32>> = found
                            .blocks
                            .iter()
                            .map(|block| named(&focus, block))
                            .collect();
                        refuted(&mut verdict, &blocks, &found.tree);
                        let takes = length(way.seconds);
                        let atleast = if way.quickest { "takes" } else { "found takes" };
                        verdict.missing.push(Missing {
                            text: format!(
                                "the quickest way {atleast} {takes}, and {} are promised",
                                length(limit)
                            ),
                            span: promise.span,
                        });
                        verdict.way = Some(way);
                    }
                    Outcome::Attack(set) => {
                        let chosen: Vec<Choice> = named(&focus, &set)
                            .iter()
                            .map(|&index| system.choices[index as usize].0)
                            .collect();
                        let seconds = chosen.iter().map(|&choice| price(procedure, choice)).sum();
                        if let Some(steps) =
                            narrate::way(procedure, system, without, &chosen, action)
                        {
                            verdict.kept = true;
                            verdict.certificate = Certificate::Way(way_steps(&steps));
                            verdict.way = Some(Way {
                                steps,
                                seconds,
                                quickest: false,
                            });
                        }
                    }
                    Outcome::GaveUp => verdict.missing.push(undecided(promise)),
                }
            }
        }
    }
    verdict
}

/// The quickest way of an honest customer to an action; none if there is no way at all.
pub(crate) fn quickest(
    procedure: &Procedure,
    system: &System,
    without: &[HoldingId],
    action: ActionId,
) -> Option<Way> {
    let starting = &starting(procedure, system, without);
    let target = system.target(Target::Action(action));
    let (chosen, quickest) = match focus(&system.graph, &[target], starting, &lapses(system)) {
        Focused::Beyond => return None,
        Focused::Holds => (Vec::new(), true),
        Focused::Open(focus) => {
            let budget = time_budget(procedure, system, &focus, u64::MAX);
            let (set, proved) = search::cheapest(&focus, &budget, STEPS / 10)?;
            let chosen = named(&focus, &set)
                .iter()
                .map(|&index| system.choices[index as usize].0)
                .collect();
            (chosen, proved)
        }
    };
    let seconds = chosen.iter().map(|&choice| price(procedure, choice)).sum();
    let steps = narrate::way(procedure, system, without, &chosen, action)?;
    Some(Way {
        steps,
        seconds,
        quickest,
    })
}

/// What an honest customer without these starts from.
pub(crate) fn starting(procedure: &Procedure, system: &System, without: &[HoldingId]) -> Vec<Node> {
    procedure
        .holdings
        .iter()
        .enumerate()
        .filter(|&(index, holding)| {
            holding.kind != HoldingKind::State && !without.contains(&HoldingId(number(index)))
        })
        .map(|(index, _)| system.own[index])
        .collect()
}

fn lapses(system: &System) -> Vec<(Node, u32)> {
    system
        .choices
        .iter()
        .enumerate()
        .filter(|(_, (choice, _))| matches!(choice, Choice::Wait(..) | Choice::Settle(..)))
        .map(|(index, &(_, node))| (node, number(index)))
        .collect()
}

fn time_budget(procedure: &Procedure, system: &System, focus: &Focus, limit: u64) -> Budget {
    let choice_of = |&(_, index): &(Node, u32)| price(procedure, system.choices[index as usize].0);
    Budget {
        class: vec![0; focus.choices.len()],
        limit: vec![limit],
        price: focus.choices.iter().map(choice_of).collect(),
        total: limit,
    }
}

fn price(procedure: &Procedure, choice: Choice) -> u64 {
    match choice {
        Choice::Wait(action, path) => waits(&procedure.actions[action.index()].paths[path.index()]),
        Choice::Settle(_, seconds) => seconds,
        _ => 1,
    }
}

/// What of each path of an action an honest customer cannot do.
pub(crate) fn locked_out(
    procedure: &Procedure,
    system: &System,
    starting: &[Node],
    action: ActionId,
) -> Vec<Missing> {
    let mut marks = Marks::new(&system.graph);
    let lapses = lapses(system);
    marks.close(
        &system.graph,
        starting
            .iter()
            .copied()
            .chain(lapses.iter().map(|&(node, _)| node)),
    );
    let mut missing = Vec::new();
    for path in &procedure.actions[action.index()].paths {
        for line in &path.lines {
            let Requirement::Prove(expr) = &line.requirement else {
                continue;
            };
            let shown = |expr: &countersign_language::Expr| holds(procedure, system, &marks, expr);
            if !shown(expr) {
                let parts = match expr {
                    countersign_language::Expr::And(of) => {
                        of.iter().filter(|part| !shown(part)).collect()
                    }
                    other => vec![other],
                };
                let parts: Vec<String> = parts
                    .into_iter()
                    .map(|part| words(procedure, part))
                    .collect();
                missing.push(Missing {
                    text: format!("path {} needs {}", path.name, parts.join(" and ")),
                    span: line.span,
                });
            }
        }
    }
    missing
}

fn holds(
    procedure: &Procedure,
    system: &System,
    marks: &Marks,
    expr: &countersign_language::Expr,
) -> bool {
    use countersign_language::Expr;
    let shown = |expr: &Expr| holds(procedure, system, marks, expr);
    match expr {
        Expr::Atom { proof, settled, .. } => system
            .atom(procedure, *proof, settled.map(Duration::seconds))
            .iter()
            .any(|&node| node != crate::graph::FALSE && marks.holds(node)),
        Expr::And(of) => of.iter().all(shown),
        Expr::Or(of) => of.iter().any(shown),
        Expr::NOf { n, of } => of.iter().filter(|part| shown(part)).count() >= *n as usize,
    }
}

/// Says for each block which facts stay out of reach without it.
#[expect(
    clippy::too_many_arguments,
    reason = "one private function that both kinds of promise end in"
)]
fn refutation(
    procedure: &Procedure,
    system: &System,
    targets: &[Target],
    granted: &[Node],
    choices: &[(Node, u32)],
    blocks: &[Vec<u32>],
    tree: &[u32],
    honest: bool,
) -> Refutation {
    let mut used: Vec<u32> = tree.to_vec();
    used.sort_unstable();
    used.dedup();
    let mut marks = Marks::new(&system.graph);
    let mut makers = Makers::default();
    makers.read(procedure);
    let tree = tree
        .iter()
        .filter_map(|block| used.binary_search(block).ok().map(number))
        .collect();
    let blocks = used
        .iter()
        .map(|&block| {
            let block = &blocks[block as usize];
            let held = choices
                .iter()
                .filter(|(_, index)| !block.contains(index))
                .map(|&(node, _)| node);
            marks.close(&system.graph, granted.iter().copied().chain(held));
            let of = block
                .iter()
                .filter_map(|&index| match system.choices[index as usize].0 {
                    Choice::Holding(holding) => Some(Element::Holding(holding)),
                    Choice::Wait(action, path) => Some(Element::Wait(action, path)),
                    Choice::Settle(holding, seconds) => Some(Element::Settle(holding, seconds)),
                    Choice::Person(..) | Choice::NoticesUnread => None,
                })
                .collect();
            Block {
                of,
                beyond: beyond(procedure, system, &makers, &marks, targets, honest),
            }
        })
        .collect();
    Refutation { blocks, tree }
}

/// Which actions make which facts.
#[derive(Default)]
struct Makers(BTreeMap<Fact, Vec<(ActionId, Option<HoldingId>)>>);

impl Makers {
    fn read(&mut self, procedure: &Procedure) {
        for (index, action) in procedure.actions.iter().enumerate() {
            for effect in &action.effects {
                let (fact, to) = match effect.kind {
                    EffectKind::Gives(holding) => (Fact::Own(holding), None),
                    EffectKind::Changes(holding) => (Fact::New(holding), None),
                    EffectKind::Sends { what, to } => (Fact::Own(what), Some(to)),
                    EffectKind::Loses(loss) => (Fact::Lost(loss), None),
                };
                self.0
                    .entry(fact)
                    .or_default()
                    .push((ActionId(number(index)), to));
            }
        }
    }
}

/// The facts out of reach that matter for the targets: each one's makers fail at others of them.
fn beyond(
    procedure: &Procedure,
    system: &System,
    makers: &Makers,
    marks: &Marks,
    targets: &[Target],
    honest: bool,
) -> Vec<Fact> {
    let holds = |fact: Fact| {
        let node = match fact {
            Fact::Own(holding) => system.own[holding.index()],
            Fact::New(holding) => system.new[holding.index()],
            Fact::Done(action) => system.actions[action.index()],
            Fact::Lost(loss) => system.losses[loss.index()],
        };
        node != crate::graph::FALSE && marks.holds(node)
    };
    let mut found: BTreeSet<Fact> = BTreeSet::new();
    let mut queue: Vec<Fact> = targets
        .iter()
        .map(|&target| match target {
            Target::Loss(loss) => Fact::Lost(loss),
            Target::Action(action) => Fact::Done(action),
        })
        .collect();
    while let Some(fact) = queue.pop() {
        let exists = !matches!(fact, Fact::New(holding) if system.new[holding.index()] == crate::graph::FALSE);
        if !exists || holds(fact) || !found.insert(fact) {
            continue;
        }
        for &(action, to) in makers.0.get(&fact).into_iter().flatten() {
            queue.push(Fact::Done(action));
            queue.extend(to.into_iter().flat_map(|to| [Fact::Own(to), Fact::New(to)]));
        }
        let Fact::Done(id) = fact else { continue };
        let action = &procedure.actions[id.index()];
        for path in &action.paths {
            for line in &path.lines {
                if let Requirement::Prove(expr) = &line.requirement {
                    shown(procedure, expr, &mut queue);
                }
            }
            if !honest {
                queue.extend(
                    told(procedure, action, path)
                        .into_iter()
                        .flatten()
                        .map(Fact::Own),
                );
            }
        }
    }
    found.into_iter().collect()
}

fn shown(procedure: &Procedure, expr: &countersign_language::Expr, facts: &mut Vec<Fact>) {
    use countersign_language::Expr;
    match expr {
        Expr::Atom { proof, .. } => {
            let holding = procedure.proofs[proof.index()].shows;
            facts.extend([Fact::Own(holding), Fact::New(holding)]);
        }
        Expr::And(of) | Expr::Or(of) | Expr::NOf { of, .. } => {
            for part in of {
                shown(procedure, part, facts);
            }
        }
    }
}

fn named(focus: &Focus, set: &[u32]) -> Vec<u32> {
    set.iter()
        .map(|&choice| focus.choices[choice as usize].1)
        .collect()
}

fn blank(index: usize, promise: &Promise) -> Verdict {
    Verdict {
        promise: index,
        text: promise.text.clone(),
        span: promise.span,
        kept: false,
        attack: None,
        way: None,
        missing: Vec::new(),
        assumes: Vec::new(),
        certificate: Certificate::Undecided,
    }
}

fn undecided(promise: &Promise) -> Missing {
    Missing {
        text: "not decided: the search reached its limit, so the promise counts as broken"
            .to_owned(),
        span: promise.span,
    }
}

/// The most people that any path needs.
fn needed_people(procedure: &Procedure) -> u32 {
    let paths = procedure.actions.iter().flat_map(|action| &action.paths);
    paths
        .map(|path| {
            slots(path)
                .values()
                .fold(0_u32, |sum, &count| sum.saturating_add(count))
        })
        .max()
        .unwrap_or(0)
}

fn assumes_never(procedure: &Procedure, even_if: &[Assumption]) -> Vec<String> {
    let mut assumes = vec![
        "only what the promise names is compromised; all other staff are honest".to_owned(),
        "backends run these actions only with a grant".to_owned(),
    ];
    let mut lines = procedure
        .actions
        .iter()
        .flat_map(|action| &action.paths)
        .flat_map(|path| &path.lines);
    if lines.clone().any(|line| {
        matches!(
            line.requirement,
            Requirement::When {
                subject: Subject::Attribute(_),
                ..
            }
        )
    }) {
        assumes.push("every condition on a customer's attribute holds".to_owned());
    }
    if lines.any(|line| {
        matches!(
            line.requirement,
            Requirement::AtMost { .. } | Requirement::Backup { .. }
        )
    }) {
        assumes.push("`at most` limits and backups stop nobody".to_owned());
    }
    let reads = !even_if.contains(&Assumption::NoticesUnread)
        && procedure.actions.iter().any(|action| {
            action
                .paths
                .iter()
                .any(|path| told(procedure, action, path).is_some_and(|told| !told.is_empty()))
        });
    if reads {
        assumes.push("a customer who is told in time stops what is not theirs".to_owned());
    }
    if procedure.actions.iter().any(|action| action.outside) {
        assumes.push("outside actions are all the ways other companies open".to_owned());
    }
    if procedure
        .holdings
        .iter()
        .any(|holding| matches!(holding.exposure, Exposure::Hidden))
    {
        assumes.push("staff read nothing but what is said to be visible to them".to_owned());
    }
    assumes
}

fn assumes_always(procedure: &Procedure) -> Vec<String> {
    let mut assumes = vec!["staff are honest, and enough of them are there".to_owned()];
    if procedure.actions.iter().any(|action| action.outside) {
        assumes.push("other companies do what the outside actions say".to_owned());
    }
    let mut lines = procedure
        .actions
        .iter()
        .flat_map(|action| &action.paths)
        .flat_map(|path| &path.lines);
    if lines.any(|line| {
        matches!(
            line.requirement,
            Requirement::When { .. } | Requirement::AtMost { .. } | Requirement::Backup { .. }
        )
    }) {
        assumes.push("conditions, `at most` limits and backups are met".to_owned());
    }
    assumes
}
