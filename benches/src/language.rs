//! Reading and checking a procedure of 1,000 actions, beside reading its JSON twin as plain JSON.

use crate::decision::procedure_text;
use crate::timing::{Measured, Samples, time, verdict};

const ROUNDS: usize = 50;

/// Goal: text to checked procedure in at most 30 ms.
pub(crate) fn run() -> Measured {
    let text = procedure_text()?;
    let reading = countersign_language::read(&text);
    if reading.procedure.is_none() {
        return Err("the generated procedure is not valid".into());
    }
    let twin = countersign_language::to_json(&reading.tree);
    let (mut ours, mut json, mut formatted) =
        (Samples::default(), Samples::default(), Samples::default());
    for _ in 0..ROUNDS {
        ours.add(time(|| countersign_language::read(&text).procedure.is_some()).0);
        json.add(time(|| serde_json::from_str::<serde_json::Value>(&twin).is_ok()).0);
        formatted.add(time(|| countersign_language::format(&reading.tree).is_ok()).0);
    }
    let (read, plain) = (ours.quantile_us(0.5) / 1e3, json.quantile_us(0.5) / 1e3);
    println!(
        "A procedure of 1,000 actions, {} KB of text, median of {ROUNDS}",
        text.len() / 1024
    );
    println!(
        "  read and check                      {read:>8.2} ms   (at most 30: {})",
        verdict(read <= 30.0)
    );
    println!(
        "  its JSON twin with serde_json       {plain:>8.2} ms   {:>5.1} times ours, without any checking",
        plain / read
    );
    println!(
        "  format                              {:>8.2} ms",
        formatted.quantile_us(0.5) / 1e3
    );
    Ok(())
}
