//! A whole copy of a SQLite database while a gate goes on writing it.

use std::path::Path;

use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};

use super::{OpenError, PATIENCE, private, schema, sync_folder};

/// Copies the database at `from` to the new file `to`, as it stands at one moment, and looks through every page of the
/// copy (`integrity_check`). The program that has `from` open goes on meanwhile; its write-ahead log grows until the copy is
/// made. What was deleted is not in the copy.
///
/// What the ledger in it is worth is for whoever opens the copy to find out: [`SqliteJournal::open`](super::SqliteJournal::open)
/// holds its head against its tiles, and an audit all of it.
///
/// # Errors
/// [`OpenError::File`] if `to` is there already or cannot be written, [`OpenError::NotOurs`] and [`OpenError::Newer`] for
/// what `from` is, [`OpenError::Damaged`] if the copy is not sound: it is left as it is, to be looked at.
pub async fn backup_sqlite(from: &Path, to: &Path) -> Result<(), OpenError> {
    let failed = |source| OpenError::File {
        path: to.to_owned(),
        source,
    };
    let options = SqliteConnectOptions::new()
        .filename(from)
        .create_if_missing(false)
        .busy_timeout(PATIENCE)
        .disable_statement_logging();
    schema::check(&options).await?;
    // SQLite fills an empty file; made here, it is nobody else's to read from its first byte.
    private().create_new(true).open(to).map_err(failed)?;
    let mut source = SqliteConnection::connect_with(&options).await?;
    sqlx::query("VACUUM INTO ?")
        .bind(to.to_string_lossy().as_ref())
        .execute(&mut source)
        .await?;
    source.close().await?;

    let options = SqliteConnectOptions::new()
        .filename(to)
        .create_if_missing(false)
        .read_only(true)
        .disable_statement_logging();
    let mut copy = SqliteConnection::connect_with(&options).await?;
    let found: Vec<String> = sqlx::query_scalar("PRAGMA integrity_check(10)")
        .fetch_all(&mut copy)
        .await?;
    copy.close().await?;
    if found != ["ok"] {
        return Err(OpenError::Damaged {
            what: found.join("; "),
        });
    }
    std::fs::File::open(to)
        .and_then(|copy| copy.sync_all())
        .map_err(failed)?;
    sync_folder(to).map_err(failed)
}
