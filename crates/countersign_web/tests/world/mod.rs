//! A small company round the real router: a gate on the memory store (or SQLite) with a clock that stands still, real
//! mail over a real socket, a panel that accepts nothing without a good grant, and people with passkeys who know nothing
//! but what stands on the pages.

pub(crate) mod client;
pub(crate) mod html;

#[path = "../../../countersign_service/tests/gate/backend.rs"]
#[expect(
    dead_code,
    reason = "the panel of the service's own tests, which ask more of it"
)]
pub(crate) mod backend;

#[path = "../../../countersign_service/tests/gate/checker.rs"]
#[expect(
    dead_code,
    reason = "the checker of the service's own tests, which ask more of it"
)]
pub(crate) mod checker;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use countersign_cases::Timestamp;
use countersign_grant::{GrantKey, JwkSet, Verifier};
use countersign_ledger::Policy;
use countersign_service::adapters::clock::{Clock as _, SettableClock};
use countersign_service::adapters::codes::CodeKey;
use countersign_service::adapters::dice::SeededDice;
use countersign_service::adapters::mailer::{MailSecurity, MailServer};
use countersign_service::adapters::secrets::{HashCost, HashLimits, Secret, SecretHasher};
use countersign_service::adapters::smtp_sink::{ReceivedMail, SmtpSink};
use countersign_service::adapters::soft_passkey::SoftPasskey;
use countersign_service::adapters::tokens::{Token, TokenKind};
use countersign_service::adapters::totp::TotpSecret;
use countersign_service::adapters::webhooks::WebhookSecrets;
use countersign_service::reconcile::Mapping;
use countersign_service::settings::{
    AuditFeed, Connector, ConsoleRole, Endpoint, Keys, Limits, MachineToken, MailSettings,
    NewAccount, OtherKeys, Scope, Settings,
};
use countersign_service::{Gate, LogSigner, Operator, Parts};
use countersign_store::{
    Clock as StoreClock, MemoryJournal, SharedJournal, SqliteJournal, SqliteOptions,
};
use countersign_web::{PanelOrigins, Web, WebSettings, router};
use serde_json::{Value, json};

use backend::Backend;
pub(crate) use client::{Client, Seen};

pub(crate) const HOST: &str = "support.acme.example";
pub(crate) const ORIGIN: &str = "https://support.acme.example";
pub(crate) const PROCEDURE: &str = include_str!("acme.procedure");
pub(crate) const MAILBOX: &str = "signe@halden.example";
pub(crate) const MOBILE: &str = "+46701234567";
pub(crate) const PIN: &str = "482913";
pub(crate) const PASSWORD: &str = "correct horse";
/// What the panel signs the events of its own log with.
pub(crate) const AUDIT_SECRET: &str = "whsec_ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA=";

const WEBHOOK_SECRET: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

/// Monday 23 November 2026, 10:00 UTC.
pub(crate) const MONDAY: Timestamp = Timestamp(1_795_428_000_000);

pub(crate) struct World {
    pub(crate) gate: Gate,
    pub(crate) router: Router,
    pub(crate) clock: Arc<SettableClock>,
    pub(crate) journal: SharedJournal,
    pub(crate) mail: SmtpSink,
    pub(crate) panel: Backend,
    pub(crate) signer: LogSigner,
    pub(crate) settings: Settings,
    pub(crate) tokens: BTreeMap<&'static str, Token>,
}

/// Somebody on the staff, with a browser and a passkey.
pub(crate) struct Colleague {
    pub(crate) browser: Client,
    pub(crate) passkey: SoftPasskey,
}

/// Somebody with an account at the company.
pub(crate) struct Customer {
    pub(crate) id: String,
    pub(crate) browser: Client,
    pub(crate) passkey: Option<SoftPasskey>,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// With other settings.
    pub(crate) async fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let clock = Arc::new(SettableClock::new(MONDAY));
        let journal = MemoryJournal::with_clock(Arc::new(signer()), store_clock(&clock));
        Self::start(clock, Arc::new(journal), change).await
    }

    pub(crate) async fn on_sqlite(path: &Path) -> Self {
        let clock = Arc::new(SettableClock::new(MONDAY));
        let options = SqliteOptions {
            clock: store_clock(&clock),
            ..SqliteOptions::default()
        };
        let journal = SqliteJournal::open_with(path, Arc::new(signer()), options)
            .await
            .unwrap();
        Self::start(clock, Arc::new(journal), |_| {}).await
    }

    async fn start(
        clock: Arc<SettableClock>,
        journal: SharedJournal,
        change: impl FnOnce(&mut Settings),
    ) -> Self {
        let signer = signer();
        let mail = SmtpSink::start(0).await.unwrap();
        let verifier = Verifier {
            issuer: ORIGIN.to_owned(),
            audience: "panel".to_owned(),
            keys: JwkSet {
                keys: vec![GrantKey::from_seed(&[4; 32]).unwrap().jwk()],
            }
            .by_kid()
            .unwrap(),
            policy: Policy::of_log(signer.verifier().clone()).unwrap(),
            leeway_s: 0,
        };
        let secrets = WebhookSecrets::parse([WEBHOOK_SECRET]).unwrap();
        let panel = Backend::start(verifier, secrets, Arc::clone(&clock)).await;
        let dice = SeededDice::new(1);
        let names = [
            "panel",
            "customers",
            "eraser",
            "backups",
            "reader",
            "robot",
            "reconciler",
        ];
        let tokens: BTreeMap<&'static str, Token> = names
            .into_iter()
            .map(|name| (name, Token::generate(TokenKind::Machine, &dice)))
            .collect();
        let mut settings = settings(&mail, &panel, &signer, &tokens);
        change(&mut settings);
        let gate = gate(&settings, &journal, &clock, 2).await;
        let router = router_of(&gate, &signer);
        Self {
            gate,
            router,
            clock,
            journal,
            mail,
            panel,
            signer,
            settings,
            tokens,
        }
    }

    /// Another gate on the same store: its successor, or one with other settings.
    pub(crate) async fn restarted(&mut self, change: impl FnOnce(&mut Settings)) {
        change(&mut self.settings);
        self.gate = gate(&self.settings, &self.journal, &self.clock, 7).await;
        self.router = router_of(&self.gate, &self.signer);
    }

    /// This gate with its limits in hand.
    pub(crate) fn web(&self) -> Web {
        Web::new(self.gate.clone(), web_settings(&self.signer))
    }

    /// This gate as the demo serves it.
    pub(crate) fn demo(&self, lobby: &str) -> Router {
        let settings = WebSettings {
            demo: Some(lobby.to_owned()),
            ..web_settings(&self.signer)
        };
        router(Web::new(self.gate.clone(), settings))
    }

    /// This gate with its panel allowed in these pages.
    pub(crate) fn beside(&self, origins: &[&str]) -> Router {
        let origins: Vec<String> = origins.iter().map(|&origin| origin.to_owned()).collect();
        let settings = WebSettings {
            panel: PanelOrigins::new(&origins).unwrap(),
            ..web_settings(&self.signer)
        };
        router(Web::new(self.gate.clone(), settings))
    }

    pub(crate) fn hours(&self, hours: u64) {
        self.clock.advance(Duration::from_secs(hours * 3_600));
    }

    pub(crate) fn minutes(&self, minutes: u64) {
        self.clock.advance(Duration::from_secs(minutes * 60));
    }

    /// What is due is done: letters, waits, hand-overs.
    pub(crate) async fn settle(&self) {
        self.gate.settle().await.unwrap();
    }

    pub(crate) fn visitor(&self) -> Client {
        Client::new(self.router.clone())
    }

    /// A program with its token.
    pub(crate) fn machine(&self, name: &str) -> Client {
        Client::with_token(self.router.clone(), self.tokens[name].expose())
    }

    /// An account of the settings: opens the invitation in a browser, registers a passkey, and is signed in.
    pub(crate) async fn colleague(&self, account: &str) -> Colleague {
        let mut browser = self.visitor();
        let page = browser.get(&self.invitation(account).await).await;
        assert_eq!(page.status, 200, "{}", page.text());
        let (home, passkey) = browser.make_passkey(&page, "laptop").await;
        assert_eq!(home.status, 200, "{}", home.text());
        Colleague { browser, passkey }
    }

    /// Path of a fresh invitation, as the console prints it.
    pub(crate) async fn invitation(&self, account: &str) -> String {
        let invitation = self
            .gate
            .invite_from_console(&Operator::at_the_console(), account)
            .await
            .unwrap();
        format!("/invitation/{}", invitation.token.expose())
    }

    /// Signe of Halden Freight: customer for years, with password, PIN, authenticator and passkey, a mailbox and a mobile.
    pub(crate) async fn signe(&self) -> Customer {
        let mut customers = self.machine("customers");
        let put = customers
            .call("PUT", "/v1/customers/c-1042", &halden(MAILBOX))
            .await;
        assert_eq!(put.status, 201, "{}", put.text());
        self.panel.set_password("c-1042", PASSWORD);
        for (holding, body) in [
            ("pin", json!({ "pin": PIN })),
            (
                "phone",
                json!({ "totp_secret": "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP" }),
            ),
        ] {
            let path = format!("/v1/customers/c-1042/holdings/{holding}");
            let put = customers.call("PUT", &path, &body).await;
            assert_eq!(put.status, 204, "{}", put.text());
        }
        let path = "/v1/customers/c-1042/holdings/key/passkey";
        let begun = customers
            .call("POST", &format!("{path}/start"), &Value::Null)
            .await
            .json();
        let (passkey, credential) = SoftPasskey::create(&begun["publicKey"], ORIGIN).unwrap();
        let answer =
            json!({ "ceremony": begun["ceremony"], "credential": credential, "name": "phone" });
        let finished = customers
            .call("POST", &format!("{path}/finish"), &answer)
            .await;
        assert_eq!(finished.status, 204, "{}", finished.text());
        // What was enrolled just now counts as changed; a month later everything is settled.
        self.hours(31 * 24);
        Customer {
            id: "c-1042".to_owned(),
            browser: self.visitor(),
            passkey: Some(passkey),
        }
    }

    /// Somebody of whom the gate knows a name and a mailbox, and nothing to prove with but that.
    pub(crate) async fn ole(&self) -> Customer {
        let body = json!({
            "name": "Ole Berg", "number": "50001", "domains": ["berg.example"],
            "contacts": [{ "channel": "mailbox", "address": "ole@berg.example", "since_ms": MONDAY.0 - 86_400_000_000 }],
        });
        let put = self
            .machine("customers")
            .call("PUT", "/v1/customers/c-2077", &body)
            .await;
        assert_eq!(put.status, 201, "{}", put.text());
        Customer {
            id: "c-2077".to_owned(),
            browser: self.visitor(),
            passkey: None,
        }
    }

    pub(crate) async fn attest_backups(&self, customer: &str, grade: &str) {
        for place in ["stockholm", "falun"] {
            let body = json!({ "grade": grade, "place": place, "at_ms": self.clock.now().0 - 3_600_000, "compared": "4,211 files" });
            let attested = self
                .machine("backups")
                .call("POST", &format!("/v1/customers/{customer}/backups"), &body)
                .await;
            assert_eq!(attested.status, 204, "{}", attested.text());
        }
    }

    pub(crate) fn app_code(&self) -> String {
        let secret =
            TotpSecret::from_bytes(b"Hello!\xDE\xAD\xBE\xEFHello!\xDE\xAD\xBE\xEF").unwrap();
        secret.code_now(self.clock.now())
    }

    /// The newest code that was mailed there.
    pub(crate) async fn mailed_code(&self, address: &str) -> String {
        self.settle().await;
        let mail = self.mail.mails_to(address).pop().expect("a code was sent");
        mail.text().lines().next().unwrap().to_owned()
    }

    /// Path of the stop link in the newest notice to this address.
    pub(crate) fn stop_link(&self, address: &str) -> String {
        let text = self
            .mail
            .mails_to(address)
            .iter()
            .rev()
            .map(ReceivedMail::text)
            .find(|text| text.contains("/v/"))
            .expect("a notice was sent");
        let link = text
            .split_whitespace()
            .find(|word| word.contains("/v/"))
            .unwrap();
        link.strip_prefix(ORIGIN).unwrap().to_owned()
    }

    /// The state of a case, as the machine that may read it is told.
    pub(crate) async fn state(&self, case: &str) -> String {
        let read = self
            .machine("reader")
            .read(&format!("/v1/cases/{case}"))
            .await;
        assert_eq!(read.status, 200, "{}", read.text());
        read.json()["state"].as_str().unwrap().to_owned()
    }

    /// A case by the API, for tests that are about something else.
    pub(crate) async fn case_of(&self, by: &mut Colleague, request: &Value) -> String {
        let opened = by.browser.call("POST", "/v1/cases", request).await;
        assert_eq!(opened.status, 201, "{}", opened.text());
        opened.json()["id"].as_str().unwrap().to_owned()
    }

    /// The customer sits down at the page of this case, by a fresh link.
    pub(crate) async fn sit(
        &self,
        by: &mut Colleague,
        case: &str,
        customer: &mut Customer,
    ) -> Seen {
        let link = self.link(by, case).await;
        let page = customer.browser.get(&link).await;
        assert_eq!(page.status, 200, "{}", page.text());
        customer
            .browser
            .press(&page, "Yes, I asked for this", &[])
            .await
    }

    /// Path of a fresh link.
    pub(crate) async fn link(&self, by: &mut Colleague, case: &str) -> String {
        let link = by
            .browser
            .call("POST", &format!("/v1/cases/{case}/link"), &Value::Null)
            .await;
        assert_eq!(link.status, 201, "{}", link.text());
        let url = link.json()["url"].as_str().unwrap().to_owned();
        url.strip_prefix(ORIGIN).unwrap().to_owned()
    }

    pub(crate) fn ran(&self) -> usize {
        self.panel.ran().len()
    }
}

impl Colleague {
    /// The next morning: the session ran out, the passkey is still there.
    pub(crate) async fn signs_in(&mut self) {
        let page = self.browser.get("/sign-in").await;
        let home = self.browser.use_passkey(&page, &mut self.passkey).await;
        assert_eq!(home.status, 200, "{}", home.text());
    }

    /// Takes a code at the desk and signs in to a panel with it: a frame with cookies of its own.
    pub(crate) async fn panel(&mut self, router: &Router) -> Client {
        self.browser.moves_to(router);
        let page = self.browser.get("/panel/sign-in").await;
        let page = self
            .browser
            .press(&page, "Make a code for the panel", &[])
            .await;
        let code = html::of_class(page.body(), "number").remove(0);
        let mut frame = Client::new(router.clone());
        let page = frame.get("/panel").await;
        assert_eq!(page.h1(), "Sign in to the panel");
        let page = frame.press(&page, "Let me in", &[("code", &code)]).await;
        assert_eq!(page.h1(), "For which customer?", "{}", page.text());
        frame
    }

    /// Signs for a case, from its approval page.
    pub(crate) async fn signs(&mut self, case: &str) -> Seen {
        let page = self.browser.get(&format!("/approvals/{case}")).await;
        self.browser.use_passkey(&page, &mut self.passkey).await
    }
}

impl Customer {
    /// Chooses a way on the page that offers several.
    pub(crate) async fn chooses(&mut self, page: &Seen, way: &str) -> Seen {
        self.browser.press(page, "Continue", &[("way", way)]).await
    }

    /// Proves with something that is typed, from wherever they are.
    pub(crate) async fn types(&mut self, way: &str, answer: &str) -> Seen {
        let page = self.browser.get(&format!("/c/prove/{way}")).await;
        self.browser
            .press(&page, "Check the", &[("secret", answer)])
            .await
    }

    /// Asks for a code by mail, reads it, and types it.
    pub(crate) async fn types_mailed_code(&mut self, world: &World, address: &str) -> Seen {
        let page = self.browser.get("/c/prove").await;
        let page = if page.has_button("Continue") {
            self.chooses(&page, "mail_code").await
        } else {
            page
        };
        let code = world.mailed_code(address).await;
        self.browser
            .press(&page, "Check the code", &[("secret", &code)])
            .await
    }

    /// Reads the words and says yes to them.
    pub(crate) async fn confirms(&mut self) -> Seen {
        let page = self.browser.get("/c/confirm").await;
        let number = told(&page, "Yes: ");
        let filled: &[(&str, &str)] =
            if page.form("Yes: ").names.iter().any(|name| name == "number") {
                &[("number", &number)]
            } else {
                &[]
            };
        self.browser.press(&page, "Yes: ", filled).await
    }
}

/// The two digits the agent reads off the desk for the words on this page; the journeys read them there.
pub(crate) fn told(confirm: &Seen, button: &str) -> String {
    let form = confirm.form(button);
    let digest = form.fields.iter().find(|(name, _)| name == "digest");
    let digest = countersign_cases::Digest::from_hex(&digest.unwrap().1).unwrap();
    CodeKey::new(&[5; 32]).two_digits(&digest.0)
}

pub(crate) fn reinstall(customer: &str) -> Value {
    json!({
        "customer": customer, "action": "server.reinstall",
        "parameters": { "server": "web-3", "image": "debian-13" },
        "reason": "the customer says the disk is full", "reference": "chat 48213",
    })
}

pub(crate) fn change_email(customer: &str, address: &str) -> Value {
    json!({
        "customer": customer, "action": "email.change", "parameters": { "address": address },
        "reason": "the customer has a new mailbox", "reference": "chat 48213",
    })
}

pub(crate) fn transfer(customer: &str) -> Value {
    json!({
        "customer": customer, "action": "account.transfer", "parameters": { "company": "Nordby AS" },
        "reason": "the company was sold last week", "reference": "chat 48214",
    })
}

pub(crate) fn without_parameters(customer: &str, action: &str) -> Value {
    json!({
        "customer": customer, "action": action, "parameters": {},
        "reason": "the customer asked in the chat", "reference": "chat 48213",
    })
}

pub(crate) fn halden(mailbox: &str) -> Value {
    json!({
        "name": "Halden Freight AB", "number": "48213", "attributes": { "plan": "business" },
        "domains": ["halden.example"], "since_ms": MONDAY.0 - 5 * 365 * 86_400_000,
        "contacts": [
            { "channel": "mailbox", "address": mailbox, "since_ms": MONDAY.0 - 4 * 365 * 86_400_000 },
            { "channel": "mobile", "address": MOBILE },
        ],
        "held": [{ "holding": "password" }],
    })
}

fn signer() -> LogSigner {
    LogSigner::new("support.acme.example/ledger", &[3; 32]).unwrap()
}

fn store_clock(clock: &Arc<SettableClock>) -> StoreClock {
    let clock = Arc::clone(clock);
    StoreClock::new(move || clock.now().0)
}

fn settings(
    mail: &SmtpSink,
    panel: &Backend,
    signer: &LogSigner,
    tokens: &BTreeMap<&'static str, Token>,
) -> Settings {
    let secrets = || vec![Secret::new(WEBHOOK_SECRET)];
    let account = |account: &str, person: &str, name: &str, roles: &[&str]| NewAccount {
        account: account.to_owned(),
        person: person.to_owned(),
        name: name.to_owned(),
        email: format!("{account}@acme.example"),
        roles: roles.iter().map(|role| (*role).to_owned()).collect(),
        console: Vec::new(),
        concerned: Vec::new(),
        subject: None,
    };
    let machine = |name: &str, scopes: &[Scope], roles: &[&str]| MachineToken {
        name: name.to_owned(),
        token: tokens[name].hash(),
        scopes: scopes.to_vec(),
        robot_roles: roles.iter().map(|role| (*role).to_owned()).collect(),
    };
    Settings {
        procedure: PROCEDURE.to_owned(),
        procedure_role: "senior".to_owned(),
        origin: ORIGIN.to_owned(),
        rp_id: HOST.to_owned(),
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
            account("maja", "p-maja", "Maja", &["agent"]),
            account("tomas", "p-tomas", "Tomas", &["agent"]),
            account("idris", "p-idris", "Idris", &["senior"]),
            account("petra", "p-petra", "Petra", &["senior"]),
            // Idris once more, from another account.
            account("idris2", "p-idris", "Idris too", &["senior"]),
            NewAccount {
                concerned: vec!["c-1042".to_owned()],
                ..account("halvar", "p-halvar", "Halvar", &["senior"])
            },
            NewAccount {
                console: vec![ConsoleRole::Admin],
                ..account("root", "p-root", "Rut", &[])
            },
            NewAccount {
                console: vec![ConsoleRole::Auditor],
                ..account("alva", "p-alva", "Alva", &[])
            },
        ],
        machines: vec![
            machine("panel", &[Scope::Panel], &[]),
            machine("customers", &[Scope::Customers], &[]),
            machine("eraser", &[Scope::Erase], &[]),
            machine("backups", &[Scope::Backups], &[]),
            machine("reader", &[Scope::Read], &[]),
            machine("robot", &[Scope::Robot], &["agent"]),
            machine("reconciler", &[Scope::Reconcile], &[]),
        ],
        return_to: vec!["https://panel.acme.example".to_owned()],
        language: countersign_service::Language::English,
        limits: Limits {
            lookups_per_hour: 100_000,
            answers_per_minute: 100_000,
            ..Limits::default()
        },
    }
}

async fn gate(
    settings: &Settings,
    journal: &SharedJournal,
    clock: &Arc<SettableClock>,
    seed: u64,
) -> Gate {
    let dice = Arc::new(SeededDice::new(seed));
    let hasher = SecretHasher::with_cost(
        HashCost::cheap_for_tests(),
        None,
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
    Gate::start(settings.clone(), parts).await.unwrap()
}

fn router_of(gate: &Gate, signer: &LogSigner) -> Router {
    router(Web::new(gate.clone(), web_settings(signer)))
}

fn web_settings(signer: &LogSigner) -> WebSettings {
    WebSettings {
        log_key: signer.verifier().clone(),
        time_zone: "UTC".to_owned(),
        demo: None,
        trusted_proxies: Vec::new(),
        panel: PanelOrigins::default(),
    }
}
