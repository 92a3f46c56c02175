//! Everything the shell talks to or computes with, one small module each.
//!
//! None of them knows the journal or decides anything about a case: they
//! verify, hash, sign, send and ask, within bounded time and memory, and say
//! exactly what came of it. The shell composes them.

pub mod clock;
pub mod codes;
pub mod dice;
pub mod secrets;
pub mod tokens;
pub mod totp;
pub mod webhooks;
