//! The same rules in datafrog: what follows from some facts, by semi-naive joins.

use std::collections::BTreeMap;

use datafrog::{Iteration, Relation};

use crate::rules::Rules;

/// Rules of one and two premises, as relations ready to be joined.
pub(crate) struct Frog {
    given: Vec<u32>,
    /// Premise, conclusion.
    one: Relation<(u32, u32)>,
    /// One premise, then the other and the conclusion.
    two: Relation<(u32, (u32, u32))>,
}

/// Rules cut into pairs that are shared, before they are relations.
pub(crate) struct Pairs {
    given: Vec<u32>,
    one: Vec<(u32, u32)>,
    two: Vec<(u32, (u32, u32))>,
    shared: BTreeMap<(u32, u32), u32>,
    facts: u32,
}

impl Pairs {
    pub(crate) fn of(rules: &Rules) -> Self {
        let mut pairs = Self {
            given: Vec::new(),
            one: Vec::new(),
            two: Vec::new(),
            shared: BTreeMap::new(),
            facts: rules.facts,
        };
        for rule in &rules.list {
            match (rule.need, rule.of.as_slice()) {
                (0, _) => pairs.given.push(rule.makes),
                (1, of) => pairs.one.extend(of.iter().map(|&fact| (fact, rule.makes))),
                (need, of) if need == of.len() => {
                    let all = pairs.all(of);
                    pairs.one.push((all, rule.makes));
                }
                (need, of) if need < of.len() => pairs.some(need, of, rule.makes),
                _ => {}
            }
        }
        pairs
    }

    pub(crate) fn relations(&self) -> Frog {
        Frog {
            given: self.given.clone(),
            one: self.one.iter().copied().collect(),
            two: self.two.iter().copied().collect(),
        }
    }

    fn both(&mut self, a: u32, b: u32) -> u32 {
        if let Some(&fact) = self.shared.get(&(a, b)) {
            return fact;
        }
        let fact = self.facts;
        self.facts += 1;
        self.two.push((a, (b, fact)));
        self.shared.insert((a, b), fact);
        fact
    }

    fn all(&mut self, of: &[u32]) -> u32 {
        let (&first, others) = of.split_first().unwrap_or((&0, &[]));
        others.iter().fold(first, |all, &fact| self.both(all, fact))
    }

    /// "At least so many of those seen so far", fact by fact.
    fn some(&mut self, need: usize, of: &[u32], makes: u32) {
        let mut row: Vec<Option<u32>> = vec![None; need];
        for &fact in of {
            for count in (0..need).rev() {
                let with = if count == 0 {
                    Some(fact)
                } else {
                    row[count - 1].map(|fewer| self.both(fewer, fact))
                };
                row[count] = match (row[count], with) {
                    (Some(before), Some(with)) => {
                        let either = self.facts;
                        self.facts += 1;
                        self.one.extend([(before, either), (with, either)]);
                        Some(either)
                    }
                    (before, with) => before.or(with),
                };
            }
        }
        if let Some(enough) = row[need - 1] {
            self.one.push((enough, makes));
        }
    }
}

impl Frog {
    /// All facts that follow from these, ascending.
    pub(crate) fn closure(&self, from: &[u32]) -> Vec<u32> {
        let mut iteration = Iteration::new();
        let holds = iteration.variable::<(u32, ())>("holds");
        // One premise holds: the other, and what they make.
        let half = iteration.variable::<(u32, u32)>("half");
        holds.extend(from.iter().chain(&self.given).map(|&fact| (fact, ())));
        while iteration.changed() {
            half.from_join(&holds, &self.two, |_, (), &half| half);
            holds.from_join(&holds, &self.one, |_, (), &makes| (makes, ()));
            holds.from_join(&holds, &half, |_, (), &makes| (makes, ()));
        }
        holds.complete().iter().map(|&(fact, ())| fact).collect()
    }
}
