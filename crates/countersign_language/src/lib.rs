//! The procedure language: one text file to a checked [`Procedure`].
//!
//! Pure: no input or output, no clock, no randomness. Reading never stops at
//! the first mistake and never panics; a file of any bytes gives a tree and a
//! list of diagnostics.

#![warn(missing_docs)]

mod diagnostic;
mod model;

pub use diagnostic::{Diagnostic, Label, Severity};
pub use model::*;
