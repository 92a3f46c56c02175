//! The small pieces that pages are made of. Everything here is plain text; escaping happens when it is rendered.

use std::borrow::{Borrow, Cow};

use askama::Template;
use askama::filters::HtmlSafe;

use super::icon::Icon;
use super::told::Told;
use crate::words::{Machine, Typed, Words};

/// Which colours a page is asked for; from the cookie `theme` (`light` or `dark`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Theme {
    /// No cookie: the system decides.
    #[default]
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

/// A moment: the machine's form and the reader's.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "parts/when.html")]
pub struct When {
    /// RFC 3339, for `datetime`.
    pub iso: String,
    /// As people read it: `10:31`, `10:31:04` or `24 Nov, 10:45`.
    pub shown: String,
    /// A helper such as `in 14 minutes`; kept fresh by the script where there is one.
    pub relative: Option<String>,
    /// Seconds from the rendering of the page, negative for the past: the script counts on from here, because a browser's clock may be wrong.
    pub away_seconds: i64,
}

/// Where a case stands, as the pill says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CaseState {
    /// No link was sent yet.
    NotSent,
    /// The customer has something to do.
    Customer,
    /// A colleague has to sign.
    Senior,
    /// Notices are on their way.
    Notices,
    /// Nothing is missing.
    Ready,
    /// Waiting; the text is when it takes effect, e.g. `24 Nov, 10:45`.
    Waits(String),
    /// Granted or handed over; no answer yet.
    Running,
    /// Done.
    Done,
    /// No answer: it may or may not have happened.
    Unknown,
    /// The backend said no, nothing changed.
    Failed,
    /// The procedure cannot be satisfied any more.
    Refused,
    /// A colleague declined.
    Declined,
    /// Stopped by the customer or by whoever was notified.
    Stopped,
    /// The opener took it back.
    Withdrawn,
    /// It ran out.
    Expired,
}

/// The pill: a [`CaseState`] with icon and colour family.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "parts/pill.html")]
pub struct Pill {
    /// What it says.
    pub state: CaseState,
}

/// How much the action can hurt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Risk {
    /// Nothing is lost and nothing changes hands.
    Low,
    /// Something changes hands.
    High,
    /// Something is lost for good.
    Critical,
}

/// Which procedure, and which version of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcedureRef {
    /// The action's name in it: `server.reinstall`.
    pub name: String,
    /// Short form of the version: `v4` or the first digits of its digest.
    pub version: String,
    /// Its page, once there is one.
    pub href: Option<String>,
}

/// The words card (UX 6.1).
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "parts/act.html")]
pub struct Act {
    /// The sentence.
    pub words: Words,
    /// A second sentence that says the consequence: `Anyone who can read the new mailbox …`.
    pub consequence: Option<String>,
    /// How much it can hurt.
    pub risk: Option<Risk>,
    /// Under which procedure.
    pub procedure: Option<ProcedureRef>,
    /// `Waits 24 h before it takes effect`.
    pub takes_effect: Option<String>,
    /// The digest everything is bound to, 64 hexadecimal digits; empty before the case exists.
    pub digest: String,
    /// What became of it.
    pub outcome: ActOutcome,
}

/// What became of the words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ActOutcome {
    /// Not yet known.
    Open,
    /// Struck through: it did not and will not happen.
    DidNotHappen,
    /// When it happened: `23 Nov 2026, 10:45:10`.
    Happened(String),
}

/// One line of a list of facts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// `Account`
    pub label: String,
    /// What it is.
    pub value: FactValue,
}

/// What a fact says.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "parts/fact.html")]
pub enum FactValue {
    /// Words.
    Text(String),
    /// Words in the customer's language.
    Told(Told),
    /// An address, domain, number: shown in mono, hidden characters visible.
    Machine(String),
    /// A moment.
    When(When),
    /// A link inside the gate.
    Link {
        /// What is shown.
        text: String,
        /// Where it goes.
        href: String,
    },
}

/// A proof, sign-off, notice or wait in the checklist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// How it stands.
    pub state: CheckState,
    /// `Customer proves the support PIN`
    pub title: String,
    /// One line more: `Typed on the customer's own page. You never see it.`, `2 tries left`.
    pub detail: Option<String>,
    /// Replaces the state's own word: `Signed`, `Sent`.
    pub word: Option<String>,
    /// When it came to that.
    pub at: Option<When>,
    /// The ways in it, by group: `Two of these, from different groups`.
    pub options: Vec<CheckOptions>,
    /// A small button under it: `Send again`, `Give your word`.
    pub action: Option<Button>,
}

/// One group of ways in a checklist row: `Knows: support PIN · password`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckOptions {
    /// `Knows`, `Has`, `Receives`.
    pub group: String,
    /// Each way, and whether it is proven.
    pub ways: Vec<(String, CheckState)>,
}

/// How a requirement stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckState {
    /// It holds.
    Proven,
    /// Somebody is at it.
    Waiting,
    /// Nobody began.
    NotStarted,
    /// It was tried and is closed.
    Refused,
    /// Another way made it unnecessary.
    NotNeeded,
}

/// One path of the action: all its rows must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// What the path is called, where there is more than one: `lost phone`.
    pub name: String,
    /// Its requirements in the procedure's order.
    pub rows: Vec<Check>,
}

/// What is still missing: the way that is nearest first, the others folded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checklist {
    /// Never empty.
    pub ways: Vec<Way>,
}

/// What pressing a button does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Does {
    /// Opens a page of the gate.
    Open(String),
    /// Posts these hidden fields (and the page's idempotency key).
    Post {
        /// Path of the gate.
        to: String,
        /// Name and value.
        fields: Vec<(String, String)>,
    },
    /// Copies the text of the field with this id. Only shown where there is a script.
    Copy(String),
    /// Nothing: what is missing stands beside it, in the element with the id `missing`.
    Nothing,
}

/// A button or a link that looks like one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Button {
    /// Says what it does, with the verb of the action.
    pub label: String,
    /// What it does.
    pub does: Does,
    /// Keyboard shortcut, one character; empty for none.
    pub key: String,
}

/// A mistake in a form, shown in the summary and at the field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// `id` and `name` of the field.
    pub field: String,
    /// What is wrong and what to do, as a sentence.
    pub message: String,
}

/// The mistakes of a form that was sent back.
#[derive(Debug, Clone, PartialEq, Eq, Default, Template)]
#[template(path = "parts/errors.html")]
pub struct Errors(pub Vec<FieldError>);

/// A page that moves on by itself (UX 11).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Live {
    /// Where the events come from: `/cases/CS-7F3K/events`.
    pub events: String,
    /// The position the page was rendered at; sent back as `?after=`.
    pub from: u64,
}

/// A coloured card that says how a case ended or what stands in the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Colour and icon.
    pub family: Family,
    /// `Stopped by the customer`
    pub title: String,
    /// One or two sentences.
    pub text: String,
    /// One way on.
    pub action: Option<Button>,
}

/// The families of colour, each with one meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// Nothing is going on.
    Idle,
    /// Waiting.
    Wait,
    /// Proven, done.
    Ok,
    /// Refused, failed, mistaken.
    Bad,
    /// Stopped.
    Stop,
    /// To know.
    Info,
}

/// One line of what happened so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// When.
    pub at: When,
    /// One sentence.
    pub text: String,
}

/// A row of a list of cases.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "parts/case-row.html")]
pub struct CaseRow {
    /// `CS-7F3K9Q`
    pub id: String,
    /// Short form of the action: `Reinstall a server`.
    pub what: String,
    /// Name (masked where nothing is proven yet).
    pub customer: String,
    /// How it stands.
    pub pill: Pill,
    /// `2: passkey, senior`; empty when nothing is.
    pub missing: String,
    /// Since when it is in this state.
    pub since: When,
    /// True for a stop that its opener has not looked at yet: shown first.
    pub unseen: bool,
}

impl HtmlSafe for When {}
impl HtmlSafe for Pill {}
impl HtmlSafe for Act {}
impl HtmlSafe for FactValue {}
impl HtmlSafe for Errors {}
impl HtmlSafe for CaseRow {}

impl Theme {
    /// The attribute of `<html>`, or nothing.
    pub(super) fn attribute(self) -> &'static str {
        match self {
            Self::System => "",
            Self::Light => " data-theme=light",
            Self::Dark => " data-theme=dark",
        }
    }

    /// What the one-press button changes to.
    pub(super) fn other(self) -> &'static str {
        match self {
            Self::System | Self::Light => "dark",
            Self::Dark => "light",
        }
    }
}

impl When {
    /// Without a helper.
    pub fn new(iso: impl Into<String>, shown: impl Into<String>) -> Self {
        Self {
            iso: iso.into(),
            shown: shown.into(),
            relative: None,
            away_seconds: 0,
        }
    }
}

impl CaseState {
    /// What the pill says.
    pub fn text(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::NotSent => "Not sent yet",
            Self::Customer => "Waiting for the customer",
            Self::Senior => "Waiting for a senior",
            Self::Notices => "Telling the customer",
            Self::Ready => "Ready to run",
            Self::Waits(when) => return Cow::Owned(format!("Takes effect {when}")),
            Self::Running => "Running",
            Self::Done => "Done",
            Self::Unknown => "Not certain",
            Self::Failed => "Could not be carried out",
            Self::Refused => "Refused by the procedure",
            Self::Declined => "Declined by a senior",
            Self::Stopped => "Stopped by the customer",
            Self::Withdrawn => "Withdrawn",
            Self::Expired => "Expired",
        })
    }

    /// Its family of colour.
    pub fn family(&self) -> Family {
        match self {
            Self::NotSent | Self::Withdrawn | Self::Expired => Family::Idle,
            Self::Customer
            | Self::Senior
            | Self::Notices
            | Self::Waits(_)
            | Self::Running
            | Self::Unknown => Family::Wait,
            Self::Ready | Self::Done => Family::Ok,
            Self::Failed | Self::Refused | Self::Declined => Family::Bad,
            Self::Stopped => Family::Stop,
        }
    }

    /// True if the action did not happen and never will: the words are struck.
    pub fn is_struck(&self) -> bool {
        matches!(
            self,
            Self::Refused
                | Self::Declined
                | Self::Stopped
                | Self::Withdrawn
                | Self::Expired
                | Self::Failed
        )
    }

    fn icon(&self) -> Icon {
        match self {
            Self::NotSent => Icon::Pen,
            Self::Customer | Self::Senior | Self::Running => Icon::Clock,
            Self::Notices => Icon::Mail,
            Self::Waits(_) => Icon::Hourglass,
            Self::Ready | Self::Done => Icon::Check,
            Self::Unknown | Self::Failed => Icon::Alert,
            Self::Refused | Self::Declined => Icon::Octagon,
            Self::Stopped => Icon::Hand,
            Self::Withdrawn | Self::Expired => Icon::Minus,
        }
    }
}

impl Risk {
    fn text(self) -> &'static str {
        match self {
            Self::Low => "Low risk",
            Self::High => "High risk",
            Self::Critical => "Critical",
        }
    }

    fn class(self) -> &'static str {
        match self {
            Self::Low => "idle",
            Self::High => "wait",
            Self::Critical => "bad",
        }
    }

    fn icon(self) -> Icon {
        match self {
            Self::Low => Icon::Shield,
            Self::High => Icon::Alert,
            Self::Critical => Icon::Octagon,
        }
    }

    fn meaning(self) -> &'static str {
        match self {
            Self::Low => "Nothing is lost and nothing changes hands.",
            Self::High => "Something changes hands: somebody new can then sign in or read.",
            Self::Critical => "Something is lost for good if the wrong person asks.",
        }
    }

    /// The label with its meaning folded under it.
    pub(super) fn label(self) -> RiskLabel {
        RiskLabel {
            risk: self,
            folds: true,
        }
    }

    /// The label alone, for tables.
    pub(super) fn word(self) -> RiskLabel {
        RiskLabel {
            risk: self,
            folds: false,
        }
    }
}

#[derive(Template)]
#[template(path = "parts/risk.html")]
pub(super) struct RiskLabel {
    risk: Risk,
    folds: bool,
}

impl HtmlSafe for RiskLabel {}

impl Family {
    /// Its class in the style sheet.
    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Wait => "wait",
            Self::Ok => "ok",
            Self::Bad => "bad",
            Self::Stop => "stop",
            Self::Info => "info",
        }
    }

    pub(super) fn icon(self) -> Icon {
        match self {
            Self::Idle => Icon::Minus,
            Self::Wait => Icon::Clock,
            Self::Ok => Icon::Check,
            Self::Bad => Icon::Octagon,
            Self::Stop => Icon::Hand,
            Self::Info => Icon::Info,
        }
    }
}

impl Act {
    /// `9f2c…e41b`
    fn short_digest(&self) -> String {
        let start: String = self.digest.chars().take(4).collect();
        let end: String = self.digest.chars().skip(60).collect();
        format!("{start}…{end}")
    }
}

impl CheckState {
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Proven => "Proven",
            Self::Waiting => "Waiting",
            Self::NotStarted => "Not started",
            Self::Refused => "Refused",
            Self::NotNeeded => "Not needed",
        }
    }

    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Proven => "ok",
            Self::Waiting => "wait",
            Self::NotStarted => "todo",
            Self::Refused => "bad",
            Self::NotNeeded => "off",
        }
    }

    pub(super) fn icon(self) -> Icon {
        match self {
            Self::Proven => Icon::Check,
            Self::Waiting => Icon::Clock,
            Self::NotStarted | Self::NotNeeded => Icon::Dash,
            Self::Refused => Icon::Octagon,
        }
    }
}

impl Check {
    /// What stands at the right: the row's own word, or the state's.
    pub(super) fn shown_word(&self) -> &str {
        self.word.as_deref().unwrap_or(self.state.text())
    }
}

impl Way {
    /// Rows that hold or are not needed.
    pub fn done(&self) -> usize {
        self.rows
            .iter()
            .filter(|row| matches!(row.state, CheckState::Proven | CheckState::NotNeeded))
            .count()
    }

    /// Rows that do not hold yet.
    pub fn missing(&self) -> usize {
        self.rows.len() - self.done()
    }

    /// True for the first row that does not hold, the one the unavailable button leads to.
    fn is_first_missing(&self, index: impl Borrow<usize>) -> bool {
        self.rows
            .iter()
            .position(|row| !matches!(row.state, CheckState::Proven | CheckState::NotNeeded))
            == Some(*index.borrow())
    }
}

impl Checklist {
    /// For a page: with its idempotency key, and whether shortcuts are on.
    pub(super) fn view<'a>(
        &'a self,
        key: &'a str,
        shortcuts: impl Borrow<bool>,
    ) -> ChecklistView<'a> {
        ChecklistView {
            ways: &self.ways,
            key,
            shortcuts: *shortcuts.borrow(),
        }
    }
}

/// The checklist's rows, with what their buttons need.
#[derive(Template)]
#[template(path = "parts/checklist.html")]
pub(super) struct ChecklistView<'a> {
    ways: &'a [Way],
    key: &'a str,
    shortcuts: bool,
}

impl HtmlSafe for ChecklistView<'_> {}

impl<'a> ChecklistView<'a> {
    /// What a case would need, before there is one.
    pub(super) fn fresh(ways: &'a [Way]) -> Self {
        Self {
            ways,
            key: "",
            shortcuts: false,
        }
    }
}

/// A table of cases.
#[derive(Template)]
#[template(path = "parts/case-table.html")]
pub(super) struct CaseTable<'a> {
    rows: &'a [CaseRow],
}

impl HtmlSafe for CaseTable<'_> {}

impl<'a> CaseTable<'a> {
    pub(super) fn new(rows: &'a [CaseRow]) -> Self {
        Self { rows }
    }
}

/// The words on a page about the procedure.
#[derive(Template)]
#[template(path = "parts/sentence.html")]
pub(super) struct Sentence<'a> {
    words: &'a Words,
}

impl HtmlSafe for Sentence<'_> {}

impl<'a> Sentence<'a> {
    pub(super) fn bare(words: &'a Words) -> Self {
        Self { words }
    }
}

impl Button {
    /// A button that opens a page.
    pub fn open(label: impl Into<String>, href: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            does: Does::Open(href.into()),
            key: String::new(),
        }
    }

    /// A button that posts.
    pub fn post(label: impl Into<String>, to: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            does: Does::Post {
                to: to.into(),
                fields: Vec::new(),
            },
            key: String::new(),
        }
    }

    /// With a keyboard shortcut.
    #[must_use]
    pub fn with_key(mut self, key: &str) -> Self {
        key.clone_into(&mut self.key);
        self
    }

    /// For a page: with a class, the page's idempotency key, and whether shortcuts are on.
    pub(super) fn view<'a>(
        &'a self,
        class: &'a str,
        idempotency_key: &'a str,
        shortcuts: impl Borrow<bool>,
    ) -> ButtonView<'a> {
        ButtonView {
            button: self,
            class,
            idempotency_key,
            shortcuts: *shortcuts.borrow() && !self.key.is_empty(),
        }
    }
}

#[derive(Template)]
#[template(path = "parts/button.html")]
pub(super) struct ButtonView<'a> {
    button: &'a Button,
    class: &'a str,
    idempotency_key: &'a str,
    shortcuts: bool,
}

impl HtmlSafe for ButtonView<'_> {}

impl Errors {
    /// One mistake.
    pub fn one(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self(vec![FieldError {
            field: field.into(),
            message: message.into(),
        }])
    }

    /// No mistakes.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What is wrong with this field.
    pub fn of(&self, field: impl AsRef<str>) -> Option<&str> {
        self.0
            .iter()
            .find(|error| error.field == field.as_ref())
            .map(|error| error.message.as_str())
    }
}

impl Notice {
    pub(super) fn view<'a>(&'a self, idempotency_key: &'a str) -> NoticeView<'a> {
        NoticeView {
            notice: self,
            idempotency_key,
        }
    }
}

#[derive(Template)]
#[template(path = "parts/notice.html")]
pub(super) struct NoticeView<'a> {
    notice: &'a Notice,
    idempotency_key: &'a str,
}

impl HtmlSafe for NoticeView<'_> {}
