//! From the configuration file to everything a gate is started with. `serve`, `doctor` and `ledger export` begin here.

use std::fmt::Write as _;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use countersign_language::{Procedure, line_of};
use countersign_ledger::VerifierKey;
use countersign_prover::certificate::{self, Certificate};
use countersign_prover::{Verdict, diff};
use countersign_service::adapters::clock::{Clock, SystemClock};
use countersign_service::adapters::mailer::{MailSecurity, MailServer};
use countersign_service::adapters::openid::{Credentials, ProviderSettings, check_private_key};
use countersign_service::adapters::secrets::Secret;
use countersign_service::adapters::tokens::{TokenHash, TokenKind};
use countersign_service::adapters::webhooks::WebhookSecrets;
use countersign_service::reconcile::{Mapping, WINDOW_SECONDS};
use countersign_service::settings::{
    AuditFeed, Checker, CompanyLogin, Connector, ConsoleRole, Endpoint, Group, Keys, Limits,
    MachineToken, MailSettings, NewAccount, OtherKeys, Scope, Settings, StaffLogin,
};
use countersign_service::{Language, LogSigner};
use countersign_store::OpenError;

use crate::config::{self, Config, Mistake};
use crate::database::{Database, Place};

/// The largest configuration file that is read.
const MOST_BYTES: u64 = 1 << 20;

/// Keys of the secrets that the gate signs its requests with.
const SECRETS: [&str; 2] = ["secret", "second_secret"];

/// Size of the attacks that two versions are compared by, as in `countersign diff`.
const DIFF_AT_MOST: usize = 3;

/// Longest mapping, in bytes.
const MAPPING_MAX: u64 = 1 << 20;

/// Everything secret and public a gate is started with, except the procedure's text.
pub(crate) struct Installation {
    /// Settings; the procedure in them is still empty.
    pub(crate) settings: Settings,
    /// Signs checkpoints.
    pub(crate) signer: LogSigner,
    /// Where the database is.
    pub(crate) database: Place,
    /// Without it the stored hashes of PINs cannot be tried.
    pub(crate) pepper: Option<Secret>,
}

/// A file whose mistakes were shown, or could not be read at all.
#[derive(Debug)]
pub(crate) enum NotRead {
    /// Every mistake in it.
    Mistakes(Vec<Mistake>),
    /// It cannot be read.
    Unreadable(anyhow::Error),
}

/// Reads the configuration file.
///
/// # Errors
/// [`NotRead`], with every mistake at once.
pub(crate) fn read_config(file: &Path) -> Result<Config, NotRead> {
    let read = || -> anyhow::Result<String> {
        let length = std::fs::metadata(file)
            .with_context(|| format!("cannot read `{}`", file.display()))?
            .len();
        anyhow::ensure!(
            length <= MOST_BYTES,
            "`{}` is larger than any configuration",
            file.display()
        );
        std::fs::read_to_string(file).with_context(|| format!("cannot read `{}`", file.display()))
    };
    let text = read().map_err(NotRead::Unreadable)?;
    let folder = file.parent().unwrap_or(Path::new(""));
    Config::read(&text, folder).map_err(NotRead::Mistakes)
}

impl Installation {
    /// Reads every secret and fills in the settings.
    ///
    /// # Errors
    /// A sentence for every secret that cannot be read or is not of its form; none repeats a secret.
    pub(crate) fn of(config: &Config) -> Result<Self, Vec<String>> {
        let mut reader = Secrets {
            config,
            wrong: Vec::new(),
        };
        let origin = config.text("gate", "origin");
        let log_name = log_name(config);
        let ledger = reader.seed("ledger");
        let mut keys = Keys {
            grant_seed: reader.seed("grant"),
            codes: reader.seed("codes"),
            seal: reader.seed("seal"),
            others: OtherKeys {
                grant_seeds: reader.optional_seed("second_grant").into_iter().collect(),
                ledger: Vec::new(),
            },
        };
        let second_ledger = reader.optional_seed("second_ledger");
        let pepper = reader
            .optional_seed("pepper")
            .map(|seed| Secret::from_bytes(seed.to_vec()));
        let connectors = config
            .named("connectors")
            .map(|name| reader.connector(name))
            .collect();
        let machines = config
            .named("machines")
            .map(|name| reader.machine(name))
            .collect();
        let mail = config.has("mail").then(|| reader.mail());
        let text = config.has("text").then(|| reader.endpoint("text"));
        let password = config.has("password").then(|| reader.endpoint("password"));
        let company_login = config
            .has("company_login")
            .then(|| reader.company_login())
            .flatten();
        let checkers = config
            .named("checkers")
            .map(|name| reader.checker(name))
            .collect();
        let staff_login = config
            .has("staff_login")
            .then(|| reader.staff_login())
            .flatten();
        let mut wrong = reader.wrong;
        let database = Place::of(config).map_err(|error| wrong.push(error)).ok();
        let signer = LogSigner::new(&log_name, &ledger)
            .and_then(|signer| match &second_ledger {
                Some(second) => signer.beside(second),
                None => Ok(signer),
            })
            .map_err(|error| wrong.push(format!("the ledger `{log_name}`: {error}")))
            .ok();
        let former = former_keys(config, &log_name, &mut wrong);
        if let Some(signer) = &signer {
            let second = signer.second_verifier().map(VerifierKey::to_string);
            keys.others.ledger = second.into_iter().chain(former).collect();
        }
        let (Some(signer), Some(database), true) = (signer, database, wrong.is_empty()) else {
            return Err(wrong);
        };
        let settings = Settings {
            procedure: String::new(),
            procedure_role: config.text("gate", "procedure_role"),
            rp_id: host_of(&origin),
            origin,
            keys,
            log_verifier: signer.verifier().to_string(),
            connectors,
            mail,
            text,
            password,
            company_login,
            checkers,
            staff_login,
            staff: config
                .named("staff")
                .map(|account| staff(config, account))
                .collect(),
            machines: machines_of(machines),
            return_to: config.list("gate", "return_to"),
            language: Language::of_tag(&config.text("gate", "language")).unwrap_or_default(),
            limits: limits(config),
        };
        Ok(Self {
            settings,
            signer,
            database,
            pepper,
        })
    }

    /// Opens the database, by the gate's clock.
    ///
    /// # Errors
    /// [`OpenError`], each a sentence that says what to do.
    pub(crate) async fn open_database(&self, clock: Arc<dyn Clock>) -> Result<Database, OpenError> {
        let clock = countersign_store::Clock::new(move || clock.now().0);
        self.database
            .open(Arc::new(self.signer.clone()), clock)
            .await
    }

    /// As [`open_database`](Self::open_database), of a database that must be there already.
    ///
    /// # Errors
    /// A sentence that says what to do.
    pub(crate) async fn open_existing(&self, clock: Arc<dyn Clock>) -> anyhow::Result<Database> {
        anyhow::ensure!(
            self.database.is_there().await?,
            "there is no database at {}",
            self.database
        );
        Ok(self.open_database(clock).await?)
    }

    /// As [`open_existing`](Self::open_existing), or, where a gate is running on it, to read beside that gate: then the
    /// second is true, nothing can be written, and the gate keeps up what is kept.
    ///
    /// # Errors
    /// A sentence that says what to do.
    pub(crate) async fn open_or_read(
        &self,
        clock: Arc<dyn Clock>,
    ) -> anyhow::Result<(Database, bool)> {
        match self.open_existing(Arc::clone(&clock)).await {
            Ok(database) => Ok((database, false)),
            Err(error) if matches!(error.downcast_ref(), Some(OpenError::InUse { .. })) => {
                let clock = countersign_store::Clock::new(move || clock.now().0);
                let signer = Arc::new(self.signer.clone());
                Ok((self.database.read(signer, clock).await?, true))
            }
            Err(error) => Err(error),
        }
    }

    /// The clock of every gate that is not a demonstration.
    pub(crate) fn clock() -> Arc<dyn Clock> {
        Arc::new(SystemClock)
    }
}

/// Public keys that signed this ledger before; whatever is not one is remembered as wrong.
fn former_keys(config: &Config, log_name: &str, wrong: &mut Vec<String>) -> Vec<String> {
    let mut former = config.list("keys", "former_ledger");
    former.retain(|key| match key.parse::<VerifierKey>() {
        Ok(read) if read.name() == log_name => true,
        Ok(read) => {
            wrong.push(format!(
                "keys.former_ledger: `{key}` is a key of the ledger `{}` and not of `{log_name}`",
                read.name()
            ));
            false
        }
        Err(_) => {
            wrong.push(format!(
                "keys.former_ledger: `{key}` is not a verifier key, `name+id+key`"
            ));
            false
        }
    });
    former
}

/// The ledger's name: as configured, or made from the origin.
pub(crate) fn log_name(config: &Config) -> String {
    let given = config.text("gate", "ledger");
    if !given.is_empty() {
        return given;
    }
    let origin = config.text("gate", "origin");
    let authority = origin
        .split_once("://")
        .map_or(origin.as_str(), |(_, authority)| authority);
    format!("{authority}/ledger")
}

/// The host of an origin.
pub(crate) fn host_of(origin: &str) -> String {
    reqwest::Url::parse(origin)
        .ok()
        .and_then(|url| url.host_str().map(str::to_owned))
        .unwrap_or_default()
}

/// Why this procedure may not go live: every promise that is broken, with the attack in words, and every
/// verdict whose certificate does not check; empty if all promises are kept and proved.
pub(crate) fn objections(procedure: &Procedure, source: &str) -> Vec<String> {
    objections_to(procedure, &countersign_prover::check(procedure), source)
}

/// The same for verdicts that were given, which are believed only as far as their certificates go.
fn objections_to(procedure: &Procedure, verdicts: &[Verdict], source: &str) -> Vec<String> {
    let mut objections = Vec::new();
    for (number, promise) in procedure.promises.iter().enumerate() {
        let verdict = verdicts.iter().find(|verdict| verdict.promise == number);
        let proved = verdict.map(|verdict| {
            certificate::check(procedure, number, verdict.kept, &verdict.certificate)
        });
        match (verdict, proved) {
            (Some(verdict), Some(Ok(()))) if verdict.kept => {}
            (Some(verdict), Some(Ok(()))) => objections.push(broken(verdict, source)),
            // Nothing was proved, and nothing is claimed.
            (Some(verdict), _)
                if !verdict.kept && verdict.certificate == Certificate::Undecided =>
            {
                objections.push(broken(verdict, source));
            }
            (_, proved) => objections.push(format!(
                "the promise \"{}\" is not proved (line {}): {}; this is a mistake in the program and not in the procedure, please report it",
                promise.text,
                line_of(source, promise.span),
                match proved {
                    Some(Err(fault)) => format!("its certificate does not check, {fault}"),
                    _ => "there is no verdict on it".to_owned(),
                }
            )),
        }
    }
    objections
}

/// What got weaker, what stronger and what is only different from one version of the procedure to the next, a sentence
/// each and in this order, for whoever signs it.
pub(crate) fn what_changed(old: &Procedure, new: &Procedure) -> Vec<String> {
    let found = diff(
        old,
        new,
        DIFF_AT_MOST,
        countersign_prover::Limits::default(),
    );
    [
        ("Weaker", found.weaker),
        ("Stronger", found.stronger),
        ("Changed", found.changed),
    ]
    .into_iter()
    .flat_map(|(how, differences)| {
        differences
            .into_iter()
            .map(move |difference| format!("{how}: {}.", difference.text))
    })
    .collect()
}

/// A broken promise in words: the claim, and how it is broken, each step with its line.
pub(crate) fn broken(verdict: &Verdict, source: &str) -> String {
    let mut out = format!(
        "the promise \"{}\" is broken (line {})",
        verdict.text,
        line_of(source, verdict.span)
    );
    for (number, step) in (1..).zip(verdict.attack.iter().flat_map(|attack| &attack.steps)) {
        let _ = write!(
            out,
            "\n  {number}. {} (line {})",
            step.text,
            line_of(source, step.span)
        );
    }
    for missing in &verdict.missing {
        let _ = write!(
            out,
            "\n  {} (line {})",
            missing.text,
            line_of(source, missing.span)
        );
    }
    out
}

/// Reads secrets and remembers what was wrong with each.
struct Secrets<'c> {
    config: &'c Config,
    wrong: Vec<String>,
}

impl Secrets<'_> {
    /// A secret that must be there; empty if it cannot be read, which is remembered.
    fn required(&mut self, section: &str, key: &'static str) -> String {
        match self.config.secret(section, key) {
            Ok(secret) => secret.unwrap_or_default(),
            Err(wrong) => {
                self.wrong.push(wrong);
                String::new()
            }
        }
    }

    fn seed(&mut self, key: &'static str) -> [u8; 32] {
        let before = self.wrong.len();
        let text = self.required("keys", key);
        if self.wrong.len() > before {
            return [0; 32];
        }
        self.hexadecimal(key, &text)
    }

    fn optional_seed(&mut self, key: &'static str) -> Option<[u8; 32]> {
        match self.config.secret("keys", key) {
            Ok(text) => text.map(|text| self.hexadecimal(key, &text)),
            Err(wrong) => {
                self.wrong.push(wrong);
                None
            }
        }
    }

    fn hexadecimal(&mut self, key: &str, text: &str) -> [u8; 32] {
        seed_of(text).unwrap_or_else(|| {
            self.wrong.push(format!(
                "keys.{key}: it must be 64 hexadecimal digits; `countersign secret key` makes one"
            ));
            [0; 32]
        })
    }

    /// One or two webhook secrets.
    fn webhooks(&mut self, section: &str, keys: [&'static str; 2]) -> Vec<Secret> {
        let mut secrets = Vec::new();
        for key in keys {
            match self.config.secret(section, key) {
                Ok(Some(text)) if WebhookSecrets::parse([text.as_str()]).is_ok() => secrets.push(Secret::new(text)),
                Ok(Some(_)) => self.wrong.push(format!(
                    "{section}.{key}: it must be `whsec_` and 24 to 64 bytes in base64; `countersign secret webhook` makes one"
                )),
                Ok(None) => {}
                Err(wrong) => self.wrong.push(wrong),
            }
        }
        secrets
    }

    fn connector(&mut self, name: &str) -> Connector {
        let section = format!("connectors.{name}");
        let status = self.config.text(&section, "status");
        Connector {
            name: name.to_owned(),
            url: self.config.text(&section, "url"),
            status_url: (!status.is_empty()).then_some(status),
            secrets: self.webhooks(&section, SECRETS),
            audit: self.audit(&section),
        }
    }

    /// How a connector sends its own log, where it does.
    fn audit(&mut self, section: &str) -> Option<AuditFeed> {
        let secrets = self.webhooks(section, ["audit_secret", "second_audit_secret"]);
        if secrets.is_empty() {
            return None;
        }
        let mapping = if self.config.text(section, "audit_map").is_empty() {
            Mapping::default()
        } else {
            match mapping(&self.config.path(section, "audit_map")) {
                Ok(mapping) => mapping,
                Err(error) => {
                    self.wrong.push(format!("{section}.audit_map: {error:#}"));
                    return None;
                }
            }
        };
        let window = self.config.number(section, "audit_window");
        Some(AuditFeed {
            secrets,
            mapping,
            window_seconds: u32::try_from(window).unwrap_or(WINDOW_SECONDS),
        })
    }

    fn endpoint(&mut self, section: &str) -> Endpoint {
        Endpoint {
            url: self.config.text(section, "url"),
            secrets: self.webhooks(section, SECRETS),
        }
    }

    fn checker(&mut self, proof: &str) -> Checker {
        let section = format!("checkers.{proof}");
        let Endpoint { url, secrets } = self.endpoint(&section);
        Checker {
            proof: proof.to_owned(),
            url,
            secrets,
            expires_seconds: u64::try_from(self.config.number(&section, "expires_seconds"))
                .unwrap_or_default(),
        }
    }

    fn machine(&mut self, name: &str) -> Option<MachineToken> {
        let section = format!("machines.{name}");
        let before = self.wrong.len();
        let text = self.required(&section, "token");
        let token = TokenHash::of(TokenKind::Machine, &text);
        if token.is_none() && self.wrong.len() == before {
            self.wrong.push(format!(
                "{section}.token: it must be a token that `countersign secret token` made"
            ));
        }
        Some(MachineToken {
            name: name.to_owned(),
            token: token?,
            scopes: self
                .config
                .list(&section, "may")
                .iter()
                .filter_map(|word| scope(word))
                .collect(),
            robot_roles: self.config.list(&section, "roles"),
        })
    }

    /// A provider and how the gate shows it who it is; `None` if a secret cannot be read, which is remembered.
    fn provider(&mut self, section: &str) -> Option<ProviderSettings> {
        let mut read = |key| match self.config.secret(section, key) {
            Ok(secret) => secret.map(Secret::new),
            Err(wrong) => {
                self.wrong.push(wrong);
                None
            }
        };
        let (secret, key) = (read("client_secret"), read("private_key"));
        let key_id = self.config.text(section, "key_id");
        let credentials = match (secret, key) {
            (Some(secret), _) => Credentials::Secret(secret),
            (None, Some(pem)) => {
                if let Err(error) = check_private_key(&pem) {
                    self.wrong.push(format!("{section}.private_key: {error}"));
                }
                Credentials::PrivateKey {
                    pem,
                    key_id: (!key_id.is_empty()).then_some(key_id),
                }
            }
            (None, None) => return None,
        };
        Some(ProviderSettings {
            issuer: self.config.text(section, "issuer"),
            client_id: self.config.text(section, "client_id"),
            credentials,
        })
    }

    fn company_login(&mut self) -> Option<CompanyLogin> {
        let section = "company_login";
        let provider = self.provider(section)?;
        let config = self.config;
        Some(CompanyLogin {
            name: config.text(section, "name"),
            provider,
            scope: config.text(section, "scope"),
            account_claim: config.text(section, "account_claim"),
            acr_values: config.list(section, "acr_values"),
            proof_acr_values: config
                .named("proofs")
                .map(|proof| {
                    let values = config.list(&format!("proofs.{proof}"), "acr_values");
                    (proof.to_owned(), values)
                })
                .collect(),
            message_chars: usize::try_from(config.number(section, "message_chars"))
                .unwrap_or_default(),
        })
    }

    fn staff_login(&mut self) -> Option<StaffLogin> {
        let section = "staff_login";
        let provider = self.provider(section)?;
        let config = self.config;
        let group = |name: &str| {
            let section = format!("groups.{name}");
            let group = config.text(&section, "group");
            Group {
                name: if group.is_empty() {
                    name.to_owned()
                } else {
                    group
                },
                roles: config.list(&section, "roles"),
                console: consoles(config, &section),
            }
        };
        Some(StaffLogin {
            name: config.text(section, "name"),
            provider,
            scope: config.text(section, "scope"),
            groups_claim: config.text(section, "groups_claim"),
            groups: config.named("groups").map(group).collect(),
            create: config.text(section, "create") == "true",
        })
    }

    fn mail(&mut self) -> MailSettings {
        let user = self.config.text("mail", "user");
        let password = match self.config.secret("mail", "password") {
            Ok(password) => password,
            Err(wrong) => {
                self.wrong.push(wrong);
                None
            }
        };
        let login = match (user.is_empty(), password) {
            (false, Some(password)) => Some((user, Secret::new(password))),
            (true, None) => None,
            _ => {
                self.wrong
                    .push("mail: `user` and `password` go together".to_owned());
                None
            }
        };
        let server = self.config.text("mail", "server");
        let (tls, host, port) = config::smtp(&server).unwrap_or((true, "", 0));
        let security = match tls {
            true => MailSecurity::Tls,
            false if config::is_loopback(host) => MailSecurity::Plain,
            false => MailSecurity::StartTls,
        };
        MailSettings {
            server: MailServer {
                host: host.to_owned(),
                port,
                security,
                login,
            },
            from: self.config.text("mail", "from"),
        }
    }
}

fn machines_of(machines: Vec<Option<MachineToken>>) -> Vec<MachineToken> {
    machines.into_iter().flatten().collect()
}

fn staff(config: &Config, account: &str) -> NewAccount {
    let section = format!("staff.{account}");
    let person = config.text(&section, "person");
    NewAccount {
        account: account.to_owned(),
        person: if person.is_empty() {
            account.to_owned()
        } else {
            person
        },
        name: config.text(&section, "name"),
        email: config.text(&section, "email"),
        roles: config.list(&section, "roles"),
        console: consoles(config, &section),
        concerned: config.list(&section, "customers"),
        subject: Some(config.text(&section, "subject")).filter(|subject| !subject.is_empty()),
    }
}

fn consoles(config: &Config, section: &str) -> Vec<ConsoleRole> {
    config
        .list(section, "console")
        .iter()
        .filter_map(|word| console_role(word))
        .collect()
}

fn limits(config: &Config) -> Limits {
    let count = |key| u32::try_from(config.number("limits", key)).unwrap_or_default();
    let seconds = |key, unit: u64| u64::from(count(key)) * unit;
    Limits {
        link_seconds: seconds("link_minutes", 60),
        seat_seconds: seconds("seat_minutes", 60),
        code_again_seconds: seconds("code_again_seconds", 1),
        codes_max: count("codes"),
        proved_seat_seconds: seconds("proved_seat_days", 86_400),
        session_idle_seconds: seconds("idle_minutes", 60),
        session_seconds: seconds("session_hours", 3_600),
        invitation_seconds: seconds("invitation_hours", 3_600),
        grant_seconds: seconds("grant_seconds", 1),
        lookups_per_hour: count("lookups_per_hour"),
        answers_per_minute: count("answers_per_minute"),
    }
}

fn scope(word: &str) -> Option<Scope> {
    Some(match word {
        "panel" => Scope::Panel,
        "customers" => Scope::Customers,
        "backups" => Scope::Backups,
        "read" => Scope::Read,
        "erase" => Scope::Erase,
        "robot" => Scope::Robot,
        "reconcile" => Scope::Reconcile,
        _ => return None,
    })
}

fn console_role(word: &str) -> Option<ConsoleRole> {
    Some(match word {
        "admin" => ConsoleRole::Admin,
        "auditor" => ConsoleRole::Auditor,
        _ => return None,
    })
}

/// 32 bytes from 64 hexadecimal digits.
pub(crate) fn seed_of(text: &str) -> Option<[u8; 32]> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() || pairs.len() != 32 {
        return None;
    }
    let mut seed = [0; 32];
    for (byte, pair) in seed.iter_mut().zip(pairs) {
        let [high, low] = pair.map(|digit| char::from(digit).to_digit(16));
        *byte = u8::try_from(high? * 16 + low?).ok()?;
    }
    Some(seed)
}

/// Reads how a log names things.
///
/// # Errors
/// The file cannot be read, or says something that no mapping has.
pub(crate) fn mapping(file: &Path) -> anyhow::Result<Mapping> {
    let mut text = String::new();
    std::fs::File::open(file)
        .and_then(|opened| opened.take(MAPPING_MAX).read_to_string(&mut text))
        .with_context(|| format!("cannot read the mapping `{}`", file.display()))?;
    toml::from_str(&text).with_context(|| format!("`{}` is no mapping", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_64_hexadecimal_digits() {
        assert_eq!(seed_of(&"0a".repeat(32)), Some([10; 32]));
        assert_eq!(seed_of(&"Ff".repeat(32)), Some([255; 32]));
        for wrong in [
            "",
            "0a",
            &"0a".repeat(33),
            &"0g".repeat(32),
            &"0".repeat(63),
        ] {
            assert_eq!(seed_of(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_verdict_is_believed_only_as_far_as_its_certificate_goes() {
        let text = "organisation \"Acme\"\nstaff agent \"agent\"\nsecret pin \"PIN\" using pin\nsecret word \"word\" using pin\nloss account \"the account\"\naction account.give \"Give it away\" { loses account runs panel path usual { prove pin and word } }\npromise \"One secret is not enough\" { even if 1 secrets stolen never account }\npromise \"Two are not enough\" { even if 2 secrets stolen never account }\npromise \"They get in\" { always account.give }\n";
        let procedure = countersign_language::read(text).procedure.unwrap();
        let verdicts = countersign_prover::check(&procedure);
        let honest = objections_to(&procedure, &verdicts, text);
        assert_eq!(honest.len(), 1, "{honest:#?}");
        assert!(
            honest[0]
                .starts_with("the promise \"Two are not enough\" is broken (line 8)\n  1. steal")
        );

        // Whatever is said to be kept and is not proved keeps a gate from starting.
        let mut kept = verdicts.clone();
        kept[1].kept = true;
        let said = objections_to(&procedure, &kept, text);
        assert_eq!(
            said,
            [
                "the promise \"Two are not enough\" is not proved (line 8): its certificate does not check, this is no proof of that verdict; this is a mistake in the program and not in the procedure, please report it"
            ]
        );
        let Certificate::Refuted(refutation) = &mut kept[0].certificate else {
            panic!("a kept promise is refuted");
        };
        refutation.tree.pop();
        assert_eq!(objections_to(&procedure, &kept, text).len(), 2);
        // As if the refutation of one promise were that of another.
        let mut borrowed = verdicts.clone();
        borrowed[1].kept = true;
        borrowed[1].certificate = verdicts[0].certificate.clone();
        assert!(
            objections_to(&procedure, &borrowed, text)[0]
                .contains("Two are not enough\" is not proved")
        );
        let mut cut = verdicts.clone();
        cut.truncate(2);
        assert!(objections_to(&procedure, &cut, text)[1].contains("there is no verdict on it"));
        let mut undecided = verdicts;
        undecided[0].kept = false;
        undecided[0].certificate = Certificate::Undecided;
        assert!(
            objections_to(&procedure, &undecided, text)[0]
                .contains("One secret is not enough\" is broken")
        );
    }

    #[test]
    fn limits_of_an_empty_section_are_the_gates_own() {
        let file = "[gate]\norigin = \"http://localhost\"\nprocedure = \"p\"\n[keys]\nledger = { file = \"a\" }\ngrant = { file = \"a\" }\ncodes = { file = \"a\" }\nseal = { file = \"a\" }\n";
        let config = Config::read(file, Path::new("/nowhere")).unwrap();
        assert_eq!(limits(&config), Limits::default());
        assert_eq!(log_name(&config), "localhost/ledger");
        // Every secret is missing: each is named, all at once.
        let wrong = Installation::of(&config).err().unwrap();
        assert_eq!(wrong.len(), 4, "{wrong:#?}");
    }
}
