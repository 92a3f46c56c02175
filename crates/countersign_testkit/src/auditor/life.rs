//! The life of each case: what may follow what, and what a case must be when it begins.

use std::{collections::BTreeMap, fmt::Write as _};

use countersign_language::{Action, Procedure, SentencePart};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{Books, Findings, Happened};

/// A refusal or stop closes the same request for a day.
const CLOSED_MS: i64 = 86_400_000;

/// One case and all that happened to it.
#[derive(Debug)]
pub(super) struct Life<'a> {
    pub(super) case: String,
    pub(super) customer: String,
    pub(super) procedure: &'a Procedure,
    pub(super) action: &'a Action,
    pub(super) parameters: BTreeMap<String, String>,
    pub(super) nonce: String,
    pub(super) digest: String,
    pub(super) by: Member,
    pub(super) opened: &'a Happened,
    pub(super) events: Vec<&'a Happened>,
}

/// Who did something, as the event list says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Member {
    Customer,
    Gate,
    Staff { person: String, account: String },
}

impl Member {
    /// Of `{"staff": {…}}`, `"customer"` or `"gate"`.
    pub(super) fn of(actor: Option<&Value>) -> Self {
        match actor {
            Some(Value::String(word)) if word == "customer" => Self::Customer,
            Some(Value::Object(object)) => Self::staff(object.get("staff")),
            _ => Self::Gate,
        }
    }

    /// Of `{"person": …, "name": …}`. In these books a name is the account's own.
    pub(super) fn staff(member: Option<&Value>) -> Self {
        Self::Staff {
            person: text(member, "person"),
            account: text(member, "name"),
        }
    }

    pub(super) fn person(&self) -> Option<&str> {
        match self {
            Self::Staff { person, .. } => Some(person),
            Self::Customer | Self::Gate => None,
        }
    }
}

pub(super) fn text(object: Option<&Value>, name: &str) -> String {
    object
        .and_then(|object| object.get(name))
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

/// Where a case is in its life, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Live,
    Granted,
    Running,
    Unknown,
    Done,
    Failed,
    Refused,
    Stopped,
    Withdrawn,
    Expired,
}

impl Stage {
    pub(super) fn is_called(self, word: &str) -> bool {
        match self {
            Self::Live => matches!(word, "open" | "waiting" | "ready"),
            Self::Granted => word == "granted",
            Self::Running => word == "running",
            Self::Unknown => word == "unknown",
            Self::Done => word == "done",
            Self::Failed => word == "failed",
            Self::Refused => word == "refused",
            Self::Stopped => word == "stopped",
            Self::Withdrawn => word == "withdrawn",
            Self::Expired => word == "expired",
        }
    }

    fn is_over(self) -> bool {
        matches!(
            self,
            Self::Done
                | Self::Failed
                | Self::Refused
                | Self::Stopped
                | Self::Withdrawn
                | Self::Expired
        )
    }

    /// Where this event leads; `None` if it may not happen here.
    fn after(self, event: &Happened) -> Option<Self> {
        match (self, event.kind.as_str()) {
            (
                Self::Live,
                "case.link_used"
                | "case.proved"
                | "case.confirmed"
                | "case.vouched"
                | "case.signed_off"
                | "case.notices_due"
                | "case.notified"
                | "case.wait_started"
                | "case.wait_void"
                | "case.ready"
                | "case.no_longer_ready",
            ) => Some(Self::Live),
            (Self::Live, "case.refused") => Some(Self::Refused),
            (Self::Live, "case.granted") => Some(Self::Granted),
            (Self::Live, "case.expired") => Some(Self::Expired),
            (Self::Live | Self::Granted, "case.stopped") => Some(Self::Stopped),
            (Self::Live | Self::Granted, "case.withdrawn") => Some(Self::Withdrawn),
            (Self::Granted, "case.handed_over") => Some(Self::Running),
            (Self::Running | Self::Unknown, "case.concluded") => match outcome(event) {
                "done" => Some(Self::Done),
                "unknown" => (self == Self::Running).then_some(Self::Unknown),
                _ => Some(Self::Failed),
            },
            (
                Self::Running | Self::Unknown | Self::Done | Self::Failed,
                "case.stop_came_too_late",
            ) => Some(self),
            _ => None,
        }
    }
}

/// `done`, `unknown`, or `failed`.
pub(super) fn outcome(event: &Happened) -> &str {
    match event.data.get("outcome") {
        Some(Value::String(word)) => word,
        _ => "failed",
    }
}

impl<'a> Life<'a> {
    pub(super) fn of_kind(&self, kind: &str) -> impl Iterator<Item = &'a Happened> {
        self.events
            .iter()
            .copied()
            .filter(move |event| event.kind == kind)
    }

    pub(super) fn state_before(&self, position: u64) -> Stage {
        let earlier = self
            .events
            .iter()
            .skip(1)
            .filter(|event| event.position < position);
        earlier.fold(Stage::Live, |stage, event| {
            stage.after(event).unwrap_or(stage)
        })
    }

    pub(super) fn state_in_the_end(&self) -> Stage {
        self.state_before(u64::MAX)
    }

    /// Same customer, same action, same parameters.
    fn is_same_request(&self, other: &Self) -> bool {
        self.customer == other.customer
            && self.action.name == other.action.name
            && self.parameters == other.parameters
    }

    /// When it runs out, as its events before this one say.
    fn expires_before(&self, position: u64) -> i64 {
        let earlier = self.events.iter().filter(|event| event.position < position);
        earlier
            .filter_map(|event| event.data.get("expires_at").and_then(Value::as_i64))
            .next_back()
            .unwrap_or(i64::MAX)
    }

    /// The id of the grant in these events, base64url.
    pub(super) fn grants(&self) -> Vec<(String, &'a Happened)> {
        self.of_kind("case.granted")
            .map(|event| (grant_id(&event.data), event))
            .collect()
    }
}

fn grant_id(data: &Value) -> String {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    let bytes: Vec<u8> = data
        .get("grant")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|byte| byte.as_u64().and_then(|byte| u8::try_from(byte).ok()))
        .collect();
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Every case in the event list.
pub(super) fn lives<'a>(books: &'a Books, found: &mut Findings) -> Vec<Life<'a>> {
    let mut streams: BTreeMap<&str, Vec<&Happened>> = BTreeMap::new();
    for event in &books.events {
        if event.kind.starts_with("case.") {
            streams.entry(&event.stream).or_default().push(event);
        }
    }
    let mut lives = Vec::new();
    for (stream, events) in streams {
        match life(books, &events) {
            Some(life) => lives.push(life),
            None => found.unless(false, 1, || {
                format!("`{stream}` does not begin as a case that anybody could open")
            }),
        }
    }
    lives
}

fn life<'a>(books: &'a Books, events: &[&'a Happened]) -> Option<Life<'a>> {
    let opened = events.first().filter(|first| first.kind == "case.opened")?;
    let data = &opened.data;
    let procedure = books.procedures.get(&text(Some(data), "procedure"))?;
    let index = usize::try_from(data.get("action_index")?.as_u64()?).ok()?;
    let action = procedure
        .actions
        .get(index)
        .filter(|action| action.name == text(Some(data), "action"))?;
    Some(Life {
        case: text(Some(data), "case"),
        customer: text(Some(data), "customer"),
        procedure,
        action,
        parameters: serde_json::from_value(data.get("parameters")?.clone()).ok()?,
        nonce: text(Some(data), "nonce"),
        digest: text(Some(data), "digest"),
        by: Member::of(data.get("by")),
        opened,
        events: events.to_vec(),
    })
}

pub(super) fn check(books: &Books, life: &Life<'_>, lives: &[Life<'_>], found: &mut Findings) {
    order_of_events(life, found);
    beginning(books, life, found);
    company(life, lives, found);
    end(books, life, found);
}

/// Only what may follow follows, and nothing but its end comes to a case whose time is over.
fn order_of_events(life: &Life<'_>, found: &mut Findings) {
    let mut stage = Stage::Live;
    for event in life.events.iter().skip(1) {
        let Some(next) = stage.after(event) else {
            let invariant = match stage {
                Stage::Stopped | Stage::Refused => 7,
                _ => 9,
            };
            found.unless(false, invariant, || {
                format!(
                    "{}: `{}` happened to a case that is {stage:?}",
                    life.case, event.kind
                )
            });
            continue;
        };
        if stage == Stage::Live {
            let over = event.at >= life.expires_before(event.position);
            let expires = event.kind == "case.expired";
            // Stopping and taking back need no time left: they only ever end a case.
            let ends = matches!(event.kind.as_str(), "case.stopped" | "case.withdrawn");
            found.unless(over == expires || (over && ends), 6, || {
                format!(
                    "{}: `{}` at {}, and the case runs out at {}",
                    life.case,
                    event.kind,
                    event.at,
                    life.expires_before(event.position)
                )
            });
        }
        stage = next;
    }
    let grants = life.of_kind("case.granted").count();
    found.unless(grants <= 1, 9, || format!("{}: {grants} grants", life.case));
    for stop in life.of_kind("case.stopped") {
        let handed_over = life.of_kind("case.handed_over").next().is_some();
        found.unless(!handed_over, 7, || {
            format!(
                "{}: stopped at {}, and handed over all the same",
                life.case, stop.at
            )
        });
    }
}

/// It was opened by somebody who may, for exactly what its digest says, in words that say it.
fn beginning(books: &Books, life: &Life<'_>, found: &mut Findings) {
    let data = &life.opened.data;
    let names: Vec<&String> = life.parameters.keys().collect();
    let mut wanted: Vec<&String> = life.action.parameters.iter().map(|one| &one.name).collect();
    wanted.sort();
    found.unless(names == wanted, 1, || {
        format!(
            "{}: parameters {names:?}, and the action has {wanted:?}",
            life.case
        )
    });
    let request = json!({
        "action": life.action.name, "customer": life.customer, "nonce": life.nonce,
        "parameters": life.parameters, "procedure": text(Some(data), "procedure"),
    });
    let hash = Sha256::digest(serde_json_canonicalizer::to_vec(&request).unwrap_or_default());
    let digest = hash.iter().fold(String::new(), |mut hex, byte| {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    found.unless(digest == life.digest, 3, || {
        format!("{}: the digest is not that of what is asked", life.case)
    });
    let sentence: String = if life.action.says.is_empty() {
        life.action.label.clone()
    } else {
        let parts = life.action.says.iter().map(|part| match part {
            SentencePart::Text(words) => words.clone(),
            SentencePart::Parameter(index) => usize::try_from(*index)
                .ok()
                .and_then(|index| life.action.parameters.get(index))
                .and_then(|parameter| life.parameters.get(&parameter.name))
                .cloned()
                .unwrap_or_default(),
        });
        parts.collect()
    };
    found.unless(sentence == text(Some(data), "sentence"), 3, || {
        format!("{}: the sentence does not say what is asked", life.case)
    });
    let runs_out = life.opened.at.saturating_add(
        i64::try_from(life.action.expires.seconds())
            .unwrap_or(i64::MAX)
            .saturating_mul(1_000),
    );
    found.unless(
        data.get("expires_at").and_then(Value::as_i64) == Some(runs_out),
        6,
        || format!("{}: it does not run out when the action says", life.case),
    );
    found.unless(may_open(books, life, &life.by), 1, || {
        format!("{}: opened by {:?}, who may not", life.case, life.by)
    });
}

/// Whether this member may open a case of this action and this customer.
pub(super) fn may_open(books: &Books, life: &Life<'_>, by: &Member) -> bool {
    match by {
        Member::Customer => life.action.opened_by.customer,
        Member::Gate => false,
        Member::Staff { account, person } => {
            let of_role = life
                .action
                .opened_by
                .roles
                .iter()
                .filter_map(|role| life.procedure.roles.get(role.index()))
                .any(|role| has_role(books, life.procedure, account, person, &role.name));
            of_role && !is_concerned(books, person, &life.customer)
        }
    }
}

/// Whether this account of this person has a role, or one that includes it.
pub(super) fn has_role(
    books: &Books,
    procedure: &Procedure,
    account: &str,
    person: &str,
    wanted: &str,
) -> bool {
    let known = books
        .staff
        .iter()
        .find(|one| one.account == account && one.person == person);
    known.is_some_and(|known| {
        known.roles.iter().any(|name| {
            name == wanted
                || procedure
                    .roles
                    .iter()
                    .find(|role| role.name == *name)
                    .is_some_and(|role| {
                        role.includes.iter().any(|included| {
                            procedure
                                .roles
                                .get(included.index())
                                .is_some_and(|included| included.name == wanted)
                        })
                    })
        })
    })
}

/// Whether this person, by any account, is the customer or tied to them.
pub(super) fn is_concerned(books: &Books, person: &str, customer: &str) -> bool {
    books
        .staff
        .iter()
        .any(|one| one.person == person && one.concerned.iter().any(|tied| tied == customer))
}

/// A program.
pub(super) fn is_robot(books: &Books, person: &str) -> bool {
    books
        .staff
        .iter()
        .any(|one| one.person == person && one.robot)
}

/// What other cases say about it: a request that was refused or stopped is closed for a day, and no two cases of one
/// customer and action are open at once.
fn company(life: &Life<'_>, lives: &[Life<'_>], found: &mut Findings) {
    let moments = life
        .events
        .iter()
        .filter(|event| matches!(event.kind.as_str(), "case.opened" | "case.granted"));
    for moment in moments {
        for other in lives.iter().filter(|other| other.case != life.case) {
            if other.is_same_request(life) {
                let closed = other.events.iter().any(|event| {
                    matches!(event.kind.as_str(), "case.refused" | "case.stopped")
                        && event.position < moment.position
                        && moment.at < event.at + CLOSED_MS
                });
                found.unless(!closed, 8, || {
                    format!(
                        "{}: `{}` within a day of {}, the same request, being refused or stopped",
                        life.case, moment.kind, other.case
                    )
                });
            }
            if other.customer == life.customer && other.action.name == life.action.name {
                let open = other.opened.position < moment.position
                    && !other.state_before(moment.position).is_over();
                found.unless(!open, 9, || {
                    format!(
                        "{}: `{}` while {} for the same customer and action is not over",
                        life.case, moment.kind, other.case
                    )
                });
            }
        }
    }
}

/// How long after everything should be over it may still not be: workers look again within minutes.
const SLACK_MS: i64 = 6 * 3_600_000;

/// Nothing is left lying: what ran out has ended, what was granted was handed over, what was unknown was found out.
fn end(books: &Books, life: &Life<'_>, found: &mut Findings) {
    let last = books.closed_at;
    let stage = life.state_in_the_end();
    let stuck = match stage {
        Stage::Live => last > life.expires_before(u64::MAX).saturating_add(SLACK_MS),
        Stage::Granted | Stage::Running | Stage::Unknown => {
            let newest = life.events.last().map_or(last, |event| event.at);
            // What the customer sets at the gate themselves they have a day for.
            let own_pace = if life.action.runs.as_deref() == Some("gate") {
                86_400_000
            } else {
                30 * 60_000
            };
            last > newest.saturating_add(own_pace + SLACK_MS)
        }
        _ => false,
    };
    found.unless(!stuck, 11, || {
        format!(
            "{}: still {stage:?} long after it should be over",
            life.case
        )
    });
}
