//! `serve`: a gate on its database, its workers, and the pages and API before them.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use countersign_ledger::Checkpoint;
use countersign_service::adapters::dice::SystemDice;
use countersign_service::adapters::secrets::{HashLimits, SecretHasher};
use countersign_service::{Gate, Operator, Parts, StartError, agree_on_keys};
use countersign_web::listener::{self, Patience};
use countersign_web::{PanelOrigins, Web, WebSettings};
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

use crate::commands::backup::holds;
use crate::commands::ledger::earlier;
use crate::commands::procedure::{NOT_VALID, Source};
use crate::config::Config;
use crate::installation::{Installation, NotRead, objections, read_config, what_changed};
use crate::metrics::Metrics;
#[cfg(feature = "otel")]
use crate::telemetry::Telemetry;
use crate::{supervisor, terminal};

/// How long open requests may take after the program takes no more of them.
const LAST_WORDS: Duration = Duration::from_secs(10);

/// What is asked for beside the configuration.
#[derive(Debug)]
pub(crate) struct Wish<'a> {
    /// Accounts that are invited.
    pub(crate) invite: &'a [String],
    /// A checkpoint that the ledger must begin with.
    pub(crate) since: Option<&'a Path>,
    /// Keys that the database was not served with before are taken.
    pub(crate) new_keys: bool,
}

/// `countersign serve`
pub(crate) fn serve(file: &Path, wish: &Wish<'_>) -> anyhow::Result<ExitCode> {
    let Some(ready) = prepare(file)? else {
        return Ok(ExitCode::from(NOT_VALID));
    };
    let since = wish
        .since
        .map(|since| earlier(since, &ready.installation))
        .transpose()?;
    let runtime = tokio::runtime::Runtime::new().context("cannot start the program's threads")?;
    let telemetry = logs_and_traces(&ready.config, runtime.handle())?;
    let ran = runtime.block_on(ready.run(wish, since));
    if let Some(telemetry) = telemetry {
        telemetry.end();
    }
    ran?;
    // Hashes still under way on blocking threads are nobody's any more.
    runtime.shutdown_timeout(Duration::from_secs(1));
    Ok(ExitCode::SUCCESS)
}

/// A right configuration and a procedure that may go live.
pub(crate) struct Ready {
    pub(crate) config: Config,
    pub(crate) installation: Installation,
}

/// Reads and checks everything that can be checked without starting; complains about all of it at once.
///
/// # Errors
/// Only if the configuration file cannot be read at all.
pub(crate) fn prepare(file: &Path) -> anyhow::Result<Option<Ready>> {
    let Some(config) = right_config(file)? else {
        return Ok(None);
    };
    let installation = secrets_of(&config, file);
    let procedure = kept_procedure(&config.path("gate", "procedure"));
    let (Some(mut installation), Some(procedure)) = (installation, procedure) else {
        return Ok(None);
    };
    installation.settings.procedure = procedure;
    Ok(Some(Ready {
        config,
        installation,
    }))
}

/// The configuration and its secrets, whatever becomes of the procedure; complains like [`prepare`].
///
/// # Errors
/// Only if the configuration file cannot be read at all.
pub(crate) fn configured(file: &Path) -> anyhow::Result<Option<(Config, Installation)>> {
    let Some(config) = right_config(file)? else {
        return Ok(None);
    };
    Ok(secrets_of(&config, file).map(|installation| (config, installation)))
}

fn right_config(file: &Path) -> anyhow::Result<Option<Config>> {
    match read_config(file) {
        Ok(config) => Ok(Some(config)),
        Err(NotRead::Unreadable(error)) => Err(error),
        Err(NotRead::Mistakes(mistakes)) => {
            for mistake in mistakes {
                terminal::complain(&format!("error: {}", mistake.in_file(file)));
            }
            Ok(None)
        }
    }
}

fn secrets_of(config: &Config, file: &Path) -> Option<Installation> {
    let complain = |wrong: Vec<String>| {
        for wrong in wrong {
            terminal::complain(&format!("error: {}: {wrong}", file.display()));
        }
    };
    Installation::of(config).map_err(complain).ok()
}

/// The text of a procedure that is valid, whose promises are kept, and each certificate of whose verdicts checks; complains otherwise.
fn kept_procedure(file: &Path) -> Option<String> {
    let source = Source::open(file)
        .map_err(|error| terminal::complain(&format!("error: {error:#}")))
        .ok()?;
    let procedure = source.valid()?;
    let objections = objections(procedure, &source.text);
    for objection in &objections {
        terminal::complain(&format!("error: {}: {objection}", source.name));
    }
    if objections.is_empty() {
        // A JSON twin is kept as the procedure it stands for.
        let twin = source
            .is_twin()
            .then(|| countersign_language::format(&source.reading.tree).ok())
            .flatten();
        return Some(twin.unwrap_or(source.text));
    }
    terminal::complain(
        "the gate does not start on a broken promise: mend the procedure, or take the promise back for all to see",
    );
    None
}

impl Ready {
    async fn run(self, wish: &Wish<'_>, since: Option<Checkpoint>) -> anyhow::Result<()> {
        let Self {
            config,
            installation,
        } = self;
        let clock = Installation::clock();
        let database = installation.open_database(Arc::clone(&clock)).await?;
        if let Some(since) = &since {
            holds(&*database.journal(), since).await?;
        }
        agree_on_keys(&database.journal(), &installation.settings, wish.new_keys)
            .await
            .map_err(not_started)?;
        let dice = Arc::new(SystemDice);
        let parts = Parts {
            journal: database.journal(),
            clock,
            hasher: SecretHasher::new(installation.pepper.clone(), hash_limits(), dice.clone())
                .context("cannot hash secrets")?,
            dice,
            // Asked before anything was opened.
            check: Box::new(|_| Ok(())),
        };
        let gate = Gate::start(installation.settings.clone(), parts)
            .await
            .map_err(not_started)?;
        gate.compare_with(Box::new(what_changed));
        if let Some(version) = gate.proposed_version().await? {
            terminal::complain(&format!(
                "a new version of the procedure waits for a signature at {}/procedures/proposed: {version}; cases are opened under {}",
                gate.settings().origin,
                gate.procedure().version
            ));
        }
        let (listener, held) = listener::bind(&config.text("gate", "listen"))
            .await
            .with_context(|| format!("cannot listen on {}", config.text("gate", "listen")))?;
        let address = listener
            .local_addr()
            .context("cannot tell where the gate listens")?;
        let stop = stop_signal()?;
        let web = web(&gate, &installation, &config);
        let drain = drain(&config);
        let measured = match config.text("metrics", "listen") {
            address if address.is_empty() => None,
            address => Some(Metrics::begin(&address).await?),
        };
        if let Some(metrics) = measured {
            let address = metrics.address().context("cannot tell where metrics are")?;
            tracing::info!(%address, "metrics");
            tokio::spawn(metrics.serve(gate.clone(), web.clone(), stop.clone()));
        }
        let serving = tokio::spawn(accept(listener, web, drain, stop.clone()));
        supervisor::tell("READY=1");
        terminal::print(&format!("listening on http://{address}\n"))?;
        tracing::info!(%address, procedure = %gate.procedure().version, ledger = gate.log_origin(), socket = ?held, "started");
        for account in wish.invite {
            invitation(&gate, account).await?;
        }
        let working = gate.clone();
        let worker = tokio::spawn(async move { Box::pin(working.work(asked(stop))).await });
        serving.await.context("the server ended by itself")?;
        worker.await.context("the workers ended by themselves")?;
        drop(gate);
        database.close().await;
        tracing::info!("stopped");
        Ok(())
    }
}

/// How long the gate goes on as before after it was asked to end, with `/readyz` saying that it will.
fn drain(config: &Config) -> Duration {
    Duration::from_secs(u64::try_from(config.number("gate", "drain_seconds")).unwrap_or_default())
}

/// The pages, the API and the ledger.
fn web(gate: &Gate, installation: &Installation, config: &Config) -> Web {
    let settings = WebSettings {
        log_key: installation.signer.verifier().clone(),
        time_zone: config.text("gate", "time_zone"),
        demo: None,
        trusted_proxies: config
            .list("gate", "trusted_proxies")
            .iter()
            .filter_map(|address| address.parse().ok())
            .collect(),
        panel: PanelOrigins::new(&config.list("gate", "panel_in")).unwrap_or_else(|error| {
            tracing::error!(%error, "`gate.panel_in` is not used: nobody may frame the panel");
            PanelOrigins::default()
        }),
    };
    Web::new(gate.clone(), settings)
}

/// Accepts until it is asked to end. Then it says so where load balancers look, goes on for as long as they need to
/// notice, takes nothing more, and lets open requests finish within [`LAST_WORDS`].
async fn accept(listener: TcpListener, web: Web, drain: Duration, stop: watch::Receiver<bool>) {
    let (closing, closed) = watch::channel(false);
    let router = countersign_web::router(web.clone());
    let end = async {
        asked(stop).await;
        web.end();
        supervisor::tell("STOPPING=1");
        tokio::time::sleep(drain).await;
        closing.send_replace(true);
        tokio::time::sleep(LAST_WORDS).await;
    };
    tokio::select! {
        () = listener::serve(listener, router, Patience::default(), closed) => {}
        () = end => {}
    }
}

/// Becomes true once SIGTERM or SIGINT has come; a second one ends the program at once.
fn stop_signal() -> anyhow::Result<watch::Receiver<bool>> {
    let mut terminate = signal(SignalKind::terminate()).context("cannot wait for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot wait for SIGINT")?;
    let (stop, stopped) = watch::channel(false);
    tokio::spawn(async move {
        loop {
            tokio::select! { _ = terminate.recv() => {} _ = interrupt.recv() => {} }
            if stop.send_replace(true) {
                std::process::exit(130);
            }
            tracing::info!("asked to end");
        }
    });
    Ok(stopped)
}

async fn asked(mut stop: watch::Receiver<bool>) {
    // The sender lives as long as the runtime.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Prints the link that lets an account register its first passkey. Whoever runs the program may do that; no request ever can.
async fn invitation(gate: &Gate, account: &str) -> anyhow::Result<()> {
    let issued = gate
        .invite_from_console(&Operator::at_the_console(), account)
        .await
        .with_context(|| format!("cannot invite `{account}`"))?;
    let until = Timestamp::from_millisecond(issued.until.0)
        .map(|until| until.strftime("%Y-%m-%d %H:%M UTC").to_string())
        .unwrap_or_default();
    terminal::print(&format!(
        "invitation for {account}, once, until {until}: {}/invitation/{}\n",
        gate.settings().origin,
        issued.token.expose()
    ))
}

/// Argon2 takes 19 MiB and a processor each time: one less than there are, so that pages go on while PINs are checked.
fn hash_limits() -> HashLimits {
    let processors = std::thread::available_parallelism().map_or(2, usize::from);
    HashLimits {
        running: processors.saturating_sub(1).clamp(1, 8),
        ..HashLimits::default()
    }
}

fn not_started(error: StartError) -> anyhow::Error {
    anyhow::Error::new(error).context("the gate does not start")
}

/// Log lines go to standard error; `docs/LOGGING.md` says what is in them. Spans go to a collector, if the configuration
/// names one.
fn logs_and_traces(config: &Config, runtime: &Handle) -> anyhow::Result<Option<Telemetry>> {
    let level = config.text("log", "level");
    // Other people's crates speak up only when something is wrong.
    let ours = ["", "_service", "_store", "_web"]
        .map(|part| format!("countersign{part}={level}"))
        .join(",");
    let filter = EnvFilter::try_new(format!(
        "{},{ours}",
        if level == "error" { "error" } else { "warn" }
    ))
    .context("cannot set up logs")?;
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let lines = match config.text("log", "format").as_str() {
        "json" => lines.json().flatten_event(true).boxed(),
        _ => lines
            .with_ansi(terminal::colour_wanted_for_complaints())
            .boxed(),
    };
    let (telemetry, spans) = Telemetry::begin(config, runtime)?.unzip();
    tracing_subscriber::registry()
        .with(lines.with_filter(filter))
        .with(spans)
        .try_init()
        .map_err(|error| anyhow::anyhow!("cannot set up logs: {error}"))?;
    Ok(telemetry)
}

/// What stands for [`crate::telemetry`] in a program that was built without it.
#[cfg(not(feature = "otel"))]
struct Telemetry;

#[cfg(not(feature = "otel"))]
impl Telemetry {
    fn begin(
        config: &Config,
        _: &Handle,
    ) -> anyhow::Result<Option<(Self, tracing_subscriber::layer::Identity)>> {
        anyhow::ensure!(
            !config.has("telemetry"),
            "this program was built without traces (feature `otel`); take `[telemetry]` out of the configuration, or use the program as it is shipped"
        );
        Ok(None)
    }

    fn end(self) {}
}
