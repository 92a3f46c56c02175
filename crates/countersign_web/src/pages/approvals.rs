//! Approvals: the queue of cases that need a signature, one of them, and declining it.

use askama::Template;

use super::frame::{Banner, Section, StaffFrame};
use super::icon::Icon;
use super::page::{Page, together};
use super::parts::{Act, ActOutcome, CaseState, Errors, Fact, Live, Pill, Risk, When};
use super::samples::{act, at, error, fact, senior, server_words, words};
use crate::words::{Typed, Words};
use askama::filters::HtmlSafe;

/// `GET /approvals?show=me|cannot|decided`
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "approvals.html", blocks = ["tabs", "news"])]
pub struct ApprovalsPage {
    /// Frame.
    pub frame: StaffFrame,
    /// Which tab.
    pub tab: ApprovalsTab,
    /// How many in each tab, in the order of [`ApprovalsTab::ALL`].
    pub counts: [u32; 3],
    /// Critical first, then the oldest.
    pub rows: Vec<ApprovalRow>,
    /// Cases that came since the page was rendered.
    pub new_since: u32,
    /// A new version of the procedure waits for this person's signature.
    pub procedure_waits: bool,
    /// Moves on by itself.
    pub live: Option<Live>,
    /// Address of the first page, on the others.
    pub first: Option<String>,
    /// Address of the page with the cases that came later, where there are more than one page shows.
    pub next: Option<String>,
}

/// Tabs of the approvals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApprovalsTab {
    /// This person can sign.
    ForMe,
    /// This person cannot, and why.
    CannotSign,
    /// Decided; kept for ever.
    Decided,
}

impl ApprovalsTab {
    /// In the order shown.
    pub const ALL: [Self; 3] = [Self::ForMe, Self::CannotSign, Self::Decided];
}

/// One case that needs, or had, a signature.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "parts/approval-row.html")]
pub struct ApprovalRow {
    /// The case's id; the page is `/approvals/{id}`.
    pub id: String,
    /// Waiting, or decided, since.
    pub since: When,
    /// The words, whole.
    pub words: Words,
    /// How much it can hurt.
    pub risk: Option<Risk>,
    /// Who asked.
    pub asked_by: String,
    /// What will still be missing after this signature: `nothing`, `one more senior`, `24 h wait`.
    pub missing_after: String,
    /// Customer, masked where nothing is proven.
    pub customer: String,
    /// In the tab "Cannot sign": why. In "Decided": by whom and the reason.
    pub remark: Option<String>,
    /// In "Decided": how it stands.
    pub pill: Option<Pill>,
}

/// `GET /approvals/{id}`. Passkey: JSON `POST /approvals/{id}/sign/start` and `/sign/finish`.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "approval.html")]
pub struct ApprovalPage {
    /// Frame.
    pub frame: StaffFrame,
    /// The case's id.
    pub id: String,
    /// The words.
    pub act: Act,
    /// Who asked: name.
    pub asked_by: String,
    /// Their reason, as typed.
    pub reason: String,
    /// Ticket or chat.
    pub reference: Option<String>,
    /// When.
    pub asked_at: When,
    /// What was proven: label and when, how.
    pub proven: Vec<Fact>,
    /// What was not proven, though the procedure has it in another way: `Account password`, `Passkey`.
    pub not_proven: Vec<String>,
    /// What speaks against it: earlier refusals, fresh changes, look-alikes. May be empty.
    pub against: Vec<String>,
    /// What was looked for: `recent refusal, recent change, look-alike address`.
    pub looked_for: String,
    /// Earlier cases of this account: `14 Sep: Reset a password (done)`.
    pub history: Vec<String>,
    /// What happens after signing, in order.
    pub after: Vec<String>,
    /// What this person can do.
    pub state: ApprovalState,
}

/// What a colleague can do with a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApprovalState {
    /// Sign or decline.
    Sign {
        /// Ask for the last four characters of this parameter (its label), for critical actions.
        type_last_four_of: Option<String>,
        /// Why the last try did not work.
        problem: Option<SignProblem>,
    },
    /// Somebody else must: the reason, and who can.
    Cannot {
        /// `You opened this case.`
        why: String,
        /// `This needs a senior support agent. On shift: Petra.`
        who_can: Option<String>,
    },
    /// No passkey to sign with yet.
    NoPasskey,
    /// This person has just signed.
    Signed {
        /// `Nothing is missing any more.`, `One more senior is needed.`
        still: String,
        /// The next case to decide.
        next: Option<String>,
    },
    /// Decided before: by whom, with what words.
    Declined {
        /// Who.
        by: String,
        /// When.
        at: When,
        /// Why.
        reason: String,
    },
    /// Enough people signed.
    Complete {
        /// Who.
        by: Vec<String>,
        /// When the last one did.
        at: When,
    },
    /// The customer stopped it.
    Stopped(When),
    /// The opener took it back.
    Withdrawn(When),
    /// It ran out.
    Expired(When),
}

/// Why signing did not work. Nothing was signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignProblem {
    /// The prompt was closed.
    Cancelled,
    /// Not a passkey of this person.
    NotYours,
    /// The four characters are wrong.
    LastFour,
    /// Anything else.
    Failed,
}

/// `GET` and failed `POST /approvals/{id}/decline`; posts `reason`.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "decline.html")]
pub struct DeclinePage {
    /// Frame.
    pub frame: StaffFrame,
    /// The case's id.
    pub id: String,
    /// The words.
    pub act: Act,
    /// The action in lower case, after "Decline: ".
    pub verb: String,
    /// What was typed.
    pub reason: String,
    /// For how long the same request then stays closed: `24 hours`.
    pub closed_for: String,
    /// What was wrong (`reason`).
    pub errors: Errors,
}

impl HtmlSafe for ApprovalRow {}

impl ApprovalsTab {
    /// As in the address of the page.
    pub fn value(self) -> &'static str {
        match self {
            Self::ForMe => "me",
            Self::CannotSign => "cannot",
            Self::Decided => "decided",
        }
    }

    fn label(self) -> &'static str {
        match self {
            Self::ForMe => "For me",
            Self::CannotSign => "Cannot sign",
            Self::Decided => "Decided",
        }
    }
}

impl ApprovalsPage {
    fn tabs(&self) -> impl Iterator<Item = (ApprovalsTab, u32)> {
        ApprovalsTab::ALL.into_iter().zip(self.counts)
    }
}

/// The parts of the approvals that change: the counts, the badge in the header, the bar that offers new
/// cases, and the rows the page already shows.
pub fn approvals_fragments(page: &ApprovalsPage) -> String {
    let rows: String = page.rows.iter().map(ToString::to_string).collect();
    let head = together([page.as_tabs().render(), page.as_news().render()]);
    format!(
        "{head}{}<table><tbody>{rows}</tbody></table>",
        page.frame.badges()
    )
}

impl ApprovalPage {
    fn can_sign(&self) -> bool {
        matches!(self.state, ApprovalState::Sign { .. })
    }

    fn problem(&self) -> Option<SignProblem> {
        match self.state {
            ApprovalState::Sign { problem, .. } => problem,
            _ => None,
        }
    }

    fn wrong_last_four(&self) -> bool {
        self.problem() == Some(SignProblem::LastFour)
    }

    fn is_struck(&self) -> bool {
        matches!(
            self.state,
            ApprovalState::Declined { .. }
                | ApprovalState::Stopped(_)
                | ApprovalState::Withdrawn(_)
                | ApprovalState::Expired(_)
        )
    }
}

impl Page for ApprovalsPage {
    const NAME: &'static str = "approvals";

    fn samples() -> Vec<(&'static str, Self)> {
        let row =
            |id: &str, words: Words, risk, since: &str, remark: Option<&str>, pill| ApprovalRow {
                id: id.into(),
                since: at(since),
                words,
                risk: Some(risk),
                asked_by: "Maja Lindqvist".into(),
                missing_after: "24 h wait".into(),
                customer: "Halden Freight AB".into(),
                remark: remark.map(str::to_owned),
                pill,
            };
        let page = |tab, rows| Self {
            frame: senior(Some(Section::Approvals), "/approvals"),
            tab,
            counts: [2, 1, 40],
            rows,
            new_since: 0,
            procedure_waits: false,
            live: Some(Live {
                events: "/approvals/events".into(),
                from: 311,
            }),
            first: None,
            next: None,
        };
        let rows = || {
            vec![
                row(
                    "CS-81BC3T",
                    server_words(),
                    Risk::Critical,
                    "10:40",
                    None,
                    None,
                ),
                row("CS-7F3K9Q", words(), Risk::High, "10:36", None, None),
            ]
        };
        let mut quiet = page(ApprovalsTab::ForMe, Vec::new());
        quiet.counts = [0, 0, 0];
        quiet.frame.approvals_waiting = 0;
        vec![
            ("for-me", page(ApprovalsTab::ForMe, rows())),
            (
                "new-cases",
                Self {
                    new_since: 1,
                    ..page(ApprovalsTab::ForMe, rows())
                },
            ),
            (
                "procedure-waits",
                Self {
                    procedure_waits: true,
                    ..page(ApprovalsTab::ForMe, rows())
                },
            ),
            (
                "more",
                Self {
                    counts: [25, 4, 40],
                    live: None,
                    first: Some("/approvals?show=me".into()),
                    next: Some("/approvals?show=me&after=0001795430700000%2FCS-81BC3T".into()),
                    ..page(ApprovalsTab::ForMe, rows())
                },
            ),
            (
                "cannot-sign",
                page(
                    ApprovalsTab::CannotSign,
                    vec![row(
                        "CS-7F3K9Q",
                        words(),
                        Risk::High,
                        "10:36",
                        Some("You opened this case."),
                        None,
                    )],
                ),
            ),
            (
                "decided",
                page(
                    ApprovalsTab::Decided,
                    vec![
                        row(
                            "CS-7F2Q4M",
                            words(),
                            Risk::High,
                            "10:51",
                            Some("Stopped by the customer: “I did not ask for it.”"),
                            Some(Pill {
                                state: CaseState::Stopped,
                            }),
                        ),
                        row(
                            "CS-7DZ0YP",
                            server_words(),
                            Risk::Critical,
                            "09:31",
                            Some("Signed by you and Petra Holm"),
                            Some(Pill {
                                state: CaseState::Done,
                            }),
                        ),
                        row(
                            "CS-7DXX20",
                            words(),
                            Risk::High,
                            "08:10",
                            Some(
                                "Declined by Petra Holm: “The address belongs to another customer.”",
                            ),
                            Some(Pill {
                                state: CaseState::Declined,
                            }),
                        ),
                        row(
                            "CS-7DWK8A",
                            words(),
                            Risk::High,
                            "07:45",
                            None,
                            Some(Pill {
                                state: CaseState::Expired,
                            }),
                        ),
                    ],
                ),
            ),
            ("empty-for-me", quiet.clone()),
            (
                "empty-cannot-sign",
                Self {
                    tab: ApprovalsTab::CannotSign,
                    ..quiet.clone()
                },
            ),
            (
                "empty-decided",
                Self {
                    tab: ApprovalsTab::Decided,
                    ..quiet
                },
            ),
        ]
    }
}

impl Page for ApprovalPage {
    const NAME: &'static str = "approval";

    fn samples() -> Vec<(&'static str, Self)> {
        let page = |state| {
            Self {
            frame: senior(Some(Section::Approvals), "/approvals/CS-7F3K9Q"),
            id: "CS-7F3K9Q".into(),
            act: act(),
            asked_by: "Maja Lindqvist".into(),
            reason: "The customer moved to a new domain in October and the old mailbox closes on Friday.".into(),
            reference: Some("chat 48213".into()),
            asked_at: at("10:31"),
            proven: vec![
                fact("Support PIN", "10:33:41, on the customer's own page"),
                fact("Passkey", "10:35:02, signed over these words"),
                fact("Confirmed", "10:36:20, the customer read these words"),
            ],
            not_proven: vec!["account password".into(), "code sent by email".into()],
            against: Vec::new(),
            looked_for: "recent refusal, recent change, look-alike address, new contact".into(),
            history: vec!["14 Sep 2025: Send a password reset link (done)".into()],
            after: vec![
                "Every channel on file is told, the old mailbox too, with a link to stop it.".into(),
                "It waits 24 hours, then the panel changes the email.".into(),
            ],
            state,
        }
        };
        let sign = |problem| ApprovalState::Sign {
            type_last_four_of: None,
            problem,
        };
        let mut against = page(sign(None));
        against.against = vec![
            "The new address is one letter from the old one: haldenfreight, halden-freight.".into(),
            "The same request was stopped by the customer today at 10:12 (CS-7F2Q4M, opened by Petra).".into(),
        ];
        let mut critical = page(ApprovalState::Sign {
            type_last_four_of: Some("server".into()),
            problem: None,
        });
        critical.act.words = server_words();
        critical.act.consequence = None;
        critical.act.risk = Some(Risk::Critical);
        critical.act.takes_effect = Some("Takes effect at once".into());
        if let Some(procedure) = &mut critical.act.procedure {
            "server.reinstall".clone_into(&mut procedure.name);
        }
        let mut last_four = critical.clone();
        last_four.state = ApprovalState::Sign {
            type_last_four_of: Some("server".into()),
            problem: Some(SignProblem::LastFour),
        };
        let ended = |state, outcome| {
            let mut ended = page(state);
            ended.act.outcome = outcome;
            ended
        };
        let struck = ActOutcome::DidNotHappen;
        vec![
            ("sign", page(sign(None))),
            ("speaks-against", against),
            ("critical", critical),
            ("last-four-wrong", last_four),
            (
                "passkey-cancelled",
                page(sign(Some(SignProblem::Cancelled))),
            ),
            ("not-your-passkey", page(sign(Some(SignProblem::NotYours)))),
            ("failed", page(sign(Some(SignProblem::Failed)))),
            (
                "own-case",
                page(ApprovalState::Cannot {
                    why: "You opened this case.".into(),
                    who_can: Some("On shift: Petra.".into()),
                }),
            ),
            (
                "other-role",
                page(ApprovalState::Cannot {
                    why: "This needs a senior in Billing.".into(),
                    who_can: Some("On shift: Petra.".into()),
                }),
            ),
            (
                "signed-already",
                page(ApprovalState::Cannot {
                    why: "You have signed already; one more senior is needed.".into(),
                    who_can: None,
                }),
            ),
            ("no-passkey", page(ApprovalState::NoPasskey)),
            (
                "signed-next",
                page(ApprovalState::Signed {
                    still: "Now it waits 24 hours.".into(),
                    next: Some("CS-81BC3T".into()),
                }),
            ),
            (
                "signed-last",
                page(ApprovalState::Signed {
                    still: "One more senior is needed.".into(),
                    next: None,
                }),
            ),
            (
                "complete",
                page(ApprovalState::Complete {
                    by: vec!["Petra Holm".into(), "Idris Bello".into()],
                    at: at("10:44"),
                }),
            ),
            (
                "declined",
                ended(
                    ApprovalState::Declined {
                        by: "Petra Holm".into(),
                        at: at("10:50"),
                        reason: "The address belongs to another customer.".into(),
                    },
                    struck.clone(),
                ),
            ),
            (
                "stopped",
                ended(ApprovalState::Stopped(at("10:51")), struck.clone()),
            ),
            (
                "withdrawn",
                ended(ApprovalState::Withdrawn(at("10:40")), struck.clone()),
            ),
            (
                "expired",
                ended(ApprovalState::Expired(at("11:45")), struck),
            ),
        ]
    }
}

impl Page for DeclinePage {
    const NAME: &'static str = "decline";

    fn samples() -> Vec<(&'static str, Self)> {
        let page = |reason: &str, errors| Self {
            frame: senior(Some(Section::Approvals), "/approvals/CS-7F3K9Q/decline"),
            id: "CS-7F3K9Q".into(),
            act: act(),
            verb: "change the email address".into(),
            reason: reason.into(),
            closed_for: "24 hours".into(),
            errors,
        };
        vec![
            ("ask", page("", Errors::default())),
            (
                "too-short",
                page("no", error("reason", "Say why in at least 10 characters")),
            ),
        ]
    }
}
