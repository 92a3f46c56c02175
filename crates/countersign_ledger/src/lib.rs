//! A pure tamper-evident log: tree, tiles, notes, proofs.
