//! Opening a case.

use std::collections::BTreeMap;

use countersign_cases::*;

use crate::fixture::*;

fn open(change: impl FnOnce(&mut Opening)) -> Step {
    let mut asked = opening(Actor::Staff(amira()));
    change(&mut asked);
    Story::new(hosting()).when(Command::Open(asked))
}

fn parameter(value: &str) -> Step {
    open(|asked| {
        asked.parameters.insert("server".into(), value.into());
    })
}

#[test]
fn an_opened_case_is_bound_to_everything_that_was_asked() {
    let story = open(|_| {}).then(&["opened"]);
    let opened = story.case.opened().unwrap();
    assert_eq!(
        opened.sentence,
        "Erase everything on web-1 and install debian-13"
    );
    assert_eq!(opened.nonce, "ab".repeat(16));
    assert_eq!(opened.procedure, "07".repeat(32));
    assert_eq!(
        opened.digest,
        digest(
            "server.reinstall",
            &CustomerId("c-1".into()),
            &opened.nonce,
            &opened.parameters,
            &opened.procedure
        )
    );
    assert_eq!(story.case.state(), State::Open);
    assert_eq!(story.case.expires_at(), at(48 * HOUR));
    assert_eq!(story.case.version(), 1);
    assert!(story.case.needs_link());
}

#[test]
fn the_nonce_alone_makes_another_digest() {
    let one = open(|_| {}).then(&["opened"]).digest();
    let other = open(|asked| asked.nonce = [0xac; 16])
        .then(&["opened"])
        .digest();
    assert_ne!(one, other);
}

#[test]
fn a_case_is_opened_once() {
    let story = open(|_| {}).then(&["opened"]);
    story
        .when(Command::Open(opening(Actor::Customer)))
        .refused("already-opened");
}

#[test]
fn only_actions_of_the_gate_can_be_asked_for() {
    let action = |name: &str| {
        let name = name.to_owned();
        open(move |asked| {
            asked.action = name;
            asked.by = Actor::Staff(petra());
            asked.parameters = BTreeMap::new();
        })
    };
    action("account.close").then(&["opened"]);
    action("server.steal").refused("unknown-action");
    action("mailbox.recover").refused("outside-action");
    action("account.rename").refused("nothing-runs-it");
}

#[test]
fn who_may_open_is_what_the_procedure_says() {
    let by = |by: Actor| open(|asked| asked.by = by);
    by(Actor::Customer).then(&["opened"]);
    by(Actor::Staff(amira())).then(&["opened"]);
    by(Actor::Staff(petra())).then(&["opened"]);
    by(Actor::Staff(staff("mo", MANAGER))).refused("role-may-not-open");
    by(Actor::Gate).refused("not-for-the-gate");
    let concerned = StaffMember {
        concerned: true,
        ..amira()
    };
    by(Actor::Staff(concerned)).refused("concerned");
    let robot = StaffMember {
        robot: true,
        ..amira()
    };
    by(Actor::Staff(robot)).then(&["opened"]);
}

#[test]
fn a_senior_action_is_neither_for_agents_nor_for_customers() {
    let close = |by: Actor| {
        open(|asked| {
            asked.by = by;
            asked.action = "account.close".into();
            asked.parameters = BTreeMap::new();
        })
    };
    close(Actor::Staff(petra())).then(&["opened"]);
    close(Actor::Staff(amira())).refused("role-may-not-open");
    close(Actor::Customer).refused("customer-may-not-open");
}

#[test]
fn without_words_of_its_own_an_action_says_its_label() {
    let story = open(|asked| {
        asked.action = "account.close".into();
        asked.by = Actor::Staff(petra());
        asked.parameters = BTreeMap::new();
    })
    .then(&["opened"]);
    assert_eq!(story.case.opened().unwrap().sentence, "account.close");
}

#[test]
fn parameters_are_exactly_those_of_the_action() {
    parameter("web-1").then(&["opened"]);
    parameter(&"é".repeat(1_000)).then(&["opened"]);
    parameter(&"é".repeat(1_001)).refused("parameter-too-long");
    parameter("").refused("parameter-missing");
    parameter(" \u{a0}\t").refused("parameter-missing");
    open(|asked| {
        asked.parameters.remove("image");
    })
    .refused("parameter-missing");
    open(|asked| {
        asked.parameters.insert("also".into(), "x".into());
    })
    .refused("parameter-unknown");
}

#[test]
fn what_is_signed_is_what_is_read() {
    for hidden in [
        '\n',
        '\0',
        '\u{7f}',
        '\u{85}',
        '\u{202e}',
        '\u{2066}',
        '\u{200b}',
        '\u{feff}',
        '\u{e0041}',
        '\u{2028}',
    ] {
        parameter(&format!("web{hidden}1")).refused("parameter-unreadable");
    }
    parameter("سرور-۱ 👩‍💻 नमस्ते").then(&["opened"]);
    let Refusal::ParameterUnreadable { parameter, label } = parameter("a\u{202e}b").refusal()
    else {
        panic!("another refusal");
    };
    assert_eq!((parameter.as_str(), label.as_str()), ("server", "server"));
}

#[test]
fn staff_say_why_and_the_customer_may() {
    let reason = |reason: Option<&str>| {
        let reason = reason.map(str::to_owned);
        open(|asked| asked.reason = reason)
    };
    reason(None).refused("reason-too-short");
    reason(Some("nine char")).refused("reason-too-short");
    reason(Some("   nine char   ")).refused("reason-too-short");
    reason(Some("ten chars!")).then(&["opened"]);
    reason(Some(&"x".repeat(500))).then(&["opened"]);
    reason(Some(&"x".repeat(501))).refused("reason-too-long");
    reason(Some("two lines,\nas people write")).then(&["opened"]);
    reason(Some("turned \u{202e} around")).refused("reason-unreadable");

    let customer = |reason: Option<String>| {
        open(|asked| {
            asked.by = Actor::Customer;
            asked.reason = reason;
        })
    };
    customer(None).then(&["opened"]);
    customer(Some("x".into())).then(&["opened"]);
    customer(Some("x".repeat(501))).refused("reason-too-long");
}

#[test]
fn a_reference_is_short_and_readable() {
    open(|asked| asked.reference = None).then(&["opened"]);
    open(|asked| asked.reference = Some("x".repeat(200))).then(&["opened"]);
    open(|asked| asked.reference = Some("x".repeat(201))).refused("reference-unreadable");
    open(|asked| asked.reference = Some("a\nb".into())).refused("reference-unreadable");
}

fn refused_before(closed_until: Timestamp) -> EarlierRefusal {
    EarlierRefusal {
        case: CaseId("CS-OLD".into()),
        at: at(-HOUR),
        stopped: false,
        closed_until,
    }
}

#[test]
fn a_refused_request_stays_closed_whoever_asks_again() {
    for by in [
        Actor::Customer,
        Actor::Staff(amira()),
        Actor::Staff(petra()),
    ] {
        Story::new(hosting())
            .knowing(|facts| facts.earlier = vec![refused_before(at(1))])
            .when(Command::Open(opening(by)))
            .refused("request-closed");
    }
}

#[test]
fn after_the_cooling_time_the_next_case_shows_the_refusal() {
    let story = Story::new(hosting())
        .knowing(|facts| facts.earlier = vec![refused_before(START)])
        .when(Command::Open(opening(Actor::Customer)))
        .then(&["opened"]);
    assert_eq!(
        story.case.opened().unwrap().earlier,
        [refused_before(START)]
    );
}

#[test]
fn one_case_at_a_time_for_a_customer_and_an_action() {
    let refusal = Story::new(hosting())
        .knowing(|facts| facts.open_case = Some(CaseId("CS-OTHER".into())))
        .when(Command::Open(opening(Actor::Customer)))
        .refusal();
    assert_eq!(
        refusal,
        Refusal::OtherCaseOpen {
            case: CaseId("CS-OTHER".into())
        }
    );
}

#[test]
fn values_stand_apart_from_the_procedures_words() {
    let procedure = hosting();
    let parameters = BTreeMap::from([
        ("server".to_owned(), "{image}".to_owned()),
        ("image".to_owned(), "b".to_owned()),
    ]);
    let action = &procedure.actions[3];
    assert_eq!(
        sentence_pieces(action, &parameters),
        [
            Piece::Words("Erase everything on "),
            Piece::Value("{image}"),
            Piece::Words(" and install "),
            Piece::Value("b"),
        ]
    );
    assert_eq!(
        sentence(action, &parameters),
        "Erase everything on {image} and install b"
    );
}

#[test]
fn what_a_customer_has_is_changed_and_not_given_again() {
    let text = r#"
organisation "Acme"
staff agent "support agent"
secret pin "support PIN" using pin
device key "passkey"
proof passkey "passkey" shows key using passkey
action pin.first "Choose a PIN" { gives pin runs gate path p { agent confirms "they showed their papers at the counter" } }
action pin.change "Set a new PIN" { changes pin runs gate path p { prove passkey } }
action key.add "Add a passkey" { gives key runs gate path p { prove pin } }
"#;
    let procedure = countersign_language::read(text).procedure.unwrap();
    let holding = |name: &str| HoldingFact {
        holding: procedure.holding_named(name).unwrap(),
        changed_at: None,
    };
    let asked = |action: &str, held: &[&str]| {
        let facts = Facts {
            holdings: held.iter().map(|name| holding(name)).collect(),
            ..Facts::default()
        };
        let opening = Opening {
            action: action.into(),
            parameters: BTreeMap::new(),
            ..opening(Actor::Customer)
        };
        let moment = Moment {
            now: START,
            facts: &facts,
        };
        decide(&procedure, &Case::none(), Command::Open(opening), &moment)
            .map(|_| ())
            .map_err(|refusal| refusal.code())
    };
    assert_eq!(asked("pin.first", &[]), Ok(()));
    assert_eq!(asked("pin.first", &["key"]), Ok(()));
    assert_eq!(asked("pin.first", &["pin"]), Err("already-held"));
    assert_eq!(asked("pin.change", &["pin"]), Ok(()));
    assert_eq!(asked("pin.change", &[]), Ok(()));
    // Passkeys are many.
    assert_eq!(asked("key.add", &["key", "pin"]), Ok(()));
}
