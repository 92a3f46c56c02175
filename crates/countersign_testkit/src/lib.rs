//! Fixtures, auditor, tidy tests (development only).

pub mod adversary;
#[cfg(feature = "simulator")]
pub mod auditor;
#[cfg(feature = "browser")]
pub mod browser;
pub mod naive;
#[cfg(unix)]
pub mod postgres;
pub mod replay;
#[cfg(feature = "simulator")]
pub mod simulator;
pub mod world;
