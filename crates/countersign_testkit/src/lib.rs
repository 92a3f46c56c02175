//! Fixtures, auditor, tidy tests (development only).

pub mod adversary;
#[cfg(feature = "simulator")]
pub mod auditor;
#[cfg(feature = "browser")]
pub mod browser;
pub mod naive;
pub mod replay;
#[cfg(feature = "simulator")]
pub mod simulator;
pub mod world;
