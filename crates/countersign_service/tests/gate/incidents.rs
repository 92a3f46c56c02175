//! Something went wrong anyway: from an alarm or a case to letters, a signed statement, and a promise that closes it.

use countersign_cases::{CustomerId, Timestamp};
use countersign_service::{
    AlarmStanding, Confirmed, ContactPut, CustomerPut, IncidentChange, IncidentError, Language,
    NewAlarm, NewIncident, Phase, Reason, ScopeWish, Standing, SubscriptionError, TaskState, Texts,
    ThenStood, UNCOVERED,
};

use crate::world::{Colleague, MONDAY, ORIGIN, PROCEDURE, World, halden, reinstall};

fn uncovered(world: &World, customer: Option<&CustomerId>, mark: &str) -> NewAlarm {
    NewAlarm {
        kind: UNCOVERED.to_owned(),
        at: Timestamp(world.clock_now().0 - 600_000),
        action: "server.reinstall".to_owned(),
        customer: customer.cloned(),
        connector: Some("panel".to_owned()),
        detail: "the panel's own log names no grant".to_owned(),
        mark: mark.to_owned(),
    }
}

impl World {
    fn clock_now(&self) -> Timestamp {
        self.gate.now()
    }

    async fn raises(&self, customer: Option<&CustomerId>, mark: &str) -> String {
        let alarm = uncovered(self, customer, mark);
        let ids = self.gate.raise_alarms("reconcile", &[alarm]).await.unwrap();
        ids[0].clone()
    }

    async fn opens(&self, by: &Colleague) -> String {
        let new = new("Servers erased without a case");
        self.gate.open_incident(&by.staff, &new).await.unwrap()
    }

    async fn changes(
        &self,
        by: &Colleague,
        incident: &str,
        change: IncidentChange,
    ) -> Result<(), IncidentError> {
        self.gate.change(&by.staff, incident, &change).await
    }

    async fn marks(
        &self,
        by: &Colleague,
        incident: &str,
        customer: &CustomerId,
        standing: Standing,
    ) {
        let mark = IncidentChange::Mark {
            customer: customer.clone(),
            standing,
            reason: "their server answers with a fresh image".to_owned(),
        };
        self.changes(by, incident, mark).await.unwrap();
    }

    async fn drafts(&self, by: &Colleague, incident: &str, blog: &str) -> u32 {
        let revision = self.view(by, incident).await.incident.draft.revision;
        let draft = IncidentChange::Draft {
            texts: Texts {
                blog: blog.to_owned(),
                ..Texts::default()
            },
            revision,
        };
        self.changes(by, incident, draft).await.unwrap();
        revision + 1
    }

    async fn view(&self, by: &Colleague, incident: &str) -> countersign_service::IncidentView {
        self.gate.incident(&by.staff, incident).await.unwrap()
    }

    async fn publishes(&self, by: &mut Colleague, incident: &str) -> Result<u32, IncidentError> {
        let prompt = self.gate.start_publication(&by.staff, incident).await?;
        let response = by.passkey.get(&prompt.options, ORIGIN).unwrap();
        self.gate
            .finish_publication(&by.staff, incident, prompt.digest, &response)
            .await
    }

    /// The record is what the events amount to.
    async fn replays(&self, by: &Colleague, incident: &str) {
        let kept = self.view(by, incident).await.incident;
        assert_eq!(self.gate.replay_incident(incident).await.unwrap(), kept);
    }

    /// Another customer, on file for years like Signe.
    async fn lars(&self) -> CustomerId {
        let id = CustomerId("c-2077".to_owned());
        let panel = self.machine("panel");
        let put = CustomerPut {
            name: "Lars Ek".to_owned(),
            number: "50777".to_owned(),
            domains: vec!["ek.example".to_owned()],
            ..halden("lars@ek.example")
        };
        self.gate.put_customer(&panel, &id, &put).await.unwrap();
        id
    }
}

fn new(title: &str) -> NewIncident {
    NewIncident {
        title: title.to_owned(),
        case: None,
        alarm: None,
    }
}

fn update(phase: Phase, next_at: Option<Timestamp>) -> IncidentChange {
    IncidentChange::Update {
        headline: "Servers were erased without a request".to_owned(),
        phase,
        text: "We have shut the door it came through.".to_owned(),
        next_at,
    }
}

#[tokio::test]
async fn from_an_alarm_to_a_statement_that_a_second_person_signed() {
    let mut world = World::new().await;
    let signe = world.signe().await;
    let mut idris = world.colleague("idris").await;
    let mut petra = world.colleague("petra").await;
    let mut idris_again = world.colleague("idris2").await;

    // The same line of a log twice is one alarm.
    let alarm = world.raises(Some(&signe), "line 7").await;
    assert_eq!(world.raises(Some(&signe), "line 7").await, alarm);
    assert_eq!(world.gate.alarms(&idris.staff).await.unwrap().len(), 1);
    let from_alarm = NewIncident {
        alarm: Some(alarm.clone()),
        ..new("A server was erased without a case")
    };
    let id = world
        .gate
        .open_incident(&idris.staff, &from_alarm)
        .await
        .unwrap();
    let again = world.gate.open_incident(&petra.staff, &from_alarm).await;
    assert_eq!(again, Err(IncidentError::AlarmSettled));
    let alarms = world.gate.alarms(&petra.staff).await.unwrap();
    let standing = AlarmStanding::Incident {
        incident: id.clone(),
    };
    assert_eq!(alarms[0].standing, standing);

    // The timeline and who else fill themselves.
    let view = world.view(&petra, &id).await;
    assert!(
        view.timeline[0].text.contains("No case covers"),
        "{:?}",
        view.timeline
    );
    assert_eq!(view.timeline[0].source, "the log of panel");
    let touched = &view.touched.customers;
    assert_eq!(touched[0].customer.as_ref(), Some(&signe));
    assert_eq!(touched[0].reasons, [(Reason::Alarm, 1)]);
    world.marks(&idris, &id, &signe, Standing::Affected).await;
    world.marks(&idris, &id, &signe, Standing::Affected).await;
    let next = world.clock_now().plus_seconds(3_600);
    world
        .changes(&idris, &id, update(Phase::Looking, Some(next)))
        .await
        .unwrap();

    // What tells a wrong fact is not handed in.
    let revision = world
        .drafts(&idris, &id, "We erased the servers of three customers.")
        .await;
    let refused = world
        .gate
        .submit_statement(&idris.staff, &id, revision)
        .await;
    assert_eq!(refused, Err(IncidentError::Facts(1)));
    let told =
        "On {{began_at}} the server of {{customers_affected}} customer was erased. We are sorry.";
    let revision = world.drafts(&idris, &id, told).await;
    let stale = world
        .gate
        .submit_statement(&idris.staff, &id, revision - 1)
        .await;
    assert_eq!(stale, Err(IncidentError::Changed));
    world
        .gate
        .submit_statement(&idris.staff, &id, revision)
        .await
        .unwrap();

    // Nobody publishes their own words, from whichever account.
    assert_eq!(
        world.publishes(&mut idris, &id).await,
        Err(IncidentError::OwnStatement)
    );
    assert_eq!(
        world.publishes(&mut idris_again, &id).await,
        Err(IncidentError::OwnStatement)
    );
    assert_eq!(world.publishes(&mut petra, &id).await, Ok(1));
    assert_eq!(
        world.publishes(&mut petra, &id).await,
        Err(IncidentError::NothingSubmitted)
    );
    let public = world.gate.public_incident(&id).await.unwrap();
    assert!(
        public.statements[0]
            .text
            .contains("the server of 1 customer")
    );
    assert_eq!((public.statements.len(), public.updates.len()), (1, 1));

    // A correction is another version, written by somebody and signed by somebody else.
    let revision = world
        .drafts(
            &petra,
            &id,
            "The server of {{customers_affected}} customer was erased.",
        )
        .await;
    assert_eq!(world.gate.public_incident(&id).await.unwrap(), public);
    world
        .gate
        .submit_statement(&petra.staff, &id, revision)
        .await
        .unwrap();
    assert_eq!(
        world.publishes(&mut petra, &id).await,
        Err(IncidentError::OwnStatement)
    );
    assert_eq!(world.publishes(&mut idris, &id).await, Ok(2));
    let corrected = world.gate.public_incident(&id).await.unwrap();
    assert_eq!(corrected.statements[1], public.statements[0]);
    assert_eq!(corrected.statements[0].version, 2);
    world.replays(&idris, &id).await;
}

#[tokio::test]
async fn what_was_read_is_what_is_signed_or_nothing_is() {
    let mut world = World::new().await;
    let signe = world.signe().await;
    let lars = world.lars().await;
    let idris = world.colleague("idris").await;
    let mut petra = world.colleague("petra").await;
    let id = world.opens(&idris).await;
    world.marks(&idris, &id, &signe, Standing::Affected).await;
    let revision = world
        .drafts(&idris, &id, "{{customers_affected}} customers")
        .await;
    world
        .gate
        .submit_statement(&idris.staff, &id, revision)
        .await
        .unwrap();
    let prompt = world
        .gate
        .start_publication(&petra.staff, &id)
        .await
        .unwrap();
    let response = petra.passkey.get(&prompt.options, ORIGIN).unwrap();

    // One more customer is found between reading and signing.
    world.marks(&idris, &id, &lars, Standing::Affected).await;
    let late = world
        .gate
        .finish_publication(&petra.staff, &id, prompt.digest, &response)
        .await;
    assert_eq!(late, Err(IncidentError::Changed));
    world
        .gate
        .submit_statement(&idris.staff, &id, revision)
        .await
        .unwrap();
    let other = world
        .gate
        .finish_publication(&petra.staff, &id, prompt.digest, &response)
        .await;
    assert_eq!(other, Err(IncidentError::Changed));
    let now = world
        .gate
        .start_publication(&petra.staff, &id)
        .await
        .unwrap();
    let wrong = world
        .gate
        .finish_publication(&petra.staff, &id, now.digest, &response)
        .await;
    assert_eq!(
        wrong,
        Err(IncidentError::NotAccepted),
        "an answer to another challenge"
    );
    // A draft that is saved again takes the submission back.
    world
        .drafts(
            &idris,
            &id,
            "{{customers_affected}} customers, we are sorry",
        )
        .await;
    assert_eq!(
        world.publishes(&mut petra, &id).await,
        Err(IncidentError::NothingSubmitted)
    );
    assert!(world.gate.public_incident(&id).await.is_err());
}

#[tokio::test]
async fn letters_go_to_the_affected_alone_at_their_old_addresses_and_once() {
    let mut world = World::new().await;
    let signe = world.signe().await;
    let lars = world.lars().await;
    world.attest_backups(&signe).await;
    let maja = world.colleague("maja").await;
    let idris = world.colleague("idris").await;
    let case = world.open(&maja, &reinstall(&signe)).await.case;
    let seat = world.sit(&maja, &case).await;
    world.proves(&seat, "password", "correct horse").await;
    world.proves(&seat, "app_code", &world.app_code()).await;
    world.confirms(&seat).await;
    world.gate.run(&maja.staff, &case).await.unwrap();
    world.gate.settle().await.unwrap();
    assert_eq!(world.state(&maja, &case).await, "done");

    // Afterwards the mailbox is changed: the letter goes where she was before.
    world.hours(1);
    let mut moved = halden("thief@elsewhere.example");
    moved.contacts.truncate(1);
    moved.contacts[0].since_ms = None;
    let panel = world.machine("panel");
    world
        .gate
        .put_customer(&panel, &signe, &moved)
        .await
        .unwrap();
    let from_case = NewIncident {
        case: Some(case.clone()),
        ..new("A server was erased for somebody else")
    };
    let id = world
        .gate
        .open_incident(&idris.staff, &from_case)
        .await
        .unwrap();
    world.raises(Some(&lars), "line 9").await;
    assert_eq!(
        world.gate.send_letters(&idris.staff, &id).await,
        Err(IncidentError::NobodyToWriteTo)
    );
    world.marks(&idris, &id, &signe, Standing::Affected).await;
    world.marks(&idris, &id, &lars, Standing::NotAffected).await;
    let previews = world.gate.letters(&idris.staff, &id).await.unwrap();
    assert_eq!(previews.len(), 1);
    assert!(previews[0].text.contains(&case.0) && !previews[0].text.contains("cs_link_"));
    world.gate.settle().await.unwrap();
    let before = world.mail.mails().len();
    assert_eq!(world.gate.send_letters(&idris.staff, &id).await, Ok(1));
    assert_eq!(
        world.gate.send_letters(&idris.staff, &id).await,
        Err(IncidentError::NobodyToWriteTo)
    );
    world.gate.settle().await.unwrap();
    let sent = world.mail.mails();
    let sent: Vec<_> = sent[before..].iter().collect();
    assert_eq!(sent.len(), 1, "one letter by mail");
    assert!(sent[0].is_to("signe@halden.example"));
    let text = sent[0].text();
    assert!(text.contains(&case.0), "{text}");
    assert!(!text.contains("Ek") && !text.contains("c-2077"), "{text}");
    // The link opens her receipt, and nothing of the case but that.
    let token = text
        .split("/c/")
        .nth(1)
        .unwrap()
        .split_whitespace()
        .next()
        .unwrap();
    let (_, seat) = world.gate.use_link(token).await.unwrap();
    let receipt = world.gate.receipt_for_seat(&seat).await.unwrap();
    assert_eq!(receipt.case, case);
    world.replays(&idris, &id).await;
}

#[tokio::test]
async fn who_else_is_found_by_path_agent_connector_and_time() {
    let mut world = World::new().await;
    let signe = world.signe().await;
    let lars = world.lars().await;
    let maja = world.colleague("maja").await;
    let tomas = world.colleague("tomas").await;
    let idris = world.colleague("idris").await;
    let halvar = world.colleague("halvar").await;
    world.open(&maja, &reinstall(&signe)).await;
    world.open(&tomas, &reinstall(&lars)).await;
    world
        .gate
        .look_up_customer(&maja.staff, &lars)
        .await
        .unwrap();
    let id = world.opens(&idris).await;
    let touched = async |wish: ScopeWish| -> Vec<(String, Vec<(Reason, u64)>)> {
        world
            .changes(&idris, &id, IncidentChange::Scope(wish))
            .await
            .unwrap();
        let view = world.view(&idris, &id).await;
        let rows = view.touched.customers.into_iter();
        rows.map(|row| (row.customer.unwrap().0, row.reasons))
            .collect()
    };
    let both = |reason: Reason| {
        vec![
            ("c-1042".to_owned(), vec![(reason, 1)]),
            ("c-2077".to_owned(), vec![(reason, 1)]),
        ]
    };
    let by_agent = touched(ScopeWish {
        agent: Some("maja".to_owned()),
        ..ScopeWish::default()
    })
    .await;
    assert_eq!(
        by_agent,
        both(Reason::Agent),
        "a case of one, a look-up of the other"
    );
    let by_tomas = touched(ScopeWish {
        agent: Some("tomas".to_owned()),
        ..ScopeWish::default()
    })
    .await;
    assert_eq!(by_tomas, [("c-2077".to_owned(), vec![(Reason::Agent, 1)])]);
    let by_action = ScopeWish {
        action: Some("server.reinstall".to_owned()),
        ..ScopeWish::default()
    };
    assert_eq!(touched(by_action).await, both(Reason::Path));
    let by_path = ScopeWish {
        action: Some("server.reinstall".to_owned()),
        path: Some("usual".to_owned()),
        ..ScopeWish::default()
    };
    assert_eq!(
        touched(by_path).await,
        [],
        "nobody came so far on that path"
    );
    assert_eq!(
        touched(ScopeWish {
            connector: Some("panel".to_owned()),
            ..ScopeWish::default()
        })
        .await,
        []
    );
    let at_the_time = ScopeWish {
        from: Some(MONDAY),
        to: Some(world.clock_now()),
        ..ScopeWish::default()
    };
    assert_eq!(touched(at_the_time).await, both(Reason::Window));
    let about = ScopeWish {
        customer: Some(lars.clone()),
        ..ScopeWish::default()
    };
    assert_eq!(
        touched(about).await,
        [("c-2077".to_owned(), vec![(Reason::Customer, 1)])]
    );

    // Whoever is tied to a customer neither sees nor marks them.
    let at_the_time = ScopeWish {
        from: Some(MONDAY),
        to: Some(world.clock_now()),
        ..ScopeWish::default()
    };
    touched(at_the_time).await;
    let view = world.view(&halvar, &id).await;
    assert_eq!((view.touched.customers.len(), view.touched.hidden), (1, 1));
    assert!(
        view.timeline
            .iter()
            .all(|line| !line.text.contains("web-3"))
    );
    let mark = IncidentChange::Mark {
        customer: signe,
        standing: Standing::NotAffected,
        reason: "nothing of theirs was touched".to_owned(),
    };
    assert_eq!(
        world.changes(&halvar, &id, mark).await,
        Err(IncidentError::UnknownCustomer)
    );
}

#[tokio::test]
async fn it_is_closed_by_a_promise_that_is_new_or_by_somebody_elses_signature() {
    let mut world = World::new().await;
    let mut idris = world.colleague("idris").await;
    let mut petra = world.colleague("petra").await;
    let id = world.opens(&idris).await;
    world.hours(1);
    assert_eq!(
        world.gate.promises_for(&idris.staff, &id).await.unwrap(),
        [],
        "this procedure promises nothing"
    );

    // The reading of an address now asks for a passkey, and somebody promises that no thief of a PIN gets it.
    let mended = PROCEDURE.replacen(
        "    prove pin\n    at most 1 per 24h per staff",
        "    prove passkey\n    at most 1 per 24h per staff",
        1,
    ) + "\npromise \"A stolen PIN reads out nothing\" {\n  even if pin stolen and any agent deceived # } a brace\n  never note.read\n}\n\
        promise \"A stolen card number reads out nothing\" {\n  even if card_last4 stolen\n  never note.read\n}\n";
    assert!(mended.contains("prove passkey\n    at most"));
    world.restarts_with(&mended).await;
    let prompt = world
        .gate
        .start_procedure_sign_off(&petra.staff)
        .await
        .unwrap();
    let response = petra.passkey.get(&prompt.options, ORIGIN).unwrap();
    world
        .gate
        .finish_procedure_sign_off(&petra.staff, &prompt.digest.to_string(), &response)
        .await
        .unwrap();
    let promises = world.gate.promises_for(&idris.staff, &id).await.unwrap();
    let new = promises
        .iter()
        .find(|one| one.promise.contains("stolen PIN"))
        .unwrap();
    assert_eq!((new.kept, new.then), (true, Some(ThenStood::Broken)));
    // What held all along is not what went wrong.
    let held = promises
        .iter()
        .find(|one| one.promise.contains("card number"))
        .unwrap();
    assert_eq!((held.kept, held.then), (true, None));
    let refused = world
        .gate
        .close_by_promise(&idris.staff, &id, &held.promise)
        .await;
    assert_eq!(refused, Err(IncidentError::PromiseNotNew));
    let unknown = world
        .gate
        .close_by_promise(&idris.staff, &id, "All is well")
        .await;
    assert_eq!(unknown, Err(IncidentError::UnknownPromise));
    world
        .gate
        .close_by_promise(&idris.staff, &id, &new.promise)
        .await
        .unwrap();
    let twice = world
        .gate
        .close_by_promise(&petra.staff, &id, &new.promise)
        .await;
    assert_eq!(twice, Err(IncidentError::Closed));
    let late = world.changes(&idris, &id, update(Phase::Over, None)).await;
    assert_eq!(late, Err(IncidentError::Closed));

    // Another one: its opener does not sign, a colleague does, for this reason and no other.
    let other = world.opens(&idris).await;
    let why = "the old door of the panel was shut, and the gate never had it";
    let own = world.gate.start_closing(&idris.staff, &other, why).await;
    assert_eq!(own.unwrap_err(), IncidentError::OwnIncident);
    let prompt = world
        .gate
        .start_closing(&petra.staff, &other, why)
        .await
        .unwrap();
    let response = petra.passkey.get(&prompt.options, ORIGIN).unwrap();
    let changed = world
        .gate
        .finish_closing(
            &petra.staff,
            &other,
            "some other reason altogether",
            &response,
        )
        .await;
    assert_eq!(changed, Err(IncidentError::NotAccepted));
    let own = world
        .gate
        .finish_closing(&idris.staff, &other, why, &response)
        .await;
    assert_eq!(own, Err(IncidentError::OwnIncident));
    let forged = idris.passkey.get(&prompt.options, ORIGIN);
    assert!(forged.is_err(), "his authenticator has no such credential");
    world
        .gate
        .finish_closing(&petra.staff, &other, why, &response)
        .await
        .unwrap();
    world.replays(&idris, &other).await;
    assert!(world.view(&idris, &other).await.incident.closed.is_some());
}

#[tokio::test]
async fn who_may_not_does_nothing_and_what_is_wrong_is_said() {
    let mut world = World::new().await;
    let signe = world.signe().await;
    let idris = world.colleague("idris").await;
    let vera = world.colleague("vera").await;
    let id = world.opens(&idris).await;
    world.gate.incident(&vera.staff, &id).await.unwrap();
    assert!(!world.view(&vera, &id).await.can.edit.can);
    let alarm = world.raises(None, "line 1").await;
    for account in ["maja", "root", "vera"] {
        let by = world.colleague(account).await;
        let refused = [
            world
                .gate
                .open_incident(&by.staff, &new("anything"))
                .await
                .err(),
            world
                .changes(&by, &id, update(Phase::Over, None))
                .await
                .err(),
            world.gate.submit_statement(&by.staff, &id, 0).await.err(),
            world.gate.start_publication(&by.staff, &id).await.err(),
            world.gate.send_letters(&by.staff, &id).await.err(),
            world.gate.close_by_promise(&by.staff, &id, "x").await.err(),
            world
                .gate
                .start_closing(&by.staff, &id, "no reason at all")
                .await
                .err(),
            world
                .gate
                .settle_alarm(&by.staff, &alarm, "it was nothing at all")
                .await
                .err(),
        ];
        for error in refused {
            assert_eq!(error.unwrap().code(), "not-allowed", "{account}");
        }
        if account != "vera" {
            assert!(world.gate.incident(&by.staff, &id).await.is_err());
            assert!(world.gate.incidents(&by.staff).await.is_err());
            assert!(world.gate.alarms(&by.staff).await.is_err());
            assert!(world.gate.letters(&by.staff, &id).await.is_err());
        }
    }
    let now = world.clock_now();
    let line = |when: Timestamp, text: &str| IncidentChange::Line {
        when,
        text: text.to_owned(),
        source: "the call".to_owned(),
    };
    let task = |text: &str, due: Timestamp| IncidentChange::Task {
        text: text.to_owned(),
        owner: "senior".to_owned(),
        due,
    };
    let long = "x".repeat(501);
    let wrong: Vec<(IncidentChange, &str)> = vec![
        (line(now.plus_seconds(60), "later"), "invalid-field"),
        (
            line(Timestamp(-1), "before there was time"),
            "invalid-field",
        ),
        (line(now, "  "), "invalid-field"),
        (line(now, &long), "invalid-field"),
        (line(now, "a\u{0}b c"), "invalid-field"),
        (task("shut the door", Timestamp(now.0 - 1)), "invalid-field"),
        (
            IncidentChange::TaskState {
                task: 9,
                state: TaskState::Done,
            },
            "unknown-task",
        ),
        (update(Phase::Looking, None), "invalid-field"),
        (update(Phase::Looking, Some(now)), "invalid-field"),
        (
            update(Phase::Over, Some(now.plus_seconds(60))),
            "invalid-field",
        ),
        (
            update(Phase::Found, Some(now.plus_seconds(90 * 86_400))),
            "invalid-field",
        ),
        (
            IncidentChange::Mark {
                customer: CustomerId("c-9".to_owned()),
                standing: Standing::Affected,
                reason: "somebody said so today".to_owned(),
            },
            "unknown-customer",
        ),
        (
            IncidentChange::Mark {
                customer: signe.clone(),
                standing: Standing::Affected,
                reason: "short".to_owned(),
            },
            "invalid-field",
        ),
        (
            IncidentChange::Scope(ScopeWish {
                agent: Some("nobody".to_owned()),
                ..ScopeWish::default()
            }),
            "invalid-field",
        ),
        (
            IncidentChange::Scope(ScopeWish {
                connector: Some("moon".to_owned()),
                ..ScopeWish::default()
            }),
            "invalid-field",
        ),
        (
            IncidentChange::Scope(ScopeWish {
                path: Some("usual".to_owned()),
                ..ScopeWish::default()
            }),
            "invalid-field",
        ),
        (
            IncidentChange::Scope(ScopeWish {
                from: Some(now),
                to: Some(MONDAY),
                ..ScopeWish::default()
            }),
            "invalid-field",
        ),
        (
            IncidentChange::Draft {
                texts: Texts {
                    blog: "y".repeat(12_001),
                    ..Texts::default()
                },
                revision: 0,
            },
            "invalid-field",
        ),
        (
            IncidentChange::Draft {
                texts: Texts::default(),
                revision: 4,
            },
            "incident-changed",
        ),
    ];
    let before = world.view(&idris, &id).await.incident;
    for (change, code) in wrong {
        let said = world.changes(&idris, &id, change.clone()).await;
        assert_eq!(said.unwrap_err().code(), code, "{change:?}");
    }
    assert_eq!(
        world.view(&idris, &id).await.incident,
        before,
        "nothing was written"
    );
    let nowhere = world.changes(&idris, "IN-000000", task("x y z", now)).await;
    assert_eq!(nowhere, Err(IncidentError::Unknown));
    for alarm in ["", "../x", "0123456789abcdef0123456789abcdef"] {
        let said = world
            .gate
            .settle_alarm(&idris.staff, alarm, "it was nothing at all")
            .await;
        assert_eq!(said, Err(IncidentError::UnknownAlarm));
    }
    world
        .gate
        .settle_alarm(&idris.staff, &alarm, "the test of the backup site")
        .await
        .unwrap();
    let twice = world
        .gate
        .settle_alarm(&idris.staff, &alarm, "the test of the backup site")
        .await;
    assert_eq!(twice, Err(IncidentError::AlarmSettled));

    // Tasks go on, and the page warns when an update is late.
    world
        .changes(
            &idris,
            &id,
            task("shut the old door", now.plus_seconds(86_400)),
        )
        .await
        .unwrap();
    world
        .changes(
            &idris,
            &id,
            IncidentChange::TaskState {
                task: 1,
                state: TaskState::Done,
            },
        )
        .await
        .unwrap();
    let next = now.plus_seconds(3_600);
    world
        .changes(&idris, &id, update(Phase::Looking, Some(next)))
        .await
        .unwrap();
    assert_eq!(world.view(&idris, &id).await.overdue_since, None);
    world.hours(2);
    assert_eq!(world.view(&idris, &id).await.overdue_since, Some(next));
    assert!(world.gate.public_incident(&id).await.unwrap().overdue);
}

#[tokio::test]
async fn subscribers_confirm_get_news_and_leave_and_nobody_learns_who_they_are() {
    let world = World::new().await;
    let idris = world.colleague("idris").await;
    for wrong in [
        "",
        "x",
        "a b@c.example",
        "a@c.example\r\nBcc: x@y.example",
        &"a".repeat(300),
    ] {
        let said = world.gate.subscribe(wrong, Language::English).await;
        assert_eq!(said, Err(SubscriptionError::Address), "{wrong:?}");
    }
    let ada = "ada@reader.example";
    let link = |mail: &countersign_service::adapters::smtp_sink::ReceivedMail, what: &str| {
        let text = mail.text();
        let after = text
            .split(&format!("/status/{what}/"))
            .nth(1)
            .unwrap()
            .to_owned();
        after.split_whitespace().next().unwrap().to_owned()
    };
    // However often it is asked for, there is one letter, and without the button nothing more.
    for _ in 0..3 {
        world.gate.subscribe(ada, Language::German).await.unwrap();
    }
    world
        .gate
        .subscribe("eve@reader.example", Language::English)
        .await
        .unwrap();
    world.gate.settle().await.unwrap();
    assert_eq!(world.mail.mails_to(ada).len(), 1);
    let asked = world.mail.mails_to(ada).remove(0);
    assert!(asked.header("List-Unsubscribe").is_none());
    let confirm = link(&asked, "confirm");
    assert_eq!(
        world
            .gate
            .confirm_subscription("cs_status_x")
            .await
            .unwrap(),
        Confirmed::LinkGone
    );
    world.gate.leave_subscription(&confirm).await.unwrap();
    assert_eq!(
        world.gate.confirm_subscription(&confirm).await.unwrap(),
        Confirmed::Yes
    );
    assert_eq!(
        world.gate.confirm_subscription(&confirm).await.unwrap(),
        Confirmed::LinkGone
    );

    let id = world.opens(&idris).await;
    let next = world.clock_now().plus_seconds(3_600);
    world
        .changes(&idris, &id, update(Phase::Looking, Some(next)))
        .await
        .unwrap();
    world.gate.settle().await.unwrap();
    assert_eq!(
        world.mail.mails_to("eve@reader.example").len(),
        1,
        "never confirmed"
    );
    let news = world.mail.mails_to(ada).pop().unwrap();
    assert_eq!(world.mail.mails_to(ada).len(), 2);
    assert!(
        news.text().contains("Wir suchen die Ursache"),
        "{}",
        news.text()
    );
    let leave = link(&news, "leave");
    let header = news.header("List-Unsubscribe").unwrap();
    assert_eq!(
        header.replace([' ', '\r', '\n'], ""),
        format!("<{ORIGIN}/status/leave/{leave}>")
    );
    assert_eq!(
        news.header("List-Unsubscribe-Post").unwrap(),
        "List-Unsubscribe=One-Click"
    );

    // Asking again tells the mailbox alone that it is subscribed.
    world.hours(1);
    world.gate.subscribe(ada, Language::German).await.unwrap();
    world.gate.settle().await.unwrap();
    let again = world.mail.mails_to(ada).pop().unwrap();
    assert!(!again.text().contains("/status/confirm/"));
    assert_eq!(link(&again, "leave"), leave);
    assert_eq!(
        world.gate.confirm_subscription(&leave).await.unwrap(),
        Confirmed::LinkGone
    );

    for _ in 0..2 {
        world.gate.leave_subscription(&leave).await.unwrap();
    }
    let said = world.mail.mails_to(ada).len();
    world
        .changes(&idris, &id, update(Phase::Over, None))
        .await
        .unwrap();
    world.gate.settle().await.unwrap();
    assert_eq!(world.mail.mails_to(ada).len(), said);
    assert!(
        !world.everything().await.contains(ada),
        "nothing is left of the address"
    );
}

#[tokio::test]
async fn an_erased_customer_is_nobody_in_an_incident() {
    let mut world = World::new().await;
    let signe = world.signe().await;
    let idris = world.colleague("idris").await;
    let alarm = world.raises(Some(&signe), "line 3").await;
    let from_alarm = NewIncident {
        alarm: Some(alarm),
        ..new("A server was erased")
    };
    let id = world
        .gate
        .open_incident(&idris.staff, &from_alarm)
        .await
        .unwrap();
    world.marks(&idris, &id, &signe, Standing::Affected).await;
    let eraser = world.machine("eraser");
    world.gate.erase_customer(&eraser, &signe).await.unwrap();
    let everything = world.everything().await;
    for said in ["Halden", "c-1042", "signe@"] {
        let lines: Vec<&str> = everything
            .lines()
            .filter(|line| line.contains(said))
            .collect();
        let staff = |line: &&str| line.starts_with("account/") || line.starts_with("s.");
        assert!(lines.iter().all(staff), "{said}: {lines:?}");
    }
    let view = world.view(&idris, &id).await;
    assert_eq!(
        view.facts.customers_affected, 1,
        "that somebody was affected stays"
    );
    assert_eq!(view.touched.customers[0].customer, None);
    assert_eq!(
        world.gate.send_letters(&idris.staff, &id).await,
        Err(IncidentError::NobodyToWriteTo)
    );
}

#[tokio::test]
async fn nothing_personal_of_an_incident_is_in_the_ledger() {
    let mut world = World::new().await;
    let signe = world.signe().await;
    let idris = world.colleague("idris").await;
    let id = world.opens(&idris).await;
    world.marks(&idris, &id, &signe, Standing::Affected).await;
    let leaves = world.leaves().await;
    let text = |leaf: &Vec<u8>| String::from_utf8_lossy(leaf).into_owned();
    let marked: Vec<String> = leaves
        .iter()
        .map(text)
        .filter(|leaf| leaf.contains("incident."))
        .collect();
    assert_eq!(marked.len(), 2, "opened and marked");
    for leaf in &marked {
        for said in ["Halden", "c-1042", "idris", "Idris", &id] {
            assert!(!leaf.contains(said), "{leaf}");
        }
    }
}

#[tokio::test]
async fn contacts_added_during_an_incident_get_no_letter() {
    let mut world = World::new().await;
    let signe = world.signe().await;
    let idris = world.colleague("idris").await;
    let alarm = world.raises(Some(&signe), "line 3").await;
    let mut added = halden("signe@halden.example");
    added.contacts.push(ContactPut {
        channel: "mailbox".to_owned(),
        address: "new@halden.example".to_owned(),
        since_ms: None,
    });
    world
        .gate
        .put_customer(&world.machine("panel"), &signe, &added)
        .await
        .unwrap();
    let from_alarm = NewIncident {
        alarm: Some(alarm),
        ..new("A server was erased")
    };
    let id = world
        .gate
        .open_incident(&idris.staff, &from_alarm)
        .await
        .unwrap();
    world.marks(&idris, &id, &signe, Standing::Affected).await;
    let letter = world
        .gate
        .letters(&idris.staff, &id)
        .await
        .unwrap()
        .remove(0);
    assert_eq!(letter.to.len(), 2, "{:?}", letter.to);
    world.gate.send_letters(&idris.staff, &id).await.unwrap();
    world.gate.settle().await.unwrap();
    assert_eq!(world.mail.mails_to("new@halden.example").len(), 0);
    let sent = world.mail.mails_to("signe@halden.example").pop().unwrap();
    assert!(sent.text().contains("without a request"), "{}", sent.text());
}
