//! A tree to a checked [`Procedure`]: every name looked up, every part made sure of.

mod action;
mod drill;
mod gate;
mod promise;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::codes::{self, Code};
use crate::findings::Findings;
use crate::lexer::abbreviated;
use crate::lint::{self, Reach};
use crate::model::{
    ActionId, Exposure, Holding, HoldingId, HoldingKind, Loss, LossId, Method, Procedure, Proof,
    ProofId, Role, RoleId, Shared, Span, Version,
};
use crate::parser::Outline;
use crate::refused;
use crate::suggest::nearest;
use crate::tree::{ActionNode, ExposureNode, Item, ItemKind, Symbol, Tree, Word, Words};
use crate::twin::Digest;

/// More roles than this are refused; sets of roles then fit one machine word everywhere.
pub const MOST_ROLES: usize = 64;
/// All `notify` lines of a file together may name this many channels once `every channel` is written out.
const MOST_NOTICES: usize = 16_000_000;
/// Names compared, over the whole file, to find the one that was meant.
const MOST_COMPARISONS: usize = 4_000_000;

/// Resolves and checks; what is returned is only there if no error was found.
pub(crate) fn resolve(tree: &Tree, findings: &mut Findings) -> Option<Procedure> {
    let mut work = Work::new(&tree.words, &tree.items, std::iter::empty(), findings);
    for item in &tree.items {
        if let ItemKind::Action(node) = &item.kind {
            work.action(node, item.span);
        }
    }
    work.finish(&tree.items)
}

/// The same without a tree of the whole file. Nothing if there is an error anywhere: reading the
/// file in one go says which. Warnings of the outline's own stay where the outline puts them.
pub(crate) fn resolve_outline(
    mut outline: Outline<'_, '_>,
    findings: &mut Findings,
) -> Option<Procedure> {
    let between = Words::default();
    let mut work =
        Work::new(outline.words(), &outline.items, outline.names(), findings).over(&between);
    while let Some((node, span)) = outline.next().ok()? {
        let mut here = work.over(outline.words());
        here.action(&node, span);
        work = here.over(&between);
    }
    work.over(outline.words()).finish(&outline.items)
}

/// Everything that is done to an action is done while it is at hand: in a
/// procedure that is larger than the processor's caches, going over it again
/// costs as much as the work itself.
struct Work<'t, 'f> {
    resolver: Resolver<'t, 'f>,
    version: Digest,
    lints: Findings,
    reach: Reach,
}

impl<'t, 'f> Work<'t, 'f> {
    fn new(
        words: &'t Words,
        items: &[Item],
        actions: impl Iterator<Item = Word>,
        findings: &'f mut Findings,
    ) -> Self {
        let mut resolver = Resolver::new(words, findings);
        resolver.before_actions(items, actions);
        let mut lints = Findings::default();
        if resolver.findings.errors() == 0 {
            lint::before_actions(&resolver.procedure, &mut lints);
        }
        Self {
            reach: Reach::new(&resolver.procedure),
            resolver,
            version: Digest::new(),
            lints,
        }
    }

    /// The same work with words that have become more.
    fn over<'w>(self, words: &'w Words) -> Work<'w, 'f> {
        Work {
            resolver: self.resolver.over(words),
            version: self.version,
            lints: self.lints,
            reach: self.reach,
        }
    }

    fn action(&mut self, node: &ActionNode, item: Span) {
        let Some(action) = self.resolver.action(node, item) else {
            return;
        };
        if self.resolver.findings.errors() == 0 {
            self.version.action(self.resolver.words, node);
            lint::action(&self.resolver.procedure, &action, &mut self.lints);
            self.reach.first(&self.resolver.procedure, &action);
        }
        self.resolver.procedure.actions.push(action);
    }

    /// Takes all items or only those that are no actions.
    fn finish(mut self, items: &[Item]) -> Option<Procedure> {
        for item in items {
            match &item.kind {
                ItemKind::Promise(node) => self.resolver.promise(node, item.span),
                ItemKind::Drill(node) => self.resolver.drill(node, item.span),
                _ => {}
            }
        }
        let Resolver {
            words,
            findings,
            mut procedure,
            ..
        } = self.resolver;
        if findings.errors() > 0 {
            return None;
        }
        lint::after_actions(&procedure, self.reach, &mut self.lints);
        findings.append(self.lints);
        procedure.version = self.version.finish(words, items);
        Some(procedure)
    }
}

struct Resolver<'t, 'f> {
    words: &'t Words,
    findings: &'f mut Findings,
    /// Holdings and proofs.
    things: Names<Thing>,
    roles: Names<RoleId>,
    /// Losses and actions.
    outcomes: Names<Outcome>,
    /// The implied proof of each holding.
    implied: Vec<Option<ProofId>>,
    /// The first declared proof of each holding, for advice.
    shown_by: BTreeMap<HoldingId, ProofId>,
    /// Every channel, ascending.
    channels: Shared<HoldingId>,
    /// Every role, ascending.
    every_role: Shared<RoleId>,
    notices: usize,
    comparisons: usize,
    procedure: Procedure,
}

/// What is declared under each name of one kind.
struct Names<T> {
    /// By symbol: one more than the place in `declared`, or zero.
    places: Vec<u32>,
    declared: Vec<Declared<T>>,
}

#[derive(Debug, Clone, Copy)]
struct Declared<T> {
    what: T,
    at: Span,
}

#[derive(Debug, Clone, Copy)]
enum Thing {
    Holding(HoldingId, HoldingKind),
    Proof(ProofId),
}

#[derive(Debug, Clone, Copy)]
enum Outcome {
    Loss(LossId),
    Action(ActionId),
}

impl<'t, 'f> Resolver<'t, 'f> {
    fn new(words: &'t Words, findings: &'f mut Findings) -> Self {
        Self {
            words,
            findings,
            things: Names::default(),
            roles: Names::default(),
            outcomes: Names::default(),
            implied: Vec::new(),
            shown_by: BTreeMap::new(),
            channels: Shared::default(),
            every_role: Shared::default(),
            notices: 0,
            comparisons: 0,
            procedure: Procedure {
                organisation: String::new(),
                roles: Vec::new(),
                holdings: Vec::new(),
                proofs: Vec::new(),
                losses: Vec::new(),
                actions: Vec::new(),
                promises: Vec::new(),
                drills: Vec::new(),
                version: Version([0; 32]),
            },
        }
    }

    fn over<'w>(self, words: &'w Words) -> Resolver<'w, 'f> {
        Resolver {
            words,
            findings: self.findings,
            things: self.things,
            roles: self.roles,
            outcomes: self.outcomes,
            implied: self.implied,
            shown_by: self.shown_by,
            channels: self.channels,
            every_role: self.every_role,
            notices: self.notices,
            comparisons: self.comparisons,
            procedure: self.procedure,
        }
    }

    /// Everything but actions and promises, which use what is declared here: by the items, and
    /// by the names of actions that are not among them.
    fn before_actions(&mut self, items: &[Item], actions: impl Iterator<Item = Word>) {
        self.declare(items, actions);
        self.organisation(items);
        self.roles(items);
        self.holdings(items);
        self.proofs(items);
        // More roles than that were reported; writing them out for every action would cost too much.
        let roles = self.procedure.roles.len().min(MOST_ROLES);
        self.every_role = (0..roles).map(|role| RoleId(index(role))).collect();
    }

    /// Gives every declared name its number, so that it can be used before it is declared.
    fn declare(&mut self, items: &[Item], elsewhere: impl Iterator<Item = Word>) {
        let words = self.words;
        let (mut roles, mut holdings, mut proofs, mut losses, mut actions) = (0, 0, 0, 0, 0);
        // Implied proofs come first, so that the order does not depend on how
        // declarations of different kinds are mixed in the file.
        let mut implied = 0;
        for item in items {
            if let ItemKind::Holding {
                kind: HoldingKind::Secret | HoldingKind::State,
                name,
                ..
            } = &item.kind
                && !name.is_missing()
            {
                implied += 1;
            }
        }
        for item in items {
            match &item.kind {
                ItemKind::Staff { name, .. } if !name.is_missing() => {
                    let id = RoleId(take(&mut roles));
                    insert(&mut self.roles, *name, id, words, self.findings);
                }
                ItemKind::Holding { kind, name, .. } if !name.is_missing() => {
                    let id = HoldingId(take(&mut holdings));
                    insert(
                        &mut self.things,
                        *name,
                        Thing::Holding(id, *kind),
                        words,
                        self.findings,
                    );
                }
                ItemKind::Proof { name, .. } if !name.is_missing() => {
                    let id = ProofId(implied + take(&mut proofs));
                    insert(
                        &mut self.things,
                        *name,
                        Thing::Proof(id),
                        words,
                        self.findings,
                    );
                }
                ItemKind::Loss { name, .. } if !name.is_missing() => {
                    let id = Outcome::Loss(LossId(take(&mut losses)));
                    insert(&mut self.outcomes, *name, id, words, self.findings);
                }
                ItemKind::Action(action) if !action.name.is_missing() => {
                    let id = Outcome::Action(ActionId(take(&mut actions)));
                    insert(&mut self.outcomes, action.name, id, words, self.findings);
                }
                _ => {}
            }
        }
        for name in elsewhere {
            let id = Outcome::Action(ActionId(take(&mut actions)));
            insert(&mut self.outcomes, name, id, words, self.findings);
        }
    }

    fn organisation(&mut self, items: &[Item]) {
        let mut said: Option<Span> = None;
        for item in items {
            let ItemKind::Organisation { label } = &item.kind else {
                continue;
            };
            match said {
                None => self.procedure.organisation = self.text(*label),
                Some(first) => {
                    if let Some(finding) =
                        self.findings.add(codes::REPEATED_CLAUSE, item.span, || {
                            "`organisation` is said twice".to_owned()
                        })
                    {
                        finding
                            .also(first, "first here")
                            .help("a procedure belongs to one organisation; leave one out");
                    }
                }
            }
            said = said.or(Some(item.span));
        }
        if said.is_none() {
            let start = items.first().map_or(Span::default(), |item| Span {
                end: item.span.start,
                ..item.span
            });
            if let Some(finding) = self.findings.add(codes::MISSING_ORGANISATION, start, || {
                "nothing says whose procedure this is".to_owned()
            }) {
                finding.help("begin the file with the name customers know you by: `organisation \"Acme Hosting\"`");
            }
        }
    }

    fn roles(&mut self, items: &[Item]) {
        let mut direct: Vec<&[Word]> = Vec::new();
        for item in items {
            let ItemKind::Staff {
                name,
                label,
                includes,
            } = &item.kind
            else {
                continue;
            };
            if name.is_missing() {
                continue;
            }
            if direct.len() == MOST_ROLES
                && let Some(finding) = self.findings.add(codes::TOO_MANY_ROLES, name.span, || {
                    format!("this is one role more than {MOST_ROLES}")
                })
            {
                finding.help("roles are levels of trust, not job titles; give people who may do the same one role");
            }
            self.procedure.roles.push(Role {
                name: self.text(*name),
                label: self.text(*label),
                includes: Vec::new(),
                span: header(item.span, *label),
            });
            direct.push(includes);
        }
        let edges: Vec<Vec<(RoleId, Span)>> = direct
            .iter()
            .map(|includes| {
                includes
                    .iter()
                    .filter_map(|word| Some((self.role(*word)?, word.span)))
                    .collect()
            })
            .collect();
        if edges.len() > MOST_ROLES {
            return;
        }
        for start in 0..edges.len() {
            let mut seen = vec![false; edges.len()];
            let mut next = vec![start];
            while let Some(role) = next.pop() {
                for &(included, place) in edges.get(role).into_iter().flatten() {
                    let index = included.index();
                    if index == start {
                        // Reported once, where this role's own line closes the circle.
                        if role >= start {
                            self.includes_itself(start, place);
                        }
                    } else if let Some(flag) = seen.get_mut(index)
                        && !*flag
                    {
                        *flag = true;
                        next.push(index);
                    }
                }
            }
            if let Some(role) = self.procedure.roles.get_mut(start) {
                role.includes = ids(&seen, RoleId);
            }
        }
    }

    fn includes_itself(&mut self, role: usize, place: Span) {
        let name = self
            .procedure
            .roles
            .get(role)
            .map_or("", |role| role.name.as_str())
            .to_owned();
        if let Some(finding) = self.findings.add(codes::INCLUDES_ITSELF, place, || {
            format!("`{name}` includes itself, by way of this")
        }) {
            finding.help("let the role with more trust include the one with less, and not the other way round");
        }
    }

    fn holdings(&mut self, items: &[Item]) {
        let mut implied = Vec::new();
        let mut channels = Vec::new();
        for item in items {
            let ItemKind::Holding {
                kind,
                name,
                label,
                using,
                exposure,
            } = &item.kind
            else {
                continue;
            };
            if name.is_missing() {
                continue;
            }
            let id = HoldingId(index(self.procedure.holdings.len()));
            let using = using.and_then(|word| self.method(word));
            let exposure = match exposure {
                ExposureNode::Hidden => Exposure::Hidden,
                ExposureNode::Public => Exposure::Public,
                ExposureNode::VisibleTo(role) => self
                    .role(*role)
                    .map_or(Exposure::Hidden, Exposure::VisibleTo),
            };
            let holding = Holding {
                name: self.text(*name),
                label: self.text(*label),
                kind: *kind,
                using,
                exposure,
                span: header(item.span, *label),
            };
            if *kind == HoldingKind::Channel {
                channels.push(id);
            }
            if matches!(kind, HoldingKind::Secret | HoldingKind::State) {
                self.implied.push(Some(ProofId(index(implied.len()))));
                implied.push(Proof {
                    name: holding.name.clone(),
                    label: holding.label.clone(),
                    shows: id,
                    using,
                    implied: true,
                    span: holding.span,
                });
            } else {
                self.implied.push(None);
            }
            self.procedure.holdings.push(holding);
        }
        self.channels = channels.into();
        self.procedure.proofs = implied;
    }

    fn proofs(&mut self, items: &[Item]) {
        for item in items {
            let ItemKind::Proof {
                name,
                label,
                shows,
                using,
            } = &item.kind
            else {
                continue;
            };
            if name.is_missing() {
                continue;
            }
            let shows = self.holding(*shows).map_or(HoldingId(0), |(id, _)| id);
            let using = self.method(*using);
            let id = ProofId(index(self.procedure.proofs.len()));
            self.shown_by.entry(shows).or_insert(id);
            self.procedure.proofs.push(Proof {
                name: self.text(*name),
                label: self.text(*label),
                shows,
                using,
                implied: false,
                span: header(item.span, *label),
            });
        }
        for item in items {
            let ItemKind::Loss { name, label } = &item.kind else {
                continue;
            };
            if !name.is_missing() {
                self.procedure.losses.push(Loss {
                    name: self.text(*name),
                    label: self.text(*label),
                    span: header(item.span, *label),
                });
            }
        }
    }

    // Looking names up. A missing word was reported when it was read.

    fn text(&self, word: Word) -> String {
        self.words.text(word).to_owned()
    }

    fn role(&mut self, word: Word) -> Option<RoleId> {
        if word.is_missing() {
            return None;
        }
        if let Some(role) = self.roles.get(word.symbol) {
            return Some(role.what);
        }
        let name = self.words.text(word);
        if refused::is_requester(name) {
            if let Some(finding) = self.findings.add(codes::NO_SELF_APPROVAL, word.span, || {
                format!("`{name}` cannot stand for a member of staff")
            }) {
                finding.help(refused::INSTEAD_OF_SELF_APPROVAL);
            }
            return None;
        }
        self.unknown(word, "staff role", |resolver| &resolver.roles);
        None
    }

    fn holding(&mut self, word: Word) -> Option<(HoldingId, HoldingKind)> {
        self.holding_for(word, "holding")
    }

    /// A holding where a `wanted` must stand.
    fn holding_for(&mut self, word: Word, wanted: &str) -> Option<(HoldingId, HoldingKind)> {
        if word.is_missing() {
            return None;
        }
        match self.things.get(word.symbol) {
            Some(Declared {
                what: Thing::Holding(id, kind),
                ..
            }) => Some((id, kind)),
            Some(Declared {
                what: Thing::Proof(id),
                at,
            }) => {
                let shown = self
                    .procedure
                    .proofs
                    .get(id.index())
                    .map(|proof| proof.shows);
                let holding = shown
                    .and_then(|id| self.procedure.holdings.get(id.index()))
                    .map(|holding| holding.name.clone());
                self.wrong_kind(
                    word,
                    at,
                    "a proof",
                    &format!("a {wanted}"),
                    holding.map(|name| format!("name what it shows: `{name}`")),
                );
                None
            }
            None => {
                self.unknown(word, wanted, |resolver| &resolver.things);
                None
            }
        }
    }

    fn channel(&mut self, word: Word) -> Option<HoldingId> {
        let (id, kind) = self.holding_for(word, "channel")?;
        if kind == HoldingKind::Channel {
            return Some(id);
        }
        let declared = self
            .things
            .get(word.symbol)
            .map_or(word.span, |declared| declared.at);
        self.wrong_kind(
            word,
            declared,
            &format!("a {}", kind.as_str()),
            "a channel",
            None,
        );
        None
    }

    fn method(&mut self, word: Word) -> Option<Method> {
        if word.is_missing() {
            return None;
        }
        let name = self.words.text(word);
        if let Some(method) = Method::named(name) {
            return Some(method);
        }
        if refused::is_question(name) {
            if let Some(finding) = self
                .findings
                .add(codes::NO_SECURITY_QUESTION, word.span, || {
                    "there are no security questions: others can look up or guess the answer"
                        .to_owned()
                })
            {
                finding.help(refused::INSTEAD_OF_A_QUESTION);
            }
            return None;
        }
        if let Some(finding) = self.findings.add(codes::UNKNOWN_METHOD, word.span, || {
            format!("there is no method called `{}`", abbreviated(name))
        }) {
            let meant = match name {
                "sms" => Some("text"),
                "email" | "e-mail" => Some("mail"),
                "webauthn" | "fido" | "fido2" => Some("passkey"),
                "otp" | "authenticator" | "app" => Some("totp"),
                _ => nearest(name, Method::ALL.map(Method::as_str)),
            };
            finding.help(if let Some(near) = meant {
                format!("did you mean `{near}`?")
            } else {
                let mut help = "methods are ".to_owned();
                for (n, method) in Method::ALL.iter().enumerate() {
                    let _ = write!(
                        help,
                        "{}`{}`",
                        if n == 0 { "" } else { ", " },
                        method.as_str()
                    );
                }
                help
            });
        }
        None
    }

    fn wrong_kind(
        &mut self,
        word: Word,
        declared: Span,
        is: &str,
        wanted: &str,
        help: Option<String>,
    ) {
        let name = self.words.text(word);
        if let Some(finding) = self.findings.add(codes::WRONG_KIND, word.span, || {
            format!("`{}` is {is}, not {wanted}", abbreviated(name))
        }) {
            finding.also(declared, "declared here");
            if let Some(help) = help {
                finding.help(help);
            }
        }
    }

    /// Says that no such thing is declared, or that it is something else.
    fn unknown<T>(&mut self, word: Word, what: &str, table: impl Fn(&Self) -> &Names<T>) {
        let elsewhere = self
            .roles
            .get(word.symbol)
            .map(|role| ("a staff role", role.at))
            .or_else(|| {
                self.things.get(word.symbol).map(|thing| match thing.what {
                    Thing::Holding(_, kind) => (kind.with_article(), thing.at),
                    Thing::Proof(_) => ("a proof", thing.at),
                })
            })
            .or_else(|| {
                self.outcomes
                    .get(word.symbol)
                    .map(|outcome| match outcome.what {
                        Outcome::Loss(_) => ("a loss", outcome.at),
                        Outcome::Action(_) => ("an action", outcome.at),
                    })
            });
        if let Some((is, declared)) = elsewhere {
            self.wrong_kind(word, declared, is, &format!("a {what}"), None);
            return;
        }
        let name = self.words.text(word);
        let near = self.nearest_name(name, table);
        if let Some(finding) = self.findings.add(codes::UNKNOWN_NAME, word.span, || {
            format!("no {what} is called `{}`", abbreviated(name))
        }) {
            finding.help(match near {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("declare it, or use a {what} that is declared"),
            });
        }
    }

    fn nearest_name<T>(
        &mut self,
        name: &str,
        table: impl Fn(&Self) -> &Names<T>,
    ) -> Option<String> {
        self.comparisons += table(self).places.len();
        if self.comparisons > MOST_COMPARISONS {
            return None;
        }
        let names = table(self).symbols().map(|symbol| self.words.get(symbol));
        nearest(name, names).map(ToOwned::to_owned)
    }

    fn error(&mut self, code: Code, place: Span, message: impl FnOnce() -> String, help: &str) {
        if let Some(finding) = self.findings.add(code, place, message) {
            finding.help(help);
        }
    }
}

/// From the start of a declaration to the end of its label: what is worth underlining.
fn header(item: Span, label: Word) -> Span {
    Span {
        start: item.start,
        end: label.span.end.clamp(item.start, item.end.max(item.start)),
    }
}

impl<T> Default for Names<T> {
    fn default() -> Self {
        Self {
            places: Vec::new(),
            declared: Vec::new(),
        }
    }
}

impl<T: Copy> Names<T> {
    fn get(&self, symbol: Symbol) -> Option<Declared<T>> {
        let place = self.places.get(symbol.index())?.checked_sub(1)?;
        self.declared.get(place as usize).copied()
    }
}

impl<T> Names<T> {
    /// The names, in the order in which they were first mentioned.
    fn symbols(&self) -> impl Iterator<Item = Symbol> {
        self.places
            .iter()
            .enumerate()
            .filter(|(_, place)| **place != 0)
            .map(|(symbol, _)| Symbol::at(symbol))
    }
}

fn insert<T: Copy>(
    names: &mut Names<T>,
    name: Word,
    what: T,
    words: &Words,
    findings: &mut Findings,
) {
    if let Some(first) = names.get(name.symbol) {
        duplicate(name, first.at, words, findings);
        return;
    }
    if names.places.len() <= name.symbol.index() {
        names.places.resize(name.symbol.index() + 1, 0);
    }
    names.declared.push(Declared {
        what,
        at: name.span,
    });
    if let Some(place) = names.places.get_mut(name.symbol.index()) {
        *place = index(names.declared.len());
    }
}

fn duplicate(name: Word, first: Span, words: &Words, findings: &mut Findings) {
    if let Some(finding) = findings.add(codes::DUPLICATE_NAME, name.span, || {
        format!("`{}` is declared twice", abbreviated(words.text(name)))
    }) {
        finding
            .also(first, "first here")
            .help("give one of them another name");
    }
}

fn take(counter: &mut u32) -> u32 {
    let taken = *counter;
    *counter += 1;
    taken
}

/// INVARIANT: there are fewer things than bytes in the file, which is at most `read::LARGEST` long.
fn index(position: usize) -> u32 {
    u32::try_from(position).unwrap_or(u32::MAX)
}

fn ids<T>(flags: &[bool], make: impl Fn(u32) -> T) -> Vec<T> {
    flags
        .iter()
        .enumerate()
        .filter(|(_, flag)| **flag)
        .map(|(position, _)| make(index(position)))
        .collect()
}
