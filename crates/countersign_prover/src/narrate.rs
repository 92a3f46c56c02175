//! Derivations told as numbered steps in the procedure's own words.

#![expect(
    clippy::indexing_slicing,
    reason = "every index in a checked `Procedure` and its `System` is in range"
)]

use std::collections::BTreeMap;

use countersign_language::{
    ActionId, EffectKind, Expr, HoldingId, HoldingKind, PathId, Procedure, ProofId, Requirement,
    Span, Target,
};

use crate::{
    certificate::{WayStep, check::World},
    compromise::{Compromise, choices, compromises, names, target_name},
    graph::{FALSE, Node, TRUE, at, number},
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
        let mut deriving = Deriving::new(system, seeds, target);
        let mut banned: Vec<Node> = Vec::new();
        let mut best = deriving.without(&banned)?;
        // An action that can be left out is left out, the last first.
        let mut index = best.len();
        while index > 0 {
            index -= 1;
            let Some(&(action, _)) = best.get(index) else {
                continue;
            };
            banned.push(system.actions[action.index()]);
            match deriving.without(&banned) {
                Some(shorter) if shorter.len() < best.len() => {
                    best = shorter;
                    index = best.len();
                }
                _ => {
                    banned.pop();
                }
            }
        }
        let acts = deriving.without(&banned)?;
        Some(Self {
            position: deriving.position,
            needed: deriving.needed,
            acts,
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

/// Derives one target again and again, looking only at what is derived on the way.
struct Deriving<'a> {
    system: &'a System,
    seeds: &'a [Node],
    target: Node,
    /// See [`Derivation`].
    position: Vec<u32>,
    needed: Vec<bool>,
    /// What was derived, in order.
    order: Vec<Node>,
    /// Which action a node is, by number.
    action_of: Vec<u32>,
}

impl<'a> Deriving<'a> {
    fn new(system: &'a System, seeds: &'a [Node], target: Node) -> Self {
        let nodes = system.graph.nodes();
        let mut action_of = vec![FALSE; nodes];
        for (index, &action) in (0..).zip(&system.actions) {
            action_of[at(action)] = index;
        }
        Self {
            system,
            seeds,
            target,
            position: vec![FALSE; nodes],
            needed: vec![false; nodes],
            order: Vec::new(),
            action_of,
        }
    }

    /// What to ask for, in order, to derive the target without the banned nodes; none if it cannot be.
    fn without(&mut self, banned: &[Node]) -> Option<Vec<(ActionId, PathId)>> {
        self.follow(banned);
        let (graph, position) = (&self.system.graph, &self.position);
        if position[at(self.target)] == FALSE {
            return None;
        }
        self.needed[at(self.target)] = true;
        // When each node is first used, the target at the end.
        let mut used: BTreeMap<Node, Vec<u32>> = BTreeMap::new();
        used.insert(self.target, vec![position[at(self.target)]]);
        for &node in self.order.iter().rev() {
            if !self.needed[at(node)] || node == TRUE || self.seeds.contains(&node) {
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
                    self.needed[at(premise)] = true;
                    used.entry(premise).or_default().push(when);
                }
            }
        }
        let mut acts: Vec<(u32, ActionId, PathId)> = Vec::new();
        for &action in &self.order {
            let index = self.action_of[at(action)];
            if index == FALSE || !self.needed[at(action)] {
                continue;
            }
            let path = self
                .system
                .guards(ActionId(index))
                .iter()
                .position(|&guard| {
                    guard != FALSE
                        && (guard == TRUE || self.needed[at(guard)])
                        && position[at(guard)] < position[at(action)]
                })?;
            // What is sent to a channel that falls only later is asked for only then.
            let mut when = used.get(&action).cloned().unwrap_or_default();
            when.sort_unstable();
            when.dedup();
            acts.extend(
                when.into_iter()
                    .map(|when| (when, ActionId(index), PathId(number(path)))),
            );
        }
        acts.sort_unstable();
        acts.dedup();
        let acts = acts.into_iter();
        Some(acts.map(|(_, action, path)| (action, path)).collect())
    }

    /// When each node follows from the seeds, breadth first, without the banned ones, until the target does.
    fn follow(&mut self, banned: &[Node]) {
        for node in self.order.drain(..) {
            self.position[at(node)] = FALSE;
            self.needed[at(node)] = false;
        }
        for &node in [TRUE].iter().chain(self.seeds) {
            if self.position[at(node)] == FALSE {
                self.position[at(node)] = number(self.order.len());
                self.order.push(node);
            }
        }
        let mut next = 0;
        while let Some(&node) = self.order.get(next) {
            next += 1;
            if self.position[at(self.target)] != FALSE {
                return;
            }
            for &[other, head] in self.system.graph.out(node) {
                if self.position[at(other)] != FALSE
                    && self.position[at(head)] == FALSE
                    && !banned.contains(&head)
                {
                    self.position[at(head)] = number(self.order.len());
                    self.order.push(head);
                }
            }
        }
    }
}

/// The set of compromises behind some chosen numbers.
pub(crate) fn set_of(system: &System, chosen: impl IntoIterator<Item = u32>) -> Vec<Compromise> {
    compromises(
        chosen
            .into_iter()
            .map(|index| system.choices[index as usize].0),
    )
}
