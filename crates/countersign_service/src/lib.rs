//! The shell: load, decide, commit, deliver.
