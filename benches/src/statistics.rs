//! The statistics over a million cases: the page, its CSV, the API's JSON and the command, from sums kept while cases happen.
//!
//! The cases are events as a gate writes them, told from a seeded draw; the figures the page shows are compared with what the
//! draw itself counted. The leaves of the ledger are left out: nothing here reads them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use countersign_cases::{
    Actor, CaseId, CustomerId, Digest, Event, EventKind, Evidence, GrantId, Outcome, PersonId,
    StaffMember, Stopper, Timestamp,
};
use countersign_language::{ActionId, PathId, ProofId, RoleId};
use countersign_service::adapters::dice::SystemDice;
use countersign_service::adapters::tokens::{Token, TokenKind};
use countersign_service::statistics::{Statistics, StatisticsQuery, text};
use countersign_service::{Gate, LogSigner, Operator};
use countersign_store::{Append, Batch, Journal, NewEvent, SqliteJournal, StreamKey};
use countersign_web::{Web, WebSettings};
use tower::ServiceExt as _;

use crate::page::{parts, settings, sign_in};
use crate::timing::{Measured, Samples, verdict};

/// Finished cases written in one commit.
const CASES_AT_ONCE: usize = 1_000;

/// Days the cases are spread over.
const DAYS: i64 = 700;

const DAY_MS: i64 = 86_400_000;

/// Times each page is asked for.
const ROUNDS: usize = 60;

/// The longest a page may take.
const GOAL_MS: f64 = 300.0;

/// `countersign_benches statistics [CASES]`; goal: every page within 300 ms.
pub(crate) fn run() -> Measured {
    let cases = std::env::args()
        .nth(2)
        .and_then(|count| count.parse().ok())
        .unwrap_or(1_000_000);
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(measure(cases))
}

async fn measure(cases: usize) -> Measured {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("bench.db");
    let log = LogSigner::new("localhost/ledger", &[7; 32])?;
    let filled = fill(&path, &log, cases).await?;
    println!(
        "{cases} cases, {} events over {DAYS} days, {:.1} GB",
        filled.events,
        gigabytes(std::fs::metadata(&path)?.len())
    );
    println!(
        "  written in {:.0} s; kept sums made from nothing in {:.0} s, {:.0} events a second",
        filled.written_seconds,
        filled.kept_seconds,
        rate(filled.events, filled.kept_seconds)
    );

    // A new program on that database, as `countersign statistics` is, and then as `countersign serve` is.
    let all_of_it = StatisticsQuery {
        from: Some(day(filled.begin_ms)),
        ..StatisticsQuery::default()
    };
    let console = Operator::at_the_console();
    let begin = Instant::now();
    let journal = Arc::new(SqliteJournal::open(&path, Arc::new(log.clone())).await?);
    let token = Token::generate(TokenKind::Machine, &SystemDice);
    let settings = settings(&log, &token);
    let gate = Gate::start_to_read(settings.clone(), parts(Arc::clone(&journal))?).await?;
    gate.keep_up().await?;
    let figures = gate.statistics_at_the_console(&console, &all_of_it).await?;
    let written = text(&figures);
    let took = begin.elapsed().as_secs_f64() * 1e3;
    println!(
        "  `countersign statistics` over all of it, from opening the database: {took:.0} ms, {} lines of text ({})",
        written.lines().count(),
        verdict(took <= GOAL_MS)
    );
    filled.told.same_as(&figures)?;
    println!(
        "  exact: {} opened, {} granted, {} by exception, {} signatures, as the draw counted",
        figures.totals.opened,
        figures.totals.granted,
        filled.told.exceptions,
        figures.vigilance.signed.count
    );

    let gate = Gate::start(settings, parts(Arc::clone(&journal))?).await?;
    let router = countersign_web::router(Web::new(
        gate.clone(),
        WebSettings {
            log_key: log.verifier().clone(),
            time_zone: "UTC".to_owned(),
            demo: None,
            trusted_proxies: Vec::new(),
            panel: countersign_web::PanelOrigins::default(),
        },
    ));
    let cookie = format!("countersign={}", filled.session.expose());
    let from = |days: i64| format!("from={}", day(filled.end_ms - days * DAY_MS));
    let mut worst = 0.0_f64;
    for (name, path) in [
        ("page, thirty days", "/statistics".to_owned()),
        ("page, 92 days", format!("/statistics?{}", from(91))),
        ("page, a year", format!("/statistics?{}", from(364))),
        (
            "page, all of it",
            format!("/statistics?from={}", day(filled.begin_ms)),
        ),
        (
            "page, one action",
            format!(
                "/statistics?from={}&action=server.reinstall",
                day(filled.begin_ms)
            ),
        ),
        (
            "CSV, all of it",
            format!("/statistics.csv?from={}", day(filled.begin_ms)),
        ),
        (
            "JSON, all of it",
            format!("/v1/statistics?from={}", day(filled.begin_ms)),
        ),
    ] {
        let mut samples = Samples::default();
        let mut bytes = 0;
        let mut first = None;
        for _ in 0..ROUNDS {
            let request = Request::get(&path)
                .header(header::COOKIE, &cookie)
                .header(header::ACCEPT_ENCODING, "br")
                .body(Body::empty())?;
            let begin = Instant::now();
            let response = router.clone().oneshot(request).await?;
            let status = response.status();
            bytes = to_bytes(response.into_body(), 1 << 22).await?.len();
            let took = begin.elapsed();
            if status != StatusCode::OK {
                return Err(format!("{name}: answered {status}").into());
            }
            first.get_or_insert(took);
            samples.add(took);
        }
        let slowest = samples.quantile_us(1.0) / 1e3;
        worst = worst.max(slowest);
        println!(
            "  {name:<20} first {:>6.1} ms, median {:>6.1} ms, slowest {slowest:>6.1} ms, {:>5.1} KB",
            first.map_or(0.0, |took| took.as_secs_f64() * 1e3),
            samples.quantile_us(0.5) / 1e3,
            kilobytes(bytes)
        );
    }
    println!(
        "  slowest of all {worst:.1} ms (at most {GOAL_MS}: {})",
        verdict(worst <= GOAL_MS)
    );
    Ok(())
}

struct Filled {
    session: Token,
    told: Told,
    events: u64,
    begin_ms: i64,
    end_ms: i64,
    written_seconds: f64,
    kept_seconds: f64,
}

async fn fill(
    path: &PathBuf,
    log: &LogSigner,
    cases: usize,
) -> Result<Filled, Box<dyn std::error::Error>> {
    let journal = Arc::new(SqliteJournal::open(path, Arc::new(log.clone())).await?);
    let token = Token::generate(TokenKind::Machine, &SystemDice);
    let gate = Gate::start(settings(log, &token), parts(Arc::clone(&journal))?).await?;
    let session = sign_in(&gate).await?;
    let end_ms = gate.now().0;
    let begin_ms = end_ms - DAYS * DAY_MS;
    let mut draw = Draw(7);
    let mut told = Told::default();
    let teller = Teller::new(gate.procedure().version.to_string());
    let begin = Instant::now();
    let mut done = 0;
    let pace = (DAYS - 10) * DAY_MS / i64::try_from(cases.max(1))?;
    while done < cases {
        let mut batch = Batch::default();
        for number in done..cases.min(done + CASES_AT_ONCE) {
            let opened = Timestamp(begin_ms + pace * i64::try_from(number)?);
            batch
                .appends
                .push(teller.case(number, opened, &mut draw, &mut told)?);
        }
        journal.commit(batch).await?;
        done += CASES_AT_ONCE;
    }
    let written_seconds = begin.elapsed().as_secs_f64();
    let begin = Instant::now();
    gate.keep_up().await?;
    let kept_seconds = begin.elapsed().as_secs_f64();
    let events = gate.position();
    journal.close().await;
    Ok(Filled {
        session,
        told,
        events,
        begin_ms,
        end_ms,
        written_seconds,
        kept_seconds,
    })
}

/// A generator that needs no library.
struct Draw(u64);

impl Draw {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) % end
    }

    /// Milliseconds, mostly short and now and then very long, as people take them.
    fn pause(&mut self) -> i64 {
        let doublings = 2 + self.below(11);
        let seconds = (1 << doublings) + self.below(1 << doublings);
        i64::try_from(seconds).unwrap_or(0) * 1_000
    }
}

/// What the draw itself counted.
#[derive(Debug, Default)]
struct Told {
    opened: u64,
    granted: u64,
    exceptions: u64,
    signed: u64,
    refused: u64,
    ended: BTreeMap<&'static str, u64>,
    proofs: u64,
}

impl Told {
    fn same_as(&self, figures: &Statistics) -> Measured {
        let totals = &figures.totals;
        let ended = |how: &str| self.ended.get(how).copied().unwrap_or(0);
        let exceptions = figures.exceptions.iter().map(|row| row.rate.count).sum();
        let proofs = figures.proofs.iter().map(|bar| bar.rate.count).sum();
        for (what, shown, told) in [
            ("opened", totals.opened, self.opened),
            ("granted", totals.granted, self.granted),
            ("exceptions", exceptions, self.exceptions),
            ("proofs", proofs, self.proofs),
            ("signed", figures.vigilance.signed.count, self.signed),
            (
                "answered",
                figures.vigilance.signed.of,
                self.signed + self.refused,
            ),
            ("done", totals.done, ended("done")),
            ("failed", totals.failed, ended("failed")),
            ("refused", totals.refused, ended("refused")),
            ("stopped", totals.stopped, ended("stopped")),
            ("withdrawn", totals.withdrawn, ended("withdrawn")),
            ("expired", totals.expired, ended("expired")),
            ("behind", figures.behind, 0),
        ] {
            if shown != told {
                return Err(format!("{what}: {shown} are shown, {told} were told").into());
            }
        }
        Ok(())
    }
}

/// Tells cases.
struct Teller {
    version: String,
    agents: Vec<StaffMember>,
    seniors: Vec<StaffMember>,
}

impl Teller {
    fn new(version: String) -> Self {
        let people = |count: u32, role: u32, what: &str| {
            (0..count)
                .map(|number| StaffMember {
                    person: PersonId(format!("{what}-{number}")),
                    name: format!("{what} {number}"),
                    roles: vec![RoleId(role)],
                    concerned: false,
                    robot: false,
                })
                .collect()
        };
        Self {
            version,
            agents: people(200, 0, "agent"),
            seniors: people(40, 1, "senior"),
        }
    }

    /// Names and places are those of `procedures/hosting.procedure`.
    fn case(
        &self,
        number: usize,
        opened: Timestamp,
        draw: &mut Draw,
        told: &mut Told,
    ) -> Result<Append, Box<dyn std::error::Error>> {
        let customer = format!("{}", draw.below(200_000));
        let case = format!("CS-S{number:07}");
        let exception = draw.below(6) == 0;
        let (action, place) = match draw.below(4) {
            _ if exception => ("server.reinstall", 0),
            0 => ("email.change", 1),
            1 => ("password.reset", 2),
            _ => ("server.reinstall", 0),
        };
        let pick = |people: &[StaffMember], draw: &mut Draw| {
            let at = usize::try_from(draw.below(people.len() as u64)).unwrap_or(0);
            people.get(at).cloned().ok_or("nobody is there")
        };
        let by = if exception || draw.below(3) == 0 {
            Actor::Staff(pick(&self.agents, draw)?)
        } else {
            Actor::Customer
        };
        let path = PathId(u32::from(exception));
        let mut events = vec![Event {
            at: opened,
            kind: EventKind::Opened {
                case: CaseId(case.clone()),
                customer: CustomerId(customer.clone()),
                action: action.to_owned(),
                action_index: ActionId(place),
                parameters: BTreeMap::from([("server".to_owned(), "web-1".to_owned())]),
                procedure: self.version.clone(),
                nonce: "0".repeat(32),
                digest: Digest([7; 32]),
                sentence: "Erase everything on web-1 and install debian-12".to_owned(),
                by: by.clone(),
                reason: None,
                reference: None,
                expires_at: opened.plus_seconds(172_800),
                earlier: Vec::new(),
                mark: None,
            },
        }];
        told.opened += 1;
        let mut at = opened;
        let mut then = |kind, draw: &mut Draw| {
            at = Timestamp(at.0 + draw.pause());
            events.push(Event { at, kind });
        };
        // How far it came, then how it ended.
        let end = draw.below(100);
        if matches!(by, Actor::Staff(_)) && end >= 8 {
            then(EventKind::LinkUsed, draw);
        }
        if end >= 14 {
            for proof in [0, 2] {
                then(
                    EventKind::Proved {
                        proof: ProofId(proof),
                        evidence: Evidence::None,
                    },
                    draw,
                );
                told.proofs += 1;
            }
            then(EventKind::Confirmed, draw);
        }
        let mut ended = |how| *told.ended.entry(how).or_default() += 1;
        match end {
            0..14 => {
                then(EventKind::Expired, draw);
                ended("expired");
            }
            14..20 => {
                then(EventKind::Withdrawn { by }, draw);
                ended("withdrawn");
            }
            20..23 => {
                let kind = EventKind::Stopped {
                    by: Stopper::Customer,
                    reason: None,
                    closed_until: opened,
                };
                then(kind, draw);
                ended("stopped");
            }
            23..27 if exception => {
                let kind = EventKind::Refused {
                    by: pick(&self.seniors, draw)?,
                    reason: "the caller could not say which server".to_owned(),
                    closed_until: opened,
                };
                then(kind, draw);
                ended("refused");
                told.refused += 1;
            }
            _ => {
                if exception {
                    let kind = EventKind::SignedOff {
                        by: pick(&self.seniors, draw)?,
                        evidence: Evidence::None,
                    };
                    then(kind, draw);
                    told.signed += 1;
                    told.exceptions += 1;
                }
                let kind = EventKind::Ready {
                    path,
                    runs_by_itself: true,
                };
                then(kind, draw);
                let kind = EventKind::Granted {
                    path,
                    by: Actor::Gate,
                    grant: GrantId((number as u128).to_be_bytes()),
                };
                then(kind, draw);
                told.granted += 1;
                then(EventKind::HandedOver, draw);
                let (outcome, how) = if end == 99 {
                    let reason = "no such server".to_owned();
                    (Outcome::Failed { reason }, "failed")
                } else {
                    (Outcome::Done, "done")
                };
                then(EventKind::Concluded { outcome }, draw);
                ended(how);
            }
        }
        let events = events
            .iter()
            .map(stored)
            .collect::<Result<_, serde_json::Error>>()?;
        Ok(Append {
            stream: StreamKey(format!("c.{customer}/case.{case}")),
            expected: 0,
            events,
        })
    }
}

/// As the gate writes an event, but for the leaf and the salt it is committed to with.
fn stored(event: &Event) -> Result<NewEvent, serde_json::Error> {
    let data = serde_json::to_value(event)?;
    let kind = data.get("kind").and_then(serde_json::Value::as_str);
    Ok(NewEvent {
        kind: format!("case.{}", kind.unwrap_or_default()),
        version: 1,
        at_ms: event.at.0,
        data: serde_json::json!({ "salt": "", "data": data }).to_string(),
        leaf: None,
    })
}

/// `2026-11-23`
fn day(ms: i64) -> String {
    let days = ms.div_euclid(DAY_MS) + 719_468;
    // Days to a date, after Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

#[expect(clippy::cast_precision_loss, reason = "for people")]
fn gigabytes(bytes: u64) -> f64 {
    bytes as f64 / (1_u64 << 30) as f64
}

#[expect(clippy::cast_precision_loss, reason = "for people")]
fn kilobytes(bytes: usize) -> f64 {
    bytes as f64 / 1024.0
}

#[expect(clippy::cast_precision_loss, reason = "for people")]
fn rate(events: u64, seconds: f64) -> f64 {
    events as f64 / seconds.max(1e-9)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_written_as_everywhere() {
        assert_eq!(day(0), "1970-01-01");
        assert_eq!(day(1_795_428_000_000), "2026-11-23");
        assert_eq!(day(951_782_400_000), "2000-02-29");
    }

    /// The figures of a few thousand told cases are those that the draw counted.
    #[tokio::test]
    async fn figures_are_what_was_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bench.db");
        let log = LogSigner::new("localhost/ledger", &[7; 32]).unwrap();
        let filled = fill(&path, &log, 600).await.unwrap();
        let journal = Arc::new(
            SqliteJournal::open(&path, Arc::new(log.clone()))
                .await
                .unwrap(),
        );
        let token = Token::generate(TokenKind::Machine, &SystemDice);
        let gate = Gate::start(settings(&log, &token), parts(journal).unwrap())
            .await
            .unwrap();
        let query = StatisticsQuery {
            from: Some(day(filled.begin_ms)),
            ..StatisticsQuery::default()
        };
        let console = Operator::at_the_console();
        let figures = gate
            .statistics_at_the_console(&console, &query)
            .await
            .unwrap();
        assert_eq!(figures.totals.opened, 600);
        filled.told.same_as(&figures).unwrap();
    }
}
