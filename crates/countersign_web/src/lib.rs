//! HTTP API, pages and assets.
