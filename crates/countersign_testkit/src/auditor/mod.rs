//! placeholder
mod books;
pub use books::*;

/// Something that must never be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub invariant: u8,
    pub what: String,
}
impl Finding {
    pub fn outside(invariant: u8, what: String) -> Self { Self { invariant, what } }
}
pub fn audit(_books: &Books) -> Vec<Finding> { Vec::new() }
impl std::fmt::Display for Finding { fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { write!(f, "invariant {}: {}", self.invariant, self.what) } }
