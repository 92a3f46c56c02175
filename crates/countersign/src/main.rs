//! The program: `countersign COMMAND`.

mod commands;
mod config;
mod database;
mod demo;
mod installation;
mod metrics;
mod published;
mod supervisor;
#[cfg(feature = "otel")]
mod telemetry;
mod terminal;

use std::process::ExitCode;

use clap::Parser;

use crate::commands::Command;

/// Support procedures that cannot be skipped.
#[derive(Debug, Parser)]
#[command(
    name = "countersign",
    version,
    about,
    max_term_width = 100,
    propagate_version = true
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

fn main() -> ExitCode {
    match commands::run(Arguments::parse().command) {
        Ok(code) => code,
        Err(error) if terminal::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            terminal::complain(&format!("error: {error:#}"));
            ExitCode::from(2)
        }
    }
}
