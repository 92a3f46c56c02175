//! Receipts: what a customer keeps of a case, and how anyone checks it offline.
//!
//! A receipt is one JSON document: for people the words and what became of
//! them, and for the checker every event of the case with its salt and a
//! tlog-proof. The checker believes nothing but the events: it works out
//! words, digest and outcome again and compares.

use countersign_cases::{Case, CaseId, Digest, Event, EventKind, Evidence, State, Timestamp};
use countersign_grant::{Leaf, Receipt as EventReceipt, ReceiptError};
use countersign_ledger::{Policy, VerifierKey};
use serde::{Deserialize, Serialize};

use crate::{
    cases::CaseError,
    decisions::Loaded,
    gate::Gate,
    ledger, records,
    sessions::{CustomerSeat, SignedInStaff},
    shell::Envelope,
    trouble::Trouble,
};

/// Version of the document's shape.
pub const RECEIPT_VERSION: u32 = 1;

/// The largest receipt the checker reads, in bytes.
pub const RECEIPT_BYTES_MAX: usize = 4 * 1024 * 1024;

/// A receipt of a whole case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseReceipt {
    /// [`RECEIPT_VERSION`]
    pub receipt: u32,
    /// The company's name.
    pub organisation: String,
    /// The case.
    pub case: CaseId,
    /// The words, character for character.
    pub sentence: String,
    /// What everything was bound to.
    pub digest: Digest,
    /// The state it ended in, in one word.
    pub outcome: String,
    /// When it ended.
    pub at: Timestamp,
    /// The log's key, for convenience; a checker trusts the one it was given.
    pub log: String,
    /// Every event of the case, oldest first.
    pub events: Vec<EventReceipt>,
}

/// What a verified receipt says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VerifiedReceipt {
    /// The case.
    pub case: CaseId,
    /// The words.
    pub sentence: String,
    /// What everything was bound to.
    pub digest: Digest,
    /// The state it ended in.
    pub outcome: String,
    /// When.
    pub at: Timestamp,
    /// How many events it has.
    pub events: usize,
    /// Size of the log at the newest checkpoint.
    pub log_size: u64,
    /// Names of the signatures made over the words.
    pub signed_by: Vec<String>,
    /// Answers of the company's own checkers.
    pub checked_by: Vec<CheckedBy>,
}

/// A proof that the company's own checker answered, as a receipt shows it. Whoever holds the message finds it again by these.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckedBy {
    /// Which checker.
    pub checker: String,
    /// When.
    pub at: Timestamp,
    /// `webhook-id` of the message.
    pub id: String,
    /// SHA-256 of its body.
    pub body: Digest,
}

/// Why a receipt proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WrongReceipt {
    /// Not a receipt.
    #[error("this is not a receipt: {0}")]
    Form(String),
    /// One of its events is not proved.
    #[error("event {number} is not proved: {why}")]
    Event {
        /// Which, from 1.
        number: usize,
        /// Why.
        why: ReceiptError,
    },
    /// The words for people are not those of the events.
    #[error("`{0}` is not what the events say")]
    Contradiction(&'static str),
    /// An event is missing, or belongs to another case.
    #[error("event {0} does not belong here")]
    Order(usize),
}

impl WrongReceipt {
    /// Stable word.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Form(_) => "not-a-receipt",
            Self::Event { .. } => "event-not-proved",
            Self::Contradiction(_) => "contradicts-events",
            Self::Order(_) => "events-out-of-order",
        }
    }
}

/// Checks a receipt offline against the log key one trusts.
///
/// # Errors
/// [`WrongReceipt`], for the first thing that is wrong.
pub fn verify_receipt(json: &str, log: &VerifierKey) -> Result<VerifiedReceipt, WrongReceipt> {
    let policy =
        Policy::of_log(log.clone()).map_err(|error| WrongReceipt::Form(error.to_string()))?;
    verify_receipt_by(json, &policy)
}

/// The same against a policy with several logs or witnesses.
///
/// # Errors
/// [`WrongReceipt`]
pub fn verify_receipt_by(json: &str, policy: &Policy) -> Result<VerifiedReceipt, WrongReceipt> {
    if json.len() > RECEIPT_BYTES_MAX {
        return Err(WrongReceipt::Form("too large".to_owned()));
    }
    let receipt: CaseReceipt =
        serde_json::from_str(json).map_err(|error| WrongReceipt::Form(error.to_string()))?;
    if receipt.receipt != RECEIPT_VERSION {
        return Err(WrongReceipt::Form(format!(
            "version {} is not known here",
            receipt.receipt
        )));
    }
    let mut events: Vec<Event> = Vec::with_capacity(receipt.events.len());
    let mut log_size = 0;
    let mut first: Option<Leaf> = None;
    let mut last_index = None;
    for (number, event) in (1..).zip(&receipt.events) {
        let (leaf, accepted) = event
            .verify(policy)
            .map_err(|why| WrongReceipt::Event { number, why })?;
        log_size = log_size.max(accepted.checkpoint.size);
        let index = event
            .proof
            .parse::<countersign_ledger::TlogProof>()
            .map_err(|_| WrongReceipt::Order(number))?
            .index;
        // One case, one customer, in the order of the log.
        let same = first
            .as_ref()
            .is_none_or(|first| first.case == leaf.case && first.customer == leaf.customer);
        if !same || leaf.case.is_none() || last_index.is_some_and(|last| index <= last) {
            return Err(WrongReceipt::Order(number));
        }
        last_index = Some(index);
        let read: Event = serde_json::from_str(&event.record)
            .map_err(|error| WrongReceipt::Form(error.to_string()))?;
        let opened = matches!(read.kind, EventKind::Opened { .. });
        if opened != (number == 1) {
            return Err(WrongReceipt::Order(number));
        }
        first.get_or_insert(leaf);
        events.push(read);
    }
    let case = Case::replay(&events);
    let opened = case.opened().ok_or(WrongReceipt::Order(1))?;
    let digest = countersign_cases::digest(
        &opened.action,
        &opened.customer,
        &opened.nonce,
        &opened.parameters,
        &opened.procedure,
    );
    if digest != opened.digest || digest != receipt.digest {
        return Err(WrongReceipt::Contradiction("digest"));
    }
    if receipt.case != opened.case {
        return Err(WrongReceipt::Contradiction("case"));
    }
    if receipt.sentence != opened.sentence {
        return Err(WrongReceipt::Contradiction("sentence"));
    }
    if receipt.outcome != case.state().word() {
        return Err(WrongReceipt::Contradiction("outcome"));
    }
    if Some(receipt.at) != events.last().map(|event| event.at) {
        return Err(WrongReceipt::Contradiction("at"));
    }
    Ok(VerifiedReceipt {
        case: receipt.case,
        sentence: receipt.sentence,
        digest,
        outcome: receipt.outcome,
        at: receipt.at,
        events: events.len(),
        log_size,
        signed_by: case
            .sign_offs()
            .iter()
            .map(|one| one.by.name.clone())
            .collect(),
        checked_by: case
            .proofs()
            .iter()
            .filter_map(|made| match made.evidence.as_ref() {
                Evidence::Checked { checker, id, body } => Some(CheckedBy {
                    checker: checker.clone(),
                    at: made.at,
                    id: id.clone(),
                    body: *body,
                }),
                Evidence::None | Evidence::Assertion { .. } => None,
            })
            .collect(),
    })
}

impl Gate {
    /// The receipt of the case on this seat, once it is over and something was proved in it.
    pub async fn receipt_for_seat(&self, seat: &CustomerSeat) -> Result<CaseReceipt, CaseError> {
        self.receipt_of_customer(seat, seat.case()).await
    }

    /// The receipt of any case of the customer on this seat, once they have proved something here.
    ///
    /// Without a proof a seat gets none: a receipt holds the parameters in full, and the link alone proves nothing. Only a
    /// link that a member of staff made after the case was over, for its receipt, opens that one.
    pub async fn receipt_of_customer(
        &self,
        seat: &CustomerSeat,
        case: &CaseId,
    ) -> Result<CaseReceipt, CaseError> {
        let may = if case == seat.case() {
            self.seat_reads_case(seat).await?
        } else {
            self.seat_has_proved(seat).await?
        };
        if !may {
            return Err(CaseError::NotAllowed("a proof"));
        }
        let loaded = self.load_case(case).await?;
        if loaded.row.customer != *seat.customer() {
            return Err(CaseError::Unknown);
        }
        self.receipt(&loaded).await
    }

    /// The receipt of a case for staff.
    pub async fn receipt_for_staff(
        &self,
        by: &SignedInStaff,
        case: &CaseId,
    ) -> Result<CaseReceipt, CaseError> {
        if by.roles().is_empty() {
            return Err(CaseError::NotAllowed("staff"));
        }
        let loaded = self.load_case(case).await?;
        if by.record().concerned.contains(&loaded.row.customer) {
            return Err(CaseError::NotAllowed("somebody who is not concerned"));
        }
        if loaded.case.proofs().is_empty() {
            return Err(CaseError::NotAllowed("a proof by the customer"));
        }
        self.receipt(&loaded).await
    }

    async fn receipt(&self, loaded: &Loaded) -> Result<CaseReceipt, CaseError> {
        let state = loaded.case.state();
        if !state.is_final() && state != State::Unknown {
            return Err(CaseError::NotOver);
        }
        let stored = self
            .journal()
            .read(&loaded.stream(), 0)
            .await
            .map_err(Trouble::from)?;
        let mut events = Vec::with_capacity(stored.len());
        let mut at = loaded.now;
        for event in &stored {
            let envelope = Envelope::open(event)?;
            let leaf = event
                .leaf
                .ok_or_else(|| Trouble::Damaged("an event without a leaf".to_owned()))?;
            let proof = self.prove_leaf(leaf).await?;
            events.push(EventReceipt::new(
                ledger::record(&envelope.data)?,
                &envelope.salt()?,
                &proof,
            ));
            at = Timestamp(event.at_ms);
        }
        let opened = loaded.case.opened().ok_or(CaseError::Unknown)?;
        Ok(CaseReceipt {
            receipt: RECEIPT_VERSION,
            organisation: loaded.procedure.organisation.clone(),
            case: opened.case.clone(),
            sentence: opened.sentence.clone(),
            digest: opened.digest,
            outcome: state.word().to_owned(),
            at,
            log: self.settings().log_verifier.clone(),
            events,
        })
    }
}

impl CaseReceipt {
    /// The document as text.
    pub fn to_json(&self) -> Result<String, Trouble> {
        records::write_json(self)
    }
}
