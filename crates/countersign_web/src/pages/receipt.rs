//! The receipt: a sheet made to be printed and checked.

use askama::Template;
use countersign_service::Language;

use askama::filters::HtmlSafe;

use super::frame::{Banner, CustomerFrame, Section, StaffFrame};
use super::icon::Icon;
use super::page::{Page, Spoken};
use super::parts::{Fact, When};
use super::samples::{DIGEST, agent, customer, fact, on, words};
use crate::words::{Typed, Words};

/// `GET /c/receipts/{id}`
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "link-receipt.html")]
pub struct CustomerReceiptPage {
    /// Frame.
    pub frame: CustomerFrame,
    /// The sheet.
    pub receipt: Receipt,
}

/// `GET /cases/{id}/receipt`
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "receipt-staff.html")]
pub struct StaffReceiptPage {
    /// Frame.
    pub frame: StaffFrame,
    /// The sheet.
    pub receipt: Receipt,
}

/// What a receipt says (UX 6.17).
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "parts/receipt.html")]
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

impl HtmlSafe for Receipt {}

impl Receipt {
    fn class(&self) -> &'static str {
        match self.outcome {
            ReceiptOutcome::Happened => "ok",
            ReceiptOutcome::DidNotHappen(_) => "bad",
            ReceiptOutcome::Unknown | ReceiptOutcome::Open => "wait",
        }
    }
}

fn receipts() -> Vec<(&'static str, Receipt)> {
    let receipt = |outcome, download: bool| Receipt {
        number: "CS-7F3K9Q".into(),
        organisation: "Nordhamn Hosting".into(),
        words: words(),
        outcome,
        at: on("2026-11-23T10:45:10+01:00", "23 Nov 2026, 10:45:10"),
        facts: vec![
            fact("Asked by", "Maja Lindqvist, support agent, 10:31:12"),
            fact("Proven", "support PIN, 10:33:41; passkey, 10:35:02"),
            fact("Confirmed", "by the customer, 10:36:20"),
            fact("Signed by", "Idris Bello, senior support agent, 10:44:51"),
        ],
        procedure: "email.change, version 4be1".into(),
        digest: DIGEST.into(),
        ledger: download.then(|| ("support.nordhamn.example/ledger".into(), 88_204)),
        download: download.then(|| "/c/receipts/CS-7F3K9Q.json".into()),
    };
    vec![
        ("happened", receipt(ReceiptOutcome::Happened, true)),
        (
            "stopped",
            receipt(
                ReceiptOutcome::DidNotHappen("Stopped by the customer".into()),
                true,
            ),
        ),
        ("unknown", receipt(ReceiptOutcome::Unknown, true)),
        ("open", receipt(ReceiptOutcome::Open, false)),
    ]
}

impl Page for CustomerReceiptPage {
    const NAME: &'static str = "customer-receipt";

    fn samples() -> Vec<(&'static str, Self)> {
        Self::samples_in(Language::English)
    }
}

impl Spoken for CustomerReceiptPage {
    fn samples_in(language: Language) -> Vec<(&'static str, Self)> {
        let mut frame = customer(language);
        frame.can_stop = false;
        frame.works_until = None;
        receipts()
            .into_iter()
            .map(|(state, receipt)| {
                (
                    state,
                    Self {
                        frame: frame.clone(),
                        receipt,
                    },
                )
            })
            .collect()
    }
}

impl Page for StaffReceiptPage {
    const NAME: &'static str = "staff-receipt";

    fn samples() -> Vec<(&'static str, Self)> {
        let frame = agent(Some(Section::Desk), "/cases/CS-7F3K9Q/receipt");
        receipts()
            .into_iter()
            .map(|(state, receipt)| {
                (
                    state,
                    Self {
                        frame: frame.clone(),
                        receipt,
                    },
                )
            })
            .collect()
    }
}
