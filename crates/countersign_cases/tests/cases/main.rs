//! `given(events).when(command).then(events or refusal)`, and properties over random stories.

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
