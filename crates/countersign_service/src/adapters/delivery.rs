//! What came of handing a message to whoever carries it.

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// The carrier took responsibility for it.
    HandedOver,
    /// It will never go there: repeating is pointless.
    Refused(RefusedReason),
    /// Not now; repeat later with the same key. It may have gone after all, then the key is how a carrier knows.
    TryLater(LaterReason),
}

/// Why never.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusedReason {
    /// The address or the message cannot be sent at all.
    Malformed,
    /// The carrier said so: an SMTP code of 500 or more, or an HTTP status of 4xx.
    Answered(u16),
}

/// Why not now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LaterReason {
    /// No connection, a cut one, or no answer in time.
    Unreachable,
    /// The carrier said so: an SMTP code of 4xx, or an HTTP status.
    Answered(u16),
}
