//! Fixtures, auditor, tidy tests (development only).

pub mod naive;
