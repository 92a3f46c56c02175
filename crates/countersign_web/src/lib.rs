//! HTTP API, pages and assets.

pub mod body;
pub mod problem;
