//! How far somebody gets in the picture of an action: a thief, or an honest customer who has lost something.

use countersign_language::{
    Action, ActionId, Duration, Expr, HoldingId, PathId, Procedure, ProofId,
};

use super::model::{Figure, Mark, Picture, Stage};
use super::plan::{Ask, Marker, action_stages, actions, holding_label, role_label};
use crate::certificate::check::World;
use crate::graph::{FALSE, Marks, Node};
use crate::narrate::length;
use crate::system::{Choice, PEOPLE_MAX, System, told};
use crate::{Access, Compromise, Lockout, What, names};

/// How far a thief with these gets, whatever else they do first: what they can do, and on each path
/// the requirement that stops them. `only` one action, or all that happen at the gate.
pub fn reached(procedure: &Procedure, with: &[Compromise], only: Option<ActionId>) -> Picture {
    let system = System::compile(procedure);
    let held = Held::by_thief(&system, with);
    let mut reached = 0;
    let mut figures: Vec<Figure> = Vec::new();
    for (id, action) in wanted(procedure, only) {
        let mut thief = Thief {
            procedure,
            id,
            held: &held,
            world: World::of_set(procedure, with),
            unread: with.contains(&Compromise::NoticesUnread),
            stopped: None,
            open: false,
        };
        figures.push(Figure {
            heading: action.label.clone(),
            stages: action_stages(procedure, id, action, &mut thief),
        });
        reached += usize::from(thief.open);
    }
    let with = match names(procedure, with).as_slice() {
        [] => "With nothing at all".to_owned(),
        names => format!("With {}", names.join(", ")),
    };
    let about = match (figures.len(), reached) {
        (1, 0) => format!("{with}, a thief is stopped."),
        (1, _) => format!("{with}, a thief gets this done."),
        (_, 0) => format!("{with}, a thief is stopped everywhere."),
        (all, reached) => format!("{with}, a thief gets {reached} of {all} done."),
    };
    Picture {
        title: title(procedure, &figures),
        about,
        figures,
    }
}

/// What an honest customer who has lost something can still do: the quickest way to each action,
/// or where they are locked out. `only` one action, or all that happen at the gate.
pub fn locked_out(procedure: &Procedure, lockout: &Lockout, only: Option<ActionId>) -> Picture {
    let system = System::compile_honest(procedure);
    let held = Held::by_customer(procedure, &system, &lockout.without);
    let lost: Vec<&str> = lockout
        .without
        .iter()
        .map(|id| holding_label(procedure, *id))
        .collect();
    let lost = if lost.is_empty() {
        "With everything".to_owned()
    } else {
        format!("Without the {}", lost.join(" and the "))
    };
    let mut out = 0;
    let figures: Vec<Figure> = wanted(procedure, only)
        .filter_map(|(id, action)| {
            let access = lockout.actions.iter().find(|access| access.action == id)?;
            out += usize::from(access.way.is_none());
            let (path, proofs) = last_act(access).unzip();
            let mut customer = Customer {
                held: &held,
                procedure,
                alone: action.paths.len() == 1,
                path,
                proofs: proofs.unwrap_or_default(),
                open: access.way.is_some(),
                stopped: None,
            };
            let mut stages = action_stages(procedure, id, action, &mut customer);
            let standing = standing(access);
            stages.push(Stage::Words {
                words: standing.clone(),
                tone: if access.way.is_some() {
                    Mark::Way
                } else {
                    Mark::Stops
                },
            });
            Some(Figure {
                heading: action.label.clone(),
                stages,
            })
        })
        .collect();
    let about = match (figures.len(), out) {
        (1, 0) => format!("{lost}, the customer can still do this."),
        (1, _) => format!("{lost}, the customer is locked out."),
        (_, 0) => format!("{lost}, the customer is locked out of nothing."),
        (all, out) => format!("{lost}, the customer is locked out of {out} of {all}."),
    };
    Picture {
        title: title(procedure, &figures),
        about,
        figures,
    }
}

/// The one action, or whose procedure it is.
fn title(procedure: &Procedure, figures: &[Figure]) -> String {
    match figures {
        [one] => one.heading.clone(),
        _ => procedure.organisation.clone(),
    }
}

/// One action, or all that happen at the gate.
fn wanted(
    procedure: &Procedure,
    only: Option<ActionId>,
) -> impl Iterator<Item = (ActionId, &Action)> {
    actions(procedure).filter(move |(id, action)| only.map_or(!action.outside, |only| only == *id))
}

/// The path and the proofs of the step that does the action itself.
fn last_act(access: &Access) -> Option<(PathId, Vec<ProofId>)> {
    let steps = &access.way.as_ref()?.steps;
    steps.iter().rev().find_map(|step| match &step.what {
        What::Act {
            action,
            path,
            proofs,
        } if *action == access.action => Some((*path, proofs.clone())),
        _ => None,
    })
}

fn standing(access: &Access) -> String {
    let Some(way) = &access.way else {
        let missing: Vec<&str> = access
            .missing
            .iter()
            .map(|missing| missing.text.as_str())
            .collect();
        return if missing.is_empty() {
            "Locked out".to_owned()
        } else {
            format!("Locked out: {}", missing.join("; "))
        };
    };
    let when = match way.seconds {
        0 => "at once".to_owned(),
        seconds => format!("after {}", length(seconds)),
    };
    let before = way
        .steps
        .iter()
        .filter(|step| !matches!(step.what, What::Act { action, .. } if action == access.action))
        .map(|step| step.text.as_str());
    let before: Vec<&str> = before.collect();
    if before.is_empty() {
        format!("Still possible, {when}")
    } else {
        format!("Still possible, {when}; first: {}", before.join("; then "))
    }
}

/// Everything that follows from a start.
struct Held<'s> {
    system: &'s System,
    marks: Marks,
    /// What an honest customer has lost.
    lost: &'s [HoldingId],
}

impl<'s> Held<'s> {
    fn by_thief(system: &'s System, with: &[Compromise]) -> Self {
        let nodes: Vec<Node> = with
            .iter()
            .flat_map(|&compromise| system.nodes(compromise))
            .collect();
        Self::from(system, nodes, &[])
    }

    /// With all the time in the world.
    fn by_customer(procedure: &Procedure, system: &'s System, without: &'s [HoldingId]) -> Self {
        let mut nodes = crate::verdict::starting(procedure, system, without);
        nodes.extend(system.choices.iter().filter_map(|&(choice, node)| {
            matches!(choice, Choice::Wait(..) | Choice::Settle(..)).then_some(node)
        }));
        Self::from(system, nodes, without)
    }

    fn from(system: &'s System, nodes: Vec<Node>, lost: &'s [HoldingId]) -> Self {
        let mut marks = Marks::new(&system.graph);
        marks.close(&system.graph, nodes);
        Self {
            system,
            marks,
            lost,
        }
    }

    fn is(&self, node: Node) -> bool {
        node != FALSE && self.marks.holds(node)
    }

    fn owns(&self, holding: HoldingId) -> bool {
        self.system
            .own
            .get(holding.index())
            .is_some_and(|&node| self.is(node))
    }

    fn proves(&self, procedure: &Procedure, expr: &Expr) -> bool {
        let count = |of: &[Expr]| {
            of.iter()
                .filter(|part| self.proves(procedure, part))
                .count()
        };
        match expr {
            Expr::Atom { proof, settled, .. } => self
                .system
                .atom(procedure, *proof, settled.map(Duration::seconds))
                .into_iter()
                .any(|node| self.is(node)),
            Expr::And(of) => count(of) == of.len(),
            Expr::Or(of) => count(of) > 0,
            Expr::NOf { n, of } => count(of) >= *n as usize,
        }
    }
}

struct Thief<'a> {
    procedure: &'a Procedure,
    id: ActionId,
    held: &'a Held<'a>,
    world: World<'a>,
    unread: bool,
    /// What ends the path that is being asked about.
    stopped: Option<String>,
    /// Some path is open to them.
    open: bool,
}

impl Thief<'_> {
    /// A requirement that holds, that ends the path, or that is not reached any more.
    fn settle(&mut self, holds: bool, why: impl FnOnce() -> String) -> Mark {
        match (&self.stopped, holds) {
            (Some(_), _) => Mark::Faint,
            (None, true) => Mark::Can,
            (None, false) => {
                self.stopped = Some(why());
                Mark::Stops
            }
        }
    }
}

impl Marker for Thief<'_> {
    fn start(&mut self) -> Mark {
        Mark::Can
    }

    fn ask(&mut self, path: PathId, ask: &Ask<'_>) -> Mark {
        let procedure = self.procedure;
        match ask {
            Ask::Prove { expr, within } => {
                let holds = self.held.proves(procedure, expr);
                match (holds, within) {
                    (true, _) => Mark::Can,
                    // Where enough others are held, nobody tries this one.
                    (false, Some(whole)) if self.held.proves(procedure, whole) => Mark::Faint,
                    (false, Some(_)) => Mark::Tried,
                    (false, None) if self.stopped.is_some() => Mark::Tried,
                    (false, None) => self.settle(false, || {
                        format!(
                            "Stops here: the thief cannot show {}",
                            procedure.describe_expression(expr)
                        )
                    }),
                }
            }
            Ask::Person { role, slots } => {
                let holds = slots.len() <= PEOPLE_MAX as usize && self.world.crew(slots);
                self.settle(holds, || {
                    let role = role_label(procedure, *role);
                    match slots.len() {
                        1 => format!("Stops here: no {role} is fooled"),
                        people => format!("Stops here: not enough people are fooled; this way needs {people}, here as {role}"),
                    }
                })
            }
            Ask::Wait => {
                let action = procedure.actions.get(self.id.index());
                let told = action
                    .and_then(|action| told(procedure, action, action.paths.get(path.index())?))
                    .unwrap_or_default();
                let reader = told.into_iter().find(|channel| !self.held.owns(*channel));
                match reader {
                    Some(channel) if !self.unread => self.settle(false, || {
                        format!(
                            "Stops here: the customer is told at the {} and stops it",
                            holding_label(procedure, channel)
                        )
                    }),
                    _ => self.settle(true, String::new),
                }
            }
            Ask::Condition | Ask::Confirm | Ask::Backup | Ask::Notice => {
                self.settle(true, String::new)
            }
        }
    }

    fn below(&mut self, _: PathId) -> Option<Stage> {
        let stopped = self.stopped.take();
        self.open |= stopped.is_none();
        stopped.map(|words| Stage::Words {
            words,
            tone: Mark::Stops,
        })
    }

    fn paths(&mut self) -> Mark {
        if self.open { Mark::Can } else { Mark::Tried }
    }

    fn effect(&mut self) -> Mark {
        if self.open { Mark::Can } else { Mark::Faint }
    }
}

struct Customer<'a> {
    procedure: &'a Procedure,
    held: &'a Held<'a>,
    /// The only path of the action, so that one sentence is enough.
    alone: bool,
    /// The quickest way's.
    path: Option<PathId>,
    proofs: Vec<ProofId>,
    open: bool,
    stopped: Option<String>,
}

impl Marker for Customer<'_> {
    fn start(&mut self) -> Mark {
        if self.open { Mark::Way } else { Mark::Plain }
    }

    fn ask(&mut self, path: PathId, ask: &Ask<'_>) -> Mark {
        let on_way = self.path == Some(path);
        let Ask::Prove { expr, within } = ask else {
            return match (on_way, &self.stopped) {
                (true, _) => Mark::Way,
                (false, Some(_)) => Mark::Faint,
                (false, None) => Mark::Plain,
            };
        };
        if self.held.proves(self.procedure, expr) {
            let Expr::Atom { proof, .. } = expr else {
                return if on_way { Mark::Way } else { Mark::Plain };
            };
            let proved = self.procedure.proofs.get(proof.index());
            let lost = proved.is_some_and(|proof| self.held.lost.contains(&proof.shows));
            return match (on_way && self.proofs.contains(proof), lost) {
                (true, _) => Mark::Way,
                // To be had again, though not on the quickest way.
                (false, true) => Mark::Lost,
                (false, false) => Mark::Plain,
            };
        }
        if within.is_none() && self.stopped.is_none() {
            let missing = self.procedure.describe_expression(expr);
            self.stopped = Some(format!("Needs {missing}"));
            return Mark::Stops;
        }
        Mark::Lost
    }

    fn below(&mut self, _: PathId) -> Option<Stage> {
        let words = self.stopped.take()?;
        (!self.alone).then_some(Stage::Words {
            words,
            tone: Mark::Stops,
        })
    }

    fn paths(&mut self) -> Mark {
        self.start()
    }

    fn effect(&mut self) -> Mark {
        if self.open { Mark::Way } else { Mark::Faint }
    }
}
