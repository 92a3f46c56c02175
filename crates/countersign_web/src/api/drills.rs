//! `/v1/drills`: vigilance, and planning a drill.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use countersign_service::{DrillError, DrillWish};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::Web;
use crate::body::Json;
use crate::callers::{Caller, Staff};
use crate::present::sentence_case;
use crate::problem::Problem;

/// A drill to be planned.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanDrill {
    /// Name of the action of one of the procedure's `drill` lines.
    pub action: String,
    /// Name of one of its scenarios; drawn if left out.
    #[serde(default)]
    pub scenario: Option<String>,
    /// Within how many days from now it is played; 1 to 60.
    pub within_days: u32,
    /// Values of the action's parameters that are not to be invented, by name.
    #[serde(default)]
    pub values: BTreeMap<String, String>,
}

impl From<DrillError> for Problem {
    fn from(error: DrillError) -> Self {
        let (code, words) = (error.code(), sentence_case(&error.to_string()));
        match error {
            DrillError::Trouble(trouble) => trouble.into(),
            DrillError::NotAllowed(needed) => {
                Self::not_yours().detail(format!("it needs `{needed}`"))
            }
            DrillError::Yourself => Self::new(StatusCode::FORBIDDEN, code, words),
            DrillError::Unknown | DrillError::Unplayable => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, words)
            }
            DrillError::Field { field, why } => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, words).field(field, why)
            }
        }
    }
}

/// `GET /v1/drills`
pub async fn read(State(web): State<Web>, caller: Caller) -> Result<Response, Problem> {
    let drills = match &caller {
        Caller::Staff(staff) => web.gate.drills(staff).await?,
        Caller::Machine(machine) => web.gate.drills_for(machine).await?,
    };
    Ok(axum::Json(drills).into_response())
}

/// `POST /v1/drills`
pub async fn plan(
    State(web): State<Web>,
    Staff(staff): Staff,
    body: Json<PlanDrill>,
) -> Result<StatusCode, Problem> {
    let wanted = body.value;
    let wish = DrillWish {
        action: wanted.action,
        scenario: wanted.scenario,
        within_days: wanted.within_days,
        values: wanted.values,
    };
    web.gate.plan_drill(&staff, &wish).await?;
    Ok(StatusCode::ACCEPTED)
}
