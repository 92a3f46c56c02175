//! Drills: a planted case is like any other until it is told, is granted by nobody, and reaches nobody outside.

use std::collections::BTreeMap;

use countersign_cases::{CaseId, EventKind};
use countersign_service::{
    CaseError, CustomerError, DrillError, DrillWish, OpenRequest,
    settings::{ConsoleRole, NewAccount},
    statistics::StatisticsQuery,
};
use serde_json::Value;

use crate::world::{Colleague, World, halden, reinstall};

const LINE: &str = "\ndrill server.reinstall plays fresh_contact, hurried_caller, look_alike asks senior every 60d\n";

async fn world() -> World {
    World::new()
        .await
        .reborn(|settings| {
            settings.procedure.push_str(LINE);
            settings.staff.push(NewAccount {
                account: "head".to_owned(),
                person: "p-idris".to_owned(),
                name: "Idris at the head".to_owned(),
                email: "head@acme.example".to_owned(),
                roles: Vec::new(),
                console: vec![ConsoleRole::Admin],
                concerned: Vec::new(),
                subject: None,
            });
        })
        .await
}

fn wish(scenario: &str) -> DrillWish {
    DrillWish {
        action: "server.reinstall".to_owned(),
        scenario: Some(scenario.to_owned()),
        within_days: 1,
        values: BTreeMap::new(),
    }
}

/// Lets a day pass, as people do things in it; gives the case that then waits for a signature.
async fn a_day(world: &World, by: &Colleague) -> Option<CaseId> {
    for _ in 0..150 {
        world.pass(std::time::Duration::from_mins(10));
        world.gate.settle().await.unwrap();
        let waiting = world.gate.approvals(&by.staff, "").await.unwrap().for_me;
        if let Some(row) = waiting.first() {
            return Some(row.case.clone());
        }
    }
    None
}

async fn planned(world: &World, root: &Colleague, idris: &Colleague, scenario: &str) -> CaseId {
    world
        .gate
        .plan_drill(&root.staff, &wish(scenario))
        .await
        .unwrap();
    a_day(world, idris).await.expect("a case is planted")
}

/// The names of everything in a document, without what stands there; lists by their first element.
fn shape(value: &Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| (name.clone(), shape(value)))
            .collect(),
        Value::Array(items) => items.first().map(shape).into_iter().collect(),
        Value::Null => Value::Null,
        Value::Bool(it) => Value::Bool(*it),
        Value::Number(_) => "number".into(),
        Value::String(_) => "text".into(),
    }
}

#[tokio::test]
async fn whoever_could_be_asked_plans_nothing() {
    let world = world().await;
    let (root, head) = (world.colleague("root").await, world.colleague("head").await);
    let maja = world.colleague("maja").await;
    let plan = async |by: &Colleague, wish: DrillWish| {
        let planned = world.gate.plan_drill(&by.staff, &wish).await;
        planned.map_err(|error| error.code())
    };
    assert_eq!(plan(&maja, wish("fresh_contact")).await, Err("not-allowed"));
    // The same human being as the senior `idris`, from an account without any role.
    assert_eq!(plan(&head, wish("fresh_contact")).await, Err("own-drill"));
    let other = DrillWish {
        action: "email.change".to_owned(),
        ..wish("fresh_contact")
    };
    assert_eq!(plan(&root, other).await, Err("unknown-drill"));
    assert_eq!(plan(&root, wish("already_checked")).await, Err("bad-field"));
    let never = DrillWish {
        within_days: 0,
        ..wish("fresh_contact")
    };
    assert_eq!(plan(&root, never).await, Err("bad-field"));
    let nonsense = DrillWish {
        values: BTreeMap::from([("disk".to_owned(), "all".to_owned())]),
        ..wish("fresh_contact")
    };
    assert_eq!(plan(&root, nonsense).await, Err("bad-field"));
    assert_eq!(plan(&root, wish("fresh_contact")).await, Ok(()));
    let under_way = async |by: &Colleague| {
        let drills = world.gate.drills(&by.staff).await.unwrap();
        drills.under_way
    };
    assert_eq!(under_way(&root).await, Some(1));
    assert_eq!(under_way(&maja).await, None);
    assert_eq!(under_way(&head).await, None, "who could be asked");
    let nobody = world.gate.drills_for(&world.machine("panel")).await;
    assert_eq!(nobody, Err(DrillError::NotAllowed("read")));
}

#[tokio::test]
async fn a_planted_case_is_like_any_other_until_it_is_told() {
    let mut world = world().await;
    let (root, idris) = (
        world.colleague("root").await,
        world.colleague("idris").await,
    );
    let signe = world.signe().await;
    let planted = planned(&world, &root, &idris, "fresh_contact").await;

    // A real one of the same kind, opened by the panel as that was.
    let request = OpenRequest {
        reason: None,
        reference: None,
        ..reinstall(&signe)
    };
    let panel = world.machine("panel");
    let (real, link) = world
        .gate
        .open_case_for_panel(&panel, &request)
        .await
        .unwrap();
    let (_, seat) = world.gate.use_link(link.token.expose()).await.unwrap();
    world.proves(&seat, "pin", "482913").await;
    world.proves_mail_code(&seat, "signe@halden.example").await;
    let digest = world.digest(&seat).await;
    world.gate.confirm(&seat, digest, None).await.unwrap();

    let view = async |case: &CaseId| {
        let view = world.gate.case_view(&idris.staff, case).await.unwrap();
        let mut view = serde_json::to_value(view).unwrap();
        // That of the customer below; what they have is a matter of chance there as here.
        let customer = view["customer"].take();
        let timeline: Vec<Value> = view["timeline"]
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| entry["kind"].clone())
            .collect();
        (shape(&view), shape(&customer), timeline)
    };
    let (ours, their_customer, timeline) = view(&planted).await;
    let (theirs, real_customer, real_timeline) = view(&real.case).await;
    assert_eq!(ours, theirs);
    assert_eq!(timeline, real_timeline);
    let names = |value: &Value| -> Vec<String> {
        let fields = value.as_object().unwrap().keys();
        fields.cloned().collect()
    };
    assert_eq!(names(&their_customer), names(&real_customer));
    // In the list, in the search and in the figures as well.
    let approvals = world.gate.approvals(&idris.staff, "").await.unwrap();
    let rows: Vec<Value> = approvals
        .for_me
        .iter()
        .map(|row| shape(&serde_json::to_value(row).unwrap()))
        .collect();
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[0], rows[1]);
    let view = world.gate.case_view(&idris.staff, &planted).await.unwrap();
    let found = world
        .gate
        .find_customers(&idris.staff, &view.customer.number)
        .await
        .unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(opened(&world, &idris).await, 2);
    // What was planted is there to be seen.
    let fresh = view.customer.contacts.iter().filter(|one| {
        one.changed_at
            .is_some_and(|at| world.gate.now().seconds_since(at) < 40 * 3_600)
    });
    assert_eq!(fresh.count(), 1);
    // A customer of the company never becomes part of it.
    let put = halden("signe@halden.example");
    let taken = world
        .gate
        .put_customer(&panel, &view.customer.id, &put)
        .await;
    assert!(matches!(taken, Err(CustomerError::Field { .. })));

    // Told: to the one who answered, with what there was to notice; and to whoever plans.
    let refused = world
        .gate
        .refuse(&idris.staff, &planted, "the mobile number came today")
        .await;
    refused.unwrap();
    let running = world.gate.drills(&idris.staff).await.unwrap();
    assert_eq!(running.told.len(), 0);
    world.gate.settle().await.unwrap();
    let told = world.gate.drills(&idris.staff).await.unwrap();
    assert_eq!(told.told.len(), 1);
    assert_eq!(told.told[0].noticed, Some(true));
    assert!(told.told[0].notices.contains("contact"));
    assert_eq!(told.told[0].planned_by.as_deref(), Some(root.staff.name()));
    assert_eq!(told.own.unwrap().noticed.words, "1 of 1: above 2.5 %");
    assert_eq!(told.teams.len(), 1);
    assert_eq!(told.teams[0].team, "senior");
    assert!(told.people.is_empty(), "nobody is named under five");
    let others = world.colleague("petra").await;
    let others = world.gate.drills(&others.staff).await.unwrap();
    assert!(others.told.is_empty() && others.own.is_none());
    assert_eq!(others.teams, told.teams);
    // Whoever has no part in it finds nobody any more, and no figure counts it.
    let found = world
        .gate
        .find_customers(&idris.staff, &view.customer.number)
        .await
        .unwrap();
    assert!(found.is_empty());
    assert_eq!(opened(&world, &idris).await, 1);
    let kept = world.gate.kept_text().await.unwrap();
    let neighbour = world.another_gate(99).await;
    neighbour.keep_anew().await.unwrap();
    assert_eq!(neighbour.kept_text().await.unwrap(), kept);
    // The record says so itself, and its mark opens.
    let last = world.gate.case_view(&idris.staff, &planted).await.unwrap();
    assert_eq!(last.timeline.last().unwrap().kind, "drill_told");
}

/// Cases that the statistics count as opened.
async fn opened(world: &World, by: &Colleague) -> u64 {
    world.gate.keep_up().await.unwrap();
    let all = StatisticsQuery::default();
    let figures = world.gate.statistics(&by.staff, &all).await.unwrap();
    figures.totals.opened
}

#[tokio::test]
async fn a_planted_case_that_is_signed_is_granted_by_nobody_and_tells_nobody_outside() {
    let world = world().await;
    let root = world.colleague("root").await;
    let mut idris = world.colleague("idris").await;
    let before = world.mail.mails().len();
    let planted = planned(&world, &root, &idris, "hurried_caller").await;
    let customer = {
        let view = world.gate.case_view(&idris.staff, &planted).await.unwrap();
        assert!(view.reason.unwrap().contains("skip the formalities"));
        view.customer.id
    };
    world.signs(&mut idris, &planted).await.unwrap();
    world.gate.settle().await.unwrap();
    let told = world.gate.drills(&idris.staff).await.unwrap();
    assert_eq!(told.told[0].noticed, Some(false));
    assert_eq!(world.state(&idris, &planted).await, "withdrawn");

    // An agent may open what they like for somebody who does not exist: that is a drill too.
    let maja = world.colleague("maja").await;
    let second = world
        .gate
        .open_case(&maja.staff, &reinstall(&customer))
        .await;
    let second = second.unwrap().case;
    for _ in 0..60 {
        world.hours(2);
        world.gate.settle().await.unwrap();
        for case in [&planted, &second] {
            let ran = world.gate.run(&maja.staff, case).await;
            assert!(matches!(ran, Err(CaseError::Refused(_))), "{ran:?}");
        }
    }
    assert_eq!(world.mail.mails().len(), before, "no letter leaves");
    assert!(world.panel.texts().is_empty());
    assert_eq!(world.panel.ran().len(), 0, "nothing runs");
    let kinds = world.journal.follow(0, usize::MAX).await.unwrap();
    let granted = kinds.iter().filter(|event| event.kind == "case.granted");
    assert_eq!(granted.count(), 0);
    // Who planned it and when is an event; which case it became is not in it.
    let event = kinds
        .iter()
        .find(|event| event.kind == "drill.planned")
        .unwrap();
    assert!(event.data.contains("root") && !event.data.contains(&planted.0));
}

#[tokio::test]
async fn the_procedures_own_drills_come_by_themselves_and_unanswered_ones_count_for_nobody() {
    let world = world().await;
    let idris = world.colleague("idris").await;
    let mut planted = None;
    for _ in 0..130 {
        if planted.is_some() {
            break;
        }
        planted = a_day(&world, &idris).await;
    }
    let planted = planted.expect("within one and a half times its period");
    world.hours(24 * 5);
    world.gate.settle().await.unwrap();
    world.gate.settle().await.unwrap();
    let told = world.gate.drills(&idris.staff).await.unwrap();
    assert!(told.teams.is_empty() && told.own.is_none());
    assert_eq!(world.state(&idris, &planted).await, "expired");
    let root = world.colleague("root").await;
    let all = world.gate.drills(&root.staff).await.unwrap();
    assert_eq!(all.told.len(), 1);
    assert_eq!(all.told[0].answers, (0, 0));
    assert_eq!(all.told[0].planned_by, None);
    assert!(all.may_plan);
    let said = world
        .journal
        .follow(0, usize::MAX)
        .await
        .unwrap()
        .into_iter()
        .filter(|event| event.kind == "case.drill_told");
    for event in said {
        let data: Value = serde_json::from_str(&event.data).unwrap();
        let event: countersign_cases::Event = serde_json::from_value(data["data"].clone()).unwrap();
        assert!(matches!(event.kind, EventKind::DrillTold { .. }));
    }
}
