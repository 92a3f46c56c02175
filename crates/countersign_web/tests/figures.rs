//! The audit log and the statistics as people read them.

use crate::world::{Client, PIN, World, reinstall};

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
