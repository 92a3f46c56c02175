//! Server-sent events: finished HTML of the parts that changed, never the words, never a form.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use futures_util::{Stream, StreamExt as _};

use super::{Answer, Desk, Fields, approvals, cases, customer, desk, field};
use crate::Web;
use crate::api::cases::case_id;
use crate::body::{Path, Query};
use crate::callers::{Caller, Seat};
use crate::pages::{approvals_fragments, case_fragments, customer_done_fragments, desk_fragments};
use crate::problem::Problem;

/// A comment this often keeps proxies from closing a quiet stream.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// `GET /cases/{id}/events`
pub async fn case(
    State(web): State<Web>,
    viewer: Desk,
    Path(id): Path<String>,
    Query(fields): Query<Fields>,
) -> Answer {
    let after = position(&fields);
    let versions = web.gate.case_versions(&case_id(&id)?).await?;
    let patches = versions
        .into_stream()
        .filter(move |version| std::future::ready(*version > after))
        .filter_map(move |version| {
            let (web, id, viewer) = (web.clone(), id.clone(), viewer.again(&web));
            async move {
                cases::case_page(&web, &viewer, &id)
                    .await
                    .ok()
                    .map(|page| patch(version, &case_fragments(&page)))
            }
        });
    Ok(stream(patches))
}

/// `GET /desk/events?show=`
pub async fn desk_list(
    State(web): State<Web>,
    viewer: Desk,
    Query(fields): Query<Fields>,
) -> Answer {
    let tab = desk::tab(field(&fields, "show"));
    let patches = news(&web, position(&fields)).filter_map(move |at| {
        let (web, viewer) = (web.clone(), viewer.again(&web));
        async move {
            desk::page(&web, &viewer, tab)
                .await
                .ok()
                .map(|page| patch(at, &desk_fragments(&page)))
        }
    });
    Ok(stream(patches))
}

/// `GET /approvals/events?show=`
pub async fn approvals_list(
    State(web): State<Web>,
    viewer: Desk,
    Query(fields): Query<Fields>,
) -> Answer {
    let tab = approvals::tab(field(&fields, "show"));
    let patches = news(&web, position(&fields)).filter_map(move |at| {
        let (web, viewer) = (web.clone(), viewer.again(&web));
        async move {
            approvals::page(&web, &viewer, tab)
                .await
                .ok()
                .map(|page| patch(at, &approvals_fragments(&page)))
        }
    });
    Ok(stream(patches))
}

/// `GET /c/events`
pub async fn seat(
    State(web): State<Web>,
    Seat(seat): Seat,
    browser: super::Browser,
    Query(fields): Query<Fields>,
) -> Answer {
    let after = position(&fields);
    let versions = web.gate.case_versions(seat.case()).await?;
    let patches = versions
        .into_stream()
        .filter(move |version| std::future::ready(*version > after))
        .filter_map(move |version| {
            let (web, seat, browser) = (web.clone(), seat.clone(), browser.clone());
            async move {
                customer::done_page(&web, &browser, &seat)
                    .await
                    .ok()
                    .map(|page| patch(version, &customer_done_fragments(&page)))
            }
        });
    Ok(stream(patches))
}

/// `GET /v1/cases/{case}/events`: the version and state of a case, whenever it changed.
pub async fn api(
    State(web): State<Web>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let case = case_id(&id)?;
    // Whoever may not read the case may not follow it either.
    match &caller {
        Caller::Staff(staff) => drop(web.gate.case_view(staff, &case).await?),
        Caller::Machine(machine) => drop(web.gate.case_view_for_machine(machine, &case).await?),
    }
    let versions = web.gate.case_versions(&case).await?;
    let changes = versions.into_stream().map(|version| {
        Event::default()
            .event("changed")
            .id(version.to_string())
            .data(format!("{{\"version\":{version}}}"))
    });
    Ok(stream(changes))
}

/// Positions of the journal after this one, the newest of each burst.
fn news(web: &Web, after: u64) -> impl Stream<Item = u64> + Send + use<> {
    let mut receiver = web.gate.news();
    receiver.mark_changed();
    futures_util::stream::unfold(receiver, async |mut receiver| {
        receiver.changed().await.ok()?;
        let at = *receiver.borrow_and_update();
        Some((at, receiver))
    })
    .filter(move |at| std::future::ready(*at > after))
}

fn position(fields: &Fields) -> u64 {
    field(fields, "after").parse().unwrap_or(0)
}

fn patch(at: u64, html: &str) -> Event {
    Event::default()
        .event("patch")
        .id(at.to_string())
        .data(html.replace('\r', ""))
}

fn stream(events: impl Stream<Item = Event> + Send + 'static) -> Response {
    let mut response = Sse::new(events.map(Ok::<_, Infallible>))
        .keep_alive(KeepAlive::new().interval(KEEP_ALIVE))
        .into_response();
    response.headers_mut().insert(
        "x-accel-buffering",
        axum::http::HeaderValue::from_static("no"),
    );
    response
}
