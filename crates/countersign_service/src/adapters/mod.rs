//! Everything the shell talks to or computes with, one small module each.
//!
//! None of them knows the journal or decides anything about a case: they
//! verify, hash, sign, send and ask, within bounded time and memory, and say
//! exactly what came of it. The shell composes them.

pub mod checker;
pub mod clock;
pub mod codes;
pub mod connector;
pub mod delivery;
pub mod dice;
pub mod http;
pub mod mailer;
pub mod openid;
pub mod outside;
pub mod password_check;
pub mod secrets;
pub mod smtp_sink;
pub mod soft_passkey;
pub mod text_gateway;
pub mod tokens;
pub mod totp;
pub mod webauthn;
pub mod webhooks;

pub use http::http_client;
