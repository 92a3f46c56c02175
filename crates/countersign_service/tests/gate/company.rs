//! The company's identity provider: customers prove by it, staff sign in by it, and every lie it could tell is refused.

use std::{collections::BTreeMap, time::Duration};

use countersign_cases::{CaseId, CustomerId};
use countersign_service::{
    Answered, CompanyStanding, CustomerPut, CustomerSeat, DeviceStage, FactorPut, Gate, HeldPut,
    OpenRequest, ProofError, ProviderAnswer, StaffError,
    settings::{CompanyLogin, ConsoleRole, Group, NewAccount, StaffLogin},
};
use serde_json::json;

use crate::{
    provider::{Device, Lie, Person, Provider, query},
    world::{Colleague, ORIGIN, World, halden},
};

const PROCEDURE: &str = include_str!("company.procedure");

/// Signe's account at the provider: the company's own id for her.
const SIGNE: &str = "c-1042";
const STRONG: &str = "urn:acme:mfa";

fn signe() -> Person {
    Person::new(SIGNE).says("acr", json!(STRONG))
}

struct Company {
    world: World,
    provider: Provider,
    maja: Colleague,
    customer: CustomerId,
}

impl Company {
    async fn new() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(change: impl FnOnce(&mut CompanyLogin)) -> Self {
        let mut world = World::new().await;
        let provider = Provider::start(world.clock.clone()).await;
        let mut login = CompanyLogin {
            name: "Acme".to_owned(),
            provider: provider.settings(),
            scope: "openid".to_owned(),
            account_claim: "sub".to_owned(),
            acr_values: vec![STRONG.to_owned()],
            proof_acr_values: BTreeMap::new(),
            message_chars: 128,
        };
        change(&mut login);
        world = world
            .reborn(|settings| {
                PROCEDURE.clone_into(&mut settings.procedure);
                settings.company_login = Some(login);
            })
            .await;
        let customer = put(&world, SIGNE, &["signed_in", "app"]).await;
        let maja = world.colleague("maja").await;
        Self {
            world,
            provider,
            maja,
            customer,
        }
    }

    async fn sits(&self) -> (CaseId, CustomerSeat) {
        self.sits_for(&self.customer).await
    }

    async fn sits_for(&self, customer: &CustomerId) -> (CaseId, CustomerSeat) {
        let request = OpenRequest {
            customer: customer.clone(),
            action: "server.reinstall".to_owned(),
            parameters: BTreeMap::from([
                ("server".to_owned(), "web-3".to_owned()),
                ("image".to_owned(), "debian-13".to_owned()),
            ]),
            reason: Some("the customer says the disk is full".to_owned()),
            reference: None,
            return_to: None,
            shows: Vec::new(),
            language: None,
        };
        let opened = self.world.open(&self.maja, &request).await;
        let seat = self.world.sit(&self.maja, &opened.case).await;
        (opened.case, seat)
    }

    async fn begins(&self, seat: &CustomerSeat) -> String {
        self.world
            .gate
            .begin_company_proof(seat, "signed_in")
            .await
            .unwrap()
    }

    /// There and back, without the button.
    async fn goes(&self, seat: &CustomerSeat, person: &Person) {
        let url = self.begins(seat).await;
        let answer = self.provider.signs_in(&url, person);
        assert!(self.comes_back(seat, &answer).await);
    }

    async fn comes_back(&self, seat: &CustomerSeat, answer: &ProviderAnswer) -> bool {
        let kept = self
            .world
            .gate
            .keep_company_answer(seat, answer)
            .await
            .unwrap();
        kept.as_deref() == Some("signed_in")
    }

    async fn presses(&self, seat: &CustomerSeat) -> Result<Answered, ProofError> {
        let digest = self.world.digest(seat).await;
        self.world
            .gate
            .finish_company_proof(seat, "signed_in", digest)
            .await
    }

    async fn proves(&self, seat: &CustomerSeat, person: &Person) -> Result<Answered, ProofError> {
        self.goes(seat, person).await;
        self.presses(seat).await
    }

    async fn version(&self, seat: &CustomerSeat) -> u64 {
        self.world.gate.seat_view(seat).await.unwrap().version
    }
}

async fn put(world: &World, id: &str, held: &[&str]) -> CustomerId {
    let customer = CustomerId(id.to_owned());
    let held = held
        .iter()
        .map(|holding| HeldPut {
            holding: (*holding).to_owned(),
            changed_at_ms: None,
        })
        .collect();
    let put = CustomerPut {
        number: format!("n-{id}"),
        contacts: halden("signe@halden.example")
            .contacts
            .into_iter()
            .take(1)
            .collect(),
        held,
        ..halden("signe@halden.example")
    };
    world
        .gate
        .put_customer(&world.machine("panel"), &customer, &put)
        .await
        .unwrap();
    customer
}

fn is_right(answered: &Result<Answered, ProofError>) -> bool {
    matches!(answered, Ok(Answered::Right(_)))
}

fn is_wrong(answered: &Result<Answered, ProofError>) -> bool {
    matches!(answered, Ok(Answered::NotRight { .. }))
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_in_at_the_company_proves_once_and_only_by_the_button() {
    let company = Company::new().await;
    let (case, seat) = company.sits().await;
    let url = company.begins(&seat).await;
    let asked = query(&url);
    assert_eq!(asked["redirect_uri"], format!("{ORIGIN}/c/company"));
    assert_eq!(asked["max_age"], "0");
    assert_eq!(asked["prompt"], "login");
    assert_eq!(asked["acr_values"], STRONG);
    assert!(asked["claims"].contains("\"essential\":true"));
    assert!(asked["nonce"].len() >= 43 && asked["state"].len() >= 43);

    let answer = company.provider.signs_in(&url, &signe());
    let before = company.version(&seat).await;
    assert!(company.comes_back(&seat, &answer).await);
    // Coming back is a GET: it asked nobody and decided nothing, however often it is repeated.
    assert!(company.comes_back(&seat, &answer).await);
    assert_eq!(company.version(&seat).await, before);
    assert_eq!(company.provider.asked("/token"), 0);
    let standing = company
        .world
        .gate
        .company_standing(&seat, "signed_in")
        .await;
    assert_eq!(standing.unwrap(), CompanyStanding::Back);

    assert!(is_right(&company.presses(&seat).await));
    assert_eq!(
        company.presses(&seat).await.unwrap_err().code(),
        "login-over"
    );
    company.world.confirms(&seat).await;
    assert_eq!(company.world.state(&company.maja, &case).await, "ready");
    // Neither a code nor a token is anywhere in the store.
    let everything = company.world.everything().await;
    for secret in [
        answer.code.as_deref().unwrap(),
        "access-code",
        "eyJhbGciOiJFUzI1NiI",
        &answer.state,
    ] {
        assert!(!everything.contains(secret), "{secret}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_lie_of_a_provider_is_refused_and_none_is_counted() {
    let company = Company::new().await;
    let (_, seat) = company.sits().await;
    let before = company.version(&seat).await;
    for (lie, code) in [
        (Lie::WrongNonce, "login-not-accepted"),
        (Lie::NoNonce, "login-not-accepted"),
        (Lie::WrongAudience, "login-not-accepted"),
        (Lie::SecondAudience, "login-not-accepted"),
        (Lie::ForeignParty, "login-not-accepted"),
        (Lie::NoAlgorithm, "login-not-accepted"),
        (Lie::HmacUnderPublicKey, "login-not-accepted"),
        (Lie::CriticalHeader, "login-not-accepted"),
        (Lie::BrokenSignature, "login-not-accepted"),
        (Lie::OtherKey, "login-not-accepted"),
        (Lie::OtherIssuer, "login-not-accepted"),
        (Lie::RanOut, "login-not-accepted"),
        (Lie::FromTheFuture, "login-not-accepted"),
        (Lie::IssuedLongAgo, "login-not-accepted"),
        (Lie::NoSubject, "login-not-accepted"),
        (Lie::SignedInBefore, "login-too-weak"),
        (Lie::DoesNotSayWhen, "login-too-weak"),
        (Lie::Weak, "login-too-weak"),
        (Lie::NoAcr, "login-too-weak"),
        (Lie::NoToken, "proof-unavailable"),
        (Lie::NotJson, "proof-unavailable"),
        (Lie::HugeBody, "proof-unavailable"),
        (Lie::Elsewhere, "proof-unavailable"),
        (Lie::Fails, "proof-unavailable"),
        (Lie::HangsUp, "proof-unavailable"),
    ] {
        company.provider.lies(lie);
        let refused = company.proves(&seat, &signe()).await.unwrap_err();
        assert_eq!(refused.code(), code, "{lie:?}");
        // Whatever it was, that sign-in is used up.
        assert_eq!(
            company.presses(&seat).await.unwrap_err().code(),
            "login-over",
            "{lie:?}"
        );
    }
    // Nobody followed the redirect.
    assert_eq!(company.provider.asked("/token2"), 0);
    assert_eq!(company.version(&seat).await, before);
    // Twenty-five refusals, and not one wrong answer among them.
    company.provider.lies(Lie::None);
    assert!(is_right(&company.proves(&seat, &signe()).await));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_never_ends_its_answer_is_given_up() {
    let company = Company::new().await;
    let (_, seat) = company.sits().await;
    company.provider.lies(Lie::Trickles);
    let began = std::time::Instant::now();
    assert_eq!(
        company.proves(&seat, &signe()).await.unwrap_err().code(),
        "proof-unavailable"
    );
    assert!(began.elapsed() < Duration::from_secs(15));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_account_is_a_wrong_answer_and_looks_like_no_account() {
    let company = Company::new().await;
    let stranger = put(&company.world, "c-7", &[]).await;
    let (_, seat) = company.sits().await;
    let (_, strangers) = company.sits_for(&stranger).await;
    let mallory = Person::new("c-666").says("acr", json!(STRONG));
    for left in (0..5).rev() {
        let wrong = company.proves(&seat, &mallory).await;
        assert!(is_wrong(&wrong), "{left}: {wrong:?}");
        // Whoever has no account at the company is told the same, though it is their own name.
        let same = company
            .proves(&strangers, &Person::new("c-7").says("acr", json!(STRONG)))
            .await;
        assert_eq!(format!("{wrong:?}"), format!("{same:?}"));
    }
    // Closed now, for the right account as well, whatever the case.
    assert!(is_wrong(&company.proves(&seat, &signe()).await));
    company.world.gate.stop(&seat, None).await.unwrap();
    company.world.hours(24 * 60);
    let opened = company.sits().await;
    assert!(is_right(&company.proves(&opened.1, &signe()).await));
    // Said of a weak sign-in is the same whoever signed in.
    for person in [&mallory, &signe()] {
        company.world.hours(1);
        let (_, seat) = company
            .sits_for(&put(&company.world, "c-8", &["signed_in"]).await)
            .await;
        company.provider.lies(Lie::Weak);
        assert_eq!(
            company.proves(&seat, person).await.unwrap_err().code(),
            "login-too-weak"
        );
        company.world.gate.stop(&seat, None).await.unwrap();
        company.world.hours(24 * 60);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_counts_for_one_browser_one_case_and_one_provider() {
    let company = Company::new().await;
    let other = put(&company.world, "c-7", &["signed_in"]).await;
    let (_, seat) = company.sits().await;
    let (_, others) = company.sits_for(&other).await;
    let url = company.begins(&seat).await;
    let answer = company.provider.signs_in(&url, &signe());
    // Mallory makes Signe's browser bring his own answer, or brings hers himself.
    assert!(!company.comes_back(&others, &answer).await);
    let unknown = ProviderAnswer {
        state: format!("cs_login_{}", "A".repeat(43)),
        ..answer.clone()
    };
    assert!(!company.comes_back(&seat, &unknown).await);
    // Nothing was brought, so there is nothing to press.
    assert_eq!(
        company.presses(&others).await.unwrap_err().code(),
        "login-over"
    );
    // A code that was stolen from another browser does not fit this one's question.
    let mine = company
        .provider
        .signs_in(&company.begins(&others).await, &Person::new("c-7"));
    let stolen = ProviderAnswer {
        code: answer.code.clone(),
        ..mine
    };
    assert!(company.comes_back(&others, &stolen).await);
    assert_eq!(
        company.presses(&others).await.unwrap_err().code(),
        "login-over"
    );
    // From another issuer than the one that was asked: the code is not sent to anybody.
    let asked = company.provider.asked("/token");
    for iss in [Some("https://login.example".to_owned()), None] {
        let url = company.begins(&seat).await;
        let mixed = ProviderAnswer {
            iss,
            ..company.provider.signs_in(&url, &signe())
        };
        assert!(company.comes_back(&seat, &mixed).await);
        assert_eq!(
            company.presses(&seat).await.unwrap_err().code(),
            "login-not-accepted"
        );
    }
    assert_eq!(company.provider.asked("/token"), asked);
    // For another digest: not this proof.
    company.goes(&seat, &signe()).await;
    let refused = company
        .world
        .gate
        .finish_company_proof(&seat, "signed_in", countersign_cases::Digest([7; 32]))
        .await;
    assert_eq!(refused.unwrap_err().code(), "login-over");
    // Ten minutes later it is over.
    company.goes(&seat, &signe()).await;
    company.world.pass(Duration::from_secs(601));
    assert_eq!(
        company.presses(&seat).await.unwrap_err().code(),
        "login-over"
    );
    // Nor does a PIN page take what belongs here.
    let digest = company.world.digest(&seat).await;
    let typed = company
        .world
        .gate
        .prove(
            &seat,
            "signed_in",
            digest,
            &countersign_service::adapters::secrets::Secret::new(SIGNE),
        )
        .await;
    assert_eq!(typed.unwrap_err().code(), "proof-not-asked");
}

#[tokio::test(flavor = "multi_thread")]
async fn turned_back_or_asked_for_more_is_no_answer() {
    let company = Company::new().await;
    let (_, seat) = company.sits().await;
    for (error, code) in [
        ("access_denied", "login-cancelled"),
        ("login_required", "login-too-weak"),
        ("unmet_authentication_requirements", "login-too-weak"),
        ("insufficient_user_authentication", "login-too-weak"),
        ("server_error", "proof-unavailable"),
        ("<script>", "proof-unavailable"),
    ] {
        let url = company.begins(&seat).await;
        assert!(
            company
                .comes_back(&seat, &company.provider.refuses(&url, error))
                .await
        );
        assert_eq!(
            company.presses(&seat).await.unwrap_err().code(),
            code,
            "{error}"
        );
    }
    assert_eq!(company.provider.asked("/token"), 0);
    assert!(is_right(&company.proves(&seat, &signe()).await));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_key_is_fetched_once_a_minute_at_most() {
    let company = Company::new().await;
    let (_, seat) = company.sits().await;
    company.provider.lies(Lie::Weak);
    let too_weak = "login-too-weak";
    assert_eq!(
        company.proves(&seat, &signe()).await.unwrap_err().code(),
        too_weak
    );
    assert_eq!(company.provider.asked("/jwks"), 1);
    company.provider.rotates(1, &[0, 1]);
    // Within the first minute the old keys are all there is.
    assert_eq!(
        company.proves(&seat, &signe()).await.unwrap_err().code(),
        "login-not-accepted"
    );
    assert_eq!(company.provider.asked("/jwks"), 1);
    company.world.pass(Duration::from_mins(1));
    for _ in 0..3 {
        assert_eq!(
            company.proves(&seat, &signe()).await.unwrap_err().code(),
            too_weak
        );
    }
    assert_eq!(company.provider.asked("/jwks"), 2);
    // A key that is shown no more counts no more, an hour later at the latest.
    company.provider.rotates(1, &[0]);
    company.world.pass(Duration::from_secs(3_601));
    let (_, seat) = company
        .sits_for(&put(&company.world, "c-9", &["signed_in"]).await)
        .await;
    assert_eq!(
        company.proves(&seat, &signe()).await.unwrap_err().code(),
        "login-not-accepted"
    );
    // What a provider says about itself is asked for once an hour.
    assert_eq!(
        company.provider.asked("/.well-known/openid-configuration"),
        2
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_description_of_another_issuer_is_not_used() {
    let company = Company::new().await;
    company
        .provider
        .names_another_issuer("https://login.example");
    let (_, seat) = company.sits().await;
    let refused = company
        .world
        .gate
        .begin_company_proof(&seat, "signed_in")
        .await;
    assert_eq!(refused.unwrap_err().code(), "proof-unavailable");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_account_is_the_claim_and_the_name_that_the_company_chose() {
    let company = Company::with(|login| login.account_claim = "customer_number".to_owned()).await;
    let panel = company.world.machine("panel");
    let account = FactorPut::Account("48213".to_owned());
    for (holding, well) in [("signed_in", true), ("app", true), ("mailbox", false)] {
        let put = company
            .world
            .gate
            .put_factor(&panel, &company.customer, holding, &account)
            .await;
        assert_eq!(put.is_ok(), well, "{holding}");
    }
    // Put just now is changed just now.
    company.world.hours(1);
    let (_, seat) = company.sits().await;
    let person = Person::new("opaque").says("acr", json!(STRONG));
    for wrong in [json!(""), json!(48213), json!(["48213"]), json!("c-1042")] {
        let person = person.clone().says("customer_number", wrong.clone());
        assert!(is_wrong(&company.proves(&seat, &person).await), "{wrong}");
    }
    let right = person.says("customer_number", json!("48213"));
    assert!(is_right(&company.proves(&seat, &right).await));
}

// Pushes.

impl Company {
    async fn asks(&self, seat: &CustomerSeat) {
        self.world.gate.ask_device(seat, "push").await.unwrap();
    }

    async fn stage(&self, seat: &CustomerSeat) -> DeviceStage {
        let standing = self.world.gate.device_standing(seat, "push").await.unwrap();
        standing.unwrap().stage
    }

    async fn works(&self, seconds: u64) {
        self.works_as(&self.world.gate, seconds).await;
    }

    /// This gate's worker, after so many seconds.
    async fn works_as(&self, gate: &Gate, seconds: u64) {
        self.world.pass(Duration::from_secs(seconds));
        gate.settle().await.unwrap();
    }

    fn polls(&self) -> usize {
        self.provider.asked("/token")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_yes_on_the_device_proves_what_the_device_showed() {
    let company = Company::new().await;
    let (case, seat) = company.sits().await;
    company.provider.device(Device::Silent, &signe());
    company.asks(&seat).await;
    // The page answers before anybody is asked.
    assert!(company.provider.pushes().is_empty());
    assert_eq!(company.stage(&seat).await, DeviceStage::Waiting);
    company.works(0).await;
    let pushes = company.provider.pushes();
    assert_eq!(pushes.len(), 1);
    assert_eq!(pushes[0]["login_hint"], SIGNE);
    assert_eq!(
        pushes[0]["binding_message"],
        "Erase everything on web-3 and install debian-13"
    );
    assert_eq!(pushes[0]["acr_values"], STRONG);
    assert_eq!(pushes[0]["scope"], "openid");
    assert_eq!(company.polls(), 0);
    // Asked at the pace the provider named, and slower once it says so.
    company.works(4).await;
    assert_eq!(company.polls(), 0);
    company.works(1).await;
    assert_eq!(company.polls(), 1);
    company.provider.device(Device::TooFast, &signe());
    company.works(5).await;
    assert_eq!(company.polls(), 2);
    company.provider.device(Device::Silent, &signe());
    company.works(9).await;
    assert_eq!(company.polls(), 2);
    company.works(1).await;
    assert_eq!(company.polls(), 3);
    // While one waits there is no second.
    assert_eq!(
        company
            .world
            .gate
            .ask_device(&seat, "push")
            .await
            .unwrap_err()
            .code(),
        "code-too-soon"
    );
    // The gate is started again meanwhile; the push outlives it.
    let next = company.world.another_gate(99).await;
    company.provider.device(Device::Yes, &signe());
    company.works_as(&next, 10).await;
    assert_eq!(company.stage(&seat).await, DeviceStage::Proved);
    company.world.confirms(&seat).await;
    assert_eq!(company.world.state(&company.maja, &case).await, "ready");
    let polls = company.polls();
    company.works(300).await;
    assert_eq!(company.polls(), polls);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_no_on_the_device_stops_the_case() {
    let company = Company::new().await;
    let (case, seat) = company.sits().await;
    company.provider.device(Device::No, &signe());
    company.asks(&seat).await;
    company.works(0).await;
    company.works(5).await;
    assert_eq!(company.world.state(&company.maja, &case).await, "stopped");
    assert_eq!(company.stage(&seat).await, DeviceStage::Denied);
    let view = company
        .world
        .gate
        .case_view(&company.maja.staff, &case)
        .await
        .unwrap();
    let ending = view.ending.unwrap();
    assert_eq!(
        ending.reason.as_deref(),
        Some("refused on the customer's own device")
    );
    assert!(ending.closed_until.is_some());
    company.works(300).await;
    assert_eq!(company.polls(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_asked_after_the_case_ended() {
    let company = Company::new().await;
    let (_, seat) = company.sits().await;
    company.provider.device(Device::Yes, &signe());
    company.asks(&seat).await;
    company.works(0).await;
    company.world.gate.stop(&seat, None).await.unwrap();
    company.works(5).await;
    company.works(300).await;
    assert_eq!(company.polls(), 0);
    // Not even asked for, where it ended before the worker came to it.
    company.world.hours(24 * 60);
    let (_, seat) = company.sits().await;
    company.asks(&seat).await;
    company.world.gate.stop(&seat, None).await.unwrap();
    company.works(1).await;
    assert_eq!(company.provider.pushes().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_that_cannot_count_says_why_and_counts_nothing_else() {
    let weak = signe().says("acr", json!("urn:acme:password"));
    let mallory = Person::new("c-666").says("acr", json!(STRONG));
    for (device, person, lie, stage) in [
        (Device::GivesUp, signe(), Lie::None, DeviceStage::RanOut),
        (Device::Yes, mallory, Lie::None, DeviceStage::NotRight),
        (Device::Yes, weak, Lie::None, DeviceStage::TooWeak),
        (
            Device::Yes,
            signe(),
            Lie::BrokenSignature,
            DeviceStage::Failed,
        ),
        (Device::Yes, signe(), Lie::NoAlgorithm, DeviceStage::Failed),
        (
            Device::Yes,
            signe(),
            Lie::WrongAudience,
            DeviceStage::Failed,
        ),
        (Device::Yes, signe(), Lie::Fails, DeviceStage::RanOut),
        (Device::Silent, signe(), Lie::None, DeviceStage::RanOut),
    ] {
        let company = Company::new().await;
        let (case, seat) = company.sits().await;
        company.provider.device(device, &person);
        company.provider.lies(lie);
        company.asks(&seat).await;
        company.works(0).await;
        for _ in 0..40 {
            company.works(5).await;
        }
        assert_eq!(company.stage(&seat).await, stage, "{device:?} {lie:?}");
        assert_eq!(company.world.state(&company.maja, &case).await, "open");
        let view = company.world.gate.seat_view(&seat).await.unwrap();
        assert!(!view.may_confirm);
        // Another can be asked for, and counts.
        company.provider.lies(Lie::None);
        company.provider.device(Device::Yes, &signe());
        company.asks(&seat).await;
        company.works(0).await;
        company.works(5).await;
        assert_eq!(
            company.stage(&seat).await,
            DeviceStage::Proved,
            "{device:?} {lie:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_learns_from_a_push_who_has_a_device() {
    let company = Company::new().await;
    let stranger = put(&company.world, "c-7", &[]).await;
    let (_, seat) = company.sits_for(&stranger).await;
    company.asks(&seat).await;
    let standing = company
        .world
        .gate
        .device_standing(&seat, "push")
        .await
        .unwrap()
        .unwrap();
    company.works(0).await;
    company.works(30).await;
    // Nobody was asked, and it looks as if somebody did not answer.
    assert!(company.provider.pushes().is_empty());
    assert_eq!(company.stage(&seat).await, DeviceStage::Waiting);
    assert!(!standing.message.is_empty());
    company.works(200).await;
    assert_eq!(company.stage(&seat).await, DeviceStage::RanOut);
    // The same for somebody the provider does not know.
    company.provider.knows_nobody();
    let (_, seat) = company.sits().await;
    company.asks(&seat).await;
    company.works(0).await;
    company.works(30).await;
    assert_eq!(company.stage(&seat).await, DeviceStage::Waiting);
    assert_eq!(company.polls(), 0);
    company.works(200).await;
    assert_eq!(company.stage(&seat).await, DeviceStage::RanOut);
    // No more than five in one case: nobody wears a customer down until they press yes.
    for _ in 0..4 {
        company.asks(&seat).await;
        company.works(200).await;
    }
    assert_eq!(
        company
            .world
            .gate
            .ask_device(&seat, "push")
            .await
            .unwrap_err()
            .code(),
        "no-more-codes"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_counts_on_the_page_it_was_asked_from() {
    let company = Company::new().await;
    let (case, seat) = company.sits().await;
    company.provider.device(Device::Yes, &signe());
    company.asks(&seat).await;
    let elsewhere = company.world.sit(&company.maja, &case).await;
    assert!(
        company
            .world
            .gate
            .device_standing(&elsewhere, "push")
            .await
            .unwrap()
            .is_none()
    );
    company.works(0).await;
    company.world.gate.end_seat(seat.clone()).await.unwrap();
    company.works(5).await;
    assert_eq!(company.stage(&seat).await, DeviceStage::Failed);
    assert!(
        !company
            .world
            .gate
            .seat_view(&elsewhere)
            .await
            .unwrap()
            .may_confirm
    );
}

// Staff.

struct Staff {
    world: World,
    provider: Provider,
}

impl Staff {
    async fn new(create: bool, staff: Vec<NewAccount>) -> Self {
        let world = World::new().await;
        let provider = Provider::start(world.clock.clone()).await;
        let group = |name: &str, roles: &[&str], console: &[ConsoleRole]| Group {
            name: name.to_owned(),
            roles: roles.iter().map(|role| (*role).to_owned()).collect(),
            console: console.to_vec(),
        };
        let login = StaffLogin {
            name: "Acme".to_owned(),
            provider: provider.settings(),
            scope: "openid profile email".to_owned(),
            groups_claim: "groups".to_owned(),
            groups: vec![
                group("support", &["agent"], &[]),
                group("support-leads", &["senior"], &[]),
                group("audit", &[], &[ConsoleRole::Auditor]),
            ],
            create,
        };
        let world = world
            .reborn(|settings| {
                settings.staff_login = Some(login);
                settings.staff.extend(staff);
            })
            .await;
        Self { world, provider }
    }

    async fn signs_in(&self, person: &Person) -> Result<Colleague, StaffError> {
        let gate = &self.world.gate;
        let begun = gate.begin_company_sign_in("/desk", false).await?;
        let answer = self.provider.signs_in(&begun.url, person);
        assert!(
            gate.keep_company_sign_in(begun.browser.expose(), &answer)
                .await
                .unwrap()
        );
        let (session, next) = gate.finish_company_sign_in(begun.browser.expose()).await?;
        assert_eq!(next, "/desk");
        let staff = gate.staff_session(session.expose()).await.unwrap().unwrap();
        Ok(World::in_session(staff, session))
    }
}

fn nils(groups: &[&str]) -> Person {
    Person::new("248289761001")
        .says("name", json!("Nils Ek"))
        .says("email", json!("nils@acme.example"))
        .says("groups", json!(groups))
}

fn account(account: &str, person: &str, subject: Option<&str>) -> NewAccount {
    NewAccount {
        account: account.to_owned(),
        person: person.to_owned(),
        name: "Nils Ek".to_owned(),
        email: "nils.ek@acme.example".to_owned(),
        roles: vec!["agent".to_owned()],
        console: Vec::new(),
        concerned: Vec::new(),
        subject: subject.map(str::to_owned),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_are_roles_and_one_that_is_gone_is_gone() {
    let staff = Staff::new(true, Vec::new()).await;
    let first = staff
        .signs_in(&nils(&["support", "juggling"]))
        .await
        .unwrap();
    assert_eq!(first.staff.roles(), ["agent"]);
    assert_eq!(first.staff.name(), "Nils Ek");
    let more = staff
        .signs_in(&nils(&["support", "support-leads", "audit"]))
        .await
        .unwrap();
    assert_eq!(more.staff.account(), first.staff.account());
    assert_eq!(more.staff.roles(), ["agent", "senior"]);
    assert!(more.staff.has(ConsoleRole::Auditor) && !more.staff.has(ConsoleRole::Admin));
    staff.signs_in(&nils(&["support"])).await.unwrap();
    // In every session, not only in the newest.
    let seen = more.again(&staff.world).await.unwrap();
    assert_eq!(seen.roles(), ["agent"]);
    assert!(!seen.has(ConsoleRole::Auditor));
    // Nobody's group is nobody's role, and ends what is open.
    staff.world.pass(Duration::from_secs(1));
    assert_eq!(
        staff
            .signs_in(&nils(&["juggling"]))
            .await
            .err()
            .unwrap()
            .code(),
        "no-account-here"
    );
    assert!(more.again(&staff.world).await.is_none());
    // Where the token leaves groups out, userinfo says them, about the same person alone.
    let told = Person::new("248289761001").tells_userinfo("groups", json!(["support-leads"]));
    assert_eq!(
        staff.signs_in(&told).await.unwrap().staff.roles(),
        ["senior"]
    );
    staff.provider.lies(Lie::InfoOfSomebodyElse);
    assert_eq!(
        staff.signs_in(&told).await.err().unwrap().code(),
        "login-not-accepted"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_made_or_matched_by_an_email_address() {
    let staff = Staff::new(false, Vec::new()).await;
    assert_eq!(
        staff
            .signs_in(&nils(&["support"]))
            .await
            .err()
            .unwrap()
            .code(),
        "no-account-here"
    );
    let staff = Staff::new(true, Vec::new()).await;
    // Petra's address, from somebody else's mouth: neither her account nor a second one.
    let petra = nils(&["support-leads"]).says("email", json!(" Petra@acme.example"));
    assert_eq!(
        staff.signs_in(&petra).await.err().unwrap().code(),
        "no-account-here"
    );
    for nameless in [
        nils(&["support"]).says("email", json!("nobody")),
        nils(&["support"]).says("name", json!(" ")),
    ] {
        assert_eq!(
            staff.signs_in(&nameless).await.err().unwrap().code(),
            "no-account-here"
        );
    }
    assert!(staff.signs_in(&nils(&["support"])).await.is_ok());
    // Another subject is another person, and that person cannot have the first one's address.
    let other = Person {
        subject: "7".to_owned(),
        ..nils(&["support"])
    };
    assert_eq!(
        staff.signs_in(&other).await.err().unwrap().code(),
        "no-account-here"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_belongs_to_the_browser_that_began_it() {
    let staff = Staff::new(true, Vec::new()).await;
    let gate = &staff.world.gate;
    let mine = gate.begin_company_sign_in("/", false).await.unwrap();
    let theirs = gate.begin_company_sign_in("/", false).await.unwrap();
    // Mallory's answer in Nils's browser would sign Nils in as Mallory.
    let answer = staff.provider.signs_in(&theirs.url, &nils(&["support"]));
    assert!(
        !gate
            .keep_company_sign_in(mine.browser.expose(), &answer)
            .await
            .unwrap()
    );
    assert!(!gate.keep_company_sign_in("", &answer).await.unwrap());
    assert!(
        gate.company_sign_in_back(mine.browser.expose())
            .await
            .unwrap()
            .is_none()
    );
    assert_eq!(
        gate.finish_company_sign_in(mine.browser.expose())
            .await
            .unwrap_err()
            .code(),
        "login-over"
    );
    // Once.
    assert!(
        gate.keep_company_sign_in(theirs.browser.expose(), &answer)
            .await
            .unwrap()
    );
    gate.finish_company_sign_in(theirs.browser.expose())
        .await
        .unwrap();
    assert_eq!(
        gate.finish_company_sign_in(theirs.browser.expose())
            .await
            .unwrap_err()
            .code(),
        "login-over"
    );
    // What a customer's proof refuses is refused here too.
    for lie in [
        Lie::WrongNonce,
        Lie::WrongAudience,
        Lie::ForeignParty,
        Lie::NoAlgorithm,
        Lie::HmacUnderPublicKey,
        Lie::BrokenSignature,
        Lie::OtherIssuer,
        Lie::RanOut,
        Lie::OtherKey,
    ] {
        staff.provider.lies(lie);
        assert_eq!(
            staff
                .signs_in(&nils(&["support"]))
                .await
                .err()
                .unwrap()
                .code(),
            "login-not-accepted",
            "{lie:?}"
        );
    }
    staff.provider.lies(Lie::Fails);
    assert_eq!(
        staff
            .signs_in(&nils(&["support"]))
            .await
            .err()
            .unwrap()
            .code(),
        "company-unavailable"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_linked_account_is_one_person_on_every_way_in() {
    let linked = account("nils", "p-nils", Some("248289761001"));
    // The same human once more, as an administrator who knows it wrote down.
    let second = NewAccount {
        email: "nils2@acme.example".to_owned(),
        roles: vec!["senior".to_owned()],
        ..account("nils2", "p-nils", None)
    };
    let mut staff = Staff::new(true, vec![linked, second]).await;
    let customer = staff.world.signe().await;
    // The company decides who still works there: the passkey alone does not sign in.
    let (mut passkey, code) = staff.world.first_passkey("nils").await;
    assert_eq!(code, "sign-in-at-company");
    let mut nils = staff.signs_in(&nils(&["support-leads"])).await.unwrap();
    assert_eq!(nils.staff.account(), "nils");
    std::mem::swap(&mut nils.passkey, &mut passkey);
    let mut nils2 = staff.world.colleague("nils2").await;
    let mut idris = staff.world.colleague("idris").await;
    // B6: one's own case from the other account, or from the same.
    let opened = staff
        .world
        .open(&nils, &crate::world::reinstall(&customer))
        .await;
    let seat = staff.world.sit(&nils, &opened.case).await;
    staff.world.proves(&seat, "pin", "482913").await;
    staff
        .world
        .proves_mail_code(&seat, "signe@halden.example")
        .await;
    staff.world.confirms(&seat).await;
    for own in [&mut nils, &mut nils2] {
        let refused = staff.world.signs(own, &opened.case).await.unwrap_err();
        assert_eq!(refused.code(), "own-case", "{refused:?}");
    }
    // B14: what a person signed counts once, whichever account they sign from.
    staff.world.signs(&mut idris, &opened.case).await.unwrap();
    let mut idris2 = staff.world.colleague("idris2").await;
    assert!(staff.world.signs(&mut idris2, &opened.case).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn two_accounts_cannot_be_the_same_subject() {
    let staff = Staff::new(true, Vec::new()).await;
    staff.signs_in(&nils(&["support"])).await.unwrap();
    let linked = account("nils", "p-nils", Some("248289761001"));
    let refused = staff
        .world
        .refuses_settings(|settings| settings.staff.push(linked))
        .await;
    assert!(
        refused.contains("account `nils`: this subject belongs to another account already"),
        "{refused}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_a_case_still_takes_a_passkey_and_the_first_takes_a_fresh_sign_in() {
    let mut staff = Staff::new(true, Vec::new()).await;
    let customer = staff.world.signe().await;
    let nils = staff.signs_in(&nils(&["support-leads"])).await.unwrap();
    let maja = staff.world.colleague("maja").await;
    let opened = staff
        .world
        .open(&maja, &crate::world::reinstall(&customer))
        .await;
    let seat = staff.world.sit(&maja, &opened.case).await;
    staff.world.proves(&seat, "pin", "482913").await;
    staff
        .world
        .proves_mail_code(&seat, "signe@halden.example")
        .await;
    staff.world.confirms(&seat).await;
    let gate = &staff.world.gate;
    let refused = gate
        .start_sign_off(&nils.staff, &opened.case)
        .await
        .unwrap_err();
    assert_eq!(refused.code(), "no-passkey");
    // Signed in a moment ago: the first passkey can be made. Later it cannot, and it is no way to a second.
    assert!(gate.start_passkey(&nils.staff).await.is_ok());
    staff.world.pass(Duration::from_secs(301));
    let later = nils.again(&staff.world).await.unwrap();
    assert_eq!(
        staff
            .world
            .gate
            .start_passkey(&later)
            .await
            .unwrap_err()
            .code(),
        "step-up"
    );
}
