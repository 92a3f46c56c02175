//! Statistics: figures, charts with their numbers beneath, and what they mean in a sentence.

use askama::Template;

use super::charts::{self, Part, Row};
use super::frame::{Banner, Section, StaffFrame};
use super::icon::Icon;
use super::page::Page;
use super::samples::senior;
use crate::words::Typed;

/// `GET /statistics`
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "statistics.html")]
pub struct StatisticsPage {
    /// Frame.
    pub frame: StaffFrame,
    /// First day, `2026-10-25`.
    pub from: String,
    /// Last day.
    pub to: String,
    /// Choices of the filter: value, label, chosen.
    pub actions: Vec<(String, String, bool)>,
    /// The same for who opened the cases.
    pub teams: Vec<(String, String, bool)>,
    /// Beginning of a procedure's version.
    pub procedure: String,
    /// The same page as CSV and as JSON.
    pub csv: String,
    /// See `csv`.
    pub json: String,
    /// Events that are not counted yet.
    pub behind: Option<String>,
    /// No case at all in the period.
    pub empty: bool,
    /// Too few for charts.
    pub few: bool,
    /// The four numbers above.
    pub numbers: Vec<BigNumber>,
    /// Charts, each with its numbers.
    pub charts: Vec<Chart>,
    /// Tables without a chart.
    pub tables: Vec<Table>,
    /// `You signed 41 of 44 …`
    pub own: Option<String>,
}

/// A number and how it changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BigNumber {
    /// `Refused`
    pub name: String,
    /// `1,204`
    pub count: String,
    /// `12 more than in the 30 days before`
    pub change: String,
}

/// A chart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chart {
    /// For links and tests: `outcomes`.
    pub id: &'static str,
    /// The finding, as a sentence.
    pub finding: String,
    /// The picture.
    pub svg: String,
    /// What the colours mean, where there is more than one.
    pub legend: Vec<(&'static str, String)>,
    /// Its numbers.
    pub table: Table,
}

/// Numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// What they are.
    pub caption: String,
    /// A remark above them.
    pub remark: Option<String>,
    /// Heads of the columns.
    pub heads: Vec<String>,
    /// Rows; the first cell is the row's head.
    pub rows: Vec<Vec<String>>,
}

impl Table {
    /// Heads and rows.
    pub fn new(caption: &str, heads: &[&str], rows: Vec<Vec<String>>) -> Self {
        Self {
            caption: caption.to_owned(),
            remark: None,
            heads: heads.iter().map(|head| (*head).to_owned()).collect(),
            rows,
        }
    }

    /// With a remark.
    #[must_use]
    pub fn with(mut self, remark: &str) -> Self {
        self.remark = Some(remark.to_owned());
        self
    }
}

fn text(cells: &[&str]) -> Vec<String> {
    cells.iter().map(|cell| (*cell).to_owned()).collect()
}

fn sample_charts() -> Vec<Chart> {
    let labels: Vec<String> = (1..=14).map(|day| format!("{day} Nov")).collect();
    let part = |name: &str, class, scale: u64| Part {
        name: name.into(),
        class,
        values: (0..14_u64)
            .map(|day| (day * 7 + scale) % (scale + 1))
            .collect(),
    };
    let parts = [
        part("done", "ok", 48),
        part("refused", "bad", 3),
        part("stopped", "veto", 2),
        part("ran out", "wait", 6),
    ];
    let mut cells = [const { None }; 168];
    for (at, cell) in cells.iter_mut().enumerate() {
        let hour = at % 24;
        if at < 120 && (7..18).contains(&hour) {
            let minutes = 2 + (at as u64 * 13) % 19;
            *cell = Some((minutes * 60, format!("4 answers, {minutes} min on average")));
        }
    }
    let bar = |name: &str, value, words: &str| Row {
        name: name.into(),
        value,
        words: words.into(),
    };
    let missing = [
        bar("open the link", 41, "41 (52 %)"),
        bar("prove authenticator code or passkey", 27, "27 (34 %)"),
        bar("sign-off: senior support agent", 11, "11 (14 %)"),
    ];
    let proofs = [
        bar("support PIN", 312, "312 (58 %)"),
        bar("passkey", 226, "226 (42 %)"),
    ];
    let times = [
        (
            "median",
            "accent",
            (0..14).map(|day| Some(300 + day * 20)).collect(),
        ),
        (
            "p90",
            "wait",
            (0..14).map(|day| Some(900 + day * 35)).collect(),
        ),
    ];
    let chart = |id, finding: &str, svg, table| Chart {
        id,
        finding: finding.into(),
        svg,
        legend: Vec::new(),
        table,
    };
    vec![
        Chart {
            legend: parts
                .iter()
                .map(|part| (part.class, part.name.clone()))
                .collect(),
            ..chart(
                "outcomes",
                "Of 412 cases that ended, 371 were done.",
                charts::stacked("Outcomes per day", &labels, &parts),
                Table::new(
                    "Outcomes per day",
                    &["Day", "Done", "Refused", "Stopped", "Ran out"],
                    vec![
                        text(&["1 Nov", "31", "1", "0", "2"]),
                        text(&["2 Nov", "28", "0", "1", "4"]),
                    ],
                ),
            )
        },
        chart(
            "missing",
            "Most people who did not get through never opened the link.",
            charts::bars("Where cases stop", &missing),
            Table::new(
                "Where cases stop",
                &["Requirement", "Cases", "Rate, 95 % interval"],
                vec![text(&[
                    "open the link",
                    "41",
                    "41 of 79: 51.9 %, between 40.3 % and 63.3 %",
                ])],
            ),
        ),
        chart(
            "times",
            "Half of the cases were done within 9 min.",
            charts::lines("Time to finish", &labels, &times, |seconds| {
                format!("{} min", seconds / 60)
            }),
            Table::new(
                "Time to finish",
                &["Day", "Median", "p90"],
                vec![text(&["1 Nov", "5 min", "15 min"])],
            ),
        ),
        chart(
            "proofs",
            "58 % of all proofs were the support PIN.",
            charts::bars("How customers prove", &proofs),
            Table::new(
                "How customers prove",
                &["Proof", "Made"],
                vec![text(&["support PIN", "312"])],
            ),
        ),
        chart(
            "hours",
            "Cases lay longest on Tuesdays at 15:00.",
            charts::week(
                "How long cases lay before a colleague answered, by hour of the week",
                &cells,
            ),
            Table::new(
                "By hour of the week (UTC)",
                &["Hour", "Answers", "Average"],
                vec![text(&["Tue 15:00", "4", "20 min"])],
            ),
        ),
    ]
}

fn sample_tables() -> Vec<Table> {
    vec![
        Table::new(
            "How far procedure was followed",
            &["Rate", "With its 95 % interval"],
            vec![
                text(&[
                    "grants by an exception path",
                    "31 of 398: 7.8 %, between 5.3 % and 10.9 %",
                ]),
                text(&["grants whose outcome is unknown", "0 of 398: below 0.93 %"]),
            ],
        ),
        Table::new(
            "Exception paths",
            &["Action and path", "Used", "Opened by"],
            vec![text(&[
                "server.reinstall, lost_phone",
                "31 of 398: 7.8 %, between 5.3 % and 10.9 %",
                "agent 29, customer 2",
            ])],
        ),
    ]
}

impl Page for StatisticsPage {
    const NAME: &'static str = "statistics";

    fn samples() -> Vec<(&'static str, Self)> {
        let mut frame = senior(Some(Section::Statistics), "/statistics");
        frame.sections.push(Section::Statistics);
        let number = |name: &str, count: &str, change: &str| BigNumber {
            name: name.into(),
            count: count.into(),
            change: change.into(),
        };
        let choice = |value: &str, label: &str| (value.to_owned(), label.to_owned(), false);
        let page = Self {
            frame,
            from: "2026-10-25".into(),
            to: "2026-11-23".into(),
            actions: vec![
                choice("server.reinstall", "Reinstall a server"),
                choice("email.change", "Change the email address"),
            ],
            teams: vec![choice("customer", "customer"), choice("agent", "support agent")],
            procedure: String::new(),
            csv: "/statistics.csv?from=2026-10-25&to=2026-11-23".into(),
            json: "/v1/statistics?from=2026-10-25&to=2026-11-23".into(),
            behind: None,
            empty: false,
            few: false,
            numbers: vec![
                number("Cases", "431", "12 more than in the 30 days before"),
                number("Finished", "371", "20 more than in the 30 days before"),
                number("Refused", "9", "as many as in the 30 days before"),
                number("Stopped", "4", "3 fewer than in the 30 days before"),
            ],
            charts: sample_charts(),
            tables: sample_tables(),
            own: Some("You answered 44 cases and signed 41 of them: 93.2 %, between 81.3 % and 98.6 %. Your median is 40 s from a case's last change to your answer; everybody's is 2 min.".into()),
        };
        let few = Self {
            few: true,
            charts: Vec::new(),
            own: None,
            numbers: vec![
                number("Cases", "12", "12 more than in the 30 days before"),
                number("Finished", "9", "9 more than in the 30 days before"),
                number("Refused", "0", "as many as in the 30 days before"),
                number("Stopped", "1", "1 more than in the 30 days before"),
            ],
            ..page.clone()
        };
        let empty = Self {
            empty: true,
            tables: Vec::new(),
            numbers: Vec::new(),
            ..few.clone()
        };
        let behind = Self {
            behind: Some("12,000 events are not counted yet.".into()),
            ..few.clone()
        };
        vec![
            ("charts", page),
            ("few", few),
            ("empty", empty),
            ("behind", behind),
        ]
    }
}
