//! `migrate`: from a SQLite file to a PostgreSQL database.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use countersign_store::{PostgresAddress, move_to_postgres};

use crate::commands::procedure::NOT_VALID;
use crate::commands::serve::configured;
use crate::terminal;

/// What is to be moved.
#[derive(Debug, Args)]
pub(crate) struct Migrate {
    /// The configuration file: its ledger's name and key, and the password at the server if it names one.
    #[arg(long, value_name = "FILE", default_value = "countersign.toml")]
    config: PathBuf,
    /// The SQLite file; no gate may have it open. It is left as it is.
    #[arg(long, value_name = "sqlite:PATH", value_parser = sqlite_file)]
    from: PathBuf,
    /// The PostgreSQL database, which must be empty.
    #[arg(long, value_name = "postgres://…", value_parser = address)]
    to: PostgresAddress,
}

/// Moves everything, or nothing.
pub(crate) fn migrate(asked: &Migrate) -> anyhow::Result<ExitCode> {
    let Some((config, installation)) = configured(&asked.config)? else {
        return Ok(ExitCode::from(NOT_VALID));
    };
    let password = config
        .secret("gate", "database_password")
        .map_err(anyhow::Error::msg)?;
    let to = match password {
        Some(password) => asked.to.clone().with_password(&password),
        None => asked.to.clone(),
    };
    let runtime = tokio::runtime::Runtime::new().context("cannot start the program's threads")?;
    let moved = runtime.block_on(move_to_postgres(
        &asked.from,
        &to,
        &installation.signer,
        |_, _| {},
    ))?;
    terminal::print(&format!(
        "moved to {to}: {} entries of the ledger, {} events, {} records, {} pieces of work\n\n\
         Next:\n  1. put `database = \"{PLACEHOLDER}\"` into {}, with the address you gave here\n  2. countersign serve --config {}\n  3. keep `{}` until the next backup, and start no gate on it: there must not be two histories\n",
        moved.leaves,
        moved.events,
        moved.records,
        moved.work,
        asked.config.display(),
        asked.config.display(),
        asked.from.display(),
    ))?;
    Ok(ExitCode::SUCCESS)
}

/// An address may hold what the terminal's log need not.
const PLACEHOLDER: &str = "postgres://…";

fn sqlite_file(text: &str) -> Result<PathBuf, String> {
    let path = text
        .strip_prefix("sqlite://")
        .or_else(|| text.strip_prefix("sqlite:"))
        .unwrap_or_default();
    if path.is_empty() {
        return Err("it looks like `sqlite:countersign.db`".to_owned());
    }
    Ok(Path::new(path).to_owned())
}

fn address(text: &str) -> Result<PostgresAddress, String> {
    PostgresAddress::parse(text).map_err(|error| error.to_string())
}
