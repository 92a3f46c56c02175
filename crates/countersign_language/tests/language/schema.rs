//! The published JSON Schema says the same about a twin's shape as the reader does.

use countersign_language::{json_schema, read, read_json, to_json};
use proptest::prelude::*;
use serde_json::Value;

use crate::properties::{PIECES, count, replace, texts};

#[test]
fn the_schema_accepts_every_twin() {
    let schema: Value = serde_json::from_str(&json_schema()).unwrap();
    for text in texts() {
        let twin: Value = serde_json::from_str(&to_json(&read(&text).tree)).unwrap();
        assert_eq!(validate(&schema, &schema, &twin), Ok(()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// What the schema refuses the reader refuses, and the other way round where only the shape is wrong.
    #[test]
    fn the_schema_and_the_reader_agree(
        which in 0_usize..8,
        at in any::<prop::sample::Index>(),
        with in prop::sample::select(PIECES),
    ) {
        let schema: Value = serde_json::from_str(&json_schema()).unwrap();
        let texts = texts();
        let mut twin: Value = serde_json::from_str(&to_json(&read(&texts[which % texts.len()]).tree)).unwrap();
        let nodes = count(&twin);
        replace(&mut twin, &mut at.index(nodes), &serde_json::from_str(with).unwrap());
        let verdict = validate(&schema, &schema, &twin);
        let codes: Vec<&str> = read_json(&twin.to_string()).diagnostics.iter().map(|finding| finding.code).collect();
        let shape = ["unknown-field", "missing-field", "wrong-type", "bad-name", "empty-text"];
        if verdict.is_err() {
            prop_assert!(!codes.is_empty(), "{:?}: {}", verdict, twin);
        } else {
            prop_assert!(!codes.iter().any(|code| shape.contains(code)), "{:?}: {}", codes, twin);
        }
    }
}

/// As much of JSON Schema 2020-12 as the schema uses; a keyword it does not know is a failure.
fn validate(root: &Value, schema: &Value, value: &Value) -> Result<(), String> {
    for (keyword, rule) in schema.as_object().unwrap() {
        let ok = match keyword.as_str() {
            "$schema" | "$id" | "$defs" | "title" | "description" => true,
            "$ref" => {
                let name = rule.as_str().unwrap().strip_prefix("#/$defs/").unwrap();
                validate(root, &root["$defs"][name], value)?;
                true
            }
            "type" => match rule.as_str().unwrap() {
                "object" => value.is_object(),
                "array" => value.is_array(),
                "string" => value.is_string(),
                "integer" => value.is_i64() || value.is_u64(),
                other => panic!("{other}"),
            },
            "const" => value == rule,
            "enum" => rule.as_array().unwrap().contains(value),
            "minimum" => value
                .as_i64()
                .is_none_or(|number| number >= rule.as_i64().unwrap()),
            "maximum" => value
                .as_i64()
                .is_none_or(|number| number <= rule.as_i64().unwrap()),
            "minItems" => value
                .as_array()
                .is_none_or(|items| items.len() as u64 >= rule.as_u64().unwrap()),
            "items" => {
                for item in value.as_array().into_iter().flatten() {
                    validate(root, rule, item)?;
                }
                true
            }
            "required" => value.as_object().is_none_or(|fields| {
                rule.as_array()
                    .unwrap()
                    .iter()
                    .all(|name| fields.contains_key(name.as_str().unwrap()))
            }),
            "properties" => {
                for (name, field) in value.as_object().into_iter().flatten() {
                    if let Some(rule) = rule.get(name) {
                        validate(root, rule, field)?;
                    }
                }
                true
            }
            "additionalProperties" => {
                assert_eq!(rule, false);
                let known = schema["properties"].as_object().unwrap();
                value
                    .as_object()
                    .is_none_or(|fields| fields.keys().all(|name| known.contains_key(name)))
            }
            "oneOf" => {
                rule.as_array()
                    .unwrap()
                    .iter()
                    .filter(|rule| validate(root, rule, value).is_ok())
                    .count()
                    == 1
            }
            "pattern" => value
                .as_str()
                .is_none_or(|text| matches(rule.as_str().unwrap(), text)),
            other => panic!("{other}"),
        };
        if !ok {
            return Err(format!("{keyword}: {rule} refuses {value}"));
        }
    }
    Ok(())
}

/// The patterns of the schema, each by hand.
fn matches(pattern: &str, text: &str) -> bool {
    let name = |part: &str| {
        part.starts_with(|letter: char| letter.is_ascii_lowercase())
            && part.chars().all(|letter| {
                letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_'
            })
    };
    let digits =
        |part: &str| !part.is_empty() && part.chars().all(|letter| letter.is_ascii_digit());
    match pattern {
        "^[a-z][a-z0-9_]*$" => name(text),
        "^[a-z][a-z0-9_]*(\\.[a-z][a-z0-9_]*)*$" => text.split('.').all(name),
        "\\S" => text.chars().any(|letter| !letter.is_whitespace()),
        "^0*[1-9][0-9]*[mhd]$" => text
            .strip_suffix(['m', 'h', 'd'])
            .is_some_and(|number| digits(number) && number.chars().any(|letter| letter != '0')),
        "^-?[0-9]+(\\.[0-9]{1,6})?$" => {
            let number = text.strip_prefix('-').unwrap_or(text);
            match number.split_once('.') {
                Some((whole, fraction)) => digits(whole) && digits(fraction) && fraction.len() <= 6,
                None => digits(number),
            }
        }
        other => panic!("{other}"),
    }
}
