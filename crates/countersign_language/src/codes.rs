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
    /// Who finds it, and when.
    pub finder: Finder,
    /// The whole page `docs/diagnostics/<code>.md`.
    pub page: &'static str,
}

/// Who finds something, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finder {
    /// Reading the file, always.
    Reading,
    /// The prover, when a procedure is checked.
    Advice,
    /// The prover, when this named rule set is asked for; a finding then counts like a broken promise.
    Rules(&'static str),
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
    ($(by $finder:expr => { $($name:ident $severity:ident $code:literal $title:literal)* })*) => {
        $($(#[doc = concat!("`", $code, "`: ", $title, ".")]
        pub const $name: Code = Code {
            code: $code,
            severity: Severity::$severity,
            title: $title,
            finder: $finder,
            page: include_str!(concat!("../../../docs/diagnostics/", $code, ".md")),
        };)*)*
        static ALL: &[Code] = &[$($($name),*),*];
    };
}

table! {
by Finder::Reading => {
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
    GATE_CANNOT_RUN Error "gate-cannot-run" "an action the gate cannot carry out by itself"
    UNPLAYABLE_DRILL Error "unplayable-drill" "a drill that nobody could answer or plant"
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
    CHANGE_IN_SILENCE Warning "change-in-silence" "a contact changed without a word to the old one"
    HASTY_CHANGE Warning "hasty-change" "a contact changed in less than a day"
    PUBLIC_PROOF Warning "public-proof" "a public fact used as proof"
    READABLE_PROOF Warning "readable-proof" "a proof the staff can read"
    CALL_BACK_ONLY Warning "call-back-only" "a contact on file as the only proof"
    CLOSED_PATH Warning "closed-path" "a path that nobody can complete"
    CONDITION_GAP Warning "condition-gap" "values between two conditions for which no path is open"
    NOBODY_ON_DUTY Warning "nobody-on-duty" "an action none of whose paths the staff there is can complete"
    UNREACHABLE_ACTION Warning "unreachable-action" "an action no honest customer can reach"
    UNUSABLE_PROOF Warning "unusable-proof" "a proof nobody can make at the gate"
    ODD_METHOD Warning "odd-method" "a method that does not show this kind of holding"
    NOTHING_RUNS Warning "nothing-runs" "an action that no connector carries out"
    OUTSIDE_CLAUSE Warning "outside-clause" "something said about an outside action that has no effect"
    MIXED_AND_OR Warning "mixed-and-or" "`and` beside `or` without parentheses"
    TOO_MANY_FINDINGS Warning "too-many-findings" "more findings than are shown"
}
by Finder::Advice => {
    // Advice that needs the prover.
    RESET_BY_ITSELF Warning "reset-by-itself" "a factor that is reset by what it guards"
    RECOVERY_WEAKER Warning "recovery-weaker" "a recovery weaker than the login it replaces"
    ONE_PERSON_ENOUGH Warning "one-person-enough" "one person is enough for a loss"
    PROOF_LEADS_TO_PROOF Warning "proof-leads-to-proof" "two proofs of which one leads to the other"
}
by Finder::Rules("nist-aal2") => {
    NIST_RECOVERY_EVIDENCE Error "nist-recovery-evidence" "recovery on one code alone (NIST SP 800-63B-4 §4.2.2.2)"
    NIST_RECOVERY_UNTOLD Error "nist-recovery-untold" "recovery that not every contact is told about (NIST SP 800-63B-4 §4.2.3)"
    NIST_MAIL_LOGIN Error "nist-mail-login" "a login by e-mail (NIST SP 800-63B-4 §3.1.3.1)"
}
by Finder::Rules("asvs-l2") => {
    ASVS_ONE_FACTOR Error "asvs-one-factor" "a login with one factor (ASVS 5.0 6.3.3)"
    ASVS_UNEVEN_LOGIN Error "asvs-uneven-login" "ways to log in of unequal strength (ASVS 5.0 6.3.4)"
    ASVS_RESET_BYPASS Error "asvs-reset-bypass" "a password reset that goes round the second factor (ASVS 5.0 6.4.3)"
    ASVS_LOST_FACTOR Error "asvs-lost-factor" "a lost factor replaced without looking at papers (ASVS 5.0 6.4.4)"
    ASVS_TEXT_ONLY Error "asvs-text-only" "nothing stronger than a text message (ASVS 5.0 6.6.1)"
}
by Finder::Rules("pci") => {
    PCI_UNVERIFIED_CHANGE Error "pci-unverified-change" "a factor changed for somebody not verified (PCI DSS 4.0.1 8.3.3)"
}
by Finder::Rules("fcc-sim") => {
    FCC_SIM_WEAK_PROOF Error "fcc-sim-weak-proof" "a number moved on facts that others know (47 CFR 64.2010(h), 52.37)"
    FCC_SIM_UNTOLD Error "fcc-sim-untold" "a number moved without telling its owner (47 CFR 64.2010(h), 52.37)"
    FCC_SIM_NO_LOCK Error "fcc-sim-no-lock" "a number that its owner cannot lock (47 CFR 64.2010(h), 52.37)"
}
}
