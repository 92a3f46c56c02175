//! Refusals as people and programs read them.

use std::collections::BTreeSet;

use countersign_cases::*;

use crate::fixture::*;

/// Every code, from the source itself, so that a new one cannot be forgotten here.
fn codes() -> Vec<&'static str> {
    let source = include_str!("../../src/refusal.rs");
    let (_, body) = source.split_once("pub fn code(").unwrap();
    let (body, _) = body.split_once("\n    }\n").unwrap();
    body.lines()
        .filter_map(|line| line.split_once("=> \"")?.1.strip_suffix("\","))
        .collect()
}

#[test]
fn every_refusal_is_reached_by_a_story() {
    let stories = [
        include_str!("opening.rs"),
        include_str!("customer.rs"),
        include_str!("staff.rs"),
        include_str!("notices.rs"),
        include_str!("life.rs"),
        include_str!("refusals.rs"),
    ]
    .concat();
    let unreached: Vec<_> = codes()
        .into_iter()
        .filter(|code| !stories.contains(&format!("\"{code}\"")))
        .collect();
    assert!(unreached.is_empty(), "no story ends with {unreached:?}");
}

#[test]
fn codes_are_distinct_words() {
    let codes = codes();
    assert!(codes.len() > 50, "{codes:?}");
    assert_eq!(codes.iter().collect::<BTreeSet<_>>().len(), codes.len());
    for code in codes {
        assert!(
            code.bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte == b'-'),
            "{code}"
        );
    }
}

#[test]
fn nothing_can_be_asked_of_a_case_that_is_not_there() {
    Story::new(hosting()).when(Command::Tick).refused("no-case");
    Story::new(hosting())
        .when(run(Actor::Gate))
        .refused("no-case");
}

#[test]
fn a_refusal_says_what_is_missing_and_who_can_supply_it() {
    let story = Story::by_agent(hosting());
    let refusal = story.when(run(Actor::Staff(amira()))).refusal();
    assert_eq!(
        refusal.to_string(),
        "still missing: account password and (authenticator code or passkey), the customer confirms, a backup of the last 24h in 2 places"
    );
    assert_eq!(refusal.help().unwrap(), "next: the customer");

    let refusal = Story::new(hosting())
        .when(Command::Open(opening(Actor::Staff(staff("mo", MANAGER)))))
        .refusal();
    assert_eq!(refusal.to_string(), "this takes a support agent");
    assert_eq!(refusal.help().unwrap(), "ask a colleague: support agent");

    let refusal = Story::by_customer(hosting())
        .knowing(|facts| {
            facts.locked = vec![LockFact {
                proof: BY_PIN,
                until: at(HOUR),
            }];
        })
        .proving_refused(BY_PIN);
    assert_eq!(
        refusal.to_string(),
        "`support PIN` is locked after wrong answers until 2026-11-23 11:45 UTC"
    );
}

impl Story {
    fn proving_refused(self, proof: countersign_language::ProofId) -> Refusal {
        let prove = self.proving(proof);
        self.when(prove).refusal()
    }
}

#[test]
fn messages_follow_the_house_style() {
    let story = Story::by_agent(hosting());
    let some = [
        Refusal::NoCase,
        Refusal::Concerned,
        Refusal::UnknownAction {
            action: "x.y".into(),
        },
        Refusal::ParameterTooLong {
            parameter: "image".into(),
            label: "image to install".into(),
            max: 1_000,
        },
        Refusal::RequestClosed { until: START },
        story.clone().when(Command::HandOver).refusal(),
        story.when(run(Actor::Customer)).refusal(),
    ];
    for refusal in some {
        let message = refusal.to_string();
        assert!(!message.ends_with('.'), "{message}");
        assert!(!message.starts_with(char::is_uppercase), "{message}");
        assert!(
            !message.contains("::") && !message.contains('{'),
            "{message}"
        );
    }
}

#[test]
fn every_code_is_in_the_manual() {
    let manual = include_str!("../../../../docs/cases.md");
    let unsaid: Vec<_> = codes()
        .into_iter()
        .filter(|code| !manual.contains(&format!("`{code}`")))
        .collect();
    assert!(unsaid.is_empty(), "docs/cases.md does not say {unsaid:?}");
}
