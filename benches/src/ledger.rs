//! A million leaves of 300 bytes into tiles and signed checkpoints in memory, beside what the
//! SHA-256 of the same run allows and beside ct-merkle; then proofs from those tiles.

use std::collections::BTreeMap;
use std::time::Duration;

use countersign_ledger::{
    Appender, Checkpoint, Hash, KeyKind, NoteSigner, SecretKey, TilePath, inclusion_proof,
    leaf_hash, verify_inclusion,
};
use ct_merkle::mem_backed_tree::MemoryBackedTree;
use sha2::{Digest, Sha256};

use crate::timing::{Measured, Samples, time, verdict};

const LEAVES: u64 = 1_000_000;
const LEAF_BYTES: usize = 300;
const BATCH: u64 = 1_000;
const ROUNDS: usize = 3;
const PROOFS: u64 = 20_000;
const ORIGIN: &str = "gate.example/ledger";

pub(crate) fn run() -> Measured {
    let data = noise();
    println!("{LEAVES} leaves of {LEAF_BYTES} bytes, best of {ROUNDS} rounds");
    let mut bound = Duration::MAX;
    let mut ours = Duration::MAX;
    let mut peer = Duration::MAX;
    let mut tiles = BTreeMap::new();
    let mut root = Hash::default();
    let mut oracle = MemoryBackedTree::<Sha256, &[u8]>::new();
    for _ in 0..ROUNDS {
        bound = bound.min(time(|| hash_alone(&data)).0);
        let (took, log) = time(|| append(&data));
        ours = ours.min(took);
        (tiles, root) = log?;
        let (took, tree) = time(|| {
            let mut tree = MemoryBackedTree::new();
            (0..LEAVES).for_each(|n| tree.push(leaf(&data, n)));
            tree
        });
        peer = peer.min(took);
        oracle = tree;
    }
    if oracle.root().as_bytes()[..] != root[..] {
        return Err("ct-merkle has another root".into());
    }
    let share = bound.as_secs_f64() / ours.as_secs_f64();
    println!("  SHA-256 alone (a leaf and a node each)   {}", rate(bound));
    println!(
        "  ours: tiles, bundles, a signed checkpoint each {BATCH}   {}   {:.0} % of the bound (goal 50 %: {})",
        rate(ours),
        share * 100.0,
        verdict(share >= 0.5)
    );
    println!(
        "  ct-merkle: leaves in memory, no tiles    {}   ours is {:.1} times as fast",
        rate(peer),
        peer.as_secs_f64() / ours.as_secs_f64()
    );
    proofs(&data, &tiles, &root, &oracle)
}

fn proofs(
    data: &[u8],
    tiles: &BTreeMap<TilePath, Vec<u8>>,
    root: &Hash,
    oracle: &MemoryBackedTree<Sha256, &[u8]>,
) -> Measured {
    let source = |path: &TilePath| tiles.get(path).cloned();
    let (mut make, mut check, mut make_peer, mut check_peer) = (
        Samples::default(),
        Samples::default(),
        Samples::default(),
        Samples::default(),
    );
    let oracle_root = oracle.root();
    for n in 0..PROOFS {
        let index = n * 48_271 % LEAVES;
        let (took, proof) = time(|| inclusion_proof(index, LEAVES, &source));
        make.add(took);
        let proof = proof?;
        let leaf_hash = leaf_hash(leaf(data, index));
        let (took, right) = time(|| verify_inclusion(index, LEAVES, &leaf_hash, &proof, root));
        check.add(took);
        right?;

        let (took, proof) = time(|| oracle.prove_inclusion(usize::try_from(index).unwrap_or(0)));
        make_peer.add(took);
        let (took, right) =
            time(|| oracle_root.verify_inclusion(&leaf(data, index), index, &proof));
        check_peer.add(took);
        right.map_err(|error| format!("{error:?}"))?;
    }
    let check_us = check.quantile_us(0.5);
    println!("inclusion proofs of {PROOFS} leaves among {LEAVES}, median (p99)");
    println!(
        "  ours: verify {check_us:.2} us ({:.2} us) (goal 10 us: {}), make from tiles in memory {:.1} us",
        check.quantile_us(0.99),
        verdict(check_us <= 10.0),
        make.quantile_us(0.5)
    );
    let check_peer_us = check_peer.quantile_us(0.5);
    println!(
        "  ct-merkle: verify, hashing the leaf too, {check_peer_us:.2} us ({:.2} us), make from nodes in memory {:.1} us; \
         ours verifies {:.1} times as fast",
        check_peer.quantile_us(0.99),
        make_peer.quantile_us(0.5),
        check_peer_us / check_us
    );
    Ok(())
}

/// The hashing that any tree of these leaves needs, and nothing else.
fn hash_alone(data: &[u8]) -> u8 {
    let mut all = 0;
    for n in 0..LEAVES {
        let start = offset(n);
        let hash = Sha256::digest(data.get(start..=start + LEAF_BYTES).unwrap_or_default());
        let node = Sha256::digest(data.get(start..start + 65).unwrap_or_default());
        all ^= hash.first().copied().unwrap_or(0) ^ node.first().copied().unwrap_or(0);
    }
    all
}

type Log = (BTreeMap<TilePath, Vec<u8>>, Hash);

fn append(data: &[u8]) -> Result<Log, Box<dyn std::error::Error>> {
    let key = SecretKey::from_seed(&[1; 32])?;
    let signer = NoteSigner::new(ORIGIN, KeyKind::Ed25519, key)?;
    let mut appender = Appender::empty();
    let mut tiles = BTreeMap::new();
    let mut published = String::new();
    let mut next = 0;
    while next < LEAVES {
        let end = LEAVES.min(next + BATCH);
        let changed = appender.append((next..end).map(|n| leaf(data, n)))?;
        tiles.extend(changed.tiles);
        let checkpoint = Checkpoint {
            origin: ORIGIN.to_owned(),
            size: appender.size(),
            root: appender.root(),
        };
        published = checkpoint.sign(&signer)?.to_string();
        next = end;
    }
    let root = Checkpoint::verify(&published, signer.verifier())?.root;
    Ok((tiles, root))
}

/// Leaf `n`: a window into the noise, another for each.
fn leaf(data: &[u8], n: u64) -> &[u8] {
    let start = offset(n);
    data.get(start..start + LEAF_BYTES).unwrap_or_default()
}

fn offset(n: u64) -> usize {
    usize::try_from(n).unwrap_or(0)
}

/// A byte for each leaf and the length of the last, from a xorshift generator.
fn noise() -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let bytes = offset(LEAVES) + LEAF_BYTES + 1;
    std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[0]
    })
    .take(bytes)
    .collect()
}

fn rate(took: Duration) -> String {
    #[expect(clippy::cast_precision_loss, reason = "a figure to print")]
    let millions = LEAVES as f64 / took.as_secs_f64() / 1e6;
    format!(
        "{:.3} s, {millions:.2} million leaves/s",
        took.as_secs_f64()
    )
}
