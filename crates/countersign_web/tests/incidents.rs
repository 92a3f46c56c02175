//! Incidents on the pages: opened from a case, told to the public, and read by anybody.

use countersign_cases::{CustomerId, Timestamp};
use countersign_service::{NewAlarm, UNCOVERED};
use serde_json::json;

use crate::world::{Client, World, reinstall};

async fn raises(world: &World) -> String {
    let alarm = NewAlarm {
        kind: UNCOVERED.to_owned(),
        at: Timestamp(world.gate.now().0 - 600_000),
        action: "server.reinstall".to_owned(),
        customer: Some(CustomerId("c-1042".to_owned())),
        connector: Some("panel".to_owned()),
        detail: "the panel's own log names no grant".to_owned(),
        mark: "line 7".to_owned(),
    };
    world
        .gate
        .raise_alarms("reconcile", &[alarm])
        .await
        .unwrap()
        .remove(0)
}

/// Opened from an alarm by Idris; gives its address.
async fn opened(world: &World, idris: &mut Client) -> String {
    let alarm = raises(world).await;
    let title = [("title", "A server was erased without a case")];
    let opened = idris
        .post(&format!("/alarms/{alarm}/incident"), &title)
        .await;
    let at = opened.location().unwrap();
    assert_eq!(idris.get(&at).await.h1(), title[0].1);
    at
}

#[tokio::test]
async fn a_senior_works_on_an_incident_and_a_second_one_publishes() {
    let world = World::with(|settings| {
        settings.procedure.push_str(
            "promise \"A fooled agent erases no server\" {\n  even if any agent deceived\n  never server_data\n}\n",
        );
    })
    .await;
    world.signe().await;
    let mut idris = world.colleague("idris").await;
    let mut petra = world.colleague("petra").await;
    let at = opened(&world, &mut idris.browser).await;
    let page = idris.browser.get(&at).await;
    assert!(
        page.text()
            .contains("No case covers this action: server.reinstall")
    );
    assert!(page.text().contains("Halden Freight AB"), "{}", page.text());

    // A form that is wrong comes back with what was typed.
    let page = idris
        .browser
        .press(
            &page,
            "Add the line",
            &[
                ("when", "2030-01-01T10:00"),
                ("text", "typed before"),
                ("source", "a call"),
            ],
        )
        .await;
    assert_eq!(page.status, 422);
    assert!(page.body().contains("typed before"));
    assert!(
        page.body().contains("It has not happened yet"),
        "{}",
        page.text()
    );
    let page = idris
        .browser
        .press(
            &page,
            "Add the line",
            &[
                ("when", "2026-11-23T09:00"),
                ("text", "The customer called"),
                ("source", "a call"),
            ],
        )
        .await;
    assert!(
        page.text().contains("The customer called"),
        "{}",
        page.text()
    );
    let marked = idris
        .browser
        .post(
            &format!("{at}/change/mark"),
            &[
                ("customer", "c-1042"),
                ("standing", "affected"),
                ("reason", "her server answers with a fresh image"),
            ],
        )
        .await;
    assert_eq!(marked.status, 303);
    let page = idris.browser.get(&at).await;
    assert!(
        page.text().contains("Affected. Idris: her server"),
        "{}",
        page.text()
    );
    let next = world.gate.now().plus_seconds(3_600);
    let next = countersign_web::present::iso(next);
    let update = [
        ("headline", "A server was erased <b>"),
        ("phase", "found"),
        ("text", "The door is shut."),
        ("next_at", &next[..16]),
    ];
    let told = idris
        .browser
        .post(&format!("{at}/change/update"), &update)
        .await;
    assert_eq!(told.status, 303);
    let page = idris.browser.get(&at).await;
    assert_eq!(page.status, 200, "{}", page.text());

    // The statement: what tells a wrong number is not handed in.
    let statement = format!("{at}/statement");
    let hand_in = |revision: &'static str, blog: &'static str| {
        [
            ("revision", revision),
            ("blog", blog),
            ("mail", ""),
            ("chars_500", ""),
            ("chars_280", ""),
            ("do", "submit"),
        ]
    };
    let wrong = hand_in("0", "We erased the files of three customers.");
    let page = idris.browser.post(&statement, &wrong).await;
    assert_eq!(page.status, 422);
    assert!(page.text().contains("not handed in"), "{}", page.text());
    let stale = idris.browser.post(&statement, &hand_in("0", "Stale")).await;
    assert_eq!(stale.status, 422);
    assert!(stale.text().contains("Somebody else saved it"));
    let right = hand_in(
        "1",
        "We erased the files of {{customers_affected}} customer. We are sorry.",
    );
    let taken = idris.browser.post(&statement, &right).await;
    assert_eq!(taken.status, 303);
    let page = idris.browser.get(&statement).await;
    assert!(
        page.text()
            .contains("Whoever wrote the statement does not sign it"),
        "{}",
        page.text()
    );
    let page = petra.browser.get(&format!("{at}/statement")).await;
    let page = petra.browser.use_passkey(&page, &mut petra.passkey).await;
    assert!(page.text().contains("Version 1"), "{}", page.text());

    // Anybody reads it, and nothing of anybody in it.
    let mut visitor = world.visitor();
    let status = visitor.get("/status").await;
    assert_eq!(status.h1(), "Something is not right");
    assert_eq!(status.header("cache-control"), "public, max-age=60");
    assert!(status.header("set-cookie").is_empty());
    let public = visitor.get(&at.replace("/incidents/", "/status/")).await;
    assert!(public.text().contains("We erased the files of 1 customer."));
    for said in [
        "Halden",
        "c-1042",
        "Idris",
        "Petra",
        "fresh image",
        "called",
    ] {
        assert!(!public.text().contains(said), "{said}");
        assert!(!status.text().contains(said), "{said}");
    }
    let feed = visitor.get("/status/feed.atom").await;
    assert_eq!(
        feed.header("content-type"),
        "application/atom+xml; charset=utf-8"
    );
    assert!(
        feed.body().contains("A server was erased &lt;b&gt;"),
        "{}",
        feed.body()
    );
    assert_eq!(feed.body().matches("<entry>").count(), 2);
    let machine = visitor.read("/v1/status").await.json();
    assert_eq!(machine["current"][0]["statements"][0]["version"], 1);

    // Letters, and a reason for closing it, from pages as well.
    let page = idris.browser.get(&format!("{at}/letters")).await;
    let page = idris.browser.press(&page, "Send to 1 customer", &[]).await;
    assert!(page.text().contains("Sent"), "{}", page.text());
    let page = idris.browser.get(&format!("{at}/close")).await;
    assert!(
        page.text()
            .contains("Whoever opened the incident does not sign this")
    );
    let page = petra.browser.get(&format!("{at}/close")).await;
    assert!(
        page.text().contains("Kept now, and kept then"),
        "{}",
        page.text()
    );
}

#[tokio::test]
async fn an_incident_is_opened_from_a_case_by_who_may() {
    let world = World::new().await;
    world.signe().await;
    let mut maja = world.colleague("maja").await;
    let mut idris = world.colleague("idris").await;
    let case = world.case_of(&mut maja, &reinstall("c-1042")).await;
    let page = maja.browser.get(&format!("/cases/{case}")).await;
    assert!(!page.has_button("Open an incident"));
    let refused = maja
        .browser
        .post(
            &format!("/cases/{case}/incident"),
            &[("title", "Something")],
        )
        .await;
    assert_eq!(refused.status, 403);
    let page = idris.browser.get(&format!("/cases/{case}")).await;
    let page = idris.browser.press(&page, "Open an incident", &[]).await;
    assert!(
        page.text().contains("Reinstall a server: "),
        "{}",
        page.text()
    );
    assert!(page.text().contains(&format!("case {case}")));
    let mut alva = world.colleague("alva").await.browser;
    let list = alva.get("/incidents").await;
    assert!(list.text().contains(&case) && !list.has_button("Open it"));
    for strange in [
        "/incidents/IN-000000",
        "/incidents/..%2Fx",
        "/status/IN-000000",
    ] {
        assert_eq!(idris.browser.get(strange).await.status, 404, "{strange}");
    }
    let wrong = idris.browser.post("/incidents", &[("title", "x")]).await;
    assert_eq!(wrong.status, 422);
    let nothing = idris
        .browser
        .post("/incidents", &[("title", "Some title"), ("alarm", "zz")])
        .await;
    assert_eq!(nothing.status, 404);
}

#[tokio::test]
async fn the_api_does_the_same_once() {
    let world = World::new().await;
    world.signe().await;
    let mut idris = world.colleague("idris").await.browser;
    let mut maja = world.colleague("maja").await.browser;
    let new = json!({ "title": "Servers erased" });
    assert_eq!(maja.call("POST", "/v1/incidents", &new).await.status, 403);
    let opened = idris.call("POST", "/v1/incidents", &new).await;
    assert_eq!(opened.status, 201, "{}", opened.text());
    let at = format!("/v1/incidents/{}", opened.json()["id"].as_str().unwrap());
    let mark = json!({ "customer": "c-1042", "standing": "affected", "reason": "her server is empty now" });
    assert_eq!(
        idris
            .call("POST", &format!("{at}/marks"), &mark)
            .await
            .status,
        200
    );
    let view = idris.read(&at).await.json();
    assert_eq!(view["facts"]["customers_affected"], 1);
    assert_eq!(
        idris.read(&format!("{at}/facts")).await.json()["fields"]["customers_affected"],
        1
    );
    for (path, body, status, code) in [
        (
            "marks",
            json!({ "customer": "c-1042", "standing": "perhaps", "reason": "who knows it" }),
            422,
            "invalid-field",
        ),
        (
            "marks",
            json!({ "customer": "c-9", "standing": "unknown", "reason": "who knows it" }),
            422,
            "unknown-customer",
        ),
        ("tasks/7", json!({ "state": "done" }), 422, "unknown-task"),
        (
            "updates",
            json!({ "headline": "It is over", "phase": "found" }),
            422,
            "invalid-field",
        ),
        (
            "scope",
            json!({ "cases": ["CS-000000"] }),
            422,
            "unknown-case",
        ),
        (
            "statement/submit",
            json!({ "revision": 0 }),
            422,
            "statement-facts",
        ),
        (
            "statement/submit",
            json!({ "revision": 3 }),
            409,
            "incident-changed",
        ),
        ("statement/sign/start", json!({}), 409, "nothing-submitted"),
        (
            "close",
            json!({ "promise": "All is well" }),
            422,
            "unknown-promise",
        ),
        (
            "close/start",
            json!({ "reason": "no promise is needed" }),
            403,
            "own-incident",
        ),
        (
            "lines",
            json!({ "when_ms": 1, "text": "x y z", "source": "a call", "by": "me" }),
            422,
            "unknown-field",
        ),
    ] {
        let said = idris.call("POST", &format!("{at}/{path}"), &body).await;
        assert_eq!(
            (said.status, said.code().as_str()),
            (status, code),
            "{path} {body}"
        );
    }
    let nowhere = idris
        .call("POST", "/v1/incidents/IN-000000/marks", &mark)
        .await;
    assert_eq!(nowhere.status, 404);
}

#[tokio::test]
async fn anybody_subscribes_and_leaves_and_no_answer_tells_who_did() {
    let world = World::new().await;
    let mut visitor = world.visitor();
    let page = visitor.get("/status").await;
    assert_eq!(page.h1(), "Everything works");
    let asked = visitor
        .press(
            &page,
            "Send me updates",
            &[("address", "ada@reader.example")],
        )
        .await;
    assert_eq!(
        (asked.status, asked.h1().as_str()),
        (200, "Look in your mailbox")
    );
    let wrong = visitor
        .press(&page, "Send me updates", &[("address", "ada at reader")])
        .await;
    assert_eq!(wrong.status, 422);
    assert!(wrong.body().contains("ada at reader"));
    world.settle().await;
    let letter = world
        .mail
        .mails_to("ada@reader.example")
        .pop()
        .unwrap()
        .text();
    let confirm = letter
        .split("/status/confirm/")
        .nth(1)
        .unwrap()
        .split_whitespace()
        .next()
        .unwrap();
    // Looking at the link, as mail scanners do, changes nothing.
    let look = visitor.get(&format!("/status/confirm/{confirm}")).await;
    let done = visitor.press(&look, "Yes, send me updates", &[]).await;
    assert_eq!(done.h1(), "You get updates now");
    let again = visitor
        .post(&format!("/status/confirm/{confirm}"), &[])
        .await;
    assert_eq!(again.h1(), "This link is used up");

    // The answer to somebody who is subscribed, and to somebody who is not, is the same.
    let bare = |body: &str| {
        let without = |text: &str, from: &str| -> String {
            text.split(from)
                .enumerate()
                .map(|(at, part)| match at {
                    0 => part.to_owned(),
                    _ => part
                        .split_once('"')
                        .map_or(part, |(_, rest)| rest)
                        .to_owned(),
                })
                .collect()
        };
        without(body, "name=\"idempotency_key\" value=\"")
    };
    let known = visitor
        .post("/status/subscribe", &[("address", "ada@reader.example")])
        .await;
    let stranger = visitor
        .post("/status/subscribe", &[("address", "eve@reader.example")])
        .await;
    assert_eq!(bare(known.body()), bare(stranger.body()));

    // A mail program leaves for its reader, with the body of RFC 8058; whatever the link, the answer is the same.
    let mut petra = world.colleague("petra").await;
    let new = json!({ "title": "Servers erased" });
    let id = petra
        .browser
        .call("POST", "/v1/incidents", &new)
        .await
        .json()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let update = json!({ "headline": "Servers were erased", "phase": "over" });
    petra
        .browser
        .call("POST", &format!("/v1/incidents/{id}/updates"), &update)
        .await;
    world.settle().await;
    let news = world.mail.mails_to("ada@reader.example").pop().unwrap();
    assert_eq!(
        news.header("List-Unsubscribe-Post").unwrap(),
        "List-Unsubscribe=One-Click"
    );
    let leave = news
        .text()
        .split("/status/leave/")
        .nth(1)
        .unwrap()
        .split_whitespace()
        .next()
        .unwrap()
        .to_owned();
    let click = [("List-Unsubscribe", "One-Click")];
    let left = visitor
        .post(&format!("/status/leave/{leave}"), &click)
        .await;
    let never = visitor
        .post(
            "/status/leave/cs_status_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            &click,
        )
        .await;
    assert_eq!((left.status, bare(left.body())), (200, bare(never.body())));
    // Too many from one network.
    let mut last = 200;
    for _ in 0..6 {
        last = visitor
            .post("/status/subscribe", &[("address", "x@reader.example")])
            .await
            .status;
    }
    assert_eq!(last, 429);
}
