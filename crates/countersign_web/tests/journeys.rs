//! Whole journeys as people make them: from page to page, by what stands there. No API.

use countersign_service::verify_receipt;

use crate::world::{Client, Customer, MAILBOX, PASSWORD, PIN, Seen, World, html, reinstall, told};

const WORDS: &str = "Erase everything on web-3 and install debian-13";

/// An agent opens a case on the four pages, having looked the customer up.
async fn opens(browser: &mut Client, search: &str, fields: &[(&str, &str)]) -> Seen {
    let desk = browser.get("/desk").await;
    let page = browser.follow(&desk, "New case").await;
    assert_eq!(page.h1(), "For which customer?");
    let page = browser.press(&page, "Search", &[("q", search)]).await;
    let page = browser.follow(&page, "Choose Halden Freight AB").await;
    assert_eq!(page.h1(), "What should happen?");
    let page = browser.follow(&page, "Choose: Reinstall a server").await;
    browser.press(&page, "Check the words", fields).await
}

fn of(id: &str) -> Vec<(&'static str, String)> {
    vec![
        ("p.server", "web-3".to_owned()),
        ("p.image", "debian-13".to_owned()),
        (
            "reason",
            format!("the customer says the disk is full, {id}"),
        ),
        ("reference", "chat 48213".to_owned()),
    ]
}

async fn opens_reinstall(browser: &mut Client) -> Seen {
    let fields = of("as before");
    let fields: Vec<(&str, &str)> = fields
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let check = opens(browser, "48213", &fields).await;
    assert_eq!(check.status, 200, "{}", check.text());
    assert_eq!(check.words(), WORDS);
    let case = browser.press(&check, "Open the case", &[]).await;
    assert_eq!(case.status, 200, "{}", case.text());
    case
}

fn case_id(page: &Seen) -> String {
    page.path
        .split(['/', '?'])
        .find(|part| part.starts_with("CS-"))
        .unwrap()
        .to_owned()
}

/// The link that the agent reads off the case page and pastes into the chat.
async fn sends_link(browser: &mut Client, case: &Seen) -> String {
    let page = browser.press(case, "Send the link", &[]).await;
    let url = html::value_of(page.body(), "customer-link").unwrap();
    url.strip_prefix(crate::world::ORIGIN).unwrap().to_owned()
}

async fn says_yes(customer: &mut Customer, link: &str) -> Seen {
    let page = customer.browser.get(link).await;
    assert_eq!(page.path, "/c", "the token is out of the address bar");
    assert!(page.text().contains(WORDS), "{}", page.text());
    customer
        .browser
        .press(&page, "Yes, I asked for this", &[])
        .await
}

async fn an_honest_customer(world: &World) {
    let mut signe = world.signe().await;
    world.attest_backups(&signe.id, "verified").await;
    let mut maja = world.colleague("maja").await;
    let case_page = opens_reinstall(&mut maja.browser).await;
    let case = case_id(&case_page);
    assert_eq!(case_page.words(), WORDS);
    let link = sends_link(&mut maja.browser, &case_page).await;

    let page = says_yes(&mut signe, &link).await;
    let page = signe.chooses(&page, "password").await;
    let page = signe
        .browser
        .press(&page, "Check the password", &[("secret", PASSWORD)])
        .await;
    let page = signe.chooses(&page, "passkey").await;
    let mut passkey = signe.passkey.take().unwrap();
    let page = signe.browser.use_passkey(&page, &mut passkey).await;
    assert_eq!(page.h1(), "Check what will happen");
    assert_eq!(page.words(), WORDS);
    // She tells her, in the chat, the number on her desk; what is typed she does not see.
    let desk = maja.browser.get(&format!("/cases/{case}")).await;
    let number = html::of_class(desk.body(), "number").remove(0);
    assert!(page.text().contains("number that Maja tells you"));
    let page = signe
        .browser
        .press(&page, "Yes: reinstall a server", &[("number", &number)])
        .await;
    assert_eq!(page.path, "/c/done");
    assert_eq!(world.ran(), 0, "an agent opened it, so somebody says run");

    let page = maja.browser.get(&format!("/cases/{case}")).await;
    let page = maja.browser.follow(&page, "Run action").await;
    assert_eq!(page.words(), WORDS);
    let page = maja
        .browser
        .press(&page, "Run: reinstall a server", &[])
        .await;
    assert_eq!(page.h1(), "It is being carried out", "{}", page.text());
    world.settle().await;
    assert_eq!(world.ran(), 1);
    let page = maja.browser.get(&format!("/cases/{case}/run")).await;
    let page = maja.browser.follow(&page, "Open the receipt").await;
    assert_eq!(page.words(), WORDS);
    assert!(
        page.text().contains("Happened 24 Dec 2026"),
        "{}",
        page.text()
    );
    let file = maja.browser.follow(&page, "download the receipt").await;
    verify_receipt(file.body(), world.signer.verifier()).unwrap();

    let page = signe.browser.get("/c").await;
    assert_eq!(page.path, "/c/done");
    let page = signe.browser.follow(&page, "Open the receipt").await;
    assert_eq!(page.words(), WORDS);
    let file = signe.browser.follow(&page, "download the receipt").await;
    assert_eq!(
        verify_receipt(file.body(), world.signer.verifier())
            .unwrap()
            .outcome,
        "done"
    );
}

#[tokio::test]
async fn an_honest_customer_gets_the_server_reinstalled() {
    Box::pin(an_honest_customer(&World::new().await)).await;
}

#[tokio::test]
async fn the_same_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::on_sqlite(&folder.path().join("gate.db")).await;
    Box::pin(an_honest_customer(&world)).await;
}

/// Up to where a colleague is asked: the customer lost the phone and proved what they still have.
async fn lost_phone(world: &World, signe: &mut Customer, maja: &mut Client) -> String {
    let case_page = opens_reinstall(maja).await;
    let case = case_id(&case_page);
    let link = sends_link(maja, &case_page).await;
    let page = says_yes(signe, &link).await;
    let page = signe.chooses(&page, "pin").await;
    signe
        .browser
        .press(&page, "Check the PIN", &[("secret", PIN)])
        .await;
    let page = signe.types_mailed_code(world, MAILBOX).await;
    assert_eq!(page.h1(), "Check what will happen", "{}", page.text());
    let number = told(&page, "Yes: ");
    let page = signe
        .browser
        .press(&page, "Yes: ", &[("number", &number)])
        .await;
    assert_eq!(page.path, "/c/done", "{}", page.text());
    case
}

#[tokio::test]
async fn a_lost_phone_takes_a_senior_notices_and_a_day() {
    let world = World::new().await;
    let mut signe = world.signe().await;
    let (mut maja, mut idris) = (
        world.colleague("maja").await,
        world.colleague("idris").await,
    );
    let case = lost_phone(&world, &mut signe, &mut maja.browser).await;

    let own = maja.browser.get(&format!("/approvals/{case}")).await;
    assert!(
        own.text().contains("You cannot sign this"),
        "{}",
        own.text()
    );
    let list = idris.browser.get("/approvals").await;
    assert_eq!(html::elements(list.body(), "td")[0], WORDS);
    let page = idris.browser.get(&list.link_with(&case)).await;
    assert_eq!(page.words(), WORDS);
    assert!(page.text().contains("Not proven:"), "{}", page.text());
    let signed = idris.browser.use_passkey(&page, &mut idris.passkey).await;
    assert!(
        signed.text().contains("You have signed"),
        "{}",
        signed.text()
    );

    world.settle().await;
    assert_eq!(world.state(&case).await, "waiting");
    let page = signe.browser.get("/c").await;
    assert!(
        page.h1().starts_with("It takes effect on"),
        "{}",
        page.text()
    );
    let page = maja.browser.get(&format!("/cases/{case}")).await;
    assert!(
        page.text().contains("Takes effect 25 Dec, 10:00"),
        "{}",
        page.text()
    );
    world.hours(23);
    world.settle().await;
    assert_eq!(world.ran(), 0);
    world.hours(1);
    world.settle().await;
    assert_eq!(world.ran(), 1, "it waited, so it runs by itself");
    maja.signs_in().await;
    let receipt = maja.browser.get(&format!("/cases/{case}/receipt")).await;
    assert!(receipt.text().contains("Happened"), "{}", receipt.text());
}

#[tokio::test]
async fn the_stop_link_in_the_notice_stops_it() {
    let world = World::new().await;
    let mut signe = world.signe().await;
    let (mut maja, mut idris) = (
        world.colleague("maja").await,
        world.colleague("idris").await,
    );
    let case = lost_phone(&world, &mut signe, &mut maja.browser).await;
    idris.signs(&case).await;
    world.settle().await;

    let mut whoever = world.visitor();
    let link = world.stop_link(MAILBOX);
    let page = whoever.get(&link).await;
    assert_eq!(page.words(), WORDS);
    let page = whoever
        .press(
            &page,
            "Stop it now",
            &[("why", "not-me"), ("text", "I am on holiday")],
        )
        .await;
    assert!(
        page.text().contains("Nothing was changed"),
        "{}",
        page.text()
    );
    assert_eq!(world.state(&case).await, "stopped");
    let again = whoever.get(&link).await;
    assert!(again.text().contains("Already stopped"), "{}", again.text());
    world.hours(48);
    world.settle().await;
    assert_eq!(world.ran(), 0);
    maja.signs_in().await;
    let page = maja.browser.get(&format!("/cases/{case}")).await;
    assert!(
        page.text().contains("Stopped")
            && page
                .text()
                .contains("I did not ask for it: I am on holiday"),
        "{}",
        page.text()
    );
    let page = signe.browser.get("/c").await;
    assert!(page.h1().starts_with("This was stopped"), "{}", page.text());
}

#[tokio::test]
async fn a_senior_declines_and_everybody_sees_why() {
    let world = World::new().await;
    let mut signe = world.signe().await;
    let (mut maja, mut idris) = (
        world.colleague("maja").await,
        world.colleague("idris").await,
    );
    let case = lost_phone(&world, &mut signe, &mut maja.browser).await;
    let page = idris.browser.get(&format!("/approvals/{case}")).await;
    let page = idris.browser.follow(&page, "Decline").await;
    assert_eq!(page.words(), WORDS);
    let wrong = idris
        .browser
        .press(&page, "Decline: reinstall", &[("reason", "no")])
        .await;
    assert_eq!(wrong.status, 422);
    assert!(
        wrong.text().contains("Say why, in 10 to 500"),
        "{}",
        wrong.text()
    );
    let declined = idris
        .browser
        .press(
            &wrong,
            "Decline: reinstall",
            &[("reason", "the caller <b>hesitated</b> & hung up")],
        )
        .await;
    assert!(
        declined
            .text()
            .contains("the caller <b>hesitated</b> & hung up"),
        "{}",
        declined.text()
    );
    assert_eq!(world.state(&case).await, "refused");
    for page in [
        maja.browser.get(&format!("/cases/{case}")).await,
        signe.browser.get("/c").await,
    ] {
        assert!(page.text().contains("declined") || page.text().contains("Declined"));
    }
    // The same request stays closed, and the next asker is told.
    let mut tomas = world.colleague("tomas").await;
    let fields = of("again");
    let fields: Vec<(&str, &str)> = fields
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let check = opens(&mut tomas.browser, "48213", &fields).await;
    let refused = tomas.browser.press(&check, "Open the case", &[]).await;
    assert_eq!(refused.status, 409);
    assert!(refused.text().contains(&case), "{}", refused.text());
}

#[tokio::test]
async fn the_customer_stops_it_from_the_first_page_and_from_any_other() {
    let world = World::new().await;
    let mut signe = world.signe().await;
    let mut maja = world.colleague("maja").await;
    let page = opens_reinstall(&mut maja.browser).await;
    let first = case_id(&page);
    let link = sends_link(&mut maja.browser, &page).await;
    let page = signe.browser.get(&link).await;
    let page = signe.browser.press(&page, "No, stop this", &[]).await;
    assert!(
        page.text().contains("Nothing was changed"),
        "{}",
        page.text()
    );
    assert_eq!(world.state(&first).await, "stopped");

    let other = crate::world::without_parameters(&signe.id, "password.reset");
    let second = world.case_of(&mut maja, &other).await;
    let page = world.sit(&mut maja, &second, &mut signe).await;
    let page = signe.browser.follow(&page, "Stop this").await;
    let page = signe.browser.press(&page, "Stop it now", &[]).await;
    assert!(
        page.text().contains("Nothing was changed"),
        "{}",
        page.text()
    );
    assert_eq!(world.state(&second).await, "stopped");
}

#[tokio::test]
async fn an_invitation_a_first_passkey_and_the_next_morning() {
    let world = World::new().await;
    let mut browser = world.visitor();
    let link = world.invitation("maja").await;
    let page = browser.get(&link).await;
    assert_eq!(
        page.path, "/invitation",
        "the token is out of the address bar"
    );
    assert_eq!(page.h1(), "Welcome, Maja");
    let (home, mut passkey) = browser.make_passkey(&page, "work laptop").await;
    assert_eq!(
        (home.path.as_str(), home.h1()),
        ("/desk", "Desk".to_owned())
    );
    let keys = browser.get("/settings/passkeys").await;
    assert!(keys.text().contains("work laptop"), "{}", keys.text());
    // An invitation makes one passkey; another one needs an answer of the first.
    assert!(!keys.has_button("Add a passkey"), "{}", keys.text());
    let confirmed = browser.use_passkey(&keys, &mut passkey).await;
    assert_eq!(confirmed.path, "/settings/passkeys");
    let (two, _) = browser.make_passkey(&confirmed, "phone").await;
    assert!(two.text().contains("phone"), "{}", two.text());
    world.minutes(6);
    let later = browser.get("/settings/passkeys").await;
    assert!(!later.has_button("Add a passkey"), "{}", later.text());
    let used = world.visitor().get(&link).await;
    assert_eq!(used.h1(), "This invitation does not work any more");

    let left = browser.press(&home, "Sign out", &[]).await;
    assert!(
        left.text().contains("You are signed out"),
        "{}",
        left.text()
    );
    assert!(browser.cookies.is_empty(), "{:?}", browser.cookies);
    let sign_in = browser.get("/approvals?show=cannot").await;
    assert_eq!(sign_in.h1(), "Sign in");
    let back = browser.use_passkey(&sign_in, &mut passkey).await;
    assert_eq!(
        back.path, "/approvals?show=cannot",
        "back to where they were going"
    );

    // A passkey of another company's page, or of nobody, is not let in.
    let (mut stranger, _) = countersign_service::adapters::soft_passkey::SoftPasskey::create(
        &serde_json::json!({ "challenge": "AAAA", "rp": { "id": crate::world::HOST, "name": "x" }, "user": { "id": "AAAA", "name": "x", "displayName": "x" }, "pubKeyCredParams": [{ "type": "public-key", "alg": -7 }] }),
        crate::world::ORIGIN,
    )
    .unwrap();
    let mut nobody = world.visitor();
    let page = nobody.get("/sign-in").await;
    let refused = nobody.use_passkey(&page, &mut stranger).await;
    assert_eq!(refused.status, 401, "{}", refused.text());
    assert!(nobody.cookies.is_empty());
}

#[tokio::test]
async fn a_case_is_made_on_four_pages_and_nothing_is_lost_on_the_way_back() {
    let world = World::new().await;
    world.signe().await;
    let mut maja = world.colleague("maja").await;
    let empty = opens(
        &mut maja.browser,
        "halden.example",
        &[("p.server", "web-3")],
    )
    .await;
    assert_eq!(empty.status, 422);
    assert!(
        empty.text().contains("Enter the image to install.") && empty.text().contains("10 to 500"),
        "{}",
        empty.text()
    );
    let check = maja
        .browser
        .press(
            &empty,
            "Check the words",
            &[
                ("p.image", "debian-13"),
                ("reason", "the disk is full, they say"),
            ],
        )
        .await;
    assert_eq!(check.words(), WORDS);
    let back = maja.browser.press(&check, "Change", &[]).await;
    let form = back.form("Check the words");
    for (name, value) in [
        ("p.server", "web-3"),
        ("p.image", "debian-13"),
        ("reason", "the disk is full, they say"),
    ] {
        assert!(
            form.fields.contains(&(name.to_owned(), value.to_owned())),
            "{form:?}"
        );
    }
    let check = maja.browser.press(&back, "Check the words", &[]).await;
    let opened = maja.browser.press(&check, "Open the case", &[]).await;
    assert!(opened.path.starts_with("/cases/CS-"), "{}", opened.path);
    // Withdrawn again, after a second thought.
    let page = maja.browser.follow(&opened, "Withdraw this case").await;
    let page = maja.browser.press(&page, "Withdraw the case", &[]).await;
    assert!(page.text().contains("Taken back"), "{}", page.text());
}

#[tokio::test]
async fn the_panel_sends_its_customer_and_gets_them_back() {
    let world = World::new().await;
    let mut signe = world.signe().await;
    world.attest_backups(&signe.id, "verified").await;
    let mut panel = world.machine("panel");
    let mut request = reinstall(&signe.id);
    request["return_to"] = "https://panel.acme.example/servers?ok=1".into();
    request.as_object_mut().unwrap().remove("reason");
    let opened = panel.call("POST", "/v1/cases", &request).await;
    assert_eq!(opened.status, 201, "{}", opened.text());
    let link = opened.json()["link"]["url"].as_str().unwrap().to_owned();
    let link = link.strip_prefix(crate::world::ORIGIN).unwrap();

    let page = says_yes(&mut signe, link).await;
    assert!(page.text().contains("Step 1 of 2"), "{}", page.text());
    signe.types("password", PASSWORD).await;
    let page = signe.types("app_code", &world.app_code()).await;
    assert_eq!(page.words(), WORDS);
    signe.browser.press(&page, "Yes: ", &[]).await;
    world.settle().await;
    assert_eq!(
        world.ran(),
        1,
        "the customer opened it, so it runs by itself"
    );
    let page = signe.browser.get("/c").await;
    assert_eq!(
        page.link("Back to"),
        "https://panel.acme.example/servers?ok=1"
    );
}

/// Nobody can take the demo for the real thing, whoever they are in it.
#[tokio::test]
async fn every_page_of_the_demo_says_that_its_data_is_made_up() {
    let world = World::new().await;
    let mut signe = world.signe().await;
    let mut maja = world.colleague("maja").await;
    let case = world.case_of(&mut maja, &reinstall(&signe.id)).await;
    let link = world.link(&mut maja, &case).await;
    let lobby = "http://localhost:4183";
    let demo = world.demo(lobby);
    signe.browser.moves_to(&demo);
    maja.browser.moves_to(&demo);
    let mut pages = vec![
        Client::new(demo.clone()).get("/sign-in").await,
        Client::new(demo.clone()).get("/v/cs_stop_none").await,
        maja.browser.get("/desk").await,
    ];
    let start = signe.browser.get(&link).await;
    let prove = signe.browser.post("/c/yes", &[]).await;
    let prove = signe.browser.get(&prove.location().unwrap()).await;
    pages.extend([start, prove, signe.browser.get("/c/stop").await]);
    for page in pages {
        assert!(
            page.text().contains("Demonstration with made-up data.") && page.body().contains(lobby),
            "{} {}",
            page.path,
            page.text()
        );
    }
    let real = world.visitor().get("/sign-in").await;
    assert!(!real.text().contains("made-up"), "{}", real.text());
}
