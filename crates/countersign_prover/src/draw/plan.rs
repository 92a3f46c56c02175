//! From a checked procedure to stages: what is asked, in the order of the gate.

use countersign_language::{
    Action, ActionId, EffectKind, Exposure, Expr, HoldingId, HoldingKind, Path, PathId, Procedure,
    Requirement, RoleId,
};

use super::model::{Figure, Group, GroupKind, Icon, Kind, Lane, Mark, Node, Picture, Stage};
use crate::system::{PEOPLE_MAX, told};

/// Expressions nested deeper than this are written out in one box.
const DEPTH_MAX: usize = 2;

/// The whole procedure: one figure for each action.
pub fn procedure(procedure: &Procedure) -> Picture {
    let figures = actions(procedure)
        .map(|(id, action)| Figure {
            heading: action.label.clone(),
            stages: action_stages(procedure, id, action, &mut Unmarked),
        })
        .collect();
    Picture {
        title: procedure.organisation.clone(),
        about: "What is asked before each action is done.".to_owned(),
        figures,
    }
}

/// One action with all its paths; empty if there is no such action.
pub fn action(procedure: &Procedure, id: ActionId) -> Picture {
    let Some(action) = procedure.actions.get(id.index()) else {
        return Picture::nothing();
    };
    let about = match action.paths.len() {
        1 => "What is asked before it is done.".to_owned(),
        ways => format!("What is asked before it is done: {ways} ways, one of them is enough."),
    };
    Picture::of(
        action.label.clone(),
        about,
        action_stages(procedure, id, action, &mut Unmarked),
    )
}

/// One path of an action; empty if there is no such path.
pub fn path(procedure: &Procedure, id: ActionId, path: PathId) -> Picture {
    let action = procedure.actions.get(id.index());
    let Some((action, path)) =
        action.and_then(|action| Some((action, action.paths.get(path.index())?)))
    else {
        return Picture::nothing();
    };
    let mut stages = vec![start(procedure, action, Mark::Plain)];
    stages.extend(path_stages(procedure, action, path, &mut |_| Mark::Plain));
    stages.push(effect(procedure, action, Mark::Plain));
    Picture::of(
        format!("{}, way {}", action.label, way(path)),
        "What is asked on this way.".to_owned(),
        stages,
    )
}

impl Picture {
    /// One picture for each path of an action, with the path's name, for places where they cannot
    /// stand side by side; the picture itself, without a name, where there is only one path.
    pub fn split(&self) -> Vec<(String, Self)> {
        let [figure] = self.figures.as_slice() else {
            return vec![(String::new(), self.clone())];
        };
        let paths = figure.stages.iter().position(
            |stage| matches!(stage, Stage::Group(group) if group.kind == GroupKind::Paths),
        );
        let Some((before, [Stage::Group(group), after @ ..])) =
            paths.map(|at| figure.stages.split_at(at))
        else {
            return vec![(String::new(), self.clone())];
        };
        let part = |lane: &Lane| {
            let end = lane.end();
            let edge = |stage: &Stage, mark: Mark| {
                let mut stage = stage.clone();
                if let Stage::Node(node) = &mut stage
                    && !matches!(node.mark, Mark::Plain)
                {
                    node.mark = mark;
                }
                stage
            };
            let begin = match end {
                // A thief who is stopped begins all the same.
                Mark::Faint if group.beginning == Mark::Can => Mark::Can,
                Mark::Faint => Mark::Plain,
                end => end,
            };
            let mut stages: Vec<Stage> = before.iter().map(|stage| edge(stage, begin)).collect();
            stages.extend(lane.stages.iter().cloned());
            let is_effect = |stage: &&Stage| matches!(stage, Stage::Node(_));
            let at = stages
                .iter()
                .rposition(|stage| !matches!(stage, Stage::Words { .. }))
                .map_or(0, |at| at + 1);
            let effects: Vec<Stage> = after
                .iter()
                .filter(is_effect)
                .map(|stage| edge(stage, end))
                .collect();
            stages.splice(at..at, effects);
            let title = format!("{}: {}", self.title, lane.name);
            (
                lane.name.clone(),
                Self::of(title, self.about.clone(), stages),
            )
        };
        group.lanes.iter().map(part).collect()
    }

    pub(super) fn of(title: String, about: String, stages: Vec<Stage>) -> Self {
        let heading = title.clone();
        Self {
            title,
            about,
            figures: vec![Figure { heading, stages }],
        }
    }

    pub(super) fn nothing() -> Self {
        Self {
            title: String::new(),
            about: String::new(),
            figures: Vec::new(),
        }
    }
}

/// What a box of a path stands for; the marker says how far somebody gets there.
pub(super) enum Ask<'p> {
    /// A condition or a limit.
    Condition,
    /// A proof, or some of several; `within` is the outermost choice it is part of.
    Prove {
        expr: &'p Expr,
        within: Option<&'p Expr>,
    },
    /// The customer confirms the sentence.
    Confirm,
    /// Somebody vouches or signs; with everybody this path has needed so far, each a slot.
    Person { role: RoleId, slots: &'p [RoleId] },
    /// A backup is attested.
    Backup,
    /// Contacts are told.
    Notice,
    /// Time passes.
    Wait,
}

/// Says how far somebody gets, asked in the order drawn.
pub(super) trait Marker {
    /// What is there before any path.
    fn start(&mut self) -> Mark;
    /// A box of a path.
    fn ask(&mut self, path: PathId, ask: &Ask<'_>) -> Mark;
    /// What is said below a path.
    fn below(&mut self, path: PathId) -> Option<Stage>;
    /// The box round all paths.
    fn paths(&mut self) -> Mark;
    /// What the action does.
    fn effect(&mut self) -> Mark;
}

struct Unmarked;

impl Marker for Unmarked {
    fn start(&mut self) -> Mark {
        Mark::Plain
    }
    fn ask(&mut self, _: PathId, _: &Ask<'_>) -> Mark {
        Mark::Plain
    }
    fn below(&mut self, _: PathId) -> Option<Stage> {
        None
    }
    fn paths(&mut self) -> Mark {
        Mark::Plain
    }
    fn effect(&mut self) -> Mark {
        Mark::Plain
    }
}

/// Every action with its number.
pub(super) fn actions(procedure: &Procedure) -> impl Iterator<Item = (ActionId, &Action)> {
    (0..).map(ActionId).zip(&procedure.actions)
}

/// An action from its start to what it does.
pub(super) fn action_stages(
    procedure: &Procedure,
    id: ActionId,
    action: &Action,
    marker: &mut dyn Marker,
) -> Vec<Stage> {
    debug_assert!(procedure.actions.get(id.index()).is_some());
    let begins = marker.start();
    let mut stages = vec![start(procedure, action, begins)];
    let mut lanes = Vec::new();
    // Of the only path there is it is said below the whole.
    let mut last = None;
    for (path_id, path) in (0..).map(PathId).zip(&action.paths) {
        let mut lane = path_stages(procedure, action, path, &mut |ask| marker.ask(path_id, ask));
        match action.paths.len() {
            1 => last = marker.below(path_id),
            _ => lane.extend(marker.below(path_id)),
        }
        lanes.push(Lane {
            name: capital(&way(path)),
            stages: lane,
        });
    }
    if let [only] = lanes.as_mut_slice() {
        stages.append(&mut only.stages);
    } else {
        let label = format!("Any one of these {} ways", lanes.len());
        stages.push(Stage::Group(Group {
            kind: GroupKind::Paths,
            words: label.clone(),
            label,
            lanes,
            beginning: begins,
            mark: marker.paths(),
        }));
    }
    stages.push(effect(procedure, action, marker.effect()));
    stages.extend(last);
    stages
}

/// What one path asks, in the order of the gate: conditions, proofs, the customer's confirmation,
/// people, backups, notices, waits.
pub(super) fn path_stages(
    procedure: &Procedure,
    action: &Action,
    path: &Path,
    mark: &mut dyn FnMut(&Ask<'_>) -> Mark,
) -> Vec<Stage> {
    let mut stages = Vec::new();
    let of = |is: fn(&Requirement) -> bool| {
        let lines = path.lines.iter().map(|line| &line.requirement);
        lines.filter(move |requirement| is(requirement))
    };
    let words = |requirement| procedure.describe_requirement(action, requirement);
    for requirement in of(|of| matches!(of, Requirement::When { .. } | Requirement::AtMost { .. }))
    {
        stages.push(Stage::Node(Node {
            kind: Kind::Condition,
            icon: Some(Icon::Condition),
            label: words(requirement),
            note: String::new(),
            words: words(requirement),
            mark: mark(&Ask::Condition),
        }));
    }
    for requirement in of(|of| matches!(of, Requirement::Prove(_))) {
        if let Requirement::Prove(expr) = requirement {
            prove(procedure, expr, None, 0, mark, &mut stages);
        }
    }
    if !action.outside {
        stages.push(Stage::Node(Node {
            kind: Kind::Plain,
            icon: None,
            label: "Customer confirms".to_owned(),
            note: "the exact words".to_owned(),
            words: "The customer reads the sentence and confirms it".to_owned(),
            mark: mark(&Ask::Confirm),
        }));
    }
    let mut slots: Vec<RoleId> = Vec::new();
    let mut openers: Vec<RoleId> = Vec::new();
    for requirement in of(|of| matches!(of, Requirement::Confirms { .. })) {
        if let Requirement::Confirms { role, text } = requirement {
            // All such lines of one role are one person.
            if !openers.contains(role) {
                openers.push(*role);
                slots.push(*role);
            }
            let ask = Ask::Person {
                role: *role,
                slots: &slots,
            };
            stages.push(person(
                format!("{} confirms", capital(role_label(procedure, *role))),
                text.clone(),
                words(requirement),
                mark(&ask),
            ));
        }
    }
    for requirement in of(|of| matches!(of, Requirement::SignOff { .. })) {
        if let Requirement::SignOff { count, role } = requirement {
            // One more than the prover ever counts is as good as any number.
            slots.extend((0..(*count).min(PEOPLE_MAX + 1)).map(|_| *role));
            let ask = Ask::Person {
                role: *role,
                slots: &slots,
            };
            let label = capital(role_label(procedure, *role));
            let note = match count {
                1 => "signs".to_owned(),
                count => format!("{count} different people sign"),
            };
            stages.push(person(label, note, words(requirement), mark(&ask)));
        }
    }
    let told = told(procedure, action, path);
    for requirement in of(|of| {
        matches!(
            of,
            Requirement::Backup { .. } | Requirement::Notify { .. } | Requirement::Wait(_)
        )
    }) {
        stages.push(Stage::Node(match requirement {
            Requirement::Backup { within, places, .. } => {
                let full = words(requirement);
                let label = full.split(", at most").next().unwrap_or_default();
                let places = match places {
                    0 | 1 => String::new(),
                    places => format!(" in {places} places"),
                };
                Node {
                    kind: Kind::Plain,
                    icon: Some(Icon::Backup),
                    label: label.to_owned(),
                    note: format!("of the last {}{places}", within.in_words()),
                    words: full,
                    mark: mark(&Ask::Backup),
                }
            }
            Requirement::Notify { every, channels } => {
                let note = if *every {
                    "with a link to stop it".to_owned()
                } else {
                    let labels = channels.iter().map(|id| holding_label(procedure, *id));
                    labels.collect::<Vec<_>>().join(", ")
                };
                let label = if *every {
                    "Contacts are told"
                } else {
                    "A notice is sent"
                };
                Node {
                    kind: Kind::Plain,
                    icon: Some(Icon::Notice),
                    label: label.to_owned(),
                    note,
                    words: words(requirement),
                    mark: mark(&Ask::Notice),
                }
            }
            other => {
                let length = match other {
                    Requirement::Wait(duration) => duration.in_words(),
                    _ => String::new(),
                };
                let nobody = told.as_ref().is_none_or(Vec::is_empty);
                let note = if nobody {
                    "nobody is told"
                } else {
                    "can be stopped"
                };
                Node {
                    kind: Kind::Wait,
                    icon: Some(Icon::Wait),
                    label: length,
                    note: note.to_owned(),
                    words: words(other),
                    mark: mark(&Ask::Wait),
                }
            }
        }));
    }
    stages
}

/// A proof as a box, several as boxes one below the other, a choice as a group.
fn prove<'p>(
    procedure: &'p Procedure,
    expr: &'p Expr,
    within: Option<&'p Expr>,
    depth: usize,
    mark: &mut dyn FnMut(&Ask<'_>) -> Mark,
    stages: &mut Vec<Stage>,
) {
    let (label, of) = match expr {
        Expr::And(of) => {
            for part in of {
                prove(procedure, part, within, depth, mark, stages);
            }
            return;
        }
        Expr::Atom { .. } => {
            let mark = mark(&Ask::Prove { expr, within });
            stages.push(Stage::Node(proof(procedure, expr, mark)));
            return;
        }
        Expr::NOf { n, of } if *n as usize == of.len() => ("All of these".to_owned(), of),
        Expr::Or(of) | Expr::NOf { n: 1, of } => ("Any one of these".to_owned(), of),
        Expr::NOf { n, of } => (format!("Any {n} of these"), of),
    };
    let of_group = mark(&Ask::Prove { expr, within });
    if depth >= DEPTH_MAX {
        let words = procedure.describe_expression(expr);
        stages.push(Stage::Node(Node {
            kind: Kind::Plain,
            icon: None,
            label: capital(&words),
            note: String::new(),
            words: format!("Customer proves {words}"),
            mark: of_group,
        }));
        return;
    }
    let outermost = within.unwrap_or(expr);
    let lanes = of
        .iter()
        .map(|part| {
            let mut stages = Vec::new();
            prove(
                procedure,
                part,
                Some(outermost),
                depth + 1,
                mark,
                &mut stages,
            );
            Lane {
                name: String::new(),
                stages,
            }
        })
        .collect();
    stages.push(Stage::Group(Group {
        kind: GroupKind::Options,
        words: format!("Customer proves {}", label.to_lowercase()),
        label,
        lanes,
        beginning: Mark::Plain,
        mark: of_group,
    }));
}

fn proof(procedure: &Procedure, expr: &Expr, mark: Mark) -> Node {
    let words = format!("Customer proves {}", procedure.describe_expression(expr));
    let mut node = Node {
        kind: Kind::Plain,
        icon: None,
        label: String::new(),
        note: String::new(),
        words,
        mark,
    };
    let Expr::Atom { proof, settled, .. } = expr else {
        return node;
    };
    let Some(proof) = procedure.proofs.get(proof.index()) else {
        return node;
    };
    node.label = capital(&proof.label);
    if let Some(holding) = procedure.holdings.get(proof.shows.index()) {
        node.icon = Some(icon(holding.kind));
        node.note = match (settled, holding.exposure) {
            (Some(settled), _) => format!("unchanged for {}", settled.in_words()),
            (None, Exposure::Public) => "known to everybody".to_owned(),
            (None, Exposure::VisibleTo(_)) => "staff can read it".to_owned(),
            (None, Exposure::Hidden) => match holding.kind {
                HoldingKind::Secret => "knows".to_owned(),
                HoldingKind::Channel => "receives".to_owned(),
                HoldingKind::Device => "has".to_owned(),
                HoldingKind::State => String::new(),
            },
        };
    }
    node
}

pub(super) fn icon(kind: HoldingKind) -> Icon {
    match kind {
        HoldingKind::Secret => Icon::Secret,
        HoldingKind::Channel => Icon::Channel,
        HoldingKind::Device => Icon::Device,
        HoldingKind::State => Icon::State,
    }
}

fn person(label: String, note: String, words: String, mark: Mark) -> Stage {
    Stage::Node(Node {
        kind: Kind::Person,
        icon: None,
        label,
        note,
        words,
        mark,
    })
}

fn start(procedure: &Procedure, action: &Action, mark: Mark) -> Stage {
    let openers = &action.opened_by;
    let (label, note, words) = if action.outside {
        (
            "Outside the gate",
            "nobody here prevents it".to_owned(),
            "It happens outside the gate: nobody here can prevent it".to_owned(),
        )
    } else {
        let who = procedure.describe_openers(openers);
        let note = match (openers.customer, &*openers.roles) {
            (true, []) => "by the customer".to_owned(),
            (true, _) => "by customer or staff".to_owned(),
            (false, _) => format!("by {who}"),
        };
        (
            "A case is opened",
            note,
            format!("A case is opened by {who}"),
        )
    };
    Stage::Node(Node {
        kind: Kind::Start,
        icon: None,
        label: label.to_owned(),
        note,
        words,
        mark,
    })
}

/// What the action does, the words in short.
pub(super) fn effect(procedure: &Procedure, action: &Action, mark: Mark) -> Stage {
    let mut words = action.label.clone();
    for effect in &action.effects {
        words.push_str("; ");
        words.push_str(&lower(&procedure.describe_effect(effect.kind)));
    }
    Stage::Node(Node {
        kind: Kind::Effect,
        icon: None,
        label: action.label.clone(),
        note: gains(procedure, action),
        words,
        mark,
    })
}

/// What an action does beside being done: `new e-mail address`.
pub(super) fn gains(procedure: &Procedure, action: &Action) -> String {
    let short = action.effects.iter().map(|effect| match effect.kind {
        EffectKind::Gives(holding) => {
            let is_state = procedure
                .holdings
                .get(holding.index())
                .is_some_and(|holding| holding.kind == HoldingKind::State);
            let verb = if is_state { "then" } else { "gives" };
            format!("{verb} {}", holding_label(procedure, holding))
        }
        EffectKind::Changes(holding) => format!("new {}", holding_label(procedure, holding)),
        EffectKind::Sends { what, to } => format!(
            "{} to {}",
            holding_label(procedure, what),
            holding_label(procedure, to)
        ),
        EffectKind::Loses(loss) => {
            let loss = procedure.losses.get(loss.index());
            format!("at stake: {}", loss.map_or("", |loss| loss.label.as_str()))
        }
    });
    short.collect::<Vec<_>>().join(", ")
}

/// A path's name as people read it: `lost phone`.
pub(super) fn way(path: &Path) -> String {
    path.name.replace('_', " ")
}

pub(super) fn role_label(procedure: &Procedure, role: RoleId) -> &str {
    procedure
        .roles
        .get(role.index())
        .map_or("", |role| role.label.as_str())
}

pub(super) fn holding_label(procedure: &Procedure, holding: HoldingId) -> &str {
    procedure
        .holdings
        .get(holding.index())
        .map_or("", |holding| holding.label.as_str())
}

pub(super) fn capital(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

fn lower(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_lowercase().chain(letters).collect()
    })
}
