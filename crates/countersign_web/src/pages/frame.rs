//! What stands round a page: for staff, and for customers.

use std::borrow::Borrow;

use askama::Template;
use askama::filters::HtmlSafe;
use countersign_service::Language;

use super::parts::{Theme, When};

/// The frame of staff pages (UX 4), and of public pages where nobody is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaffFrame {
    /// BCP 47 language of the page: `en`.
    pub lang: String,
    /// Colours asked for.
    pub theme: Theme,
    /// Who is signed in.
    pub person: Option<Person>,
    /// The pages this person may open, in the order shown.
    pub sections: Vec<Section>,
    /// The one that is open.
    pub current: Option<Section>,
    /// How many cases wait for this person's signature; 0 hides the badge.
    pub approvals_waiting: u32,
    /// At most one banner.
    pub banner: Option<Banner>,
    /// Hidden field `idempotency_key` of every form on the page; scoped by the server to path and person.
    pub idempotency_key: String,
    /// Path and query of this page, so that the theme button comes back to it.
    pub here: String,
    /// Program version: `0.1.0`.
    pub version: String,
    /// Keyboard shortcuts are on.
    pub shortcuts: bool,
}

/// Who is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// `Maja Lindqvist`
    pub name: String,
    /// The role as the procedure labels it: `Agent`.
    pub role: String,
}

/// The pages in the header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// `/desk`
    Desk,
    /// `/approvals`
    Approvals,
    /// `/customers`
    Customers,
    /// `/procedures`
    Procedures,
    /// `/statistics`
    Statistics,
    /// `/incidents`
    Incidents,
    /// `/audit`
    Audit,
}

/// What stands above the heading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Banner {
    /// Something is slow or down; the sentence and where to read on.
    Incident {
        /// `Email codes are slow right now.`
        text: String,
        /// Status page.
        href: String,
    },
    /// The session ends soon; posts to `/session/extend`.
    SessionEnds(When),
    /// Made-up data; the address is where one takes another part.
    Demo(String),
}

/// The frame of customer pages (UX 8).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomerFrame {
    /// What the page speaks.
    pub language: Language,
    /// What the organisation's own words are in: its name, labels and the sentences of its procedure.
    pub own_language: Language,
    /// Path and query of this page, so that choosing another language comes back to it.
    pub here: String,
    /// Colours asked for.
    pub theme: Theme,
    /// The company's name as the procedure has it.
    pub organisation: String,
    /// `chat reference 48213`; the ticket the agent named, if any.
    pub reference: Option<String>,
    /// The case's spoken number, once the link was answered.
    pub case: Option<String>,
    /// A number to call, always shown where stopping can fail.
    pub phone: Option<String>,
    /// Shows "Stop this" at the bottom; false where nothing can be stopped (any more).
    pub can_stop: bool,
    /// Until when the link works.
    pub works_until: Option<When>,
    /// "Give me more time" is still to be had (posts to `/c/more-time`, once).
    pub more_time: bool,
    /// In the demo: made-up data; the address is where one takes another part.
    pub demo: Option<String>,
    /// What was just proven: `support PIN`.
    pub proven: Option<String>,
    /// This is the page that says who is talking: no link to it.
    pub asks_who: bool,
    /// Hidden field `idempotency_key` of every form on the page.
    pub idempotency_key: String,
}

impl StaffFrame {
    /// The list of sections; the count carries this id.
    pub(super) fn nav<'a>(&'a self, id: &'a str) -> Nav<'a> {
        Nav { frame: self, id }
    }

    /// The hidden field of every form.
    pub(super) fn key(&self) -> HiddenKey<'_> {
        HiddenKey {
            value: &self.idempotency_key,
        }
    }

    /// The count beside "Approvals", in the header and in the menu.
    pub(super) fn badges(&self) -> String {
        ["nav-count", "menu-count"]
            .map(|id| {
                Badge {
                    id,
                    waiting: self.approvals_waiting,
                }
                .to_string()
            })
            .concat()
    }

    fn badge<'a>(&self, id: &'a str) -> Badge<'a> {
        Badge {
            id,
            waiting: self.approvals_waiting,
        }
    }

    fn is_current(&self, section: impl Borrow<Section>) -> bool {
        self.current.as_ref() == Some(section.borrow())
    }
}

impl CustomerFrame {
    /// The hidden field of every form.
    pub(super) fn key(&self) -> HiddenKey<'_> {
        HiddenKey {
            value: &self.idempotency_key,
        }
    }

    /// The telephone number as a `tel:` address has it.
    pub(super) fn dial(&self) -> String {
        let number = self.phone.as_deref().unwrap_or_default();
        number
            .chars()
            .filter(|c| c.is_ascii_digit() || *c == '+')
            .collect()
    }

    /// What stands in the company's mark.
    pub(super) fn initial(&self) -> String {
        self.organisation
            .chars()
            .take(1)
            .flat_map(char::to_uppercase)
            .collect()
    }
}

#[derive(Template)]
#[template(
    source = r#"<span id="{{ id }}">{% if waiting > 0 %}<span class="count">{{ waiting }}<span class="vh"> waiting</span></span>{% endif %}</span>"#,
    ext = "html"
)]
struct Badge<'a> {
    id: &'a str,
    waiting: u32,
}

impl HtmlSafe for Badge<'_> {}

#[derive(Template)]
#[template(path = "parts/nav.html")]
pub(super) struct Nav<'a> {
    frame: &'a StaffFrame,
    id: &'a str,
}

impl HtmlSafe for Nav<'_> {}

#[derive(Template)]
#[template(
    source = r#"<input type="hidden" name="idempotency_key" value="{{ value }}">"#,
    ext = "html"
)]
pub(super) struct HiddenKey<'a> {
    value: &'a str,
}

impl<'a> HiddenKey<'a> {
    pub(super) fn new(value: &'a str) -> Self {
        Self { value }
    }
}

impl HtmlSafe for HiddenKey<'_> {}

impl Section {
    fn label(self) -> &'static str {
        match self {
            Self::Desk => "Desk",
            Self::Approvals => "Approvals",
            Self::Customers => "Customers",
            Self::Procedures => "Procedures",
            Self::Statistics => "Statistics",
            Self::Incidents => "Incidents",
            Self::Audit => "Audit log",
        }
    }

    fn href(self) -> &'static str {
        match self {
            Self::Desk => "/desk",
            Self::Approvals => "/approvals",
            Self::Customers => "/customers",
            Self::Procedures => "/procedures",
            Self::Statistics => "/statistics",
            Self::Incidents => "/incidents",
            Self::Audit => "/audit",
        }
    }

    fn shortcut(self) -> &'static str {
        match self {
            Self::Desk => "g d",
            Self::Approvals => "g a",
            Self::Customers => "g c",
            Self::Procedures => "g p",
            Self::Statistics => "g s",
            Self::Incidents => "g i",
            Self::Audit => "g l",
        }
    }
}
