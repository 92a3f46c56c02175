//! What must be absent from the source, so that nobody adds it without noticing.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests, outside `#[test]` functions"
)]

use std::{fs, path::Path};

/// Every source file of the shell, adapters included, without its unit tests.
fn sources() -> Vec<(String, String)> {
    fn collect(folder: &Path, into: &mut Vec<(String, String)>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, into);
            } else {
                let text = fs::read_to_string(&path).unwrap();
                let shipped = text.split("#[cfg(test)]").next().unwrap_or_default();
                into.push((
                    path.file_name().unwrap().to_string_lossy().into_owned(),
                    shipped.to_owned(),
                ));
            }
        }
    }
    let mut found = Vec::new();
    collect(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
        &mut found,
    );
    assert!(found.len() > 30, "{}", found.len());
    found
}

fn files_with(what: &str) -> Vec<String> {
    let mut files: Vec<String> = sources()
        .into_iter()
        .filter(|(_, text)| {
            text.lines()
                .any(|line| !line.trim_start().starts_with("//") && line.contains(what))
        })
        .map(|(file, _)| file)
        .collect();
    files.sort();
    files
}

/// One place turns a permit into a grant, and one place is handed permits.
#[test]
fn a_grant_is_made_in_one_place() {
    assert_eq!(files_with(".consume()"), ["grants.rs"]);
    assert_eq!(files_with("mint(self."), ["grants.rs"]);
    assert_eq!(files_with("Permit"), ["decisions.rs", "grants.rs"]);
}

/// What the company's checker says becomes a proof in one place, behind the signature or the connection it came by.
#[test]
fn an_answer_of_a_checker_is_taken_in_one_place() {
    assert_eq!(
        files_with("Uses::Answer {"),
        ["checker_proof.rs", "proofs.rs"]
    );
    assert_eq!(files_with("proved_by_checker("), ["checker_proof.rs"]);
    assert_eq!(
        files_with("Evidence::Checked {"),
        ["entry.rs", "proofs.rs", "receipts.rs"],
        "made where a proof is taken; the others read it"
    );
}

/// A seat is made by the two look-ups that find one, a staff session by one.
#[test]
fn witnesses_are_made_where_they_are_looked_up() {
    assert_eq!(
        files_with("CustomerSeat::seated("),
        ["cases.rs", "sessions.rs"]
    );
    assert_eq!(files_with("SignedInStaff {"), ["sessions.rs"]);
    assert_eq!(files_with("MachineCaller {"), ["sessions.rs"]);
    assert_eq!(files_with("StopLink {"), ["sessions.rs"]);
}

/// `decide` is asked by the shell's few rooms, and nothing but `decide` weighs a requirement.
#[test]
fn nothing_but_the_decision_function_weighs_requirements() {
    assert_eq!(
        files_with("Requirement::"),
        ["fold.rs", "gate.rs", "script.rs", "views.rs"],
        "the words of `confirms` lines, for a list and for statistics; what a drill's stranger would need to show; and whom a gate must be able to ask before it starts"
    );
    assert_eq!(
        files_with("evolve"),
        [
            "cases.rs",
            "decisions.rs",
            "enrolment.rs",
            "event.rs",
            "folded.rs",
            "mod.rs"
        ],
        "what was decided, applied; the first and the third to say what the case has become, the fifth what its stored events made of it; the others are an incident's own"
    );
}

/// Time and randomness come from the clock and the dice alone.
#[test]
fn no_other_clock_and_no_other_dice() {
    assert_eq!(files_with("SystemTime::now"), ["clock.rs"]);
    assert_eq!(
        files_with("SystemRandom::new"),
        ["client.rs", "dice.rs", "soft_passkey.rs"],
        "the two that sign need it to blind"
    );
    assert_eq!(files_with("println!"), Vec::<String>::new());
}
