//! The words: the one sentence that says what will happen, shown the same everywhere.
//!
//! The sentence is hashed and signed, so it is never paraphrased: what stands on
//! a page is its text, with the parameter values emphasised. Whatever cannot be
//! seen or could be taken for something else (control and direction characters,
//! odd spaces, letters of another script among Latin ones) is replaced by a mark
//! that names its code point, so that what people read is what the machine signs.

use std::fmt::{self, Write};

use askama::filters::HtmlSafe;
use countersign_service::mask_address;

/// The sentence with its parameter values marked. Displays as HTML, everything escaped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    parts: Vec<Part>,
}

/// Where a parameter's value stands in the sentence: byte offsets, `start <= end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ValueSpan {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Value(String),
}

impl Words {
    /// From the sentence people sign and the places of the parameter values in it, ascending.
    /// A span that overlaps an earlier one, is out of range or cuts a character is ignored.
    pub fn new(sentence: &str, values: &[ValueSpan]) -> Self {
        let mut parts = Vec::new();
        let mut at = 0;
        for span in values {
            let before = sentence.get(at..span.start);
            let value = sentence.get(span.start..span.end);
            let (Some(before), Some(value)) = (before, value) else {
                continue;
            };
            parts.push(Part::Text(before.to_owned()));
            parts.push(Part::Value(value.to_owned()));
            at = span.end;
        }
        parts.push(Part::Text(
            sentence.get(at..).unwrap_or_default().to_owned(),
        ));
        Self { parts }
    }

    /// From pieces in order, `(text, is a value)`: what a procedure's `says` line gives.
    pub fn from_parts<'a>(pieces: impl IntoIterator<Item = (&'a str, bool)>) -> Self {
        let parts = pieces
            .into_iter()
            .map(|(text, is_value)| {
                let part = if is_value { Part::Value } else { Part::Text };
                part(text.to_owned())
            })
            .collect();
        Self { parts }
    }

    /// The sentence itself, character for character.
    pub fn plain(&self) -> String {
        self.parts
            .iter()
            .map(|part| match part {
                Part::Text(text) | Part::Value(text) => text.as_str(),
            })
            .collect()
    }

    /// The same sentence with the addresses in it masked as the service does it
    /// ([`mask_address`]), for somebody who has proved nothing yet.
    #[must_use]
    pub fn masked(&self) -> Self {
        let parts = self
            .parts
            .iter()
            .map(|part| match part {
                Part::Text(text) => Part::Text(text.clone()),
                Part::Value(value) if is_email(value) => Part::Value(mask_address(value)),
                Part::Value(value) => Part::Value(value.clone()),
            })
            .collect();
        Self { parts }
    }

    /// True if something in it had to be marked.
    pub fn has_marks(&self) -> bool {
        self.parts.iter().any(|part| {
            let (text, place) = match part {
                Part::Text(text) => (text, Place::Text),
                Part::Value(value) => (value, Place::of(value)),
            };
            looks(text, place).any(|(_, look)| look != Look::Plain)
        })
    }
}

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in &self.parts {
            match part {
                Part::Text(text) => write_marked(f, text, Place::Text)?,
                Part::Value(value) => {
                    let place = Place::of(value);
                    // `dir` isolates the value: right-to-left text in it cannot reorder the sentence.
                    f.write_str(match place {
                        Place::Machine => "<b class=\"m\" dir=\"ltr\">",
                        Place::Name | Place::Text => "<b dir=\"auto\">",
                    })?;
                    write_marked(f, value, place)?;
                    f.write_str("</b>")?;
                }
            }
        }
        Ok(())
    }
}

impl HtmlSafe for Words {}

/// An address, number or digest outside the words, with the same marks. Displays as HTML.
#[derive(Debug, Clone, Copy)]
pub struct Machine<'a>(pub &'a str);

impl fmt::Display for Machine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<span class=\"m\" dir=\"ltr\">")?;
        write_marked(f, self.0, Place::Machine)?;
        f.write_str("</span>")
    }
}

impl HtmlSafe for Machine<'_> {}

/// Something a person typed (a name, a reason), with the same marks. Displays as HTML.
#[derive(Debug, Clone, Copy)]
pub struct Typed<'a>(pub &'a str);

impl fmt::Display for Typed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<bdi>")?;
        write_marked(f, self.0, Place::Text)?;
        f.write_str("</bdi>")
    }
}

impl HtmlSafe for Typed<'_> {}

/// The same, with what stands in backticks as code: messages quote the user's own words and names of fields in them.
#[derive(Debug, Clone, Copy)]
pub struct Quoted<'a>(pub &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<bdi>")?;
        let pieces = self.0.split('`').count();
        for (index, piece) in self.0.split('`').enumerate() {
            match index % 2 {
                // One backtick alone quotes nothing.
                1 if index + 1 == pieces => {
                    f.write_char('`')?;
                    write_marked(f, piece, Place::Text)?;
                }
                1 => {
                    f.write_str("<code>")?;
                    write_marked(f, piece, Place::Text)?;
                    f.write_str("</code>")?;
                }
                _ => write_marked(f, piece, Place::Text)?,
            }
        }
        f.write_str("</bdi>")
    }
}

impl HtmlSafe for Quoted<'_> {}

/// Generous on purpose: an address with a hidden character in it is masked like any other.
fn is_email(value: &str) -> bool {
    value.contains('@')
}

fn is_phone(value: &str) -> bool {
    value.chars().filter(char::is_ascii_digit).count() >= 6
        && value
            .chars()
            .all(|c| c.is_ascii_digit() || matches!(c, '+' | ' ' | '-' | '(' | ')'))
}

/// Where a text stands: what is odd in one place is usual in another.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Running text.
    Text,
    /// The value of a parameter that people would call a name.
    Name,
    /// A value that machines read: mono, and anything but ASCII is marked.
    Machine,
}

impl Place {
    fn of(value: &str) -> Self {
        let spaced = value.trim().contains(' ') && !is_phone(value);
        let letters_only = value.chars().all(|c| c.is_alphabetic() || c == '\'');
        if spaced || letters_only {
            Self::Name
        } else {
            Self::Machine
        }
    }
}

/// How a character is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Look {
    /// As itself.
    Plain,
    /// Cannot be seen: its code point instead of it.
    Hidden,
    /// A space that would be overlooked.
    Space,
    /// Can be taken for another: itself with its code point.
    Ambiguous,
}

fn write_marked(f: &mut fmt::Formatter<'_>, text: &str, place: Place) -> fmt::Result {
    if text.is_empty() && place != Place::Text {
        return f.write_str("<mark>∅</mark>");
    }
    for (c, look) in looks(text, place) {
        match look {
            Look::Plain => write_escaped(f, c)?,
            Look::Hidden => write!(f, "<mark>U+{:04X}</mark>", u32::from(c))?,
            Look::Space if c == ' ' => f.write_str("<mark>␣</mark>")?,
            Look::Space => write!(f, "<mark>␣U+{:04X}</mark>", u32::from(c))?,
            Look::Ambiguous => {
                f.write_str("<mark>")?;
                write_escaped(f, c)?;
                write!(f, "<small>U+{:04X}</small></mark>", u32::from(c))?;
            }
        }
    }
    Ok(())
}

fn write_escaped(f: &mut fmt::Formatter<'_>, c: char) -> fmt::Result {
    match c {
        '&' => f.write_str("&amp;"),
        '<' => f.write_str("&lt;"),
        '>' => f.write_str("&gt;"),
        '"' => f.write_str("&quot;"),
        '\'' => f.write_str("&#39;"),
        c => f.write_char(c),
    }
}

fn looks(text: &str, place: Place) -> impl Iterator<Item = (char, Look)> {
    let last = text.chars().count().saturating_sub(1);
    let mut word_is_latin = false;
    let mut before = None;
    let mut combining = 0;
    let mut rest = text;
    text.chars().enumerate().map(move |(position, c)| {
        if before.is_none_or(|b: char| !b.is_alphabetic()) && c.is_alphabetic() {
            word_is_latin = rest
                .chars()
                .take_while(|c| c.is_alphabetic())
                .any(|c| c.is_ascii_alphabetic());
        }
        combining = if is_combining(c) { combining + 1 } else { 0 };
        let look = if is_hidden(c) {
            Look::Hidden
        } else if c.is_whitespace() {
            let overlooked = c != ' '
                || place != Place::Text
                    && (position == 0 || position == last || before == Some(' '));
            if overlooked { Look::Space } else { Look::Plain }
        } else if c.is_ascii() || is_mask(c) {
            Look::Plain
        } else if place == Place::Machine
            || is_disguised_latin(c)
            || is_latin_like_script(c) && word_is_latin
            || combining > 2
        {
            Look::Ambiguous
        } else {
            Look::Plain
        };
        before = Some(c);
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
        (c, look)
    })
}

/// The dot of [`mask_address`].
fn is_mask(c: char) -> bool {
    c == '•'
}

/// Controls, format characters (direction overrides, joiners, tags) and blanks that no
/// font draws: Unicode's Cc, Cf and Default_Ignorable_Code_Point, private use and
/// noncharacters.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(u32::from(c),
            0x00AD | 0x034F | 0x0600..=0x0605 | 0x061C | 0x06DD | 0x070F | 0x0890 | 0x0891 | 0x08E2
            | 0x115F | 0x1160 | 0x17B4 | 0x17B5 | 0x180B..=0x180F
            | 0x200B..=0x200F | 0x2028..=0x202E | 0x2060..=0x206F
            | 0x2800 | 0x3164 | 0xFE00..=0xFE0F | 0xFEFF | 0xFFA0 | 0xFFF0..=0xFFFD
            | 0x110BD | 0x110CD | 0x13430..=0x1343F | 0x1BCA0..=0x1BCA3 | 0x1D173..=0x1D17A
            | 0xE000..=0xF8FF | 0xE_0000..=0xE_0FFF | 0xF_0000..=0x10_FFFF)
}

/// Latin letters in disguise, in whatever word: full width, letterlike and mathematical.
fn is_disguised_latin(c: char) -> bool {
    matches!(u32::from(c), 0x2100..=0x214F | 0x24B6..=0x24E9 | 0xFF01..=0xFF5E | 0x1D400..=0x1D7FF)
}

/// Scripts with letters that pass for Latin ones: Greek, Cyrillic, Armenian, Cherokee, Lisu, Coptic.
fn is_latin_like_script(c: char) -> bool {
    matches!(u32::from(c),
        0x0370..=0x03FF | 0x0400..=0x052F | 0x0531..=0x058F | 0x13A0..=0x13FF
        | 0x1C80..=0x1C8F | 0x1F00..=0x1FFF | 0x2C80..=0x2CFF | 0xA4D0..=0xA4FF | 0xA640..=0xA69F | 0xAB70..=0xABBF)
}

fn is_combining(c: char) -> bool {
    matches!(u32::from(c), 0x0300..=0x036F | 0x1AB0..=0x1AFF | 0x1DC0..=0x1DFF | 0x20D0..=0x20FF | 0xFE20..=0xFE2F)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_quoted_is_code() {
        let shown = |text| Quoted(text).to_string();
        assert_eq!(
            shown("`a<b` needs `c`."),
            "<bdi><code>a&lt;b</code> needs <code>c</code>.</bdi>"
        );
        assert_eq!(shown("5` or more"), "<bdi>5` or more</bdi>");
        assert_eq!(shown("`a` and `"), "<bdi><code>a</code> and `</bdi>");
        assert_eq!(
            shown("`a\u{202E}b`"),
            "<bdi><code>a<mark>U+202E</mark>b</code></bdi>"
        );
    }

    fn value(text: &str) -> String {
        Words::from_parts([(text, true)]).to_string()
    }

    #[test]
    fn marks_values_and_keeps_the_sentence() {
        let sentence = "Erase everything on web-1.halden.example and install Debian twelve";
        let words = Words::new(
            sentence,
            &[
                ValueSpan { start: 20, end: 40 },
                ValueSpan { start: 53, end: 66 },
            ],
        );
        assert_eq!(words.plain(), sentence);
        assert_eq!(
            words.to_string(),
            "Erase everything on <b class=\"m\" dir=\"ltr\">web-1.halden.example</b> and install <b dir=\"auto\">Debian twelve</b>"
        );
        assert!(!words.has_marks());
    }

    #[test]
    fn ignores_spans_that_do_not_fit() {
        let words = Words::new(
            "aé b",
            &[
                ValueSpan { start: 2, end: 3 },
                ValueSpan { start: 9, end: 4 },
                ValueSpan { start: 3, end: 99 },
            ],
        );
        assert_eq!(words.to_string(), "aé b");
    }

    #[test]
    fn escapes_everything() {
        for text in ["<script>", "\"onload='x'", "a&b", "</b><img src=x>"] {
            let shown = value(text);
            let inner = shown
                .split_once('>')
                .and_then(|(_, rest)| rest.strip_suffix("</b>"))
                .unwrap();
            assert!(!inner.contains(['<', '>', '"', '\'']), "{inner}");
        }
        assert_eq!(Typed("<i>").to_string(), "<bdi>&lt;i&gt;</bdi>");
        assert_eq!(
            Machine("<i>").to_string(),
            "<span class=\"m\" dir=\"ltr\">&lt;i&gt;</span>"
        );
    }

    #[test]
    fn hidden_characters_become_visible() {
        for (text, mark) in [
            ("a\u{202E}b", "<mark>U+202E</mark>"),
            ("a\u{200B}b", "<mark>U+200B</mark>"),
            ("a\u{2066}b", "<mark>U+2066</mark>"),
            ("a\u{0}b", "<mark>U+0000</mark>"),
            ("a\nb", "<mark>U+000A</mark>"),
            ("a\u{E0041}b", "<mark>U+E0041</mark>"),
            ("a\u{3164}b", "<mark>U+3164</mark>"),
            ("a\u{A0}b", "<mark>␣U+00A0</mark>"),
            ("Halden  AB", " <mark>␣</mark>AB"),
            ("Halden AB ", "AB<mark>␣</mark>"),
            (" Halden AB", "<mark>␣</mark>Halden"),
        ] {
            let shown = value(text);
            assert!(shown.contains(mark), "{shown}");
            assert!(
                !shown.contains(['\u{202E}', '\u{200B}', '\u{2066}', '\0']),
                "{shown:?}"
            );
            assert!(Words::from_parts([(text, true)]).has_marks());
            let fixed = Words::from_parts([("a\u{202E}b", false)]).to_string();
            assert_eq!(fixed, "a<mark>U+202E</mark>b");
        }
        assert!(value("").contains('∅'));
    }

    #[test]
    fn look_alikes_are_named_and_names_left_in_peace() {
        assert!(
            value("p\u{430}ypal.example").contains("<mark>\u{430}<small>U+0430</small></mark>")
        );
        assert!(value("H\u{430}lden AB").contains("U+0430"));
        assert!(value("\u{FF21}cme AB").contains("U+FF21"));
        for name in [
            "Åsa Öberg",
            "Дмитрий Иванов",
            "Νίκος Παππάς",
            "דוד כהן",
            "田中 太郎",
        ] {
            assert!(!Words::from_parts([(name, true)]).has_marks(), "{name}");
        }
    }

    #[test]
    fn addresses_are_masked_and_nothing_else() {
        let words = Words::from_parts([
            ("from ", false),
            ("ops@halden-freight.example", true),
            (" to ", false),
            ("web-3", true),
        ]);
        assert_eq!(words.masked().plain(), "from o••@h••.example to web-3");
        assert!(!words.masked().has_marks());
    }
}
