//! A real installation in a folder of its own, and the real program on it.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "helpers of tests, which clippy does not see as tests"
)]
#![expect(
    dead_code,
    reason = "each test program uses its own part of these helpers"
)]

pub(crate) mod books;
pub(crate) mod collector;
pub(crate) mod site;

use std::{
    io::{BufRead as _, BufReader, Read as _},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;

/// `countersign`, with these arguments, run to its end.
pub(crate) fn countersign(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_countersign"))
        .args(arguments)
        .env("NO_COLOR", "1")
        .output()
        .expect("the program runs")
}

/// What it printed and complained about, and its exit code.
pub(crate) fn said(output: &Output) -> (String, String, i32) {
    (
        String::from_utf8_lossy(&output.stdout).into_owned(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
        output.status.code().unwrap_or(-1),
    )
}

/// What `countersign init` wrote, with changes for a test: any free port.
pub(crate) struct Installation {
    folder: TempDir,
}

impl Installation {
    /// A new one.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let made = countersign(&["init", folder.path().to_str().unwrap()]);
        assert!(made.status.success(), "{made:?}");
        let installation = Self { folder };
        installation.edit("listen = \"127.0.0.1:4180\"", "listen = \"127.0.0.1:0\"");
        installation
    }

    /// A file in its folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The configuration file, as an argument.
    pub(crate) fn config(&self) -> String {
        self.path("countersign.toml").to_str().unwrap().to_owned()
    }

    /// Replaces words in the configuration, which must be there.
    pub(crate) fn edit(&self, from: &str, to: &str) {
        let file = self.path("countersign.toml");
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.contains(from), "`{from}` is not in {text}");
        std::fs::write(&file, text.replace(from, to)).unwrap();
    }

    /// Adds sections to the configuration.
    pub(crate) fn append(&self, sections: &str) {
        let file = self.path("countersign.toml");
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, format!("{text}\n{sections}\n")).unwrap();
    }

    /// What stands in a file of its folder, without the line's end.
    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name))
            .unwrap()
            .trim()
            .to_owned()
    }

    /// Starts the gate and waits until it listens.
    pub(crate) fn serve(&self, more: &[&str]) -> Gate {
        self.serve_with(more, &[])
    }

    /// The same with more in its environment.
    pub(crate) fn serve_with(&self, more: &[&str], environment: &[(&str, &str)]) -> Gate {
        let started = Instant::now();
        let mut program = Command::new(env!("CARGO_BIN_EXE_countersign"))
            .args(["serve", "--config", &self.config()])
            .args(more)
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(self.path("log")).unwrap())
            .spawn()
            .expect("the program starts");
        let mut lines = BufReader::new(program.stdout.take().unwrap());
        let mut line = String::new();
        lines.read_line(&mut line).unwrap();
        let Some(url) = line.trim().strip_prefix("listening on ") else {
            let _ = program.wait();
            panic!("the gate did not start: {line:?} {}", self.read("log"));
        };
        Gate {
            url: url.to_owned(),
            took: started.elapsed(),
            lines,
            program,
        }
    }
}

/// A running gate; killed when dropped.
pub(crate) struct Gate {
    /// `http://127.0.0.1:PORT`
    pub(crate) url: String,
    /// From the start of the program to its first line.
    pub(crate) took: Duration,
    lines: BufReader<std::process::ChildStdout>,
    program: Child,
}

impl Gate {
    /// The next line it prints.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        line
    }

    /// Kill -9.
    pub(crate) fn kill(mut self) {
        self.program.kill().unwrap();
        self.program.wait().unwrap();
    }

    /// SIGTERM; gives what else it printed and its exit code.
    pub(crate) fn end(mut self) -> (String, i32) {
        let asked = Command::new("kill")
            .args(["-TERM", &self.program.id().to_string()])
            .status()
            .unwrap();
        assert!(asked.success());
        let mut rest = String::new();
        self.lines.read_to_string(&mut rest).unwrap();
        let code = self.program.wait().unwrap().code().unwrap_or(-1);
        (rest, code)
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        // Already gone is as good.
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

/// The folder of the workspace.
pub(crate) fn workspace() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}
