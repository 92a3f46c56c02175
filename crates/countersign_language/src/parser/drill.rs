//! Drills.

use super::{Naming, Parser};
use crate::tree::{DrillNode, ItemKind};

impl Parser<'_, '_> {
    /// After `drill`.
    pub(super) fn drill(&mut self) -> ItemKind {
        let action = self.name("an action", Naming::Any);
        self.require("plays");
        let plays = self.names("a scenario", Naming::Any);
        self.require("asks");
        let asks = self.names("a role", Naming::Any);
        self.require("every");
        ItemKind::Drill(Box::new(DrillNode {
            action,
            plays,
            asks,
            every: self.duration(),
        }))
    }
}
