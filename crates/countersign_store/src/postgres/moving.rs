//! Moving an installation from a SQLite file to a PostgreSQL database, once.
//!
//! One transaction at the target: either everything is there or nothing is, and after an interruption one simply begins
//! again. The source is locked as a gate would lock it, read row by row, and left as it is.

use std::path::{Path, PathBuf};

use futures_util::TryStreamExt as _;
use sqlx::{
    Connection as _, PgConnection, Row as _, SqliteConnection,
    postgres::PgArguments,
    query::Query,
    sqlite::{SqliteConnectOptions, SqliteRow},
};

use super::{PostgresAddress, connect, head, int, schema};
use crate::{CheckpointSigner, OpenError, sqlite};

/// Rows written by one statement, at most.
const ROWS_MAX: usize = 1_000;

/// Bytes in one statement, about.
const BYTES_MAX: usize = 4 << 20;

/// What was moved: how many rows of each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Moved {
    /// Leaves of the ledger; the size of its tree.
    pub leaves: u64,
    /// Events.
    pub events: u64,
    /// Records.
    pub records: u64,
    /// Outbox entries and timers.
    pub work: u64,
}

/// Why nothing was moved.
#[derive(Debug, thiserror::Error)]
pub enum MoveError {
    /// There is no such file.
    #[error("there is no database at `{}`", path.display())]
    NoSource {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The source cannot be opened.
    #[error("the source: {0}")]
    Source(#[source] OpenError),
    /// The target cannot be opened.
    #[error("the target: {0}")]
    Target(#[source] OpenError),
    /// There is something in the target.
    #[error(
        "the target, {target}, is not empty; give one that is, for two installations cannot be made one"
    )]
    NotEmpty {
        /// The target.
        target: String,
    },
    /// What arrived is not what was sent.
    #[error("what arrived is not what was sent: {0}; nothing was kept of it")]
    Differs(String),
    /// One of the two failed on the way.
    #[error("it failed on the way, and nothing was kept of it: {0}")]
    Failed(#[from] sqlx::Error),
}

/// Moves everything in a SQLite file that no gate has open to an empty PostgreSQL database. The ledger is the same
/// afterwards, to the bytes of its newest checkpoint.
///
/// The signer is the installation's: the source must be its log, and a newest root whose signature was not written down
/// when the last gate ended is signed, as that gate's next start would have done.
///
/// `progress` is told the table and how many of its rows are on their way, now and then.
///
/// # Errors
/// [`MoveError`]; nothing was written then.
pub async fn move_to_postgres(
    from: &Path,
    to: &PostgresAddress,
    signer: &dyn CheckpointSigner,
    mut progress: impl FnMut(&'static str, u64),
) -> Result<Moved, MoveError> {
    if !from.is_file() {
        return Err(MoveError::NoSource { path: from.into() });
    }
    // Held to the end: no gate may write meanwhile.
    let (from, _lock) = sqlite::claim(from).map_err(MoveError::Source)?;
    let options = SqliteConnectOptions::new()
        .filename(&from)
        .create_if_missing(false);
    let (mut source, newest) = sqlite::sound(&options, signer)
        .await
        .map_err(MoveError::Source)?;

    let mut connection = connect(&to.options()).await.map_err(MoveError::Target)?;
    let mut target = connection.begin().await?;
    schema::alone(&mut target).await?;
    let version = schema::version(&mut target)
        .await
        .map_err(MoveError::Target)?;
    if version != 0 {
        return Err(MoveError::NotEmpty {
            target: to.to_string(),
        });
    }
    schema::migrate(&mut target, version)
        .await
        .map_err(MoveError::Target)?;
    // Far longer than any one statement of a gate may take.
    sqlx::raw_sql(
        "SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0",
    )
    .execute(&mut *target)
    .await?;
    let mut counts = [0; TABLES.len()];
    for (table, count) in TABLES.iter().zip(&mut counts) {
        *count = copy(table, &mut source, &mut target, &mut progress).await?;
    }
    sqlx::query(
        "INSERT INTO countersign.head (one, origin, generation, position, tree_size) VALUES (1, $1, $2, $3, $4)",
    )
    .bind(signer.origin())
    .bind(int(newest.generation))
    .bind(int(newest.position))
    .bind(int(newest.size))
    .execute(&mut *target)
    .await?;
    if newest.was_unsigned {
        sqlx::query("UPDATE countersign.checkpoint SET note = $2 WHERE tree_size = $1")
            .bind(int(newest.size))
            .bind(&newest.note)
            .execute(&mut *target)
            .await?;
    }

    // The same look at it that the first start will take.
    let arrived = head::load(&mut target)
        .await
        .map_err(|error| MoveError::Differs(error.to_string()))?
        .ok_or_else(|| MoveError::Differs("there is no head".into()))?;
    if arrived.head.tree.root() != newest.root || arrived.note.as_ref() != Some(&newest.note) {
        return Err(MoveError::Differs(
            "the newest checkpoint is another".into(),
        ));
    }
    for (table, sent) in TABLES.iter().zip(counts) {
        let arrived: i64 = sqlx::query_scalar(table.count)
            .fetch_one(&mut *target)
            .await?;
        if int(sent) != arrived {
            return Err(MoveError::Differs(format!(
                "{sent} rows of `{}` were sent, {arrived} arrived",
                table.name
            )));
        }
    }
    target.commit().await?;
    // So that the planner knows what it has; a gate's own sessions do without.
    sqlx::query("ANALYZE").execute(&mut connection).await?;
    connection.close().await?;
    source.close().await?;
    let [leaves, _, _, events, records, work] = counts;
    Ok(Moved {
        leaves,
        events,
        records,
        work,
    })
}

/// How one table is read and written.
struct Table {
    name: &'static str,
    select: &'static str,
    insert: &'static str,
    count: &'static str,
    columns: &'static [Kind],
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Int,
    Text,
    Bytes,
}

use Kind::{Bytes, Int, Text};

const TABLES: [Table; 6] = [
    Table {
        name: "leaf",
        select: "SELECT leaf_index, data FROM leaf ORDER BY leaf_index",
        insert: "INSERT INTO countersign.leaf (leaf_index, data) SELECT * FROM unnest($1::bigint[], $2::bytea[])",
        count: "SELECT count(*) FROM countersign.leaf",
        columns: &[Int, Bytes],
    },
    Table {
        name: "tile",
        // As everywhere here, the lowest level's tiles only when they are full: 256 hashes of 32 bytes.
        select: "SELECT level, tile_index, data FROM tile WHERE level > 0 OR length(data) = 8192 ORDER BY 1, 2",
        insert: "INSERT INTO countersign.tile (level, tile_index, data)
            SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bytea[])",
        count: "SELECT count(*) FROM countersign.tile",
        columns: &[Int, Int, Bytes],
    },
    Table {
        name: "checkpoint",
        select: "SELECT tree_size, root, note FROM checkpoint ORDER BY tree_size",
        insert: "INSERT INTO countersign.checkpoint (tree_size, root, note)
            SELECT * FROM unnest($1::bigint[], $2::bytea[], $3::text[])",
        count: "SELECT count(*) FROM countersign.checkpoint",
        columns: &[Int, Bytes, Text],
    },
    Table {
        name: "event",
        select: "SELECT stream, sequence, position, kind, version, at_ms, data, leaf FROM event ORDER BY stream, sequence",
        insert: "INSERT INTO countersign.event (stream, sequence, position, kind, version, at_ms, data, leaf)
            SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::text[], $5::bigint[], $6::bigint[], $7::text[],
                $8::bigint[])",
        count: "SELECT count(*) FROM countersign.event",
        columns: &[Text, Int, Int, Text, Int, Int, Text, Int],
    },
    Table {
        name: "record",
        select: "SELECT space, key, revision, expires_ms, value FROM record ORDER BY space, key",
        insert: "INSERT INTO countersign.record (space, key, revision, expires_ms, value)
            SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::text[])",
        count: "SELECT count(*) FROM countersign.record",
        columns: &[Text, Text, Int, Int, Text],
    },
    Table {
        name: "work",
        select: "SELECT queue, key, due_ms, leased_until_ms, attempts, body FROM work ORDER BY queue, key",
        insert: "INSERT INTO countersign.work (queue, key, due_ms, leased_until_ms, attempts, body)
            SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[])",
        count: "SELECT count(*) FROM countersign.work",
        columns: &[Text, Text, Int, Int, Int, Text],
    },
];

/// One column of the rows on their way.
enum Column {
    Int(Vec<Option<i64>>),
    Text(Vec<Option<String>>),
    Bytes(Vec<Option<Vec<u8>>>),
}

impl Column {
    fn empty(kind: Kind) -> Self {
        match kind {
            Int => Self::Int(Vec::new()),
            Text => Self::Text(Vec::new()),
            Bytes => Self::Bytes(Vec::new()),
        }
    }

    /// Takes one row's value; answers with its bytes.
    fn take(&mut self, row: &SqliteRow, at: usize) -> sqlx::Result<usize> {
        match self {
            Self::Int(column) => {
                column.push(row.try_get(at)?);
                Ok(size_of::<i64>())
            }
            Self::Text(column) => {
                let value: Option<String> = row.try_get(at)?;
                let bytes = value.as_ref().map_or(0, String::len);
                column.push(value);
                Ok(bytes)
            }
            Self::Bytes(column) => {
                let value: Option<Vec<u8>> = row.try_get(at)?;
                let bytes = value.as_ref().map_or(0, Vec::len);
                column.push(value);
                Ok(bytes)
            }
        }
    }

    fn bound(
        self,
        query: Query<'static, sqlx::Postgres, PgArguments>,
    ) -> Query<'static, sqlx::Postgres, PgArguments> {
        match self {
            Self::Int(column) => query.bind(column),
            Self::Text(column) => query.bind(column),
            Self::Bytes(column) => query.bind(column),
        }
    }
}

/// Sends one table's rows; answers with how many they are.
async fn copy(
    table: &Table,
    source: &mut SqliteConnection,
    target: &mut PgConnection,
    progress: &mut impl FnMut(&'static str, u64),
) -> sqlx::Result<u64> {
    let empty = || -> Vec<Column> {
        let columns = table.columns.iter().copied();
        columns.map(Column::empty).collect()
    };
    let mut rows = sqlx::query(table.select).fetch(source);
    let mut columns = empty();
    let (mut held, mut bytes, mut sent) = (0, 0, 0);
    loop {
        let row = rows.try_next().await?;
        if let Some(row) = &row {
            for (at, column) in columns.iter_mut().enumerate() {
                bytes += column.take(row, at)?;
            }
            held += 1;
        }
        if held > 0 && (row.is_none() || held == ROWS_MAX || bytes >= BYTES_MAX) {
            let full = std::mem::replace(&mut columns, empty());
            let query = full
                .into_iter()
                .fold(sqlx::query(table.insert), |query, column| {
                    column.bound(query)
                });
            query.execute(&mut *target).await?;
            sent += held as u64;
            progress(table.name, sent);
            (held, bytes) = (0, 0);
        }
        if row.is_none() {
            return Ok(sent);
        }
    }
}
