//! Customers as staff see them: read only.

use askama::Template;

use super::desk::case_rows;
use super::frame::{Banner, Section, StaffFrame};
use super::icon::Icon;
use super::new_case::{CustomerHit, Hits, hits};
use super::page::{Page, encode};
use super::parts::{CaseRow, CaseTable, Fact};
use super::samples::{agent, fact, machine};
use crate::words::Typed;

/// `GET /customers`, and `POST /customers` (`q`) with who was found.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "customers.html")]
pub struct CustomersPage {
    /// Frame.
    pub frame: StaffFrame,
    /// What was searched for.
    pub query: String,
    /// Who was found.
    pub found: Vec<CustomerHit>,
}

/// `GET /customers/{id}`
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "customer.html")]
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

impl CustomerPage {
    fn encoded_id(&self) -> String {
        encode(&self.id)
    }
}

impl Page for CustomersPage {
    const NAME: &'static str = "customers";

    fn samples() -> Vec<(&'static str, Self)> {
        let page = |query: &str, found| Self {
            frame: agent(Some(Section::Customers), "/customers"),
            query: query.into(),
            found,
        };
        vec![
            ("ask", page("", Vec::new())),
            ("found", page("halden", hits())),
            ("nobody", page("haldn", Vec::new())),
        ]
    }
}

impl Page for CustomerPage {
    const NAME: &'static str = "customer";

    fn samples() -> Vec<(&'static str, Self)> {
        let holding = |label: &str, since: &str, note: Option<&str>| HoldingRow {
            label: label.into(),
            since: since.into(),
            note: note.map(str::to_owned),
        };
        let their_cases = |name: &str| {
            let mut cases = case_rows();
            for case in &mut cases {
                name.clone_into(&mut case.customer);
            }
            cases
        };
        let known = Self {
            frame: agent(Some(Section::Customers), "/customers/204-118"),
            id: "204-118".into(),
            name: "Halden Freight AB".into(),
            masked: false,
            facts: vec![
                fact("Contact", "Signe Halden"),
                machine("Email", "ops@haldenfreight.example"),
                machine("Mobile", "+46 70 123 45 18"),
                fact("Customer since", "March 2019"),
            ],
            holdings: vec![
                holding("Support PIN", "since March 2019", None),
                holding(
                    "Passkey",
                    "since 23 Nov 2026",
                    Some("Not usable until 30 Nov"),
                ),
            ],
            locks: Vec::new(),
            cases: their_cases("Halden Freight AB"),
        };
        let masked = Self {
            name: "H•• F•• A••".into(),
            cases: their_cases("H•• F•• A••"),
            masked: true,
            facts: vec![
                fact("Contact", "S•• H••"),
                machine("Email", "o••@h••••.example"),
                machine("Mobile", "•• 18"),
            ],
            locks: vec!["Support PIN closed until 10:52 after 5 wrong tries".into()],
            ..known.clone()
        };
        let new = Self {
            cases: Vec::new(),
            holdings: Vec::new(),
            ..masked.clone()
        };
        vec![("known", known), ("masked", masked), ("nothing-yet", new)]
    }
}
