//! From ready to every end.

use countersign_cases::*;
use countersign_language::{PathId, Procedure, Requirement};

use crate::fixture::*;

fn simple() -> Procedure {
    procedure(vec![("usual", vec![prove(one(BY_PIN))])])
}

fn waiting() -> Procedure {
    procedure(vec![(
        "usual",
        vec![
            prove(one(BY_PIN)),
            notify(&[MAILBOX]),
            Requirement::Wait(hours(24)),
        ],
    )])
}

fn ready_by_agent() -> Story {
    Story::by_agent(simple()).proves(BY_PIN).confirms()
}

fn granted() -> Story {
    ready_by_agent().does(run(Actor::Staff(amira())))
}

fn running() -> Story {
    granted().does(Command::HandOver)
}

#[test]
fn an_agents_case_runs_when_somebody_says_so() {
    let story = ready_by_agent();
    assert_eq!(
        story.state(),
        State::Ready {
            path: PathId(0),
            runs_by_itself: false
        }
    );
    let by = |by: Actor| story.clone().when(run(by));
    by(Actor::Gate).refused("not-by-itself");
    by(Actor::Staff(staff("mo", MANAGER))).refused("role-may-not-open");
    let concerned = StaffMember {
        concerned: true,
        ..petra()
    };
    by(Actor::Staff(concerned)).refused("concerned");
    let robot = StaffMember {
        robot: true,
        ..staff("bot", AGENT)
    };
    for who in [
        Actor::Customer,
        Actor::Staff(amira()),
        Actor::Staff(petra()),
        Actor::Staff(robot),
    ] {
        let story = by(who).then(&["granted 0"]);
        assert_eq!(story.state(), State::Granted);
    }
}

#[test]
fn a_customers_case_runs_by_itself() {
    let story = Story::by_customer(simple()).proves(BY_PIN).confirms();
    let story = story
        .when(run(Actor::Staff(amira())))
        .refused("customer-runs");
    story
        .clone()
        .when(run(Actor::Customer))
        .then(&["granted 0"]);
    story.when(run(Actor::Gate)).then(&["granted 0"]);
}

#[test]
fn a_permit_says_exactly_what_was_asked() {
    let story = granted();
    let permit = story.permit.clone().unwrap();
    assert_eq!(
        permit,
        PermitNote {
            action: "server.reinstall".into(),
            connector: "panel".into(),
            digest: story.digest(),
            grant: GRANT,
            path: PathId(0),
        }
    );
    assert_eq!(story.case.grant().unwrap().id, GRANT);
}

#[test]
fn there_is_one_grant_for_a_case_ever() {
    granted()
        .when(run(Actor::Staff(amira())))
        .refused("already-granted");
    running()
        .when(run(Actor::Customer))
        .refused("already-running");
    let outcome = |outcome| running().does(Command::Conclude(outcome));
    outcome(Outcome::Done)
        .when(run(Actor::Customer))
        .refused("already-done");
    let failed = outcome(Outcome::Failed {
        reason: "no-disk".into(),
    });
    assert_eq!(failed.case.failure(), Some("no-disk"));
    failed.when(run(Actor::Customer)).refused("already-failed");
    outcome(Outcome::Unknown)
        .when(run(Actor::Customer))
        .refused("outcome-unknown");
}

#[test]
fn only_what_was_granted_is_handed_over_and_only_what_runs_concludes() {
    ready_by_agent()
        .when(Command::HandOver)
        .refused("nothing-granted");
    ready_by_agent()
        .when(Command::Conclude(Outcome::Done))
        .refused("nothing-running");
    granted()
        .when(Command::Conclude(Outcome::Done))
        .refused("nothing-running");
    let story = granted().when(Command::HandOver).then(&["handed over"]);
    let story = story.when(Command::HandOver).refused("already-running");
    let story = story.when(Command::Conclude(Outcome::Done)).then(&["done"]);
    assert_eq!(story.state(), State::Done);
    story
        .when(Command::Conclude(Outcome::Failed {
            reason: "late".into(),
        }))
        .refused("already-done");
}

#[test]
fn an_unknown_outcome_stays_unknown_until_the_backend_says() {
    let story = running()
        .when(Command::Conclude(Outcome::Unknown))
        .then(&["unknown"]);
    assert_eq!(story.state(), State::Unknown);
    assert!(!story.state().is_final());
    let story = story
        .later(1_000 * DAY)
        .when(Command::Tick)
        .then(&[])
        .when(Command::Conclude(Outcome::Unknown))
        .refused("still-unknown");
    let failed = Command::Conclude(Outcome::Failed {
        reason: "not-found".into(),
    });
    story.clone().when(failed).then(&["failed: not-found"]);
    story.when(Command::Conclude(Outcome::Done)).then(&["done"]);
}

#[test]
fn a_stop_wins_over_everything_that_is_not_handed_over() {
    let opened = Story::new(hosting()).does(Command::Open(opening(Actor::Staff(amira()))));
    let waits = Story::by_agent(waiting())
        .proves(BY_PIN)
        .confirms()
        .tells("mail-1");
    for story in [opened, waits, ready_by_agent(), granted()] {
        let story = story.when(stop()).then(&["stopped"]);
        assert_eq!(story.state(), State::Stopped);
        assert_eq!(
            story.case.ending().unwrap().closed_until,
            Some(at(24 * HOUR))
        );
        let story = story.when(Command::HandOver).refused("already-stopped");
        let story = story.when(run(Actor::Customer)).refused("already-stopped");
        let story = story.later(100 * HOUR).when(Command::Tick).then(&[]);
        story.when(stop()).refused("already-stopped");
    }
}

#[test]
fn whoever_was_notified_may_stop_and_nobody_else() {
    let by = |id: &str| Command::Stop {
        by: Stopper::Contact(contact(id)),
        reason: Some("that was not me".into()),
    };
    let story = Story::by_agent(waiting()).proves(BY_PIN);
    let story = story.when(by("mail-1")).refused("no-notice-due");
    let story = story.confirms();
    let story = story.when(by("text-1")).refused("no-notice-due");
    // The message may arrive before the server that took it has said so.
    story.clone().when(by("mail-1")).then(&["stopped"]);
    story.tells("mail-1").when(by("mail-1")).then(&["stopped"]);
}

#[test]
fn a_stop_that_comes_too_late_is_recorded_once() {
    let unknown = running().does(Command::Conclude(Outcome::Unknown));
    let done = running().does(Command::Conclude(Outcome::Done));
    let failed = running().does(Command::Conclude(Outcome::Failed { reason: "x".into() }));
    for story in [running(), unknown, done, failed] {
        let state = story.state();
        let story = story.when(stop()).then(&["stop came too late"]);
        assert_eq!(story.state(), state);
        assert_eq!(story.case.late_stops(), [Stopper::Customer]);
        assert!(
            story.when(stop()).result.is_err(),
            "the same again adds nothing"
        );
    }
}

#[test]
fn a_granted_case_can_be_taken_back_until_it_is_handed_over() {
    let by = Actor::Staff(amira());
    let story = granted()
        .when(Command::Withdraw { by: by.clone() })
        .then(&["withdrawn"]);
    story.when(Command::HandOver).refused("already-withdrawn");
    running()
        .when(Command::Withdraw { by })
        .refused("already-running");
}

#[test]
fn a_case_from_before_there_were_marks_is_a_case_and_a_marked_one_needs_its_salt() {
    let without = |salt: Option<MarkSalt>| Command::Run {
        by: Actor::Staff(amira()),
        grant: GRANT,
        salt,
    };
    let ready = ready_by_agent();
    ready.clone().when(without(None)).refused("not-ready");
    let other = MarkSalt::new([1; 32]);
    ready
        .clone()
        .when(without(Some(other)))
        .refused("not-ready");
    let mut before = ready.clone();
    before.case = Case::none();
    let mut kinds: Vec<_> = before.events.drain(..).map(|event| event.kind).collect();
    if let Some(EventKind::Opened { mark, .. }) = kinds.first_mut() {
        *mark = None;
    }
    let before = before.given(kinds);
    before.does(without(None));
    ready.does(without(Some(*SALT)));
}

#[test]
fn a_drill_is_told_once_and_ends_with_it() {
    let plan = DrillPlan {
        scenario: "hurried_caller".into(),
        plan: "p1".into(),
    };
    let own = MarkSalt::new([2; 32]);
    let open = Command::Open(Opening {
        mark: Mark::of_drill(&own, &plan),
        ..opening(Actor::Customer)
    });
    let story = Story::new(hosting()).does(open);
    let other = DrillPlan {
        plan: "p2".into(),
        ..plan.clone()
    };
    assert!(Drill::of(&story.case, own, other).is_none());
    assert!(Drill::of(&story.case, *SALT, plan.clone()).is_none());
    let told = Drill::of(&story.case, own, plan.clone()).unwrap();
    let told = told.told(story.now).into_iter().map(|event| event.kind);
    let story = story.given(told);
    assert_eq!(story.state(), State::Withdrawn);
    assert_eq!(story.case.drill(), Some(&plan));
    let again = Drill::of(&story.case, own, plan).unwrap();
    assert_eq!(again.told(story.now), []);
}

#[test]
fn time_alone_ends_a_case_and_never_approves_one() {
    let story = Story::by_agent(hosting()).later(48 * HOUR - 1);
    let story = story.when(Command::Tick).then(&[]);
    let story = story.later(1);
    let prove = story.proving(BY_PASSWORD);
    let story = story.when(prove.clone()).refused("already-expired");
    // A stop is a word about the request itself, so it is heard even now.
    story.clone().when(stop()).then(&["stopped"]);
    let story = story.when(Command::Tick).then(&["expired"]);
    assert_eq!(story.state(), State::Expired);
    let story = story.when(prove).refused("already-expired");
    let story = story.when(Command::Tick).then(&[]);
    story.when(stop()).refused("already-expired");
}

#[test]
fn a_ready_case_runs_out_as_well() {
    let story = ready_by_agent().later(48 * HOUR);
    assert_eq!(story.may_run(), Err(NotYet::Expired));
    let story = story.when(run(Actor::Customer)).refused("already-expired");
    story.when(Command::Tick).then(&["expired"]);
}

#[test]
fn a_granted_case_does_not_run_out() {
    granted().later(100 * DAY).when(Command::Tick).then(&[]);
}

#[test]
fn a_wait_that_ends_after_the_case_would_have_run_out_keeps_it_alive() {
    let procedure = procedure(vec![(
        "usual",
        vec![prove(one(BY_PIN)), Requirement::Wait(days(3))],
    )]);
    let story = Story::by_agent(procedure).proves(BY_PIN).confirms();
    assert_eq!(story.case.expires_at(), at(4 * DAY));
    let story = story
        .later(3 * DAY)
        .when(Command::Tick)
        .then(&["ready 0 by itself"]);
    let story = story.later(DAY - 1);
    assert_eq!(story.may_run(), Ok(PathId(0)));
    let story = story.later(1);
    assert_eq!(story.may_run(), Err(NotYet::Expired));
    story.when(Command::Tick).then(&["expired"]);
}

#[test]
fn a_short_wait_does_not_shorten_the_life_of_a_case() {
    let story = Story::by_agent(waiting())
        .proves(BY_PIN)
        .confirms()
        .tells("mail-1");
    assert_eq!(story.case.expires_at(), at(48 * HOUR));
}

#[test]
fn a_request_refused_elsewhere_meanwhile_does_not_run_here() {
    let story = ready_by_agent().knowing(|facts| {
        facts.earlier = vec![EarlierRefusal {
            case: CaseId("CS-TWIN".into()),
            at: START,
            stopped: true,
            closed_until: at(HOUR),
        }];
    });
    assert_eq!(story.may_run(), Err(NotYet::Closed { until: at(HOUR) }));
    let story = story.when(run(Actor::Customer)).refused("request-closed");
    story
        .later(HOUR)
        .when(run(Actor::Customer))
        .then(&["granted 0"]);
}

#[test]
fn a_twin_whose_outcome_is_open_blocks_this_one() {
    let story = ready_by_agent().knowing(|facts| facts.open_case = Some(CaseId("CS-TWIN".into())));
    assert_eq!(story.may_run(), Err(NotYet::OtherCaseOpen));
    let story = story.when(run(Actor::Customer)).refused("other-case-open");
    // Its own number is no other case.
    story
        .knowing(|facts| facts.open_case = Some(CaseId("CS-7F3K9Q".into())))
        .when(run(Actor::Customer))
        .then(&["granted 0"]);
}

#[test]
fn a_case_keeps_the_procedure_it_was_opened_under() {
    let story = ready_by_agent();
    let mut newer = story.clone();
    newer.procedure.version = countersign_language::Version([8; 32]);
    assert_eq!(newer.may_run(), Err(NotYet::OtherProcedure));
    newer.when(run(Actor::Customer)).refused("other-procedure");
}

#[test]
fn when_one_way_closes_another_that_is_complete_takes_over() {
    let procedure = procedure(vec![
        ("pin", vec![prove(one(BY_PIN))]),
        ("password", vec![prove(one(BY_PASSWORD))]),
    ]);
    let story = Story::by_customer(procedure)
        .proves(BY_PIN)
        .proves(BY_PASSWORD);
    let story = story.confirms().later(MINUTE);
    assert!(matches!(
        story.state(),
        State::Ready {
            path: PathId(0),
            ..
        }
    ));
    let story = story.knowing(|facts| facts.holdings[1].changed_at = Some(at(1)));
    let story = story.when(run(Actor::Gate)).refused("not-ready");
    let story = story
        .when(Command::Tick)
        .then(&["no longer ready 0", "ready 1 by itself"]);
    story.when(run(Actor::Gate)).then(&["granted 1"]);
}

#[test]
fn a_snapshot_comes_back_as_it_was() {
    let long = Story::by_agent(hosting())
        .proves(BY_PIN)
        .proves(BY_MAIL)
        .confirms()
        .signs(petra())
        .tells("mail-1")
        .tells("text-1");
    for story in [Story::new(hosting()), long, granted(), running()] {
        let text = serde_json::to_string(&story.case).unwrap();
        assert_eq!(serde_json::from_str::<Case>(&text).unwrap(), story.case);
        for event in &story.events {
            let text = serde_json::to_string(event).unwrap();
            assert_eq!(serde_json::from_str::<Event>(&text).unwrap(), *event);
        }
    }
}

#[test]
fn the_lost_phone_from_the_call_to_the_new_server() {
    let story = Story::new(hosting());
    let story = story
        .when(Command::Open(opening(Actor::Staff(amira()))))
        .then(&["opened"]);
    let story = story.when(Command::UseLink).then(&["link used"]);
    let story = story.proves(BY_PIN).proves(BY_MAIL).confirms();
    let sign = story.signing(petra());
    let story = story.when(sign).then(&[
        "petra signed",
        "notices due 1: mail-1+text-1 before  settled mail-1+text-1",
    ]);
    let story = story.tells("mail-1");
    let story = story
        .when(notified("text-1", true))
        .then(&["text-1 told", "wait 1 until +24h"]);
    let story = story.when(run(Actor::Staff(amira()))).refused("not-ready");
    let story = story
        .later(24 * HOUR)
        .when(Command::Tick)
        .then(&["ready 1 by itself"]);
    let story = story.when(run(Actor::Gate)).then(&["granted 1"]);
    let story = story.when(Command::HandOver).then(&["handed over"]);
    let story = story.when(Command::Conclude(Outcome::Done)).then(&["done"]);
    assert!(story.state().is_final());
    assert_eq!(story.case.version(), 14);
}

/// A command by the name of its proof, as the file says it.
fn proving(story: &Story, name: &str) -> Command {
    story.proving(story.procedure.proof_named(name).unwrap())
}

#[test]
fn the_procedure_that_is_shipped_stops_the_attack_of_2016() {
    let reading =
        countersign_language::read(include_str!("../../../../procedures/hosting.procedure"));
    let procedure = reading.procedure.expect("the shipped procedure is valid");
    let role = |name: &str| procedure.role_named(name).unwrap();
    let agent = staff("the willing agent", role("agent"));
    let facts = Facts {
        holdings: (0..u32::try_from(procedure.holdings.len()).unwrap())
            .map(|holding| HoldingFact {
                holding: countersign_language::HoldingId(holding),
                changed_at: None,
            })
            .collect(),
        contacts: vec![
            live("mail-1", procedure.holding_named("mailbox").unwrap()),
            live("text-1", procedure.holding_named("mobile").unwrap()),
        ],
        ..Facts::default()
    };
    // The stranger reads the customer's mailbox, and the agent does whatever they ask.
    let story = Story::new(procedure)
        .knowing(|known| *known = facts)
        .does(Command::Open(opening(Actor::Staff(agent.clone()))))
        .does(Command::UseLink);
    let mail = proving(&story, "mail_code");
    let story = story.does(mail);
    let digest = story.digest();
    let story = story
        .when(Command::Confirm { digest })
        .refused("customer-part-missing");
    let story = story
        .when(run(Actor::Staff(agent.clone())))
        .refused("not-ready");
    let sign = story.signing(agent);
    let story = story.when(sign).refused("own-case");
    // Two days later nothing has happened.
    story
        .later(48 * HOUR)
        .when(Command::Tick)
        .then(&["expired"]);
}
