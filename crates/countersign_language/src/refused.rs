//! What the language cannot say on purpose: likely attempts, recognised and answered.

use crate::codes::{self, Code};
use crate::findings::Findings;
use crate::model::Span;

/// Reports the word if it begins something that is refused on purpose, judging by the two words after it.
pub(crate) fn refuse(
    word: &str,
    next: &str,
    after: &str,
    place: Span,
    findings: &mut Findings,
) -> bool {
    let Some((code, message, help)) = refusal(word, next, after) else {
        return false;
    };
    if let Some(finding) = findings.add(code, place, || message.to_owned()) {
        finding.help(help);
    }
    true
}

/// The same for the name of a role that signs: the one who asked.
pub(crate) fn is_requester(role: &str) -> bool {
    matches!(
        role,
        "requester"
            | "requestor"
            | "opener"
            | "self"
            | "myself"
            | "customer"
            | "asker"
            | "same"
            | "anyone"
    )
}

/// The same for a method of proof.
pub(crate) fn is_question(method: &str) -> bool {
    matches!(
        method,
        "question"
            | "questions"
            | "answer"
            | "quiz"
            | "kba"
            | "maiden_name"
            | "birthday"
            | "knowledge"
    )
}

/// What to do instead of a security question.
pub(crate) const INSTEAD_OF_A_QUESTION: &str = "declare a `secret` the customer enters on their own page, such as a PIN, or a `proof` that shows a channel or device";

/// What to do instead of approving one's own request.
pub(crate) const INSTEAD_OF_SELF_APPROVAL: &str =
    "name a staff role: `sign-off 1 senior`; the opener never counts";

fn refusal(word: &str, next: &str, after: &str) -> Option<(Code, &'static str, &'static str)> {
    let timed = |word: &str| {
        matches!(
            word,
            "timeout" | "time-out" | "time_out" | "after" | "silence" | "expiry"
        )
    };
    let approving = |word: &str| {
        matches!(
            word,
            "approve" | "approves" | "approved" | "allow" | "allows" | "grant"
        )
    };
    match word.to_ascii_lowercase().as_str() {
        "timeout" | "time-out" | "time_out" | "auto-approve" | "auto_approve" | "automatically"
        | "otherwise" | "default" => Some(TIME_OUT),
        "on" | "after" | "if"
            if timed(next) || approving(next) || approving(after) || word == "after" =>
        {
            Some(TIME_OUT)
        }
        "approve" | "approves" | "approved" | "approval"
            if timed(next) || timed(after) || next == "on" || next == "if" =>
        {
            Some(TIME_OUT)
        }
        "approve" | "approves" | "approved" | "approval"
            if next == "by" && is_requester(after) || is_requester(next) =>
        {
            Some(SELF)
        }
        "self-approve" | "self_approve" | "self-approval" | "self-sign-off" => Some(SELF),
        "question" | "questions" | "security-question" | "security_question" | "answer"
        | "answers" | "ask" | "asks" | "quiz" | "kba" => Some(QUESTION),
        "mail" | "mails" | "email" | "emails" | "e-mail" | "tell" | "tells" | "show" | "reveal"
        | "reveals" | "disclose" => Some(MAILED),
        "override" | "overrides" | "bypass" | "bypasses" | "skip" | "skips" | "unless"
        | "force" | "except" | "emergency" | "break-glass" | "break_glass" | "breakglass"
        | "waive" | "admin" => Some(OVERRIDE),
        _ => None,
    }
}

type Refusal = (Code, &'static str, &'static str);
const TIME_OUT: Refusal = (
    codes::NO_TIME_OUT_APPROVAL,
    "nothing is approved because nobody answered",
    "say who must act; `wait 24h` after `notify every channel` gives people time to stop it, and comes on top of proofs",
);
const SELF: Refusal = (
    codes::NO_SELF_APPROVAL,
    "nobody approves what they asked for",
    INSTEAD_OF_SELF_APPROVAL,
);
const QUESTION: Refusal = (
    codes::NO_SECURITY_QUESTION,
    "there are no security questions: others can look up or guess the answer",
    INSTEAD_OF_A_QUESTION,
);
const MAILED: Refusal = (
    codes::NO_MAILED_SECRET,
    "a secret is never mailed or told as a step",
    "model a reset link as an action that `sends password to mailbox`, so that the promises count who reads the mailbox",
);
const OVERRIDE: Refusal = (
    codes::NO_OVERRIDE,
    "there is no way round a path",
    "write the emergency as one more path with its own sign-offs and notices, so that everybody sees it",
);
