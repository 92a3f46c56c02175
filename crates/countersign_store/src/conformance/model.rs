//! Random batches against the plainest store one can write down.

use std::collections::BTreeMap;

use super::{Make, SPACES, World};
use crate::{
    Append, Batch, CommitError, Erasure, FinishedWork, KeyRange, NewEvent, NewWork, Record,
    RecordWrite, StreamKey,
};

const QUEUES: [&str; 2] = ["mail", "run"];

/// What a store holds, copied whole for each batch so that nothing need be undone.
#[derive(Clone, Default)]
struct Model {
    /// Of the newest event there ever was.
    position: u64,
    events: Vec<(String, u64, String, Option<u64>)>,
    records: BTreeMap<(&'static str, String), (String, u64, Option<i64>)>,
    /// Due, leased until, attempts, body.
    work: BTreeMap<(&'static str, String), (i64, i64, u32, String)>,
    leaves: u64,
}

impl Model {
    fn length(&self, stream: &str) -> u64 {
        self.events.iter().filter(|(of, ..)| of == stream).count() as u64
    }

    fn after(mut self, batch: &Batch, now_ms: i64) -> Option<Self> {
        for erasure in &batch.erased {
            if self.length(&erasure.stream.0) != erasure.expected {
                return None;
            }
            self.events.retain(|(of, ..)| *of != erasure.stream.0);
        }
        for append in &batch.appends {
            if self.length(&append.stream.0) != append.expected {
                return None;
            }
            for event in &append.events {
                let sequence = self.length(&append.stream.0) + 1;
                let leaf = event.leaf.map(|leaf| self.leaves + leaf as u64);
                self.position += 1;
                self.events
                    .push((append.stream.0.clone(), sequence, event.data.clone(), leaf));
            }
        }
        self.leaves += batch.leaves.len() as u64;
        for write in &batch.records {
            self.records
                .retain(|_, (.., expires)| expires.is_none_or(|expires| expires > now_ms));
            let place = (write.space, write.key.clone());
            let revision = self
                .records
                .get(&place)
                .map_or(0, |(_, revision, _)| *revision);
            if write.expected.is_some_and(|expected| expected != revision) {
                return None;
            }
            match &write.value {
                Some(value) => self
                    .records
                    .insert(place, (value.clone(), revision + 1, write.expires_ms)),
                None => self.records.remove(&place),
            };
        }
        for finished in &batch.finished {
            let place = (finished.queue, finished.key.clone());
            match (self.work.get_mut(&place), finished.again_at_ms) {
                (None, _) if finished.must_exist => return None,
                (None, _) => {}
                (Some(work), Some(due)) => (work.0, work.1) = (due, i64::MIN),
                (Some(_), None) => {
                    self.work.remove(&place);
                }
            }
        }
        for new in &batch.work {
            let place = (new.queue, new.key.clone());
            self.work
                .entry(place)
                .or_insert((new.due_ms, i64::MIN, 0, new.body.clone()));
        }
        Some(self)
    }

    fn take(
        &mut self,
        queue: &str,
        now_ms: i64,
        until_ms: i64,
        limit: usize,
    ) -> Vec<(String, String, u32)> {
        let mut due: Vec<_> = self
            .work
            .iter_mut()
            .filter(|((of, _), (due, leased, ..))| {
                *of == queue && *due <= now_ms && *leased <= now_ms
            })
            .collect();
        due.sort_by_key(|((_, key), (due, ..))| (*due, key.clone()));
        due.into_iter()
            .take(limit)
            .map(|((_, key), (_, leased, attempts, body))| {
                *leased = until_ms;
                *attempts += 1;
                (key.clone(), body.clone(), *attempts - 1)
            })
            .collect()
    }
}

/// SplitMix64: the same walk every time, without a dependency.
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }

    fn one_in(&mut self, sides: u64) -> bool {
        self.below(sides) == 0
    }

    fn of<T: Copy>(&mut self, from: &[T]) -> T {
        from[usize::try_from(self.below(from.len() as u64)).unwrap()]
    }

    fn batch(&mut self, model: &Model, now_ms: i64) -> Batch {
        let mut batch = Batch::default();
        for _ in 0..self.below(3) {
            batch.leaves.push(self.below(1_000).to_be_bytes().to_vec());
        }
        let lost = self.of(&["ann/a", "ann/b", "bob/a"]);
        if self.one_in(6) && model.length(lost) > 0 {
            batch.erased.push(Erasure {
                stream: StreamKey(lost.into()),
                expected: model.length(lost) + u64::from(self.one_in(8)),
            });
            batch.appends.push(Append {
                stream: StreamKey("gate/log".into()),
                expected: model.length("gate/log"),
                events: vec![NewEvent {
                    kind: "erased".into(),
                    version: 1,
                    at_ms: now_ms,
                    data: "{}".into(),
                    leaf: None,
                }],
            });
        }
        for _ in 0..self.below(3) {
            let name = self.of(&["ann/a", "ann/b", "bob/a"]);
            let staged: usize = batch
                .appends
                .iter()
                .filter(|append| append.stream.0 == name)
                .map(|append| append.events.len())
                .sum();
            let stored = if batch.erased.iter().any(|gone| gone.stream.0 == name) {
                0
            } else {
                model.length(name)
            };
            let expected = stored + staged as u64 + u64::from(self.one_in(12));
            let events = (0..=self.below(2))
                .map(|_| NewEvent {
                    kind: "k".into(),
                    version: 1,
                    at_ms: now_ms,
                    data: self.below(1_000).to_string(),
                    leaf: (0..batch.leaves.len())
                        .next_back()
                        .filter(|_| self.one_in(2)),
                })
                .collect();
            batch.appends.push(Append {
                stream: StreamKey(name.into()),
                expected,
                events,
            });
        }
        for _ in 0..self.below(4) {
            let (space, key) = (self.of(&SPACES), self.of(&["a", "b", "c", "d"]));
            let revision = model
                .records
                .get(&(space, key.to_owned()))
                .filter(|(.., expires)| expires.is_none_or(|expires| expires > now_ms))
                .map_or(0, |(_, revision, _)| *revision);
            batch.records.push(RecordWrite {
                space,
                key: key.into(),
                value: (!self.one_in(4)).then(|| self.below(1_000).to_string()),
                expected: self.one_in(2).then(|| revision + u64::from(self.one_in(8))),
                expires_ms: self
                    .one_in(3)
                    .then(|| now_ms + i64::try_from(self.below(30)).unwrap()),
            });
        }
        for _ in 0..self.below(3) {
            batch.work.push(NewWork {
                queue: self.of(&QUEUES),
                key: self.of(&["a", "b", "c", "d", "e"]).into(),
                due_ms: now_ms + i64::try_from(self.below(20)).unwrap(),
                body: self.below(1_000).to_string(),
            });
        }
        for _ in 0..self.below(2) {
            batch.finished.push(FinishedWork {
                queue: self.of(&QUEUES),
                key: self.of(&["a", "b", "c", "d", "e"]).into(),
                again_at_ms: self
                    .one_in(2)
                    .then(|| now_ms + i64::try_from(self.below(20)).unwrap()),
                must_exist: self.one_in(3),
            });
        }
        batch
    }
}

/// Over a long random walk of batches, takings and passing time, the store answers and holds
/// what a naive model does.
pub async fn agrees_with_the_model(make: Make<'_>) {
    for seed in 0..3 {
        let (mut dice, mut model, mut now_ms) = (Dice(seed), Model::default(), 0);
        let world = World::new(make).await;
        let (mut written, mut refused) = (0, 0);
        for step in 0..250 {
            now_ms += i64::try_from(dice.below(10)).unwrap();
            world.set_time(now_ms);
            let batch = dice.batch(&model, now_ms);
            let after = model.clone().after(&batch, now_ms);
            let answer = world.journal.commit(batch.clone()).await;
            let at = format!("seed {seed}, step {step}, {batch:?}");
            match (after, answer) {
                (Some(after), Ok(committed)) => {
                    assert_eq!(committed.position, after.position, "{at}");
                    assert_eq!(committed.tree_size, after.leaves, "{at}");
                    assert_eq!(committed.first_leaf, model.leaves, "{at}");
                    model = after;
                    written += 1;
                }
                (None, Err(CommitError::Conflict { .. })) => refused += 1,
                (after, answer) => assert_eq!(after.is_some(), answer.is_ok(), "{at}: {answer:?}"),
            }
            if dice.one_in(3) {
                let (queue, limit) = (dice.of(&QUEUES), usize::try_from(dice.below(4)).unwrap());
                let taken = world
                    .journal
                    .take_work(queue, now_ms, now_ms + 15, limit)
                    .await
                    .unwrap();
                let taken: Vec<_> = taken
                    .into_iter()
                    .map(|work| (work.key, work.body, work.attempts))
                    .collect();
                assert_eq!(taken, model.take(queue, now_ms, now_ms + 15, limit), "{at}");
            }
            for space in SPACES {
                let all = KeyRange {
                    from: String::new(),
                    to: "z".into(),
                    reverse: false,
                };
                let live: Vec<_> = model
                    .records
                    .iter()
                    .filter(|((of, _), (.., expires))| {
                        *of == space && expires.is_none_or(|expires| expires > now_ms)
                    })
                    .map(|((_, key), (value, revision, _))| Record {
                        key: key.clone(),
                        value: value.clone(),
                        revision: *revision,
                    })
                    .collect();
                assert_eq!(
                    world.journal.scan(space, all, 99).await.unwrap(),
                    live,
                    "{at}"
                );
            }
        }
        assert!(
            written > 100 && refused > 20,
            "a walk that tries little: {written} written, {refused} refused"
        );
        let events = world.journal.follow(0, usize::MAX).await.unwrap();
        let told: Vec<_> = events
            .into_iter()
            .map(|event| (event.stream.0, event.sequence, event.data, event.leaf))
            .collect();
        assert_eq!(told, model.events);
    }
}
