//! Whether the staff there is can do what the paths ask.

use std::collections::BTreeMap;

use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::findings::Findings;
use crate::model::{Action, Path, Procedure, Requirement, RoleId, Span};
use crate::words::listed;

/// Whether there are enough people for every path's sign-offs.
///
/// `people` is how many persons have each role, by the role's name; a person
/// counts once, under the highest role they have. The language does not know
/// these numbers, so whoever does asks: `serve` and `doctor`. Every finding is
/// a warning: `too-few-people` at the sign-off that cannot be met, and
/// `nobody-on-duty` at an action of which no path can be completed.
pub fn check_staffing(procedure: &Procedure, people: &BTreeMap<String, u32>) -> Vec<Diagnostic> {
    let mut findings = Findings::default();
    let there_are: Vec<u64> = procedure
        .roles
        .iter()
        .map(|role| u64::from(people.get(&role.name).copied().unwrap_or(0)))
        .collect();
    for action in procedure.actions.iter().filter(|action| !action.outside) {
        let mut open = false;
        for path in &action.paths {
            open |= enough_people(procedure, action, path, &there_are, &mut findings);
        }
        if !open
            && let Some(finding) = findings.add(codes::NOBODY_ON_DUTY, action.span, || {
                format!("with these people nobody can complete `{}`", action.name)
            })
        {
            finding.help("give it a path that these people can complete, or let the customer know when the others are there");
        }
    }
    findings.finish()
}

/// Reports a path that cannot be completed. By Hall's theorem: some set of slots wants more people than could fill any of them.
fn enough_people(
    procedure: &Procedure,
    action: &Action,
    path: &Path,
    there_are: &[u64],
    findings: &mut Findings,
) -> bool {
    let mut slots: BTreeMap<RoleId, (u64, Span)> = BTreeMap::new();
    let mut vouching: BTreeMap<RoleId, Span> = BTreeMap::new();
    for line in &path.lines {
        match &line.requirement {
            Requirement::SignOff { count, role } => {
                let slot = slots.entry(*role).or_insert((0, line.span));
                slot.0 += u64::from(*count);
            }
            Requirement::Confirms { role, .. } => {
                vouching.entry(*role).or_insert(line.span);
            }
            _ => {}
        }
    }
    // The opener who vouches is one person more; all such lines are the same person.
    for (role, place) in vouching {
        slots.entry(role).or_insert((0, place)).0 += 1;
    }
    let slots: Vec<(RoleId, u64, Span)> = slots
        .into_iter()
        .map(|(role, (count, place))| (role, count, place))
        .collect();
    let sets: Vec<u64> = if slots.len() <= 12 {
        (1..1_u64 << slots.len()).collect()
    } else {
        (0..slots.len().min(64))
            .map(|slot| 1 << slot)
            .chain([u64::MAX])
            .collect()
    };
    for set in sets {
        let chosen = || {
            slots
                .iter()
                .enumerate()
                .filter(move |(slot, _)| *slot < 64 && set >> slot & 1 == 1)
                .map(|(_, slot)| slot)
        };
        let wanted: u64 = chosen().map(|(_, count, _)| count).sum();
        let available: u64 = there_are
            .iter()
            .enumerate()
            .filter(|(has, _)| {
                let has = RoleId(u32::try_from(*has).unwrap_or(u32::MAX));
                chosen().any(|(role, _, _)| procedure.role_covers(has, *role))
            })
            .map(|(_, count)| count)
            .sum();
        if wanted > available {
            let Some((_, _, place)) = chosen().next() else {
                continue;
            };
            if let Some(finding) = findings.add(codes::TOO_FEW_PEOPLE, *place, || {
                let labels: Vec<String> = chosen()
                    .filter_map(|(role, _, _)| procedure.roles.get(role.index()))
                    .map(|role| format!("`{}`", role.label))
                    .collect();
                let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
                format!(
                    "path `{}` of `{}` needs {wanted} {} as {} and there {} {available}",
                    path.name,
                    action.name,
                    if wanted == 1 { "person" } else { "people" },
                    listed(&labels, "or"),
                    if available == 1 { "is" } else { "are" },
                )
            }) {
                finding.help("ask for fewer signatures, let another role sign, or give more people this role");
            }
            return false;
        }
    }
    true
}
