//! Seeded procedures of any size that look like real ones, for the prover's measurements.
//!
//! Clusters of about 25 actions and a dozen holdings in a three-ary tree, hubs
//! (a mailbox, a role) shared by all, one to four paths of one to four
//! requirements, a tenth of them "n of m", a twentieth pointing back, and an
//! eighth of the actions giving again what they are proved with, as resets do.
//! A running estimate keeps the cheapest attack on each path between two and
//! five, as people who write procedures try to.

use std::fmt::Write as _;

use countersign_testkit::naive::Dice;

/// A procedure before it is written down.
pub(crate) struct Family {
    /// What each fact is.
    pub facts: Vec<Fact>,
    pub actions: Vec<Act>,
    pub roles: usize,
}

/// What a requirement can ask for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fact {
    Secret,
    Channel,
    Device,
    /// Somebody of this role signs.
    Signed(usize),
    /// The owner of this channel fact is told and does not stop it.
    Unstopped(usize),
    /// What this action gives.
    Done(usize),
}

pub(crate) struct Act {
    /// Facts it gives, apart from its own.
    pub gives: Vec<usize>,
    pub paths: Vec<Vec<Ask>>,
    pub loses: bool,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Ask {
    One(usize),
    /// So many of these, holdings and states only.
    Some(usize, Vec<usize>),
}

/// Asks that are proved, not signed or waited for.
fn provable(fact: Fact) -> bool {
    !matches!(fact, Fact::Signed(_) | Fact::Unstopped(_))
}

/// A family member with this many actions.
pub(crate) fn family(size: usize, seed: u64) -> Family {
    let mut dice = Dice(seed.wrapping_mul(1_000_003).wrapping_add(size as u64));
    let clusters = (size / 25).max(1);
    let basics = (size / 2).max(5);
    let roles = (basics / 8).clamp(1, 60);
    let mut family = Family {
        facts: Vec::new(),
        actions: Vec::new(),
        roles,
    };
    let mut own: Vec<Vec<usize>> = vec![Vec::new(); clusters];
    let mut hubs = Vec::new();
    let hub_count = (basics * 3 / 100).clamp(2, 200);
    let mut last_channel = None;
    for at in 0..basics {
        let kind = match dice.below(100) {
            0..=29 => Fact::Secret,
            30..=39 => Fact::Device,
            40..=61 => Fact::Channel,
            62..=87 => Fact::Signed(dice.below(roles)),
            _ => last_channel.map_or(Fact::Channel, Fact::Unstopped),
        };
        family.facts.push(kind);
        if kind == Fact::Channel {
            last_channel = Some(at);
        }
        if hubs.len() < hub_count && (dice.below(100) < 6 || basics - at <= hub_count - hubs.len())
        {
            hubs.push(at);
        } else {
            own[at % clusters].push(at);
        }
    }
    for cluster in &mut own {
        while cluster.len() < 3 {
            cluster.push(hubs[dice.below(hubs.len())]);
        }
    }
    let mut estimate = vec![1_usize; basics];
    let per: Vec<usize> = (0..clusters)
        .map(|c| size / clusters + usize::from(c < size % clusters))
        .collect();
    let mut fact_of: Vec<Vec<usize>> = Vec::new();
    for &count in &per {
        let mut facts = Vec::new();
        for _ in 0..count {
            facts.push(family.facts.len());
            family.facts.push(Fact::Done(usize::MAX));
            estimate.push(3);
        }
        fact_of.push(facts);
    }
    for cluster in (0..clusters).rev() {
        let kids: Vec<usize> = (3 * cluster + 1..3 * cluster + 4)
            .filter(|&kid| kid < clusters)
            .collect();
        let others: Vec<usize> = if cluster + 1 < clusters {
            (0..2)
                .map(|_| cluster + 1 + dice.below(clusters - cluster - 1))
                .collect()
        } else {
            Vec::new()
        };
        let parent = (cluster > 0).then(|| (cluster - 1) / 3);
        for at in 0..per[cluster] {
            let scene = Scene {
                own: &own[cluster],
                hubs: &hubs,
                kids: &kids,
                others: &others,
                parent,
                fact_of: &fact_of,
                cluster,
                at,
            };
            let me = fact_of[cluster][at];
            let count = [1, 1, 2, 2, 2, 3, 3, 3, 4, 4][dice.below(10)];
            let mut paths = Vec::new();
            for _ in 0..count {
                paths.push(path(&mut dice, &scene, me, &estimate, &family.facts));
            }
            let mut gives = Vec::new();
            if dice.chance(12) {
                let again = own[cluster][dice.below(own[cluster].len())];
                if provable(family.facts[again]) {
                    gives.push(again);
                }
            }
            let cheapest = paths
                .iter()
                .map(|path| path.iter().map(|ask| price(ask, &estimate)).sum())
                .min();
            estimate[me] = cheapest.unwrap_or(1).clamp(1, 6);
            family.facts[me] = Fact::Done(family.actions.len());
            family.actions.push(Act {
                gives,
                paths,
                loses: false,
            });
        }
    }
    // The loss: up to three late actions of the first cluster, each with a second thing.
    let late: Vec<usize> = fact_of[0]
        .iter()
        .copied()
        .skip(per[0].saturating_sub((per[0] / 3).max(3)))
        .collect();
    for _ in 0..if size >= 100 { 3 } else { 1 } {
        let first = late[dice.below(late.len())];
        let second = if dice.chance(60) {
            late[dice.below(late.len())]
        } else {
            own[0][dice.below(own[0].len())]
        };
        let asks = if first == second {
            vec![Ask::One(first)]
        } else {
            vec![Ask::One(first), Ask::One(second)]
        };
        family.actions.push(Act {
            gives: Vec::new(),
            paths: vec![asks],
            loses: true,
        });
    }
    family
}

struct Scene<'a> {
    own: &'a [usize],
    hubs: &'a [usize],
    kids: &'a [usize],
    others: &'a [usize],
    parent: Option<usize>,
    fact_of: &'a [Vec<usize>],
    cluster: usize,
    at: usize,
}

impl Scene<'_> {
    fn pick(&self, dice: &mut Dice) -> usize {
        let mine = &self.fact_of[self.cluster];
        if dice.chance(5) {
            if let (Some(parent), true) = (self.parent, dice.chance(30)) {
                return self.fact_of[parent][dice.below(self.fact_of[parent].len())];
            }
            if self.at + 1 < mine.len() {
                return mine[self.at + 1 + dice.below(mine.len() - self.at - 1)];
            }
        }
        let roll = dice.below(100);
        if roll < 10 {
            return self.hubs[dice.below(self.hubs.len())];
        }
        if roll < 22 && !(self.kids.is_empty() && self.others.is_empty()) {
            let near = !self.kids.is_empty() && (self.others.is_empty() || dice.chance(80));
            let from = if near { self.kids } else { self.others };
            let facts = &self.fact_of[from[dice.below(from.len())]];
            // Late actions rather than early ones.
            return facts[dice.below(facts.len()).max(dice.below(facts.len()))];
        }
        if self.at > 0 && !dice.chance(25) {
            let low = self.at.saturating_sub(8);
            return mine[low + dice.below(self.at - low)];
        }
        self.own[dice.below(self.own.len())]
    }
}

fn price(ask: &Ask, estimate: &[usize]) -> usize {
    match ask {
        Ask::One(fact) => estimate[*fact],
        Ask::Some(n, of) => {
            let mut prices: Vec<usize> = of.iter().map(|&fact| estimate[fact]).collect();
            prices.sort_unstable();
            prices.iter().take(*n).sum()
        }
    }
}

fn path(
    dice: &mut Dice,
    scene: &Scene<'_>,
    me: usize,
    estimate: &[usize],
    facts: &[Fact],
) -> Vec<Ask> {
    let target = [2, 2, 3, 3, 3, 3, 4, 4, 4, 5][dice.below(10)];
    let mut best: Option<(usize, Vec<Ask>)> = None;
    for _ in 0..30 {
        let count = match dice.below(100) {
            0..=24 => 1,
            25..=68 => 2,
            69..=92 => 3,
            _ => 4,
        };
        let mut asks: Vec<Ask> = Vec::new();
        for _ in 0..count {
            let ask = ask(dice, scene, facts);
            if ask != Ask::One(me) && !asks.contains(&ask) && !signs_twice(&asks, &ask, facts) {
                asks.push(ask);
            }
        }
        // Nobody asks for a signature alone, nor for a wait alone.
        if !asks.iter().any(|ask| {
            matches!(ask, Ask::Some(..)) || matches!(ask, Ask::One(fact) if provable(facts[*fact]))
        }) {
            continue;
        }
        let price: usize = asks.iter().map(|ask| price(ask, estimate)).sum();
        let off = price.abs_diff(target);
        if price >= 2 && best.as_ref().is_none_or(|(least, _)| off < *least) {
            best = Some((off, asks));
        }
        if best.as_ref().is_some_and(|(least, _)| *least == 0) {
            break;
        }
    }
    best.map_or_else(
        || vec![Ask::One(scene.hubs[0]), Ask::One(scene.own[0])],
        |(_, asks)| asks,
    )
}

/// One person signs once, so that a peer without the matching of people to slots is asked the same question.
fn signs_twice(asks: &[Ask], next: &Ask, facts: &[Fact]) -> bool {
    let role = |ask: &Ask| match ask {
        Ask::One(fact) => match facts[*fact] {
            Fact::Signed(role) => Some(role),
            _ => None,
        },
        Ask::Some(..) => None,
    };
    role(next).is_some() && asks.iter().any(|ask| role(ask) == role(next))
}

fn ask(dice: &mut Dice, scene: &Scene<'_>, facts: &[Fact]) -> Ask {
    if dice.chance(10) {
        let mut of: Vec<usize> = Vec::new();
        let count = 3 + dice.below(3);
        for _ in 0..40 {
            let fact = scene.pick(dice);
            if of.len() < count && provable(facts[fact]) && !of.contains(&fact) {
                of.push(fact);
            }
        }
        if of.len() >= 3 {
            return Ask::Some(2 + dice.below(of.len() - 2), of);
        }
    }
    Ask::One(scene.pick(dice))
}

/// The procedure as text.
pub(crate) fn text(family: &Family) -> String {
    let mut text = String::from("organisation \"Generated\"\n");
    for role in 0..family.roles {
        let _ = writeln!(text, "staff r{role} \"role {role}\"");
    }
    for (at, fact) in family.facts.iter().enumerate() {
        let _ = match fact {
            Fact::Secret => writeln!(text, "secret f{at} \"secret {at}\" using pin"),
            Fact::Device => writeln!(
                text,
                "device f{at} \"device {at}\"\nproof p{at} \"proof {at}\" shows f{at} using totp"
            ),
            Fact::Channel => writeln!(
                text,
                "channel f{at} \"channel {at}\"\nproof p{at} \"code {at}\" shows f{at} using mail"
            ),
            Fact::Done(_) => writeln!(text, "state f{at} \"state {at}\""),
            Fact::Signed(_) | Fact::Unstopped(_) => Ok(()),
        };
    }
    text.push_str("loss ruin \"everything\"\n");
    let state: Vec<Option<usize>> = {
        let mut state = vec![None; family.actions.len()];
        for (at, fact) in family.facts.iter().enumerate() {
            if let Fact::Done(action) = fact {
                state[*action] = Some(at);
            }
        }
        state
    };
    let name = |fact: usize| match family.facts[fact] {
        Fact::Device | Fact::Channel => format!("p{fact}"),
        _ => format!("f{fact}"),
    };
    for (at, action) in family.actions.iter().enumerate() {
        let _ = writeln!(text, "action a{at} \"Action {at}\" {{\n  runs panel");
        if let Some(fact) = state[at] {
            let _ = writeln!(text, "  gives f{fact}");
        }
        for fact in &action.gives {
            let _ = writeln!(text, "  gives f{fact}");
        }
        if action.loses {
            text.push_str("  loses ruin\n");
        }
        for (which, path) in action.paths.iter().enumerate() {
            let _ = writeln!(text, "  path w{which} {{");
            let mut told = Vec::new();
            for ask in path {
                let _ = match ask {
                    Ask::Some(n, of) => {
                        let of: Vec<String> = of.iter().map(|&fact| name(fact)).collect();
                        writeln!(text, "    prove {n} of ({})", of.join(", "))
                    }
                    Ask::One(fact) => match family.facts[*fact] {
                        Fact::Signed(role) => writeln!(text, "    sign-off 1 r{role}"),
                        Fact::Unstopped(channel) => {
                            told.push(format!("f{channel}"));
                            Ok(())
                        }
                        _ => writeln!(text, "    prove {}", name(*fact)),
                    },
                };
            }
            if !told.is_empty() {
                let _ = writeln!(text, "    notify {}\n    wait 24h", told.join(", "));
            }
            text.push_str("  }\n");
        }
        text.push_str("}\n");
    }
    text
}
