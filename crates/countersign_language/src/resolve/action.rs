//! Actions: clauses, sentences, paths and requirements.

use std::collections::BTreeMap;

use super::{Declared, MOST_COMPARISONS, MOST_NOTICES, Resolver, Thing, duplicate, header, index};
use crate::codes;
use crate::lexer::abbreviated;
use crate::model::{
    Action, Comparison, Duration, Effect, EffectKind, Expr, HoldingKind, Line, LossId, Openers,
    Parameter, Path, ProofId, Requirement, SentencePart, Shared, Span, Subject, Value,
};
use crate::parser::is_name;
use crate::suggest::nearest;
use crate::tree::{ActionNode, ClauseKind, ExprNode, LineKind, PathNode, Symbol, ValueNode, Word};

impl Resolver<'_, '_> {
    /// Nothing where the name is missing; that was reported when it was read.
    pub(super) fn action(&mut self, node: &ActionNode, item: Span) -> Option<Action> {
        if node.name.is_missing() {
            return None;
        }
        let count = |wanted: fn(&ClauseKind) -> bool| {
            node.clauses
                .iter()
                .filter(|clause| wanted(&clause.kind))
                .count()
        };
        let mut action = Action {
            name: self.text(node.name),
            label: self.text(node.label),
            outside: node.outside,
            parameters: Vec::new(),
            says: Vec::new(),
            opened_by: Openers {
                customer: true,
                roles: Shared::default(),
            },
            effects: Vec::with_capacity(count(is_effect)),
            runs: None,
            expires: Duration::DEFAULT_EXPIRES,
            paths: Vec::with_capacity(count(|kind| matches!(kind, ClauseKind::Path(_)))),
            span: header(item, node.label),
        };
        let mut once = Once::default();
        let mut by_name = BTreeMap::new();
        for clause in &node.clauses {
            if let Some((slot, word)) = once.slot(&clause.kind) {
                match *slot {
                    None => *slot = Some(clause.span),
                    Some(first) => {
                        if let Some(finding) =
                            self.findings.add(codes::REPEATED_CLAUSE, clause.span, || {
                                format!("`{word}` is said twice")
                            })
                        {
                            finding
                                .also(first, "first here")
                                .help("an action says this once; leave one out");
                        }
                        continue;
                    }
                }
            }
            let effect = match &clause.kind {
                ClauseKind::With(parameters) => {
                    for (name, label) in parameters {
                        if name.is_missing() {
                            continue;
                        }
                        if let Some((_, first)) = by_name.get(&name.symbol) {
                            duplicate(*name, *first, self.words, self.findings);
                            continue;
                        }
                        by_name.insert(name.symbol, (index(action.parameters.len()), name.span));
                        action.parameters.push(Parameter {
                            name: self.text(*name),
                            label: self.text(*label),
                            span: name.span,
                        });
                    }
                    None
                }
                ClauseKind::OpenedBy(who) => {
                    action.opened_by.customer = false;
                    let mut roles = Vec::new();
                    for word in who {
                        if self.words.text(*word) == "customer" {
                            action.opened_by.customer = true;
                        } else if let Some(role) = self.role(*word) {
                            roles.push(role);
                        }
                    }
                    roles.sort_unstable();
                    roles.dedup();
                    action.opened_by.roles = roles.into();
                    None
                }
                ClauseKind::Gives(holding) => {
                    self.holding(*holding).map(|(id, _)| EffectKind::Gives(id))
                }
                ClauseKind::Changes(holding) => self
                    .holding(*holding)
                    .map(|(id, _)| EffectKind::Changes(id)),
                ClauseKind::Sends { what, to } => {
                    let what = self.holding(*what);
                    let to = self.channel(*to);
                    what.zip(to)
                        .map(|((what, _), to)| EffectKind::Sends { what, to })
                }
                ClauseKind::Loses(loss) => self.loss(*loss).map(EffectKind::Loses),
                ClauseKind::Runs(connector) => {
                    action.runs = (!connector.is_missing()).then(|| self.text(*connector));
                    None
                }
                ClauseKind::Expires(duration) => {
                    action.expires = *duration;
                    None
                }
                // After the loop: `with` may stand below them.
                ClauseKind::Says(_) | ClauseKind::Path(_) => None,
            };
            if let Some(kind) = effect {
                action.effects.push(Effect {
                    kind,
                    span: clause.span,
                });
            }
        }
        if once.opened_by.is_none() {
            action.opened_by.roles = self.every_role.clone();
        }
        let parameters: BTreeMap<Symbol, u32> = by_name
            .iter()
            .map(|(symbol, (position, _))| (*symbol, *position))
            .collect();
        action.says = self.sentence(node, &action, &parameters);
        let mut path_names: BTreeMap<Symbol, Span> = BTreeMap::new();
        for clause in &node.clauses {
            let ClauseKind::Path(path) = &clause.kind else {
                continue;
            };
            if !path.name.is_missing() {
                if let Some(first) = path_names.get(&path.name.symbol) {
                    duplicate(path.name, *first, self.words, self.findings);
                } else {
                    path_names.insert(path.name.symbol, path.name.span);
                }
            }
            let path = self.path(path, clause.span, &parameters, &action);
            action.paths.push(path);
        }
        if action.paths.is_empty() && !node.broken {
            let name = &action.name;
            self.error(
                codes::MISSING_PATH,
                node.name.span,
                || format!("`{name}` has no path, so that nobody can ever do it"),
                "say what earns it: `path usual { prove … }`",
            );
        }
        if node.outside {
            for (said, word) in [
                (once.opened_by, "opened by"),
                (once.runs, "runs"),
                (once.expires, "expires"),
            ] {
                if let Some(place) = said {
                    self.error(
                        codes::OUTSIDE_CLAUSE,
                        place,
                        || format!("`{word}` means nothing for an outside action"),
                        "what happens outside is not run by the gate; leave it out",
                    );
                }
            }
        } else if once.runs.is_none() && !node.broken {
            let name = &action.name;
            self.error(
                codes::NOTHING_RUNS,
                node.name.span,
                || format!("no connector carries out `{name}`"),
                "name the connector that does: `runs panel`",
            );
        }
        if !node.broken {
            super::gate::check(&self.procedure, &action, self.findings);
        }
        Some(action)
    }

    fn loss(&mut self, word: Word) -> Option<LossId> {
        if word.is_missing() {
            return None;
        }
        match self.outcomes.get(word.symbol) {
            Some(Declared {
                what: super::Outcome::Loss(id),
                ..
            }) => Some(id),
            Some(Declared { at, .. }) => {
                self.wrong_kind(word, at, "an action", "a loss", None);
                None
            }
            None => {
                self.unknown(word, "loss", |resolver| &resolver.outcomes);
                None
            }
        }
    }

    /// The sentence people sign, with every parameter in it.
    fn sentence(
        &mut self,
        node: &ActionNode,
        action: &Action,
        parameters: &BTreeMap<Symbol, u32>,
    ) -> Vec<SentencePart> {
        let said = node.clauses.iter().find_map(|clause| match &clause.kind {
            ClauseKind::Says(text) => Some(*text),
            _ => None,
        });
        let Some(said) = said else {
            if let (Some(first), false, false) =
                (action.parameters.first(), node.outside, node.broken)
            {
                let example: Vec<String> = action
                    .parameters
                    .iter()
                    .take(3)
                    .map(|parameter| format!("{{{}}}", parameter.name))
                    .collect();
                let label = &action.label;
                if let Some(finding) =
                    self.findings.add(codes::MISSING_SENTENCE, first.span, || {
                        format!("nothing says `{}` to the people who sign", first.name)
                    })
                {
                    finding.help(format!(
                        "add a sentence with every parameter, such as `says \"{label}: {}\"`",
                        example.join(", ")
                    ));
                }
            }
            return vec![SentencePart::Text(action.label.clone())];
        };
        if said.is_missing() {
            return Vec::new();
        }
        let words = self.words;
        let text = words.text(said);
        let mut parts = Vec::new();
        let mut used = vec![false; action.parameters.len()];
        // Where `rest` begins in the file: just after the opening quote.
        let mut place = said.span.start.saturating_add(1);
        // Not so in JSON with escapes of its own; there all the words are underlined.
        let in_step = said.span.end.checked_sub(said.span.start)
            == Some(written_width(text).saturating_add(2));
        let mut rest = text;
        while let Some(brace) = rest.find(['{', '}']) {
            let (before, from) = rest.split_at_checked(brace).unwrap_or((rest, ""));
            place = place.saturating_add(written_width(before));
            push_text(&mut parts, before);
            // Up to the next brace, whichever it is: what is never closed is one brace.
            let close = from.strip_prefix('{').and_then(|inner| {
                inner
                    .find(['{', '}'])
                    .filter(|end| inner.get(*end..).is_some_and(|rest| rest.starts_with('}')))
            });
            let width = close.map_or(1, |close| close + 2);
            let (shown, after) = from.split_at_checked(width).unwrap_or((from, ""));
            let after_it = place.saturating_add(written_width(shown));
            let here = if in_step {
                Span {
                    start: place,
                    end: after_it,
                }
            } else {
                said.span
            };
            place = after_it;
            rest = after;
            let inner = shown
                .strip_prefix('{')
                .and_then(|shown| shown.strip_suffix('}'))
                .filter(|inner| is_name(inner, false));
            let Some(name) = inner else {
                self.error(
                    codes::BAD_PLACEHOLDER,
                    here,
                    || format!("`{}` holds no parameter", abbreviated(shown)),
                    "braces in a sentence stand round the name of a parameter, as in `{server}`",
                );
                continue;
            };
            match words.find(name).and_then(|symbol| parameters.get(&symbol)) {
                Some(parameter) => {
                    parts.push(SentencePart::Parameter(*parameter));
                    if let Some(flag) = used.get_mut(*parameter as usize) {
                        *flag = true;
                    }
                }
                None => self.unknown_parameter(name, here, action),
            }
        }
        push_text(&mut parts, rest);
        for (parameter, used) in action.parameters.iter().zip(used) {
            if !used && !node.outside {
                let name = &parameter.name;
                if let Some(finding) =
                    self.findings
                        .add(codes::UNSAID_PARAMETER, parameter.span, || {
                            format!("the sentence does not say `{name}`")
                        })
                {
                    finding.also(said.span, "people sign this").help(format!(
                        "add `{{{name}}}` to the sentence, or take the parameter out"
                    ));
                }
            }
        }
        parts
    }

    fn unknown_parameter(&mut self, name: &str, place: Span, action: &Action) {
        self.comparisons += action.parameters.len();
        let compare = self.comparisons <= MOST_COMPARISONS;
        if let Some(finding) = self.findings.add(codes::UNKNOWN_PARAMETER, place, || {
            format!("`{}` has no parameter `{}`", action.name, abbreviated(name))
        }) {
            let names = action
                .parameters
                .iter()
                .filter(|_| compare)
                .map(|parameter| parameter.name.as_str());
            finding.help(match nearest(name, names) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("declare it: `with {} \"…\"`", abbreviated(name)),
            });
        }
    }

    fn path(
        &mut self,
        node: &PathNode,
        clause: Span,
        parameters: &BTreeMap<Symbol, u32>,
        action: &Action,
    ) -> Path {
        let mut lines = Vec::with_capacity(node.lines.len());
        for line in &node.lines {
            if let Some(requirement) = self.requirement(&line.kind, line.span, parameters, action) {
                lines.push(Line {
                    requirement,
                    span: line.span,
                });
            }
        }
        lines.extend(self.implied_notice(node, action));
        if node.lines.is_empty() && !action.outside && !node.broken {
            self.error(
                codes::EMPTY_PATH,
                clause,
                || "this path asks for nothing, so that anybody could take it".to_owned(),
                "add what must be proved; only an outside action may have an empty path",
            );
        }
        Path {
            name: self.text(node.name),
            lines,
            span: header(clause, node.name),
        }
    }

    /// `changes` tells the old contact and every other, also where the path does not say so.
    fn implied_notice(&self, node: &PathNode, action: &Action) -> Option<Line> {
        let change = action
            .effects
            .iter()
            .find(|effect| matches!(effect.kind, EffectKind::Changes(_)))?;
        let mut kinds = node.lines.iter().map(|line| &line.kind);
        let said = kinds.any(|kind| matches!(kind, LineKind::NotifyEvery));
        if said || action.outside || node.lines.is_empty() || self.channels.is_empty() {
            return None;
        }
        // Not counted as a line that names channels: nobody wrote it, and the list is kept once.
        Some(Line {
            requirement: Requirement::Notify {
                every: true,
                channels: self.channels.clone(),
            },
            span: change.span,
        })
    }

    fn requirement(
        &mut self,
        line: &LineKind,
        place: Span,
        parameters: &BTreeMap<Symbol, u32>,
        action: &Action,
    ) -> Option<Requirement> {
        Some(match line {
            LineKind::Prove(expression) => Requirement::Prove(self.expression(expression)?),
            LineKind::Confirms { role, text } => Requirement::Confirms {
                role: self.role(*role)?,
                text: self.text(*text),
            },
            LineKind::SignOff { count, role } => Requirement::SignOff {
                count: count.value,
                role: self.role(*role)?,
            },
            LineKind::NotifyEvery => {
                if self.channels.is_empty() {
                    self.error(
                        codes::NOBODY_TO_NOTIFY,
                        place,
                        || "there is no channel to notify".to_owned(),
                        "declare at least one: `channel mailbox \"e-mail address on file\"`",
                    );
                    return None;
                }
                self.notices += self.channels.len();
                if self.notices > MOST_NOTICES {
                    self.error(
                        codes::TOO_LARGE,
                        place,
                        || {
                            format!(
                                "all `notify` lines together name more than {MOST_NOTICES} channels"
                            )
                        },
                        "a procedure of this size should be several procedures",
                    );
                    return None;
                }
                Requirement::Notify {
                    every: true,
                    channels: self.channels.clone(),
                }
            }
            LineKind::Notify(names) => {
                let mut channels: Vec<_> = names
                    .iter()
                    .filter_map(|name| self.channel(*name))
                    .collect();
                channels.sort_unstable();
                channels.dedup();
                if channels.is_empty() {
                    return None;
                }
                Requirement::Notify {
                    every: false,
                    channels: channels.into(),
                }
            }
            LineKind::Wait(duration) => Requirement::Wait(*duration),
            LineKind::Backup {
                grade,
                within,
                places,
            } => Requirement::Backup {
                grade: *grade,
                within: *within,
                places: places.map_or(1, |places| places.value),
            },
            LineKind::When {
                subject,
                comparison,
                value,
            } => {
                let value = self.value(*comparison, value);
                Requirement::When {
                    subject: self.subject(*subject, parameters, action)?,
                    comparison: *comparison,
                    value,
                }
            }
            LineKind::AtMost { count, per, scope } => Requirement::AtMost {
                count: count.value,
                per: *per,
                scope: *scope,
            },
        })
    }

    fn value(&mut self, comparison: Comparison, value: &ValueNode) -> Value {
        match value {
            ValueNode::Number(millionths) => Value::Number(*millionths),
            ValueNode::Text(word) => {
                if !matches!(comparison, Comparison::Is | Comparison::IsNot) {
                    let words = self.words.text(*word);
                    let help = match crate::parser::millionths(words) {
                        Some(_) => format!("write the number without quotes: `{words}`"),
                        None => "words can only be compared with `is` and `is not`".to_owned(),
                    };
                    self.error(
                        codes::BAD_COMPARISON,
                        word.span,
                        || "words have no order that could be compared".to_owned(),
                        &help,
                    );
                }
                Value::Text(self.text(*word))
            }
        }
    }

    fn subject(
        &mut self,
        word: Word,
        parameters: &BTreeMap<Symbol, u32>,
        action: &Action,
    ) -> Option<Subject> {
        if word.is_missing() {
            return None;
        }
        let name = self.words.text(word);
        if let Some(attribute) = name.strip_prefix("customer.") {
            return Some(Subject::Attribute(attribute.to_owned()));
        }
        if let Some(parameter) = parameters.get(&word.symbol) {
            return Some(Subject::Parameter(*parameter));
        }
        self.unknown_parameter(name, word.span, action);
        None
    }

    fn expression(&mut self, node: &ExprNode) -> Option<Expr> {
        match node {
            ExprNode::Atom {
                proof,
                settled,
                span,
            } => Some(Expr::Atom {
                proof: self.proof(*proof)?,
                settled: *settled,
                span: *span,
            }),
            ExprNode::And(parts) => Some(Expr::And(self.expressions(parts))),
            ExprNode::Or(parts) => Some(Expr::Or(self.expressions(parts))),
            ExprNode::NOf { n, of } => Some(Expr::NOf {
                n: n.value,
                of: self.expressions(of),
            }),
            ExprNode::Missing => None,
        }
    }

    fn expressions(&mut self, nodes: &[ExprNode]) -> Vec<Expr> {
        let mut parts = Vec::with_capacity(nodes.len());
        parts.extend(nodes.iter().filter_map(|node| self.expression(node)));
        parts
    }

    /// A proof, or a secret or state that is its own.
    fn proof(&mut self, word: Word) -> Option<ProofId> {
        match self.things.get(word.symbol) {
            Some(Declared {
                what: Thing::Proof(id),
                ..
            }) => Some(id),
            Some(Declared {
                what: Thing::Holding(id, kind),
                at,
            }) => {
                if let Some(Some(implied)) = self.implied.get(id.index()) {
                    return Some(*implied);
                }
                let shown_by = self
                    .shown_by
                    .get(&id)
                    .and_then(|proof| self.procedure.proofs.get(proof.index()));
                let name = self.words.text(word);
                let help = if let Some(proof) = shown_by {
                    format!("name a proof that shows it: `{}`", proof.name)
                } else {
                    let method = if kind == HoldingKind::Channel {
                        "mail"
                    } else {
                        "passkey"
                    };
                    format!(
                        "declare how it is shown: `proof … \"…\" shows {} using {method}`",
                        abbreviated(name)
                    )
                };
                self.wrong_kind(word, at, kind.with_article(), "a proof", Some(help));
                None
            }
            None => {
                self.unknown(word, "proof", |resolver| &resolver.things);
                None
            }
        }
    }
}

fn is_effect(kind: &ClauseKind) -> bool {
    matches!(
        kind,
        ClauseKind::Gives(_)
            | ClauseKind::Changes(_)
            | ClauseKind::Sends { .. }
            | ClauseKind::Loses(_)
    )
}

/// What an action says at most once, and where.
#[derive(Debug, Default)]
struct Once {
    with: Option<Span>,
    says: Option<Span>,
    opened_by: Option<Span>,
    runs: Option<Span>,
    expires: Option<Span>,
}

impl Once {
    fn slot(&mut self, clause: &ClauseKind) -> Option<(&mut Option<Span>, &'static str)> {
        match clause {
            ClauseKind::With(_) => Some((&mut self.with, "with")),
            ClauseKind::Says(_) => Some((&mut self.says, "says")),
            ClauseKind::OpenedBy(_) => Some((&mut self.opened_by, "opened by")),
            ClauseKind::Runs(_) => Some((&mut self.runs, "runs")),
            ClauseKind::Expires(_) => Some((&mut self.expires, "expires")),
            _ => None,
        }
    }
}

fn push_text(parts: &mut Vec<SentencePart>, text: &str) {
    if !text.is_empty() {
        parts.push(SentencePart::Text(text.to_owned()));
    }
}

/// How many bytes words take between quotes in a file: `\"` and `\\` are two characters there.
fn written_width(words: &str) -> u32 {
    index(
        words.len()
            + words
                .bytes()
                .filter(|byte| matches!(byte, b'"' | b'\\'))
                .count(),
    )
}
