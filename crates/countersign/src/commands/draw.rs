//! `draw`: pictures of a procedure and of what the prover says about it.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};
use countersign_language::{ActionId, Procedure, Target};
use countersign_prover::draw::{self, Picture, Room};
use countersign_prover::{Limits, System, lockout};

use crate::commands::procedure::{NOT_VALID, Source, action_named};
use crate::commands::promises::{compromise_named, counted, holding_named, targets};
use crate::terminal;

/// What is drawn.
#[derive(Debug, Args)]
pub(crate) struct Draw {
    /// A procedure file.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Only this action.
    action: Option<String>,
    /// The attack of this number, counted from 1 as `attacks` lists them.
    #[arg(
        long,
        value_name = "N",
        conflicts_with_all = ["action", "with", "lockout"]
    )]
    attack: Option<usize>,
    /// With `--attack`: what is reached; every loss if left out.
    #[arg(long, value_name = "LOSS|ACTION", requires = "attack")]
    on: Option<String>,
    /// With `--attack`: the largest set that is looked for; persons count each.
    #[arg(long, value_name = "K", default_value_t = 3, requires = "attack")]
    at_most: usize,
    /// How far a thief gets who has these, and where they are stopped; as for `reach`.
    #[arg(
        long,
        value_name = "WHAT,…",
        value_delimiter = ',',
        conflicts_with = "lockout"
    )]
    with: Vec<String>,
    /// What an honest customer who has lost these can still do.
    #[arg(long, value_name = "HOLDING,…", value_delimiter = ',')]
    lockout: Vec<String>,
    /// One column, for narrow places.
    #[arg(long)]
    narrow: bool,
    /// A picture, or the ordered list that says the same.
    #[arg(long, value_enum, default_value = "svg")]
    format: Format,
    /// Where to; standard output if left out.
    #[arg(short, long, value_name = "OUT")]
    out: Option<PathBuf>,
}

/// How the answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A picture: one SVG file, light and dark.
    Svg,
    /// The ordered list the picture is drawn from.
    Text,
}

/// `countersign draw`
pub(crate) fn draw(asked: &Draw) -> anyhow::Result<ExitCode> {
    let source = Source::open(&asked.file)?;
    let Some(procedure) = source.valid() else {
        return Ok(ExitCode::from(NOT_VALID));
    };
    let picture = picture(asked, procedure, &source.name)?;
    let room = if asked.narrow {
        Room::Column
    } else {
        Room::Page
    };
    let drawn = match asked.format {
        Format::Svg => picture.svg(room),
        Format::Text => format!("{}\n{}\n\n{}", picture.title, picture.about, picture.text()),
    };
    match &asked.out {
        None => terminal::print(&drawn)?,
        Some(file) => std::fs::write(file, drawn)
            .with_context(|| format!("cannot write `{}`", file.display()))?,
    }
    Ok(ExitCode::SUCCESS)
}

fn picture(asked: &Draw, procedure: &Procedure, file: &str) -> anyhow::Result<Picture> {
    if let Some(number) = asked.attack {
        let targets = targets(procedure, asked.on.as_deref(), file)?;
        return attack(procedure, &targets, number, asked.at_most);
    }
    let action: Option<ActionId> = asked
        .action
        .as_deref()
        .map(|name| action_named(procedure, name))
        .transpose()?;
    if !asked.with.is_empty() {
        let with = asked
            .with
            .iter()
            .map(|word| compromise_named(procedure, word))
            .collect::<anyhow::Result<Vec<_>>>()?;
        return Ok(draw::reached(procedure, &with, action));
    }
    if !asked.lockout.is_empty() {
        let without = asked
            .lockout
            .iter()
            .map(|word| holding_named(procedure, word))
            .collect::<anyhow::Result<Vec<_>>>()?;
        let left = lockout(procedure, &without);
        return Ok(draw::locked_out(procedure, &left, action));
    }
    Ok(match action {
        Some(action) => draw::action(procedure, action),
        None => draw::procedure(procedure),
    })
}

/// The attack of this number, counted over all targets in the order `attacks` lists them.
fn attack(
    procedure: &Procedure,
    targets: &[Target],
    number: usize,
    at_most: usize,
) -> anyhow::Result<Picture> {
    let system = System::compile(procedure);
    let mut before = 0;
    let mut complete = true;
    for &target in targets {
        let found = system.attacks(procedure, &[target], at_most, Limits::default());
        complete &= found.complete();
        let set = number
            .checked_sub(before + 1)
            .and_then(|index| found.sets.get(index));
        if let Some(set) = set {
            let attack = system
                .explain(procedure, set, &[target])
                .context("an attack that cannot be told; this is a mistake of the program")?;
            return Ok(draw::attack(procedure, &attack));
        }
        before += found.sets.len();
    }
    let are = if before == 1 { "is" } else { "are" };
    let limit = if complete {
        ""
    } else {
        " found before a limit ended the search,"
    };
    bail!(
        "there is no attack {number}: there {are} {}{limit} of up to {at_most}, counted from 1",
        counted(before, "attack")
    )
}
