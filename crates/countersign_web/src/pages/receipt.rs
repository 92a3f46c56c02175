//! The receipt: a sheet made to be printed and checked.

use super::frame::{CustomerFrame, StaffFrame};
use super::parts::{Fact, When};
use crate::words::Words;

/// `GET /c/receipts/{id}`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomerReceiptPage {
    /// Frame.
    pub frame: CustomerFrame,
    /// The sheet.
    pub receipt: Receipt,
}

/// `GET /cases/{id}/receipt`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaffReceiptPage {
    /// Frame.
    pub frame: StaffFrame,
    /// The sheet.
    pub receipt: Receipt,
}

/// What a receipt says (UX 6.17).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// Receipt number: the case's id.
    pub number: String,
    /// Whose gate.
    pub organisation: String,
    /// The words.
    pub words: Words,
    /// What became of it.
    pub outcome: ReceiptOutcome,
    /// When it came to that.
    pub at: When,
    /// Who asked, who proved what (kinds, never values), who signed, when.
    pub facts: Vec<Fact>,
    /// Action, and version of the procedure.
    pub procedure: String,
    /// 64 hexadecimal digits.
    pub digest: String,
    /// Where it stands in the ledger: origin and entry number.
    pub ledger: Option<(String, u64)>,
    /// The machine-readable receipt, for `countersign receipt verify`.
    pub download: Option<String>,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReceiptOutcome {
    /// It happened.
    Happened,
    /// It did not happen; why: `Stopped by the customer`.
    DidNotHappen(String),
    /// Not certain.
    Unknown,
    /// Not finished yet.
    Open,
}
