//! Reading several things at once, and backwards.

use super::{Make, World, append, appends, put, records, remove, stream};
use crate::{Batch, Erasure, Record};

/// What is read backwards, or by many keys or positions, is what is read forwards and one by one; what was erased is in neither.
pub async fn many_at_once_are_as_one_by_one(make: Make<'_>) {
    let world = World::new(make).await;
    let journal = &*world.journal;
    assert_eq!(journal.follow_back(u64::MAX, 10).await, Ok(vec![]));
    assert_eq!(journal.events_at(&[1, 2]).await, Ok(vec![]));
    assert_eq!(journal.get_many("apples", &["a".into()]).await, Ok(vec![]));

    // Fifty events, of which a stretch of forty is erased: a gap in the middle.
    journal
        .commit(appends([append("ann/case/1", 0, &["case.opened"; 5])]))
        .await
        .unwrap();
    journal
        .commit(appends([append("bob/case/2", 0, &["case.opened"; 40])]))
        .await
        .unwrap();
    journal
        .commit(appends([append("ann/case/1", 5, &["case.proved"; 4])]))
        .await
        .unwrap();
    let erase = Batch {
        erased: vec![Erasure {
            stream: stream("bob/case/2"),
            expected: 40,
        }],
        appends: vec![append("gate/log", 0, &["customer.erased"])],
        ..Batch::default()
    };
    journal.commit(erase).await.unwrap();

    let mut all = journal.follow(0, usize::MAX).await.unwrap();
    assert_eq!(all.len(), 10);
    let forwards = all.clone();
    all.reverse();
    for before in [0, 1, 2, 6, 20, 46, 47, 50, 51, u64::MAX] {
        for limit in [0, 1, 3, 4, 100] {
            let expected: Vec<_> = all
                .iter()
                .filter(|event| event.position < before)
                .take(limit)
                .cloned()
                .collect();
            let found = journal.follow_back(before, limit).await.unwrap();
            assert_eq!(found, expected, "{limit} before {before}");
        }
    }
    for positions in [
        vec![],
        vec![3],
        vec![50, 3, 3, 20, 0, 999],
        (0..60).collect(),
    ] {
        let expected: Vec<_> = forwards
            .iter()
            .filter(|event| positions.contains(&event.position))
            .cloned()
            .collect();
        assert_eq!(journal.events_at(&positions).await, Ok(expected));
    }

    journal
        .commit(records([
            put("apples", "a", "1", None),
            put("apples", "b/é", "2", None),
            put("apples", "c", "3", None),
            put("pears", "d", "4", None),
        ]))
        .await
        .unwrap();
    journal
        .commit(records([remove("apples", "c", None)]))
        .await
        .unwrap();
    let keys: Vec<String> = ["d", "c", "b/é", "a", "a", "nothing"]
        .map(String::from)
        .into();
    let found = journal.get_many("apples", &keys).await.unwrap();
    let record = |key: &str, value: &str| Record {
        key: key.into(),
        value: value.into(),
        revision: 1,
    };
    assert_eq!(found, [record("a", "1"), record("b/é", "2")]);
}
