//! A small company round a gate that people reach with their browsers.
//!
//! [`Company::new`] starts the program as an operator does: `countersign init`, a changed configuration, `countersign
//! serve`. Only where a story has a day to wait, [`Company::with_clock`] puts the same gate, the same pages and the same
//! database into the test's own process, with a clock that can be moved on: the program has no door for that.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use countersign_cases::Timestamp;
use countersign_grant::{JwkSet, Verifier};
use countersign_ledger::{Policy, VerifierKey};
use countersign_service::adapters::clock::{Clock, SystemClock};
use countersign_service::adapters::dice::{Dice, SystemDice, random_bytes};
use countersign_service::adapters::http::install_tls_provider;
use countersign_service::adapters::mailer::{MailSecurity, MailServer};
use countersign_service::adapters::secrets::{HashLimits, Secret, SecretHasher};
use countersign_service::adapters::smtp_sink::SmtpSink;
use countersign_service::adapters::tokens::{Token, TokenKind};
use countersign_service::adapters::webhooks::{WebhookSecret, WebhookSecrets};
use countersign_service::settings::{
    Connector, ConsoleRole, Endpoint, Keys, Limits, MachineToken, MailSettings, NewAccount, Scope,
    Settings,
};
use countersign_service::{Gate, LogSigner, Operator, Parts};
use countersign_store::{Clock as StoreClock, SqliteJournal, SqliteOptions};
use countersign_web::{Web, WebSettings, router};
use futures_util::future::BoxFuture;
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::common::{self, Installation};
use crate::panel::Panel;
use crate::people;

/// The procedure in force: the one that `countersign init` writes.
const PROCEDURE: &str = include_str!("../../../../procedures/hosting.procedure");

/// Account, human being, name, roles of the procedure, roles of the console.
type Colleague = (
    &'static str,
    &'static str,
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
);

const STAFF: [Colleague; 6] = [
    ("maja", "p-maja", "Maja", &["agent"], &[]),
    // Maja once more, from the days when she stood in for a senior.
    ("maja2", "p-maja", "Maja too", &["senior"], &[]),
    ("tomas", "p-tomas", "Tomas", &["agent"], &[]),
    ("idris", "p-idris", "Idris", &["senior"], &[]),
    ("petra", "p-petra", "Petra", &[], &["admin"]),
    ("alva", "p-alva", "Alva", &[], &["auditor"]),
];

/// A gate, and everything round it. Ends with the test.
pub(crate) struct Company {
    /// As people type it.
    pub(crate) origin: String,
    pub(crate) panel: Panel,
    pub(crate) mail: SmtpSink,
    /// With which anyone checks a receipt.
    pub(crate) log_key: VerifierKey,
    http: reqwest::Client,
    panel_token: String,
    backup_token: String,
    house: House,
}

enum House {
    /// `countersign serve`.
    Program {
        invitations: Mutex<BTreeMap<String, String>>,
        gate: common::Gate,
        _installation: Installation,
    },
    /// The gate in this process.
    Here {
        gate: Gate,
        clock: Arc<MovableClock>,
        _folder: TempDir,
    },
}

impl Company {
    /// The program itself.
    pub(crate) async fn new() -> Self {
        let installation = tokio::task::spawn_blocking(Installation::new)
            .await
            .unwrap();
        let mail = SmtpSink::start(0).await.unwrap();
        let secrets =
            ["panel", "password"].map(|name| installation.read(&format!("keys/{name}.whsec")));
        let secrets = WebhookSecrets::parse(secrets.iter().map(String::as_str)).unwrap();
        let panel = Panel::start(secrets, Arc::new(SystemClock)).await;
        let port = free_port().await;
        let origin = format!("http://localhost:{port}");
        let backups = Token::generate(TokenKind::Machine, &SystemDice);
        std::fs::write(installation.path("keys/backups.token"), backups.expose()).unwrap();
        for (from, to) in [
            ("127.0.0.1:0".to_owned(), format!("127.0.0.1:{port}")),
            ("http://localhost:4180".to_owned(), origin.clone()),
            (
                "smtp://localhost:25".to_owned(),
                format!("smtp://{}", mail.address()),
            ),
            (
                "http://localhost:4181/countersign/password".to_owned(),
                format!("{}/password", panel.url),
            ),
            (
                "http://localhost:4181/countersign/run".to_owned(),
                format!("{}/run", panel.url),
            ),
            (
                "http://localhost:4181/countersign/status".to_owned(),
                format!("{}/run", panel.url),
            ),
        ] {
            installation.edit(&from, &to);
        }
        installation.append(&format!(
            "[text]\nurl = \"{}/text\"\nsecret = {{ file = \"keys/panel.whsec\" }}\n\
             [machines.backups]\ntoken = {{ file = \"keys/backups.token\" }}\nmay = [\"backups\"]\n{}",
            panel.url,
            staff_sections()
        ));
        let invited: Vec<&str> = STAFF
            .iter()
            .flat_map(|(account, ..)| ["--invite", account])
            .collect();
        let mut gate = installation.serve(&invited);
        let mut invitations = BTreeMap::new();
        for (account, ..) in STAFF {
            let line = gate.line();
            let (_, url) = line
                .split_once(&format!("{origin}/invitation/"))
                .expect(&line);
            invitations.insert(
                account.to_owned(),
                format!("{origin}/invitation/{}", url.trim()),
            );
        }
        let panel_token = installation.read("keys/panel.token");
        let house = House::Program {
            invitations: Mutex::new(invitations),
            gate,
            _installation: installation,
        };
        Self::open(
            origin,
            panel,
            mail,
            panel_token,
            backups.expose().to_owned(),
            house,
        )
        .await
    }

    /// The same in this process, with a clock that [`Self::hours`] moves on.
    pub(crate) async fn with_clock() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(MovableClock::new());
        let mail = SmtpSink::start(0).await.unwrap();
        let secret = WebhookSecret::generate(&SystemDice);
        let panel = Panel::start(
            WebhookSecrets::parse([secret.expose_text()]).unwrap(),
            Arc::clone(&clock) as _,
        )
        .await;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let origin = format!("http://localhost:{port}");
        let signer = LogSigner::new(
            &format!("localhost:{port}/ledger"),
            &random_bytes(&SystemDice),
        )
        .unwrap();
        let [panel_token, backup_token] =
            [(); 2].map(|()| Token::generate(TokenKind::Machine, &SystemDice));
        let settings = settings(
            &origin,
            &panel,
            &mail,
            &signer,
            &secret,
            [&panel_token, &backup_token],
        );
        let journal = {
            let clock = Arc::clone(&clock);
            let options = SqliteOptions {
                clock: StoreClock::new(move || clock.now().0),
                ..SqliteOptions::default()
            };
            let file = folder.path().join("countersign.db");
            SqliteJournal::open_with(file, Arc::new(signer.clone()), options)
                .await
                .unwrap()
        };
        let dice: Arc<dyn Dice> = Arc::new(SystemDice);
        let parts = Parts {
            journal: Arc::new(journal),
            clock: Arc::clone(&clock) as _,
            hasher: SecretHasher::new(None, HashLimits::default(), Arc::clone(&dice)).unwrap(),
            dice,
            // The program's own start proves the promises; this one is here for its clock.
            check: Box::new(|_| Ok(())),
        };
        let gate = Gate::start(settings, parts).await.unwrap();
        let web = Web::new(
            gate.clone(),
            WebSettings {
                log_key: signer.verifier().clone(),
                time_zone: "UTC".to_owned(),
                demo: None,
                trusted_proxies: Vec::new(),
                panel: countersign_web::PanelOrigins::default(),
            },
        );
        tokio::spawn(async move { axum::serve(listener, router(web)).await });
        let working = gate.clone();
        tokio::spawn(async move { working.work(std::future::pending()).await });
        let [panel_token, backup_token] =
            [panel_token, backup_token].map(|token| token.expose().to_owned());
        let house = House::Here {
            gate,
            clock,
            _folder: folder,
        };
        Self::open(origin, panel, mail, panel_token, backup_token, house).await
    }

    /// The panel learns the gate's keys as any backend does.
    async fn open(
        origin: String,
        panel: Panel,
        mail: SmtpSink,
        panel_token: String,
        backup_token: String,
        house: House,
    ) -> Self {
        install_tls_provider();
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_secs(20))
            .build()
            .unwrap();
        let published = http
            .get(format!("{origin}/.well-known/countersign"))
            .send()
            .await
            .unwrap();
        let published: Value = published.json().await.unwrap();
        let log_key: VerifierKey = published["ledger"]["key"]
            .as_str()
            .unwrap()
            .parse()
            .unwrap();
        let keys: JwkSet = serde_json::from_value(published["grant_keys"].clone()).unwrap();
        panel.trust(Verifier {
            issuer: origin.clone(),
            audience: "panel".to_owned(),
            keys: keys.by_kid().unwrap(),
            policy: Policy::of_log(log_key.clone()).unwrap(),
            leeway_s: 0,
        });
        Self {
            origin,
            panel,
            mail,
            log_key,
            http,
            panel_token,
            backup_token,
            house,
        }
    }

    /// The address of a page.
    pub(crate) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }

    /// The link with which an account of [`STAFF`] registers its first passkey; once.
    pub(crate) async fn invitation(&self, account: &str) -> String {
        match &self.house {
            House::Program { invitations, .. } => invitations
                .lock()
                .unwrap()
                .remove(account)
                .expect("an account of the company, invited once"),
            House::Here { gate, .. } => {
                let issued = gate
                    .invite_from_console(&Operator::at_the_console(), account)
                    .await
                    .unwrap();
                self.at(&format!("/invitation/{}", issued.token.expose()))
            }
        }
    }

    /// Time goes by.
    pub(crate) fn hours(&self, hours: u64) {
        match &self.house {
            House::Here { clock, .. } => clock.move_on(Duration::from_secs(hours * 3_600)),
            House::Program { gate, .. } => panic!("{} goes by the machine's clock", gate.url),
        }
    }

    /// What is due is done: letters, waits, hand-overs.
    pub(crate) async fn settle(&self) {
        match &self.house {
            House::Here { gate, .. } => gate.settle().await.unwrap(),
            House::Program { gate, .. } => panic!("{} settles when it likes", gate.url),
        }
    }

    /// Signe of Halden Freight has been a customer for years, with a password, a PIN, a mailbox and a mobile.
    pub(crate) async fn knows_signe(&self) {
        self.panel.set_password(people::CUSTOMER, people::PASSWORD);
        let path = format!("/v1/customers/{}", people::CUSTOMER);
        let mailbox = json!({ "channel": "mailbox", "address": people::MAILBOX, "since_ms": people::YEARS_AGO });
        self.put(&path, &people::halden(&mailbox)).await;
        self.put(
            &format!("{path}/holdings/pin"),
            &json!({ "pin": people::PIN }),
        )
        .await;
    }

    /// Ole Berg has a password and a mailbox, and never set a PIN.
    pub(crate) async fn knows_ole(&self) {
        self.put("/v1/customers/c-2077", &people::ole()).await;
    }

    async fn put(&self, path: &str, body: &Value) {
        let (status, answer) = self.ask(Method::PUT, path, body).await;
        assert!((200..300).contains(&status), "{path}: {answer}");
    }

    /// Signe's address on file becomes this one, today.
    pub(crate) async fn mailbox_becomes(&self, address: &str) {
        let body = people::halden(&json!({ "channel": "mailbox", "address": address }));
        self.put(&format!("/v1/customers/{}", people::CUSTOMER), &body)
            .await;
    }

    /// Asks the API as the company's panel; the status and the answer.
    pub(crate) async fn ask(&self, method: Method, path: &str, body: &Value) -> (u16, Value) {
        self.ask_with(&self.panel_token, method, path, body).await
    }

    /// Last night's backup of a customer's servers, in two places, read back.
    pub(crate) async fn attest_backups(&self, customer: &str) {
        let now = match &self.house {
            House::Here { clock, .. } => clock.now(),
            House::Program { .. } => SystemClock.now(),
        };
        for place in ["stockholm", "falun"] {
            let body = json!({
                "grade": "verified", "place": place, "at_ms": now.0 - 3_600_000, "compared": "4,211 files",
            });
            let path = format!("/v1/customers/{customer}/backups");
            let (status, answer) = self
                .ask_with(&self.backup_token, Method::POST, &path, &body)
                .await;
            assert_eq!(status, 204, "{answer}");
        }
    }

    async fn ask_with(
        &self,
        token: &str,
        method: Method,
        path: &str,
        body: &Value,
    ) -> (u16, Value) {
        let request = self
            .http
            .request(method, self.at(path))
            .bearer_auth(token)
            .json(body);
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let text = answer.text().await.unwrap();
        (
            status,
            serde_json::from_str(&text).unwrap_or(Value::String(text)),
        )
    }

    /// Somebody who has no browser and no cookie: a mail scanner, a script of a stranger.
    pub(crate) fn stranger(&self) -> &reqwest::Client {
        &self.http
    }

    /// The newest letter to this address in which these words stand, waited for.
    pub(crate) async fn letter(&self, address: &str, words: &str) -> String {
        let begun = std::time::Instant::now();
        loop {
            let letters = self.mail.mails_to(address);
            if let Some(letter) = letters
                .iter()
                .rev()
                .map(countersign_service::adapters::smtp_sink::ReceivedMail::text)
                .find(|text| text.contains(words))
            {
                return letter;
            }
            assert!(
                begun.elapsed() < Duration::from_secs(20),
                "no letter to {address} says `{words}`"
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Waits until these words came to this number as a text message.
    pub(crate) async fn text_comes(&self, number: &str, words: &str) {
        let begun = std::time::Instant::now();
        while !self
            .panel
            .texts()
            .iter()
            .any(|(to, text)| to == number && text.contains(words))
        {
            assert!(
                begun.elapsed() < Duration::from_secs(20),
                "no text to {number} says `{words}`"
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// The newest code that was mailed there.
    pub(crate) async fn mailed_code(&self, address: &str) -> String {
        let letter = self.letter(address, "code").await;
        letter.lines().next().unwrap().trim().to_owned()
    }

    /// The stop link of the newest notice to this address.
    pub(crate) async fn stop_link(&self, address: &str) -> String {
        let beginning = self.at("/v/");
        let letter = self.letter(address, &beginning).await;
        letter
            .split_whitespace()
            .find(|word| word.starts_with(&beginning))
            .unwrap()
            .to_owned()
    }
}

fn staff_sections() -> String {
    STAFF
        .iter()
        .map(|(account, person, name, roles, console)| {
            format!(
                "[staff.{account}]\nname = \"{name}\"\nemail = \"{account}@acme.example\"\nperson = \"{person}\"\nroles = {roles:?}\nconsole = {console:?}\n"
            )
        })
        .collect()
}

fn settings(
    origin: &str,
    panel: &Panel,
    mail: &SmtpSink,
    signer: &LogSigner,
    secret: &Secret,
    [panel_token, backup_token]: [&Token; 2],
) -> Settings {
    let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    let endpoint = |path: &str| Endpoint {
        url: format!("{}{path}", panel.url),
        secrets: vec![secret.clone()],
    };
    let staff = STAFF
        .iter()
        .map(|(account, person, name, roles, console)| NewAccount {
            account: (*account).to_owned(),
            person: (*person).to_owned(),
            name: (*name).to_owned(),
            email: format!("{account}@acme.example"),
            roles: owned(roles),
            console: console
                .iter()
                .map(|role| {
                    if *role == "admin" {
                        ConsoleRole::Admin
                    } else {
                        ConsoleRole::Auditor
                    }
                })
                .collect(),
            concerned: Vec::new(),
            subject: None,
        });
    let machine = |name: &str, token: &Token, scopes: &[Scope]| MachineToken {
        name: name.to_owned(),
        token: token.hash(),
        scopes: scopes.to_vec(),
        robot_roles: Vec::new(),
    };
    Settings {
        procedure: PROCEDURE.to_owned(),
        procedure_role: "senior".to_owned(),
        origin: origin.to_owned(),
        rp_id: "localhost".to_owned(),
        keys: Keys {
            grant_seed: random_bytes(&SystemDice),
            codes: random_bytes(&SystemDice),
            seal: random_bytes(&SystemDice),
            others: countersign_service::settings::OtherKeys::default(),
        },
        log_verifier: signer.verifier().to_string(),
        connectors: vec![Connector {
            name: "panel".to_owned(),
            url: format!("{}/run", panel.url),
            status_url: None,
            secrets: vec![secret.clone()],
            audit: None,
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
        text: Some(endpoint("/text")),
        password: Some(endpoint("/password")),
        company_login: None,
        checkers: Vec::new(),
        staff_login: None,
        staff: staff.collect(),
        machines: vec![
            machine("panel", panel_token, &[Scope::Panel, Scope::Customers]),
            machine("backups", backup_token, &[Scope::Backups]),
        ],
        return_to: Vec::new(),
        language: countersign_service::Language::English,
        limits: Limits::default(),
    }
}

/// A port that nobody had a moment ago: the configuration names the origin before the program listens.
async fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    listener.local_addr().unwrap().port()
}

/// The machine's clock, some time ahead.
#[derive(Debug)]
struct MovableClock {
    ahead_ms: watch::Sender<i64>,
}

impl MovableClock {
    fn new() -> Self {
        Self {
            ahead_ms: watch::Sender::new(0),
        }
    }

    fn move_on(&self, by: Duration) {
        let by = i64::try_from(by.as_millis()).unwrap();
        self.ahead_ms.send_modify(|ahead| *ahead += by);
    }
}

impl Clock for MovableClock {
    fn now(&self) -> Timestamp {
        Timestamp(SystemClock.now().0 + *self.ahead_ms.borrow())
    }

    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'_, ()> {
        let mut moved = self.ahead_ms.subscribe();
        Box::pin(async move {
            loop {
                moved.mark_unchanged();
                let Ok(left @ 1..) = u64::try_from(at.0 - self.now().0) else {
                    return;
                };
                let _ = tokio::time::timeout(Duration::from_millis(left), moved.changed()).await;
            }
        })
    }
}
