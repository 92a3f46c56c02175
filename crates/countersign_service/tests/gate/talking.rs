//! The number that is said, the number that is matched, and the panel: each tried by somebody who should not get through.

use countersign_service::{CaseError, CustomerSeat, SpokenNumber, adapters::tokens::TokenKind};

use crate::world::{
    Colleague, World, change_email, halden, number_told, reinstall, without_parameters,
};

/// Maja opens a case whose proofs are all made; only confirming is left.
async fn to_be_confirmed(
    world: &mut World,
    maja: &Colleague,
) -> (CustomerSeat, countersign_cases::Digest) {
    let signe = world.signe().await;
    let case = world
        .open(maja, &change_email(&signe, "signe@new.example"))
        .await
        .case;
    let seat = world.sit(maja, &case).await;
    world.proves(&seat, "password", "correct horse").await;
    world.proves(&seat, "app_code", &world.app_code()).await;
    let digest = world.digest(&seat).await;
    (seat, digest)
}

/// A number of two digits that is not this one.
fn other_than(right: &str) -> impl Iterator<Item = String> {
    let right = right.to_owned();
    (10..100)
        .map(|number| number.to_string())
        .filter(move |number| *number != right)
}

#[tokio::test]
async fn only_the_number_on_the_desk_confirms() {
    let mut world = World::new().await;
    let maja = world.colleague("maja").await;
    let (seat, digest) = to_be_confirmed(&mut world, &maja).await;
    let gate = &world.gate;
    let desk = gate.case_view(&maja.staff, seat.case()).await.unwrap();
    let shown = desk.number.expect("the desk shows it");
    assert_eq!(shown.digits, number_told(digest));
    assert_eq!(
        gate.seat_view(&seat).await.unwrap().number_from.as_deref(),
        Some("Maja")
    );
    // What was not typed, or could never be one, uses nothing up.
    for nothing in [
        None,
        Some(""),
        Some("4"),
        Some("123"),
        Some("ab"),
        Some("４７"),
    ] {
        assert_eq!(
            gate.confirm(&seat, digest, nothing).await.unwrap_err(),
            CaseError::NumberMissing
        );
    }
    let mut wrong = other_than(&shown.digits);
    let mut guess = async || {
        let guess = wrong.next().unwrap();
        gate.confirm(&seat, digest, Some(&guess)).await.unwrap_err()
    };
    assert_eq!(guess().await, CaseError::WrongNumber { tries_left: 2 });
    assert_eq!(guess().await, CaseError::WrongNumber { tries_left: 1 });
    assert_eq!(guess().await.code(), "number-closed");
    // The right one comes too late, and the desk says until when.
    assert_eq!(
        gate.confirm(&seat, digest, Some(&shown.digits))
            .await
            .unwrap_err()
            .code(),
        "number-closed"
    );
    let desk = gate.case_view(&maja.staff, seat.case()).await.unwrap();
    assert!(desk.number.unwrap().closed_until.is_some());
    assert_eq!(world.state(&maja, seat.case()).await, "open");
}

#[tokio::test]
async fn guessing_goes_on_in_no_other_case() {
    let mut world = World::new().await;
    let maja = world.colleague("maja").await;
    let (seat, digest) = to_be_confirmed(&mut world, &maja).await;
    for guess in other_than(&number_told(digest)).take(3) {
        world
            .gate
            .confirm(&seat, digest, Some(&guess))
            .await
            .unwrap_err();
    }
    // Another agent opens another case for the same customer: the wrong numbers still count, even against the right one.
    world.gate.withdraw(&maja.staff, seat.case()).await.unwrap();
    let tomas = world.colleague("tomas").await;
    let case = world
        .open(
            &tomas,
            &change_email(seat.customer(), "signe@third.example"),
        )
        .await
        .case;
    let seat = world.sit(&tomas, &case).await;
    world.proves(&seat, "password", "correct horse").await;
    world.pass(std::time::Duration::from_mins(1));
    world.proves(&seat, "app_code", &world.app_code()).await;
    let digest = world.digest(&seat).await;
    let refused = world
        .gate
        .confirm(&seat, digest, Some(&number_told(digest)))
        .await
        .unwrap_err();
    assert_eq!(refused.code(), "number-closed");
    // Time opens it again.
    world.hours(25);
    let confirmed = world
        .gate
        .confirm(&seat, digest, Some(&number_told(digest)))
        .await;
    assert!(confirmed.is_ok(), "{confirmed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn guesses_at_once_are_counted_one_by_one() {
    let mut world = World::new().await;
    let maja = world.colleague("maja").await;
    let (seat, digest) = to_be_confirmed(&mut world, &maja).await;
    let guesses: Vec<_> = other_than(&number_told(digest))
        .take(20)
        .map(|guess| {
            let (gate, seat) = (world.gate.clone(), seat.clone());
            tokio::spawn(async move { gate.confirm(&seat, digest, Some(&guess)).await })
        })
        .collect();
    let mut looked_at = 0;
    for guess in guesses {
        match guess.await.unwrap() {
            Err(CaseError::WrongNumber { .. }) => looked_at += 1,
            Err(error) => assert!(
                matches!(error.code(), "number-closed" | "too-many-changes"),
                "{error:?}"
            ),
            Ok(_) => panic!("a wrong number confirmed"),
        }
    }
    assert!(looked_at <= 3, "{looked_at} wrong numbers were looked at");
}

#[tokio::test]
async fn a_number_is_asked_for_where_an_agent_asks_and_something_is_at_stake() {
    let mut world = World::new().await;
    let signe = world.signe().await;
    let maja = world.colleague("maja").await;
    let panel = world.machine("panel");
    // The customer's own panel: there is nobody who could tell it.
    let (opened, link) = world
        .gate
        .open_case_for_panel(&panel, &change_email(&signe, "signe@new.example"))
        .await
        .unwrap();
    let (_, seat) = world.gate.use_link(link.token.expose()).await.unwrap();
    assert_eq!(world.gate.seat_view(&seat).await.unwrap().number_from, None);
    let view = world
        .gate
        .case_view(&maja.staff, &opened.case)
        .await
        .unwrap();
    assert_eq!(view.number, None);
    assert_eq!(view.spoken, None, "and nobody is talking");
    // Nothing is lost or changed by a link that goes to the customer's own mailbox.
    let case = world
        .open(&maja, &without_parameters(&signe, "password.reset"))
        .await
        .case;
    let seat = world.sit(&maja, &case).await;
    assert_eq!(world.gate.seat_view(&seat).await.unwrap().number_from, None);
    // A program that only reads is in no conversation; the one that opened the case is.
    let robot = world.machine("robot");
    let opened = world
        .gate
        .open_case_as_robot(&robot, &reinstall(&signe))
        .await
        .unwrap();
    let own = world
        .gate
        .case_view_for_machine(&robot, &opened.case)
        .await
        .unwrap();
    assert_eq!(own.number.unwrap().digits, number_told(opened.digest));
    let reader = world
        .gate
        .case_view_for_machine(&world.machine("reader"), &opened.case)
        .await
        .unwrap();
    assert_eq!(reader.number, None);
}

#[tokio::test]
async fn a_spoken_number_counts_while_its_case_is_open() {
    let mut world = World::new().await;
    let signe = world.signe().await;
    let maja = world.colleague("maja").await;
    let case = world
        .open(&maja, &change_email(&signe, "signe@new.example"))
        .await
        .case;
    let view = world.gate.case_view(&maja.staff, &case).await.unwrap();
    let number = view.spoken.unwrap();
    let typed = SpokenNumber::parse(&number.said()).unwrap();
    let talking = world
        .gate
        .who_is_talking(&typed, None)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(talking.agent, "Maja");
    assert_eq!(talking.since, view.opened_at);
    assert_eq!(talking.account, "H••• F••• A•••");
    let words: String = talking
        .pieces
        .iter()
        .map(|piece| piece.text.as_str())
        .collect();
    assert!(
        words.starts_with("Send all mail for this account to s••@n••"),
        "{words}"
    );
    // The customer of another case sees nobody; the one of this case does.
    let other = countersign_cases::CustomerId("c-2077".to_owned());
    world
        .gate
        .put_customer(&world.machine("panel"), &other, &halden("ole@berg.example"))
        .await
        .unwrap();
    let others = world
        .open(&maja, &without_parameters(&other, "password.reset"))
        .await
        .case;
    let ole = world.sit(&maja, &others).await;
    assert_eq!(
        world.gate.who_is_talking(&typed, Some(&ole)).await.unwrap(),
        None
    );
    let hers = world.sit(&maja, &case).await;
    assert!(
        world
            .gate
            .who_is_talking(&typed, Some(&hers))
            .await
            .unwrap()
            .is_some()
    );
    // Over, by whatever end; and run out, before anybody has looked.
    world.gate.stop(&hers, None).await.unwrap();
    assert_eq!(world.gate.who_is_talking(&typed, None).await.unwrap(), None);
    let ended = world.gate.case_view(&maja.staff, &case).await.unwrap();
    assert_eq!(ended.spoken, None);
    let second = world.gate.case_view(&maja.staff, &others).await.unwrap();
    let second = second.spoken.unwrap();
    assert!(
        world
            .gate
            .who_is_talking(&second, None)
            .await
            .unwrap()
            .is_some()
    );
    world.hours(49);
    assert_eq!(
        world.gate.who_is_talking(&second, None).await.unwrap(),
        None
    );
}

#[tokio::test]
async fn the_panel_has_a_session_of_its_own() {
    let world = World::new().await;
    let maja = world.colleague("maja").await;
    let pass = world.gate.panel_pass(&maja.staff).await.unwrap();
    assert_eq!(format!("{pass:?}"), "PanelPass(…)");
    let token = world
        .gate
        .enter_panel(&pass.shown().to_lowercase())
        .await
        .unwrap();
    // Once.
    assert_eq!(
        world
            .gate
            .enter_panel(&pass.shown())
            .await
            .unwrap_err()
            .code(),
        "pass-gone"
    );
    assert!(token.expose().starts_with(TokenKind::Panel.prefix()));
    let panel = world
        .gate
        .panel_session(token.expose(), true)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(panel.name(), "Maja");
    assert!(panel.made_form(panel.form_token()) && !panel.made_form(""));
    // It opens no desk, not even dressed up as the desk's token; nor does the desk's open the panel.
    assert!(
        world
            .gate
            .staff_session(token.expose())
            .await
            .unwrap()
            .is_none()
    );
    let dressed = token
        .expose()
        .replace(TokenKind::Panel.prefix(), TokenKind::Session.prefix());
    assert!(world.gate.staff_session(&dressed).await.unwrap().is_none());
    assert!(
        world
            .gate
            .panel_session(&dressed, true)
            .await
            .unwrap()
            .is_none()
    );
    // Another session's form token does not fit.
    let second = world.gate.panel_pass(&maja.staff).await.unwrap();
    let second = world.gate.enter_panel(&second.shown()).await.unwrap();
    let second = world
        .gate
        .panel_session(second.expose(), true)
        .await
        .unwrap()
        .unwrap();
    assert!(!second.made_form(panel.form_token()));
    // It ends by itself, and when it is left.
    world.gate.leave_panel(&second).await.unwrap();
    world.pass(std::time::Duration::from_mins(30));
    assert!(
        world
            .gate
            .panel_session(token.expose(), true)
            .await
            .unwrap()
            .is_some()
    );
    world.hours(2);
    assert!(
        world
            .gate
            .panel_session(token.expose(), true)
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn a_pass_runs_out_and_is_for_people_with_cases() {
    let world = World::new().await;
    let maja = world.colleague("maja").await;
    let pass = world.gate.panel_pass(&maja.staff).await.unwrap();
    world.pass(std::time::Duration::from_secs(121));
    let late = world.gate.enter_panel(&pass.shown()).await.unwrap_err();
    let never = world.gate.enter_panel("00000 00000").await.unwrap_err();
    let malformed = world.gate.enter_panel("x").await.unwrap_err();
    assert_eq!(late.to_string(), never.to_string());
    assert_eq!(late.to_string(), malformed.to_string());
    let root = world.colleague("root").await;
    assert_eq!(
        world.gate.panel_pass(&root.staff).await.unwrap_err().code(),
        "not-allowed"
    );
}
