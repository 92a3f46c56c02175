//! The customer's pages: one question a page, all words in the templates.

use askama::Template;

use super::frame::CustomerFrame;
use super::icon::Icon;
use super::page::{capital, together};
use super::parts::{Button, Errors, Fact, Live, Sentence, When};
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
    /// Answered on the customer's device.
    Push,
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
    Wrong(Option<u32>),
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
            Self::Push => "Answer in the app on your device",
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
            ProofMethod::App
            | ProofMethod::Mail
            | ProofMethod::Text
            | ProofMethod::Company
            | ProofMethod::Push => "code",
        };
        match self {
            Self::Wrong(None) => format!("That {thing} is not right."),
            Self::Wrong(Some(1)) => format!("That {thing} is not right. You have 1 try left."),
            Self::Wrong(Some(tries)) => {
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
