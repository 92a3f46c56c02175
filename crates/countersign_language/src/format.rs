//! The one canonical format.
//!
//! Declarations that stand together line up in columns. An action or promise
//! has one clause per line, its keywords lined up. A path that its author wrote
//! on one line stays on one line if it fits; every other has one requirement
//! per line. Comments stay where they are; one empty line is kept, more become
//! one. Formatting formatted text changes nothing.

use std::fmt::{self, Write as _};

use crate::model::{BackupGrade, Span};
use crate::tree::{
    ActionNode, AssumptionKind, AssumptionNode, ClaimNode, ClauseKind, Comment, DrillNode,
    ExposureNode, ExprNode, Item, ItemKind, LineKind, LineNode, PathNode, PromiseNode, Tree,
    ValueNode, Verb, Word,
};
use crate::twin::decimal;

/// A path on one line is at most this many characters wide.
const WIDEST: usize = 100;
/// A name wider than this does not push the others' columns out.
const WIDEST_NAME: usize = 40;

/// The canonical text of a tree, comments included, or [`Unformattable`] if the
/// text it was read from did not follow the grammar: something would be lost.
/// A text that follows the grammar but does not make sense can be formatted.
pub fn format(tree: &Tree) -> Result<String, Unformattable> {
    if tree.is_broken() {
        return Err(Unformattable);
    }
    let mut printer = Printer {
        tree,
        out: String::new(),
        comments: tree.comments.iter().peekable(),
        fresh: true,
        in_comments: false,
    };
    printer.file();
    Ok(printer.out)
}

/// The text did not follow the grammar, so its tree does not hold all it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unformattable;

impl fmt::Display for Unformattable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a procedure that cannot be read cannot be formatted")
    }
}

impl std::error::Error for Unformattable {}

struct Printer<'t> {
    tree: &'t Tree,
    out: String,
    comments: std::iter::Peekable<std::slice::Iter<'t, Comment>>,
    /// Nothing was printed yet in this file or block.
    fresh: bool,
    /// The last line printed is a comment that belongs to what comes next.
    in_comments: bool,
}

impl Printer<'_> {
    fn file(&mut self) {
        let items = &self.tree.items;
        let mut at = 0;
        while let Some(item) = items.get(at) {
            let before = at
                .checked_sub(1)
                .and_then(|before| items.get(before))
                .map(|before| &before.kind);
            let parted = before.is_some_and(|before| {
                (is_block(before) || is_block(&item.kind))
                    && !matches!(
                        (before, &item.kind),
                        (ItemKind::Promise(_), ItemKind::Promise(_))
                    )
            });
            match &item.kind {
                ItemKind::Action(action) => {
                    self.begin(
                        Span {
                            end: action.open.end,
                            ..item.span
                        },
                        item.blank_before,
                        parted,
                        0,
                    );
                    self.action(action);
                    at += 1;
                }
                ItemKind::Promise(promise) => {
                    self.begin(
                        Span {
                            end: promise.open.end,
                            ..item.span
                        },
                        item.blank_before,
                        parted,
                        0,
                    );
                    self.promise(promise);
                    at += 1;
                }
                ItemKind::Drill(drill) => {
                    self.begin(item.span, item.blank_before, parted, 0);
                    self.drill(drill);
                    self.end(item.span.end);
                    at += 1;
                }
                _ => {
                    let rest = items.get(at..).unwrap_or(&[]);
                    let together = rest
                        .iter()
                        .zip(rest.iter().skip(1))
                        .take_while(|(above, below)| {
                            !is_block(&below.kind)
                                && !matches!(below.kind, ItemKind::Drill(_))
                                && self.together(above.span, below.span, below.blank_before)
                        })
                        .count();
                    let block = rest.get(..=together).unwrap_or(rest);
                    self.declarations(block, parted);
                    at += block.len();
                }
            }
        }
        self.remaining_comments(u32::MAX, 0);
        if !self.out.is_empty() {
            self.out.push('\n');
        }
    }

    /// Whether no empty line stands between two things.
    fn together(&self, above: Span, below: Span, blank_before: bool) -> bool {
        let comments = &self.tree.comments;
        let from = comments.partition_point(|comment| comment.span.start < above.end);
        let between = comments
            .iter()
            .skip(from)
            .take_while(|comment| comment.span.start < below.start);
        !blank_before && !between.into_iter().any(|comment| comment.blank_before)
    }

    /// Declarations that stand together, in columns.
    fn declarations(&mut self, items: &[Item], parted: bool) {
        let width = |word: Word| self.tree.text(word).chars().count();
        let most = |widths: &mut dyn Iterator<Item = usize>, cap: usize| {
            widths.max().unwrap_or(0).min(cap)
        };
        let keyword = most(
            &mut items
                .iter()
                .filter(|item| name_of(&item.kind).is_some())
                .map(|item| keyword_of(&item.kind).len()),
            WIDEST,
        );
        let name = most(
            &mut items
                .iter()
                .filter_map(|item| name_of(&item.kind))
                .map(width),
            WIDEST_NAME,
        );
        let shown = items.iter().filter_map(|item| {
            if let ItemKind::Proof { shows, .. } = &item.kind {
                Some(*shows)
            } else {
                None
            }
        });
        let shows = most(&mut shown.map(width), WIDEST_NAME);
        // Only labels that something follows decide where that begins.
        let followed = items
            .iter()
            .filter(|item| !self.tail_of(&item.kind, 0).is_empty());
        let label = most(
            &mut followed
                .filter_map(|item| label_of(&item.kind))
                .map(|label| self.quoted_width(label)),
            WIDEST,
        );
        for (n, item) in items.iter().enumerate() {
            self.begin(item.span, item.blank_before, parted && n == 0, 0);
            let mut line = String::new();
            let word = keyword_of(&item.kind);
            if let ItemKind::Organisation { label } = &item.kind {
                line.push_str(word);
                line.push(' ');
                self.quote(&mut line, *label);
            } else {
                let _ = write!(line, "{word:keyword$} ");
                if let Some(word) = name_of(&item.kind) {
                    let _ = write!(line, "{:name$} ", self.tree.text(word));
                }
                if let Some(words) = label_of(&item.kind) {
                    self.quote(&mut line, words);
                    let tail = self.tail_of(&item.kind, shows);
                    if !tail.is_empty() {
                        let pad = label.saturating_sub(self.quoted_width(words));
                        let _ = write!(line, "{:pad$} {tail}", "");
                    }
                }
            }
            self.out.push_str(&line);
            self.end(item.span.end);
        }
    }

    /// What follows the label.
    fn tail_of(&self, item: &ItemKind, shows_width: usize) -> String {
        let mut tail = String::new();
        match item {
            ItemKind::Staff { includes, .. } if !includes.is_empty() => {
                tail.push_str("includes ");
                self.list(&mut tail, includes);
            }
            ItemKind::Holding {
                using, exposure, ..
            } => {
                if let Some(using) = using {
                    let _ = write!(tail, "using {}", self.tree.text(*using));
                }
                let space = if tail.is_empty() { "" } else { " " };
                match exposure {
                    ExposureNode::Hidden => {}
                    ExposureNode::Public => {
                        let _ = write!(tail, "{space}public");
                    }
                    ExposureNode::VisibleTo(role) => {
                        let _ = write!(tail, "{space}visible to {}", self.tree.text(*role));
                    }
                }
            }
            ItemKind::Proof { shows, using, .. } => {
                let _ = write!(
                    tail,
                    "shows {:shows_width$} using {}",
                    self.tree.text(*shows),
                    self.tree.text(*using)
                );
            }
            _ => {}
        }
        tail
    }

    fn action(&mut self, action: &ActionNode) {
        let outside = if action.outside { "outside " } else { "" };
        let mut line = format!("{outside}action {} ", self.tree.text(action.name));
        self.quote(&mut line, action.label);
        self.out.push_str(&line);
        self.open(action.open);
        let mut at = 0;
        while let Some(clause) = action.clauses.get(at) {
            if let ClauseKind::Path(path) = &clause.kind {
                self.begin(
                    Span {
                        end: path.open.end,
                        ..clause.span
                    },
                    clause.blank_before,
                    false,
                    1,
                );
                self.path(path);
                at += 1;
                continue;
            }
            // Clauses that stand together line up.
            let rest = action.clauses.get(at..).unwrap_or(&[]);
            let together = rest
                .iter()
                .zip(rest.iter().skip(1))
                .take_while(|(above, below)| {
                    !matches!(below.kind, ClauseKind::Path(_))
                        && self.together(above.span, below.span, below.blank_before)
                })
                .count();
            let block = rest.get(..=together).unwrap_or(rest);
            let width = block
                .iter()
                .map(|clause| clause_keyword(&clause.kind).len())
                .max()
                .unwrap_or(0);
            for clause in block {
                self.begin(clause.span, clause.blank_before, false, 1);
                self.clause(&clause.kind, width);
                self.end(clause.span.end);
            }
            at += block.len();
        }
        self.close(action.close, 0);
    }

    fn clause(&mut self, clause: &ClauseKind, width: usize) {
        let mut line = format!("{:width$} ", clause_keyword(clause));
        match clause {
            ClauseKind::With(parameters) => {
                for (n, (name, label)) in parameters.iter().enumerate() {
                    let comma = if n == 0 { "" } else { ", " };
                    let _ = write!(line, "{comma}{} ", self.tree.text(*name));
                    self.quote(&mut line, *label);
                }
            }
            ClauseKind::Says(text) => self.quote(&mut line, *text),
            ClauseKind::OpenedBy(who) => self.list(&mut line, who),
            ClauseKind::Gives(word)
            | ClauseKind::Changes(word)
            | ClauseKind::Loses(word)
            | ClauseKind::Runs(word) => {
                line.push_str(self.tree.text(*word));
            }
            ClauseKind::Sends { what, to } => {
                let _ = write!(line, "{} to {}", self.tree.text(*what), self.tree.text(*to));
            }
            ClauseKind::Expires(duration) => {
                let _ = write!(line, "{duration}");
            }
            ClauseKind::Path(_) => {}
        }
        self.out.push_str(&line);
    }

    fn path(&mut self, path: &PathNode) {
        let _ = write!(self.out, "path {}", self.tree.text(path.name));
        let commented = self
            .comments
            .peek()
            .is_some_and(|comment| comment.span.start < path.close.start);
        if path.lines.is_empty() && !commented {
            self.out.push_str(" {}");
            self.end(path.close.end);
            return;
        }
        if path.one_line && !commented {
            let lines: Vec<String> = path
                .lines
                .iter()
                .map(|line| self.requirement(line))
                .collect();
            let inside = lines.join("  ");
            let used = self
                .out
                .rsplit('\n')
                .next()
                .map_or(0, |line| line.chars().count());
            if used + " {  }".len() + inside.chars().count() <= WIDEST {
                let _ = write!(self.out, " {{ {inside} }}");
                self.end(path.close.end);
                return;
            }
        }
        self.open(path.open);
        for line in &path.lines {
            self.begin(line.span, line.blank_before, false, 2);
            let text = self.requirement(line);
            self.out.push_str(&text);
            self.end(line.span.end);
        }
        self.close(path.close, 1);
    }

    fn requirement(&self, line: &LineNode) -> String {
        let mut text = String::new();
        let t = |word: Word| self.tree.text(word);
        let _ = match &line.kind {
            LineKind::Prove(expression) => {
                text.push_str("prove ");
                self.expression(&mut text, expression, false);
                Ok(())
            }
            LineKind::Confirms { role, text: said } => {
                let _ = write!(text, "{} confirms ", t(*role));
                self.quote(&mut text, *said);
                Ok(())
            }
            LineKind::SignOff { count, role } => {
                write!(text, "sign-off {} {}", count.value, t(*role))
            }
            LineKind::NotifyEvery => write!(text, "notify every channel"),
            LineKind::Notify(channels) => {
                text.push_str("notify ");
                self.list(&mut text, channels);
                Ok(())
            }
            LineKind::Wait(duration) => write!(text, "wait {duration}"),
            LineKind::Backup {
                grade,
                within,
                places,
            } => {
                let grade = match grade {
                    BackupGrade::Exists => "",
                    BackupGrade::Verified => "verified ",
                    BackupGrade::Restored => "restored ",
                };
                let _ = write!(text, "backup {grade}within {within}");
                match places {
                    Some(places) => write!(
                        text,
                        " in {} {}",
                        places.value,
                        if places.value == 1 { "place" } else { "places" }
                    ),
                    None => Ok(()),
                }
            }
            LineKind::When {
                subject,
                comparison,
                value,
            } => {
                let _ = write!(text, "when {} {} ", t(*subject), comparison.as_str());
                match value {
                    ValueNode::Number(millionths) => text.push_str(&decimal(*millionths)),
                    ValueNode::Text(words) => self.quote(&mut text, *words),
                }
                Ok(())
            }
            LineKind::AtMost { count, per, scope } => write!(
                text,
                "at most {} per {per} per {}",
                count.value,
                scope.as_str()
            ),
        };
        text
    }

    /// `within`: parentheses are needed round `and` and `or`.
    fn expression(&self, text: &mut String, expression: &ExprNode, within: bool) {
        match expression {
            ExprNode::Atom { proof, settled, .. } => {
                text.push_str(self.tree.text(*proof));
                if let Some(settled) = settled {
                    let _ = write!(text, " settled {settled}");
                }
            }
            ExprNode::And(parts) => self.joined(text, parts, " and ", within),
            ExprNode::Or(parts) => self.joined(text, parts, " or ", within),
            ExprNode::NOf { n, of } => {
                let _ = write!(text, "{} of (", n.value);
                for (n, part) in of.iter().enumerate() {
                    text.push_str(if n == 0 { "" } else { ", " });
                    self.expression(text, part, false);
                }
                text.push(')');
            }
            ExprNode::Missing => {}
        }
    }

    fn joined(&self, text: &mut String, parts: &[ExprNode], between: &str, within: bool) {
        text.push_str(if within { "(" } else { "" });
        for (n, part) in parts.iter().enumerate() {
            text.push_str(if n == 0 { "" } else { between });
            self.expression(text, part, true);
        }
        text.push_str(if within { ")" } else { "" });
    }

    fn promise(&mut self, promise: &PromiseNode) {
        let mut line = "promise ".to_owned();
        self.quote(&mut line, promise.text);
        self.out.push_str(&line);
        self.open(promise.open);
        match &promise.claim {
            ClaimNode::Never {
                even_if,
                even_span,
                targets,
                never_span,
                blank_between,
            } => {
                if !even_if.is_empty() {
                    self.begin(*even_span, false, false, 1);
                    let assumptions: Vec<String> = even_if
                        .iter()
                        .map(|assumption| self.assumption(assumption))
                        .collect();
                    let _ = write!(self.out, "even if {}", assumptions.join(" and "));
                    self.end(even_span.end);
                }
                self.begin(*never_span, *blank_between, false, 1);
                let mut line = "never ".to_owned();
                self.list(&mut line, targets);
                self.out.push_str(&line);
                self.end(never_span.end);
            }
            ClaimNode::Always {
                without,
                even_span,
                action,
                within,
                always_span,
                blank_between,
            } => {
                if !without.is_empty() {
                    self.begin(*even_span, false, false, 1);
                    let mut line = "even without ".to_owned();
                    self.list(&mut line, without);
                    self.out.push_str(&line);
                    self.end(even_span.end);
                }
                self.begin(*always_span, *blank_between, false, 1);
                let _ = write!(self.out, "always {}", self.tree.text(*action));
                if let Some(within) = within {
                    let _ = write!(self.out, " within {within}");
                }
                self.end(always_span.end);
            }
            ClaimNode::Missing => {}
        }
        self.close(promise.close, 0);
    }

    fn drill(&mut self, drill: &DrillNode) {
        let mut line = format!("drill {} plays ", self.tree.text(drill.action));
        self.list(&mut line, &drill.plays);
        line.push_str(" asks ");
        self.list(&mut line, &drill.asks);
        let _ = write!(line, " every {}", drill.every);
        self.out.push_str(&line);
    }

    fn assumption(&self, assumption: &AssumptionNode) -> String {
        match assumption.kind {
            AssumptionKind::AnyOfKind { count, kind } => {
                let plural = if count.value == 1 { "" } else { "s" };
                let verb = Verb::of(kind).map_or("", Verb::as_str);
                format!("{} {}{plural} {verb}", count.value, kind.as_str())
            }
            AssumptionKind::Holding { holding, verb } => {
                format!("{} {}", self.tree.text(holding), verb.as_str())
            }
            AssumptionKind::Deceived { count, role } => {
                format!("{} {} deceived", count.value, self.tree.text(role))
            }
            AssumptionKind::AnyDeceived(role) => format!("any {} deceived", self.tree.text(role)),
            AssumptionKind::NoticesUnread => "notices unread".to_owned(),
        }
    }

    // Lines and comments. A comment before a thing in the source, or inside
    // it, is printed on a line of its own before it; one behind it on its last
    // line stays there.

    /// Starts the line of a thing. `blank`: an empty line stands before it in
    /// the source; `parted`: one must stand before it and its comments.
    fn begin(&mut self, thing: Span, blank: bool, parted: bool, depth: usize) {
        let mut blank = blank;
        let mut parted = parted;
        while let Some(comment) = self
            .comments
            .next_if(|comment| comment.span.start < thing.end)
        {
            let mut blank_here = parted;
            if comment.span.start < thing.start {
                blank_here |= comment.blank_before;
            } else if parted || !self.in_comments {
                blank_here |= std::mem::take(&mut blank);
            }
            self.start_line(blank_here, depth);
            self.out.push_str(&comment.text);
            self.in_comments = true;
            parted = false;
        }
        self.start_line(blank || parted, depth);
        self.in_comments = false;
    }

    /// Ends the line of a thing, with the comment that stands behind it.
    fn end(&mut self, end: u32) {
        if let Some(comment) = self
            .comments
            .next_if(|comment| !comment.own_line && comment.follows <= end)
        {
            self.out.push_str("  ");
            self.out.push_str(&comment.text);
        }
    }

    fn open(&mut self, open: Span) {
        self.out.push_str(" {");
        self.end(open.end);
        self.fresh = true;
    }

    fn close(&mut self, close: Span, depth: usize) {
        self.remaining_comments(close.start, depth + 1);
        self.fresh = true;
        self.start_line(false, depth);
        self.out.push('}');
        self.end(close.end);
    }

    fn remaining_comments(&mut self, before: u32, depth: usize) {
        while let Some(comment) = self.comments.next_if(|comment| comment.span.start < before) {
            self.start_line(comment.blank_before, depth);
            self.out.push_str(&comment.text);
        }
    }

    fn start_line(&mut self, blank: bool, depth: usize) {
        if !self.out.is_empty() {
            self.out.push('\n');
            if blank && !self.fresh {
                self.out.push('\n');
            }
        }
        self.fresh = false;
        for _ in 0..depth {
            self.out.push_str("  ");
        }
    }

    // Words.

    fn list(&self, line: &mut String, words: &[Word]) {
        for (n, word) in words.iter().enumerate() {
            line.push_str(if n == 0 { "" } else { ", " });
            line.push_str(self.tree.text(*word));
        }
    }

    fn quote(&self, line: &mut String, word: Word) {
        line.push('"');
        for letter in self.tree.text(word).chars() {
            if matches!(letter, '"' | '\\') {
                line.push('\\');
            }
            line.push(letter);
        }
        line.push('"');
    }

    fn quoted_width(&self, word: Word) -> usize {
        let text = self.tree.text(word);
        2 + text.chars().count()
            + text
                .bytes()
                .filter(|byte| matches!(byte, b'"' | b'\\'))
                .count()
    }
}

fn is_block(item: &ItemKind) -> bool {
    matches!(item, ItemKind::Action(_) | ItemKind::Promise(_))
}

fn keyword_of(item: &ItemKind) -> &'static str {
    match item {
        ItemKind::Organisation { .. } => "organisation",
        ItemKind::Staff { .. } => "staff",
        ItemKind::Holding { kind, .. } => kind.as_str(),
        ItemKind::Proof { .. } => "proof",
        ItemKind::Loss { .. } => "loss",
        ItemKind::Action(_) => "action",
        ItemKind::Promise(_) => "promise",
        ItemKind::Drill(_) => "drill",
    }
}

fn name_of(item: &ItemKind) -> Option<Word> {
    match item {
        ItemKind::Staff { name, .. }
        | ItemKind::Holding { name, .. }
        | ItemKind::Proof { name, .. }
        | ItemKind::Loss { name, .. } => Some(*name),
        _ => None,
    }
}

fn label_of(item: &ItemKind) -> Option<Word> {
    match item {
        ItemKind::Staff { label, .. }
        | ItemKind::Holding { label, .. }
        | ItemKind::Proof { label, .. }
        | ItemKind::Loss { label, .. } => Some(*label),
        _ => None,
    }
}

fn clause_keyword(clause: &ClauseKind) -> &'static str {
    match clause {
        ClauseKind::With(_) => "with",
        ClauseKind::Says(_) => "says",
        ClauseKind::OpenedBy(_) => "opened by",
        ClauseKind::Gives(_) => "gives",
        ClauseKind::Changes(_) => "changes",
        ClauseKind::Sends { .. } => "sends",
        ClauseKind::Loses(_) => "loses",
        ClauseKind::Runs(_) => "runs",
        ClauseKind::Expires(_) => "expires",
        ClauseKind::Path(_) => "path",
    }
}
