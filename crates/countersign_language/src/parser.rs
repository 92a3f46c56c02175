//! Tokens to a tree, by recursive descent, reporting every mistake and never stopping at one.
//!
//! After a mistake inside a requirement, clause or declaration the parser
//! skips to the next place where one of those can begin. It reports at most
//! one mistake per token, so that one slip is one finding.

mod action;
mod drill;
mod outline;
mod promise;

pub(crate) use action::{DEEPEST, check_n_of, millionths, push_flat, zero};
pub(crate) use outline::Outline;

use crate::codes::{self, Code};
use crate::diagnostic::Diagnostic;
use crate::findings::Findings;
use crate::lexer::{Kind, Lexer, Token, abbreviated, span};
use crate::model::{Duration, HoldingKind, Span, Unit};
use crate::refused;
use crate::suggest::nearest;
use crate::tree::{Clause, Count, ExposureNode, Item, ItemKind, LineNode, Tree, Word, Words};

/// Reads a whole file. The text must be at most `u32::MAX` bytes long.
pub(crate) fn parse(source: &str, findings: &mut Findings) -> Tree {
    let errors_before = findings.errors();
    let mut parser = Parser::new(source, findings);
    let mut items = Vec::new();
    while parser.peek().kind != Kind::End {
        if let Some(item) = parser.item() {
            items.push(item);
        }
    }
    let Parser {
        words,
        lexer,
        findings,
        ..
    } = parser;
    Tree {
        words,
        items,
        comments: lexer.comments,
        broken: findings.errors() > errors_before,
    }
}

/// The words a declaration begins with.
const DECLARATIONS: [&str; 12] = [
    "organisation",
    "staff",
    "secret",
    "channel",
    "device",
    "state",
    "proof",
    "loss",
    "action",
    "outside",
    "promise",
    "drill",
];

/// Words that name a role would make ambiguous or unreadable.
const NOT_FOR_ROLES: [&str; 17] = [
    "prove", "notify", "wait", "backup", "when", "at", "path", "customer", "secret", "secrets",
    "channel", "channels", "device", "devices", "any", "confirms", "deceived",
];
/// Words that name a holding or proof would make ambiguous or unreadable.
const NOT_FOR_HOLDINGS: [&str; 6] = ["every", "any", "notices", "and", "or", "settled"];

struct Parser<'s, 'f> {
    source: &'s str,
    lexer: Lexer<'s>,
    findings: &'f mut Findings,
    ahead: [Token; 3],
    words: Words,
    /// Clauses of the action that is being read, so that each action keeps just as many as it has.
    clauses: Vec<Clause>,
    /// The same for the lines of the path that is being read.
    lines: Vec<LineNode>,
    /// The token taken last.
    previous: Span,
    /// Where the last mistake was reported, so that it is not reported twice.
    last_mistake: u32,
    /// Something else stood where something was expected, so that what follows may belong to nothing.
    lost: bool,
}

impl<'s, 'f> Parser<'s, 'f> {
    fn new(source: &'s str, findings: &'f mut Findings) -> Self {
        let mut lexer = Lexer::new(source);
        let ahead = [
            lexer.next(findings),
            lexer.next(findings),
            lexer.next(findings),
        ];
        Self {
            source,
            lexer,
            findings,
            ahead,
            words: Words::for_text_of(source.len()),
            clauses: Vec::new(),
            lines: Vec::new(),
            previous: Span::default(),
            last_mistake: u32::MAX,
            lost: false,
        }
    }
}

impl<'s> Parser<'s, '_> {
    /// One declaration, or nothing where none could be read; takes at least one token.
    fn item(&mut self) -> Option<Item> {
        let first = self.peek();
        self.lost = false;
        let keyword = self.keyword(&DECLARATIONS, "a declaration");
        let kind = match keyword {
            Some("organisation") => ItemKind::Organisation {
                label: self.quoted("the organisation's name"),
            },
            Some("staff") => self.staff(),
            Some("secret") => self.holding(HoldingKind::Secret),
            Some("channel") => self.holding(HoldingKind::Channel),
            Some("device") => self.holding(HoldingKind::Device),
            Some("state") => self.holding(HoldingKind::State),
            Some("proof") => self.proof(),
            Some("loss") => {
                let name = self.name("a name for the loss", Naming::Plain);
                ItemKind::Loss {
                    name,
                    label: self.quoted("words for the loss"),
                }
            }
            Some("outside") => {
                self.require("action");
                self.action(true)
            }
            Some("action") => self.action(false),
            Some("drill") => self.drill(),
            Some(_) => self.promise(),
            None => {
                self.recover_top();
                return None;
            }
        };
        let span = self.since(first.span);
        if self.lost {
            self.recover_top();
        }
        Some(Item {
            kind,
            span,
            blank_before: first.blank_before,
        })
    }

    fn staff(&mut self) -> ItemKind {
        let name = self.name("a name for the role", Naming::Role);
        let label = self.quoted("words for the role");
        let mut includes = Box::default();
        if self.optional("includes", &["includes"]) {
            includes = self.names("a role", Naming::Any);
        }
        ItemKind::Staff {
            name,
            label,
            includes,
        }
    }

    fn holding(&mut self, kind: HoldingKind) -> ItemKind {
        const OPTIONS: [&str; 3] = ["using", "public", "visible"];
        let (name, label) = match kind {
            HoldingKind::Secret => ("a name for the secret", "words for the secret"),
            HoldingKind::Channel => ("a name for the channel", "words for the channel"),
            HoldingKind::Device => ("a name for the device", "words for the device"),
            HoldingKind::State => ("a name for the state", "words for the state"),
        };
        let name = self.name(name, Naming::Holding);
        let label = self.quoted(label);
        let mut using = None;
        let mut exposure = ExposureNode::Hidden;
        loop {
            let start = self.peek().span;
            if self.optional("using", &OPTIONS) {
                let method = self.name("a method", Naming::Any);
                if using.replace(method).is_some() {
                    self.repeated(self.since(start), "using");
                }
            } else if self.accept("public") {
                self.expose(&mut exposure, ExposureNode::Public, start);
            } else if self.accept("visible") {
                self.require("to");
                let role = self.name("a role", Naming::Any);
                self.expose(&mut exposure, ExposureNode::VisibleTo(role), start);
            } else {
                return ItemKind::Holding {
                    kind,
                    name,
                    label,
                    using,
                    exposure,
                };
            }
        }
    }

    fn expose(&mut self, exposure: &mut ExposureNode, new: ExposureNode, start: Span) {
        if matches!(exposure, ExposureNode::Hidden) {
            *exposure = new;
        } else {
            let place = self.since(start);
            self.repeated(place, "who can read it");
        }
    }

    fn proof(&mut self) -> ItemKind {
        let name = self.name("a name for the proof", Naming::Holding);
        let label = self.quoted("words for the proof");
        self.require("shows");
        let shows = self.name("the holding it shows", Naming::Any);
        self.require("using");
        let using = self.name("a method", Naming::Any);
        ItemKind::Proof {
            name,
            label,
            shows,
            using,
        }
    }

    // Words.

    fn peek(&self) -> Token {
        let [first, ..] = self.ahead;
        first
    }

    fn peek_second(&self) -> Token {
        let [_, second, _] = self.ahead;
        second
    }

    fn peek_third(&self) -> Token {
        let [.., third] = self.ahead;
        third
    }

    fn bump(&mut self) -> Token {
        let [first, second, third] = self.ahead;
        self.ahead = [second, third, self.lexer.next(self.findings)];
        if first.kind != Kind::End {
            self.previous = first.span;
        }
        first
    }

    fn text_of(&self, token: Token) -> &'s str {
        self.slice(token.span)
    }

    fn slice(&self, span: Span) -> &'s str {
        self.source
            .get(span.start as usize..span.end as usize)
            .unwrap_or("")
    }

    fn is_word(&self, token: Token, word: &str) -> bool {
        token.kind == Kind::Word && self.text_of(token) == word
    }

    fn is_one_of(&self, token: Token, words: &[&str]) -> bool {
        token.kind == Kind::Word && words.contains(&self.text_of(token))
    }

    /// From the start of one token to the end of the last one taken.
    fn since(&self, start: Span) -> Span {
        Span {
            start: start.start,
            end: self.previous.end.max(start.start),
        }
    }

    /// Takes the word if it is there.
    fn accept(&mut self, word: &str) -> bool {
        let there = self.is_word(self.peek(), word);
        if there {
            self.bump();
        }
        there
    }

    /// Takes the word, also if it is only nearly there.
    fn require(&mut self, word: &str) -> bool {
        if self.accept(word) {
            return true;
        }
        let token = self.peek();
        if token.kind == Kind::Word && nearest(self.text_of(token), [word]).is_some() {
            self.misspelt(token, word);
            self.bump();
            return true;
        }
        self.expected(&format!("`{word}`"));
        false
    }

    /// Takes the word if it is there, or nearly; other words on the same line are mistakes for one of `all`.
    fn optional(&mut self, word: &str, all: &[&str]) -> bool {
        if self.accept(word) {
            return true;
        }
        let token = self.peek();
        if token.kind != Kind::Word
            || token.first_on_line
            || self.is_declaration(token)
            || self.is_one_of(token, all)
        {
            return false;
        }
        let found = self.text_of(token);
        match nearest(found, all.iter().copied()) {
            Some(near) if near == word => {
                self.misspelt(token, word);
                self.bump();
                true
            }
            _ => false,
        }
    }

    fn misspelt(&mut self, token: Token, word: &str) {
        let found = self.text_of(token);
        if let Some(finding) = self.mistake(codes::UNKNOWN_KEYWORD, token.span, || {
            format!("`{}` is not a keyword", abbreviated(found))
        }) {
            finding.help(format!("did you mean `{word}`?"));
        }
    }

    /// Takes a keyword that begins something, also if it is only nearly there.
    /// Says what was found instead, and takes that, if none is.
    fn keyword(&mut self, all: &'static [&'static str], what: &str) -> Option<&'static str> {
        let token = self.peek();
        let found = self.text_of(token);
        if token.kind != Kind::Word {
            self.expected(what);
            self.bump();
            return None;
        }
        if let Some(keyword) = all.iter().copied().find(|keyword| *keyword == found) {
            self.bump();
            return Some(keyword);
        }
        if refused::refuse(
            found,
            self.text_of(self.peek_second()),
            self.text_of(self.peek_third()),
            token.span,
            self.findings,
        ) {
            self.last_mistake = token.span.start;
            self.bump();
            return None;
        }
        let near = nearest(found, all.iter().copied());
        let other = synonym(found).filter(|word| all.contains(word));
        if let Some(finding) = self.mistake(codes::UNKNOWN_KEYWORD, token.span, || {
            format!("`{}` does not begin {what}", abbreviated(found))
        }) {
            if let Some(near) = other.or(near) {
                finding.help(format!("did you mean `{near}`?"))
            } else {
                let options = all
                    .iter()
                    .map(|keyword| format!("`{keyword}`"))
                    .collect::<Vec<_>>()
                    .join(", ");
                finding.help(format!("one of these may stand here: {options}"))
            };
        }
        if other.is_some() {
            self.bump();
            return None;
        }
        self.bump();
        near
    }

    /// A name. Where another thing begins instead, nothing is taken.
    fn name(&mut self, what: &str, naming: Naming) -> Word {
        let token = self.peek();
        match token.kind {
            Kind::Word if !self.begins_something(naming) => {
                self.bump();
                let name = self.text_of(token);
                self.check_name(name, token.span, naming);
                Word {
                    symbol: self.words.intern(name),
                    span: token.span,
                }
            }
            Kind::Text => {
                let words = self.unquoted(token);
                if let Some(finding) = self.mistake(codes::UNEXPECTED_WORD, token.span, || {
                    format!("expected {what}, found words in quotes")
                }) {
                    finding.help("names stand without quotes");
                }
                // `secret "account password"`: the name is missing and the words are the label.
                let instead_of_words = naming.declares()
                    && !matches!(self.peek_second().kind, Kind::Text | Kind::LeftBrace);
                if instead_of_words || !is_name(&words, true) {
                    self.lost = true;
                    return Word::missing(token.span.start);
                }
                self.bump();
                Word {
                    symbol: self.words.intern(&words),
                    span: token.span,
                }
            }
            _ => {
                self.expected(what);
                Word::missing(token.span.start)
            }
        }
    }

    /// Names between commas; at least one.
    fn names(&mut self, what: &str, naming: Naming) -> Box<[Word]> {
        let mut names = vec![self.name(what, naming)];
        while self.peek().kind == Kind::Comma {
            self.bump();
            names.push(self.name(what, naming));
        }
        names.into()
    }

    fn check_name(&mut self, name: &str, place: Span, naming: Naming) {
        if !check_name(name, place, naming, self.findings) {
            self.last_mistake = place.start;
        }
    }

    /// Whether what follows is the start of the next thing rather than a name
    /// that happens to be spelt like a keyword. Only what could not follow a
    /// name counts, so no valid text is read differently.
    fn begins_something(&self, naming: Naming) -> bool {
        let [first, second, third] = self.ahead;
        if first.at_margin && self.is_one_of(first, &DECLARATIONS) {
            let one_word = self.is_one_of(second, &["organisation", "promise"]);
            return (second.kind == Kind::Word
                && third.kind == Kind::Text
                && !one_word
                && !naming.declares())
                || (self.is_word(first, "outside") && self.is_word(second, "action"));
        }
        naming == Naming::AnyInLine && self.begins_requirement()
    }

    /// Quoted words.
    fn quoted(&mut self, what: &str) -> Word {
        let token = self.peek();
        if token.kind != Kind::Text {
            let found_word = token.kind == Kind::Word && !token.first_on_line;
            if let Some(finding) = self.expected(&format!("{what} in quotes"))
                && found_word
            {
                finding.help("words for people stand in double quotes: `\"…\"`");
            }
            return Word::missing(token.span.start);
        }
        self.bump();
        let words = self.unquoted(token);
        if words.trim().is_empty() {
            self.mistake(codes::EMPTY_TEXT, token.span, || {
                format!("{what} cannot be empty")
            });
        }
        Word {
            symbol: self.words.keep(&words),
            span: token.span,
        }
    }

    /// What stands between the quotes, escapes resolved.
    fn unquoted(&self, token: Token) -> std::borrow::Cow<'s, str> {
        let raw = self.text_of(token);
        let inner = raw
            .strip_prefix(['"', '“', '”', '„', '«', '»'])
            .unwrap_or(raw);
        let closed = inner
            .strip_suffix(['"', '“', '”', '«', '»'])
            .unwrap_or(inner);
        if !closed.contains('\\') {
            return closed.into();
        }
        let mut words = String::with_capacity(closed.len());
        let mut escaped = false;
        for letter in closed.chars() {
            if letter == '\\' && !escaped {
                escaped = true;
            } else {
                escaped = false;
                words.push(letter);
            }
        }
        words.into()
    }

    /// A whole number.
    fn count(&mut self, what: &str) -> Count {
        let token = self.peek();
        if token.kind != Kind::Number {
            self.expected(what);
            return Count {
                value: 1,
                span: Span {
                    start: token.span.start,
                    end: token.span.start,
                },
            };
        }
        self.bump();
        let digits = self.text_of(token);
        let value = digits.parse::<u32>().unwrap_or_else(|_| {
            if let Some(finding) = self.mistake(codes::BAD_NUMBER, token.span, || {
                format!(
                    "`{}` is not a whole number that can be used here",
                    abbreviated(digits)
                )
            }) {
                finding.help("write digits only, at most `4294967295`");
            }
            1
        });
        Count {
            value,
            span: token.span,
        }
    }

    /// A length of time.
    fn duration(&mut self) -> Duration {
        let token = self.peek();
        if token.kind != Kind::Number {
            let unit = if token.kind == Kind::Word {
                unit_like(self.text_of(token))
            } else {
                None
            };
            if let Some(finding) = self.expected("a length of time such as `24h`")
                && let Some(unit) = unit.filter(|unit| *unit != "w")
            {
                finding.help(format!("write a number before the unit: `1{unit}`"));
            }
            return FALLBACK;
        }
        self.bump();
        let written = self.text_of(token);
        let digits_end = written
            .find(|letter: char| !letter.is_ascii_digit())
            .unwrap_or(written.len());
        let (digits, unit) = written
            .split_at_checked(digits_end)
            .unwrap_or((written, ""));
        if unit.is_empty() {
            // `24 hours`: the unit is the next word.
            let next = self.peek();
            let spaced = if next.kind == Kind::Word && !next.first_on_line {
                unit_like(self.text_of(next))
            } else {
                None
            };
            let place = if spaced.is_some() {
                self.bump();
                self.since(token.span)
            } else {
                token.span
            };
            let said = self.slice(place);
            if let Some(finding) = self.mistake(codes::BAD_DURATION, place, || {
                format!("`{}` is not a length of time", abbreviated(said))
            }) {
                finding.help(match spaced {
                    Some(unit) => format!("write `{digits}{unit}`"),
                    None => format!(
                        "say in what: `{digits}m` minutes, `{digits}h` hours or `{digits}d` days"
                    ),
                });
            }
            return FALLBACK;
        }
        let (duration, known) = duration_of(written, token.span, self.findings);
        if !known {
            self.last_mistake = token.span.start;
        }
        duration
    }

    // Mistakes and getting over them.

    /// Reports a mistake.
    fn mistake(
        &mut self,
        code: Code,
        place: Span,
        message: impl FnOnce() -> String,
    ) -> Option<&mut Diagnostic> {
        self.last_mistake = place.start;
        self.findings.add(code, place, message)
    }

    /// Reports that something else stands here, unless something was already reported here.
    fn expected(&mut self, what: &str) -> Option<&mut Diagnostic> {
        let token = self.peek();
        self.lost = true;
        if self.last_mistake == token.span.start {
            return None;
        }
        let found = match token.kind {
            Kind::End => "the end of the file".to_owned(),
            Kind::Text => "words in quotes".to_owned(),
            _ => format!("`{}`", abbreviated(self.text_of(token))),
        };
        self.mistake(codes::UNEXPECTED_WORD, token.span, || {
            format!("expected {what}, found {found}")
        })
    }

    fn repeated(&mut self, place: Span, what: &str) {
        self.mistake(codes::REPEATED_CLAUSE, place, || {
            format!("`{what}` is said twice")
        });
    }

    fn unclosed(&mut self, open: Span) {
        if let Some(finding) = self.findings.add(codes::UNCLOSED_BRACE, open, || {
            "this `{` is not closed".to_owned()
        }) {
            finding.help("add the `}` that belongs to it");
        }
    }

    fn is_declaration(&self, token: Token) -> bool {
        self.is_one_of(token, &DECLARATIONS)
    }

    /// Skips to the next declaration.
    fn recover_top(&mut self) {
        let mut depth = 0_u32;
        loop {
            let token = self.peek();
            let known = self.is_declaration(token);
            match token.kind {
                Kind::End => return,
                Kind::LeftBrace => depth += 1,
                Kind::RightBrace => depth = depth.saturating_sub(1),
                // A word in the first column was meant to begin something, known or not.
                Kind::Word if token.at_margin && (known || depth == 0) => return,
                Kind::Word if known && depth == 0 && token.first_on_line => return,
                _ => {}
            }
            self.bump();
        }
    }

    /// Skips to where one of the words can begin something in the same braces, or to their end.
    fn recover_to(&mut self, begins: impl Fn(&Self) -> bool) {
        let mut depth = 0_u32;
        loop {
            let token = self.peek();
            match token.kind {
                Kind::End => return,
                Kind::LeftBrace => depth += 1,
                Kind::RightBrace if depth == 0 => return,
                Kind::RightBrace => depth -= 1,
                _ if token.at_margin && self.is_declaration(token) => return,
                _ if depth == 0 && begins(self) => return,
                _ => {}
            }
            self.bump();
        }
    }
}

/// What stands for a length of time that could not be read.
const FALLBACK: Duration = Duration {
    count: 1,
    unit: Unit::Day,
};

/// Reads `24h`; the flag says whether that was possible. Reports what is wrong.
pub(crate) fn duration_of(written: &str, place: Span, findings: &mut Findings) -> (Duration, bool) {
    let digits_end = written
        .find(|letter: char| !letter.is_ascii_digit())
        .unwrap_or(written.len());
    let (digits, unit) = written
        .split_at_checked(digits_end)
        .unwrap_or((written, ""));
    let unit = match unit {
        "m" if !digits.is_empty() => Unit::Minute,
        "h" if !digits.is_empty() => Unit::Hour,
        "d" if !digits.is_empty() => Unit::Day,
        _ if unit.is_empty() || digits.is_empty() => {
            if let Some(finding) = findings.add(codes::BAD_DURATION, place, || {
                format!("`{}` is not a length of time", abbreviated(written))
            }) {
                finding.help("write a number and a unit, such as `24h`");
            }
            return (FALLBACK, false);
        }
        _ => {
            let near = unit_like(unit);
            if let Some(finding) = findings.add(codes::UNKNOWN_UNIT, place, || {
                format!(
                    "`{}` has no unit of time that is known",
                    abbreviated(written)
                )
            }) {
                finding.help(match (near, digits.parse::<u64>()) {
                    (Some("w"), Ok(weeks)) => {
                        format!("weeks are written as days: `{}d`", weeks.saturating_mul(7))
                    }
                    (Some(unit), _) if unit != "w" => format!("did you mean `{digits}{unit}`?"),
                    _ => "units are `m` for minutes, `h` for hours and `d` for days".to_owned(),
                });
            }
            return (FALLBACK, false);
        }
    };
    match digits.parse::<u32>() {
        Ok(count) if count > 0 && (Duration { count, unit }).seconds() <= LONGEST_SECONDS => {
            (Duration { count, unit }, true)
        }
        _ => {
            let short = digits.bytes().all(|digit| digit == b'0');
            if let Some(finding) = findings.add(codes::BAD_DURATION, place, || {
                format!(
                    "`{}` is too {} a time",
                    abbreviated(written),
                    if short { "short" } else { "long" }
                )
            }) {
                finding.help("times are at least `1m` and at most `36500d`");
            }
            (FALLBACK, false)
        }
    }
}

/// Whether a name may stand where it stands. Reports what is wrong.
pub(crate) fn check_name(name: &str, place: Span, naming: Naming, findings: &mut Findings) -> bool {
    if !is_name(name, naming.dotted()) {
        let mended = mend_name(name, naming.dotted());
        if let Some(finding) = findings.add(codes::BAD_NAME, place, || {
            format!("`{}` is not a name", abbreviated(name))
        }) {
            finding.help(match mended {
                Some(mended) => {
                    format!("names are lower-case letters, digits and `_`; write `{mended}`")
                }
                None => "names are lower-case letters, digits and `_`, and begin with a letter"
                    .to_owned(),
            });
        }
        return false;
    }
    let (reserved, kind): (&[&str], _) = match naming {
        Naming::Role => (&NOT_FOR_ROLES, "a role"),
        Naming::Holding => (&NOT_FOR_HOLDINGS, "a holding or proof"),
        Naming::Plain | Naming::Action | Naming::Any | Naming::AnyInLine => return true,
    };
    if !reserved.contains(&name) {
        return true;
    }
    if let Some(finding) = findings.add(codes::RESERVED_WORD, place, || {
        format!("`{name}` cannot be the name of {kind}")
    }) {
        finding.help(format!(
            "it would be read as a keyword; choose another, such as `{name}_1`"
        ));
    }
    false
}

/// What a name is for, which decides how it may look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Naming {
    /// Declares a loss, parameter or path.
    Plain,
    /// Declares a role.
    Role,
    /// Declares a holding or proof.
    Holding,
    /// Declares an action: dots are allowed.
    Action,
    /// Uses a name declared elsewhere.
    Any,
    /// Uses a name declared elsewhere, where the next requirement may follow.
    AnyInLine,
}

impl Naming {
    fn dotted(self) -> bool {
        matches!(self, Self::Action | Self::Any | Self::AnyInLine)
    }

    fn declares(self) -> bool {
        !matches!(self, Self::Any | Self::AnyInLine)
    }
}

/// A hundred years: beyond that a time is a slip.
const LONGEST_SECONDS: u64 = 36_500 * 86_400;

/// Lower-case letters, digits and `_`, a letter first; with dots between such names where allowed.
pub(crate) fn is_name(name: &str, dotted: bool) -> bool {
    // As if a dot stood before the name: after a dot comes a letter.
    let mut after = b'.';
    name.bytes().all(|byte| {
        let fits = match byte {
            b'a'..=b'z' => true,
            b'0'..=b'9' | b'_' => after != b'.',
            b'.' => dotted && after != b'.',
            _ => false,
        };
        after = byte;
        fits
    }) && after != b'.'
}

/// What somebody means who uses another word. What follows it is written differently, so it is not read on.
fn synonym(word: &str) -> Option<&'static str> {
    Some(match word.to_ascii_lowercase().as_str() {
        "approve" | "approves" | "approval" | "approved" | "sign" | "signs" | "signature"
        | "signoff" => "sign-off",
        "require" | "requires" | "verify" | "verifies" | "check" | "must" => "prove",
        "alert" | "inform" | "warn" => "notify",
        "delay" | "pause" => "wait",
        "limit" => "at",
        "if" => "when",
        "company" | "organization" => "organisation",
        "role" => "staff",
        "address" => "channel",
        "parameter" | "parameters" | "takes" => "with",
        "way" | "alternative" => "path",
        "connector" | "backend" => "runs",
        _ => return None,
    })
}

/// The nearest proper name, if that is a matter of case and hyphens.
fn mend_name(name: &str, dotted: bool) -> Option<String> {
    let mended: String = name
        .chars()
        .map(|letter| match letter {
            '-' => '_',
            '.' if !dotted => '_',
            other => other.to_ascii_lowercase(),
        })
        .collect();
    is_name(&mended, dotted).then_some(mended)
}

/// The unit somebody probably means; `w` for weeks, which there are not.
fn unit_like(word: &str) -> Option<&'static str> {
    match word.to_ascii_lowercase().as_str() {
        "m" | "min" | "mins" | "minute" | "minutes" => Some("m"),
        "h" | "hr" | "hrs" | "hour" | "hours" => Some("h"),
        "d" | "day" | "days" => Some("d"),
        "w" | "week" | "weeks" => Some("w"),
        _ => nearest(word, ["minutes", "hours", "days"]).map(|near| match near {
            "minutes" => "m",
            "hours" => "h",
            _ => "d",
        }),
    }
}

/// Both ends and everything between.
fn join(start: Span, end: Span) -> Span {
    span(start.start as usize, end.end.max(start.start) as usize)
}
