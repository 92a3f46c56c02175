//! `/customers`: who is who, masked, and every look counted.

use axum::extract::State;
use countersign_cases::{CaseId, CustomerId};
use countersign_service::CustomerView;

use super::desk::row_of;
use super::{Answer, Desk, Fields, field, html};
use crate::Web;
use crate::body::{Form, Path};
use crate::headers::see_other;
use crate::network::Network;
use crate::pages::{
    CustomerHit, CustomerPage, CustomersPage, Fact, FactValue, HoldingRow, Section,
};
use crate::present::{Calendar, sentence_case};
use crate::problem::Problem;

/// `GET /customers`: nothing is looked up, and whatever stands behind the address is not looked at.
pub async fn ask(desk: Desk) -> Answer {
    html(&CustomersPage {
        frame: desk.frame(Some(Section::Customers)),
        query: String::new(),
        found: Vec::new(),
    })
}

/// `POST /customers`: what is searched for may be somebody's address, so it stands in no URL.
pub async fn search(
    State(web): State<Web>,
    desk: Desk,
    network: Network,
    Form(fields): Form<Fields>,
) -> Answer {
    network.take(&web.rates.searches)?;
    let query = field(&fields, "q");
    if let Some(case) = countersign_service::adapters::tokens::parse_speakable_id("CS", query)
        && query.len() > 6
        && web
            .gate
            .case_view(&desk.staff, &CaseId(case.clone()))
            .await
            .is_ok()
    {
        return Ok(see_other(&format!("/cases/{case}")));
    }
    let found = find(&web, &desk, query).await?;
    html(&CustomersPage {
        frame: desk.frame(Some(Section::Customers)),
        query: query.to_owned(),
        found,
    })
}

/// Whom a search finds; nobody for a query that is too short to search by.
pub async fn find(web: &Web, desk: &Desk, query: &str) -> Result<Vec<CustomerHit>, Problem> {
    if query.chars().count() < 3 {
        return Ok(Vec::new());
    }
    Ok(web
        .gate
        .find_customers(&desk.staff, query)
        .await?
        .iter()
        .map(|view| hit(view, &desk.calendar))
        .collect())
}

/// A customer in a list, masked.
pub(super) fn hit(view: &CustomerView, calendar: &Calendar) -> CustomerHit {
    CustomerHit {
        id: view.id.0.clone(),
        name: view.name.clone(),
        since: format!("Customer since {}", calendar.month(view.since)),
        open_cases: u32::try_from(view.open_cases.len()).unwrap_or(u32::MAX),
        locks: locks(view, calendar),
        warnings: warnings(view, calendar),
    }
}

/// What is closed after wrong tries.
pub fn locks(view: &CustomerView, calendar: &Calendar) -> Vec<String> {
    view.locked
        .iter()
        .map(|(label, until)| {
            format!(
                "{} closed until {}",
                sentence_case(label),
                calendar.when(*until).shown
            )
        })
        .collect()
}

/// What the next one who is asked must know.
pub fn warnings(view: &CustomerView, calendar: &Calendar) -> Vec<String> {
    view.refused
        .iter()
        .map(|refused| {
            let how = if refused.stopped {
                "stopped"
            } else {
                "refused"
            };
            let when = calendar.when(refused.at);
            format!(
                "Another case for this customer was {how} {} ({})",
                when.relative.unwrap_or(when.shown),
                refused.case.0
            )
        })
        .collect()
}

/// `GET /customers/{id}`
pub async fn page(State(web): State<Web>, desk: Desk, Path(id): Path<String>) -> Answer {
    let customer = CustomerId(id);
    let view = web.gate.look_up_customer(&desk.staff, &customer).await?;
    let cases = web.gate.cases_of_customer(&desk.staff, &customer).await?;
    let calendar = &desk.calendar;
    let mut facts = vec![
        Fact {
            label: "Customer no.".to_owned(),
            value: FactValue::Machine(view.number.clone()),
        },
        Fact {
            label: "Customer since".to_owned(),
            value: FactValue::Text(calendar.month(view.since)),
        },
    ];
    for contact in &view.contacts {
        facts.push(Fact {
            label: sentence_case(&contact.channel_label),
            value: FactValue::Machine(contact.address.clone()),
        });
    }
    html(&CustomerPage {
        frame: desk.frame(Some(Section::Customers)),
        id: view.id.0.clone(),
        name: view.name.clone(),
        masked: view.masked,
        facts,
        holdings: view
            .factors
            .iter()
            .map(|factor| HoldingRow {
                label: factor.label.clone(),
                since: factor.changed_at.map_or_else(
                    || "since the beginning".to_owned(),
                    |at| format!("changed {}", calendar.when(at).shown),
                ),
                note: None,
            })
            .collect(),
        locks: locks(&view, calendar),
        cases: cases.iter().map(|row| row_of(row, calendar)).collect(),
    })
}
