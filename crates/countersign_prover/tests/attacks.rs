//! `attacks` on procedures too large for the naive oracle: nothing listed is idle, nothing is missing,
//! and what must explode stops at its limit.

#![expect(
    clippy::cast_possible_truncation,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "small procedures and their numbers; a generator that writes nonsense must say what"
)]

use std::{collections::BTreeSet, fmt::Write as _};

use countersign_language::{HoldingId, HoldingKind, LossId, Procedure, RoleId, Target, read};
use countersign_prover::{Attacks, Compromise, Limits, Reacher, System, attacks, names, reach};
use countersign_testkit::naive::{self, Dice};

const RUIN: Target = Target::Loss(LossId(0));

/// A procedure of so many actions: resets, cycles, thresholds, roles of which some include others, notices and waits.
fn procedure(seed: u64, actions: usize) -> Procedure {
    let mut dice = Dice(seed);
    let holdings = actions / 3;
    let mut text = String::from(
        "organisation \"Random\"\nstaff r0 \"role 0\"\nstaff r1 \"role 1\" includes r0\nstaff r2 \"role 2\"\n",
    );
    for at in 0..holdings {
        if at.is_multiple_of(3) {
            let _ = writeln!(
                text,
                "channel h{at} \"channel {at}\"\nproof p{at} \"code {at}\" shows h{at} using mail"
            );
        } else {
            let _ = writeln!(text, "secret p{at} \"secret {at}\" using pin");
        }
    }
    for at in 0..actions {
        let _ = writeln!(text, "state s{at} \"state {at}\"");
    }
    text.push_str("loss ruin \"everything\"\n");
    for at in 0..actions {
        let _ = writeln!(
            text,
            "action a{at} \"Action {at}\" {{\n  runs panel\n  gives s{at}"
        );
        if dice.chance(15) {
            let again = dice.below(holdings);
            let what = if again.is_multiple_of(3) { 'h' } else { 'p' };
            let _ = writeln!(text, "  gives {what}{again}");
        }
        if at + 2 >= actions {
            text.push_str("  loses ruin\n");
        }
        let thing = |dice: &mut Dice| {
            if at == 0 || dice.chance(35) {
                format!("p{}", dice.below(holdings))
            } else if dice.chance(10) {
                format!("s{}", dice.below(actions))
            } else {
                format!("s{}", at.saturating_sub(1 + dice.below(8)))
            }
        };
        for path in 0..=dice.below(2) {
            let _ = writeln!(text, "  path w{path} {{");
            for _ in 0..=dice.below(2) {
                let line = thing(&mut dice);
                let _ = writeln!(text, "    prove {line}");
            }
            if dice.chance(20) {
                let of: BTreeSet<String> = (0..4).map(|_| thing(&mut dice)).collect();
                if of.len() > 2 {
                    let of: Vec<String> = of.into_iter().collect();
                    let _ = writeln!(text, "    prove 2 of ({})", of.join(", "));
                }
            }
            if dice.chance(25) {
                let (count, role) = (1 + dice.below(2), dice.below(3));
                let _ = writeln!(text, "    sign-off {count} r{role}");
            }
            if dice.chance(15) {
                let channel = dice.below(holdings.div_ceil(3)) * 3;
                let _ = writeln!(text, "    notify h{channel}\n    wait 24h");
            }
            text.push_str("  }\n");
        }
        text.push_str("}\n");
    }
    let reading = read(&text);
    reading
        .procedure
        .unwrap_or_else(|| panic!("{:#?}\n{text}", reading.diagnostics))
}

/// Everything a thief can have, each person as one.
fn units(procedure: &Procedure) -> Vec<Compromise> {
    let holdings = (0..procedure.holdings.len())
        .filter(|&at| procedure.holdings[at].kind != HoldingKind::State)
        .map(|at| Compromise::Holding(HoldingId(at as u32)));
    let people = (0..procedure.roles.len()).flat_map(|at| {
        (0..4).map(move |_| Compromise::Deceived {
            role: RoleId(at as u32),
            count: 1,
        })
    });
    holdings
        .chain(people)
        .chain([Compromise::NoticesUnread])
        .collect()
}

/// Units as one set: people of one role counted.
fn set_of(units: &[Compromise]) -> Vec<Compromise> {
    let mut set: Vec<Compromise> = Vec::new();
    for &unit in units {
        if let Compromise::Deceived { role, .. } = unit {
            let same = set.iter_mut().find_map(|one| match one {
                Compromise::Deceived { role: other, count } if *other == role => Some(count),
                _ => None,
            });
            if let Some(count) = same {
                *count += 1;
                continue;
            }
        }
        set.push(unit);
    }
    set.sort_unstable();
    set
}

fn units_of(set: &[Compromise]) -> Vec<Compromise> {
    set.iter()
        .flat_map(|&one| {
            let (one, count) = match one {
                Compromise::Deceived { role, count } => {
                    (Compromise::Deceived { role, count: 1 }, count)
                }
                other => (other, 1),
            };
            (0..count).map(move |_| one)
        })
        .collect()
}

fn size(set: &[Compromise]) -> usize {
    set.iter().map(|one| one.size()).sum()
}

/// Asks one compiled system with closures alone.
struct Asker {
    system: System,
    reacher: Reacher,
}

impl Asker {
    fn new(procedure: &Procedure) -> Self {
        let system = System::compile(procedure);
        let reacher = Reacher::new(&system);
        Self { system, reacher }
    }

    fn reaches(&mut self, units: &[Compromise]) -> bool {
        self.reacher.ask(&self.system, &set_of(units));
        self.reacher.reached(&self.system, RUIN)
    }
}

/// Every listed set reaches the loss, and without any one member it does not.
fn all_minimal(procedure: &Procedure, found: &Attacks) {
    let mut asker = Asker::new(procedure);
    for set in &found.sets {
        let units = units_of(set);
        assert!(asker.reaches(&units), "{:?}", names(procedure, set));
        for at in 0..units.len() {
            let mut fewer = units.clone();
            fewer.remove(at);
            assert!(
                !asker.reaches(&fewer),
                "{:?} is not minimal",
                names(procedure, set)
            );
        }
    }
    let unique: BTreeSet<_> = found.sets.iter().collect();
    assert_eq!(unique.len(), found.sets.len(), "a set is listed twice");
}

#[test]
fn every_set_up_to_four_is_listed_if_it_is_minimal_and_only_then() {
    let mut listed = [0_usize; 5];
    for seed in 0..30 {
        let procedure = procedure(seed, 24);
        let found = attacks(&procedure, &[RUIN], 4, Limits::default());
        assert!(found.complete());
        let mut asker = Asker::new(&procedure);
        let units = units(&procedure);
        let mut minimal: BTreeSet<Vec<Compromise>> = BTreeSet::new();
        for (size, listed) in listed.iter_mut().enumerate() {
            let mut chosen = Vec::new();
            let mut of_size = BTreeSet::new();
            every(&units, size, 0, &mut chosen, &mut |set| {
                if asker.reaches(set) {
                    let known = (0..set.len()).any(|at| {
                        let mut fewer = set.to_vec();
                        fewer.remove(at);
                        asker.reaches(&fewer)
                    });
                    if !known {
                        of_size.insert(set_of(set));
                    }
                }
            });
            *listed += of_size.len();
            minimal.extend(of_size);
        }
        let ours: BTreeSet<Vec<Compromise>> = found.sets.iter().cloned().collect();
        assert_eq!(ours, minimal, "seed {seed}");
        assert_eq!(ours.len(), found.sets.len(), "seed {seed}: a set twice");
    }
    assert!(listed[2..].iter().all(|&count| count > 20), "{listed:?}");
}

/// Every choice of so many of these from the `from`th on.
fn every(
    units: &[Compromise],
    size: usize,
    from: usize,
    chosen: &mut Vec<Compromise>,
    each: &mut dyn FnMut(&[Compromise]),
) {
    if size == 0 {
        each(chosen);
        return;
    }
    for next in from..units.len() {
        chosen.push(units[next]);
        every(units, size - 1, next + 1, chosen, each);
        chosen.pop();
    }
}

#[test]
fn whatever_a_large_set_shrinks_to_is_listed() {
    let mut small = 0;
    for seed in 0..4 {
        let procedure = procedure(1_000 + seed, 150);
        let found = attacks(&procedure, &[RUIN], 4, Limits::default());
        assert!(found.complete());
        all_minimal(&procedure, &found);
        let ours: BTreeSet<&Vec<Compromise>> = found.sets.iter().collect();
        let mut asker = Asker::new(&procedure);
        let mut dice = Dice(seed);
        for _ in 0..60 {
            let mut left = units(&procedure);
            // In a random order, but people and notices go first half of the time: they hide what holdings can do.
            let mut order: Vec<Compromise> = Vec::new();
            while !left.is_empty() {
                order.push(left.swap_remove(dice.below(left.len())));
            }
            if dice.chance(50) {
                order.sort_by_key(|unit| matches!(unit, Compromise::Holding(_)));
            }
            let mut set = order.clone();
            for unit in order {
                let mut fewer = set.clone();
                let place = fewer.iter().position(|&one| one == unit);
                fewer.remove(place.expect("it is there"));
                if asker.reaches(&fewer) {
                    set = fewer;
                }
            }
            let set = set_of(&set);
            if size(&set) <= 4 {
                small += 1;
                assert!(
                    ours.contains(&set),
                    "seed {seed}: {:?}",
                    names(&procedure, &set)
                );
            }
        }
    }
    assert!(small > 30, "too few small sets were met: {small}");
}

#[test]
fn a_threshold_stops_at_the_limit_and_says_how_far_it_is_complete() {
    let mut text = String::from("organisation \"Vault\"\nloss ruin \"everything\"\n");
    for at in 0..40 {
        let _ = writeln!(text, "secret k{at} \"key {at}\" using pin");
    }
    let keys: Vec<String> = (0..40).map(|at| format!("k{at}")).collect();
    let _ = write!(
        text,
        "action open \"Open\" {{\n  runs panel\n  loses ruin\n  path all {{\n    prove 4 of ({})\n  }}\n  path short {{\n    prove k0\n    prove k1\n  }}\n}}\n",
        keys.join(", ")
    );
    let procedure = read(&text).procedure.expect("a valid procedure");
    for limits in [
        Limits {
            sets: 500,
            ..Limits::default()
        },
        Limits {
            tried: 4_000,
            ..Limits::default()
        },
        Limits {
            candidates: 20_000,
            ..Limits::default()
        },
    ] {
        let found = attacks(&procedure, &[RUIN], 4, limits);
        assert!(!found.complete());
        assert!((1..4).contains(&found.complete_to), "{}", found.complete_to);
        assert!(found.sets.len() < 10_000);
        assert!(
            found.sets.contains(&vec![
                Compromise::Holding(HoldingId(0)),
                Compromise::Holding(HoldingId(1)),
            ]),
            "what is complete is listed"
        );
        all_minimal(&procedure, &found);
    }
    let pairs = attacks(&procedure, &[RUIN], 3, Limits::default());
    assert!(pairs.complete() && pairs.sets.len() == 1);
    let vast = attacks(
        &procedure,
        &[RUIN],
        1_000_000,
        Limits {
            sets: 200,
            candidates: 200_000,
            ..Limits::default()
        },
    );
    assert!(!vast.complete() && vast.complete_to < 5);
}

/// One action that so many roles sign, each with the roles that include it.
fn signed(roles: usize, includes: impl Fn(usize) -> Vec<usize>) -> Procedure {
    let mut text = String::from(
        "organisation \"Council\"\nloss ruin \"everything\"\nsecret k \"key\" using pin\n",
    );
    for at in 0..2 * roles {
        let _ = write!(text, "staff r{at} \"role {at}\"");
        let of: Vec<String> = includes(at).iter().map(|of| format!("r{of}")).collect();
        if !of.is_empty() {
            let _ = write!(text, " includes {}", of.join(", "));
        }
        text.push('\n');
    }
    text.push_str("action do \"Do\" {\n  runs panel\n  loses ruin\n  path w {\n    prove k\n");
    for at in 0..roles {
        let _ = writeln!(text, "    sign-off 1 r{at}");
    }
    text.push_str("  }\n}\n");
    let reading = read(&text);
    reading
        .procedure
        .unwrap_or_else(|| panic!("{:#?}\n{text}", reading.diagnostics))
}

#[test]
fn a_path_that_twenty_roles_sign_is_decided_at_once_where_roles_form_a_tree() {
    // Role 20 may stand in for everybody, role 21 for the first ten.
    let procedure = signed(20, |at| match at {
        20 => (0..20).chain([21]).collect(),
        21 => (0..10).collect(),
        _ => Vec::new(),
    });
    let mut asker = Asker::new(&procedure);
    let person = |role: u32, count| Compromise::Deceived {
        role: RoleId(role),
        count,
    };
    let key = Compromise::Holding(HoldingId(0));
    let mut reaches = |of_21: u32, of_20: u32, others: std::ops::Range<u32>| {
        let mut set = vec![key, person(21, of_21), person(20, of_20)];
        set.extend(others.map(|role| person(role, 1)));
        asker.reacher.ask(&asker.system, &set);
        asker.reacher.reached(&asker.system, RUIN)
    };
    assert!(reaches(10, 10, 0..0));
    assert!(
        !reaches(11, 9, 0..0),
        "role 21 cannot stand in for the last ten"
    );
    assert!(reaches(4, 3, 6..19));
    assert!(!reaches(4, 2, 6..19));
    let found = attacks(&procedure, &[RUIN], 4, Limits::default());
    assert!(found.complete() && found.sets.is_empty());
}

#[test]
fn a_path_too_tangled_to_write_down_is_not_passed_over_in_silence() {
    // Twelve roles sign; each of twelve others may stand in for two neighbours in a ring.
    let ring = signed(12, |at| match at {
        12..24 => vec![at - 12, (at - 11) % 12],
        _ => Vec::new(),
    });
    let small = attacks(&ring, &[RUIN], 11, Limits::default());
    assert!(small.complete() && small.sets.is_empty());
    let large = attacks(&ring, &[RUIN], 13, Limits::default());
    assert!(!large.complete());
    assert_eq!(large.complete_to, 11);
    let person = |role: u32, count| Compromise::Deceived {
        role: RoleId(role),
        count,
    };
    let mut with = vec![Compromise::Holding(HoldingId(0))];
    with.extend((12..24).map(|role| person(role, 1)));
    assert_eq!(reach(&ring, &with).losses.len(), 1);
    // Without those who may stand in for role 0, a crowd is of no use.
    with.retain(|one| *one != person(12, 1) && *one != person(23, 1));
    with.push(person(22, 9));
    assert!(reach(&ring, &with).losses.is_empty());
}

#[test]
fn people_fill_slots_as_the_naive_oracle_lets_them() {
    let (mut yes, mut no) = (0, 0);
    for seed in 0..60 {
        let mut dice = Dice(seed);
        // Only the upper half includes others, of the lower half, so that nothing goes in circles.
        let includes: Vec<Vec<usize>> = (0..10)
            .map(|at| match at {
                5.. => (0..5).filter(|_| dice.chance(45)).collect(),
                _ => Vec::new(),
            })
            .collect();
        let procedure = signed(5, |at| includes[at].clone());
        let mut asker = Asker::new(&procedure);
        for _ in 0..20 {
            let mut start = naive::Start::default();
            start.holdings.insert(HoldingId(0));
            let mut set = vec![Compromise::Holding(HoldingId(0))];
            for role in (0..10).map(RoleId) {
                let count = dice.below(3) as u32;
                if count > 0 && dice.chance(60) {
                    start.people.insert(role, count);
                    set.push(Compromise::Deceived { role, count });
                }
            }
            let expected = naive::thief(&procedure, &start).reached(RUIN);
            asker.reacher.ask(&asker.system, &set);
            assert_eq!(
                asker.reacher.reached(&asker.system, RUIN),
                expected,
                "seed {seed}, {set:?}"
            );
            if expected {
                yes += 1;
            } else {
                no += 1;
            }
        }
    }
    assert!(yes > 100 && no > 100, "{yes} {no}");
}
