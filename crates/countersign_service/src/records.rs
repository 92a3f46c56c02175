//! Documents the gate keeps beside its events, and how they are named.
//!
//! Keys begin with the customer, the person or the hash they are looked up
//! by. Every part of a key that comes from outside goes through [`part`], so
//! that no id can reach into another one's range.

use std::collections::BTreeMap;

use countersign_cases::{
    CaseId, ContactId, CustomerId, Digest, DrillPlan, MarkSalt, PersonId, Timestamp,
};
use countersign_store::{KeyRange, RecordWrite, StreamKey};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    adapters::{
        checker::CheckerResult,
        codes::StoredCode,
        tokens::TokenHash,
        webauthn::{Passkey, VerifiedAssertion},
    },
    settings::{ConsoleRole, NewAccount},
    speech::Language,
    spoken::SpokenNumber,
    trouble::Trouble,
};

/// Spaces of records. One line each, so that a reader sees all that is kept.
pub(crate) mod space {
    /// Customer by id: [`super::Customer`].
    pub(crate) const CUSTOMER: &str = "customer";
    /// Customer ids by search term.
    pub(crate) const FIND: &str = "find";
    /// What a customer's cases share: [`super::Desk`]. Every change of anything a decision reads bumps it.
    pub(crate) const DESK: &str = "desk";
    /// Wrong answers by customer.
    pub(crate) const ATTEMPTS: &str = "attempts";
    /// Backup attestations by customer.
    pub(crate) const BACKUPS: &str = "backups";
    /// Grants in cases opened by a person.
    pub(crate) const RUNS_BY: &str = "runs_by";
    /// Where a case is: [`super::CaseRow`].
    pub(crate) const CASE: &str = "case";
    /// Cases not finished, by when they were opened: their ids, so that a case's every step need not write its row twice.
    pub(crate) const OPEN: &str = "open";
    /// Cases that wait for a signature, by when they were opened: [`super::CaseRow`].
    pub(crate) const WANTED: &str = "wanted";
    /// Cases not finished, by opener and when they were opened.
    pub(crate) const OPEN_BY: &str = "open_by";
    /// Finished cases by time.
    pub(crate) const FINISHED: &str = "finished";
    /// Cases a person signed or refused, by time.
    pub(crate) const DECIDED_BY: &str = "decided_by";
    /// Cases of a customer, by time.
    pub(crate) const CASES_OF: &str = "cases_of";
    /// Procedure texts by version.
    pub(crate) const PROCEDURE: &str = "procedure";
    /// The version new cases are opened under: [`crate::versions::InForce`].
    pub(crate) const IN_FORCE: &str = "in_force";
    /// The version that waits for a signature: [`crate::versions::Proposed`].
    pub(crate) const PROPOSED: &str = "proposed";
    /// The version that was refused last: [`crate::versions::RefusedProcedure`].
    pub(crate) const REFUSED: &str = "refused";
    /// One-time links by hash.
    pub(crate) const LINK: &str = "link";
    /// Seats (customer sessions) by hash.
    pub(crate) const SEAT: &str = "seat";
    /// Open cases by the number an agent says aloud: [`crate::spoken::Spoken`].
    pub(crate) const SPOKEN: &str = "spoken";
    /// Sessions of the panel beside a ticket, by hash: [`super::Session`].
    pub(crate) const PANEL: &str = "panel";
    /// Passes to the panel, by keyed hash: [`crate::panel::Pass`].
    pub(crate) const PANEL_PASS: &str = "panel_pass";
    /// Stop links by hash.
    pub(crate) const STOP: &str = "stop";
    /// One-time codes by case and proof.
    pub(crate) const CODE: &str = "code";
    /// Sign-ins at an OpenID provider that were begun, by browser: [`super::Login`].
    pub(crate) const LOGIN: &str = "login";
    /// Pushes to a customer's device, by case and proof: [`super::Push`].
    pub(crate) const PUSH: &str = "push";
    /// The newest question to the company's checker, by case and proof: [`super::AskedChecker`].
    pub(crate) const QUESTION: &str = "question";
    /// Where a question to a checker is, by its id: [`super::QuestionPlace`].
    pub(crate) const QUESTION_AT: &str = "question_at";
    /// Messages of checkers that counted, by hash of checker and `webhook-id`: none counts twice.
    pub(crate) const CHECKED: &str = "checked";
    /// Staff accounts by issuer and subject, hashed.
    pub(crate) const SUBJECT: &str = "subject";
    /// Passkey ceremonies under way, by id.
    pub(crate) const CEREMONY: &str = "ceremony";
    /// Owners of passkeys, by credential id.
    pub(crate) const CREDENTIAL: &str = "credential";
    /// Staff accounts by id: [`super::Account`].
    pub(crate) const ACCOUNT: &str = "account";
    /// Staff sessions by hash.
    pub(crate) const SESSION: &str = "session";
    /// Invitations by hash.
    pub(crate) const INVITATION: &str = "invitation";
    /// Look-ups counted by account and hour.
    pub(crate) const LOOKUPS: &str = "lookups";
    /// Customer numbers that were erased, as keyed hashes.
    pub(crate) const ERASED: &str = "erased";
    /// Grants by id: [`super::GrantRecord`].
    pub(crate) const GRANT: &str = "grant";
    /// The newest reconciliation of each connector: [`crate::reconcile::KeptReconciliation`].
    pub(crate) const RECONCILED: &str = "reconciled";
    /// Deliveries, events and covering grants that are known, by connector: [`crate::reconcile`].
    pub(crate) const BACKEND_KNOWN: &str = "backend_known";
    /// Events of backends that nothing covers so far.
    pub(crate) const BACKEND_WAITING: &str = "backend_waiting";
    /// What a connector's events came to, by connector and day: [`crate::reconcile::FeedCounts`].
    pub(crate) const BACKEND_DAY: &str = "backend_day";
    /// First answers to requests that may be repeated.
    pub(crate) const IDEMPOTENT: &str = "idempotent";
    /// What a customer is to set by a grant the gate keeps for them, by case: [`crate::enrolment::Enrolment`].
    pub(crate) const ENROLMENT: &str = "enrolment";
    /// How far what is kept for reading has come: [`crate::kept::Cursor`].
    pub(crate) const KEPT: &str = "kept";
    /// Sums for the statistics by day or month, then slice: [`crate::kept::KeptSums`].
    pub(crate) const FIGURES: &str = "figures";
    /// Positions of events by kind and person: [`crate::audit::index::Block`].
    pub(crate) const POSTINGS: &str = "postings";
    /// Positions by day: [`crate::audit::index::Day`].
    pub(crate) const AUDIT_DAYS: &str = "audit_days";
    /// The last look through the whole log: [`crate::audit::Checked`].
    pub(crate) const AUDIT_CHECK: &str = "audit_check";
    /// Incidents: [`crate::incidents::Incident`].
    pub(crate) const INCIDENT: &str = "incident";
    /// Alarms: [`crate::alarms::Alarm`].
    pub(crate) const ALARM: &str = "alarm";
    /// Customers by their name in the ledger, for incidents that name them by it.
    pub(crate) const PSEUDONYM: &str = "pseudonym";
    /// When letters about incidents left, by their key in the outbox: none leaves twice.
    pub(crate) const LETTER: &str = "letter";
    /// Who wants mail about the status page, by a keyed hash of the address.
    pub(crate) const SUBSCRIBER: &str = "subscriber";
    /// Links in letters to them, by hash.
    pub(crate) const SUBSCRIPTION: &str = "subscription";
    /// Drills that are planned, run, or were told: [`crate::drills::Planned`].
    pub(crate) const DRILL: &str = "drill";
    /// Keys the database was served with: [`crate::known_keys::KnownKeys`].
    pub(crate) const KNOWN_KEYS: &str = "known_keys";
    /// Number of events in a stream that is only ever appended to.
    pub(crate) const HEAD: &str = "head";
}

/// A document and the revision it was read at.
#[derive(Debug, Clone)]
pub(crate) struct Held<T> {
    pub(crate) value: T,
    pub(crate) revision: u64,
}

/// A customer as the gate knows them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Customer {
    pub(crate) id: CustomerId,
    pub(crate) name: String,
    pub(crate) number: String,
    pub(crate) attributes: BTreeMap<String, String>,
    pub(crate) domains: Vec<String>,
    pub(crate) since: Timestamp,
    pub(crate) contacts: Vec<Contact>,
    /// By holding.
    pub(crate) factors: BTreeMap<String, Factor>,
    /// Name in the ledger; unrelated to the id.
    pub(crate) pseudonym: String,
    pub(crate) recorded_at: Timestamp,
    /// What letters to them are written in, where the company said it.
    #[serde(default)]
    pub(crate) language: Option<Language>,
    /// Nobody: invented for a drill, and every case of theirs is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) planted: Option<DrillPlan>,
}

/// An address of a customer, with its history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Contact {
    pub(crate) id: ContactId,
    pub(crate) channel: String,
    pub(crate) address: String,
    pub(crate) first_seen: Timestamp,
    pub(crate) changed_at: Option<Timestamp>,
    pub(crate) removed_at: Option<Timestamp>,
    /// Invented for a drill: nothing is ever sent to it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) planted: bool,
}

/// How a customer shows a holding at the gate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Factor {
    pub(crate) changed_at: Option<Timestamp>,
    pub(crate) kind: FactorKind,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FactorKind {
    /// Argon2id, PHC string.
    Pin(String),
    /// Sealed secret, base64url.
    Totp {
        sealed: String,
        last_step: Option<u64>,
    },
    Passkeys {
        handle: String,
        keys: Vec<Registered>,
    },
    /// The company keeps it and is asked; its own id for the customer is the account.
    Elsewhere,
    /// The account at the company's identity provider.
    Account(String),
}

/// A registered passkey and its history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Registered {
    pub(crate) key: Passkey,
    pub(crate) name: String,
    pub(crate) added_at: Timestamp,
    pub(crate) last_used: Option<Timestamp>,
}

/// What the cases of one customer share. Two decisions about one customer never pass each other: both write this record.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Desk {
    /// Unfinished case by action.
    pub(crate) open: BTreeMap<String, CaseId>,
    /// Newest first.
    pub(crate) closed: Vec<ClosedRequest>,
    /// Newest first.
    pub(crate) runs: Vec<Run>,
    /// Counts changes elsewhere (contacts, factors, backups) that a decision may have read.
    pub(crate) changes: u64,
}

/// A request (customer, action, parameters) that was refused or stopped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ClosedRequest {
    /// SHA-256 over action and parameters, hexadecimal.
    pub(crate) request: String,
    pub(crate) case: CaseId,
    pub(crate) at: Timestamp,
    pub(crate) stopped: bool,
    pub(crate) closed_until: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Run {
    pub(crate) action: String,
    pub(crate) at: Timestamp,
}

/// A line of the desk's lists, and the way from a case to its stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CaseRow {
    pub(crate) case: CaseId,
    /// Name in the ledger.
    pub(crate) pseudonym: String,
    pub(crate) customer: CustomerId,
    pub(crate) customer_name: String,
    pub(crate) action: String,
    pub(crate) action_label: String,
    pub(crate) sentence: String,
    /// The same before anything is proved.
    pub(crate) masked_sentence: String,
    pub(crate) procedure: String,
    pub(crate) state: String,
    pub(crate) opener: Option<PersonId>,
    pub(crate) opener_name: Option<String>,
    pub(crate) opened_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    pub(crate) expires_at: Timestamp,
    pub(crate) missing: Vec<String>,
    pub(crate) proved: bool,
    /// Where the customer goes afterwards.
    pub(crate) return_to: Option<String>,
    /// Newest one-time link.
    pub(crate) link: Option<LinkNote>,
    /// Events in the stream when this was written.
    pub(crate) version: u64,
    /// Persons who signed or refused.
    #[serde(default)]
    pub(crate) decided_by: Vec<PersonId>,
    /// Names of roles whose signature is missing.
    #[serde(default)]
    pub(crate) wants_sign_off: Vec<String>,
    /// When its wait is over, while it waits.
    #[serde(default)]
    pub(crate) takes_effect_at: Option<Timestamp>,
    /// What letters about it are written in, where its opener said it.
    #[serde(default)]
    pub(crate) language: Option<Language>,
    /// What its agent says aloud, while it is open.
    #[serde(default)]
    pub(crate) spoken: Option<SpokenNumber>,
    /// Opens its mark; `None` for a case from before there were marks.
    #[serde(default)]
    pub(crate) salt: Option<MarkSalt>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LinkNote {
    pub(crate) hash: String,
    pub(crate) until: Timestamp,
    pub(crate) used_at: Option<Timestamp>,
}

/// A one-time link, by the hash of its token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Link {
    pub(crate) case: CaseId,
    pub(crate) customer: CustomerId,
    pub(crate) until: Timestamp,
    pub(crate) used_at: Option<Timestamp>,
    /// Proofs that the company's panel made by sending its signed-in customer here.
    #[serde(default)]
    pub(crate) shows: Vec<String>,
    /// Made after the case was over, for its receipt.
    #[serde(default)]
    pub(crate) receipt: bool,
}

impl Link {
    /// To a case, and nothing more; until when is for whoever makes it.
    pub(crate) fn default_for(row: &CaseRow) -> Self {
        Self {
            case: row.case.clone(),
            customer: row.customer.clone(),
            until: row.updated_at,
            used_at: None,
            shows: Vec::new(),
            receipt: false,
        }
    }
}

/// A customer's session, by the hash of its token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Seat {
    pub(crate) case: CaseId,
    pub(crate) customer: CustomerId,
    pub(crate) until: Timestamp,
    /// Something was proved on this seat. What another seat of the same case proved shows nothing here.
    pub(crate) proved: bool,
    /// Opened by a link to the receipt of a case that was over: shows that receipt and nothing else.
    #[serde(default)]
    pub(crate) receipt: bool,
}

/// A stop link, by the hash of its token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stop {
    pub(crate) case: CaseId,
    pub(crate) customer: CustomerId,
    pub(crate) contact: ContactId,
}

/// A one-time code that was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Code {
    /// Bound to the digest and the proof; `None` until the worker sent it, and once it was used.
    pub(crate) stored: Option<StoredCode>,
    pub(crate) asked_at: Timestamp,
    pub(crate) asked: u32,
    /// Whom it goes to: it shows the channel only for as long as this is a contact of it.
    #[serde(default)]
    pub(crate) contact: Option<ContactId>,
}

/// A sign-in at an OpenID provider that was begun; kept for ten minutes, used once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Login {
    pub(crate) purpose: LoginPurpose,
    /// Hash of the `state` that was sent.
    pub(crate) state: TokenHash,
    pub(crate) nonce: String,
    /// PKCE.
    pub(crate) verifier: String,
    pub(crate) begun_at: Timestamp,
    /// What the browser brought back; nobody has looked at it yet.
    pub(crate) answer: Option<LoginAnswer>,
}

/// What a sign-in is for; an answer to one never counts for another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LoginPurpose {
    /// A customer's proof, for one digest.
    Proof { proof: String, digest: Digest },
    /// A member of staff signs in.
    SignIn {
        /// Path to go on to.
        next: String,
        /// They were asked to sign in again at the provider.
        again: bool,
    },
}

/// The parameters of the provider's answer, as they came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LoginAnswer {
    pub(crate) code: Option<String>,
    pub(crate) error: Option<String>,
    pub(crate) iss: Option<String>,
}

/// A push to a customer's device: asked for by the worker, answered on the device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Push {
    pub(crate) case: CaseId,
    pub(crate) proof: String,
    pub(crate) digest: Digest,
    /// The seat it was asked for from: the answer counts there, and nowhere once that seat is gone.
    pub(crate) seat: TokenHash,
    /// What the device shows.
    pub(crate) message: String,
    pub(crate) asked_at: Timestamp,
    pub(crate) until: Timestamp,
    /// How many were asked for in this case.
    pub(crate) asked: u32,
    pub(crate) stage: PushStage,
}

/// Where a push stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PushStage {
    /// The provider is still to be asked.
    New,
    /// The provider waits for the person.
    Sent {
        auth_req_id: String,
        interval_seconds: u64,
    },
    /// Nobody can answer, which looks like the person not answering.
    Silent,
    /// It is over.
    Over(PushEnd),
}

/// How a push ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PushEnd {
    Proved,
    Denied,
    RanOut,
    NotRight,
    TooWeak,
    Failed,
}

/// A question to the company's checker: asked by the worker, answered at once or by a message later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AskedChecker {
    pub(crate) id: String,
    pub(crate) case: CaseId,
    pub(crate) proof: String,
    pub(crate) digest: Digest,
    /// The seat it was asked for from: the answer counts there, and nowhere once that seat is gone.
    pub(crate) seat: TokenHash,
    pub(crate) asked_at: Timestamp,
    pub(crate) until: Timestamp,
    /// How many were asked in this case.
    pub(crate) asked: u32,
    pub(crate) stage: QuestionStage,
}

/// Where a question to a checker stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum QuestionStage {
    /// The checker is still to be asked.
    New,
    /// The checker said that it answers later.
    Sent,
    /// Nobody is asked, which looks like a checker that does not answer.
    Silent,
    /// It was answered, and that is what came of it.
    Answered(CheckerMessage),
    /// No answer in time.
    RanOut,
    /// There was no usable answer.
    Failed,
}

impl QuestionStage {
    /// Whether an answer can still count.
    pub(crate) fn is_open(&self) -> bool {
        matches!(self, Self::New | Self::Sent)
    }
}

/// What is kept of a checker's answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CheckerMessage {
    /// `webhook-id`
    pub(crate) id: String,
    /// SHA-256 of the body.
    pub(crate) body: Digest,
    pub(crate) result: CheckerResult,
}

/// Where the question of an id is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct QuestionPlace {
    pub(crate) case: CaseId,
    pub(crate) proof: String,
}

/// Who owns a passkey.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Owner {
    Staff(String),
    Customer {
        customer: CustomerId,
        holding: String,
    },
}

/// A staff account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_field_names, reason = "an account is named by its id")]
pub(crate) struct Account {
    pub(crate) account: String,
    pub(crate) person: PersonId,
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) roles: Vec<String>,
    pub(crate) console: Vec<ConsoleRole>,
    pub(crate) concerned: Vec<CustomerId>,
    pub(crate) active: bool,
    pub(crate) passkeys: Vec<Registered>,
    pub(crate) created_at: Timestamp,
    /// WebAuthn user handle, base64url.
    pub(crate) handle: String,
    /// Sessions opened before this moment count no more.
    pub(crate) sessions_from: Timestamp,
    /// Who this is at the company's identity provider. Its groups then decide the roles, and its sign-in is the only one.
    #[serde(default)]
    pub(crate) company: Option<CompanyIdentity>,
}

/// A person at an identity provider: the two together, and nothing else, name them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CompanyIdentity {
    pub(crate) issuer: String,
    pub(crate) subject: String,
}

impl Account {
    /// The keys of its passkeys, to ask for an answer of one of them.
    pub(crate) fn keys(&self) -> Vec<Passkey> {
        self.passkeys
            .iter()
            .map(|registered| registered.key.clone())
            .collect()
    }

    /// One of its passkeys answered.
    pub(crate) fn answered(
        &mut self,
        credential: &[u8],
        verified: &VerifiedAssertion,
        at: Timestamp,
    ) {
        if let Some(registered) = self
            .passkeys
            .iter_mut()
            .find(|registered| registered.key.credential == credential)
        {
            registered.used(verified, at);
        }
    }

    pub(crate) fn new(new: &NewAccount, handle: String, at: Timestamp) -> Self {
        Self {
            account: new.account.clone(),
            person: PersonId(new.person.clone()),
            name: new.name.clone(),
            email: new.email.clone(),
            roles: new.roles.clone(),
            console: new.console.clone(),
            concerned: new.concerned.iter().cloned().map(CustomerId).collect(),
            active: true,
            passkeys: Vec::new(),
            created_at: at,
            handle,
            sessions_from: at,
            company: None,
        }
    }
}

/// A staff session, by the hash of its token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Session {
    pub(crate) account: String,
    pub(crate) opened_at: Timestamp,
    pub(crate) seen_at: Timestamp,
    /// When one of the account's passkeys last answered in this session; `None` where it began with an invitation.
    #[serde(default)]
    pub(crate) asserted_at: Option<Timestamp>,
    /// Which one, base64url.
    #[serde(default)]
    pub(crate) asserted_by: Option<String>,
    /// When the person showed the company's identity provider who they are, where the session began there.
    #[serde(default)]
    pub(crate) company_at: Option<Timestamp>,
}

/// An invitation, by the hash of its token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Invitation {
    pub(crate) account: String,
    pub(crate) until: Timestamp,
}

/// A grant and what is known of its delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct GrantRecord {
    pub(crate) case: CaseId,
    pub(crate) customer: CustomerId,
    pub(crate) connector: String,
    pub(crate) jws: String,
    pub(crate) not_after: Timestamp,
    /// Ledger index of the leaf that commits to it, once known.
    pub(crate) delivery: Delivery,
}

/// Where a grant's delivery stands. Written before the first byte leaves, so that a crash never hides an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Delivery {
    /// Nothing left yet.
    Waiting,
    /// An attempt is under way, or was when the program ended.
    Trying,
    /// The last attempt surely never reached the backend.
    NotSent,
    /// An attempt was made; its outcome is in the case.
    Sent,
}

/// A name that may stand in a key or stream: anything but letters, digits, `_`, `-` and `.` is percent-encoded.
pub(crate) fn part(text: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.') {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// The name that [`part`] made into one.
pub(crate) fn whole(part: &str) -> String {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let encoded = after
            .get(..2)
            .filter(|_| *first == b'%')
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(encoded.unwrap_or(*first));
        rest = encoded.map_or(after, |_| after.get(2..).unwrap_or_default());
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The stream of a case.
pub(crate) fn case_stream(customer: &CustomerId, case: &CaseId) -> StreamKey {
    StreamKey(format!("c.{}/case.{}", part(&customer.0), part(&case.0)))
}

/// The stream of what happens to a customer outside cases.
pub(crate) fn customer_stream(customer: &CustomerId) -> StreamKey {
    StreamKey(format!("c.{}/account", part(&customer.0)))
}

/// The stream of a staff account: sign-ins, look-ups, passkeys.
pub(crate) fn account_stream(account: &str) -> StreamKey {
    StreamKey(format!("s.{}/account", part(account)))
}

/// The stream of the gate itself: procedures.
pub(crate) fn gate_stream() -> StreamKey {
    StreamKey("gate/log".to_owned())
}

/// All keys that begin with `prefix`.
pub(crate) fn beginning_with(prefix: &str, reverse: bool) -> KeyRange {
    // No key contains this character: `part` encodes everything beyond ASCII.
    KeyRange {
        from: prefix.to_owned(),
        to: format!("{prefix}\u{10FFFF}"),
        reverse,
    }
}

/// A time as it sorts.
pub(crate) fn sortable(at: Timestamp) -> String {
    format!("{:016}", at.0.max(0))
}

/// The key of a case in a list by time.
pub(crate) fn in_time(at: Timestamp, case: &CaseId) -> String {
    format!("{}/{}", sortable(at), part(&case.0))
}

/// Puts a document.
pub(crate) fn put<T: Serialize>(
    space: &'static str,
    key: impl Into<String>,
    value: &T,
    expected: Option<u64>,
) -> Result<RecordWrite, Trouble> {
    Ok(RecordWrite {
        space,
        key: key.into(),
        value: Some(write_json(value)?),
        expected,
        expires_ms: None,
    })
}

/// Puts a document that may be forgotten after `until`.
pub(crate) fn put_until<T: Serialize>(
    space: &'static str,
    key: impl Into<String>,
    value: &T,
    expected: Option<u64>,
    until: Timestamp,
) -> Result<RecordWrite, Trouble> {
    Ok(RecordWrite {
        expires_ms: Some(until.0),
        ..put(space, key, value, expected)?
    })
}

/// Removes a document.
pub(crate) fn remove(
    space: &'static str,
    key: impl Into<String>,
    expected: Option<u64>,
) -> RecordWrite {
    RecordWrite {
        space,
        key: key.into(),
        value: None,
        expected,
        expires_ms: None,
    }
}

pub(crate) fn write_json<T: Serialize>(value: &T) -> Result<String, Trouble> {
    serde_json::to_string(value).map_err(|error| Trouble::Damaged(error.to_string()))
}

pub(crate) fn to_value<T: Serialize>(value: &T) -> Result<serde_json::Value, Trouble> {
    serde_json::to_value(value).map_err(|error| Trouble::Damaged(error.to_string()))
}

pub(crate) fn read_json<T: DeserializeOwned>(text: &str) -> Result<T, Trouble> {
    serde_json::from_str(text).map_err(|error| Trouble::Damaged(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_cannot_reach_into_another_range() {
        assert_eq!(part("a/b"), "a%2Fb");
        assert_eq!(part("a%2Fb"), "a%252Fb");
        assert_ne!(
            case_stream(&CustomerId("a/case.1".into()), &CaseId("1".into())),
            case_stream(&CustomerId("a".into()), &CaseId("1".into()))
        );
        assert!(part("é\u{10FFFF}").is_ascii());
        for name in ["a/b", "é\u{10FFFF}%2F", "", "100%", "c-1042"] {
            assert_eq!(whole(&part(name)), name);
        }
    }
}
