//! A person's own settings.

use super::frame::StaffFrame;
use super::parts::{Errors, When};

/// `GET /settings`; posts `theme` and `shortcuts` to the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingsPage {
    /// Frame; its theme and shortcuts are what the form shows.
    pub frame: StaffFrame,
    /// How many passkeys are registered.
    pub passkeys: u32,
}

/// `GET /settings/passkeys`. Adding: JSON `POST /settings/passkeys/start` and `/finish` (with `name`).
/// Renaming and removing: `POST /settings/passkeys/{id}/name` (`name`) and `/{id}/remove`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasskeysPage {
    /// Frame.
    pub frame: StaffFrame,
    /// Registered ones. The last one cannot be removed.
    pub passkeys: Vec<PasskeyRow>,
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
}

/// `GET /settings/keys`: the keyboard shortcuts as a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeysPage {
    /// Frame.
    pub frame: StaffFrame,
}
