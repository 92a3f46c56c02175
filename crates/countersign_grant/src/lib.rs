//! Mint and verify one-time grants.
