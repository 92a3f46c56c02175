//! Tree to JSON, pretty or canonical.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use crate::model::{BackupGrade, Comparison, HoldingKind, Scope, Version};
use crate::tree::{
    ActionNode, AssumptionKind, ClaimNode, ClauseKind, DrillNode, ExposureNode, ExprNode, Item,
    ItemKind, LineKind, PathNode, PromiseNode, Tree, ValueNode, Word, Words,
};

/// The JSON twin, with two spaces of indent and a line break at the end.
///
/// A tree that [`Tree::is_broken`] gives the twin of what could be read.
pub fn to_json(tree: &Tree) -> String {
    let mut writer = Writer::new(&tree.words, String::new(), None);
    writer.object(|w| {
        w.list("actions", actions(&tree.items), |w, action| {
            w.action(action);
        });
        w.after_actions(&tree.items);
    });
    writer.out.push('\n');
    writer.out
}

/// SHA-256 of the canonical form, made action by action.
pub(crate) struct Digest {
    hasher: Sha256,
    /// Written and not hashed yet.
    text: String,
    first: bool,
}

impl Digest {
    pub(crate) fn new() -> Self {
        Self {
            hasher: Sha256::new(),
            text: "{\"actions\":[".to_owned(),
            first: true,
        }
    }

    /// The next action in the order of the file.
    pub(crate) fn action(&mut self, words: &Words, action: &ActionNode) {
        self.write(words, |w| {
            w.next();
            w.action(action);
        });
    }

    /// With everything else that the file declares.
    pub(crate) fn finish(mut self, words: &Words, items: &[Item]) -> Version {
        self.text.push(']');
        self.first = false;
        self.write(words, |w| w.after_actions(items));
        self.text.push('}');
        self.hasher.update(self.text.as_bytes());
        Version(self.hasher.finalize().into())
    }

    fn write(&mut self, words: &Words, what: impl FnOnce(&mut Writer<'_>)) {
        let text = std::mem::take(&mut self.text);
        let mut writer = Writer::new(words, text, Some(&mut self.hasher));
        writer.first = self.first;
        what(&mut writer);
        self.first = writer.first;
        self.text = writer.out;
    }
}

fn actions(items: &[Item]) -> impl Iterator<Item = &ActionNode> {
    items.iter().filter_map(|item| match &item.kind {
        ItemKind::Action(action) => Some(&**action),
        _ => None,
    })
}

struct Writer<'t> {
    words: &'t Words,
    out: String,
    /// For the canonical form, which is hashed piece by piece, so that the whole is never in memory.
    hasher: Option<&'t mut Sha256>,
    depth: usize,
    /// Nothing was written yet at this depth.
    first: bool,
}

impl<'t> Writer<'t> {
    fn new(words: &'t Words, out: String, hasher: Option<&'t mut Sha256>) -> Self {
        Self {
            words,
            out,
            hasher,
            depth: 0,
            first: true,
        }
    }

    /// The fields of a procedure that follow `actions`.
    fn after_actions(&mut self, items: &[Item]) {
        let items = || items.iter().map(|item| &item.kind);
        let drills = || {
            items().filter_map(|item| match item {
                ItemKind::Drill(drill) => Some(&**drill),
                _ => None,
            })
        };
        // Left out where there is none, so that the version of a procedure without drills is what it was before there were any.
        if drills().next().is_some() {
            self.list("drills", drills(), Writer::drill);
        }
        self.list(
            "holdings",
            items().filter(|item| matches!(item, ItemKind::Holding { .. })),
            Self::declaration,
        );
        self.list(
            "losses",
            items().filter(|item| matches!(item, ItemKind::Loss { .. })),
            Self::declaration,
        );
        if let Some(label) = items().find_map(|item| {
            if let ItemKind::Organisation { label } = item {
                Some(*label)
            } else {
                None
            }
        }) {
            self.word("organisation", label);
        }
        self.list(
            "promises",
            items().filter_map(|item| {
                if let ItemKind::Promise(promise) = item {
                    Some(promise)
                } else {
                    None
                }
            }),
            |w, promise| w.promise(promise),
        );
        self.list(
            "proofs",
            items().filter(|item| matches!(item, ItemKind::Proof { .. })),
            Self::declaration,
        );
        self.list(
            "staff",
            items().filter(|item| matches!(item, ItemKind::Staff { .. })),
            Self::declaration,
        );
    }

    fn declaration(&mut self, item: &ItemKind) {
        self.object(|w| match item {
            ItemKind::Staff {
                name,
                label,
                includes,
            } => {
                if !includes.is_empty() {
                    w.words("includes", includes);
                }
                w.word("label", *label);
                w.word("name", *name);
            }
            ItemKind::Holding {
                kind,
                name,
                label,
                using,
                exposure,
            } => {
                w.text("kind", kind.as_str());
                w.word("label", *label);
                w.word("name", *name);
                if matches!(exposure, ExposureNode::Public) {
                    w.truth("public");
                }
                if let Some(using) = using {
                    w.word("using", *using);
                }
                if let ExposureNode::VisibleTo(role) = exposure {
                    w.word("visible_to", *role);
                }
            }
            ItemKind::Proof {
                name,
                label,
                shows,
                using,
            } => {
                w.word("label", *label);
                w.word("name", *name);
                w.word("shows", *shows);
                w.word("using", *using);
            }
            ItemKind::Loss { name, label } => {
                w.word("label", *label);
                w.word("name", *name);
            }
            ItemKind::Organisation { .. }
            | ItemKind::Action(_)
            | ItemKind::Promise(_)
            | ItemKind::Drill(_) => {}
        });
    }

    fn action(&mut self, action: &ActionNode) {
        let clauses = || action.clauses.iter().map(|clause| &clause.kind);
        let is_effect = |clause: &&ClauseKind| {
            matches!(
                clause,
                ClauseKind::Gives(_)
                    | ClauseKind::Changes(_)
                    | ClauseKind::Sends { .. }
                    | ClauseKind::Loses(_)
            )
        };
        self.object(|w| {
            if clauses().any(|clause| is_effect(&clause)) {
                w.list("effects", clauses().filter(is_effect), |w, clause| {
                    w.object(|w| match clause {
                        ClauseKind::Gives(holding) => w.word("gives", *holding),
                        ClauseKind::Changes(holding) => w.word("changes", *holding),
                        ClauseKind::Sends { what, to } => {
                            w.word("sends", *what);
                            w.word("to", *to);
                        }
                        ClauseKind::Loses(loss) => w.word("loses", *loss),
                        _ => {}
                    });
                });
            }
            for clause in clauses() {
                if let ClauseKind::Expires(duration) = clause {
                    w.text("expires", &duration.to_string());
                }
            }
            w.word("label", action.label);
            w.word("name", action.name);
            for clause in clauses() {
                if let ClauseKind::OpenedBy(who) = clause {
                    w.words("opened_by", who);
                }
            }
            if action.outside {
                w.truth("outside");
            }
            for clause in clauses() {
                if let ClauseKind::With(parameters) = clause {
                    w.list("parameters", parameters.iter(), |w, (name, label)| {
                        w.object(|w| {
                            w.word("label", *label);
                            w.word("name", *name);
                        });
                    });
                }
            }
            w.list(
                "paths",
                clauses().filter_map(|clause| {
                    if let ClauseKind::Path(path) = clause {
                        Some(path)
                    } else {
                        None
                    }
                }),
                |w, path| w.path(path),
            );
            for clause in clauses() {
                if let ClauseKind::Runs(connector) = clause {
                    w.word("runs", *connector);
                }
            }
            for clause in clauses() {
                if let ClauseKind::Says(text) = clause {
                    w.word("says", *text);
                }
            }
        });
    }

    fn path(&mut self, path: &PathNode) {
        self.object(|w| {
            w.list("lines", path.lines.iter(), |w, line| {
                w.object(|w| w.line(&line.kind));
            });
            w.word("name", path.name);
        });
    }

    fn line(&mut self, line: &LineKind) {
        match line {
            LineKind::Prove(expression) => {
                self.key("prove");
                self.expression(expression);
            }
            LineKind::Confirms { role, text } => {
                self.word("confirms", *text);
                self.word("role", *role);
            }
            LineKind::SignOff { count, role } => {
                self.word("role", *role);
                self.number("sign_off", count.value);
            }
            LineKind::NotifyEvery => self.text("notify", "every channel"),
            LineKind::Notify(channels) => self.words("notify", channels),
            LineKind::Wait(duration) => self.text("wait", &duration.to_string()),
            LineKind::Backup {
                grade,
                within,
                places,
            } => {
                self.text("backup", grade.as_str());
                if let Some(places) = places {
                    self.number("places", places.value);
                }
                self.text("within", &within.to_string());
            }
            LineKind::When {
                subject,
                comparison,
                value,
            } => {
                self.text("comparison", comparison.as_str());
                match value {
                    ValueNode::Number(millionths) => self.text("number", &decimal(*millionths)),
                    ValueNode::Text(words) => self.word("text", *words),
                }
                self.word("when", *subject);
            }
            LineKind::AtMost { count, per, scope } => {
                self.number("at_most", count.value);
                self.text("per", &per.to_string());
                self.text("scope", scope.as_str());
            }
        }
    }

    fn expression(&mut self, expression: &ExprNode) {
        match expression {
            ExprNode::Atom {
                proof,
                settled: None,
                ..
            } => self.quoted_word(*proof),
            ExprNode::Atom {
                proof,
                settled: Some(settled),
                ..
            } => self.object(|w| {
                w.word("proof", *proof);
                w.text("settled", &settled.to_string());
            }),
            ExprNode::And(parts) => self.object(|w| w.list("and", parts.iter(), Self::expression)),
            ExprNode::Or(parts) => self.object(|w| w.list("or", parts.iter(), Self::expression)),
            ExprNode::NOf { n, of } => self.object(|w| {
                w.number("n", n.value);
                w.list("of", of.iter(), Self::expression);
            }),
            ExprNode::Missing => self.quoted(""),
        }
    }

    fn drill(&mut self, drill: &DrillNode) {
        self.object(|w| {
            w.word("action", drill.action);
            w.words("asks", &drill.asks);
            w.text("every", &drill.every.to_string());
            w.words("plays", &drill.plays);
        });
    }

    fn promise(&mut self, promise: &PromiseNode) {
        self.object(|w| match &promise.claim {
            ClaimNode::Never {
                even_if, targets, ..
            } => {
                if !even_if.is_empty() {
                    w.list("even_if", even_if.iter(), |w, assumption| {
                        w.object(|w| w.assumption(assumption.kind));
                    });
                }
                w.words("never", targets);
                w.word("text", promise.text);
            }
            ClaimNode::Always {
                without,
                action,
                within,
                ..
            } => {
                w.word("always", *action);
                w.word("text", promise.text);
                if let Some(within) = within {
                    w.text("within", &within.to_string());
                }
                if !without.is_empty() {
                    w.words("without", without);
                }
            }
            ClaimNode::Missing => w.word("text", promise.text),
        });
    }

    fn assumption(&mut self, assumption: AssumptionKind) {
        match assumption {
            AssumptionKind::AnyOfKind { count, kind } => {
                self.number("count", count.value);
                self.text("kind", kind.as_str());
            }
            AssumptionKind::Holding { holding, .. } => self.word("holding", holding),
            AssumptionKind::Deceived { count, role } => {
                self.number("count", count.value);
                self.word("role", role);
            }
            AssumptionKind::AnyDeceived(role) => self.word("any", role),
            AssumptionKind::NoticesUnread => self.text("notices", "unread"),
        }
    }

    // JSON.

    fn object(&mut self, fields: impl FnOnce(&mut Self)) {
        self.group('{', '}', fields);
    }

    fn list<T>(&mut self, key: &str, items: impl Iterator<Item = T>, each: impl Fn(&mut Self, T)) {
        self.key(key);
        self.group('[', ']', |w| {
            for item in items {
                w.next();
                each(w, item);
            }
        });
    }

    fn group(&mut self, open: char, close: char, inside: impl FnOnce(&mut Self)) {
        self.push(open);
        self.depth += 1;
        let first = std::mem::replace(&mut self.first, true);
        inside(self);
        self.depth -= 1;
        if !std::mem::replace(&mut self.first, first) {
            self.line_break();
        }
        self.push(close);
    }

    /// Before each field or element.
    fn next(&mut self) {
        if !std::mem::replace(&mut self.first, false) {
            self.push(',');
        }
        self.line_break();
    }

    fn key(&mut self, key: &str) {
        self.next();
        self.push('"');
        self.out.push_str(key);
        self.out
            .push_str(if self.hasher.is_none() { "\": " } else { "\":" });
    }

    fn word(&mut self, key: &str, word: Word) {
        self.key(key);
        self.quoted_word(word);
    }

    fn words(&mut self, key: &str, words: &[Word]) {
        self.list(key, words.iter(), |w, word| w.quoted_word(*word));
    }

    fn text(&mut self, key: &str, text: &str) {
        self.key(key);
        self.quoted(text);
    }

    fn number(&mut self, key: &str, number: u32) {
        self.key(key);
        let _ = write!(self.out, "{number}");
    }

    fn truth(&mut self, key: &str) {
        self.key(key);
        self.out.push_str("true");
    }

    fn quoted_word(&mut self, word: Word) {
        let words = self.words;
        self.quoted(words.text(word));
    }

    /// A string as RFC 8785 section 3.2.2.2 writes it.
    fn quoted(&mut self, text: &str) {
        let out = &mut self.out;
        out.push('"');
        if !text
            .bytes()
            .any(|byte| matches!(byte, b'"' | b'\\' | 0..b' '))
        {
            out.push_str(text);
            out.push('"');
            return;
        }
        for letter in text.chars() {
            match letter {
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                '\u{8}' => out.push_str("\\b"),
                '\t' => out.push_str("\\t"),
                '\n' => out.push_str("\\n"),
                '\u{c}' => out.push_str("\\f"),
                '\r' => out.push_str("\\r"),
                control if control < ' ' => {
                    let _ = write!(out, "\\u{:04x}", u32::from(control));
                }
                other => out.push(other),
            }
        }
        out.push('"');
    }

    fn push(&mut self, letter: char) {
        self.out.push(letter);
    }

    /// White space for people, and for the canonical form a place to hash what there is.
    fn line_break(&mut self) {
        const PIECE: usize = 1 << 14;
        if let Some(hasher) = &mut self.hasher {
            if self.out.len() > PIECE {
                hasher.update(self.out.as_bytes());
                self.out.clear();
            }
        } else {
            self.out.push('\n');
            for _ in 0..self.depth {
                self.out.push_str("  ");
            }
        }
    }
}

/// Millionths as a decimal number without superfluous zeros.
pub(crate) fn decimal(millionths: i64) -> String {
    let sign = if millionths < 0 { "-" } else { "" };
    let whole = millionths.unsigned_abs() / 1_000_000;
    let fraction = millionths.unsigned_abs() % 1_000_000;
    if fraction == 0 {
        return format!("{sign}{whole}");
    }
    let fraction = format!("{fraction:06}");
    format!("{sign}{whole}.{}", fraction.trim_end_matches('0'))
}

impl BackupGrade {
    /// `exists`, `verified`, `restored`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Exists => "exists",
            Self::Verified => "verified",
            Self::Restored => "restored",
        }
    }
}

impl Comparison {
    /// As in the file: `is`, `is not`, `<`, `<=`, `>`, `>=`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Is => "is",
            Self::IsNot => "is not",
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::More => ">",
            Self::AtLeast => ">=",
        }
    }
}

impl Scope {
    /// `customer` or `staff`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Staff => "staff",
        }
    }
}

impl HoldingKind {
    /// The four kinds.
    pub(crate) const ALL: [Self; 4] = [Self::Secret, Self::Channel, Self::Device, Self::State];
}

#[cfg(test)]
mod tests {
    use super::decimal;

    #[test]
    fn decimals_are_short() {
        assert_eq!(decimal(50_000_000), "50");
        assert_eq!(decimal(49_990_000), "49.99");
        assert_eq!(decimal(-1), "-0.000001");
        assert_eq!(decimal(0), "0");
    }
}
