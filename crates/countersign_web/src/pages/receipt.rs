//! The receipt: a sheet made to be printed and checked.

use askama::Template;
use countersign_service::Language;
use countersign_service::speech::Key;

use askama::filters::HtmlSafe;

use super::frame::{Banner, CustomerFrame, Section, StaffFrame};
use super::icon::Icon;
use super::page::{Page, Spoken};
use super::parts::{Fact, FactValue, When};
use super::qr::Qr;
use super::samples::{DIGEST, agent, at_in_zone, customer, words};
use super::told::{Own, Tag, Told, own_attributes};
use crate::words::{Machine, Typed, Words};

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
    /// What the sheet speaks.
    pub language: Language,
    /// What the organisation's own words are in.
    pub own_language: Language,
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
    /// Action, and the first digits of the procedure's version.
    pub procedure: (String, String),
    /// 64 hexadecimal digits.
    pub digest: String,
    /// Where it stands in the ledger: origin and entry number.
    pub ledger: Option<(String, u64)>,
    /// The machine-readable receipt, for `countersign receipt verify`.
    pub download: Option<String>,
    /// The page where anyone can check it, with number and digest after the `#`, which no server sees.
    pub check_at: Option<String>,
    /// The same as a picture.
    pub qr: Option<Qr>,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReceiptOutcome {
    /// It happened.
    Happened,
    /// It did not happen; why.
    DidNotHappen(Key),
    /// Not certain.
    Unknown,
    /// Not finished yet.
    Open,
}

impl HtmlSafe for Receipt {}

fn check_at() -> String {
    format!("https://support.nordhamn.example/receipts/verify#CS-7F3K9Q/{DIGEST}")
}

impl Receipt {
    fn tell(&self, key: impl Into<Key>) -> Told {
        Told::new(self.language, key)
    }

    fn own_attributes(&self) -> String {
        own_attributes(self.language, self.own_language)
    }

    /// The QR code of the address where a receipt is checked.
    pub fn qr_of(check_at: &str, language: Language) -> Option<Qr> {
        Qr::new(check_at, language.say("receipt-qr"))
    }

    /// Without the part after the `#`, as people type it.
    fn check_shown(&self) -> &str {
        let address = self.check_at.as_deref().unwrap_or_default();
        let plain = address.split('#').next().unwrap_or_default();
        plain.split("://").nth(1).unwrap_or(plain)
    }

    fn class(&self) -> &'static str {
        match self.outcome {
            ReceiptOutcome::Happened => "ok",
            ReceiptOutcome::DidNotHappen(_) => "bad",
            ReceiptOutcome::Unknown | ReceiptOutcome::Open => "wait",
        }
    }
}

fn receipts(language: Language) -> Vec<(&'static str, Receipt)> {
    let line = |time: &str, told| Fact {
        label: time.to_owned(),
        value: FactValue::Told(told),
    };
    let says = |key| Told::new(language, Key(key));
    let proved = |label: &str| {
        says("event-proved").with("label", Own::new(label, language, Language::English))
    };
    let receipt = |outcome, download: bool| Receipt {
        language,
        own_language: Language::English,
        number: "CS-7F3K9Q".into(),
        organisation: "Nordhamn Hosting".into(),
        words: words(),
        outcome,
        at: at_in_zone(language),
        facts: vec![
            line("10:31:12", says("event-opened")),
            line("10:33:41", proved("support PIN")),
            line("10:35:02", proved("passkey")),
            line("10:36:20", says("event-confirmed")),
            line("10:44:51", says("event-signed")),
        ],
        procedure: ("email.change".into(), "4be1".into()),
        digest: DIGEST.into(),
        ledger: download.then(|| ("support.nordhamn.example/ledger".into(), 88_204)),
        download: download.then(|| "/c/receipts/CS-7F3K9Q.json".into()),
        check_at: download.then(check_at),
        qr: download
            .then(check_at)
            .and_then(|at| Receipt::qr_of(&at, language)),
    };
    vec![
        ("happened", receipt(ReceiptOutcome::Happened, true)),
        (
            "stopped",
            receipt(
                ReceiptOutcome::DidNotHappen(Key("receipt-why-stopped")),
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
        receipts(language)
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
        receipts(Language::English)
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
