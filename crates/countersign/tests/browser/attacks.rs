//! Ways round the procedure that begin in a browser, each tried as whoever would try it. The numbers are those of
//! `docs/THREATS.md`.

use axum::Router;
use axum::response::Html;
use axum::routing::get;
use countersign_testkit::browser::{Algorithm, Browser, Look, Stage, play};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::company::Company;
use crate::people::{
    CUSTOMER, Colleague, Customer, MAILBOX, PASSWORD, PIN, WORDS, answers, posts_json,
};

/// Somebody who reads Signe's mailbox, and knows nothing else. The agent is as willing as one can be.
#[tokio::test(flavor = "multi_thread")]
async fn a_hijacked_mailbox_and_a_willing_agent_end_at_a_requirement() {
    play(async |stage| {
        let company = Company::new().await;
        company.knows_signe().await;
        let maja = Colleague::joins(stage, &company, "maja", Algorithm::Es256).await;
        let case = maja.opens_a_case(&company).await;
        let link = maja.sends_the_link().await;

        let thief = Customer::with(stage.browser(Look::DESK).await);
        thief.says_yes(&link).await;
        thief.proves_by_mail(&company).await;
        for guess in ["1234", "0000"] {
            thief.chooses_if_asked("pin").await;
            thief.will_be_refused(422);
            thief.fill("secret", guess).await;
            thief.press("Check the PIN").await;
            thief.sees("There is a problem").await;
        }
        // The confirmation's address, typed by hand, leads back to what is missing; so does the form, made by hand.
        thief.go(&company.at("/c/confirm")).await;
        assert_ne!(thief.path().await, "/c/confirm", "{}", thief.page().await);
        let digest = maja.digest().await;
        assert_eq!(
            thief.posts("/c/confirm", &[("digest", &digest)]).await.0,
            409
        );

        // B1: Maja has no button for it. The one that stands there leads to what is missing.
        maja.sees("still missing").await;
        maja.press("Run action").await;
        let address = maja.address().await;
        assert!(
            address.ends_with("#missing"),
            "it leads to what is missing: {address}"
        );
        let (status, answer) = maja
            .posts(&format!("/cases/{case}/run"), &[("digest", &digest)])
            .await;
        assert!(
            (400..500).contains(&status) && answer.contains("Nothing was changed"),
            "{answer}"
        );
        // B2: she would type the PIN for them, on every page that takes one.
        for path in [
            "/c/prove/pin",
            "/c/prove/password",
            "/c/prove/mail_code",
            "/c/yes",
            "/c/confirm",
        ] {
            let secret = if path.ends_with("pin") { PIN } else { PASSWORD };
            let (status, answer) = maja
                .posts(path, &[("secret", secret), ("digest", &digest)])
                .await;
            assert!(status == 410 || status == 401, "{path}: {status} {answer}");
        }
        // B6: nor does she sign for it herself.
        maja.go(&company.at(&format!("/approvals/{case}"))).await;
        maja.sees("You cannot sign this").await;
        assert!(!maja.has("form[data-passkey]").await);
        let (status, _) = maja
            .posts(&format!("/approvals/{case}/sign/start"), &[])
            .await;
        assert!((400..500).contains(&status));
        maja.looks_at(&company, &case).await;
        maja.sees("Waiting for the customer").await;
        assert!(company.panel.ran().is_empty());
        assert_eq!(company.panel.refused(), 0, "no grant ever left the gate");
        company
    })
    .await;
}

/// B6, B14: Maja was once a senior, and still has that account, on another machine.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_signs_their_own_case_with_a_second_account() {
    play(async |stage| {
        let company = Company::new().await;
        let maja = Colleague::joins(stage, &company, "maja", Algorithm::Es256).await;
        let case = signe_has_proved(stage, &company, &maja).await;
        let other = Colleague::joins(stage, &company, "maja2", Algorithm::Ed25519).await;
        assert!(
            other.page().await.contains("Maja too"),
            "she is signed in twice"
        );
        other.go(&company.at(&format!("/approvals/{case}"))).await;
        other.sees("You cannot sign this").await;
        assert!(!other.has("form[data-passkey]").await);
        let start = format!("/approvals/{case}/sign/start");
        let finish = format!("/approvals/{case}/sign/finish");
        assert!((400..500).contains(&other.posts(&start, &[]).await.0));
        other.close().await;

        // A colleague's prompt, answered with her own passkey and sent from her own session.
        let idris = Colleague::joins(stage, &company, "idris", Algorithm::Es256).await;
        let prompt = posts_json(&idris, &start, &json!({ "digest": maja.digest().await })).await;
        assert_eq!(prompt.0, 200, "{prompt:?}");
        let answer = answers(&maja, &prompt.1).await;
        let (status, refused) = posts_json(&maja, &finish, &answer).await;
        assert!((400..500).contains(&status), "{refused}");
        let (status, refused) = posts_json(&idris, &finish, &answer).await;
        assert!(
            (400..500).contains(&status),
            "with Idris's session, and not his passkey: {refused}"
        );
        maja.looks_at(&company, &case).await;
        maja.sees("Waiting for a senior").await;
        idris.go(&company.at(&format!("/approvals/{case}"))).await;
        idris.press("Sign with your passkey…").await;
        idris.sees("You have signed").await;
        assert!(company.panel.ran().is_empty());
        company
    })
    .await;
}

/// B8, B9: a scanner opens every link it sees, many times; whoever has a link has no more than that.
#[tokio::test(flavor = "multi_thread")]
async fn links_are_opened_by_scanners_and_decide_nothing() {
    play(async |stage| {
        let company = Company::new().await;
        company.knows_signe().await;
        let maja = Colleague::joins(stage, &company, "maja", Algorithm::Es256).await;
        let case = maja.opens_a_case(&company).await;
        let link = maja.sends_the_link().await;
        let log = maja.text("#log").await;
        scanned(&company, &link).await;
        maja.looks_at(&company, &case).await;
        assert_eq!(
            maja.text("#log ol").await,
            log.replace("So far ", ""),
            "nothing happened"
        );

        // One that runs scripts, and looks at the page the link leads to.
        let signe = Customer::with(stage.browser(Look::PHONE).await);
        for _ in 0..3 {
            signe.go(&link).await;
            assert_eq!(signe.path().await, "/c");
            signe.sees(WORDS).await;
        }
        signe.says_yes(&link).await;
        signe.proves("pin", PIN).await;
        signe.proves_by_mail(&company).await;
        signe.confirms(&link).await;
        signe.close().await;

        // The used link, in other hands.
        let thief = stage.browser(Look::PHONE).await;
        thief.will_be_refused(410);
        thief.go(&link).await;
        assert!(
            !thief.offers("Yes, I asked for this").await,
            "{}",
            thief.page().await
        );
        assert!(
            !thief.page().await.contains("web-3"),
            "{}",
            thief.page().await
        );
        assert_eq!(thief.posts("/c/yes", &[]).await.0, 410);
        thief.close().await;

        let idris = Colleague::joins(stage, &company, "idris", Algorithm::Es256).await;
        idris.go(&company.at(&format!("/approvals/{case}"))).await;
        idris.press("Sign with your passkey…").await;
        maja.sees("Takes effect ").await;
        let stop = company.stop_link(MAILBOX).await;
        scanned(&company, &stop).await;
        maja.looks_at(&company, &case).await;
        maja.sees("Takes effect ").await;
        assert!(company.panel.ran().is_empty());
        company
    })
    .await;
}

/// Twenty looks, with no cookies, as a scanner takes them; every other one asks for the head alone.
async fn scanned(company: &Company, link: &str) {
    for at in 0..20 {
        let scanner = company.stranger();
        let request = if at % 2 == 0 {
            scanner.get(link)
        } else {
            scanner.head(link)
        };
        let status = request.send().await.unwrap().status().as_u16();
        assert!(status == 200 || status == 303, "{status}");
    }
}

/// B3, B12: what was proved and read for one request, put under another.
#[tokio::test(flavor = "multi_thread")]
async fn a_form_with_other_words_in_it_is_another_request() {
    play(async |stage| {
        let company = Company::new().await;
        let signe = Customer::signe(stage, &company, Algorithm::Es256).await;
        company.attest_backups(CUSTOMER).await;
        let maja = Colleague::joins(stage, &company, "maja", Algorithm::Es256).await;
        let case = maja.opens_a_case(&company).await;
        let link = maja.sends_the_link().await;
        signe.says_yes(&link).await;
        signe.proves("password", PASSWORD).await;

        // A prompt for this case, answered and kept.
        signe.chooses("passkey").await;
        let prompt = posts_json(&signe, "/c/prove/passkey/start", &json!({})).await;
        let kept = answers(&signe, &prompt.1).await;
        signe.press("Use my passkey").await;
        signe.arrives("/c/confirm").await;

        // Other words under the same confirmation.
        let digest = maja.digest().await;
        let other = format!(
            "{}{}",
            if digest.starts_with('0') { '1' } else { '0' },
            digest.get(1..).unwrap()
        );
        let (status, answer) = signe.posts("/c/confirm", &[("digest", &other)]).await;
        assert_eq!(status, 409, "{answer}");
        // Whoever was sent the link from elsewhere does not know what Maja says in the chat.
        signe.go(&company.at("/c/confirm")).await;
        let wrong = if link.number == "10" { "11" } else { "10" };
        let (status, answer) = signe
            .posts("/c/confirm", &[("digest", &digest), ("number", wrong)])
            .await;
        assert!((400..500).contains(&status), "{answer}");
        signe.confirms(&link).await;

        // And under the same button to run.
        let run = format!("/cases/{case}/run");
        let (status, answer) = maja.posts(&run, &[("digest", &other)]).await;
        assert_eq!(status, 409, "{answer}");
        // What the form never asked for changes nothing, and nothing runs without the digest of the words.
        let (status, answer) = maja
            .posts(&run, &[("parameters", "{\"server\":\"web-4\"}")])
            .await;
        assert!((400..500).contains(&status), "{answer}");
        assert!(company.panel.ran().is_empty());
        maja.go(&company.at(&run)).await;
        assert_eq!(maja.text("p.words").await, WORDS);

        // Another request of the same customer: what was proved for the first counts for nothing.
        maja.asks_for(&company, "Send a password reset link").await;
        let second = maja.sends_the_link().await;
        signe.says_yes(&second).await;
        let (status, answer) = posts_json(&signe, "/c/prove/passkey/finish", &kept).await;
        assert!((400..500).contains(&status), "{answer}");
        signe.go(&company.at("/c/prove")).await;
        assert!(
            !signe.page().await.contains("Done"),
            "{}",
            signe.page().await
        );
        signe.go(&company.at("/c/confirm")).await;
        assert_ne!(signe.path().await, "/c/confirm", "{}", signe.page().await);

        // The first one is as it was, and runs as it was read.
        maja.go(&company.at(&format!("/cases/{case}/run"))).await;
        maja.press("Run: reinstall a server").await;
        maja.press("Open the case").await;
        maja.shows("#pill", "Done").await;
        let ran = company.panel.ran();
        assert_eq!(ran.len(), 1);
        assert_eq!(
            ran[0].parameters,
            json!({ "server": "web-3", "image": "debian-13" })
        );
        company
    })
    .await;
}

/// B18 and its kin: another site sends Maja's browser here, and puts our pages into its own.
#[tokio::test(flavor = "multi_thread")]
async fn another_site_presses_nothing_and_frames_nothing() {
    play(async |stage| {
        let company = Company::new().await;
        company.knows_signe().await;
        let maja = Colleague::joins(stage, &company, "maja", Algorithm::Es256).await;
        let case = maja.opens_a_case(&company).await;
        let stranger = site_of_a_stranger(&company, &case).await;

        for form in ["withdraw", "link", "theme"] {
            maja.go(&stranger).await;
            maja.will_be_refused(403);
            maja.press(&format!("Win a prize: {form}")).await;
            maja.sees("This form came from somewhere else").await;
        }
        // Nor by a script, with or without her cookies.
        maja.go(&stranger).await;
        maja.announce("has been blocked by CORS policy");
        maja.announce("net::ERR_FAILED");
        let withdraw = company.at(&format!("/cases/{case}/withdraw"));
        for credentials in ["include", "omit"] {
            let answer = maja
                .eval_async(
                    "return (await fetch(arguments[0], { method: 'POST', credentials: arguments[1] })).status",
                    vec![json!(withdraw), json!(credentials)],
                )
                .await;
            assert!(answer["failed"].is_string(), "{answer}");
        }
        // Our pages in its frames are empty: nothing of hers is drawn there, and nothing can be pressed.
        maja.announce("frame");
        maja.go(&format!("{stranger}framed")).await;
        let frames = maja.eval("return document.querySelectorAll('iframe').length").await;
        assert_eq!(frames, json!(3));
        for frame in 0..3 {
            maja.client().clone().enter_frame(frame).await.unwrap();
            let inside = maja.page().await;
            assert!(!inside.contains("Maja") && !inside.contains("web-3") && !maja.has("form").await, "{inside}");
            maja.client().clone().enter_parent_frame().await.unwrap();
        }

        maja.looks_at(&company, &case).await;
        let happened = maja.eval("return document.querySelectorAll('#log li').length").await;
        assert_eq!(happened, json!(1), "opened, and nothing else: {}", maja.text("#log").await);
        assert!(maja.offers("Dark colours").await, "the colours are as they were");
        // What a desk that embeds us claims about the customer is looked up here, or is nobody.
        maja.will_be_refused(404);
        maja.go(&company.at("/cases/new/details?customer=someone-else&action=server.reinstall&email=signe@halden.example")).await;
        maja.sees("There is nothing here").await;
        maja.go(&company.at("/cases/new/details?customer=c-1042&action=server.reinstall&name=Somebody+Else&verified=true")).await;
        let page = maja.page().await;
        assert!(page.contains("Halden Freight") && !page.contains("Somebody Else"), "{page}");
        company
    })
    .await;
}

/// By its address in numbers it is another site than `localhost`.
async fn site_of_a_stranger(company: &Company, case: &str) -> String {
    let forms: String = [("withdraw", format!("/cases/{case}/withdraw")), ("link", format!("/cases/{case}/link")), ("theme", "/settings/theme".to_owned())]
        .iter()
        .map(|(name, path)| {
            format!("<form method=post action=\"{}\"><input type=hidden name=theme value=dark><button>Win a prize: {name}</button></form>", company.at(path))
        })
        .collect();
    let frames: String = [
        "/desk".to_owned(),
        format!("/cases/{case}"),
        "/sign-in".to_owned(),
    ]
    .iter()
    .map(|path| format!("<iframe src=\"{}\"></iframe>", company.at(path)))
    .collect();
    let page = |body: &str| {
        Html(format!(
            "<!doctype html><title>Prizes</title><link rel=icon href=\"data:,\"><main>{body}</main>"
        ))
    };
    let (forms, frames) = (page(&forms), page(&frames));
    let router = Router::new()
        .route("/", get(async move || forms))
        .route("/framed", get(async move || frames));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

/// B7 and its kin: wrong answers are counted for the customer, whichever case, agent or browser they come from.
#[tokio::test(flavor = "multi_thread")]
async fn a_pin_is_not_guessed_across_cases_and_agents() {
    play(async |stage| {
        let company = Company::new().await;
        company.knows_signe().await;
        let maja = Colleague::joins(stage, &company, "maja", Algorithm::Es256).await;
        maja.opens_a_case(&company).await;
        let link = maja.sends_the_link().await;
        maja.close().await;
        guesses(stage, &company, &link, &["1111", "2222", "3333"]).await;

        let tomas = Colleague::joins(stage, &company, "tomas", Algorithm::Es256).await;
        let case = tomas.asks_for(&company, "Send a password reset link").await;
        let link = tomas.sends_the_link().await;
        let thief = guesses(stage, &company, &link, &["4444", "5555"]).await;
        // It is closed now, for the right answer too, and says no more than that.
        thief.fill("secret", PIN).await;
        thief.press("Check the PIN").await;
        thief.sees("That PIN is not right.").await;
        tomas.looks_at(&company, &case).await;
        let page = tomas.page().await;
        assert!(!page.contains("support PIN: Proven"), "{page}");
        assert!(company.panel.ran().is_empty());
        company
    })
    .await;
}

/// A thief with this link tries these.
async fn guesses(stage: &Stage, company: &Company, link: &str, guesses: &[&str]) -> Customer {
    let thief = Customer::with(stage.browser(Look::PHONE).await);
    thief.says_yes(link).await;
    thief.will_be_refused(422);
    for guess in guesses {
        thief.go(&company.at("/c/prove/pin")).await;
        thief.fill("secret", guess).await;
        thief.press("Check the PIN").await;
        thief.sees("That PIN is not right.").await;
    }
    thief
}

/// B24, B25: who exists, what is right, and what was ever given, told from words, status and size.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_learns_who_exists_from_what_is_refused() {
    play(async |stage| {
        let company = Company::new().await;
        company.knows_signe().await;
        company.knows_ole().await;
        let maja = Colleague::joins(stage, &company, "maja", Algorithm::Es256).await;
        let case = maja.opens_a_case(&company).await;
        let link = maja.sends_the_link().await;
        // B24: what Maja sees of a customer who proved nothing is masked.
        let page = maja.page().await;
        for secret in [MAILBOX, "740605", PIN] {
            assert!(!page.contains(secret), "{secret} in {page}");
        }
        let ole = maja.opens_a_case_for(&company, "50001", "Ole Berg").await;
        assert_ne!(ole, case);
        let to_ole = maja.sends_the_link().await;
        maja.close().await;

        // A PIN that is wrong, and one that was never set.
        let mut answers = Vec::new();
        let thief = Customer::with(stage.browser(Look::PHONE).await);
        for (link, name) in [(&link, &case), (&to_ole, &ole)] {
            thief.says_yes(link).await;
            let (status, page) = thief.posts("/c/prove/pin", &[("secret", "1234")]).await;
            answers.push((status, without_keys(&page).replace(name.as_str(), "CASE")));
        }
        assert_eq!(answers[0], answers[1]);

        // Links that were used and links that never were; cases that are and cases that are not, to a stranger.
        let stranger = stage.browser(Look::DESK).await;
        stranger.will_be_refused(410);
        let never = |used: &str| {
            let (front, token) = used.rsplit_once('_').unwrap();
            format!("{front}_{}", "A".repeat(token.len()))
        };
        // Whoever has the link itself is told that it was used, and nothing of what for.
        for address in [link.to_string(), never(&link)] {
            let seen = look(&stranger, &address).await;
            for secret in ["web-3", "Halden", case.as_str(), "Maja"] {
                assert!(!seen.contains(secret), "{secret} in {seen}");
            }
        }
        let pairs = [
            (
                format!("/cases/{case}"),
                format!("/cases/{}", not_a_case(&case)),
            ),
            (
                format!("/approvals/{case}"),
                format!("/approvals/{}", not_a_case(&case)),
            ),
            (
                format!("/customers/{CUSTOMER}"),
                "/customers/c-0000".to_owned(),
            ),
        ];
        for (there, not_there) in pairs {
            let one = look(&stranger, &company.at(&there)).await;
            let other = look(&stranger, &company.at(&not_there)).await;
            let same =
                |seen: &str, path: &str| seen.replace(path.rsplit('/').next().unwrap(), "ID");
            assert_eq!(same(&one, &there), same(&other, &not_there), "{there}");
        }
        // A prompt to sign in says nothing of who has a passkey here.
        let asked = |email: &str| {
            let body = json!({ "email": email });
            let ask = company
                .stranger()
                .post(company.at("/sign-in/start"))
                .header("origin", company.origin.clone())
                .json(&body);
            async move {
                let answer = ask.send().await.unwrap();
                (
                    answer.status().as_u16(),
                    shape(&answer.json::<Value>().await.unwrap()),
                )
            }
        };
        assert_eq!(
            asked("maja@acme.example").await,
            asked("nobody@acme.example").await
        );
        company
    })
    .await;
}

/// What there is to see at an address, the address included.
async fn look(browser: &Browser, address: &str) -> String {
    browser.go(address).await;
    let source = browser.client().source().await.unwrap();
    without_keys(&source)
}

/// Each page carries a fresh key for its forms.
fn without_keys(source: &str) -> String {
    let mut parts = source.split("name=\"idempotency_key\" value=\"");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        let rest = part.split_once('"').map_or("", |(_, rest)| rest);
        text + "KEY" + rest
    })
}

/// A case id of the same form that nobody was given.
fn not_a_case(case: &str) -> String {
    let (front, last) = case.split_at(case.len() - 1);
    format!("{front}{}", if last == "0" { "1" } else { "0" })
}

/// The keys and kinds of a document, and the lengths of its texts.
fn shape(value: &Value) -> String {
    match value {
        Value::Object(fields) => fields
            .iter()
            .map(|(key, value)| format!("{key}: {}; ", shape(value)))
            .collect(),
        Value::Array(items) => items.iter().map(shape).collect::<Vec<_>>().join(", "),
        Value::String(text) => format!("text of {}", text.len()),
        other => other.to_string(),
    }
}

/// Up to where a colleague is asked.
async fn signe_has_proved(stage: &Stage, company: &Company, maja: &Colleague) -> String {
    company.knows_signe().await;
    let case = maja.opens_a_case(company).await;
    let link = maja.sends_the_link().await;
    let signe = Customer::with(stage.browser(Look::PHONE).await);
    signe.says_yes(&link).await;
    signe.proves("pin", PIN).await;
    signe.proves_by_mail(company).await;
    signe.confirms(&link).await;
    signe.close().await;
    case
}
