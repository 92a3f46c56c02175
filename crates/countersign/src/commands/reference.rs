//! `reference`: the pages of `docs/generated/` that are made from the program. A test keeps them fresh.

use std::fmt::Write as _;
use std::process::ExitCode;

use clap::{CommandFactory as _, ValueEnum};
use countersign_language::{Finder, Severity};

use crate::{config, terminal};

/// Which page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Page {
    /// Every command with its help.
    Cli,
    /// The configuration file.
    Config,
    /// Every diagnostic code.
    Diagnostics,
}

/// `countersign reference`
pub(crate) fn reference(page: Page) -> anyhow::Result<ExitCode> {
    terminal::print(&match page {
        Page::Cli => cli(),
        Page::Config => config::reference(),
        Page::Diagnostics => diagnostics(),
    })?;
    Ok(ExitCode::SUCCESS)
}

fn cli() -> String {
    let mut out = "# The commands\n\nMade from the program by `countersign reference cli`; a test keeps it fresh.\n".to_owned();
    let mut command = crate::Arguments::command().term_width(100);
    command.build();
    describe(&mut out, &mut command);
    out
}

fn describe(out: &mut String, command: &mut clap::Command) {
    let help = command.render_long_help().to_string();
    let lines: Vec<&str> = help.lines().map(str::trim_end).collect();
    let _ = write!(
        out,
        "\n## `{}`\n\n```text\n{}\n```\n",
        command.get_bin_name().unwrap_or("countersign"),
        lines.join("\n").trim_end()
    );
    for inner in command
        .get_subcommands_mut()
        .filter(|inner| !inner.is_hide_set() && inner.get_name() != "help")
    {
        describe(out, inner);
    }
}

fn diagnostics() -> String {
    let mut out = "# Diagnostic codes\n\nMade from the program by `countersign reference diagnostics`; a test keeps it fresh. `countersign explain CODE` prints the page of a code. A name in the second column is that of the rule set that has to be asked for with `--rules`.\n\n| code | | what is wrong |\n|---|---|---|\n".to_owned();
    for code in countersign_language::codes() {
        let severity = match (code.severity, code.finder) {
            (_, Finder::Rules(set)) => set,
            (Severity::Error, _) => "error",
            (Severity::Warning, _) => "warning",
        };
        let _ = writeln!(
            out,
            "| [`{0}`](../diagnostics/{0}.md) | {severity} | {1} |",
            code.code, code.title
        );
    }
    out
}
