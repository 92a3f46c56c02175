//! What is said of a statement.

use serde::Serialize;

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Words in the text.
    pub words: usize,
    /// Whether the text was longer than is read.
    pub cut: bool,
    /// The eight things an effective statement does, in this order.
    pub does: Vec<Quality>,
    /// Every place where it does what an effective one does not, in the order of the text; at most [`crate::FAULTS_MAX`].
    pub faults: Vec<Fault>,
}

/// One of the eight.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Quality {
    /// `sorry`, `wrong`, `responsibility`, `happened`, `hurt`, `put-right`, `changes` or `promise`.
    pub name: String,
    /// In words.
    pub does: String,
    /// Whether it does.
    pub met: Met,
    /// The words that show it, if any.
    pub quote: Option<String>,
    /// Byte range of those words in the text.
    pub at: Option<(usize, usize)>,
    /// Why it matters that it is missing, or only there in part; empty if it is met.
    pub why: String,
    /// What a better sentence would do; empty if it is met.
    pub better: String,
}

/// How far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Met {
    /// Not at all.
    No,
    /// In part.
    Partly,
    /// Yes.
    Yes,
}

/// One of the four, in one place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// `justifies`, `blames`, `excuses` or `belittles`.
    pub name: String,
    /// Which sign of it: `isolated`.
    pub sign: String,
    /// In words.
    pub does: String,
    /// The words.
    pub quote: String,
    /// Byte range in the text.
    pub at: (usize, usize),
    /// Why it does harm, in one sentence.
    pub why: String,
    /// What a better sentence would do.
    pub better: String,
}

impl Report {
    /// Whether all eight are met and nothing else was found.
    pub fn is_well(&self) -> bool {
        self.faults.is_empty() && self.does.iter().all(|quality| quality.met == Met::Yes)
    }
}
