//! Pages: plain view structs, each with its template and its samples.
//!
//! A page knows nothing of the service: a handler fills in owned, already
//! formatted values and renders. Every page names its states in `samples()`;
//! from those come the gallery, the tests and the pictures.

mod approvals;
mod case;
mod customers;
mod desk;
mod enrol;
mod errors;
mod frame;
mod gallery;
mod icon;
mod link;
mod link_samples;
mod new_case;
mod page;
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
mod verify;

pub use approvals::*;
pub use case::*;
pub use customers::*;
pub use desk::*;
pub use enrol::*;
pub use errors::*;
pub use frame::*;
pub use gallery::gallery_files;
pub use link::*;
pub use new_case::*;
pub use page::*;
pub use parts::*;
pub use problem::*;
pub use procedures::*;
pub use proposal::*;
pub use qr::*;
pub use receipt::*;
pub use reference::*;
pub use settings::*;
pub use sign_in::*;
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
    add::<SettingsPage>(&mut pages)?;
    add::<PasskeysPage>(&mut pages)?;
    add::<KeysPage>(&mut pages)?;
    add::<StaffReceiptPage>(&mut pages)?;
    add::<StaffErrorPage>(&mut pages)?;
    add::<ApiPage>(&mut pages)?;
    add::<ProblemPage>(&mut pages)?;
    add::<StartPage>(&mut pages)?;
    add::<ProvePage>(&mut pages)?;
    add::<TypedProofPage>(&mut pages)?;
    add::<PasskeyProofPage>(&mut pages)?;
    add::<ConfirmPage>(&mut pages)?;
    add::<DonePage>(&mut pages)?;
    add::<EnrolPage>(&mut pages)?;
    add::<StopPage>(&mut pages)?;
    add::<ReceiptsPage>(&mut pages)?;
    add::<CustomerReceiptPage>(&mut pages)?;
    add::<VerifyPage>(&mut pages)?;
    add::<CustomerErrorPage>(&mut pages)?;
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
