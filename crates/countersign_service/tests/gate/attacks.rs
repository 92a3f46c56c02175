//! People who want what is not theirs, and colleagues who help them.

use countersign_cases::CustomerId;
use countersign_service::{
    Answered, CaseError, FactorPut, OpenRequest, ProofError,
    adapters::{secrets::Secret, soft_passkey::SoftPasskey},
    settings::Scope,
};

use crate::world::{ORIGIN, World, change_email, halden, reinstall, without_parameters};

/// The 2016 attack: a stranger who reads the mailbox, and an agent who is willing.
#[tokio::test]
async fn a_stranger_with_the_mailbox_and_a_willing_agent_get_nothing() {
    let mut world = World::new().await;
    let signe = world.signe().await;
    let maja = world.colleague("maja").await;
    let case = world.open(&maja, &reinstall(&signe)).await.case;
    let seat = world.sit(&maja, &case).await;
    world.proves_mail_code(&seat, "signe@halden.example").await;
    let digest = world.digest(&seat).await;
    assert_eq!(
        world
            .gate
            .confirm(&seat, digest, None)
            .await
            .unwrap_err()
            .code(),
        "customer-part-missing"
    );
    assert_eq!(
        world.gate.run(&maja.staff, &case).await.unwrap_err().code(),
        "not-ready"
    );
    let view = world.gate.case_view(&maja.staff, &case).await.unwrap();
    assert!(!view.can.run.can && !view.checklist.missing.is_empty());
    world.hours(47);
    world.gate.settle().await.unwrap();
    world.hours(2);
    world.gate.settle().await.unwrap();
    assert_eq!(
        world.state(&maja, &case).await,
        "expired",
        "no time-out ever approves"
    );
    assert_eq!(world.panel.requests(), 0);
}

#[tokio::test]
async fn wrong_pins_lock_across_cases_and_agents_and_nobody_is_told_why() {
    let mut world = World::new().await;
    let signe = world.signe().await;
    let maja = world.colleague("maja").await;
    let tomas = world.colleague("tomas").await;
    let first = world.open(&maja, &reinstall(&signe)).await.case;
    let second = world
        .open(&tomas, &without_parameters(&signe, "password.reset"))
        .await
        .case;
    let seats = [
        world.sit(&maja, &first).await,
        world.sit(&tomas, &second).await,
    ];
    for (number, seat) in (0..5).zip(seats.iter().cycle()) {
        let answered = world
            .prove(seat, "pin", &format!("00000{number}"))
            .await
            .unwrap();
        assert!(
            matches!(answered, Answered::NotRight { tries_left: None }),
            "nothing is proved, so nothing is told: {answered:?}"
        );
    }
    // Locked everywhere now: the right PIN gets the same answer as a wrong one.
    for seat in &seats {
        let answered = world.prove(seat, "pin", "482913").await.unwrap();
        assert!(
            matches!(answered, Answered::NotRight { tries_left: None }),
            "{answered:?}"
        );
    }
    assert!(
        !world
            .gate
            .look_up_customer(&tomas.staff, &signe)
            .await
            .unwrap()
            .locked
            .is_empty()
    );
    // Another way is still open, and a day later so is this one.
    world.proves(&seats[1], "app_code", &world.app_code()).await;
    world.hours(25);
    let answered = world.prove(&seats[1], "pin", "999999").await;
    assert!(answered.is_err() || matches!(answered, Ok(Answered::NotRight { .. })));
    let case = world
        .gate
        .open_case(&maja.staff, &without_parameters(&signe, "password.reset"))
        .await;
    assert_eq!(case.unwrap_err().code(), "other-case-open");
}

#[tokio::test]
async fn a_right_answer_gives_its_try_back_and_a_later_day_forgets_wrong_ones() {
    let mut world = World::new().await;
    let signe = world.signe().await;
    let maja = world.colleague("maja").await;
    let case = world.open(&maja, &reinstall(&signe)).await.case;
    let seat = world.sit(&maja, &case).await;
    for wrong in ["1111", "2222", "3333", "4444"] {
        assert!(matches!(
            world.prove(&seat, "pin", wrong).await.unwrap(),
            Answered::NotRight { .. }
        ));
    }
    // The fifth try is the right one: it locks nothing.
    world.proves(&seat, "pin", "482913").await;
    let view = world.gate.seat_view(&seat).await.unwrap();
    let pin = view.ways.iter().find(|way| way.proof == "pin").unwrap();
    assert_eq!(
        pin.tries_left,
        Some(1),
        "the wrong ones still count, and whoever proved something is told"
    );
}

#[tokio::test]
async fn many_answers_at_once_buy_no_more_tries() {
    let mut world = World::new().await;
    let signe = world.signe().await;
    let maja = world.colleague("maja").await;
    let case = world.open(&maja, &reinstall(&signe)).await.case;
    let seat = world.sit(&maja, &case).await;
    let digest = world.digest(&seat).await;
    let tries: Vec<_> = (0..12)
        .map(|number| {
            let (gate, seat) = (world.gate.clone(), seat.clone());
            tokio::spawn(async move {
                gate.prove(&seat, "pin", digest, &Secret::new(format!("77777{number}")))
                    .await
            })
        })
        .collect();
    for one in tries {
        // Under such a rush some are told that it is too busy; none is told that it was right.
        assert!(!matches!(one.await.unwrap(), Ok(Answered::Right(_))));
    }
    for _ in 0..5 {
        let _ = world.prove(&seat, "pin", "111111").await.unwrap();
    }
    assert!(matches!(
        world.prove(&seat, "pin", "482913").await.unwrap(),
        Answered::NotRight { .. }
    ));
}

#[tokio::test]
async fn a_code_counts_for_one_case_once_and_for_a_quarter_of_an_hour() {
    let mut world = World::new().await;
    let signe = world.signe().await;
    let maja = world.colleague("maja").await;
    let first = world.open(&maja, &reinstall(&signe)).await.case;
    let second = world
        .open(&maja, &without_parameters(&signe, "password.reset"))
        .await
        .case;
    let (one, two) = (
        world.sit(&maja, &first).await,
        world.sit(&maja, &second).await,
    );
    let code = world.mail_code(&one, "signe@halden.example").await;
    // The other case asks for no code at all, and another digest is refused before anything is looked at.
    assert!(matches!(
        world.prove(&two, "mail_code", &code).await,
        Err(ProofError::Case(CaseError::Refused(_)))
    ));
    let foreign = world.digest(&two).await;
    let refused = world
        .gate
        .prove(&one, "mail_code", foreign, &Secret::new(code.clone()))
        .await
        .unwrap_err();
    assert_eq!(refused.code(), "other-digest");
    assert_eq!(
        world
            .gate
            .send_code(&one, "mail_code")
            .await
            .unwrap_err()
            .code(),
        "code-too-soon"
    );
    world.pass(std::time::Duration::from_mins(16));
    assert!(
        matches!(
            world.prove(&one, "mail_code", &code).await.unwrap(),
            Answered::NotRight { .. }
        ),
        "ran out"
    );
    let newer = world.mail_code(&one, "signe@halden.example").await;
    assert_ne!(newer, code);
    world.proves(&one, "mail_code", &newer).await;
    assert_eq!(
        world
            .prove(&one, "mail_code", &newer)
            .await
            .unwrap_err()
            .code(),
        "already-proved"
    );
    for _ in 0..3 {
        world.pass(std::time::Duration::from_secs(61));
        assert_eq!(
            world
                .gate
                .send_code(&one, "mail_code")
                .await
                .unwrap_err()
                .code(),
            "already-proved"
        );
    }
}

#[tokio::test]
async fn an_authenticator_code_counts_once_in_all_cases() {
    let mut world = World::new().await;
    let signe = world.signe().await;
    let maja = world.colleague("maja").await;
    let first = world.open(&maja, &reinstall(&signe)).await.case;
    let second = world
        .open(&maja, &without_parameters(&signe, "password.reset"))
        .await
        .case;
    let (one, two) = (
        world.sit(&maja, &first).await,
        world.sit(&maja, &second).await,
    );
    let code = world.app_code();
    world.proves(&one, "app_code", &code).await;
    assert!(matches!(
        world.prove(&two, "app_code", &code).await.unwrap(),
        Answered::NotRight { .. }
    ));
    world.pass(std::time::Duration::from_secs(30));
    world.proves(&two, "app_code", &world.app_code()).await;
}

#[tokio::test]
async fn an_assertion_counts_for_one_case_one_question_and_one_site() {
    let mut world = World::new().await;
    let signe = world.signe().await;
    let maja = world.colleague("maja").await;
    let first = world.open(&maja, &reinstall(&signe)).await.case;
    let second = world
        .open(&maja, &without_parameters(&signe, "password.reset"))
        .await
        .case;
    let (one, two) = (
        world.sit(&maja, &first).await,
        world.sit(&maja, &second).await,
    );
    let prompt = world
        .gate
        .start_passkey_proof(&one, "passkey")
        .await
        .unwrap();
    let signed = world
        .customer_passkey(&signe)
        .get(&prompt.options, ORIGIN)
        .unwrap();
    let digest = world.digest(&two).await;
    assert_eq!(
        world
            .gate
            .finish_passkey_proof(&two, "passkey", digest, &signed)
            .await
            .unwrap_err()
            .code(),
        "passkey-not-accepted"
    );
    assert_eq!(
        world
            .gate
            .finish_passkey_proof(&one, "passkey", digest, &signed)
            .await
            .unwrap_err()
            .code(),
        "other-digest"
    );
    // Somebody else's passkey.
    let begun = world
        .gate
        .start_customer_passkey(&world.machine("panel"), &signe, "key")
        .await
        .unwrap();
    let (mut stranger, _) = SoftPasskey::create(&begun.options, ORIGIN).unwrap();
    let mut options = prompt.options.clone();
    options["allowCredentials"] = serde_json::json!([]);
    let forged = stranger.get(&options, ORIGIN).unwrap();
    assert_eq!(
        world
            .gate
            .finish_passkey_proof(&one, "passkey", prompt.digest, &forged)
            .await
            .unwrap_err()
            .code(),
        "passkey-not-accepted"
    );
    world
        .gate
        .finish_passkey_proof(&one, "passkey", prompt.digest, &signed)
        .await
        .unwrap();
    assert_eq!(
        world
            .gate
            .finish_passkey_proof(&one, "passkey", prompt.digest, &signed)
            .await
            .unwrap_err()
            .code(),
        "already-proved"
    );
}

#[tokio::test]
async fn nobody_signs_their_own_case_nor_twice_nor_where_they_are_concerned() {
    let mut world = World::new().await;
    let signe = world.signe().await;
    let mut idris = world.colleague("idris").await;
    let mut again = world.colleague("idris2").await;
    let mut halvar = world.colleague("halvar").await;
    let mut maja = world.colleague("maja").await;
    let case = world.open(&idris, &reinstall(&signe)).await.case;
    let seat = world.sit(&idris, &case).await;
    world.proves(&seat, "pin", "482913").await;
    world.proves_mail_code(&seat, "signe@halden.example").await;
    world.confirms(&seat).await;
    for (colleague, code) in [
        (&mut idris, "own-case"),
        (&mut again, "own-case"),
        (&mut halvar, "concerned"),
        (&mut maja, "role-may-not-sign"),
    ] {
        assert_eq!(
            world.signs(colleague, &case).await.unwrap_err().code(),
            code
        );
    }
    assert_eq!(
        world
            .gate
            .case_view(&halvar.staff, &case)
            .await
            .unwrap_err()
            .code(),
        "concerned"
    );
    assert_eq!(
        world
            .gate
            .refuse(&again.staff, &case, "because I said so")
            .await
            .unwrap_err()
            .code(),
        "own-case"
    );
    // A prompt for one case signs no other.
    let mut petra = world.colleague("petra").await;
    let other = world
        .open(&idris, &without_parameters(&signe, "password.reset"))
        .await;
    let prompt = world
        .gate
        .start_sign_off(&petra.staff, &case)
        .await
        .unwrap();
    let signed = petra.passkey.get(&prompt.options, ORIGIN).unwrap();
    assert_eq!(
        world
            .gate
            .finish_sign_off(&petra.staff, &case, other.digest, &signed)
            .await
            .unwrap_err()
            .code(),
        "other-digest"
    );
    world
        .gate
        .finish_sign_off(&petra.staff, &case, prompt.digest, &signed)
        .await
        .unwrap();
    assert_eq!(
        world.signs(&mut petra, &case).await.unwrap_err().code(),
        "already-signed"
    );
}

#[tokio::test]
async fn a_refusal_is_not_shopped_around() {
    let mut world = World::new().await;
    let signe = world.signe().await;
    let maja = world.colleague("maja").await;
    let tomas = world.colleague("tomas").await;
    let idris = world.colleague("idris").await;
    let case = world.open(&maja, &reinstall(&signe)).await.case;
    assert_eq!(
        world
            .gate
            .refuse(&idris.staff, &case, "no")
            .await
            .unwrap_err()
            .code(),
        "reason-too-short"
    );
    world
        .gate
        .refuse(
            &idris.staff,
            &case,
            "the caller could not say where they are",
        )
        .await
        .unwrap();
    // The same request is closed, whoever asks; a different one shows nothing of it.
    assert_eq!(
        world
            .gate
            .open_case(&tomas.staff, &reinstall(&signe))
            .await
            .unwrap_err()
            .code(),
        "request-closed"
    );
    assert_eq!(
        world
            .gate
            .open_case_for_panel(&world.machine("panel"), &reinstall(&signe))
            .await
            .unwrap_err()
            .code(),
        "request-closed"
    );
    assert_eq!(
        world
            .gate
            .open_case_as_robot(&world.machine("robot"), &reinstall(&signe))
            .await
            .unwrap_err()
            .code(),
        "request-closed"
    );
    let seen = world
        .gate
        .look_up_customer(&tomas.staff, &signe)
        .await
        .unwrap();
    assert_eq!(seen.refused.unwrap().case, case);
    world.hours(25);
    let later = world.open(&tomas, &reinstall(&signe)).await.case;
    let view = world.gate.case_view(&tomas.staff, &later).await.unwrap();
    assert_eq!(view.earlier[0].case, case, "the next asker sees it");
}

#[tokio::test]
async fn of_two_cases_opened_at_once_one_is_opened() {
    let mut world = World::new().await;
    let signe = world.signe().await;
    let maja = world.colleague("maja").await;
    let tomas = world.colleague("tomas").await;
    let open = |by: &crate::world::Colleague, server: &str| {
        let (gate, staff) = (world.gate.clone(), by.staff.clone());
        let mut request = reinstall(&signe);
        request
            .parameters
            .insert("server".to_owned(), server.to_owned());
        tokio::spawn(async move { gate.open_case(&staff, &request).await })
    };
    let both = [open(&maja, "web-1"), open(&tomas, "web-2")];
    let mut opened = 0;
    for one in both {
        match one.await.unwrap() {
            Ok(_) => opened += 1,
            Err(error) => assert_eq!(error.code(), "other-case-open"),
        }
    }
    assert_eq!(opened, 1);
}

#[tokio::test]
async fn a_limit_for_each_member_of_staff_holds_across_customers() {
    let mut world = World::new().await;
    let signe = world.signe().await;
    let panel = world.machine("panel");
    let other = CustomerId("c-2".to_owned());
    world
        .gate
        .put_customer(&panel, &other, &halden("other@place.example"))
        .await
        .unwrap();
    world
        .gate
        .put_factor(&panel, &other, "pin", &FactorPut::Pin("1234".to_owned()))
        .await
        .unwrap();
    world.hours(1);
    let maja = world.colleague("maja").await;
    let words = "the caller named the last invoice number";
    let ready = async |customer: &CustomerId, pin: &str| {
        let case = world
            .open(&maja, &without_parameters(customer, "note.read"))
            .await
            .case;
        let seat = world.sit(&maja, &case).await;
        world.proves(&seat, "pin", pin).await;
        world.gate.vouch(&maja.staff, &case, words).await.unwrap();
        world.confirms(&seat).await;
        case
    };
    let first = ready(&signe, "482913").await;
    let second = ready(&other, "1234").await;
    let run = |case: &countersign_cases::CaseId| {
        let (gate, staff, case) = (world.gate.clone(), maja.staff.clone(), case.clone());
        tokio::spawn(async move { gate.run(&staff, &case).await })
    };
    let both = [run(&first), run(&second)];
    let mut ran = 0;
    for one in both {
        match one.await.unwrap() {
            Ok(_) => ran += 1,
            Err(error) => assert_eq!(error.code(), "not-ready"),
        }
    }
    assert_eq!(
        ran, 1,
        "one a day, also where two run at once for two customers"
    );
    world.gate.settle().await.unwrap();
    assert_eq!(world.panel.ran().len(), 1);
}

#[tokio::test]
async fn a_changed_mailbox_neither_proves_nor_is_the_only_one_told() {
    let mut world = World::new().await;
    let signe = world.signe().await;
    let maja = world.colleague("maja").await;
    world
        .gate
        .put_customer(
            &world.machine("panel"),
            &signe,
            &halden("thief@elsewhere.example"),
        )
        .await
        .unwrap();
    world.hours(1);
    let case = world.open(&maja, &reinstall(&signe)).await.case;
    let seat = world.sit(&maja, &case).await;
    world.proves(&seat, "pin", "482913").await;
    let code = world.mail_code(&seat, "thief@elsewhere.example").await;
    world.proves(&seat, "mail_code", &code).await;
    let digest = world.digest(&seat).await;
    assert_eq!(
        world
            .gate
            .confirm(&seat, digest, None)
            .await
            .unwrap_err()
            .code(),
        "customer-part-missing",
        "not settled for seven days"
    );
}

#[tokio::test]
async fn whoever_holds_the_old_mailbox_stops_it_from_there() {
    let mut world = World::new().await;
    let signe = world.signe().await;
    let maja = world.colleague("maja").await;
    let case = world
        .open(&maja, &change_email(&signe, "thief@elsewhere.example"))
        .await
        .case;
    let seat = world.sit(&maja, &case).await;
    world.proves(&seat, "password", "correct horse").await;
    world.proves_passkey(&seat).await;
    world.confirms(&seat).await;
    world.gate.settle().await.unwrap();
    assert_eq!(world.state(&maja, &case).await, "waiting");
    let token = world.stop_token("signe@halden.example");
    let link = world.gate.stop_link(&token).await.unwrap().unwrap();
    for _ in 0..5 {
        assert!(
            world.gate.stop_view(&link).await.unwrap().may_stop,
            "looking stops nothing"
        );
    }
    assert!(
        world
            .gate
            .stop_link("cs_stop_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
            .await
            .unwrap()
            .is_none()
    );
    world.gate.stop_by_link(&link, None).await.unwrap();
    assert_eq!(
        world
            .gate
            .stop_by_link(&link, None)
            .await
            .unwrap_err()
            .code(),
        "already-stopped"
    );
    assert_eq!(
        world
            .gate
            .open_case(
                &maja.staff,
                &change_email(&signe, "thief@elsewhere.example")
            )
            .await
            .unwrap_err()
            .code(),
        "request-closed"
    );
    world.hours(80);
    world.gate.settle().await.unwrap();
    assert_eq!(world.panel.requests(), 0);
}

#[tokio::test]
async fn a_link_is_used_once_by_either_button_and_runs_out() {
    let mut world = World::new().await;
    let signe = world.signe().await;
    let maja = world.colleague("maja").await;
    let case = world.open(&maja, &reinstall(&signe)).await.case;
    let first = world.gate.issue_link(&maja.staff, &case).await.unwrap();
    let second = world.gate.issue_link(&maja.staff, &case).await.unwrap();
    assert_eq!(
        world
            .gate
            .use_link(first.token.expose())
            .await
            .unwrap_err()
            .code(),
        "link-gone",
        "a newer link replaces it"
    );
    world.pass(std::time::Duration::from_mins(15));
    assert_eq!(
        world
            .gate
            .use_link(second.token.expose())
            .await
            .unwrap_err()
            .code(),
        "link-gone",
        "a quarter of an hour"
    );
    let third = world.gate.issue_link(&maja.staff, &case).await.unwrap();
    let masked = world
        .gate
        .link_view(third.token.expose())
        .await
        .unwrap()
        .unwrap();
    assert!(masked.masked);
    world
        .gate
        .stop_with_link(third.token.expose(), None)
        .await
        .unwrap();
    assert_eq!(world.state(&maja, &case).await, "stopped");
    assert_eq!(
        world
            .gate
            .use_link(third.token.expose())
            .await
            .unwrap_err()
            .code(),
        "link-gone"
    );
    assert_eq!(
        world
            .gate
            .issue_link(&maja.staff, &case)
            .await
            .unwrap_err()
            .code(),
        "link-gone"
    );
}

#[tokio::test]
async fn a_seat_is_for_one_case_and_an_hour() {
    let mut world = World::new().await;
    let signe = world.signe().await;
    let maja = world.colleague("maja").await;
    let case = world.open(&maja, &reinstall(&signe)).await.case;
    let link = world.gate.issue_link(&maja.staff, &case).await.unwrap();
    let (token, seat) = world.gate.use_link(link.token.expose()).await.unwrap();
    assert_eq!(
        world.gate.receipt_for_seat(&seat).await.unwrap_err().code(),
        "not-allowed",
        "a link alone proves nothing"
    );
    // Tokens of one kind open nothing of another.
    assert!(
        world
            .gate
            .staff_session(token.expose())
            .await
            .unwrap()
            .is_none()
    );
    assert!(world.gate.machine(token.expose()).is_none());
    assert!(
        world
            .gate
            .seat(link.token.expose())
            .await
            .unwrap()
            .is_none()
    );
    world.hours(1);
    assert!(world.gate.seat(token.expose()).await.unwrap().is_none());
}

#[tokio::test]
async fn sessions_end_and_accounts_can_be_switched_off() {
    let world = World::new().await;
    let root = world.colleague("root").await;
    let maja = world.colleague("maja").await;
    assert_eq!(
        world.gate.accounts(&maja.staff).await.unwrap_err().code(),
        "not-allowed"
    );
    assert!(world.gate.accounts(&root.staff).await.unwrap().len() >= 7);
    assert_eq!(
        world
            .gate
            .desk(&root.staff, countersign_service::DeskFilter::Team)
            .await
            .unwrap_err()
            .code(),
        "not-allowed"
    );
    let begun = world.gate.start_sign_in().await.unwrap();
    let mut passkey = maja.passkey;
    let response = passkey.get(&begun.options, ORIGIN).unwrap();
    let token = world
        .gate
        .finish_sign_in(&begun.ceremony, &response)
        .await
        .unwrap();
    assert_eq!(
        world
            .gate
            .finish_sign_in(&begun.ceremony, &response)
            .await
            .unwrap_err()
            .code(),
        "ceremony-gone",
        "an answer counts once"
    );
    let staff = world
        .gate
        .staff_session(token.expose())
        .await
        .unwrap()
        .unwrap();
    let only = world.gate.my_passkeys(&staff)[0].credential.clone();
    assert_eq!(
        world
            .gate
            .remove_passkey(&staff, &only)
            .await
            .unwrap_err()
            .code(),
        "last-passkey"
    );
    let account = countersign_service::settings::NewAccount {
        account: "maja".to_owned(),
        person: "p-maja".to_owned(),
        name: "Maja".to_owned(),
        email: "maja@acme.example".to_owned(),
        roles: vec!["agent".to_owned()],
        console: Vec::new(),
        concerned: Vec::new(),
        subject: None,
    };
    world.pass(std::time::Duration::from_secs(1));
    world
        .gate
        .update_account(&root.staff, &account, false)
        .await
        .unwrap();
    assert!(
        world
            .gate
            .staff_session(token.expose())
            .await
            .unwrap()
            .is_none()
    );
    let begun = world.gate.start_sign_in().await.unwrap();
    let response = passkey.get(&begun.options, ORIGIN).unwrap();
    assert_eq!(
        world
            .gate
            .finish_sign_in(&begun.ceremony, &response)
            .await
            .unwrap_err()
            .code(),
        "passkey-not-accepted"
    );
    // An idle hour ends a session.
    world.hours(1);
    let begun = world.gate.start_sign_in().await.unwrap();
    let mut passkey = root.passkey;
    let token = world
        .gate
        .finish_sign_in(
            &begun.ceremony,
            &passkey.get(&begun.options, ORIGIN).unwrap(),
        )
        .await
        .unwrap();
    assert!(
        world
            .gate
            .staff_session(token.expose())
            .await
            .unwrap()
            .is_some()
    );
    world.hours(1);
    assert!(
        world
            .gate
            .staff_session(token.expose())
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn each_machine_does_what_its_scopes_say() {
    let mut world = World::new().await;
    let signe = world.signe().await;
    let attestation = countersign_service::BackupAttestation {
        grade: countersign_language::BackupGrade::Restored,
        place: "stockholm".to_owned(),
        at_ms: world.gate.now().0,
        compared: "everything".to_owned(),
    };
    for name in ["panel", "robot", "reader"] {
        let machine = world.machine(name);
        assert!(!machine.may(Scope::Backups));
        assert_eq!(
            world
                .gate
                .attest_backup(&machine, &signe, &attestation)
                .await
                .unwrap_err()
                .code(),
            "not-allowed"
        );
    }
    for name in ["backups", "robot", "reader"] {
        let machine = world.machine(name);
        assert_eq!(
            world
                .gate
                .put_customer(&machine, &signe, &halden("x@y.example"))
                .await
                .unwrap_err()
                .code(),
            "not-allowed"
        );
        assert_eq!(
            world
                .gate
                .customer_detail(&machine, &signe)
                .await
                .unwrap_err()
                .code(),
            "not-allowed"
        );
        assert_eq!(
            world
                .gate
                .open_case_for_panel(&machine, &reinstall(&signe))
                .await
                .unwrap_err()
                .code(),
            "not-allowed"
        );
    }
    let ahead = countersign_service::BackupAttestation {
        at_ms: world.gate.now().0 + 3_600_000,
        ..attestation
    };
    assert_eq!(
        world
            .gate
            .attest_backup(&world.machine("backups"), &signe, &ahead)
            .await
            .unwrap_err()
            .code(),
        "bad-field"
    );
}

#[tokio::test]
async fn the_ledger_holds_nothing_about_a_person() {
    let mut world = World::new().await;
    let signe = world.signe().await;
    let maja = world.colleague("maja").await;
    let mut idris = world.colleague("idris").await;
    let request = OpenRequest {
        reason: Some("PLANTED-REASON of the caller".to_owned()),
        ..reinstall(&signe)
    };
    let case = world.open(&maja, &request).await.case;
    let seat = world.sit(&maja, &case).await;
    let _ = world.prove(&seat, "pin", "31337").await.unwrap();
    world.proves(&seat, "pin", "482913").await;
    world.proves_mail_code(&seat, "signe@halden.example").await;
    world.confirms(&seat).await;
    world.signs(&mut idris, &case).await.unwrap();
    world.gate.settle().await.unwrap();
    world.hours(24);
    world.gate.settle().await.unwrap();
    assert_eq!(world.state(&maja, &case).await, "done");
    world
        .gate
        .put_customer(
            &world.machine("panel"),
            &signe,
            &halden("new@elsewhere.example"),
        )
        .await
        .unwrap();
    world.gate.settle().await.unwrap();
    let leaves = world.leaves().await;
    assert!(leaves.len() > 30, "{} leaves", leaves.len());
    let planted = [
        "halden",
        "Halden",
        "signe@",
        "48213",
        "c-1042",
        "+4670",
        "46701234567",
        "elsewhere",
        "PLANTED",
        "maja",
        "Maja",
        "p-maja",
        "idris",
        "web-3",
        "debian",
        "chat",
        "482913",
        "31337",
        case.0.as_str(),
        "business",
    ];
    let mut granted = 0;
    for leaf in &leaves {
        let decoded = countersign_grant::Leaf::decode(leaf).unwrap();
        granted += usize::from(decoded.kind == countersign_grant::GRANTED);
        assert_eq!(
            decoded.grant.is_some(),
            decoded.kind == countersign_grant::GRANTED
        );
        let text = String::from_utf8_lossy(leaf);
        for word in planted {
            // Commitments are random, so a very short word could stand in one by chance; none of these is that short.
            assert!(!text.contains(word), "{word} in {text}");
        }
    }
    assert_eq!(granted, 1);
}

#[tokio::test]
async fn an_unknown_customer_looks_like_any_other_to_who_has_proved_nothing() {
    let mut world = World::new().await;
    world.signe().await;
    let maja = world.colleague("maja").await;
    let nobody = CustomerId("c-9999".to_owned());
    assert_eq!(
        world
            .gate
            .look_up_customer(&maja.staff, &nobody)
            .await
            .unwrap_err()
            .code(),
        "unknown-customer"
    );
    for token in [
        "",
        "cs_link_",
        "cs_link_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "nonsense",
    ] {
        assert!(world.gate.link_view(token).await.unwrap().is_none());
        assert_eq!(
            world.gate.use_link(token).await.unwrap_err().code(),
            "link-gone"
        );
        assert!(world.gate.seat(token).await.unwrap().is_none());
    }
}

/// A deceived agent sends a second link to somebody else: that page shows nothing of what the customer proved, and says
/// yes to nothing.
#[tokio::test]
async fn a_second_link_opens_a_page_that_has_proved_nothing() {
    let mut world = World::new().await;
    let signe = world.signe().await;
    let maja = world.colleague("maja").await;
    let case = world
        .open(&maja, &change_email(&signe, "signe@new.example"))
        .await
        .case;
    let hers = world.sit(&maja, &case).await;
    assert!(world.gate.seat_view(&hers).await.unwrap().masked);
    world.proves(&hers, "password", "correct horse").await;
    world.proves(&hers, "app_code", &world.app_code()).await;
    let theirs = world.sit(&maja, &case).await;
    let shown = world.gate.seat_view(&theirs).await.unwrap();
    assert!(shown.masked && !shown.may_confirm && !shown.may_run && !shown.receipt);
    assert!(
        !shown
            .pieces
            .iter()
            .any(|piece| piece.text.contains("signe@new.example"))
    );
    let digest = shown.digest;
    assert_eq!(
        world
            .gate
            .confirm(&theirs, digest, None)
            .await
            .unwrap_err()
            .code(),
        "not-allowed"
    );
    assert_eq!(
        world.gate.run_from_seat(&theirs).await.unwrap_err().code(),
        "not-allowed"
    );
    assert_eq!(
        world
            .gate
            .receipt_for_seat(&theirs)
            .await
            .unwrap_err()
            .code(),
        "not-allowed"
    );
    assert_eq!(world.gate.cases_of_seat(&theirs).await.unwrap().len(), 1);
    // The one who proved sees the words as they are hashed, and goes on.
    let shown = world.gate.seat_view(&hers).await.unwrap();
    let words: String = shown
        .pieces
        .iter()
        .map(|piece| piece.text.as_str())
        .collect();
    assert_eq!(
        words,
        "Send all mail for this account to signe@new.example from now on"
    );
    world
        .gate
        .confirm(&hers, digest, Some(&crate::world::number_told(digest)))
        .await
        .unwrap();
    // Anybody with a page may stop it.
    world.gate.stop(&theirs, None).await.unwrap();
    assert_eq!(world.state(&maja, &case).await, "stopped");
}

#[tokio::test]
async fn putting_the_same_customer_again_changes_nothing() {
    let mut world = World::new().await;
    let signe = world.signe().await;
    let panel = world.machine("panel");
    let before = (
        world.gate.customer_detail(&panel, &signe).await.unwrap(),
        world.gate.checkpoint().await.unwrap(),
    );
    let saved = world
        .gate
        .put_customer(&panel, &signe, &halden("Signe@halden.example "))
        .await
        .unwrap();
    assert_eq!(
        (saved.added, saved.removed),
        (0, 0),
        "the same address, differently typed"
    );
    let after = (
        world.gate.customer_detail(&panel, &signe).await.unwrap(),
        world.gate.checkpoint().await.unwrap(),
    );
    assert_eq!(before, after);
    for (put, field) in [
        (
            countersign_service::CustomerPut {
                name: String::new(),
                ..halden("a@b.example")
            },
            "name",
        ),
        (
            countersign_service::CustomerPut {
                number: "1\n2".to_owned(),
                ..halden("a@b.example")
            },
            "number",
        ),
        (
            countersign_service::CustomerPut {
                held: vec![countersign_service::HeldPut {
                    holding: "pin".to_owned(),
                    changed_at_ms: None,
                }],
                ..halden("a@b.example")
            },
            "held",
        ),
        (
            countersign_service::CustomerPut {
                contacts: vec![countersign_service::ContactPut {
                    channel: "pigeon".to_owned(),
                    address: "x".to_owned(),
                    since_ms: None,
                }],
                ..halden("a@b.example")
            },
            "contacts",
        ),
    ] {
        let error = world
            .gate
            .put_customer(&panel, &signe, &put)
            .await
            .unwrap_err();
        assert!(
            matches!(&error, countersign_service::CustomerError::Field { field: named, .. } if named == field),
            "{error}"
        );
    }
}

/// A session that somebody carried off is not enough to make a key of one's own.
#[tokio::test]
async fn a_stolen_session_makes_itself_no_passkey() {
    let world = World::new().await;
    let mut maja = world.colleague("maja").await;
    let mut idris = world.colleague("idris").await;
    let gate = &world.gate;
    let begun = gate.start_sign_in().await.unwrap();
    let response = maja.passkey.get(&begun.options, ORIGIN).unwrap();
    let token = gate
        .finish_sign_in(&begun.ceremony, &response)
        .await
        .unwrap();
    let session = async || gate.staff_session(token.expose()).await.unwrap().unwrap();

    // Just signed in, with a passkey.
    let begun_in_time = gate.start_passkey(&session().await).await.unwrap();
    world.pass(std::time::Duration::from_mins(5));
    let stale = session().await;
    let (_, made) = SoftPasskey::create(&begun_in_time.options, ORIGIN).unwrap();
    let late = gate
        .finish_passkey(&stale, &begun_in_time.ceremony, &made, "thief")
        .await;
    assert_eq!(late.unwrap_err().code(), "step-up");
    assert_eq!(
        gate.start_passkey(&stale).await.unwrap_err().code(),
        "step-up"
    );

    // Neither somebody else's passkey nor an answer to another prompt shows that it is Maja.
    let begun = gate.start_step_up(&stale, None).await.unwrap();
    let own = gate.start_step_up(&idris.staff, None).await.unwrap();
    let of_idris = idris.passkey.get(&own.options, ORIGIN).unwrap();
    let refused = gate
        .finish_step_up(&stale, &begun.ceremony, &of_idris)
        .await;
    assert_eq!(refused.unwrap_err().code(), "passkey-not-accepted");
    let sign_in = gate.start_sign_in().await.unwrap();
    let other = maja.passkey.get(&sign_in.options, ORIGIN).unwrap();
    let refused = gate.finish_step_up(&stale, &sign_in.ceremony, &other).await;
    assert_eq!(refused.unwrap_err().code(), "ceremony-gone");
    assert_eq!(
        gate.start_passkey(&session().await)
            .await
            .unwrap_err()
            .code(),
        "step-up"
    );

    // Her own does, for this session and five minutes.
    let begun = gate.start_step_up(&stale, None).await.unwrap();
    let response = maja.passkey.get(&begun.options, ORIGIN).unwrap();
    gate.finish_step_up(&stale, &begun.ceremony, &response)
        .await
        .unwrap();
    assert_eq!(
        gate.start_passkey(&maja.staff).await.unwrap_err().code(),
        "step-up",
        "another session of hers"
    );
    let fresh = session().await;
    let begun = gate.start_passkey(&fresh).await.unwrap();
    let (_, made) = SoftPasskey::create(&begun.options, ORIGIN).unwrap();
    gate.finish_passkey(&fresh, &begun.ceremony, &made, "phone")
        .await
        .unwrap();
    assert_eq!(session().await.passkeys(), 2);
}

/// An invitation makes the first passkey and no second one.
#[tokio::test]
async fn an_invitation_makes_one_passkey() {
    let world = World::new().await;
    let gate = &world.gate;
    let operator = countersign_service::Operator::at_the_console();
    let invitation = gate.invite_from_console(&operator, "tomas").await.unwrap();
    let begun = gate
        .start_registration(invitation.token.expose())
        .await
        .unwrap();
    let (_, made) = SoftPasskey::create(&begun.options, ORIGIN).unwrap();
    let token = gate
        .finish_registration(invitation.token.expose(), &begun.ceremony, &made, "laptop")
        .await
        .unwrap();
    let session = gate.staff_session(token.expose()).await.unwrap().unwrap();
    assert_eq!(
        gate.start_passkey(&session).await.unwrap_err().code(),
        "step-up"
    );
}

/// Where PINs are hashed with a pepper, a hash made without it could never match.
#[tokio::test]
async fn a_hash_without_the_pepper_is_not_taken_where_there_is_one() {
    let mut world = World::new().await;
    let signe = world.signe().await;
    let panel = world.machine("panel");
    let hash =
        "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQxMjM$tLrBiLrbhdpXzQ1VLzpQRPqKoZJ5hwHaIJ1lDHYJFFs";
    let put = FactorPut::PinHash(hash.to_owned());
    world
        .gate
        .put_factor(&panel, &signe, "pin", &put)
        .await
        .unwrap();
    let peppered = world.peppered_gate().await;
    let refused = peppered.put_factor(&panel, &signe, "pin", &put).await;
    assert_eq!(refused.unwrap_err().code(), "pin-hash-without-pepper");
    let plain = FactorPut::Pin("482913".to_owned());
    peppered
        .put_factor(&panel, &signe, "pin", &plain)
        .await
        .unwrap();
}
