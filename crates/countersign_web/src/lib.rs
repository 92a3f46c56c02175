//! HTTP API, pages and assets.

pub mod assets;
pub mod body;
pub mod pages;
pub mod present;
pub mod problem;
pub mod words;
