//! What a case has, what it still lacks, and who can supply it: for pages, not for decisions.

use std::{collections::BTreeSet, fmt};

use countersign_language::{
    Expr, Method, Path, PathId, Procedure, ProofId, Requirement, RoleId, Scope,
};
use serde::Serialize;

use crate::{
    Case, Moment, NotYet, State, Timestamp,
    evaluate::{ALL, Shown, Told, View, Waited},
    words::{role_label, words},
};

/// A case as pages show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Checklist {
    /// Where the case is in its life.
    pub state: State,
    /// The customer's own steps.
    pub customer: CustomerSteps,
    /// Every path of the action, in file order.
    pub paths: Vec<PathItem>,
    /// The path that lacks least, or that is complete.
    pub nearest: PathId,
    /// What the nearest path lacks, in the order in which it is best supplied; empty when nothing is missing.
    pub missing: Vec<Missing>,
    /// Who must act now.
    pub next: Next,
}

/// How a line stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Proved, signed, told, over: it holds.
    Holds,
    /// On its way.
    Waiting,
    /// Nobody began.
    NotStarted,
    /// It does not hold, and nobody can make it hold now.
    Refused,
    /// It does not hold and need not.
    NotNeeded,
}

/// What the customer did and may do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CustomerSteps {
    /// The customer must first use the link they were sent.
    pub needs_link: bool,
    /// When they used it.
    pub link_used_at: Option<Timestamp>,
    /// Every proof that some path which applies asks for, in the order of the paths.
    pub proofs: Vec<ProofItem>,
    /// The customer's part of some path is complete, so they may confirm now.
    pub may_confirm: bool,
    /// When they confirmed.
    pub confirmed_at: Option<Timestamp>,
}

/// One proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProofItem {
    /// Which.
    pub proof: ProofId,
    /// What people read.
    pub label: String,
    /// How it is made; `None` if it cannot be made at the gate.
    pub method: Option<Method>,
    /// How it stands.
    pub standing: Standing,
    /// When it was made.
    pub at: Option<Timestamp>,
    /// Until when it is locked, or when what it shows is settled.
    pub until: Option<Timestamp>,
    /// Answers left before it locks, where that is known.
    pub tries_left: Option<u32>,
}

/// One path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PathItem {
    /// Which.
    pub path: PathId,
    /// Its name in the file.
    pub name: String,
    /// Its `when` lines hold.
    pub applies: bool,
    /// Every line holds and the customer confirmed.
    pub complete: bool,
    /// Its lines, in file order.
    pub lines: Vec<LineItem>,
    /// How many lines hold, of [`PathItem::lines`].
    pub holding: usize,
    /// The fewest proofs the customer still has to make; `None` if they cannot complete it now.
    pub proofs_left: Option<u32>,
}

/// One line of a path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LineItem {
    /// Its place in the path.
    pub line: usize,
    /// What it asks for, in people's words.
    pub words: String,
    /// How it stands.
    pub standing: Standing,
    /// How much of it is there: proofs, people, places, contacts.
    pub done: u32,
    /// How much it needs.
    pub of: u32,
    /// Who can supply what is missing.
    pub who: Who,
    /// When time alone makes a difference: a wait is over, a limit has room again.
    pub until: Option<Timestamp>,
    /// The proofs of a `prove` line.
    pub proofs: Option<ProofTree>,
}

/// The proofs of a `prove` line, as nested as in the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ProofTree {
    /// One proof.
    One(ProofItem),
    /// Some of several.
    Group {
        /// How many must hold.
        needed: usize,
        /// How many do.
        holding: usize,
        /// How it stands.
        standing: Standing,
        /// The several.
        of: Vec<ProofTree>,
    },
}

impl ProofTree {
    /// How it stands.
    pub fn standing(&self) -> Standing {
        match self {
            Self::One(item) => item.standing,
            Self::Group { standing, .. } => *standing,
        }
    }
}

/// Who can supply something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Who {
    /// The customer.
    Customer,
    /// Whoever opened the case.
    Opener,
    /// A colleague of this role, other than the opener.
    Colleague {
        /// The role.
        role: RoleId,
        /// What people read.
        label: String,
    },
    /// Nobody needs to do anything but wait.
    Time,
    /// The machine that attests backups.
    BackupMachine,
    /// The gate, by itself.
    Gate,
    /// The backend that runs the action.
    Backend,
    /// Nobody.
    Nobody,
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Customer => "the customer",
            Self::Opener => "whoever opened the case",
            Self::Colleague { label, .. } => return write!(f, "a colleague: {label}"),
            Self::Time => "time",
            Self::BackupMachine => "the machine that makes backups",
            Self::Gate => "the gate",
            Self::Backend => "the backend",
            Self::Nobody => "nobody",
        })
    }
}

/// One thing a path lacks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Missing {
    /// Which path.
    pub path: PathId,
    /// Which of its lines; `None` for the customer's link and confirmation, which every path needs.
    pub line: Option<usize>,
    /// What, in people's words.
    pub words: String,
    /// Who can supply it.
    pub who: Who,
    /// When time alone makes a difference.
    pub until: Option<Timestamp>,
}

/// Who must act now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Next {
    /// Who.
    pub who: Who,
    /// What they do; empty where nobody acts.
    pub words: String,
    /// Until when, if time is what is missing.
    pub until: Option<Timestamp>,
}

/// What this case has and lacks at this moment.
///
/// # Errors
/// [`NotYet::NoCase`] and [`NotYet::OtherProcedure`] only.
pub fn checklist(
    procedure: &Procedure,
    case: &Case,
    moment: &Moment<'_>,
) -> Result<Checklist, NotYet> {
    let view = View::new(procedure, case, moment)?;
    let desk = Sheet(&view);
    let settled_on = settled_on(&view);
    let nearest = nearest(&view);
    let missing = if settled_on.is_some() {
        Vec::new()
    } else {
        missing(&view, false)
    };
    Ok(Checklist {
        state: case.state(),
        customer: desk.customer(),
        paths: view
            .paths()
            .map(|(id, path)| desk.path(id, path, settled_on))
            .collect(),
        nearest,
        next: next(&view, &missing),
        missing,
    })
}

/// What the nearest path lacks, in the order in which it is best supplied; with `customer_only` just
/// what the customer must do before they may confirm.
pub(crate) fn missing(view: &View<'_>, customer_only: bool) -> Vec<Missing> {
    let id = nearest(view);
    let Some(path) = view.action.paths.get(id.index()) else {
        return Vec::new();
    };
    let step = |words: &str| Missing {
        path: id,
        line: None,
        words: words.to_owned(),
        who: Who::Customer,
        until: None,
    };
    let mut missing: Vec<(u8, Missing)> = Vec::new();
    if view.case.needs_link() && view.case.link_used_at().is_none() {
        missing.push((1, step("the customer opens their link")));
    }
    if view.case.confirmed_at().is_none() && !customer_only {
        missing.push((3, step("the customer confirms")));
    }
    let item = Sheet(view).path(id, path, None);
    for (line, of_file) in item.lines.into_iter().zip(&path.lines) {
        let turn = match of_file.requirement {
            Requirement::When { .. } => 0,
            Requirement::Prove(_) => 2,
            Requirement::Confirms { .. } => 4,
            Requirement::Backup { .. } => 5,
            Requirement::AtMost { .. } => 6,
            Requirement::SignOff { .. } => 7,
            Requirement::Notify { .. } => 8,
            Requirement::Wait(_) => 9,
        };
        if line.standing != Standing::Holds && !(customer_only && turn > 2) {
            missing.push((
                turn,
                Missing {
                    path: id,
                    line: Some(line.line),
                    words: line.words,
                    who: line.who,
                    until: line.until,
                },
            ));
        }
    }
    missing.sort_by_key(|(turn, _)| *turn);
    missing.into_iter().map(|(_, one)| one).collect()
}

/// The path a case is ready by, or ran by: then nothing else is needed.
fn settled_on(view: &View<'_>) -> Option<PathId> {
    match view.case.state() {
        State::Ready { path, .. }
            if view
                .action
                .paths
                .get(path.index())
                .is_some_and(|of| view.complete(path, of)) =>
        {
            Some(path)
        }
        _ => view.case.grant().map(|grant| grant.path),
    }
}

/// The path that lacks least. One that does not apply, or that the customer cannot complete, comes last.
fn nearest(view: &View<'_>) -> PathId {
    settled_on(view).unwrap_or_else(|| {
        view.paths()
            .min_by_key(|(id, path)| (distance(view, *id, path), *id))
            .map_or(PathId(0), |(id, _)| id)
    })
}

/// How far a path is from complete: out of reach or not, then people and proofs, then the rest.
fn distance(view: &View<'_>, id: PathId, path: &Path) -> (bool, u64, u64) {
    let proofs = proofs_left(view, path);
    let missing_people: u64 = path
        .lines
        .iter()
        .enumerate()
        .map(|(line, of)| match &of.requirement {
            Requirement::Confirms { role, text } => {
                u64::from(!view.vouched_line(path, *role, text))
            }
            Requirement::SignOff { count, .. } => {
                u64::from(count.saturating_sub(view.signers_of_line(path, line)))
            }
            _ => 0,
        })
        .sum();
    let conditions = path
        .lines
        .iter()
        .filter(|line| !view.condition_holds(&line.requirement))
        .count();
    let told = !matches!(view.told(id, path, ALL), Told::NotAsked | Told::Holds);
    let waited = !matches!(
        view.waited(id, path),
        Waited::NotAsked | Waited::Over { .. }
    );
    (
        !view.applies(path) || proofs.is_none(),
        u64::from(proofs.unwrap_or(0)) + missing_people,
        u64::try_from(conditions)
            .unwrap_or(u64::MAX)
            .saturating_add(u64::from(told) + u64::from(waited)),
    )
}

/// The fewest proofs still to be made on this path; `None` if that is not possible now.
fn proofs_left(view: &View<'_>, path: &Path) -> Option<u32> {
    path.lines
        .iter()
        .try_fold(0_u32, |sum, line| match &line.requirement {
            Requirement::Prove(expr) => fewest(view, expr).map(|more| sum.saturating_add(more)),
            _ => Some(sum),
        })
}

fn fewest(view: &View<'_>, expr: &Expr) -> Option<u32> {
    let least = |needed: usize, of: &[Expr]| {
        let mut each: Vec<u32> = of.iter().filter_map(|one| fewest(view, one)).collect();
        each.sort_unstable();
        (each.len() >= needed).then(|| {
            each.iter()
                .take(needed)
                .fold(0, |sum: u32, more| sum.saturating_add(*more))
        })
    };
    match expr {
        Expr::Atom { proof, settled, .. } => match view.shown(*proof, *settled, ALL) {
            Shown::Holds { .. } => Some(0),
            Shown::Missing | Shown::Void
                if locked(view, *proof).is_none() && method(view, *proof).is_some() =>
            {
                Some(1)
            }
            _ => None,
        },
        Expr::And(of) => least(of.len(), of),
        Expr::Or(of) => least(1, of),
        Expr::NOf { n, of } => least(usize::try_from(*n).unwrap_or(usize::MAX), of),
    }
}

fn locked(view: &View<'_>, proof: ProofId) -> Option<Timestamp> {
    let locks = view.moment.facts.locked.iter();
    locks
        .filter(|lock| lock.proof == proof && lock.until > view.moment.now)
        .map(|lock| lock.until)
        .max()
}

fn method(view: &View<'_>, proof: ProofId) -> Option<Method> {
    view.procedure
        .proofs
        .get(proof.index())
        .and_then(|proof| proof.using)
}

fn next(view: &View<'_>, missing: &[Missing]) -> Next {
    let act = |who: Who, words: &str| Next {
        who,
        words: words.to_owned(),
        until: None,
    };
    match view.case.state() {
        State::Ready {
            runs_by_itself: true,
            ..
        } if missing.is_empty() => act(Who::Gate, "runs it"),
        State::Ready { .. } if missing.is_empty() => act(Who::Opener, "says run"),
        State::None | State::Open | State::Waiting { .. } | State::Ready { .. } => {
            missing.first().map_or_else(
                || act(Who::Gate, "goes on"),
                |first| Next {
                    who: first.who.clone(),
                    words: first.words.clone(),
                    until: first.until,
                },
            )
        }
        State::Granted if view.procedure.set_at_gate(view.action).is_some() => act(
            Who::Customer,
            "the customer sets the new one on their own page",
        ),
        State::Granted => act(Who::Gate, "hands the grant over"),
        State::Running => act(Who::Backend, "answers"),
        State::Unknown => act(Who::Backend, "says whether it happened"),
        State::Done
        | State::Failed
        | State::Refused
        | State::Stopped
        | State::Withdrawn
        | State::Expired => act(Who::Nobody, ""),
    }
}

/// Writes the items of one case.
struct Sheet<'v, 'a>(&'v View<'a>);

impl Sheet<'_, '_> {
    fn customer(&self) -> CustomerSteps {
        let view = self.0;
        let mut seen = BTreeSet::new();
        let mut proofs = Vec::new();
        for (_, path) in view.paths().filter(|(_, path)| view.applies(path)) {
            for line in &path.lines {
                if let Requirement::Prove(expr) = &line.requirement {
                    each_proof(expr, &mut |proof| {
                        if seen.insert(proof) {
                            proofs.push(self.proof(proof, None));
                        }
                    });
                }
            }
        }
        let ready = view
            .paths()
            .any(|(_, path)| view.applies(path) && view.proved(path, ALL));
        let there = !view.case.needs_link() || view.case.link_used_at().is_some();
        CustomerSteps {
            needs_link: view.case.needs_link(),
            link_used_at: view.case.link_used_at(),
            proofs,
            may_confirm: ready
                && there
                && view.case.confirmed_at().is_none()
                && view.case.state().is_live()
                && view.moment.now < view.case.expires_at(),
            confirmed_at: view.case.confirmed_at(),
        }
    }

    fn proof(&self, proof: ProofId, settled: Option<countersign_language::Duration>) -> ProofItem {
        let view = self.0;
        let declared = view.procedure.proofs.get(proof.index());
        let lock = locked(view, proof);
        let (standing, at, until) = match view.shown(proof, settled, ALL) {
            Shown::Holds { at } => (Standing::Holds, Some(at), None),
            Shown::NotHeld => (Standing::Refused, None, None),
            Shown::Unsettled { until } => (Standing::Waiting, None, Some(until)),
            Shown::Missing | Shown::Void if lock.is_some() => (Standing::Refused, None, lock),
            Shown::Missing | Shown::Void => (Standing::NotStarted, None, None),
        };
        let tries = view
            .moment
            .facts
            .tries
            .iter()
            .find(|tries| tries.proof == proof);
        ProofItem {
            proof,
            label: declared.map_or_else(String::new, |declared| declared.label.clone()),
            method: declared.and_then(|declared| declared.using),
            standing,
            at,
            until,
            tries_left: tries.map(|tries| tries.left),
        }
    }

    fn path(&self, id: PathId, path: &Path, settled_on: Option<PathId>) -> PathItem {
        let view = self.0;
        let lines: Vec<LineItem> = path
            .lines
            .iter()
            .enumerate()
            .map(|(line, of)| {
                let mut item = self.line(id, path, line, &of.requirement);
                if item.standing != Standing::Holds
                    && settled_on.is_some_and(|settled| settled != id)
                {
                    item.standing = Standing::NotNeeded;
                    item.who = Who::Nobody;
                }
                item
            })
            .collect();
        PathItem {
            path: id,
            name: path.name.clone(),
            applies: view.applies(path),
            complete: view.complete(id, path),
            holding: lines
                .iter()
                .filter(|line| line.standing == Standing::Holds)
                .count(),
            proofs_left: proofs_left(view, path),
            lines,
        }
    }

    fn line(&self, id: PathId, path: &Path, line: usize, requirement: &Requirement) -> LineItem {
        let view = self.0;
        let words = words(view.procedure, view.action, requirement);
        let item = |standing, (done, of), who, until| LineItem {
            line,
            words: words.clone(),
            standing,
            done,
            of,
            who,
            until,
            proofs: None,
        };
        let hold =
            |holds: bool, otherwise: Standing| if holds { Standing::Holds } else { otherwise };
        match requirement {
            Requirement::Prove(expr) => {
                let tree = self.tree(expr);
                let (done, of, until) = progress(&tree);
                LineItem {
                    proofs: Some(tree.clone()),
                    ..item(tree.standing(), (done, of), Who::Customer, until)
                }
            }
            Requirement::Confirms { role, text } => {
                let holds = view.vouched_line(path, *role, text);
                // The opener stands for one role; the lines of another are another person's.
                let who = match view.opener_vouched(path, ALL) {
                    Some(other) if other != *role => Who::Colleague {
                        role: *role,
                        label: role_label(view.procedure, *role),
                    },
                    _ => Who::Opener,
                };
                item(
                    hold(holds, Standing::NotStarted),
                    (u32::from(holds), 1),
                    who,
                    None,
                )
            }
            Requirement::SignOff { count, role } => {
                let signers = view.signers_of_line(path, line);
                let otherwise = if view.case.state() == State::Refused {
                    Standing::Refused
                } else if view.case.confirmed_at().is_some() && view.proved(path, ALL) {
                    Standing::Waiting
                } else {
                    Standing::NotStarted
                };
                let who = Who::Colleague {
                    role: *role,
                    label: role_label(view.procedure, *role),
                };
                item(
                    hold(signers >= *count, otherwise),
                    (signers, *count),
                    who,
                    None,
                )
            }
            Requirement::Notify { .. } => self.notify_line(id, path, &item),
            Requirement::Wait(_) => match view.waited(id, path) {
                Waited::Over { until } => item(Standing::Holds, (1, 1), Who::Time, Some(until)),
                Waited::Until(until) => item(Standing::Waiting, (0, 1), Who::Time, Some(until)),
                Waited::NotAsked | Waited::NotStarted | Waited::Void => {
                    item(Standing::NotStarted, (0, 1), Who::Time, None)
                }
            },
            Requirement::Backup {
                grade,
                within,
                places,
            } => {
                let found =
                    u32::try_from(view.backup_places(*grade, *within, *places)).unwrap_or(u32::MAX);
                let otherwise = if found == 0 {
                    Standing::NotStarted
                } else {
                    Standing::Waiting
                };
                item(
                    hold(found >= *places, otherwise),
                    (found, *places),
                    Who::BackupMachine,
                    None,
                )
            }
            Requirement::When { .. } => {
                let holds = view.condition_holds(requirement);
                item(
                    hold(holds, Standing::Refused),
                    (u32::from(holds), 1),
                    Who::Nobody,
                    None,
                )
            }
            Requirement::AtMost { count, per, scope } => {
                let mut runs = match scope {
                    Scope::Customer => view.moment.facts.runs_for_customer.clone(),
                    Scope::Staff => view.moment.facts.runs_by_opener.clone(),
                };
                runs.sort_unstable_by(|a, b| b.cmp(a));
                let holds = view.condition_holds(requirement);
                let blocking = usize::try_from(count.saturating_sub(1))
                    .ok()
                    .and_then(|last| runs.get(last));
                let until = blocking
                    .filter(|_| !holds)
                    .map(|at| at.plus_seconds(per.seconds()));
                item(
                    hold(holds, Standing::Waiting),
                    (u32::from(holds), 1),
                    Who::Time,
                    until,
                )
            }
        }
    }

    fn notify_line(
        &self,
        id: PathId,
        path: &Path,
        item: &dyn Fn(Standing, (u32, u32), Who, Option<Timestamp>) -> LineItem,
    ) -> LineItem {
        let view = self.0;
        let mut contacts: BTreeSet<_> = view.contacts_of(path).map(|contact| &contact.id).collect();
        contacts.extend(
            view.case
                .notified_for(id)
                .iter()
                .flat_map(|named| &named.contacts),
        );
        let of = u32::try_from(contacts.len()).unwrap_or(u32::MAX);
        let told = contacts.iter().filter(|contact| {
            let notice = view.case.notice_to(contact);
            notice
                .and_then(|notice| notice.answer)
                .is_some_and(|answer| answer.handed_over)
        });
        let told = u32::try_from(told.count()).unwrap_or(u32::MAX);
        match view.told(id, path, ALL) {
            Told::Holds | Told::NotAsked => item(Standing::Holds, (told, of), Who::Gate, None),
            Told::NoContact | Told::NobodyReached => {
                item(Standing::Refused, (told, of.max(1)), Who::Nobody, None)
            }
            Told::OnTheWay if view.case.notified_for(id).is_some() => {
                item(Standing::Waiting, (told, of), Who::Gate, None)
            }
            Told::OnTheWay => item(Standing::NotStarted, (told, of), Who::Gate, None),
        }
    }

    fn tree(&self, expr: &Expr) -> ProofTree {
        let group = |needed: usize, of: &[Expr]| {
            let mut of: Vec<ProofTree> = of.iter().map(|one| self.tree(one)).collect();
            let count = |wanted: &dyn Fn(Standing) -> bool| {
                of.iter().filter(|one| wanted(one.standing())).count()
            };
            let holding = count(&|standing| standing == Standing::Holds);
            let possible = count(&|standing| standing != Standing::Refused);
            let begun = of
                .iter()
                .any(|one| matches!(one.standing(), Standing::Holds | Standing::Waiting));
            let standing = if holding >= needed {
                Standing::Holds
            } else if possible < needed {
                Standing::Refused
            } else if begun {
                Standing::Waiting
            } else {
                Standing::NotStarted
            };
            if standing == Standing::Holds {
                for one in &mut of {
                    not_needed(one);
                }
            }
            ProofTree::Group {
                needed,
                holding,
                standing,
                of,
            }
        };
        match expr {
            Expr::Atom { proof, settled, .. } => ProofTree::One(self.proof(*proof, *settled)),
            Expr::And(of) => group(of.len(), of),
            Expr::Or(of) => group(1, of),
            Expr::NOf { n, of } => group(usize::try_from(*n).unwrap_or(usize::MAX), of),
        }
    }
}

/// What does not hold beside something that does is not needed, all the way down.
fn not_needed(tree: &mut ProofTree) {
    match tree {
        ProofTree::One(item) if item.standing != Standing::Holds => {
            item.standing = Standing::NotNeeded;
        }
        ProofTree::One(_) => {}
        ProofTree::Group { standing, of, .. } => {
            if *standing != Standing::Holds {
                *standing = Standing::NotNeeded;
            }
            for one in of {
                not_needed(one);
            }
        }
    }
}

/// Proofs that count, proofs needed at least, and the first instant at which time makes a difference.
fn progress(tree: &ProofTree) -> (u32, u32, Option<Timestamp>) {
    match tree {
        ProofTree::One(item) => (u32::from(item.standing == Standing::Holds), 1, item.until),
        ProofTree::Group { needed, of, .. } => {
            // The nearest members first: those that hold most of what they need.
            let mut each: Vec<_> = of.iter().map(progress).collect();
            each.sort_by_key(|(done, of, _)| of.saturating_sub(*done));
            each.iter()
                .take(*needed)
                .fold((0, 0, None), |(done, of, until), one| {
                    (done + one.0, of + one.1, earlier(until, one.2))
                })
        }
    }
}

fn earlier(a: Option<Timestamp>, b: Option<Timestamp>) -> Option<Timestamp> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (one, None) | (None, one) => one,
    }
}

fn each_proof(expr: &Expr, visit: &mut impl FnMut(ProofId)) {
    match expr {
        Expr::Atom { proof, .. } => visit(*proof),
        Expr::And(of) | Expr::Or(of) | Expr::NOf { of, .. } => {
            for one in of {
                each_proof(one, visit);
            }
        }
    }
}
