//! The flat rules as facts for clingo; `peer/attack.lp` says what they mean.

use std::fmt::Write as _;

use countersign_language::{HoldingKind, Procedure, Target};

use crate::{
    price::Prices,
    rules::{Primitive, Rules},
};

/// Which encoding the facts are for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// Rules by their length: the fastest we know.
    Short,
    /// Every rule by its number.
    Plain,
}

impl Encoding {
    /// Its file in `peer/`, without the ending.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Short => "attack",
            Self::Plain => "plain",
        }
    }
}

/// Everything clingo needs to know.
pub(crate) fn text(
    rules: &Rules,
    procedure: &Procedure,
    prices: Prices,
    on: Target,
    encoding: Encoding,
) -> String {
    let mut text = String::new();
    for (at, &(primitive, fact)) in rules.primitives.iter().enumerate() {
        let kind = match primitive {
            Primitive::Unread => "unread",
            Primitive::Person(..) => "person",
            Primitive::Holding(id) => match procedure.holdings[id.index()].kind {
                HoldingKind::Secret => "secret",
                HoldingKind::Channel => "channel",
                HoldingKind::Device | HoldingKind::State => "device",
            },
        };
        let price = prices.of(procedure, rules.compromises(&[at])[0]);
        let _ = write!(
            text,
            "prim({at},{fact}). kind({at},{kind}). price({at},{price})."
        );
        // People of one role stand next to each other.
        if matches!(primitive, Primitive::Person(_, nth) if nth > 1) {
            let _ = write!(text, " after({at},{}).", at - 1);
        }
        text.push('\n');
    }
    for (at, rule) in rules.list.iter().enumerate() {
        let (need, of, makes) = (rule.need, &rule.of, rule.makes);
        let short = encoding == Encoding::Short;
        if need == 0 {
            let _ = writeln!(text, "given({makes}).");
        } else if need > of.len() {
            // Nobody can.
        } else if need == 1 && short {
            for fact in of {
                let _ = writeln!(text, "r1({makes},{fact}).");
            }
        } else if need == of.len() && need <= 4 && short {
            let facts: Vec<String> = of.iter().map(u32::to_string).collect();
            let _ = writeln!(text, "r{need}({makes},{}).", facts.join(","));
        } else {
            let _ = if need == of.len() {
                write!(text, "all({at},{makes}).")
            } else {
                write!(text, "some({at},{makes},{need}).")
            };
            for fact in of {
                let _ = write!(text, " in({at},{fact}).");
            }
            text.push('\n');
        }
    }
    let _ = writeln!(text, "goal({}).", rules.target(on));
    text
}
