//! Why a store does not open, each with what to do about it.

use std::{io, path::PathBuf};

/// Why a database could not be opened. Nothing in it was changed.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another program has it.
    #[error("`{}` is in use by another program; stop that one first, or give this one a database of its own", path.display())]
    InUse {
        /// The database.
        path: PathBuf,
    },
    /// A newer program has written it.
    #[error(
        "the database has schema version {found}, this program knows up to {known}; run the newer program, or restore the copy made before it was upgraded"
    )]
    Newer {
        /// The version it has.
        found: u32,
        /// The newest this program knows.
        known: u32,
    },
    /// It is some other file.
    #[error(
        "the file is not a countersign database; check the path, and move the file away if it is there by mistake"
    )]
    NotOurs,
    /// It belongs to another log.
    #[error(
        "the ledger in the database is `{found}`, the configuration says `{configured}`; a ledger keeps its origin for life, so put the old one back or begin a new database"
    )]
    OtherOrigin {
        /// The origin it was begun with.
        found: String,
        /// The signer's.
        configured: String,
    },
    /// Its ledger contradicts itself.
    #[error(
        "the database is damaged: {what}; do not go on with it: keep a copy as evidence and restore the newest backup whose ledger verifies"
    )]
    Damaged {
        /// What does not fit.
        what: String,
    },
    /// A file or folder cannot be used.
    #[error("cannot use `{}`: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A database failed in some other way.
    #[error("cannot open the database: {0}")]
    Database(#[from] sqlx::Error),
    /// It is neither empty nor a whole countersign database.
    #[error(
        "the database is half migrated: {what}; restore the copy made before it was upgraded, or, if there is nothing in it to keep, begin anew: move the file away, or drop the schema `countersign` of a PostgreSQL"
    )]
    HalfMigrated {
        /// What is missing.
        what: String,
    },
    /// The server is older than what was tested.
    #[error(
        "the server is PostgreSQL {found}, this program needs {least} or newer; upgrade the server"
    )]
    TooOld {
        /// Its version.
        found: String,
        /// The oldest that will do.
        least: u32,
    },
    /// The server only follows another one.
    #[error(
        "the server is a standby, which cannot be written; put the primary's address into the configuration, or promote this one first"
    )]
    Standby,
    /// The server would lose what it says it has kept, or a transaction would not mean what it must.
    #[error(
        "the server has `{setting}` set to `{found}`; set it to `{wanted}` for this database and restart the gate: {why}"
    )]
    Unfit {
        /// The setting.
        setting: &'static str,
        /// What it is.
        found: String,
        /// What it must be.
        wanted: &'static str,
        /// What would go wrong.
        why: &'static str,
    },
    /// The server cannot be reached, or does not let this user in.
    #[error("cannot connect to PostgreSQL at {server}: {why}")]
    Unreachable {
        /// Where, without the password.
        server: String,
        /// Why not.
        why: String,
    },
}
