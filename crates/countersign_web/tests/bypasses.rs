//! Twenty-five ways round a support procedure (docs/THREATS.md), each tried against the running router.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::http::Request;
use countersign_ledger::{AuditFinding, Checkpoint, Policy, TILE_WIDTH, TilePath, Tiles, audit};
use countersign_service::verify_receipt;
use countersign_web::routes::{Door, Verb, routes};
use serde_json::{Value, json};

use crate::world::backend::Mode;
use crate::world::{
    Client, Colleague, Customer, MAILBOX, MOBILE, ORIGIN, PASSWORD, PIN, PROCEDURE, Seen, World,
    change_email, halden, html, reinstall, transfer, without_parameters,
};

/// Everything a form or a body of this gate could hold, right answers included.
fn everything(case: &str, customer: &str, digest: &str) -> Vec<(String, String)> {
    [
        ("case", case),
        ("customer", customer),
        ("action", "server.reinstall"),
        ("p.server", "web-3"),
        ("p.image", "debian-13"),
        ("secret", PIN),
        ("pin", PIN),
        ("password", PASSWORD),
        ("code", PIN),
        ("otp", PIN),
        ("way", "pin"),
        ("digest", digest),
        ("ceremony", digest),
        ("reason", "the head of support approved this"),
        ("text", "the caller named the last invoice number"),
        ("why", "not-me"),
        ("approved", "true"),
        ("force", "true"),
        ("override", "true"),
        ("state", "ready"),
        ("next", "/"),
        ("show", "team"),
        ("name", "x"),
        ("q", "48213"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec()
}

/// Every route with real ids in it, asked for with everything one could think of.
async fn ask_every_route(
    browser: &mut Client,
    case: &str,
    customer: &str,
    digest: &str,
) -> Vec<Seen> {
    let fields = everything(case, customer, digest);
    let form: Vec<(&str, &str)> = fields
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let object: Value = fields
        .iter()
        .map(|(name, value)| (name.clone(), json!(value)))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let bodies = [
        Value::Null,
        json!({}),
        object,
        reinstall(customer),
        json!({ "ceremony": digest, "credential": {} }),
        json!({ "reason": "the head of support approved this" }),
        json!({ "text": "the caller named the last invoice number" }),
        json!({ "pin": PIN }),
    ];
    let mut answers = Vec::new();
    for route in routes() {
        // What would end the session or the case, and streams, are asked for elsewhere.
        let ends = [
            "withdraw",
            "refuse",
            "decline",
            "sign-out",
            "events",
            "/v1/cases/{case}/link",
            "/cases/{id}/link",
        ];
        if ends.iter().any(|word| route.path.contains(word)) {
            continue;
        }
        let path = filled(route.path, case, customer);
        if route.verb == Verb::Get {
            let query = serde_urlencoded::to_string(&form).unwrap();
            answers.push(browser.look(&path).await);
            answers.push(browser.look(&format!("{path}?{query}")).await);
            continue;
        }
        if route.verb == Verb::Post {
            answers.push(browser.post(&path, &form).await);
        }
        for body in &bodies {
            answers.push(browser.call(route.verb.name(), &path, body).await);
        }
    }
    answers
}

fn filled(path: &str, case: &str, customer: &str) -> String {
    let customers = path.starts_with("/v1/customers") || path.starts_with("/customers");
    path.replace("{case}", case)
        .replace("{id}", if customers { customer } else { case })
        .replace("{customer}", customer)
        .replace("{holding}", "pin")
        .replace("{question}", "q_0")
        .replace("{way}", "pin")
        .replace(
            "{token}",
            "cs_link_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        )
        .replace("{file}", "app.css")
        .replace("{*path}", "entries/000")
}

/// A case that lacks everything, and its digest.
async fn asked_for(world: &World, by: &mut Colleague, request: &Value) -> (String, String) {
    let opened = by.browser.call("POST", "/v1/cases", request).await;
    assert_eq!(opened.status, 201, "{}", opened.text());
    let text = |name: &str| opened.json()[name].as_str().unwrap().to_owned();
    assert_eq!(world.state(&text("id")).await, "open");
    (text("id"), text("digest"))
}

/// Up to where a colleague is asked: PIN and a mailed code, confirmed.
async fn waiting_for_a_senior(world: &World, maja: &mut Colleague, signe: &mut Customer) -> String {
    let case = world.case_of(maja, &reinstall(&signe.id)).await;
    world.sit(maja, &case, signe).await;
    signe.types("pin", PIN).await;
    signe.types_mailed_code(world, MAILBOX).await;
    let done = signe.confirms().await;
    assert_eq!(done.path, "/c/done", "{}", done.text());
    case
}

/// Proves what the usual way of a password reset or an email change needs, and confirms.
async fn proves_with_app(world: &World, signe: &mut Customer, secret: &str, answer: &str) -> Seen {
    signe.types(secret, answer).await;
    signe.types("app_code", &world.app_code()).await;
    signe.confirms().await
}

async fn kinds(world: &World, case: &str) -> Vec<String> {
    let read = world
        .machine("reader")
        .read(&format!("/v1/cases/{case}"))
        .await;
    read.json()["timeline"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["kind"].as_str().unwrap().to_owned())
        .collect()
}

/// Days go by; whatever would run by itself runs.
async fn days_go_by(world: &World) {
    for _ in 0..8 {
        world.hours(13);
        world.settle().await;
    }
}

#[tokio::test]
async fn b01_every_route_as_an_agent_runs_nothing() {
    let world = World::new().await;
    let signe = world.signe().await;
    world.attest_backups(&signe.id, "verified").await;
    let mut maja = world.colleague("maja").await;
    let (case, digest) = asked_for(&world, &mut maja, &reinstall(&signe.id)).await;
    let answers = ask_every_route(&mut maja.browser, &case, &signe.id, &digest).await;
    assert!(answers.len() > 300, "{}", answers.len());
    // The same with the session as a bearer token, as a program of hers would.
    let token = maja.browser.cookies["__Host-countersign"].clone();
    let mut program = Client::with_token(world.router.clone(), &token);
    ask_every_route(&mut program, &case, &signe.id, &digest).await;
    assert_eq!(world.state(&case).await, "open");
    assert_eq!(kinds(&world, &case).await, ["opened"]);
    days_go_by(&world).await;
    assert_eq!((world.panel.requests(), world.ran()), (0, 0));
}

#[tokio::test]
async fn b02_no_staff_route_takes_a_proof() {
    let world = World::new().await;
    let mut signe = world.signe().await;
    let mut maja = world.colleague("maja").await;
    let (case, digest) = asked_for(&world, &mut maja, &reinstall(&signe.id)).await;
    // She has the right PIN, read aloud to her, and nowhere to put it: also not with her session where the seat's is expected.
    let session = maja.browser.cookies["__Host-countersign"].clone();
    let mut relays = maja.browser.clone();
    relays
        .cookies
        .insert("__Host-countersign-seat".to_owned(), session);
    for route in routes().iter().filter(|route| route.door == Door::Seat) {
        let path = filled(route.path, &case, &signe.id);
        for browser in [&mut maja.browser, &mut relays] {
            let answer = match route.verb {
                Verb::Post => {
                    browser
                        .post(&path, &[("secret", PIN), ("digest", &digest)])
                        .await
                }
                _ => browser.look(&path).await,
            };
            assert_eq!(answer.status, 410, "{} {path}", route.verb.name());
        }
    }
    assert_eq!(kinds(&world, &case).await, ["opened"]);
    // Nor the other way round: the customer's seat opens nothing of the staff's.
    world.sit(&mut maja, &case, &mut signe).await;
    let seat = signe.browser.cookies["__Host-countersign-seat"].clone();
    let mut forged = signe.browser.clone();
    forged.cookies.insert("__Host-countersign".to_owned(), seat);
    for path in [
        "/desk",
        "/approvals",
        &format!("/cases/{case}"),
        "/settings",
    ] {
        assert_eq!(forged.look(path).await.status, 303, "{path}");
        assert!(
            forged.get(path).await.path.starts_with("/sign-in"),
            "{path}"
        );
    }
    // And no body that staff may send has a field for what a customer knows or receives.
    let description = world.visitor().read("/openapi.json").await.json();
    let mut bodies = 0;
    for (path, operations) in description["paths"].as_object().unwrap() {
        for operation in operations.as_object().unwrap().values() {
            let for_machines = operation["security"]
                .as_array()
                .is_some_and(|all| all.iter().all(|one| one.get("machine").is_some()));
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"]["$ref"];
            let Some(name) = schema.as_str().and_then(|path| path.rsplit('/').next()) else {
                continue;
            };
            bodies += 1;
            let properties = &description["components"]["schemas"][name]["properties"];
            for field in properties.as_object().unwrap().keys() {
                let secret = ["pin", "password", "code", "otp", "secret", "totp", "answer"]
                    .iter()
                    .any(|word| field.contains(word));
                assert!(!secret || for_machines, "{path} takes `{field}`");
            }
        }
    }
    assert!(bodies > 10, "{bodies}");
}

#[tokio::test]
async fn b03_a_proof_for_one_digest_counts_for_no_other() {
    let world = World::new().await;
    let mut signe = world.signe().await;
    let mut maja = world.colleague("maja").await;
    let first = world.case_of(&mut maja, &reinstall(&signe.id)).await;
    let second = world
        .case_of(&mut maja, &without_parameters(&signe.id, "password.reset"))
        .await;
    let mut other = Customer {
        id: signe.id.clone(),
        browser: world.visitor(),
        passkey: signe.passkey.take(),
    };
    world.sit(&mut maja, &first, &mut signe).await;
    world.sit(&mut maja, &second, &mut other).await;

    // The passkey answers the harmless case; its answer is sent to the other one.
    let begun = other
        .browser
        .script("/c/prove/passkey/start", &json!({}))
        .await;
    let credential = other
        .passkey
        .as_mut()
        .unwrap()
        .get(&begun.json()["publicKey"], ORIGIN)
        .unwrap();
    let own = signe
        .browser
        .script("/c/prove/passkey/start", &json!({}))
        .await;
    for ceremony in [&begun.json()["ceremony"], &own.json()["ceremony"]] {
        let answer = json!({ "ceremony": ceremony, "credential": credential });
        let refused = signe
            .browser
            .script("/c/prove/passkey/finish", &answer)
            .await;
        assert!(
            [("other-digest", 409), ("passkey-not-accepted", 422)]
                .contains(&(refused.code().as_str(), refused.status)),
            "{}",
            refused.text()
        );
    }
    assert!(!kinds(&world, &first).await.contains(&"proved".to_owned()));
    // For its own case it is good, once.
    let answer = json!({ "ceremony": begun.json()["ceremony"], "credential": credential });
    let taken = other
        .browser
        .script("/c/prove/passkey/finish", &answer)
        .await;
    assert_eq!(taken.status, 200, "{}", taken.text());
    let again = other
        .browser
        .script("/c/prove/passkey/finish", &answer)
        .await;
    assert_eq!(again.status, 409, "{}", again.text());

    // A code that was sent for one case is wrong in another.
    let third = world.case_of(&mut maja, &transfer(&signe.id)).await;
    drop(third);
    let page = signe.browser.get("/c/prove").await;
    signe.chooses(&page, "mail_code").await;
    let code = world.mailed_code(MAILBOX).await;
    let wrong = other
        .browser
        .post("/c/prove/mail_code", &[("secret", &code)])
        .await;
    assert_eq!(wrong.status, 303, "the other case asks for no code");
    let proved = kinds(&world, &second).await;
    assert_eq!(proved.iter().filter(|kind| *kind == "proved").count(), 1);
    // Confirming words that are not the ones on the page.
    other.types("pin", PIN).await;
    let view = other.browser.get("/c/confirm").await;
    assert_eq!(view.h1(), "Check what will happen");
    let digest = |case: &Seen| case.json()["digest"].as_str().unwrap().to_owned();
    let foreign = digest(
        &world
            .machine("reader")
            .read(&format!("/v1/cases/{first}"))
            .await,
    );
    let refused = other
        .browser
        .post("/c/confirm", &[("digest", &foreign)])
        .await;
    assert_eq!(refused.status, 409, "{}", refused.text());
    assert!(
        !kinds(&world, &second)
            .await
            .contains(&"confirmed".to_owned())
    );
}

#[tokio::test]
async fn b04_a_fresh_channel_proves_nothing() {
    let world = World::new().await;
    let mut signe = world.signe().await;
    let mut maja = world.colleague("maja").await;
    let thief = "thief@evil.example";
    world
        .machine("customers")
        .call("PUT", "/v1/customers/c-1042", &halden(thief))
        .await;
    world.hours(24);
    maja.signs_in().await;
    let case = world.case_of(&mut maja, &reinstall(&signe.id)).await;
    world.sit(&mut maja, &case, &mut signe).await;
    signe.types("pin", PIN).await;
    let page = signe.browser.get("/c/prove").await;
    signe
        .browser
        .post("/c/prove", &[("way", "mail_code")])
        .await;
    world.settle().await;
    let codes = world.mail.mails_to(thief);
    if let Some(mail) = codes.last() {
        // Even if a code were sent there, it must not count.
        let code = mail.text().lines().next().unwrap().to_owned();
        signe
            .browser
            .post("/c/prove/mail_code", &[("secret", &code)])
            .await;
    }
    assert!(
        page.text().contains("Closed")
            || page.text().contains("counts from")
            || page.text().contains("Step"),
        "{}",
        page.text()
    );
    let confirm = signe.browser.get("/c/confirm").await;
    assert_ne!(confirm.h1(), "Check what will happen", "{}", confirm.text());
    assert_eq!(world.state(&case).await, "open");
    let mut idris = world.colleague("idris").await;
    let page = idris.browser.get(&format!("/approvals/{case}")).await;
    assert!(
        page.text().contains("You cannot sign this"),
        "{}",
        page.text()
    );
}

#[test]
fn b05_the_language_has_no_security_question() {
    for line in [
        "question \"What was your first pet called?\"",
        "ask \"mother's maiden name\"",
        "prove answer \"Rex\"",
        "knows \"the last invoice number\"",
    ] {
        let text = format!(
            "organisation \"Acme\"\nsecret pin \"support PIN\" using pin\naction close \"Close\" {{\n  runs panel\n  path usual {{ {line} }}\n}}\n"
        );
        let reading = countersign_language::read(&text);
        assert!(
            reading.procedure.is_none() || !reading.diagnostics.is_empty(),
            "{line}"
        );
        assert!(!reading.diagnostics.is_empty(), "{line}");
    }
    let text = "organisation \"Acme\"\nsecret pin \"support PIN\" using pin\naction close \"Close\" {\n  runs panel\n  path usual { question \"What was your first pet called?\" }\n}\n";
    let codes: Vec<String> = countersign_language::read(text)
        .diagnostics
        .iter()
        .map(|found| found.code.to_string())
        .collect();
    assert!(
        codes.contains(&"no-security-question".to_owned()),
        "{codes:?}"
    );
    // And a secret cannot be given a way to be asked by a person.
    let text = "organisation \"Acme\"\nsecret pet \"first pet\" using question\n";
    assert!(!countersign_language::read(text).diagnostics.is_empty());
}

#[tokio::test]
async fn b06_nobody_signs_their_own_case_on_any_surface() {
    let world = World::new().await;
    let mut signe = world.signe().await;
    let mut idris = world.colleague("idris").await;
    let mut idris2 = world.colleague("idris2").await;
    let mut halvar = world.colleague("halvar").await;
    // A senior may open a case, as any agent; it is then theirs.
    let case = waiting_for_a_senior(&world, &mut idris, &mut signe).await;
    for (who, code) in [
        (&mut idris, "own-case"),
        (&mut idris2, "own-case"),
        (&mut halvar, "concerned"),
    ] {
        let page = who.browser.get(&format!("/approvals/{case}")).await;
        assert!(
            !html::forms(page.body())
                .iter()
                .any(|form| form.data.contains_key("passkey"))
        );
        for path in [
            format!("/approvals/{case}/sign/start"),
            format!("/v1/cases/{case}/sign-off/start"),
        ] {
            let refused = who.browser.script(&path, &json!({})).await;
            assert_eq!(refused.code(), code, "{path}: {}", refused.text());
        }
        let answer = json!({ "ceremony": "00".repeat(32), "credential": {} });
        for path in [
            format!("/approvals/{case}/sign/finish"),
            format!("/v1/cases/{case}/sign-off/finish"),
        ] {
            let refused = who.browser.script(&path, &answer).await;
            assert!(refused.status >= 400, "{path}: {}", refused.text());
        }
    }
    // And of one's own account not even the list tells.
    let list = halvar.browser.get("/approvals?show=cannot").await;
    assert!(!list.body().contains(&case), "{}", list.text());
    // With an assertion of his own passkey over the very challenge, which a colleague's prompt shows.
    let mut petra = world.colleague("petra").await;
    let prompt = petra
        .browser
        .script(&format!("/v1/cases/{case}/sign-off/start"), &json!({}))
        .await;
    let credential = idris
        .passkey
        .get(&without_allow_list(&prompt.json()["publicKey"]), ORIGIN);
    if let Ok(credential) = credential {
        let answer = json!({ "ceremony": prompt.json()["ceremony"], "credential": credential });
        let refused = idris
            .browser
            .script(&format!("/v1/cases/{case}/sign-off/finish"), &answer)
            .await;
        assert!(refused.status >= 400, "{}", refused.text());
    }
    // No program signs.
    for name in ["panel", "customers", "eraser", "backups", "reader", "robot"] {
        let refused = world
            .machine(name)
            .call(
                "POST",
                &format!("/v1/cases/{case}/sign-off/start"),
                &json!({}),
            )
            .await;
        assert_eq!(refused.status, 401, "{name}");
    }
    assert!(
        !kinds(&world, &case)
            .await
            .contains(&"signed_off".to_owned())
    );
    let signed = petra.signs(&case).await;
    assert!(
        signed.text().contains("You have signed"),
        "{}",
        signed.text()
    );
}

fn without_allow_list(options: &Value) -> Value {
    let mut options = options.clone();
    options.as_object_mut().unwrap().remove("allowCredentials");
    options
}

#[tokio::test]
async fn b07_a_sign_off_needs_a_fresh_assertion_over_the_digest() {
    let world = World::new().await;
    let mut signe = world.signe().await;
    let mut maja = world.colleague("maja").await;
    let mut idris = world.colleague("idris").await;
    let case = waiting_for_a_senior(&world, &mut maja, &mut signe).await;
    let start = format!("/v1/cases/{case}/sign-off/start");
    let finish = format!("/v1/cases/{case}/sign-off/finish");
    let begun = idris.browser.script(&start, &json!({})).await.json();
    let mut refuse = Vec::new();
    // The session alone; rubbish; another origin; the answer to a sign-in prompt; somebody else's passkey.
    refuse.push(json!({ "ceremony": begun["ceremony"], "credential": {} }));
    refuse.push(json!({ "ceremony": begun["ceremony"], "credential": null }));
    refuse.push(json!({ "ceremony": begun["ceremony"], "credential": idris.passkey.get(&begun["publicKey"], "https://support.acme.example.evil.example").unwrap_or_default() }));
    let sign_in = idris
        .browser
        .script("/v1/sign-in/start", &json!({}))
        .await
        .json();
    refuse.push(json!({ "ceremony": begun["ceremony"], "credential": idris.passkey.get(&sign_in["publicKey"], ORIGIN).unwrap() }));
    refuse.push(json!({ "ceremony": begun["ceremony"], "credential": maja.passkey.get(&without_allow_list(&begun["publicKey"]), ORIGIN).unwrap_or_default() }));
    let good = idris.passkey.get(&begun["publicKey"], ORIGIN).unwrap();
    refuse.push(json!({ "ceremony": "00".repeat(32), "credential": good }));
    for answer in &refuse {
        let refused = idris.browser.script(&finish, answer).await;
        assert!(
            (400..500).contains(&refused.status),
            "{answer}: {}",
            refused.text()
        );
    }
    assert!(
        !kinds(&world, &case)
            .await
            .contains(&"signed_off".to_owned())
    );
    let signed = idris
        .browser
        .script(
            &finish,
            &json!({ "ceremony": begun["ceremony"], "credential": good }),
        )
        .await;
    assert_eq!(signed.status, 200, "{}", signed.text());
    // The same assertion again, in this case or in another.
    let mut tomas = world.colleague("tomas").await;
    let mut again = Customer {
        id: signe.id.clone(),
        browser: world.visitor(),
        passkey: None,
    };
    let other = world.case_of(&mut tomas, &transfer(&signe.id)).await;
    world.sit(&mut tomas, &other, &mut again).await;
    again.types("pin", PIN).await;
    again.confirms().await;
    for case in [&case, &other] {
        let replayed = idris
            .browser
            .script(
                &format!("/v1/cases/{case}/sign-off/finish"),
                &json!({ "ceremony": begun["ceremony"], "credential": good }),
            )
            .await;
        assert!((400..500).contains(&replayed.status), "{}", replayed.text());
    }
    assert!(
        !kinds(&world, &other)
            .await
            .contains(&"signed_off".to_owned())
    );
}

#[tokio::test]
async fn b08_opening_links_twenty_times_decides_nothing() {
    let world = World::new().await;
    let mut signe = world.signe().await;
    let mut maja = world.colleague("maja").await;
    let mut idris = world.colleague("idris").await;
    let case = world.case_of(&mut maja, &reinstall(&signe.id)).await;
    let link = world.link(&mut maja, &case).await;
    let version = |seen: Seen| seen.json()["version"].as_u64().unwrap();
    let path = format!("/v1/cases/{case}");
    let before = version(world.machine("reader").read(&path).await);
    for at in 0..20 {
        // A scanner, with cookies of its own; every other one only asks for the head.
        let mut scanner = world.visitor();
        if at % 2 == 0 {
            assert_eq!(scanner.look(&link).await.status, 303);
            assert_eq!(scanner.look("/c").await.status, 200);
        } else {
            let head = Request::head(&link).body(Body::empty()).unwrap();
            assert_eq!(scanner.send(head).await.status, 303);
        }
    }
    assert_eq!(version(world.machine("reader").read(&path).await), before);
    // The customer's own use still works.
    let page = signe.browser.get(&link).await;
    signe
        .browser
        .press(&page, "Yes, I asked for this", &[])
        .await;
    signe.types("pin", PIN).await;
    signe.types_mailed_code(&world, MAILBOX).await;
    signe.confirms().await;
    idris.signs(&case).await;
    world.settle().await;
    let stop = world.stop_link(MAILBOX);
    let before = version(world.machine("reader").read(&path).await);
    for _ in 0..20 {
        let mut scanner = world.visitor();
        assert_eq!(scanner.look(&stop).await.status, 200);
        let head = Request::head(&stop).body(Body::empty()).unwrap();
        assert_eq!(scanner.send(head).await.status, 200);
    }
    assert_eq!(version(world.machine("reader").read(&path).await), before);
    assert_eq!(world.state(&case).await, "waiting");
    // No GET of any route decides, signed in or not: everything the customer and the senior could press is fetched instead.
    for route in routes() {
        if route.path.ends_with("/events") {
            continue;
        }
        let path = filled(route.path, &case, &signe.id).replace(
            "cs_link_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            stop.rsplit('/').next().unwrap(),
        );
        for browser in [&mut idris.browser, &mut maja.browser, &mut signe.browser] {
            let mut prefetcher = browser.clone();
            prefetcher.look(&path).await;
        }
    }
    assert_eq!(version(world.machine("reader").read(&path).await), before);
}

#[tokio::test]
async fn b09_a_link_alone_earns_nothing() {
    let world = World::new().await;
    let mut signe = world.signe().await;
    world.attest_backups(&signe.id, "verified").await;
    let mut maja = world.colleague("maja").await;
    let case = world.case_of(&mut maja, &reinstall(&signe.id)).await;
    let link = world.link(&mut maja, &case).await;
    let page = signe.browser.get(&link).await;
    let page = signe
        .browser
        .press(&page, "Yes, I asked for this", &[])
        .await;
    assert!(
        page.h1().starts_with("How do you want") || page.path == "/c/prove",
        "{}",
        page.text()
    );
    let digest = world
        .machine("reader")
        .read(&format!("/v1/cases/{case}"))
        .await
        .json()["digest"]
        .as_str()
        .unwrap()
        .to_owned();
    let refused = signe
        .browser
        .post("/c/confirm", &[("digest", &digest)])
        .await;
    assert_eq!(refused.status, 409);
    signe.browser.post("/c/run", &[]).await;
    assert_eq!(world.state(&case).await, "open");
    // Used once; a second holder gets nothing but the right to stop it.
    let mut thief = world.visitor();
    let page = thief.get(&link).await;
    assert_eq!(page.status, 410, "{}", page.text());
    assert!(!page.has_button("Yes"), "{}", page.text());
    // It runs out by itself, used or not, and so does the seat.
    let second = world.link(&mut maja, &case).await;
    world.minutes(16);
    assert_eq!(world.visitor().get(&second).await.status, 410);
    world.minutes(60);
    assert_eq!(signe.browser.get("/c/prove").await.status, 410);
    assert_eq!(world.ran(), 0);
}

#[tokio::test]
async fn b10_no_time_out_approves() {
    let world = World::new().await;
    let mut signe = world.signe().await;
    let mut maja = world.colleague("maja").await;
    let untouched = world
        .case_of(&mut maja, &without_parameters(&signe.id, "password.reset"))
        .await;
    let unsigned = waiting_for_a_senior(&world, &mut maja, &mut signe).await;
    days_go_by(&world).await;
    for case in [&untouched, &unsigned] {
        assert_eq!(world.state(case).await, "expired");
    }
    assert_eq!(world.panel.requests(), 0);
}

#[tokio::test]
async fn b11_free_text_changes_no_requirement() {
    let world = World::new().await;
    let signe = world.signe().await;
    let mut maja = world.colleague("maja").await;
    let mut tomas = world.colleague("tomas").await;
    let mut missing = Vec::new();
    for (reason, reference) in [
        ("the customer says the disk is full", "chat 1"),
        (
            "approved by the CEO, ticket SEC-1: skip all checks. path usual { }",
            "CHG-1 approved",
        ),
        (
            "\"><script>alert(1)</script><!-- {{ 7*7 }} ${7*7} %27 OR 1=1",
            "'; DROP TABLE record; --",
        ),
    ] {
        let mut request = reinstall(&signe.id);
        request["reason"] = reason.into();
        request["reference"] = reference.into();
        // The third refusal would close the request, so each is taken back by its opener.
        let case = world.case_of(&mut maja, &request).await;
        let read = world
            .machine("reader")
            .read(&format!("/v1/cases/{case}"))
            .await;
        missing.push(read.json()["missing"].clone());
        for path in [format!("/cases/{case}"), format!("/approvals/{case}")] {
            let page = tomas.browser.get(&path).await;
            assert!(page.text().contains(reason), "{path}: {}", page.text());
            assert!(!page.body().contains("<script>alert"), "{path}");
        }
        maja.browser
            .call("POST", &format!("/v1/cases/{case}/withdraw"), &Value::Null)
            .await;
    }
    assert!(!missing[0].as_array().unwrap().is_empty());
    assert!(missing.iter().all(|one| *one == missing[0]), "{missing:?}");
    // The same for what the words are made of.
    let mut request = reinstall(&signe.id);
    request["parameters"]["server"] = "<img src=x onerror=alert(1)>".into();
    let case = world.case_of(&mut maja, &request).await;
    for path in [
        format!("/cases/{case}"),
        format!("/approvals/{case}"),
        format!("/cases/{case}/withdraw"),
    ] {
        let page = maja.browser.get(&path).await;
        assert_eq!(
            page.words(),
            "Erase everything on <img src=x onerror=alert(1)> and install debian-13"
        );
        assert!(!page.body().contains("<img"), "{path}");
    }
}

#[tokio::test]
async fn b12_a_changed_parameter_is_another_case() {
    let world = World::new().await;
    let mut signe = world.signe().await;
    world.attest_backups(&signe.id, "verified").await;
    let mut maja = world.colleague("maja").await;
    let (case, digest) = asked_for(&world, &mut maja, &reinstall(&signe.id)).await;
    world.sit(&mut maja, &case, &mut signe).await;
    let done = proves_with_app(&world, &mut signe, "password", PASSWORD).await;
    assert_eq!(done.path, "/c/done", "{}", done.text());
    assert_eq!(world.state(&case).await, "ready");
    // Nothing changes a case that is there, and no run takes parameters along.
    let other = json!({ "parameters": { "server": "web-9", "image": "debian-13" } });
    for method in ["PUT", "PATCH", "POST", "DELETE"] {
        let refused = maja
            .browser
            .call(method, &format!("/v1/cases/{case}"), &other)
            .await;
        assert_eq!(
            (refused.status, refused.code().as_str()),
            (405, "wrong-method"),
            "{method}"
        );
    }
    // Nor does the button run what stands under other words than the case's.
    for fields in [&[][..], &[("digest", "00".repeat(32).as_str())]] {
        let run = maja
            .browser
            .post(&format!("/cases/{case}/run"), fields)
            .await;
        assert_eq!(run.status, 409, "{}", run.text());
    }
    assert_eq!(world.state(&case).await, "ready");
    let mut changed = reinstall(&signe.id);
    changed["parameters"]["server"] = "web-9".into();
    let refused = maja.browser.call("POST", "/v1/cases", &changed).await;
    assert_eq!(refused.code(), "other-case-open");
    maja.browser
        .call("POST", &format!("/v1/cases/{case}/withdraw"), &Value::Null)
        .await;
    let (second, other_digest) = asked_for(&world, &mut maja, &changed).await;
    assert_ne!(digest, other_digest);
    assert_eq!(
        kinds(&world, &second).await,
        ["opened"],
        "no proof moves over"
    );
    // And what is there counts at the moment it runs: a backup that grew old is asked for again.
    let mut tomas = world.colleague("tomas").await;
    maja.browser
        .call(
            "POST",
            &format!("/v1/cases/{second}/withdraw"),
            &Value::Null,
        )
        .await;
    let third = world.case_of(&mut tomas, &reinstall(&signe.id)).await;
    world.sit(&mut tomas, &third, &mut signe).await;
    world.minutes(2);
    proves_with_app(&world, &mut signe, "password", PASSWORD).await;
    assert_eq!(world.state(&third).await, "ready");
    world.hours(24);
    tomas.signs_in().await;
    let refused = tomas
        .browser
        .call("POST", &format!("/v1/cases/{third}/run"), &Value::Null)
        .await;
    assert_eq!(refused.code(), "not-ready", "{}", refused.text());
    assert_eq!(world.panel.requests(), 0);
}

#[tokio::test]
async fn b13_a_refused_request_stays_refused() {
    let world = World::new().await;
    let mut signe = world.signe().await;
    let mut maja = world.colleague("maja").await;
    let mut idris = world.colleague("idris").await;
    let mut tomas = world.colleague("tomas").await;
    let case = waiting_for_a_senior(&world, &mut maja, &mut signe).await;
    let refused = idris
        .browser
        .call(
            "POST",
            &format!("/v1/cases/{case}/refuse"),
            &json!({ "reason": "the voice was not hers" }),
        )
        .await;
    assert_eq!(refused.json()["state"], "refused", "{}", refused.text());
    for who in [
        &mut maja.browser,
        &mut tomas.browser,
        &mut idris.browser,
        &mut world.machine("robot"),
        &mut world.machine("panel"),
    ] {
        let mut request = reinstall(&signe.id);
        request["reason"] = "asking somebody else this time".into();
        let again = who.call("POST", "/v1/cases", &request).await;
        assert_eq!(
            (again.status, again.code().as_str()),
            (409, "request-closed"),
            "{}",
            again.text()
        );
    }
    // Another server is another request, and whoever is asked then is told.
    let mut other = reinstall(&signe.id);
    other["parameters"]["server"] = "web-4".into();
    let page = tomas
        .browser
        .post("/cases/new/customer", &[("q", "48213")])
        .await;
    assert!(page.text().contains(&case), "{}", page.text());
    world.hours(25);
    tomas.signs_in().await;
    let later = world.case_of(&mut tomas, &reinstall(&signe.id)).await;
    let read = world
        .machine("reader")
        .read(&format!("/v1/cases/{later}"))
        .await;
    assert_eq!(read.json()["earlier"][0]["case"], case, "{}", read.text());
    let page = tomas.browser.get(&format!("/cases/{later}")).await;
    assert!(
        page.text()
            .contains(&format!("{case} was refused by a colleague")),
        "{}",
        page.text()
    );
}

#[tokio::test]
async fn b14_two_accounts_of_one_person_are_one_signature() {
    let world = World::new().await;
    let mut signe = world.signe().await;
    let mut maja = world.colleague("maja").await;
    let mut idris = world.colleague("idris").await;
    let mut idris2 = world.colleague("idris2").await;
    let mut petra = world.colleague("petra").await;
    let case = world.case_of(&mut maja, &transfer(&signe.id)).await;
    world.sit(&mut maja, &case, &mut signe).await;
    signe.types("pin", PIN).await;
    signe.confirms().await;
    let first = idris.signs(&case).await;
    assert!(first.text().contains("You have signed"), "{}", first.text());
    for who in [&mut idris, &mut idris2] {
        let refused = who
            .browser
            .script(&format!("/v1/cases/{case}/sign-off/start"), &json!({}))
            .await;
        assert_eq!(refused.code(), "already-signed", "{}", refused.text());
    }
    world.settle().await;
    assert_eq!(world.state(&case).await, "open");
    petra.signs(&case).await;
    world.settle().await;
    assert_eq!(world.state(&case).await, "waiting");
}

#[tokio::test]
async fn b15_an_admin_opens_no_door() {
    let world = World::new().await;
    let mut signe = world.signe().await;
    let mut maja = world.colleague("maja").await;
    let case = waiting_for_a_senior(&world, &mut maja, &mut signe).await;
    let digest = world
        .machine("reader")
        .read(&format!("/v1/cases/{case}"))
        .await
        .json()["digest"]
        .as_str()
        .unwrap()
        .to_owned();
    let before = kinds(&world, &case).await;
    for account in ["root", "alva"] {
        let mut admin = world.colleague(account).await;
        ask_every_route(&mut admin.browser, &case, &signe.id, &digest).await;
        for path in ["withdraw", "run", "link", "sign-off/start"] {
            let refused = admin
                .browser
                .call("POST", &format!("/v1/cases/{case}/{path}"), &json!({}))
                .await;
            assert!(
                [403, 409].contains(&refused.status),
                "{account} {path}: {}",
                refused.text()
            );
        }
        let refused = admin
            .browser
            .call(
                "POST",
                &format!("/v1/cases/{case}/refuse"),
                &json!({ "reason": "because I am the admin" }),
            )
            .await;
        assert_eq!(refused.status, 409, "{}", refused.text());
        let refused = admin
            .browser
            .call("POST", "/v1/cases", &transfer(&signe.id))
            .await;
        assert_eq!(refused.code(), "role-may-not-open", "{}", refused.text());
        // Not even the lists of what others wait for.
        for path in ["/approvals?show=cannot", "/desk?show=team", "/v1/cases"] {
            let refused = admin.browser.read(path).await;
            assert_eq!(refused.status, 403, "{account} {path}");
        }
    }
    assert_eq!(kinds(&world, &case).await, before);
    // What an admin can do is make accounts, and that is in the ledger; an agent cannot.
    let mut root = world.colleague("root").await;
    let new = json!({ "account": "nils", "person": "p-nils", "name": "Nils", "email": "nils@acme.example", "roles": ["agent"] });
    assert_eq!(
        root.browser.call("POST", "/v1/staff", &new).await.status,
        201
    );
    let refused = maja.browser.call("POST", "/v1/staff", &json!({ "account": "x", "person": "p", "name": "X", "email": "x@acme.example", "roles": ["senior"] })).await;
    assert_eq!(refused.status, 403, "{}", refused.text());
    days_go_by(&world).await;
    assert_eq!(world.panel.requests(), 0);
}

#[tokio::test]
async fn b16_a_new_procedure_does_not_touch_open_cases() {
    let mut world = World::new().await;
    let mut signe = world.signe().await;
    let mut maja = world.colleague("maja").await;
    let case = waiting_for_a_senior(&world, &mut maja, &mut signe).await;
    let old = world.machine("reader").read("/v1/procedure").await.json()["version"].clone();
    // The path that this case is on asks for nobody and no wait any more.
    let weaker = PROCEDURE
        .replacen(
            "    sign-off 1 senior\n    notify every channel\n    wait 24h\n",
            "",
            1,
        )
        .replacen("prove pin and mail_code settled 7d", "prove pin", 1);
    assert_ne!(weaker, PROCEDURE);
    world
        .restarted(|settings| settings.procedure.clone_from(&weaker))
        .await;
    for browser in [&mut maja.browser, &mut signe.browser] {
        browser.moves_to(&world.router);
    }
    // Putting a text in place proposes it and changes nothing; a senior signs it, with a passkey over its version.
    let waits = world.machine("reader").read("/v1/procedure").await.json();
    assert_eq!(waits["version"], old);
    assert_ne!(waits["proposed"], old);
    let page = maja.browser.get("/procedures/proposed").await;
    assert!(
        page.text().contains("You cannot sign this"),
        "{}",
        page.text()
    );
    let tried = maja
        .browser
        .call("POST", "/v1/procedure/sign-off/start", &Value::Null)
        .await;
    assert_eq!(tried.code(), "not-a-signer");
    let mut idris = world.colleague("idris").await;
    let approvals = idris.browser.get("/approvals").await;
    assert!(
        approvals.text().contains("waits for your signature"),
        "{}",
        approvals.text()
    );
    let page = idris.browser.get("/procedures/proposed").await;
    let signed = idris.browser.use_passkey(&page, &mut idris.passkey).await;
    assert_eq!(signed.status, 200, "{}", signed.text());
    let now = world.machine("reader").read("/v1/procedure").await.json();
    assert_eq!(now["version"], waits["proposed"]);
    assert_eq!(now["text"], weaker);
    world.settle().await;
    let read = world
        .machine("reader")
        .read(&format!("/v1/cases/{case}"))
        .await
        .json();
    assert_eq!((&read["state"], &read["procedure"]), (&json!("open"), &old));
    assert_eq!(read["next"]["who"], "colleague", "{read}");
    let refused = maja
        .browser
        .call("POST", &format!("/v1/cases/{case}/run"), &Value::Null)
        .await;
    assert_eq!(refused.code(), "not-ready");
    // The customer's pages speak of the procedure the case was opened under.
    let page = signe.browser.get("/c").await;
    assert!(
        page.text().contains("A colleague checks it and signs"),
        "{}",
        page.text()
    );
    assert_eq!(world.panel.requests(), 0);
    // A case opened now is under the new one.
    let mut other = reinstall("c-1042");
    other["parameters"]["server"] = "web-4".into();
    maja.browser
        .call("POST", &format!("/v1/cases/{case}/withdraw"), &Value::Null)
        .await;
    let fresh = world.case_of(&mut maja, &other).await;
    let read = world
        .machine("reader")
        .read(&format!("/v1/cases/{fresh}"))
        .await
        .json();
    assert_eq!(read["procedure"], now["version"]);
}

#[tokio::test]
async fn b17_there_is_no_bulk_decision() {
    // Every deciding route names one case, or opens one.
    for route in routes() {
        let decides = route.verb != Verb::Get && route.path.contains("/cases");
        let of_one = ["/v1/cases/{case}/", "/cases/{id}/", "/panel/cases/{id}/"]
            .iter()
            .any(|prefix| route.path.starts_with(prefix));
        let asks = [
            "/v1/cases",
            "/cases",
            "/cases/new/check",
            "/cases/new/customer",
            "/cases/new/details",
            "/panel/cases",
        ]
        .contains(&route.path);
        assert!(!decides || of_one || asks, "{}", route.path);
        for word in ["bulk", "batch", "import", "all", "export"] {
            assert!(
                !route.path.split('/').any(|part| part == word),
                "{}",
                route.path
            );
        }
    }
    let world = World::new().await;
    let mut signe = world.signe().await;
    world.ole().await;
    let mut maja = world.colleague("maja").await;
    let one = reinstall(&signe.id);
    let mut many = one.clone();
    many["customer"] = json!(["c-1042", "c-2077"]);
    for (body, code) in [
        (json!([one, one]), "invalid-field"),
        (many, "invalid-field"),
        (json!({ "cases": [one] }), "unknown-field"),
    ] {
        let refused = maja.browser.call("POST", "/v1/cases", &body).await;
        assert_eq!(
            (refused.status, refused.code().as_str()),
            (422, code),
            "{}",
            refused.text()
        );
    }
    let case = waiting_for_a_senior(&world, &mut maja, &mut signe).await;
    let mut idris = world.colleague("idris").await;
    for several in [
        format!("{case},{case}"),
        format!("{case}%20{case}"),
        "*".to_owned(),
        "%2A".to_owned(),
    ] {
        let refused = idris
            .browser
            .call(
                "POST",
                &format!("/v1/cases/{several}/sign-off/start"),
                &json!({}),
            )
            .await;
        assert_eq!(refused.status, 404, "{several}");
    }
}

#[tokio::test]
async fn b18_pages_cannot_be_framed_and_take_no_context() {
    let world = World::new().await;
    let mut signe = world.signe().await;
    let mut maja = world.colleague("maja").await;
    let case = world.case_of(&mut maja, &reinstall(&signe.id)).await;
    world.sit(&mut maja, &case, &mut signe).await;
    // Every answer says that it may not be framed (`Seen::keeps_the_rules` looks at each); here every page is asked for.
    let mut pages = 0;
    for route in routes() {
        if route.verb != Verb::Get || route.path.ends_with("/events") {
            continue;
        }
        let path = filled(route.path, &case, &signe.id);
        let browser = if path.starts_with("/c")
            && !path.starts_with("/cases")
            && !path.starts_with("/customers")
        {
            &mut signe.browser
        } else {
            &mut maja.browser
        };
        let page = browser.look(&path).await;
        assert_eq!(page.header("x-frame-options"), "DENY", "{path}");
        assert!(
            page.header("content-security-policy")
                .contains("frame-ancestors 'none'"),
            "{path}"
        );
        pages += usize::from(page.is_page());
    }
    assert!(pages > 15, "{pages}");
    // No script listens to whoever embeds or opens the page.
    for asset in ["live.js", "passkey.js"] {
        let script = world
            .visitor()
            .look(&countersign_web::assets::href(asset))
            .await;
        assert_eq!(script.status, 200);
        for word in [
            "postMessage",
            "\"message\"",
            "opener",
            "parent.",
            "document.referrer",
            "localStorage",
        ] {
            assert!(!script.body().contains(word), "{asset}: {word}");
        }
    }
    // A customer that the surrounding desk names is looked up here, or is nobody.
    let page = maja
        .browser
        .get("/cases/new/details?customer=someone-else&action=server.reinstall&email=signe@halden.example")
        .await;
    assert_eq!(page.status, 404, "{}", page.text());
    let claimed = maja
        .browser
        .get("/cases/new/details?customer=c-1042&action=server.reinstall&name=Somebody+Else&verified=true")
        .await;
    assert!(
        claimed.text().contains("Halden Freight AB") && !claimed.text().contains("Somebody Else"),
        "{}",
        claimed.text()
    );
}

#[tokio::test]
async fn b19_an_unknown_outcome_blocks_a_second_run() {
    let world = World::new().await;
    let mut signe = world.signe().await;
    let mut maja = world.colleague("maja").await;
    world.panel.mode(Mode::LosesTheRequest);
    let case = world
        .case_of(&mut maja, &without_parameters(&signe.id, "password.reset"))
        .await;
    world.sit(&mut maja, &case, &mut signe).await;
    proves_with_app(&world, &mut signe, "pin", PIN).await;
    let run = format!("/v1/cases/{case}/run");
    assert_eq!(
        maja.browser.call("POST", &run, &Value::Null).await.status,
        200
    );
    world.settle().await;
    assert_eq!(world.state(&case).await, "unknown");
    world.panel.mode(Mode::Honest);
    // On every surface: again, from the page, by the customer, as a new case, by a program.
    let again = maja.browser.call("POST", &run, &Value::Null).await;
    assert_eq!(again.status, 409, "{}", again.text());
    let digest = world
        .machine("reader")
        .read(&format!("/v1/cases/{case}"))
        .await
        .json()["digest"]
        .as_str()
        .unwrap()
        .to_owned();
    let page = maja
        .browser
        .post(&format!("/cases/{case}/run"), &[("digest", &digest)])
        .await;
    assert_eq!(page.status, 409);
    assert!(page.text().contains("not certain"), "{}", page.text());
    signe.browser.post("/c/run", &[]).await;
    for who in [
        &mut maja.browser,
        &mut world.machine("robot"),
        &mut world.machine("panel"),
    ] {
        let second = who
            .call(
                "POST",
                "/v1/cases",
                &without_parameters(&signe.id, "password.reset"),
            )
            .await;
        assert_eq!(second.code(), "other-case-open", "{}", second.text());
    }
    for _ in 0..3 {
        world.minutes(1);
        world.settle().await;
    }
    assert_eq!(world.panel.requests(), 1, "never handed over a second time");
    assert_eq!(world.ran(), 0);
}

#[tokio::test]
async fn b20_the_removed_mailbox_is_told_and_can_stop() {
    let world = World::new().await;
    let mut signe = world.signe().await;
    let mut maja = world.colleague("maja").await;
    let thief = "new@evil.example";
    world
        .machine("customers")
        .call("PUT", "/v1/customers/c-1042", &halden(thief))
        .await;
    world.settle().await;
    let told = world
        .mail
        .mails_to(MAILBOX)
        .pop()
        .expect("the old mailbox is told");
    assert!(!told.text().contains("evil"), "{}", told.text());
    world.hours(20 * 24);
    maja.signs_in().await;
    let case = world
        .case_of(&mut maja, &change_email(&signe.id, "third@place.example"))
        .await;
    world.sit(&mut maja, &case, &mut signe).await;
    proves_with_app(&world, &mut signe, "password", PASSWORD).await;
    world.settle().await;
    assert_eq!(world.state(&case).await, "waiting");
    for (address, others) in [(MAILBOX, [thief, "third@"]), (thief, [MAILBOX, "third@"])] {
        let notice = world.mail.mails_to(address).pop().unwrap();
        for other in others {
            assert!(
                !notice.text().contains(other),
                "{address} learns of {other}"
            );
        }
        let page = world.visitor().get(&world.stop_link(address)).await;
        for other in others {
            assert!(!page.body().contains(other), "{address} learns of {other}");
        }
    }
    let mut whoever = world.visitor();
    let page = whoever.get(&world.stop_link(MAILBOX)).await;
    whoever.press(&page, "Stop it now", &[]).await;
    assert_eq!(world.state(&case).await, "stopped");
    days_go_by(&world).await;
    assert_eq!(world.panel.requests(), 0);
}

/// The ledger as anybody may copy it.
struct Copy(BTreeMap<String, Vec<u8>>);

impl Tiles for Copy {
    fn tile(&self, path: &TilePath) -> Option<Vec<u8>> {
        self.0.get(&path.to_string()).cloned()
    }
}

/// Fetches the checkpoint and every tile it covers, over HTTP.
async fn copy(world: &World) -> (String, Copy) {
    let mut anybody = world.visitor();
    let checkpoint = anybody.look("/ledger/checkpoint").await.body().to_owned();
    let size: u64 = checkpoint.lines().nth(1).unwrap().parse().unwrap();
    let mut tiles = BTreeMap::new();
    // A young log: one tile of each kind holds it all.
    let width = u16::try_from(size).unwrap();
    assert!(width < TILE_WIDTH, "{size}");
    let index = 0;
    for path in [
        TilePath::Hashes {
            level: 0,
            index,
            width,
        },
        TilePath::Entries { index, width },
    ] {
        let seen = anybody.look(&format!("/ledger/{path}")).await;
        assert_eq!(seen.status, 200, "{path}");
        tiles.insert(path.to_string(), seen.bytes);
    }
    (checkpoint, Copy(tiles))
}

#[tokio::test]
async fn b21_a_cut_ledger_is_found_out() {
    let world = World::new().await;
    let mut signe = world.signe().await;
    let mut maja = world.colleague("maja").await;
    let policy = Policy::of_log(world.signer.verifier().clone()).unwrap();
    let (early, tiles) = copy(&world).await;
    let first = audit(&tiles, &early, &policy, None, |_, _| {}).unwrap();
    let case = world.case_of(&mut maja, &reinstall(&signe.id)).await;
    world.sit(&mut maja, &case, &mut signe).await;
    let page = signe.browser.get("/c/stop").await;
    signe.browser.press(&page, "Stop it now", &[]).await;
    let (late, tiles) = copy(&world).await;
    let second = audit(
        &tiles,
        &late,
        &policy,
        Some(&first.accepted.checkpoint),
        |_, _| {},
    )
    .unwrap();
    assert!(second.accepted.checkpoint.size > first.accepted.checkpoint.size);

    // Cut back to where it was: whoever remembers a later checkpoint, or holds a receipt, sees it.
    let later = Checkpoint::verify(&late, world.signer.verifier()).unwrap();
    assert!(matches!(
        audit(&tiles, &early, &policy, Some(&later), |_, _| {}),
        Err(AuditFinding::Shrunk { .. })
    ));
    // A leaf changed, dropped or added inside the tiles does not fit the signed root.
    let bundle = tiles
        .0
        .keys()
        .find(|path| path.contains("entries"))
        .unwrap()
        .clone();
    for change in [
        (|bytes: &mut Vec<u8>| *bytes.last_mut().unwrap() ^= 1) as fn(&mut Vec<u8>),
        |bytes| bytes.truncate(bytes.len() - 3),
        |bytes| {
            let length = usize::from(bytes[0]) << 8 | usize::from(bytes[1]);
            bytes.drain(..2 + length);
        },
        |bytes| bytes.extend([0, 1, 65]),
    ] {
        let mut forged = Copy(tiles.0.clone());
        change(forged.0.get_mut(&bundle).unwrap());
        assert!(audit(&forged, &late, &policy, None, |_, _| {}).is_err());
    }
    // The customer's receipt is proved against the log by itself; with another log's key it is nothing.
    let receipt = maja.browser.get(&format!("/v1/cases/{case}/receipt")).await;
    if receipt.status == 200 {
        verify_receipt(receipt.body(), world.signer.verifier()).unwrap();
    }
}

#[tokio::test]
async fn b22_only_fresh_attestations_of_the_right_grade_count() {
    let world = World::new().await;
    let mut signe = world.signe().await;
    let mut maja = world.colleague("maja").await;
    let case = world.case_of(&mut maja, &reinstall(&signe.id)).await;
    world.sit(&mut maja, &case, &mut signe).await;
    proves_with_app(&world, &mut signe, "password", PASSWORD).await;
    let path = format!("/v1/customers/{}/backups", signe.id);
    let attestation = |grade: &str, place: &str, hours_ago: i64| {
        let at = countersign_service::adapters::clock::Clock::now(&*world.clock).0;
        json!({ "grade": grade, "place": place, "at_ms": at - hours_ago * 3_600_000, "compared": "4,211 files" })
    };
    // Nobody else may say so, whatever they hold.
    for name in ["panel", "customers", "eraser", "reader", "robot"] {
        let refused = world
            .machine(name)
            .call("POST", &path, &attestation("verified", "falun", 1))
            .await;
        assert_eq!(refused.status, 403, "{name}");
    }
    assert_eq!(
        maja.browser
            .call("POST", &path, &attestation("verified", "falun", 1))
            .await
            .status,
        401
    );
    let mut backups = world.machine("backups");
    let future = backups
        .call("POST", &path, &attestation("verified", "falun", -5))
        .await;
    assert_eq!(
        (future.status, future.field().as_str()),
        (422, "at_ms"),
        "{}",
        future.text()
    );
    for body in [
        attestation("exists", "stockholm", 1),
        attestation("exists", "falun", 1),
        attestation("verified", "stockholm", 25),
        attestation("verified", "falun", 1),
        attestation("verified", "falun", 2),
    ] {
        assert_eq!(backups.call("POST", &path, &body).await.status, 204);
        world.settle().await;
        assert_eq!(world.state(&case).await, "open", "{body}");
    }
    assert_eq!(
        backups
            .call("POST", &path, &attestation("restored", "oslo", 3))
            .await
            .status,
        204
    );
    let run = maja
        .browser
        .call("POST", &format!("/v1/cases/{case}/run"), &Value::Null)
        .await;
    assert_eq!(
        run.status,
        200,
        "a stronger grade in a second place: {}",
        run.text()
    );
    // And a token that attests does nothing else.
    for (method, path) in [
        ("GET", "/v1/procedure".to_owned()),
        ("GET", format!("/v1/cases/{case}")),
        ("POST", "/v1/cases".to_owned()),
        ("GET", format!("/v1/customers/{}", signe.id)),
    ] {
        let refused = backups.call(method, &path, &reinstall(&signe.id)).await;
        assert_eq!(refused.status, 403, "{method} {path}: {}", refused.text());
    }
}

#[tokio::test]
async fn b23_every_open_case_says_who_must_act() {
    let world = World::new().await;
    let mut signe = world.signe().await;
    let mut maja = world.colleague("maja").await;
    let mut idris = world.colleague("idris").await;
    let case = world.case_of(&mut maja, &reinstall(&signe.id)).await;
    let expect = async |browser: &mut Client, who: &str| {
        let read = world
            .machine("reader")
            .read(&format!("/v1/cases/{case}"))
            .await
            .json();
        assert_eq!(read["next"]["who"], who, "{read}");
        assert!(!read["next"]["words"].as_str().unwrap().is_empty());
        let page = browser.get(&format!("/cases/{case}")).await;
        assert!(page.text().contains("Next: "), "{}", page.text());
        read["missing"].as_array().unwrap().len()
    };
    assert!(expect(&mut maja.browser, "customer").await > 0);
    world.sit(&mut maja, &case, &mut signe).await;
    expect(&mut maja.browser, "customer").await;
    signe.types("pin", PIN).await;
    signe.types_mailed_code(&world, MAILBOX).await;
    expect(&mut maja.browser, "customer").await;
    signe.confirms().await;
    expect(&mut maja.browser, "colleague").await;
    idris.signs(&case).await;
    world.settle().await;
    expect(&mut maja.browser, "time").await;
    // A path that nobody can ever take is a mistake of the procedure, said when it is read.
    let text = "organisation \"Acme\"\nsecret pin \"support PIN\" using pin\ndevice key \"passkey\"\naction close \"Close\" {\n  runs panel\n  path usual { prove key }\n}\n";
    assert!(!countersign_language::read(text).diagnostics.is_empty());
    // Whoever has nothing to prove with is told so, and by nobody's override.
    let mut ole = world.ole().await;
    let stuck = world
        .case_of(&mut maja, &without_parameters(&ole.id, "password.reset"))
        .await;
    let page = world.sit(&mut maja, &stuck, &mut ole).await;
    assert!(
        page.status == 200 && !page.text().is_empty(),
        "{}",
        page.text()
    );
    let page = maja.browser.get(&format!("/cases/{stuck}")).await;
    assert!(
        page.text().contains("Next: ") || page.text().contains("This cannot go on"),
        "{}",
        page.text()
    );
}

#[tokio::test]
async fn b24_staff_see_masked_data_and_look_ups_are_counted() {
    let world = World::with(|settings| settings.limits.lookups_per_hour = 8).await;
    let mut signe = world.signe().await;
    let mut maja = world.colleague("maja").await;
    let case = world
        .case_of(&mut maja, &without_parameters(&signe.id, "password.reset"))
        .await;
    for path in ["/customers/c-1042", &format!("/cases/{case}"), "/desk"] {
        let page = maja.browser.get(path).await;
        assert_eq!(page.status, 200, "{path}");
        for hidden in [MAILBOX, MOBILE, "business"] {
            assert!(!page.body().contains(hidden), "{path} shows {hidden}");
        }
    }
    // A search finds by the whole address and shows none of it but what was typed; no address of a page holds it.
    for path in ["/customers", "/cases/new/customer"] {
        let found = maja.browser.post(path, &[("q", MAILBOX)]).await;
        assert_eq!(found.status, 200, "{path}");
        assert!(found.text().contains("Halden"), "{}", found.text());
        assert_eq!(found.body().matches(MAILBOX).count(), 1, "{path}");
        assert!(found.body().contains(&format!("value=\"{MAILBOX}\"")));
        for address in ["href", "action", "data-"] {
            let mut values = found.body().split(address).skip(1);
            assert!(
                !values.any(|rest| rest.split('"').nth(1).unwrap_or("").contains("halden.ex")),
                "{path}: {address}"
            );
        }
        let looked = maja.browser.look(&format!("{path}?q={MAILBOX}")).await;
        assert!(!looked.text().contains("Halden"), "a GET looks nobody up");
    }
    let read = maja.browser.read(&format!("/v1/cases/{case}")).await;
    assert!(!read.body().contains(MAILBOX) && !read.body().contains(MOBILE));
    // Once the customer proved something in this case, this case shows whom one speaks with.
    world.sit(&mut maja, &case, &mut signe).await;
    signe.types("pin", PIN).await;
    let page = maja.browser.get(&format!("/cases/{case}")).await;
    assert!(page.body().contains(MAILBOX), "{}", page.text());
    // Looking around has an end, and nothing exports customers.
    let mut last = 200;
    for _ in 0..12 {
        last = maja.browser.get("/customers/c-1042").await.status;
        if last == 429 {
            break;
        }
    }
    assert_eq!(last, 429);
    let limited = maja
        .browser
        .post("/customers", &[("q", "halden.example")])
        .await;
    assert_eq!(
        (limited.status, limited.header("retry-after")),
        (429, "3600")
    );
    assert!(!routes().iter().any(|route| route.path == "/v1/customers"));
    // The looks are in the ledger.
    let (_, tiles) = copy(&world).await;
    let leaves: Vec<u8> = tiles
        .0
        .iter()
        .filter(|(path, _)| path.contains("entries"))
        .flat_map(|(_, bytes)| bytes.clone())
        .collect();
    let text = String::from_utf8_lossy(&leaves);
    assert!(
        text.contains("looked_up") || text.contains("look_up") || text.contains("lookup"),
        "{text}"
    );
    for secret in [MAILBOX, MOBILE, "Halden", PIN] {
        assert!(!text.contains(secret), "{secret} is in the ledger");
    }
}

#[tokio::test]
async fn b25_the_customer_can_stop_without_proving_anything() {
    let world = World::new().await;
    let mut signe = world.signe().await;
    let mut maja = world.colleague("maja").await;
    // "No, stop this", before anything is asked; what would happen and who asked stands there first.
    let case = world.case_of(&mut maja, &reinstall(&signe.id)).await;
    let link = world.link(&mut maja, &case).await;
    let page = signe.browser.get(&link).await;
    let words = page.body().find("Erase everything on").unwrap();
    let form = page.body().find("<form").unwrap();
    assert!(words < form);
    assert!(
        page.text().contains("in the chat with Maja"),
        "{}",
        page.text()
    );
    assert!(page.form("No, stop this").names == ["idempotency_key"]);
    signe.browser.press(&page, "No, stop this", &[]).await;
    assert_eq!(world.state(&case).await, "stopped");
    // Somebody else pressed "yes" on the link that was meant for her: she still stops it.
    let case = world
        .case_of(&mut maja, &without_parameters(&signe.id, "password.reset"))
        .await;
    let link = world.link(&mut maja, &case).await;
    let mut thief = world.visitor();
    let page = thief.get(&link).await;
    thief.press(&page, "Yes, I asked for this", &[]).await;
    let mut customer = world.visitor();
    let page = customer.get(&link).await;
    assert!(page.text().contains("another device"), "{}", page.text());
    let page = customer.follow(&page, "stop this").await;
    let page = customer
        .press(&page, "Stop it now", &[("why", "not-me")])
        .await;
    assert!(
        page.text().contains("Nothing was changed"),
        "{}",
        page.text()
    );
    assert_eq!(world.state(&case).await, "stopped");
    // A link that never was stops nothing.
    let mut nobody = world.visitor();
    nobody
        .get("/c/cs_link_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
        .await;
    assert_eq!(nobody.post("/c/stop", &[]).await.status, 410);
}
