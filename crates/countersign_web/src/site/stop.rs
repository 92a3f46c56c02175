//! `/v/{token}`: whoever holds a notice's stop link sees what would happen, and stops it. Looking changes nothing.

use axum::extract::State;
use countersign_cases::State as CaseState;
use countersign_service::{StopLink, StopView};

use super::{Answer, Browser, Fields, customer_frame, field, html};
use crate::Web;
use crate::body::{Form, Path};
use crate::network::Network;
use crate::pages::{StopPage, StopState};
use crate::present::words;
use crate::problem::Problem;

/// `GET /v/{token}`
pub async fn page(State(web): State<Web>, browser: Browser, Path(token): Path<String>) -> Answer {
    show(&web, &browser, &token, None).await
}

/// `POST /v/{token}`
pub async fn stop(
    State(web): State<Web>,
    browser: Browser,
    network: Network,
    Path(token): Path<String>,
    Form(fields): Form<Fields>,
) -> Answer {
    network.take(&web.rates.answers)?;
    let Some(link) = web.gate.stop_link(&token).await? else {
        return show(&web, &browser, &token, None).await;
    };
    let reason = reason(&fields);
    let state = match web.gate.stop_by_link(&link, reason.as_deref()).await {
        Ok(applied) if applied.state == CaseState::Stopped => Some(StopState::Stopped),
        // Too late, or over: the page says so; a stop that came too late is recorded all the same.
        Ok(_) | Err(countersign_service::CaseError::Refused(_)) => None,
        Err(_) => Some(StopState::Ask {
            until: None,
            failed: true,
        }),
    };
    show(&web, &browser, &token, state).await
}

async fn show(web: &Web, browser: &Browser, token: &str, state: Option<StopState>) -> Answer {
    let link: Option<StopLink> = web.gate.stop_link(token).await?;
    let view = match &link {
        Some(link) => Some(web.gate.stop_view(link).await.map_err(Problem::from)?),
        None => None,
    };
    let mut frame = customer_frame(web, browser);
    frame.case = view.as_ref().map(|view| view.case.0.clone());
    html(&StopPage {
        frame,
        action: format!("/v/{token}"),
        back: None,
        words: view.as_ref().map(|view| words(&view.pieces)),
        state: state.unwrap_or_else(|| {
            view.as_ref()
                .map_or(StopState::Gone, |view| standing(web, browser, view))
        }),
        from_notice: true,
    })
}

fn standing(web: &Web, browser: &Browser, view: &StopView) -> StopState {
    let calendar = web.calendar().spoken(browser.language());
    match view.state {
        CaseState::Stopped => StopState::Already(calendar.when(view.changed_at)),
        _ if view.may_stop => StopState::Ask {
            until: view.takes_effect_at.map(|at| calendar.when(at)),
            failed: false,
        },
        _ if view.too_late => StopState::TooLate(calendar.when(view.changed_at)),
        _ => StopState::Over,
    }
}

/// What the form says about why, as one text; nothing if nothing was said.
pub fn reason(fields: &Fields) -> Option<String> {
    let why = match field(fields, "why") {
        "not-me" => "I did not ask for it",
        "changed-mind" => "I changed my mind",
        "wrong" => "Something looks wrong",
        _ => "",
    };
    let text: String = field(fields, "text").chars().take(400).collect();
    let said: Vec<&str> = [why, text.as_str()]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect();
    (!said.is_empty()).then(|| said.join(": "))
}
