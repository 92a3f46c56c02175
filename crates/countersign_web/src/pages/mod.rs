//! Pages: plain view structs, each with its template and its samples.
//!
//! A page knows nothing of the service: a handler fills in owned, already
//! formatted values and renders. Every page names its states in `samples()`;
//! from those come the gallery, the tests and the pictures.

mod approvals;
mod audit;
mod case;
pub mod charts;
mod check;
mod company;
mod customers;
mod desk;
mod drills;
mod enrol;
mod errors;
mod frame;
mod gallery;
mod icon;
mod incidents;
mod link;
mod link_samples;
mod new_case;
mod page;
mod panel;
mod parts;
mod problem;
mod procedure_samples;
mod procedures;
mod proposal;
mod qr;
mod receipt;
mod reference;
mod samples;
mod settings;
mod sign_in;
mod statistics;
mod status;
mod talking;
mod told;
mod verify;

use countersign_service::Language;

pub use approvals::*;
pub use audit::*;
pub use case::*;
pub use check::*;
pub use company::*;
pub use customers::*;
pub use desk::*;
pub use drills::*;
pub use enrol::*;
pub use errors::*;
pub use frame::*;
pub use gallery::gallery_files;
pub use incidents::*;
pub use link::*;
pub use new_case::*;
pub use page::*;
pub use panel::*;
pub use parts::*;
pub use problem::*;
pub use procedures::*;
pub use proposal::*;
pub use qr::*;
pub use receipt::*;
pub use reference::*;
pub use settings::*;
pub use sign_in::*;
pub use statistics::*;
pub use status::*;
pub use talking::*;
pub use told::*;
pub use verify::*;

/// One page in one state, rendered.
#[derive(Debug, Clone)]
pub struct GalleryPage {
    /// [`Page::NAME`].
    pub page: &'static str,
    /// Name of the state.
    pub state: &'static str,
    /// The whole document.
    pub html: String,
}

/// Every page in every state.
///
/// # Errors
/// If a template cannot be rendered; a test shows that none fails.
pub fn gallery() -> askama::Result<Vec<GalleryPage>> {
    let mut pages = Vec::new();
    add::<SignInPage>(&mut pages)?;
    add::<CompanyBackPage>(&mut pages)?;
    add::<InvitationPage>(&mut pages)?;
    add::<DeskPage>(&mut pages)?;
    add::<NewCaseCustomerPage>(&mut pages)?;
    add::<NewCaseActionPage>(&mut pages)?;
    add::<NewCaseDetailsPage>(&mut pages)?;
    add::<NewCaseCheckPage>(&mut pages)?;
    add::<CasePage>(&mut pages)?;
    add::<WithdrawPage>(&mut pages)?;
    add::<RunPage>(&mut pages)?;
    add::<ApprovalsPage>(&mut pages)?;
    add::<ApprovalPage>(&mut pages)?;
    add::<DeclinePage>(&mut pages)?;
    add::<ProposalPage>(&mut pages)?;
    add::<CustomersPage>(&mut pages)?;
    add::<CustomerPage>(&mut pages)?;
    add::<ProceduresPage>(&mut pages)?;
    add::<ActionPage>(&mut pages)?;
    add::<AttacksPage>(&mut pages)?;
    add::<ReachPage>(&mut pages)?;
    add::<LockoutPage>(&mut pages)?;
    add::<ProcedureTextPage>(&mut pages)?;
    add::<StatisticsPage>(&mut pages)?;
    add::<DrillsPage>(&mut pages)?;
    add::<AuditPage>(&mut pages)?;
    add::<AuditEntryPage>(&mut pages)?;
    add::<AuditVerifyPage>(&mut pages)?;
    add::<IncidentsPage>(&mut pages)?;
    add::<IncidentPage>(&mut pages)?;
    add::<StatementPage>(&mut pages)?;
    add::<LettersPage>(&mut pages)?;
    add::<ClosingPage>(&mut pages)?;
    add::<SettingsPage>(&mut pages)?;
    add::<PasskeysPage>(&mut pages)?;
    add::<KeysPage>(&mut pages)?;
    add::<StaffReceiptPage>(&mut pages)?;
    add::<StaffErrorPage>(&mut pages)?;
    add::<ApiPage>(&mut pages)?;
    add::<ProblemPage>(&mut pages)?;
    add::<PanelDoorPage>(&mut pages)?;
    add::<PanelPassPage>(&mut pages)?;
    add::<PanelPage>(&mut pages)?;
    add::<PanelCustomerPage>(&mut pages)?;
    add::<PanelNewPage>(&mut pages)?;
    add::<PanelCheckPage>(&mut pages)?;
    add::<PanelCasePage>(&mut pages)?;
    add::<PanelErrorPage>(&mut pages)?;
    pages.extend(customer_gallery(Language::English)?);
    Ok(pages)
}

/// Every page for customers in every state, in this language.
///
/// # Errors
/// If a template cannot be rendered; a test shows that none fails.
pub fn customer_gallery(language: Language) -> askama::Result<Vec<GalleryPage>> {
    let mut pages = Vec::new();
    add_in::<StartPage>(&mut pages, language)?;
    add_in::<ProvePage>(&mut pages, language)?;
    add_in::<TypedProofPage>(&mut pages, language)?;
    add_in::<PasskeyProofPage>(&mut pages, language)?;
    add_in::<CompanyProofPage>(&mut pages, language)?;
    add_in::<PushProofPage>(&mut pages, language)?;
    add_in::<CheckProofPage>(&mut pages, language)?;
    add_in::<ConfirmPage>(&mut pages, language)?;
    add_in::<DonePage>(&mut pages, language)?;
    add_in::<EnrolPage>(&mut pages, language)?;
    add_in::<StopPage>(&mut pages, language)?;
    add_in::<TalkingPage>(&mut pages, language)?;
    add_in::<ReceiptsPage>(&mut pages, language)?;
    add_in::<CustomerReceiptPage>(&mut pages, language)?;
    add_in::<VerifyPage>(&mut pages, language)?;
    add_in::<StatusPage>(&mut pages, language)?;
    add_in::<StatusIncidentPage>(&mut pages, language)?;
    add_in::<SubscriptionPage>(&mut pages, language)?;
    add_in::<CustomerErrorPage>(&mut pages, language)?;
    Ok(pages)
}

fn add<P: Page>(pages: &mut Vec<GalleryPage>) -> askama::Result<()> {
    for (state, page) in P::samples() {
        pages.push(GalleryPage {
            page: P::NAME,
            state,
            html: page.render()?,
        });
    }
    Ok(())
}

fn add_in<P: Spoken>(pages: &mut Vec<GalleryPage>, language: Language) -> askama::Result<()> {
    for (state, page) in P::samples_in(language) {
        pages.push(GalleryPage {
            page: P::NAME,
            state,
            html: page.render()?,
        });
    }
    Ok(())
}
