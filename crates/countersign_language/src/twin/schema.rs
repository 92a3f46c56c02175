//! The JSON Schema (2020-12) of the twin.

use serde_json::{Value, json};

use crate::model::Method;

/// The JSON Schema of the twin, pretty-printed; also at `docs/generated/procedure.schema.json`.
///
/// It describes the shape; whether the names in it are declared and the
/// procedure makes sense is for [`crate::read_json`] to say.
pub fn json_schema() -> String {
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "https://countersign.example/procedure.schema.json",
        "title": "Procedure",
        "description": "The JSON twin of a procedure file.",
        "type": "object",
        "properties": {
            "organisation": text("The company's name, as customers read it."),
            "staff": list("Staff roles.", "role"),
            "holdings": list("What customers have and thieves may get.", "holding"),
            "proofs": list("Ways to show a holding. A secret or state is its own proof and needs none.", "proof"),
            "losses": list("What must never happen to an honest customer.", "loss"),
            "actions": list("Operations on one customer's account.", "action"),
            "drills": list("Planted cases that a careful colleague refuses.", "drill"),
            "promises": list("Claims about this procedure that are proved.", "promise"),
        },
        "required": ["organisation"],
        "additionalProperties": false,
        "$defs": {
            "name": { "type": "string", "pattern": "^[a-z][a-z0-9_]*$" },
            "dotted_name": { "type": "string", "pattern": "^[a-z][a-z0-9_]*(\\.[a-z][a-z0-9_]*)*$" },
            "words": { "type": "string", "pattern": "\\S" },
            "duration": {
                "description": "Minutes, hours or days.",
                "type": "string",
                "pattern": "^0*[1-9][0-9]*[mhd]$",
            },
            "count": { "type": "integer", "minimum": 1, "maximum": u32::MAX },
            "decimal": { "type": "string", "pattern": "^-?[0-9]+(\\.[0-9]{1,6})?$" },
            "method": { "enum": Method::ALL.map(Method::as_str) },
            "role": object(
                json!({ "name": name(), "label": words(), "includes": names("Roles this one may act as.", 0) }),
                &["label", "name"],
            ),
            "holding": object(
                json!({
                    "kind": { "enum": ["secret", "channel", "device", "state"] },
                    "name": name(),
                    "label": words(),
                    "using": reference("method"),
                    "public": { "description": "Costs a thief nothing.", "const": true },
                    "visible_to": dotted(),
                }),
                &["kind", "label", "name"],
            ),
            "proof": object(
                json!({ "name": name(), "label": words(), "shows": dotted(), "using": reference("method") }),
                &["label", "name", "shows", "using"],
            ),
            "loss": object(json!({ "name": name(), "label": words() }), &["label", "name"]),
            "action": object(
                json!({
                    "name": dotted(),
                    "label": words(),
                    "outside": { "description": "Happens outside the gate: for the proofs only.", "const": true },
                    "parameters": { "type": "array", "items": object(json!({ "name": name(), "label": words() }), &["label", "name"]) },
                    "says": text("The sentence people see and sign; `{name}` stands for a parameter."),
                    "opened_by": names("`customer` or roles; both where it is left out.", 1),
                    "effects": { "type": "array", "items": reference("effect") },
                    "runs": dotted(),
                    "expires": reference("duration"),
                    "paths": list("The alternative ways to earn it.", "path"),
                }),
                &["label", "name", "paths"],
            ),
            "effect": { "oneOf": [
                object(json!({ "gives": dotted() }), &["gives"]),
                object(json!({ "changes": dotted() }), &["changes"]),
                object(json!({ "sends": dotted(), "to": dotted() }), &["sends", "to"]),
                object(json!({ "loses": dotted() }), &["loses"]),
            ] },
            "path": object(json!({ "name": name(), "lines": list("All of these must hold.", "requirement") }), &["lines", "name"]),
            "requirement": { "oneOf": [
                object(json!({ "prove": reference("expression") }), &["prove"]),
                object(json!({ "confirms": words(), "role": dotted() }), &["confirms", "role"]),
                object(json!({ "sign_off": reference("count"), "role": dotted() }), &["role", "sign_off"]),
                object(
                    json!({ "notify": { "oneOf": [{ "const": "every channel" }, names("Channels.", 1)] } }),
                    &["notify"],
                ),
                object(json!({ "wait": reference("duration") }), &["wait"]),
                object(
                    json!({
                        "backup": { "enum": ["exists", "verified", "restored"] },
                        "within": reference("duration"),
                        "places": reference("count"),
                    }),
                    &["backup", "within"],
                ),
                object(
                    json!({
                        "when": dotted(),
                        "comparison": { "enum": ["is", "is not", "<", "<=", ">", ">="] },
                        "number": reference("decimal"),
                    }),
                    &["comparison", "number", "when"],
                ),
                object(
                    json!({ "when": dotted(), "comparison": { "enum": ["is", "is not"] }, "text": { "type": "string" } }),
                    &["comparison", "text", "when"],
                ),
                object(
                    json!({
                        "at_most": reference("count"),
                        "per": reference("duration"),
                        "scope": { "enum": ["customer", "staff"] },
                    }),
                    &["at_most", "per", "scope"],
                ),
            ] },
            "expression": { "oneOf": [
                dotted(),
                object(json!({ "proof": dotted(), "settled": reference("duration") }), &["proof", "settled"]),
                object(json!({ "and": expressions(2) }), &["and"]),
                object(json!({ "or": expressions(2) }), &["or"]),
                object(json!({ "n": reference("count"), "of": expressions(1) }), &["n", "of"]),
            ] },
            "drill": object(
                json!({
                    "action": dotted(),
                    "plays": names("Scenarios.", 1),
                    "asks": names("Roles whose answers count.", 1),
                    "every": reference("duration"),
                }),
                &["action", "asks", "every", "plays"],
            ),
            "promise": { "oneOf": [
                object(
                    json!({
                        "text": words(),
                        "even_if": { "type": "array", "items": reference("assumption") },
                        "never": names("Losses or actions.", 1),
                    }),
                    &["never", "text"],
                ),
                object(
                    json!({
                        "text": words(),
                        "without": names("Holdings the customer has lost.", 0),
                        "always": dotted(),
                        "within": reference("duration"),
                    }),
                    &["always", "text"],
                ),
            ] },
            "assumption": { "oneOf": [
                object(
                    json!({ "count": reference("count"), "kind": { "enum": ["secret", "channel", "device"] } }),
                    &["count", "kind"],
                ),
                object(json!({ "holding": dotted() }), &["holding"]),
                object(json!({ "count": reference("count"), "role": dotted() }), &["count", "role"]),
                object(json!({ "any": dotted() }), &["any"]),
                object(json!({ "notices": { "const": "unread" } }), &["notices"]),
            ] },
        },
    });
    format!("{schema:#}\n")
}

fn reference(definition: &str) -> Value {
    json!({ "$ref": format!("#/$defs/{definition}") })
}

fn name() -> Value {
    reference("name")
}

fn dotted() -> Value {
    reference("dotted_name")
}

fn words() -> Value {
    reference("words")
}

fn text(description: &str) -> Value {
    json!({ "description": description, "$ref": "#/$defs/words" })
}

fn list(description: &str, of: &str) -> Value {
    json!({ "description": description, "type": "array", "items": reference(of) })
}

fn names(description: &str, least: u32) -> Value {
    json!({ "description": description, "type": "array", "items": dotted(), "minItems": least })
}

fn expressions(least: u32) -> Value {
    json!({ "type": "array", "items": reference("expression"), "minItems": least })
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "reads better where it is called"
)]
fn object(properties: Value, required: &[&str]) -> Value {
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}
