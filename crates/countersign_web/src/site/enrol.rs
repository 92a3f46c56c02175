//! `/c/set`: what the gate carries out itself, on the page of the customer who proved it is them.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use countersign_language::{Method, Set};
use countersign_service::adapters::secrets::Secret;
use countersign_service::speech::Key;
use countersign_service::{CaseError, CustomerSeat, EnrolmentError, EnrolmentView, WeakPin};
use serde_json::json;

use super::customer::frame;
use super::sign_in::Scripted;
use super::{Answer, Browser, Fields, html_with};
use crate::Web;
use crate::body::{Form, Json};
use crate::callers::Seat;
use crate::headers::see_other;
use crate::network::Network;
use crate::pages::{CustomerFrame, EnrolPage, EnrolWhat, Errors, HeldPasskey, Qr};
use crate::present::sentence_case;
use crate::problem::Problem;

/// Fields that name a passkey to be removed begin so.
const REMOVE: &str = "remove_";

/// `GET /c/set`
pub async fn page(State(web): State<Web>, browser: Browser, Seat(seat): Seat) -> Answer {
    show(&web, &browser, &seat, None).await
}

/// `POST /c/set`: a PIN, the code of an app, or passkeys to be removed.
pub async fn set(
    State(web): State<Web>,
    browser: Browser,
    network: Network,
    Seat(seat): Seat,
    Form(mut fields): Form<Fields>,
) -> Answer {
    network.take(&web.rates.answers)?;
    let Some(view) = web.gate.enrolment(&seat).await? else {
        return Ok(see_other("/c/done"));
    };
    let (field, outcome) = match view.method {
        Method::Pin => {
            let pin = Secret::new(fields.remove("pin").unwrap_or_default());
            let again = Secret::new(fields.remove("again").unwrap_or_default());
            if pin.expose() != again.expose() {
                let wrong = Some(("again", Key("enrol-wrong-again")));
                return show(&web, &browser, &seat, wrong).await;
            }
            ("pin", web.gate.enrol_pin(&seat, &pin).await)
        }
        Method::Totp => {
            let code = Secret::new(fields.remove("code").unwrap_or_default());
            ("code", web.gate.enrol_app(&seat, code.expose_text()).await)
        }
        _ => {
            let remove = chosen(fields.keys().map(String::as_str));
            (
                "remove",
                web.gate.remove_enrolled_passkeys(&seat, &remove).await,
            )
        }
    };
    match outcome {
        Ok(_) | Err(EnrolmentError::NothingToSet) => Ok(see_other("/c/done")),
        Err(error) => match said(&error) {
            Some(key) => show(&web, &browser, &seat, Some((field, key))).await,
            None => Err(error.into()),
        },
    }
}

/// What the customer reads who can do it better; nothing where it is not theirs to mend.
fn said(error: &EnrolmentError) -> Option<Key> {
    Some(match error {
        EnrolmentError::WeakPin(WeakPin::Length) => Key("enrol-wrong-length"),
        EnrolmentError::WeakPin(WeakPin::Run) => Key("enrol-wrong-run"),
        EnrolmentError::WeakPin(WeakPin::Repeated) => Key("enrol-wrong-repeated"),
        EnrolmentError::WeakPin(WeakPin::Known) => Key("enrol-wrong-known"),
        EnrolmentError::WrongCode => Key("enrol-wrong-code"),
        EnrolmentError::NoneChosen | EnrolmentError::UnknownPasskey => Key("enrol-wrong-none"),
        EnrolmentError::AlreadyHeld => Key("enrol-wrong-held"),
        EnrolmentError::NothingToSet
        | EnrolmentError::NotAccepted
        | EnrolmentError::PromptOver
        | EnrolmentError::TooMany
        | EnrolmentError::Case(_) => return None,
    })
}

/// `POST /c/set/start` (script)
pub async fn start(State(web): State<Web>, Seat(seat): Seat) -> Answer {
    let ceremony = web.gate.start_enrol_passkey(&seat).await?;
    Ok(
        axum::Json(json!({ "ceremony": ceremony.ceremony, "publicKey": ceremony.options }))
            .into_response(),
    )
}

/// `POST /c/set/finish` (script)
pub async fn finish(
    State(web): State<Web>,
    network: Network,
    Seat(seat): Seat,
    body: Json<Scripted>,
) -> Answer {
    network.take(&web.rates.answers)?;
    let body = &body.value;
    let remove = chosen(body.fields.keys().map(String::as_str));
    web.gate
        .finish_enrol_passkey(
            &seat,
            &body.ceremony,
            &body.credential,
            body.field("name"),
            &remove,
        )
        .await?;
    Ok(axum::Json(json!({ "location": "/c/done" })).into_response())
}

/// The passkeys that the fields of a form mark for removal.
fn chosen<'a>(fields: impl Iterator<Item = &'a str>) -> Vec<String> {
    fields
        .filter_map(|name| name.strip_prefix(REMOVE))
        .map(str::to_owned)
        .collect()
}

async fn show(
    web: &Web,
    browser: &Browser,
    seat: &CustomerSeat,
    wrong: Option<(&str, Key)>,
) -> Answer {
    let Some(view) = web.gate.enrolment(seat).await? else {
        return Ok(see_other("/c/done"));
    };
    let status = if wrong.is_some() {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    let case = web.gate.seat_view(seat).await?;
    let frame = frame(web, browser, &case);
    let page = EnrolPage {
        until: web.calendar().spoken(browser.language()).when(view.until),
        what: what(web, &frame, &view),
        errors: wrong.map_or_else(Errors::default, |(field, key)| {
            Errors::one(field, frame.say(key))
        }),
        frame,
    };
    html_with(status, &page)
}

fn what(web: &Web, frame: &CustomerFrame, view: &EnrolmentView) -> EnrolWhat {
    match (&view.method, &view.app) {
        (Method::Totp, Some(app)) => EnrolWhat::App {
            secret: in_fours(&app.base32),
            qr: Qr::new(&app.url, frame.say("enrol-app-qr")),
            url: app.url.clone(),
        },
        (Method::Passkey, _) => {
            let calendar = web.calendar().spoken(frame.language);
            EnrolWhat::Passkeys {
                held: view
                    .passkeys
                    .iter()
                    .map(|key| HeldPasskey {
                        id: key.credential.clone(),
                        name: key.name.clone(),
                        added: calendar.when(key.added_at),
                        used: key.last_used.map(|at| calendar.when(at)),
                    })
                    .collect(),
                may_remove: view.set == Set::Replaces,
            }
        }
        _ => EnrolWhat::Pin,
    }
}

/// `JBSW Y3DP …`
fn in_fours(text: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    let groups: Vec<String> = letters
        .chunks(4)
        .map(|four| four.iter().collect())
        .collect();
    groups.join(" ")
}

impl From<EnrolmentError> for Problem {
    fn from(error: EnrolmentError) -> Self {
        let code = error.code();
        let title = sentence_case(&error.to_string());
        match error {
            EnrolmentError::Case(CaseError::Unknown) => Self::nothing_here(),
            EnrolmentError::Case(error) => error.into(),
            EnrolmentError::NothingToSet
            | EnrolmentError::PromptOver
            | EnrolmentError::AlreadyHeld => {
                Self::new(StatusCode::CONFLICT, code, title).detail(error.to_string())
            }
            EnrolmentError::WeakPin(_)
            | EnrolmentError::WrongCode
            | EnrolmentError::NotAccepted
            | EnrolmentError::UnknownPasskey
            | EnrolmentError::NoneChosen
            | EnrolmentError::TooMany => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, title).detail(error.to_string())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_out_in_fours() {
        assert_eq!(in_fours("JBSWY3DPEH"), "JBSW Y3DP EH");
        assert_eq!(in_fours(""), "");
    }

    #[test]
    fn only_fields_that_say_so_name_passkeys() {
        let fields = ["remove_q83v", "name", "removed", "idempotency_key"];
        assert_eq!(chosen(fields.into_iter()), ["q83v"]);
    }
}
