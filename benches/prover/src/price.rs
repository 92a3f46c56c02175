//! What each compromise costs a thief, for the cheapest attack: the same for all who are asked.

use countersign_language::{HoldingKind, Procedure};
use countersign_prover::Compromise;
use countersign_testkit::naive::Dice;

/// Prices drawn from a seed around a usual price of the kind.
#[derive(Clone, Copy)]
pub(crate) struct Prices(pub(crate) u64);

impl Prices {
    /// The price of one compromise; of people, of one of them.
    pub(crate) fn of(self, procedure: &Procedure, compromise: Compromise) -> u64 {
        let (usual, salt) = match compromise {
            Compromise::Holding(id) => {
                let usual = match procedure.holdings[id.index()].kind {
                    HoldingKind::Secret => 4,
                    HoldingKind::Channel => 6,
                    HoldingKind::Device | HoldingKind::State => 8,
                };
                (usual, u64::from(id.0))
            }
            // Some are fooled, some must be bribed.
            Compromise::Deceived { role, .. } => {
                let usual = if role.0 % 4 == 3 { 20 } else { 5 };
                (usual, 1 << 40 | u64::from(role.0))
            }
            Compromise::NoticesUnread => (15, 2 << 40),
        };
        let mut dice = Dice(self.0 << 48 ^ salt.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        (usual + dice.below(10) as u64).saturating_sub(3).max(1)
    }
}
