//! The gate: started from settings, a store, a clock and dice; cheap to clone.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, OnceLock, PoisonError, RwLock},
    time::Duration,
};

use countersign_cases::Timestamp;
use countersign_grant::GrantKey;
use countersign_language::{
    Diagnostic, Expr, GATE, Method, Procedure, ProofId, Requirement, Severity,
};
use countersign_store::SharedJournal;
use serde::{Deserialize, Serialize};

use crate::{
    adapters::{
        checker::Checker,
        clock::Clock,
        codes::CodeKey,
        connector::Connector,
        dice::Dice,
        http::{Endpoint as HttpEndpoint, http_client},
        mailer::Mailer,
        openid::{Provider, ProviderSettings},
        outside::{Outside, Wire},
        password_check::PasswordCheck,
        secrets::{Secret, SecretHasher},
        text_gateway::TextGateway,
        webauthn::RelyingParty,
        webhooks::WebhookSecrets,
    },
    folded::Folded,
    ledger,
    rates::Answers,
    reconcile::Deliveries,
    records::{self, space},
    settings::{CompanyLogin, Scope, Settings, StaffLogin},
    trouble::Trouble,
    versions::ProcedureDiff,
    work::Bells,
};

/// How long a checker may take to say that it answers later: the customer waits meanwhile.
const CHECKER_TIMEOUT: Duration = Duration::from_secs(10);

/// The gate. Cloning shares it.
#[derive(Clone)]
pub struct Gate(Arc<Inner>);

struct Inner {
    settings: Settings,
    journal: SharedJournal,
    clock: Arc<dyn Clock>,
    dice: Arc<dyn Dice>,
    /// The procedure new cases are opened under; see [`crate::versions`].
    current: RwLock<Arc<Procedure>>,
    diff: OnceLock<ProcedureDiff>,
    /// Every version a case was opened under, read once.
    versions: RwLock<BTreeMap<String, Arc<Procedure>>>,
    code_key: CodeKey,
    grant_key: GrantKey,
    log_origin: String,
    hasher: SecretHasher,
    /// Answers by customer, from whatever network.
    answers: Answers,
    relying_party: RelyingParty,
    connectors: BTreeMap<String, Connector>,
    mailer: Option<Mailer>,
    text: Option<TextGateway>,
    password: Option<PasswordCheck>,
    company: Option<Provider>,
    /// By name of the proof.
    checkers: BTreeMap<String, Checker>,
    staff_provider: Option<Provider>,
    /// Events of backends on their way into a commit.
    deliveries: Deliveries,
    /// Rung when the gate itself queued something that is due at once.
    bells: Bells,
    /// Cases as their events made them.
    folded: Folded,
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate")
            .field("procedure", &self.procedure().version)
            .finish_non_exhaustive()
    }
}

/// What a gate is built on, beside its settings.
pub struct Parts {
    /// The store.
    pub journal: SharedJournal,
    /// The only source of the time.
    pub clock: Arc<dyn Clock>,
    /// The only source of randomness.
    pub dice: Arc<dyn Dice>,
    /// Hashes PINs.
    pub hasher: SecretHasher,
    /// A look at the procedure beyond its validity.
    pub check: ProcedureCheck,
}

impl fmt::Debug for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parts").finish_non_exhaustive()
    }
}

impl Inner {
    fn new(
        settings: Settings,
        parts: Parts,
        current: Arc<Procedure>,
        log_origin: String,
        outside: Option<&Arc<dyn Outside>>,
    ) -> Result<Self, StartError> {
        let wrong =
            |what: &str, error: &dyn fmt::Display| StartError::Settings(format!("{what}: {error}"));
        let network = || http_client().map_err(|error| wrong("http", &error));
        let wire = match outside {
            None => Wire::Network(network()?),
            Some(outside) => Wire::Played(Arc::clone(outside)),
        };
        let provider = |what: &str, settings: &ProviderSettings| {
            let client = match &wire {
                Wire::Network(client) => client.clone(),
                // Nobody plays an OpenID provider.
                Wire::Played(_) => network()?,
            };
            Provider::new(client, settings).map_err(|error| wrong(what, &error))
        };
        let endpoint =
            |what: &str, url: &str, secrets: &[Secret]| -> Result<HttpEndpoint, StartError> {
                let secrets = WebhookSecrets::parse(secrets.iter().map(Secret::expose_text))
                    .map_err(|error| wrong(what, &error))?;
                HttpEndpoint::new(url, secrets).map_err(|error| wrong(what, &error))
            };
        let mut connectors = BTreeMap::new();
        for connector in &settings.connectors {
            let what = format!("connector `{}`", connector.name);
            let mut made = Connector::new(
                wire.clone(),
                endpoint(&what, &connector.url, &connector.secrets)?,
            );
            if let Some(status_url) = &connector.status_url {
                made = made
                    .with_status_url(status_url)
                    .map_err(|error| wrong(&what, &error))?;
            }
            connectors.insert(connector.name.clone(), made);
        }
        let mut checkers = BTreeMap::new();
        for checker in &settings.checkers {
            let what = format!("checker of `{}`", checker.proof);
            let endpoint = endpoint(&what, &checker.url, &checker.secrets)?;
            checkers.insert(
                checker.proof.clone(),
                Checker::new(wire.clone(), endpoint.with_timeout(CHECKER_TIMEOUT)),
            );
        }
        let mail = settings.mail.as_ref();
        let text = settings
            .text
            .as_ref()
            .map(|text| endpoint("text gateway", &text.url, &text.secrets))
            .transpose()?;
        let password = settings
            .password
            .as_ref()
            .map(|check| endpoint("password check", &check.url, &check.secrets))
            .transpose()?;
        Ok(Self {
            code_key: CodeKey::new(&settings.keys.codes),
            grant_key: GrantKey::from_seed(&settings.keys.grant_seed)
                .map_err(|error| wrong("grant key", &error))?,
            relying_party: RelyingParty::new(
                &settings.rp_id,
                &current.organisation,
                &[&settings.origin],
            )
            .map_err(|error| wrong("origin", &error))?,
            mailer: mail
                .map(|mail| match outside {
                    None => Mailer::new(mail.server.clone(), &mail.from),
                    Some(outside) => Mailer::played(Arc::clone(outside), &mail.from),
                })
                .transpose()
                .map_err(|error| wrong("mail", &error))?,
            text: text.map(|endpoint| TextGateway::new(wire.clone(), endpoint)),
            company: settings
                .company_login
                .as_ref()
                .map(|login| provider("company login", &login.provider))
                .transpose()?,
            staff_provider: settings
                .staff_login
                .as_ref()
                .map(|login| provider("staff login", &login.provider))
                .transpose()?,
            password: password.map(|endpoint| PasswordCheck::new(wire.clone(), endpoint)),
            connectors,
            checkers,
            versions: RwLock::new(BTreeMap::from([(
                current.version.to_string(),
                Arc::clone(&current),
            )])),
            settings,
            journal: parts.journal,
            clock: parts.clock,
            dice: parts.dice,
            hasher: parts.hasher,
            answers: Answers::default(),
            current: RwLock::new(current),
            diff: OnceLock::new(),
            log_origin,
            deliveries: Deliveries::default(),
            bells: Bells::default(),
            folded: Folded::default(),
        })
    }
}

/// A look at the procedure beyond its validity, such as "every promise is kept". The error is shown to the operator.
pub type ProcedureCheck = Box<dyn Fn(&Procedure) -> Result<(), String> + Send + Sync>;

/// Why a gate did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The procedure is not valid.
    #[error("the procedure is not valid")]
    ProcedureNotValid(Vec<Diagnostic>),
    /// The procedure was refused by the check it was started with.
    #[error("the procedure is refused: {0}")]
    ProcedureRefused(String),
    /// A setting contradicts another, or the procedure.
    #[error("{0}")]
    Settings(String),
    /// The store.
    #[error(transparent)]
    Trouble(#[from] Trouble),
}

/// A procedure version as stored.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ProcedureText {
    pub(crate) text: String,
    pub(crate) first_seen: Timestamp,
}

impl Gate {
    /// Starts a gate. Nothing runs in the background until [`Gate::work`] is called.
    ///
    /// The procedure must be valid and pass [`Parts::check`]. It is in force at
    /// once if it is the first of this store; a later one waits for a signature
    /// ([`Gate::proposed_procedure`]). Texts are stored under their version, so
    /// that cases opened under one keep it for as long as they live.
    pub async fn start(settings: Settings, parts: Parts) -> Result<Self, StartError> {
        Self::start_on(settings, parts, None).await
    }

    /// The same in a world that somebody plays: no connection is ever opened.
    ///
    /// # Errors
    /// As [`Gate::start`].
    pub async fn start_within(
        settings: Settings,
        parts: Parts,
        outside: &Arc<dyn Outside>,
    ) -> Result<Self, StartError> {
        Self::start_on(settings, parts, Some(outside)).await
    }

    async fn start_on(
        settings: Settings,
        parts: Parts,
        outside: Option<&Arc<dyn Outside>>,
    ) -> Result<Self, StartError> {
        let procedure = read_procedure(&settings.procedure)?;
        (parts.check)(&procedure).map_err(StartError::ProcedureRefused)?;
        check_settings(&settings, &procedure)?;
        let log_origin =
            ledger::read_checkpoint(&parts.journal.checkpoint().await.map_err(Trouble::from)?)?
                .origin;
        let ours = Arc::new(procedure);
        let inner = Inner::new(settings, parts, Arc::clone(&ours), log_origin, outside)?;
        let gate = Self(Arc::new(inner));
        gate.settle_procedure(&ours).await?;
        gate.seed_staff(&ours).await?;
        gate.link_staff().await?;
        gate.schedule_drills().await?;
        Ok(gate)
    }

    /// A gate to read with, under the procedure in force whatever the settings say: nothing is proposed, nobody is invited, and
    /// no work is done.
    ///
    /// # Errors
    /// [`StartError`]; [`StartError::Settings`] for a store that no gate was started on yet.
    pub async fn start_to_read(mut settings: Settings, parts: Parts) -> Result<Self, StartError> {
        settings.procedure = crate::versions::text_in_force(&parts.journal)
            .await?
            .ok_or_else(|| {
                StartError::Settings("no gate was started on this database yet".to_owned())
            })?;
        let procedure = Arc::new(read_procedure(&settings.procedure)?);
        let note = parts.journal.checkpoint().await.map_err(Trouble::from)?;
        let log_origin = ledger::read_checkpoint(&note)?.origin;
        Ok(Self(Arc::new(Inner::new(
            settings, parts, procedure, log_origin, None,
        )?)))
    }

    /// The newest position in the journal.
    pub fn position(&self) -> u64 {
        *self.0.journal.watch().borrow()
    }

    pub(crate) fn current(&self) -> &RwLock<Arc<Procedure>> {
        &self.0.current
    }

    pub(crate) fn diff(&self) -> &OnceLock<ProcedureDiff> {
        &self.0.diff
    }

    /// The text of a procedure version, hexadecimal.
    pub async fn procedure_text(&self, version: &str) -> Result<Option<String>, Trouble> {
        Ok(self
            .load::<ProcedureText>(space::PROCEDURE, &records::part(version))
            .await?
            .map(|held| held.value.text))
    }

    /// The settings it was started with.
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// Wakes whenever something was committed; the value is the newest position in the journal.
    pub fn news(&self) -> tokio::sync::watch::Receiver<u64> {
        self.0.journal.watch()
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        self.0.clock.as_ref()
    }

    pub(crate) fn dice(&self) -> &dyn Dice {
        self.0.dice.as_ref()
    }

    pub(crate) fn journal(&self) -> &SharedJournal {
        &self.0.journal
    }

    pub(crate) fn code_key(&self) -> &CodeKey {
        &self.0.code_key
    }

    pub(crate) fn folded(&self) -> &Folded {
        &self.0.folded
    }

    pub(crate) fn bells(&self) -> &Bells {
        &self.0.bells
    }

    pub(crate) fn deliveries(&self) -> &Deliveries {
        &self.0.deliveries
    }

    pub(crate) fn connector_client(&self, name: &str) -> Option<&Connector> {
        self.0.connectors.get(name)
    }

    pub(crate) fn grant_key(&self) -> &GrantKey {
        &self.0.grant_key
    }

    /// The ledger's origin line.
    pub fn log_origin(&self) -> &str {
        &self.0.log_origin
    }

    pub(crate) fn answers(&self) -> &Answers {
        &self.0.answers
    }

    /// Hashes of PINs that run now, and those that wait for their turn.
    pub fn hashing(&self) -> (usize, usize) {
        self.0.hasher.load()
    }

    pub(crate) fn hasher(&self) -> &SecretHasher {
        &self.0.hasher
    }

    pub(crate) fn relying_party(&self) -> &RelyingParty {
        &self.0.relying_party
    }

    pub(crate) fn mailer(&self) -> Option<&Mailer> {
        self.0.mailer.as_ref()
    }

    pub(crate) fn text_gateway(&self) -> Option<&TextGateway> {
        self.0.text.as_ref()
    }

    /// Where customers sign in, and what is settled about it.
    pub(crate) fn company_provider(&self) -> Option<(&Provider, &CompanyLogin)> {
        self.0
            .company
            .as_ref()
            .zip(self.0.settings.company_login.as_ref())
    }

    /// Where staff sign in, and what is settled about it.
    pub(crate) fn staff_provider(&self) -> Option<(&Provider, &StaffLogin)> {
        self.0
            .staff_provider
            .as_ref()
            .zip(self.0.settings.staff_login.as_ref())
    }

    /// The company's checkers, by name of the proof.
    pub(crate) fn checkers(&self) -> &BTreeMap<String, Checker> {
        &self.0.checkers
    }

    pub(crate) fn password_check(&self) -> Option<&PasswordCheck> {
        self.0.password.as_ref()
    }

    /// The procedure of a version a case was opened under, hexadecimal.
    pub async fn procedure_of(&self, version: &str) -> Result<Arc<Procedure>, Trouble> {
        if let Some(known) = self
            .0
            .versions
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(version)
        {
            return Ok(Arc::clone(known));
        }
        let text = self
            .procedure_text(version)
            .await?
            .ok_or_else(|| Trouble::Damaged(format!("procedure version `{version}` is missing")))?;
        let procedure = read_procedure(&text).map_err(|_| {
            Trouble::Damaged(format!(
                "procedure version `{version}` can no longer be read"
            ))
        })?;
        if procedure.version.to_string() != version {
            return Err(Trouble::Damaged(format!(
                "procedure version `{version}` reads as another one"
            )));
        }
        let procedure = Arc::new(procedure);
        self.0
            .versions
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(version.to_owned(), Arc::clone(&procedure));
        Ok(procedure)
    }
}

/// Reads a procedure; warnings do not stop it.
fn read_procedure(text: &str) -> Result<Procedure, StartError> {
    // Nothing here writes the text again, so no tree of it is kept.
    let reading = countersign_language::read_procedure(text);
    match reading.procedure {
        Some(procedure)
            if reading
                .diagnostics
                .iter()
                .all(|found| found.severity < Severity::Error) =>
        {
            Ok(procedure)
        }
        _ => Err(StartError::ProcedureNotValid(reading.diagnostics)),
    }
}

fn check_settings(settings: &Settings, procedure: &Procedure) -> Result<(), StartError> {
    let wrong = |what: String| Err(StartError::Settings(what));
    if settings.connectors.iter().any(|one| one.name == GATE) {
        return wrong(format!(
            "no connector may be called `{GATE}`: `runs {GATE}` is the gate itself"
        ));
    }
    every_neighbour(settings, procedure)?;
    for machine in &settings.machines {
        if machine.scopes.contains(&Scope::Backups) && machine.scopes.len() > 1 {
            return wrong(format!(
                "machine `{}` attests backups and may therefore do nothing else",
                machine.name
            ));
        }
        for role in &machine.robot_roles {
            if procedure.role_named(role).is_none() {
                return wrong(format!(
                    "machine `{}` has the role `{role}`, which the procedure does not know",
                    machine.name
                ));
            }
        }
    }
    for account in &settings.staff {
        for role in &account.roles {
            if procedure.role_named(role).is_none() {
                return wrong(format!(
                    "account `{}` has the role `{role}`, which the procedure does not know",
                    account.account
                ));
            }
        }
    }
    check_logins(settings, procedure)?;
    if !(1..=120).contains(&settings.limits.grant_seconds) {
        return wrong("a grant counts for 1 to 120 seconds".to_owned());
    }
    Ok(())
}

fn check_logins(settings: &Settings, procedure: &Procedure) -> Result<(), StartError> {
    let wrong = |what: String| Err(StartError::Settings(what));
    let method_of = |name: &str| {
        let id = procedure.proof_named(name)?;
        procedure.proofs.get(id.index())?.using
    };
    if let Some(login) = &settings.company_login {
        for name in login.proof_acr_values.keys() {
            if !matches!(method_of(name), Some(Method::Oidc | Method::Ciba)) {
                return wrong(format!(
                    "`{name}` is no proof of the procedure that uses `oidc` or `ciba`"
                ));
            }
        }
    }
    if let Some(login) = &settings.staff_login {
        for group in &login.groups {
            for role in &group.roles {
                if procedure.role_named(role).is_none() {
                    return wrong(format!(
                        "group `{}` has the role `{role}`, which the procedure does not know",
                        group.name
                    ));
                }
            }
        }
    } else if let Some(account) = settings
        .staff
        .iter()
        .find(|account| account.subject.is_some())
    {
        return wrong(format!(
            "account `{}` has a subject, and staff sign in nowhere that would know it",
            account.account
        ));
    }
    Ok(())
}

/// Every system that the procedure runs actions on is configured, and every checker that it has somebody asked.
pub(crate) fn every_neighbour(
    settings: &Settings,
    procedure: &Procedure,
) -> Result<(), StartError> {
    for action in procedure.actions.iter().filter(|action| !action.outside) {
        if let Some(name) = &action.runs
            && name != GATE
            && !settings
                .connectors
                .iter()
                .any(|connector| connector.name == *name)
        {
            return Err(StartError::Settings(format!(
                "action `{}` runs `{name}`, and there is no connector of that name",
                action.name
            )));
        }
    }
    every_checker(settings, procedure)
}

/// A proof by a checker that nobody can ask would shut its way without a word.
fn every_checker(settings: &Settings, procedure: &Procedure) -> Result<(), StartError> {
    let lines = procedure
        .actions
        .iter()
        .filter(|action| !action.outside)
        .flat_map(|action| &action.paths)
        .flat_map(|path| &path.lines);
    let mut asked = Vec::new();
    for line in lines {
        if let Requirement::Prove(expression) = &line.requirement {
            proofs_in(expression, &mut asked);
        }
    }
    for proof in asked
        .into_iter()
        .filter_map(|id| procedure.proofs.get(id.index()))
        .filter(|proof| proof.using == Some(Method::Webhook))
    {
        if !settings
            .checkers
            .iter()
            .any(|checker| checker.proof == proof.name)
        {
            return Err(StartError::Settings(format!(
                "proof `{0}` is made by your own checker, and there is none: add a section `[checkers.{0}]`",
                proof.name
            )));
        }
    }
    Ok(())
}

fn proofs_in(expression: &Expr, found: &mut Vec<ProofId>) {
    match expression {
        Expr::Atom { proof, .. } => found.push(*proof),
        Expr::And(of) | Expr::Or(of) | Expr::NOf { of, .. } => {
            for part in of {
                proofs_in(part, found);
            }
        }
    }
}
