//! What customers read, in every language it is spoken in.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use countersign_service::Language;
use countersign_web::pages;
use serde_json::json;

use crate::world::{
    MAILBOX, PASSWORD, PIN, Seen, World, change_email, halden, html, reinstall, told,
};
use crate::{kept, of_repository, read};

/// Pages whose words still stand in their templates. This list only ever gets shorter.
const STILL_ENGLISH: [&str; 2] = ["link-enrol", "verify"];

const WORDS: &str = "Erase everything on web-3 and install debian-13";

/// The sources that may speak to customers.
const SPEAKERS: [&str; 3] = [
    "crates/countersign_service/src",
    "crates/countersign_web/src",
    "crates/countersign_web/templates",
];

/// A key that is said and not written fails here, not in front of a customer; one that is written and not said is dead.
#[test]
fn every_key_that_is_said_is_written_and_every_key_that_is_written_is_said() {
    let english = read("crates/countersign_service/locales/en.ftl");
    let written: BTreeSet<&str> = english
        .lines()
        .filter(|line| line.starts_with(|c: char| c.is_ascii_lowercase()))
        .filter_map(|line| line.split_once(" = "))
        .map(|(key, _)| key)
        .collect();
    assert!(written.iter().all(|key| is_key(key)), "{written:?}");
    let mut literals = BTreeSet::new();
    let mut unwritten = BTreeSet::new();
    for folder in SPEAKERS {
        each_file(&of_repository(folder), &mut |name, text| {
            for call in [".say(\"", ".tell(\"", ".pieces(\"", "Key(\""] {
                for rest in text.split(call).skip(1) {
                    let key = rest.split('"').next().unwrap();
                    if is_key(key) && !written.contains(key) {
                        unwritten.insert(format!("{name}: {key}"));
                    }
                }
            }
            literals.extend(text.split('"').map(str::to_owned));
        });
    }
    assert!(unwritten.is_empty(), "not in en.ftl: {unwritten:#?}");
    let unsaid: Vec<_> = written
        .iter()
        .filter(|key| !literals.contains(**key) && !english.contains(&format!("{{ {key} }}")))
        .collect();
    assert!(unsaid.is_empty(), "said nowhere: {unsaid:#?}");
}

/// Every key has a hyphen, and nothing but lower-case letters, digits and hyphens.
fn is_key(text: &str) -> bool {
    text.contains('-')
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

fn each_file(folder: &Path, see: &mut dyn FnMut(&str, &str)) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            each_file(&path, see);
        } else if path.file_name().is_some_and(|name| name != "tests.rs") {
            see(
                &path.to_string_lossy(),
                &std::fs::read_to_string(&path).unwrap(),
            );
        }
    }
}

/// Nothing a customer reads is written in a template or in code: on the pages of a made-up language no plain letter is
/// left but in the organisation's own words, in names and in what machines read.
#[test]
fn no_page_has_words_of_its_own() {
    let gallery = pages::customer_gallery(Language::Accented).unwrap();
    assert!(gallery.len() > 60, "{} samples", gallery.len());
    let mut left = BTreeSet::new();
    let mut still_english = BTreeSet::new();
    for page in &gallery {
        for run in spoken_by(&page.html, "en-XA") {
            // In the browser's tab nothing can be set apart: names and labels stand there bare.
            let rest = [
                "Nordhamn Hosting",
                "Nordhamn",
                "Maja",
                "authenticator code",
                "account password",
                "support PIN",
                "CS-7F3K9Q",
                "CET",
            ]
            .iter()
            .fold(run.clone(), |run, own| run.replace(own, ""));
            if rest.contains(|c: char| c.is_ascii_alphabetic()) {
                if STILL_ENGLISH.contains(&page.page) {
                    still_english.insert(page.page);
                } else {
                    left.insert(format!("{}--{}: {run}", page.page, page.state));
                }
            }
        }
    }
    assert!(left.is_empty(), "not translated: {left:#?}");
    assert!(
        STILL_ENGLISH
            .iter()
            .all(|page| still_english.contains(page)),
        "translated by now, so no longer an exception: {still_english:?}"
    );
    // The test can fail: English is noticed where it stands.
    let english = pages::customer_gallery(Language::English).unwrap();
    assert!(english.iter().all(|page| {
        spoken_by(&page.html, "en")
            .iter()
            .any(|run| run.contains("We never ask"))
    }));
    let attribute =
        "<p lang=\"de\">Hallo</p><bdi>Maja</bdi><p aria-label=\"Skip\">Go <b class=\"m\">x</b></p>";
    assert_eq!(spoken_by(attribute, "en"), ["Skip", "Go "]);
}

/// Every sample in every language: says which it is, and which way it runs.
#[test]
fn every_page_says_its_language() {
    let english = pages::customer_gallery(Language::English).unwrap();
    for language in [
        Language::German,
        Language::Spanish,
        Language::French,
        Language::Accented,
        Language::Mirrored,
    ] {
        let gallery = pages::customer_gallery(language).unwrap();
        assert_eq!(gallery.len(), english.len());
        let direction = if language == Language::Mirrored {
            "rtl"
        } else {
            "ltr"
        };
        let root = format!("<html lang=\"{language}\" dir=\"{direction}\"");
        for (page, of_english) in gallery.iter().zip(&english) {
            let name = format!("{}--{} in {language}", page.page, page.state);
            assert!(page.html.contains(&root), "{name}");
            assert_eq!(
                html::of_class(&page.html, "words"),
                html::of_class(&of_english.html, "words"),
                "{name}: what is signed is what is read"
            );
            for words in page.html.split("<p class=\"words\"").skip(1) {
                let own = words.starts_with(" lang=\"en\" dir=\"ltr\"");
                assert!(own, "{name}: the words do not say their language");
            }
            let shape = |html: &str| html.matches('<').count();
            assert!(
                shape(&page.html).abs_diff(shape(&of_english.html))
                    <= 40.max(shape(&of_english.html) / 2),
                "{name} is another page than in English"
            );
        }
    }
}

/// A page runs the other way without a rule of its own: no length is measured from the left.
#[test]
fn the_style_sheet_knows_no_left_and_no_right() {
    let style = include_str!("../assets/app.css");
    for line in style.lines() {
        for declaration in line.split(['{', ';', '}']) {
            let (property, value) = declaration.split_once(':').unwrap_or(("", ""));
            let (property, value) = (property.trim(), value.trim());
            let sided = |text: &str| {
                text.split(['-', ' '])
                    .any(|part| part == "left" || part == "right")
            };
            let physical = sided(property)
                || matches!(property, "float" | "clear" | "text-align") && sided(value);
            assert!(!physical, "{declaration}");
        }
    }
}

#[tokio::test]
async fn a_customer_reads_what_the_browser_or_the_cookie_says() {
    let world = World::new().await;
    let signe = world.signe().await;
    let mut maja = world.colleague("maja").await;
    let case = world.case_of(&mut maja, &reinstall(&signe.id)).await;
    let link = world.link(&mut maja, &case).await;
    for (accept, lang, heading) in [
        ("en-GB,en;q=0.9", "en", "Did you ask for this?"),
        ("de", "de", "Haben Sie darum gebeten?"),
        ("de-CH, en;q=0.7", "de", "Haben Sie darum gebeten?"),
        ("es-419", "es", "¿Lo ha pedido usted?"),
        ("fr-CA;q=0.9, en;q=0.8", "fr", "L’avez-vous demandé ?"),
        ("ja", "en", "Did you ask for this?"),
        (";q=,,*;q=x,de;q=9", "en", "Did you ask for this?"),
        ("\u{e9}\u{df}", "en", "Did you ask for this?"),
    ] {
        let mut browser = world.visitor();
        browser.accept_language = Some(accept);
        let page = browser.get(&link).await;
        assert_eq!(page.h1(), heading, "{accept}");
        assert!(
            page.body()
                .contains(&format!("<html lang=\"{lang}\" dir=\"ltr\"")),
            "{accept}"
        );
        assert_eq!(page.words(), WORDS, "{accept}");
    }

    // The choice on the page wins over the browser, and comes back to the page.
    let mut browser = world.visitor();
    browser.accept_language = Some("de");
    let page = browser.get(&link).await;
    let page = browser
        .post("/c/language", &[("language", "es"), ("back", &page.path)])
        .await;
    assert_eq!((page.status, page.location().as_deref()), (303, Some("/c")));
    assert_eq!(browser.cookies["language"], "es");
    assert_eq!(browser.get("/c").await.h1(), "¿Lo ha pedido usted?");
    // What is not offered changes nothing, and nobody is sent elsewhere.
    for language in ["en-XA", "ar-XB", "xx", "", "de; Domain=evil.example"] {
        let answer = browser
            .post(
                "/c/language",
                &[("language", language), ("back", "//evil.example/")],
            )
            .await;
        assert_eq!(answer.location().as_deref(), Some("/"), "{language}");
        assert_eq!(browser.cookies["language"], "es", "{language}");
    }
    // Problems speak it too.
    let gone = browser.get("/c/receipts/CS-000000").await;
    assert_eq!(gone.h1(), "Este enlace ya se usó", "{}", gone.text());
    let gone = browser.get("/v/cs_stop_nobody").await;
    assert_eq!(gone.h1(), "Este enlace ya no vale", "{}", gone.text());
    assert!(gone.text().contains("Nunca le pedimos"), "{}", gone.text());
    // Staff read English, whatever their browser says.
    maja.browser.accept_language = Some("de");
    let page = maja.browser.get(&format!("/cases/{case}")).await;
    assert!(page.body().contains("<html lang=\"en\""));
    assert!(page.text().contains("Customer proves"), "{}", page.text());
}

/// The whole of a customer's way in German: every question, the same words on each, and the receipt.
#[tokio::test]
async fn a_customer_goes_all_the_way_in_german() {
    let world = World::new().await;
    let mut signe = world.signe().await;
    world.attest_backups(&signe.id, "verified").await;
    let mut maja = world.colleague("maja").await;
    let case = world.case_of(&mut maja, &reinstall(&signe.id)).await;
    signe.browser.accept_language = Some("de");
    let link = world.link(&mut maja, &case).await;
    let page = signe.browser.get(&link).await;
    let page = signe
        .browser
        .press(&page, "Ja, ich habe darum gebeten", &[])
        .await;
    assert_eq!(page.h1(), "Weisen Sie nach, dass Sie es sind");
    let page = signe
        .browser
        .press(&page, "Weiter", &[("way", "password")])
        .await;
    assert_eq!(page.h1(), "Bitte eingeben: Account password");
    let page = signe
        .browser
        .press(&page, "Passwort prüfen", &[("secret", "wrong")])
        .await;
    assert_eq!(page.status, 422);
    assert!(
        page.text().contains("Dieses Passwort stimmt nicht."),
        "{}",
        page.text()
    );
    assert!(page.body().contains("<title>Fehler: "), "{}", page.body());
    let page = signe
        .browser
        .press(&page, "Passwort prüfen", &[("secret", PASSWORD)])
        .await;
    let page = signe
        .browser
        .press(&page, "Weiter", &[("way", "passkey")])
        .await;
    assert_eq!(page.h1(), "Benutzen Sie Ihren Passkey");
    let form = page.passkey_form();
    assert_eq!(form.data["busy"], "Warte auf Ihren Passkey");
    assert!(
        form.data.contains_key("own"),
        "the script would show an answer in English"
    );
    let mut passkey = signe.passkey.take().unwrap();
    let page = signe.browser.use_passkey(&page, &mut passkey).await;
    assert_eq!(page.h1(), "Prüfen Sie, was geschehen wird");
    assert_eq!(page.words(), WORDS);
    let number = told(&page, "Ja: ");
    let page = signe
        .browser
        .press(&page, "Ja: reinstall a server", &[("number", &number)])
        .await;
    assert_eq!(page.path, "/c/done");
    assert_eq!(page.words(), WORDS);
    signe.browser.press(&page, "Reinstall a server", &[]).await;
    world.settle().await;
    let page = signe.browser.get("/c/done").await;
    assert_eq!(page.h1(), "Es wurde ausgeführt", "{}", page.text());
    let page = signe.browser.follow(&page, "Den Beleg öffnen").await;
    assert_eq!(page.words(), WORDS);
    for line in [
        "Geschehen: ",
        "Vorgang eröffnet",
        "Nachgewiesen: passkey",
        "Den genauen Wortlaut bestätigt",
        "Ausgeführt",
        "Verfahren",
    ] {
        assert!(page.text().contains(line), "{line}: {}", page.text());
    }
    let english: Vec<_> = spoken_by(page.body(), "de")
        .into_iter()
        .filter(|run| {
            ["the ", " and ", "Proven", "Done"]
                .iter()
                .any(|word| run.contains(word))
        })
        .collect();
    assert!(english.is_empty(), "{english:?}");
}

/// Letters are in the customer's language as the company put it, else the case's, else the procedure's; a browser says
/// nothing about them, because whoever holds the link would choose what the customer's other contacts can read.
#[tokio::test]
async fn letters_are_in_the_customers_language_and_no_browsers() {
    let mut said = String::new();
    for (of_customer, of_case, of_gate, language) in [
        (Some("de"), Some("fr"), "es", "de"),
        (None, Some("fr"), "es", "fr"),
        (None, None, "es", "es"),
        (None, None, "en", "en"),
    ] {
        let gate = Language::of_tag(of_gate).unwrap();
        let world = World::with(|settings| settings.language = gate).await;
        let mut signe = world.signe().await;
        let mut put = halden(MAILBOX);
        put["language"] = json!(of_customer);
        let answer = world
            .machine("customers")
            .call("PUT", "/v1/customers/c-1042", &put)
            .await;
        assert!(answer.status < 300, "{}", answer.text());
        let mut maja = world.colleague("maja").await;
        let mut request = reinstall(&signe.id);
        request["language"] = json!(of_case);
        let case = world.case_of(&mut maja, &request).await;
        // Whoever sits at the link reads something else.
        signe
            .browser
            .cookies
            .insert("language".to_owned(), "en".to_owned());
        world.sit(&mut maja, &case, &mut signe).await;
        signe.types("pin", PIN).await;
        signe.types_mailed_code(&world, MAILBOX).await;
        signe.confirms().await;
        let mut idris = world.colleague("idris").await;
        idris.signs(&case).await;
        world.settle().await;
        let mails = world.mail.mails_to(MAILBOX);
        assert_eq!(mails.len(), 2, "a code and a notice");
        writeln!(said, "# {language}").unwrap();
        for mail in &mails {
            let text = mail.text();
            assert!(text.contains(&format!("    {WORDS}\n")), "{text}");
            let shown = text
                .lines()
                .map(|line| {
                    let secret = line.contains("/v/")
                        || line.chars().all(|c| c.is_ascii_digit() || c == ' ') && !line.is_empty();
                    if secret { "…" } else { line }.replace(case.as_str(), "CS-……")
                })
                .collect::<Vec<_>>();
            writeln!(said, "\n{}", shown.join("\n")).unwrap();
        }
    }
    for language in Language::OFFERED {
        let gallery = pages::customer_gallery(language).unwrap();
        for page in gallery
            .iter()
            .filter(|page| ["link-start", "link-stop"].contains(&page.page) && page.state == "ask")
        {
            writeln!(said, "# {}--{} in {language}\n", page.page, page.state).unwrap();
            writeln!(said, "{}\n", html::text(&page.html)).unwrap();
        }
    }
    kept("crates/countersign_web/tests/golden/languages.txt", &said);
    // An address that was removed is told in it too.
    let world = World::new().await;
    let signe = world.signe().await;
    let mut put = halden("new@halden.example");
    put["language"] = json!("fr");
    let path = format!("/v1/customers/{}", signe.id);
    world.machine("customers").call("PUT", &path, &put).await;
    world.settle().await;
    let removed = world.mail.mails_to(MAILBOX).pop().unwrap().text();
    assert!(removed.contains("n’est plus enregistrée"), "{removed}");
    let unknown = json!({ "language": "en-XA" });
    let mut put = halden(MAILBOX);
    put["language"] = unknown["language"].clone();
    let refused = world.machine("customers").call("PUT", &path, &put).await;
    assert!(
        refused.status >= 400 && refused.status < 500,
        "{}",
        refused.text()
    );
}

/// The stop page of whoever was told, in their browser's language, and what stopping says.
#[tokio::test]
async fn whoever_was_told_stops_it_in_french() {
    let world = World::new().await;
    let mut signe = world.signe().await;
    let mut maja = world.colleague("maja").await;
    let request = change_email(&signe.id, "new@halden.example");
    let case = world.case_of(&mut maja, &request).await;
    world.sit(&mut maja, &case, &mut signe).await;
    signe.types("password", PASSWORD).await;
    signe.types("app_code", &world.app_code()).await;
    signe.confirms().await;
    world.settle().await;
    let link = world.stop_link(MAILBOX);
    let mut stranger = world.visitor();
    stranger.accept_language = Some("fr");
    let page: Seen = stranger.get(&link).await;
    assert_eq!(page.h1(), "Arrêter ceci ?");
    let page = stranger
        .press(&page, "Arrêter maintenant", &[("why", "not-me")])
        .await;
    assert_eq!(
        page.h1(),
        "Arrêté. Rien n’a été modifié.",
        "{}",
        page.text()
    );
    assert_eq!(world.state(&case).await, "stopped");
    let desk = maja.browser.get(&format!("/cases/{case}")).await;
    assert!(
        desk.text().contains("I did not ask for it"),
        "staff read English: {}",
        desk.text()
    );
}

/// Runs of text a page speaks itself: text and spoken attributes, without what is in another language or somebody's
/// name, what machines read, and the words.
fn spoken_by(html: &str, lang: &str) -> Vec<String> {
    const VOID: [&str; 7] = ["meta", "link", "input", "br", "hr", "path", "img"];
    const SPOKEN: [&str; 9] = [
        "aria-label=\"",
        "placeholder=\"",
        " title=\"",
        " alt=\"",
        "data-busy=\"",
        "data-cancelled=\"",
        "data-failed=\"",
        "data-on=\"",
        "data-off=\"",
    ];
    let mut runs = Vec::new();
    let mut open: Vec<(String, bool)> = Vec::new();
    let mut rest = html;
    while let Some((text, after)) = rest.split_once('<') {
        let (tag, next) = after.split_once('>').unwrap();
        let hidden = open.last().is_some_and(|(_, hidden)| *hidden);
        if !hidden && !text.trim().is_empty() {
            runs.push(text.to_owned());
        }
        rest = next;
        let name = tag.split([' ', '\n']).next().unwrap().to_owned();
        if let Some(closed) = name.strip_prefix('/') {
            while open.pop().is_some_and(|(name, _)| name != closed) {}
            continue;
        }
        for attribute in SPOKEN {
            if let Some((_, value)) = tag.split_once(attribute)
                && !hidden
            {
                runs.push(value.split('"').next().unwrap().to_owned());
            }
        }
        if name.starts_with('!') || VOID.contains(&name.as_str()) || tag.ends_with('/') {
            continue;
        }
        let foreign = tag
            .split_once(" lang=\"")
            .is_some_and(|(_, value)| value.split('"').next() != Some(lang));
        let machine = tag.split_once("class=\"").is_some_and(|(_, value)| {
            value
                .split('"')
                .next()
                .unwrap()
                .split(' ')
                .any(|class| class == "m" || class == "words")
        });
        let named = matches!(name.as_str(), "bdi" | "code" | "svg" | "script" | "mark");
        let unread = tag.contains("aria-hidden=\"true\"");
        open.push((name, hidden || foreign || machine || named || unread));
    }
    runs
}
