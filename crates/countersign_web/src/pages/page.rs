//! What every page has: a name, its states, and the gallery made of them.

use askama::Template;

/// A page: a view struct with a template.
pub trait Page: Template + Sized {
    /// In file names and tests: `case`.
    const NAME: &'static str;

    /// The page in each of its states, by the name of the state.
    fn samples() -> Vec<(&'static str, Self)>;
}

/// Fragments one after the other. A fragment that cannot be rendered is left out: the page it
/// belongs to is right after the next reload.
pub(super) fn together<const N: usize>(fragments: [askama::Result<String>; N]) -> String {
    fragments.into_iter().flatten().collect()
}
