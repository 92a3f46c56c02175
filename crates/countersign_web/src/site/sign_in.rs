//! `/sign-in`, `/sign-out`, `/invitation`: the way in, by passkey.

use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::IntoResponse as _;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, Browser, Fields, field, html, local_path, public_frame};
use crate::Web;
use crate::body::{Form, Json, Path, Query};
use crate::callers::Staff;
use crate::headers::see_other;
use crate::network::Network;
use crate::pages::{CompanySignIn, InvitationPage, InvitationState, SignInPage, SignInProblem};
use crate::problem::Problem;

/// What the passkey script posts: the fields of the form, and then the answer of the device.
#[derive(Debug, Deserialize)]
pub struct Scripted {
    /// Comes back from the start.
    #[serde(default)]
    pub ceremony: String,
    /// `credential.toJSON()`
    #[serde(default)]
    pub credential: Value,
    /// The other fields of the form.
    #[serde(flatten)]
    pub fields: std::collections::BTreeMap<String, Value>,
}

impl Scripted {
    /// A field of the form.
    pub fn field(&self, name: &str) -> &str {
        self.fields
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .trim()
    }
}

/// `GET /sign-in`
pub async fn page(
    State(web): State<Web>,
    browser: Browser,
    Query(fields): Query<Fields>,
) -> Answer {
    let problem = match field(&fields, "problem") {
        "unknown" => Some(SignInProblem::Unknown),
        "left" => Some(SignInProblem::Left),
        "no-account" => Some(SignInProblem::NoAccount),
        "company-away" => Some(SignInProblem::CompanyAway),
        "company-refused" => Some(SignInProblem::CompanyRefused),
        _ => None,
    };
    html(&SignInPage {
        frame: public_frame(&web, &browser),
        organisation: web.gate.procedure().organisation.clone(),
        host: web.host(),
        company: web.gate.company_sign_in().map(|name| CompanySignIn {
            name: name.to_owned(),
            href: format!(
                "/sign-in/company?next={}",
                crate::pages::encode(&local_path(field(&fields, "next")))
            ),
        }),
        next: local_path(field(&fields, "next")),
        asks_email: false,
        problem,
    })
}

/// `POST /sign-in/start` (script)
pub async fn start(State(web): State<Web>, network: Network) -> Answer {
    network.take(&web.rates.ceremonies)?;
    let ceremony = web.gate.start_sign_in().await?;
    Ok(
        axum::Json(json!({ "ceremony": ceremony.ceremony, "publicKey": ceremony.options }))
            .into_response(),
    )
}

/// `POST /sign-in/finish` (script)
pub async fn finish(State(web): State<Web>, network: Network, body: Json<Scripted>) -> Answer {
    network.take(&web.rates.ceremonies)?;
    let token = web
        .gate
        .finish_sign_in(&body.value.ceremony, &body.value.credential)
        .await?;
    let mut response =
        axum::Json(json!({ "location": local_path(body.value.field("next")) })).into_response();
    response
        .headers_mut()
        .append(header::SET_COOKIE, web.cookies.set_session(token.expose()));
    Ok(response)
}

/// `POST /sign-out`
pub async fn sign_out(State(web): State<Web>, Staff(staff): Staff) -> Answer {
    web.gate.sign_out(&staff).await?;
    let mut response = see_other("/sign-in?problem=left");
    response
        .headers_mut()
        .append(header::SET_COOKIE, web.cookies.clear_session());
    Ok(response)
}

/// `POST /session/extend`: being here was enough.
pub async fn extend(Staff(_): Staff, Form(fields): Form<Fields>) -> Answer {
    Ok(see_other(&local_path(field(&fields, "back"))))
}

/// `GET /invitation/{token}`: the token leaves the address bar; nothing is used up.
pub async fn opened(State(web): State<Web>, Path(token): Path<String>) -> Answer {
    let mut response = see_other("/invitation");
    response
        .headers_mut()
        .append(header::SET_COOKIE, web.cookies.set_invitation(&token));
    Ok(response)
}

/// `GET /invitation`
pub async fn invitation(State(web): State<Web>, browser: Browser, headers: HeaderMap) -> Answer {
    let state = match web.cookies.invitation(&headers) {
        Some(token) => match web.gate.invitation(&token).await {
            Ok(view) => InvitationState::Open {
                name: view.name,
                role: crate::present::role_labels(&web.gate.procedure(), &view.roles),
                until: web.calendar().when(view.until),
                failed: false,
            },
            Err(_) => InvitationState::Gone,
        },
        None => InvitationState::Gone,
    };
    html(&InvitationPage {
        frame: public_frame(&web, &browser),
        organisation: web.gate.procedure().organisation.clone(),
        host: web.host(),
        state,
    })
}

/// `POST /invitation/start` (script)
pub async fn start_invitation(
    State(web): State<Web>,
    network: Network,
    headers: HeaderMap,
) -> Answer {
    network.take(&web.rates.ceremonies)?;
    let token = web
        .cookies
        .invitation(&headers)
        .ok_or_else(Problem::link_over)?;
    let ceremony = web.gate.start_registration(&token).await?;
    Ok(
        axum::Json(json!({ "ceremony": ceremony.ceremony, "publicKey": ceremony.options }))
            .into_response(),
    )
}

/// `POST /invitation/finish` (script)
pub async fn finish_invitation(
    State(web): State<Web>,
    network: Network,
    headers: HeaderMap,
    body: Json<Scripted>,
) -> Answer {
    network.take(&web.rates.ceremonies)?;
    let token = web
        .cookies
        .invitation(&headers)
        .ok_or_else(Problem::link_over)?;
    let name = match body.value.field("name") {
        "" => "first passkey",
        name => name,
    };
    let session = web
        .gate
        .finish_registration(&token, &body.value.ceremony, &body.value.credential, name)
        .await?;
    let mut response = axum::Json(json!({ "location": "/" })).into_response();
    response.headers_mut().append(
        header::SET_COOKIE,
        web.cookies.set_session(session.expose()),
    );
    response
        .headers_mut()
        .append(header::SET_COOKIE, web.cookies.clear_invitation());
    Ok(response)
}
