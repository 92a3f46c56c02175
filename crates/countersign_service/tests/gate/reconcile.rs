//! A backend's own log, matched with the grants of a real gate.

use std::time::Duration;

use countersign_cases::{CustomerId, Timestamp};
use countersign_service::adapters::clock::Clock as _;
use countersign_service::adapters::webhooks::WebhookSecrets;
use countersign_service::reconcile::{
    DeliveryError, FeedCounts, LogForm, Mapping, Reconciliation, Taken,
};
use countersign_service::statistics::StatisticsQuery;
use countersign_service::{CustomerError, Gate};
use serde_json::{Value, json};

use crate::world::{AUDIT_SECRET, Colleague, WEBHOOK_SECRET, World, reinstall};

fn mapping() -> Mapping {
    Mapping {
        parameters: [("server".to_owned(), "parameters.server".to_owned())].into(),
        ..Mapping::default()
    }
}

async fn reconciled(world: &World, log: &str) -> Reconciliation {
    let machine = world.machine("reconciler");
    let mut reconciler = world
        .gate
        .reconciler_for(&machine, mapping(), 300)
        .await
        .unwrap();
    reconciler.begin(LogForm::JsonLines);
    reconciler.feed(log.as_bytes());
    reconciler.end();
    reconciler.finish()
}

#[tokio::test]
async fn what_the_backend_ran_is_covered_and_what_somebody_did_past_the_gate_is_not() {
    let mut world = World::new().await;
    let signe = world.signe().await;
    world.attest_backups(&signe).await;
    let maja = world.colleague("maja").await;
    let opened = world.open(&maja, &reinstall(&signe)).await;
    let seat = world.sit(&maja, &opened.case).await;
    world.proves(&seat, "password", "correct horse").await;
    world.proves_passkey(&seat).await;
    world.confirms(&seat).await;
    world.gate.run(&maja.staff, &opened.case).await.unwrap();
    world.gate.settle().await.unwrap();
    let ran = world.panel.ran();
    assert_eq!(ran.len(), 1);
    let at = world.clock.now().0;
    let line = |grant: &str, server: &str| {
        serde_json::json!({
            "at": at, "action": ran[0].action, "customer": ran[0].customer, "grant": grant,
            "parameters": { "server": server },
        })
        .to_string()
    };
    let by_grant = line(&ran[0].jti, &ran[0].parameters["server"]);
    let past_the_gate = by_grant.replace(&ran[0].jti, "");
    let log = format!(
        "{by_grant}\n{}\n",
        past_the_gate.replace("\"grant\":\"\",", "")
    );
    let done = reconciled(&world, &log).await;
    assert_eq!((done.covered, done.uncovered), (1, 1), "{done:?}");
    assert_eq!(done.first_uncovered[0].reason, "used-before");
    // Without the grant's id it is known by what was done, when and for whom.
    let log = log.lines().nth(1).unwrap().to_owned();
    let done = reconciled(&world, &log).await;
    assert_eq!((done.covered, done.uncovered), (1, 0), "{done:?}");

    // What came of it is kept, and stands in the statistics with its true denominator.
    let machine = world.machine("reconciler");
    let kept = world
        .gate
        .keep_reconciliation(&machine, "panel", &done)
        .await
        .unwrap();
    assert_eq!(kept.adherence().of, 1);
    assert!(
        world
            .kinds_of_the_gate()
            .await
            .contains(&"reconciliation.done".to_owned())
    );
    let reader = world.machine("reader");
    let figures = world
        .gate
        .statistics_for(&reader, &StatisticsQuery::default())
        .await
        .unwrap();
    let bar = figures
        .rates
        .iter()
        .find(|bar| bar.name.contains("in the log of panel"))
        .unwrap();
    assert_eq!((bar.rate.count, bar.rate.of), (1, 1));
}

#[tokio::test]
async fn only_the_scope_for_it_reconciles() {
    let world = World::new().await;
    for name in ["panel", "eraser", "backups", "robot", "reader"] {
        let refused = world
            .gate
            .reconciler_for(&world.machine(name), mapping(), 300)
            .await;
        assert!(
            matches!(refused, Err(CustomerError::NotAllowed("reconcile"))),
            "{name}"
        );
        let refused = world
            .gate
            .keep_reconciliation(&world.machine(name), "panel", &Reconciliation::default())
            .await;
        assert!(refused.is_err(), "{name}");
    }
}

/// An event as the panel sends it, signed with this secret at this moment.
async fn delivered(
    gate: &Gate,
    secret: &str,
    sent: Timestamp,
    id: &str,
    event: &str,
) -> Result<Taken, DeliveryError> {
    let secrets = WebhookSecrets::parse([secret]).unwrap();
    let headers = secrets.sign(id, sent, event.as_bytes()).unwrap();
    gate.take_backend_event("panel", &headers, event.as_bytes())
        .await
}

async fn sends(world: &World, id: &str, event: &Value) -> Result<Taken, DeliveryError> {
    let now = world.clock.now();
    delivered(&world.gate, AUDIT_SECRET, now, id, &event.to_string()).await
}

/// A server reinstalled now for the customer of these tests.
fn reinstalled(world: &World, server: &str) -> Value {
    json!({
        "at": world.clock.now().0, "action": "server.reinstall", "customer": "c-1042",
        "parameters": { "server": server },
    })
}

async fn counts(world: &World) -> FeedCounts {
    let machine = world.machine("reconciler");
    let figures = world.gate.feed_figures_for(&machine, None, None).await;
    let figures = figures.unwrap();
    assert_eq!(figures.len(), 1, "only the panel sends events");
    figures[0].counts.clone()
}

async fn alarms(world: &World) -> usize {
    let idris = world.colleague("idris").await;
    world.gate.alarms(&idris.staff).await.unwrap().len()
}

/// A case ready to be run, and who runs it.
async fn ready(world: &mut World) -> (Colleague, countersign_cases::CaseId) {
    let signe = world.signe().await;
    world.attest_backups(&signe).await;
    let maja = world.colleague("maja").await;
    let opened = world.open(&maja, &reinstall(&signe)).await;
    let seat = world.sit(&maja, &opened.case).await;
    world.proves(&seat, "password", "correct horse").await;
    world.proves_passkey(&seat).await;
    world.confirms(&seat).await;
    (maja, opened.case)
}

#[tokio::test]
async fn an_event_counts_once_and_what_nothing_covers_is_an_alarm_after_the_window() {
    let mut world = World::new().await;
    let (maja, case) = ready(&mut world).await;
    world.gate.run(&maja.staff, &case).await.unwrap();
    world.gate.settle().await.unwrap();
    let ran = world.panel.ran();
    let mut event = reinstalled(&world, &ran[0].parameters["server"]);
    event["grant"] = ran[0].jti.clone().into();
    assert_eq!(sends(&world, "e1", &event).await.unwrap(), Taken::Covered);
    // Again, and again under another id, which nobody but the sender is to blame for.
    assert_eq!(sends(&world, "e1", &event).await.unwrap(), Taken::Repeated);
    assert_eq!(sends(&world, "e2", &event).await.unwrap(), Taken::Repeated);
    // The same deed without the grant that is used up, and one for a server that nobody asked about.
    let mut past_the_gate = reinstalled(&world, &ran[0].parameters["server"]);
    past_the_gate["operator"] = "root".into();
    for (id, event) in [("e3", past_the_gate), ("e4", reinstalled(&world, "db-1"))] {
        assert_eq!(sends(&world, id, &event).await.unwrap(), Taken::Waiting);
    }
    let other = json!({ "at": world.clock.now().0, "action": "server.wipe", "customer": "c-1" });
    assert_eq!(sends(&world, "e5", &other).await.unwrap(), Taken::Unknown);
    world.gate.settle().await.unwrap();
    assert_eq!((alarms(&world).await, counts(&world).await.waiting), (0, 2));

    world.pass(Duration::from_secs(301));
    world.gate.settle().await.unwrap();
    world.gate.settle().await.unwrap();
    let done = counts(&world).await;
    assert_eq!((done.covered, done.uncovered, done.waiting), (1, 2, 0));
    assert_eq!((done.repeated, done.unknown, done.unreadable), (2, 1, 0));
    assert_eq!(alarms(&world).await, 2);
    let reader = world.machine("reader");
    let figures = world
        .gate
        .statistics_for(&reader, &StatisticsQuery::default())
        .await
        .unwrap();
    let mut bars = figures.rates.iter();
    let bar = bars.find(|bar| bar.name.contains("that panel sent"));
    assert_eq!(bar.map(|bar| (bar.rate.count, bar.rate.of)), Some((1, 3)));
}

#[tokio::test]
async fn a_case_that_is_finishing_covers_what_came_before_it() {
    let mut world = World::new().await;
    let (maja, case) = ready(&mut world).await;
    // The backend's clock is behind, or its event overtook the grant.
    let signe = CustomerId("c-1042".to_owned());
    let server = reinstall(&signe).parameters["server"].clone();
    let event = reinstalled(&world, &server);
    assert_eq!(sends(&world, "e1", &event).await.unwrap(), Taken::Waiting);
    world.pass(Duration::from_mins(1));
    world.gate.run(&maja.staff, &case).await.unwrap();
    world.pass(Duration::from_mins(5));
    world.gate.settle().await.unwrap();
    let done = counts(&world).await;
    assert_eq!((done.covered, done.uncovered, done.waiting), (1, 0, 0));
    assert_eq!(alarms(&world).await, 0);
}

#[tokio::test]
async fn a_delivery_that_nobody_signed_now_is_refused_and_leaves_nothing() {
    let mut world = World::new().await;
    world.signe().await;
    let now = world.clock.now();
    let event = reinstalled(&world, "web-3").to_string();
    let at = |seconds: i64| Timestamp(now.0 + seconds * 1_000);
    for (what, secret, sent) in [
        ("signed by the gate itself", WEBHOOK_SECRET, now),
        ("too old", AUDIT_SECRET, at(-301)),
        ("of the future", AUDIT_SECRET, at(301)),
    ] {
        let refused = delivered(&world.gate, secret, sent, "e1", &event).await;
        assert!(matches!(refused, Err(DeliveryError::Refused)), "{what}");
    }
    let secrets = WebhookSecrets::parse([AUDIT_SECRET]).unwrap();
    let headers = secrets.sign("e1", now, event.as_bytes()).unwrap();
    let changed = event.replace("web-3", "web-4");
    for (connector, body) in [("panel", &changed), ("dns", &event), ("", &event)] {
        let refused = world
            .gate
            .take_backend_event(connector, &headers, body.as_bytes())
            .await;
        assert!(matches!(refused, Err(DeliveryError::Refused)), "{body}");
    }
    assert_eq!(counts(&world).await, FeedCounts::default());
    // A late one, signed anew, is taken.
    world.hours(20);
    let late: Value = serde_json::from_str(&event).unwrap();
    assert_eq!(sends(&world, "e1", &late).await.unwrap(), Taken::Waiting);
}

#[tokio::test]
async fn what_cannot_be_read_is_counted_and_shown() {
    let world = World::new().await;
    let now = world.clock.now();
    for (id, event) in [
        ("u1", "{"),
        ("u2", ""),
        ("u3", "[]"),
        ("u4", "\u{0}\u{1}"),
        ("u5", "{\"action\":\"server.reinstall\"}"),
        ("u5", "{\"action\":\"server.reinstall\"}"),
    ] {
        let taken = delivered(&world.gate, AUDIT_SECRET, now, id, event).await;
        let again = if id == "u5" && counts(&world).await.repeated > 0 {
            Taken::Repeated
        } else {
            Taken::Unreadable
        };
        assert_eq!(taken.unwrap(), again, "{event}");
    }
    // An id that was another event's hides nothing: it is refused, and counted once.
    for _ in 0..2 {
        let refused = sends(&world, "u1", &reinstalled(&world, "web-3")).await;
        assert!(matches!(refused, Err(DeliveryError::OtherEvent)));
    }
    let shown = counts(&world).await;
    assert_eq!((shown.unreadable, shown.repeated), (6, 1));
    let of: Vec<(&str, &str)> = shown
        .first_unreadable
        .iter()
        .map(|one| (one.id.as_str(), one.reason.as_str()))
        .collect();
    assert_eq!(of[4], ("u5", "it has no `at`"));
    assert_eq!(of[5], ("u1", "its id was that of another event"));
}

#[tokio::test]
async fn two_gates_count_an_event_once_and_many_at_once_are_all_counted() {
    let mut world = World::new().await;
    let (maja, case) = ready(&mut world).await;
    world.gate.run(&maja.staff, &case).await.unwrap();
    world.gate.settle().await.unwrap();
    let neighbour = world.another_gate(99).await;
    let ran = world.panel.ran();
    let mut event = reinstalled(&world, &ran[0].parameters["server"]);
    event["grant"] = ran[0].jti.clone().into();
    let mut twice = event.clone();
    twice["operator"] = "root".into();
    let now = world.clock.now();
    let send = |gate: Gate, id: String, event: String| async move {
        delivered(&gate, AUDIT_SECRET, now, &id, &event)
            .await
            .unwrap()
    };
    let both = tokio::join!(
        send(world.gate.clone(), "e1".to_owned(), event.to_string()),
        send(neighbour.clone(), "e2".to_owned(), twice.to_string()),
    );
    // One grant covers one of the two, whichever came first.
    assert!(
        both == (Taken::Covered, Taken::Waiting) || both == (Taken::Waiting, Taken::Covered),
        "{both:?}"
    );
    let many = (0..200).map(|number| {
        let gate = if number % 2 == 0 {
            &world.gate
        } else {
            &neighbour
        };
        let event = reinstalled(&world, &format!("db-{}", number / 2));
        // Each event to both gates.
        send(gate.clone(), format!("m{}", number / 2), event.to_string())
    });
    let taken = futures_util::future::join_all(many).await;
    let waiting = taken.iter().filter(|one| **one == Taken::Waiting).count();
    assert_eq!((taken.len(), waiting), (200, 100));
    let done = counts(&world).await;
    assert_eq!((done.covered, done.waiting, done.repeated), (1, 101, 100));
}

#[tokio::test]
async fn an_event_that_waits_is_forgotten_with_its_customer() {
    let mut world = World::new().await;
    let signe = world.signe().await;
    let event = reinstalled(&world, "web-3");
    assert_eq!(sends(&world, "e1", &event).await.unwrap(), Taken::Waiting);
    let eraser = world.machine("eraser");
    world.gate.erase_customer(&eraser, &signe).await.unwrap();
    world.pass(Duration::from_secs(301));
    world.gate.settle().await.unwrap();
    let done = counts(&world).await;
    assert_eq!((done.waiting, done.uncovered, done.unknown), (0, 0, 1));
    assert_eq!(alarms(&world).await, 0);
}
