//! A new version of the procedure that waits for its signature.

use askama::Template;

use super::frame::{Banner, Section, StaffFrame};
use super::icon::Icon;
use super::page::Page;
use super::parts::{Errors, When};
use super::samples::{DIGEST, at, error, senior};
use crate::words::{Quoted, Typed};

/// `GET /procedures/proposed`. Passkey: JSON `POST /procedures/proposed/sign/start` and `/sign/finish`.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "proposal.html")]
pub struct ProposalPage {
    /// Frame.
    pub frame: StaffFrame,
    /// What waits; `None` where nothing does.
    pub proposal: Option<Proposal>,
    /// The version that was refused last.
    pub refused: Option<RefusedVersion>,
    /// What was typed as the reason of a refusal that did not work.
    pub reason: String,
    /// What was wrong (`reason`).
    pub errors: Errors,
}

/// A version that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedVersion {
    /// The version, hexadecimal.
    pub version: String,
    /// When.
    pub at: When,
    /// Who.
    pub by: String,
    /// Their words.
    pub reason: String,
}

/// What waits for a signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// The version, hexadecimal.
    pub version: String,
    /// The version in force.
    pub replaces: String,
    /// Since when it waits.
    pub at: When,
    /// What got weaker or stronger, a sentence each.
    pub changes: Vec<String>,
    /// Its text.
    pub text: String,
    /// The text in force.
    pub replaces_text: String,
    /// Label of the role that signs it.
    pub role: String,
    /// What the reader can do.
    pub state: ProposalState,
}

/// What the reader can do with a proposed version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProposalState {
    /// Sign it.
    Sign,
    /// No passkey to sign with yet.
    NoPasskey,
    /// Somebody else must: why.
    Cannot(String),
}

impl ProposalPage {
    fn can_sign(&self) -> bool {
        self.proposal
            .as_ref()
            .is_some_and(|proposal| proposal.state == ProposalState::Sign)
    }
}

impl Page for ProposalPage {
    const NAME: &'static str = "proposal";

    fn samples() -> Vec<(&'static str, Self)> {
        let page = |proposal| Self {
            frame: senior(Some(Section::Approvals), "/procedures/proposed"),
            proposal,
            refused: None,
            reason: String::new(),
            errors: Errors::default(),
        };
        let refused = || {
            Some(RefusedVersion {
                version: DIGEST.into(),
                at: at("10:44"),
                by: "Idris Bello".into(),
                reason: "Reinstalling without a signature is how we lost the Falun cluster.".into(),
            })
        };
        let waits = |changes: &[&str], state| {
            page(Some(Proposal {
                version: DIGEST.into(),
                replaces: DIGEST.chars().rev().collect(),
                at: at("10:31"),
                changes: changes.iter().map(|one| (*one).to_owned()).collect(),
                text: "procedure \"Acme Hosting\"\n\naction server.reinstall\n  path fast\n    prove pin\n".into(),
                replaces_text: "procedure \"Acme Hosting\"\n\naction server.reinstall\n  path fast\n    prove pin\n    sign-off 1 senior\n".into(),
                role: "senior".into(),
                state,
            }))
        };
        let weaker = [
            "Weaker: `server.reinstall` needs no signature any more on the path `fast`.",
            "Stronger: `password.reset` is no longer among the actions.",
        ];
        vec![
            ("sign", waits(&weaker, ProposalState::Sign)),
            ("not-compared", waits(&[], ProposalState::Sign)),
            ("no-passkey", waits(&weaker, ProposalState::NoPasskey)),
            (
                "cannot",
                waits(
                    &weaker,
                    ProposalState::Cannot(
                        "A new version of the procedure is signed by a `senior`.".into(),
                    ),
                ),
            ),
            ("nothing", page(None)),
            (
                "refused",
                Self {
                    refused: refused(),
                    ..page(None)
                },
            ),
            (
                "proposed-again",
                Self {
                    refused: refused(),
                    ..waits(&weaker, ProposalState::Sign)
                },
            ),
            (
                "no-reason",
                Self {
                    reason: "no".into(),
                    errors: error("reason", "A reason has 10 to 500 characters"),
                    ..waits(&weaker, ProposalState::Sign)
                },
            ),
        ]
    }
}
