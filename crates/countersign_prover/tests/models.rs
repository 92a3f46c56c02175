//! Known answers: the example of DESIGN §3, and models of real incidents whose minimal sets are known.

#![expect(
    clippy::panic,
    clippy::expect_used,
    clippy::string_slice,
    reason = "helpers of a test fail it"
)]

use std::collections::BTreeSet;

use countersign_language::{Exposure, HoldingKind, Procedure, Target};
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

/// Models of incidents, with their minimal sets as two other programs found them.
const MODELS: &str = include_str!("models/models.json");

/// Where each of them is written as a procedure, and what is lost there. What happened at a company
/// stands in the museum; variations of it stand beside this test.
const WRITTEN: &[(&str, &str, &str)] = &[
    (
        "NC0 Namecheap 2016 as practised",
        include_str!("../../../procedures/museum/2016-namecheap.practised.procedure"),
        "server_wiped",
    ),
    (
        "NC1 PIN checked by machine",
        include_str!("models/nc1.procedure"),
        "server_wiped",
    ),
    (
        "NC2 as NC1 but agents can read the PIN on screen",
        include_str!("models/nc2.procedure"),
        "server_wiped",
    ),
    (
        "NC3 as NC1, customer has no second factor",
        include_str!("models/nc3.procedure"),
        "server_wiped",
    ),
    (
        "NC4 one-time link bound to TOTP instead of mailed password, 2FA removal by one agent",
        include_str!("models/nc4.procedure"),
        "server_wiped",
    ),
    (
        "NC5 as NC4, 2FA removal: two agents + 48 h hold + notice to old mail AND phone",
        include_str!("models/nc5.procedure"),
        "server_wiped",
    ),
    (
        "HONAN Amazon+Apple 2012",
        include_str!("../../../procedures/museum/2012-amazon-apple.practised.procedure"),
        "devices_wiped",
    ),
    (
        "HONAN with ageing (card added in last 7 days proves nothing)",
        include_str!("models/honan_ageing.procedure"),
        "devices_wiped",
    ),
];

/// One of [`MODELS`].
#[derive(serde::Deserialize)]
struct Model {
    name: String,
    goal: String,
    free: Vec<String>,
    rules: Vec<Rule>,
    atoms: Vec<String>,
    minimal_sets: Vec<Vec<String>>,
}

/// The head follows from all of the body.
#[derive(serde::Deserialize)]
struct Rule {
    head: String,
    body: Vec<String>,
}

fn models() -> Vec<Model> {
    serde_json::from_str(MODELS).expect("models")
}

/// The models name fooling and bribing apart; in a procedure both are a deceived person.
fn procedure_name(atom: &str) -> &'static str {
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

fn named(model: &Model, name: impl Fn(&str) -> String) -> Vec<Vec<String>> {
    let mut sets: Vec<Vec<String>> = model
        .minimal_sets
        .iter()
        .map(|set| {
            let mut names: Vec<String> = set.iter().map(|atom| name(atom)).collect();
            names.sort();
            names
        })
        .collect();
    sets.sort();
    sets.dedup();
    sets
}

#[test]
fn every_model_written_as_a_procedure_has_exactly_its_minimal_sets() {
    let models = models();
    assert_eq!(models.len(), WRITTEN.len(), "every model is written once");
    for model in models {
        let (_, text, loss) = WRITTEN
            .iter()
            .find(|(name, ..)| *name == model.name)
            .unwrap_or_else(|| panic!("{} is not written as a procedure", model.name));
        let expected = named(&model, |atom| procedure_name(atom).to_owned());
        assert_eq!(sets(&read(text), loss, 12), expected, "{}", model.name);
    }
}

/// The rules of a model as they are: an atom is a secret, what follows is a state, a rule is an action.
fn word_for_word(model: &Model) -> String {
    let heads: BTreeSet<&str> = model.rules.iter().map(|rule| rule.head.as_str()).collect();
    let bodies = model.rules.iter().flat_map(|rule| &rule.body);
    let facts: BTreeSet<&str> = bodies.map(String::as_str).collect();
    let goal = &model.goal;
    let mut lines = vec![
        "organisation \"A model\"".to_owned(),
        "loss lost \"what is lost\"".to_owned(),
        format!("outside action lose \"Lose it\" {{ loses lost path p {{ prove {goal} }} }}"),
    ];
    lines.extend(facts.difference(&heads).map(|fact| {
        let free = model.free.iter().any(|free| free == fact);
        let public = if free { " public" } else { "" };
        format!("secret {fact} \"{fact}\"{public}")
    }));
    lines.extend(heads.iter().map(|head| format!("state {head} \"{head}\"")));
    lines.extend((1..).zip(&model.rules).map(|(number, rule)| {
        let Rule { head, body } = rule;
        let body = body.join(" and ");
        format!("outside action r{number} \"{head}\" {{ gives {head} path p {{ prove {body} }} }}")
    }));
    lines.join("\n")
}

#[test]
fn every_model_word_for_word_has_exactly_its_minimal_sets() {
    for model in models() {
        let procedure = read(&word_for_word(&model));
        let expected = named(&model, |atom| format!("{atom} stolen"));
        assert_eq!(sets(&procedure, "lost", 12), expected, "{}", model.name);
        assert_eq!(
            model.atoms.len(),
            procedure
                .holdings
                .iter()
                .filter(|holding| holding.kind == HoldingKind::Secret
                    && holding.exposure == Exposure::Hidden)
                .count(),
            "{}",
            model.name
        );
    }
}
