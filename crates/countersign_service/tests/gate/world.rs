//! A small world: a gate on the memory store with a clock that stands still, real mail over a real socket, a panel that
//! accepts nothing without a good grant, and people with passkeys.

use std::{collections::BTreeMap, fmt::Write as _, path::Path, sync::Arc, time::Duration};

use countersign_cases::{CaseId, CustomerId, Digest, Timestamp};
use countersign_grant::{GrantKey, JwkSet, Verifier};
use countersign_ledger::Policy;
use countersign_service::{
    Answered, BackupAttestation, ContactPut, CustomerPut, CustomerSeat, FactorPut, Gate, HeldPut,
    Language, LogSigner, MachineCaller, OpenRequest, OpenedCase, Operator, Parts, ProofError,
    SignedInStaff, StartError,
    adapters::{
        clock::{Clock as _, SettableClock},
        dice::SeededDice,
        mailer::{MailSecurity, MailServer},
        secrets::{HashCost, HashLimits, Secret, SecretHasher},
        smtp_sink::SmtpSink,
        soft_passkey::SoftPasskey,
        tokens::{Token, TokenKind},
        totp::TotpSecret,
        webhooks::WebhookSecrets,
    },
    reconcile::Mapping,
    settings::{
        AuditFeed, Connector, ConsoleRole, Endpoint, Keys, Limits, MachineToken, MailSettings,
        NewAccount, OtherKeys, Scope, Settings,
    },
};
use countersign_store::{
    CheckpointSigner, Clock as StoreClock, MemoryJournal, SharedJournal, SqliteJournal,
    SqliteOptions,
};

use serde_json::json;

use crate::backend::Backend;

pub(crate) const ORIGIN: &str = "https://support.acme.example";
pub(crate) const PROCEDURE: &str = include_str!("acme.procedure");
/// What the panel signs the events of its own log with.
pub(crate) const AUDIT_SECRET: &str = "whsec_ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA=";

pub(crate) const WEBHOOK_SECRET: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

/// Monday 23 November 2026, 10:00 UTC.
pub(crate) const MONDAY: Timestamp = Timestamp(1_795_428_000_000);

/// The two digits the agent reads off the desk; what the desk shows is compared elsewhere.
pub(crate) fn number_told(digest: countersign_cases::Digest) -> String {
    countersign_service::adapters::codes::CodeKey::new(&[5; 32]).two_digits(&digest.0)
}

pub(crate) struct World {
    pub(crate) gate: Gate,
    pub(crate) clock: Arc<SettableClock>,
    pub(crate) journal: SharedJournal,
    pub(crate) mail: SmtpSink,
    pub(crate) panel: Backend,
    pub(crate) signer: LogSigner,
    settings: Settings,
    restarts: u32,
    tokens: BTreeMap<&'static str, Token>,
    passkeys: BTreeMap<String, SoftPasskey>,
}

/// Somebody on the staff, signed in.
pub(crate) struct Colleague {
    pub(crate) staff: SignedInStaff,
    pub(crate) passkey: SoftPasskey,
    session: Token,
}

impl Colleague {
    /// The same session, looked at again; `None` if it is over.
    pub(crate) async fn again(&self, world: &World) -> Option<SignedInStaff> {
        world
            .gate
            .staff_session(self.session.expose())
            .await
            .unwrap()
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with_journal(1, |journal| journal).await
    }

    /// A world on a store that may lie.
    pub(crate) async fn with_journal(
        seed: u64,
        wrap: impl FnOnce(SharedJournal) -> SharedJournal,
    ) -> Self {
        let memory =
            |signer, clock| -> SharedJournal { Arc::new(MemoryJournal::with_clock(signer, clock)) };
        Self::on(seed, async |signer, clock| wrap(memory(signer, clock))).await
    }

    /// A world on SQLite.
    pub(crate) async fn on_sqlite(path: &Path) -> Self {
        Self::on(1, async |signer, clock| {
            let options = SqliteOptions {
                clock,
                ..SqliteOptions::default()
            };
            let journal = SqliteJournal::open_with(path, signer, options).await;
            Arc::new(journal.unwrap()) as SharedJournal
        })
        .await
    }

    async fn on(
        seed: u64,
        store: impl AsyncFnOnce(Arc<dyn CheckpointSigner>, StoreClock) -> SharedJournal,
    ) -> Self {
        let clock = Arc::new(SettableClock::new(MONDAY));
        let signer = LogSigner::new("support.acme.example/ledger", &[3; 32]).unwrap();
        let store_clock = {
            let clock = Arc::clone(&clock);
            StoreClock::new(move || clock.now().0)
        };
        let journal = store(Arc::new(signer.clone()), store_clock).await;
        let mail = SmtpSink::start(0).await.unwrap();
        let grant_key = GrantKey::from_seed(&[4; 32]).unwrap();
        let verifier = Verifier {
            issuer: ORIGIN.to_owned(),
            audience: "panel".to_owned(),
            keys: JwkSet {
                keys: vec![grant_key.jwk()],
            }
            .by_kid()
            .unwrap(),
            policy: Policy::of_log(signer.verifier().clone()).unwrap(),
            leeway_s: 0,
        };
        let secrets = WebhookSecrets::parse([WEBHOOK_SECRET]).unwrap();
        let panel = Backend::start(verifier, secrets, Arc::clone(&clock)).await;
        let dice = SeededDice::new(seed);
        let tokens: BTreeMap<&'static str, Token> = [
            "panel",
            "eraser",
            "backups",
            "robot",
            "reader",
            "reconciler",
        ]
        .into_iter()
        .map(|name| (name, Token::generate(TokenKind::Machine, &dice)))
        .collect();
        let settings = settings(&mail, &panel, &signer, &tokens);
        let gate = start(&settings, &journal, &clock, seed + 1).await;
        Self {
            gate,
            clock,
            journal,
            mail,
            panel,
            signer,
            settings,
            restarts: 0,
            tokens,
            passkeys: BTreeMap::new(),
        }
    }

    /// A second gate on the same store: the first one's successor after a crash, or its neighbour.
    pub(crate) async fn another_gate(&self, seed: u64) -> Gate {
        start(&self.settings, &self.journal, &self.clock, seed).await
    }

    /// The operator puts another text in place and starts the gate again.
    pub(crate) async fn restarts_with(&mut self, procedure: &str) {
        procedure.clone_into(&mut self.settings.procedure);
        self.gate = self.another_gate(7 + u64::from(self.restarts)).await;
        self.restarts += 1;
    }

    /// The same world from its first day, with these settings: an empty store, the same clock and neighbours.
    pub(crate) async fn reborn(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(&mut self.settings);
        let store_clock = {
            let clock = Arc::clone(&self.clock);
            StoreClock::new(move || clock.now().0)
        };
        let signer = Arc::new(self.signer.clone());
        self.journal = Arc::new(MemoryJournal::with_clock(signer, store_clock));
        self.gate = self.another_gate(2).await;
        self
    }

    /// What a gate on this store says to settings that it does not start with.
    pub(crate) async fn refuses_settings(&self, change: impl FnOnce(&mut Settings)) -> String {
        let mut settings = self.settings.clone();
        change(&mut settings);
        let refused = try_start(&settings, &self.journal, &self.clock, 77, None).await;
        refused.err().unwrap().to_string()
    }

    /// Somebody who signed in without a passkey; they get one that was never registered.
    pub(crate) fn in_session(staff: SignedInStaff, session: Token) -> Colleague {
        let options = json!({
            "publicKey": {
                "challenge": "AAAA", "rp": { "id": "support.acme.example", "name": "x" },
                "user": { "id": "AAAA", "name": "x", "displayName": "x" },
                "pubKeyCredParams": [{ "type": "public-key", "alg": -7 }],
            }
        });
        let made = SoftPasskey::create(&options, ORIGIN)
            .or_else(|_| SoftPasskey::create(&options["publicKey"], ORIGIN));
        Colleague {
            staff,
            passkey: made.unwrap().0,
            session,
        }
    }

    /// Registers a first passkey by invitation and tries to sign in with it: gives the passkey, and what was said.
    pub(crate) async fn first_passkey(&self, account: &str) -> (SoftPasskey, &'static str) {
        let mut passkey = self.registers(account).await;
        let begun = self.gate.start_sign_in().await.unwrap();
        let response = passkey.get(&begun.options, ORIGIN).unwrap();
        let finished = self.gate.finish_sign_in(&begun.ceremony, &response).await;
        (passkey, finished.err().map_or("", |error| error.code()))
    }

    /// What happened to the gate itself, oldest first.
    pub(crate) async fn kinds_of_the_gate(&self) -> Vec<String> {
        let stream = countersign_store::StreamKey("gate/log".to_owned());
        let events = self.journal.read(&stream, 0).await.unwrap();
        events.into_iter().map(|event| event.kind).collect()
    }

    /// Every event and every record, a line each, as whoever has the database reads them.
    pub(crate) async fn everything(&self) -> String {
        let mut text = String::new();
        for event in self.journal.follow(0, usize::MAX).await.unwrap() {
            let _ = writeln!(text, "{} {} {}", event.stream.0, event.kind, event.data);
        }
        let all = || countersign_store::KeyRange {
            from: String::new(),
            to: "\u{10FFFF}".to_owned(),
            reverse: false,
        };
        for space in spaces() {
            for record in self.journal.scan(space, all(), 100_000).await.unwrap() {
                let _ = writeln!(text, "{space}/{} {}", record.key, record.value);
            }
        }
        text
    }

    /// A second gate on the same store that hashes PINs with a pepper.
    pub(crate) async fn peppered_gate(&self) -> Gate {
        let pepper = Some(Secret::new("kept elsewhere"));
        start_with(&self.settings, &self.journal, &self.clock, 55, pepper).await
    }

    pub(crate) fn machine(&self, name: &str) -> MachineCaller {
        self.gate.machine(self.tokens[name].expose()).unwrap()
    }

    pub(crate) fn pass(&self, time: Duration) {
        self.clock.advance(time);
    }

    pub(crate) fn hours(&self, hours: u64) {
        self.pass(Duration::from_secs(hours * 3_600));
    }

    /// A new passkey, registered by invitation.
    async fn registers(&self, account: &str) -> SoftPasskey {
        let invitation = self
            .gate
            .invite_from_console(&Operator::at_the_console(), account)
            .await
            .unwrap();
        let begun = self
            .gate
            .start_registration(invitation.token.expose())
            .await
            .unwrap();
        let (passkey, response) = SoftPasskey::create(&begun.options, ORIGIN).unwrap();
        self.gate
            .finish_registration(
                invitation.token.expose(),
                &begun.ceremony,
                &response,
                "laptop",
            )
            .await
            .unwrap();
        passkey
    }

    /// Somebody of these settings' accounts, with a new passkey, signed in through the real ceremonies.
    pub(crate) async fn colleague(&self, account: &str) -> Colleague {
        let mut passkey = self.registers(account).await;
        let begun = self.gate.start_sign_in().await.unwrap();
        let response = passkey.get(&begun.options, ORIGIN).unwrap();
        let token = self
            .gate
            .finish_sign_in(&begun.ceremony, &response)
            .await
            .unwrap();
        let staff = self
            .gate
            .staff_session(token.expose())
            .await
            .unwrap()
            .unwrap();
        Colleague {
            staff,
            passkey,
            session: token,
        }
    }

    /// Signe of Halden Freight: customer for years, password, PIN, authenticator and passkey, a mailbox and a mobile.
    pub(crate) async fn signe(&mut self) -> CustomerId {
        let id = CustomerId("c-1042".to_owned());
        let panel = self.machine("panel");
        self.gate
            .put_customer(&panel, &id, &halden("signe@halden.example"))
            .await
            .unwrap();
        self.panel.set_password(&id.0, "correct horse");
        self.gate
            .put_factor(&panel, &id, "pin", &FactorPut::Pin("482913".to_owned()))
            .await
            .unwrap();
        self.gate
            .put_factor(
                &panel,
                &id,
                "phone",
                &FactorPut::Totp("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP".to_owned()),
            )
            .await
            .unwrap();
        let begun = self
            .gate
            .start_customer_passkey(&panel, &id, "key")
            .await
            .unwrap();
        let (passkey, response) = SoftPasskey::create(&begun.options, ORIGIN).unwrap();
        self.gate
            .finish_customer_passkey(&panel, &id, "key", &begun.ceremony, &response, "phone")
            .await
            .unwrap();
        self.passkeys.insert(id.0.clone(), passkey);
        // What was enrolled just now counts as changed; a month later everything is settled.
        self.hours(31 * 24);
        id
    }

    pub(crate) async fn attest_backups(&self, customer: &CustomerId) {
        let backups = self.machine("backups");
        for place in ["stockholm", "falun"] {
            let attestation = BackupAttestation {
                grade: countersign_language::BackupGrade::Verified,
                place: place.to_owned(),
                at_ms: self.clock.now().0 - 3_600_000,
                compared: "4,211 files read back".to_owned(),
            };
            self.gate
                .attest_backup(&backups, customer, &attestation)
                .await
                .unwrap();
        }
    }

    pub(crate) async fn open(&self, by: &Colleague, request: &OpenRequest) -> OpenedCase {
        self.gate.open_case(&by.staff, request).await.unwrap()
    }

    /// The customer follows the link the agent sent.
    pub(crate) async fn sit(&self, by: &Colleague, case: &CaseId) -> CustomerSeat {
        let link = self.gate.issue_link(&by.staff, case).await.unwrap();
        self.gate.use_link(link.token.expose()).await.unwrap().1
    }

    pub(crate) async fn prove(
        &self,
        seat: &CustomerSeat,
        proof: &str,
        answer: &str,
    ) -> Result<Answered, ProofError> {
        let digest = self.digest(seat).await;
        self.gate
            .prove(seat, proof, digest, &Secret::new(answer))
            .await
    }

    pub(crate) async fn proves(&self, seat: &CustomerSeat, proof: &str, answer: &str) {
        let answered = self.prove(seat, proof, answer).await.unwrap();
        assert!(
            matches!(answered, Answered::Right(_)),
            "{proof}: {answered:?}"
        );
    }

    pub(crate) async fn digest(&self, seat: &CustomerSeat) -> Digest {
        self.gate.seat_view(seat).await.unwrap().digest
    }

    pub(crate) async fn proves_passkey(&mut self, seat: &CustomerSeat) {
        let prompt = self
            .gate
            .start_passkey_proof(seat, "passkey")
            .await
            .unwrap();
        let passkey = self.passkeys.get_mut(&seat.customer().0).unwrap();
        let response = passkey.get(&prompt.options, ORIGIN).unwrap();
        self.gate
            .finish_passkey_proof(seat, "passkey", prompt.digest, &response)
            .await
            .unwrap();
    }

    /// The customer's device holds this passkey from now on.
    pub(crate) fn has_passkey(&mut self, customer: &CustomerId, passkey: SoftPasskey) {
        self.passkeys.insert(customer.0.clone(), passkey);
    }

    pub(crate) fn customer_passkey(&mut self, customer: &CustomerId) -> &mut SoftPasskey {
        self.passkeys.get_mut(&customer.0).unwrap()
    }

    /// A code by mail, asked for, sent, read and typed.
    pub(crate) async fn proves_mail_code(&self, seat: &CustomerSeat, address: &str) {
        let code = self.mail_code(seat, address).await;
        self.proves(seat, "mail_code", &code).await;
    }

    pub(crate) async fn mail_code(&self, seat: &CustomerSeat, address: &str) -> String {
        self.gate.send_code(seat, "mail_code").await.unwrap();
        self.gate.settle().await.unwrap();
        let mail = self.mail.mails_to(address).pop().expect("a code was sent");
        mail.text().lines().next().unwrap().to_owned()
    }

    pub(crate) fn app_code(&self) -> String {
        let secret =
            TotpSecret::from_bytes(b"Hello!\xDE\xAD\xBE\xEFHello!\xDE\xAD\xBE\xEF").unwrap();
        secret.code_now(self.clock.now())
    }

    pub(crate) async fn confirms(&self, seat: &CustomerSeat) {
        let digest = self.digest(seat).await;
        let number = number_told(digest);
        self.gate
            .confirm(seat, digest, Some(&number))
            .await
            .unwrap();
    }

    pub(crate) async fn signs(&self, by: &mut Colleague, case: &CaseId) -> Result<(), ProofError> {
        let prompt = self.gate.start_sign_off(&by.staff, case).await?;
        let response = by.passkey.get(&prompt.options, ORIGIN).unwrap();
        self.gate
            .finish_sign_off(&by.staff, case, prompt.digest, &response)
            .await
            .map(|_| ())
    }

    /// The stop link in the newest notice to this address.
    pub(crate) fn stop_token(&self, address: &str) -> String {
        let mails = self.mail.mails_to(address);
        let text = mails
            .iter()
            .rev()
            .map(countersign_service::adapters::smtp_sink::ReceivedMail::text)
            .find(|text| text.contains("/v/"))
            .expect("a notice was sent");
        let link = text
            .split_whitespace()
            .find(|word| word.contains("/v/"))
            .unwrap();
        link.rsplit('/').next().unwrap().to_owned()
    }

    pub(crate) async fn state(&self, by: &Colleague, case: &CaseId) -> &'static str {
        self.gate
            .case_view(&by.staff, case)
            .await
            .unwrap()
            .state
            .word()
    }

    /// Every leaf of the ledger, as stored.
    pub(crate) async fn leaves(&self) -> Vec<Vec<u8>> {
        let checkpoint = self.gate.checkpoint().await.unwrap();
        let size: u64 = checkpoint.lines().nth(1).unwrap().parse().unwrap();
        let mut leaves = Vec::new();
        for bundle in 0..size.div_ceil(256) {
            let width = (size - bundle * 256).min(256);
            let path = countersign_ledger::TilePath::Entries {
                index: bundle,
                width: u16::try_from(width).unwrap(),
            };
            let bytes = self.gate.tile(&path.to_string()).await.unwrap().unwrap();
            leaves.extend(
                countersign_ledger::entries(&bytes)
                    .unwrap()
                    .into_iter()
                    .map(<[u8]>::to_vec),
            );
        }
        assert_eq!(leaves.len() as u64, size);
        leaves
    }
}

pub(crate) fn halden(mailbox: &str) -> CustomerPut {
    CustomerPut {
        name: "Halden Freight AB".to_owned(),
        number: "48213".to_owned(),
        attributes: BTreeMap::from([("plan".to_owned(), "business".to_owned())]),
        domains: vec!["halden.example".to_owned()],
        since_ms: Some(MONDAY.0 - 5 * 365 * 86_400_000),
        contacts: vec![
            ContactPut {
                channel: "mailbox".to_owned(),
                address: mailbox.to_owned(),
                since_ms: Some(MONDAY.0 - 4 * 365 * 86_400_000),
            },
            ContactPut {
                channel: "mobile".to_owned(),
                address: "+46701234567".to_owned(),
                since_ms: None,
            },
        ],
        held: vec![HeldPut {
            holding: "password".to_owned(),
            changed_at_ms: None,
        }],
        language: None,
    }
}

pub(crate) fn reinstall(customer: &CustomerId) -> OpenRequest {
    OpenRequest {
        customer: customer.clone(),
        action: "server.reinstall".to_owned(),
        parameters: BTreeMap::from([
            ("server".to_owned(), "web-3".to_owned()),
            ("image".to_owned(), "debian-13".to_owned()),
        ]),
        reason: Some("the customer says the disk is full".to_owned()),
        reference: Some("chat 48213".to_owned()),
        return_to: None,
        language: None,
        shows: Vec::new(),
    }
}

pub(crate) fn change_email(customer: &CustomerId, address: &str) -> OpenRequest {
    OpenRequest {
        action: "email.change".to_owned(),
        parameters: BTreeMap::from([("address".to_owned(), address.to_owned())]),
        ..reinstall(customer)
    }
}

pub(crate) fn without_parameters(customer: &CustomerId, action: &str) -> OpenRequest {
    OpenRequest {
        action: action.to_owned(),
        parameters: BTreeMap::new(),
        ..reinstall(customer)
    }
}

fn settings(
    mail: &SmtpSink,
    panel: &Backend,
    signer: &LogSigner,
    tokens: &BTreeMap<&'static str, Token>,
) -> Settings {
    let secrets = || vec![Secret::new(WEBHOOK_SECRET)];
    let account = |account: &str, person: &str, roles: &[&str]| NewAccount {
        account: account.to_owned(),
        person: person.to_owned(),
        name: name_of(account),
        email: format!("{account}@acme.example"),
        roles: roles.iter().copied().map(str::to_owned).collect(),
        console: Vec::new(),
        concerned: Vec::new(),
        subject: None,
    };
    let machine = |name: &str, scopes: &[Scope], roles: &[&str]| MachineToken {
        name: name.to_owned(),
        token: tokens[name].hash(),
        scopes: scopes.to_vec(),
        robot_roles: roles.iter().copied().map(str::to_owned).collect(),
    };
    Settings {
        procedure: PROCEDURE.to_owned(),
        procedure_role: "senior".to_owned(),
        origin: ORIGIN.to_owned(),
        rp_id: "support.acme.example".to_owned(),
        keys: Keys {
            grant_seed: [4; 32],
            codes: [5; 32],
            seal: [6; 32],
            others: OtherKeys::default(),
        },
        log_verifier: signer.verifier().to_string(),
        connectors: vec![Connector {
            name: "panel".to_owned(),
            url: format!("{}/run", panel.url),
            status_url: None,
            secrets: secrets(),
            audit: Some(AuditFeed {
                secrets: vec![Secret::new(AUDIT_SECRET)],
                mapping: Mapping {
                    parameters: [("server".to_owned(), "parameters.server".to_owned())].into(),
                    ..Mapping::default()
                },
                window_seconds: 300,
            }),
        }],
        mail: Some(MailSettings {
            server: MailServer {
                host: "127.0.0.1".to_owned(),
                port: mail.address().port(),
                security: MailSecurity::Plain,
                login: None,
            },
            from: "Acme Hosting <support@acme.example>".to_owned(),
        }),
        text: Some(Endpoint {
            url: format!("{}/text", panel.url),
            secrets: secrets(),
        }),
        password: Some(Endpoint {
            url: format!("{}/password", panel.url),
            secrets: secrets(),
        }),
        company_login: None,
        checkers: Vec::new(),
        staff_login: None,
        staff: vec![
            account("maja", "p-maja", &["agent"]),
            account("tomas", "p-tomas", &["agent"]),
            account("idris", "p-idris", &["senior"]),
            account("petra", "p-petra", &["senior"]),
            // Idris once more, from another account.
            account("idris2", "p-idris", &["senior"]),
            NewAccount {
                concerned: vec!["c-1042".to_owned()],
                ..account("halvar", "p-halvar", &["senior"])
            },
            NewAccount {
                console: vec![ConsoleRole::Admin],
                ..account("root", "p-root", &[])
            },
            NewAccount {
                console: vec![ConsoleRole::Auditor],
                ..account("vera", "p-vera", &[])
            },
            // An auditor who is tied to a customer.
            NewAccount {
                console: vec![ConsoleRole::Auditor],
                concerned: vec!["c-1042".to_owned()],
                ..account("otto", "p-otto", &[])
            },
        ],
        machines: vec![
            machine("panel", &[Scope::Panel, Scope::Customers], &[]),
            machine("eraser", &[Scope::Erase], &[]),
            machine("backups", &[Scope::Backups], &[]),
            machine("robot", &[Scope::Robot], &["agent"]),
            machine("reader", &[Scope::Read], &[]),
            machine("reconciler", &[Scope::Reconcile], &[]),
        ],
        return_to: vec!["https://panel.acme.example".to_owned()],
        language: Language::English,
        limits: Limits::default(),
    }
}

/// Every space of records there is, read from where they are named.
fn spaces() -> Vec<&'static str> {
    let named = include_str!("../../src/records.rs").lines();
    let spaces: Vec<&str> = named
        .filter_map(|line| line.trim().strip_prefix("pub(crate) const "))
        .filter_map(|line| line.split_once(": &str = \"")?.1.strip_suffix("\";"))
        .collect();
    assert!(spaces.len() > 25, "{spaces:?}");
    spaces
}

/// `maja` is called Maja.
fn name_of(account: &str) -> String {
    let mut letters = account.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default()
}

async fn start(
    settings: &Settings,
    journal: &SharedJournal,
    clock: &Arc<SettableClock>,
    seed: u64,
) -> Gate {
    start_with(settings, journal, clock, seed, None).await
}

async fn start_with(
    settings: &Settings,
    journal: &SharedJournal,
    clock: &Arc<SettableClock>,
    seed: u64,
    pepper: Option<Secret>,
) -> Gate {
    try_start(settings, journal, clock, seed, pepper)
        .await
        .unwrap()
}

async fn try_start(
    settings: &Settings,
    journal: &SharedJournal,
    clock: &Arc<SettableClock>,
    seed: u64,
    pepper: Option<Secret>,
) -> Result<Gate, StartError> {
    let dice = Arc::new(SeededDice::new(seed));
    let hasher = SecretHasher::with_cost(
        HashCost::cheap_for_tests(),
        pepper,
        HashLimits::default(),
        Arc::clone(&dice) as _,
    )
    .unwrap();
    let parts = Parts {
        journal: Arc::clone(journal),
        clock: Arc::clone(clock) as _,
        dice,
        hasher,
        check: Box::new(|_| Ok(())),
    };
    Gate::start(settings.clone(), parts).await
}
