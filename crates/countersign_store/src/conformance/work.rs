use std::collections::BTreeSet;

use super::{Make, World};
use crate::{Batch, CommitError, FinishedWork, Journal, NewWork, Work};

fn new(queue: &'static str, key: &str, due_ms: i64, body: &str) -> NewWork {
    NewWork {
        queue,
        key: key.into(),
        due_ms,
        body: body.into(),
    }
}

async fn add(journal: &dyn Journal, work: impl Into<Vec<NewWork>>) {
    journal
        .commit(Batch {
            work: work.into(),
            ..Batch::default()
        })
        .await
        .unwrap();
}

fn finished(key: &str, again_at_ms: Option<i64>, must_exist: bool) -> Batch {
    let finished = FinishedWork {
        queue: "mail",
        key: key.into(),
        again_at_ms,
        must_exist,
    };
    Batch {
        finished: vec![finished],
        ..Batch::default()
    }
}

/// Takes, and tells each piece's key and attempts.
async fn take(
    journal: &dyn Journal,
    now_ms: i64,
    lease_until_ms: i64,
    limit: usize,
) -> Vec<(String, u32)> {
    let work = journal
        .take_work("mail", now_ms, lease_until_ms, limit)
        .await
        .unwrap();
    work.into_iter()
        .map(|work| (work.key, work.attempts))
        .collect()
}

fn told<const N: usize>(told: [(&str, u32); N]) -> Vec<(String, u32)> {
    told.map(|(key, attempts)| (key.to_owned(), attempts))
        .into()
}

/// Adding work under a key that is there changes nothing; each queue has its own keys.
pub async fn work_keys_are_unique(make: Make<'_>) {
    let world = World::new(make).await;
    let journal = &*world.journal;
    add(
        journal,
        [
            new("mail", "k", 10, "\"first\""),
            new("mail", "k", 5, "\"second\""),
        ],
    )
    .await;
    add(
        journal,
        [
            new("mail", "k", 1, "\"third\""),
            new("run", "k", 10, "\"other\""),
        ],
    )
    .await;
    assert_eq!(journal.take_work("mail", 9, 99, 9).await, Ok(vec![]));
    let work = |queue: &str, body: &str| Work {
        queue: queue.into(),
        key: "k".into(),
        body: body.into(),
        attempts: 0,
    };
    assert_eq!(
        journal.take_work("mail", 10, 99, 9).await,
        Ok(vec![work("mail", "\"first\"")])
    );
    // Not while it is leased either.
    add(journal, [new("mail", "k", 1, "\"fourth\"")]).await;
    assert_eq!(journal.take_work("mail", 98, 99, 9).await, Ok(vec![]));
    assert_eq!(
        journal.take_work("run", 10, 99, 9).await,
        Ok(vec![work("run", "\"other\"")])
    );
    assert_eq!(journal.take_work("other", 10, 99, 9).await, Ok(vec![]));
    // Once done for good, the key is free.
    journal.commit(finished("k", None, true)).await.unwrap();
    add(journal, [new("mail", "k", 20, "\"fifth\"")]).await;
    assert_eq!(
        journal.take_work("mail", 20, 99, 9).await,
        Ok(vec![work("mail", "\"fifth\"")])
    );
}

/// Due work comes in order of when it is due, and to nobody else until its lease runs out.
pub async fn leases_hold_until_they_run_out(make: Make<'_>) {
    let world = World::new(make).await;
    let journal = &*world.journal;
    add(
        journal,
        [
            new("mail", "late", 30, "{}"),
            new("mail", "b", 10, "{}"),
            new("mail", "a", 20, "{}"),
        ],
    )
    .await;
    add(
        journal,
        [new("mail", "c", 10, "{}"), new("run", "early", 1, "{}")],
    )
    .await;
    assert_eq!(take(journal, 9, 100, 9).await, []);
    assert_eq!(take(journal, 29, 100, 0).await, []);
    assert_eq!(take(journal, 29, 100, 1).await, told([("b", 0)]));
    assert_eq!(take(journal, 29, 200, 9).await, told([("c", 0), ("a", 0)]));
    assert_eq!(take(journal, 30, 300, 9).await, told([("late", 0)]));
    assert_eq!(take(journal, 99, 500, 9).await, []);
    assert_eq!(take(journal, 100, 500, 9).await, told([("b", 1)]));
    assert_eq!(
        take(journal, 300, 500, 9).await,
        told([("c", 1), ("a", 1), ("late", 1)])
    );
    assert_eq!(
        take(journal, 500, 600, 9).await,
        told([("b", 2), ("c", 2), ("a", 2), ("late", 2)])
    );
}

/// Finished work is gone for good or due again; finishing what is gone matters only if said so.
pub async fn work_is_moved_and_finished(make: Make<'_>) {
    let world = World::new(make).await;
    let journal = &*world.journal;
    add(
        journal,
        [new("mail", "a", 10, "\"a\""), new("mail", "b", 10, "\"b\"")],
    )
    .await;
    assert_eq!(
        take(journal, 10, 1_000, 9).await,
        told([("a", 0), ("b", 0)])
    );
    // Moved: the lease ends, the attempts are remembered.
    journal.commit(finished("a", Some(50), true)).await.unwrap();
    journal.commit(finished("b", None, true)).await.unwrap();
    assert_eq!(take(journal, 49, 1_000, 9).await, []);
    let again = journal.take_work("mail", 50, 1_000, 9).await;
    assert_eq!(
        again,
        Ok(vec![Work {
            queue: "mail".into(),
            key: "a".into(),
            body: "\"a\"".into(),
            attempts: 1
        }])
    );
    for batch in [
        finished("b", None, true),
        finished("b", Some(60), true),
        finished("never", None, true),
    ] {
        let answer = journal.commit(batch).await;
        assert!(
            matches!(&answer, Err(CommitError::Conflict { what }) if what.contains("mail/")),
            "{answer:?}"
        );
    }
    journal.commit(finished("b", None, false)).await.unwrap();
    journal
        .commit(finished("b", Some(60), false))
        .await
        .unwrap();
    assert_eq!(take(journal, 999, 2_000, 9).await, []);
    // Added and finished, added and moved, in batches that may share a write.
    add(journal, [new("mail", "c", 70, "{}")]).await;
    journal.commit(finished("c", Some(80), true)).await.unwrap();
    assert_eq!(take(journal, 79, 2_000, 9).await, []);
    assert_eq!(take(journal, 80, 2_000, 9).await, told([("c", 0)]));
}

/// However many take and finish at the same time, each piece goes to one of them, once.
pub async fn no_work_is_leased_twice(make: Make<'_>) {
    let world = World::new(make).await;
    let pieces: Vec<_> = (0..200)
        .map(|n| new("mail", &format!("k{n}"), 10, "{}"))
        .collect();
    add(&*world.journal, pieces).await;
    let mut takers = Vec::new();
    for _ in 0..8 {
        let journal = world.journal.clone();
        takers.push(tokio::spawn(async move {
            let mut mine = Vec::new();
            loop {
                let taken = take(&*journal, 10, 20, 7).await;
                if taken.is_empty() {
                    return mine;
                }
                for (key, attempts) in taken {
                    assert_eq!(attempts, 0);
                    journal.commit(finished(&key, None, true)).await.unwrap();
                    mine.push(key);
                }
            }
        }));
    }
    let mut taken = Vec::new();
    for taker in takers {
        taken.extend(taker.await.unwrap());
    }
    assert_eq!(taken.len(), 200);
    assert_eq!(taken.into_iter().collect::<BTreeSet<_>>().len(), 200);
}
