//! An attack, from what a thief has first to the loss, each request in a frame of its own.

use countersign_language::{ActionId, Expr, HoldingKind, PathId, Procedure, ProofId, Target};

use super::model::{Group, GroupKind, Icon, Kind, Lane, Mark, Node, Picture, Stage};
use super::plan::{Ask, capital, effect, icon, path_stages, way};
use crate::system::told;
use crate::{Attack, Compromise, Step, What};

/// How one set of compromises reaches its target, step by step.
pub fn attack(procedure: &Procedure, attack: &Attack) -> Picture {
    let mut first = Vec::new();
    let mut stages = Vec::new();
    let mut number = 0;
    let unread = attack.compromises.contains(&Compromise::NoticesUnread);
    for step in &attack.steps {
        match &step.what {
            What::Compromise(compromise) => first.push(Lane {
                name: String::new(),
                stages: vec![Stage::Node(compromised(procedure, *compromise, step))],
            }),
            What::Act {
                action,
                path,
                proofs,
            } => {
                number += 1;
                stages.extend(request(
                    procedure,
                    number,
                    *action,
                    *path,
                    proofs,
                    (step, unread),
                ));
            }
            What::Settle(..) => {}
            What::Reached(target) => stages.push(Stage::Node(end(procedure, *target))),
        }
    }
    let beginning = if first.is_empty() {
        Stage::Node(Node {
            kind: Kind::Start,
            icon: None,
            label: "Anybody".to_owned(),
            note: "needs nothing at all".to_owned(),
            words: "It takes nothing at all".to_owned(),
            mark: Mark::Does,
        })
    } else {
        Stage::Group(Group {
            kind: GroupKind::Options,
            label: "What a thief needs first".to_owned(),
            words: "What a thief needs first".to_owned(),
            lanes: first,
            beginning: Mark::Does,
            mark: Mark::Does,
        })
    };
    stages.insert(0, beginning);
    let set = if attack.set.is_empty() {
        "nothing at all".to_owned()
    } else {
        attack.set.join(", ")
    };
    let title = match attack.target {
        Target::Loss(_) => format!("Lost: {}", target_label(procedure, attack.target)),
        Target::Action(_) => format!(
            "Done by a thief: {}",
            target_label(procedure, attack.target)
        ),
    };
    Picture::of(title, format!("An attack that needs: {set}."), stages)
}

fn compromised(procedure: &Procedure, compromise: Compromise, step: &Step) -> Node {
    let (kind, icon, label, note) = match compromise {
        Compromise::Holding(id) => match procedure.holdings.get(id.index()) {
            Some(holding) => {
                let fate = match holding.kind {
                    HoldingKind::Secret => "stolen",
                    HoldingKind::Channel => "hijacked",
                    HoldingKind::Device => "taken",
                    HoldingKind::State => "reached",
                };
                let icon = Some(icon(holding.kind));
                (Kind::Plain, icon, capital(&holding.label), fate.to_owned())
            }
            None => (Kind::Plain, None, String::new(), String::new()),
        },
        Compromise::Deceived { role, count } => {
            let label = super::plan::role_label(procedure, role);
            let note = match count {
                1 => "fooled or bribed".to_owned(),
                count => format!("{count} people fooled or bribed"),
            };
            (Kind::Person, None, capital(label), note)
        }
        Compromise::NoticesUnread => (
            Kind::Plain,
            Some(Icon::Notice),
            "Notices".to_owned(),
            "nobody reads them".to_owned(),
        ),
    };
    Node {
        kind,
        icon,
        label,
        note,
        words: capital(&step.text),
        mark: Mark::Does,
    }
}

/// One request: the path taken, with what is proved on it in red and what is not needed faint.
fn request(
    procedure: &Procedure,
    number: u32,
    action_id: ActionId,
    path_id: PathId,
    proofs: &[ProofId],
    (step, unread): (&Step, bool),
) -> Option<Stage> {
    let action = procedure.actions.get(action_id.index())?;
    let path = action.paths.get(path_id.index())?;
    let mut stages = path_stages(procedure, action, path, &mut |ask| match ask {
        Ask::Prove {
            expr: Expr::Atom { proof, .. },
            within,
        } if within.is_some() && !proofs.contains(proof) => Mark::Faint,
        _ => Mark::Does,
    });
    // Whoever could stop it is the thief, or reads nothing.
    let is_told = told(procedure, action, path).is_some_and(|channels| !channels.is_empty());
    for stage in &mut stages {
        if let Stage::Node(node) = stage
            && node.kind == Kind::Wait
            && is_told
        {
            node.note = if unread {
                "nobody reads the notices".to_owned()
            } else {
                "only the thief is told".to_owned()
            };
        }
    }
    // The frame says which action; the last box what the thief gets of it.
    let mut last = effect(procedure, action, Mark::Does);
    if let (Stage::Node(node), false) = (&mut last, action.effects.is_empty()) {
        node.label = capital(&std::mem::take(&mut node.note));
    }
    stages.push(last);
    let label = match action.paths.len() {
        1 => format!("{number}. {}", action.label),
        _ => format!("{number}. {}: {}", action.label, way(path)),
    };
    Some(Stage::Group(Group {
        kind: GroupKind::Frame,
        label,
        words: capital(&step.text),
        lanes: vec![Lane {
            name: String::new(),
            stages,
        }],
        beginning: Mark::Does,
        mark: Mark::Does,
    }))
}

fn end(procedure: &Procedure, target: Target) -> Node {
    let note = match target {
        Target::Loss(_) => "lost",
        Target::Action(_) => "done by a thief",
    };
    let label = capital(&target_label(procedure, target));
    Node {
        kind: Kind::Loss,
        icon: None,
        words: format!("{label} is {note}"),
        label,
        note: note.to_owned(),
        mark: Mark::Does,
    }
}

fn target_label(procedure: &Procedure, target: Target) -> String {
    match target {
        Target::Loss(id) => procedure
            .losses
            .get(id.index())
            .map_or_else(String::new, |loss| loss.label.clone()),
        Target::Action(id) => procedure
            .actions
            .get(id.index())
            .map_or_else(String::new, |action| action.label.clone()),
    }
}
