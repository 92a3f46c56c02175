//! A file in two goes, for whoever does not want the tree: first what it declares, its actions only by
//! name, then one action after the other. So there is never a tree of the whole file in memory.
//!
//! Nothing is explained here. Whoever gets nothing reads the file in one go, which reports every mistake.

use super::{Kind, Naming, Parser};
use crate::findings::Findings;
use crate::lexer::span;
use crate::model::Span;
use crate::tree::{ActionNode, Item, ItemKind, Word, Words};

/// The actions of a file, to be read one by one, and what it declares besides.
pub(crate) struct Outline<'s, 'f> {
    parser: Parser<'s, 'f>,
    /// Everything but the actions, in the order of the file.
    pub(crate) items: Vec<Item>,
    heads: Vec<Head>,
    /// The place in `heads` of the action that is read next.
    next: usize,
}

/// An action of which only the beginning was read.
struct Head {
    name: Word,
    /// Where it begins.
    start: u32,
    /// Its `}`.
    close: Span,
}

impl<'s, 'f> Outline<'s, 'f> {
    /// Nothing if there is a mistake outside the actions.
    pub(crate) fn read(source: &'s str, findings: &'f mut Findings) -> Option<Self> {
        let mut parser = Parser::new(source, findings);
        let mut items = Vec::new();
        let mut heads = Vec::new();
        while parser.peek().kind != Kind::End {
            if let Some(head) = parser.head() {
                heads.push(head);
            } else {
                items.extend(parser.item());
            }
            if parser.findings.errors() > 0 {
                return None;
            }
        }
        Some(Self {
            parser,
            items,
            heads,
            next: 0,
        })
    }

    /// Every word read so far.
    pub(crate) fn words(&self) -> &Words {
        &self.parser.words
    }

    /// The names of the actions, in the order of the file.
    pub(crate) fn names(&self) -> impl Iterator<Item = Word> {
        self.heads.iter().map(|head| head.name)
    }

    /// The next action and where it stands, or nothing after the last. `Err` if there is a mistake in it.
    pub(crate) fn next(&mut self) -> Result<Option<(Box<ActionNode>, Span)>, ()> {
        let Some(head) = self.heads.get(self.next) else {
            return Ok(None);
        };
        self.next += 1;
        if self.parser.peek().span.start != head.start {
            self.parser.seek(head.start);
        }
        match self.parser.item() {
            Some(Item {
                kind: ItemKind::Action(node),
                span,
                ..
            }) if node.close == head.close && self.parser.findings.errors() == 0 => {
                Ok(Some((node, span)))
            }
            _ => Err(()),
        }
    }
}

impl Parser<'_, '_> {
    /// The head of an action if one begins here; what stands between its braces is skipped.
    fn head(&mut self) -> Option<Head> {
        let start = self.peek();
        if !self.is_one_of(start, &["outside", "action"]) {
            return None;
        }
        if self.bump().kind == Kind::Word && self.is_word(start, "outside") {
            self.require("action");
        }
        let name = self.name("a name for the action", Naming::Action);
        self.quoted("words for the action");
        let open = self.peek();
        let close = (open.kind == Kind::LeftBrace)
            .then(|| self.closing(open.span.end))
            .flatten();
        let Some(close) = close else {
            self.expected("`{` and its `}`");
            return None;
        };
        self.seek(close.end);
        Some(Head {
            name,
            start: start.span.start,
            close,
        })
    }

    /// The `}` of a group from inside it, as the lexer would find it.
    fn closing(&self, inside: u32) -> Option<Span> {
        let bytes = self.source.as_bytes();
        let mut at = inside as usize;
        let mut depth = 0_usize;
        loop {
            at += bytes
                .get(at..)?
                .iter()
                .position(|byte| matches!(byte, b'{' | b'}' | b'#' | b'"'))?;
            match bytes.get(at)? {
                b'{' => depth += 1,
                b'}' if depth == 0 => return Some(span(at, at + 1)),
                b'}' => depth -= 1,
                b'#' => at += bytes.get(at..)?.iter().position(|byte| *byte == b'\n')?,
                b'"' => loop {
                    at += 1;
                    match bytes.get(at)? {
                        b'"' | b'\n' => break,
                        b'\\' => at += 1,
                        _ => {}
                    }
                },
                _ => {}
            }
            at += 1;
        }
    }

    /// Goes on from a place in the source where a token begins.
    fn seek(&mut self, place: u32) {
        self.lexer.seek(place);
        self.ahead = [
            self.lexer.next(self.findings),
            self.lexer.next(self.findings),
            self.lexer.next(self.findings),
        ];
    }
}
