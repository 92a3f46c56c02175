//! What came to the backends, and what the gate says became of it, against what they really did.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;

use super::{
    Attempt, Books, Findings,
    life::{Life, Stage, outcome, text},
};

pub(super) fn check(books: &Books, lives: &[Life<'_>], found: &mut Findings) {
    let by_grant: BTreeMap<String, &Life<'_>> = lives
        .iter()
        .flat_map(|life| life.grants().into_iter().map(move |(id, _)| (id, life)))
        .collect();
    let mut sent: BTreeMap<&str, Vec<&Attempt>> = BTreeMap::new();
    for attempt in &books.attempts {
        sent.entry(&attempt.jti).or_default().push(attempt);
        match by_grant.get(&attempt.jti) {
            Some(life) => handed_over(life, attempt, found),
            None => found.unless(false, 2, || {
                format!(
                    "grant {} came to a backend, and no case made it",
                    attempt.jti
                )
            }),
        }
    }
    for (jti, attempts) in sent {
        let after_one_that_left = attempts
            .iter()
            .skip_while(|attempt| attempt.not_sent)
            .count();
        found.unless(after_one_that_left <= 1, 9, || {
            format!("grant {jti} was sent again after it may have arrived")
        });
    }
    let mut done: BTreeMap<&str, usize> = BTreeMap::new();
    for one in &books.done {
        *done.entry(&one.jti).or_default() += 1;
    }
    for (jti, times) in &done {
        found.unless(*times == 1, 9, || {
            format!("grant {jti} was run {times} times")
        });
    }
    for (jti, life) in &by_grant {
        told_truly(life, done.contains_key(jti.as_str()), found);
    }
}

/// What came is what was granted, it was handed over before it left, and nobody had stopped it.
fn handed_over(life: &Life<'_>, attempt: &Attempt, found: &mut Findings) {
    let claims = claims_of(&attempt.jws).unwrap_or_default();
    let detail = claims.pointer("/authorization_details/0");
    let parameters = serde_json::to_value(&life.parameters).unwrap_or_default();
    let same = text(detail, "action") == life.action.name
        && text(detail, "digest") == life.digest
        && detail.and_then(|detail| detail.get("parameters")) == Some(&parameters)
        && text(Some(&claims), "sub") == life.customer
        && Some(text(Some(&claims), "aud")) == life.action.runs
        && text(Some(&claims), "jti") == attempt.jti;
    found.unless(same, 3, || {
        format!("{}: the grant that came is for something else", life.case)
    });
    let before = life
        .of_kind("case.handed_over")
        .any(|event| event.position <= attempt.position);
    found.unless(before, 7, || {
        format!("{}: a grant left that was not handed over", life.case)
    });
    let stage = life.state_before(attempt.position + 1);
    found.unless(
        !matches!(
            stage,
            Stage::Stopped | Stage::Withdrawn | Stage::Refused | Stage::Expired
        ),
        7,
        || format!("{}: a grant left, and the case was {stage:?}", life.case),
    );
}

/// Done is done, failed is not done, and what was stopped or refused never happened.
fn told_truly(life: &Life<'_>, done: bool, found: &mut Findings) {
    if life.action.runs.as_deref() == Some("gate") {
        return;
    }
    let stage = life.state_in_the_end();
    let true_to_it = match stage {
        Stage::Done => done,
        Stage::Failed | Stage::Stopped | Stage::Withdrawn | Stage::Granted | Stage::Live => !done,
        _ => true,
    };
    found.unless(true_to_it, 9, || {
        format!(
            "{}: its events end as {stage:?}, and at the backend it was {}",
            life.case,
            if done { "done" } else { "not done" }
        )
    });
    let said: Vec<&str> = life.of_kind("case.concluded").map(outcome).collect();
    found.unless(said.len() <= 2, 9, || {
        format!("{}: concluded as {said:?}", life.case)
    });
}

fn claims_of(jws: &str) -> Option<Value> {
    let payload = jws.split('.').nth(1)?;
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
}
