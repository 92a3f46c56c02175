//! Customers, their contacts with history, and what they prove themselves with.
//!
//! The company's own system puts customers here by API; the gate never
//! believes a date of change it was told where it can see the change itself.
//! Staff look customers up, and every look-up is counted and recorded.

use std::collections::BTreeMap;

use countersign_cases::{BackupFact, ContactId, CustomerId, NOTICE_REACH_SECONDS, Timestamp};
use countersign_language::{BackupGrade, HoldingKind, Method, Procedure};
use countersign_store::{Batch, NewWork};
use serde::{Deserialize, Serialize};

use crate::{
    adapters::dice,
    factors::is_pin_hash,
    gate::Gate,
    lookups::{contact_view, factor_views},
    notices::{Letter, MAIL},
    records::{self, Contact, Customer, Desk, Factor, FactorKind, Held, space},
    sessions::MachineCaller,
    settings::Scope,
    shell::{Entry, Tries},
    speech::Language,
    trouble::Trouble,
};

/// Most contacts, addresses or attributes one customer can have.
const ITEMS_MAX: usize = 64;

/// Longest text of any single field, in characters.
pub(crate) const FIELD_CHARS_MAX: usize = 500;

/// A removed contact is kept, and told, this long; then its address is forgotten. Twice the reach of a notice.
const CONTACT_KEPT_SECONDS: u64 = 2 * NOTICE_REACH_SECONDS;

/// A customer as the company's system puts them: the whole of what is to be known, contacts included.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CustomerPut {
    /// Name as staff and the customer read it.
    pub name: String,
    /// Customer number as printed on invoices.
    pub number: String,
    /// Attributes for `when customer.…` lines.
    #[serde(default)]
    pub attributes: BTreeMap<String, String>,
    /// Domains the customer can be found by.
    #[serde(default)]
    pub domains: Vec<String>,
    /// Customer since, ms since the epoch.
    #[serde(default)]
    pub since_ms: Option<i64>,
    /// Every live contact. One that was here before and is missing now is removed, and told.
    #[serde(default)]
    pub contacts: Vec<ContactPut>,
    /// Holdings the company keeps itself, such as the account password.
    #[serde(default)]
    pub held: Vec<HeldPut>,
    /// What letters to the customer are written in.
    #[serde(default)]
    pub language: Option<Language>,
}

/// A live contact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContactPut {
    /// Channel in the procedure, such as `mailbox`.
    pub channel: String,
    /// The address.
    pub address: String,
    /// First seen by the company, ms since the epoch. Believed only when the customer is put for the first time.
    #[serde(default)]
    pub since_ms: Option<i64>,
}

/// A holding the company keeps itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeldPut {
    /// Holding in the procedure, such as `password`.
    pub holding: String,
    /// When it last changed, ms since the epoch; absent if it never did.
    #[serde(default)]
    pub changed_at_ms: Option<i64>,
}

/// How a customer shows a holding at the gate.
#[derive(Clone, PartialEq, Eq)]
pub enum FactorPut {
    /// A support PIN in the clear; hashed at once and not kept.
    Pin(String),
    /// A support PIN already hashed: an Argon2id PHC string.
    PinHash(String),
    /// The secret of an authenticator app, base32.
    Totp(String),
    /// The customer's account at the company's identity provider, for `oidc` and `ciba`.
    Account(String),
}

impl std::fmt::Debug for FactorPut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Pin(_) => "Pin(…)",
            Self::PinHash(_) => "PinHash(…)",
            Self::Totp(_) => "Totp(…)",
            Self::Account(_) => "Account(…)",
        })
    }
}

/// What putting a customer did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CustomerSaved {
    /// True if the customer was not known before.
    pub created: bool,
    /// Contacts added now.
    pub added: usize,
    /// Contacts removed now.
    pub removed: usize,
}

/// A customer as programs with [`Scope::Customers`] read them: everything, history included.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CustomerDetail {
    /// The company's own id.
    pub id: CustomerId,
    /// Name.
    pub name: String,
    /// Number.
    pub number: String,
    /// Attributes.
    pub attributes: BTreeMap<String, String>,
    /// Domains.
    pub domains: Vec<String>,
    /// Customer since.
    pub since: Timestamp,
    /// Contacts, removed ones included while they are kept.
    pub contacts: Vec<ContactView>,
    /// What the customer can prove themselves with.
    pub factors: Vec<FactorView>,
    /// Name in the ledger.
    pub pseudonym: String,
}

/// A contact with its history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ContactView {
    /// Opaque id.
    pub id: ContactId,
    /// Channel in the procedure.
    pub channel: String,
    /// Its label.
    pub channel_label: String,
    /// The address: masked unless the reader may see it.
    pub address: String,
    /// First seen.
    pub first_seen: Timestamp,
    /// When it replaced or joined another; `None` if it was there from the beginning.
    pub changed_at: Option<Timestamp>,
    /// When it was removed.
    pub removed_at: Option<Timestamp>,
}

/// A registered way to prove, without anything secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FactorView {
    /// Holding in the procedure.
    pub holding: String,
    /// Its label.
    pub label: String,
    /// `pin`, `totp`, `passkey`, `elsewhere`.
    pub kind: &'static str,
    /// When it last changed.
    pub changed_at: Option<Timestamp>,
    /// For passkeys, how many.
    pub count: usize,
}

/// A backup attestation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackupAttestation {
    /// How much was checked.
    pub grade: BackupGrade,
    /// Where the backup is.
    pub place: String,
    /// When it was made, ms since the epoch; not in the future.
    pub at_ms: i64,
    /// What was compared, in words.
    pub compared: String,
}

/// A stored attestation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Attested {
    pub(crate) grade: BackupGrade,
    pub(crate) place: String,
    pub(crate) at: Timestamp,
    pub(crate) compared: String,
    pub(crate) by: String,
    pub(crate) recorded_at: Timestamp,
}

/// Why something about a customer was not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CustomerError {
    /// The token does not have the scope, or the account not the role.
    #[error("this needs `{0}`")]
    NotAllowed(&'static str),
    /// There is no such customer.
    #[error("there is no such customer")]
    Unknown,
    /// A field cannot be taken.
    #[error("`{field}` {why}")]
    Field {
        /// Which.
        field: String,
        /// Why.
        why: &'static str,
    },
    /// The gate hashes PINs with a pepper, and this hash was made without it: it could never match.
    #[error("this gate hashes PINs with a key of its own; send the PIN itself")]
    HashWithoutPepper,
    /// A case of theirs is open.
    #[error("a case of this customer is open")]
    OpenCases,
    /// A request of theirs was refused or stopped, and is still closed.
    #[error("a refused or stopped request of this customer is still closed")]
    StillClosed {
        /// Until when.
        until: Timestamp,
    },
    /// Too many look-ups in this hour.
    #[error("too many look-ups in this hour")]
    TooManyLookUps,
    /// The store.
    #[error(transparent)]
    Trouble(#[from] Trouble),
}

impl CustomerError {
    /// Stable word.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotAllowed(_) => "not-allowed",
            Self::Unknown => "unknown-customer",
            Self::Field { .. } => "bad-field",
            Self::HashWithoutPepper => "pin-hash-without-pepper",
            Self::OpenCases => "open-cases",
            Self::StillClosed { .. } => "request-still-closed",
            Self::TooManyLookUps => "too-many-look-ups",
            Self::Trouble(trouble) => trouble.code(),
        }
    }

    pub(crate) fn field(field: impl Into<String>, why: &'static str) -> Self {
        Self::Field {
            field: field.into(),
            why,
        }
    }
}

impl Gate {
    /// Puts a customer whole. Contacts that are no longer named are removed, kept for 60 days, and told.
    pub async fn put_customer(
        &self,
        by: &MachineCaller,
        id: &CustomerId,
        put: &CustomerPut,
    ) -> Result<CustomerSaved, CustomerError> {
        allow(by, Scope::Customers, "customers")?;
        check_put(&self.procedure(), id, put)?;
        let mut tries = Tries::default();
        loop {
            let now = self.now();
            let held = self.load_customer(id).await?;
            if held
                .as_ref()
                .is_some_and(|held| held.value.planted.is_some())
            {
                // An id that a drill invented: a customer never becomes part of one.
                return Err(CustomerError::field("id", "is taken; use another"));
            }
            let mut customer = held.as_ref().map_or_else(
                || self.new_customer(id, put, now),
                |held| held.value.clone(),
            );
            let before = held.as_ref().map(|held| &held.value);
            // Dates are believed once. A number that was erased and comes back begins with everything changed just now.
            let first = before.is_none() && !self.was_erased(id).await?;
            customer.name.clone_from(&put.name);
            customer.number.clone_from(&put.number);
            customer.language = put.language;
            customer.attributes.clone_from(&put.attributes);
            customer.domains = put
                .domains
                .iter()
                .map(|domain| domain.trim().to_lowercase())
                .collect();
            let (added, removed) = self.merge_contacts(&mut customer, put, first, now);
            merge_held(&mut customer, put, first, now);

            if before == Some(&customer) {
                return Ok(CustomerSaved {
                    created: false,
                    added: 0,
                    removed: 0,
                });
            }
            let mut batch = Batch::default();
            let revision = held.as_ref().map_or(0, |held| held.revision);
            self.write_customer(&mut batch, before, &customer, revision)
                .await?;
            let entry = Entry::new(
                "customer.put",
                now,
                Some(&customer.pseudonym),
                &serde_json::json!({ "by": by.name(), "created": before.is_none(), "contacts_added": added, "contacts_removed": removed.len() }),
            )?;
            self.log(&mut batch, &records::customer_stream(id), entry)
                .await?;
            for contact in &removed {
                // The old contact is told that it was removed, never what came in its place.
                let letter = Letter::ContactRemoved {
                    customer: id.clone(),
                    contact: contact.id.clone(),
                    at: now,
                };
                batch.work.push(NewWork {
                    queue: MAIL,
                    key: format!("removed/{}", contact.id.0),
                    due_ms: now.0,
                    body: records::write_json(&letter)?,
                });
            }
            let saved = CustomerSaved {
                created: before.is_none(),
                added,
                removed: removed.len(),
            };
            if self.committed(batch, &mut tries).await? {
                return Ok(saved);
            }
        }
    }

    /// Enrols or replaces a way to prove: from now on the holding counts as changed.
    pub async fn put_factor(
        &self,
        by: &MachineCaller,
        id: &CustomerId,
        holding: &str,
        factor: &FactorPut,
    ) -> Result<(), CustomerError> {
        allow(by, Scope::Customers, "customers")?;
        let kind = self.factor_kind(id, holding, factor).await?;
        self.change_factors(by.name(), id, holding, Some(kind))
            .await
    }

    /// Removes a way to prove.
    pub async fn remove_factor(
        &self,
        by: &MachineCaller,
        id: &CustomerId,
        holding: &str,
    ) -> Result<(), CustomerError> {
        allow(by, Scope::Customers, "customers")?;
        self.change_factors(by.name(), id, holding, None).await
    }

    /// Everything about a customer, for the company's own system.
    pub async fn customer_detail(
        &self,
        by: &MachineCaller,
        id: &CustomerId,
    ) -> Result<CustomerDetail, CustomerError> {
        allow(by, Scope::Customers, "customers")?;
        let customer = self
            .load_customer(id)
            .await?
            .ok_or(CustomerError::Unknown)?
            .value;
        let procedure = self.procedure();
        Ok(CustomerDetail {
            contacts: customer
                .contacts
                .iter()
                .map(|contact| contact_view(&procedure, contact, false))
                .collect(),
            factors: factor_views(&procedure, &customer),
            id: customer.id,
            name: customer.name,
            number: customer.number,
            attributes: customer.attributes,
            domains: customer.domains,
            since: customer.since,
            pseudonym: customer.pseudonym,
        })
    }

    /// Records a machine's word that a backup exists.
    pub async fn attest_backup(
        &self,
        by: &MachineCaller,
        id: &CustomerId,
        attestation: &BackupAttestation,
    ) -> Result<(), CustomerError> {
        allow(by, Scope::Backups, "backups")?;
        let at = Timestamp(attestation.at_ms);
        if at > self.now().plus_seconds(60) {
            return Err(CustomerError::field("at_ms", "lies in the future"));
        }
        text_field("place", &attestation.place)?;
        text_field("compared", &attestation.compared)?;
        let mut tries = Tries::default();
        loop {
            let now = self.now();
            let customer = self
                .load_customer(id)
                .await?
                .ok_or(CustomerError::Unknown)?
                .value;
            let held = self
                .load::<Vec<Attested>>(space::BACKUPS, &records::part(&id.0))
                .await?;
            let (mut known, revision) =
                held.map_or((Vec::new(), 0), |held| (held.value, held.revision));
            let attested = Attested {
                grade: attestation.grade,
                place: attestation.place.clone(),
                at,
                compared: attestation.compared.clone(),
                by: by.name().to_owned(),
                recorded_at: now,
            };
            let mut batch = Batch::default();
            let entry = Entry::new("backup.attested", now, Some(&customer.pseudonym), &attested)?;
            known.push(attested);
            known.sort_by_key(|backup| std::cmp::Reverse(backup.at));
            known.truncate(ITEMS_MAX);
            batch.records.push(records::put(
                space::BACKUPS,
                records::part(&id.0),
                &known,
                Some(revision),
            )?);
            self.bump_desk(&mut batch, id).await?;
            self.log(&mut batch, &records::customer_stream(id), entry)
                .await?;
            if self.committed(batch, &mut tries).await? {
                return Ok(());
            }
        }
    }

    pub(crate) async fn load_customer(
        &self,
        id: &CustomerId,
    ) -> Result<Option<Held<Customer>>, Trouble> {
        self.load(space::CUSTOMER, &records::part(&id.0)).await
    }

    /// Writes a customer, their search terms, and the bump that makes every decision in flight read again.
    pub(crate) async fn write_customer(
        &self,
        batch: &mut Batch,
        before: Option<&Customer>,
        customer: &Customer,
        revision: u64,
    ) -> Result<(), Trouble> {
        let old = before.map(terms).unwrap_or_default();
        let new = terms(customer);
        batch.records.extend(
            old.iter()
                .filter(|key| !new.contains(key))
                .map(|key| records::remove(space::FIND, key.clone(), None)),
        );
        for key in new.iter().filter(|key| !old.contains(key)) {
            batch.records.push(records::put(
                space::FIND,
                key.clone(),
                &customer.id.0,
                None,
            )?);
        }
        batch.records.push(records::put(
            space::CUSTOMER,
            records::part(&customer.id.0),
            customer,
            Some(revision),
        )?);
        self.bump_desk(batch, &customer.id).await
    }

    /// Makes every decision about this customer that is being made right now start again.
    pub(crate) async fn bump_desk(
        &self,
        batch: &mut Batch,
        id: &CustomerId,
    ) -> Result<(), Trouble> {
        let key = records::part(&id.0);
        let held = self.load::<Desk>(space::DESK, &key).await?;
        let (mut desk, revision) =
            held.map_or((Desk::default(), 0), |held| (held.value, held.revision));
        desk.changes += 1;
        batch
            .records
            .push(records::put(space::DESK, key, &desk, Some(revision))?);
        Ok(())
    }

    fn new_customer(&self, id: &CustomerId, put: &CustomerPut, now: Timestamp) -> Customer {
        Customer {
            id: id.clone(),
            name: String::new(),
            number: String::new(),
            attributes: BTreeMap::new(),
            domains: Vec::new(),
            since: put.since_ms.map_or(now, Timestamp),
            contacts: Vec::new(),
            factors: BTreeMap::new(),
            pseudonym: self.pseudonym(),
            recorded_at: now,
            language: None,
            planted: None,
        }
    }

    /// A name in the ledger: 128 random bits, base64url.
    pub(crate) fn pseudonym(&self) -> String {
        use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
        URL_SAFE_NO_PAD.encode(dice::random_bytes::<16>(self.dice()))
    }

    /// An opaque id of 128 random bits.
    pub(crate) fn opaque_id(&self, prefix: &str) -> String {
        format!("{prefix}_{}", self.pseudonym())
    }

    fn merge_contacts(
        &self,
        customer: &mut Customer,
        put: &CustomerPut,
        first: bool,
        now: Timestamp,
    ) -> (usize, Vec<Contact>) {
        let mut removed = Vec::new();
        for contact in customer
            .contacts
            .iter_mut()
            .filter(|contact| contact.removed_at.is_none())
        {
            let stays = put.contacts.iter().any(|wanted| {
                wanted.channel == contact.channel && same_address(&wanted.address, &contact.address)
            });
            if !stays {
                contact.removed_at = Some(now);
                removed.push(contact.clone());
            }
        }
        let mut added = 0;
        for wanted in &put.contacts {
            let live = customer.contacts.iter().any(|contact| {
                contact.removed_at.is_none()
                    && contact.channel == wanted.channel
                    && same_address(&wanted.address, &contact.address)
            });
            if live {
                continue;
            }
            added += 1;
            customer.contacts.push(Contact {
                id: ContactId(self.opaque_id("k")),
                channel: wanted.channel.clone(),
                address: wanted.address.trim().to_owned(),
                first_seen: if first {
                    wanted
                        .since_ms
                        .map_or(now, |since| Timestamp(since.min(now.0)))
                } else {
                    now
                },
                // A contact that comes later is a changed one, also where the channel had none: that is how a thief would add theirs.
                changed_at: (!first).then_some(now),
                removed_at: None,
                planted: false,
            });
        }
        customer.contacts.retain(|contact| {
            contact
                .removed_at
                .is_none_or(|removed| now.seconds_since(removed) <= CONTACT_KEPT_SECONDS)
        });
        (added, removed)
    }

    async fn factor_kind(
        &self,
        id: &CustomerId,
        holding: &str,
        factor: &FactorPut,
    ) -> Result<FactorKind, CustomerError> {
        let wanted = match factor {
            FactorPut::Pin(_) | FactorPut::PinHash(_) => Method::Pin,
            FactorPut::Totp(_) => Method::Totp,
            FactorPut::Account(account) => {
                text_field("account", account)?;
                let procedure = self.procedure();
                enrolled_by(&procedure, holding, Method::Oidc)
                    .or_else(|_| enrolled_by(&procedure, holding, Method::Ciba))?;
                return Ok(FactorKind::Account(account.clone()));
            }
        };
        enrolled_by(&self.procedure(), holding, wanted)?;
        match factor {
            FactorPut::Pin(pin) => Ok(FactorKind::Pin(self.hash_pin(id, pin).await?)),
            FactorPut::PinHash(_) if self.hasher().is_peppered() => {
                Err(CustomerError::HashWithoutPepper)
            }
            FactorPut::PinHash(hash) if is_pin_hash(hash) => Ok(FactorKind::Pin(hash.clone())),
            FactorPut::PinHash(_) => Err(CustomerError::field(
                "pin_hash",
                "is not an argon2id PHC string",
            )),
            FactorPut::Totp(secret) => Ok(FactorKind::Totp {
                sealed: self.seal_totp(id, holding, secret)?,
                last_step: None,
            }),
            FactorPut::Account(account) => Ok(FactorKind::Account(account.clone())),
        }
    }

    pub(crate) async fn change_factors(
        &self,
        by: &str,
        id: &CustomerId,
        holding: &str,
        kind: Option<FactorKind>,
    ) -> Result<(), CustomerError> {
        let mut tries = Tries::default();
        loop {
            let now = self.now();
            let Held {
                value: before,
                revision,
            } = self
                .load_customer(id)
                .await?
                .ok_or(CustomerError::Unknown)?;
            let mut customer = before.clone();
            let what = match &kind {
                Some(kind) => {
                    customer.factors.insert(
                        holding.to_owned(),
                        Factor {
                            changed_at: Some(now),
                            kind: kind.clone(),
                        },
                    );
                    "customer.factor_put"
                }
                None if customer.factors.remove(holding).is_some() => "customer.factor_removed",
                None => return Ok(()),
            };
            let mut batch = Batch::default();
            self.write_customer(&mut batch, Some(&before), &customer, revision)
                .await?;
            let entry = Entry::new(
                what,
                now,
                Some(&customer.pseudonym),
                &serde_json::json!({ "by": by, "holding": holding }),
            )?;
            self.log(&mut batch, &records::customer_stream(id), entry)
                .await?;
            if self.committed(batch, &mut tries).await? {
                return Ok(());
            }
        }
    }

    pub(crate) async fn backups_of(&self, id: &CustomerId) -> Result<Vec<BackupFact>, Trouble> {
        let held = self
            .load::<Vec<Attested>>(space::BACKUPS, &records::part(&id.0))
            .await?;
        Ok(held
            .map(|held| held.value)
            .unwrap_or_default()
            .into_iter()
            .map(|a| BackupFact {
                grade: a.grade,
                place: a.place,
                at: a.at,
            })
            .collect())
    }
}

pub(crate) fn allow(
    by: &MachineCaller,
    scope: Scope,
    word: &'static str,
) -> Result<(), CustomerError> {
    if by.may(scope) {
        Ok(())
    } else {
        Err(CustomerError::NotAllowed(word))
    }
}

/// That a holding can be enrolled for this method: some proof shows it that way.
pub(crate) fn enrolled_by(
    procedure: &Procedure,
    holding: &str,
    method: Method,
) -> Result<(), CustomerError> {
    if proved_using(procedure, holding, method) {
        Ok(())
    } else {
        Err(CustomerError::field(
            "holding",
            "is not proved that way in the procedure",
        ))
    }
}

/// Whether some proof shows this holding by this method.
fn proved_using(procedure: &Procedure, holding: &str, method: Method) -> bool {
    procedure.holding_named(holding).is_some_and(|id| {
        procedure
            .proofs
            .iter()
            .any(|proof| proof.shows == id && proof.using == Some(method))
    })
}

fn check_put(
    procedure: &Procedure,
    id: &CustomerId,
    put: &CustomerPut,
) -> Result<(), CustomerError> {
    text_field("id", &id.0)?;
    text_field("name", &put.name)?;
    text_field("number", &put.number)?;
    for (field, count) in [
        ("contacts", put.contacts.len()),
        ("domains", put.domains.len()),
        ("attributes", put.attributes.len()),
        ("held", put.held.len()),
    ] {
        if count > ITEMS_MAX {
            return Err(CustomerError::field(field, "has too many items"));
        }
    }
    for (name, value) in &put.attributes {
        text_field("attributes", name)?;
        if value.chars().count() > FIELD_CHARS_MAX {
            return Err(CustomerError::field(
                "attributes",
                "has a value that is too long",
            ));
        }
    }
    for domain in &put.domains {
        text_field("domains", domain)?;
    }
    for contact in &put.contacts {
        text_field("contacts", &contact.address)?;
        let known = procedure
            .holdings
            .iter()
            .any(|holding| holding.kind == HoldingKind::Channel && holding.name == contact.channel);
        if !known {
            return Err(CustomerError::field(
                "contacts",
                "names a channel the procedure does not know",
            ));
        }
    }
    for held in &put.held {
        let Some(holding) = procedure
            .holding_named(&held.holding)
            .and_then(|id| procedure.holdings.get(id.index()))
        else {
            return Err(CustomerError::field(
                "held",
                "names a holding the procedure does not know",
            ));
        };
        if holding.kind == HoldingKind::Channel {
            return Err(CustomerError::field(
                "held",
                "names a channel; its contacts go into `contacts`",
            ));
        }
        if [Method::Pin, Method::Totp, Method::Passkey]
            .iter()
            .any(|method| proved_using(procedure, &held.holding, *method))
        {
            return Err(CustomerError::field(
                "held",
                "names a holding that is enrolled here, not at the company",
            ));
        }
    }
    Ok(())
}

fn text_field(field: &'static str, value: &str) -> Result<(), CustomerError> {
    if value.trim().is_empty() {
        return Err(CustomerError::field(field, "is empty"));
    }
    if value.chars().count() > FIELD_CHARS_MAX {
        return Err(CustomerError::field(field, "is too long"));
    }
    if value.chars().any(char::is_control) {
        return Err(CustomerError::field(field, "contains control characters"));
    }
    Ok(())
}

fn merge_held(customer: &mut Customer, put: &CustomerPut, first: bool, now: Timestamp) {
    customer.factors.retain(|holding, factor| {
        factor.kind != FactorKind::Elsewhere || put.held.iter().any(|held| held.holding == *holding)
    });
    for held in &put.held {
        let told = held.changed_at_ms.map(|at| Timestamp(at.min(now.0)));
        let factor = customer
            .factors
            .entry(held.holding.clone())
            .or_insert(Factor {
                // A holding that appears later is a changed one.
                changed_at: if first { told } else { told.or(Some(now)) },
                kind: FactorKind::Elsewhere,
            });
        // A date of change never goes back.
        factor.changed_at = factor.changed_at.max(told);
    }
}

/// Keys under which a customer is found.
pub(crate) fn terms(customer: &Customer) -> Vec<String> {
    let id = records::part(&customer.id.0);
    let mut keys = vec![format!(
        "number/{}/{id}",
        records::part(&normal(&customer.number))
    )];
    let live = customer
        .contacts
        .iter()
        .filter(|contact| contact.removed_at.is_none() && contact.address.contains('@'));
    keys.extend(
        live.map(|contact| format!("email/{}/{id}", records::part(&normal(&contact.address)))),
    );
    keys.extend(
        customer
            .domains
            .iter()
            .map(|domain| format!("domain/{}/{id}", records::part(&normal(domain)))),
    );
    let name = normal(&customer.name);
    keys.push(format!("name/{}/{id}", records::part(&name)));
    keys.extend(
        name.split_whitespace()
            .skip(1)
            .map(|word| format!("name/{}/{id}", records::part(word))),
    );
    keys.sort();
    keys.dedup();
    keys
}

pub(crate) fn normal(text: &str) -> String {
    text.split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .to_lowercase()
}

fn same_address(left: &str, right: &str) -> bool {
    normal(left) == normal(right)
}
