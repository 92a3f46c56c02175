//! Letters: notices with their stop links, one-time codes, and word to a contact that was removed.
//!
//! The outbox holds no secret: a stop link or a code is made when the letter
//! leaves, and only its hash is stored. No letter to one contact holds
//! anything of another.

use countersign_cases::{CaseId, Command, ContactId, CustomerId, Refusal, Timestamp};
use countersign_language::{Method, Procedure};
use countersign_store::{Batch, FinishedWork, Work};
use serde::{Deserialize, Serialize};

use crate::{
    adapters::{
        delivery::{Delivery, LaterReason, RefusedReason},
        mailer::Mail,
        tokens::{Token, TokenKind},
    },
    cases::CaseError,
    decisions::{Also, Loaded},
    gate::Gate,
    incidents::{IncidentLetter, StatusNews, SubscriberLetter},
    measures,
    records::{self, Code, Contact, Held, Stop, space},
    speech::{Arg, Language, MomentStyle},
    trouble::Trouble,
    views,
};

/// The queue of letters.
pub(crate) const MAIL: &str = "mail";

/// A letter that could not be handed over for this long is refused for good.
const GIVE_UP_SECONDS: u64 = 24 * 3_600;

/// How long a stop link still says what became of its case, after the case ran out: 90 days.
const STOP_LINK_SECONDS: u64 = 90 * 86_400;

/// A code nobody received in this time is of no use.
const CODE_GIVE_UP_SECONDS: u64 = 5 * 60;

/// A letter to be sent, without anything secret in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "letter", rename_all = "snake_case")]
pub(crate) enum Letter {
    /// What will happen, and how to stop it.
    Notice { case: CaseId, contact: ContactId },
    /// A one-time code.
    Code {
        case: CaseId,
        proof: String,
        contact: ContactId,
        at: Timestamp,
    },
    /// Something was set on the gate's own pages.
    Enrolled {
        customer: CustomerId,
        case: CaseId,
        contact: ContactId,
        label: String,
        at: Timestamp,
    },
    /// This address was removed from an account.
    ContactRemoved {
        customer: CustomerId,
        contact: ContactId,
        at: Timestamp,
    },
    /// What happened to somebody's account in an incident.
    Incident(IncidentLetter),
    /// Word of an incident, to be made into a letter to each subscriber.
    StatusNews(StatusNews),
    /// To somebody who subscribed to the status page, or wants to.
    Subscriber(SubscriberLetter),
}

/// A letter as it leaves.
pub(crate) struct Written {
    pub(crate) subject: String,
    pub(crate) text: String,
}

impl Gate {
    /// Sends one letter, and records what came of it.
    pub(crate) async fn send_letter(&self, work: &Work) -> Result<(), Trouble> {
        let letter: Letter = records::read_json(&work.body)?;
        let outcome = match &letter {
            Letter::Notice { case, contact } => self.send_notice(work, case, contact).await,
            Letter::Code {
                case,
                proof,
                contact,
                at,
            } => self.send_code_letter(work, case, proof, contact, *at).await,
            Letter::Enrolled {
                customer,
                case,
                contact,
                label,
                at,
            } => {
                let origin = &self.settings().origin;
                self.send_word(work, customer, contact, *at, |language, organisation| {
                    enrolled_letter(language, organisation, origin, case, label, *at)
                })
                .await
            }
            Letter::ContactRemoved {
                customer,
                contact,
                at,
            } => self.send_removed(work, customer, contact, *at).await,
            Letter::Incident(letter) => {
                self.send_incident_letter(&work.key, work.attempts, letter)
                    .await
            }
            Letter::StatusNews(news) => self.spread_news(&work.key, news).await,
            Letter::Subscriber(letter) => {
                self.send_to_subscriber(&work.key, work.attempts, letter)
                    .await
            }
        };
        match outcome {
            Ok(()) => Ok(()),
            Err(CaseError::Trouble(trouble)) => Err(trouble),
            // The case or customer is gone or over: nobody needs this letter any more.
            Err(_) => self.finish(MAIL, &work.key, None).await,
        }
    }

    async fn send_notice(
        &self,
        work: &Work,
        case: &CaseId,
        contact: &ContactId,
    ) -> Result<(), CaseError> {
        let loaded = self.load_case(case).await?;
        let Some(notice) = loaded.case.notice_to(contact) else {
            return Err(CaseError::Unknown);
        };
        if notice.answer.is_some() || !loaded.case.state().is_live() {
            return Err(CaseError::Unknown);
        }
        let due_at = notice.due_at;
        let delivery = match loaded
            .customer
            .contacts
            .iter()
            .find(|known| known.id == *contact)
        {
            None => None,
            Some(known) => {
                let token = Token::generate(TokenKind::Stop, self.dice());
                let stop = Stop {
                    case: case.clone(),
                    customer: loaded.row.customer.clone(),
                    contact: contact.clone(),
                };
                // Stored before the letter leaves; a repeat of the letter carries a link of its own, and each works.
                let until = loaded.case.expires_at().plus_seconds(STOP_LINK_SECONDS);
                let write = records::put_until(
                    space::STOP,
                    token.hash().to_string(),
                    &stop,
                    Some(0),
                    until,
                )?;
                self.write_records(vec![write])
                    .await
                    .map_err(Trouble::from)?;
                let language = self.letters_in(&loaded);
                let written = notice_letter(&loaded, language, &self.settings().origin, &token)?;
                Some(
                    self.hand_over(&loaded.procedure, known, &work.key, &written)
                        .await,
                )
            }
        };
        let handed_over = match delivery {
            Some(Delivery::HandedOver) => true,
            Some(Delivery::Refused(_)) | None => false,
            Some(Delivery::TryLater(_)) if loaded.now.seconds_since(due_at) >= GIVE_UP_SECONDS => {
                false
            }
            Some(Delivery::TryLater(_)) => {
                return Ok(self
                    .finish(MAIL, &work.key, Some(again_at(loaded.now, work.attempts)))
                    .await?);
            }
        };
        let told = self
            .apply_with(case, |_| {
                let also = Also {
                    finished: vec![finished(MAIL, &work.key, None)],
                    ..Also::default()
                };
                Ok((
                    Command::Notified {
                        contact: contact.clone(),
                        handed_over,
                    },
                    also,
                ))
            })
            .await;
        match told {
            Ok(_) | Err(CaseError::Refused(Refusal::AlreadyNotified { .. })) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn send_code_letter(
        &self,
        work: &Work,
        case: &CaseId,
        proof: &str,
        contact: &ContactId,
        asked_at: Timestamp,
    ) -> Result<(), CaseError> {
        let loaded = self.load_case(case).await?;
        if !loaded.case.state().is_live()
            || loaded.now.seconds_since(asked_at) >= CODE_GIVE_UP_SECONDS
        {
            return Err(CaseError::Unknown);
        }
        let Some(known) = loaded
            .customer
            .contacts
            .iter()
            .find(|known| known.id == *contact && known.removed_at.is_none())
        else {
            return Err(CaseError::Unknown);
        };
        let key = code_key(case, proof);
        let Some(Held {
            value: record,
            revision,
        }) = self.load::<Code>(space::CODE, &key).await?
        else {
            return Err(CaseError::Unknown);
        };
        if record.asked_at != asked_at {
            // A newer letter is on its way.
            return Err(CaseError::Unknown);
        }
        let (code, stored) =
            self.code_key()
                .issue(self.dice(), &loaded.digest()?.0, proof, loaded.now);
        let until = stored.expires_at;
        let record = Code {
            stored: Some(stored),
            ..record
        };
        let write = records::put_until(
            space::CODE,
            key,
            &record,
            Some(revision),
            loaded.case.expires_at().max(until),
        )?;
        self.write_records(vec![write])
            .await
            .map_err(Trouble::from)?;
        let written = code_letter(
            &loaded,
            self.letters_in(&loaded),
            &self.settings().origin,
            &code.for_message(),
        )?;
        match self
            .hand_over(&loaded.procedure, known, &work.key, &written)
            .await
        {
            Delivery::HandedOver | Delivery::Refused(_) => {
                Ok(self.finish(MAIL, &work.key, None).await?)
            }
            Delivery::TryLater(_) => Ok(self
                .finish(MAIL, &work.key, Some(again_at(loaded.now, work.attempts)))
                .await?),
        }
    }

    async fn send_removed(
        &self,
        work: &Work,
        customer: &CustomerId,
        contact: &ContactId,
        at: Timestamp,
    ) -> Result<(), CaseError> {
        let origin = self.settings().origin.clone();
        self.send_word(work, customer, contact, at, |language, organisation| {
            removed_letter(language, organisation, &origin)
        })
        .await
    }

    /// Word of something that happened: nothing waits for it.
    async fn send_word(
        &self,
        work: &Work,
        customer: &CustomerId,
        contact: &ContactId,
        at: Timestamp,
        written: impl FnOnce(Language, &str) -> Written + Send,
    ) -> Result<(), CaseError> {
        let now = self.now();
        let customer = self
            .load_customer(customer)
            .await?
            .ok_or(CaseError::UnknownCustomer)?
            .value;
        let known = customer
            .contacts
            .iter()
            .find(|known| known.id == *contact)
            .ok_or(CaseError::Unknown)?;
        let language = customer.language.unwrap_or(self.settings().language);
        let written = written(language, &self.procedure().organisation);
        match self
            .hand_over(&self.procedure(), known, &work.key, &written)
            .await
        {
            Delivery::TryLater(_) if now.seconds_since(at) < GIVE_UP_SECONDS => Ok(self
                .finish(MAIL, &work.key, Some(again_at(now, work.attempts)))
                .await?),
            _ => Ok(self.finish(MAIL, &work.key, None).await?),
        }
    }

    /// What letters about a case are written in: what the company said of its customer, else what the opener said, else
    /// the procedure's own language. Never what a browser says: whoever holds somebody's link would choose what they read.
    fn letters_in(&self, loaded: &Loaded) -> Language {
        loaded
            .customer
            .language
            .or(loaded.row.language)
            .unwrap_or(self.settings().language)
    }

    pub(crate) async fn hand_over(
        &self,
        procedure: &Procedure,
        contact: &Contact,
        key: &str,
        written: &Written,
    ) -> Delivery {
        if contact.planted {
            // The address of nobody, which may be somebody's all the same: here every letter to it ends.
            tracing::info!(contact = contact.id.0, "letter handed over");
            return Delivery::HandedOver;
        }
        let delivery = if carried_as_text(procedure, contact) {
            match self.text_gateway() {
                Some(gateway) => {
                    gateway
                        .send(
                            &key.replace(['/', '.', '%'], "_"),
                            &contact.address,
                            &format!("{}\n{}", written.subject, written.text),
                            self.now(),
                        )
                        .await
                }
                None => Delivery::Refused(RefusedReason::Malformed),
            }
        } else {
            match (
                self.mailer(),
                Mail::new(&contact.address, &written.subject, &written.text, key),
            ) {
                (Some(mailer), Ok(mail)) => mailer.send(&mail, self.now()).await,
                _ => Delivery::Refused(RefusedReason::Malformed),
            }
        };
        measures::letter(match delivery {
            Delivery::HandedOver => "handed_over",
            Delivery::Refused(_) => "refused",
            Delivery::TryLater(_) => "later",
        });
        match delivery {
            Delivery::HandedOver => tracing::info!(contact = contact.id.0, "letter handed over"),
            Delivery::Refused(reason) => {
                tracing::warn!(contact = contact.id.0, ?reason, "letter refused for good");
            }
            Delivery::TryLater(reason @ (LaterReason::Unreachable | LaterReason::Answered(_))) => {
                tracing::warn!(
                    contact = contact.id.0,
                    ?reason,
                    "letter not handed over yet"
                );
            }
        }
        delivery
    }

    /// Finishes work for good, or moves it.
    pub(crate) async fn finish(
        &self,
        queue: &'static str,
        key: &str,
        again_at: Option<Timestamp>,
    ) -> Result<(), Trouble> {
        let batch = Batch {
            finished: vec![finished(queue, key, again_at)],
            ..Batch::default()
        };
        self.commit(batch).await.map(|_| ()).map_err(Trouble::from)
    }
}

/// Key of the record of a code.
pub(crate) fn code_key(case: &CaseId, proof: &str) -> String {
    format!("{}/{}", records::part(&case.0), records::part(proof))
}

pub(crate) fn finished(
    queue: &'static str,
    key: &str,
    again_at: Option<Timestamp>,
) -> FinishedWork {
    FinishedWork {
        queue,
        key: key.to_owned(),
        again_at_ms: again_at.map(|at| at.0),
        must_exist: false,
    }
}

/// When to try again: 5 s, 10 s, 20 s … at most 15 minutes.
pub(crate) fn again_at(now: Timestamp, attempts: u32) -> Timestamp {
    now.plus_seconds((5 << attempts.min(8)).min(900))
}

/// Whether a contact is reached by text message: its channel is shown by a `text` proof and no `mail` proof, or its address is no mail address.
fn carried_as_text(procedure: &Procedure, contact: &Contact) -> bool {
    let channel = procedure.holding_named(&contact.channel);
    let by = |method: Method| {
        procedure
            .proofs
            .iter()
            .any(|proof| Some(proof.shows) == channel && proof.using == Some(method))
    };
    match (by(Method::Mail), by(Method::Text)) {
        (true, false) => false,
        (false, true) => true,
        _ => !contact.address.contains('@'),
    }
}

fn notice_letter(
    loaded: &Loaded,
    language: Language,
    origin: &str,
    token: &Token,
) -> Result<Written, CaseError> {
    let (opened, action) = views::opened_action(loaded)?;
    let words = views::withheld_sentence(loaded)?;
    let organisation = ("organisation", Arg::Text(&loaded.procedure.organisation));
    let asked = written_time(opened.at, language);
    // The words are what is signed: they stand on a line of their own, and go through no message.
    Ok(Written {
        subject: language.tell(
            "letter-notice-subject",
            &[organisation, ("action", Arg::Text(&action.label))],
        ),
        text: format!(
            "{first}\n\n    {words}\n\n{stop}\n{origin}/v/{token}\n\n{last}\n{who}",
            who = who_is_it(language, &loaded.procedure.organisation, origin),
            first = language.tell("letter-notice-first", &[organisation]),
            stop = language.say("letter-notice-stop"),
            token = token.expose(),
            last = language.tell(
                "letter-notice-asked",
                &[
                    ("at", Arg::Text(&asked)),
                    ("case", Arg::Text(&opened.case.0)),
                ],
            ),
        ),
    })
}

fn code_letter(
    loaded: &Loaded,
    language: Language,
    origin: &str,
    code: &str,
) -> Result<Written, CaseError> {
    let (opened, _) = views::opened_action(loaded)?;
    let words = views::withheld_sentence(loaded)?;
    let organisation = ("organisation", Arg::Text(&loaded.procedure.organisation));
    Ok(Written {
        subject: language.tell(
            "letter-code-subject",
            &[organisation, ("case", Arg::Text(&opened.case.0))],
        ),
        text: format!(
            "{code}\n\n{first}\n\n    {words}\n\n{last}\n{who}",
            who = who_is_it(language, &loaded.procedure.organisation, origin),
            first = language.say("letter-code-first"),
            last = language.tell("letter-code-last", &[organisation]),
        ),
    })
}

fn removed_letter(language: Language, name: &str, origin: &str) -> Written {
    let organisation = [("organisation", Arg::Text(name))];
    Written {
        subject: language.tell("letter-removed-subject", &organisation),
        text: format!(
            "{first}\n\n{last}\n{who}",
            first = language.tell("letter-removed-first", &organisation),
            last = language.tell("letter-removed-last", &organisation),
            who = who_is_it(language, name, origin),
        ),
    }
}

fn enrolled_letter(
    language: Language,
    name: &str,
    origin: &str,
    case: &CaseId,
    label: &str,
    at: Timestamp,
) -> Written {
    let organisation = ("organisation", Arg::Text(name));
    let at = written_time(at, language);
    Written {
        subject: language.tell(
            "letter-enrolled-subject",
            &[organisation, ("label", Arg::Text(label))],
        ),
        text: format!(
            "{first}\n\n    {label}\n\n{last}\n{never}\n{who}",
            first = language.tell(
                "letter-enrolled-first",
                &[organisation, ("at", Arg::Text(&at))],
            ),
            last = language.tell(
                "letter-enrolled-last",
                &[organisation, ("case", Arg::Text(&case.0))],
            ),
            never = language.say("frame-never-aloud"),
            who = who_is_it(language, name, origin),
        ),
    }
}

/// The last line of every letter: where one looks up who is on the telephone.
pub(crate) fn who_is_it(language: Language, organisation: &str, origin: &str) -> String {
    let asks = language.tell("letter-who", &[("organisation", Arg::Text(organisation))]);
    format!("{asks} {origin}/is-it-us\n")
}

/// `23 November 2026, 10:31 UTC`
pub(crate) fn written_time(at: Timestamp, language: Language) -> String {
    let moment = jiff::Timestamp::from_millisecond(at.0).unwrap_or_default();
    language.moment(
        &moment.to_zoned_datetime(jiff::tz::TimeZone::UTC),
        MomentStyle::Letter,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tries_grow_further_apart_and_never_stop_growing_wild() {
        let now = Timestamp(0);
        assert_eq!(again_at(now, 0), Timestamp(5_000));
        assert_eq!(again_at(now, 3), Timestamp(40_000));
        assert_eq!(again_at(now, u32::MAX), Timestamp(900_000));
    }

    #[test]
    fn times_are_written_for_people() {
        assert_eq!(
            written_time(Timestamp(1_795_429_860_000), Language::English),
            "23 November 2026, 10:31 UTC"
        );
    }
}
