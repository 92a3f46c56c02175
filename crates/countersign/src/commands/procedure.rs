//! `fmt` and `explain`: a procedure as text.

use std::io::Read as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use countersign_language::{Procedure, Reading, Severity};

use crate::terminal;

/// A file that is not valid: its diagnostics are on standard error and the program ends with 2.
pub(crate) const NOT_VALID: u8 = 2;

/// The largest file that is read: far more than any procedure, far less than would hurt.
const MOST_BYTES: u64 = 64 << 20;

/// `countersign fmt`
pub(crate) fn fmt(
    files: &[std::path::PathBuf],
    check: bool,
    json: bool,
) -> anyhow::Result<ExitCode> {
    let mut worst = 0;
    for file in files {
        let source = Source::open(file)?;
        let Some(formatted) = countersign_language::format(&source.reading.tree)
            .ok()
            .filter(|_| source.is_formattable())
        else {
            source.complain();
            worst = worst.max(NOT_VALID);
            continue;
        };
        if json {
            if source.reading.procedure.is_none() {
                source.complain();
                worst = worst.max(NOT_VALID);
            } else {
                terminal::print(&countersign_language::to_json(&source.reading.tree))?;
            }
        } else if source.is_twin() || source.is_standard_input() {
            terminal::print(&formatted)?;
        } else if formatted != source.text {
            if check {
                terminal::print(&format!(
                    "{} is not in the canonical format\n",
                    file.display()
                ))?;
                worst = worst.max(1);
            } else {
                replace(file, &formatted)?;
            }
        }
    }
    Ok(ExitCode::from(worst))
}

/// `countersign explain`
pub(crate) fn explain(what: &Path, action: Option<&str>) -> anyhow::Result<ExitCode> {
    if let Some(page) = what.to_str().and_then(countersign_language::explain_code) {
        terminal::print(page)?;
        return Ok(ExitCode::SUCCESS);
    }
    if !what.exists() && what.extension().is_none() && what != Path::new("-") {
        let word = what.to_string_lossy();
        let known = countersign_language::codes().iter().map(|code| code.code);
        bail!(
            "there is no file and no diagnostic code `{word}`{}",
            crate::config::did_you_mean(&word, known)
        );
    }
    let source = Source::open(what)?;
    let Some(procedure) = source.valid() else {
        return Ok(ExitCode::from(NOT_VALID));
    };
    let action = action
        .map(|name| action_named(procedure, name))
        .transpose()?;
    terminal::print(&countersign_language::explain(procedure, action))?;
    Ok(ExitCode::SUCCESS)
}

/// The action of that name.
///
/// # Errors
/// A sentence with the nearest name.
pub(crate) fn action_named(
    procedure: &Procedure,
    name: &str,
) -> anyhow::Result<countersign_language::ActionId> {
    procedure.action_named(name).with_context(|| {
        let known = procedure.actions.iter().map(|action| action.name.as_str());
        format!(
            "there is no action `{name}`{}",
            crate::config::did_you_mean(name, known)
        )
    })
}

/// A procedure file that was read, right or wrong.
#[derive(Debug)]
pub(crate) struct Source {
    /// Name as given.
    pub(crate) name: String,
    /// The text; lossy where it was not UTF-8.
    pub(crate) text: String,
    /// What reading it gave.
    pub(crate) reading: Reading,
}

impl Source {
    /// Reads a file, or standard input for `-`.
    ///
    /// # Errors
    /// If it cannot be read at all.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        let mut bytes = Vec::new();
        let standard_input = path == Path::new("-");
        if standard_input {
            std::io::stdin()
                .take(MOST_BYTES)
                .read_to_end(&mut bytes)
                .context("cannot read standard input")?;
        } else {
            let file = std::fs::File::open(path)
                .with_context(|| format!("cannot read `{}`", path.display()))?;
            file.take(MOST_BYTES + 1)
                .read_to_end(&mut bytes)
                .with_context(|| format!("cannot read `{}`", path.display()))?;
            if bytes.len() as u64 > MOST_BYTES {
                bail!(
                    "`{}` is larger than {} MiB",
                    path.display(),
                    MOST_BYTES >> 20
                );
            }
        }
        let name = if standard_input {
            "standard input".to_owned()
        } else {
            path.display().to_string()
        };
        let twin = path
            .extension()
            .is_some_and(|extension| extension == "json");
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let reading = if twin {
            countersign_language::read_json(&text)
        } else {
            countersign_language::read_bytes(&bytes)
        };
        Ok(Self {
            name,
            text,
            reading,
        })
    }

    /// The procedure, with warnings on standard error; or `None` with everything on standard error.
    pub(crate) fn valid(&self) -> Option<&Procedure> {
        self.complain();
        self.reading.procedure.as_ref()
    }

    /// Writes the diagnostics, if any, to standard error.
    pub(crate) fn complain(&self) {
        if !self.reading.diagnostics.is_empty() {
            let colour = terminal::colour_wanted_for_complaints();
            terminal::complain(&countersign_language::render_terminal(
                &self.reading.diagnostics,
                &self.name,
                &self.text,
                colour,
            ));
        }
    }

    fn is_formattable(&self) -> bool {
        // A twin has no layout to keep, so only a right one is worth printing.
        !self.is_twin()
            || !self
                .reading
                .diagnostics
                .iter()
                .any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// Whether it is the JSON twin of a procedure.
    pub(crate) fn is_twin(&self) -> bool {
        Path::new(&self.name)
            .extension()
            .is_some_and(|extension| extension == "json")
    }

    fn is_standard_input(&self) -> bool {
        self.name == "standard input"
    }
}

/// Replaces a file whole or not at all.
fn replace(file: &Path, text: &str) -> anyhow::Result<()> {
    let beside = file.with_extension("procedure.tmp");
    std::fs::write(&beside, text)
        .with_context(|| format!("cannot write `{}`", beside.display()))?;
    std::fs::rename(&beside, file).with_context(|| format!("cannot replace `{}`", file.display()))
}
