//! `grant verify`: what a backend checks before it acts, at a desk and without the gate.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use clap::Args;
use countersign_grant::{Bundle, Expected, JwkSet, Reason, Verified, Verifier};
use countersign_ledger::{Policy, VerifierKey};
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::commands::promises::Format;
use crate::terminal;

/// It was read, and it is refused.
const REFUSED: u8 = 1;

/// The largest file that is read. An honest one has a few kilobytes.
const MOST_BYTES: u64 = 1 << 20;

/// `countersign grant verify`
#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// The bundle `{"grant", "proof"}`, as the backend was handed it.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Whose grants are accepted: what the gate says at `/.well-known/countersign`, saved to a file.
    #[arg(long, value_name = "FILE")]
    gate: PathBuf,
    /// Name of the connector the backend is, as the procedure has it after `runs`.
    #[arg(long, value_name = "NAME")]
    audience: String,
    /// The ledger's key, `name+id+key`; without it the one in the file of `--gate`.
    #[arg(long, value_name = "VKEY", conflicts_with = "policy")]
    key: Option<String>,
    /// A C2SP policy file instead of one key: the ledger, its witnesses and how many of them are needed.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// What the backend is about to do, `{"action", "parameters", "subject"}`; without it the grant's own words are shown and not compared.
    #[arg(long, value_name = "FILE")]
    expect: Option<PathBuf>,
    /// A file with the `jti` of every grant that was used before, one a line.
    #[arg(long, value_name = "FILE")]
    used: Option<PathBuf>,
    /// The moment, in Unix seconds; now if left out. Grants count for two minutes.
    #[arg(long, value_name = "SECONDS")]
    at: Option<u64>,
    /// Seconds by which the two clocks may differ.
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    leeway: u64,
    /// How to write the answer.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// What a gate says about itself; the rest of it is of no interest here.
#[derive(Deserialize)]
struct Gate {
    issuer: String,
    grant_keys: JwkSet,
    ledger: Ledger,
}

#[derive(Deserialize)]
struct Ledger {
    key: String,
}

/// Exit 0 if a backend may act on it, 1 with the first check that fails, 2 if something cannot be read.
pub(crate) fn verify(command: &Verify) -> anyhow::Result<ExitCode> {
    let bundle = read(&command.file)?;
    let gate: Gate = read_json(&command.gate)?;
    let used: BTreeSet<String> = match &command.used {
        Some(file) => read(file)?
            .lines()
            .map(|line| line.trim().to_owned())
            .collect(),
        None => BTreeSet::new(),
    };
    let (expected, compared) = match &command.expect {
        Some(file) => (read_json(file)?, true),
        None => (own_words(&bundle), false),
    };
    let verifier = Verifier {
        policy: policy(command, &gate)?,
        issuer: gate.issuer,
        audience: command.audience.clone(),
        keys: gate
            .grant_keys
            .by_kid()
            .with_context(|| format!("`{}` has no usable keys", command.gate.display()))?,
        leeway_s: command.leeway,
    };
    let now = command.at.unwrap_or_else(|| {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_secs())
    });
    let verified = verifier.verify(&bundle, &expected, now, &mut |jti, _| !used.contains(jti));
    let (text, json, code) = match verified {
        Ok(verified) => (
            described(&verified, compared),
            document(&verified, compared),
            0,
        ),
        Err(reason) => (
            format!("the grant is REFUSED ({reason}): {}\n", words(reason)),
            json!({ "verifies": false, "reason": reason.as_str(), "words": words(reason) }),
            REFUSED,
        ),
    };
    terminal::print(&if command.format == Format::Json {
        format!("{json}\n")
    } else {
        text
    })?;
    Ok(ExitCode::from(code))
}

fn policy(command: &Verify, gate: &Gate) -> anyhow::Result<Policy> {
    if let Some(file) = &command.policy {
        return read(file)?
            .parse()
            .with_context(|| format!("`{}` is not a policy", file.display()));
    }
    let key = command.key.as_deref().unwrap_or(&gate.ledger.key).trim();
    let key: VerifierKey = key
        .parse()
        .context("the ledger's key is not a verifier key, `name+id+key`")?;
    Policy::of_log(key).context("this key cannot sign checkpoints")
}

/// What the grant itself says it is for. Believed by nobody: the checks are made on it as on anything else.
fn own_words(bundle: &str) -> Expected {
    let said = || -> Option<Expected> {
        let bundle: Bundle = serde_json::from_str(bundle).ok()?;
        let claims = URL_SAFE_NO_PAD
            .decode(bundle.grant.split('.').nth(1)?)
            .ok()?;
        let claims: Value = serde_json::from_slice(&claims).ok()?;
        let detail = claims.get("authorization_details")?.get(0)?;
        Some(Expected {
            action: detail.get("action")?.as_str()?.to_owned(),
            parameters: serde_json::from_value(detail.get("parameters")?.clone()).ok()?,
            subject: claims.get("sub")?.as_str()?.to_owned(),
        })
    };
    // What cannot be read is refused for its form.
    said().unwrap_or_else(|| Expected {
        action: String::new(),
        parameters: std::collections::BTreeMap::new(),
        subject: String::new(),
    })
}

fn described(verified: &Verified, compared: bool) -> String {
    let claims = verified.claims();
    let mut text = format!(
        "the grant verifies: `{}` may run once for `{}`\n",
        claims.action, claims.subject
    );
    for (name, value) in &claims.parameters {
        let _ = writeln!(text, "  {name:<10} {value}");
    }
    let _ = writeln!(text, "  id         {}", claims.id);
    let _ = writeln!(text, "  digest     {}", claims.digest);
    let _ = writeln!(
        text,
        "  good       from {} until {}",
        utc(claims.not_before),
        utc(claims.expires_at)
    );
    let checkpoint = &verified.accepted().checkpoint;
    let _ = writeln!(
        text,
        "  ledger     entry {} of {} in `{}`",
        verified.index(),
        checkpoint.size,
        checkpoint.origin
    );
    if !compared {
        text.push_str(
            "  note       these are the grant's own words; a backend compares them with what it is about to do (`--expect`)\n",
        );
    }
    text
}

fn document(verified: &Verified, compared: bool) -> Value {
    let claims = verified.claims();
    let checkpoint = &verified.accepted().checkpoint;
    json!({
        "verifies": true,
        "reason": null,
        "compared": compared,
        "id": claims.id,
        "action": claims.action,
        "parameters": claims.parameters,
        "subject": claims.subject,
        "digest": claims.digest,
        "not_before": claims.not_before,
        "expires_at": claims.expires_at,
        "entry": verified.index(),
        "origin": checkpoint.origin,
        "size": checkpoint.size,
    })
}

/// As `docs/grants.md` has it.
fn words(reason: Reason) -> &'static str {
    match reason {
        Reason::Form => "it is not a bundle of a grant and its proof",
        Reason::Typ => "the header's `typ` is not that of a grant",
        Reason::Key => {
            "the header names a key that the gate does not publish, or another algorithm"
        }
        Reason::Signature => "the gate did not sign this",
        Reason::Issuer => "`iss` is another gate",
        Reason::Audience => "`aud` is another connector",
        Reason::NotYetValid => "it does not count yet",
        Reason::Expired => "it counts no more; say with `--at` at which moment to look",
        Reason::Lifetime => "it is good for longer than a grant may be, or for no time at all",
        Reason::Parameters => "it is for another action, another customer or other parameters",
        Reason::Leaf => "the proof does not carry the leaf of this grant",
        Reason::LogKey => "no trusted ledger signed the checkpoint",
        Reason::Origin => "the checkpoint or the grant names another ledger",
        Reason::WitnessQuorum => {
            "too few trusted witnesses cosigned the checkpoint, or one's cosignature is wrong"
        }
        Reason::Inclusion => "the leaf is not in the ledger",
        Reason::Replay => "it was used before",
    }
}

fn utc(seconds: u64) -> String {
    i64::try_from(seconds)
        .ok()
        .and_then(|seconds| Timestamp::from_second(seconds).ok())
        .map_or_else(
            || seconds.to_string(),
            |at| at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
        )
}

fn read(file: &Path) -> anyhow::Result<String> {
    let what = || format!("cannot read `{}`", file.display());
    let length = std::fs::metadata(file).with_context(what)?.len();
    anyhow::ensure!(
        length <= MOST_BYTES,
        "`{}` is larger than anything that is read here",
        file.display()
    );
    std::fs::read_to_string(file).with_context(what)
}

fn read_json<T: DeserializeOwned>(file: &Path) -> anyhow::Result<T> {
    serde_json::from_str(&read(file)?)
        .with_context(|| format!("`{}` is not what is expected here", file.display()))
}
