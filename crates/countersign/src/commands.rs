//! One file a group of commands; each returns the exit code.

mod procedure;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory as _, Subcommand};
use clap_complete::Shell;

/// What `countersign` can be asked to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Put procedure files into their one canonical format.
    Fmt {
        /// Change nothing; exit 1 if a file is not in the format.
        #[arg(long)]
        check: bool,
        /// Print the JSON twin instead of changing the file.
        #[arg(long, conflicts_with = "check")]
        json: bool,
        /// Files; `-` for standard input. A `.json` file is a twin and is printed as a procedure.
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Explain a procedure in plain English, or a diagnostic code.
    Explain {
        /// A procedure file, or a code such as `unknown-name`.
        #[arg(value_name = "FILE|CODE")]
        what: PathBuf,
        /// Only this action.
        action: Option<String>,
    },
    /// Play three short stories with made-up data, and stay for you to take a part.
    Demo(crate::demo::Demo),
    /// Print a completion script for a shell.
    Completions {
        /// Which shell.
        shell: Shell,
    },
}

/// Carries the command out.
///
/// # Errors
/// What kept it from an answer; the program then ends with 2.
pub(crate) fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Fmt { check, json, files } => procedure::fmt(&files, check, json),
        Command::Explain { what, action } => procedure::explain(&what, action.as_deref()),
        Command::Demo(options) => crate::demo::run(&options),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut crate::Arguments::command(), "countersign", &mut script);
            crate::terminal::print(&String::from_utf8_lossy(&script))?;
            Ok(ExitCode::SUCCESS)
        }
    }
}
