//! `/cases/new/…`: four short pages, one thing each; the state is in the form.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::StatusCode;
use countersign_cases::{CaseId, CustomerId, Refusal};
use countersign_language::{Action, ActionId, Procedure, Requirement};
use countersign_service::{CaseError, CustomerView, OpenRequest};

use super::customers::{find, locks, warnings};
use super::{Answer, Desk, Fields, field, html, html_with};
use crate::Web;
use crate::body::{Form, Query};
use crate::headers::see_other;
use crate::network::Network;
use crate::pages::{
    Act, ActOutcome, ActionChoice, ActionGroup, Check, CheckState, ChosenCustomer, Errors,
    FieldError, NewCaseActionPage, NewCaseCheckPage, NewCaseCustomerPage, NewCaseDetailsPage,
    Obstacle, ParameterField, ProcedureRef, Section, Way, When,
};
use crate::present::{self, Calendar, sentence_case};
use crate::problem::Problem;

/// `GET /cases/new/customer`
pub async fn ask_customer(desk: Desk) -> Answer {
    html(&NewCaseCustomerPage {
        frame: desk.frame(Some(Section::Desk)),
        query: String::new(),
        found: Vec::new(),
    })
}

/// `POST /cases/new/customer`: what is searched for may be somebody's address, so it stands in no URL.
pub async fn customer(
    State(web): State<Web>,
    desk: Desk,
    network: Network,
    Form(fields): Form<Fields>,
) -> Answer {
    network.take(&web.rates.searches)?;
    let query = field(&fields, "q");
    let found = find(&web, &desk, query).await?;
    html(&NewCaseCustomerPage {
        frame: desk.frame(Some(Section::Desk)),
        query: query.to_owned(),
        found,
    })
}

/// `GET /cases/new/action?customer=ID`
pub async fn action(State(web): State<Web>, desk: Desk, Query(fields): Query<Fields>) -> Answer {
    let (customer, _) = chosen(&web, &desk, &fields).await?;
    let procedure = web.gate.procedure();
    let mut groups: Vec<ActionGroup> = Vec::new();
    for action in procedure.actions.iter().filter(|action| !action.outside) {
        let kind = sentence_case(action.name.split('.').next().unwrap_or_default());
        let choice = ActionChoice {
            name: action.name.clone(),
            label: action.label.clone(),
            line: present::blanks(action),
            risk: Some(present::risk(action)),
            needs: present::needs(action),
            blocked: why_blocked(&procedure, action, desk.staff.roles()),
        };
        match groups.iter_mut().find(|group| group.title == kind) {
            Some(group) => group.actions.push(choice),
            None => groups.push(ActionGroup {
                title: kind,
                actions: vec![choice],
            }),
        }
    }
    html(&NewCaseActionPage {
        frame: desk.frame(Some(Section::Desk)),
        customer,
        groups,
    })
}

/// Why this person may not start it. Only a kindness: the decision is made when the case is opened.
pub(super) fn why_blocked(
    procedure: &Procedure,
    action: &Action,
    roles: &[String],
) -> Option<String> {
    let roles = roles.iter().filter_map(|name| procedure.role_named(name));
    let may = roles.clone().any(|has| {
        action
            .opened_by
            .roles
            .iter()
            .any(|wanted| procedure.role_covers(has, *wanted))
    });
    if may {
        return None;
    }
    let needed: Vec<_> = action
        .opened_by
        .roles
        .iter()
        .filter_map(|id| procedure.roles.get(id.index()))
        .map(|role| role.label.as_str())
        .collect();
    Some(match needed.as_slice() {
        [] => "Only the customer can ask for this, in your own panel.".to_owned(),
        roles => format!("It needs: {}.", roles.join(" or ")),
    })
}

/// `GET /cases/new/details?customer=ID&action=NAME`
pub async fn details(State(web): State<Web>, desk: Desk, Query(fields): Query<Fields>) -> Answer {
    html(&details_page(&web, &desk, &fields, Errors::default()).await?)
}

/// `POST /cases/new/details`: back from the last page, nothing lost.
pub async fn details_again(
    State(web): State<Web>,
    desk: Desk,
    Form(fields): Form<Fields>,
) -> Answer {
    html(&details_page(&web, &desk, &fields, Errors::default()).await?)
}

async fn details_page(
    web: &Web,
    desk: &Desk,
    fields: &Fields,
    errors: Errors,
) -> Result<NewCaseDetailsPage, Problem> {
    let (customer, _) = chosen(web, desk, fields).await?;
    let procedure = web.gate.procedure();
    let action = action_of(&procedure, fields)?;
    Ok(NewCaseDetailsPage {
        frame: desk.frame(Some(Section::Desk)),
        customer,
        action: action.name.clone(),
        action_label: action.label.clone(),
        fields: parameter_fields(action, fields),
        reason: field(fields, "reason").to_owned(),
        reference: field(fields, "reference").to_owned(),
        errors,
    })
}

/// `POST /cases/new/check`
pub async fn check(State(web): State<Web>, desk: Desk, Form(fields): Form<Fields>) -> Answer {
    let procedure = web.gate.procedure();
    let errors = checked(action_of(&procedure, &fields)?, &fields);
    if errors.is_empty() {
        html(&check_page(&web, &desk, &fields, None).await?)
    } else {
        html_with(
            StatusCode::UNPROCESSABLE_ENTITY,
            &details_page(&web, &desk, &fields, Errors(errors)).await?,
        )
    }
}

/// What is wrong with the details of a new case.
pub(super) fn checked(action: &Action, fields: &Fields) -> Vec<FieldError> {
    let mut errors = Vec::new();
    for parameter in &action.parameters {
        let name = format!("p.{}", parameter.name);
        if field(fields, &name).is_empty() {
            errors.push(FieldError {
                field: name,
                message: format!("Enter the {}.", parameter.label),
            });
        }
    }
    if !(10..=500).contains(&field(fields, "reason").chars().count()) {
        errors.push(FieldError {
            field: "reason".to_owned(),
            message: "Say why, in 10 to 500 characters.".to_owned(),
        });
    }
    errors
}

async fn check_page(
    web: &Web,
    desk: &Desk,
    fields: &Fields,
    obstacle: Option<Obstacle>,
) -> Result<NewCaseCheckPage, Problem> {
    let (customer, _) = chosen(web, desk, fields).await?;
    let procedure = web.gate.procedure();
    let action = action_of(&procedure, fields)?;
    Ok(NewCaseCheckPage {
        frame: desk.frame(Some(Section::Desk)),
        customer,
        action_label: action.label.clone(),
        act: act_before(&procedure, action, &parameters(action, fields)),
        reason: field(fields, "reason").to_owned(),
        reference: field(fields, "reference").to_owned(),
        needs: needs(&procedure, action),
        expected: None,
        hidden: hidden(action, fields),
        obstacle,
    })
}

/// The ways as checklists nobody began.
fn needs(procedure: &Procedure, action: &Action) -> Vec<Way> {
    let row = |title: String| Check {
        state: CheckState::NotStarted,
        title,
        detail: None,
        word: None,
        at: None,
        options: Vec::new(),
        action: None,
    };
    action
        .paths
        .iter()
        .map(|path| Way {
            name: if action.paths.len() > 1 {
                path.name.replace('_', " ")
            } else {
                String::new()
            },
            rows: path
                .lines
                .iter()
                .filter(|line| !matches!(line.requirement, Requirement::When { .. }))
                .map(|line| {
                    row(sentence_case(
                        &procedure.describe_requirement(action, &line.requirement),
                    ))
                })
                .collect(),
        })
        .collect()
}

/// `POST /cases`: opens it and goes there, or says why not.
pub async fn open(State(web): State<Web>, desk: Desk, Form(fields): Form<Fields>) -> Answer {
    let procedure = web.gate.procedure();
    let action = action_of(&procedure, &fields)?;
    let request = request_of(action, &fields);
    let refusal = match web.gate.open_case(&desk.staff, &request).await {
        Ok(opened) => return Ok(see_other(&format!("/cases/{}", opened.case.0))),
        Err(CaseError::Refused(Refusal::OtherCaseOpen { case }))
            if is_this(&web, &desk, &case, &request).await? =>
        {
            // Pressed twice: the case is there.
            return Ok(see_other(&format!("/cases/{}", case.0)));
        }
        Err(CaseError::Refused(refusal)) => refusal,
        Err(error) => return Err(error.into()),
    };
    let obstacle = match &refusal {
        Refusal::OtherCaseOpen { case } => Obstacle::Duplicate {
            case: case.0.clone(),
        },
        Refusal::RequestClosed { until } => {
            let (_, view) = chosen(&web, &desk, &fields).await?;
            closed(&view, desk.calendar.when(*until))
        }
        other => Obstacle::Limit(sentence_case(&other.to_string())),
    };
    html_with(
        StatusCode::CONFLICT,
        &check_page(&web, &desk, &fields, Some(obstacle)).await?,
    )
}

/// Whether the open case is the one that these very fields opened, by this person.
async fn is_this(
    web: &Web,
    desk: &Desk,
    case: &CaseId,
    request: &OpenRequest,
) -> Result<bool, Problem> {
    let view = web.gate.case_view(&desk.staff, case).await?;
    let parameters: BTreeMap<String, String> = view
        .parameters
        .into_iter()
        .map(|parameter| (parameter.name, parameter.value))
        .collect();
    Ok(view.opened_by.name.as_deref() == Some(desk.staff.name())
        && view.reason == request.reason
        && view.reference == request.reference
        && parameters == request.parameters)
}

async fn chosen(
    web: &Web,
    desk: &Desk,
    fields: &Fields,
) -> Result<(ChosenCustomer, CustomerView), Problem> {
    let view = web
        .gate
        .look_up_customer(
            &desk.staff,
            &CustomerId(field(fields, "customer").to_owned()),
        )
        .await?;
    Ok((chosen_of(&view, &desk.calendar), view))
}

/// Who was chosen, with what there is to beware of.
pub(super) fn chosen_of(view: &CustomerView, calendar: &Calendar) -> ChosenCustomer {
    let mut notes = warnings(view, calendar);
    notes.extend(locks(view, calendar));
    ChosenCustomer {
        id: view.id.0.clone(),
        name: view.name.clone(),
        warnings: notes,
    }
}

/// The action a form names; one that is not there is an address where there is nothing.
pub(super) fn action_of<'a>(
    procedure: &'a Procedure,
    fields: &Fields,
) -> Result<&'a Action, Problem> {
    let id: Option<ActionId> = procedure.action_named(field(fields, "action"));
    id.and_then(|id| procedure.actions.get(id.index()))
        .filter(|action| !action.outside)
        .ok_or_else(Problem::nothing_here)
}

/// The values of a form by parameter.
pub(super) fn parameters(action: &Action, fields: &Fields) -> BTreeMap<String, String> {
    action
        .parameters
        .iter()
        .map(|parameter| {
            (
                parameter.name.clone(),
                field(fields, &format!("p.{}", parameter.name)).to_owned(),
            )
        })
        .collect()
}

/// A field for each value the action asks for, filled in as far as it is.
pub(super) fn parameter_fields(action: &Action, fields: &Fields) -> Vec<ParameterField> {
    action
        .parameters
        .iter()
        .map(|parameter| ParameterField {
            name: parameter.name.clone(),
            label: sentence_case(&parameter.label),
            value: field(fields, &format!("p.{}", parameter.name)).to_owned(),
            old: None,
        })
        .collect()
}

/// What was filled in, for the form that opens the case.
pub(super) fn hidden(action: &Action, fields: &Fields) -> Vec<(String, String)> {
    let as_is = |name: &str| (name.to_owned(), field(fields, name).to_owned());
    let values = parameters(action, fields)
        .into_iter()
        .map(|(name, value)| (format!("p.{name}"), value));
    [
        as_is("customer"),
        ("action".to_owned(), action.name.clone()),
    ]
    .into_iter()
    .chain(values)
    .chain([as_is("reason"), as_is("reference")])
    .collect()
}

/// The words before there is a case.
pub(super) fn act_before(
    procedure: &Procedure,
    action: &Action,
    values: &BTreeMap<String, String>,
) -> Act {
    Act {
        words: present::words_of(action, values),
        consequence: present::consequence(procedure, action),
        risk: Some(present::risk(action)),
        procedure: Some(ProcedureRef {
            name: action.name.clone(),
            version: procedure.version.to_string().chars().take(8).collect(),
            href: None,
        }),
        takes_effect: present::waits(action),
        digest: String::new(),
        outcome: ActOutcome::Open,
    }
}

/// What the form asks for.
pub(super) fn request_of(action: &Action, fields: &Fields) -> OpenRequest {
    let some = |name: &str| Some(field(fields, name).to_owned()).filter(|text| !text.is_empty());
    OpenRequest {
        customer: CustomerId(field(fields, "customer").to_owned()),
        action: action.name.clone(),
        parameters: parameters(action, fields),
        reason: some("reason"),
        reference: some("reference"),
        return_to: None,
        language: None,
        shows: Vec::new(),
    }
}

/// Refused or stopped not long ago, and so closed for a while.
pub(super) fn closed(view: &CustomerView, until: When) -> Obstacle {
    let earlier = view.refused.as_ref();
    Obstacle::Closed {
        case: earlier.map_or_else(String::new, |earlier| earlier.case.0.clone()),
        how: if earlier.is_some_and(|earlier| earlier.stopped) {
            "stopped".to_owned()
        } else {
            "declined by a colleague".to_owned()
        },
        until,
    }
}
