//! Proofs by the company's own checker: asked once, answered once, believed about one question and nothing else.

use std::time::Duration;

use countersign_cases::{CaseId, CustomerId, Timestamp};
use countersign_service::{
    CheckedBy, CheckerAnswerError, CheckerStage, CustomerPut, CustomerSeat, Gate, HeldPut,
    OpenRequest, adapters::clock::Clock as _, adapters::webhooks::WebhookHeaders, verify_receipt,
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::{
    checker::{Checker, Says},
    world::{Colleague, ORIGIN, World, halden, reinstall},
};

const PROCEDURE: &str = include_str!("checked.procedure");
const DOOR: &str = "whsec_ZG9vcmRvb3Jkb29yZG9vcmRvb3Jkb29yZG9vcmRvb3I=";
const INVOICE: &str = "whsec_aW52b2ljZWludm9pY2VpbnZvaWNlaW52b2ljZWludm8=";

struct Company {
    world: World,
    door: Checker,
    invoice: Checker,
    maja: Colleague,
}

impl Company {
    async fn new() -> Self {
        let world = World::new().await;
        let door = Checker::start(DOOR, world.clock.clone()).await;
        let invoice = Checker::start(INVOICE, world.clock.clone()).await;
        let world = world
            .reborn(|settings| {
                PROCEDURE.clone_into(&mut settings.procedure);
                settings.checkers = vec![door.settings("door"), invoice.settings("invoice")];
            })
            .await;
        let maja = world.colleague("maja").await;
        let company = Self {
            world,
            door,
            invoice,
            maja,
        };
        company.put("c-1042", &["badge", "invoice"]).await;
        company
    }

    async fn put(&self, id: &str, held: &[&str]) {
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
        let panel = self.world.machine("panel");
        let id = CustomerId(id.to_owned());
        self.world
            .gate
            .put_customer(&panel, &id, &put)
            .await
            .unwrap();
    }

    async fn sits(&self, customer: &str) -> (CaseId, CustomerSeat) {
        let request = OpenRequest {
            reference: None,
            ..reinstall(&CustomerId(customer.to_owned()))
        };
        let opened = self.world.open(&self.maja, &request).await;
        let seat = self.world.sit(&self.maja, &opened.case).await;
        (opened.case, seat)
    }

    /// Asks, and the worker puts the question.
    async fn asks(&self, seat: &CustomerSeat) -> Value {
        self.world.gate.ask_checker(seat, "door").await.unwrap();
        self.works(0).await;
        self.door.asked().last().cloned().unwrap_or_default()
    }

    async fn works(&self, seconds: u64) {
        self.world.pass(Duration::from_secs(seconds));
        self.world.gate.settle().await.unwrap();
    }

    async fn stage(&self, seat: &CustomerSeat) -> Option<CheckerStage> {
        let standing = self.world.gate.checker_standing(seat, "door").await;
        standing.unwrap().map(|standing| standing.stage)
    }

    fn now(&self) -> Timestamp {
        self.world.clock.now()
    }

    /// A message of the door's checker.
    fn message(&self, id: &str, question: &Value, result: &str) -> (WebhookHeaders, Vec<u8>) {
        let body = json!({ "question": question["question"], "result": result }).to_string();
        let headers = self.door.signs(id, self.now(), body.as_bytes());
        (headers, body.into_bytes())
    }

    async fn answers(
        &self,
        gate: &Gate,
        id: &str,
        question: &Value,
        result: &str,
    ) -> Result<(), CheckerAnswerError> {
        let (headers, body) = self.message(id, question, result);
        let name = question["question"].as_str().unwrap();
        gate.checker_answered(name, &headers, &body).await
    }

    /// Everything that anybody could notice a change by.
    async fn tally(&self, customer: &str) -> (u64, usize) {
        let wrong = self.wrong_answers(customer).await.len();
        (self.world.gate.position(), wrong)
    }

    async fn wrong_answers(&self, customer: &str) -> Vec<Value> {
        let stored = self.world.journal.follow(0, usize::MAX).await.unwrap();
        let wrong = stored
            .into_iter()
            .filter(|event| event.kind == "customer.wrong_answer")
            .filter(|event| event.stream.0.contains(customer));
        wrong
            .map(|event| serde_json::from_str::<Value>(&event.data).unwrap()["data"].clone())
            .collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checker_that_answers_later_proves_what_it_was_asked_about() {
    let company = Company::new().await;
    let gate = &company.world.gate;
    let (case, seat) = company.sits("c-1042").await;
    gate.ask_checker(&seat, "door").await.unwrap();
    // The page answers before anybody is asked.
    assert!(company.door.asked().is_empty());
    assert_eq!(company.stage(&seat).await, Some(CheckerStage::Waiting));
    company.works(0).await;
    let asked = company.door.asked();
    assert_eq!(asked.len(), 1);
    let question = &asked[0];
    let name = question["question"].as_str().unwrap();
    let digest = company.world.digest(&seat).await;
    assert_eq!(
        question,
        &json!({
            "question": name, "case": case.0, "customer": "c-1042", "proof": "door",
            "sentence": "Erase everything on web-3 and install debian-13",
            "digest": digest, "until_ms": company.now().0 + 300_000,
            "answer_to": format!("{ORIGIN}/v1/questions/{name}"),
        })
    );
    // While one waits there is no second, and another browser of the same case knows nothing of it.
    let again = gate.ask_checker(&seat, "door").await.unwrap_err();
    assert_eq!(again.code(), "code-too-soon");
    let elsewhere = company.world.sit(&company.maja, &case).await;
    assert_eq!(company.stage(&elsewhere).await, None);

    // The gate is started again meanwhile; the question outlives it.
    let next = company.world.another_gate(99).await;
    company.world.pass(Duration::from_secs(200));
    company
        .answers(&next, "msg_1", question, "proved")
        .await
        .unwrap();
    assert_eq!(company.stage(&seat).await, Some(CheckerStage::Proved));
    let after = company.tally("c-1042").await;
    // The same message again is taken again, and nothing more happens.
    let (headers, body) = company.message("msg_1", question, "proved");
    for _ in 0..3 {
        next.checker_answered(name, &headers, &body).await.unwrap();
    }
    company.works(1_000).await;
    assert_eq!(company.tally("c-1042").await, after);
    assert_eq!(company.door.asked().len(), 1);
    assert_eq!(company.door.refused(), 0);

    company.world.confirms(&seat).await;
    gate.run(&company.maja.staff, &case).await.unwrap();
    company.works(0).await;
    assert_eq!(company.world.state(&company.maja, &case).await, "done");
    let receipt = gate
        .receipt_for_staff(&company.maja.staff, &case)
        .await
        .unwrap();
    let log = company.world.signer.verifier();
    let verified = verify_receipt(&receipt.to_json().unwrap(), log).unwrap();
    let [shown]: [CheckedBy; 1] = verified.checked_by.try_into().unwrap();
    assert_eq!(
        (shown.checker.as_str(), shown.id.as_str()),
        ("door", "msg_1")
    );
    assert_eq!(shown.body.0, <[u8; 32]>::from(Sha256::digest(&body)));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_at_once_counts_as_much() {
    let company = Company::new().await;
    let (case, seat) = company.sits("c-1042").await;
    company.door.says(Says::Now("refused"));
    company.asks(&seat).await;
    assert_eq!(company.stage(&seat).await, Some(CheckerStage::Refused));
    let wrong = company.wrong_answers("c-1042").await;
    assert_eq!(wrong.len(), 1);
    let question = company.door.asked()[0].clone();
    assert_eq!(wrong[0]["left"], 4);
    assert_eq!(wrong[0]["checked"]["checker"], "door");
    assert_eq!(wrong[0]["checked"]["result"], "refused");
    assert_eq!(wrong[0]["checked"]["id"], question["question"]);
    let said = json!({ "question": question["question"], "result": "refused" }).to_string();
    let body = countersign_cases::Digest(Sha256::digest(said).into());
    assert_eq!(wrong[0]["checked"]["body"], json!(body));

    company.works(60).await;
    company.door.says(Says::Now("proved"));
    company.asks(&seat).await;
    assert_eq!(company.stage(&seat).await, Some(CheckerStage::Proved));
    company.world.confirms(&seat).await;
    assert_eq!(company.world.state(&company.maja, &case).await, "ready");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_whole_answer_is_none_and_counts_for_nothing() {
    let company = Company::new().await;
    let redirect = format!("location: {}\r\n", company.invoice.url);
    let raw = |status, body: &str| Says::Raw(status, String::new(), body.to_owned());
    for says in [
        Says::ForAnother,
        Says::HangsUp,
        Says::Raw(307, redirect.clone(), String::new()),
        Says::Raw(302, redirect, r#"{"result":"proved"}"#.to_owned()),
        raw(200, ""),
        raw(200, r#"{"result":"proved"}"#),
        raw(200, "proved"),
        raw(201, r#"{"result":"proved"}"#),
        raw(204, ""),
        raw(404, ""),
        raw(500, ""),
        raw(503, r#"{"result":"proved"}"#),
        raw(
            200,
            &format!("{{\"result\":\"proved\"{}}}", " ".repeat(70_000)),
        ),
    ] {
        let (case, seat) = company.sits("c-1042").await;
        company.door.says(says.clone());
        company.asks(&seat).await;
        assert_eq!(
            company.stage(&seat).await,
            Some(CheckerStage::Failed),
            "{says:?}"
        );
        let asked = company.door.asked().len();
        company.works(400).await;
        assert_eq!(company.door.asked().len(), asked, "asked once: {says:?}");
        // An answer that comes now is too late: the customer was told that there is none.
        let question = company.door.asked().last().cloned().unwrap();
        let late = company
            .answers(&company.world.gate, "msg_late", &question, "proved")
            .await;
        assert_eq!(late, Err(CheckerAnswerError::Over), "{says:?}");
        let gate = &company.world.gate;
        gate.withdraw(&company.maja.staff, &case).await.unwrap();
    }
    assert!(company.wrong_answers("c-1042").await.is_empty());
    assert!(company.invoice.asked().is_empty());
    assert_eq!(company.invoice.refused(), 0, "no redirect was followed");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_other_message_is_refused_and_changes_nothing() {
    let company = Company::new().await;
    let gate = &company.world.gate;
    let (case, seat) = company.sits("c-1042").await;
    let question = company.asks(&seat).await;
    let name = question["question"].as_str().unwrap();
    company.put("c-7", &["badge"]).await;
    let (_, other_seat) = company.sits("c-7").await;
    let other = company.asks(&other_seat).await;
    let other_name = other["question"].as_str().unwrap();
    let before = (company.tally("c-1042").await, company.tally("c-7").await);
    let (good, body) = company.message("msg_1", &question, "proved");
    let refused = async |what: &str, name: &str, headers: &WebhookHeaders, body: &[u8]| {
        let said = gate.checker_answered(name, headers, body).await;
        said.expect_err(what)
    };

    // Without a good signature one learns nothing, not even whether there is such a question.
    let unsigned = WebhookHeaders {
        id: String::new(),
        timestamp: String::new(),
        signature: String::new(),
    };
    let foreign = Checker::start(
        "whsec_Zm9yZWlnbmZvcmVpZ25mb3JlaWduZm9yZWlnbmZvcmU=",
        company.world.clock.clone(),
    )
    .await;
    let old = Timestamp(company.now().0 - 301_000);
    let early = Timestamp(company.now().0 + 301_000);
    let mut changed = body.clone();
    changed.push(b' ');
    let refusing = String::from_utf8(body.clone())
        .unwrap()
        .replace("proved", "refused");
    let renamed = WebhookHeaders {
        id: "msg_2".to_owned(),
        ..good.clone()
    };
    for (what, headers, body) in [
        ("nothing", &unsigned, &body),
        (
            "another secret",
            &foreign.signs("msg_1", company.now(), &body),
            &body,
        ),
        ("too old", &company.door.signs("msg_1", old, &body), &body),
        (
            "from the future",
            &company.door.signs("msg_1", early, &body),
            &body,
        ),
        ("another body", &good, &changed),
        ("another result", &good, &refusing.into_bytes()),
        ("another id", &renamed, &body),
    ] {
        for name in [name, other_name, "q_never_was"] {
            assert_eq!(
                refused(what, name, headers, body).await,
                CheckerAnswerError::NotSigned,
                "{what}"
            );
        }
    }

    // Signed, and not for this: one and the same answer.
    let unknown = json!({ "question": "q_never_was" });
    let (headers, made_up) = company.message("msg_3", &unknown, "proved");
    let invoice = company.invoice.signs("msg_4", company.now(), &body);
    for (what, name, headers, body) in [
        (
            "one customer's answer for another",
            other_name,
            &good,
            &body,
        ),
        ("no such question", "q_never_was", &headers, &made_up),
        ("another checker's", name, &invoice, &body),
    ] {
        assert_eq!(
            refused(what, name, headers, body).await,
            CheckerAnswerError::Over,
            "{what}"
        );
    }
    for odd in [
        "",
        "{}",
        "true",
        r#"{"question":"q","result":"maybe"}"#,
        r#"{"question":"q","result":"proved","by":"maja"}"#,
    ] {
        let headers = company.door.signs("msg_5", company.now(), odd.as_bytes());
        assert_eq!(
            refused(odd, name, &headers, odd.as_bytes()).await,
            CheckerAnswerError::Malformed
        );
    }
    assert_eq!(
        (company.tally("c-1042").await, company.tally("c-7").await,),
        before
    );

    // A message that counted for one question counts for no other, though somebody signed its id again.
    company
        .answers(gate, "msg_6", &question, "refused")
        .await
        .unwrap();
    let reused = company.answers(gate, "msg_6", &other, "proved").await;
    assert_eq!(reused, Err(CheckerAnswerError::Over));
    assert_eq!(
        company.stage(&other_seat).await,
        Some(CheckerStage::Waiting)
    );
    // No change of mind.
    for (id, result) in [
        ("msg_6", "proved"),
        ("msg_7", "proved"),
        ("msg_7", "refused"),
    ] {
        let again = company.answers(gate, id, &question, result).await;
        assert_eq!(again, Err(CheckerAnswerError::Over), "{id} {result}");
    }
    assert_eq!(company.wrong_answers("c-1042").await.len(), 1);

    // Late, and of a case that is over.
    company.works(301).await;
    assert_eq!(company.stage(&other_seat).await, Some(CheckerStage::RanOut));
    let late = company.answers(gate, "msg_8", &other, "proved").await;
    assert_eq!(late, Err(CheckerAnswerError::Over));
    let question = company.asks(&seat).await;
    gate.withdraw(&company.maja.staff, &case).await.unwrap();
    let ended = company.answers(gate, "msg_9", &question, "proved").await;
    assert_eq!(ended, Err(CheckerAnswerError::Over));
    assert!(
        gate.seat_view(&other_seat)
            .await
            .unwrap()
            .ways
            .iter()
            .all(|way| way.standing == countersign_service::WayStanding::Open),
        "nothing was proved by any of it"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_answer_at_the_same_moment_is_one_event() {
    let company = Company::new().await;
    let (_, seat) = company.sits("c-1042").await;
    let question = company.asks(&seat).await;
    let name = question["question"].as_str().unwrap();
    let (headers, body) = company.message("msg_1", &question, "refused");
    let gate = &company.world.gate;
    let next = company.world.another_gate(98).await;
    let answers = tokio::join!(
        gate.checker_answered(name, &headers, &body),
        next.checker_answered(name, &headers, &body),
        gate.checker_answered(name, &headers, &body),
    );
    assert_eq!(answers, (Ok(()), Ok(()), Ok(())));
    let wrong = company.wrong_answers("c-1042").await;
    assert_eq!(wrong.len(), 1);
    // The tries that were taken meanwhile came back: one is gone.
    company.works(60).await;
    let question = company.asks(&seat).await;
    company
        .answers(gate, "msg_2", &question, "refused")
        .await
        .unwrap();
    assert_eq!(company.wrong_answers("c-1042").await[1]["left"], 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_lock_the_way_as_wrong_answers_do() {
    let company = Company::new().await;
    let (case, seat) = company.sits("c-1042").await;
    company.door.says(Says::Now("refused"));
    for left in (0..5).rev() {
        company.asks(&seat).await;
        let wrong = company.wrong_answers("c-1042").await;
        assert_eq!(wrong.last().unwrap()["left"], left);
        company.works(60).await;
    }
    let gate = &company.world.gate;
    gate.withdraw(&company.maja.staff, &case).await.unwrap();
    let asked = company.door.asked().len();
    assert_eq!(asked, 5);
    // Another case: the page goes on as ever, nobody is asked, and it runs out.
    let (_, seat) = company.sits("c-1042").await;
    company.door.says(Says::Now("proved"));
    company.asks(&seat).await;
    assert_eq!(company.stage(&seat).await, Some(CheckerStage::Waiting));
    assert_eq!(company.door.asked().len(), asked);
    company.works(301).await;
    assert_eq!(company.stage(&seat).await, Some(CheckerStage::RanOut));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_nothing_to_check_waits_like_everybody_and_nobody_is_asked() {
    let company = Company::new().await;
    company.put("c-7", &["invoice"]).await;
    let (_, has) = company.sits("c-1042").await;
    let (_, has_not) = company.sits("c-7").await;
    company.asks(&has).await;
    company.asks(&has_not).await;
    let gate = &company.world.gate;
    let standing = async |seat| gate.checker_standing(seat, "door").await.unwrap();
    assert_eq!(standing(&has).await, standing(&has_not).await);
    let asked = company.door.asked();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0]["customer"], "c-1042");
    company.works(301).await;
    assert_eq!(standing(&has).await, standing(&has_not).await);
    assert_eq!(company.stage(&has).await, Some(CheckerStage::RanOut));
    assert!(company.wrong_answers("c-1042").await.is_empty());
}

#[tokio::test]
async fn a_procedure_that_asks_nobody_is_refused_at_the_start() {
    let world = World::new().await;
    let said = world
        .refuses_settings(|settings| PROCEDURE.clone_into(&mut settings.procedure))
        .await;
    assert_eq!(
        said,
        "proof `door` is made by your own checker, and there is none: add a section `[checkers.door]`"
    );
}
