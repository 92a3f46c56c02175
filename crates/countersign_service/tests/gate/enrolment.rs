//! What the gate carries out itself: a customer sets a PIN, an app or a passkey, and everybody else fails to.

use countersign_cases::{CustomerId, State};
use countersign_service::{
    Answered, CaseError, CustomerPut, CustomerSeat, EnrolmentError, OpenRequest, WeakPin,
    adapters::{secrets::Secret, soft_passkey::SoftPasskey, totp::TotpSecret},
    verify_receipt,
};

use crate::world::{Colleague, ORIGIN, World, halden, without_parameters};

fn pin(text: &str) -> Secret {
    Secret::new(text)
}

/// A case for this action whose customer proved it is them by PIN or passkey, confirmed, and said run.
async fn granted(world: &mut World, by: &Colleague, id: &CustomerId, action: &str) -> CustomerSeat {
    let opened = world.open(by, &without_parameters(id, action)).await;
    let seat = world.sit(by, &opened.case).await;
    if action == "pin.change" {
        world.proves_passkey(&seat).await;
    } else {
        world.proves(&seat, "pin", "482913").await;
    }
    world.confirms(&seat).await;
    // Where the action says `changes`, everybody on file is told first.
    world.gate.settle().await.unwrap();
    world.gate.run_from_seat(&seat).await.unwrap();
    seat
}

/// Whether this PIN opens anything, in a case of its own.
async fn pin_works(world: &World, by: &Colleague, id: &CustomerId, typed: &str) -> bool {
    let opened = world.open(by, &without_parameters(id, "key.change")).await;
    let seat = world.sit(by, &opened.case).await;
    let answered = world.prove(&seat, "pin", typed).await.unwrap();
    world.gate.withdraw_from_seat(&seat).await.unwrap();
    matches!(answered, Answered::Right(_))
}

async fn app_secret(world: &World, seat: &CustomerSeat) -> TotpSecret {
    let view = world.gate.enrolment(seat).await.unwrap().unwrap();
    let app = view.app.unwrap();
    assert!(app.url.starts_with("otpauth://totp/"), "{}", app.url);
    assert!(app.url.contains(&app.base32));
    let bytes = base32(&app.base32);
    TotpSecret::from_bytes(&bytes).unwrap()
}

fn base32(text: &str) -> Vec<u8> {
    let bits: Vec<u8> = text
        .bytes()
        .map(|letter| match letter {
            b'A'..=b'Z' => letter - b'A',
            _ => letter - b'2' + 26,
        })
        .flat_map(|value| (0..5).rev().map(move |bit| value >> bit & 1))
        .collect();
    bits.chunks_exact(8)
        .map(|byte| byte.iter().fold(0, |whole, bit| whole << 1 | bit))
        .collect()
}

#[tokio::test]
async fn a_new_pin_is_set_once_and_everybody_on_file_is_told() {
    let mut world = World::new().await;
    let signe = world.signe().await;
    let maja = world.colleague("maja").await;
    let seat = granted(&mut world, &maja, &signe, "pin.change").await;
    let view = world.gate.seat_view(&seat).await.unwrap();
    assert_eq!(view.state, State::Granted);
    assert!(view.to_set.is_some() && view.may_stop);
    // Nothing leaves the gate, however long the workers work.
    world.gate.settle().await.unwrap();
    assert!(world.panel.ran().is_empty());
    assert!(!pin_works(&world, &maja, &signe, "739105").await);

    world.gate.enrol_pin(&seat, &pin("739105")).await.unwrap();
    let view = world.gate.seat_view(&seat).await.unwrap();
    assert_eq!(view.state, State::Done);
    assert!(view.to_set.is_none());
    // What was set this very moment proves nothing yet.
    world.hours(1);
    assert!(!pin_works(&world, &maja, &signe, "482913").await);
    assert!(pin_works(&world, &maja, &signe, "739105").await);

    // Once.
    let again = world.gate.enrol_pin(&seat, &pin("602417")).await;
    assert_eq!(again.unwrap_err(), EnrolmentError::NothingToSet);
    assert!(world.gate.enrolment(&seat).await.unwrap().is_none());

    world.gate.settle().await.unwrap();
    let told = world.mail.mails_to("signe@halden.example").pop().unwrap();
    assert!(told.text().contains("support PIN"), "{}", told.text());
    assert!(
        world
            .panel
            .texts()
            .iter()
            .any(|(to, text)| to == "+46701234567" && text.contains("support PIN"))
    );

    // A leaf, and no secret, in the ledger, the database and the receipt.
    let everything = world.everything().await;
    assert!(everything.contains("customer.enrolled"));
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
        "done"
    );
    for text in [&everything, &receipt, &told.text()] {
        assert!(!text.contains("739105"));
    }
}

#[tokio::test]
async fn weak_pins_are_refused_and_the_grant_stays() {
    let mut world = World::new().await;
    let signe = world.signe().await;
    let maja = world.colleague("maja").await;
    let seat = granted(&mut world, &maja, &signe, "pin.change").await;
    for (weak, why) in [
        ("4829", WeakPin::Length),
        ("abcdef", WeakPin::Length),
        ("456789", WeakPin::Run),
        ("909090", WeakPin::Repeated),
        // Customer number and telephone number.
        ("482130", WeakPin::Known),
        ("123456", WeakPin::Run),
        ("701234", WeakPin::Known),
    ] {
        let refused = world.gate.enrol_pin(&seat, &pin(weak)).await.unwrap_err();
        assert_eq!(refused, EnrolmentError::WeakPin(why), "{weak}");
    }
    world.gate.enrol_pin(&seat, &pin("739105")).await.unwrap();
}

#[tokio::test]
async fn nobody_else_sets_it() {
    let mut world = World::new().await;
    let signe = world.signe().await;
    let maja = world.colleague("maja").await;

    // Before the grant there is nothing to set: proved is not enough, nor confirmed.
    let opened = world
        .open(&maja, &without_parameters(&signe, "pin.change"))
        .await;
    let seat = world.sit(&maja, &opened.case).await;
    let early = |error: EnrolmentError| assert_eq!(error, EnrolmentError::NothingToSet);
    early(
        world
            .gate
            .enrol_pin(&seat, &pin("739105"))
            .await
            .unwrap_err(),
    );
    world.proves_passkey(&seat).await;
    early(
        world
            .gate
            .enrol_pin(&seat, &pin("739105"))
            .await
            .unwrap_err(),
    );
    world.confirms(&seat).await;
    early(
        world
            .gate
            .enrol_pin(&seat, &pin("739105"))
            .await
            .unwrap_err(),
    );
    world.gate.settle().await.unwrap();
    world.gate.run_from_seat(&seat).await.unwrap();

    // The agent makes a second link and opens it: another browser, on which nothing was proved.
    let other = world.sit(&maja, &opened.case).await;
    assert!(world.gate.enrolment(&other).await.unwrap().is_none());
    early(
        world
            .gate
            .enrol_pin(&other, &pin("739105"))
            .await
            .unwrap_err(),
    );
    early(world.gate.enrol_app(&other, "123456").await.unwrap_err());
    early(world.gate.start_enrol_passkey(&other).await.unwrap_err());

    // A grant of another case, for the same customer and another holding.
    let app = granted(&mut world, &maja, &signe, "app.set").await;
    early(
        world
            .gate
            .enrol_pin(&app, &pin("739105"))
            .await
            .unwrap_err(),
    );
    early(
        world
            .gate
            .enrol_app(&seat, &world.app_code())
            .await
            .unwrap_err(),
    );
    early(
        world
            .gate
            .remove_enrolled_passkeys(&seat, &["x".to_owned()])
            .await
            .unwrap_err(),
    );

    // Another customer's seat sets their own PIN and no other's.
    let panel = world.machine("panel");
    let berit = CustomerId("c-7".to_owned());
    let put = CustomerPut {
        number: "70007".to_owned(),
        ..halden("berit@fjord.example")
    };
    world.gate.put_customer(&panel, &berit, &put).await.unwrap();
    let (_, link) = world
        .gate
        .open_case_for_panel(&panel, &first_pin(&berit))
        .await
        .unwrap();
    let (_, theirs) = world.gate.use_link(link.token.expose()).await.unwrap();
    world.confirms(&theirs).await;
    world.gate.settle().await.unwrap();
    world.gate.enrol_pin(&theirs, &pin("602417")).await.unwrap();
    world.hours(1);
    assert!(!pin_works(&world, &maja, &signe, "602417").await);
    assert!(pin_works(&world, &maja, &signe, "482913").await);
}

fn first_pin(customer: &CustomerId) -> OpenRequest {
    OpenRequest {
        reason: None,
        shows: vec!["signed_in".to_owned()],
        ..without_parameters(customer, "pin.first")
    }
}

#[tokio::test]
async fn a_parameter_is_refused_when_the_case_is_opened() {
    let mut world = World::new().await;
    let signe = world.signe().await;
    let maja = world.colleague("maja").await;
    let mut request = without_parameters(&signe, "pin.change");
    request
        .parameters
        .insert("pin".to_owned(), "739105".to_owned());
    let refused = world
        .gate
        .open_case(&maja.staff, &request)
        .await
        .unwrap_err();
    assert_eq!(refused.code(), "parameter-unknown");
}

#[tokio::test]
async fn a_stop_wins_until_it_is_set_and_comes_too_late_after() {
    let mut world = World::new().await;
    let signe = world.signe().await;
    let maja = world.colleague("maja").await;
    let seat = granted(&mut world, &maja, &signe, "pin.change").await;
    world.gate.stop(&seat, None).await.unwrap();
    let late = world.gate.enrol_pin(&seat, &pin("739105")).await;
    assert_eq!(late.unwrap_err(), EnrolmentError::NothingToSet);
    assert_eq!(
        world.gate.seat_view(&seat).await.unwrap().state,
        State::Stopped
    );
    world.hours(25);

    let seat = granted(&mut world, &maja, &signe, "pin.change").await;
    world.gate.enrol_pin(&seat, &pin("739105")).await.unwrap();
    world.gate.stop(&seat, None).await.unwrap();
    assert_eq!(
        world.gate.seat_view(&seat).await.unwrap().state,
        State::Done
    );
}

#[tokio::test]
async fn after_a_day_nothing_was_set_and_nothing_can_be() {
    let mut world = World::new().await;
    let signe = world.signe().await;
    let maja = world.colleague("maja").await;
    let seat = granted(&mut world, &maja, &signe, "pin.change").await;
    world.hours(24);
    let late = world.gate.enrol_pin(&seat, &pin("739105")).await;
    assert_eq!(late.unwrap_err(), EnrolmentError::NothingToSet);
    world.gate.settle().await.unwrap();
    let view = world.gate.seat_view(&seat).await.unwrap();
    assert_eq!(view.state, State::Failed);
    let case = world
        .gate
        .case_view(&maja.staff, seat.case())
        .await
        .unwrap();
    assert_eq!(case.failure.as_deref(), Some("not_set_in_time"));
    assert!(pin_works(&world, &maja, &signe, "482913").await);
}

#[tokio::test]
async fn two_at_once_set_one() {
    let mut world = World::new().await;
    let signe = world.signe().await;
    let maja = world.colleague("maja").await;
    let seat = granted(&mut world, &maja, &signe, "pin.change").await;
    let (one, two) = (pin("739105"), pin("602417"));
    let (one, two) = tokio::join!(
        world.gate.enrol_pin(&seat, &one),
        world.gate.enrol_pin(&seat, &two)
    );
    assert_eq!(
        [one.is_ok(), two.is_ok()].iter().filter(|ok| **ok).count(),
        1
    );
}

#[tokio::test]
async fn an_app_counts_after_one_right_code_which_counts_no_more() {
    let mut world = World::new().await;
    let signe = world.signe().await;
    let maja = world.colleague("maja").await;
    let seat = granted(&mut world, &maja, &signe, "app.set").await;
    let secret = app_secret(&world, &seat).await;
    // The same, however often the page is looked at; and a code of another app is not one of this.
    assert_eq!(app_secret(&world, &seat).await.expose(), secret.expose());
    let wrong = world.gate.enrol_app(&seat, &world.app_code()).await;
    assert_eq!(wrong.unwrap_err(), EnrolmentError::WrongCode);
    let now = |world: &World| countersign_service::adapters::clock::Clock::now(&*world.clock);
    let code = secret.code_now(now(&world));
    world.gate.enrol_app(&seat, &code).await.unwrap();
    assert_eq!(
        world.gate.enrol_app(&seat, &code).await.unwrap_err(),
        EnrolmentError::NothingToSet
    );

    world.pass(std::time::Duration::from_secs(1));
    let opened = world
        .open(&maja, &without_parameters(&signe, "password.reset"))
        .await;
    let next = world.sit(&maja, &opened.case).await;
    let replayed = world.prove(&next, "app_code", &code).await.unwrap();
    assert!(
        matches!(replayed, Answered::NotRight { .. }),
        "a code counts once"
    );
    let old = world
        .prove(&next, "app_code", &world.app_code())
        .await
        .unwrap();
    assert!(
        matches!(old, Answered::NotRight { .. }),
        "the old app is out"
    );
    world.pass(std::time::Duration::from_mins(1));
    world
        .proves(&next, "app_code", &secret.code_now(now(&world)))
        .await;
    assert!(
        !world
            .everything()
            .await
            .contains(&format!("{:?}", secret.expose()))
    );
}

#[tokio::test]
async fn a_passkey_is_added_named_replaced_and_removed() {
    let mut world = World::new().await;
    let signe = world.signe().await;
    let maja = world.colleague("maja").await;

    let seat = granted(&mut world, &maja, &signe, "key.add").await;
    let begun = world.gate.start_enrol_passkey(&seat).await.unwrap();
    let excluded = begun.options["excludeCredentials"]
        .as_array()
        .unwrap()
        .len();
    assert_eq!(excluded, 1);
    assert_eq!(
        begun.options["authenticatorSelection"]["userVerification"],
        "required"
    );
    let (laptop, response) = SoftPasskey::create(&begun.options, ORIGIN).unwrap();
    // `gives` takes nothing away.
    let theirs = world.gate.enrolment(&seat).await.unwrap().unwrap().passkeys;
    let first = theirs[0].credential.clone();
    let taking = world
        .gate
        .finish_enrol_passkey(
            &seat,
            &begun.ceremony,
            &response,
            "laptop",
            std::slice::from_ref(&first),
        )
        .await;
    assert_eq!(taking.unwrap_err(), EnrolmentError::NothingToSet);
    // And that was the only answer to that prompt.
    let replayed = world
        .gate
        .finish_enrol_passkey(&seat, &begun.ceremony, &response, "laptop", &[])
        .await;
    assert_eq!(replayed.unwrap_err(), EnrolmentError::PromptOver);
    let begun = world.gate.start_enrol_passkey(&seat).await.unwrap();
    let (laptop, response) = {
        drop(laptop);
        SoftPasskey::create(&begun.options, ORIGIN).unwrap()
    };
    world
        .gate
        .finish_enrol_passkey(&seat, &begun.ceremony, &response, "laptop", &[])
        .await
        .unwrap();
    world.hours(1);

    // Both work; then one takes the place of the other.
    let seat = granted(&mut world, &maja, &signe, "key.change").await;
    let view = world.gate.enrolment(&seat).await.unwrap().unwrap();
    let names: Vec<&str> = view.passkeys.iter().map(|key| key.name.as_str()).collect();
    assert_eq!(names, ["phone", "laptop"]);
    let begun = world.gate.start_enrol_passkey(&seat).await.unwrap();
    let (tablet, response) = SoftPasskey::create(&begun.options, ORIGIN).unwrap();
    world
        .gate
        .finish_enrol_passkey(&seat, &begun.ceremony, &response, "tablet", &[first])
        .await
        .unwrap();
    world.hours(1);
    world.has_passkey(&signe, laptop);
    granted(&mut world, &maja, &signe, "pin.change").await;

    // The laptop was stolen: it is removed, and signs no more.
    let seat = granted(&mut world, &maja, &signe, "key.change").await;
    let view = world.gate.enrolment(&seat).await.unwrap().unwrap();
    let stolen = view
        .passkeys
        .iter()
        .find(|key| key.name == "laptop")
        .unwrap();
    let unknown = world
        .gate
        .remove_enrolled_passkeys(&seat, &["AAAA".to_owned()])
        .await;
    assert_eq!(unknown.unwrap_err(), EnrolmentError::UnknownPasskey);
    let none = world.gate.remove_enrolled_passkeys(&seat, &[]).await;
    assert_eq!(none.unwrap_err(), EnrolmentError::NoneChosen);
    world
        .gate
        .remove_enrolled_passkeys(&seat, std::slice::from_ref(&stolen.credential))
        .await
        .unwrap();
    world.hours(25);
    let opened = world
        .open(&maja, &without_parameters(&signe, "password.reset"))
        .await;
    let next = world.sit(&maja, &opened.case).await;
    let prompt = world
        .gate
        .start_passkey_proof(&next, "passkey")
        .await
        .unwrap();
    assert!(
        world
            .customer_passkey(&signe)
            .get(&prompt.options, ORIGIN)
            .is_err()
    );
    world.has_passkey(&signe, tablet);
    world.proves_passkey(&next).await;
}

#[tokio::test]
async fn a_prompt_for_one_grant_is_none_for_another() {
    let mut world = World::new().await;
    let signe = world.signe().await;
    let maja = world.colleague("maja").await;
    let one = granted(&mut world, &maja, &signe, "key.add").await;
    let begun = world.gate.start_enrol_passkey(&one).await.unwrap();
    let two = granted(&mut world, &maja, &signe, "key.change").await;
    let (_, response) = SoftPasskey::create(&begun.options, ORIGIN).unwrap();
    let crossed = world
        .gate
        .finish_enrol_passkey(&two, &begun.ceremony, &response, "x", &[])
        .await;
    assert_eq!(crossed.unwrap_err(), EnrolmentError::PromptOver);
    world
        .gate
        .finish_enrol_passkey(&one, &begun.ceremony, &response, "x", &[])
        .await
        .unwrap();
    // The authenticator of one person is nobody else's, nor theirs twice.
    let begun = world.gate.start_enrol_passkey(&two).await.unwrap();
    let taken = world
        .gate
        .finish_enrol_passkey(&two, &begun.ceremony, &response, "x", &[])
        .await;
    assert_eq!(taken.unwrap_err(), EnrolmentError::NotAccepted);
}

#[tokio::test]
async fn a_customer_who_has_nothing_begins_in_the_panel() {
    let world = World::new().await;
    let panel = world.machine("panel");
    let new = CustomerId("c-2001".to_owned());
    let put = CustomerPut {
        held: Vec::new(),
        ..halden("new@fjord.example")
    };
    world.gate.put_customer(&panel, &new, &put).await.unwrap();

    // Only what the panel shows, and only what the action asks for.
    for (action, shows) in [
        ("pin.first", "password"),
        ("pin.first", "nothing"),
        ("app.set", "signed_in"),
    ] {
        let request = OpenRequest {
            reason: None,
            shows: vec![shows.to_owned()],
            ..without_parameters(&new, action)
        };
        let refused = world
            .gate
            .open_case_for_panel(&panel, &request)
            .await
            .unwrap_err();
        assert_eq!(refused.code(), "proof-not-asked", "{action} {shows}");
    }
    let robot = world.machine("robot");
    let refused = world
        .gate
        .open_case_as_robot(&robot, &first_pin(&new))
        .await
        .unwrap_err();
    assert_eq!(refused.code(), "not-allowed");

    // Without the panel's word nothing is shown, and nobody can type it.
    let silent = OpenRequest {
        shows: Vec::new(),
        ..first_pin(&new)
    };
    let (_, link) = world
        .gate
        .open_case_for_panel(&panel, &silent)
        .await
        .unwrap();
    let (_, seat) = world.gate.use_link(link.token.expose()).await.unwrap();
    assert!(world.gate.seat_view(&seat).await.unwrap().ways.is_empty());
    assert!(world.prove(&seat, "signed_in", "yes").await.is_err());
    let digest = world.digest(&seat).await;
    let early = world.gate.confirm(&seat, digest, None).await.unwrap_err();
    assert_eq!(early.code(), "customer-part-missing");
    world.gate.withdraw_from_seat(&seat).await.unwrap();

    let (opened, link) = world
        .gate
        .open_case_for_panel(&panel, &first_pin(&new))
        .await
        .unwrap();
    let (_, seat) = world.gate.use_link(link.token.expose()).await.unwrap();
    let view = world.gate.seat_view(&seat).await.unwrap();
    assert!(view.may_confirm && !view.masked);
    // A second link, by an agent, does not carry the panel's word to another browser.
    let maja = world.colleague("maja").await;
    let other = world.sit(&maja, &opened.case).await;
    let digest = world.digest(&other).await;
    assert!(matches!(
        world.gate.confirm(&other, digest, None).await,
        Err(CaseError::NotAllowed(_))
    ));
    world.confirms(&seat).await;
    world.gate.settle().await.unwrap();
    world.gate.enrol_pin(&seat, &pin("739105")).await.unwrap();
    world.hours(1);
    assert!(pin_works(&world, &maja, &new, "739105").await);

    // Who has one changes it; it is not given again.
    let again = world
        .gate
        .open_case_for_panel(&panel, &first_pin(&new))
        .await
        .unwrap_err();
    assert_eq!(again.code(), "already-held");
}

#[tokio::test]
async fn one_that_came_meanwhile_is_not_overwritten_by_a_first_one() {
    let world = World::new().await;
    let panel = world.machine("panel");
    let new = CustomerId("c-2001".to_owned());
    world
        .gate
        .put_customer(&panel, &new, &halden("new@fjord.example"))
        .await
        .unwrap();
    let (_, link) = world
        .gate
        .open_case_for_panel(&panel, &first_pin(&new))
        .await
        .unwrap();
    let (_, seat) = world.gate.use_link(link.token.expose()).await.unwrap();
    world.confirms(&seat).await;
    world.gate.settle().await.unwrap();
    let put = countersign_service::FactorPut::Pin("482913".to_owned());
    world
        .gate
        .put_factor(&panel, &new, "pin", &put)
        .await
        .unwrap();
    let late = world.gate.enrol_pin(&seat, &pin("739105")).await;
    assert_eq!(late.unwrap_err(), EnrolmentError::AlreadyHeld);
}

#[tokio::test]
async fn after_a_wait_the_customer_comes_back_to_set_it() {
    let mut world = World::new().await;
    let signe = world.signe().await;
    let maja = world.colleague("maja").await;
    let opened = world
        .open(&maja, &without_parameters(&signe, "app.set"))
        .await;
    let seat = world.sit(&maja, &opened.case).await;
    world.proves(&seat, "password", "correct horse").await;
    world.confirms(&seat).await;
    world.gate.settle().await.unwrap();
    world.hours(24);
    world.gate.settle().await.unwrap();
    assert_eq!(
        world.gate.seat_view(&seat).await.unwrap().state,
        State::Granted
    );
    world.hours(20);
    let secret = app_secret(&world, &seat).await;
    let now = countersign_service::adapters::clock::Clock::now(&*world.clock);
    world
        .gate
        .enrol_app(&seat, &secret.code_now(now))
        .await
        .unwrap();
}

#[tokio::test]
async fn what_two_seniors_signed_is_set_on_any_page_of_the_case() {
    let mut world = World::new().await;
    let signe = world.signe().await;
    let maja = world.colleague("maja").await;
    let (mut idris, mut petra) = (
        world.colleague("idris").await,
        world.colleague("petra").await,
    );
    let opened = world
        .open(&maja, &without_parameters(&signe, "pin.change"))
        .await;
    let seat = world.sit(&maja, &opened.case).await;
    world.confirms(&seat).await;
    world.signs(&mut idris, &opened.case).await.unwrap();
    world.signs(&mut petra, &opened.case).await.unwrap();
    world.gate.settle().await.unwrap();
    world.hours(24);
    world.gate.settle().await.unwrap();
    // The first browser is gone; the procedure asked for no proof, so a new link is enough.
    let again = world.sit(&maja, &opened.case).await;
    world.gate.enrol_pin(&again, &pin("739105")).await.unwrap();
    world.hours(1);
    assert!(pin_works(&world, &maja, &signe, "739105").await);
}

#[tokio::test]
async fn an_erased_customer_leaves_no_secret_that_was_never_set() {
    let mut world = World::new().await;
    let signe = world.signe().await;
    let maja = world.colleague("maja").await;
    let seat = granted(&mut world, &maja, &signe, "app.set").await;
    let case = seat.case().0.clone();
    assert!(
        world
            .everything()
            .await
            .contains(&format!("enrolment/{case}"))
    );
    world.gate.stop(&seat, None).await.unwrap();
    world.hours(25);
    let eraser = world.machine("eraser");
    world.gate.erase_customer(&eraser, &signe).await.unwrap();
    assert!(!world.everything().await.contains(&case));
}

#[tokio::test]
async fn a_link_made_after_the_end_opens_the_receipt_and_nothing_else() {
    let mut world = World::new().await;
    let signe = world.signe().await;
    let maja = world.colleague("maja").await;
    // An earlier case of the same customer.
    let earlier = granted(&mut world, &maja, &signe, "key.add").await;
    world.gate.stop(&earlier, None).await.unwrap();
    let seat = granted(&mut world, &maja, &signe, "pin.change").await;
    world.gate.enrol_pin(&seat, &pin("739105")).await.unwrap();
    world.hours(15 * 24);

    let late = world.sit(&maja, seat.case()).await;
    let receipt = world
        .gate
        .receipt_for_seat(&late)
        .await
        .unwrap()
        .to_json()
        .unwrap();
    verify_receipt(&receipt, world.signer.verifier()).unwrap();
    let view = world.gate.seat_view(&late).await.unwrap();
    assert!(
        view.receipt
            && !view.may_confirm
            && !view.may_run
            && !view.may_stop
            && view.to_set.is_none()
    );
    let other = world
        .gate
        .receipt_of_customer(&late, earlier.case())
        .await
        .unwrap_err();
    assert_eq!(other, CaseError::NotAllowed("a proof"));
    assert_eq!(world.gate.cases_of_seat(&late).await.unwrap().len(), 1);
    assert!(world.gate.enrol_pin(&late, &pin("602417")).await.is_err());
    assert!(world.prove(&late, "passkey", "x").await.is_err());
    assert!(
        world
            .everything()
            .await
            .contains("staff.receipt_link_issued")
    );

    // There is no receipt of a case in which nothing was proved: no link either.
    let opened = world
        .open(&maja, &without_parameters(&signe, "pin.change"))
        .await;
    world
        .gate
        .withdraw(&maja.staff, &opened.case)
        .await
        .unwrap();
    let none = world
        .gate
        .issue_link(&maja.staff, &opened.case)
        .await
        .unwrap_err();
    assert_eq!(none, CaseError::LinkGone);
    assert!(
        !world
            .gate
            .case_view(&maja.staff, &opened.case)
            .await
            .unwrap()
            .can
            .issue_link
            .can
    );
    assert!(
        world
            .gate
            .case_view(&maja.staff, seat.case())
            .await
            .unwrap()
            .can
            .issue_link
            .can
    );
}

#[tokio::test]
async fn a_colleagues_passkey_is_removed_only_after_another_answered() {
    let world = World::new().await;
    let mut maja = world.colleague("maja").await;
    let gate = &world.gate;
    let begun = gate.start_sign_in().await.unwrap();
    let response = maja.passkey.get(&begun.options, ORIGIN).unwrap();
    let token = gate
        .finish_sign_in(&begun.ceremony, &response)
        .await
        .unwrap();
    let session = async || gate.staff_session(token.expose()).await.unwrap().unwrap();
    let begun = gate.start_passkey(&session().await).await.unwrap();
    let (mut phone, made) = SoftPasskey::create(&begun.options, ORIGIN).unwrap();
    gate.finish_passkey(&session().await, &begun.ceremony, &made, "phone")
        .await
        .unwrap();
    let keys = gate.my_passkeys(&session().await);
    let (laptop_id, phone_id) = (&keys[0].credential, &keys[1].credential);

    // The laptop's passkey signed her in: it vouches for the phone's removal and not for its own.
    let own = gate.remove_passkey(&session().await, laptop_id).await;
    assert_eq!(own.unwrap_err().code(), "step-up");
    world.pass(std::time::Duration::from_mins(5));
    for id in [laptop_id, phone_id] {
        let stale = gate.remove_passkey(&session().await, id).await;
        assert_eq!(stale.unwrap_err().code(), "step-up", "a stolen session");
    }
    // The prompt for removing the laptop's does not ask the laptop.
    let begun = gate
        .start_step_up(&session().await, Some(laptop_id))
        .await
        .unwrap();
    assert!(maja.passkey.get(&begun.options, ORIGIN).is_err());
    let response = phone.get(&begun.options, ORIGIN).unwrap();
    gate.finish_step_up(&session().await, &begun.ceremony, &response)
        .await
        .unwrap();
    let other = gate.remove_passkey(&session().await, phone_id).await;
    assert_eq!(other.unwrap_err().code(), "step-up");
    gate.remove_passkey(&session().await, laptop_id)
        .await
        .unwrap();
    let last = gate.remove_passkey(&session().await, phone_id).await;
    assert_eq!(last.unwrap_err().code(), "last-passkey");
    let none = gate.start_step_up(&session().await, Some(phone_id)).await;
    assert_eq!(none.unwrap_err().code(), "last-passkey");
}
