//! The HTTP API under `/v1`: one file an area, each with its shapes first and its handlers after.

pub mod cases;
pub mod customers;
pub mod drills;
pub mod gate;
pub mod idempotency;
pub mod incidents;
pub mod questions;
pub mod reconcile;
pub mod staff;
pub mod statements;
pub mod statistics;

use axum::http::StatusCode;
use countersign_cases::Refusal;
use countersign_service::{CaseError, CustomerError, Trouble};

use crate::problem::Problem;

impl From<Trouble> for Problem {
    fn from(trouble: Trouble) -> Self {
        let code = trouble.code();
        match trouble {
            Trouble::Overloaded | Trouble::Busy => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, code, "Back in a moment")
                    .detail("nothing was changed; try again")
                    .retry_after(1)
            }
            Trouble::Unavailable => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, code, "Back in a moment")
                    .detail("nothing was changed")
                    .retry_after(5)
            }
            Trouble::Uncertain => Self::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                code,
                "It is not certain whether it happened",
            )
            .detail("read it again before trying again"),
            Trouble::Damaged(what) => {
                tracing::error!(what, "a stored document cannot be read");
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, code, "This did not work")
                    .detail("nothing was changed")
            }
        }
    }
}

impl From<CaseError> for Problem {
    fn from(error: CaseError) -> Self {
        let (code, help) = (error.code(), error.help());
        let problem = match error {
            CaseError::Trouble(trouble) => return trouble.into(),
            CaseError::Unknown => Self::nothing_here(),
            CaseError::UnknownCustomer => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                code,
                "There is no such customer",
            )
            .field("customer", "not known"),
            CaseError::NotAllowed(needed) => {
                Self::not_yours().detail(format!("it needs `{needed}`"))
            }
            CaseError::ReturnTo(_) => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                code,
                "The customer may not be sent there",
            )
            .field("return_to", "not in the list of the configuration"),
            CaseError::LinkGone => Self::link_over(),
            CaseError::NotOver => Self::new(StatusCode::CONFLICT, code, "The case is not over yet"),
            CaseError::Changed => Self::new(
                StatusCode::CONFLICT,
                code,
                "This changed while you were reading",
            )
            .detail("read it again"),
            CaseError::NumberMissing | CaseError::WrongNumber { .. } => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                code,
                "The number is not the one the agent sees",
            )
            .field("number", "two digits, as the agent tells them"),
            CaseError::NumberClosed { .. } => Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                code,
                "Too many wrong numbers",
            ),
            CaseError::Refused(refusal) => refused(&refusal),
        };
        match help {
            Some(help) => problem.detail(help),
            None => problem,
        }
    }
}

/// A refusal of the procedure: 409, or 422 where a field of the request is what is wrong.
fn refused(refusal: &Refusal) -> Problem {
    let field = match refusal {
        Refusal::UnknownAction { .. }
        | Refusal::OutsideAction { .. }
        | Refusal::NothingRunsIt { .. } => Some("action".to_owned()),
        Refusal::ParameterMissing { parameter, .. }
        | Refusal::ParameterUnknown { parameter, .. }
        | Refusal::ParameterTooLong { parameter, .. }
        | Refusal::ParameterUnreadable { parameter, .. } => Some(format!("parameters.{parameter}")),
        Refusal::ReasonTooShort { .. }
        | Refusal::ReasonTooLong { .. }
        | Refusal::ReasonUnreadable => Some("reason".to_owned()),
        Refusal::ReferenceUnreadable { .. } => Some("reference".to_owned()),
        _ => None,
    };
    let title = crate::present::sentence_case(&refusal.to_string());
    match field {
        Some(field) => Problem::new(StatusCode::UNPROCESSABLE_ENTITY, refusal.code(), title)
            .field(field, refusal.to_string()),
        None => Problem::new(StatusCode::CONFLICT, refusal.code(), title),
    }
}

impl From<CustomerError> for Problem {
    fn from(error: CustomerError) -> Self {
        let code = error.code();
        match error {
            CustomerError::Trouble(trouble) => trouble.into(),
            CustomerError::Unknown => Self::nothing_here(),
            CustomerError::NotAllowed(needed) => {
                Self::not_yours().detail(format!("it needs `{needed}`"))
            }
            CustomerError::Field { field, why } => Self::invalid(field, why),
            CustomerError::HashWithoutPepper => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                code,
                "This gate takes PINs, not hashes of them",
            )
            .field("pin_hash", "was made without this gate's pepper")
            .detail("send the PIN as `pin`; it is hashed at once and not kept"),
            CustomerError::OpenCases => Self::new(
                StatusCode::CONFLICT,
                code,
                "A case of this customer is open",
            )
            .detail("withdraw it, or wait until it is over"),
            CustomerError::StillClosed { until } => Self::new(
                StatusCode::CONFLICT,
                code,
                "A refused or stopped request of this customer is still closed",
            )
            .detail(format!(
                "it closes for good at {}",
                jiff::Timestamp::from_millisecond(until.0)
                    .map(|at| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
                    .unwrap_or_default()
            )),
            CustomerError::TooManyLookUps => {
                Self::new(StatusCode::TOO_MANY_REQUESTS, code, "Too many look-ups")
                    .detail("try again in the next hour")
                    .retry_after(3_600)
            }
        }
    }
}
