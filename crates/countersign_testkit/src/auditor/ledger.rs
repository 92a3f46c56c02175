//! The ledger against the event list: hashing as RFC 6962 says it, written once more.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::{Books, Findings, Happened};

type Hash = [u8; 32];

pub(super) fn check(books: &Books, found: &mut Findings) {
    order(books, found);
    roots(books, found);
    leaves(books, found);
}

/// Positions grow, and every stream counts 1, 2, 3 …
fn order(books: &Books, found: &mut Findings) {
    let mut last = 0;
    let mut lengths: BTreeMap<&str, u64> = BTreeMap::new();
    for event in &books.events {
        found.unless(event.position > last, 11, || {
            format!("position {} comes after {last}", event.position)
        });
        last = event.position;
        let length = lengths.entry(&event.stream).or_default();
        *length += 1;
        found.unless(event.sequence == *length, 11, || {
            format!(
                "`{}` has event {} where {length} should be",
                event.stream, event.sequence
            )
        });
    }
}

/// Every checkpoint ever signed is the root of that many leaves, and no size has two.
fn roots(books: &Books, found: &mut Findings) {
    let mut signed: BTreeMap<u64, Hash> = BTreeMap::new();
    for (size, root) in &books.signed {
        let first = *signed.entry(*size).or_insert(*root);
        found.unless(first == *root, 13, || {
            format!("two roots were signed for size {size}")
        });
    }
    found.unless(books.leaves.len() as u64 == books.newest_size, 12, || {
        format!(
            "the newest checkpoint covers {} leaves, and there are {}",
            books.newest_size,
            books.leaves.len()
        )
    });
    let mut subtrees: Vec<(u32, Hash)> = Vec::new();
    let mut size = 0;
    loop {
        if let Some(root) = signed.remove(&size) {
            found.unless(root == root_of(&subtrees), 12, || {
                format!("the root signed for size {size} is not that of the leaves")
            });
        }
        let Some(leaf) = usize::try_from(size)
            .ok()
            .and_then(|at| books.leaves.get(at))
        else {
            break;
        };
        let mut node = (0, hash(&[&[0], leaf]));
        while let Some((height, left)) = subtrees.last().copied()
            && height == node.0
        {
            subtrees.pop();
            node = (height + 1, hash(&[&[1], &left, &node.1]));
        }
        subtrees.push(node);
        size += 1;
    }
    for size in signed.keys() {
        found.unless(false, 12, || {
            format!("a root was signed for size {size}, and there are not so many leaves")
        });
    }
}

fn root_of(subtrees: &[(u32, Hash)]) -> Hash {
    let mut right_first = subtrees.iter().rev().map(|(_, hash)| *hash);
    let Some(last) = right_first.next() else {
        return hash(&[]);
    };
    right_first.fold(last, |right, left| hash(&[&[1], &left, &right]))
}

/// Every event has its own leaf, and every leaf its event.
fn leaves(books: &Books, found: &mut Findings) {
    let mut owners: BTreeMap<u64, u64> = BTreeMap::new();
    for event in &books.events {
        let place = event.leaf.unwrap_or(u64::MAX);
        let leaf = usize::try_from(place)
            .ok()
            .and_then(|at| books.leaves.get(at));
        found.unless(leaf.is_some_and(|leaf| is_leaf_of(leaf, event)), 12, || {
            format!(
                "the leaf of event {} (`{}`) is not a leaf of it",
                event.position, event.kind
            )
        });
        found.unless(owners.insert(place, event.position).is_none(), 12, || {
            format!("leaf {place} is that of two events")
        });
    }
    found.unless(owners.len() == books.leaves.len(), 12, || {
        format!(
            "{} leaves for {} events",
            books.leaves.len(),
            books.events.len()
        )
    });
}

fn is_leaf_of(leaf: &[u8], event: &Happened) -> bool {
    let Ok(leaf) = serde_json::from_slice::<Value>(leaf) else {
        return false;
    };
    let word = event.kind.strip_prefix("case.").unwrap_or(&event.kind);
    let (Ok(salt), Ok(record)) = (
        URL_SAFE_NO_PAD.decode(&event.salt),
        serde_json_canonicalizer::to_vec(&event.data),
    ) else {
        return false;
    };
    salt.len() == 32
        && leaf.get("kind").and_then(Value::as_str) == Some(word)
        && leaf.get("at").and_then(Value::as_i64) == Some(event.at / 1_000)
        && leaf.get("commitment").and_then(Value::as_str)
            == Some(&URL_SAFE_NO_PAD.encode(hash(&[&salt, &record])))
}

fn hash(parts: &[&[u8]]) -> Hash {
    let mut sha = Sha256::new();
    for part in parts {
        sha.update(part);
    }
    sha.finalize().into()
}
