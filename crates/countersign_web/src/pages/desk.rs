//! The desk: the list of cases to pick up.

use askama::Template;

use super::frame::{Banner, Section, StaffFrame};
use super::icon::Icon;
use super::page::{Page, together};
use super::parts::{CaseRow, CaseState, CaseTable, Live, Pill, When};
use super::samples::{agent, at, senior};

/// `GET /desk?show=mine|team|waiting|done`
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "desk.html", blocks = ["tabs", "news"])]
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

impl DeskTab {
    /// As in the address of the page.
    pub fn value(self) -> &'static str {
        match self {
            Self::Mine => "mine",
            Self::Team => "team",
            Self::Waiting => "waiting",
            Self::Done => "done",
        }
    }

    fn label(self) -> &'static str {
        match self {
            Self::Mine => "Mine",
            Self::Team => "Team",
            Self::Waiting => "Waiting for a senior",
            Self::Done => "Finished today",
        }
    }
}

impl DeskPage {
    fn tabs(&self) -> impl Iterator<Item = (DeskTab, u32)> {
        DeskTab::ALL.into_iter().zip(self.counts)
    }
}

/// The parts of the desk that change: the counts, the bar that offers new cases, and the rows the page
/// already shows. A row of a case that is not on the page is not inserted.
pub fn desk_fragments(page: &DeskPage) -> String {
    let rows: String = page.rows.iter().map(ToString::to_string).collect();
    // A bare row is not valid HTML; the script finds it by its id inside a table.
    let head = together([page.as_tabs().render(), page.as_news().render()]);
    format!("{head}<table><tbody>{rows}</tbody></table>")
}

impl Page for DeskPage {
    const NAME: &'static str = "desk";

    fn samples() -> Vec<(&'static str, Self)> {
        let page = |tab, rows| Self {
            frame: agent(Some(Section::Desk), "/desk?show=mine"),
            tab,
            counts: [6, 14, 2, 9],
            rows,
            new_since: 0,
            older: None,
            live: Some(Live {
                events: "/desk/events".into(),
                from: 311,
            }),
        };
        let empty = |tab| Self {
            counts: [0, 0, 0, 0],
            ..page(tab, Vec::new())
        };
        vec![
            ("mine", page(DeskTab::Mine, case_rows())),
            (
                "new-cases",
                Self {
                    new_since: 2,
                    older: Some("/desk?show=team&before=311".into()),
                    ..page(DeskTab::Team, case_rows())
                },
            ),
            ("team", page(DeskTab::Team, case_rows())),
            ("finished", page(DeskTab::Done, finished_rows())),
            (
                "senior",
                Self {
                    frame: senior(Some(Section::Desk), "/desk"),
                    ..page(DeskTab::Waiting, case_rows())
                },
            ),
            (
                "demo",
                Self {
                    frame: StaffFrame {
                        banner: Some(Banner::Demo("/".into())),
                        ..agent(Some(Section::Desk), "/desk")
                    },
                    ..page(DeskTab::Mine, case_rows())
                },
            ),
            (
                "incident",
                Self {
                    frame: StaffFrame {
                        banner: Some(Banner::Incident {
                            text: "Email codes are slow right now.".into(),
                            href: "/status".into(),
                        }),
                        ..agent(Some(Section::Desk), "/desk")
                    },
                    ..page(DeskTab::Mine, case_rows())
                },
            ),
            (
                "session-ends",
                Self {
                    frame: StaffFrame {
                        banner: Some(Banner::SessionEnds(at("18:00"))),
                        ..agent(Some(Section::Desk), "/desk")
                    },
                    ..page(DeskTab::Mine, case_rows())
                },
            ),
            ("empty-mine", empty(DeskTab::Mine)),
            ("empty-team", empty(DeskTab::Team)),
            ("empty-waiting", empty(DeskTab::Waiting)),
            ("empty-done", empty(DeskTab::Done)),
        ]
    }
}

fn row(
    id: &str,
    what: &str,
    customer: &str,
    state: CaseState,
    missing: &str,
    since: &str,
) -> CaseRow {
    CaseRow {
        id: id.into(),
        what: what.into(),
        customer: customer.into(),
        pill: Pill { state },
        missing: missing.into(),
        since: When {
            relative: None,
            ..at(since)
        },
        unseen: false,
    }
}

/// One row for each way to end.
fn finished_rows() -> Vec<CaseRow> {
    use CaseState::{Declined, Done, Expired, Failed, Refused, Stopped, Withdrawn};
    [
        ("CS-7F2Q4M", "Halden Freight AB", Stopped, "10:51"),
        ("CS-81B07H", "Tallberg Media", Done, "10:45"),
        ("CS-7F2NE8", "M•• L••", Withdrawn, "10:20"),
        ("CS-7F1K3V", "Brightside Dental", Declined, "09:58"),
        ("CS-7F0Z2A", "Vik & Söner", Refused, "09:31"),
        ("CS-7EZQ6C", "Orrskär Bygg", Expired, "09:02"),
        ("CS-7EYB1D", "Lund & Lund", Failed, "08:40"),
    ]
    .map(|(id, customer, state, since)| {
        row(id, "Change the email address", customer, state, "", since)
    })
    .into()
}

pub(super) fn case_rows() -> Vec<CaseRow> {
    vec![
        CaseRow {
            unseen: true,
            ..row(
                "CS-7F2Q4M",
                "Change the email address",
                "Halden Freight AB",
                CaseState::Stopped,
                "",
                "10:51",
            )
        },
        row(
            "CS-81BC3T",
            "Reinstall a server",
            "Tallberg Media",
            CaseState::Ready,
            "",
            "10:40",
        ),
        row(
            "CS-7F3K9Q",
            "Change the email address",
            "H•• F•• A••",
            CaseState::Customer,
            "4: passkey, confirmation, senior, wait",
            "10:31",
        ),
        row(
            "CS-7F38XN",
            "Send a password reset link",
            "M•• L••",
            CaseState::Senior,
            "1: senior",
            "10:12",
        ),
        row(
            "CS-7DZQ01",
            "Change the email address",
            "Orrskär Bygg",
            CaseState::Waits("24 Nov, 10:45".into()),
            "1: wait",
            "09:50",
        ),
        row(
            "CS-7DZ0YP",
            "Reinstall a server",
            "Vik & Söner",
            CaseState::Unknown,
            "",
            "09:31",
        ),
    ]
}
