//! The panel beside a ticket, and whoever would use it against the agent in front of it.

use axum::body::Body;
use axum::http::{Request, header};
use countersign_web::routes::{Door, Verb, routes};
use serde_json::Value;

use crate::world::{Client, MAILBOX, PASSWORD, Seen, World, html, reinstall, told};

const ZENDESK: &str = "https://acme.zendesk.com";
const SANDBOX: &str = "https://1234.apps.zdusercontent.com";

/// A request as a browser makes it for a page of `site`.
async fn asked_by(
    client: &mut Client,
    path: &str,
    site: Option<&str>,
    form: Option<&[(&str, &str)]>,
) -> Seen {
    let mut request = match form {
        Some(_) => {
            Request::post(path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        }
        None => Request::get(path).header("sec-fetch-mode", "navigate"),
    };
    request = request.header(header::ACCEPT, "text/html");
    if let Some(site) = site {
        request = request.header("sec-fetch-site", site);
    }
    let body = form.map_or_else(Body::empty, |form| {
        Body::from(serde_urlencoded::to_string(form).unwrap())
    });
    client.send(request.body(body).unwrap()).await
}

/// The forms of the panel post to the panel, and its links out of it open a window of our own.
fn stays_inside(page: &Seen) {
    for form in html::forms(page.body()) {
        assert!(
            form.action.starts_with("/panel"),
            "{form:?} on {}",
            page.path
        );
        assert!(
            form.action == "/panel/enter" || form.fields.iter().any(|(name, _)| name == "form"),
            "{form:?}"
        );
    }
    for anchor in page.body().split("<a ").skip(1) {
        let anchor = anchor.split('>').next().unwrap();
        let inside = anchor.contains("href=\"/panel") && !anchor.contains("href=\"/panel/sign-in");
        assert!(
            inside
                || anchor.contains("href=\"#")
                || anchor.contains("target=\"_blank\" rel=\"noopener\""),
            "{anchor} on {}",
            page.path
        );
    }
}

#[tokio::test]
async fn from_the_ticket_to_the_customers_link() {
    let world = World::new().await;
    let mut signe = world.signe().await;
    world.attest_backups(&signe.id, "verified").await;
    let mut maja = world.colleague("maja").await;
    let router = world.beside(&[ZENDESK, SANDBOX]);
    let mut frame = maja.panel(&router).await;

    // The help desk puts it into its page with the ticket's number.
    let page = asked_by(&mut frame, "/panel?ticket=48213", Some("cross-site"), None).await;
    assert_eq!(page.h1(), "For which customer?");
    stays_inside(&page);
    let page = frame.press(&page, "Search", &[("q", "48213")]).await;
    stays_inside(&page);
    let page = frame.follow(&page, "Choose Halden Freight AB").await;
    stays_inside(&page);
    assert_eq!(page.h1(), "Halden Freight AB");
    let page = frame.follow(&page, "Reinstall a server").await;
    stays_inside(&page);
    assert!(
        page.body()
            .contains("name=\"reference\" maxlength=\"100\" value=\"48213\"")
    );
    let short = frame
        .press(
            &page,
            "Check the words",
            &[
                ("p.server", "web-3"),
                ("p.image", "debian-13"),
                ("reason", "short"),
            ],
        )
        .await;
    assert_eq!(short.status, 422);
    let page = frame
        .press(
            &short,
            "Check the words",
            &[("reason", "the customer says the disk is full")],
        )
        .await;
    stays_inside(&page);
    assert_eq!(
        page.words(),
        "Erase everything on web-3 and install debian-13"
    );
    let page = frame.press(&page, "Open the case", &[]).await;
    assert!(page.path.starts_with("/panel/cases/CS-"), "{}", page.path);
    stays_inside(&page);
    let case = page.path.rsplit('/').next().unwrap().to_owned();
    assert!(page.text().contains("My case number is"), "{}", page.text());
    let number = html::of_class(page.body(), "number").remove(0);

    let page = frame
        .press(&page, "Make a link for the customer", &[])
        .await;
    stays_inside(&page);
    let link = page.body().split("readonly value=\"").nth(1).unwrap();
    let link = link.split('"').next().unwrap();
    let link = link.strip_prefix(crate::world::ORIGIN).unwrap().to_owned();
    let page = signe.browser.get(&link).await;
    signe
        .browser
        .press(&page, "Yes, I asked for this", &[])
        .await;
    signe.types("password", PASSWORD).await;
    let page = signe.types("app_code", &world.app_code()).await;
    assert_eq!(
        number,
        told(&page, "Yes: "),
        "the panel shows the number she is told"
    );
    signe.confirms().await;

    // Ready; and it is run at the desk, never here.
    let page = frame.get(&format!("/panel/cases/{case}")).await;
    stays_inside(&page);
    assert_eq!(
        page.link("Run it at the desk"),
        format!("/cases/{case}/run")
    );
    assert_eq!(world.ran(), 0);
    // The list of her open cases has it, and nothing of Tomas's.
    let page = frame.get("/panel").await;
    assert_eq!(
        page.link("Reinstall a server"),
        format!("/panel/cases/{case}")
    );
    let mut tomas = world.colleague("tomas").await;
    let mut his = tomas.panel(&router).await;
    assert!(
        his.get("/panel")
            .await
            .text()
            .contains("You have no open cases")
    );
    // Leaving ends it.
    frame.press(&page, "Sign out", &[]).await;
    assert_eq!(frame.get("/panel").await.h1(), "Sign in to the panel");
}

#[tokio::test]
async fn a_code_opens_one_panel_once() {
    let world = World::new().await;
    let mut maja = world.colleague("maja").await;
    let page = maja.browser.get("/panel/sign-in").await;
    let page = maja
        .browser
        .press(&page, "Make a code for the panel", &[])
        .await;
    let code = html::of_class(page.body(), "number").remove(0);
    let mut first = world.visitor();
    first.post("/panel/enter", &[("code", &code)]).await;
    assert_eq!(first.get("/panel").await.h1(), "For which customer?");
    let mut second = world.visitor();
    let used = second.post("/panel/enter", &[("code", &code)]).await;
    let never = second
        .post("/panel/enter", &[("code", "7F3K9 QT2M4")])
        .await;
    assert_eq!(used.status, 422);
    assert_eq!(used.text(), never.text());
    assert!(second.cookies.is_empty());
    // Nor from a page of somebody else, who would sign the agent in as themselves.
    for site in [Some("cross-site"), Some("same-site"), Some("none"), None] {
        let page = maja.browser.get("/panel/sign-in").await;
        let page = maja
            .browser
            .press(&page, "Make a code for the panel", &[])
            .await;
        let code = html::of_class(page.body(), "number").remove(0);
        let mut victim = world.visitor();
        let seen = asked_by(&mut victim, "/panel/enter", site, Some(&[("code", &code)])).await;
        assert_eq!(seen.status, 403, "{site:?}");
        assert!(victim.cookies.is_empty(), "{site:?}");
    }
    // An admin has no cases, hence no panel.
    let mut root = world.colleague("root").await;
    let page = root.browser.get("/panel/sign-in").await;
    let refused = root
        .browser
        .press_once(&page, "Make a code for the panel", &[])
        .await;
    assert_eq!(refused.status, 403);
}

#[tokio::test]
async fn the_panels_session_is_none_at_the_desk_and_the_desks_is_none_in_the_panel() {
    let world = World::new().await;
    let signe = world.signe().await;
    let mut maja = world.colleague("maja").await;
    let case = world.case_of(&mut maja, &reinstall(&signe.id)).await;
    let frame = maja.panel(&world.router).await;
    let panel = frame.cookies["__Host-countersign-panel"].clone();
    let desk = maja.browser.cookies["__Host-countersign"].clone();
    assert!(panel.starts_with("cs_panel_") && desk.starts_with("cs_sess_"));
    // The panel's token under the desk's name, as a bearer token, and dressed up as one of the desk's.
    let mut as_desk = world.visitor();
    as_desk
        .cookies
        .insert("__Host-countersign".to_owned(), panel.clone());
    as_desk
        .cookies
        .insert("__Host-countersign-seat".to_owned(), panel.clone());
    let mut dressed = world.visitor();
    dressed.cookies.insert(
        "__Host-countersign".to_owned(),
        panel.replace("cs_panel_", "cs_sess_"),
    );
    let bearer = Client::with_token(world.router.clone(), &panel);
    let mut thieves = [frame.clone(), as_desk, dressed, bearer];
    let mut tried = 0;
    for route in routes() {
        if !matches!(
            route.door,
            Door::Staff | Door::StaffOrMachine | Door::Seat | Door::Machine
        ) {
            continue;
        }
        let path = route.path.replace("{case}", &case).replace("{id}", &case);
        for thief in &mut thieves {
            let seen = ask(thief, route.verb, &path).await;
            assert!(
                seen.status == 401 || seen.status == 410,
                "{} {path}: {} {}",
                route.verb.name(),
                seen.status,
                seen.text()
            );
            tried += 1;
        }
    }
    assert!(tried > 200, "{tried}");
    // And the other way round.
    let mut as_panel = world.visitor();
    as_panel
        .cookies
        .insert("__Host-countersign-panel".to_owned(), desk);
    let mut thieves = [maja.browser.clone(), as_panel];
    for route in routes().iter().filter(|route| route.door == Door::Panel) {
        let path = route.path.replace("{id}", &case);
        for thief in &mut thieves {
            let seen = ask(thief, route.verb, &path).await;
            assert_eq!(seen.status, 401, "{} {path}", route.verb.name());
        }
    }
    assert_eq!(world.state(&case).await, "open");
}

async fn ask(client: &mut Client, verb: Verb, path: &str) -> Seen {
    let request = Request::builder()
        .method(verb.name())
        .uri(path)
        .header(header::ACCEPT, "application/json")
        .header(header::CONTENT_TYPE, "application/json")
        .header("sec-fetch-site", "same-origin")
        .body(Body::from("{}"))
        .unwrap();
    client.send(request).await
}

#[tokio::test]
async fn no_other_page_asks_or_posts_with_the_panels_cookie() {
    let world = World::new().await;
    let signe = world.signe().await;
    let mut maja = world.colleague("maja").await;
    let router = world.beside(&[ZENDESK]);
    let mut frame = maja.panel(&router).await;
    let page = frame
        .get(&format!(
            "/panel/new?customer={}&action=password.reset",
            signe.id
        ))
        .await;
    let token = page.form("Check the words").fields;
    let token = &token.iter().find(|(name, _)| name == "form").unwrap().1;
    let mut second = maja.panel(&router).await;
    let others = second.get("/panel").await.form("Search").fields;
    let others = &others.iter().find(|(name, _)| name == "form").unwrap().1;
    assert_ne!(token, others, "each session has its own");
    let fields = |token: Option<&str>| {
        let mut fields = vec![
            ("customer", signe.id.clone()),
            ("action", "password.reset".to_owned()),
            ("reason", "the customer forgot the password".to_owned()),
        ];
        fields.extend(token.map(|token| ("form", token.to_owned())));
        fields
    };
    let mine = async || {
        let desk = second.clone().get("/panel").await;
        desk.text().contains("You have no open cases")
    };
    assert!(mine().await);
    let attempts: [(Option<&str>, Option<&str>); 8] = [
        // Another site's page that knows the token, and browsers that do not say who asks.
        (Some("cross-site"), Some(token)),
        (Some("same-site"), Some(token)),
        (Some("none"), Some(token)),
        (None, Some(token)),
        // Our own origin, where somebody found a way to post, but not to read.
        (Some("same-origin"), None),
        (Some("same-origin"), Some("")),
        (
            Some("same-origin"),
            Some("0000000000000000000000000000000000000000000000000000000000000000"),
        ),
        (Some("same-origin"), Some(others)),
    ];
    for (site, token) in attempts {
        let fields = fields(token);
        let fields: Vec<(&str, &str)> = fields
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let seen = asked_by(&mut frame, "/panel/cases", site, Some(&fields)).await;
        assert_eq!(seen.status, 403, "{site:?} {token:?}: {}", seen.text());
    }
    assert!(mine().await, "nothing was opened");
    // Looking somebody up is counted, so another page may not do that either; it begins at the door.
    for site in [Some("cross-site"), Some("same-site"), None] {
        let seen = asked_by(
            &mut frame,
            &format!("/panel/customers/{}", signe.id),
            site,
            None,
        )
        .await;
        assert_eq!(
            (seen.status, seen.location().as_deref()),
            (303, Some("/panel")),
            "{site:?}"
        );
    }
    // The same fields from the page itself do open the case.
    let fields = fields(Some(token));
    let fields: Vec<(&str, &str)> = fields
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let opened = asked_by(
        &mut frame,
        "/panel/cases",
        Some("same-origin"),
        Some(&fields),
    )
    .await;
    assert_eq!(opened.status, 303, "{}", opened.text());
}

#[tokio::test]
async fn only_the_help_desk_frames_and_only_the_panel() {
    let world = World::new().await;
    let signe = world.signe().await;
    let mut maja = world.colleague("maja").await;
    let case = world.case_of(&mut maja, &reinstall(&signe.id)).await;
    let router = world.beside(&[ZENDESK, SANDBOX]);
    let frame = maja.panel(&router).await;
    let mut framed = 0;
    for route in routes() {
        if route.verb != Verb::Get || route.path.ends_with("/events") {
            continue;
        }
        let path = route.path.replace("{case}", &case).replace("{id}", &case);
        for mut client in [
            frame.clone(),
            maja.browser.clone(),
            Client::new(router.clone()),
        ] {
            let seen = client.look(&path).await;
            let policy = seen.header("content-security-policy");
            if countersign_web::site::panel::is_framed(&path) {
                framed += 1;
                assert!(
                    policy.contains(&format!("frame-ancestors {ZENDESK} {SANDBOX};")),
                    "{path}: {policy}"
                );
            } else {
                assert!(
                    policy.contains("frame-ancestors 'none'"),
                    "{path}: {policy}"
                );
                assert_eq!(seen.header("x-frame-options"), "DENY", "{path}");
            }
        }
    }
    assert!(framed >= 12, "{framed}");
    for path in [
        "/panel/sign-in",
        "/panel/pass",
        "/panels",
        "/panel-x",
        "/sign-in",
    ] {
        assert!(!countersign_web::site::panel::is_framed(path), "{path}");
    }
    // Whoever did not configure anything is framed by nobody.
    let closed = world.visitor().look("/panel").await;
    assert!(!closed.is_framed());
}

#[tokio::test]
async fn what_the_ticket_says_chooses_nobody_and_opens_nothing() {
    let world = World::new().await;
    let signe = world.signe().await;
    let mut maja = world.colleague("maja").await;
    let router = world.beside(&[ZENDESK]);
    let mut frame = maja.panel(&router).await;
    for query in [
        format!("?q={MAILBOX}&customer={}", signe.id),
        format!(
            "?customer={}&action=server.reinstall&verified=true",
            signe.id
        ),
        "?hint=signe&agent=petra&role=senior".to_owned(),
    ] {
        let page = asked_by(
            &mut frame,
            &format!("/panel{query}"),
            Some("cross-site"),
            None,
        )
        .await;
        assert_eq!(page.status, 200);
        let text = page.text();
        assert!(
            text.contains("Maja") && !text.contains("Halden") && !text.contains("Petra"),
            "{text}"
        );
        assert!(
            page.body().contains("type=\"search\" value=\"\""),
            "{}",
            page.body()
        );
    }
    // A ticket's number is written down as it is, and is nothing but words.
    let page = asked_by(
        &mut frame,
        "/panel?ticket=%22%3E%3Cscript%3Ealert(1)%3C/script%3E",
        Some("cross-site"),
        None,
    )
    .await;
    assert!(!page.body().contains("<script>alert"), "{}", page.body());
    assert!(
        page.body()
            .contains("data-hints-from=\"https://acme.zendesk.com\"")
    );
    // Somebody else's customer stays hidden, however they are named.
    let nobody = frame.get("/panel/customers/no-such-customer").await;
    assert_eq!(nobody.status, 404);
    // The script that listens only fills in two fields; the browser's own test forges a message to it.
    let script = world
        .visitor()
        .look(&countersign_web::assets::href("panel.js"))
        .await;
    for word in [
        "fetch(",
        "submit",
        ".click",
        "location",
        "XMLHttpRequest",
        "innerHTML",
        "cookie",
        "localStorage",
        "open(",
    ] {
        assert!(!script.body().contains(word), "{word}");
    }
    assert!(
        script
            .body()
            .contains("e.source !== parent || !from.includes(e.origin)")
    );
}

#[tokio::test]
async fn an_open_panel_follows_its_case_and_ends_with_its_session() {
    let world = World::new().await;
    let signe = world.signe().await;
    let mut maja = world.colleague("maja").await;
    let case = world.case_of(&mut maja, &reinstall(&signe.id)).await;
    let mut frame = maja.panel(&world.router).await;
    let path = format!("/panel/cases/{case}/events");
    let request = |site: &str| {
        Request::get(&path)
            .header("sec-fetch-site", site)
            .header(header::ACCEPT, "text/event-stream")
            .body(Body::empty())
            .unwrap()
    };
    assert_eq!(frame.begin(request("cross-site")).await.status(), 303);
    let stream = frame.begin(request("same-origin")).await;
    assert_eq!(stream.status(), 200);
    assert_eq!(stream.headers()[header::CONTENT_TYPE], "text/event-stream");
    let mut parts = stream.into_body().into_data_stream();
    let first = futures_util::StreamExt::next(&mut parts)
        .await
        .unwrap()
        .unwrap();
    let first = String::from_utf8(first.to_vec()).unwrap();
    assert!(
        first.contains("event: patch") && first.contains("id=\"standing\""),
        "{first}"
    );
    assert!(
        !first.contains("class=\"words\"") && !first.contains("<form"),
        "{first}"
    );
}

/// What the help desks install agrees with what the gate serves.
#[test]
fn the_manifests_name_the_panel_as_it_is() {
    let read = |path: &str| crate::read(&format!("integrations/{path}"));
    let zendesk: Value = serde_json::from_str(&read("zendesk/manifest.json")).unwrap();
    assert_eq!(zendesk["frameworkVersion"], "2.0");
    assert_eq!(zendesk["private"], true);
    assert_eq!(zendesk["defaultLocale"], "en");
    for field in ["name", "email"] {
        assert!(zendesk["author"][field].is_string(), "author.{field}");
    }
    let place = &zendesk["location"]["support"]["ticket_sidebar"];
    assert_eq!(place["url"], "assets/iframe.html");
    assert_eq!(place["flexible"], true);
    let asked: Vec<&str> = zendesk["parameters"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["name"].as_str().unwrap())
        .collect();
    assert_eq!(asked, ["gate"]);
    let words: Value = serde_json::from_str(&read("zendesk/translations/en.json")).unwrap();
    for field in [
        "name",
        "short_description",
        "long_description",
        "installation_instructions",
    ] {
        assert!(
            words["app"][field]
                .as_str()
                .is_some_and(|text| !text.is_empty()),
            "app.{field}"
        );
    }
    assert!(words["app"]["parameters"]["gate"]["label"].is_string());
    for logo in ["logo-small.png", "logo.png", "logo.svg"] {
        let path = crate::of_repository(&format!("integrations/zendesk/assets/{logo}"));
        assert!(path.exists(), "{logo}");
    }
    // The page in between hands over a hint and nothing else, and puts the ticket's number where the panel reads it.
    let page = read("zendesk/assets/iframe.html");
    let script = read("zendesk/assets/hint.js");
    assert!(page.contains("hint.js") && !page.contains("<script>"));
    assert!(script.contains("/panel?ticket="), "{script}");
    assert!(script.contains("countersign: \"hint\""), "{script}");
    let chatwoot: Value = serde_json::from_str(&read("chatwoot/dashboard-app.json")).unwrap();
    let content = &chatwoot["content"][0];
    assert_eq!(content["type"], "frame");
    assert!(content["url"].as_str().unwrap().ends_with("/panel"));
    let panel = include_str!("../assets/panel.js");
    for said in [
        "appContext",
        "chatwoot-dashboard-app:fetch-info",
        "countersign === \"hint\"",
    ] {
        assert!(panel.contains(said), "{said}");
    }
    let zammad = read("zammad/README.md");
    assert!(
        zammad.contains("/panel?ticket=#{ticket.number}"),
        "{zammad}"
    );
    // The key that lets them frame is the one the program knows.
    let guide = crate::read("docs/helpdesk.md");
    assert!(guide.contains("panel_in"));
    assert!(crate::read("docs/generated/config.md").contains("`panel_in`"));
}
