//! Are the promises kept?

#![expect(
    clippy::indexing_slicing,
    reason = "every index in a checked `Procedure` and its `System` is in range"
)]

use std::collections::{BTreeMap, BTreeSet};

use countersign_language::{
    ActionId, Assumption, Claim, Duration, Exposure, HoldingId, HoldingKind, Procedure, Promise,
    Requirement, RoleId, Span, Target,
};

use crate::{
    certificate::Certificate,
    cheapest::{WORK, cheapest},
    compromise::{Compromise, choices},
    graph::{Focus, Focused, Marks, Node, focus, number},
    narrate::{self, Attack, Step, length, way_steps, words},
    refute::Writer,
    search::{self, Budget, Outcome},
    system::{Choice, Mentions, PEOPLE_MAX, System, waits},
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
        .inspect(|(index, _)| crate::progress::part(index + 1, procedure.promises.len()))
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
    verdict.assumes = assumes_never(procedure, shared.mentions, even_if);
    let mut grant = Grant::of(shared, even_if);
    // More people than the shared system counts, on either side: one compiled for exactly these people.
    let own_system = (shared.mentions.people > PEOPLE_MAX || shared.left_out.is_some())
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
    let focused = focus(&system.graph, &nodes, &granted, &choices);
    let found: Option<Vec<u32>> = match &focused {
        Focused::Holds => Some(Vec::new()),
        Focused::Beyond => {
            let writer = Writer::new(procedure, system, targets, Some(&grant.people));
            verdict.kept = true;
            verdict.certificate = Certificate::Refuted(writer.hopeless(&granted, &choices));
            None
        }
        Focused::Open(focus) => {
            let budget = grant.budget(procedure, system, &focus.choices);
            match search::within(focus, &budget, STEPS) {
                Outcome::Attack(set) => Some(named(focus, &set)),
                Outcome::Refuted(found) => {
                    let writer = Writer::new(procedure, system, targets, Some(&grant.people));
                    verdict.kept = true;
                    verdict.certificate = Certificate::Refuted(writer.refutation(focus, &found));
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
        let focused = if certain.is_empty() {
            focused
        } else {
            let all = certain.iter().chain(&open).map(|&index| node_of(index));
            focus(&system.graph, &nodes, &[], &all.collect::<Vec<_>>())
        };
        let set = match focused {
            Focused::Holds | Focused::Beyond => Vec::new(),
            Focused::Open(focus) => {
                let budget = grant.budget(procedure, system, &focus.choices);
                let known = within_focus(&focus, certain.iter().chain(&found).copied());
                cheapest(&focus, &budget, Some(known), WORK / 10).map_or_else(
                    || certain.iter().chain(&found).copied().collect(),
                    |best| named(&focus, &best.set),
                )
            }
        };
        let mut set = narrate::set_of(system, set);
        if own_system.is_some() {
            let most = shared.mentions.people;
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
    let targets = [target];
    let writer = || Writer::new(procedure, system, &targets, None);
    match quickest(procedure, system, without, action) {
        None => {
            verdict.certificate = Certificate::Refuted(writer().hopeless(&starting, &lapses));
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
                        verdict.certificate =
                            Certificate::Refuted(writer().refutation(&focus, &found));
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
            let best = cheapest(&focus, &budget, None, WORK / 10)?;
            let chosen = named(&focus, &best.set)
                .iter()
                .map(|&index| system.choices[index as usize].0)
                .collect();
            (chosen, best.at_least == best.price)
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

fn named(focus: &Focus, set: &[u32]) -> Vec<u32> {
    set.iter()
        .map(|&choice| focus.choices[choice as usize].1)
        .collect()
}

/// The other way round; what is not in the focus is left out.
fn within_focus(focus: &Focus, set: impl IntoIterator<Item = u32>) -> Vec<u32> {
    let set: BTreeSet<u32> = set.into_iter().collect();
    (0..)
        .zip(&focus.choices)
        .filter(|(_, (_, index))| set.contains(index))
        .map(|(choice, _)| choice)
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

fn assumes_never(procedure: &Procedure, mentions: Mentions, even_if: &[Assumption]) -> Vec<String> {
    let mut assumes = vec![
        "only what the promise names is compromised; all other staff are honest".to_owned(),
        "backends run these actions only with a grant".to_owned(),
    ];
    if mentions.attributes {
        assumes.push("every condition on a customer's attribute holds".to_owned());
    }
    if mentions.limits {
        assumes.push("`at most` limits and backups stop nobody".to_owned());
    }
    if mentions.told && !even_if.contains(&Assumption::NoticesUnread) {
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
