//! Drills: how teams answered, what the reader was told, and planning one.

use askama::Template;

use super::frame::{Banner, Section, StaffFrame};
use super::icon::Icon;
use super::page::Page;
use super::parts::{Errors, When};
use super::samples::{agent, at, error, senior};
use super::statistics::Table;
use crate::words::{Quoted, Typed};

/// `GET /drills`; a form for each drill that the reader may plan posts to the same.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "drills.html")]
pub struct DrillsPage {
    /// Frame.
    pub frame: StaffFrame,
    /// `One drill is planned or runs now; …`, for whoever plans.
    pub under_way: Option<String>,
    /// One was planned a moment ago.
    pub planned: bool,
    /// `You refused 3 of 4 …`
    pub own: Option<String>,
    /// Teams by month, and people for auditors.
    pub tables: Vec<Table>,
    /// Newest first.
    pub told: Vec<DrillTold>,
    /// What the procedure declares.
    pub declared: Vec<DrillLine>,
    /// What was wrong with a plan.
    pub errors: Errors,
}

/// A drill that was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DrillTold {
    /// The case it was.
    pub case: String,
    /// When it was told.
    pub at: When,
    /// Title of the scenario.
    pub title: String,
    /// Label of the action.
    pub action: String,
    /// The reader refused, or signed; `None` where they did not answer.
    pub noticed: Option<bool>,
    /// `You refused it.`
    pub verdict: String,
    /// What was planted.
    pub planted: Vec<String>,
    /// What a careful person notices.
    pub notices: String,
    /// What happened, and to whom.
    pub story: String,
    /// `Root`, or `the gate`.
    pub planned_by: String,
    /// When.
    pub planned_at: When,
}

/// A `drill` line of the procedure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DrillLine {
    /// Name of the action.
    pub action: String,
    /// Its label.
    pub label: String,
    /// `senior support agent`
    pub asks: String,
    /// Days.
    pub every: u64,
    /// Name and title of each scenario.
    pub plays: Vec<(String, String)>,
    /// Name and label of each parameter of the action.
    pub parameters: Vec<(String, String)>,
    /// The reader may plan it.
    pub may_plan: bool,
}

impl Page for DrillsPage {
    const NAME: &'static str = "drills";

    fn samples() -> Vec<(&'static str, Self)> {
        let line = |may_plan| DrillLine {
            action: "server.reinstall".into(),
            label: "Reinstall a server".into(),
            asks: "senior support agent".into(),
            every: 14,
            plays: vec![
                ("fresh_contact".into(), "A contact that came today".into()),
                ("hurried_caller".into(), "A caller in a hurry".into()),
            ],
            parameters: vec![("server".into(), "server".into())],
            may_plan,
        };
        let teams = || {
            Table::new(
                "Vigilance by team",
                &["Month", "Team", "Refused", "95 % interval"],
                vec![
                    vec![
                        "2026-11".into(),
                        "senior support agent".into(),
                        "3 of 4".into(),
                        "75 %, between 19.4 % and 99.4 %".into(),
                    ],
                    vec![
                        "2026-10".into(),
                        "senior support agent".into(),
                        "1 of 2".into(),
                        "50 %, between 1.2 % and 98.8 %".into(),
                    ],
                ],
            )
        };
        let told = |noticed: Option<bool>, verdict: &str, case: &str, when: &str| {
            DrillTold {
            case: case.into(),
            at: at(when),
            title: "A contact that came today".into(),
            action: "Reinstall a server".into(),
            noticed,
            verdict: verdict.into(),
            planted: vec!["a contact that came hours before, in place of one that was there for years".into()],
            notices: "A contact of this customer replaced another one hours before the case was opened. Refuse, and reach the customer where they could be reached a month ago.".into(),
            story: "2012: Amazon and Apple. A caller had something of their own added to a customer's account, hung up, and called again.".into(),
            planned_by: "Root".into(),
            planned_at: at("10:31"),
        }
        };
        let page = |frame| Self {
            frame,
            under_way: None,
            planned: false,
            own: None,
            tables: Vec::new(),
            told: Vec::new(),
            declared: vec![line(false)],
            errors: Errors::default(),
        };
        let here = Some(Section::Statistics);
        vec![
            (
                "answered",
                Self {
                    own: Some("You refused 1 of 2: 50 %, between 1.2 % and 98.8 %.".into()),
                    tables: vec![teams()],
                    told: vec![
                        told(Some(true), "You refused it.", "CS-7F3K9Q", "10:44"),
                        told(Some(false), "You signed it.", "CS-2M8QWT", "09:20"),
                    ],
                    ..page(senior(here, "/drills"))
                },
            ),
            ("none", page(agent(here, "/drills"))),
            (
                "plan",
                Self {
                    under_way: Some(
                        "One drill is planned or runs now; nobody learns which case it is.".into(),
                    ),
                    planned: true,
                    tables: vec![teams()],
                    told: vec![told(
                        None,
                        "2 of 2 who were asked refused it.",
                        "CS-7F3K9Q",
                        "10:44",
                    )],
                    declared: vec![line(true)],
                    ..page(agent(here, "/drills"))
                },
            ),
            (
                "not-planned",
                Self {
                    declared: vec![line(true)],
                    errors: error(
                        "within-1",
                        "This scenario cannot be played in a case of this action",
                    ),
                    ..page(agent(here, "/drills"))
                },
            ),
            (
                "undeclared",
                Self {
                    declared: Vec::new(),
                    ..page(agent(here, "/drills"))
                },
            ),
        ]
    }
}
