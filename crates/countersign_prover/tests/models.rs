//! Known answers: the example of DESIGN §3, and models of real incidents whose minimal sets are known.

#![expect(
    clippy::panic,
    clippy::expect_used,
    clippy::string_slice,
    reason = "helpers of a test fail it"
)]

use countersign_language::{Procedure, Target};
use countersign_prover::{Limits, attacks, cheapest, check, lockout, reach};

fn read(text: &str) -> Procedure {
    let reading = countersign_language::read(text);
    reading
        .procedure
        .unwrap_or_else(|| panic!("{:#?}", reading.diagnostics))
}

fn design() -> Procedure {
    read(include_str!("models/design.procedure"))
}

fn sets(procedure: &Procedure, loss: &str, at_most: usize) -> Vec<Vec<String>> {
    let target = Target::Loss(procedure.loss_named(loss).expect("a loss"));
    let found = attacks(procedure, &[target], at_most, Limits::default());
    assert!(found.complete());
    found.names
}

#[test]
fn the_example_has_exactly_its_seven_attacks() {
    assert_eq!(
        sets(&design(), "server_data", 3),
        [
            vec!["key taken", "mailbox hijacked", "pin stolen"],
            vec!["key taken", "mobile hijacked", "pin stolen"],
            vec!["key taken", "password stolen"],
            vec!["mailbox hijacked", "phone taken", "pin stolen"],
            vec!["mobile hijacked", "phone taken", "pin stolen"],
            vec!["mobile hijacked", "pin stolen", "senior deceived"],
            vec!["password stolen", "phone taken"],
        ]
    );
}

#[test]
fn the_example_keeps_its_promises() {
    let verdicts = check(&design());
    assert_eq!(verdicts.len(), 3);
    for verdict in verdicts {
        assert!(verdict.kept, "{verdict:#?}");
    }
}

#[test]
fn an_attack_is_told_in_the_procedures_own_words() {
    let procedure = design();
    let loss = Target::Loss(procedure.loss_named("server_data").expect("a loss"));
    let system = countersign_prover::System::compile(&procedure);
    let found = system.attacks(&procedure, &[loss], 3, Limits::default());
    let set = &found.sets[5];
    let attack = system.explain(&procedure, set, &[loss]).expect("an attack");
    let steps: Vec<&str> = attack.steps.iter().map(|step| step.text.as_str()).collect();
    assert_eq!(
        steps,
        [
            "steal the support PIN",
            "hijack the mobile number on file",
            "deceive one senior support agent",
            "use \"The mail provider's own recovery\" by path text, proving code sent by text message, \
             and get the e-mail address on file",
            "ask for \"Reinstall a server\" by path lost_phone, proving support PIN and code sent by e-mail, \
             with one deceived senior support agent, waiting 24h while only the thief sees the notices",
            "server_data is lost",
        ]
    );
    let text = include_str!("models/design.procedure");
    let slice = |span: countersign_language::Span| &text[span.start as usize..span.end as usize];
    assert!(
        slice(attack.steps[4].span).contains("lost_phone"),
        "{}",
        slice(attack.steps[4].span)
    );
    assert!(slice(attack.steps[0].span).contains("pin"));
}

#[test]
fn what_the_password_alone_can_do_is_nothing() {
    let procedure = design();
    let password = procedure.holding_named("password").expect("password");
    let phone = procedure.holding_named("phone").expect("phone");
    let alone = reach(
        &procedure,
        &[countersign_prover::Compromise::Holding(password)],
    );
    assert!(alone.actions.is_empty() && alone.losses.is_empty());
    let both = [password, phone].map(countersign_prover::Compromise::Holding);
    let both = reach(&procedure, &both);
    let names: Vec<&str> = both
        .actions
        .iter()
        .map(|(id, _)| procedure.actions[id.index()].name.as_str())
        .collect();
    assert_eq!(
        names,
        ["server.reinstall"],
        "the change of address waits, and its owner would stop it"
    );
}

#[test]
fn without_the_phone_everything_is_still_there_but_slower() {
    let procedure = design();
    let phone = procedure.holding_named("phone").expect("phone");
    let key = procedure.holding_named("key").expect("key");
    for access in lockout(&procedure, &[phone]).actions {
        assert!(access.way.is_some(), "{access:#?}");
    }
    let without_both = lockout(&procedure, &[phone, key]);
    let reinstall = &without_both.actions[0];
    assert_eq!(
        reinstall.way.as_ref().map(|way| way.seconds),
        Some(24 * 3_600)
    );
    let reset = &without_both.actions[2];
    assert!(reset.way.is_none());
    assert_eq!(
        reset.missing[0].text,
        "path usual needs authenticator code or passkey"
    );
}

#[test]
fn the_cheapest_attack_depends_on_the_prices() {
    let procedure = design();
    let loss = Target::Loss(procedure.loss_named("server_data").expect("a loss"));
    let even = cheapest(&procedure, &[loss], |_| 1).expect("an attack");
    assert_eq!((even.price, even.proved), (2, true));
    let dear = procedure.holding_named("password").expect("password");
    let skewed = cheapest(&procedure, &[loss], |compromise| {
        if compromise == countersign_prover::Compromise::Holding(dear) {
            100
        } else {
            1
        }
    });
    assert_eq!(skewed.expect("an attack").price, 3);
}

/// The models name fooling and bribing apart; here both are a deceived person.
fn model_name(atom: &str) -> &'static str {
    match atom {
        "account_password" => "account_password stolen",
        "agent_bribed" | "agent_deceived" => "agent deceived",
        "senior_bribed" | "senior_deceived" => "senior deceived",
        "mailbox" => "mailbox hijacked",
        "phone" => "phone hijacked",
        "pin" => "pin stolen",
        "root_password" => "root_password stolen",
        "totp" => "totp taken",
        "owner_absent" => "notices unread",
        "amazon_pw" => "amazon_pw stolen",
        "apple_pw" => "apple_pw stolen",
        "card_receipt" => "card_receipt stolen",
        other => panic!("{other} has no name here"),
    }
}

fn expect_model(text: &str, loss: &str, sets_of_atoms: &[&[&str]]) {
    let mut expected: Vec<Vec<String>> = sets_of_atoms
        .iter()
        .map(|set| {
            let mut names: Vec<String> =
                set.iter().map(|atom| model_name(atom).to_owned()).collect();
            names.sort();
            names
        })
        .collect();
    expected.sort();
    expected.dedup();
    assert_eq!(sets(&read(text), loss, 8), expected);
}

#[test]
fn nc0_as_practised() {
    expect_model(
        include_str!("models/nc0.procedure"),
        "server_wiped",
        &[
            &["root_password"],
            &["account_password", "totp"],
            &["agent_bribed", "mailbox"],
            &["agent_deceived", "mailbox"],
            &["mailbox", "pin"],
            &["mailbox", "totp"],
        ],
    );
}

#[test]
fn nc1_pin_checked_by_machine() {
    expect_model(
        include_str!("models/nc1.procedure"),
        "server_wiped",
        &[
            &["root_password"],
            &["account_password", "totp"],
            &["mailbox", "pin"],
            &["mailbox", "totp"],
        ],
    );
}

#[test]
fn nc2_agents_can_read_the_pin() {
    expect_model(
        include_str!("models/nc2.procedure"),
        "server_wiped",
        &[
            &["root_password"],
            &["account_password", "totp"],
            &["agent_bribed", "mailbox"],
            &["agent_deceived", "mailbox"],
            &["mailbox", "pin"],
            &["mailbox", "totp"],
        ],
    );
}

#[test]
fn nc3_no_second_factor() {
    expect_model(
        include_str!("models/nc3.procedure"),
        "server_wiped",
        &[&["account_password"], &["mailbox"], &["root_password"]],
    );
}

#[test]
fn nc4_second_factor_removed_by_one_agent() {
    expect_model(
        include_str!("models/nc4.procedure"),
        "server_wiped",
        &[
            &["root_password"],
            &["account_password", "agent_bribed"],
            &["account_password", "agent_deceived"],
            &["account_password", "totp"],
            &["agent_bribed", "mailbox"],
            &["agent_deceived", "mailbox"],
            &["mailbox", "totp"],
        ],
    );
}

#[test]
fn nc5_removed_by_two_after_notice_and_wait() {
    let mut sets: Vec<Vec<&str>> = vec![
        vec!["root_password"],
        vec!["account_password", "totp"],
        vec!["mailbox", "totp"],
    ];
    for agent in ["agent_bribed", "agent_deceived"] {
        for senior in ["senior_bribed", "senior_deceived"] {
            sets.push(vec!["account_password", agent, "owner_absent", senior]);
            sets.push(vec![agent, "mailbox", "owner_absent", senior]);
            sets.push(vec![agent, "mailbox", "phone", senior]);
        }
    }
    let sets: Vec<&[&str]> = sets.iter().map(Vec::as_slice).collect();
    expect_model(include_str!("models/nc5.procedure"), "server_wiped", &sets);
}

#[test]
fn honan_needed_nothing_at_all() {
    expect_model(
        include_str!("models/honan.procedure"),
        "devices_wiped",
        &[&[]],
    );
}

#[test]
fn honan_with_cards_that_must_age() {
    expect_model(
        include_str!("models/honan_ageing.procedure"),
        "devices_wiped",
        &[&["amazon_pw"], &["apple_pw"], &["card_receipt"]],
    );
}
