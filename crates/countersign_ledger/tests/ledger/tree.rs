//! The appender against ct-merkle, an independent RFC 6962 tree.

use crate::common::{Log, entry, log_of};
use countersign_ledger::{
    Appender, ENTRY_BYTES_MAX, EntryTooLong, TilePath, empty_root, entries, leaf_hash,
};
use ct_merkle::mem_backed_tree::MemoryBackedTree;
use proptest::prelude::*;
use sha2::Sha256;

#[test]
fn the_root_is_the_oracles_at_every_size() {
    let mut oracle = MemoryBackedTree::<Sha256, Vec<u8>>::new();
    let mut appender = Appender::empty();
    assert_eq!(appender.root(), empty_root());
    for size in 1..=600 {
        let entry = entry(size - 1);
        appender.append([entry.as_slice()]).unwrap();
        oracle.push(entry);
        assert_eq!(appender.size(), size);
        assert_eq!(appender.root()[..], oracle.root().as_bytes()[..], "{size}");
    }
}

#[test]
fn the_root_is_the_oracles_above_two_levels_of_tiles() {
    let size = 256 * 256 + 300;
    let mut oracle = MemoryBackedTree::<Sha256, Vec<u8>>::new();
    (0..size).for_each(|n| oracle.push(entry(n)));
    let (appender, log) = log_of(size, 1000);
    assert_eq!(appender.root()[..], oracle.root().as_bytes()[..]);
    let top = TilePath::Hashes {
        level: 2,
        index: 0,
        width: 1,
    };
    assert_eq!(log.files[&top].len(), 32);
    let resumed = Appender::resume(size, |path| log.tile(&path)).unwrap();
    assert!(resumed == appender);
}

#[test]
fn resuming_at_any_size_goes_on_with_the_same_tiles() {
    let (whole, all) = log_of(600, 1);
    for size in (0..10).chain(250..262).chain(505..520).chain(595..=600) {
        let (before, mut log) = log_of(size, 600);
        let mut resumed = Appender::resume(size, |path| log.tile(&path)).unwrap();
        assert!(resumed == before, "{size}");
        let rest: Vec<_> = (size..600).map(entry).collect();
        let changed = resumed.append(rest.iter().map(Vec::as_slice)).unwrap();
        log.keep(changed);
        assert_eq!(resumed.root(), whole.root());
        for (path, bytes) in &log.files {
            assert_eq!(all.files.get(path), Some(bytes), "{path}");
        }
    }
}

#[test]
fn resuming_from_the_widest_tiles_alone_works_too() {
    let (_, log) = log_of(700, 700);
    let (at_300, _) = log_of(300, 300);
    let resumed = Appender::resume(300, |path| {
        let wider = log
            .files
            .iter()
            .find(|(kept, _)| kept.with_width(1) == path.with_width(1));
        wider.map(|(_, bytes)| bytes.clone())
    });
    assert!(resumed.unwrap() == at_300);
}

#[test]
fn a_missing_or_short_tile_is_named() {
    let (_, log) = log_of(300, 300);
    for path in [
        TilePath::Hashes {
            level: 0,
            index: 1,
            width: 44,
        },
        TilePath::Hashes {
            level: 1,
            index: 0,
            width: 1,
        },
        TilePath::Entries {
            index: 1,
            width: 44,
        },
    ] {
        let mut gone = log.clone();
        gone.files.remove(&path).unwrap();
        let error = Appender::resume(300, |path| gone.tile(&path)).unwrap_err();
        assert_eq!(error.to_string(), format!("tile `{path}` is missing"));

        let mut short = log.clone();
        short.files.get_mut(&path).unwrap().pop().unwrap();
        let error = Appender::resume(300, |path| short.tile(&path)).unwrap_err();
        assert_eq!(error.to_string(), format!("tile `{path}` is cut short"));
    }
}

#[test]
fn an_entry_too_long_changes_nothing() {
    let (mut appender, _) = log_of(10, 10);
    let before = appender.clone();
    let longest = vec![7; ENTRY_BYTES_MAX];
    let too_long = vec![7; ENTRY_BYTES_MAX + 1];
    assert_eq!(
        appender.append([&longest[..], &too_long]),
        Err(EntryTooLong {
            position: 1,
            bytes: ENTRY_BYTES_MAX + 1
        })
    );
    assert!(appender == before);
    let changed = appender.append([&longest[..]]).unwrap();
    let (_, bundle) = changed.tiles.last().unwrap();
    assert_eq!(entries(bundle).unwrap().last(), Some(&longest.as_slice()));
}

#[test]
fn nothing_appended_changes_no_tile() {
    let (mut appender, _) = log_of(300, 300);
    assert!(appender.append([]).unwrap().tiles.is_empty());
    assert!(Appender::empty().partial_tiles().tiles.is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// However the entries are cut into batches, the same log results, and each batch names
    /// exactly the tiles whose bytes differ from those before it.
    #[test]
    fn any_split_gives_the_same_tiles(batches in prop::collection::vec(0..400u64, 0..8)) {
        let size = batches.iter().sum();
        let (whole, every) = log_of(size, 1);
        let mut appender = Appender::empty();
        let mut log = Log::default();
        let mut next = 0;
        for batch in batches {
            let added: Vec<_> = (next..next + batch).map(entry).collect();
            next += batch;
            let changed = appender.append(added.iter().map(Vec::as_slice)).unwrap();
            for (path, bytes) in &changed.tiles {
                // New bytes, and the narrower versions are their beginnings.
                prop_assert_eq!(log.files.get(path), None);
                for (kept, earlier) in &log.files {
                    if kept.with_width(1) == path.with_width(1) {
                        prop_assert!(bytes.starts_with(earlier));
                        prop_assert_eq!(kept.cut(bytes), Some(&earlier[..]));
                    }
                }
            }
            log.keep(changed);
            for (path, bytes) in appender.partial_tiles().tiles {
                prop_assert_eq!(log.tile(&path), Some(bytes));
            }
        }
        prop_assert!(appender == whole);
        for (path, bytes) in &log.files {
            prop_assert_eq!(every.files.get(path), Some(bytes));
        }
        for path in every.files.keys().filter(|path| path.is_full()) {
            prop_assert!(log.files.contains_key(path));
        }
    }
}

#[test]
fn level_zero_holds_the_leaf_hashes() {
    let (_, log) = log_of(3, 3);
    let path = TilePath::Hashes {
        level: 0,
        index: 0,
        width: 3,
    };
    let expected: Vec<u8> = (0..3).flat_map(|n| leaf_hash(&entry(n))).collect();
    assert_eq!(log.files[&path], expected);
}
