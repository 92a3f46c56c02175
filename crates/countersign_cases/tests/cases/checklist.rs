//! What pages show.

use countersign_cases::*;
use countersign_language::{PathId, Requirement};

use crate::fixture::*;

fn standings(story: &Story, path: usize) -> Vec<Standing> {
    story.checklist().paths[path]
        .lines
        .iter()
        .map(|line| line.standing)
        .collect()
}

#[test]
fn a_new_case_shows_every_path_and_who_begins() {
    let story = Story::new(hosting()).does(Command::Open(opening(Actor::Staff(amira()))));
    let sheet = story.checklist();
    assert_eq!(sheet.state, State::Open);
    assert_eq!(sheet.paths.len(), 2);
    assert_eq!(standings(&story, 0), [Standing::NotStarted; 2]);
    assert_eq!(standings(&story, 1), [Standing::NotStarted; 4]);
    let words: Vec<_> = sheet.paths[1]
        .lines
        .iter()
        .map(|line| line.words.as_str())
        .collect();
    assert_eq!(
        words,
        [
            "support PIN and code sent by e-mail (unchanged for 7d)",
            "the signature of a senior support agent",
            "a notice to every contact of the customer",
            "a wait of 24h in which it can be stopped",
        ]
    );
    assert!(sheet.customer.needs_link && sheet.customer.link_used_at.is_none());
    assert!(!sheet.customer.may_confirm);
    assert_eq!(sheet.next.who, Who::Customer);
    assert_eq!(sheet.next.words, "the customer opens their link");
    assert_eq!(sheet.paths[0].proofs_left, Some(2));
}

#[test]
fn nested_proofs_show_what_is_still_needed() {
    let story = Story::by_agent(hosting()).proves(BY_PASSWORD);
    let sheet = story.checklist();
    let line = &sheet.paths[0].lines[0];
    assert_eq!(
        (line.standing, line.done, line.of),
        (Standing::Waiting, 1, 2)
    );
    assert_eq!(sheet.paths[0].proofs_left, Some(1));
    let story = story.proves(BY_APP);
    let sheet = story.checklist();
    let Some(ProofTree::Group {
        of,
        holding: 2,
        needed: 2,
        ..
    }) = &sheet.paths[0].lines[0].proofs
    else {
        panic!("{:?}", sheet.paths[0].lines[0].proofs);
    };
    let ProofTree::Group {
        of: either,
        standing,
        ..
    } = &of[1]
    else {
        panic!("{of:?}");
    };
    assert_eq!(*standing, Standing::Holds);
    assert_eq!(either[0].standing(), Standing::Holds);
    assert_eq!(
        either[1].standing(),
        Standing::NotNeeded,
        "the passkey is not needed beside the code"
    );
    assert!(sheet.customer.may_confirm);
    assert_eq!(sheet.next.words, "the customer confirms");
    let labels: Vec<_> = sheet
        .customer
        .proofs
        .iter()
        .map(|proof| proof.label.as_str())
        .collect();
    assert_eq!(
        labels,
        [
            "account password",
            "authenticator code",
            "passkey",
            "support PIN",
            "code sent by e-mail"
        ]
    );
}

#[test]
fn locks_tries_and_unsettled_holdings_are_shown() {
    let story = Story::by_agent(hosting()).knowing(|facts| {
        facts.locked = vec![LockFact {
            proof: BY_PASSWORD,
            until: at(HOUR),
        }];
        facts.tries = vec![TriesFact {
            proof: BY_PIN,
            left: 2,
        }];
        facts.holdings[2].changed_at = Some(at(-DAY));
        facts.holdings.retain(|fact| fact.holding != PHONE);
    });
    let sheet = story.checklist();
    let proof = |id| {
        sheet
            .customer
            .proofs
            .iter()
            .find(|proof| proof.proof == id)
            .unwrap()
    };
    assert_eq!(proof(BY_PASSWORD).standing, Standing::Refused);
    assert_eq!(proof(BY_PASSWORD).until, Some(at(HOUR)));
    assert_eq!(
        proof(BY_APP).standing,
        Standing::Refused,
        "the customer has no phone"
    );
    assert_eq!(proof(BY_PIN).tries_left, Some(2));
    let line = &sheet.paths[1].lines[0];
    assert_eq!(
        (line.standing, line.until),
        (Standing::Waiting, Some(at(6 * DAY)))
    );
    // The usual way is closed while the password is locked, the other until the mailbox is settled.
    assert_eq!(sheet.paths[0].proofs_left, None);
    assert_eq!(sheet.paths[1].proofs_left, None);
}

#[test]
fn colleagues_see_when_it_is_their_turn() {
    let story = Story::by_agent(hosting()).proves(BY_PIN).proves(BY_MAIL);
    assert_eq!(standings(&story, 1)[1], Standing::NotStarted);
    let story = story.confirms();
    assert_eq!(standings(&story, 1)[1], Standing::Waiting);
    let sheet = story.checklist();
    assert_eq!(sheet.nearest, PathId(1));
    let Who::Colleague { label, role } = &sheet.next.who else {
        panic!("{:?}", sheet.next);
    };
    assert_eq!((label.as_str(), *role), ("senior support agent", SENIOR));
    let story = story.signs(petra());
    assert_eq!(
        standings(&story, 1),
        [
            Standing::Holds,
            Standing::Holds,
            Standing::Waiting,
            Standing::NotStarted
        ]
    );
    assert_eq!(story.checklist().next.who, Who::Gate);
    let story = story.tells("mail-1").tells("text-1");
    let sheet = story.checklist();
    assert_eq!(sheet.next.who, Who::Time);
    assert_eq!(sheet.next.until, Some(at(24 * HOUR)));
    assert_eq!(sheet.missing.len(), 1);
}

#[test]
fn when_one_path_is_complete_the_others_are_not_needed() {
    let story = Story::by_agent(procedure(vec![
        ("pin", vec![prove(one(BY_PIN)), sign_off(1, SENIOR)]),
        ("password", vec![prove(one(BY_PASSWORD))]),
    ]));
    let story = story.proves(BY_PASSWORD).confirms();
    let sheet = story.checklist();
    assert_eq!(sheet.nearest, PathId(1));
    assert!(sheet.missing.is_empty());
    assert_eq!(standings(&story, 0), [Standing::NotNeeded; 2]);
    assert_eq!(standings(&story, 1), [Standing::Holds]);
    assert_eq!(
        (sheet.next.who, sheet.next.words.as_str()),
        (Who::Opener, "says run")
    );
    let done = story
        .does(run(Actor::Customer))
        .does(Command::HandOver)
        .does(Command::Conclude(Outcome::Done));
    assert_eq!(done.checklist().next.who, Who::Nobody);
    assert_eq!(standings(&done, 0), [Standing::NotNeeded; 2]);
}

#[test]
fn counts_are_of_people_places_and_contacts() {
    let story = Story::by_agent(procedure(vec![(
        "usual",
        vec![
            prove(one(BY_PIN)),
            sign_off(2, SENIOR),
            backup(countersign_language::BackupGrade::Exists, hours(24), 2),
            notify_every(),
        ],
    )]));
    let story = story.knowing(|facts| {
        facts.backups = vec![BackupFact {
            grade: countersign_language::BackupGrade::Verified,
            place: "vault".into(),
            at: START,
        }];
    });
    let story = story.proves(BY_PIN).confirms().signs(petra());
    let sheet = story.checklist();
    let counts: Vec<_> = sheet.paths[0]
        .lines
        .iter()
        .map(|line| (line.done, line.of))
        .collect();
    assert_eq!(counts, [(1, 1), (1, 2), (1, 2), (0, 2)]);
    assert_eq!(sheet.paths[0].holding, 1);
}

#[test]
fn a_path_that_is_not_for_this_request_says_so_and_comes_last() {
    use countersign_language::{Comparison, Subject, Value};
    let story = Story::by_agent(procedure(vec![
        (
            "large",
            vec![
                prove(one(BY_PIN)),
                Requirement::When {
                    subject: Subject::Attribute("servers".into()),
                    comparison: Comparison::More,
                    value: Value::Number(2_500_000),
                },
            ],
        ),
        (
            "usual",
            vec![prove(and([one(BY_PIN), one(BY_PASSWORD), one(BY_APP)]))],
        ),
    ]));
    let sheet = story.checklist();
    assert!(!sheet.paths[0].applies && sheet.paths[1].applies);
    assert_eq!(sheet.nearest, PathId(1));
    assert_eq!(sheet.paths[0].lines[1].words, "servers is more than 2.5");
    assert_eq!(sheet.paths[0].lines[1].standing, Standing::Refused);
}

#[test]
fn words_for_every_kind_of_line() {
    use countersign_language::{BackupGrade, Comparison, Expr, Scope, Subject, Value};
    let story = Story::by_agent(procedure(vec![(
        "all",
        vec![
            prove(Expr::NOf {
                n: 2,
                of: vec![one(BY_PIN), or([one(BY_MAIL), one(BY_TEXT)]), one(BY_APP)],
            }),
            confirms(AGENT, "looked at the passport"),
            sign_off(2, MANAGER),
            notify(&[MAILBOX, MOBILE]),
            backup(BackupGrade::Restored, days(1), 1),
            Requirement::When {
                subject: Subject::Parameter(1),
                comparison: Comparison::IsNot,
                value: Value::Text("windows".into()),
            },
            Requirement::AtMost {
                count: 3,
                per: days(7),
                scope: Scope::Staff,
            },
        ],
    )]));
    let sheet = story.checklist();
    let words: Vec<_> = sheet.paths[0]
        .lines
        .iter()
        .map(|line| line.words.as_str())
        .collect();
    assert_eq!(
        words,
        [
            "2 of (support PIN, (code sent by e-mail or code sent by text message), authenticator code)",
            "the word of the support agent who opened the case: looked at the passport",
            "the signatures of 2 different people: manager",
            "a notice to the e-mail address on file and the mobile number on file",
            "a backup restored elsewhere of the last 1d",
            "image to install is not “windows”",
            "at most 3 within 7d opened by the same person",
        ]
    );
    // It can be sent as it is.
    assert!(
        serde_json::to_string(&sheet)
            .unwrap()
            .contains("\"not_started\"")
    );
}

#[test]
fn there_is_no_checklist_without_a_case() {
    let story = Story::new(hosting());
    assert_eq!(
        checklist(&story.procedure, &story.case, &story.moment()),
        Err(NotYet::NoCase)
    );
}
