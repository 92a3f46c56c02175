//! Every code of diagnostic, once: its severity, its title and its page.

use crate::diagnostic::Severity;

/// One kind of finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code {
    /// The stable word, such as `unknown-name`.
    pub code: &'static str,
    /// Whether a procedure with this finding can be used all the same.
    pub severity: Severity,
    /// One line, lower case: what is wrong in general.
    pub title: &'static str,
    /// The whole page `docs/diagnostics/<code>.md`.
    pub page: &'static str,
}

/// All codes, each exactly once: errors first, then warnings, in the order of the documentation.
pub fn codes() -> &'static [Code] {
    ALL
}

/// The page of a code as Markdown; `None` for a word that is no code.
pub fn explain_code(code: &str) -> Option<&'static str> {
    ALL.iter()
        .find(|entry| entry.code == code)
        .map(|entry| entry.page)
}

macro_rules! table {
    ($($name:ident $severity:ident $code:literal $title:literal)*) => {
        $(pub(crate) const $name: Code = Code {
            code: $code,
            severity: Severity::$severity,
            title: $title,
            page: include_str!(concat!("../../../docs/diagnostics/", $code, ".md")),
        };)*
        static ALL: &[Code] = &[$($name),*];
    };
}

table! {
    // Characters and words.
    NOT_UTF8 Error "not-utf8" "the file is not UTF-8 text"
    UNKNOWN_CHARACTER Error "unknown-character" "a character that means nothing here"
    INVISIBLE_CHARACTER Error "invisible-character" "a character that nobody can see"
    UNTERMINATED_TEXT Error "unterminated-text" "quoted words without a closing quote"
    BAD_ESCAPE Error "bad-escape" "a backslash before something other than a quote or a backslash"
    BAD_NAME Error "bad-name" "a name with characters that names cannot have"
    RESERVED_WORD Error "reserved-word" "a name that would be read as a keyword"
    BAD_NUMBER Error "bad-number" "a number that cannot be read or is out of range"
    BAD_DURATION Error "bad-duration" "a length of time that is not written like `24h`"
    UNKNOWN_UNIT Error "unknown-unit" "a unit of time other than `m`, `h` and `d`"
    BAD_COUNT Error "bad-count" "a count that cannot be met"
    // Grammar.
    UNEXPECTED_WORD Error "unexpected-word" "something other than what must stand here"
    UNKNOWN_KEYWORD Error "unknown-keyword" "a line that starts with an unknown word"
    UNCLOSED_BRACE Error "unclosed-brace" "a `{` without its `}`"
    NESTED_TOO_DEEP Error "nested-too-deep" "parentheses within parentheses beyond what anybody can read"
    TOO_LARGE Error "too-large" "a procedure beyond the size that can be checked"
    // What the language refuses on purpose.
    NO_TIME_OUT_APPROVAL Error "no-time-out-approval" "silence is never a yes"
    NO_SECURITY_QUESTION Error "no-security-question" "what others can look up proves nothing"
    NO_MAILED_SECRET Error "no-mailed-secret" "a secret is never shown or mailed as a step"
    NO_OVERRIDE Error "no-override" "there is no way round a path"
    NO_SELF_APPROVAL Error "no-self-approval" "nobody signs what they asked for"
    // Names and what they mean.
    DUPLICATE_NAME Error "duplicate-name" "two things with one name"
    UNKNOWN_NAME Error "unknown-name" "a name that is not declared"
    WRONG_KIND Error "wrong-kind" "a name of another kind of thing"
    UNKNOWN_METHOD Error "unknown-method" "a way to make a proof that does not exist"
    INCLUDES_ITSELF Error "includes-itself" "a role that includes itself"
    TOO_MANY_ROLES Error "too-many-roles" "more than 64 staff roles"
    // Parts of declarations.
    MISSING_ORGANISATION Error "missing-organisation" "nobody says whose procedure it is"
    REPEATED_CLAUSE Error "repeated-clause" "something said twice that can be said once"
    EMPTY_TEXT Error "empty-text" "words for people that are empty"
    MISSING_PATH Error "missing-path" "an action that nobody can earn"
    EMPTY_PATH Error "empty-path" "a path that asks for nothing"
    MISSING_SENTENCE Error "missing-sentence" "parameters without a sentence that says them"
    UNSAID_PARAMETER Error "unsaid-parameter" "a parameter that nobody would see"
    UNKNOWN_PARAMETER Error "unknown-parameter" "a sentence or condition about a parameter that is not there"
    BAD_PLACEHOLDER Error "bad-placeholder" "braces in a sentence that hold no parameter"
    BAD_COMPARISON Error "bad-comparison" "words compared as if they were numbers"
    WRONG_VERB Error "wrong-verb" "a holding lost in a way its kind is not lost"
    NOBODY_TO_NOTIFY Error "nobody-to-notify" "`notify every channel` in a procedure without channels"
    // The JSON twin.
    BAD_JSON Error "bad-json" "not JSON"
    UNKNOWN_FIELD Error "unknown-field" "a field that the JSON twin does not have"
    MISSING_FIELD Error "missing-field" "a field that must be there"
    WRONG_TYPE Error "wrong-type" "a JSON value of another type"
    // Warnings that teach.
    FALLS_TOGETHER Warning "falls-together" "two proofs that one theft defeats"
    UNNOTICED_WAIT Warning "unnoticed-wait" "a wait that nobody is told about"
    CHANGE_WITHOUT_WAIT Warning "change-without-wait" "a change that takes effect before anybody can stop it"
    TOO_FEW_PEOPLE Warning "too-few-people" "a sign-off by more people than there are"
    UNREACHABLE_ACTION Warning "unreachable-action" "an action no honest customer can reach"
    UNUSABLE_PROOF Warning "unusable-proof" "a proof nobody can make at the gate"
    ODD_METHOD Warning "odd-method" "a method that does not show this kind of holding"
    NOTHING_RUNS Warning "nothing-runs" "an action that no connector carries out"
    OUTSIDE_CLAUSE Warning "outside-clause" "something said about an outside action that has no effect"
    MIXED_AND_OR Warning "mixed-and-or" "`and` beside `or` without parentheses"
    TOO_MANY_FINDINGS Warning "too-many-findings" "more findings than are shown"
}
