//! From what the service knows to what pages show. Pure: the moment comes in as an argument.

use std::collections::BTreeMap;

use countersign_cases::{
    Checklist, LineItem, Missing, ProofItem, ProofTree, Standing, State, Timestamp, Who,
};
use countersign_language::{Action, EffectKind, HoldingKind, Procedure, Requirement, SentencePart};
use countersign_service::speech::{Arg, Key, MomentStyle, minutes_of};
use countersign_service::{CaseView, Language, SentencePiece};
use jiff::tz::TimeZone;

use crate::pages::{
    self, Act, ActOutcome, CaseState, Check, CheckOptions, CheckState, Pill, ProcedureRef, Risk,
    Way, When,
};
use crate::words::Words;

/// Turns moments into what people read: when "now" is, in which zone they live, and what they speak.
#[derive(Debug, Clone)]
pub struct Calendar {
    now: Timestamp,
    zone: TimeZone,
    language: Language,
}

impl Calendar {
    /// For a page rendered at this moment, in English.
    pub fn new(now: Timestamp, zone: TimeZone) -> Self {
        Self {
            now,
            zone,
            language: Language::English,
        }
    }

    /// The same for somebody who reads this language.
    #[must_use]
    pub fn spoken(self, language: Language) -> Self {
        Self { language, ..self }
    }

    /// What its reader speaks.
    pub fn language(&self) -> Language {
        self.language
    }

    /// The moment of the page.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// `10:31` today, `24 Nov, 10:45` otherwise, with how far away it is where that helps.
    pub fn when(&self, at: Timestamp) -> When {
        let (zoned, today) = (self.zoned(at), self.zoned(self.now));
        let style = match (zoned.date() == today.date(), zoned.year() == today.year()) {
            (true, _) => MomentStyle::Time,
            (false, true) => MomentStyle::Day,
            (false, false) => MomentStyle::Year,
        };
        When {
            iso: iso(at),
            shown: self.language.moment(&zoned, style),
            relative: self.language.away(minutes_of(self.now, at)),
            away_seconds: at.0.saturating_sub(self.now.0) / 1_000,
        }
    }

    /// `10:31:04` today, otherwise as [`Calendar::when`]: for lists of what happened.
    pub fn second(&self, at: Timestamp) -> When {
        let zoned = self.zoned(at);
        if zoned.date() != self.zoned(self.now).date() {
            return When {
                relative: None,
                ..self.when(at)
            };
        }
        When {
            iso: iso(at),
            shown: self.language.moment(&zoned, MomentStyle::Second),
            relative: None,
            away_seconds: 0,
        }
    }

    /// `10:31:04.123` today, `24 Nov, 10:31:04.123` otherwise: for the audit log.
    pub fn millisecond(&self, at: Timestamp) -> When {
        let (zoned, today) = (self.zoned(at), self.zoned(self.now));
        let pattern = match (zoned.date() == today.date(), zoned.year() == today.year()) {
            (true, _) => "%H:%M:%S%.3f",
            (false, true) => "%-d %b, %H:%M:%S%.3f",
            (false, false) => "%-d %b %Y, %H:%M:%S%.3f",
        };
        When {
            iso: iso_millisecond(at),
            shown: zoned.strftime(pattern).to_string(),
            relative: None,
            away_seconds: 0,
        }
    }

    /// `23 Nov 2026, 10:45:10`
    pub fn full(&self, at: Timestamp) -> String {
        self.language.moment(&self.zoned(at), MomentStyle::Full)
    }

    /// `23 Nov 2026, 10:45:10 CET`: for receipts, which are read elsewhere and later.
    pub fn with_zone(&self, at: Timestamp) -> String {
        self.language.moment(&self.zoned(at), MomentStyle::Zone)
    }

    /// `March 2019`
    pub fn month(&self, at: Timestamp) -> String {
        self.language.moment(&self.zoned(at), MomentStyle::Month)
    }

    /// Whether it is on the day of the page.
    pub fn is_today(&self, at: Timestamp) -> bool {
        self.zoned(at).date() == self.zoned(self.now).date()
    }

    fn zoned(&self, at: Timestamp) -> jiff::ZonedDateTime {
        instant(at).to_zoned_datetime(self.zone.clone())
    }
}

/// RFC 3339 in UTC, to the millisecond.
pub fn iso_millisecond(at: Timestamp) -> String {
    instant(at).strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// RFC 3339 in UTC, to the second.
pub fn iso(at: Timestamp) -> String {
    instant(at).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn instant(at: Timestamp) -> jiff::Timestamp {
    jiff::Timestamp::from_millisecond(at.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
}

/// `1 minute`, `2 minutes`.
pub fn count(number: i64, unit: &str) -> String {
    format!("{number} {unit}{}", if number == 1 { "" } else { "s" })
}

/// `1 minute`, `24 hours`, `7 days`: a length of time in the largest unit that fits it whole, hours up to three days.
pub fn length(seconds: u64) -> String {
    Language::English.length(seconds)
}

/// The words with the parameter values marked: character for character the sentence of the case.
pub fn words(pieces: &[SentencePiece]) -> Words {
    Words::from_parts(
        pieces
            .iter()
            .map(|piece| (piece.text.as_str(), piece.parameter)),
    )
}

/// The sentence with these values: for a case that is not opened yet.
pub fn words_of(action: &Action, values: &BTreeMap<String, String>) -> Words {
    let pieces = sentence_pieces(action, |name| values.get(name).map_or("", String::as_str));
    Words::from_parts(pieces.iter().map(|(text, value)| (text.as_str(), *value)))
}

/// The sentence with its blanks: `Erase everything on … and install …`.
pub fn blanks(action: &Action) -> String {
    sentence_pieces(action, |_| "…")
        .into_iter()
        .map(|(text, _)| text)
        .collect()
}

fn sentence_pieces<'a>(action: &'a Action, value: impl Fn(&str) -> &'a str) -> Vec<(String, bool)> {
    action
        .says
        .iter()
        .map(|part| match part {
            SentencePart::Text(text) => (text.clone(), false),
            SentencePart::Parameter(index) => {
                let name = usize::try_from(*index)
                    .ok()
                    .and_then(|index| action.parameters.get(index))
                    .map_or("", |parameter| parameter.name.as_str());
                (value(name).to_owned(), true)
            }
        })
        .collect()
}

/// How much an action can hurt: a loss, something that changes hands, or neither.
pub fn risk(action: &Action) -> Risk {
    let effects = || action.effects.iter().map(|effect| effect.kind);
    if effects().any(|effect| matches!(effect, EffectKind::Loses(_))) {
        Risk::Critical
    } else if effects().next().is_some() {
        Risk::High
    } else {
        Risk::Low
    }
}

/// What follows from the action beyond its words: who then holds what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consequence<'a> {
    /// The message.
    pub key: Key,
    /// The procedure's labels in its places.
    pub labels: Vec<(&'static str, &'a str)>,
}

impl Consequence<'_> {
    /// For staff.
    fn english(&self) -> String {
        let args: Vec<_> = self
            .labels
            .iter()
            .map(|(name, label)| (*name, Arg::Text(label)))
            .collect();
        Language::English.tell(self.key, &args)
    }
}

/// What follows from the action beyond its words, for staff.
pub fn consequence(procedure: &Procedure, action: &Action) -> Option<String> {
    consequence_of(procedure, action).map(|consequence| consequence.english())
}

/// What follows from the action beyond its words.
pub fn consequence_of<'a>(procedure: &'a Procedure, action: &Action) -> Option<Consequence<'a>> {
    let label = |id: countersign_language::HoldingId| {
        procedure
            .holdings
            .get(id.index())
            .map_or("", |holding| holding.label.as_str())
    };
    let follows = |key, labels| Some(Consequence { key, labels });
    action.effects.iter().find_map(|effect| match effect.kind {
        EffectKind::Changes(what) => follows(Key("effect-changes"), vec![("label", label(what))]),
        EffectKind::Gives(what) => follows(Key("effect-gives"), vec![("label", label(what))]),
        EffectKind::Sends { what, to } => follows(
            Key("effect-sends"),
            vec![("channel", label(to)), ("label", label(what))],
        ),
        EffectKind::Loses(loss) => procedure
            .losses
            .get(loss.index())
            .and_then(|loss| follows(Key("effect-loses"), vec![("label", loss.label.as_str())])),
    })
}

/// `Waits 24 hours before it takes effect`, where a path of the action waits; for staff.
pub fn waits(action: &Action) -> Option<String> {
    waits_in(action, Language::English)
}

/// `Waits 24 hours before it takes effect`, where a path of the action waits.
pub fn waits_in(action: &Action, language: Language) -> Option<String> {
    let seconds = action.paths.iter().map(path_wait_seconds);
    let (least, most) = (
        seconds.clone().min().unwrap_or(0),
        seconds.max().unwrap_or(0),
    );
    let (shortest, longest) = (language.length(least), language.length(most));
    let most_said = ("most", Arg::Text(&longest));
    match (least, most) {
        (_, 0) => None,
        (least, most) if least == most => Some(language.tell("waits-fixed", &[most_said])),
        (0, _) => Some(language.tell("waits-slower", &[most_said])),
        _ => Some(language.tell("waits-range", &[("least", Arg::Text(&shortest)), most_said])),
    }
}

fn path_wait_seconds(path: &countersign_language::Path) -> u64 {
    path.lines
        .iter()
        .map(|line| match &line.requirement {
            Requirement::Wait(duration) => duration.seconds(),
            _ => 0,
        })
        .max()
        .unwrap_or(0)
}

/// `two proofs, a sign-off, 24 hours`: what the quickest path needs.
pub fn needs(action: &Action) -> String {
    let Some(path) = action.paths.first() else {
        return String::new();
    };
    let mut parts = Vec::new();
    for line in &path.lines {
        match &line.requirement {
            Requirement::Prove(expression) => parts.push(match fewest_proofs(expression) {
                1 => "one proof".to_owned(),
                2 => "two proofs".to_owned(),
                3 => "three proofs".to_owned(),
                n => format!("{n} proofs"),
            }),
            Requirement::SignOff { count: 1, .. } => {
                parts.push("a colleague's signature".to_owned());
            }
            Requirement::SignOff { count, .. } => {
                parts.push(format!("{count} colleagues' signatures"));
            }
            Requirement::Confirms { .. } => parts.push("your word".to_owned()),
            Requirement::Wait(duration) => parts.push(length(duration.seconds())),
            Requirement::Backup { .. } => parts.push("a backup".to_owned()),
            Requirement::Notify { .. } | Requirement::When { .. } | Requirement::AtMost { .. } => {}
        }
    }
    parts.join(", ")
}

fn fewest_proofs(expression: &countersign_language::Expr) -> usize {
    use countersign_language::Expr;
    match expression {
        Expr::Atom { .. } => 1,
        Expr::And(all) => all.iter().map(fewest_proofs).sum(),
        Expr::Or(any) => any.iter().map(fewest_proofs).min().unwrap_or(0),
        Expr::NOf { n, of } => {
            let mut counts: Vec<usize> = of.iter().map(fewest_proofs).collect();
            counts.sort_unstable();
            counts
                .iter()
                .take(usize::try_from(*n).unwrap_or(usize::MAX))
                .sum()
        }
    }
}

/// The first digits of a procedure's version, which tell it from others.
pub fn short(version: &str) -> String {
    version.chars().take(8).collect()
}

/// The words card of a case, for staff.
pub fn act(procedure: &Procedure, view: &CaseView, calendar: &Calendar) -> Act {
    let action = procedure
        .action_named(&view.action)
        .and_then(|id| procedure.actions.get(id.index()));
    let outcome = match view.state {
        State::Done => ActOutcome::Happened(
            view.timeline
                .last()
                .map_or_else(String::new, |last| calendar.full(last.at)),
        ),
        State::Refused | State::Stopped | State::Withdrawn | State::Expired | State::Failed => {
            ActOutcome::DidNotHappen
        }
        _ => ActOutcome::Open,
    };
    Act {
        words: words(&view.pieces),
        consequence: action.and_then(|action| consequence(procedure, action)),
        risk: action.map(risk),
        procedure: Some(ProcedureRef {
            name: view.action.clone(),
            href: Some(format!(
                "/procedures/action/{}?version={}",
                crate::pages::encode(&view.action),
                short(&view.procedure)
            )),
            version: short(&view.procedure),
        }),
        takes_effect: action.and_then(waits),
        digest: view.digest.to_string(),
        outcome,
    }
}

/// Where a case stands, as the pill says it.
pub fn pill(state: State, next: Option<&Who>, calendar: &Calendar) -> Pill {
    let state = match state {
        State::None | State::Open => match next {
            Some(Who::Colleague { .. }) => CaseState::Senior,
            Some(Who::Gate) => CaseState::Notices,
            Some(Who::Nobody) => CaseState::Refused,
            _ => CaseState::Customer,
        },
        State::Waiting { until, .. } => CaseState::Waits(calendar.when(until).shown),
        State::Ready { .. } => CaseState::Ready,
        State::Granted if next == Some(&Who::Customer) => CaseState::Customer,
        State::Granted | State::Running => CaseState::Running,
        State::Done => CaseState::Done,
        State::Failed => CaseState::Failed,
        State::Unknown => CaseState::Unknown,
        State::Refused => CaseState::Declined,
        State::Stopped => CaseState::Stopped,
        State::Withdrawn => CaseState::Withdrawn,
        State::Expired => CaseState::Expired,
    };
    Pill { state }
}

/// What is still missing, the nearest way first.
pub fn checks(
    procedure: &Procedure,
    checklist: &Checklist,
    calendar: &Calendar,
) -> pages::Checklist {
    let mut paths: Vec<_> = checklist.paths.iter().filter(|path| path.applies).collect();
    if paths.is_empty() {
        paths = checklist.paths.iter().collect();
    }
    paths.sort_by_key(|path| path.path != checklist.nearest);
    let several = paths.len() > 1;
    let ways = paths
        .into_iter()
        .map(|path| Way {
            name: if several {
                path.name.replace('_', " ")
            } else {
                String::new()
            },
            rows: rows(procedure, checklist, &path.lines, calendar),
        })
        .collect();
    pages::Checklist { ways }
}

fn rows(
    procedure: &Procedure,
    checklist: &Checklist,
    lines: &[LineItem],
    calendar: &Calendar,
) -> Vec<Check> {
    let customer = &checklist.customer;
    let over = checklist.state.is_final();
    let step = |at: Option<Timestamp>, title: &str, detail: &str, waiting: bool| Check {
        state: match at {
            Some(_) => CheckState::Proven,
            None if over => CheckState::NotNeeded,
            None if waiting => CheckState::Waiting,
            None => CheckState::NotStarted,
        },
        title: title.to_owned(),
        detail: Some(detail.to_owned()),
        word: at.map(|_| "Done".to_owned()),
        at: at.map(|at| calendar.second(at)),
        options: Vec::new(),
        action: None,
    };
    let mut rows = Vec::new();
    if customer.needs_link {
        rows.push(step(
            customer.link_used_at,
            "Customer opens the one-time link",
            "On their own device.",
            customer.link_used_at.is_none(),
        ));
    }
    // The customer's confirmation comes after the last line that is theirs, before people sign.
    let last_of_customer = lines
        .iter()
        .rposition(|line| line.proofs.is_some())
        .map_or(0, |at| at + 1);
    let confirm = || {
        step(
            customer.confirmed_at,
            "Customer confirms the exact action",
            "They read the same words as above and press the button that says so.",
            customer.may_confirm && customer.confirmed_at.is_none(),
        )
    };
    for (at, line) in lines.iter().enumerate() {
        if at == last_of_customer {
            rows.push(confirm());
        }
        rows.push(row(procedure, line, calendar));
    }
    if last_of_customer >= lines.len() {
        rows.push(confirm());
    }
    rows
}

fn row(procedure: &Procedure, line: &LineItem, calendar: &Calendar) -> Check {
    let state = check_state(line.standing);
    let word = match (&line.who, line.standing) {
        (Who::Colleague { .. }, Standing::Holds) => Some("Signed"),
        (Who::Gate, Standing::Holds) => Some("Sent"),
        (Who::Time | Who::BackupMachine | Who::Opener, Standing::Holds) => Some("Holds"),
        _ => None,
    };
    let at = line
        .proofs
        .as_ref()
        .and_then(latest)
        .or(line.until.filter(|_| line.standing == Standing::Waiting));
    Check {
        state,
        title: match line.proofs {
            Some(_) => format!("Customer proves the {}", line.words),
            None => sentence_case(&line.words),
        },
        detail: Some(detail(line, calendar)).filter(|detail| !detail.is_empty()),
        word: word.map(str::to_owned),
        at: at.map(|at| calendar.second(at)),
        options: line
            .proofs
            .as_ref()
            .map_or_else(Vec::new, |proofs| options(procedure, proofs)),
        action: None,
    }
}

fn detail(line: &LineItem, calendar: &Calendar) -> String {
    let progress = || {
        if line.of > 1 {
            format!("{} of {}. ", line.done, line.of)
        } else {
            String::new()
        }
    };
    match (&line.who, line.standing) {
        (_, Standing::NotNeeded) => "Not needed: another way was taken.".to_owned(),
        (Who::Customer, Standing::Refused) => format!(
            "Closed after too many wrong tries{}.",
            until(line, calendar)
        ),
        (Who::Customer, _) => format!(
            "{}Typed on the customer's own page. You never see it.",
            progress()
        ),
        (Who::Colleague { label, .. }, Standing::Holds) => {
            format!("Signed with a passkey: {label}.")
        }
        (Who::Colleague { label, .. }, _) => format!(
            "{}Somebody other than whoever opened the case: {label}.",
            progress()
        ),
        (Who::Opener, Standing::Holds) => "On the word of whoever opened the case.".to_owned(),
        (Who::Opener, _) => "Whoever opened the case gives their word.".to_owned(),
        (Who::Time, Standing::Waiting) => format!(
            "Until {}. It can be stopped until then.",
            line.until
                .map_or_else(String::new, |at| calendar.when(at).shown)
        ),
        (Who::Time, Standing::NotStarted) => "Begins once the notices were handed over.".to_owned(),
        (Who::BackupMachine, Standing::Holds) => {
            format!("Attested in {}.", count(i64::from(line.done), "place"))
        }
        (Who::BackupMachine, _) => format!("{}Only the backup system can attest it.", progress()),
        (Who::Gate, Standing::Holds) => "Every contact was told, and can stop it.".to_owned(),
        (Who::Gate, _) => format!(
            "{}Sent by itself once everything before it holds.",
            progress()
        ),
        (Who::Nobody, Standing::Refused) => {
            format!("Nobody can supply this now{}.", until(line, calendar))
        }
        _ => String::new(),
    }
}

fn until(line: &LineItem, calendar: &Calendar) -> String {
    line.until.map_or_else(String::new, |at| {
        format!(" until {}", calendar.when(at).shown)
    })
}

fn check_state(standing: Standing) -> CheckState {
    match standing {
        Standing::Holds => CheckState::Proven,
        Standing::Waiting => CheckState::Waiting,
        Standing::NotStarted => CheckState::NotStarted,
        Standing::Refused => CheckState::Refused,
        Standing::NotNeeded => CheckState::NotNeeded,
    }
}

fn options(procedure: &Procedure, proofs: &ProofTree) -> Vec<CheckOptions> {
    let mut items = Vec::new();
    leaves(proofs, &mut items);
    if items.len() < 2 {
        return Vec::new();
    }
    [
        ("Knows", HoldingKind::Secret),
        ("Has", HoldingKind::Device),
        ("Receives", HoldingKind::Channel),
        ("Is", HoldingKind::State),
    ]
    .into_iter()
    .filter_map(|(group, kind)| {
        let of_kind = |item: &&&ProofItem| {
            let holding = procedure
                .proofs
                .get(item.proof.index())
                .and_then(|proof| procedure.holdings.get(proof.shows.index()));
            holding.is_some_and(|holding| holding.kind == kind)
        };
        let ways: Vec<_> = items
            .iter()
            .filter(of_kind)
            .map(|item| (item.label.clone(), check_state(item.standing)))
            .collect();
        (!ways.is_empty()).then(|| CheckOptions {
            group: group.to_owned(),
            ways,
        })
    })
    .collect()
}

fn leaves<'a>(tree: &'a ProofTree, items: &mut Vec<&'a ProofItem>) {
    match tree {
        ProofTree::One(item) => items.push(item),
        ProofTree::Group { of, .. } => of.iter().for_each(|tree| leaves(tree, items)),
    }
}

fn latest(tree: &ProofTree) -> Option<Timestamp> {
    let mut items = Vec::new();
    leaves(tree, &mut items);
    items
        .into_iter()
        .filter(|item| item.standing == Standing::Holds)
        .filter_map(|item| item.at)
        .max()
}

/// `2: passkey, senior`, or nothing.
pub fn missing_short(missing: &[Missing]) -> String {
    if missing.is_empty() {
        return String::new();
    }
    let mut who: Vec<String> = Vec::new();
    for item in missing {
        let word = match &item.who {
            Who::Colleague { label, .. } => label.clone(),
            Who::Customer => "customer".to_owned(),
            Who::Opener => "opener's word".to_owned(),
            Who::Time => "time".to_owned(),
            Who::BackupMachine => "backup".to_owned(),
            Who::Gate => "notices".to_owned(),
            Who::Backend => "backend".to_owned(),
            Who::Nobody => "nobody can".to_owned(),
        };
        if !who.contains(&word) {
            who.push(word);
        }
    }
    format!("{}: {}", missing.len(), who.join(", "))
}

/// `support agent, senior support agent`
pub fn role_labels(procedure: &Procedure, names: &[String]) -> String {
    let labels = names
        .iter()
        .filter_map(|name| procedure.role_named(name))
        .filter_map(|id| procedure.roles.get(id.index()));
    labels
        .map(|role| role.label.as_str())
        .collect::<Vec<_>>()
        .join(", ")
}

/// With a capital first letter.
pub fn sentence_case(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

/// With a small first letter, for use inside a sentence.
pub fn inside_sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_lowercase().chain(letters).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calendar() -> Calendar {
        // 2026-11-23T10:30:00Z
        Calendar::new(Timestamp(1_795_429_800_000), TimeZone::UTC)
    }

    #[test]
    fn moments_are_absolute_with_a_helper() {
        let calendar = calendar();
        let soon = calendar.when(calendar.now().plus_seconds(16 * 60));
        assert_eq!(
            (soon.shown.as_str(), soon.relative.as_deref()),
            ("10:46", Some("in 16 minutes"))
        );
        let tomorrow = calendar.when(calendar.now().plus_seconds(86_400));
        assert_eq!(
            (tomorrow.shown.as_str(), tomorrow.relative.as_deref()),
            ("24 Nov, 10:30", Some("in 24 hours"))
        );
        assert_eq!(tomorrow.iso, "2026-11-24T10:30:00Z");
        let next_year = calendar.when(calendar.now().plus_seconds(60 * 86_400));
        assert_eq!(
            (next_year.shown.as_str(), next_year.relative),
            ("22 Jan 2027, 10:30", None)
        );
        assert_eq!(calendar.second(calendar.now()).shown, "10:30:00");
        assert_eq!(calendar.full(calendar.now()), "23 Nov 2026, 10:30:00");
    }

    #[test]
    fn lengths_are_said_as_people_say_them() {
        assert_eq!(length(24 * 3_600), "24 hours");
        assert_eq!(length(72 * 3_600), "3 days");
        assert_eq!(length(7 * 86_400), "7 days");
        assert_eq!(length(90), "2 minutes");
        assert_eq!(length(3_600), "1 hour");
    }
}
