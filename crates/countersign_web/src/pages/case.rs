//! The case desk, the main page; and running a case.

use askama::Template;

use super::frame::{Banner, StaffFrame};
use super::icon::Icon;
use super::page::{Page, together};
use super::parts::{Act, Button, Check, Checklist, Fact, Live, LogLine, Notice, Pill, When};
use crate::words::{Machine, Typed};

/// `GET /cases/{id}`
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "case.html", blocks = ["pill", "notice", "checklist", "bar", "log"])]
pub struct CasePage {
    /// Frame.
    pub frame: StaffFrame,
    /// `CS-7F3K9Q`
    pub id: String,
    /// Short form of the action with the customer: `Reinstall a server of Halden Freight`.
    pub title: String,
    /// When it was opened.
    pub opened: When,
    /// Until when it can be finished.
    pub expires: Option<When>,
    /// How it stands.
    pub pill: Pill,
    /// Moves on by itself; `None` once it is finished.
    pub live: Option<Live>,
    /// The words.
    pub act: Act,
    /// How it ended, or what stands in the way.
    pub notice: Option<Notice>,
    /// What is still missing.
    pub checklist: Checklist,
    /// `4 still missing.`; bold in the bar.
    pub bar_count: String,
    /// `Next: Customer proves a passkey or an authenticator code.`
    pub bar_next: String,
    /// Left button of the bar.
    pub secondary: Option<Button>,
    /// Right button of the bar: the one primary action.
    pub primary: Option<Button>,
    /// The customer, masked until something was proven.
    pub customer: CustomerCard,
    /// The link that was just made; only ever shown to who made it.
    pub link: Option<CustomerLink>,
    /// The two digits the customer types to confirm.
    pub number: Option<MatchNumber>,
    /// What the agent says so that the customer can look up who is talking.
    pub spoken: Option<SaidNumber>,
    /// What to say.
    pub say: Option<SayThis>,
    /// Refusals of the same request before this case: `CS-7F2Q was stopped by the customer at 10:19.`
    pub earlier: Vec<String>,
    /// Newest first, at most 12.
    pub log: Vec<LogLine>,
    /// Who else is looking: names.
    pub also_here: Vec<String>,
    /// The opener may take it back (the page `/cases/{id}/withdraw`).
    pub can_withdraw: bool,
    /// Opens an incident from it, for whoever works on incidents.
    pub report: Option<super::incidents::Asks>,
}

/// The customer as the desk shows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomerCard {
    /// Their page.
    pub href: Option<String>,
    /// Facts.
    pub facts: Vec<Fact>,
    /// Names and addresses are still masked.
    pub masked: bool,
}

/// The customer's one-time link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomerLink {
    /// The whole address.
    pub url: String,
    /// Until when it works.
    pub until: When,
}

/// The number to match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MatchNumber {
    /// `47`
    pub digits: String,
    /// Too many wrong numbers were typed: from when it may be tried again.
    pub closed: Option<When>,
}

/// The number of the case as it is said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaidNumber {
    /// `407 192 385 064`
    pub number: String,
    /// Where the customer looks it up: `https://support.nordhamn.example/is-it-us`
    pub at: String,
}

/// The sentence to paste into the chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SayThis {
    /// Before or after sending the link.
    OpenTheLink,
    /// After a refusal or a wrong proof.
    NoWayAround,
    /// While it waits.
    Waits,
    /// When it is done.
    Finished,
}

/// `GET /cases/{id}/withdraw`; posts to the same.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "withdraw.html")]
pub struct WithdrawPage {
    /// Frame.
    pub frame: StaffFrame,
    /// `CS-7F3K9Q`
    pub id: String,
    /// The words.
    pub act: Act,
}

/// `GET /cases/{id}/run`; posts to the same.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "run.html")]
pub struct RunPage {
    /// Frame.
    pub frame: StaffFrame,
    /// `CS-7F3K9Q`
    pub id: String,
    /// The words.
    pub act: Act,
    /// The action in lower case, after "Run: ": `reinstall a server`.
    pub verb: String,
    /// How it stands.
    pub state: RunState,
}

/// Before and after pressing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunState {
    /// To be confirmed.
    Ask {
        /// What was proven and by whom: `Support PIN`, `proven by the customer, 10:33:41`.
        proven: Vec<Fact>,
        /// `Takes effect now.`
        effect: String,
    },
    /// Handed over; no answer yet.
    Running,
    /// Done.
    Done {
        /// When.
        at: When,
        /// What happens next, who is told.
        next: Vec<String>,
    },
    /// It runs later.
    Waits {
        /// Until when.
        until: When,
        /// What happens next, who is told.
        next: Vec<String>,
    },
    /// No answer.
    Unknown,
    /// The backend said no; its reason code.
    Failed(String),
    /// Something is missing (again): a sentence.
    NotReady(String),
}

impl SayThis {
    /// The sentence.
    pub(super) fn text(&self) -> &'static str {
        match self {
            Self::OpenTheLink => {
                "I have sent you a link. Open it on your own device, read what will happen, and prove there that it is you. I cannot see what you type. Never read a code aloud to me."
            }
            Self::NoWayAround => {
                "The procedure needs one more proof. I do not have a way around it, and neither does anyone else here."
            }
            Self::Waits => {
                "Everything is there. It takes effect after the waiting period. Until then you can stop it with the link in our email."
            }
            Self::Finished => "It is done. You can open your receipt on the page you already have.",
        }
    }
}

/// The spoken number of the samples.
pub(super) fn spoken() -> SaidNumber {
    SaidNumber {
        number: "407 192 385 064".into(),
        at: "https://support.nordhamn.example/is-it-us".into(),
    }
}

/// The parts of a case that change, as finished HTML for a `patch` event: notice, pill, checklist, bar and
/// what happened so far. Never the words.
pub fn case_fragments(page: &CasePage) -> String {
    together([
        page.as_notice().render(),
        page.as_pill().render(),
        page.as_checklist().render(),
        page.as_bar().render(),
        page.as_log().render(),
    ])
}

impl CasePage {
    /// The rows of the way that is nearest to completion.
    fn nearest(&self) -> &[Check] {
        self.checklist.ways.first().map_or(&[], |way| &way.rows)
    }

    fn nearest_done(&self) -> usize {
        self.checklist
            .ways
            .first()
            .map_or(0, super::parts::Way::done)
    }

    fn nearest_missing(&self) -> usize {
        self.checklist
            .ways
            .first()
            .map_or(0, super::parts::Way::missing)
    }
}

impl Page for CasePage {
    const NAME: &'static str = "case";

    fn samples() -> Vec<(&'static str, Self)> {
        use super::parts::{ActOutcome, CaseState, CheckOptions, CheckState, Does, Family, Way};
        use super::samples::{
            act, agent, at, at_in, check, checklist, fact, machine, odd_words, proven, tomorrow,
        };

        let base = || Self {
            frame: agent(Some(super::frame::Section::Desk), "/cases/CS-7F3K9Q"),
            id: "CS-7F3K9Q".into(),
            title: "Change the recovery email of Halden Freight".into(),
            opened: at("10:31"),
            expires: None,
            pill: Pill {
                state: CaseState::Customer,
            },
            live: Some(Live {
                events: "/cases/CS-7F3K9Q/events".into(),
                from: 7,
            }),
            act: act(),
            notice: None,
            checklist: checklist(2),
            bar_count: "4 still missing.".into(),
            bar_next: "Next: Customer proves a passkey or an authenticator code.".into(),
            secondary: Some(Button::post("Send a new link", "/cases/CS-7F3K9Q/link").with_key("l")),
            primary: Some(Button {
                label: "Run action".into(),
                does: Does::Nothing,
                key: String::new(),
            }),
            customer: CustomerCard {
                href: Some("/customers/204-118".into()),
                facts: vec![
                    fact("Account", "Halden Freight AB"),
                    machine("Customer no.", "204-118"),
                    fact("Contact", "Signe Halden"),
                    fact("Ticket", "48213, chat"),
                    fact("Customer since", "March 2019"),
                    fact("Last change", "14 months ago"),
                    fact("Notice", "Two failed sign-ins from a new country today"),
                ],
                masked: false,
            },
            link: None,
            number: None,
            spoken: Some(spoken()),
            say: Some(SayThis::OpenTheLink),
            earlier: Vec::new(),
            log: vec![
                LogLine {
                    at: at("10:33:41"),
                    text: "Support PIN: proven".into(),
                },
                LogLine {
                    at: at("10:32:04"),
                    text: "Link opened".into(),
                },
                LogLine {
                    at: at("10:31:20"),
                    text: "One-time link made, valid for 15 minutes".into(),
                },
                LogLine {
                    at: at("10:31:12"),
                    text: "Maja opened the case from ticket 48213".into(),
                },
            ],
            also_here: Vec::new(),
            can_withdraw: true,
            report: None,
        };
        let ended = |state: CaseState, family: Family, title: &str, text: &str| {
            let mut page = base();
            page.pill = Pill { state };
            page.live = None;
            page.act.outcome = ActOutcome::DidNotHappen;
            page.notice = Some(Notice {
                family,
                title: title.into(),
                text: text.into(),
                action: None,
            });
            page.bar_count = "Nothing happened.".into();
            page.bar_next = String::new();
            page.primary = None;
            page.secondary = Some(Button::open(
                "Start a new case with the same details",
                "/cases/new/details?from=CS-7F3K9Q",
            ));
            page.say = None;
            page.spoken = None;
            page.can_withdraw = false;
            page
        };
        let missing = |state, done, count: &str, next: &str| {
            let mut page = base();
            page.pill = Pill { state };
            page.checklist = checklist(done);
            page.bar_count = count.into();
            page.bar_next = next.into();
            page
        };
        let masked = || CustomerCard {
            href: Some("/customers/204-118".into()),
            facts: vec![
                fact("Account", "H•• F•• A••"),
                machine("Customer no.", "204-118"),
                machine("Email", "o••@h••••.example"),
                fact("Ticket", "48213, chat"),
            ],
            masked: true,
        };

        let mut new = missing(
            CaseState::NotSent,
            0,
            "Nothing was sent yet.",
            "Send the customer the link.",
        );
        new.primary = Some(Button::post("Send the link", "/cases/CS-7F3K9Q/link").with_key("l"));
        new.secondary = None;
        new.customer = masked();
        new.log.drain(..3);
        new.earlier = vec![
            "The same request was stopped by the customer at 10:12 (CS-7F2Q4M, opened by Petra)."
                .into(),
        ];

        let mut sent = missing(
            CaseState::Customer,
            0,
            "6 still missing.",
            "Next: Customer opens the one-time link.",
        );
        sent.link = Some(CustomerLink {
            url: "https://support.nordhamn.example/c/q7Jw3nYd0Vf2mK8sT1xZ4b".into(),
            until: at_in("10:46", "in 15 minutes"),
        });
        sent.secondary = Some(Button {
            label: "Copy link".into(),
            does: Does::Copy("customer-link".into()),
            key: "l".into(),
        });
        sent.customer = masked();
        sent.also_here = vec!["Idris".into()];

        let mut wrong = base();
        wrong.checklist = Checklist {
            ways: vec![
                Way {
                    name: "usual".into(),
                    rows: vec![
                        proven("Customer opened the one-time link", "", "10:32:04"),
                        Check {
                            detail: Some("2 tries left".into()),
                            at: Some(at("10:34:10")),
                            ..check(CheckState::Waiting, "Customer proves the support PIN", "")
                        },
                        Check {
                            options: vec![
                                CheckOptions {
                                    group: "Has".into(),
                                    ways: vec![
                                        ("Passkey".into(), CheckState::NotStarted),
                                        ("Authenticator code".into(), CheckState::Proven),
                                    ],
                                },
                                CheckOptions {
                                    group: "Receives".into(),
                                    ways: vec![(
                                        "Code to the old mailbox".into(),
                                        CheckState::Refused,
                                    )],
                                },
                            ],
                            ..proven("One of these, of another kind", "", "10:33:00")
                        },
                        check(
                            CheckState::NotStarted,
                            "Customer confirms the exact action",
                            "",
                        ),
                    ],
                },
                Way {
                    name: "lost phone".into(),
                    rows: vec![
                        check(
                            CheckState::NotStarted,
                            "Customer proves the support PIN and a code sent by email",
                            "The address must not have changed for 7 days.",
                        ),
                        Check {
                            word: Some("Wait".into()),
                            ..check(
                                CheckState::NotStarted,
                                "It waits 24 hours after every channel was told",
                                "",
                            )
                        },
                    ],
                },
            ],
        };
        wrong.bar_count = "2 still missing.".into();
        wrong.bar_next = "Next: Customer proves the support PIN.".into();

        let mut closed = base();
        closed.say = Some(SayThis::NoWayAround);
        if let Some(row) = closed
            .checklist
            .ways
            .first_mut()
            .and_then(|way| way.rows.get_mut(1))
        {
            row.state = CheckState::Refused;
            row.detail = Some(
                "Closed until 11:34 after 5 wrong tries. Other ways: passkey, authenticator code"
                    .into(),
            );
        }

        let mut senior = missing(
            CaseState::Senior,
            4,
            "2 still missing.",
            "Next: A senior signs with a passkey.",
        );
        senior.secondary = Some(Button::post("Ask a senior", "/cases/CS-7F3K9Q/ask").with_key("a"));

        let mut vouch = missing(
            CaseState::Customer,
            3,
            "3 still missing.",
            "Next: Customer confirms the exact action.",
        );
        if let Some(way) = vouch.checklist.ways.first_mut() {
            way.rows.insert(
                3,
                Check {
                    word: Some("Your word".into()),
                    action: Some(Button {
                        label: "Give your word".into(),
                        does: Does::Post {
                            to: "/cases/CS-7F3K9Q/vouch".into(),
                            fields: vec![(
                                "text".into(),
                                "I called the customer back at the number on file".into(),
                            )],
                        },
                        key: String::new(),
                    }),
                    ..check(
                        CheckState::Waiting,
                        "You confirm: I called the customer back at the number on file",
                        "It is recorded with your name.",
                    )
                },
            );
        }

        let mut number = base();
        number.number = Some(MatchNumber {
            digits: "47".into(),
            closed: None,
        });
        let mut number_closed = base();
        number_closed.number = Some(MatchNumber {
            digits: "47".into(),
            closed: Some(tomorrow()),
        });

        let mut ready = missing(
            CaseState::Ready,
            6,
            "Nothing is missing.",
            "You can run it.",
        );
        ready.primary = Some(Button::open("Run action", "/cases/CS-7F3K9Q/run").with_key("r"));
        ready.secondary = None;
        ready.expires = Some(at_in("11:45", "in 1 hour"));

        let mut notices = missing(
            CaseState::Notices,
            5,
            "1 still missing.",
            "Next: Every channel is told, with a stop link.",
        );
        notices.primary = None;
        notices.secondary = Some(Button::open("Withdraw it", "/cases/CS-7F3K9Q/withdraw"));
        notices.say = Some(SayThis::Waits);

        let mut waits = missing(
            CaseState::Waits("24 Nov, 10:45".into()),
            6,
            "Nothing is missing.",
            "It takes effect 24 Nov, 10:45, unless it is stopped.",
        );
        waits.primary = None;
        waits.secondary = Some(Button::open("Withdraw it", "/cases/CS-7F3K9Q/withdraw"));
        waits.say = Some(SayThis::Waits);

        let mut running = missing(
            CaseState::Running,
            6,
            "Handed over at 10:45:10.",
            "The backend has not answered yet.",
        );
        running.primary = None;
        running.secondary = None;
        running.can_withdraw = false;

        let mut unknown = ended(
            CaseState::Unknown,
            Family::Wait,
            "It is not certain whether it happened",
            "The panel did not answer. The gate asks it until it knows, and does not run it again.",
        );
        unknown.act.outcome = ActOutcome::Open;
        unknown.bar_count = "It is not certain whether it happened.".into();
        unknown.secondary = None;
        unknown.live = base().live;

        let mut done = ended(
            CaseState::Done,
            Family::Ok,
            "Done",
            "The recovery email was changed. Every channel was told.",
        );
        done.act.outcome = ActOutcome::Happened("23 Nov 2026, 10:45:10".into());
        done.checklist = checklist(6);
        done.bar_count = "Done.".into();
        done.secondary = None;
        done.primary = Some(Button::open("Open the receipt", "/cases/CS-7F3K9Q/receipt"));
        done.say = Some(SayThis::Finished);

        let mut link_expired = missing(
            CaseState::Customer,
            0,
            "6 still missing.",
            "Next: Customer opens the one-time link.",
        );
        if let Some(row) = link_expired
            .checklist
            .ways
            .first_mut()
            .and_then(|way| way.rows.first_mut())
        {
            row.detail = Some("The link ran out at 10:46.".into());
            row.action = Some(Button::post("Send a new one", "/cases/CS-7F3K9Q/link"));
        }
        link_expired.customer = masked();

        let mut odd = base();
        odd.act.words = odd_words();

        vec![
            ("not-sent", new),
            ("link-made", sent),
            ("customer", base()),
            ("wrong-proof", wrong),
            ("proof-closed", closed),
            ("link-expired", link_expired),
            ("opener-vouches", vouch),
            ("number-to-match", number),
            ("number-closed", number_closed),
            ("odd-characters", odd),
            ("senior", senior),
            ("ready", ready),
            ("notices", notices),
            ("waits", waits),
            ("running", running),
            ("unknown", unknown),
            ("done", done),
            ("refused", ended(CaseState::Refused, Family::Bad, "This cannot go on", "Every way to prove something the customer has is closed. It opens again tomorrow at 00:00.")),
            ("declined", ended(CaseState::Declined, Family::Bad, "Declined by Idris Bello", "“The new address is one letter from another customer's.” The same request stays closed until 24 Nov, 10:51.")),
            ("stopped", ended(CaseState::Stopped, Family::Stop, "Stopped by the customer", "At 10:51, with the link in the email to the old mailbox: “I did not ask for it.” Nothing happened.")),
            ("withdrawn", ended(CaseState::Withdrawn, Family::Idle, "Withdrawn", "Maja took it back at 10:40. Nothing happened.")),
            ("expired", ended(CaseState::Expired, Family::Idle, "Expired", "It ran out at 11:45. Nothing happened.")),
            ("failed", ended(CaseState::Failed, Family::Bad, "Could not be carried out", "The panel answered: server_locked. Nothing changed.")),
        ]
        .into_iter()
        .map(|(state, mut page): (&str, Self)| {
            if state == "waits" {
                page.expires = Some(tomorrow());
            }
            (state, page)
        })
        .collect()
    }
}

impl RunPage {
    fn heading(&self) -> &'static str {
        match self.state {
            RunState::Ask { .. } => "Run this?",
            RunState::Running => "It is being carried out",
            RunState::Done { .. } => "Done",
            RunState::Waits { .. } => "It takes effect later",
            RunState::Unknown => "It is not certain whether it happened",
            RunState::Failed(_) => "Could not be carried out",
            RunState::NotReady(_) => "It cannot run now",
        }
    }

    fn has_receipt(&self) -> bool {
        matches!(self.state, RunState::Done { .. })
    }
}

impl Page for WithdrawPage {
    const NAME: &'static str = "withdraw";

    fn samples() -> Vec<(&'static str, Self)> {
        use super::samples::{act, agent};
        let frame = agent(
            Some(super::frame::Section::Desk),
            "/cases/CS-7F3K9Q/withdraw",
        );
        vec![(
            "ask",
            Self {
                frame,
                id: "CS-7F3K9Q".into(),
                act: act(),
            },
        )]
    }
}

impl Page for RunPage {
    const NAME: &'static str = "run";

    fn samples() -> Vec<(&'static str, Self)> {
        use super::parts::ActOutcome;
        use super::samples::{act, agent, at, fact, tomorrow};
        let page = |state| Self {
            frame: agent(Some(super::frame::Section::Desk), "/cases/CS-7F3K9Q/run"),
            id: "CS-7F3K9Q".into(),
            act: act(),
            verb: "change the email address".into(),
            state,
        };
        let mut done = page(RunState::Done {
            at: at("10:45:10"),
            next: vec!["The customer is told on every channel on file.".into()],
        });
        done.act.outcome = ActOutcome::Happened("23 Nov 2026, 10:45:10".into());
        let proven = vec![
            fact("Support PIN", "proven by the customer, 10:33:41"),
            fact("Passkey", "proven by the customer, 10:35:02"),
            fact("Words", "confirmed by the customer, 10:36:20"),
            fact("Sign-off", "Idris Bello, 10:44:51"),
        ];
        vec![
            (
                "ask",
                page(RunState::Ask {
                    proven,
                    effect: "Takes effect now.".into(),
                }),
            ),
            ("running", page(RunState::Running)),
            ("done", done),
            (
                "waits",
                page(RunState::Waits {
                    until: tomorrow(),
                    next: vec!["Every channel on file was told, with a link to stop it.".into()],
                }),
            ),
            ("unknown", page(RunState::Unknown)),
            ("failed", page(RunState::Failed("server_locked".into()))),
            (
                "not-ready",
                page(RunState::NotReady(
                    "The backup is older than 24 hours now.".into(),
                )),
            ),
        ]
    }
}
