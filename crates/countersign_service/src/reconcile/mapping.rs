//! How a backend's own log names things.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

/// Which field of a line says what. Dots lead into objects of JSON lines: `actor.id`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Mapping {
    /// When it happened: RFC 3339, or seconds or milliseconds since 1970.
    pub time: String,
    /// What was done.
    pub action: String,
    /// For whom, by the company's own id.
    pub customer: String,
    /// The grant it was done by, where the backend logs it.
    pub grant: String,
    /// The line's own id; a line is otherwise known by all its bytes.
    pub id: Option<String>,
    /// By parameter of the action, the field that holds it. Lines without a grant are matched by these too.
    pub parameters: BTreeMap<String, String>,
    /// By name in the log, the procedure's name of the action.
    pub actions: BTreeMap<String, String>,
    /// Names in the log that need no case. They are counted, and nothing else is done with them.
    pub ignore: BTreeSet<String>,
    /// Lines that say that nothing was done.
    pub outcome: Option<OutcomeField>,
}

/// Lines count only if this field holds one of these.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutcomeField {
    /// Which field.
    pub field: String,
    /// What it says where something was done.
    pub done: BTreeSet<String>,
}

impl Default for Mapping {
    /// As the sample panel writes its log: `{"at", "action", "customer", "grant", …}`.
    fn default() -> Self {
        Self {
            time: "at".to_owned(),
            action: "action".to_owned(),
            customer: "customer".to_owned(),
            grant: "grant".to_owned(),
            id: None,
            parameters: BTreeMap::new(),
            actions: BTreeMap::new(),
            ignore: BTreeSet::new(),
            outcome: None,
        }
    }
}

impl Mapping {
    /// Paths of the fields that are looked for, each once, in the order of [`Slot`]s.
    pub(crate) fn slots(&self) -> Vec<(String, Slot)> {
        let mut slots = vec![
            (self.time.clone(), Slot::Time),
            (self.action.clone(), Slot::Action),
            (self.customer.clone(), Slot::Customer),
            (self.grant.clone(), Slot::Grant),
        ];
        if let Some(id) = &self.id {
            slots.push((id.clone(), Slot::Id));
        }
        if let Some(outcome) = &self.outcome {
            slots.push((outcome.field.clone(), Slot::Outcome));
        }
        for (at, field) in self.parameters.values().enumerate() {
            slots.push((field.clone(), Slot::Parameter(at)));
        }
        slots
    }
}

/// What a field is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Slot {
    Time,
    Action,
    Customer,
    Grant,
    Id,
    Outcome,
    /// By its place among [`Mapping::parameters`].
    Parameter(usize),
}
