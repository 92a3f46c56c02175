//! Procedures made to be hard, as text.

use std::fmt::Write as _;

use countersign_testkit::naive::Dice;

/// One action that asks for one of three secrets, many times over: the cheapest attack is a hitting set.
pub(crate) fn hitting_sets(secrets: usize, clauses: usize, seed: u64) -> String {
    let mut dice = Dice(seed ^ 0x5EED ^ (secrets as u64) << 20 ^ (clauses as u64) << 40);
    let mut text = head(secrets);
    text.push_str(
        "action everything \"Everything\" {\n  loses ruin\n  runs panel\n  path only {\n",
    );
    for _ in 0..clauses {
        let mut of: Vec<usize> = Vec::new();
        while of.len() < 3 {
            let secret = dice.below(secrets);
            if !of.contains(&secret) {
                of.push(secret);
            }
        }
        let _ = writeln!(text, "    prove f{} or f{} or f{}", of[0], of[1], of[2]);
    }
    text.push_str("  }\n}\n");
    text
}

/// One action that asks for some of many secrets: as many minimal sets as there are ways to choose.
pub(crate) fn threshold(need: usize, secrets: usize) -> String {
    let mut text = head(secrets);
    let of: Vec<String> = (0..secrets).map(|at| format!("f{at}")).collect();
    let _ = writeln!(
        text,
        "action everything \"Everything\" {{\n  loses ruin\n  runs panel\n  path only {{ prove {need} of ({}) }}\n}}",
        of.join(", ")
    );
    text
}

fn head(secrets: usize) -> String {
    let mut text = String::from("organisation \"Generated\"\nstaff agent \"agent\"\n");
    for at in 0..secrets {
        let _ = writeln!(text, "secret f{at} \"secret {at}\" using pin");
    }
    text.push_str("loss ruin \"everything\"\n");
    text
}
