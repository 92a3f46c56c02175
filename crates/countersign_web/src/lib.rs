//! HTTP: the API under `/v1`, the pages, and the ledger's tiles.
//!
//! Thin on purpose: a handler turns a request into a question to
//! `countersign_service`, and its answer into JSON or a page. What may be done
//! is decided there; who is asking is settled by the extractors of [`callers`].
//! All routes stand in [`routes`].

pub mod api;
pub mod assets;
pub mod body;
pub mod callers;
pub mod headers;
pub mod limits;
pub mod listener;
pub mod network;
pub mod observe;
pub mod openapi;
pub mod pages;
pub mod panel_origins;
pub mod present;
pub mod problem;
pub mod problems;
pub mod routes;
pub mod site;
pub mod study;
pub mod words;

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use countersign_ledger::VerifierKey;
use countersign_service::adapters::dice::{Dice, SystemDice, random_bytes};
use countersign_service::{Gate, IssuedLink, Rate};
use jiff::tz::TimeZone;
use tokio::sync::watch;

pub use panel_origins::PanelOrigins;
pub use routes::router;

use crate::api::cases::CaseLink;
use crate::callers::Cookies;
use crate::present::Calendar;

/// What the handlers share. Cloning shares it.
#[derive(Debug, Clone)]
pub struct Web(Arc<Shared>);

/// See [`Web`].
#[derive(Debug)]
pub struct Shared {
    /// The service.
    pub gate: Gate,
    /// Names and attributes of cookies.
    pub cookies: Cookies,
    /// The ledger's public key.
    pub log_key: VerifierKey,
    /// The description of the API, JSON.
    pub openapi: String,
    /// In the demo: shows the banner "made-up data", with this address to take another part.
    pub demo: Option<String>,
    /// In whose pages the panel may stand.
    pub panel: PanelOrigins,
    /// How often one network may ask.
    pub rates: Rates,
    /// How much is done at once.
    pub limits: limits::Limits,
    /// What the prover says about the procedure in force.
    pub studies: study::Studies,
    /// What the status page said last, for while the store is away.
    pub status: tokio::sync::Mutex<Option<countersign_service::PublicStatus>>,
    trusted_proxies: Vec<IpAddr>,
    zone: TimeZone,
    /// Becomes true when the program is asked to end.
    ending: watch::Sender<bool>,
}

/// How often one network may ask for what is expensive or can be guessed, each with a count of its own.
#[derive(Debug)]
pub struct Rates {
    /// Passkey ceremonies of staff: sign-in and invitations.
    pub ceremonies: Rate,
    /// Answers and codes of customers, links and stop links.
    pub answers: Rate,
    /// Searches for customers.
    pub searches: Rate,
    /// Receipts that are checked for anyone.
    pub receipts: Rate,
    /// Spoken numbers that one network looks up.
    pub talking: Rate,
    /// Spoken numbers that all networks together look up; see [`site::talking`].
    pub talking_in_all: Rate,
    /// Letters about the status page that one network asks for.
    pub subscriptions: Rate,
    asked: AtomicU32,
}

/// What the pages need beyond the service.
#[derive(Debug, Clone)]
pub struct WebSettings {
    /// The ledger's public key.
    pub log_key: VerifierKey,
    /// In which zone times are shown: an IANA name such as `Europe/Stockholm`; UTC if it is not known.
    pub time_zone: String,
    /// In the demo: shows the banner "made-up data", with this address to take another part.
    pub demo: Option<String>,
    /// Addresses whose `X-Forwarded-For` is believed; nobody's by default.
    pub trusted_proxies: Vec<IpAddr>,
    /// In whose pages the panel may stand; nobody's by default.
    pub panel: PanelOrigins,
}

impl Web {
    /// For this gate.
    pub fn new(gate: Gate, settings: WebSettings) -> Self {
        let origin = gate.settings().origin.clone();
        Self(Arc::new(Shared {
            cookies: Cookies::new(&origin),
            log_key: settings.log_key,
            openapi: openapi::describe(&routes::routes(), &origin)
                .to_json()
                .unwrap_or_default(),
            demo: settings.demo,
            panel: settings.panel,
            rates: Rates::new(gate.settings().limits.answers_per_minute),
            limits: limits::Limits::default(),
            studies: study::Studies::default(),
            status: tokio::sync::Mutex::new(None),
            trusted_proxies: settings.trusted_proxies,
            zone: TimeZone::get(&settings.time_zone).unwrap_or(TimeZone::UTC),
            gate,
            ending: watch::Sender::new(false),
        }))
    }

    /// The program is going to end: `/readyz` says so from now on, live streams end with a time to come back, and every
    /// answer is the last one on its connection. Requests are answered as before.
    pub fn end(&self) {
        self.ending.send_replace(true);
    }

    /// Whether it was asked to.
    pub fn is_ending(&self) -> bool {
        *self.ending.borrow()
    }

    /// Done once the program is asked to end.
    pub fn ended(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut ending = self.ending.subscribe();
        async move {
            // The sender is gone only when nobody is left to be asked.
            let _ = ending.wait_for(|ending| *ending).await;
        }
    }

    /// Public keys of the ledger beside the present one: of a second signer, and former ones.
    pub fn other_log_keys(&self) -> Vec<VerifierKey> {
        let others = &self.gate.settings().keys.others.ledger;
        others.iter().filter_map(|key| key.parse().ok()).collect()
    }

    /// Times as pages show them, now.
    pub fn calendar(&self) -> Calendar {
        Calendar::new(self.gate.now(), self.zone.clone())
    }

    /// Host and port of the origin, as people see it.
    pub fn host(&self) -> String {
        let origin = &self.gate.settings().origin;
        origin.split("://").nth(1).unwrap_or(origin).to_owned()
    }

    /// A link as it is handed out.
    pub fn link(&self, issued: &IssuedLink) -> CaseLink {
        CaseLink {
            url: format!("{}{}", self.gate.settings().origin, issued.path()),
            until_ms: issued.until.0,
        }
    }

    /// `http` or `https`, as people see it.
    fn scheme(&self) -> &str {
        let origin = &self.gate.settings().origin;
        origin.split_once(':').map_or("https", |(scheme, _)| scheme)
    }

    /// A fresh key for the forms of one page.
    pub fn fresh_key(&self) -> String {
        let dice: &dyn Dice = &SystemDice;
        format!("{:032x}", u128::from_be_bytes(random_bytes(dice)))
    }
}

impl Rates {
    fn new(per_minute: u32) -> Self {
        Self {
            ceremonies: Rate::per_minute(per_minute),
            answers: Rate::per_minute(per_minute),
            searches: Rate::per_minute(per_minute),
            receipts: Rate::per_minute(per_minute),
            talking: Rate::per_minute(site::talking::PER_NETWORK_AND_MINUTE),
            talking_in_all: Rate::per_minute(site::talking::IN_ALL_AND_MINUTE),
            subscriptions: Rate::per_minute(site::status::PER_NETWORK_AND_MINUTE),
            asked: AtomicU32::new(0),
        }
    }

    /// Forgets networks that asked for nothing lately, now and then, so that many of them fill no memory.
    fn tidy_now_and_then(&self) {
        const EVERY: u32 = 4_096;
        if self.asked.fetch_add(1, Ordering::Relaxed) % EVERY == EVERY - 1 {
            for rate in [
                &self.ceremonies,
                &self.answers,
                &self.searches,
                &self.receipts,
                &self.talking,
                &self.subscriptions,
            ] {
                rate.tidy();
            }
        }
    }
}

impl std::ops::Deref for Web {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}
