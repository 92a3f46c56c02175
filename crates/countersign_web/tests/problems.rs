//! Every code of a problem document has a page that explains it, and every page is of a code.

use std::collections::BTreeSet;
use std::path::Path;

use countersign_web::problems::{PROBLEMS, as_markdown};

use crate::world::World;

/// Codes that never leave the program: they become `nothing-here` or `invalid-field`, or belong to the offline checker.
const NOT_EMITTED: [&str; 9] = [
    "bad-field",
    "unknown-case",
    "unknown-customer",
    "unknown-account",
    "unknown-passkey",
    "not-a-receipt",
    "event-not-proved",
    "contradicts-events",
    "events-out-of-order",
];

/// Every quoted word after one of these, in the source of the crates whose refusals reach an answer.
fn emitted() -> BTreeSet<String> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut codes = BTreeSet::new();
    for folder in [
        "countersign_web/src",
        "countersign_service/src",
        "countersign_cases/src",
    ] {
        each_source(&crates.join(folder), &mut |text| {
            for body in text.split("fn code(&self) -> &'static str").skip(1) {
                let body = body.split("\n    }\n").next().unwrap();
                codes.extend(words_after(body, "=> \""));
                codes.extend(words_after(body, "=> {\n                \""));
            }
            for made in ["Problem::new(", "Self::new("] {
                for call in text.split(made).skip(1) {
                    let Some((status, rest)) = call.split_once(',') else {
                        continue;
                    };
                    if status.contains("StatusCode::") && rest.trim_start().starts_with('"') {
                        codes.extend(rest.split('"').nth(1).map(str::to_owned));
                    }
                }
            }
        });
    }
    assert!(codes.len() > 90, "{}", codes.len());
    codes
}

fn words_after(text: &str, mark: &str) -> Vec<String> {
    text.split(mark)
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .map(str::to_owned)
        .collect()
}

fn each_source(folder: &Path, look: &mut impl FnMut(&str)) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            each_source(&path, look);
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            look(text.split("#[cfg(test)]").next().unwrap());
        }
    }
}

#[test]
fn every_code_has_its_explanation_and_no_other() {
    let emitted = emitted();
    let explained: BTreeSet<String> = PROBLEMS.iter().map(|known| known.code.to_owned()).collect();
    assert_eq!(explained.len(), PROBLEMS.len(), "a code is explained twice");
    assert!(PROBLEMS.is_sorted_by_key(|known| known.code));
    let unexplained: Vec<_> = emitted
        .difference(&explained)
        .filter(|code| !NOT_EMITTED.contains(&code.as_str()))
        .collect();
    assert!(unexplained.is_empty(), "no page: {unexplained:?}");
    let idle: Vec<_> = explained.difference(&emitted).collect();
    assert!(idle.is_empty(), "nobody says: {idle:?}");
}

#[tokio::test]
async fn every_type_is_an_address_that_explains_it() {
    let world = World::new().await;
    let mut visitor = world.visitor();
    for known in PROBLEMS {
        let page = visitor.get(&format!("/problems/{}", known.code)).await;
        assert_eq!((page.status, page.h1().as_str()), (200, known.title));
    }
    let refused = world
        .visitor()
        .call("GET", "/v1/me", &serde_json::Value::Null)
        .await;
    let kind = refused.json()["type"].as_str().unwrap().to_owned();
    let page = visitor.get(&kind).await;
    assert!(
        page.text().contains("Authorization: Bearer"),
        "{}",
        page.text()
    );
    assert_eq!(visitor.get("/problems/no-such-code").await.status, 404);
    assert_eq!(visitor.get("/problems/..%2Fdesk").await.status, 404);
}

#[test]
fn the_list_in_the_documentation_is_fresh() {
    crate::kept("docs/generated/problems.md", &as_markdown());
}
