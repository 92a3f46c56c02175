//! `/v1/cases`: ask, follow, run, take back.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use countersign_cases::{CaseId, CustomerId, PathItem, Standing, Who};
use countersign_service::settings::Scope;
use countersign_service::{
    Answer, Applied, CaseView, DeskFilter, DeskRow, IssuedLink, Language, MachineCaller,
    OpenRequest, OpenedCase,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::idempotency::{Key, LOOKS_MAX, Looked, json, look_up, once, still_used};
use crate::Web;
use crate::body::{Json, Path, Query};
use crate::callers::{Caller, Staff};
use crate::problem::Problem;

/// What `POST /v1/cases` takes.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenCase {
    /// Your own id of the customer.
    #[schema(example = "204-118")]
    pub customer: String,
    /// Name of the action in the procedure.
    #[schema(example = "server.reinstall")]
    pub action: String,
    /// Value by parameter name; exactly the action's parameters, all of them strings.
    #[serde(default)]
    pub parameters: BTreeMap<String, String>,
    /// Why, 10 to 500 characters; required from staff and robots. Colleagues read it. No secrets here.
    #[serde(default)]
    pub reason: Option<String>,
    /// Ticket or chat reference.
    #[serde(default)]
    pub reference: Option<String>,
    /// Only for your panel: where the customer goes afterwards; its origin must be in the configuration.
    #[serde(default)]
    pub return_to: Option<String>,
    /// What letters about it are written in, unless the customer's own record says it: `en`, `de`, `es` or `fr`. Without either, the procedure's language.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "de")]
    pub language: Option<Language>,
    /// Only for your panel: proofs `using panel` that its session shows, such as `signed_in`. They count once the customer
    /// comes by the link of the answer, so send the browser there that is signed in, and no other.
    #[serde(default)]
    pub shows: Vec<String>,
}

/// A case that was opened.
#[derive(Debug, Serialize, ToSchema)]
pub struct CaseOpened {
    /// Its id.
    #[schema(example = "CS-7F3K9Q")]
    pub id: String,
    /// What everything about it is bound to, hexadecimal SHA-256.
    pub digest: String,
    /// What will happen, character for character as everybody sees and signs it.
    pub sentence: String,
    /// When it runs out, ms since the epoch.
    pub expires_at_ms: i64,
    /// For a panel: the one-time link for its signed-in customer. Send them there; it works once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<CaseLink>,
}

/// A one-time link for the customer.
#[derive(Debug, Serialize, ToSchema)]
pub struct CaseLink {
    /// The whole address. Shown once.
    pub url: String,
    /// Until when it may be used, ms since the epoch.
    pub until_ms: i64,
}

/// A case as programs and staff read it.
#[derive(Debug, Serialize, ToSchema)]
pub struct CaseDocument {
    /// Its id.
    #[schema(example = "CS-7F3K9Q")]
    pub id: String,
    /// Grows with every change.
    pub version: u64,
    /// `open`, `waiting`, `ready`, `granted`, `running`, `done`, `failed`, `unknown`, `refused`, `stopped`, `withdrawn`, `expired`.
    #[schema(example = "open")]
    pub state: String,
    /// What everything about it is bound to.
    pub digest: String,
    /// What will happen.
    pub sentence: String,
    /// Name of the action.
    pub action: String,
    /// Value by parameter name.
    pub parameters: BTreeMap<String, String>,
    /// Version of the procedure it was opened under.
    pub procedure: String,
    /// When it was opened, ms since the epoch.
    pub opened_at_ms: i64,
    /// When it runs out.
    pub expires_at_ms: i64,
    /// When its wait is over, if it waits.
    pub takes_effect_at_ms: Option<i64>,
    /// What is missing on the way that lacks least.
    pub missing: Vec<MissingDocument>,
    /// Every way the procedure has for the action, and how each of its requirements stands.
    pub paths: Vec<PathDocument>,
    /// Who must act now.
    pub next: NextDocument,
    /// The grant's id, once there is one.
    pub grant: Option<String>,
    /// The backend's reason code, if it failed.
    pub failure: Option<String>,
    /// Earlier refusals and stops of the same request.
    pub earlier: Vec<EarlierDocument>,
    /// What happened, oldest first.
    pub timeline: Vec<TimelineDocument>,
    /// What whoever opened it says aloud, so that the customer can look up at `/is-it-us` who is talking; while it is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "407 192 385 064")]
    pub spoken_number: Option<String>,
    /// The two digits the customer types to confirm, for staff and for the program that opened it; tell them only in the
    /// conversation with the customer.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "47")]
    pub number_to_match: Option<String>,
}

/// Something that is missing.
#[derive(Debug, Serialize, ToSchema)]
pub struct MissingDocument {
    /// What.
    pub words: String,
    /// Who can supply it: `customer`, `opener`, `colleague`, `time`, `backup_machine`, `gate`, `backend`, `nobody`.
    pub who: String,
    /// The path of the procedure that asks for it.
    #[schema(example = "usual")]
    pub path: String,
    /// Which requirement of that path, from 1; absent for the customer's link and confirmation, which every path needs.
    pub requirement: Option<usize>,
    /// When time alone makes a difference.
    pub until_ms: Option<i64>,
}

/// One of the ways to earn the action: all its requirements must hold.
#[derive(Debug, Serialize, ToSchema)]
pub struct PathDocument {
    /// Its name in the procedure.
    #[schema(example = "usual")]
    pub path: String,
    /// Whether its `when` lines hold; a path that does not apply leads nowhere.
    pub applies: bool,
    /// Its requirements, in the order of the procedure.
    pub requirements: Vec<RequirementDocument>,
}

/// One requirement of a path.
#[derive(Debug, Serialize, ToSchema)]
pub struct RequirementDocument {
    /// Which of the path, from 1.
    pub requirement: usize,
    /// What it asks for.
    pub words: String,
    /// `holds`, `waiting`, `not_started`, `refused`, `not_needed`.
    #[schema(example = "not_started")]
    pub standing: String,
    /// Who can supply what is missing, as in `missing`.
    pub who: String,
}

/// Who must act now.
#[derive(Debug, Serialize, ToSchema)]
pub struct NextDocument {
    /// As in `missing`.
    pub who: String,
    /// What they do.
    pub words: String,
}

/// An earlier refusal or stop.
#[derive(Debug, Serialize, ToSchema)]
pub struct EarlierDocument {
    /// In which case.
    pub case: String,
    /// When.
    pub at_ms: i64,
    /// True for a stop, false for a colleague's refusal.
    pub stopped: bool,
    /// Until when the same request stays closed.
    pub closed_until_ms: i64,
}

/// One thing that happened.
#[derive(Debug, Serialize, ToSchema)]
pub struct TimelineDocument {
    /// When.
    pub at_ms: i64,
    /// Its word, such as `proved`.
    pub kind: String,
    /// A sentence.
    pub words: String,
}

/// Rows of the desk.
#[derive(Debug, Serialize, ToSchema)]
pub struct CaseList {
    /// The cases.
    pub cases: Vec<CaseSummary>,
}

/// A row of the desk.
#[derive(Debug, Serialize, ToSchema)]
pub struct CaseSummary {
    /// Its id.
    pub id: String,
    /// The state in one word.
    pub state: String,
    /// The sentence; values masked until something is proved.
    pub sentence: String,
    /// What is missing.
    pub missing: Vec<String>,
    /// When it was opened.
    pub opened_at_ms: i64,
    /// When it changed last.
    pub updated_at_ms: i64,
}

/// What a command left behind.
#[derive(Debug, Serialize, ToSchema)]
pub struct CaseChanged {
    /// Grows with every change.
    pub version: u64,
    /// The state in one word.
    pub state: String,
}

/// `?show=mine|team|waiting|done`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Show {
    #[serde(default)]
    show: Option<String>,
}

/// `POST /v1/cases/{case}/vouch`
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Vouch {
    /// The words of the line, exactly.
    pub text: String,
}

/// `POST /v1/cases/{case}/refuse`
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Refuse {
    /// Why, 10 to 500 characters.
    pub reason: String,
}

/// `POST /v1/cases`
pub async fn open(
    State(web): State<Web>,
    caller: Caller,
    key: Key,
    body: Json<OpenCase>,
) -> Result<Response, Problem> {
    let scope = caller.idempotency_scope("cases");
    let request = OpenRequest {
        customer: CustomerId(body.value.customer.clone()),
        action: body.value.action.clone(),
        parameters: body.value.parameters.clone(),
        reason: body.value.reason.clone(),
        reference: body.value.reference.clone(),
        return_to: body.value.return_to.clone(),
        language: body.value.language,
        shows: body.value.shows.clone(),
    };
    if let (Caller::Machine(machine), Some(text)) = (&caller, key.text())
        && machine.may(Scope::Panel)
    {
        return open_for_panel(&web, machine, &request, &scope, text, &body.bytes).await;
    }
    once(&web, &scope, &key, &body.bytes, async || {
        let (opened, link) = match &caller {
            Caller::Staff(staff) => (web.gate.open_case(staff, &request).await?, None),
            Caller::Machine(machine) if machine.may(Scope::Panel) => {
                let (opened, link) = web.gate.open_case_for_panel(machine, &request).await?;
                (opened, Some(web.link(&link)))
            }
            Caller::Machine(machine) => {
                (web.gate.open_case_as_robot(machine, &request).await?, None)
            }
        };
        Ok((StatusCode::CREATED, opened_document(&opened, link)))
    })
    .await
}

/// The company's panel opens most cases of all, and always with a key.
async fn open_for_panel(
    web: &Web,
    machine: &MachineCaller,
    request: &OpenRequest,
    scope: &str,
    key: &str,
    body: &[u8],
) -> Result<Response, Problem> {
    let answer = |opened: &OpenedCase, link: &IssuedLink| Answer {
        status: StatusCode::CREATED.as_u16(),
        body: opened_document(opened, Some(web.link(link))).to_string(),
    };
    for _ in 0..LOOKS_MAX {
        let unused = match look_up(web, scope, key, body).await? {
            Looked::Unused(unused) => unused,
            Looked::Known(response) => return Ok(response),
        };
        let opened = web
            .gate
            .open_case_for_panel_once(machine, request, &unused, &answer)
            .await?;
        if let Some((opened, link)) = opened {
            return Ok(json(StatusCode::CREATED, &answer(&opened, &link).body));
        }
    }
    still_used()
}

fn opened_document(opened: &OpenedCase, link: Option<CaseLink>) -> serde_json::Value {
    let document = CaseOpened {
        id: opened.case.0.clone(),
        digest: opened.digest.to_string(),
        sentence: opened.sentence.clone(),
        expires_at_ms: opened.expires_at.0,
        link,
    };
    serde_json::to_value(document).unwrap_or_default()
}

/// `GET /v1/cases`
pub async fn list(
    State(web): State<Web>,
    Staff(staff): Staff,
    Query(show): Query<Show>,
) -> Result<Response, Problem> {
    let filter = match show.show.as_deref() {
        None | Some("mine") => DeskFilter::Mine,
        Some("team") => DeskFilter::Team,
        Some("waiting") => DeskFilter::WaitingForSignOff,
        Some("done") => DeskFilter::FinishedToday,
        Some(_) => {
            return Err(Problem::invalid(
                "show",
                "is one of `mine`, `team`, `waiting`, `done`",
            ));
        }
    };
    let cases = web
        .gate
        .desk(&staff, filter)
        .await?
        .into_iter()
        .map(CaseSummary::from)
        .collect();
    Ok(axum::Json(CaseList { cases }).into_response())
}

/// `GET /v1/cases/{case}`
pub async fn read(
    State(web): State<Web>,
    caller: Caller,
    Path(case): Path<String>,
) -> Result<Response, Problem> {
    let case = case_id(&case)?;
    let view = match &caller {
        Caller::Staff(staff) => web.gate.case_view(staff, &case).await?,
        Caller::Machine(machine) => web.gate.case_view_for_machine(machine, &case).await?,
    };
    Ok(axum::Json(CaseDocument::from(view)).into_response())
}

/// `POST /v1/cases/{case}/link`
pub async fn link(
    State(web): State<Web>,
    caller: Caller,
    key: Key,
    Path(case): Path<String>,
) -> Result<Response, Problem> {
    asked(&web, &caller, &key, &case, "link", async |case| {
        let link = match &caller {
            Caller::Staff(staff) => web.gate.issue_link(staff, case).await?,
            Caller::Machine(machine) => web.gate.issue_link_as_robot(machine, case).await?,
        };
        let link = serde_json::to_value(web.link(&link)).unwrap_or_default();
        Ok((StatusCode::CREATED, link))
    })
    .await
}

/// `POST /v1/cases/{case}/run`
pub async fn run(
    State(web): State<Web>,
    caller: Caller,
    key: Key,
    Path(case): Path<String>,
) -> Result<Response, Problem> {
    asked(&web, &caller, &key, &case, "run", async |case| {
        Ok(changed(&match &caller {
            Caller::Staff(staff) => web.gate.run(staff, case).await?,
            Caller::Machine(machine) => web.gate.run_as_robot(machine, case).await?,
        }))
    })
    .await
}

/// `POST /v1/cases/{case}/withdraw`
pub async fn withdraw(
    State(web): State<Web>,
    caller: Caller,
    key: Key,
    Path(case): Path<String>,
) -> Result<Response, Problem> {
    asked(&web, &caller, &key, &case, "withdraw", async |case| {
        Ok(changed(&match &caller {
            Caller::Staff(staff) => web.gate.withdraw(staff, case).await?,
            Caller::Machine(machine) => web.gate.withdraw_as_robot(machine, case).await?,
        }))
    })
    .await
}

/// What staff and programs ask of a case without a body: done once for each key, and answered the same again.
async fn asked(
    web: &Web,
    caller: &Caller,
    key: &Key,
    case: &str,
    what: &str,
    ask: impl AsyncFnOnce(&CaseId) -> Result<(StatusCode, serde_json::Value), Problem>,
) -> Result<Response, Problem> {
    let case = case_id(case)?;
    let scope = caller.idempotency_scope(&format!("cases/{}/{what}", case.0));
    once(web, &scope, key, b"", async || ask(&case).await).await
}

/// `POST /v1/cases/{case}/vouch`
pub async fn vouch(
    State(web): State<Web>,
    Staff(staff): Staff,
    key: Key,
    Path(case): Path<String>,
    body: Json<Vouch>,
) -> Result<Response, Problem> {
    let case = case_id(&case)?;
    let scope = format!("staff/{}/cases/{}/vouch", staff.account(), case.0);
    once(&web, &scope, &key, &body.bytes, async || {
        Ok(changed(
            &web.gate.vouch(&staff, &case, &body.value.text).await?,
        ))
    })
    .await
}

/// `POST /v1/cases/{case}/refuse`
pub async fn refuse(
    State(web): State<Web>,
    Staff(staff): Staff,
    key: Key,
    Path(case): Path<String>,
    body: Json<Refuse>,
) -> Result<Response, Problem> {
    let case = case_id(&case)?;
    let scope = format!("staff/{}/cases/{}/refuse", staff.account(), case.0);
    once(&web, &scope, &key, &body.bytes, async || {
        Ok(changed(
            &web.gate.refuse(&staff, &case, &body.value.reason).await?,
        ))
    })
    .await
}

/// `GET /v1/cases/{case}/receipt`
pub async fn receipt(
    State(web): State<Web>,
    Staff(staff): Staff,
    Path(case): Path<String>,
) -> Result<Response, Problem> {
    let receipt = web.gate.receipt_for_staff(&staff, &case_id(&case)?).await?;
    Ok(axum::Json(receipt).into_response())
}

/// The id as somebody typed it; anything that cannot be one is simply not there.
pub fn case_id(typed: &str) -> Result<CaseId, Problem> {
    countersign_service::adapters::tokens::parse_speakable_id("CS", typed)
        .map(CaseId)
        .ok_or_else(Problem::nothing_here)
}

fn changed(applied: &Applied) -> (StatusCode, serde_json::Value) {
    let changed = CaseChanged {
        version: applied.version,
        state: applied.state.word().to_owned(),
    };
    (
        StatusCode::OK,
        serde_json::to_value(changed).unwrap_or_default(),
    )
}

impl From<CaseView> for CaseDocument {
    fn from(view: CaseView) -> Self {
        Self {
            id: view.case.0,
            version: view.version,
            state: view.state.word().to_owned(),
            digest: view.digest.to_string(),
            sentence: view.sentence,
            action: view.action,
            parameters: view
                .parameters
                .into_iter()
                .map(|parameter| (parameter.name, parameter.value))
                .collect(),
            procedure: view.procedure,
            opened_at_ms: view.opened_at.0,
            expires_at_ms: view.expires_at.0,
            takes_effect_at_ms: view.takes_effect_at.map(|at| at.0),
            missing: view
                .checklist
                .missing
                .iter()
                .map(|missing| MissingDocument {
                    words: missing.words.clone(),
                    who: who(&missing.who).to_owned(),
                    path: view
                        .checklist
                        .paths
                        .iter()
                        .find(|path| path.path == missing.path)
                        .map_or_else(String::new, |path| path.name.clone()),
                    requirement: missing.line.map(|line| line.saturating_add(1)),
                    until_ms: missing.until.map(|at| at.0),
                })
                .collect(),
            paths: view.checklist.paths.iter().map(path_document).collect(),
            next: NextDocument {
                who: who(&view.checklist.next.who).to_owned(),
                words: view.checklist.next.words.clone(),
            },
            grant: view.grant,
            failure: view.failure,
            earlier: view
                .earlier
                .into_iter()
                .map(|earlier| EarlierDocument {
                    case: earlier.case.0,
                    at_ms: earlier.at.0,
                    stopped: earlier.stopped,
                    closed_until_ms: earlier.closed_until.0,
                })
                .collect(),
            spoken_number: view.spoken.map(|number| number.said()),
            number_to_match: view.number.map(|number| number.digits),
            timeline: view
                .timeline
                .into_iter()
                .map(|entry| TimelineDocument {
                    at_ms: entry.at.0,
                    kind: entry.kind,
                    words: entry.words,
                })
                .collect(),
        }
    }
}

impl From<DeskRow> for CaseSummary {
    fn from(row: DeskRow) -> Self {
        Self {
            id: row.case.0,
            state: row.state,
            sentence: row.sentence,
            missing: row.missing,
            opened_at_ms: row.opened_at.0,
            updated_at_ms: row.updated_at.0,
        }
    }
}

fn path_document(path: &PathItem) -> PathDocument {
    PathDocument {
        path: path.name.clone(),
        applies: path.applies,
        requirements: path
            .lines
            .iter()
            .map(|line| RequirementDocument {
                requirement: line.line.saturating_add(1),
                words: line.words.clone(),
                standing: standing(line.standing).to_owned(),
                who: who(&line.who).to_owned(),
            })
            .collect(),
    }
}

fn standing(standing: Standing) -> &'static str {
    match standing {
        Standing::Holds => "holds",
        Standing::Waiting => "waiting",
        Standing::NotStarted => "not_started",
        Standing::Refused => "refused",
        Standing::NotNeeded => "not_needed",
    }
}

fn who(who: &Who) -> &'static str {
    match who {
        Who::Customer => "customer",
        Who::Opener => "opener",
        Who::Colleague { .. } => "colleague",
        Who::Time => "time",
        Who::BackupMachine => "backup_machine",
        Who::Gate => "gate",
        Who::Backend => "backend",
        Who::Nobody => "nobody",
    }
}
