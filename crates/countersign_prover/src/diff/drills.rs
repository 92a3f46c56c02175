//! Drills of two versions: whose attention is measured, on what, how often, and with which scenarios.
//!
//! Compared by action and role, so that lines which were only put together or taken apart differ in nothing.

use std::collections::{BTreeMap, BTreeSet};

use countersign_language::{Procedure, Span};

use super::{Diff, Difference};
use crate::length;

/// What the drills on one action ask of one role, together.
struct Asked {
    /// Drills in a million days, on the average.
    rate: u64,
    plays: BTreeSet<String>,
    span: Span,
}

/// Compares the drills that both versions declare, and names what only one does.
pub(super) fn compare(old: &Procedure, new: &Procedure, diff: &mut Diff) {
    let (before, now) = (asked(old), asked(new));
    for ((action, role), was) in &before {
        let Some(is) = now.get(&(action.clone(), role.clone())) else {
            // An action or a role that is gone is told of as such.
            if new.action_named(action).is_some() && new.role_named(role).is_some() {
                let text = format!("`{role}` is no longer asked in a drill on `{action}`");
                diff.weaker.push(told(text, Some(was.span), None));
            }
            continue;
        };
        let often = |into: &mut Vec<Difference>| {
            let text = format!(
                "a drill on `{action}` asks `{role}` every {} and no longer every {}",
                period(is.rate),
                period(was.rate)
            );
            into.push(told(text, Some(was.span), Some(is.span)));
        };
        match is.rate.cmp(&was.rate) {
            std::cmp::Ordering::Less => often(&mut diff.weaker),
            std::cmp::Ordering::Greater => often(&mut diff.stronger),
            std::cmp::Ordering::Equal => {}
        }
        for scenario in was.plays.difference(&is.plays) {
            let text = format!("a drill on `{action}` no longer plays `{scenario}` to `{role}`");
            diff.weaker.push(told(text, Some(was.span), Some(is.span)));
        }
        for scenario in is.plays.difference(&was.plays) {
            let text = format!("a drill on `{action}` now plays `{scenario}` to `{role}`");
            diff.stronger
                .push(told(text, Some(was.span), Some(is.span)));
        }
    }
    for ((action, role), is) in &now {
        let known = old.action_named(action).is_some() && old.role_named(role).is_some();
        if known && !before.contains_key(&(action.clone(), role.clone())) {
            let text = format!(
                "`{role}` is now asked in a drill on `{action}`, every {}",
                period(is.rate)
            );
            diff.stronger.push(told(text, None, Some(is.span)));
        }
    }
}

fn told(text: String, old: Option<Span>, new: Option<Span>) -> Difference {
    Difference {
        text,
        old,
        new,
        attack: None,
    }
}

fn asked(procedure: &Procedure) -> BTreeMap<(String, String), Asked> {
    let mut all: BTreeMap<(String, String), Asked> = BTreeMap::new();
    for drill in &procedure.drills {
        let Some(action) = procedure.actions.get(drill.action.index()) else {
            continue;
        };
        let rate = MILLION_DAYS / drill.every.seconds().max(1);
        let roles = drill.asks.iter();
        for role in roles.filter_map(|role| procedure.roles.get(role.index())) {
            let asked = all
                .entry((action.name.clone(), role.name.clone()))
                .or_insert(Asked {
                    rate: 0,
                    plays: BTreeSet::new(),
                    span: drill.span,
                });
            asked.rate += rate;
            asked.plays.extend(drill.plays.iter().cloned());
        }
    }
    all
}

const MILLION_DAYS: u64 = 1_000_000 * 86_400;

/// `14d`: the time from one to the next, on the average, to the hour.
fn period(rate: u64) -> String {
    let hours = (1_000_000 * 24 + rate / 2) / rate.max(1);
    length(hours.max(1) * 3_600)
}
