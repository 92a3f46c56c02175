//! Proofs that prove little: of public facts, of what the staff can read, of one contact alone.

use crate::codes;
use crate::findings::Findings;
use crate::model::{
    Action, EffectKind, Exposure, Expr, HoldingId, HoldingKind, Path, Procedure, Requirement,
};

/// Looks at the paths of one action inside the gate.
pub(super) fn look(procedure: &Procedure, action: &Action, findings: &mut Findings) {
    for path in &action.paths {
        for line in &path.lines {
            if let Requirement::Prove(expression) = &line.requirement {
                exposed_proofs(procedure, expression, findings);
            }
        }
        call_back_only(procedure, action, path, findings);
    }
}

fn exposed_proofs(procedure: &Procedure, expression: &Expr, findings: &mut Findings) {
    super::each_atom(expression, &mut |proof, place| {
        let Some((proof, holding)) = procedure
            .proofs
            .get(proof.index())
            .and_then(|proof| Some((proof, procedure.holdings.get(proof.shows.index())?)))
        else {
            return;
        };
        match holding.exposure {
            Exposure::Hidden => {}
            Exposure::Public => {
                if let Some(finding) = findings.add(codes::PUBLIC_PROOF, place, || {
                    format!(
                        "everybody can know this, so `{}` proves nothing",
                        proof.name
                    )
                }) {
                    finding
                        .also(holding.span, "declared `public`")
                        .help("ask for a proof of something only the customer has or knows");
                }
            }
            Exposure::VisibleTo(role) => {
                let role = procedure.roles.get(role.index());
                if let Some(finding) = findings.add(codes::READABLE_PROOF, place, || {
                    format!(
                        "`{}` proves nothing against {}, who can read it",
                        proof.name,
                        role.map_or("staff", |role| role.label.as_str())
                    )
                }) {
                    finding
                        .also(holding.span, "declared `visible to` them")
                        .help("ask for a proof that no member of staff sees, such as a PIN the customer enters alone");
                }
            }
        }
    });
}

/// One contact on file is all that a path asks of the customer, and nobody else could stop it.
fn call_back_only(procedure: &Procedure, action: &Action, path: &Path, findings: &mut Findings) {
    let asked = || {
        path.lines
            .iter()
            .filter_map(|line| match &line.requirement {
                Requirement::Prove(expression) => Some((expression, line.span)),
                _ => None,
            })
    };
    let people = path
        .lines
        .iter()
        .any(|line| matches!(line.requirement, Requirement::SignOff { .. }));
    let word = path.lines.iter().find_map(|line| match line.requirement {
        Requirement::Confirms { role, .. } => Some((role, line.span)),
        _ => None,
    });
    if people || action.effects.is_empty() {
        return;
    }
    let Some((_, place)) = asked().next() else {
        // A call that somebody says they made is no proof by the customer at all.
        if let Some((role, place)) = word
            && told_while_waiting(path).next().is_none()
            && let Some(finding) = findings.add(codes::CALL_BACK_ONLY, place, || {
                let role = procedure.roles.get(role.index());
                format!(
                    "the word of one {} is all that stands behind this",
                    role.map_or("person", |role| role.label.as_str())
                )
            })
        {
            finding.help(INSTEAD);
        }
        return;
    };
    if word.is_some() {
        return;
    }
    let mut channels = Vec::new();
    for (expression, _) in asked() {
        channels_in(procedure, expression, &mut channels);
    }
    channels.sort_unstable();
    channels.dedup();
    for channel in channels {
        let effective = action.effects.iter().any(|effect| match effect.kind {
            EffectKind::Sends { to, .. } => to == channel,
            EffectKind::Gives(_) | EffectKind::Changes(_) | EffectKind::Loses(_) => true,
        });
        let enough = asked().all(|(expression, _)| shown_by(procedure, expression, channel));
        if effective
            && enough
            && told_while_waiting(path).all(|other| *other == channel)
            && let Some(finding) = findings.add(codes::CALL_BACK_ONLY, place, || {
                let label = procedure
                    .holdings
                    .get(channel.index())
                    .map_or("", |holding| holding.label.as_str());
                format!("whoever answers at the {label} needs nothing more for this")
            })
        {
            finding.help(INSTEAD);
            return;
        }
    }
}

const INSTEAD: &str = "calling or writing back shows one contact, which can be forwarded, swapped or read by others: ask for a second thing besides, or notify the other channels and wait";

/// The channels of whose owners could stop this path: those told, if it waits.
fn told_while_waiting(path: &Path) -> impl Iterator<Item = &HoldingId> {
    let waits = path
        .lines
        .iter()
        .any(|line| matches!(line.requirement, Requirement::Wait(_)));
    path.lines
        .iter()
        .filter(move |_| waits)
        .filter_map(|line| match &line.requirement {
            Requirement::Notify { channels, .. } => Some(channels),
            _ => None,
        })
        .flatten()
}

fn channels_in(procedure: &Procedure, expression: &Expr, channels: &mut Vec<HoldingId>) {
    super::each_atom(expression, &mut |proof, _| {
        if let Some(holding) = procedure.proofs.get(proof.index()).map(|proof| proof.shows)
            && procedure
                .holdings
                .get(holding.index())
                .is_some_and(|holding| holding.kind == HoldingKind::Channel)
        {
            channels.push(holding);
        }
    });
}

/// Whether somebody who has only this shows what is asked.
fn shown_by(procedure: &Procedure, expression: &Expr, only: HoldingId) -> bool {
    match expression {
        Expr::Atom { proof, .. } => procedure
            .proofs
            .get(proof.index())
            .is_some_and(|proof| proof.shows == only),
        Expr::And(parts) => parts.iter().all(|part| shown_by(procedure, part, only)),
        Expr::Or(parts) => parts.iter().any(|part| shown_by(procedure, part, only)),
        Expr::NOf { n, of } => {
            of.iter()
                .filter(|part| shown_by(procedure, part, only))
                .count()
                >= *n as usize
        }
    }
}
