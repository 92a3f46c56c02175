//! A promise that is proved kept is kept by the gate: a random adversary finds no way round it.
//!
//! `COUNTERSIGN_STEPS=1000000` tries so many commands at each promise, `COUNTERSIGN_RANDOM=100000` more procedures.

#![expect(
    clippy::disallowed_methods,
    clippy::panic,
    reason = "helpers of a test fail it; a knob for how many commands"
)]

use countersign_language::{Claim, Procedure};
use countersign_prover::check;
use countersign_testkit::adversary::{Tried, attack};
use countersign_testkit::world::runnable;
use countersign_testkit::{naive, without_drills};

const SHIPPED: [(&str, &str); 4] = [
    (
        "hosting",
        include_str!("../../../procedures/hosting.procedure"),
    ),
    (
        "registrar",
        include_str!("../../../procedures/registrar.procedure"),
    ),
    ("shop", include_str!("../../../procedures/shop.procedure")),
    (
        "telecom",
        include_str!("../../../procedures/telecom.procedure"),
    ),
];

fn steps() -> u64 {
    let given = std::env::var("COUNTERSIGN_STEPS").ok();
    given
        .and_then(|steps| steps.parse().ok())
        .unwrap_or(100_000)
}

fn read(text: &str) -> Procedure {
    let reading = countersign_language::read(text);
    reading
        .procedure
        .unwrap_or_else(|| panic!("{:#?}", reading.diagnostics))
}

/// Attacks every `never` promise of a procedure; by the promise's text.
fn besiege(procedure: &Procedure, steps: u64) -> Vec<(bool, String, Tried)> {
    let verdicts = check(procedure);
    let mut all = Vec::new();
    for (number, (promise, verdict)) in (0..).zip(procedure.promises.iter().zip(verdicts)) {
        if let Claim::Never { even_if, targets } = &promise.claim {
            let tried = attack(procedure, even_if, targets, number, steps);
            all.push((verdict.kept, promise.text.clone(), tried));
        }
    }
    all
}

fn keeps(name: &str, text: &str) {
    let all = besiege(&read(text), steps());
    assert!(!all.is_empty(), "{name} promises nothing of the kind");
    for (kept, promise, tried) in all {
        assert!(kept, "{name}: {promise}");
        assert_eq!(tried.breach, None, "{name}: {promise}: {tried:?}");
        // Who has nothing to prove can do little but open cases, one for each action at a time.
        assert!(
            tried.accepted > tried.steps / 40,
            "{name}: the adversary gets nowhere: {tried:?}"
        );
    }
}

#[test]
fn hosting_keeps_its_promises_whatever_is_tried() {
    keeps("hosting", SHIPPED[0].1);
}

#[test]
fn registrar_keeps_its_promises_whatever_is_tried() {
    keeps("registrar", SHIPPED[1].1);
}

#[test]
fn shop_keeps_its_promises_whatever_is_tried() {
    keeps("shop", SHIPPED[2].1);
}

#[test]
fn telecom_keeps_its_promises_whatever_is_tried() {
    keeps("telecom", SHIPPED[3].1);
}

/// The incidents of the museum: what was practised falls, and what is repaired stands.
#[test]
fn the_museum_falls_where_it_fell_and_stands_where_it_is_repaired() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../procedures/museum");
    let (mut stand, mut fell, mut missed) = (0, 0, Vec::new());
    for entry in std::fs::read_dir(folder).expect("the folder is there") {
        let file = entry.expect("it can be read").path();
        let text = std::fs::read_to_string(&file).expect("it can be read");
        for (kept, promise, tried) in besiege(&runnable(read(&text)), steps() / 20) {
            match (kept, tried.breach.is_some()) {
                (true, true) => panic!("{}: {promise}: {tried:#?}", file.display()),
                (true, false) => stand += 1,
                (false, true) => fell += 1,
                (false, false) => missed.push((file.clone(), promise, tried)),
            }
        }
    }
    assert!(stand > 20 && fell > 10, "{stand} {fell}");
    assert!(missed.len() * 10 < fell, "{fell} {missed:#?}");
}

/// Made procedures have everything in them, and most of it makes no sense: what is proved kept is kept all the
/// same, and much of what is proved broken is broken by chance within one world.
#[test]
fn random_procedures_keep_what_is_proved() {
    let given = std::env::var("COUNTERSIGN_RANDOM").ok();
    let count = given.and_then(|count| count.parse().ok()).unwrap_or(60);
    let (mut kept, mut found, mut missed, mut stopped) = (0, 0, 0, 0);
    for seed in 0..count {
        let procedure = runnable(naive::procedure(seed));
        for (number, (is_kept, promise, tried)) in (0..).zip(besiege(&procedure, 2_500)) {
            stopped += tried.stopped;
            match (is_kept, tried.breach.is_some()) {
                (true, true) => panic!("seed {seed}, promise {number} `{promise}`: {tried:#?}"),
                (true, false) => kept += 1,
                (false, true) => found += 1,
                (false, false) => missed += 1,
            }
        }
    }
    let all = (kept, found, missed, stopped);
    assert!(kept > 40 && found * 2 > missed && stopped > 40, "{all:?}");
}

/// The same adversary, in a quarter of the commands, finds the way where there is one: each of these weakens one line.
#[test]
fn a_broken_promise_is_found_out() {
    // Without its sign-off there is nobody left to drill.
    let hosting = &without_drills(SHIPPED[0].1);
    let weakened = [
        ("prove pin and mail_code settled 7d", "prove mail_code"),
        ("    sign-off 1 senior\n", ""),
        ("    notify every channel\n    wait 24h\n", ""),
        ("settled 7d", ""),
        (
            "even if 1 senior deceived",
            "even if 1 senior deceived and 1 secrets stolen and 1 devices taken",
        ),
        (
            "even if mailbox hijacked and any agent deceived",
            "even if mailbox hijacked and pin stolen and phone taken",
        ),
    ];
    let mut found = 0;
    for (from, to) in weakened {
        assert!(hosting.contains(from), "{from}");
        let procedure = read(&hosting.replacen(from, to, 1));
        for (kept, promise, tried) in besiege(&procedure, steps() / 4) {
            assert_eq!(
                tried.breach.is_none(),
                kept,
                "with {to:?} for {from:?}: {promise}: {tried:?}"
            );
            found += usize::from(!kept);
        }
    }
    assert!(found >= 2, "{found}");
    let text = "organisation \"A\"\nstaff agent \"agent\"\nsecret pin \"PIN\" using pin\nchannel mail \"mail\"\nproof code \"code\" shows mail using mail\nloss all \"everything\"\n\
        action mail.change \"Change it\" { changes mail runs panel path usual { prove pin wait 1h } }\n\
        action give \"Give it away\" { loses all runs panel path usual { prove code settled 2d  sign-off 1 agent } }\n\
        promise \"With time\" { even if pin stolen and notices unread and 1 agent deceived never all }\n\
        promise \"Somebody reads\" { even if pin stolen and 1 agent deceived never all }\n\
        promise \"Nobody signs\" { even if pin stolen and notices unread never all }\n";
    let all = besiege(&read(text), steps() / 4);
    let breached: Vec<bool> = all
        .iter()
        .map(|(_, _, tried)| tried.breach.is_some())
        .collect();
    assert_eq!(breached, [true, false, false], "{all:#?}");
    let proved: Vec<bool> = all.iter().map(|(kept, _, _)| !kept).collect();
    assert_eq!(breached, proved);
}
