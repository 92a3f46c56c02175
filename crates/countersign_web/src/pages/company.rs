//! The company's identity provider: a customer's proof by signing in there or by a push to their device, and the way back of a colleague.

use askama::Template;
use countersign_service::Language;
use countersign_service::speech::Key;

use super::frame::{Banner, CustomerFrame, StaffFrame};
use super::icon::Icon;
use super::link::{ProofMethod, ProofState, ProofWay};
use super::link_samples::way;
use super::page::{Page, Spoken, together};
use super::parts::{Live, When};
use super::samples::{at, customer, nobody};
use super::told::{Tag, Told};
use crate::words::Typed;

/// `GET` and failed `POST /c/prove/{way}` for signing in at the company. The link goes to `/c/prove/{way}/sign-in`; back
/// here, the button posts to `/c/prove/{way}/signed-in`.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "link-company.html")]
pub struct CompanyProofPage {
    /// Frame.
    pub frame: CustomerFrame,
    /// Which step this is, from 1.
    pub step: u32,
    /// Of how many.
    pub steps: u32,
    /// Which way.
    pub way: ProofWay,
    /// What customers call the provider: `Nordhamn`.
    pub company: String,
    /// The customer came back from there: one button is left.
    pub back: bool,
    /// The digest the proof is for: hidden field `digest`.
    pub digest: String,
    /// There are other ways.
    pub other_ways: bool,
    /// Why the last try did not work.
    pub problem: Option<CompanyProblem>,
}

/// Why signing in or a push did not work. Never says whose account it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CompanyProblem {
    /// Not the right account; tries left.
    Wrong(Option<u32>),
    /// Closed; until when.
    Closed(When),
    /// Turned back at the sign-in.
    Cancelled,
    /// Not signed in again, or not strongly enough (RFC 9470).
    TooWeak,
    /// Took too long, or used already.
    Over,
    /// Asked a moment ago; from when again.
    TooSoon(When),
    /// Asked too often in this case.
    NoMore,
    /// Nobody answered on the device.
    RanOut,
    /// It did not work, and it is not the customer's fault.
    Failed,
}

/// `GET` and failed `POST /c/prove/{way}` for a push to the customer's device. The button posts to `/c/prove/{way}/ask`.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "link-push.html", blocks = ["state"])]
pub struct PushProofPage {
    /// Frame.
    pub frame: CustomerFrame,
    /// Which step this is, from 1.
    pub step: u32,
    /// Of how many.
    pub steps: u32,
    /// Which way.
    pub way: ProofWay,
    /// What customers call the provider.
    pub company: String,
    /// The push that was sent, if there is one to follow.
    pub sent: Option<SentPush>,
    /// There are other ways.
    pub other_ways: bool,
    /// Why the last try did not work.
    pub problem: Option<CompanyProblem>,
    /// Moves on by itself.
    pub live: Option<Live>,
}

/// A push that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentPush {
    /// What the device shows.
    pub message: String,
    /// Until when it can be answered.
    pub until: When,
    /// How it stands.
    pub state: PushState,
}

/// How a push stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PushState {
    /// Not answered yet.
    Waiting,
    /// Answered with yes.
    Proved,
    /// Answered with no: the case is stopped.
    Denied,
    /// Not to be answered any more, or not right: the page says why when it is opened again.
    Over,
}

/// `GET /sign-in/company/back`: a colleague is back; the button posts to `/sign-in/company/finish`.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "company-back.html")]
pub struct CompanyBackPage {
    /// Nobody signed in.
    pub frame: StaffFrame,
    /// Whose gate.
    pub organisation: String,
    /// `support.nordhamn.example`
    pub host: String,
    /// What staff call the provider.
    pub company: String,
    /// False: the sign-in is over, and begins again with a link.
    pub back: bool,
}

/// The part of the push page that changes: heading and what comes next. No form is in it.
pub fn push_fragments(page: &PushProofPage) -> String {
    together([page.as_state().render()])
}

impl CompanyProblem {
    /// What is wrong, and what to do.
    fn told(&self, frame: &CustomerFrame) -> Told {
        match self {
            Self::Wrong(None) => frame.tell("company-wrong"),
            Self::Wrong(Some(tries)) => frame.tell("company-wrong-tries").with("tries", tries),
            Self::Closed(until) => frame.tell("proof-closed").with("until", until),
            Self::Cancelled => frame.tell("company-cancelled"),
            Self::TooWeak => frame.tell("company-too-weak"),
            Self::Over => frame.tell("company-over"),
            Self::TooSoon(from) => frame.tell("push-too-soon").with("from", from),
            Self::NoMore => frame.tell("push-no-more"),
            Self::RanOut => frame.tell("push-ran-out"),
            Self::Failed => frame.tell("proof-failed"),
        }
    }
}

impl CompanyProofPage {
    fn heading(&self) -> Told {
        let key = if self.back {
            Key("company-heading-back")
        } else {
            Key("company-heading")
        };
        self.frame.tell(key).with("company", Typed(&self.company))
    }
}

impl PushProofPage {
    fn heading(&self) -> Key {
        match self.sent.as_ref().map(|sent| sent.state) {
            None => Key("push-heading"),
            Some(PushState::Waiting) => Key("push-waiting"),
            Some(PushState::Proved) => Key("push-proved"),
            Some(PushState::Denied) => Key("push-denied"),
            Some(PushState::Over) => Key("push-over"),
        }
    }

    /// A link to this page.
    fn here(&self) -> Tag {
        Tag::link(&format!("/c/prove/{}", self.way.name))
    }
}

impl Page for CompanyProofPage {
    const NAME: &'static str = "link-company";

    fn samples() -> Vec<(&'static str, Self)> {
        Self::samples_in(Language::English)
    }
}

impl Spoken for CompanyProofPage {
    fn samples_in(language: Language) -> Vec<(&'static str, Self)> {
        let page = |back, other_ways, problem| Self {
            frame: customer(language),
            step: 1,
            steps: 2,
            way: way(
                "signed_in",
                "signed in to the customer panel",
                ProofMethod::Company,
                ProofState::Open,
            ),
            company: "Nordhamn".into(),
            back,
            digest: "00".repeat(32),
            other_ways,
            problem,
        };
        let wrong = |problem| page(false, true, Some(problem));
        vec![
            ("ask", page(false, true, None)),
            ("only-way", page(false, false, None)),
            ("back", page(true, true, None)),
            ("wrong", wrong(CompanyProblem::Wrong(None))),
            ("last-try", wrong(CompanyProblem::Wrong(Some(1)))),
            ("closed", wrong(CompanyProblem::Closed(at("11:34")))),
            ("cancelled", wrong(CompanyProblem::Cancelled)),
            ("too-weak", wrong(CompanyProblem::TooWeak)),
            ("over", wrong(CompanyProblem::Over)),
            ("failed", wrong(CompanyProblem::Failed)),
        ]
    }
}

impl Page for PushProofPage {
    const NAME: &'static str = "link-push";

    fn samples() -> Vec<(&'static str, Self)> {
        Self::samples_in(Language::English)
    }
}

impl Spoken for PushProofPage {
    fn samples_in(language: Language) -> Vec<(&'static str, Self)> {
        let page = |state: Option<PushState>, problem| Self {
            frame: customer(language),
            step: 1,
            steps: 2,
            way: way(
                "push",
                "approval on your phone",
                ProofMethod::Push,
                ProofState::Open,
            ),
            company: "Nordhamn".into(),
            live: (state == Some(PushState::Waiting)).then(|| Live {
                events: "/c/prove/push/events".into(),
                from: 7,
            }),
            sent: state.map(|state| SentPush {
                message: "Erase everything on web-3 and install debian-13".into(),
                until: at("10:38"),
                state,
            }),
            other_ways: true,
            problem,
        };
        vec![
            ("ask", page(None, None)),
            ("waiting", page(Some(PushState::Waiting), None)),
            ("proved", page(Some(PushState::Proved), None)),
            ("denied", page(Some(PushState::Denied), None)),
            ("over", page(Some(PushState::Over), None)),
            ("ran-out", page(None, Some(CompanyProblem::RanOut))),
            (
                "too-soon",
                page(None, Some(CompanyProblem::TooSoon(at("10:36")))),
            ),
            ("no-more", page(None, Some(CompanyProblem::NoMore))),
            ("failed", page(None, Some(CompanyProblem::Failed))),
        ]
    }
}

impl Page for CompanyBackPage {
    const NAME: &'static str = "sign-in-company";

    fn samples() -> Vec<(&'static str, Self)> {
        let page = |back| Self {
            frame: nobody("/sign-in/company/back"),
            organisation: "Nordhamn Hosting".into(),
            host: "support.nordhamn.example".into(),
            company: "Nordhamn".into(),
            back,
        };
        vec![("back", page(true)), ("over", page(false))]
    }
}
