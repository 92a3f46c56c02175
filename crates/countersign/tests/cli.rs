//! The commands as people type them, and the pages that are made from the program.

mod common;

use common::{countersign, said, workspace};

/// `tests/cmd/*.trycmd` hold what each command prints; `TRYCMD=overwrite` writes them anew.
#[test]
fn commands_print_what_their_pages_say() {
    trycmd::TestCases::new()
        .case("tests/cmd/*.trycmd")
        .env("NO_COLOR", "1");
}

/// `FRESH=write cargo test -p countersign --test cli` writes them anew.
#[test]
fn generated_pages_are_fresh() {
    for page in ["cli", "config", "diagnostics"] {
        let (made, complaint, code) = said(&countersign(&["reference", page]));
        assert_eq!(code, 0, "{complaint}");
        let file = workspace().join(format!("docs/generated/{page}.md"));
        if std::env::var_os("FRESH").is_some_and(|fresh| fresh == "write") {
            std::fs::write(&file, &made).unwrap();
        }
        let kept = std::fs::read_to_string(&file).unwrap_or_default();
        assert!(
            kept == made,
            "docs/generated/{page}.md is not what `countersign reference {page}` prints"
        );
    }
}

#[test]
fn every_shell_gets_its_completions() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let (script, complaint, code) = said(&countersign(&["completions", shell]));
        assert_eq!(code, 0, "{complaint}");
        assert!(
            script.contains("lockout") && script.contains("at-most"),
            "{shell}"
        );
    }
}

/// A reader that goes away is no error.
#[test]
fn a_closed_pipe_ends_quietly() {
    let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_countersign"))
        .args(["reference", "cli"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(program.stdout.take());
    let output = program.wait_with_output().unwrap();
    assert_eq!(said(&output).1, "");
    assert!(output.status.success());
}
