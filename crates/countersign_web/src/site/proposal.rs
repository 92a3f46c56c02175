//! `/procedures/proposed`: a new version of the procedure is read, and signed with a passkey.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use countersign_service::ProcedureError;
use serde_json::json;

use super::sign_in::Scripted;
use super::{Answer, Desk, Fields, field, html_with};
use crate::Web;
use crate::body::{Form, Json};
use crate::headers::see_other;
use crate::pages::{Errors, Proposal, ProposalPage, ProposalState, RefusedVersion, Section};
use crate::present::sentence_case;

/// `GET /procedures/proposed`
pub async fn page(State(web): State<Web>, desk: Desk) -> Answer {
    show(&web, &desk, "", Errors::default()).await
}

async fn show(web: &Web, desk: &Desk, reason: &str, errors: Errors) -> Answer {
    let proposal = web.gate.proposed_procedure(&desk.staff).await?;
    let proposal = proposal.map(|view| Proposal {
        at: desk.calendar.when(view.at),
        state: match view.can_sign.why {
            Some(why) => ProposalState::Cannot(format!("{}.", sentence_case(&why))),
            None if desk.staff.passkeys() == 0 => ProposalState::NoPasskey,
            None => ProposalState::Sign,
        },
        version: view.version,
        replaces: view.replaces,
        changes: view.changes,
        text: view.text,
        replaces_text: view.replaces_text,
        role: view.role,
    });
    let refused = web.gate.refused_procedure(&desk.staff).await?;
    let status = if errors.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    html_with(
        status,
        &ProposalPage {
            frame: desk.frame(Some(Section::Approvals)),
            refused: refused.map(|refused| RefusedVersion {
                at: desk.calendar.when(refused.at),
                version: refused.version,
                by: refused.by,
                reason: refused.reason,
            }),
            proposal,
            reason: reason.to_owned(),
            errors,
        },
    )
}

/// `POST /procedures/proposed/refuse`: `version` is the one the page showed.
pub async fn refuse(State(web): State<Web>, desk: Desk, Form(fields): Form<Fields>) -> Answer {
    let reason = field(&fields, "reason");
    match web
        .gate
        .refuse_procedure(&desk.staff, field(&fields, "version"), reason)
        .await
    {
        Ok(()) => Ok(see_other("/procedures/proposed")),
        Err(error @ ProcedureError::Reason) => {
            let errors = Errors::one("reason", sentence_case(&error.to_string()));
            show(&web, &desk, reason, errors).await
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /procedures/proposed/sign/start` (script)
pub async fn start(State(web): State<Web>, desk: Desk) -> Answer {
    let prompt = web.gate.start_procedure_sign_off(&desk.staff).await?;
    // The challenge is made of the version itself, so nothing is remembered but by the page.
    Ok(
        axum::Json(json!({ "ceremony": prompt.digest.to_string(), "publicKey": prompt.options }))
            .into_response(),
    )
}

/// `POST /procedures/proposed/sign/finish` (script)
pub async fn finish(State(web): State<Web>, desk: Desk, body: Json<Scripted>) -> Answer {
    web.gate
        .finish_procedure_sign_off(&desk.staff, &body.value.ceremony, &body.value.credential)
        .await?;
    Ok(axum::Json(json!({ "location": "/procedures/proposed" })).into_response())
}
