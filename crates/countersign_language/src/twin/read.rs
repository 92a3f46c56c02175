//! JSON to tree, strictly and with every mistake at once.

use std::collections::BTreeMap;

use super::json::{self, Json, Node};
use crate::codes;
use crate::findings::Findings;
use crate::lexer::{abbreviated, is_invisible};
use crate::model::{BackupGrade, Comparison, Duration, HoldingKind, Scope, Span, Unit};
use crate::parser::{
    self, Naming, check_n_of, check_name, duration_of, millionths, push_flat, zero,
};
use crate::suggest::nearest;
use crate::tree::{
    ActionNode, AssumptionKind, AssumptionNode, ClaimNode, Clause, ClauseKind, Count, DrillNode,
    ExposureNode, ExprNode, Item, ItemKind, LineKind, LineNode, PathNode, PromiseNode, Symbol,
    Tree, ValueNode, Verb, Word,
};

/// Reads a twin. The tree's spans refer to the JSON. Nothing if it is not a JSON object at all.
pub(crate) fn from_json(text: &str, findings: &mut Findings) -> Option<Tree> {
    let errors = findings.errors();
    let root = json::parse(text, findings)?;
    let mut reader = Reader {
        tree: Tree::default(),
        kinds: BTreeMap::new(),
        findings,
    };
    reader.procedure(&root)?;
    let Reader {
        mut tree, findings, ..
    } = reader;
    tree.broken = findings.errors() > errors;
    Some(tree)
}

/// Paths of no more requirements than this go on one line when the twin becomes text.
const SHORT: usize = 3;
const FALLBACK: Duration = Duration {
    count: 1,
    unit: Unit::Day,
};

struct Reader<'f> {
    tree: Tree,
    /// Of the holdings read so far.
    kinds: BTreeMap<Symbol, HoldingKind>,
    findings: &'f mut Findings,
}

/// An object whose fields are all known ones.
#[derive(Clone, Copy)]
struct Fields<'n> {
    fields: &'n [(json::Key, Node)],
    span: Span,
}

impl<'n> Fields<'n> {
    fn get(&self, name: &str) -> Option<&'n Node> {
        self.fields
            .iter()
            .find(|(key, _)| *key.name == *name)
            .map(|(_, node)| node)
    }

    fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }
}

impl Reader<'_> {
    fn procedure(&mut self, root: &Node) -> Option<()> {
        let known = [
            "actions",
            "drills",
            "holdings",
            "losses",
            "organisation",
            "promises",
            "proofs",
            "staff",
        ];
        let fields = self.object(root, &known, "a procedure")?;
        if let Some(label) = fields.get("organisation") {
            let label = self.text(label);
            self.push(ItemKind::Organisation { label }, root.span, false);
        }
        self.each(
            fields,
            "staff",
            &["includes", "label", "name"],
            "a role",
            |reader, fields, first| {
                let kind = ItemKind::Staff {
                    name: reader.required_name(fields, "name", Naming::Role),
                    label: reader.required_text(fields, "label"),
                    includes: reader.optional_names(fields, "includes"),
                };
                reader.push(kind, fields.span, first);
            },
        );
        self.each(
            fields,
            "holdings",
            &["kind", "label", "name", "public", "using", "visible_to"],
            "a holding",
            Self::holding,
        );
        self.each(
            fields,
            "proofs",
            &["label", "name", "shows", "using"],
            "a proof",
            |reader, fields, first| {
                let kind = ItemKind::Proof {
                    name: reader.required_name(fields, "name", Naming::Holding),
                    label: reader.required_text(fields, "label"),
                    shows: reader.required_name(fields, "shows", Naming::Any),
                    using: reader.required_name(fields, "using", Naming::Any),
                };
                reader.push(kind, fields.span, first);
            },
        );
        self.each(
            fields,
            "losses",
            &["label", "name"],
            "a loss",
            |reader, fields, first| {
                let kind = ItemKind::Loss {
                    name: reader.required_name(fields, "name", Naming::Plain),
                    label: reader.required_text(fields, "label"),
                };
                reader.push(kind, fields.span, first);
            },
        );
        let known = [
            "effects",
            "expires",
            "label",
            "name",
            "opened_by",
            "outside",
            "parameters",
            "paths",
            "runs",
            "says",
        ];
        self.each(
            fields,
            "actions",
            &known,
            "an action",
            |reader, fields, _| reader.action(fields),
        );
        let known = ["always", "even_if", "never", "text", "within", "without"];
        self.each(fields, "promises", &known, "a promise", Self::promise);
        self.each(
            fields,
            "drills",
            &["action", "asks", "every", "plays"],
            "a drill",
            |reader, fields, first| {
                let some = |reader: &mut Self, field| match reader.required(fields, field) {
                    Some(node) => reader.some_names(node),
                    None => Box::default(),
                };
                let drill = DrillNode {
                    action: reader.required_name(fields, "action", Naming::Any),
                    plays: some(reader, "plays"),
                    asks: some(reader, "asks"),
                    every: match reader.required(fields, "every") {
                        Some(node) => reader.duration(node),
                        None => FALLBACK,
                    },
                };
                reader.push(ItemKind::Drill(Box::new(drill)), fields.span, first);
            },
        );
        Some(())
    }

    fn push(&mut self, kind: ItemKind, span: Span, blank_before: bool) {
        self.tree.items.push(Item {
            kind,
            span,
            blank_before,
        });
    }

    fn holding(&mut self, fields: Fields<'_>, first: bool) {
        let kind = self
            .one_of(fields, "kind", &HoldingKind::ALL, HoldingKind::as_str)
            .unwrap_or(HoldingKind::Secret);
        let name = self.required_name(fields, "name", Naming::Holding);
        self.kinds.insert(name.symbol, kind);
        let label = self.required_text(fields, "label");
        let using = fields.get("using").map(|node| self.name(node, Naming::Any));
        let public = fields.get("public").is_some_and(|node| self.truth(node));
        let visible = fields
            .get("visible_to")
            .map(|node| (self.name(node, Naming::Any), node.span));
        let exposure = match (public, visible) {
            (true, Some((_, place))) => {
                self.findings.add(codes::REPEATED_CLAUSE, place, || {
                    "`who can read it` is said twice".to_owned()
                });
                ExposureNode::Public
            }
            (true, None) => ExposureNode::Public,
            (false, Some((role, _))) => ExposureNode::VisibleTo(role),
            (false, None) => ExposureNode::Hidden,
        };
        self.push(
            ItemKind::Holding {
                kind,
                name,
                label,
                using,
                exposure,
            },
            fields.span,
            first,
        );
    }

    fn action(&mut self, fields: Fields<'_>) {
        let errors = self.findings.errors();
        let mut clauses = Vec::new();
        let mut clause = |kind, span, blank_before| {
            clauses.push(Clause {
                kind,
                span,
                blank_before,
            });
        };
        if let Some(node) = fields.get("parameters") {
            let mut parameters = Vec::new();
            for node in self.list(node) {
                if let Some(fields) = self.object(node, &["label", "name"], "a parameter") {
                    let name = self.required_name(fields, "name", Naming::Plain);
                    parameters.push((name, self.required_text(fields, "label")));
                }
            }
            if !parameters.is_empty() {
                clause(ClauseKind::With(parameters.into()), node.span, false);
            }
        }
        if let Some(node) = fields.get("says") {
            clause(ClauseKind::Says(self.text(node)), node.span, false);
        }
        if let Some(node) = fields.get("opened_by") {
            clause(
                ClauseKind::OpenedBy(self.some_names(node)),
                node.span,
                false,
            );
        }
        for node in fields
            .get("effects")
            .map(|node| self.list(node))
            .unwrap_or_default()
        {
            let Some(fields) = self.object(
                node,
                &["changes", "gives", "loses", "sends", "to"],
                "an effect",
            ) else {
                continue;
            };
            let Some(kind) = self.effect(fields) else {
                continue;
            };
            clause(kind, node.span, false);
        }
        if let Some(node) = fields.get("runs") {
            clause(
                ClauseKind::Runs(self.name(node, Naming::Any)),
                node.span,
                false,
            );
        }
        if let Some(node) = fields.get("expires") {
            clause(ClauseKind::Expires(self.duration(node)), node.span, false);
        }
        let paths = self
            .required(fields, "paths")
            .map(|node| self.list(node))
            .unwrap_or_default();
        for (n, node) in paths.iter().enumerate() {
            if let Some(path) = self.path(node) {
                clause(
                    ClauseKind::Path(Box::new(path)),
                    node.span,
                    n == 0 && paths.len() > 1,
                );
            }
        }
        let action = ActionNode {
            outside: fields.get("outside").is_some_and(|node| self.truth(node)),
            name: self.required_name(fields, "name", Naming::Action),
            label: self.required_text(fields, "label"),
            open: fields.span,
            close: fields.span,
            clauses: clauses.into(),
            broken: self.findings.errors() > errors,
        };
        self.push(ItemKind::Action(Box::new(action)), fields.span, true);
    }

    fn effect(&mut self, fields: Fields<'_>) -> Option<ClauseKind> {
        let which = self.exactly_one(fields, &["changes", "gives", "loses", "sends"])?;
        let word = self.required_name(fields, which, Naming::Any);
        if which == "sends" {
            return Some(ClauseKind::Sends {
                what: word,
                to: self.required_name(fields, "to", Naming::Any),
            });
        }
        self.only(fields, &[which]);
        Some(match which {
            "changes" => ClauseKind::Changes(word),
            "gives" => ClauseKind::Gives(word),
            _ => ClauseKind::Loses(word),
        })
    }

    fn path(&mut self, node: &Node) -> Option<PathNode> {
        let errors = self.findings.errors();
        let fields = self.object(node, &["lines", "name"], "a path")?;
        let mut lines = Vec::new();
        for node in self
            .required(fields, "lines")
            .map(|node| self.list(node))
            .unwrap_or_default()
        {
            let known = [
                "at_most",
                "backup",
                "comparison",
                "confirms",
                "notify",
                "number",
                "per",
                "places",
                "prove",
                "role",
                "scope",
                "sign_off",
                "text",
                "wait",
                "when",
                "within",
            ];
            if let Some(fields) = self.object(node, &known, "a requirement")
                && let Some(kind) = self.line(fields)
            {
                lines.push(LineNode {
                    kind,
                    span: node.span,
                    blank_before: false,
                });
            }
        }
        let name = self.required_name(fields, "name", Naming::Plain);
        Some(PathNode {
            name,
            open: node.span,
            close: node.span,
            one_line: lines.len() <= SHORT,
            lines: lines.into(),
            broken: self.findings.errors() > errors,
        })
    }

    fn line(&mut self, fields: Fields<'_>) -> Option<LineKind> {
        let which = self.exactly_one(
            fields,
            &[
                "at_most", "backup", "confirms", "notify", "prove", "sign_off", "wait", "when",
            ],
        )?;
        let node = fields.get(which)?;
        Some(match which {
            "prove" => {
                self.only(fields, &["prove"]);
                LineKind::Prove(self.expression(node, 0))
            }
            "confirms" => {
                self.only(fields, &["confirms", "role"]);
                LineKind::Confirms {
                    role: self.required_name(fields, "role", Naming::Any),
                    text: self.text(node),
                }
            }
            "sign_off" => {
                self.only(fields, &["role", "sign_off"]);
                let count = self.count(node, "a sign-off by nobody is none");
                LineKind::SignOff {
                    count,
                    role: self.required_name(fields, "role", Naming::Any),
                }
            }
            "notify" => {
                self.only(fields, &["notify"]);
                if matches!(&node.value, Json::Text(text) if **text == *"every channel") {
                    LineKind::NotifyEvery
                } else {
                    LineKind::Notify(self.some_names(node))
                }
            }
            "wait" => {
                self.only(fields, &["wait"]);
                LineKind::Wait(self.duration(node))
            }
            "backup" => {
                self.only(fields, &["backup", "places", "within"]);
                let grades = [
                    BackupGrade::Exists,
                    BackupGrade::Verified,
                    BackupGrade::Restored,
                ];
                let grade = self.one_of(fields, "backup", &grades, BackupGrade::as_str)?;
                let within = self
                    .required(fields, "within")
                    .map_or(FALLBACK, |node| self.duration(node));
                let places = fields
                    .get("places")
                    .map(|node| self.count(node, "a backup in no place is none"));
                LineKind::Backup {
                    grade,
                    within,
                    places,
                }
            }
            "when" => {
                self.only(fields, &["comparison", "number", "text", "when"]);
                let subject = self.name(node, Naming::Any);
                let all = [
                    Comparison::Is,
                    Comparison::IsNot,
                    Comparison::Less,
                    Comparison::AtMost,
                    Comparison::More,
                    Comparison::AtLeast,
                ];
                let comparison = self.one_of(fields, "comparison", &all, Comparison::as_str)?;
                let which = self.exactly_one(fields, &["number", "text"])?;
                let node = fields.get(which)?;
                let value = if which == "text" {
                    ValueNode::Text(self.any_text(node))
                } else {
                    self.decimal(node)
                };
                LineKind::When {
                    subject,
                    comparison,
                    value,
                }
            }
            _ => {
                self.only(fields, &["at_most", "per", "scope"]);
                let count = self.count(node, "at most never is never");
                let per = self
                    .required(fields, "per")
                    .map_or(FALLBACK, |node| self.duration(node));
                let scope = self.one_of(
                    fields,
                    "scope",
                    &[Scope::Customer, Scope::Staff],
                    Scope::as_str,
                )?;
                LineKind::AtMost { count, per, scope }
            }
        })
    }

    fn expression(&mut self, node: &Node, depth: u32) -> ExprNode {
        if depth > parser::DEEPEST {
            if let Some(finding) = self.findings.add(codes::NESTED_TOO_DEEP, node.span, || {
                format!("more than {} groups within one another", parser::DEEPEST)
            }) {
                finding.help(
                    "split this into several paths, or into several `prove` lines of one path",
                );
            }
            return ExprNode::Missing;
        }
        if matches!(node.value, Json::Text(_)) {
            return ExprNode::Atom {
                proof: self.name(node, Naming::Any),
                settled: None,
                span: node.span,
            };
        }
        let Some(fields) = self.object(
            node,
            &["and", "n", "of", "or", "proof", "settled"],
            "a proof or a group of them",
        ) else {
            return ExprNode::Missing;
        };
        let Some(which) = self.exactly_one(fields, &["and", "of", "or", "proof"]) else {
            return ExprNode::Missing;
        };
        if which == "proof" {
            self.only(fields, &["proof", "settled"]);
            let settled = self
                .required(fields, "settled")
                .map(|node| self.duration(node));
            return ExprNode::Atom {
                proof: self.required_name(fields, "proof", Naming::Any),
                settled,
                span: node.span,
            };
        }
        let Some(list) = fields.get(which) else {
            return ExprNode::Missing;
        };
        let nodes = self.list(list);
        let mut parts = Vec::with_capacity(nodes.len());
        for node in nodes {
            let part = self.expression(node, depth + 1);
            if which == "of" {
                parts.push(part);
            } else {
                push_flat(&mut parts, part, which == "and");
            }
        }
        if which == "of" {
            self.only(fields, &["n", "of"]);
            let Some(n) = self.required(fields, "n") else {
                return ExprNode::Missing;
            };
            let n = self.integer(n);
            check_n_of(n, parts.len(), self.findings);
            return ExprNode::NOf {
                n,
                of: parts.into(),
            };
        }
        self.only(fields, &[which]);
        if nodes.len() < 2 {
            self.wrong(list.span, "at least two proofs", "fewer");
            return ExprNode::Missing;
        }
        if which == "and" {
            ExprNode::And(parts.into())
        } else {
            ExprNode::Or(parts.into())
        }
    }

    fn promise(&mut self, fields: Fields<'_>, first: bool) {
        let text = self.required_text(fields, "text");
        let claim = match self.exactly_one(fields, &["always", "never"]) {
            Some("never") => {
                self.only(fields, &["even_if", "never", "text"]);
                let mut even_if = Vec::new();
                for node in fields
                    .get("even_if")
                    .map(|node| self.list(node))
                    .unwrap_or_default()
                {
                    even_if.extend(self.assumption(node));
                }
                let targets = fields
                    .get("never")
                    .map(|node| self.some_names(node))
                    .unwrap_or_default();
                ClaimNode::Never {
                    even_if: even_if.into(),
                    even_span: fields.span,
                    targets,
                    never_span: fields.span,
                    blank_between: false,
                }
            }
            Some(_) => {
                self.only(fields, &["always", "text", "within", "without"]);
                ClaimNode::Always {
                    without: self.optional_names(fields, "without"),
                    even_span: fields.span,
                    action: self.required_name(fields, "always", Naming::Any),
                    within: fields.get("within").map(|node| self.duration(node)),
                    always_span: fields.span,
                    blank_between: false,
                }
            }
            None => ClaimNode::Missing,
        };
        let promise = PromiseNode {
            text,
            open: fields.span,
            close: fields.span,
            claim,
        };
        self.push(ItemKind::Promise(Box::new(promise)), fields.span, first);
    }

    fn assumption(&mut self, node: &Node) -> Option<AssumptionNode> {
        let fields = self.object(
            node,
            &["any", "count", "holding", "kind", "notices", "role"],
            "an assumption",
        )?;
        let kind = match self.exactly_one(fields, &["any", "holding", "kind", "notices", "role"])? {
            "any" => {
                self.only(fields, &["any"]);
                AssumptionKind::AnyDeceived(self.required_name(fields, "any", Naming::Any))
            }
            "holding" => {
                self.only(fields, &["holding"]);
                let holding = self.required_name(fields, "holding", Naming::Any);
                // The twin names no verb: the holding's kind decides it.
                AssumptionKind::Holding {
                    holding,
                    verb: self.verb_of(holding),
                }
            }
            "notices" => {
                self.only(fields, &["notices"]);
                self.one_of(fields, "notices", &["unread"], |word| word)?;
                AssumptionKind::NoticesUnread
            }
            which => {
                self.only(fields, &["count", which]);
                let count = self.required(fields, "count")?;
                let count = self.count(count, "nothing lost is nothing assumed");
                if which == "role" {
                    AssumptionKind::Deceived {
                        count,
                        role: self.required_name(fields, "role", Naming::Any),
                    }
                } else {
                    let kinds = [
                        HoldingKind::Secret,
                        HoldingKind::Channel,
                        HoldingKind::Device,
                    ];
                    AssumptionKind::AnyOfKind {
                        count,
                        kind: self.one_of(fields, "kind", &kinds, HoldingKind::as_str)?,
                    }
                }
            }
        };
        Some(AssumptionNode {
            kind,
            span: node.span,
        })
    }

    /// The verb for a holding; holdings are read before promises. One that is
    /// not declared, or cannot be lost, is reported when names are looked up.
    fn verb_of(&self, holding: Word) -> Verb {
        self.kinds
            .get(&holding.symbol)
            .copied()
            .and_then(Verb::of)
            .unwrap_or(Verb::Stolen)
    }

    // Values of one type.

    fn each(
        &mut self,
        fields: Fields<'_>,
        list: &str,
        known: &[&str],
        what: &str,
        read: impl Fn(&mut Self, Fields<'_>, bool),
    ) {
        let Some(node) = fields.get(list) else { return };
        for (n, node) in self.list(node).iter().enumerate() {
            if let Some(fields) = self.object(node, known, what) {
                read(self, fields, n == 0);
            }
        }
    }

    fn object<'n>(&mut self, node: &'n Node, known: &[&str], what: &str) -> Option<Fields<'n>> {
        let Json::Object(fields) = &node.value else {
            self.wrong(
                node.span,
                &format!("an object for {what}"),
                node.value.kind(),
            );
            return None;
        };
        let mut seen = vec![false; known.len()];
        for (key, _) in fields {
            let Some(flag) = known
                .iter()
                .zip(&mut seen)
                .find(|(name, _)| **name == &*key.name)
                .map(|(_, flag)| flag)
            else {
                if let Some(finding) = self.findings.add(codes::UNKNOWN_FIELD, key.span, || {
                    format!("{what} has no field `{}`", abbreviated(&key.name))
                }) {
                    finding.help(match nearest(&key.name, known.iter().copied()) {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => format!(
                            "its fields are {}",
                            known
                                .iter()
                                .map(|name| format!("`{name}`"))
                                .collect::<Vec<_>>()
                                .join(", ")
                        ),
                    });
                }
                continue;
            };
            if std::mem::replace(flag, true) {
                self.findings.add(codes::REPEATED_CLAUSE, key.span, || {
                    format!("`{}` is said twice", key.name)
                });
            }
        }
        Some(Fields {
            fields,
            span: node.span,
        })
    }

    /// Says which of the known fields do not belong together.
    fn only(&mut self, fields: Fields<'_>, these: &[&str]) {
        for (key, _) in fields.fields {
            let name: &str = &key.name;
            if !these.contains(&name) {
                let with = these.first().copied().unwrap_or("");
                if let Some(finding) = self.findings.add(codes::UNKNOWN_FIELD, key.span, || {
                    format!("`{}` does not go with `{with}`", abbreviated(name))
                }) {
                    finding.help("leave it out");
                }
            }
        }
    }

    fn exactly_one<'w>(&mut self, fields: Fields<'_>, of: &[&'w str]) -> Option<&'w str> {
        let found = of.iter().copied().find(|name| fields.has(name));
        if found.is_none() {
            let choice = of
                .iter()
                .map(|name| format!("`{name}`"))
                .collect::<Vec<_>>()
                .join(", ");
            if let Some(finding) = self.findings.add(codes::MISSING_FIELD, fields.span, || {
                "nothing says what this is".to_owned()
            }) {
                finding.help(format!("add one of the fields {choice}"));
            }
        }
        found
    }

    fn required<'n>(&mut self, fields: Fields<'n>, name: &str) -> Option<&'n Node> {
        let node = fields.get(name);
        if node.is_none() {
            self.findings.add(codes::MISSING_FIELD, fields.span, || {
                format!("the field `{name}` is missing")
            });
        }
        node
    }

    fn list<'n>(&mut self, node: &'n Node) -> &'n [Node] {
        if let Json::List(items) = &node.value {
            return items;
        }
        self.wrong(node.span, "a list", node.value.kind());
        &[]
    }

    fn required_name(&mut self, fields: Fields<'_>, field: &str, naming: Naming) -> Word {
        match self.required(fields, field) {
            Some(node) => self.name(node, naming),
            None => Word::missing(fields.span.start),
        }
    }

    fn name(&mut self, node: &Node, naming: Naming) -> Word {
        let Json::Text(text) = &node.value else {
            self.wrong(node.span, "a name", node.value.kind());
            return Word::missing(node.span.start);
        };
        check_name(text, node.span, naming, self.findings);
        Word {
            symbol: self.tree.words.intern(text),
            span: node.span,
        }
    }

    fn optional_names(&mut self, fields: Fields<'_>, field: &str) -> Box<[Word]> {
        fields
            .get(field)
            .map(|node| self.list(node))
            .unwrap_or_default()
            .iter()
            .map(|node| self.name(node, Naming::Any))
            .collect()
    }

    /// Names, at least one.
    fn some_names(&mut self, node: &Node) -> Box<[Word]> {
        let nodes = self.list(node);
        if nodes.is_empty() && matches!(node.value, Json::List(_)) {
            self.wrong(node.span, "at least one name", "none");
        }
        nodes
            .iter()
            .map(|node| self.name(node, Naming::Any))
            .collect()
    }

    fn required_text(&mut self, fields: Fields<'_>, field: &str) -> Word {
        match self.required(fields, field) {
            Some(node) => self.text(node),
            None => Word::missing(fields.span.start),
        }
    }

    /// Words for people.
    fn text(&mut self, node: &Node) -> Word {
        let word = self.any_text(node);
        if !word.is_missing() && self.tree.text(word).trim().is_empty() {
            self.findings.add(codes::EMPTY_TEXT, node.span, || {
                "words for people cannot be empty".to_owned()
            });
        }
        word
    }

    fn any_text(&mut self, node: &Node) -> Word {
        let Json::Text(text) = &node.value else {
            self.wrong(node.span, "a text", node.value.kind());
            return Word::missing(node.span.start);
        };
        if let Some(letter) = text.chars().find(|letter| is_invisible(*letter))
            && let Some(finding) = self
                .findings
                .add(codes::INVISIBLE_CHARACTER, node.span, || {
                    format!(
                        "U+{:04X} is a character that nobody can see",
                        u32::from(letter)
                    )
                })
        {
            finding.help("take it out: people must see exactly what they sign");
        }
        Word {
            symbol: self.tree.words.keep(text),
            span: node.span,
        }
    }

    fn truth(&mut self, node: &Node) -> bool {
        // What is not so is left out, so that every procedure has one twin.
        if matches!(node.value, Json::Bool(true)) {
            return true;
        }
        self.wrong(node.span, "`true`, or nothing at all", node.value.kind());
        false
    }

    fn one_of<T: Copy>(
        &mut self,
        fields: Fields<'_>,
        field: &str,
        all: &[T],
        name: impl Fn(T) -> &'static str,
    ) -> Option<T> {
        let node = self.required(fields, field)?;
        if let Json::Text(text) = &node.value
            && let Some(found) = all.iter().copied().find(|one| name(*one) == &**text)
        {
            return Some(found);
        }
        let choice = all
            .iter()
            .map(|one| format!("`{}`", name(*one)))
            .collect::<Vec<_>>()
            .join(", ");
        let found = match &node.value {
            Json::Text(text) => format!("`{}`", abbreviated(text)),
            other => other.kind().to_owned(),
        };
        self.wrong(node.span, &format!("one of {choice}"), &found);
        None
    }

    fn duration(&mut self, node: &Node) -> Duration {
        let Json::Text(text) = &node.value else {
            self.wrong(
                node.span,
                "a length of time such as `\"24h\"`",
                node.value.kind(),
            );
            return FALLBACK;
        };
        duration_of(text, node.span, self.findings).0
    }

    fn integer(&mut self, node: &Node) -> Count {
        let value = match &node.value {
            Json::Number(digits) => digits.parse::<u32>().ok(),
            _ => None,
        };
        if value.is_none() {
            self.wrong(node.span, "a whole number", node.value.kind());
        }
        Count {
            value: value.unwrap_or(1),
            span: node.span,
        }
    }

    fn count(&mut self, node: &Node, none: &str) -> Count {
        let count = self.integer(node);
        if count.value == 0 {
            zero(count, none, self.findings);
        }
        count
    }

    fn decimal(&mut self, node: &Node) -> ValueNode {
        let Json::Text(text) = &node.value else {
            self.wrong(
                node.span,
                "a decimal number as a text, such as `\"49.99\"`",
                node.value.kind(),
            );
            return ValueNode::Number(0);
        };
        let number = millionths(text);
        if number.is_none()
            && let Some(finding) = self.findings.add(codes::BAD_NUMBER, node.span, || {
                format!("`{}` is not a number", abbreviated(text))
            })
        {
            finding.help(
                "write digits, with at most six after a decimal point: `\"50\"` or `\"49.99\"`",
            );
        }
        ValueNode::Number(number.unwrap_or(0))
    }

    fn wrong(&mut self, place: Span, wanted: &str, found: &str) {
        self.findings.add(codes::WRONG_TYPE, place, || {
            format!("expected {wanted}, found {found}")
        });
    }
}
