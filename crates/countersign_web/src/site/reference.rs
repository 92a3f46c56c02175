//! `/docs/api`: the description of the API as a page to read, and `/problems/{code}`.

use axum::extract::State;
use serde_json::Value;

use super::{Answer, Browser, html, public_frame};
use crate::Web;
use crate::body::Path;
use crate::pages::{ApiAnswer, ApiGroup, ApiOperation, ApiPage, ApiParameter, ProblemPage};
use crate::problem::Problem;
use crate::problems;

/// `GET /docs/api`
pub async fn page(State(web): State<Web>, browser: Browser) -> Answer {
    let document: Value = serde_json::from_str(&web.openapi).unwrap_or_default();
    html(&ApiPage {
        frame: public_frame(&web, &browser),
        version: text(&document, "/info/version"),
        introduction: vec![text(&document, "/info/description")],
        groups: groups(&document),
    })
}

/// `GET /problems/{code}`
pub async fn problem(State(web): State<Web>, browser: Browser, Path(code): Path<String>) -> Answer {
    let explained = problems::explanation(&code).ok_or_else(Problem::nothing_here)?;
    html(&ProblemPage {
        frame: public_frame(&web, &browser),
        explained: *explained,
    })
}

fn groups(document: &Value) -> Vec<ApiGroup> {
    let mut groups: Vec<ApiGroup> = Vec::new();
    for (path, methods) in document
        .get("paths")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        for (method, operation) in methods.as_object().into_iter().flatten() {
            let tag = text(operation, "/tags/0");
            let shown = one(document, path, method, operation);
            match groups.iter_mut().find(|group| group.name == tag) {
                Some(group) => group.operations.push(shown),
                None => groups.push(ApiGroup {
                    name: tag,
                    description: String::new(),
                    operations: vec![shown],
                }),
            }
        }
    }
    groups
}

fn one(document: &Value, path: &str, method: &str, operation: &Value) -> ApiOperation {
    let parameters = operation
        .get("parameters")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let answers = operation
        .get("responses")
        .and_then(Value::as_object)
        .into_iter()
        .flatten();
    let who: Vec<String> = operation
        .get("security")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_object)
        .flat_map(|scheme| scheme.keys().map(|name| format!("{name} token")))
        .collect();
    ApiOperation {
        id: text(operation, "/operationId"),
        method: method.to_uppercase(),
        path: path.to_owned(),
        summary: text(operation, "/summary"),
        description: text(operation, "/description"),
        who: if who.is_empty() {
            "anyone".to_owned()
        } else {
            who.join(" or ")
        },
        parameters: parameters
            .map(|parameter| ApiParameter {
                name: text(parameter, "/name"),
                place: text(parameter, "/in"),
                required: parameter
                    .get("required")
                    .and_then(Value::as_bool)
                    .unwrap_or(false),
                description: text(parameter, "/description"),
            })
            .collect(),
        body: operation
            .pointer("/requestBody/content/application~1json/schema")
            .map(|schema| example(document, schema)),
        answers: answers
            .map(|(status, answer)| ApiAnswer {
                status: if status == "default" {
                    "otherwise".to_owned()
                } else {
                    status.clone()
                },
                description: text(answer, "/description"),
                body: answer
                    .pointer("/content/application~1json/schema")
                    .map(|schema| example(document, schema)),
            })
            .collect(),
    }
}

/// An example made of a schema: its own examples where it has them, otherwise a value of its type.
fn example(document: &Value, schema: &Value) -> String {
    serde_json::to_string_pretty(&value_of(document, schema, 6)).unwrap_or_default()
}

fn value_of(document: &Value, schema: &Value, depth: u8) -> Value {
    if depth == 0 {
        return Value::Null;
    }
    if let Some(example) = schema
        .get("example")
        .or_else(|| schema.pointer("/examples/0"))
    {
        return example.clone();
    }
    if let Some(name) = schema
        .get("$ref")
        .and_then(Value::as_str)
        .and_then(|path| path.strip_prefix("#/components/schemas/"))
    {
        return document
            .pointer(&format!("/components/schemas/{name}"))
            .map_or(Value::Null, |schema| value_of(document, schema, depth - 1));
    }
    let kind = schema.get("type").and_then(|kind| {
        kind.as_str()
            .or_else(|| kind.pointer("/0").and_then(Value::as_str))
    });
    match kind {
        Some("object") => {
            let properties = schema
                .get("properties")
                .and_then(Value::as_object)
                .into_iter()
                .flatten();
            Value::Object(
                properties
                    .map(|(name, schema)| (name.clone(), value_of(document, schema, depth - 1)))
                    .collect(),
            )
        }
        Some("array") => Value::Array(
            schema
                .get("items")
                .map(|items| value_of(document, items, depth - 1))
                .into_iter()
                .collect(),
        ),
        Some("integer" | "number") => 0.into(),
        Some("boolean") => false.into(),
        Some("string") => "…".into(),
        _ => Value::Null,
    }
}

fn text(value: &Value, pointer: &str) -> String {
    value
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}
