//! `/panel`: the small desk that a help desk shows beside a ticket, in a frame.
//!
//! What the surrounding page says is not believed: a ticket number is written
//! down, a name only fills in the search field, and the customer is chosen
//! from our own look-up. Every form carries the token of its session
//! ([`PanelForm`]), because the panel's cookie goes along from another site's
//! page. Whatever runs, signs, declines or ends a case opens in a window of
//! our own, where nobody can lay anything over the button.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::Response;
use countersign_cases::{CustomerId, Refusal, State as CaseState};
use countersign_service::{CaseError, CaseView, CustomerView, DeskRow, PanelStaff, StaffError};

use super::cases::{bar_count, bar_next, needs_link, notice, number_to_match, say, spoken};
use super::customers::hit;
use super::desk::state_of;
use super::new_case::{
    act_before, action_of, checked, chosen_of, closed, hidden, parameter_fields, parameters,
    request_of, why_blocked,
};
use super::{Answer, Browser, Desk, Fields, field, html, html_with, public_frame};
use crate::Web;
use crate::api::cases::case_id;
use crate::body::{Form, Path, Query};
use crate::callers::{Panel, PanelForm, SameOrigin};
use crate::headers::see_other;
use crate::network::Network;
use crate::pages::{
    ChosenCustomer, CustomerLink, Errors, FieldError, Live, Obstacle, PanelAction, PanelCase,
    PanelCasePage, PanelCheckPage, PanelCustomerPage, PanelDoorPage, PanelErrorPage, PanelFrame,
    PanelNewPage, PanelPage, PanelPassPage, Pill,
};
use crate::present::{Calendar, pill, sentence_case, words};
use crate::problem::Problem;

/// Whether this address belongs into a frame. The window in which one signs in does not.
pub fn is_framed(path: &str) -> bool {
    let inside = path == "/panel" || path.starts_with("/panel/");
    inside && path != "/panel/sign-in" && path != "/panel/pass"
}

/// `GET /panel`: where to search; or, for somebody who is not signed in here, the door.
pub async fn home(
    State(web): State<Web>,
    browser: Browser,
    caller: Result<Panel, Problem>,
    Query(fields): Query<Fields>,
) -> Answer {
    match caller {
        Ok(Panel(by)) => {
            let page = searching(&web, &browser, &by, "", ticket(&fields)).await?;
            html(&page)
        }
        Err(problem) if problem.status == StatusCode::UNAUTHORIZED.as_u16() => {
            html(&door(&web, &browser, Errors::default()))
        }
        Err(problem) => Err(problem),
    }
}

fn door(web: &Web, browser: &Browser, errors: Errors) -> PanelDoorPage {
    PanelDoorPage {
        frame: frame(web, browser, None),
        host: web.host(),
        errors,
    }
}

/// `POST /panel/enter`: the code from the sign-in window.
pub async fn enter(
    State(web): State<Web>,
    browser: Browser,
    network: Network,
    _: SameOrigin,
    Form(fields): Form<Fields>,
) -> Answer {
    network.take(&web.rates.ceremonies)?;
    match web.gate.enter_panel(field(&fields, "code")).await {
        Ok(token) => {
            let mut response = see_other("/panel");
            response
                .headers_mut()
                .append(header::SET_COOKIE, web.cookies.set_panel(token.expose()));
            Ok(response)
        }
        Err(StaffError::PassGone) => {
            let errors = Errors(vec![FieldError {
                field: "code".to_owned(),
                message: "This code does not work. Take another in the sign-in window.".to_owned(),
            }]);
            html_with(
                StatusCode::UNPROCESSABLE_ENTITY,
                &door(&web, &browser, errors),
            )
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /panel/sign-out`
pub async fn leave(State(web): State<Web>, form: PanelForm) -> Answer {
    web.gate.leave_panel(&form.by).await?;
    let mut response = see_other("/panel");
    response
        .headers_mut()
        .append(header::SET_COOKIE, web.cookies.clear_panel());
    Ok(response)
}

/// `GET /panel/sign-in`, in a window of our own: whoever is signed in to the desk takes a code for the panel.
pub async fn sign_in(desk: Desk) -> Answer {
    html(&PanelPassPage {
        frame: desk.frame(None),
        code: None,
    })
}

/// `POST /panel/pass`
pub async fn pass(State(web): State<Web>, desk: Desk) -> Answer {
    let pass = web.gate.panel_pass(&desk.staff).await?;
    html(&PanelPassPage {
        frame: desk.frame(None),
        code: Some((pass.shown(), desk.calendar.when(pass.until))),
    })
}

/// `POST /panel`: who is searched for may be somebody's address, so it stands in no URL.
pub async fn search(
    State(web): State<Web>,
    browser: Browser,
    network: Network,
    form: PanelForm,
) -> Answer {
    network.take(&web.rates.searches)?;
    let query = field(&form.fields, "q");
    html(&searching(&web, &browser, &form.by, query, ticket(&form.fields)).await?)
}

async fn searching(
    web: &Web,
    browser: &Browser,
    by: &PanelStaff,
    query: &str,
    ticket: String,
) -> Result<PanelPage, Problem> {
    let calendar = web.calendar();
    let found = if query.chars().count() < 3 {
        Vec::new()
    } else {
        web.gate.panel(by).find_customers(query).await?
    };
    Ok(PanelPage {
        frame: frame(web, browser, Some(by)),
        query: query.to_owned(),
        ticket,
        found: found.iter().map(|view| hit(view, &calendar)).collect(),
        cases: mine(web, by, None, &calendar).await?,
        hints_from: web.panel.joined(),
    })
}

async fn mine(
    web: &Web,
    by: &PanelStaff,
    of: Option<&CustomerId>,
    calendar: &Calendar,
) -> Result<Vec<PanelCase>, Problem> {
    let row = |row: &DeskRow| PanelCase {
        id: row.case.0.clone(),
        what: row.action_label.clone(),
        customer: row.customer_name.clone(),
        pill: Pill {
            state: state_of(row, calendar),
        },
    };
    Ok(web
        .gate
        .panel(by)
        .my_cases(of)
        .await?
        .iter()
        .map(row)
        .collect())
}

/// `GET /panel/customers/{id}`: chosen from our own look-up, masked and counted.
pub async fn customer(
    State(web): State<Web>,
    browser: Browser,
    Panel(by): Panel,
    Path(id): Path<String>,
    Query(fields): Query<Fields>,
) -> Answer {
    let customer = CustomerId(id);
    let (chosen, _) = chosen(&web, &by, &customer).await?;
    let procedure = web.gate.procedure();
    let actions = procedure
        .actions
        .iter()
        .filter(|action| !action.outside)
        .map(|action| PanelAction {
            name: action.name.clone(),
            label: action.label.clone(),
            blocked: why_blocked(&procedure, action, by.roles()),
        })
        .collect();
    html(&PanelCustomerPage {
        frame: frame(&web, &browser, Some(&by)),
        cases: mine(&web, &by, Some(&customer), &web.calendar()).await?,
        customer: chosen,
        ticket: ticket(&fields),
        actions,
    })
}

async fn chosen(
    web: &Web,
    by: &PanelStaff,
    customer: &CustomerId,
) -> Result<(ChosenCustomer, CustomerView), Problem> {
    let view = web.gate.panel(by).look_up_customer(customer).await?;
    Ok((chosen_of(&view, &web.calendar()), view))
}

/// `GET /panel/new?customer=ID&action=NAME&ticket=`
pub async fn new_case(
    State(web): State<Web>,
    browser: Browser,
    Panel(by): Panel,
    Query(mut fields): Query<Fields>,
) -> Answer {
    let ticket = ticket(&fields);
    fields.insert("reference".to_owned(), ticket);
    html(&details(&web, &browser, &by, &fields, Errors::default()).await?)
}

async fn details(
    web: &Web,
    browser: &Browser,
    by: &PanelStaff,
    fields: &Fields,
    errors: Errors,
) -> Result<PanelNewPage, Problem> {
    let procedure = web.gate.procedure();
    let action = action_of(&procedure, fields)?;
    let (customer, _) = chosen(web, by, &customer_of(fields)).await?;
    Ok(PanelNewPage {
        frame: frame(web, browser, Some(by)),
        customer,
        action: action.name.clone(),
        action_label: action.label.clone(),
        fields: parameter_fields(action, fields),
        reason: field(fields, "reason").to_owned(),
        reference: field(fields, "reference").to_owned(),
        errors,
    })
}

/// `POST /panel/check`: the words, before anything is opened.
pub async fn check(State(web): State<Web>, browser: Browser, form: PanelForm) -> Answer {
    let PanelForm { by, fields } = form;
    let procedure = web.gate.procedure();
    let errors = checked(action_of(&procedure, &fields)?, &fields);
    if errors.is_empty() {
        html(&words_page(&web, &browser, &by, &fields, None).await?)
    } else {
        html_with(
            StatusCode::UNPROCESSABLE_ENTITY,
            &details(&web, &browser, &by, &fields, Errors(errors)).await?,
        )
    }
}

async fn words_page(
    web: &Web,
    browser: &Browser,
    by: &PanelStaff,
    fields: &Fields,
    obstacle: Option<Obstacle>,
) -> Result<PanelCheckPage, Problem> {
    let procedure = web.gate.procedure();
    let action = action_of(&procedure, fields)?;
    let (customer, _) = chosen(web, by, &customer_of(fields)).await?;
    Ok(PanelCheckPage {
        frame: frame(web, browser, Some(by)),
        customer,
        act: act_before(&procedure, action, &parameters(action, fields)),
        hidden: hidden(action, fields),
        obstacle,
    })
}

/// `POST /panel/cases`: opens it and goes there, or says why not.
pub async fn open(State(web): State<Web>, browser: Browser, form: PanelForm) -> Answer {
    let PanelForm { by, fields } = form;
    let procedure = web.gate.procedure();
    let action = action_of(&procedure, &fields)?;
    let request = request_of(action, &fields);
    let refusal = match web.gate.panel(&by).open_case(&request).await {
        Ok(opened) => return Ok(see_other(&format!("/panel/cases/{}", opened.case.0))),
        Err(CaseError::Refused(refusal)) => refusal,
        Err(error) => return Err(error.into()),
    };
    let obstacle = match &refusal {
        Refusal::OtherCaseOpen { case } => Obstacle::Duplicate {
            case: case.0.clone(),
        },
        Refusal::RequestClosed { until } => {
            let (_, view) = chosen(&web, &by, &request.customer).await?;
            closed(&view, web.calendar().when(*until))
        }
        other => Obstacle::Limit(sentence_case(&other.to_string())),
    };
    html_with(
        StatusCode::CONFLICT,
        &words_page(&web, &browser, &by, &fields, Some(obstacle)).await?,
    )
}

/// `GET /panel/cases/{id}`
pub async fn case(
    State(web): State<Web>,
    browser: Browser,
    Panel(by): Panel,
    Path(id): Path<String>,
) -> Answer {
    html(&case_page(&web, &browser, &by, &id).await?)
}

/// A case in the panel.
pub async fn case_page(
    web: &Web,
    browser: &Browser,
    by: &PanelStaff,
    id: &str,
) -> Result<PanelCasePage, Problem> {
    let view = web.gate.panel(by).case(&case_id(id)?).await?;
    let calendar = web.calendar();
    Ok(presented(
        web,
        frame(web, browser, Some(by)),
        &view,
        &calendar,
    ))
}

fn presented(web: &Web, frame: PanelFrame, view: &CaseView, calendar: &Calendar) -> PanelCasePage {
    let over = view.state.is_final();
    let missing = &view.checklist.missing;
    PanelCasePage {
        frame,
        id: view.case.0.clone(),
        customer: view.customer.name.clone(),
        words: words(&view.pieces),
        pill: pill(view.state, Some(&view.checklist.next.who), calendar),
        live: (!over).then(|| Live {
            events: format!("/panel/cases/{}/events", view.case.0),
            from: view.version,
        }),
        notice: notice(view, calendar),
        count: bar_count(view, missing.len()),
        next: bar_next(view),
        missing: missing
            .iter()
            .map(|one| sentence_case(&one.words))
            .collect(),
        link: None,
        can_link: view.can.issue_link.can
            && (needs_link(view) || matches!(view.state, CaseState::Open)),
        can_run: matches!(view.state, CaseState::Ready { .. }) && view.can.run.can,
        number: number_to_match(view, calendar),
        spoken: view.spoken.as_ref().map(|number| spoken(web, number)),
        say: say(view),
    }
}

/// `POST /panel/cases/{id}/link`: makes the link and shows it, once.
pub async fn link(
    State(web): State<Web>,
    browser: Browser,
    Path(id): Path<String>,
    form: PanelForm,
) -> Answer {
    let issued = web.gate.panel(&form.by).issue_link(&case_id(&id)?).await?;
    let mut page = case_page(&web, &browser, &form.by, &id).await?;
    page.link = Some(CustomerLink {
        url: web.link(&issued).url,
        until: web.calendar().when(issued.until),
    });
    html(&page)
}

/// A problem as a page that fits into the frame.
pub fn problem(
    web: &Web,
    browser: &Browser,
    status: StatusCode,
    problem: crate::pages::Problem,
    reference: Option<String>,
) -> Result<Response, Problem> {
    html_with(
        status,
        &PanelErrorPage {
            frame: frame(web, browser, None),
            problem,
            reference,
        },
    )
}

fn frame(web: &Web, browser: &Browser, by: Option<&PanelStaff>) -> PanelFrame {
    let staff = public_frame(web, browser);
    PanelFrame {
        lang: staff.lang,
        theme: staff.theme,
        person: by.map(|by| by.name().to_owned()),
        form: by.map_or_else(String::new, |by| by.form_token().to_owned()),
        idempotency_key: staff.idempotency_key,
        here: browser.path().to_owned(),
        demo: web.demo.is_some(),
    }
}

/// What the ticket calls itself: words to be written down, cut to what a reference may be.
fn ticket(fields: &Fields) -> String {
    field(fields, "ticket")
        .chars()
        .filter(|c| !c.is_control())
        .take(100)
        .collect()
}

fn customer_of(fields: &Fields) -> CustomerId {
    CustomerId(field(fields, "customer").to_owned())
}
