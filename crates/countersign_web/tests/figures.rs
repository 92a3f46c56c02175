//! The audit log and the statistics as people read them.

use axum::body::Body;
use axum::http::Request;
use countersign_service::adapters::clock::Clock as _;
use countersign_service::adapters::webhooks::WebhookSecrets;

use crate::world::{AUDIT_SECRET, Client, PIN, Seen, World, reinstall};

/// A case that an agent opened and the customer proved and confirmed; everything kept up with.
async fn busy(world: &World) -> String {
    let mut signe = world.signe().await;
    let mut maja = world.colleague("maja").await;
    let case = world.case_of(&mut maja, &reinstall("c-1042")).await;
    world.sit(&mut maja, &case, &mut signe).await;
    signe.types("pin", PIN).await;
    world.gate.keep_up().await.unwrap();
    case
}

async fn auditor(world: &World) -> Client {
    world.colleague("alva").await.browser
}

#[tokio::test]
async fn an_auditor_finds_an_entry_reads_it_and_takes_the_list_along() {
    let world = World::new().await;
    let case = busy(&world).await;
    let mut alva = auditor(&world).await;
    world.gate.keep_up().await.unwrap();
    let page = alva.get("/audit").await;
    assert_eq!(page.h1(), "Audit log");
    assert!(page.text().contains("Case opened: Reinstall a server"));
    // By case, and what is on can be taken off.
    let page = alva.get(&format!("/audit?case={case}&kind=proved")).await;
    assert!(
        page.text().contains("Proven: support PIN"),
        "{}",
        page.text()
    );
    assert!(!page.text().contains("Case opened"));
    assert!(page.text().contains("Kind: Proved"));
    // One entry whole.
    let row = page.body().split("href=\"/audit/").find_map(|rest| {
        let number = rest.split('"').next()?;
        number.parse::<u64>().ok()
    });
    let entry = alva.get(&format!("/audit/{}", row.unwrap())).await;
    assert!(
        entry
            .text()
            .contains("The record is what its leaf commits to.")
    );
    assert!(entry.text().contains("whose signature was verified"));
    assert!(
        entry.body().contains("&#34;kind&#34;:&#34;proved&#34;"),
        "{}",
        entry.body()
    );
    // Nothing, and days that are none.
    let page = alva.get("/audit?who=nobody").await;
    assert!(page.text().contains("Nothing matches."));
    let page = alva.get("/audit?from=yesterday").await;
    assert!(page.text().contains("A day is written like 2026-11-23"));
    for strange in [
        "/audit?before=x&kind=%00",
        "/audit?who=%2F%2F&case=a%2Fb",
        "/audit/0",
        "/audit/18446744073709551615",
    ] {
        let page = alva.look(strange).await;
        assert!(
            page.status == 200 || page.status == 404,
            "{strange}: {}",
            page.status
        );
    }
    // The file is the list.
    let page = alva.get(&format!("/audit?case={case}")).await;
    let entries = page.body().matches("<th scope=\"row\"").count();
    let fields = [("case", case.as_str())];
    let file = alva.post("/audit/export.jsonl", &fields).await;
    assert_eq!(file.status, 200);
    assert!(file.header("content-disposition").contains("audit.jsonl"));
    assert_eq!(file.body().lines().count(), entries);
    for line in file.body().lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(line["case"], case.as_str());
    }
    for said in ["Halden", "web-3", "disk is full", "c-1042"] {
        assert!(!file.body().contains(said), "`{said}` is in the file");
    }
}

#[tokio::test]
async fn whether_the_log_is_whole_is_asked_for_and_then_said() {
    let world = World::new().await;
    busy(&world).await;
    let mut alva = auditor(&world).await;
    let page = alva.get("/audit/verify").await;
    assert!(page.text().contains("was not looked through yet"));
    let page = alva.press(&page, "Check the whole log now", &[]).await;
    assert!(page.text().contains("is under way"), "{}", page.text());
    world.gate.check_log_if_due().await.unwrap();
    let page = alva.get("/audit/verify").await;
    assert!(page.text().contains("The log is whole."), "{}", page.text());
}

#[tokio::test]
async fn statistics_are_a_page_a_file_and_a_document() {
    let world = World::new().await;
    busy(&world).await;
    let mut maja = world.colleague("maja").await.browser;
    let page = maja.get("/statistics").await;
    assert_eq!(page.h1(), "Statistics");
    assert!(
        page.text().contains("Charts start at 20 cases."),
        "{}",
        page.text()
    );
    let page = maja.get("/statistics?from=2020-01-01&to=2020-02-01").await;
    assert!(page.text().contains("No cases in this period."));
    let file = maja.get("/statistics.csv").await;
    assert!(file.header("content-type").starts_with("text/csv"));
    assert!(
        file.body()
            .starts_with("section,name,of_what,count,of,low,high,")
    );
    let figures = maja.read("/v1/statistics").await.json();
    assert_eq!(figures["totals"]["opened"], 1);
    assert_eq!(figures["proofs"][0]["name"], "support PIN");
    assert_eq!(figures["approvers"], serde_json::json!([]));
    let machine = world.machine("reader").read("/v1/statistics").await;
    assert_eq!(machine.json()["totals"]["opened"], 1);
    assert_eq!(
        world.machine("panel").read("/v1/statistics").await.status,
        403
    );
}

/// A delivery of the panel to this connector's address.
async fn delivers(world: &World, connector: &str, id: &str, event: &str) -> Seen {
    let secrets = WebhookSecrets::parse([AUDIT_SECRET]).unwrap();
    let now = world.clock.now();
    let headers = secrets.sign(id, now, event.as_bytes()).unwrap();
    let request = Request::post(format!("/v1/reconciliations/webhooks/{connector}"))
        .header("content-type", "application/json")
        .header("webhook-id", headers.id)
        .header("webhook-timestamp", headers.timestamp)
        .header("webhook-signature", headers.signature)
        .body(Body::from(event.to_owned()))
        .unwrap();
    world.visitor().send(request).await
}

#[tokio::test]
async fn a_backend_sends_what_it_did_as_it_happens() {
    let world = World::new().await;
    busy(&world).await;
    let event = serde_json::json!({
        "at": world.clock.now().0, "action": "server.reinstall", "customer": "c-1042",
        "parameters": { "server": "web-3" },
    })
    .to_string();
    let taken = delivers(&world, "panel", "e1", &event).await;
    assert_eq!(
        (taken.status, taken.json()["outcome"].clone()),
        (200, "waiting".into())
    );
    let again = delivers(&world, "panel", "e1", &event).await;
    assert_eq!(again.json()["outcome"], "repeated");
    let unreadable = delivers(&world, "panel", "e2", "{").await;
    assert_eq!(
        (unreadable.status, unreadable.json()["outcome"].clone()),
        (200, "unreadable".into())
    );
    let other = delivers(&world, "panel", "e2", &event).await;
    assert_eq!(
        (other.status, other.code().as_str()),
        (409, "webhook-id-used")
    );
    // One answer for whatever is wrong with a sender.
    let unknown = delivers(&world, "dns", "e3", &event).await;
    let unsigned = Request::post("/v1/reconciliations/webhooks/panel")
        .header("content-type", "application/json")
        .body(Body::from(event.clone()))
        .unwrap();
    let unsigned = world.visitor().send(unsigned).await;
    for refused in [&unknown, &unsigned] {
        assert_eq!(
            (refused.status, refused.code().as_str()),
            (401, "webhook-refused")
        );
        assert_eq!(refused.json()["detail"], unknown.json()["detail"]);
    }
    let large = delivers(&world, "panel", "e4", &" ".repeat(65 << 10)).await;
    assert_eq!(
        (large.status, large.code().as_str()),
        (413, "body-too-large")
    );

    world.minutes(6);
    world.settle().await;
    let came_to = world
        .machine("reconciler")
        .read("/v1/reconciliations")
        .await;
    let events = came_to.json()["events"][0].clone();
    assert_eq!(events["connector"], "panel");
    assert_eq!(
        (events["uncovered"].as_u64(), events["unreadable"].as_u64()),
        (Some(1), Some(2))
    );
    assert_eq!(events["first_unreadable"][0]["id"], "e2");
    assert!(!came_to.body().contains("c-1042"), "{}", came_to.body());
    assert_eq!(
        world
            .machine("panel")
            .read("/v1/reconciliations")
            .await
            .status,
        403
    );
    // People see it where they look: the alarm, and the rates.
    let mut idris = world.colleague("idris").await.browser;
    let page = idris.get("/incidents").await;
    assert!(
        page.text().contains("no case was granted that covers it"),
        "{}",
        page.text()
    );
    let page = idris.get("/statistics").await;
    assert!(
        page.text()
            .contains("Events that panel sent and nobody can read"),
        "{}",
        page.text()
    );
}
