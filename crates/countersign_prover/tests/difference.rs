//! What `diff` calls weaker is weaker: proved on random procedures by the naive oracle.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "helpers of tests, on texts and procedures written here"
)]

use countersign_language::{
    ActionId, Diagnostic, LossId, PathId, Procedure, ProofId, Target, read,
};
use countersign_prover::{Change, Diff, Limits, apply, diff};
use countersign_testkit::{naive, without_drills};

const AT_MOST: usize = 3;

fn compare(old: &Procedure, new: &Procedure) -> Diff {
    let diff = diff(old, new, AT_MOST, Limits::default());
    assert!(diff.complete);
    diff
}

fn sets(differences: &[countersign_prover::Difference]) -> Vec<Vec<String>> {
    let mut sets: Vec<Vec<String>> = differences
        .iter()
        .filter(|difference| {
            difference.text.contains(" leads to ") || difference.text.contains(" longer leads to ")
        })
        .filter_map(|difference| difference.attack.as_ref())
        .map(|attack| attack.set.clone())
        .collect();
    sets.sort_unstable();
    sets
}

fn texts(differences: &[countersign_prover::Difference]) -> Vec<&str> {
    differences
        .iter()
        .map(|difference| difference.text.as_str())
        .collect()
}

/// The same, less who gets in: what is easier for a thief is easier for the customer.
fn about_thieves(differences: &[countersign_prover::Difference]) -> Vec<&str> {
    let mut texts = texts(differences);
    texts.retain(|text| !text.starts_with("an honest customer"));
    texts
}

/// Minimal sets of one procedure that are no attack on the same target of another with the same names.
fn only(here: &Procedure, there: &Procedure) -> Vec<Vec<String>> {
    let losses = (0..here.losses.len()).map(|at| Target::Loss(LossId(u32::try_from(at).unwrap())));
    let actions = (0..here.actions.len())
        .filter(|&at| !here.actions[at].outside)
        .map(|at| Target::Action(ActionId(u32::try_from(at).unwrap())));
    let mut only: Vec<Vec<String>> = losses
        .chain(actions)
        .flat_map(|target| {
            let theirs = naive::attacks(there, &[target], AT_MOST);
            naive::attacks(here, &[target], AT_MOST)
                .into_iter()
                .filter(move |set| !theirs.iter().any(|other| within(other, set)))
        })
        .collect();
    only.sort_unstable();
    only.dedup();
    only
}

/// Whether an attack is contained in another; `agent deceived` is in `2 agent deceived`.
fn within(small: &[String], large: &[String]) -> bool {
    let count = |name: &str| -> (u32, String) {
        name.split_once(' ')
            .map_or((1, name.to_owned()), |(first, rest)| {
                first
                    .parse()
                    .map_or((1, name.to_owned()), |count| (count, rest.to_owned()))
            })
    };
    small.iter().all(|one| {
        let (needed, what) = count(one);
        large.iter().any(|other| {
            let (had, which) = count(other);
            which == what && had >= needed
        })
    })
}

#[test]
fn a_procedure_differs_in_nothing_from_itself() {
    for seed in 0..200 {
        let procedure = naive::procedure(seed);
        assert_eq!(
            compare(&procedure, &procedure),
            Diff {
                at_most: AT_MOST,
                complete: true,
                ..Diff::default()
            }
        );
    }
}

#[test]
fn attacks_appear_and_vanish_as_the_oracle_says() {
    let mut found = 0;
    for seed in 0..24 {
        let old = naive::procedure(seed);
        for index in 0..old.actions.len() {
            let action = ActionId(u32::try_from(index).unwrap());
            let proof = ProofId(u32::try_from(seed % old.proofs.len().max(1) as u64).unwrap());
            let Some(new) = apply(&old, action, PathId(0), &Change::Prove(proof)) else {
                continue;
            };
            let there = compare(&old, &new);
            assert_eq!(
                sets(&there.stronger),
                only(&old, &new),
                "seed {seed}, {action:?}"
            );
            assert_eq!(
                sets(&there.weaker),
                only(&new, &old),
                "seed {seed}, {action:?}"
            );
            let back = compare(&new, &old);
            assert_eq!(sets(&there.stronger), sets(&back.weaker), "seed {seed}");
            found += sets(&there.stronger).len();
        }
    }
    assert!(found > 10, "the changes ended only {found} attacks");
}

#[test]
fn a_signature_more_is_stronger_and_a_signature_less_is_weaker() {
    let old = procedure(include_str!("../../../procedures/hosting.procedure"));
    let text = include_str!("../../../procedures/hosting.procedure")
        .replace("sign-off 1 senior", "sign-off 2 senior");
    let new = procedure(&text);
    let words = "`server.reinstall`, path `lost_phone`: 2 sign as `senior`, before 1";
    assert!(texts(&compare(&old, &new).stronger).contains(&words));
    let back = compare(&new, &old);
    assert!(
        texts(&back.weaker)
            .contains(&"`server.reinstall`, path `lost_phone`: 1 sign as `senior`, before 2")
    );
    assert!(back.stronger.is_empty(), "{:#?}", back.stronger);
}

#[test]
fn every_setting_of_a_path_is_compared() {
    let base = r#"organisation "Acme"
staff agent "agent"
staff senior "senior" includes agent
secret pin "PIN" using pin
secret word "word" using password
channel mail "mail"
channel mobile "mobile"
loss money "money"
action pay "Pay" {
  with amount "amount"
  says "Pay {amount}"
  loses money
  runs panel
  path usual {
    prove pin and word
    agent confirms "I know them"
    sign-off 1 senior
    notify every channel
    wait 24h
    backup verified within 24h in 2 places
    when amount <= 50
    at most 3 per 7d per customer
  }
}
"#;
    let old = procedure(base);
    for (from, to, weaker) in [
        (
            "prove pin and word",
            "prove pin or word",
            "the customer proves `pin` or `word`, before `pin` and `word`",
        ),
        (
            "prove pin and word",
            "prove pin",
            "the customer proves `pin`, before `pin` and `word`",
        ),
        (
            "    agent confirms \"I know them\"\n",
            "",
            "no `agent` confirms “I know them” any more",
        ),
        (
            "    sign-off 1 senior\n",
            "",
            "0 sign as `senior`, before 1",
        ),
        (
            "notify every channel",
            "notify mail",
            "the `mobile` is no longer told",
        ),
        ("wait 24h", "wait 12h", "12h to stop it, before 1d"),
        (
            "backup verified within 24h in 2 places",
            "backup within 24h in 2 places",
            "less is asked of the backup",
        ),
        (
            "backup verified within 24h in 2 places",
            "backup verified within 48h in 2 places",
            "less is asked of the backup",
        ),
        (
            "backup verified within 24h in 2 places",
            "backup verified within 24h",
            "less is asked of the backup",
        ),
        (
            "when amount <= 50",
            "when amount <= 60",
            "it is open in more cases",
        ),
        ("    when amount <= 50\n", "", "it is open in more cases"),
        (
            "at most 3 per 7d",
            "at most 4 per 7d",
            "it may happen more often",
        ),
        (
            "at most 3 per 7d",
            "at most 3 per 1d",
            "it may happen more often",
        ),
        ("secret pin \"PIN\"", "secret pin \"PIN\"", ""),
    ] {
        let text = base.replace(from, to);
        let new = procedure(&text);
        let (there, back) = (compare(&old, &new), compare(&new, &old));
        if weaker.is_empty() {
            assert_eq!(there, back);
            continue;
        }
        let words = format!("`pay`, path `usual`: {weaker}");
        assert!(
            texts(&there.weaker).contains(&words.as_str()),
            "{to}: {:#?}",
            texts(&there.weaker)
        );
        assert!(
            about_thieves(&there.stronger).is_empty(),
            "{to}: {:#?}",
            texts(&there.stronger)
        );
        assert!(
            !back.stronger.is_empty() && about_thieves(&back.weaker).is_empty(),
            "{to}: {:#?}",
            texts(&back.weaker)
        );
    }
    let settled = procedure(&base.replace("prove pin and word", "prove pin settled 7d and word"));
    assert!(about_thieves(&compare(&old, &settled).weaker).is_empty());
    assert!(!compare(&settled, &old).weaker.is_empty());
    let read_out = procedure(&base.replace("using pin", "using pin visible to agent"));
    assert!(
        texts(&compare(&old, &read_out).weaker)
            .contains(&"`pin` was visible to nobody and is visible to `agent`")
    );
}

#[test]
fn a_promise_that_is_taken_away_or_would_break_is_weaker() {
    let text = include_str!("../../../procedures/hosting.procedure");
    let old = procedure(text);
    let fewer = procedure(&text[..text.rfind("promise ").unwrap()]);
    assert!(texts(&compare(&old, &fewer).weaker).contains(
        &"“Whoever loses the phone gets back in within three days” is no longer promised"
    ));
    assert!(texts(&compare(&fewer, &old).stronger).contains(
        &"“Whoever loses the phone gets back in within three days” is now promised, and kept"
    ));
    let open = procedure(
        // Without its sign-off there is nobody left to drill.
        &without_drills(text)
            .replace("    sign-off 1 senior\n", "")
            .replace("    wait 24h\n", "")
            .replace("prove pin and mail_code settled 7d", "prove mail_code"),
    );
    let broken = compare(&old, &open);
    let promise = broken
        .weaker
        .iter()
        .find(|difference| difference.text.ends_with("was kept and would be broken"))
        .unwrap();
    assert!(promise.attack.is_some());
}

#[test]
fn a_drill_that_is_dropped_or_rarer_is_weaker() {
    let text = include_str!("../../../procedures/hosting.procedure");
    let line = text
        .lines()
        .find(|line| line.starts_with("drill "))
        .unwrap();
    let old = procedure(text);
    for (new_line, weaker) in [
        (
            String::new(),
            "`senior` is no longer asked in a drill on `server.reinstall`",
        ),
        (
            line.replace("every 14d", "every 30d"),
            "a drill on `server.reinstall` asks `senior` every 30d and no longer every 14d",
        ),
        (
            line.replace("hurried_caller, ", ""),
            "a drill on `server.reinstall` no longer plays `hurried_caller` to `senior`",
        ),
    ] {
        let new = procedure(&text.replace(line, &new_line));
        let (there, back) = (compare(&old, &new), compare(&new, &old));
        assert_eq!(texts(&there.weaker), [weaker]);
        assert!(there.stronger.is_empty() && there.changed.is_empty());
        assert_eq!(back.stronger.len(), 1, "{:#?}", texts(&back.stronger));
        assert!(back.weaker.is_empty() && back.changed.is_empty());
    }
    // Taken apart into two lines that ask as often together, it differs in nothing.
    let half = line.replace("every 14d", "every 28d");
    let two = procedure(&text.replace(line, &format!("{half}\n{half}")));
    assert_eq!(texts(&compare(&old, &two).weaker), Vec::<&str>::new());
    assert!(compare(&old, &two).stronger.is_empty());
}

fn procedure(text: &str) -> Procedure {
    let reading = read(text);
    let wrong: Vec<&Diagnostic> = reading.diagnostics.iter().collect();
    reading
        .procedure
        .clone()
        .unwrap_or_else(|| panic!("{wrong:#?}"))
}
