use super::{Make, SPACES, World, append, appends, assert_conflicts, event, stream};
use crate::{Append, Batch, CommitError, Committed, Erasure, KeyRange, NewEvent, StoredEvent};

/// Nothing is in a new store, and its ledger is the empty one, signed.
pub async fn a_new_store_is_empty(make: Make<'_>) {
    let world = World::new(make).await;
    let journal = &*world.journal;
    assert_eq!(journal.read(&stream("ann/case"), 0).await, Ok(vec![]));
    assert_eq!(journal.follow(0, 100).await, Ok(vec![]));
    for space in SPACES {
        let all = KeyRange {
            from: String::new(),
            to: "~".into(),
            reverse: false,
        };
        assert_eq!(journal.scan(space, all, 100).await, Ok(vec![]));
        assert_eq!(journal.get(space, "k").await, Ok(None));
    }
    assert_eq!(
        journal.take_work("mail", i64::MAX - 1, i64::MAX, 100).await,
        Ok(vec![])
    );
    assert_eq!(*journal.watch().borrow(), 0);

    let empty = countersign_ledger::empty_root();
    assert_eq!(journal.checkpoint().await, Ok(world.signer.note(0, empty)));
    for path in [
        "tile/0/000",
        "tile/0/000.p/1",
        "tile/entries/000.p/1",
        "checkpoint",
        "",
        "../x",
    ] {
        assert_eq!(journal.tile(path).await, Ok(None), "{path}");
    }
}

/// Every field of an event is kept; positions count all events, sequences those of a stream.
pub async fn events_come_back_as_written(make: Make<'_>) {
    let world = World::new(make).await;
    let journal = &*world.journal;
    let data = "{\"text\":\"it's “quoted”, \\u0000 and 🐦\",\"n\":1.50}";
    let batch = Batch {
        appends: vec![
            Append {
                stream: stream("ann/case/1"),
                expected: 0,
                events: vec![
                    event("case.opened", Some(1)),
                    NewEvent {
                        kind: "case.proved".into(),
                        version: u16::MAX,
                        at_ms: -5,
                        data: data.into(),
                        leaf: Some(0),
                    },
                ],
            },
            append("bob/case/2", 0, &["case.opened"]),
        ],
        leaves: vec![b"zero".to_vec(), b"one".to_vec()],
        ..Batch::default()
    };
    let first = journal.commit(batch).await.unwrap();
    assert_eq!(
        first,
        Committed {
            position: 3,
            first_leaf: 0,
            tree_size: 2
        }
    );
    let second = Batch {
        appends: vec![Append {
            stream: stream("ann/case/1"),
            expected: 2,
            events: vec![event("case.stopped", Some(0))],
        }],
        leaves: vec![b"two".to_vec()],
        ..Batch::default()
    };
    let second = journal.commit(second).await.unwrap();
    assert_eq!(
        second,
        Committed {
            position: 4,
            first_leaf: 2,
            tree_size: 3
        }
    );

    let ann = journal.read(&stream("ann/case/1"), 0).await.unwrap();
    let told: Vec<_> = ann
        .iter()
        .map(|event| (event.position, event.sequence, &*event.kind, event.leaf))
        .collect();
    assert_eq!(
        told,
        [
            (1, 1, "case.opened", Some(1)),
            (2, 2, "case.proved", Some(0)),
            (4, 3, "case.stopped", Some(2))
        ]
    );
    assert_eq!(
        ann[1],
        StoredEvent {
            position: 2,
            stream: stream("ann/case/1"),
            sequence: 2,
            kind: "case.proved".into(),
            version: u16::MAX,
            at_ms: -5,
            data: data.into(),
            leaf: Some(0),
        }
    );
    assert_eq!(
        journal.read(&stream("ann/case/1"), 2).await.unwrap(),
        ann[2..]
    );
    assert_eq!(journal.read(&stream("ann/case/1"), 3).await, Ok(vec![]));
    assert_eq!(
        journal.read(&stream("ann/case/1"), u64::MAX).await,
        Ok(vec![])
    );
    assert_eq!(journal.read(&stream("ann/case"), 0).await, Ok(vec![]));
    assert_eq!(journal.read(&stream("ANN/CASE/1"), 0).await, Ok(vec![]));

    let all = journal.follow(0, 100).await.unwrap();
    assert_eq!(
        all.iter().map(|event| event.position).collect::<Vec<_>>(),
        [1, 2, 3, 4]
    );
    assert_eq!(all[2].stream, stream("bob/case/2"));
    assert_eq!(all[2].leaf, None);
    assert_eq!(journal.follow(1, 2).await.unwrap(), all[1..3]);
    assert_eq!(journal.follow(1, 0).await, Ok(vec![]));
    assert_eq!(journal.follow(4, 100).await, Ok(vec![]));
    assert_eq!(journal.follow(u64::MAX, usize::MAX).await, Ok(vec![]));
}

/// An append at any other version than the stream's is a conflict.
pub async fn streams_grow_only_at_the_expected_version(make: Make<'_>) {
    let world = World::new(make).await;
    let journal = &*world.journal;
    assert_conflicts(&world, appends([append("ann/a", 1, &["x"])])).await;
    journal
        .commit(appends([append("ann/a", 0, &["x", "y"])]))
        .await
        .unwrap();
    for wrong in [0, 1, 3, u64::MAX] {
        assert_conflicts(&world, appends([append("ann/a", wrong, &["z"])])).await;
    }
    journal
        .commit(appends([append("ann/a", 2, &["z"])]))
        .await
        .unwrap();
    let stale = journal.commit(appends([append("ann/a", 2, &["z"])])).await;
    assert!(
        matches!(&stale, Err(CommitError::Conflict { what }) if what.contains("ann/a")),
        "{stale:?}"
    );
}

/// While many write, a follower that waits on the watch sees each event once, in order and
/// without gaps, and everything that was acknowledged.
pub async fn followers_see_everything_once_in_order(make: Make<'_>) {
    const WRITERS: u64 = 8;
    const EACH: u64 = 25;
    let world = World::new(make).await;

    let follower = tokio::spawn({
        let journal = world.journal.clone();
        async move {
            let mut watch = journal.watch();
            let mut seen: Vec<StoredEvent> = Vec::new();
            while (seen.len() as u64) < WRITERS * EACH {
                let after = seen.last().map_or(0, |event| event.position);
                let news = journal.follow(after, 7).await.unwrap();
                if news.is_empty() && *watch.borrow_and_update() <= after {
                    watch.changed().await.unwrap();
                }
                for event in news {
                    let next = seen.last().map_or(1, |last| last.position + 1);
                    assert_eq!(event.position, next);
                    seen.push(event);
                }
            }
            seen
        }
    });
    let mut writers = Vec::new();
    for writer in 0..WRITERS {
        let journal = world.journal.clone();
        writers.push(tokio::spawn(async move {
            let mut positions = Vec::new();
            for turn in 0..EACH {
                let name = format!("w{writer}/s");
                let committed = journal
                    .commit(appends([append(&name, turn, &["tick"])]))
                    .await
                    .unwrap();
                // What was acknowledged can be read at once.
                let mine = journal.read(&stream(&name), turn).await.unwrap();
                assert_eq!(mine.len(), 1);
                assert!(mine[0].position <= committed.position);
                assert!(*journal.watch().borrow() >= mine[0].position);
                positions.push(mine[0].position);
            }
            positions
        }));
    }
    let mut acknowledged = Vec::new();
    for writer in writers {
        let positions = writer.await.unwrap();
        assert!(positions.is_sorted());
        acknowledged.extend(positions);
    }
    acknowledged.sort_unstable();
    let seen = follower.await.unwrap();
    assert_eq!(
        seen.iter().map(|event| event.position).collect::<Vec<_>>(),
        acknowledged
    );
    assert_eq!(world.journal.follow(0, usize::MAX).await.unwrap(), seen);
}

/// An erased stream is as one that never was, to readers and followers; its leaves stay, and positions go on.
pub async fn erased_streams_are_gone_and_the_ledger_stays(make: Make<'_>) {
    let world = World::new(make).await;
    let journal = &*world.journal;
    let written = Batch {
        appends: vec![
            Append {
                stream: stream("ann/case/1"),
                expected: 0,
                events: vec![
                    event("case.opened", Some(0)),
                    event("case.stopped", Some(1)),
                ],
            },
            append("ann/case/10", 0, &["case.opened"]),
            append("bob/case/2", 0, &["case.opened"]),
            append("ann/account", 0, &["customer.put"]),
        ],
        leaves: vec![b"zero".to_vec(), b"one".to_vec()],
        ..Batch::default()
    };
    journal.commit(written).await.unwrap();
    let (before, leaves) = world.signer.audit(journal, None).await;
    let erase = |name: &str, expected| Erasure {
        stream: stream(name),
        expected,
    };
    let batch = |erased: Vec<Erasure>| Batch {
        erased,
        appends: vec![append("gate/log", 0, &["customer.erased"])],
        leaves: vec![b"two".to_vec()],
        ..Batch::default()
    };

    // Held against the streams as they are, all or nothing, and never without a word about it.
    for wrong in [
        vec![erase("ann/case/1", 1)],
        vec![erase("ann/case/1", 2), erase("nobody/case", 1)],
        vec![erase("ann/case/1", 2), erase("ann/case/1", 2)],
    ] {
        assert_conflicts(&world, batch(wrong)).await;
    }
    let alone = Batch {
        erased: vec![erase("ann/case/1", 2)],
        ..Batch::default()
    };
    for malformed in [alone, batch(vec![erase("nobody/case", 0)])] {
        let answer = journal.commit(malformed).await;
        assert!(
            matches!(answer, Err(CommitError::Malformed(_))),
            "{answer:?}"
        );
    }

    let committed = journal
        .commit(batch(vec![erase("ann/case/1", 2), erase("ann/account", 1)]))
        .await
        .unwrap();
    assert_eq!((committed.position, committed.tree_size), (6, 3));
    for gone in ["ann/case/1", "ann/account"] {
        assert_eq!(journal.read(&stream(gone), 0).await, Ok(vec![]), "{gone}");
    }
    let left = journal.follow(0, usize::MAX).await.unwrap();
    let left: Vec<_> = left
        .iter()
        .map(|event| (event.position, &*event.stream.0))
        .collect();
    assert_eq!(
        left,
        [(3, "ann/case/10"), (4, "bob/case/2"), (6, "gate/log")]
    );
    assert_eq!(journal.follow(4, 1).await.unwrap()[0].position, 6);
    let (_, after) = world.signer.audit(journal, Some(&before)).await;
    assert_eq!(after[..2], leaves[..], "the ledger lost a leaf");

    // The name is free again; an erasure and a new beginning may be one batch.
    journal
        .commit(appends([append("ann/account", 0, &["customer.put"])]))
        .await
        .unwrap();
    let anew = Batch {
        erased: vec![erase("ann/account", 1)],
        appends: vec![append("ann/account", 0, &["a", "b"])],
        ..Batch::default()
    };
    journal.commit(anew).await.unwrap();
    let told = journal.read(&stream("ann/account"), 0).await.unwrap();
    let told: Vec<_> = told
        .iter()
        .map(|event| (event.position, event.sequence, &*event.kind))
        .collect();
    assert_eq!(told, [(8, 1, "a"), (9, 2, "b")]);
}
