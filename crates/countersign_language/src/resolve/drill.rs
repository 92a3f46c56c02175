//! Drills: that there is such a scenario, and that the case it plants can be answered by whom it asks.

use super::Resolver;
use crate::codes;
use crate::model::{Drill, Requirement, RoleId, Span, Unit};
use crate::scenarios::{SCENARIOS, scenario};
use crate::suggest::nearest;
use crate::tree::{DrillNode, Word};

impl Resolver<'_, '_> {
    /// After the actions.
    pub(super) fn drill(&mut self, node: &DrillNode, item: Span) {
        let action = self.promised_action(node.action);
        let plays: Vec<_> = node
            .plays
            .iter()
            .filter_map(|word| self.scenario(*word))
            .collect();
        let asks: Vec<RoleId> = node
            .asks
            .iter()
            .filter_map(|word| self.role(*word))
            .collect();
        if node.every.unit != Unit::Day {
            self.error(
                codes::UNPLAYABLE_DRILL,
                item,
                || format!("a drill every {} would soon be known for one", node.every),
                "say how often in days: `every 14d`",
            );
        }
        let Some(action) = action else { return };
        // Where the action itself was wrong, that was said.
        let Some(known) = self.procedure.actions.get(action.index()) else {
            return;
        };
        let label = known.name.clone();
        let (outside, by_customer) = (known.outside, known.opened_by.customer);
        let signs = |role: RoleId| {
            known
                .paths
                .iter()
                .flat_map(|path| &path.lines)
                .any(|line| match line.requirement {
                    Requirement::SignOff { role: wanted, .. } => {
                        self.procedure.role_covers(role, wanted)
                    }
                    _ => false,
                })
        };
        let idle = node
            .asks
            .iter()
            .zip(&asks)
            .find(|(_, role)| !signs(**role))
            .map(|(word, _)| *word);
        if outside || !by_customer {
            self.error(
                codes::UNPLAYABLE_DRILL,
                node.action.span,
                || format!("nobody can plant a case of `{label}`"),
                "a planted case is opened as by a customer: drill an action that customers may open",
            );
        } else if let Some(word) = idle.filter(|word| !word.is_missing()) {
            let role = self.words.text(word);
            self.error(
                codes::UNPLAYABLE_DRILL,
                word.span,
                || format!("no path of `{label}` asks `{role}` to sign"),
                "ask a role that some path of the action has a `sign-off` of",
            );
        }
        self.procedure.drills.push(Drill {
            action,
            plays,
            asks,
            every: node.every,
            span: item,
        });
    }

    fn scenario(&mut self, word: Word) -> Option<String> {
        if word.is_missing() {
            return None;
        }
        let name = self.words.text(word);
        if scenario(name).is_some() {
            return Some(name.to_owned());
        }
        if let Some(finding) = self.findings.add(codes::UNKNOWN_NAME, word.span, || {
            format!("no scenario is called `{name}`")
        }) {
            let names = SCENARIOS.iter().map(|scenario| scenario.name);
            finding.help(match nearest(name, names.clone()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("scenarios are `{}`", names.collect::<Vec<_>>().join("`, `")),
            });
        }
        None
    }
}
