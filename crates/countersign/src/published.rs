//! A ledger as somebody published it: a folder of files, or an address, by the rules of c2sp.org/tlog-tiles.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use countersign_ledger::{Checkpoint, SignedNote, TILE_WIDTH, TilePath, Tiles, VerifierKey};
use countersign_service::adapters::http::install_tls_provider;
use futures_util::future::join_all;
use reqwest::{Client, StatusCode, Url};
use serde_json::Value;
use tokio::runtime::Runtime;

/// The file beside `checkpoint` in which `ledger export` writes the key; no part of the tlog-tiles layout.
pub(crate) const KEY_FILE: &str = "log.vkey";

/// Where a gate says its keys.
const WELL_KNOWN: &str = "/.well-known/countersign";

/// Tiles fetched at the same time, and ahead of being asked for.
const AHEAD: u64 = 16;

/// The largest file of a ledger: a full bundle of the longest entries, and their lengths.
const MOST_BYTES: usize = TILE_WIDTH as usize * (countersign_ledger::ENTRY_BYTES_MAX + 2);

/// A published ledger.
pub(crate) struct Published {
    place: Place,
    /// The newest checkpoint, as it was when this was opened.
    pub(crate) checkpoint: String,
    size: u64,
    /// What kept a tile from being read; a tile that is simply not there is not such a thing.
    trouble: RefCell<Option<anyhow::Error>>,
    fetched: RefCell<BTreeMap<TilePath, Vec<u8>>>,
}

enum Place {
    Folder(PathBuf),
    Web {
        base: String,
        client: Client,
        runtime: Runtime,
    },
}

impl Published {
    /// Reads the checkpoint at a folder, or at an `http(s)` address of a ledger or of a gate.
    ///
    /// # Errors
    /// If it cannot be read.
    pub(crate) fn open(place: &str) -> anyhow::Result<Self> {
        let (place, checkpoint) = if place.starts_with("https://") || place.starts_with("http://") {
            web(place)?
        } else {
            folder(place)?
        };
        // What is wrong with a checkpoint is for the audit to say; its size only helps to read ahead.
        let size = SignedNote::parse(&checkpoint)
            .ok()
            .and_then(|note| note.text.parse::<Checkpoint>().ok())
            .map_or(0, |found| found.size);
        Ok(Self {
            place,
            checkpoint,
            size,
            trouble: RefCell::new(None),
            fetched: RefCell::default(),
        })
    }

    /// How many entries the checkpoint speaks of; 0 if it cannot be read.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// The key the publisher names. It shows that the ledger is one, and not whose.
    ///
    /// # Errors
    /// If there is none to be found.
    pub(crate) fn named_key(&self) -> anyhow::Result<VerifierKey> {
        let text = match &self.place {
            Place::Folder(folder) => {
                std::fs::read_to_string(folder.join(KEY_FILE)).with_context(|| {
                    format!(
                        "`{}` holds no `{KEY_FILE}`: say with `--key` whose ledger this is",
                        folder.display()
                    )
                })?
            }
            Place::Web {
                base,
                client,
                runtime,
            } => {
                let url = Url::parse(base)?.join(WELL_KNOWN)?;
                let answer = runtime.block_on(fetch(client, url.as_str()))?;
                let document: Option<Value> =
                    answer.and_then(|bytes| serde_json::from_slice(&bytes).ok());
                let key = document
                    .as_ref()
                    .and_then(|document| document.pointer("/ledger/key")?.as_str());
                key.with_context(|| {
                    format!("`{url}` names no key: say with `--key` whose ledger this is")
                })?
                .to_owned()
            }
        };
        text.trim()
            .parse()
            .context("the key that is published beside the ledger is not one")
    }

    /// What kept a tile from being read, if anything did: the ledger is then neither right nor wrong.
    ///
    /// # Errors
    /// That.
    pub(crate) fn readable(&self) -> anyhow::Result<()> {
        self.trouble.borrow_mut().take().map_or(Ok(()), Err)
    }

    fn read(&self, path: &TilePath) -> anyhow::Result<Option<Vec<u8>>> {
        match &self.place {
            Place::Folder(folder) => {
                let file = folder.join(path.to_string());
                match std::fs::read(&file) {
                    Ok(bytes) => Ok(Some(bytes)),
                    Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
                    Err(error) => {
                        Err(error).with_context(|| format!("cannot read `{}`", file.display()))
                    }
                }
            }
            Place::Web {
                base,
                client,
                runtime,
            } => {
                if let Some(bytes) = self.fetched.borrow_mut().remove(path) {
                    return Ok(Some(bytes));
                }
                let wanted: Vec<TilePath> =
                    std::iter::once(*path).chain(self.following(path)).collect();
                let answers = runtime.block_on(join_all(
                    wanted
                        .iter()
                        .map(async |path| fetch(client, &format!("{base}{path}")).await),
                ));
                let mut answers = wanted.into_iter().zip(answers);
                let (_, first) = answers.next().context("nothing was asked for")?;
                // What was only fetched ahead is asked for again if it did not come.
                self.fetched
                    .borrow_mut()
                    .extend(answers.filter_map(|(path, answer)| Some((path, answer.ok()??))));
                first
            }
        }
    }

    /// The full tiles that an audit will ask for next.
    fn following(&self, path: &TilePath) -> Vec<TilePath> {
        let tile = |index| match path {
            TilePath::Entries { .. } => (
                TilePath::Entries {
                    index,
                    width: TILE_WIDTH,
                },
                0,
            ),
            TilePath::Hashes { level, .. } => (
                TilePath::Hashes {
                    level: *level,
                    index,
                    width: TILE_WIDTH,
                },
                *level,
            ),
        };
        let full = |index: &u64| {
            let (_, level) = tile(*index);
            let entries = (index + 1)
                .checked_mul(u64::from(TILE_WIDTH))
                .and_then(|hashes| hashes.checked_shl(u32::from(level) * 8));
            entries.is_some_and(|entries| entries <= self.size)
        };
        (1..AHEAD)
            .map_while(|step| path.index().checked_add(step))
            .take_while(full)
            .map(|index| tile(index).0)
            .collect()
    }
}

impl Tiles for Published {
    fn tile(&self, path: &TilePath) -> Option<Vec<u8>> {
        self.read(path).unwrap_or_else(|error| {
            self.trouble.borrow_mut().get_or_insert(error);
            None
        })
    }
}

fn folder(place: &str) -> anyhow::Result<(Place, String)> {
    let folder = Path::new(place);
    let file = folder.join("checkpoint");
    let checkpoint = std::fs::read_to_string(&file)
        .with_context(|| format!("cannot read `{}`", file.display()))?;
    Ok((Place::Folder(folder.to_owned()), checkpoint))
}

fn web(place: &str) -> anyhow::Result<(Place, String)> {
    install_tls_provider();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start")?;
    let client = Client::builder()
        .user_agent(concat!("countersign/", env!("CARGO_PKG_VERSION")))
        .timeout(Duration::from_secs(30))
        .build()
        .context("cannot set up TLS")?;
    let stem = place.trim_end_matches('/');
    for base in [format!("{stem}/"), format!("{stem}/ledger/")] {
        let found = runtime.block_on(fetch(&client, &format!("{base}checkpoint")))?;
        if let Some(bytes) = found {
            let checkpoint = String::from_utf8(bytes)
                .with_context(|| format!("`{base}checkpoint` is not text"))?;
            return Ok((
                Place::Web {
                    base,
                    client,
                    runtime,
                },
                checkpoint,
            ));
        }
    }
    bail!(
        "there is no ledger at `{place}`: `{stem}/checkpoint` and `{stem}/ledger/checkpoint` are not there"
    )
}

/// What is at an address; `None` if nothing is.
async fn fetch(client: &Client, url: &str) -> anyhow::Result<Option<Vec<u8>>> {
    let cannot = || format!("cannot read `{url}`");
    let mut response = client.get(url).send().await.with_context(cannot)?;
    match response.status() {
        StatusCode::OK => {}
        StatusCode::NOT_FOUND | StatusCode::GONE => return Ok(None),
        status => bail!("cannot read `{url}`: it answers {status}"),
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.with_context(cannot)? {
        anyhow::ensure!(
            bytes.len() + chunk.len() <= MOST_BYTES,
            "`{url}` is larger than any file of a ledger"
        );
        bytes.extend_from_slice(&chunk);
    }
    Ok(Some(bytes))
}
