//! Which events a filter means, and pages of them: by position, in either direction.

use countersign_cases::CaseId;
use countersign_store::{KeyRange, StoredEvent};

use super::{AUDIT_ROWS_MAX, AuditFilter, AuditPlace, CASES_MAX, fits, index};
use crate::{
    gate::Gate,
    records::{self, Account, CaseRow, space},
    shell::said_by,
    trouble::Trouble,
};

/// Rounds of reading for one page: each gives a whole page unless days are scattered or much was erased.
const ROUNDS_MAX: usize = 20;

/// Where a filter's events are found.
#[derive(Debug)]
pub(crate) enum Source {
    /// All events.
    All,
    /// Those in any of these lists of the index.
    Lists(Vec<String>),
    /// These few, by position.
    Few(Vec<StoredEvent>),
}

/// Positions that days leave: from the first, up to before the second.
type Bounds = (u64, u64);

impl Gate {
    pub(crate) async fn audit_source(&self, filter: &AuditFilter) -> Result<Source, Trouble> {
        let few = match (&filter.case, &filter.customer) {
            (Some(case), customer) => {
                let row = self
                    .load::<CaseRow>(space::CASE, &records::part(&case.0))
                    .await?
                    .map(|held| held.value)
                    .filter(|row| customer.as_ref().is_none_or(|id| row.customer == *id));
                match row {
                    Some(row) => Some(self.events_about(&row.customer, Some(case)).await?),
                    None => Some(Vec::new()),
                }
            }
            (None, Some(customer)) => Some(self.events_about(customer, None).await?),
            (None, None) => None,
        };
        if let Some(mut few) = few {
            if let Some(who) = &filter.who {
                let names = self.names_meant(who).await?;
                few.retain(|event| {
                    let said = index::data_of(event).unwrap_or_default();
                    super::words::doer(&event.kind, &said)
                        .is_some_and(|doer| names.iter().any(|name| name == doer.key()))
                });
            }
            few.retain(|event| fits(filter, event));
            few.sort_by_key(|event| event.position);
            return Ok(Source::Few(few));
        }
        Ok(match (&filter.who, filter.kind) {
            (Some(who), kind) => Source::Lists(
                self.names_meant(who)
                    .await?
                    .iter()
                    .map(|name| index::of_doer(name, kind))
                    .collect(),
            ),
            (None, Some(kind)) => Source::Lists(vec![index::of_kind(kind)]),
            (None, None) => Source::All,
        })
    }

    /// An account stands for its person too: cases name the one, everything else the other.
    async fn names_meant(&self, who: &str) -> Result<Vec<String>, Trouble> {
        let mut names = vec![who.to_owned()];
        let account = self
            .load::<Account>(space::ACCOUNT, &records::part(who))
            .await?;
        if let Some(account) = account
            && account.value.person.0 != who
        {
            names.push(account.value.person.0);
        }
        Ok(names)
    }

    /// What happened to a customer, or in one of their cases.
    async fn events_about(
        &self,
        customer: &countersign_cases::CustomerId,
        only: Option<&CaseId>,
    ) -> Result<Vec<StoredEvent>, Trouble> {
        let mut events = self
            .journal()
            .read(&records::customer_stream(customer), 0)
            .await?;
        let cases = if let Some(case) = only {
            events.retain(|event| {
                index::data_of(event)
                    .and_then(|data| Some(data.get("case")?.as_str()? == case.0))
                    .unwrap_or(false)
            });
            vec![case.clone()]
        } else {
            let prefix = format!("{}/", records::part(&customer.0));
            let range = records::beginning_with(&prefix, true);
            self.list::<CaseId>(space::CASES_OF, range, CASES_MAX)
                .await?
        };
        for case in &cases {
            let stream = records::case_stream(customer, case);
            events.extend(self.journal().read(&stream, 0).await?);
        }
        Ok(events)
    }

    /// The events of a page, newest first, and whether there are older and newer ones.
    pub(crate) async fn page_of(
        &self,
        source: &Source,
        filter: &AuditFilter,
        place: AuditPlace,
    ) -> Result<(Vec<StoredEvent>, Option<u64>, Option<u64>), Trouble> {
        let bounds = self.bounds_of(filter).await?;
        let wanted = AUDIT_ROWS_MAX + 1;
        let (mut events, more_older, more_newer) = match place {
            AuditPlace::Newest => {
                let events = self
                    .backwards(source, filter, bounds, u64::MAX, wanted)
                    .await?;
                let more = events.len() > AUDIT_ROWS_MAX;
                (events, more, false)
            }
            AuditPlace::Before(number) => {
                let events = self
                    .backwards(source, filter, bounds, number, wanted)
                    .await?;
                let newer = self
                    .forwards(source, filter, bounds, number.saturating_sub(1), 1)
                    .await?;
                let more = events.len() > AUDIT_ROWS_MAX;
                (events, more, !newer.is_empty())
            }
            AuditPlace::After(number) => {
                let mut events = self
                    .forwards(source, filter, bounds, number, wanted)
                    .await?;
                let more = events.len() > AUDIT_ROWS_MAX;
                events.truncate(AUDIT_ROWS_MAX);
                events.reverse();
                let older = self
                    .backwards(source, filter, bounds, number.saturating_add(1), 1)
                    .await?;
                (events, !older.is_empty(), more)
            }
        };
        events.truncate(AUDIT_ROWS_MAX);
        let last = events.last().map(|event| event.position);
        let first = events.first().map(|event| event.position);
        Ok((
            events,
            last.filter(|_| more_older),
            first.filter(|_| more_newer),
        ))
    }

    /// How many events there are, and whether that is only an upper bound.
    pub(crate) async fn count_of(
        &self,
        source: &Source,
        filter: &AuditFilter,
    ) -> Result<(u64, bool), Trouble> {
        let days = filter.from.is_some() || filter.to.is_some();
        let in_days = if days {
            let kept = self.days_of(filter).await?;
            Some(kept.iter().map(|day| day.count).sum::<u64>())
        } else {
            None
        };
        match source {
            Source::Few(events) => Ok((events.len() as u64, false)),
            Source::All => match in_days {
                Some(count) => Ok((count, false)),
                None => Ok((self.kept_until().await?.events, false)),
            },
            Source::Lists(lists) => {
                let mut count = 0;
                for list in lists {
                    let range = records::beginning_with(&format!("{list}/"), true);
                    let newest = self.list::<index::Block>(space::POSTINGS, range, 1).await?;
                    count += newest.first().map_or(0, index::Block::total);
                }
                Ok((in_days.map_or(count, |days| days.min(count)), days))
            }
        }
    }

    async fn days_of(&self, filter: &AuditFilter) -> Result<Vec<index::Day>, Trouble> {
        let range = KeyRange {
            from: filter.from.clone().unwrap_or_default(),
            to: filter
                .to
                .as_ref()
                .map_or_else(|| "\u{10FFFF}".to_owned(), |to| format!("{to} ")),
            reverse: false,
        };
        self.list(space::AUDIT_DAYS, range, usize::MAX).await
    }

    async fn bounds_of(&self, filter: &AuditFilter) -> Result<Bounds, Trouble> {
        if filter.from.is_none() && filter.to.is_none() {
            return Ok((0, u64::MAX));
        }
        let days = self.days_of(filter).await?;
        let first = days.iter().map(|day| day.first).min();
        let last = days.iter().map(|day| day.last).max();
        let (Some(first), Some(last)) = (first, last) else {
            return Ok((0, 0));
        };
        Ok((first, last.saturating_add(1)))
    }

    /// Events before this position, newest first.
    pub(crate) async fn backwards(
        &self,
        source: &Source,
        filter: &AuditFilter,
        (first, end): Bounds,
        before: u64,
        wanted: usize,
    ) -> Result<Vec<StoredEvent>, Trouble> {
        let mut before = before.min(end);
        let mut found = Vec::new();
        for _ in 0..ROUNDS_MAX {
            if found.len() >= wanted || before <= first {
                break;
            }
            let left = wanted - found.len();
            let (events, next) = match source {
                Source::All => {
                    let events = self.journal().follow_back(before, left).await?;
                    let next = events.last().map(|event| event.position);
                    (events, next)
                }
                Source::Few(events) => {
                    let events: Vec<StoredEvent> = events
                        .iter()
                        .rev()
                        .filter(|event| event.position < before)
                        .take(left)
                        .cloned()
                        .collect();
                    let next = events.last().map(|event| event.position);
                    (events, next)
                }
                Source::Lists(lists) => {
                    let mut positions = Vec::new();
                    for list in lists {
                        positions.extend(self.positions_before(list, before, left).await?);
                    }
                    positions.sort_unstable_by(|a, b| b.cmp(a));
                    positions.dedup();
                    positions.truncate(left);
                    let mut events = self.journal().events_at(&positions).await?;
                    events.reverse();
                    (events, positions.last().copied())
                }
            };
            let Some(next) = next else { break };
            found.extend(
                events
                    .into_iter()
                    .filter(|event| event.position >= first && fits(filter, event)),
            );
            before = next;
        }
        Ok(found)
    }

    /// Events after this position, oldest first.
    pub(crate) async fn forwards(
        &self,
        source: &Source,
        filter: &AuditFilter,
        (first, end): Bounds,
        after: u64,
        wanted: usize,
    ) -> Result<Vec<StoredEvent>, Trouble> {
        let mut after = after.max(first.saturating_sub(1));
        let mut found = Vec::new();
        for _ in 0..ROUNDS_MAX {
            if found.len() >= wanted || after.saturating_add(1) >= end {
                break;
            }
            let left = wanted - found.len();
            let (events, next) = match source {
                Source::All => {
                    let events = self.journal().follow(after, left).await?;
                    let next = events.last().map(|event| event.position);
                    (events, next)
                }
                Source::Few(events) => {
                    let events: Vec<StoredEvent> = events
                        .iter()
                        .filter(|event| event.position > after)
                        .take(left)
                        .cloned()
                        .collect();
                    let next = events.last().map(|event| event.position);
                    (events, next)
                }
                Source::Lists(lists) => {
                    let mut positions = Vec::new();
                    for list in lists {
                        positions.extend(self.positions_after(list, after, left).await?);
                    }
                    positions.sort_unstable();
                    positions.dedup();
                    positions.truncate(left);
                    let events = self.journal().events_at(&positions).await?;
                    (events, positions.last().copied())
                }
            };
            let Some(next) = next else { break };
            found.extend(
                events
                    .into_iter()
                    .filter(|event| event.position < end && fits(filter, event)),
            );
            after = next;
        }
        Ok(found)
    }

    /// Positions of a list below `before`, highest first, at most `wanted`.
    async fn positions_before(
        &self,
        list: &str,
        before: u64,
        wanted: usize,
    ) -> Result<Vec<u64>, Trouble> {
        let mut to = before;
        let mut found = Vec::new();
        while found.len() < wanted {
            let range = KeyRange {
                from: format!("{list}/"),
                to: format!("{list}/{:016}", to.min(9_999_999_999_999_999)),
                reverse: true,
            };
            let blocks: Vec<index::Block> = self.list(space::POSTINGS, range, 1).await?;
            let Some(block) = blocks.into_iter().next() else {
                break;
            };
            let positions: Vec<u64> = block.positions().collect();
            to = positions.first().copied().unwrap_or(0);
            let below = positions.into_iter().rev();
            found.extend(below.filter(|position| *position < before));
        }
        found.truncate(wanted);
        Ok(found)
    }

    /// Positions of a list above `after`, lowest first, at most `wanted`.
    async fn positions_after(
        &self,
        list: &str,
        after: u64,
        wanted: usize,
    ) -> Result<Vec<u64>, Trouble> {
        // The block that may hold the next one begins at or before it.
        let containing = KeyRange {
            from: format!("{list}/"),
            to: format!(
                "{list}/{:016}",
                after.saturating_add(1).min(9_999_999_999_999_999)
            ),
            reverse: true,
        };
        let blocks: Vec<index::Block> = self.list(space::POSTINGS, containing, 1).await?;
        let begin = blocks
            .first()
            .and_then(|block| block.positions().next())
            .unwrap_or(0);
        let mut from = format!("{list}/{begin:016}");
        let mut found = Vec::new();
        while found.len() < wanted {
            let range = KeyRange {
                from: from.clone(),
                ..records::beginning_with(&format!("{list}/"), false)
            };
            let blocks: Vec<index::Block> = self.list(space::POSTINGS, range, 2).await?;
            let Some(last) = blocks.last() else { break };
            // The least key after this one: keys hold nothing below a space.
            from = format!("{} ", last.key(list));
            for block in &blocks {
                found.extend(block.positions().filter(|position| *position > after));
            }
        }
        found.truncate(wanted);
        Ok(found)
    }

    /// One event by its number; `None` if there is none, or it was erased.
    pub(crate) async fn event_at(&self, number: u64) -> Result<Option<StoredEvent>, Trouble> {
        Ok(self.journal().events_at(&[number]).await?.pop())
    }

    /// The first event of the case an event stands in.
    pub(crate) async fn opening_of(
        &self,
        event: &StoredEvent,
    ) -> Result<Option<countersign_cases::Event>, Trouble> {
        if !event.kind.starts_with("case.") {
            return Ok(None);
        }
        let stored = self.journal().read(&event.stream, 0).await?;
        stored.first().map(said_by).transpose()
    }
}
