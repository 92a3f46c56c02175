//! `/procedures/proposed`: a new version of the procedure is read, and signed with a passkey.

use axum::extract::State;
use axum::response::IntoResponse as _;
use serde_json::json;

use super::sign_in::Scripted;
use super::{Answer, Desk, html};
use crate::Web;
use crate::body::Json;
use crate::pages::{Proposal, ProposalPage, ProposalState, Section};
use crate::present::sentence_case;

/// `GET /procedures/proposed`
pub async fn page(State(web): State<Web>, desk: Desk) -> Answer {
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
    html(&ProposalPage {
        frame: desk.frame(Some(Section::Approvals)),
        proposal,
    })
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
