//! Requests that may be repeated: the same key and body get the first answer, another body is refused.

use countersign_cases::Timestamp;
use countersign_store::CommitError;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{
    gate::Gate,
    records::{self, Held, space},
    trouble::Trouble,
};

/// How long an answer is remembered, in seconds: a day.
const REMEMBERED_SECONDS: u64 = 24 * 3_600;

/// A request that never finished may be made again after this many seconds.
const ABANDONED_SECONDS: u64 = 120;

/// Longest key, in characters.
pub const IDEMPOTENCY_KEY_CHARS_MAX: usize = 255;

/// An answer as it was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Body.
    pub body: String,
}

/// What is known of a key.
#[derive(Debug)]
pub enum Idempotent {
    /// Not seen: do it, then [`Gate::remember_answer`].
    First(Reserved),
    /// Done before with this very body: this was the answer.
    Repeat(Answer),
    /// Used before with another body.
    OtherBody,
    /// The first request is still under way.
    UnderWay,
}

/// A key that is being used for the first time.
#[derive(Debug)]
pub struct Reserved {
    key: String,
    revision: u64,
    body: String,
    since: Timestamp,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Remembered {
    body: String,
    since: Timestamp,
    /// The [`Answer`], sealed: it may hold a link, and links are stored nowhere else but as hashes.
    answer: Option<String>,
}

impl Gate {
    /// Looks a key up and reserves it. `scope` is the caller and the route, so that two callers never share a key.
    pub async fn idempotent(
        &self,
        scope: &str,
        key: &str,
        body: &[u8],
    ) -> Result<Idempotent, Trouble> {
        let now = self.now();
        let body = countersign_cases::Digest(Sha256::digest(body).into()).to_string();
        let key = format!(
            "{}/{}",
            records::part(scope),
            records::part(
                &key.chars()
                    .take(IDEMPOTENCY_KEY_CHARS_MAX)
                    .collect::<String>()
            )
        );
        let held = self.load::<Remembered>(space::IDEMPOTENT, &key).await?;
        let revision = match held {
            None => 0,
            Some(Held { value, .. }) if value.body != body => return Ok(Idempotent::OtherBody),
            Some(Held {
                value:
                    Remembered {
                        answer: Some(answer),
                        ..
                    },
                ..
            }) => {
                let answer = self.unseal_bytes(key.as_bytes(), &answer)?;
                let answer = String::from_utf8(answer)
                    .map_err(|error| Trouble::Damaged(error.to_string()))?;
                return Ok(Idempotent::Repeat(records::read_json(&answer)?));
            }
            Some(Held { value, .. }) if now.seconds_since(value.since) < ABANDONED_SECONDS => {
                return Ok(Idempotent::UnderWay);
            }
            Some(Held { revision, .. }) => revision,
        };
        let remembered = Remembered {
            body: body.clone(),
            since: now,
            answer: None,
        };
        let write = records::put_until(
            space::IDEMPOTENT,
            key.clone(),
            &remembered,
            Some(revision),
            now.plus_seconds(REMEMBERED_SECONDS),
        )?;
        match self.write_records(vec![write]).await {
            Ok(()) => Ok(Idempotent::First(Reserved {
                key,
                revision: revision + 1,
                body,
                since: now,
            })),
            Err(CommitError::Conflict { .. }) => Ok(Idempotent::UnderWay),
            Err(error) => Err(error.into()),
        }
    }

    /// Remembers the answer of a first request.
    pub async fn remember_answer(&self, reserved: Reserved, answer: Answer) -> Result<(), Trouble> {
        let Reserved {
            key,
            revision,
            body,
            since,
        } = reserved;
        let sealed = self.seal_bytes(key.as_bytes(), records::write_json(&answer)?.as_bytes())?;
        let remembered = Remembered {
            body,
            since,
            answer: Some(sealed),
        };
        let until = self.now().plus_seconds(REMEMBERED_SECONDS);
        let write = records::put_until(space::IDEMPOTENT, key, &remembered, Some(revision), until)?;
        match self.write_records(vec![write]).await {
            // Taken over after two minutes of silence: the later answer stands.
            Ok(()) | Err(CommitError::Conflict { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Gives a key back whose request changed nothing, so that it can be tried again.
    pub async fn forget_key(&self, reserved: Reserved) -> Result<(), Trouble> {
        match self
            .write_records(vec![records::remove(
                space::IDEMPOTENT,
                reserved.key,
                Some(reserved.revision),
            )])
            .await
        {
            Ok(()) | Err(CommitError::Conflict { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}
