//! Random procedures, random stories with hostile steps, and what is true of all of them.

use std::cell::Cell;

use countersign_cases::*;
use countersign_language::{
    BackupGrade, Comparison, Expr, HoldingId, ProofId, Requirement, RoleId, Scope, Subject, Value,
};
use proptest::{
    prelude::*,
    test_runner::{RngAlgorithm, TestCaseError, TestRng, TestRunner},
};

use crate::{
    auditor::{Entry, audit},
    fixture::*,
};

/// One step of a story: somebody does something, or the world changes.
#[derive(Debug, Clone)]
enum Move {
    /// Whatever brings the case nearer to its grant.
    Help,
    UseLink,
    Prove {
        proof: u32,
        right: bool,
    },
    Confirm {
        right: bool,
    },
    Vouch {
        who: usize,
        text: usize,
    },
    SignOff {
        who: usize,
        right: bool,
    },
    Refuse {
        who: usize,
    },
    Stop {
        contact: Option<usize>,
    },
    Withdraw {
        who: usize,
    },
    Notified {
        contact: usize,
        handed_over: bool,
    },
    Tick,
    Run {
        who: usize,
    },
    HandOver,
    Conclude {
        how: usize,
    },
    Pause {
        ms: i64,
    },
    Change {
        holding: usize,
        ago: i64,
    },
    Drop {
        holding: usize,
    },
    NewContact {
        channel: u32,
        fresh: bool,
    },
    RemoveContact {
        which: usize,
    },
    ForgetContact {
        which: usize,
    },
    Lock {
        proof: u32,
    },
    Backup {
        grade: usize,
        place: usize,
    },
    Attribute {
        value: usize,
    },
    RanBefore {
        ago: i64,
    },
    Close {
        closed: bool,
    },
    Twin {
        open: bool,
    },
}

/// Accounts. Some are of one person, some must never count.
fn accounts() -> Vec<StaffMember> {
    let account = |person: &str, name: &str, role: RoleId| StaffMember {
        name: name.into(),
        ..staff(person, role)
    };
    vec![
        amira(),
        account("amira", "amira's second account", SENIOR),
        petra(),
        account("petra", "petra's second account", SENIOR),
        staff("quinn", SENIOR),
        staff("ben", AGENT),
        staff("mo", MANAGER),
        StaffMember {
            robot: true,
            ..staff("bot", SENIOR)
        },
        StaffMember {
            concerned: true,
            ..staff("cousin", SENIOR)
        },
        StaffMember {
            roles: vec![],
            ..staff("guest", AGENT)
        },
        StaffMember {
            roles: vec![AGENT, MANAGER],
            ..staff("rosa", AGENT)
        },
    ]
}

const TEXTS: [&str; 2] = ["looked at the passport", "knows the voice"];

fn exprs() -> impl Strategy<Value = Expr> {
    let atom =
        (0..6_u32, prop::option::weighted(0.2, 1..8_u32)).prop_map(|(proof, days_)| match days_ {
            Some(days_) => settled(ProofId(proof), days(days_)),
            None => one(ProofId(proof)),
        });
    atom.prop_recursive(2, 6, 3, |inner| {
        let some = prop::collection::vec(inner, 2..4);
        prop_oneof![
            some.clone().prop_map(Expr::And),
            some.clone().prop_map(Expr::Or),
            (some, 1..4_u32).prop_map(|(of, n)| Expr::NOf {
                n: n.min(u32::try_from(of.len()).unwrap()),
                of
            }),
        ]
    })
}

fn lines() -> impl Strategy<Value = Requirement> {
    let grade = prop_oneof![
        Just(BackupGrade::Exists),
        Just(BackupGrade::Verified),
        Just(BackupGrade::Restored)
    ];
    prop_oneof![
        4 => exprs().prop_map(Requirement::Prove),
        1 => (0..2_u32, 0..2_usize).prop_map(|(role, text)| confirms(RoleId(role), TEXTS[text])),
        3 => (1..3_u32, 0..3_u32).prop_map(|(count, role)| sign_off(count, RoleId(role))),
        2 => prop_oneof![
            Just(notify_every()),
            Just(notify(&[MAILBOX])),
            Just(notify(&[MAILBOX, MOBILE])),
        ],
        2 => (1..80_u32).prop_map(|count| Requirement::Wait(hours(count))),
        1 => (grade, 1..48_u32, 1..3_u32).prop_map(|(grade, within, places)| backup(grade, hours(within), places)),
        1 => (0..2_usize, any::<bool>()).prop_map(|(value, is)| Requirement::When {
            subject: Subject::Attribute("tier".into()),
            comparison: if is { Comparison::Is } else { Comparison::IsNot },
            value: Value::Text(["small", "large"][value].into()),
        }),
        1 => (1..3_u32, 1..48_u32, any::<bool>()).prop_map(|(count, per, staff)| Requirement::AtMost {
            count,
            per: hours(per),
            scope: if staff { Scope::Staff } else { Scope::Customer },
        }),
    ]
}

fn moves() -> impl Strategy<Value = Move> {
    let who = || 0..accounts().len() + 2;
    let pauses = prop_oneof![
        Just(1),
        Just(MINUTE),
        Just(HOUR),
        Just(25 * HOUR),
        Just(3 * DAY),
        Just(-MINUTE),
        Just(-2 * DAY)
    ];
    prop_oneof![
        50 => Just(Move::Help),
        2 => Just(Move::UseLink),
        5 => (0..8_u32, prop::bool::weighted(0.8)).prop_map(|(proof, right)| Move::Prove { proof, right }),
        3 => prop::bool::weighted(0.8).prop_map(|right| Move::Confirm { right }),
        2 => (who(), 0..2_usize).prop_map(|(who, text)| Move::Vouch { who, text }),
        5 => (who(), prop::bool::weighted(0.8)).prop_map(|(who, right)| Move::SignOff { who, right }),
        1 => who().prop_map(|who| Move::Refuse { who }),
        1 => prop::option::of(0..4_usize).prop_map(|contact| Move::Stop { contact }),
        1 => who().prop_map(|who| Move::Withdraw { who }),
        3 => (0..4_usize, any::<bool>()).prop_map(|(contact, handed_over)| Move::Notified { contact, handed_over }),
        4 => Just(Move::Tick),
        6 => who().prop_map(|who| Move::Run { who }),
        2 => Just(Move::HandOver),
        2 => (0..3_usize).prop_map(|how| Move::Conclude { how }),
        4 => pauses.prop_map(|ms| Move::Pause { ms }),
        5 => (0..6_usize, prop_oneof![3 => Just(0), 1 => Just(HOUR), 1 => Just(3 * DAY), 1 => Just(-HOUR)])
            .prop_map(|(holding, ago)| Move::Change { holding, ago }),
        1 => (0..6_usize).prop_map(|holding| Move::Drop { holding }),
        1 => (2..4_u32, any::<bool>()).prop_map(|(channel, fresh)| Move::NewContact { channel, fresh }),
        1 => (0..4_usize).prop_map(|which| Move::RemoveContact { which }),
        1 => (0..4_usize).prop_map(|which| Move::ForgetContact { which }),
        1 => (0..6_u32).prop_map(|proof| Move::Lock { proof }),
        3 => (0..3_usize, 0..2_usize).prop_map(|(grade, place)| Move::Backup { grade, place }),
        2 => (0..3_usize).prop_map(|value| Move::Attribute { value }),
        1 => prop_oneof![Just(0), Just(HOUR), Just(-HOUR)].prop_map(|ago| Move::RanBefore { ago }),
        1 => prop::bool::weighted(0.3).prop_map(|closed| Move::Close { closed }),
        1 => prop::bool::weighted(0.3).prop_map(|open| Move::Twin { open }),
    ]
}

/// Paths, who opens the case, and what happens then.
type Play = (Vec<Vec<Requirement>>, usize, Vec<Move>);

fn plays() -> impl Strategy<Value = Play> {
    (
        prop::collection::vec(prop::collection::vec(lines(), 1..5), 1..4),
        0..4_usize,
        prop::collection::vec(moves(), 1..50),
    )
}

/// A story with what was known at each event.
#[derive(Debug, Clone)]
struct Played {
    story: Story,
    log: Vec<Entry>,
}

impl Played {
    fn begin(paths: &[Vec<Requirement>], opener: usize) -> Self {
        Self::begin_marked(paths, opener, Mark::of_case(&SALT))
    }

    fn begin_marked(paths: &[Vec<Requirement>], opener: usize, mark: Mark) -> Self {
        let names = ["a", "b", "c"];
        let procedure = procedure(names.iter().copied().zip(paths.iter().cloned()).collect());
        let by = match opener {
            0 => Actor::Customer,
            1 => Actor::Staff(petra()),
            2 => Actor::Staff(StaffMember {
                robot: true,
                ..staff("bot", AGENT)
            }),
            _ => Actor::Staff(amira()),
        };
        let begun = Self {
            story: Story::new(procedure),
            log: Vec::new(),
        };
        let opening = Opening {
            mark,
            ..opening(by)
        };
        begun.tries(Command::Open(opening)).0
    }

    /// Does it if it may be done. Also says whether it was.
    fn tries(mut self, command: Command) -> (Self, bool) {
        let from = self.story.events.len();
        let Step { story, result } = self.story.asks(command);
        self.log.extend(
            story.events[from..]
                .iter()
                .map(|event| (event.clone(), story.facts.clone())),
        );
        self.story = story;
        (self, result.is_ok())
    }

    fn actor(who: usize) -> Actor {
        match accounts().into_iter().nth(who) {
            Some(member) => Actor::Staff(member),
            None if who == accounts().len() => Actor::Customer,
            None => Actor::Gate,
        }
    }

    fn digest(&self, right: bool) -> Digest {
        if right {
            self.story.digest()
        } else {
            Digest([0x55; 32])
        }
    }

    fn contact(&self, which: usize) -> ContactId {
        self.story
            .facts
            .contacts
            .get(which)
            .map_or_else(|| contact("nobody"), |fact| fact.id.clone())
    }

    fn step(mut self, step: &Move) -> Result<Self, TestCaseError> {
        let now = self.story.now;
        let facts = &mut self.story.facts;
        let command = match step.clone() {
            Move::Pause { ms } => {
                self.story.now.0 += ms;
                return Ok(self);
            }
            Move::Change { holding, ago } => {
                if let Some(fact) = facts.holdings.get_mut(holding) {
                    let changed = Timestamp(now.0 - ago);
                    fact.changed_at = Some(changed);
                    let shown = fact.holding;
                    for contact in facts
                        .contacts
                        .iter_mut()
                        .filter(|contact| contact.channel == shown)
                    {
                        contact.changed_at = Some(changed);
                    }
                }
                return Ok(self);
            }
            Move::Drop { holding } => {
                facts
                    .holdings
                    .retain(|fact| fact.holding.index() != holding);
                return Ok(self);
            }
            Move::NewContact { channel, fresh } => {
                let id = format!("contact-{}", facts.contacts.len());
                facts.contacts.push(ContactFact {
                    changed_at: fresh.then_some(now),
                    ..live(&id, HoldingId(channel))
                });
                return Ok(self);
            }
            Move::RemoveContact { which } => {
                if let Some(fact) = facts.contacts.get_mut(which) {
                    fact.removed_at = Some(now);
                }
                return Ok(self);
            }
            Move::ForgetContact { which } => {
                if let Some(fact) = facts.contacts.get_mut(which) {
                    fact.removed_at = Some(Timestamp(now.0 - 31 * DAY));
                }
                return Ok(self);
            }
            Move::Lock { proof } => {
                facts.locked.push(LockFact {
                    proof: ProofId(proof),
                    until: now.plus_seconds(3_600),
                });
                return Ok(self);
            }
            Move::Backup { grade, place } => {
                facts.backups.insert(
                    0,
                    BackupFact {
                        grade: [
                            BackupGrade::Exists,
                            BackupGrade::Verified,
                            BackupGrade::Restored,
                        ][grade],
                        place: ["vault", "shed"][place].into(),
                        at: now,
                    },
                );
                return Ok(self);
            }
            Move::Attribute { value } => {
                if let Some(text) = ["small", "large"].get(value) {
                    facts.attributes.insert("tier".into(), (*text).into());
                } else {
                    facts.attributes.clear();
                }
                return Ok(self);
            }
            Move::RanBefore { ago } => {
                facts.runs_for_customer.insert(0, Timestamp(now.0 - ago));
                facts.runs_by_opener.insert(0, Timestamp(now.0 - ago));
                return Ok(self);
            }
            Move::Close { closed } => {
                facts.earlier = vec![EarlierRefusal {
                    case: CaseId("CS-TWIN".into()),
                    at: now,
                    stopped: true,
                    closed_until: if closed { now.plus_seconds(60) } else { now },
                }];
                return Ok(self);
            }
            Move::Twin { open } => {
                facts.open_case = open.then(|| CaseId("CS-TWIN".into()));
                return Ok(self);
            }
            Move::Help => return Ok(self.help()),
            Move::UseLink => Command::UseLink,
            Move::Prove { proof, right } => Command::Prove {
                proof: ProofId(proof),
                digest: self.digest(right),
                evidence: assertion(),
            },
            Move::Confirm { right } => Command::Confirm {
                digest: self.digest(right),
            },
            Move::Vouch { who, text } => match Self::actor(who) {
                Actor::Staff(by) => vouch(by, TEXTS[text]),
                _ => return Ok(self),
            },
            Move::SignOff { who, right } => match Self::actor(who) {
                Actor::Staff(by) => Command::SignOff {
                    by,
                    digest: self.digest(right),
                    evidence: assertion(),
                },
                _ => return Ok(self),
            },
            Move::Refuse { who } => match Self::actor(who) {
                Actor::Staff(by) => Command::Refuse {
                    by,
                    reason: "does not look right".into(),
                },
                _ => return Ok(self),
            },
            Move::Stop { contact } => Command::Stop {
                by: contact.map_or(Stopper::Customer, |which| {
                    Stopper::Contact(self.contact(which))
                }),
                reason: None,
            },
            Move::Withdraw { who } => Command::Withdraw {
                by: Self::actor(who),
            },
            Move::Notified {
                contact,
                handed_over,
            } => Command::Notified {
                contact: self.contact(contact),
                handed_over,
            },
            Move::Tick => Command::Tick,
            Move::Run { who } => run(Self::actor(who)),
            Move::HandOver => Command::HandOver,
            Move::Conclude { how } => Command::Conclude(match how {
                0 => Outcome::Done,
                1 => Outcome::Failed { reason: "x".into() },
                _ => Outcome::Unknown,
            }),
        };
        let wrong = matches!(
            step,
            Move::Prove { right: false, .. }
                | Move::Confirm { right: false }
                | Move::SignOff { right: false, .. }
        );
        let ticking = matches!(command, Command::Tick);
        let granted_before = self.story.case.grant().is_some();
        let (played, done) = self.tries(command);
        prop_assert!(!(wrong && done), "{step:?} was made for another digest");
        prop_assert!(
            !ticking || granted_before == played.story.case.grant().is_some(),
            "time alone granted"
        );
        Ok(played)
    }

    /// Does what the checklist says is missing. It only drives; what is right is judged by the auditor.
    fn help(self) -> Self {
        if self.story.state().is_final() || self.story.case.grant().is_some() {
            return self;
        }
        if matches!(self.story.state(), State::Ready { .. }) && self.story.may_run().is_ok() {
            return self.tries(run(Actor::Customer)).0;
        }
        let sheet = self.story.checklist();
        let Some(first) = sheet.missing.first() else {
            return self.tries(Command::Tick).0;
        };
        match &first.who {
            Who::Customer if first.line.is_some() => {
                let open = sheet
                    .customer
                    .proofs
                    .iter()
                    .find(|item| item.standing == Standing::NotStarted);
                match open.map(|item| self.story.proving(item.proof)) {
                    Some(prove) => self.tries(prove).0,
                    None => self.tries(Command::Tick).0,
                }
            }
            Who::Customer if sheet.customer.may_confirm => {
                let digest = self.story.digest();
                self.tries(Command::Confirm { digest }).0
            }
            Who::Customer => self.tries(Command::UseLink).0,
            Who::Opener => {
                let opener = self.story.case.opened().unwrap().opener().cloned();
                TEXTS.iter().fold(self, |played, text| match &opener {
                    Some(by) => played.tries(vouch(by.clone(), text)).0,
                    None => played,
                })
            }
            Who::Colleague { .. } => {
                let mut played = self;
                for by in accounts() {
                    let mut asks: Vec<_> =
                        TEXTS.iter().map(|text| vouch(by.clone(), text)).collect();
                    asks.push(played.story.signing(by));
                    let mut done = false;
                    for command in asks {
                        if !done {
                            (played, done) = played.tries(command);
                        }
                    }
                    if done {
                        break;
                    }
                }
                played
            }
            Who::Time => {
                let mut played = self;
                played.story.now = first
                    .until
                    .unwrap_or(played.story.now)
                    .max(played.story.now);
                played.tries(Command::Tick).0
            }
            Who::BackupMachine => {
                let mut played = self;
                for place in ["vault", "shed"] {
                    played.story.facts.backups.push(BackupFact {
                        grade: BackupGrade::Restored,
                        place: place.into(),
                        at: played.story.now,
                    });
                }
                played.tries(Command::Tick).0
            }
            Who::Gate => {
                let mut notices = self.story.case.notices().iter();
                let due = notices
                    .find(|notice| notice.answer.is_none())
                    .map(|notice| notice.contact.0.clone());
                let command = due.map_or(Command::Tick, |id| notified(&id, true));
                self.tries(command).0
            }
            Who::Backend | Who::Nobody => self.tries(Command::Tick).0,
        }
    }

    fn granted(&self) -> bool {
        self.story.case.grant().is_some()
    }
}

fn check(holds: impl Fn(Play) -> Result<(), TestCaseError>, cases: u32) {
    let config = ProptestConfig {
        // `PROPTEST_CASES=2560` runs ten times as many.
        cases: cases * ProptestConfig::default().cases / 256,
        failure_persistence: None,
        max_shrink_iters: 20_000,
        ..ProptestConfig::default()
    };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(config, rng);
    if let Err(error) = runner.run(&plays(), holds) {
        panic!("{error}");
    }
}

#[test]
fn no_sequence_of_commands_grants_without_a_complete_path() {
    let (granted, waited, signed) = (Cell::new(0), Cell::new(0), Cell::new(0));
    check(
        |(paths, opener, moves)| {
            let mut played = Played::begin(&paths, opener);
            for step in &moves {
                played = played.step(step)?;
                if let Err(wrong) = audit(&played.story.procedure, &played.log) {
                    return Err(TestCaseError::fail(format!(
                        "{wrong}\n{:#?}",
                        played.story.events
                    )));
                }
            }
            played.story.replays();
            let count = |cell: &Cell<u32>, is: bool| cell.set(cell.get() + u32::from(is));
            let had = |wanted: fn(&EventKind) -> bool| {
                played.log.iter().any(|(event, _)| wanted(&event.kind))
            };
            count(&granted, played.granted());
            count(
                &waited,
                played.granted() && had(|kind| matches!(kind, EventKind::WaitStarted { .. })),
            );
            count(
                &signed,
                played.granted() && had(|kind| matches!(kind, EventKind::SignedOff { .. })),
            );
            Ok(())
        },
        700,
    );
    // The property would be empty if hardly any story got there.
    let (granted, waited, signed) = (granted.get(), waited.get(), signed.get());
    assert!(
        granted > 100 && waited > 15 && signed > 15,
        "{granted} granted, {waited} waited, {signed} signed"
    );
}

#[test]
fn no_drill_is_granted_and_until_it_would_be_nothing_tells_it_from_a_case() {
    let would_have_been = Cell::new(0);
    let plan = DrillPlan {
        scenario: "hurried_caller".into(),
        plan: "p1".into(),
    };
    let own = MarkSalt::new([0xd1; 32]);
    check(
        |(paths, opener, moves)| {
            let mut played = Played::begin(&paths, opener);
            let mut drill = Played::begin_marked(&paths, opener, Mark::of_drill(&own, &plan));
            let mut alike = true;
            for step in &moves {
                played = played.step(step)?;
                drill = drill.step(step)?;
                for salt in [Some(*SALT), Some(own), None] {
                    let run = Command::Run {
                        by: Actor::Customer,
                        grant: GRANT,
                        salt,
                    };
                    let story = &drill.story;
                    let asked = decide(&story.procedure, &story.case, run, &story.moment());
                    prop_assert!(asked.is_err(), "a drill was granted: {asked:?}");
                }
                prop_assert!(!drill.granted());
                alike &= !played.granted();
                if alike {
                    let unmarked = |played: &Played| {
                        let mut events = played.story.events.clone();
                        if let Some(EventKind::Opened { mark, .. }) =
                            events.first_mut().map(|event| &mut event.kind)
                        {
                            *mark = None;
                        }
                        events
                    };
                    prop_assert_eq!(unmarked(&played), unmarked(&drill));
                    prop_assert_eq!(played.story.checklist(), drill.story.checklist());
                    prop_assert_eq!(played.story.may_run(), drill.story.may_run());
                }
            }
            would_have_been.set(would_have_been.get() + u32::from(played.granted()));
            let told = Drill::of(&drill.story.case, own, plan.clone());
            let told = told.expect("its own salt opens it").told(drill.story.now);
            let drill = drill.story.given(told.into_iter().map(|event| event.kind));
            prop_assert!(drill.state().is_final());
            prop_assert_eq!(drill.case.drill(), Some(&plan));
            prop_assert!(Drill::of(&played.story.case, own, plan.clone()).is_none());
            Ok(())
        },
        150,
    );
    assert!(would_have_been.get() > 15, "{}", would_have_been.get());
}

#[test]
fn a_stop_always_wins_over_a_grant_not_handed_over() {
    let stopped_after_grant = Cell::new(0);
    check(
        |(paths, opener, moves)| {
            let mut played = Played::begin(&paths, opener);
            for (index, step) in moves.iter().enumerate() {
                played = played.step(step)?;
                if !played.story.state().is_live() && played.story.state() != State::Granted {
                    break;
                }
                let was_granted = played.granted();
                let (mut after, done) = played.clone().tries(stop());
                prop_assert!(done, "a stop was refused in {:?}", played.story.state());
                let ends = after.log.len();
                for later in &moves[index..] {
                    after = after.step(later)?;
                }
                prop_assert_eq!(after.story.state(), State::Stopped);
                prop_assert_eq!(after.log.len(), ends, "nothing happens after a stop");
                stopped_after_grant.set(stopped_after_grant.get() + u32::from(was_granted));
            }
            Ok(())
        },
        150,
    );
    assert!(
        stopped_after_grant.get() > 20,
        "{}",
        stopped_after_grant.get()
    );
}

#[test]
fn the_fast_question_the_decision_and_the_checklist_agree() {
    check(
        |(paths, opener, moves)| {
            let mut played = Played::begin(&paths, opener);
            for step in &moves {
                played = played.step(step)?;
                let story = &played.story;
                let may = story.may_run();
                let decided = decide(
                    &story.procedure,
                    &story.case,
                    run(Actor::Customer),
                    &story.moment(),
                );
                prop_assert_eq!(may.is_ok(), decided.is_ok(), "{:?} but {:?}", may, decided);
                if let (Ok(path), Ok(decision)) = (may, decided) {
                    prop_assert_eq!(decision.permit.map(|permit| permit.path()), Some(path));
                }
                let sheet = story.checklist();
                for item in &sheet.paths {
                    let all = item
                        .lines
                        .iter()
                        .all(|line| line.standing == Standing::Holds);
                    prop_assert_eq!(
                        item.complete,
                        all && story.case.confirmed_at().is_some(),
                        "{:?}",
                        item
                    );
                }
                if may == Err(NotYet::Incomplete) {
                    let complete = sheet.paths.iter().any(|item| item.complete);
                    prop_assert!(complete || !sheet.missing.is_empty());
                }
            }
            Ok(())
        },
        150,
    );
}

#[test]
fn a_decision_leaves_nothing_to_follow_at_the_same_moment() {
    check(
        |(paths, opener, moves)| {
            let mut played = Played::begin(&paths, opener);
            for step in &moves {
                played = played.step(step)?;
                let ticked = played.clone().tries(Command::Tick).0;
                let again = ticked.clone().tries(Command::Tick).0;
                prop_assert_eq!(again.log.len(), ticked.log.len());
            }
            Ok(())
        },
        150,
    );
}
