//! The shell: load, decide, commit, deliver.

pub mod adapters;
