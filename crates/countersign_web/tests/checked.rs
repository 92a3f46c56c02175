//! Proofs by the company's own checker, on the customer's page and at the door where the checker answers.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, header};
use countersign_cases::Timestamp;
use countersign_service::adapters::clock::SettableClock;
use countersign_service::adapters::webhooks::WebhookHeaders;
use countersign_web::routes::{Door, routes};
use serde_json::{Value, json};

use crate::live::Stream;
use crate::world::checker::{Checker, Says};
use crate::world::{
    Client, Colleague, Customer, MAILBOX, MONDAY, ORIGIN, Seen, World, halden, reinstall,
};

const PROCEDURE: &str = include_str!("../../countersign_service/tests/gate/checked.procedure");
const SECRET: &str = "whsec_ZG9vcmRvb3Jkb29yZG9vcmRvb3Jkb29yZG9vcmRvb3I=";

struct Company {
    world: World,
    door: Checker,
    signe: Customer,
    maja: Colleague,
    case: String,
}

impl Company {
    /// Signe sits at her page.
    async fn new() -> Self {
        // It does not tell the world's time, which no test here moves by more than a webhook may be old.
        let clock = Arc::new(SettableClock::new(MONDAY));
        let door = Checker::start(SECRET, clock).await;
        let world = World::with(|settings| {
            PROCEDURE.clone_into(&mut settings.procedure);
            settings.checkers = vec![door.settings("door"), door.settings("invoice")];
        })
        .await;
        let mut body = halden(MAILBOX);
        body["contacts"].as_array_mut().unwrap().truncate(1);
        body["held"] = json!([{ "holding": "badge" }, { "holding": "invoice" }]);
        let put = world
            .machine("customers")
            .call("PUT", "/v1/customers/c-1042", &body)
            .await;
        assert_eq!(put.status, 201, "{}", put.text());
        let mut signe = Customer {
            id: "c-1042".to_owned(),
            browser: world.visitor(),
            passkey: None,
        };
        let mut maja = world.colleague("maja").await;
        let case = world.case_of(&mut maja, &reinstall(&signe.id)).await;
        world.sit(&mut maja, &case, &mut signe).await;
        Self {
            world,
            door,
            signe,
            maja,
            case,
        }
    }

    async fn looks(&mut self) -> Seen {
        self.signe.browser.get("/c/prove/door").await
    }

    /// Presses the button, and the worker puts the question.
    async fn asks(&mut self) -> Value {
        let page = self.looks().await;
        let page = self.signe.browser.press(&page, "Check it now", &[]).await;
        assert_eq!(page.status, 200, "{}", page.text());
        self.world.settle().await;
        self.door.asked().last().cloned().unwrap()
    }

    fn message(&self, id: &str, question: &Value, result: &str) -> (WebhookHeaders, Vec<u8>) {
        let body = json!({ "question": question["question"], "result": result }).to_string();
        let now = self.world.gate.now();
        let headers = self.door.signs(id, now, body.as_bytes());
        (headers, body.into_bytes())
    }

    async fn answers(&self, id: &str, question: &Value, result: &str) -> Seen {
        let (headers, body) = self.message(id, question, result);
        post(&mut self.world.visitor(), question, &headers, &body).await
    }
}

/// A message at the address the question named.
async fn post(
    caller: &mut Client,
    question: &Value,
    headers: &WebhookHeaders,
    body: &[u8],
) -> Seen {
    let address = question["answer_to"].as_str().unwrap();
    let request = Request::post(address.strip_prefix(ORIGIN).unwrap())
        .header(header::CONTENT_TYPE, "application/json")
        .header("webhook-id", &headers.id)
        .header("webhook-timestamp", &headers.timestamp)
        .header("webhook-signature", &headers.signature)
        .body(Body::from(body.to_vec()))
        .unwrap();
    caller.send(request).await
}

#[tokio::test]
async fn a_customer_asks_waits_and_goes_on() {
    let mut company = Company::new().await;
    let page = company.looks().await;
    assert_eq!(
        (page.status, page.h1().as_str()),
        (200, "Let us check this")
    );
    let question = company.asks().await;
    let page = company.looks().await;
    assert_eq!(page.h1(), "We are checking");
    assert!(!page.has_button("Check it now"), "{}", page.text());
    // It moves on by itself, and by reloading.
    let mut stream = Stream::open(
        &mut company.signe.browser.clone(),
        "/c/prove/door/check/events",
        None,
    )
    .await;
    let answered = company.answers("msg_1", &question, "proved").await;
    assert_eq!(answered.status, 204, "{}", answered.text());
    let mut patch = stream.next().await.unwrap();
    while !patch.data.contains("We checked it") {
        patch = stream.next().await.unwrap();
    }
    let page = company.looks().await;
    assert_eq!(page.path, "/c/confirm", "{}", page.text());
    company.signe.confirms().await;
    assert_eq!(company.world.state(&company.case).await, "ready");
    // The same message again is taken again.
    let again = company.answers("msg_1", &question, "proved").await;
    assert_eq!((again.status, again.code().as_str()), (204, ""));
    let changed = company.answers("msg_2", &question, "refused").await;
    assert_eq!(
        (changed.status, changed.code().as_str()),
        (409, "question-over")
    );
}

#[tokio::test]
async fn every_way_it_can_end_has_its_words() {
    let mut company = Company::new().await;
    company.door.says(Says::Now("refused"));
    company.asks().await;
    let page = company.looks().await;
    assert_eq!(page.status, 422);
    assert!(
        page.text().contains("It counts as one try"),
        "{}",
        page.text()
    );
    // The button is there again, for a little later.
    let page = company
        .signe
        .browser
        .press(&page, "Check it now", &[])
        .await;
    assert!(
        page.text().contains("We asked a moment ago"),
        "{}",
        page.text()
    );

    company.world.minutes(1);
    company
        .door
        .says(Says::Raw(503, String::new(), String::new()));
    company.asks().await;
    let page = company.looks().await;
    assert_eq!(page.status, 422);
    assert!(
        page.text().contains("We cannot check this right now"),
        "{}",
        page.text()
    );

    company.world.minutes(1);
    company.door.says(Says::Later);
    company.asks().await;
    let mut stream = Stream::open(
        &mut company.signe.browser.clone(),
        "/c/prove/door/check/events",
        None,
    )
    .await;
    company.world.minutes(5);
    company.world.settle().await;
    let mut patch = stream.next().await.unwrap();
    while !patch.data.contains("This was not confirmed") {
        patch = stream.next().await.unwrap();
    }
    let page = company.looks().await;
    assert!(
        page.text().contains("No answer came in time"),
        "{}",
        page.text()
    );
    assert_eq!(company.world.state(&company.case).await, "open");
}

#[tokio::test]
async fn b01_nobody_but_the_checker_answers_for_it() {
    let mut company = Company::new().await;
    let question = company.asks().await;
    let (headers, body) = company.message("msg_1", &question, "proved");
    let unsigned = WebhookHeaders {
        signature: String::new(),
        ..headers.clone()
    };
    let before = company.world.gate.position();
    let mut seat = company.signe.browser.clone();
    let senior = company.world.colleague("idris").await;
    let admin = company.world.colleague("root").await;
    let mut callers = vec![company.maja.browser.clone(), senior.browser, admin.browser];
    for name in [
        "panel",
        "customers",
        "backups",
        "reader",
        "robot",
        "reconciler",
        "eraser",
    ] {
        callers.push(company.world.machine(name));
    }
    callers.push(company.world.visitor());
    let settled = company.world.gate.position();
    for caller in callers.iter_mut().chain([&mut seat]) {
        let mut said = Vec::new();
        let elsewhere = json!({ "answer_to": format!("{ORIGIN}/v1/questions/q_never") });
        for address in [&question, &elsewhere] {
            let seen = post(caller, address, &unsigned, &body).await;
            said.push((seen.status, seen.text()));
        }
        assert_eq!(said[0].0, 401, "{}", said[0].1);
        assert!(said[0].1.contains("not-signed"), "{}", said[0].1);
        assert_eq!(
            said[0], said[1],
            "there is such a question, or is not: the same words"
        );
    }
    // Nor does a session or token beside a bad signature help, or a good signature of something else.
    let old = company.door.signs(
        "msg_1",
        Timestamp(company.world.gate.now().0 - 301_000),
        &body,
    );
    let changed = String::from_utf8(body.clone()).unwrap().replace(' ', "  ") + " ";
    for (headers, body) in [(&old, body.as_slice()), (&headers, changed.as_bytes())] {
        let seen = post(&mut company.maja.browser, &question, headers, body).await;
        assert_eq!((seen.status, seen.code().as_str()), (401, "not-signed"));
    }
    // Each header once: of two, nobody knows which was signed.
    let address = question["answer_to"].as_str().unwrap();
    let request = Request::post(address.strip_prefix(ORIGIN).unwrap())
        .header(header::CONTENT_TYPE, "application/json")
        .header("webhook-id", "msg_0")
        .header("webhook-id", &headers.id)
        .header("webhook-timestamp", &headers.timestamp)
        .header("webhook-signature", &headers.signature)
        .body(Body::from(body.clone()))
        .unwrap();
    let twice = company.world.visitor().send(request).await;
    assert_eq!((twice.status, twice.code().as_str()), (401, "not-signed"));
    let request = Request::post(address.strip_prefix(ORIGIN).unwrap())
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(vec![b' '; 70_000]))
        .unwrap();
    assert_eq!(company.world.visitor().send(request).await.status, 413);
    assert_eq!(company.world.gate.position(), settled);
    assert!(before <= settled);
    // A browser of another site cannot even be made to carry it.
    let request = Request::post(address.strip_prefix(ORIGIN).unwrap())
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::ORIGIN, "https://evil.example")
        .header("sec-fetch-site", "cross-site")
        .body(Body::from(body.clone()))
        .unwrap();
    assert_eq!(company.world.visitor().send(request).await.status, 403);
    // The checker itself is heard, with no session at all.
    let seen = company.answers("msg_1", &question, "proved").await;
    assert_eq!(seen.status, 204, "{}", seen.text());
    let doors = routes();
    let doors: Vec<&str> = doors
        .iter()
        .filter(|route| route.door == Door::Checker)
        .map(|route| route.path)
        .collect();
    assert_eq!(doors, ["/v1/questions/{question}"]);
}
