//! The ledger as static files, for any web server and any verifier.

use std::{
    io,
    path::{Path, PathBuf},
};

use crate::{
    journal::{Journal, StoreError},
    tiles,
};

/// Writes the newest checkpoint and every tile and bundle it covers under `dir`, which is made if
/// it is not there: `checkpoint`, `tile/0/000`, `tile/entries/000.p/7` … (c2sp.org/tlog-tiles).
/// Answers with the size of the tree.
///
/// May be repeated into the same folder as the log grows. The checkpoint is replaced last and in
/// one step, so a reader of the folder never sees one whose tiles are not there yet.
pub async fn export_ledger(journal: &dyn Journal, dir: &Path) -> Result<u64, ExportError> {
    let checkpoint = journal.checkpoint().await?;
    let size = checkpoint
        .lines()
        .nth(1)
        .and_then(|size| size.parse().ok())
        .ok_or(ExportError::Checkpoint)?;
    for path in tiles::all(size) {
        let path = path.to_string();
        let Some(bytes) = journal.tile(&path).await? else {
            return Err(ExportError::Missing { path });
        };
        write(&dir.join(path), &bytes).await?;
    }
    write(&dir.join("checkpoint"), checkpoint.as_bytes()).await?;
    Ok(size)
}

/// Why a ledger could not be exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The store could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store's checkpoint has no size on its second line.
    #[error("the store's checkpoint cannot be read")]
    Checkpoint,
    /// The store lacks a tile that its checkpoint covers.
    #[error("the store lacks `{path}`, which its checkpoint covers")]
    Missing {
        /// The tile.
        path: String,
    },
    /// A file could not be written.
    #[error("cannot write `{}`", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

/// Writes the file whole or not at all.
async fn write(path: &Path, bytes: &[u8]) -> Result<(), ExportError> {
    let unfinished = path.with_added_extension("unfinished");
    let written = async {
        if let Some(folder) = path.parent() {
            tokio::fs::create_dir_all(folder).await?;
        }
        tokio::fs::write(&unfinished, bytes).await?;
        tokio::fs::rename(&unfinished, path).await
    };
    written.await.map_err(|source| ExportError::Write {
        path: path.to_owned(),
        source,
    })
}
