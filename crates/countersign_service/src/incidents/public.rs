//! What anybody may read of incidents: updates and signed statements, and nothing of any case, customer or colleague.

use countersign_cases::Timestamp;
use serde::Serialize;

use super::{Incident, IncidentError, Phase};
use crate::{gate::Gate, trouble::Trouble};

/// Most past incidents on the status page.
const PAST_MAX: usize = 50;

/// The status page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PublicStatus {
    /// The company's name.
    pub organisation: String,
    /// As of when.
    pub at: Timestamp,
    /// Incidents that are not over, newest first.
    pub current: Vec<PublicIncident>,
    /// Those that are, newest first.
    pub past: Vec<PublicIncident>,
}

/// An incident as anybody reads it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PublicIncident {
    /// `IN-7F3K9Q`
    pub id: String,
    /// In one sentence; empty where only a statement is public.
    pub headline: String,
    /// How it stands.
    pub phase: Phase,
    /// When the public was first told.
    pub since: Timestamp,
    /// The last time anything was said.
    pub updated_at: Timestamp,
    /// When the next update comes.
    pub next_at: Option<Timestamp>,
    /// It should have come by now.
    pub overdue: bool,
    /// Newest first.
    pub updates: Vec<PublicUpdate>,
    /// Every version that was ever published, newest first. What was published is not changed.
    pub statements: Vec<PublicStatement>,
}

/// One update.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PublicUpdate {
    /// From 1.
    pub number: u32,
    /// When.
    pub at: Timestamp,
    /// In one sentence.
    pub headline: String,
    /// How it stood.
    pub phase: Phase,
    /// More.
    pub text: String,
    /// When the next one was to come.
    pub next_at: Option<Timestamp>,
}

/// One version of the statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PublicStatement {
    /// From 1; the highest counts.
    pub version: u32,
    /// When it was signed.
    pub at: Timestamp,
    /// The long version.
    pub text: String,
    /// What was signed, hexadecimal.
    pub digest: String,
}

impl Gate {
    /// The status page.
    ///
    /// # Errors
    /// [`Trouble`] of the store.
    pub async fn public_status(&self) -> Result<PublicStatus, Trouble> {
        let now = self.now();
        let mut all: Vec<PublicIncident> = self
            .all_incidents()
            .await?
            .iter()
            .filter_map(|incident| public(incident, now))
            .collect();
        all.sort_by_key(|one| std::cmp::Reverse((one.updated_at, one.id.clone())));
        let (current, mut past): (Vec<_>, Vec<_>) =
            all.into_iter().partition(|one| one.phase != Phase::Over);
        past.truncate(PAST_MAX);
        Ok(PublicStatus {
            organisation: self.procedure().organisation.clone(),
            at: now,
            current,
            past,
        })
    }

    /// One incident, if anything of it is public.
    ///
    /// # Errors
    /// [`IncidentError::Unknown`]: there is none, or nothing of it is public; the two are not told apart.
    pub async fn public_incident(&self, id: &str) -> Result<PublicIncident, IncidentError> {
        let incident = self.load_incident(id).await?.value;
        public(&incident, self.now()).ok_or(IncidentError::Unknown)
    }
}

fn public(incident: &Incident, now: Timestamp) -> Option<PublicIncident> {
    let statements: Vec<PublicStatement> = incident
        .published
        .iter()
        .rev()
        .map(|published| PublicStatement {
            version: published.version,
            at: published.at,
            text: published.texts.blog.clone(),
            digest: published.digest.to_string(),
        })
        .collect();
    let updates: Vec<PublicUpdate> = incident
        .updates
        .iter()
        .rev()
        .map(|update| PublicUpdate {
            number: update.update,
            at: update.at,
            headline: update.headline.clone(),
            phase: update.phase,
            text: update.text.clone(),
            next_at: update.next_at,
        })
        .collect();
    let said = updates.iter().map(|update| update.at);
    let signed = statements.iter().map(|statement| statement.at);
    let times: Vec<Timestamp> = said.chain(signed).collect();
    let last = incident.last_update();
    let phase = match (&incident.closed, last) {
        (Some(_), _) => Phase::Over,
        (None, Some(update)) => update.phase,
        (None, None) => Phase::Found,
    };
    let next_at = last
        .and_then(|update| update.next_at)
        .filter(|_| phase != Phase::Over);
    Some(PublicIncident {
        id: incident.id.clone(),
        headline: last
            .map(|update| update.headline.clone())
            .unwrap_or_default(),
        phase,
        since: times.iter().min().copied()?,
        updated_at: times.iter().max().copied()?,
        overdue: next_at.is_some_and(|next| next < now),
        next_at,
        updates,
        statements,
    })
}
