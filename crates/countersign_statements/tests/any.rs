//! Whatever is typed, pasted or sent is answered, and in time that grows with its length only.

#![expect(
    clippy::disallowed_methods,
    reason = "a test that measures looks at a clock"
)]

use std::time::{Duration, Instant};

use countersign_statements::{
    Field, Incident, LONGEST, check, compare, contradictions, decode, fill,
};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn bytes_of_any_kind_are_answered(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let text = decode(&bytes).text.into_owned();
        let report = check(&text);
        prop_assert_eq!(report.does.len(), 8);
        for fault in &report.faults {
            prop_assert!(text.get(fault.at.0..fault.at.1).is_some());
        }
    }

    #[test]
    fn places_are_whole_letters_of_the_text(
        words in proptest::collection::vec(
            proptest::sample::select(vec![
                "We are sorry", "isolated", "a small number of customers", "“", "”", "é", "<b>", "</p>", "\n", "\n\n- ",
                "&amp;", "14 March", "09:12", "not", ".", " ", "🙂", "take security seriously", "{{customers_affected}}", "4 customers",
            ]),
            0..60,
        )
    ) {
        let written = words.join(" ");
        let incident = Incident {
            fields: [("customers_affected".to_owned(), Field::Number(5))].into(),
            timeline: vec!["2026-03-14T09:13:00Z".to_owned()],
            ..Incident::default()
        };
        let filled = fill(&written, Some(&incident));
        let report = check(&filled.text);
        let places = report.faults.iter().map(|fault| fault.at)
            .chain(report.does.iter().filter_map(|quality| quality.at))
            .chain(contradictions(&filled.text, &incident).into_iter().map(|found| found.at));
        for at in places {
            prop_assert!(filled.text.get(at.0..at.1).is_some());
            let (from, to) = filled.original(at);
            prop_assert!(written.get(from..to).is_some());
        }
    }
}

/// Twice the text may take about twice as long: what grows with the square would take four times as long.
#[test]
fn time_grows_with_the_length_only() {
    let took = |text: &str| {
        let started = Instant::now();
        assert!(check(text).words <= text.len());
        let _ = compare(&[text, "We lost 7 accounts."]);
        started.elapsed()
    };
    took("warm");
    for pattern in [
        "isolated ",
        "we are not sorry if customers ",
        "1 2 3 4 ",
        "a. ",
        "<p ",
        "\" ",
        "not not not we ",
        "customers may have been on 14 march at 09:12 ",
    ] {
        let short = took(&pattern.repeat(8_000 / pattern.len()));
        let long = took(&pattern.repeat(32_000 / pattern.len()));
        assert!(
            long < short * 9 + Duration::from_millis(300),
            "`{pattern}`: {short:?}, then {long:?}"
        );
    }
}

#[test]
fn a_text_that_is_too_long_is_cut_and_said_to_be() {
    // The last letter lies across the limit.
    let text = format!("{}é", " ".repeat(LONGEST - 1));
    assert!(check(&text).cut);
    assert!(!check("é").cut);
}
