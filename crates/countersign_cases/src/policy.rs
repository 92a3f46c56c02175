//! The numbers that are the same for every procedure.

/// A refusal or a stop closes the same request for this long: 24 hours.
pub const CLOSED_SECONDS: u64 = 24 * 3_600;

/// A case that waited can still run for this long after its wait, whatever `expires` says: 24 hours.
pub const RUN_AFTER_WAIT_SECONDS: u64 = 24 * 3_600;

/// A contact that changed more recently than this does not count as told: 30 days.
pub const CONTACT_SETTLES_SECONDS: u64 = 30 * 86_400;

/// Shortest reason, in characters: long enough that `ok` and `asdf` are not one.
pub const REASON_CHARS_MIN: usize = 10;

/// Longest reason, in characters.
pub const REASON_CHARS_MAX: usize = 500;

/// Longest value of a parameter, in characters.
pub const PARAMETER_CHARS_MAX: usize = 1_000;

/// Longest ticket or chat reference, in characters.
pub const REFERENCE_CHARS_MAX: usize = 200;

/// Most people who can sign one case. A path that needs more can never be completed.
pub const SIGNERS_MAX: usize = 64;

/// Wrong answers to one proof of one customer before it locks.
pub const WRONG_ANSWERS_MAX: u32 = 5;

/// How long a proof stays locked: 24 hours. Wrong answers older than this are forgotten.
pub const LOCKED_SECONDS: u64 = 24 * 3_600;
