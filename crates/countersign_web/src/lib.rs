//! HTTP API, pages and assets.

pub mod assets;
pub mod pages;
pub mod words;
