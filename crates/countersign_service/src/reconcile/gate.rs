//! Reconciling at a gate: its grants, and what is kept of a reconciliation.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use countersign_cases::Timestamp;
use countersign_store::{Batch, KeyRange};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use super::{Granted, Mapping, Reconciler, Reconciliation};
use crate::{
    customers::CustomerError,
    gate::Gate,
    records::{self, GrantRecord, space},
    sessions::MachineCaller,
    settings::Scope,
    shell::{Entry, Tries},
    staff::Operator,
    statistics::Rate,
    trouble::Trouble,
};

/// Grants read at once.
const READ_MAX: usize = 2_000;

/// What is kept of the newest reconciliation of a connector: counts, and nothing of a customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptReconciliation {
    /// Name of the connector.
    pub connector: String,
    /// When it was done.
    pub at: Timestamp,
    /// First time in the log.
    pub from: Option<Timestamp>,
    /// Last.
    pub to: Option<Timestamp>,
    /// Lines that a grant covers.
    pub covered: u64,
    /// Lines that nothing covers.
    pub uncovered: u64,
    /// Lines of which it cannot be said.
    pub unknown: u64,
    /// Lines that cannot be read.
    pub unreadable: u64,
}

impl KeptReconciliation {
    /// Covered, of covered and uncovered.
    pub fn adherence(&self) -> Rate {
        Rate::new(self.covered, self.covered + self.uncovered)
    }
}

impl Gate {
    /// A reconciler over every grant of this gate, for whoever has the database.
    ///
    /// # Errors
    /// [`Trouble`] of the store.
    pub async fn reconciler_at_the_console(
        &self,
        _: &Operator,
        mapping: Mapping,
        window_seconds: u32,
    ) -> Result<Reconciler, Trouble> {
        self.reconciler(mapping, window_seconds).await
    }

    /// The same for a program with the scope `reconcile`.
    ///
    /// # Errors
    /// [`CustomerError::NotAllowed`] without the scope; [`Trouble`] of the store.
    pub async fn reconciler_for(
        &self,
        by: &MachineCaller,
        mapping: Mapping,
        window_seconds: u32,
    ) -> Result<Reconciler, CustomerError> {
        crate::customers::allow(by, Scope::Reconcile, "reconcile")?;
        Ok(self.reconciler(mapping, window_seconds).await?)
    }

    async fn reconciler(
        &self,
        mapping: Mapping,
        window_seconds: u32,
    ) -> Result<Reconciler, Trouble> {
        let actions = self.guarded_actions();
        let mut reconciler = Reconciler::new(mapping, window_seconds, &actions, std::iter::empty());
        let KeyRange { mut from, to, .. } = records::beginning_with("", false);
        loop {
            let range = KeyRange {
                from: from.clone(),
                to: to.clone(),
                reverse: false,
            };
            let page = self.journal().scan(space::GRANT, range, READ_MAX).await?;
            let mut grants = Vec::with_capacity(page.len());
            for record in &page {
                let kept: GrantRecord = records::read_json(&record.value)?;
                grants.push(granted(&record.key, &kept)?);
            }
            reconciler.add_grants(grants.into_iter());
            match page.last() {
                // The next key there can be.
                Some(last) if page.len() == READ_MAX => from = format!("{}\u{1}", last.key),
                _ => return Ok(reconciler),
            }
        }
    }

    /// Actions of the procedure in force that need a case, each with the names of its parameters.
    pub(super) fn guarded_actions(&self) -> Vec<(String, Vec<String>)> {
        let procedure = self.procedure();
        let guarded = procedure.actions.iter().filter(|action| !action.outside);
        guarded
            .map(|action| {
                let parameters = action.parameters.iter();
                let names = parameters.map(|parameter| parameter.name.clone());
                (action.name.clone(), names.collect())
            })
            .collect()
    }

    /// Keeps what came of reconciling a connector's log, for the statistics, and records that it was done.
    ///
    /// # Errors
    /// [`CustomerError::NotAllowed`] without the scope; [`CustomerError::Field`] for a connector that is not configured.
    pub async fn keep_reconciliation(
        &self,
        by: &MachineCaller,
        connector: &str,
        done: &Reconciliation,
    ) -> Result<KeptReconciliation, CustomerError> {
        crate::customers::allow(by, Scope::Reconcile, "reconcile")?;
        let kept = KeptReconciliation {
            connector: connector.to_owned(),
            at: self.now(),
            from: done.from,
            to: done.to,
            covered: done.covered,
            uncovered: done.uncovered,
            unknown: done.unknown,
            unreadable: done.unreadable,
        };
        // Before the result is kept: what is raised twice is one alarm, and what is kept was raised.
        self.raise_uncovered(by.name(), connector, &done.first_uncovered)
            .await?;
        let mut tries = Tries::default();
        loop {
            let mut batch = Batch::default();
            batch.records.push(records::put(
                space::RECONCILED,
                records::part(connector),
                &kept,
                None,
            )?);
            let data = serde_json::json!({
                "by": by.name(), "connector": connector, "from": kept.from, "to": kept.to, "covered": kept.covered,
                "uncovered": kept.uncovered, "unknown": kept.unknown, "unreadable": kept.unreadable,
            });
            let entry = Entry::new("reconciliation.done", kept.at, None, &data)?;
            self.log(&mut batch, &records::gate_stream(), entry).await?;
            if self.committed(batch, &mut tries).await? {
                tracing::info!(
                    by = by.name(),
                    connector,
                    covered = kept.covered,
                    uncovered = kept.uncovered,
                    "a log was reconciled"
                );
                return Ok(kept);
            }
        }
    }

    /// Whether a connector of this name is configured.
    pub fn has_connector(&self, name: &str) -> bool {
        self.connector_client(name).is_some()
    }

    /// What is kept of each connector's newest log, for a program with the scope `reconcile`.
    ///
    /// # Errors
    /// [`CustomerError::NotAllowed`] without the scope; [`Trouble`] of the store.
    pub async fn kept_reconciliations_for(
        &self,
        by: &MachineCaller,
    ) -> Result<Vec<KeptReconciliation>, CustomerError> {
        crate::customers::allow(by, Scope::Reconcile, "reconcile")?;
        Ok(self.kept_reconciliations().await?)
    }

    /// What is kept of each connector's newest reconciliation, by name.
    pub(crate) async fn kept_reconciliations(&self) -> Result<Vec<KeptReconciliation>, Trouble> {
        self.list(space::RECONCILED, records::beginning_with("", false), 100)
            .await
    }
}

/// What a grant says, from the token as it was signed.
pub(super) fn granted(id: &str, kept: &GrantRecord) -> Result<Granted, Trouble> {
    let damaged = || Trouble::Damaged("a grant that cannot be read".to_owned());
    let payload = kept.jws.split('.').nth(1).ok_or_else(damaged)?;
    let payload = URL_SAFE_NO_PAD.decode(payload).map_err(|_| damaged())?;
    let claims: Claims = serde_json::from_slice(&payload).map_err(|_| damaged())?;
    let detail = claims
        .authorization_details
        .into_iter()
        .next()
        .ok_or_else(damaged)?;
    Ok(Granted {
        id: id.to_owned(),
        action: detail.action,
        customer: claims.sub,
        parameters: detail.parameters,
        issued_ms: claims.iat.saturating_mul(1_000),
        until_ms: kept.not_after.0,
    })
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
    iat: i64,
    authorization_details: Vec<Detail>,
}

#[derive(Deserialize)]
struct Detail {
    action: String,
    parameters: BTreeMap<String, String>,
}
