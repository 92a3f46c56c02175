//! Writes a log of N made-up entries into a folder, as a server would export it, for foreign
//! verifiers to read: `cargo run -p countersign_ledger --example export_log -- DIR [N [OLD]]`
//!
//! - `DIR/log/`: `checkpoint`, `tile/…`
//! - `DIR/old-checkpoint`: the checkpoint at OLD entries
//! - `DIR/log.vkey`, `DIR/witness.vkey`: the public keys, one line each

#![expect(
    clippy::disallowed_methods,
    reason = "an example writes files; the library does not"
)]

use std::error::Error;
use std::fs;
use std::path::Path;

use countersign_ledger::{
    Appender, Changed, Checkpoint, Cosignature, KeyKind, NoteSigner, SecretKey,
};

const ORIGIN: &str = "gate.example/ledger";

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("usage: export_log DIR [N [OLD]]")?;
    let folder = Path::new(&folder);
    let mut number = |default| arguments.next().map_or(Ok(default), |text| text.parse());
    let size: u64 = number(70_000)?;
    let old: u64 = number(1_000)?;

    let log = signer(ORIGIN, KeyKind::Ed25519, 1)?;
    let witness = signer("witness.example/w1", KeyKind::CosignatureV1, 2)?;
    let mut appender = Appender::empty();
    append(&mut appender, old, &folder.join("log"))?;
    let checkpoint = checkpoint(&appender, &log, &witness)?;
    fs::write(folder.join("old-checkpoint"), checkpoint)?;
    append(&mut appender, size, &folder.join("log"))?;
    let checkpoint = self::checkpoint(&appender, &log, &witness)?;
    fs::write(folder.join("log/checkpoint"), checkpoint)?;
    fs::write(folder.join("log.vkey"), format!("{}\n", log.verifier()))?;
    fs::write(
        folder.join("witness.vkey"),
        format!("{}\n", witness.verifier()),
    )?;
    Ok(())
}

/// Appends made-up entries up to `size` in batches of a thousand, and writes the tiles.
fn append(appender: &mut Appender, size: u64, folder: &Path) -> Result<(), Box<dyn Error>> {
    while appender.size() < size {
        let end = size.min(appender.size() + 1_000);
        let entries: Vec<_> = (appender.size()..end)
            .map(|n| format!(r#"{{"kind":"example","n":{n}}}"#))
            .collect();
        let Changed { tiles } = appender.append(entries.iter().map(String::as_bytes))?;
        for (path, bytes) in tiles {
            let file = folder.join(path.to_string());
            fs::create_dir_all(file.parent().unwrap_or(folder))?;
            fs::write(file, bytes)?;
        }
    }
    Ok(())
}

fn checkpoint(
    appender: &Appender,
    log: &NoteSigner,
    witness: &NoteSigner,
) -> Result<String, Box<dyn Error>> {
    let checkpoint = Checkpoint {
        origin: ORIGIN.to_owned(),
        size: appender.size(),
        root: appender.root(),
    };
    let mut note = checkpoint.sign(log)?;
    let seen = Cosignature::sign(&checkpoint, witness, 1_800_000_000);
    note.signatures.push(seen.line);
    Ok(note.to_string())
}

fn signer(name: &str, kind: KeyKind, seed: u8) -> Result<NoteSigner, Box<dyn Error>> {
    let key = SecretKey::from_seed(&[seed; 32])?;
    Ok(NoteSigner::new(name, kind, key)?)
}
