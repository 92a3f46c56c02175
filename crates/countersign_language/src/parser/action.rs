//! Actions, their paths, and the requirements in them.

use super::{Kind, Naming, Parser, Token, join};
use crate::codes;
use crate::findings::Findings;
use crate::lexer::abbreviated;
use crate::model::{BackupGrade, Comparison, Scope, Span};
use crate::suggest::nearest;
use crate::tree::{
    ActionNode, Clause, ClauseKind, Count, ExprNode, ItemKind, LineKind, LineNode, PathNode,
    ValueNode, Word,
};

/// The words a clause of an action begins with.
const CLAUSES: [&str; 10] = [
    "with", "says", "opened", "gives", "changes", "sends", "loses", "runs", "expires", "path",
];
/// The words a requirement begins with; the remaining kind begins with the name of a role.
const REQUIREMENTS: [&str; 7] = [
    "prove", "sign-off", "notify", "wait", "backup", "when", "at",
];
/// Deeper parentheses than these are refused: nobody can read them.
pub(crate) const DEEPEST: u32 = 64;

impl Parser<'_, '_> {
    /// After `action` or `outside action`.
    pub(super) fn action(&mut self, outside: bool) -> ItemKind {
        let errors = self.findings.errors();
        let name = self.name("a name for the action", Naming::Action);
        let label = self.quoted("words for the action");
        let mut action = ActionNode {
            outside,
            name,
            label,
            open: Span::default(),
            close: Span::default(),
            clauses: Box::default(),
            broken: false,
        };
        let Some(open) = self.open_brace() else {
            action.broken = true;
            return ItemKind::Action(Box::new(action));
        };
        action.open = open;
        let mut clauses = std::mem::take(&mut self.clauses);
        loop {
            let token = self.peek();
            match token.kind {
                Kind::RightBrace => {
                    self.bump();
                    action.close = token.span;
                    break;
                }
                Kind::End => {
                    self.unclosed(open);
                    break;
                }
                Kind::Word if self.is_declaration(token) => {
                    self.unclosed(open);
                    self.last_mistake = token.span.start;
                    break;
                }
                _ => {
                    if let Some(clause) = self.clause() {
                        clauses.push(clause);
                    }
                }
            }
        }
        action.clauses = clauses.drain(..).collect();
        self.clauses = clauses;
        action.broken = self.findings.errors() > errors;
        self.lost = false;
        ItemKind::Action(Box::new(action))
    }

    fn open_brace(&mut self) -> Option<Span> {
        let token = self.peek();
        if token.kind == Kind::LeftBrace {
            self.bump();
            return Some(token.span);
        }
        self.expected("`{`");
        None
    }

    fn clause(&mut self) -> Option<Clause> {
        let first = self.peek();
        self.lost = false;
        if self.begins_requirement() {
            let word = self.text_of(first);
            if let Some(finding) = self.mistake(codes::UNEXPECTED_WORD, first.span, || {
                format!("`{word}` stands outside a path")
            }) {
                finding.help(
                    "put the requirements of one way to earn the action in `path usual { … }`",
                );
            }
            self.bump();
            self.recover_to(Self::begins_clause);
            return None;
        }
        let kind = match self.keyword(&CLAUSES, "a clause of an action") {
            Some("with") => ClauseKind::With(self.parameters()),
            Some("says") => ClauseKind::Says(self.quoted("the sentence people sign")),
            Some("opened") => {
                self.require("by");
                ClauseKind::OpenedBy(self.names("`customer` or a role", Naming::Any))
            }
            Some("gives") => ClauseKind::Gives(self.name("a holding", Naming::Any)),
            Some("changes") => ClauseKind::Changes(self.name("a holding", Naming::Any)),
            Some("sends") => {
                let what = self.name("a holding", Naming::Any);
                self.require("to");
                ClauseKind::Sends {
                    what,
                    to: self.name("a channel", Naming::Any),
                }
            }
            Some("loses") => ClauseKind::Loses(self.name("a loss", Naming::Any)),
            Some("runs") => ClauseKind::Runs(self.name("a connector", Naming::Any)),
            Some("expires") => ClauseKind::Expires(self.duration()),
            Some(_) => ClauseKind::Path(Box::new(self.path())),
            None => {
                self.recover_to(Self::begins_clause);
                return None;
            }
        };
        let span = self.since(first.span);
        if self.lost && !matches!(kind, ClauseKind::Path(_)) {
            self.recover_to(Self::begins_clause);
        }
        Some(Clause {
            kind,
            span,
            blank_before: first.blank_before,
        })
    }

    fn parameters(&mut self) -> Box<[(Word, Word)]> {
        let mut parameters = Vec::new();
        loop {
            let name = self.name("a name for the parameter", Naming::Plain);
            let label = self.quoted("words for the parameter");
            parameters.push((name, label));
            if self.peek().kind != Kind::Comma {
                return parameters.into();
            }
            self.bump();
        }
    }

    fn begins_clause(&self) -> bool {
        let [first, second, third] = self.ahead;
        (first.first_on_line && self.is_nearly(first, &CLAUSES))
            || (self.is_word(first, "path")
                && second.kind == Kind::Word
                && third.kind == Kind::LeftBrace)
    }

    fn path(&mut self) -> PathNode {
        let errors = self.findings.errors();
        let name = self.name("a name for the path", Naming::Plain);
        let mut path = PathNode {
            name,
            open: Span::default(),
            close: Span::default(),
            lines: Box::default(),
            one_line: false,
            broken: false,
        };
        let Some(open) = self.open_brace() else {
            path.broken = true;
            self.recover_to(Self::begins_clause);
            return path;
        };
        path.open = open;
        let mut lines = std::mem::take(&mut self.lines);
        path.one_line = !self.peek().first_on_line;
        loop {
            let token = self.peek();
            match token.kind {
                Kind::RightBrace => {
                    self.bump();
                    path.close = token.span;
                    break;
                }
                Kind::End => {
                    self.unclosed(open);
                    break;
                }
                Kind::Word
                    if (self.is_word(token, "path")
                        || (token.first_on_line && self.is_declaration(token)))
                        && !self.begins_requirement() =>
                {
                    self.unclosed(open);
                    self.last_mistake = token.span.start;
                    break;
                }
                _ => {
                    if let Some(line) = self.line() {
                        lines.push(line);
                    }
                }
            }
        }
        path.lines = lines.drain(..).collect();
        self.lines = lines;
        path.broken = self.findings.errors() > errors;
        self.lost = false;
        path
    }

    /// Whether a requirement begins here. A proof called `wait` after `prove`
    /// is not one: what follows it shows.
    pub(super) fn begins_requirement(&self) -> bool {
        let [first, second, third] = self.ahead;
        if first.kind != Kind::Word {
            return false;
        }
        if self.is_word(second, "confirms") && (third.kind == Kind::Text || first.first_on_line) {
            return true;
        }
        let next_is_name = second.kind == Kind::Word
            && !self.is_one_of(second, &["and", "or", "settled", "confirms"])
            && !self.is_one_of(second, &REQUIREMENTS)
            && !self.is_word(third, "confirms");
        match self.text_of(first) {
            "sign-off" => true,
            "prove" => {
                next_is_name
                    || matches!(
                        second.kind,
                        Kind::LeftParenthesis | Kind::Number | Kind::Text
                    )
            }
            "notify" | "when" => next_is_name,
            "wait" => second.kind == Kind::Number,
            "backup" => self.is_one_of(second, &["within", "verified", "restored"]),
            "at" => self.is_word(second, "most"),
            _ => false,
        }
    }

    fn begins_line_or_clause(&self) -> bool {
        self.begins_requirement()
            || self.begins_clause()
            || (self.peek().first_on_line && self.is_nearly(self.peek(), &REQUIREMENTS))
    }

    fn is_nearly(&self, token: Token, words: &[&str]) -> bool {
        token.kind == Kind::Word && nearest(self.text_of(token), words.iter().copied()).is_some()
    }

    fn line(&mut self) -> Option<LineNode> {
        let first = self.peek();
        self.lost = false;
        if self.is_one_of(first, &CLAUSES) && !self.is_word(self.peek_second(), "confirms") {
            let word = self.text_of(first);
            if let Some(finding) = self.mistake(codes::UNEXPECTED_WORD, first.span, || {
                format!("`{word}` stands inside a path")
            }) {
                finding.help("it is said of the whole action: put it before the paths");
            }
            self.bump();
            self.recover_to(Self::begins_line_or_clause);
            return None;
        }
        let kind = if self.is_word(self.peek_second(), "confirms") && first.kind == Kind::Word {
            let role = self.name("a role", Naming::Any);
            self.bump();
            Some(LineKind::Confirms {
                role,
                text: self.quoted("what they confirm"),
            })
        } else {
            match self.keyword(&REQUIREMENTS, "a requirement") {
                Some("prove") => Some(LineKind::Prove(self.expression(0))),
                Some("sign-off") => Some(self.sign_off()),
                Some("notify") => Some(self.notify()),
                Some("wait") => Some(LineKind::Wait(self.duration())),
                Some("backup") => Some(self.backup()),
                Some("when") => self.when(),
                Some(_) => self.at_most(),
                None => None,
            }
        };
        let span = self.since(first.span);
        if self.lost || kind.is_none() {
            self.recover_to(Self::begins_line_or_clause);
            self.lost = false;
        }
        kind.map(|kind| LineNode {
            kind,
            span,
            blank_before: first.blank_before,
        })
    }

    fn sign_off(&mut self) -> LineKind {
        let count = self.count("how many people sign, such as `1`");
        if count.value == 0 {
            self.zero(count, "a sign-off by nobody is none");
        }
        LineKind::SignOff {
            count,
            role: self.name("a role", Naming::AnyInLine),
        }
    }

    fn notify(&mut self) -> LineKind {
        if self.accept("every") {
            self.require("channel");
            return LineKind::NotifyEvery;
        }
        LineKind::Notify(self.names("`every channel` or a channel", Naming::AnyInLine))
    }

    fn backup(&mut self) -> LineKind {
        let grade = if self.accept("verified") {
            BackupGrade::Verified
        } else if self.accept("restored") {
            BackupGrade::Restored
        } else {
            BackupGrade::Exists
        };
        self.require("within");
        let within = self.duration();
        let mut places = None;
        if self.accept("in") {
            let count = self.count("in how many places, such as `2`");
            if count.value == 0 {
                self.zero(count, "a backup in no place is none");
            }
            if !self.accept("place") {
                self.require("places");
            }
            places = Some(count);
        }
        LineKind::Backup {
            grade,
            within,
            places,
        }
    }

    fn when(&mut self) -> Option<LineKind> {
        let subject = self.name("a parameter or `customer.…`", Naming::Any);
        let token = self.peek();
        let comparison = if self.accept("is") {
            if self.accept("not") {
                Comparison::IsNot
            } else {
                Comparison::Is
            }
        } else if token.kind == Kind::Operator {
            let written = self.text_of(token);
            self.bump();
            match written {
                "<" => Comparison::Less,
                "<=" => Comparison::AtMost,
                ">" => Comparison::More,
                ">=" => Comparison::AtLeast,
                _ => {
                    let instead = match written {
                        "=" | "==" => "is",
                        "!=" | "<>" => "is not",
                        "=<" => "<=",
                        "=>" => ">=",
                        _ => "is`, `is not`, `<`, `<=`, `>` or `>=",
                    };
                    if let Some(finding) = self.mistake(codes::UNEXPECTED_WORD, token.span, || {
                        format!("`{}` is not a comparison", abbreviated(written))
                    }) {
                        finding.help(format!("write `{instead}`"));
                    }
                    Comparison::Is
                }
            }
        } else {
            self.expected("`is`, `is not`, `<`, `<=`, `>` or `>=`");
            return None;
        };
        let value = self.value()?;
        Some(LineKind::When {
            subject,
            comparison,
            value,
        })
    }

    fn value(&mut self) -> Option<ValueNode> {
        let token = self.peek();
        match token.kind {
            Kind::Text => {
                self.bump();
                let words = self.unquoted(token);
                Some(ValueNode::Text(Word {
                    symbol: self.words.keep(&words),
                    span: token.span,
                }))
            }
            Kind::Number => {
                self.bump();
                let written = self.text_of(token);
                let number = millionths(written);
                if number.is_none()
                    && let Some(finding) = self.mistake(codes::BAD_NUMBER, token.span, || {
                        format!("`{}` is not a number", abbreviated(written))
                    })
                {
                    finding.help(
                        "write digits, with at most six after a decimal point: `50` or `49.99`",
                    );
                }
                Some(ValueNode::Number(number.unwrap_or(0)))
            }
            Kind::Word if !token.first_on_line => {
                let word = self.text_of(token);
                if let Some(finding) = self.expected("a number or words in quotes") {
                    finding.help(format!("write `\"{}\"`", abbreviated(word)));
                }
                self.bump();
                None
            }
            _ => {
                self.expected("a number or words in quotes");
                None
            }
        }
    }

    fn at_most(&mut self) -> Option<LineKind> {
        self.require("most");
        let count = self.count("how many times, such as `3`");
        if count.value == 0 {
            self.zero(count, "at most never is never");
        }
        self.require("per");
        let per = self.duration();
        self.require("per");
        let scope = if self.accept("customer") {
            Scope::Customer
        } else if self.accept("staff") {
            Scope::Staff
        } else {
            self.expected("`customer` or `staff`");
            return None;
        };
        Some(LineKind::AtMost { count, per, scope })
    }

    pub(super) fn zero(&mut self, count: Count, message: &str) {
        zero(count, message, self.findings);
        self.last_mistake = count.span.start;
    }

    // What must be proved.

    /// `a and b or c`: `and` binds tighter, and a warning asks for parentheses.
    fn expression(&mut self, depth: u32) -> ExprNode {
        let start = self.peek().span;
        let mut mixed = false;
        let first = self.conjunction(depth, &mut mixed);
        if !self.is_word(self.peek(), "or") {
            return first;
        }
        let mut any = Vec::new();
        push_flat(&mut any, first, false);
        while self.accept("or") {
            let next = self.conjunction(depth, &mut mixed);
            push_flat(&mut any, next, false);
        }
        if mixed {
            let place = join(start, self.previous);
            if let Some(finding) = self.findings.add(codes::MIXED_AND_OR, place, || {
                "`and` and `or` stand side by side".to_owned()
            }) {
                finding.help("`and` goes first; say so with parentheses, as in `(a and b) or c`");
            }
        }
        ExprNode::Or(any.into())
    }

    fn conjunction(&mut self, depth: u32, mixed: &mut bool) -> ExprNode {
        let first = self.operand(depth);
        if !self.is_word(self.peek(), "and") {
            return first;
        }
        *mixed = true;
        let mut all = Vec::new();
        push_flat(&mut all, first, true);
        while self.accept("and") {
            let next = self.operand(depth);
            push_flat(&mut all, next, true);
        }
        ExprNode::And(all.into())
    }

    fn operand(&mut self, depth: u32) -> ExprNode {
        let token = self.peek();
        if depth >= DEEPEST && (token.kind == Kind::LeftParenthesis || token.kind == Kind::Number) {
            if let Some(finding) = self.mistake(codes::NESTED_TOO_DEEP, token.span, || {
                format!("more than {DEEPEST} parentheses within one another")
            }) {
                finding.help(
                    "split this into several paths, or into several `prove` lines of one path",
                );
            }
            self.skip_parentheses();
            return ExprNode::Missing;
        }
        match token.kind {
            Kind::LeftParenthesis => {
                self.bump();
                let inner = self.expression(depth + 1);
                self.close_parenthesis(token);
                inner
            }
            Kind::Number => self.n_of(depth),
            _ => {
                let proof = self.name("a proof", Naming::AnyInLine);
                if proof.is_missing() {
                    return ExprNode::Missing;
                }
                let settled = if self.accept("settled") {
                    Some(self.duration())
                } else {
                    None
                };
                ExprNode::Atom {
                    proof,
                    settled,
                    span: self.since(token.span),
                }
            }
        }
    }

    fn n_of(&mut self, depth: u32) -> ExprNode {
        let n = self.count("how many");
        self.require("of");
        let open = self.peek();
        if open.kind != Kind::LeftParenthesis {
            self.expected("`(`");
            return ExprNode::Missing;
        }
        self.bump();
        let mut of = vec![self.expression(depth + 1)];
        while self.peek().kind == Kind::Comma {
            self.bump();
            of.push(self.expression(depth + 1));
        }
        self.close_parenthesis(open);
        check_n_of(n, of.len(), self.findings);
        ExprNode::NOf { n, of: of.into() }
    }

    fn close_parenthesis(&mut self, open: Token) {
        if self.peek().kind == Kind::RightParenthesis {
            self.bump();
        } else if let Some(finding) = self.expected("`)`, `and` or `or`") {
            finding.also(open.span, "for this parenthesis");
        }
    }

    /// Skips what is nested too deep without going down into it.
    fn skip_parentheses(&mut self) {
        let mut depth = 0_u32;
        loop {
            match self.peek().kind {
                Kind::LeftParenthesis => depth += 1,
                Kind::RightParenthesis if depth <= 1 => {
                    if depth == 1 {
                        self.bump();
                    }
                    return;
                }
                Kind::RightParenthesis => depth -= 1,
                Kind::End | Kind::LeftBrace | Kind::RightBrace => return,
                _ => {}
            }
            self.bump();
        }
    }
}

/// Reports a count of nothing.
pub(crate) fn zero(count: Count, message: &str, findings: &mut Findings) {
    if let Some(finding) = findings.add(codes::BAD_COUNT, count.span, || message.to_owned()) {
        finding.help("write `1` or more");
    }
}

/// Reports `3 of (a, b)` and `0 of (a, b)`.
pub(crate) fn check_n_of(n: Count, most: usize, findings: &mut Findings) {
    if n.value > 0 && n.value as usize <= most {
        return;
    }
    if let Some(finding) = findings.add(codes::BAD_COUNT, n.span, || {
        format!("`{} of` {most} cannot be asked for", n.value)
    }) {
        finding.help(format!("write a number from 1 to {most}"));
    }
}

/// Adds a part, taking apart one that is of the same kind as the whole.
pub(crate) fn push_flat(parts: &mut Vec<ExprNode>, part: ExprNode, all: bool) {
    match part {
        ExprNode::And(inner) if all => parts.extend(inner),
        ExprNode::Or(inner) if !all => parts.extend(inner),
        other => parts.push(other),
    }
}

/// A decimal number in millionths.
pub(crate) fn millionths(written: &str) -> Option<i64> {
    let (negative, digits) = match written.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, written),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let all_digits =
        |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !all_digits(whole) || !all_digits(fraction) || fraction.len() > 6 {
        return None;
    }
    let fraction = format!("{fraction:0<6}").parse::<i64>().ok()?;
    let value = whole
        .parse::<i64>()
        .ok()?
        .checked_mul(1_000_000)?
        .checked_add(fraction)?;
    Some(if negative { -value } else { value })
}

#[cfg(test)]
mod tests {
    use super::millionths;

    #[test]
    fn numbers_in_millionths() {
        assert_eq!(millionths("50"), Some(50_000_000));
        assert_eq!(millionths("49.99"), Some(49_990_000));
        assert_eq!(millionths("-0.000001"), Some(-1));
        assert_eq!(millionths("9223372036854.775807"), Some(i64::MAX));
        assert_eq!(millionths("9223372036854.775808"), None);
        assert_eq!(millionths("1.0000001"), None);
        assert_eq!(millionths("1."), None);
        assert_eq!(millionths("1.2.3"), None);
        assert_eq!(millionths("24h"), None);
    }
}
