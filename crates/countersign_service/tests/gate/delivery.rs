//! Hand-overs that go wrong, stores that lie, and programs that end in the middle.

use std::{sync::Arc, time::Duration};

use countersign_cases::CaseId;
use countersign_service::{CustomerSeat, Idempotent, verify_receipt};
use countersign_store::{
    Batch, CommitError, Committed, Journal, KeyRange, Record, SharedJournal, StoreError,
    StoredEvent, StreamKey, Work,
};
use futures_util::future::BoxFuture;

use crate::{
    backend::Mode,
    world::{Colleague, World, reinstall, without_parameters},
};

/// A case that is granted and waits to be handed over.
async fn granted(world: &mut World) -> (Colleague, CaseId, CustomerSeat) {
    let signe = world.signe().await;
    let maja = world.colleague("maja").await;
    let case = world
        .open(&maja, &without_parameters(&signe, "password.reset"))
        .await
        .case;
    let seat = world.sit(&maja, &case).await;
    world.proves(&seat, "pin", "482913").await;
    world.proves(&seat, "app_code", &world.app_code()).await;
    world.confirms(&seat).await;
    world.gate.run(&maja.staff, &case).await.unwrap();
    (maja, case, seat)
}

#[tokio::test]
async fn a_stop_wins_until_the_grant_is_handed_over_and_is_recorded_after() {
    let mut world = World::new().await;
    let (maja, case, seat) = granted(&mut world).await;
    assert_eq!(world.state(&maja, &case).await, "granted");
    world.gate.stop(&seat, None).await.unwrap();
    world.gate.settle().await.unwrap();
    assert_eq!(
        world.panel.requests(),
        0,
        "a granted case that was stopped never reaches the panel"
    );
    assert_eq!(world.state(&maja, &case).await, "stopped");

    let mut world = World::new().await;
    let (maja, case, seat) = granted(&mut world).await;
    world.gate.settle().await.unwrap();
    world.gate.stop(&seat, Some("too late")).await.unwrap();
    let view = world.gate.case_view(&maja.staff, &case).await.unwrap();
    assert_eq!(view.state.word(), "done");
    assert!(
        view.timeline
            .iter()
            .any(|entry| entry.kind == "stop_came_too_late")
    );
}

#[tokio::test]
async fn a_stop_and_a_hand_over_at_once_end_in_exactly_one_of_the_two() {
    for seed in 0..8 {
        let mut world = World::with_journal(seed, |journal| journal).await;
        let (maja, case, seat) = granted(&mut world).await;
        let (gate, stopper) = (world.gate.clone(), seat.clone());
        let stop = tokio::spawn(async move { gate.stop(&stopper, None).await });
        world.gate.settle().await.unwrap();
        stop.await.unwrap().unwrap();
        world.gate.settle().await.unwrap();
        let state = world.state(&maja, &case).await;
        match world.panel.ran().len() {
            0 => assert_eq!(state, "stopped"),
            1 => assert_eq!(state, "done"),
            more => panic!("ran {more} times"),
        }
    }
}

#[tokio::test]
async fn a_backend_that_fails_says_so_and_the_grant_is_used_up() {
    let mut world = World::new().await;
    world.panel.mode(Mode::Fails);
    let (maja, case, seat) = granted(&mut world).await;
    world.gate.settle().await.unwrap();
    let view = world.gate.case_view(&maja.staff, &case).await.unwrap();
    assert_eq!(
        (view.state.word(), view.failure.as_deref()),
        ("failed", Some("server_busy"))
    );
    assert_eq!(
        world.gate.run(&maja.staff, &case).await.unwrap_err().code(),
        "already-failed"
    );
    let receipt = world
        .gate
        .receipt_for_seat(&seat)
        .await
        .unwrap()
        .to_json()
        .unwrap();
    assert_eq!(
        verify_receipt(&receipt, world.signer.verifier())
            .unwrap()
            .outcome,
        "failed"
    );
}

#[tokio::test]
async fn a_lost_answer_is_unknown_and_resolved_by_asking_never_by_repeating() {
    let mut world = World::new().await;
    world.panel.mode(Mode::LosesItsAnswer);
    let (maja, case, _) = granted(&mut world).await;
    // Handing over ends in unknown; the same round asks, and the panel knows.
    world.gate.settle().await.unwrap();
    assert_eq!(world.panel.requests(), 1, "handed over once");
    assert!(world.panel.asked() >= 1);
    let view = world.gate.case_view(&maja.staff, &case).await.unwrap();
    assert_eq!(view.state.word(), "done");
    assert!(
        view.timeline
            .iter()
            .any(|entry| entry.words.starts_with("No answer")),
        "it was shown as unknown"
    );
    assert_eq!(world.panel.ran().len(), 1);
}

#[tokio::test]
async fn a_request_that_never_arrived_stays_unknown_until_the_grant_counts_no_more() {
    let mut world = World::new().await;
    world.panel.mode(Mode::LosesTheRequest);
    let (maja, case, _) = granted(&mut world).await;
    world.gate.settle().await.unwrap();
    assert_eq!(world.state(&maja, &case).await, "unknown");
    // The same action may not be asked for again while it may have happened.
    let signe = countersign_cases::CustomerId("c-1042".to_owned());
    let again = world
        .gate
        .open_case(&maja.staff, &without_parameters(&signe, "password.reset"))
        .await;
    assert_eq!(again.unwrap_err().code(), "other-case-open");
    for _ in 0..40 {
        world.pass(Duration::from_secs(30));
        world.gate.settle().await.unwrap();
    }
    let view = world.gate.case_view(&maja.staff, &case).await.unwrap();
    assert_eq!(
        (view.state.word(), view.failure.as_deref()),
        ("failed", Some("never_arrived"))
    );
    assert_eq!(world.panel.requests(), 1, "never sent a second time");
}

#[tokio::test]
async fn a_program_that_ends_between_hand_over_and_answer_asks_when_it_is_back() {
    let mut world = World::new().await;
    world.panel.mode(Mode::Hangs);
    let (maja, case, _) = granted(&mut world).await;
    let gate = world.gate.clone();
    let working = tokio::spawn(async move { gate.settle().await });
    world.panel.acted(1).await;
    working.abort();
    let _ = working.await;
    assert_eq!(world.state(&maja, &case).await, "running");

    // Its successor on the same store finds the attempt written down.
    world.panel.mode(Mode::Honest);
    let successor = world.another_gate(77).await;
    successor.settle().await.unwrap();
    assert_eq!(
        world.state(&maja, &case).await,
        "running",
        "the work is leased to the one that ended"
    );
    world.pass(Duration::from_secs(200));
    successor.settle().await.unwrap();
    assert_eq!(world.state(&maja, &case).await, "done");
    assert_eq!((world.panel.requests(), world.panel.ran().len()), (1, 1));
}

/// What a killed gate had in hand waits for the longest answer a backend may take, and for the commits around it; no longer.
#[tokio::test]
async fn what_a_killed_gate_had_in_hand_is_taken_up_within_a_minute() {
    let mut world = World::new().await;
    world.panel.mode(Mode::Hangs);
    let (maja, case, _) = granted(&mut world).await;
    let gate = world.gate.clone();
    let working = tokio::spawn(async move { gate.work(std::future::pending()).await });
    world.panel.acted(1).await;
    working.abort();
    let _ = working.await;

    world.panel.mode(Mode::Honest);
    let successor = world.another_gate(77).await;
    world.pass(Duration::from_secs(59));
    successor.settle().await.unwrap();
    assert_eq!(world.state(&maja, &case).await, "running");
    world.pass(Duration::from_secs(2));
    successor.settle().await.unwrap();
    assert_eq!(world.state(&maja, &case).await, "done");
    assert_eq!((world.panel.requests(), world.panel.ran().len()), (1, 1));
}

#[tokio::test]
async fn a_grant_that_could_not_leave_in_time_is_never_sent_late() {
    let mut world = World::new().await;
    let (maja, case, _) = granted(&mut world).await;
    // Nobody worked for three minutes.
    world.pass(Duration::from_mins(3));
    world.gate.settle().await.unwrap();
    let view = world.gate.case_view(&maja.staff, &case).await.unwrap();
    assert_eq!(
        (view.state.word(), view.failure.as_deref()),
        ("failed", Some("grant_ran_out"))
    );
    assert_eq!(world.panel.requests(), 0);
}

#[tokio::test]
async fn two_gates_on_one_store_hand_a_grant_over_once() {
    let mut world = World::new().await;
    let (maja, case, _) = granted(&mut world).await;
    let neighbour = world.another_gate(99).await;
    let (one, two) = (world.gate.clone(), neighbour);
    let both = [
        tokio::spawn(async move { one.settle().await }),
        tokio::spawn(async move { two.settle().await }),
    ];
    for one in both {
        one.await.unwrap().unwrap();
    }
    world.gate.settle().await.unwrap();
    assert_eq!(world.panel.requests(), 1);
    assert_eq!(world.state(&maja, &case).await, "done");
}

#[tokio::test]
async fn a_letter_that_bounces_for_good_is_no_notice() {
    let mut world = World::new().await;
    let signe = world.signe().await;
    world.mail.refuse("signe@halden.example", 550);
    let maja = world.colleague("maja").await;
    let case = world
        .open(
            &maja,
            &crate::world::change_email(&signe, "new@place.example"),
        )
        .await
        .case;
    let seat = world.sit(&maja, &case).await;
    world.proves(&seat, "password", "correct horse").await;
    world.proves_passkey(&seat).await;
    world.confirms(&seat).await;
    world.gate.settle().await.unwrap();
    let view = world.gate.case_view(&maja.staff, &case).await.unwrap();
    assert!(
        view.timeline
            .iter()
            .any(|entry| entry.words.starts_with("Notice could not be delivered"))
    );
    // The mobile was told, so the wait may begin: somebody settled was reached.
    assert_eq!(view.state.word(), "waiting");

    // A server that says "not now" is asked again, and the wait begins only when the letter was handed over.
    let mut world = World::new().await;
    let signe = world.signe().await;
    world.mail.refuse("signe@halden.example", 450);
    let maja = world.colleague("maja").await;
    let case = world
        .open(
            &maja,
            &crate::world::change_email(&signe, "new@place.example"),
        )
        .await
        .case;
    let seat = world.sit(&maja, &case).await;
    world.proves(&seat, "password", "correct horse").await;
    world.proves_passkey(&seat).await;
    world.confirms(&seat).await;
    world.gate.settle().await.unwrap();
    assert_eq!(world.state(&maja, &case).await, "open");
    world.mail.accept("signe@halden.example");
    world.hours(1);
    world.gate.settle().await.unwrap();
    assert_eq!(world.state(&maja, &case).await, "waiting");
}

#[tokio::test]
async fn workers_do_by_themselves_what_settling_does_in_tests() {
    let mut world = World::new().await;
    let signe = world.signe().await;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let gate = world.gate.clone();
    let working = tokio::spawn(async move { gate.work(async { drop(stopped.await) }).await });
    let maja = world.colleague("maja").await;
    let case = world
        .open(&maja, &without_parameters(&signe, "password.reset"))
        .await
        .case;
    let mut versions = world.gate.case_versions(&case).await.unwrap();
    assert_eq!(versions.next().await, Some(1));
    let seat = world.sit(&maja, &case).await;
    world.proves(&seat, "pin", "482913").await;
    world.proves(&seat, "app_code", &world.app_code()).await;
    world.confirms(&seat).await;
    world.gate.run(&maja.staff, &case).await.unwrap();
    let done = tokio::time::timeout(Duration::from_secs(15), async {
        while let Some(version) = versions.next().await {
            if world.state(&maja, &case).await == "done" {
                return version;
            }
        }
        0
    });
    assert!(done.await.unwrap() >= 8);
    stop.send(()).unwrap();
    tokio::time::timeout(Duration::from_secs(10), working)
        .await
        .unwrap()
        .unwrap();
}

#[tokio::test]
async fn a_repeated_request_gets_the_first_answer_and_another_body_is_refused() {
    let world = World::new().await;
    let Idempotent::First(reserved) = world
        .gate
        .idempotent("maja/POST /v1/cases", "key-1", b"{}")
        .await
        .unwrap()
    else {
        panic!("first")
    };
    assert!(matches!(
        world
            .gate
            .idempotent("maja/POST /v1/cases", "key-1", b"{}")
            .await
            .unwrap(),
        Idempotent::UnderWay
    ));
    let answer = countersign_service::Answer {
        status: 201,
        body: "{\"case\":\"CS-1\"}".to_owned(),
    };
    world
        .gate
        .remember_answer(reserved, answer.clone())
        .await
        .unwrap();
    let Idempotent::Repeat(again) = world
        .gate
        .idempotent("maja/POST /v1/cases", "key-1", b"{}")
        .await
        .unwrap()
    else {
        panic!("repeat")
    };
    assert_eq!(again, answer);
    assert!(matches!(
        world
            .gate
            .idempotent("maja/POST /v1/cases", "key-1", b"{ }")
            .await
            .unwrap(),
        Idempotent::OtherBody
    ));
    assert!(matches!(
        world
            .gate
            .idempotent("tomas/POST /v1/cases", "key-1", b"{ }")
            .await
            .unwrap(),
        Idempotent::First(_)
    ));
    world.hours(25);
    assert!(matches!(
        world
            .gate
            .idempotent("maja/POST /v1/cases", "key-1", b"{ }")
            .await
            .unwrap(),
        Idempotent::First(_)
    ));
}

#[tokio::test]
async fn of_two_alike_at_once_one_opens_and_the_other_hears_its_answer() {
    let mut world = World::new().await;
    let signe = world.signe().await;
    let panel = world.machine("panel");
    let answer = |opened: &countersign_service::OpenedCase,
                  link: &countersign_service::IssuedLink| {
        countersign_service::Answer {
            status: 201,
            body: format!("{} {}", opened.case.0, link.path()),
        }
    };
    let look = || world.gate.look_up_key("panel", "key-1", b"{}");
    // Both have looked before either has opened.
    let (Idempotent::First(one), Idempotent::First(two), Idempotent::First(three)) = (
        look().await.unwrap(),
        look().await.unwrap(),
        look().await.unwrap(),
    ) else {
        panic!("nobody has used it")
    };
    let request = reinstall(&signe);
    let (first, second) = tokio::join!(
        world
            .gate
            .open_case_for_panel_once(&panel, &request, &one, &answer),
        world
            .gate
            .open_case_for_panel_once(&panel, &request, &two, &answer),
    );
    let opened: Vec<_> = [first.unwrap(), second.unwrap()]
        .into_iter()
        .flatten()
        .collect();
    let [(opened, link)] = &opened[..] else {
        panic!("one of them opens, not {}", opened.len())
    };
    // One that comes late is not told that the customer has a case open, for that is its own.
    let late = world
        .gate
        .open_case_for_panel_once(&panel, &request, &three, &answer);
    assert!(late.await.unwrap().is_none());
    let Idempotent::Repeat(again) = look().await.unwrap() else {
        panic!("it was answered")
    };
    assert_eq!(again, answer(opened, link));
    // Without a key used by anybody a refusal is a refusal, and the key stays free.
    let Idempotent::First(other) = world
        .gate
        .look_up_key("panel", "key-2", b"{}")
        .await
        .unwrap()
    else {
        panic!("nobody has used it")
    };
    let refused = world
        .gate
        .open_case_for_panel_once(&panel, &request, &other, &answer);
    assert_eq!(refused.await.unwrap_err().code(), "other-case-open");
    let free = world.gate.look_up_key("panel", "key-2", b"other").await;
    assert!(matches!(free.unwrap(), Idempotent::First(_)));
}

/// A store that loses every n-th commit, or takes it and says that it does not know.
#[derive(Debug)]
struct Liar {
    inner: SharedJournal,
    commits: std::sync::atomic::AtomicUsize,
    every: usize,
    takes_it: bool,
}

impl Journal for Liar {
    fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<Committed, CommitError>> {
        let number = self
            .commits
            .fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let lie = number > 60 && number.is_multiple_of(self.every);
        Box::pin(async move {
            if !lie {
                return self.inner.commit(batch).await;
            }
            if self.takes_it {
                self.inner.commit(batch).await?;
            }
            Err(CommitError::Unavailable("the connection broke".to_owned()))
        })
    }

    fn read(
        &self,
        stream: &StreamKey,
        after: u64,
    ) -> BoxFuture<'_, Result<Vec<StoredEvent>, StoreError>> {
        self.inner.read(stream, after)
    }

    fn follow(
        &self,
        after: u64,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<StoredEvent>, StoreError>> {
        self.inner.follow(after, limit)
    }

    fn get(
        &self,
        space: &'static str,
        key: &str,
    ) -> BoxFuture<'_, Result<Option<Record>, StoreError>> {
        self.inner.get(space, key)
    }

    fn scan(
        &self,
        space: &'static str,
        range: KeyRange,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Record>, StoreError>> {
        self.inner.scan(space, range, limit)
    }

    fn take_work(
        &self,
        queue: &'static str,
        now_ms: i64,
        until_ms: i64,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Work>, StoreError>> {
        self.inner.take_work(queue, now_ms, until_ms, limit)
    }

    fn checkpoint(&self) -> BoxFuture<'_, Result<String, StoreError>> {
        self.inner.checkpoint()
    }

    fn tile(&self, path: &str) -> BoxFuture<'_, Result<Option<Vec<u8>>, StoreError>> {
        self.inner.tile(path)
    }

    fn watch(&self) -> tokio::sync::watch::Receiver<u64> {
        self.inner.watch()
    }
}

/// Whatever the store says, nothing runs twice, and what was acknowledged is there.
#[tokio::test]
async fn a_store_that_loses_commits_or_their_answers_never_makes_anything_run_twice() {
    for (seed, (every, takes_it)) in (10..).zip([
        (2, true),
        (3, true),
        (4, false),
        (5, false),
        (7, true),
        (3, false),
    ]) {
        let wrap = |inner| -> SharedJournal {
            Arc::new(Liar {
                inner,
                commits: 0.into(),
                every,
                takes_it,
            })
        };
        let mut world = World::with_journal(seed, wrap).await;
        let signe = world.signe().await;
        world.attest_backups(&signe).await;
        let maja = world.colleague("maja").await;
        let gate = world.gate.clone();
        // Every step is asked for until it is known to have happened, as a person with a browser does.
        let opened = 'opened: {
            for _ in 0..20 {
                match gate.open_case(&maja.staff, &reinstall(&signe)).await {
                    Ok(opened) => break 'opened opened.case,
                    Err(error) if error.code() == "other-case-open" => {
                        break 'opened gate
                            .desk(&maja.staff, countersign_service::DeskFilter::Mine)
                            .await
                            .unwrap()[0]
                            .case
                            .clone();
                    }
                    Err(error) => assert!(
                        ["outcome-uncertain", "too-many-changes"].contains(&error.code()),
                        "{error}"
                    ),
                }
            }
            panic!("never opened");
        };
        let seat = 'seat: {
            for _ in 0..30 {
                if let Ok(link) = gate.issue_link(&maja.staff, &opened).await
                    && let Ok((_, seat)) = gate.use_link(link.token.expose()).await
                {
                    break 'seat seat;
                }
            }
            panic!("never seated");
        };
        let digest = gate.seat_view(&seat).await.unwrap().digest;
        for _ in 0..12 {
            let secret = countersign_service::adapters::secrets::Secret::new("correct horse");
            let _ = gate.prove(&seat, "password", digest, &secret).await;
            if gate.seat_view(&seat).await.unwrap().ways.iter().any(|way| {
                way.proof == "password"
                    && matches!(way.standing, countersign_service::WayStanding::Done { .. })
            }) {
                break;
            }
        }
        for _ in 0..12 {
            let prompt = gate.start_passkey_proof(&seat, "passkey").await;
            let Ok(prompt) = prompt else { break };
            let response = world
                .customer_passkey(&signe)
                .get(&prompt.options, crate::world::ORIGIN)
                .unwrap();
            let _ = gate
                .finish_passkey_proof(&seat, "passkey", digest, &response)
                .await;
        }
        for _ in 0..12 {
            let _ = gate
                .confirm(&seat, digest, Some(&crate::world::number_told(digest)))
                .await;
            let _ = gate.run(&maja.staff, &opened).await;
        }
        for _ in 0..30 {
            let _ = gate.settle().await;
            world.pass(Duration::from_secs(20));
        }
        for _ in 0..30 {
            world.pass(Duration::from_secs(200));
            let _ = gate.settle().await;
        }
        let state = world.gate.seat_view(&seat).await.unwrap().state.word();
        let ran = world.panel.ran().len();
        assert!(ran <= 1, "ran {ran} times");
        assert_eq!(world.panel.refused(), []);
        match state {
            "done" => assert_eq!(ran, 1),
            // The password may have been locked by lost give-backs, or a grant may have run out: safe, and said.
            other => assert_eq!(
                ran, 0,
                "{other} but it ran (every {every}, takes it {takes_it})"
            ),
        }
    }
}
