//! "Is someone from this company talking to me?", and two digits against a "yes" by reflex.

use std::net::SocketAddr;

use countersign_web::site::talking::{IN_ALL_AND_MINUTE, PATH, PER_NETWORK_AND_MINUTE};

use crate::world::{
    Client, Colleague, MAILBOX, Seen, World, change_email, html, reinstall, told,
    without_parameters,
};

/// What Maja's desk tells her to say.
async fn said(maja: &mut Colleague, case: &str) -> String {
    let desk = maja.browser.get(&format!("/cases/{case}")).await;
    let says = html::of_class(desk.body(), "say");
    let says = says
        .iter()
        .find(|says| says.starts_with("My case number is"))
        .unwrap_or_else(|| panic!("nothing to say on {}", desk.text()));
    assert!(
        says.contains("https://support.acme.example/is-it-us"),
        "{says}"
    );
    says.chars()
        .filter(char::is_ascii_digit)
        .collect::<String>()
}

async fn look_up(by: &mut Client, number: &str) -> Seen {
    let page = by.get(PATH).await;
    by.press(&page, "Look who it is", &[("number", number)])
        .await
}

/// A page without the one thing on it that is drawn for each.
fn without_key(page: &Seen) -> String {
    let body = page.body();
    let at = body
        .find("name=\"idempotency_key\" value=\"")
        .map(|at| at + 30);
    at.map_or_else(
        || body.to_owned(),
        |at| format!("{}{}", &body[..at], &body[at + 32..]),
    )
}

/// A number that no case has.
fn unknown(number: &str) -> String {
    let drawn: u64 = number[..11].parse().unwrap();
    (0..100_u64)
        .map(|other| format!("{:011}", (drawn + 7 + other) % 100_000_000_000))
        .flat_map(|drawn| (0..10).map(move |check| format!("{drawn}{check}")))
        .find(|typed| countersign_service::SpokenNumber::parse(typed).is_some())
        .unwrap()
}

#[tokio::test]
async fn somebody_who_is_called_looks_up_who_it_is() {
    let world = World::new().await;
    let mut signe = world.signe().await;
    let mut maja = world.colleague("maja").await;
    let case = world
        .case_of(&mut maja, &change_email(&signe.id, "signe@new.example"))
        .await;
    let number = said(&mut maja, &case).await;
    assert_eq!(number.len(), 12);
    let mut stranger = world.visitor();
    let page = look_up(&mut stranger, &number).await;
    assert_eq!(page.status, 200);
    assert_eq!(page.path, PATH, "the number stands in no address");
    assert_eq!(page.h1(), "Yes, one of us has this case open");
    let text = page.text();
    assert!(
        text.contains("Maja") && text.contains("H••• F••• A•••"),
        "{text}"
    );
    assert!(text.contains("s••@n••.example"), "{text}");
    for secret in ["signe", "Halden", "c-1042", case.as_str(), number.as_str()] {
        assert!(!page.body().contains(secret), "{secret}: {text}");
    }
    // It is linked at the bottom of her own page, and there she sees her own case alone.
    let link = world.link(&mut maja, &case).await;
    let page = signe.browser.get(&link).await;
    let page = signe
        .browser
        .follow(&page, "Is someone from Acme Hosting")
        .await;
    assert_eq!(page.h1(), "Is someone from us talking to you?");
    assert!(
        !page.body().contains("href=\"/is-it-us\""),
        "no link to itself"
    );
    // A slip of the tongue is not "nobody".
    let slipped = format!(
        "{}{}",
        &number[..11],
        (number[11..].parse::<u8>().unwrap() + 1) % 10
    );
    let page = look_up(&mut signe.browser, &slipped).await;
    assert_eq!(page.status, 422);
    assert!(page.text().contains("Check each digit"), "{}", page.text());
}

#[tokio::test]
async fn unknown_ended_and_anothers_number_look_exactly_alike() {
    let world = World::new().await;
    let mut signe = world.signe().await;
    let mut ole = world.ole().await;
    let mut maja = world.colleague("maja").await;
    let open = world.case_of(&mut maja, &reinstall(&signe.id)).await;
    let others = said(&mut maja, &open).await;
    let ended = world
        .case_of(&mut maja, &without_parameters(&signe.id, "password.reset"))
        .await;
    let over = said(&mut maja, &ended).await;
    world.sit(&mut maja, &ended, &mut signe).await;
    signe.browser.post("/c/stop", &[]).await;
    let desk = maja.browser.get(&format!("/cases/{ended}")).await;
    assert!(!desk.text().contains("My case number"), "{}", desk.text());
    let his = world
        .case_of(&mut maja, &without_parameters(&ole.id, "password.reset"))
        .await;
    world.sit(&mut maja, &his, &mut ole).await;
    // Ole sits at his own case; he asks for one that never was, one that is over, and one of Signe's that is open.
    let pages = [
        look_up(&mut ole.browser, &unknown(&others)).await,
        look_up(&mut ole.browser, &over).await,
        look_up(&mut ole.browser, &others).await,
    ];
    for page in &pages {
        assert_eq!(page.status, 200);
        assert_eq!(page.h1(), "Nobody. Stop.");
        assert_eq!(without_key(page), without_key(&pages[0]));
        assert_eq!(page.bytes.len(), pages[0].bytes.len());
        assert_eq!(page.headers, pages[0].headers);
        assert!(page.text().contains("Hang up"), "{}", page.text());
    }
    // His own is found, and Signe's by anybody who sits nowhere.
    let own = said(&mut maja, &his).await;
    assert_eq!(
        look_up(&mut ole.browser, &own).await.h1(),
        "Yes, one of us has this case open"
    );
    assert_eq!(
        look_up(&mut world.visitor(), &others).await.h1(),
        "Yes, one of us has this case open"
    );
}

#[tokio::test]
async fn guessing_numbers_is_slow_and_stops() {
    let world = World::new().await;
    let mut guesser = world.visitor();
    let from = |network: u32| {
        Some(SocketAddr::from((
            std::net::Ipv4Addr::from(0xC633_6400 + network),
            40_000,
        )))
    };
    guesser.peer = from(1);
    let number = "407192385064";
    let mut answered = 0;
    let refused = loop {
        let page = guesser.post(PATH, &[("number", number)]).await;
        if page.status == 429 {
            break page;
        }
        answered += 1;
        assert!(answered <= PER_NETWORK_AND_MINUTE, "{answered}");
    };
    assert_eq!(answered, PER_NETWORK_AND_MINUTE);
    assert!(
        refused.text().contains("treat it as nobody"),
        "it fails to the safe side: {}",
        refused.text()
    );
    assert!(!refused.header("retry-after").is_empty());
    // A form that is wrong counts like one that is right, and more networks than one share what there is.
    let mut network = 2;
    let mut in_all = answered;
    'all: loop {
        guesser.peer = from(network);
        network += 1;
        for _ in 0..PER_NETWORK_AND_MINUTE {
            if guesser.post(PATH, &[("number", "1")]).await.status == 429 {
                break 'all;
            }
            in_all += 1;
            assert!(in_all <= IN_ALL_AND_MINUTE + 2, "{in_all}");
        }
    }
    assert!(in_all >= IN_ALL_AND_MINUTE, "{in_all}");
}

#[tokio::test]
async fn every_letter_says_where_to_look() {
    let world = World::new().await;
    let mut signe = world.signe().await;
    let mut maja = world.colleague("maja").await;
    let case = world.case_of(&mut maja, &reinstall(&signe.id)).await;
    world.sit(&mut maja, &case, &mut signe).await;
    signe.types("pin", crate::world::PIN).await;
    signe.types_mailed_code(&world, MAILBOX).await;
    signe.confirms().await;
    world.colleague("idris").await.signs(&case).await;
    world.settle().await;
    let letters = world.mail.mails_to(MAILBOX);
    assert!(letters.len() >= 2, "{}", letters.len());
    for letter in letters {
        assert!(
            letter
                .text()
                .contains("https://support.acme.example/is-it-us"),
            "{}",
            letter.text()
        );
    }
}

#[tokio::test]
async fn the_number_to_match_is_on_the_desk_and_nowhere_else() {
    let world = World::new().await;
    let mut signe = world.signe().await;
    world.attest_backups("c-1042", "verified").await;
    let mut maja = world.colleague("maja").await;
    let case = world.case_of(&mut maja, &reinstall(&signe.id)).await;
    world.sit(&mut maja, &case, &mut signe).await;
    signe.types("password", crate::world::PASSWORD).await;
    let page = signe.types("app_code", &world.app_code()).await;
    assert_eq!(page.h1(), "Check what will happen");
    let right = told(&page, "Yes: ");
    let desk = maja.browser.get(&format!("/cases/{case}")).await;
    assert_eq!(html::of_class(desk.body(), "number"), [right.as_str()]);
    assert!(!page.body().contains(&format!(">{right}<")));
    // Without it, and with others; the desk does not see what is typed, and is told when it is closed.
    let none = signe.browser.press(&page, "Yes: ", &[]).await;
    assert_eq!(none.status, 422, "{}", none.text());
    let wrong: Vec<String> = (10..100)
        .map(|number| number.to_string())
        .filter(|number| *number != right)
        .take(3)
        .collect();
    let mut says = Vec::new();
    for number in &wrong {
        let seen = signe
            .browser
            .press(&page, "Yes: ", &[("number", number)])
            .await;
        says.push((seen.status, seen.text()));
    }
    assert!(says[0].1.contains("2 tries left") && says[1].1.contains("One try left"));
    assert!(says[2].0 == 429 && says[2].1.contains("Too many wrong numbers"));
    let late = signe
        .browser
        .press(&page, "Yes: ", &[("number", &right)])
        .await;
    assert_eq!(late.status, 429, "{}", late.text());
    let desk = maja.browser.get(&format!("/cases/{case}")).await;
    assert!(desk.text().contains("Too many wrong numbers were typed"));
    assert!(html::of_class(desk.body(), "number").is_empty());
    assert_eq!(world.state(&case).await, "open");
    assert_eq!(world.ran(), 0);
    // Nobody reads it by the API but staff and the program that opened the case.
    let reader = world
        .machine("reader")
        .read(&format!("/v1/cases/{case}"))
        .await;
    assert!(reader.json()["number_to_match"].is_null());
}
