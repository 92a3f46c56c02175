//! The customer's pages: one question a page, all words in the templates.

use askama::Template;
use countersign_service::speech::Key;

use super::frame::CustomerFrame;
use super::icon::Icon;
use super::page::{capital, together};
use super::parts::{Button, Errors, Fact, Live, When};
use super::told::{Choice, Tag, Told};
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
        consequence: Option<Told>,
        /// Who asked: `Maja`; `None` if the customer opened it in the company's panel.
        asked_by: Option<String>,
        /// When.
        asked_at: When,
        /// `24 hours after a colleague has checked it. You can stop it until then.`
        takes_effect: String,
        /// Labels of the ways: `support PIN`, `passkey`, `authenticator code`.
        you_will_need: Vec<String>,
        /// The last press did not work; nothing was changed.
        failed: bool,
    },
    /// The link was used up in another browser.
    OtherDevice,
    /// Run out, or never given: the same words.
    Gone,
    /// Stopped; when.
    Stopped(When),
    /// Made after the end: the receipt is a press away. Nothing of it is shown before.
    Receipt,
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
    /// Looked at by the company itself.
    Check,
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
    pub consequence: Option<Told>,
    /// The parameters, by the procedure's labels.
    pub summary: Vec<Fact>,
    /// `Waits 24 hours before it takes effect`
    pub takes_effect: Option<String>,
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
    /// Where the customer sets the new value, if that is what is left.
    pub set: Option<String>,
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
    /// The customer sets the new value themselves.
    ToSet {
        /// Until when.
        until: When,
        /// On this page; otherwise where they proved it is them.
        here: bool,
    },
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
    fn heading(&self) -> Key {
        match self.state {
            StartState::Ask { .. } => Key("start-ask"),
            StartState::OtherDevice => Key("start-elsewhere"),
            StartState::Gone => Key("start-gone"),
            StartState::Stopped(_) => Key("start-stopped"),
            StartState::Receipt => Key("start-receipt"),
        }
    }
}

impl WayKind {
    fn key(self) -> Key {
        match self {
            Self::Have => Key("prove-have"),
            Self::Know => Key("prove-know"),
            Self::Receive => Key("prove-receive"),
        }
    }
}

impl ProofMethod {
    fn key(self) -> Key {
        match self {
            Self::Pin => Key("way-pin"),
            Self::Password => Key("way-password"),
            Self::App => Key("way-app"),
            Self::Mail => Key("way-mail"),
            Self::Text => Key("way-text"),
            Self::Passkey => Key("way-passkey"),
            Self::Company => Key("way-company"),
            Self::Push => Key("way-push"),
            Self::Check => Key("way-check"),
        }
    }

    /// What messages choose by.
    fn kind(self) -> Choice {
        Choice(match self {
            Self::Pin => "pin",
            Self::Password => "password",
            Self::Passkey => "passkey",
            Self::App => "app",
            Self::Mail => "mail",
            Self::Text => "text",
            Self::Company | Self::Push | Self::Check => "code",
        })
    }
}

impl ProofWay {
    fn capital_label(&self) -> String {
        capital(&self.label)
    }
}

impl ProofProblem {
    /// What is wrong, and what to do.
    fn told(&self, frame: &CustomerFrame, way: &ProofWay) -> Told {
        let kind = way.method.kind();
        match self {
            Self::Wrong(None) => frame.tell("proof-wrong").with("kind", kind),
            Self::Wrong(Some(tries)) => frame
                .tell("proof-wrong-tries")
                .with("kind", kind)
                .with("tries", tries),
            Self::Empty => frame.tell("proof-empty").with("kind", kind),
            Self::RunOut => frame.tell("proof-run-out"),
            Self::Closed(until) => frame.tell("proof-closed").with("until", until),
            Self::Cancelled => frame.tell("proof-cancelled"),
            Self::Failed => frame.tell("proof-failed"),
        }
    }
}

impl ProvePage {
    fn heading(&self) -> Key {
        if self.groups.is_empty() {
            Key("prove-none")
        } else {
            Key("prove-heading")
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
    fn heading(&self) -> Told {
        match self.way.method {
            ProofMethod::Mail => self.frame.tell("typed-mail"),
            ProofMethod::Text => self.frame.tell("typed-text"),
            _ => self
                .frame
                .tell("typed-other")
                .with("label", self.frame.own(&self.way.label)),
        }
    }

    /// That a code was sent, and where to.
    fn sent(&self) -> Told {
        let kind = self.way.method.kind();
        match &self.sent_to {
            None => self.frame.tell("typed-sent").with("kind", kind),
            Some(to) => self
                .frame
                .tell("typed-sent-to")
                .with("kind", kind)
                .with("to", Machine(to)),
        }
    }
}

impl DonePage {
    /// What the browser's tab says.
    fn title(&self) -> Key {
        match self.state {
            DoneState::Checked => Key("done-checked"),
            DoneState::Waits(_) => Key("done-waits-title"),
            DoneState::Ready => Key("done-ready"),
            DoneState::ToSet { .. } => Key("done-to-set"),
            DoneState::Running => Key("done-running"),
            DoneState::Done => Key("done-done"),
            DoneState::Failed => Key("done-failed"),
            DoneState::Unknown => Key("done-unknown"),
            DoneState::Declined => Key("done-declined"),
            DoneState::Stopped(_) => Key("done-stopped-title"),
            DoneState::Expired => Key("done-expired"),
        }
    }

    fn heading(&self) -> Told {
        match &self.state {
            DoneState::Waits(until) => self.frame.tell("done-waits").with("at", until),
            DoneState::Stopped(at) => self.frame.tell("done-stopped").with("at", at),
            _ => self.frame.tell(self.title()),
        }
    }

    /// Where the new one is set.
    fn to_set_text(&self) -> Key {
        if matches!(self.state, DoneState::ToSet { here: true, .. }) {
            Key("done-to-set-here")
        } else {
            Key("done-to-set-there")
        }
    }

    /// One sentence more.
    fn text(&self) -> Option<Key> {
        match self.state {
            DoneState::Failed => Some(Key("done-failed-text")),
            DoneState::Unknown => Some(Key("done-unknown-text")),
            DoneState::Declined => Some(Key("done-declined-text")),
            DoneState::Stopped(_) => Some(Key("done-stopped-text")),
            DoneState::Expired => Some(Key("done-expired-text")),
            _ => None,
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
    fn heading(&self) -> Key {
        match self.state {
            StopState::Ask { .. } => Key("stop-ask"),
            StopState::Stopped => Key("stop-stopped"),
            StopState::Already(_) => Key("stop-already"),
            StopState::TooLate(_) => Key("stop-too-late"),
            StopState::Over => Key("stop-over"),
            StopState::Gone => Key("stop-gone"),
        }
    }
}
