//! A backend's log as it happens: one signed event a delivery, matched the way a line of a log is.
//!
//! An event that a grant covers is settled at once. One that nothing covers waits for the window that is stated and is looked
//! at once more, since a case may still be finishing and deliveries overtake each other; then it is an alarm. What was
//! delivered is known by the delivery's id and by the event's own identity, and a grant covers one event, whichever gate of
//! several was told. Kept are counts by day; of an event itself nothing but hashes, once it is settled.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use countersign_cases::{CaseId, CustomerId, EventKind, Timestamp};
use countersign_store::{Batch, NewWork, RecordWrite, Work};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tokio::sync::oneshot;

use super::{LogForm, Reconciler, gate::granted, line::Wanted, mark, moment};
use crate::{
    adapters::webhooks::{WebhookHeaders, WebhookSecrets},
    customers::CustomerError,
    gate::Gate,
    grants::grant_key,
    kept::day_of,
    notices::finished,
    records::{self, CaseRow, GrantRecord, Held, space},
    sessions::MachineCaller,
    settings::{AuditFeed, Scope},
    shell::Tries,
    statistics::{Period, Rate, StatisticsQuery},
    trouble::Trouble,
};

/// The queue of events that wait for their window.
pub(crate) const BACKEND_EVENT: &str = "backend_event";

/// How long deliveries, events and covering grants are known, in seconds: 90 days.
const REMEMBERED_SECONDS: u64 = 90 * 86_400;

/// Alarms that one connector's events raise in a day; uncovered ones beyond are counted.
const ALARMS_A_DAY: u64 = 1_000;

/// Deliveries committed together.
const AT_ONCE: usize = 64;

/// Deliveries that may wait for a commit.
const WAITING_MAX: usize = 1_024;

/// Newest cases of a customer that are looked through for a grant.
const CASES_MAX: usize = 200;

/// The longest a grant counts, and so how long before an event the case of its grant may have changed last.
const GRANT_MS_MAX: i64 = 14 * 86_400_000;

/// Unreadable deliveries of a day that are shown.
const UNREADABLE_SHOWN: usize = 20;

/// What became of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Taken {
    /// One grant covers it.
    Covered,
    /// Nothing covers it so far: it is looked at again after the window.
    Waiting,
    /// No procedure names its action, or its grant is not here.
    Unknown,
    /// The mapping says that it needs no case, or it says that nothing was done.
    Ignored,
    /// It was delivered before, under this or another id.
    Repeated,
    /// It cannot be read. It is counted and shown; sending it again changes nothing.
    Unreadable,
}

/// Why a delivery was not taken.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    /// No such connector, none that sends events, another signature, or a time too far from now: it is not said which.
    #[error("the delivery is refused")]
    Refused,
    /// This id was that of another event.
    #[error("the id of the delivery was that of another event")]
    OtherEvent,
    /// The store.
    #[error(transparent)]
    Trouble(#[from] Trouble),
}

/// What the events of one connector came to, in some days.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct FeedFigures {
    /// Name of the connector.
    pub connector: String,
    /// First day, UTC, by the gate's clock.
    pub from: String,
    /// Last.
    pub to: String,
    /// Counts.
    #[serde(flatten)]
    pub counts: FeedCounts,
    /// Covered, of covered and uncovered.
    pub adherence: Option<Rate>,
}

/// Counts of events.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FeedCounts {
    /// Events that one grant each covers.
    pub covered: u64,
    /// Events of guarded actions that nothing covered within the window.
    pub uncovered: u64,
    /// Events that nothing covers so far.
    pub waiting: u64,
    /// Events of which it cannot be said.
    pub unknown: u64,
    /// Deliveries of an event that was there before.
    pub repeated: u64,
    /// Events that need no case, or say that nothing was done.
    pub ignored: u64,
    /// Deliveries that cannot be read, and those whose id was another event's.
    pub unreadable: u64,
    /// Uncovered events that raised no alarm, because there had been 1,000 that day.
    pub without_alarm: u64,
    /// The first unreadable ones of each day.
    pub first_unreadable: Vec<UnreadableDelivery>,
}

/// A delivery that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnreadableDelivery {
    /// When it came.
    pub at: Timestamp,
    /// Its `webhook-id`.
    pub id: String,
    /// Why.
    pub reason: String,
}

/// Deliveries on their way into a commit. Those that wait are committed together by the first that has its turn.
#[derive(Debug, Default)]
pub(crate) struct Deliveries {
    waiting: Mutex<Vec<Delivery>>,
    turn: tokio::sync::Mutex<()>,
}

#[derive(Debug)]
struct Delivery {
    connector: String,
    id: String,
    event: Vec<u8>,
    answer: oneshot::Sender<Result<Taken, DeliveryError>>,
}

/// A delivery that was taken, by its id.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Known {
    /// SHA-256 of the body.
    body: String,
    /// SHA-256 of another body that came under the same id.
    other: Option<String>,
}

/// An event that nothing covers so far.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct WaitingEvent {
    connector: String,
    /// The day it is counted in.
    day: String,
    event: String,
    pub(crate) customer: Option<CustomerId>,
}

impl Gate {
    /// Takes an event of a backend's own log, as a webhook brings it.
    ///
    /// # Errors
    /// [`DeliveryError::Refused`] unless the connector sends events and the signature and its time are good.
    pub async fn take_backend_event(
        &self,
        connector: &str,
        headers: &WebhookHeaders,
        event: &[u8],
    ) -> Result<Taken, DeliveryError> {
        let feed = self.feed(connector).ok_or(DeliveryError::Refused)?;
        WebhookSecrets::parse(
            feed.secrets
                .iter()
                .map(crate::adapters::secrets::Secret::expose_text),
        )
        .and_then(|secrets| secrets.verify(headers, event, self.now()))
        .map_err(|_| DeliveryError::Refused)?;
        let (answer, mut taken) = oneshot::channel();
        self.deliveries().push(Delivery {
            connector: connector.to_owned(),
            id: headers.id.clone(),
            event: event.to_vec(),
            answer,
        })?;
        let _turn = self.deliveries().turn.lock().await;
        loop {
            match taken.try_recv() {
                Ok(answer) => return answer,
                // Whoever took it along was cut off; repeating it is harmless.
                Err(oneshot::error::TryRecvError::Closed) => {
                    return Err(Trouble::Unavailable.into());
                }
                Err(oneshot::error::TryRecvError::Empty) => {}
            }
            let some = self.deliveries().some();
            if some.is_empty() {
                return Err(Trouble::Unavailable.into());
            }
            let answers = self.take_events(&some).await?;
            for (delivery, answer) in some.into_iter().zip(answers) {
                // Whoever hung up asks again.
                let _ = delivery.answer.send(answer);
            }
        }
    }

    /// What the connectors' events came to, by connector, over these days, both included (`2026-11-23`, UTC); the thirty to today
    /// if left out.
    ///
    /// # Errors
    /// [`CustomerError::NotAllowed`] without the scope `reconcile`.
    pub async fn feed_figures_for(
        &self,
        by: &MachineCaller,
        from: Option<&str>,
        to: Option<&str>,
    ) -> Result<Vec<FeedFigures>, CustomerError> {
        crate::customers::allow(by, Scope::Reconcile, "reconcile")?;
        let query = StatisticsQuery {
            from: from.map(str::to_owned),
            to: to.map(str::to_owned),
            ..StatisticsQuery::default()
        };
        let period = Period::of(&query, self.now());
        Ok(self.feed_figures(&period.from, &period.to).await?)
    }

    pub(crate) async fn feed_figures(
        &self,
        from: &str,
        to: &str,
    ) -> Result<Vec<FeedFigures>, Trouble> {
        let mut all = Vec::new();
        for connector in &self.settings().connectors {
            if connector.audit.is_none() {
                continue;
            }
            let key = |day: &str| day_key(&connector.name, day);
            let range = countersign_store::KeyRange {
                from: key(from),
                // The last day itself belongs to it: `!` comes before whatever a key may go on with.
                to: format!("{}!", key(to)),
                reverse: false,
            };
            let days: Vec<FeedCounts> = self.list(space::BACKEND_DAY, range, DAYS_MAX).await?;
            let mut counts = FeedCounts::default();
            for day in days {
                counts.absorb(day);
            }
            let known = counts.covered + counts.uncovered;
            all.push(FeedFigures {
                connector: connector.name.clone(),
                from: from.to_owned(),
                to: to.to_owned(),
                adherence: (known > 0).then(|| Rate::new(counts.covered, known)),
                counts,
            });
        }
        Ok(all)
    }

    /// The window of an event is over.
    pub(crate) async fn settle_backend_event(&self, work: &Work) -> Result<(), Trouble> {
        let key: String = records::read_json(&work.body)?;
        let _turn = self.deliveries().turn.lock().await;
        let mut tries = Tries::default();
        loop {
            let Some(held) = self
                .load::<WaitingEvent>(space::BACKEND_WAITING, &key)
                .await?
            else {
                // Its customer was erased, or it was settled: `events_without` and the commit below count it.
                return self.finish(BACKEND_EVENT, &work.key, None).await;
            };
            let waiting = held.value;
            let mut round = Round::default();
            let mut batch = Batch::default();
            let matched = match self.feed(&waiting.connector) {
                Some(feed) => {
                    let event = waiting.event.as_bytes();
                    self.match_event(&mut round, &waiting.connector, feed, event)
                        .await?
                }
                // The connector is gone from the configuration, and with it how its events are read.
                None => Matched::Unknown,
            };
            let day_key = day_key(&waiting.connector, &waiting.day);
            let held_day = self.day(&mut round, &day_key).await?;
            let day = &mut held_day.value;
            day.waiting = day.waiting.saturating_sub(1);
            match matched {
                Matched::Covered(grant) => {
                    day.covered += 1;
                    batch.records.push(self.used(&waiting.connector, &grant)?);
                }
                Matched::Uncovered(line) => {
                    if day.uncovered < ALARMS_A_DAY {
                        // Before it is counted: what is raised twice is one alarm, and what is counted was raised.
                        self.raise_uncovered("backend", &waiting.connector, &[*line])
                            .await?;
                    } else {
                        day.without_alarm += 1;
                    }
                    day.uncovered += 1;
                }
                Matched::Ignored => day.ignored += 1,
                Matched::Unknown | Matched::Unreadable(_) => day.unknown += 1,
            }
            round.write_days(&mut batch)?;
            batch.records.push(records::remove(
                space::BACKEND_WAITING,
                key.clone(),
                Some(held.revision),
            ));
            batch
                .finished
                .push(finished(BACKEND_EVENT, &work.key, None));
            if self.committed(batch, &mut tries).await? {
                return Ok(());
            }
        }
    }

    /// Writes that forget the waiting events of a customer who is erased; nothing can be said of them any more.
    pub(crate) async fn backend_events_without(
        &self,
        customer: &CustomerId,
    ) -> Result<Vec<RecordWrite>, Trouble> {
        let mut round = Round::default();
        let mut batch = Batch::default();
        let mut range = records::beginning_with("", false);
        loop {
            let page = self
                .journal()
                .scan(space::BACKEND_WAITING, range.clone(), WAITING_MAX)
                .await?;
            for record in &page {
                let waiting: WaitingEvent = records::read_json(&record.value)?;
                if waiting.customer.as_ref() != Some(customer) {
                    continue;
                }
                let key = day_key(&waiting.connector, &waiting.day);
                let day = &mut self.day(&mut round, &key).await?.value;
                day.waiting = day.waiting.saturating_sub(1);
                day.unknown += 1;
                batch.records.push(records::remove(
                    space::BACKEND_WAITING,
                    record.key.clone(),
                    Some(record.revision),
                ));
            }
            match page.last() {
                Some(last) if page.len() == WAITING_MAX => {
                    range.from = format!("{}\u{1}", last.key);
                }
                _ => break,
            }
        }
        round.write_days(&mut batch)?;
        Ok(batch.records)
    }

    fn feed(&self, connector: &str) -> Option<&AuditFeed> {
        let mut connectors = self.settings().connectors.iter();
        connectors
            .find(|known| known.name == connector)?
            .audit
            .as_ref()
    }

    async fn take_events(
        &self,
        some: &[Delivery],
    ) -> Result<Vec<Result<Taken, DeliveryError>>, Trouble> {
        let mut tries = Tries::default();
        loop {
            let now = self.now();
            let mut round = Round::default();
            let mut batch = Batch::default();
            let mut answers = Vec::with_capacity(some.len());
            for delivery in some {
                answers.push(
                    self.take_event(&mut round, &mut batch, delivery, now)
                        .await?,
                );
            }
            round.write_days(&mut batch)?;
            if self.committed(batch, &mut tries).await? {
                return Ok(answers);
            }
        }
    }

    async fn take_event(
        &self,
        round: &mut Round,
        batch: &mut Batch,
        delivery: &Delivery,
        now: Timestamp,
    ) -> Result<Result<Taken, DeliveryError>, Trouble> {
        let Delivery {
            connector,
            id,
            event,
            ..
        } = delivery;
        let Some(feed) = self.feed(connector) else {
            return Ok(Err(DeliveryError::Refused));
        };
        let today = day_of(now);
        let day_key = day_key(connector, &today);
        let until = now.plus_seconds(REMEMBERED_SECONDS);
        let id_key = known_key(connector, 'd', id);
        let body = hash(event);
        if let Some(known) = self.known(round, &id_key).await? {
            let held = self.day(round, &day_key).await?;
            if known.value.body == body {
                held.value.repeated += 1;
                return Ok(Ok(Taken::Repeated));
            }
            if known.value.other.as_ref() != Some(&body) {
                held.value
                    .unreadable(now, id, "its id was that of another event");
                let known = Held {
                    value: Known {
                        other: Some(body),
                        ..known.value
                    },
                    revision: known.revision,
                };
                round.put_known(batch, id_key, &known, until)?;
            }
            return Ok(Err(DeliveryError::OtherEvent));
        }
        let new = Held {
            value: Known { body, other: None },
            revision: 0,
        };
        round.put_known(batch, id_key, &new, until)?;
        let fields = Wanted::of(&feed.mapping).json(event).ok();
        let identity = fields
            .as_ref()
            .and_then(|fields| fields.id.as_deref())
            .map_or(event.as_slice(), str::as_bytes);
        let event_key = known_key(connector, 'e', &mark(identity));
        if self.known(round, &event_key).await?.is_some() {
            self.day(round, &day_key).await?.value.repeated += 1;
            return Ok(Ok(Taken::Repeated));
        }
        round.put_known(batch, event_key.clone(), &new, until)?;
        let matched = self.match_event(round, connector, feed, event).await?;
        let counts = &mut self.day(round, &day_key).await?.value;
        Ok(Ok(match matched {
            Matched::Covered(grant) => {
                counts.covered += 1;
                batch.records.push(self.used(connector, &grant)?);
                Taken::Covered
            }
            Matched::Uncovered(line) => {
                counts.waiting += 1;
                let waiting = WaitingEvent {
                    connector: connector.clone(),
                    day: today,
                    event: String::from_utf8_lossy(event).into_owned(),
                    customer: line.customer.map(CustomerId),
                };
                batch.records.push(records::put(
                    space::BACKEND_WAITING,
                    event_key.clone(),
                    &waiting,
                    Some(0),
                )?);
                batch.work.push(NewWork {
                    queue: BACKEND_EVENT,
                    due_ms: now.plus_seconds(u64::from(feed.window_seconds)).0,
                    body: records::write_json(&event_key)?,
                    key: event_key,
                });
                Taken::Waiting
            }
            Matched::Unknown => {
                counts.unknown += 1;
                Taken::Unknown
            }
            Matched::Ignored => {
                counts.ignored += 1;
                Taken::Ignored
            }
            Matched::Unreadable(reason) => {
                counts.unreadable(now, id, &reason);
                Taken::Unreadable
            }
        }))
    }

    /// Matches one event with the grants that could cover it, as [`Reconciler`] matches a line.
    async fn match_event(
        &self,
        round: &mut Round,
        connector: &str,
        feed: &AuditFeed,
        event: &[u8],
    ) -> Result<Matched, Trouble> {
        let grants = self.grants_for(feed, event).await?;
        let mut reconciler = Reconciler::new(
            feed.mapping.clone(),
            feed.window_seconds,
            &self.guarded_actions(),
            grants.iter().map(|(_, granted)| granted.clone()),
        );
        reconciler.begin(LogForm::JsonLines);
        for (place, (id, _)) in grants.iter().enumerate() {
            let key = known_key(connector, 'g', id);
            let used = round.used.contains(&key)
                || self
                    .load::<bool>(space::BACKEND_KNOWN, &key)
                    .await?
                    .is_some();
            if used {
                reconciler.index.use_up(place);
            }
        }
        reconciler.record(Some(event), 1);
        let covered_by = reconciler.index.newest_used();
        let done = reconciler.finish();
        if let Some((id, _)) = covered_by.and_then(|place| grants.get(place)) {
            round.used.insert(known_key(connector, 'g', id));
            return Ok(Matched::Covered(id.clone()));
        }
        if let Some(line) = done.first_uncovered.into_iter().next() {
            return Ok(Matched::Uncovered(Box::new(line)));
        }
        if done.ignored > 0 {
            return Ok(Matched::Ignored);
        }
        if done.unknown > 0 {
            return Ok(Matched::Unknown);
        }
        let mut unreadable = done.first_unreadable.into_iter();
        let reason = unreadable.next().map(|line| line.reason);
        Ok(Matched::Unreadable(
            reason.unwrap_or_else(|| "it is empty".to_owned()),
        ))
    }

    /// The grant an event names, and those in its customer's cases that may have counted then.
    async fn grants_for(
        &self,
        feed: &AuditFeed,
        event: &[u8],
    ) -> Result<Vec<(String, super::Granted)>, Trouble> {
        let wanted = Wanted::of(&feed.mapping);
        let Ok(fields) = wanted.json(event) else {
            return Ok(Vec::new());
        };
        let mut ids = BTreeSet::new();
        ids.extend(fields.grant.as_deref().map(str::to_owned));
        let at_ms = fields.time.as_deref().and_then(moment);
        if let (None, Some(customer), Some(at_ms)) =
            (&fields.grant, fields.customer.as_deref(), at_ms)
        {
            let window_ms = i64::from(feed.window_seconds) * 1_000;
            let earliest = at_ms.saturating_sub(window_ms).saturating_sub(GRANT_MS_MAX);
            let prefix = format!("{}/", records::part(customer));
            let range = records::beginning_with(&prefix, true);
            let cases: Vec<CaseId> = self.list(space::CASES_OF, range, CASES_MAX).await?;
            for case in cases {
                let key = records::part(&case.0);
                let Some(held) = self.load::<CaseRow>(space::CASE, &key).await? else {
                    continue;
                };
                let row = held.value;
                if row.updated_at.0 < earliest {
                    continue;
                }
                for event in self.events_of(&row).await? {
                    if let EventKind::Granted { grant, .. } = event.kind {
                        ids.insert(grant_key(&grant));
                    }
                }
            }
        }
        let mut grants = Vec::with_capacity(ids.len());
        for id in ids {
            let key = records::part(&id);
            if let Some(held) = self.load::<GrantRecord>(space::GRANT, &key).await? {
                let granted = granted(&id, &held.value)?;
                grants.push((id, granted));
            }
        }
        Ok(grants)
    }

    async fn known(&self, round: &Round, key: &str) -> Result<Option<Held<Known>>, Trouble> {
        if let Some(known) = round.known.get(key) {
            return Ok(Some(known.clone()));
        }
        self.load(space::BACKEND_KNOWN, key).await
    }

    async fn day<'r>(
        &self,
        round: &'r mut Round,
        key: &str,
    ) -> Result<&'r mut Held<FeedCounts>, Trouble> {
        if !round.days.contains_key(key) {
            let held = self.load(space::BACKEND_DAY, key).await?;
            let held = held.unwrap_or(Held {
                value: FeedCounts::default(),
                revision: 0,
            });
            round.days.insert(key.to_owned(), held);
        }
        round
            .days
            .get_mut(key)
            .ok_or_else(|| Trouble::Damaged("a day that was just read".to_owned()))
    }

    /// The grant covers an event from now on, and no other.
    fn used(&self, connector: &str, grant: &str) -> Result<RecordWrite, Trouble> {
        records::put_until(
            space::BACKEND_KNOWN,
            known_key(connector, 'g', grant),
            &true,
            Some(0),
            self.now().plus_seconds(REMEMBERED_SECONDS),
        )
    }
}

/// Days that figures are read over: twenty years.
const DAYS_MAX: usize = 7_305;

impl Deliveries {
    fn push(&self, delivery: Delivery) -> Result<(), Trouble> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() >= WAITING_MAX {
            return Err(Trouble::Overloaded);
        }
        waiting.push(delivery);
        Ok(())
    }

    /// The next ones, those that came first; without those whose sender hung up.
    fn some(&self) -> Vec<Delivery> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.retain(|delivery| !delivery.answer.is_closed());
        let first = waiting.len().min(AT_ONCE);
        let rest = waiting.split_off(first);
        std::mem::replace(&mut *waiting, rest)
    }
}

/// What one commit has changed so far.
#[derive(Debug, Default)]
struct Round {
    days: BTreeMap<String, Held<FeedCounts>>,
    known: BTreeMap<String, Held<Known>>,
    used: BTreeSet<String>,
}

impl Round {
    fn put_known(
        &mut self,
        batch: &mut Batch,
        key: String,
        known: &Held<Known>,
        until: Timestamp,
    ) -> Result<(), Trouble> {
        let write = records::put_until(
            space::BACKEND_KNOWN,
            key.clone(),
            &known.value,
            Some(known.revision),
            until,
        )?;
        // One write for a key: a batch is checked against what was there before it.
        batch
            .records
            .retain(|other| (other.space, other.key.as_str()) != (write.space, write.key.as_str()));
        batch.records.push(write);
        self.known.insert(key, known.clone());
        Ok(())
    }

    fn write_days(&mut self, batch: &mut Batch) -> Result<(), Trouble> {
        for (key, held) in std::mem::take(&mut self.days) {
            batch.records.push(records::put(
                space::BACKEND_DAY,
                key,
                &held.value,
                Some(held.revision),
            )?);
        }
        Ok(())
    }
}

/// What an event was found to be.
#[derive(Debug)]
enum Matched {
    Covered(String),
    Uncovered(Box<super::UncoveredLine>),
    Unknown,
    Ignored,
    Unreadable(String),
}

impl FeedCounts {
    fn unreadable(&mut self, at: Timestamp, id: &str, reason: &str) {
        self.unreadable += 1;
        if self.first_unreadable.len() < UNREADABLE_SHOWN {
            self.first_unreadable.push(UnreadableDelivery {
                at,
                id: id.to_owned(),
                reason: reason.to_owned(),
            });
        }
    }

    fn absorb(&mut self, other: Self) {
        self.covered += other.covered;
        self.uncovered += other.uncovered;
        self.waiting += other.waiting;
        self.unknown += other.unknown;
        self.repeated += other.repeated;
        self.ignored += other.ignored;
        self.unreadable += other.unreadable;
        self.without_alarm += other.without_alarm;
        self.first_unreadable.extend(other.first_unreadable);
    }
}

/// `d` for a delivery by its id, `e` for an event by its identity, `g` for a grant that covers one.
fn known_key(connector: &str, what: char, name: &str) -> String {
    format!(
        "{}/{what}/{}",
        records::part(connector),
        records::part(name)
    )
}

fn day_key(connector: &str, day: &str) -> String {
    format!("{}/{day}", records::part(connector))
}

fn hash(body: &[u8]) -> String {
    countersign_cases::Digest(Sha256::digest(body).into()).to_string()
}
