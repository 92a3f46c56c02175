//! What is measured is right: small members of the family against the naive oracle, and the peers' rules too.

use std::collections::{BTreeMap, BTreeSet};

use countersign_language::{ActionId, HoldingId, LossId, Procedure, RoleId};
use countersign_prover::{Compromise, Limits, attacks, check};
use countersign_testkit::naive::{self, Dice, Start};

use crate::{
    family::{self, Shape},
    frog::Pairs,
    hard,
    ours::{self, ON},
    rules::{Primitive, Rules},
};

fn small(seed: u64) -> Procedure {
    let size = 8 + usize::try_from(seed % 9).unwrap();
    let shape = if seed.is_multiple_of(3) {
        Shape::DENSE
    } else {
        Shape::USUAL
    };
    ours::procedure(&family::text(shape, size, seed)).unwrap()
}

#[test]
fn the_prover_agrees_with_the_oracle_on_small_members() {
    let mut listed = 0;
    for seed in 0..30 {
        let procedure = small(seed);
        let found = attacks(&procedure, &[ON], 4, Limits::default());
        assert!(found.complete(), "seed {seed}");
        assert_eq!(
            found.names,
            naive::attacks(&procedure, &[ON], 4),
            "seed {seed}"
        );
        listed += found.sets.len();
    }
    assert!(listed > 60, "the family asks too little: {listed} sets");
}

#[test]
fn promises_agree_with_the_oracle_on_small_members() {
    let mut kept = 0;
    for seed in 0..30 {
        let mut procedure = small(seed);
        for limits in [[1, 0, 0], [1, 1, 0], [1, 1, 1], [2, 2, 1]] {
            procedure.promises = vec![ours::budgeted(&limits)];
            let verdict = check(&procedure).remove(0);
            let expected = match &procedure.promises[0].claim {
                countersign_language::Claim::Never { even_if, targets } => {
                    naive::never(&procedure, even_if, targets)
                }
                countersign_language::Claim::Always { .. } => None,
            };
            assert_eq!(
                verdict.kept,
                expected.is_none(),
                "seed {seed}, budget {limits:?}"
            );
            kept += usize::from(verdict.kept);
        }
    }
    assert!(
        (20..100).contains(&kept),
        "{kept} of 120 kept: no test of both"
    );
}

#[test]
fn the_peers_rules_say_what_the_oracle_says() {
    let mut reached = 0;
    for seed in 0..400 {
        let procedure = if seed % 4 == 0 {
            small(seed)
        } else {
            naive::procedure(seed)
        };
        let rules = Rules::of(&procedure);
        let frog = Pairs::of(&rules).relations();
        let mut dice = Dice(seed);
        for _ in 0..10 {
            let drawn: Vec<usize> = (0..rules.primitives.len())
                .filter(|_| dice.chance(30))
                .collect();
            let compromises = rules.compromises(&drawn);
            // So many of a role are the first so many.
            let taken: Vec<usize> = (0..rules.primitives.len())
                .filter(|at| match rules.primitives[*at].0 {
                    Primitive::Person(role, nth) => compromises.iter().any(|compromise| {
                        matches!(compromise, Compromise::Deceived { role: of, count } if *of == role && nth <= *count)
                    }),
                    _ => drawn.contains(at),
                })
                .collect();
            let facts = frog.closure(
                &taken
                    .iter()
                    .map(|&at| rules.primitives[at].1)
                    .collect::<Vec<_>>(),
            );
            let expected = naive::thief(&procedure, &start(&compromises));
            let held = |fact: u32| facts.binary_search(&fact).is_ok();
            let of = |all: &[u32]| -> BTreeSet<u32> {
                all.iter()
                    .zip(0..)
                    .filter(|&(&fact, _)| held(fact))
                    .map(|(_, at)| at)
                    .collect()
            };
            let own: BTreeSet<HoldingId> = of(&rules.own).into_iter().map(HoldingId).collect();
            let new: BTreeSet<HoldingId> = rules
                .new
                .iter()
                .zip((0..).map(HoldingId))
                .filter(|(fact, _)| fact.is_some_and(held))
                .map(|(_, id)| id)
                .collect();
            let actions: BTreeSet<ActionId> =
                of(&rules.actions).into_iter().map(ActionId).collect();
            let losses: BTreeSet<LossId> = of(&rules.losses).into_iter().map(LossId).collect();
            assert_eq!(own, expected.own, "seed {seed}, {compromises:?}");
            assert_eq!(new, expected.new, "seed {seed}, {compromises:?}");
            assert_eq!(actions, expected.actions, "seed {seed}, {compromises:?}");
            assert_eq!(losses, expected.losses, "seed {seed}, {compromises:?}");
            reached += usize::from(!losses.is_empty());
        }
    }
    assert!(
        (400..3_600).contains(&reached),
        "{reached} of 4,000 lose something"
    );
}

/// As the oracle counts: so many people of each role.
fn start(compromises: &[Compromise]) -> Start {
    let mut start = Start::default();
    let mut people: BTreeMap<RoleId, u32> = BTreeMap::new();
    for &compromise in compromises {
        match compromise {
            Compromise::Holding(holding) => {
                start.holdings.insert(holding);
            }
            Compromise::Deceived { role, count } => {
                people.insert(role, count);
            }
            Compromise::NoticesUnread => start.unread = true,
        }
    }
    start.people = people;
    start
}

#[test]
fn the_family_is_what_it_says() {
    let procedure = ours::procedure(&family::text(Shape::USUAL, 1_000, 1)).unwrap();
    let rules = Rules::of(&procedure);
    let paths: Vec<_> = procedure
        .actions
        .iter()
        .flat_map(|action| &action.paths)
        .collect();
    assert!((480..=520).contains(&rules.primitives.len()));
    assert!((2_500..=2_800).contains(&paths.len()));
    assert!(paths.iter().all(|path| path.lines.len() <= 8));
}

#[test]
fn a_hard_member_is_a_hitting_set() {
    let procedure = ours::procedure(&hard::hitting_sets(8, 6, 1)).unwrap();
    let found = attacks(&procedure, &[ON], 4, Limits::default());
    assert_eq!(found.names, naive::attacks(&procedure, &[ON], 4));
    let procedure = ours::procedure(&hard::threshold(3, 6)).unwrap();
    let found = attacks(&procedure, &[ON], 4, Limits::default());
    assert_eq!(found.sets.len(), 20);
}
