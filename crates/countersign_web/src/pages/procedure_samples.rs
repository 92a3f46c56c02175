//! The procedure pages in each of their states, made from procedures that are shipped.

use std::sync::Arc;

use super::frame::Section;
use super::procedures::{
    ActionPage, AttacksPage, LockoutPage, ProcedureTextPage, ProceduresPage, ReachPage,
};
use super::samples::{agent, senior};
use crate::study::{Study, can_be_lost};

const HOSTING: &str = include_str!("../../../../procedures/hosting.procedure");
const TELECOM: &str = include_str!("../../../../procedures/telecom.procedure");

/// Promises nothing and can lose nothing.
const BARE: &str = "organisation \"Nordhamn Hosting\"\nsecret pin \"support PIN\" using pin\n\
    action note.add \"Add a note\" { runs panel path usual { prove pin } }\n";

/// One chat is enough for the account, and whoever loses the mailbox is out.
const WEAK: &str = "organisation \"Nordhamn Hosting\"\nstaff agent \"support agent\"\n\
    channel mailbox \"e-mail address on file\"\n\
    proof mail_code \"code sent by e-mail\" shows mailbox using mail\n\
    loss account \"control of the customer's account\"\n\
    action account.hand_over \"Hand an account over\" { loses account runs panel path chat {\n\
    prove mail_code agent confirms \"the caller knows the account\" } }\n\
    promise \"A hijacked mailbox gains nothing\" {\n\
    even if mailbox hijacked and 1 agent deceived never account }\n\
    promise \"Whoever loses the mailbox still gets there\" { even without mailbox always account.hand_over }\n";

/// None where a text above is not valid, which a test would notice by the missing state.
fn study(text: &str) -> Option<Study> {
    let procedure = countersign_language::read(text).procedure?;
    Some(Study::of(Arc::new(procedure), text.to_owned()))
}

pub(super) fn lists() -> Vec<(&'static str, ProceduresPage)> {
    [("kept", HOSTING), ("broken", WEAK), ("bare", BARE)]
        .into_iter()
        .filter_map(|(state, text)| {
            let study = study(text)?;
            let page = ProceduresPage {
                frame: senior(Some(Section::Procedures), "/procedures"),
                organisation: "Nordhamn Hosting".into(),
                version: "9f2c4d1b".into(),
                lines: study.line_count(),
                actions: study.actions(false),
                outside: study.actions(true),
                promises: study.promises(),
                losses: study.losses(),
            };
            Some((state, page))
        })
        .collect()
}

pub(super) fn actions() -> Vec<(&'static str, ActionPage)> {
    [
        ("two-ways", HOSTING, "server.reinstall"),
        ("one-way", HOSTING, "password.reset"),
        ("four-ways", TELECOM, "sim.replace"),
        ("outside", HOSTING, "mailbox.recover"),
        ("broken", WEAK, "account.hand_over"),
        ("bare", BARE, "note.add"),
    ]
    .into_iter()
    .filter_map(|(state, text, name)| {
        let page = ActionPage {
            frame: agent(Some(Section::Procedures), "/procedures/action/sample"),
            version: "9f2c4d1b".into(),
            other_version: state == "one-way",
            study: study(text)?.action(name)?,
        };
        Some((state, page))
    })
    .collect()
}

pub(super) fn attacks() -> Vec<(&'static str, AttacksPage)> {
    [
        ("drawn", HOSTING, "server_data", 6),
        ("none", HOSTING, "account", 1),
        ("on-action", HOSTING, "password.reset", 2),
        ("no-loss", BARE, "", 1),
    ]
    .into_iter()
    .filter_map(|(state, text, on, number)| {
        let study = study(text)?;
        let page = AttacksPage {
            frame: agent(Some(Section::Procedures), "/procedures/attacks"),
            tabs: study.losses(),
            study: study.attacks(on, number),
        };
        Some((state, page))
    })
    .collect()
}

pub(super) fn reach() -> Vec<(&'static str, ReachPage)> {
    let ask = |with: &[&str], agents: u32, asked: bool| {
        let study = study(HOSTING)?;
        let names: Vec<String> = with.iter().map(|&name| name.to_owned()).collect();
        Some(ReachPage {
            frame: agent(Some(Section::Procedures), "/procedures/reach"),
            holdings: study.holdings(|name| with.contains(&name)),
            roles: study.roles(|name| if name == "agent" { agents } else { 0 }),
            unread: false,
            answer: asked.then(|| study.reach(&names, &[("agent".to_owned(), agents)], false)),
        })
    };
    [
        ("ask", ask(&[], 0, false)),
        ("stopped", ask(&["mailbox", "pin"], 1, true)),
        ("done", ask(&["password", "key"], 0, true)),
    ]
    .into_iter()
    .filter_map(|(state, page)| Some((state, page?)))
    .collect()
}

pub(super) fn lockout() -> Vec<(&'static str, LockoutPage)> {
    let ask = |without: &[&str], asked: bool| {
        let study = study(HOSTING)?;
        let names: Vec<String> = without.iter().map(|&name| name.to_owned()).collect();
        let mut holdings = study.holdings(|name| without.contains(&name));
        holdings.retain(|holding| can_be_lost(&holding.kind));
        Some(LockoutPage {
            frame: agent(Some(Section::Procedures), "/procedures/lockout"),
            holdings,
            answer: asked.then(|| study.lockout(&names)),
        })
    };
    [
        ("ask", ask(&[], false)),
        ("still-possible", ask(&["phone"], true)),
        ("locked-out", ask(&["phone", "key"], true)),
    ]
    .into_iter()
    .filter_map(|(state, page)| Some((state, page?)))
    .collect()
}

pub(super) fn text() -> Vec<(&'static str, ProcedureTextPage)> {
    let page = |text: &str, all: Option<usize>| {
        let study = study(text)?;
        Some(ProcedureTextPage {
            frame: agent(Some(Section::Procedures), "/procedures/text"),
            version: super::samples::DIGEST.into(),
            lines: study.lines(),
            all: all.unwrap_or_else(|| study.line_count()),
        })
    };
    [
        ("whole", page(HOSTING, None)),
        ("long", page(BARE, Some(12_000))),
    ]
    .into_iter()
    .filter_map(|(state, page)| Some((state, page?)))
    .collect()
}
