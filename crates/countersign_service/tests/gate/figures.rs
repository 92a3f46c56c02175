//! The statistics: exact against a count from the events that shares no code with them.

use std::collections::BTreeMap;

use countersign_cases::{CustomerId, Event, EventKind, Outcome};
use countersign_service::{
    CaseError, Gate,
    statistics::{Statistics, StatisticsQuery, csv, text},
};

use crate::world::{Colleague, World, change_email, reinstall, without_parameters};

/// A generator that needs no library: what happens in a case is up to it.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) % end
    }
}

/// Counts from the events alone, in the plainest way.
#[derive(Debug, Default, PartialEq, Eq)]
struct Counted {
    opened: u64,
    granted: u64,
    exceptions: u64,
    outcomes: BTreeMap<&'static str, u64>,
    proofs: u64,
    wrong: u64,
    locks: u64,
    signed: u64,
    refused: u64,
    confirm_seconds: Vec<u64>,
}

async fn counted(world: &World) -> Counted {
    let mut counted = Counted::default();
    let mut opened_at = BTreeMap::new();
    for stored in world.journal.follow(0, usize::MAX).await.unwrap() {
        let data: serde_json::Value = serde_json::from_str(&stored.data).unwrap();
        if stored.kind == "customer.wrong_answer" {
            counted.wrong += 1;
            counted.locks += u64::from(data["data"]["left"] == 0);
        }
        if !stored.kind.starts_with("case.") {
            continue;
        }
        let event: Event = serde_json::from_value(data["data"].clone()).unwrap();
        let mut ended = |how| *counted.outcomes.entry(how).or_default() += 1;
        match event.kind {
            EventKind::Opened { .. } => {
                counted.opened += 1;
                opened_at.insert(stored.stream.0.clone(), event.at);
            }
            EventKind::Proved { .. } => counted.proofs += 1,
            EventKind::Confirmed => {
                let opened = opened_at[&stored.stream.0];
                counted.confirm_seconds.push(event.at.seconds_since(opened));
            }
            EventKind::Granted { path, .. } => {
                counted.granted += 1;
                counted.exceptions += u64::from(path.0 > 0);
            }
            EventKind::SignedOff { .. } => counted.signed += 1,
            EventKind::Refused { .. } => {
                counted.refused += 1;
                ended("refused");
            }
            EventKind::Stopped { .. } => ended("stopped"),
            EventKind::Withdrawn { .. } => ended("withdrawn"),
            EventKind::Expired => ended("expired"),
            EventKind::Concluded { outcome } => ended(match outcome {
                Outcome::Done => "done",
                Outcome::Failed { .. } => "failed",
                Outcome::Unknown => "unknown",
            }),
            _ => {}
        }
    }
    counted.confirm_seconds.sort_unstable();
    counted
}

fn assert_same(figures: &Statistics, counted: &Counted) {
    let totals = &figures.totals;
    assert_eq!(totals.opened, counted.opened);
    assert_eq!(totals.granted, counted.granted);
    for (how, count) in [
        ("done", totals.done),
        ("failed", totals.failed),
        ("refused", totals.refused),
        ("stopped", totals.stopped),
        ("withdrawn", totals.withdrawn),
        ("expired", totals.expired),
    ] {
        let expected = counted.outcomes.get(how).copied().unwrap_or(0);
        assert_eq!(count, expected, "{how}");
    }
    let sum = |bars: &[countersign_service::statistics::Bar]| -> u64 {
        bars.iter().map(|bar| bar.rate.count).sum()
    };
    assert_eq!(sum(&figures.proofs), counted.proofs);
    assert_eq!(sum(&figures.wrong_answers), counted.wrong);
    assert_eq!(sum(&figures.lockouts), counted.locks);
    let exceptions: u64 = figures.exceptions.iter().map(|row| row.rate.count).sum();
    assert_eq!(exceptions, counted.exceptions);
    let by: u64 = figures
        .exceptions
        .iter()
        .flat_map(|row| row.opened_by.values())
        .sum();
    assert_eq!(by, counted.exceptions);
    assert_eq!(figures.vigilance.signed.count, counted.signed);
    assert_eq!(
        figures.vigilance.signed.of,
        counted.signed + counted.refused
    );
    let not_granted = totals.refused + totals.stopped + totals.withdrawn + totals.expired;
    assert_eq!(sum(&figures.requirements), not_granted);
    assert_eq!(sum(&figures.gave_up), totals.withdrawn + totals.expired);
    let per_day: u64 = figures.periods.iter().map(|row| row.totals.opened).sum();
    assert_eq!(per_day, counted.opened);
    let ended: u64 = figures.actions.iter().map(|row| row.count).sum();
    assert_eq!(ended, totals.ended() + totals.unknown);
    let confirmed = figures
        .steps
        .iter()
        .find(|step| step.step == "Words confirmed");
    let seconds = &counted.confirm_seconds;
    assert_eq!(confirmed.map_or(0, |step| step.count), seconds.len() as u64);
    if let Some(step) = confirmed {
        let exact = seconds[seconds.len().div_ceil(2) - 1];
        assert!(
            step.median.abs_diff(exact) * 127 <= exact,
            "{} for {exact}",
            step.median
        );
    }
}

/// One case after another, each going as chance will have it.
async fn play(world: &mut World, signe: &CustomerId, staff: &mut Staff, chance: &mut Chance) {
    for _ in 0..6 {
        world.hours(chance.below(40));
        let request = match chance.below(4) {
            0 => change_email(
                signe,
                &format!("new-{}@halden.example", chance.below(1 << 20)),
            ),
            1 => without_parameters(signe, "password.reset"),
            _ => {
                let mut request = reinstall(signe);
                let server = format!("web-{}", chance.below(1 << 20));
                request.parameters.insert("server".to_owned(), server);
                request
            }
        };
        let Ok(opened) = world.gate.open_case(&staff.maja.staff, &request).await else {
            continue;
        };
        let case = opened.case;
        if chance.below(6) > 0 {
            world.hours(chance.below(3));
            let seat = world.sit(&staff.maja, &case).await;
            if chance.below(3) == 0 {
                let _ = world.prove(&seat, "pin", "000000").await;
            }
            if chance.below(5) > 0 {
                let _ = world.prove(&seat, "pin", "482913").await;
                if request.action == "password.reset" {
                    let _ = world.prove(&seat, "app_code", &world.app_code()).await;
                } else if world.gate.send_code(&seat, "mail_code").await.is_ok() {
                    world.gate.settle().await.unwrap();
                    let mail = world.mail.mails_to("signe@halden.example").pop().unwrap();
                    let code = mail.text().lines().next().unwrap().to_owned();
                    let _ = world.prove(&seat, "mail_code", &code).await;
                }
            }
            if chance.below(4) > 0 {
                let digest = world.digest(&seat).await;
                let _ = world.gate.confirm(&seat, digest, None).await;
            }
            world.pass(std::time::Duration::from_secs(chance.below(4_000)));
            match chance.below(6) {
                0 => {
                    let _ = world.gate.stop(&seat, None).await;
                }
                1 => {
                    let _ = world
                        .gate
                        .refuse(&staff.idris.staff, &case, "not convincing")
                        .await;
                }
                2..=4 => {
                    let _ = world.signs(&mut staff.idris, &case).await;
                }
                _ => {}
            }
        }
        if chance.below(8) == 0 {
            let _ = world.gate.withdraw(&staff.maja.staff, &case).await;
        }
        world.gate.settle().await.unwrap();
        world.hours(25);
        world.gate.settle().await.unwrap();
        let _ = world.gate.run(&staff.maja.staff, &case).await;
        // Read now and then in between, so that what is kept was put together in pieces of any size.
        if chance.below(2) == 0 {
            world.gate.keep_up().await.unwrap();
        }
        world.hours(30);
        world.gate.settle().await.unwrap();
    }
}

struct Staff {
    maja: Colleague,
    idris: Colleague,
}

async fn figures(world: &World, gate: &Gate, from: &str) -> Statistics {
    let vera = world.colleague("vera").await;
    gate.keep_up().await.unwrap();
    let query = StatisticsQuery {
        from: Some(from.to_owned()),
        ..StatisticsQuery::default()
    };
    gate.statistics(&vera.staff, &query).await.unwrap()
}

#[tokio::test]
async fn kept_figures_are_those_of_a_recount() {
    for seed in [3, 17] {
        let mut world = World::new().await;
        let signe = world.signe().await;
        let mut staff = Staff {
            maja: world.colleague("maja").await,
            idris: world.colleague("idris").await,
        };
        play(&mut world, &signe, &mut staff, &mut Chance(seed)).await;
        let by_day = figures(&world, &world.gate, "2026-12-01").await;
        let by_month = figures(&world, &world.gate, "2026-01-15").await;
        let counted = counted(&world).await;
        assert!(counted.opened >= 4, "{counted:?}");
        assert_same(&by_day, &counted);
        // A year is put together from months, and from days at its beginning.
        assert!(by_month.periods.iter().all(|row| row.period.len() == 7));
        assert_same(&by_month, &counted);
        // Text and CSV say the same.
        let opened = format!(
            "cases,opened,{} to {},{},",
            by_day.from, by_day.to, counted.opened
        );
        assert!(csv(&by_day).contains(&opened), "{}", csv(&by_day));
        assert!(text(&by_day).contains("Rates, with their 95 % intervals"));

        // Another gate that makes everything again, all at once, keeps the very same.
        let kept = world.gate.kept_text().await.unwrap();
        assert!(kept.len() > 20);
        let neighbour = world.another_gate(99).await;
        neighbour.keep_up().await.unwrap();
        assert_eq!(neighbour.kept_text().await.unwrap(), kept_now(&world).await);
        neighbour.keep_anew().await.unwrap();
        let anew = neighbour.kept_text().await.unwrap();
        assert_eq!(anew, kept_now(&world).await);
        assert!(kept.len() <= anew.len());
    }
}

async fn kept_now(world: &World) -> std::collections::BTreeSet<String> {
    world.gate.keep_up().await.unwrap();
    world.gate.kept_text().await.unwrap()
}

#[tokio::test]
async fn two_gates_on_one_store_count_nothing_twice() {
    let mut world = World::new().await;
    let signe = world.signe().await;
    let mut staff = Staff {
        maja: world.colleague("maja").await,
        idris: world.colleague("idris").await,
    };
    let neighbour = world.another_gate(99).await;
    play(&mut world, &signe, &mut staff, &mut Chance(5)).await;
    // What one kept, another goes on from, and so does one that was started in the middle.
    neighbour.keep_up().await.unwrap();
    play(&mut world, &signe, &mut staff, &mut Chance(11)).await;
    world.another_gate(98).await.keep_up().await.unwrap();
    play(&mut world, &signe, &mut staff, &mut Chance(12)).await;
    let (ours, theirs) = tokio::join!(world.gate.keep_up(), neighbour.keep_up());
    ours.unwrap();
    theirs.unwrap();
    let counted = counted(&world).await;
    assert_same(&figures(&world, &neighbour, "2026-12-01").await, &counted);
}

#[tokio::test]
async fn an_erased_customer_stays_in_the_figures_and_nowhere_else() {
    let mut world = World::new().await;
    let signe = world.signe().await;
    let maja = world.colleague("maja").await;
    world.open(&maja, &reinstall(&signe)).await;
    world.hours(49);
    world.gate.settle().await.unwrap();
    let before = figures(&world, &world.gate, "2026-12-01").await;
    assert_eq!((before.totals.opened, before.totals.expired), (1, 1));
    assert_eq!(before.requirements[0].name, "open the link");
    assert_eq!(before.gave_up[0].name, "did not open the link");
    let eraser = world.machine("eraser");
    world.gate.erase_customer(&eraser, &signe).await.unwrap();
    let after = figures(&world, &world.gate, "2026-12-01").await;
    assert_eq!(after.totals, before.totals);
    for line in world.gate.kept_text().await.unwrap() {
        assert!(
            !line.contains("c-1042") && !line.contains("Halden"),
            "{line}"
        );
    }
}

#[tokio::test]
async fn figures_of_an_erased_customer_are_those_of_the_recount_before() {
    let mut world = World::new().await;
    let signe = world.signe().await;
    let mut staff = Staff {
        maja: world.colleague("maja").await,
        idris: world.colleague("idris").await,
    };
    play(&mut world, &signe, &mut staff, &mut Chance(3)).await;
    // Until no request of hers is closed any more.
    world.hours(60 * 24);
    world.gate.settle().await.unwrap();
    let counted = counted(&world).await;
    let eraser = world.machine("eraser");
    world.gate.erase_customer(&eraser, &signe).await.unwrap();
    let after = figures(&world, &world.gate, "2026-11-01").await;
    assert_same(&after, &counted);
    // Whoever goes on from there keeps them; only making everything anew loses what is erased.
    let neighbour = world.another_gate(99).await;
    assert_same(&figures(&world, &neighbour, "2026-11-01").await, &counted);
    neighbour.keep_anew().await.unwrap();
    let anew = figures(&world, &neighbour, "2026-11-01").await;
    assert_eq!(anew.totals.opened, 0);
}

#[tokio::test]
async fn names_are_for_auditors_and_oneself() {
    let mut world = World::new().await;
    let signe = world.signe().await;
    let maja = world.colleague("maja").await;
    let mut idris = world.colleague("idris").await;
    let vera = world.colleague("vera").await;
    let root = world.colleague("root").await;
    for number in 0..5 {
        let mut request = reinstall(&signe);
        request
            .parameters
            .insert("server".to_owned(), format!("web-{number}"));
        let case = world.open(&maja, &request).await.case;
        let seat = world.sit(&maja, &case).await;
        world.proves(&seat, "pin", "482913").await;
        world.proves_mail_code(&seat, "signe@halden.example").await;
        world.confirms(&seat).await;
        world.pass(std::time::Duration::from_secs(40));
        if number == 0 {
            world
                .gate
                .refuse(&idris.staff, &case, "the caller hung up")
                .await
                .unwrap();
        } else {
            world.signs(&mut idris, &case).await.unwrap();
            world.gate.withdraw(&maja.staff, &case).await.unwrap();
        }
    }
    world.gate.keep_up().await.unwrap();
    let query = StatisticsQuery::default();
    let seen = |by: &Colleague| {
        let staff = by.staff.clone();
        let gate = world.gate.clone();
        let query = query.clone();
        async move { gate.statistics(&staff, &query).await }
    };
    let auditor = seen(&vera).await.unwrap();
    assert_eq!(auditor.approvers.len(), 1);
    assert_eq!(auditor.approvers[0].name, "Idris");
    assert_eq!(
        auditor.approvers[0].signed.words,
        "4 of 5: 80 %, between 28.3 % and 99.5 %"
    );
    assert_eq!(auditor.approvers[0].median, Some(40));
    assert_eq!(auditor.own, None);
    let own = seen(&idris).await.unwrap();
    assert!(own.approvers.is_empty());
    assert_eq!(own.own.unwrap().signed.count, 4);
    let agent = seen(&maja).await.unwrap();
    assert!(agent.approvers.is_empty() && agent.own.is_none());
    assert_eq!(agent.vigilance.signed.of, 5);
    assert!(matches!(seen(&root).await, Err(CaseError::NotAllowed(_))));
    let reader = world.machine("reader");
    let program = world.gate.statistics_for(&reader, &query).await.unwrap();
    assert!(program.approvers.is_empty());
    let panel = world.machine("panel");
    assert!(matches!(
        world.gate.statistics_for(&panel, &query).await,
        Err(CaseError::NotAllowed(_))
    ));
}
