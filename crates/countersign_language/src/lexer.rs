//! Text to tokens, one at a time. Comments go aside; bad characters are reported and skipped.

use crate::codes;
use crate::findings::Findings;
use crate::model::Span;
use crate::tree::Comment;

/// One token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) span: Span,
    /// Nothing but white space stands before it on its line.
    pub(crate) first_on_line: bool,
    /// It stands in the first column.
    pub(crate) at_margin: bool,
    /// An empty line stands before it.
    pub(crate) blank_before: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A keyword or name, well formed or not.
    Word,
    /// Something that begins with a digit: `2`, `24h`, `49.99`.
    Number,
    /// Quoted words; the span includes the quotes.
    Text,
    LeftBrace,
    RightBrace,
    LeftParenthesis,
    RightParenthesis,
    Comma,
    /// A run of `<`, `>`, `=`, `!`.
    Operator,
    /// The end of the file.
    End,
}

/// Reads tokens from a text.
#[derive(Debug)]
pub(crate) struct Lexer<'s> {
    source: &'s str,
    at: usize,
    /// Line breaks since the last token or comment.
    breaks: u32,
    /// Where the last token ended.
    last_end: usize,
    pub(crate) comments: Vec<Comment>,
}

impl<'s> Lexer<'s> {
    pub(crate) fn new(source: &'s str) -> Self {
        // A byte order mark is not part of the text.
        let at = if source.starts_with('\u{feff}') {
            '\u{feff}'.len_utf8()
        } else {
            0
        };
        Self {
            source,
            at,
            breaks: 1,
            last_end: 0,
            comments: Vec::new(),
        }
    }

    /// Goes on from a place where a token begins, and keeps no comments from before it.
    pub(crate) fn seek(&mut self, place: u32) {
        self.at = place as usize;
        self.breaks = 1;
        self.comments.clear();
    }

    /// The next token; [`Kind::End`] for ever after the last.
    pub(crate) fn next(&mut self, findings: &mut Findings) -> Token {
        loop {
            self.skip_space();
            let start = self.at;
            let first_on_line = self.breaks > 0;
            let blank_before = self.breaks > 1 && start > 0;
            let at_margin = start == 0 || self.byte_at(start - 1) == Some(b'\n');
            let kind = match self.byte_at(start) {
                None => Kind::End,
                Some(b'#') => {
                    self.comment(first_on_line, blank_before, findings);
                    continue;
                }
                Some(b'{') => self.single(Kind::LeftBrace),
                Some(b'}') => self.single(Kind::RightBrace),
                Some(b'(') => self.single(Kind::LeftParenthesis),
                Some(b')') => self.single(Kind::RightParenthesis),
                Some(b',') => self.single(Kind::Comma),
                Some(b'"') => self.quoted(findings),
                Some(b'<' | b'>' | b'=' | b'!') => {
                    self.skip_while(|byte| matches!(byte, b'<' | b'>' | b'=' | b'!'));
                    Kind::Operator
                }
                Some(b'0'..=b'9') => {
                    self.word();
                    Kind::Number
                }
                Some(b'-') if matches!(self.byte_at(start + 1), Some(b'0'..=b'9')) => {
                    self.at += 1;
                    self.word();
                    Kind::Number
                }
                Some(b'a'..=b'z' | b'A'..=b'Z' | b'_') => {
                    self.word();
                    Kind::Word
                }
                Some(_) => match self.char_at(start) {
                    Some(letter) if letter.is_alphabetic() => {
                        self.word();
                        Kind::Word
                    }
                    Some('“' | '”' | '„' | '«' | '»') => self.curly(findings),
                    _ => {
                        self.unknown(findings);
                        continue;
                    }
                },
            };
            self.breaks = 0;
            self.last_end = self.at;
            return Token {
                kind,
                span: span(start, self.at),
                first_on_line,
                at_margin,
                blank_before,
            };
        }
    }

    fn byte_at(&self, at: usize) -> Option<u8> {
        self.source.as_bytes().get(at).copied()
    }

    fn char_at(&self, at: usize) -> Option<char> {
        self.source.get(at..).and_then(|rest| rest.chars().next())
    }

    fn slice(&self, start: usize, end: usize) -> &'s str {
        self.source.get(start..end).unwrap_or("")
    }

    fn skip_space(&mut self) {
        let mut breaks = self.breaks;
        self.skip_while(|byte| {
            breaks = breaks.saturating_add(u32::from(byte == b'\n'));
            matches!(byte, b' ' | b'\n' | b'\t' | b'\r')
        });
        self.breaks = breaks;
    }

    fn skip_while(&mut self, mut wanted: impl FnMut(u8) -> bool) {
        let rest = self.source.as_bytes().get(self.at..).unwrap_or_default();
        self.at += rest
            .iter()
            .position(|byte| !wanted(*byte))
            .unwrap_or(rest.len());
    }

    fn single(&mut self, kind: Kind) -> Kind {
        self.at += 1;
        kind
    }

    /// Letters, digits, `_`, and between them dots and hyphens.
    fn word(&mut self) {
        loop {
            self.skip_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.'));
            match self.byte_at(self.at) {
                Some(b'-')
                    if matches!(
                        self.byte_at(self.at + 1),
                        Some(b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9')
                    ) =>
                {
                    self.at += 1;
                }
                Some(byte) if !byte.is_ascii() => match self.char_at(self.at) {
                    Some(letter) if letter.is_alphanumeric() => self.at += letter.len_utf8(),
                    _ => return,
                },
                _ => return,
            }
        }
    }

    /// From a quote to the next on the same line.
    fn quoted(&mut self, findings: &mut Findings) -> Kind {
        let start = self.at;
        self.at += 1;
        loop {
            self.skip_while(|byte| !matches!(byte, b'"' | b'\\' | b'\n'));
            match self.byte_at(self.at) {
                Some(b'"') => {
                    self.at += 1;
                    break;
                }
                Some(b'\\') => {
                    let next = self.char_at(self.at + 1);
                    match next {
                        Some('"' | '\\') => {}
                        Some(other) if other != '\n' && other != '\r' => {
                            let end = self.at + 1 + other.len_utf8();
                            let escape = self.slice(self.at, end);
                            if let Some(finding) =
                                findings.add(codes::BAD_ESCAPE, span(self.at, end), || {
                                    format!("`{escape}` is not an escape")
                                })
                            {
                                finding.help("write `\\\"` for a quote and `\\\\` for a backslash; there are no others");
                            }
                        }
                        _ => {
                            self.at += 1;
                            continue;
                        }
                    }
                    self.at += 1 + next.map_or(0, char::len_utf8);
                }
                _ => {
                    // Blanks before the line's end are not part of what was meant.
                    let end = start + self.slice(start, self.at).trim_end().len();
                    self.at = end.max(start + 1);
                    if let Some(finding) =
                        findings.add(codes::UNTERMINATED_TEXT, span(start, self.at), || {
                            "these quoted words have no closing quote".to_owned()
                        })
                    {
                        finding.help("close them with `\"` on the same line");
                    }
                    break;
                }
            }
        }
        self.look_for_invisible(start, self.at, findings);
        Kind::Text
    }

    /// Typographic quotes: one finding, and read on as if they were straight.
    fn curly(&mut self, findings: &mut Findings) -> Kind {
        let start = self.at;
        self.at += self.char_at(start).map_or(1, char::len_utf8);
        while let Some(letter) = self.char_at(self.at) {
            if letter == '\n' {
                break;
            }
            self.at += letter.len_utf8();
            if matches!(letter, '“' | '”' | '"' | '«' | '»') {
                break;
            }
        }
        let end = start + self.char_at(start).map_or(1, char::len_utf8);
        let quote = self.slice(start, end);
        if let Some(finding) = findings.add(codes::UNKNOWN_CHARACTER, span(start, end), || {
            format!("`{quote}` is not a quote that is understood here")
        }) {
            finding.help("write straight quotes: `\"…\"`");
        }
        Kind::Text
    }

    fn comment(&mut self, first_on_line: bool, blank_before: bool, findings: &mut Findings) {
        let start = self.at;
        self.skip_while(|byte| byte != b'\n');
        let text = self.slice(start, self.at).trim_end();
        let end = start + text.len();
        self.look_for_invisible(start, end, findings);
        self.comments.push(Comment {
            text: text.into(),
            span: span(start, end),
            own_line: first_on_line,
            follows: span(self.last_end, self.last_end).end,
            blank_before,
        });
        self.breaks = 0;
    }

    /// A run of characters that mean nothing.
    fn unknown(&mut self, findings: &mut Findings) {
        let start = self.at;
        while let Some(letter) = self.char_at(self.at) {
            if letter.is_alphanumeric()
                || letter.is_whitespace()
                || "#{}(),\"<>=!_“”„«»".contains(letter)
            {
                break;
            }
            self.at += letter.len_utf8();
        }
        if self.at == start {
            // A space that is none of ours, such as a no-break space.
            self.at += self.char_at(start).map_or(1, char::len_utf8);
        }
        let run = self.slice(start, self.at);
        if run.chars().any(is_invisible) || run.trim().is_empty() {
            invisible(run, span(start, self.at), findings);
            return;
        }
        let place = span(start, self.at);
        if let Some(finding) = findings.add(codes::UNKNOWN_CHARACTER, place, || {
            format!("`{}` means nothing here", abbreviated(run))
        }) {
            match run {
                ";" => finding.help("requirements need no separator; leave it out"),
                ":" => finding.help("leave it out: names and words follow their keyword directly"),
                "'" => finding.help("write straight double quotes: `\"…\"`"),
                "/" | "//" | "/*" => finding.help("a comment begins with `#`"),
                "&" | "&&" => finding.help("write `and`"),
                "|" | "||" => finding.help("write `or`"),
                _ => finding.help("outside quotes there are names, numbers, and `{ } ( ) , #`"),
            };
        }
    }

    fn look_for_invisible(&self, start: usize, end: usize, findings: &mut Findings) {
        let text = self.slice(start, end);
        if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            return;
        }
        let tab_is_fine = text.starts_with('#');
        for (offset, letter) in text.char_indices() {
            if is_invisible(letter) && !(tab_is_fine && letter == '\t') {
                let at = start + offset;
                invisible(
                    self.slice(at, at + letter.len_utf8()),
                    span(at, at + letter.len_utf8()),
                    findings,
                );
            }
        }
    }
}

/// Characters that people do not see although they may change what people see.
pub(crate) fn is_invisible(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

fn invisible(run: &str, place: Span, findings: &mut Findings) {
    let first = run.chars().next().map_or(0, u32::from);
    if let Some(finding) = findings.add(codes::INVISIBLE_CHARACTER, place, || {
        format!("U+{first:04X} is a character that nobody can see")
    }) {
        finding.help("take it out: people must see exactly what they sign");
    }
}

/// A user's words, short enough for one line.
pub(crate) fn abbreviated(words: &str) -> String {
    const MOST: usize = 40;
    let shown: String = words
        .chars()
        .take(MOST)
        .map(|letter| {
            if is_invisible(letter) {
                '\u{fffd}'
            } else {
                letter
            }
        })
        .collect();
    if words.chars().nth(MOST).is_some() {
        format!("{shown}…")
    } else {
        shown
    }
}

/// INVARIANT: texts are at most `read::LARGEST` bytes long, so no place is cut off.
pub(crate) fn span(start: usize, end: usize) -> Span {
    Span {
        start: u32::try_from(start).unwrap_or(u32::MAX),
        end: u32::try_from(end).unwrap_or(u32::MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<Kind> {
        let mut findings = Findings::default();
        let mut lexer = Lexer::new(text);
        let mut kinds = Vec::new();
        loop {
            let token = lexer.next(&mut findings);
            if token.kind == Kind::End {
                return kinds;
            }
            kinds.push(token.kind);
        }
    }

    #[test]
    fn every_kind() {
        use Kind::*;
        assert_eq!(
            kinds("sign-off 1 server.reinstall \"a \\\" b\" {}(), <= 24h -0.5 # end"),
            [
                Word,
                Number,
                Word,
                Text,
                LeftBrace,
                RightBrace,
                LeftParenthesis,
                RightParenthesis,
                Comma,
                Operator,
                Number,
                Number
            ]
        );
    }

    #[test]
    fn blank_lines_and_margins() {
        let mut findings = Findings::default();
        let mut lexer = Lexer::new("a\n\n  b\nc # d\n\n# e\nf");
        let tokens: Vec<Token> = (0..4).map(|_| lexer.next(&mut findings)).collect();
        assert_eq!(
            tokens
                .iter()
                .map(|token| token.blank_before)
                .collect::<Vec<_>>(),
            [false, true, false, false]
        );
        assert_eq!(
            tokens
                .iter()
                .map(|token| token.at_margin)
                .collect::<Vec<_>>(),
            [true, false, true, true]
        );
        assert_eq!(
            lexer
                .comments
                .iter()
                .map(|comment| comment.own_line)
                .collect::<Vec<_>>(),
            [false, true]
        );
        assert_eq!(
            lexer
                .comments
                .iter()
                .map(|comment| comment.blank_before)
                .collect::<Vec<_>>(),
            [false, true]
        );
    }
}
