//! The pages on which a customer sets a PIN, an app or passkeys, driven through the router; and the public page that
//! checks a receipt.

use axum::body::Body;
use axum::http::{Request, header};
use countersign_service::adapters::soft_passkey::SoftPasskey;
use countersign_service::adapters::totp::TotpSecret;
use serde_json::json;

use crate::world::{Customer, HOST, ORIGIN, PIN, Seen, World, without_parameters};

/// A case that was proved by PIN, confirmed, and run by the customer.
async fn granted(world: &World, signe: &mut Customer, action: &str) -> String {
    let mut maja = world.colleague("maja").await;
    let case = world
        .case_of(&mut maja, &without_parameters(&signe.id, action))
        .await;
    world.sit(&mut maja, &case, signe).await;
    signe.types("pin", PIN).await;
    signe.confirms().await;
    world.settle().await;
    let page = signe.browser.post("/c/run", &[]).await;
    assert_eq!(page.location().unwrap(), "/c/set");
    case
}

fn app_shown(page: &Seen) -> TotpSecret {
    let text = page.body();
    let (_, rest) = text.split_once("id=\"app-secret\" dir=\"ltr\">").unwrap();
    let shown: String = rest
        .split('<')
        .next()
        .unwrap()
        .chars()
        .filter(|letter| !letter.is_whitespace())
        .collect();
    assert!(
        text.contains(&format!("secret={shown}")),
        "the link has it too"
    );
    let bits: Vec<u8> = shown
        .bytes()
        .map(|letter| match letter {
            b'A'..=b'Z' => letter - b'A',
            _ => letter - b'2' + 26,
        })
        .flat_map(|value| (0..5).rev().map(move |bit| value >> bit & 1))
        .collect();
    let bytes: Vec<u8> = bits
        .chunks_exact(8)
        .map(|byte| byte.iter().fold(0, |whole, bit| whole << 1 | bit))
        .collect();
    TotpSecret::from_bytes(&bytes).unwrap()
}

#[tokio::test]
async fn an_app_is_set_up_with_a_code_to_scan_and_words_to_type() {
    let world = World::new().await;
    let mut signe = world.signe().await;
    let case = granted(&world, &mut signe, "app.set").await;
    let page = signe.browser.get("/c/set").await;
    assert_eq!(
        (page.status, page.h1().as_str()),
        (200, "Set up your authenticator app")
    );
    assert!(page.body().contains("<svg class=\"qr\"") && page.body().contains("<desc>QR code of"));
    assert_eq!(page.header("cache-control"), "no-store");
    let secret = app_shown(&page);
    let wrong = signe.browser.post("/c/set", &[("code", "000000")]).await;
    assert_eq!(wrong.status, 422);
    assert!(
        wrong
            .text()
            .contains("The code is not the one the app shows"),
        "{}",
        wrong.text()
    );
    let code = secret.code_now(world.gate.now());
    let done = signe.browser.post("/c/set", &[("code", &code)]).await;
    assert_eq!(done.location().unwrap(), "/c/done");
    assert_eq!(world.state(&case).await, "done");
    // Back and forward, and pressed again: it is over.
    let again = signe.browser.look("/c/set").await;
    assert_eq!(again.location().unwrap(), "/c/done");
    let again = signe.browser.post("/c/set", &[("code", &code)]).await;
    assert_eq!(again.location().unwrap(), "/c/done");
}

#[tokio::test]
async fn a_pin_is_typed_twice_and_a_weak_one_is_explained() {
    let world = World::new().await;
    let mut signe = world.signe().await;
    let case = granted(&world, &mut signe, "pin.change").await;
    for (pin, again, words) in [
        ("739105", "739106", "The two are not the same"),
        (
            "123456",
            "123456",
            "Use digits that do not follow each other",
        ),
        ("777777", "777777", "Use digits that do not repeat"),
        ("1234", "1234", "Use 6 to 12 digits"),
        ("", "", "Use 6 to 12 digits"),
    ] {
        let page = signe
            .browser
            .post("/c/set", &[("pin", pin), ("again", again)])
            .await;
        assert_eq!(page.status, 422, "{pin}");
        assert!(page.text().contains(words), "{pin}: {}", page.text());
        assert!(!page.body().contains(&format!("value=\"{pin}\"")) || pin.is_empty());
    }
    let done = signe
        .browser
        .post("/c/set", &[("pin", "739105"), ("again", "739105")])
        .await;
    assert_eq!(done.location().unwrap(), "/c/done");
    assert_eq!(world.state(&case).await, "done");
}

#[tokio::test]
async fn a_passkey_is_registered_by_the_script_and_another_removed_without_it() {
    let world = World::new().await;
    let mut signe = world.signe().await;
    let case = granted(&world, &mut signe, "key.change").await;
    let begun = signe
        .browser
        .script("/c/set/start", &json!({}))
        .await
        .json();
    let (_, response) = SoftPasskey::create(&begun["publicKey"], ORIGIN).unwrap();
    let answer = json!({ "ceremony": begun["ceremony"], "credential": response, "name": "laptop" });
    let done = signe.browser.script("/c/set/finish", &answer).await;
    assert_eq!(done.json()["location"], "/c/done");
    let replayed = signe.browser.script("/c/set/finish", &answer).await;
    assert_eq!(
        (replayed.status, replayed.code().as_str()),
        (409, "nothing-to-set")
    );
    assert_eq!(world.state(&case).await, "done");

    world.hours(1);
    granted(&world, &mut signe, "key.change").await;
    let page = signe.browser.get("/c/set").await;
    assert!(page.text().contains("laptop"), "{}", page.text());
    let none = signe.browser.post("/c/set", &[]).await;
    assert!(none.status == 422 && none.text().contains("Choose a passkey to remove"));
    let field = page
        .body()
        .split("name=\"remove_")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap()
        .to_owned();
    let done = signe
        .browser
        .post("/c/set", &[(&format!("remove_{field}"), "yes")])
        .await;
    assert_eq!(done.location().unwrap(), "/c/done");
}

/// B24: an agent who makes a second link, or has their own session, sets nothing.
#[tokio::test]
async fn neither_an_agent_nor_a_second_browser_sets_anything() {
    let world = World::new().await;
    let mut signe = world.signe().await;
    let case = granted(&world, &mut signe, "pin.change").await;
    let mut maja = world.colleague("maja").await;
    let pin = [("pin", "739105"), ("again", "739105")];
    let refused = maja.browser.post("/c/set", &pin).await;
    assert!(matches!(refused.status, 401 | 410), "{}", refused.status);
    let refused = maja.browser.script("/c/set/start", &json!({})).await;
    assert!(matches!(refused.status, 401 | 410), "{}", refused.status);

    let link = world.link(&mut maja, &case).await;
    let mut other = world.visitor();
    other.get(&link).await;
    let seated = other.post("/c/yes", &[]).await;
    assert_eq!(seated.location().unwrap(), "/c/set");
    let page = other.look("/c/set").await;
    assert_eq!(page.location().unwrap(), "/c/done");
    let page = other.get("/c/done").await;
    assert!(
        page.text().contains("where you proved that it is you"),
        "{}",
        page.text()
    );
    let sent = other.post("/c/set", &pin).await;
    assert_eq!(sent.location().unwrap(), "/c/done");
    let started = other.script("/c/set/start", &json!({})).await;
    assert_eq!(started.status, 409);
    assert_eq!(world.state(&case).await, "granted");

    // From another site, with the customer's own cookies.
    let mut elsewhere = signe.browser.clone();
    let request = Request::post("/c/set")
        .header(header::HOST, HOST)
        .header("sec-fetch-site", "cross-site")
        .header(header::ORIGIN, "https://evil.example")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from("pin=739105&again=739105"))
        .unwrap();
    let refused = elsewhere.send(request).await;
    assert_eq!(refused.status, 403);
    assert_eq!(world.state(&case).await, "granted");
    signe.browser.post("/c/set", &pin).await;
    assert_eq!(world.state(&case).await, "done");
}

#[tokio::test]
async fn whoever_has_nothing_begins_in_the_panel_and_comes_back_to_it() {
    let world = World::new().await;
    let mut panel = world.machine("panel");
    let put = crate::world::halden("new@fjord.example");
    let mut customers = world.machine("customers");
    let seen = customers.call("PUT", "/v1/customers/c-2001", &put).await;
    assert_eq!(seen.status, 201, "{}", seen.text());
    let mut request = without_parameters("c-2001", "pin.first");
    request.as_object_mut().unwrap().remove("reason");
    request["return_to"] = "https://panel.acme.example/security".into();
    request["shows"] = json!(["password"]);
    let refused = panel.call("POST", "/v1/cases", &request).await;
    assert_eq!(refused.code(), "proof-not-asked");
    request["shows"] = json!(["signed_in"]);
    let opened = panel.call("POST", "/v1/cases", &request).await;
    assert_eq!(opened.status, 201, "{}", opened.text());
    let link = opened.json()["link"]["url"].as_str().unwrap().to_owned();
    let link = link.strip_prefix(ORIGIN).unwrap();

    let mut customer = world.visitor();
    customer.get(link).await;
    let page = customer.post("/c/yes", &[]).await;
    assert_eq!(page.location().unwrap(), "/c/confirm");
    let page = customer.get("/c/confirm").await;
    customer.press(&page, "Yes: ", &[]).await;
    world.settle().await;
    let page = customer.get("/c/done").await;
    assert!(page.text().contains("One thing is left"), "{}", page.text());
    let page = customer.follow(&page, "Set it now").await;
    assert_eq!(page.h1(), "Choose a new PIN");
    customer
        .post("/c/set", &[("pin", "739105"), ("again", "739105")])
        .await;
    let page = customer.get("/c/done").await;
    assert_eq!(page.link("Back to"), "https://panel.acme.example/security");
}

#[tokio::test]
async fn a_link_made_after_the_end_shows_the_receipt() {
    let world = World::new().await;
    let mut signe = world.signe().await;
    let case = granted(&world, &mut signe, "pin.change").await;
    signe
        .browser
        .post("/c/set", &[("pin", "739105"), ("again", "739105")])
        .await;
    world.hours(15 * 24);
    let mut maja = world.colleague("maja").await;
    let page = maja.browser.get(&format!("/cases/{case}")).await;
    let page = maja
        .browser
        .press(&page, "Send a link to the receipt", &[])
        .await;
    let link = page
        .body()
        .split(ORIGIN)
        .nth(1)
        .unwrap()
        .split(['"', '<', ' '])
        .next()
        .unwrap()
        .to_owned();
    let mut late = world.visitor();
    late.get(&link).await;
    let start = late.get("/c").await;
    assert_eq!(start.h1(), "Your receipt");
    assert!(
        !start.text().contains("Halden"),
        "nothing before it is opened"
    );
    let opened = late.press(&start, "Open the receipt", &[]).await;
    assert_eq!(opened.h1(), "Receipt");
    assert!(opened.text().contains(&case));
    let json = late.get(&format!("/c/receipts/{case}/json")).await;
    assert_eq!(json.json()["outcome"], "done");
}

fn multipart(text: &str, name: &str) -> Request<Body> {
    let body = format!(
        "--b0undary\r\nContent-Disposition: form-data; name=\"idempotency_key\"\r\n\r\nx\r\n--b0undary\r\n\
         Content-Disposition: form-data; name=\"{name}\"; filename=\"r.json\"\r\nContent-Type: application/json\r\n\r\n{text}\r\n--b0undary--\r\n"
    );
    Request::post("/receipts/verify")
        .header(header::HOST, HOST)
        .header(header::ORIGIN, ORIGIN)
        .header("sec-fetch-site", "same-origin")
        .header(
            header::CONTENT_TYPE,
            "multipart/form-data; boundary=b0undary",
        )
        .body(Body::from(body))
        .unwrap()
}

#[tokio::test]
async fn anyone_checks_a_receipt_and_every_change_shows() {
    let world = World::new().await;
    let mut signe = world.signe().await;
    let case = granted(&world, &mut signe, "pin.change").await;
    signe
        .browser
        .post("/c/set", &[("pin", "739105"), ("again", "739105")])
        .await;
    let page = signe.browser.get(&format!("/c/receipts/{case}")).await;
    assert!(page.body().contains("<svg class=\"qr\""), "{}", page.body());
    assert!(page.text().contains("/receipts/verify"));
    let receipt = signe.browser.get(&format!("/c/receipts/{case}/json")).await;
    let receipt = String::from_utf8(receipt.bytes).unwrap();

    let mut anyone = world.visitor();
    let page = anyone.get("/receipts/verify").await;
    assert_eq!((page.status, page.h1().as_str()), (200, "Check a receipt"));
    assert!(page.text().contains("countersign receipt verify FILE"));
    for name in ["receipt", "file"] {
        let good = anyone.send(multipart(&receipt, name)).await;
        assert_eq!(
            (good.status, good.h1().as_str()),
            (200, "This receipt is genuine")
        );
        assert!(good.text().contains("It happened") && good.text().contains(&case));
    }
    for (from, to) in [
        ("\"outcome\":\"done\"", "\"outcome\":\"stopped\""),
        ("Set a new support PIN", "Set a new support PUN"),
        (case.as_str(), "CS-AAAAAA"),
        ("\"events\":[", "\"event\":["),
    ] {
        assert!(receipt.contains(from), "{from}");
        let bad = anyone
            .send(multipart(&receipt.replacen(from, to, 1), "file"))
            .await;
        assert_eq!(
            (bad.status, bad.h1().as_str()),
            (422, "This receipt proves nothing"),
            "{from}"
        );
    }
    let empty = anyone.send(multipart("", "receipt")).await;
    assert!(empty.status == 422 && empty.text().contains("Paste a receipt"));
    let large = anyone.send(multipart(&" ".repeat(2 << 20), "file")).await;
    assert_eq!(large.status, 413);
    let wrong = anyone.post("/receipts/verify", &[("receipt", "x")]).await;
    assert_eq!(wrong.status, 415);
}

#[tokio::test]
async fn checking_receipts_is_bounded_for_one_network() {
    let world = World::with(|settings| settings.limits.answers_per_minute = 3).await;
    let mut anyone = world.visitor();
    let mut seen = Vec::new();
    for _ in 0..4 {
        seen.push(anyone.send(multipart("{}", "file")).await.status);
    }
    assert_eq!(seen, [422, 422, 422, 429]);
}
