//! Logs of a made-up backend, line by line.

use std::collections::BTreeMap;

use super::*;

const AT: i64 = 1_795_428_000_000;

fn actions() -> Vec<(String, Vec<String>)> {
    vec![
        (
            "server.reinstall".to_owned(),
            vec!["server".to_owned(), "image".to_owned()],
        ),
        ("email.change".to_owned(), vec!["address".to_owned()]),
    ]
}

fn grant(n: i64) -> Granted {
    Granted {
        id: format!("grant-{n}"),
        action: "server.reinstall".to_owned(),
        customer: format!("c-{n}"),
        parameters: [
            ("server", format!("web-{n}")),
            ("image", "debian".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into(),
        issued_ms: AT + n * 60_000,
        until_ms: AT + n * 60_000 + 120_000,
    }
}

fn mapping() -> Mapping {
    Mapping {
        parameters: BTreeMap::from([("server".to_owned(), "target".to_owned())]),
        ignore: ["ping".to_owned()].into(),
        actions: BTreeMap::from([("srv.wipe".to_owned(), "server.reinstall".to_owned())]),
        ..Mapping::default()
    }
}

fn run(log: &str) -> Reconciliation {
    let mut reconciler = Reconciler::new(mapping(), 60, &actions(), (0..10).map(grant));
    reconciler.begin(LogForm::JsonLines);
    // In pieces of an odd size, as they come over a network.
    for chunk in log.as_bytes().chunks(37) {
        reconciler.feed(chunk);
    }
    reconciler.end();
    reconciler.finish()
}

fn line(n: i64, more: &str) -> String {
    format!(
        "{{\"at\":{},\"action\":\"server.reinstall\",\"customer\":\"c-{n}\",\"target\":\"web-{n}\"{more}}}\n",
        AT + n * 60_000 + 5_000
    )
}

#[test]
fn a_line_is_covered_by_its_grant_or_by_the_same_deed_at_the_same_time() {
    let log = line(0, ",\"grant\":\"grant-0\"")
        + &line(1, "")
        + &line(2, "").replace("server.reinstall", "srv.wipe");
    let done = run(&log);
    assert_eq!((done.lines, done.covered, done.uncovered), (3, 3, 0));
    let offset = done.offset.unwrap();
    assert_eq!(
        (offset.least_ms, offset.mean_ms, offset.most_ms),
        (5_000, 5_000, 5_000)
    );
    assert_eq!(done.actions[0].covered, 3);
    // Those of the third minute on are none of the log's time.
    assert_eq!(done.grants_without_a_line, 0);
    assert_eq!(done.adherence.unwrap().of, 3);
}

#[test]
fn a_grant_covers_one_line_and_only_what_it_says() {
    let reason = |line: String| {
        let done = run(&line);
        assert_eq!(done.uncovered, 1, "{line}");
        done.first_uncovered[0].reason.clone()
    };
    let with = ",\"grant\":\"grant-1\"";
    assert_eq!(
        reason(line(1, with) + &line(1, &format!("{with},\"n\":2"))),
        "used-before"
    );
    assert_eq!(reason(line(1, "") + &line(1, ",\"n\":2")), "used-before");
    assert_eq!(reason(line(2, with)), "another-customer");
    assert_eq!(
        reason(line(1, with).replace("web-1", "web-9")),
        "other-parameters"
    );
    assert_eq!(
        reason(line(1, with).replace("server.reinstall", "email.change")),
        "another-action"
    );
    assert_eq!(reason(line(1, "").replace("web-1", "web-9")), "no-grant");
    assert_eq!(
        reason(line(1, "").replace("\"customer\":\"c-1\",", "")),
        "no-grant"
    );
    let late = line(1, with).replace(&(AT + 65_000).to_string(), &(AT + 900_000).to_string());
    assert_eq!(reason(late.clone()), "another-time");
    assert_eq!(reason(late.replace(with, "")), "no-grant");
    let early = line(1, with).replace(&(AT + 65_000).to_string(), &(AT - 60_000).to_string());
    assert_eq!(reason(early), "another-time");
}

#[test]
fn clocks_may_differ_within_the_window() {
    let behind = line(5, "").replace(&(AT + 305_000).to_string(), &(AT + 245_000).to_string());
    let done = run(&behind);
    assert_eq!(done.covered, 1);
    assert_eq!(done.offset.unwrap().least_ms, -55_000);
}

#[test]
fn nothing_is_dropped() {
    let log = format!(
        "{}{}{}\n\n  \n{{\"at\":\"yesterday\",\"action\":\"x\"}}\nnot json\n{{\"action\":\"x\"}}\n{}{}{}",
        line(1, ""),
        line(1, ""),
        "[1]",
        "{\"at\":\"2026-11-23T10:00:00Z\",\"action\":\"login\"}\n",
        "{\"at\":\"2026-11-23T10:00:00Z\",\"action\":\"ping\"}\n",
        line(3, ",\"grant\":\"of-another-gate\"")
    );
    let done = run(&log);
    let sum = done.covered
        + done.uncovered
        + done.unknown
        + done.repeated
        + done.ignored
        + done.unreadable;
    assert_eq!((done.lines, sum), (9, 9));
    assert_eq!(
        (done.covered, done.repeated, done.unknown, done.ignored),
        (1, 1, 2, 1)
    );
    let unreadable: Vec<u64> = done.first_unreadable.iter().map(|line| line.line).collect();
    assert_eq!(unreadable, [3, 6, 7, 8]);
    assert_eq!(done.other_names, [("login".to_owned(), 1)]);
}

#[test]
fn a_csv_log_says_the_same() {
    let mut reconciler = Reconciler::new(mapping(), 60, &actions(), (0..10).map(grant));
    reconciler.begin(LogForm::Csv);
    let log = format!(
        "at,action,customer,target,note\r\n{0},server.reinstall,c-1,web-1,\"two\nlines\"\r\n{0},server.reinstall,c-1,web-1,\"two\nlines\"\r\n{0},server.reinstall,c-7,web-7\r\n{0},email.change,c-1,,\r\n",
        AT + 65_000
    );
    reconciler.feed(log.as_bytes());
    reconciler.end();
    let done = reconciler.finish();
    assert_eq!(
        (done.covered, done.repeated, done.unreadable, done.uncovered),
        (1, 1, 1, 1)
    );
    assert_eq!(done.first_unreadable[0].line, 6);
}

#[test]
fn a_csv_log_without_its_columns_is_unreadable_to_the_last_line() {
    let mut reconciler = Reconciler::new(mapping(), 60, &actions(), std::iter::empty());
    reconciler.begin(LogForm::Csv);
    reconciler.feed(b"when,what\n1,2\n3,4\n");
    reconciler.end();
    let done = reconciler.finish();
    assert_eq!((done.lines, done.unreadable), (3, 3));
    assert!(done.adherence.is_none());
}

#[test]
fn times_are_read_as_logs_write_them() {
    assert_eq!(moment("1795428000"), Some(AT));
    assert_eq!(moment("1795428000.5"), Some(AT));
    assert_eq!(moment("1795428000000"), Some(AT));
    assert_eq!(moment("2026-11-23T10:00:00Z"), Some(AT));
    assert_eq!(moment("2026-11-23 11:00:00+01:00"), Some(AT));
    for none in ["", "1", "soon", "2026-11-23", "99999999999999999999"] {
        assert_eq!(moment(none), None, "{none}");
    }
}
