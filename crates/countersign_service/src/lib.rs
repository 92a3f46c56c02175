//! The shell: load, decide, commit, deliver.
//!
//! [`Gate`] is the whole surface. What somebody may ask of it depends on the
//! witness they hold: [`SignedInStaff`], [`CustomerSeat`], [`MachineCaller`] or
//! [`StopLink`], each made by one look-up and by nothing else. No function
//! leads from a staff session to a proof, nor from anything but a permit of
//! `countersign_cases` to a grant.
//!
//! No HTTP server here, and no decision: requirements are weighed in
//! `countersign_cases` alone.

pub mod adapters;
mod cases;
mod customers;
mod delivery;
mod factors;
mod facts;
mod gate;
mod grants;
mod idempotency;
mod ledger;
mod mask;
mod notices;
mod proofs;
mod rates;
mod receipts;
mod records;
mod sessions;
pub mod settings;
mod shell;
mod staff;
mod trouble;
mod views;
mod work;

pub use cases::{Applied, CaseError, IssuedLink, LinkStanding, OpenRequest, OpenedCase};
pub use customers::{
    BackupAttestation, ContactPut, ContactView, CustomerDetail, CustomerError, CustomerPut,
    CustomerSaved, CustomerView, FactorPut, FactorView, HeldPut, RefusedNote,
};
pub use gate::{Gate, Parts, ProcedureCheck, StartError};
pub use idempotency::{Answer, IDEMPOTENCY_KEY_CHARS_MAX, Idempotent, Reserved};
pub use ledger::LogSigner;
pub use mask::{SentencePiece, mask_address};
pub use proofs::{
    Answered, CodeOnItsWay, CodeStanding, PROOF_DOMAIN, PasskeyPrompt, ProofError, SIGN_OFF_DOMAIN,
};
pub use rates::{Rate, TooMany};
pub use receipts::{
    CaseReceipt, RECEIPT_BYTES_MAX, RECEIPT_VERSION, VerifiedReceipt, WrongReceipt, verify_receipt,
    verify_receipt_by,
};
pub use sessions::{CustomerSeat, MachineCaller, SignedInStaff, StopLink};
pub use settings::Settings;
pub use staff::{
    AccountView, Ceremony, InvitationView, IssuedInvitation, Operator, PasskeyView, StaffError,
};
pub use trouble::Trouble;
pub use views::{
    Abilities, Ability, Approvals, CaseView, DeskFilter, DeskRow, EndingView, LinkView,
    ParameterView, SeatView, StopView, TimelineEntry, Way, WayStanding, WhoView,
};
pub use work::CaseVersions;
