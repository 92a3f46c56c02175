//! Verdicts that anyone can check.
//!
//! A broken `never` carries its attack as a list of actions to replay; a kept
//! one carries a [`Refutation`]. A kept `always` carries the honest customer's
//! way; a broken one carries a refutation too, over time instead of
//! compromises. [`check`] is the independent checker: it shares no code with
//! the search and reads the rules of DESIGN §5 off the procedure itself.

pub(crate) mod check;
mod text;

use countersign_language::{ActionId, EffectKind, HoldingId, LossId, PathId, Target};

use crate::compromise::Compromise;

pub use check::check;
pub use text::{Checked, FORMAT, Malformed, check_all, write};

/// The proof of one verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Certificate {
    /// A broken `never`: these compromises, these actions in this order, and this is reached.
    Attack {
        /// The compromises; within the promise's budget.
        set: Vec<Compromise>,
        /// What is asked for, in order.
        steps: Vec<WayStep>,
        /// What is reached.
        target: Target,
    },
    /// A kept `always`: the honest customer's way.
    Way(Vec<WayStep>),
    /// A kept `never` or a broken `always`: why there is nothing within the budget.
    Refuted(Refutation),
    /// The search stopped at its limit; the verdict claims nothing.
    Undecided,
}

/// One step of an honest customer's way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WayStep {
    /// Ask for this action by this path, and wait as long as it says.
    Act(ActionId, PathId),
    /// Let the changed holding settle, so many seconds.
    Settle(HoldingId, u64),
}

/// Blocks, and a tree that shows that no choice within the budget meets them all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refutation {
    /// The blocks.
    pub blocks: Vec<Block>,
    /// The block at each node of the tree, parents before children. A node has
    /// one child for each member of its block, in order, that still fits the
    /// budget and that no elder sibling, its own or an ancestor's, has dealt with.
    pub tree: Vec<u32>,
}

/// Elements of which every success needs at least one, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// The elements.
    pub of: Vec<Element>,
    /// What cannot be derived without them, the target included: each way to
    /// make one of these facts fails at another of them or at an element.
    pub beyond: Vec<Fact>,
}

/// What a budget is spent on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Element {
    /// A holding stolen, hijacked or taken.
    Holding(HoldingId),
    /// The wait of a path.
    Wait(ActionId, PathId),
    /// A changed holding settling, so many seconds.
    Settle(HoldingId, u64),
}

/// A fact of DESIGN §5.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fact {
    /// Own H.
    Own(HoldingId),
    /// New H.
    New(HoldingId),
    /// The action is done.
    Done(ActionId),
    /// The loss is suffered.
    Lost(LossId),
}

impl WayStep {
    /// The time it takes, as an element.
    fn lapse(self) -> Element {
        match self {
            Self::Settle(holding, seconds) => Element::Settle(holding, seconds),
            Self::Act(action, path) => Element::Wait(action, path),
        }
    }
}

impl Fact {
    /// What an effect makes, and for what is sent the channel that must be held.
    fn made_by(effect: EffectKind) -> (Self, Option<HoldingId>) {
        match effect {
            EffectKind::Sends { what, to } => (Self::Own(what), Some(to)),
            EffectKind::Gives(holding) => (Self::Own(holding), None),
            EffectKind::Changes(holding) => (Self::New(holding), None),
            EffectKind::Loses(loss) => (Self::Lost(loss), None),
        }
    }
}

impl From<Target> for Fact {
    fn from(target: Target) -> Self {
        match target {
            Target::Loss(loss) => Self::Lost(loss),
            Target::Action(action) => Self::Done(action),
        }
    }
}

/// Why a certificate proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The procedure has no promise of that number.
    NoSuchPromise,
    /// It is no proof of this kind of verdict.
    WrongKind,
    /// It names something that the procedure does not have.
    OutOfRange,
    /// The attack uses more than the promise grants.
    OverBudget,
    /// This step, from 0, cannot be taken.
    Step(usize),
    /// The steps do not reach what is claimed.
    Short,
    /// The way takes longer than promised.
    TooLong,
    /// This block, from 0, is none: one of its facts can be made without its elements.
    Block(usize),
    /// This node of the tree, from 0, does not follow.
    Tree(usize),
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoSuchPromise => write!(f, "the procedure has no such promise"),
            Self::WrongKind => write!(f, "this is no proof of that verdict"),
            Self::OutOfRange => write!(f, "it names something the procedure does not have"),
            Self::OverBudget => write!(f, "the attack uses more than the promise grants"),
            Self::Step(at) => write!(f, "step {} cannot be taken", at + 1),
            Self::Short => write!(f, "the steps do not reach what is claimed"),
            Self::TooLong => write!(f, "the way takes longer than promised"),
            Self::Block(at) => write!(f, "block {at} can be got round"),
            Self::Tree(at) => write!(f, "node {at} of the tree does not follow"),
        }
    }
}

impl std::error::Error for Fault {}
