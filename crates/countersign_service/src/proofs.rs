//! Proofs by the customer, on their own page.
//!
//! INVARIANT: nothing here that proves takes anything but a [`CustomerSeat`].
//! There is no function from a staff session to a proof.
//!
//! Answers that can be guessed are counted before they are looked at: the try
//! is stored first, under compare-and-swap on the customer's count, and given
//! back only with the commit of the right answer. Whether an answer was wrong,
//! the way is closed, or the customer never had it, takes the same work and
//! gives the same words.

use countersign_cases::{
    Command, ContactId, Digest, Evidence, HoldingFact, Refusal,
    attempts::{Limits as TryLimits, Locked, Reservation, Tally},
    decide,
};
use countersign_language::{Method, ProofId};
use countersign_store::{Batch, NewWork};
use serde::Serialize;
use serde_json::Value;

use crate::{
    adapters::{
        codes::CODE_LIFETIME_SECONDS,
        password_check::PasswordVerdict,
        secrets::{Secret, SecretError},
        totp::TotpSecret,
        webauthn::Passkey,
    },
    cases::{Applied, CaseError},
    decisions::{Also, Loaded},
    facts::Tallies,
    gate::Gate,
    notices::{self, Letter},
    rates::TooMany,
    records::{self, CheckerMessage, Code, Customer, FactorKind, Held, space},
    sessions::CustomerSeat,
    shell::{Entry, Tries},
    sign_offs::{PasskeyPrompt, challenge, kept},
    trouble::Trouble,
    views,
};

/// What a customer's passkey signs: this with the proof's name, the case's nonce, and its digest.
pub const PROOF_DOMAIN: &str = "countersign/proof/v1/";

/// What came of an answer.
#[derive(Debug, Clone)]
pub enum Answered {
    /// It was right, and is recorded.
    Right(Applied),
    /// It did not count. Deliberately the same for a wrong answer, a closed way and one the customer does not have.
    NotRight {
        /// Answers left; told only to somebody who has proved something else in this case.
        tries_left: Option<u32>,
    },
}

/// A code that is on its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CodeOnItsWay {
    /// Where to, masked.
    pub address: String,
    /// When another can be asked for.
    pub again_at: countersign_cases::Timestamp,
    /// How many can still be asked for in this case.
    pub left: u32,
}

/// How a code that was asked for stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct CodeStanding {
    /// When it stops counting.
    pub until: countersign_cases::Timestamp,
    /// When another can be asked for.
    pub again_at: countersign_cases::Timestamp,
}

/// Why a proof was neither taken nor counted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The case asks for no such proof, or it is not made this way.
    #[error("the case does not ask for that")]
    NotAsked,
    /// A code was sent a moment ago.
    #[error("a code was sent a moment ago")]
    TooSoon {
        /// When another can be asked for.
        again_at: countersign_cases::Timestamp,
    },
    /// No more codes are sent for this case.
    #[error("no more codes are sent for this case")]
    NoMoreCodes,
    /// More is asked than can be looked at now; the answer was not counted.
    #[error("too much is asked at once; nothing was counted")]
    Overloaded,
    /// More answers for this customer than anybody types; this one was not looked at.
    #[error(transparent)]
    TooMany(#[from] TooMany),
    /// It could not be found out; the answer was not counted.
    #[error("this cannot be checked right now; nothing was counted")]
    Unavailable,
    /// The passkey was not accepted.
    #[error("the passkey was not accepted")]
    NotAccepted,
    /// The customer turned back at the company's sign-in.
    #[error("the sign-in was cancelled; nothing was counted")]
    LoginCancelled,
    /// The customer did not sign in again, or not as strongly as this needs (RFC 9470 `insufficient_user_authentication`).
    #[error("this needs another, stronger sign-in; nothing was counted")]
    LoginTooWeak,
    /// The sign-in took too long, was used already, or never began here.
    #[error("this sign-in is over; start again")]
    LoginOver,
    /// What the provider answered is not believed.
    #[error("the answer of the sign-in was not accepted; nothing was counted")]
    LoginNotAccepted,
    /// The account has no passkey to sign with.
    #[error("register a passkey first")]
    NoPasskey,
    /// As for any case.
    #[error(transparent)]
    Case(#[from] CaseError),
}

impl ProofError {
    /// Stable word.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotAsked => "proof-not-asked",
            Self::TooSoon { .. } => "code-too-soon",
            Self::NoMoreCodes => "no-more-codes",
            Self::Overloaded => "overloaded",
            Self::TooMany(_) => "too-many-tries",
            Self::Unavailable => "proof-unavailable",
            Self::NotAccepted => "passkey-not-accepted",
            Self::LoginCancelled => "login-cancelled",
            Self::LoginTooWeak => "login-too-weak",
            Self::LoginOver => "login-over",
            Self::LoginNotAccepted => "login-not-accepted",
            Self::NoPasskey => "no-passkey",
            Self::Case(error) => error.code(),
        }
    }
}

impl From<Trouble> for ProofError {
    fn from(trouble: Trouble) -> Self {
        Self::Case(trouble.into())
    }
}

impl From<Refusal> for ProofError {
    fn from(refusal: Refusal) -> Self {
        Self::Case(refusal.into())
    }
}

/// What a right answer changes beside the case.
pub(crate) enum Uses {
    Nothing,
    /// The time step of an authenticator code: it and earlier ones count no more.
    Step {
        holding: String,
        step: u64,
    },
    /// A one-time code.
    Code {
        key: String,
    },
    /// A question to the company's checker, which nothing answers any more.
    Answer {
        question: String,
        checker: String,
        message: CheckerMessage,
    },
}

impl Uses {
    /// What is kept of the answer beside the fact.
    fn evidence(&self) -> Evidence {
        match self {
            Self::Nothing | Self::Step { .. } | Self::Code { .. } => Evidence::None,
            Self::Answer {
                checker, message, ..
            } => Evidence::Checked {
                checker: checker.clone(),
                id: message.id.clone(),
                body: message.body,
            },
        }
    }
}

/// What checking found.
enum Checked {
    Right(Uses),
    Wrong,
}

impl Gate {
    /// Whether this gate can check the proof of this name, made this way.
    pub fn supports(&self, proof: &str, method: Method) -> bool {
        match method {
            // The panel's word comes with the link it sends the customer by.
            Method::Pin | Method::Totp | Method::Passkey | Method::Panel => true,
            Method::Password => self.password_check().is_some(),
            Method::Mail => self.mailer().is_some(),
            Method::Text => self.text_gateway().is_some(),
            Method::Oidc | Method::Ciba => self.company_provider().is_some(),
            Method::Webhook => self.checkers().contains_key(proof),
        }
    }

    /// The customer answers a question in words or digits: PIN, password, authenticator code, or a code that was sent.
    ///
    /// `proof` is the proof's name in the procedure; `digest` is the one the page showed.
    pub async fn prove(
        &self,
        seat: &CustomerSeat,
        proof: &str,
        digest: Digest,
        answer: &Secret,
    ) -> Result<Answered, ProofError> {
        let loaded = self.load_case(seat.case()).await?;
        let (id, method) = self.asked(&loaded, proof)?;
        if matches!(
            method,
            Method::Passkey | Method::Oidc | Method::Ciba | Method::Webhook | Method::Panel
        ) {
            return Err(ProofError::NotAsked);
        }
        // Before anything is written or hashed, whoever guesses and from how many networks.
        self.answers().take(&loaded.customer.id.0, loaded.now)?;
        let tell = self.seat_has_proved(seat).await?;
        let closed = match may_try(&loaded, id, digest) {
            Ok(()) => false,
            // Neither is told apart from a wrong answer; the check below is made all the same.
            Err(Refusal::ProofLocked { .. } | Refusal::NotHeld { .. }) => true,
            Err(refusal) => return Err(refusal.into()),
        };
        let reservation = if closed {
            None
        } else {
            self.reserve(&loaded.customer, proof).await?
        };
        let checked = self
            .check(&loaded, proof, id, method, answer, reservation.is_some())
            .await;
        let Some(reservation) = reservation else {
            // Whatever was found, nothing was reserved, so nothing counts.
            let _ = checked;
            return Ok(Answered::NotRight {
                tries_left: tell.then_some(0),
            });
        };
        match checked {
            Ok(Checked::Right(uses)) => {
                let looked_at = shown_by(&loaded, id);
                self.take_proof(seat, proof, digest, &reservation, uses, looked_at)
                    .await
            }
            Ok(Checked::Wrong) => {
                let left = self.count_wrong(&loaded, proof).await?;
                Ok(Answered::NotRight {
                    tries_left: tell.then_some(left),
                })
            }
            Err(error) => {
                self.give_back(&loaded.customer, proof, &reservation)
                    .await?;
                Err(error)
            }
        }
    }

    /// When the newest code for this proof stops counting, and when another can be asked for; `None` if none was asked for.
    pub async fn code_standing(
        &self,
        seat: &CustomerSeat,
        proof: &str,
    ) -> Result<Option<CodeStanding>, Trouble> {
        let key = notices::code_key(seat.case(), proof);
        let limits = &self.settings().limits;
        let held = self.load::<Code>(space::CODE, &key).await?;
        Ok(held.map(|Held { value, .. }| CodeStanding {
            until: value.asked_at.plus_seconds(CODE_LIFETIME_SECONDS),
            again_at: value.asked_at.plus_seconds(limits.code_again_seconds),
        }))
    }

    /// Sends a one-time code for this case and this proof.
    pub async fn send_code(
        &self,
        seat: &CustomerSeat,
        proof: &str,
    ) -> Result<CodeOnItsWay, ProofError> {
        let mut tries = Tries::default();
        loop {
            let loaded = self.load_case(seat.case()).await?;
            let (id, method) = self.asked(&loaded, proof)?;
            if !matches!(method, Method::Mail | Method::Text) {
                return Err(ProofError::NotAsked);
            }
            may_try(&loaded, id, loaded.digest()?)?;
            let (contact, address) =
                views::code_address(&loaded, id).ok_or(ProofError::NotAsked)?;
            let key = notices::code_key(seat.case(), proof);
            let held = self.load::<Code>(space::CODE, &key).await?;
            let (code, revision) = held.map_or((None, 0), |held| (Some(held.value), held.revision));
            let limits = &self.settings().limits;
            let asked = code.as_ref().map_or(0, |code| code.asked);
            if let Some(code) = &code {
                let again_at = code.asked_at.plus_seconds(limits.code_again_seconds);
                if loaded.now < again_at {
                    return Err(ProofError::TooSoon { again_at });
                }
                if asked >= limits.codes_max {
                    return Err(ProofError::NoMoreCodes);
                }
            }
            let now = loaded.now;
            let record = Code {
                stored: None,
                asked_at: now,
                asked: asked + 1,
                contact: Some(contact.clone()),
            };
            let letter = Letter::Code {
                case: seat.case().clone(),
                proof: proof.to_owned(),
                contact,
                at: now,
            };
            let batch = Batch {
                records: vec![records::put_until(
                    space::CODE,
                    key.clone(),
                    &record,
                    Some(revision),
                    loaded.case.expires_at().plus_seconds(86_400),
                )?],
                work: vec![NewWork {
                    queue: notices::MAIL,
                    key: format!("code/{key}/{}", now.0),
                    due_ms: now.0,
                    body: records::write_json(&letter)?,
                }],
                ..Batch::default()
            };
            if self.committed(batch, &mut tries).await? {
                return Ok(CodeOnItsWay {
                    address: crate::mask::mask_address(&address),
                    again_at: now.plus_seconds(limits.code_again_seconds),
                    left: limits.codes_max.saturating_sub(asked + 1),
                });
            }
        }
    }

    /// Begins a proof by passkey.
    pub async fn start_passkey_proof(
        &self,
        seat: &CustomerSeat,
        proof: &str,
    ) -> Result<PasskeyPrompt, ProofError> {
        let loaded = self.load_case(seat.case()).await?;
        let (id, method) = self.asked(&loaded, proof)?;
        if method != Method::Passkey {
            return Err(ProofError::NotAsked);
        }
        let digest = loaded.digest()?;
        may_try(&loaded, id, digest)?;
        let (_, keys) = passkeys_shown(&loaded, id).ok_or(ProofError::NotAsked)?;
        let challenge = challenge(&loaded, &format!("{PROOF_DOMAIN}{proof}"))?;
        Ok(PasskeyPrompt {
            digest,
            options: self.relying_party().request_options(&challenge, &keys),
        })
    }

    /// The customer's passkey answered.
    #[tracing::instrument(target = "trace", name = "decision", level = "info", skip_all, fields(countersign.case = seat.case().0))]
    pub async fn finish_passkey_proof(
        &self,
        seat: &CustomerSeat,
        proof: &str,
        digest: Digest,
        response: &Value,
    ) -> Result<Applied, ProofError> {
        let mut tries = Tries::default();
        loop {
            let loaded = self.load_case(seat.case()).await?;
            let (id, method) = self.asked(&loaded, proof)?;
            if method != Method::Passkey {
                return Err(ProofError::NotAsked);
            }
            may_try(&loaded, id, digest)?;
            let (holding, keys) = passkeys_shown(&loaded, id).ok_or(ProofError::NotAsked)?;
            let challenge = challenge(&loaded, &format!("{PROOF_DOMAIN}{proof}"))?;
            let (credential, verified) = self.verify_with(&keys, &challenge, response)?;
            let command = Command::Prove {
                proof: id,
                digest,
                evidence: kept(&verified),
            };
            let decision = decide(&loaded.procedure, &loaded.case, command, &loaded.moment())?;
            let mut also = Also::default();
            also.records.push(self.proved_seat(seat, loaded.now)?);
            let Held {
                value: mut customer,
                revision,
            } = self
                .load_customer(seat.customer())
                .await?
                .ok_or(CaseError::UnknownCustomer)?;
            if let Some(FactorKind::Passkeys { keys, .. }) = customer
                .factors
                .get_mut(&holding)
                .map(|factor| &mut factor.kind)
                && let Some(registered) = keys
                    .iter_mut()
                    .find(|registered| registered.key.credential == credential)
            {
                registered.used(&verified, loaded.now);
            }
            also.records.push(records::put(
                space::CUSTOMER,
                records::part(&customer.id.0),
                &customer,
                Some(revision),
            )?);
            let (batch, case) = self.write_decision(&loaded, &decision.events, None, also)?;
            if self.committed(batch, &mut tries).await? {
                return Ok(Applied {
                    version: case.version(),
                    state: case.state(),
                });
            }
        }
    }

    /// The proof of this name, if the case's action asks for it and this gate can check it.
    pub(crate) fn asked(
        &self,
        loaded: &Loaded,
        proof: &str,
    ) -> Result<(ProofId, Method), ProofError> {
        let id = loaded
            .procedure
            .proof_named(proof)
            .ok_or(ProofError::NotAsked)?;
        let method = loaded
            .procedure
            .proofs
            .get(id.index())
            .and_then(|proof| proof.using)
            .ok_or(ProofError::NotAsked)?;
        if self.supports(proof, method) {
            Ok((id, method))
        } else {
            Err(ProofError::NotAsked)
        }
    }

    /// Takes one try and stores it, before the answer is looked at. `None` if the way is closed.
    pub(crate) async fn reserve(
        &self,
        customer: &Customer,
        proof: &str,
    ) -> Result<Option<Reservation>, Trouble> {
        self.reserve_within(customer, proof, &TryLimits::default())
            .await
    }

    /// The same within other limits.
    pub(crate) async fn reserve_within(
        &self,
        customer: &Customer,
        proof: &str,
        limits: &TryLimits,
    ) -> Result<Option<Reservation>, Trouble> {
        let mut tries = Tries::default();
        loop {
            let (mut tallies, revision) = self.tallies_of(customer).await?;
            let reservation = match tallies
                .entry(proof.to_owned())
                .or_default()
                .reserve(self.now(), limits)
            {
                Ok(reservation) => reservation,
                Err(Locked { .. }) => return Ok(None),
            };
            let write = records::put(
                space::ATTEMPTS,
                records::part(&customer.id.0),
                &tallies,
                Some(revision),
            )?;
            if self
                .committed(
                    Batch {
                        records: vec![write],
                        ..Batch::default()
                    },
                    &mut tries,
                )
                .await?
            {
                return Ok(Some(reservation));
            }
        }
    }

    /// Gives one try back: its answer was right.
    pub(crate) async fn give_back(
        &self,
        customer: &Customer,
        proof: &str,
        reservation: &Reservation,
    ) -> Result<(), Trouble> {
        self.give_back_within(customer, proof, reservation, &TryLimits::default())
            .await
    }

    /// The same within other limits.
    pub(crate) async fn give_back_within(
        &self,
        customer: &Customer,
        proof: &str,
        reservation: &Reservation,
        limits: &TryLimits,
    ) -> Result<(), Trouble> {
        let mut tries = Tries::default();
        loop {
            let (mut tallies, revision) = self.tallies_of(customer).await?;
            tallies
                .entry(proof.to_owned())
                .or_default()
                .give_back(reservation, limits);
            let write = records::put(
                space::ATTEMPTS,
                records::part(&customer.id.0),
                &tallies,
                Some(revision),
            )?;
            if self
                .committed(
                    Batch {
                        records: vec![write],
                        ..Batch::default()
                    },
                    &mut tries,
                )
                .await?
            {
                return Ok(());
            }
        }
    }

    async fn tallies_of(&self, customer: &Customer) -> Result<(Tallies, u64), Trouble> {
        Ok(self
            .tallies(&customer.id)
            .await?
            .map_or((Tallies::new(), 0), |held| (held.value, held.revision)))
    }

    /// Looks at an answer. `real` is false where nothing may count: then it is compared with nothing, at the same cost.
    async fn check(
        &self,
        loaded: &Loaded,
        proof: &str,
        id: ProofId,
        method: Method,
        answer: &Secret,
        real: bool,
    ) -> Result<Checked, ProofError> {
        let holding = holding_of(loaded, id);
        let factor = holding
            .and_then(|holding| loaded.customer.factors.get(holding))
            .filter(|_| real)
            .map(|factor| &factor.kind);
        match method {
            Method::Pin => {
                let stored = if let Some(FactorKind::Pin(hash)) = factor {
                    Some(hash.as_str())
                } else {
                    None
                };
                let whom = &loaded.customer.id.0;
                match self.hasher().verify(whom, answer, stored).await {
                    Ok(true) => Ok(Checked::Right(Uses::Nothing)),
                    Err(SecretError::Busy) => Err(ProofError::Overloaded),
                    Ok(false) | Err(SecretError::TooLong) => Ok(Checked::Wrong),
                    Err(_) => Err(ProofError::Unavailable),
                }
            }
            Method::Password => {
                let Some(check) = self.password_check() else {
                    return Err(ProofError::Unavailable);
                };
                // Closed ways are not asked about: the company would count the answer.
                if !real {
                    return Ok(Checked::Wrong);
                }
                match check
                    .check(&loaded.customer.id.0, answer, self.dice(), loaded.now)
                    .await
                {
                    PasswordVerdict::Right => Ok(Checked::Right(Uses::Nothing)),
                    PasswordVerdict::Wrong => Ok(Checked::Wrong),
                    PasswordVerdict::Unavailable => Err(ProofError::Unavailable),
                }
            }
            Method::Totp => {
                let (Some(FactorKind::Totp { sealed, last_step }), Some(holding)) =
                    (factor, holding)
                else {
                    return Ok(Checked::Wrong);
                };
                let secret = self.unseal(&loaded.customer.id, holding, sealed)?;
                let secret = TotpSecret::from_bytes(&secret)
                    .map_err(|error| Trouble::Damaged(error.to_string()))?;
                match secret.verify(answer.expose_text(), loaded.now, *last_step) {
                    Ok(step) => Ok(Checked::Right(Uses::Step {
                        holding: holding.to_owned(),
                        step,
                    })),
                    Err(_) => Ok(Checked::Wrong),
                }
            }
            Method::Mail | Method::Text => {
                let key = notices::code_key(&loaded.row.case, proof);
                let held = self.load::<Code>(space::CODE, &key).await?;
                let stored = held
                    .filter(|held| real && is_live(loaded, held.value.contact.as_ref()))
                    .and_then(|held| held.value.stored);
                let Some(stored) = stored else {
                    return Ok(Checked::Wrong);
                };
                match self.code_key().check(
                    &stored,
                    &loaded.digest()?.0,
                    proof,
                    answer.expose_text(),
                    loaded.now,
                ) {
                    Ok(()) => Ok(Checked::Right(Uses::Code { key })),
                    Err(_) => Ok(Checked::Wrong),
                }
            }
            Method::Passkey | Method::Oidc | Method::Ciba | Method::Webhook | Method::Panel => {
                Err(ProofError::NotAsked)
            }
        }
    }

    /// One commit: the proof, the try given back, and whatever must never count again.
    #[tracing::instrument(target = "trace", name = "decision", level = "info", skip_all, fields(countersign.case = seat.case().0))]
    pub(crate) async fn take_proof(
        &self,
        seat: &CustomerSeat,
        proof: &str,
        digest: Digest,
        reservation: &Reservation,
        uses: Uses,
        looked_at: Option<HoldingFact>,
    ) -> Result<Answered, ProofError> {
        let mut tries = Tries::default();
        loop {
            let loaded = self.load_case(seat.case()).await?;
            let (id, _) = self.asked(&loaded, proof)?;
            if shown_by(&loaded, id) != looked_at {
                // What was looked at is no longer what the customer has: right for the old one is nothing for the new.
                return Ok(Answered::NotRight { tries_left: None });
            }
            let command = Command::Prove {
                proof: id,
                digest,
                evidence: uses.evidence(),
            };
            let (mut tallies, revision) = self.tallies_of(&loaded.customer).await?;
            tallies
                .entry(proof.to_owned())
                .or_default()
                .give_back(reservation, &TryLimits::default());
            // The try this very answer took may have closed the way; giving it back opens it again, so the facts are seen without it.
            let mut facts = loaded.facts.clone();
            let still_locked = tallies
                .get(proof)
                .and_then(|tally: &Tally| tally.locked_until(loaded.now))
                .is_some();
            facts.locked.retain(|lock| lock.proof != id || still_locked);
            let moment = countersign_cases::Moment {
                now: loaded.now,
                facts: &facts,
            };
            let decision = decide(&loaded.procedure, &loaded.case, command, &moment)?;
            let mut also = Also::default();
            also.records.push(self.proved_seat(seat, loaded.now)?);
            also.records.push(records::put(
                space::ATTEMPTS,
                records::part(&loaded.customer.id.0),
                &tallies,
                Some(revision),
            )?);
            match &uses {
                Uses::Nothing => {}
                Uses::Answer {
                    question, message, ..
                } => match self.answered_writes(&loaded, question, message).await? {
                    Some(writes) => also.records.extend(writes),
                    None => return Ok(Answered::NotRight { tries_left: None }),
                },
                Uses::Step { holding, step } => {
                    let Held {
                        value: mut customer,
                        revision,
                    } = self
                        .load_customer(&loaded.customer.id)
                        .await?
                        .ok_or(CaseError::UnknownCustomer)?;
                    let Some(FactorKind::Totp { last_step, .. }) = customer
                        .factors
                        .get_mut(holding)
                        .map(|factor| &mut factor.kind)
                    else {
                        return Ok(Answered::NotRight { tries_left: None });
                    };
                    if last_step.is_some_and(|last| last >= *step) {
                        // The same code was used somewhere else in this very moment.
                        return Ok(Answered::NotRight { tries_left: None });
                    }
                    *last_step = Some(*step);
                    also.records.push(records::put(
                        space::CUSTOMER,
                        records::part(&customer.id.0),
                        &customer,
                        Some(revision),
                    )?);
                }
                Uses::Code { key } => {
                    let Some(Held {
                        value: code,
                        revision,
                    }) = self.load::<Code>(space::CODE, key).await?
                    else {
                        return Ok(Answered::NotRight { tries_left: None });
                    };
                    if code.stored.is_none() {
                        return Ok(Answered::NotRight { tries_left: None });
                    }
                    let used = Code {
                        stored: None,
                        ..code
                    };
                    also.records.push(records::put_until(
                        space::CODE,
                        key.clone(),
                        &used,
                        Some(revision),
                        loaded.case.expires_at().plus_seconds(86_400),
                    )?);
                }
            }
            let (batch, case) = self.write_decision(&loaded, &decision.events, None, also)?;
            if self.committed(batch, &mut tries).await? {
                return Ok(Answered::Right(Applied {
                    version: case.version(),
                    state: case.state(),
                }));
            }
        }
    }

    /// How many answers to this proof are left now.
    pub(crate) async fn answers_left(
        &self,
        customer: &Customer,
        proof: &str,
    ) -> Result<u32, Trouble> {
        let now = self.now();
        let (tallies, _) = self.tallies_of(customer).await?;
        Ok(tallies
            .get(proof)
            .map_or(0, |tally| tally.left(now, &TryLimits::default())))
    }

    /// Records a wrong answer; the count itself went up before it was looked at. Gives the answers left.
    pub(crate) async fn count_wrong(&self, loaded: &Loaded, proof: &str) -> Result<u32, Trouble> {
        let mut tries = Tries::default();
        loop {
            let now = self.now();
            let left = self.answers_left(&loaded.customer, proof).await?;
            let mut batch = Batch::default();
            let data = serde_json::json!({ "case": loaded.row.case, "proof": proof, "left": left });
            let mut entry = Entry::new(
                "customer.wrong_answer",
                now,
                Some(&loaded.customer.pseudonym),
                &data,
            )?;
            entry.case = Some(loaded.row.pseudonym.clone());
            self.log(
                &mut batch,
                &records::customer_stream(&loaded.customer.id),
                entry,
            )
            .await?;
            if self.committed(batch, &mut tries).await? {
                tracing::info!(case = loaded.row.case.0, proof, left, "answer not right");
                return Ok(left);
            }
        }
    }
}

/// Whether an answer to this proof could count now, were it right.
pub(crate) fn may_try(loaded: &Loaded, proof: ProofId, digest: Digest) -> Result<(), Refusal> {
    let imagined = Evidence::Assertion {
        credential: String::new(),
        public_key: String::new(),
        client_data: String::new(),
        authenticator_data: String::new(),
        signature: String::new(),
    };
    let command = Command::Prove {
        proof,
        digest,
        evidence: imagined,
    };
    decide(&loaded.procedure, &loaded.case, command, &loaded.moment()).map(|_| ())
}

/// The customer's account at the company's identity provider, as the company put it; `None` if they have none.
pub(crate) fn account_of(loaded: &Loaded, proof: ProofId) -> Option<&str> {
    let factor = loaded.customer.factors.get(holding_of(loaded, proof)?)?;
    match &factor.kind {
        FactorKind::Account(account) => Some(account),
        FactorKind::Elsewhere => Some(&loaded.customer.id.0),
        _ => None,
    }
}

fn holding_of(loaded: &Loaded, proof: ProofId) -> Option<&str> {
    let shows = loaded.procedure.proofs.get(proof.index())?.shows;
    loaded
        .procedure
        .holdings
        .get(shows.index())
        .map(|holding| holding.name.as_str())
}

/// The holding that a proof shows, as it stands when an answer is looked at.
pub(crate) fn shown_by(loaded: &Loaded, proof: ProofId) -> Option<HoldingFact> {
    let shows = loaded.procedure.proofs.get(proof.index())?.shows;
    let mut held = loaded.facts.holdings.iter();
    held.find(|fact| fact.holding == shows).copied()
}

/// Whether a code went to somebody who is still a contact of the customer.
fn is_live(loaded: &Loaded, contact: Option<&ContactId>) -> bool {
    let contacts = &loaded.customer.contacts;
    contact.is_some_and(|id| {
        contacts
            .iter()
            .any(|contact| contact.id == *id && contact.removed_at.is_none())
    })
}

fn passkeys_shown(loaded: &Loaded, proof: ProofId) -> Option<(String, Vec<Passkey>)> {
    let holding = holding_of(loaded, proof)?;
    let Some(FactorKind::Passkeys { keys, .. }) = loaded
        .customer
        .factors
        .get(holding)
        .map(|factor| &factor.kind)
    else {
        return None;
    };
    Some((
        holding.to_owned(),
        keys.iter()
            .map(|registered| registered.key.clone())
            .collect(),
    ))
}
