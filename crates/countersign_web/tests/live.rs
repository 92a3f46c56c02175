//! What happens is told at once to whoever may know it, and to nobody else.

use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use axum::http::{Request, header};
use futures_util::StreamExt as _;
use serde_json::{Value, json};

use crate::world::{Client, PIN, World, reinstall, without_parameters};

/// How long an event may take on a loaded machine; in the ordinary case it is there within milliseconds.
const SOON: Duration = Duration::from_secs(5);

pub(crate) struct Stream {
    body: BodyDataStream,
    held: String,
}

/// One event: its id, its name, its data.
#[derive(Debug)]
pub(crate) struct Event {
    id: u64,
    name: String,
    pub(crate) data: String,
}

impl Stream {
    pub(crate) async fn open(client: &mut Client, path: &str, last: Option<&str>) -> Self {
        let mut request = Request::get(path)
            .header(header::ACCEPT, "text/event-stream")
            .header(header::ACCEPT_ENCODING, "br, gzip");
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let response = client.begin(request.body(Body::empty()).unwrap()).await;
        assert_eq!(response.status(), 200, "{path}");
        let headers = response.headers();
        assert_eq!(headers["content-type"], "text/event-stream");
        assert!(
            !headers.contains_key("content-encoding"),
            "it must leave at once"
        );
        assert_eq!(headers["cache-control"], "no-cache");
        assert_eq!(headers["x-accel-buffering"], "no");
        assert_eq!(headers["x-frame-options"], "DENY");
        Self {
            body: response.into_body().into_data_stream(),
            held: String::new(),
        }
    }

    /// The next event; `None` once the stream is closed.
    pub(crate) async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some((block, rest)) = self.held.split_once("\n\n") {
                let block = block.to_owned();
                self.held = rest.into();
                if block.starts_with(':') {
                    continue;
                }
                let all = |name: &str| {
                    block
                        .lines()
                        .filter_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
                        .collect::<Vec<_>>()
                        .join("\n")
                };
                return Some(Event {
                    id: all("id").parse().unwrap(),
                    name: all("event"),
                    data: all("data"),
                });
            }
            let chunk = tokio::time::timeout(SOON, self.body.next())
                .await
                .expect("an event in time")?;
            self.held
                .push_str(std::str::from_utf8(&chunk.unwrap()).unwrap());
        }
    }

    /// Nothing came while something else did.
    async fn is_quiet(&mut self) -> bool {
        tokio::time::timeout(Duration::from_millis(50), self.next())
            .await
            .is_err()
    }
}

#[tokio::test]
async fn a_change_is_told_to_the_page_and_to_the_program() {
    let world = World::new().await;
    let mut signe = world.signe().await;
    let mut maja = world.colleague("maja").await;
    let case = world.case_of(&mut maja, &reinstall(&signe.id)).await;
    world.sit(&mut maja, &case, &mut signe).await;
    let mut reader = world.machine("reader");
    let version = reader.read(&format!("/v1/cases/{case}")).await.json()["version"]
        .as_u64()
        .unwrap();
    let mut page = Stream::open(
        &mut maja.browser,
        &format!("/cases/{case}/events?after={version}"),
        None,
    )
    .await;
    let mut program = Stream::open(&mut reader, &format!("/v1/cases/{case}/events"), None).await;
    let first = program.next().await.unwrap();
    assert_eq!(
        (first.id, first.name.as_str()),
        (version, "changed"),
        "the present one first"
    );
    assert!(page.is_quiet().await, "the page has that one already");

    signe.types("pin", PIN).await;
    let patch = page.next().await.unwrap();
    assert_eq!((patch.id, patch.name.as_str()), (version + 1, "patch"));
    assert!(patch.data.contains("id=\"checklist\""), "{}", patch.data);
    assert!(
        !patch.data.contains("class=\"words\""),
        "the words never change under a reader"
    );
    let change = program.next().await.unwrap();
    let said: Value = serde_json::from_str(&change.data).unwrap();
    assert_eq!(said, json!({ "version": version + 1 }));

    // Whoever comes back says what they saw last, and gets what came since, once.
    let back = |last: u64| (last, format!("/v1/cases/{case}/events?after=0"));
    let (last, path) = back(version);
    let mut again = Stream::open(&mut reader, &path, Some(&last.to_string())).await;
    assert_eq!(again.next().await.unwrap().id, version + 1);
    let (last, path) = back(version + 1);
    let mut again = Stream::open(&mut reader, &path, Some(&last.to_string())).await;
    assert!(again.is_quiet().await);
}

#[tokio::test]
async fn lists_and_the_customers_page_move_on_by_themselves() {
    let world = World::new().await;
    let mut signe = world.signe().await;
    let mut maja = world.colleague("maja").await;
    let mut idris = world.colleague("idris").await;
    let case = world.case_of(&mut maja, &reinstall(&signe.id)).await;
    world.sit(&mut maja, &case, &mut signe).await;
    signe.types("pin", PIN).await;
    signe.types_mailed_code(&world, crate::world::MAILBOX).await;
    let at = world.gate.position();
    let mut desk = Stream::open(
        &mut maja.browser,
        &format!("/desk/events?show=mine&after={at}"),
        None,
    )
    .await;
    let mut approvals = Stream::open(
        &mut idris.browser,
        &format!("/approvals/events?show=me&after={at}"),
        None,
    )
    .await;
    signe.confirms().await;
    assert!(approvals.next().await.unwrap().data.contains("nav-count"));
    assert!(desk.next().await.unwrap().data.contains(&case));
    let mut customer = signe.browser.clone();
    let mut done = Stream::open(&mut customer, "/c/events", None).await;
    let first = done.next().await.unwrap();
    idris.signs(&case).await;
    world.settle().await;
    let mut last = done.next().await.unwrap();
    assert!(last.id > first.id);
    while !last.data.contains("It takes effect on") {
        last = done.next().await.unwrap();
    }
}

#[tokio::test]
async fn a_stream_ends_with_the_session_and_is_nobody_elses() {
    let world = World::new().await;
    let mut signe = world.signe().await;
    let mut maja = world.colleague("maja").await;
    let case = world
        .case_of(&mut maja, &without_parameters(&signe.id, "password.reset"))
        .await;
    world.sit(&mut maja, &case, &mut signe).await;
    let path = format!("/cases/{case}/events");
    let mut streams = vec![
        Stream::open(&mut maja.browser, &path, None).await,
        Stream::open(&mut maja.browser, &format!("/v1{path}"), None).await,
        Stream::open(&mut maja.browser, "/desk/events", None).await,
    ];
    for stream in &mut streams {
        stream.next().await.unwrap();
    }
    let mut same = maja.browser.clone();
    same.post("/sign-out", &[]).await;
    signe.types("pin", PIN).await;
    for stream in &mut streams {
        while let Some(event) = stream.next().await {
            // Something that was under way before the sign-out may still arrive; nothing after it.
            assert!(!event.data.contains("Proven: support PIN"), "{event:?}");
        }
    }
    let mut halvar = world.colleague("halvar").await;
    for (browser, status) in [
        (&mut world.visitor(), 401),
        (&mut world.machine("backups"), 403),
        (&mut world.machine("panel"), 403),
        (&mut halvar.browser, 409),
    ] {
        let refused = browser.read(&format!("/v1{path}")).await;
        assert_eq!(refused.status, status, "{}", refused.text());
    }
    assert_eq!(halvar.browser.read(&path).await.status, 409);
    // Following does not keep a session alive: nobody is there.
    let mut tomas = world.colleague("tomas").await;
    let mut watching = Stream::open(&mut tomas.browser, &path, None).await;
    watching.next().await.unwrap();
    for _ in 0..7 {
        world.minutes(9);
        signe
            .browser
            .clone()
            .post("/c/prove/pin", &[("secret", "0")])
            .await;
    }
    assert_eq!(tomas.browser.read("/v1/me").await.status, 401);
}
