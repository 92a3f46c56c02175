//! A procedure compiled into monotone rules (DESIGN §5, rule by rule).
//!
//! The thief's system answers `never`, `attacks` and `reach`; the honest
//! customer's answers `always` and `lockout`. They differ only in what people,
//! notices and time cost, so one compiler makes both.

#![expect(
    clippy::indexing_slicing,
    reason = "every index in a checked `Procedure` is in range"
)]

use std::collections::BTreeMap;

use countersign_language::{
    Action, ActionId, EffectKind, Exposure, Expr, HoldingId, HoldingKind, Path, PathId, Procedure,
    ProofId, Requirement, RoleId, Shared, Subject, Target,
};

use crate::{
    graph::{Builder, FALSE, Graph, Node, TRUE, number},
    people::{self, Slot, total},
};

/// A path that needs more people than this is treated as one no counted number of deceived people can complete.
pub(crate) const PEOPLE_MAX: u32 = 32;

/// A path whose slots hang together, no one person fitting them all, and are for more different people than this
/// is treated likewise.
const TANGLED_MAX: usize = 10;

/// One thing that can be chosen: a compromise for the thief, a lapse of time for the customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Choice {
    /// A secret stolen, a channel hijacked, a device taken.
    Holding(HoldingId),
    /// The `nth` person (from 1) of exactly this role deceived; counts only with those before.
    Person(RoleId, u32),
    /// Nobody reads the notices.
    NoticesUnread,
    /// The wait of this path passes.
    Wait(ActionId, PathId),
    /// A changed holding settles for so many seconds.
    Settle(HoldingId, u64),
}

/// A procedure as a monotone system of facts and rules.
#[derive(Debug)]
pub struct System {
    pub(crate) graph: Graph,
    /// Everything that can be chosen, with its node.
    pub(crate) choices: Vec<(Choice, Node)>,
    pub(crate) own: Vec<Node>,
    pub(crate) new: Vec<Node>,
    pub(crate) settled: Vec<Node>,
    pub(crate) actions: Vec<Node>,
    pub(crate) losses: Vec<Node>,
    /// What each path asks, as one node, and where the paths of each action begin.
    guards: Vec<Node>,
    guards_of: Vec<u32>,
    /// What paths ask of people and take for granted.
    pub(crate) mentions: Mentions,
    /// `aged[(H, D)]`, in the honest system only.
    aged: BTreeMap<(HoldingId, u64), Node>,
    /// Some path needs so many people that no counted number of deceived people completes it here, and none needs
    /// fewer; what is said about smaller sets is exact.
    pub(crate) left_out: Option<u32>,
}

impl System {
    /// The thief's system: people must be deceived, notices suppressed, waits are only time.
    pub fn compile(procedure: &Procedure) -> Self {
        Compiler::new(procedure, false).run()
    }

    /// The thief's system with exactly these people deceived (the maximum means any number), none to choose.
    pub(crate) fn compile_with_people(
        procedure: &Procedure,
        people: &BTreeMap<RoleId, u32>,
    ) -> Self {
        let mut compiler = Compiler::new(procedure, false);
        compiler.fixed = Some(people.clone());
        compiler.run()
    }

    /// The honest customer's system: people and notices are no obstacle, waits and settling take time.
    pub fn compile_honest(procedure: &Procedure) -> Self {
        Compiler::new(procedure, true).run()
    }

    /// What each path of an action asks, as one node.
    pub(crate) fn guards(&self, action: ActionId) -> &[Node] {
        let row = &self.guards_of[action.index()..action.index() + 2];
        &self.guards[row[0] as usize..row[1] as usize]
    }

    pub(crate) fn target(&self, target: Target) -> Node {
        match target {
            Target::Loss(loss) => self.losses[loss.index()],
            Target::Action(action) => self.actions[action.index()],
        }
    }

    /// The node of one proof as a path asks for it; `FALSE` if nothing can make it.
    pub(crate) fn atom(
        &self,
        procedure: &Procedure,
        proof: ProofId,
        settled: Option<u64>,
    ) -> [Node; 2] {
        let holding = procedure.proofs[proof.index()].shows;
        let own = self.own[holding.index()];
        let changed = match settled {
            None => self.new[holding.index()],
            Some(seconds) => match self.aged.get(&(holding, seconds)) {
                Some(&aged) => aged,
                None => self.settled[holding.index()],
            },
        };
        [own, changed]
    }

    /// The number of a choice in [`System::choices`].
    pub(crate) fn choice(&self, choice: Choice) -> Option<Node> {
        self.choices
            .binary_search_by_key(&choice, |&(choice, _)| choice)
            .ok()
            .map(|index| self.choices[index].1)
    }
}

/// What all paths together mention.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Mentions {
    /// The most people that any path needs.
    pub(crate) people: u32,
    /// Some path has a `when` on a customer's attribute.
    pub(crate) attributes: bool,
    /// Some path has an `at most` or a `backup`.
    pub(crate) limits: bool,
    /// Some path waits and tells somebody.
    pub(crate) told: bool,
}

/// The people a path needs: how many of which role, ascending.
pub(crate) fn slots(path: &Path) -> Vec<(RoleId, u32)> {
    let mut slots: Vec<(RoleId, u32)> = Vec::new();
    let mut confirming: Vec<RoleId> = Vec::new();
    for line in &path.lines {
        let (role, more) = match line.requirement {
            // Lines that name one role are one person.
            Requirement::Confirms { role, .. } if !confirming.contains(&role) => {
                confirming.push(role);
                (role, 1)
            }
            Requirement::SignOff { count, role } => (role, count),
            _ => continue,
        };
        match slots.iter_mut().find(|(other, _)| *other == role) {
            Some((_, count)) => *count = count.saturating_add(more),
            None => slots.push((role, more)),
        }
    }
    slots.sort_unstable();
    slots
}

/// The channels whose owners could stop this path while it waits, ascending; `None` if it does not wait.
pub(crate) fn told(
    procedure: &Procedure,
    action: &Action,
    path: &Path,
) -> Option<Shared<HoldingId>> {
    if !path
        .lines
        .iter()
        .any(|line| matches!(line.requirement, Requirement::Wait(_)))
    {
        return None;
    }
    let mut notices = path
        .lines
        .iter()
        .filter_map(|line| match &line.requirement {
            Requirement::Notify { every, channels } => Some((*every, channels)),
            _ => None,
        });
    // Mostly one list says it all, and there may be very many channels.
    if let Some((_, every)) = notices.clone().find(|(every, _)| *every) {
        return Some(every.clone());
    }
    let changes = action
        .effects
        .iter()
        .any(|effect| matches!(effect.kind, EffectKind::Changes(_)));
    if changes {
        let all = (0..number(procedure.holdings.len()))
            .map(HoldingId)
            .filter(|channel| procedure.holdings[channel.index()].kind == HoldingKind::Channel);
        return Some(all.collect());
    }
    let Some((_, first)) = notices.next() else {
        return Some(Shared::default());
    };
    let mut channels: Vec<HoldingId> = notices.flat_map(|(_, more)| more).copied().collect();
    if channels.is_empty() {
        return Some(first.clone());
    }
    channels.extend(first);
    channels.sort_unstable();
    channels.dedup();
    Some(channels.into())
}

/// How long a path waits, in seconds. Several `wait` lines of one path pass at the same time, as at the gate.
pub(crate) fn waits(path: &Path) -> u64 {
    path.lines
        .iter()
        .map(|line| match line.requirement {
            Requirement::Wait(duration) => duration.seconds(),
            _ => 0,
        })
        .max()
        .unwrap_or(0)
}

struct Compiler<'a> {
    procedure: &'a Procedure,
    honest: bool,
    /// The people deceived, where they are not to be chosen.
    fixed: Option<BTreeMap<RoleId, u32>>,
    builder: Builder,
    choices: Vec<(Choice, Node)>,
    own: Vec<Node>,
    new: Vec<Node>,
    /// Holds with own or new.
    has: Vec<Node>,
    settled: Vec<Node>,
    aged: BTreeMap<(HoldingId, u64), Node>,
    unread: Node,
    mentions: Mentions,
    /// The people each path needs, in the order of actions and paths: a number in `crews`.
    crew_of: Vec<u32>,
    crews: Vec<Vec<(RoleId, u32)>>,
    /// The node of each crew, once it is asked for.
    crew_nodes: Vec<Option<Node>>,
    /// Nodes put by while an expression is written.
    stack: Vec<Node>,
    /// `deceived[r][j]`: at least j people of exactly this role.
    deceived: Vec<Vec<Node>>,
    crowds: BTreeMap<(Vec<RoleId>, u32), Node>,
    fillings: BTreeMap<(Vec<Slot>, u32), Option<Node>>,
    left_out: Option<u32>,
    quiet: BTreeMap<Vec<HoldingId>, Node>,
    /// Of these the longest list: mostly that of every channel, too long to be compared for every path.
    longest_quiet: Option<(Shared<HoldingId>, Node)>,
}

impl<'a> Compiler<'a> {
    fn new(procedure: &'a Procedure, honest: bool) -> Self {
        // A rule or two for each line, two for each path.
        let paths = procedure.actions.iter().flat_map(|action| &action.paths);
        let rules = paths.map(|path| 2 + path.lines.len()).sum();
        Self {
            procedure,
            honest,
            fixed: None,
            builder: Builder::new(rules),
            choices: Vec::new(),
            own: Vec::new(),
            new: Vec::new(),
            has: Vec::new(),
            settled: Vec::new(),
            aged: BTreeMap::new(),
            unread: FALSE,
            mentions: Mentions::default(),
            crew_of: Vec::new(),
            crews: Vec::new(),
            crew_nodes: Vec::new(),
            stack: Vec::new(),
            deceived: Vec::new(),
            crowds: BTreeMap::new(),
            fillings: BTreeMap::new(),
            left_out: None,
            quiet: BTreeMap::new(),
            longest_quiet: None,
        }
    }

    fn run(mut self) -> System {
        self.holdings();
        self.read_paths();
        if !self.honest {
            self.persons();
        }
        let actions: Vec<Node> = self
            .procedure
            .actions
            .iter()
            .map(|_| self.builder.node())
            .collect();
        let losses: Vec<Node> = self
            .procedure
            .losses
            .iter()
            .map(|_| self.builder.node())
            .collect();
        let mut guards = Vec::with_capacity(self.crew_of.len());
        let mut guards_of = Vec::with_capacity(actions.len() + 1);
        guards_of.push(0);
        for (index, action) in self.procedure.actions.iter().enumerate() {
            let done = actions[index];
            let id = ActionId(number(index));
            for (which, path) in action.paths.iter().enumerate() {
                let crew = self.crew_of[guards.len()];
                let guard = self.guard(id, action, PathId(number(which)), path, crew);
                self.builder.makes(guard, done);
                guards.push(guard);
            }
            guards_of.push(number(guards.len()));
            for effect in &action.effects {
                match effect.kind {
                    EffectKind::Gives(holding) => {
                        self.builder.makes(done, self.own[holding.index()]);
                    }
                    EffectKind::Changes(holding) => {
                        self.builder.makes(done, self.new[holding.index()]);
                    }
                    EffectKind::Sends { what, to } => {
                        self.builder
                            .rule(done, self.has[to.index()], self.own[what.index()]);
                    }
                    EffectKind::Loses(loss) => self.builder.makes(done, losses[loss.index()]),
                }
            }
        }
        self.choices.sort_unstable_by_key(|&(choice, _)| choice);
        System {
            graph: self.builder.finish(),
            choices: self.choices,
            own: self.own,
            new: self.new,
            settled: self.settled,
            actions,
            losses,
            guards,
            guards_of,
            mentions: self.mentions,
            aged: self.aged,
            left_out: self.left_out,
        }
    }

    fn holdings(&mut self) {
        if !self.honest {
            self.unread = self.builder.node();
            self.choices.push((Choice::NoticesUnread, self.unread));
        }
        let mut changed = vec![false; self.procedure.holdings.len()];
        for effect in self
            .procedure
            .actions
            .iter()
            .flat_map(|action| &action.effects)
        {
            if let EffectKind::Changes(holding) = effect.kind {
                changed[holding.index()] = true;
            }
        }
        for (index, holding) in self.procedure.holdings.iter().enumerate() {
            let id = HoldingId(number(index));
            let own = if holding.exposure == Exposure::Public {
                TRUE
            } else {
                let own = self.builder.node();
                if holding.kind != HoldingKind::State {
                    self.choices.push((Choice::Holding(id), own));
                }
                own
            };
            let new = if changed[index] {
                self.builder.node()
            } else {
                FALSE
            };
            let has = self.builder.any(&mut [own, new]);
            // In the honest system settling depends on how long, and is made where it is asked for.
            let settled = if self.honest {
                own
            } else {
                let unnoticed = self.builder.both(new, self.unread);
                self.builder.any(&mut [own, unnoticed])
            };
            self.own.push(own);
            self.new.push(new);
            self.has.push(has);
            self.settled.push(settled);
        }
    }

    /// What paths mention, and the crews they need: thousands of paths ask for the same few.
    fn read_paths(&mut self) {
        let mut known: BTreeMap<Vec<(RoleId, u32)>, u32> = BTreeMap::new();
        let mut crew_of = Vec::new();
        for action in &self.procedure.actions {
            for path in &action.paths {
                let (mut people, mut waits) = (false, false);
                for line in &path.lines {
                    match &line.requirement {
                        Requirement::Confirms { .. } | Requirement::SignOff { .. } => people = true,
                        Requirement::Wait(_) => waits = true,
                        Requirement::When { subject, .. } => {
                            self.mentions.attributes |= matches!(subject, Subject::Attribute(_));
                        }
                        Requirement::AtMost { .. } | Requirement::Backup { .. } => {
                            self.mentions.limits = true;
                        }
                        Requirement::Prove(_) | Requirement::Notify { .. } => {}
                    }
                }
                if waits && !self.mentions.told {
                    self.mentions.told = told(self.procedure, action, path)
                        .is_some_and(|channels| !channels.is_empty());
                }
                let slots = if people { slots(path) } else { Vec::new() };
                if let Some(&crew) = known.get(&slots) {
                    crew_of.push(crew);
                    continue;
                }
                let needed = slots.iter().map(|&(_, count)| count);
                let needed = needed.fold(0, u32::saturating_add);
                self.mentions.people = self.mentions.people.max(needed);
                crew_of.push(number(self.crews.len()));
                known.insert(slots.clone(), number(self.crews.len()));
                self.crews.push(slots);
            }
        }
        self.crew_of = crew_of;
        self.crew_nodes = vec![None; self.crews.len()];
    }

    /// Deceived people: the chain "at least one, at least two …" of each role, and what they read out.
    fn persons(&mut self) {
        let procedure = self.procedure;
        if let Some(people) = &self.fixed {
            for (holding, &own) in procedure.holdings.iter().zip(&self.own) {
                let read = people.iter().any(|(&role, &count)| {
                    count > 0 && matches!(holding.exposure, Exposure::VisibleTo(to) if procedure.role_covers(role, to))
                });
                if read {
                    self.builder.makes(TRUE, own);
                }
            }
            return;
        }
        let mut most = vec![0_u32; procedure.roles.len()];
        for slots in &self.crews {
            for (role, most) in most.iter_mut().enumerate() {
                let fits = slots
                    .iter()
                    .filter(|&&(wanted, _)| procedure.role_covers(RoleId(number(role)), wanted))
                    .fold(0_u32, |sum, &(_, count)| sum.saturating_add(count));
                *most = (*most).max(fits.min(PEOPLE_MAX));
            }
        }
        for (role, &most) in most.iter().enumerate() {
            let role = RoleId(number(role));
            let reads: Vec<Node> = procedure
                .holdings
                .iter()
                .zip(&self.own)
                .filter(|(holding, _)| matches!(holding.exposure, Exposure::VisibleTo(to) if procedure.role_covers(role, to)))
                .map(|(_, &own)| own)
                .collect();
            let most = if reads.is_empty() { most } else { most.max(1) };
            let mut chain = vec![TRUE];
            for nth in 1..=most {
                let person = self.builder.node();
                self.choices.push((Choice::Person(role, nth), person));
                let before = chain[nth as usize - 1];
                chain.push(self.builder.both(before, person));
            }
            for own in reads {
                self.builder.makes(chain[1], own);
            }
            self.deceived.push(chain);
        }
    }

    fn guard(
        &mut self,
        id: ActionId,
        action: &Action,
        path_id: PathId,
        path: &Path,
        crew: u32,
    ) -> Node {
        let from = self.stack.len();
        for line in &path.lines {
            if let Requirement::Prove(expr) = &line.requirement {
                let shown = self.expr(expr);
                self.stack.push(shown);
            }
        }
        if self.honest {
            if waits(path) > 0 {
                let passes = self.builder.node();
                self.choices.push((Choice::Wait(id, path_id), passes));
                self.stack.push(passes);
            }
        } else {
            let crew = self.crew_node(crew);
            self.stack.push(crew);
            if let Some(channels) = told(self.procedure, action, path) {
                let unstopped = self.unstopped(channels);
                self.stack.push(unstopped);
            }
        }
        self.taken(from, Builder::all)
    }

    fn expr(&mut self, expr: &Expr) -> Node {
        match expr {
            Expr::Atom { proof, settled, .. } => {
                let holding = self.procedure.proofs[proof.index()].shows;
                match settled {
                    None => self.has[holding.index()],
                    Some(duration) if self.honest => self.aged(holding, duration.seconds()),
                    Some(_) => self.settled[holding.index()],
                }
            }
            Expr::And(of) => {
                let from = self.parts(of);
                self.taken(from, Builder::all)
            }
            Expr::Or(of) => {
                let from = self.parts(of);
                self.taken(from, Builder::any)
            }
            Expr::NOf { n, of } => {
                let from = self.parts(of);
                self.taken(from, |builder, nodes| builder.at_least(*n as usize, nodes))
            }
        }
    }

    /// Puts the nodes of these on the stack; returns where they begin.
    fn parts(&mut self, of: &[Expr]) -> usize {
        let from = self.stack.len();
        for part in of {
            let node = self.expr(part);
            self.stack.push(node);
        }
        from
    }

    /// Takes what lies on the stack from there on and makes one node of it.
    fn taken(&mut self, from: usize, of: impl FnOnce(&mut Builder, &mut [Node]) -> Node) -> Node {
        let node = of(&mut self.builder, &mut self.stack[from..]);
        self.stack.truncate(from);
        node
    }

    /// The customer's own holding, or the changed one once it has settled.
    fn aged(&mut self, holding: HoldingId, seconds: u64) -> Node {
        let (own, new) = (self.own[holding.index()], self.new[holding.index()]);
        if new == FALSE || own == TRUE {
            return own;
        }
        if let Some(&node) = self.aged.get(&(holding, seconds)) {
            return node;
        }
        let passes = self.builder.node();
        self.choices
            .push((Choice::Settle(holding, seconds), passes));
        let changed = self.builder.both(new, passes);
        let node = self.builder.any(&mut [own, changed]);
        self.aged.insert((holding, seconds), node);
        node
    }

    /// Nobody who is told can stop it: each of their channels is owned, or nobody reads.
    fn unstopped(&mut self, channels: Shared<HoldingId>) -> Node {
        if let Some((longest, node)) = &self.longest_quiet
            && longest.is_the_same_as(&channels)
        {
            return *node;
        }
        let node = if let Some(node) = self.quiet.get(&channels[..]) {
            *node
        } else {
            let mut owned: Vec<Node> = channels
                .iter()
                .map(|channel| self.own[channel.index()])
                .collect();
            let owned = self.builder.all(&mut owned);
            let node = self.builder.any(&mut [owned, self.unread]);
            self.quiet.insert(channels.to_vec(), node);
            node
        };
        let longest = self
            .longest_quiet
            .as_ref()
            .map_or(0, |(list, _)| list.len());
        if channels.len() >= longest {
            self.longest_quiet = Some((channels, node));
        }
        node
    }

    /// The deceived people can fill these slots, each person one slot.
    fn crew_node(&mut self, crew: u32) -> Node {
        if let Some(node) = self.crew_nodes[crew as usize] {
            return node;
        }
        let slots = self.crews[crew as usize].clone();
        let node = if slots.is_empty() {
            TRUE
        } else {
            self.crew(&slots)
        };
        self.crew_nodes[crew as usize] = Some(node);
        node
    }

    fn crew(&mut self, slots: &[(RoleId, u32)]) -> Node {
        let wanted: Vec<Slot> = slots
            .iter()
            .map(|&(wanted, count)| Slot {
                fits: (0..number(self.procedure.roles.len()))
                    .map(RoleId)
                    .filter(|&role| self.procedure.role_covers(role, wanted))
                    .collect(),
                count,
            })
            .collect();
        let all = total(&wanted);
        if let Some(people) = &self.fixed {
            if people::most_filled(&wanted, people) >= all {
                TRUE
            } else {
                FALSE
            }
        } else {
            let node = if all > PEOPLE_MAX {
                None
            } else {
                self.filled(wanted, all)
            };
            if node.is_none() {
                self.left_out = Some(self.left_out.map_or(all, |least| least.min(all)));
            }
            node.unwrap_or(FALSE)
        }
    }

    /// Deceived people can fill at least so many of these slots; nothing if that cannot be written down.
    ///
    /// Slots that no role has in common are filled apart from each other. A
    /// person who fits all of them fills whatever is left over by the others,
    /// so people are counted instead of assigned; where roles form a tree,
    /// nothing else is needed. For the rest, Hall's condition (in Ore's form):
    /// at most as many slots stay empty as some group has more slots than
    /// people who fit one of them.
    fn filled(&mut self, slots: Vec<Slot>, at_least: u32) -> Option<Node> {
        if at_least == 0 {
            return Some(TRUE);
        }
        let slots = people::tidy(slots);
        if at_least > total(&slots) {
            return Some(FALSE);
        }
        if let [slot] = slots.as_slice() {
            return Some(self.crowd(&slot.fits, at_least));
        }
        let key = (slots, at_least);
        if let Some(&node) = self.fillings.get(&key) {
            return node;
        }
        let slots = &key.0;
        let (near, far) = people::apart(slots);
        let mut ways = Vec::new();
        let mut written = true;
        if far.is_empty() {
            let everywhere = people::everywhere(slots);
            if everywhere.is_empty() {
                written = slots.len() <= TANGLED_MAX;
                if written {
                    ways.push(self.tangled(slots, at_least));
                }
            } else {
                let rest = people::without(slots, &everywhere);
                for count in 0..=at_least {
                    match self.filled(rest.clone(), at_least - count) {
                        Some(FALSE) => {}
                        Some(others) => {
                            let these = self.crowd(&everywhere, count);
                            ways.push(self.builder.both(these, others));
                        }
                        None => written = false,
                    }
                }
            }
        } else {
            let most = total(&near).min(at_least);
            for count in at_least.saturating_sub(total(&far))..=most {
                let these = self.filled(near.clone(), count);
                let others = self.filled(far.clone(), at_least - count);
                match (these, others) {
                    (Some(these), Some(others)) => ways.push(self.builder.both(these, others)),
                    _ => written = false,
                }
            }
        }
        let node = written.then(|| self.builder.any(&mut ways));
        self.fillings.insert(key, node);
        node
    }

    /// Hall's condition, group by group of slots.
    fn tangled(&mut self, slots: &[Slot], at_least: u32) -> Node {
        let empty = total(slots) - at_least;
        let mut asked = Vec::new();
        for group in 1..1_u32 << slots.len() {
            let (mut who, mut count) = (Vec::new(), 0);
            for (place, slot) in slots.iter().enumerate() {
                if group >> place & 1 == 1 {
                    who.extend(&slot.fits);
                    count += slot.count;
                }
            }
            who.sort_unstable();
            who.dedup();
            if count > empty {
                asked.push(self.crowd(&who, count - empty));
            }
        }
        self.builder.all(&mut asked)
    }

    /// At least `need` deceived people of these roles together.
    fn crowd(&mut self, who: &[RoleId], need: u32) -> Node {
        if need > PEOPLE_MAX {
            return FALSE;
        }
        let Some((&last, others)) = who.split_last() else {
            return if need == 0 { TRUE } else { FALSE };
        };
        let key = (who.to_vec(), need);
        if let Some(&node) = self.crowds.get(&key) {
            return node;
        }
        let chain = self.deceived[last.index()].clone();
        let mut ways = Vec::new();
        for of_last in 0..=need.min(number(chain.len()) - 1) {
            let rest = self.crowd(others, need - of_last);
            let with = self.builder.both(chain[of_last as usize], rest);
            ways.push(with);
        }
        let node = self.builder.any(&mut ways);
        self.crowds.insert(key, node);
        node
    }
}
