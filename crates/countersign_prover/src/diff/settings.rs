//! Declarations and paths that exist in both versions, line by line.
//!
//! A line is called weaker only where that is certain: less time, fewer people, a shorter list of who is told, an
//! expression that the old one implies and that does not imply it. All else is only different.

use std::collections::{BTreeMap, BTreeSet};

use countersign_language::{
    Action, BackupGrade, Comparison, EffectKind, Exposure, Expr, Path, Procedure, Requirement,
    Scope, SentencePart, Span, Subject, Value,
};

use super::{Diff, Difference};
use crate::{
    length,
    system::{told, waits},
};

/// Proofs in one path up to which two expressions are compared by trying all of three states of each.
const PROOFS_MAX: usize = 9;

/// Compares what both versions declare, and names what only one does.
pub(super) fn compare(old: &Procedure, new: &Procedure, diff: &mut Diff) {
    holdings(old, new, diff);
    roles(old, new, diff);
    for action in &new.actions {
        if old.action_named(&action.name).is_none() {
            push(
                &mut diff.changed,
                format!("`{}` is new: {}", action.name, action.label),
                None,
                Some(action.span),
            );
        }
    }
    for action in &old.actions {
        let Some(same) = new
            .action_named(&action.name)
            .and_then(|id| new.actions.get(id.index()))
        else {
            push(
                &mut diff.changed,
                format!("`{}` is gone: {}", action.name, action.label),
                Some(action.span),
                None,
            );
            continue;
        };
        words(old, new, action, same, diff);
        for path in &same.paths {
            if !action.paths.iter().any(|other| other.name == path.name) {
                let text = format!("`{}` has one more way, path `{}`", action.name, path.name);
                push(&mut diff.changed, text, None, Some(path.span));
            }
        }
        for path in &action.paths {
            match same.paths.iter().find(|other| other.name == path.name) {
                None => {
                    let text = format!("`{}` has lost the path `{}`", action.name, path.name);
                    push(&mut diff.changed, text, Some(path.span), None);
                }
                Some(other) => Paths {
                    old: (old, action, path),
                    new: (new, same, other),
                }
                .compare(diff),
            }
        }
    }
}

fn push(into: &mut Vec<Difference>, text: String, old: Option<Span>, new: Option<Span>) {
    into.push(Difference {
        text,
        old,
        new,
        attack: None,
    });
}

fn holdings(old: &Procedure, new: &Procedure, diff: &mut Diff) {
    for was in &old.holdings {
        let Some(is) = new
            .holding_named(&was.name)
            .and_then(|id| new.holdings.get(id.index()))
        else {
            let text = format!("`{}` is no longer in the procedure", was.name);
            push(&mut diff.changed, text, Some(was.span), None);
            continue;
        };
        let (before, now) = (exposed(old, was.exposure), exposed(new, is.exposure));
        if before != now {
            let text = format!("`{}` was {before} and is {now}", was.name);
            let into = match (was.exposure, is.exposure) {
                (Exposure::Hidden, _) | (Exposure::VisibleTo(_), Exposure::Public) => {
                    &mut diff.weaker
                }
                (_, Exposure::Hidden) | (Exposure::Public, Exposure::VisibleTo(_)) => {
                    &mut diff.stronger
                }
                _ => &mut diff.changed,
            };
            push(into, text, Some(was.span), Some(is.span));
        }
        if was.kind != is.kind {
            let text = format!(
                "`{}` was a {} and is a {}",
                was.name,
                was.kind.as_str(),
                is.kind.as_str()
            );
            push(&mut diff.changed, text, Some(was.span), Some(is.span));
        }
    }
    for is in &new.holdings {
        if old.holding_named(&is.name).is_none() {
            let text = format!("`{}` is new: {}", is.name, is.label);
            push(&mut diff.changed, text, None, Some(is.span));
        }
    }
    for was in &old.proofs {
        let Some(is) = new
            .proof_named(&was.name)
            .and_then(|id| new.proofs.get(id.index()))
        else {
            continue;
        };
        let shows = |procedure: &Procedure, proof: &countersign_language::Proof| {
            procedure
                .holdings
                .get(proof.shows.index())
                .map(|holding| holding.name.clone())
        };
        if was.using != is.using || shows(old, was) != shows(new, is) {
            let text = format!(
                "`{}` is shown in another way, or shows another thing",
                was.name
            );
            push(&mut diff.changed, text, Some(was.span), Some(is.span));
        }
    }
}

fn exposed(procedure: &Procedure, exposure: Exposure) -> String {
    match exposure {
        Exposure::Hidden => "visible to nobody".to_owned(),
        Exposure::Public => "public".to_owned(),
        Exposure::VisibleTo(role) => format!("visible to `{}`", role_name(procedure, role)),
    }
}

fn role_name(procedure: &Procedure, role: countersign_language::RoleId) -> &str {
    procedure
        .roles
        .get(role.index())
        .map_or("", |role| role.name.as_str())
}

fn roles(old: &Procedure, new: &Procedure, diff: &mut Diff) {
    let includes = |procedure: &Procedure, role: &countersign_language::Role| -> BTreeSet<String> {
        role.includes
            .iter()
            .map(|&id| role_name(procedure, id).to_owned())
            .collect()
    };
    for was in &old.roles {
        let Some(is) = new
            .role_named(&was.name)
            .and_then(|id| new.roles.get(id.index()))
        else {
            let text = format!("the role `{}` is gone", was.name);
            push(&mut diff.changed, text, Some(was.span), None);
            continue;
        };
        let (before, now) = (includes(old, was), includes(new, is));
        for more in now.difference(&before) {
            let text = format!("`{}` may now act as `{more}`", was.name);
            push(&mut diff.weaker, text, Some(was.span), Some(is.span));
        }
        for less in before.difference(&now) {
            let text = format!("`{}` may no longer act as `{less}`", was.name);
            push(&mut diff.stronger, text, Some(was.span), Some(is.span));
        }
    }
    for is in &new.roles {
        if old.role_named(&is.name).is_none() {
            let text = format!("the role `{}` is new", is.name);
            push(&mut diff.changed, text, None, Some(is.span));
        }
    }
}

/// What an action says, does and is run by.
fn words(old: &Procedure, new: &Procedure, was: &Action, is: &Action, diff: &mut Diff) {
    let spans = (Some(was.span), Some(is.span));
    let name = &was.name;
    let mut changed = |text: String| push(&mut diff.changed, text, spans.0, spans.1);
    if sentence(was) != sentence(is) {
        changed(format!(
            "`{name}` says “{}”, before “{}”",
            sentence(is),
            sentence(was)
        ));
    }
    if was.runs != is.runs {
        let by = |runs: &Option<String>| {
            runs.as_ref()
                .map_or_else(|| "nobody".to_owned(), |runs| format!("`{runs}`"))
        };
        changed(format!(
            "`{name}` is run by {}, before by {}",
            by(&is.runs),
            by(&was.runs)
        ));
    }
    let (before, now) = (was.expires.seconds(), is.expires.seconds());
    if before != now {
        changed(format!(
            "a case for `{name}` stays open for {}, before for {}",
            length(now),
            length(before)
        ));
    }
    let (before, now) = (
        old.describe_openers(&was.opened_by),
        new.describe_openers(&is.opened_by),
    );
    if before != now {
        changed(format!(
            "a case for `{name}` is opened by {now}, before by {before}"
        ));
    }
    if was.outside != is.outside {
        changed(if is.outside {
            format!("`{name}` now happens outside the gate")
        } else {
            format!("`{name}` now runs through the gate")
        });
    }
    let effects = |procedure: &Procedure, action: &Action| -> BTreeMap<String, Span> {
        action
            .effects
            .iter()
            .map(|effect| (effect_words(procedure, effect.kind), effect.span))
            .collect()
    };
    let (before, now) = (effects(old, was), effects(new, is));
    for (effect, span) in &now {
        if !before.contains_key(effect) {
            let text = format!("`{name}` has one more effect: {effect}");
            push(&mut diff.changed, text, spans.0, Some(*span));
        }
    }
    for (effect, span) in &before {
        if !now.contains_key(effect) {
            let text = format!("`{name}` has one effect less: {effect}");
            push(&mut diff.changed, text, Some(*span), spans.1);
        }
    }
}

fn sentence(action: &Action) -> String {
    action
        .says
        .iter()
        .map(|part| match part {
            SentencePart::Text(text) => text.clone(),
            SentencePart::Parameter(index) => action
                .parameters
                .get(*index as usize)
                .map_or_else(String::new, |parameter| format!("{{{}}}", parameter.name)),
        })
        .collect()
}

fn effect_words(procedure: &Procedure, effect: EffectKind) -> String {
    let mut words = procedure.describe_effect(effect);
    if let Some(first) = words.get_mut(..1) {
        first.make_ascii_lowercase();
    }
    words
}

/// One path in both versions.
struct Paths<'a> {
    old: (&'a Procedure, &'a Action, &'a Path),
    new: (&'a Procedure, &'a Action, &'a Path),
}

impl Paths<'_> {
    fn compare(&self, diff: &mut Diff) {
        self.proofs(diff);
        self.people(diff);
        self.time(diff);
        self.notices(diff);
        self.backups(diff);
        self.limits(diff);
        self.conditions(diff);
    }

    fn place(&self) -> String {
        format!("`{}`, path `{}`", self.old.1.name, self.old.2.name)
    }

    fn say(&self, into: &mut Vec<Difference>, words: &str) {
        let text = format!("{}: {words}", self.place());
        push(into, text, Some(self.old.2.span), Some(self.new.2.span));
    }

    fn proofs(&self, diff: &mut Diff) {
        let (before, now) = (
            Proofs::of(self.old.0, self.old.2),
            Proofs::of(self.new.0, self.new.2),
        );
        if before == now {
            return;
        }
        let words = format!(
            "the customer proves {}, before {}",
            now.words(),
            before.words()
        );
        let (looser, tighter) = Proofs::order(&before, &now).unwrap_or_default();
        let into = match (looser, tighter) {
            (true, false) => &mut diff.weaker,
            (false, true) => &mut diff.stronger,
            _ => &mut diff.changed,
        };
        self.say(into, &words);
    }

    /// Signatures and words, by role.
    fn people(&self, diff: &mut Diff) {
        let signatures = |procedure: &Procedure, path: &Path| {
            let mut counts: BTreeMap<String, u32> = BTreeMap::new();
            for line in &path.lines {
                if let Requirement::SignOff { count, role } = line.requirement {
                    *counts
                        .entry(role_name(procedure, role).to_owned())
                        .or_default() += count;
                }
            }
            counts
        };
        let (before, now) = (
            signatures(self.old.0, self.old.2),
            signatures(self.new.0, self.new.2),
        );
        let roles: BTreeSet<&String> = before.keys().chain(now.keys()).collect();
        let mut fewer = Vec::new();
        let mut more = Vec::new();
        for role in roles {
            let count = |counts: &BTreeMap<String, u32>| counts.get(role).copied().unwrap_or(0);
            let words = format!(
                "{} sign as `{role}`, before {}",
                count(&now),
                count(&before)
            );
            match count(&now).cmp(&count(&before)) {
                std::cmp::Ordering::Less => fewer.push(words),
                std::cmp::Ordering::Greater => more.push(words),
                std::cmp::Ordering::Equal => {}
            }
        }
        // One role's signature in place of another's is not certainly either.
        match (fewer.is_empty(), more.is_empty()) {
            (false, true) => self.say(&mut diff.weaker, &fewer.join("; ")),
            (true, false) => self.say(&mut diff.stronger, &more.join("; ")),
            (false, false) => {
                fewer.extend(more);
                self.say(&mut diff.changed, &fewer.join("; "));
            }
            (true, true) => {}
        }
        let vouched = |procedure: &Procedure, path: &Path| -> BTreeSet<(String, String)> {
            path.lines
                .iter()
                .filter_map(|line| match &line.requirement {
                    Requirement::Confirms { role, text } => {
                        Some((role_name(procedure, *role).to_owned(), text.clone()))
                    }
                    _ => None,
                })
                .collect()
        };
        let (before, now) = (
            vouched(self.old.0, self.old.2),
            vouched(self.new.0, self.new.2),
        );
        for (role, text) in before.difference(&now) {
            let words = format!("no `{role}` confirms “{text}” any more");
            self.say(&mut diff.weaker, &words);
        }
        for (role, text) in now.difference(&before) {
            let words = format!("a `{role}` now confirms “{text}”");
            self.say(&mut diff.stronger, &words);
        }
    }

    fn time(&self, diff: &mut Diff) {
        let (before, now) = (waits(self.old.2), waits(self.new.2));
        let words = |seconds: u64| match seconds {
            0 => "no time".to_owned(),
            seconds => length(seconds),
        };
        let said = format!("{} to stop it, before {}", words(now), words(before));
        match now.cmp(&before) {
            std::cmp::Ordering::Less => self.say(&mut diff.weaker, &said),
            std::cmp::Ordering::Greater => self.say(&mut diff.stronger, &said),
            std::cmp::Ordering::Equal => {}
        }
    }

    fn notices(&self, diff: &mut Diff) {
        let channels =
            |(procedure, action, path): (&Procedure, &Action, &Path)| -> BTreeSet<String> {
                let mut channels: BTreeSet<String> = told(procedure, action, path)
                    .unwrap_or_default()
                    .iter()
                    .filter_map(|id| procedure.holdings.get(id.index()))
                    .map(|holding| holding.name.clone())
                    .collect();
                for line in &path.lines {
                    if let Requirement::Notify {
                        channels: named, ..
                    } = &line.requirement
                    {
                        channels.extend(
                            named
                                .iter()
                                .filter_map(|id| procedure.holdings.get(id.index()))
                                .map(|holding| holding.name.clone()),
                        );
                    }
                }
                channels
            };
        let (before, now) = (channels(self.old), channels(self.new));
        for channel in before.difference(&now) {
            self.say(
                &mut diff.weaker,
                &format!("the `{channel}` is no longer told"),
            );
        }
        for channel in now.difference(&before) {
            self.say(&mut diff.stronger, &format!("the `{channel}` is now told"));
        }
    }

    fn backups(&self, diff: &mut Diff) {
        let needed = |path: &Path| -> Vec<(BackupGrade, u64, u32)> {
            path.lines
                .iter()
                .filter_map(|line| match line.requirement {
                    Requirement::Backup {
                        grade,
                        within,
                        places,
                    } => Some((grade, within.seconds(), places)),
                    _ => None,
                })
                .collect()
        };
        let (before, now) = (needed(self.old.2), needed(self.new.2));
        // Each line of one version is met by any that asks for at least as much in the other.
        let met = |lines: &[(BackupGrade, u64, u32)], by: &[(BackupGrade, u64, u32)]| {
            lines.iter().all(|line| {
                by.iter()
                    .any(|other| other.0 >= line.0 && other.1 <= line.1 && other.2 >= line.2)
            })
        };
        match (met(&now, &before), met(&before, &now)) {
            (true, true) => {}
            (true, false) => self.say(&mut diff.weaker, "less is asked of the backup"),
            (false, true) => self.say(&mut diff.stronger, "more is asked of the backup"),
            (false, false) => self.say(&mut diff.changed, "other things are asked of the backup"),
        }
    }

    fn limits(&self, diff: &mut Diff) {
        let limits = |path: &Path| -> Vec<(bool, u32, u64)> {
            path.lines
                .iter()
                .filter_map(|line| match line.requirement {
                    Requirement::AtMost { count, per, scope } => {
                        Some((scope == Scope::Customer, count, per.seconds()))
                    }
                    _ => None,
                })
                .collect()
        };
        let (before, now) = (limits(self.old.2), limits(self.new.2));
        let met = |lines: &[(bool, u32, u64)], by: &[(bool, u32, u64)]| {
            lines.iter().all(|line| {
                by.iter()
                    .any(|other| other.0 == line.0 && other.1 <= line.1 && other.2 >= line.2)
            })
        };
        match (met(&now, &before), met(&before, &now)) {
            (true, true) => {}
            (true, false) => self.say(&mut diff.weaker, "it may happen more often"),
            (false, true) => self.say(&mut diff.stronger, "it may happen less often"),
            (false, false) => self.say(
                &mut diff.changed,
                "how often it may happen is limited in another way",
            ),
        }
    }

    fn conditions(&self, diff: &mut Diff) {
        let conditions = |action: &Action, path: &Path| -> Vec<Condition> {
            path.lines
                .iter()
                .filter_map(|line| Condition::of(action, &line.requirement))
                .collect()
        };
        let (before, now) = (
            conditions(self.old.1, self.old.2),
            conditions(self.new.1, self.new.2),
        );
        let met = |lines: &[Condition], by: &[Condition]| {
            lines
                .iter()
                .all(|line| by.iter().any(|other| other.implies(line)))
        };
        match (met(&now, &before), met(&before, &now)) {
            (true, true) => {}
            (true, false) => self.say(&mut diff.weaker, "it is open in more cases"),
            (false, true) => self.say(&mut diff.stronger, "it is open in fewer cases"),
            (false, false) => self.say(&mut diff.changed, "it is open in other cases"),
        }
    }
}

/// A `when` line with its subject by name.
#[derive(PartialEq, Eq)]
struct Condition {
    subject: String,
    comparison: Comparison,
    value: Value,
}

impl Condition {
    fn of(action: &Action, requirement: &Requirement) -> Option<Self> {
        let Requirement::When {
            subject,
            comparison,
            value,
        } = requirement
        else {
            return None;
        };
        Some(Self {
            subject: match subject {
                Subject::Parameter(index) => action.parameters.get(*index as usize)?.name.clone(),
                Subject::Attribute(attribute) => format!("customer.{attribute}"),
            },
            comparison: *comparison,
            value: value.clone(),
        })
    }

    /// Whatever fulfils this fulfils the other.
    fn implies(&self, other: &Self) -> bool {
        if self == other {
            return true;
        }
        if self.subject != other.subject {
            return false;
        }
        match (&self.value, &other.value) {
            (Value::Number(mine), Value::Number(theirs)) => {
                use Comparison::{AtLeast, AtMost, Is, IsNot, Less, More};
                match (self.comparison, other.comparison) {
                    (Is | AtMost | Less, AtMost) | (Less, Less | IsNot) => mine <= theirs,
                    (Is | AtMost, Less) | (AtMost, IsNot) => mine < theirs,
                    (Is | AtLeast | More, AtLeast) | (More, More | IsNot) => mine >= theirs,
                    (Is | AtLeast, More) | (AtLeast, IsNot) => mine > theirs,
                    (Is, IsNot) => mine != theirs,
                    _ => false,
                }
            }
            (Value::Text(mine), Value::Text(theirs)) => {
                (self.comparison, other.comparison) == (Comparison::Is, Comparison::IsNot)
                    && mine != theirs
            }
            _ => false,
        }
    }
}

/// All that one path asks the customer to prove, in names.
#[derive(PartialEq, Eq)]
enum Proofs {
    Atom(String, u64),
    AtLeast(usize, Vec<Proofs>),
}

impl Proofs {
    fn of(procedure: &Procedure, path: &Path) -> Self {
        let lines: Vec<Self> = path
            .lines
            .iter()
            .filter_map(|line| match &line.requirement {
                Requirement::Prove(expression) => Some(Self::expression(procedure, expression)),
                _ => None,
            })
            .collect();
        Self::AtLeast(lines.len(), lines)
    }

    fn expression(procedure: &Procedure, expression: &Expr) -> Self {
        let all = |parts: &[Expr]| {
            parts
                .iter()
                .map(|part| Self::expression(procedure, part))
                .collect()
        };
        match expression {
            Expr::Atom { proof, settled, .. } => Self::Atom(
                procedure
                    .proofs
                    .get(proof.index())
                    .map_or_else(String::new, |proof| proof.name.clone()),
                settled.map_or(0, countersign_language::Duration::seconds),
            ),
            Expr::And(parts) => Self::AtLeast(parts.len(), all(parts)),
            Expr::Or(parts) => Self::AtLeast(1, all(parts)),
            Expr::NOf { n, of } => Self::AtLeast(*n as usize, all(of)),
        }
    }

    /// Whether the second is met by something the first is not, and the other way round; none if there is too much to try.
    fn order(old: &Self, new: &Self) -> Option<(bool, bool)> {
        let mut ages: BTreeMap<&str, BTreeSet<u64>> = BTreeMap::new();
        old.collect(&mut ages);
        new.collect(&mut ages);
        if ages.len() > PROOFS_MAX {
            return None;
        }
        // A proof is not made, or made of a holding unchanged for one of the times that either version asks for.
        let states: Vec<(&str, Vec<Option<u64>>)> = ages
            .into_iter()
            .map(|(name, times)| {
                let mut states = vec![None, Some(0)];
                states.extend(times.into_iter().filter(|time| *time > 0).map(Some));
                (name, states)
            })
            .collect();
        let mut at = vec![0_usize; states.len()];
        let (mut looser, mut tighter) = (false, false);
        loop {
            let world: BTreeMap<&str, u64> = states
                .iter()
                .zip(&at)
                .filter_map(|((name, states), &at)| Some((*name, (*states.get(at)?)?)))
                .collect();
            match (old.holds(&world), new.holds(&world)) {
                (false, true) => looser = true,
                (true, false) => tighter = true,
                _ => {}
            }
            if looser && tighter {
                break;
            }
            let Some(place) = at
                .iter()
                .zip(&states)
                .position(|(at, (_, states))| at + 1 < states.len())
            else {
                break;
            };
            for (index, digit) in at.iter_mut().enumerate() {
                match index.cmp(&place) {
                    std::cmp::Ordering::Less => *digit = 0,
                    std::cmp::Ordering::Equal => *digit += 1,
                    std::cmp::Ordering::Greater => {}
                }
            }
        }
        Some((looser, tighter))
    }

    fn collect<'a>(&'a self, ages: &mut BTreeMap<&'a str, BTreeSet<u64>>) {
        match self {
            Self::Atom(name, settled) => {
                ages.entry(name).or_default().insert(*settled);
            }
            Self::AtLeast(_, parts) => parts.iter().for_each(|part| part.collect(ages)),
        }
    }

    fn holds(&self, world: &BTreeMap<&str, u64>) -> bool {
        match self {
            Self::Atom(name, settled) => world.get(name.as_str()).is_some_and(|age| age >= settled),
            Self::AtLeast(n, parts) => parts.iter().filter(|part| part.holds(world)).count() >= *n,
        }
    }

    /// As in the file.
    fn words(&self) -> String {
        match self {
            Self::AtLeast(0, _) => "nothing".to_owned(),
            Self::AtLeast(_, parts) if parts.len() == 1 => parts
                .first()
                .map_or_else(String::new, |part| part.written(false)),
            _ => self.written(false),
        }
    }

    fn written(&self, within: bool) -> String {
        match self {
            Self::Atom(name, 0) => format!("`{name}`"),
            Self::Atom(name, settled) => format!("`{name}` settled {}", length(*settled)),
            Self::AtLeast(n, parts) => {
                let between = if *n == parts.len() {
                    " and "
                } else if *n == 1 {
                    " or "
                } else {
                    ", "
                };
                let list: Vec<String> = parts.iter().map(|part| part.written(true)).collect();
                let list = list.join(between);
                if between == ", " {
                    format!("{n} of ({list})")
                } else if within && parts.len() > 1 {
                    format!("({list})")
                } else {
                    list
                }
            }
        }
    }
}
