//! Pure decisions about cases.
//!
//! [`decide`] says what happens, [`evolve`] what is then the case. Neither
//! reads a clock, draws randomness, or looks at a store: the time and what is
//! known at that time come in as a [`Moment`]. One decision function serves
//! every surface: page, API, chat, command line, machine.

#![warn(missing_docs)]

mod case;
mod command;
mod event;
mod facts;

pub use case::*;
pub use command::*;
pub use event::*;
pub use facts::*;
