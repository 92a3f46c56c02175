//! What people see and do, in Chromium: the real program on a database of its own, the company's panel, real mail, and
//! one browser for each person. Each file is a kind of story; each story begins with nothing.
//!
//! Every browser's console is read when its story is over, so no page of these stories may write a line there that the
//! story did not announce, a report of the content security policy included.

#![expect(
    clippy::format_collect,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "helpers of tests, which clippy does not see as tests"
)]

#[path = "../common/mod.rs"]
mod common;

mod company;
mod panel;
mod people;

mod attacks;
mod frames;
mod honest;
mod lost_phone;
mod pages;
