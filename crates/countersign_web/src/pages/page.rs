//! What every page has: a name, its states, and the gallery made of them.

use askama::Template;
use countersign_service::Language;

/// A page: a view struct with a template.
pub trait Page: Template + Sized {
    /// In file names and tests: `case`.
    const NAME: &'static str;

    /// The page in each of its states, by the name of the state.
    fn samples() -> Vec<(&'static str, Self)>;
}

/// A page for customers: it speaks their language.
pub trait Spoken: Page {
    /// [`Page::samples`] in this language; those are the English ones.
    fn samples_in(language: Language) -> Vec<(&'static str, Self)>;
}

/// Fragments one after the other. A fragment that cannot be rendered is left out: the page it
/// belongs to is right after the next reload.
pub(super) fn together<const N: usize>(fragments: [askama::Result<String>; N]) -> String {
    fragments.into_iter().flatten().collect()
}

/// Percent-encodes everything but unreserved characters (RFC 3986, 2.3), for one part of an address.
pub fn encode(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            byte => format!("%{byte:02X}"),
        })
        .collect()
}

/// The first letter as a capital, for labels that begin a line.
pub(super) fn capital(text: &str) -> String {
    let mut rest = text.chars();
    rest.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(rest).collect()
    })
}
