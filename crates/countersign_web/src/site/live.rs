//! Server-sent events: finished HTML of the parts that changed, never the words, never a form.

use std::convert::Infallible;
use std::future::ready;
use std::time::Duration;

use axum::extract::{FromRequestParts, State};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use countersign_service::adapters::secrets::Secret;
use futures_util::{Stream, StreamExt as _};

use super::{Answer, Desk, Fields, approvals, cases, customer, desk, field, panel};
use crate::Web;
use crate::api::cases::case_id;
use crate::body::{Path, Query};
use crate::callers::{Caller, Panel, Seat};
use crate::limits::{Listener, Listening};
use crate::pages::{
    ApprovalsTab, DeskTab, approvals_fragments, case_fragments, customer_done_fragments,
    desk_fragments, panel_case_fragments,
};
use crate::problem::Problem;

/// A comment this often keeps proxies from closing a quiet stream.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// A list is rendered again at most this often, however much happens.
const BREATH: Duration = Duration::from_millis(500);

/// What the reader has seen already: `Last-Event-ID` of a browser that comes back, or `after` of a page just loaded.
#[derive(Debug, Clone, Copy)]
pub struct After(pub(super) u64);

impl<S: Send + Sync> FromRequestParts<S> for After {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let last = parts.headers.get("last-event-id");
        if let Some(seen) = last
            .and_then(|id| id.to_str().ok())
            .and_then(|id| id.parse().ok())
        {
            return Ok(Self(seen));
        }
        let Query(fields) = Query::<Fields>::from_request_parts(parts, state).await?;
        Ok(Self(field(&fields, "after").parse().unwrap_or(0)))
    }
}

/// `GET /cases/{id}/events`
pub async fn case(
    State(web): State<Web>,
    viewer: Desk,
    After(after): After,
    Path(id): Path<String>,
) -> Answer {
    let case = case_id(&id)?;
    // Whoever may not read the case may not follow it either.
    drop(web.gate.case_view(&viewer.staff, &case).await?);
    let versions = web.gate.case_versions(&case).await?;
    let who = Listener::Staff(viewer.staff.account().to_owned());
    let all = web.clone();
    let patches = versions
        .into_stream()
        .filter(move |version| ready(*version > after))
        .then(move |version| {
            let (web, id, viewer) = (web.clone(), id.clone(), viewer.clone());
            async move {
                let viewer = viewer.still_here(&web).await?;
                let page = cases::case_page(&web, &viewer, &id).await.ok()?;
                Some(patch(version, &case_fragments(&page)))
            }
        });
    stream(&all, who, patches)
}

/// `GET /panel/cases/{id}/events`
pub async fn panel_case(
    State(web): State<Web>,
    browser: super::Browser,
    viewer: Panel,
    headers: HeaderMap,
    After(after): After,
    Path(id): Path<String>,
) -> Answer {
    let versions = web
        .gate
        .panel(&viewer.0)
        .case_versions(&case_id(&id)?)
        .await?;
    let token = web.cookies.panel(&headers).map(Secret::new);
    let who = Listener::Staff(viewer.0.account().to_owned());
    let all = web.clone();
    let patches = versions
        .into_stream()
        .filter(move |version| ready(*version > after))
        .then(move |version| {
            let (web, browser, id, token) =
                (web.clone(), browser.clone(), id.clone(), token.clone());
            async move {
                // Signed out of the panel: the stream ends.
                let by = web
                    .gate
                    .panel_session(token?.expose_text(), false)
                    .await
                    .ok()??;
                let page = panel::case_page(&web, &browser, &by, &id).await.ok()?;
                Some(patch(version, &panel_case_fragments(&page)))
            }
        });
    stream(&all, who, patches)
}

/// A list that is rendered again whenever something happens.
#[derive(Debug, Clone, Copy)]
enum List {
    Desk(DeskTab),
    Approvals(ApprovalsTab),
}

impl List {
    async fn fragments(self, web: &Web, viewer: &Desk) -> Option<String> {
        Some(match self {
            Self::Desk(tab) => desk_fragments(&desk::page(web, viewer, tab).await.ok()?),
            Self::Approvals(tab) => {
                approvals_fragments(&approvals::page(web, viewer, tab, "").await.ok()?)
            }
        })
    }

    fn follow(self, web: &Web, viewer: &Desk, after: u64) -> Answer {
        works_on_cases(viewer)?;
        let who = Listener::Staff(viewer.staff.account().to_owned());
        let (all, web, viewer) = (web, web.clone(), viewer.clone());
        let patches = news(&web, after).then(move |at| {
            let (web, viewer) = (web.clone(), viewer.clone());
            async move {
                let viewer = viewer.still_here(&web).await?;
                Some(patch(at, &self.fragments(&web, &viewer).await?))
            }
        });
        stream(all, who, patches)
    }
}

/// `GET /desk/events?show=`
pub async fn desk_list(
    State(web): State<Web>,
    viewer: Desk,
    After(after): After,
    Query(fields): Query<Fields>,
) -> Answer {
    List::Desk(desk::tab(field(&fields, "show"))).follow(&web, &viewer, after)
}

/// `GET /approvals/events?show=`
pub async fn approvals_list(
    State(web): State<Web>,
    viewer: Desk,
    After(after): After,
    Query(fields): Query<Fields>,
) -> Answer {
    List::Approvals(approvals::tab(field(&fields, "show"))).follow(&web, &viewer, after)
}

/// Who has no role in the procedure has no lists either.
fn works_on_cases(viewer: &Desk) -> Result<(), Problem> {
    if viewer.staff.roles().is_empty() {
        return Err(Problem::not_yours().detail("it needs `staff`"));
    }
    Ok(())
}

/// `GET /c/events`
pub async fn seat(
    State(web): State<Web>,
    Seat(seat): Seat,
    After(after): After,
    browser: super::Browser,
) -> Answer {
    let versions = web.gate.case_versions(seat.case()).await?;
    let who = Listener::Seat(seat.case().0.clone());
    let all = web.clone();
    let patches = versions
        .into_stream()
        .filter(move |version| ready(*version > after))
        .then(move |version| {
            let (web, seat, browser) = (web.clone(), seat.clone(), browser.clone());
            async move {
                if web.gate.now() >= seat.until() {
                    return None;
                }
                let page = customer::done_page(&web, &browser, &seat).await.ok()?;
                Some(patch(version, &customer_done_fragments(&page)))
            }
        });
    stream(&all, who, patches)
}

/// `GET /v1/cases/{case}/events`: the version of a case, whenever it changed.
pub async fn api(
    State(web): State<Web>,
    caller: Caller,
    token: Option<SessionToken>,
    After(after): After,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let case = case_id(&id)?;
    let token = match &caller {
        Caller::Staff(staff) => {
            drop(web.gate.case_view(staff, &case).await?);
            token
        }
        Caller::Machine(machine) => {
            drop(web.gate.case_view_for_machine(machine, &case).await?);
            None
        }
    };
    let versions = web.gate.case_versions(&case).await?;
    let who = match &caller {
        Caller::Staff(staff) => Listener::Staff(staff.account().to_owned()),
        Caller::Machine(machine) => Listener::Machine(machine.name().to_owned()),
    };
    let all = web.clone();
    let changes = versions
        .into_stream()
        .filter(move |version| ready(*version > after))
        .then(move |version| {
            let (web, token) = (web.clone(), token.clone());
            async move {
                if let Some(token) = token {
                    token.still_counts(&web).await?;
                }
                let change = Event::default()
                    .event("changed")
                    .id(version.to_string())
                    .data(format!("{{\"version\":{version}}}"));
                Some(change)
            }
        });
    stream(&all, who, changes)
}

/// The token a member of staff is signed in with, to be looked at again as long as a stream lasts.
#[derive(Debug, Clone)]
pub struct SessionToken(Secret);

impl SessionToken {
    /// As sent.
    pub fn new(token: String) -> Self {
        Self(Secret::new(token))
    }

    /// Who holds it, if it still counts; does not keep the session alive.
    pub async fn still_counts(&self, web: &Web) -> Option<countersign_service::SignedInStaff> {
        web.gate
            .staff_session_still(self.0.expose_text())
            .await
            .ok()?
    }
}

impl axum::extract::OptionalFromRequestParts<Web> for SessionToken {
    type Rejection = Infallible;

    async fn from_request_parts(
        parts: &mut Parts,
        web: &Web,
    ) -> Result<Option<Self>, Self::Rejection> {
        Ok(crate::callers::session_token(&parts.headers, web).map(Self::new))
    }
}

/// Positions of the journal after this one, the newest of each burst.
pub(super) fn news(web: &Web, after: u64) -> impl Stream<Item = u64> + Send + use<> {
    let mut receiver = web.gate.news();
    receiver.mark_changed();
    futures_util::stream::unfold((receiver, false), async |(mut receiver, sent)| {
        if sent {
            tokio::time::sleep(BREATH).await;
        }
        receiver.changed().await.ok()?;
        let at = *receiver.borrow_and_update();
        Some((at, (receiver, true)))
    })
    .filter(move |at| ready(*at > after))
}

pub(super) fn patch(at: u64, html: &str) -> Event {
    Event::default()
        .event("patch")
        .id(at.to_string())
        .data(html.replace('\r', ""))
}

/// Ends with the first `None`: the reader signed out, or may no longer see it. The browser then asks again and is told.
/// Ends as well when the program does; the reader then comes back to the next one, not all at the same moment.
///
/// # Errors
/// 503: there are enough streams already.
pub(super) fn stream(
    web: &Web,
    who: Listener,
    events: impl Stream<Item = Option<Event>> + Send + 'static,
) -> Result<Response, Problem> {
    let place = Listening::begin(web, who)?;
    let come_back = Event::default().retry(come_back(&web.fresh_key()));
    let last = web.clone();
    let last = futures_util::stream::once(async move { last.is_ending().then_some(come_back) })
        .filter_map(ready);
    let events = events
        .take_while(|event| ready(event.is_some()))
        .filter_map(ready)
        .take_until(web.ended())
        .chain(last)
        .map(move |event| {
            // Held as long as anybody reads.
            let _ = &place;
            Ok::<_, Infallible>(event)
        });
    let mut response = Sse::new(events)
        .keep_alive(KeepAlive::new().interval(KEEP_ALIVE))
        .into_response();
    response.headers_mut().insert(
        "x-accel-buffering",
        axum::http::HeaderValue::from_static("no"),
    );
    Ok(response)
}

/// Half a second to two and a half, by chance: a thousand readers do not come back at once.
fn come_back(key: &str) -> Duration {
    let chance = u64::from_str_radix(key.get(..8).unwrap_or_default(), 16).unwrap_or_default();
    Duration::from_millis(500 + chance % 2_000)
}
