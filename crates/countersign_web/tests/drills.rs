//! Drills as people read and plan them, without a script.

use serde_json::json;

use crate::world::World;

const LINE: &str = "\ndrill server.reinstall plays hurried_caller asks senior every 60d\n";

#[tokio::test]
async fn a_drill_is_planned_on_a_page_answered_like_a_case_and_told() {
    let world = World::with(|settings| settings.procedure.push_str(LINE)).await;
    let mut root = world.colleague("root").await.browser;
    let mut idris = world.colleague("idris").await;
    let page = root.get("/drills").await;
    assert_eq!(page.h1(), "Drills");
    let page = root
        .press(&page, "Plan this drill", &[("within_days", "0")])
        .await;
    assert_eq!(page.status, 422);
    let page = root
        .press(
            &page,
            "Plan this drill",
            &[("within_days", "1"), ("value.server", "web-77")],
        )
        .await;
    assert!(
        page.text().contains("The drill is planned."),
        "{}",
        page.text()
    );
    assert!(page.text().contains("One drill is planned or runs now"));

    let mut waiting = Vec::new();
    for _ in 0..200 {
        world.minutes(10);
        world.settle().await;
        let list = idris.browser.read("/v1/cases?show=waiting").await.json();
        if let Some(rows) = list["cases"].as_array().filter(|rows| !rows.is_empty()) {
            waiting.clone_from(rows);
            break;
        }
    }
    let case = waiting[0]["id"].as_str().unwrap().to_owned();
    let page = idris.browser.get(&format!("/approvals/{case}")).await;
    assert!(page.text().contains("web-77"));
    assert!(page.text().contains("skip the formalities"));
    for path in [format!("/approvals/{case}"), "/drills".to_owned()] {
        let page = idris.browser.get(&path).await;
        assert!(!page.body().contains("A caller in a hurry: told"), "{path}");
    }
    // Nobody who could be asked plans one; nor does anybody without the role.
    let wish = json!({ "action": "server.reinstall", "within_days": 1 });
    assert_eq!(
        idris.browser.call("POST", "/v1/drills", &wish).await.status,
        403
    );

    let refused = idris
        .browser
        .call(
            "POST",
            &format!("/v1/cases/{case}/refuse"),
            &json!({ "reason": "they are in a hurry, and I am not" }),
        )
        .await;
    assert_eq!(refused.status, 200);
    world.settle().await;
    let page = idris.browser.get("/drills").await;
    assert!(page.text().contains("You refused it."), "{}", page.text());
    assert!(page.text().contains("make that call"));
    assert!(page.text().contains("1 of 1"));
    let drills = world.machine("reader").read("/v1/drills").await.json();
    assert_eq!(drills["teams"][0]["noticed"]["count"], 1);
    assert_eq!(drills["told"], json!([]));
    assert_eq!(drills["own"], json!(null));
    assert_eq!(world.ran(), 0);
    assert_eq!(world.machine("panel").read("/v1/drills").await.status, 403);
}
