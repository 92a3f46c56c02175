//! What is kept ready for reading: the audit log's indexes and the statistics, both made from events alone.
//!
//! One worker follows the journal and writes what the next events add, together with how far it has come, in one commit: so
//! nothing counts twice and nothing is left out, whoever does it and wherever it was interrupted. Rebuilding is beginning at
//! position 0 again.
//!
//! The kept figures are counts and hold nothing of a customer; those of an erased one stay. The indexes hold positions; one
//! whose event was erased leads to nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use countersign_cases::{Event, Timestamp};
use countersign_store::{Batch, CommitError, StoredEvent, StreamKey};
use futures_util::future::try_join_all;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::{
    audit::index::{self, Block, Day},
    gate::Gate,
    records::{self, space},
    shell::said_by,
    statistics::{
        fold,
        rollup::{Rollup, Slice},
    },
    trouble::Trouble,
};

/// Grows whenever what is kept changes its shape or meaning: everything is then made again.
const SHAPE: u32 = 1;

/// The one key of the cursor.
const ONE: &str = "one";

/// Events taken at once: with what they add well under the largest batch.
const EVENTS_MAX: usize = 500;

/// Records removed at once when everything is made again.
const REMOVED_MAX: usize = 1_000;

/// The event that says of a case that it was a drill.
const DRILL_TOLD: &str = "case.drill_told";

/// Pause between two rounds while things happen: one commit of ours for many of theirs.
const PAUSE: Duration = Duration::from_millis(500);

/// Pause after a store that did not answer.
const AFTER_TROUBLE: Duration = Duration::from_secs(5);

/// How far what is kept has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cursor {
    shape: u32,
    /// Every event up to this position is in it.
    pub(crate) position: u64,
    /// How many events that were.
    pub(crate) events: u64,
}

/// The sums of one slice in one day or month, as kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeptSums {
    pub(crate) slice: Slice,
    pub(crate) sums: Rollup,
}

/// What some events add.
#[derive(Debug, Default)]
struct Added {
    sums: BTreeMap<(String, Slice), Rollup>,
    /// What had been added for cases that were now told to have been drills.
    gone: BTreeMap<(String, Slice), Rollup>,
    postings: BTreeMap<String, Vec<u64>>,
    days: BTreeMap<String, Day>,
}

impl Gate {
    /// Brings what is kept for the audit log and the statistics up to the newest event. Gives how many events were new.
    ///
    /// [`Gate::work`] does it all the time; this is for tests, measurements and the console.
    pub async fn keep_up(&self) -> Result<u64, Trouble> {
        let mut new = 0;
        loop {
            match self.keep_some().await? {
                0 => return Ok(new),
                some => new += some,
            }
        }
    }

    /// Forgets everything that is kept and makes it again from the events.
    ///
    /// What erased customers had added is then no longer in the statistics.
    pub async fn keep_anew(&self) -> Result<u64, Trouble> {
        self.forget_kept().await?;
        self.keep_up().await
    }

    /// How far what is kept has come: position and number of the last event in it.
    pub(crate) async fn kept_until(&self) -> Result<Cursor, Trouble> {
        let held = self.load::<Cursor>(space::KEPT, ONE).await?;
        Ok(held.map_or_else(Cursor::default, |held| held.value))
    }

    /// Keeps up until told to stop.
    pub(crate) async fn keep_on(&self, mut stopped: watch::Receiver<bool>) {
        let mut news = self.news();
        while !*stopped.borrow_and_update() {
            news.mark_unchanged();
            let pause = match self.keep_up().await {
                Ok(_) => PAUSE,
                Err(trouble) => {
                    tracing::error!(
                        code = trouble.code(),
                        "figures and indexes were not kept up"
                    );
                    AFTER_TROUBLE
                }
            };
            let rest = async {
                tokio::time::sleep(pause).await;
                // A store that closed tells nothing any more; the worker then waits to be stopped.
                if news.changed().await.is_err() {
                    std::future::pending::<()>().await;
                }
            };
            tokio::select! {
                () = rest => {}
                _ = stopped.changed() => {}
            }
        }
    }

    /// One batch. Gives how many events were taken; none where another gate on the same store was faster.
    async fn keep_some(&self) -> Result<u64, Trouble> {
        let held = self.load::<Cursor>(space::KEPT, ONE).await?;
        let (cursor, revision) = match held {
            Some(held) if held.value.shape == SHAPE => (held.value, held.revision),
            Some(_) => {
                self.forget_kept().await?;
                (Cursor::default(), 0)
            }
            None => (Cursor::default(), 0),
        };
        let events = self.journal().follow(cursor.position, EVENTS_MAX).await?;
        let (Some(last), taken) = (events.last(), events.len() as u64) else {
            return Ok(0);
        };
        let next = Cursor {
            shape: SHAPE,
            position: last.position,
            events: cursor.events + taken,
        };
        let added = self.added_by(&events).await?;
        let mut batch = Batch::default();
        batch
            .records
            .push(records::put(space::KEPT, ONE, &next, Some(revision))?);
        self.add_sums(&mut batch, added.sums, added.gone).await?;
        self.add_postings(&mut batch, added.postings).await?;
        self.add_days(&mut batch, added.days).await?;
        match self.commit(batch).await {
            // A conflict: somebody else wrote the same, or perhaps this very batch was written: the cursor tells next time.
            Ok(_) | Err(CommitError::Conflict { .. }) => Ok(taken),
            Err(error) => Err(error.into()),
        }
    }

    async fn added_by(&self, events: &[StoredEvent]) -> Result<Added, Trouble> {
        let mut added = Added::default();
        let mut cases = Cases::default();
        for event in events {
            for list in index::lists_of(event) {
                added.postings.entry(list).or_default().push(event.position);
            }
            let day = day_of(Timestamp(event.at_ms));
            added
                .days
                .entry(day.clone())
                .or_insert_with(|| Day::at(event.position))
                .add(event.position);
            if event.kind == DRILL_TOLD {
                for (at, slice, sums) in self.sums_of_whole(&mut cases, &event.stream).await? {
                    add_to(&mut added.gone, &day_of(at), &slice, &sums);
                }
                continue;
            }
            let Some((slice, sums)) = self.sums_of(&mut cases, event).await? else {
                continue;
            };
            add_to(&mut added.sums, &day, &slice, &sums);
        }
        Ok(added)
    }

    /// What one event adds to the statistics.
    pub(crate) async fn sums_of(
        &self,
        cases: &mut Cases,
        event: &StoredEvent,
    ) -> Result<Option<(Slice, Rollup)>, Trouble> {
        if event.kind == "customer.wrong_answer" {
            let Ok(said) = said_by::<WrongAnswer>(event) else {
                return Ok(None);
            };
            let Some(stream) = case_beside(&event.stream, &said.case) else {
                return Ok(None);
            };
            let known = cases.of(self, &stream).await?;
            let Some(opened) = known.events.first() else {
                return Ok(None);
            };
            let procedure = self.procedure_of_case(opened).await?;
            let procedure = procedure.as_deref();
            return Ok(fold::of_wrong_answer(
                opened,
                procedure,
                &said.proof,
                said.left,
            ));
        }
        if !event.kind.starts_with("case.") {
            return Ok(None);
        }
        let so_far = cases.of(self, &event.stream).await?.up_to(event.sequence);
        let Some(opened) = so_far.first() else {
            return Ok(None);
        };
        let procedure = self.procedure_of_case(opened).await?;
        Ok(fold::of_case(so_far, procedure.as_deref()))
    }

    /// What all events of a case have added, each when it happened.
    async fn sums_of_whole(
        &self,
        cases: &mut Cases,
        stream: &StreamKey,
    ) -> Result<Vec<(Timestamp, Slice, Rollup)>, Trouble> {
        let events = &cases.of(self, stream).await?.events;
        let Some(opened) = events.first() else {
            return Ok(Vec::new());
        };
        let procedure = self.procedure_of_case(opened).await?;
        let mut sums = Vec::new();
        for (at, event) in events.iter().enumerate() {
            let so_far = events.get(..=at).unwrap_or_default();
            if let Some((slice, added)) = fold::of_case(so_far, procedure.as_deref()) {
                sums.push((event.at, slice, added));
            }
        }
        Ok(sums)
    }

    async fn procedure_of_case(
        &self,
        opened: &Event,
    ) -> Result<Option<std::sync::Arc<countersign_language::Procedure>>, Trouble> {
        let Some(version) = fold::version_of(opened) else {
            return Ok(None);
        };
        match self.procedure_of(version).await {
            Ok(procedure) => Ok(Some(procedure)),
            // A text that is gone takes names from the figures, never a case out of them.
            Err(Trouble::Damaged(_)) => Ok(None),
            Err(trouble) => Err(trouble),
        }
    }

    async fn add_sums(
        &self,
        batch: &mut Batch,
        mut sums: BTreeMap<(String, Slice), Rollup>,
        mut gone: BTreeMap<(String, Slice), Rollup>,
    ) -> Result<(), Trouble> {
        for key in gone.keys() {
            sums.entry(key.clone()).or_default();
        }
        let sums = sums.into_iter().map(|(key, new)| {
            let gone = gone.remove(&key);
            (key, new, gone)
        });
        let writes = sums.map(|((period, slice), new, gone)| async move {
            let key = sums_key(&period, &slice);
            let held = self.load::<KeptSums>(space::FIGURES, &key).await?;
            let mut kept = held.map_or_else(
                || KeptSums {
                    slice,
                    sums: Rollup::default(),
                },
                |held| held.value,
            );
            kept.sums.absorb(&new);
            if let Some(gone) = gone {
                kept.sums.take_away(&gone);
            }
            records::put(space::FIGURES, key, &kept, None)
        });
        batch.records.extend(try_join_all(writes).await?);
        Ok(())
    }

    async fn add_postings(
        &self,
        batch: &mut Batch,
        postings: BTreeMap<String, Vec<u64>>,
    ) -> Result<(), Trouble> {
        let writes = postings.into_iter().map(|(list, positions)| async move {
            let range = records::beginning_with(&format!("{list}/"), true);
            let newest = self.list::<Block>(space::POSTINGS, range, 1).await?;
            let blocks = Block::grown(newest.into_iter().next(), &positions);
            blocks
                .iter()
                .map(|block| records::put(space::POSTINGS, block.key(&list), block, None))
                .collect::<Result<Vec<_>, _>>()
        });
        batch
            .records
            .extend(try_join_all(writes).await?.into_iter().flatten());
        Ok(())
    }

    async fn add_days(
        &self,
        batch: &mut Batch,
        days: BTreeMap<String, Day>,
    ) -> Result<(), Trouble> {
        for (key, new) in days {
            let held = self.load::<Day>(space::AUDIT_DAYS, &key).await?;
            let day = held.map_or(new, |held| held.value.with(new));
            batch
                .records
                .push(records::put(space::AUDIT_DAYS, key, &day, None)?);
        }
        Ok(())
    }

    async fn forget_kept(&self) -> Result<(), Trouble> {
        // The cursor last: whatever interrupts this, it is begun again.
        for space in [
            space::FIGURES,
            space::POSTINGS,
            space::AUDIT_DAYS,
            space::KEPT,
        ] {
            loop {
                let range = records::beginning_with("", false);
                let found = self.journal().scan(space, range, REMOVED_MAX).await?;
                if found.is_empty() {
                    break;
                }
                let records = found
                    .into_iter()
                    .map(|record| records::remove(space, record.key, None))
                    .collect();
                self.write_records(records).await?;
            }
        }
        Ok(())
    }
}

/// The events of the cases a batch is about, each stream read once.
#[derive(Debug, Default)]
pub(crate) struct Cases(BTreeMap<StreamKey, KnownCase>);

/// The events of one case that can be read, and the place of each in its stream.
#[derive(Debug, Default)]
struct KnownCase {
    sequences: Vec<u64>,
    events: Vec<Event>,
}

impl KnownCase {
    fn up_to(&self, sequence: u64) -> &[Event] {
        let count = self.sequences.partition_point(|one| *one <= sequence);
        self.events.get(..count).unwrap_or_default()
    }
}

impl Cases {
    async fn of(&mut self, gate: &Gate, stream: &StreamKey) -> Result<&KnownCase, Trouble> {
        if !self.0.contains_key(stream) {
            let stored = gate.journal().read(stream, 0).await?;
            // An event that cannot be read must not keep all that follow it out of the figures.
            let (sequences, events) = stored
                .iter()
                .filter_map(|stored| Some((stored.sequence, said_by(stored).ok()?)))
                .unzip();
            let known = KnownCase { sequences, events };
            self.0.insert(stream.clone(), known);
        }
        self.0
            .get(stream)
            .ok_or_else(|| Trouble::Damaged("a case that was just read".to_owned()))
    }
}

#[derive(Deserialize)]
struct WrongAnswer {
    case: String,
    proof: String,
    left: u64,
}

/// Adds to the sums of a day and to those of its month.
fn add_to(all: &mut BTreeMap<(String, Slice), Rollup>, day: &str, slice: &Slice, sums: &Rollup) {
    let month = day.get(..7).unwrap_or_default();
    for period in [day, month] {
        let key = (period.to_owned(), slice.clone());
        all.entry(key).or_default().absorb(sums);
    }
}

/// The stream of a case of the same customer.
fn case_beside(stream: &StreamKey, case: &str) -> Option<StreamKey> {
    let (customer, _) = stream.0.split_once('/')?;
    Some(StreamKey(format!(
        "{customer}/case.{}",
        records::part(case)
    )))
}

/// `2026-11-23`, in UTC.
pub(crate) fn day_of(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.0)
        .unwrap_or(jiff::Timestamp::UNIX_EPOCH)
        .strftime("%Y-%m-%d")
        .to_string()
}

fn sums_key(period: &str, slice: &Slice) -> String {
    format!(
        "{}{}/{}/{}",
        sums_of_period(period),
        records::part(&slice.action),
        records::part(&slice.team),
        records::part(&slice.procedure)
    )
}

/// What the keys of a day's or a month's sums begin with. Apart, so that reading days reads no month.
pub(crate) fn sums_of_period(period: &str) -> String {
    let size = if period.len() == 7 { 'm' } else { 'd' };
    format!("{size}/{period}/")
}

/// Names of the lists, for tests that compare what is kept with what is made anew.
pub(crate) const SPACES: [&str; 3] = [space::FIGURES, space::POSTINGS, space::AUDIT_DAYS];

impl Gate {
    /// Everything that is kept, a line each. Two gates that saw the same events keep the same.
    pub async fn kept_text(&self) -> Result<BTreeSet<String>, Trouble> {
        let mut lines = BTreeSet::new();
        for space in SPACES {
            let range = records::beginning_with("", false);
            for record in self.journal().scan(space, range, usize::MAX).await? {
                lines.insert(format!("{space} {} {}", record.key, record.value));
            }
        }
        Ok(lines)
    }
}
