//! Fixtures, auditor, tidy tests (development only).
