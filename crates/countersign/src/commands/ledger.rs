//! `ledger` and `receipt`: checking what a gate says it did, without asking the gate.

use std::cell::Cell;
use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use countersign_ledger::{
    Checkpoint, Policy, SignedNote, TlogProof, VerifierKey, audit, inclusion_proof, leaf_hash,
    verify_inclusion,
};
use countersign_service::{CaseReceipt, RECEIPT_BYTES_MAX, VerifiedReceipt, verify_receipt};
use countersign_store::export_ledger;
use jiff::Timestamp;
use serde_json::json;

use crate::commands::procedure::NOT_VALID;
use crate::commands::promises::Format;
use crate::commands::serve::configured;
use crate::installation::Installation;
use crate::published::{KEY_FILE, Published};
use crate::terminal;

/// It was read, and it is not right.
const DOES_NOT_VERIFY: u8 = 1;

/// `countersign ledger verify`: exit 0 if all is well, 1 with the first mismatch, 2 if it cannot be read.
pub(crate) fn verify(
    place: &str,
    key: Option<&str>,
    since: Option<&Path>,
    format: Format,
) -> anyhow::Result<ExitCode> {
    let published = Published::open(place)?;
    let (key, trusted) = trusted_key(key, Some(&published))?;
    let since = since.map(|file| kept(file, [&key])).transpose()?;
    let policy = Policy::of_log(key.clone()).context("this key cannot sign checkpoints")?;
    let progress = Progress::new(published.size());
    let audited = audit(
        &published,
        &published.checkpoint,
        &policy,
        since.as_ref(),
        |first, entries| progress.at(first + entries.len() as u64),
    );
    progress.done();
    published.readable()?;
    let (text, json, code) = match audited {
        Ok(report) => {
            let checkpoint = &report.accepted.checkpoint;
            let mut text = format!(
                "the ledger verifies: {} entries ({} bytes) of `{}`, every one of {} hash tiles follows from them\n  key   {key}{}\n",
                checkpoint.size,
                report.entry_bytes,
                checkpoint.origin,
                report.hash_tiles,
                whose(trusted)
            );
            if let Some(since) = &since {
                let _ = writeln!(
                    text,
                    "  it begins with the {} entries of the earlier checkpoint",
                    since.size
                );
            }
            let json = json!({
                "verifies": true,
                "origin": checkpoint.origin,
                "size": checkpoint.size,
                "entry_bytes": report.entry_bytes,
                "hash_tiles": report.hash_tiles,
                "key": key.to_string(),
                "key_given": trusted,
                "finding": null,
            });
            (text, json, 0)
        }
        Err(finding) => {
            let finding = finding.to_string();
            let json = json!({ "verifies": false, "key": key.to_string(), "key_given": trusted, "finding": finding });
            (
                format!("the ledger does NOT verify: {finding}\n"),
                json,
                DOES_NOT_VERIFY,
            )
        }
    };
    terminal::print(&if format == Format::Json {
        format!("{json}\n")
    } else {
        text
    })?;
    Ok(ExitCode::from(code))
}

/// `countersign ledger export`
pub(crate) fn export(config: &Path, folder: &Path) -> anyhow::Result<ExitCode> {
    let Some((_, installation)) = configured(config)? else {
        return Ok(ExitCode::from(NOT_VALID));
    };
    let runtime = tokio::runtime::Runtime::new().context("cannot start the program's threads")?;
    let size = runtime.block_on(async {
        let database = installation.open_existing(Installation::clock()).await?;
        let size = export_ledger(&*database.journal(), folder).await?;
        database.close().await;
        anyhow::Ok(size)
    })?;
    let key = folder.join(KEY_FILE);
    std::fs::write(&key, format!("{}\n", installation.signer.verifier()))
        .with_context(|| format!("cannot write `{}`", key.display()))?;
    terminal::print(&format!("{size} entries written to {}\n", folder.display()))?;
    Ok(ExitCode::SUCCESS)
}

/// `countersign receipt verify`: exit 0 if it proves what it says, 1 if it does not, 2 if it cannot be read.
pub(crate) fn verify_file(
    file: &Path,
    key: Option<&str>,
    place: Option<&str>,
    format: Format,
) -> anyhow::Result<ExitCode> {
    let length = std::fs::metadata(file)
        .with_context(|| format!("cannot read `{}`", file.display()))?
        .len();
    anyhow::ensure!(
        length <= RECEIPT_BYTES_MAX as u64,
        "`{}` is larger than any receipt",
        file.display()
    );
    let json = std::fs::read_to_string(file)
        .with_context(|| format!("cannot read `{}`", file.display()))?;
    let published = place.map(Published::open).transpose()?;
    let (key, trusted) = trusted_key(key, published.as_ref())?;
    let verified = verify_receipt(&json, &key).map_err(|wrong| wrong.to_string());
    let verified = match (verified, &published) {
        (Ok(receipt), Some(published)) => contained(&json, published, &key)?.map(|()| receipt),
        (verified, _) => verified,
    };
    let (text, json, code) = match verified {
        Ok(receipt) => (
            described(&receipt, &key, trusted, published.is_some()),
            json!({ "verifies": true, "receipt": receipt, "finding": null }),
            0,
        ),
        Err(finding) => (
            format!("the receipt does NOT verify: {finding}\n"),
            json!({ "verifies": false, "receipt": null, "finding": finding }),
            DOES_NOT_VERIFY,
        ),
    };
    terminal::print(&if format == Format::Json {
        format!("{json}\n")
    } else {
        text
    })?;
    Ok(ExitCode::from(code))
}

/// Whether every event of a receipt stands in this very ledger, at its place. The inner error is what is wrong.
fn contained(
    json: &str,
    published: &Published,
    key: &VerifierKey,
) -> anyhow::Result<Result<(), String>> {
    let checkpoint = match Checkpoint::verify(&published.checkpoint, key) {
        Ok(checkpoint) => checkpoint,
        Err(error) => return Ok(Err(format!("the ledger's checkpoint: {error}"))),
    };
    let receipt: CaseReceipt = serde_json::from_str(json).context("the receipt cannot be read")?;
    for (number, event) in (1..).zip(&receipt.events) {
        let Ok(TlogProof {
            index,
            extra: Some(leaf),
            ..
        }) = event.proof.parse()
        else {
            return Ok(Err(format!("event {number} has no usable proof")));
        };
        let proved =
            inclusion_proof(index, checkpoint.size, published).map_err(|error| error.to_string());
        published.readable()?;
        let there = proved.and_then(|proof| {
            verify_inclusion(
                index,
                checkpoint.size,
                &leaf_hash(&leaf),
                &proof,
                &checkpoint.root,
            )
            .map_err(|error| error.to_string())
        });
        if let Err(why) = there {
            return Ok(Err(format!(
                "event {number} is not entry {index} of this ledger: {why}"
            )));
        }
    }
    Ok(Ok(()))
}

fn described(
    receipt: &VerifiedReceipt,
    key: &VerifierKey,
    trusted: bool,
    contained: bool,
) -> String {
    let at = Timestamp::from_millisecond(receipt.at.0)
        .map(|at| at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string())
        .unwrap_or_default();
    let signed = if receipt.signed_by.is_empty() {
        "nobody; the procedure asked for no sign-off".to_owned()
    } else {
        receipt.signed_by.join(", ")
    };
    let mut checked = String::new();
    for one in &receipt.checked_by {
        // To a string.
        let _ = write!(
            checked,
            "\n  checked by {}, message {}, sha256 {}",
            one.checker, one.id, one.body
        );
    }
    let there = if contained {
        "\n  all of them stand in the ledger that you named"
    } else {
        ""
    };
    format!(
        "the receipt verifies: {}\n  case       {}\n  outcome    {} ({at})\n  signed by  {signed}{checked}\n  digest     {}\n  events     {}, in a ledger of at least {} entries{there}\n  key        {key}{}\n",
        receipt.sentence,
        receipt.case.0,
        receipt.outcome,
        receipt.digest,
        receipt.events,
        receipt.log_size,
        whose(trusted)
    )
}

/// The key that was given, and true; or the one the publisher names, and false.
fn trusted_key(
    given: Option<&str>,
    published: Option<&Published>,
) -> anyhow::Result<(VerifierKey, bool)> {
    if let Some(given) = given {
        return Ok((
            given
                .trim()
                .parse()
                .context("`--key` is not a verifier key, `name+id+key`")?,
            true,
        ));
    }
    let published = published.context("say with `--key` or `--ledger` whose ledger to trust")?;
    Ok((published.named_key()?, false))
}

fn whose(trusted: bool) -> &'static str {
    if trusted {
        ""
    } else {
        "\n  note  this key came from the ledger itself; compare it with one you have from elsewhere, and give it with `--key`"
    }
}

/// A checkpoint that was kept, signed by the log of this installation with any key it ever had.
pub(crate) fn earlier(file: &Path, installation: &Installation) -> anyhow::Result<Checkpoint> {
    let others = &installation.settings.keys.others.ledger;
    let others: Vec<VerifierKey> = others.iter().filter_map(|key| key.parse().ok()).collect();
    kept(
        file,
        std::iter::once(installation.signer.verifier()).chain(&others),
    )
}

/// A checkpoint that was kept, signed by one of these keys.
fn kept<'k>(
    file: &Path,
    keys: impl IntoIterator<Item = &'k VerifierKey>,
) -> anyhow::Result<Checkpoint> {
    let note = std::fs::read_to_string(file)
        .with_context(|| format!("cannot read `{}`", file.display()))?;
    SignedNote::parse(&note)
        .with_context(|| format!("`{}` is not a checkpoint", file.display()))?;
    let mut wrong = None;
    for key in keys {
        match Checkpoint::verify(&note, key) {
            Ok(checkpoint) => return Ok(checkpoint),
            Err(error) => wrong = wrong.or(Some(error)),
        }
    }
    let wrong = wrong.map_or_else(|| anyhow::anyhow!("no key is known"), anyhow::Error::new);
    Err(wrong.context(format!(
        "`{}` is not a checkpoint of this ledger",
        file.display()
    )))
}

/// How far a long audit has come, on a terminal and nowhere else.
struct Progress {
    all: u64,
    shown: Cell<Instant>,
    visible: Cell<bool>,
}

impl Progress {
    fn new(all: u64) -> Self {
        Self {
            all,
            shown: Cell::new(Instant::now()),
            visible: Cell::new(false),
        }
    }

    fn at(&self, entries: u64) {
        if self.shown.get().elapsed() >= Duration::from_millis(250) {
            self.shown.set(Instant::now());
            self.visible.set(terminal::progress(&format!(
                "{entries} of {} entries",
                self.all
            )));
        }
    }

    fn done(&self) {
        if self.visible.get() {
            terminal::progress("");
        }
    }
}
