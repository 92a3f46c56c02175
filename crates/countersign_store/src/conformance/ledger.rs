use std::collections::BTreeMap;

use countersign_ledger::{Hash, TilePath, leaf_hash, node_hash};

use super::{Make, World, append, assert_conflicts, leaves};
use crate::{Batch, Journal, export_ledger};

/// The root of RFC 6962, 2.1, by its definition.
fn root_of(hashes: &[Hash]) -> Hash {
    match hashes {
        [] => countersign_ledger::empty_root(),
        [one] => *one,
        _ => {
            let (left, right) = hashes.split_at(hashes.len().next_power_of_two() / 2);
            node_hash(&root_of(left), &root_of(right))
        }
    }
}

/// Every tile and bundle of a log of these leaves, by c2sp.org/tlog-tiles, without an appender.
fn tiles_of(leaves: &[Vec<u8>]) -> BTreeMap<String, Vec<u8>> {
    let mut tiles = BTreeMap::new();
    for (index, chunk) in (0..).zip(leaves.chunks(256)) {
        let path = TilePath::Entries {
            index,
            width: u16::try_from(chunk.len()).unwrap(),
        };
        let mut bytes = Vec::new();
        for leaf in chunk {
            bytes.extend(u16::try_from(leaf.len()).unwrap().to_be_bytes());
            bytes.extend(leaf);
        }
        tiles.insert(path.to_string(), bytes);
    }
    let mut hashes: Vec<Hash> = leaves.iter().map(|leaf| leaf_hash(leaf)).collect();
    for level in 0.. {
        if hashes.is_empty() {
            break;
        }
        for (index, chunk) in (0..).zip(hashes.chunks(256)) {
            let path = TilePath::Hashes {
                level,
                index,
                width: u16::try_from(chunk.len()).unwrap(),
            };
            tiles.insert(path.to_string(), chunk.concat());
        }
        hashes = hashes.chunks_exact(256).map(root_of).collect();
    }
    tiles
}

/// The store's leaves, once the whole ledger has passed the audit and its root the definition.
async fn check_whole_ledger(world: &World, journal: &dyn Journal) -> Vec<Vec<u8>> {
    let (checkpoint, leaves) = world.signer.audit(journal, None).await;
    let hashes: Vec<_> = leaves.iter().map(|leaf| leaf_hash(leaf)).collect();
    assert_eq!(checkpoint.root, root_of(&hashes));
    assert_eq!(checkpoint.size, leaves.len() as u64);
    leaves
}

/// When a commit returns, its leaves stand at its indices, in order, under the checkpoint.
pub async fn leaves_are_covered_when_commit_returns(make: Make<'_>) {
    const WRITERS: u64 = 8;
    const EACH: u64 = 12;
    let world = World::new(make).await;
    let mut writers = Vec::new();
    for writer in 0..WRITERS {
        let journal = world.journal.clone();
        writers.push(tokio::spawn(async move {
            let mut mine = Vec::new();
            for turn in 0..EACH {
                let written: Vec<_> = (0..turn % 4)
                    .map(|n| format!("{writer} {turn} {n}").into_bytes())
                    .collect();
                let batch = Batch {
                    appends: vec![append(&format!("w{writer}/s"), turn, &["tick"])],
                    ..leaves(written.clone())
                };
                let committed = journal.commit(batch).await.unwrap();
                let checkpoint = journal.checkpoint().await.unwrap();
                let size: u64 = checkpoint.lines().nth(1).unwrap().parse().unwrap();
                assert!(size >= committed.tree_size);
                if !written.is_empty() {
                    assert!(committed.tree_size >= committed.first_leaf + written.len() as u64);
                    mine.extend((committed.first_leaf..).zip(written));
                }
            }
            mine
        }));
    }
    let mut written = BTreeMap::new();
    for writer in writers {
        for (index, leaf) in writer.await.unwrap() {
            assert_eq!(written.insert(index, leaf), None, "two leaves at {index}");
        }
    }
    let found = check_whole_ledger(&world, &*world.journal).await;
    assert_eq!(found, written.into_values().collect::<Vec<_>>());
}

/// Every tile is the one the specification gives, at every width the checkpoint covers, and
/// nothing beyond it is served.
pub async fn tiles_are_those_of_the_specification(make: Make<'_>) {
    let world = World::new(make).await;
    let journal = &*world.journal;
    let mut written: Vec<Vec<u8>> = Vec::new();
    for batch in [1_usize, 2, 252, 1, 1, 300, 212, 5] {
        let from = written.len();
        written
            .extend((from..from + batch).map(|n| format!("leaf {n}").repeat(n % 3).into_bytes()));
        let committed = journal
            .commit(leaves(written[from..].to_vec()))
            .await
            .unwrap();
        assert_eq!(
            (committed.first_leaf, committed.tree_size),
            (from as u64, written.len() as u64)
        );
        for (path, bytes) in tiles_of(&written) {
            assert_eq!(
                journal.tile(&path).await,
                Ok(Some(bytes)),
                "{path} of {}",
                written.len()
            );
        }
        check_whole_ledger(&world, journal).await;
    }
    // Partial tiles of every earlier size stay, whatever they have grown to since.
    for size in [1, 3, 255, 256, 257, 600, written.len()] {
        for (path, bytes) in tiles_of(&written[..size]) {
            assert_eq!(
                journal.tile(&path).await,
                Ok(Some(bytes)),
                "{path} of {size}"
            );
        }
    }
    for beyond in [
        "tile/0/003.p/7",
        "tile/entries/003.p/7",
        "tile/0/003",
        "tile/0/004.p/1",
        "tile/1/000.p/4",
        "tile/2/000.p/1",
    ] {
        assert_eq!(journal.tile(beyond).await, Ok(None), "{beyond}");
    }
    for wrong in [
        "tile/0/3.p/6",
        "/tile/0/000",
        "tile/0/000.p/256",
        "tile/0/000.p/0",
        "tile/8/000",
        "tile/entries/../000",
    ] {
        assert_eq!(journal.tile(wrong).await, Ok(None), "{wrong}");
    }

    // Three levels.
    let from = written.len();
    written.extend((from..66_000).map(|n| n.to_be_bytes().to_vec()));
    for chunk in written[from..].chunks(9_000) {
        journal.commit(leaves(chunk.to_vec())).await.unwrap();
    }
    let tiles = tiles_of(&written);
    assert!(tiles.contains_key("tile/2/000.p/1"));
    for (path, bytes) in tiles {
        assert_eq!(
            journal.tile(&path).await,
            Ok(Some(bytes)),
            "{path} of {}",
            written.len()
        );
    }
    check_whole_ledger(&world, journal).await;
}

/// Under load and conflicts the checkpoint never shrinks, and no size is signed twice.
pub async fn checkpoints_only_grow_and_are_signed_once_per_size(make: Make<'_>) {
    let world = World::new(make).await;
    let watcher = tokio::spawn({
        let journal = world.journal.clone();
        async move {
            let (mut watch, mut sizes) = (journal.watch(), Vec::new());
            while sizes.last().is_none_or(|size| *size < 80) {
                let checkpoint = journal.checkpoint().await.unwrap();
                sizes.push(checkpoint.lines().nth(1).unwrap().parse::<u64>().unwrap());
                if sizes.last().is_some_and(|size| *size < 80) {
                    watch.changed().await.unwrap();
                }
            }
            sizes
        }
    });
    let mut writers = Vec::new();
    for writer in 0..8 {
        let journal = world.journal.clone();
        writers.push(tokio::spawn(async move {
            for turn in 0..10 {
                let good = leaves([format!("{writer} {turn}").into_bytes()]);
                let stale = Batch {
                    appends: vec![append("ann/never", 9, &["x"])],
                    ..good.clone()
                };
                let (good, stale) = tokio::join!(journal.commit(good), journal.commit(stale));
                good.unwrap();
                stale.unwrap_err();
            }
        }));
    }
    for writer in writers {
        writer.await.unwrap();
    }
    assert!(watcher.await.unwrap().is_sorted());
    assert_conflicts(
        &world,
        Batch {
            appends: vec![append("ann/never", 9, &["x"])],
            ..leaves([vec![]])
        },
    )
    .await;

    let found = check_whole_ledger(&world, &*world.journal).await;
    assert_eq!(found.len(), 80);
    let hashes: Vec<_> = found.iter().map(|leaf| leaf_hash(leaf)).collect();
    let mut signed = BTreeMap::new();
    for (size, root) in world.signer.signed() {
        assert_eq!(
            root,
            root_of(&hashes[..usize::try_from(size).unwrap()]),
            "size {size}"
        );
        assert_eq!(
            signed.insert(size, root),
            None,
            "size {size} was signed twice"
        );
    }
    assert!(signed.keys().next_back() == Some(&80));
}

/// An export holds the checkpoint and exactly the files a verifier of it may ask for.
pub async fn the_export_holds_the_whole_ledger(make: Make<'_>) {
    let world = World::new(make).await;
    let dir = std::env::temp_dir().join(format!(
        "countersign-export-{}-{:p}",
        std::process::id(),
        &raw const world
    ));
    let exported = async |dir: &std::path::Path| {
        let size = export_ledger(&*world.journal, dir).await.unwrap();
        let note = std::fs::read_to_string(dir.join("checkpoint")).unwrap();
        assert_eq!(note, world.journal.checkpoint().await.unwrap());
        size
    };
    assert_eq!(exported(&dir).await, 0);
    let written: Vec<_> = (0..700_u32).map(|n| n.to_be_bytes().to_vec()).collect();
    world
        .journal
        .commit(leaves(written[..600].to_vec()))
        .await
        .unwrap();
    assert_eq!(exported(&dir).await, 600);
    world
        .journal
        .commit(leaves(written[600..].to_vec()))
        .await
        .unwrap();
    assert_eq!(exported(&dir).await, 700);
    for (path, bytes) in tiles_of(&written) {
        assert_eq!(std::fs::read(dir.join(&path)).unwrap(), bytes, "{path}");
    }
    std::fs::remove_dir_all(dir).unwrap();
}
