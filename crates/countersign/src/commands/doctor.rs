//! `doctor`: everything that can be wrong with an installation, each with what to do about it.
//!
//! It changes nothing, sends no letter and no text message, and asks other
//! systems only for what they must refuse. The gate may be running meanwhile.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use countersign_cases::Timestamp;
use countersign_language::{Expr, Method, Procedure, Requirement, check_staffing};
use countersign_service::adapters::clock::{Clock as _, SystemClock};
use countersign_service::adapters::connector::{AskOutcome, Connector as Backend};
use countersign_service::adapters::dice::{SystemDice, random_bytes};
use countersign_service::adapters::http::{Endpoint as HttpEndpoint, http_client};
use countersign_service::adapters::mailer::Mailer;
use countersign_service::adapters::password_check::{PasswordCheck, PasswordVerdict};
use countersign_service::adapters::secrets::{HashLimits, Secret, SecretHasher};
use countersign_service::adapters::webhooks::{
    ID_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER, WebhookSecret, WebhookSecrets,
};
use countersign_service::settings::{Checker, Connector, Endpoint, Settings};
use countersign_service::{Gate, OnFile, Parts, StartError, staff_on_file};
use countersign_store::{MemoryJournal, OpenError};
use reqwest::{Client, StatusCode, header};

use crate::commands::procedure::Source;
use crate::commands::providers::providers;
use crate::config::{Config, is_loopback};
use crate::database::Place;
use crate::installation::{Installation, NotRead, host_of, objections, read_config};
use crate::terminal::{self, Paint, painted};

/// Further apart than this, and webhooks are soon refused (they allow five minutes) and grants run out early.
const CLOCKS_APART_SECONDS: i64 = 30;

/// 2026-01-01: no machine that runs this program lives before it.
const NOT_BEFORE: Timestamp = Timestamp(1_767_225_600_000);

/// `countersign doctor`: exit 0 if nothing is a problem, 1 otherwise.
pub(crate) fn doctor(file: &Path) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Runtime::new()?;
    let mut report = Report::default();
    runtime.block_on(examine(file, &mut report))?;
    report.end()?;
    Ok(ExitCode::from(u8::from(report.problems > 0)))
}

async fn examine(file: &Path, report: &mut Report) -> anyhow::Result<()> {
    let config = match read_config(file) {
        Ok(config) => config,
        Err(NotRead::Unreadable(error)) => {
            return report.problem(
                "configuration",
                &format!("{error:#}"),
                "`countersign init` writes one",
            );
        }
        Err(NotRead::Mistakes(mistakes)) => {
            for mistake in mistakes {
                report.problem(
                    "configuration",
                    &mistake.in_file(file),
                    "docs/generated/config.md lists every key",
                )?;
            }
            return Ok(());
        }
    };
    report.ok("configuration", &format!("{} is right", file.display()))?;
    secret_files(&config, report)?;
    addresses(&config, report)?;
    let installation = Installation::of(&config);
    if let Err(wrong) = &installation {
        for wrong in wrong {
            report.problem(
                "secrets",
                wrong,
                "see the file that the configuration names",
            )?;
        }
    }
    let source = procedure(&config, report)?;
    let Ok(mut installation) = installation else {
        return Ok(());
    };
    report.ok("secrets", "every secret can be read and is of its form")?;
    same_key_twice(&config, report)?;
    let on_file = database(&installation, report).await?;
    let mut wanted = BTreeSet::new();
    if let Some((text, procedure)) = source {
        installation.settings.procedure = text;
        starts(&installation, report).await?;
        wanted = methods_of(&procedure);
        means(&wanted, &installation.settings, report)?;
        unused_checkers(&procedure, &installation.settings, report)?;
        let people = People::of(&installation.settings, on_file);
        staffing(&procedure, &people, report)?;
        signers(&procedure, &installation.settings, &people, report)?;
    }
    let mut neighbours = Neighbours {
        client: http_client()?,
        clock: SystemClock,
        apart: Vec::new(),
    };
    mail(&installation.settings, report).await?;
    if let Some(endpoint) = &installation.settings.password {
        neighbours.password(endpoint, report).await?;
    }
    if let Some(endpoint) = &installation.settings.text {
        neighbours
            .unsigned("text messages", &endpoint.url, report)
            .await?;
    }
    for checker in &installation.settings.checkers {
        neighbours.checker(checker, report).await?;
    }
    providers(&installation.settings, &wanted, &neighbours.client, report).await?;
    for connector in &installation.settings.connectors {
        neighbours.connector(connector, report).await?;
        for door in config.list(&format!("connectors.{}", connector.name), "doors") {
            neighbours.door(&door, report).await?;
        }
    }
    #[cfg(feature = "otel")]
    crate::telemetry::examine(&config, report).await?;
    neighbours.clocks(report)
}

/// What was found, printed as it is.
#[derive(Default)]
pub(crate) struct Report {
    well: usize,
    problems: usize,
    warnings: usize,
}

impl Report {
    pub(crate) fn ok(&mut self, about: &str, what: &str) -> anyhow::Result<()> {
        self.well += 1;
        terminal::print(&format!(
            "{}       {about}: {what}\n",
            painted("ok", Paint::Good)
        ))
    }

    pub(crate) fn warning(&mut self, about: &str, what: &str, help: &str) -> anyhow::Result<()> {
        self.warnings += 1;
        terminal::print(&format!(
            "{}  {about}: {}\n         → {help}\n",
            painted("warning", Paint::Doubtful),
            indented(what)
        ))
    }

    pub(crate) fn problem(&mut self, about: &str, what: &str, help: &str) -> anyhow::Result<()> {
        self.problems += 1;
        terminal::print(&format!(
            "{}  {about}: {}\n         → {help}\n",
            painted("problem", Paint::Bad),
            indented(what)
        ))
    }

    fn end(&self) -> anyhow::Result<()> {
        let many = |count: usize, what: &str| {
            if count == 1 {
                format!("1 {what}")
            } else {
                format!("{count} {what}s")
            }
        };
        terminal::print(&format!(
            "\n{} well, {}, {}\n",
            self.well,
            many(self.problems, "problem"),
            many(self.warnings, "warning")
        ))
    }
}

fn indented(text: &str) -> String {
    text.replace('\n', "\n         ")
}

/// Whoever reads a key file can act in the gate's name.
fn secret_files(config: &Config, report: &mut Report) -> anyhow::Result<()> {
    let mut open = Vec::new();
    for (section, key, file) in config.secrets() {
        let Some(file) = file else { continue };
        let Ok(metadata) = std::fs::metadata(&file) else {
            continue;
        };
        if std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o077 != 0 {
            open.push(format!("`{}` ({section}.{key})", file.display()));
        }
    }
    if open.is_empty() {
        return report.ok("file permissions", "nobody else can read the secrets");
    }
    report.problem(
        "file permissions",
        &format!("others on this machine can read {}", open.join(", ")),
        "make them readable by the gate's own user alone: chmod 600",
    )
}

fn same_key_twice(config: &Config, report: &mut Report) -> anyhow::Result<()> {
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    for (section, key, _) in config.secrets() {
        let Ok(Some(secret)) = config.secret(section, key) else {
            continue;
        };
        let name = format!("{section}.{key}");
        if let Some(first) = seen.insert(secret, name.clone()) {
            report.problem(
                "secrets",
                &format!("`{first}` and `{name}` are the same secret"),
                "give each a secret of its own: `countersign secret` makes them",
            )?;
        }
    }
    Ok(())
}

fn addresses(config: &Config, report: &mut Report) -> anyhow::Result<()> {
    let origin = config.text("gate", "origin");
    let host = host_of(&origin);
    if host
        .trim_matches(['[', ']'])
        .parse::<std::net::IpAddr>()
        .is_ok()
    {
        report.problem(
            "origin",
            &format!("`{origin}` is a number, and browsers make no passkey for a number"),
            "use a name, such as `http://localhost:4180` to try it out",
        )?;
    } else if is_loopback(&host) {
        report.warning(
            "origin",
            &format!("`{origin}` reaches this machine alone"),
            "right for trying it out; for customers put the name that they will see, with https",
        )?;
    } else {
        report.ok("origin", &origin)?;
    }
    let listen = config.text("gate", "listen");
    match listen.parse::<std::net::SocketAddr>() {
        Ok(address) if !address.ip().is_loopback() => report.warning(
            "listen",
            &format!("`{listen}` takes plain http from other machines"),
            "listen on 127.0.0.1 behind a proxy that ends TLS, or make sure that only the proxy can reach this port",
        ),
        _ => Ok(()),
    }
}

/// The procedure, if it is valid and keeps its promises.
fn procedure(config: &Config, report: &mut Report) -> anyhow::Result<Option<(String, Procedure)>> {
    let file = config.path("gate", "procedure");
    let source = match Source::open(&file) {
        Ok(source) => source,
        Err(error) => {
            report.problem(
                "procedure",
                &format!("{error:#}"),
                "put the path of your procedure at `gate.procedure`",
            )?;
            return Ok(None);
        }
    };
    let Some(procedure) = &source.reading.procedure else {
        let help = format!("`countersign check {}` shows every mistake", file.display());
        report.problem(
            "procedure",
            &format!("`{}` is not valid", source.name),
            &help,
        )?;
        return Ok(None);
    };
    let warnings = source.reading.diagnostics.len();
    if warnings > 0 {
        let help = format!("`countersign check {}` shows them", file.display());
        report.warning(
            "procedure",
            &format!("`{}` has {warnings} warnings", source.name),
            &help,
        )?;
    }
    let objections = objections(procedure, &source.text);
    for objection in &objections {
        report.problem(
            "procedure",
            objection,
            "mend the procedure, or take the promise back",
        )?;
    }
    if objections.is_empty() {
        report.ok(
            "procedure",
            &format!(
                "valid; {} promises, all kept and proved",
                procedure.promises.len()
            ),
        )?;
    }
    let text = if source.is_twin() {
        countersign_language::format(&source.reading.tree).unwrap_or_default()
    } else {
        source.text.clone()
    };
    Ok(source.reading.procedure.map(|procedure| (text, procedure)))
}

/// Starts a gate on a store that forgets everything: whatever the settings contradict shows here.
async fn starts(installation: &Installation, report: &mut Report) -> anyhow::Result<()> {
    let dice = Arc::new(SystemDice);
    let parts = Parts {
        journal: Arc::new(MemoryJournal::new(Arc::new(installation.signer.clone()))),
        clock: Installation::clock(),
        hasher: SecretHasher::new(
            installation.pepper.clone(),
            HashLimits::default(),
            dice.clone(),
        )?,
        dice,
        check: Box::new(|_| Ok(())),
    };
    match Gate::start(installation.settings.clone(), parts).await {
        Ok(_) => report.ok("start", "a gate starts with these settings"),
        // Shown above, with its line.
        Err(StartError::ProcedureNotValid(_)) => Ok(()),
        Err(error) => report.problem(
            "start",
            &error.to_string(),
            "the configuration and the procedure must speak of the same connectors and roles",
        ),
    }
}

/// Every method the procedure asks for.
fn methods_of(procedure: &Procedure) -> BTreeSet<Method> {
    let paths = procedure
        .actions
        .iter()
        .filter(|action| !action.outside)
        .flat_map(|action| &action.paths);
    let mut wanted: BTreeSet<Method> = BTreeSet::new();
    for line in paths.flat_map(|path| &path.lines) {
        if let Requirement::Prove(expr) = &line.requirement {
            methods(procedure, expr, &mut wanted);
        }
    }
    wanted
}

/// Proofs that the procedure asks for and the configuration has no means for.
fn means(
    wanted: &BTreeSet<Method>,
    settings: &Settings,
    report: &mut Report,
) -> anyhow::Result<()> {
    let company = settings.company_login.is_some();
    for (method, section, there) in [
        (Method::Mail, "mail", settings.mail.is_some()),
        (Method::Text, "text", settings.text.is_some()),
        (Method::Password, "password", settings.password.is_some()),
        (Method::Oidc, "company_login", company),
        (Method::Ciba, "company_login", company),
    ] {
        if wanted.contains(&method) && !there {
            report.warning(section, &format!("the procedure has a proof that needs the section `[{section}]`, which is missing"), "that proof cannot be made; fill the section in")?;
        }
    }
    if settings.mail.is_none() {
        report.warning(
            "mail",
            "no letter can leave, so no notice is ever handed over and no wait begins",
            "fill in the section `[mail]`",
        )?;
    }
    Ok(())
}

/// A checker that nobody asks is a mistyped name, or left over from another version of the procedure.
fn unused_checkers(
    procedure: &Procedure,
    settings: &Settings,
    report: &mut Report,
) -> anyhow::Result<()> {
    for checker in &settings.checkers {
        let using = procedure
            .proof_named(&checker.proof)
            .and_then(|id| procedure.proofs.get(id.index()))
            .and_then(|proof| proof.using);
        if using != Some(Method::Webhook) {
            report.warning(
                &format!("checker `{}`", checker.proof),
                "the procedure has no proof of that name that uses `webhook`",
                "call the section as the procedure calls the proof; while an older version is in force, leave it",
            )?;
        }
    }
    Ok(())
}

fn methods(procedure: &Procedure, expr: &Expr, found: &mut BTreeSet<Method>) {
    match expr {
        Expr::Atom { proof, .. } => found.extend(
            procedure
                .proofs
                .get(proof.index())
                .and_then(|proof| proof.using),
        ),
        Expr::And(of) | Expr::Or(of) | Expr::NOf { of, .. } => {
            for part in of {
                methods(procedure, part, found);
            }
        }
    }
}

/// Who works here: the accounts of the database, or where there is none yet, or a gate has it open, those of the configuration.
struct People {
    staff: Vec<OnFile>,
    /// Where they are counted.
    counted: &'static str,
}

impl People {
    fn of(settings: &Settings, on_file: Option<Vec<OnFile>>) -> Self {
        match on_file.filter(|staff| !staff.is_empty()) {
            Some(staff) => Self {
                staff,
                counted: "counted are the active accounts of the database",
            },
            None => Self {
                staff: settings
                    .staff
                    .iter()
                    .map(|account| OnFile {
                        person: account.person.clone(),
                        roles: account.roles.clone(),
                        // Nobody knows yet.
                        has_passkey: true,
                    })
                    .collect(),
                counted: "counted are the people in this file; those added in the console come on top",
            },
        }
    }
}

/// Whether somebody can sign a new version of the procedure.
fn signers(
    procedure: &Procedure,
    settings: &Settings,
    people: &People,
    report: &mut Report,
) -> anyhow::Result<()> {
    let name = &settings.procedure_role;
    let Some(wanted) = procedure.role_named(name) else {
        return report.problem(
            "procedure role",
            &format!("the procedure has no role `{name}`"),
            "put one of its roles at `gate.procedure_role`: its holders sign new versions of the procedure",
        );
    };
    let holds = |one: &&OnFile| {
        let mut roles = one
            .roles
            .iter()
            .filter_map(|role| procedure.role_named(role));
        roles.any(|role| procedure.role_covers(role, wanted))
    };
    let holders: BTreeMap<&str, bool> =
        people
            .staff
            .iter()
            .filter(holds)
            .fold(BTreeMap::new(), |mut holders, one| {
                *holders.entry(one.person.as_str()).or_default() |= one.has_passkey;
                holders
            });
    match (holders.len(), holders.values().filter(|can| **can).count()) {
        (0, _) => report.problem(
            "procedure role",
            &format!("nobody active holds `{name}`, so no new version of the procedure can ever be signed"),
            &format!("give somebody the role, or name another at `gate.procedure_role`; {}", people.counted),
        ),
        (_, 0) => report.warning(
            "procedure role",
            &format!("nobody who holds `{name}` has a passkey to sign with"),
            "let them register one at their invitation, or on the page `/settings/passkeys`",
        ),
        (_, 1) => report.warning(
            "procedure role",
            &format!("one person alone can sign a new version of the procedure as `{name}`"),
            "give the role to one more, for the day this one is away",
        ),
        (_, able) => report.ok(
            "procedure role",
            &format!("{able} people can sign a new version of the procedure as `{name}`"),
        ),
    }
}

/// Whether there are enough people for every sign-off.
fn staffing(procedure: &Procedure, people: &People, report: &mut Report) -> anyhow::Result<()> {
    let there = people;
    // A person counts once, under the highest of their roles.
    let mut highest = BTreeMap::new();
    for account in &there.staff {
        for role in account
            .roles
            .iter()
            .filter_map(|role| procedure.role_named(role))
        {
            let held = highest.entry(account.person.as_str()).or_insert(role);
            if procedure.role_covers(role, *held) {
                *held = role;
            }
        }
    }
    let mut people: BTreeMap<String, u32> = BTreeMap::new();
    for role in highest
        .values()
        .filter_map(|role| procedure.roles.get(role.index()))
    {
        *people.entry(role.name.clone()).or_default() += 1;
    }
    let wanting = check_staffing(procedure, &people);
    for found in &wanting {
        let help = found.help.as_deref().map_or_else(
            || there.counted.to_owned(),
            |help| format!("{help}; {}", there.counted),
        );
        report.warning("staff", &found.message, &help)?;
    }
    if wanting.is_empty() {
        let counted: Vec<String> = people
            .iter()
            .map(|(role, count)| format!("{count} {role}"))
            .collect();
        report.ok(
            "staff",
            &format!("enough people for every sign-off ({})", counted.join(", ")),
        )?;
    }
    Ok(())
}

/// Says whether it can be opened, and gives everybody whose account is active there.
async fn database(
    installation: &Installation,
    report: &mut Report,
) -> anyhow::Result<Option<Vec<OnFile>>> {
    let place = &installation.database;
    match place {
        Place::File(file) if !on_disk(file, report)? => return Ok(None),
        Place::File(_) => {}
        Place::Server(address) => {
            if address.is_open_to_others() {
                report.warning(
                    "database",
                    &format!("whoever is between here and {place} can read what passes, and answer in its place"),
                    "put `sslmode=verify-full` and `sslrootcert=FILE` into its address",
                )?;
            }
            match place.is_there().await {
                Ok(true) => {}
                Ok(false) => {
                    report.ok(
                        "database",
                        &format!("{place} answers and is empty; the first start makes its tables"),
                    )?;
                    return Ok(None);
                }
                Err(error) => {
                    report.problem(
                        "database",
                        &error.to_string(),
                        "`serve` would refuse to start",
                    )?;
                    return Ok(None);
                }
            }
        }
    }
    match installation.open_database(Installation::clock()).await {
        Ok(opened) => {
            let staff = staff_on_file(&*opened.journal()).await;
            opened.close().await;
            report.ok("database", &format!("{place} can be opened"))?;
            return Ok(staff.ok());
        }
        Err(OpenError::InUse { .. }) => report.ok(
            "database",
            &format!("{place} is in use: a gate is running on it"),
        )?,
        Err(error) => report.problem(
            "database",
            &error.to_string(),
            "`serve` would refuse to start",
        )?,
    }
    Ok(None)
}

/// Whether the file is there; says so if not, and if it is where others can read it.
fn on_disk(file: &Path, report: &mut Report) -> anyhow::Result<bool> {
    let shown = file.display();
    let Ok(metadata) = std::fs::metadata(file) else {
        let folder = file
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        if folder.is_dir() {
            report.ok(
                "database",
                &format!("`{shown}` is not there yet; the first start makes it"),
            )?;
        } else {
            report.problem(
                "database",
                &format!("the folder `{}` is not there", folder.display()),
                "make it, for the gate's own user alone",
            )?;
        }
        return Ok(false);
    };
    if std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o007 != 0 {
        report.warning(
            "database",
            &format!("everybody on this machine can read `{shown}`"),
            "it holds personal data: chmod 600",
        )?;
    }
    Ok(true)
}

async fn mail(settings: &Settings, report: &mut Report) -> anyhow::Result<()> {
    let Some(mail) = &settings.mail else {
        return Ok(());
    };
    let server = format!("{}:{}", mail.server.host, mail.server.port);
    let mailer = match Mailer::new(mail.server.clone(), &mail.from) {
        Ok(mailer) => mailer,
        Err(error) => {
            return report.problem(
                "mail",
                &error.to_string(),
                "see `[mail]` in the configuration",
            );
        }
    };
    match mailer.answers().await {
        Ok(()) => report.ok("mail", &format!("{server} answers and lets us in")),
        Err(error) => report.problem("mail", &format!("{server}: {error}"), "without it no code and no notice leaves; is the server up, its name right, the login good?"),
    }
}

/// The systems round the gate, asked for what they must refuse.
struct Neighbours {
    client: Client,
    clock: SystemClock,
    /// Who keeps another time, and by how many seconds.
    apart: Vec<(String, i64)>,
}

/// What a system did with a request that it must refuse.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Answer {
    /// Nobody answered.
    Nobody(String),
    /// This.
    Status(StatusCode),
}

impl Neighbours {
    /// A connector must refuse whatever does not carry a good grant, and says that it never saw a grant that never was.
    async fn connector(
        &mut self,
        connector: &Connector,
        report: &mut Report,
    ) -> anyhow::Result<()> {
        let about = format!("connector {}", connector.name);
        let Ok(own) = WebhookSecrets::parse(connector.secrets.iter().map(Secret::expose_text))
        else {
            return Ok(());
        };
        let foreign = WebhookSecret::generate(&SystemDice);
        let Ok(foreign) = WebhookSecrets::parse([foreign.expose_text()]) else {
            return Ok(());
        };
        // Of the form of a grant, so that it is the signature that is refused and not the form.
        let forged =
            br#"{"grant":"eyJhbGciOiJFZERTQSJ9.e30.AAAA","proof":"c2sp.org/tlog-proof@v1\n"}"#;
        let tries = [
            (
                "with our signature and no grant",
                Some(&own),
                b"{}".as_slice(),
            ),
            (
                "with our signature and a forged grant",
                Some(&own),
                forged.as_slice(),
            ),
            ("with a wrong signature", Some(&foreign), forged.as_slice()),
            ("with no signature", None, forged.as_slice()),
        ];
        let mut refused = 0;
        for (how, secrets, body) in tries {
            let answer = self.post(&connector.url, secrets, body).await;
            match answer {
                Answer::Nobody(why) => {
                    return report.problem(&about, &format!("{} does not answer: {why}", connector.url), "no action that runs this connector can be done; is the backend up, the address right?");
                }
                Answer::Status(status) if status == StatusCode::NOT_FOUND || status == StatusCode::METHOD_NOT_ALLOWED => {
                    return report.problem(&about, &format!("{} answers {status}: grants are not taken there", connector.url), "put the address at which your backend takes grants by POST");
                }
                Answer::Status(status) if status.is_client_error() => refused += 1,
                Answer::Status(status) if status.is_success() => report.problem(
                    &about,
                    &format!("a request {how} was ACCEPTED ({status})"),
                    "this backend does not check its grants: whoever reaches it needs no procedure. See docs/grants.md",
                )?,
                Answer::Status(status) => report.warning(
                    &about,
                    &format!("a request {how} was answered with {status}, which is no refusal"),
                    "answer 401 or 403; whatever else may be an accident",
                )?,
            }
        }
        if refused == tries.len() {
            report.ok(
                &about,
                &format!(
                    "{} refuses requests without a good grant and a good signature",
                    connector.url
                ),
            )?;
        }
        self.status(&about, connector, own, report).await
    }

    async fn status(
        &mut self,
        about: &str,
        connector: &Connector,
        secrets: WebhookSecrets,
        report: &mut Report,
    ) -> anyhow::Result<()> {
        let Ok(mut backend) = HttpEndpoint::new(&connector.url, secrets)
            .map(|endpoint| Backend::new(self.client.clone(), endpoint))
        else {
            return Ok(());
        };
        if let Some(status_url) = &connector.status_url {
            let Ok(with) = backend.with_status_url(status_url) else {
                return Ok(());
            };
            backend = with;
        }
        let url = connector.status_url.as_ref().unwrap_or(&connector.url);
        match backend.ask(&unheard_of(), self.clock.now()).await {
            Ok(AskOutcome::NeverSeen) => report.ok(about, &format!("{url} says of an unknown grant that it never saw it")),
            Ok(AskOutcome::Done | AskOutcome::Failed { .. }) => {
                report.problem(about, &format!("{url} claims to know a grant that never was"), "it must answer `{\"outcome\":\"never_seen\"}` for a grant it does not know")
            }
            _ => report.warning(
                about,
                &format!("{url} does not say what became of a grant"),
                "after a lost answer the case stays unknown until somebody looks; answer `{\"outcome\":\"never_seen\"}` for a grant you do not know",
            ),
        }
    }

    /// An old way to the same action must be shut.
    async fn door(&mut self, url: &str, report: &mut Report) -> anyhow::Result<()> {
        match self.post(url, None, b"{}").await {
            Answer::Nobody(_) => report.ok("door", &format!("{url}: nobody answers")),
            // Only these refuse whoever asks. Another 4xx refuses this empty request, and may do what a better one says.
            Answer::Status(status) if matches!(status.as_u16(), 401 | 403 | 404 | 405 | 410) => report.ok("door", &format!("{url} is shut ({status})")),
            Answer::Status(status) if status.is_success() => report.problem(
                "door",
                &format!("{url} is OPEN: it answered {status} to a request without a grant"),
                "what can be done past the gate will be; take this route away, or let it ask for a grant",
            ),
            Answer::Status(status) => report.warning("door", &format!("{url} answered {status}"), "that may refuse only this request, or be an accident; answer 401, 403 or 410 to whoever has no grant"),
        }
    }

    /// The company's password endpoint must refuse a question that the gate did not sign, and answer one that it did.
    async fn password(&mut self, endpoint: &Endpoint, report: &mut Report) -> anyhow::Result<()> {
        if !self.unsigned("password", &endpoint.url, report).await? {
            return Ok(());
        }
        let Ok(secrets) = WebhookSecrets::parse(endpoint.secrets.iter().map(Secret::expose_text))
        else {
            return Ok(());
        };
        let Ok(asked) = HttpEndpoint::new(&endpoint.url, secrets) else {
            return Ok(());
        };
        let check = PasswordCheck::new(self.client.clone(), asked);
        match check.check("countersign-doctor", &Secret::new(unheard_of()), &SystemDice, self.clock.now()).await {
            PasswordVerdict::Wrong => report.ok("password", "a customer that does not exist has no right password"),
            PasswordVerdict::Right => report.problem("password", "a random password of a customer that does not exist was called RIGHT", "whoever types anything proves the password; mend the endpoint"),
            PasswordVerdict::Unavailable => report.problem("password", "a signed question has no usable answer", "answer 200 with `{\"ok\":true}` or `{\"ok\":false}`; is the webhook secret the same on both sides?"),
        }
    }

    /// A checker must refuse a question that is not signed, and one that is signed with another secret. It is asked nothing in
    /// earnest: a good question could ring somebody's telephone.
    async fn checker(&mut self, checker: &Checker, report: &mut Report) -> anyhow::Result<()> {
        let about = format!("checker `{}`", checker.proof);
        if !self.unsigned(&about, &checker.url, report).await? {
            return Ok(());
        }
        let Ok(forged) =
            WebhookSecrets::parse([WebhookSecret::generate(&SystemDice).expose_text()])
        else {
            return Ok(());
        };
        let url = &checker.url;
        match self.post(url, Some(&forged), b"{}").await {
            Answer::Status(status) if status.is_client_error() => report.ok(
                &about,
                &format!("{url} refuses a question that somebody else signed"),
            ),
            Answer::Status(status) if status.is_success() => report.problem(
                &about,
                &format!("{url} ACCEPTED a question that somebody else signed ({status})"),
                "compare the signature with the secret of `[checkers]`, in constant time, and answer 401",
            ),
            Answer::Status(status) => report.warning(
                &about,
                &format!("{url} answered {status} to a question that somebody else signed"),
                "answer 401",
            ),
            Answer::Nobody(why) => report.problem(
                &about,
                &format!("{url} does not answer: {why}"),
                "is it up, the address right?",
            ),
        }
    }

    /// Asks without a signature; true if that was refused.
    async fn unsigned(
        &mut self,
        about: &str,
        url: &str,
        report: &mut Report,
    ) -> anyhow::Result<bool> {
        match self.post(url, None, b"{}").await {
            Answer::Nobody(why) => report.problem(
                about,
                &format!("{url} does not answer: {why}"),
                "is it up, the address right?",
            )?,
            Answer::Status(status)
                if status == StatusCode::NOT_FOUND || status == StatusCode::METHOD_NOT_ALLOWED =>
            {
                report.problem(
                    about,
                    &format!("{url} answers {status}"),
                    "put the address that takes our POST",
                )?;
            }
            Answer::Status(status) if status.is_client_error() => {
                report.ok(
                    about,
                    &format!("{url} refuses a request without our signature"),
                )?;
                return Ok(true);
            }
            Answer::Status(status) if status.is_success() => {
                report.problem(
                    about,
                    &format!("{url} ACCEPTED a request without our signature ({status})"),
                    "verify the webhook signature there and answer 401 without it",
                )?;
            }
            Answer::Status(status) => report.warning(
                about,
                &format!("{url} answered {status} to a request without our signature"),
                "answer 401",
            )?,
        }
        Ok(false)
    }

    async fn post(&mut self, url: &str, secrets: Option<&WebhookSecrets>, body: &[u8]) -> Answer {
        let now = self.clock.now();
        let mut request = self
            .client
            .post(url)
            .header(header::CONTENT_TYPE, "application/json")
            .body(body.to_vec());
        if let Some(Ok(headers)) = secrets.map(|secrets| secrets.sign(&unheard_of(), now, body)) {
            request = request
                .header(ID_HEADER, headers.id)
                .header(TIMESTAMP_HEADER, headers.timestamp)
                .header(SIGNATURE_HEADER, headers.signature);
        }
        match request.send().await {
            Ok(response) => {
                let date = response
                    .headers()
                    .get(header::DATE)
                    .and_then(|date| date.to_str().ok());
                if let Some(theirs) = date.and_then(|date| jiff::fmt::rfc2822::parse(date).ok()) {
                    self.apart.push((
                        host_of(url),
                        theirs.timestamp().as_second() - self.clock.now().0.div_euclid(1_000),
                    ));
                }
                Answer::Status(response.status())
            }
            Err(error) if error.is_timeout() => Answer::Nobody("it took too long".to_owned()),
            Err(error) if error.is_connect() => Answer::Nobody("no connection".to_owned()),
            Err(_) => Answer::Nobody("the answer cannot be read".to_owned()),
        }
    }

    fn clocks(&self, report: &mut Report) -> anyhow::Result<()> {
        if self.clock.now() < NOT_BEFORE {
            return report.problem(
                "clock",
                "this machine lives in the past",
                "set its clock, and keep it by NTP",
            );
        }
        let furthest = self.apart.iter().max_by_key(|(_, seconds)| seconds.abs());
        match furthest {
            Some((host, seconds)) if seconds.abs() > CLOCKS_APART_SECONDS => report.warning(
                "clock",
                &format!(
                    "`{host}` is {} seconds {}",
                    seconds.abs(),
                    if *seconds > 0 { "ahead" } else { "behind" }
                ),
                "a grant counts for two minutes at most: keep both clocks by NTP",
            ),
            Some(_) => report.ok("clock", "the neighbours keep the same time"),
            None => report.ok("clock", "nobody to compare with; keep it by NTP"),
        }
    }
}

/// An id that no grant has.
fn unheard_of() -> String {
    format!(
        "doctor_{:032x}",
        u128::from_be_bytes(random_bytes(&SystemDice))
    )
}
