//! `/drills`: vigilance, what was told, and planning a drill.

use axum::extract::State;
use axum::http::StatusCode;
use countersign_service::{DrillError, DrillWish, Drills, ToldDrill};

use super::{Answer, Desk, Fields, field, html_with};
use crate::Web;
use crate::body::{Form, Query};
use crate::headers::see_other;
use crate::pages::{DrillLine, DrillTold, DrillsPage, Errors, Section, Table};
use crate::present::{Calendar, sentence_case};

/// `GET /drills`; `planned` says that one was planned a moment ago.
pub async fn page(State(web): State<Web>, desk: Desk, Query(fields): Query<Fields>) -> Answer {
    let planned = !field(&fields, "planned").is_empty();
    show(&web, &desk, planned, Errors::default()).await
}

/// `POST /drills`: `action`, `scenario`, `within_days`, and `value.NAME` for parameters that are not to be invented.
pub async fn plan(State(web): State<Web>, desk: Desk, Form(fields): Form<Fields>) -> Answer {
    let wish = DrillWish {
        action: field(&fields, "action").to_owned(),
        scenario: Some(field(&fields, "scenario").to_owned()).filter(|name| !name.is_empty()),
        within_days: field(&fields, "within_days").trim().parse().unwrap_or(0),
        values: fields
            .iter()
            .filter_map(|(name, value)| Some((name.strip_prefix("value.")?, value.trim())))
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
    };
    match web.gate.plan_drill(&desk.staff, &wish).await {
        Ok(()) => Ok(see_other("/drills?planned=1")),
        Err(error @ (DrillError::Field { .. } | DrillError::Unplayable)) => {
            let errors = Errors::one("within-1", sentence_case(&error.to_string()));
            show(&web, &desk, false, errors).await
        }
        Err(error) => Err(error.into()),
    }
}

async fn show(web: &Web, desk: &Desk, planned: bool, errors: Errors) -> Answer {
    let drills = web.gate.drills(&desk.staff).await?;
    let status = if errors.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    html_with(
        status,
        &DrillsPage {
            frame: desk.frame(Some(Section::Statistics)),
            under_way: match drills.under_way {
                0 => "No drill is planned or runs now.".to_owned(),
                1 => "One drill is planned or runs now; nobody learns which case it is.".to_owned(),
                count => {
                    format!(
                        "{count} drills are planned or run now; nobody learns which cases they are."
                    )
                }
            },
            planned,
            own: drills
                .own
                .as_ref()
                .map(|own| format!("You refused {}.", own.noticed.words)),
            tables: tables(&drills),
            told: drills
                .told
                .into_iter()
                .map(|told| told_row(&desk.calendar, told))
                .collect(),
            declared: drills
                .declared
                .into_iter()
                .map(|line| DrillLine {
                    action: line.action,
                    label: line.action_label,
                    asks: line.asks.join(" or "),
                    every: line.every_days,
                    plays: line.plays,
                    parameters: line.parameters,
                    may_plan: line.may_plan,
                })
                .collect(),
            errors,
        },
    )
}

fn tables(drills: &Drills) -> Vec<Table> {
    let mut tables = Vec::new();
    if !drills.teams.is_empty() {
        let rows = drills.teams.iter().map(|team| {
            vec![
                team.month.clone(),
                team.label.clone(),
                team.noticed.words.clone(),
            ]
        });
        tables.push(Table::new(
            "Vigilance by team",
            &["Month (UTC)", "Team", "Refused, with its 95 % interval"],
            rows.collect(),
        ));
    }
    if !drills.people.is_empty() {
        let rows = drills
            .people
            .iter()
            .map(|person| vec![person.name.clone(), person.noticed.words.clone()]);
        tables.push(Table::new(
            "Vigilance by person, from five drills on",
            &["Name", "Refused, with its 95 % interval"],
            rows.collect(),
        ));
    }
    tables
}

fn told_row(calendar: &Calendar, told: ToldDrill) -> DrillTold {
    let (asked, refused) = told.answers;
    DrillTold {
        case: told.case.0,
        at: calendar.when(told.told_at),
        title: told.title,
        action: told.action_label,
        noticed: told.noticed,
        verdict: match told.noticed {
            Some(true) => "You refused it.".to_owned(),
            Some(false) => "You signed it.".to_owned(),
            None if asked == 0 => "Nobody answered it.".to_owned(),
            None => format!("{refused} of {asked} who answered refused it."),
        },
        planted: told.planted,
        notices: told.notices,
        story: format!("{}. {}", told.from, told.story),
        planned_by: told.planned_by.unwrap_or_else(|| "The gate".to_owned()),
        planned_at: calendar.when(told.planned_at),
    }
}
