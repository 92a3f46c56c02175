//! The page on which a customer sets a PIN, an authenticator app or passkeys, once the procedure granted it.

use askama::Template;
use countersign_service::Language;
use countersign_service::speech::Key;

use super::frame::CustomerFrame;
use super::icon::Icon;
use super::page::{Page, Spoken};
use super::parts::{Errors, When};
use super::qr::Qr;
use super::samples::{at, customer, error, on};
use super::told::Tag;
use crate::words::Typed;

/// `GET /c/set`. A PIN (`pin`, `again`), the code of an app (`code`) and passkeys to be removed (`remove_{id}`) are posted
/// to the same; a new passkey goes by JSON `POST /c/set/start` and `/c/set/finish` (`name`, `remove_{id}`).
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "link-enrol.html")]
pub struct EnrolPage {
    /// Frame.
    pub frame: CustomerFrame,
    /// What is asked.
    pub what: EnrolWhat,
    /// Until when it can be set.
    pub until: When,
    /// What was wrong (`pin`, `again`, `code`, `name`, `remove`).
    pub errors: Errors,
}

/// What a customer is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EnrolWhat {
    /// A PIN, typed twice.
    Pin,
    /// A code of the app that holds this secret.
    App {
        /// The secret in groups of four.
        secret: String,
        /// `otpauth://totp/…`
        url: String,
        /// The same as a picture.
        qr: Option<Qr>,
    },
    /// A new passkey, and which of these go.
    Passkeys {
        /// Those there are.
        held: Vec<HeldPasskey>,
        /// Whether any can be removed.
        may_remove: bool,
    },
}

/// A passkey the customer has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldPasskey {
    /// In the names of fields.
    pub id: String,
    /// What its owner calls it.
    pub name: String,
    /// When it was added.
    pub added: When,
    /// When it was last used.
    pub used: Option<When>,
}

impl EnrolPage {
    fn heading(&self) -> String {
        self.frame.say(match &self.what {
            EnrolWhat::Pin => Key("enrol-title-pin"),
            EnrolWhat::App { .. } => Key("enrol-title-app"),
            EnrolWhat::Passkeys { held, may_remove } if *may_remove && !held.is_empty() => {
                Key("enrol-title-keys")
            }
            EnrolWhat::Passkeys { .. } => Key("enrol-title-key"),
        })
    }
}

impl Page for EnrolPage {
    const NAME: &'static str = "link-enrol";

    fn samples() -> Vec<(&'static str, Self)> {
        Self::samples_in(Language::English)
    }
}

impl Spoken for EnrolPage {
    fn samples_in(language: Language) -> Vec<(&'static str, Self)> {
        let mut frame = customer(language);
        frame.works_until = None;
        let page = |what, errors| Self {
            frame: frame.clone(),
            what,
            until: on("2026-11-24T10:45:00+01:00", "24 Nov, 10:45"),
            errors,
        };
        let app = || {
            let url = "otpauth://totp/Nordhamn%20Hosting:48213?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Nordhamn%20Hosting";
            EnrolWhat::App {
                secret: "JBSW Y3DP EHPK 3PXP JBSW Y3DP EHPK 3PXP".into(),
                url: url.into(),
                qr: Qr::new(url, language.say("enrol-app-qr")),
            }
        };
        let passkeys = |may_remove, some: bool| EnrolWhat::Passkeys {
            held: if some {
                vec![
                    HeldPasskey {
                        id: "q83v".into(),
                        name: "phone".into(),
                        added: on("2024-03-02T09:00:00+01:00", "2 Mar 2024"),
                        used: Some(at("10:35")),
                    },
                    HeldPasskey {
                        id: "EjRW".into(),
                        name: "work laptop".into(),
                        added: on("2025-09-14T09:00:00+02:00", "14 Sep 2025"),
                        used: None,
                    },
                ]
            } else {
                Vec::new()
            },
            may_remove,
        };
        let none = Errors::default;
        vec![
            ("pin", page(EnrolWhat::Pin, none())),
            (
                "pin-weak",
                page(
                    EnrolWhat::Pin,
                    error("pin", &language.say("enrol-wrong-run")),
                ),
            ),
            (
                "pin-differs",
                page(
                    EnrolWhat::Pin,
                    error("again", &language.say("enrol-wrong-again")),
                ),
            ),
            ("app", page(app(), none())),
            (
                "app-wrong",
                page(app(), error("code", &language.say("enrol-wrong-code"))),
            ),
            ("first-passkey", page(passkeys(false, false), none())),
            ("another-passkey", page(passkeys(false, true), none())),
            ("passkeys", page(passkeys(true, true), none())),
            (
                "passkeys-none-chosen",
                page(
                    passkeys(true, true),
                    error("remove", &language.say("enrol-wrong-none")),
                ),
            ),
        ]
    }
}
