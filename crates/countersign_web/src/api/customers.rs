//! `/v1/customers` and their backups: what your own system puts and reads.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use countersign_cases::CustomerId;
use countersign_language::BackupGrade;
use countersign_service::{
    BackupAttestation, ContactPut, CustomerDetail, CustomerPut, FactorPut, HeldPut, Language,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Web;
use crate::body::{Json, Path};
use crate::callers::Machine;
use crate::problem::Problem;

/// `PUT /v1/customers/{customer}`: the whole of what is to be known, contacts included.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PutCustomer {
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
    /// Every live contact. One that was here before and is missing now is removed; it is told, and is still told of what happens for 30 days.
    #[serde(default)]
    pub contacts: Vec<PutContact>,
    /// Holdings you keep yourself, such as the account password.
    #[serde(default)]
    pub held: Vec<PutHeld>,
    /// What letters to the customer are written in: `en`, `de`, `es` or `fr`. Without it, what the case says.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "de")]
    pub language: Option<Language>,
}

/// A live contact.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PutContact {
    /// Channel in the procedure.
    #[schema(example = "mailbox")]
    pub channel: String,
    /// The address.
    pub address: String,
    /// First seen by you, ms since the epoch. Believed only when the customer is put for the first time.
    #[serde(default)]
    pub since_ms: Option<i64>,
}

/// A holding you keep yourself.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PutHeld {
    /// Holding in the procedure.
    #[schema(example = "password")]
    pub holding: String,
    /// When it last changed, ms since the epoch; absent if it never did.
    #[serde(default)]
    pub changed_at_ms: Option<i64>,
}

/// What putting a customer did.
#[derive(Debug, Serialize, ToSchema)]
pub struct CustomerPutDone {
    /// True if the customer was not known before.
    pub created: bool,
    /// Contacts added now.
    pub contacts_added: usize,
    /// Contacts removed now.
    pub contacts_removed: usize,
}

/// `PUT /v1/customers/{customer}/holdings/{holding}`: exactly one of the four.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PutHolding {
    /// A support PIN; hashed with Argon2id at once and not kept.
    #[serde(default)]
    pub pin: Option<String>,
    /// A support PIN already hashed: an Argon2id PHC string. Refused where the gate has a pepper, which such a hash lacks.
    #[serde(default)]
    pub pin_hash: Option<String>,
    /// The secret of an authenticator app, base32; sealed at once.
    #[serde(default)]
    pub totp_secret: Option<String>,
    /// The customer's account at your identity provider, for `oidc` and `ciba`, where it is not your own id for the customer.
    #[serde(default)]
    pub account: Option<String>,
}

impl std::fmt::Debug for PutHolding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PutHolding(…)")
    }
}

/// A customer, history of contacts included.
#[derive(Debug, Serialize, ToSchema)]
pub struct CustomerDocument {
    /// Your own id.
    pub id: String,
    /// Name.
    pub name: String,
    /// Number.
    pub number: String,
    /// Attributes.
    pub attributes: BTreeMap<String, String>,
    /// Domains.
    pub domains: Vec<String>,
    /// Customer since.
    pub since_ms: i64,
    /// Contacts; removed ones too while they are kept.
    pub contacts: Vec<ContactDocument>,
    /// What the customer can prove themselves with; nothing secret.
    pub holdings: Vec<HoldingDocument>,
    /// Name in the ledger.
    pub pseudonym: String,
}

/// A contact with its history.
#[derive(Debug, Serialize, ToSchema)]
pub struct ContactDocument {
    /// Opaque id.
    pub id: String,
    /// Channel in the procedure.
    pub channel: String,
    /// The address.
    pub address: String,
    /// First seen.
    pub first_seen_ms: i64,
    /// When it replaced or joined another.
    pub changed_at_ms: Option<i64>,
    /// When it was removed.
    pub removed_at_ms: Option<i64>,
}

/// A registered way to prove.
#[derive(Debug, Serialize, ToSchema)]
pub struct HoldingDocument {
    /// Holding in the procedure.
    pub holding: String,
    /// `pin`, `totp`, `passkey`, `account`, `elsewhere`.
    pub kind: String,
    /// When it last changed.
    pub changed_at_ms: Option<i64>,
}

/// `POST /v1/customers/{customer}/backups`
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AttestBackup {
    /// `exists`, `verified` (its stored bytes were read back) or `restored` (restored elsewhere and compared).
    #[schema(example = "verified")]
    pub grade: String,
    /// Where it is; a place outside what the action can destroy.
    #[schema(example = "helsinki")]
    pub place: String,
    /// When it was made, ms since the epoch; not in the future.
    pub at_ms: i64,
    /// What was compared, in words.
    pub compared: String,
}

/// `PUT /v1/customers/{customer}`
pub async fn put(
    State(web): State<Web>,
    Machine(machine): Machine,
    Path(customer): Path<String>,
    body: Json<PutCustomer>,
) -> Result<Response, Problem> {
    let body = body.value;
    let put = CustomerPut {
        name: body.name,
        number: body.number,
        attributes: body.attributes,
        domains: body.domains,
        since_ms: body.since_ms,
        contacts: body
            .contacts
            .into_iter()
            .map(|c| ContactPut {
                channel: c.channel,
                address: c.address,
                since_ms: c.since_ms,
            })
            .collect(),
        held: body
            .held
            .into_iter()
            .map(|h| HeldPut {
                holding: h.holding,
                changed_at_ms: h.changed_at_ms,
            })
            .collect(),
        language: body.language,
    };
    let saved = web
        .gate
        .put_customer(&machine, &CustomerId(customer), &put)
        .await?;
    let status = if saved.created {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    let done = CustomerPutDone {
        created: saved.created,
        contacts_added: saved.added,
        contacts_removed: saved.removed,
    };
    Ok((status, axum::Json(done)).into_response())
}

/// `GET /v1/customers/{customer}`
pub async fn read(
    State(web): State<Web>,
    Machine(machine): Machine,
    Path(customer): Path<String>,
) -> Result<Response, Problem> {
    let detail = web
        .gate
        .customer_detail(&machine, &CustomerId(customer))
        .await?;
    Ok(axum::Json(CustomerDocument::from(detail)).into_response())
}

/// `DELETE /v1/customers/{customer}`
pub async fn erase(
    State(web): State<Web>,
    Machine(machine): Machine,
    Path(customer): Path<String>,
) -> Result<StatusCode, Problem> {
    web.gate
        .erase_customer(&machine, &CustomerId(customer))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `PUT /v1/customers/{customer}/holdings/{holding}`
pub async fn put_holding(
    State(web): State<Web>,
    Machine(machine): Machine,
    Path((customer, holding)): Path<(String, String)>,
    body: Json<PutHolding>,
) -> Result<StatusCode, Problem> {
    let PutHolding {
        pin,
        pin_hash,
        totp_secret,
        account,
    } = body.value;
    let factor = match (pin, pin_hash, totp_secret, account) {
        (Some(pin), None, None, None) => FactorPut::Pin(pin),
        (None, Some(hash), None, None) => FactorPut::PinHash(hash),
        (None, None, Some(secret), None) => FactorPut::Totp(secret),
        (None, None, None, Some(account)) => FactorPut::Account(account),
        _ => {
            return Err(Problem::invalid(
                "",
                "exactly one of `pin`, `pin_hash`, `totp_secret` and `account`",
            ));
        }
    };
    web.gate
        .put_factor(&machine, &CustomerId(customer), &holding, &factor)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `DELETE /v1/customers/{customer}/holdings/{holding}`
pub async fn remove_holding(
    State(web): State<Web>,
    Machine(machine): Machine,
    Path((customer, holding)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    web.gate
        .remove_factor(&machine, &CustomerId(customer), &holding)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /v1/customers/{customer}/holdings/{holding}/passkey/start`
pub async fn start_passkey(
    State(web): State<Web>,
    Machine(machine): Machine,
    Path((customer, holding)): Path<(String, String)>,
) -> Result<Response, Problem> {
    Ok(super::staff::prompt(
        web.gate
            .start_customer_passkey(&machine, &CustomerId(customer), &holding)
            .await?,
    ))
}

/// `POST /v1/customers/{customer}/holdings/{holding}/passkey/finish`
pub async fn finish_passkey(
    State(web): State<Web>,
    Machine(machine): Machine,
    Path((customer, holding)): Path<(String, String)>,
    body: Json<super::staff::Answer>,
) -> Result<StatusCode, Problem> {
    let name = body.value.name.as_deref().unwrap_or("passkey");
    web.gate
        .finish_customer_passkey(
            &machine,
            &CustomerId(customer),
            &holding,
            &body.value.ceremony,
            &body.value.credential,
            name,
        )
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /v1/customers/{customer}/backups`
pub async fn attest(
    State(web): State<Web>,
    Machine(machine): Machine,
    Path(customer): Path<String>,
    body: Json<AttestBackup>,
) -> Result<StatusCode, Problem> {
    let AttestBackup {
        grade,
        place,
        at_ms,
        compared,
    } = body.value;
    let grade = match grade.as_str() {
        "exists" => BackupGrade::Exists,
        "verified" => BackupGrade::Verified,
        "restored" => BackupGrade::Restored,
        _ => {
            return Err(Problem::invalid(
                "grade",
                "is one of `exists`, `verified`, `restored`",
            ));
        }
    };
    web.gate
        .attest_backup(
            &machine,
            &CustomerId(customer),
            &BackupAttestation {
                grade,
                place,
                at_ms,
                compared,
            },
        )
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

impl From<CustomerDetail> for CustomerDocument {
    fn from(detail: CustomerDetail) -> Self {
        Self {
            id: detail.id.0,
            name: detail.name,
            number: detail.number,
            attributes: detail.attributes,
            domains: detail.domains,
            since_ms: detail.since.0,
            contacts: detail
                .contacts
                .into_iter()
                .map(|contact| ContactDocument {
                    id: contact.id.0,
                    channel: contact.channel,
                    address: contact.address,
                    first_seen_ms: contact.first_seen.0,
                    changed_at_ms: contact.changed_at.map(|at| at.0),
                    removed_at_ms: contact.removed_at.map(|at| at.0),
                })
                .collect(),
            holdings: detail
                .factors
                .into_iter()
                .map(|factor| HoldingDocument {
                    holding: factor.holding,
                    kind: factor.kind.to_owned(),
                    changed_at_ms: factor.changed_at.map(|at| at.0),
                })
                .collect(),
            pseudonym: detail.pseudonym,
        }
    }
}
