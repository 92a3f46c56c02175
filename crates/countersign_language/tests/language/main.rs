//! The language as others see it: its pages, its manual, its specification,
//! the shipped procedures, and what holds for every text.

#![expect(
    clippy::disallowed_methods,
    clippy::string_slice,
    reason = "tests read the pages they check, and slice texts at places they know"
)]

// `cfg(test)` on each, so that helper functions count as test code for the lints.
#[cfg(test)]
mod diagnostics;
#[cfg(test)]
mod manual;
#[cfg(test)]
mod markdown;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod schema;
#[cfg(test)]
mod shipped;
#[cfg(test)]
mod spec;
#[cfg(test)]
mod words;
