//! Offline verification of a grant: its signature, the log's, one witness's, and the way from
//! its leaf to the root of a log of a million, beside one bare Ed25519 verification.

use std::collections::BTreeMap;

use countersign_grant::{
    Bundle, Claims, Expected, GRANTED, GrantKey, Leaf, Verifier, commitment, grant_hash, mint,
};
use countersign_ledger::{
    Appender, Checkpoint, KeyKind, NoteSigner, SecretKey, TilePath, TlogProof, inclusion_proof,
    verify_ed25519,
};

use crate::timing::{Measured, Samples, time, verdict};

const LEAVES: u64 = 1_000_000;
const RUNS: usize = 10_000;
const NOW: u64 = 1_800_000_000;
const ORIGIN: &str = "gate.example/ledger";

pub(crate) fn run() -> Measured {
    let key = GrantKey::from_seed(&[1; 32])?;
    let claims = claims();
    let grant = mint(&key, &claims);
    let bundle = logged(grant)?;
    let json = bundle.to_json();
    let policy = format!(
        "log {}\nwitness w {}\nquorum w\n",
        log()?.verifier(),
        witness()?.verifier()
    );
    let verifier = Verifier {
        issuer: claims.issuer.clone(),
        audience: claims.audience.clone(),
        keys: BTreeMap::from([(key.kid().to_owned(), *key.public())]),
        policy: policy.parse()?,
        leeway_s: 0,
    };
    let expected = Expected {
        action: claims.action.clone(),
        parameters: claims.parameters.clone(),
        subject: claims.subject.clone(),
    };

    let secret = SecretKey::from_seed(&[1; 32])?;
    let message = bundle.grant.as_bytes();
    let signature = secret.sign(message);

    let (mut whole, mut bare, mut minted) =
        (Samples::default(), Samples::default(), Samples::default());
    for _ in 0..RUNS {
        let (took, verified) = time(|| verifier.verify(&json, &expected, NOW, &mut |_, _| true));
        whole.add(took);
        verified?;
        let (took, right) = time(|| verify_ed25519(secret.public(), message, &signature));
        bare.add(took);
        if !right {
            return Err("a good signature was refused".into());
        }
        minted.add(time(|| mint(&key, &claims)).0);
    }
    let (whole_us, bare_us) = (whole.quantile_us(0.5), bare.quantile_us(0.5));
    println!(
        "{RUNS} grants of {} bytes in a log of {LEAVES}, median (p99)",
        json.len()
    );
    println!(
        "  verify offline, three signatures and the proof   {whole_us:.1} us ({:.1} us) (goal 200 us: {})",
        whole.quantile_us(0.99),
        verdict(whole_us <= 200.0)
    );
    println!(
        "  one bare Ed25519 verification                    {bare_us:.1} us ({:.1} us)   a grant takes {:.2} times as long",
        bare.quantile_us(0.99),
        whole_us / bare_us
    );
    println!(
        "  mint, one signature                              {:.1} us ({:.1} us)",
        minted.quantile_us(0.5),
        minted.quantile_us(0.99)
    );
    Ok(())
}

/// The grant with its proof, its leaf being the last but one thousand of the log.
fn logged(grant: String) -> Result<Bundle, Box<dyn std::error::Error>> {
    let leaf = Leaf {
        kind: GRANTED.to_owned(),
        case: Some([1; 16]),
        customer: Some([2; 16]),
        at: NOW,
        commitment: commitment(&[3; 32], b"the event"),
        grant: Some(grant_hash(&grant)),
    }
    .encode()?;
    let index = LEAVES - 1_000;
    let others = leaf.iter().rev().copied().collect::<Vec<_>>();
    let mut appender = Appender::empty();
    let changed = appender.append((0..LEAVES).map(|n| {
        if n == index {
            leaf.as_slice()
        } else {
            others.as_slice()
        }
    }))?;
    let tiles: BTreeMap<TilePath, Vec<u8>> = changed.tiles.into_iter().collect();
    let checkpoint = Checkpoint {
        origin: ORIGIN.to_owned(),
        size: LEAVES,
        root: appender.root(),
    };
    let mut note = checkpoint.sign(&log()?)?;
    note.sign(&witness()?, NOW);
    let proof = TlogProof {
        index,
        proof: inclusion_proof(index, LEAVES, &|path: &TilePath| tiles.get(path).cloned())?,
        extra: Some(leaf),
        checkpoint: note.to_string(),
    };
    Ok(Bundle::new(grant, &proof))
}

fn claims() -> Claims {
    let parameters = [("image", "debian-13"), ("server", "web-1")];
    Claims {
        issuer: "https://gate.example".to_owned(),
        audience: "panel".to_owned(),
        subject: "customer-7".to_owned(),
        issued_at: NOW,
        not_before: NOW,
        expires_at: NOW + 120,
        id: "AAAAAAAAAAAAAAAAAAAAAA".to_owned(),
        action: "server.reinstall".to_owned(),
        parameters: parameters
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        digest: "00".repeat(32),
        log_origin: ORIGIN.to_owned(),
    }
}

fn log() -> Result<NoteSigner, Box<dyn std::error::Error>> {
    let key = SecretKey::from_seed(&[2; 32])?;
    Ok(NoteSigner::new(ORIGIN, KeyKind::Ed25519, key)?)
}

fn witness() -> Result<NoteSigner, Box<dyn std::error::Error>> {
    let key = SecretKey::from_seed(&[3; 32])?;
    Ok(NoteSigner::new(
        "witness.example/w1",
        KeyKind::CosignatureV1,
        key,
    )?)
}
