//! Certificates as JSON, by name, bound to one version of the procedure.

use std::collections::BTreeMap;

use countersign_language::{ActionId, HoldingId, LossId, PathId, Procedure, RoleId, Target};
use serde_json::{Value, json};

use super::{Block, Certificate, Element, Fact, Fault, Refutation, WayStep, check};
use crate::{Compromise, Verdict};

/// What the `format` field says.
pub const FORMAT: &str = "countersign-certificate/1";

/// Writes the certificates of all promises, in file order.
///
/// `{"format", "procedure": <version>, "promises": [{"text", "kept", "proof"}]}`.
/// A proof is `{"attack": {"set", "steps", "target"}}`, `{"way": [step]}`,
/// `{"blocks": [{"of": [element], "beyond": [fact]}], "tree": [block]}` or null. A
/// member of a set is `["holding", H]`, `["deceived", STAFF, N]` or
/// `["unread"]`; a step `["act", ACTION, PATH]` or `["settle", H, SECONDS]`; an
/// element `["holding", H]`, `["wait", ACTION, PATH]` or `["settle", H,
/// SECONDS]`; a fact or target `["own", H]`, `["new", H]`, `["done", ACTION]` or
/// `["lost", LOSS]`.
pub fn write(procedure: &Procedure, verdicts: &[Verdict]) -> Value {
    let promises: Vec<Value> = verdicts
        .iter()
        .map(|verdict| {
            json!({
                "text": verdict.text,
                "kept": verdict.kept,
                "proof": Writer(procedure).proof(&verdict.certificate),
            })
        })
        .collect();
    json!({ "format": FORMAT, "procedure": procedure.version.to_string(), "promises": promises })
}

/// One promise that a certificate proves kept or broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// Number of the promise, from 0.
    pub promise: usize,
    /// Proved kept, or proved broken.
    pub kept: bool,
}

/// Reads certificates for this procedure and checks every one of them.
///
/// There must be one for each promise, in file order. Fails at the first that proves nothing.
pub fn check_all(procedure: &Procedure, certificates: &Value) -> Result<Vec<Checked>, Malformed> {
    if certificates.get("format").and_then(Value::as_str) != Some(FORMAT) {
        return Err(Malformed::Format);
    }
    if certificates.get("procedure").and_then(Value::as_str) != Some(&procedure.version.to_string())
    {
        return Err(Malformed::OtherProcedure);
    }
    let promises = certificates
        .get("promises")
        .and_then(Value::as_array)
        .ok_or(Malformed::Format)?;
    if promises.len() != procedure.promises.len() {
        return Err(Malformed::Promises {
            found: promises.len(),
            expected: procedure.promises.len(),
        });
    }
    let reader = Reader::new(procedure);
    let mut checked = Vec::with_capacity(promises.len());
    for (promise, value) in promises.iter().enumerate() {
        let kept = value
            .get("kept")
            .and_then(Value::as_bool)
            .ok_or(Malformed::Proof { promise })?;
        let proof = value
            .get("proof")
            .and_then(|proof| reader.proof(proof))
            .ok_or(Malformed::Proof { promise })?;
        check(procedure, promise, kept, &proof)
            .map_err(|fault| Malformed::Proves { promise, fault })?;
        checked.push(Checked { promise, kept });
    }
    Ok(checked)
}

/// Why a file of certificates proves nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Malformed {
    /// Not of this format.
    Format,
    /// For another version of the procedure.
    OtherProcedure,
    /// Not one for each promise.
    Promises {
        /// So many in the file.
        found: usize,
        /// So many promises.
        expected: usize,
    },
    /// This promise's proof is missing or cannot be read.
    Proof {
        /// Number of the promise, from 0.
        promise: usize,
    },
    /// This promise's proof can be read and is none.
    Proves {
        /// Number of the promise, from 0.
        promise: usize,
        /// What is wrong with it.
        fault: Fault,
    },
}

impl std::fmt::Display for Malformed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Format => write!(f, "this is not a file of the format `{FORMAT}`"),
            Self::OtherProcedure => write!(
                f,
                "these certificates are for another version of the procedure"
            ),
            Self::Promises { found, expected } => {
                write!(f, "{found} certificates for {expected} promises")
            }
            Self::Proof { promise } => write!(
                f,
                "the proof of promise {} is missing or cannot be read",
                promise + 1
            ),
            Self::Proves { promise, fault } => {
                write!(f, "the proof of promise {} is none: {fault}", promise + 1)
            }
        }
    }
}

impl std::error::Error for Malformed {}

struct Writer<'a>(&'a Procedure);

impl Writer<'_> {
    fn proof(&self, certificate: &Certificate) -> Value {
        match certificate {
            Certificate::Attack { set, steps, target } => {
                let set: Vec<Value> = set.iter().map(|&member| self.member(member)).collect();
                let steps: Vec<Value> = steps.iter().map(|&step| self.step(step)).collect();
                json!({ "attack": { "set": set, "steps": steps, "target": self.target(*target) } })
            }
            Certificate::Way(steps) => {
                let steps: Vec<Value> = steps.iter().map(|&step| self.step(step)).collect();
                json!({ "way": steps })
            }
            Certificate::Refuted(refutation) => {
                let blocks: Vec<Value> = refutation
                    .blocks
                    .iter()
                    .map(|block| self.block(block))
                    .collect();
                json!({ "blocks": blocks, "tree": refutation.tree })
            }
            Certificate::Undecided => Value::Null,
        }
    }

    fn step(&self, step: WayStep) -> Value {
        match step {
            WayStep::Act(action, path) => self.act("act", action, path),
            WayStep::Settle(holding, seconds) => json!(["settle", self.holding(holding), seconds]),
        }
    }

    fn block(&self, block: &Block) -> Value {
        let of: Vec<Value> = block
            .of
            .iter()
            .map(|&element| match element {
                Element::Holding(holding) => json!(["holding", self.holding(holding)]),
                Element::Wait(action, path) => self.act("wait", action, path),
                Element::Settle(holding, seconds) => {
                    json!(["settle", self.holding(holding), seconds])
                }
            })
            .collect();
        let beyond: Vec<Value> = block.beyond.iter().map(|&fact| self.fact(fact)).collect();
        json!({ "of": of, "beyond": beyond })
    }

    fn member(&self, member: Compromise) -> Value {
        match member {
            Compromise::Holding(holding) => json!(["holding", self.holding(holding)]),
            Compromise::Deceived { role, count } => {
                json!([
                    "deceived",
                    self.0.roles.get(role.index()).map(|role| &role.name),
                    count
                ])
            }
            Compromise::NoticesUnread => json!(["unread"]),
        }
    }

    fn target(&self, target: Target) -> Value {
        match target {
            Target::Loss(loss) => self.fact(Fact::Lost(loss)),
            Target::Action(action) => self.fact(Fact::Done(action)),
        }
    }

    fn fact(&self, fact: Fact) -> Value {
        match fact {
            Fact::Own(holding) => json!(["own", self.holding(holding)]),
            Fact::New(holding) => json!(["new", self.holding(holding)]),
            Fact::Done(action) => json!([
                "done",
                self.0
                    .actions
                    .get(action.index())
                    .map(|action| &action.name)
            ]),
            Fact::Lost(loss) => json!([
                "lost",
                self.0.losses.get(loss.index()).map(|loss| &loss.name)
            ]),
        }
    }

    fn act(&self, word: &str, action: ActionId, path: PathId) -> Value {
        let action = self.0.actions.get(action.index());
        let path = action.and_then(|action| action.paths.get(path.index()));
        json!([
            word,
            action.map(|action| &action.name),
            path.map(|path| &path.name)
        ])
    }

    fn holding(&self, holding: HoldingId) -> Option<&str> {
        self.0
            .holdings
            .get(holding.index())
            .map(|holding| holding.name.as_str())
    }
}

/// Names to numbers, looked up often.
struct Reader<'a> {
    procedure: &'a Procedure,
    holdings: BTreeMap<&'a str, HoldingId>,
    roles: BTreeMap<&'a str, RoleId>,
    losses: BTreeMap<&'a str, LossId>,
    actions: BTreeMap<&'a str, ActionId>,
}

impl<'a> Reader<'a> {
    fn new(procedure: &'a Procedure) -> Self {
        let named = |names: &mut dyn Iterator<Item = &'a str>| -> BTreeMap<&'a str, u32> {
            names.zip(0_u32..).collect()
        };
        let typed = |map: BTreeMap<&'a str, u32>| map.into_iter();
        Self {
            procedure,
            holdings: typed(named(
                &mut procedure.holdings.iter().map(|one| one.name.as_str()),
            ))
            .map(|(name, at)| (name, HoldingId(at)))
            .collect(),
            roles: typed(named(
                &mut procedure.roles.iter().map(|one| one.name.as_str()),
            ))
            .map(|(name, at)| (name, RoleId(at)))
            .collect(),
            losses: typed(named(
                &mut procedure.losses.iter().map(|one| one.name.as_str()),
            ))
            .map(|(name, at)| (name, LossId(at)))
            .collect(),
            actions: typed(named(
                &mut procedure.actions.iter().map(|one| one.name.as_str()),
            ))
            .map(|(name, at)| (name, ActionId(at)))
            .collect(),
        }
    }

    fn proof(&self, value: &Value) -> Option<Certificate> {
        if let Some(attack) = value.get("attack") {
            let set = attack
                .get("set")?
                .as_array()?
                .iter()
                .map(|member| self.member(member))
                .collect::<Option<_>>()?;
            let steps = attack
                .get("steps")?
                .as_array()?
                .iter()
                .map(|step| self.step(step))
                .collect::<Option<_>>()?;
            let target = match self.fact(attack.get("target")?)? {
                Fact::Lost(loss) => Target::Loss(loss),
                Fact::Done(action) => Target::Action(action),
                Fact::Own(_) | Fact::New(_) => return None,
            };
            return Some(Certificate::Attack { set, steps, target });
        }
        if let Some(way) = value.get("way") {
            let steps = way.as_array()?.iter().map(|step| self.step(step));
            return steps.collect::<Option<_>>().map(Certificate::Way);
        }
        let blocks = value
            .get("blocks")?
            .as_array()?
            .iter()
            .map(|block| self.block(block))
            .collect::<Option<_>>()?;
        let tree = value
            .get("tree")?
            .as_array()?
            .iter()
            .map(number)
            .collect::<Option<_>>()?;
        Some(Certificate::Refuted(Refutation { blocks, tree }))
    }

    fn step(&self, value: &Value) -> Option<WayStep> {
        if let Some((action, path)) = self.act("act", value) {
            return Some(WayStep::Act(action, path));
        }
        let (holding, seconds) = self.settle(value)?;
        Some(WayStep::Settle(holding, seconds))
    }

    fn block(&self, value: &Value) -> Option<Block> {
        let of = value.get("of")?.as_array()?.iter().map(|element| {
            if let Some(holding) = self.named("holding", element) {
                return self
                    .holdings
                    .get(holding)
                    .map(|&holding| Element::Holding(holding));
            }
            self.act("wait", element)
                .map(|(action, path)| Element::Wait(action, path))
                .or_else(|| {
                    let (holding, seconds) = self.settle(element)?;
                    Some(Element::Settle(holding, seconds))
                })
        });
        let beyond = value
            .get("beyond")?
            .as_array()?
            .iter()
            .map(|fact| self.fact(fact));
        Some(Block {
            of: of.collect::<Option<_>>()?,
            beyond: beyond.collect::<Option<_>>()?,
        })
    }

    fn member(&self, value: &Value) -> Option<Compromise> {
        match self
            .named("holding", value)
            .and_then(|name| self.holdings.get(name))
        {
            Some(&holding) => Some(Compromise::Holding(holding)),
            None if value.get(0)?.as_str()? == "unread" => Some(Compromise::NoticesUnread),
            None => {
                let role = *self.roles.get(self.named("deceived", value)?)?;
                Some(Compromise::Deceived {
                    role,
                    count: number(value.get(2)?)?,
                })
            }
        }
    }

    fn fact(&self, value: &Value) -> Option<Fact> {
        let name = value.get(1)?.as_str()?;
        match value.get(0)?.as_str()? {
            "own" => self.holdings.get(name).map(|&holding| Fact::Own(holding)),
            "new" => self.holdings.get(name).map(|&holding| Fact::New(holding)),
            "done" => self.actions.get(name).map(|&action| Fact::Done(action)),
            "lost" => self.losses.get(name).map(|&loss| Fact::Lost(loss)),
            _ => None,
        }
    }

    fn act(&self, word: &str, value: &Value) -> Option<(ActionId, PathId)> {
        let action = *self.actions.get(self.named(word, value)?)?;
        let path = value.get(2)?.as_str()?;
        let paths = &self.procedure.actions.get(action.index())?.paths;
        let at = paths.iter().position(|other| other.name == path)?;
        Some((action, PathId(u32::try_from(at).ok()?)))
    }

    fn settle(&self, value: &Value) -> Option<(HoldingId, u64)> {
        let holding = *self.holdings.get(self.named("settle", value)?)?;
        Some((holding, value.get(2)?.as_u64()?))
    }

    #[expect(clippy::unused_self, reason = "reads like its neighbours")]
    fn named<'v>(&self, word: &str, value: &'v Value) -> Option<&'v str> {
        if value.get(0)?.as_str()? == word {
            value.get(1)?.as_str()
        } else {
            None
        }
    }
}

fn number(value: &Value) -> Option<u32> {
    value.as_u64().and_then(|number| u32::try_from(number).ok())
}
