//! `/v1/sign-in`, `/v1/invitations`, `/v1/staff`, and a colleague's signature. The passkey prompts are JSON both ways:
//! pages use the same routes from their script.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use countersign_cases::Digest;
use countersign_service::settings::{ConsoleRole, NewAccount};
use countersign_service::{Ceremony, PasskeyPrompt, StaffError};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::cases::{CaseChanged, case_id};
use super::idempotency::{Key, once};
use crate::Web;
use crate::body::{Json, Path};
use crate::callers::Staff;
use crate::network::Network;
use crate::problem::Problem;

/// A passkey prompt under way.
#[derive(Debug, Serialize, ToSchema)]
pub struct Prompt {
    /// Comes back with the answer; counts once.
    pub ceremony: String,
    /// For `parseCreationOptionsFromJSON` or `parseRequestOptionsFromJSON`.
    #[serde(rename = "publicKey")]
    #[schema(value_type = Object)]
    pub options: Value,
}

impl From<PasskeyPrompt> for Prompt {
    /// A signature's ceremony is the digest that is signed.
    fn from(prompt: PasskeyPrompt) -> Self {
        Self {
            ceremony: prompt.digest.to_string(),
            options: prompt.options,
        }
    }
}

/// The answer to a passkey prompt.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// As in the prompt.
    pub ceremony: String,
    /// `credential.toJSON()`.
    #[schema(value_type = Object)]
    pub credential: Value,
    /// A name for a new passkey, such as `laptop`.
    #[serde(default)]
    pub name: Option<String>,
}

/// A staff session.
#[derive(Debug, Serialize, ToSchema)]
pub struct SessionOpened {
    /// Bearer token; the same is set as a cookie.
    pub token: String,
    /// Where a page goes next.
    pub location: String,
}

/// Where a page goes next.
#[derive(Debug, Serialize, ToSchema)]
pub struct GoOn {
    /// Path of the gate.
    pub location: String,
}

/// The signed-in account.
#[derive(Debug, Serialize, ToSchema)]
pub struct Me {
    /// Its id.
    pub account: String,
    /// Name.
    pub name: String,
    /// The human being behind it.
    pub person: String,
    /// Roles in the procedure.
    pub roles: Vec<String>,
    /// Registered passkeys.
    pub passkeys: usize,
}

/// `POST /v1/staff`
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewStaff {
    /// Id of the account.
    #[schema(example = "maja")]
    pub account: String,
    /// Id of the human being behind it; several accounts may share one.
    pub person: String,
    /// Name as colleagues and customers read it.
    pub name: String,
    /// Address for invitations.
    pub email: String,
    /// Names of roles in the procedure.
    #[serde(default)]
    pub roles: Vec<String>,
    /// `auditor`, `admin`.
    #[serde(default)]
    pub console: Vec<String>,
    /// Ids of customers this person is, or is tied to.
    #[serde(default)]
    pub concerned: Vec<String>,
    /// `sub` of this person at the company's identity provider: who signs in there is this account.
    #[serde(default)]
    pub subject: Option<String>,
}

/// An invitation to register the first passkey.
#[derive(Debug, Serialize, ToSchema)]
pub struct Invited {
    /// The account.
    pub account: String,
    /// The link to give to the person. Shown once.
    pub url: String,
    /// Until when it may be used, ms since the epoch.
    pub until_ms: i64,
}

/// `POST /v1/sign-in/start`
pub async fn start_sign_in(State(web): State<Web>, network: Network) -> Result<Response, Problem> {
    network.take(&web.rates.ceremonies)?;
    Ok(prompt(web.gate.start_sign_in().await?))
}

/// `POST /v1/sign-in/finish`
pub async fn finish_sign_in(
    State(web): State<Web>,
    network: Network,
    body: Json<Answer>,
) -> Result<Response, Problem> {
    network.take(&web.rates.ceremonies)?;
    let token = web
        .gate
        .finish_sign_in(&body.value.ceremony, &body.value.credential)
        .await?;
    Ok(session(&web, token.expose(), None))
}

/// `POST /v1/invitations/{token}/start`
pub async fn start_registration(
    State(web): State<Web>,
    network: Network,
    Path(token): Path<String>,
) -> Result<Response, Problem> {
    network.take(&web.rates.ceremonies)?;
    Ok(prompt(web.gate.start_registration(&token).await?))
}

/// `POST /v1/invitations/{token}/finish`
pub async fn finish_registration(
    State(web): State<Web>,
    network: Network,
    Path(token): Path<String>,
    body: Json<Answer>,
) -> Result<Response, Problem> {
    network.take(&web.rates.ceremonies)?;
    let name = body.value.name.as_deref().unwrap_or("first passkey");
    let session_token = web
        .gate
        .finish_registration(&token, &body.value.ceremony, &body.value.credential, name)
        .await?;
    Ok(session(&web, session_token.expose(), None))
}

/// `POST /v1/passkeys/start`
pub async fn start_passkey(
    State(web): State<Web>,
    Staff(staff): Staff,
) -> Result<Response, Problem> {
    Ok(prompt(web.gate.start_passkey(&staff).await?))
}

/// `POST /v1/passkeys/finish`
pub async fn finish_passkey(
    State(web): State<Web>,
    Staff(staff): Staff,
    body: Json<Answer>,
) -> Result<Response, Problem> {
    let name = body.value.name.as_deref().unwrap_or("passkey");
    web.gate
        .finish_passkey(&staff, &body.value.ceremony, &body.value.credential, name)
        .await?;
    Ok(axum::Json(GoOn {
        location: "/settings/passkeys".to_owned(),
    })
    .into_response())
}

/// `POST /v1/step-up/start`
pub async fn start_step_up(
    State(web): State<Web>,
    Staff(staff): Staff,
) -> Result<Response, Problem> {
    Ok(prompt(web.gate.start_step_up(&staff, None).await?))
}

/// `POST /v1/step-up/finish`
pub async fn finish_step_up(
    State(web): State<Web>,
    Staff(staff): Staff,
    body: Json<Answer>,
) -> Result<StatusCode, Problem> {
    web.gate
        .finish_step_up(&staff, &body.value.ceremony, &body.value.credential)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /v1/sign-out`
pub async fn sign_out(State(web): State<Web>, Staff(staff): Staff) -> Result<Response, Problem> {
    web.gate.sign_out(&staff).await?;
    let mut response = StatusCode::NO_CONTENT.into_response();
    response
        .headers_mut()
        .append(header::SET_COOKIE, web.cookies.clear_session());
    Ok(response)
}

/// `GET /v1/me`
pub async fn me(Staff(staff): Staff) -> Response {
    axum::Json(Me {
        account: staff.account().to_owned(),
        name: staff.name().to_owned(),
        person: staff.person().0.clone(),
        roles: staff.roles().to_vec(),
        passkeys: staff.passkeys(),
    })
    .into_response()
}

/// `POST /v1/staff`
pub async fn invite(
    State(web): State<Web>,
    Staff(staff): Staff,
    key: Key,
    body: Json<NewStaff>,
) -> Result<Response, Problem> {
    let scope = format!("staff/{}/staff", staff.account());
    let NewStaff {
        account,
        person,
        name,
        email,
        roles,
        console,
        concerned,
        subject,
    } = body.value.clone();
    let console = console
        .iter()
        .map(|role| match role.as_str() {
            "auditor" => Ok(ConsoleRole::Auditor),
            "admin" => Ok(ConsoleRole::Admin),
            _ => Err(Problem::invalid(
                "console",
                "is a list out of `auditor`, `admin`",
            )),
        })
        .collect::<Result<_, _>>()?;
    let new = NewAccount {
        account,
        person,
        name,
        email,
        roles,
        console,
        concerned,
        subject,
    };
    once(&web, &scope, &key, &body.bytes, async || {
        let invitation = web.gate.invite(&staff, &new).await?;
        let invited = Invited {
            account: invitation.account,
            url: format!(
                "{}/invitation/{}",
                web.gate.settings().origin,
                invitation.token.expose()
            ),
            until_ms: invitation.until.0,
        };
        Ok((
            StatusCode::CREATED,
            serde_json::to_value(invited).unwrap_or_default(),
        ))
    })
    .await
}

/// `POST /v1/cases/{case}/sign-off/start`
pub async fn start_sign_off(
    State(web): State<Web>,
    Staff(staff): Staff,
    Path(case): Path<String>,
) -> Result<Response, Problem> {
    let prompt = web.gate.start_sign_off(&staff, &case_id(&case)?).await?;
    Ok(axum::Json(Prompt::from(prompt)).into_response())
}

/// `POST /v1/cases/{case}/sign-off/finish`
pub async fn finish_sign_off(
    State(web): State<Web>,
    Staff(staff): Staff,
    Path(case): Path<String>,
    body: Json<Answer>,
) -> Result<Response, Problem> {
    let digest = Digest::from_hex(&body.value.ceremony)
        .ok_or_else(|| Problem::invalid("ceremony", "is not of this prompt"))?;
    let applied = web
        .gate
        .finish_sign_off(&staff, &case_id(&case)?, digest, &body.value.credential)
        .await?;
    Ok(axum::Json(CaseChanged {
        version: applied.version,
        state: applied.state.word().to_owned(),
    })
    .into_response())
}

/// A prompt, for the script of a page or for a program.
pub fn prompt(ceremony: Ceremony) -> Response {
    axum::Json(Prompt {
        ceremony: ceremony.ceremony,
        options: ceremony.options,
    })
    .into_response()
}

fn session(web: &Web, token: &str, next: Option<String>) -> Response {
    let opened = SessionOpened {
        token: token.to_owned(),
        location: next.unwrap_or_else(|| "/".to_owned()),
    };
    let mut response = axum::Json(opened).into_response();
    response
        .headers_mut()
        .append(header::SET_COOKIE, web.cookies.set_session(token));
    response
}

impl From<StaffError> for Problem {
    fn from(error: StaffError) -> Self {
        let (code, words) = (
            error.code(),
            crate::present::sentence_case(&error.to_string()),
        );
        match error {
            StaffError::Trouble(trouble) => trouble.into(),
            StaffError::NotAllowed(needed) => {
                Self::not_yours().detail(format!("it needs `{needed}`"))
            }
            StaffError::StepUp => Self::new(StatusCode::FORBIDDEN, code, words)
                .detail("answer `/v1/step-up` with a passkey of this account and try again within five minutes"),
            StaffError::UnknownAccount
            | StaffError::UnknownPasskey
            | StaffError::NoCompanySignIn => Self::nothing_here(),
            StaffError::Field { field, why } => Self::invalid(field, why),
            StaffError::InvitationGone | StaffError::CeremonyGone | StaffError::PassGone => {
                Self::new(StatusCode::GONE, code, words)
            }
            StaffError::SignInOver => Self::new(StatusCode::GONE, code, words),
            StaffError::SignInNotAccepted
            | StaffError::NoAccountHere
            | StaffError::SignInAtCompany => Self::new(StatusCode::UNAUTHORIZED, code, words),
            StaffError::CompanyUnavailable => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, code, words).retry_after(5)
            }
            StaffError::NotAccepted => Self::new(
                StatusCode::UNAUTHORIZED,
                code,
                "This passkey was not accepted",
            ),
            StaffError::Exists(_)
            | StaffError::LastPasskey
            | StaffError::TooManyPasskeys
            | StaffError::SubjectTaken => {
                Self::new(StatusCode::CONFLICT, code, words)
            }
        }
    }
}
