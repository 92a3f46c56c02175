//! Opening a case: four short pages. What was chosen travels in the form, not in a session.

use askama::Template;

use askama::filters::HtmlSafe;

use super::frame::{Banner, Section, StaffFrame};
use super::icon::Icon;
use super::page::{Page, capital, encode};
use super::parts::{Act, CheckState, ChecklistView, Errors, FieldError, Risk, Way};
use super::samples::{act, agent, check, error, on};
use crate::words::{Machine, Typed};

/// `GET /cases/new/customer`, and `POST` (`q`) with who was found: step 1. "Choose" opens `/cases/new/action?customer=ID`.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "new-customer.html")]
pub struct NewCaseCustomerPage {
    /// Frame.
    pub frame: StaffFrame,
    /// What was searched for; empty before the first search.
    pub query: String,
    /// Who was found.
    pub found: Vec<CustomerHit>,
}

/// A customer that a search found. Masked until they have proved something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomerHit {
    /// The company's own id, sent as `customer`.
    pub id: String,
    /// Name, masked.
    pub name: String,
    /// `Customer since March 2019`, or empty.
    pub since: String,
    /// How many cases are open.
    pub open_cases: u32,
    /// `Support PIN closed until 10:52`
    pub locks: Vec<String>,
    /// `Another case for this customer was refused 12 minutes ago (CS-7F2Q, Maja)`
    pub warnings: Vec<String>,
}

/// `GET /cases/new/action?customer=ID`: step 2. "Choose" opens `/cases/new/details?customer=ID&action=NAME`.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "new-action.html")]
pub struct NewCaseActionPage {
    /// Frame.
    pub frame: StaffFrame,
    /// For whom.
    pub customer: ChosenCustomer,
    /// The actions, grouped by what stands before the dot of their name.
    pub groups: Vec<ActionGroup>,
}

/// For whom a case is being opened.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "parts/chosen.html")]
pub struct ChosenCustomer {
    /// The company's own id.
    pub id: String,
    /// Name, masked.
    pub name: String,
    /// What to know before going on: earlier refusals, locks.
    pub warnings: Vec<String>,
}

/// Actions of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActionGroup {
    /// `Server`
    pub title: String,
    /// Its actions.
    pub actions: Vec<ActionChoice>,
}

/// An action one may ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActionChoice {
    /// Name in the procedure, sent as `action`.
    pub name: String,
    /// `Reinstall a server`
    pub label: String,
    /// The sentence with its blanks: `Erase everything on … and install …`.
    pub line: String,
    /// How much it can hurt.
    pub risk: Option<Risk>,
    /// `two proofs, a senior, 24 hours`
    pub needs: String,
    /// Why this person may not start it.
    pub blocked: Option<String>,
}

/// `GET` and failed `POST /cases/new/details`: step 3. Posts to `/cases/new/check`.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "new-details.html")]
pub struct NewCaseDetailsPage {
    /// Frame.
    pub frame: StaffFrame,
    /// For whom.
    pub customer: ChosenCustomer,
    /// Name of the action.
    pub action: String,
    /// Its label.
    pub action_label: String,
    /// Its parameters, in the procedure's order; posted as `p.NAME`.
    pub fields: Vec<ParameterField>,
    /// Field `reason`: 10 to 500 characters.
    pub reason: String,
    /// Field `reference`: ticket or chat.
    pub reference: String,
    /// What was wrong, by field (`p.NAME`, `reason`, `reference`).
    pub errors: Errors,
}

/// One parameter of the action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParameterField {
    /// Name in the procedure.
    pub name: String,
    /// What people read.
    pub label: String,
    /// What was typed.
    pub value: String,
    /// The value until now, masked.
    pub old: Option<String>,
}

/// `POST /cases/new/check`: step 4. Posts to `/cases`.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "new-check.html")]
pub struct NewCaseCheckPage {
    /// Frame.
    pub frame: StaffFrame,
    /// For whom.
    pub customer: ChosenCustomer,
    /// Label of the action.
    pub action_label: String,
    /// The words as everyone will see them; the digest is empty.
    pub act: Act,
    /// The reason as typed.
    pub reason: String,
    /// The reference as typed.
    pub reference: String,
    /// What this will need: the ways as not-started checklists.
    pub needs: Vec<Way>,
    /// `usually 6 minutes, then 24 hours`
    pub expected: Option<String>,
    /// Everything typed so far, as hidden fields: `customer`, `action`, `p.NAME`, `reason`, `reference`.
    pub hidden: Vec<(String, String)>,
    /// Why it cannot be opened, if so.
    pub obstacle: Option<Obstacle>,
}

/// Why a case cannot be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Obstacle {
    /// One is open for exactly this.
    Duplicate {
        /// Its id.
        case: String,
    },
    /// The same request was refused or stopped and stays closed.
    Closed {
        /// Which case.
        case: String,
        /// `stopped by the customer`, `declined by Idris`.
        how: String,
        /// Until when.
        until: super::parts::When,
    },
    /// The limit of the procedure is reached: `at most 1 per 30 days per customer`.
    Limit(String),
}

impl HtmlSafe for ChosenCustomer {}

impl CustomerHit {
    fn encoded_id(&self) -> String {
        encode(&self.id)
    }
}

impl ChosenCustomer {
    fn encoded_id(&self) -> String {
        encode(&self.id)
    }
}

impl ParameterField {
    pub(super) fn capital_label(&self) -> String {
        capital(&self.label)
    }

    pub(super) fn id(&self) -> String {
        format!("p.{}", self.name)
    }
}

/// The customers that a search found, each with the one thing to do with it.
#[derive(Template)]
#[template(path = "parts/hits.html")]
pub(super) struct Hits<'a> {
    found: &'a [CustomerHit],
    choosing: bool,
}

impl HtmlSafe for Hits<'_> {}

impl<'a> Hits<'a> {
    pub(super) fn choosing(found: &'a [CustomerHit]) -> Self {
        Self {
            found,
            choosing: true,
        }
    }

    pub(super) fn opening(found: &'a [CustomerHit]) -> Self {
        Self {
            found,
            choosing: false,
        }
    }
}

pub(super) fn hits() -> Vec<CustomerHit> {
    vec![
        CustomerHit {
            id: "204-118".into(),
            name: "H•• F•• A••".into(),
            since: "Customer since March 2019".into(),
            open_cases: 1,
            locks: vec!["Support PIN closed until 10:52".into()],
            warnings: vec![
                "Another case for this customer was refused 12 minutes ago (CS-7F2Q4M, Petra)"
                    .into(),
            ],
        },
        CustomerHit {
            id: "204/9 b".into(),
            name: "H•• T••".into(),
            since: String::new(),
            open_cases: 0,
            locks: Vec::new(),
            warnings: Vec::new(),
        },
    ]
}

fn chosen() -> ChosenCustomer {
    ChosenCustomer {
        id: "204-118".into(),
        name: "H•• F•• A••".into(),
        warnings: Vec::new(),
    }
}

fn frame(here: &str) -> StaffFrame {
    agent(Some(Section::Desk), here)
}

impl Page for NewCaseCustomerPage {
    const NAME: &'static str = "new-case-customer";

    fn samples() -> Vec<(&'static str, Self)> {
        let page = |query: &str, found| Self {
            frame: frame("/cases/new/customer"),
            query: query.into(),
            found,
        };
        vec![
            ("ask", page("", Vec::new())),
            ("found", page("haldenfreight.example", hits())),
            ("nobody", page("haldenfright.example", Vec::new())),
        ]
    }
}

impl Page for NewCaseActionPage {
    const NAME: &'static str = "new-case-action";

    fn samples() -> Vec<(&'static str, Self)> {
        let action =
            |name: &str, label: &str, line: &str, risk, needs: &str, blocked: Option<&str>| {
                ActionChoice {
                    name: name.into(),
                    label: label.into(),
                    line: line.into(),
                    risk: Some(risk),
                    needs: needs.into(),
                    blocked: blocked.map(str::to_owned),
                }
            };
        let page = |groups| Self {
            frame: frame("/cases/new/action?customer=204-118"),
            customer: chosen(),
            groups,
        };
        let groups = vec![
            ActionGroup {
                title: "Server".into(),
                actions: vec![action(
                    "server.reinstall",
                    "Reinstall a server",
                    "Erase everything on … and install …",
                    Risk::Critical,
                    "two proofs and a fresh backup",
                    None,
                )],
            },
            ActionGroup {
                title: "Email".into(),
                actions: vec![action(
                    "email.change",
                    "Change the email address",
                    "Send all mail for this account to … from now on",
                    Risk::High,
                    "two proofs, then 72 hours",
                    None,
                )],
            },
            ActionGroup {
                title: "Account".into(),
                actions: vec![action(
                    "account.close",
                    "Close the account",
                    "Close the account and erase everything in it",
                    Risk::Critical,
                    "two proofs, a senior, 7 days",
                    Some("Only the customer can start this, in the panel."),
                )],
            },
        ];
        let mut warned = page(groups.clone());
        warned.customer.warnings = vec![
            "Another case for this customer was refused 12 minutes ago (CS-7F2Q4M, Petra)".into(),
        ];
        vec![
            ("choose", page(groups)),
            ("warned", warned),
            ("none", page(Vec::new())),
        ]
    }
}

impl Page for NewCaseDetailsPage {
    const NAME: &'static str = "new-case-details";

    fn samples() -> Vec<(&'static str, Self)> {
        let page = |value: &str, reason: &str, errors| Self {
            frame: frame("/cases/new/details?customer=204-118&action=email.change"),
            customer: chosen(),
            action: "email.change".into(),
            action_label: "Change the email address".into(),
            fields: vec![ParameterField {
                name: "address".into(),
                label: "new address".into(),
                value: value.into(),
                old: Some("o••@h••••.example".into()),
            }],
            reason: reason.into(),
            reference: "chat 48213".into(),
            errors,
        };
        let both = Errors(vec![
            FieldError {
                field: "p.address".into(),
                message: "Type the whole new address".into(),
            },
            FieldError {
                field: "reason".into(),
                message: "Say why in at least 10 characters".into(),
            },
        ]);
        vec![
            ("ask", page("", "", Errors::default())),
            ("mistakes", page("ops@", "moved", both)),
            (
                "one-mistake",
                page(
                    "ops@halden-freight.example",
                    "",
                    error("reason", "Say why in at least 10 characters"),
                ),
            ),
        ]
    }
}

impl Page for NewCaseCheckPage {
    const NAME: &'static str = "new-case-check";

    fn samples() -> Vec<(&'static str, Self)> {
        let page = |obstacle| {
            let mut act = act();
            act.digest = String::new();
            Self {
                frame: frame("/cases/new/customer"),
                customer: chosen(),
                action_label: "Change the email address".into(),
                act,
                reason: "The customer moved to a new domain in October.".into(),
                reference: "chat 48213".into(),
                needs: vec![Way {
                    name: "usual".into(),
                    rows: vec![
                        check(
                            CheckState::NotStarted,
                            "Customer opens the one-time link",
                            "",
                        ),
                        check(
                            CheckState::NotStarted,
                            "Customer proves the account password, and a passkey or an authenticator code",
                            "",
                        ),
                        check(
                            CheckState::NotStarted,
                            "Customer confirms the exact action",
                            "",
                        ),
                        check(
                            CheckState::NotStarted,
                            "Every channel is told, then it waits 72 hours",
                            "",
                        ),
                    ],
                }],
                expected: Some("usually 6 minutes, then 72 hours".into()),
                hidden: vec![
                    ("customer".into(), "204-118".into()),
                    ("action".into(), "email.change".into()),
                    ("p.address".into(), "ops@halden-freight.example".into()),
                    (
                        "reason".into(),
                        "The customer moved to a new domain in October.".into(),
                    ),
                    ("reference".into(), "chat 48213".into()),
                ],
                obstacle,
            }
        };
        vec![
            ("check", page(None)),
            (
                "duplicate",
                page(Some(Obstacle::Duplicate {
                    case: "CS-7F3K9Q".into(),
                })),
            ),
            (
                "closed",
                page(Some(Obstacle::Closed {
                    case: "CS-7F2Q4M".into(),
                    how: "stopped by the customer".into(),
                    until: on("2026-11-24T10:12:00+01:00", "24 Nov, 10:12"),
                })),
            ),
            (
                "limit",
                page(Some(Obstacle::Limit(
                    "at most 1 per 30 days per customer".into(),
                ))),
            ),
        ]
    }
}
