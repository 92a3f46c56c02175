//! Answers as JSON, in the shapes of DESIGN §5.

use countersign_language::{HoldingId, Procedure, Span, Target};
use serde_json::{Value, json};

use crate::{
    Attacks, Lockout, Missing, Reach, Repair, Step, Verdict, Way, What, names, target_name,
};

/// The `promises` of `check`: `[{"text", "kept", "attack": {"set", "steps"} | null}]`, in file order.
///
/// A step is `{"text", "line"}`, where it asks for an action also `"action"` and `"path"`.
/// A broken `always` also has `"missing": [{"text", "line"}]`. `source` is the
/// procedure's text, for line numbers from 1; null without it.
pub fn promises(procedure: &Procedure, verdicts: &[Verdict], source: Option<&str>) -> Value {
    let promise = |verdict: &Verdict| {
        let attack = verdict.attack.as_ref().map(
            |attack| json!({ "set": attack.set, "steps": steps(procedure, &attack.steps, source) }),
        );
        let mut value = json!({ "text": verdict.text, "kept": verdict.kept, "attack": attack });
        if let (false, Some(object)) = (verdict.missing.is_empty(), value.as_object_mut()) {
            object.insert("missing".to_owned(), missing(&verdict.missing, source));
        }
        value
    };
    verdicts.iter().map(promise).collect()
}

/// `{"on", "at_most", "complete", "sets"}`. Several targets make `on` a list.
///
/// Only where a limit was reached: `"complete": false` and `"complete_to"`, the
/// size up to which nothing is missing.
pub fn attacks(procedure: &Procedure, attacks: &Attacks) -> Value {
    let mut value = json!({
        "on": on(procedure, &attacks.on),
        "at_most": attacks.at_most,
        "complete": attacks.complete(),
        "sets": attacks.names,
    });
    if let (false, Some(object)) = (attacks.complete(), value.as_object_mut()) {
        object.insert("complete_to".to_owned(), json!(attacks.complete_to));
    }
    value
}

/// `{"with", "actions": [{"action", "path"}], "own", "new", "losses"}`.
pub fn reach(procedure: &Procedure, reach: &Reach) -> Value {
    let actions: Vec<Value> = reach
        .actions
        .iter()
        .filter_map(|&(action, path)| {
            let action = procedure.actions.get(action.index())?;
            Some(json!({ "action": action.name, "path": action.paths.get(path.index())?.name }))
        })
        .collect();
    let losses: Vec<&str> = reach
        .losses
        .iter()
        .map(|&loss| target_name(procedure, Target::Loss(loss)))
        .collect();
    json!({
        "with": names(procedure, &reach.with),
        "actions": actions,
        "own": holdings(procedure, &reach.own),
        "new": holdings(procedure, &reach.new),
        "losses": losses,
    })
}

/// `{"without", "actions": [{"action", "possible", "within", "steps", "missing"}]}`; `within` in seconds, null where locked out.
pub fn lockout(procedure: &Procedure, lockout: &Lockout, source: Option<&str>) -> Value {
    let actions: Vec<Value> = lockout
        .actions
        .iter()
        .map(|access| {
            let told = |way: &Way| steps(procedure, &way.steps, source);
            json!({
                "action": target_name(procedure, Target::Action(access.action)),
                "possible": access.way.is_some(),
                "within": access.way.as_ref().map(|way| way.seconds),
                "steps": access.way.as_ref().map_or_else(|| json!([]), told),
                "missing": missing(&access.missing, source),
            })
        })
        .collect();
    json!({ "without": holdings(procedure, &lockout.without), "actions": actions })
}

/// `[{"change", "action", "path", "line", "ends", "of", "left", "sets", "keeps_honest"}]`, the best first.
pub fn repairs(procedure: &Procedure, repairs: &[Repair], source: Option<&str>) -> Value {
    let repair = |repair: &Repair| {
        let action = procedure.actions.get(repair.action.index());
        json!({
            "change": repair.text,
            "action": action.map(|action| &action.name),
            "path": action.and_then(|action| action.paths.get(repair.path.index())).map(|path| &path.name),
            "line": line(source, repair.span),
            "ends": repair.ends,
            "of": repair.of,
            "left": repair.left.len(),
            "sets": repair.left,
            "locks_out": repair.locks_out,
        })
    };
    repairs.iter().map(repair).collect()
}

fn steps(procedure: &Procedure, steps: &[Step], source: Option<&str>) -> Value {
    let step = |step: &Step| {
        let mut value = json!({ "text": step.text, "line": line(source, step.span) });
        if let (What::Act { action, path, .. }, Some(object)) = (&step.what, value.as_object_mut())
            && let Some(action) = procedure.actions.get(action.index())
        {
            object.insert("action".to_owned(), json!(action.name));
            object.insert(
                "path".to_owned(),
                json!(action.paths.get(path.index()).map(|path| &path.name)),
            );
        }
        value
    };
    steps.iter().map(step).collect()
}

fn missing(missing: &[Missing], source: Option<&str>) -> Value {
    missing
        .iter()
        .map(|missing| json!({ "text": missing.text, "line": line(source, missing.span) }))
        .collect()
}

fn on(procedure: &Procedure, on: &[Target]) -> Value {
    match on {
        [one] => json!(target_name(procedure, *one)),
        many => many
            .iter()
            .map(|&target| target_name(procedure, target))
            .collect(),
    }
}

fn holdings<'a>(procedure: &'a Procedure, ids: &[HoldingId]) -> Vec<&'a str> {
    ids.iter()
        .filter_map(|id| procedure.holdings.get(id.index()))
        .map(|holding| holding.name.as_str())
        .collect()
}

/// Line of a place, from 1; none for a place that is nowhere in the text.
fn line(source: Option<&str>, span: Span) -> Option<usize> {
    let before = source?.get(..span.start as usize)?;
    (span != Span::default()).then(|| 1 + before.matches('\n').count())
}
