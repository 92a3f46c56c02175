//! Every route there is. The router, the OpenAPI description and `who-may.txt` are made from this one table,
//! so a route that is not here does not exist.

use axum::Router;
use axum::routing::{MethodRouter, delete, get, post, put};

use crate::Web;
use crate::openapi::Operation;

/// One method of one path.
#[derive(Debug, Clone)]
pub struct Route {
    /// Method.
    pub verb: Verb,
    /// Path, as axum writes parameters.
    pub path: &'static str,
    /// Which credential opens it; the handler's extractor enforces it, and a test compares the two.
    pub door: Door,
    /// For the API: what the description says.
    pub operation: Option<Operation>,
    /// What answers.
    pub handler: MethodRouter<Web>,
}

/// Methods that are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verb {
    /// Reads, never decides.
    Get,
    /// Decides.
    Post,
    /// Puts a whole document.
    Put,
    /// Removes one.
    Delete,
}

impl Verb {
    /// As on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }
}

/// Which credential opens a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Door {
    /// None is looked at; a secret in the path may be.
    Anyone,
    /// A staff session.
    Staff,
    /// The customer's seat in one case.
    Seat,
    /// A machine token; its scopes decide what.
    Machine,
    /// Either of the two.
    StaffOrMachine,
}
