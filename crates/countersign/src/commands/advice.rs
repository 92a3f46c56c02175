//! What `check` looks at besides mistakes and promises: advice, named rule sets, the people of a shift.

use std::collections::BTreeMap;

use anyhow::{Context as _, bail};
use countersign_language::{Procedure, Severity, by_place, check_staffing};
use countersign_prover::{RULE_SETS, RuleSet, advice, judge};

use crate::commands::procedure::Source;
use crate::config::did_you_mean;

/// What was asked for.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    rules: Vec<RuleSet>,
    /// How many people there are, by the role's name; those not named are none.
    staff: Option<BTreeMap<String, u32>>,
}

impl Asked {
    /// From the command line: names of rule sets, and `role=number` for the people.
    ///
    /// # Errors
    /// A sentence with the nearest name.
    pub(crate) fn new(rules: &[String], staff: &[String]) -> anyhow::Result<Self> {
        let rules = rules
            .iter()
            .map(|word| {
                let name = word.trim();
                RuleSet::named(name).with_context(|| {
                    let names = || RULE_SETS.iter().map(|set| set.name);
                    let known: Vec<&str> = names().collect();
                    format!(
                        "there is no rule set `{name}`{} (there are {})",
                        did_you_mean(name, names()),
                        known.join(", ")
                    )
                })
            })
            .collect::<anyhow::Result<_>>()?;
        let mut people = BTreeMap::new();
        for word in staff {
            let Some((role, count)) = word.split_once('=') else {
                bail!("`{word}` does not say how many: write `agent=2`");
            };
            let (role, count) = (role.trim(), count.trim());
            let count: u32 = count
                .parse()
                .ok()
                .with_context(|| format!("`{count}` is not a number of people"))?;
            if people.insert(role.to_owned(), count).is_some() {
                bail!("`{role}` is counted twice");
            }
        }
        Ok(Self {
            rules,
            staff: (!staff.is_empty()).then_some(people),
        })
    }

    /// Puts what is found in a valid procedure among its diagnostics, by place.
    ///
    /// # Errors
    /// If people were counted of a role that the procedure does not have.
    pub(crate) fn look(&self, source: &mut Source) -> anyhow::Result<()> {
        let Some(procedure) = &source.reading.procedure else {
            return Ok(());
        };
        let mut found = advice(procedure);
        found.extend(judge(procedure, &self.rules));
        if let Some(people) = &self.staff {
            known(procedure, people, &source.name)?;
            found.extend(check_staffing(procedure, people));
        }
        source.reading.diagnostics.extend(found);
        by_place(&mut source.reading.diagnostics);
        Ok(())
    }
}

/// How many findings of a valid procedure count like a broken promise: those against the rule sets asked for.
pub(crate) fn against(source: &Source) -> usize {
    let diagnostics = source.reading.diagnostics.iter();
    diagnostics
        .filter(|found| source.reading.procedure.is_some() && found.severity == Severity::Error)
        .count()
}

fn known(procedure: &Procedure, people: &BTreeMap<String, u32>, file: &str) -> anyhow::Result<()> {
    for role in people.keys() {
        if procedure.role_named(role).is_none() {
            let roles = procedure.roles.iter().map(|role| role.name.as_str());
            bail!(
                "`{file}` has no staff role `{role}`{}",
                did_you_mean(role, roles)
            );
        }
    }
    Ok(())
}
