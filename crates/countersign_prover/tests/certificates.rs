//! A certificate survives its JSON, and one that has lost anything it needs proves nothing.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "helpers of a test fail it"
)]

use std::cmp::Reverse;

use countersign_language::{Assumption, Claim, HoldingId, Procedure, Target};
use countersign_prover::{
    Limits, Verdict, attacks,
    certificate::{self, Certificate, Element, Malformed},
    check, json, lockout, reach, repair,
};
use countersign_testkit::naive::{self, Start};

fn design() -> Procedure {
    countersign_language::read(include_str!("models/design.procedure"))
        .procedure
        .expect("valid")
}

fn proves(procedure: &Procedure, verdict: &Verdict, certificate: &Certificate) -> bool {
    certificate::check(procedure, verdict.promise, verdict.kept, certificate).is_ok()
}

/// Whether these elements are still a block, as the naive oracle sees it: then one more was not needed.
fn idle(procedure: &Procedure, verdict: &Verdict, of: &[Element]) -> bool {
    let Claim::Never { even_if, targets } = &procedure.promises[verdict.promise].claim else {
        return true;
    };
    let mut start = Start::default();
    for assumption in even_if {
        match *assumption {
            Assumption::Holding(holding) => {
                start.holdings.insert(holding);
            }
            Assumption::AnyOfKind { kind, .. } => {
                let ids = (0_u32..).map(HoldingId).zip(&procedure.holdings);
                let kind = ids.filter(|(id, holding)| {
                    holding.kind == kind && !of.contains(&Element::Holding(*id))
                });
                start.holdings.extend(kind.map(|(id, _)| id));
            }
            Assumption::Deceived { count, role } => *start.people.entry(role).or_default() += count,
            Assumption::AnyDeceived(role) => *start.people.entry(role).or_default() += 1_000,
            Assumption::NoticesUnread => start.unread = true,
        }
    }
    let facts = naive::thief(procedure, &start);
    !targets.iter().any(|&target| facts.reached(target))
}

#[test]
fn certificates_survive_their_json() {
    for seed in 0..400 {
        let procedure = naive::procedure(seed);
        let written = certificate::write(&procedure, &check(&procedure)).to_string();
        let read = serde_json::from_str(&written).expect("JSON");
        let checked = certificate::check_all(&procedure, &read)
            .unwrap_or_else(|fault| panic!("seed {seed}: {fault}"));
        assert_eq!(checked.len(), procedure.promises.len());
    }
}

#[test]
fn a_certificate_is_for_one_version_only() {
    let procedure = design();
    let written = certificate::write(&procedure, &check(&procedure));
    assert!(certificate::check_all(&procedure, &written).is_ok());
    let other = include_str!("models/design.procedure").replace("settled 7d", "settled 6d");
    let other = countersign_language::read(&other).procedure.expect("valid");
    assert_eq!(
        certificate::check_all(&other, &written),
        Err(Malformed::OtherProcedure)
    );
}

#[test]
fn nothing_can_be_left_out_of_a_certificate() {
    let (mut members, mut steps, mut elements, mut facts, mut nodes) = (0, 0, 0, 0, 0);
    for seed in 0..2_400 {
        let procedure = naive::procedure(seed);
        for verdict in check(&procedure) {
            match &verdict.certificate {
                Certificate::Attack {
                    set,
                    steps: acts,
                    target,
                } => {
                    for at in 0..set.len() {
                        let mut set = set.clone();
                        set.remove(at);
                        let less = Certificate::Attack {
                            set,
                            steps: acts.clone(),
                            target: *target,
                        };
                        assert!(!proves(&procedure, &verdict, &less), "seed {seed}");
                        members += 1;
                    }
                    for at in 0..acts.len() {
                        let mut acts = acts.clone();
                        acts.remove(at);
                        let less = Certificate::Attack {
                            set: set.clone(),
                            steps: acts,
                            target: *target,
                        };
                        assert!(!proves(&procedure, &verdict, &less), "seed {seed}");
                        steps += 1;
                    }
                }
                Certificate::Way(way) => {
                    for at in 0..way.len() {
                        let mut way = way.clone();
                        way.remove(at);
                        assert!(
                            !proves(&procedure, &verdict, &Certificate::Way(way)),
                            "seed {seed}"
                        );
                        steps += 1;
                    }
                }
                Certificate::Refuted(refutation) => {
                    for block in 0..refutation.blocks.len() {
                        for at in 0..refutation.blocks[block].of.len() {
                            let mut less = refutation.clone();
                            let gone = less.blocks[block].of.remove(at);
                            if idle(&procedure, &verdict, &less.blocks[block].of) {
                                continue;
                            }
                            let less = Certificate::Refuted(less);
                            assert!(
                                !proves(&procedure, &verdict, &less),
                                "seed {seed}, {gone:?}"
                            );
                            elements += 1;
                        }
                        // Some of the facts may not be needed, but not all can go, and never the targets.
                        let mut less = refutation.clone();
                        less.blocks[block].beyond.clear();
                        assert!(
                            !proves(&procedure, &verdict, &Certificate::Refuted(less)),
                            "seed {seed}"
                        );
                        facts += 1;
                    }
                    // A node in the middle may prove nothing that its children do not, but a tree cut short is none.
                    for length in 0..refutation.tree.len() {
                        let mut less = refutation.clone();
                        less.tree.truncate(length);
                        assert!(
                            !proves(&procedure, &verdict, &Certificate::Refuted(less)),
                            "seed {seed}"
                        );
                        nodes += 1;
                    }
                }
                Certificate::Undecided => panic!("seed {seed}: so small a procedure is decided"),
            }
        }
    }
    let tried = [members, steps, elements, facts, nodes];
    assert!(
        tried.iter().all(|&count| count > 100),
        "too little was tried: {tried:?}"
    );
}

#[test]
fn answers_have_the_shapes_of_the_design() {
    let text = include_str!("models/design.procedure");
    let procedure = design();
    let loss = Target::Loss(procedure.loss_named("server_data").expect("a loss"));
    let found = json::attacks(
        &procedure,
        &attacks(&procedure, &[loss], 2, Limits::default()),
    );
    assert_eq!(
        found.to_string(),
        r#"{"on":"server_data","at_most":2,"complete":true,"sets":[["key taken","password stolen"],["password stolen","phone taken"]]}"#
    );
    let broken = text.replace(
        "even if 1 senior deceived",
        "even if 1 senior deceived and 1 secrets stolen and 1 devices taken",
    );
    let procedure = countersign_language::read(&broken)
        .procedure
        .expect("valid");
    let promises = json::promises(&procedure, &check(&procedure), Some(&broken));
    assert_eq!(promises[0]["kept"], false);
    assert_eq!(
        promises[0]["attack"]["set"].as_array().map(Vec::len),
        Some(2)
    );
    let steps = promises[0]["attack"]["steps"].as_array().expect("steps");
    let last = steps.last().expect("a step");
    assert_eq!(last["text"], "server_data is lost");
    let line = usize::try_from(last["line"].as_u64().expect("a line")).expect("small");
    assert!(
        broken
            .lines()
            .nth(line - 1)
            .expect("that line")
            .starts_with("loss server_data")
    );
    assert_eq!(
        promises[1],
        serde_json::json!({ "text": procedure.promises[1].text, "kept": true, "attack": null })
    );

    let phone = procedure.holding_named("phone").expect("phone");
    let out = json::lockout(&procedure, &lockout(&procedure, &[phone]), Some(&broken));
    assert_eq!(out["without"][0], "phone");
    assert_eq!(out["actions"][0]["within"], 0);
    let mailbox = procedure.holding_named("mobile").expect("mobile");
    let got = reach(
        &procedure,
        &[countersign_prover::Compromise::Holding(mailbox)],
    );
    let got = json::reach(&procedure, &got);
    assert_eq!(got["own"], serde_json::json!(["mailbox"]));
    assert_eq!(
        got["actions"][0],
        serde_json::json!({ "action": "mailbox.recover", "path": "text" })
    );
}

#[test]
fn a_repair_is_proved_by_asking_again() {
    let practised = include_str!("../../../procedures/museum/2016-namecheap.practised.procedure");
    let procedure = countersign_language::read(practised)
        .procedure
        .expect("valid");
    let loss = Target::Loss(procedure.loss_named("server_wiped").expect("a loss"));
    let before = attacks(&procedure, &[loss], 3, Limits::default());
    let repairs = repair(&procedure, &[loss], 3, Limits::default());
    assert!(!repairs.is_empty());
    assert!(
        repairs.is_sorted_by_key(|repair| (repair.locks_out.len(), Reverse(repair.ends))),
        "those that end most come first, those that lock a customer out last"
    );
    for repair in &repairs {
        let mended =
            countersign_prover::apply(&procedure, repair.action, repair.path, &repair.change)
                .expect("applies");
        assert_eq!(
            attacks(&mended, &[loss], 3, Limits::default()).names,
            repair.left
        );
        assert!(repair.ends > 0 && repair.ends <= before.sets.len());
        let gone = before
            .names
            .iter()
            .filter(|set| !repair.left.contains(set))
            .count();
        assert_eq!(gone, repair.ends, "{}", repair.text);
    }
    let skipped = repairs
        .iter()
        .find(|repair| repair.text.contains("as_practised"))
        .expect("the path that was abused");
    assert!(
        !skipped.left.contains(&vec![
            "agent deceived".to_owned(),
            "mailbox hijacked".to_owned()
        ]),
        "{skipped:#?}"
    );
    let shown = json::repairs(&procedure, &repairs, None);
    assert_eq!(shown.as_array().map(Vec::len), Some(repairs.len()));
}
