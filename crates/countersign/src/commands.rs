//! One file a group of commands; each returns the exit code.

mod advice;
mod backup;
mod certificate;
mod diff;
pub(crate) mod doctor;
mod draw;
mod grant;
mod init;
mod ledger;
mod migrate;
mod pages;
mod procedure;
mod promises;
mod providers;
mod reconcile;
mod reference;
mod sarif;
mod secret;
mod serve;
mod statement;
mod statistics;

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
    /// Say whether procedures are valid and keep their promises: exit 0 if all is well, 1 if a promise or a rule that was asked for is broken, 2 if a file is not valid.
    Check {
        /// How to write the answer.
        #[arg(long, value_enum, default_value = "text")]
        format: promises::CheckFormat,
        /// Also write the proof of every verdict to this file, for `certificate check`; takes one procedure.
        #[arg(long, value_name = "FILE")]
        certificate: Option<PathBuf>,
        /// Also hold the procedures to these rule sets: nist-aal2, asvs-l2, pci, fcc-sim. A finding counts like a broken promise.
        #[arg(long, value_name = "SET,…", value_delimiter = ',')]
        rules: Vec<String>,
        /// Also say what these people cannot do, such as those of the night shift: `agent=2,senior=0`. Roles not named have nobody.
        #[arg(long, value_name = "ROLE=N,…", value_delimiter = ',')]
        staff: Vec<String>,
        /// Files; `-` for standard input.
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Check the proofs of verdicts.
    Certificate {
        #[command(subcommand)]
        command: Certificate,
    },
    /// List all minimal sets of compromises that reach a loss or an action.
    Attacks {
        /// A procedure file.
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// What is reached; every loss if left out.
        #[arg(long, value_name = "LOSS|ACTION")]
        on: Option<String>,
        /// The largest set that is looked for; persons count each.
        #[arg(long, value_name = "K", default_value_t = 3)]
        at_most: usize,
        /// How to write the answer.
        #[arg(long, value_enum, default_value = "text")]
        format: promises::Format,
    },
    /// Say everything that somebody can do who has these: what can be done with just your password?
    Reach {
        /// A procedure file.
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// What they have: holdings, staff roles (`agent`, `2 agent`), `notices unread`; separated by commas.
        #[arg(long, value_name = "WHAT,…", value_delimiter = ',', required = true)]
        with: Vec<String>,
        /// How to write the answer.
        #[arg(long, value_enum, default_value = "text")]
        format: promises::Format,
    },
    /// Say what an honest customer who has lost these can still do, and after how long.
    Lockout {
        /// A procedure file.
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// What they have lost, separated by commas.
        #[arg(long, value_name = "HOLDING,…", value_delimiter = ',')]
        without: Vec<String>,
        /// How to write the answer.
        #[arg(long, value_enum, default_value = "text")]
        format: promises::Format,
    },
    /// Say what got weaker and what stronger from one version of a procedure to the next: exit 0 if nothing got weaker, 1 if something did, 2 if a file is not valid.
    Diff {
        /// The version before.
        #[arg(value_name = "OLD")]
        old: PathBuf,
        /// The version after.
        #[arg(value_name = "NEW")]
        new: PathBuf,
        /// The largest attack that is looked for; persons count each.
        #[arg(long, value_name = "K", default_value_t = 3)]
        at_most: usize,
        /// How to write the answer.
        #[arg(long, value_enum, default_value = "text")]
        format: promises::Format,
    },
    /// Say which single changes would mend most.
    Repair {
        /// A procedure file.
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// What must not be reached; every loss if left out.
        #[arg(long, value_name = "LOSS|ACTION")]
        on: Option<String>,
        /// The largest set that is looked for; persons count each.
        #[arg(long, value_name = "K", default_value_t = 3)]
        at_most: usize,
        /// How to write the answer.
        #[arg(long, value_enum, default_value = "text")]
        format: promises::Format,
    },
    /// Draw a procedure, an attack, how far a thief gets, or a lockout, as SVG.
    Draw(draw::Draw),
    /// Run a gate. Prints `listening on http://…` once it accepts.
    Serve {
        /// The configuration file.
        #[arg(long, value_name = "FILE", default_value = "countersign.toml")]
        config: PathBuf,
        /// Print a one-time link with which this account registers its first passkey.
        #[arg(long, value_name = "ACCOUNT")]
        invite: Vec<String>,
        /// A checkpoint that was kept: do not start on a database whose ledger does not begin with it.
        #[arg(long, value_name = "FILE")]
        since: Option<PathBuf>,
        /// Start although the ledger key or the grant key is another than before: the old one is lost.
        #[arg(long)]
        new_keys: bool,
    },
    /// Copy the database of a running gate (SQLite) into a new folder, and audit the copy.
    Backup {
        /// The configuration file.
        #[arg(long, value_name = "FILE", default_value = "countersign.toml")]
        config: PathBuf,
        /// Where backups are kept; the new one is a folder in it, named by the time.
        #[arg(long, value_name = "DIR")]
        to: PathBuf,
    },
    /// Make a backup the database, where there is none; audit its ledger before.
    Restore {
        /// The configuration file.
        #[arg(long, value_name = "FILE", default_value = "countersign.toml")]
        config: PathBuf,
        /// The folder of one backup.
        #[arg(long, value_name = "DIR")]
        from: PathBuf,
        /// The newest checkpoint that was kept: a copy that does not begin with it is refused.
        #[arg(long, value_name = "FILE")]
        since: Option<PathBuf>,
    },
    /// Begin a new installation: a commented configuration, fresh keys and an example procedure.
    Init {
        /// Where; made if it is not there. Nothing is overwritten.
        #[arg(value_name = "DIR", default_value = ".")]
        folder: PathBuf,
    },
    /// Look for everything that can be wrong with an installation: exit 0 if nothing is a problem, 1 otherwise.
    Doctor {
        /// The configuration file.
        #[arg(long, value_name = "FILE", default_value = "countersign.toml")]
        config: PathBuf,
    },
    /// Move an installation from SQLite to PostgreSQL, ledger and all: everything or nothing.
    Migrate(migrate::Migrate),
    /// Say how far procedure was followed: figures from the events in the database, also while the gate is running.
    Statistics(statistics::Statistics),
    /// Match what a backend says it did with cases: exit 0 if a case covers every guarded action, 1 if one is uncovered or a line cannot be read. To a gate that runs it sends the logs, with `--to`; else it reads the database.
    Reconcile(reconcile::Reconcile),
    /// Hold a public statement against what is known about apologies that help, and against the facts of the incident.
    Statement {
        #[command(subcommand)]
        command: Statement,
    },
    /// Check or export the ledger.
    Ledger {
        #[command(subcommand)]
        command: Ledger,
    },
    /// Check a receipt.
    Receipt {
        #[command(subcommand)]
        command: Receipt,
    },
    /// Check a grant, as a backend does before it acts.
    Grant {
        #[command(subcommand)]
        command: Grant,
    },
    /// Print a fresh key, token or webhook secret.
    Secret {
        /// Which.
        kind: secret::Kind,
    },
    /// Print a generated page of the documentation.
    #[command(hide = true)]
    Reference {
        /// Which.
        page: reference::Page,
    },
    /// Look at the pages without a gate.
    Pages {
        #[command(subcommand)]
        command: Pages,
    },
    /// Play three short stories with made-up data, and stay for you to take a part.
    Demo(crate::demo::Demo),
    /// Print a completion script for a shell.
    Completions {
        /// Which shell.
        shell: Shell,
    },
}

/// `countersign certificate …`
#[derive(Debug, Subcommand)]
pub(crate) enum Certificate {
    /// Check the proofs that `check --certificate` wrote, without searching: exit 0 if they prove every promise kept, 1 if one is broken or its proof is none, 2 if they cannot be read or are for another procedure.
    Check {
        /// The procedure file; `-` for standard input.
        #[arg(value_name = "PROCEDURE")]
        procedure: PathBuf,
        /// The certificates.
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// How to write the answer.
        #[arg(long, value_enum, default_value = "text")]
        format: promises::Format,
    },
}

/// `countersign ledger …`
#[derive(Debug, Subcommand)]
pub(crate) enum Ledger {
    /// Compute the whole ledger again from its entries: exit 0 if all is well, 1 with the first mismatch, 2 if it cannot be read.
    Verify {
        /// A folder that `ledger export` wrote, or the address of a gate or of its ledger.
        #[arg(value_name = "URL|DIR")]
        place: String,
        /// The ledger's key, `name+id+key`; without it the one that is published beside the ledger.
        #[arg(long, value_name = "VKEY")]
        key: Option<String>,
        /// A checkpoint that was kept: the ledger must begin with what it describes.
        #[arg(long, value_name = "FILE")]
        since: Option<PathBuf>,
        /// How to write the answer.
        #[arg(long, value_enum, default_value = "text")]
        format: promises::Format,
    },
    /// Write the ledger as plain files that any C2SP verifier reads. A gate on SQLite must not be running; of one that is, read `/ledger/`.
    Export {
        /// The configuration file.
        #[arg(long, value_name = "FILE", default_value = "countersign.toml")]
        config: PathBuf,
        /// Where; may be repeated into the same folder as the ledger grows.
        #[arg(value_name = "DIR")]
        folder: PathBuf,
    },
}

/// `countersign grant …`
#[derive(Debug, Subcommand)]
pub(crate) enum Grant {
    /// Check a bundle without asking the gate: exit 0 if a backend may act on it, 1 with the first check that fails, 2 if something cannot be read.
    Verify(grant::Verify),
}

/// `countersign pages …`
#[derive(Debug, Subcommand)]
pub(crate) enum Pages {
    /// Write every page in every state, with made-up people, and an index of them, to be opened in a browser.
    Gallery {
        /// Where; made if it is not there. Files of an earlier gallery are written over.
        #[arg(value_name = "DIR")]
        folder: PathBuf,
        /// The colours of all pages; those the system prefers if left out.
        #[arg(long, value_enum)]
        theme: Option<pages::Colours>,
    },
}

/// `countersign statement …`
#[derive(Debug, Subcommand)]
pub(crate) enum Statement {
    /// Say which of the eight things an effective statement does are missing, and what should not be there: exit 0 if nothing was found, 1 if something was, 2 if a file cannot be read.
    Check(statement::Check),
}

/// `countersign receipt …`
#[derive(Debug, Subcommand)]
pub(crate) enum Receipt {
    /// Check that a receipt proves what it says: exit 0 if it does, 1 if not, 2 if it cannot be read.
    Verify {
        /// The receipt, as downloaded.
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// The ledger's key, `name+id+key`.
        #[arg(long, value_name = "VKEY", required_unless_present = "ledger")]
        key: Option<String>,
        /// A published ledger: its key is taken if none is given, and the receipt's events must stand in it.
        #[arg(long, value_name = "URL|DIR")]
        ledger: Option<String>,
        /// How to write the answer.
        #[arg(long, value_enum, default_value = "text")]
        format: promises::Format,
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
        Command::Check {
            format,
            certificate,
            rules,
            staff,
            files,
        } => promises::check(
            &files,
            format,
            &advice::Asked::new(&rules, &staff)?,
            certificate.as_deref(),
        ),
        Command::Certificate {
            command:
                Certificate::Check {
                    procedure,
                    file,
                    format,
                },
        } => certificate::check(&procedure, &file, format),
        Command::Attacks {
            file,
            on,
            at_most,
            format,
        } => promises::list_attacks(&file, on.as_deref(), at_most, format),
        Command::Reach { file, with, format } => promises::show_reach(&file, &with, format),
        Command::Lockout {
            file,
            without,
            format,
        } => promises::show_lockout(&file, &without, format),
        Command::Diff {
            old,
            new,
            at_most,
            format,
        } => diff::compare(&old, &new, at_most, format),
        Command::Repair {
            file,
            on,
            at_most,
            format,
        } => promises::show_repairs(&file, on.as_deref(), at_most, format),
        Command::Draw(what) => draw::draw(&what),
        Command::Serve {
            config,
            invite,
            since,
            new_keys,
        } => {
            let wish = serve::Wish {
                invite: &invite,
                since: since.as_deref(),
                new_keys,
            };
            serve::serve(&config, &wish)
        }
        Command::Backup { config, to } => backup::backup(&config, &to),
        Command::Restore {
            config,
            from,
            since,
        } => backup::restore(&config, &from, since.as_deref()),
        Command::Doctor { config } => doctor::doctor(&config),
        Command::Reconcile(asked) => reconcile::reconcile(&asked),
        Command::Statement {
            command: Statement::Check(asked),
        } => statement::check_files(&asked),
        Command::Migrate(asked) => migrate::migrate(&asked),
        Command::Statistics(asked) => statistics::statistics(&asked),
        Command::Reference { page } => reference::reference(page),
        Command::Ledger {
            command:
                Ledger::Verify {
                    place,
                    key,
                    since,
                    format,
                },
        } => ledger::verify(&place, key.as_deref(), since.as_deref(), format),
        Command::Ledger {
            command: Ledger::Export { config, folder },
        } => ledger::export(&config, &folder),
        Command::Receipt {
            command:
                Receipt::Verify {
                    file,
                    key,
                    ledger,
                    format,
                },
        } => ledger::verify_file(&file, key.as_deref(), ledger.as_deref(), format),
        Command::Grant {
            command: Grant::Verify(command),
        } => grant::verify(&command),
        Command::Init { folder } => init::init(&folder),
        Command::Secret { kind } => secret::secret(kind),
        Command::Pages {
            command: Pages::Gallery { folder, theme },
        } => pages::gallery(&folder, theme),
        Command::Demo(options) => crate::demo::run(&options),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(
                shell,
                &mut crate::Arguments::command(),
                "countersign",
                &mut script,
            );
            crate::terminal::print(&String::from_utf8_lossy(&script))?;
            Ok(ExitCode::SUCCESS)
        }
    }
}
