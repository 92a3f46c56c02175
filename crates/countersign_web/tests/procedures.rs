//! The procedures pages on the real router: what staff read, and what odd questions are answered.

use crate::world::{Seen, World};

#[tokio::test]
async fn staff_read_what_is_asked_promised_and_possible() {
    let world = World::new().await;
    let mut maja = world.colleague("maja").await.browser;
    let desk = maja.get("/desk").await;
    let list = maja.follow(&desk, "Procedures").await;
    assert_eq!(list.h1(), "Procedures");
    let action = maja.follow(&list, "Reinstall a server").await;
    assert_eq!(action.h1(), "Reinstall a server");
    assert_eq!(
        action.words(),
        "Erase everything on server and install image to install"
    );
    assert_eq!(pictures(&action), 2, "one for each path");
    assert!(action.text().contains("1 senior support agent signs"));
    let attack = maja.follow(&action, "Password stolen").await;
    assert_eq!(attack.status, 200);
    assert_eq!(pictures(&attack), 1);
    let text = maja.get("/procedures/text").await;
    assert!(
        text.body()
            .contains("<li id=\"L1\">organisation &#34;Acme Hosting&#34;</li>")
    );
}

#[tokio::test]
async fn questions_are_links_that_can_be_kept() {
    let world = World::new().await;
    let mut maja = world.colleague("maja").await.browser;
    let ask = maja.get("/procedures/reach").await;
    assert_eq!(pictures(&ask), 0);
    let found = maja
        .get("/procedures/reach?h.password=on&h.key=on&r.agent=0")
        .await;
    assert!(
        found
            .text()
            .contains("Lost: Every file on a customer's server"),
        "{}",
        found.text()
    );
    assert!(found.body().contains("name=\"h.key\" value=\"on\" checked"));
    assert!(pictures(&found) > 2);
    let found = maja.get("/procedures/reach?h.mailbox=on&r.agent=3").await;
    assert!(found.text().contains("Nothing is lost"));
    let found = maja.get("/procedures/lockout?h.pin=on&h.password=on").await;
    assert!(
        found.text().contains("Locked out of 9 of 9"),
        "{}",
        found.text()
    );
    let found = maja.get("/procedures/lockout?h.key=on").await;
    assert!(found.text().contains("Not locked out of anything"));
}

#[tokio::test]
async fn odd_questions_are_answered_plainly() {
    let world = World::new().await;
    let mut maja = world.colleague("maja").await.browser;
    for (path, status) in [
        ("/procedures/action/server.reinstal", 404),
        ("/procedures/action/%3Cscript%3E", 404),
        ("/procedures/attacks?on=nothing", 404),
        ("/procedures/attacks?on=server_data&n=0", 200),
        (
            "/procedures/attacks?on=server_data&n=99999999999999999999",
            200,
        ),
        ("/procedures/attacks?on=password.reset&n=-1", 200),
        ("/procedures/reach?h.nobody=on&r.nobody=7&x=y", 200),
        (
            "/procedures/reach?r.agent=4000000000&r.senior=two&unread=",
            200,
        ),
        ("/procedures/lockout?h.%F0%9F%94%91=on", 200),
    ] {
        let seen = maja.get(path).await;
        assert_eq!(seen.status, status, "{path}");
        assert!(!seen.body().contains("<script>"), "{path}");
    }
    let many = "h.password=on&".repeat(400);
    let seen = maja.get(&format!("/procedures/reach?{many}")).await;
    assert!(seen.status == 200 || seen.status == 414, "{}", seen.status);
}

#[tokio::test]
async fn nobody_else_reads_them() {
    let world = World::new().await;
    for path in [
        "/procedures",
        "/procedures/action/server.reinstall",
        "/procedures/attacks",
        "/procedures/reach?h.password=on",
        "/procedures/lockout?h.phone=on",
        "/procedures/text",
    ] {
        let seen = world.visitor().look(path).await;
        assert_eq!(seen.status, 303, "{path}");
        assert!(seen.location().unwrap().starts_with("/sign-in?next="));
        let mut auditor = world.colleague("alva").await.browser;
        assert_eq!(auditor.get(path).await.status, 200, "{path}");
    }
}

fn pictures(page: &Seen) -> usize {
    page.body()
        .matches("<svg class=\"dg\" role=\"img\"")
        .count()
}
