//! The ledger against independent implementations and against tampering.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests, outside `#[test]` functions"
)]

mod common;
mod tree;
