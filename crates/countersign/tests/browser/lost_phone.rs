//! The phone is lost: more eyes, letters, and a day in which anyone who was told may say stop.

use countersign_service::adapters::webauthn::{AssertionEvidence, challenge_for, check_evidence};
use countersign_service::{SIGN_OFF_DOMAIN, verify_receipt};
use countersign_testkit::browser::{Algorithm, Look, Stage, play};

use serde_json::{Value, json};

use crate::company::Company;
use crate::people::{Colleague, Customer, MAILBOX, MOBILE, PIN, WORDS};

/// Up to where a colleague is asked. Signe has proved what she still has, and closed her browser.
async fn up_to_the_senior(stage: &Stage, company: &Company) -> (Colleague, String) {
    let maja = Colleague::joins(stage, company, "maja", Algorithm::Es256).await;
    let signe = Customer::signe(stage, company, Algorithm::Es256).await;
    let case = maja.opens_a_case(company).await;
    let link = maja.sends_the_link().await;
    signe.says_yes(&link).await;
    signe.proves("pin", PIN).await;
    signe.proves_by_mail(company).await;
    signe.confirms(&link).await;
    signe.sees("A colleague").await;
    // Nobody pressed anything on Maja's page.
    maja.sees("Waiting for a senior").await;
    signe.close().await;
    (maja, case)
}

/// Idris finds the case among his approvals, and reads.
async fn reads(stage: &Stage, company: &Company, case: &str) -> Colleague {
    let idris = Colleague::joins(stage, company, "idris", Algorithm::Es256).await;
    idris.go(&company.at("/approvals")).await;
    assert_eq!(idris.text("tbody p.words").await, WORDS);
    idris
        .element(&format!("#open-{case}"))
        .await
        .click()
        .await
        .unwrap();
    assert_eq!(idris.path().await, format!("/approvals/{case}"));
    assert_eq!(idris.text("main p.words").await, WORDS);
    let page = idris.page().await;
    assert!(
        page.contains("Not proven:") && page.contains("passkey"),
        "{page}"
    );
    idris
}

#[tokio::test(flavor = "multi_thread")]
async fn a_senior_letters_and_a_day_and_then_it_runs() {
    play(async |stage| {
        let company = Company::with_clock().await;
        let (maja, case) = up_to_the_senior(stage, &company).await;
        let idris = reads(stage, &company, &case).await;

        // The finger slips: nothing was signed, here or anywhere.
        idris.passkey.verifies(false).await;
        idris.press("Sign with your passkey…").await;
        idris
            .sees("Nothing was signed. The passkey was not used.")
            .await;
        assert!(idris.offers("Sign with your passkey…").await);
        idris.passkey.verifies(true).await;
        idris.press("Sign with your passkey…").await;
        idris.sees("You have signed").await;

        maja.sees("Takes effect ").await;
        let letter = company.letter(MAILBOX, &company.at("/v/")).await;
        assert!(letter.contains(WORDS), "{letter}");
        company.text_comes(MOBILE, &company.at("/v/")).await;
        idris.close().await;

        company.hours(23);
        company.settle().await;
        assert!(company.panel.ran().is_empty(), "a day is a day");
        // Maja went home in the evening, and comes back.
        maja.go(&company.at("/sign-in")).await;
        company.hours(1);
        company.settle().await;
        maja.signs_in(&company).await;
        maja.looks_at(&company, &case).await;
        maja.sees("Happened ").await;
        assert_eq!(
            company.panel.ran().len(),
            1,
            "it waited, so it runs by itself"
        );
        assert_eq!(company.panel.refused(), 0);

        // Idris's signature over these words is in the receipt, for whoever asks later.
        let receipt = maja
            .eval_async(
                "return await (await fetch(arguments[0])).text()",
                vec![json!(format!("/cases/{case}/receipt.json"))],
            )
            .await;
        let receipt = receipt.as_str().unwrap();
        check_the_signature(receipt, &company);
        let receipt = verify_receipt(receipt, &company.log_key).unwrap();
        assert_eq!(
            (receipt.sentence.as_str(), receipt.outcome.as_str()),
            (WORDS, "done")
        );
        assert_eq!(receipt.signed_by, ["Idris"]);
        company
    })
    .await;
}

/// A thief with the PIN had the mailbox changed, waited a week, and found a senior who believed the story.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_reads_the_old_mailbox_stops_it() {
    Box::pin(play(async |stage| {
        let company = Company::with_clock().await;
        let maja = Colleague::joins(stage, &company, "maja", Algorithm::Es256).await;
        let thief = Customer::signe(stage, &company, Algorithm::Es256).await;
        company.mailbox_becomes("signe@halden.evil.example").await;
        company.hours(8 * 24);
        maja.signs_in(&company).await;
        let case = maja.opens_a_case(&company).await;
        let link = maja.sends_the_link().await;
        thief.says_yes(&link).await;
        thief.proves("pin", PIN).await;
        thief.chooses("mail_code").await;
        let code = company.mailed_code("signe@halden.evil.example").await;
        thief.fill("secret", &code).await;
        thief.press("Check the code").await;
        thief.confirms(&link).await;
        thief.close().await;
        let idris = reads(stage, &company, &case).await;
        let against = idris.text("section[aria-labelledby=against-h]").await;
        assert!(
            against.contains("mail"),
            "a changed mailbox speaks against it: {against}"
        );
        idris.press("Sign with your passkey…").await;
        idris.sees("You have signed").await;
        idris.close().await;
        maja.sees("Takes effect ").await;

        // Signe reads her old mailbox on some other machine, where nobody is signed in.
        let stop = company.stop_link(MAILBOX).await;
        let signe = stage.browser(Look::PHONE).await;
        signe.go(&stop).await;
        assert_eq!(signe.h1().await, "Stop this?");
        assert_eq!(signe.text("p.words").await, WORDS);
        assert!(
            !signe.page().await.contains("evil"),
            "the old mailbox does not learn of the new one"
        );
        maja.looks_at(&company, &case).await;
        maja.sees("Takes effect ").await;
        signe.choose("why", "not-me").await;
        signe.fill("text", "I am on holiday").await;
        signe.press("Stop it now").await;
        signe.sees("Nothing was changed").await;

        maja.sees("Stopped by the customer").await;
        maja.sees("I did not ask for it: I am on holiday").await;
        signe.go(&stop).await;
        signe.sees("Already stopped").await;
        company.hours(30);
        company.settle().await;
        assert!(company.panel.ran().is_empty());
        assert_eq!(company.panel.refused(), 0, "nothing ever came to the panel");
        company
    }))
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_senior_declines_and_the_next_asker_reads_why() {
    play(async |stage| {
        let company = Company::new().await;
        let (maja, case) = up_to_the_senior(stage, &company).await;
        let idris = reads(stage, &company, &case).await;
        idris.press("Decline…").await;
        assert_eq!(idris.text("main p.words").await, WORDS);
        let why = "the caller <b>hesitated</b> & hung up";
        // Too short to be a reason; what was typed is still there.
        idris.fill("reason", "no").await;
        idris.will_be_refused(422);
        idris.press("Decline: reinstall a server").await;
        idris.sees("There is a problem").await;
        assert_eq!(
            idris
                .eval("return document.querySelector('#reason').value")
                .await,
            "no"
        );
        idris.fill("reason", why).await;
        idris.press("Decline: reinstall a server").await;
        idris.sees(why).await;
        idris.close().await;
        maja.sees("Declined by a senior").await;
        maja.sees(why).await;
        maja.close().await;

        let tomas = Colleague::joins(stage, &company, "tomas", Algorithm::Es256).await;
        tomas.fills_in(&company, "web-3", "debian-13").await;
        tomas.will_be_refused(409);
        tomas.press("Open the case").await;
        tomas.sees("This request is closed").await;
        assert!(tomas.page().await.contains(&case), "it names the case");
        assert!(!tomas.offers("Open the case").await);
        tomas.press(&case).await;
        tomas.sees(why).await;
        // Something else may be asked for.
        tomas.fills_in(&company, "web-3", "debian-12").await;
        assert!(
            tomas.offers("Open the case").await,
            "{}",
            tomas.page().await
        );
        assert!(company.panel.ran().is_empty());
        company
    })
    .await;
}

/// With nothing but the receipt: the passkey that it names signed the case's digest, at the gate's own address.
fn check_the_signature(receipt: &str, company: &Company) {
    let receipt: Value = serde_json::from_str(receipt).unwrap();
    let events: Vec<Value> = receipt["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| serde_json::from_str(event["record"].as_str().unwrap()).unwrap())
        .collect();
    let opened = find(&events[0], "nonce").as_str().unwrap();
    let nonce = bytes::<16>(opened);
    let digest = bytes::<32>(receipt["digest"].as_str().unwrap());
    let signed = events
        .iter()
        .find(|event| !find(event, "assertion").is_null() && event.to_string().contains("idris"))
        .expect("his signature");
    let evidence: AssertionEvidence =
        serde_json::from_value(find(signed, "assertion").clone()).unwrap();
    let origins = [company.origin.clone()];
    let challenge = challenge_for(SIGN_OFF_DOMAIN, &nonce, &digest);
    check_evidence("localhost", &origins, &challenge, &evidence).unwrap();
    let other = challenge_for(SIGN_OFF_DOMAIN, &nonce, &[0; 32]);
    assert!(check_evidence("localhost", &origins, &other, &evidence).is_err());
}

/// The value of this key, however deep it lies.
fn find<'a>(value: &'a Value, key: &str) -> &'a Value {
    let inside: Vec<&Value> = match value {
        Value::Object(fields) => match fields.get(key) {
            Some(found) => return found,
            None => fields.values().collect(),
        },
        Value::Array(items) => items.iter().collect(),
        _ => Vec::new(),
    };
    inside
        .into_iter()
        .map(|value| find(value, key))
        .find(|found| !found.is_null())
        .unwrap_or(&Value::Null)
}

/// Out of hexadecimal digits.
fn bytes<const N: usize>(text: &str) -> [u8; N] {
    assert_eq!(text.len(), 2 * N, "{text}");
    std::array::from_fn(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap())
}
