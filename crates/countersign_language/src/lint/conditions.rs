//! Paths that nobody can complete whatever they have, and values that fall between two paths.

use std::collections::BTreeMap;

use crate::codes;
use crate::findings::Findings;
use crate::model::{
    Action, Comparison, Path, Procedure, Requirement, RoleId, Span, Subject, Value,
};
use crate::twin::decimal;

/// Looks at the paths of one action inside the gate.
pub(super) fn look(procedure: &Procedure, action: &Action, findings: &mut Findings) {
    let mut open = Vec::new();
    for path in &action.paths {
        let conditions = conditions(path);
        let closed = contradiction(action, &conditions, findings)
            || no_opener(procedure, action, path, findings);
        if !closed {
            open.push(conditions);
        }
    }
    gaps(action, &open, findings);
}

/// What one path asks of one subject.
#[derive(Debug, Default)]
struct Condition {
    /// Number conditions as an interval of millionths, both ends included, with holes.
    numbers: Option<Numbers>,
    /// Words it must be.
    is: Vec<String>,
    /// Words it must not be.
    is_not: Vec<String>,
    /// Where: every line about this subject.
    places: Vec<Span>,
}

#[derive(Debug)]
struct Numbers {
    low: i64,
    high: i64,
    holes: Vec<i64>,
}

/// A parameter by its index or an attribute by its name, in a stable order.
type Name = Result<u32, String>;

fn conditions(path: &Path) -> BTreeMap<Name, Condition> {
    let mut all: BTreeMap<Name, Condition> = BTreeMap::new();
    for line in &path.lines {
        let Requirement::When {
            subject,
            comparison,
            value,
        } = &line.requirement
        else {
            continue;
        };
        let subject = match subject {
            Subject::Parameter(index) => Ok(*index),
            Subject::Attribute(name) => Err(name.clone()),
        };
        let condition = all.entry(subject).or_default();
        condition.places.push(line.span);
        match value {
            Value::Number(number) => {
                let numbers = condition.numbers.get_or_insert(Numbers {
                    low: i64::MIN,
                    high: i64::MAX,
                    holes: Vec::new(),
                });
                numbers.narrow(*comparison, *number);
            }
            Value::Text(text) => match comparison {
                Comparison::Is => condition.is.push(text.clone()),
                _ => condition.is_not.push(text.clone()),
            },
        }
    }
    all
}

impl Numbers {
    fn narrow(&mut self, comparison: Comparison, number: i64) {
        match comparison {
            Comparison::Is => {
                self.low = self.low.max(number);
                self.high = self.high.min(number);
            }
            Comparison::IsNot => self.holes.push(number),
            Comparison::Less => self.high = self.high.min(number.saturating_sub(1)),
            Comparison::AtMost => self.high = self.high.min(number),
            Comparison::More => self.low = self.low.max(number.saturating_add(1)),
            Comparison::AtLeast => self.low = self.low.max(number),
        }
    }

    fn is_empty(&self) -> bool {
        self.low > self.high || (self.low == self.high && self.holes.contains(&self.low))
    }
}

fn contradiction(
    action: &Action,
    conditions: &BTreeMap<Name, Condition>,
    findings: &mut Findings,
) -> bool {
    for (subject, condition) in conditions {
        let words = condition.is.first().is_some_and(|first| {
            condition.is.iter().any(|other| other != first) || condition.is_not.contains(first)
        });
        if !words && !condition.numbers.as_ref().is_some_and(Numbers::is_empty) {
            continue;
        }
        let Some((last, earlier)) = condition.places.split_last() else {
            continue;
        };
        if let Some(finding) = findings.add(codes::CLOSED_PATH, *last, || {
            format!(
                "no value of `{}` meets all conditions of this path",
                name(action, subject)
            )
        }) {
            for place in earlier {
                finding.also(*place, "against this");
            }
            finding.help("write the cases as paths of their own");
        }
        return true;
    }
    false
}

/// The opener confirms; only where a path names two roles does a colleague confirm for the other.
fn no_opener(procedure: &Procedure, action: &Action, path: &Path, findings: &mut Findings) -> bool {
    let confirming: Vec<(RoleId, Span)> = path
        .lines
        .iter()
        .filter_map(|line| match line.requirement {
            Requirement::Confirms { role, .. } => Some((role, line.span)),
            _ => None,
        })
        .collect();
    let Some((_, place)) = confirming.last() else {
        return false;
    };
    let able = (0..).map(RoleId).take(procedure.roles.len()).any(|person| {
        let opens = action
            .opened_by
            .roles
            .iter()
            .any(|role| procedure.role_covers(person, *role));
        opens
            && confirming
                .iter()
                .all(|(role, _)| procedure.role_covers(person, *role))
    });
    if able {
        return false;
    }
    if let Some(finding) = findings.add(codes::CLOSED_PATH, *place, || {
        "nobody who may open this case has the role to confirm this".to_owned()
    }) {
        finding.help("the opener confirms: let that role open the case with `opened by`, or ask for its `sign-off` instead");
    }
    true
}

/// Values of a number between those that two paths allow, where every path asks about the number.
fn gaps(action: &Action, open: &[BTreeMap<Name, Condition>], findings: &mut Findings) {
    let Some(first) = open.first() else {
        return;
    };
    for subject in first.keys() {
        let mut covered: Vec<(i64, i64, Span)> = Vec::new();
        let mut everywhere = false;
        for path in open {
            match path.get(subject) {
                Some(condition) if condition.is.is_empty() && condition.is_not.is_empty() => {
                    let (Some(numbers), Some(place)) =
                        (&condition.numbers, condition.places.first())
                    else {
                        continue;
                    };
                    // What `is not` leaves out is left out on purpose.
                    covered.push((numbers.low, numbers.high, *place));
                }
                _ => everywhere = true,
            }
        }
        if everywhere {
            continue;
        }
        covered.sort_unstable();
        let mut reached: Option<(i64, Span)> = None;
        for (low, high, place) in covered {
            if let Some((so_far, before)) = reached
                && so_far.saturating_add(1) < low
                && let Some(finding) = findings.add(codes::CONDITION_GAP, place, || {
                    format!(
                        "no path is open when `{}` is {}",
                        name(action, subject),
                        between(so_far, low)
                    )
                })
            {
                finding
                    .also(before, "the path below the gap")
                    .help("let the conditions meet: `<= 50` beside `> 50`");
            }
            if reached.is_none_or(|(so_far, _)| high > so_far) {
                reached = Some((high, place));
            }
        }
    }
}

/// What lies between two covered values, told with the rounder of each pair of neighbours.
fn between(below: i64, above: i64) -> String {
    let (first, last) = (below.saturating_add(1), above.saturating_sub(1));
    if first == last {
        return decimal(first);
    }
    let from = if rounder(first, below) {
        format!("{} or more", decimal(first))
    } else {
        format!("more than {}", decimal(below))
    };
    let to = if rounder(last, above) {
        format!("at most {}", decimal(last))
    } else {
        format!("less than {}", decimal(above))
    };
    format!("{from} and {to}")
}

fn rounder(one: i64, other: i64) -> bool {
    let zeros = |number: i64| {
        (1..=18)
            .take_while(|digits| number % 10_i64.pow(*digits) == 0)
            .count()
    };
    zeros(one) > zeros(other)
}

fn name(action: &Action, subject: &Name) -> String {
    match subject {
        Ok(index) => action
            .parameters
            .get(*index as usize)
            .map_or_else(String::new, |parameter| parameter.name.clone()),
        Err(attribute) => format!("customer.{attribute}"),
    }
}

#[cfg(test)]
mod tests {
    use super::between;

    #[test]
    fn a_gap_is_told_in_round_numbers() {
        assert_eq!(between(49_999_999, 50_000_001), "50");
        assert_eq!(
            between(50_000_000, 100_000_000),
            "more than 50 and less than 100"
        );
        assert_eq!(
            between(49_999_999, 100_000_001),
            "50 or more and at most 100"
        );
    }
}
