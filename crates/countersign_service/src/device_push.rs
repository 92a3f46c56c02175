//! Proofs by a push to the customer's device: OpenID CIBA in poll mode.
//!
//! The customer's POST only queues the push; the worker asks the provider,
//! polls at the pace it names, and takes the proof. So a push outlives a
//! restart of the gate, and the page answers in the same time whether there is
//! a device or not. The device shows the action sentence. A "no" on the device
//! is the customer's own stop. Nothing is polled once the case is over.

use countersign_cases::{CaseId, Command, Digest, Refusal, Stopper, Timestamp};
use countersign_language::Method;
use countersign_store::{Batch, NewWork, Work};
use serde::{Deserialize, Serialize};

use crate::{
    adapters::openid::{Polled, ProviderError, SLOW_DOWN_SECONDS, Tokens},
    cases::CaseError,
    company_proof::{acr_values, is_account},
    decisions::Loaded,
    gate::Gate,
    notices::{code_key, finished},
    proofs::{Answered, ProofError, Uses, account_of, may_try, shown_by},
    records::{self, Held, Push, PushEnd, PushStage, space},
    sessions::CustomerSeat,
    shell::{Entry, Tries},
    trouble::Trouble,
};

/// The queue of pushes.
pub(crate) const PUSH: &str = "push";

/// How long a customer has to answer on the device, in seconds.
const ANSWER_SECONDS: u64 = 3 * 60;

/// Pause after a provider that did not answer, in seconds.
const AFTER_TROUBLE_SECONDS: u64 = 10;

/// Hexadecimal digits of the digest behind a sentence that was cut.
const DIGEST_CHARS: usize = 6;

/// How a push stands, for the customer's page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeviceStanding {
    /// Where it stands.
    pub stage: DeviceStage,
    /// What the device shows.
    pub message: String,
    /// Until when it can be answered.
    pub until: Timestamp,
    /// From when another can be asked for; `None` if no more are sent for this case.
    pub again_at: Option<Timestamp>,
}

/// Where a push stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviceStage {
    /// The customer has not answered yet.
    Waiting,
    /// The customer said yes, and it counts.
    Proved,
    /// The customer said no.
    Denied,
    /// Nobody answered in time.
    RanOut,
    /// Somebody answered, and it does not count.
    NotRight,
    /// The device did not ask for as much as this needs.
    TooWeak,
    /// It did not work, and it is not the customer's fault.
    Failed,
}

/// What the work entry says; everything else is in the record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Following {
    case: CaseId,
    proof: String,
    /// Which push: an older entry has nothing to do with a newer one.
    asked_at: Timestamp,
}

impl Gate {
    /// Asks the app on the customer's device. Gives nothing away: it looks the same for a customer who has none.
    pub async fn ask_device(&self, seat: &CustomerSeat, proof: &str) -> Result<(), ProofError> {
        let mut tries = Tries::default();
        loop {
            let loaded = self.load_case(seat.case()).await?;
            let (id, method) = self.asked(&loaded, proof)?;
            let (_, settings) = self
                .company_provider()
                .filter(|_| method == Method::Ciba)
                .ok_or(ProofError::NotAsked)?;
            let digest = loaded.digest()?;
            let silent = match may_try(&loaded, id, digest) {
                Ok(()) => account_of(&loaded, id).is_none(),
                Err(Refusal::ProofLocked { .. } | Refusal::NotHeld { .. }) => true,
                Err(refusal) => return Err(refusal.into()),
            };
            let key = code_key(seat.case(), proof);
            let held = self.load::<Push>(space::PUSH, &key).await?;
            let revision = held.as_ref().map_or(0, |held| held.revision);
            let asked = held.as_ref().map_or(0, |held| held.value.asked);
            if let Some(Held { value: push, .. }) = &held {
                let again_at = self.again_at(push);
                if loaded.now < again_at {
                    return Err(ProofError::TooSoon { again_at });
                }
                if asked >= self.settings().limits.codes_max {
                    return Err(ProofError::NoMoreCodes);
                }
            }
            let now = loaded.now;
            let sentence = loaded.case.opened().map(|opened| opened.sentence.as_str());
            let push = Push {
                case: seat.case().clone(),
                proof: proof.to_owned(),
                digest,
                seat: *seat.key(),
                message: binding_message(
                    sentence.unwrap_or_default(),
                    &digest,
                    settings.message_chars,
                ),
                asked_at: now,
                until: now.plus_seconds(ANSWER_SECONDS),
                asked: asked + 1,
                stage: if silent {
                    PushStage::Silent
                } else {
                    PushStage::New
                },
            };
            let mut batch = Batch {
                records: vec![push_record(&loaded, key, &push, revision)?],
                work: vec![work_for(&push)?],
                ..Batch::default()
            };
            self.log_push(&mut batch, &loaded, &push, "customer.device_asked")
                .await?;
            if self.committed(batch, &mut tries).await? {
                return Ok(());
            }
        }
    }

    /// How the newest push for this proof stands; `None` if there was none, or it was asked for from another seat.
    pub async fn device_standing(
        &self,
        seat: &CustomerSeat,
        proof: &str,
    ) -> Result<Option<DeviceStanding>, Trouble> {
        let held = self
            .load::<Push>(space::PUSH, &code_key(seat.case(), proof))
            .await?;
        let limits = &self.settings().limits;
        Ok(held
            .map(|held| held.value)
            .filter(|push| push.seat == *seat.key())
            .map(|push| DeviceStanding {
                stage: match &push.stage {
                    PushStage::Over(end) => match end {
                        PushEnd::Proved => DeviceStage::Proved,
                        PushEnd::Denied => DeviceStage::Denied,
                        PushEnd::RanOut => DeviceStage::RanOut,
                        PushEnd::NotRight => DeviceStage::NotRight,
                        PushEnd::TooWeak => DeviceStage::TooWeak,
                        PushEnd::Failed => DeviceStage::Failed,
                    },
                    _ if self.now() >= push.until => DeviceStage::RanOut,
                    _ => DeviceStage::Waiting,
                },
                again_at: (push.asked < limits.codes_max).then(|| self.again_at(&push)),
                until: push.until,
                message: push.message,
            }))
    }

    /// When another push can be asked for: while one waits there is no second.
    fn again_at(&self, push: &Push) -> Timestamp {
        let soonest = push
            .asked_at
            .plus_seconds(self.settings().limits.code_again_seconds);
        match push.stage {
            PushStage::Over(_) => soonest,
            _ => soonest.max(push.until),
        }
    }

    /// The worker's part: asks the provider, or asks what became of it.
    pub(crate) async fn follow_push(&self, work: &Work) -> Result<(), Trouble> {
        let following: Following = records::read_json(&work.body)?;
        let key = code_key(&following.case, &following.proof);
        let held = self.load::<Push>(space::PUSH, &key).await?;
        let Some(held) = held.filter(|held| held.value.asked_at == following.asked_at) else {
            return self.finish(PUSH, &work.key, None).await;
        };
        let loaded = match self.load_case(&following.case).await {
            Ok(loaded) => loaded,
            Err(CaseError::Trouble(trouble)) => return Err(trouble),
            // Erased: there is nobody to ask for.
            Err(_) => return self.finish(PUSH, &work.key, None).await,
        };
        let push = &held.value;
        let over = matches!(push.stage, PushStage::Over(_));
        // What ended, or was proved some other way, needs no answer any more: not one question more is asked.
        if over
            || !loaded.case.state().is_live()
            || loaded.case.confirmed_at().is_some()
            || loaded.digest()? != push.digest
        {
            return self.finish(PUSH, &work.key, None).await;
        }
        if loaded.now >= push.until {
            return self
                .push_over(&loaded, &held, PushEnd::RanOut, &work.key)
                .await;
        }
        match &push.stage {
            PushStage::Silent | PushStage::Over(_) => {
                self.finish(PUSH, &work.key, Some(push.until)).await
            }
            PushStage::New => self.send_push(&loaded, &held, &work.key).await,
            PushStage::Sent {
                auth_req_id,
                interval_seconds,
            } => {
                self.poll_push(&loaded, &held, auth_req_id, *interval_seconds, &work.key)
                    .await
            }
        }
    }

    async fn send_push(
        &self,
        loaded: &Loaded,
        held: &Held<Push>,
        work: &str,
    ) -> Result<(), Trouble> {
        let push = &held.value;
        let account = self
            .asked(loaded, &push.proof)
            .ok()
            .and_then(|(id, _)| account_of(loaded, id));
        let (Some((provider, settings)), Some(account)) = (self.company_provider(), account) else {
            return self.push_over(loaded, held, PushEnd::Failed, work).await;
        };
        let asked = provider
            .ask_device(
                account,
                &push.message,
                acr_values(settings, &push.proof),
                push.until
                    .0
                    .saturating_sub(loaded.now.0)
                    .div_euclid(1_000)
                    .unsigned_abs()
                    .max(1),
                self.dice(),
                loaded.now,
            )
            .await;
        let (stage, until, again_at) = match asked {
            Ok(asked) => {
                let stage = PushStage::Sent {
                    auth_req_id: asked.auth_req_id,
                    interval_seconds: asked.interval_seconds,
                };
                let until = self.now().plus_seconds(asked.expires_in_seconds);
                let again_at = self.now().plus_seconds(asked.interval_seconds);
                (stage, until.min(push.until), again_at)
            }
            // The provider knows nobody of that name: to whoever asks, nobody answers (CIBA §13).
            Err(ProviderError::Refused(code))
                if code == "unknown_user_id" || code == "unauthorized_user" =>
            {
                (PushStage::Silent, push.until, push.until)
            }
            Err(ProviderError::NoAnswer(_)) => {
                let again_at = loaded.now.plus_seconds(AFTER_TROUBLE_SECONDS);
                return self.finish(PUSH, work, Some(again_at)).await;
            }
            Err(error) => {
                tracing::warn!(case = loaded.row.case.0, proof = push.proof, why = %error, "push refused");
                return self.push_over(loaded, held, PushEnd::Failed, work).await;
            }
        };
        let sent = Push {
            until,
            stage,
            ..push.clone()
        };
        let key = code_key(&push.case, &push.proof);
        let batch = Batch {
            records: vec![push_record(loaded, key, &sent, held.revision)?],
            finished: vec![finished(PUSH, work, Some(again_at))],
            ..Batch::default()
        };
        // Somebody else was faster: the lease runs out and it is looked at again.
        self.committed(batch, &mut Tries::default())
            .await
            .map(|_| ())
    }

    async fn poll_push(
        &self,
        loaded: &Loaded,
        held: &Held<Push>,
        auth_req_id: &str,
        interval_seconds: u64,
        work: &str,
    ) -> Result<(), Trouble> {
        let push = &held.value;
        let Some((provider, _)) = self.company_provider() else {
            return self.push_over(loaded, held, PushEnd::Failed, work).await;
        };
        let polled = provider.poll(auth_req_id, self.dice(), loaded.now).await;
        let after = |seconds: u64| Some(self.now().plus_seconds(seconds).min(push.until));
        match polled {
            Ok(Polled::Pending) => self.finish(PUSH, work, after(interval_seconds)).await,
            Ok(Polled::SlowDown) => {
                let slower = interval_seconds.saturating_add(SLOW_DOWN_SECONDS);
                let key = code_key(&push.case, &push.proof);
                let sent = Push {
                    stage: PushStage::Sent {
                        auth_req_id: auth_req_id.to_owned(),
                        interval_seconds: slower,
                    },
                    ..push.clone()
                };
                let batch = Batch {
                    records: vec![push_record(loaded, key, &sent, held.revision)?],
                    finished: vec![finished(PUSH, work, after(slower))],
                    ..Batch::default()
                };
                self.committed(batch, &mut Tries::default())
                    .await
                    .map(|_| ())
            }
            Ok(Polled::Denied) => {
                self.stop_by_device(push).await?;
                self.push_over(loaded, held, PushEnd::Denied, work).await
            }
            Ok(Polled::Expired) => self.push_over(loaded, held, PushEnd::RanOut, work).await,
            Ok(Polled::Yes(tokens)) => {
                let end = self.answer_of_device(loaded, push, &tokens).await?;
                self.push_over(loaded, held, end, work).await
            }
            Err(ProviderError::NoAnswer(_)) => {
                let pause = interval_seconds.max(AFTER_TROUBLE_SECONDS);
                self.finish(PUSH, work, after(pause)).await
            }
            Err(error) => {
                tracing::warn!(case = loaded.row.case.0, proof = push.proof, why = %error, "push given up");
                self.push_over(loaded, held, PushEnd::Failed, work).await
            }
        }
    }

    /// "No" on the device: nobody but the customer holds it, and a customer's no ends a case.
    async fn stop_by_device(&self, push: &Push) -> Result<(), Trouble> {
        let stopped = self
            .apply(&push.case, |_| {
                Ok(Command::Stop {
                    by: Stopper::Customer,
                    reason: Some("refused on the customer's own device".to_owned()),
                })
            })
            .await;
        match stopped {
            Err(CaseError::Trouble(trouble)) => Err(trouble),
            // Over already, or too late: the case says so itself.
            _ => Ok(()),
        }
    }

    /// "Yes" on the device: counted before it is looked at, and taken on the seat it was asked for from.
    async fn answer_of_device(
        &self,
        loaded: &Loaded,
        push: &Push,
        tokens: &Tokens,
    ) -> Result<PushEnd, Trouble> {
        let Some((provider, settings)) = self.company_provider() else {
            return Ok(PushEnd::Failed);
        };
        let Ok((id, _)) = self.asked(loaded, &push.proof) else {
            return Ok(PushEnd::Failed);
        };
        let Some(seat) = self.seat_asked_from(push.seat).await? else {
            return Ok(PushEnd::Failed);
        };
        let token = provider
            .id_token(
                &tokens.id_token,
                None,
                None,
                acr_values(settings, &push.proof),
                self.now(),
            )
            .await;
        let token = match token {
            Ok(token) => token,
            Err(error) => {
                tracing::warn!(case = loaded.row.case.0, proof = push.proof, why = %error, "push not accepted");
                return Ok(match error {
                    ProviderError::Token(fault) if fault.asks_for_more() => PushEnd::TooWeak,
                    _ => PushEnd::Failed,
                });
            }
        };
        let Some(reservation) = self.reserve(&loaded.customer, &push.proof).await? else {
            return Ok(PushEnd::NotRight);
        };
        if !is_account(&token, settings, account_of(loaded, id)) {
            self.count_wrong(loaded, &push.proof).await?;
            return Ok(PushEnd::NotRight);
        }
        let taken = self
            .take_proof(
                &seat,
                &push.proof,
                push.digest,
                &reservation,
                Uses::Nothing,
                shown_by(loaded, id),
            )
            .await;
        match taken {
            Ok(Answered::Right(_)) => Ok(PushEnd::Proved),
            Ok(Answered::NotRight { .. }) => Ok(PushEnd::NotRight),
            Err(ProofError::Case(CaseError::Trouble(trouble))) => Err(trouble),
            Err(error) => {
                self.give_back(&loaded.customer, &push.proof, &reservation)
                    .await?;
                tracing::info!(
                    case = loaded.row.case.0,
                    proof = push.proof,
                    code = error.code(),
                    "push came too late"
                );
                Ok(PushEnd::Failed)
            }
        }
    }

    /// Records how a push ended, and that its work is done.
    async fn push_over(
        &self,
        loaded: &Loaded,
        held: &Held<Push>,
        end: PushEnd,
        work: &str,
    ) -> Result<(), Trouble> {
        let over = Push {
            stage: PushStage::Over(end),
            ..held.value.clone()
        };
        let key = code_key(&over.case, &over.proof);
        let what = match end {
            PushEnd::Proved => "customer.device_answered",
            PushEnd::Denied => "customer.device_refused",
            PushEnd::RanOut => "customer.device_silent",
            PushEnd::NotRight | PushEnd::TooWeak | PushEnd::Failed => "customer.device_failed",
        };
        let mut tries = Tries::default();
        loop {
            let mut batch = Batch {
                records: vec![push_record(loaded, key.clone(), &over, held.revision)?],
                finished: vec![finished(PUSH, work, None)],
                ..Batch::default()
            };
            self.log_push(&mut batch, loaded, &over, what).await?;
            if self.committed(batch, &mut tries).await? {
                return Ok(());
            }
            let newer = self.load::<Push>(space::PUSH, &key).await?;
            if newer.is_none_or(|newer| newer.revision != held.revision) {
                // Another push took its place.
                return self.finish(PUSH, work, None).await;
            }
        }
    }

    async fn log_push(
        &self,
        batch: &mut Batch,
        loaded: &Loaded,
        push: &Push,
        what: &'static str,
    ) -> Result<(), Trouble> {
        let data =
            serde_json::json!({ "case": push.case, "proof": push.proof, "number": push.asked });
        let mut entry = Entry::new(what, self.now(), Some(&loaded.customer.pseudonym), &data)?;
        entry.case = Some(loaded.row.pseudonym.clone());
        let stream = records::customer_stream(&loaded.customer.id);
        self.log(batch, &stream, entry).await
    }
}

fn push_record(
    loaded: &Loaded,
    key: String,
    push: &Push,
    revision: u64,
) -> Result<countersign_store::RecordWrite, Trouble> {
    let until = loaded.case.expires_at().plus_seconds(86_400);
    records::put_until(space::PUSH, key, push, Some(revision), until)
}

fn work_for(push: &Push) -> Result<NewWork, Trouble> {
    let following = Following {
        case: push.case.clone(),
        proof: push.proof.clone(),
        asked_at: push.asked_at,
    };
    Ok(NewWork {
        queue: PUSH,
        key: format!(
            "{}/{}",
            code_key(&push.case, &push.proof),
            records::sortable(push.asked_at)
        ),
        due_ms: push.asked_at.0,
        body: records::write_json(&following)?,
    })
}

/// What the device shows: the sentence, or where the provider allows fewer characters, as many whole words of it as fit,
/// `…`, and the first digits of the digest, which stand on the page as well. The digest of the whole sentence stays bound.
fn binding_message(sentence: &str, digest: &Digest, chars_max: usize) -> String {
    let plain: String = sentence
        .chars()
        .map(|one| if one.is_control() { ' ' } else { one })
        .collect();
    if plain.chars().count() <= chars_max {
        return plain;
    }
    let short: String = digest.to_string().chars().take(DIGEST_CHARS).collect();
    let tail = format!("… #{short}");
    let room = chars_max.saturating_sub(tail.chars().count());
    let mut kept = String::new();
    for word in plain.split_whitespace() {
        let longer = kept.chars().count() + usize::from(!kept.is_empty()) + word.chars().count();
        if longer > room {
            break;
        }
        if !kept.is_empty() {
            kept.push(' ');
        }
        kept.push_str(word);
    }
    kept + &tail
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_that_is_too_long_ends_in_the_digest() {
        let digest = Digest([0xab; 32]);
        let sentence = "Erase everything on web-3 and install debian-13";
        assert_eq!(binding_message(sentence, &digest, 47), sentence);
        assert_eq!(
            binding_message(sentence, &digest, 46),
            "Erase everything on web-3 and install… #ababab"
        );
        assert_eq!(
            binding_message(sentence, &digest, 30),
            "Erase everything on… #ababab"
        );
        assert_eq!(binding_message(sentence, &digest, 10), "… #ababab");
        assert_eq!(binding_message("a\u{7}b\nc", &digest, 10), "a b c");
        for most in 9..60 {
            assert!(binding_message(sentence, &digest, most).chars().count() <= most);
        }
    }
}
