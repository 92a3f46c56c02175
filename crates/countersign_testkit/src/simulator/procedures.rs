//! What the companies go by: the shipped procedures, and small ones that are made up.

use std::fmt::Write as _;

use countersign_language::{Procedure, Severity, read_procedure};

use crate::{naive::Dice, without_drills};

const SHIPPED: [(&str, &str); 5] = [
    (
        "hosting",
        include_str!("../../../../procedures/hosting.procedure"),
    ),
    (
        "enrolment",
        include_str!("../../../../procedures/enrolment.procedure"),
    ),
    (
        "registrar",
        include_str!("../../../../procedures/registrar.procedure"),
    ),
    (
        "shop",
        include_str!("../../../../procedures/shop.procedure"),
    ),
    (
        "telecom",
        include_str!("../../../../procedures/telecom.procedure"),
    ),
];

/// The procedure of a seed: its name, its text, and what it says.
///
/// # Errors
/// What the language says against it.
pub(super) fn of_seed(seed: u64, dice: &mut Dice) -> Result<(String, String, Procedure), String> {
    // Two of seven companies go by a procedure nobody ever saw.
    let (name, text) = match usize::try_from(seed % 7)
        .ok()
        .and_then(|at| SHIPPED.get(at))
    {
        // The auditor knows no planted case by the event list alone, before it is told.
        Some((name, text)) => ((*name).to_owned(), without_drills(text)),
        None => ("made up".to_owned(), made_up(dice)),
    };
    let reading = read_procedure(&text);
    let wrong = reading
        .diagnostics
        .iter()
        .find(|found| found.severity >= Severity::Error);
    match (reading.procedure, wrong) {
        (Some(procedure), None) => Ok((name, text, procedure)),
        (_, wrong) => Err(format!("{name}: {wrong:?}\n{text}")),
    }
}

/// A small procedure with short waits, so that much happens in it.
fn made_up(dice: &mut Dice) -> String {
    let mut text = String::from(
        r#"organisation "Acme Made Up"

staff agent  "support agent"
staff senior "senior support agent" includes agent
staff boss   "head of support"

secret  password "account password" using password
secret  pin      "support PIN"      using pin
channel mailbox  "e-mail address on file"
channel mobile   "mobile number on file"
device  phone    "phone with the authenticator app"
device  key      "passkey"

proof mail_code "code sent by e-mail"       shows mailbox using mail
proof text_code "code sent by text message" shows mobile  using text
proof app_code  "authenticator code"        shows phone   using totp
proof passkey   "passkey"                   shows key     using passkey

loss files "everything of the customer's"
"#,
    );
    for number in 0..2 + dice.below(3) {
        let _ = writeln!(
            text,
            "\naction thing.do_{number} \"Do thing {number}\" {{\n  with  what \"what\"\n  says  \"Do thing {number} to {{what}}\"\n  loses files\n  runs  panel\n  expires {}",
            dice.pick(&["2h", "24h", "5d"])
        );
        for path in 0..=dice.below(3) {
            let _ = writeln!(text, "  path way_{path} {{");
            for line in lines(dice) {
                let _ = writeln!(text, "    {line}");
            }
            text.push_str("  }\n");
        }
        text.push_str("}\n");
    }
    text
}

fn lines(dice: &mut Dice) -> Vec<String> {
    let proofs = [
        "password",
        "pin",
        "mail_code",
        "text_code",
        "app_code",
        "passkey",
    ];
    let atom = |dice: &mut Dice| {
        let proof = *dice.pick(&proofs);
        if dice.chance(15) {
            format!("{proof} settled {}", dice.pick(&["3h", "2d", "30d"]))
        } else {
            proof.to_owned()
        }
    };
    let expr = match dice.below(5) {
        0 => atom(dice),
        1 => format!("{} and {}", atom(dice), atom(dice)),
        2 => format!("{} or {}", atom(dice), atom(dice)),
        3 => format!("{} and ({} or {})", atom(dice), atom(dice), atom(dice)),
        _ => format!("2 of ({}, {}, {})", atom(dice), atom(dice), atom(dice)),
    };
    let mut lines = vec![format!("prove {expr}")];
    if dice.chance(25) {
        let who = dice.pick(&["agent", "senior"]);
        lines.push(format!("{who} confirms \"the caller was seen by {who}\""));
    }
    if dice.chance(35) {
        let count = 1 + dice.below(2);
        let who = dice.pick(&["agent", "senior"]);
        lines.push(format!("sign-off {count} {who}"));
    }
    if dice.chance(15) {
        lines.push("sign-off 1 boss".to_owned());
    }
    if dice.chance(20) {
        lines.push(format!(
            "backup {}within 24h in {} places",
            dice.pick(&["", "verified ", "restored "]),
            1 + dice.below(2)
        ));
    }
    if dice.chance(20) {
        lines.push(format!(
            "at most {} per {} per {}",
            1 + dice.below(2),
            dice.pick(&["2h", "3d"]),
            dice.pick(&["customer", "staff"])
        ));
    }
    if dice.chance(50) {
        lines.push(format!(
            "notify {}",
            dice.pick(&["every channel", "mobile"])
        ));
        if dice.chance(70) {
            lines.push(format!("wait {}", dice.pick(&["30m", "4h", "2d"])));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_procedure_of_a_seed_can_be_read() {
        for seed in 0..300 {
            let mut dice = Dice(seed);
            if let Err(wrong) = of_seed(seed, &mut dice) {
                panic!("seed {seed}: {wrong}");
            }
        }
    }
}
