//! What a requirement asks for, in people's words.

use countersign_language::{
    Action, BackupGrade, Comparison, Expr, Holding, Procedure, Requirement, RoleId, Scope, Subject,
    Value,
};

/// What a line asks for, in people's words.
pub(crate) fn words(procedure: &Procedure, action: &Action, requirement: &Requirement) -> String {
    match requirement {
        Requirement::Prove(expr) => proof_words(procedure, expr, true),
        Requirement::Confirms { role, text } => {
            format!(
                "the word of the {} who opened the case: {text}",
                role_label(procedure, *role)
            )
        }
        Requirement::SignOff { count: 1, role } => {
            format!("the signature of a {}", role_label(procedure, *role))
        }
        Requirement::SignOff { count, role } => {
            format!(
                "the signatures of {count} different people: {}",
                role_label(procedure, *role)
            )
        }
        Requirement::Notify { every: true, .. } => {
            "a notice to every contact of the customer".to_owned()
        }
        Requirement::Notify { channels, .. } => {
            let labels: Vec<_> = channels
                .iter()
                .filter_map(|channel| procedure.holdings.get(channel.index()))
                .map(|holding: &Holding| holding.label.as_str())
                .collect();
            format!("a notice to the {}", labels.join(" and the "))
        }
        Requirement::Wait(duration) => format!("a wait of {duration} in which it can be stopped"),
        Requirement::Backup {
            grade,
            within,
            places,
        } => {
            let kind = match grade {
                BackupGrade::Exists => "a backup",
                BackupGrade::Verified => "a verified backup",
                BackupGrade::Restored => "a backup restored elsewhere",
            };
            if *places > 1 {
                format!("{kind} of the last {within} in {places} places")
            } else {
                format!("{kind} of the last {within}")
            }
        }
        Requirement::When {
            subject,
            comparison,
            value,
        } => {
            let subject = match subject {
                Subject::Parameter(index) => {
                    let index = usize::try_from(*index).unwrap_or(usize::MAX);
                    action
                        .parameters
                        .get(index)
                        .map_or("", |parameter| parameter.label.as_str())
                }
                Subject::Attribute(name) => name.as_str(),
            };
            let comparison = match comparison {
                Comparison::Is => "is",
                Comparison::IsNot => "is not",
                Comparison::Less => "is less than",
                Comparison::AtMost => "is at most",
                Comparison::More => "is more than",
                Comparison::AtLeast => "is at least",
            };
            format!("{subject} {comparison} {}", value_words(value))
        }
        Requirement::AtMost { count, per, scope } => {
            let scope = match scope {
                Scope::Customer => "for this customer",
                Scope::Staff => "opened by the same person",
            };
            format!("at most {count} within {per} {scope}")
        }
    }
}

fn value_words(value: &Value) -> String {
    match value {
        Value::Text(text) => format!("“{text}”"),
        Value::Number(millionths) => {
            let sign = if *millionths < 0 { "-" } else { "" };
            let (whole, rest) = (
                millionths.unsigned_abs() / 1_000_000,
                millionths.unsigned_abs() % 1_000_000,
            );
            let text = format!("{sign}{whole}.{rest:06}");
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        }
    }
}

fn proof_words(procedure: &Procedure, expr: &Expr, outermost: bool) -> String {
    let join = |of: &[Expr], with: &str| {
        let each: Vec<_> = of
            .iter()
            .map(|one| proof_words(procedure, one, false))
            .collect();
        let joined = each.join(with);
        if outermost {
            joined
        } else {
            format!("({joined})")
        }
    };
    match expr {
        Expr::Atom { proof, settled, .. } => {
            let label = procedure
                .proofs
                .get(proof.index())
                .map_or("", |proof| proof.label.as_str());
            settled.map_or_else(
                || label.to_owned(),
                |settled| format!("{label} (unchanged for {settled})"),
            )
        }
        Expr::And(of) => join(of, " and "),
        Expr::Or(of) => join(of, " or "),
        Expr::NOf { n, of } => {
            let each: Vec<_> = of
                .iter()
                .map(|one| proof_words(procedure, one, false))
                .collect();
            format!("{n} of ({})", each.join(", "))
        }
    }
}

/// What people read for a role.
pub(crate) fn role_label(procedure: &Procedure, role: RoleId) -> String {
    procedure
        .roles
        .get(role.index())
        .map_or_else(String::new, |role| role.label.clone())
}
