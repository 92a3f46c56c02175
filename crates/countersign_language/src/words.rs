//! Names and words for the parts of a procedure.

use crate::model::{HoldingKind, Method};

impl HoldingKind {
    /// The keyword: `secret`, `channel`, `device`, `state`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Secret => "secret",
            Self::Channel => "channel",
            Self::Device => "device",
            Self::State => "state",
        }
    }

    /// `a secret`, `a channel`, `a device`, `a state`.
    pub(crate) fn with_article(self) -> &'static str {
        match self {
            Self::Secret => "a secret",
            Self::Channel => "a channel",
            Self::Device => "a device",
            Self::State => "a state",
        }
    }
}

impl Method {
    /// Every method, in the order of the manual.
    pub const ALL: [Self; 9] = [
        Self::Password,
        Self::Pin,
        Self::Totp,
        Self::Passkey,
        Self::Mail,
        Self::Text,
        Self::Oidc,
        Self::Ciba,
        Self::Webhook,
    ];

    /// The word in the file: `password`, `pin`, `totp`, …
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Pin => "pin",
            Self::Totp => "totp",
            Self::Passkey => "passkey",
            Self::Mail => "mail",
            Self::Text => "text",
            Self::Oidc => "oidc",
            Self::Ciba => "ciba",
            Self::Webhook => "webhook",
        }
    }

    /// The method of that name, if there is one.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.as_str() == name)
    }
}
