//! `GET /v1/statistics`: the figures, for programs.

use axum::extract::State;
use axum::response::{IntoResponse, Response};

use crate::Web;
use crate::body::Query;
use crate::callers::Caller;
use crate::problem::Problem;
use crate::site::Fields;
use crate::site::statistics::query_of;

/// `GET /v1/statistics`
pub async fn read(
    State(web): State<Web>,
    caller: Caller,
    Query(fields): Query<Fields>,
) -> Result<Response, Problem> {
    let query = query_of(&fields);
    let figures = match &caller {
        Caller::Staff(staff) => web.gate.statistics(staff, &query).await?,
        Caller::Machine(machine) => web.gate.statistics_for(machine, &query).await?,
    };
    Ok(axum::Json(figures).into_response())
}
