//! Which single changes would mend most?
//!
//! Every change is made to a copy of the procedure and proved by asking again;
//! nothing is estimated but the order in which changes are tried.

use countersign_language::{
    ActionId, Duration, Expr, HoldingId, HoldingKind, Line, PathId, Procedure, ProofId,
    Requirement, RoleId, Span, Target, Unit,
};

use crate::{
    Attacks, Limits, System, What, length,
    narrate::words,
    questions::lockout,
    reacher::Reacher,
    system::{slots, told},
};

/// One change and what it does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repair {
    /// The change, in words.
    pub text: String,
    /// The action it is made to.
    pub action: ActionId,
    /// The path.
    pub path: PathId,
    /// Where the path stands.
    pub span: Span,
    /// What is added or put in place of another line.
    pub change: Change,
    /// How many of the attacks it ends.
    pub ends: usize,
    /// Of how many.
    pub of: usize,
    /// The attacks on the changed procedure, found by asking again: names sorted, sets sorted.
    pub left: Vec<Vec<String>>,
    /// Nothing of the size asked for is missing from `left`.
    pub complete: bool,
    /// Actions that an honest customer with everything could do before and cannot do any more.
    pub locks_out: Vec<String>,
}

/// One single change to one path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// One more proof.
    Prove(ProofId),
    /// One more person.
    SignOff(RoleId),
    /// A notice to every channel, and time to act on it.
    NotifyAndWait(Duration),
    /// All proofs of the path only of holdings that have not changed lately.
    Settle(Duration),
}

/// Changes proved at most; the others are left out.
const PROVED_MAX: usize = 24;

/// Ranks the single changes that end attacks on `on` of at most `at_most` compromises: those that end
/// most first, after them those that lock an honest customer out of something.
///
/// At most 24 are proved and returned; none if there is no attack.
pub fn repair(procedure: &Procedure, on: &[Target], at_most: usize, limits: Limits) -> Vec<Repair> {
    let system = System::compile(procedure);
    let attacks = system.attacks(procedure, on, at_most, limits);
    let mut tried: Vec<(usize, Repair)> = candidates(procedure, &system, &attacks)
        .into_iter()
        .filter_map(|(action, path, change)| {
            let changed = apply(procedure, action, path, &change)?;
            let left = still(&changed, &attacks);
            let ends = attacks.sets.len() - left;
            let span = procedure
                .actions
                .get(action.index())?
                .paths
                .get(path.index())?
                .span;
            let text = text(procedure, action, path, &change)?;
            let of = attacks.sets.len();
            let repair = Repair {
                text,
                action,
                path,
                span,
                change,
                ends,
                of,
                left: Vec::new(),
                complete: false,
                locks_out: Vec::new(),
            };
            (ends > 0).then_some((ends, repair))
        })
        .collect();
    tried.sort_by_key(|(ends, _)| std::cmp::Reverse(*ends));
    tried.truncate(PROVED_MAX);
    let before = possible(procedure);
    let parts = tried.len();
    let mut proved: Vec<Repair> = (1..)
        .zip(tried)
        .filter_map(|(part, (_, mut repair))| {
            crate::progress::part(part, parts);
            let changed = apply(procedure, repair.action, repair.path, &repair.change)?;
            let again = crate::attacks(&changed, on, at_most, limits);
            repair.complete = again.complete();
            repair.left = again.names;
            let after = possible(&changed);
            repair.locks_out = before
                .iter()
                .filter(|action| !after.contains(action))
                .filter_map(|action| procedure.actions.get(action.index()))
                .map(|action| action.name.clone())
                .collect();
            Some(repair)
        })
        .collect();
    proved.sort_by_key(|repair| {
        (
            repair.locks_out.len(),
            std::cmp::Reverse(repair.ends),
            repair.left.len(),
            cost(&repair.change),
        )
    });
    proved
}

/// The procedure with one change made; none if there is no such path.
pub fn apply(
    procedure: &Procedure,
    action: ActionId,
    path: PathId,
    change: &Change,
) -> Option<Procedure> {
    let mut changed = procedure.clone();
    let channels: Vec<HoldingId> = (0_u32..)
        .zip(&procedure.holdings)
        .filter(|(_, holding)| holding.kind == HoldingKind::Channel)
        .map(|(at, _)| HoldingId(at))
        .collect();
    let path = changed
        .actions
        .get_mut(action.index())?
        .paths
        .get_mut(path.index())?;
    let span = path.span;
    let mut add = |requirement| path.lines.push(Line { requirement, span });
    match change {
        Change::Prove(proof) => add(Requirement::Prove(Expr::Atom {
            proof: *proof,
            settled: None,
            span,
        })),
        Change::SignOff(role) => add(Requirement::SignOff {
            count: 1,
            role: *role,
        }),
        Change::NotifyAndWait(duration) => {
            add(Requirement::Notify {
                every: true,
                channels: channels.into(),
            });
            add(Requirement::Wait(*duration));
        }
        Change::Settle(duration) => {
            for line in &mut path.lines {
                if let Requirement::Prove(expr) = &mut line.requirement {
                    settle(expr, *duration);
                }
            }
        }
    }
    Some(changed)
}

fn settle(expr: &mut Expr, duration: Duration) {
    match expr {
        Expr::Atom { settled, .. } => {
            settled.get_or_insert(duration);
        }
        Expr::And(of) | Expr::Or(of) | Expr::NOf { of, .. } => {
            for part in of {
                settle(part, duration);
            }
        }
    }
}

/// How many of the attacks still work.
fn still(changed: &Procedure, attacks: &Attacks) -> usize {
    let system = System::compile(changed);
    let mut reacher = Reacher::new(&system);
    attacks
        .sets
        .iter()
        .filter(|set| {
            reacher.ask(&system, set);
            attacks
                .on
                .iter()
                .any(|&target| reacher.reached(&system, target))
        })
        .count()
}

/// Changes to every path inside the gate that an attack takes.
fn candidates(
    procedure: &Procedure,
    system: &System,
    attacks: &Attacks,
) -> Vec<(ActionId, PathId, Change)> {
    let mut used: Vec<(ActionId, PathId)> = Vec::new();
    for set in attacks.sets.iter().take(200) {
        for step in system
            .explain(procedure, set, &attacks.on)
            .into_iter()
            .flat_map(|attack| attack.steps)
        {
            if let What::Act { action, path, .. } = step.what
                && !used.contains(&(action, path))
            {
                used.push((action, path));
            }
        }
    }
    used.sort_unstable();
    let mut changes = Vec::new();
    for (action_id, path_id) in used {
        let Some(action) = procedure
            .actions
            .get(action_id.index())
            .filter(|action| !action.outside)
        else {
            continue;
        };
        let Some(path) = action.paths.get(path_id.index()) else {
            continue;
        };
        for (at, proof) in (0_u32..).zip(&procedure.proofs) {
            let makeable = proof.using.is_some()
                && procedure
                    .holdings
                    .get(proof.shows.index())
                    .is_some_and(|holding| {
                        holding.exposure != countersign_language::Exposure::Public
                    });
            if makeable {
                changes.push((action_id, path_id, Change::Prove(ProofId(at))));
            }
        }
        let staffed = slots(path);
        for role in (0..).map(RoleId).take(procedure.roles.len()) {
            if staffed.iter().all(|&(other, _)| other != role) {
                changes.push((action_id, path_id, Change::SignOff(role)));
            }
        }
        if told(procedure, action, path).is_none() {
            changes.push((
                action_id,
                path_id,
                Change::NotifyAndWait(Duration {
                    count: 72,
                    unit: Unit::Hour,
                }),
            ));
        }
        changes.push((
            action_id,
            path_id,
            Change::Settle(Duration {
                count: 7,
                unit: Unit::Day,
            }),
        ));
    }
    changes
}

/// What an honest customer with everything can do.
fn possible(procedure: &Procedure) -> Vec<ActionId> {
    lockout(procedure, &[])
        .actions
        .into_iter()
        .filter(|access| access.way.is_some())
        .map(|access| access.action)
        .collect()
}

fn cost(change: &Change) -> u8 {
    match change {
        Change::Prove(_) => 0,
        Change::Settle(_) => 1,
        Change::SignOff(_) => 2,
        Change::NotifyAndWait(_) => 3,
    }
}

fn text(procedure: &Procedure, action: ActionId, path: PathId, change: &Change) -> Option<String> {
    let action = procedure.actions.get(action.index())?;
    let place = format!(
        "in `{}`, path {}",
        action.name,
        action.paths.get(path.index())?.name
    );
    Some(match change {
        Change::Prove(proof) => {
            let atom = Expr::Atom {
                proof: *proof,
                settled: None,
                span: Span::default(),
            };
            format!("{place}, also prove {}", words(procedure, &atom))
        }
        Change::SignOff(role) => {
            format!(
                "{place}, add the sign-off of one {}",
                procedure.roles.get(role.index())?.label
            )
        }
        Change::NotifyAndWait(duration) => {
            format!(
                "{place}, notify every channel and wait {}",
                length(duration.seconds())
            )
        }
        Change::Settle(duration) => {
            format!(
                "{place}, count only proofs of what has not changed for {}",
                length(duration.seconds())
            )
        }
    })
}
