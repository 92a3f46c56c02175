//! Any bit changed, dropped, reordered or added in a log is found.

use crate::common::{Log, entry, log_of};
use countersign_ledger::{
    Appender, AuditFinding, AuditReport, Checkpoint, KeyKind, NotProved, NoteSigner, Policy,
    SecretKey, SignedNote, TilePath, TlogProof, Untrusted, WrongProof, audit, entries,
    inclusion_proof, leaf_hash,
};
use proptest::prelude::*;
use std::cell::Cell;

const ORIGIN: &str = "log.example/gate";

fn signer() -> NoteSigner {
    let key = SecretKey::from_seed(&[1; 32]).unwrap();
    NoteSigner::new(ORIGIN, KeyKind::Ed25519, key).unwrap()
}

fn policy() -> Policy {
    Policy::of_log(signer().verifier().clone()).unwrap()
}

fn checkpoint_of(appender: &Appender) -> Checkpoint {
    Checkpoint {
        origin: ORIGIN.to_owned(),
        size: appender.size(),
        root: appender.root(),
    }
}

fn note_of(appender: &Appender) -> String {
    checkpoint_of(appender).sign(&signer()).unwrap().to_string()
}

fn check(
    log: &Log,
    note: &str,
    previous: Option<&Checkpoint>,
) -> Result<AuditReport, AuditFinding> {
    audit(
        &|path: &TilePath| log.tile(path),
        note,
        &policy(),
        previous,
        |_, _| {},
    )
}

/// The tiles that belong to the right edge and the full ones, without older partial tiles.
fn published(size: u64) -> (Appender, Log) {
    log_of(size, size.max(1))
}

#[test]
fn an_honest_log_of_any_shape_passes() {
    for size in [0, 1, 2, 255, 256, 257, 511, 512, 600, 65_536, 65_537 + 256] {
        let (appender, log) = published(size);
        let report = check(&log, &note_of(&appender), None).unwrap();
        assert_eq!(report.accepted.checkpoint, checkpoint_of(&appender));
        assert_eq!(report.bundles, size.div_ceil(256));
        let bytes: usize = (0..size).map(|n| entry(n).len()).sum();
        assert_eq!(report.entry_bytes, bytes as u64);
        let hash_tiles = log
            .files
            .keys()
            .filter(|path| matches!(path, TilePath::Hashes { .. }))
            .count();
        assert_eq!(report.hash_tiles, hash_tiles as u64);
    }
}

#[test]
fn entries_are_shown_in_their_order() {
    let (appender, log) = published(600);
    let mut next = 0;
    audit(
        &|path: &TilePath| log.tile(path),
        &note_of(&appender),
        &policy(),
        None,
        |first, bundle| {
            assert_eq!(first, next);
            for shown in bundle {
                assert_eq!(*shown, entry(next));
                next += 1;
            }
        },
    )
    .unwrap();
    assert_eq!(next, 600);
}

#[test]
fn each_tile_is_read_once() {
    let (appender, log) = published(70_000);
    let reads = Cell::new(0);
    let source = |path: &TilePath| {
        reads.set(reads.get() + 1);
        log.tile(path)
    };
    audit(&source, &note_of(&appender), &policy(), None, |_, _| {}).unwrap();
    assert_eq!(reads.get(), log.files.len());
}

#[test]
fn a_log_audits_at_an_older_checkpoint_though_its_partial_tiles_have_filled() {
    let (old, before) = published(300);
    let (_, mut log) = log_of(600, 300);
    log.files
        .retain(|path, _| path.is_full() || path.index() == 2);
    let top = TilePath::Hashes {
        level: 1,
        index: 0,
        width: 1,
    };
    log.files.insert(top, before.files[&top].clone());
    check(&log, &note_of(&old), None).unwrap();
}

#[test]
fn an_earlier_checkpoint_must_be_the_beginning() {
    let (appender, log) = published(600);
    let note = note_of(&appender);
    for size in [0, 1, 255, 256, 257, 300, 512, 599, 600] {
        let earlier = checkpoint_of(&published(size).0);
        check(&log, &note, Some(&earlier)).unwrap();

        let mut other = earlier.clone();
        other.root[9] ^= 4;
        assert_eq!(
            check(&log, &note, Some(&other)),
            Err(AuditFinding::Rewritten { size })
        );
        other = earlier;
        other.origin.push('x');
        assert_eq!(
            check(&log, &note, Some(&other)),
            Err(AuditFinding::OtherLog)
        );
    }
    let later = checkpoint_of(&published(601).0);
    assert_eq!(
        check(&log, &note, Some(&later)),
        Err(AuditFinding::Shrunk { was: 601, is: 600 })
    );
}

#[test]
fn a_log_rewritten_consistently_is_caught_by_its_earlier_checkpoint() {
    let earlier = checkpoint_of(&published(300).0);
    let mut entries: Vec<_> = (0..600).map(entry).collect();
    entries[100].push(1);
    let mut rewritten = Appender::empty();
    let mut log = Log::default();
    log.keep(rewritten.append(entries.iter().map(Vec::as_slice)).unwrap());
    let note = note_of(&rewritten);
    check(&log, &note, None).unwrap();
    assert_eq!(
        check(&log, &note, Some(&earlier)),
        Err(AuditFinding::Rewritten { size: 300 })
    );
}

#[test]
fn the_finding_names_the_entry() {
    let (appender, mut log) = published(600);
    let path = TilePath::Entries {
        index: 1,
        width: 256,
    };
    let bundle = log.files.get_mut(&path).unwrap();
    let target = entries(bundle).unwrap()[300 - 256].as_ptr().addr() - bundle.as_ptr().addr();
    bundle[target] ^= 1;
    let finding = check(&log, &note_of(&appender), None).unwrap_err();
    assert_eq!(
        finding.to_string(),
        "entry 300 does not match its hash in tile `tile/0/001`"
    );
}

#[test]
fn a_signed_root_of_other_entries_is_found() {
    let (_, log) = published(300);
    let mut wrong = checkpoint_of(&published(300).0);
    wrong.root = published(299).0.root();
    let note = wrong.sign(&signer()).unwrap().to_string();
    assert_eq!(
        check(&log, &note, None),
        Err(AuditFinding::Root { size: 300 })
    );
}

#[test]
fn nothing_may_stand_behind_the_end_of_a_tile() {
    let (appender, honest) = published(300);
    for path in honest.files.keys() {
        for more in [&[0][..], &[0; 2], &[0; 32], &honest.files[path]] {
            let mut log = honest.clone();
            log.files.get_mut(path).unwrap().extend(more);
            assert_eq!(
                check(&log, &note_of(&appender), None),
                Err(AuditFinding::Malformed { path: *path })
            );
        }
    }
}

/// One change of one file.
#[derive(Clone, Debug)]
enum Tamper {
    Flip { at: usize, bit: u32 },
    Drop { at: usize },
    Add { at: usize, byte: u8 },
    Swap { at: usize, with: usize },
    Remove,
    Replace { by: usize },
}

fn tampers() -> impl Strategy<Value = Tamper> {
    prop_oneof![
        (any::<usize>(), 0..8_u32).prop_map(|(at, bit)| Tamper::Flip { at, bit }),
        any::<usize>().prop_map(|at| Tamper::Drop { at }),
        (any::<usize>(), any::<u8>()).prop_map(|(at, byte)| Tamper::Add { at, byte }),
        (any::<usize>(), any::<usize>()).prop_map(|(at, with)| Tamper::Swap { at, with }),
        Just(Tamper::Remove),
        any::<usize>().prop_map(|by| Tamper::Replace { by }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_change_of_any_tile_or_bundle_is_found(
        size in prop::sample::select(vec![1_u64, 3, 256, 300, 530]),
        file: usize,
        tamper in tampers(),
    ) {
        let (appender, honest) = published(size);
        let mut log = honest.clone();
        let paths: Vec<_> = log.files.keys().copied().collect();
        let path = paths[file % paths.len()];
        let others: Vec<_> = log.files.values().cloned().collect();
        let bytes = log.files.get_mut(&path).unwrap();
        match tamper {
            Tamper::Flip { at, bit } if !bytes.is_empty() => {
                let at = at % bytes.len();
                bytes[at] ^= 1 << bit;
            }
            Tamper::Drop { at } if !bytes.is_empty() => {
                bytes.remove(at % bytes.len());
            }
            Tamper::Add { at, byte } => bytes.insert(at % (bytes.len() + 1), byte),
            Tamper::Swap { at, with } if !bytes.is_empty() => {
                let count = bytes.len();
                bytes.swap(at % count, with % count);
            }
            Tamper::Replace { by } => bytes.clone_from(&others[by % others.len()]),
            _ => {
                log.files.remove(&path);
            }
        }
        let finding = check(&log, &note_of(&appender), None);
        prop_assert_eq!(finding.is_err(), log.files != honest.files);
    }

    #[test]
    fn any_bit_of_a_checkpoint_or_a_receipt_counts(at: usize, bit in 0..8_u32, index in 0..300_u64) {
        let (appender, log) = published(300);
        let note = note_of(&appender);
        let receipt = TlogProof {
            index,
            proof: inclusion_proof(index, 300, &|path: &TilePath| log.tile(path)).unwrap(),
            extra: None,
            checkpoint: note.clone(),
        };
        let leaf = leaf_hash(&entry(index));
        prop_assert!(receipt.verify(&leaf, &policy()).is_ok());
        prop_assert_eq!(receipt.to_string().parse(), Ok(receipt.clone()));

        for text in [note, receipt.to_string()] {
            let mut bytes = text.into_bytes();
            let at = at % bytes.len();
            bytes[at] ^= 1 << bit;
            let Ok(text) = String::from_utf8(bytes) else { continue };
            prop_assert!(check(&log, &text, None).is_err());
            if let Ok(read) = text.parse::<TlogProof>() {
                prop_assert!(read.verify(&leaf, &policy()).is_err());
            }
        }
    }
}

#[test]
fn a_receipt_reads_as_the_specification_writes_it() {
    let (appender, log) = published(5);
    let receipt = TlogProof {
        index: 3,
        proof: inclusion_proof(3, 5, &|path: &TilePath| log.tile(path)).unwrap(),
        extra: Some(b"leaf".to_vec()),
        checkpoint: note_of(&appender),
    };
    let text = receipt.to_string();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(
        lines[..3],
        ["c2sp.org/tlog-proof@v1", "extra bGVhZg==", "index 3"]
    );
    assert_eq!(lines[6..9], ["", ORIGIN, "5"]);
    assert!(text.ends_with(&note_of(&appender)));
    assert_eq!(text.parse(), Ok(receipt.clone()));

    for (from, to) in [
        ("tlog-proof@v1", "tlog-proof@v2"),
        ("index 3", "index 03"),
        ("index 3", "index +3"),
        ("index 3\n", ""),
        ("extra bGVhZg==", "extra bGVhZg"),
        ("extra bGVhZg==", "extra  bGVhZg=="),
        ("extra bGVhZg==\nindex 3", "index 3\nextra bGVhZg=="),
        ("=\n\nlog.", "=\nlog."),
        ("c2sp", "\nc2sp"),
    ] {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text);
        assert!(changed.parse::<TlogProof>().is_err(), "{changed}");
    }
    let many = format!("{}=\n", "A".repeat(43)).repeat(65);
    let flood = text.replacen("index 3\n", &format!("index 3\n{many}"), 1);
    assert!(flood.parse::<TlogProof>().is_err());
}

#[test]
fn a_receipt_says_what_is_wrong_with_it() {
    let (appender, log) = published(5);
    let receipt = TlogProof {
        index: 3,
        proof: inclusion_proof(3, 5, &|path: &TilePath| log.tile(path)).unwrap(),
        extra: None,
        checkpoint: note_of(&appender),
    };
    let leaf = leaf_hash(&entry(3));
    assert_eq!(
        receipt.verify(&leaf_hash(b"another"), &policy()),
        Err(NotProved::Inclusion(WrongProof::Root))
    );
    let mut note = SignedNote::parse(&receipt.checkpoint).unwrap();
    note.signatures[0].signature[0] ^= 1;
    let forged = TlogProof {
        checkpoint: note.to_string(),
        ..receipt.clone()
    };
    assert_eq!(
        forged.verify(&leaf, &policy()),
        Err(NotProved::Checkpoint(Untrusted::LogKey))
    );
    let accepted = receipt.verify(&leaf, &policy()).unwrap();
    assert_eq!(accepted.checkpoint, checkpoint_of(&appender));
}
