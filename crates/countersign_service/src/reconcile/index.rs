//! The grants there are, ready to be looked for.

use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, RandomState};

use super::mapping::Mapping;

/// A grant, as far as matching needs it.
#[derive(Debug, Clone)]
pub struct Granted {
    /// Its `jti`, as the log has it.
    pub id: String,
    /// Name of the action.
    pub action: String,
    /// The company's own id of the customer.
    pub customer: String,
    /// Parameters of the action, by name.
    pub parameters: BTreeMap<String, String>,
    /// When it was signed, in ms since the epoch.
    pub issued_ms: i64,
    /// The first moment it no longer counts, in ms since the epoch.
    pub until_ms: i64,
}

/// All grants: two sorted lists, by id and by what was to be done. Some 72 bytes a grant.
#[derive(Debug)]
pub(crate) struct Index {
    keys: RandomState,
    /// Names of the procedure's actions, those of grants included.
    actions: Vec<String>,
    /// By action, which of the mapping's parameters it has.
    parameters: Vec<Vec<usize>>,
    grants: Vec<Kept>,
    by_id: Vec<(u64, u32)>,
    by_deed: Vec<(u64, i64, u32)>,
    /// The grant that covered a line last.
    newest_used: Option<u32>,
}

#[derive(Debug, Clone)]
struct Kept {
    action: u32,
    /// Action and customer.
    who: u64,
    /// Action, customer and those parameters that the mapping names.
    deed: u64,
    issued_ms: i64,
    until_ms: i64,
    used: bool,
}

/// What a grant and a line are compared by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deed<'d> {
    pub(crate) action: usize,
    pub(crate) customer: Option<&'d str>,
    /// Values of the mapping's parameters, in its order; those the action does not have are not looked at.
    pub(crate) parameters: &'d [Option<std::borrow::Cow<'d, str>>],
    pub(crate) at_ms: i64,
}

/// What the index says of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    /// A grant covers it, and no other line; ms from the grant to the line.
    Covered { offset_ms: i64 },
    /// No grant does.
    Uncovered(Why),
    /// It names a grant that is not here.
    Unknown,
}

/// Why a line is covered by nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    NoGrant,
    UsedBefore,
    AnotherAction,
    AnotherCustomer,
    OtherParameters,
    AnotherTime,
}

impl Why {
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::NoGrant => "no-grant",
            Self::UsedBefore => "used-before",
            Self::AnotherAction => "another-action",
            Self::AnotherCustomer => "another-customer",
            Self::OtherParameters => "other-parameters",
            Self::AnotherTime => "another-time",
        }
    }

    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::NoGrant => "no case was granted that covers it",
            Self::UsedBefore => "its grant covers another line already",
            Self::AnotherAction => "its grant is for another action",
            Self::AnotherCustomer => "its grant is for another customer",
            Self::OtherParameters => "its grant has other parameters",
            Self::AnotherTime => "its grant counted at another time",
        }
    }
}

impl Index {
    /// `actions` are those of the procedure in force, each with its parameters; a grant of an older version may bring
    /// others.
    pub(crate) fn new(
        actions: &[(String, Vec<String>)],
        mapping: &Mapping,
        grants: impl Iterator<Item = Granted>,
    ) -> Self {
        let mut index = Self {
            keys: RandomState::new(),
            parameters: Vec::new(),
            actions: Vec::new(),
            grants: Vec::new(),
            by_id: Vec::new(),
            by_deed: Vec::new(),
            newest_used: None,
        };
        let names: Vec<&String> = mapping.parameters.keys().collect();
        for (action, parameters) in actions {
            index.action_of(action, &names, |name| parameters.contains(name));
        }
        for grant in grants {
            index.add(&names, &grant);
        }
        index
    }

    /// One more, before [`sort`](Self::sort). `names` are the mapping's parameters, in its order.
    pub(crate) fn add(&mut self, names: &[&String], grant: &Granted) {
        let action = self.action_of(&grant.action, names, |name| {
            grant.parameters.contains_key(name)
        });
        let values: Vec<Option<std::borrow::Cow<'_, str>>> = names
            .iter()
            .map(|name| grant.parameters.get(*name).map(std::convert::Into::into))
            .collect();
        let Ok(at) = u32::try_from(self.grants.len()) else {
            return;
        };
        let who = self.hash_who(action, &grant.customer);
        let deed = self.hash_deed(action, &grant.customer, &values);
        self.grants.push(Kept {
            action: u32::try_from(action).unwrap_or(u32::MAX),
            who,
            deed,
            issued_ms: grant.issued_ms,
            until_ms: grant.until_ms,
            used: false,
        });
        self.by_id.push((self.keys.hash_one(grant.id.as_str()), at));
        self.by_deed.push((deed, grant.issued_ms, at));
    }

    /// Makes it ready to be asked.
    pub(crate) fn sort(&mut self) {
        self.by_id.sort_unstable();
        self.by_deed.sort_unstable();
    }

    /// Its place, if a line's action is one of the procedure's.
    pub(crate) fn action(&self, name: &str) -> Option<usize> {
        self.actions.iter().position(|known| known == name)
    }

    pub(crate) fn action_name(&self, at: usize) -> &str {
        self.actions.get(at).map_or("", String::as_str)
    }

    pub(crate) fn actions(&self) -> usize {
        self.actions.len()
    }

    /// How many grants there are.
    pub(crate) fn len(&self) -> usize {
        self.grants.len()
    }

    /// The place of the grant that covered a line last, in the order they were added.
    pub(crate) fn newest_used(&self) -> Option<usize> {
        self.newest_used.map(|at| at as usize)
    }

    /// The grant of this place covers something elsewhere.
    pub(crate) fn use_up(&mut self, place: usize) {
        if let Some(grant) = self.grants.get_mut(place) {
            grant.used = true;
        }
    }

    /// Grants of these ms that no line was covered by.
    pub(crate) fn without_a_line(&self, from_ms: i64, to_ms: i64) -> u64 {
        let idle = |grant: &&Kept| !grant.used && (from_ms..=to_ms).contains(&grant.issued_ms);
        self.grants.iter().filter(idle).count() as u64
    }

    /// A line that names its grant.
    pub(crate) fn by_grant(&mut self, id: &str, deed: &Deed<'_>, window_ms: i64) -> Found {
        let key = self.keys.hash_one(id);
        let from = self.by_id.partition_point(|(known, _)| *known < key);
        let Some((_, at)) = self.by_id.get(from).filter(|(known, _)| *known == key) else {
            return Found::Unknown;
        };
        let (who, whole) = (
            deed.customer
                .map(|customer| self.hash_who(deed.action, customer)),
            deed.customer
                .map(|customer| self.hash_deed(deed.action, customer, deed.parameters)),
        );
        let Some(grant) = self.grants.get_mut(*at as usize) else {
            return Found::Unknown;
        };
        let why = if usize::try_from(grant.action).is_ok_and(|action| action != deed.action) {
            Some(Why::AnotherAction)
        } else if who.is_some_and(|who| who != grant.who) {
            Some(Why::AnotherCustomer)
        } else if whole.is_some_and(|whole| whole != grant.deed) {
            Some(Why::OtherParameters)
        } else if deed.at_ms < grant.issued_ms.saturating_sub(window_ms)
            || deed.at_ms > grant.until_ms.saturating_add(window_ms)
        {
            Some(Why::AnotherTime)
        } else if grant.used {
            Some(Why::UsedBefore)
        } else {
            None
        };
        if let Some(why) = why {
            Found::Uncovered(why)
        } else {
            grant.used = true;
            self.newest_used = Some(*at);
            Found::Covered {
                offset_ms: deed.at_ms - grant.issued_ms,
            }
        }
    }

    /// A line that names none: the earliest grant for the same deed that counted then and covers nothing yet.
    pub(crate) fn by_deed(&mut self, deed: &Deed<'_>, window_ms: i64) -> Found {
        let Some(customer) = deed.customer else {
            return Found::Uncovered(Why::NoGrant);
        };
        let key = self.hash_deed(deed.action, customer, deed.parameters);
        // A grant counts for at most two minutes; its end is looked at below.
        let earliest = deed
            .at_ms
            .saturating_sub(window_ms)
            .saturating_sub(GRANT_MS_MAX);
        let from = self
            .by_deed
            .partition_point(|(known, issued, _)| (*known, *issued) < (key, earliest));
        let mut used = false;
        for (known, issued_ms, at) in self.by_deed.get(from..).unwrap_or_default() {
            if *known != key || *issued_ms > deed.at_ms.saturating_add(window_ms) {
                break;
            }
            let Some(grant) = self.grants.get_mut(*at as usize) else {
                continue;
            };
            if deed.at_ms > grant.until_ms.saturating_add(window_ms) {
                continue;
            }
            if grant.used {
                used = true;
                continue;
            }
            grant.used = true;
            self.newest_used = Some(*at);
            return Found::Covered {
                offset_ms: deed.at_ms - grant.issued_ms,
            };
        }
        Found::Uncovered(if used { Why::UsedBefore } else { Why::NoGrant })
    }

    /// The place of an action; its parameters are settled when it is first met.
    fn action_of(&mut self, name: &str, names: &[&String], has: impl Fn(&String) -> bool) -> usize {
        self.action(name).unwrap_or_else(|| {
            self.actions.push(name.to_owned());
            let places = names.iter().enumerate().filter(|(_, name)| has(name));
            self.parameters
                .push(places.map(|(place, _)| place).collect());
            self.actions.len() - 1
        })
    }

    fn hash_who(&self, action: usize, customer: &str) -> u64 {
        self.keys.hash_one((action, customer))
    }

    fn hash_deed(
        &self,
        action: usize,
        customer: &str,
        parameters: &[Option<std::borrow::Cow<'_, str>>],
    ) -> u64 {
        let mut hasher = self.keys.build_hasher();
        std::hash::Hash::hash(&(action, customer), &mut hasher);
        for place in self.parameters.get(action).into_iter().flatten() {
            let value = parameters.get(*place).and_then(Option::as_deref);
            std::hash::Hash::hash(&value, &mut hasher);
        }
        std::hash::Hasher::finish(&hasher)
    }
}

/// The longest a grant counts.
const GRANT_MS_MAX: i64 = 14 * 86_400_000;
