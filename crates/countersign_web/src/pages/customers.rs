//! Customers as staff see them: read only.

use super::frame::StaffFrame;
use super::new_case::CustomerHit;
use super::parts::{CaseRow, Fact};

/// `GET /customers?q=`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomersPage {
    /// Frame.
    pub frame: StaffFrame,
    /// What was searched for.
    pub query: String,
    /// Who was found.
    pub found: Vec<CustomerHit>,
}

/// `GET /customers/{id}`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomerPage {
    /// Frame.
    pub frame: StaffFrame,
    /// The company's own id.
    pub id: String,
    /// Name, masked unless something is proven in a case of the reader.
    pub name: String,
    /// Names and addresses are masked.
    pub masked: bool,
    /// Facts.
    pub facts: Vec<Fact>,
    /// What is registered: kinds and dates only.
    pub holdings: Vec<HoldingRow>,
    /// `Support PIN closed until 10:52 after 5 wrong tries`
    pub locks: Vec<String>,
    /// Their cases, newest first.
    pub cases: Vec<CaseRow>,
}

/// Something registered for a customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldingRow {
    /// `passkey`
    pub label: String,
    /// `since March 2024`
    pub since: String,
    /// `Not usable until 30 Nov` for a fresh change.
    pub note: Option<String>,
}
