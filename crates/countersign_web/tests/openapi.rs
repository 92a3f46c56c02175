//! The description of the API: whole, fresh, and what the readable page shows.

use std::collections::BTreeSet;

use countersign_web::routes::routes;
use serde_json::Value;

use crate::world::{ORIGIN, World, html};

async fn description() -> Value {
    let world = World::new().await;
    let served = world.visitor().read("/openapi.json").await;
    assert_eq!(
        (served.status, served.header("content-type")),
        (200, "application/json")
    );
    served.json()
}

#[tokio::test]
async fn the_description_is_kept_fresh() {
    let description = description().await;
    let text = serde_json::to_string_pretty(&description).unwrap() + "\n";
    crate::kept(
        "docs/generated/openapi.json",
        &text.replace(ORIGIN, "https://support.example"),
    );
}

/// What OpenAPI 3.1.1 §4.8 asks of the parts that are used here.
#[tokio::test]
async fn the_description_is_well_formed() {
    let description = description().await;
    assert!(description["openapi"].as_str().unwrap().starts_with("3.1."));
    for field in ["/info/title", "/info/version", "/servers/0/url"] {
        assert!(
            description.pointer(field).is_some_and(Value::is_string),
            "{field}"
        );
    }
    let schemes = description["components"]["securitySchemes"]
        .as_object()
        .unwrap();
    let mut ids = BTreeSet::new();
    let mut described = BTreeSet::new();
    for (path, item) in description["paths"].as_object().unwrap() {
        assert!(path.starts_with('/') && !path.contains('*'), "{path}");
        let wanted: BTreeSet<&str> = path
            .split('/')
            .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
            .collect();
        for (method, operation) in item.as_object().unwrap() {
            let here = format!("{method} {path}");
            assert!(
                ["get", "post", "put", "delete"].contains(&method.as_str()),
                "{here}"
            );
            described.insert(here.clone());
            let id = operation["operationId"].as_str().expect(&here);
            assert!(ids.insert(id.to_owned()), "{id} stands twice");
            assert!(
                id.chars().all(|c| c.is_ascii_lowercase() || c == '_'),
                "{id}"
            );
            assert!(!operation["summary"].as_str().expect(&here).is_empty());
            assert!(operation["tags"][0].is_string(), "{here}");
            let parameters = operation["parameters"].as_array();
            let mut declared = BTreeSet::new();
            for parameter in parameters.into_iter().flatten() {
                assert!(parameter["schema"]["type"].is_string(), "{here}");
                if parameter["in"] == "path" {
                    assert_eq!(parameter["required"], true, "{here}");
                    declared.insert(parameter["name"].as_str().unwrap());
                }
            }
            assert_eq!(declared, wanted, "{here}");
            let responses = operation["responses"].as_object().expect(&here);
            assert!(responses.contains_key("default"), "{here}");
            for (status, response) in responses {
                assert!(
                    !response["description"]
                        .as_str()
                        .unwrap_or_default()
                        .is_empty(),
                    "{here} {status}"
                );
                assert!(
                    status == "default" || status == "204" || response["content"].is_object(),
                    "{here} {status} has no content"
                );
            }
            for requirement in operation["security"].as_array().into_iter().flatten() {
                for scheme in requirement.as_object().unwrap().keys() {
                    assert!(schemes.contains_key(scheme), "{here}: {scheme}");
                }
            }
        }
    }
    // Every route of the API is there, and nothing else.
    let expected: BTreeSet<String> = routes()
        .iter()
        .filter(|route| route.operation.is_some())
        .map(|route| {
            format!(
                "{} {}",
                route.verb.name().to_lowercase(),
                route.path.replace("{*", "{")
            )
        })
        .collect();
    assert_eq!(described, expected);
    assert!(routes().iter().all(|route| route.operation.is_some()
        == (route.path.starts_with("/v1/")
            || route.path.starts_with("/ledger/")
            || route.path.starts_with("/.well-known/"))));
    let mut used = BTreeSet::new();
    references(&description, &mut used);
    for reference in &used {
        let pointer = reference
            .strip_prefix('#')
            .expect("a reference into the same document");
        assert!(
            description.pointer(pointer).is_some(),
            "{reference} leads nowhere"
        );
    }
    for name in description["components"]["schemas"]
        .as_object()
        .unwrap()
        .keys()
    {
        assert!(
            used.contains(&format!("#/components/schemas/{name}")),
            "{name} is used by nothing"
        );
    }
}

/// Every property says what it is, so that the readable page does too.
#[tokio::test]
async fn every_field_is_described() {
    let description = description().await;
    for (name, schema) in description["components"]["schemas"].as_object().unwrap() {
        for (field, property) in schema["properties"].as_object().into_iter().flatten() {
            let said = property["description"].is_string()
                || property["$ref"].is_string()
                || property["oneOf"].is_array();
            assert!(said, "{name}.{field}");
        }
        if let Some(required) = schema["required"].as_array() {
            for field in required {
                assert!(
                    schema["properties"][field.as_str().unwrap()].is_object(),
                    "{name}.{field}"
                );
            }
        }
    }
}

fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            if let Some(Value::String(reference)) = object.get("$ref") {
                found.insert(reference.clone());
            }
            object.values().for_each(|value| references(value, found));
        }
        Value::Array(array) => array.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

#[tokio::test]
async fn the_readable_page_shows_every_operation() {
    let world = World::new().await;
    let mut anybody = world.visitor();
    let page = anybody.get("/docs/api").await;
    assert_eq!(page.status, 200);
    let text = page.text();
    for route in routes().iter().filter(|route| route.operation.is_some()) {
        let line = format!("{} {}", route.verb.name(), route.path.replace("{*", "{"));
        assert!(text.contains(&line), "{line}");
    }
    for (_, href) in html::links(page.body()) {
        assert!(
            href.starts_with('#') || anybody.get(&href).await.status < 400,
            "{href}"
        );
    }
}

/// The examples of docs/api.md are requests that this gate answers: fields, codes and paths in it exist.
#[tokio::test]
async fn the_introduction_speaks_of_what_is_there() {
    let text = crate::read("docs/api.md");
    let description = description().await.to_string();
    let paths: Vec<String> = routes().iter().map(|route| route.path.to_owned()).collect();
    let mut named = 0;
    for word in text.split(|c: char| c.is_whitespace() || "`,;.()\"".contains(c)) {
        if !["/v1/", "/ledger/", "/docs/", "/openapi"]
            .iter()
            .any(|start| word.starts_with(start))
        {
            continue;
        }
        named += 1;
        let known = paths.iter().any(|path| {
            let (mut left, mut right) = (word.split('/'), path.split('/'));
            loop {
                match (left.next(), right.next()) {
                    (None, None) => break true,
                    (Some(one), Some(other)) if one == other || other.starts_with('{') => {
                        if other.starts_with("{*") {
                            break true;
                        }
                    }
                    _ => break false,
                }
            }
        });
        assert!(known || word == "/openapi", "docs/api.md names {word}");
    }
    assert!(named > 6, "{named}");
    for block in text.split("```json\n").skip(1) {
        let json = block.split("```").next().unwrap();
        let value: Value =
            serde_json::from_str(json).unwrap_or_else(|error| panic!("{error}: {json}"));
        for field in value.as_object().unwrap().keys() {
            assert!(
                description.contains(&format!("\"{field}\"")),
                "docs/api.md has the field `{field}`"
            );
        }
    }
}
