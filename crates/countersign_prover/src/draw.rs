//! Pictures of procedures, attacks and lockouts, and the same in words.
//!
//! A procedure is series and parallel, so a picture needs no graph layout:
//! stages stand one below the other, alternatives side by side in a box. One
//! [`Picture`] is made from the checked procedure and what the prover says of
//! it; [`Picture::svg`] draws it and [`Picture::list`] says it as an ordered
//! list, so that the two cannot disagree. The design is that of `docs/ux.md`,
//! section 6.18. The same picture gives the same bytes every time.

mod attack;
mod layout;
mod measure;
mod model;
mod overlay;
mod plan;
mod svg;

pub use attack::attack;
pub use model::{Item, Picture};
pub use overlay::{locked_out, reached};
pub use plan::{action, path, procedure};
pub use svg::STYLE;

/// How much room a picture may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Room {
    /// At most 640 pixels wide: alternatives stand side by side.
    Page,
    /// One column, for phones and for a place beside words: alternatives stand one below the other.
    Column,
}

impl Picture {
    /// A file of its own: its heading, its colours for light and dark, and the words as description.
    pub fn svg(&self, room: Room) -> String {
        svg::standalone(self, room)
    }

    /// For a page that has the design's colours as variables and [`STYLE`] in its style sheet.
    /// Without a heading and without any style of its own, so that a strict content security policy holds.
    pub fn inline(&self, room: Room) -> String {
        svg::inline(self, room)
    }
}
