//! What anyone may read of a gate: its keys, its ledger, its procedure, and the description of its API.

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use countersign_service::ProcedureError;
use countersign_service::settings::Scope;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::Web;
use crate::body::{Json, Path};
use crate::callers::{Caller, Staff};
use crate::problem::Problem;

/// What a backend and a verifier need to know.
#[derive(Debug, Serialize, ToSchema)]
pub struct KeysDocument {
    /// `iss` of every grant.
    pub issuer: String,
    /// JSON Web Key Set of the keys that sign grants.
    #[schema(value_type = Object)]
    pub grant_keys: Value,
    /// The ledger.
    pub ledger: LedgerKey,
}

/// The ledger's name and key.
#[derive(Debug, Serialize, ToSchema)]
pub struct LedgerKey {
    /// Origin line of its checkpoints.
    pub origin: String,
    /// Verifier key (C2SP signed-note): `name+id+key`.
    pub key: String,
    /// Other verifier keys of it: one that signs beside the first while they are exchanged, and former ones, with which
    /// receipts from their time verify.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<String>,
    /// Where its tiles are.
    pub url: String,
}

/// The procedure in force.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProcedureDocument {
    /// Its version: SHA-256 of its canonical JSON twin.
    pub version: String,
    /// Its text.
    pub text: String,
    /// The version that waits for a signature, if one does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proposed: Option<String>,
}

/// A version of the procedure that waits for a signature.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProposedDocument {
    /// Its version.
    pub version: String,
    /// Its text.
    pub text: String,
    /// The version in force.
    pub replaces: String,
    /// Since when it waits, ms since the epoch.
    pub since_ms: i64,
    /// What got weaker or stronger, a sentence each.
    pub changes: Vec<String>,
    /// The role whose signature it needs.
    pub role: String,
    /// Whether you may sign it.
    pub can_sign: bool,
}

/// `GET /.well-known/countersign`
pub async fn keys(State(web): State<Web>) -> Response {
    let document = KeysDocument {
        issuer: web.gate.settings().origin.clone(),
        grant_keys: serde_json::to_value(web.gate.grant_keys()).unwrap_or_default(),
        ledger: LedgerKey {
            origin: web.log_key.name().to_owned(),
            key: web.log_key.to_string(),
            others: web.gate.settings().keys.others.ledger.clone(),
            url: format!("{}/ledger/", web.gate.settings().origin),
        },
    };
    let mut response = axum::Json(document).into_response();
    response.headers_mut().insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("public, max-age=300"),
    );
    response
}

/// `GET /v1/procedure`
pub async fn procedure(State(web): State<Web>, caller: Caller) -> Result<Response, Problem> {
    // A token that attests backups does that and nothing else.
    if matches!(&caller, Caller::Machine(machine) if machine.may(Scope::Backups)) {
        return Err(Problem::not_yours());
    }
    in_force(&web).await
}

async fn in_force(web: &Web) -> Result<Response, Problem> {
    let version = web.gate.procedure().version.to_string();
    let document = axum::Json(ProcedureDocument {
        text: web.gate.procedure_text(&version).await?.unwrap_or_default(),
        proposed: web.gate.proposed_version().await?,
        version,
    });
    Ok(document.into_response())
}

/// `GET /v1/procedure/proposed`
pub async fn proposed(State(web): State<Web>, Staff(staff): Staff) -> Result<Response, Problem> {
    let view = web
        .gate
        .proposed_procedure(&staff)
        .await?
        .ok_or_else(Problem::nothing_here)?;
    Ok(axum::Json(ProposedDocument {
        version: view.version,
        text: view.text,
        replaces: view.replaces,
        since_ms: view.at.0,
        changes: view.changes,
        role: view.role,
        can_sign: view.can_sign.can,
    })
    .into_response())
}

/// `POST /v1/procedure/sign-off/start`
pub async fn start_sign_off(
    State(web): State<Web>,
    Staff(staff): Staff,
) -> Result<Response, Problem> {
    let prompt = web.gate.start_procedure_sign_off(&staff).await?;
    Ok(axum::Json(super::staff::Prompt::from(prompt)).into_response())
}

/// `POST /v1/procedure/sign-off/finish`
pub async fn finish_sign_off(
    State(web): State<Web>,
    Staff(staff): Staff,
    body: Json<super::staff::Answer>,
) -> Result<Response, Problem> {
    web.gate
        .finish_procedure_sign_off(&staff, &body.value.ceremony, &body.value.credential)
        .await?;
    in_force(&web).await
}

impl From<ProcedureError> for Problem {
    fn from(error: ProcedureError) -> Self {
        let (code, words) = (
            error.code(),
            crate::present::sentence_case(&error.to_string()),
        );
        match error {
            ProcedureError::Trouble(trouble) => trouble.into(),
            ProcedureError::NotStaff => Self::not_yours(),
            ProcedureError::NotASigner(_) => Self::new(StatusCode::FORBIDDEN, code, words),
            ProcedureError::NothingProposed | ProcedureError::Superseded => {
                Self::new(StatusCode::CONFLICT, code, words)
            }
            ProcedureError::NotAccepted | ProcedureError::NoPasskey | ProcedureError::Reason => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, words).detail(error.to_string())
            }
        }
    }
}

/// `GET /ledger/checkpoint` (C2SP tlog-tiles)
pub async fn checkpoint(State(web): State<Web>) -> Result<Response, Problem> {
    let note = web.gate.checkpoint().await?;
    let mut response = note.into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("public, max-age=1"),
    );
    Ok(response)
}

/// `GET /ledger/tile/{*path}` (C2SP tlog-tiles): hash tiles and entry bundles never change, so everybody may keep them.
pub async fn tile(State(web): State<Web>, Path(path): Path<String>) -> Result<Response, Problem> {
    let tile = web
        .gate
        .tile(&format!("tile/{path}"))
        .await?
        .ok_or_else(Problem::nothing_here)?;
    let mut response = tile.into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/octet-stream"),
    );
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("public, max-age=31536000, immutable"),
    );
    Ok(response)
}

/// `GET /openapi.json`
pub async fn openapi(State(web): State<Web>) -> Response {
    let mut response = web.openapi.clone().into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("public, max-age=300"),
    );
    response
}

/// `GET /healthz`: the program runs.
pub async fn health() -> &'static str {
    "ok\n"
}

/// `GET /readyz`: the store answers, and the program is not about to end.
pub async fn ready(State(web): State<Web>) -> Result<&'static str, Problem> {
    if web.is_ending() {
        let refused = Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "ending",
            "This gate is about to end",
        );
        return Err(refused.retry_after(5));
    }
    web.gate.checkpoint().await?;
    Ok("ready\n")
}
