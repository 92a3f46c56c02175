//! What a picture shows, before anybody decides where.

use std::fmt::Write as _;

/// A picture: what is asked from top to bottom, and how far somebody gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// What it shows: `Reinstall a server`.
    pub title: String,
    /// One sentence more.
    pub about: String,
    pub(super) figures: Vec<Figure>,
}

/// One entry of the ordered list that says what the picture shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// In full: pictures shorten, this does not.
    pub words: String,
    /// How far somebody gets here: `the thief can do this`, `stops here`; none in a plain picture.
    pub standing: Option<&'static str>,
    /// What it consists of.
    pub items: Vec<Item>,
}

impl Picture {
    /// What the picture shows, as an ordered list.
    pub fn list(&self) -> Vec<Item> {
        match self.figures.as_slice() {
            [only] => items(&only.stages),
            figures => figures
                .iter()
                .map(|figure| Item {
                    words: figure.heading.clone(),
                    standing: None,
                    items: items(&figure.stages),
                })
                .collect(),
        }
    }

    /// The list as plain text, numbered, an entry a line, three spaces deeper for each level.
    pub fn text(&self) -> String {
        let mut text = String::new();
        numbered(&mut text, &self.list(), 0);
        text
    }
}

/// One of several pictures that stand one below the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Figure {
    pub(super) heading: String,
    pub(super) stages: Vec<Stage>,
}

/// One step from top to bottom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stage {
    Node(Node),
    Group(Group),
    /// A sentence, with no arrow to it.
    Words {
        words: String,
        tone: Mark,
    },
}

/// A box with something written in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) kind: Kind,
    pub(super) icon: Option<Icon>,
    /// In two lines, or in one with the note under it.
    pub(super) label: String,
    pub(super) note: String,
    /// In full.
    pub(super) words: String,
    pub(super) mark: Mark,
}

/// What a box is drawn as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Start,
    /// A proof, a notice, a backup: whatever has an icon, or none.
    Plain,
    Person,
    Condition,
    Wait,
    Effect,
    Loss,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Icon {
    Secret,
    Channel,
    Device,
    State,
    Notice,
    Backup,
    Wait,
    Condition,
}

/// Alternatives, or a frame round what belongs together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) kind: GroupKind,
    pub(super) label: String,
    /// In full.
    pub(super) words: String,
    pub(super) lanes: Vec<Lane>,
    /// How far somebody is who comes to it.
    pub(super) beginning: Mark,
    pub(super) mark: Mark,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum GroupKind {
    /// Some of these are enough, or all are there.
    Options,
    /// One lane for each path of an action.
    Paths,
    /// One lane: what one request goes through.
    Frame,
}

/// One of the alternatives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lane {
    /// Name of a path; empty for alternatives without one.
    pub(super) name: String,
    pub(super) stages: Vec<Stage>,
}

impl Lane {
    /// How far somebody is at its end.
    pub(super) fn end(&self) -> Mark {
        let last = self
            .stages
            .iter()
            .rfind(|stage| !matches!(stage, Stage::Words { .. }))
            .map_or(Mark::Plain, Stage::mark);
        let stopped = self.stages.iter().any(|stage| stage.mark() == Mark::Stops);
        match (stopped, last) {
            (true, _) => Mark::Faint,
            (false, last @ (Mark::Can | Mark::Way)) => last,
            (false, _) => Mark::Plain,
        }
    }
}

/// How far somebody gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// Nobody is looked at.
    Plain,
    /// They do not get here, or need not.
    Faint,
    /// The thief can do this.
    Can,
    /// The thief does this, as they do everything in the picture.
    Does,
    /// The thief cannot do this, and something else does not need it.
    Tried,
    /// This ends it.
    Stops,
    /// The honest customer goes this way.
    Way,
    /// The honest customer has lost what this needs.
    Lost,
}

impl Mark {
    fn standing(self) -> Option<&'static str> {
        match self {
            Self::Plain | Self::Faint | Self::Does => None,
            Self::Can => Some("the thief can do this"),
            Self::Tried => Some("the thief cannot do this"),
            Self::Stops => Some("stops here"),
            Self::Way => Some("the customer can do this"),
            Self::Lost => Some("the customer has lost this"),
        }
    }
}

impl Stage {
    pub(super) fn mark(&self) -> Mark {
        match self {
            Self::Node(node) => node.mark,
            Self::Group(group) => group.mark,
            Self::Words { tone, .. } => *tone,
        }
    }
}

fn items(stages: &[Stage]) -> Vec<Item> {
    stages
        .iter()
        .map(|stage| match stage {
            Stage::Node(node) => Item {
                words: node.words.clone(),
                standing: node.mark.standing(),
                items: Vec::new(),
            },
            Stage::Words { words, .. } => Item {
                words: words.clone(),
                standing: None,
                items: Vec::new(),
            },
            Stage::Group(group) => Item {
                words: group.words.clone(),
                standing: (group.mark == Mark::Stops)
                    .then(|| group.mark.standing())
                    .flatten(),
                items: group
                    .lanes
                    .iter()
                    .flat_map(|lane| lane_items(group.kind, lane))
                    .collect(),
            },
        })
        .collect()
}

fn lane_items(kind: GroupKind, lane: &Lane) -> Vec<Item> {
    let items = items(&lane.stages);
    let words = match kind {
        GroupKind::Frame => return items,
        GroupKind::Options if items.len() < 2 => return items,
        GroupKind::Options => "All of these".to_owned(),
        GroupKind::Paths => lane.name.clone(),
    };
    vec![Item {
        words,
        standing: None,
        items,
    }]
}

fn numbered(text: &mut String, items: &[Item], depth: usize) {
    for (number, item) in (1..).zip(items) {
        let standing = item
            .standing
            .map_or_else(String::new, |standing| format!(" ({standing})"));
        let indent = "   ".repeat(depth);
        let _ = writeln!(text, "{indent}{number}. {}{standing}", item.words);
        numbered(text, &item.items, depth + 1);
    }
}
