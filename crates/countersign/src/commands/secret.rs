//! `secret`: a fresh key, token or webhook secret on standard output.

use std::fmt::Write as _;
use std::process::ExitCode;

use clap::ValueEnum;
use countersign_service::adapters::dice::{SystemDice, random_bytes};
use countersign_service::adapters::tokens::{Token, TokenKind};
use countersign_service::adapters::webhooks::WebhookSecret;

use crate::terminal;

/// What kind of secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// 64 hexadecimal digits, for every key in the section `keys`.
    Key,
    /// A machine's bearer token.
    Token,
    /// A Standard Webhooks secret.
    Webhook,
}

/// `countersign secret`
pub(crate) fn secret(kind: Kind) -> anyhow::Result<ExitCode> {
    terminal::print(&format!("{}\n", fresh(kind)))?;
    Ok(ExitCode::SUCCESS)
}

/// A fresh one, from the operating system's generator.
pub(crate) fn fresh(kind: Kind) -> String {
    match kind {
        Kind::Key => {
            let mut digits = String::new();
            for byte in random_bytes::<32>(&SystemDice) {
                let _ = write!(digits, "{byte:02x}");
            }
            digits
        }
        Kind::Token => Token::generate(TokenKind::Machine, &SystemDice)
            .expose()
            .to_owned(),
        Kind::Webhook => WebhookSecret::generate(&SystemDice)
            .expose_text()
            .to_owned(),
    }
}
