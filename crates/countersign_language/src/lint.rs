//! Warnings that teach: a valid procedure that is probably not what was meant.

use std::collections::BTreeMap;

use crate::codes;
use crate::findings::Findings;
use crate::model::{
    Action, EffectKind, Expr, HoldingId, HoldingKind, Method, Path, Procedure, ProofId,
    Requirement, Span,
};

mod conditions;
mod contacts;
mod exposed;
mod staffing;

pub use staffing::check_staffing;

/// Looks at a procedure without errors, before its actions are there.
pub(crate) fn before_actions(procedure: &Procedure, findings: &mut Findings) {
    methods(procedure, findings);
}

/// Looks at one action as soon as it is there.
pub(crate) fn action(procedure: &Procedure, action: &Action, findings: &mut Findings) {
    if action.outside {
        return;
    }
    for path in &action.paths {
        unnoticed_wait(path, findings);
        falls_together(procedure, path, findings);
        for line in &path.lines {
            if let Requirement::Prove(expression) = &line.requirement {
                unusable_proofs(procedure, expression, findings);
            }
        }
    }
    change_without_wait(procedure, action, findings);
    contacts::look(procedure, action, findings);
    exposed::look(procedure, action, findings);
    conditions::look(procedure, action, findings);
}

/// Looks at how the actions hang together, when all are there.
pub(crate) fn after_actions(procedure: &Procedure, reach: Reach, findings: &mut Findings) {
    unreachable_actions(procedure, reach, findings);
}

fn methods(procedure: &Procedure, findings: &mut Findings) {
    for proof in &procedure.proofs {
        let Some((method, holding)) = proof.using.zip(procedure.holdings.get(proof.shows.index()))
        else {
            continue;
        };
        let fits = match method {
            Method::Password | Method::Pin => holding.kind == HoldingKind::Secret,
            Method::Totp | Method::Passkey => {
                matches!(holding.kind, HoldingKind::Device | HoldingKind::Secret)
            }
            Method::Mail | Method::Text => holding.kind == HoldingKind::Channel,
            Method::Panel => holding.kind == HoldingKind::State,
            Method::Oidc | Method::Ciba | Method::Webhook => true,
        };
        if !fits {
            odd_method(proof.span, method, &holding.name, holding.kind, findings);
        }
    }
    for holding in &procedure.holdings {
        if let (Some(method), HoldingKind::Channel | HoldingKind::Device) =
            (holding.using, holding.kind)
            && let Some(finding) = findings.add(codes::ODD_METHOD, holding.span, || {
                format!(
                    "`using {}` has no effect here: a {} is not its own proof",
                    method.as_str(),
                    holding.kind.as_str()
                )
            })
        {
            finding.help(format!(
                "declare `proof … \"…\" shows {} using {}`",
                holding.name,
                method.as_str()
            ));
        }
    }
}

fn odd_method(
    place: Span,
    method: Method,
    holding: &str,
    kind: HoldingKind,
    findings: &mut Findings,
) {
    if let Some(finding) = findings.add(codes::ODD_METHOD, place, || {
        format!(
            "`{}` does not show `{holding}`, which is {}",
            method.as_str(),
            kind.with_article()
        )
    }) {
        finding.help(match method {
            Method::Password | Method::Pin => {
                "a password or PIN shows a secret: something one knows"
            }
            Method::Totp | Method::Passkey => {
                "a passkey or authenticator code shows a device: something one has"
            }
            Method::Panel => "the panel shows a state: that the customer is signed in to it",
            _ => "a code that is sent shows the channel it is sent to",
        });
    }
}

fn unnoticed_wait(path: &Path, findings: &mut Findings) {
    let notified = path
        .lines
        .iter()
        .any(|line| matches!(line.requirement, Requirement::Notify { .. }));
    for line in &path.lines {
        if matches!(line.requirement, Requirement::Wait(_))
            && !notified
            && let Some(finding) = findings.add(codes::UNNOTICED_WAIT, line.span, || {
                "nobody is told about this wait, so nobody can stop it".to_owned()
            })
        {
            finding.help("add `notify every channel` to the path");
        }
    }
}

fn change_without_wait(procedure: &Procedure, action: &Action, findings: &mut Findings) {
    for effect in &action.effects {
        let EffectKind::Changes(holding) = effect.kind else {
            continue;
        };
        let at_once: Vec<&Path> = action
            .paths
            .iter()
            .filter(|path| {
                !path
                    .lines
                    .iter()
                    .any(|line| matches!(line.requirement, Requirement::Wait(_)))
            })
            .collect();
        let Some(first) = at_once.first() else {
            continue;
        };
        let name = procedure
            .holdings
            .get(holding.index())
            .map_or("", |holding| holding.name.as_str());
        if let Some(finding) = findings.add(codes::CHANGE_WITHOUT_WAIT, effect.span, || {
            format!(
                "by path `{}`, `{name}` changes before its owner can say no",
                first.name
            )
        }) {
            finding.help("add `notify every channel` and `wait 72h` to the path, so that the owner of the old one can stop it");
            for path in at_once {
                finding.also(path.span, "no `wait` here");
            }
        }
    }
}

fn falls_together(procedure: &Procedure, path: &Path, findings: &mut Findings) {
    let mut proofs = path
        .lines
        .iter()
        .filter_map(|line| match &line.requirement {
            Requirement::Prove(expression) => Some(expression),
            _ => None,
        });
    // As most paths are: nothing that could fall together.
    if let (None | Some(Expr::Atom { .. }), None) = (proofs.next(), proofs.next()) {
        return;
    }
    let mut parts = Vec::new();
    for line in &path.lines {
        match &line.requirement {
            Requirement::Prove(Expr::And(all)) => parts.extend(all),
            Requirement::Prove(one) => parts.push(one),
            _ => {}
        }
    }
    together(procedure, &parts, findings);
}

/// Reports proofs of one holding in different parts of which several must hold.
fn together(procedure: &Procedure, parts: &[&Expr], findings: &mut Findings) {
    let mut shown: BTreeMap<HoldingId, (usize, Span)> = BTreeMap::new();
    // One part alone is in no other's company.
    let several = if parts.len() > 1 { parts } else { &[] };
    for (position, part) in several.iter().enumerate() {
        each_atom(part, &mut |proof, place| {
            let Some(holding) = procedure.proofs.get(proof.index()).map(|proof| proof.shows) else {
                return;
            };
            match shown.get(&holding) {
                Some((earlier, first)) if *earlier != position => {
                    let label = procedure
                        .holdings
                        .get(holding.index())
                        .map_or("", |holding| holding.label.as_str());
                    if let Some(finding) = findings.add(codes::FALLS_TOGETHER, place, || {
                        format!("whoever has the {label} needs nothing more for this")
                    }) {
                        finding
                            .also(*first, "the same thing is shown here")
                            .help("ask for a proof that shows something else");
                    }
                }
                Some(_) => {}
                None => {
                    shown.insert(holding, (position, place));
                }
            }
        });
    }
    for part in parts {
        match part {
            Expr::And(inner) => together(procedure, &inner.iter().collect::<Vec<_>>(), findings),
            Expr::NOf { n, of } if *n > 1 => {
                together(procedure, &of.iter().collect::<Vec<_>>(), findings);
            }
            Expr::Or(inner) | Expr::NOf { of: inner, .. } => {
                for one in inner {
                    together(procedure, &[one], findings);
                }
            }
            Expr::Atom { .. } => {}
        }
    }
}

/// Every proof that is named, and where.
fn each_atom(expression: &Expr, see: &mut impl FnMut(ProofId, Span)) {
    match expression {
        Expr::Atom { proof, span, .. } => see(*proof, *span),
        Expr::And(parts) | Expr::Or(parts) | Expr::NOf { of: parts, .. } => {
            for part in parts {
                each_atom(part, see);
            }
        }
    }
}

fn unusable_proofs(procedure: &Procedure, expression: &Expr, findings: &mut Findings) {
    each_atom(expression, &mut |proof, place| {
        let Some(proof) = procedure
            .proofs
            .get(proof.index())
            .filter(|proof| proof.using.is_none())
        else {
            return;
        };
        if let Some(finding) = findings.add(codes::UNUSABLE_PROOF, place, || {
            format!(
                "nobody can show `{}` at the gate: nothing says how",
                proof.name
            )
        }) {
            finding.help("say how it is shown where it is declared, such as `using pin`");
        }
    });
}

/// How far an honest customer who has everything gets, with honest staff and any amount of time.
pub(crate) struct Reach {
    /// By holding.
    has: Vec<bool>,
    /// By action.
    reached: Vec<bool>,
    /// Something new was had in this round.
    more: bool,
}

impl Reach {
    pub(crate) fn new(procedure: &Procedure) -> Self {
        Self {
            has: procedure
                .holdings
                .iter()
                .map(|holding| holding.kind != HoldingKind::State)
                .collect(),
            reached: Vec::new(),
            more: false,
        }
    }

    /// The first round, at the next action of the file.
    pub(crate) fn first(&mut self, procedure: &Procedure, action: &Action) {
        let reached = self.gets_to(procedure, action);
        self.reached.push(reached);
    }

    fn gets_to(&mut self, procedure: &Procedure, action: &Action) -> bool {
        let reached = action
            .paths
            .iter()
            .any(|path| passable(procedure, path, action.outside, &self.has));
        for effect in action.effects.iter().filter(|_| reached) {
            let (EffectKind::Gives(holding)
            | EffectKind::Changes(holding)
            | EffectKind::Sends { what: holding, .. }) = effect.kind
            else {
                continue;
            };
            if let Some(flag) = self.has.get_mut(holding.index()) {
                self.more |= !*flag;
                *flag = true;
            }
        }
        reached
    }
}

/// Actions that an honest customer cannot reach, after the first round.
fn unreachable_actions(procedure: &Procedure, mut reach: Reach, findings: &mut Findings) {
    /// States that hang on one another in longer chains are left alone.
    const MOST_ROUNDS: usize = 64;
    let mut reached = std::mem::take(&mut reach.reached);
    for round in 1.. {
        if !std::mem::take(&mut reach.more) {
            break;
        }
        if round == MOST_ROUNDS {
            return;
        }
        for (action, reached) in procedure.actions.iter().zip(&mut reached) {
            if !*reached {
                *reached = reach.gets_to(procedure, action);
            }
        }
    }
    for (action, _) in procedure
        .actions
        .iter()
        .zip(&reached)
        .filter(|(action, reached)| !**reached && !action.outside)
    {
        if let Some(finding) = findings.add(codes::UNREACHABLE_ACTION, action.span, || {
            format!("no honest customer can ever reach `{}`", action.name)
        }) {
            finding.help("every path asks for a proof that cannot be made, or for a state that no action gives");
        }
    }
}

fn passable(procedure: &Procedure, path: &Path, outside: bool, has: &[bool]) -> bool {
    path.lines.iter().all(|line| match &line.requirement {
        Requirement::Prove(expression) => provable(procedure, expression, outside, has),
        _ => true,
    })
}

fn provable(procedure: &Procedure, expression: &Expr, outside: bool, has: &[bool]) -> bool {
    match expression {
        Expr::Atom { proof, .. } => procedure.proofs.get(proof.index()).is_some_and(|proof| {
            (outside || proof.using.is_some() || {
                // A state that an action gives is seen by the gate itself.
                proof.implied
                    && procedure
                        .holdings
                        .get(proof.shows.index())
                        .is_some_and(|holding| holding.kind == HoldingKind::State)
            }) && has.get(proof.shows.index()).copied().unwrap_or(false)
        }),
        Expr::And(parts) => parts
            .iter()
            .all(|part| provable(procedure, part, outside, has)),
        Expr::Or(parts) => parts
            .iter()
            .any(|part| provable(procedure, part, outside, has)),
        Expr::NOf { n, of } => {
            of.iter()
                .filter(|part| provable(procedure, part, outside, has))
                .count()
                >= *n as usize
        }
    }
}
