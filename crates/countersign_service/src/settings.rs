//! What a gate is started with: plain data, filled by the program from its configuration file.
//!
//! Nothing here is read from the environment or a file, and nothing here has
//! a default that weakens anything. `Debug` never shows a key or a secret.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

use crate::{
    adapters::{mailer::MailServer, openid::ProviderSettings, secrets::Secret, tokens::TokenHash},
    reconcile::Mapping,
    speech::Language,
};

/// Everything a gate needs to know.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The procedure, as text: in force at once in a new installation, else proposed until it is signed.
    pub procedure: String,
    /// Name of the role, in the procedure in force, whose holders sign a new version of it.
    pub procedure_role: String,
    /// Where people reach the pages: scheme, host and port, without a slash at the end.
    pub origin: String,
    /// WebAuthn relying party id: the host of `origin` or a parent domain of it.
    pub rp_id: String,
    /// Keys.
    pub keys: Keys,
    /// The log's key as verifiers know it (`name+id+key`), copied into receipts.
    pub log_verifier: String,
    /// The systems that run actions.
    pub connectors: Vec<Connector>,
    /// How mail leaves; `None` where the company has no mail, and then no notice can be handed over.
    pub mail: Option<MailSettings>,
    /// How text messages leave.
    pub text: Option<Endpoint>,
    /// Who is asked whether an account password is right.
    pub password: Option<Endpoint>,
    /// Where customers sign in, for proofs `using oidc` and `using ciba`.
    pub company_login: Option<CompanyLogin>,
    /// Who is asked about proofs `using webhook`.
    pub checkers: Vec<Checker>,
    /// Where staff sign in, beside their passkeys.
    pub staff_login: Option<StaffLogin>,
    /// Accounts that exist from the first start on.
    pub staff: Vec<NewAccount>,
    /// Programs that may call.
    pub machines: Vec<MachineToken>,
    /// Origins a customer may be sent back to after a case, such as `https://panel.acme.example`.
    pub return_to: Vec<String>,
    /// The language the procedure is written in: for letters where nobody said another, and for customers whose browser names none that is spoken.
    pub language: Language,
    /// Numbers.
    pub limits: Limits,
}

/// The gate's keys. Each has one use.
#[derive(Clone)]
pub struct Keys {
    /// Ed25519 seed that signs grants.
    pub grant_seed: [u8; 32],
    /// HMAC key for one-time codes.
    pub codes: [u8; 32],
    /// AES-256-GCM key for what must be readable again: authenticator secrets.
    pub seal: [u8; 32],
    /// Keys beside these while one is exchanged for another, and those that were.
    pub others: OtherKeys,
}

/// Keys that do not sign, or not alone: they are published, so that whatever they signed goes on verifying and whatever
/// they will sign is known beforehand.
#[derive(Clone, Default)]
pub struct OtherKeys {
    /// Ed25519 seeds of grant keys: the next one before it signs, the last one until its grants have run out.
    pub grant_seeds: Vec<[u8; 32]>,
    /// Verifier keys (C2SP signed-note, `name+id+key`) of the ledger: of a second signer, and of former ones.
    pub ledger: Vec<String>,
}

impl fmt::Debug for OtherKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OtherKeys(…)")
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys(…)")
    }
}

/// A system that runs actions.
#[derive(Debug, Clone)]
pub struct Connector {
    /// Name in the procedure (`runs panel`) and audience of its grants.
    pub name: String,
    /// Where grants are posted.
    pub url: String,
    /// Where the outcome of a grant is asked for by its id, which is appended as a path segment; `None` for `url` itself.
    pub status_url: Option<String>,
    /// Standard Webhooks secrets, `whsec_…`, the current one first.
    pub secrets: Vec<Secret>,
    /// How it sends its own log as it happens, where it does.
    pub audit: Option<AuditFeed>,
}

/// A backend that sends what it did, event by event, as signed webhooks.
#[derive(Debug, Clone)]
pub struct AuditFeed {
    /// Standard Webhooks secrets that it signs with, `whsec_…`, the current one first. Not those the gate signs with: else
    /// what the gate sent could be sent back to it.
    pub secrets: Vec<Secret>,
    /// How its events name things.
    pub mapping: Mapping,
    /// How far its clock may differ, and how long an event that nothing covers waits before it is an alarm.
    pub window_seconds: u32,
}

/// How mail leaves.
#[derive(Debug, Clone)]
pub struct MailSettings {
    /// The company's SMTP server.
    pub server: MailServer,
    /// `From`, such as `Acme Hosting <support@acme.example>`.
    pub from: String,
}

/// One of the company's own HTTP endpoints, called with Standard Webhooks signatures.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// Where.
    pub url: String,
    /// Standard Webhooks secrets, `whsec_…`, the current one first.
    pub secrets: Vec<Secret>,
}

/// The company's own checker of one proof `using webhook`.
#[derive(Debug, Clone)]
pub struct Checker {
    /// Name of the proof in the procedure.
    pub proof: String,
    /// Where it is asked.
    pub url: String,
    /// Standard Webhooks secrets, `whsec_…`, the current one first. They sign the question, and the answer that comes later.
    pub secrets: Vec<Secret>,
    /// How long it has to answer, in seconds.
    pub expires_seconds: u64,
}

/// The identity provider of the company's customers.
#[derive(Debug, Clone)]
pub struct CompanyLogin {
    /// What customers call it, such as `Acme`.
    pub name: String,
    /// The provider.
    pub provider: ProviderSettings,
    /// `openid`, and whatever else the account claim needs.
    pub scope: String,
    /// The claim that names the customer's account: `sub`, or one of the company's own.
    pub account_claim: String,
    /// Authentication contexts that will do for every proof not named below; empty: any.
    pub acr_values: Vec<String>,
    /// The same by name of the proof.
    pub proof_acr_values: BTreeMap<String, Vec<String>>,
    /// The longest message that a push may carry, in characters.
    pub message_chars: usize,
}

/// The identity provider of the staff.
#[derive(Debug, Clone)]
pub struct StaffLogin {
    /// What staff call it.
    pub name: String,
    /// The provider.
    pub provider: ProviderSettings,
    /// `openid`, and whatever else groups, name and email need.
    pub scope: String,
    /// The claim that lists a person's groups.
    pub groups_claim: String,
    /// What each group may do. A group that is not here gives nothing.
    pub groups: Vec<Group>,
    /// Whether whoever has a group here and no account gets one at the first sign-in.
    pub create: bool,
}

/// What a group of the provider may do here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// As the provider names it.
    pub name: String,
    /// Names of roles in the procedure.
    pub roles: Vec<String>,
    /// Roles in the console.
    pub console: Vec<ConsoleRole>,
}

/// An account to be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewAccount {
    /// Id of the account, such as `maja`.
    pub account: String,
    /// Id of the human being behind it; several accounts may share one.
    pub person: String,
    /// Name as colleagues and customers read it.
    pub name: String,
    /// Address for invitations and alerts.
    pub email: String,
    /// Names of roles in the procedure.
    #[serde(default)]
    pub roles: Vec<String>,
    /// Roles in the console itself; they give no power over cases.
    #[serde(default)]
    pub console: Vec<ConsoleRole>,
    /// Ids of customers this person is, or is tied to.
    #[serde(default)]
    pub concerned: Vec<String>,
    /// `sub` of this person at [`Settings::staff_login`]: who signs in there is this account.
    #[serde(default)]
    pub subject: Option<String>,
}

/// Roles in the console, apart from the procedure's. None has power over a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ConsoleRole {
    /// Reads the ledger and statistics.
    Auditor,
    /// Manages staff accounts.
    Admin,
}

/// A program that may call, and what for.
#[derive(Debug, Clone)]
pub struct MachineToken {
    /// Name in logs, such as `panel`.
    pub name: String,
    /// Hash of the token; the token itself is kept nowhere.
    pub token: TokenHash,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// For [`Scope::Robot`]: names of the procedure roles it opens cases with.
    pub robot_roles: Vec<String>,
}

/// What a machine may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// Open cases for the company's own signed-in customer.
    Panel,
    /// Put customers, contacts and factors.
    Customers,
    /// Erase customers.
    Erase,
    /// Attest backups. A token with this scope may have no other.
    Backups,
    /// Read cases.
    Read,
    /// Open cases as a program with a staff role; it never proves, signs or vouches.
    Robot,
    /// Send a backend's own log, to have it matched with cases.
    Reconcile,
}

/// Numbers of the gate; the unit is in the name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// How long a customer's link may be used.
    pub link_seconds: u64,
    /// How long a customer's page stays open after the link was used.
    pub seat_seconds: u64,
    /// How long one waits before a code is sent again.
    pub code_again_seconds: u64,
    /// How many codes are sent for one case and proof.
    pub codes_max: u32,
    /// How long it stays open once something was proved on it: it is how the customer comes back for the receipt.
    pub proved_seat_seconds: u64,
    /// How long an idle staff session lives.
    pub session_idle_seconds: u64,
    /// How long any staff session lives.
    pub session_seconds: u64,
    /// How long an invitation counts.
    pub invitation_seconds: u64,
    /// How long a grant counts; at most 120.
    pub grant_seconds: u64,
    /// How many customer look-ups one account may make in an hour.
    pub lookups_per_hour: u32,
    /// How many answers one network may try in a minute.
    pub answers_per_minute: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            link_seconds: 15 * 60,
            seat_seconds: 60 * 60,
            code_again_seconds: 60,
            codes_max: 5,
            proved_seat_seconds: 14 * 86_400,
            session_idle_seconds: 60 * 60,
            session_seconds: 12 * 60 * 60,
            invitation_seconds: 7 * 86_400,
            grant_seconds: 120,
            lookups_per_hour: 120,
            answers_per_minute: 60,
        }
    }
}
