//! Writing to the two output streams: the only place that does.

use std::cell::Cell;
use std::io::{self, IsTerminal as _, Write as _};
use std::rc::Rc;
use std::time::{Duration, Instant};

use countersign_prover::progress::{Progress, watched};

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

/// How far a question to the prover has come, on a line that is there only if it takes longer than a second and
/// only if standard error is a terminal. It is gone when the answer is.
#[derive(Debug)]
pub(crate) struct Patience {
    begun: Instant,
    shown: Cell<Option<Instant>>,
}

/// Before that nobody is impatient.
const PATIENT: Duration = Duration::from_secs(1);

/// The line changes no more often than one can read it.
const READABLE: Duration = Duration::from_millis(200);

impl Patience {
    /// Asks a question of the prover.
    pub(crate) fn with<T>(question: impl FnOnce() -> T) -> T {
        let patience = Rc::new(Self {
            begun: Instant::now(),
            shown: Cell::new(None),
        });
        let ours = Rc::clone(&patience);
        watched(move |progress| ours.at(&progress), question)
    }

    fn at(&self, progress: &Progress) {
        let now = Instant::now();
        if now.duration_since(self.begun) >= PATIENT
            && self
                .shown
                .get()
                .is_none_or(|shown| now.duration_since(shown) >= READABLE)
            && self::progress(&how_far(progress))
        {
            self.shown.set(Some(now));
        }
    }
}

impl Drop for Patience {
    fn drop(&mut self) {
        if self.shown.get().is_some() {
            self::progress("");
        }
    }
}

/// `2 of 5, size 4, 17 found, 3072 tried`: short enough for a narrow terminal.
fn how_far(progress: &Progress) -> String {
    let mut parts = Vec::new();
    if progress.parts > 0 {
        parts.push(format!("{} of {}", progress.part, progress.parts));
    }
    if progress.size > 0 {
        parts.push(format!("size {}", progress.size));
        parts.push(format!("{} found", progress.sets));
    }
    if progress.tried > 0 {
        parts.push(format!("{} tried", progress.tried));
    }
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_far_it_is_in_few_words() {
        let mut progress = Progress::default();
        assert_eq!(how_far(&progress), "");
        (progress.part, progress.parts, progress.tried) = (2, 5, 3_072);
        assert_eq!(how_far(&progress), "2 of 5, 3072 tried");
        (progress.size, progress.sets) = (4, 17);
        assert_eq!(how_far(&progress), "2 of 5, size 4, 17 found, 3072 tried");
    }
}
