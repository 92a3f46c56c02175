//! The customer's pages: one question a page, all words in the templates.

use askama::Template;

use super::frame::CustomerFrame;
use super::icon::Icon;
use super::page::{Page, capital, together};
use super::parts::{Button, Errors, Fact, Live, Sentence, When};
use super::samples::{
    DIGEST, at, at_in, consequence, customer, error, fact, machine, odd_words, on, server_words,
    tomorrow, words,
};
use crate::words::{Machine, Typed, Words};

/// `GET /c`. "Yes" posts to `/c/yes`; "No, stop this" posts to `/c/no`.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "link-start.html")]
pub struct StartPage {
    /// Frame.
    pub frame: CustomerFrame,
    /// How it stands.
    pub state: StartState,
}

/// What somebody who opens the link sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StartState {
    /// The question.
    Ask {
        /// The words, masked.
        words: Words,
        /// The consequence, if the procedure says one.
        consequence: Option<String>,
        /// Who asked: `Maja`; `None` if the customer opened it in the company's panel.
        asked_by: Option<String>,
        /// When.
        asked_at: When,
        /// `24 hours after a colleague has checked it. You can stop it until then.`
        takes_effect: String,
        /// `two of: support PIN, passkey, authenticator code`
        you_will_need: String,
        /// The last press did not work; nothing was changed.
        failed: bool,
    },
    /// The link was used up in another browser.
    OtherDevice,
    /// Run out, or never given: the same words.
    Gone,
    /// Stopped; when.
    Stopped(When),
}

/// `GET /c/prove`; posts `way` to the same.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "link-prove.html")]
pub struct ProvePage {
    /// Frame.
    pub frame: CustomerFrame,
    /// Which step this is, from 1.
    pub step: u32,
    /// Of how many.
    pub steps: u32,
    /// The ways this customer has, strongest first. Empty: there is none left.
    pub groups: Vec<WayGroup>,
    /// When one can try again, if there is none left.
    pub again: Option<When>,
    /// What was wrong (`way`).
    pub errors: Errors,
}

/// Ways of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WayGroup {
    /// Its kind.
    pub kind: WayKind,
    /// Its ways.
    pub ways: Vec<ProofWay>,
}

/// Kind of what is proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WayKind {
    /// Something you have.
    Have,
    /// Something you know.
    Know,
    /// Something you receive.
    Receive,
}

/// One way to prove it is you.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProofWay {
    /// The proof's name in the procedure: value of `way`, and of `/c/prove/{way}`.
    pub name: String,
    /// What people read: `Passkey`.
    pub label: String,
    /// How it is made.
    pub method: ProofMethod,
    /// How it stands.
    pub state: ProofState,
}

/// How a proof is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProofMethod {
    /// Typed.
    Pin,
    /// Typed.
    Password,
    /// Typed from the authenticator app.
    App,
    /// Typed from a mail.
    Mail,
    /// Typed from a text message.
    Text,
    /// The device's own lock.
    Passkey,
    /// At the company's own sign-in.
    Company,
}

/// How a way stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProofState {
    /// To be used.
    Open,
    /// Proven in this case.
    Done,
    /// Closed after wrong tries; until when.
    Closed(When),
    /// Changed too recently; from when it counts.
    TooNew(When),
}

/// `GET` and failed `POST /c/prove/{way}` for everything that is typed; posts `secret`.
/// Mail and text: "Send again" posts to `/c/prove/{way}/send`.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "link-typed.html")]
pub struct TypedProofPage {
    /// Frame.
    pub frame: CustomerFrame,
    /// Which step this is, from 1.
    pub step: u32,
    /// Of how many.
    pub steps: u32,
    /// Which way; the method is not a passkey.
    pub way: ProofWay,
    /// Where the code was sent, masked: `o••@h••••.example`.
    pub sent_to: Option<String>,
    /// Until when the code works.
    pub code_until: Option<When>,
    /// From when it can be sent again; `None` if now.
    pub again_from: Option<When>,
    /// There are other ways.
    pub other_ways: bool,
    /// Why the last try did not work.
    pub problem: Option<ProofProblem>,
}

/// Why a proof did not work. Never says which digit, nor who exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProofProblem {
    /// Not right; tries left.
    Wrong(u32),
    /// Nothing was typed.
    Empty,
    /// The code has run out.
    RunOut,
    /// Closed; until when.
    Closed(When),
    /// The prompt was closed.
    Cancelled,
    /// It did not work, and it is not the customer's fault.
    Failed,
}

/// `GET /c/prove/{way}` for a passkey. JSON `POST /c/prove/{way}/start` and `/finish`.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "link-passkey.html")]
pub struct PasskeyProofPage {
    /// Frame.
    pub frame: CustomerFrame,
    /// Which step this is, from 1.
    pub step: u32,
    /// Of how many.
    pub steps: u32,
    /// Which way.
    pub way: ProofWay,
    /// There are other ways.
    pub other_ways: bool,
    /// Why the last try did not work.
    pub problem: Option<ProofProblem>,
}

/// `GET` and failed `POST /c/confirm`; posts `digest` (and `number`).
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "link-confirm.html")]
pub struct ConfirmPage {
    /// Frame.
    pub frame: CustomerFrame,
    /// The words in full.
    pub words: Words,
    /// The consequence, if the procedure says one.
    pub consequence: Option<String>,
    /// Account, parameters, takes effect, you can stop it until.
    pub summary: Vec<Fact>,
    /// The digest of the words on this page: hidden field `digest`.
    pub digest: String,
    /// Who tells the two digits, for actions that need them.
    pub number_from: Option<String>,
    /// The action as the button says it: `Reinstall my server`.
    pub button: String,
    /// What was wrong (`number`), or that the last press did not work (`confirm`).
    pub errors: Errors,
}

/// `GET /c/done`
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "link-done.html", blocks = ["state"])]
pub struct DonePage {
    /// Frame.
    pub frame: CustomerFrame,
    /// What the heading says.
    pub state: DoneState,
    /// The words.
    pub words: Words,
    /// What happens, in order, with where it stands.
    pub steps: Vec<NextStep>,
    /// The receipt, once there is one.
    pub receipt: Option<String>,
    /// Until when it can be stopped.
    pub stop_until: Option<When>,
    /// The customer may say "run".
    pub run: Option<Button>,
    /// Back to the company's panel: label and allow-listed address.
    pub back_to: Option<(String, String)>,
    /// Moves on by itself.
    pub live: Option<Live>,
}

/// What the heading of the last page says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DoneState {
    /// A colleague will check it.
    Checked,
    /// It waits; until when.
    Waits(When),
    /// Everything is there; the agent (or the customer) says when.
    Ready,
    /// It is being done.
    Running,
    /// It was done.
    Done,
    /// It could not be done; nothing was changed.
    Failed,
    /// It is not certain.
    Unknown,
    /// A colleague declined.
    Declined,
    /// It was stopped.
    Stopped(When),
    /// It ran out.
    Expired,
}

/// One step of what happens next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextStep {
    /// What.
    pub text: String,
    /// Where it stands.
    pub place: StepPlace,
}

/// Where a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepPlace {
    /// Behind us.
    Done,
    /// Now.
    Now,
    /// To come.
    Next,
}

/// `GET /c/stop` and `GET /v/{token}`; posts `why` (`not-me`, `changed-mind`, `wrong`) and `text` to [`StopPage::action`].
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "link-stop.html")]
pub struct StopPage {
    /// Frame. `can_stop` is false: this is the page that stops.
    pub frame: CustomerFrame,
    /// Where the form posts to: `/c/stop` or `/v/{token}`.
    pub action: String,
    /// Back to where one came from; `None` from a notice.
    pub back: Option<String>,
    /// The words, with what this reader may not see masked. `None` for a link that is gone.
    pub words: Option<Words>,
    /// How it stands.
    pub state: StopState,
    /// Opened from a notice, not from the customer's own link.
    pub from_notice: bool,
}

/// How stopping stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StopState {
    /// The question.
    Ask {
        /// Until when it can be stopped.
        until: Option<When>,
        /// The last press did not work.
        failed: bool,
    },
    /// Just stopped.
    Stopped,
    /// Stopped before.
    Already(When),
    /// It happened; when. The report is recorded all the same.
    TooLate(When),
    /// It ended some other way: nothing was changed.
    Over,
    /// Run out, or never given: the same words.
    Gone,
}

/// `GET /c/receipts`
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "link-receipts.html")]
pub struct ReceiptsPage {
    /// Frame.
    pub frame: CustomerFrame,
    /// Newest first.
    pub rows: Vec<ReceiptRow>,
}

/// A receipt in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiptRow {
    /// Its page.
    pub href: String,
    /// When.
    pub at: When,
    /// The words.
    pub words: Words,
    /// It happened.
    pub happened: bool,
}

/// The part of the last page that changes: heading, steps and buttons. Never the words.
pub fn customer_done_fragments(page: &DonePage) -> String {
    together([page.as_state().render()])
}

impl StartPage {
    fn heading(&self) -> &'static str {
        match self.state {
            StartState::Ask { .. } => "Did you ask for this?",
            StartState::OtherDevice => "This link was opened elsewhere",
            StartState::Gone => "This link does not work any more",
            StartState::Stopped(_) => "This was stopped",
        }
    }
}

impl WayKind {
    fn text(self) -> &'static str {
        match self {
            Self::Have => "Something you have",
            Self::Know => "Something you know",
            Self::Receive => "Something you receive",
        }
    }
}

impl ProofMethod {
    fn line(self) -> &'static str {
        match self {
            Self::Pin => "From your customer panel, or the letter we sent you",
            Self::Password => "The password of your account",
            Self::App => "6 numbers from your authenticator app",
            Self::Mail => "A code sent to the address on file",
            Self::Text => "A code sent to the mobile number on file",
            Self::Passkey => "Use the lock of this device",
            Self::Company => "Sign in the way you always do",
        }
    }
}

impl ProofWay {
    fn capital_label(&self) -> String {
        capital(&self.label)
    }
}

impl ProofProblem {
    /// What is wrong. For [`ProofProblem::Closed`] the template adds until when.
    fn text(&self, way: &ProofWay) -> String {
        let thing = match way.method {
            ProofMethod::Pin => "PIN",
            ProofMethod::Password => "password",
            ProofMethod::Passkey => "passkey",
            ProofMethod::App | ProofMethod::Mail | ProofMethod::Text | ProofMethod::Company => {
                "code"
            }
        };
        match self {
            Self::Wrong(1) => format!("That {thing} is not right. You have 1 try left."),
            Self::Wrong(tries) => {
                format!("That {thing} is not right. You have {tries} tries left.")
            }
            Self::Empty if way.method == ProofMethod::App => {
                "Enter the 6 numbers from your authenticator app".to_owned()
            }
            Self::Empty => format!("Enter the {thing}"),
            Self::RunOut => "That code has run out. Send a new one".to_owned(),
            Self::Closed(_) => "This way is closed after too many tries, until".to_owned(),
            Self::Cancelled => {
                "The passkey was not used. Try again or choose another way.".to_owned()
            }
            Self::Failed => {
                "This did not work. Nothing was changed. Try again or choose another way."
                    .to_owned()
            }
        }
    }
}

impl ProvePage {
    fn heading(&self) -> &'static str {
        if self.groups.is_empty() {
            "There is no way left today"
        } else {
            "Prove it is you"
        }
    }

    fn is_first_open(&self, way: &ProofWay) -> bool {
        let mut open = self
            .groups
            .iter()
            .flat_map(|group| &group.ways)
            .filter(|way| way.state == ProofState::Open);
        open.next() == Some(way)
    }
}

impl TypedProofPage {
    fn heading(&self) -> String {
        match self.way.method {
            ProofMethod::Mail => "Enter the code from the email".to_owned(),
            ProofMethod::Text => "Enter the code from the text message".to_owned(),
            _ => format!("Enter your {}", self.way.label),
        }
    }
}

impl DonePage {
    fn heading(&self) -> &'static str {
        match self.state {
            DoneState::Checked => "You are done. A colleague will check it.",
            DoneState::Waits(_) => "It takes effect later",
            DoneState::Ready => "You are done",
            DoneState::Running => "It is being done now",
            DoneState::Done => "It was done",
            DoneState::Failed => "It could not be done",
            DoneState::Unknown => "It is not certain whether it was done",
            DoneState::Declined => "It was declined",
            DoneState::Stopped(_) => "This was stopped",
            DoneState::Expired => "This ran out",
        }
    }
}

impl StepPlace {
    fn class(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Now => "now",
            Self::Next => "next",
        }
    }

    fn icon(self) -> Icon {
        match self {
            Self::Done => Icon::Check,
            Self::Now => Icon::Clock,
            Self::Next => Icon::Dash,
        }
    }
}

impl StopPage {
    fn heading(&self) -> &'static str {
        match self.state {
            StopState::Ask { .. } => "Stop this?",
            StopState::Stopped => "Stopped. Nothing was changed.",
            StopState::Already(_) => "This is stopped",
            StopState::TooLate(_) => "This already happened",
            StopState::Over => "There is nothing to stop",
            StopState::Gone => "This link does not work any more",
        }
    }
}

impl Page for StartPage {
    const NAME: &'static str = "link-start";

    fn samples() -> Vec<(&'static str, Self)> {
        let ask = |words: Words, failed| StartState::Ask {
            words: words.masked(),
            consequence: Some(consequence()),
            asked_by: Some("Maja".into()),
            asked_at: at("10:31"),
            takes_effect: "24 hours after a colleague has checked it. You can stop it until then."
                .into(),
            you_will_need: "two of: support PIN, passkey, authenticator code".into(),
            failed,
        };
        let mut before = customer();
        before.case = None;
        let page = |state| Self {
            frame: before.clone(),
            state,
        };
        let mut over = page(StartState::Gone);
        over.frame.can_stop = false;
        over.frame.works_until = None;
        over.frame.reference = None;
        let mut stopped = over.clone();
        stopped.state = StartState::Stopped(at("10:51"));
        let mut own = page(ask(server_words(), false));
        if let StartState::Ask {
            asked_by,
            takes_effect,
            ..
        } = &mut own.state
        {
            *asked_by = None;
            "at once".clone_into(takes_effect);
        }
        vec![
            ("ask", page(ask(words(), false))),
            ("from-panel", own),
            ("odd-characters", page(ask(odd_words(), false))),
            ("failed", page(ask(words(), true))),
            ("other-device", page(StartState::OtherDevice)),
            ("gone", over),
            ("stopped", stopped),
        ]
    }
}

fn way(name: &str, label: &str, method: ProofMethod, state: ProofState) -> ProofWay {
    ProofWay {
        name: name.into(),
        label: label.into(),
        method,
        state,
    }
}

impl Page for ProvePage {
    const NAME: &'static str = "link-prove";

    fn samples() -> Vec<(&'static str, Self)> {
        let page = |pin, mail, errors| Self {
            frame: customer(),
            step: 1,
            steps: 2,
            groups: vec![
                WayGroup {
                    kind: WayKind::Have,
                    ways: vec![
                        way("passkey", "passkey", ProofMethod::Passkey, ProofState::Open),
                        way(
                            "app_code",
                            "authenticator code",
                            ProofMethod::App,
                            ProofState::Open,
                        ),
                    ],
                },
                WayGroup {
                    kind: WayKind::Know,
                    ways: vec![
                        way(
                            "password",
                            "account password",
                            ProofMethod::Password,
                            ProofState::Open,
                        ),
                        way("pin", "support PIN", ProofMethod::Pin, pin),
                    ],
                },
                WayGroup {
                    kind: WayKind::Receive,
                    ways: vec![way(
                        "mail_code",
                        "code sent by email",
                        ProofMethod::Mail,
                        mail,
                    )],
                },
            ],
            again: None,
            errors,
        };
        let mut second = page(
            ProofState::Done,
            ProofState::TooNew(on("2026-11-30T10:00:00+01:00", "30 Nov")),
            Errors::default(),
        );
        second.frame.proven = Some("Support PIN".into());
        second.step = 2;
        let mut none = page(ProofState::Open, ProofState::Open, Errors::default());
        none.groups = Vec::new();
        none.again = Some(at("11:34"));
        vec![
            (
                "choose",
                page(ProofState::Open, ProofState::Open, Errors::default()),
            ),
            ("second", second),
            (
                "closed",
                page(
                    ProofState::Closed(at("11:34")),
                    ProofState::Open,
                    Errors::default(),
                ),
            ),
            (
                "nothing-chosen",
                page(
                    ProofState::Open,
                    ProofState::Open,
                    error("way", "Choose a way"),
                ),
            ),
            ("none-left", none),
        ]
    }
}

impl Page for TypedProofPage {
    const NAME: &'static str = "link-typed";

    fn samples() -> Vec<(&'static str, Self)> {
        let page = |name: &str, label: &str, method, problem| Self {
            frame: customer(),
            step: 1,
            steps: 2,
            way: way(name, label, method, ProofState::Open),
            sent_to: None,
            code_until: None,
            again_from: None,
            other_ways: true,
            problem,
        };
        let mail = |again_from, problem| Self {
            sent_to: Some("o••@h••••.example".into()),
            code_until: Some(at("10:49")),
            again_from,
            ..page(
                "mail_code",
                "code sent by email",
                ProofMethod::Mail,
                problem,
            )
        };
        let pin = |problem| page("pin", "support PIN", ProofMethod::Pin, problem);
        let app = |problem| page("app_code", "authenticator code", ProofMethod::App, problem);
        vec![
            ("pin", pin(None)),
            ("pin-wrong", pin(Some(ProofProblem::Wrong(2)))),
            ("pin-last-try", pin(Some(ProofProblem::Wrong(1)))),
            ("pin-closed", pin(Some(ProofProblem::Closed(at("11:34"))))),
            (
                "password",
                page("password", "account password", ProofMethod::Password, None),
            ),
            (
                "password-failed",
                page(
                    "password",
                    "account password",
                    ProofMethod::Password,
                    Some(ProofProblem::Failed),
                ),
            ),
            ("app", app(None)),
            ("app-empty", app(Some(ProofProblem::Empty))),
            ("mail", mail(None, None)),
            ("mail-just-sent", mail(Some(at("10:35")), None)),
            ("mail-run-out", mail(None, Some(ProofProblem::RunOut))),
            (
                "text",
                Self {
                    sent_to: Some("•• 18".into()),
                    code_until: Some(at("10:49")),
                    ..page(
                        "text_code",
                        "code sent by text message",
                        ProofMethod::Text,
                        None,
                    )
                },
            ),
        ]
    }
}

impl Page for PasskeyProofPage {
    const NAME: &'static str = "link-passkey";

    fn samples() -> Vec<(&'static str, Self)> {
        let page = |other_ways, problem| Self {
            frame: customer(),
            step: 2,
            steps: 2,
            way: way("passkey", "passkey", ProofMethod::Passkey, ProofState::Open),
            other_ways,
            problem,
        };
        vec![
            ("ask", page(true, None)),
            ("only-way", page(false, None)),
            ("cancelled", page(true, Some(ProofProblem::Cancelled))),
            ("failed", page(true, Some(ProofProblem::Failed))),
        ]
    }
}

impl Page for ConfirmPage {
    const NAME: &'static str = "link-confirm";

    fn samples() -> Vec<(&'static str, Self)> {
        let page = |number_from: Option<&str>, errors| Self {
            frame: customer(),
            words: words(),
            consequence: Some(consequence()),
            summary: vec![
                fact("Account", "Halden Freight AB"),
                machine("From", "ops@haldenfreight.example"),
                machine("To", "ops@halden-freight.example"),
                fact("Takes effect", "24 hours after a colleague has checked it"),
                fact("You can stop it", "until it takes effect"),
            ],
            digest: DIGEST.into(),
            number_from: number_from.map(str::to_owned),
            button: "Change my email address".into(),
            errors,
        };
        let mut proven = page(None, Errors::default());
        proven.frame.proven = Some("Passkey".into());
        let mut odd = page(None, Errors::default());
        odd.words = odd_words();
        vec![
            ("ask", page(None, Errors::default())),
            ("just-proven", proven),
            ("number", page(Some("Maja"), Errors::default())),
            (
                "number-wrong",
                page(
                    Some("Maja"),
                    error(
                        "number",
                        "That is not the number. Ask Maja again in the chat",
                    ),
                ),
            ),
            ("odd-characters", odd),
            (
                "not-certain",
                page(
                    None,
                    error(
                        "confirm",
                        "It is not certain whether it was confirmed. Press the button again",
                    ),
                ),
            ),
        ]
    }
}

impl Page for DonePage {
    const NAME: &'static str = "link-done";

    fn samples() -> Vec<(&'static str, Self)> {
        let step = |text: &str, place| NextStep {
            text: text.into(),
            place,
        };
        let page = |state, now: usize| {
            let texts = [
                "You confirmed the words",
                "A colleague checks it",
                "It waits 24 hours, then it is done",
            ];
            let steps = texts
                .iter()
                .enumerate()
                .map(|(index, text)| {
                    step(
                        text,
                        match index.cmp(&now) {
                            std::cmp::Ordering::Less => StepPlace::Done,
                            std::cmp::Ordering::Equal => StepPlace::Now,
                            std::cmp::Ordering::Greater => StepPlace::Next,
                        },
                    )
                })
                .collect();
            let mut frame = customer();
            frame.works_until = None;
            Self {
                frame,
                state,
                words: words(),
                steps,
                receipt: None,
                stop_until: None,
                run: None,
                back_to: None,
                live: Some(Live {
                    events: "/c/events".into(),
                    from: 12,
                }),
            }
        };
        let over = |state, receipt: bool| {
            let mut page = page(state, 3);
            page.frame.can_stop = false;
            page.live = None;
            page.receipt = receipt.then(|| "/c/receipts/CS-7F3K9Q".into());
            page
        };
        let ended = |state| Self {
            steps: Vec::new(),
            ..over(state, true)
        };
        let mut waits = page(
            DoneState::Waits(on("2026-11-24T10:45:00+01:00", "24 November at 10:45")),
            2,
        );
        waits.stop_until = Some(tomorrow());
        let mut ready = page(DoneState::Ready, 2);
        ready.run = Some(Button::post("Change my email address now", "/c/run"));
        let mut back = over(DoneState::Done, true);
        back.back_to = Some((
            "the Nordhamn panel".into(),
            "https://panel.nordhamn.example/servers".into(),
        ));
        vec![
            ("checked", page(DoneState::Checked, 1)),
            ("waits", waits),
            ("ready", ready),
            ("running", page(DoneState::Running, 2)),
            ("done", over(DoneState::Done, true)),
            ("back-to-panel", back),
            ("failed", ended(DoneState::Failed)),
            ("unknown", page(DoneState::Unknown, 2)),
            ("declined", ended(DoneState::Declined)),
            ("stopped", ended(DoneState::Stopped(at("10:51")))),
            (
                "expired",
                Self {
                    receipt: None,
                    ..ended(DoneState::Expired)
                },
            ),
        ]
    }
}

impl Page for StopPage {
    const NAME: &'static str = "link-stop";

    fn samples() -> Vec<(&'static str, Self)> {
        let page = |state, from_notice: bool| {
            let mut frame = customer();
            frame.can_stop = false;
            frame.works_until = None;
            Self {
                frame,
                action: if from_notice {
                    "/v/Zk3nT8wq".into()
                } else {
                    "/c/stop".into()
                },
                back: (!from_notice).then(|| "/c".into()),
                words: Some(if from_notice {
                    words().masked()
                } else {
                    words()
                }),
                state,
                from_notice,
            }
        };
        let ask = |failed| StopState::Ask {
            until: Some(at_in("11:45", "in 1 hour")),
            failed,
        };
        let mut gone = page(StopState::Gone, true);
        gone.words = None;
        gone.frame.case = None;
        gone.frame.reference = None;
        vec![
            ("ask", page(ask(false), false)),
            ("from-notice", page(ask(false), true)),
            ("failed", page(ask(true), true)),
            ("stopped", page(StopState::Stopped, true)),
            ("already", page(StopState::Already(at("10:51")), true)),
            ("too-late", page(StopState::TooLate(at("10:45:10")), true)),
            ("over", page(StopState::Over, true)),
            ("gone", gone),
        ]
    }
}

impl Page for ReceiptsPage {
    const NAME: &'static str = "link-receipts";

    fn samples() -> Vec<(&'static str, Self)> {
        let mut frame = customer();
        frame.can_stop = false;
        frame.works_until = None;
        let row = |words, happened, shown: &str| ReceiptRow {
            href: "/c/receipts/CS-7F3K9Q".into(),
            at: on("2026-11-23T10:45:10+01:00", shown),
            words,
            happened,
        };
        let rows = vec![
            row(words(), false, "23 Nov 2026"),
            row(server_words(), true, "14 Sep 2026"),
        ];
        vec![
            (
                "some",
                Self {
                    frame: frame.clone(),
                    rows,
                },
            ),
            (
                "none",
                Self {
                    frame,
                    rows: Vec::new(),
                },
            ),
        ]
    }
}
