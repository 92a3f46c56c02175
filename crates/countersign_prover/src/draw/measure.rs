//! How wide words are, without a font at hand.

/// Width of the printable ASCII letters, from the space, in hundredths of the font size: of each the
/// widest of Inter (500, 600) and Liberation Sans (400, 700: as wide as Arial and Helvetica), as
/// Chromium measures them. Boxes leave a few pixels for fonts that are a little wider.
const WIDTHS: [u16; 95] = [
    28, 33, 47, 64, 65, 89, 72, 24, 39, 39, 54, 67, 30, 47, 29, 38, 67, 56, 62, 65, 67, 63, 65, 59,
    65, 65, 33, 33, 67, 67, 67, 61, 102, 72, 72, 74, 72, 67, 61, 78, 74, 28, 56, 72, 61, 91, 75,
    78, 67, 78, 72, 67, 66, 74, 72, 101, 69, 70, 65, 39, 38, 39, 58, 56, 50, 57, 63, 58, 63, 59,
    38, 63, 61, 28, 28, 57, 28, 90, 61, 61, 62, 62, 40, 56, 38, 61, 58, 84, 56, 58, 56, 39, 36, 39,
    67,
];

/// An upper bound of the width of these words in pixels.
///
/// Letters beyond ASCII count by rough classes, never narrower than common fonts draw them.
pub(super) fn width(words: &str, size: u32) -> u32 {
    let hundredths: u32 = words.chars().map(hundredths).sum();
    (hundredths * size).div_ceil(100)
}

fn hundredths(letter: char) -> u32 {
    let code = u32::from(letter);
    let known = code
        .checked_sub(0x20)
        .and_then(|index| WIDTHS.get(index as usize));
    match (known, code) {
        (Some(&width), _) => u32::from(width),
        (None, 0x2018..=0x201F | 0x2022) => 50,
        (None, 0..=0x2DFF) => 105,
        (None, _) => 125,
    }
}

/// Breaks words into at most `most` lines of at most `pixels`, shortened with an ellipsis where they do not fit.
///
/// A word that is wider than a line is broken wherever the line ends.
pub(super) fn wrap(words: &str, size: u32, pixels: u32, most: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    let mut rest = words.split_whitespace();
    let mut piece = rest.next().unwrap_or_default().to_owned();
    loop {
        let together = if line.is_empty() {
            piece.clone()
        } else {
            format!("{line} {piece}")
        };
        if width(&together, size) <= pixels {
            line = together;
            let Some(next) = rest.next() else {
                lines.push(line);
                return lines;
            };
            next.clone_into(&mut piece);
        } else if lines.len() + 1 >= most {
            lines.push(shortened(&together, size, pixels));
            return lines;
        } else if line.is_empty() {
            let fits = fitting(&piece, size, pixels).max(1);
            lines.push(piece.chars().take(fits).collect());
            piece = piece.chars().skip(fits).collect();
        } else {
            lines.push(std::mem::take(&mut line));
        }
    }
}

/// As many letters as fit before an ellipsis.
fn shortened(words: &str, size: u32, pixels: u32) -> String {
    let fits = fitting(words, size, pixels.saturating_sub(width("…", size)));
    let kept: String = words.chars().take(fits).collect();
    format!("{}…", kept.trim_end())
}

/// How many letters of these words fit.
fn fitting(words: &str, size: u32, pixels: u32) -> usize {
    let mut sum = 0;
    words
        .chars()
        .take_while(|letter| {
            sum += hundredths(*letter) * size;
            sum.div_ceil(100) <= pixels
        })
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_never_overflow_and_lose_nothing_they_have_room_for() {
        let words =
            "phone with the authenticator app and Donaudampfschifffahrtsgesellschaft 自動車 x";
        for pixels in [40, 60, 116, 136, 400, 2_000] {
            for most in 1..6 {
                let lines = wrap(words, 12, pixels, most);
                assert!((1..=most).contains(&lines.len()));
                for line in &lines {
                    assert!(width(line, 12) <= pixels, "{line} in {pixels}");
                }
            }
        }
        assert_eq!(wrap(words, 12, 2_000, 1), [words]);
        assert_eq!(
            wrap("code sent by text message", 12, 116, 2),
            ["code sent by text", "message"]
        );
        assert_eq!(wrap("", 12, 100, 2), [""]);
    }
}
