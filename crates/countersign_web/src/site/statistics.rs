//! `/statistics`: how far procedure was followed.

use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::IntoResponse as _;
use countersign_service::statistics::{
    Bar, CHARTS_FROM, PeriodRow, Rate, Statistics, StatisticsQuery, Totals, csv, grouped, length,
};

use super::{Answer, Desk, Fields, field, html};
use crate::Web;
use crate::body::Query;
use crate::pages::charts::{self, Part, Row};
use crate::pages::{BigNumber, Chart, Section, StatisticsPage, Table, encode};

/// Most bars of one chart.
const BARS_MAX: usize = 8;

const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// `GET /statistics?from=&to=&action=&team=&procedure=`
pub async fn page(State(web): State<Web>, desk: Desk, Query(fields): Query<Fields>) -> Answer {
    let query = query_of(&fields);
    let figures = web.gate.statistics(&desk.staff, &query).await?;
    let (actions, teams) = web.gate.statistics_choices();
    let chosen = |choices: Vec<(String, String)>, value: &Option<String>| {
        choices
            .into_iter()
            .map(|(name, label)| {
                let on = value.as_ref() == Some(&name);
                (name, label, on)
            })
            .collect()
    };
    let address = address_of(&figures, &query);
    let cases = figures.totals.opened.max(figures.totals.ended());
    html(&StatisticsPage {
        frame: desk.frame(Some(Section::Statistics)),
        actions: chosen(actions, &query.action),
        teams: chosen(teams, &query.team),
        procedure: query.procedure.clone().unwrap_or_default(),
        csv: format!("/statistics.csv?{address}"),
        json: format!("/v1/statistics?{address}"),
        behind: (figures.behind > 1_000)
            .then(|| format!("{} events are not counted yet.", grouped(figures.behind))),
        empty: cases == 0,
        few: cases < CHARTS_FROM,
        numbers: if cases == 0 {
            Vec::new()
        } else {
            numbers(&figures)
        },
        charts: if cases < CHARTS_FROM {
            Vec::new()
        } else {
            charts_of(&figures)
        },
        tables: if cases == 0 {
            Vec::new()
        } else {
            tables(&figures)
        },
        own: own(&figures),
        from: figures.from,
        to: figures.to,
    })
}

/// `GET /statistics.csv`, with the same fields.
pub async fn as_csv(State(web): State<Web>, desk: Desk, Query(fields): Query<Fields>) -> Answer {
    let figures = web.gate.statistics(&desk.staff, &query_of(&fields)).await?;
    let mut response = csv(&figures).into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/csv; charset=utf-8; header=present"),
    );
    headers.insert(
        header::CONTENT_DISPOSITION,
        HeaderValue::from_static("attachment; filename=\"statistics.csv\""),
    );
    Ok(response)
}

/// The query of a page or of the API.
pub fn query_of(fields: &Fields) -> StatisticsQuery {
    let text = |name: &str| {
        let value = field(fields, name);
        (!value.is_empty() && value.len() <= 200).then(|| value.to_owned())
    };
    StatisticsQuery {
        from: text("from"),
        to: text("to"),
        action: text("action"),
        team: text("team"),
        procedure: text("procedure"),
    }
}

fn address_of(figures: &Statistics, query: &StatisticsQuery) -> String {
    let mut address = format!("from={}&to={}", figures.from, figures.to);
    for (name, value) in [
        ("action", &query.action),
        ("team", &query.team),
        ("procedure", &query.procedure),
    ] {
        if let Some(value) = value {
            address.extend(["&", name, "=", &encode(value)]);
        }
    }
    address
}

fn numbers(figures: &Statistics) -> Vec<BigNumber> {
    let number = |name: &str, of: fn(&Totals) -> u64| {
        let (now, before) = (of(&figures.totals), of(&figures.before));
        let change = match now.cmp(&before) {
            std::cmp::Ordering::Greater => format!("{} more than", grouped(now - before)),
            std::cmp::Ordering::Less => format!("{} fewer than", grouped(before - now)),
            std::cmp::Ordering::Equal => "as many as".to_owned(),
        };
        BigNumber {
            name: name.to_owned(),
            count: grouped(now),
            change: format!("{change} in the period before"),
        }
    };
    vec![
        number("Cases", |totals| totals.opened),
        number("Finished", |totals| totals.done),
        number("Refused", |totals| totals.refused),
        number("Stopped", |totals| totals.stopped),
    ]
}

fn charts_of(figures: &Statistics) -> Vec<Chart> {
    let mut charts = vec![outcomes(figures)];
    if !figures.requirements.is_empty() {
        charts.push(missing(figures));
    }
    if figures.periods.iter().any(|row| row.median.is_some()) {
        charts.push(times(figures));
    }
    if !figures.proofs.is_empty() {
        charts.push(proofs(figures));
    }
    if !figures.hours.is_empty() {
        charts.push(hours(figures));
    }
    charts
}

/// By day, or by month.
fn step_of(figures: &Statistics) -> &'static str {
    let by_month = figures.periods.iter().any(|row| row.period.len() == 7);
    if by_month { "month" } else { "day" }
}

fn labels(periods: &[PeriodRow]) -> Vec<String> {
    periods.iter().map(|row| row.period.clone()).collect()
}

/// A series: its name, its class, its figure of a period.
type Series = (&'static str, &'static str, fn(&Totals) -> u64);

fn outcomes(figures: &Statistics) -> Chart {
    let series: [Series; 5] = [
        ("done", "ok", |totals| totals.done),
        ("refused", "bad", |totals| totals.refused),
        ("stopped", "veto", |totals| totals.stopped),
        ("ran out or taken back", "wait", |totals| {
            totals.expired + totals.withdrawn
        }),
        ("failed", "quiet", |totals| totals.failed),
    ];
    let parts: Vec<Part> = series
        .iter()
        .map(|(name, class, of)| Part {
            name: (*name).to_owned(),
            class,
            values: figures.periods.iter().map(|row| of(&row.totals)).collect(),
        })
        .collect();
    let title = format!("Outcomes per {}", step_of(figures));
    let rows = figures
        .periods
        .iter()
        .map(|row| {
            let counts = series.iter().map(|(_, _, of)| grouped(of(&row.totals)));
            std::iter::once(row.period.clone()).chain(counts).collect()
        })
        .collect();
    let mut heads = vec![step_of(figures)];
    heads.extend(series.iter().map(|(name, _, _)| *name));
    let totals = &figures.totals;
    Chart {
        id: "outcomes",
        finding: format!(
            "Of {} cases that ended, {} were done.",
            grouped(totals.ended()),
            grouped(totals.done)
        ),
        svg: charts::stacked(&title, &labels(&figures.periods), &parts),
        legend: parts
            .into_iter()
            .map(|part| (part.class, part.name))
            .collect(),
        table: Table::new(&title, &heads, rows),
    }
}

/// The first so many bars.
fn rows(bars: &[Bar]) -> Vec<Row> {
    bars.iter()
        .take(BARS_MAX)
        .map(|bar| Row {
            name: bar.name.clone(),
            value: bar.rate.count,
            words: format!("{} ({})", grouped(bar.rate.count), percent(&bar.rate)),
        })
        .collect()
}

fn rated(caption: &str, head: &str, bars: &[Bar]) -> Table {
    let rows = bars
        .iter()
        .map(|bar| vec![bar.name.clone(), bar.rate.words.clone()])
        .collect();
    Table::new(caption, &[head, "How many, with the 95 % interval"], rows)
}

fn missing(figures: &Statistics) -> Chart {
    let bars = &figures.requirements;
    let first = bars.first();
    Chart {
        id: "missing",
        finding: first.map_or_else(String::new, |bar| {
            format!(
                "Cases that did not run most often lacked: {} ({}).",
                bar.name,
                percent(&bar.rate)
            )
        }),
        svg: charts::bars("Where cases stop", &rows(bars)),
        legend: Vec::new(),
        table: rated("Where cases stop", "What was missing next", bars),
    }
}

fn times(figures: &Statistics) -> Chart {
    let done = figures.steps.iter().find(|step| step.step == "Done");
    let of = |value: fn(&PeriodRow) -> Option<u64>| figures.periods.iter().map(value).collect();
    let series = [
        ("median", "accent", of(|row| row.median)),
        ("p90", "wait", of(|row| row.p90)),
    ];
    let shown = |value: Option<u64>| value.map_or_else(|| "–".to_owned(), length);
    let rows = figures
        .periods
        .iter()
        .map(|row| vec![row.period.clone(), shown(row.median), shown(row.p90)])
        .collect();
    Chart {
        id: "times",
        finding: done.map_or_else(String::new, |step| {
            format!(
                "Half of the cases that were done were done within {}, nine of ten within {}.",
                length(step.median),
                length(step.p90)
            )
        }),
        svg: charts::lines(
            "Time from opening to done",
            &labels(&figures.periods),
            &series,
            length,
        ),
        legend: Vec::new(),
        table: Table::new(
            "Time from opening to done",
            &[step_of(figures), "median", "nine of ten within"],
            rows,
        ),
    }
}

fn proofs(figures: &Statistics) -> Chart {
    let bars = &figures.proofs;
    Chart {
        id: "proofs",
        finding: bars.first().map_or_else(String::new, |bar| {
            format!("{} of all proofs were: {}.", percent(&bar.rate), bar.name)
        }),
        svg: charts::bars("How customers prove", &rows(bars)),
        legend: Vec::new(),
        table: rated("How customers prove", "Proof", bars),
    }
}

fn hours(figures: &Statistics) -> Chart {
    let mut cells = [const { None }; 168];
    for row in &figures.hours {
        let at = usize::from(row.weekday) * 24 + usize::from(row.hour);
        if let Some(cell) = cells.get_mut(at) {
            let words = format!(
                "{} answers, {} on average",
                grouped(row.count),
                length(row.mean)
            );
            *cell = Some((row.mean, words));
        }
    }
    let name = |row: &countersign_service::statistics::HourRow| {
        let day = WEEKDAYS.get(usize::from(row.weekday)).unwrap_or(&"");
        format!("{day} {:02}:00", row.hour)
    };
    let longest = figures.hours.iter().max_by_key(|row| row.mean);
    let table = figures
        .hours
        .iter()
        .map(|row| vec![name(row), grouped(row.count), length(row.mean)])
        .collect();
    let title = "How long cases lay before a colleague answered, by hour of the week (UTC)";
    Chart {
        id: "hours",
        finding: longest.map_or_else(String::new, |row| {
            format!(
                "Cases lay longest on {}: {} on average.",
                name(row),
                length(row.mean)
            )
        }),
        svg: charts::week(title, &cells),
        legend: Vec::new(),
        table: Table::new(title, &["hour", "answers", "average"], table),
    }
}

fn tables(figures: &Statistics) -> Vec<Table> {
    let mut tables = vec![Table {
        // What one case does and does not show stands where somebody may be about to write a statement.
        rows: figures
            .rates
            .iter()
            .filter(|bar| bar.rate.of > 0)
            .map(|bar| {
                let words = bar.rate.of_one().unwrap_or_else(|| bar.rate.words.clone());
                vec![bar.name.clone(), words]
            })
            .collect(),
        ..rated("How far procedure was followed", "Rate", &[])
    }];
    let actions = figures
        .actions
        .iter()
        .map(|row| {
            vec![
                row.action.clone(),
                row.path.clone().unwrap_or_else(|| "no grant".to_owned()),
                row.outcome.clone(),
                grouped(row.count),
            ]
        })
        .collect();
    tables.push(Table::new(
        "Cases by action, path and outcome",
        &["Action", "Path", "Outcome", "Cases"],
        actions,
    ));
    let exceptions = figures
        .exceptions
        .iter()
        .map(|row| {
            let by: Vec<String> = row
                .opened_by
                .iter()
                .map(|(team, count)| format!("{team} {}", grouped(*count)))
                .collect();
            vec![
                format!("{}, {}", row.action, row.path),
                row.rate.words.clone(),
                by.join(", "),
            ]
        })
        .collect();
    tables.push(Table::new(
        "Exception paths",
        &["Action and path", "Of the action's grants", "Opened by"],
        exceptions,
    ));
    tables.push(rated(
        "Where customers give up",
        "How far they had come",
        &figures.gave_up,
    ));
    let steps = figures
        .steps
        .iter()
        .map(|step| {
            vec![
                step.step.clone(),
                grouped(step.count),
                length(step.median),
                length(step.p90),
                length(step.p99),
            ]
        })
        .collect();
    tables.push(Table::new(
        "Time from opening to each step",
        &["Step", "Cases", "Median", "90 of 100", "99 of 100"],
        steps,
    ));
    tables.push(rated("Wrong answers", "Proof", &figures.wrong_answers));
    tables.push(rated("Lockouts", "Proof", &figures.lockouts));
    tables.push(rated("Stops", "By whom", &figures.stops));
    let answers = figures
        .approvers
        .iter()
        .map(|row| {
            vec![
                row.name.clone(),
                row.signed.words.clone(),
                row.median.map_or_else(|| "–".to_owned(), length),
            ]
        })
        .collect();
    tables.push(
        Table::new(
            "Signatures by colleague",
            &[
                "Colleague, by name",
                "Signed, of their answers",
                "Median from a case's last change",
            ],
            answers,
        )
        .with("The time is the longest they can have spent on what they signed or refused."),
    );
    tables.retain(|table| !table.rows.is_empty());
    tables
}

fn own(figures: &Statistics) -> Option<String> {
    let own = figures.own.as_ref()?;
    let median = |value: Option<u64>| value.map_or_else(|| "unknown".to_owned(), length);
    Some(format!(
        "Cases you answered by signing: {}. Your median is {} from a case's last change to your answer; everybody's is {}, and everybody signed {}.",
        own.signed.words,
        median(own.median),
        median(figures.vigilance.median),
        figures.vigilance.signed.words,
    ))
}

/// `52 %`
fn percent(rate: &Rate) -> String {
    format!("{:.0} %", rate.share * 100.0)
}
