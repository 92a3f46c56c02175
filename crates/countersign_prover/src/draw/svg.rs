//! Writing it down: SVG 1.1 with classes, and a style sheet for where there is none.

use std::fmt::Write as _;

use super::Room;
use super::layout::{LABEL, LINE, NODE, NOTE_LINE, NodeText, Shape, Size, place, size};
use super::measure::wrap;
use super::model::{Icon, Kind, Mark, Node, Picture};

/// The rules for pictures, in terms of the design's colours (`--ink`, `--accent`, …).
/// A page that shows [`Picture::inline`] has them in its style sheet.
pub const STYLE: &str = "\
.dg { max-width: 100%; height: auto; }
.dg text { font: 500 12px var(--sans); fill: var(--ink); }
.dg .o { font-size: 11px; font-weight: 400; fill: var(--ink-3); }
.dg .b { font-weight: 400; fill: var(--ink-2); } .dg .nm { font-weight: 600; } .dg .md { text-anchor: middle; }
.dg rect { fill: var(--surface); stroke: var(--line-strong); stroke-width: 1.5; }
.dg .gr { fill: none; stroke: var(--line); }
.dg .sr rect { fill: var(--canvas); } .dg .cn rect { fill: var(--sunken); stroke: var(--line); }
.dg .wt rect { stroke-dasharray: 4 3; } .dg .ef rect { fill: var(--accent-soft); stroke: var(--accent); }
.dg .ls rect { fill: var(--bad-soft); stroke: var(--bad); stroke-width: 2; }
.dg .ar { fill: var(--line-strong); stroke: var(--line-strong); stroke-width: 1.5; }
.dg .ic { fill: none; stroke: var(--ink-3); stroke-width: 1.25; stroke-linecap: round; stroke-linejoin: round; }
.dg .ed { stroke: var(--line-strong); }
.dg .faint { opacity: .55; } .dg .faint text, .dg .tried text { fill: var(--ink-3); }
.dg .can rect, .dg .stops rect { stroke: var(--bad); stroke-width: 2; } .dg .can .ed, .dg .stops .ed { stroke: var(--bad); }
.dg .tried rect { stroke: var(--bad); stroke-dasharray: 4 3; } .dg .gr.stops { stroke: var(--bad); stroke-width: 2; }
.dg .stops rect { fill: var(--bad-soft); }
.dg .ar.can, .dg .ar.tried, .dg .ar.stops { fill: var(--bad); stroke: var(--bad); }
.dg .dot, .dg .oct { fill: var(--bad); } .dg .x { fill: none; stroke: var(--on-bad); stroke-width: 2; stroke-linecap: round; }
.dg .way rect { stroke: var(--ok); stroke-width: 2; } .dg .way .ed { stroke: var(--ok); } .dg .ar.way { fill: var(--ok); stroke: var(--ok); }
.dg .lost rect { stroke: var(--line-strong); stroke-dasharray: 2 4; } .dg .lost text { fill: var(--ink-3); text-decoration: line-through; }
.dg .say { font-weight: 600; } .dg .say.stops { fill: var(--bad); } .dg .say.way { fill: var(--ok); }
";

/// The design's colours, light and dark, for a picture that stands alone.
const TOKENS: &str = "\
.dg { --canvas: #F7F6F3; --surface: #FFFFFF; --sunken: #EFEDE8; --line: #DDD9D1; --line-strong: #857F74; --ink: #1B1A18; --ink-2: #4F4B45; --ink-3: #69645B; --accent: #2A4A9A; --accent-soft: #E8EDF9; --ok: #1B6A3A; --bad: #A8231B; --bad-soft: #FBE7E4; --on-bad: #FFFFFF; --sans: Inter, ui-sans-serif, system-ui, -apple-system, \"Segoe UI\", Roboto, \"Noto Sans\", \"Liberation Sans\", sans-serif; }
@media (prefers-color-scheme: dark) { .dg { --canvas: #131416; --surface: #1B1D20; --sunken: #0E0F11; --line: #2F3238; --line-strong: #777C86; --ink: #EDECE9; --ink-2: #BDBBB6; --ink-3: #9B9994; --accent: #A9BFFA; --accent-soft: #1F2A47; --ok: #7FD19B; --bad: #FF9E94; --bad-soft: #3D1A17; --on-bad: #2B0D0A; } }
.dg .card { stroke: var(--line); stroke-width: 1; } .dg .t1 { font-size: 16px; font-weight: 650; } .dg .t2 { font-size: 13px; font-weight: 650; } .dg .t3 { font-weight: 400; fill: var(--ink-2); }
";

/// Round an inline picture: room for the marks at its corners.
const MARGIN: u32 = 12;
/// Round a picture that stands alone.
const CARD: u32 = 20;
/// Between two figures.
const BETWEEN: u32 = 32;
/// A picture that stands alone has room for its heading.
const NARROWEST: u32 = 360;
const TITLE: u32 = 16;
const HEADING: u32 = 13;

pub(super) fn inline(picture: &Picture, room: Room) -> String {
    let mut body = String::new();
    let sizes: Vec<Size> = picture
        .figures
        .iter()
        .map(|figure| size(&figure.stages, room))
        .collect();
    let width = sizes.iter().map(|size| size.width).max().unwrap_or(0) + 2 * MARGIN;
    let mut y = MARGIN;
    for (figure, size) in picture.figures.iter().zip(&sizes) {
        let mut shapes = Vec::new();
        place(&figure.stages, room, width / 2, y, &mut shapes);
        draw(&mut body, &shapes);
        y += size.height + BETWEEN;
    }
    let height = y.saturating_sub(BETWEEN) + MARGIN;
    format!(
        "<svg class=\"dg\" role=\"img\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\"><title>{}</title><desc>{}</desc>{body}</svg>",
        escaped(&picture.title),
        escaped(&picture.about),
    )
}

pub(super) fn standalone(picture: &Picture, room: Room) -> String {
    let sizes: Vec<Size> = picture
        .figures
        .iter()
        .map(|figure| size(&figure.stages, room))
        .collect();
    let inner = sizes.iter().map(|size| size.width).max().unwrap_or(0);
    let inner = match room {
        Room::Page => inner.max(NARROWEST),
        Room::Column => inner,
    };
    let width = inner + 2 * CARD;
    let mut body = String::new();
    let mut y = CARD;
    for (class, words, size) in [("t1", &picture.title, TITLE), ("t3", &picture.about, LABEL)] {
        for line in wrap(words, size, inner, 3) {
            y += size + 4;
            let _ = write!(
                body,
                "<text class=\"{class}\" x=\"{CARD}\" y=\"{}\">{}</text>",
                y - 4,
                escaped(&line)
            );
        }
    }
    y += CARD;
    let many = picture.figures.len() > 1;
    for (figure, size) in picture.figures.iter().zip(&sizes) {
        if many {
            for line in wrap(&figure.heading, HEADING, inner, 2) {
                y += HEADING + 4;
                let _ = write!(
                    body,
                    "<text class=\"t2\" x=\"{CARD}\" y=\"{}\">{}</text>",
                    y - 4,
                    escaped(&line)
                );
            }
            y += 12;
        }
        let mut shapes = Vec::new();
        place(&figure.stages, room, width / 2, y, &mut shapes);
        draw(&mut body, &shapes);
        y += size.height + BETWEEN;
    }
    let height = y.saturating_sub(BETWEEN) + CARD;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"dg\" role=\"img\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\">\n\
         <title>{}</title>\n<desc>{} {}</desc>\n<style>\n{TOKENS}{STYLE}</style>\n\
         <rect class=\"card\" x=\".5\" y=\".5\" width=\"{}\" height=\"{}\" rx=\"10\"/>\n{body}\n</svg>\n",
        escaped(&picture.title),
        escaped(&picture.about),
        escaped(&picture.text()),
        width.saturating_sub(1),
        height.saturating_sub(1),
    )
}

fn draw(out: &mut String, shapes: &[Shape<'_>]) {
    for shape in shapes {
        match shape {
            Shape::Arrow { x, from, to, mark } => {
                let _ = write!(
                    out,
                    "<path class=\"ar{}\" d=\"M{x} {from}V{}M{} {}h6l-3 6z\"/>",
                    class(*mark),
                    to.saturating_sub(6),
                    x.saturating_sub(3),
                    to.saturating_sub(7),
                );
            }
            Shape::Name { x, y, words } => {
                let _ = write!(
                    out,
                    "<text class=\"nm\" x=\"{x}\" y=\"{}\">{}</text>",
                    y + LABEL,
                    escaped(words)
                );
            }
            Shape::Words { x, y, lines, tone } => {
                for (index, line) in (0..).zip(lines) {
                    let _ = write!(
                        out,
                        "<text class=\"md say{}\" x=\"{x}\" y=\"{}\">{}</text>",
                        class(*tone),
                        y + LABEL + LINE * index,
                        escaped(line)
                    );
                }
            }
            Shape::Box {
                x,
                y,
                size,
                group,
                label,
            } => {
                let _ = write!(
                    out,
                    "<g><title>{}</title><rect class=\"gr{}\" x=\"{x}\" y=\"{y}\" width=\"{}\" height=\"{}\" rx=\"10\"/>",
                    escaped(&group.words),
                    class(group.mark),
                    size.width,
                    size.height,
                );
                for (index, line) in (0..).zip(label) {
                    let _ = write!(
                        out,
                        "<text class=\"b\" x=\"{}\" y=\"{}\">{}</text>",
                        x + 12,
                        y + 8 + LABEL + LINE * index,
                        escaped(line)
                    );
                }
                out.push_str("</g>");
                if group.mark == Mark::Stops {
                    octagon(out, x + size.width, *y);
                }
            }
            Shape::Node { x, y, node, text } => draw_node(out, *x, *y, node, text),
        }
    }
}

fn draw_node(out: &mut String, x: u32, y: u32, node: &Node, text: &NodeText) {
    let kind = match node.kind {
        Kind::Start => "sr",
        Kind::Plain => "pl",
        Kind::Person => "pe",
        Kind::Condition => "cn",
        Kind::Wait => "wt",
        Kind::Effect => "ef",
        Kind::Loss => "ls",
    };
    let round = if node.kind == Kind::Start { 22 } else { 8 };
    let (width, height) = (NODE, text.height());
    let _ = write!(
        out,
        "<g class=\"{kind}{}\" transform=\"translate({x} {y})\"><title>{}</title><rect width=\"{width}\" height=\"{height}\" rx=\"{round}\"/>",
        class(node.mark),
        escaped(&node.words),
    );
    if node.kind == Kind::Person {
        let _ = write!(out, "<path class=\"ed\" d=\"M5 8v{}\"/>", height - 16);
    }
    if let Some(icon) = node.icon {
        let _ = write!(
            out,
            "<path class=\"ic\" transform=\"translate(7 {})\" d=\"{}\"/>",
            height / 2 - 7,
            path_of(icon)
        );
    }
    let mut y = text.first_line();
    for line in &text.label {
        let class = if text.centred { " class=\"md\"" } else { "" };
        let _ = write!(
            out,
            "<text{class} x=\"{}\" y=\"{y}\">{}</text>",
            text.x,
            escaped(line)
        );
        y += LINE;
    }
    // Smaller letters, so a little higher.
    y = y.saturating_sub(1);
    for line in &text.note {
        let class = if text.centred { "o md" } else { "o" };
        let _ = write!(
            out,
            "<text class=\"{class}\" x=\"{}\" y=\"{y}\">{}</text>",
            text.x,
            escaped(line)
        );
        y += NOTE_LINE;
    }
    match node.mark {
        Mark::Can | Mark::Does => {
            // On the line, also where it is round.
            let inwards = if node.kind == Kind::Start { 6 } else { 0 };
            let _ = write!(
                out,
                "<circle class=\"dot\" cx=\"{}\" cy=\"{inwards}\" r=\"4.5\"/>",
                width - inwards
            );
        }
        Mark::Stops => octagon(out, width, 0),
        _ => {}
    }
    out.push_str("</g>");
}

/// The sign that says stop, with its middle here.
fn octagon(out: &mut String, x: u32, y: u32) {
    let _ = write!(
        out,
        "<g transform=\"translate({x} {y})\"><path class=\"oct\" d=\"M-3.7-9h7.4L9-3.7v7.4L3.7 9h-7.4L-9 3.7v-7.4z\"/><path class=\"x\" d=\"M-3-3 3 3M3-3-3 3\"/></g>"
    );
}

fn class(mark: Mark) -> &'static str {
    match mark {
        Mark::Plain => "",
        Mark::Faint => " faint",
        Mark::Can | Mark::Does => " can",
        Mark::Tried => " tried",
        Mark::Stops => " stops",
        Mark::Way => " way",
        Mark::Lost => " lost",
    }
}

/// Icons of 14 by 14.
fn path_of(icon: Icon) -> &'static str {
    match icon {
        Icon::Secret => "M12.2 4.8a3 3 0 1 1-6 0 3 3 0 0 1 6 0M7 7l-5.5 5.5M3.5 10.5l2 2",
        Icon::Channel => "M1 3h12v8.5H1zM1 3.5l6 4.5 6-4.5",
        Icon::Device => "M4 1h6v12H4zM6.5 10.8h1",
        Icon::State => "M9.5 4a2.5 2.5 0 1 1-5 0 2.5 2.5 0 0 1 5 0M2 13c.5-5.5 9.5-5.5 10 0",
        Icon::Notice => {
            "M2.5 10h9c-1-1-1.2-2-1.2-4a3.3 3.3 0 0 0-6.6 0c0 2-.2 3-1.2 4M5.8 12.3a1.3 1.3 0 0 0 2.4 0"
        }
        Icon::Backup => "M1.5 2h11v3.5h-11zM2.5 5.5v7h9v-7M5.5 8.2h3",
        Icon::Wait => "M3 1h8M3 13h8M4 1c0 4 6 3.5 6 6s-6 2-6 6M10 1c0 4-6 3.5-6 6s6 2 6 6",
        Icon::Condition => "M7 1l6 6-6 6-6-6z",
    }
}

/// Words that no XML reader takes for anything else. What XML 1.0 does not allow, and letters that
/// would reorder or hide others, become U+FFFD.
fn escaped(words: &str) -> String {
    let mut text = String::with_capacity(words.len());
    for letter in words.chars() {
        match letter {
            '&' => text.push_str("&amp;"),
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            '"' => text.push_str("&quot;"),
            '\'' => text.push_str("&#39;"),
            '\n' | '\t' => text.push(letter),
            letter if letter.is_control() || is_invisible(letter) => text.push('\u{FFFD}'),
            letter => text.push(letter),
        }
    }
    text
}

fn is_invisible(letter: char) -> bool {
    matches!(
        letter,
        '\u{200B}'..='\u{200F}'
            | '\u{202A}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}'
            | '\u{FEFF}'
            | '\u{FFFE}'
            | '\u{FFFF}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_words_is_taken_for_markup() {
        assert_eq!(
            escaped("<b a=\"1\">&'\u{1}\u{202E}x\u{FFFF}é"),
            "&lt;b a=&quot;1&quot;&gt;&amp;&#39;\u{FFFD}\u{FFFD}x\u{FFFD}é"
        );
    }
}
