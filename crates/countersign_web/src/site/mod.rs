//! The pages: one file an area. A handler asks the service, fills in a view struct of [`crate::pages`], and renders it.
//!
//! Refusals come back as [`Problem`] like everywhere; [`as_page`] turns them
//! into pages for whoever did not ask for JSON.

pub mod approvals;
pub mod audit;
pub mod cases;
pub mod check;
pub mod company;
pub mod customer;
pub mod customers;
pub mod desk;
pub mod drills;
pub mod enrol;
pub mod incidents;
pub mod language;
pub mod live;
pub mod new_case;
pub mod panel;
pub mod procedures;
pub mod proposal;
pub mod reference;
pub mod settings;
pub mod sign_in;
pub mod statistics;
pub mod status;
pub mod stop;
pub mod talking;
pub mod verify;

use std::collections::BTreeMap;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};
use countersign_service::settings::ConsoleRole;
use countersign_service::{Language, SignedInStaff};

use self::live::SessionToken;
use crate::Web;
use crate::callers::{Staff, cookie};
use crate::headers::see_other;
use crate::pages::{
    self, CustomerErrorPage, CustomerFrame, Page, Person, Section, StaffErrorPage, StaffFrame,
    Theme,
};
use crate::present::Calendar;
use crate::problem::Problem;

/// What page handlers answer.
pub type Answer = Result<Response, Problem>;

/// Fields of a form, by name. Handlers read the ones they know; what they do not know changes nothing.
pub type Fields = BTreeMap<String, String>;

/// A page as an answer.
pub fn html<P: Page>(page: &P) -> Answer {
    html_with(StatusCode::OK, page)
}

/// A page as an answer with another status.
pub fn html_with<P: Page>(status: StatusCode, page: &P) -> Answer {
    match page.render() {
        Ok(html) => Ok((status, Html(html)).into_response()),
        Err(error) => {
            tracing::error!(page = P::NAME, error = %error, "a page could not be rendered");
            Err(Problem::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "page-not-rendered",
                "This page could not be shown",
            ))
        }
    }
}

/// What the browser told about itself: colours, shortcuts, and where it is.
#[derive(Debug, Clone)]
pub struct Browser {
    theme: Theme,
    shortcuts: bool,
    here: String,
    language: Language,
}

impl Browser {
    /// As its headers say; `otherwise` where they name no language the gate speaks.
    pub fn of(headers: &HeaderMap, here: String, otherwise: Language) -> Self {
        let theme = match cookie(headers, "theme").as_deref() {
            Some("light") => Theme::Light,
            Some("dark") => Theme::Dark,
            _ => Theme::System,
        };
        Self {
            theme,
            shortcuts: cookie(headers, "shortcuts").as_deref() != Some("off"),
            here,
            language: Language::chosen(
                cookie(headers, "language").as_deref(),
                headers
                    .get(header::ACCEPT_LANGUAGE)
                    .and_then(|value| value.to_str().ok()),
                otherwise,
            ),
        }
    }

    /// What the customer reads.
    pub fn language(&self) -> Language {
        self.language
    }

    /// The customer's page this is, or that the form on it belongs to: where one is after choosing another language.
    fn customer_page(&self) -> String {
        match self.here.as_str() {
            "/c/yes" | "/c/no" | "/c/run" | "/c/language" => "/c".to_owned(),
            here => here.strip_suffix("/send").unwrap_or(here).to_owned(),
        }
    }
}

impl Browser {
    /// The path it is at, without a query.
    pub fn path(&self) -> &str {
        self.here.split('?').next().unwrap_or_default()
    }
}

impl FromRequestParts<Web> for Browser {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Self::Rejection> {
        let here = parts
            .uri
            .path_and_query()
            .map_or_else(String::new, ToString::to_string);
        Ok(Self::of(&parts.headers, here, web.gate.settings().language))
    }
}

/// A signed-in member of staff with everything a page needs round its content.
#[derive(Debug, Clone)]
pub struct Desk {
    /// Who.
    pub staff: SignedInStaff,
    /// The frame; `current` is filled in by the handler.
    pub frame: StaffFrame,
    /// The moment of the page.
    pub calendar: Calendar,
    session: SessionToken,
}

impl Desk {
    /// The frame with this section open.
    pub fn frame(&self, current: Option<Section>) -> StaffFrame {
        StaffFrame {
            current,
            ..self.frame.clone()
        }
    }
}

impl Desk {
    /// The same person at this moment, for a page that is rendered again; `None` once they are signed out.
    pub async fn still_here(self, web: &Web) -> Option<Self> {
        let staff = self.session.still_counts(web).await?;
        let waiting = web.gate.waiting_for_sign_off(&staff).await.ok()?;
        let mut frame = self.frame;
        frame.approvals_waiting = u32::try_from(waiting).unwrap_or(u32::MAX);
        Some(Self {
            staff,
            frame,
            calendar: web.calendar(),
            session: self.session,
        })
    }
}

impl FromRequestParts<Web> for Desk {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Problem> {
        let session = crate::callers::session_token(&parts.headers, web)
            .map(SessionToken::new)
            .ok_or_else(Problem::sign_in)?;
        let Staff(staff) = Staff::from_request_parts(parts, web).await?;
        let Ok(browser) = Browser::from_request_parts(parts, web).await;
        let waiting = web.gate.waiting_for_sign_off(&staff).await?;
        let mut frame = public_frame(web, &browser);
        frame.approvals_waiting = u32::try_from(waiting).unwrap_or(u32::MAX);
        frame.person = Some(Person {
            name: staff.name().to_owned(),
            role: role_label(web, &staff),
        });
        frame.sections = sections(&staff, web.gate.reads_incidents(&staff));
        Ok(Self {
            staff,
            frame,
            calendar: web.calendar(),
            session,
        })
    }
}

/// The pages somebody may open.
fn sections(staff: &SignedInStaff, incidents: bool) -> Vec<Section> {
    let auditor = staff.has(ConsoleRole::Auditor);
    let works = !staff.roles().is_empty();
    [
        (Section::Desk, works),
        (Section::Approvals, works),
        (Section::Customers, works),
        (Section::Procedures, true),
        (Section::Statistics, works || auditor),
        (Section::Incidents, incidents),
        (Section::Audit, auditor),
    ]
    .into_iter()
    .filter_map(|(section, may)| may.then_some(section))
    .collect()
}

/// The frame of a page where nobody is signed in.
pub fn public_frame(web: &Web, browser: &Browser) -> StaffFrame {
    StaffFrame {
        lang: "en".to_owned(),
        theme: browser.theme,
        person: None,
        sections: Vec::new(),
        current: None,
        approvals_waiting: 0,
        banner: web.demo.clone().map(pages::Banner::Demo),
        idempotency_key: web.fresh_key(),
        here: browser.here.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        shortcuts: browser.shortcuts,
    }
}

/// The frame of a customer's page.
pub fn customer_frame(web: &Web, browser: &Browser) -> CustomerFrame {
    CustomerFrame {
        language: browser.language,
        own_language: web.gate.settings().language,
        here: browser.customer_page(),
        theme: browser.theme,
        organisation: web.gate.procedure().organisation.clone(),
        reference: None,
        case: None,
        phone: None,
        can_stop: false,
        works_until: None,
        more_time: false,
        demo: web.demo.clone(),
        proven: None,
        asks_who: false,
        idempotency_key: web.fresh_key(),
    }
}

fn role_label(web: &Web, staff: &SignedInStaff) -> String {
    let procedure = web.gate.procedure();
    let highest = staff
        .roles()
        .iter()
        .filter_map(|name| procedure.role_named(name))
        .filter_map(|id| procedure.roles.get(id.index()))
        .max_by_key(|role| role.includes.len());
    match highest {
        Some(role) => crate::present::sentence_case(&role.label),
        None if staff.has(ConsoleRole::Admin) => "Admin".to_owned(),
        None => "Auditor".to_owned(),
    }
}

/// Turns a problem document into a page for a browser that did not ask for JSON.
pub async fn as_page(State(web): State<Web>, request: Request, next: Next) -> Response {
    let wants_json = request
        .headers()
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|accept| accept.contains("application/json"));
    let path = request.uri().path().to_owned();
    let api = path.starts_with("/v1/")
        || path.starts_with("/ledger/")
        || path.starts_with("/.well-known/");
    let browser = Browser::of(
        request.headers(),
        request
            .uri()
            .path_and_query()
            .map_or_else(String::new, ToString::to_string),
        web.gate.settings().language,
    );
    let reading = matches!(*request.method(), Method::GET | Method::HEAD);
    let response = next.run(request).await;
    if api || wants_json {
        return response;
    }
    let Some(problem) = response.extensions().get::<Problem>().cloned() else {
        return response;
    };
    let framed = panel::is_framed(&path);
    // Somebody else's page sent the frame to an address inside the panel, or the session is over: begin at the door.
    if framed
        && reading
        && path != "/panel"
        && (problem.status == 401 || &*problem.code == "cross-site")
    {
        return see_other("/panel");
    }
    if problem.status == 401 && reading {
        return see_other(&format!("/sign-in?next={}", pages::encode(&browser.here)));
    }
    let status = response.status();
    let customers = path == "/c"
        || path == talking::PATH
        || status::is_public(&path)
        || ["/c/", "/v/", "/receipts/"]
            .iter()
            .any(|under| path.starts_with(under));
    let calendar = if customers {
        web.calendar().spoken(browser.language())
    } else {
        web.calendar()
    };
    let shown = shown(&calendar, &problem, &browser);
    let reference =
        (problem.status >= 500).then(|| web.fresh_key().chars().take(6).collect::<String>());
    let page = if framed {
        panel::problem(&web, &browser, status, shown, reference)
    } else if customers {
        html_with(
            status,
            &CustomerErrorPage {
                frame: customer_frame(&web, &browser),
                problem: shown,
                reference,
            },
        )
    } else {
        html_with(
            status,
            &StaffErrorPage {
                frame: public_frame(&web, &browser),
                problem: shown,
                reference,
            },
        )
    };
    let mut page = page.unwrap_or(response);
    if let Some(seconds) = problem.retry_after_seconds {
        page.headers_mut()
            .insert(header::RETRY_AFTER, header::HeaderValue::from(seconds));
    }
    page
}

fn shown(calendar: &Calendar, problem: &Problem, browser: &Browser) -> pages::Problem {
    match (problem.status, &*problem.code) {
        (_, "cross-site") => pages::Problem::Elsewhere,
        (400 | 408 | 413 | 415 | 422, _) => pages::Problem::Unreadable,
        (401, _) => pages::Problem::SignIn {
            next: browser.here.clone(),
        },
        (403, _) => pages::Problem::Role {
            // `Problem::not_yours` names it between backticks.
            needs: problem
                .detail
                .as_deref()
                .and_then(|detail| detail.split('`').nth(1))
                .unwrap_or("another one")
                .to_owned(),
            have: String::new(),
        },
        (404 | 405, _) => pages::Problem::Nothing,
        (409, _) => pages::Problem::Changed {
            href: browser.here.clone(),
        },
        (410, _) => pages::Problem::Gone,
        (429, _) => pages::Problem::TooMany(
            calendar.when(
                calendar
                    .now()
                    .plus_seconds(problem.retry_after_seconds.unwrap_or(60)),
            ),
        ),
        (503, _) => pages::Problem::Busy,
        (_, "outcome-uncertain") => pages::Problem::NotCertain {
            check: browser.here.clone(),
        },
        _ => pages::Problem::NotDone,
    }
}

/// A field of a form, trimmed; empty if it is not there.
pub fn field<'a>(fields: &'a Fields, name: &str) -> &'a str {
    fields.get(name).map_or("", |value| value.trim())
}

/// A path of the gate to go back to; anything else is the start page.
pub fn local_path(wanted: &str) -> String {
    // Browsers drop tabs and line ends from addresses, and take a backslash for a slash.
    let safe = wanted.starts_with('/')
        && !wanted.starts_with("//")
        && !wanted.contains(|c: char| c == '\\' || c.is_control());
    if safe {
        wanted.to_owned()
    } else {
        "/".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_never_goes_on_to_another_site() {
        assert_eq!(local_path("/cases/CS-7F3K9Q?x=1"), "/cases/CS-7F3K9Q?x=1");
        for elsewhere in [
            "",
            "https://evil.example/",
            "//evil.example/",
            "/\\evil.example",
            "/\t/evil.example",
            "/\0/evil.example",
            "javascript:alert(1)",
            "/a\r\nSet-Cookie: x",
        ] {
            assert_eq!(local_path(elsewhere), "/", "{elsewhere}");
        }
    }
}
