//! `given(events).when(command).then(events or refusal)`, and properties over random stories.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod auditor;
mod checklist;
mod customer;
mod fixture;
mod life;
mod notices;
mod opening;
mod properties;
mod refusals;
mod staff;
