use super::{
    Make, World, append, appends, assert_conflicts, assert_record, event, leaves, put, records,
    remove, stream,
};
use crate::{
    Append, Batch, CommitError, Committed, Erasure, FinishedWork, LEAF_BYTES_MAX, NewWork,
    StreamKey, Work,
};

fn new_work(key: &str) -> NewWork {
    NewWork {
        queue: "mail",
        key: key.into(),
        due_ms: 10,
        body: "{}".into(),
    }
}

fn done(key: &str) -> FinishedWork {
    FinishedWork {
        queue: "mail",
        key: key.into(),
        again_at_ms: None,
        must_exist: true,
    }
}

/// A batch in which one thing conflicts writes none of the others, whichever thing it is.
pub async fn a_batch_is_all_or_nothing(make: Make<'_>) {
    let world = World::new(make).await;
    let journal = &*world.journal;
    let first = Batch {
        appends: vec![append("ann/a", 0, &["x"]), append("ann/lost", 0, &["x"])],
        records: vec![put("apples", "held", "1", Some(0))],
        work: vec![new_work("held")],
        leaves: vec![b"first".to_vec()],
        ..Batch::default()
    };
    journal.commit(first).await.unwrap();

    let lost = |expected| Erasure {
        stream: StreamKey("ann/lost".into()),
        expected,
    };
    let good = Batch {
        erased: vec![lost(1)],
        appends: vec![append("ann/a", 1, &["y"]), append("ann/b", 0, &["z"])],
        records: vec![
            put("apples", "held", "2", Some(1)),
            put("pears", "new", "1", None),
            remove("apples", "gone", None),
        ],
        work: vec![new_work("new")],
        finished: vec![done("held")],
        leaves: vec![b"second".to_vec(), b"third".to_vec()],
    };
    let stale_stream = append("ann/c", 4, &["w"]);
    let stale_record = put("apples", "held", "3", Some(7));
    let gone_record = remove("apples", "gone", Some(1));
    let taken_record = put("apples", "held", "3", Some(0));
    let spoiled = [
        Batch {
            appends: [&good.appends[..], &[stale_stream]].concat(),
            ..good.clone()
        },
        Batch {
            erased: vec![lost(2)],
            ..good.clone()
        },
        Batch {
            records: [&good.records[..], &[stale_record]].concat(),
            ..good.clone()
        },
        Batch {
            records: [&good.records[..], &[gone_record]].concat(),
            ..good.clone()
        },
        Batch {
            records: [&good.records[..], &[taken_record]].concat(),
            ..good.clone()
        },
        Batch {
            finished: [&good.finished[..], &[done("gone")]].concat(),
            ..good.clone()
        },
        Batch {
            finished: [&good.finished[..], &[done("held")]].concat(),
            ..good.clone()
        },
    ];
    for batch in spoiled {
        assert_conflicts(&world, batch).await;
    }
    // Neither was work added or finished.
    let held = Work {
        queue: "mail".into(),
        key: "held".into(),
        body: "{}".into(),
        attempts: 0,
    };
    assert_eq!(journal.take_work("mail", 10, 20, 9).await, Ok(vec![held]));

    assert_eq!(
        journal.commit(good).await,
        Ok(Committed {
            position: 4,
            first_leaf: 1,
            tree_size: 3
        })
    );
    assert_record(journal, "apples", "held", Some(("2", 2))).await;
    assert_record(journal, "pears", "new", Some(("1", 1))).await;
    let new = Work {
        queue: "mail".into(),
        key: "new".into(),
        body: "{}".into(),
        attempts: 0,
    };
    assert_eq!(journal.take_work("mail", 30, 40, 9).await, Ok(vec![new]));
}

/// A batch that holds nothing succeeds and says where the store is.
pub async fn an_empty_batch_changes_nothing(make: Make<'_>) {
    let world = World::new(make).await;
    let journal = &*world.journal;
    let nowhere = Committed {
        position: 0,
        first_leaf: 0,
        tree_size: 0,
    };
    assert_eq!(journal.commit(Batch::default()).await, Ok(nowhere));
    let batch = Batch {
        appends: vec![append("ann/a", 0, &["x"])],
        ..leaves([b"l".to_vec()])
    };
    journal.commit(batch).await.unwrap();
    let before = world.everything().await;
    let somewhere = journal.commit(Batch::default()).await.unwrap();
    assert_eq!((somewhere.position, somewhere.tree_size), (1, 1));
    assert_eq!(world.everything().await, before);
}

/// What can never be written is refused as malformed, whole; the longest leaf is not.
pub async fn malformed_batches_are_refused(make: Make<'_>) {
    let world = World::new(make).await;
    let journal = &*world.journal;
    let of = |leaf| Append {
        stream: stream("ann/a"),
        expected: 0,
        events: vec![event("x", Some(leaf))],
    };
    let good = Batch {
        appends: vec![of(1)],
        leaves: vec![vec![], vec![7; LEAF_BYTES_MAX]],
        ..Batch::default()
    };
    let malformed = [
        Batch {
            leaves: vec![vec![], vec![7; LEAF_BYTES_MAX + 1]],
            ..good.clone()
        },
        Batch {
            appends: vec![of(2)],
            ..good.clone()
        },
        Batch {
            appends: vec![append("ann/b", 0, &[])],
            ..good.clone()
        },
        Batch {
            appends: vec![append("ann/\0", 0, &["x"])],
            ..good.clone()
        },
        Batch {
            appends: vec![append(&"a".repeat(9_999), 0, &["x"])],
            ..good.clone()
        },
        Batch {
            records: vec![put("apples", "k\0", "1", None)],
            ..good.clone()
        },
        Batch {
            records: vec![put("apples", "k", "\0", None)],
            ..good.clone()
        },
        Batch {
            work: vec![new_work("k\0")],
            ..good.clone()
        },
        Batch {
            finished: vec![done("k\0")],
            ..good.clone()
        },
    ];
    let before = world.everything().await;
    for batch in malformed {
        let answer = journal.commit(batch).await;
        assert!(
            matches!(answer, Err(CommitError::Malformed(_))),
            "{answer:?}"
        );
        assert_eq!(world.everything().await, before);
    }
    assert_eq!(
        journal.commit(good).await,
        Ok(Committed {
            position: 1,
            first_leaf: 0,
            tree_size: 2
        })
    );
    let mut bundle = vec![0, 0, 0xff, 0xff];
    bundle.resize(4 + LEAF_BYTES_MAX, 7);
    assert_eq!(journal.tile("tile/entries/000.p/2").await, Ok(Some(bundle)));
}

/// Each part of a batch is held against what the parts before it did.
pub async fn one_batch_takes_effect_in_order(make: Make<'_>) {
    let world = World::new(make).await;
    let journal = &*world.journal;
    let batch = Batch {
        appends: vec![
            append("ann/a", 0, &["x"]),
            append("ann/b", 0, &["y"]),
            append("ann/a", 1, &["z"]),
        ],
        records: vec![
            put("apples", "k", "1", Some(0)),
            put("apples", "k", "2", Some(1)),
            put("apples", "gone", "1", Some(0)),
            remove("apples", "gone", Some(1)),
            put("apples", "back", "1", None),
            remove("apples", "back", None),
            put("apples", "back", "2", Some(0)),
        ],
        ..Batch::default()
    };
    journal.commit(batch).await.unwrap();
    let kinds: Vec<_> = journal
        .read(&stream("ann/a"), 0)
        .await
        .unwrap()
        .into_iter()
        .map(|event| event.kind)
        .collect();
    assert_eq!(kinds, ["x", "z"]);
    assert_record(journal, "apples", "k", Some(("2", 2))).await;
    assert_record(journal, "apples", "gone", None).await;
    assert_record(journal, "apples", "back", Some(("2", 1))).await;
    assert_conflicts(
        &world,
        appends([append("ann/b", 1, &["x"]), append("ann/b", 1, &["y"])]),
    )
    .await;
    assert_conflicts(
        &world,
        records([
            put("apples", "k", "3", Some(2)),
            put("apples", "k", "4", Some(2)),
        ]),
    )
    .await;

    // Finished first, then added: the new work stands, under the old key too.
    journal
        .commit(Batch {
            work: vec![new_work("turn")],
            ..Batch::default()
        })
        .await
        .unwrap();
    let turned = Batch {
        work: vec![NewWork {
            body: "2".into(),
            ..new_work("turn")
        }],
        finished: vec![done("turn")],
        ..Batch::default()
    };
    journal.commit(turned).await.unwrap();
    let work = journal.take_work("mail", 10, 20, 9).await.unwrap();
    assert_eq!(
        work,
        [Work {
            queue: "mail".into(),
            key: "turn".into(),
            body: "2".into(),
            attempts: 0
        }]
    );
}

/// Of many that expect the same version, exactly one succeeds and the rest learn of a conflict;
/// their neighbours are not disturbed.
pub async fn one_of_many_contenders_wins(make: Make<'_>) {
    const CONTENDERS: usize = 24;
    let world = World::new(make).await;
    for round in 0..5 {
        let mut contenders = Vec::new();
        for contender in 0..CONTENDERS {
            let journal = world.journal.clone();
            contenders.push(tokio::spawn(async move {
                let contested = Batch {
                    records: vec![put("apples", "prize", &contender.to_string(), Some(round))],
                    appends: vec![Append {
                        stream: StreamKey("ann/prize".into()),
                        expected: round,
                        events: vec![event("won", Some(0))],
                    }],
                    leaves: vec![format!("{round} {contender}").into_bytes()],
                    ..Batch::default()
                };
                let own = format!("c{contender}/own");
                let alone = appends([append(&own, round, &["ran"])]);
                let (contested, alone) =
                    tokio::join!(journal.commit(contested), journal.commit(alone));
                alone.unwrap();
                contested.map(|committed| (contender, committed.first_leaf))
            }));
        }
        let mut winners = Vec::new();
        for contender in contenders {
            match contender.await.unwrap() {
                Ok(winner) => winners.push(winner),
                Err(error) => assert!(matches!(error, CommitError::Conflict { .. }), "{error:?}"),
            }
        }
        let [(winner, first_leaf)] = winners[..] else {
            assert_eq!(winners.len(), 1, "{winners:?}");
            return;
        };
        assert_eq!(first_leaf, round);
        assert_record(
            &*world.journal,
            "apples",
            "prize",
            Some((&winner.to_string(), round + 1)),
        )
        .await;
        let last = world
            .journal
            .read(&stream("ann/prize"), round)
            .await
            .unwrap();
        assert_eq!(last.len(), 1);
        assert_eq!(last[0].leaf, Some(round));
    }
    let total = world.journal.follow(0, usize::MAX).await.unwrap().len();
    assert_eq!(total, 5 * (CONTENDERS + 1));
}
