//! One customer's account, the people round it, and a thief: what happens to all of them when the gate
//! lets something through.
//!
//! The gate is `countersign_cases::decide`. What it is told about the customer comes from here, and what an
//! action does is done here. Honest people follow the rules of `docs/prover.md`:
//!
//! - an honest agent opens a case for whoever asks; honest people vouch and sign for nothing a thief asks;
//! - notices arrive. Whoever reads a contact that the thief has not got, and has not replaced, stops a case
//!   they did not ask for before time passes;
//! - a customer who reads notices undoes a change before it settles: sooner than any `settled` of the procedure,
//!   and than the 30 days in which the old contact is still told;
//! - where notices are unread nobody stops anything and nothing is undone.
//!
//! Everything that DESIGN §5 takes at its worst is at its worst: backups are there, limits have room, and
//! attributes are what the path wants.

#![expect(
    clippy::indexing_slicing,
    reason = "every index in a checked `Procedure` is in range"
)]

use std::collections::{BTreeMap, BTreeSet};

use countersign_cases::{
    BackupFact, ContactFact, ContactId, Evidence, Facts, HoldingFact, NOTICE_REACH_SECONDS,
    PersonId, StaffMember, Timestamp,
};
use countersign_language::{
    Action, ActionId, BackupGrade, Comparison, EffectKind, Expr, HoldingId, HoldingKind, Line,
    Method, Procedure, Requirement, RoleId, Set, Subject, Target, Value,
};

use crate::naive::{self, Start};

/// When every world begins, in milliseconds since 1970.
const BEGINNING: i64 = 1_795_430_700_000;

/// The customer's account, and how far the thief has come.
#[derive(Debug, Clone)]
pub struct World<'a> {
    /// What the gate goes by.
    pub procedure: &'a Procedure,
    /// What the thief began with.
    pub start: Start,
    /// What the thief has by now.
    pub got: naive::Facts,
    /// The time.
    pub now: Timestamp,
    /// What the gate knows about the customer.
    pub facts: Facts,
    /// Who reads each contact.
    readers: BTreeMap<ContactId, Reader>,
    contacts: usize,
    /// How soon the customer undoes a change, in seconds; never where nothing is said.
    undone_within: Option<u64>,
}

/// Who reads what goes to a contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reader {
    /// The customer; the thief as well, once they own the channel.
    Customer(HoldingId),
    /// The thief alone, who chose it.
    Thief,
}

impl<'a> World<'a> {
    /// Before anything is asked.
    pub fn new(procedure: &'a Procedure, start: Start) -> Self {
        let now = Timestamp(BEGINNING);
        let ids = || (0_u32..).map(HoldingId).zip(&procedure.holdings);
        let facts = Facts {
            holdings: ids()
                .map(|(holding, _)| HoldingFact {
                    holding,
                    changed_at: None,
                })
                .collect(),
            ..Facts::default()
        };
        let mut world = Self {
            got: naive::known(procedure, &start),
            procedure,
            start,
            now,
            facts,
            readers: BTreeMap::new(),
            contacts: 0,
            undone_within: None,
        };
        for (channel, holding) in ids() {
            if holding.kind == HoldingKind::Channel {
                world.add_contact(channel, None, Reader::Customer(channel));
            }
        }
        world.renew_backups();
        world
    }

    /// The same with a customer who undoes every change before it settles. Without, they take all the time
    /// there is and only [`World::undo`] does it.
    #[must_use]
    pub fn vigilant(mut self) -> Self {
        self.undone_within = Some(NOTICE_REACH_SECONDS.min(shortest_settled(self.procedure)));
        self
    }

    /// The facts about the customer whom this action serves: one who has not yet what it gives at the gate. The prover
    /// takes what a customer is at its worst, and so does whoever plays its attacks.
    pub fn facts_for(&self, action: ActionId) -> Facts {
        let mut facts = self.facts.clone();
        let given = self
            .procedure
            .set_at_gate(&self.procedure.actions[action.index()])
            .filter(|set| set.set == Set::Adds && set.method != Method::Passkey);
        if let Some(given) = given {
            facts.holdings.retain(|held| held.holding != given.holding);
        }
        facts
    }

    /// Whether the target was reached.
    pub fn reached(&self, target: Target) -> bool {
        self.got.reached(target)
    }

    /// Whether the thief can make this proof now, settled or not.
    pub fn can_show(&self, holding: HoldingId) -> bool {
        self.got.own.contains(&holding) || self.got.new.contains(&holding)
    }

    /// Whether somebody honest reads what goes to this contact, and would stop what they did not ask for.
    pub fn is_watched(&self, contact: &ContactId) -> bool {
        !self.start.unread
            && match self.readers.get(contact) {
                Some(Reader::Customer(channel)) => !self.got.own.contains(channel),
                Some(Reader::Thief) | None => false,
            }
    }

    /// Time passes. Whoever has to stop something has done it before.
    pub fn pass(&mut self, seconds: u64) {
        let then = self.now.plus_seconds(seconds);
        if let Some(within) = self.undone_within.filter(|_| !self.start.unread) {
            let late: Vec<HoldingId> = self
                .got
                .new
                .iter()
                .copied()
                .filter(|holding| {
                    self.changed_at(*holding)
                        .is_some_and(|at| then.seconds_since(at) >= within)
                })
                .collect();
            for holding in late {
                self.undo(holding);
            }
        }
        self.now = then;
        self.facts.contacts.retain(|contact| {
            contact
                .removed_at
                .is_none_or(|at| then.seconds_since(at) <= NOTICE_REACH_SECONDS)
        });
        self.renew_backups();
    }

    /// The customer notices that this is not theirs any more, and takes it back.
    pub fn undo(&mut self, holding: HoldingId) {
        if self.got.new.remove(&holding) {
            self.replace(holding, Reader::Customer(holding));
        }
    }

    /// When a holding was last changed.
    pub fn changed_at(&self, holding: HoldingId) -> Option<Timestamp> {
        let fact = self
            .facts
            .holdings
            .iter()
            .find(|fact| fact.holding == holding);
        fact.and_then(|fact| fact.changed_at)
    }

    /// The action happens.
    pub fn happens(&mut self, id: ActionId) {
        let procedure = self.procedure;
        self.got.actions.insert(id);
        for effect in &procedure.actions[id.index()].effects {
            match effect.kind {
                EffectKind::Gives(holding) => {
                    self.got.own.insert(holding);
                }
                EffectKind::Changes(holding) => {
                    self.got.new.insert(holding);
                    self.replace(holding, Reader::Thief);
                }
                EffectKind::Sends { what, to } => {
                    if self.can_show(to) {
                        self.got.own.insert(what);
                    }
                }
                EffectKind::Loses(loss) => {
                    self.got.losses.insert(loss);
                }
            }
        }
    }

    fn replace(&mut self, holding: HoldingId, reader: Reader) {
        let now = self.now;
        for fact in &mut self.facts.holdings {
            if fact.holding == holding {
                fact.changed_at = Some(now);
            }
        }
        if self.procedure.holdings[holding.index()].kind == HoldingKind::Channel {
            for contact in &mut self.facts.contacts {
                if contact.channel == holding && contact.removed_at.is_none() {
                    contact.removed_at = Some(now);
                }
            }
            self.add_contact(holding, Some(now), reader);
        }
    }

    fn add_contact(&mut self, channel: HoldingId, changed_at: Option<Timestamp>, reader: Reader) {
        let id = ContactId(format!("c{}", self.contacts));
        self.contacts += 1;
        self.readers.insert(id.clone(), reader);
        self.facts.contacts.push(ContactFact {
            id,
            channel,
            changed_at,
            removed_at: None,
        });
    }

    fn renew_backups(&mut self) {
        self.facts.backups = (0..8)
            .map(|place| BackupFact {
                grade: BackupGrade::Restored,
                place: format!("place {place}"),
                at: self.now,
            })
            .collect();
    }
}

/// The same procedure as a gate could run it: made procedures lack what only running needs. Every
/// action has a connector, everybody may open a case, and a change tells every channel, as reading a file
/// would have it. A proof that the gate could not check is checked by asking somebody.
#[must_use]
pub fn runnable(mut procedure: Procedure) -> Procedure {
    let ids = (0_u32..).map(HoldingId).zip(&procedure.holdings);
    let channels: Vec<HoldingId> = ids
        .filter(|(_, holding)| holding.kind == HoldingKind::Channel)
        .map(|(id, _)| id)
        .collect();
    for action in procedure
        .actions
        .iter_mut()
        .filter(|action| !action.outside)
    {
        action.runs.get_or_insert_with(|| "panel".to_owned());
        if action.opened_by.roles.is_empty() {
            action.opened_by.roles = (0_u32..).map(RoleId).take(procedure.roles.len()).collect();
        }
        let changes = action
            .effects
            .iter()
            .any(|effect| matches!(effect.kind, EffectKind::Changes(_)));
        for path in action.paths.iter_mut().filter(|_| changes) {
            let every = |line: &Line| matches!(line.requirement, Requirement::Notify { every, .. } if every);
            if !channels.is_empty() && !path.lines.iter().any(every) {
                path.lines.push(Line {
                    requirement: Requirement::Notify {
                        every: true,
                        channels: channels.clone().into(),
                    },
                    span: path.span,
                });
            }
        }
    }
    for proof in &mut procedure.proofs {
        proof.using.get_or_insert(Method::Webhook);
    }
    procedure
}

/// A member of staff of exactly this role.
pub fn person(name: &str, role: RoleId) -> StaffMember {
    StaffMember {
        person: PersonId(name.to_owned()),
        name: name.to_owned(),
        roles: vec![role],
        concerned: false,
        robot: false,
    }
}

/// What a signature or a passkey leaves; nothing here looks into it.
pub fn assertion() -> Evidence {
    Evidence::Assertion {
        credential: String::new(),
        public_key: String::new(),
        client_data: String::new(),
        authenticator_data: String::new(),
        signature: String::new(),
    }
}

/// Every atom of an expression: the proof and how long its holding must have been settled.
pub fn atoms(expr: &Expr) -> Vec<(countersign_language::ProofId, Option<u64>)> {
    match expr {
        Expr::Atom { proof, settled, .. } => {
            vec![(*proof, settled.map(countersign_language::Duration::seconds))]
        }
        Expr::And(of) | Expr::Or(of) | Expr::NOf { of, .. } => of.iter().flat_map(atoms).collect(),
    }
}

/// Values for the parameters and attributes that make the `when` lines of a path hold; none if nothing does.
pub fn values_for(
    action: &Action,
    lines: &[Line],
) -> Option<(BTreeMap<String, String>, BTreeMap<String, String>)> {
    let mut parameters: BTreeMap<String, String> = action
        .parameters
        .iter()
        .map(|parameter| (parameter.name.clone(), "something".to_owned()))
        .collect();
    let mut attributes = BTreeMap::new();
    let mut wanted: Vec<(&Subject, Vec<(Comparison, &Value)>)> = Vec::new();
    for line in lines {
        if let Requirement::When {
            subject,
            comparison,
            value,
        } = &line.requirement
        {
            match wanted.iter_mut().find(|(of, _)| *of == subject) {
                Some((_, all)) => all.push((*comparison, value)),
                None => wanted.push((subject, vec![(*comparison, value)])),
            }
        }
    }
    for (subject, all) in wanted {
        let mut candidates = vec!["something".to_owned(), "0".to_owned()];
        for (_, value) in &all {
            match value {
                Value::Text(text) => candidates.push(text.clone()),
                Value::Number(number) => {
                    let beside = [-1, 0, 1].map(|by| number.saturating_add(by));
                    candidates.extend(beside.map(decimal));
                }
            }
        }
        let fits = |candidate: &&String| {
            all.iter()
                .all(|(comparison, value)| compares(candidate, *comparison, value))
        };
        let value = candidates.iter().find(fits)?.clone();
        match subject {
            Subject::Parameter(index) => {
                let name = action.parameters.get(*index as usize)?.name.clone();
                parameters.insert(name, value);
            }
            Subject::Attribute(name) => {
                attributes.insert(name.clone(), value);
            }
        }
    }
    Some((parameters, attributes))
}

fn decimal(millionths: i64) -> String {
    let sign = if millionths < 0 { "-" } else { "" };
    let (whole, part) = (
        millionths.unsigned_abs() / 1_000_000,
        millionths.unsigned_abs() % 1_000_000,
    );
    format!("{sign}{whole}.{part:06}")
}

fn compares(text: &str, comparison: Comparison, value: &Value) -> bool {
    let ordering = match value {
        Value::Text(wanted) => {
            return match comparison {
                Comparison::Is => text == wanted,
                Comparison::IsNot => text != wanted,
                _ => false,
            };
        }
        Value::Number(wanted) => {
            let Ok(actual) = text.replace('.', "").parse::<i64>() else {
                return false;
            };
            let actual = if text.contains('.') {
                actual
            } else {
                actual.saturating_mul(1_000_000)
            };
            actual.cmp(wanted)
        }
    };
    match comparison {
        Comparison::Is => ordering.is_eq(),
        Comparison::IsNot => ordering.is_ne(),
        Comparison::Less => ordering.is_lt(),
        Comparison::AtMost => ordering.is_le(),
        Comparison::More => ordering.is_gt(),
        Comparison::AtLeast => ordering.is_ge(),
    }
}

/// The shortest `settled` of a procedure, in seconds.
fn shortest_settled(procedure: &Procedure) -> u64 {
    let lines = procedure
        .actions
        .iter()
        .flat_map(|action| &action.paths)
        .flat_map(|path| &path.lines);
    let lengths: BTreeSet<u64> = lines
        .filter_map(|line| match &line.requirement {
            Requirement::Prove(expr) => Some(atoms(expr)),
            _ => None,
        })
        .flatten()
        .filter_map(|(_, settled)| settled)
        .collect();
    lengths.first().copied().unwrap_or(u64::MAX)
}
