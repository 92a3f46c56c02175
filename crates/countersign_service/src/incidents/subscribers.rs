//! Subscriptions to the status page by mail: asked for on the page, confirmed from the mailbox, left with one click.
//!
//! Nobody learns from an answer, nor from how long it took, whether an address
//! is subscribed: every request does the same, and what differs stands in the
//! letter alone. An address that was never confirmed is forgotten after a day.

use aws_lc_rs::hmac;
use countersign_cases::Timestamp;
use countersign_store::{Batch, KeyRange, NewWork};
use serde::{Deserialize, Serialize};

use super::{Phase, letters::StatusNews};
use crate::{
    adapters::{
        delivery::Delivery,
        mailer::Mail,
        tokens::{Token, TokenHash, TokenKind},
    },
    cases::CaseError,
    gate::Gate,
    notices::{self, Letter, MAIL, again_at, written_time},
    records::{self, Held, space},
    shell::Tries,
    speech::{Arg, Key, Language},
    trouble::Trouble,
};

/// How long one may confirm.
const CONFIRM_SECONDS: u64 = 86_400;

/// An address is written to once in this long, however often it is typed in.
const AGAIN_SECONDS: u64 = 15 * 60;

/// A letter that could not be handed over for this long is refused for good.
const GIVE_UP_SECONDS: u64 = 86_400;

/// Subscribers that are written to in one commit.
const PAGE: usize = 200;

/// Longest address (RFC 5321 §4.5.3.1.3).
const ADDRESS_BYTES_MAX: usize = 254;

/// Why a subscription was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SubscriptionError {
    /// This is no mail address, whoever's it might be.
    #[error("this is not a mail address")]
    Address,
    /// The store.
    #[error(transparent)]
    Trouble(#[from] Trouble),
}

/// What became of a confirmation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confirmed {
    /// Subscribed.
    Yes,
    /// The link ran out, was used, or never was.
    LinkGone,
}

/// A subscriber.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Subscriber {
    address: String,
    language: Language,
    asked_at: Timestamp,
    confirmed_at: Option<Timestamp>,
}

/// What a link in a letter to a subscriber does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Subscription {
    subscriber: String,
    leaves: bool,
}

/// A letter to a subscriber.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SubscriberLetter {
    pub(crate) subscriber: String,
    pub(crate) at: Timestamp,
    /// What happened; `None` for the letter that asks to confirm.
    pub(crate) news: Option<StatusNews>,
}

struct Written {
    subject: String,
    text: String,
    leave: Option<String>,
}

impl Gate {
    /// Somebody typed an address in. A letter goes there, and nothing happens until somebody who reads it presses a button.
    ///
    /// # Errors
    /// [`SubscriptionError::Address`], which looks at its form alone.
    pub async fn subscribe(
        &self,
        address: &str,
        language: Language,
    ) -> Result<(), SubscriptionError> {
        let address = address.trim();
        if address.len() > ADDRESS_BYTES_MAX || Mail::new(address, "x", "x", "x").is_err() {
            return Err(SubscriptionError::Address);
        }
        let key = self.subscriber_key(address);
        let mut tries = Tries::default();
        loop {
            let now = self.now();
            let held = self.load::<Subscriber>(space::SUBSCRIBER, &key).await?;
            let revision = held.as_ref().map_or(0, |held| held.revision);
            let known = held.map(|held| held.value);
            let asked_lately = known
                .as_ref()
                .is_some_and(|known| now.seconds_since(known.asked_at) < AGAIN_SECONDS);
            let confirmed_at = known.as_ref().and_then(|known| known.confirmed_at);
            let subscriber = Subscriber {
                address: address.to_owned(),
                language: known.as_ref().map_or(language, |known| known.language),
                asked_at: match known {
                    Some(known) if asked_lately => known.asked_at,
                    _ => now,
                },
                confirmed_at,
            };
            let mut write =
                records::put(space::SUBSCRIBER, key.clone(), &subscriber, Some(revision))?;
            if confirmed_at.is_none() {
                write.expires_ms = Some(now.plus_seconds(CONFIRM_SECONDS).0);
            }
            let mut batch = Batch {
                records: vec![write],
                ..Batch::default()
            };
            if !asked_lately {
                let letter = SubscriberLetter {
                    subscriber: key.clone(),
                    at: now,
                    news: None,
                };
                batch.work.push(work(&letter, &format!("asked/{}", now.0))?);
            }
            if self.committed(batch, &mut tries).await? {
                return Ok(());
            }
        }
    }

    /// Somebody who read the letter confirmed.
    ///
    /// # Errors
    /// [`Trouble`] of the store.
    pub async fn confirm_subscription(&self, token: &str) -> Result<Confirmed, Trouble> {
        let Some(hash) = TokenHash::of(TokenKind::Subscription, token) else {
            return Ok(Confirmed::LinkGone);
        };
        let mut tries = Tries::default();
        loop {
            let now = self.now();
            let found = self
                .load::<Subscription>(space::SUBSCRIPTION, &hash.to_string())
                .await?;
            let Some(link) = found.filter(|held| !held.value.leaves) else {
                return Ok(Confirmed::LinkGone);
            };
            let key = link.value.subscriber;
            let Some(Held {
                value: mut subscriber,
                revision,
            }) = self.load::<Subscriber>(space::SUBSCRIBER, &key).await?
            else {
                return Ok(Confirmed::LinkGone);
            };
            subscriber.confirmed_at = subscriber.confirmed_at.or(Some(now));
            let leaves = Subscription {
                subscriber: key.clone(),
                leaves: true,
            };
            let leave = self.leave_token(&key, &subscriber);
            let batch = Batch {
                records: vec![
                    records::put(space::SUBSCRIBER, key, &subscriber, Some(revision))?,
                    records::remove(space::SUBSCRIPTION, hash.to_string(), Some(link.revision)),
                    records::put(space::SUBSCRIPTION, leave.hash().to_string(), &leaves, None)?,
                ],
                ..Batch::default()
            };
            if self.committed(batch, &mut tries).await? {
                return Ok(Confirmed::Yes);
            }
        }
    }

    /// Somebody left, by the link in any letter. A link that is not one, or was used, changes nothing and looks the same.
    ///
    /// # Errors
    /// [`Trouble`] of the store.
    pub async fn leave_subscription(&self, token: &str) -> Result<(), Trouble> {
        let Some(hash) = TokenHash::of(TokenKind::Subscription, token) else {
            return Ok(());
        };
        let mut tries = Tries::default();
        loop {
            let found = self
                .load::<Subscription>(space::SUBSCRIPTION, &hash.to_string())
                .await?;
            let Some(link) = found.filter(|held| held.value.leaves) else {
                return Ok(());
            };
            let key = link.value.subscriber;
            let batch = Batch {
                records: vec![
                    records::remove(space::SUBSCRIPTION, hash.to_string(), Some(link.revision)),
                    records::remove(space::SUBSCRIBER, key, None),
                ],
                ..Batch::default()
            };
            if self.committed(batch, &mut tries).await? {
                return Ok(());
            }
        }
    }

    /// One piece of news becomes a letter to each subscriber, a page of them in one commit.
    pub(crate) async fn spread_news(&self, key: &str, news: &StatusNews) -> Result<(), CaseError> {
        let now = self.now();
        let range = KeyRange {
            // The least key after that one: keys hold nothing below a space.
            from: news
                .after
                .as_ref()
                .map_or_else(String::new, |after| format!("{after} ")),
            ..records::beginning_with("", false)
        };
        let found = self
            .journal()
            .scan(space::SUBSCRIBER, range, PAGE)
            .await
            .map_err(Trouble::from)?;
        let mut batch = Batch::default();
        for record in &found {
            let subscriber: Subscriber = records::read_json(&record.value)?;
            if subscriber.confirmed_at.is_some() {
                let letter = SubscriberLetter {
                    subscriber: record.key.clone(),
                    at: now,
                    news: Some(news.clone()),
                };
                batch.work.push(work(&letter, &key.replace('/', "-"))?);
            }
        }
        if let (Some(last), true) = (found.last(), found.len() == PAGE) {
            let rest = StatusNews {
                after: Some(last.key.clone()),
                ..news.clone()
            };
            batch.work.push(NewWork {
                queue: MAIL,
                key: format!("{key}+"),
                due_ms: now.0,
                body: records::write_json(&Letter::StatusNews(rest))?,
            });
        }
        batch.finished.push(notices::finished(MAIL, key, None));
        self.commit(batch).await.map_err(Trouble::from)?;
        self.bells().ring(MAIL);
        Ok(())
    }

    /// Writes to one subscriber.
    pub(crate) async fn send_to_subscriber(
        &self,
        key: &str,
        attempts: u32,
        letter: &SubscriberLetter,
    ) -> Result<(), CaseError> {
        let now = self.now();
        let held = self
            .load::<Subscriber>(space::SUBSCRIBER, &letter.subscriber)
            .await?;
        // Left, or never confirmed: nobody wants this letter any more.
        let subscriber = held.ok_or(CaseError::Unknown)?.value;
        let written = match &letter.news {
            Some(news) if subscriber.confirmed_at.is_some() => {
                self.news_letter(&letter.subscriber, &subscriber, news)
                    .await?
            }
            Some(_) => return Err(CaseError::Unknown),
            None => self.asked_letter(&letter.subscriber, &subscriber).await?,
        };
        let mail = Mail::new(&subscriber.address, &written.subject, &written.text, key);
        let delivery = match (self.mailer(), mail) {
            (Some(mailer), Ok(mail)) => {
                let mail = match written.leave {
                    Some(leave) => mail.with_leave(&leave),
                    None => mail,
                };
                mailer.send(&mail, now).await
            }
            _ => return Err(CaseError::Unknown),
        };
        let later = matches!(delivery, Delivery::TryLater(_))
            && now.seconds_since(letter.at) < GIVE_UP_SECONDS;
        Ok(self
            .finish(MAIL, key, later.then(|| again_at(now, attempts)))
            .await?)
    }

    async fn asked_letter(&self, key: &str, subscriber: &Subscriber) -> Result<Written, CaseError> {
        let language = subscriber.language;
        let procedure = self.procedure();
        let organisation = [("organisation", Arg::Text(&procedure.organisation))];
        let origin = &self.settings().origin;
        if subscriber.confirmed_at.is_some() {
            let leave = self.leave_url(key, subscriber);
            return Ok(Written {
                subject: language.tell("letter-subscribed-subject", &organisation),
                text: format!(
                    "{}\n\n{}\n{leave}\n",
                    language.tell("letter-subscribed-first", &organisation),
                    language.say("letter-status-leave"),
                ),
                leave: Some(leave),
            });
        }
        let token = Token::generate(TokenKind::Subscription, self.dice());
        let link = Subscription {
            subscriber: key.to_owned(),
            leaves: false,
        };
        // Stored before the letter leaves; a repeat of the letter carries a link of its own, and each works.
        let until = self.now().plus_seconds(CONFIRM_SECONDS);
        let write = records::put_until(
            space::SUBSCRIPTION,
            token.hash().to_string(),
            &link,
            Some(0),
            until,
        )?;
        self.write_records(vec![write])
            .await
            .map_err(Trouble::from)?;
        Ok(Written {
            subject: language.tell("letter-subscribe-subject", &organisation),
            text: format!(
                "{}\n\n{origin}/status/confirm/{}\n\n{}\n",
                language.tell("letter-subscribe-first", &organisation),
                token.expose(),
                language.say("letter-subscribe-last"),
            ),
            leave: None,
        })
    }

    async fn news_letter(
        &self,
        key: &str,
        subscriber: &Subscriber,
        news: &StatusNews,
    ) -> Result<Written, CaseError> {
        let language = subscriber.language;
        let incident = self
            .load_incident(&news.incident)
            .await
            .map_err(|_| CaseError::Unknown)?
            .value;
        let procedure = self.procedure();
        let origin = &self.settings().origin;
        let (headline, said) = if news.statement {
            let published = incident
                .published
                .iter()
                .find(|published| published.version == news.number)
                .ok_or(CaseError::Unknown)?;
            let texts = &published.texts;
            let said = if texts.mail.trim().is_empty() {
                &texts.blog
            } else {
                &texts.mail
            };
            (language.say("status-statement"), said.clone())
        } else {
            let update = incident
                .updates
                .iter()
                .find(|update| update.update == news.number)
                .ok_or(CaseError::Unknown)?;
            let mut said = format!(
                "{}\n\n{}",
                language.say(phase_key(update.phase)),
                update.text
            );
            if let Some(next) = update.next_at {
                let when = written_time(next, language);
                said.push_str("\n\n");
                said.push_str(&language.tell("status-next", &[("when", Arg::Text(&when))]));
            }
            (update.headline.clone(), said)
        };
        let leave = self.leave_url(key, subscriber);
        Ok(Written {
            subject: language.tell(
                "letter-status-subject",
                &[
                    ("organisation", Arg::Text(&procedure.organisation)),
                    ("headline", Arg::Text(&headline)),
                ],
            ),
            text: format!(
                "{headline}\n\n{said}\n\n{origin}/status/{}\n\n{}\n{leave}\n",
                incident.id,
                language.say("letter-status-leave"),
            ),
            leave: Some(leave),
        })
    }

    fn leave_url(&self, key: &str, subscriber: &Subscriber) -> String {
        let token = self.leave_token(key, subscriber);
        format!("{}/status/leave/{}", self.settings().origin, token.expose())
    }

    /// The same in every letter of one subscription, and another after it was left and confirmed again.
    fn leave_token(&self, key: &str, subscriber: &Subscriber) -> Token {
        let since = subscriber.confirmed_at.unwrap_or(subscriber.asked_at).0;
        Token::derived(
            TokenKind::Subscription,
            self.tag("countersign/leave/v1", &format!("{key}\0{since}")),
        )
    }

    /// Keyed, so that a list of keys tells nobody's address.
    fn subscriber_key(&self, address: &str) -> String {
        let small = address.to_lowercase();
        countersign_cases::Digest(self.tag("countersign/subscriber/v1", &small)).to_string()
    }

    fn tag(&self, domain: &str, said: &str) -> [u8; 32] {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.settings().keys.seal);
        let tag = hmac::sign(&key, format!("{domain}\0{said}").as_bytes());
        let mut bytes = [0; 32];
        bytes
            .iter_mut()
            .zip(tag.as_ref())
            .for_each(|(to, from)| *to = *from);
        bytes
    }
}

fn work(letter: &SubscriberLetter, what: &str) -> Result<NewWork, Trouble> {
    Ok(NewWork {
        queue: MAIL,
        key: format!("subscriber/{}/{what}", letter.subscriber),
        due_ms: letter.at.0,
        body: records::write_json(&Letter::Subscriber(letter.clone()))?,
    })
}

/// How a phase reads.
pub(crate) fn phase_key(phase: Phase) -> Key {
    match phase {
        Phase::Looking => Key("status-looking"),
        Phase::Found => Key("status-found"),
        Phase::Watching => Key("status-watching"),
        Phase::Over => Key("status-over"),
    }
}
