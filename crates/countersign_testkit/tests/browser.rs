//! The harness for browsers, on pages of its own: it must notice what the stories rely on it to notice.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests, which clippy does not see as tests"
)]

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};

use countersign_testkit::browser::{Algorithm, Look, play};
use serde_json::json;

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:";

/// Answers every request with this page until the test ends.
fn serve(body: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!(
        "http://localhost:{}/",
        listener.local_addr().unwrap().port()
    );
    std::thread::spawn(move || {
        // A browser opens connections in store: each is answered when it asks.
        for stream in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || answer(stream, body));
        }
    });
    address
}

fn answer(mut stream: TcpStream, body: &str) {
    let Some(Ok(request)) = BufReader::new(&stream).lines().next() else {
        return;
    };
    let (status, body) = if request.contains("/gone") {
        ("410 Gone", "<h1>Gone</h1>")
    } else {
        ("200 OK", body)
    };
    let page = format!(
        "<!doctype html><html lang=en><title>A page</title><link rel=icon href=\"data:,\"><body>{body}</body></html>"
    );
    let length = page.len();
    // A browser that went away is not a mistake.
    let _ = write!(
        stream,
        "HTTP/1.1 {status}\r\ncontent-type: text/html; charset=utf-8\r\ncontent-security-policy: {POLICY}\r\n\
         content-length: {length}\r\nconnection: close\r\n\r\n{page}"
    );
}

#[tokio::test]
#[should_panic(expected = "Content Security Policy")]
async fn a_report_of_the_policy_fails_the_story() {
    let page = serve("<h1>Hello</h1><script>document.title = 'taken over'</script>");
    play(async |stage| {
        let browser = stage.browser(Look::DESK).await;
        browser.go(&page).await;
        assert_eq!(browser.title().await, "A page");
    })
    .await;
    left_out("Content Security Policy");
}

#[tokio::test]
#[should_panic(expected = "announced, and never said")]
async fn an_announcement_that_does_not_come_true_fails_the_story() {
    let page = serve("<h1>Hello</h1>");
    play(async |stage| {
        let browser = stage.browser(Look::DESK).await;
        browser.will_be_refused(410);
        browser.go(&page).await;
    })
    .await;
    left_out("announced, and never said");
}

/// Only where there is no browser, and so no story that could fail as it must.
fn left_out(instead: &str) {
    panic!("left out: {instead}");
}

#[tokio::test]
async fn an_announced_refusal_is_well() {
    let page = serve("<h1>Hello</h1>");
    play(async |stage| {
        let browser = stage.browser(Look::DESK).await;
        browser.will_be_refused(410);
        browser.go(&format!("{page}gone")).await;
        assert_eq!(browser.h1().await, "Gone");
    })
    .await;
}

#[tokio::test]
async fn a_browser_looks_as_it_is_told() {
    let page = serve(
        "<h1>Hello</h1><noscript>No script</noscript><p><a href='/there' aria-label='Go there'>x</a><input name=q>",
    );
    play(async |stage| {
        let browser = stage.browser(Look::PHONE.dark()).await;
        browser.go(&page).await;
        assert_eq!(browser.eval("return innerWidth").await, json!(390));
        let dark = "return matchMedia('(prefers-color-scheme: dark)').matches";
        assert_eq!(browser.eval(dark).await, json!(true));
        assert!(!browser.page().await.contains("No script"));
        assert!(browser.screenshot().await.starts_with(b"\x89PNG"));

        browser.look(Look::DESK.without_script()).await;
        browser.reload().await;
        assert_eq!(browser.eval("return innerWidth").await, json!(1280));
        assert_eq!(browser.eval(dark).await, json!(false));
        assert!(browser.page().await.contains("No script"));

        browser.fill("q", "abc").await;
        browser.fill("q", "words").await;
        let typed = "return document.querySelector('input').value";
        assert_eq!(browser.eval(typed).await, json!("words"));
        browser.press("Go …").await;
        assert_eq!(browser.path().await, "/there");
    })
    .await;
}

#[tokio::test]
async fn authenticators_make_both_kinds_and_say_whether_they_verified() {
    let page = serve("<h1>Hello</h1>");
    // Chromium warns of a page that does not offer ES256 and RS256.
    let make = "const publicKey = { challenge: new Uint8Array(32), rp: { id: 'localhost', name: 'x' },
            user: { id: new Uint8Array(16), name: 'x', displayName: 'x' },
            pubKeyCredParams: [-7, -8, -257].map((alg) => ({ type: 'public-key', alg })),
            authenticatorSelection: { userVerification: 'required' } };
        return (await navigator.credentials.create({ publicKey })).response.getPublicKeyAlgorithm();";
    play(async |stage| {
        for (algorithm, number) in [(Algorithm::Es256, -7), (Algorithm::Ed25519, -8)] {
            let browser = stage.browser(Look::DESK).await;
            let authenticator = browser.authenticator(algorithm).await;
            browser.go(&page).await;
            assert_eq!(browser.eval_async(make, vec![]).await, json!(number));
            assert_eq!(authenticator.passkeys().await.len(), 1);
            authenticator.verifies(false).await;
            let refused = browser.eval_async(make, vec![]).await.to_string();
            assert!(refused.contains("NotAllowedError"), "{refused}");
            authenticator.remove().await;
        }
    })
    .await;
}
