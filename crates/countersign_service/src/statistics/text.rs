//! The figures as text for a terminal, and as CSV (RFC 4180).

use std::fmt::Write as _;

use super::{Statistics, Totals, grouped};

/// Every figure, a line each: `section,name,of_what,count,of,low,high,seconds_median,seconds_p90,seconds_p99`. Shares are 0 to 1.
pub fn csv(figures: &Statistics) -> String {
    let mut rows = Vec::new();
    let mut row = |cells: [String; 10]| rows.push(cells);
    let number = |count: u64| count.to_string();
    let seconds = |length: Option<u64>| length.map_or_else(String::new, number);
    let none = String::new;
    for (period, totals) in [
        (
            &*format!("{} to {}", figures.from, figures.to),
            &figures.totals,
        ),
        ("the period before", &figures.before),
    ] {
        for (name, count) in counts(totals) {
            row([
                "cases".into(),
                name.into(),
                period.into(),
                number(count),
                none(),
                none(),
                none(),
                none(),
                none(),
                none(),
            ]);
        }
    }
    for each in &figures.periods {
        for (name, count) in counts(&each.totals) {
            let done = name == "done";
            row([
                "period".into(),
                name.into(),
                each.period.clone(),
                number(count),
                none(),
                none(),
                none(),
                seconds(each.median.filter(|_| done)),
                seconds(each.p90.filter(|_| done)),
                none(),
            ]);
        }
    }
    for each in &figures.actions {
        let path = each.path.as_deref().unwrap_or("no grant");
        row([
            "action".into(),
            each.outcome.clone(),
            format!("{}, {path}", each.action),
            number(each.count),
            none(),
            none(),
            none(),
            none(),
            none(),
            none(),
        ]);
    }
    let rated =
        |section: &str, name: &str, what: String, rate: &super::Rate, median: Option<u64>| {
            [
                section.to_owned(),
                name.to_owned(),
                what,
                number(rate.count),
                number(rate.of),
                rate.low.to_string(),
                rate.high.to_string(),
                seconds(median),
                String::new(),
                String::new(),
            ]
        };
    for each in &figures.exceptions {
        let what = format!("{}, {}", each.action, each.path);
        row(rated("exception", "used", what.clone(), &each.rate, None));
        for (team, count) in &each.opened_by {
            row([
                "exception".into(),
                format!("opened by {team}"),
                what.clone(),
                number(*count),
                none(),
                none(),
                none(),
                none(),
                none(),
                none(),
            ]);
        }
    }
    for (section, bars) in [
        ("stops people", &figures.requirements),
        ("gave up", &figures.gave_up),
        ("proof", &figures.proofs),
        ("wrong answer", &figures.wrong_answers),
        ("lockout", &figures.lockouts),
        ("stop", &figures.stops),
        ("rate", &figures.rates),
    ] {
        for bar in bars {
            row(rated(section, &bar.name, none(), &bar.rate, None));
        }
    }
    for step in &figures.steps {
        row([
            "step".into(),
            step.step.clone(),
            none(),
            number(step.count),
            none(),
            none(),
            none(),
            number(step.median),
            number(step.p90),
            number(step.p99),
        ]);
    }
    let all = &figures.vigilance;
    row(rated(
        "signatures",
        "everybody",
        none(),
        &all.signed,
        all.median,
    ));
    for each in figures.own.iter().chain(&figures.approvers) {
        row(rated(
            "signatures",
            &each.name,
            none(),
            &each.signed,
            each.median,
        ));
    }
    for each in &figures.hours {
        row([
            "hour".into(),
            format!("weekday {} {:02}:00 UTC", each.weekday + 1, each.hour),
            none(),
            number(each.count),
            none(),
            none(),
            none(),
            number(each.mean),
            none(),
            none(),
        ]);
    }
    let mut out = String::from(
        "section,name,of_what,count,of,low,high,seconds_median,seconds_p90,seconds_p99\r\n",
    );
    for cells in rows {
        let line: Vec<String> = cells.iter().map(|cell| quoted(cell)).collect();
        out.push_str(&line.join(","));
        out.push_str("\r\n");
    }
    out
}

/// For people at a terminal.
pub fn text(figures: &Statistics) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "{} to {} (days are UTC)", figures.from, figures.to);
    if figures.behind > 0 {
        let _ = writeln!(
            out,
            "{} events are not counted yet",
            grouped(figures.behind)
        );
    }
    let _ = writeln!(out, "\nCases, and in the period before");
    for ((name, count), (_, before)) in counts(&figures.totals)
        .into_iter()
        .zip(counts(&figures.before))
    {
        let _ = writeln!(
            out,
            "  {name:<12} {:>12} {:>12}",
            grouped(count),
            grouped(before)
        );
    }
    if !figures.actions.is_empty() {
        let _ = writeln!(out, "\nBy action, path and outcome");
    }
    for row in &figures.actions {
        let path = row.path.as_deref().unwrap_or("no grant");
        let _ = writeln!(
            out,
            "  {:<28} {path:<16} {:<10} {:>12}",
            row.action,
            row.outcome,
            grouped(row.count)
        );
    }
    let mut list = |title: &str, lines: Vec<String>| {
        if !lines.is_empty() {
            let _ = writeln!(out, "\n{title}");
            for line in lines {
                let _ = writeln!(out, "  {line}");
            }
        }
    };
    let bars = |bars: &[super::Bar]| -> Vec<String> {
        bars.iter()
            .map(|bar| {
                // What one case does and does not show, as on the page.
                let words = bar.rate.of_one();
                format!(
                    "{}: {}",
                    bar.name,
                    words.as_ref().unwrap_or(&bar.rate.words)
                )
            })
            .collect()
    };
    list(
        "Exception paths",
        figures
            .exceptions
            .iter()
            .map(|row| {
                let by: Vec<String> = row
                    .opened_by
                    .iter()
                    .map(|(team, count)| format!("{team} {}", grouped(*count)))
                    .collect();
                format!(
                    "{}, {}: {} (opened by {})",
                    row.action,
                    row.path,
                    row.rate.words,
                    by.join(", ")
                )
            })
            .collect(),
    );
    list("Rates, with their 95 % intervals", bars(&figures.rates));
    list(
        "Which requirement stops people",
        bars(&figures.requirements),
    );
    list("Where honest customers give up", bars(&figures.gave_up));
    list(
        "Time from opening: median, 90 and 99 of a hundred",
        figures
            .steps
            .iter()
            .map(|step| {
                format!(
                    "{:<18} {:>10} {:>10} {:>10}  ({})",
                    step.step,
                    length(step.median),
                    length(step.p90),
                    length(step.p99),
                    grouped(step.count)
                )
            })
            .collect(),
    );
    list("Proofs", bars(&figures.proofs));
    list("Wrong answers", bars(&figures.wrong_answers));
    list("Lockouts", bars(&figures.lockouts));
    list("Stops", bars(&figures.stops));
    let answers = |name: &str, signed: &super::Rate, median: Option<u64>| {
        let median = median.map_or_else(String::new, |seconds| {
            format!("; median {}", length(seconds))
        });
        format!("{name}: signed {}{median}", signed.words)
    };
    let all = &figures.vigilance;
    let mut lines = Vec::new();
    if all.signed.of > 0 {
        lines.push(answers("everybody", &all.signed, all.median));
    }
    for each in &figures.approvers {
        lines.push(answers(&each.name, &each.signed, each.median));
    }
    list(
        "Signatures, and the time from a case's last change to the answer",
        lines,
    );
    out
}

/// `4 s`, `12 min`, `3.5 h`, `2.1 d`
pub fn length(seconds: u64) -> String {
    let tenths = |unit: u64| {
        let tenths = (seconds * 10 + unit / 2) / unit;
        format!("{}.{}", tenths / 10, tenths % 10)
    };
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7_199 => format!("{} min", (seconds + 30) / 60),
        7_200..=172_799 => format!("{} h", tenths(3_600)),
        _ => format!("{} d", tenths(86_400)),
    }
}

fn counts(totals: &Totals) -> [(&'static str, u64); 9] {
    [
        ("opened", totals.opened),
        ("granted", totals.granted),
        ("done", totals.done),
        ("failed", totals.failed),
        ("unknown", totals.unknown),
        ("refused", totals.refused),
        ("stopped", totals.stopped),
        ("withdrawn", totals.withdrawn),
        ("expired", totals.expired),
    ]
}

/// One cell. A spreadsheet must not take it for a formula.
fn quoted(cell: &str) -> String {
    let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let cell = if formula {
        format!("'{cell}")
    } else {
        cell.to_owned()
    };
    if cell.contains(['"', ',', '\r', '\n']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_quoted_and_is_no_formula() {
        assert_eq!(quoted("a,\"b\""), "\"a,\"\"b\"\"\"");
        assert_eq!(quoted("=SUM(A1)"), "'=SUM(A1)");
        assert_eq!(quoted("plain"), "plain");
    }

    #[test]
    fn lengths_read_well() {
        assert_eq!(length(4), "4 s");
        assert_eq!(length(720), "12 min");
        assert_eq!(length(12_600), "3.5 h");
        assert_eq!(length(181_440), "2.1 d");
    }
}
