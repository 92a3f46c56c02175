//! Alarms: something happened at a backend, or at the gate, that nobody here decided.
//!
//! Raised by programs (reconciling a backend's own log finds an action that no
//! case covers), settled by people, who say why, or taken into an incident.
//! Each is an event in its own stream and a leaf in the ledger; the same thing
//! seen twice is one alarm. Events name the customer by their pseudonym alone:
//! only the record knows who it is, and forgets it with the customer.

use countersign_cases::{CustomerId, Timestamp};
use countersign_store::{Batch, RecordWrite, StreamKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{
    gate::Gate,
    incidents::{Author, IncidentError, texts},
    reconcile::UncoveredLine,
    records::{self, Customer, Held, space},
    sessions::SignedInStaff,
    shell::{Entry, Tries},
    trouble::Trouble,
};

/// A backend ran an action that no case covers: found by reconciling its own log.
pub const UNCOVERED: &str = "reconciliation.uncovered";

/// Most alarms of one commit.
const RAISED_AT_ONCE: usize = 64;

/// Alarms read at once.
const READ_MAX: usize = 1_000;

/// Most alarms that are listed.
const LISTED_MAX: usize = 500;

/// Something that was seen, to be raised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewAlarm {
    /// A word with a dot, such as [`UNCOVERED`].
    pub kind: String,
    /// When it happened, by the clock of whoever saw it.
    pub at: Timestamp,
    /// Name of the action, as the procedure or the backend has it.
    pub action: String,
    /// The company's own id of the customer, where it is known.
    pub customer: Option<CustomerId>,
    /// Name of the connector, where there is one.
    pub connector: Option<String>,
    /// What else is known, in a sentence. No name and no address: it is kept for ever.
    pub detail: String,
    /// What makes it one and the same alarm: a line of a log, by its own id or hash.
    pub mark: String,
}

/// An alarm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alarm {
    /// 32 hexadecimal digits, made of kind, connector and mark.
    pub id: String,
    /// See [`NewAlarm::kind`].
    pub kind: String,
    /// When it happened.
    pub at: Timestamp,
    /// When it was raised.
    pub raised_at: Timestamp,
    /// Name of the action.
    pub action: String,
    /// The company's own id of the customer; gone once the customer is erased.
    pub customer: Option<CustomerId>,
    /// Name of the connector.
    pub connector: Option<String>,
    /// What else is known.
    pub detail: String,
    /// What became of it.
    pub standing: AlarmStanding,
}

/// What became of an alarm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum AlarmStanding {
    /// Nobody has looked at it.
    Open,
    /// Somebody settled it: no incident.
    Settled {
        /// Who.
        by: String,
        /// When.
        at: Timestamp,
        /// Why.
        reason: String,
    },
    /// It belongs to an incident.
    Incident {
        /// Which.
        incident: String,
    },
}

impl Gate {
    /// Raises alarms in the name of a program; those that are there already change nothing. Gives the ids, in order.
    ///
    /// # Errors
    /// [`Trouble`] of the store. What was raised before it stays raised, and raising again is harmless.
    pub async fn raise_alarms(
        &self,
        by: &str,
        alarms: &[NewAlarm],
    ) -> Result<Vec<String>, Trouble> {
        let mut ids = Vec::with_capacity(alarms.len());
        for some in alarms.chunks(RAISED_AT_ONCE) {
            let mut tries = Tries::default();
            loop {
                let now = self.now();
                let mut batch = Batch::default();
                let mut raised: Vec<String> = Vec::with_capacity(some.len());
                for alarm in some {
                    let id = id_of(alarm);
                    let known = raised.contains(&id)
                        || self.load::<Alarm>(space::ALARM, &id).await?.is_some();
                    if !known {
                        self.raise(&mut batch, by, alarm, id.clone(), now).await?;
                    }
                    raised.push(id);
                }
                if self.committed(batch, &mut tries).await? {
                    ids.extend(raised);
                    break;
                }
            }
        }
        Ok(ids)
    }

    /// Raises an alarm for each line of a backend's own log that no case covers.
    pub(crate) async fn raise_uncovered(
        &self,
        by: &str,
        connector: &str,
        lines: &[UncoveredLine],
    ) -> Result<(), Trouble> {
        let alarms: Vec<NewAlarm> = lines
            .iter()
            .map(|line| NewAlarm {
                kind: UNCOVERED.to_owned(),
                at: line.at,
                action: line.action.clone(),
                customer: line.customer.clone().map(CustomerId),
                connector: Some(connector.to_owned()),
                detail: line.why.clone().into_owned(),
                mark: line.mark.clone(),
            })
            .collect();
        self.raise_alarms(by, &alarms).await.map(|_| ())
    }

    /// All alarms, newest first; those that nobody has looked at before the others.
    ///
    /// # Errors
    /// [`IncidentError::NotAllowed`] for whoever neither audits nor works on incidents.
    pub async fn alarms(&self, by: &SignedInStaff) -> Result<Vec<Alarm>, IncidentError> {
        self.may_read_incidents(by)?;
        let mut alarms: Vec<Alarm> = self.all_alarms().await?;
        let concerned = &by.record().concerned;
        alarms.retain(|alarm| {
            alarm
                .customer
                .as_ref()
                .is_none_or(|customer| !concerned.contains(customer))
        });
        alarms.sort_by_key(|alarm| {
            (
                alarm.standing != AlarmStanding::Open,
                std::cmp::Reverse(alarm.at),
            )
        });
        alarms.truncate(LISTED_MAX);
        Ok(alarms)
    }

    /// Settles an alarm that is nothing, with a reason.
    ///
    /// # Errors
    /// [`IncidentError::AlarmSettled`] where it was settled before, or belongs to an incident.
    pub async fn settle_alarm(
        &self,
        by: &SignedInStaff,
        id: &str,
        reason: &str,
    ) -> Result<(), IncidentError> {
        let author = self.may_edit_incidents(by)?;
        let reason = texts::reason(reason)?;
        let mut tries = Tries::default();
        loop {
            let now = self.now();
            let mut alarm = self.alarm(id).await?;
            if alarm.value.standing != AlarmStanding::Open {
                return Err(IncidentError::AlarmSettled);
            }
            alarm.value.standing = AlarmStanding::Settled {
                by: author.name.clone(),
                at: now,
                reason: reason.clone(),
            };
            let mut batch = Batch::default();
            let data = serde_json::json!({ "account": author.account, "reason": reason });
            self.put_alarm(&mut batch, alarm, "alarm.settled", &data, now)
                .await?;
            if self.committed(batch, &mut tries).await? {
                return Ok(());
            }
        }
    }

    /// Takes an alarm into an incident, in the same commit as the rest of the batch.
    pub(crate) async fn take_alarm(
        &self,
        batch: &mut Batch,
        id: &str,
        incident: &str,
        by: &Author,
        now: Timestamp,
    ) -> Result<Alarm, IncidentError> {
        let mut alarm = self.alarm(id).await?;
        if alarm.value.standing != AlarmStanding::Open {
            return Err(IncidentError::AlarmSettled);
        }
        alarm.value.standing = AlarmStanding::Incident {
            incident: incident.to_owned(),
        };
        let taken = alarm.value.clone();
        let data = serde_json::json!({ "account": by.account, "incident": incident });
        self.put_alarm(batch, alarm, "alarm.taken", &data, now)
            .await?;
        Ok(taken)
    }

    pub(crate) async fn alarm(&self, id: &str) -> Result<Held<Alarm>, IncidentError> {
        let known = id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !known {
            return Err(IncidentError::UnknownAlarm);
        }
        self.load::<Alarm>(space::ALARM, id)
            .await?
            .ok_or(IncidentError::UnknownAlarm)
    }

    pub(crate) async fn all_alarms(&self) -> Result<Vec<Alarm>, Trouble> {
        let mut all = Vec::new();
        let mut range = records::beginning_with("", false);
        loop {
            let page = self
                .journal()
                .scan(space::ALARM, range.clone(), READ_MAX)
                .await?;
            for record in &page {
                all.push(records::read_json(&record.value)?);
            }
            match page.last() {
                Some(last) if page.len() == READ_MAX => range.from = format!("{}\u{1}", last.key),
                _ => return Ok(all),
            }
        }
    }

    /// Records without this customer in them, for when the customer is erased.
    pub(crate) async fn alarms_without(
        &self,
        customer: &CustomerId,
    ) -> Result<Vec<RecordWrite>, Trouble> {
        let mut writes = Vec::new();
        for mut alarm in self.all_alarms().await? {
            if alarm.customer.as_ref() == Some(customer) {
                alarm.customer = None;
                writes.push(records::put(space::ALARM, alarm.id.clone(), &alarm, None)?);
            }
        }
        Ok(writes)
    }

    async fn raise(
        &self,
        batch: &mut Batch,
        by: &str,
        new: &NewAlarm,
        id: String,
        now: Timestamp,
    ) -> Result<(), Trouble> {
        let customer = match &new.customer {
            Some(customer) => self.load_customer(customer).await?,
            None => None,
        };
        let pseudonym = customer.as_ref().map(|held| held.value.pseudonym.clone());
        let alarm = Alarm {
            id: id.clone(),
            kind: new.kind.clone(),
            at: new.at,
            raised_at: now,
            action: new.action.clone(),
            // An id the gate does not know may be anybody's address: it is not kept.
            customer: customer.map(|held: Held<Customer>| held.value.id),
            connector: new.connector.clone(),
            detail: new.detail.clone(),
            standing: AlarmStanding::Open,
        };
        let data = serde_json::json!({
            "by": by, "alarm": id, "kind": alarm.kind, "at": alarm.at, "action": alarm.action,
            "customer": pseudonym, "connector": alarm.connector, "detail": alarm.detail,
        });
        let entry = Entry::new("alarm.raised", now, pseudonym.as_deref(), &data)?;
        self.record(batch, &stream(&id), 0, vec![entry])?;
        batch
            .records
            .push(records::put(space::ALARM, id, &alarm, Some(0))?);
        tracing::warn!(
            kind = alarm.kind,
            action = alarm.action,
            connector = alarm.connector,
            "alarm raised"
        );
        Ok(())
    }

    async fn put_alarm(
        &self,
        batch: &mut Batch,
        alarm: Held<Alarm>,
        kind: &str,
        data: &serde_json::Value,
        now: Timestamp,
    ) -> Result<(), Trouble> {
        let stream = stream(&alarm.value.id);
        let length = self.journal().read(&stream, 0).await?.len();
        let entry = Entry::new(kind, now, None, data)?;
        self.record(
            batch,
            &stream,
            u64::try_from(length).unwrap_or(u64::MAX),
            vec![entry],
        )?;
        batch.records.push(records::put(
            space::ALARM,
            alarm.value.id.clone(),
            &alarm.value,
            Some(alarm.revision),
        )?);
        Ok(())
    }
}

fn stream(id: &str) -> StreamKey {
    StreamKey(format!("alarm/{id}"))
}

/// The same thing seen again has the same id.
fn id_of(alarm: &NewAlarm) -> String {
    use std::fmt::Write as _;
    let connector = alarm.connector.as_deref().unwrap_or_default();
    let said = ["countersign/alarm/v1", &alarm.kind, connector, &alarm.mark].join("\0");
    let hash = Sha256::digest(said.as_bytes());
    hash.iter().take(16).fold(String::new(), |mut id, byte| {
        let _ = write!(id, "{byte:02x}");
        id
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alarm(connector: Option<&str>, mark: &str) -> NewAlarm {
        NewAlarm {
            kind: UNCOVERED.to_owned(),
            at: Timestamp(0),
            action: "server.reinstall".to_owned(),
            customer: None,
            connector: connector.map(str::to_owned),
            detail: String::new(),
            mark: mark.to_owned(),
        }
    }

    #[test]
    fn an_alarm_is_known_by_its_mark_and_where_it_was_seen() {
        let once = id_of(&alarm(Some("panel"), "line 7"));
        let later = NewAlarm {
            at: Timestamp(9),
            detail: "seen again".to_owned(),
            ..alarm(Some("panel"), "line 7")
        };
        assert_eq!(once, id_of(&later));
        assert_ne!(once, id_of(&alarm(Some("panel"), "line 8")));
        assert_ne!(once, id_of(&alarm(Some("dns"), "line 7")));
        assert_eq!(once.len(), 32);
    }
}
