//! Requests that may be repeated: the same key and body get the first answer, another body is refused.

use countersign_cases::Timestamp;
use countersign_store::{CommitError, RecordWrite};
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

/// A key that is being used for the first time. From [`Gate::look_up_key`] it is not written down yet.
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

/// How a request that is one commit remembers its answer in that commit, and needs no other: a request with the same key that
/// was a moment faster makes it fail, and nothing was done.
pub(crate) struct InOneCommit<'a, T> {
    pub(crate) key: &'a Reserved,
    /// The answer that will be given, from what was done; `None` to remember nothing.
    pub(crate) answer: &'a (dyn Fn(&T) -> Option<Answer> + Send + Sync),
}

impl<T> Clone for InOneCommit<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for InOneCommit<'_, T> {}

impl Gate {
    /// Looks a key up and reserves it. `scope` is the caller and the route, so that two callers never share a key.
    pub async fn idempotent(
        &self,
        scope: &str,
        key: &str,
        body: &[u8],
    ) -> Result<Idempotent, Trouble> {
        let Reserved {
            key,
            revision,
            body,
            since,
        } = match self.look_up_key(scope, key, body).await? {
            Idempotent::First(unwritten) => unwritten,
            known => return Ok(known),
        };
        let remembered = Remembered {
            body: body.clone(),
            since,
            answer: None,
        };
        let write = records::put_until(
            space::IDEMPOTENT,
            key.clone(),
            &remembered,
            Some(revision),
            since.plus_seconds(REMEMBERED_SECONDS),
        )?;
        match self.write_records(vec![write]).await {
            Ok(()) => Ok(Idempotent::First(Reserved {
                key,
                revision: revision + 1,
                body,
                since,
            })),
            Err(CommitError::Conflict { .. }) => Ok(Idempotent::UnderWay),
            Err(error) => Err(error.into()),
        }
    }

    /// Looks a key up and writes nothing: for a request that remembers its answer in its own commit.
    pub async fn look_up_key(
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
        Ok(Idempotent::First(Reserved {
            key,
            revision,
            body,
            since: now,
        }))
    }

    /// Remembers the answer of a first request.
    pub async fn remember_answer(&self, reserved: Reserved, answer: Answer) -> Result<(), Trouble> {
        let write = self.answered(&reserved, &answer)?;
        match self.write_records(vec![write]).await {
            // Taken over after two minutes of silence: the later answer stands.
            Ok(()) | Err(CommitError::Conflict { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// The answer, to be written where nobody has used the key meanwhile.
    pub(crate) fn answered(
        &self,
        reserved: &Reserved,
        answer: &Answer,
    ) -> Result<RecordWrite, Trouble> {
        let key = &reserved.key;
        let sealed = self.seal_bytes(key.as_bytes(), records::write_json(answer)?.as_bytes())?;
        let remembered = Remembered {
            body: reserved.body.clone(),
            since: reserved.since,
            answer: Some(sealed),
        };
        let until = self.now().plus_seconds(REMEMBERED_SECONDS);
        records::put_until(
            space::IDEMPOTENT,
            key.clone(),
            &remembered,
            Some(reserved.revision),
            until,
        )
    }

    /// Whether somebody has used a key since it was looked up.
    pub(crate) async fn is_used(&self, reserved: &Reserved) -> Result<bool, Trouble> {
        let held = self
            .load::<Remembered>(space::IDEMPOTENT, &reserved.key)
            .await?;
        Ok(held.map_or(0, |held| held.revision) != reserved.revision)
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
