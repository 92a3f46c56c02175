//! Closing an incident: by a promise, or by a signature.

use axum::extract::State;
use axum::response::IntoResponse as _;
use countersign_service::ThenStood;
use serde::Deserialize;
use serde_json::{Value, json};

use super::prompted;
use crate::Web;
use crate::body::{Form, Json, Path};
use crate::headers::see_other;
use crate::pages::{ClosingPage, ClosingPromise, Section};
use crate::present::sentence_case;
use crate::site::{Answer, Desk, Fields, field, html};

/// `GET /incidents/{id}/close`
pub async fn closing(State(web): State<Web>, desk: Desk, Path(id): Path<String>) -> Answer {
    let view = web.gate.incident(&desk.staff, &id).await?;
    let promises = web.gate.promises_for(&desk.staff, &id).await?;
    let say = |why: &Option<String>| why.as_ref().map(|why| format!("{}.", sentence_case(why)));
    html(&ClosingPage {
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
