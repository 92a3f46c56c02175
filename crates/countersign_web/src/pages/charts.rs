//! Charts as SVG (UX 6.19): drawn on the server, coloured by the style sheet's classes, read by people and screen readers.
//!
//! Every mark has a `<title>`; the second and fourth series are striped, so that a page in grey can be read too.

use std::fmt::Write as _;

/// Width and height of the plot, in its own units.
const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 200.0;

/// Room for the labels below the plot.
const FOOT: f64 = 22.0;

/// Room above it, for the topmost hairline's label.
const HEAD: f64 = 14.0;

/// One series of a chart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// `done`
    pub name: String,
    /// The class that colours it: `ok`, `bad` …
    pub class: &'static str,
    /// A value for each step of the axis.
    pub values: Vec<u64>,
}

/// A bar with its words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// What it is.
    pub name: String,
    /// Its length.
    pub value: u64,
    /// What stands at its end: `48 (31 %)`
    pub words: String,
}

/// Stacked bars, a bar for each label.
pub fn stacked(title: &str, labels: &[String], parts: &[Part]) -> String {
    let sum = |step: usize| -> u64 {
        let values = parts.iter().filter_map(|part| part.values.get(step));
        values.sum()
    };
    let top = nice((0..labels.len()).map(sum).max().unwrap_or(0));
    let mut svg = begin(title, HEIGHT + FOOT);
    hairlines(&mut svg, top, |value| value.to_string());
    let step = WIDTH / float(labels.len().max(1) as u64);
    for (at, label) in labels.iter().enumerate() {
        let left = step * float(at as u64) + step * 0.15;
        let mut base = HEIGHT;
        for (number, part) in parts.iter().enumerate() {
            let value = part.values.get(at).copied().unwrap_or(0);
            if value == 0 {
                continue;
            }
            let height = (HEIGHT - HEAD) * float(value) / float(top);
            base -= height;
            let rect = format!(
                "x=\"{left:.1}\" y=\"{base:.1}\" width=\"{:.1}\" height=\"{height:.1}\" rx=\"2\"",
                step * 0.7
            );
            let _ = write!(
                svg,
                "<g><title>{}: {value} {}</title><rect class=\"{}\" {rect}/>",
                escaped(label),
                escaped(&part.name),
                part.class
            );
            if number % 2 == 1 {
                stripes(&mut svg, left, base, step * 0.7, height);
            }
            svg.push_str("</g>");
        }
    }
    axis(&mut svg, labels);
    svg.push_str("</svg>");
    svg
}

/// Horizontal bars, one under the other, with their names above them.
pub fn bars(title: &str, rows: &[Row]) -> String {
    let pitch = 34.0;
    let top = rows.iter().map(|row| row.value).max().unwrap_or(0).max(1);
    let mut svg = begin(title, pitch * float(rows.len().max(1) as u64));
    for (at, row) in rows.iter().enumerate() {
        let y = pitch * float(at as u64);
        let width = (WIDTH * float(row.value) / float(top)).max(2.0);
        let _ = write!(
            svg,
            "<g><title>{0}: {1}</title><text x=\"0\" y=\"{2:.1}\">{0}</text><text class=\"end\" x=\"{WIDTH}\" y=\"{2:.1}\">{1}</text><rect class=\"accent\" x=\"0\" y=\"{3:.1}\" width=\"{width:.1}\" height=\"12\" rx=\"2\"/></g>",
            escaped(&row.name),
            escaped(&row.words),
            y + 12.0,
            y + 17.0
        );
    }
    svg.push_str("</svg>");
    svg
}

/// Lines over the same labels; a gap where there is no value. The names stand at the ends.
pub fn lines(
    title: &str,
    labels: &[String],
    series: &[(&str, &'static str, Vec<Option<u64>>)],
    words: impl Fn(u64) -> String,
) -> String {
    let values = series
        .iter()
        .flat_map(|(_, _, values)| values.iter().flatten());
    let top = values.copied().max().unwrap_or(0).max(1);
    let mut svg = begin(title, HEIGHT + FOOT);
    hairlines(&mut svg, top, &words);
    // Room at the right for the names.
    let room = WIDTH - 70.0;
    let step = room / float(labels.len().saturating_sub(1).max(1) as u64);
    for (number, (name, class, values)) in series.iter().enumerate() {
        let mut path = String::new();
        let mut marks = String::new();
        let mut last = None;
        let mut down = false;
        for (at, value) in values.iter().enumerate() {
            let Some(value) = value else {
                down = false;
                continue;
            };
            let x = step * float(at as u64);
            let y = HEIGHT - (HEIGHT - HEAD) * float(*value) / float(top);
            let _ = write!(path, "{}{x:.1} {y:.1}", if down { 'L' } else { 'M' });
            down = true;
            last = Some((x, y));
            let label = labels.get(at).map_or("", String::as_str);
            let _ = write!(
                marks,
                "<circle class=\"{class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\"><title>{}: {name} {}</title></circle>",
                escaped(label),
                escaped(&words(*value))
            );
        }
        let dash = if number % 2 == 1 {
            " stroke-dasharray=\"6 3\""
        } else {
            ""
        };
        let _ = write!(
            svg,
            "<path class=\"ln {class}\"{dash} d=\"{path}\"/>{marks}"
        );
        if let Some((x, y)) = last {
            // Names that would stand on each other are moved apart: the first below, the second above.
            let y = if number == 0 { y + 12.0 } else { y - 4.0 };
            let _ = write!(svg, "<text x=\"{:.1}\" y=\"{y:.1}\">{name}</text>", x + 6.0);
        }
    }
    axis(&mut svg, labels);
    svg.push_str("</svg>");
    svg
}

/// Hours across, days of the week down; one hue, five depths.
pub fn week(title: &str, cells: &[Option<(u64, String)>; 168]) -> String {
    const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    let top = cells
        .iter()
        .flatten()
        .map(|(value, _)| *value)
        .max()
        .unwrap_or(0)
        .max(1);
    let (left, pitch) = (40.0, 25.0);
    let mut svg = begin(title, 7.0 * 24.0 + FOOT);
    for (day, name) in DAYS.iter().enumerate() {
        let _ = write!(
            svg,
            "<text x=\"0\" y=\"{:.1}\">{name}</text>",
            float(day as u64) * 24.0 + 16.0
        );
    }
    for (at, cell) in cells.iter().enumerate() {
        let (day, hour) = (at / 24, at % 24);
        let x = left + float(hour as u64) * pitch;
        let y = float(day as u64) * 24.0;
        let rect = format!("x=\"{x:.1}\" y=\"{y:.1}\" width=\"23\" height=\"22\" rx=\"2\"");
        match cell {
            None => {
                let _ = write!(svg, "<rect class=\"none\" {rect}/>");
            }
            Some((value, words)) => {
                let depth = 1 + (value * 4).div_ceil(top).clamp(1, 4);
                let _ = write!(
                    svg,
                    "<rect class=\"h{depth}\" {rect}><title>{} {hour:02}:00: {}</title></rect>",
                    DAYS.get(day).copied().unwrap_or_default(),
                    escaped(words)
                );
            }
        }
    }
    for hour in [0_u64, 6, 12, 18] {
        let _ = write!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\">{hour:02}</text>",
            left + float(hour) * pitch,
            7.0 * 24.0 + 14.0
        );
    }
    svg.push_str("</svg>");
    svg
}

fn begin(title: &str, height: f64) -> String {
    format!(
        "<svg class=\"chart\" viewBox=\"0 0 {WIDTH} {height:.0}\" role=\"img\"><title>{0}</title><desc>{0}. The numbers stand below.</desc>",
        escaped(title)
    )
}

/// Stripes over a bar, from above to below; without a pattern, which would need an id of its own on the page.
fn stripes(svg: &mut String, left: f64, top: f64, width: f64, height: f64) {
    let mut path = String::new();
    let mut y = top + 3.0;
    while y < top + height {
        let _ = write!(path, "M{left:.1} {y:.1}h{width:.1}");
        y += 5.0;
    }
    if !path.is_empty() {
        let _ = write!(svg, "<path class=\"gap\" d=\"{path}\"/>");
    }
}

fn hairlines(svg: &mut String, top: u64, words: impl Fn(u64) -> String) {
    for part in 1..=4_u64 {
        let value = top * part / 4;
        if value == 0 || (top < 4 && value == top * (part - 1) / 4) {
            continue;
        }
        let y = HEIGHT - (HEIGHT - HEAD) * float(value) / float(top);
        let _ = write!(
            svg,
            "<path class=\"hair\" d=\"M0 {y:.1}H{WIDTH}\"/><text class=\"tick\" x=\"2\" y=\"{:.1}\">{}</text>",
            y - 3.0,
            escaped(&words(value))
        );
    }
    let _ = write!(svg, "<path class=\"base\" d=\"M0 {HEIGHT}H{WIDTH}\"/>");
}

fn axis(svg: &mut String, labels: &[String]) {
    let ends = [(labels.first(), 0.0, ""), (labels.last(), WIDTH, "end")];
    for (label, x, class) in ends.into_iter().take(labels.len()) {
        let Some(label) = label else { continue };
        let _ = write!(
            svg,
            "<text class=\"{class}\" x=\"{x}\" y=\"{:.1}\">{}</text>",
            HEIGHT + 16.0,
            escaped(label)
        );
    }
}

/// The least of 1, 2, 4, 8, 10, 20 … that is not below.
fn nice(value: u64) -> u64 {
    let mut scale = 1_u64;
    loop {
        for step in [1, 2, 4, 8] {
            if value <= step * scale {
                return step * scale;
            }
        }
        scale = scale.saturating_mul(10);
    }
}

#[expect(clippy::cast_precision_loss, reason = "places on a page")]
fn float(value: u64) -> f64 {
    value as f64
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // What cannot be seen has no place on a chart.
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(n: usize) -> Vec<String> {
        (1..=n).map(|day| format!("{day} Nov")).collect()
    }

    /// Well formed, and every number in it is one.
    fn sound(svg: &str) -> usize {
        let document = roxmltree::Document::parse(svg).unwrap();
        let height: f64 = document
            .root_element()
            .attribute("viewBox")
            .and_then(|sides| sides.rsplit(' ').next())
            .unwrap()
            .parse()
            .unwrap();
        let mut marks = 0;
        for node in document.descendants().filter(roxmltree::Node::is_element) {
            for attribute in node.attributes() {
                if matches!(
                    attribute.name(),
                    "x" | "y" | "width" | "height" | "cx" | "cy"
                ) {
                    let value: f64 = attribute.value().parse().unwrap();
                    assert!(
                        value.is_finite() && value > -20.0 && value <= height.max(641.0),
                        "{svg}"
                    );
                }
            }
            marks += usize::from(node.has_tag_name("title"));
        }
        marks
    }

    #[test]
    fn charts_are_sound_whatever_the_figures() {
        for n in [0, 1, 2, 30, 92] {
            for value in [0, 1, 3, 1_000_000] {
                let part = |name: &str, class| Part {
                    name: name.into(),
                    class,
                    values: vec![value; n],
                };
                let parts = [part("done", "ok"), part("<refused>", "bad")];
                let marks = sound(&stacked("Outcomes & more", &labels(n), &parts));
                assert_eq!(marks, 1 + if value == 0 { 0 } else { 2 * n });
                let values = vec![Some(value); n];
                let series = [
                    ("median", "accent", values.clone()),
                    ("p90", "wait", values),
                ];
                let drawn = lines("Times", &labels(n), &series, |value| format!("{value} s"));
                assert_eq!(sound(&drawn), 1 + 2 * n);
                let rows: Vec<Row> = (0..n)
                    .map(|number| Row {
                        name: format!("prove \"{number}\" & <more>"),
                        value,
                        words: "1 (3 %)".into(),
                    })
                    .collect();
                assert_eq!(sound(&bars("Stops", &rows)), 1 + n);
            }
        }
        let mut cells = [const { None }; 168];
        assert_eq!(sound(&week("Hours", &cells)), 1);
        cells[10] = Some((0, "nothing".into()));
        cells[167] = Some((u64::MAX / 8, "for ever".into()));
        assert_eq!(sound(&week("Hours", &cells)), 3);
    }

    #[test]
    fn a_gap_in_a_line_stays_one() {
        let series = [("median", "accent", vec![Some(1), None, Some(2), Some(3)])];
        let svg = lines("Times", &labels(4), &series, |value| value.to_string());
        let line = svg.split("class=\"ln accent\" d=\"").nth(1).unwrap();
        let line = line.split('"').next().unwrap();
        assert_eq!(
            (line.matches('M').count(), line.matches('L').count()),
            (2, 1)
        );
    }
}
