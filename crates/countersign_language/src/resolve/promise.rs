//! Promises: budgets and targets.

use super::{Outcome, Resolver, header};
use crate::codes;
use crate::model::{ActionId, Assumption, Claim, Promise, Span, Target};
use crate::tree::{AssumptionKind, AssumptionNode, ClaimNode, PromiseNode, Verb, Word};

impl Resolver<'_, '_> {
    pub(super) fn promise(&mut self, node: &PromiseNode, item: Span) {
        if let Some(claim) = self.claim(&node.claim) {
            self.procedure.promises.push(Promise {
                text: self.text(node.text),
                claim,
                span: header(item, node.text),
            });
        }
    }

    fn claim(&mut self, node: &ClaimNode) -> Option<Claim> {
        match node {
            ClaimNode::Never {
                even_if, targets, ..
            } => {
                let even_if = even_if
                    .iter()
                    .filter_map(|assumption| self.assumption(assumption))
                    .collect();
                let targets = targets
                    .iter()
                    .filter_map(|word| self.target(*word))
                    .collect();
                Some(Claim::Never { even_if, targets })
            }
            ClaimNode::Always {
                without,
                action,
                within,
                ..
            } => {
                let without = without
                    .iter()
                    .filter_map(|word| self.holding(*word))
                    .map(|(id, _)| id)
                    .collect();
                let action = self.promised_action(*action)?;
                Some(Claim::Always {
                    without,
                    action,
                    within: *within,
                })
            }
            ClaimNode::Missing => None,
        }
    }

    fn assumption(&mut self, node: &AssumptionNode) -> Option<Assumption> {
        Some(match node.kind {
            AssumptionKind::AnyOfKind { count, kind } => Assumption::AnyOfKind {
                count: count.value,
                kind,
            },
            AssumptionKind::Holding { holding, verb } => {
                let (id, kind) = self.holding(holding)?;
                if Verb::of(kind) != Some(verb) {
                    self.wrong_verb(holding, kind, verb, node.span);
                }
                Assumption::Holding(id)
            }
            AssumptionKind::Deceived { count, role } => Assumption::Deceived {
                count: count.value,
                role: self.role(role)?,
            },
            AssumptionKind::AnyDeceived(role) => Assumption::AnyDeceived(self.role(role)?),
            AssumptionKind::NoticesUnread => Assumption::NoticesUnread,
        })
    }

    fn wrong_verb(
        &mut self,
        holding: Word,
        kind: crate::model::HoldingKind,
        verb: Verb,
        place: Span,
    ) {
        let name = self.words.text(holding);
        let is = kind.with_article();
        let help = match Verb::of(kind) {
            Some(right) => format!("write `{name} {}`", right.as_str()),
            None => {
                "a state is reached through an action; assume what that action needs".to_owned()
            }
        };
        self.error(
            codes::WRONG_VERB,
            place,
            || format!("`{name}` is {is}, which is not {}", verb.as_str()),
            &help,
        );
    }

    fn target(&mut self, word: Word) -> Option<Target> {
        if word.is_missing() {
            return None;
        }
        if let Some(declared) = self.outcomes.get(word.symbol) {
            Some(match declared.what {
                Outcome::Loss(id) => Target::Loss(id),
                Outcome::Action(id) => Target::Action(id),
            })
        } else {
            self.unknown(word, "loss or action", |resolver| &resolver.outcomes);
            None
        }
    }

    pub(super) fn promised_action(&mut self, word: Word) -> Option<ActionId> {
        if word.is_missing() {
            return None;
        }
        if let Some(declared) = self.outcomes.get(word.symbol) {
            match declared.what {
                Outcome::Action(id) => Some(id),
                Outcome::Loss(_) => {
                    self.wrong_kind(word, declared.at, "a loss", "an action", None);
                    None
                }
            }
        } else {
            self.unknown(word, "action", |resolver| &resolver.outcomes);
            None
        }
    }
}
