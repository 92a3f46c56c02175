//! Bad input: each refused with its own word, and nothing told that the asker may not know.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, header};
use countersign_web::routes::{Verb, routes};
use futures_util::StreamExt as _;
use serde_json::{Value, json};

use crate::world::{
    Client, MAILBOX, ORIGIN, PASSWORD, PIN, Seen, World, change_email, reinstall,
    without_parameters,
};

/// One line of what was refused and how.
fn word(seen: &Seen) -> (u16, String, String) {
    (seen.status, seen.code(), seen.field())
}

fn expect(seen: &Seen, status: u16, code: &str, field: &str) {
    assert_eq!(
        word(seen),
        (status, code.to_owned(), field.to_owned()),
        "{}: {}",
        seen.path,
        seen.text()
    );
}

#[tokio::test]
async fn a_wrong_body_is_refused_by_name() {
    let world = World::new().await;
    let signe = world.signe().await;
    let mut maja = world.colleague("maja").await;
    let with = |name: &str, value: Value| {
        let mut body = reinstall(&signe.id);
        match name.split_once('.') {
            Some((outer, inner)) => body[outer][inner] = value,
            None => body[name] = value,
        }
        body
    };
    for (body, status, code, field) in [
        (
            with("aproved", json!(true)),
            422,
            "unknown-field",
            "aproved",
        ),
        (
            json!({ "customer": "c-1042" }),
            422,
            "missing-field",
            "action",
        ),
        (
            with("customer", json!(1042)),
            422,
            "invalid-field",
            "customer",
        ),
        (
            with("parameters.server", json!(["web-3"])),
            422,
            "invalid-field",
            "parameters.server",
        ),
        (
            with("parameters", json!("web-3")),
            422,
            "invalid-field",
            "parameters",
        ),
        (
            with("parameters.disk", json!("sda")),
            422,
            "parameter-unknown",
            "parameters.disk",
        ),
        (
            with("parameters.server", json!("")),
            422,
            "parameter-missing",
            "parameters.server",
        ),
        (
            with("parameters.server", json!("x".repeat(2_000))),
            422,
            "parameter-too-long",
            "parameters.server",
        ),
        (
            with("parameters.server", json!("web\u{202e}-3")),
            422,
            "parameter-unreadable",
            "parameters.server",
        ),
        (
            with("action", json!("server.explode")),
            422,
            "unknown-action",
            "action",
        ),
        (
            with("reason", json!("short")),
            422,
            "reason-too-short",
            "reason",
        ),
        (
            with("reason", json!("x".repeat(501))),
            422,
            "reason-too-long",
            "reason",
        ),
        (
            with("customer", json!("nobody")),
            422,
            "unknown-customer",
            "customer",
        ),
    ] {
        let seen = maja.browser.call("POST", "/v1/cases", &body).await;
        expect(&seen, status, code, field);
    }
    // For the panel: only where the configuration allows.
    let mut panel = world.machine("panel");
    for evil in [
        "https://panel.acme.example.evil/",
        "https://evil.example/",
        "javascript:alert(1)",
        "//evil.example",
        "https://panel.acme.example@evil.example/",
    ] {
        let seen = panel
            .call("POST", "/v1/cases", &with("return_to", json!(evil)))
            .await;
        expect(&seen, 422, "return-to-not-allowed", "return_to");
    }
    // Every route that takes JSON refuses what is none, and what says it is something else.
    for route in routes() {
        let takes = route
            .operation
            .as_ref()
            .is_some_and(|operation| operation.takes.is_some());
        // Where a signature covers the bytes, it is looked at before them.
        if !takes || route.door == countersign_web::routes::Door::Checker {
            continue;
        }
        let path = route
            .path
            .replace("{case}", "CS-7F3K9Q")
            .replace("{task}", "1")
            .replace("{customer}", "c-1042")
            .replace("{holding}", "pin")
            .replace("{token}", "x");
        let backups = path.ends_with("/backups");
        let mut caller = match route.door {
            countersign_web::routes::Door::Machine if backups => world.machine("backups"),
            countersign_web::routes::Door::Machine => world.machine("customers"),
            _ => maja.browser.clone(),
        };
        for (kind, body, status, code) in [
            ("application/json", "{", 400, "not-json"),
            ("application/json", "", 400, "not-json"),
            ("application/json", "{} {}", 400, "not-json"),
            ("text/plain", "{}", 415, "wrong-content-type"),
            (
                "application/x-www-form-urlencoded",
                "a=b",
                415,
                "wrong-content-type",
            ),
            (
                "application/json",
                "{\"no_such_field\":1}",
                422,
                "unknown-field",
            ),
        ] {
            let request = Request::builder()
                .method(route.verb.name())
                .uri(&path)
                .header(header::CONTENT_TYPE, kind)
                .body(Body::from(body))
                .unwrap();
            let seen = caller.send(request).await;
            // Serde names the first mistake it meets; with an empty object that is a field that is missing.
            let code = if body == "{} {}" && seen.code() == "missing-field" {
                "missing-field"
            } else {
                code
            };
            let status = if code == "missing-field" { 422 } else { status };
            assert_eq!(
                (seen.status, seen.code().as_str()),
                (status, code),
                "{path} {kind} {body}: {}",
                seen.text()
            );
        }
    }
}

#[tokio::test]
async fn what_is_too_large_or_too_slow_is_cut_off() {
    let world = World::new().await;
    world.signe().await;
    let mut maja = world.colleague("maja").await;
    let large = json!({ "customer": "x".repeat(70_000) });
    let seen = maja.browser.call("POST", "/v1/cases", &large).await;
    expect(&seen, 413, "body-too-large", "");
    let page = maja
        .browser
        .post("/cases/new/check", &[("reason", &"x".repeat(70_000))])
        .await;
    assert_eq!(page.status, 413);
    assert!(page.is_page(), "a browser gets a page");

    // An endless body ends at the limit, without waiting for its end.
    let chunks = futures_util::stream::repeat_with(|| Ok::<_, std::io::Error>(vec![b' '; 8_192]));
    let request = Request::post("/v1/cases")
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from_stream(chunks))
        .unwrap();
    let seen = maja.browser.send(request).await;
    expect(&seen, 413, "body-too-large", "");
}

/// Takes its ten seconds: what is tested is the clock on the wall.
#[tokio::test]
async fn a_body_that_trickles_is_cut_off_after_ten_seconds() {
    use axum::extract::FromRequest as _;
    use countersign_web::body::{Form, Json, LONGEST};
    let trickle = || {
        let drops = futures_util::stream::unfold((), async |()| {
            tokio::time::sleep(Duration::from_secs(1)).await;
            Some((Ok::<_, std::io::Error>(b" ".to_vec()), ()))
        });
        Body::from_stream(drops.boxed())
    };
    let request = |kind: &str| {
        Request::post("/v1/cases")
            .header(header::CONTENT_TYPE, kind)
            .body(trickle())
            .unwrap()
    };
    let before = std::time::Instant::now();
    let (json, form) = tokio::join!(
        Json::<Value>::from_request(request("application/json"), &()),
        Form::<Value>::from_request(request("application/x-www-form-urlencoded"), &()),
    );
    let (json, form) = (json.unwrap_err(), form.unwrap_err());
    assert_eq!((json.status, &*json.code), (408, "body-too-slow"));
    assert!(before.elapsed() >= LONGEST && before.elapsed() < LONGEST * 2);
    assert_eq!(&*form.code, "body-too-slow");
}

#[tokio::test]
async fn wrong_methods_addresses_and_queries() {
    let world = World::new().await;
    let signe = world.signe().await;
    let mut maja = world.colleague("maja").await;
    let case = world.case_of(&mut maja, &reinstall(&signe.id)).await;
    let mut browser = maja.browser.clone();
    for (method, path, status, code) in [
        ("GET", "/v1/nothing", 404, "nothing-here"),
        ("POST", "/v1/../v1/nothing", 404, "nothing-here"),
        ("GET", "/v1/cases/CS-AAAAAA", 404, "nothing-here"),
        ("GET", "/v1/cases/not-a-case", 404, "nothing-here"),
        ("GET", "/v1/cases/%FF%FE", 404, "nothing-here"),
        (
            "GET",
            "/v1/cases/..%2f..%2fetc%2fpasswd",
            404,
            "nothing-here",
        ),
        ("DELETE", "/v1/cases", 405, "wrong-method"),
        ("PUT", "/v1/sign-out", 405, "wrong-method"),
        ("GET", "/v1/sign-in/start", 405, "wrong-method"),
        ("GET", "/v1/cases?show=everybody", 422, "invalid-field"),
        ("GET", "/v1/cases?limit=1000000", 422, "unknown-field"),
        ("GET", "/ledger/tile/../../etc/passwd", 404, "nothing-here"),
        ("GET", "/ledger/tile/0/999", 404, "nothing-here"),
        ("GET", "/assets/..%2fCargo.toml", 404, "nothing-here"),
    ] {
        let seen = browser.call(method, path, &Value::Null).await;
        assert_eq!(
            (seen.status, seen.code().as_str()),
            (status, code),
            "{method} {path}: {}",
            seen.text()
        );
        assert_eq!(
            seen.header("content-type"),
            "application/problem+json",
            "{path}"
        );
    }
    let wrong = browser.call("PUT", "/sign-out", &Value::Null).await;
    assert_eq!(wrong.header("allow"), "POST");
    // For a browser the same is a page, in its own words.
    for (path, status) in [
        ("/nothing", 404),
        ("/cases/CS-AAAAAA", 404),
        ("/cases/%FF", 404),
        ("/customers/nobody", 404),
    ] {
        let page = browser.look(path).await;
        assert_eq!((page.status, page.is_page()), (status, true), "{path}");
        assert_eq!(page.h1(), "There is nothing here", "{path}");
    }
    // `HEAD` is answered like `GET`, without a body, wherever `GET` is.
    for route in routes() {
        if route.verb != Verb::Get || route.path.ends_with("/events") {
            continue;
        }
        let path = route
            .path
            .replace("{case}", &case)
            .replace(
                "{id}",
                if route.path.contains("customers") {
                    "c-1042"
                } else {
                    &case
                },
            )
            .replace("{customer}", "c-1042")
            .replace("{token}", "x")
            .replace("{way}", "pin")
            .replace("{file}", "nothing")
            .replace("{*path}", "0/000");
        let head = Request::head(&path).body(Body::empty()).unwrap();
        let head = browser.send(head).await;
        let get = browser.look(&path).await;
        assert!(head.bytes.is_empty(), "{path}");
        assert_eq!(head.status, get.status, "{path}");
    }
}

#[tokio::test]
async fn a_form_of_another_site_is_refused() {
    let world = World::new().await;
    let mut signe = world.signe().await;
    let mut maja = world.colleague("maja").await;
    let mut idris = world.colleague("idris").await;
    let case = world.case_of(&mut maja, &reinstall(&signe.id)).await;
    world.sit(&mut maja, &case, &mut signe).await;
    for route in routes() {
        if route.verb != Verb::Post {
            continue;
        }
        let path = route
            .path
            .replace("{case}", &case)
            .replace("{id}", &case)
            .replace("{customer}", "c-1042")
            .replace("{token}", "x")
            .replace("{holding}", "key")
            .replace("{way}", "pin");
        for (name, value) in [
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
            ("origin", "https://evil.example"),
            ("origin", "https://evil.support.acme.example"),
            ("origin", "http://support.acme.example.evil.example"),
            ("origin", "null"),
        ] {
            for browser in [&mut idris.browser, &mut signe.browser] {
                let request = Request::post(&path)
                    .header(name, value)
                    .header(header::ACCEPT, "application/json")
                    .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                    .body(Body::from("reason=a+reason+that+is+long&secret=482913"))
                    .unwrap();
                let seen = browser.send(request).await;
                expect(&seen, 403, "cross-site", "");
            }
        }
    }
    // A page says so, and offers nothing to go on with.
    let request = Request::post(format!("/cases/{case}/withdraw"))
        .header("sec-fetch-site", "cross-site")
        .header(header::ACCEPT, "text/html")
        .body(Body::empty())
        .unwrap();
    let page = maja.browser.send(request).await;
    assert_eq!(page.h1(), "This form came from somewhere else");
    assert_eq!(world.state(&case).await, "open");
}

#[tokio::test]
async fn a_replay_is_answered_and_another_body_is_not() {
    let world = World::new().await;
    let signe = world.signe().await;
    let mut panel = world.machine("panel");
    let mut robot = world.machine("robot");
    let post = |client: &Client, body: &Value, key: &str| {
        let (mut client, body, key) = (client.clone(), body.to_string(), key.to_owned());
        async move {
            let request = Request::post("/v1/cases")
                .header(header::CONTENT_TYPE, "application/json")
                .header("idempotency-key", key)
                .body(Body::from(body))
                .unwrap();
            client.send(request).await
        }
    };
    let body = reinstall(&signe.id);
    let first = post(&panel, &body, "\"key-1\"").await;
    assert_eq!(
        (first.status, first.header("idempotency-replayed")),
        (201, "")
    );
    let again = post(&panel, &body, "key-1").await;
    assert_eq!(
        (again.status, again.header("idempotency-replayed")),
        (201, "true")
    );
    assert_eq!(again.bytes, first.bytes, "with the same link");
    let other = post(
        &panel,
        &without_parameters(&signe.id, "password.reset"),
        "key-1",
    )
    .await;
    expect(&other, 422, "idempotency-key-reused", "");
    let long = post(&panel, &body, &"k".repeat(256)).await;
    expect(&long, 400, "idempotency-key-too-long", "");
    // The key is the caller's own.
    let theirs = post(&robot, &body, "key-1").await;
    expect(&theirs, 409, "other-case-open", "");
    // What was refused may be tried again with the same key, once it can work.
    panel.call("GET", "/v1/procedure", &Value::Null).await;
    let id = first.json()["id"].as_str().unwrap().to_owned();
    let blocked = post(&robot, &reinstall(&signe.id), "key-2").await;
    assert_eq!(blocked.code(), "other-case-open");
    let link = first.json()["link"]["url"].as_str().unwrap().to_owned();
    let mut customer = world.visitor();
    let page = customer.get(link.strip_prefix(ORIGIN).unwrap()).await;
    customer.press(&page, "Yes, I asked for this", &[]).await;
    let gone = robot
        .call("POST", &format!("/v1/cases/{id}/withdraw"), &Value::Null)
        .await;
    assert_eq!(gone.code(), "only-opener-withdraws");
    world.hours(49);
    world.settle().await;
    assert_eq!(world.state(&id).await, "expired");
    let now = post(&robot, &reinstall(&signe.id), "key-2").await;
    assert_eq!(now.status, 201, "{}", now.text());
    // A day later the key is forgotten.
    let forgotten = post(
        &panel,
        &without_parameters(&signe.id, "password.reset"),
        "key-1",
    )
    .await;
    assert_ne!(forgotten.code(), "idempotency-key-reused");
}

#[tokio::test]
async fn a_button_pressed_twice_does_it_once() {
    let world = World::new().await;
    let mut signe = world.signe().await;
    let mut maja = world.colleague("maja").await;
    let mut idris = world.colleague("idris").await;
    // Open.
    let check = maja
        .browser
        .post(
            "/cases/new/check",
            &[
                ("customer", "c-1042"),
                ("action", "server.reinstall"),
                ("p.server", "web-3"),
                ("p.image", "debian-13"),
                ("reason", "the disk is full, they say"),
            ],
        )
        .await;
    let first = maja.browser.press_once(&check, "Open the case", &[]).await;
    let second = maja.browser.press_once(&check, "Open the case", &[]).await;
    assert_eq!(
        (first.status, second.status),
        (303, 303),
        "{}",
        second.text()
    );
    assert_eq!(first.location(), second.location());
    let path = first.location().unwrap();
    let case = path.trim_start_matches("/cases/").to_owned();
    // Link, twice: the newer one is the one that is shown and works.
    let page = maja.browser.get(&path).await;
    let one = maja.browser.press(&page, "Send the link", &[]).await;
    let two = maja.browser.press(&page, "Send the link", &[]).await;
    let url = |page: &Seen| {
        crate::world::html::value_of(page.body(), "customer-link")
            .unwrap()
            .replace(ORIGIN, "")
    };
    assert_eq!(world.visitor().get(&url(&one)).await.status, 410);
    let page = signe.browser.get(&url(&two)).await;
    // Yes.
    for _ in 0..2 {
        let next = signe
            .browser
            .clone()
            .press_once(&page, "Yes, I asked for this", &[])
            .await;
        assert_eq!(next.status, 303);
    }
    // (The clones above kept the cookie for themselves, so she gets one more link.)
    let link = world.link(&mut maja, &case).await;
    let page = signe.browser.get(&link).await;
    let page = signe
        .browser
        .press(&page, "Yes, I asked for this", &[])
        .await;
    // A proof.
    let page = signe.chooses(&page, "pin").await;
    let one = signe
        .browser
        .press_once(&page, "Check the PIN", &[("secret", PIN)])
        .await;
    let two = signe
        .browser
        .press_once(&page, "Check the PIN", &[("secret", PIN)])
        .await;
    assert_eq!((one.status, two.status), (303, 303));
    // A code: one letter.
    let page = signe.browser.get("/c/prove").await;
    for _ in 0..2 {
        signe.chooses(&page, "mail_code").await;
    }
    let code = world.mailed_code(MAILBOX).await;
    let codes = world.mail.mails_to(MAILBOX).len();
    assert_eq!(codes, 1);
    signe.types("mail_code", &code).await;
    // Confirm.
    let page = signe.browser.get("/c/confirm").await;
    for _ in 0..2 {
        let number = crate::world::told(&page, "Yes: ");
        let next = signe
            .browser
            .press_once(&page, "Yes: ", &[("number", &number)])
            .await;
        assert_eq!(
            next.location().as_deref(),
            Some("/c/done"),
            "{}",
            next.text()
        );
    }
    // Decline.
    let page = idris
        .browser
        .get(&format!("/approvals/{case}/decline"))
        .await;
    for _ in 0..2 {
        let next = idris
            .browser
            .press_once(&page, "Decline: ", &[("reason", "this is not her voice")])
            .await;
        assert_eq!(next.status, 303, "{}", next.text());
    }
    // Withdraw, and stop.
    let other = world
        .case_of(&mut maja, &without_parameters("c-1042", "password.reset"))
        .await;
    let page = maja.browser.get(&format!("/cases/{other}/withdraw")).await;
    for _ in 0..2 {
        let next = maja
            .browser
            .press_once(&page, "Withdraw the case", &[])
            .await;
        assert_eq!(next.status, 303, "{}", next.text());
    }
    let third = world
        .case_of(&mut maja, &change_email("c-1042", "new@place.example"))
        .await;
    world.sit(&mut maja, &third, &mut signe).await;
    let page = signe.browser.get("/c/stop").await;
    for _ in 0..2 {
        let stopped = signe.browser.press_once(&page, "Stop it now", &[]).await;
        assert_eq!(stopped.status, 200);
        assert!(
            stopped.text().contains("Nothing was changed"),
            "{}",
            stopped.text()
        );
    }
    let mut theme = world.visitor();
    let page = theme.get("/sign-in?next=%2Fdesk").await;
    let dark = theme.press(&page, "Dark", &[]).await;
    assert_eq!(dark.path, "/sign-in?next=%2Fdesk");
    assert!(dark.body().contains("data-theme"), "signed out, too");
}

#[tokio::test]
async fn links_that_are_over_say_the_same() {
    let world = World::new().await;
    let signe = world.signe().await;
    let mut maja = world.colleague("maja").await;
    let case = world.case_of(&mut maja, &reinstall(&signe.id)).await;
    let link = world.link(&mut maja, &case).await;
    let never = "/c/cs_link_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    world.minutes(16);
    let ran_out = world.visitor().get(&link).await;
    let was_not = world.visitor().get(never).await;
    assert_eq!((ran_out.status, was_not.status), (410, 410));
    assert_eq!(ran_out.text(), was_not.text());
    for odd in [
        "/c/x",
        "/c/..",
        "/c/a%3B%20Domain=evil.example",
        "/c/%0d%0aSet-Cookie:%20a=b",
        "/c/é",
    ] {
        let odd = odd.replace('é', "%C3%A9");
        let mut browser = world.visitor();
        let seen = browser.get(&odd).await;
        assert!([404, 410].contains(&seen.status), "{odd}");
        let kept = browser.cookies.iter().all(|(name, value)| {
            name == "__Host-countersign-link" && value.chars().all(|c| c.is_ascii_alphanumeric())
        });
        assert!(kept, "{odd}: {:?}", browser.cookies);
    }
    // The same for invitations, stop links and sessions.
    let invitation = world.invitation("tomas").await;
    world.hours(8 * 24);
    let ran_out = world.visitor().get(&invitation).await;
    let was_not = world
        .visitor()
        .get("/invitation/cs_invite_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
        .await;
    assert_eq!(ran_out.text(), was_not.text());
    let gone = world
        .visitor()
        .get("/v/cs_stop_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
        .await;
    assert!(
        gone.text().contains("ran out or was never given"),
        "{}",
        gone.text()
    );
    let mut program = world.visitor();
    for path in ["start", "finish"] {
        let seen = program
            .call(
                "POST",
                &format!(
                    "/v1/invitations/{}/{path}",
                    invitation.rsplit('/').next().unwrap()
                ),
                &json!({ "ceremony": "x", "credential": {} }),
            )
            .await;
        assert_eq!(seen.status, 410, "{}", seen.text());
    }
}

/// A page without what differs by itself: its keys, its moment, its address.
fn bare(seen: &Seen) -> (u16, String) {
    (seen.status, seen.text())
}

#[tokio::test]
async fn who_is_a_customer_is_not_told() {
    let world = World::with(|settings| settings.limits.lookups_per_hour = 100).await;
    let mut signe = world.signe().await;
    let mut maja = world.colleague("maja").await;
    // To staff who look for a mailbox that is not spelled right, all wrong ones look alike.
    let mut misses = Vec::new();
    for query in [
        "signe@halden.exampl",
        "nobody@nowhere.example",
        "4821",
        "Signe",
    ] {
        let page = maja.browser.post("/customers", &[("q", query)]).await;
        misses.push((page.status, page.text().replace(query, "")));
    }
    assert!(misses.iter().all(|miss| *miss == misses[0]), "{misses:?}");
    // Somebody who holds a link and has proved nothing: wrong, never set and closed are the same answer.
    let case = world.case_of(&mut maja, &reinstall(&signe.id)).await;
    world.sit(&mut maja, &case, &mut signe).await;
    let wrong = signe
        .browser
        .post("/c/prove/pin", &[("secret", "000000")])
        .await;
    for _ in 0..6 {
        signe
            .browser
            .post("/c/prove/pin", &[("secret", "000000")])
            .await;
    }
    let closed = signe.browser.post("/c/prove/pin", &[("secret", PIN)]).await;
    let mut ole = world.ole().await;
    let other = world.case_of(&mut maja, &reinstall(&ole.id)).await;
    world.sit(&mut maja, &other, &mut ole).await;
    let unset = ole
        .browser
        .post("/c/prove/pin", &[("secret", "000000")])
        .await;
    let same = |seen: &Seen| {
        let (status, text) = bare(seen);
        // What else there is to choose from, the page before says anyway.
        let text = text
            .replace(&case, "")
            .replace(&other, "")
            .replace("Choose another way", "");
        (
            status,
            text.split_whitespace().collect::<Vec<_>>().join(" "),
        )
    };
    assert_eq!(wrong.status, 422);
    assert_eq!(same(&wrong), same(&closed));
    assert_eq!(same(&wrong), same(&unset));
    assert!(wrong.text().contains("not right"), "{}", wrong.text());
    // A way that the action does not ask for is nowhere.
    assert_eq!(
        ole.browser
            .post("/c/prove/text_code", &[("secret", "1")])
            .await
            .location()
            .as_deref(),
        Some("/c")
    );
    assert_eq!(ole.browser.look("/c/prove/no_such_proof").await.status, 404);
    // Programs without the scope learn nothing from the difference either.
    for name in ["panel", "reader", "robot"] {
        let mut machine = world.machine(name);
        let known = machine.read("/v1/customers/c-1042").await;
        let unknown = machine.read("/v1/customers/c-9999").await;
        assert_eq!(
            (known.status, known.bytes),
            (403, unknown.bytes.clone()),
            "{name}"
        );
        assert_eq!(unknown.status, 403);
    }
    // Signing in says the same whatever was wrong.
    let mut nobody = world.visitor();
    let begun = nobody.script("/v1/sign-in/start", &json!({})).await.json();
    let good = maja
        .passkey
        .get(&begun["publicKey"], "https://evil.example")
        .unwrap_or_default();
    let mut answers = Vec::new();
    for credential in [json!({}), good] {
        let begun = nobody.script("/v1/sign-in/start", &json!({})).await.json();
        let seen = nobody
            .script(
                "/v1/sign-in/finish",
                &json!({ "ceremony": begun["ceremony"], "credential": credential }),
            )
            .await;
        answers.push((seen.status, seen.bytes));
    }
    assert_eq!(answers[0], answers[1]);
}

#[tokio::test]
async fn the_words_are_the_same_everywhere() {
    let world = World::new().await;
    let mut signe = world.signe().await;
    world.attest_backups(&signe.id, "verified").await;
    let mut maja = world.colleague("maja").await;
    let mut idris = world.colleague("idris").await;
    // With a parameter that is somebody's address, which is what was masked before.
    let request = change_email(&signe.id, "ops@halden-new.example");
    let opened = maja
        .browser
        .call("POST", "/v1/cases", &request)
        .await
        .json();
    let (case, sentence) = (
        opened["id"].as_str().unwrap().to_owned(),
        opened["sentence"].as_str().unwrap().to_owned(),
    );
    assert_eq!(
        sentence,
        "Send all mail for this account to ops@halden-new.example from now on"
    );
    for (path, colleague) in [
        (format!("/cases/{case}"), false),
        (format!("/cases/{case}"), true),
        (format!("/approvals/{case}"), true),
        (format!("/cases/{case}/withdraw"), false),
        (format!("/cases/{case}/run"), false),
    ] {
        let browser = if colleague {
            &mut idris.browser
        } else {
            &mut maja.browser
        };
        assert_eq!(browser.get(&path).await.words(), sentence, "{path}");
    }
    for machine in [
        &mut maja.browser,
        &mut idris.browser,
        &mut world.machine("reader"),
    ] {
        let read = machine.read(&format!("/v1/cases/{case}")).await.json();
        assert_eq!(read["sentence"], sentence);
    }
    // The customer's first page is the one exception: whoever holds the link has proved nothing.
    let link = world.link(&mut maja, &case).await;
    let first = signe.browser.get(&link).await;
    assert!(!first.body().contains("halden-new"), "{}", first.text());
    signe
        .browser
        .press(&first, "Yes, I asked for this", &[])
        .await;
    signe.types("password", PASSWORD).await;
    let confirm = signe.types("app_code", &world.app_code()).await;
    assert_eq!(confirm.words(), sentence);
    signe.confirms().await;
    world.settle().await;
    for _ in 0..4 {
        world.hours(20);
        world.settle().await;
    }
    maja.signs_in().await;
    let receipt = maja.browser.get(&format!("/cases/{case}/receipt")).await;
    assert_eq!(receipt.words(), sentence);
    assert_eq!(
        world.panel.ran()[0].parameters["address"],
        "ops@halden-new.example"
    );
    let file = maja
        .browser
        .read(&format!("/v1/cases/{case}/receipt"))
        .await;
    assert_eq!(
        countersign_service::verify_receipt(file.body(), world.signer.verifier())
            .unwrap()
            .sentence,
        sentence
    );
    // While the customer's own contacts stayed masked for staff who were not spoken to by her.
    let mut tomas = world.colleague("tomas").await;
    let other = world
        .case_of(&mut tomas, &without_parameters(&signe.id, "password.reset"))
        .await;
    assert!(
        !tomas
            .browser
            .get(&format!("/cases/{other}"))
            .await
            .body()
            .contains(MAILBOX)
    );
}

#[tokio::test]
async fn one_network_may_not_try_for_ever() {
    let world = World::with(|settings| settings.limits.answers_per_minute = 10).await;
    let mut signe = world.signe().await;
    let mut maja = world.colleague("maja").await;
    let case = world.case_of(&mut maja, &reinstall(&signe.id)).await;
    world.sit(&mut maja, &case, &mut signe).await;
    let at = |address: &str| Some(format!("{address}:4711").parse().unwrap());
    let limited = async |browser: &mut Client, ask: &str| {
        let mut last = None;
        for _ in 0..12 {
            let seen = match ask {
                "/customers" => browser.post(ask, &[("q", "halden")]).await,
                ask if ask.ends_with("start") || ask.ends_with("finish") => {
                    browser
                        .script(ask, &json!({ "ceremony": "x", "credential": {} }))
                        .await
                }
                _ => browser.post(ask, &[("secret", "000000")]).await,
            };
            if seen.status == 429 {
                last = Some(seen);
                break;
            }
        }
        let seen = last.unwrap_or_else(|| panic!("{ask} may be asked for ever"));
        let seconds: u64 = seen.header("retry-after").parse().unwrap();
        assert!((1..=60).contains(&seconds), "{ask}: {seconds}");
        seen
    };
    for (at_address, ask) in [
        "/sign-in/start",
        "/sign-in/finish",
        "/v1/sign-in/start",
        "/v1/sign-in/finish",
        "/invitation/start",
        "/v1/invitations/x/start",
        "/v/x",
    ]
    .iter()
    .enumerate()
    {
        let mut nobody = world.visitor();
        nobody.peer = at(&format!("192.0.2.{at_address}"));
        let seen = limited(&mut nobody, ask).await;
        if ask.starts_with("/v1/") {
            expect(&seen, 429, "too-many-tries", "");
        }
        // Somebody else is let in; what the caller writes into a header makes it nobody else.
        let mut other = world.visitor();
        other.peer = at("198.51.100.1");
        assert_ne!(other.post(ask, &[]).await.status, 429, "{ask}");
        let json = ask.ends_with("start") || ask.ends_with("finish");
        let forged = Request::post(*ask)
            .header("x-forwarded-for", "203.0.113.77")
            .header(
                header::CONTENT_TYPE,
                if json {
                    "application/json"
                } else {
                    "application/x-www-form-urlencoded"
                },
            )
            .body(Body::from(if json {
                "{\"ceremony\":\"x\",\"credential\":{}}"
            } else {
                ""
            }))
            .unwrap();
        assert_eq!(nobody.send(forged).await.status, 429, "{ask}");
    }
    signe.browser.peer = at("203.0.113.1");
    let page = limited(&mut signe.browser, "/c/prove/password").await;
    assert_eq!(page.h1(), "Too many tries");
    maja.browser.peer = at("203.0.113.2");
    limited(&mut maja.browser, "/customers").await;
}

#[tokio::test]
async fn nobody_is_sent_elsewhere() {
    let world = World::new().await;
    let mut maja = world.colleague("maja").await;
    for next in [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "/\t/evil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
        "",
    ] {
        let encoded = serde_urlencoded::to_string([("next", next)]).unwrap();
        let mut browser = world.visitor();
        let page = browser.get(&format!("/sign-in?{encoded}")).await;
        let form = page.passkey_form();
        assert!(
            form.fields.contains(&("next".to_owned(), "/".to_owned())),
            "{next:?}: {form:?}"
        );
        let home = browser.use_passkey(&page, &mut maja.passkey).await;
        assert_eq!(home.path, "/desk", "{next:?}");
        for path in ["/settings/theme", "/session/extend"] {
            let seen = browser.post(path, &[("back", next)]).await;
            assert_eq!(seen.location().as_deref(), Some("/"), "{path} {next:?}");
        }
    }
}

#[tokio::test]
async fn problems_of_pages_are_pages_and_of_programs_documents() {
    let world = World::new().await;
    let mut signe = world.signe().await;
    let mut maja = world.colleague("maja").await;
    let case = world.case_of(&mut maja, &reinstall(&signe.id)).await;
    let mut alva = world.colleague("alva").await;
    for (browser, path, status) in [
        (&mut world.visitor(), "/c/prove".to_owned(), 410),
        (&mut world.visitor(), "/c/done".to_owned(), 410),
        (&mut alva.browser, "/desk".to_owned(), 403),
        (&mut maja.browser, "/cases/CS-AAAAAA/run".to_owned(), 404),
    ] {
        let page = browser.look(&path).await;
        assert_eq!((page.status, page.is_page()), (status, true), "{path}");
        let document = browser.read(&path).await;
        assert_eq!(
            (document.status, document.header("content-type")),
            (status, "application/problem+json"),
            "{path}"
        );
    }
    let unread = maja
        .browser
        .send(
            Request::post("/cases/new/check")
                .header(header::CONTENT_TYPE, "text/plain")
                .body(Body::from("x"))
                .unwrap(),
        )
        .await;
    assert_eq!((unread.status, unread.is_page()), (415, true));
    let api = maja.browser.look("/v1/cases/CS-AAAAAA").await;
    assert_eq!(
        api.header("content-type"),
        "application/problem+json",
        "whatever a program accepts"
    );
    assert_eq!(
        world
            .visitor()
            .read("/v1/me")
            .await
            .header("www-authenticate"),
        "Bearer"
    );
    // Nothing that was typed stands in an answer that names the mistake, and nothing of the store or the program.
    world.sit(&mut maja, &case, &mut signe).await;
    let mut leaks = Vec::new();
    leaks.push(
        world
            .machine("customers")
            .call(
                "PUT",
                "/v1/customers/c-1042/holdings/pin",
                &json!({ "pin": 482_913 }),
            )
            .await,
    );
    leaks.push(
        world
            .machine("customers")
            .call(
                "PUT",
                "/v1/customers/c-1042/holdings/pin",
                &json!({ "pin": PIN, "pni": PIN }),
            )
            .await,
    );
    leaks.push(
        world
            .machine("customers")
            .call(
                "PUT",
                "/v1/customers/c-1042/holdings/pin",
                &json!({ "pin": "48", "totp_secret": PIN }),
            )
            .await,
    );
    leaks.push(
        signe
            .browser
            .post(
                "/c/prove/pin",
                &[("secret", PIN), ("secret", PIN), ("x", PIN)],
            )
            .await,
    );
    leaks.push(
        signe
            .browser
            .post("/c/prove/password", &[("secret", "my secret horse")])
            .await,
    );
    for seen in leaks {
        for word in [PIN, "482913", "my secret horse", "src/", "panicked", "sqlx"] {
            assert!(
                !seen.text().contains(word),
                "{}: {}",
                seen.path,
                seen.text()
            );
        }
    }
}
