//! Callers behind a store that loses and half-loses writes.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests, which clippy does not see as tests"
)]

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use countersign_store::{
    Append, Batch, CommitError, Fault, Faulty, Journal, MemoryJournal, NewEvent, NewWork,
    SharedJournal, SqliteJournal, StoreError, StreamKey, Write, conformance::RecordingSigner,
};

fn batch(expected: u64) -> Batch {
    Batch {
        appends: vec![Append {
            stream: StreamKey("ann/a".into()),
            expected,
            events: vec![NewEvent {
                kind: "k".into(),
                version: 1,
                at_ms: 0,
                data: expected.to_string(),
                leaf: Some(0),
            }],
        }],
        work: vec![NewWork {
            queue: "mail",
            key: expected.to_string(),
            due_ms: 0,
            body: "{}".into(),
        }],
        leaves: vec![expected.to_string().into_bytes()],
        ..Batch::default()
    }
}

/// Both stores, each with the signer whose audit it must pass.
async fn stores(folder: &tempfile::TempDir) -> Vec<(SharedJournal, Arc<RecordingSigner>)> {
    let [one, two] = [(); 2].map(|()| Arc::new(RecordingSigner::default()));
    let sqlite = SqliteJournal::open(folder.path().join("j.db"), two.clone())
        .await
        .unwrap();
    vec![
        (Arc::new(MemoryJournal::new(one.clone())), one),
        (Arc::new(sqlite), two),
    ]
}

/// For every kind of write and every fate: what the caller hears, and what then is there.
#[tokio::test]
async fn each_write_fares_as_scheduled() {
    let folder = tempfile::tempdir().unwrap();
    for (inner, signer) in stores(&folder).await {
        let schedule: Arc<Mutex<VecDeque<(Write, Fault)>>> = Arc::default();
        let faulty = Faulty::new(inner.clone(), {
            let schedule = schedule.clone();
            move |write| {
                let (expected, fault) = schedule
                    .lock()
                    .unwrap()
                    .pop_front()
                    .expect("an unscheduled write");
                assert_eq!(write, expected);
                fault
            }
        });
        for write in Write::ALL {
            for fault in Fault::ALL {
                let length = inner
                    .read(&StreamKey("ann/a".into()), 0)
                    .await
                    .unwrap()
                    .len() as u64;
                inner.commit(batch(length)).await.unwrap();
                schedule.lock().unwrap().push_back((write, fault));
                let landed = match write {
                    Write::Commit => {
                        let answer = faulty.commit(batch(length + 1)).await;
                        match fault {
                            Fault::None => assert_eq!(answer.unwrap().position, length + 2),
                            _ => assert!(
                                matches!(answer, Err(CommitError::Unavailable(_))),
                                "{answer:?}"
                            ),
                        }
                        let now = faulty
                            .read(&StreamKey("ann/a".into()), 0)
                            .await
                            .unwrap()
                            .len() as u64;
                        now == length + 2
                    }
                    Write::TakeWork => {
                        let answer = faulty.take_work("mail", 0, i64::MAX, 99).await;
                        match fault {
                            Fault::None => assert!(!answer.unwrap().is_empty()),
                            _ => assert!(matches!(answer, Err(StoreError(_))), "{answer:?}"),
                        }
                        inner
                            .take_work("mail", 0, i64::MAX, 99)
                            .await
                            .unwrap()
                            .is_empty()
                    }
                };
                assert_eq!(landed, fault != Fault::Lost, "{write:?} {fault:?}");
                signer.audit(&faulty, None).await;
            }
        }
        assert_eq!(schedule.lock().unwrap().len(), 0);
    }
}

/// A caller that reads before it tries again writes everything exactly once, whatever is lost.
#[tokio::test]
async fn a_caller_that_reads_first_writes_once() {
    let folder = tempfile::tempdir().unwrap();
    for (inner, signer) in stores(&folder).await {
        let mut dice = 7_u64;
        let faulty = Faulty::new(inner, move |_| {
            dice = dice
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            Fault::ALL[usize::try_from(dice >> 33).unwrap() % 3]
        });
        let stream = StreamKey("ann/a".into());
        let mut unheard = 0;
        loop {
            let length = faulty.read(&stream, 0).await.unwrap().len() as u64;
            if length == 60 {
                break;
            }
            match faulty.commit(batch(length)).await {
                Ok(committed) => assert_eq!(committed.position, length + 1),
                Err(CommitError::Unavailable(_)) => unheard += 1,
                Err(error) => panic!("{error}"),
            }
        }
        assert!(unheard > 20, "{unheard}");
        let events = faulty.read(&stream, 0).await.unwrap();
        assert!(
            (0..60).eq(events
                .iter()
                .map(|event| event.data.parse::<u64>().unwrap()))
        );
        let (_, leaves) = signer.audit(&faulty, None).await;
        assert!(
            leaves
                .iter()
                .eq(events.iter().map(|event| event.data.as_bytes()))
        );
    }
}
