//! Where an installation keeps everything: a SQLite file for one gate, or a PostgreSQL database for several.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use countersign_store::{
    CheckpointSigner, Clock, OpenError, PostgresAddress, PostgresJournal, PostgresOptions,
    SharedJournal, SqliteJournal, SqliteOptions,
};

use crate::config::Config;

/// Where a database is.
#[derive(Debug, Clone)]
pub(crate) enum Place {
    /// A SQLite file.
    File(PathBuf),
    /// A PostgreSQL database.
    Server(PostgresAddress),
}

impl Place {
    /// The place in the configuration, with the password it names.
    ///
    /// # Errors
    /// A sentence if the password cannot be read; it does not repeat it.
    pub(crate) fn of(config: &Config) -> Result<Self, String> {
        let text = config.text("gate", "database");
        if !PostgresAddress::is_one(&text) {
            return Ok(Self::File(config.path("gate", "database")));
        }
        let address =
            PostgresAddress::parse(&text).map_err(|error| format!("gate.database: {error}"))?;
        Ok(Self::Server(
            match config.secret("gate", "database_password")? {
                Some(password) => address.with_password(&password),
                None => address,
            },
        ))
    }

    /// Opens it to read beside the gate that runs on it. Beside a gate on a server everything is shared as it is.
    ///
    /// # Errors
    /// [`OpenError`], each a sentence that says what to do.
    pub(crate) async fn read(
        &self,
        signer: Arc<dyn CheckpointSigner>,
        clock: Clock,
    ) -> Result<Database, OpenError> {
        match self {
            Self::File(file) => {
                let journal = SqliteJournal::open_to_read(file, clock).await?;
                Ok(Database::Sqlite(Arc::new(journal)))
            }
            Self::Server(_) => self.open(signer, clock).await,
        }
    }

    /// Whether there is a database already. Makes nothing.
    ///
    /// # Errors
    /// If a server cannot be asked, or is not one to use.
    pub(crate) async fn is_there(&self) -> Result<bool, OpenError> {
        match self {
            Self::File(file) => Ok(file.exists()),
            Self::Server(address) => Ok(!PostgresJournal::is_new(address).await?),
        }
    }

    /// Opens it; makes it if it is not there.
    ///
    /// # Errors
    /// [`OpenError`], each a sentence that says what to do.
    pub(crate) async fn open(
        &self,
        signer: Arc<dyn CheckpointSigner>,
        clock: Clock,
    ) -> Result<Database, OpenError> {
        match self {
            Self::File(file) => {
                let options = SqliteOptions {
                    clock,
                    ..SqliteOptions::default()
                };
                let journal = SqliteJournal::open_with(file, signer, options).await?;
                Ok(Database::Sqlite(Arc::new(journal)))
            }
            Self::Server(address) => {
                let options = PostgresOptions {
                    clock,
                    ..PostgresOptions::default()
                };
                let journal = PostgresJournal::open_with(address, signer, options).await?;
                Ok(Database::Postgres(Arc::new(journal)))
            }
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(file) => write!(f, "`{}`", file.display()),
            Self::Server(address) => address.fmt(f),
        }
    }
}

/// An open database.
#[derive(Debug)]
pub(crate) enum Database {
    Sqlite(Arc<SqliteJournal>),
    Postgres(Arc<PostgresJournal>),
}

impl Database {
    pub(crate) fn journal(&self) -> SharedJournal {
        match self {
            Self::Sqlite(journal) => journal.clone(),
            Self::Postgres(journal) => journal.clone(),
        }
    }

    /// Finishes what was asked of it and lets go of it.
    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite(journal) => journal.close().await,
            Self::Postgres(journal) => journal.close().await,
        }
    }
}
