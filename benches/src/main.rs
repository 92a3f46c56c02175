//! Measurements: ours and the peer in one run, with the ratio. Build with `--release`.
//!
//! `countersign_benches decision | grant | language | ledger | page [OPEN CASES [FINISHED CASES]] | reconcile | statement | statistics [CASES]`

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program whose output is its purpose"
)]

use std::process::ExitCode;

mod decision;
mod filled;
mod grant;
mod language;
mod ledger;
mod page;
mod reconcile;
mod statement;
mod statistics;
mod timing;

fn main() -> ExitCode {
    let subject = std::env::args().nth(1).unwrap_or_default();
    let measured = match subject.as_str() {
        "decision" => decision::run(),
        "grant" => grant::run(),
        "language" => language::run(),
        "ledger" => ledger::run(),
        "page" => page::run(),
        "reconcile" => reconcile::run(),
        "statement" => {
            statement::run();
            Ok(())
        }
        "statistics" => statistics::run(),
        _ => {
            eprintln!(
                "usage: countersign_benches decision|grant|language|ledger|page|reconcile|statement|statistics"
            );
            return ExitCode::from(2);
        }
    };
    match measured {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{subject}: {error}");
            ExitCode::FAILURE
        }
    }
}
