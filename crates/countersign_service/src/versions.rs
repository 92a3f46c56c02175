//! Which version of the procedure is in force, and how another one comes into force.
//!
//! The text in the settings is what the operator of the host proposes. The
//! first one of an installation is in force at once. Every later one is only
//! proposed until somebody with the configured role, by the procedure *in
//! force*, signs it with a passkey over its version; until then cases go on
//! being opened under the version in force. Cases that are open keep theirs.

use std::{
    sync::{Arc, PoisonError},
    time::Duration,
};

use countersign_cases::{
    Timestamp,
    policy::{CLOSED_SECONDS, REASON_CHARS_MAX, REASON_CHARS_MIN},
};
use countersign_language::Procedure;
use countersign_store::{Batch, SharedJournal};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::{
    adapters::{
        dice,
        webauthn::{Passkey, challenge_for},
    },
    gate::{Gate, ProcedureText, StartError, every_neighbour},
    proofs::ProofError,
    records::{self, Account, Held, space},
    sessions::SignedInStaff,
    shell::{Entry, Tries},
    sign_offs::{self, PasskeyPrompt},
    trouble::Trouble,
    views::Ability,
};

/// What a colleague's passkey signs for a new version: this, the proposal's nonce, and the version.
pub const PROCEDURE_DOMAIN: &str = "countersign/procedure/v1";

/// What got weaker or stronger from the first procedure to the second, a sentence each.
pub type ProcedureDiff = Box<dyn Fn(&Procedure, &Procedure) -> Vec<String> + Send + Sync>;

/// Pause between two looks at which version is in force.
const FOLLOW_PAUSE: Duration = Duration::from_millis(200);

/// The one key of [`space::IN_FORCE`] and [`space::PROPOSED`].
const ONE: &str = "procedure";

/// The version new cases are opened under.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct InForce {
    /// Hexadecimal.
    pub(crate) version: String,
    pub(crate) since: Timestamp,
}

/// A version that waits for its signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Proposed {
    pub(crate) version: String,
    /// The version it was proposed against: a signature means the step from one to the other.
    pub(crate) replaces: String,
    pub(crate) at: Timestamp,
    /// 16 random bytes, hexadecimal: a version that is proposed again is signed again.
    pub(crate) nonce: String,
}

/// A version that was refused, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedProcedure {
    /// The version, hexadecimal.
    pub version: String,
    /// The version it would have taken the place of.
    pub replaces: String,
    /// When.
    pub at: Timestamp,
    /// Name of who refused it.
    pub by: String,
    /// Their words.
    pub reason: String,
}

/// A version that waits for its signature, as staff see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProposalView {
    /// The version, hexadecimal.
    pub version: String,
    /// Its text.
    pub text: String,
    /// The version in force.
    pub replaces: String,
    /// The text in force.
    pub replaces_text: String,
    /// Since when it waits.
    pub at: Timestamp,
    /// What got weaker or stronger, a sentence each; empty where this gate was given no comparison.
    pub changes: Vec<String>,
    /// Label of the role whose signature it needs.
    pub role: String,
    /// Whether the reader may sign.
    pub can_sign: Ability,
}

/// Why a version was not signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProcedureError {
    /// The reader has no role in the procedure.
    #[error("this needs `staff`")]
    NotStaff,
    /// No version waits for a signature.
    #[error("no new version of the procedure waits for a signature")]
    NothingProposed,
    /// Another version was proposed since this one was read.
    #[error("another version was proposed since this was read")]
    Superseded,
    /// The reader lacks the role.
    #[error("a new version of the procedure is signed by a `{0}`")]
    NotASigner(String),
    /// The account has no passkey to sign with.
    #[error("register a passkey first")]
    NoPasskey,
    /// The answer was not accepted.
    #[error("the passkey was not accepted")]
    NotAccepted,
    /// The reason has fewer than 10 or more than 500 characters, or some that nobody can see.
    #[error("a reason has 10 to 500 characters")]
    Reason,
    /// The store.
    #[error(transparent)]
    Trouble(#[from] Trouble),
}

impl ProcedureError {
    /// Stable word.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotStaff => "not-allowed",
            Self::NothingProposed => "nothing-proposed",
            Self::Superseded => "superseded",
            Self::NotASigner(_) => "not-a-signer",
            Self::NoPasskey => "no-passkey",
            Self::NotAccepted => "passkey-not-accepted",
            Self::Reason => "reason-too-short",
            Self::Trouble(trouble) => trouble.code(),
        }
    }
}

impl Gate {
    /// The procedure new cases are opened under.
    pub fn procedure(&self) -> Arc<Procedure> {
        let current = self.current();
        Arc::clone(&current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// How two versions are compared on the page where one is signed. Given once, by whoever starts the gate.
    pub fn compare_with(&self, diff: ProcedureDiff) {
        // A second comparison would be a mistake of the program; the first stays.
        let _ = self.diff().set(diff);
    }

    /// The version that waits for a signature, if one does.
    pub async fn proposed_procedure(
        &self,
        by: &SignedInStaff,
    ) -> Result<Option<ProposalView>, ProcedureError> {
        if by.roles().is_empty() {
            return Err(ProcedureError::NotStaff);
        }
        let Some(Held {
            value: proposed, ..
        }) = self.load_proposed().await?
        else {
            return Ok(None);
        };
        let (old, new) = (
            self.procedure_of(&proposed.replaces).await?,
            self.procedure_of(&proposed.version).await?,
        );
        Ok(Some(ProposalView {
            text: self.known_text(&proposed.version).await?,
            replaces_text: self.known_text(&proposed.replaces).await?,
            changes: self
                .diff()
                .get()
                .map(|diff| diff(&old, &new))
                .unwrap_or_default(),
            role: self.signer_label(&old),
            can_sign: self.ability_to_sign(by.record(), &old),
            version: proposed.version,
            replaces: proposed.replaces,
            at: proposed.at,
        }))
    }

    /// The version that waits for a signature, hexadecimal, if one does.
    pub async fn proposed_version(&self) -> Result<Option<String>, Trouble> {
        Ok(self.load_proposed().await?.map(|held| held.value.version))
    }

    /// Whether a version waits for this reader's signature: for the list of what needs one.
    pub async fn procedure_wants(&self, by: &SignedInStaff) -> Result<bool, Trouble> {
        Ok(self.load_proposed().await?.is_some() && self.may_sign(by.record(), &self.procedure()))
    }

    /// Begins to sign a version: the prompt is for this version and no other.
    pub async fn start_procedure_sign_off(
        &self,
        by: &SignedInStaff,
    ) -> Result<PasskeyPrompt, ProcedureError> {
        let proposed = self
            .load_proposed()
            .await?
            .ok_or(ProcedureError::NothingProposed)?
            .value;
        let keys = self.signing_keys(by.record())?;
        let (digest, challenge) = signed_words(&proposed)?;
        Ok(PasskeyPrompt {
            digest,
            options: self.relying_party().request_options(&challenge, &keys),
        })
    }

    /// A colleague's passkey answered: the version is in force from this moment on, for new cases.
    pub async fn finish_procedure_sign_off(
        &self,
        by: &SignedInStaff,
        version: &str,
        response: &Value,
    ) -> Result<(), ProcedureError> {
        let mut tries = Tries::default();
        loop {
            let proposed = self
                .load_proposed()
                .await?
                .ok_or(ProcedureError::NothingProposed)?;
            let in_force = self.load_in_force().await?;
            let fits = in_force
                .as_ref()
                .is_some_and(|held| held.value.version == proposed.value.replaces);
            if proposed.value.version != version || !fits {
                return Err(ProcedureError::Superseded);
            }
            // The account as it is now, not as it was when the session was looked up.
            let account = self
                .load::<Account>(space::ACCOUNT, &records::part(by.account()))
                .await?;
            let Held {
                value: mut account,
                revision,
            } = account
                .filter(|held| held.value.active)
                .ok_or(ProcedureError::NotAccepted)?;
            let keys = self.signing_keys(&account)?;
            let (_, challenge) = signed_words(&proposed.value)?;
            let (credential, verified) = self.verify_with(&keys, &challenge, response)?;
            let now = self.now();
            account.answered(&credential, &verified, now);
            let mut batch = Batch::default();
            batch.records.extend([
                records::put(
                    space::ACCOUNT,
                    records::part(&account.account),
                    &account,
                    Some(revision),
                )?,
                put_in_force(version, now, in_force.map_or(0, |held| held.revision))?,
                records::remove(space::PROPOSED, ONE, Some(proposed.revision)),
            ]);
            // With the evidence: whoever has this event can verify the signature again.
            let data = json!({
                "version": version, "replaces": proposed.value.replaces, "nonce": proposed.value.nonce,
                "account": account.account, "person": account.person, "evidence": sign_offs::kept(&verified),
            });
            self.log_of_gate(&mut batch, "procedure.activated", now, &data)
                .await?;
            let signed = self.procedure_of(version).await?;
            if self.committed(batch, &mut tries).await? {
                self.put_current(signed);
                self.schedule_drills().await?;
                tracing::info!(
                    procedure = version,
                    "a new version of the procedure is in force"
                );
                return Ok(());
            }
        }
    }

    /// Refuses the version that waits, with a reason. Whoever may sign it may refuse it. The same text is not proposed again
    /// for as long as a refused request stays closed.
    pub async fn refuse_procedure(
        &self,
        by: &SignedInStaff,
        version: &str,
        reason: &str,
    ) -> Result<(), ProcedureError> {
        let reason = reason.trim();
        if !(REASON_CHARS_MIN..=REASON_CHARS_MAX).contains(&reason.chars().count())
            || reason
                .chars()
                .any(|letter| letter.is_control() && letter != '\n')
        {
            return Err(ProcedureError::Reason);
        }
        let mut tries = Tries::default();
        loop {
            let proposed = self
                .load_proposed()
                .await?
                .ok_or(ProcedureError::NothingProposed)?;
            if proposed.value.version != version {
                return Err(ProcedureError::Superseded);
            }
            let procedure = self.procedure();
            let account = self
                .load::<Account>(space::ACCOUNT, &records::part(by.account()))
                .await?
                .filter(|held| held.value.active)
                .map(|held| held.value)
                .filter(|account| self.may_sign(account, &procedure))
                .ok_or_else(|| ProcedureError::NotASigner(self.signer_label(&procedure)))?;
            let now = self.now();
            let refused = RefusedProcedure {
                version: proposed.value.version,
                replaces: proposed.value.replaces,
                at: now,
                by: account.name.clone(),
                reason: reason.to_owned(),
            };
            let before = self.load::<RefusedProcedure>(space::REFUSED, ONE).await?;
            let mut batch = Batch::default();
            batch.records.extend([
                records::remove(space::PROPOSED, ONE, Some(proposed.revision)),
                records::put(
                    space::REFUSED,
                    ONE,
                    &refused,
                    Some(before.map_or(0, |held| held.revision)),
                )?,
            ]);
            let data = json!({
                "version": refused.version, "replaces": refused.replaces,
                "account": account.account, "person": account.person, "reason": refused.reason,
            });
            self.log_of_gate(&mut batch, "procedure.refused", now, &data)
                .await?;
            if self.committed(batch, &mut tries).await? {
                tracing::warn!(
                    procedure = version,
                    "a new version of the procedure was refused"
                );
                return Ok(());
            }
        }
    }

    /// The version that was refused last, if one was.
    pub async fn refused_procedure(
        &self,
        by: &SignedInStaff,
    ) -> Result<Option<RefusedProcedure>, ProcedureError> {
        if by.roles().is_empty() {
            return Err(ProcedureError::NotStaff);
        }
        let held = self.load::<RefusedProcedure>(space::REFUSED, ONE).await?;
        Ok(held.map(|held| held.value))
    }

    /// The procedure a case opened now comes under: as stored, for a neighbour on the same store may have brought another into force.
    pub(crate) async fn procedure_for_new_cases(&self) -> Result<Arc<Procedure>, Trouble> {
        let current = self.procedure();
        match self.load_in_force().await? {
            Some(held) if held.value.version != current.version.to_string() => {
                let newer = self.procedure_of(&held.value.version).await?;
                self.put_current(Arc::clone(&newer));
                Ok(newer)
            }
            _ => Ok(current),
        }
    }

    /// At the start: brings the settings' procedure into force if it is the first, else proposes it and goes on with the one in force.
    pub(crate) async fn settle_procedure(&self, ours: &Arc<Procedure>) -> Result<(), StartError> {
        let version = ours.version.to_string();
        let mut tries = Tries::default();
        loop {
            let now = self.now();
            let in_force = self.load_in_force().await?;
            let proposed = self.load_proposed().await?;
            let mut batch = Batch::default();
            match (&in_force, &proposed) {
                (None, _) => {
                    self.keep_text(&mut batch, &version, now).await?;
                    batch.records.push(put_in_force(&version, now, 0)?);
                    let data = json!({ "version": version, "by": "installation" });
                    self.log_of_gate(&mut batch, "procedure.activated", now, &data)
                        .await?;
                }
                (Some(held), None) if held.value.version == version => {}
                (Some(held), Some(proposed)) if held.value.version == version => {
                    batch.records.push(records::remove(
                        space::PROPOSED,
                        ONE,
                        Some(proposed.revision),
                    ));
                    let data = json!({ "version": proposed.value.version });
                    self.log_of_gate(&mut batch, "procedure.proposal_withdrawn", now, &data)
                        .await?;
                }
                (Some(held), proposed) => {
                    let active = self.procedure_of(&held.value.version).await?;
                    every_neighbour(self.settings(), &active)?;
                    self.put_current(active);
                    let waits = proposed.as_ref().is_some_and(|proposed| {
                        proposed.value.version == version
                            && proposed.value.replaces == held.value.version
                    });
                    let refused = self
                        .load::<RefusedProcedure>(space::REFUSED, ONE)
                        .await?
                        .is_some_and(|refused| {
                            refused.value.version == version
                                && refused.value.replaces == held.value.version
                                && now.seconds_since(refused.value.at) < CLOSED_SECONDS
                        });
                    if refused {
                        tracing::warn!(
                            refused = version,
                            in_force = held.value.version,
                            "this version of the procedure was refused and is not proposed again yet"
                        );
                        return Ok(());
                    }
                    if !waits {
                        self.keep_text(&mut batch, &version, now).await?;
                        let fresh = Proposed {
                            version: version.clone(),
                            replaces: held.value.version.clone(),
                            at: now,
                            nonce: hex(&dice::random_bytes::<16>(self.dice())),
                        };
                        batch.records.push(records::put(
                            space::PROPOSED,
                            ONE,
                            &fresh,
                            Some(proposed.as_ref().map_or(0, |held| held.revision)),
                        )?);
                        self.log_of_gate(&mut batch, "procedure.proposed", now, &fresh)
                            .await?;
                    }
                    tracing::warn!(
                        proposed = version,
                        in_force = held.value.version,
                        "a new version of the procedure waits for a signature; new cases are opened under the one in force"
                    );
                }
            }
            if self.committed(batch, &mut tries).await? {
                return Ok(());
            }
        }
    }

    /// Puts into force here what another gate on the same store has put into force, until told to stop.
    ///
    /// A case that is opened here before that is under the version before, as one opened a moment earlier would be.
    pub(crate) async fn follow_procedure_on(&self, mut stopped: watch::Receiver<bool>) {
        let mut news = self.news();
        while !*stopped.borrow_and_update() {
            news.mark_unchanged();
            if let Err(trouble) = self.follow_procedure().await {
                tracing::error!(
                    code = trouble.code(),
                    "the procedure in force could not be read"
                );
            }
            let rest = async {
                tokio::time::sleep(FOLLOW_PAUSE).await;
                // A store that closed tells nothing any more; the worker then waits to be stopped.
                if news.changed().await.is_err() {
                    std::future::pending::<()>().await;
                }
            };
            tokio::select! {
                () = rest => {}
                _ = stopped.changed() => {}
            }
        }
    }

    async fn follow_procedure(&self) -> Result<(), Trouble> {
        let Some(held) = self.load_in_force().await? else {
            return Ok(());
        };
        if held.value.version == self.procedure().version.to_string() {
            return Ok(());
        }
        let procedure = self.procedure_of(&held.value.version).await?;
        if every_neighbour(self.settings(), &procedure).is_err() {
            tracing::error!(
                procedure = held.value.version,
                "another gate has put a procedure into force with connectors or checkers this one does not have: give all gates the same configuration"
            );
        }
        self.put_current(procedure);
        tracing::info!(
            procedure = held.value.version,
            "in force, as another gate says"
        );
        Ok(())
    }

    async fn keep_text(
        &self,
        batch: &mut Batch,
        version: &str,
        now: Timestamp,
    ) -> Result<(), Trouble> {
        if self
            .load::<ProcedureText>(space::PROCEDURE, version)
            .await?
            .is_none()
        {
            let text = ProcedureText {
                text: self.settings().procedure.clone(),
                first_seen: now,
            };
            batch
                .records
                .push(records::put(space::PROCEDURE, version, &text, Some(0))?);
        }
        Ok(())
    }

    async fn log_of_gate<T: Serialize>(
        &self,
        batch: &mut Batch,
        kind: &str,
        now: Timestamp,
        data: &T,
    ) -> Result<(), Trouble> {
        let entry = Entry::new(kind, now, None, data)?;
        self.log(batch, &records::gate_stream(), entry).await
    }

    async fn known_text(&self, version: &str) -> Result<String, Trouble> {
        self.procedure_text(version)
            .await?
            .ok_or_else(|| Trouble::Damaged(format!("procedure version `{version}` is missing")))
    }

    async fn load_in_force(&self) -> Result<Option<Held<InForce>>, Trouble> {
        self.load(space::IN_FORCE, ONE).await
    }

    async fn load_proposed(&self) -> Result<Option<Held<Proposed>>, Trouble> {
        self.load(space::PROPOSED, ONE).await
    }

    fn put_current(&self, procedure: Arc<Procedure>) {
        *self
            .current()
            .write()
            .unwrap_or_else(PoisonError::into_inner) = procedure;
    }

    fn signing_keys(&self, account: &Account) -> Result<Vec<Passkey>, ProcedureError> {
        let procedure = self.procedure();
        if !self.may_sign(account, &procedure) {
            return Err(ProcedureError::NotASigner(self.signer_label(&procedure)));
        }
        if account.passkeys.is_empty() {
            return Err(ProcedureError::NoPasskey);
        }
        Ok(account.keys())
    }

    /// By the procedure in force: a new version does not say who signs it.
    pub(crate) fn may_sign(&self, account: &Account, in_force: &Procedure) -> bool {
        in_force
            .role_named(&self.settings().procedure_role)
            .is_some_and(|wanted| {
                account
                    .roles
                    .iter()
                    .filter_map(|name| in_force.role_named(name))
                    .any(|has| in_force.role_covers(has, wanted))
            })
    }

    fn ability_to_sign(&self, account: &Account, in_force: &Procedure) -> Ability {
        if self.may_sign(account, in_force) {
            return Ability::of(Ok(()));
        }
        let refused = ProcedureError::NotASigner(self.signer_label(in_force));
        Ability {
            can: false,
            code: Some(refused.code()),
            why: Some(refused.to_string()),
            help: None,
        }
    }

    fn signer_label(&self, in_force: &Procedure) -> String {
        let name = &self.settings().procedure_role;
        in_force
            .role_named(name)
            .and_then(|id| in_force.roles.get(id.index()))
            .map_or_else(|| name.clone(), |role| role.label.clone())
    }
}

impl From<ProofError> for ProcedureError {
    fn from(error: ProofError) -> Self {
        match error {
            ProofError::Case(crate::cases::CaseError::Trouble(trouble)) => trouble.into(),
            _ => Self::NotAccepted,
        }
    }
}

fn put_in_force(
    version: &str,
    since: Timestamp,
    revision: u64,
) -> Result<countersign_store::RecordWrite, Trouble> {
    let in_force = InForce {
        version: version.to_owned(),
        since,
    };
    records::put(space::IN_FORCE, ONE, &in_force, Some(revision))
}

/// The version as a digest, and the challenge over it.
/// The text of the procedure in force, from the store alone; `None` before the first start.
pub(crate) async fn text_in_force(journal: &SharedJournal) -> Result<Option<String>, Trouble> {
    let Some(held) = journal.get(space::IN_FORCE, ONE).await? else {
        return Ok(None);
    };
    let in_force: InForce = records::read_json(&held.value)?;
    let key = records::part(&in_force.version);
    let Some(kept) = journal.get(space::PROCEDURE, &key).await? else {
        return Ok(None);
    };
    let kept: crate::gate::ProcedureText = records::read_json(&kept.value)?;
    Ok(Some(kept.text))
}

fn signed_words(proposed: &Proposed) -> Result<(countersign_cases::Digest, [u8; 32]), Trouble> {
    signed_words_of(&proposed.version, &proposed.nonce)
}

/// The digest and challenge of a signature over this version, as its event tells them.
pub(crate) fn signed_words_of(
    version: &str,
    nonce: &str,
) -> Result<(countersign_cases::Digest, [u8; 32]), Trouble> {
    let damaged = || Trouble::Damaged("a proposed version that is not one".to_owned());
    let digest = countersign_cases::Digest::from_hex(version).ok_or_else(damaged)?;
    let nonce = sign_offs::from_hex(nonce).ok_or_else(damaged)?;
    let challenge = challenge_for(PROCEDURE_DOMAIN, &nonce, &digest.0);
    Ok((digest, challenge))
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
