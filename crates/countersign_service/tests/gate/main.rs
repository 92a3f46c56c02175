//! Whole stories through the gate, with everything real but the company.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::expect_used,
    reason = "a test that meets the unexpected is to fail"
)]

mod attacks;
mod audit;
mod backend;
mod checked;
mod checker;
mod checker_sample;
mod company;
mod delivery;
mod drills;
mod enrolment;
mod erasure;
mod figures;
mod incidents;
mod provider;
mod reconcile;
mod stories;
mod talking;
mod versions;
mod world;
