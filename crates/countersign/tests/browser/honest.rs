//! An honest customer, and what she holds in her hands afterwards.

use countersign_service::verify_receipt;
use countersign_testkit::browser::{Algorithm, play};

use crate::company::Company;
use crate::people::{CUSTOMER, Colleague, Customer, PASSWORD, WORDS};

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_with_a_passkey_gets_it_done_and_can_prove_it() {
    an_honest_customer(Algorithm::Es256).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_with_ed25519() {
    an_honest_customer(Algorithm::Ed25519).await;
}

async fn an_honest_customer(algorithm: Algorithm) {
    play(async |stage| {
        let company = Company::new().await;
        let signe = Customer::signe(stage, &company, algorithm).await;
        company.attest_backups(CUSTOMER).await;
        let maja = Colleague::joins(stage, &company, "maja", algorithm).await;
        assert_eq!(maja.path().await, "/desk");

        let case = maja.opens_a_case(&company).await;
        let link = maja.sends_the_link().await;

        signe.says_yes(&link).await;
        signe.proves("password", PASSWORD).await;
        signe.proves_by_passkey().await;
        signe.confirms(&link).await;
        assert!(company.panel.ran().is_empty(), "somebody must say run");

        maja.press("Run action…").await;
        assert_eq!(maja.text("p.words").await, WORDS);
        maja.press("Run: reinstall a server").await;
        maja.press("Open the case").await;
        // Whether the panel answered before or after that, it is on the page without another press.
        maja.shows("#pill", "Done").await;

        signe.sees("Open the receipt").await;
        signe.press("Open the receipt").await;
        assert_eq!(signe.text("p.words").await, WORDS);
        let receipt = signe
            .eval_async(
                "return await (await fetch(arguments[0])).text()",
                vec![serde_json::json!(format!("/c/receipts/{case}/json"))],
            )
            .await;
        let checked = verify_receipt(receipt.as_str().unwrap(), &company.log_key).unwrap();
        assert_eq!(checked.outcome, "done");
        assert_eq!(company.panel.ran().len(), 1);
        assert_eq!(company.panel.refused(), 0);
        company
    })
    .await;
}
