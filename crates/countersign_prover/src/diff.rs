//! What one version of a procedure allows that another does not.
//!
//! Three things are compared, by name. *Attacks*: every minimal set up to a size, of either version, is tried on the
//! other, so a difference is a proof and not a guess. *Promises and access*: every promise of the old version is
//! asked of the new one, and an honest customer walks to every action, also without each one thing they could lose.
//! *Settings* of paths that exist in both ([`settings`]): what the rules of the prover take as satisfied (limits,
//! backups, conditions, lengths of time) and what reaches further than the size looked at.

mod drills;
mod settings;

use countersign_language::{
    ActionId, Assumption, Claim, Holding, HoldingId, HoldingKind, LossId, Procedure, Promise,
    RoleId, Span, Target,
};

use crate::{
    Attack, Compromise, Limits, Lockout, Reacher, System, Verdict, check, length, lockout, names,
    target_name,
};

/// What got weaker, stronger, or only different from one version to the next.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Diff {
    /// What a thief gains, or an honest customer or a promise loses.
    pub weaker: Vec<Difference>,
    /// The reverse.
    pub stronger: Vec<Difference>,
    /// Neither, as far as can be told: other words, another connector, one more way, a longer wait for everybody.
    pub changed: Vec<Difference>,
    /// Size of the attacks looked at.
    pub at_most: usize,
    /// No attack of that size is missing from the comparison.
    pub complete: bool,
}

/// One difference, told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// One sentence, without a full stop.
    pub text: String,
    /// Where it stands in the old version.
    pub old: Option<Span>,
    /// Where it stands in the new version.
    pub new: Option<Span>,
    /// The attack that appeared (its spans are of the new version) or vanished (of the old).
    pub attack: Option<Attack>,
}

/// Steps of honest customers that are walked at most, one for each action and thing lost; past that only customers
/// who have everything are asked after.
const WALKS_MAX: usize = 20_000;

/// Compares two versions; attacks up to `at_most` compromises.
pub fn diff(old: &Procedure, new: &Procedure, at_most: usize, limits: Limits) -> Diff {
    let mut diff = Diff {
        at_most,
        complete: true,
        ..Diff::default()
    };
    if old.clone().without_spans() == new.clone().without_spans() {
        return diff;
    }
    promises(old, new, &mut diff);
    settings::compare(old, new, &mut diff);
    drills::compare(old, new, &mut diff);
    let (old_side, new_side) = (Side::of(old), Side::of(new));
    let appeared = gained(&new_side, &old_side, at_most, limits, &mut diff.complete);
    let vanished = gained(&old_side, &new_side, at_most, limits, &mut diff.complete);
    diff.weaker
        .extend(appeared.into_iter().map(|gain| Difference {
            text: format!("{} now leads to {}", gain.set, gain.targets),
            old: None,
            new: last_line(&gain.attack),
            attack: Some(gain.attack),
        }));
    diff.stronger
        .extend(vanished.into_iter().map(|gain| Difference {
            text: format!("{} no longer leads to {}", gain.set, gain.targets),
            old: last_line(&gain.attack),
            new: None,
            attack: Some(gain.attack),
        }));
    access(old, new, &mut diff);
    diff
}

/// A procedure made ready for questions.
struct Side<'a> {
    procedure: &'a Procedure,
    system: System,
}

impl<'a> Side<'a> {
    fn of(procedure: &'a Procedure) -> Self {
        Self {
            procedure,
            system: System::compile(procedure),
        }
    }
}

/// A set that is an attack on one side only.
struct Gain {
    set: String,
    targets: String,
    attack: Attack,
}

/// Minimal sets of `here` that do not reach the same target `there`, one a set, with all that it reaches.
fn gained(
    here: &Side<'_>,
    there: &Side<'_>,
    at_most: usize,
    limits: Limits,
    complete: &mut bool,
) -> Vec<Gain> {
    let mut reacher = Reacher::new(&there.system);
    let mut found: Vec<(Vec<Compromise>, Vec<Target>)> = Vec::new();
    for (target, same) in targets_in_both(here.procedure, there.procedure) {
        let attacks = here
            .system
            .attacks(here.procedure, &[target], at_most, limits);
        *complete &= attacks.complete();
        for set in attacks.sets {
            reacher.ask(
                &there.system,
                &translated(here.procedure, there.procedure, &set),
            );
            if reacher.reached(&there.system, same) {
                continue;
            }
            match found.iter_mut().find(|(known, _)| *known == set) {
                Some((_, targets)) => targets.push(target),
                None => found.push((set, vec![target])),
            }
        }
    }
    found.sort_by_key(|(set, _)| {
        (
            set.iter().map(|one| one.size()).sum::<usize>(),
            names(here.procedure, set),
        )
    });
    found
        .into_iter()
        .filter_map(|(set, targets)| {
            let attack = here
                .system
                .explain(here.procedure, &set, targets.get(..1)?)?;
            let targets: Vec<String> = targets
                .iter()
                .map(|&target| format!("`{}`", target_name(here.procedure, target)))
                .collect();
            let names: Vec<String> = attack.set.iter().map(|name| format!("`{name}`")).collect();
            Some(Gain {
                set: if names.is_empty() {
                    "nothing at all".to_owned()
                } else {
                    names.join(" + ")
                },
                targets: targets.join(", "),
                attack,
            })
        })
        .collect()
}

/// Losses first, then actions the gate runs.
fn targets_in_both(here: &Procedure, there: &Procedure) -> Vec<(Target, Target)> {
    let losses = (0..)
        .zip(&here.losses)
        .filter_map(|(index, loss)| Some((index, there.loss_named(&loss.name)?)))
        .map(|(here, there)| (Target::Loss(LossId(here)), Target::Loss(there)));
    let actions = (0..)
        .zip(&here.actions)
        .filter(|(_, action)| !action.outside)
        .filter_map(|(index, action)| Some((index, there.action_named(&action.name)?)))
        .map(|(here, there)| (Target::Action(ActionId(here)), Target::Action(there)));
    losses.chain(actions).collect()
}

/// The same compromises by name; what the other version does not know is no help there.
fn translated(from: &Procedure, to: &Procedure, set: &[Compromise]) -> Vec<Compromise> {
    set.iter()
        .filter_map(|&compromise| match compromise {
            Compromise::Holding(holding) => {
                holding_like(from, to, holding).map(Compromise::Holding)
            }
            Compromise::Deceived { role, count } => {
                role_like(from, to, role).map(|role| Compromise::Deceived { role, count })
            }
            Compromise::NoticesUnread => Some(compromise),
        })
        .collect()
}

fn holding_like(from: &Procedure, to: &Procedure, holding: HoldingId) -> Option<HoldingId> {
    to.holding_named(&from.holdings.get(holding.index())?.name)
}

fn role_like(from: &Procedure, to: &Procedure, role: RoleId) -> Option<RoleId> {
    to.role_named(&from.roles.get(role.index())?.name)
}

/// Where an attack's last action stands.
fn last_line(attack: &Attack) -> Option<Span> {
    attack
        .steps
        .iter()
        .rev()
        .find(|step| matches!(step.what, crate::What::Act { .. }))
        .or(attack.steps.last())
        .map(|step| step.span)
}

/// The promises of the old version, asked of the new one; and those that came and went.
fn promises(old: &Procedure, new: &Procedure, diff: &mut Diff) {
    let before = check(old);
    let now = check(new);
    let carried: Vec<(usize, Promise)> = old
        .promises
        .iter()
        .enumerate()
        .filter_map(|(index, promise)| Some((index, carried(old, new, promise)?)))
        .collect();
    let mut asked = new.clone();
    asked.promises = carried.iter().map(|(_, promise)| promise.clone()).collect();
    let mut verdicts: Vec<Option<Verdict>> = vec![None; old.promises.len()];
    for ((index, _), verdict) in carried.iter().zip(check(&asked)) {
        if let Some(place) = verdicts.get_mut(*index) {
            *place = Some(verdict);
        }
    }
    for ((promise, was), verdict) in old.promises.iter().zip(&before).zip(verdicts) {
        let kept = new
            .promises
            .iter()
            .zip(&now)
            .find(|(other, _)| other.text == promise.text);
        let difference = |text: String, attack: Option<Attack>| Difference {
            text,
            old: Some(promise.span),
            new: kept.map(|(other, _)| other.span),
            attack,
        };
        let words = format!("“{}”", promise.text);
        if kept.is_none() {
            diff.weaker
                .push(difference(format!("{words} is no longer promised"), None));
        }
        match verdict {
            Some(verdict) if was.kept && !verdict.kept => {
                let why = verdict
                    .missing
                    .first()
                    .map_or_else(String::new, |missing| format!(": {}", missing.text));
                diff.weaker.push(difference(
                    format!("{words} was kept and would be broken{why}"),
                    verdict.attack,
                ));
            }
            Some(verdict) if !was.kept && verdict.kept => {
                diff.stronger.push(difference(
                    format!("{words} was broken and is kept"),
                    was.attack.clone(),
                ));
            }
            _ => {}
        }
    }
    for (promise, verdict) in new.promises.iter().zip(&now) {
        let before = old.promises.iter().find(|other| other.text == promise.text);
        let difference = |text: String| Difference {
            text,
            old: before.map(|other| other.span),
            new: Some(promise.span),
            attack: verdict.attack.clone(),
        };
        let words = format!("“{}”", promise.text);
        match before {
            None if verdict.kept => diff
                .stronger
                .push(difference(format!("{words} is now promised, and kept"))),
            None => diff.weaker.push(difference(format!(
                "{words} is now promised, and would be broken"
            ))),
            Some(other)
                if carried_claim(old, new, &other.claim).as_ref() != Some(&promise.claim) =>
            {
                let into = if verdict.kept {
                    &mut diff.changed
                } else {
                    &mut diff.weaker
                };
                into.push(difference(format!("{words} claims something else now")));
            }
            Some(_) => {}
        }
    }
}

/// A promise of one version, in the names of another; none if those are gone.
fn carried(from: &Procedure, to: &Procedure, promise: &Promise) -> Option<Promise> {
    Some(Promise {
        text: promise.text.clone(),
        claim: carried_claim(from, to, &promise.claim)?,
        span: promise.span,
    })
}

fn carried_claim(from: &Procedure, to: &Procedure, claim: &Claim) -> Option<Claim> {
    let action = |id: ActionId| to.action_named(&from.actions.get(id.index())?.name);
    Some(match claim {
        Claim::Never { even_if, targets } => Claim::Never {
            even_if: even_if
                .iter()
                .map(|assumption| {
                    Some(match assumption {
                        Assumption::Holding(id) => {
                            Assumption::Holding(holding_like(from, to, *id)?)
                        }
                        Assumption::Deceived { count, role } => Assumption::Deceived {
                            count: *count,
                            role: role_like(from, to, *role)?,
                        },
                        Assumption::AnyDeceived(role) => {
                            Assumption::AnyDeceived(role_like(from, to, *role)?)
                        }
                        Assumption::AnyOfKind { .. } | Assumption::NoticesUnread => {
                            assumption.clone()
                        }
                    })
                })
                .collect::<Option<_>>()?,
            targets: targets
                .iter()
                .map(|&target| {
                    Some(match target {
                        Target::Loss(id) => {
                            Target::Loss(to.loss_named(&from.losses.get(id.index())?.name)?)
                        }
                        Target::Action(id) => Target::Action(action(id)?),
                    })
                })
                .collect::<Option<_>>()?,
        },
        Claim::Always {
            without,
            action: goal,
            within,
        } => Claim::Always {
            without: without
                .iter()
                .map(|&id| holding_like(from, to, id))
                .collect::<Option<_>>()?,
            action: action(*goal)?,
            within: *within,
        },
    })
}

/// Who is locked out now and was not, and who waits longer.
fn access(old: &Procedure, new: &Procedure, diff: &mut Diff) {
    let everything = (lockout(old, &[]), lockout(new, &[]));
    let before: Vec<ActionId> = reachable(&everything.0);
    walk(old, new, None, &everything, &before, diff);
    let losable: Vec<(HoldingId, HoldingId, &Holding)> = (0..)
        .zip(&old.holdings)
        .filter(|(_, holding)| holding.kind != HoldingKind::State)
        .filter_map(|(index, holding)| {
            Some((HoldingId(index), new.holding_named(&holding.name)?, holding))
        })
        .collect();
    let walks = losable
        .len()
        .saturating_mul(old.actions.len().saturating_add(new.actions.len()));
    if walks > WALKS_MAX {
        return;
    }
    // Who is locked out with everything in hand is not told again for each thing lost.
    let after: Vec<ActionId> = reachable(&everything.1)
        .into_iter()
        .filter_map(|id| old.action_named(&new.actions.get(id.index())?.name))
        .collect();
    let both: Vec<ActionId> = before
        .into_iter()
        .filter(|action| after.contains(action))
        .collect();
    for (was, is, holding) in losable {
        let ways = (lockout(old, &[was]), lockout(new, &[is]));
        walk(old, new, Some(holding), &ways, &both, diff);
    }
}

fn reachable(lockout: &Lockout) -> Vec<ActionId> {
    lockout
        .actions
        .iter()
        .filter(|access| access.way.is_some())
        .map(|access| access.action)
        .collect()
}

fn walk(
    old: &Procedure,
    new: &Procedure,
    lost: Option<&Holding>,
    (before, now): &(Lockout, Lockout),
    among: &[ActionId],
    diff: &mut Diff,
) {
    let who = lost.map_or_else(
        || "an honest customer".to_owned(),
        |holding| format!("an honest customer without `{}`", holding.name),
    );
    for was in &before.actions {
        let Some(action) = old
            .actions
            .get(was.action.index())
            .filter(|action| !action.outside)
        else {
            continue;
        };
        let Some(same) = new.action_named(&action.name) else {
            continue;
        };
        let Some(is) = now.actions.iter().find(|access| access.action == same) else {
            continue;
        };
        let difference = |text: String| Difference {
            text,
            old: Some(action.span),
            new: new.actions.get(same.index()).map(|action| action.span),
            attack: None,
        };
        let name = &action.name;
        match (&was.way, &is.way) {
            (Some(_), None) if lost.is_none() || among.contains(&was.action) => diff
                .weaker
                .push(difference(format!("{who} can no longer reach `{name}`"))),
            (None, Some(_)) if lost.is_none() || among.contains(&was.action) => diff
                .stronger
                .push(difference(format!("{who} can now reach `{name}`"))),
            (Some(was), Some(is)) if was.seconds != is.seconds => {
                let time = |seconds: u64| {
                    if seconds == 0 {
                        "at once".to_owned()
                    } else {
                        format!("in {}", length(seconds))
                    }
                };
                diff.changed.push(difference(format!(
                    "{who} gets to `{name}` {}, before {}",
                    time(is.seconds),
                    time(was.seconds)
                )));
            }
            _ => {}
        }
    }
}
