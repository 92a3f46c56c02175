//! Notices, waits, and what the world must be like.

use countersign_cases::*;
use countersign_language::{
    BackupGrade, Comparison, Procedure, Requirement, Scope, Subject, Value,
};

use crate::fixture::*;

fn told(lines: Vec<Requirement>) -> Procedure {
    let mut all = vec![prove(one(BY_PIN))];
    all.extend(lines);
    procedure(vec![("usual", all)])
}

fn proved(procedure: Procedure) -> Story {
    Story::by_agent(procedure).proves(BY_PIN)
}

fn confirm(story: Story) -> Step {
    let digest = story.digest();
    story.when(Command::Confirm { digest })
}

#[test]
fn notices_go_out_when_everything_else_holds_and_the_wait_begins_when_they_arrived() {
    let story = proved(told(vec![notify_every(), Requirement::Wait(hours(24))]));
    let story = confirm(story).then(&[
        "confirmed",
        "notices due 0: mail-1+text-1 before  settled mail-1+text-1",
    ]);
    assert_eq!(story.state(), State::Open);
    let story = story
        .later(HOUR)
        .when(notified("mail-1", true))
        .then(&["mail-1 told"]);
    let story = story
        .later(HOUR)
        .when(notified("text-1", true))
        .then(&["text-1 told", "wait 0 until +26h"]);
    assert!(matches!(story.state(), State::Waiting { until, .. } if until == at(26 * HOUR)));
    let story = story.later(24 * HOUR - 1).when(Command::Tick).then(&[]);
    story
        .later(1)
        .when(Command::Tick)
        .then(&["ready 0 by itself"]);
}

#[test]
fn a_contact_that_cannot_be_reached_counts_as_tried_but_somebody_must_be_reached() {
    let story = proved(told(vec![notify_every(), Requirement::Wait(hours(24))])).confirms();
    let one = story
        .clone()
        .when(notified("mail-1", false))
        .then(&["mail-1 not reached"]);
    let one = one
        .when(notified("text-1", true))
        .then(&["text-1 told", "wait 0 until +24h"]);
    one.when(notified("mail-1", true))
        .refused("already-notified");

    let none = story
        .when(notified("mail-1", false))
        .then(&["mail-1 not reached"])
        .when(notified("text-1", false))
        .then(&["text-1 not reached"]);
    assert_eq!(none.state(), State::Open);
    none.later(47 * HOUR).when(Command::Tick).then(&[]);
}

#[test]
fn a_contact_that_changed_lately_is_told_but_does_not_count() {
    let lines = vec![notify(&[MAILBOX]), Requirement::Wait(hours(24))];
    let fresh = |removed_old: bool| {
        proved(told(lines.clone())).knowing(|facts| {
            facts.contacts = vec![ContactFact {
                changed_at: Some(at(-29 * DAY)),
                ..live("mail-2", MAILBOX)
            }];
            if removed_old {
                facts.contacts.push(ContactFact {
                    removed_at: Some(at(-29 * DAY)),
                    ..live("mail-1", MAILBOX)
                });
            }
        })
    };
    // The removed one is told as well, and counts.
    let story = confirm(fresh(true)).then(&[
        "confirmed",
        "notices due 0: mail-1+mail-2 before  settled mail-1",
    ]);
    let story = story.tells("mail-2");
    story
        .clone()
        .when(notified("mail-1", true))
        .then(&["mail-1 told", "wait 0 until +24h"]);
    let stuck = story
        .when(notified("mail-1", false))
        .then(&["mail-1 not reached"]);
    assert_eq!(stuck.state(), State::Open);

    // Alone, a fresh contact is nobody.
    let story =
        confirm(fresh(false)).then(&["confirmed", "notices due 0: mail-2 before  settled "]);
    let story = story.when(notified("mail-2", true)).then(&["mail-2 told"]);
    assert_eq!(story.state(), State::Open);
    // Until it has settled.
    story
        .later(DAY)
        .when(Command::Tick)
        .then(&["wait 0 until +48h"]);
}

#[test]
fn a_contact_removed_long_ago_is_not_told() {
    let story = proved(told(vec![notify(&[MAILBOX])])).knowing(|facts| {
        facts.contacts.push(ContactFact {
            removed_at: Some(at(-30 * DAY - SECOND)),
            ..live("mail-0", MAILBOX)
        });
        facts.contacts.push(ContactFact {
            removed_at: Some(at(-30 * DAY)),
            ..live("mail-00", MAILBOX)
        });
    });
    confirm(story).then(&[
        "confirmed",
        "notices due 0: mail-00+mail-1 before  settled mail-00+mail-1",
    ]);
}

#[test]
fn a_contact_that_drops_out_of_reach_during_the_wait_was_told() {
    let story =
        proved(told(vec![notify(&[MAILBOX]), Requirement::Wait(days(3))])).knowing(|facts| {
            facts.contacts = vec![
                ContactFact {
                    changed_at: Some(at(-29 * DAY)),
                    ..live("mail-2", MAILBOX)
                },
                ContactFact {
                    removed_at: Some(at(-29 * DAY)),
                    ..live("mail-1", MAILBOX)
                },
            ];
        });
    let story = story.confirms().tells("mail-1").tells("mail-2");
    let story = story
        .knowing(|facts| facts.contacts.truncate(1))
        .later(3 * DAY);
    story.when(Command::Tick).then(&["ready 0 by itself"]);
}

#[test]
fn a_channel_without_a_contact_closes_a_path_that_names_it() {
    let without_mobile = |facts: &mut Facts| facts.contacts.truncate(1);
    let story = proved(told(vec![notify(&[MAILBOX, MOBILE])])).knowing(without_mobile);
    let story = confirm(story).then(&["confirmed"]);
    story
        .knowing(|facts| facts.contacts.push(live("text-9", MOBILE)))
        .when(Command::Tick)
        .then(&["notices due 0: mail-1+text-9 before  settled mail-1+text-9"]);

    // `every channel` means every contact there is, and at least one.
    let story = proved(told(vec![notify_every()])).knowing(without_mobile);
    confirm(story).then(&["confirmed", "notices due 0: mail-1 before  settled mail-1"]);
    let story = proved(told(vec![notify_every()])).knowing(|facts| facts.contacts.clear());
    confirm(story).then(&["confirmed"]);
}

#[test]
fn a_contact_that_appears_later_is_told_too_and_gets_the_whole_wait() {
    let story = proved(told(vec![notify_every(), Requirement::Wait(hours(24))]))
        .confirms()
        .tells("mail-1")
        .tells("text-1");
    let story = story
        .later(23 * HOUR)
        .knowing(|facts| facts.contacts.push(live("mail-2", MAILBOX)));
    let story = story.when(Command::Tick).then(&[
        "wait 0 void",
        "notices due 0: mail-2 before  settled mail-2",
    ]);
    let story = story.later(HOUR).when(Command::Tick).then(&[]);
    let story = story
        .when(notified("mail-2", true))
        .then(&["mail-2 told", "wait 0 until +48h"]);
    assert_eq!(story.case.expires_at(), at(72 * HOUR));
}

#[test]
fn a_wait_that_should_have_been_void_counts_for_nothing_even_if_nobody_wrote_so() {
    let told_later = |at_end: Story| {
        let path = countersign_language::PathId(0);
        at_end
            .knowing(|facts| facts.contacts.push(live("mail-2", MAILBOX)))
            .given([
                EventKind::NoticesDue {
                    path,
                    contacts: vec![contact("mail-2")],
                    named_before: vec![],
                    settled: vec![contact("mail-2")],
                },
                EventKind::Notified {
                    contact: contact("mail-2"),
                    handed_over: true,
                },
                EventKind::Ready {
                    path,
                    runs_by_itself: true,
                },
            ])
    };
    let story = proved(told(vec![notify_every(), Requirement::Wait(hours(24))]))
        .confirms()
        .tells("mail-1")
        .tells("text-1")
        .later(24 * HOUR);
    let story = told_later(story);
    assert_eq!(story.may_run(), Err(NotYet::Incomplete));
    story.when(run(Actor::Gate)).refused("not-ready");
}

#[test]
fn a_contact_two_paths_need_is_told_once() {
    let procedure = procedure(vec![
        (
            "mail",
            vec![
                prove(one(BY_PIN)),
                notify(&[MAILBOX]),
                Requirement::Wait(days(3)),
            ],
        ),
        (
            "all",
            vec![
                prove(one(BY_PIN)),
                notify_every(),
                Requirement::Wait(hours(24)),
            ],
        ),
    ]);
    let story = Story::by_agent(procedure).proves(BY_PIN);
    let story = confirm(story).then(&[
        "confirmed",
        "notices due 0: mail-1 before  settled mail-1",
        "notices due 1: text-1 before mail-1 settled mail-1+text-1",
    ]);
    let story = story
        .when(notified("mail-1", true))
        .then(&["mail-1 told", "wait 0 until +72h"]);
    let story = story
        .when(notified("text-1", true))
        .then(&["text-1 told", "wait 1 until +24h"]);
    // The wait that ends first is the one shown.
    assert!(matches!(story.state(), State::Waiting { until, .. } if until == at(24 * HOUR)));
    assert_eq!(story.case.next_deadline(START), Some(at(24 * HOUR)));
    story
        .later(24 * HOUR)
        .when(Command::Tick)
        .then(&["ready 1 by itself"]);
}

#[test]
fn notices_without_a_wait_only_have_to_arrive() {
    let story = proved(told(vec![notify(&[MAILBOX])])).confirms();
    story
        .when(notified("mail-1", true))
        .then(&["mail-1 told", "ready 0"]);
}

#[test]
fn a_wait_with_nobody_to_tell_is_only_time() {
    let story = proved(told(vec![Requirement::Wait(hours(1))]));
    let story = confirm(story).then(&["confirmed", "wait 0 until +1h"]);
    story
        .later(HOUR)
        .when(Command::Tick)
        .then(&["ready 0 by itself"]);
}

#[test]
fn of_several_waits_the_longest_counts() {
    let story = proved(told(vec![
        Requirement::Wait(hours(1)),
        Requirement::Wait(hours(3)),
    ]));
    confirm(story).then(&["confirmed", "wait 0 until +3h"]);
}

#[test]
fn a_clock_that_jumps_back_makes_nothing_ready_earlier() {
    let story = proved(told(vec![Requirement::Wait(hours(24))])).confirms();
    let story = story
        .later(24 * HOUR)
        .when(Command::Tick)
        .then(&["ready 0 by itself"]);
    let story = story.later(-HOUR);
    assert_eq!(story.may_run(), Err(NotYet::Incomplete));
    let story = story.when(run(Actor::Gate)).refused("not-ready");
    let story = story.when(Command::Tick).then(&["no longer ready 0"]);
    assert!(matches!(story.state(), State::Waiting { .. }));
    story
        .later(HOUR)
        .when(Command::Tick)
        .then(&["ready 0 by itself"]);
}

#[test]
fn a_proof_made_after_the_wait_began_earns_no_part_of_it_even_with_an_earlier_time() {
    let procedure = told(vec![Requirement::Wait(hours(24))]);
    let story = proved(procedure).confirms().later(23 * HOUR);
    // The PIN is replaced, and proved again with a clock that went back before the wait began.
    let story = story.knowing(|facts| facts.holdings[1].changed_at = Some(at(-HOUR)));
    assert!(
        matches!(story.state(), State::Waiting { .. }),
        "changed before the proof: nothing is void"
    );
    let story = story.knowing(|facts| facts.holdings[1].changed_at = Some(at(22 * HOUR)));
    let story = story.when(Command::Tick).then(&["wait 0 void"]);
    assert_eq!(story.state(), State::Open);
    let prove = story.proving(BY_PIN);
    story.when(prove).then(&["proved 1", "wait 0 until +47h"]);
}

#[test]
fn a_proof_voided_and_made_again_between_two_ticks_still_begins_the_wait_anew() {
    let story = proved(told(vec![Requirement::Wait(hours(24))]))
        .confirms()
        .later(23 * HOUR);
    let story = story.knowing(|facts| facts.holdings[1].changed_at = Some(at(22 * HOUR)));
    let prove = story.proving(BY_PIN);
    story
        .when(prove)
        .then(&["proved 1", "wait 0 void", "wait 0 until +47h"]);
}

#[test]
fn backups_count_places_grades_and_age() {
    use BackupGrade::{Exists, Restored, Verified};
    let path = |grade, places| told(vec![backup(grade, hours(24), places)]);
    let fact = |grade, place: &str, age: i64| BackupFact {
        grade,
        place: place.into(),
        at: at(-age),
    };
    let ready = |procedure: Procedure, backups: Vec<BackupFact>| {
        let step = confirm(proved(procedure).knowing(|facts| facts.backups = backups));
        step.result
            .is_ok_and(|events| events.contains(&"ready 0".to_owned()))
    };
    assert!(!ready(path(Exists, 1), vec![]));
    assert!(ready(path(Exists, 1), vec![fact(Exists, "a", 24 * HOUR)]));
    assert!(!ready(
        path(Exists, 1),
        vec![fact(Exists, "a", 24 * HOUR + SECOND)]
    ));
    assert!(
        !ready(path(Exists, 1), vec![fact(Exists, "a", -1)]),
        "one made in the future is none"
    );
    assert!(!ready(
        path(Exists, 2),
        vec![fact(Exists, "a", 0), fact(Restored, "a", HOUR)]
    ));
    assert!(ready(
        path(Exists, 2),
        vec![
            fact(Exists, "a", 0),
            fact(Exists, "a", 1),
            fact(Restored, "b", HOUR)
        ]
    ));
    assert!(!ready(path(Verified, 1), vec![fact(Exists, "a", 0)]));
    assert!(ready(
        path(Verified, 1),
        vec![fact(Exists, "a", 0), fact(Restored, "b", 0)]
    ));
    assert!(!ready(path(Restored, 1), vec![fact(Verified, "a", 0)]));
}

#[test]
fn a_backup_that_grows_old_is_missed_at_the_moment_of_the_grant() {
    let story = proved(told(vec![backup(BackupGrade::Exists, hours(24), 1)])).knowing(|facts| {
        facts.backups = vec![BackupFact {
            grade: BackupGrade::Exists,
            place: "vault".into(),
            at: START,
        }];
    });
    let story = confirm(story)
        .then(&["confirmed", "ready 0"])
        .later(24 * HOUR + SECOND);
    let Refusal::NotReady { missing } = story.clone().when(run(Actor::Customer)).refusal() else {
        panic!("another refusal");
    };
    assert_eq!(missing.len(), 1);
    assert_eq!(missing[0].words, "a backup of the last 24h");
    assert_eq!(missing[0].who, Who::BackupMachine);
    story.when(Command::Tick).then(&["no longer ready 0"]);
}

#[test]
fn a_backup_that_lapses_and_returns_does_not_cost_the_wait() {
    let fresh = |facts: &mut Facts, when: i64| {
        facts.backups = vec![BackupFact {
            grade: BackupGrade::Exists,
            place: "vault".into(),
            at: at(when),
        }];
    };
    let story = proved(told(vec![
        backup(BackupGrade::Exists, hours(24), 1),
        Requirement::Wait(hours(36)),
    ]));
    let story = story.knowing(|facts| fresh(facts, 0)).confirms();
    let story = story.later(25 * HOUR).when(Command::Tick).then(&[]);
    let story = story.later(11 * HOUR).when(Command::Tick).then(&[]);
    story
        .knowing(|facts| fresh(facts, 30 * HOUR))
        .when(Command::Tick)
        .then(&["ready 0 by itself"]);
}

#[test]
fn when_lines_are_looked_at_again_and_again() {
    let tier = |comparison, value: Value| {
        told(vec![Requirement::When {
            subject: Subject::Attribute("servers".into()),
            comparison,
            value,
        }])
    };
    let story = |procedure: Procedure, servers: Option<&str>| {
        let servers = servers.map(str::to_owned);
        confirm(proved(procedure).knowing(|facts| {
            if let Some(servers) = servers {
                facts.attributes.insert("servers".into(), servers);
            }
        }))
    };
    let five = Value::Number(5_000_000);
    story(tier(Comparison::AtMost, five.clone()), Some("5")).then(&["confirmed", "ready 0"]);
    story(tier(Comparison::Less, five.clone()), Some("5")).refused("customer-part-missing");
    story(tier(Comparison::IsNot, five.clone()), None).refused("customer-part-missing");
    story(tier(Comparison::IsNot, five.clone()), Some("many")).refused("customer-part-missing");
    let ready = story(tier(Comparison::Is, five), Some("5.0")).then(&["confirmed", "ready 0"]);
    let ready = ready.knowing(|facts| {
        facts.attributes.insert("servers".into(), "6".into());
    });
    assert_eq!(ready.may_run(), Err(NotYet::Incomplete));
    ready.when(run(Actor::Customer)).refused("not-ready");
}

#[test]
fn when_can_look_at_a_parameter() {
    let procedure = told(vec![Requirement::When {
        subject: Subject::Parameter(1),
        comparison: Comparison::Is,
        value: Value::Text("debian-13".into()),
    }]);
    confirm(proved(procedure.clone())).then(&["confirmed", "ready 0"]);
    let mut other = opening(Actor::Customer);
    other.parameters.insert("image".into(), "windows".into());
    let story = Story::new(procedure)
        .does(Command::Open(other))
        .proves(BY_PIN);
    confirm(story).refused("customer-part-missing");
}

#[test]
fn limits_slide_and_are_looked_at_again_at_the_grant() {
    let limit = |scope| {
        told(vec![Requirement::AtMost {
            count: 2,
            per: days(1),
            scope,
        }])
    };
    let runs = vec![at(-HOUR), at(-23 * HOUR), at(-25 * HOUR)];
    let story =
        proved(limit(Scope::Customer)).knowing(|facts| facts.runs_for_customer.clone_from(&runs));
    let story = confirm(story).then(&["confirmed"]);
    let item = &story.checklist().paths[0].lines[1];
    assert_eq!(
        (item.standing, item.until),
        (Standing::Waiting, Some(at(HOUR)))
    );
    let story = story.later(HOUR).when(Command::Tick).then(&["ready 0"]);
    let story = story.knowing(|facts| facts.runs_for_customer.insert(0, at(2 * HOUR)));
    assert_eq!(
        story.may_run(),
        Err(NotYet::Incomplete),
        "a run with a time in the future counts"
    );
    story.when(run(Actor::Customer)).refused("not-ready");

    let story =
        proved(limit(Scope::Staff)).knowing(|facts| facts.runs_for_customer.clone_from(&runs));
    confirm(story).then(&["confirmed", "ready 0"]);
    let story = proved(limit(Scope::Staff)).knowing(|facts| facts.runs_by_opener.clone_from(&runs));
    confirm(story).then(&["confirmed"]);
}
