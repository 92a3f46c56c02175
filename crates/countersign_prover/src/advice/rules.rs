//! Named rule sets: the sharpest lines of four standards, as far as a procedure shows whether they hold.
//!
//! Sources: NIST SP 800-63B-4 (July 2025), OWASP ASVS 5.0.0 chapter V6 (May 2025),
//! PCI DSS 4.0.1 requirement 8.3.3, and the FCC's rules on SIM changes and
//! port-outs, 47 CFR §64.2010(h) and §52.37 (FCC 23-95). Each rule is stated in
//! our own words on its page; none of them says that a company complies.

#![expect(
    clippy::indexing_slicing,
    reason = "every index in a checked `Procedure` is in range"
)]

use std::collections::BTreeSet;

use countersign_language::{
    Action, Diagnostic, EffectKind, Exposure, Expr, HoldingId, HoldingKind, Method, Path,
    Procedure, ProofId, Requirement, Span, Subject, by_place, codes,
};

use super::{
    evidence::{Evidence, Way, factors, things},
    inside, proofs,
};
use crate::{
    System,
    graph::{FALSE, Marks, Node},
};

/// A rule set that can be asked for.
#[derive(Debug, Clone, Copy)]
pub struct RuleSet {
    /// The word on the command line, such as `nist-aal2`.
    pub name: &'static str,
    /// What it is, in one line.
    pub title: &'static str,
    look: fn(&mut Judge<'_>),
}

/// All rule sets.
pub const RULE_SETS: &[RuleSet] = &[
    RuleSet {
        name: "nist-aal2",
        title: "account recovery of NIST SP 800-63B-4 for accounts at AAL2",
        look: nist,
    },
    RuleSet {
        name: "asvs-l2",
        title: "logging in and recovery of OWASP ASVS 5.0 chapter 6, level 2",
        look: asvs,
    },
    RuleSet {
        name: "pci",
        title: "PCI DSS 4.0.1 requirement 8.3.3",
        look: pci,
    },
    RuleSet {
        name: "fcc-sim",
        title: "the FCC's rules on SIM changes and port-outs, 47 CFR 64.2010(h) and 52.37",
        look: fcc,
    },
];

impl RuleSet {
    /// The rule set of that name, if there is one.
    pub fn named(name: &str) -> Option<Self> {
        RULE_SETS.iter().copied().find(|set| set.name == name)
    }
}

/// What in a procedure is against these rule sets: errors, by place.
pub fn judge(procedure: &Procedure, sets: &[RuleSet]) -> Vec<Diagnostic> {
    let system = System::compile(procedure);
    let mut judge = Judge {
        procedure,
        marks: Marks::new(&system.graph),
        system: &system,
        evidence: Evidence::new(procedure),
        shown: procedure
            .proofs
            .iter()
            .filter(|proof| proof.using.is_some())
            .map(|proof| proof.shows)
            .collect(),
        found: Vec::new(),
    };
    let mut asked: Vec<&str> = Vec::new();
    for set in sets {
        if !asked.contains(&set.name) {
            asked.push(set.name);
            (set.look)(&mut judge);
        }
    }
    by_place(&mut judge.found);
    judge.found.truncate(super::FINDINGS_MAX);
    judge.found
}

struct Judge<'p> {
    procedure: &'p Procedure,
    system: &'p System,
    marks: Marks,
    evidence: Evidence<'p>,
    /// Which holdings a customer can show.
    shown: BTreeSet<HoldingId>,
    found: Vec<Diagnostic>,
}

impl Judge<'_> {
    /// What of these kinds an action renews and where it says so, with the channel it is sent to.
    fn renewed(
        &self,
        action: &Action,
        kinds: &[HoldingKind],
    ) -> Vec<(HoldingId, Span, Option<HoldingId>)> {
        action
            .effects
            .iter()
            .filter_map(|effect| match effect.kind {
                EffectKind::Gives(what) | EffectKind::Changes(what) => {
                    Some((what, effect.span, None))
                }
                EffectKind::Sends { what, to } => Some((what, effect.span, Some(to))),
                EffectKind::Loses(_) => None,
            })
            .filter(|(what, ..)| {
                self.shown.contains(what)
                    && kinds.contains(&self.procedure.holdings[what.index()].kind)
            })
            .collect()
    }
}

/// NIST SP 800-63B-4 §§3.1.3.1, 4.2.2.2, 4.2.3 and 4.6.
fn nist(judge: &mut Judge<'_>) {
    let procedure = judge.procedure;
    let channels = channels(procedure);
    for action in inside(procedure) {
        for (what, place, to) in judge.renewed(action, &[HoldingKind::Secret, HoldingKind::Device])
        {
            let name = &procedure.holdings[what.index()].name;
            for path in &action.paths {
                if let Some(ways) = judge.evidence.ways(path)
                    && !has_word(path)
                    && ways.iter().any(|way| !recovers_at_aal2(procedure, way, to))
                {
                    let mut finding = Diagnostic::new(
                        codes::NIST_RECOVERY_EVIDENCE,
                        path.span,
                        format!("a new `{name}` on one code alone"),
                    );
                    finding.also(place, "renewed here").help(
                        "ask for two proofs that are not both codes sent to an address, or let the opener confirm that they looked at papers again",
                    );
                    judge.found.push(finding);
                }
                let told = told(path);
                if let Some(missing) = channels.iter().find(|channel| !told.contains(channel)) {
                    let mut finding = Diagnostic::new(
                        codes::NIST_RECOVERY_UNTOLD,
                        path.span,
                        format!(
                            "a new `{name}`, and the {} is not told",
                            procedure.holdings[missing.index()].label
                        ),
                    );
                    finding
                        .also(place, "renewed here")
                        .help("add `notify every channel`");
                    judge.found.push(finding);
                }
            }
        }
        if gives_state(procedure, action) {
            for path in &action.paths {
                for (proof, place) in atoms(path) {
                    let proof = &procedure.proofs[proof.index()];
                    if proof.using == Some(Method::Mail) {
                        let mut finding = Diagnostic::new(
                            codes::NIST_MAIL_LOGIN,
                            place,
                            format!(
                                "`{}` is sent by e-mail and lets somebody log in",
                                proof.name
                            ),
                        );
                        finding.help("keep mailed codes for recovery; log in with a passkey or an authenticator code");
                        judge.found.push(finding);
                    }
                }
            }
        }
    }
}

/// Two codes got by different methods, or one code and an authenticator, or (by more than is asked) a login at AAL2.
fn recovers_at_aal2(procedure: &Procedure, way: &Way, to: Option<HoldingId>) -> bool {
    let mut shown = things(procedure, way);
    shown.extend(to);
    let more = factors(procedure, way) > things(procedure, way).len();
    let all_sent = shown
        .iter()
        .all(|thing| procedure.holdings[thing.index()].kind == HoldingKind::Channel);
    more || (shown.len() >= 2 && !all_sent)
}

/// OWASP ASVS 5.0.0: 6.3.3, 6.3.4, 6.4.3, 6.4.4, 6.6.1.
fn asvs(judge: &mut Judge<'_>) {
    let procedure = judge.procedure;
    let protected: BTreeSet<Node> = procedure
        .actions
        .iter()
        .zip(&judge.system.actions)
        .filter(|(action, _)| {
            !action.outside
                && (gives_state(procedure, action)
                    || action
                        .effects
                        .iter()
                        .any(|effect| matches!(effect.kind, EffectKind::Loses(_))))
        })
        .map(|(_, &node)| node)
        .collect();
    for action in inside(procedure) {
        if gives_state(procedure, action) {
            logging_in(judge, action);
        }
        for (what, place, to) in judge.renewed(action, &[HoldingKind::Secret, HoldingKind::Device])
        {
            match procedure.holdings[what.index()].kind {
                HoldingKind::Secret => reset_bypass(judge, action, (what, place, to), &protected),
                _ => lost_factor(judge, action, what, place),
            }
        }
    }
}

fn logging_in(judge: &mut Judge<'_>, action: &Action) {
    let procedure = judge.procedure;
    let mut strengths: Vec<(usize, &Path)> = Vec::new();
    for path in &action.paths {
        let Some(ways) = judge.evidence.ways(path) else {
            continue;
        };
        let strength = ways
            .iter()
            .map(|way| factors(procedure, way))
            .min()
            .unwrap_or(0);
        strengths.push((strength, path));
        if strength < 2 {
            let mut finding = Diagnostic::new(
                codes::ASVS_ONE_FACTOR,
                path.span,
                format!(
                    "`{}` lets somebody in with {}",
                    action.name,
                    if strength == 0 {
                        "nothing that only the customer has"
                    } else {
                        "one factor"
                    }
                ),
            );
            finding.help("ask for a second one: `prove password and app_code`, or for a passkey, which is two in one");
            judge.found.push(finding);
        }
    }
    let Some(&(best, strongest)) = strengths.iter().max_by_key(|(strength, _)| *strength) else {
        return;
    };
    for (strength, path) in strengths {
        if strength < best {
            let mut finding = Diagnostic::new(
                codes::ASVS_UNEVEN_LOGIN,
                path.span,
                format!("this way into `{}` is weaker than another", action.name),
            );
            finding
                .also(
                    strongest.span,
                    format!("{best} factors here, {strength} there"),
                )
                .help("ask for equally much on every way in: a thief takes the easiest");
            judge.found.push(finding);
        }
    }
    let text_only = action.paths.iter().all(|path| {
        judge.evidence.ways(path).is_some_and(|ways| {
            !ways.is_empty()
                && ways.iter().all(|way| {
                    way.proofs()
                        .any(|proof| procedure.proofs[proof.index()].using == Some(Method::Text))
                })
        })
    });
    if text_only {
        let place = action
            .paths
            .iter()
            .flat_map(atoms)
            .find(|(proof, _)| procedure.proofs[proof.index()].using == Some(Method::Text))
            .map_or(action.span, |(_, place)| place);
        let mut finding = Diagnostic::new(
            codes::ASVS_TEXT_ONLY,
            place,
            format!("without a text message nobody gets into `{}`", action.name),
        );
        finding.help("offer an authenticator code or a passkey as well");
        judge.found.push(finding);
    }
}

/// A reset that somebody with one factor can ask for and that then lets them do what is protected.
fn reset_bypass(
    judge: &mut Judge<'_>,
    action: &Action,
    (what, place, to): (HoldingId, Span, Option<HoldingId>),
    protected: &BTreeSet<Node>,
) {
    let procedure = judge.procedure;
    for path in &action.paths {
        let Some(ways) = judge.evidence.ways(path) else {
            continue;
        };
        for way in ways {
            let mut shown = things(procedure, &way);
            let passkey = factors(procedure, &way) > shown.len();
            shown.extend(to);
            shown.remove(&what);
            if shown.len() > 1 || passkey {
                continue;
            }
            let seeds = shown
                .iter()
                .map(|thing| judge.system.own[thing.index()])
                .chain([judge.system.own[what.index()]])
                .filter(|&node| node != FALSE);
            let derived = judge.marks.close(&judge.system.graph, seeds);
            let reached = derived.iter().any(|node| protected.contains(node));
            if reached {
                let mut finding = Diagnostic::new(
                    codes::ASVS_RESET_BYPASS,
                    path.span,
                    format!(
                        "one factor resets `{}` and then does what two are asked for",
                        procedure.holdings[what.index()].name
                    ),
                );
                finding
                    .also(place, "reset here")
                    .help("let the reset ask for the second factor too, or for another that is not the way in afterwards");
                judge.found.push(finding);
                break;
            }
        }
    }
}

/// Who has lost their device shows papers, unless another device vouches for them.
fn lost_factor(judge: &mut Judge<'_>, action: &Action, what: HoldingId, place: Span) {
    let procedure = judge.procedure;
    for path in &action.paths {
        let Some(ways) = judge.evidence.ways(path) else {
            continue;
        };
        let device = |way: &Way| {
            things(procedure, way)
                .iter()
                .any(|thing| procedure.holdings[thing.index()].kind == HoldingKind::Device)
        };
        if has_word(path) || ways.iter().all(device) {
            continue;
        }
        let mut finding = Diagnostic::new(
            codes::ASVS_LOST_FACTOR,
            path.span,
            format!(
                "a new `{}` without another device and without papers",
                procedure.holdings[what.index()].name
            ),
        );
        finding
            .also(place, "replaced here")
            .help("let the opener confirm what papers they saw: `agent confirms \"…\"`");
        judge.found.push(finding);
    }
}

/// PCI DSS 4.0.1, 8.3.3.
fn pci(judge: &mut Judge<'_>) {
    let procedure = judge.procedure;
    let kinds = [
        HoldingKind::Secret,
        HoldingKind::Device,
        HoldingKind::Channel,
    ];
    for action in inside(procedure) {
        for (what, place, _) in judge.renewed(action, &kinds) {
            for path in &action.paths {
                let Some(ways) = judge.evidence.ways(path) else {
                    continue;
                };
                if has_word(path) || ways.iter().all(|way| secure(procedure, way)) {
                    continue;
                }
                let mut finding = Diagnostic::new(
                    codes::PCI_UNVERIFIED_CHANGE,
                    path.span,
                    format!(
                        "a new `{}` for somebody whose identity nobody verified",
                        procedure.holdings[what.index()].name
                    ),
                );
                finding
                    .also(place, "modified here")
                    .help("ask for a proof that neither the public nor the staff knows");
                judge.found.push(finding);
            }
        }
    }
}

/// 47 CFR §64.2010(h) and §52.37.
fn fcc(judge: &mut Judge<'_>) {
    let procedure = judge.procedure;
    // A telephone number is a channel that a text message shows.
    let numbers: BTreeSet<HoldingId> = procedure
        .proofs
        .iter()
        .filter(|proof| proof.using == Some(Method::Text))
        .map(|proof| proof.shows)
        .collect();
    for action in inside(procedure) {
        let moved = action.effects.iter().find(|effect| match effect.kind {
            EffectKind::Gives(thing) | EffectKind::Changes(thing) => numbers.contains(&thing),
            EffectKind::Sends { .. } | EffectKind::Loses(_) => false,
        });
        let Some(moved) = moved else {
            continue;
        };
        for path in &action.paths {
            let weak = judge
                .evidence
                .ways(path)
                .is_some_and(|ways| ways.iter().any(|way| !secure(procedure, way)));
            let mut add = |code, message: &str, help: &str| {
                let mut finding = Diagnostic::new(code, path.span, message);
                finding.also(moved.span, "moves the number").help(help);
                judge.found.push(finding);
            };
            if weak && !has_word(path) {
                add(
                    codes::FCC_SIM_WEAK_PROOF,
                    "nothing is asked here that only the customer has or knows",
                    "ask for a PIN, an app or the present SIM card; a date of birth, an address or the last invoice are known to others",
                );
            }
            if told(path).is_empty() {
                add(
                    codes::FCC_SIM_UNTOLD,
                    "the number moves without a word to its owner",
                    "add `notify every channel`: the notice goes out before the number moves",
                );
            }
            let locked = path.lines.iter().any(|line| {
                matches!(
                    &line.requirement,
                    Requirement::When {
                        subject: Subject::Attribute(_),
                        ..
                    }
                )
            });
            if !locked {
                add(
                    codes::FCC_SIM_NO_LOCK,
                    "the owner cannot lock the number against this path",
                    "ask for an attribute that the customer sets, such as `when customer.number_lock is \"off\"`",
                );
            }
        }
    }
}

/// Shows something that neither the public nor the staff can know.
fn secure(procedure: &Procedure, way: &Way) -> bool {
    things(procedure, way)
        .iter()
        .any(|thing| procedure.holdings[thing.index()].exposure == Exposure::Hidden)
}

fn gives_state(procedure: &Procedure, action: &Action) -> bool {
    action.effects.iter().any(|effect| {
        matches!(effect.kind, EffectKind::Gives(what) if procedure.holdings[what.index()].kind == HoldingKind::State)
    })
}

/// A person who opened the case says that they looked at something: identity proofing, as far as a procedure knows it.
fn has_word(path: &Path) -> bool {
    path.lines
        .iter()
        .any(|line| matches!(line.requirement, Requirement::Confirms { .. }))
}

fn told(path: &Path) -> BTreeSet<HoldingId> {
    path.lines
        .iter()
        .flat_map(|line| match &line.requirement {
            Requirement::Notify { channels, .. } => &channels[..],
            _ => &[],
        })
        .copied()
        .collect()
}

fn channels(procedure: &Procedure) -> Vec<HoldingId> {
    (0..)
        .map(HoldingId)
        .zip(&procedure.holdings)
        .filter(|(_, holding)| holding.kind == HoldingKind::Channel)
        .map(|(id, _)| id)
        .collect()
}

fn atoms(path: &Path) -> Vec<(ProofId, Span)> {
    fn within(expr: &Expr, found: &mut Vec<(ProofId, Span)>) {
        match expr {
            Expr::Atom { proof, span, .. } => found.push((*proof, *span)),
            Expr::And(of) | Expr::Or(of) | Expr::NOf { of, .. } => {
                for part in of {
                    within(part, found);
                }
            }
        }
    }
    let mut found = Vec::new();
    proofs(path).for_each(|(expr, _)| within(expr, &mut found));
    found
}
