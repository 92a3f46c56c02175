//! What a path asks of the customer, as sets of different things.

#![expect(
    clippy::indexing_slicing,
    reason = "every index in a checked `Procedure` is in range"
)]

use std::collections::{BTreeMap, BTreeSet};

use countersign_language::{
    EffectKind, Exposure, Expr, HoldingId, HoldingKind, Method, Path, Procedure, ProofId,
};

use super::{inside, proofs};

/// One way to satisfy a path: the proofs made, ascending.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Way {
    proofs: Vec<ProofId>,
    /// One bit for each proof, modulo 64: tells most pairs apart that are no subsets.
    bits: u64,
}

/// More ways than this are not looked at: the path is left alone.
const WAYS_MAX: usize = 64;
/// A state that hangs on another state, and so on, no deeper than this.
const DEPTH_MAX: usize = 3;
/// So many pairs of ways are put together or compared for one procedure; about 20 ms.
const WORK_MAX: usize = 2_000_000;

impl Way {
    fn none() -> Self {
        Self {
            proofs: Vec::new(),
            bits: 0,
        }
    }

    fn one(proof: ProofId) -> Self {
        Self {
            proofs: vec![proof],
            bits: 1 << (proof.0 % 64),
        }
    }

    /// The proofs made.
    pub(super) fn proofs(&self) -> impl Iterator<Item = ProofId> {
        self.proofs.iter().copied()
    }

    fn and(&self, other: &Self) -> Self {
        let mut proofs = [self.proofs.as_slice(), other.proofs.as_slice()].concat();
        proofs.sort_unstable();
        proofs.dedup();
        Self {
            proofs,
            bits: self.bits | other.bits,
        }
    }

    fn is_within(&self, other: &Self) -> bool {
        self.bits & !other.bits == 0
            && self
                .proofs
                .iter()
                .all(|proof| other.proofs.binary_search(proof).is_ok())
    }
}

/// Answers what paths ask, looking at each state once.
#[derive(Debug)]
pub(super) struct Evidence<'p> {
    procedure: &'p Procedure,
    /// The paths of the actions that give each state.
    givers: BTreeMap<HoldingId, Vec<&'p Path>>,
    /// What each state takes, by how deep it may still be followed.
    states: BTreeMap<(HoldingId, usize), Option<Vec<Way>>>,
    work: usize,
}

impl<'p> Evidence<'p> {
    /// Ready for questions about this procedure.
    pub(super) fn new(procedure: &'p Procedure) -> Self {
        let mut givers: BTreeMap<HoldingId, Vec<&Path>> = BTreeMap::new();
        for action in inside(procedure) {
            for effect in &action.effects {
                if let EffectKind::Gives(thing) = effect.kind
                    && procedure.holdings[thing.index()].kind == HoldingKind::State
                {
                    givers.entry(thing).or_default().extend(&action.paths);
                }
            }
        }
        Self {
            procedure,
            givers,
            states: BTreeMap::new(),
            work: 0,
        }
    }

    /// The ways to make the proofs of a path, none containing another. A state is
    /// replaced by what the actions that give it ask for. `None` if there are too many.
    pub(super) fn ways(&mut self, path: &Path) -> Option<Vec<Way>> {
        self.of_path(path, DEPTH_MAX)
    }

    /// How many different things the easiest way asks for; public facts are none.
    pub(super) fn least(&mut self, path: &Path) -> Option<usize> {
        let ways = self.ways(path)?;
        ways.iter()
            .map(|way| things(self.procedure, way).len())
            .min()
    }

    fn of_path(&mut self, path: &Path, depth: usize) -> Option<Vec<Way>> {
        let mut all = vec![Way::none()];
        for (expr, _) in proofs(path) {
            let more = self.of_expr(expr, depth)?;
            all = self.both(&all, &more)?;
        }
        Some(all)
    }

    fn of_expr(&mut self, expr: &Expr, depth: usize) -> Option<Vec<Way>> {
        match expr {
            Expr::Atom { proof, .. } => self.of_proof(*proof, depth),
            Expr::And(of) => {
                let mut all = vec![Way::none()];
                for part in of {
                    let more = self.of_expr(part, depth)?;
                    all = self.both(&all, &more)?;
                }
                Some(all)
            }
            Expr::Or(of) => {
                let mut all = Vec::new();
                for part in of {
                    all.extend(self.of_expr(part, depth)?);
                }
                self.smallest(all)
            }
            Expr::NOf { n, of } => {
                // `row[j]` holds the ways to meet j of the parts seen so far.
                let need = *n as usize;
                let mut row: Vec<Vec<Way>> = vec![Vec::new(); need + 1];
                row[0] = vec![Way::none()];
                for part in of {
                    let part = self.of_expr(part, depth)?;
                    for met in (1..=need).rev() {
                        let mut more = self.both(&row[met - 1], &part)?;
                        more.append(&mut row[met]);
                        row[met] = self.smallest(more)?;
                    }
                }
                row.pop()
            }
        }
    }

    fn of_proof(&mut self, proof: ProofId, depth: usize) -> Option<Vec<Way>> {
        let holding = self.procedure.proofs[proof.index()].shows;
        let givers = match self.givers.get(&holding) {
            Some(givers) if depth > 0 => givers.clone(),
            _ => return Some(vec![Way::one(proof)]),
        };
        if let Some(known) = self.states.get(&(holding, depth)) {
            return known.clone();
        }
        let mut all = Some(Vec::new());
        for path in givers {
            let more = self.of_path(path, depth - 1);
            all = all.zip(more).and_then(|(mut all, more)| {
                all.extend(more);
                self.smallest(all)
            });
        }
        self.states.insert((holding, depth), all.clone());
        all
    }

    fn both(&mut self, left: &[Way], right: &[Way]) -> Option<Vec<Way>> {
        self.work += left.len() * right.len();
        if self.work > WORK_MAX {
            return None;
        }
        let mut all = Vec::with_capacity(left.len() * right.len());
        for one in left {
            all.extend(right.iter().map(|other| one.and(other)));
        }
        self.smallest(all)
    }

    /// Without those that contain others; none if too many are left.
    fn smallest(&mut self, mut all: Vec<Way>) -> Option<Vec<Way>> {
        all.sort_unstable_by(|one, other| {
            (one.proofs.len(), one).cmp(&(other.proofs.len(), other))
        });
        all.dedup();
        let mut kept: Vec<Way> = Vec::new();
        for way in all {
            self.work += kept.len();
            if self.work > WORK_MAX || kept.len() > WAYS_MAX {
                return None;
            }
            if !kept.iter().any(|smaller| smaller.is_within(&way)) {
                kept.push(way);
            }
        }
        Some(kept)
    }
}

/// The different things that a way shows, public facts left out.
pub(super) fn things(procedure: &Procedure, way: &Way) -> BTreeSet<HoldingId> {
    way.proofs()
        .map(|proof| procedure.proofs[proof.index()].shows)
        .filter(|holding| procedure.holdings[holding.index()].exposure != Exposure::Public)
        .collect()
}

/// How many factors a way counts for. A passkey counts as two: the device and what unlocks it.
pub(super) fn factors(procedure: &Procedure, way: &Way) -> usize {
    let passkeys: BTreeSet<HoldingId> = way
        .proofs()
        .map(|proof| &procedure.proofs[proof.index()])
        .filter(|proof| proof.using == Some(Method::Passkey))
        .map(|proof| proof.shows)
        .collect();
    things(procedure, way).len() + passkeys.len()
}
