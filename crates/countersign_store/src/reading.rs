//! Reading several things at once, in terms of one: what a store does that has nothing quicker.

use std::collections::BTreeSet;

use crate::journal::{Journal, Record, StoreError, StoredEvent};

/// See [`Journal::follow_back`]: windows that double, for an erased stream leaves a gap of any width.
pub(crate) async fn follow_back<J: Journal + ?Sized>(
    journal: &J,
    before: u64,
    limit: usize,
) -> Result<Vec<StoredEvent>, StoreError> {
    let newest = *journal.watch().borrow();
    let mut before = before.min(newest.saturating_add(1));
    let mut width = u64::try_from(limit).unwrap_or(u64::MAX);
    let mut found = Vec::new();
    while found.len() < limit && before > 1 {
        let from = before.saturating_sub(1).saturating_sub(width);
        let most = usize::try_from(before - from).unwrap_or(usize::MAX);
        let mut window = journal.follow(from, most).await?;
        window.retain(|event| event.position < before);
        found.extend(window.into_iter().rev());
        before = from + 1;
        width = width.saturating_mul(2);
    }
    found.truncate(limit);
    Ok(found)
}

/// See [`Journal::events_at`].
pub(crate) async fn events_at<J: Journal + ?Sized>(
    journal: &J,
    positions: &[u64],
) -> Result<Vec<StoredEvent>, StoreError> {
    let mut found = Vec::new();
    for position in positions.iter().collect::<BTreeSet<_>>() {
        let next = journal.follow(position.saturating_sub(1), 1).await?;
        found.extend(next.into_iter().filter(|event| event.position == *position));
    }
    Ok(found)
}

/// See [`Journal::get_many`].
pub(crate) async fn get_many<J: Journal + ?Sized>(
    journal: &J,
    space: &'static str,
    keys: &[String],
) -> Result<Vec<Record>, StoreError> {
    let mut found = Vec::new();
    for key in keys.iter().collect::<BTreeSet<_>>() {
        found.extend(journal.get(space, key).await?);
    }
    Ok(found)
}
