//! What an auditor is given: the gate's event list and ledger, and the books of everybody else.
//!
//! Nothing here comes from the gate's own reading of its events. The procedure
//! is the checked model; everything that happened is JSON as it was stored.

use std::collections::BTreeMap;

use countersign_language::Procedure;
use serde_json::Value;

/// Everything there is to look at.
#[derive(Debug, Clone, Default)]
pub struct Books {
    /// Every version of the procedure that cases were opened under, by its hexadecimal name.
    pub procedures: BTreeMap<String, Procedure>,
    /// Every event of the store, in the order of its positions.
    pub events: Vec<Happened>,
    /// The ledger's leaves, read out of its entry bundles.
    pub leaves: Vec<Vec<u8>>,
    /// Every checkpoint that was ever signed: tree size and root.
    pub signed: Vec<(u64, [u8; 32])>,
    /// When the books were closed, ms since the epoch.
    pub closed_at: i64,
    /// The tree size of the newest checkpoint.
    pub newest_size: u64,
    /// Staff accounts.
    pub staff: Vec<Account>,
    /// Passkeys: whose each credential is, base64url; `s.ACCOUNT` or `c.CUSTOMER/HOLDING`.
    pub credentials: BTreeMap<String, String>,
    /// What customers have, in the order in which it was stored.
    pub held: Vec<Held>,
    /// What was put of customers by the company, in the order in which it was stored.
    pub puts: Vec<Put>,
    /// Contacts by the opaque ids the gate gave them.
    pub contacts: Vec<Contact>,
    /// Letters and text messages, in the order in which the gate tried to hand them over.
    pub letters: Vec<Letter>,
    /// Answers to questions, as typed on customers' pages.
    pub answers: Vec<Answer>,
    /// Grants as they came to the backends.
    pub attempts: Vec<Attempt>,
    /// What the backends did.
    pub done: Vec<Done>,
    /// What the gate said it had done.
    pub acknowledged: Vec<Acknowledged>,
    /// How the gate says each case stands, in the end.
    pub standing: BTreeMap<String, String>,
}

/// An event as stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Happened {
    /// Global position.
    pub position: u64,
    /// Stream.
    pub stream: String,
    /// Place in its stream, from 1.
    pub sequence: u64,
    /// `case.proved` …
    pub kind: String,
    /// ms since the epoch.
    pub at: i64,
    /// What happened.
    pub data: Value,
    /// base64url of the salt.
    pub salt: String,
    /// Index of its leaf.
    pub leaf: Option<u64>,
}

/// A staff account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its id.
    pub account: String,
    /// The human being behind it.
    pub person: String,
    /// Names of roles in the procedure.
    pub roles: Vec<String>,
    /// Customers this person is tied to.
    pub concerned: Vec<String>,
    /// A program.
    pub robot: bool,
}

/// A customer has, from here on, this value of a holding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The stored event that said so: the n-th of this kind in the customer's stream, from 0.
    pub event: (String, usize),
    /// Whose.
    pub customer: String,
    /// Name of the holding.
    pub holding: String,
    /// PIN, base 32 of an authenticator secret, or a credential id; `None`: removed.
    pub value: Option<String>,
}

/// A customer as the company put them: the n-th `customer.put` in the customer's stream is the n-th of these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Put {
    /// Whom.
    pub customer: String,
    /// Channel and address of every live contact.
    pub contacts: Vec<(String, String)>,
    /// Attributes.
    pub attributes: BTreeMap<String, String>,
    /// Holdings the company keeps itself: name, value, and when it last changed.
    pub elsewhere: Vec<(String, String, Option<i64>)>,
}

/// A contact and the id the gate calls it by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// Opaque id.
    pub id: String,
    /// Whose.
    pub customer: String,
    /// Name of the channel.
    pub channel: String,
    /// Address.
    pub address: String,
}

/// What became of handing something over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carried {
    /// Taken.
    Taken,
    /// Refused for good.
    Refused,
    /// Not now.
    Later,
}

/// A letter or text message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// Newest position in the store when it was tried.
    pub position: u64,
    /// When, ms since the epoch.
    pub at: i64,
    /// Address.
    pub to: String,
    /// Subject and text.
    pub text: String,
    /// What came of it.
    pub carried: Carried,
}

/// What somebody heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// It was right.
    Right,
    /// It was not.
    NotRight,
    /// It was not looked at, and why.
    Refused(String),
    /// Nothing: the gate or its store went away.
    Nothing,
}

/// An answer typed on a customer's page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Newest position when it was sent.
    pub sent: u64,
    /// Newest position when the reply came.
    pub heard_by: u64,
    /// When it was sent, and when the reply came; ms since the epoch.
    pub at: (i64, i64),
    /// Case.
    pub case: String,
    /// Name of the proof.
    pub proof: String,
    /// What was typed.
    pub text: String,
    /// What they heard.
    pub heard: Heard,
}

/// A grant as it came to a backend, or did not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Newest position when it was sent.
    pub position: u64,
    /// When, ms since the epoch.
    pub at: i64,
    /// The grant's id.
    pub jti: String,
    /// True if nothing left: the gate was told so.
    pub not_sent: bool,
    /// The compact JWS.
    pub jws: String,
}

/// A backend did something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// By this grant.
    pub jti: String,
    /// When, ms since the epoch.
    pub at: i64,
    /// What, as in the grant's claims.
    pub claims: Value,
}

/// The gate said yes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acknowledged {
    /// Case.
    pub case: String,
    /// Events it had then.
    pub version: u64,
    /// Kinds of which one is among those events.
    pub kinds: &'static [&'static str],
}
