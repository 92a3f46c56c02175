//! Where everything stands. All lengths are pixels; see `docs/ux.md`, section 6.18.

use super::Room;
use super::measure::wrap;
use super::model::{Group, GroupKind, Kind, Lane, Mark, Node, Stage};

/// Width of a box; its height follows from its lines.
pub(super) const NODE: u32 = 152;
/// Height of a box with one line or two.
const NODE_HEIGHT: u32 = 44;
/// Size of labels, and from one line to the next.
pub(super) const LABEL: u32 = 12;
pub(super) const LINE: u32 = 16;
/// Size of the note under a label, and from one line to the next.
pub(super) const NOTE: u32 = 11;
pub(super) const NOTE_LINE: u32 = 15;
/// Widest line of what stands inside a picture of [`Room::Page`].
const PAGE: u32 = 600;
/// Between two stages, with an arrow.
const DOWN: u32 = 24;
/// Above a sentence.
const ABOVE_WORDS: u32 = 10;
const BESIDE: u32 = 16;
const PADDING: u32 = 12;
/// A column: a box and its padding.
const COLUMN: u32 = NODE + 2 * PADDING;
/// Alternatives beside each other at most.
const ACROSS: usize = 3;

/// Width and height.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Size {
    pub(super) width: u32,
    pub(super) height: u32,
}

/// What is drawn, with its place.
#[derive(Debug)]
pub(super) enum Shape<'p> {
    Node {
        x: u32,
        y: u32,
        node: &'p Node,
        text: NodeText,
    },
    Box {
        x: u32,
        y: u32,
        size: Size,
        group: &'p Group,
        label: Vec<String>,
    },
    /// Name of a path.
    Name { x: u32, y: u32, words: String },
    /// A sentence, centred.
    Words {
        x: u32,
        y: u32,
        lines: Vec<String>,
        tone: Mark,
    },
    /// Downwards, ending at `to`.
    Arrow {
        x: u32,
        from: u32,
        to: u32,
        mark: Mark,
    },
}

/// The words of a box, broken into lines.
#[derive(Debug)]
pub(super) struct NodeText {
    /// Where they begin, or their middle.
    pub(super) x: u32,
    pub(super) centred: bool,
    pub(super) label: Vec<String>,
    pub(super) note: Vec<String>,
}

impl NodeText {
    fn of(node: &Node) -> Self {
        let (x, width, centred) = match (node.icon, node.kind) {
            (Some(_), _) => (26, NODE - 26 - 5, false),
            (None, Kind::Person) => (14, NODE - 14 - 6, false),
            (None, Kind::Start) => (NODE / 2, NODE - 24, true),
            (None, _) => (NODE / 2, NODE - 16, true),
        };
        let most = if node.kind == Kind::Condition { 3 } else { 2 };
        Self {
            x,
            centred,
            label: wrap(&node.label, LABEL, width, most),
            note: if node.note.is_empty() {
                Vec::new()
            } else {
                wrap(&node.note, NOTE, width, 2)
            },
        }
    }

    /// Height of the box round it.
    pub(super) fn height(&self) -> u32 {
        NODE_HEIGHT.max(self.text_height() + 12)
    }

    /// Where the first line's letters stand.
    pub(super) fn first_line(&self) -> u32 {
        (self.height() - self.text_height()) / 2 + LABEL
    }

    fn text_height(&self) -> u32 {
        LINE * count(self.label.len()) + NOTE_LINE * count(self.note.len())
    }
}

/// How large these stages are together.
pub(super) fn size(stages: &[Stage], room: Room) -> Size {
    let mut sum = Size::default();
    for (index, stage) in stages.iter().enumerate() {
        let size = stage_size(stage, room);
        sum.width = sum.width.max(size.width);
        sum.height += size.height + if index == 0 { 0 } else { gap(stage) };
    }
    sum
}

/// Puts these stages one below the other, centred at `centre`, from `y` down.
pub(super) fn place<'p>(
    stages: &'p [Stage],
    room: Room,
    centre: u32,
    mut y: u32,
    shapes: &mut Vec<Shape<'p>>,
) {
    for (index, stage) in stages.iter().enumerate() {
        if index > 0 {
            let top = y + gap(stage);
            if !matches!(stage, Stage::Words { .. }) {
                shapes.push(Shape::Arrow {
                    x: centre,
                    from: y,
                    to: top,
                    mark: stage.mark(),
                });
            }
            y = top;
        }
        let size = stage_size(stage, room);
        let x = centre.saturating_sub(size.width / 2);
        match stage {
            Stage::Node(node) => shapes.push(Shape::Node {
                x,
                y,
                node,
                text: NodeText::of(node),
            }),
            Stage::Words { words, tone } => shapes.push(Shape::Words {
                x: centre,
                y,
                lines: sentence(words, room),
                tone: *tone,
            }),
            Stage::Group(group) => place_group(group, room, x, y, size, shapes),
        }
        y += size.height;
    }
}

fn gap(stage: &Stage) -> u32 {
    match stage {
        Stage::Words { .. } => ABOVE_WORDS,
        _ => DOWN,
    }
}

fn stage_size(stage: &Stage, room: Room) -> Size {
    match stage {
        Stage::Node(node) => Size {
            width: NODE,
            height: NodeText::of(node).height(),
        },
        Stage::Words { words, .. } => Size {
            width: sentence_width(room),
            height: LINE * count(sentence(words, room).len()),
        },
        Stage::Group(group) => {
            let inner = rows(group, room);
            let width = inner.iter().map(|row| row.size.width).max().unwrap_or(0) + 2 * PADDING;
            let width = match (group.kind, room) {
                // Room for what is asked for.
                (GroupKind::Frame, Room::Page) => width.max(2 * COLUMN),
                _ => width,
            };
            let between = BESIDE * count(inner.len().saturating_sub(1));
            let rows: u32 = inner.iter().map(|row| row.size.height).sum();
            Size {
                width,
                height: head(group, width) + rows + between + PADDING,
            }
        }
    }
}

fn place_group<'p>(
    group: &'p Group,
    room: Room,
    x: u32,
    y: u32,
    size: Size,
    shapes: &mut Vec<Shape<'p>>,
) {
    shapes.push(Shape::Box {
        x,
        y,
        size,
        group,
        label: label(group, size.width),
    });
    let rows = rows(group, room);
    let widest = rows.iter().map(|row| row.size.width).max().unwrap_or(0);
    let left = x + (size.width.saturating_sub(widest)) / 2;
    let mut top = y + head(group, size.width);
    for row in rows {
        let mut left = left;
        for (lane, lane_size) in row.lanes {
            let mut top = top;
            if !lane.name.is_empty() {
                shapes.push(Shape::Name {
                    x: left,
                    y: top,
                    words: wrap(&lane.name, LABEL, lane_size.width, 1).concat(),
                });
                top += NAME;
            }
            let centre = left + lane_size.width / 2;
            place(&lane.stages, inside(group.kind, room), centre, top, shapes);
            left += lane_size.width + BESIDE;
        }
        top += row.size.height + BESIDE;
    }
}

/// Height of the name of a path.
const NAME: u32 = 22;

/// Alternatives that stand side by side.
struct Row<'p> {
    lanes: Vec<(&'p Lane, Size)>,
    size: Size,
}

fn rows(group: &Group, room: Room) -> Vec<Row<'_>> {
    let across = match (group.kind, room) {
        (GroupKind::Frame, _) | (_, Room::Column) => 1,
        // Four are two and two, not three and one.
        (_, Room::Page) => {
            let rows = group.lanes.len().div_ceil(ACROSS).max(1);
            group.lanes.len().div_ceil(rows)
        }
    };
    let mut rows: Vec<Row<'_>> = Vec::new();
    for lane in &group.lanes {
        let mut size = size(&lane.stages, inside(group.kind, room));
        if !lane.name.is_empty() {
            size.height += NAME;
        }
        match rows.last_mut() {
            Some(row)
                if row.lanes.len() < across
                    && row.size.width + BESIDE + size.width <= PAGE - 2 * PADDING =>
            {
                row.size.width += BESIDE + size.width;
                row.size.height = row.size.height.max(size.height);
                row.lanes.push((lane, size));
            }
            _ => rows.push(Row {
                lanes: vec![(lane, size)],
                size,
            }),
        }
    }
    rows
}

fn inside(kind: GroupKind, room: Room) -> Room {
    match kind {
        GroupKind::Frame => room,
        GroupKind::Options | GroupKind::Paths => Room::Column,
    }
}

/// From the upper edge of a group to what is in it.
fn head(group: &Group, width: u32) -> u32 {
    8 + LINE * count(label(group, width).len()) + 6
}

fn label(group: &Group, width: u32) -> Vec<String> {
    wrap(&group.label, LABEL, width.saturating_sub(2 * PADDING), 2)
}

fn sentence(words: &str, room: Room) -> Vec<String> {
    wrap(words, LABEL, sentence_width(room), 8)
}

fn sentence_width(room: Room) -> u32 {
    match room {
        Room::Page => 3 * COLUMN,
        Room::Column => COLUMN,
    }
}

fn count(items: usize) -> u32 {
    u32::try_from(items).unwrap_or(u32::MAX)
}
