//! What anyone may read of a gate: its keys, its ledger, its procedure, and the description of its API.

use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use countersign_service::settings::Scope;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::Web;
use crate::body::Path;
use crate::callers::Caller;
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
}

/// `GET /.well-known/countersign`
pub async fn keys(State(web): State<Web>) -> Response {
    let document = KeysDocument {
        issuer: web.gate.settings().origin.clone(),
        grant_keys: serde_json::to_value(web.gate.grant_keys()).unwrap_or_default(),
        ledger: LedgerKey {
            origin: web.log_key.name().to_owned(),
            key: web.log_key.to_string(),
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
    let document = axum::Json(ProcedureDocument {
        version: web.gate.procedure().version.to_string(),
        text: web.gate.settings().procedure.clone(),
    });
    Ok(document.into_response())
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

/// `GET /readyz`: the store answers.
pub async fn ready(State(web): State<Web>) -> Result<&'static str, Problem> {
    web.gate.checkpoint().await?;
    Ok("ready\n")
}
