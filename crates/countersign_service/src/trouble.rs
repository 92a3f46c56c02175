//! What can go wrong below every operation: the store.

use countersign_store::{CommitError, StoreError};

/// The store did not do its part. Every area's error has this as one case.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// It could not be read, or could not take the write; nothing was changed.
    #[error("the store is not available; nothing was changed")]
    Unavailable,
    /// A write was sent and reading back did not show whether it was taken.
    #[error("it is not certain whether it happened")]
    Uncertain,
    /// Too many others changed the same thing at once; nothing was changed.
    #[error("too many changes at once; nothing was changed")]
    Busy,
    /// The store is full or overloaded; nothing was changed.
    #[error("the store is overloaded; nothing was changed")]
    Overloaded,
    /// A stored document cannot be read. The text is for the log of the operator, never for a page.
    #[error("a stored document cannot be read")]
    Damaged(String),
}

impl Trouble {
    /// Stable word.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unavailable => "store-unavailable",
            Self::Uncertain => "outcome-uncertain",
            Self::Busy => "too-many-changes",
            Self::Overloaded => "overloaded",
            Self::Damaged(_) => "damaged-record",
        }
    }
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        tracing::error!(error = %error, "store could not be read");
        Self::Unavailable
    }
}

impl From<CommitError> for Trouble {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Conflict { .. } => Self::Busy,
            CommitError::Malformed(what) => Self::Damaged(what),
            CommitError::Overloaded => Self::Overloaded,
            CommitError::Unavailable(why) => {
                tracing::error!(why, "store did not say whether it committed");
                Self::Uncertain
            }
        }
    }
}
