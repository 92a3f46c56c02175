//! Grants against the published vectors and against every small change.

use std::cell::RefCell;
use std::collections::BTreeSet;

use countersign_grant::{
    GRANTED, Leaf, Reason, Receipt, ReceiptError, Verified, Verifier, commitment, grant_hash,
};
use countersign_ledger::{
    Appender, Checkpoint, KeyKind, NotProved, NoteSigner, Policy, SecretKey, TlogProof, WrongProof,
};
use proptest::prelude::*;

#[path = "../examples/grant_vectors.rs"]
mod grant_vectors;

use grant_vectors::{Vector, Vectors, claims, vectors};

const PUBLISHED: &str = include_str!("../../../docs/generated/grant-vectors.json");

#[expect(clippy::unwrap_used, reason = "a helper of tests")]
fn verifier(vectors: &Vectors) -> Verifier {
    let facts = &vectors.verifier;
    Verifier {
        issuer: facts.issuer.clone(),
        audience: facts.audience.clone(),
        keys: facts.jwks.by_kid().unwrap(),
        policy: facts.policy.parse().unwrap(),
        leeway_s: facts.leeway_s,
    }
}

fn verify(verifier: &Verifier, vector: &Vector) -> Result<Verified, Reason> {
    let mut first_use = |jti: &str, _: u64| !vector.seen.iter().any(|seen| seen == jti);
    verifier.verify(&vector.bundle, &vector.expected, vector.now, &mut first_use)
}

#[test]
fn the_published_vectors_are_fresh() {
    let text = serde_json::to_string_pretty(&vectors()).unwrap() + "\n";
    assert!(
        text == PUBLISHED,
        "run: cargo run -p countersign_grant --example grant_vectors > docs/generated/grant-vectors.json"
    );
}

#[test]
fn each_published_vector_is_judged_as_it_says() {
    let vectors: Vectors = serde_json::from_str(PUBLISHED).unwrap();
    let verifier = verifier(&vectors);
    let mut refused = BTreeSet::new();
    for vector in &vectors.list {
        let reason = verify(&verifier, vector).err();
        let reason = reason.map(Reason::as_str);
        assert_eq!(reason, vector.reason.as_deref(), "{}", vector.name);
        refused.extend(reason);
    }
    let all: BTreeSet<_> = Reason::ALL.iter().map(|reason| reason.as_str()).collect();
    assert_eq!(
        refused, all,
        "each check has a vector that it alone refuses"
    );
}

#[test]
fn the_manual_lists_every_reason_in_the_order_of_the_checks() {
    let manual = include_str!("../../../docs/grants.md");
    let listed: Vec<_> = manual
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once("` | "))
        .map(|(code, _)| code)
        .skip_while(|code| *code != "form")
        .collect();
    assert_eq!(listed, Reason::ALL.map(Reason::as_str));
}

#[test]
fn a_verified_grant_says_what_was_minted() {
    let vectors = vectors();
    let valid = &vectors.list[0];
    let asked = RefCell::new(Vec::new());
    let verified = verifier(&vectors)
        .verify(
            &valid.bundle,
            &valid.expected,
            valid.now,
            &mut |jti, until| {
                asked.borrow_mut().push((jti.to_owned(), until));
                true
            },
        )
        .unwrap();
    assert_eq!(*verified.claims(), claims());
    assert_eq!(verified.index(), 137);
    assert_eq!(verified.leaf().kind, GRANTED);
    assert_eq!(verified.accepted().checkpoint.size, 300);
    assert_eq!(verified.accepted().cosignatures.len(), 1);
    assert_eq!(asked.into_inner(), [(claims().id, claims().expires_at)]);
}

#[test]
fn the_first_use_is_asked_last_and_only_for_a_good_grant() {
    let vectors = vectors();
    let verifier = verifier(&vectors);
    for vector in vectors.list {
        let refused = vector.reason.is_some_and(|reason| reason != "replay");
        let mut asked = false;
        let _ = verifier.verify(&vector.bundle, &vector.expected, vector.now, &mut |_, _| {
            asked = true;
            true
        });
        assert_eq!(asked, !refused, "{}", vector.name);
    }
}

#[test]
fn leeway_moves_both_ends_and_the_time_to_remember() {
    let vectors = vectors();
    let valid = &vectors.list[0];
    let mut verifier = verifier(&vectors);
    verifier.leeway_s = 10;
    let issued = claims().issued_at;
    for (now, expected) in [
        (issued - 11, Some(Reason::NotYetValid)),
        (issued - 10, None),
        (issued + 129, None),
        (issued + 130, Some(Reason::Expired)),
    ] {
        let mut remember = 0;
        let verified = verifier.verify(&valid.bundle, &valid.expected, now, &mut |_, until| {
            remember = until;
            true
        });
        assert_eq!(verified.err(), expected, "{now}");
        if expected.is_none() {
            assert_eq!(remember, issued + 130);
        }
    }
}

#[test]
fn a_bundle_too_large_is_not_looked_at() {
    let vectors = vectors();
    let mut valid = vectors.list.into_iter().next().unwrap();
    let verifier = verifier(&grant_vectors::vectors());
    valid.bundle += &" ".repeat(64 * 1024 - valid.bundle.len());
    assert!(verify(&verifier, &valid).is_ok());
    valid.bundle.push(' ');
    assert_eq!(verify(&verifier, &valid), Err(Reason::Form));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_bit_flipped_is_refused(at: usize, bit in 0..8_u32) {
        let vectors: Vectors = serde_json::from_str(PUBLISHED).unwrap();
        let valid = &vectors.list[0];
        let mut bytes = valid.bundle.clone().into_bytes();
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        if let Ok(bundle) = String::from_utf8(bytes) {
            let verified = verifier(&vectors).verify(&bundle, &valid.expected, valid.now, &mut |_, _| true);
            prop_assert!(verified.is_err());
        }
    }

    #[test]
    fn any_text_is_refused_without_a_panic(text in r#"[{}\[\]":,.a-z0-9—\n ]{0,80}"#, cut: usize) {
        let vectors: Vectors = serde_json::from_str(PUBLISHED).unwrap();
        let valid = &vectors.list[0];
        let cut: String = valid.bundle.chars().take(cut % valid.bundle.chars().count()).collect();
        for bundle in [text, cut] {
            let verified = verifier(&vectors).verify(&bundle, &valid.expected, valid.now, &mut |_, _| true);
            prop_assert_eq!(verified, Err(Reason::Form));
        }
    }
}

#[test]
fn a_receipt_opens_its_leaf_and_no_other_record_does() {
    let key = SecretKey::from_seed(&[9; 32]).unwrap();
    let log = NoteSigner::new("log.example", KeyKind::Ed25519, key).unwrap();
    let policy = Policy::of_log(log.verifier().clone()).unwrap();
    let salt = [5; 32];
    let leaf = Leaf {
        kind: "done".to_owned(),
        case: Some([1; 16]),
        customer: Some([2; 16]),
        at: 1_800_000_000,
        commitment: commitment(&salt, b"web-1 was reinstalled"),
        grant: Some(grant_hash("a.b.c")),
    };
    let bytes = leaf.encode().unwrap();
    let mut appender = Appender::empty();
    appender.append([bytes.as_slice()]).unwrap();
    let checkpoint = Checkpoint {
        origin: "log.example".to_owned(),
        size: 1,
        root: appender.root(),
    };
    let proof = TlogProof {
        index: 0,
        proof: Vec::new(),
        extra: Some(bytes),
        checkpoint: checkpoint.sign(&log).unwrap().to_string(),
    };
    let receipt = Receipt::new("web-1 was reinstalled", &salt, &proof);
    let read: Receipt = serde_json::from_str(&receipt.to_json()).unwrap();
    assert_eq!(read, receipt);
    assert_eq!(read.verify(&policy).unwrap().0, leaf);

    let other = Receipt::new("web-1 was kept", &salt, &proof);
    assert_eq!(other.verify(&policy), Err(ReceiptError::Record));
    let other = Receipt::new("web-1 was reinstalled", &[6; 32], &proof);
    assert_eq!(other.verify(&policy), Err(ReceiptError::Record));
    let moved = TlogProof { index: 1, ..proof };
    assert_eq!(
        Receipt::new("web-1 was reinstalled", &salt, &moved).verify(&policy),
        Err(ReceiptError::NotProved(NotProved::Inclusion(
            WrongProof::OutOfRange
        )))
    );
    let bare = TlogProof {
        extra: None,
        ..moved
    };
    assert_eq!(
        Receipt::new("web-1 was reinstalled", &salt, &bare).verify(&policy),
        Err(ReceiptError::Form)
    );
}
