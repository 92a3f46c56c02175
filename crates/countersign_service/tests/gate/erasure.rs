//! Forgetting a person: nothing of them is left but what the ledger cannot tell anybody.

use countersign_cases::CustomerId;
use countersign_ledger::{Appender, Checkpoint};
use countersign_service::{ContactPut, CustomerError, verify_receipt};

use crate::world::{World, halden, reinstall, without_parameters};

/// What is known of Signe and stands in no text of the procedure or the company.
const SAID: [&str; 8] = [
    "Halden",
    "48213",
    "halden.example",
    "signe@",
    "+46701234567",
    "disk is full",
    "web-3",
    "c-1042",
];

fn root_of(leaves: &[Vec<u8>]) -> [u8; 32] {
    let mut tree = Appender::empty();
    tree.append(leaves.iter().map(Vec::as_slice)).unwrap();
    tree.root()
}

#[tokio::test]
async fn an_erased_customer_is_nowhere_and_the_ledger_still_verifies() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gate.db");
    let mut world = World::on_sqlite(&path).await;
    let signe = world.signe().await;
    world.attest_backups(&signe).await;
    let maja = world.colleague("maja").await;
    let mut idris = world.colleague("idris").await;
    let eraser = world.machine("eraser");

    // A case that runs whole, with a mailed code, a signature, notices and stop links.
    let case = world.open(&maja, &reinstall(&signe)).await.case;
    let seat = world.sit(&maja, &case).await;
    world.proves(&seat, "pin", "482913").await;
    world.proves_mail_code(&seat, "signe@halden.example").await;
    world.confirms(&seat).await;
    assert!(matches!(
        world.gate.erase_customer(&eraser, &signe).await,
        Err(CustomerError::OpenCases)
    ));
    world.signs(&mut idris, &case).await.unwrap();
    world.gate.settle().await.unwrap();
    world.hours(25);
    world.gate.settle().await.unwrap();
    assert_eq!(world.state(&maja, &case).await, "done");
    let receipt = world
        .gate
        .receipt_for_staff(&maja.staff, &case)
        .await
        .unwrap();
    let receipt = serde_json::to_string(&receipt).unwrap();
    let before = world.gate.checkpoint().await.unwrap();
    let held = world.everything().await;
    for word in SAID {
        assert!(held.contains(word), "`{word}` is not there to be erased");
    }

    world.gate.erase_customer(&eraser, &signe).await.unwrap();
    assert!(matches!(
        world.gate.erase_customer(&eraser, &signe).await,
        Err(CustomerError::Unknown)
    ));
    world.gate.settle().await.unwrap();
    let left = world.everything().await;
    for word in SAID {
        // The customer number stays in what staff looked up, and where a colleague is tied to it.
        if word != "c-1042" {
            assert!(!left.contains(word), "`{word}` is still there: {left}");
        }
    }
    for line in left.lines().filter(|line| line.contains("c-1042")) {
        let of_staff = line.contains(" staff.")
            || ["account/halvar ", "account/otto "]
                .iter()
                .any(|tied| line.starts_with(tied));
        assert!(of_staff, "{line}");
    }

    // The ledger is as it was and went on; the receipt that the customer kept still proves.
    let key = world.signer.verifier();
    let before = Checkpoint::verify(&before, key).unwrap();
    let now = Checkpoint::verify(&world.gate.checkpoint().await.unwrap(), key).unwrap();
    let leaves = world.leaves().await;
    assert_eq!(now.size, before.size + 1);
    assert_eq!(root_of(&leaves), now.root);
    assert_eq!(root_of(&leaves[..leaves.len() - 1]), before.root);
    verify_receipt(&receipt, world.signer.verifier()).unwrap();
    assert_eq!(
        world.kinds_of_the_gate().await,
        ["procedure.activated", "customer.erased"]
    );

    // Another gate starts on what is left, and a case that was there is nobody's.
    let again = world.another_gate(77).await;
    let gone = again.case_view(&maja.staff, &case).await.unwrap_err();
    assert_eq!(gone.code(), "unknown-case");
}

#[tokio::test]
async fn erasing_reopens_no_refused_request() {
    let mut world = World::new().await;
    let signe = world.signe().await;
    let maja = world.colleague("maja").await;
    let idris = world.colleague("idris").await;
    let eraser = world.machine("eraser");
    let case = world.open(&maja, &reinstall(&signe)).await.case;
    let seat = world.sit(&maja, &case).await;
    world.proves(&seat, "pin", "482913").await;
    world.proves_mail_code(&seat, "signe@halden.example").await;
    world.confirms(&seat).await;
    world
        .gate
        .refuse(&idris.staff, &case, "the voice was not hers")
        .await
        .unwrap();
    let refused = world.gate.erase_customer(&eraser, &signe).await;
    let Err(CustomerError::StillClosed { until }) = refused else {
        panic!("{refused:?}");
    };
    assert!(until > world.gate.now());
    let wait = until.seconds_since(world.gate.now());
    world.hours(wait / 3_600 + 1);
    world.gate.erase_customer(&eraser, &signe).await.unwrap();
}

#[tokio::test]
async fn a_number_that_comes_back_is_not_believed_as_the_first_time() {
    let mut world = World::new().await;
    let signe = world.signe().await;
    let panel = world.machine("panel");
    let eraser = world.machine("eraser");
    let known = world.gate.customer_detail(&panel, &signe).await.unwrap();
    assert_eq!(known.contacts[0].changed_at, None);
    world.gate.erase_customer(&eraser, &signe).await.unwrap();
    // Whoever may erase and put cannot so pass a mailbox of their own for one that was always there.
    let put = countersign_service::CustomerPut {
        contacts: vec![ContactPut {
            channel: "mailbox".to_owned(),
            address: "thief@elsewhere.example".to_owned(),
            since_ms: Some(0),
        }],
        ..halden("x")
    };
    let saved = world.gate.put_customer(&panel, &signe, &put).await.unwrap();
    assert!(saved.created);
    let anew = world.gate.customer_detail(&panel, &signe).await.unwrap();
    assert_eq!(anew.contacts[0].changed_at, Some(world.gate.now()));
    assert_eq!(anew.contacts[0].first_seen, world.gate.now());
    assert_ne!(anew.pseudonym, known.pseudonym);
    // Everything works for the customer who came back.
    let maja = world.colleague("maja").await;
    world
        .open(&maja, &without_parameters(&signe, "password.reset"))
        .await;
}

#[tokio::test]
async fn only_a_token_with_the_scope_erases() {
    let mut world = World::new().await;
    let signe = world.signe().await;
    for name in ["panel", "backups", "robot", "reader"] {
        let machine = world.machine(name);
        let refused = world.gate.erase_customer(&machine, &signe).await;
        assert_eq!(refused.unwrap_err().code(), "not-allowed", "{name}");
    }
    let nobody = CustomerId("c-9".to_owned());
    let eraser = world.machine("eraser");
    let unknown = world.gate.erase_customer(&eraser, &nobody).await;
    assert_eq!(unknown.unwrap_err().code(), "unknown-customer");
}
