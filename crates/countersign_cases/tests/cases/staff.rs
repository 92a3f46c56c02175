//! What staff do: vouch, sign, refuse, withdraw.

use countersign_cases::*;
use countersign_language::Procedure;

use crate::fixture::*;

const LOOKED: &str = "looked at the passport";

fn signed_by(lines: Vec<countersign_language::Requirement>) -> Procedure {
    let mut all = vec![prove(one(BY_PIN))];
    all.extend(lines);
    procedure(vec![("usual", all)])
}

/// Opened by amira; the customer did their part.
fn confirmed(procedure: Procedure) -> Story {
    Story::by_agent(procedure).proves(BY_PIN).confirms()
}

#[test]
fn the_opener_gives_their_word() {
    let story = confirmed(signed_by(vec![confirms(AGENT, LOOKED)]));
    let story = story
        .when(vouch(petra(), LOOKED))
        .refused("only-opener-vouches");
    let story = story
        .when(vouch(amira(), "it is fine"))
        .refused("nothing-to-vouch");
    let robot = StaffMember {
        robot: true,
        ..amira()
    };
    let story = story.when(vouch(robot, LOOKED)).refused("not-for-programs");
    let concerned = StaffMember {
        concerned: true,
        ..amira()
    };
    let story = story.when(vouch(concerned, LOOKED)).refused("concerned");
    let story = story
        .when(vouch(amira(), LOOKED))
        .then(&["amira vouched: looked at the passport", "ready 0"]);
    story
        .when(vouch(amira(), LOOKED))
        .refused("already-vouched");
}

#[test]
fn the_openers_word_counts_only_from_the_role_the_line_names() {
    let senior_line = signed_by(vec![confirms(SENIOR, LOOKED)]);
    confirmed(senior_line.clone())
        .when(vouch(amira(), LOOKED))
        .refused("role-may-not-vouch");
    let story = Story::new(senior_line)
        .does(Command::Open(opening(Actor::Staff(petra()))))
        .does(Command::UseLink)
        .proves(BY_PIN)
        .confirms();
    story
        .when(vouch(petra(), LOOKED))
        .then(&["petra vouched: looked at the passport", "ready 0"]);
    // A senior is an agent as well.
    let story = Story::new(signed_by(vec![confirms(AGENT, LOOKED)]))
        .does(Command::Open(opening(Actor::Staff(petra()))))
        .does(Command::UseLink);
    story
        .when(vouch(petra(), LOOKED))
        .then(&["petra vouched: looked at the passport"]);
}

/// Two roles confirm, and a third person signs.
fn two_words() -> Procedure {
    signed_by(vec![
        confirms(AGENT, LOOKED),
        confirms(SENIOR, KNOWS),
        sign_off(1, AGENT),
    ])
}

const KNOWS: &str = "knows the voice";

#[test]
fn words_of_two_roles_are_of_two_people() {
    // The opener is an agent and a senior: their word stands for one of the two.
    let story = Story::new(signed_by(vec![
        confirms(AGENT, LOOKED),
        confirms(SENIOR, KNOWS),
    ]))
    .does(Command::Open(opening(Actor::Staff(petra()))))
    .does(Command::UseLink)
    .proves(BY_PIN)
    .confirms();
    let story = story
        .when(vouch(petra(), LOOKED))
        .then(&["petra vouched: looked at the passport"]);
    let story = story
        .when(vouch(petra(), KNOWS))
        .refused("other-person-vouches");
    let missing = story.checklist().missing;
    assert_eq!(missing.len(), 1, "{missing:?}");
    assert_eq!(
        missing[0].who.to_string(),
        "a colleague: senior support agent"
    );
    // An agent is none.
    let story = story
        .when(vouch(staff("ben", AGENT), KNOWS))
        .refused("role-may-not-vouch");
    let story = story
        .when(vouch(staff("sam", SENIOR), KNOWS))
        .then(&["sam vouched: knows the voice", "ready 0"]);
    assert!(story.checklist().missing.is_empty());
    story.replays();
}

#[test]
fn two_words_of_one_person_do_not_complete_a_case_however_they_were_stored() {
    let said = |text: &str| EventKind::Vouched {
        by: petra(),
        text: text.into(),
    };
    let story = Story::new(signed_by(vec![
        confirms(AGENT, LOOKED),
        confirms(SENIOR, KNOWS),
    ]))
    .does(Command::Open(opening(Actor::Staff(petra()))))
    .does(Command::UseLink)
    .proves(BY_PIN)
    .confirms()
    .given([said(LOOKED), said(KNOWS)]);
    let story = story.when(Command::Tick).then(&[]);
    assert_eq!(story.checklist().missing.len(), 1);
    // Somebody else takes over the line that anyone of theirs can give, and the senior moves to the other.
    story
        .when(vouch(staff("ben", AGENT), LOOKED))
        .then(&["ben vouched: looked at the passport", "ready 0"]);
}

#[test]
fn a_colleague_gives_their_word_only_beside_the_openers() {
    let story = confirmed(two_words());
    let story = story
        .when(vouch(petra(), KNOWS))
        .refused("opener-vouches-first");
    let story = story
        .when(vouch(amira(), LOOKED))
        .then(&["amira vouched: looked at the passport"]);
    let story = story
        .when(vouch(petra(), "it is fine"))
        .refused("only-opener-vouches");
    let story = story
        .when(vouch(petra(), KNOWS))
        .then(&["petra vouched: knows the voice"]);
    let story = story.when(vouch(petra(), KNOWS)).refused("already-vouched");
    // A colleague who gave their word does not sign, though their role could.
    let sign = story.signing(petra());
    let story = story.when(sign).refused("own-word");
    let sign = story.signing(staff("ben", AGENT));
    story.when(sign).then(&["ben signed", "ready 0"]);
}

#[test]
fn who_signed_does_not_give_their_word_as_well() {
    let story = confirmed(two_words()).does(vouch(amira(), LOOKED));
    let story = story.signs(petra());
    let story = story.when(vouch(petra(), KNOWS)).refused("signer-vouches");
    story
        .when(vouch(staff("sam", SENIOR), KNOWS))
        .then(&["sam vouched: knows the voice", "ready 0"]);
    // Nor does it count if it was stored all the same, in either order.
    let both = |first, second| {
        confirmed(two_words())
            .does(vouch(amira(), LOOKED))
            .given([first, second])
            .when(Command::Tick)
            .then(&[])
    };
    let signed = || EventKind::SignedOff {
        by: petra(),
        evidence: assertion(),
    };
    let said = || EventKind::Vouched {
        by: petra(),
        text: KNOWS.into(),
    };
    both(signed(), said());
    both(said(), signed());
}

#[test]
fn all_lines_of_one_role_are_one_persons_words() {
    let story = confirmed(signed_by(vec![
        confirms(AGENT, LOOKED),
        confirms(AGENT, "called back"),
        confirms(SENIOR, KNOWS),
        confirms(SENIOR, "met them"),
    ]))
    .does(vouch(amira(), LOOKED))
    .does(vouch(amira(), "called back"))
    .does(vouch(petra(), KNOWS));
    let other = story
        .clone()
        .when(vouch(staff("sam", SENIOR), "met them"))
        .then(&["sam vouched: met them"]);
    assert!(!matches!(other.state(), State::Ready { .. }));
    story
        .when(vouch(petra(), "met them"))
        .then(&["petra vouched: met them", "ready 0"]);
}

#[test]
fn where_the_customer_opened_it_nobody_can_vouch() {
    let story = Story::by_customer(signed_by(vec![confirms(AGENT, LOOKED)]));
    story
        .when(vouch(amira(), LOOKED))
        .refused("only-opener-vouches");
}

#[test]
fn nobody_signs_their_own_case_from_any_account() {
    let story = Story::new(signed_by(vec![sign_off(1, SENIOR)]))
        .does(Command::Open(opening(Actor::Staff(petra()))))
        .does(Command::UseLink)
        .proves(BY_PIN)
        .confirms();
    let other_account = StaffMember {
        name: "petra (admin)".into(),
        ..petra()
    };
    let (own, other) = (story.signing(petra()), story.signing(other_account));
    let story = story.when(own).refused("own-case");
    story.when(other).refused("own-case");
}

#[test]
fn a_signature_takes_the_role_a_person_and_distance() {
    let story = confirmed(signed_by(vec![sign_off(1, SENIOR)]));
    let robot = StaffMember {
        robot: true,
        ..petra()
    };
    let concerned = StaffMember {
        concerned: true,
        ..petra()
    };
    let no_role = StaffMember {
        roles: vec![],
        ..petra()
    };
    for (by, code) in [
        (staff("ben", AGENT), "role-may-not-sign"),
        (staff("mo", MANAGER), "role-may-not-sign"),
        (no_role, "role-may-not-sign"),
        (robot, "not-for-programs"),
        (concerned, "concerned"),
    ] {
        let sign = story.signing(by);
        story.clone().when(sign).refused(code);
    }
    let other_digest = Command::SignOff {
        by: petra(),
        digest: Digest([9; 32]),
        evidence: assertion(),
    };
    let story = story.when(other_digest).refused("other-digest");
    let unsigned = Command::SignOff {
        by: petra(),
        digest: story.digest(),
        evidence: Evidence::None,
    };
    let story = story.when(unsigned).refused("assertion-missing");
    let sign = story.signing(petra());
    story.when(sign).then(&["petra signed", "ready 0"]);
}

#[test]
fn a_senior_who_was_an_agent_covers_an_agents_line() {
    let story = confirmed(signed_by(vec![sign_off(1, AGENT)]));
    let sign = story.signing(petra());
    story.when(sign).then(&["petra signed", "ready 0"]);
}

#[test]
fn quorum_counts_people_not_accounts() {
    let story = confirmed(signed_by(vec![sign_off(2, SENIOR)])).signs(petra());
    let second_account = StaffMember {
        name: "p. privileged".into(),
        roles: vec![SENIOR, MANAGER],
        ..petra()
    };
    let again = story.signing(second_account);
    let story = story.when(again).refused("already-signed");
    let sign = story.signing(staff("quinn", SENIOR));
    story.when(sign).then(&["quinn signed", "ready 0"]);
}

#[test]
fn one_person_fills_one_slot_across_the_lines_of_a_path() {
    let story = confirmed(signed_by(vec![sign_off(1, AGENT), sign_off(1, SENIOR)])).signs(petra());
    assert!(
        matches!(story.state(), State::Open),
        "petra fills one line, not both"
    );
    // She signed first and could fill either; an agent can fill only one, so she moves on.
    let sign = story.signing(staff("ben", AGENT));
    story.when(sign).then(&["ben signed", "ready 0"]);
}

#[test]
fn two_agents_do_not_make_a_senior() {
    let story = confirmed(signed_by(vec![sign_off(1, AGENT), sign_off(1, SENIOR)]))
        .signs(staff("ben", AGENT))
        .signs(staff("cleo", AGENT));
    assert_eq!(story.state(), State::Open);
    let sign = story.signing(petra());
    story.when(sign).then(&["petra signed", "ready 0"]);
}

#[test]
fn sign_off_lines_of_one_role_add_up() {
    let story = confirmed(signed_by(vec![sign_off(1, SENIOR), sign_off(2, SENIOR)]))
        .signs(petra())
        .signs(staff("quinn", SENIOR));
    assert_eq!(story.state(), State::Open);
    let sign = story.signing(staff("rosa", SENIOR));
    story.when(sign).then(&["rosa signed", "ready 0"]);
}

#[test]
fn there_is_nothing_to_sign_before_the_customer_has_done_their_part_of_a_signed_path() {
    let story = Story::by_agent(hosting())
        .proves(BY_PASSWORD)
        .proves(BY_APP);
    let sign = story.signing(petra());
    let story = story.when(sign.clone()).refused("not-confirmed");
    let story = story.confirms();
    // Confirmed for the usual path; the one with a signature lacks its proofs.
    let story = story.when(sign.clone()).refused("customer-part-missing");
    let story = story.proves(BY_PIN).proves(BY_MAIL);
    story.when(sign).then(&[
        "petra signed",
        "notices due 1: mail-1+text-1 before  settled mail-1+text-1",
    ]);
}

#[test]
fn where_no_path_asks_for_a_signature_there_is_nothing_to_sign_or_refuse() {
    let story = Story::by_agent(procedure(vec![("usual", vec![prove(one(BY_PIN))])]));
    let sign = story.signing(petra());
    let story = story.when(sign).refused("no-sign-off-asked");
    let refuse = Command::Refuse {
        by: petra(),
        reason: "this is not our customer".into(),
    };
    story.when(refuse).refused("no-sign-off-asked");
}

#[test]
fn more_signatures_than_any_path_could_need_are_refused() {
    let mut story = confirmed(signed_by(vec![sign_off(100, SENIOR)]));
    for number in 0..64 {
        story = story.signs(staff(&format!("senior-{number}"), SENIOR));
    }
    let sign = story.signing(staff("one-more", SENIOR));
    story.when(sign).refused("too-many-signers");
}

#[test]
fn forged_events_do_not_fill_slots() {
    // Even if such events were in the store, evaluation does not rely on `decide` having refused them.
    let signed = |by: StaffMember| EventKind::SignedOff {
        by,
        evidence: assertion(),
    };
    let forged = [
        signed(StaffMember {
            robot: true,
            ..petra()
        }),
        signed(StaffMember {
            concerned: true,
            ..staff("quinn", SENIOR)
        }),
        signed(StaffMember {
            roles: vec![SENIOR],
            ..amira()
        }),
        signed(staff("mo", MANAGER)),
    ];
    let ready = EventKind::Ready {
        path: countersign_language::PathId(0),
        runs_by_itself: true,
    };
    let story = confirmed(signed_by(vec![sign_off(1, SENIOR)]))
        .given(forged)
        .given([ready]);
    assert_eq!(story.may_run(), Err(NotYet::Incomplete));
    story.when(run(Actor::Gate)).refused("not-ready");
}

#[test]
fn a_refusal_takes_a_reason_and_ends_the_case() {
    let refuse = |by: StaffMember, reason: &str| Command::Refuse {
        by,
        reason: reason.into(),
    };
    let story = confirmed(signed_by(vec![sign_off(1, SENIOR)]));
    let story = story
        .when(refuse(petra(), "no"))
        .refused("reason-too-short");
    let story = story
        .when(refuse(petra(), &"x".repeat(501)))
        .refused("reason-too-long");
    let story = story
        .when(refuse(amira(), "I changed my mind"))
        .refused("own-case");
    let story = story
        .when(refuse(staff("ben", AGENT), "does not look right"))
        .refused("role-may-not-sign");
    let story = story
        .when(refuse(petra(), "the voice did not match"))
        .then(&["petra refused"]);
    assert_eq!(story.state(), State::Refused);
    let ending = story.case.ending().unwrap();
    assert_eq!(ending.closed_until, Some(at(24 * HOUR)));
    let sign = story.signing(staff("quinn", SENIOR));
    story.when(sign).refused("already-refused");
}

#[test]
fn who_signed_may_still_refuse() {
    let story = confirmed(signed_by(vec![sign_off(2, SENIOR)])).signs(petra());
    story
        .when(Command::Refuse {
            by: petra(),
            reason: "on second thoughts, no".into(),
        })
        .then(&["petra refused"]);
}

#[test]
fn the_opener_or_the_customer_takes_it_back() {
    let story = confirmed(signed_by(vec![sign_off(1, SENIOR)]));
    let by = |by: Actor| story.clone().when(Command::Withdraw { by });
    by(Actor::Staff(petra())).refused("only-opener-withdraws");
    by(Actor::Gate).refused("not-for-the-gate");
    assert_eq!(
        by(Actor::Customer).then(&["withdrawn"]).state(),
        State::Withdrawn
    );
    let ended = by(Actor::Staff(amira())).then(&["withdrawn"]);
    assert_eq!(
        ended.case.ending().unwrap().closed_until,
        None,
        "the same may be asked again at once"
    );
    ended.when(stop()).refused("already-withdrawn");
}
