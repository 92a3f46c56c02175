//! The prover and the naive oracle answer alike, on small random procedures with everything in them.
//!
//! `COUNTERSIGN_RANDOM=100000` asks more of them.

#![expect(
    clippy::cast_possible_truncation,
    clippy::disallowed_methods,
    reason = "small procedures, and a knob for how many of them"
)]

use countersign_language::{
    ActionId, Claim, Exposure, HoldingId, HoldingKind, LossId, Procedure, RoleId, Target,
};
use countersign_prover::{
    Compromise, Limits, Reacher, System, attacks, certificate, cheapest, check, lockout, names,
    reach,
};
use countersign_testkit::naive::{self, Dice, Start};

fn seeds() -> std::ops::Range<u64> {
    let count = std::env::var("COUNTERSIGN_RANDOM")
        .ok()
        .and_then(|count| count.parse().ok())
        .unwrap_or(1_000);
    0..count
}

fn targets(procedure: &Procedure) -> Vec<Target> {
    let losses = (0..procedure.losses.len()).map(|at| Target::Loss(LossId(at as u32)));
    let actions = (0..procedure.actions.len()).map(|at| Target::Action(ActionId(at as u32)));
    losses.chain(actions).collect()
}

#[test]
fn attacks_are_the_same() {
    let mut listed = [0_usize; 5];
    for seed in seeds() {
        let procedure = naive::procedure(seed);
        let at_most = if seed % 8 == 0 { 4 } else { 3 };
        for target in targets(&procedure).into_iter().take(2) {
            let ours = attacks(&procedure, &[target], at_most, Limits::default());
            assert!(ours.complete(), "seed {seed}");
            assert_eq!(
                ours.names,
                naive::attacks(&procedure, &[target], at_most),
                "seed {seed}, {target:?}"
            );
            for set in &ours.sets {
                listed[set
                    .iter()
                    .map(|compromise| compromise.size())
                    .sum::<usize>()] += 1;
            }
        }
    }
    assert!(
        listed.iter().all(|&count| count > 20),
        "the generator asks too little: {listed:?}"
    );
}

#[test]
fn the_cheapest_attack_is_the_same() {
    let (mut compared, mut none) = (0, 0);
    for seed in seeds() {
        let procedure = naive::procedure(seed);
        // What one of each kind costs, by its name, from 3 to 9; a set of four costs at least 12.
        let of_name = |name: &str| {
            let letters = name
                .bytes()
                .fold(seed, |sum, byte| sum.wrapping_mul(31) + u64::from(byte));
            3 + Dice(letters).below(7) as u64
        };
        let price = |compromise: Compromise| of_name(&compromise.name(&procedure));
        let of_set = |set: &Vec<String>| -> u64 {
            let each = set.iter().map(|name| match name.split_once(' ') {
                Some((count, one)) if count.parse::<u64>().is_ok() => {
                    count.parse::<u64>().expect("a number") * of_name(one)
                }
                _ => of_name(name),
            });
            each.sum()
        };
        for target in targets(&procedure).into_iter().take(2) {
            let expected = naive::attacks(&procedure, &[target], 3)
                .iter()
                .map(of_set)
                .min();
            let ours = cheapest(&procedure, &[target], price);
            let Some(ours) = ours else {
                assert_eq!(expected, None, "seed {seed}, {target:?}");
                none += 1;
                continue;
            };
            assert!(
                ours.proved && ours.at_least == ours.price,
                "seed {seed}: not proved"
            );
            assert_eq!(
                of_set(&ours.attack.set),
                ours.price,
                "seed {seed}, {target:?}"
            );
            match expected {
                Some(expected) if expected <= 12 => {
                    assert_eq!(
                        ours.price, expected,
                        "seed {seed}, {target:?}: {:?}",
                        ours.attack.set
                    );
                    compared += 1;
                }
                _ => assert!(
                    ours.price >= 12 && expected.is_none_or(|expected| ours.price <= expected),
                    "seed {seed}, {target:?}"
                ),
            }
        }
    }
    assert!(
        compared > 300 && none > 20,
        "the generator asks too little: {compared} {none}"
    );
}

#[test]
fn verdicts_are_the_same_and_their_certificates_hold() {
    let (mut kept, mut broken) = ([0; 2], [0; 2]);
    for seed in seeds() {
        let procedure = naive::procedure(seed);
        for (promise, verdict) in procedure.promises.iter().zip(check(&procedure)) {
            match &promise.claim {
                Claim::Never { even_if, targets } => {
                    let expected = naive::never(&procedure, even_if, targets);
                    assert_eq!(
                        verdict.kept,
                        expected.is_none(),
                        "seed {seed}, {verdict:#?}"
                    );
                    assert_eq!(verdict.attack.is_some(), expected.is_some(), "seed {seed}");
                    if let (Some(size), Some(attack)) = (expected, &verdict.attack) {
                        let ours: usize = attack
                            .compromises
                            .iter()
                            .map(|compromise| compromise.size())
                            .sum();
                        assert_eq!(ours, size, "seed {seed}: not the cheapest: {attack:#?}");
                    }
                    if verdict.kept {
                        kept[0] += 1;
                    } else {
                        broken[0] += 1;
                    }
                }
                Claim::Always {
                    without,
                    action,
                    within,
                } => {
                    let Some(expected) = naive::always(&procedure, without, *action) else {
                        continue;
                    };
                    let limit = within.map_or(u64::MAX, countersign_language::Duration::seconds);
                    assert_eq!(
                        verdict.kept,
                        expected.is_some_and(|time| time <= limit),
                        "seed {seed}, {verdict:#?}"
                    );
                    assert_eq!(
                        verdict.way.as_ref().map(|way| way.seconds),
                        expected,
                        "seed {seed}, {verdict:#?}"
                    );
                    assert!(
                        verdict.kept || !verdict.missing.is_empty(),
                        "seed {seed}: nothing is said to be missing"
                    );
                    if verdict.kept {
                        kept[1] += 1;
                    } else {
                        broken[1] += 1;
                    }
                }
            }
            let checked = certificate::check(
                &procedure,
                verdict.promise,
                verdict.kept,
                &verdict.certificate,
            );
            assert_eq!(checked, Ok(()), "seed {seed}, {verdict:#?}");
            let reversed = certificate::check(
                &procedure,
                verdict.promise,
                !verdict.kept,
                &verdict.certificate,
            );
            assert!(
                reversed.is_err(),
                "seed {seed}: the same certificate proves the opposite"
            );
        }
    }
    assert!(
        kept.iter().chain(&broken).all(|&count| count > 50),
        "the generator asks too little: {kept:?} {broken:?}"
    );
}

#[test]
fn reach_is_the_same() {
    for seed in seeds() {
        let procedure = naive::procedure(seed);
        let mut dice = Dice(seed ^ 0xACE);
        let system = System::compile(&procedure);
        let mut reacher = Reacher::new(&system);
        for _ in 0..4 {
            let mut start = Start::default();
            let mut with = Vec::new();
            for (at, holding) in procedure.holdings.iter().enumerate() {
                if holding.kind != HoldingKind::State && dice.chance(35) {
                    start.holdings.insert(HoldingId(at as u32));
                    with.push(Compromise::Holding(HoldingId(at as u32)));
                }
            }
            for at in 0..procedure.roles.len() {
                let count = dice.below(3) as u32;
                if count > 0 {
                    start.people.insert(RoleId(at as u32), count);
                    with.push(Compromise::Deceived {
                        role: RoleId(at as u32),
                        count,
                    });
                }
            }
            if dice.chance(30) {
                start.unread = true;
                with.push(Compromise::NoticesUnread);
            }
            assert_eq!(names(&procedure, &with), start.names(&procedure));
            let facts = naive::thief(&procedure, &start);
            let ours = reach(&procedure, &with);
            reacher.ask(&system, &with);
            assert_eq!(reacher.answer(&system, &with), ours, "seed {seed}");
            let actions: Vec<ActionId> = ours.actions.iter().map(|&(action, _)| action).collect();
            assert_eq!(
                actions,
                facts.actions.into_iter().collect::<Vec<_>>(),
                "seed {seed}"
            );
            assert_eq!(
                ours.losses,
                facts.losses.into_iter().collect::<Vec<_>>(),
                "seed {seed}"
            );
            assert_eq!(
                ours.new,
                facts.new.into_iter().collect::<Vec<_>>(),
                "seed {seed}"
            );
            let own: Vec<HoldingId> = facts
                .own
                .into_iter()
                .filter(|id| !start.holdings.contains(id))
                .collect();
            assert_eq!(ours.own, own, "seed {seed}");
        }
    }
}

#[test]
fn lockout_is_the_same() {
    for seed in seeds().step_by(4) {
        let procedure = naive::procedure(seed);
        let mut dice = Dice(seed ^ 0xF00D);
        let without: Vec<HoldingId> = (0..procedure.holdings.len() as u32)
            .map(HoldingId)
            .filter(|_| dice.chance(40))
            .collect();
        for access in lockout(&procedure, &without).actions {
            let Some(expected) = naive::always(&procedure, &without, access.action) else {
                continue;
            };
            assert_eq!(
                access.way.as_ref().map(|way| way.seconds),
                expected,
                "seed {seed}, {access:#?}"
            );
            assert_eq!(
                access.missing.is_empty(),
                access.way.is_some(),
                "seed {seed}"
            );
        }
    }
}

#[test]
fn every_set_explains_itself_and_loses_nothing_when_public_things_are_known() {
    for seed in seeds().step_by(3) {
        let procedure = naive::procedure(seed);
        let system = System::compile(&procedure);
        for target in targets(&procedure).into_iter().take(2) {
            for set in attacks(&procedure, &[target], 3, Limits::default()).sets {
                let attack = system
                    .explain(&procedure, &set, &[target])
                    .expect("a listed set is an attack");
                assert_eq!(attack.compromises, set);
                for compromise in &set {
                    if let Compromise::Holding(id) = compromise {
                        assert_ne!(procedure.holdings[id.index()].exposure, Exposure::Public);
                    }
                }
            }
        }
    }
}
