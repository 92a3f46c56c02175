//! What the gate carries out itself (`runs gate`): a customer sets a PIN, an authenticator app or passkeys.
//!
//! Such a case is opened, proved, signed and granted like any other. The
//! difference is who uses the grant: not a backend but the customer, on the
//! page of a seat that made a proof of this case. The grant stays in the gate,
//! and the case can still be stopped, until one commit hands it over, writes
//! the new value and ends the case. So it counts once, and nothing is ever
//! half set.
//!
//! INVARIANT: nothing here takes anything but a [`CustomerSeat`].

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use countersign_cases::{
    CaseId, Command, Event, NOTICE_REACH_SECONDS, Outcome, Refusal, State, Timestamp, decide,
    evolve,
};
use countersign_language::{Method, Set, SetAtGate};
use countersign_store::{NewWork, RecordWrite};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    adapters::{
        dice,
        secrets::{Secret, SecretError},
        totp::TotpSecret,
        webauthn::Passkey,
    },
    cases::{Applied, CaseError},
    decisions::{Also, Loaded},
    delivery::RUN,
    enrolment_pin::{self, WeakPin},
    factors::passkeys_of,
    gate::Gate,
    grants::Minted,
    notices::{self, Letter, finished},
    records::{
        self, Customer, Delivery, Factor, FactorKind, GrantRecord, Held, Owner, Registered, space,
    },
    sessions::CustomerSeat,
    shell::{Entry, Tries},
    sign_in::{Ceremony, Purpose},
    staff::{PASSKEYS_MAX, PasskeyView, StaffError},
    trouble::Trouble,
    views,
};

/// How long the customer has to set the new value after the grant: as long as a case that waited can still run.
const ENROLMENT_SECONDS: u64 = 24 * 3_600;

/// What a customer is to set now.
#[derive(Clone)]
pub struct EnrolmentView {
    /// What it is called.
    pub label: String,
    /// How it is shown: [`Method::Pin`], [`Method::Totp`] or [`Method::Passkey`].
    pub method: Method,
    /// What becomes of what they have.
    pub set: Set,
    /// Until when it can be set.
    pub until: Timestamp,
    /// The passkeys they have; empty for anything else.
    pub passkeys: Vec<PasskeyView>,
    /// For an authenticator app: what the app needs.
    pub app: Option<AppSecret>,
}

/// What an authenticator app needs, once.
#[derive(Clone)]
pub struct AppSecret {
    /// To be typed into an app that cannot scan.
    pub base32: String,
    /// `otpauth://totp/…`, to be shown as a QR code.
    pub url: String,
}

impl std::fmt::Debug for AppSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AppSecret(…)")
    }
}

impl std::fmt::Debug for EnrolmentView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EnrolmentView")
            .field("label", &self.label)
            .field("method", &self.method)
            .field("set", &self.set)
            .field("until", &self.until)
            .finish_non_exhaustive()
    }
}

/// Why nothing was set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnrolmentError {
    /// The case grants no such thing, not yet or not any more.
    #[error("there is nothing to set here")]
    NothingToSet,
    /// The PIN is one that others would try.
    #[error(transparent)]
    WeakPin(#[from] WeakPin),
    /// The app does not show this code.
    #[error("the code is not the one the app shows")]
    WrongCode,
    /// The passkey was not accepted.
    #[error("the passkey was not accepted")]
    NotAccepted,
    /// The prompt is over.
    #[error("this prompt is over; start again")]
    PromptOver,
    /// The customer has no such passkey.
    #[error("there is no such passkey")]
    UnknownPasskey,
    /// None was chosen.
    #[error("choose a passkey to remove")]
    NoneChosen,
    /// There are as many passkeys as there can be.
    #[error("there are as many passkeys as there can be; remove one")]
    TooMany,
    /// They got one meanwhile, and this action takes nothing away.
    #[error("there is one already")]
    AlreadyHeld,
    /// As for any case.
    #[error(transparent)]
    Case(#[from] CaseError),
}

impl EnrolmentError {
    /// Stable word.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NothingToSet => "nothing-to-set",
            Self::WeakPin(_) => "weak-pin",
            Self::WrongCode => "wrong-code",
            Self::NotAccepted => "passkey-not-accepted",
            Self::PromptOver => "ceremony-gone",
            Self::UnknownPasskey | Self::NoneChosen => "unknown-passkey",
            Self::TooMany => "too-many-passkeys",
            Self::AlreadyHeld => "already-held",
            Self::Case(error) => error.code(),
        }
    }
}

impl From<Trouble> for EnrolmentError {
    fn from(trouble: Trouble) -> Self {
        Self::Case(trouble.into())
    }
}

impl From<Refusal> for EnrolmentError {
    fn from(refusal: Refusal) -> Self {
        Self::Case(refusal.into())
    }
}

/// What is to be set by a grant that the gate keeps for the customer, by its case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Enrolment {
    pub(crate) grant: String,
    pub(crate) until: Timestamp,
    /// The secret of an authenticator app, sealed; counts for nothing before a code of it came back.
    pub(crate) app: Option<String>,
}

/// An enrolment that can be completed now, on this seat.
struct Open {
    loaded: Loaded,
    enrolment: Enrolment,
    revision: u64,
    what: SetAtGate,
    holding: String,
}

/// What a new value does to a customer.
struct Change {
    customer: Customer,
    records: Vec<RecordWrite>,
    /// For the ledger: what happened, without the value.
    said: &'static str,
}

impl Gate {
    /// What the customer on this seat is to set now; `None` where there is nothing, or not on this seat.
    pub async fn enrolment(&self, seat: &CustomerSeat) -> Result<Option<EnrolmentView>, CaseError> {
        let open = match self.open_enrolment(seat).await {
            Ok(open) => open,
            Err(EnrolmentError::Case(error)) => return Err(error),
            Err(_) => return Ok(None),
        };
        let customer = &open.loaded.customer;
        let passkeys = match customer
            .factors
            .get(&open.holding)
            .map(|factor| &factor.kind)
        {
            Some(FactorKind::Passkeys { keys, .. }) => keys.iter().map(Registered::view).collect(),
            _ => Vec::new(),
        };
        let app = match &open.enrolment.app {
            Some(_) => {
                let secret = self.app_secret(&open)?;
                let organisation = &open.loaded.procedure.organisation;
                let without_colon =
                    |text: &str| text.chars().filter(|one| *one != ':').collect::<String>();
                let (base32, url) = secret
                    .for_app(
                        &without_colon(organisation),
                        &without_colon(&customer.number),
                    )
                    .map_err(|error| Trouble::Damaged(error.to_string()))?;
                Some(AppSecret { base32, url })
            }
            None => None,
        };
        let label = open
            .loaded
            .procedure
            .holdings
            .get(open.what.holding.index());
        Ok(Some(EnrolmentView {
            label: label
                .map(|holding| holding.label.clone())
                .unwrap_or_default(),
            method: open.what.method,
            set: open.what.set,
            until: open.enrolment.until,
            passkeys,
            app,
        }))
    }

    /// The customer's new PIN. It is hashed on the bounded pool and kept nowhere else.
    pub async fn enrol_pin(
        &self,
        seat: &CustomerSeat,
        pin: &Secret,
    ) -> Result<Applied, EnrolmentError> {
        let open = self.open_enrolment_of(seat, Method::Pin).await?;
        enrolment_pin::may_be_chosen(pin.expose_text(), &open.loaded.customer)?;
        let hash = match self.hasher().hash(&seat.customer().0, pin).await {
            Ok(hash) => hash,
            Err(SecretError::TooLong) => return Err(WeakPin::Length.into()),
            Err(error) => {
                tracing::warn!(%error, "pin not hashed");
                return Err(Trouble::Overloaded.into());
            }
        };
        self.complete(seat, Method::Pin, |open, now| {
            // Looked at again: the numbers on file may have changed while it was hashed.
            enrolment_pin::may_be_chosen(pin.expose_text(), &open.loaded.customer)?;
            Ok(Change {
                customer: with_factor(open, FactorKind::Pin(hash.clone()), now),
                records: Vec::new(),
                said: "pin",
            })
        })
        .await
    }

    /// A code that the app shows: from now on the app counts, and this code counts no more.
    pub async fn enrol_app(
        &self,
        seat: &CustomerSeat,
        code: &str,
    ) -> Result<Applied, EnrolmentError> {
        self.complete(seat, Method::Totp, |open, now| {
            let secret = self.app_secret(open)?;
            let step = secret
                .verify(code, now, None)
                .map_err(|_| EnrolmentError::WrongCode)?;
            let kind = FactorKind::Totp {
                sealed: open.enrolment.app.clone().unwrap_or_default(),
                last_step: Some(step),
            };
            Ok(Change {
                customer: with_factor(open, kind, now),
                records: Vec::new(),
                said: "app",
            })
        })
        .await
    }

    /// Begins to register a passkey. The prompt is for this grant and no other.
    pub async fn start_enrol_passkey(
        &self,
        seat: &CustomerSeat,
    ) -> Result<Ceremony, EnrolmentError> {
        let open = self.open_enrolment_of(seat, Method::Passkey).await?;
        let (handle, keys) = passkeys_of(&open.loaded.customer, &open.holding)?;
        let challenge = dice::random_bytes::<32>(self.dice());
        let ceremony = self.remember_prompt(purpose(&open), &challenge).await?;
        let known: Vec<Passkey> = keys.into_iter().map(|registered| registered.key).collect();
        let customer = &open.loaded.customer;
        let options = self.relying_party().creation_options(
            &handle,
            &customer.number,
            &customer.name,
            &challenge,
            &known,
        );
        Ok(Ceremony { ceremony, options })
    }

    /// The new passkey, with the name its owner gives it. `remove` names those it takes the place of (credential ids as in
    /// [`EnrolmentView::passkeys`]); only where the action says `changes`.
    pub async fn finish_enrol_passkey(
        &self,
        seat: &CustomerSeat,
        ceremony: &str,
        response: &Value,
        name: &str,
        remove: &[String],
    ) -> Result<Applied, EnrolmentError> {
        let open = self.open_enrolment_of(seat, Method::Passkey).await?;
        let challenge = match self.take_prompt(ceremony, &purpose(&open)).await {
            Ok(challenge) => challenge,
            Err(StaffError::Trouble(trouble)) => return Err(trouble.into()),
            Err(_) => return Err(EnrolmentError::PromptOver),
        };
        let (handle, _) = passkeys_of(&open.loaded.customer, &open.holding)?;
        let passkey = self
            .relying_party()
            .finish_registration(&handle, &challenge, response)
            .map_err(|error| {
                tracing::info!(%error, "passkey not registered");
                EnrolmentError::NotAccepted
            })?;
        let credential = URL_SAFE_NO_PAD.encode(&passkey.credential);
        if self
            .load::<Owner>(space::CREDENTIAL, &credential)
            .await?
            .is_some()
        {
            return Err(EnrolmentError::NotAccepted);
        }
        self.complete(seat, Method::Passkey, |open, now| {
            let (mut keys, mut records) = without(open, remove)?;
            if keys.len() >= PASSKEYS_MAX {
                return Err(EnrolmentError::TooMany);
            }
            keys.push(Registered::new(passkey.clone(), name, now));
            let owner = Owner::Customer {
                customer: open.loaded.customer.id.clone(),
                holding: open.holding.clone(),
            };
            records.push(records::put(
                space::CREDENTIAL,
                credential.clone(),
                &owner,
                Some(0),
            )?);
            let kind = FactorKind::Passkeys {
                handle: URL_SAFE_NO_PAD.encode(&handle),
                keys,
            };
            Ok(Change {
                customer: with_factor(open, kind, now),
                records,
                said: if remove.is_empty() {
                    "passkey_added"
                } else {
                    "passkey_replaced"
                },
            })
        })
        .await
    }

    /// Removes passkeys and adds none; only where the action says `changes`.
    pub async fn remove_enrolled_passkeys(
        &self,
        seat: &CustomerSeat,
        remove: &[String],
    ) -> Result<Applied, EnrolmentError> {
        if remove.is_empty() {
            return Err(EnrolmentError::NoneChosen);
        }
        self.complete(seat, Method::Passkey, |open, now| {
            let (keys, records) = without(open, remove)?;
            let (handle, _) = passkeys_of(&open.loaded.customer, &open.holding)?;
            let kind = FactorKind::Passkeys {
                handle: URL_SAFE_NO_PAD.encode(&handle),
                keys,
            };
            Ok(Change {
                customer: with_factor(open, kind, now),
                records,
                said: "passkey_removed",
            })
        })
        .await
    }

    /// What goes into the commit of a grant that the gate keeps: what is to be set and until when.
    pub(crate) fn begin_enrolment(
        &self,
        loaded: &Loaded,
        minted: &Minted,
        until: Timestamp,
    ) -> Result<RecordWrite, CaseError> {
        let what = what(loaded)
            .ok_or_else(|| Trouble::Damaged("a grant of the gate that sets nothing".to_owned()))?;
        let app = if what.method == Method::Totp {
            let secret = Secret::from_bytes(dice::random_bytes::<20>(self.dice()).to_vec());
            let holding = holding_name(loaded, what);
            Some(self.seal(&loaded.row.customer, holding, secret.expose())?)
        } else {
            None
        };
        let enrolment = Enrolment {
            grant: minted.id.clone(),
            until,
            app,
        };
        Ok(records::put_until(
            space::ENROLMENT,
            records::part(&loaded.row.case.0),
            &enrolment,
            None,
            until.plus_seconds(86_400),
        )?)
    }

    /// The time to set it is over: the case ends, and nothing changed.
    pub(crate) async fn end_enrolment(&self, case: &CaseId, grant: &str) -> Result<(), CaseError> {
        let mut tries = Tries::default();
        loop {
            let loaded = self.load_case(case).await?;
            if !awaits_customer(&loaded) {
                return Ok(self.finish(RUN, grant, None).await?);
            }
            let Held { value: record, .. } = self.load_grant(grant).await?;
            if loaded.now < record.not_after {
                let later = Some(record.not_after);
                return Ok(self.finish(RUN, grant, later).await?);
            }
            let outcome = Outcome::Failed {
                reason: "not_set_in_time".to_owned(),
            };
            let events = carried_out(&loaded, outcome)?;
            let also = Also {
                records: vec![records::remove(
                    space::ENROLMENT,
                    records::part(&case.0),
                    None,
                )],
                finished: vec![finished(RUN, grant, None)],
                ..Also::default()
            };
            let (batch, _) = self.write_decision(&loaded, &events, None, also)?;
            if self.committed(batch, &mut tries).await? {
                return Ok(());
            }
        }
    }

    /// One commit: the grant is handed over and used, the value is written, and the case is done. Decided again from the
    /// start if anything it read changed meanwhile, a stop above all.
    async fn complete(
        &self,
        seat: &CustomerSeat,
        method: Method,
        change: impl Fn(&Open, Timestamp) -> Result<Change, EnrolmentError>,
    ) -> Result<Applied, EnrolmentError> {
        let mut tries = Tries::default();
        loop {
            let open = self.open_enrolment_of(seat, method).await?;
            let (loaded, grant) = (&open.loaded, &open.enrolment.grant);
            let Held {
                value: customer,
                revision,
            } = self
                .load_customer(&loaded.row.customer)
                .await?
                .ok_or(CaseError::UnknownCustomer)?;
            if customer != loaded.customer {
                // Changed between two readings; what is decided on is what is written.
                tokio::task::yield_now().await;
                continue;
            }
            let held = loaded.customer.factors.contains_key(&open.holding);
            if open.what.set == Set::Adds && method != Method::Passkey && held {
                return Err(EnrolmentError::AlreadyHeld);
            }
            let changed = change(&open, loaded.now)?;
            let events = carried_out(loaded, Outcome::Done)?;
            let granted = self.load_grant(grant).await?;
            let used = GrantRecord {
                delivery: Delivery::Sent,
                ..granted.value
            };
            let case = records::part(&loaded.row.case.0);
            let mut also = Also {
                records: changed.records,
                finished: vec![finished(RUN, grant, None)],
                work: letters(loaded, open.what)?,
            };
            also.records.extend([
                // At most once, whatever else goes wrong: each of these was read at this revision.
                records::put(space::GRANT, grant.clone(), &used, Some(granted.revision))?,
                records::remove(space::ENROLMENT, case, Some(open.revision)),
                records::put(
                    space::CUSTOMER,
                    records::part(&loaded.row.customer.0),
                    &changed.customer,
                    Some(revision),
                )?,
            ]);
            let (mut batch, after) = self.write_decision(loaded, &events, None, also)?;
            let mut entry = Entry::new(
                "customer.enrolled",
                loaded.now,
                Some(&loaded.customer.pseudonym),
                &serde_json::json!({
                    "case": loaded.row.case, "holding": open.holding, "what": changed.said,
                }),
            )?;
            entry.case = Some(loaded.row.pseudonym.clone());
            let stream = records::customer_stream(&loaded.row.customer);
            self.log(&mut batch, &stream, entry).await?;
            if self.committed(batch, &mut tries).await? {
                tracing::info!(
                    case = loaded.row.case.0,
                    what = changed.said,
                    "set by the customer"
                );
                return Ok(Applied {
                    version: after.version(),
                    state: after.state(),
                });
            }
        }
    }

    async fn open_enrolment_of(
        &self,
        seat: &CustomerSeat,
        method: Method,
    ) -> Result<Open, EnrolmentError> {
        let open = self.open_enrolment(seat).await?;
        if open.what.method == method {
            Ok(open)
        } else {
            Err(EnrolmentError::NothingToSet)
        }
    }

    /// What can be set on this seat now. A seat that proved nothing sets nothing for a case that somebody proved: an agent
    /// can make a second link, and must gain nothing by it.
    async fn open_enrolment(&self, seat: &CustomerSeat) -> Result<Open, EnrolmentError> {
        let loaded = self.load_case(seat.case()).await?;
        if loaded.case.state() != State::Granted {
            return Err(EnrolmentError::NothingToSet);
        }
        let what = what(&loaded).ok_or(EnrolmentError::NothingToSet)?;
        if !loaded.case.proofs().is_empty() && !self.seat_has_proved(seat).await? {
            return Err(EnrolmentError::NothingToSet);
        }
        let Held {
            value: enrolment,
            revision,
        } = self
            .load::<Enrolment>(space::ENROLMENT, &records::part(&loaded.row.case.0))
            .await?
            .filter(|held| loaded.now < held.value.until)
            .ok_or(EnrolmentError::NothingToSet)?;
        let holding = holding_name(&loaded, what).to_owned();
        Ok(Open {
            loaded,
            enrolment,
            revision,
            what,
            holding,
        })
    }

    fn app_secret(&self, open: &Open) -> Result<TotpSecret, Trouble> {
        let sealed = open
            .enrolment
            .app
            .as_deref()
            .ok_or_else(|| Trouble::Damaged("an app without its secret".to_owned()))?;
        let bytes = self.unseal(&open.loaded.customer.id, &open.holding, sealed)?;
        TotpSecret::from_bytes(&bytes).map_err(|error| Trouble::Damaged(error.to_string()))
    }
}

/// Whether a case waits for its customer to set something.
pub(crate) fn awaits_customer(loaded: &Loaded) -> bool {
    loaded.case.state() == State::Granted && what(loaded).is_some()
}

/// Until when it can be set.
pub(crate) fn until(granted: Timestamp) -> Timestamp {
    granted.plus_seconds(ENROLMENT_SECONDS)
}

/// What the action of a case sets, if the gate carries it out.
fn what(loaded: &Loaded) -> Option<SetAtGate> {
    let (_, action) = views::opened_action(loaded).ok()?;
    loaded.procedure.set_at_gate(action)
}

fn holding_name(loaded: &Loaded, what: SetAtGate) -> &str {
    loaded
        .procedure
        .holdings
        .get(what.holding.index())
        .map_or("", |holding| holding.name.as_str())
}

/// Handed over and concluded at one moment: what lies between is this program's own work.
fn carried_out(loaded: &Loaded, outcome: Outcome) -> Result<Vec<Event>, Refusal> {
    let moment = loaded.moment();
    let mut events = decide(&loaded.procedure, &loaded.case, Command::HandOver, &moment)?.events;
    let running = events.iter().fold(loaded.case.clone(), evolve);
    let conclude = Command::Conclude(outcome);
    events.extend(decide(&loaded.procedure, &running, conclude, &moment)?.events);
    Ok(events)
}

fn purpose(open: &Open) -> Purpose {
    Purpose::Enrolment {
        case: open.loaded.row.case.clone(),
        grant: open.enrolment.grant.clone(),
    }
}

/// The holding as it is from now on. It counts as changed, so that it settles from here.
fn with_factor(open: &Open, kind: FactorKind, now: Timestamp) -> Customer {
    let mut customer = open.loaded.customer.clone();
    let factor = Factor {
        changed_at: Some(now),
        kind,
    };
    customer.factors.insert(open.holding.clone(), factor);
    customer
}

/// The customer's passkeys without these, and what makes the gate forget them.
fn without(
    open: &Open,
    remove: &[String],
) -> Result<(Vec<Registered>, Vec<RecordWrite>), EnrolmentError> {
    let (_, mut keys) = passkeys_of(&open.loaded.customer, &open.holding)?;
    if !remove.is_empty() && open.what.set == Set::Adds {
        return Err(EnrolmentError::NothingToSet);
    }
    let mut records = Vec::with_capacity(remove.len());
    for credential in remove {
        let before = keys.len();
        keys.retain(|registered| URL_SAFE_NO_PAD.encode(&registered.key.credential) != *credential);
        if keys.len() == before {
            return Err(EnrolmentError::UnknownPasskey);
        }
        records.push(records::remove(space::CREDENTIAL, credential.clone(), None));
    }
    Ok((keys, records))
}

/// Word to everybody on file, addresses removed lately included: the prover counts on it that whoever holds a channel hears
/// of a change.
fn letters(loaded: &Loaded, what: SetAtGate) -> Result<Vec<NewWork>, Trouble> {
    let case = &loaded.row.case;
    let in_reach = loaded.customer.contacts.iter().filter(|contact| {
        contact
            .removed_at
            .is_none_or(|removed| loaded.now.seconds_since(removed) <= NOTICE_REACH_SECONDS)
    });
    let label = loaded
        .procedure
        .holdings
        .get(what.holding.index())
        .map_or("", |holding| holding.label.as_str());
    in_reach
        .map(|contact| {
            let letter = Letter::Enrolled {
                customer: loaded.row.customer.clone(),
                case: case.clone(),
                contact: contact.id.clone(),
                label: label.to_owned(),
                at: loaded.now,
            };
            Ok(NewWork {
                queue: notices::MAIL,
                key: format!(
                    "enrolled/{}/{}",
                    records::part(&case.0),
                    records::part(&contact.id.0)
                ),
                due_ms: loaded.now.0,
                body: records::write_json(&letter)?,
            })
        })
        .collect()
}
