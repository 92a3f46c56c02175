//! Incidents and alarms for programs: the same as on the pages, with the same rights.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use countersign_cases::{CustomerId, Digest, Timestamp};
use countersign_service::{
    IncidentChange, IncidentError, NewIncident, Phase, ScopeWish, Standing, TaskState, Texts,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::idempotency::{Key, once};
use super::staff::{Answer, Prompt};
use crate::Web;
use crate::body::{Json, Path};
use crate::callers::Staff;
use crate::problem::Problem;

/// An incident to be opened: from a case, from an alarm, or by hand.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenIncident {
    /// What colleagues call it; 3 to 500 characters.
    #[schema(example = "Servers erased without a case")]
    pub title: String,
    /// The case it is opened from.
    #[serde(default)]
    pub case: Option<String>,
    /// The alarm it is opened from.
    #[serde(default)]
    pub alarm: Option<String>,
}

/// An incident that was opened.
#[derive(Debug, Serialize, ToSchema)]
pub struct IncidentOpened {
    /// `IN-7F3K9Q`
    #[schema(example = "IN-7F3K9Q")]
    pub id: String,
}

/// What an incident is about; what is left out narrows nothing down.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IncidentScope {
    /// Cases.
    #[serde(default)]
    pub cases: Vec<String>,
    /// Your own id of a customer.
    #[serde(default)]
    pub customer: Option<String>,
    /// A staff account.
    #[serde(default)]
    pub agent: Option<String>,
    /// A connector.
    #[serde(default)]
    pub connector: Option<String>,
    /// An action.
    #[serde(default)]
    pub action: Option<String>,
    /// A path of that action.
    #[serde(default)]
    pub path: Option<String>,
    /// From when, ms since the epoch.
    #[serde(default)]
    pub from_ms: Option<i64>,
    /// Until when.
    #[serde(default)]
    pub to_ms: Option<i64>,
}

/// A line for the timeline.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IncidentLine {
    /// When it was so, ms since the epoch; not later than now.
    pub when_ms: i64,
    /// What.
    pub text: String,
    /// Where this is known from.
    pub source: String,
}

/// How it stands with a customer.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IncidentMark {
    /// Your own id of the customer.
    pub customer: String,
    /// `affected`, `not_affected` or `unknown`.
    #[schema(value_type = String, example = "affected")]
    pub standing: Standing,
    /// Why; 10 to 500 characters.
    pub reason: String,
}

/// Something to be done.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IncidentTask {
    /// What.
    pub text: String,
    /// A role of the procedure or a staff account.
    pub owner: String,
    /// Until when, ms since the epoch.
    pub due_ms: i64,
}

/// How far a task is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IncidentTaskState {
    /// `evaluated`, `planned`, `being_done` or `done`.
    #[schema(value_type = String, example = "being_done")]
    pub state: TaskState,
}

/// Word to the public.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IncidentUpdate {
    /// The incident in one sentence.
    pub headline: String,
    /// `looking`, `found`, `watching` or `over`.
    #[schema(value_type = String, example = "looking")]
    pub phase: Phase,
    /// More.
    #[serde(default)]
    pub text: String,
    /// When the next update comes, ms since the epoch: needed unless it is over, and at most two weeks from now.
    #[serde(default)]
    pub next_ms: Option<i64>,
}

/// The statement: its versions with fields such as `{{customers_affected}}`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StatementDraft {
    /// For the status page and the blog.
    pub blog: String,
    /// For mail.
    #[serde(default)]
    pub mail: String,
    /// At most 500 characters.
    #[serde(default)]
    pub chars_500: String,
    /// At most 280 characters.
    #[serde(default)]
    pub chars_280: String,
    /// How often it had been saved when it was read; only for saving.
    #[serde(default)]
    pub revision: u32,
}

/// Which draft is handed in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StatementRevision {
    /// How often it had been saved when it was read.
    pub revision: u32,
}

/// A promise that closes an incident.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClosePromise {
    /// The promise, in its own words.
    pub promise: String,
}

/// Why an incident needs no promise.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CloseReason {
    /// 10 to 500 characters.
    pub reason: String,
}

/// The reason, signed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CloseAnswer {
    /// As it was begun.
    pub reason: String,
    /// `credential.toJSON()`.
    #[schema(value_type = Object)]
    pub credential: Value,
}

/// Why an alarm is nothing.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SettleAlarm {
    /// 10 to 500 characters.
    pub reason: String,
}

/// `GET /v1/incidents`
pub async fn list(State(web): State<Web>, Staff(staff): Staff) -> Result<Response, Problem> {
    let incidents = web.gate.incidents(&staff).await?;
    Ok(axum::Json(json!({ "incidents": incidents })).into_response())
}

/// `POST /v1/incidents`
pub async fn open(
    State(web): State<Web>,
    Staff(staff): Staff,
    key: Key,
    body: Json<OpenIncident>,
) -> Result<Response, Problem> {
    let scope = format!("staff/{}/incidents", staff.account());
    once(&web, &scope, &key, &body.bytes, async || {
        let wish = &body.value;
        let new = NewIncident {
            title: wish.title.clone(),
            case: wish
                .case
                .as_deref()
                .map(super::cases::case_id)
                .transpose()?,
            alarm: wish.alarm.clone(),
        };
        let id = web.gate.open_incident(&staff, &new).await?;
        let opened = serde_json::to_value(IncidentOpened { id }).unwrap_or_default();
        Ok((StatusCode::CREATED, opened))
    })
    .await
}

/// `GET /v1/incidents/{incident}`
pub async fn read(
    State(web): State<Web>,
    Staff(staff): Staff,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    Ok(axum::Json(web.gate.incident(&staff, &id).await?).into_response())
}

/// `GET /v1/incidents/{incident}/facts`
pub async fn facts(
    State(web): State<Web>,
    Staff(staff): Staff,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    Ok(axum::Json(web.gate.incident_facts(&staff, &id).await?).into_response())
}

/// `POST /v1/incidents/{incident}/scope`
pub async fn scope(
    web: State<Web>,
    staff: Staff,
    key: Key,
    id: Path<String>,
    body: Json<IncidentScope>,
) -> Result<Response, Problem> {
    let wish = &body.value;
    let cases: Result<_, Problem> = wish
        .cases
        .iter()
        .map(|one| super::cases::case_id(one))
        .collect();
    let change = IncidentChange::Scope(ScopeWish {
        cases: cases?,
        customer: wish.customer.clone().map(CustomerId),
        agent: wish.agent.clone(),
        connector: wish.connector.clone(),
        action: wish.action.clone(),
        path: wish.path.clone(),
        from: wish.from_ms.map(Timestamp),
        to: wish.to_ms.map(Timestamp),
    });
    changed(web, staff, key, id, "scope", &body.bytes, change).await
}

/// `POST /v1/incidents/{incident}/lines`
pub async fn line(
    web: State<Web>,
    staff: Staff,
    key: Key,
    id: Path<String>,
    body: Json<IncidentLine>,
) -> Result<Response, Problem> {
    let change = IncidentChange::Line {
        when: Timestamp(body.value.when_ms),
        text: body.value.text.clone(),
        source: body.value.source.clone(),
    };
    changed(web, staff, key, id, "lines", &body.bytes, change).await
}

/// `POST /v1/incidents/{incident}/marks`
pub async fn mark(
    web: State<Web>,
    staff: Staff,
    key: Key,
    id: Path<String>,
    body: Json<IncidentMark>,
) -> Result<Response, Problem> {
    let change = IncidentChange::Mark {
        customer: CustomerId(body.value.customer.clone()),
        standing: body.value.standing,
        reason: body.value.reason.clone(),
    };
    changed(web, staff, key, id, "marks", &body.bytes, change).await
}

/// `POST /v1/incidents/{incident}/tasks`
pub async fn task(
    web: State<Web>,
    staff: Staff,
    key: Key,
    id: Path<String>,
    body: Json<IncidentTask>,
) -> Result<Response, Problem> {
    let change = IncidentChange::Task {
        text: body.value.text.clone(),
        owner: body.value.owner.clone(),
        due: Timestamp(body.value.due_ms),
    };
    changed(web, staff, key, id, "tasks", &body.bytes, change).await
}

/// `POST /v1/incidents/{incident}/tasks/{task}`
pub async fn task_state(
    web: State<Web>,
    staff: Staff,
    key: Key,
    Path((id, task)): Path<(String, u32)>,
    body: Json<IncidentTaskState>,
) -> Result<Response, Problem> {
    let change = IncidentChange::TaskState {
        task,
        state: body.value.state,
    };
    let what = format!("tasks/{task}");
    changed(web, staff, key, Path(id), &what, &body.bytes, change).await
}

/// `POST /v1/incidents/{incident}/updates`
pub async fn update(
    web: State<Web>,
    staff: Staff,
    key: Key,
    id: Path<String>,
    body: Json<IncidentUpdate>,
) -> Result<Response, Problem> {
    let change = IncidentChange::Update {
        headline: body.value.headline.clone(),
        phase: body.value.phase,
        text: body.value.text.clone(),
        next_at: body.value.next_ms.map(Timestamp),
    };
    changed(web, staff, key, id, "updates", &body.bytes, change).await
}

/// `PUT /v1/incidents/{incident}/statement`
pub async fn draft(
    web: State<Web>,
    staff: Staff,
    id: Path<String>,
    body: Json<StatementDraft>,
) -> Result<Response, Problem> {
    let change = IncidentChange::Draft {
        texts: texts(&body.value),
        revision: body.value.revision,
    };
    web.0.gate.change(&staff.0, &id.0, &change).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `POST /v1/incidents/{incident}/statement/check`
pub async fn check(
    State(web): State<Web>,
    Staff(staff): Staff,
    Path(id): Path<String>,
    body: Json<StatementDraft>,
) -> Result<Response, Problem> {
    let checked = web
        .gate
        .check_statement(&staff, &id, &texts(&body.value))
        .await?;
    Ok(axum::Json(checked).into_response())
}

/// `POST /v1/incidents/{incident}/statement/submit`
pub async fn submit(
    State(web): State<Web>,
    Staff(staff): Staff,
    Path(id): Path<String>,
    body: Json<StatementRevision>,
) -> Result<Response, Problem> {
    web.gate
        .submit_statement(&staff, &id, body.value.revision)
        .await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `POST /v1/incidents/{incident}/statement/sign/start`
pub async fn start_sign(
    State(web): State<Web>,
    Staff(staff): Staff,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let prompt = web.gate.start_publication(&staff, &id).await?;
    Ok(axum::Json(Prompt::from(prompt)).into_response())
}

/// `POST /v1/incidents/{incident}/statement/sign/finish`
pub async fn finish_sign(
    State(web): State<Web>,
    Staff(staff): Staff,
    Path(id): Path<String>,
    body: Json<Answer>,
) -> Result<Response, Problem> {
    let digest = Digest::from_hex(&body.value.ceremony)
        .ok_or_else(|| Problem::invalid("ceremony", "the digest that was begun"))?;
    let version = web
        .gate
        .finish_publication(&staff, &id, digest, &body.value.credential)
        .await?;
    Ok(axum::Json(json!({ "version": version })).into_response())
}

/// `GET /v1/incidents/{incident}/letters`
pub async fn letters(
    State(web): State<Web>,
    Staff(staff): Staff,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let letters = web.gate.letters(&staff, &id).await?;
    Ok(axum::Json(json!({ "letters": letters })).into_response())
}

/// `POST /v1/incidents/{incident}/letters`
pub async fn send_letters(
    State(web): State<Web>,
    Staff(staff): Staff,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let customers = web.gate.send_letters(&staff, &id).await?;
    Ok(axum::Json(json!({ "customers": customers })).into_response())
}

/// `GET /v1/incidents/{incident}/promises`
pub async fn promises(
    State(web): State<Web>,
    Staff(staff): Staff,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let promises = web.gate.promises_for(&staff, &id).await?;
    Ok(axum::Json(json!({ "promises": promises })).into_response())
}

/// `POST /v1/incidents/{incident}/close`
pub async fn close(
    State(web): State<Web>,
    Staff(staff): Staff,
    Path(id): Path<String>,
    body: Json<ClosePromise>,
) -> Result<Response, Problem> {
    web.gate
        .close_by_promise(&staff, &id, &body.value.promise)
        .await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `POST /v1/incidents/{incident}/close/start`
pub async fn start_close(
    State(web): State<Web>,
    Staff(staff): Staff,
    Path(id): Path<String>,
    body: Json<CloseReason>,
) -> Result<Response, Problem> {
    let prompt = web
        .gate
        .start_closing(&staff, &id, &body.value.reason)
        .await?;
    Ok(axum::Json(Prompt::from(prompt)).into_response())
}

/// `POST /v1/incidents/{incident}/close/finish`
pub async fn finish_close(
    State(web): State<Web>,
    Staff(staff): Staff,
    Path(id): Path<String>,
    body: Json<CloseAnswer>,
) -> Result<Response, Problem> {
    let CloseAnswer { reason, credential } = &body.value;
    web.gate
        .finish_closing(&staff, &id, reason, credential)
        .await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `GET /v1/alarms`
pub async fn alarms(State(web): State<Web>, Staff(staff): Staff) -> Result<Response, Problem> {
    let alarms = web.gate.alarms(&staff).await?;
    Ok(axum::Json(json!({ "alarms": alarms })).into_response())
}

/// `POST /v1/alarms/{alarm}/settle`
pub async fn settle(
    State(web): State<Web>,
    Staff(staff): Staff,
    Path(id): Path<String>,
    body: Json<SettleAlarm>,
) -> Result<Response, Problem> {
    web.gate
        .settle_alarm(&staff, &id, &body.value.reason)
        .await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn changed(
    State(web): State<Web>,
    Staff(staff): Staff,
    key: Key,
    Path(id): Path<String>,
    what: &str,
    body: &[u8],
    change: IncidentChange,
) -> Result<Response, Problem> {
    let scope = format!("staff/{}/incidents/{id}/{what}", staff.account());
    once(&web, &scope, &key, body, async || {
        web.gate.change(&staff, &id, &change).await?;
        Ok((StatusCode::OK, json!({ "id": id })))
    })
    .await
}

fn texts(draft: &StatementDraft) -> Texts {
    Texts {
        blog: draft.blog.clone(),
        mail: draft.mail.clone(),
        chars_500: draft.chars_500.clone(),
        chars_280: draft.chars_280.clone(),
    }
}

impl From<IncidentError> for Problem {
    fn from(error: IncidentError) -> Self {
        let code = error.code();
        let words = crate::present::sentence_case(&error.to_string());
        let with = |status| Self::new(status, code, words.clone());
        match error {
            IncidentError::Trouble(trouble) => trouble.into(),
            IncidentError::NotAllowed(role) => {
                Self::not_yours().detail(format!("it needs `{role}`"))
            }
            IncidentError::Unknown | IncidentError::UnknownAlarm => Self::nothing_here(),
            IncidentError::Field { field, why } => Self::invalid(field, why),
            IncidentError::UnknownCustomer => {
                with(StatusCode::UNPROCESSABLE_ENTITY).field("customer", "not known")
            }
            IncidentError::UnknownCase => {
                with(StatusCode::UNPROCESSABLE_ENTITY).field("case", "not known")
            }
            IncidentError::UnknownTask => {
                with(StatusCode::UNPROCESSABLE_ENTITY).field("task", "not known")
            }
            IncidentError::UnknownPromise => {
                with(StatusCode::UNPROCESSABLE_ENTITY).field("promise", "not known")
            }
            IncidentError::Facts(_)
            | IncidentError::NoPasskey
            | IncidentError::NotAccepted
            | IncidentError::PromiseBroken
            | IncidentError::PromiseNotNew => with(StatusCode::UNPROCESSABLE_ENTITY),
            IncidentError::OwnStatement | IncidentError::OwnIncident => with(StatusCode::FORBIDDEN),
            IncidentError::AlarmSettled
            | IncidentError::Closed
            | IncidentError::Changed
            | IncidentError::NothingSubmitted
            | IncidentError::NobodyToWriteTo
            | IncidentError::Full => with(StatusCode::CONFLICT),
        }
    }
}
