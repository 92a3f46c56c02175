//! A person's own settings.

use askama::Template;

use super::frame::{Banner, StaffFrame};
use super::icon::Icon;
use super::page::Page;
use super::parts::{Errors, Theme, When};
use super::samples::{agent, at, error, on, senior};
use crate::words::Typed;

/// `GET /settings`; posts `theme` and `shortcuts` to the same.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "settings.html")]
pub struct SettingsPage {
    /// Frame; its theme and shortcuts are what the form shows.
    pub frame: StaffFrame,
    /// How many passkeys are registered.
    pub passkeys: u32,
}

/// `GET /settings/passkeys`. Adding: JSON `POST /settings/passkeys/start` and `/finish` (with `name`).
/// Renaming and removing: `POST /settings/passkeys/{id}/name` (`name`) and `/{id}/remove`.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "passkeys.html")]
pub struct PasskeysPage {
    /// Frame.
    pub frame: StaffFrame,
    /// Registered ones. The last one cannot be removed.
    pub passkeys: Vec<PasskeyRow>,
    /// A passkey, or the company's own sign-in, answered in this session a moment ago, so one may be added.
    pub fresh: bool,
    /// What the company's own sign-in is called, if there is one: the way to a first passkey.
    pub company: Option<String>,
    /// The last try to add one did not work.
    pub failed: bool,
    /// What was wrong (`name`).
    pub errors: Errors,
}

/// A registered passkey.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasskeyRow {
    /// In the address of its forms; no `/`.
    pub id: String,
    /// What its owner calls it.
    pub name: String,
    /// When it was added.
    pub added: When,
    /// When it was last used.
    pub used: Option<When>,
    /// Another one answered a moment ago, so this one may be removed.
    pub removable: bool,
}

/// `GET /settings/keys`: the keyboard shortcuts as a page.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "keys.html")]
pub struct KeysPage {
    /// Frame.
    pub frame: StaffFrame,
}

impl SettingsPage {
    fn themes(&self) -> [(&'static str, &'static str, bool); 3] {
        [
            ("system", "As the system", Theme::System),
            ("light", "Light", Theme::Light),
            ("dark", "Dark", Theme::Dark),
        ]
        .map(|(value, label, theme)| (value, label, self.frame.theme == theme))
    }
}

type Shortcuts = &'static [(&'static str, &'static str)];

impl KeysPage {
    fn list() -> &'static [(&'static str, Shortcuts)] {
        &[
            (
                "Everywhere",
                &[
                    ("/", "search"),
                    ("g d", "desk"),
                    ("g a", "approvals"),
                    ("g c", "customers"),
                    ("g i", "incidents"),
                    ("t", "light or dark"),
                    ("?", "this list"),
                ],
            ),
            (
                "In lists",
                &[
                    ("j", "next row"),
                    ("k", "row before"),
                    ("Enter", "open the row"),
                ],
            ),
            (
                "Desk and case",
                &[
                    ("c", "new case"),
                    ("l", "copy or send the link"),
                    ("a", "ask a senior"),
                    ("r", "run"),
                ],
            ),
            (
                "Approval",
                &[("s", "sign"), ("x", "decline"), ("n", "next approval")],
            ),
        ]
    }
}

impl Page for SettingsPage {
    const NAME: &'static str = "settings";

    fn samples() -> Vec<(&'static str, Self)> {
        let page = |frame, passkeys| Self { frame, passkeys };
        let mut quiet = agent(None, "/settings");
        quiet.shortcuts = false;
        quiet.theme = Theme::Dark;
        vec![
            ("usual", page(senior(None, "/settings"), 2)),
            ("one-passkey", page(agent(None, "/settings"), 1)),
            ("no-passkey", page(quiet, 0)),
        ]
    }
}

impl Page for PasskeysPage {
    const NAME: &'static str = "passkeys";

    fn samples() -> Vec<(&'static str, Self)> {
        let key = |id: &str, name: &str, used| PasskeyRow {
            id: id.into(),
            name: name.into(),
            added: on("2026-03-02T09:00:00+01:00", "2 Mar 2026"),
            used,
            removable: false,
        };
        let page = |passkeys, failed, errors| Self {
            frame: senior(None, "/settings/passkeys"),
            fresh: true,
            company: None,
            passkeys,
            failed,
            errors,
        };
        let two = vec![
            key("k1", "work laptop", Some(at("10:44"))),
            PasskeyRow {
                removable: true,
                ..key("k2", "phone", None)
            },
        ];
        let one = vec![key("k1", "work laptop", Some(at("10:44")))];
        vec![
            ("two", page(two, false, Errors::default())),
            (
                "not-fresh",
                Self {
                    fresh: false,
                    ..page(one.clone(), false, Errors::default())
                },
            ),
            (
                "first-by-company",
                Self {
                    fresh: false,
                    company: Some("Nordhamn sign-in".into()),
                    ..page(Vec::new(), false, Errors::default())
                },
            ),
            (
                "first-by-invitation",
                Self {
                    fresh: false,
                    ..page(Vec::new(), false, Errors::default())
                },
            ),
            ("last-one", page(one.clone(), false, Errors::default())),
            ("none", page(Vec::new(), false, Errors::default())),
            ("failed", page(one.clone(), true, Errors::default())),
            (
                "no-name",
                page(one, false, error("name", "Give the passkey a name")),
            ),
        ]
    }
}

impl Page for KeysPage {
    const NAME: &'static str = "keys";

    fn samples() -> Vec<(&'static str, Self)> {
        let mut off = agent(None, "/settings/keys");
        off.shortcuts = false;
        vec![
            (
                "on",
                Self {
                    frame: agent(None, "/settings/keys"),
                },
            ),
            ("off", Self { frame: off }),
        ]
    }
}
