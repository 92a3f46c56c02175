//! Writing to the two output streams: the only place that does.

use std::io::{self, IsTerminal as _, Write as _};

/// Writes to standard output as it is.
///
/// # Errors
/// Whatever the stream says; a closed pipe ends the program quietly, see [`is_broken_pipe`].
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(())
}

/// Writes a line to standard error; nothing can be done if even that fails.
pub(crate) fn complain(text: &str) {
    let mut out = io::stderr().lock();
    let _ = out.write_all(text.as_bytes());
    if !text.ends_with('\n') {
        let _ = out.write_all(b"\n");
    }
}

/// What a word on standard output is to look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Paint {
    /// All is well.
    Good,
    /// Somebody should look.
    Doubtful,
    /// Something is wrong.
    Bad,
}

/// The word in its colour on a terminal, unless `NO_COLOR` is set (no-color.org); as it is everywhere else.
pub(crate) fn painted(word: &str, paint: Paint) -> String {
    let wanted = io::stdout().is_terminal()
        && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let colour = match paint {
        Paint::Good => 32,
        Paint::Doubtful => 33,
        Paint::Bad => 31,
    };
    if wanted {
        format!("\x1b[1;{colour}m{word}\x1b[0m")
    } else {
        word.to_owned()
    }
}

/// Whether colour is wanted on standard output: a terminal, and `NO_COLOR` not set.
pub(crate) fn colour_wanted() -> bool {
    io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Whether colour is wanted on standard error.
pub(crate) fn colour_wanted_for_complaints() -> bool {
    io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Whether the error only says that nobody reads our output any more.
pub(crate) fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause
            .downcast_ref::<io::Error>()
            .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    })
}

/// Shows how far something has come on one line of a terminal, which the next call overwrites; says whether it was shown.
pub(crate) fn progress(text: &str) -> bool {
    let mut out = io::stderr().lock();
    out.is_terminal()
        && write!(out, "\r\x1b[K{text}")
            .and_then(|()| out.flush())
            .is_ok()
}
