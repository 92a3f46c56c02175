//! Derivations told as numbered steps in the procedure's own words.

#![expect(
    clippy::indexing_slicing,
    reason = "every index in a checked `Procedure` and its `System` is in range"
)]

use countersign_language::{
    ActionId, EffectKind, Expr, HoldingId, HoldingKind, PathId, Procedure, ProofId, Requirement,
    Span, Target,
};

use crate::{
    certificate::{WayStep, check::World},
    compromise::{Compromise, choices, compromises, names, target_name},
    graph::{FALSE, Graph, Node, TRUE, at, number},
    system::{Choice, System, slots, told},
};

/// A set of compromises and how it reaches its target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attack {
    /// Names of the compromises, sorted.
    pub set: Vec<String>,
    /// The same for machines.
    pub compromises: Vec<Compromise>,
    /// What is reached.
    pub target: Target,
    /// From the first compromise to the target.
    pub steps: Vec<Step>,
}

/// One step, with the place in the procedure that it uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// In the procedure's own words.
    pub text: String,
    /// The line it uses.
    pub span: Span,
    /// For machines.
    pub what: What,
}

/// What happens in a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// Before anything is asked of the gate.
    Compromise(Compromise),
    /// An action is asked for and done.
    Act {
        /// Which.
        action: ActionId,
        /// By which path.
        path: PathId,
        /// What is proved on it.
        proofs: Vec<ProofId>,
    },
    /// A changed holding settles, so many seconds (honest ways only).
    Settle(HoldingId, u64),
    /// The end.
    Reached(Target),
}

/// Tells how `set` reaches one of `targets`; none if it does not.
pub(crate) fn attack(
    procedure: &Procedure,
    system: &System,
    set: &[Compromise],
    targets: &[Target],
) -> Option<Attack> {
    let seeds: Vec<Node> = choices(set)
        .into_iter()
        .filter_map(|choice| system.choice(choice))
        .collect();
    let (derivation, target) = targets.iter().find_map(|&target| {
        Derivation::of(system, &seeds, system.target(target)).map(|derivation| (derivation, target))
    })?;
    let mut steps: Vec<Step> = set
        .iter()
        .map(|&compromise| compromised(procedure, compromise))
        .collect();
    let mut acts: Vec<WayStep> = derivation
        .acts
        .iter()
        .map(|&(action, path)| WayStep::Act(action, path))
        .collect();
    trim(&mut acts, |acts| {
        World::of_set(procedure, set).walk(acts, target).is_ok()
    });
    for step in acts {
        if let WayStep::Act(action, path) = step {
            steps.push(act(procedure, system, &derivation, action, path, false));
        }
    }
    steps.push(reached(procedure, target));
    Some(Attack {
        set: names(procedure, set),
        compromises: set.to_vec(),
        target,
        steps,
    })
}

/// Tells how an honest customer without these gets to an action with these lapses of time.
pub(crate) fn way(
    procedure: &Procedure,
    honest: &System,
    without: &[HoldingId],
    lapses: &[Choice],
    goal: ActionId,
) -> Option<Vec<Step>> {
    let mut nodes = crate::verdict::starting(procedure, honest, without);
    nodes.extend(lapses.iter().filter_map(|&choice| honest.choice(choice)));
    let derivation = Derivation::of(honest, &nodes, honest.target(Target::Action(goal)))?;
    let mut settles: Vec<(u32, Step)> = Vec::new();
    for &lapse in lapses {
        if let Choice::Settle(holding, seconds) = lapse {
            let changed = derivation.position[at(honest.new[holding.index()])];
            let named = &procedure.holdings[holding.index()];
            settles.push((
                changed,
                Step {
                    text: format!(
                        "wait until the new {} has settled for {}",
                        named.label,
                        length(seconds)
                    ),
                    span: named.span,
                    what: What::Settle(holding, seconds),
                },
            ));
        }
    }
    settles.sort_by_key(|&(changed, _)| changed);
    let mut settles = settles.into_iter().peekable();
    let mut steps = Vec::new();
    for &(action, path) in &derivation.acts {
        let done = derivation.position[at(honest.actions[action.index()])];
        while settles.peek().is_some_and(|&(changed, _)| changed < done) {
            steps.extend(settles.next().map(|(_, step)| step));
        }
        steps.push(act(procedure, honest, &derivation, action, path, true));
    }
    for at in (0..steps.len()).rev() {
        let step = steps.remove(at);
        let world = World::customer(procedure, without, u64::MAX);
        if world
            .walk(&way_steps(&steps), Target::Action(goal))
            .is_err()
        {
            steps.insert(at, step);
        }
    }
    Some(steps)
}

/// The steps as a certificate has them.
pub(crate) fn way_steps(steps: &[Step]) -> Vec<WayStep> {
    steps
        .iter()
        .filter_map(|step| match step.what {
            What::Act { action, path, .. } => Some(WayStep::Act(action, path)),
            What::Settle(holding, seconds) => Some(WayStep::Settle(holding, seconds)),
            _ => None,
        })
        .collect()
}

/// A length of time in the largest unit that divides it: `3d`, `36h`, `90m`.
pub fn length(seconds: u64) -> String {
    match seconds {
        0 => "no time".to_owned(),
        s if s % 86_400 == 0 => format!("{}d", s / 86_400),
        s if s % 3_600 == 0 => format!("{}h", s / 3_600),
        s => format!("{}m", s / 60),
    }
}

/// A proof expression as a person would say it.
pub(crate) fn words(procedure: &Procedure, expr: &Expr) -> String {
    let list = |of: &[Expr], glue: &str| {
        of.iter()
            .map(|part| match part {
                Expr::And(_) | Expr::Or(_) => format!("({})", words(procedure, part)),
                _ => words(procedure, part),
            })
            .collect::<Vec<_>>()
            .join(glue)
    };
    match expr {
        Expr::Atom { proof, settled, .. } => {
            let label = &procedure.proofs[proof.index()].label;
            settled.map_or_else(
                || label.clone(),
                |duration| format!("{label} settled {duration}"),
            )
        }
        Expr::And(of) => list(of, " and "),
        Expr::Or(of) => list(of, " or "),
        Expr::NOf { n, of } => format!("{n} of ({})", list(of, ", ")),
    }
}

/// Leaves out every step that can be left out, the last first.
fn trim(steps: &mut Vec<WayStep>, reaches: impl Fn(&[WayStep]) -> bool) {
    for at in (0..steps.len()).rev() {
        let step = steps.remove(at);
        if !reaches(steps) {
            steps.insert(at, step);
        }
    }
}

fn compromised(procedure: &Procedure, compromise: Compromise) -> Step {
    let (text, span) = match compromise {
        Compromise::Holding(id) => {
            let holding = &procedure.holdings[id.index()];
            let verb = match holding.kind {
                HoldingKind::Secret => "steal",
                HoldingKind::Channel => "hijack",
                HoldingKind::Device => "take",
                HoldingKind::State => "reach",
            };
            (format!("{verb} the {}", holding.label), holding.span)
        }
        Compromise::Deceived { role, count } => {
            let role = &procedure.roles[role.index()];
            let who = if count == 1 {
                format!("one {}", role.label)
            } else {
                format!("{count} of the role {}", role.label)
            };
            (format!("deceive {who}"), role.span)
        }
        Compromise::NoticesUnread => (
            "count on nobody reading the notices".to_owned(),
            Span::default(),
        ),
    };
    Step {
        text,
        span,
        what: What::Compromise(compromise),
    }
}

fn reached(procedure: &Procedure, target: Target) -> Step {
    let (text, span) = match target {
        Target::Loss(id) => {
            let loss = &procedure.losses[id.index()];
            (format!("{} is lost", loss.name), loss.span)
        }
        Target::Action(id) => {
            let action = &procedure.actions[id.index()];
            (
                format!("{} is done", target_name(procedure, target)),
                action.span,
            )
        }
    };
    Step {
        text,
        span,
        what: What::Reached(target),
    }
}

fn act(
    procedure: &Procedure,
    system: &System,
    derivation: &Derivation,
    action_id: ActionId,
    path_id: PathId,
    honest: bool,
) -> Step {
    let action = &procedure.actions[action_id.index()];
    let path = &action.paths[path_id.index()];
    let before = derivation.position[at(system.actions[action_id.index()])];
    let mut proofs = Vec::new();
    for line in &path.lines {
        if let Requirement::Prove(expr) = &line.requirement {
            derivation.proved(procedure, system, expr, before, &mut proofs);
        }
    }
    let mut seen = Vec::new();
    proofs.retain(|proof| {
        !seen.contains(proof) && {
            seen.push(*proof);
            true
        }
    });
    let verb = if action.outside { "use" } else { "ask for" };
    let mut text = format!("{verb} \"{}\" by path {}", action.label, path.name);
    if !proofs.is_empty() {
        let labels: Vec<&str> = proofs
            .iter()
            .map(|proof| procedure.proofs[proof.index()].label.as_str())
            .collect();
        text.push_str(", proving ");
        text.push_str(&labels.join(" and "));
    }
    for (role, count) in slots(path) {
        let label = &procedure.roles[role.index()].label;
        let deceived = if honest { "" } else { "deceived " };
        text.push_str(", with ");
        if count == 1 {
            text.extend(["one ", deceived, label]);
        } else {
            text.extend([&count.to_string(), " ", deceived, "people as ", label]);
        }
    }
    if let Some(channels) = told(procedure, action, path) {
        let waits: Vec<String> = path
            .lines
            .iter()
            .filter_map(|line| match line.requirement {
                Requirement::Wait(duration) => Some(duration.to_string()),
                _ => None,
            })
            .collect();
        text.push_str(", waiting ");
        text.push_str(&waits.join(" and "));
        if !honest && !channels.is_empty() {
            let owned = channels
                .iter()
                .all(|channel| derivation.position[at(system.own[channel.index()])] < before);
            text.push_str(if owned {
                " while only the thief sees the notices"
            } else {
                " while nobody reads the notices"
            });
        }
    }
    let gained: Vec<&str> = action
        .effects
        .iter()
        .filter_map(|effect| {
            let (holding, node) = match effect.kind {
                EffectKind::Gives(holding) => (holding, system.own[holding.index()]),
                EffectKind::Changes(holding) => (holding, system.new[holding.index()]),
                EffectKind::Sends { what, .. } => (what, system.own[what.index()]),
                EffectKind::Loses(_) => return None,
            };
            let is_new = derivation.is_needed(node) && derivation.position[at(node)] > before;
            is_new.then(|| procedure.holdings[holding.index()].label.as_str())
        })
        .collect();
    if !gained.is_empty() {
        text.push_str(", and get the ");
        text.push_str(&gained.join(" and the "));
    }
    Step {
        text,
        span: path.span,
        what: What::Act {
            action: action_id,
            path: path_id,
            proofs,
        },
    }
}

/// Which actions, in which order, lead from some nodes to a target, none of them idle.
struct Derivation {
    /// When each node was derived; the maximum if not.
    position: Vec<u32>,
    needed: Vec<bool>,
    acts: Vec<(ActionId, PathId)>,
}

impl Derivation {
    fn of(system: &System, seeds: &[Node], target: Node) -> Option<Self> {
        let mut banned: Vec<Node> = Vec::new();
        let mut best = Self::without(system, seeds, target, &banned)?;
        // An action that can be left out is left out, the last first.
        let mut index = best.acts.len();
        while index > 0 {
            index -= 1;
            let Some(&(action, _)) = best.acts.get(index) else {
                continue;
            };
            banned.push(system.actions[action.index()]);
            match Self::without(system, seeds, target, &banned) {
                Some(shorter) if shorter.acts.len() < best.acts.len() => {
                    best = shorter;
                    index = best.acts.len();
                }
                _ => {
                    banned.pop();
                }
            }
        }
        Some(best)
    }

    fn without(system: &System, seeds: &[Node], target: Node, banned: &[Node]) -> Option<Self> {
        let graph = &system.graph;
        let position = positions(graph, seeds, banned);
        if position[at(target)] == FALSE {
            return None;
        }
        let mut needed = vec![false; graph.nodes()];
        needed[at(target)] = true;
        let mut order: Vec<Node> = (0..number(graph.nodes()))
            .filter(|&node| position[at(node)] != FALSE)
            .collect();
        order.sort_unstable_by_key(|&node| std::cmp::Reverse(position[at(node)]));
        // When each node is first used, the target at the end.
        let mut used = vec![Vec::new(); graph.nodes()];
        used[at(target)].push(position[at(target)]);
        for node in order {
            if !needed[at(node)] || node == TRUE || seeds.contains(&node) {
                continue;
            }
            let rule = graph
                .rules_into(node)
                .iter()
                .filter(|&&[a, b]| {
                    position[at(a)] < position[at(node)] && position[at(b)] < position[at(node)]
                })
                .min_by_key(|&&[a, b]| {
                    (
                        position[at(a)].max(position[at(b)]),
                        position[at(a)].min(position[at(b)]),
                    )
                });
            if let Some(&[a, b]) = rule {
                let when = position[at(a)].max(position[at(b)]);
                for premise in [a, b] {
                    needed[at(premise)] = true;
                    used[at(premise)].push(when);
                }
            }
        }
        let mut acts: Vec<(u32, ActionId, PathId)> = Vec::new();
        for (index, &action) in system.actions.iter().enumerate() {
            if !needed[at(action)] {
                continue;
            }
            let path = system.guards[index].iter().position(|&guard| {
                guard != FALSE
                    && (guard == TRUE || needed[at(guard)])
                    && position[at(guard)] < position[at(action)]
            })?;
            // What is sent to a channel that falls only later is asked for only then.
            let mut when = used[at(action)].clone();
            when.sort_unstable();
            when.dedup();
            acts.extend(
                when.into_iter()
                    .map(|when| (when, ActionId(number(index)), PathId(number(path)))),
            );
        }
        acts.sort_unstable();
        acts.dedup();
        Some(Self {
            position,
            needed,
            acts: acts
                .into_iter()
                .map(|(_, action, path)| (action, path))
                .collect(),
        })
    }

    fn is_needed(&self, node: Node) -> bool {
        node != FALSE && self.needed[at(node)]
    }

    fn by(&self, node: Node, before: u32) -> bool {
        node != FALSE && self.position[at(node)] < before
    }

    /// Which proofs of `expr` are used, preferring those the derivation needs anyway; true if it holds.
    fn proved(
        &self,
        procedure: &Procedure,
        system: &System,
        expr: &Expr,
        before: u32,
        used: &mut Vec<ProofId>,
    ) -> bool {
        let point = used.len();
        let holds = match expr {
            Expr::Atom { proof, settled, .. } => {
                let nodes = system.atom(
                    procedure,
                    *proof,
                    settled.map(countersign_language::Duration::seconds),
                );
                used.push(*proof);
                nodes.iter().any(|&node| self.by(node, before))
            }
            Expr::And(of) => of
                .iter()
                .all(|part| self.proved(procedure, system, part, before, used)),
            Expr::Or(of) => self.some(procedure, system, of, 1, before, used),
            Expr::NOf { n, of } => self.some(procedure, system, of, *n as usize, before, used),
        };
        if !holds {
            used.truncate(point);
        }
        holds
    }

    fn some(
        &self,
        procedure: &Procedure,
        system: &System,
        of: &[Expr],
        n: usize,
        before: u32,
        used: &mut Vec<ProofId>,
    ) -> bool {
        let mut ways: Vec<(bool, Vec<ProofId>)> = of
            .iter()
            .filter_map(|part| {
                let mut used = Vec::new();
                self.proved(procedure, system, part, before, &mut used)
                    .then(|| {
                        let idle = used.iter().any(|proof| {
                            !self.is_needed(
                                system.own[procedure.proofs[proof.index()].shows.index()],
                            ) && !self.is_needed(
                                system.new[procedure.proofs[proof.index()].shows.index()],
                            )
                        });
                        (idle, used)
                    })
            })
            .collect();
        ways.sort_by_key(|(idle, _)| *idle);
        let enough = ways.len() >= n;
        used.extend(ways.into_iter().take(n).flat_map(|(_, used)| used));
        enough
    }
}

/// When each node follows from the seeds, breadth first, without the banned ones.
fn positions(graph: &Graph, seeds: &[Node], banned: &[Node]) -> Vec<u32> {
    let mut position = vec![FALSE; graph.nodes()];
    let mut order = vec![TRUE];
    position[at(TRUE)] = 0;
    for &seed in seeds {
        if position[at(seed)] == FALSE {
            position[at(seed)] = number(order.len());
            order.push(seed);
        }
    }
    let mut next = 0;
    while let Some(&node) = order.get(next) {
        next += 1;
        for &[other, head] in graph.out(node) {
            if position[at(other)] != FALSE
                && position[at(head)] == FALSE
                && !banned.contains(&head)
            {
                position[at(head)] = number(order.len());
                order.push(head);
            }
        }
    }
    position
}

/// The set of compromises behind some chosen numbers.
pub(crate) fn set_of(system: &System, chosen: impl IntoIterator<Item = u32>) -> Vec<Compromise> {
    compromises(
        chosen
            .into_iter()
            .map(|index| system.choices[index as usize].0),
    )
}
