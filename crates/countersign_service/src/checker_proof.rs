//! Proofs by the company's own checker (`using webhook`).
//!
//! The customer's POST only queues the question; the worker puts it to the
//! checker, which answers at once or by a signed message later. So a question
//! outlives a restart of the gate, and the page answers in the same time
//! whether there is anything to ask about or not.
//!
//! INVARIANT: an answer counts for the question it names, on the seat that
//! asked, while its case is as it was, before the question runs out, and once.
//! Whatever else arrives changes nothing, and no silence is an answer.

use countersign_cases::{CaseId, Digest, Refusal, Timestamp};
use countersign_language::Method;
use countersign_store::{Batch, NewWork, RecordWrite, Work};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{
    adapters::{
        checker::{Asked, CheckerAnswer, CheckerResult, Question, body_digest},
        webhooks::{TOLERANCE_SECONDS, WebhookHeaders},
    },
    cases::CaseError,
    decisions::Loaded,
    gate::Gate,
    notices::{code_key, finished},
    proofs::{Answered, ProofError, Uses, account_of, may_try, shown_by},
    records::{self, AskedChecker, CheckerMessage, Held, QuestionPlace, QuestionStage, space},
    sessions::CustomerSeat,
    shell::{Entry, Tries},
    trouble::Trouble,
};

/// The queue of questions.
pub(crate) const QUESTION: &str = "question";

/// How long the id of a message is remembered, in seconds: as long as its timestamp could pass for fresh, on both sides of now.
const MESSAGE_SECONDS: u64 = 2 * TOLERANCE_SECONDS + 60;

/// How long a question is kept once it ran out, in seconds.
const KEPT_SECONDS: u64 = 86_400;

/// How a question to a checker stands, for the customer's page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckerStanding {
    /// Where it stands.
    pub stage: CheckerStage,
    /// Until when it can be answered.
    pub until: Timestamp,
    /// From when another can be asked; `None` if no more are asked for this case.
    pub again_at: Option<Timestamp>,
}

/// Where a question to a checker stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckerStage {
    /// No answer yet.
    Waiting,
    /// Proved, and it counts.
    Proved,
    /// Refused: counted as an answer that was not right.
    Refused,
    /// No answer in time.
    RanOut,
    /// It could not be asked, and it is not the customer's fault.
    Failed,
}

/// Why a message of a checker was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckerAnswerError {
    /// No checker of this gate signed it, or its timestamp is not of now.
    #[error("this message carries no good signature")]
    NotSigned,
    /// A checker signed it, and it is not of the right form.
    #[error("the answer is not of the right form")]
    Malformed,
    /// There is no such question, or not any more: never asked, answered, run out, another checker's, or of a case that is over.
    /// These are not told apart.
    #[error("nothing waits for this answer")]
    Over,
    /// The store.
    #[error(transparent)]
    Trouble(#[from] Trouble),
}

impl CheckerAnswerError {
    /// Stable word.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotSigned => "not-signed",
            Self::Malformed => "invalid-field",
            Self::Over => "question-over",
            Self::Trouble(trouble) => trouble.code(),
        }
    }
}

/// What the work entry says; everything else is in the record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Following {
    case: CaseId,
    proof: String,
    question: String,
}

impl Gate {
    /// Asks the company's checker. Gives nothing away: it looks the same for a customer who has nothing that could be checked.
    pub async fn ask_checker(&self, seat: &CustomerSeat, proof: &str) -> Result<(), ProofError> {
        let mut tries = Tries::default();
        loop {
            let loaded = self.load_case(seat.case()).await?;
            let (id, method) = self.asked(&loaded, proof)?;
            let seconds = self
                .expires_seconds(proof)
                .filter(|_| method == Method::Webhook)
                .ok_or(ProofError::NotAsked)?;
            let digest = loaded.digest()?;
            let silent = match may_try(&loaded, id, digest) {
                Ok(()) => account_of(&loaded, id).is_none(),
                Err(Refusal::ProofLocked { .. } | Refusal::NotHeld { .. }) => true,
                Err(refusal) => return Err(refusal.into()),
            };
            let key = code_key(seat.case(), proof);
            let held = self.load::<AskedChecker>(space::QUESTION, &key).await?;
            let revision = held.as_ref().map_or(0, |held| held.revision);
            let asked = held.as_ref().map_or(0, |held| held.value.asked);
            if let Some(Held { value: before, .. }) = &held {
                let again_at = self.asks_again_at(before);
                if loaded.now < again_at {
                    return Err(ProofError::TooSoon { again_at });
                }
                if asked >= self.settings().limits.codes_max {
                    return Err(ProofError::NoMoreCodes);
                }
            }
            let now = loaded.now;
            let question = AskedChecker {
                id: self.opaque_id("q"),
                case: seat.case().clone(),
                proof: proof.to_owned(),
                digest,
                seat: *seat.key(),
                asked_at: now,
                until: now
                    .plus_seconds(seconds)
                    .min(seat.until())
                    .min(loaded.case.expires_at()),
                asked: asked + 1,
                stage: if silent {
                    QuestionStage::Silent
                } else {
                    QuestionStage::New
                },
            };
            let place = QuestionPlace {
                case: question.case.clone(),
                proof: question.proof.clone(),
            };
            let mut batch = Batch {
                records: vec![
                    question_record(&loaded, key, &question, revision)?,
                    records::put_until(
                        space::QUESTION_AT,
                        records::part(&question.id),
                        &place,
                        Some(0),
                        question.until.plus_seconds(KEPT_SECONDS),
                    )?,
                ],
                work: vec![work_for(&question)?],
                ..Batch::default()
            };
            self.log_question(&mut batch, &loaded, &question, "customer.checker_asked")
                .await?;
            if self.committed(batch, &mut tries).await? {
                return Ok(());
            }
        }
    }

    /// How the newest question about this proof stands; `None` if there was none, or it was asked from another seat.
    pub async fn checker_standing(
        &self,
        seat: &CustomerSeat,
        proof: &str,
    ) -> Result<Option<CheckerStanding>, Trouble> {
        let held = self
            .load::<AskedChecker>(space::QUESTION, &code_key(seat.case(), proof))
            .await?;
        let most = self.settings().limits.codes_max;
        Ok(held
            .map(|held| held.value)
            .filter(|question| question.seat == *seat.key())
            .map(|question| CheckerStanding {
                stage: match &question.stage {
                    QuestionStage::Answered(message) => match message.result {
                        CheckerResult::Proved => CheckerStage::Proved,
                        CheckerResult::Refused => CheckerStage::Refused,
                    },
                    QuestionStage::RanOut => CheckerStage::RanOut,
                    QuestionStage::Failed => CheckerStage::Failed,
                    _ if self.now() >= question.until => CheckerStage::RanOut,
                    _ => CheckerStage::Waiting,
                },
                again_at: (question.asked < most).then(|| self.asks_again_at(&question)),
                until: question.until,
            }))
    }

    /// A message for a question, posted by whoever can sign as a checker; the signature is the only credential that counts.
    ///
    /// `body` are the bytes as they came, since those are signed. The same message again is taken again, and changes nothing.
    ///
    /// # Errors
    /// [`CheckerAnswerError`]
    pub async fn checker_answered(
        &self,
        question: &str,
        headers: &WebhookHeaders,
        body: &[u8],
    ) -> Result<(), CheckerAnswerError> {
        let now = self.now();
        // Every checker is tried, whichever was asked: neither words nor time say whether there is such a question.
        let signers: Vec<&str> = self
            .checkers()
            .iter()
            .filter(|(_, checker)| checker.verify(headers, body, now).is_ok())
            .map(|(name, _)| name.as_str())
            .collect();
        if signers.is_empty() {
            return Err(CheckerAnswerError::NotSigned);
        }
        let answer: CheckerAnswer =
            serde_json::from_slice(body).map_err(|_| CheckerAnswerError::Malformed)?;
        // The signature covers the body and not the address: the body says which question it is for.
        if answer.question != question {
            return Err(CheckerAnswerError::Over);
        }
        let place = self
            .load::<QuestionPlace>(space::QUESTION_AT, &records::part(question))
            .await?
            .map(|held| held.value)
            .filter(|place| signers.contains(&place.proof.as_str()))
            .ok_or(CheckerAnswerError::Over)?;
        let message = CheckerMessage {
            id: headers.id.clone(),
            body: body_digest(body),
            result: answer.result,
        };
        let taken = self
            .take_answer(&code_key(&place.case, &place.proof), question, &message)
            .await;
        if let Err(error) = &taken {
            tracing::warn!(
                case = place.case.0,
                proof = place.proof,
                code = error.code(),
                "answer of a checker not taken"
            );
        }
        taken
    }

    /// Takes an answer for the question of this id, if that still waits for one.
    async fn take_answer(
        &self,
        key: &str,
        id: &str,
        message: &CheckerMessage,
    ) -> Result<(), CheckerAnswerError> {
        loop {
            let question = self
                .load::<AskedChecker>(space::QUESTION, key)
                .await?
                .map(|held| held.value)
                .filter(|question| question.id == id)
                .ok_or(CheckerAnswerError::Over)?;
            match &question.stage {
                QuestionStage::Answered(before) if before == message => return Ok(()),
                stage if stage.is_open() => {}
                _ => return Err(CheckerAnswerError::Over),
            }
            let loaded = match self.load_case(&question.case).await {
                Ok(loaded) => loaded,
                Err(CaseError::Trouble(trouble)) => return Err(trouble.into()),
                Err(_) => return Err(CheckerAnswerError::Over),
            };
            if !waits(&loaded, &question) {
                return Err(CheckerAnswerError::Over);
            }
            let seat = self
                .seat_asked_from(question.seat)
                .await?
                .ok_or(CheckerAnswerError::Over)?;
            // Counted before it counts for anything; a way that was closed meanwhile stays closed.
            let reservation = self
                .reserve(&loaded.customer, &question.proof)
                .await?
                .ok_or(CheckerAnswerError::Over)?;
            let taken = match message.result {
                CheckerResult::Proved => {
                    self.proved_by_checker(&seat, &loaded, &question, message, &reservation)
                        .await?
                }
                CheckerResult::Refused => {
                    self.refused_by_checker(&loaded, &question, message).await?
                }
            };
            if taken {
                return Ok(());
            }
            self.give_back(&loaded.customer, &question.proof, &reservation)
                .await?;
            // Something changed while it was looked at: the question says what, or, where it does not, nothing comes of this.
            let same = self
                .load::<AskedChecker>(space::QUESTION, key)
                .await?
                .is_some_and(|held| held.value == question);
            if same {
                return Err(CheckerAnswerError::Over);
            }
        }
    }

    async fn proved_by_checker(
        &self,
        seat: &CustomerSeat,
        loaded: &Loaded,
        question: &AskedChecker,
        message: &CheckerMessage,
        reservation: &countersign_cases::attempts::Reservation,
    ) -> Result<bool, Trouble> {
        let Ok((id, Method::Webhook)) = self.asked(loaded, &question.proof) else {
            return Ok(false);
        };
        let uses = Uses::Answer {
            question: question.id.clone(),
            checker: question.proof.clone(),
            message: message.clone(),
        };
        let taken = self
            .take_proof(
                seat,
                &question.proof,
                question.digest,
                reservation,
                uses,
                shown_by(loaded, id),
            )
            .await;
        match taken {
            Ok(Answered::Right(_)) => Ok(true),
            Ok(Answered::NotRight { .. }) => Ok(false),
            Err(ProofError::Case(CaseError::Trouble(trouble))) => Err(trouble),
            Err(error) => {
                tracing::info!(
                    case = loaded.row.case.0,
                    proof = question.proof,
                    code = error.code(),
                    "answer of a checker came too late"
                );
                Ok(false)
            }
        }
    }

    /// One commit: the question is over, its message counts no more, and the wrong answer is on record with what came.
    async fn refused_by_checker(
        &self,
        loaded: &Loaded,
        question: &AskedChecker,
        message: &CheckerMessage,
    ) -> Result<bool, Trouble> {
        let mut tries = Tries::default();
        loop {
            let Some(records) = self.answered_writes(loaded, &question.id, message).await? else {
                return Ok(false);
            };
            let left = self.answers_left(&loaded.customer, &question.proof).await?;
            let mut batch = Batch {
                records,
                ..Batch::default()
            };
            let data = serde_json::json!({
                "case": loaded.row.case, "proof": question.proof, "left": left,
                "checked": {
                    "checker": question.proof, "result": message.result,
                    "id": message.id, "body": message.body,
                },
            });
            let mut entry = Entry::new(
                "customer.wrong_answer",
                self.now(),
                Some(&loaded.customer.pseudonym),
                &data,
            )?;
            entry.case = Some(loaded.row.pseudonym.clone());
            let stream = records::customer_stream(&loaded.customer.id);
            self.log(&mut batch, &stream, entry).await?;
            if self.committed(batch, &mut tries).await? {
                tracing::info!(
                    case = loaded.row.case.0,
                    proof = question.proof,
                    left,
                    "refused by the checker"
                );
                return Ok(true);
            }
        }
    }

    /// What is written when this message answers the question of this id; `None` if it answers nothing any more.
    pub(crate) async fn answered_writes(
        &self,
        loaded: &Loaded,
        id: &str,
        message: &CheckerMessage,
    ) -> Result<Option<Vec<RecordWrite>>, Trouble> {
        let Some(place) = self
            .load::<QuestionPlace>(space::QUESTION_AT, &records::part(id))
            .await?
        else {
            return Ok(None);
        };
        let key = code_key(&place.value.case, &place.value.proof);
        let Some(held) = self.load::<AskedChecker>(space::QUESTION, &key).await? else {
            return Ok(None);
        };
        let question = held.value;
        if question.id != id || !question.stage.is_open() || !waits(loaded, &question) {
            return Ok(None);
        }
        let seen = message_key(&question.proof, &message.id);
        if self.journal().get(space::CHECKED, &seen).await?.is_some() {
            return Ok(None);
        }
        let answered = AskedChecker {
            stage: QuestionStage::Answered(message.clone()),
            ..question
        };
        Ok(Some(vec![
            records::put_until(
                space::CHECKED,
                seen,
                &id,
                Some(0),
                loaded.now.plus_seconds(MESSAGE_SECONDS),
            )?,
            question_record(loaded, key, &answered, held.revision)?,
        ]))
    }

    /// When another question can be asked: while one waits there is no second.
    fn asks_again_at(&self, question: &AskedChecker) -> Timestamp {
        let soonest = question
            .asked_at
            .plus_seconds(self.settings().limits.code_again_seconds);
        match question.stage {
            QuestionStage::Answered(_) | QuestionStage::RanOut | QuestionStage::Failed => soonest,
            QuestionStage::New | QuestionStage::Sent | QuestionStage::Silent => {
                soonest.max(question.until)
            }
        }
    }

    fn expires_seconds(&self, proof: &str) -> Option<u64> {
        let mut checkers = self.settings().checkers.iter();
        checkers
            .find(|checker| checker.proof == proof)
            .map(|checker| checker.expires_seconds)
    }

    /// The worker's part: puts the question, and ends it when its time is over.
    pub(crate) async fn follow_question(&self, work: &Work) -> Result<(), Trouble> {
        let following: Following = records::read_json(&work.body)?;
        let key = code_key(&following.case, &following.proof);
        let held = self.load::<AskedChecker>(space::QUESTION, &key).await?;
        let Some(held) = held.filter(|held| held.value.id == following.question) else {
            return self.finish(QUESTION, &work.key, None).await;
        };
        let loaded = match self.load_case(&following.case).await {
            Ok(loaded) => loaded,
            Err(CaseError::Trouble(trouble)) => return Err(trouble),
            // Erased: there is nobody to ask about.
            Err(_) => return self.finish(QUESTION, &work.key, None).await,
        };
        let question = &held.value;
        let silent = question.stage == QuestionStage::Silent;
        // What was answered or ended, or was proved some other way, is asked about no more.
        if !(silent || question.stage.is_open()) || !as_it_was(&loaded, question) {
            return self.finish(QUESTION, &work.key, None).await;
        }
        if loaded.now >= question.until {
            return self
                .question_over(&loaded, &held, QuestionStage::RanOut, &work.key)
                .await;
        }
        if question.stage == QuestionStage::New {
            self.put_question(&loaded, &held, &work.key).await
        } else {
            self.finish(QUESTION, &work.key, Some(question.until)).await
        }
    }

    async fn put_question(
        &self,
        loaded: &Loaded,
        held: &Held<AskedChecker>,
        work: &str,
    ) -> Result<(), Trouble> {
        let question = &held.value;
        let account = self
            .asked(loaded, &question.proof)
            .ok()
            .and_then(|(id, _)| account_of(loaded, id));
        let (Some(checker), Some(account), Some(opened)) = (
            self.checkers().get(&question.proof),
            account,
            loaded.case.opened(),
        ) else {
            return self
                .question_over(loaded, held, QuestionStage::Failed, work)
                .await;
        };
        let answer_to = format!("{}/v1/questions/{}", self.settings().origin, question.id);
        let asked = checker
            .ask(
                &Question {
                    question: &question.id,
                    case: &question.case.0,
                    customer: account,
                    proof: &question.proof,
                    sentence: &opened.sentence,
                    digest: question.digest,
                    until_ms: question.until.0,
                    answer_to: &answer_to,
                },
                loaded.now,
            )
            .await;
        match asked {
            Asked::Later => {
                let sent = AskedChecker {
                    stage: QuestionStage::Sent,
                    ..question.clone()
                };
                let key = code_key(&question.case, &question.proof);
                let batch = Batch {
                    records: vec![question_record(loaded, key, &sent, held.revision)?],
                    finished: vec![finished(QUESTION, work, Some(question.until))],
                    ..Batch::default()
                };
                if self.committed(batch, &mut Tries::default()).await? {
                    return Ok(());
                }
                // The answer overtook the promise of one.
                self.finish(QUESTION, work, Some(question.until)).await
            }
            Asked::Answered { answer, body } => {
                let message = CheckerMessage {
                    id: question.id.clone(),
                    body,
                    result: answer.result,
                };
                let key = code_key(&question.case, &question.proof);
                match self.take_answer(&key, &question.id, &message).await {
                    Ok(()) => self.finish(QUESTION, work, None).await,
                    Err(CheckerAnswerError::Trouble(trouble)) => Err(trouble),
                    // Too late, or the way was closed meanwhile: it runs out like one without an answer.
                    Err(_) => self.finish(QUESTION, work, Some(question.until)).await,
                }
            }
            Asked::Unavailable(status) => {
                tracing::warn!(
                    case = loaded.row.case.0,
                    proof = question.proof,
                    status,
                    "checker gave no usable answer"
                );
                self.question_over(loaded, held, QuestionStage::Failed, work)
                    .await
            }
        }
    }

    /// Records that a question ended without an answer, and that its work is done.
    async fn question_over(
        &self,
        loaded: &Loaded,
        held: &Held<AskedChecker>,
        stage: QuestionStage,
        work: &str,
    ) -> Result<(), Trouble> {
        let what = match stage {
            QuestionStage::Failed => "customer.checker_failed",
            _ => "customer.checker_silent",
        };
        let over = AskedChecker {
            stage,
            ..held.value.clone()
        };
        let key = code_key(&over.case, &over.proof);
        let mut tries = Tries::default();
        loop {
            let mut batch = Batch {
                records: vec![question_record(loaded, key.clone(), &over, held.revision)?],
                finished: vec![finished(QUESTION, work, None)],
                ..Batch::default()
            };
            self.log_question(&mut batch, loaded, &over, what).await?;
            if self.committed(batch, &mut tries).await? {
                return Ok(());
            }
            let newer = self.load::<AskedChecker>(space::QUESTION, &key).await?;
            if newer.is_none_or(|newer| newer.revision != held.revision) {
                // Answered in this very moment, or another question took its place.
                return self.finish(QUESTION, work, None).await;
            }
        }
    }

    async fn log_question(
        &self,
        batch: &mut Batch,
        loaded: &Loaded,
        question: &AskedChecker,
        what: &'static str,
    ) -> Result<(), Trouble> {
        let data = serde_json::json!({ "case": question.case, "proof": question.proof, "number": question.asked });
        let mut entry = Entry::new(what, self.now(), Some(&loaded.customer.pseudonym), &data)?;
        entry.case = Some(loaded.row.pseudonym.clone());
        let stream = records::customer_stream(&loaded.customer.id);
        self.log(batch, &stream, entry).await
    }
}

/// Whether the case is still the one that was asked about, and still wants to know.
fn as_it_was(loaded: &Loaded, question: &AskedChecker) -> bool {
    loaded.case.state().is_live()
        && loaded.case.confirmed_at().is_none()
        && loaded
            .digest()
            .is_ok_and(|digest| digest == question.digest)
}

/// Whether an answer to this question can still count.
fn waits(loaded: &Loaded, question: &AskedChecker) -> bool {
    as_it_was(loaded, question) && loaded.now < question.until
}

fn message_key(checker: &str, id: &str) -> String {
    let said = format!("{checker}\0{id}");
    Digest(Sha256::digest(said).into()).to_string()
}

fn question_record(
    loaded: &Loaded,
    key: String,
    question: &AskedChecker,
    revision: u64,
) -> Result<RecordWrite, Trouble> {
    let until = loaded.case.expires_at().plus_seconds(KEPT_SECONDS);
    records::put_until(space::QUESTION, key, question, Some(revision), until)
}

fn work_for(question: &AskedChecker) -> Result<NewWork, Trouble> {
    let following = Following {
        case: question.case.clone(),
        proof: question.proof.clone(),
        question: question.id.clone(),
    };
    Ok(NewWork {
        queue: QUESTION,
        key: question.id.clone(),
        due_ms: question.asked_at.0,
        body: records::write_json(&following)?,
    })
}
