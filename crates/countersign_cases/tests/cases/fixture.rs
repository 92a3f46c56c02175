//! A small hosting company, its people, and stories about its cases.

use std::collections::BTreeMap;

use countersign_cases::*;
use countersign_language::*;

pub(crate) const SECOND: i64 = 1_000;
pub(crate) const MINUTE: i64 = 60 * SECOND;
pub(crate) const HOUR: i64 = 60 * MINUTE;
pub(crate) const DAY: i64 = 24 * HOUR;

/// When every story begins: 2026-11-23 10:45 UTC.
pub(crate) const START: Timestamp = Timestamp(1_795_430_700_000);

pub(crate) fn at(offset: i64) -> Timestamp {
    Timestamp(START.0 + offset)
}

// Roles. A senior is an agent as well; a manager is neither.
pub(crate) const AGENT: RoleId = RoleId(0);
pub(crate) const SENIOR: RoleId = RoleId(1);
pub(crate) const MANAGER: RoleId = RoleId(2);

pub(crate) const PASSWORD: HoldingId = HoldingId(0);
pub(crate) const PIN: HoldingId = HoldingId(1);
pub(crate) const MAILBOX: HoldingId = HoldingId(2);
pub(crate) const MOBILE: HoldingId = HoldingId(3);
pub(crate) const PHONE: HoldingId = HoldingId(4);
pub(crate) const KEY: HoldingId = HoldingId(5);

pub(crate) const BY_PASSWORD: ProofId = ProofId(0);
pub(crate) const BY_PIN: ProofId = ProofId(1);
pub(crate) const BY_MAIL: ProofId = ProofId(2);
pub(crate) const BY_TEXT: ProofId = ProofId(3);
pub(crate) const BY_APP: ProofId = ProofId(4);
pub(crate) const BY_PASSKEY: ProofId = ProofId(5);
/// A proof about the world only: the gate cannot check it.
pub(crate) const BY_VOICE: ProofId = ProofId(6);

/// A procedure whose one action, `server.reinstall`, has these paths.
pub(crate) fn procedure(paths: Vec<(&str, Vec<Requirement>)>) -> Procedure {
    let span = Span::default();
    let role = |name: &str, label: &str, includes: Vec<RoleId>| Role {
        name: name.into(),
        label: label.into(),
        includes,
        span,
    };
    let holding = |name: &str, label: &str, kind, using| Holding {
        name: name.into(),
        label: label.into(),
        kind,
        using,
        exposure: Exposure::Hidden,
        span,
    };
    let proof = |name: &str, label: &str, shows, using, implied| Proof {
        name: name.into(),
        label: label.into(),
        shows,
        using,
        implied,
        span,
    };
    let parameter = |name: &str, label: &str| Parameter {
        name: name.into(),
        label: label.into(),
        span,
    };
    let text = |words: &str| SentencePart::Text(words.into());
    let paths = paths
        .into_iter()
        .map(|(name, lines)| Path {
            name: name.into(),
            lines: lines
                .into_iter()
                .map(|requirement| Line { requirement, span })
                .collect(),
            span,
        })
        .collect();
    let action = Action {
        name: "server.reinstall".into(),
        label: "Reinstall a server".into(),
        outside: false,
        parameters: vec![
            parameter("server", "server"),
            parameter("image", "image to install"),
        ],
        says: vec![
            text("Erase everything on "),
            SentencePart::Parameter(0),
            text(" and install "),
            SentencePart::Parameter(1),
        ],
        opened_by: Openers {
            customer: true,
            roles: vec![AGENT].into(),
        },
        effects: vec![],
        runs: Some("panel".into()),
        expires: Duration::DEFAULT_EXPIRES,
        paths,
        span,
    };
    let other = |name: &str, outside: bool, runs: Option<&str>, customer: bool| Action {
        name: name.into(),
        label: name.into(),
        outside,
        parameters: vec![],
        says: vec![],
        opened_by: Openers {
            customer,
            roles: vec![SENIOR].into(),
        },
        runs: runs.map(str::to_owned),
        paths: vec![Path {
            name: "usual".into(),
            lines: vec![Line {
                requirement: prove(one(BY_PASSWORD)),
                span,
            }],
            span,
        }],
        ..action.clone()
    };
    let actions = vec![
        other("mailbox.recover", true, None, true),
        other("account.close", false, Some("panel"), false),
        other("account.rename", false, None, true),
        action,
    ];
    Procedure {
        organisation: "Acme Hosting".into(),
        roles: vec![
            role("agent", "support agent", vec![]),
            role("senior", "senior support agent", vec![AGENT]),
            role("manager", "manager", vec![]),
        ],
        holdings: vec![
            holding(
                "password",
                "account password",
                HoldingKind::Secret,
                Some(Method::Password),
            ),
            holding("pin", "support PIN", HoldingKind::Secret, Some(Method::Pin)),
            holding(
                "mailbox",
                "e-mail address on file",
                HoldingKind::Channel,
                None,
            ),
            holding(
                "mobile",
                "mobile number on file",
                HoldingKind::Channel,
                None,
            ),
            holding(
                "phone",
                "phone with the authenticator app",
                HoldingKind::Device,
                None,
            ),
            holding("key", "passkey", HoldingKind::Device, None),
        ],
        proofs: vec![
            proof(
                "password",
                "account password",
                PASSWORD,
                Some(Method::Password),
                true,
            ),
            proof("pin", "support PIN", PIN, Some(Method::Pin), true),
            proof(
                "mail_code",
                "code sent by e-mail",
                MAILBOX,
                Some(Method::Mail),
                false,
            ),
            proof(
                "text_code",
                "code sent by text message",
                MOBILE,
                Some(Method::Text),
                false,
            ),
            proof(
                "app_code",
                "authenticator code",
                PHONE,
                Some(Method::Totp),
                false,
            ),
            proof("passkey", "passkey", KEY, Some(Method::Passkey), false),
            proof("voice", "known voice", PHONE, None, false),
        ],
        losses: vec![],
        actions,
        promises: vec![],
        drills: vec![],
        version: Version([7; 32]),
    }
}

/// The two paths of DESIGN §3.
pub(crate) fn hosting() -> Procedure {
    procedure(vec![
        (
            "usual",
            vec![
                prove(and([one(BY_PASSWORD), or([one(BY_APP), one(BY_PASSKEY)])])),
                backup(BackupGrade::Exists, hours(24), 2),
            ],
        ),
        (
            "lost_phone",
            vec![
                prove(and([one(BY_PIN), settled(BY_MAIL, days(7))])),
                sign_off(1, SENIOR),
                notify_every(),
                Requirement::Wait(hours(24)),
            ],
        ),
    ])
}

pub(crate) fn one(proof: ProofId) -> Expr {
    Expr::Atom {
        proof,
        settled: None,
        span: Span::default(),
    }
}

pub(crate) fn settled(proof: ProofId, for_: Duration) -> Expr {
    Expr::Atom {
        proof,
        settled: Some(for_),
        span: Span::default(),
    }
}

pub(crate) fn and<const N: usize>(of: [Expr; N]) -> Expr {
    Expr::And(of.into())
}

pub(crate) fn or<const N: usize>(of: [Expr; N]) -> Expr {
    Expr::Or(of.into())
}

pub(crate) fn prove(expr: Expr) -> Requirement {
    Requirement::Prove(expr)
}

pub(crate) fn sign_off(count: u32, role: RoleId) -> Requirement {
    Requirement::SignOff { count, role }
}

pub(crate) fn confirms(role: RoleId, text: &str) -> Requirement {
    Requirement::Confirms {
        role,
        text: text.into(),
    }
}

pub(crate) fn notify_every() -> Requirement {
    Requirement::Notify {
        every: true,
        channels: vec![MAILBOX, MOBILE].into(),
    }
}

pub(crate) fn notify(channels: &[HoldingId]) -> Requirement {
    Requirement::Notify {
        every: false,
        channels: channels.into(),
    }
}

pub(crate) fn backup(grade: BackupGrade, within: Duration, places: u32) -> Requirement {
    Requirement::Backup {
        grade,
        within,
        places,
    }
}

pub(crate) fn hours(count: u32) -> Duration {
    Duration {
        count,
        unit: Unit::Hour,
    }
}

pub(crate) fn days(count: u32) -> Duration {
    Duration {
        count,
        unit: Unit::Day,
    }
}

/// A member of staff with one account.
pub(crate) fn staff(person: &str, role: RoleId) -> StaffMember {
    StaffMember {
        person: PersonId(person.into()),
        name: person.into(),
        roles: vec![role],
        concerned: false,
        robot: false,
    }
}

pub(crate) fn amira() -> StaffMember {
    staff("amira", AGENT)
}

pub(crate) fn petra() -> StaffMember {
    staff("petra", SENIOR)
}

pub(crate) fn contact(id: &str) -> ContactId {
    ContactId(id.into())
}

/// The customer has everything, since ever, and two contacts.
pub(crate) fn facts() -> Facts {
    Facts {
        holdings: (0..6)
            .map(|holding| HoldingFact {
                holding: HoldingId(holding),
                changed_at: None,
            })
            .collect(),
        contacts: vec![live("mail-1", MAILBOX), live("text-1", MOBILE)],
        ..Facts::default()
    }
}

pub(crate) fn live(id: &str, channel: HoldingId) -> ContactFact {
    ContactFact {
        id: contact(id),
        channel,
        changed_at: None,
        removed_at: None,
    }
}

pub(crate) fn opening(by: Actor) -> Opening {
    Opening {
        case: CaseId("CS-7F3K9Q".into()),
        customer: CustomerId("c-1".into()),
        action: "server.reinstall".into(),
        parameters: BTreeMap::from([
            ("server".into(), "web-1".into()),
            ("image".into(), "debian-13".into()),
        ]),
        by,
        reason: Some("disk is full of malware".into()),
        reference: Some("T-1001".into()),
        nonce: [0xab; 16],
        mark: Mark::of_case(&SALT),
    }
}

pub(crate) fn assertion() -> Evidence {
    Evidence::Assertion {
        credential: "Y3JlZA".into(),
        public_key: "a2V5".into(),
        client_data: "e30".into(),
        authenticator_data: "AA".into(),
        signature: "c2ln".into(),
    }
}

/// Opens the mark of every case here.
pub(crate) static SALT: std::sync::LazyLock<MarkSalt> =
    std::sync::LazyLock::new(|| MarkSalt::new([0x5a; 32]));

pub(crate) const GRANT: GrantId = GrantId([0x9a; 16]);

/// A case and the world around it, told step by step.
#[derive(Debug, Clone)]
pub(crate) struct Story {
    pub(crate) procedure: Procedure,
    pub(crate) facts: Facts,
    pub(crate) now: Timestamp,
    pub(crate) case: Case,
    pub(crate) events: Vec<Event>,
    /// Of the last step.
    pub(crate) permit: Option<PermitNote>,
}

/// What a permit said, kept for the test (a permit itself cannot be kept in a story that is cloned).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PermitNote {
    pub(crate) action: String,
    pub(crate) connector: String,
    pub(crate) digest: Digest,
    pub(crate) grant: GrantId,
    pub(crate) path: PathId,
}

/// What a step led to.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) story: Story,
    pub(crate) result: Result<Vec<String>, Refusal>,
}

impl Story {
    pub(crate) fn new(procedure: Procedure) -> Self {
        Self {
            procedure,
            facts: facts(),
            now: START,
            case: Case::none(),
            events: Vec::new(),
            permit: None,
        }
    }

    /// A case the customer opened.
    pub(crate) fn by_customer(procedure: Procedure) -> Self {
        Self::new(procedure).does(Command::Open(opening(Actor::Customer)))
    }

    /// A case the agent opened; the customer used the link.
    pub(crate) fn by_agent(procedure: Procedure) -> Self {
        Self::new(procedure)
            .does(Command::Open(opening(Actor::Staff(amira()))))
            .does(Command::UseLink)
    }

    /// These things happened, judged by nobody.
    pub(crate) fn given(mut self, kinds: impl IntoIterator<Item = EventKind>) -> Self {
        for kind in kinds {
            let event = Event { at: self.now, kind };
            self.case = evolve(self.case, &event);
            self.events.push(event);
        }
        self
    }

    pub(crate) fn later(mut self, by: i64) -> Self {
        self.now.0 += by;
        self
    }

    pub(crate) fn knowing(mut self, change: impl FnOnce(&mut Facts)) -> Self {
        change(&mut self.facts);
        self
    }

    pub(crate) fn digest(&self) -> Digest {
        self.case.digest().expect("the case is open")
    }

    pub(crate) fn moment(&self) -> Moment<'_> {
        Moment {
            now: self.now,
            facts: &self.facts,
        }
    }

    pub(crate) fn may_run(&self) -> Result<PathId, NotYet> {
        may_run(&self.procedure, &self.case, &self.moment())
    }

    pub(crate) fn checklist(&self) -> Checklist {
        checklist(&self.procedure, &self.case, &self.moment()).expect("the case is open")
    }

    pub(crate) fn when(self, command: Command) -> Step {
        let step = self.asks(command);
        step.story.replays();
        step
    }

    /// Replaying the events gives the live state.
    pub(crate) fn replays(&self) {
        assert_eq!(Case::replay(&self.events), self.case);
    }

    pub(crate) fn asks(mut self, command: Command) -> Step {
        let is_run = matches!(command, Command::Run { .. });
        let decided = decide(&self.procedure, &self.case, command, &self.moment());
        let result = decided.map(|decision| {
            assert_eq!(
                decision.permit.is_some(),
                is_run,
                "a permit comes with run and with nothing else"
            );
            self.permit = decision.permit.map(|permit| {
                let contents = permit.consume();
                PermitNote {
                    action: contents.action,
                    connector: contents.connector,
                    digest: contents.digest,
                    grant: contents.grant,
                    path: contents.path,
                }
            });
            for event in &decision.events {
                self.case = evolve(self.case.clone(), event);
                self.events.push(event.clone());
            }
            decision
                .events
                .iter()
                .map(|event| in_words(&event.kind))
                .collect()
        });
        Step {
            story: self,
            result,
        }
    }

    /// The command is carried out, whatever follows.
    pub(crate) fn does(self, command: Command) -> Self {
        let asked = format!("{command:?}");
        let Step { story, result } = self.when(command);
        if let Err(refusal) = result {
            panic!("{asked} was refused: {refusal}");
        }
        story
    }

    pub(crate) fn proves(self, proof: ProofId) -> Self {
        let digest = self.digest();
        self.does(Command::Prove {
            proof,
            digest,
            evidence: assertion(),
        })
    }

    pub(crate) fn confirms(self) -> Self {
        let digest = self.digest();
        self.does(Command::Confirm { digest })
    }

    pub(crate) fn signs(self, by: StaffMember) -> Self {
        let command = self.signing(by);
        self.does(command)
    }

    pub(crate) fn signing(&self, by: StaffMember) -> Command {
        Command::SignOff {
            by,
            digest: self.digest(),
            evidence: assertion(),
        }
    }

    pub(crate) fn proving(&self, proof: ProofId) -> Command {
        Command::Prove {
            proof,
            digest: self.digest(),
            evidence: assertion(),
        }
    }

    pub(crate) fn tells(self, id: &str) -> Self {
        self.does(notified(id, true))
    }

    pub(crate) fn state(&self) -> State {
        self.case.state()
    }
}

impl Step {
    #[track_caller]
    pub(crate) fn then(self, events: &[&str]) -> Story {
        match self.result {
            Ok(happened) => assert_eq!(happened, events),
            Err(refusal) => panic!("refused: {refusal} ({})", refusal.code()),
        }
        self.story
    }

    #[track_caller]
    pub(crate) fn refused(self, code: &str) -> Story {
        match self.result {
            Ok(happened) => panic!("not refused, but {happened:?}"),
            Err(refusal) => assert_eq!(refusal.code(), code, "{refusal}"),
        }
        self.story
    }

    #[track_caller]
    pub(crate) fn refusal(self) -> Refusal {
        self.result.expect_err("a refusal")
    }
}

pub(crate) fn notified(id: &str, handed_over: bool) -> Command {
    Command::Notified {
        contact: contact(id),
        handed_over,
    }
}

pub(crate) fn run(by: Actor) -> Command {
    Command::Run {
        by,
        grant: GRANT,
        salt: Some(*SALT),
    }
}

pub(crate) fn stop() -> Command {
    Command::Stop {
        by: Stopper::Customer,
        reason: None,
    }
}

pub(crate) fn vouch(by: StaffMember, text: &str) -> Command {
    Command::Vouch {
        by,
        text: text.into(),
    }
}

/// An event in a few words, with ids as they are.
pub(crate) fn in_words(kind: &EventKind) -> String {
    let ids = |contacts: &[ContactId]| {
        contacts
            .iter()
            .map(|id| id.0.as_str())
            .collect::<Vec<_>>()
            .join("+")
    };
    match kind {
        EventKind::Opened { .. } => "opened".into(),
        EventKind::LinkUsed => "link used".into(),
        EventKind::Proved { proof, .. } => format!("proved {}", proof.0),
        EventKind::Confirmed => "confirmed".into(),
        EventKind::Vouched { by, text } => format!("{} vouched: {text}", by.name),
        EventKind::SignedOff { by, .. } => format!("{} signed", by.name),
        EventKind::Refused { by, .. } => format!("{} refused", by.name),
        EventKind::NoticesDue {
            path,
            contacts,
            named_before,
            settled,
        } => format!(
            "notices due {}: {} before {} settled {}",
            path.0,
            ids(contacts),
            ids(named_before),
            ids(settled)
        ),
        EventKind::Notified {
            contact,
            handed_over,
        } => {
            format!(
                "{} {}",
                contact.0,
                if *handed_over { "told" } else { "not reached" }
            )
        }
        EventKind::WaitStarted { path, until, .. } => {
            format!("wait {} until +{}h", path.0, (until.0 - START.0) / HOUR)
        }
        EventKind::WaitVoid { path } => format!("wait {} void", path.0),
        EventKind::Ready {
            path,
            runs_by_itself,
        } => {
            format!(
                "ready {}{}",
                path.0,
                if *runs_by_itself { " by itself" } else { "" }
            )
        }
        EventKind::NoLongerReady { path } => format!("no longer ready {}", path.0),
        EventKind::Granted { path, .. } => format!("granted {}", path.0),
        EventKind::HandedOver => "handed over".into(),
        EventKind::Concluded { outcome } => match outcome {
            Outcome::Done => "done".into(),
            Outcome::Failed { reason } => format!("failed: {reason}"),
            Outcome::Unknown => "unknown".into(),
        },
        EventKind::Stopped { .. } => "stopped".into(),
        EventKind::StopCameTooLate { .. } => "stop came too late".into(),
        EventKind::Withdrawn { .. } => "withdrawn".into(),
        EventKind::Expired => "expired".into(),
        EventKind::DrillTold { plan, .. } => format!("it was a drill: {}", plan.scenario),
    }
}
