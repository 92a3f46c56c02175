//! Promises.

use super::{Kind, Naming, Parser};
use crate::codes;
use crate::model::{HoldingKind, Span};
use crate::tree::{AssumptionKind, AssumptionNode, ClaimNode, Count, ItemKind, PromiseNode, Verb};

impl Parser<'_, '_> {
    /// After `promise`.
    pub(super) fn promise(&mut self) -> ItemKind {
        let text = self.quoted("the promise");
        let mut promise = PromiseNode {
            text,
            open: Span::default(),
            close: Span::default(),
            claim: ClaimNode::Missing,
        };
        let token = self.peek();
        if token.kind != Kind::LeftBrace {
            self.expected("`{`");
            return ItemKind::Promise(Box::new(promise));
        }
        self.bump();
        promise.open = token.span;
        promise.claim = self.claim();
        if self.lost {
            promise.claim = ClaimNode::Missing;
            self.recover_to(|_| false);
        }
        self.lost = false;
        let end = self.peek();
        if end.kind == Kind::RightBrace {
            self.bump();
            promise.close = end.span;
        } else if end.kind == Kind::End || self.is_declaration(end) {
            self.unclosed(promise.open);
            self.last_mistake = end.span.start;
        } else {
            self.expected("`}`");
            self.recover_to(|_| false);
            if self.peek().kind == Kind::RightBrace {
                self.bump();
            }
        }
        ItemKind::Promise(Box::new(promise))
    }

    fn claim(&mut self) -> ClaimNode {
        let start = self.peek();
        let mut even_if = Vec::new();
        let mut without = Box::default();
        if self.accept("even") {
            if self.accept("if") {
                even_if.push(self.assumption());
                while self.peek().kind == Kind::Comma || self.is_word(self.peek(), "and") {
                    let joint = self.bump();
                    if joint.kind == Kind::Comma
                        && let Some(finding) =
                            self.mistake(codes::UNEXPECTED_WORD, joint.span, || {
                                "expected `and`, found `,`".to_owned()
                            })
                    {
                        finding.help("what is assumed is joined by `and`");
                    }
                    even_if.push(self.assumption());
                }
            } else if self.accept("without") {
                without = self.names("a holding", Naming::Any);
            } else {
                self.expected("`if` or `without`");
                return ClaimNode::Missing;
            }
        }
        let even_span = self.since(start.span);
        let verb = self.peek();
        let blank_between = verb.blank_before;
        if self.is_word(verb, "never") && without.is_empty() {
            self.bump();
            let targets = self.names("a loss or an action", Naming::Any);
            let never_span = self.since(verb.span);
            return ClaimNode::Never {
                even_if: even_if.into(),
                even_span,
                targets,
                never_span,
                blank_between,
            };
        }
        if self.is_word(verb, "always") && even_if.is_empty() {
            self.bump();
            let action = self.name("an action", Naming::Any);
            let within = if self.accept("within") {
                Some(self.duration())
            } else {
                None
            };
            let always_span = self.since(verb.span);
            return ClaimNode::Always {
                without,
                even_span,
                action,
                within,
                always_span,
                blank_between,
            };
        }
        let wanted = match (even_if.is_empty(), without.is_empty()) {
            (false, _) => "`never` after `even if …`",
            (true, false) => "`always` after `even without …`",
            (true, true) => "`even if`, `even without`, `never` or `always`",
        };
        self.expected(wanted);
        ClaimNode::Missing
    }

    fn assumption(&mut self) -> AssumptionNode {
        let first = self.peek();
        let kind = if first.kind == Kind::Number {
            let count = self.count("how many");
            if count.value == 0 {
                self.zero(count, "nothing lost is nothing assumed");
            }
            self.counted(count)
        } else if self.accept("any") {
            let role = self.name("a role", Naming::Any);
            self.require("deceived");
            AssumptionKind::AnyDeceived(role)
        } else if self.is_word(first, "notices") && !self.is_verb_next() {
            self.bump();
            self.require("unread");
            AssumptionKind::NoticesUnread
        } else {
            let holding = self.name("what is lost, such as `mailbox hijacked`", Naming::Any);
            AssumptionKind::Holding {
                holding,
                verb: self.verb(),
            }
        };
        AssumptionNode {
            kind,
            span: self.since(first.span),
        }
    }

    /// After a number: `secrets stolen` or `senior deceived`.
    fn counted(&mut self, count: Count) -> AssumptionKind {
        let token = self.peek();
        let kind = match self.text_of(token) {
            "secret" | "secrets" => HoldingKind::Secret,
            "channel" | "channels" => HoldingKind::Channel,
            "device" | "devices" => HoldingKind::Device,
            _ => {
                let role = self.name("`secrets`, `channels`, `devices` or a role", Naming::Any);
                self.require("deceived");
                return AssumptionKind::Deceived { count, role };
            }
        };
        self.bump();
        let place = self.peek().span;
        let verb = self.verb();
        if let Some(right) = Verb::of(kind)
            && right != verb
            && self.previous == place
        {
            let plural = self.text_of(token);
            if let Some(finding) = self.mistake(codes::WRONG_VERB, place, || {
                format!("{plural} are not {}", verb.as_str())
            }) {
                finding.help(format!("write `{}`", right.as_str()));
            }
        }
        AssumptionKind::AnyOfKind { count, kind }
    }

    fn is_verb_next(&self) -> bool {
        self.is_one_of(self.peek_second(), &["stolen", "hijacked", "taken"])
    }

    fn verb(&mut self) -> Verb {
        let token = self.peek();
        if token.kind == Kind::Word
            && let Some(verb) = Verb::named(self.text_of(token))
        {
            self.bump();
            return verb;
        }
        if self.is_word(token, "deceived") {
            if let Some(finding) = self.expected("`stolen`, `hijacked` or `taken`") {
                finding
                    .help("for people say how many: `1 senior deceived` or `any agent deceived`");
            }
        } else if token.kind == Kind::Word
            && let Some(near) =
                crate::suggest::nearest(self.text_of(token), ["stolen", "hijacked", "taken"])
        {
            self.misspelt(token, near);
            self.bump();
        } else {
            self.expected("`stolen`, `hijacked` or `taken`");
        }
        Verb::Stolen
    }
}
