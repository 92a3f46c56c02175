//! A thief who knows nothing but tries everything: random commands at the gate, many cases of one customer at
//! once, deceived people and clock jumps, within the budget of one promise.

#![expect(
    clippy::indexing_slicing,
    reason = "every index in a checked `Procedure` is in range"
)]

use std::collections::BTreeMap;

use countersign_cases::{
    Actor, Case, CaseId, Command, CustomerId, Digest, EarlierRefusal, Evidence, GrantId, Mark,
    MarkSalt, Moment, Opening, Outcome, StaffMember, State, Stopper, decide, evolve,
};
use countersign_language::{
    ActionId, Assumption, HoldingId, HoldingKind, Method, Procedure, ProofId, Requirement, RoleId,
    Target,
};

use crate::naive::{self, Dice, Start};
use crate::world::{World, assertion, atoms, person, values_for};

/// What many random commands came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tried {
    /// Commands, refused ones included.
    pub steps: u64,
    /// Commands that were accepted.
    pub accepted: u64,
    /// Actions that were run, and done outside.
    pub done: u64,
    /// Cases that somebody honest stopped.
    pub stopped: u64,
    /// The promise was broken: with these compromises, by the world of this number.
    pub breach: Option<(Vec<String>, u64)>,
}

const HOUR: u64 = 3_600;

/// After so many commands another world begins.
const WORLD_STEPS: u64 = 2_500;

/// Attacks one `never` promise with so many commands, or until it breaks.
pub fn attack(
    procedure: &Procedure,
    even_if: &[Assumption],
    targets: &[Target],
    seed: u64,
    steps: u64,
) -> Tried {
    let mut tried = Tried::default();
    for number in 0.. {
        if tried.steps >= steps || tried.breach.is_some() {
            break;
        }
        let mut dice = Dice(seed.wrapping_mul(1_000_003).wrapping_add(number));
        let start = within(procedure, even_if, &mut dice);
        let mut siege = Siege::new(procedure, start, dice);
        for _ in 0..WORLD_STEPS.min(steps - tried.steps) {
            siege.step(&mut tried);
            if targets.iter().any(|&target| siege.world.reached(target)) {
                tried.breach = Some((siege.world.start.names(procedure), number));
                break;
            }
        }
    }
    tried
}

/// Compromises within the budget, mostly all of it.
fn within(procedure: &Procedure, even_if: &[Assumption], dice: &mut Dice) -> Start {
    let mut start = Start::default();
    let mut kinds: BTreeMap<HoldingKind, u32> = BTreeMap::new();
    for assumption in even_if {
        if dice.chance(3) {
            continue;
        }
        match *assumption {
            Assumption::Holding(holding) => {
                start.holdings.insert(holding);
            }
            Assumption::AnyOfKind { count, kind } => *kinds.entry(kind).or_default() += count,
            Assumption::Deceived { count, role } => *start.people.entry(role).or_default() += count,
            Assumption::AnyDeceived(role) => *start.people.entry(role).or_default() += 5,
            Assumption::NoticesUnread => start.unread = true,
        }
    }
    for (kind, count) in kinds {
        let mut of_kind: Vec<HoldingId> = (0_u32..)
            .map(HoldingId)
            .zip(&procedure.holdings)
            .filter(|(id, holding)| holding.kind == kind && !start.holdings.contains(id))
            .map(|(id, _)| id)
            .collect();
        for _ in 0..count {
            if !of_kind.is_empty() {
                let at = dice.below(of_kind.len());
                start.holdings.insert(of_kind.swap_remove(at));
            }
        }
    }
    start
}

/// One world under attack.
struct Siege<'a> {
    world: World<'a>,
    dice: Dice,
    cases: Vec<Open>,
    deceived: Vec<StaffMember>,
    /// By action and value of its parameters: why it is closed.
    closed: BTreeMap<(ActionId, usize), EarlierRefusal>,
    opened: u64,
}

/// A case that is not finished.
struct Open {
    case: Case,
    action: ActionId,
    /// Which of a few sets of parameters.
    request: usize,
}

impl<'a> Siege<'a> {
    fn new(procedure: &'a Procedure, start: Start, dice: Dice) -> Self {
        let mut deceived = Vec::new();
        for (&role, &count) in &start.people {
            let name = &procedure.roles[role.index()].name;
            deceived.extend((0..count).map(|nth| person(&format!("{name} {nth}"), role)));
        }
        Self {
            world: World::new(procedure, start).vigilant(),
            dice,
            cases: Vec::new(),
            deceived,
            closed: BTreeMap::new(),
            opened: 0,
        }
    }

    fn step(&mut self, tried: &mut Tried) {
        tried.steps += 1;
        if self.dice.chance(60) {
            self.world.now.0 += 1 + i64::from(self.dice.chance(50)) * 997;
        }
        match self.dice.below(100) {
            0 | 1 => self.time_passes(tried),
            2..=5 => self.outside(tried),
            6..=11 => self.open(tried),
            _ if self.cases.is_empty() => self.open(tried),
            _ => {
                let at = self.dice.below(self.cases.len());
                if let Some(command) = self.command(at) {
                    self.ask(at, command, tried);
                }
            }
        }
    }

    /// Whoever is honest and was told stops what they did not ask for; then the clock jumps.
    fn time_passes(&mut self, tried: &mut Tried) {
        let mut at = 0;
        while at < self.cases.len() {
            // What is due is sent before, and arrives: a delivery that is late or fails is no thief's doing.
            self.deliver(at, tried);
            let Some(open) = self.cases.get(at) else {
                break;
            };
            let mut told = open.case.notices().iter().map(|notice| &notice.contact);
            match told.find(|contact| self.world.is_watched(contact)).cloned() {
                Some(contact) if self.stoppable(at) => {
                    tried.stopped += 1;
                    let by = Stopper::Contact(contact);
                    // The case is finished then, and another in its place.
                    if !self.ask(at, Command::Stop { by, reason: None }, tried) {
                        at += 1;
                    }
                }
                _ => at += 1,
            }
        }
        let lengths = [
            60,
            HOUR,
            12 * HOUR,
            25 * HOUR,
            49 * HOUR,
            73 * HOUR,
            8 * 24 * HOUR,
            31 * 24 * HOUR,
        ];
        let mut seconds = *self.dice.pick(&lengths);
        let now = self.world.now;
        let mut deadlines = self
            .cases
            .iter()
            .filter_map(|open| open.case.next_deadline(now));
        if let (Some(deadline), true) = (deadlines.next(), self.dice.chance(50)) {
            seconds = deadline.seconds_since(now) + 1;
        }
        if self.dice.chance(20) && !self.world.start.unread {
            let new: Vec<HoldingId> = self.world.got.new.iter().copied().collect();
            if !new.is_empty() {
                self.world.undo(*self.dice.pick(&new));
            }
        }
        self.world.pass(seconds);
    }

    fn stoppable(&self, at: usize) -> bool {
        let state = self.cases[at].case.state();
        state.is_live() || state == State::Granted
    }

    fn deliver(&mut self, at: usize, tried: &mut Tried) {
        let due = |open: &Open| {
            let mut notices = open.case.notices().iter();
            let due = notices.find(|notice| notice.answer.is_none());
            due.filter(|_| open.case.state().is_live())
                .map(|notice| notice.contact.clone())
        };
        while let Some(contact) = self.cases.get(at).and_then(due) {
            let handed_over = true;
            let command = Command::Notified {
                contact,
                handed_over,
            };
            if !self.ask(at, command, tried) {
                break;
            }
        }
    }

    fn outside(&mut self, tried: &mut Tried) {
        let procedure = self.world.procedure;
        let at = self.dice.below(procedure.actions.len());
        let action = &procedure.actions[at];
        if action.outside {
            let path = self.dice.pick(&action.paths);
            let world = &self.world;
            if naive::open_to(procedure, &world.start, action, path, &world.got) {
                tried.done += 1;
                self.world.happens(id(at));
            }
        }
    }

    fn open(&mut self, tried: &mut Tried) {
        let procedure = self.world.procedure;
        let at = self.dice.below(procedure.actions.len());
        let (action, id) = (&procedure.actions[at], id(at));
        if action.outside {
            return;
        }
        let path = self.dice.pick(&action.paths);
        let Some((mut parameters, attributes)) = values_for(action, &path.lines) else {
            return;
        };
        if self.dice.chance(50) {
            self.world.facts.attributes.extend(attributes);
        }
        let request = self.dice.below(3);
        if let Some(value) = parameters.values_mut().find(|value| *value == "something") {
            value.push_str(&request.to_string());
        }
        let by = match self.dice.below(4) {
            0 => Actor::Customer,
            1 | 2 if !self.deceived.is_empty() => {
                Actor::Staff(self.dice.pick(&self.deceived).clone())
            }
            _ if procedure.roles.is_empty() => Actor::Customer,
            _ => {
                let role =
                    RoleId(u32::try_from(self.dice.below(procedure.roles.len())).unwrap_or(0));
                Actor::Staff(person("honest", role))
            }
        };
        self.opened += 1;
        let mut nonce = [0; 16];
        nonce[..8].copy_from_slice(&self.opened.to_le_bytes());
        let opening = Opening {
            case: CaseId(self.opened.to_string()),
            customer: CustomerId("customer".to_owned()),
            action: action.name.clone(),
            parameters,
            by,
            reason: Some("they say they are the customer".to_owned()),
            reference: None,
            nonce,
            mark: Mark::of_case(&MarkSalt::new([0; 32])),
        };
        self.cases.push(Open {
            case: Case::none(),
            action: id,
            request,
        });
        let at = self.cases.len() - 1;
        if !self.ask(at, Command::Open(opening), tried) {
            self.cases.pop();
        }
    }

    /// Something that somebody might ask of this case.
    fn command(&mut self, at: usize) -> Option<Command> {
        let procedure = self.world.procedure;
        let Open { case, action, .. } = &self.cases[at];
        let lines: Vec<&Requirement> = procedure.actions[action.index()]
            .paths
            .iter()
            .flat_map(|path| &path.lines)
            .map(|line| &line.requirement)
            .collect();
        let dice = &mut self.dice;
        let mut digest = case.digest()?;
        if dice.chance(2) {
            digest = Digest([1; 32]);
        }
        let mut someone = self.deceived.clone();
        someone.extend(case.opened().and_then(|opened| opened.opener()).cloned());
        // Half of it is blind, half of it what comes next.
        let roll = if dice.chance(50) {
            dice.below(22)
        } else {
            match case.state() {
                State::Granted => 19,
                State::Running | State::Unknown => 20,
                State::Ready { .. } => 17,
                _ if case.needs_link() && case.link_used_at().is_none() => 0,
                _ if case.confirmed_at().is_none() => *dice.pick(&[2, 2, 2, 7]),
                _ if case.notices().iter().any(|notice| notice.answer.is_none()) => 14,
                _ => *dice.pick(&[2, 9, 11]),
            }
        };
        Some(match roll {
            0 | 1 => Command::UseLink,
            2..=6 => {
                let shown: Vec<ProofId> = lines
                    .iter()
                    .filter_map(|line| match line {
                        Requirement::Prove(expr) => Some(atoms(expr)),
                        _ => None,
                    })
                    .flatten()
                    .map(|(proof, _)| proof)
                    .filter(|proof| {
                        let shows = procedure.proofs[proof.index()].shows;
                        self.world.can_show(shows)
                    })
                    .collect();
                if shown.is_empty() {
                    return None;
                }
                let proof = *dice.pick(&shown);
                let passkey = procedure.proofs[proof.index()].using == Some(Method::Passkey);
                let evidence = if passkey { assertion() } else { Evidence::None };
                Command::Prove {
                    proof,
                    digest,
                    evidence,
                }
            }
            7 | 8 => Command::Confirm { digest },
            9 | 10 if !self.deceived.is_empty() => {
                let texts: Vec<&String> = lines
                    .iter()
                    .filter_map(|line| match line {
                        Requirement::Confirms { text, .. } => Some(text),
                        _ => None,
                    })
                    .collect();
                if texts.is_empty() {
                    return None;
                }
                Command::Vouch {
                    by: dice.pick(&self.deceived).clone(),
                    text: (*dice.pick(&texts)).clone(),
                }
            }
            11..=13 if !self.deceived.is_empty() => {
                let mut by = dice.pick(&self.deceived).clone();
                // A second account of the same person.
                if dice.chance(20) {
                    by.name.push_str(" (at home)");
                }
                let evidence = assertion();
                Command::SignOff {
                    by,
                    digest,
                    evidence,
                }
            }
            14 | 15 => {
                let notices: Vec<_> = case
                    .notices()
                    .iter()
                    .map(|notice| &notice.contact)
                    .collect();
                if notices.is_empty() {
                    return None;
                }
                let contact = (*dice.pick(&notices)).clone();
                // Only what goes to the thief can fail by the thief's doing.
                let handed_over = self.world.is_watched(&contact) || dice.chance(80);
                Command::Notified {
                    contact,
                    handed_over,
                }
            }
            16 => Command::Tick,
            17 | 18 => {
                let by = match dice.below(3) {
                    0 => Actor::Gate,
                    1 if !someone.is_empty() => Actor::Staff(dice.pick(&someone).clone()),
                    _ => Actor::Customer,
                };
                let grant = GrantId([u8::try_from(dice.below(256)).unwrap_or(0); 16]);
                Command::Run {
                    by,
                    grant,
                    salt: Some(MarkSalt::new([0; 32])),
                }
            }
            19 => Command::HandOver,
            20 => Command::Conclude(match dice.below(10) {
                0 => Outcome::Failed {
                    reason: "busy".to_owned(),
                },
                1 => Outcome::Unknown,
                _ => Outcome::Done,
            }),
            _ if dice.chance(90) => return None,
            _ => match dice.below(2) {
                0 => Command::Stop {
                    by: Stopper::Customer,
                    reason: None,
                },
                _ => Command::Withdraw {
                    by: Actor::Customer,
                },
            },
        })
    }

    /// Asks the gate; says whether it accepted. A case that is finished goes, and the last takes its place.
    fn ask(&mut self, at: usize, command: Command, tried: &mut Tried) -> bool {
        let (action, request) = (self.cases[at].action, self.cases[at].request);
        let facts = &mut self.world.facts;
        let twin = |(other, open): (usize, &Open)| {
            let id = open
                .case
                .id()
                .filter(|_| other != at && open.action == action)?;
            Some(id.clone())
        };
        facts.open_case = self.cases.iter().enumerate().find_map(twin);
        let closed = self.closed.get(&(action, request)).cloned();
        facts.earlier = closed.into_iter().collect();
        let facts = self.world.facts_for(action);
        let moment = Moment {
            now: self.world.now,
            facts: &facts,
        };
        let open = &mut self.cases[at];
        let Ok(decision) = decide(self.world.procedure, &open.case, command, &moment) else {
            return false;
        };
        tried.accepted += 1;
        let before = open.case.state();
        for event in &decision.events {
            open.case = evolve(std::mem::take(&mut open.case), event);
        }
        let state = open.case.state();
        if let Some(ending) = open.case.ending()
            && let (Some(closed_until), Some(case)) = (ending.closed_until, open.case.id())
        {
            let earlier = EarlierRefusal {
                case: case.clone(),
                at: ending.at,
                stopped: state == State::Stopped,
                closed_until,
            };
            self.closed.insert((action, request), earlier);
        }
        if state.is_final() {
            self.cases.swap_remove(at);
        }
        // The backend may have done it even if it does not say so.
        let ran = matches!(state, State::Done | State::Unknown);
        if ran && !matches!(before, State::Unknown) {
            tried.done += 1;
            self.world.happens(action);
        }
        true
    }
}

fn id(at: usize) -> ActionId {
    ActionId(u32::try_from(at).unwrap_or(u32::MAX))
}
