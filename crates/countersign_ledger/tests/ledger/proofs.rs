//! Proofs from tiles against ct-merkle's, and against every small change.

use crate::common::{Log, entry, log_of};
use countersign_ledger::{
    Hash, ProofError, TilePath, WrongProof, consistency_proof, empty_root, inclusion_proof,
    leaf_hash, tiles_for_consistency, tiles_for_inclusion, verify_consistency, verify_inclusion,
};
use ct_merkle::mem_backed_tree::MemoryBackedTree;
use proptest::prelude::*;
use sha2::Sha256;
use std::cell::RefCell;

fn oracle_of(size: u64) -> MemoryBackedTree<Sha256, Vec<u8>> {
    let mut oracle = MemoryBackedTree::new();
    (0..size).for_each(|n| oracle.push(entry(n)));
    oracle
}

fn root_of(size: u64) -> Hash {
    log_of(size, size.max(1)).0.root()
}

/// A source that notes what was asked of it.
fn noting<'a>(
    log: &'a Log,
    asked: &'a RefCell<Vec<TilePath>>,
) -> impl Fn(&TilePath) -> Option<Vec<u8>> + 'a {
    |path| {
        asked.borrow_mut().push(*path);
        log.tile(path)
    }
}

fn check_inclusion(index: u64, size: u64, log: &Log, oracle: &MemoryBackedTree<Sha256, Vec<u8>>) {
    let asked = RefCell::default();
    let proof = inclusion_proof(index, size, &noting(log, &asked)).unwrap();
    asked.borrow_mut().sort();
    assert_eq!(asked.into_inner(), tiles_for_inclusion(index, size));
    let place = usize::try_from(index).unwrap();
    assert_eq!(
        proof.concat(),
        oracle.prove_inclusion(place).as_bytes(),
        "{index} of {size}"
    );
    let leaf = leaf_hash(&entry(index));
    let root: Hash = (*oracle.root().as_bytes()).into();
    assert_eq!(verify_inclusion(index, size, &leaf, &proof, &root), Ok(()));
}

#[test]
fn inclusion_proofs_are_the_oracles_for_all_small_sizes() {
    for size in 1..=70 {
        let (_, log) = log_of(size, size);
        let oracle = oracle_of(size);
        for index in 0..size {
            check_inclusion(index, size, &log, &oracle);
        }
    }
}

#[test]
fn consistency_proofs_are_the_oracles_for_all_small_sizes() {
    for new in 1..=70 {
        let (_, log) = log_of(new, new);
        let oracle = oracle_of(new);
        for old in 1..new {
            check_consistency(old, new, &log, &oracle);
        }
    }
}

fn check_consistency(old: u64, new: u64, log: &Log, oracle: &MemoryBackedTree<Sha256, Vec<u8>>) {
    let asked = RefCell::default();
    let proof = consistency_proof(old, new, &noting(log, &asked)).unwrap();
    asked.borrow_mut().sort();
    assert_eq!(asked.into_inner(), tiles_for_consistency(old, new));
    let added = usize::try_from(new - old).unwrap();
    assert_eq!(
        proof.concat(),
        oracle.prove_consistency(added).as_bytes(),
        "{old} to {new}"
    );
    let root: Hash = (*oracle.root().as_bytes()).into();
    let before = root_of(old);
    assert_eq!(verify_consistency(old, new, &before, &root, &proof), Ok(()));
}

#[test]
fn proofs_reach_over_three_levels_of_tiles() {
    let size = 256 * 256 + 700;
    let (_, log) = log_of(size, 5000);
    let oracle = oracle_of(size);
    for index in [0, 255, 256, 40_001, 65_535, 65_536, size - 1] {
        check_inclusion(index, size, &log, &oracle);
    }
    for old in [1, 257, 65_535, 65_536, 65_537, size - 1] {
        check_consistency(old, size, &log, &oracle);
    }
}

#[test]
fn the_ends_are_proved_too() {
    let (appender, log) = log_of(300, 300);
    let source = |path: &TilePath| log.tile(path);
    for old in [0, 300] {
        assert_eq!(consistency_proof(old, 300, &source), Ok(vec![]));
    }
    let root = appender.root();
    assert_eq!(
        verify_consistency(0, 300, &empty_root(), &root, &[]),
        Ok(())
    );
    assert_eq!(verify_consistency(300, 300, &root, &root, &[]), Ok(()));
    assert_eq!(
        verify_consistency(0, 300, &root, &root, &[]),
        Err(WrongProof::Root)
    );
    assert_eq!(
        verify_consistency(0, 300, &empty_root(), &root, &[root]),
        Err(WrongProof::Length)
    );
    assert_eq!(
        verify_consistency(300, 300, &root, &empty_root(), &[]),
        Err(WrongProof::Root)
    );
    assert_eq!(
        verify_consistency(301, 300, &root, &root, &[]),
        Err(WrongProof::OutOfRange)
    );
    assert_eq!(
        consistency_proof(301, 300, &source),
        Err(ProofError::OutOfRange)
    );
    assert_eq!(
        inclusion_proof(300, 300, &source),
        Err(ProofError::OutOfRange)
    );
    assert_eq!(
        verify_inclusion(300, 300, &root, &[], &root),
        Err(WrongProof::OutOfRange)
    );
    assert!(tiles_for_inclusion(300, 300).is_empty());
    assert!(tiles_for_consistency(301, 300).is_empty());
}

#[test]
fn numbers_at_the_edge_of_u64_do_not_overflow() {
    let none = |_: &TilePath| None;
    for (index, size) in [(0, u64::MAX), (u64::MAX - 1, u64::MAX), (1 << 63, u64::MAX)] {
        assert!(!tiles_for_inclusion(index, size).is_empty());
        assert!(matches!(
            inclusion_proof(index, size, &none),
            Err(ProofError::Missing { .. })
        ));
        for length in [0, 1, 63, 64, 65, 200] {
            let proof = vec![[0; 32]; length];
            assert!(verify_inclusion(index, size, &[0; 32], &proof, &[1; 32]).is_err());
            assert!(verify_consistency(index, size, &[0; 32], &[1; 32], &proof).is_err());
        }
    }
}

#[test]
fn a_full_tile_serves_where_the_partial_one_is_gone() {
    let (_, mut log) = log_of(300, 100);
    let proof = inclusion_proof(7, 200, &|path: &TilePath| log.tile(path)).unwrap();
    log.files
        .retain(|path, _| path.is_full() || path.index() > 0);
    let again = inclusion_proof(7, 200, &|path: &TilePath| log.tile(path));
    assert_eq!(again, Ok(proof));
}

#[test]
fn a_missing_or_short_tile_is_named() {
    let (_, mut log) = log_of(300, 300);
    let path = TilePath::Hashes {
        level: 0,
        index: 0,
        width: 256,
    };
    log.files.get_mut(&path).unwrap().truncate(256 * 32 - 1);
    let source = |path: &TilePath| log.tile(path);
    assert_eq!(
        inclusion_proof(3, 300, &source),
        Err(ProofError::Malformed { path })
    );
    log.files.remove(&path).unwrap();
    let source = |path: &TilePath| log.tile(path);
    assert_eq!(
        inclusion_proof(3, 300, &source),
        Err(ProofError::Missing { path })
    );
}

/// Every single change of one proof: a bit, a hash dropped, doubled, swapped or added.
fn changes(proof: &[Hash], bit: usize) -> Vec<Vec<Hash>> {
    let mut changed = Vec::new();
    for at in 0..proof.len() {
        let mut flipped = proof.to_vec();
        flipped[at][bit / 8] ^= 1 << (bit % 8);
        changed.push(flipped);
        let mut dropped = proof.to_vec();
        dropped.remove(at);
        changed.push(dropped);
        let mut doubled = proof.to_vec();
        doubled.insert(at, proof[at]);
        changed.push(doubled);
        if at > 0 && proof[at] != proof[at - 1] {
            let mut swapped = proof.to_vec();
            swapped.swap(at, at - 1);
            changed.push(swapped);
        }
    }
    let mut longer = proof.to_vec();
    longer.push([0; 32]);
    changed.push(longer);
    changed
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(30))]

    #[test]
    fn random_sizes_prove_as_the_oracle_does(new in 1..2000_u64, a: u64, b: u64, bit in 0..256_usize) {
        let (index, old) = (a % new, b % new);
        let (appender, log) = log_of(new, 700);
        let oracle = oracle_of(new);
        check_inclusion(index, new, &log, &oracle);
        if old > 0 {
            check_consistency(old, new, &log, &oracle);
        }

        let source = |path: &TilePath| log.tile(path);
        let leaf = leaf_hash(&entry(index));
        let root = appender.root();
        let proof = inclusion_proof(index, new, &source).unwrap();
        for changed in changes(&proof, bit) {
            prop_assert!(verify_inclusion(index, new, &leaf, &changed, &root).is_err());
        }
        for elsewhere in [index + 1, index ^ 1] {
            prop_assert!(verify_inclusion(elsewhere, new, &leaf, &proof, &root).is_err());
        }
        let mut other = leaf;
        other[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(verify_inclusion(index, new, &other, &proof, &root).is_err());

        let old_root = root_of(old);
        let proof = consistency_proof(old, new, &source).unwrap();
        for changed in changes(&proof, bit) {
            prop_assert!(verify_consistency(old, new, &old_root, &root, &changed).is_err());
        }
        let mut other = old_root;
        other[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(verify_consistency(old, new, &other, &root, &proof).is_err());
        if old > 0 {
            // A log of nothing begins every log.
            let mut other = root;
            other[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(verify_consistency(old, new, &old_root, &other, &proof).is_err());
        }
    }

    #[test]
    fn nonsense_is_refused_without_a_panic(
        index: u64, size: u64,
        proof in prop::collection::vec(any::<Hash>(), 0..70),
        root: Hash, leaf: Hash,
    ) {
        prop_assert!(verify_inclusion(index, size, &leaf, &proof, &root).is_err());
        prop_assert!(verify_consistency(index, size, &leaf, &root, &proof).is_err());
    }
}
