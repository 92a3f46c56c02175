//! Asks the prover one question in a process of its own, and prints one line of JSON, as `peer/ask.py` does for clingo.
//!
//! A process of its own has a peak of memory that means something, and can be
//! ended wherever it is.

use std::time::Duration;

use countersign_language::{
    Assumption, Claim, HoldingId, HoldingKind, LossId, Procedure, Promise, Span, Target,
};
use countersign_prover::{Compromise, Limits, Reach, Reacher, System, check};
use countersign_testkit::naive::Dice;
use serde_json::{Value, json};

use crate::{
    clock::{self, least, time},
    frog::Pairs,
    price::Prices,
    rules::Rules,
};

/// What every question here is about.
pub(crate) const ON: Target = Target::Loss(LossId(0));

type Failure = Box<dyn std::error::Error>;

/// `QUESTION FILE`.
pub(crate) fn answer(arguments: &[String]) -> Result<String, Failure> {
    let [question, file] = arguments else {
        return Err("answer QUESTION FILE".into());
    };
    let text = std::fs::read_to_string(file)?;
    let (name, argument) = question.split_once(':').unwrap_or((question, ""));
    let answer = match name {
        "attacks" => {
            let at_most: usize = argument.parse()?;
            asked(&text, |procedure, parts| attacks(procedure, parts, at_most))?
        }
        "cheapest" => {
            let prices = Prices(argument.parse()?);
            asked(&text, |procedure, parts| cheapest(procedure, parts, prices))?
        }
        "promise" => {
            let limits: Vec<u32> = argument
                .split(',')
                .map(str::parse)
                .collect::<Result<_, _>>()?;
            asked(&text, |procedure, parts| promise(procedure, parts, &limits))?
        }
        "reach" => reach(&text)?,
        _ => return Err(format!("unknown question `{name}`").into()),
    };
    Ok(answer.to_string())
}

/// The procedure, or the first mistakes in the text.
pub(crate) fn procedure(text: &str) -> Result<Procedure, Failure> {
    let checked = countersign_language::check(text);
    checked.procedure.ok_or_else(|| {
        let first: Vec<&str> = checked
            .diagnostics
            .iter()
            .map(|diagnostic| diagnostic.message.as_str())
            .take(3)
            .collect();
        format!("the generated procedure is not valid: {first:?}").into()
    })
}

/// Times of the parts of one answer.
type Parts = Vec<(&'static str, Duration)>;

/// From the text to the answer, up to five times; the middle one counts.
fn asked(text: &str, question: impl Fn(&Procedure, &mut Parts) -> Value) -> Result<Value, Failure> {
    let mut runs: Vec<Parts> = Vec::new();
    let mut megabytes = None;
    let total = |run: &Parts| run.iter().map(|(_, took)| *took).sum::<Duration>();
    loop {
        let mut parts = Parts::new();
        let (took, procedure) = time(|| procedure(text));
        parts.push(("read", took));
        let answer = question(&procedure?, &mut parts);
        megabytes = megabytes.or_else(clock::peak_megabytes);
        runs.push(parts);
        if runs.len() == 5 || runs.iter().map(total).sum::<Duration>() >= Duration::from_secs(1) {
            runs.sort_by_key(total);
            let times: Value = runs[runs.len() / 2]
                .iter()
                .map(|(part, took)| ((*part).to_owned(), json!(took.as_secs_f64())))
                .collect::<serde_json::Map<_, _>>()
                .into();
            return Ok(json!({"times": times, "megabytes": megabytes, "answer": answer}));
        }
    }
}

fn attacks(procedure: &Procedure, parts: &mut Parts, at_most: usize) -> Value {
    let (took, system) = time(|| System::compile(procedure));
    parts.push(("compile", took));
    let (took, attacks) = time(|| system.attacks(procedure, &[ON], at_most, Limits::default()));
    parts.push(("answer", took));
    json!({"complete_to": attacks.complete_to, "sets": attacks.names})
}

fn cheapest(procedure: &Procedure, parts: &mut Parts, prices: Prices) -> Value {
    let (took, system) = time(|| System::compile(procedure));
    parts.push(("compile", took));
    let (took, found) = time(|| {
        system.cheapest(procedure, &[ON], |compromise| {
            prices.of(procedure, compromise)
        })
    });
    parts.push(("answer", took));
    found.map_or(
        Value::Null,
        |found| json!({"cost": found.price, "proved": found.proved}),
    )
}

fn promise(procedure: &Procedure, parts: &mut Parts, limits: &[u32]) -> Value {
    let mut procedure = procedure.clone();
    procedure.promises = vec![budgeted(limits)];
    // Compiles too.
    let (took, verdicts) = time(|| check(&procedure));
    parts.push(("answer", took));
    let verdict = &verdicts[0];
    json!({"kept": verdict.kept, "decided": verdict.kept || verdict.attack.is_some()})
}

/// Never, even if so many secrets are stolen, channels hijacked, devices taken.
pub(crate) fn budgeted(limits: &[u32]) -> Promise {
    let kinds = [
        HoldingKind::Secret,
        HoldingKind::Channel,
        HoldingKind::Device,
    ];
    let even_if = limits
        .iter()
        .zip(kinds)
        .filter(|&(&count, _)| count > 0)
        .map(|(&count, kind)| Assumption::AnyOfKind { count, kind })
        .collect();
    Promise {
        text: "measured".to_owned(),
        claim: Claim::Never {
            even_if,
            targets: vec![ON],
        },
        span: Span::default(),
    }
}

/// Ours and datafrog in one process, everything in memory before the clock runs.
fn reach(text: &str) -> Result<Value, Failure> {
    let (read, procedure) = time(|| procedure(text));
    let procedure = procedure?;
    let (compile, system) = time(|| System::compile(&procedure));
    let rules = Rules::of(&procedure);
    let pairs = Pairs::of(&rules);
    let (frog_build, frog) = time(|| pairs.relations());
    let all: Vec<usize> = (0..rules.primitives.len()).collect();
    let everything = rules.compromises(&all);
    let facts =
        |set: &[usize]| -> Vec<u32> { set.iter().map(|&at| rules.primitives[at].1).collect() };
    let start = facts(&all);
    let mut reacher = Reacher::new(&system);
    reacher.ask(&system, &everything);
    let enough = Duration::from_millis(300);
    let (full, reached) = least(enough, || reacher.ask(&system, &everything));
    let (frog_full, followed) = least(enough, || frog.closure(&start));
    let mut agree = same(
        &rules,
        &followed,
        &everything,
        &reacher.answer(&system, &everything),
    );

    let holdings: Vec<usize> = all
        .iter()
        .copied()
        .filter(|&at| matches!(rules.compromises(&[at])[..], [Compromise::Holding(_)]))
        .collect();
    let mut dice = Dice(7);
    let threes: Vec<Vec<usize>> = (0..256)
        .map(|_| (0..3).map(|_| *dice.pick(&holdings)).collect())
        .collect();
    let questions: Vec<Vec<Compromise>> = threes.iter().map(|set| rules.compromises(set)).collect();
    let starts: Vec<Vec<u32>> = threes.iter().map(|set| facts(set)).collect();
    for (with, start) in questions.iter().zip(&starts) {
        reacher.ask(&system, with);
        let answer = reacher.answer(&system, with);
        agree &= same(&rules, &frog.closure(start), with, &answer);
    }
    let (three, _) = least(enough, || {
        questions
            .iter()
            .map(|with| reacher.ask(&system, with))
            .sum::<usize>()
    });
    let (frog_three, _) = least(enough, || {
        starts
            .iter()
            .map(|start| frog.closure(start).len())
            .sum::<usize>()
    });
    let each = |time: Duration| time.as_secs_f64() / 256.0;
    Ok(json!({
        "times": {"read": read.as_secs_f64(), "compile": compile.as_secs_f64()},
        "megabytes": clock::peak_megabytes(),
        "answer": {
            "agree": agree,
            "reached": reached,
            "full": full.as_secs_f64(),
            "three": each(three),
            "frog_build": frog_build.as_secs_f64(),
            "frog_full": frog_full.as_secs_f64(),
            "frog_three": each(frog_three),
        },
    }))
}

/// Whether the two reached the same holdings, actions and losses.
fn same(rules: &Rules, followed: &[u32], with: &[Compromise], reach: &Reach) -> bool {
    let held = |fact: &u32| followed.binary_search(fact).is_ok();
    let numbers = |facts: &[u32]| -> Vec<u32> {
        facts
            .iter()
            .zip(0..)
            .filter(|(fact, _)| held(fact))
            .map(|(_, at)| at)
            .collect()
    };
    let new: Vec<u32> = rules
        .new
        .iter()
        .zip(0..)
        .filter(|(fact, _)| fact.as_ref().is_some_and(held))
        .map(|(_, at)| at)
        .collect();
    let mut own = numbers(&rules.own);
    own.retain(|&at| !with.contains(&Compromise::Holding(HoldingId(at))));
    let of = |ids: &mut dyn Iterator<Item = u32>| ids.collect::<Vec<u32>>();
    own == of(&mut reach.own.iter().map(|id| id.0))
        && new == of(&mut reach.new.iter().map(|id| id.0))
        && numbers(&rules.actions) == of(&mut reach.actions.iter().map(|(id, _)| id.0))
        && numbers(&rules.losses) == of(&mut reach.losses.iter().map(|id| id.0))
}
