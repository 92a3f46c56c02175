//! A backend's own log, matched with the grants of a real gate.

use countersign_service::CustomerError;
use countersign_service::adapters::clock::Clock as _;
use countersign_service::reconcile::{LogForm, Mapping, Reconciliation};
use countersign_service::statistics::StatisticsQuery;

use crate::world::{World, reinstall};

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
    world.gate.settle().await;
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
