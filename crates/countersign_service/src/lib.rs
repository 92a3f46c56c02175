//! The shell: load, decide, commit, deliver.
//!
//! [`Gate`] is the whole surface. What somebody may ask of it depends on the
//! witness they hold: [`SignedInStaff`], [`CustomerSeat`], [`MachineCaller`] or
//! [`StopLink`], each made by one look-up and by nothing else. No function
//! leads from a staff session to a proof, nor from anything but a permit of
//! `countersign_cases` to a grant.
//!
//! A proof takes a seat, so a member of staff cannot even ask for one:
//!
//! ```compile_fail,E0308
//! # use countersign_service::{Gate, SignedInStaff, adapters::secrets::Secret};
//! # use countersign_cases::Digest;
//! async fn relayed(gate: &Gate, agent: &SignedInStaff, read_aloud: &Secret) {
//!     let _ = gate.prove(agent, "pin", Digest([0; 32]), read_aloud).await;
//! }
//! ```
//!
//! No HTTP server here, and no decision: requirements are weighed in
//! `countersign_cases` alone.

pub mod adapters;
mod alarms;
mod audit;
mod cases;
mod checker_proof;
mod company_proof;
mod company_sign_in;
mod customers;
mod decisions;
mod delivery;
mod device_push;
mod drills;
mod enrolment;
mod enrolment_pin;
mod erasure;
mod factors;
mod facts;
mod folded;
mod gate;
mod grants;
mod idempotency;
mod incidents;
mod kept;
mod known_keys;
mod ledger;
mod lists;
mod lookups;
mod mask;
mod matching;
pub mod measures;
mod notices;
mod panel;
mod proofs;
mod rates;
mod receipts;
pub mod reconcile;
mod records;
mod sessions;
pub mod settings;
mod shell;
mod sign_in;
mod sign_offs;
pub mod speech;
mod spoken;
mod staff;
pub mod statistics;
mod timeline;
pub mod traces;
mod trouble;
mod versions;
mod views;
mod work;

pub use alarms::{Alarm, AlarmStanding, NewAlarm, UNCOVERED};
pub use audit::{
    AUDIT_ROWS_MAX, AuditCheck, AuditEntry, AuditExport, AuditFilter, AuditFinding, AuditKind,
    AuditPage, AuditPlace, AuditRow, SignatureView,
};
pub use cases::{Applied, CaseError, IssuedLink, LinkStanding, OpenRequest, OpenedCase};
pub use checker_proof::{CheckerAnswerError, CheckerStage, CheckerStanding};
pub use company_proof::{CompanyStanding, ProviderAnswer};
pub use company_sign_in::{BegunSignIn, ParkedSignIn};
pub use customers::{
    BackupAttestation, ContactPut, ContactView, CustomerDetail, CustomerError, CustomerPut,
    CustomerSaved, FactorPut, FactorView, HeldPut,
};
pub use device_push::{DeviceStage, DeviceStanding};
pub use drills::{
    DeclaredDrill, DrillError, DrillWish, Drills, PersonVigilance, TeamVigilance, ToldDrill,
};
pub use enrolment::{AppSecret, EnrolmentError, EnrolmentView};
pub use enrolment_pin::{PIN_DIGITS, WeakPin};
pub use gate::{Gate, Parts, ProcedureCheck, StartError};
pub use idempotency::{Answer, IDEMPOTENCY_KEY_CHARS_MAX, Idempotent, Reserved};
pub use incidents::{
    Author, Because, CLOSING_DOMAIN, Closing, Confirmed, Deed, Draft, FIELDS, Facts, Finding,
    Happened, Incident, IncidentChange, IncidentError, IncidentEvent, IncidentSummary,
    IncidentView, LetterPreview, Line, Mark, NewIncident, Phase, PromiseStanding, PublicIncident,
    PublicStatement, PublicStatus, PublicUpdate, Publication, Reason, STATEMENT_DOMAIN, Scope,
    ScopeWish, Source, Standing, StatementCheck, Submission, SubscriptionError, Task, TaskState,
    Texts, ThenStood, TimelineLine, Touched, TouchedCustomer, Update,
};
pub use known_keys::agree_on_keys;
pub use ledger::LogSigner;
pub use lists::{Approvals, DeskFilter, DeskRow};
pub use lookups::{CustomerView, RefusedNote};
pub use mask::{SentencePiece, mask_address};
pub use matching::NumberView;
pub use panel::{PanelDesk, PanelPass, PanelStaff};
pub use proofs::{Answered, CodeOnItsWay, CodeStanding, PROOF_DOMAIN, ProofError};
pub use rates::{Rate, TooMany};
pub use receipts::{
    CaseReceipt, CheckedBy, RECEIPT_BYTES_MAX, RECEIPT_VERSION, VerifiedReceipt, WrongReceipt,
    verify_receipt, verify_receipt_by,
};
pub use sessions::{CustomerSeat, MachineCaller, SignedInStaff, StopLink};
pub use settings::Settings;
pub use sign_in::Ceremony;
pub use sign_offs::{PasskeyPrompt, SIGN_OFF_DOMAIN};
pub use speech::Language;
pub use spoken::{SpokenNumber, TalkingView};
pub use staff::{
    AccountView, InvitationView, IssuedInvitation, OnFile, Operator, PasskeyView, StaffError,
    staff_on_file,
};
pub use timeline::{Detail, TimelineEntry, ToldEvent, WhoView};
pub use trouble::Trouble;
pub use versions::{
    PROCEDURE_DOMAIN, ProcedureDiff, ProcedureError, ProposalView, RefusedProcedure,
};
pub use views::{
    Abilities, Ability, CaseView, EndingView, LinkView, ParameterView, SeatView, StopView, Way,
    WayStanding,
};
pub use work::CaseVersions;
