//! What people do to an incident: open it, and change it while it is open.

use countersign_cases::{CaseId, CustomerId, Timestamp};
use countersign_store::Batch;
use serde::{Deserialize, Serialize};

use super::{
    Author, Happened, Incident, IncidentError, Phase, Scope, Source, Standing, TaskState, Texts,
    entries, stream, texts,
};
use crate::{
    adapters::{dice, tokens},
    gate::Gate,
    incidents::letters,
    records::{self, Customer, space},
    sessions::SignedInStaff,
    shell::Tries,
    trouble::Trouble,
};

/// Most of anything that grows with each press of a button.
const MANY: usize = 500;

/// An update comes at the latest after this long: a promise beyond it is none.
const NEXT_SECONDS_MAX: u64 = 14 * 86_400;

/// An incident to be opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewIncident {
    /// What colleagues call it.
    pub title: String,
    /// The case it is opened from.
    #[serde(default)]
    pub case: Option<CaseId>,
    /// The alarm it is opened from.
    #[serde(default)]
    pub alarm: Option<String>,
}

/// What an incident is to be about, as people say it: the customer by the company's own id.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScopeWish {
    /// Cases, by their spoken numbers.
    #[serde(default)]
    pub cases: Vec<CaseId>,
    /// The company's own id of a customer.
    #[serde(default)]
    pub customer: Option<CustomerId>,
    /// A staff account.
    #[serde(default)]
    pub agent: Option<String>,
    /// A connector.
    #[serde(default)]
    pub connector: Option<String>,
    /// An action, by name.
    #[serde(default)]
    pub action: Option<String>,
    /// A path of that action.
    #[serde(default)]
    pub path: Option<String>,
    /// From when.
    #[serde(default)]
    pub from: Option<Timestamp>,
    /// Until when.
    #[serde(default)]
    pub to: Option<Timestamp>,
}

/// One change of an open incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IncidentChange {
    /// It is about this.
    Scope(ScopeWish),
    /// A line for the timeline.
    Line {
        /// When it was so.
        when: Timestamp,
        /// What.
        text: String,
        /// Where this is known from.
        source: String,
    },
    /// How it stands with a customer.
    Mark {
        /// The company's own id.
        customer: CustomerId,
        /// How.
        standing: Standing,
        /// Why.
        reason: String,
    },
    /// Something to be done.
    Task {
        /// What.
        text: String,
        /// A role of the procedure or an account.
        owner: String,
        /// Until when.
        due: Timestamp,
    },
    /// A task came on.
    TaskState {
        /// Its number.
        task: u32,
        /// How far.
        state: TaskState,
    },
    /// Word to the public.
    Update {
        /// The incident in one sentence.
        headline: String,
        /// How it stands.
        phase: Phase,
        /// More.
        text: String,
        /// When the next one comes; must be left out where it is over, and only there.
        next_at: Option<Timestamp>,
    },
    /// The statement, all versions. `revision` is the one that was read.
    Draft {
        /// The versions.
        texts: Texts,
        /// How often it had been saved when it was read.
        revision: u32,
    },
}

impl Gate {
    /// Opens an incident: from a case, from an alarm, or by hand. Gives its id.
    ///
    /// # Errors
    /// [`IncidentError::NotAllowed`], [`IncidentError::UnknownCase`], [`IncidentError::UnknownAlarm`],
    /// [`IncidentError::AlarmSettled`], [`IncidentError::Field`]
    pub async fn open_incident(
        &self,
        by: &SignedInStaff,
        new: &NewIncident,
    ) -> Result<String, IncidentError> {
        let author = self.may_edit_incidents(by)?;
        let title = texts::line("title", &new.title)?;
        let mut tries = Tries::default();
        loop {
            let now = self.now();
            let id = tokens::speakable_id("IN", self.dice());
            let mut batch = Batch::default();
            let (source, scope) = match (&new.case, &new.alarm) {
                (Some(_), Some(_)) => {
                    return Err(IncidentError::Field {
                        field: "alarm",
                        why: "either a case or an alarm".to_owned(),
                    });
                }
                (Some(case), None) => {
                    let loaded = self.load_case(case).await?;
                    if by.record().concerned.contains(&loaded.row.customer) {
                        return Err(IncidentError::UnknownCase);
                    }
                    let source = Source::Case { case: case.clone() };
                    let scope = Scope {
                        cases: vec![case.clone()],
                        from: Some(loaded.row.opened_at),
                        ..Scope::default()
                    };
                    (source, scope)
                }
                (None, Some(alarm)) => {
                    let taken = self
                        .take_alarm(&mut batch, alarm, &id, &author, now)
                        .await?;
                    let source = Source::Alarm {
                        alarm: taken.id.clone(),
                    };
                    let scope = Scope {
                        alarms: vec![taken.id],
                        connector: taken.connector,
                        from: Some(taken.at),
                        ..Scope::default()
                    };
                    (source, scope)
                }
                (None, None) => (Source::Hand, Scope::default()),
            };
            let happened = Happened::Opened {
                incident: id.clone(),
                title: title.clone(),
                source,
                scope,
                nonce: hex(&dice::random_bytes::<16>(self.dice())),
            };
            let (entries, incident) = entries(None, &author, vec![happened], now)?;
            self.record(&mut batch, &stream(&id), 0, entries)?;
            let incident = incident.ok_or(IncidentError::Unknown)?;
            batch.records.push(records::put(
                space::INCIDENT,
                records::part(&id),
                &incident,
                Some(0),
            )?);
            if self.committed(batch, &mut tries).await? {
                tracing::warn!(incident = id, "incident opened");
                return Ok(id);
            }
        }
    }

    /// Changes an incident.
    ///
    /// # Errors
    /// [`IncidentError::Closed`] once it is closed, but for its statement, which may be corrected for ever.
    pub async fn change(
        &self,
        by: &SignedInStaff,
        incident: &str,
        change: &IncidentChange,
    ) -> Result<(), IncidentError> {
        let author = self.may_edit_incidents(by)?;
        let mut tries = Tries::default();
        loop {
            let mut open = self.begin_change(incident).await?;
            let happened = self
                .decided(by, &open.incident, change, &mut open.batch, open.now)
                .await?;
            let happened = happened.into_iter().collect();
            if self.end_change(open, &author, happened, &mut tries).await? {
                return Ok(());
            }
        }
    }

    async fn decided(
        &self,
        by: &SignedInStaff,
        incident: &Incident,
        change: &IncidentChange,
        batch: &mut Batch,
        now: Timestamp,
    ) -> Result<Option<Happened>, IncidentError> {
        let correction = matches!(change, IncidentChange::Draft { .. });
        if incident.closed.is_some() && !correction {
            return Err(IncidentError::Closed);
        }
        match change {
            IncidentChange::Scope(wish) => {
                let scope = self.scope(by, incident, wish, batch).await?;
                Ok((scope != incident.scope).then_some(Happened::ScopeChanged { scope }))
            }
            IncidentChange::Mark {
                customer,
                standing,
                reason,
            } => {
                let reason = texts::reason(reason)?;
                let known = self.customer_for(by, customer).await?;
                batch.records.push(named(&known)?);
                let same = incident
                    .marks
                    .get(&known.pseudonym)
                    .is_some_and(|mark| mark.standing == *standing && mark.reason == reason);
                Ok((!same).then(|| Happened::Marked {
                    customer: known.pseudonym.clone(),
                    standing: *standing,
                    reason,
                }))
            }
            IncidentChange::Update { .. } => {
                let happened = said(incident, change, now)?;
                if let Some(Happened::UpdatePosted { update, .. }) = &happened {
                    batch
                        .work
                        .push(letters::news(&incident.id, *update, None, now)?);
                }
                Ok(happened)
            }
            other => said(incident, other, now),
        }
    }

    async fn scope(
        &self,
        by: &SignedInStaff,
        incident: &Incident,
        wish: &ScopeWish,
        batch: &mut Batch,
    ) -> Result<Scope, IncidentError> {
        let field = |field: &'static str, why: &str| {
            Err(IncidentError::Field {
                field,
                why: why.to_owned(),
            })
        };
        if wish.cases.len() > MANY {
            return field("cases", "too many");
        }
        for case in &wish.cases {
            let loaded = self.load_case(case).await?;
            if by.record().concerned.contains(&loaded.row.customer) {
                return Err(IncidentError::UnknownCase);
            }
        }
        let customer = match &wish.customer {
            Some(id) => {
                let known = self.customer_for(by, id).await?;
                batch.records.push(named(&known)?);
                Some(known.pseudonym)
            }
            None => None,
        };
        if let Some(agent) = &wish.agent
            && self
                .load::<records::Account>(space::ACCOUNT, &records::part(agent))
                .await?
                .is_none()
        {
            return field("agent", "there is no such account");
        }
        let connectors = &self.settings().connectors;
        if wish.connector.as_ref().is_some_and(|name| {
            name != countersign_language::GATE && connectors.iter().all(|one| one.name != *name)
        }) {
            return field("connector", "there is no such connector");
        }
        match (&wish.action, &wish.path) {
            (None, Some(_)) => return field("path", "a path of which action"),
            (Some(action), path) => {
                // By any version: what went wrong may be what was mended since.
                let named = |text: &str| {
                    text.len() <= 200
                        && text
                            .chars()
                            .all(|c| c.is_alphanumeric() || "._-".contains(c))
                };
                if !named(action) || path.as_ref().is_some_and(|path| !named(path)) {
                    return field("action", "a name of an action and of its path");
                }
            }
            (None, None) => {}
        }
        if let (Some(from), Some(to)) = (wish.from, wish.to)
            && to < from
        {
            return field("to", "before it began");
        }
        Ok(Scope {
            cases: wish.cases.clone(),
            alarms: incident.scope.alarms.clone(),
            customer,
            agent: wish.agent.clone(),
            connector: wish.connector.clone(),
            action: wish.action.clone(),
            path: wish.path.clone(),
            from: wish.from,
            to: wish.to,
        })
    }

    /// A customer this reader may see: nobody works on an incident of an account they are tied to.
    async fn customer_for(
        &self,
        by: &SignedInStaff,
        id: &CustomerId,
    ) -> Result<Customer, IncidentError> {
        if by.record().concerned.contains(id) {
            return Err(IncidentError::UnknownCustomer);
        }
        let held = self.load_customer(id).await?;
        held.map(|held| held.value)
            .ok_or(IncidentError::UnknownCustomer)
    }

    /// Who a pseudonym is, unless they were erased.
    pub(crate) async fn customer_named(
        &self,
        pseudonym: &str,
    ) -> Result<Option<Customer>, Trouble> {
        let Some(id) = self.load::<CustomerId>(space::PSEUDONYM, pseudonym).await? else {
            return Ok(None);
        };
        Ok(self.load_customer(&id.value).await?.map(|held| held.value))
    }
}

/// Changes that need nothing but the incident.
fn said(
    incident: &Incident,
    change: &IncidentChange,
    now: Timestamp,
) -> Result<Option<Happened>, IncidentError> {
    let field = |field: &'static str, why: &str| {
        Err(IncidentError::Field {
            field,
            why: why.to_owned(),
        })
    };
    let next = |count: usize| u32::try_from(count + 1).unwrap_or(u32::MAX);
    Ok(Some(match change {
        IncidentChange::Line { when, text, source } => {
            if incident.lines.len() >= MANY {
                return Err(IncidentError::Full);
            }
            if *when > now || when.0 < 0 {
                return field("when", "it has not happened yet");
            }
            Happened::LineAdded {
                when: *when,
                text: texts::line("text", text)?,
                source: texts::line("source", source)?,
            }
        }
        IncidentChange::Task { text, owner, due } => {
            if incident.tasks.len() >= MANY {
                return Err(IncidentError::Full);
            }
            if *due < now {
                return field("due", "this is past");
            }
            Happened::TaskAdded {
                task: next(incident.tasks.len()),
                text: texts::line("text", text)?,
                owner: texts::line("owner", owner)?,
                due: *due,
            }
        }
        IncidentChange::TaskState { task, state } => {
            let known = incident.tasks.iter().find(|known| known.task == *task);
            let known = known.ok_or(IncidentError::UnknownTask)?;
            if known.state == *state {
                return Ok(None);
            }
            Happened::TaskMoved {
                task: *task,
                state: *state,
            }
        }
        IncidentChange::Update {
            headline,
            phase,
            text,
            next_at,
        } => {
            if incident.updates.len() >= MANY {
                return Err(IncidentError::Full);
            }
            match (phase, next_at) {
                (Phase::Over, Some(_)) => return field("next_at", "it is over"),
                (Phase::Over, None) => {}
                (_, None) => return field("next_at", "say when the next update comes"),
                (_, Some(next)) if *next <= now => return field("next_at", "this is past"),
                (_, Some(next)) if next.seconds_since(now) > NEXT_SECONDS_MAX => {
                    return field("next_at", "at most two weeks from now");
                }
                (_, Some(_)) => {}
            }
            Happened::UpdatePosted {
                update: next(incident.updates.len()),
                headline: texts::line("headline", headline)?,
                phase: *phase,
                text: texts::long("text", text)?,
                next_at: *next_at,
            }
        }
        IncidentChange::Draft {
            texts: versions,
            revision,
        } => {
            if *revision != incident.draft.revision {
                return Err(IncidentError::Changed);
            }
            let versions = Texts {
                blog: texts::long("blog", &versions.blog)?,
                mail: texts::long("mail", &versions.mail)?,
                chars_500: texts::long("chars_500", &versions.chars_500)?,
                chars_280: texts::long("chars_280", &versions.chars_280)?,
            };
            if versions == incident.draft.texts {
                return Ok(None);
            }
            Happened::DraftSaved { texts: versions }
        }
        IncidentChange::Scope(_) | IncidentChange::Mark { .. } => return Ok(None),
    }))
}

/// Bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

impl Incident {
    /// Whether this author opened it.
    pub fn is_opener(&self, author: &Author) -> bool {
        self.opened_by.person == author.person
    }
}

/// The record that says who a pseudonym is; erasing the customer removes it.
fn named(customer: &Customer) -> Result<countersign_store::RecordWrite, Trouble> {
    records::put(
        space::PSEUDONYM,
        customer.pseudonym.clone(),
        &customer.id,
        None,
    )
}
