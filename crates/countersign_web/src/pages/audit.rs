//! The audit log: the list, one entry, and whether the whole of it holds.

use askama::Template;

use super::frame::{Banner, Section, StaffFrame};
use super::icon::Icon;
use super::page::Page;
use super::parts::When;
use super::samples::{agent, at, on};
use crate::words::{Machine, Typed};

/// `GET /audit`
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "audit.html")]
pub struct AuditPage {
    /// Frame.
    pub frame: StaffFrame,
    /// The fields of the filter as they were sent.
    pub filter: AuditFields,
    /// What cannot be read of them, for the field `from` or `to`.
    pub wrong_day: Option<String>,
    /// Filters that are on.
    pub chips: Vec<Chip>,
    /// At most a hundred, newest first.
    pub rows: Vec<AuditLine>,
    /// Address of the page with newer entries.
    pub newer: Option<String>,
    /// Address of the page with older ones.
    pub older: Option<String>,
    /// `1,204,331 entries` or `at most 4,000 entries`
    pub count: String,
    /// `12,000 entries are not found by filters yet.`
    pub behind: Option<String>,
}

/// The fields of the filter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFields {
    /// `who`
    pub who: String,
    /// `kind`, and the label of each.
    pub kind: String,
    /// `case`
    pub case: String,
    /// `customer`
    pub customer: String,
    /// `from`
    pub from: String,
    /// `to`
    pub to: String,
}

/// Values and labels of the kinds of entries, in the order of the filter.
pub const AUDIT_KINDS: [(&str, &str); 15] = [
    ("signed_in", "Signed in"),
    ("opened", "Opened"),
    ("proved", "Proved"),
    ("wrong_answer", "Answer not right"),
    ("refused", "Refused"),
    ("signed", "Signed"),
    ("ran", "Ran"),
    ("stopped", "Stopped"),
    ("ended", "Taken back or ran out"),
    ("told", "Told and waited"),
    ("changed_rules", "Changed rules"),
    ("looked_up", "Looked up"),
    ("accounts", "Accounts"),
    ("customers", "Customers"),
    ("other", "Other"),
];

/// A filter that is on, and the page without it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chip {
    /// `Kind: Signed`
    pub label: String,
    /// The page without it.
    pub href: String,
}

/// An entry as a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditLine {
    /// `88,204`
    pub number: String,
    /// Its page; none where the reader is tied to the customer.
    pub href: Option<String>,
    /// To the millisecond.
    pub at: When,
    /// `Idris Bello`, `customer`
    pub who: String,
    /// What.
    pub words: String,
    /// `CS-7F3K9Q`
    pub case: Option<String>,
    /// It is in the ledger.
    pub in_ledger: bool,
}

/// `GET /audit/{seq}`
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "audit-entry.html")]
pub struct AuditEntryPage {
    /// Frame.
    pub frame: StaffFrame,
    /// `88,204`
    pub number: String,
    /// As in the list.
    pub words: String,
    /// Label and value.
    pub facts: Vec<AuditFact>,
    /// The record, character for character.
    pub record: String,
    /// What was looked at, and whether it holds.
    pub checks: Vec<AuditHolds>,
    /// The words whose digest was signed.
    pub signed_words: Option<String>,
    /// The parts of a signature, base64url.
    pub signature: Vec<AuditFact>,
    /// The entry before.
    pub older: Option<String>,
    /// The entry after.
    pub newer: Option<String>,
}

/// A field and its value, in the machine's letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditFact {
    /// `Leaf hash`
    pub label: String,
    /// Its value.
    pub value: String,
}

/// Something that was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditHolds {
    /// It holds.
    pub good: bool,
    /// A sentence.
    pub words: String,
}

/// `GET /audit/verify`
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "audit-verify.html")]
pub struct AuditVerifyPage {
    /// Frame.
    pub frame: StaffFrame,
    /// The last look through the log.
    pub last: Option<LastCheck>,
    /// One was asked for then and is not done.
    pub asked: Option<When>,
}

/// What the last look through the log found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastCheck {
    /// `1,204,331`
    pub entries: String,
    /// `1,204,120`
    pub events: String,
    /// When.
    pub at: When,
    /// `14.2 s`
    pub took: String,
    /// The ledger's root.
    pub root: String,
    /// The entry that does not fit, and its page.
    pub entry: Option<(String, String)>,
    /// What is wrong.
    pub finding: Option<String>,
}

impl AuditPage {
    fn kinds(&self) -> impl Iterator<Item = (&'static str, &'static str, bool)> + '_ {
        let chosen = self.filter.kind.as_str();
        AUDIT_KINDS
            .into_iter()
            .map(move |(value, label)| (value, label, value == chosen))
    }
}

fn auditor(here: &str) -> StaffFrame {
    let mut frame = agent(Some(Section::Audit), here);
    if let Some(person) = &mut frame.person {
        person.name = "Alva Ek".into();
        person.role = "Auditor".into();
    }
    frame.sections = vec![Section::Procedures, Section::Statistics, Section::Audit];
    frame
}

fn line(number: &str, time: &str, who: &str, words: &str, case: Option<&str>) -> AuditLine {
    AuditLine {
        number: number.into(),
        href: Some(format!("/audit/{}", number.replace(',', ""))),
        at: at(time),
        who: who.into(),
        words: words.into(),
        case: case.map(str::to_owned),
        in_ledger: true,
    }
}

fn lines() -> Vec<AuditLine> {
    let case = Some("CS-7F3K9Q");
    vec![
        line("88,204", "10:51:22.004", "customer", "Stopped", case),
        line(
            "88,203",
            "10:44:51.310",
            "Idris Bello",
            "Signed with a passkey",
            case,
        ),
        line(
            "88,202",
            "10:36:20.118",
            "customer",
            "Confirmed the exact words",
            case,
        ),
        line(
            "88,201",
            "10:35:02.664",
            "customer",
            "Proven: passkey",
            case,
        ),
        line(
            "88,200",
            "10:34:40.020",
            "customer",
            "Answer not right: support PIN",
            case,
        ),
        line(
            "88,199",
            "10:31:00.000",
            "Maja Lindqvist",
            "Case opened: Change the email address",
            case,
        ),
        AuditLine {
            href: None,
            ..line(
                "88,198",
                "10:30:12.500",
                "Maja Lindqvist",
                "Not shown: you are tied to this customer",
                None,
            )
        },
        line("88,197", "09:58:03.771", "Idris Bello", "Signed in", None),
    ]
}

impl Page for AuditPage {
    const NAME: &'static str = "audit";

    fn samples() -> Vec<(&'static str, Self)> {
        let page = Self {
            frame: auditor("/audit"),
            filter: AuditFields::default(),
            wrong_day: None,
            chips: Vec::new(),
            rows: lines(),
            newer: None,
            older: Some("/audit?before=88105".into()),
            count: "88,204 entries".into(),
            behind: None,
        };
        let chip = |label: &str| Chip {
            label: label.into(),
            href: "/audit".into(),
        };
        let filtered = Self {
            frame: auditor("/audit?kind=signed&who=idris&from=2026-11-01"),
            filter: AuditFields {
                who: "idris".into(),
                kind: "signed".into(),
                from: "2026-11-01".into(),
                ..AuditFields::default()
            },
            chips: vec![
                chip("Who: idris"),
                chip("Kind: Signed"),
                chip("From: 2026-11-01"),
            ],
            rows: lines().into_iter().skip(1).take(1).collect(),
            newer: Some("/audit?kind=signed&after=88203".into()),
            older: None,
            count: "at most 412 entries".into(),
            ..page.clone()
        };
        let nothing = Self {
            rows: Vec::new(),
            count: "0 entries".into(),
            newer: None,
            ..filtered.clone()
        };
        let behind = Self {
            behind: Some(
                "12,000 entries are not found by filters yet; they will be in a moment.".into(),
            ),
            ..filtered.clone()
        };
        let wrong = Self {
            wrong_day: Some("A day is written like 2026-11-23".into()),
            filter: AuditFields {
                from: "last week".into(),
                ..AuditFields::default()
            },
            ..nothing.clone()
        };
        vec![
            ("newest", page),
            ("filtered", filtered),
            ("nothing", nothing),
            ("behind", behind),
            ("wrong-day", wrong),
        ]
    }
}

impl Page for AuditEntryPage {
    const NAME: &'static str = "audit-entry";

    fn samples() -> Vec<(&'static str, Self)> {
        let fact = |label: &str, value: &str| AuditFact {
            label: label.into(),
            value: value.into(),
        };
        let holds = |good, words: &str| AuditHolds {
            good,
            words: words.into(),
        };
        let signed = Self {
            frame: auditor("/audit/88203"),
            number: "88,203".into(),
            words: "Signed with a passkey".into(),
            facts: vec![
                fact("Time", "2026-11-23T09:44:51.310Z"),
                fact("Kind", "case.signed_off"),
                fact("Who", "Idris Bello"),
                fact("Case", "CS-7F3K9Q"),
                fact("Leaf", "88202"),
                fact("Leaf hash", super::samples::DIGEST),
            ],
            record: r#"{"at":1795430691310,"by":{"name":"Idris Bello"},"kind":"signed_off"}"#
                .into(),
            checks: vec![
                holds(true, "The record is what its leaf commits to."),
                holds(
                    true,
                    "The leaf is in the ledger of 88,204 entries, whose signature was verified.",
                ),
                holds(true, "The signature is over these words and verifies."),
            ],
            signed_words: Some(
                "Erase everything on web-1.haldenfreight.example and install Debian 13".into(),
            ),
            signature: vec![
                fact("Challenge", "nyxNG-B6VcOh8NK4bJR-NRCPptfCuU5vPVpwgcay5Bs"),
                fact("clientDataJSON", "eyJ0eXBlIjoid2ViYXV0aG4uZ2V0In0"),
                fact(
                    "authenticatorData",
                    "SZYN5YgOjGh0NBcPZHZgW4_krrmihjLHmVzzuoMdl2MFAAAAAQ",
                ),
                fact("Signature", "MEUCIQDx2yKb"),
            ],
            older: Some("/audit/88202".into()),
            newer: Some("/audit/88204".into()),
        };
        let plain = Self {
            signed_words: None,
            signature: Vec::new(),
            newer: None,
            checks: signed.checks.iter().take(2).cloned().collect(),
            words: "Confirmed the exact words".into(),
            ..signed.clone()
        };
        let broken = Self {
            checks: vec![
                holds(false, "The record is not what its leaf commits to."),
                holds(false, "The leaf could not be proved to be in the ledger."),
                holds(false, "The signature does not verify."),
            ],
            ..signed.clone()
        };
        vec![("signed", signed), ("plain", plain), ("broken", broken)]
    }
}

impl Page for AuditVerifyPage {
    const NAME: &'static str = "audit-verify";

    fn samples() -> Vec<(&'static str, Self)> {
        let whole = LastCheck {
            entries: "1,204,331".into(),
            events: "1,204,120".into(),
            at: on("2026-11-23T10:40:00+01:00", "10:40"),
            took: "14.2 s".into(),
            root: super::samples::DIGEST.into(),
            entry: None,
            finding: None,
        };
        let broken = LastCheck {
            entry: Some(("88,204".into(), "/audit/88204".into())),
            finding: Some("it is not what its leaf commits to".into()),
            ..whole.clone()
        };
        let ledger = LastCheck {
            entry: None,
            finding: Some("hash 17 of tile/0/003 is not that of the entries".into()),
            ..whole.clone()
        };
        let page = |last, asked| Self {
            frame: auditor("/audit/verify"),
            last,
            asked,
        };
        vec![
            ("whole", page(Some(whole.clone()), None)),
            ("broken-entry", page(Some(broken), None)),
            ("broken-ledger", page(Some(ledger), None)),
            ("never", page(None, None)),
            ("asked", page(Some(whole), Some(at("10:51")))),
        ]
    }
}
