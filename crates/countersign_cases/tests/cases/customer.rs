//! What the customer does: link, proofs, confirmation.

use countersign_cases::*;

use crate::fixture::*;

fn password_only() -> countersign_language::Procedure {
    procedure(vec![("usual", vec![prove(one(BY_PASSWORD))])])
}

#[test]
fn nothing_happens_before_the_link_of_an_agents_case_is_used() {
    let story = Story::new(hosting()).does(Command::Open(opening(Actor::Staff(amira()))));
    let digest = story.digest();
    let prove = story.proving(BY_PASSWORD);
    let story = story.when(prove).refused("link-not-used");
    let story = story
        .when(Command::Confirm { digest })
        .refused("link-not-used");
    let story = story.when(Command::UseLink).then(&["link used"]);
    let prove = story.proving(BY_PASSWORD);
    let story = story.when(prove).then(&["proved 0"]);
    story.when(Command::UseLink).refused("link-already-used");
}

#[test]
fn the_customers_own_case_needs_no_link() {
    let story = Story::by_customer(password_only());
    assert!(!story.case.needs_link());
    story
        .proves(BY_PASSWORD)
        .when(Command::UseLink)
        .then(&["link used"]);
}

#[test]
fn a_proof_counts_for_one_digest_only() {
    let story = Story::by_customer(hosting());
    let other = Command::Prove {
        proof: BY_PASSWORD,
        digest: Digest([1; 32]),
        evidence: Evidence::None,
    };
    let story = story.when(other).refused("other-digest");
    story
        .when(Command::Confirm {
            digest: Digest([1; 32]),
        })
        .refused("other-digest");
}

#[test]
fn a_proof_counts_once() {
    let story = Story::by_customer(hosting()).proves(BY_PASSWORD);
    let again = story.proving(BY_PASSWORD);
    story.when(again).refused("already-proved");
}

#[test]
fn only_proofs_the_case_asks_for_and_the_gate_can_check() {
    let procedure = procedure(vec![(
        "usual",
        vec![prove(or([one(BY_PASSWORD), one(BY_VOICE)]))],
    )]);
    let story = Story::by_customer(procedure);
    let (text, voice) = (story.proving(BY_TEXT), story.proving(BY_VOICE));
    let unknown = story.proving(countersign_language::ProofId(99));
    let story = story.when(text).refused("proof-not-asked");
    let story = story.when(unknown).refused("proof-not-asked");
    story.when(voice).refused("proof-not-checkable");
}

#[test]
fn a_locked_proof_is_not_looked_at_until_time_unlocks_it() {
    let story = Story::by_customer(hosting()).knowing(|facts| {
        facts.locked = vec![LockFact {
            proof: BY_PASSWORD,
            until: at(HOUR),
        }];
    });
    let prove = story.proving(BY_PASSWORD);
    let story = story.when(prove.clone()).refused("proof-locked");
    let other = story.proving(BY_APP);
    let story = story.when(other).then(&["proved 4"]);
    story.later(HOUR).when(prove).then(&["proved 0"]);
}

#[test]
fn a_passkey_leaves_a_signature() {
    let story = Story::by_customer(hosting());
    let bare = Command::Prove {
        proof: BY_PASSKEY,
        digest: story.digest(),
        evidence: Evidence::None,
    };
    story.when(bare).refused("assertion-missing");
}

#[test]
fn what_the_customer_does_not_have_cannot_be_shown() {
    let story = Story::by_customer(hosting())
        .knowing(|facts| facts.holdings.retain(|fact| fact.holding != PHONE));
    let prove = story.proving(BY_APP);
    story.when(prove).refused("not-held");
}

#[test]
fn a_proof_made_with_what_was_replaced_since_is_void_and_can_be_made_again() {
    let changed = |facts: &mut Facts, when: Timestamp| facts.holdings[0].changed_at = Some(when);
    let story = Story::by_customer(password_only())
        .proves(BY_PASSWORD)
        .confirms()
        .later(MINUTE);
    assert!(story.may_run().is_ok());
    let story = story.knowing(|facts| changed(facts, at(MINUTE)));
    assert_eq!(story.may_run(), Err(NotYet::Incomplete));
    let story = story.when(run(Actor::Customer)).refused("not-ready");
    let prove = story.proving(BY_PASSWORD);
    let story = story.when(prove.clone()).refused("holding-just-changed");
    let story = story
        .later(1)
        .when(Command::Tick)
        .then(&["no longer ready 0"]);
    // A later proof keeps the confirmation.
    story.when(prove).then(&["proved 0", "ready 0 by itself"]);
}

#[test]
fn even_a_change_in_the_same_millisecond_voids_a_proof() {
    let story = Story::by_customer(password_only())
        .proves(BY_PASSWORD)
        .confirms();
    let story = story.knowing(|facts| facts.holdings[0].changed_at = Some(START));
    assert_eq!(story.may_run(), Err(NotYet::Incomplete));
}

#[test]
fn what_must_be_settled_counts_only_after_its_days() {
    let procedure = procedure(vec![("usual", vec![prove(settled(BY_MAIL, days(7)))])]);
    let changed = |when: i64| {
        Story::by_customer(procedure.clone())
            .knowing(|facts| facts.holdings[2].changed_at = Some(at(when)))
            .proves(BY_MAIL)
    };
    let confirm = |story: Story| {
        let digest = story.digest();
        story.when(Command::Confirm { digest })
    };
    confirm(changed(-7 * DAY)).then(&["confirmed", "ready 0 by itself"]);
    let story = confirm(changed(-7 * DAY + SECOND)).refused("customer-part-missing");
    // The proof was made; time alone completes it.
    confirm(story.later(SECOND)).then(&["confirmed", "ready 0 by itself"]);
    // A date in the future is never settled.
    let future = Story::by_customer(procedure.clone())
        .proves(BY_MAIL)
        .knowing(|facts| facts.holdings[2].changed_at = Some(at(DAY)));
    confirm(future).refused("customer-part-missing");
}

#[test]
fn and_or_and_n_of_mean_what_they_say() {
    use countersign_language::Expr;
    let ready = |expr: Expr, proofs: &[countersign_language::ProofId]| {
        let mut story = Story::by_customer(procedure(vec![("usual", vec![prove(expr)])]));
        for proof in proofs {
            story = story.proves(*proof);
        }
        let digest = story.digest();
        let step = story.when(Command::Confirm { digest });
        step.result
            .is_ok_and(|events| events.contains(&"ready 0 by itself".to_owned()))
    };
    let both = and([one(BY_PASSWORD), one(BY_PIN)]);
    assert!(!ready(both.clone(), &[]));
    assert!(!ready(both.clone(), &[BY_PIN]));
    assert!(ready(both.clone(), &[BY_PIN, BY_PASSWORD]));
    let either = or([both, one(BY_APP)]);
    assert!(ready(either.clone(), &[BY_APP]));
    assert!(!ready(either.clone(), &[BY_PASSWORD]));
    assert!(ready(either.clone(), &[BY_PASSWORD, BY_PIN]));
    let two = Expr::NOf {
        n: 2,
        of: vec![either, one(BY_MAIL), one(BY_TEXT)],
    };
    assert!(!ready(two.clone(), &[BY_MAIL]));
    assert!(ready(two.clone(), &[BY_MAIL, BY_TEXT]));
    assert!(ready(two.clone(), &[BY_APP, BY_TEXT]));
    assert!(!ready(two, &[BY_PASSWORD, BY_TEXT]));
}

#[test]
fn the_customer_confirms_last_and_once() {
    let story = Story::by_customer(hosting());
    let digest = story.digest();
    let confirm = Command::Confirm { digest };
    let story = story.when(confirm.clone()).refused("customer-part-missing");
    let story = story
        .proves(BY_PASSWORD)
        .when(confirm.clone())
        .refused("customer-part-missing");
    let story = story
        .proves(BY_APP)
        .when(confirm.clone())
        .then(&["confirmed"]);
    assert_eq!(story.case.confirmed_at(), Some(START));
    story.when(confirm).refused("already-confirmed");
}

#[test]
fn a_path_that_is_not_for_this_request_does_not_let_the_customer_confirm() {
    use countersign_language::{Comparison, Requirement, Subject, Value};
    let procedure = procedure(vec![
        (
            "cheap",
            vec![
                prove(one(BY_PIN)),
                Requirement::When {
                    subject: Subject::Attribute("tier".into()),
                    comparison: Comparison::Is,
                    value: Value::Text("small".into()),
                },
            ],
        ),
        ("usual", vec![prove(and([one(BY_PIN), one(BY_PASSWORD)]))]),
    ]);
    let story = Story::by_customer(procedure).proves(BY_PIN);
    let confirm = Command::Confirm {
        digest: story.digest(),
    };
    let story = story.when(confirm.clone()).refused("customer-part-missing");
    let story = story.knowing(|facts| {
        facts.attributes.insert("tier".into(), "large".into());
    });
    let story = story.when(confirm.clone()).refused("customer-part-missing");
    let story = story.knowing(|facts| {
        facts.attributes.insert("tier".into(), "small".into());
    });
    story
        .when(confirm)
        .then(&["confirmed", "ready 0 by itself"]);
}

#[test]
fn nothing_is_ready_without_the_customers_confirmation() {
    // Not even where the procedure asks the customer to prove nothing.
    let procedure = procedure(vec![("usual", vec![sign_off(1, SENIOR)])]);
    let story = Story::by_agent(procedure);
    let sign = story.signing(petra());
    let story = story.when(sign.clone()).refused("not-confirmed");
    let story = story.when(run(Actor::Customer)).refused("not-ready");
    let story = story.confirms();
    story.when(sign).then(&["petra signed", "ready 0"]);
}
