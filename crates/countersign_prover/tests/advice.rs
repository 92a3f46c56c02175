//! `docs/diagnostics/`: the examples of every page about advice and rule sets do
//! what the page says, repaired ones of all pages are without advice, and the
//! shipped procedures are.

#![expect(
    clippy::disallowed_methods,
    clippy::string_slice,
    reason = "tests read the pages they check, and slice texts at places they know"
)]

#[cfg(test)]
#[expect(dead_code, reason = "the tests of the language need more of it")]
#[path = "../../countersign_language/tests/language/markdown.rs"]
mod markdown;

#[cfg(test)]
mod tests {
    use std::path::Path;

    use countersign_language::{Diagnostic, Finder, Procedure, codes, read};
    use countersign_prover::{RULE_SETS, RuleSet, advice, judge};

    use crate::markdown::{Block, blocks};

    fn procedure(text: &str) -> Procedure {
        let reading = read(text);
        assert!(reading.procedure.is_some(), "{:?}", reading.diagnostics);
        reading.procedure.unwrap()
    }

    /// What is found in an example, besides what reading it finds.
    fn found(block: &Block) -> Vec<Diagnostic> {
        let procedure = procedure(&block.body);
        let mut found = advice(&procedure);
        if let Some(name) = block.attribute("rules") {
            found.extend(judge(&procedure, &[RuleSet::named(name).unwrap()]));
        }
        found
    }

    fn of_the_prover() -> impl Iterator<Item = &'static countersign_language::Code> {
        codes().iter().filter(|code| code.finder != Finder::Reading)
    }

    #[test]
    fn every_failing_example_fails_as_its_page_says() {
        assert!(of_the_prover().count() >= 16);
        for code in of_the_prover() {
            let failing: Vec<Block> = blocks(code.page)
                .into_iter()
                .filter(|block| block.attribute("code").is_some())
                .collect();
            assert!(!failing.is_empty(), "{} has no failing example", code.code);
            for block in failing {
                assert_eq!(block.attribute("code"), Some(code.code));
                if let Finder::Rules(set) = code.finder {
                    assert_eq!(block.attribute("rules"), Some(set), "{}", code.code);
                }
                let found = found(&block);
                let slices: Vec<&str> = found
                    .iter()
                    .filter(|finding| finding.code == code.code)
                    .map(|finding| {
                        assert_eq!(finding.severity, code.severity);
                        &block.body[finding.place().start as usize..finding.place().end as usize]
                    })
                    .collect();
                let expected = block.attribute("underlined").unwrap();
                assert!(
                    slices.contains(&expected),
                    "{}: expected {expected:?} to be underlined, found {slices:?} of {found:#?}",
                    code.code
                );
            }
        }
    }

    #[test]
    fn every_repaired_example_is_without_advice() {
        for code in of_the_prover() {
            let repaired: Vec<Block> = blocks(code.page)
                .into_iter()
                .filter(|block| block.attribute("code").is_none())
                .collect();
            assert!(
                !repaired.is_empty(),
                "{} has no repaired example",
                code.code
            );
            for block in repaired {
                assert_eq!(read(&block.body).diagnostics, [], "{}", code.code);
                assert_eq!(found(&block), [], "{}", code.code);
            }
        }
    }

    #[test]
    fn every_rule_belongs_to_a_set_that_can_be_asked_for() {
        for code in codes() {
            if let Finder::Rules(set) = code.finder {
                assert!(RuleSet::named(set).is_some(), "{}", code.code);
                assert!(
                    code.page.contains(&format!("--rules {set}")),
                    "{}",
                    code.code
                );
            }
        }
        for set in RULE_SETS {
            assert!(
                codes()
                    .iter()
                    .any(|code| code.finder == Finder::Rules(set.name)),
                "{}",
                set.name
            );
        }
    }

    #[test]
    fn shipped_procedures_need_no_advice() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../procedures");
        let mut looked_at = 0;
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path
                .extension()
                .is_some_and(|extension| extension == "procedure")
            {
                let text = std::fs::read_to_string(&path).unwrap();
                assert_eq!(advice(&procedure(&text)), [], "{}", path.display());
                looked_at += 1;
            }
        }
        assert!(looked_at >= 4);
    }
}
