//! A new version of the procedure counts once a senior signed it, and for new cases alone.

use countersign_service::ProcedureError;

use crate::world::{Colleague, ORIGIN, PROCEDURE, World, reinstall, without_parameters};

/// The path that asks for a senior asks for nobody any more.
fn weaker() -> String {
    let weaker = PROCEDURE.replacen("    sign-off 1 senior\n", "", 1);
    assert_ne!(weaker, PROCEDURE);
    weaker
}

async fn signs_version(world: &World, by: &mut Colleague) -> Result<(), ProcedureError> {
    let prompt = world.gate.start_procedure_sign_off(&by.staff).await?;
    let response = by.passkey.get(&prompt.options, ORIGIN).unwrap();
    world
        .gate
        .finish_procedure_sign_off(&by.staff, &prompt.digest.to_string(), &response)
        .await
}

#[tokio::test]
async fn the_first_procedure_is_in_force_at_once_and_a_later_one_when_it_is_signed() {
    let mut world = World::new().await;
    let signe = world.signe().await;
    let maja = world.colleague("maja").await;
    let mut idris = world.colleague("idris").await;
    let old = world.gate.procedure().version.to_string();
    assert_eq!(world.gate.proposed_version().await.unwrap(), None);
    let first = world.open(&maja, &reinstall(&signe)).await.case;

    world.restarts_with(&weaker()).await;
    let proposed = world.gate.proposed_version().await.unwrap().unwrap();
    assert_ne!(proposed, old);
    assert_eq!(world.gate.procedure().version.to_string(), old);
    let view = world
        .gate
        .proposed_procedure(&idris.staff)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (view.text, view.replaces_text),
        (weaker(), PROCEDURE.to_owned())
    );
    assert!(view.can_sign.can);

    // Before the signature, a case is opened under the version in force.
    let other = without_parameters(&signe, "note.read");
    let before = world.open(&maja, &other).await.case;
    let view = world.gate.case_view(&maja.staff, &before).await.unwrap();
    assert_eq!(view.procedure, old);

    signs_version(&world, &mut idris).await.unwrap();
    assert_eq!(world.gate.procedure().version.to_string(), proposed);
    assert_eq!(world.gate.proposed_version().await.unwrap(), None);
    let kept = world.gate.case_view(&maja.staff, &first).await.unwrap();
    assert_eq!(kept.procedure, old, "an open case keeps its version");
    world.gate.withdraw(&maja.staff, &first).await.unwrap();
    let fresh = world.open(&maja, &reinstall(&signe)).await.case;
    let fresh = world.gate.case_view(&maja.staff, &fresh).await.unwrap();
    assert_eq!(fresh.procedure, proposed);

    // It is still in force after the next start, and nothing waits.
    world.restarts_with(&weaker()).await;
    assert_eq!(world.gate.procedure().version.to_string(), proposed);
    assert_eq!(world.gate.proposed_version().await.unwrap(), None);
    assert_eq!(
        world.kinds_of_the_gate().await,
        [
            "procedure.activated",
            "procedure.proposed",
            "procedure.activated"
        ]
    );
}

/// Several gates on one store: what is signed at one is in force at all, without a restart.
#[tokio::test]
async fn a_version_signed_at_one_gate_comes_into_force_at_another() {
    let mut world = World::new().await;
    let mut idris = world.colleague("idris").await;
    world.restarts_with(&weaker()).await;
    let proposed = world.gate.proposed_version().await.unwrap().unwrap();
    let other = world.another_gate(99).await;
    assert_ne!(other.procedure().version.to_string(), proposed);
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let working = tokio::spawn({
        let other = other.clone();
        async move {
            // An error means the same: enough.
            other.work(async { drop(stopped.await) }).await;
        }
    });
    signs_version(&world, &mut idris).await.unwrap();
    let follows = async {
        while other.procedure().version.to_string() != proposed {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(15), follows)
        .await
        .expect("the other gate follows");
    stop.send(()).unwrap();
    working.await.unwrap();
}

#[tokio::test]
async fn only_who_holds_the_role_in_the_version_in_force_signs() {
    let mut world = World::new().await;
    let mut maja = world.colleague("maja").await;
    let mut root = world.colleague("root").await;
    assert_eq!(
        signs_version(&world, &mut maja).await.unwrap_err().code(),
        "nothing-proposed"
    );
    world.restarts_with(&weaker()).await;
    for by in [&mut maja, &mut root] {
        assert_eq!(
            signs_version(&world, by).await.unwrap_err().code(),
            "not-a-signer"
        );
    }
    // The role that signs is looked up in the version in force, not in the one that is to be signed.
    let crowned = weaker()
        .replacen(
            "\"senior support agent\" includes agent",
            "\"senior support agent\"",
            1,
        )
        .replacen("\"support agent\"", "\"support agent\" includes senior", 1);
    world.restarts_with(&crowned).await;
    let version = world.gate.proposed_version().await.unwrap().unwrap();
    assert_eq!(
        signs_version(&world, &mut maja).await.unwrap_err().code(),
        "not-a-signer"
    );
    let refused = world
        .gate
        .proposed_procedure(&maja.staff)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((refused.version, refused.can_sign.can), (version, false));
}

#[tokio::test]
async fn a_signature_is_for_one_version_and_counts_once() {
    let mut world = World::new().await;
    let mut idris = world.colleague("idris").await;
    let mut petra = world.colleague("petra").await;
    world.restarts_with(&weaker()).await;
    let first = world
        .gate
        .start_procedure_sign_off(&idris.staff)
        .await
        .unwrap();
    let response = idris.passkey.get(&first.options, ORIGIN).unwrap();

    // Another text is put in place before the answer comes.
    world
        .restarts_with(&format!("{}\n", weaker().replacen("24h", "25h", 1)))
        .await;
    let now = world.gate.proposed_version().await.unwrap().unwrap();
    assert_ne!(now, first.digest.to_string());
    let late = world
        .gate
        .finish_procedure_sign_off(&idris.staff, &first.digest.to_string(), &response)
        .await;
    assert_eq!(late.unwrap_err().code(), "superseded");
    // The same answer, said to be for the other version.
    let moved = world
        .gate
        .finish_procedure_sign_off(&idris.staff, &now, &response)
        .await;
    assert_eq!(moved.unwrap_err().code(), "passkey-not-accepted");
    // The first text again: proposed anew, and the old answer is for the old proposal.
    world.restarts_with(&weaker()).await;
    let again = world
        .gate
        .finish_procedure_sign_off(&idris.staff, &first.digest.to_string(), &response)
        .await;
    assert_eq!(again.unwrap_err().code(), "passkey-not-accepted");

    // Somebody else's key, and then the right one; a second signature finds nothing to sign.
    let prompt = world
        .gate
        .start_procedure_sign_off(&petra.staff)
        .await
        .unwrap();
    let foreign = idris.passkey.get(&prompt.options, ORIGIN);
    let foreign = foreign.unwrap_or_else(|_| response.clone());
    let refused = world
        .gate
        .finish_procedure_sign_off(&petra.staff, &prompt.digest.to_string(), &foreign)
        .await;
    assert_eq!(refused.unwrap_err().code(), "passkey-not-accepted");
    signs_version(&world, &mut petra).await.unwrap();
    assert_eq!(
        signs_version(&world, &mut idris).await.unwrap_err().code(),
        "nothing-proposed"
    );
}

#[tokio::test]
async fn the_text_in_force_put_back_withdraws_the_proposal() {
    let mut world = World::new().await;
    world.restarts_with(&weaker()).await;
    assert!(world.gate.proposed_version().await.unwrap().is_some());
    // A second start with the same text proposes nothing new.
    world.restarts_with(&weaker()).await;
    world.restarts_with(PROCEDURE).await;
    assert_eq!(world.gate.proposed_version().await.unwrap(), None);
    assert_eq!(
        world.kinds_of_the_gate().await,
        [
            "procedure.activated",
            "procedure.proposed",
            "procedure.proposal_withdrawn"
        ]
    );
}

#[tokio::test]
async fn a_neighbour_on_the_same_store_follows() {
    let mut world = World::new().await;
    let signe = world.signe().await;
    let maja = world.colleague("maja").await;
    let mut idris = world.colleague("idris").await;
    world.restarts_with(&weaker()).await;
    let neighbour = world.another_gate(99).await;
    signs_version(&world, &mut idris).await.unwrap();
    let opened = neighbour
        .open_case(&maja.staff, &reinstall(&signe))
        .await
        .unwrap();
    let view = world
        .gate
        .case_view(&maja.staff, &opened.case)
        .await
        .unwrap();
    assert_eq!(view.procedure, world.gate.procedure().version.to_string());
}

#[tokio::test]
async fn a_new_version_is_refused_with_a_reason_and_stays_refused_for_a_day() {
    let mut world = World::new().await;
    let maja = world.colleague("maja").await;
    let mut idris = world.colleague("idris").await;
    let old = world.gate.procedure().version.to_string();
    world.restarts_with(&weaker()).await;
    let version = world.gate.proposed_version().await.unwrap().unwrap();
    let why = "this is how we lost the Falun cluster";
    let gate = &world.gate;
    for (by, version, reason, code) in [
        (&maja, version.as_str(), why, "not-a-signer"),
        (&idris, old.as_str(), why, "superseded"),
        (&idris, version.as_str(), "no", "reason-too-short"),
        (
            &idris,
            version.as_str(),
            "a reason nobody \u{0} can read",
            "reason-too-short",
        ),
    ] {
        let refused = gate.refuse_procedure(&by.staff, version, reason).await;
        assert_eq!(refused.unwrap_err().code(), code);
    }
    gate.refuse_procedure(&idris.staff, &version, why)
        .await
        .unwrap();
    assert_eq!(gate.proposed_version().await.unwrap(), None);
    assert_eq!(gate.procedure().version.to_string(), old);
    let refused = gate.refused_procedure(&maja.staff).await.unwrap().unwrap();
    assert_eq!(
        (
            refused.version.as_str(),
            refused.by.as_str(),
            refused.reason.as_str()
        ),
        (version.as_str(), "Idris", why)
    );
    let again = gate.refuse_procedure(&idris.staff, &version, why).await;
    assert_eq!(again.unwrap_err().code(), "nothing-proposed");
    assert_eq!(
        signs_version(&world, &mut idris).await.unwrap_err().code(),
        "nothing-proposed"
    );

    // The same text is not proposed again within a day; another is at once, and the same one the day after.
    world.restarts_with(&weaker()).await;
    assert_eq!(world.gate.proposed_version().await.unwrap(), None);
    let other = weaker() + "\nsecret word \"another secret\" using pin\n";
    world.restarts_with(&other).await;
    assert!(world.gate.proposed_version().await.unwrap().is_some());
    world.restarts_with(PROCEDURE).await;
    world.hours(24);
    world.restarts_with(&weaker()).await;
    assert_eq!(world.gate.proposed_version().await.unwrap(), Some(version));
    let kinds = world.kinds_of_the_gate().await;
    assert!(kinds.contains(&"procedure.refused".to_owned()), "{kinds:?}");
}
