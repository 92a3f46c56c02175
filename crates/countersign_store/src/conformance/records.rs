use super::{Make, World, assert_conflicts, assert_record, put, records, remove};
use crate::{KeyRange, RecordWrite};

/// Revisions count the writes of a key from 1, and a write may insist on one.
pub async fn records_are_compared_and_swapped(make: Make<'_>) {
    let world = World::new(make).await;
    let journal = &*world.journal;
    assert_conflicts(&world, records([put("apples", "k", "1", Some(1))])).await;
    assert_conflicts(&world, records([remove("apples", "k", Some(1))])).await;
    journal
        .commit(records([put("apples", "k", "\"ä\u{1f426}\"", Some(0))]))
        .await
        .unwrap();
    assert_record(journal, "apples", "k", Some(("\"ä\u{1f426}\"", 1))).await;
    assert_record(journal, "pears", "k", None).await;
    assert_record(journal, "apples", "K", None).await;
    for wrong in [0, 2, u64::MAX] {
        assert_conflicts(&world, records([put("apples", "k", "2", Some(wrong))])).await;
        assert_conflicts(&world, records([remove("apples", "k", Some(wrong))])).await;
    }
    journal
        .commit(records([put("apples", "k", "2", Some(1))]))
        .await
        .unwrap();
    journal
        .commit(records([put("apples", "k", "2", None)]))
        .await
        .unwrap();
    assert_record(journal, "apples", "k", Some(("2", 3))).await;
    journal
        .commit(records([remove("apples", "k", Some(3))]))
        .await
        .unwrap();
    assert_record(journal, "apples", "k", None).await;
    // Removed is as if never written.
    journal
        .commit(records([
            remove("apples", "k", Some(0)),
            remove("apples", "k", None),
        ]))
        .await
        .unwrap();
    journal
        .commit(records([put("apples", "k", "4", Some(0))]))
        .await
        .unwrap();
    assert_record(journal, "apples", "k", Some(("4", 1))).await;
}

/// From the millisecond it expires a record is as if never written: not got, not scanned, not
/// counted towards a limit, not in the way of a new one.
pub async fn expired_records_are_never_read_again(make: Make<'_>) {
    let world = World::new(make).await;
    let journal = &*world.journal;
    let expiring = |key: &str, value: &str, expected, expires_ms| RecordWrite {
        expires_ms: Some(expires_ms),
        ..put("apples", key, value, expected)
    };
    world.set_time(1_000);
    let all = || KeyRange {
        from: "a".into(),
        to: "z".into(),
        reverse: false,
    };
    journal
        .commit(records([
            expiring("a", "1", Some(0), 2_000),
            expiring("b", "1", Some(0), 3_000),
            put("apples", "c", "1", Some(0)),
            expiring("dead", "1", Some(0), 1_000),
        ]))
        .await
        .unwrap();
    assert_record(journal, "apples", "dead", None).await;
    world.set_time(1_999);
    assert_record(journal, "apples", "a", Some(("1", 1))).await;
    assert_conflicts(&world, records([expiring("a", "2", Some(0), 9_000)])).await;
    journal
        .commit(records([expiring("b", "2", Some(1), 2_500)]))
        .await
        .unwrap();
    world.set_time(2_000);
    assert_record(journal, "apples", "a", None).await;
    assert_record(journal, "apples", "b", Some(("2", 2))).await;
    let keys: Vec<_> = journal
        .scan("apples", all(), 1)
        .await
        .unwrap()
        .into_iter()
        .map(|record| record.key)
        .collect();
    assert_eq!(keys, ["b"]);
    assert_conflicts(&world, records([put("apples", "a", "2", Some(1))])).await;
    // Written again without an expiry, it stays.
    journal
        .commit(records([
            put("apples", "a", "2", Some(0)),
            put("apples", "b", "3", Some(2)),
        ]))
        .await
        .unwrap();
    world.set_time(i64::MAX - 1);
    assert_record(journal, "apples", "a", Some(("2", 1))).await;
    assert_record(journal, "apples", "b", Some(("3", 3))).await;

    // A great many expired ones are no burden, and the live ones among them survive.
    world.set_time(10_000);
    let many = (0..2_000).map(|n| {
        expiring(
            &format!("m{n:04}"),
            "1",
            None,
            if n == 1_234 { 99_999 } else { 11_000 },
        )
    });
    journal
        .commit(records(many.collect::<Vec<_>>()))
        .await
        .unwrap();
    world.set_time(20_000);
    for turn in 0..20 {
        world.set_time(20_000 + turn * 2_000);
        journal
            .commit(records([put("pears", "tick", "1", None)]))
            .await
            .unwrap();
    }
    let left = journal
        .scan(
            "apples",
            KeyRange {
                from: "m".into(),
                to: "n".into(),
                reverse: false,
            },
            9_999,
        )
        .await
        .unwrap();
    assert_eq!(
        left.iter().map(|record| &*record.key).collect::<Vec<_>>(),
        ["m1234"]
    );
    assert_record(journal, "apples", "m1234", Some(("1", 1))).await;
}

/// Scans go by the bytes of the keys, from the first bound up to but not including the second.
pub async fn scans_are_ordered_and_bounded(make: Make<'_>) {
    let world = World::new(make).await;
    let journal = &*world.journal;
    let keys = [
        "", "A", "a", "a/1", "a/10", "a/2", "ab", "b", "ä", "\u{ff5e}", "🐦",
    ];
    let mut shuffled = keys;
    shuffled.reverse();
    journal
        .commit(records(
            shuffled.map(|key| put("apples", key, "1", Some(0))),
        ))
        .await
        .unwrap();
    journal
        .commit(records([put("pears", "a/3", "1", Some(0))]))
        .await
        .unwrap();

    let expected = |from: &str, to: &str| -> Vec<String> {
        keys.iter()
            .filter(|key| **key >= from && **key < to)
            .map(|key| (*key).to_owned())
            .collect()
    };
    for (from, to) in [
        ("", "\u{10ffff}"),
        ("a", "b"),
        ("a/", "a0"),
        ("a/1", "a/2"),
        ("a/10", "a/2"),
        ("b", "a"),
        ("a", "a"),
        ("c", "z"),
        ("b", "\u{ff5e}"),
        ("ä", "🐦"),
    ] {
        for limit in [0, 1, 2, usize::MAX] {
            for reverse in [false, true] {
                let mut expected = expected(from, to);
                if reverse {
                    expected.reverse();
                }
                expected.truncate(limit);
                let range = KeyRange {
                    from: from.into(),
                    to: to.into(),
                    reverse,
                };
                let count = journal.count("apples", range.clone(), limit).await;
                assert_eq!(count, Ok(expected.len()), "{from} to {to}");
                let found = journal.scan("apples", range, limit).await.unwrap();
                let found: Vec<_> = found.into_iter().map(|record| record.key).collect();
                assert_eq!(found, expected, "{from:?}..{to:?}, {limit}, {reverse}");
            }
        }
    }
}
