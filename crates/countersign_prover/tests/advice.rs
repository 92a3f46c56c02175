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

    use countersign_language::{
        ActionId, Diagnostic, EffectKind, Exposure, Expr, Finder, HoldingKind, LossId, Procedure,
        Requirement, Target, codes, read,
    };
    use countersign_prover::{RULE_SETS, RuleSet, advice, judge};
    use countersign_testkit::naive;

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

    /// Sets of one compromise that reach a target, by the rules alone.
    fn alone(procedure: &Procedure, target: Target) -> Vec<Vec<String>> {
        naive::attacks(procedure, &[target], 1)
    }

    #[test]
    fn one_person_is_enough_exactly_where_the_rules_say_so() {
        let (mut yes, mut no) = (0, 0);
        for seed in 0..400 {
            let procedure = naive::procedure(seed);
            let found = advice(&procedure);
            for (index, loss) in (0..).zip(&procedure.losses) {
                let sets = alone(&procedure, Target::Loss(LossId(index)));
                let expected = sets.iter().any(|set| {
                    set.is_empty() || set.iter().any(|name| name.ends_with(" deceived"))
                });
                let quoted = format!("for the loss of `{}`", loss.name);
                let said = found
                    .iter()
                    .any(|one| one.code == "one-person-enough" && one.message.ends_with(&quoted));
                assert_eq!(said, expected, "seed {seed}, {}: {sets:?}", loss.name);
                if expected { yes += 1 } else { no += 1 }
            }
        }
        assert!(yes > 50 && no > 50, "{yes} of {}", yes + no);
    }

    /// The fewest different things that any path of proofs alone asks for, by trying them;
    /// `None` without such a path or where a state is asked for.
    fn asks(procedure: &Procedure, action: usize) -> Option<u32> {
        let action = &procedure.actions[action];
        let secret = |index: usize| procedure.holdings[index].exposure != Exposure::Public;
        let all: Vec<usize> = (0..procedure.holdings.len()).collect();
        let ordinary = action.paths.iter().filter(|path| {
            path.lines.iter().all(|line| {
                !matches!(
                    line.requirement,
                    Requirement::SignOff { .. }
                        | Requirement::Confirms { .. }
                        | Requirement::Wait(_)
                )
            })
        });
        let mut least = None;
        for path in ordinary {
            for set in 0_u32..1 << all.len() {
                let has = |index: usize| !secret(index) || set >> index & 1 == 1;
                let shown = path.lines.iter().all(|line| match &line.requirement {
                    Requirement::Prove(expr) => shows(procedure, expr, &has),
                    _ => true,
                });
                if shown {
                    let size = set.count_ones();
                    least = Some(least.map_or(size, |so_far: u32| so_far.min(size)));
                }
            }
        }
        least
    }

    fn shows(procedure: &Procedure, expr: &Expr, has: &dyn Fn(usize) -> bool) -> bool {
        match expr {
            Expr::Atom { proof, .. } => has(procedure.proofs[proof.index()].shows.index()),
            Expr::And(of) => of.iter().all(|part| shows(procedure, part, has)),
            Expr::Or(of) => of.iter().any(|part| shows(procedure, part, has)),
            Expr::NOf { n, of } => {
                of.iter().filter(|part| shows(procedure, part, has)).count() >= *n as usize
            }
        }
    }

    #[test]
    fn a_recovery_is_weaker_exactly_where_one_theft_does_what_two_are_asked_for() {
        let (mut yes, mut no) = (0, 0);
        for seed in 0..600 {
            let procedure = naive::procedure(seed);
            // Where a state is a proof, what it counts for is another question.
            let states = procedure
                .proofs
                .iter()
                .any(|proof| procedure.holdings[proof.shows.index()].kind == HoldingKind::State);
            if states || procedure.holdings.len() > 12 {
                continue;
            }
            let mut expected = false;
            for (index, action) in procedure.actions.iter().enumerate() {
                let loses = |kind: EffectKind| matches!(kind, EffectKind::Loses(_));
                if action.outside || !action.effects.iter().any(|effect| loses(effect.kind)) {
                    continue;
                }
                let Some(needs) = asks(&procedure, index) else {
                    continue;
                };
                // A compromise that is a theft is no `deceived` and no `unread`.
                let theft = |set: &Vec<String>| {
                    set.iter().any(|name| {
                        [" stolen", " hijacked", " taken"]
                            .iter()
                            .any(|fate| name.ends_with(fate))
                    })
                };
                let target = Target::Action(ActionId(u32::try_from(index).unwrap()));
                expected |= needs == 2 && alone(&procedure, target).iter().any(theft);
                if needs > 2 {
                    let fewer = usize::try_from(needs - 1).unwrap();
                    expected |= !naive::attacks(&procedure, &[target], fewer)
                        .iter()
                        .all(Vec::is_empty);
                }
            }
            let said = advice(&procedure)
                .iter()
                .any(|one| one.code == "recovery-weaker");
            assert_eq!(said, expected, "seed {seed}");
            if expected { yes += 1 } else { no += 1 }
        }
        assert!(yes > 10 && no > 50, "{yes} of {}", yes + no);
    }

    #[test]
    fn advice_is_in_order_and_the_same_every_time() {
        for seed in 0..200 {
            let procedure = naive::procedure(seed);
            let found = advice(&procedure);
            assert_eq!(found, advice(&procedure));
            assert!(found.iter().map(Diagnostic::place).is_sorted());
            let against = judge(&procedure, RULE_SETS);
            assert!(against.iter().map(Diagnostic::place).is_sorted());
        }
    }
}
