//! Why something asked of a case was not done. Data first; the words are for people.

use std::fmt;

use crate::{CaseId, ContactId, Missing, State, Timestamp};

/// Why a command was refused. Nothing happened.
///
/// [`Refusal::code`] is the stable word for programs, the `Display` form the line for people, and
/// [`Refusal::help`] says what to do next or who can.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// No case was opened under this id.
    NoCase,
    /// A case is opened once.
    AlreadyOpened,
    /// The case was opened under another version of the procedure than the one given.
    OtherProcedure,

    /// The procedure has no such action.
    UnknownAction {
        /// The name asked for.
        action: String,
    },
    /// The action happens outside the gate.
    OutsideAction {
        /// Its label.
        action: String,
    },
    /// No connector runs the action.
    NothingRunsIt {
        /// Its label.
        action: String,
    },
    /// Only staff may open a case for this action.
    CustomerMayNotOpen {
        /// Its label.
        action: String,
    },
    /// Nobody with these roles may open a case for this action, or say run.
    RoleMayNotOpen {
        /// Labels of the roles that may.
        needed: Vec<String>,
    },
    /// This member of staff is the customer, or is tied to them.
    Concerned,
    /// The gate itself never does this.
    NotForTheGate,
    /// A parameter is missing or empty.
    ParameterMissing {
        /// Its name in the procedure.
        parameter: String,
        /// Its label.
        label: String,
    },
    /// The action has no such parameter.
    ParameterUnknown {
        /// The name asked for.
        parameter: String,
    },
    /// A value is too long.
    ParameterTooLong {
        /// Its name in the procedure.
        parameter: String,
        /// Its label.
        label: String,
        /// Most characters.
        max: usize,
    },
    /// A value has a character that people cannot see, or that changes how they read the others.
    ParameterUnreadable {
        /// Its name in the procedure.
        parameter: String,
        /// Its label.
        label: String,
    },
    /// A reason is missing or too short.
    ReasonTooShort {
        /// Fewest characters.
        min: usize,
    },
    /// A reason is too long.
    ReasonTooLong {
        /// Most characters.
        max: usize,
    },
    /// A reason has a character that people cannot see.
    ReasonUnreadable,
    /// The reference is too long or has a character that people cannot see.
    ReferenceUnreadable {
        /// Most characters.
        max: usize,
    },
    /// The same request was refused or stopped not long ago.
    RequestClosed {
        /// Until when.
        until: Timestamp,
    },
    /// Another case for the same customer and action is not finished.
    OtherCaseOpen {
        /// Which.
        case: CaseId,
    },

    /// The customer's link was not used yet.
    LinkNotUsed,
    /// The customer's link was used before.
    LinkAlreadyUsed,
    /// Made for another digest: another case, or other parameters.
    OtherDigest,
    /// No path of this action asks for this proof.
    ProofNotAsked {
        /// Its label, or a number for one the procedure does not have.
        proof: String,
    },
    /// The gate has no way to check this proof.
    ProofNotCheckable {
        /// Its label.
        proof: String,
    },
    /// Too many wrong answers.
    ProofLocked {
        /// Its label.
        proof: String,
        /// Until when.
        until: Timestamp,
    },
    /// It counts once, and it counts already.
    AlreadyProved {
        /// Its label.
        proof: String,
    },
    /// The customer does not have what it shows.
    NotHeld {
        /// Label of the holding.
        holding: String,
    },
    /// The action gives the customer their first one, and they have one.
    AlreadyHeld {
        /// Label of the holding.
        holding: String,
    },
    /// What it shows changed at this very moment, or will have changed in the future.
    HoldingJustChanged {
        /// Label of the holding.
        holding: String,
    },
    /// It counts only with a passkey's signature over the digest.
    AssertionMissing,
    /// The customer's part of no path is complete.
    CustomerPartMissing {
        /// What is missing.
        missing: Vec<Missing>,
    },
    /// The customer confirmed before.
    AlreadyConfirmed,

    /// A program neither signs nor vouches nor refuses.
    NotForPrograms,
    /// Only the opener gives their word: no path asks for this beside the word of another role.
    OnlyOpenerVouches,
    /// The procedure asks for no such word.
    NothingToVouch {
        /// The words given.
        text: String,
    },
    /// This word counts only from somebody of another role.
    RoleMayNotVouch {
        /// Labels of the roles that may.
        needed: Vec<String>,
    },
    /// They gave their word before.
    AlreadyVouched,
    /// The opener gives their word before any colleague does.
    OpenerVouchesFirst,
    /// They stand for another role of the path already; this word is another person's.
    OtherPersonVouches,
    /// Who signed a case does not also give their word for it.
    SignerVouches,

    /// Nobody signs, or refuses, their own case.
    OwnCase,
    /// Who gave their word for a case does not also sign it.
    OwnWord,
    /// No path of this action asks for a signature.
    NoSignOffAsked,
    /// A signature counts only from somebody of another role.
    RoleMayNotSign {
        /// Labels of the roles that may.
        needed: Vec<String>,
    },
    /// This person signed before, perhaps from another account.
    AlreadySigned,
    /// More people signed than any path could need.
    TooManySigners,
    /// The customer did not confirm yet, so there is nothing to judge.
    NotConfirmed,

    /// Only who opened it, or the customer, takes it back.
    OnlyOpenerWithdraws,
    /// No notice went to this contact.
    NoNoticeDue {
        /// Which.
        contact: ContactId,
    },
    /// What became of this notice is known.
    AlreadyNotified {
        /// Which.
        contact: ContactId,
    },

    /// Something is still missing.
    NotReady {
        /// What.
        missing: Vec<Missing>,
    },
    /// Somebody has to say run.
    NotByItself,
    /// A case that the customer opened is run by the customer, or by itself.
    CustomerRuns,

    /// There is no grant to hand over.
    NothingGranted,
    /// Nothing is running.
    NothingRunning,
    /// The outcome is unknown, and still is.
    StillUnknown,

    /// It is granted; only a stop can come before it runs.
    AlreadyGranted,
    /// It is running.
    AlreadyRunning,
    /// It is done.
    AlreadyDone,
    /// It failed, and a grant is never used twice.
    AlreadyFailed,
    /// It may have happened, and is not tried again before that is known.
    OutcomeUnknown,
    /// A colleague refused it.
    AlreadyRefused,
    /// It was stopped.
    AlreadyStopped,
    /// It was taken back.
    AlreadyWithdrawn,
    /// It ran out.
    AlreadyExpired {
        /// When.
        at: Timestamp,
    },
}

impl Refusal {
    /// The stable word for it.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoCase => "no-case",
            Self::AlreadyOpened => "already-opened",
            Self::OtherProcedure => "other-procedure",
            Self::UnknownAction { .. } => "unknown-action",
            Self::OutsideAction { .. } => "outside-action",
            Self::NothingRunsIt { .. } => "nothing-runs-it",
            Self::CustomerMayNotOpen { .. } => "customer-may-not-open",
            Self::RoleMayNotOpen { .. } => "role-may-not-open",
            Self::Concerned => "concerned",
            Self::NotForTheGate => "not-for-the-gate",
            Self::ParameterMissing { .. } => "parameter-missing",
            Self::ParameterUnknown { .. } => "parameter-unknown",
            Self::ParameterTooLong { .. } => "parameter-too-long",
            Self::ParameterUnreadable { .. } => "parameter-unreadable",
            Self::ReasonTooShort { .. } => "reason-too-short",
            Self::ReasonTooLong { .. } => "reason-too-long",
            Self::ReasonUnreadable => "reason-unreadable",
            Self::ReferenceUnreadable { .. } => "reference-unreadable",
            Self::RequestClosed { .. } => "request-closed",
            Self::OtherCaseOpen { .. } => "other-case-open",
            Self::LinkNotUsed => "link-not-used",
            Self::LinkAlreadyUsed => "link-already-used",
            Self::OtherDigest => "other-digest",
            Self::ProofNotAsked { .. } => "proof-not-asked",
            Self::ProofNotCheckable { .. } => "proof-not-checkable",
            Self::ProofLocked { .. } => "proof-locked",
            Self::AlreadyProved { .. } => "already-proved",
            Self::NotHeld { .. } => "not-held",
            Self::AlreadyHeld { .. } => "already-held",
            Self::HoldingJustChanged { .. } => "holding-just-changed",
            Self::AssertionMissing => "assertion-missing",
            Self::CustomerPartMissing { .. } => "customer-part-missing",
            Self::AlreadyConfirmed => "already-confirmed",
            Self::NotForPrograms => "not-for-programs",
            Self::OnlyOpenerVouches => "only-opener-vouches",
            Self::NothingToVouch { .. } => "nothing-to-vouch",
            Self::RoleMayNotVouch { .. } => "role-may-not-vouch",
            Self::AlreadyVouched => "already-vouched",
            Self::OpenerVouchesFirst => "opener-vouches-first",
            Self::OtherPersonVouches => "other-person-vouches",
            Self::SignerVouches => "signer-vouches",
            Self::OwnWord => "own-word",
            Self::OwnCase => "own-case",
            Self::NoSignOffAsked => "no-sign-off-asked",
            Self::RoleMayNotSign { .. } => "role-may-not-sign",
            Self::AlreadySigned => "already-signed",
            Self::TooManySigners => "too-many-signers",
            Self::NotConfirmed => "not-confirmed",
            Self::OnlyOpenerWithdraws => "only-opener-withdraws",
            Self::NoNoticeDue { .. } => "no-notice-due",
            Self::AlreadyNotified { .. } => "already-notified",
            Self::NotReady { .. } => "not-ready",
            Self::NotByItself => "not-by-itself",
            Self::CustomerRuns => "customer-runs",
            Self::NothingGranted => "nothing-granted",
            Self::NothingRunning => "nothing-running",
            Self::StillUnknown => "still-unknown",
            Self::AlreadyGranted => "already-granted",
            Self::AlreadyRunning => "already-running",
            Self::AlreadyDone => "already-done",
            Self::AlreadyFailed => "already-failed",
            Self::OutcomeUnknown => "outcome-unknown",
            Self::AlreadyRefused => "already-refused",
            Self::AlreadyStopped => "already-stopped",
            Self::AlreadyWithdrawn => "already-withdrawn",
            Self::AlreadyExpired { .. } => "already-expired",
        }
    }

    /// What to do next, or who can; `None` where there is nothing to do.
    pub fn help(&self) -> Option<String> {
        let help = match self {
            Self::NoCase => "check the case number",
            Self::AlreadyOpened => "start a new case",
            Self::OtherProcedure => "load the version of the procedure the case was opened under",
            Self::UnknownAction { .. } | Self::OutsideAction { .. } => {
                "choose one of the actions the procedure offers"
            }
            Self::NothingRunsIt { .. } => {
                "the procedure must name a connector that `runs` the action"
            }
            Self::CustomerMayNotOpen { .. } => "the customer can ask support to open a case",
            Self::RoleMayNotOpen { needed } | Self::RoleMayNotSign { needed } => {
                return Some(format!("ask a colleague: {}", any_of(needed)));
            }
            Self::Concerned => "ask a colleague who has nothing to do with this customer",
            Self::NotForTheGate => "a person or a program with a staff role has to do this",
            Self::ParameterMissing { .. } => "fill it in",
            Self::ParameterUnknown { .. } => "leave it out",
            Self::ParameterTooLong { .. }
            | Self::ReasonTooLong { .. }
            | Self::ReferenceUnreadable { .. } => "shorten it",
            Self::ParameterUnreadable { .. } | Self::ReasonUnreadable => {
                "type it instead of pasting it"
            }
            Self::ReasonTooShort { .. } => {
                "say in a few words why, so that colleagues and the customer understand it later"
            }
            Self::RequestClosed { until } => return Some(format!("ask again after {until}")),
            Self::OtherCaseOpen { case } => {
                return Some(format!(
                    "go on with case `{}`, or withdraw it first",
                    case.0
                ));
            }
            Self::LinkNotUsed => "the customer opens the link they were sent",
            Self::LinkAlreadyUsed => "if it was not the customer who used it, stop the case",
            Self::OtherDigest => "read the sentence again and start from the case itself",
            Self::ProofNotAsked { .. } | Self::ProofNotCheckable { .. } | Self::NotHeld { .. } => {
                "the customer uses another of the proofs the case asks for"
            }
            Self::ProofLocked { until, .. } => {
                return Some(format!(
                    "the customer uses another proof, or tries again after {until}"
                ));
            }
            Self::AlreadyProved { .. }
            | Self::AlreadyConfirmed
            | Self::AlreadyVouched
            | Self::AlreadySigned => "nothing more to do here; see what is still missing",
            Self::AlreadyHeld { .. } => "choose the action that changes it",
            Self::HoldingJustChanged { .. } => "try again in a moment",
            Self::AssertionMissing => "use a passkey",
            Self::CustomerPartMissing { missing } | Self::NotReady { missing } => {
                return missing.first().map(|first| format!("next: {}", first.who));
            }
            Self::NotForPrograms => "a person has to do this",
            Self::OnlyOpenerVouches | Self::OpenerVouchesFirst => {
                "the person who opened the case gives their word"
            }
            Self::OtherPersonVouches => "ask a colleague of the role the line names",
            Self::SignerVouches | Self::OwnWord => {
                "ask another colleague: whoever vouches and whoever signs are different people"
            }
            Self::NothingToVouch { .. } => "use the words of a `confirms` line of this action",
            Self::RoleMayNotVouch { needed } => {
                return Some(format!(
                    "a case opened by a {} could go this way",
                    any_of(needed)
                ));
            }
            Self::OwnCase => "ask a colleague; to take your own case back, withdraw it",
            Self::NoSignOffAsked => "see what is missing: it is not a signature",
            Self::TooManySigners => "no more signatures are needed",
            Self::NotConfirmed => "the customer proves and confirms first",
            Self::OnlyOpenerWithdraws => "a colleague may refuse it instead, with a reason",
            Self::NotByItself => "the opener or the customer says run",
            Self::CustomerRuns => "the customer says run on their page",
            Self::StillUnknown | Self::OutcomeUnknown => "ask the backend what happened",
            Self::AlreadyGranted => "stop it, or wait for the outcome",
            Self::AlreadyRunning => "wait for the outcome",
            Self::AlreadyFailed | Self::AlreadyWithdrawn | Self::AlreadyExpired { .. } => {
                "start a new case with the same details"
            }
            Self::AlreadyRefused | Self::AlreadyStopped => {
                "the same request stays closed for a while; see the case"
            }
            Self::NoNoticeDue { .. }
            | Self::AlreadyNotified { .. }
            | Self::NothingGranted
            | Self::NothingRunning
            | Self::AlreadyDone => return None,
        };
        Some(help.to_owned())
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoCase => f.write_str("there is no such case"),
            Self::AlreadyOpened => f.write_str("the case is already open"),
            Self::OtherProcedure => {
                f.write_str("the case was opened under another version of the procedure")
            }
            Self::UnknownAction { action } => write!(f, "the procedure has no action `{action}`"),
            Self::OutsideAction { action } => write!(f, "`{action}` happens outside the gate"),
            Self::NothingRunsIt { action } => write!(f, "no connector runs `{action}`"),
            Self::CustomerMayNotOpen { action } => {
                write!(f, "a customer may not open a case for `{action}`")
            }
            Self::RoleMayNotOpen { needed } | Self::RoleMayNotSign { needed } => {
                write!(f, "this takes a {}", any_of(needed))
            }
            Self::Concerned => {
                f.write_str("the case concerns your own account, or somebody you are tied to")
            }
            Self::NotForTheGate => f.write_str("the gate never does this by itself"),
            Self::ParameterMissing { label, .. } => write!(f, "`{label}` is missing"),
            Self::ParameterUnknown { parameter } => {
                write!(f, "the action has no parameter `{parameter}`")
            }
            Self::ParameterTooLong { label, max, .. } => {
                write!(f, "`{label}` is longer than {max} characters")
            }
            Self::ParameterUnreadable { label, .. } => {
                write!(
                    f,
                    "`{label}` has a character that cannot be seen or that changes how the rest reads"
                )
            }
            Self::ReasonTooShort { min } => {
                write!(f, "a reason of at least {min} characters is needed")
            }
            Self::ReasonTooLong { max } => write!(f, "the reason is longer than {max} characters"),
            Self::ReasonUnreadable => f.write_str("the reason has a character that cannot be seen"),
            Self::ReferenceUnreadable { max } => {
                write!(
                    f,
                    "the reference is longer than {max} characters or has one that cannot be seen"
                )
            }
            Self::RequestClosed { until } => write!(
                f,
                "the same request was refused or stopped and stays closed until {until}"
            ),
            Self::OtherCaseOpen { case } => write!(
                f,
                "case `{}` for the same customer and action is not finished",
                case.0
            ),
            Self::LinkNotUsed => f.write_str("the customer has not opened their link yet"),
            Self::LinkAlreadyUsed => f.write_str("the link was used before"),
            Self::OtherDigest => f.write_str("this was made for another case or other details"),
            Self::ProofNotAsked { proof } => write!(f, "the case does not ask for `{proof}`"),
            Self::ProofNotCheckable { proof } => write!(f, "`{proof}` cannot be checked here"),
            Self::ProofLocked { proof, until } => {
                write!(f, "`{proof}` is locked after wrong answers until {until}")
            }
            Self::AlreadyProved { proof } => write!(f, "`{proof}` is proved already"),
            Self::NotHeld { holding } => write!(f, "the customer has no `{holding}`"),
            Self::AlreadyHeld { holding } => write!(f, "the customer has a `{holding}` already"),
            Self::HoldingJustChanged { holding } => write!(f, "`{holding}` has only just changed"),
            Self::AssertionMissing => f.write_str("this counts only with a passkey's signature"),
            Self::CustomerPartMissing { missing } | Self::NotReady { missing } => {
                f.write_str("still missing: ")?;
                list(f, missing)
            }
            Self::AlreadyConfirmed => f.write_str("the customer confirmed already"),
            Self::NotForPrograms => f.write_str("a program may not do this"),
            Self::OnlyOpenerVouches => {
                f.write_str("only the person who opened the case gives their word")
            }
            Self::NothingToVouch { text } => {
                write!(f, "the procedure does not ask anybody to confirm `{text}`")
            }
            Self::RoleMayNotVouch { needed } => {
                write!(f, "this counts only from a {}", any_of(needed))
            }
            Self::AlreadyVouched => f.write_str("your word is given already"),
            Self::OpenerVouchesFirst => {
                f.write_str("the person who opened the case has not given their word yet")
            }
            Self::OtherPersonVouches => {
                f.write_str("your word stands for another line; this one takes another person")
            }
            Self::SignerVouches => f.write_str("you signed the case already"),
            Self::OwnWord => f.write_str("nobody signs what they gave their word for"),
            Self::OwnCase => f.write_str("nobody decides about a case they opened"),
            Self::NoSignOffAsked => f.write_str("the case asks for no signature"),
            Self::AlreadySigned => f.write_str("you signed already"),
            Self::TooManySigners => f.write_str("more people signed than could count"),
            Self::NotConfirmed => f.write_str("the customer has not confirmed yet"),
            Self::OnlyOpenerWithdraws => {
                f.write_str("only who opened the case, or the customer, takes it back")
            }
            Self::NoNoticeDue { .. } => {
                f.write_str("no notice about this case went to that contact")
            }
            Self::AlreadyNotified { .. } => f.write_str("what became of that notice is known"),
            Self::NotByItself => f.write_str("somebody has to say run"),
            Self::CustomerRuns => f.write_str("the customer opened this case and runs it"),
            Self::NothingGranted => f.write_str("there is no grant to hand over"),
            Self::NothingRunning => f.write_str("nothing is running"),
            Self::StillUnknown => f.write_str("the outcome is still unknown"),
            Self::AlreadyGranted => f.write_str("it is granted and about to run"),
            Self::AlreadyRunning => f.write_str("it is running"),
            Self::AlreadyDone => f.write_str("it is done"),
            Self::AlreadyFailed => f.write_str("it failed; nothing changed"),
            Self::OutcomeUnknown => f.write_str("it may or may not have happened"),
            Self::AlreadyRefused => f.write_str("a colleague refused it"),
            Self::AlreadyStopped => f.write_str("it was stopped"),
            Self::AlreadyWithdrawn => f.write_str("it was taken back"),
            Self::AlreadyExpired { at } => write!(f, "it ran out at {at}"),
        }
    }
}

impl std::error::Error for Refusal {}

/// Why a case may not run now, in a form that costs nothing to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotYet {
    /// No case was opened.
    NoCase,
    /// The case was opened under another version of the procedure.
    OtherProcedure,
    /// Something is missing; [`crate::checklist`] says what.
    Incomplete,
    /// The case is granted, or over.
    Over(State),
    /// The case ran out.
    Expired,
    /// The same request was refused or stopped elsewhere.
    Closed {
        /// Until when.
        until: Timestamp,
    },
    /// Another case for the same customer and action is not finished.
    OtherCaseOpen,
}

fn any_of(labels: &[String]) -> String {
    if labels.is_empty() {
        "role that nobody has".to_owned()
    } else {
        labels.join(" or ")
    }
}

fn list(f: &mut fmt::Formatter<'_>, missing: &[Missing]) -> fmt::Result {
    missing.iter().enumerate().try_for_each(|(index, one)| {
        let comma = if index == 0 { "" } else { ", " };
        write!(f, "{comma}{}", one.words)
    })
}
