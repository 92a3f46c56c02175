//! The company's identity provider: customers prove by it, staff sign in by it.
//!
//! Whoever comes back from the provider arrives by a GET, which keeps what
//! they bring and decides nothing; the button on the page they then see is the
//! POST that does (docs/decisions/0011).

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use countersign_cases::Digest;
use countersign_service::{
    Answered, CaseError, CompanyStanding, CustomerSeat, DeviceStage, ProofError, ProviderAnswer,
    StaffError,
};
use futures_util::{StreamExt as _, stream};

use super::check;
use super::customer::{calendar, frame, steps, way_named};
use super::live::{After, news, patch, stream as follow};
use super::{Answer, Browser, Fields, field, html, html_with, local_path, public_frame};
use crate::Web;
use crate::body::{Form, Path, Query};
use crate::callers::Seat;
use crate::headers::see_other;
use crate::limits::Listener;
use crate::network::Network;
use crate::pages::{
    CompanyBackPage, CompanyProblem, CompanyProofPage, Live, ProofMethod, ProofState,
    PushProofPage, PushState, SentPush, push_fragments,
};
use crate::problem::Problem;

/// `GET /c/prove/{way}/sign-in`: to the provider. A link and not a form, which the content security policy would keep here.
pub async fn leave(
    State(web): State<Web>,
    browser: Browser,
    network: Network,
    Seat(seat): Seat,
    Path(name): Path<String>,
) -> Answer {
    network.take(&web.rates.answers)?;
    match web.gate.begin_company_proof(&seat, &name).await {
        Ok(url) => Ok(see_other(&url)),
        Err(ProofError::Case(CaseError::Refused(_))) => Ok(see_other("/c")),
        Err(ProofError::Case(error)) => Err(error.into()),
        Err(ProofError::NotAsked) => Err(Problem::nothing_here()),
        Err(_) => show_sign_in(&web, &browser, &seat, &name, Some(CompanyProblem::Failed)).await,
    }
}

/// `GET /c/company`: back from the provider. What was brought leaves the address bar and is not looked at.
pub async fn back(
    State(web): State<Web>,
    network: Network,
    Seat(seat): Seat,
    Query(answer): Query<ProviderAnswer>,
) -> Answer {
    network.take(&web.rates.answers)?;
    Ok(match web.gate.keep_company_answer(&seat, &answer).await? {
        Some(proof) => see_other(&format!("/c/prove/{proof}")),
        // Not asked for by this browser, or long ago.
        None => see_other("/c"),
    })
}

/// `GET /c/prove/{way}` for signing in.
pub async fn show_sign_in(
    web: &Web,
    browser: &Browser,
    seat: &CustomerSeat,
    name: &str,
    problem: Option<CompanyProblem>,
) -> Answer {
    let view = web.gate.seat_view(seat).await?;
    let procedure = web.gate.procedure_of(&view.procedure).await?;
    let way = way_named(web, browser, &procedure, &view, name)
        .filter(|way| way.method == ProofMethod::Company)
        .ok_or_else(Problem::nothing_here)?;
    let (step, steps) = steps(&procedure, &view);
    let standing = web.gate.company_standing(seat, name).await?;
    let problem = problem.or_else(|| closed(&way.state));
    html_with(
        status(problem.as_ref()),
        &CompanyProofPage {
            frame: frame(web, browser, &view),
            step,
            steps,
            company: customers_provider(web),
            back: standing == CompanyStanding::Back,
            digest: view.digest.to_string(),
            other_ways: view.ways.len() > 1,
            way,
            problem,
        },
    )
}

/// `POST /c/prove/{way}/signed-in`: the customer uses their sign-in as a proof.
pub async fn signed_in(
    State(web): State<Web>,
    browser: Browser,
    network: Network,
    Seat(seat): Seat,
    Path(name): Path<String>,
    Form(fields): Form<Fields>,
) -> Answer {
    network.take(&web.rates.answers)?;
    let digest = Digest::from_hex(field(&fields, "digest"))
        .ok_or_else(|| Problem::invalid("digest", "is not of this page"))?;
    let problem = match web.gate.finish_company_proof(&seat, &name, digest).await {
        // Right, or proved already, or over: the next page says which.
        Ok(Answered::Right(_)) | Err(ProofError::Case(CaseError::Refused(_))) => {
            return Ok(see_other("/c"));
        }
        Ok(Answered::NotRight { tries_left }) => CompanyProblem::Wrong(tries_left),
        Err(ProofError::Case(error)) => return Err(error.into()),
        Err(ProofError::NotAsked) => return Err(Problem::nothing_here()),
        Err(ProofError::LoginCancelled) => CompanyProblem::Cancelled,
        Err(ProofError::LoginTooWeak) => CompanyProblem::TooWeak,
        Err(ProofError::LoginOver) => CompanyProblem::Over,
        Err(_) => CompanyProblem::Failed,
    };
    show_sign_in(&web, &browser, &seat, &name, Some(problem)).await
}

/// `GET /c/prove/{way}` for a push.
pub async fn show_push(
    web: &Web,
    browser: &Browser,
    seat: &CustomerSeat,
    name: &str,
    problem: Option<CompanyProblem>,
) -> Answer {
    let page = push_page(web, browser, seat, name, problem).await?;
    html_with(status(page.problem.as_ref()), &page)
}

async fn push_page(
    web: &Web,
    browser: &Browser,
    seat: &CustomerSeat,
    name: &str,
    problem: Option<CompanyProblem>,
) -> Result<PushProofPage, Problem> {
    // Taken first: what happens from here on is news to the page.
    let from = web.gate.position();
    let view = web.gate.seat_view(seat).await?;
    let procedure = web.gate.procedure_of(&view.procedure).await?;
    let calendar = calendar(web, browser);
    let way = way_named(web, browser, &procedure, &view, name)
        .filter(|way| way.method == ProofMethod::Push)
        .ok_or_else(Problem::nothing_here)?;
    let (step, steps) = steps(&procedure, &view);
    let standing = web.gate.device_standing(seat, name).await?;
    let (state, came_of) = match standing.as_ref().map(|standing| standing.stage) {
        None => (None, None),
        Some(DeviceStage::Waiting) => (Some(PushState::Waiting), None),
        Some(DeviceStage::Proved) => (Some(PushState::Proved), None),
        Some(DeviceStage::Denied) => (Some(PushState::Denied), None),
        Some(DeviceStage::RanOut) => (None, Some(CompanyProblem::RanOut)),
        Some(DeviceStage::NotRight) => (None, Some(CompanyProblem::Wrong(None))),
        Some(DeviceStage::TooWeak) => (None, Some(CompanyProblem::TooWeak)),
        Some(DeviceStage::Failed) => (None, Some(CompanyProblem::Failed)),
    };
    Ok(PushProofPage {
        frame: frame(web, browser, &view),
        step,
        steps,
        company: customers_provider(web),
        live: (state == Some(PushState::Waiting)).then(|| Live {
            events: format!("/c/prove/{name}/events"),
            from,
        }),
        sent: standing.zip(state).map(|(standing, state)| SentPush {
            message: standing.message,
            until: calendar.when(standing.until),
            state,
        }),
        other_ways: view.ways.len() > 1,
        problem: problem.or(came_of).or_else(|| closed(&way.state)),
        way,
    })
}

/// `POST /c/prove/{way}/ask`: asks the app on the customer's device.
pub async fn ask(
    State(web): State<Web>,
    browser: Browser,
    network: Network,
    Seat(seat): Seat,
    Path(name): Path<String>,
) -> Answer {
    network.take(&web.rates.answers)?;
    let problem = match web.gate.ask_device(&seat, &name).await {
        Ok(()) => return Ok(see_other(&format!("/c/prove/{name}"))),
        Err(ProofError::Case(CaseError::Refused(_))) => return Ok(see_other("/c")),
        Err(ProofError::Case(error)) => return Err(error.into()),
        Err(ProofError::NotAsked) => return Err(Problem::nothing_here()),
        Err(ProofError::TooSoon { again_at }) => {
            CompanyProblem::TooSoon(calendar(&web, &browser).when(again_at))
        }
        Err(ProofError::NoMoreCodes) => CompanyProblem::NoMore,
        Err(_) => CompanyProblem::Failed,
    };
    show_push(&web, &browser, &seat, &name, Some(problem)).await
}

/// `GET /c/prove/{way}/events`: how a push stands, as it changes, and when it runs out.
pub async fn push_events(
    State(web): State<Web>,
    Seat(seat): Seat,
    After(after): After,
    browser: Browser,
    Path(name): Path<String>,
) -> Answer {
    // Whoever may not see the page may not follow it either.
    drop(push_page(&web, &browser, &seat, &name, None).await?);
    let (all, case) = (web.clone(), seat.case().0.clone());
    let patches = news(&web, after)
        .then(move |at| {
            let (web, seat, browser, name) =
                (web.clone(), seat.clone(), browser.clone(), name.clone());
            async move {
                if web.gate.now() >= seat.until() {
                    return None;
                }
                let mut page = push_page(&web, &browser, &seat, &name, None).await.ok()?;
                // What it is over for stands on the page itself, which the link opens.
                if page.sent.is_none() {
                    page.sent = Some(SentPush {
                        message: String::new(),
                        until: web.calendar().when(web.gate.now()),
                        state: PushState::Over,
                    });
                }
                Some((at, page))
            }
        })
        .scan(Some(PushState::Waiting), |seen, next| {
            let state = next
                .as_ref()
                .and_then(|(_, page)| page.sent.as_ref())
                .map(|sent| sent.state);
            let changed = state != std::mem::replace(seen, state);
            std::future::ready(Some((changed, next)))
        })
        .flat_map(|(changed, next)| {
            stream::iter(match next {
                Some((at, page)) if changed => Some(Some(patch(at, &push_fragments(&page)))),
                Some(_) => None,
                None => Some(None),
            })
        });
    follow(&all, Listener::Seat(case), patches)
}

/// `GET /sign-in/company`: to the provider.
pub async fn sign_in(
    State(web): State<Web>,
    network: Network,
    Query(fields): Query<Fields>,
) -> Answer {
    network.take(&web.rates.ceremonies)?;
    let next = local_path(field(&fields, "next"));
    let again = field(&fields, "again") == "1";
    match web.gate.begin_company_sign_in(&next, again).await {
        Ok(begun) => {
            let mut response = see_other(&begun.url);
            let cookie = web.cookies.set_login(begun.browser.expose());
            response.headers_mut().append(header::SET_COOKIE, cookie);
            Ok(response)
        }
        Err(StaffError::CompanyUnavailable) => Ok(see_other("/sign-in?problem=company-away")),
        Err(error) => Err(error.into()),
    }
}

/// `GET /sign-in/company/back`: back from the provider. With an answer it is kept and leaves the address bar; without one
/// there is a button.
pub async fn sign_in_back(
    State(web): State<Web>,
    browser: Browser,
    network: Network,
    headers: HeaderMap,
    Query(answer): Query<ProviderAnswer>,
) -> Answer {
    let Some(company) = web.gate.company_sign_in().map(str::to_owned) else {
        return Err(Problem::nothing_here());
    };
    network.take(&web.rates.ceremonies)?;
    let token = web.cookies.login(&headers).unwrap_or_default();
    if !answer.state.is_empty() {
        web.gate.keep_company_sign_in(&token, &answer).await?;
        return Ok(see_other("/sign-in/company/back"));
    }
    let back = web.gate.company_sign_in_back(&token).await?.is_some();
    let page = CompanyBackPage {
        frame: public_frame(&web, &browser),
        organisation: web.gate.procedure().organisation.clone(),
        host: web.host(),
        company,
        back,
    };
    if back {
        html(&page)
    } else {
        html_with(StatusCode::GONE, &page)
    }
}

/// `POST /sign-in/company/finish`
pub async fn sign_in_finish(
    State(web): State<Web>,
    network: Network,
    headers: HeaderMap,
) -> Answer {
    network.take(&web.rates.ceremonies)?;
    let token = web.cookies.login(&headers).unwrap_or_default();
    let finished = web.gate.finish_company_sign_in(&token).await;
    let mut response: Response = match finished {
        Ok((session, next)) => {
            let mut response = see_other(&local_path(&next));
            let cookie = web.cookies.set_session(session.expose());
            response.headers_mut().append(header::SET_COOKIE, cookie);
            response
        }
        Err(StaffError::SignInOver) => see_other("/sign-in/company/back"),
        Err(StaffError::NoAccountHere) => see_other("/sign-in?problem=no-account"),
        Err(StaffError::CompanyUnavailable) => see_other("/sign-in?problem=company-away"),
        Err(StaffError::SignInNotAccepted) => see_other("/sign-in?problem=company-refused"),
        Err(error) => return Err(error.into()),
    };
    response
        .headers_mut()
        .append(header::SET_COOKIE, web.cookies.clear_login());
    Ok(response)
}

fn customers_provider(web: &Web) -> String {
    let login = web.gate.settings().company_login.as_ref();
    login.map_or_else(String::new, |login| login.name.clone())
}

fn closed(state: &ProofState) -> Option<CompanyProblem> {
    if let ProofState::Closed(until) = state {
        Some(CompanyProblem::Closed(until.clone()))
    } else {
        None
    }
}

fn status(problem: Option<&CompanyProblem>) -> StatusCode {
    if problem.is_some() {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    }
}

/// Whether the company is asked, by a page of this module or [`check`], and nothing is typed.
pub fn is_asked_here(method: ProofMethod) -> bool {
    matches!(
        method,
        ProofMethod::Company | ProofMethod::Push | ProofMethod::Check
    )
}

/// `GET /c/prove/{way}` for these ways, once it is known that it is open.
pub async fn show(
    web: &Web,
    browser: &Browser,
    seat: &CustomerSeat,
    name: &str,
    method: ProofMethod,
) -> Answer {
    match method {
        ProofMethod::Push => show_push(web, browser, seat, name, None).await,
        ProofMethod::Check => check::show(web, browser, seat, name, None).await,
        _ => show_sign_in(web, browser, seat, name, None).await,
    }
}
