//! `/incidents`: the pages on which people work on an incident. Everything they decide, the service decides.

mod closing;
mod rows;
mod statements;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use countersign_cases::{CaseId, CustomerId, Digest, Timestamp};
use countersign_service::{
    Because, IncidentChange, IncidentError, IncidentView, NewIncident, Phase, ScopeWish, Source,
    Standing, TaskState,
};
use serde_json::{Value, json};

use super::{Answer, Desk, Fields, field, html_with};
use crate::Web;
use crate::body::{Form, Path};
use crate::headers::see_other;
use crate::pages::{
    Ask, AskKind, Asks, Errors, IncidentPage, IncidentsPage, Section, TaskRow, TimelineRow,
    UpdateRow,
};
use crate::present::sentence_case;
use crate::problem::Problem;

pub use closing::{close, closing, finish_close, start_close};
use rows::{
    alarm_row, facts, phase_words, reason_words, scope, standing_words, statement_words, summary,
    task_words, touched,
};
pub use statements::{check, finish_sign, letters, send_letters, start_sign, statement, write};

/// `GET /incidents`
pub async fn list(State(web): State<Web>, desk: Desk) -> Answer {
    listed(&web, &desk, None, Errors::default()).await
}

async fn listed(web: &Web, desk: &Desk, typed: Option<&Fields>, errors: Errors) -> Answer {
    let incidents = web.gate.incidents(&desk.staff).await?;
    let alarms = web.gate.alarms(&desk.staff).await?;
    let frame = desk.frame(Some(Section::Incidents));
    let edits = web.gate.edits_incidents(&desk.staff);
    let open = edits.then(|| {
        let title = Ask {
            error: errors.of("open-title").map(str::to_owned),
            ..Ask::new(
                "open",
                "title",
                "What colleagues call it",
                "",
                AskKind::Line,
            )
        };
        Asks {
            name: "open".to_owned(),
            title: "Open an incident".to_owned(),
            to: "/incidents".to_owned(),
            fields: vec![title.holding(typed.map_or("", |typed| field(typed, "title")))],
            button: "Open it".to_owned(),
            open: !errors.is_empty(),
            key: frame.idempotency_key.clone(),
        }
    });
    let page = IncidentsPage {
        incidents: incidents
            .iter()
            .map(|one| summary(one, &desk.calendar))
            .collect(),
        alarms: alarms
            .iter()
            .map(|alarm| {
                alarm_row(
                    alarm,
                    &desk.calendar,
                    edits.then_some(&frame.idempotency_key),
                )
            })
            .collect(),
        open,
        frame,
        errors,
    };
    html_with(status_of(&page.errors), &page)
}

/// `POST /incidents`: by hand, or from a case or an alarm that is named.
pub async fn open(State(web): State<Web>, desk: Desk, Form(fields): Form<Fields>) -> Answer {
    let named = |name: &str| Some(field(&fields, name)).filter(|value| !value.is_empty());
    let case = named("case").map(crate::api::cases::case_id).transpose()?;
    let new = NewIncident {
        title: field(&fields, "title").to_owned(),
        case,
        alarm: named("alarm").map(str::to_owned),
    };
    match web.gate.open_incident(&desk.staff, &new).await {
        Ok(id) => Ok(see_other(&format!("/incidents/{id}"))),
        Err(IncidentError::Field { field, why }) => {
            let errors = Errors::one(format!("open-{field}"), sentence_case(&why));
            listed(&web, &desk, Some(&fields), errors).await
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /alarms/{id}/settle`
pub async fn settle(
    State(web): State<Web>,
    desk: Desk,
    Path(id): Path<String>,
    Form(fields): Form<Fields>,
) -> Answer {
    match web
        .gate
        .settle_alarm(&desk.staff, &id, field(&fields, "reason"))
        .await
    {
        Ok(()) => Ok(see_other("/incidents")),
        Err(IncidentError::Field { field, why }) => {
            let errors = Errors::one(format!("settle-{id}-{field}"), sentence_case(&why));
            listed(&web, &desk, None, errors).await
        }
        Err(error) => Err(error.into()),
    }
}

/// `GET /incidents/{id}`
pub async fn page(State(web): State<Web>, desk: Desk, Path(id): Path<String>) -> Answer {
    one(&web, &desk, &id, None).await
}

/// A form that was sent back: which, what was typed, and what is wrong.
struct SentBack<'a> {
    form: &'a str,
    typed: &'a Fields,
    field: &'a str,
    why: String,
}

async fn one(web: &Web, desk: &Desk, id: &str, sent: Option<&SentBack<'_>>) -> Answer {
    let view = web.gate.incident(&desk.staff, id).await?;
    let frame = desk.frame(Some(Section::Incidents));
    let calendar = &desk.calendar;
    let errors = sent.map_or_else(Errors::default, |sent| {
        Errors::one(
            format!("{}-{}", sent.form, sent.field),
            sentence_case(&sent.why),
        )
    });
    let incident = &view.incident;
    let page = IncidentPage {
        id: incident.id.clone(),
        title: incident.title.clone(),
        opened: calendar.when(incident.opened_at),
        by: incident.opened_by.name.clone(),
        source: match &incident.source {
            Source::Case { case } => format!("case {}", case.0),
            Source::Alarm { .. } => "an alarm".to_owned(),
            Source::Hand => "what somebody knew".to_owned(),
        },
        closed: incident.closed.as_ref().map(|closed| {
            let at = calendar.when(closed.at).shown;
            match &closed.because {
                Because::Promise { promise, .. } => format!(
                    "{} closed it, {at}. The procedure in force keeps a promise that the one of that time did not: “{promise}”",
                    closed.by.name
                ),
                Because::Signature { reason, .. } => format!(
                    "{} signed, {at}, why no promise is needed: “{reason}”",
                    closed.by.name
                ),
            }
        }),
        overdue: view.overdue_since.map(|since| calendar.when(since)),
        facts: facts(&view.facts, calendar),
        scope: scope(&view, calendar),
        updates: incident
            .updates
            .iter()
            .rev()
            .map(|update| UpdateRow {
                at: calendar.when(update.at),
                phase: phase_words(update.phase).to_owned(),
                headline: update.headline.clone(),
                text: update.text.clone(),
                next: update.next_at.map(|next| calendar.when(next)),
            })
            .collect(),
        timeline: view
            .timeline
            .iter()
            .map(|line| TimelineRow {
                at: calendar.second(line.at),
                text: line.text.clone(),
                who: line
                    .who
                    .as_ref()
                    .map(|who| who.name.clone().unwrap_or_else(|| who.kind.to_owned()))
                    .unwrap_or_default(),
                source: line.source.clone(),
                href: line.case.as_ref().map(|case| format!("/cases/{}", case.0)),
            })
            .collect(),
        timeline_cut: view.timeline_cut,
        touched: view.touched.customers.iter().map(touched).collect(),
        counts: view
            .touched
            .counts
            .iter()
            .map(|(reason, count)| format!("{} {count}", reason_words(*reason)))
            .collect::<Vec<_>>()
            .join(", "),
        hidden: view.touched.hidden,
        more: view.touched.more,
        tasks: incident
            .tasks
            .iter()
            .map(|task| TaskRow {
                number: task.task,
                text: task.text.clone(),
                owner: task.owner.clone(),
                due: calendar.when(task.due),
                state: task_words(task.state).to_owned(),
                late: task.state != TaskState::Done && task.due < calendar.now(),
            })
            .collect(),
        forms: if view.can.edit.can {
            forms(web, &view, &frame.idempotency_key, sent)
        } else {
            Vec::new()
        },
        statement: statement_words(&view),
        frame,
        errors,
    };
    html_with(status_of(&page.errors), &page)
}

/// `POST /incidents/{id}/change/{change}`: one of the forms of the page.
pub async fn change(
    State(web): State<Web>,
    desk: Desk,
    Path((id, form)): Path<(String, String)>,
    Form(fields): Form<Fields>,
) -> Answer {
    let wished = wished(&form, &fields)?;
    let done = match wished {
        Ok(change) => web.gate.change(&desk.staff, &id, &change).await,
        Err((field, why)) => {
            // Who may not change it learns that, and not what was wrong with the form.
            web.gate.incident(&desk.staff, &id).await?;
            Err(IncidentError::Field { field, why })
        }
    };
    let sent = |field: &'static str, why: String| SentBack {
        form: &form,
        typed: &fields,
        field,
        why,
    };
    match done {
        Ok(()) => Ok(see_other(&format!("/incidents/{id}#{form}"))),
        Err(IncidentError::Field { field, why }) => {
            one(&web, &desk, &id, Some(&sent(field, why))).await
        }
        Err(error @ (IncidentError::UnknownCustomer | IncidentError::UnknownTask)) => {
            let field = if error == IncidentError::UnknownTask {
                "task"
            } else {
                "customer"
            };
            one(&web, &desk, &id, Some(&sent(field, error.to_string()))).await
        }
        Err(error @ IncidentError::UnknownCase) if form == "scope" => {
            one(&web, &desk, &id, Some(&sent("cases", error.to_string()))).await
        }
        Err(error) => Err(error.into()),
    }
}

/// What a form asks for; or which of its fields cannot be read.
fn wished(
    form: &str,
    fields: &Fields,
) -> Result<Result<IncidentChange, (&'static str, String)>, Problem> {
    let text = |name: &str| field(fields, name).to_owned();
    let some = |name: &str| Some(text(name)).filter(|value| !value.is_empty());
    let moment = |name: &'static str| -> Result<Option<Timestamp>, (&'static str, String)> {
        some(name)
            .map(|typed| parse_moment(&typed).ok_or((name, "a day and a time, UTC".to_owned())))
            .transpose()
    };
    let needed =
        |name: &'static str| moment(name).and_then(|at| at.ok_or((name, "say when".to_owned())));
    let change = || -> Result<Option<IncidentChange>, (&'static str, String)> {
        Ok(Some(match form {
            "scope" => {
                let mut cases: Vec<CaseId> = Vec::new();
                for typed in text("cases")
                    .split([',', ' ', '\n'])
                    .filter(|one| !one.is_empty())
                {
                    let case = crate::api::cases::case_id(typed)
                        .map_err(|_| ("cases", format!("`{typed}` is no case number")))?;
                    if !cases.contains(&case) {
                        cases.push(case);
                    }
                }
                IncidentChange::Scope(ScopeWish {
                    cases,
                    customer: some("customer").map(CustomerId),
                    agent: some("agent"),
                    connector: some("connector"),
                    action: some("action"),
                    path: some("path"),
                    from: moment("from")?,
                    to: moment("to")?,
                })
            }
            "line" => IncidentChange::Line {
                when: needed("when")?,
                text: text("text"),
                source: text("source"),
            },
            "mark" => IncidentChange::Mark {
                customer: CustomerId(text("customer")),
                standing: word(&text("standing")).ok_or(("standing", "choose one".to_owned()))?,
                reason: text("reason"),
            },
            "task" => IncidentChange::Task {
                text: text("text"),
                owner: text("owner"),
                due: needed("due")?,
            },
            "task-state" => IncidentChange::TaskState {
                task: text("task")
                    .parse()
                    .map_err(|_| ("task", "the number of a task".to_owned()))?,
                state: word(&text("state")).ok_or(("state", "choose one".to_owned()))?,
            },
            "update" => IncidentChange::Update {
                headline: text("headline"),
                phase: word(&text("phase")).ok_or(("phase", "choose one".to_owned()))?,
                text: text("text"),
                next_at: moment("next_at")?,
            },
            _ => return Ok(None),
        }))
    };
    match change() {
        Ok(Some(change)) => Ok(Ok(change)),
        Ok(None) => Err(Problem::nothing_here()),
        Err(wrong) => Ok(Err(wrong)),
    }
}

/// A word of the service, such as `not_affected`.
fn word<T: serde::de::DeserializeOwned>(typed: &str) -> Option<T> {
    serde_json::from_value(Value::String(typed.to_owned())).ok()
}

/// `2026-11-23T10:31`, as browsers send it, in UTC; or the whole of RFC 3339.
pub(crate) fn parse_moment(typed: &str) -> Option<Timestamp> {
    if let Ok(at) = typed.parse::<jiff::Timestamp>() {
        return Some(Timestamp(at.as_millisecond()));
    }
    let date: jiff::civil::DateTime = typed.parse().ok()?;
    let at = jiff::tz::TimeZone::UTC.to_timestamp(date).ok()?;
    Some(Timestamp(at.as_millisecond()))
}

fn moment_value(at: Option<Timestamp>) -> String {
    at.map_or_else(String::new, |at| {
        crate::present::iso(at).chars().take(16).collect()
    })
}

fn forms(web: &Web, view: &IncidentView, key: &str, sent: Option<&SentBack<'_>>) -> Vec<Asks> {
    let scope = &view.incident.scope;
    let line = |form: &str, name: &str, label: &str, hint: &str| {
        Ask::new(form, name, label, hint, AskKind::Line)
    };
    let text = |form: &str, name: &str, label: &str, hint: &str| {
        Ask::new(form, name, label, hint, AskKind::Text)
    };
    let moment =
        |form: &str, name: &str, label: &str| Ask::new(form, name, label, "", AskKind::Moment);
    let choice = |form: &str, name: &str, label: &str, options: &[(&str, &str)]| {
        let owned = options
            .iter()
            .map(|(value, shown)| ((*value).to_owned(), (*shown).to_owned()));
        Ask::new(form, name, label, "", AskKind::Choice(owned.collect()))
    };
    let states = [
        ("evaluated", task_words(TaskState::Evaluated)),
        ("planned", task_words(TaskState::Planned)),
        ("being_done", task_words(TaskState::BeingDone)),
        ("done", task_words(TaskState::Done)),
    ];
    let phases = [
        ("looking", phase_words(Phase::Looking)),
        ("found", phase_words(Phase::Found)),
        ("watching", phase_words(Phase::Watching)),
        ("over", phase_words(Phase::Over)),
    ];
    let standings = [
        ("affected", standing_words(Standing::Affected)),
        ("not_affected", standing_words(Standing::NotAffected)),
        ("unknown", standing_words(Standing::Unknown)),
    ];
    let mut connectors = vec![("", "Any")];
    connectors.extend(
        web.gate
            .settings()
            .connectors
            .iter()
            .map(|one| (one.name.as_str(), one.name.as_str())),
    );
    let cases: Vec<&str> = scope.cases.iter().map(|case| case.0.as_str()).collect();
    let told = |value: &Option<String>| value.clone().unwrap_or_default();
    let all: Vec<(&str, &str, &str, Vec<Ask>)> = vec![
        (
            "scope",
            "Change what it is about",
            "Look again",
            vec![
                line("scope", "cases", "Cases", "Numbers, with spaces between.")
                    .holding(cases.join(" ")),
                line("scope", "customer", "Customer id", "").holding(told(&view.about)),
                line("scope", "agent", "Staff account", "").holding(told(&scope.agent)),
                choice("scope", "connector", "Connector", &connectors)
                    .holding(told(&scope.connector)),
                line("scope", "action", "Action", "As the procedure names it.")
                    .holding(told(&scope.action)),
                line("scope", "path", "Path of that action", "").holding(told(&scope.path)),
                moment("scope", "from", "From (UTC)").holding(moment_value(scope.from)),
                moment("scope", "to", "To (UTC)").holding(moment_value(scope.to)),
            ],
        ),
        (
            "update",
            "Tell the public",
            "Publish this update",
            vec![
                line(
                    "update",
                    "headline",
                    "What is wrong, in one sentence",
                    "Everybody reads this.",
                )
                .holding(
                    view.incident
                        .last_update()
                        .map(|update| update.headline.clone())
                        .unwrap_or_default(),
                ),
                choice("update", "phase", "How it stands", &phases),
                text(
                    "update",
                    "text",
                    "More",
                    "Nothing of any customer or colleague.",
                ),
                moment("update", "next_at", "Next update (UTC)"),
            ],
        ),
        (
            "line",
            "Add a line",
            "Add the line",
            vec![
                moment("line", "when", "When it was so (UTC)"),
                text("line", "text", "What", ""),
                line("line", "source", "Where this is known from", ""),
            ],
        ),
        (
            "mark",
            "Say how it stands with a customer",
            "Write it down",
            vec![
                line("mark", "customer", "Customer id", ""),
                choice("mark", "standing", "How it stands", &standings),
                text("mark", "reason", "Why", "10 to 500 characters."),
            ],
        ),
        (
            "task",
            "Add a task",
            "Add the task",
            vec![
                text("task", "text", "What is to be done", ""),
                line("task", "owner", "Owner", "A role or a staff account."),
                moment("task", "due", "Until (UTC)"),
            ],
        ),
        (
            "task-state",
            "Move a task on",
            "Move it on",
            vec![
                line("task-state", "task", "Number of the task", ""),
                choice("task-state", "state", "How far it is", &states),
            ],
        ),
    ];
    all.into_iter()
        .map(|(name, title, button, fields)| {
            let back = sent.filter(|sent| sent.form == name);
            Asks {
                name: name.to_owned(),
                title: title.to_owned(),
                to: format!("/incidents/{}/change/{name}", view.incident.id),
                fields: fields
                    .into_iter()
                    .map(|ask| match back {
                        Some(sent) => Ask {
                            value: field(sent.typed, &ask.name).to_owned(),
                            error: (ask.name == sent.field).then(|| sentence_case(&sent.why)),
                            ..ask
                        },
                        None => ask,
                    })
                    .collect(),
                button: button.to_owned(),
                open: back.is_some(),
                key: key.to_owned(),
            }
        })
        .collect()
}

/// `POST /alarms/{id}/incident`
pub async fn open_from_alarm(
    State(web): State<Web>,
    desk: Desk,
    Path(id): Path<String>,
    Form(mut fields): Form<Fields>,
) -> Answer {
    fields.insert("alarm".to_owned(), id);
    fields.remove("case");
    open(State(web), desk, Form(fields)).await
}

/// `POST /cases/{id}/incident`
pub async fn open_from_case(
    State(web): State<Web>,
    desk: Desk,
    Path(id): Path<String>,
    Form(mut fields): Form<Fields>,
) -> Answer {
    fields.insert("case".to_owned(), id);
    fields.remove("alarm");
    open(State(web), desk, Form(fields)).await
}

/// The form on a case's page that opens an incident from it, for whoever may.
pub(crate) fn report(web: &Web, desk: &Desk, case: &str, label: &str) -> Option<Asks> {
    let title = Ask::new(
        "report",
        "title",
        "What colleagues call it",
        "",
        AskKind::Line,
    );
    web.gate.edits_incidents(&desk.staff).then(|| Asks {
        name: "report".to_owned(),
        title: "Something went wrong here".to_owned(),
        to: format!("/cases/{case}/incident"),
        fields: vec![title.holding(format!("{case}: {label}"))],
        button: "Open an incident".to_owned(),
        open: false,
        key: desk.frame(None).idempotency_key,
    })
}

fn prompted(digest: &Digest, options: &Value) -> Response {
    axum::Json(json!({ "ceremony": digest.to_string(), "publicKey": options })).into_response()
}

fn status_of(errors: &Errors) -> StatusCode {
    if errors.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    }
}
