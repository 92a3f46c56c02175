//! What the gate carries out itself: a customer sets a PIN, an authenticator app or a passkey.
//!
//! `runs gate` names no system of the company. The gate keeps these holdings, so the gate changes
//! them, and only by an action of the procedure like any other.

use crate::model::{Action, EffectKind, HoldingId, Method, Procedure};

/// The connector that is the gate itself. No system of the company may have this name.
pub const GATE: &str = "gate";

/// What an action that the gate runs sets, on the customer's own page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SetAtGate {
    /// Which holding.
    pub holding: HoldingId,
    /// How it is shown: [`Method::Pin`], [`Method::Totp`] or [`Method::Passkey`].
    pub method: Method,
    /// What becomes of what the customer has.
    pub set: Set,
}

/// What becomes of what the customer has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Set {
    /// `gives H`: one more beside it; of a holding there is one of, only where the customer has none.
    Adds,
    /// `changes H`: the customer says what it is from now on.
    Replaces,
}

impl Procedure {
    /// What an action with `runs gate` sets; `None` for every other action.
    pub fn set_at_gate(&self, action: &Action) -> Option<SetAtGate> {
        if action.outside || action.runs.as_deref() != Some(GATE) {
            return None;
        }
        let mut sets = action
            .effects
            .iter()
            .filter_map(|effect| match effect.kind {
                EffectKind::Gives(holding) => Some((holding, Set::Adds)),
                EffectKind::Changes(holding) => Some((holding, Set::Replaces)),
                EffectKind::Sends { .. } | EffectKind::Loses(_) => None,
            });
        let (Some((holding, set)), None) = (sets.next(), sets.next()) else {
            return None;
        };
        Some(SetAtGate {
            holding,
            method: self.kept_at_gate(holding)?,
            set,
        })
    }

    /// How a holding that the gate keeps is shown; `None` for one it does not keep, or that is shown in two such ways.
    fn kept_at_gate(&self, holding: HoldingId) -> Option<Method> {
        let mut methods = self
            .proofs
            .iter()
            .filter(|proof| proof.shows == holding)
            .filter_map(|proof| proof.using)
            .filter(|method| matches!(method, Method::Pin | Method::Totp | Method::Passkey));
        let first = methods.next()?;
        methods.all(|other| other == first).then_some(first)
    }
}
