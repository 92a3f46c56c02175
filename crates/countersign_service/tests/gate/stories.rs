//! Honest people.

use std::time::Duration;

use countersign_service::{
    CaseError, DeskFilter, LinkStanding, OpenRequest, Settings, verify_receipt,
};
use countersign_store::{Batch, KeyRange, RecordWrite};

use crate::world::{ORIGIN, World, change_email, reinstall, without_parameters};

/// Axum and tokio want futures that can move between threads.
#[test]
fn every_future_of_the_surface_can_move_between_threads() {
    fn shares<T: Send + Sync + 'static>() {}
    fn sends<T: Send>(_: &T) {}
    #[expect(dead_code, reason = "it is enough that it compiles")]
    fn surface(
        world: &World,
        seat: &countersign_service::CustomerSeat,
        staff: &countersign_service::SignedInStaff,
        request: &OpenRequest,
    ) {
        let (gate, case) = (&world.gate, seat.case());
        let digest = countersign_cases::Digest([0; 32]);
        let secret = countersign_service::adapters::secrets::Secret::new("x");
        let json = serde_json::json!({});
        sends(&gate.work(std::future::pending()));
        sends(&gate.settle());
        sends(&gate.open_case(staff, request));
        sends(&gate.use_link(""));
        sends(&gate.prove(seat, "", digest, &secret));
        sends(&gate.finish_passkey_proof(seat, "", digest, &json));
        sends(&gate.finish_sign_off(staff, case, digest, &json));
        sends(&gate.confirm(seat, digest, None));
        sends(&gate.run(staff, case));
        sends(&gate.case_view(staff, case));
        sends(&gate.seat_view(seat));
        sends(&gate.approvals(staff, ""));
        sends(&gate.desk(staff, DeskFilter::Mine));
        sends(&gate.find_customers(staff, ""));
        sends(&gate.receipt_for_seat(seat));
        sends(&gate.case_versions(case));
        sends(&gate.finish_sign_in("", &json));
    }
    shares::<countersign_service::Gate>();
    shares::<Settings>();
}

#[tokio::test]
async fn an_honest_customer_gets_the_server_reinstalled() {
    Box::pin(honest_story(World::new().await)).await;
}

#[tokio::test]
async fn the_same_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    Box::pin(honest_story(
        World::on_sqlite(&folder.path().join("gate.db")).await,
    ))
    .await;
}

async fn honest_story(mut world: World) {
    let signe = world.signe().await;
    world.attest_backups(&signe).await;
    let maja = world.colleague("maja").await;
    let opened = world.open(&maja, &reinstall(&signe)).await;
    assert_eq!(
        opened.sentence,
        "Erase everything on web-3 and install debian-13"
    );

    // The link can be looked at as often as scanners like; the first POST uses it.
    let link = world
        .gate
        .issue_link(&maja.staff, &opened.case)
        .await
        .unwrap();
    for _ in 0..20 {
        assert!(matches!(
            world.gate.link_standing(link.token.expose()).await.unwrap(),
            LinkStanding::Usable { .. }
        ));
    }
    let (token, seat) = world.gate.use_link(link.token.expose()).await.unwrap();
    assert!(
        world
            .gate
            .seat(token.expose())
            .await
            .unwrap()
            .is_some_and(|again| again.case() == seat.case())
    );
    assert_eq!(
        world.gate.use_link(link.token.expose()).await.unwrap_err(),
        CaseError::LinkGone
    );

    let view = world.gate.seat_view(&seat).await.unwrap();
    let ways: Vec<_> = view.ways.iter().map(|way| way.proof.as_str()).collect();
    assert_eq!(
        ways,
        ["passkey", "app_code", "password", "pin", "mail_code"],
        "strongest first"
    );
    assert!(!view.may_confirm);

    world.proves(&seat, "password", "correct horse").await;
    world.proves_passkey(&seat).await;
    world.confirms(&seat).await;
    assert_eq!(world.state(&maja, &opened.case).await, "ready");
    assert!(
        world.panel.ran().is_empty(),
        "an agent opened it, so somebody says run"
    );
    let view = world
        .gate
        .case_view(&maja.staff, &opened.case)
        .await
        .unwrap();
    assert!(view.can.run.can, "{:?}", view.can.run);
    assert!(!view.customer.masked);

    world.gate.run(&maja.staff, &opened.case).await.unwrap();
    world.gate.settle().await.unwrap();
    assert_eq!(world.panel.refused(), []);
    let ran = world.panel.ran();
    assert_eq!(ran.len(), 1);
    assert_eq!(
        (ran[0].action.as_str(), ran[0].customer.as_str()),
        ("server.reinstall", "c-1042")
    );
    assert_eq!(ran[0].parameters["server"], "web-3");
    assert_eq!(world.state(&maja, &opened.case).await, "done");

    // The receipt is good offline, and any change of it is found.
    let receipt = world
        .gate
        .receipt_for_seat(&seat)
        .await
        .unwrap()
        .to_json()
        .unwrap();
    let verified = verify_receipt(&receipt, world.signer.verifier()).unwrap();
    assert_eq!(
        (verified.sentence.as_str(), verified.outcome.as_str()),
        (opened.sentence.as_str(), "done")
    );
    assert_eq!(verified.digest, opened.digest);
    for (from, to) in [
        ("web-3", "web-4"),
        ("\"outcome\":\"done\"", "\"outcome\":\"failed\""),
        ("debian-13", "debian-14"),
        ("\"receipt\":1", "\"receipt\":2"),
    ] {
        let forged = receipt.replace(from, to);
        assert_ne!(forged, receipt);
        assert!(
            verify_receipt(&forged, world.signer.verifier()).is_err(),
            "{from}"
        );
    }
    let foreign =
        countersign_service::LogSigner::new("support.acme.example/ledger", &[9; 32]).unwrap();
    assert!(verify_receipt(&receipt, foreign.verifier()).is_err());

    // The finished case is on the lists, and no longer among the open ones.
    assert!(
        world
            .gate
            .desk(&maja.staff, DeskFilter::Mine)
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(
        world
            .gate
            .desk(&maja.staff, DeskFilter::FinishedToday)
            .await
            .unwrap()[0]
            .case,
        opened.case
    );
}

#[tokio::test]
async fn a_lost_phone_takes_a_senior_notices_and_a_day() {
    let mut world = World::new().await;
    let signe = world.signe().await;
    let maja = world.colleague("maja").await;
    let mut idris = world.colleague("idris").await;
    let case = world.open(&maja, &reinstall(&signe)).await.case;
    let seat = world.sit(&maja, &case).await;
    world.proves(&seat, "pin", "482913").await;
    world.proves_mail_code(&seat, "signe@halden.example").await;
    world.confirms(&seat).await;

    let approvals = world.gate.approvals(&idris.staff, "").await.unwrap();
    assert_eq!(approvals.for_me.len(), 1);
    let approvals = world.gate.approvals(&maja.staff, "").await.unwrap();
    assert!(
        approvals.for_me.is_empty() && approvals.cannot[0].1.code == Some("own-case"),
        "{approvals:?}"
    );
    world.signs(&mut idris, &case).await.unwrap();
    assert_eq!(
        world
            .gate
            .approvals(&idris.staff, "")
            .await
            .unwrap()
            .decided[0]
            .case,
        case
    );

    // Notices to every channel, each with a stop link, and only then the wait begins.
    world.gate.settle().await.unwrap();
    let view = world.gate.seat_view(&seat).await.unwrap();
    assert_eq!(view.state.word(), "waiting");
    let notice = world.mail.mails_to("signe@halden.example").pop().unwrap();
    assert!(
        notice.text().contains("Erase everything on web-3")
            && notice.text().contains(&format!("{ORIGIN}/v/cs_stop_")),
        "{}",
        notice.text()
    );
    assert_eq!(world.panel.texts().len(), 1);
    assert!(
        !notice.text().contains("+4670"),
        "one contact learns nothing of another"
    );

    world.hours(23);
    world.gate.settle().await.unwrap();
    assert!(world.panel.ran().is_empty());
    world.hours(1);
    world.gate.settle().await.unwrap();
    assert_eq!(
        world.panel.ran().len(),
        1,
        "it waited, so it runs by itself"
    );
    assert_eq!(world.state(&maja, &case).await, "done");
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
            .signed_by,
        ["Idris"]
    );
}

#[tokio::test]
async fn the_panel_opens_for_its_signed_in_customer_and_gets_them_back() {
    let mut world = World::new().await;
    let signe = world.signe().await;
    world.attest_backups(&signe).await;
    let panel = world.machine("panel");
    let with_return = |target: &str| OpenRequest {
        return_to: Some(target.to_owned()),
        reason: None,
        ..reinstall(&signe)
    };
    for evil in [
        "https://panel.acme.example.evil/",
        "https://evil.example/",
        "https://panel.acme.example@evil.example/",
        "javascript:alert(1)",
        "//evil.example",
    ] {
        let refused = world
            .gate
            .open_case_for_panel(&panel, &with_return(evil))
            .await
            .unwrap_err();
        assert_eq!(refused.code(), "return-to-not-allowed", "{evil}");
    }
    let (opened, link) = world
        .gate
        .open_case_for_panel(
            &panel,
            &with_return("https://panel.acme.example/servers?ok=1"),
        )
        .await
        .unwrap();
    let (_, seat) = world.gate.use_link(link.token.expose()).await.unwrap();
    world.proves(&seat, "password", "correct horse").await;
    world.proves(&seat, "app_code", &world.app_code()).await;
    assert_eq!(
        world.gate.seat_view(&seat).await.unwrap().return_to,
        None,
        "not before it is over"
    );
    world.confirms(&seat).await;
    world.gate.settle().await.unwrap();
    assert_eq!(
        world.panel.ran().len(),
        1,
        "the customer opened it, so it runs by itself"
    );
    let view = world.gate.seat_view(&seat).await.unwrap();
    assert_eq!(view.state.word(), "done");
    assert_eq!(
        view.return_to.as_deref(),
        Some("https://panel.acme.example/servers?ok=1")
    );
    assert_eq!(view.case, opened.case);
}

#[tokio::test]
async fn a_robot_opens_and_runs_but_neither_proves_nor_signs() {
    let mut world = World::new().await;
    let signe = world.signe().await;
    let robot = world.machine("robot");
    let opened = world
        .gate
        .open_case_as_robot(&robot, &without_parameters(&signe, "password.reset"))
        .await
        .unwrap();
    let link = world
        .gate
        .issue_link_as_robot(&robot, &opened.case)
        .await
        .unwrap();
    let (_, seat) = world.gate.use_link(link.token.expose()).await.unwrap();
    assert_eq!(
        world
            .gate
            .run_as_robot(&robot, &opened.case)
            .await
            .unwrap_err()
            .code(),
        "not-ready"
    );
    world.proves(&seat, "pin", "482913").await;
    world.proves(&seat, "app_code", &world.app_code()).await;
    world.confirms(&seat).await;
    world.gate.run_as_robot(&robot, &opened.case).await.unwrap();
    world.gate.settle().await.unwrap();
    assert_eq!(world.panel.ran().len(), 1);
    // What only other machines may do.
    for name in ["backups", "reader", "panel"] {
        let other = world.machine(name);
        let refused = world
            .gate
            .open_case_as_robot(&other, &without_parameters(&signe, "password.reset"))
            .await
            .unwrap_err();
        assert_eq!(refused.code(), "not-allowed", "{name}");
    }
    assert!(
        world
            .gate
            .machine("cs_machine_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
            .is_none()
    );
}

#[tokio::test]
async fn a_replaced_contact_is_told_and_neither_learns_of_the_other() {
    let mut world = World::new().await;
    let signe = world.signe().await;
    let panel = world.machine("panel");
    let saved = world
        .gate
        .put_customer(
            &panel,
            &signe,
            &crate::world::halden("new@elsewhere.example"),
        )
        .await
        .unwrap();
    assert_eq!((saved.created, saved.added, saved.removed), (false, 1, 1));
    world.gate.settle().await.unwrap();
    let told = world
        .mail
        .mails_to("signe@halden.example")
        .pop()
        .expect("the old contact is told");
    assert!(
        !String::from_utf8_lossy(&told.raw).contains("elsewhere"),
        "{}",
        told.text()
    );
    assert!(world.mail.mails_to("new@elsewhere.example").is_empty());

    // For thirty days the old one is told of what is asked for, and can stop it.
    world.hours(20 * 24);
    let maja = world.colleague("maja").await;
    let case = world
        .open(&maja, &change_email(&signe, "third@place.example"))
        .await
        .case;
    let seat = world.sit(&maja, &case).await;
    world.proves(&seat, "password", "correct horse").await;
    world.proves(&seat, "app_code", &world.app_code()).await;
    world.confirms(&seat).await;
    world.gate.settle().await.unwrap();
    for address in ["signe@halden.example", "new@elsewhere.example"] {
        let notice = world.mail.mails_to(address).pop().unwrap();
        let raw = String::from_utf8_lossy(&notice.raw).to_string() + &notice.text();
        for other in [
            "third@place.example",
            "signe@halden.example",
            "new@elsewhere.example",
        ] {
            assert!(
                other == address || !raw.contains(other),
                "{address} learns of {other}: {raw}"
            );
        }
        assert!(
            notice.text().contains("(new address, not shown here)"),
            "{}",
            notice.text()
        );
    }
    let stop = world
        .gate
        .stop_link(&world.stop_token("signe@halden.example"))
        .await
        .unwrap()
        .unwrap();
    let shown = world.gate.stop_view(&stop).await.unwrap();
    assert!(
        shown.may_stop
            && !shown
                .pieces
                .iter()
                .any(|piece| piece.text.contains("third@"))
    );
    world
        .gate
        .stop_by_link(&stop, Some("I did not ask for it"))
        .await
        .unwrap();
    assert_eq!(world.state(&maja, &case).await, "stopped");
    world.hours(80);
    world.gate.settle().await.unwrap();
    assert!(world.panel.ran().is_empty());
}

#[tokio::test]
async fn people_find_customers_by_what_they_can_spell_and_every_look_is_counted() {
    let mut world = World::new().await;
    let signe = world.signe().await;
    let maja = world.colleague("maja").await;
    for query in [
        "48213",
        "SIGNE@halden.example",
        "halden.example",
        "hald",
        "freight",
    ] {
        let found = world.gate.find_customers(&maja.staff, query).await.unwrap();
        assert_eq!(found.len(), 1, "{query}");
        assert_eq!(found[0].id, signe);
        assert!(
            found[0].masked
                && found[0]
                    .contacts
                    .iter()
                    .all(|contact| contact.address.contains('•'))
        );
        assert!(found[0].attributes.is_empty());
    }
    for query in ["igne", "4821", "nobody@halden.example"] {
        assert!(
            world
                .gate
                .find_customers(&maja.staff, query)
                .await
                .unwrap()
                .is_empty(),
            "{query}"
        );
    }
    assert_eq!(
        world
            .gate
            .find_customers(&maja.staff, "ab")
            .await
            .unwrap_err()
            .code(),
        "bad-field"
    );
    for _ in 0..112 {
        world
            .gate
            .look_up_customer(&maja.staff, &signe)
            .await
            .unwrap();
    }
    assert_eq!(
        world
            .gate
            .look_up_customer(&maja.staff, &signe)
            .await
            .unwrap_err()
            .code(),
        "too-many-look-ups"
    );
    world.hours(1);
    let maja = world.colleague("tomas").await;
    world
        .gate
        .look_up_customer(&maja.staff, &signe)
        .await
        .unwrap();
}

#[tokio::test]
async fn cases_somebody_cannot_sign_do_not_hide_those_they_can() {
    let mut world = World::new().await;
    let signe = world.signe().await;
    let maja = world.colleague("maja").await;
    let idris = world.colleague("idris").await;
    let own = world.open(&idris, &reinstall(&signe)).await.case;
    let seat = world.sit(&idris, &own).await;
    world.proves(&seat, "pin", "482913").await;
    world.proves_mail_code(&seat, "signe@halden.example").await;
    world.confirms(&seat).await;
    let all = |from: &str| KeyRange {
        from: from.to_owned(),
        to: "~".to_owned(),
        reverse: false,
    };
    let waiting = world.journal.scan("wanted", all(""), 10).await.unwrap();
    assert_eq!(waiting.len(), 1, "{waiting:?}");

    // The same case 300 times over, as if 300 had been opened by this senior, each a little later.
    let (time, case) = waiting[0].key.split_once('/').unwrap();
    let time: i64 = time.parse().unwrap();
    let records = (1..=300).map(|later| RecordWrite {
        space: "wanted",
        key: format!("{:016}/{case}", time + later),
        value: Some(waiting[0].value.clone()),
        expected: None,
        expires_ms: None,
    });
    let batch = Batch {
        records: records.collect(),
        ..Batch::default()
    };
    world.journal.commit(batch).await.unwrap();
    world.pass(Duration::from_mins(1));
    world.gate.withdraw(&idris.staff, &own).await.unwrap();
    let other = world.open(&maja, &reinstall(&signe)).await.case;
    let seat = world.sit(&maja, &other).await;
    world.proves(&seat, "pin", "482913").await;
    world.proves_mail_code(&seat, "signe@halden.example").await;
    world.confirms(&seat).await;

    let mut after = String::new();
    let mut pages = 0;
    let found = loop {
        let page = world.gate.approvals(&idris.staff, &after).await.unwrap();
        pages += 1;
        assert!(pages < 10, "the list does not end");
        if let Some(row) = page.for_me.first() {
            break row.case.clone();
        }
        after = page.next.expect("the list ends before the case");
    };
    assert_eq!(found, other);
    assert!(pages > 1, "300 were weighed for one page");
    let last = world.gate.approvals(&idris.staff, &after).await.unwrap();
    assert_eq!(last.next, None, "there is nothing after the newest");
}
