//! Opening a case: four short pages. What was chosen travels in the form, not in a session.

use super::frame::StaffFrame;
use super::parts::{Act, Errors, Risk, Way};

/// `GET /cases/new/customer?q=`: step 1. "Choose" opens `/cases/new/action?customer=ID`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCaseCustomerPage {
    /// Frame.
    pub frame: StaffFrame,
    /// What was searched for; empty before the first search.
    pub query: String,
    /// Who was found.
    pub found: Vec<CustomerHit>,
}

/// A customer that a search found. Masked until they have proved something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomerHit {
    /// The company's own id, sent as `customer`.
    pub id: String,
    /// Name, masked.
    pub name: String,
    /// `Customer since March 2019`, or empty.
    pub since: String,
    /// How many cases are open.
    pub open_cases: u32,
    /// `Support PIN closed until 10:52`
    pub locks: Vec<String>,
    /// `Another case for this customer was refused 12 minutes ago (CS-7F2Q, Maja)`
    pub warnings: Vec<String>,
}

/// `GET /cases/new/action?customer=ID`: step 2. "Choose" opens `/cases/new/details?customer=ID&action=NAME`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCaseActionPage {
    /// Frame.
    pub frame: StaffFrame,
    /// For whom.
    pub customer: ChosenCustomer,
    /// The actions, grouped by what stands before the dot of their name.
    pub groups: Vec<ActionGroup>,
}

/// For whom a case is being opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChosenCustomer {
    /// The company's own id.
    pub id: String,
    /// Name, masked.
    pub name: String,
    /// What to know before going on: earlier refusals, locks.
    pub warnings: Vec<String>,
}

/// Actions of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActionGroup {
    /// `Server`
    pub title: String,
    /// Its actions.
    pub actions: Vec<ActionChoice>,
}

/// An action one may ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActionChoice {
    /// Name in the procedure, sent as `action`.
    pub name: String,
    /// `Reinstall a server`
    pub label: String,
    /// The sentence with its blanks: `Erase everything on … and install …`.
    pub line: String,
    /// How much it can hurt.
    pub risk: Option<Risk>,
    /// `two proofs, a senior, 24 hours`
    pub needs: String,
    /// Why this person may not start it.
    pub blocked: Option<String>,
}

/// `GET` and failed `POST /cases/new/details`: step 3. Posts to `/cases/new/check`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCaseDetailsPage {
    /// Frame.
    pub frame: StaffFrame,
    /// For whom.
    pub customer: ChosenCustomer,
    /// Name of the action.
    pub action: String,
    /// Its label.
    pub action_label: String,
    /// Its parameters, in the procedure's order; posted as `p.NAME`.
    pub fields: Vec<ParameterField>,
    /// Field `reason`: 10 to 500 characters.
    pub reason: String,
    /// Field `reference`: ticket or chat.
    pub reference: String,
    /// What was wrong, by field (`p.NAME`, `reason`, `reference`).
    pub errors: Errors,
}

/// One parameter of the action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParameterField {
    /// Name in the procedure.
    pub name: String,
    /// What people read.
    pub label: String,
    /// What was typed.
    pub value: String,
    /// The value until now, masked.
    pub old: Option<String>,
}

/// `POST /cases/new/check`: step 4. Posts to `/cases`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCaseCheckPage {
    /// Frame.
    pub frame: StaffFrame,
    /// For whom.
    pub customer: ChosenCustomer,
    /// Label of the action.
    pub action_label: String,
    /// The words as everyone will see them; the digest is empty.
    pub act: Act,
    /// The reason as typed.
    pub reason: String,
    /// The reference as typed.
    pub reference: String,
    /// What this will need: the ways as not-started checklists.
    pub needs: Vec<Way>,
    /// `usually 6 minutes, then 24 hours`
    pub expected: Option<String>,
    /// Everything typed so far, as hidden fields: `customer`, `action`, `p.NAME`, `reason`, `reference`.
    pub hidden: Vec<(String, String)>,
    /// Why it cannot be opened, if so.
    pub obstacle: Option<Obstacle>,
}

/// Why a case cannot be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Obstacle {
    /// One is open for exactly this.
    Duplicate {
        /// Its id.
        case: String,
    },
    /// The same request was refused or stopped and stays closed.
    Closed {
        /// Which case.
        case: String,
        /// `stopped by the customer`, `declined by Idris`.
        how: String,
        /// Until when.
        until: super::parts::When,
    },
    /// The limit of the procedure is reached: `at most 1 per 30 days per customer`.
    Limit(String),
}
