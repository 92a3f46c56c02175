//! What a problem's code means, for whoever followed its `type`.

use askama::Template;

use super::frame::{Banner, StaffFrame};
use super::icon::Icon;
use super::page::Page;
use super::samples::nobody;
use crate::problems::{Explained, PROBLEMS};
use crate::words::Quoted;

/// `GET /problems/{code}`
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "problem.html")]
pub struct ProblemPage {
    /// Frame; nobody signed in is fine.
    pub frame: StaffFrame,
    /// What is explained.
    pub explained: Explained,
}

impl Page for ProblemPage {
    const NAME: &'static str = "problem";

    fn samples() -> Vec<(&'static str, Self)> {
        PROBLEMS
            .iter()
            .filter(|known| ["not-ready", "unknown-field"].contains(&known.code))
            .map(|known| {
                let page = Self {
                    frame: nobody("/problems/not-ready"),
                    explained: *known,
                };
                (known.code, page)
            })
            .collect()
    }
}
