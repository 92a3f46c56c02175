//! A database as it is after years: finished cases by the million, written through the store's contract.
//!
//! Each would take the gate a dozen commits. So one case is played for real, and everything it left (events, leaves, records) is
//! written again for other customers, at other times, with ids and salts of its own. Two checks show that nothing is
//! missing: written again for itself it is exactly what the gate wrote, and the gate's own look through the whole log finds
//! every copy to be what its leaf commits to.

use std::error::Error;

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use countersign_cases::{CaseId, CustomerId};
use countersign_grant::{Leaf, commitment};
use countersign_store::{Append, Batch, Journal, KeyRange, NewEvent, RecordWrite, StreamKey};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// Finished cases written in one commit.
const CASES_AT_ONCE: usize = 250;

/// What one finished case left.
pub(crate) struct Template {
    customer: String,
    case: String,
    opened_ms: i64,
    events: Vec<Left>,
    row: Value,
}

struct Left {
    kind: String,
    at_ms: i64,
    salt: String,
    data: Value,
}

/// Everything one copy writes.
pub(crate) struct Copied {
    stream: StreamKey,
    events: Vec<NewEvent>,
    leaves: Vec<Vec<u8>>,
    records: Vec<RecordWrite>,
}

impl Template {
    /// Reads what this finished case left.
    pub(crate) async fn of(
        journal: &dyn Journal,
        customer: &CustomerId,
        case: &CaseId,
    ) -> Result<Self, Box<dyn Error>> {
        let stream = StreamKey(format!("c.{}/case.{}", customer.0, case.0));
        let mut events = Vec::new();
        for stored in journal.read(&stream, 0).await? {
            let envelope: Value = serde_json::from_str(&stored.data)?;
            events.push(Left {
                kind: stored.kind,
                at_ms: stored.at_ms,
                salt: envelope
                    .get("salt")
                    .and_then(Value::as_str)
                    .unwrap_or_default()
                    .to_owned(),
                data: envelope.get("data").cloned().unwrap_or_default(),
            });
        }
        let row = journal.get("case", &case.0).await?.ok_or("no such case")?;
        Ok(Self {
            customer: customer.0.clone(),
            case: case.0.clone(),
            opened_ms: events.first().ok_or("a case without events")?.at_ms,
            events,
            row: serde_json::from_str(&row.value)?,
        })
    }

    /// The same case again, opened then.
    fn again(
        &self,
        customer: &str,
        case: &str,
        opened_ms: i64,
        salts: &mut dyn FnMut() -> Result<[u8; 32], Box<dyn Error>>,
        own: bool,
    ) -> Result<Copied, Box<dyn Error>> {
        let shift = opened_ms - self.opened_ms;
        let mut copied = Copied {
            stream: StreamKey(format!("c.{customer}/case.{case}")),
            events: Vec::new(),
            leaves: Vec::new(),
            records: Vec::new(),
        };
        let mut row = self.row.clone();
        shift_times(&mut row, shift);
        set(&mut row, "case", case);
        set(&mut row, "customer", customer);
        if !own {
            set(&mut row, "pseudonym", &pseudonym(case).0);
        }
        let name = row
            .get("pseudonym")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned();
        let case_pseudonym = decode16(&name)?;
        for left in &self.events {
            let mut data = left.data.clone();
            shift_times(&mut data, shift);
            if data.get("case").is_some() {
                set(&mut data, "case", case);
                set(&mut data, "customer", customer);
            }
            let (salt, text) = if own {
                let salt = decode32(&left.salt)?;
                (salt, left.salt.clone())
            } else {
                let salt = salts()?;
                (salt, encode(&salt))
            };
            let record = serde_json_canonicalizer::to_string(&data)?;
            let leaf = Leaf {
                kind: left.kind.trim_start_matches("case.").to_owned(),
                case: Some(case_pseudonym),
                customer: Some(pseudonym(customer).1),
                at: u64::try_from((left.at_ms + shift) / 1_000)?,
                commitment: commitment(&salt, record.as_bytes()),
                grant: None,
            };
            copied.leaves.push(leaf.encode()?);
            copied.events.push(NewEvent {
                kind: left.kind.clone(),
                version: 1,
                at_ms: left.at_ms + shift,
                data: serde_json::json!({ "salt": text, "data": data }).to_string(),
                leaf: Some(copied.leaves.len() - 1),
            });
        }
        let updated = row
            .get("updated_at")
            .and_then(Value::as_i64)
            .unwrap_or(opened_ms);
        let put = |space, key: String, value: String| RecordWrite {
            space,
            key,
            value: Some(value),
            expected: None,
            expires_ms: None,
        };
        let id = Value::from(case).to_string();
        copied.records = vec![
            put("case", case.to_owned(), row.to_string()),
            put("finished", format!("{updated:016}/{case}"), row.to_string()),
            put("cases_of", format!("{customer}/{opened_ms:016}/{case}"), id),
        ];
        Ok(copied)
    }

    /// Writes so many copies, spread over these customers and the days before the original.
    pub(crate) async fn fill(
        &self,
        journal: &dyn Journal,
        customers: &[String],
        count: usize,
        days: i64,
    ) -> Result<(), Box<dyn Error>> {
        let random = SystemRandom::new();
        let mut salts = || {
            let mut salt = [0; 32];
            random.fill(&mut salt).map_err(|_| "no randomness")?;
            Ok(salt)
        };
        let begin = self.opened_ms - days * 86_400_000;
        let pace = (days * 86_400_000 - 3_600_000) / i64::try_from(count.max(1))?;
        let mut done = 0;
        while done < count {
            let mut batch = Batch::default();
            for number in done..count.min(done + CASES_AT_ONCE) {
                let customer = customers
                    .get(number % customers.len().max(1))
                    .ok_or("no customers")?;
                let opened = begin + pace * i64::try_from(number)?;
                let copied = self.again(
                    customer,
                    &format!("CS-F{number:07}"),
                    opened,
                    &mut salts,
                    false,
                )?;
                let first = batch.leaves.len();
                let mut events = copied.events;
                for event in &mut events {
                    event.leaf = event.leaf.map(|leaf| leaf + first);
                }
                batch.leaves.extend(copied.leaves);
                batch.records.extend(copied.records);
                batch.appends.push(Append {
                    stream: copied.stream,
                    expected: 0,
                    events,
                });
            }
            journal.commit(batch).await?;
            done += CASES_AT_ONCE;
        }
        Ok(())
    }

    /// Fails unless a copy for itself is exactly what the gate wrote.
    pub(crate) async fn is_what_the_gate_wrote(
        &self,
        journal: &dyn Journal,
    ) -> Result<(), Box<dyn Error>> {
        let mut none = || Err("a copy of itself needs no salt".into());
        let copied = self.again(&self.customer, &self.case, self.opened_ms, &mut none, true)?;
        let stored = journal.read(&copied.stream, 0).await?;
        let same = stored.len() == copied.events.len()
            && stored.iter().zip(&copied.events).all(|(stored, ours)| {
                let read = |text: &str| serde_json::from_str::<Value>(text).ok();
                stored.kind == ours.kind
                    && stored.at_ms == ours.at_ms
                    && read(&stored.data) == read(&ours.data)
            });
        if !same {
            return Err("the events of a copy differ from the gate's".into());
        }
        for write in &copied.records {
            let kept = journal.get(write.space, &write.key).await?;
            let kept =
                kept.ok_or_else(|| format!("the gate wrote no `{}/{}`", write.space, write.key))?;
            let read = |text: &str| serde_json::from_str::<Value>(text).ok();
            if read(&kept.value) != write.value.as_deref().and_then(read) {
                return Err(
                    format!("`{}/{}` differs from the gate's", write.space, write.key).into(),
                );
            }
        }
        // Nothing else names the case: what is kept of a finished one is these three records.
        for space in ["open", "wanted", "open_by", "decided_by", "code"] {
            let all = KeyRange {
                from: String::new(),
                to: "\u{10FFFF}".to_owned(),
                reverse: false,
            };
            let named = journal.scan(space, all, usize::MAX).await?;
            if named.iter().any(|record| record.key.contains(&self.case)) {
                return Err(format!("`{space}` names the finished case").into());
            }
        }
        Ok(())
    }
}

fn set(document: &mut Value, name: &str, value: &str) {
    if let Some(member) = document.get_mut(name) {
        *member = value.into();
    }
}

/// Moves every time in a document: whole numbers of milliseconds of this century.
fn shift_times(value: &mut Value, shift: i64) {
    match value {
        Value::Number(number) => {
            let moved = number
                .as_i64()
                .filter(|ms| (946_684_800_000..4_102_444_800_000).contains(ms));
            if let Some(ms) = moved {
                *value = (ms + shift).into();
            }
        }
        Value::Array(all) => all.iter_mut().for_each(|each| shift_times(each, shift)),
        Value::Object(all) => all.values_mut().for_each(|each| shift_times(each, shift)),
        _ => {}
    }
}

/// 16 bytes made of a name, and as text: as long as the gate's, and as little to be guessed by whoever has only the ledger.
fn pseudonym(name: &str) -> (String, [u8; 16]) {
    let mut bytes = [0; 16];
    for (byte, hashed) in bytes.iter_mut().zip(Sha256::digest(name)) {
        *byte = hashed;
    }
    (encode(&bytes), bytes)
}

/// base64url without padding.
fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn decode16(text: &str) -> Result<[u8; 16], Box<dyn Error>> {
    let bytes = URL_SAFE_NO_PAD.decode(text)?;
    Ok(bytes.try_into().map_err(|_| "not 16 bytes")?)
}

fn decode32(text: &str) -> Result<[u8; 32], Box<dyn Error>> {
    let bytes = URL_SAFE_NO_PAD.decode(text)?;
    Ok(bytes.try_into().map_err(|_| "not 32 bytes")?)
}
