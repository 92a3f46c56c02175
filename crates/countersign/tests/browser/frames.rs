//! The panel in a frame, beside pages that would like to put words into it. B18: the real page and the real script, and
//! three origins: the help desk that is listed, the panel, and somebody else.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

use countersign_testkit::browser::{Browser, Look, play};
use countersign_web::pages::gallery;

#[tokio::test]
async fn a_hint_is_taken_from_the_help_desk_and_from_nobody_else() {
    let [desk, panel, elsewhere] =
        std::array::from_fn(|_| TcpListener::bind("127.0.0.1:0").unwrap());
    let [at_desk, at_panel, at_elsewhere] = [&desk, &panel, &elsewhere].map(origin);
    let page = gallery()
        .unwrap()
        .into_iter()
        .find(|page| page.page == "panel" && page.state == "nothing-open")
        .unwrap();
    let page = page
        .html
        .replace("https://nordhamn.zendesk.com", &at_desk)
        .replace(
            "name=\"ticket\" value=\"48213\"",
            "name=\"ticket\" value=\"\"",
        );
    assert!(page.contains(&format!("data-hints-from=\"{at_desk}\"")));
    serve(panel, page);
    let around = |title: &str, more: &str| {
        format!(
            "<!doctype html><html lang=en><title>{title}</title><link rel=icon href=\"data:,\"><h1>{title}</h1>\
             <iframe src=\"{at_panel}/panel\"></iframe>{more}"
        )
    };
    let beside = format!("<iframe src=\"{at_elsewhere}/inner\"></iframe>");
    serve(desk, around("Ticket", &beside));
    serve(elsewhere, around("Elsewhere", ""));
    play(async |stage| {
        let browser = stage.browser(Look::DESK).await;
        // Somebody else's page frames it (the policy forbids that; here nothing does) and speaks to it.
        browser.go(&format!("{at_elsewhere}/")).await;
        says(&browser, "window.frames[0]", HINT_OF_A_THIEF).await;
        says(&browser, "window.frames[0]", CHATWOOT_OF_A_THIEF).await;
        assert_eq!(typed(&browser).await, (String::new(), String::new()));
        // A page beside it, in the help desk's own page, speaks to it past the desk.
        browser.go(&format!("{at_desk}/")).await;
        browser.client().enter_frame(1).await.unwrap();
        says(&browser, "window.parent.frames[0]", HINT_OF_A_THIEF).await;
        says(&browser, "window.parent.frames[0]", CHATWOOT_OF_A_THIEF).await;
        browser.client().enter_parent_frame().await.unwrap();
        // Things that are no hint, from the desk itself.
        for odd in ["null", "7", "'{'", "'[]'", "{}", "{ countersign: 'hint', q: { x: 1 } }", "'x'.repeat(2e6)"] {
            says(&browser, "window.frames[0]", odd).await;
        }
        assert_eq!(typed(&browser).await, (String::new(), String::new()));
        // The desk's own hint is written into the two fields, cut to what fits, and nothing else happens.
        says(
            &browser,
            "window.frames[0]",
            "{ countersign: 'hint', q: ' signe@halden.example ', ticket: 48213, action: 'server.reinstall', submit: true }",
        )
        .await;
        assert_eq!(
            typed(&browser).await,
            ("signe@halden.example".to_owned(), "48213".to_owned())
        );
        // What stands there already is the agent's.
        says(&browser, "window.frames[0]", "{ countersign: 'hint', q: 'other', ticket: 1 }").await;
        assert_eq!(typed(&browser).await.0, "signe@halden.example");
        assert_eq!(browser.path().await, "/");
    })
    .await;
}

const HINT_OF_A_THIEF: &str = "{ countersign: 'hint', q: 'thief', ticket: 'thief' }";
const CHATWOOT_OF_A_THIEF: &str = "JSON.stringify({ event: 'appContext', data: { contact: { email: 'thief' }, conversation: { id: 1 } } })";

async fn says(browser: &Browser, to: &str, what: &str) {
    browser
        .eval(&format!("{to}.postMessage({what}, '*');"))
        .await;
}

/// What stands in the panel's two fields, once it has read its post.
async fn typed(browser: &Browser) -> (String, String) {
    browser.client().enter_frame(0).await.unwrap();
    let fields = browser
        .eval_async(
            // A message of its own comes after all that were sent before.
            "await new Promise((read) => {
                 addEventListener('message', (e) => { if (e.source === window) read(); });
                 postMessage('', '*');
             });
             return [document.getElementById('q').value, document.getElementById('ticket').value];",
            Vec::new(),
        )
        .await;
    browser.client().enter_parent_frame().await.unwrap();
    let of = |at: usize| fields[at].as_str().unwrap().to_owned();
    (of(0), of(1))
}

fn origin(listener: &TcpListener) -> String {
    format!("http://localhost:{}", listener.local_addr().unwrap().port())
}

/// Answers with this page, and with the gate's own scripts and style, until the test ends.
fn serve(listener: TcpListener, page: String) {
    let page = Arc::new(page);
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let page = Arc::clone(&page);
            std::thread::spawn(move || answer(stream, &page));
        }
    });
}

fn answer(mut stream: TcpStream, page: &str) {
    let Some(Ok(request)) = BufReader::new(&stream).lines().next() else {
        return;
    };
    let path = request.split(' ').nth(1).unwrap_or_default();
    let asset = path
        .strip_prefix("/assets/")
        .and_then(countersign_web::assets::asset);
    let (kind, body) = match asset {
        Some(asset) => (asset.content_type, asset.body),
        None if path == "/inner" => ("text/html", "<!doctype html><title>-</title>".as_bytes()),
        None => ("text/html; charset=utf-8", page.as_bytes()),
    };
    // A browser that went away is not a mistake.
    let _ = write!(
        stream,
        "HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    )
    .and_then(|()| stream.write_all(body));
}
