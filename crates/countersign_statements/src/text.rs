//! A text as sentences: small letters, straight quotes, single spaces, and the way back to the bytes it was written in.

use std::ops::Range;

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
    pub(crate) fn new(text: &str, abbreviations: &[String]) -> Self {
        let mut plain = String::with_capacity(text.len());
        let mut back = Vec::with_capacity(text.len() + 1);
        let mut breaks = 0_usize;
        for (at, letter) in text.char_indices() {
            if letter.is_whitespace() {
                breaks += usize::from(letter == '\n');
                continue_space(&mut plain, &mut back, at, breaks);
                continue;
            }
            breaks = 0;
            let before = plain.len();
            match letter {
                '\u{2018}' | '\u{2019}' | '\u{201b}' | '\u{2bc}' | '`' => plain.push('\''),
                '\u{201c}' | '\u{201d}' | '\u{201e}' | '\u{ab}' | '\u{bb}' => plain.push('"'),
                '\u{2010}'..='\u{2015}' => plain.push('-'),
                // Marks of Markdown, and what cannot be seen.
                '*' | '_' | '#' | '>' | '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{feff}' => {}
                letter => plain.push(letter),
            }
            back.resize(back.len() + plain.len() - before, at);
        }
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

/// White space becomes one space, and an empty line ends a paragraph.
fn continue_space(plain: &mut String, back: &mut Vec<usize>, at: usize, breaks: usize) {
    match (plain.as_bytes().last(), breaks) {
        (None | Some(b'\n'), _) => {}
        (Some(b' '), 2..) => {
            plain.pop();
            plain.push('\n');
        }
        (Some(b' '), _) => {}
        (Some(_), _) => {
            plain.push(' ');
            back.push(at);
        }
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
    found.retain(|range| {
        plain
            .get(range.clone())
            .is_some_and(|sentence| sentence.chars().any(char::is_alphanumeric))
    });
    found
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
    fn every_range_leads_back_to_whole_letters() {
        let text = "İstanbul – “Über” ist\u{a0}… ẞ";
        let reading = Reading::new(text, &[]);
        for sentence in &reading.sentences {
            assert!(text.get(reading.original(sentence)).is_some());
        }
    }
}
