//! Fixtures, auditor, tidy tests (development only).

pub mod adversary;
#[cfg(feature = "browser")]
pub mod browser;
pub mod naive;
#[cfg(unix)]
pub mod postgres;
pub mod replay;
pub mod world;
