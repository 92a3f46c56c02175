//! The panel beside a ticket: the desk at 320 pixels, for a frame in somebody else's page.

use askama::Template;

use super::case::{CustomerLink, MatchNumber, SaidNumber, SayThis, spoken};
use super::errors::Problem;
use super::frame::{Banner, HiddenKey, StaffFrame};
use super::icon::Icon;
use super::new_case::{ChosenCustomer, CustomerHit, Obstacle, ParameterField, hits};
use super::page::{Page, encode, together};
use super::parts::{Act, CaseState, Errors, Family, Live, Notice, Pill, Sentence, Theme, When};
use super::samples::{act, agent, at, at_in, error, odd_words, words};
use crate::words::{Typed, Words};

/// What stands round the panel's pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PanelFrame {
    /// BCP 47 language of the page.
    pub lang: String,
    /// Colours; in a frame the cookie of the choice is not sent, and the system decides.
    pub theme: Theme,
    /// Who is signed in to the panel.
    pub person: Option<String>,
    /// Hidden field `form` of every form: bound to the session, so that only its own pages post.
    pub form: String,
    /// Hidden field `idempotency_key` of every form.
    pub idempotency_key: String,
    /// Path of this page, for "Refresh".
    pub here: String,
    /// In the demo: made-up data.
    pub demo: bool,
}

/// `GET /panel` where nobody is signed in; posts `code` to `/panel/enter`.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "panel-door.html")]
pub struct PanelDoorPage {
    /// Frame.
    pub frame: PanelFrame,
    /// `support.nordhamn.example`
    pub host: String,
    /// What was wrong (`code`).
    pub errors: Errors,
}

/// `GET /panel/sign-in`, in a window of its own; posts to `/panel/pass`.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "panel-pass.html")]
pub struct PanelPassPage {
    /// Frame.
    pub frame: StaffFrame,
    /// The code that was just made, and until when it counts.
    pub code: Option<(String, When)>,
}

/// `GET /panel`, and `POST /panel` (`q`, `ticket`) with who was found.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "panel.html")]
pub struct PanelPage {
    /// Frame.
    pub frame: PanelFrame,
    /// What was searched for.
    pub query: String,
    /// The ticket beside it, as it says itself: not believed, only written down.
    pub ticket: String,
    /// Who was found.
    pub found: Vec<CustomerHit>,
    /// The reader's open cases.
    pub cases: Vec<PanelCase>,
    /// Origins whose messages may fill in the search field.
    pub hints_from: String,
}

/// An open case in the panel's lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PanelCase {
    /// `CS-7F3K9Q`
    pub id: String,
    /// `Reinstall a server`
    pub what: String,
    /// Whose.
    pub customer: String,
    /// How it stands.
    pub pill: Pill,
}

/// `GET /panel/customers/{id}`
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "panel-customer.html")]
pub struct PanelCustomerPage {
    /// Frame.
    pub frame: PanelFrame,
    /// Who, masked.
    pub customer: ChosenCustomer,
    /// The ticket.
    pub ticket: String,
    /// The reader's open cases for them.
    pub cases: Vec<PanelCase>,
    /// What can be asked for.
    pub actions: Vec<PanelAction>,
}

/// An action in the panel's list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PanelAction {
    /// `server.reinstall`
    pub name: String,
    /// `Reinstall a server`
    pub label: String,
    /// Why this person may not start it.
    pub blocked: Option<String>,
}

/// `GET /panel/new`; posts to `/panel/check`.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "panel-new.html")]
pub struct PanelNewPage {
    /// Frame.
    pub frame: PanelFrame,
    /// For whom.
    pub customer: ChosenCustomer,
    /// Name of the action.
    pub action: String,
    /// Its label.
    pub action_label: String,
    /// Its parameters.
    pub fields: Vec<ParameterField>,
    /// Why.
    pub reason: String,
    /// Ticket or chat.
    pub reference: String,
    /// What was wrong.
    pub errors: Errors,
}

/// `POST /panel/check`; posts to `/panel/cases`.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "panel-check.html")]
pub struct PanelCheckPage {
    /// Frame.
    pub frame: PanelFrame,
    /// For whom.
    pub customer: ChosenCustomer,
    /// The words as everyone will see them.
    pub act: Act,
    /// What is sent on.
    pub hidden: Vec<(String, String)>,
    /// Why it cannot be opened.
    pub obstacle: Option<Obstacle>,
}

/// `GET /panel/cases/{id}`; `POST /panel/cases/{id}/link` shows it with a link.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "panel-case.html", blocks = ["pill", "standing"])]
pub struct PanelCasePage {
    /// Frame.
    pub frame: PanelFrame,
    /// `CS-7F3K9Q`
    pub id: String,
    /// Whose, masked until something was proven.
    pub customer: String,
    /// The words.
    pub words: Words,
    /// How it stands.
    pub pill: Pill,
    /// Moves on by itself.
    pub live: Option<Live>,
    /// How it ended, or what stands in the way.
    pub notice: Option<Notice>,
    /// `4 still missing.`
    pub count: String,
    /// `Next: …`
    pub next: String,
    /// What is missing, in people's words.
    pub missing: Vec<String>,
    /// The link that was just made.
    pub link: Option<CustomerLink>,
    /// A link can be made (again).
    pub can_link: bool,
    /// Nothing is missing: it is run in a window of our own.
    pub can_run: bool,
    /// The two digits the customer types.
    pub number: Option<MatchNumber>,
    /// What the agent says about themselves.
    pub spoken: Option<SaidNumber>,
    /// What to say.
    pub say: Option<SayThis>,
}

/// When something in the panel did not work.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "panel-error.html")]
pub struct PanelErrorPage {
    /// Frame; nobody's name on it.
    pub frame: PanelFrame,
    /// What happened.
    pub problem: Problem,
    /// For the log.
    pub reference: Option<String>,
}

/// The parts of a case in the panel that change; never the words, never a form.
pub fn panel_case_fragments(page: &PanelCasePage) -> String {
    together([page.as_pill().render(), page.as_standing().render()])
}

impl PanelFrame {
    /// The hidden fields of every form.
    fn key(&self) -> HiddenKey<'_> {
        HiddenKey::new(&self.idempotency_key)
    }
}

impl PanelPage {
    fn of(hit: &CustomerHit) -> String {
        encode(&hit.id)
    }

    fn encoded_ticket(&self) -> String {
        encode(&self.ticket)
    }
}

impl PanelCustomerPage {
    fn encoded_id(&self) -> String {
        encode(&self.customer.id)
    }

    fn encoded_ticket(&self) -> String {
        encode(&self.ticket)
    }
}

fn frame(here: &str) -> PanelFrame {
    PanelFrame {
        lang: "en".into(),
        theme: Theme::System,
        person: Some("Maja Lindqvist".into()),
        form: "3d5a7081".repeat(8),
        idempotency_key: "01JD3QZ6X4W8".into(),
        here: here.into(),
        demo: false,
    }
}

fn nobody(here: &str) -> PanelFrame {
    PanelFrame {
        person: None,
        form: String::new(),
        ..frame(here)
    }
}

fn chosen(warnings: Vec<String>) -> ChosenCustomer {
    ChosenCustomer {
        id: "204-118".into(),
        name: "Halden Freight AB".into(),
        warnings,
    }
}

fn cases() -> Vec<PanelCase> {
    let case = |id: &str, what: &str, state| PanelCase {
        id: id.into(),
        what: what.into(),
        customer: "Halden Freight AB".into(),
        pill: Pill { state },
    };
    vec![
        case(
            "CS-7F3K9Q",
            "Change the recovery email",
            CaseState::Customer,
        ),
        case("CS-7F2Q4M", "Reinstall a server", CaseState::Ready),
    ]
}

impl Page for PanelDoorPage {
    const NAME: &'static str = "panel-door";

    fn samples() -> Vec<(&'static str, Self)> {
        let page = |errors| Self {
            frame: nobody("/panel"),
            host: "support.nordhamn.example".into(),
            errors,
        };
        vec![
            ("ask", page(Errors::default())),
            (
                "wrong-code",
                page(error(
                    "code",
                    "This code does not work. Take another in the sign-in window",
                )),
            ),
        ]
    }
}

impl Page for PanelPassPage {
    const NAME: &'static str = "panel-pass";

    fn samples() -> Vec<(&'static str, Self)> {
        let page = |code| Self {
            frame: agent(None, "/panel/sign-in"),
            code,
        };
        vec![
            ("ask", page(None)),
            (
                "code",
                page(Some((
                    "7F3K9 QT2M4".to_owned(),
                    at_in("10:33", "in 2 minutes"),
                ))),
            ),
        ]
    }
}

impl Page for PanelPage {
    const NAME: &'static str = "panel";

    fn samples() -> Vec<(&'static str, Self)> {
        let page = |query: &str, found, cases| Self {
            frame: frame("/panel"),
            query: query.into(),
            ticket: "48213".into(),
            found,
            cases,
            hints_from: "https://nordhamn.zendesk.com".into(),
        };
        let mut demo = page("", Vec::new(), cases());
        demo.frame.demo = true;
        vec![
            ("ask", page("", Vec::new(), cases())),
            ("nothing-open", page("", Vec::new(), Vec::new())),
            ("found", page("halden", hits(), cases())),
            ("nobody", page("haldn", Vec::new(), cases())),
            ("demo", demo),
        ]
    }
}

impl Page for PanelCustomerPage {
    const NAME: &'static str = "panel-customer";

    fn samples() -> Vec<(&'static str, Self)> {
        let action = |name: &str, label: &str, blocked: Option<&str>| PanelAction {
            name: name.into(),
            label: label.into(),
            blocked: blocked.map(str::to_owned),
        };
        let page = |warnings, cases| Self {
            frame: frame("/panel/customers/204-118"),
            customer: chosen(warnings),
            ticket: "48213".into(),
            cases,
            actions: vec![
                action("email.change", "Change the recovery email", None),
                action("server.reinstall", "Reinstall a server", None),
                action(
                    "account.close",
                    "Close the account",
                    Some("It needs: senior support agent."),
                ),
            ],
        };
        vec![
            ("some", page(Vec::new(), cases())),
            ("no-cases", page(Vec::new(), Vec::new())),
            (
                "warned",
                page(
                    vec![
                        "Another case for this customer was refused 12 minutes ago (CS-7F2Q4M)"
                            .into(),
                    ],
                    Vec::new(),
                ),
            ),
        ]
    }
}

impl Page for PanelNewPage {
    const NAME: &'static str = "panel-new";

    fn samples() -> Vec<(&'static str, Self)> {
        let page = |reason: &str, errors| Self {
            frame: frame("/panel/new"),
            customer: chosen(Vec::new()),
            action: "email.change".into(),
            action_label: "Change the recovery email".into(),
            fields: vec![ParameterField {
                name: "address".into(),
                label: "new address".into(),
                value: String::new(),
                old: None,
            }],
            reason: reason.into(),
            reference: "48213".into(),
            errors,
        };
        vec![
            ("empty", page("", Errors::default())),
            (
                "mistakes",
                page("typo", error("reason", "Say why, in 10 to 500 characters")),
            ),
        ]
    }
}

impl Page for PanelCheckPage {
    const NAME: &'static str = "panel-check";

    fn samples() -> Vec<(&'static str, Self)> {
        let page = |obstacle| Self {
            frame: frame("/panel/check"),
            customer: chosen(Vec::new()),
            act: Act {
                digest: String::new(),
                ..act()
            },
            hidden: vec![
                ("customer".into(), "204-118".into()),
                ("action".into(), "email.change".into()),
            ],
            obstacle,
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
                    how: "stopped".into(),
                    until: at("18:00"),
                })),
            ),
            (
                "limit",
                page(Some(Obstacle::Limit("at most 1 per day".into()))),
            ),
        ]
    }
}

impl Page for PanelCasePage {
    const NAME: &'static str = "panel-case";

    fn samples() -> Vec<(&'static str, Self)> {
        let base = || Self {
            frame: frame("/panel/cases/CS-7F3K9Q"),
            id: "CS-7F3K9Q".into(),
            customer: "Halden Freight AB".into(),
            words: words(),
            pill: Pill {
                state: CaseState::Customer,
            },
            live: Some(Live {
                events: "/panel/cases/CS-7F3K9Q/events".into(),
                from: 7,
            }),
            notice: None,
            count: "2 still missing.".into(),
            next: "Next: the customer proves the passkey.".into(),
            missing: vec!["Passkey".into(), "The customer confirms the words".into()],
            link: None,
            can_link: true,
            can_run: false,
            number: Some(MatchNumber {
                digits: "47".into(),
                closed: None,
            }),
            spoken: Some(spoken()),
            say: Some(SayThis::OpenTheLink),
        };
        let link = Self {
            link: Some(CustomerLink {
                url: "https://support.nordhamn.example/c/q7Jw3nYd0Vf2mK8sT1xZ4b".into(),
                until: at_in("10:46", "in 15 minutes"),
            }),
            ..base()
        };
        let ready = Self {
            pill: Pill {
                state: CaseState::Ready,
            },
            count: "Nothing is missing.".into(),
            next: String::new(),
            missing: Vec::new(),
            can_link: false,
            can_run: true,
            number: None,
            say: None,
            ..base()
        };
        let stopped = Self {
            pill: Pill {
                state: CaseState::Stopped,
            },
            live: None,
            notice: Some(Notice {
                family: Family::Stop,
                title: "Stopped".into(),
                text: "Stopped at 10:51. Nothing happened.".into(),
                action: None,
            }),
            count: "This case is over.".into(),
            next: String::new(),
            missing: Vec::new(),
            can_link: false,
            number: None,
            spoken: None,
            say: None,
            ..base()
        };
        let closed = Self {
            number: Some(MatchNumber {
                digits: "47".into(),
                closed: Some(at("18:00")),
            }),
            ..base()
        };
        let odd = Self {
            words: odd_words(),
            ..base()
        };
        vec![
            ("customer", base()),
            ("link", link),
            ("number-closed", closed),
            ("ready", ready),
            ("stopped", stopped),
            ("odd-characters", odd),
        ]
    }
}

impl Page for PanelErrorPage {
    const NAME: &'static str = "panel-error";

    fn samples() -> Vec<(&'static str, Self)> {
        super::errors::problems()
            .into_iter()
            .map(|(state, problem)| {
                (
                    state,
                    Self {
                        frame: nobody("/panel"),
                        problem,
                        reference: None,
                    },
                )
            })
            .collect()
    }
}
