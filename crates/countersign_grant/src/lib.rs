//! Grants: signed, one-time, logged permissions for exactly one action on one account.
//!
//! The gate [`mint`]s a grant, appends its [`Leaf`] to the ledger and hands a [`Bundle`] of
//! grant and proof to a backend. The backend's [`Verifier`] accepts it once, for what it
//! names, while it is fresh, and only with its proof: nothing happens that is not in the
//! ledger. The crate reads no clock, keeps no state and does no I/O, and is small enough to
//! vendor.

mod key;
mod leaf;
mod mint;
mod receipt;
mod verify;

pub use key::{GrantKey, Jwk, JwkSet, NotAGrantKey};
pub use leaf::{GRANTED, Leaf, NotALeaf, commitment, grant_hash};
pub use mint::{Bundle, Claims, LIFETIME_S_MAX, mint};
pub use receipt::{Receipt, ReceiptError};
pub use verify::{Expected, Reason, Verified, Verifier};

/// The examples of the manual page, compiled with the documentation tests.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/grants.md")]
struct ManualPage;
