//! Which lines were seen before, in eight bytes a line.

use std::hash::{BuildHasher as _, RandomState};

/// Parts of the table: each grows by itself, so that growing never needs much beside what is there.
const PARTS: usize = 256;

/// Full to so many of 100 before it grows.
const FULL: usize = 85;

/// A set of lines, by a hash that nobody can foresee: whoever writes the log cannot make two lines look like one.
///
/// Of ten million lines, two different ones look alike with a chance of three in a million.
#[derive(Debug)]
pub(crate) struct Seen {
    keys: RandomState,
    parts: Vec<Part>,
}

#[derive(Debug, Default, Clone)]
struct Part {
    slots: Vec<u64>,
    taken: usize,
}

impl Default for Seen {
    fn default() -> Self {
        Self {
            keys: RandomState::new(),
            parts: vec![Part::default(); PARTS],
        }
    }
}

impl Seen {
    /// Takes note of it; whether it is new.
    pub(crate) fn is_new(&mut self, line: &[u8]) -> bool {
        // Zero is an empty slot.
        let hash = self.keys.hash_one(line).max(1);
        let part = usize::try_from(hash & 0xff).unwrap_or(0);
        self.parts
            .get_mut(part)
            .is_some_and(|part| part.insert(hash))
    }
}

impl Part {
    fn insert(&mut self, hash: u64) -> bool {
        if (self.taken + 1) * 100 > self.slots.len() * FULL {
            let larger = (self.slots.len() * 13 / 10).max(64);
            let before = std::mem::replace(&mut self.slots, vec![0; larger]);
            for hash in before.into_iter().filter(|hash| *hash != 0) {
                self.place(hash);
            }
        }
        let new = self.place(hash);
        self.taken += usize::from(new);
        new
    }

    fn place(&mut self, hash: u64) -> bool {
        // The high bits, spread over the slots; the low ones chose the part.
        let wide = u128::from(hash) * (self.slots.len() as u128);
        let first = usize::try_from(wide >> 64).unwrap_or(0);
        let (before, from) = self.slots.split_at_mut_checked(first).unwrap_or_default();
        for slot in from.iter_mut().chain(before) {
            if *slot == hash {
                return false;
            }
            if *slot == 0 {
                *slot = hash;
                return true;
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_new_once() {
        let mut seen = Seen::default();
        for round in [true, false] {
            for line in 0..100_000_u32 {
                assert_eq!(seen.is_new(&line.to_le_bytes()), round, "{line}");
            }
        }
        let bytes: usize = seen.parts.iter().map(|part| part.slots.len() * 8).sum();
        assert!(bytes < 100_000 * 13, "{bytes}");
    }
}
