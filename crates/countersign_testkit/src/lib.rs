//! Fixtures, auditor, tidy tests (development only).

pub mod adversary;
pub mod naive;
pub mod replay;
pub mod world;
