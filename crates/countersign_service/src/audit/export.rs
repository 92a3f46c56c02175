//! The audit log as JSON lines: what the list shows, and nothing beyond it.

use futures_util::stream::{self, BoxStream, StreamExt as _};
use serde_json::json;

use super::{AuditFilter, AuditRow, auditor, reading::Source};
use crate::{
    cases::CaseError,
    gate::Gate,
    records,
    sessions::SignedInStaff,
    shell::{Entry, Tries},
    trouble::Trouble,
};

/// Entries read at once.
const READ_MAX: usize = 500;

/// An export that was allowed and logged.
pub struct AuditExport {
    /// How many lines at most.
    pub count: u64,
    /// Several lines at a time, oldest first, each ended by a line feed.
    pub lines: BoxStream<'static, Result<String, Trouble>>,
}

impl std::fmt::Debug for AuditExport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AuditExport")
            .field("count", &self.count)
            .finish_non_exhaustive()
    }
}

impl Gate {
    /// Exports the entries under a filter up to the newest one now. That it was done, by whom and for what, is an entry.
    ///
    /// # Errors
    /// [`CaseError::NotAllowed`] without the console role `auditor`.
    pub async fn audit_export(
        &self,
        by: &SignedInStaff,
        filter: &AuditFilter,
    ) -> Result<AuditExport, CaseError> {
        auditor(by)?;
        let end = self.position().saturating_add(1);
        let source = self.audit_source(filter).await?;
        let (count, _) = self.count_of(&source, filter).await?;
        let mut tries = Tries::default();
        loop {
            let mut batch = countersign_store::Batch::default();
            let said = json!({ "account": by.account(), "filter": filter, "entries": count });
            let entry = Entry::new("staff.exported_log", self.now(), None, &said)?;
            self.log(&mut batch, &records::account_stream(by.account()), entry)
                .await?;
            if self.committed(batch, &mut tries).await? {
                break;
            }
        }
        tracing::info!(
            account = by.account(),
            entries = count,
            "the audit log was exported"
        );
        let reader = Reader {
            gate: self.clone(),
            by: by.clone(),
            filter: filter.clone(),
            source,
            end,
            after: 0,
        };
        let lines = stream::try_unfold(reader, |mut reader| async move {
            let lines = reader.next().await?;
            Ok((!lines.is_empty()).then_some((lines, reader)))
        });
        Ok(AuditExport {
            count,
            lines: lines.boxed(),
        })
    }
}

struct Reader {
    gate: Gate,
    by: SignedInStaff,
    filter: AuditFilter,
    source: Source,
    end: u64,
    after: u64,
}

impl Reader {
    /// The next lines; empty at the end.
    async fn next(&mut self) -> Result<String, Trouble> {
        let bounds = (0, self.end);
        let events = self
            .gate
            .forwards(&self.source, &self.filter, bounds, self.after, READ_MAX)
            .await?;
        let Some(last) = events.last() else {
            return Ok(String::new());
        };
        self.after = last.position;
        let rows = self.gate.audit_rows(&self.by, events).await?;
        let mut text = String::new();
        for row in &rows {
            text.push_str(&line(row)?);
            text.push('\n');
        }
        Ok(text)
    }
}

fn line(row: &AuditRow) -> Result<String, Trouble> {
    let at = jiff::Timestamp::from_millisecond(row.at.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    records::write_json(&json!({
        "number": row.number,
        "at": at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
        "kind": row.kind,
        "who": row.who.kind,
        "name": row.who.name,
        "words": row.words,
        "case": row.case,
        "leaf": row.leaf,
    }))
}
