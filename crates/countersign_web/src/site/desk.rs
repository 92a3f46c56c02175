//! `/` and `/desk`.

use axum::extract::State;
use countersign_service::{DeskFilter, DeskRow};

use super::{Answer, Desk, Fields, field, html};
use crate::Web;
use crate::body::Query;
use crate::headers::see_other;
use crate::pages::{CaseRow, CaseState, DeskPage, DeskTab, Live, Pill, Section};
use crate::present::Calendar;

/// `GET /`: to where this person works.
pub async fn home(desk: Desk) -> Answer {
    Ok(see_other(if desk.staff.roles().is_empty() {
        "/settings"
    } else {
        "/desk"
    }))
}

/// `GET /desk?show=mine|team|waiting|done`
pub async fn desk(State(web): State<Web>, desk: Desk, Query(fields): Query<Fields>) -> Answer {
    html(&page(&web, &desk, tab(field(&fields, "show"))).await?)
}

/// The page of one tab.
pub async fn page(
    web: &Web,
    desk: &Desk,
    tab: DeskTab,
) -> Result<DeskPage, crate::problem::Problem> {
    let position = web.gate.position();
    let filters = [
        DeskFilter::Mine,
        DeskFilter::Team,
        DeskFilter::WaitingForSignOff,
        DeskFilter::FinishedToday,
    ];
    let mut counts = [0; 4];
    let mut rows = Vec::new();
    for ((filter, count), shown) in filters.into_iter().zip(&mut counts).zip(DeskTab::ALL) {
        let cases = web.gate.desk_count(&desk.staff, filter).await?;
        *count = u32::try_from(cases).unwrap_or(u32::MAX);
        if shown == tab {
            rows = web.gate.desk(&desk.staff, filter).await?;
        }
    }
    rows.sort_by_key(|row| (row.state != "ready", row.updated_at));
    if tab == DeskTab::Done {
        rows.reverse();
    }
    Ok(DeskPage {
        frame: desk.frame(Some(Section::Desk)),
        tab,
        counts,
        rows: rows.iter().map(|row| row_of(row, &desk.calendar)).collect(),
        new_since: 0,
        older: None,
        live: Some(Live {
            events: format!("/desk/events?show={}", tab.value()),
            from: position,
        }),
    })
}

/// Which tab.
pub fn tab(show: &str) -> DeskTab {
    DeskTab::ALL
        .into_iter()
        .find(|tab| tab.value() == show)
        .unwrap_or(DeskTab::Mine)
}

/// A row of a list of cases.
pub fn row_of(row: &DeskRow, calendar: &Calendar) -> CaseRow {
    CaseRow {
        id: row.case.0.clone(),
        what: row.action_label.clone(),
        customer: row.customer_name.clone(),
        pill: Pill {
            state: state_of(row, calendar),
        },
        missing: match row.missing.len() {
            0 => String::new(),
            n => format!("{n}: {}", row.missing.join(", ")),
        },
        since: calendar.when(row.updated_at),
        unseen: false,
    }
}

/// How a listed case stands.
pub(super) fn state_of(row: &DeskRow, calendar: &Calendar) -> CaseState {
    match row.state.as_str() {
        "waiting" => CaseState::Waits(
            row.takes_effect_at
                .map_or_else(String::new, |at| calendar.when(at).shown),
        ),
        "ready" => CaseState::Ready,
        "granted" | "running" => CaseState::Running,
        "done" => CaseState::Done,
        "failed" => CaseState::Failed,
        "unknown" => CaseState::Unknown,
        "refused" => CaseState::Declined,
        "stopped" => CaseState::Stopped,
        "withdrawn" => CaseState::Withdrawn,
        "expired" => CaseState::Expired,
        _ if !row.wants_sign_off.is_empty() => CaseState::Senior,
        _ => CaseState::Customer,
    }
}
