//! A log in memory, kept as a server would keep it: every tile it ever published.

use std::collections::BTreeMap;

use countersign_ledger::{Appender, Changed, TilePath};

#[derive(Clone, Default)]
pub(crate) struct Log {
    pub(crate) files: BTreeMap<TilePath, Vec<u8>>,
}

impl Log {
    pub(crate) fn keep(&mut self, changed: Changed) {
        self.files.extend(changed.tiles);
    }

    pub(crate) fn tile(&self, path: &TilePath) -> Option<Vec<u8>> {
        self.files.get(path).cloned()
    }
}

/// Entry `n`; lengths differ, and some are empty.
pub(crate) fn entry(n: u64) -> Vec<u8> {
    let length = usize::try_from(n % 7 * 3).unwrap_or(0);
    n.to_be_bytes()
        .iter()
        .copied()
        .cycle()
        .take(length)
        .collect()
}

/// A log of `size` entries appended one batch after the other.
pub(crate) fn log_of(size: u64, batch: u64) -> (Appender, Log) {
    let mut appender = Appender::empty();
    let mut log = Log::default();
    let mut next = 0;
    while next < size {
        let end = size.min(next + batch);
        let entries: Vec<_> = (next..end).map(entry).collect();
        let changed = appender.append(entries.iter().map(Vec::as_slice)).unwrap();
        log.keep(changed);
        next = end;
    }
    (appender, log)
}
