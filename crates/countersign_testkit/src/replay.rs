//! An attack as the prover tells it, played through the gate step by step.

#![expect(
    clippy::indexing_slicing,
    reason = "every index in a checked `Procedure` is in range"
)]

use std::collections::BTreeSet;

use countersign_cases::{
    Actor, Case, CaseId, Command, CustomerId, Evidence, GrantId, Mark, MarkSalt, Moment, Opening,
    Outcome, Permit, StaffMember, State, decide, evolve,
};
use countersign_language::{
    Action, ActionId, Expr, Method, Path, PathId, Procedure, ProofId, Requirement, RoleId, Target,
};

use crate::naive::{self, Start};
use crate::world::{World, assertion, person, values_for};

/// Plays an attack: with these compromises, each of these actions by its path, in order.
///
/// The prover looks at each path by itself, as DESIGN §5 does. Where another path of the same action holds as
/// well and tells somebody honest, the gate tells them too, and they would stop the case if they read it in
/// time; here they do not, and it is counted.
///
/// # Errors
/// Why the gate, or somebody honest, did not let it pass: then the prover or the gate is wrong.
pub fn replay<'a>(
    procedure: &'a Procedure,
    start: &Start,
    steps: &[(ActionId, PathId)],
    target: Target,
) -> Result<Played<'a>, String> {
    let mut world = World::new(procedure, start.clone());
    let mut told_beside = 0;
    for (number, &(action, path)) in steps.iter().enumerate() {
        let declared = &procedure.actions[action.index()];
        let of = &declared.paths[path.index()];
        told_beside += take(&mut world, action, path).map_err(|why| {
            format!(
                "step {}, `{}` by path `{}`: {why}",
                number + 1,
                declared.name,
                of.name
            )
        })?;
    }
    if world.reached(target) {
        Ok(Played { world, told_beside })
    } else {
        Err("the steps were taken and the target is not reached".to_owned())
    }
}

/// An attack that went through.
#[derive(Debug)]
pub struct Played<'a> {
    /// The world as it is then.
    pub world: World<'a>,
    /// Honest contacts that were told for the sake of a path that was not taken.
    pub told_beside: usize,
}

fn take(world: &mut World<'_>, id: ActionId, by: PathId) -> Result<usize, String> {
    let procedure = world.procedure;
    let action = &procedure.actions[id.index()];
    let path = &action.paths[by.index()];
    let mut told_beside = 0;
    if action.outside {
        // Nobody's gate: the rules themselves say whether it can be done.
        if !naive::open_to(world.procedure, &world.start, action, path, &world.got) {
            return Err("it is not open to the thief".to_owned());
        }
        world.happens(id);
        return Ok(0);
    }
    let proofs = proofs(world, path)?;
    let seats = seats(world, action, path)?;
    let (parameters, attributes) =
        values_for(action, &path.lines).ok_or("its `when` lines contradict each other")?;
    world.facts.attributes = attributes;
    let mut desk = Desk {
        procedure,
        action: id,
        case: Case::none(),
    };
    let opener = match &seats.opener {
        Some(opener) => Actor::Staff(opener.clone()),
        None => Actor::Customer,
    };
    desk.does(
        world,
        Command::Open(Opening {
            case: CaseId(format!("case-{}", world.now.0)),
            customer: CustomerId("customer".to_owned()),
            action: action.name.clone(),
            parameters,
            by: opener,
            reason: Some("they say they are the customer".to_owned()),
            reference: None,
            nonce: [7; 16],
            mark: Mark::of_case(&MarkSalt::new([0; 32])),
        }),
    )?;
    let digest = desk.case.digest().ok_or("a case has a digest")?;
    if desk.case.needs_link() {
        desk.does(world, Command::UseLink)?;
    }
    for proof in proofs {
        let passkey = procedure.proofs[proof.index()].using == Some(Method::Passkey);
        let evidence = if passkey { assertion() } else { Evidence::None };
        desk.does(
            world,
            Command::Prove {
                proof,
                digest,
                evidence,
            },
        )?;
    }
    desk.does(world, Command::Confirm { digest })?;
    for (by, text) in seats.words {
        desk.does(world, Command::Vouch { by, text })?;
    }
    for by in seats.signers {
        let evidence = assertion();
        desk.does(
            world,
            Command::SignOff {
                by,
                digest,
                evidence,
            },
        )?;
    }
    desk.tell(world)?;
    while let State::Waiting { until, .. } = desk.case.state() {
        // Time passes, so whoever was told and is honest has the time to say no.
        let ours = desk.case.notified_for(by);
        for notice in desk.case.notices() {
            let contact = &notice.contact;
            if world.is_watched(contact) {
                if ours.is_some_and(|ours| ours.contacts.contains(contact)) {
                    return Err(format!("the notice to {} stops it", contact.0));
                }
                told_beside += 1;
            }
        }
        world.pass(until.seconds_since(world.now).saturating_add(1));
        desk.does(world, Command::Tick)?;
        desk.tell(world)?;
    }
    let grant = GrantId([3; 16]);
    let permit = desk
        .does(
            world,
            Command::Run {
                by: Actor::Customer,
                grant,
                salt: Some(MarkSalt::new([0; 32])),
            },
        )?
        .ok_or("run without a permit")?;
    if permit.consume().action != action.name {
        return Err("the permit is for another action".to_owned());
    }
    desk.does(world, Command::HandOver)?;
    desk.does(world, Command::Conclude(Outcome::Done))?;
    world.happens(id);
    Ok(told_beside)
}

/// One case at the gate.
struct Desk<'a> {
    procedure: &'a Procedure,
    action: ActionId,
    case: Case,
}

impl Desk<'_> {
    fn does(&mut self, world: &mut World<'_>, command: Command) -> Result<Option<Permit>, String> {
        world.now = world.now.plus_seconds(1);
        let words = format!("{command:?}");
        let facts = world.facts_for(self.action);
        let moment = Moment {
            now: world.now,
            facts: &facts,
        };
        let decision = decide(self.procedure, &self.case, command, &moment)
            .map_err(|refusal| format!("{refusal} ({}), asked for {words}", refusal.code()))?;
        for event in &decision.events {
            self.case = evolve(std::mem::take(&mut self.case), event);
        }
        Ok(decision.permit)
    }

    /// Every notice that is due arrives.
    fn tell(&mut self, world: &mut World<'_>) -> Result<(), String> {
        while let Some(contact) = self
            .case
            .notices()
            .iter()
            .find(|notice| notice.answer.is_none())
            .map(|notice| notice.contact.clone())
        {
            if !self.case.state().is_live() {
                break;
            }
            let handed_over = true;
            self.does(
                world,
                Command::Notified {
                    contact,
                    handed_over,
                },
            )?;
        }
        Ok(())
    }
}

/// Which proofs the thief makes; waits first until what has to be settled is.
fn proofs(world: &mut World<'_>, path: &Path) -> Result<BTreeSet<ProofId>, String> {
    let mut chosen = Vec::new();
    for line in &path.lines {
        if let Requirement::Prove(expr) = &line.requirement
            && !choose(world, expr, &mut chosen)
        {
            return Err("the thief cannot prove it".to_owned());
        }
    }
    for &(proof, settled) in &chosen {
        let shows = world.procedure.proofs[proof.index()].shows;
        let Some((length, at)) = settled.zip(world.changed_at(shows)) else {
            continue;
        };
        if world.now.seconds_since(at) >= length {
            continue;
        }
        // What the thief owns and had replaced as well: the customer takes it back, and the thief still owns it.
        if !world.start.unread {
            world.undo(shows);
        }
        world.pass(length.saturating_add(1));
    }
    Ok(chosen.into_iter().map(|(proof, _)| proof).collect())
}

/// As few proofs of the expression as need be; false if it cannot be proved.
fn choose(world: &World<'_>, expr: &Expr, chosen: &mut Vec<(ProofId, Option<u64>)>) -> bool {
    let before = chosen.len();
    let mut some = |of: &[Expr], needed: usize| {
        let mut found = 0;
        for part in of {
            if found < needed && choose(world, part, chosen) {
                found += 1;
            }
        }
        found >= needed
    };
    let holds = match expr {
        Expr::Atom { proof, settled, .. } => {
            let shows = world.procedure.proofs[proof.index()].shows;
            let own = world.got.own.contains(&shows);
            let new = world.got.new.contains(&shows) && (settled.is_none() || world.start.unread);
            if own || new {
                let seconds = settled.map(countersign_language::Duration::seconds);
                chosen.push((*proof, seconds));
            }
            own || new
        }
        Expr::And(of) => some(of, of.len()),
        Expr::Or(of) => some(of, 1),
        Expr::NOf { n, of } => some(of, *n as usize),
    };
    if !holds {
        chosen.truncate(before);
    }
    holds
}

/// Who does what staff must do on a path.
struct Seats {
    /// Who opens it; nobody of the staff where only customers may.
    opener: Option<StaffMember>,
    /// Whose word for which line, the opener's first.
    words: Vec<(StaffMember, String)>,
    signers: Vec<StaffMember>,
}

fn seats(world: &World<'_>, action: &Action, path: &Path) -> Result<Seats, String> {
    let procedure = world.procedure;
    let may_open = |role: RoleId| {
        let mut wanted = action.opened_by.roles.iter();
        wanted.any(|wanted| procedure.role_covers(role, *wanted))
    };
    let mut confirming: BTreeSet<RoleId> = BTreeSet::new();
    let mut slots: Vec<RoleId> = Vec::new();
    for line in &path.lines {
        match &line.requirement {
            Requirement::Confirms { role, .. } => {
                confirming.insert(*role);
            }
            Requirement::SignOff { count, role } => slots.extend((0..*count).map(|_| *role)),
            _ => {}
        }
    }
    let signing = slots.len();
    slots.extend(&confirming);
    let crowd = u32::try_from(slots.len()).unwrap_or(u32::MAX);
    let mut people: Vec<(RoleId, StaffMember)> = Vec::new();
    for (&role, &count) in &world.start.people {
        let name = &procedure.roles[role.index()].name;
        people.extend(
            (0..count.min(crowd)).map(|nth| (role, person(&format!("{name} {nth}"), role))),
        );
    }
    let acceptable = |seated: &[usize]| {
        confirming.is_empty()
            || seated
                .iter()
                .skip(signing)
                .any(|&at| may_open(people[at].0))
    };
    let mut seated = Vec::new();
    if !seat(procedure, &slots, &people, &mut seated, &acceptable) {
        return Err(
            "no deceived people fill its places, with one among those who vouch who may open it"
                .to_owned(),
        );
    }
    let (signers, vouchers) = seated.split_at(signing);
    let named = |at: &usize| people[*at].1.clone();
    let vouchers: Vec<(RoleId, StaffMember)> = confirming
        .into_iter()
        .zip(vouchers.iter().map(named))
        .collect();
    let opener = vouchers
        .iter()
        .find(|(_, by)| by.roles.iter().any(|&role| may_open(role)))
        .map(|(_, by)| by.clone());
    let mut words = Vec::new();
    for line in &path.lines {
        if let Requirement::Confirms { role, text } = &line.requirement
            && let Some((_, by)) = vouchers.iter().find(|(of, _)| of == role)
            && !words.contains(&(by.clone(), text.clone()))
        {
            words.push((by.clone(), text.clone()));
        }
    }
    words.sort_by_key(|(by, _)| Some(by) != opener.as_ref());
    // An honest agent opens one for whoever asks; where none may, the thief does in the customer's name.
    let honest = action.opened_by.roles.first();
    Ok(Seats {
        opener: opener.or_else(|| honest.map(|&role| person("honest", role))),
        words,
        signers: signers.iter().map(named).collect(),
    })
}

/// Gives each place somebody of their own, trying every way until one is acceptable.
fn seat(
    procedure: &Procedure,
    slots: &[RoleId],
    people: &[(RoleId, StaffMember)],
    seated: &mut Vec<usize>,
    acceptable: &dyn Fn(&[usize]) -> bool,
) -> bool {
    let Some(&slot) = slots.get(seated.len()) else {
        return acceptable(seated);
    };
    for (at, (role, _)) in people.iter().enumerate() {
        if !seated.contains(&at) && procedure.role_covers(*role, slot) {
            seated.push(at);
            if seat(procedure, slots, people, seated, acceptable) {
                return true;
            }
            seated.pop();
        }
    }
    false
}
