//! `backup` and `restore`: whole copies of a SQLite installation's database, each audited before it is called one.
//!
//! Keys are not in them: whoever has a copy and no keys reads no authenticator secret and signs nothing.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use countersign_ledger::{
    Checkpoint, Policy, TilePath, audit, consistency_proof, tiles_for_consistency,
    verify_consistency,
};
use countersign_store::{
    Clock, Journal, SqliteJournal, SqliteOptions, backup_sqlite, export_ledger,
};
use jiff::Timestamp;

use crate::commands::ledger::earlier;
use crate::commands::procedure::NOT_VALID;
use crate::commands::serve::configured;
use crate::database::Place;
use crate::installation::Installation;
use crate::published::{KEY_FILE, Published};
use crate::terminal;

/// The copy of the database in the folder of a backup.
const DATABASE: &str = "countersign.db";

/// The ledger as files in the folder of a backup.
const LEDGER: &str = "ledger";

/// `countersign backup`: a folder of its own under `to`, with the database and the ledger in it. The gate may run.
pub(crate) fn backup(config: &Path, to: &Path) -> anyhow::Result<ExitCode> {
    let Some((_, installation)) = configured(config)? else {
        return Ok(ExitCode::from(NOT_VALID));
    };
    let database = sqlite(&installation)?;
    anyhow::ensure!(
        database.exists(),
        "there is no database at `{}`",
        database.display()
    );
    let name = Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
    let folder = to.join(name);
    std::fs::create_dir_all(to).with_context(|| format!("cannot make `{}`", to.display()))?;
    std::fs::create_dir(&folder).with_context(|| format!("cannot make `{}`", folder.display()))?;
    let copy = folder.join(DATABASE);
    let runtime = tokio::runtime::Runtime::new().context("cannot start the program's threads")?;
    let size = runtime.block_on(async {
        backup_sqlite(database, &copy).await?;
        audited(&copy, &folder.join(LEDGER), &installation).await
    })?;
    terminal::print(&format!(
        "{}: {size} entries of the ledger, every page and every tile looked through\n",
        folder.display()
    ))?;
    Ok(ExitCode::SUCCESS)
}

/// `countersign restore`: a backup becomes the database, where there is none. Its ledger is audited before, and held
/// against a checkpoint that was kept.
pub(crate) fn restore(
    config: &Path,
    from: &Path,
    since: Option<&Path>,
) -> anyhow::Result<ExitCode> {
    let Some((_, installation)) = configured(config)? else {
        return Ok(ExitCode::from(NOT_VALID));
    };
    let database = sqlite(&installation)?;
    anyhow::ensure!(
        !database.exists(),
        "there is a database at `{}`: move it away first, with its `-wal` and `-shm`, and keep it",
        database.display()
    );
    let since = since.map(|file| earlier(file, &installation)).transpose()?;
    let scratch = with_suffix(database, "restoring");
    let ledger = with_suffix(database, "restoring-ledger");
    let runtime = tokio::runtime::Runtime::new().context("cannot start the program's threads")?;
    let size = runtime.block_on(async {
        backup_sqlite(&from.join(DATABASE), &scratch).await?;
        let size = audited(&scratch, &ledger, &installation).await?;
        if let Some(since) = &since {
            let journal = open(&scratch, &installation).await?;
            let holds = holds(&journal, since).await;
            journal.close().await;
            holds?;
        }
        anyhow::Ok(size)
    });
    // What was only looked at is not kept, whatever was found.
    let _ = std::fs::remove_dir_all(&ledger);
    let _ = std::fs::remove_file(scratch.with_added_extension("lock"));
    let size = size.inspect_err(|_| {
        let _ = std::fs::remove_file(&scratch);
    })?;
    std::fs::rename(&scratch, database)
        .with_context(|| format!("cannot write `{}`", database.display()))?;
    terminal::print(&format!(
        "{} is restored, with {size} entries of the ledger\n",
        database.display()
    ))?;
    if since.is_none() {
        terminal::complain(&format!(
            "if anybody holds a checkpoint of more than {size} entries, this database has forgotten what they can show: give the newest one with `--since` before the gate is started"
        ));
    }
    Ok(ExitCode::SUCCESS)
}

/// Refuses a database whose ledger does not begin with what was published before: it was restored from an older copy, and
/// would go on to sign a second history.
///
/// # Errors
/// A sentence that says what to do.
pub(crate) async fn holds(journal: &dyn Journal, since: &Checkpoint) -> anyhow::Result<()> {
    let newest = journal.checkpoint().await?;
    let newest: Checkpoint = countersign_ledger::SignedNote::parse(&newest)
        .ok()
        .and_then(|note| note.text.parse().ok())
        .context("the database's own checkpoint cannot be read")?;
    anyhow::ensure!(
        newest.size >= since.size,
        "the ledger in the database has {} entries, and {} were published: what came between is gone from it; find a newer copy, or begin a new database with a new name in `gate.ledger` and keep this one to be read",
        newest.size,
        since.size
    );
    let mut tiles = std::collections::BTreeMap::new();
    for path in tiles_for_consistency(since.size, newest.size) {
        if let Some(bytes) = journal.tile(&path.to_string()).await? {
            tiles.insert(path, bytes);
        }
    }
    let begins = consistency_proof(since.size, newest.size, &|path: &TilePath| {
        tiles.get(path).cloned()
    })
    .is_ok_and(|proof| {
        verify_consistency(since.size, newest.size, &since.root, &newest.root, &proof).is_ok()
    });
    anyhow::ensure!(
        begins,
        "the ledger in the database has other entries than were published: it is another history of the same name; do not go on with it, and keep a copy as evidence"
    );
    Ok(())
}

/// Opens a copy as a gate would, writes its ledger out as files, and audits those; gives how many entries there are.
async fn audited(copy: &Path, folder: &Path, installation: &Installation) -> anyhow::Result<u64> {
    let journal = open(copy, installation).await?;
    let size = export_ledger(&journal, folder).await;
    journal.close().await;
    let size = size?;
    // Nobody else has it, and it would only be in the way of whoever opens the copy next.
    let _ = std::fs::remove_file(copy.with_added_extension("lock"));
    let key = installation.signer.verifier();
    std::fs::write(folder.join(KEY_FILE), format!("{key}\n"))
        .with_context(|| format!("cannot write into `{}`", folder.display()))?;
    let folder = folder.to_string_lossy().into_owned();
    let published = Published::open(&folder)?;
    let policy = Policy::of_log(key.clone()).context("this key cannot sign checkpoints")?;
    audit(&published, &published.checkpoint, &policy, None, |_, _| ())
        .map_err(|finding| anyhow::anyhow!("the ledger in the copy does not verify: {finding}"))?;
    published.readable()?;
    Ok(size)
}

async fn open(copy: &Path, installation: &Installation) -> anyhow::Result<SqliteJournal> {
    let signer = Arc::new(installation.signer.clone());
    let clock = Installation::clock();
    let options = SqliteOptions {
        clock: Clock::new(move || clock.now().0),
        ..SqliteOptions::default()
    };
    Ok(SqliteJournal::open_with(copy, signer, options).await?)
}

/// The path of a SQLite database; others have their own means.
fn sqlite(installation: &Installation) -> anyhow::Result<&Path> {
    match &installation.database {
        Place::File(file) => Ok(file),
        Place::Server(_) => anyhow::bail!(
            "this is for SQLite; PostgreSQL has its own means, see `docs/operations.md`"
        ),
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    path.with_added_extension(suffix)
}
