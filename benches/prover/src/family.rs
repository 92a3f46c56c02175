//! Seeded procedures of any size that look like real ones, as text.
//!
//! Clusters ("desks") of about 25 actions with a dozen things of their own in a
//! three-ary tree, and hubs (a mailbox, a role) shared by all. An action has
//! one to four paths of one to four requirements; a tenth of these are "n of
//! m", a twentieth point back, a tenth ask for something settled. An eighth of
//! the actions give, send or change what they are proved with, as resets do: so
//! three quarters of all facts hang together in one cycle. There are about 50
//! things a thief can get for each 100 actions, people included, and a seventh
//! of the holdings can be read out by somebody. A running estimate keeps the
//! smallest attack through each path between two and five, as people who write
//! procedures try to.

use std::fmt::Write as _;

use countersign_testkit::naive::Dice;

/// A procedure has at most 64 roles: levels of trust, not job titles.
const ROLES_MAX: usize = 60;

/// Roughly how many channels the changes may tell, all together; a procedure may name 16 million.
const NAMED_MAX: usize = 4_000_000;

/// How dense a member of the family is.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    /// Out of 10: how many paths an action has.
    paths: [usize; 4],
    /// Requirements out of 100 that ask for what everybody shares.
    hub: usize,
}

impl Shape {
    pub(crate) const USUAL: Self = Self {
        paths: [15, 30, 30, 25],
        hub: 10,
    };
    /// Two to four paths, and hubs in nearly every third requirement.
    pub(crate) const DENSE: Self = Self {
        paths: [0, 34, 33, 33],
        hub: 30,
    };
}

/// A member of the family with this many actions and the few that lose something, as procedure text.
pub(crate) fn text(shape: Shape, size: usize, seed: u64) -> String {
    Family::new(shape, size, seed).text()
}

/// A procedure before it is written down.
struct Family {
    facts: Vec<Fact>,
    roles: Vec<Role>,
    actions: Vec<Act>,
    /// Of so many changes one is left, where there are very many.
    rare: usize,
}

/// The role of this number includes another of its desk.
struct Role {
    includes: Option<usize>,
}

/// What a requirement can ask for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fact {
    /// A holding, and who can read it out.
    Holding(Kind, Option<usize>),
    /// Somebody of this role signs.
    Signed(usize),
    /// The owner of this channel fact is told and does not stop it.
    Unstopped(usize),
    /// What this action gives.
    Done(usize),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Secret,
    Channel,
    Device,
}

struct Act {
    effects: Vec<Effect>,
    paths: Vec<Vec<Ask>>,
}

#[derive(Clone, Copy)]
enum Effect {
    Gives(usize),
    Changes(usize),
    Sends(usize, usize),
    Loses,
}

#[derive(Clone, PartialEq, Eq)]
enum Ask {
    One(usize),
    /// The same, unchanged for a week.
    Settled(usize),
    /// So many of these; holdings and states only.
    Some(usize, Vec<usize>),
}

/// The one of these that a die picks, by weight.
fn weighted(dice: &mut Dice, weights: &[usize]) -> usize {
    let mut roll = dice.below(weights.iter().sum());
    for (at, &weight) in weights.iter().enumerate() {
        if roll < weight {
            return at;
        }
        roll -= weight;
    }
    0
}

/// What each desk has of its own, and what all share.
struct Things {
    own: Vec<Vec<usize>>,
    hubs: Vec<usize>,
}

impl Family {
    fn new(shape: Shape, size: usize, seed: u64) -> Self {
        let mut dice = Dice(seed.wrapping_mul(1_000_003).wrapping_add(size as u64));
        let clusters = ((size + 12) / 25).max(1);
        let mut family = Self {
            facts: Vec::new(),
            roles: Vec::new(),
            actions: Vec::new(),
            rare: 1,
        };
        let things = family.things(&mut dice, clusters, (size / 2).max(5));
        // Each path of each change tells every channel, and a procedure may name so many only.
        let channels = |fact: &&Fact| matches!(fact, Fact::Holding(Kind::Channel, _));
        let channels = family.facts.iter().filter(channels).count();
        family.rare = size * 3 / 100 * 3 * channels / NAMED_MAX;
        let mut estimate = vec![1_usize; family.facts.len()];
        let mut fact_of: Vec<Vec<usize>> = Vec::new();
        for cluster in 0..clusters {
            let count = size / clusters + usize::from(cluster < size % clusters);
            let first = family.facts.len();
            fact_of.push((first..first + count).collect());
            family
                .facts
                .extend(std::iter::repeat_n(Fact::Done(usize::MAX), count));
            estimate.extend(std::iter::repeat_n(3, count));
        }
        for cluster in (0..clusters).rev() {
            let mut scene = Scene {
                shape,
                things: &things,
                kids: (3 * cluster + 1..3 * cluster + 4)
                    .filter(|&kid| kid < clusters)
                    .collect(),
                others: Vec::new(),
                parent: (cluster > 0).then(|| (cluster - 1) / 3),
                fact_of: &fact_of,
                cluster,
                at: 0,
            };
            if cluster + 1 < clusters {
                scene.others = (0..2)
                    .map(|_| cluster + 1 + dice.below(clusters - cluster - 1))
                    .collect();
            }
            for at in 0..fact_of[cluster].len() {
                scene.at = at;
                family.action(&mut dice, &scene, &mut estimate);
            }
        }
        family.losses(&mut dice, &things.own[0], &fact_of[0], size);
        family
    }

    /// Holdings, people and waits, until a thief has so many single things to get.
    fn things(&mut self, dice: &mut Dice, clusters: usize, count: usize) -> Things {
        let mut things = Things {
            own: vec![Vec::new(); clusters],
            hubs: Vec::new(),
        };
        let hub_count = (count * 3 / 100).clamp(2, 200);
        let mut last_role: Vec<Option<usize>> = vec![None; clusters];
        let mut last_channel: Vec<Option<usize>> = vec![None; clusters];
        let mut next = 0;
        let mut made = 0;
        while made < count {
            let cluster = next % clusters;
            let fact = self.facts.len();
            let roles = self.roles.len();
            let hub = things.hubs.len() < hub_count
                && (dice.chance(6) || count - made <= hub_count - things.hubs.len());
            let reader = if dice.chance(15) && !hub {
                last_role[cluster]
            } else {
                None
            };
            let kind = match weighted(dice, &[34, 12, 26, 16, 12]) {
                0 => Fact::Holding(Kind::Secret, reader),
                1 => Fact::Holding(Kind::Device, reader),
                2 => Fact::Holding(Kind::Channel, reader),
                3 if self.roles.len() >= ROLES_MAX => Fact::Signed(dice.below(ROLES_MAX)),
                3 => {
                    let role = self.roles.len();
                    let includes = if dice.chance(30) && !hub {
                        last_role[cluster]
                    } else {
                        None
                    };
                    self.roles.push(Role { includes });
                    if !hub {
                        last_role[cluster] = Some(role);
                    }
                    Fact::Signed(role)
                }
                _ => match last_channel[cluster] {
                    Some(channel) => Fact::Unstopped(channel),
                    None => Fact::Holding(Kind::Channel, reader),
                },
            };
            self.facts.push(kind);
            made += match kind {
                Fact::Holding(..) => 1,
                Fact::Signed(_) => usize::from(self.roles.len() > roles),
                Fact::Unstopped(_) | Fact::Done(_) => 0,
            };
            if matches!(kind, Fact::Holding(Kind::Channel, _)) {
                last_channel[cluster] = Some(fact);
            }
            if hub {
                things.hubs.push(fact);
            } else {
                things.own[cluster].push(fact);
                next += 1;
            }
        }
        for own in &mut things.own {
            while own.len() < 3 {
                own.push(things.hubs[dice.below(things.hubs.len())]);
            }
        }
        things
    }

    fn action(&mut self, dice: &mut Dice, scene: &Scene<'_>, estimate: &mut [usize]) {
        let me = scene.fact_of[scene.cluster][scene.at];
        let own = &scene.things.own[scene.cluster];
        let paths: Vec<Vec<Ask>> = (0..=weighted(dice, &scene.shape.paths))
            .map(|_| self.path(dice, scene, me, estimate))
            .collect();
        let mut effects = vec![Effect::Gives(me)];
        let holdings: Vec<usize> = own
            .iter()
            .copied()
            .filter(|&fact| matches!(self.facts[fact], Fact::Holding(..)))
            .collect();
        if dice.chance(12) && !holdings.is_empty() {
            let what = *dice.pick(&holdings);
            let channel = own
                .iter()
                .copied()
                .find(|&fact| matches!(self.facts[fact], Fact::Holding(Kind::Channel, _)));
            effects.push(match (weighted(dice, &[50, 25, 25]), channel) {
                (1, Some(channel)) if channel != what => Effect::Sends(what, channel),
                (2, _) if self.rare < 2 || dice.below(self.rare) == 0 => Effect::Changes(what),
                _ => Effect::Gives(what),
            });
        }
        let least = paths
            .iter()
            .map(|path| path.iter().map(|ask| price(ask, estimate)).sum())
            .min();
        estimate[me] = least.unwrap_or(1).clamp(1, 6);
        self.facts[me] = Fact::Done(self.actions.len());
        self.actions.push(Act { effects, paths });
    }

    fn path(&self, dice: &mut Dice, scene: &Scene<'_>, me: usize, estimate: &[usize]) -> Vec<Ask> {
        let target = 2 + weighted(dice, &[20, 40, 30, 10]);
        let mut best: Option<(usize, Vec<Ask>)> = None;
        for _ in 0..30 {
            let mut asks: Vec<Ask> = Vec::new();
            for _ in 0..=weighted(dice, &[25, 50, 30, 14]) {
                let ask = self.ask(dice, scene);
                if ask != Ask::One(me) && !asks.contains(&ask) && !self.signs_twice(&asks, &ask) {
                    asks.push(ask);
                }
            }
            // Nobody asks for a signature alone, nor for a wait alone.
            if !asks.iter().any(|ask| self.is_proof(ask)) {
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
            || {
                let two = [scene.things.hubs[0], scene.things.own[scene.cluster][0]];
                two.map(Ask::One).to_vec()
            },
            |(_, asks)| asks,
        )
    }

    fn ask(&self, dice: &mut Dice, scene: &Scene<'_>) -> Ask {
        if dice.chance(10) {
            let mut of: Vec<usize> = Vec::new();
            let count = 3 + dice.below(3);
            for _ in 0..40 {
                let fact = scene.pick(dice);
                if of.len() < count && self.is_proof(&Ask::One(fact)) && !of.contains(&fact) {
                    of.push(fact);
                }
            }
            if of.len() >= 3 {
                return Ask::Some(2 + dice.below(of.len() - 2), of);
            }
        }
        let fact = scene.pick(dice);
        if matches!(self.facts[fact], Fact::Holding(..)) && dice.chance(10) {
            return Ask::Settled(fact);
        }
        Ask::One(fact)
    }

    /// Up to three late actions of the first desk cost everything, each with a second thing.
    fn losses(&mut self, dice: &mut Dice, own: &[usize], desk: &[usize], size: usize) {
        let mut late: Vec<usize> = desk
            .iter()
            .copied()
            .skip(desk.len().saturating_sub((desk.len() / 3).max(3)))
            .collect();
        for last in (1..late.len()).rev() {
            late.swap(last, dice.below(last + 1));
        }
        let count = if size >= 100 { 3 } else { 1 };
        for &first in late.iter().take(count) {
            let others: Vec<usize> = late.iter().copied().filter(|&fact| fact != first).collect();
            let second = if dice.chance(60) && !others.is_empty() {
                *dice.pick(&others)
            } else {
                *dice.pick(own)
            };
            self.actions.push(Act {
                effects: vec![Effect::Loses],
                paths: vec![vec![Ask::One(first), Ask::One(second)]],
            });
        }
    }

    /// Shown by the customer, not signed by staff nor waited for.
    fn is_proof(&self, ask: &Ask) -> bool {
        match ask {
            Ask::One(fact) => !matches!(self.facts[*fact], Fact::Signed(_) | Fact::Unstopped(_)),
            Ask::Settled(_) | Ask::Some(..) => true,
        }
    }

    /// Two people of one role on one path: written as `sign-off 2`, and rare; left out here.
    fn signs_twice(&self, asks: &[Ask], next: &Ask) -> bool {
        let role = |ask: &Ask| match ask {
            Ask::One(fact) => match self.facts[*fact] {
                Fact::Signed(role) => Some(role),
                _ => None,
            },
            Ask::Settled(_) | Ask::Some(..) => None,
        };
        role(next).is_some() && asks.iter().any(|ask| role(ask) == role(next))
    }

    fn text(&self) -> String {
        let mut text = String::from("organisation \"Generated\"\n");
        for (at, role) in self.roles.iter().enumerate() {
            let _ = match role.includes {
                None => writeln!(text, "staff r{at} \"role {at}\""),
                Some(other) => writeln!(text, "staff r{at} \"role {at}\" includes r{other}"),
            };
        }
        for (at, fact) in self.facts.iter().enumerate() {
            let visible = match fact {
                Fact::Holding(_, Some(role)) => format!(" visible to r{role}"),
                _ => String::new(),
            };
            let _ = match fact {
                Fact::Holding(Kind::Secret, _) => {
                    writeln!(text, "secret f{at} \"secret {at}\" using pin{visible}")
                }
                Fact::Holding(Kind::Device, _) => writeln!(
                    text,
                    "device f{at} \"device {at}\"{visible}\nproof p{at} \"proof {at}\" shows f{at} using totp"
                ),
                Fact::Holding(Kind::Channel, _) => writeln!(
                    text,
                    "channel f{at} \"channel {at}\"{visible}\nproof p{at} \"code {at}\" shows f{at} using mail"
                ),
                Fact::Done(_) => writeln!(text, "state f{at} \"state {at}\""),
                Fact::Signed(_) | Fact::Unstopped(_) => Ok(()),
            };
        }
        text.push_str("loss ruin \"everything\"\n");
        for (at, action) in self.actions.iter().enumerate() {
            self.write_action(&mut text, at, action);
        }
        text
    }

    fn write_action(&self, text: &mut String, at: usize, action: &Act) {
        let _ = writeln!(text, "action a{at} \"Action {at}\" {{");
        for effect in &action.effects {
            let _ = match effect {
                Effect::Gives(fact) => writeln!(text, "  gives f{fact}"),
                Effect::Changes(fact) => writeln!(text, "  changes f{fact}"),
                Effect::Sends(what, to) => writeln!(text, "  sends f{what} to f{to}"),
                Effect::Loses => writeln!(text, "  loses ruin"),
            };
        }
        text.push_str("  runs panel\n");
        for (which, path) in action.paths.iter().enumerate() {
            let _ = writeln!(text, "  path w{which} {{");
            let mut told = Vec::new();
            for (line, ask) in path.iter().enumerate() {
                let _ = match ask {
                    Ask::Some(n, of) => {
                        let of: Vec<String> = of.iter().map(|&fact| self.proof(fact)).collect();
                        writeln!(text, "    prove {n} of ({})", of.join(", "))
                    }
                    Ask::Settled(fact) => {
                        writeln!(text, "    prove {} settled 7d", self.proof(*fact))
                    }
                    Ask::One(fact) => match self.facts[*fact] {
                        // Every fourth by the word of whoever opens the case.
                        Fact::Signed(role) if (at + which + line).is_multiple_of(4) => {
                            writeln!(text, "    r{role} confirms \"it is them\"")
                        }
                        Fact::Signed(role) => writeln!(text, "    sign-off 1 r{role}"),
                        Fact::Unstopped(channel) => {
                            told.push(format!("f{channel}"));
                            Ok(())
                        }
                        Fact::Holding(..) | Fact::Done(_) => {
                            writeln!(text, "    prove {}", self.proof(*fact))
                        }
                    },
                };
            }
            if !told.is_empty() {
                told.sort_unstable();
                told.dedup();
                let _ = writeln!(text, "    notify {}\n    wait 24h", told.join(", "));
            }
            text.push_str("  }\n");
        }
        text.push_str("}\n");
    }

    fn proof(&self, fact: usize) -> String {
        match self.facts[fact] {
            Fact::Holding(Kind::Device | Kind::Channel, _) => format!("p{fact}"),
            _ => format!("f{fact}"),
        }
    }
}

/// Where an action stands.
struct Scene<'a> {
    shape: Shape,
    things: &'a Things,
    kids: Vec<usize>,
    others: Vec<usize>,
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
                return *dice.pick(&self.fact_of[parent]);
            }
            if self.at + 1 < mine.len() {
                return mine[self.at + 1 + dice.below(mine.len() - self.at - 1)];
            }
        }
        let roll = dice.below(100);
        if roll < self.shape.hub {
            return *dice.pick(&self.things.hubs);
        }
        if roll < self.shape.hub + 12 && !(self.kids.is_empty() && self.others.is_empty()) {
            let near = !self.kids.is_empty() && (self.others.is_empty() || dice.chance(80));
            let from = if near { &self.kids } else { &self.others };
            let facts = &self.fact_of[*dice.pick(from)];
            // Late actions rather than early ones.
            return facts[dice.below(facts.len()).max(dice.below(facts.len()))];
        }
        if self.at > 0 && !dice.chance(25) {
            let low = self.at.saturating_sub(8);
            return mine[low + dice.below(self.at - low)];
        }
        *dice.pick(&self.things.own[self.cluster])
    }
}

fn price(ask: &Ask, estimate: &[usize]) -> usize {
    match ask {
        Ask::One(fact) | Ask::Settled(fact) => estimate[*fact],
        Ask::Some(n, of) => {
            let mut prices: Vec<usize> = of.iter().map(|&fact| estimate[fact]).collect();
            prices.sort_unstable();
            prices.iter().take(*n).sum()
        }
    }
}
