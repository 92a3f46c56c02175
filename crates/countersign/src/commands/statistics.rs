//! `countersign statistics`: the figures of the database that the configuration names.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use countersign_service::adapters::dice::SystemDice;
use countersign_service::adapters::secrets::{HashLimits, SecretHasher};
use countersign_service::statistics::{self, StatisticsQuery};
use countersign_service::{Gate, Operator, Parts};

use crate::commands::procedure::NOT_VALID;
use crate::commands::serve::configured;
use crate::installation::Installation;
use crate::terminal;

/// What is asked for.
#[derive(Debug, Args)]
pub(crate) struct Statistics {
    /// The configuration file.
    #[arg(long, value_name = "FILE", default_value = "countersign.toml")]
    config: PathBuf,
    /// First day, such as 2026-11-01, UTC; thirty days to the last one if left out.
    #[arg(long, value_name = "DAY", value_parser = day)]
    from: Option<String>,
    /// Last day; today if left out.
    #[arg(long, value_name = "DAY", value_parser = day)]
    to: Option<String>,
    /// Only this action.
    #[arg(long, value_name = "ACTION")]
    action: Option<String>,
    /// Only cases opened by this role, `customer` or `robot`.
    #[arg(long, value_name = "ROLE")]
    team: Option<String>,
    /// Only cases under this version of the procedure, or the beginning of one.
    #[arg(long, value_name = "VERSION")]
    procedure: Option<String>,
    /// How to write the answer.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// How figures are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// As `/v1/statistics`.
    Json,
    /// A line for every figure (RFC 4180).
    Csv,
}

/// Prints the figures, brought up to the newest event first; beside a running gate, which does that itself, as it has them.
pub(crate) fn statistics(asked: &Statistics) -> anyhow::Result<ExitCode> {
    let Some((_, installation)) = configured(&asked.config)? else {
        return Ok(ExitCode::from(NOT_VALID));
    };
    let query = StatisticsQuery {
        from: asked.from.clone(),
        to: asked.to.clone(),
        action: asked.action.clone(),
        team: asked.team.clone(),
        procedure: asked.procedure.clone(),
    };
    let runtime = tokio::runtime::Runtime::new().context("cannot start the program's threads")?;
    let figures = runtime.block_on(async {
        let clock = Installation::clock();
        let (database, beside) = installation.open_or_read(Arc::clone(&clock)).await?;
        let dice = Arc::new(SystemDice);
        let parts = Parts {
            journal: database.journal(),
            clock,
            hasher: SecretHasher::new(None, HashLimits::default(), dice.clone())
                .context("cannot hash secrets")?,
            dice,
            check: Box::new(|_| Ok(())),
        };
        let gate = Gate::start_to_read(installation.settings.clone(), parts).await?;
        if !beside {
            gate.keep_up().await?;
        }
        let console = Operator::at_the_console();
        let figures = gate.statistics_at_the_console(&console, &query).await?;
        database.close().await;
        anyhow::Ok(figures)
    })?;
    let written = match asked.format {
        Format::Text => statistics::text(&figures),
        Format::Csv => statistics::csv(&figures),
        Format::Json => format!("{}\n", serde_json::to_string_pretty(&figures)?),
    };
    terminal::print(&written)?;
    Ok(ExitCode::SUCCESS)
}

/// A day as it is written everywhere here.
fn day(text: &str) -> Result<String, String> {
    text.parse::<jiff::civil::Date>()
        .map(|day| day.to_string())
        .map_err(|_| "a day is written like 2026-11-23".to_owned())
}
