//! The witness that a path is complete.

use std::collections::BTreeMap;

use countersign_language::PathId;

use crate::{CaseId, CustomerId, Digest, Earnest, GrantId};

/// The witness that every requirement of one path held at one moment.
///
/// Made only by [`crate::decide`] for [`crate::Command::Run`]. It cannot be built, copied, kept in a
/// file or brought back from one, so whoever is handed one knows that the decision was made in this
/// process, just now, and that no other part of the program holds the same one. Making a grant uses
/// it up:
///
/// ```
/// fn grant(permit: countersign_cases::Permit) -> String {
///     let contents = permit.consume();
///     contents.action
/// }
/// ```
///
/// Using it twice does not compile:
///
/// ```compile_fail,E0382
/// fn grant(permit: countersign_cases::Permit) -> (String, String) {
///     (permit.consume().action, permit.consume().action)
/// }
/// ```
///
/// Nor does building one, out of its contents or out of nothing:
///
/// ```compile_fail,E0451
/// fn forge(contents: countersign_cases::PermitContents) -> countersign_cases::Permit {
///     countersign_cases::Permit { contents }
/// }
/// ```
/// ```compile_fail,E0277
/// fn forge(contents: countersign_cases::PermitContents) -> countersign_cases::Permit {
///     contents.into()
/// }
/// ```
/// ```compile_fail,E0599
/// fn forge() -> countersign_cases::Permit {
///     countersign_cases::Permit::default()
/// }
/// ```
///
/// Copying one, by either way:
///
/// ```compile_fail,E0277
/// fn copies<T: Clone>() {}
/// copies::<countersign_cases::Permit>();
/// ```
/// ```compile_fail,E0277
/// fn copies<T: Copy>() {}
/// copies::<countersign_cases::Permit>();
/// ```
///
/// Or keeping one, to be used later or elsewhere:
///
/// ```compile_fail,E0277
/// fn keeps<T: serde::Serialize>() {}
/// keeps::<countersign_cases::Permit>();
/// ```
/// ```compile_fail,E0277
/// fn brings_back<T: for<'a> serde::Deserialize<'a>>() {}
/// brings_back::<countersign_cases::Permit>();
/// ```
///
/// A drill has none: [`Earnest`], which a permit is made of, is the witness that a case's mark is that of a case, and a
/// drill's mark is not.
///
/// All of which other values of this crate can do, so it is not for want of a dependency:
///
/// ```
/// fn all<T: Clone + serde::Serialize + for<'a> serde::Deserialize<'a>>() {}
/// fn copies<T: Copy>() {}
/// all::<countersign_cases::CaseId>();
/// copies::<countersign_cases::GrantId>();
/// let _ = |contents: countersign_cases::PermitContents| contents.action;
/// ```
#[must_use = "a permit that is not turned into a grant leaves its case granted and never run"]
#[derive(Debug)]
pub struct Permit {
    contents: PermitContents,
}

/// What a permit says; by itself it permits nothing.
#[derive(Debug, PartialEq, Eq)]
pub struct PermitContents {
    /// The case.
    pub case: CaseId,
    /// For whom.
    pub customer: CustomerId,
    /// Name of the action.
    pub action: String,
    /// The connector that runs it.
    pub connector: String,
    /// Value by parameter name.
    pub parameters: BTreeMap<String, String>,
    /// What the case is bound to.
    pub digest: Digest,
    /// The id the grant must have.
    pub grant: GrantId,
    /// The complete path.
    pub path: PathId,
}

impl Permit {
    /// Only for `decide`, after every requirement was looked at; and only with the witness that the case is no drill.
    pub(crate) fn new(contents: PermitContents, _no_drill: Earnest) -> Self {
        Self { contents }
    }

    /// Uses it up.
    pub fn consume(self) -> PermitContents {
        self.contents
    }

    /// The case.
    pub fn case(&self) -> &CaseId {
        &self.contents.case
    }

    /// For whom.
    pub fn customer(&self) -> &CustomerId {
        &self.contents.customer
    }

    /// Name of the action.
    pub fn action(&self) -> &str {
        &self.contents.action
    }

    /// The connector that runs it.
    pub fn connector(&self) -> &str {
        &self.contents.connector
    }

    /// Value by parameter name.
    pub fn parameters(&self) -> &BTreeMap<String, String> {
        &self.contents.parameters
    }

    /// What the case is bound to.
    pub fn digest(&self) -> Digest {
        self.contents.digest
    }

    /// The id the grant must have.
    pub fn grant(&self) -> GrantId {
        self.contents.grant
    }

    /// The complete path.
    pub fn path(&self) -> PathId {
        self.contents.path
    }
}
