//! More than can be done is refused at once, costs the others nothing, and leaves nothing behind.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, Response, header};
use countersign_store::{
    Batch, CommitError, Committed, Journal, KeyRange, Record, SharedJournal, StoreError,
    StoredEvent, StreamKey, Work,
};
use countersign_web::{Web, router};
use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;

use crate::world::{Client, World, reinstall};

/// Nothing that is refused waits for anything; this only ends a test that is wrong.
const AT_ONCE: Duration = Duration::from_secs(5);

async fn at_once<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(AT_ONCE, work)
        .await
        .expect("an answer without waiting")
}

#[tokio::test]
async fn a_gate_with_all_places_taken_says_so_at_once_and_recovers() {
    let world = World::new().await;
    let web = world.web();
    let mut visitor = Client::new(router(web.clone()));
    let mut places = Vec::new();
    while let Some(place) = web.limits.work() {
        places.push(place);
    }
    for path in ["/sign-in", "/v1/me", "/desk", "/ledger/checkpoint"] {
        let seen = at_once(visitor.look(path)).await;
        assert_eq!(
            (seen.status, seen.header("retry-after")),
            (503, "1"),
            "{path}"
        );
        assert_eq!(seen.header("x-frame-options"), "DENY");
    }
    let page = at_once(visitor.look("/sign-in")).await;
    assert_eq!(page.h1(), "Back in a moment");
    // It lives all the same, and says so to whoever would start it again.
    assert_eq!(at_once(visitor.look("/healthz")).await.status, 200);
    assert_eq!(at_once(visitor.look("/readyz")).await.status, 200);
    places.pop();
    assert_eq!(at_once(visitor.look("/sign-in")).await.status, 200);
    assert_eq!(
        at_once(visitor.look("/sign-in")).await.status,
        200,
        "the place came back"
    );
}

/// A store whose queue is full.
#[derive(Debug)]
struct Full {
    store: SharedJournal,
    full: AtomicBool,
}

impl Journal for Full {
    fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<Committed, CommitError>> {
        if self.full.load(Ordering::SeqCst) {
            return Box::pin(std::future::ready(Err(CommitError::Overloaded)));
        }
        self.store.commit(batch)
    }

    fn read(
        &self,
        stream: &StreamKey,
        after: u64,
    ) -> BoxFuture<'_, Result<Vec<StoredEvent>, StoreError>> {
        self.store.read(stream, after)
    }

    fn follow(
        &self,
        after: u64,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<StoredEvent>, StoreError>> {
        self.store.follow(after, limit)
    }

    fn get(
        &self,
        space: &'static str,
        key: &str,
    ) -> BoxFuture<'_, Result<Option<Record>, StoreError>> {
        self.store.get(space, key)
    }

    fn scan(
        &self,
        space: &'static str,
        range: KeyRange,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Record>, StoreError>> {
        self.store.scan(space, range, limit)
    }

    fn take_work(
        &self,
        queue: &'static str,
        now_ms: i64,
        lease_until_ms: i64,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Work>, StoreError>> {
        self.store.take_work(queue, now_ms, lease_until_ms, limit)
    }

    fn checkpoint(&self) -> BoxFuture<'_, Result<String, StoreError>> {
        self.store.checkpoint()
    }

    fn tile(&self, path: &str) -> BoxFuture<'_, Result<Option<Vec<u8>>, StoreError>> {
        self.store.tile(path)
    }

    fn watch(&self) -> tokio::sync::watch::Receiver<u64> {
        self.store.watch()
    }
}

#[tokio::test]
async fn a_full_writers_queue_is_a_503_with_a_time_and_nothing_is_changed() {
    let mut world = World::new().await;
    let signe = world.signe().await;
    let full = Arc::new(Full {
        store: Arc::clone(&world.journal),
        full: AtomicBool::new(false),
    });
    world.journal = full.clone();
    world.restarted(|_| {}).await;
    let mut panel = world.machine("panel");
    let before = world.gate.position();
    full.full.store(true, Ordering::SeqCst);
    for _ in 0..20 {
        let seen = at_once(panel.call("POST", "/v1/cases", &reinstall(&signe.id))).await;
        assert_eq!(
            (
                seen.status,
                seen.code().as_str(),
                seen.header("retry-after")
            ),
            (503, "overloaded", "1")
        );
    }
    assert_eq!(world.gate.position(), before);
    full.full.store(false, Ordering::SeqCst);
    let seen = at_once(panel.call("POST", "/v1/cases", &reinstall(&signe.id))).await;
    assert_eq!(seen.status, 201);
}

async fn follow(client: &mut Client, path: &str) -> Response<Body> {
    let request = Request::get(path).header(header::ACCEPT, "text/event-stream");
    client.begin(request.body(Body::empty()).unwrap()).await
}

/// Everything that comes until the stream ends.
async fn rest(stream: Response<Body>) -> String {
    let chunks = Mutex::new(String::new());
    let all = stream.into_body().into_data_stream().for_each(|chunk| {
        let text = String::from_utf8(chunk.unwrap().to_vec()).unwrap();
        chunks.lock().unwrap().push_str(&text);
        std::future::ready(())
    });
    at_once(all).await;
    chunks.into_inner().unwrap()
}

#[tokio::test]
async fn one_reader_has_a_bounded_number_of_streams_and_the_others_have_theirs() {
    let world = World::new().await;
    let web: Web = world.web();
    let signe = world.signe().await;
    let mut maja = world.colleague("maja").await;
    let case = world.case_of(&mut maja, &reinstall(&signe.id)).await;
    maja.browser.moves_to(&router(web.clone()));
    let path = format!("/cases/{case}/events");
    let mut streams = Vec::new();
    let refused = loop {
        let stream = at_once(follow(&mut maja.browser, &path)).await;
        if stream.status() != 200 {
            break stream;
        }
        streams.push(stream);
        assert!(streams.len() < 100, "no bound");
    };
    assert_eq!(refused.status(), 503);
    assert_eq!(refused.headers()["retry-after"], "1");
    assert_eq!(web.limits.listening(), streams.len());

    let mut reader = world.machine("reader");
    reader.moves_to(&router(web.clone()));
    let other = follow(&mut reader, &format!("/v1{path}")).await;
    assert_eq!(other.status(), 200);
    drop((streams.pop(), other));
    let again = follow(&mut maja.browser, &path).await;
    assert_eq!(again.status(), 200, "a place that was left is free");
    drop((streams, again));
    assert_eq!(web.limits.listening(), 0);
}

#[tokio::test]
async fn asked_to_end_it_says_so_ends_streams_and_answers_on() {
    let world = World::new().await;
    let web = world.web();
    let mut maja = world.colleague("maja").await;
    maja.browser.moves_to(&router(web.clone()));
    let stream = follow(&mut maja.browser, "/desk/events").await;
    assert_eq!(stream.status(), 200);
    let kept = maja.browser.look("/readyz").await;
    assert_eq!((kept.status, kept.header("connection")), (200, ""));

    web.end();
    let said = rest(stream).await;
    let retry = said.lines().find_map(|line| line.strip_prefix("retry: "));
    let retry: u64 = retry.expect("when to come back").parse().unwrap();
    assert!((500..2_500).contains(&retry), "{retry}");
    let ready = maja.browser.look("/readyz").await;
    assert_eq!((ready.status, ready.header("retry-after")), (503, "5"));
    assert_eq!(maja.browser.look("/healthz").await.status, 200);
    let desk = maja.browser.look("/desk").await;
    assert_eq!((desk.status, desk.header("connection")), (200, "close"));
    // A stream that is asked for now ends as soon as it has said when to come back.
    let late = follow(&mut maja.browser, "/desk/events").await;
    assert!(rest(late).await.contains("retry: "));
}

/// Each try from a network of its own, as by somebody who has many.
#[tokio::test]
async fn a_flood_of_answers_for_one_customer_is_refused_before_it_costs_anything() {
    let world = World::new().await;
    let mut signe = world.signe().await;
    let mut maja = world.colleague("maja").await;
    let case = world.case_of(&mut maja, &reinstall(&signe.id)).await;
    world.sit(&mut maja, &case, &mut signe).await;
    let mut refused = 0;
    for number in 0..60_u8 {
        signe.browser.peer = Some(SocketAddr::from(([192, 0, 2, number], 4_000)));
        let seen = signe
            .browser
            .post("/c/prove/pin", &[("secret", "000000")])
            .await;
        match seen.status {
            422 => assert_eq!(refused, 0, "let in again while the clock stood still"),
            429 => {
                refused += 1;
                assert_eq!(seen.header("retry-after"), "3");
                assert_eq!(seen.h1(), "Too many tries");
            }
            other => panic!("{other}"),
        }
    }
    assert_eq!(refused, 40);
    let position = world.gate.position();
    let seen = signe
        .browser
        .post("/c/prove/pin", &[("secret", "000000")])
        .await;
    assert_eq!((seen.status, world.gate.position()), (429, position));
}
