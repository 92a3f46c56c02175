//! The JSON twin: the same procedure for machines.
//!
//! Its keys stand in alphabetical order everywhere, so the canonical form of
//! RFC 8785 is the same text without white space, and the version of a
//! procedure is the SHA-256 of that. What the file does not say is left out;
//! comments and layout have no twin.

mod json;
mod read;
mod schema;
mod write;

pub(crate) use read::from_json;
pub use schema::json_schema;
pub use write::to_json;
pub(crate) use write::{Digest, decimal};
