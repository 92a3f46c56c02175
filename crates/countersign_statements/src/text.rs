//! A text as sentences: small letters, straight quotes, single spaces, and the way back to the bytes it was written in.

use std::ops::Range;

use regex::Regex;
use unicode_segmentation::UnicodeSegmentation as _;

/// A text in the form that rules are written for.
#[derive(Debug)]
pub(crate) struct Reading {
    /// The whole, ASCII in small letters.
    plain: String,
    /// For each byte of `plain`, and for its end, the byte of the original.
    back: Vec<usize>,
    /// Ranges of `plain`.
    pub(crate) sentences: Vec<Range<usize>>,
    /// Ranges of `plain` inside of double quotation marks.
    quoted: Vec<Range<usize>>,
}

impl Reading {
    /// Reads a text; `abbreviations` do not end a sentence.
    ///
    /// Tags of HTML are left out and its commonest entities are letters, because statements are pasted from mail
    /// programs and web pages. A line that is an item of a list, a heading, or longer than anybody wraps, stands alone.
    pub(crate) fn new(text: &str, abbreviations: &[String]) -> Self {
        let mut plain = Plain {
            text: String::with_capacity(text.len()),
            back: Vec::with_capacity(text.len() + 1),
        };
        let mut rest = text;
        let mut line_start = 0;
        // Nothing after the last `>` is a tag.
        let tags_end = text.rfind('>').map_or(0, |last| last + 1);
        while let Some(letter) = rest.chars().next() {
            let at = text.len() - rest.len();
            rest = rest.get(letter.len_utf8()..).unwrap_or_default();
            match letter {
                '<' if at < tags_end => match Tag::read(rest) {
                    Some(tag) => {
                        if tag.breaks {
                            plain.end_paragraph(at);
                        }
                        rest = rest.get(tag.length..).unwrap_or_default();
                    }
                    None => plain.push('<', at),
                },
                '&' => match entity(rest) {
                    Some((letter, length)) => {
                        plain.letter(letter, at);
                        rest = rest.get(length..).unwrap_or_default();
                    }
                    None => plain.push('&', at),
                },
                '\n' => {
                    let line = at - line_start;
                    line_start = at + 1;
                    let next = rest.trim_start_matches([' ', '\t', '\r']);
                    if next.is_empty()
                        || next.starts_with('\n')
                        || line > WRAPPED_MAX
                        || (line < WRAPPED_MIN && begins_with_capital(next))
                        || is_item(next)
                    {
                        plain.end_paragraph(at);
                    } else {
                        plain.space(at);
                    }
                }
                letter => plain.letter(letter, at),
            }
        }
        let Plain {
            text: mut plain,
            mut back,
        } = plain;
        back.push(text.len());
        // Capitals say where sentences begin; after that only small letters count, and no byte moves.
        let sentences = sentences(&plain, abbreviations);
        plain.make_ascii_lowercase();
        let quoted = quoted(&plain);
        Self {
            plain,
            back,
            sentences,
            quoted,
        }
    }

    /// Counts as said by the text itself what it quotes of its own people: a press release apologises in its chairman's words.
    ///
    /// `speaker` is looked for beside the quotation, in its paragraph and outside of any other.
    pub(crate) fn said_by_its_own(mut self, speaker: &Regex) -> Self {
        let is_own = |quote: &Range<usize>| {
            let before = nearby(&self.plain, quote.start, Side::Before);
            let after = nearby(&self.plain, quote.end, Side::After);
            speaker.is_match(before) || speaker.is_match(after)
        };
        let others = self.quoted.iter().filter(|quote| !is_own(quote)).cloned();
        self.quoted = others.collect();
        self
    }

    /// A sentence's letters.
    pub(crate) fn of(&self, sentence: &Range<usize>) -> &str {
        self.plain.get(sentence.clone()).unwrap_or_default()
    }

    /// Where a range of the plain text was in the original.
    pub(crate) fn original(&self, plain: &Range<usize>) -> Range<usize> {
        let end = self.back.last().copied().unwrap_or_default();
        let at = |byte: usize| self.back.get(byte).copied().unwrap_or(end);
        // The end is where the byte after the last one begins: a letter may be longer in the original.
        at(plain.start)..at(plain.end).max(at(plain.start))
    }

    /// Whether all of it is said in somebody's words.
    pub(crate) fn is_quoted(&self, plain: &Range<usize>) -> bool {
        self.quoted
            .iter()
            .any(|quote| quote.start <= plain.start && plain.end <= quote.end)
    }

    /// Number of words.
    pub(crate) fn words(&self) -> usize {
        self.plain.unicode_words().count()
    }
}

/// Lines that somebody wrapped are at least so long, in bytes, and no longer than that.
const WRAPPED_MIN: usize = 50;
const WRAPPED_MAX: usize = 130;

/// Longest sentence that is looked at as one, in bytes.
const SENTENCE_MAX: usize = 2_000;

/// The plain text as it grows.
struct Plain {
    text: String,
    back: Vec<usize>,
}

impl Plain {
    fn letter(&mut self, letter: char, at: usize) {
        match letter {
            letter if letter.is_whitespace() => self.space(at),
            '\u{2018}' | '\u{2019}' | '\u{201b}' | '\u{2bc}' | '`' => self.push('\'', at),
            '\u{201c}' | '\u{201d}' | '\u{201e}' | '\u{ab}' | '\u{bb}' => self.push('"', at),
            '\u{2010}'..='\u{2015}' => self.push('-', at),
            // Marks of Markdown, and what cannot be seen.
            '*' | '_' | '#' | '>' | '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{feff}' => {}
            letter => self.push(letter, at),
        }
    }

    fn push(&mut self, letter: char, at: usize) {
        self.text.push(letter);
        self.back.resize(self.text.len(), at);
    }

    /// White space becomes one space.
    fn space(&mut self, at: usize) {
        if !matches!(self.text.as_bytes().last(), None | Some(b' ' | b'\n')) {
            self.push(' ', at);
        }
    }

    fn end_paragraph(&mut self, at: usize) {
        if self.text.ends_with(' ') {
            self.text.pop();
            self.back.pop();
        }
        if !matches!(self.text.as_bytes().last(), None | Some(b'\n')) {
            self.push('\n', at);
        }
    }
}

/// What stands after a `<`.
struct Tag {
    /// Bytes until after its `>`, or after the end of a script or style.
    length: usize,
    /// Whether a new paragraph begins.
    breaks: bool,
}

impl Tag {
    /// Tags are at most so long, or they are none.
    const LONGEST: usize = 1_000;

    fn read(rest: &str) -> Option<Self> {
        let name_from = usize::from(rest.starts_with('/') || rest.starts_with('!'));
        let name: String = rest
            .chars()
            .skip(name_from)
            .take_while(char::is_ascii_alphanumeric)
            .take(12)
            .collect::<String>()
            .to_ascii_lowercase();
        if !name.starts_with(|first: char| first.is_ascii_alphabetic()) && !rest.starts_with("!--")
        {
            return None;
        }
        let end = rest
            .bytes()
            .take(Self::LONGEST)
            .position(|byte| byte == b'>')?
            + 1;
        let length = match name.as_str() {
            "script" | "style" if name_from == 0 => {
                let close = format!("</{name}");
                let from = rest.get(end..)?;
                match from.find(&close) {
                    Some(at) => end + at,
                    None => end,
                }
            }
            _ => end,
        };
        let inline = matches!(
            name.as_str(),
            "a" | "abbr"
                | "b"
                | "code"
                | "em"
                | "font"
                | "i"
                | "mark"
                | "s"
                | "small"
                | "span"
                | "strong"
                | "sub"
                | "sup"
                | "time"
                | "u"
        );
        Some(Self {
            length,
            breaks: !inline,
        })
    }
}

/// The letter of an entity, and the bytes after its `&`.
fn entity(rest: &str) -> Option<(char, usize)> {
    let end = rest.bytes().take(9).position(|byte| byte == b';')?;
    let name = rest.get(..end)?;
    let letter = match name {
        "amp" => '&',
        "nbsp" => ' ',
        "lt" => '<',
        "gt" => '>',
        "quot" | "ldquo" | "rdquo" | "bdquo" | "laquo" | "raquo" => '"',
        "apos" | "lsquo" | "rsquo" => '\'',
        "ndash" | "mdash" => '-',
        "hellip" => '\u{2026}',
        "euro" => '\u{20ac}',
        "pound" => '\u{a3}',
        "bull" | "middot" => '\u{2022}',
        _ => {
            let number = name.strip_prefix('#')?;
            let number = match number.strip_prefix(['x', 'X']) {
                Some(hexadecimal) => u32::from_str_radix(hexadecimal, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(number)?
        }
    };
    Some((letter, end + 1))
}

fn begins_with_capital(line: &str) -> bool {
    line.chars().next().is_some_and(char::is_uppercase)
}

/// Whether a line is an item of a list, a heading of Markdown, or one of its rules.
fn is_item(line: &str) -> bool {
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    match line.as_bytes() {
        [b'-' | b'*' | b'+', b' ', ..] | [b'#', ..] => true,
        bytes if (1..=3).contains(&digits) => matches!(
            (bytes.get(digits), bytes.get(digits + 1)),
            (Some(b'.' | b')'), Some(b' '))
        ),
        _ => line.starts_with('\u{2022}') || line.starts_with('\u{25cf}'),
    }
}

fn sentences(plain: &str, abbreviations: &[String]) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut open = false;
    for (at, part) in plain.split_sentence_bound_indices() {
        let end = at + part.len();
        match found.last_mut() {
            Some(last) if open => last.end = end,
            _ => found.push(at..end),
        }
        let ended = part.trim_end();
        open = !part.ends_with('\n')
            && abbreviations.iter().any(|short| {
                let from = ended.len().saturating_sub(short.len());
                ended
                    .get(from..)
                    .is_some_and(|end| end.eq_ignore_ascii_case(short))
                    && {
                        ended
                            .get(..from)
                            .unwrap_or_default()
                            .chars()
                            .next_back()
                            .is_none_or(|letter| !letter.is_alphanumeric())
                    }
            });
    }
    let mut found: Vec<Range<usize>> = found
        .into_iter()
        .flat_map(|range| pieces(plain, range))
        .collect();
    found.retain(|range| {
        plain
            .get(range.clone())
            .is_some_and(|sentence| sentence.chars().any(char::is_alphanumeric))
    });
    found
}

/// A sentence, or what is looked at instead of one that never ends.
fn pieces(plain: &str, range: Range<usize>) -> Vec<Range<usize>> {
    let mut pieces = Vec::new();
    let mut from = range.start;
    while range.end - from > SENTENCE_MAX {
        let mut to = from + SENTENCE_MAX;
        while !plain.is_char_boundary(to) {
            to -= 1;
        }
        let space = plain.get(from..to).and_then(|piece| piece.rfind(' '));
        to = space.filter(|at| *at > 0).map_or(to, |at| from + at);
        pieces.push(from..to);
        from = to;
    }
    pieces.push(from..range.end);
    pieces
}

fn quoted(plain: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for paragraph in paragraphs(plain) {
        let marks: Vec<usize> = plain
            .get(paragraph.clone())
            .unwrap_or_default()
            .match_indices('"')
            .map(|(at, _)| at + paragraph.start)
            .collect();
        found.extend(marks.chunks_exact(2).filter_map(|pair| match pair {
            [open, close] => Some(*open..*close + 1),
            _ => None,
        }));
    }
    found
}

#[derive(Clone, Copy)]
enum Side {
    Before,
    After,
}

/// Who said something stands at most so many bytes beside it.
const SPEAKER_WITHIN: usize = 160;

/// The words on one side of `at` in its paragraph, as far as the next quotation mark.
fn nearby(plain: &str, at: usize, side: Side) -> &str {
    let whole = match side {
        Side::Before => plain.get(..at),
        Side::After => plain.get(at..),
    };
    let whole = whole.unwrap_or_default();
    match side {
        Side::Before => {
            let mut from = whole.len().saturating_sub(SPEAKER_WITHIN);
            while !whole.is_char_boundary(from) {
                from += 1;
            }
            let near = whole.get(from..).unwrap_or_default();
            near.rsplit(['\n', '"']).next().unwrap_or_default()
        }
        Side::After => {
            let mut to = whole.len().min(SPEAKER_WITHIN);
            while !whole.is_char_boundary(to) {
                to -= 1;
            }
            let near = whole.get(..to).unwrap_or_default();
            near.split(['\n', '"']).next().unwrap_or_default()
        }
    }
}

fn paragraphs(plain: &str) -> impl Iterator<Item = Range<usize>> {
    let mut start = 0;
    plain.split('\n').map(move |paragraph| {
        let range = start..start + paragraph.len();
        start = range.end + 1;
        range
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hard_wrapped_line_goes_on_and_an_empty_line_ends() {
        let reading = Reading::new("We are\nsorry. Ms. Hale’s\n\nserver", &["ms.".into()]);
        let read: Vec<&str> = reading.sentences.iter().map(|at| reading.of(at)).collect();
        assert_eq!(read, ["we are sorry. ", "ms. hale's\n", "server"]);
    }

    #[test]
    fn a_chairman_speaks_for_the_text_and_a_customer_does_not() {
        let speaker = Regex::new(r"\bsaid .*(?:chairman|director)\b").unwrap();
        let text = "“We are sorry,” said the chairman. “It was us.” A customer said “a stranger called”.\n\n“Not I”";
        let reading = Reading::new(text, &[]).said_by_its_own(&speaker);
        let quoted: Vec<&str> = reading.quoted.iter().map(|at| reading.of(at)).collect();
        assert_eq!(quoted, ["\"a stranger called\"", "\"not i\""]);
    }

    fn read(text: &str) -> Vec<String> {
        let reading = Reading::new(text, &[]);
        let sentences = reading.sentences.iter();
        sentences
            .map(|at| reading.of(at).trim().to_owned())
            .collect()
    }

    #[test]
    fn tags_are_left_out_and_entities_are_letters() {
        assert_eq!(
            read(
                "<style>p{}</style><p class=\"a\">We&rsquo;re <b>sorry</b>&#33;</p><ul><li>One<li>Two &lt; 3</ul> 1 < 2 & <3"
            ),
            ["we're sorry!", "one", "two < 3", "1 < 2 & <3"]
        );
    }

    #[test]
    fn headings_and_items_stand_alone() {
        assert_eq!(
            read("# What happened\nWe lost it\n- one\n- two\n\nWhat we do\nThe rest"),
            [
                "what happened",
                "we lost it",
                "- one",
                "- two",
                "what we do",
                "the rest"
            ]
        );
    }

    #[test]
    fn a_sentence_that_never_ends_is_looked_at_in_pieces() {
        let text = "never ending ".repeat(1_000);
        let reading = Reading::new(&text, &[]);
        assert!(reading.sentences.len() > 5);
        assert!(reading.sentences.iter().all(|at| at.len() <= SENTENCE_MAX));
    }

    #[test]
    fn every_range_leads_back_to_whole_letters() {
        let text = "İstanbul – “Über” ist\u{a0}… ẞ";
        let reading = Reading::new(text, &[]);
        for sentence in &reading.sentences {
            assert!(text.get(reading.original(sentence)).is_some());
        }
    }
}
