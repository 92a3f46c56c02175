//! `/incidents`: the pages on which people work on an incident. Everything they decide, the service decides.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use countersign_cases::{CaseId, CustomerId, Digest, Timestamp};
use countersign_service::{
    Alarm, AlarmStanding, Because, FIELDS, Facts, Finding, IncidentChange, IncidentError,
    IncidentSummary, IncidentView, NewIncident, Phase, Reason, ScopeWish, Source, Standing,
    StatementCheck, TaskState, Texts, ThenStood, TouchedCustomer,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::sign_in::Scripted;
use super::{Answer, Desk, Fields, field, html_with};
use crate::Web;
use crate::body::{Form, Json, Path};
use crate::headers::see_other;
use crate::pages::{
    AlarmRow, Ask, AskKind, Asks, ClosingPage, ClosingPromise, Errors, FindingRow, IncidentPage,
    IncidentRow, IncidentsPage, LetterRow, LettersPage, PublishedRow, Section, StatementPage,
    SubmittedStatement, TaskRow, TimelineRow, TouchedRow, UpdateRow,
};
use crate::present::{Calendar, sentence_case};
use crate::problem::Problem;

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

/// `GET /incidents/{id}/statement`
pub async fn statement(State(web): State<Web>, desk: Desk, Path(id): Path<String>) -> Answer {
    told(&web, &desk, &id, None, Errors::default()).await
}

async fn told(web: &Web, desk: &Desk, id: &str, typed: Option<&Texts>, errors: Errors) -> Answer {
    let view = web.gate.incident(&desk.staff, id).await?;
    let checked = match typed {
        Some(texts) => web.gate.check_statement(&desk.staff, id, texts).await?,
        None => view.check.clone(),
    };
    let texts = typed.unwrap_or(&view.incident.draft.texts);
    let ask = |name: &str, label: &str, value: &str| {
        let error = errors.of(format!("statement-{name}"));
        Ask {
            error: error.map(str::to_owned),
            ..Ask::new("statement", name, label, "", AskKind::Text).holding(value)
        }
    };
    let values: BTreeMap<String, String> = filled(&view.facts);
    let page = StatementPage {
        frame: desk.frame(Some(Section::Incidents)),
        id: view.incident.id.clone(),
        revision: view.incident.draft.revision,
        fields: vec![
            ask("blog", version_words("blog"), &texts.blog),
            ask("mail", version_words("mail"), &texts.mail),
            ask("chars_500", version_words("chars_500"), &texts.chars_500),
            ask("chars_280", version_words("chars_280"), &texts.chars_280),
        ],
        inserts: FIELDS
            .iter()
            .map(|(name, means)| {
                let value = values.get(*name).cloned().unwrap_or_default();
                (format!("{{{{{name}}}}}"), (*means).to_owned(), value)
            })
            .collect(),
        findings: found(&checked),
        // A statement may be corrected for ever, also of an incident that is closed.
        can_write: web.gate.edits_incidents(&desk.staff),
        submitted: view
            .incident
            .submitted
            .as_ref()
            .map(|waits| SubmittedStatement {
                by: waits.by.name.clone(),
                at: desk.calendar.when(waits.at),
                texts: waits
                    .texts
                    .versions()
                    .map(|(version, text)| (version_words(version).to_owned(), text.to_owned()))
                    .collect(),
                digest: waits.digest.to_string(),
                cannot: view
                    .can
                    .sign
                    .why
                    .as_ref()
                    .map(|why| format!("{}.", sentence_case(why))),
            }),
        published: view
            .incident
            .published
            .iter()
            .rev()
            .map(|published| PublishedRow {
                version: published.version,
                at: desk.calendar.when(published.at),
                authors: published
                    .authors
                    .iter()
                    .map(|author| author.name.as_str())
                    .collect::<Vec<_>>()
                    .join(", "),
                signed_by: published.signed_by.name.clone(),
                text: published.texts.blog.clone(),
            })
            .collect(),
        errors,
    };
    html_with(status_of(&page.errors), &page)
}

/// `POST /incidents/{id}/statement`: saved and checked, and handed in where that was pressed.
pub async fn write(
    State(web): State<Web>,
    desk: Desk,
    Path(id): Path<String>,
    Form(fields): Form<Fields>,
) -> Answer {
    let texts = texts_of(&fields);
    let revision: u32 = field(&fields, "revision")
        .parse()
        .map_err(|_| Problem::invalid("revision", "the number the page had"))?;
    let change = IncidentChange::Draft {
        texts: texts.clone(),
        revision,
    };
    let saved = web.gate.change(&desk.staff, &id, &change).await;
    let wrong = match saved {
        Ok(()) if field(&fields, "do") == "submit" => {
            let now = web.gate.incident(&desk.staff, &id).await?.incident.draft.revision;
            match web.gate.submit_statement(&desk.staff, &id, now).await {
                Ok(()) => None,
                Err(IncidentError::Facts(count)) => Some((
                    "statement-blog",
                    format!("It is saved, and not handed in: {count} errors keep it from being published"),
                )),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(()) => None,
        Err(IncidentError::Field { field, why }) => {
            let id = match field {
                "mail" => "statement-mail",
                "chars_500" => "statement-chars_500",
                "chars_280" => "statement-chars_280",
                _ => "statement-blog",
            };
            Some((id, sentence_case(&why)))
        }
        Err(IncidentError::Changed) => Some((
            "statement-blog",
            "Somebody else saved it since you read it. Yours is below; theirs counts until you save"
                .to_owned(),
        )),
        Err(error) => return Err(error.into()),
    };
    match wrong {
        None => Ok(see_other(&format!("/incidents/{id}/statement"))),
        Some((field, why)) => told(&web, &desk, &id, Some(&texts), Errors::one(field, why)).await,
    }
}

/// `POST /incidents/{id}/statement/check` (script): nothing is kept.
pub async fn check(
    State(web): State<Web>,
    desk: Desk,
    Path(id): Path<String>,
    Form(fields): Form<Fields>,
) -> Answer {
    let checked = web
        .gate
        .check_statement(&desk.staff, &id, &texts_of(&fields))
        .await?;
    let findings: Vec<Value> = found(&checked)
        .into_iter()
        .map(|row| {
            json!({
                "error": row.error, "version": row.version, "quote": row.quote,
                "why": row.why, "better": row.better,
            })
        })
        .collect();
    Ok(axum::Json(json!({ "findings": findings })).into_response())
}

/// `POST /incidents/{id}/sign/start` (script)
pub async fn start_sign(State(web): State<Web>, desk: Desk, Path(id): Path<String>) -> Answer {
    let prompt = web.gate.start_publication(&desk.staff, &id).await?;
    Ok(prompted(&prompt.digest, &prompt.options))
}

/// `POST /incidents/{id}/sign/finish` (script)
pub async fn finish_sign(
    State(web): State<Web>,
    desk: Desk,
    Path(id): Path<String>,
    body: Json<Scripted>,
) -> Answer {
    let digest = Digest::from_hex(&body.value.ceremony)
        .ok_or_else(|| Problem::invalid("ceremony", "the digest that was begun"))?;
    web.gate
        .finish_publication(&desk.staff, &id, digest, &body.value.credential)
        .await?;
    Ok(axum::Json(json!({ "location": format!("/incidents/{id}/statement") })).into_response())
}

/// `GET /incidents/{id}/letters`
pub async fn letters(State(web): State<Web>, desk: Desk, Path(id): Path<String>) -> Answer {
    let letters = web.gate.letters(&desk.staff, &id).await?;
    let view = web.gate.incident(&desk.staff, &id).await?;
    let unsent = letters
        .iter()
        .filter(|letter| !letter.sent && !letter.to.is_empty());
    let to_send = if view.can.edit.can { unsent.count() } else { 0 };
    super::html(&LettersPage {
        frame: desk.frame(Some(Section::Incidents)),
        id,
        to_send,
        letters: letters
            .into_iter()
            .map(|letter| LetterRow {
                name: letter.name,
                customer: letter.customer,
                to: letter.to.join(", "),
                subject: letter.subject,
                text: letter.text,
                sent: letter.sent,
            })
            .collect(),
    })
}

/// `POST /incidents/{id}/letters`
pub async fn send_letters(State(web): State<Web>, desk: Desk, Path(id): Path<String>) -> Answer {
    web.gate.send_letters(&desk.staff, &id).await?;
    Ok(see_other(&format!("/incidents/{id}/letters")))
}

/// `GET /incidents/{id}/close`
pub async fn closing(State(web): State<Web>, desk: Desk, Path(id): Path<String>) -> Answer {
    let view = web.gate.incident(&desk.staff, &id).await?;
    let promises = web.gate.promises_for(&desk.staff, &id).await?;
    let say = |why: &Option<String>| why.as_ref().map(|why| format!("{}.", sentence_case(why)));
    super::html(&ClosingPage {
        frame: desk.frame(Some(Section::Incidents)),
        id,
        promises: promises
            .into_iter()
            .map(|one| ClosingPromise {
                closes: one.closes(),
                stands: match (one.kept, one.then) {
                    (false, _) => "Broken now.".to_owned(),
                    (true, None) => {
                        "Kept now, and kept then: it is not what went wrong.".to_owned()
                    }
                    (true, Some(ThenStood::Broken)) => {
                        "Kept now. Broken by the procedure of that time.".to_owned()
                    }
                    (true, Some(ThenStood::Absent)) => {
                        "Kept now. The procedure of that time could not even say it.".to_owned()
                    }
                },
                text: one.promise,
            })
            .collect(),
        cannot: say(&view.can.edit.why),
        cannot_sign: say(&view.can.close_by_signature.why),
    })
}

/// `POST /incidents/{id}/close`
pub async fn close(
    State(web): State<Web>,
    desk: Desk,
    Path(id): Path<String>,
    Form(fields): Form<Fields>,
) -> Answer {
    let promise = field(&fields, "promise");
    web.gate.close_by_promise(&desk.staff, &id, promise).await?;
    Ok(see_other(&format!("/incidents/{id}")))
}

/// What the page sends to begin to sign that no promise is needed.
#[derive(Debug, Deserialize)]
pub struct Reasoned {
    #[serde(default)]
    reason: String,
    #[serde(default)]
    credential: Value,
}

/// `POST /incidents/{id}/close/start` (script)
pub async fn start_close(
    State(web): State<Web>,
    desk: Desk,
    Path(id): Path<String>,
    body: Json<Reasoned>,
) -> Answer {
    let prompt = web
        .gate
        .start_closing(&desk.staff, &id, &body.value.reason)
        .await?;
    Ok(prompted(&prompt.digest, &prompt.options))
}

/// `POST /incidents/{id}/close/finish` (script)
pub async fn finish_close(
    State(web): State<Web>,
    desk: Desk,
    Path(id): Path<String>,
    body: Json<Reasoned>,
) -> Answer {
    let Reasoned { reason, credential } = &body.value;
    web.gate
        .finish_closing(&desk.staff, &id, reason, credential)
        .await?;
    Ok(axum::Json(json!({ "location": format!("/incidents/{id}") })).into_response())
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

fn texts_of(fields: &Fields) -> Texts {
    let text = |name: &str| field(fields, name).replace("\r\n", "\n");
    Texts {
        blog: text("blog"),
        mail: text("mail"),
        chars_500: text("chars_500"),
        chars_280: text("chars_280"),
    }
}

fn found(check: &StatementCheck) -> Vec<FindingRow> {
    let mut rows: Vec<&Finding> = check.findings.iter().collect();
    rows.sort_by_key(|found| !found.error);
    rows.into_iter()
        .map(|found| FindingRow {
            error: found.error,
            version: version_words(&found.version).to_owned(),
            quote: found.quote.clone(),
            why: found.why.clone(),
            better: found.better.clone(),
        })
        .collect()
}

/// Values of the fields as they are now, for the list beside the editor.
fn filled(facts: &Facts) -> BTreeMap<String, String> {
    FIELDS
        .iter()
        .filter_map(|(name, _)| Some(((*name).to_owned(), facts.field(name)?)))
        .collect()
}

fn summary(one: &IncidentSummary, calendar: &Calendar) -> IncidentRow {
    let mut about = Vec::new();
    let mut say = |count: u64, unit: &str| {
        if count > 0 {
            about.push(format!("{count} {unit}"));
        }
    };
    say(
        u64::try_from(one.tasks_open).unwrap_or_default(),
        "tasks open",
    );
    say(one.affected, "affected");
    say(
        u64::try_from(one.published).unwrap_or_default(),
        "statements published",
    );
    if one.submitted {
        about.push("a statement waits for a signature".to_owned());
    }
    IncidentRow {
        id: one.id.clone(),
        title: one.title.clone(),
        opened: calendar.when(one.opened_at),
        by: one.opened_by.clone(),
        state: match (one.closed_at, one.phase) {
            (Some(_), _) => "Closed".to_owned(),
            (None, Some(phase)) => phase_words(phase).to_owned(),
            (None, None) => "Not public".to_owned(),
        },
        overdue: one
            .overdue_since
            .filter(|_| one.closed_at.is_none())
            .map(|since| calendar.when(since)),
        about: about.join(" · "),
    }
}

fn alarm_row(alarm: &Alarm, calendar: &Calendar, key: Option<&String>) -> AlarmRow {
    let words = match alarm.kind.as_str() {
        countersign_service::UNCOVERED => format!("No case covers this action: {}", alarm.action),
        kind => format!("{kind}: {}", alarm.action),
    };
    let words = if alarm.detail.is_empty() {
        words
    } else {
        format!("{words} ({})", alarm.detail)
    };
    let (became, incident) = match &alarm.standing {
        AlarmStanding::Open => (None, None),
        AlarmStanding::Settled { by, reason, .. } => (Some(format!("{by}: {reason}")), None),
        AlarmStanding::Incident { incident } => (
            Some(format!("In incident {incident}")),
            Some(incident.clone()),
        ),
    };
    let can = match (key, &alarm.standing) {
        (Some(key), AlarmStanding::Open) => alarm_forms(alarm, key),
        _ => Vec::new(),
    };
    AlarmRow {
        id: alarm.id.clone(),
        at: calendar.when(alarm.at),
        words,
        connector: alarm.connector.clone().unwrap_or_default(),
        became: became.or_else(|| {
            let looked = can.is_empty();
            looked.then(|| "Nobody has looked at it".to_owned())
        }),
        incident,
        can,
    }
}

fn alarm_forms(alarm: &Alarm, key: &str) -> Vec<Asks> {
    let form = |name: String, title: &str, to: String, field: Ask, button: &str| Asks {
        name,
        title: title.to_owned(),
        to,
        fields: vec![field],
        button: button.to_owned(),
        open: false,
        key: key.to_owned(),
    };
    let (open, settle) = (format!("open-{}", alarm.id), format!("settle-{}", alarm.id));
    let title = Ask::new(&open, "title", "What colleagues call it", "", AskKind::Line);
    let reason = Ask::new(
        &settle,
        "reason",
        "Why",
        "10 to 500 characters.",
        AskKind::Line,
    );
    vec![
        form(
            open,
            "Open an incident",
            format!("/alarms/{}/incident", alarm.id),
            title,
            "Open it",
        ),
        form(
            settle,
            "It is nothing",
            format!("/alarms/{}/settle", alarm.id),
            reason,
            "Settle it",
        ),
    ]
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

fn touched(row: &TouchedCustomer) -> TouchedRow {
    let reasons: Vec<String> = row
        .reasons
        .iter()
        .map(|(reason, count)| format!("{} {count}", reason_words(*reason)))
        .collect();
    TouchedRow {
        customer: row
            .customer
            .as_ref()
            .map(|id| id.0.clone())
            .unwrap_or_default(),
        name: row.name.clone(),
        reasons: if reasons.is_empty() {
            "named by hand".to_owned()
        } else {
            reasons.join(", ")
        },
        cases: row.cases.iter().map(|case| case.0.clone()).collect(),
        standing: row.mark.as_ref().map_or_else(
            || "Nobody has said yet".to_owned(),
            |mark| {
                format!(
                    "{}. {}: {}",
                    standing_words(mark.standing),
                    mark.by.name,
                    mark.reason
                )
            },
        ),
        affected: row
            .mark
            .as_ref()
            .is_some_and(|mark| mark.standing == Standing::Affected),
        lettered: row.lettered,
    }
}

fn facts(facts: &Facts, calendar: &Calendar) -> Vec<(String, String)> {
    let at = |at: Timestamp| calendar.full(at);
    let rows = [
        ("First", facts.first_at.map(at)),
        ("Last", facts.last_at.map(at)),
        ("Took", facts.field("duration")),
        (
            "Customers affected",
            Some(facts.customers_affected.to_string()),
        ),
        (
            "Nobody knows yet of",
            Some(facts.customers_unknown.to_string()),
        ),
        ("Cases", Some(facts.cases.to_string())),
    ];
    rows.into_iter()
        .filter_map(|(label, value)| Some((label.to_owned(), value?)))
        .collect()
}

fn scope(view: &IncidentView, calendar: &Calendar) -> Vec<(String, String)> {
    let scope = &view.incident.scope;
    let cases: Vec<&str> = scope.cases.iter().map(|case| case.0.as_str()).collect();
    let some = |text: String| Some(text).filter(|text| !text.is_empty());
    let rows = [
        ("Cases", some(cases.join(", "))),
        (
            "Alarms",
            (!scope.alarms.is_empty()).then(|| scope.alarms.len().to_string()),
        ),
        ("Customer", view.about.clone()),
        ("Agent", scope.agent.clone()),
        ("Connector", scope.connector.clone()),
        ("Action", scope.action.clone()),
        ("Path", scope.path.clone()),
        ("From", scope.from.map(|at| calendar.full(at))),
        ("To", scope.to.map(|at| calendar.full(at))),
    ];
    rows.into_iter()
        .filter_map(|(label, value)| Some((label.to_owned(), value?)))
        .collect()
}

fn statement_words(view: &IncidentView) -> String {
    let incident = &view.incident;
    let mut said = match incident.published.len() {
        0 if incident.draft.revision == 0 => "Nothing is written yet.".to_owned(),
        0 => "Nothing is published yet.".to_owned(),
        version => format!("Version {version} is public."),
    };
    if incident.submitted.is_some() {
        said.push_str(" A version waits for a second person's signature.");
    }
    let errors = view.errors().count();
    if incident.draft.revision > 0 && errors > 0 {
        let findings = if errors == 1 { "finding" } else { "findings" };
        said =
            format!("{said} The draft has {errors} {findings} that keep it from being published.");
    }
    said
}

fn version_words(version: &str) -> &'static str {
    match version {
        "blog" => "Status page and blog",
        "mail" => "Mail",
        "chars_500" => "500 characters",
        "chars_280" => "280 characters",
        _ => "All versions",
    }
}

fn phase_words(phase: Phase) -> &'static str {
    match phase {
        Phase::Looking => "Looking into it",
        Phase::Found => "Found",
        Phase::Watching => "Fixed, watching",
        Phase::Over => "Over",
    }
}

fn task_words(state: TaskState) -> &'static str {
    match state {
        TaskState::Evaluated => "Being evaluated",
        TaskState::Planned => "Planned",
        TaskState::BeingDone => "Being done",
        TaskState::Done => "Done",
    }
}

fn standing_words(standing: Standing) -> &'static str {
    match standing {
        Standing::Affected => "Affected",
        Standing::NotAffected => "Not affected",
        Standing::Unknown => "Not known yet",
    }
}

fn reason_words(reason: Reason) -> &'static str {
    match reason {
        Reason::Alarm => "alarm",
        Reason::Case => "case",
        Reason::Customer => "named",
        Reason::Path => "same path",
        Reason::Agent => "same agent",
        Reason::Connector => "same connector",
        Reason::Window => "same time",
    }
}
