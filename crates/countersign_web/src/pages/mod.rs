//! Pages: plain view structs, each with its template and its samples.
//!
//! A page knows nothing of the service: a handler fills in owned, already
//! formatted values and renders. Every page names its states in `samples()`;
//! from those come the gallery, the tests and the pictures.

mod approvals;
mod case;
mod customers;
mod desk;
mod errors;
mod frame;
mod link;
mod new_case;
mod parts;
mod receipt;
mod reference;
mod settings;
mod sign_in;

pub use approvals::*;
pub use case::*;
pub use customers::*;
pub use desk::*;
pub use errors::*;
pub use frame::*;
pub use link::*;
pub use new_case::*;
pub use parts::*;
pub use receipt::*;
pub use reference::*;
pub use settings::*;
pub use sign_in::*;
