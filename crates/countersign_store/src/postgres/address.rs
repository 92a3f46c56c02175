//! Where a PostgreSQL is, and who asks.

use std::{fmt, str::FromStr as _};

use sqlx::{ConnectOptions as _, postgres::PgConnectOptions};

/// The address of a database: `postgres://user@host:port/database?sslmode=verify-full&sslrootcert=/file`.
///
/// What it leaves out is taken from PostgreSQL's own environment (`PGHOST`, `PGUSER`, `PGSSLMODE`, `PGPASSWORD` …), and a
/// password from `~/.pgpass`. Its text, for messages, is host, port and database: nothing else of it is ever shown.
#[derive(Clone)]
pub struct PostgresAddress(Box<PgConnectOptions>);

/// Why an address is none. Does not repeat it: people put passwords into addresses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// It cannot be read at all.
    #[error(
        "this is not an address of a PostgreSQL database; it looks like `postgres://user@host/database`"
    )]
    NotOne,
    /// It holds a password, which then stands wherever the address does.
    #[error("an address must not hold the password; give it apart")]
    Password,
    /// It names something that is not known.
    #[error("`{0}` is not known in an address of a PostgreSQL database; known are {KNOWN}")]
    Unknown(String),
}

/// What may stand behind the `?`.
const PARAMETERS: [&str; 8] = [
    "host",
    "port",
    "user",
    "dbname",
    "sslmode",
    "sslrootcert",
    "sslcert",
    "sslkey",
];

const KNOWN: &str =
    "`host`, `port`, `user`, `dbname`, `sslmode`, `sslrootcert`, `sslcert`, `sslkey`";

impl PostgresAddress {
    /// Whether this text is meant as one: `postgres://…` or `postgresql://…`.
    pub fn is_one(text: &str) -> bool {
        text.starts_with("postgres://") || text.starts_with("postgresql://")
    }

    /// Reads an address.
    ///
    /// # Errors
    /// [`AddressError`].
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        if !Self::is_one(text) {
            return Err(AddressError::NotOne);
        }
        let (_, rest) = text.split_once("://").ok_or(AddressError::NotOne)?;
        let authority = rest.split(['/', '?']).next().unwrap_or_default();
        let user = authority.rsplit_once('@').map(|(user, _)| user);
        if user.is_some_and(|user| user.contains(':')) {
            return Err(AddressError::Password);
        }
        let parameters = text
            .split_once('?')
            .map_or("", |(_, parameters)| parameters);
        // The driver would pass over what it does not know, and log it: `pasword=…` too.
        for parameter in parameters.split('&').filter(|one| !one.is_empty()) {
            let name = parameter.split('=').next().unwrap_or_default();
            if !PARAMETERS.contains(&name) {
                return Err(AddressError::Unknown(name.to_owned()));
            }
        }
        let options = PgConnectOptions::from_str(text).map_err(|_| AddressError::NotOne)?;
        Ok(Self::of(
            options
                .application_name("countersign")
                .disable_statement_logging(),
        ))
    }

    /// With this password, whatever the address says.
    #[must_use]
    pub fn with_password(self, password: &str) -> Self {
        Self::of(self.0.password(password))
    }

    /// Whether the bytes on the way could be read or changed by others: another machine, and no certificate is checked.
    pub fn is_open_to_others(&self) -> bool {
        use sqlx::postgres::PgSslMode::{VerifyCa, VerifyFull};
        let near = self.0.get_socket().is_some()
            || matches!(
                self.0.get_host(),
                "localhost" | "127.0.0.1" | "::1" | "[::1]"
            );
        !near && !matches!(self.0.get_ssl_mode(), VerifyFull | VerifyCa)
    }

    pub(super) fn of(options: PgConnectOptions) -> Self {
        Self(Box::new(options))
    }

    pub(super) fn options(&self) -> PgConnectOptions {
        (*self.0).clone()
    }
}

impl fmt::Display for PostgresAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(options) = self;
        match options.get_socket() {
            Some(folder) => write!(f, "`{}`", folder.display())?,
            None => write!(f, "`{}:{}`", options.get_host(), options.get_port())?,
        }
        let database = options.get_database().unwrap_or(options.get_username());
        write!(f, ", database `{database}`")
    }
}

impl fmt::Debug for PostgresAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostgresAddress({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_and_its_password_never_shown() {
        let address = PostgresAddress::parse(
            "postgres://gate@db.acme.example:6432/countersign?sslmode=verify-full",
        )
        .unwrap();
        assert_eq!(
            address.to_string(),
            "`db.acme.example:6432`, database `countersign`"
        );
        let hidden = address.with_password("0ther");
        for shown in [hidden.to_string(), format!("{hidden:?}")] {
            assert!(
                !shown.contains("s3cr") && !shown.contains("0ther"),
                "{shown}"
            );
        }
        let socket = PostgresAddress::parse("postgresql:///gate?host=/run/postgresql").unwrap();
        assert_eq!(socket.to_string(), "`/run/postgresql`, database `gate`");
    }

    #[test]
    fn what_is_no_address_is_refused_without_repeating_it() {
        for (text, says) in [
            ("mysql://gate:s3cr@db/x", "is not an address"),
            ("postgres://gate:s3cr@db/x", "must not hold the password"),
            (
                "postgres://gate@db/x?password=s3cr",
                "`password` is not known",
            ),
            ("postgres://gate@[::/x", "is not an address"),
            ("postgres://gate@db/x?sslmode=s3cr", "is not an address"),
            (
                "postgres://gate@db/x?pasword=s3cr",
                "`pasword` is not known",
            ),
        ] {
            let error = PostgresAddress::parse(text).unwrap_err().to_string();
            assert!(error.contains(says) && !error.contains("s3cr"), "{error}");
        }
    }

    #[test]
    fn another_machine_without_a_checked_certificate_is_open_to_others() {
        for (text, open) in [
            ("postgres://gate@db.example/x?sslmode=prefer", true),
            ("postgres://gate@db.example/x?sslmode=require", true),
            ("postgres://gate@db.example/x?sslmode=verify-full", false),
            ("postgres://gate@localhost/x?sslmode=disable", false),
            ("postgres:///x?host=/run/postgresql", false),
        ] {
            let address = PostgresAddress::parse(text).unwrap();
            assert_eq!(address.is_open_to_others(), open, "{text}");
        }
    }
}
