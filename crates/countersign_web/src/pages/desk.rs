//! The desk: the list of cases to pick up.

use super::frame::StaffFrame;
use super::parts::{CaseRow, Live};

/// `GET /desk?show=mine|team|waiting|done`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeskPage {
    /// Frame.
    pub frame: StaffFrame,
    /// Which tab.
    pub tab: DeskTab,
    /// How many in each tab, in the order of [`DeskTab::ALL`].
    pub counts: [u32; 4],
    /// Ready first, then the oldest that waits.
    pub rows: Vec<CaseRow>,
    /// Cases opened since the page was rendered; never pushed into the table.
    pub new_since: u32,
    /// Older cases: the next page.
    pub older: Option<String>,
    /// Moves on by itself.
    pub live: Option<Live>,
}

/// Tabs of the desk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeskTab {
    /// Opened by me.
    Mine,
    /// Opened by anyone.
    Team,
    /// Waiting for a senior.
    Waiting,
    /// Finished today.
    Done,
}

impl DeskTab {
    /// In the order shown.
    pub const ALL: [Self; 4] = [Self::Mine, Self::Team, Self::Waiting, Self::Done];
}
