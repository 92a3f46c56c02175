//! The WebAuthn verifier against an independent authenticator (the `passkey` crate), against our own soft passkey, and
//! against everything that must not pass.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot be set up has failed"
)]

use std::{future::Future, pin::Pin, slice};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use countersign_service::adapters::{
    soft_passkey::{SoftPasskey, SoftPasskeyError},
    webauthn::{
        Algorithm, AssertionEvidence, Passkey, RelyingParty, WebauthnError, challenge_for,
        check_evidence, claimed_credential,
    },
};
use passkey::{
    authenticator::{Authenticator, UiHint, UserCheck, UserValidationMethod},
    client::{Client, DefaultClientData},
    crypto::AvailableBackend,
    types::{Passkey as ForeignPasskey, ctap2::Aaguid, ctap2::Ctap2Error, webauthn::*},
};
use reqwest::Url;
use serde_json::{Value, json};

const ORIGIN: &str = "https://support.acme.example";
const USER: &[u8] = &[9; 32];

fn acme() -> RelyingParty {
    RelyingParty::new("acme.example", "Acme", &[ORIGIN, "https://acme.example"]).unwrap()
}

fn challenge(tag: u8) -> [u8; 32] {
    challenge_for("countersign/approval/v1", &[1; 16], &[tag; 32])
}

/// Registers with a soft passkey of this algorithm.
fn registered(algorithm: Algorithm) -> (SoftPasskey, Passkey) {
    let options = acme().creation_options(USER, "idris", "Idris Okafor", &challenge(1), &[]);
    let (soft, response) = SoftPasskey::create_with(algorithm, &options, ORIGIN).unwrap();
    let passkey = acme()
        .finish_registration(USER, &challenge(1), &response)
        .unwrap();
    (soft, passkey)
}

mod independent_authenticator {
    use super::*;

    struct Verified(bool);

    impl UserValidationMethod for Verified {
        type PasskeyItem = ForeignPasskey;

        fn check_user<'a, 'life0, 'async_trait>(
            &'life0 self,
            _hint: UiHint<'a, Self::PasskeyItem>,
            _presence: bool,
            _verification: bool,
        ) -> Pin<Box<dyn Future<Output = Result<UserCheck, Ctap2Error>> + Send + 'async_trait>>
        where
            'a: 'async_trait,
            'life0: 'async_trait,
        {
            let verification = self.0;
            Box::pin(async move {
                Ok(UserCheck {
                    presence: true,
                    verification,
                })
            })
        }

        fn is_presence_enabled(&self) -> bool {
            true
        }

        fn is_verification_enabled(&self) -> Option<bool> {
            Some(true)
        }
    }

    fn bytes(value: &Value) -> Vec<u8> {
        URL_SAFE_NO_PAD.decode(value.as_str().unwrap()).unwrap()
    }

    /// Our options JSON as the authenticator's own types: what a browser's `parseCreationOptionsFromJSON` does.
    fn creation(options: &Value) -> CredentialCreationOptions {
        CredentialCreationOptions {
            public_key: serde_json::from_value(options.clone()).unwrap(),
        }
    }

    fn request(options: &Value) -> CredentialRequestOptions {
        CredentialRequestOptions {
            public_key: serde_json::from_value(options.clone()).unwrap(),
        }
    }

    async fn round_trip(only: Option<i64>, expected: Algorithm) {
        let store: Option<ForeignPasskey> = None;
        let mut client = Client::new(Authenticator::new(
            Aaguid::new_empty(),
            store,
            Verified(true),
            AvailableBackend,
        ));
        let origin = Url::parse(ORIGIN).unwrap();
        let mut options =
            acme().creation_options(USER, "idris", "Idris Okafor", &challenge(1), &[]);
        if let Some(algorithm) = only {
            options["pubKeyCredParams"] = json!([{ "type": "public-key", "alg": algorithm }]);
        }
        let created = client
            .register(&origin, creation(&options), DefaultClientData)
            .await
            .unwrap();
        let response = json!({
            "id": created.id,
            "rawId": URL_SAFE_NO_PAD.encode(&*created.raw_id),
            "type": "public-key",
            "response": {
                "clientDataJSON": URL_SAFE_NO_PAD.encode(&*created.response.client_data_json),
                "attestationObject": URL_SAFE_NO_PAD.encode(&*created.response.attestation_object),
            },
        });
        let passkey = acme()
            .finish_registration(USER, &challenge(1), &response)
            .unwrap();
        assert_eq!(passkey.algorithm, expected);
        assert_eq!(passkey.credential, bytes(&json!(created.id)));

        let allow = [passkey.clone()];
        let signed = client
            .authenticate(
                &origin,
                request(&acme().request_options(&challenge(2), &allow)),
                DefaultClientData,
            )
            .await
            .unwrap();
        let mut response = json!({
            "id": signed.id,
            "rawId": URL_SAFE_NO_PAD.encode(&*signed.raw_id),
            "type": "public-key",
            "response": {
                "clientDataJSON": URL_SAFE_NO_PAD.encode(&*signed.response.client_data_json),
                "authenticatorData": URL_SAFE_NO_PAD.encode(&*signed.response.authenticator_data),
                "signature": URL_SAFE_NO_PAD.encode(&*signed.response.signature),
            },
        });
        if let Some(user) = &signed.response.user_handle {
            response["response"]["userHandle"] = json!(URL_SAFE_NO_PAD.encode(&**user));
        }
        assert_eq!(claimed_credential(&response).unwrap(), passkey.credential);
        let verified = acme()
            .verify_assertion(&challenge(2), &passkey, &response)
            .unwrap();
        check_evidence(
            acme().id(),
            acme().origins(),
            &challenge(2),
            &verified.evidence,
        )
        .unwrap();
        assert_eq!(
            acme().verify_assertion(&challenge(3), &passkey, &response),
            Err(WebauthnError::WrongChallenge)
        );
    }

    #[tokio::test]
    async fn registers_and_signs_with_p256() {
        round_trip(Some(-7), Algorithm::Es256).await;
    }

    #[tokio::test]
    async fn registers_and_signs_with_ed25519() {
        round_trip(Some(-8), Algorithm::Ed25519).await;
    }

    #[tokio::test]
    async fn takes_our_first_choice_from_our_own_options() {
        round_trip(None, Algorithm::Ed25519).await;
    }
}

#[test]
fn a_soft_passkey_registers_and_signs_with_every_algorithm() {
    for algorithm in Algorithm::OFFERED {
        let (mut soft, passkey) = registered(algorithm);
        assert_eq!(passkey.algorithm, algorithm);
        assert_eq!(
            (passkey.counter, passkey.backup_eligible, passkey.backed_up),
            (0, false, false)
        );
        let stored: Passkey =
            serde_json::from_str(&serde_json::to_string(&passkey).unwrap()).unwrap();
        assert_eq!(stored, passkey);
        for count in 1..=2 {
            let options = acme().request_options(&challenge(2), slice::from_ref(&passkey));
            let response = soft.get(&options, ORIGIN).unwrap();
            let before = Passkey {
                counter: count - 1,
                ..stored.clone()
            };
            let verified = acme()
                .verify_assertion(&challenge(2), &before, &response)
                .unwrap();
            assert_eq!(verified.new_counter, count);
            check_evidence(
                "acme.example",
                acme().origins(),
                &challenge(2),
                &verified.evidence,
            )
            .unwrap();
        }
    }
}

#[test]
fn the_options_say_what_the_verifier_will_ask_for() {
    let (_, passkey) = registered(Algorithm::Ed25519);
    let options = acme().creation_options(
        USER,
        "idris",
        "Idris Okafor",
        &challenge(1),
        slice::from_ref(&passkey),
    );
    assert_eq!(
        options["authenticatorSelection"]["userVerification"],
        "required"
    );
    assert_eq!(options["attestation"], "none");
    assert_eq!(options["rp"]["id"], "acme.example");
    assert_eq!(options["challenge"], URL_SAFE_NO_PAD.encode(challenge(1)));
    let own_id = URL_SAFE_NO_PAD.encode(&passkey.credential);
    assert_eq!(
        options["excludeCredentials"][0],
        json!({ "type": "public-key", "id": own_id, "transports": ["internal"] })
    );
    let request = acme().request_options(&challenge(2), &[passkey]);
    assert_eq!(request["userVerification"], "required");
    assert_eq!(request["allowCredentials"][0]["id"], own_id);
    assert_eq!(
        acme().request_options(&challenge(2), &[])["allowCredentials"],
        json!([])
    );
}

/// Every single byte of what is signed, of the signature, of the key and of the id, one bit at a time.
#[test]
fn every_flipped_byte_of_an_assertion_is_refused() {
    for algorithm in [Algorithm::Es256, Algorithm::Ed25519] {
        let (mut soft, passkey) = registered(algorithm);
        let response = soft
            .get(&acme().request_options(&challenge(2), &[]), ORIGIN)
            .unwrap();
        let evidence = acme()
            .verify_assertion(&challenge(2), &passkey, &response)
            .unwrap()
            .evidence;
        let refuses = |passkey: &Passkey, response: &Value| {
            acme()
                .verify_assertion(&challenge(2), passkey, response)
                .is_err()
        };
        for field in [
            "clientDataJSON",
            "authenticatorData",
            "signature",
            "userHandle",
        ] {
            let original = URL_SAFE_NO_PAD
                .decode(response["response"][field].as_str().unwrap())
                .unwrap();
            for (at, changed) in flips(&original) {
                let mut response = response.clone();
                response["response"][field] = json!(URL_SAFE_NO_PAD.encode(&changed));
                assert!(
                    refuses(&passkey, &response),
                    "{algorithm:?} {field} byte {at}"
                );
            }
        }
        for (at, changed) in flips(&passkey.public_key) {
            assert!(
                refuses(
                    &Passkey {
                        public_key: changed,
                        ..passkey.clone()
                    },
                    &response
                ),
                "key byte {at}"
            );
        }
        for (at, changed) in flips(&passkey.credential) {
            let mut response = response.clone();
            let id = URL_SAFE_NO_PAD.encode(changed);
            response["id"] = json!(id);
            response["rawId"] = json!(id);
            assert!(refuses(&passkey, &response), "id byte {at}");
        }

        // Offline, from the evidence alone.
        let offline =
            |evidence| check_evidence("acme.example", acme().origins(), &challenge(2), &evidence);
        assert_eq!(offline(evidence.clone()), Ok(()));
        let fields: [fn(&mut AssertionEvidence) -> &mut String; 4] = [
            |evidence| &mut evidence.client_data,
            |evidence| &mut evidence.authenticator_data,
            |evidence| &mut evidence.signature,
            |evidence| &mut evidence.public_key,
        ];
        for (number, field) in fields.iter().enumerate() {
            let original = URL_SAFE_NO_PAD
                .decode(field(&mut evidence.clone()))
                .unwrap();
            for (at, changed) in flips(&original) {
                let mut evidence = evidence.clone();
                *field(&mut evidence) = URL_SAFE_NO_PAD.encode(changed);
                assert!(
                    offline(evidence).is_err(),
                    "{algorithm:?} field {number} byte {at}"
                );
            }
        }
    }
}

/// With self attestation a registration is signed too, so there as well no byte may change.
#[test]
fn every_flipped_byte_of_a_registration_is_refused() {
    let options = acme().creation_options(USER, "idris", "Idris Okafor", &challenge(1), &[]);
    for algorithm in [Algorithm::Es256, Algorithm::Ed25519] {
        let (_, response) = SoftPasskey::create_with(algorithm, &options, ORIGIN).unwrap();
        assert!(
            acme()
                .finish_registration(USER, &challenge(1), &response)
                .is_ok()
        );
        for field in ["clientDataJSON", "attestationObject"] {
            let original = URL_SAFE_NO_PAD
                .decode(response["response"][field].as_str().unwrap())
                .unwrap();
            for (at, changed) in flips(&original) {
                let mut response = response.clone();
                response["response"][field] = json!(URL_SAFE_NO_PAD.encode(&changed));
                assert!(
                    acme()
                        .finish_registration(USER, &challenge(1), &response)
                        .is_err(),
                    "{algorithm:?} {field} byte {at}"
                );
            }
        }
    }
}

#[test]
fn nothing_cut_short_or_prolonged_is_accepted_nor_panics() {
    let (mut soft, passkey) = registered(Algorithm::Es256);
    let assertion = soft
        .get(&acme().request_options(&challenge(2), &[]), ORIGIN)
        .unwrap();
    let options = acme().creation_options(USER, "idris", "Idris Okafor", &challenge(1), &[]);
    let (_, registration) = SoftPasskey::create(&options, ORIGIN).unwrap();
    for (response, fields) in [
        (
            &assertion,
            ["clientDataJSON", "authenticatorData", "signature"].as_slice(),
        ),
        (&registration, &["clientDataJSON", "attestationObject"]),
    ] {
        for field in fields {
            let original = URL_SAFE_NO_PAD
                .decode(response["response"][field].as_str().unwrap())
                .unwrap();
            let longer = [original.as_slice(), &[0]].concat();
            for changed in (0..original.len())
                .map(|end| &original[..end])
                .chain([longer.as_slice()])
            {
                let mut response = response.clone();
                response["response"][field] = json!(URL_SAFE_NO_PAD.encode(changed));
                assert!(
                    acme()
                        .verify_assertion(&challenge(2), &passkey, &response)
                        .is_err()
                );
                assert!(
                    acme()
                        .finish_registration(USER, &challenge(1), &response)
                        .is_err()
                );
            }
        }
    }
}

#[test]
fn an_assertion_for_anything_else_is_refused() {
    let (mut soft, passkey) = registered(Algorithm::Es256);
    let response = soft
        .get(&acme().request_options(&challenge(2), &[]), ORIGIN)
        .unwrap();
    let verify = |party: &RelyingParty, challenge: &[u8; 32], passkey: &Passkey| {
        party.verify_assertion(challenge, passkey, &response)
    };

    assert_eq!(
        verify(&acme(), &challenge(3), &passkey),
        Err(WebauthnError::WrongChallenge)
    );
    let elsewhere = RelyingParty::new("acme.example", "Acme", &["https://acme.example"]).unwrap();
    assert_eq!(
        verify(&elsewhere, &challenge(2), &passkey),
        Err(WebauthnError::WrongOrigin)
    );
    // Same origin, other RP ID.
    let narrower = RelyingParty::new("support.acme.example", "Acme", &[ORIGIN]).unwrap();
    assert_eq!(
        verify(&narrower, &challenge(2), &passkey),
        Err(WebauthnError::WrongRelyingParty)
    );
    let (_, other) = registered(Algorithm::Es256);
    assert_eq!(
        verify(&acme(), &challenge(2), &other),
        Err(WebauthnError::WrongCredential)
    );
    // The right id with somebody else's key.
    let substituted = Passkey {
        public_key: other.public_key,
        ..passkey.clone()
    };
    assert_eq!(
        verify(&acme(), &challenge(2), &substituted),
        Err(WebauthnError::BadSignature)
    );
    let other_user = Passkey {
        user: vec![8; 32],
        ..passkey.clone()
    };
    assert_eq!(
        verify(&acme(), &challenge(2), &other_user),
        Err(WebauthnError::WrongUser)
    );
    let synced = Passkey {
        backup_eligible: true,
        ..passkey
    };
    assert_eq!(
        verify(&acme(), &challenge(2), &synced),
        Err(WebauthnError::BackupFlags)
    );
}

#[test]
fn an_unverified_user_is_refused() {
    let (mut soft, passkey) = registered(Algorithm::Ed25519);
    soft.set_user_verified(false);
    let response = soft
        .get(&acme().request_options(&challenge(2), &[]), ORIGIN)
        .unwrap();
    assert_eq!(
        acme().verify_assertion(&challenge(2), &passkey, &response),
        Err(WebauthnError::UserNotVerified)
    );
}

#[test]
fn a_counter_that_does_not_go_up_is_refused() {
    let (mut soft, passkey) = registered(Algorithm::Ed25519);
    let mut assert_with = |sent: u32, stored: u32| {
        // `get` counts up before it signs.
        soft.set_counter(sent.wrapping_sub(1));
        let response = soft
            .get(&acme().request_options(&challenge(2), &[]), ORIGIN)
            .unwrap();
        acme()
            .verify_assertion(
                &challenge(2),
                &Passkey {
                    counter: stored,
                    ..passkey.clone()
                },
                &response,
            )
            .map(|verified| verified.new_counter)
    };
    assert_eq!(assert_with(6, 5), Ok(6));
    assert_eq!(assert_with(5, 5), Err(WebauthnError::CounterWentBack));
    assert_eq!(assert_with(4, 5), Err(WebauthnError::CounterWentBack));
    assert_eq!(assert_with(1, 5), Err(WebauthnError::CounterWentBack));
}

/// Signed by the right key, and wrong in what the browser says about it: everything §7.2 steps 10 to 14 look at.
#[test]
fn well_signed_client_data_that_says_something_else_is_refused() {
    let right = json!({ "type": "webauthn.get", "challenge": URL_SAFE_NO_PAD.encode(challenge(2)), "origin": ORIGIN, "crossOrigin": false });
    let with = |name: &str, value: Value| {
        let mut data = right.clone();
        data[name] = value;
        data.to_string()
    };
    let doubled = right
        .to_string()
        .replacen('{', r#"{"origin":"https://evil.example","#, 1);
    let with_bom = format!("\u{feff}{right}");
    let standard_base64 = base64::engine::general_purpose::STANDARD.encode(challenge(2));
    for (client_data, expected) in [
        (right.to_string(), None),
        (with("somethingNew", json!({ "a": [1] })), None),
        (
            with("type", json!("webauthn.create")),
            Some(WebauthnError::WrongType),
        ),
        (
            with("type", json!("payment.get")),
            Some(WebauthnError::WrongType),
        ),
        (
            with("challenge", json!(URL_SAFE_NO_PAD.encode(challenge(3)))),
            Some(WebauthnError::WrongChallenge),
        ),
        (
            with("challenge", json!(standard_base64)),
            Some(WebauthnError::WrongChallenge),
        ),
        (
            with("challenge", json!("")),
            Some(WebauthnError::WrongChallenge),
        ),
        (
            with("origin", json!("https://support.acme.example.evil.example")),
            Some(WebauthnError::WrongOrigin),
        ),
        (
            with("origin", json!("https://support.acme.example/")),
            Some(WebauthnError::WrongOrigin),
        ),
        (
            with("origin", json!("http://support.acme.example")),
            Some(WebauthnError::WrongOrigin),
        ),
        (
            with("crossOrigin", json!(true)),
            Some(WebauthnError::CrossOrigin),
        ),
        (
            with("topOrigin", json!("https://evil.example")),
            Some(WebauthnError::CrossOrigin),
        ),
        (
            with("crossOrigin", json!("no")),
            Some(WebauthnError::Malformed("clientDataJSON")),
        ),
        (doubled, Some(WebauthnError::Malformed("clientDataJSON"))),
        (with_bom, Some(WebauthnError::Malformed("clientDataJSON"))),
        (
            format!("{right}x"),
            Some(WebauthnError::Malformed("clientDataJSON")),
        ),
        (
            String::new(),
            Some(WebauthnError::Malformed("clientDataJSON")),
        ),
    ] {
        let (passkey, response) = signed_by_hand(client_data.as_bytes(), 0b101, 1);
        let verdict = acme()
            .verify_assertion(&challenge(2), &passkey, &response)
            .err();
        assert_eq!(verdict, expected, "{client_data}");
    }
}

/// Signed by the right key, and wrong in what the authenticator says about it.
#[test]
fn well_signed_flags_that_say_something_else_are_refused() {
    let right = json!({ "type": "webauthn.get", "challenge": URL_SAFE_NO_PAD.encode(challenge(2)), "origin": ORIGIN }).to_string();
    for (flags, counter, expected) in [
        (0b0000_0101, 1, None),
        (0b0000_0101, 0, None),
        (0b0000_0001, 1, Some(WebauthnError::UserNotVerified)),
        (0b0000_0100, 1, Some(WebauthnError::UserNotPresent)),
        (0b0001_0101, 1, Some(WebauthnError::BackupFlags)),
        (0b0000_1101, 1, Some(WebauthnError::BackupFlags)),
        (
            0b0100_0101,
            1,
            Some(WebauthnError::Malformed("authenticator data")),
        ),
        (
            0b1000_0101,
            1,
            Some(WebauthnError::Malformed("authenticator data")),
        ),
    ] {
        let (passkey, response) = signed_by_hand(right.as_bytes(), flags, counter);
        assert_eq!(
            acme()
                .verify_assertion(&challenge(2), &passkey, &response)
                .err(),
            expected,
            "{flags:08b}"
        );
    }
}

/// An assertion that carries a credential, as only a registration does, well formed and rightly signed.
#[test]
fn an_assertion_with_attested_credential_data_is_refused() {
    let right = json!({ "type": "webauthn.get", "challenge": URL_SAFE_NO_PAD.encode(challenge(2)), "origin": ORIGIN });
    let attested = [[0; 16].as_slice(), &[0, 2], &[5; 2], &[0xa0]].concat();
    let (passkey, response) =
        signed_by_hand_with(right.to_string().as_bytes(), 0b0100_0101, 1, &attested);
    assert_eq!(
        acme()
            .verify_assertion(&challenge(2), &passkey, &response)
            .err(),
        Some(WebauthnError::Malformed("authenticator data"))
    );
    let evidence = AssertionEvidence {
        credential: URL_SAFE_NO_PAD.encode(&passkey.credential),
        public_key: URL_SAFE_NO_PAD.encode(&passkey.public_key),
        client_data: response["response"]["clientDataJSON"]
            .as_str()
            .unwrap()
            .into(),
        authenticator_data: response["response"]["authenticatorData"]
            .as_str()
            .unwrap()
            .into(),
        signature: response["response"]["signature"].as_str().unwrap().into(),
    };
    assert!(check_evidence("acme.example", acme().origins(), &challenge(2), &evidence).is_err());
}

#[test]
fn a_registration_for_anything_else_is_refused() {
    let options = acme().creation_options(USER, "idris", "Idris Okafor", &challenge(1), &[]);
    let (mut soft, response) = SoftPasskey::create(&options, ORIGIN).unwrap();
    let finish = |party: &RelyingParty, challenge: &[u8; 32], response: &Value| {
        party.finish_registration(USER, challenge, response)
    };

    assert_eq!(
        finish(&acme(), &challenge(9), &response),
        Err(WebauthnError::WrongChallenge)
    );
    let narrower = RelyingParty::new("support.acme.example", "Acme", &[ORIGIN]).unwrap();
    assert_eq!(
        finish(&narrower, &challenge(1), &response),
        Err(WebauthnError::WrongRelyingParty)
    );
    let elsewhere = RelyingParty::new("acme.example", "Acme", &["https://acme.example"]).unwrap();
    assert_eq!(
        finish(&elsewhere, &challenge(1), &response),
        Err(WebauthnError::WrongOrigin)
    );

    let mut other_id = response.clone();
    other_id["id"] = json!("AAAA");
    other_id["rawId"] = json!("AAAA");
    assert_eq!(
        finish(&acme(), &challenge(1), &other_id),
        Err(WebauthnError::WrongCredential)
    );
    let mut other_type = response.clone();
    other_type["type"] = json!("password");
    assert_eq!(
        finish(&acme(), &challenge(1), &other_type),
        Err(WebauthnError::Malformed("credential type"))
    );
    let mut two_ids = response.clone();
    two_ids["id"] = json!("AAAA");
    assert_eq!(
        finish(&acme(), &challenge(1), &two_ids),
        Err(WebauthnError::Malformed("credential id"))
    );
    assert_eq!(
        acme().finish_registration(&[], &challenge(1), &response),
        Err(WebauthnError::Malformed("user handle"))
    );
    assert_eq!(
        acme().finish_registration(&[1; 65], &challenge(1), &response),
        Err(WebauthnError::Malformed("user handle"))
    );

    // An assertion is no registration, nor the reverse, even for one and the same challenge.
    let passkey = finish(&acme(), &challenge(1), &response).unwrap();
    let assertion = soft
        .get(&acme().request_options(&challenge(1), &[]), ORIGIN)
        .unwrap();
    assert!(finish(&acme(), &challenge(1), &assertion).is_err());
    assert!(
        acme()
            .verify_assertion(&challenge(1), &passkey, &response)
            .is_err()
    );
}

/// Attestation nobody asked for is refused rather than waved through.
#[test]
fn other_attestation_is_refused() {
    let options = acme().creation_options(USER, "idris", "Idris Okafor", &challenge(1), &[]);
    let (_, response) = SoftPasskey::create_with(Algorithm::Es256, &options, ORIGIN).unwrap();
    let with_attestation = |format: &str, statement: ciborium::Value| {
        let original = URL_SAFE_NO_PAD
            .decode(response["response"]["attestationObject"].as_str().unwrap())
            .unwrap();
        let object: ciborium::Value = ciborium::from_reader(original.as_slice()).unwrap();
        let auth_data = object
            .into_map()
            .unwrap()
            .into_iter()
            .find(|(key, _)| key.as_text() == Some("authData"))
            .unwrap();
        let changed = ciborium::Value::Map(vec![
            ("fmt".into(), format.into()),
            ("attStmt".into(), statement),
            auth_data,
        ]);
        let mut bytes = Vec::new();
        ciborium::into_writer(&changed, &mut bytes).unwrap();
        let mut response = response.clone();
        response["response"]["attestationObject"] = json!(URL_SAFE_NO_PAD.encode(bytes));
        acme()
            .finish_registration(USER, &challenge(1), &response)
            .map(|_| ())
    };
    let map = |members: Vec<(&str, ciborium::Value)>| {
        ciborium::Value::Map(members.into_iter().map(|(k, v)| (k.into(), v)).collect())
    };
    let bytes = |length| ciborium::Value::Bytes(vec![1; length]);
    assert_eq!(with_attestation("none", map(vec![])), Ok(()));
    let unsupported = Err(WebauthnError::UnsupportedAttestation);
    assert_eq!(
        with_attestation("none", map(vec![("sig", bytes(64))])),
        unsupported
    );
    assert_eq!(with_attestation("fido-u2f", map(vec![])), unsupported);
    assert_eq!(with_attestation("packed", map(vec![])), unsupported);
    assert_eq!(
        with_attestation(
            "packed",
            map(vec![("alg", (-8).into()), ("sig", bytes(64))])
        ),
        unsupported
    );
    assert_eq!(
        with_attestation(
            "packed",
            map(vec![
                ("alg", (-7).into()),
                ("sig", bytes(64)),
                ("x5c", ciborium::Value::Array(vec![]))
            ])
        ),
        unsupported
    );
    assert_eq!(
        with_attestation(
            "packed",
            map(vec![("alg", (-7).into()), ("sig", bytes(64))])
        ),
        Err(WebauthnError::BadSignature)
    );
}

#[test]
fn what_is_no_answer_at_all_is_refused() {
    let (_, passkey) = registered(Algorithm::Ed25519);
    let huge = "A".repeat(1 << 20);
    for response in [
        json!(null),
        json!([]),
        json!({}),
        json!({ "id": "AAAA", "rawId": "AAAA", "type": "public-key" }),
        json!({ "id": "AAAA", "rawId": "AAAA", "type": "public-key", "response": {} }),
        json!({ "id": huge, "rawId": huge, "type": "public-key", "response": { "clientDataJSON": huge, "authenticatorData": huge, "signature": huge, "attestationObject": huge } }),
    ] {
        assert!(matches!(
            acme().verify_assertion(&challenge(2), &passkey, &response),
            Err(WebauthnError::Malformed(_))
        ));
        assert!(matches!(
            acme().finish_registration(USER, &challenge(2), &response),
            Err(WebauthnError::Malformed(_))
        ));
    }
}

#[test]
fn a_soft_passkey_refuses_what_a_browser_would() {
    let options = acme().creation_options(USER, "idris", "Idris Okafor", &challenge(1), &[]);
    assert_eq!(
        SoftPasskey::create(&options, "https://evilacme.example").map(|_| ()),
        Err(SoftPasskeyError::WrongOrigin)
    );
    let (mut soft, _) = SoftPasskey::create(&options, ORIGIN).unwrap();
    let (_, other) = registered(Algorithm::Ed25519);
    assert_eq!(
        soft.get(&acme().request_options(&challenge(2), &[other]), ORIGIN),
        Err(SoftPasskeyError::NotAllowed)
    );
    assert_eq!(
        soft.get(
            &acme().request_options(&challenge(2), &[]),
            "https://evil.example"
        ),
        Err(SoftPasskeyError::WrongOrigin)
    );
}

/// An assertion over exactly this client data, these flags and this counter, rightly signed, and the passkey it is of.
fn signed_by_hand(client_data: &[u8], flags: u8, counter: u32) -> (Passkey, Value) {
    signed_by_hand_with(client_data, flags, counter, &[])
}

/// The same, with more behind the counter.
fn signed_by_hand_with(
    client_data: &[u8],
    flags: u8,
    counter: u32,
    rest: &[u8],
) -> (Passkey, Value) {
    use aws_lc_rs::{
        digest::{SHA256, digest},
        signature::{Ed25519KeyPair, KeyPair},
    };
    let key = Ed25519KeyPair::generate().unwrap();
    let cose: Vec<(ciborium::Value, ciborium::Value)> = vec![
        (1.into(), 1.into()),
        (3.into(), (-8).into()),
        ((-1).into(), 6.into()),
        (
            (-2).into(),
            ciborium::Value::Bytes(key.public_key().as_ref().to_vec()),
        ),
    ];
    let mut public_key = Vec::new();
    ciborium::into_writer(&ciborium::Value::Map(cose), &mut public_key).unwrap();
    let passkey = Passkey {
        credential: vec![5; 16],
        public_key,
        algorithm: Algorithm::Ed25519,
        user: USER.to_vec(),
        counter: 0,
        backup_eligible: false,
        backed_up: false,
        transports: vec![],
    };
    let authenticator_data = [
        digest(&SHA256, b"acme.example").as_ref(),
        &[flags],
        &counter.to_be_bytes(),
        rest,
    ]
    .concat();
    let signature = key.sign(
        &[
            authenticator_data.as_slice(),
            digest(&SHA256, client_data).as_ref(),
        ]
        .concat(),
    );
    let id = URL_SAFE_NO_PAD.encode(&passkey.credential);
    let response = json!({
        "id": id,
        "rawId": id,
        "type": "public-key",
        "response": {
            "clientDataJSON": URL_SAFE_NO_PAD.encode(client_data),
            "authenticatorData": URL_SAFE_NO_PAD.encode(authenticator_data),
            "signature": URL_SAFE_NO_PAD.encode(signature.as_ref()),
        },
    });
    (passkey, response)
}

/// Each byte changed in its lowest and in its highest bit.
fn flips(bytes: &[u8]) -> impl Iterator<Item = (usize, Vec<u8>)> + '_ {
    (0..bytes.len()).flat_map(move |at| {
        [0x01, 0x80].map(|bit| {
            let mut changed = bytes.to_vec();
            changed[at] ^= bit;
            (at, changed)
        })
    })
}
