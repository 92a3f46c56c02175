//! Reconciling a log in the form of the sample panel with a million grants, beside reading its lines as JSON values alone.

use std::collections::BTreeMap;

use countersign_service::reconcile::{Granted, LogForm, Mapping, Reconciler};

use crate::timing::{Measured, time, verdict};

const GRANTS: i64 = 1_000_000;
const LINES: i64 = 1_000_000;
const AT: i64 = 1_795_428_000_000;

pub(crate) fn run() -> Measured {
    let grants = (0..GRANTS).map(|n| Granted {
        id: format!("grant-{n:016}"),
        action: "server.reinstall".to_owned(),
        customer: format!("customer-{}", n % 50_000),
        parameters: BTreeMap::from([("server".to_owned(), format!("web-{n}"))]),
        issued_ms: AT + n * 1_000,
        until_ms: AT + n * 1_000 + 120_000,
    });
    let actions = [("server.reinstall".to_owned(), vec!["server".to_owned()])];
    let mapping = Mapping {
        parameters: [("server".to_owned(), "parameters.server".to_owned())].into(),
        ..Mapping::default()
    };
    let (took, mut reconciler) = time(|| Reconciler::new(mapping, 300, &actions, grants));
    println!("{GRANTS} grants made ready in {:.2} s", took.as_secs_f64());
    let mut log = String::new();
    for n in 0..LINES {
        // Every second line names its grant; the others are known by what was done.
        let grant = if n % 2 == 0 {
            format!("\"grant\":\"grant-{n:016}\",")
        } else {
            String::new()
        };
        let line = format!(
            "{{\"at\":{},\"action\":\"server.reinstall\",\"customer\":\"customer-{}\",{grant}\"parameters\":{{\"server\":\"web-{n}\"}},\"node\":\"eu-7\",\"ms\":412}}\n",
            AT + n * 1_000 + 1_500,
            n % 50_000,
        );
        log.push_str(&line);
    }
    let (took, ()) = time(|| {
        reconciler.begin(LogForm::JsonLines);
        for chunk in log.as_bytes().chunks(1 << 20) {
            reconciler.feed(chunk);
        }
        reconciler.end();
    });
    let done = reconciler.finish();
    if done.covered != LINES.unsigned_abs() {
        return Err(format!("{} of {LINES} lines were covered", done.covered).into());
    }
    let (bare, read) = time(|| {
        let lines = log.lines();
        lines
            .filter(|line| serde_json::from_str::<serde_json::Value>(line).is_ok())
            .count()
    });
    if read != log.lines().count() {
        return Err("a line is no JSON".into());
    }
    #[expect(clippy::cast_precision_loss, reason = "a rate")]
    let rate = LINES as f64 / took.as_secs_f64();
    println!(
        "{LINES} lines of {} MB in {:.2} s: {rate:.0} lines a second on one core (goal 200,000: {})",
        log.len() >> 20,
        took.as_secs_f64(),
        verdict(rate >= 200_000.0)
    );
    println!(
        "reading the same lines as JSON values alone: {:.2} s; ours takes {:.2} times as long",
        bare.as_secs_f64(),
        took.as_secs_f64() / bare.as_secs_f64()
    );
    Ok(())
}
