//! The ledger against independent implementations and against tampering.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests, outside `#[test]` functions"
)]

mod audit;
mod common;
mod proofs;
mod tree;
