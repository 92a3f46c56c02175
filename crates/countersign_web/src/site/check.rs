//! A customer's proof by the company's own checker: a button that asks, and a page that waits for the answer.

use axum::extract::State;
use axum::http::StatusCode;
use countersign_service::{CaseError, CheckerStage, CustomerSeat, ProofError};
use futures_util::{StreamExt as _, stream};

use super::customer::{calendar, frame, steps, way_named};
use super::live::{After, news, patch, stream as follow};
use super::{Answer, Browser, html_with};
use crate::Web;
use crate::body::Path;
use crate::callers::Seat;
use crate::headers::see_other;
use crate::limits::Listener;
use crate::network::Network;
use crate::pages::{
    AskedCheck, AskedState, CheckProblem, CheckProofPage, Live, ProofMethod, ProofState,
    check_fragments,
};
use crate::problem::Problem;

/// `GET /c/prove/{way}` for a proof by the company's own checker.
pub async fn show(
    web: &Web,
    browser: &Browser,
    seat: &CustomerSeat,
    name: &str,
    problem: Option<CheckProblem>,
) -> Answer {
    let page = page(web, browser, seat, name, problem).await?;
    let status = if page.problem.is_some() {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    html_with(status, &page)
}

async fn page(
    web: &Web,
    browser: &Browser,
    seat: &CustomerSeat,
    name: &str,
    problem: Option<CheckProblem>,
) -> Result<CheckProofPage, Problem> {
    // Taken first: what happens from here on is news to the page.
    let from = web.gate.position();
    let view = web.gate.seat_view(seat).await?;
    let procedure = web.gate.procedure_of(&view.procedure).await?;
    let calendar = calendar(web, browser);
    let way = way_named(web, browser, &procedure, &view, name)
        .filter(|way| way.method == ProofMethod::Check)
        .ok_or_else(Problem::nothing_here)?;
    let (step, steps) = steps(&procedure, &view);
    let standing = web.gate.checker_standing(seat, name).await?;
    let (state, came_of) = match standing.as_ref().map(|standing| standing.stage) {
        None => (None, None),
        Some(CheckerStage::Waiting) => (Some(AskedState::Waiting), None),
        Some(CheckerStage::Proved) => (Some(AskedState::Proved), None),
        Some(CheckerStage::Refused) => (None, Some(CheckProblem::Refused)),
        Some(CheckerStage::RanOut) => (None, Some(CheckProblem::RanOut)),
        Some(CheckerStage::Failed) => (None, Some(CheckProblem::Failed)),
    };
    let closed = match &way.state {
        ProofState::Closed(until) => Some(CheckProblem::Closed(until.clone())),
        ProofState::Open | ProofState::Done | ProofState::TooNew(_) => None,
    };
    Ok(CheckProofPage {
        frame: frame(web, browser, &view),
        step,
        steps,
        company: procedure.organisation.clone(),
        live: (state == Some(AskedState::Waiting)).then(|| Live {
            events: format!("/c/prove/{name}/check/events"),
            from,
        }),
        asked: standing.zip(state).map(|(standing, state)| AskedCheck {
            until: calendar.when(standing.until),
            state,
        }),
        other_ways: view.ways.len() > 1,
        problem: problem.or(closed).or(came_of),
        way,
    })
}

/// `POST /c/prove/{way}/check`: asks the company's checker.
pub async fn ask(
    State(web): State<Web>,
    browser: Browser,
    network: Network,
    Seat(seat): Seat,
    Path(name): Path<String>,
) -> Answer {
    network.take(&web.rates.answers)?;
    let problem = match web.gate.ask_checker(&seat, &name).await {
        Ok(()) => return Ok(see_other(&format!("/c/prove/{name}"))),
        Err(ProofError::Case(CaseError::Refused(_))) => return Ok(see_other("/c")),
        Err(ProofError::Case(error)) => return Err(error.into()),
        Err(ProofError::NotAsked) => return Err(Problem::nothing_here()),
        Err(ProofError::TooSoon { again_at }) => {
            CheckProblem::TooSoon(calendar(&web, &browser).when(again_at))
        }
        Err(ProofError::NoMoreCodes) => CheckProblem::NoMore,
        Err(_) => CheckProblem::Failed,
    };
    show(&web, &browser, &seat, &name, Some(problem)).await
}

/// `GET /c/prove/{way}/check/events`: how the question stands, as it changes, and when it runs out.
pub async fn events(
    State(web): State<Web>,
    Seat(seat): Seat,
    After(after): After,
    browser: Browser,
    Path(name): Path<String>,
) -> Answer {
    // Whoever may not see the page may not follow it either.
    drop(page(&web, &browser, &seat, &name, None).await?);
    let (all, case) = (web.clone(), seat.case().0.clone());
    let patches = news(&web, after)
        .then(move |at| {
            let (web, seat, browser, name) =
                (web.clone(), seat.clone(), browser.clone(), name.clone());
            async move {
                if web.gate.now() >= seat.until() {
                    return None;
                }
                let mut page = page(&web, &browser, &seat, &name, None).await.ok()?;
                // What it is over for stands on the page itself, which the link opens.
                if page.asked.is_none() {
                    page.asked = Some(AskedCheck {
                        until: web.calendar().when(web.gate.now()),
                        state: AskedState::Over,
                    });
                }
                Some((at, page))
            }
        })
        .scan(Some(AskedState::Waiting), |seen, next| {
            let state = next
                .as_ref()
                .and_then(|(_, page)| page.asked.as_ref())
                .map(|asked| asked.state);
            let changed = state != std::mem::replace(seen, state);
            std::future::ready(Some((changed, next)))
        })
        .flat_map(|(changed, next)| {
            stream::iter(match next {
                Some((at, page)) if changed => Some(Some(patch(at, &check_fragments(&page)))),
                Some(_) => None,
                None => Some(None),
            })
        });
    follow(&all, Listener::Seat(case), patches)
}
