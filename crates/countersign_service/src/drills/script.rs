//! What the customer of a planted case does: from the procedure alone.

use std::collections::{BTreeMap, BTreeSet};

use countersign_language::{
    Action, BackupGrade, Comparison, Expr, HoldingId, Method, Path, Procedure, ProofId,
    Requirement, RoleId, Subject, Value,
};

/// The way a planted case goes until a colleague is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Script {
    /// Proofs to make, in order.
    pub(super) proofs: Vec<ProofId>,
    /// Holdings that must not have changed lately.
    pub(super) settled: BTreeSet<HoldingId>,
    /// Attributes that its conditions ask for.
    pub(super) attributes: BTreeMap<String, String>,
    /// Attestations that it asks for: grade, and in how many places.
    pub(super) backups: Option<(BackupGrade, u32)>,
}

impl Script {
    /// Of the first path that one of these roles signs and that nobody of the staff must vouch for; `None` where there is none
    /// that can be played.
    pub(super) fn of(procedure: &Procedure, action: &Action, asks: &[RoleId]) -> Option<Self> {
        action
            .paths
            .iter()
            .find_map(|path| Self::along(procedure, path, asks))
    }

    fn along(procedure: &Procedure, path: &Path, asks: &[RoleId]) -> Option<Self> {
        let mut script = Self {
            proofs: Vec::new(),
            settled: BTreeSet::new(),
            attributes: BTreeMap::new(),
            backups: None,
        };
        let mut asked = false;
        for line in &path.lines {
            match &line.requirement {
                Requirement::Prove(expr) => {
                    for (proof, settled) in chosen(procedure, expr)? {
                        if !script.proofs.contains(&proof) {
                            script.proofs.push(proof);
                        }
                        if settled {
                            let shown = procedure.proofs.get(proof.index())?.shows;
                            script.settled.insert(shown);
                        }
                    }
                }
                Requirement::SignOff { role, .. } => {
                    asked |= asks.iter().any(|has| procedure.role_covers(*has, *role));
                }
                Requirement::Confirms { .. } => return None,
                Requirement::Backup { grade, places, .. } => {
                    script.backups = Some((*grade, *places));
                }
                Requirement::When {
                    subject: Subject::Attribute(name),
                    comparison: Comparison::Is,
                    value: Value::Text(text),
                } => {
                    script.attributes.insert(name.clone(), text.clone());
                }
                Requirement::When { .. }
                | Requirement::Notify { .. }
                | Requirement::Wait(_)
                | Requirement::AtMost { .. } => {}
            }
        }
        asked.then_some(script)
    }
}

/// The first way to satisfy an expression by proofs that leave nothing behind but that they were made.
fn chosen(procedure: &Procedure, expr: &Expr) -> Option<Vec<(ProofId, bool)>> {
    match expr {
        Expr::Atom { proof, settled, .. } => {
            let using = procedure.proofs.get(proof.index())?.using?;
            // A passkey's answer is a signature, and there is no passkey of nobody; a state is shown by the company's panel.
            let can = !matches!(using, Method::Passkey | Method::Panel);
            can.then(|| vec![(*proof, settled.is_some())])
        }
        Expr::And(all) => {
            let parts: Option<Vec<_>> = all.iter().map(|each| chosen(procedure, each)).collect();
            Some(parts?.concat())
        }
        Expr::Or(any) => any.iter().find_map(|each| chosen(procedure, each)),
        Expr::NOf { n, of } => {
            let count = usize::try_from(*n).ok()?;
            let parts: Vec<_> = of
                .iter()
                .filter_map(|each| chosen(procedure, each))
                .take(count)
                .collect();
            (parts.len() == count).then(|| parts.concat())
        }
    }
}

#[cfg(test)]
mod tests {
    use countersign_language::read;

    use super::*;

    fn script(path: &str) -> Option<Script> {
        let text = format!(
            "organisation \"A\"\nstaff agent \"agent\"\nstaff senior \"senior\" includes agent\nsecret pin \"PIN\" using pin\nchannel mailbox \"mailbox\"\ndevice key \"key\"\nproof mail_code \"code\" shows mailbox using mail\nproof passkey \"passkey\" shows key using passkey\naction close \"Close\" {{ runs panel  path usual {{ {path} }} }}\n"
        );
        let procedure = read(&text).procedure.unwrap();
        let senior = procedure.role_named("senior").unwrap();
        Script::of(&procedure, &procedure.actions[0], &[senior])
    }

    #[test]
    fn the_customer_of_a_planted_case_does_what_the_path_asks() {
        let script = script("prove passkey or pin and mail_code settled 7d  backup within 24h in 2 places  when customer.plan is \"gold\"  sign-off 1 agent").unwrap();
        assert_eq!(script.proofs.len(), 2);
        assert_eq!(script.settled.len(), 1);
        assert_eq!(script.backups, Some((BackupGrade::Exists, 2)));
        assert_eq!(script.attributes["plan"], "gold");
    }

    #[test]
    fn what_cannot_be_played_is_not() {
        assert_eq!(script("prove pin"), None, "nobody is asked");
        assert_eq!(script("prove passkey  sign-off 1 senior"), None);
        let vouched = "prove pin  agent confirms \"knows the voice\"  sign-off 1 senior";
        assert_eq!(script(vouched), None);
    }
}
