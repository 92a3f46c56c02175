//! The procedure language: one text file to a checked [`Procedure`].
//!
//! Pure: no input or output, no clock, no randomness. Reading never stops at
//! the first mistake and never panics; a file of any bytes gives a tree and a
//! list of diagnostics.

#![warn(missing_docs)]

pub mod codes;
mod diagnostic;
mod explain;
mod findings;
mod format;
mod gate;
mod lexer;
mod lint;
mod model;
mod parser;
mod read;
mod refused;
mod render;
mod resolve;
mod scenarios;
mod suggest;
mod tree;
mod twin;
mod words;

pub use codes::{Code, Finder, codes, explain_code};
pub use diagnostic::{Diagnostic, Label, Severity, by_place};
pub use explain::explain;
pub use format::{Unformattable, format};
pub use gate::{GATE, Set, SetAtGate};
pub use lint::check_staffing;
pub use model::*;
pub use read::{Checked, LARGEST, Reading, read, read_bytes, read_json, read_procedure, text_of};
pub use render::{LineIndex, Position, line_of, render_json, render_terminal};
pub use resolve::MOST_ROLES;
pub use scenarios::{SCENARIOS, Scenario, Sign, scenario};
pub use tree::Tree;
pub use twin::{json_schema, to_json};
