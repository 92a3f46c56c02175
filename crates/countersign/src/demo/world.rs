//! The company of the demo: a gate, its panel, its mail, its staff and two customers. All of it made up.
//!
//! What is set up inside this program is what an operator sets up by hand:
//! addresses, keys, tokens, the first account. Everything else (staff,
//! customers, what they hold) arrives at the gate over HTTP.

use std::fs;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use axum::Router;
use countersign_grant::{JwkSet, Verifier};
use countersign_ledger::{Policy, VerifierKey};
use countersign_service::adapters::clock::Clock;
use countersign_service::adapters::dice::{Dice, SystemDice, random_bytes};
use countersign_service::adapters::mailer::{MailSecurity, MailServer};
use countersign_service::adapters::secrets::{HashLimits, SecretHasher};
use countersign_service::adapters::smtp_sink::SmtpSink;
use countersign_service::adapters::soft_passkey::SoftPasskey;
use countersign_service::adapters::tokens::{Token, TokenKind};
use countersign_service::adapters::totp::{TotpEnrolment, TotpSecret};
use countersign_service::adapters::webhooks::{WebhookSecret, WebhookSecrets};
use countersign_service::settings::{
    Connector, ConsoleRole, Endpoint, Keys, Limits, MachineToken, MailSettings, NewAccount,
    OtherKeys, Scope, Settings,
};
use countersign_service::{Gate, LogSigner, Operator, Parts};
use countersign_store::{Clock as StoreClock, SqliteJournal, SqliteOptions};
use countersign_web::{Web, WebSettings};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Mutex;

use super::clock::DemoClock;
use super::letters::Texts;
use super::panel::Panel;
use super::people::{Colleague, Http, Machine, options, text};
use crate::installation::objections;

/// The procedure in force: the one that the documents and `countersign init` use.
pub(crate) const PROCEDURE: &str = include_str!("../../../../procedures/hosting.procedure");
/// Where it lies in the source tree.
pub(crate) const PROCEDURE_PATH: &str = "procedures/hosting.procedure";

/// Customers have been customers for at least this long when the demo begins: everything they hold is settled.
const BEFORE: Duration = Duration::from_hours(31 * 24);

/// Everything there is.
#[derive(Debug)]
pub(crate) struct World {
    /// The only time there is.
    pub(crate) clock: Arc<DemoClock>,
    /// The gate, from outside.
    pub(crate) http: Http,
    /// The panel's own view of its servers.
    pub(crate) panel: Panel,
    /// Where the panel is.
    pub(crate) panel_origin: String,
    /// Where the lobby is.
    pub(crate) lobby_origin: String,
    /// Letters as they arrive.
    pub(crate) mail: SmtpSink,
    /// Text messages as they arrive.
    pub(crate) texts: Texts,
    /// May open cases for its own customers.
    pub(crate) panel_machine: Machine,
    /// May attest backups, and nothing else.
    pub(crate) backup_machine: Machine,
    /// The program that reads the panel's own log.
    pub(crate) log_machine: Machine,
    /// A support agent.
    pub(crate) maja: Mutex<Colleague>,
    /// Another.
    pub(crate) tomas: Mutex<Colleague>,
    /// A senior support agent.
    pub(crate) idris: Mutex<Colleague>,
    /// Looks after staff accounts, and has no power over cases.
    pub(crate) petra: Mutex<Colleague>,
    /// The customer of the first two stories.
    pub(crate) signe: Customer,
    /// The customer who loses her phone.
    pub(crate) tora: Customer,
    /// Wakes whenever something was committed.
    news: tokio::sync::watch::Receiver<u64>,
    journal: Arc<SqliteJournal>,
    folder: Folder,
}

/// A customer, and what they know and have.
#[derive(Debug)]
pub(crate) struct Customer {
    /// The company's id.
    pub(crate) id: &'static str,
    /// First name of whoever speaks for them.
    pub(crate) person: &'static str,
    /// Name of the account.
    pub(crate) account: &'static str,
    /// Customer number.
    number: &'static str,
    /// Mailbox.
    pub(crate) mailbox: &'static str,
    /// Mobile number, out of those that Sweden keeps for fiction.
    pub(crate) mobile: &'static str,
    /// Account password.
    pub(crate) password: &'static str,
    /// Support PIN.
    pub(crate) pin: &'static str,
    /// The authenticator app.
    pub(crate) app: TotpEnrolment,
    /// The passkey, if they have one.
    pub(crate) passkey: Option<Mutex<SoftPasskey>>,
    /// Their server.
    pub(crate) server: &'static str,
    /// What it runs at the beginning.
    image: &'static str,
}

/// Where the database is; removed in the end unless somebody asked for it.
#[derive(Debug)]
struct Folder {
    path: PathBuf,
    keep: bool,
}

impl World {
    /// Starts all of it, and takes the port of the lobby.
    pub(crate) async fn start(port: u16, data: Option<&Path>) -> anyhow::Result<(Self, Door)> {
        let [gate_door, panel_door, lobby_door] = doors(port).await?;
        let folder = Folder::new(data)?;
        let clock = Arc::new(DemoClock::begun(BEFORE));
        let origin = gate_door.origin();
        let dice: Arc<dyn Dice> = Arc::new(SystemDice);

        let mail = SmtpSink::start(0).await.context("no port for mail")?;
        let webhook = WebhookSecret::generate(&*dice);
        let webhooks = || WebhookSecrets::parse([webhook.expose_text()]);
        let texts = Texts::new(webhooks()?, Arc::clone(&clock) as Arc<dyn Clock>);

        let signer = LogSigner::new(
            &format!("localhost:{}/ledger", gate_door.port),
            &random_bytes(&*dice),
        )?;
        let token = || Token::generate(TokenKind::Machine, &*dice);
        let (panel_token, backup_token, log_token) = (token(), token(), token());
        let settings = Settings {
            procedure: PROCEDURE.to_owned(),
            procedure_role: "senior".to_owned(),
            origin: origin.clone(),
            rp_id: "localhost".to_owned(),
            keys: Keys {
                grant_seed: random_bytes(&*dice),
                codes: random_bytes(&*dice),
                seal: random_bytes(&*dice),
                others: OtherKeys::default(),
            },
            log_verifier: signer.verifier().to_string(),
            connectors: vec![Connector {
                name: "panel".to_owned(),
                url: panel_door.address("/countersign/run"),
                status_url: Some(panel_door.address("/countersign/status")),
                secrets: vec![webhook.clone()],
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
            text: Some(Endpoint {
                url: panel_door.address("/countersign/text"),
                secrets: vec![webhook.clone()],
            }),
            password: Some(Endpoint {
                url: panel_door.address("/countersign/password"),
                secrets: vec![webhook.clone()],
            }),
            company_login: None,
            checkers: Vec::new(),
            staff_login: None,
            staff: vec![petra()],
            machines: vec![
                MachineToken {
                    name: "panel".to_owned(),
                    token: panel_token.hash(),
                    scopes: vec![Scope::Panel, Scope::Customers],
                    robot_roles: Vec::new(),
                },
                MachineToken {
                    name: "backups".to_owned(),
                    token: backup_token.hash(),
                    scopes: vec![Scope::Backups],
                    robot_roles: Vec::new(),
                },
                MachineToken {
                    name: "reconcile".to_owned(),
                    token: log_token.hash(),
                    scopes: vec![Scope::Reconcile],
                    robot_roles: Vec::new(),
                },
            ],
            return_to: vec![panel_door.origin()],
            language: countersign_service::Language::English,
            limits: Limits::default(),
        };
        let journal = {
            let clock = Arc::clone(&clock);
            let options = SqliteOptions {
                clock: StoreClock::new(move || clock.now().0),
                ..SqliteOptions::default()
            };
            let file = folder.path.join("countersign.db");
            Arc::new(SqliteJournal::open_with(file, Arc::new(signer.clone()), options).await?)
        };
        let parts = Parts {
            journal: Arc::clone(&journal) as _,
            clock: Arc::clone(&clock) as _,
            hasher: SecretHasher::new(None, HashLimits::default(), Arc::clone(&dice))?,
            dice,
            check: {
                let text = settings.procedure.clone();
                Box::new(move |procedure| no_objections(procedure, &text))
            },
        };
        let gate = Gate::start(settings, parts).await?;
        let web = Web::new(
            gate.clone(),
            WebSettings {
                log_key: signer.verifier().clone(),
                time_zone: "UTC".to_owned(),
                demo: Some(lobby_door.origin()),
                trusted_proxies: Vec::new(),
                panel: countersign_web::PanelOrigins::default(),
            },
        );
        let origin_of_panel = panel_door.origin();
        gate_door.serve(&countersign_web::router(web));
        tokio::spawn({
            let gate = gate.clone();
            async move { gate.work(std::future::pending()).await }
        });

        // The panel learns the gate's keys as any backend does.
        let http = Http::new(&origin)?;
        let panel = Panel::new(
            verifier(&http).await?,
            webhooks()?,
            Arc::clone(&clock) as Arc<dyn Clock>,
            lobby_door.origin(),
        );
        panel_door.serve(&panel.router().merge(texts.router()));

        let people = People::join(&http, &gate).await?;
        let mut world = Self {
            panel_machine: Machine::new(http.clone(), panel_token),
            backup_machine: Machine::new(http.clone(), backup_token),
            log_machine: Machine::new(http.clone(), log_token),
            maja: Mutex::new(people.maja),
            tomas: Mutex::new(people.tomas),
            idris: Mutex::new(people.idris),
            petra: Mutex::new(people.petra),
            signe: signe()?,
            tora: tora()?,
            panel_origin: origin_of_panel,
            lobby_origin: lobby_door.origin(),
            news: gate.news(),
            clock,
            http,
            panel,
            mail,
            texts,
            journal,
            folder,
        };
        world.signe.passkey = world.register(&world.signe, true).await?;
        world.tora.passkey = world.register(&world.tora, false).await?;
        world.clock.move_on(BEFORE);
        Ok((world, lobby_door))
    }

    /// Waits until a case is in one of these states, as its opener sees it, and gives it. After ten seconds, gives it as it is.
    pub(crate) async fn case_once(
        &self,
        colleague: &mut Colleague,
        case: &str,
        states: &[&str],
    ) -> anyhow::Result<Value> {
        let mut news = self.news.clone();
        let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
        loop {
            news.mark_unchanged();
            let document = colleague
                .read(&format!("/v1/cases/{case}"))
                .await?
                .good()?
                .json();
            if states.contains(&text(&document, "state").as_str())
                || tokio::time::timeout_at(deadline, news.changed())
                    .await
                    .is_err()
            {
                return Ok(document);
            }
        }
    }

    /// Last night's backup of a customer's server, in two places, both read back.
    pub(crate) async fn attest_backups(&self, customer: &Customer) -> anyhow::Result<()> {
        for place in ["stockholm", "falun"] {
            let attested = json!({
                "grade": "verified",
                "place": place,
                "at_ms": self.clock.now().0 - 3_600_000,
                "compared": format!("every file of {} read back", customer.server),
            });
            self.backup_machine
                .ask(
                    Method::POST,
                    &format!("/v1/customers/{}/backups", customer.id),
                    &attested,
                )
                .await?
                .good()
                .context("attesting a backup")?;
        }
        Ok(())
    }

    /// Ends the database and removes what nobody asked for.
    pub(crate) async fn end(&self) {
        self.journal.close().await;
        self.folder.remove();
    }

    /// Reads the panel's own log, and has the gate match it with cases.
    pub(crate) async fn reconcile(&self) -> anyhow::Result<Value> {
        let log = Http::new(&self.panel_origin)?
            .get("/log.jsonl")
            .await?
            .good()?;
        let found = self
            .log_machine
            .send_log("/v1/reconciliations?connector=panel", log.text)
            .await?
            .good()?;
        Ok(found.json())
    }

    /// Puts a customer at the gate, as the company's panel does, and rents them a server.
    async fn register(
        &self,
        customer: &Customer,
        with_passkey: bool,
    ) -> anyhow::Result<Option<Mutex<SoftPasskey>>> {
        let panel = &self.panel_machine;
        let path = format!("/v1/customers/{}", customer.id);
        let years_ago = self.clock.now().0 - 4 * 365 * 86_400_000;
        let put = json!({
            "name": customer.account,
            "number": customer.number,
            "since_ms": years_ago,
            "contacts": [
                { "channel": "mailbox", "address": customer.mailbox, "since_ms": years_ago },
                { "channel": "mobile", "address": customer.mobile, "since_ms": years_ago },
            ],
            "held": [{ "holding": "password" }],
        });
        let holdings = format!("{path}/holdings");
        let puts = [
            (path, put),
            (format!("{holdings}/pin"), json!({ "pin": customer.pin })),
            (
                format!("{holdings}/phone"),
                json!({ "totp_secret": customer.app.base32 }),
            ),
        ];
        for (path, body) in puts {
            panel
                .ask(Method::PUT, &path, &body)
                .await?
                .good()
                .with_context(|| format!("registering {}", customer.account))?;
        }
        self.panel.rent(
            customer.id,
            customer.password,
            customer.server,
            customer.image,
        );
        if !with_passkey {
            return Ok(None);
        }
        let path = format!("{holdings}/key/passkey");
        let prompt = panel
            .ask(Method::POST, &format!("{path}/start"), &json!({}))
            .await?
            .good()?
            .json();
        let (passkey, credential) = SoftPasskey::create(options(&prompt), self.http.origin())?;
        let answer = json!({ "ceremony": text(&prompt, "ceremony"), "credential": credential });
        panel
            .ask(Method::POST, &format!("{path}/finish"), &answer)
            .await?
            .good()
            .context("registering the customer's passkey")?;
        Ok(Some(Mutex::new(passkey)))
    }
}

/// What a gate is checked for before it takes a procedure: a promise that is broken, or not proved, keeps it from starting.
fn no_objections(procedure: &countersign_language::Procedure, text: &str) -> Result<(), String> {
    let objections = objections(procedure, text);
    if objections.is_empty() {
        Ok(())
    } else {
        Err(objections.join("\n"))
    }
}

/// What a backend trusts, read from where the gate publishes it.
pub(crate) async fn verifier(http: &Http) -> anyhow::Result<Verifier> {
    let keys = http.get("/.well-known/countersign").await?.good()?.json();
    let set = keys.get("grant_keys").cloned().unwrap_or_default();
    let set: JwkSet = serde_json::from_value(set).context("the gate's keys")?;
    Ok(Verifier {
        issuer: text(&keys, "issuer"),
        audience: "panel".to_owned(),
        keys: set.by_kid()?,
        policy: Policy::of_log(ledger_key(&keys)?)?,
        leeway_s: 0,
    })
}

/// The ledger's public key in what the gate publishes.
pub(crate) fn ledger_key(published: &Value) -> anyhow::Result<VerifierKey> {
    let ledger = published.get("ledger").cloned().unwrap_or_default();
    text(&ledger, "key").parse().context("the ledger's key")
}

/// The staff, each with a passkey registered by invitation.
struct People {
    maja: Colleague,
    tomas: Colleague,
    idris: Colleague,
    petra: Colleague,
}

/// The first account, which an operator makes; it invites all others.
fn petra() -> NewAccount {
    NewAccount {
        account: "petra".to_owned(),
        person: "petra".to_owned(),
        name: "Petra".to_owned(),
        email: "petra@acme.example".to_owned(),
        roles: vec!["senior".to_owned()],
        console: vec![ConsoleRole::Admin],
        concerned: Vec::new(),
        subject: None,
    }
}

impl People {
    async fn join(http: &Http, gate: &Gate) -> anyhow::Result<Self> {
        // As `countersign` at the operator's console prints it; the one door that is not HTTP.
        let invitation = gate
            .invite_from_console(&Operator::at_the_console(), "petra")
            .await?;
        let mut petra = Colleague::join(http, "Petra", invitation.token.expose()).await?;
        Ok(Self {
            maja: invite(http, &mut petra, "Maja", "agent").await?,
            tomas: invite(http, &mut petra, "Tomas", "agent").await?,
            idris: invite(http, &mut petra, "Idris", "senior").await?,
            petra,
        })
    }
}

async fn invite(
    http: &Http,
    petra: &mut Colleague,
    name: &'static str,
    role: &str,
) -> anyhow::Result<Colleague> {
    let account = name.to_lowercase();
    let new = json!({
        "account": account,
        "person": account,
        "name": name,
        "email": format!("{account}@acme.example"),
        "roles": [role],
    });
    let url = petra.post("/v1/staff", &new).await?.good()?.field("url");
    let token = url.rsplit('/').next().unwrap_or_default();
    Colleague::join(http, name, token)
        .await
        .with_context(|| format!("{name} could not join"))
}

fn signe() -> anyhow::Result<Customer> {
    Ok(Customer {
        id: "c-1042",
        person: "Signe",
        account: "Halden Freight",
        number: "48213",
        mailbox: "signe@halden.example",
        mobile: "+46701740605",
        password: "correct horse",
        pin: "482913",
        app: TotpSecret::enrol(&SystemDice, "Acme Hosting", "Halden Freight")?,
        passkey: None,
        server: "web-3",
        image: "debian-12",
    })
}

fn tora() -> anyhow::Result<Customer> {
    Ok(Customer {
        id: "c-2077",
        person: "Tora",
        account: "Fjord Bakery",
        number: "51877",
        mailbox: "tora@fjordbakery.example",
        mobile: "+46701740612",
        password: "rye and caraway",
        pin: "730264",
        app: TotpSecret::enrol(&SystemDice, "Acme Hosting", "Fjord Bakery")?,
        passkey: None,
        server: "shop-1",
        image: "ubuntu-24.04",
    })
}

/// A port of this machine alone, taken and not yet served.
#[derive(Debug)]
pub(crate) struct Door {
    port: u16,
    listeners: Vec<TcpListener>,
}

impl Door {
    /// As people type it. Cookies are shared between the ports of a host, so all three servers have this one.
    pub(crate) fn origin(&self) -> String {
        format!("http://localhost:{}", self.port)
    }

    /// As the gate calls it.
    fn address(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Answers here until the program ends.
    pub(crate) fn serve(self, router: &Router) {
        for listener in self.listeners {
            let router = router.clone();
            tokio::spawn(async move { axum::serve(listener, router).await });
        }
    }

    /// Takes this port; `None` if somebody has it.
    async fn take(port: u16) -> Option<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.ok()?;
        let port = listener.local_addr().ok()?.port();
        let mut listeners = vec![listener];
        match TcpListener::bind((Ipv6Addr::LOCALHOST, port)).await {
            Ok(listener) => listeners.push(listener),
            // Browsers try ::1 first for `localhost`, so somebody else there would get our visitors.
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => return None,
            // A machine without IPv6.
            Err(_) => {}
        }
        Some(Self { port, listeners })
    }
}

/// Three ports from `first` on, those in use passed over; any three if it is 0.
async fn doors(first: u16) -> anyhow::Result<[Door; 3]> {
    let mut doors = Vec::with_capacity(3);
    let mut port = first;
    for _ in 0..100 {
        doors.extend(Door::take(port).await);
        if doors.len() == 3 {
            break;
        }
        if first != 0 {
            port = port.checked_add(1).context("no free port")?;
        }
    }
    doors.try_into().map_err(|_| {
        anyhow::anyhow!("no three free ports from {first} on; choose another with --port")
    })
}

impl Folder {
    fn new(data: Option<&Path>) -> anyhow::Result<Self> {
        let Some(path) = data else {
            let name = u64::from_be_bytes(random_bytes(&SystemDice));
            let path = std::env::temp_dir().join(format!("countersign-demo-{name:016x}"));
            private(&path)?;
            return Ok(Self { path, keep: false });
        };
        if path.exists() {
            let empty = fs::read_dir(path)
                .with_context(|| format!("cannot read `{}`", path.display()))?
                .next()
                .is_none();
            ensure!(
                empty,
                "`{}` is not empty; the keys of a demo are gone with it, so each begins in a fresh folder",
                path.display()
            );
        } else {
            private(path)?;
        }
        Ok(Self {
            path: path.to_owned(),
            keep: true,
        })
    }

    fn remove(&self) {
        if !self.keep {
            // A folder that is left behind in the system's temporary folder does no harm.
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

/// Makes a folder that only this user can look into.
fn private(path: &Path) -> anyhow::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    if let Err(error) = builder.create(path) {
        bail!("cannot make `{}`: {error}", path.display());
    }
    Ok(())
}
