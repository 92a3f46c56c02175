//! A whole company under faults, replayed exactly from one number.
//!
//! What runs is the real gate ([`countersign_service::Gate`]), two of them on
//! one store. Round it everything is simulated: time, mail, text messages, the
//! company's backends, customers, agents, seniors, thieves. The store loses
//! writes, lands them and says nothing, lands them late; processes die before
//! and after any write and are started again; clocks are apart and jump. One
//! thread, one order of turns, one seed: the same seed is the same event list,
//! byte for byte, signatures included.
//!
//! What happened is judged by somebody else: [`crate::auditor`], from the event
//! list, the ledger and everybody's own books.

mod attackers;
mod company;
mod outside;
mod people;
mod procedures;
#[cfg(test)]
mod scenes;
mod sim;
mod store;
mod tasks;

use std::{collections::BTreeMap, fmt::Write as _, sync::Arc};

use countersign_cases::CaseId;
use countersign_ledger::{Checkpoint, SignedNote, TILE_WIDTH, TilePath};
use countersign_store::{Journal, StoredEvent};
use serde_json::Value;

use self::{
    company::Company,
    people::{BEGIN_WITHIN, END_AFTER},
    sim::{GATES, HOUR, MINUTE, SECOND, Sim, locked},
    tasks::Tasks,
};
use crate::{
    auditor::{self, Books, Contact, Finding, Happened},
    naive::Dice,
};

pub(crate) use self::company::from_base32;

/// The longest a seed may go on, in turns.
const TURNS_MAX: u64 = 6_000_000;

/// What became of one seed.
#[derive(Debug)]
pub struct Run {
    /// The seed.
    pub seed: u64,
    /// The procedure's name.
    pub procedure: String,
    /// What everybody did and heard, in order.
    pub story: Vec<String>,
    /// Everything the auditor was given.
    pub books: Books,
    /// What the auditor found.
    pub findings: Vec<Finding>,
    /// How often each interesting thing happened.
    pub seen: BTreeMap<&'static str, u64>,
    /// How many turns were given.
    pub turns: u64,
}

impl Run {
    /// The whole event list, as bytes: what two runs of one seed must have in common.
    pub fn event_list(&self) -> String {
        let mut list = String::new();
        for event in &self.books.events {
            let _ = writeln!(
                list,
                "{} {} {} {} {} {} {} {:?}",
                event.position,
                event.stream,
                event.sequence,
                event.kind,
                event.at,
                event.data,
                event.salt,
                event.leaf
            );
        }
        list
    }
}

/// Plays one seed, and has it audited.
///
/// # Errors
/// What did not work before anything went wrong on purpose: the simulator's own fault.
pub fn run(seed: u64) -> Result<Run, String> {
    let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x0005_10c0_ffee);
    let (name, text, procedure) = procedures::of_seed(seed, &mut dice)?;
    let sim = Sim::new(seed, procedure, text).ok_or("no keys")?;
    let sim = Arc::new(sim);
    let mut tasks = Tasks::new(Arc::clone(&sim.time), Dice(dice.roll()));
    let company = tasks.alone(Company::found(Arc::clone(&sim), &mut dice))?;
    let company = Arc::new(company);
    let began = sim.time.now();
    let mut spawn = Spawn {
        company: &company,
        tasks: &mut tasks,
    };
    spawn.everybody(&mut dice);

    sim.set_quiet(false);
    let in_time = tasks.run_until(began + BEGIN_WITHIN + END_AFTER, TURNS_MAX);
    // Nothing goes wrong any more: what can still be found out is found out.
    sim.set_quiet(true);
    let in_time = in_time && tasks.run_until(sim.time.now() + 30 * HOUR, TURNS_MAX);
    if !in_time {
        return Err(format!("seed {seed} does not end"));
    }
    sim.late_grants_come();
    let turns = tasks.turns;
    let books = tasks.alone(close_the_books(&company))?;
    drop(tasks);
    let mut findings = auditor::audit(&books);
    findings.extend(
        locked(&sim.post)
            .bad_grants
            .iter()
            .map(|bad| Finding::outside(1, format!("a backend was handed a bad grant: {bad}"))),
    );
    let mut seen = sim.seen();
    count_events(&books, &mut seen);
    Ok(Run {
        seed,
        procedure: name,
        story: sim.story(),
        books,
        findings,
        seen,
        turns,
    })
}

struct Spawn<'a> {
    company: &'a Arc<Company>,
    tasks: &'a mut Tasks,
}

impl Spawn<'_> {
    fn everybody(&mut self, dice: &mut Dice) {
        for slot in 0..GATES {
            self.tasks.add(Arc::clone(self.company).keep(slot));
            for _ in 0..2 {
                self.tasks.add(Arc::clone(self.company).work(slot));
            }
            self.tasks.add(clock(Arc::clone(self.company), slot));
        }
        for _ in 0..6 + dice.below(8) {
            let own = Dice(dice.roll());
            self.tasks.add(Arc::clone(self.company).story(own));
        }
        for _ in 0..dice.below(3) {
            let own = Dice(dice.roll());
            self.tasks.add(Arc::clone(self.company).attack(own));
        }
        let own = Dice(dice.roll());
        self.tasks.add(Arc::clone(self.company).changes(own));
    }
}

/// A machine's clock runs away a little and is set right; now and then the whole machine sleeps for hours.
async fn clock(company: Arc<Company>, slot: usize) {
    let sim = &company.sim;
    loop {
        let hours = i64::try_from(1 + sim.draw(40)).unwrap_or(1);
        sim.time.sleep(hours * HOUR).await;
        let Some(skew) = sim.skews.get(slot) else {
            return;
        };
        let apart = sim.odds().skew;
        if apart == 0 {
            skew.store(0, std::sync::atomic::Ordering::Relaxed);
            continue;
        }
        let to = match sim.draw(4) {
            0 => {
                sim.count("clock set back");
                -SECOND * i64::try_from(sim.draw(30 * apart)).unwrap_or(0)
            }
            1 => {
                sim.count("clock ahead");
                SECOND * i64::try_from(sim.draw(10 * apart)).unwrap_or(0)
            }
            2 => {
                sim.count("machine slept for hours");
                let hours = i64::try_from(1 + sim.draw(9)).unwrap_or(1);
                sim.time.pass(hours * HOUR + 7 * MINUTE);
                0
            }
            _ => 0,
        };
        skew.store(to, std::sync::atomic::Ordering::Relaxed);
    }
}

/// Reads out what the store holds, and asks the gate how every case stands.
async fn close_the_books(company: &Company) -> Result<Books, String> {
    let sim = &company.sim;
    let told = |error: &dyn std::fmt::Display| error.to_string();
    let mut books = locked(&sim.books).clone();
    books
        .procedures
        .insert(sim.procedure.version.to_string(), (*sim.procedure).clone());
    let stored = sim
        .journal()
        .follow(0, usize::MAX)
        .await
        .map_err(|error| told(&error))?;
    books.events = stored.iter().map(happened).collect();
    let note = sim
        .journal()
        .checkpoint()
        .await
        .map_err(|error| told(&error))?;
    let checkpoint: Checkpoint = SignedNote::parse(&note)
        .map_err(|error| told(&error))?
        .text
        .parse()
        .map_err(|_| "a checkpoint that is none".to_owned())?;
    books.newest_size = checkpoint.size;
    books.closed_at = sim.time.now();
    books.signed.clone_from(&locked(&sim.signer.signed));
    let width = u64::from(TILE_WIDTH);
    for index in 0..checkpoint.size.div_ceil(width) {
        let in_bundle = (checkpoint.size - index * width).min(width);
        let path = TilePath::Entries {
            index,
            width: u16::try_from(in_bundle).unwrap_or(TILE_WIDTH),
        };
        let bundle = sim
            .journal()
            .tile(&path.to_string())
            .await
            .map_err(|error| told(&error))?
            .ok_or("an entry bundle is missing")?;
        let entries = countersign_ledger::entries(&bundle).ok_or("a damaged entry bundle")?;
        books.leaves.extend(entries.into_iter().map(<[u8]>::to_vec));
    }
    for customer in &company.customers {
        let id = countersign_cases::CustomerId(customer.id.clone());
        let by = company.panel.clone();
        let detail = sim
            .ask(|gate| async move { gate.customer_detail(&by, &id).await })
            .await
            .map_err(|_| "no gate runs in the end".to_owned())?
            .map_err(|error| told(&error))?;
        books
            .contacts
            .extend(detail.contacts.into_iter().map(|contact| Contact {
                id: contact.id.0,
                customer: customer.id.clone(),
                channel: contact.channel,
                address: contact.address,
            }));
    }
    let cases: Vec<String> = books
        .events
        .iter()
        .filter(|event| event.kind == "case.opened")
        .filter_map(|event| event.data.get("case").and_then(Value::as_str))
        .map(str::to_owned)
        .collect();
    for case in cases {
        let id = CaseId(case.clone());
        // Of three colleagues at most two are no party to it.
        for colleague in company.staff.iter().rev().take(3) {
            let Some(by) = company.session(colleague).await else {
                continue;
            };
            let id = id.clone();
            let view = sim
                .ask(|gate| async move { gate.case_view(&by, &id).await })
                .await;
            if let Ok(Ok(view)) = view {
                books
                    .standing
                    .insert(case.clone(), view.state.word().to_owned());
                break;
            }
        }
    }
    Ok(books)
}

fn happened(stored: &StoredEvent) -> Happened {
    let envelope: Value = serde_json::from_str(&stored.data).unwrap_or_default();
    Happened {
        position: stored.position,
        stream: stored.stream.0.clone(),
        sequence: stored.sequence,
        kind: stored.kind.clone(),
        at: stored.at_ms,
        data: envelope.get("data").cloned().unwrap_or_default(),
        salt: envelope
            .get("salt")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned(),
        leaf: stored.leaf,
    }
}

/// What the event list itself shows of what happened.
fn count_events(books: &Books, seen: &mut BTreeMap<&'static str, u64>) {
    for event in &books.events {
        let outcome = || event.data.get("outcome");
        let what = match event.kind.as_str() {
            "case.opened" => "case opened",
            "case.granted" => "granted",
            "case.expired" => "case ran out",
            "case.wait_started" => "wait began",
            "case.wait_void" => "wait void",
            "case.no_longer_ready" => "no longer ready",
            "case.vouched" => "word given",
            "case.concluded" => match outcome() {
                Some(Value::String(word)) if word == "unknown" => "outcome unknown",
                Some(Value::String(_)) => "outcome done",
                _ => "outcome failed",
            },
            _ => continue,
        };
        *seen.entry(what).or_default() += 1;
    }
}
