//! Prints the test vectors for verifiers of grants in any language: some bundles that must be
//! accepted, and for each check some that fail it alone.
//!
//! `cargo run -p countersign_grant --example grant_vectors > docs/generated/grant-vectors.json`

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "makes fixed test data from fixed inputs and prints it"
)]

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign_grant::{
    Bundle, Claims, Expected, GRANTED, GrantKey, JwkSet, Leaf, Reason, commitment, grant_hash, mint,
};
use countersign_ledger::{
    Appender, Checkpoint, KeyKind, NoteSigner, SecretKey, SignedNote, TilePath, TlogProof,
    inclusion_proof,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const ISSUER: &str = "https://gate.acme.example";
const AUDIENCE: &str = "panel";
const ORIGIN: &str = "gate.acme.example/ledger";
const WITNESS: &str = "witness.example/w1";
const ISSUED: u64 = 1_800_000_000;
const NOW: u64 = ISSUED + 5;

#[derive(Debug, Serialize, Deserialize, PartialEq, Eq)]
pub(crate) struct Vectors {
    pub(crate) about: String,
    pub(crate) verifier: VerifierFacts,
    #[serde(rename = "vectors")]
    pub(crate) list: Vec<Vector>,
}

/// What a verifier is set up with, the same for all vectors.
#[derive(Debug, Serialize, Deserialize, PartialEq, Eq)]
pub(crate) struct VerifierFacts {
    pub(crate) issuer: String,
    pub(crate) audience: String,
    pub(crate) jwks: JwkSet,
    pub(crate) policy: String,
    pub(crate) leeway_s: u64,
}

#[derive(Debug, Serialize, Deserialize, PartialEq, Eq)]
pub(crate) struct Vector {
    pub(crate) name: String,
    /// The code of the check that refuses it; none if it must be accepted.
    pub(crate) reason: Option<String>,
    /// Unix seconds at the verifier.
    pub(crate) now: u64,
    pub(crate) expected: Expected,
    /// The `jti`s that the verifier has seen before.
    pub(crate) seen: Vec<String>,
    /// The bundle as it arrives.
    pub(crate) bundle: String,
}

#[cfg_attr(test, expect(dead_code, reason = "the test calls `vectors` alone"))]
fn main() {
    println!("{}", serde_json::to_string_pretty(&vectors()).unwrap());
}

pub(crate) fn vectors() -> Vectors {
    Vectors {
        about: "Verify each bundle with the verifier's facts, at `now`, against `expected`, with \
                the `jti`s in `seen` used before. `reason` is the check that must refuse it, or \
                null if it must be accepted. See docs/grants.md."
            .to_owned(),
        verifier: VerifierFacts {
            issuer: ISSUER.to_owned(),
            audience: AUDIENCE.to_owned(),
            jwks: JwkSet {
                keys: vec![grant_key().jwk()],
            },
            policy: format!(
                "log {}\nwitness w1 {}\nquorum w1\n",
                log().verifier(),
                witness().verifier()
            ),
            leeway_s: 0,
        },
        list: all(),
    }
}

fn all() -> Vec<Vector> {
    let good = Recipe::default().bundle();
    let mut list = Vec::new();
    let mut add = |name: &str, reason: Option<Reason>, bundle: String| {
        list.push(Vector {
            name: name.to_owned(),
            reason: reason.map(|reason| reason.to_string()),
            now: NOW,
            expected: expected(),
            seen: vec!["AAAAAAAAAAAAAAAAAAAAAA".to_owned()],
            bundle,
        });
    };

    add("valid", None, good.to_json());
    add(
        "a further claim is passed over",
        None,
        made(|recipe| recipe.payload["cnf"] = json!({})),
    );
    add(
        "a signature by a key nobody knows is passed over",
        None,
        made(|recipe| {
            let stranger = signer("stranger.example", KeyKind::CosignatureV1, 77);
            recipe.witnesses.push(stranger);
        }),
    );

    let form = Some(Reason::Form);
    add("not json", form, "grant".to_owned());
    add(
        "a grant without its proof",
        form,
        json!({ "grant": good.grant }).to_string(),
    );
    add(
        "a bundle with a further member",
        form,
        json!({ "grant": good.grant, "proof": good.proof, "force": true }).to_string(),
    );
    let (cut, _) = good.grant.rsplit_once('.').unwrap();
    add("a jws of two parts", form, with_grant(&good, cut));
    add(
        "a jws of four parts",
        form,
        with_grant(&good, &format!("{}.AA", good.grant)),
    );
    add(
        "a jws with padding",
        form,
        with_grant(&good, &format!("{}==", good.grant)),
    );
    add(
        "a header with a further member",
        form,
        made(|recipe| recipe.header["crit"] = json!(["b64"])),
    );
    add(
        "no expiry",
        form,
        made(|recipe| {
            recipe.payload.as_object_mut().unwrap().remove("exp");
        }),
    );
    add(
        "two things authorized",
        form,
        made(|recipe| {
            let detail = recipe.payload["authorization_details"][0].clone();
            recipe.payload["authorization_details"] = json!([detail, detail]);
        }),
    );
    add(
        "a further member beside the action",
        form,
        made(|recipe| recipe.payload["authorization_details"][0]["unless"] = json!("asked")),
    );
    add(
        "a short jti",
        form,
        made(|recipe| recipe.payload["jti"] = json!("AAAA")),
    );
    add(
        "a proof of another version",
        form,
        with_proof(&good, &good.proof.replace("@v1", "@v2")),
    );
    add(
        "a proof whose checkpoint is no signed note",
        form,
        with_proof(&good, good.proof.split("\n\n—").next().unwrap()),
    );

    add(
        "typ of an ordinary token",
        Some(Reason::Typ),
        made(|recipe| recipe.header["typ"] = json!("JWT")),
    );

    let key = Some(Reason::Key);
    add(
        "a kid nobody knows",
        key,
        made(|recipe| recipe.header["kid"] = json!("another")),
    );
    add(
        "signed by a key nobody knows",
        key,
        made(|recipe| {
            recipe.seed = [66; 32];
            recipe.header["kid"] = json!(GrantKey::from_seed(&[66; 32]).unwrap().kid());
        }),
    );
    add(
        "alg none",
        key,
        made(|recipe| recipe.header["alg"] = json!("none")),
    );
    add(
        "alg of a shared secret",
        key,
        made(|recipe| recipe.header["alg"] = json!("HS256")),
    );

    let signature = Some(Reason::Signature);
    add(
        "signed by another key in its name",
        signature,
        made(|recipe| recipe.seed = [66; 32]),
    );
    add(
        "no signature",
        signature,
        with_grant(&good, &format!("{cut}.")),
    );
    add(
        "a signature bit flipped",
        signature,
        with_grant(&good, &flip_signature(&good.grant)),
    );
    let altered = good.grant.split('.').collect::<Vec<_>>();
    let payload = URL_SAFE_NO_PAD.decode(altered[1]).unwrap();
    let payload = String::from_utf8(payload)
        .unwrap()
        .replace("debian-13", "debian-12");
    add(
        "a parameter changed after signing",
        signature,
        with_grant(
            &good,
            &[altered[0], &URL_SAFE_NO_PAD.encode(payload), altered[2]].join("."),
        ),
    );

    add(
        "another gate",
        Some(Reason::Issuer),
        made(|recipe| recipe.payload["iss"] = json!("https://gate.evil.example")),
    );
    add(
        "another connector",
        Some(Reason::Audience),
        made(|recipe| recipe.payload["aud"] = json!("billing")),
    );

    let lifetime = Some(Reason::Lifetime);
    add(
        "good for 121 seconds",
        lifetime,
        made(|recipe| recipe.payload["exp"] = json!(ISSUED + 121)),
    );
    add(
        "issued far ahead to last longer",
        lifetime,
        made(|recipe| {
            recipe.payload["iat"] = json!(ISSUED + 500);
            recipe.payload["exp"] = json!(ISSUED + 600);
        }),
    );

    let parameters = Some(Reason::Parameters);
    add(
        "another action",
        parameters,
        made(|recipe| recipe.detail()["action"] = json!("server.delete")),
    );
    add(
        "another parameter",
        parameters,
        made(|recipe| recipe.detail()["parameters"]["server"] = json!("web-2")),
    );
    add(
        "a parameter missing",
        parameters,
        made(|recipe| {
            recipe.detail()["parameters"]
                .as_object_mut()
                .unwrap()
                .remove("image");
        }),
    );
    add(
        "a parameter too many",
        parameters,
        made(|recipe| recipe.detail()["parameters"]["wipe"] = json!("yes")),
    );
    add(
        "another customer",
        parameters,
        made(|recipe| recipe.payload["sub"] = json!("customer-9")),
    );

    let leaf = Some(Reason::Leaf);
    add(
        "a proof without the leaf",
        leaf,
        proved(|proof| proof.extra = None),
    );
    add(
        "the leaf of another grant",
        leaf,
        made(|recipe| recipe.leaf = |leaf| leaf.grant = Some(grant_hash("another"))),
    );
    add(
        "a leaf that makes no grant",
        leaf,
        made(|recipe| recipe.leaf = |leaf| "stopped".clone_into(&mut leaf.kind)),
    );
    add(
        "a leaf that names no grant",
        leaf,
        made(|recipe| recipe.leaf = |leaf| leaf.grant = None),
    );
    add(
        "a leaf in another spelling",
        leaf,
        proved(|proof| proof.extra.as_mut().unwrap().push(b' ')),
    );

    let log_key = Some(Reason::LogKey);
    add(
        "a log nobody knows",
        log_key,
        made(|recipe| recipe.log = signer(ORIGIN, KeyKind::Ed25519, 66)),
    );
    add(
        "a forged signature of the log",
        log_key,
        noted(|note| note.signatures[0].signature[3] ^= 1),
    );
    add(
        "the size of the log changed",
        log_key,
        with_proof(&good, &good.proof.replace("\n300\n", "\n301\n")),
    );

    let origin = Some(Reason::Origin);
    add(
        "the grant names another log",
        origin,
        made(|recipe| recipe.payload["tlog"]["origin"] = json!("other.example/ledger")),
    );
    add(
        "the checkpoint names another log",
        origin,
        made(|recipe| "other.example/ledger".clone_into(&mut recipe.origin)),
    );

    let quorum = Some(Reason::WitnessQuorum);
    add(
        "no witness",
        quorum,
        made(|recipe| recipe.witnesses.clear()),
    );
    add(
        "a witness nobody knows",
        quorum,
        made(|recipe| recipe.witnesses = vec![signer(WITNESS, KeyKind::CosignatureV1, 66)]),
    );
    add(
        "a forged cosignature",
        quorum,
        noted(|note| note.signatures[1].signature[20] ^= 1),
    );
    add(
        "a cosignature at another time",
        quorum,
        noted(|note| note.signatures[1].signature[7] ^= 1),
    );

    let inclusion = Some(Reason::Inclusion);
    add("another place", inclusion, proved(|proof| proof.index += 1));
    add(
        "a place beyond the log",
        inclusion,
        proved(|proof| proof.index = 300),
    );
    add(
        "a hash changed",
        inclusion,
        proved(|proof| proof.proof[4][0] ^= 1),
    );
    add(
        "a hash missing",
        inclusion,
        proved(|proof| {
            proof.proof.pop();
        }),
    );
    add(
        "a hash too many",
        inclusion,
        proved(|proof| proof.proof.push([0; 32])),
    );
    add(
        "a leaf never appended",
        inclusion,
        made(|recipe| recipe.append = false),
    );

    let mut at = |name: &str, now: u64, reason| {
        list.push(Vector {
            name: name.to_owned(),
            reason: Option::map(reason, |reason: Reason| reason.to_string()),
            now,
            expected: expected(),
            seen: Vec::new(),
            bundle: good.to_json(),
        });
    };
    at("the first second", ISSUED, None);
    at("the last second", ISSUED + 119, None);
    at("a second early", ISSUED - 1, Some(Reason::NotYetValid));
    at("a second late", ISSUED + 120, Some(Reason::Expired));
    list.push(Vector {
        name: "used before".to_owned(),
        reason: Some(Reason::Replay.to_string()),
        now: NOW,
        expected: expected(),
        seen: vec![claims().id],
        bundle: good.to_json(),
    });
    list
}

fn made(change: impl FnOnce(&mut Recipe)) -> String {
    let mut recipe = Recipe::default();
    change(&mut recipe);
    recipe.bundle().to_json()
}

/// The good bundle with its proof changed.
fn proved(change: impl FnOnce(&mut TlogProof)) -> String {
    let mut bundle = Recipe::default().bundle();
    let mut proof: TlogProof = bundle.proof.parse().unwrap();
    change(&mut proof);
    bundle.proof = proof.to_string();
    bundle.to_json()
}

/// The good bundle with its checkpoint note changed.
fn noted(change: impl FnOnce(&mut SignedNote)) -> String {
    proved(|proof| {
        let mut note = SignedNote::parse(&proof.checkpoint).unwrap();
        change(&mut note);
        proof.checkpoint = note.to_string();
    })
}

fn with_grant(good: &Bundle, grant: &str) -> String {
    let bundle = Bundle {
        grant: grant.to_owned(),
        ..good.clone()
    };
    bundle.to_json()
}

fn with_proof(good: &Bundle, proof: &str) -> String {
    let bundle = Bundle {
        proof: proof.to_owned(),
        ..good.clone()
    };
    bundle.to_json()
}

fn flip_signature(grant: &str) -> String {
    let (signed, signature) = grant.rsplit_once('.').unwrap();
    let mut signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    signature[10] ^= 1;
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// How a bundle is made, with a place to change each step.
struct Recipe {
    header: Value,
    payload: Value,
    seed: [u8; 32],
    leaf: fn(&mut Leaf),
    /// Whether the leaf is in the ledger.
    append: bool,
    origin: String,
    log: NoteSigner,
    witnesses: Vec<NoteSigner>,
}

impl Default for Recipe {
    fn default() -> Self {
        let jws = mint(&grant_key(), &claims());
        let part = |n| {
            let part = jws.split('.').nth(n).unwrap();
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
        };
        Self {
            header: part(0),
            payload: part(1),
            seed: [1; 32],
            leaf: |_| {},
            append: true,
            origin: ORIGIN.to_owned(),
            log: log(),
            witnesses: vec![witness()],
        }
    }
}

impl Recipe {
    fn detail(&mut self) -> &mut Value {
        &mut self.payload["authorization_details"][0]
    }

    fn bundle(&self) -> Bundle {
        let signed = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(canonical(&self.header)),
            URL_SAFE_NO_PAD.encode(canonical(&self.payload))
        );
        let key = SecretKey::from_seed(&self.seed).unwrap();
        let signature = URL_SAFE_NO_PAD.encode(key.sign(signed.as_bytes()));
        let grant = format!("{signed}.{signature}");

        let mut leaf = Leaf {
            kind: GRANTED.to_owned(),
            case: Some([0x11; 16]),
            customer: Some([0x22; 16]),
            at: ISSUED,
            commitment: commitment(&[0x33; 32], b"the event"),
            grant: Some(grant_hash(&grant)),
        };
        (self.leaf)(&mut leaf);
        let leaf = leaf.encode().unwrap();

        // The leaf stands at 137 in a log of 300.
        let (index, size) = (137, 300);
        let leaves: Vec<_> = (0..size)
            .map(|n| match n {
                137 if self.append => leaf.clone(),
                n => other_leaf(n),
            })
            .collect();
        let mut appender = Appender::empty();
        let tiles = appender.append(leaves.iter().map(Vec::as_slice)).unwrap();
        let tiles: BTreeMap<TilePath, Vec<u8>> = tiles.tiles.into_iter().collect();
        let checkpoint = Checkpoint {
            origin: self.origin.clone(),
            size,
            root: appender.root(),
        };
        let mut note = checkpoint.sign(&self.log).unwrap();
        for witness in &self.witnesses {
            note.sign(witness, ISSUED + 1);
        }
        let proof = TlogProof {
            index,
            proof: inclusion_proof(index, size, &|path: &TilePath| tiles.get(path).cloned())
                .unwrap(),
            extra: Some(leaf),
            checkpoint: note.to_string(),
        };
        Bundle::new(grant, &proof)
    }
}

fn other_leaf(n: u64) -> Vec<u8> {
    let leaf = Leaf {
        kind: "opened".to_owned(),
        case: Some([0x44; 16]),
        customer: None,
        at: ISSUED - 1000 + n,
        commitment: commitment(&[0x55; 32], &n.to_be_bytes()),
        grant: None,
    };
    leaf.encode().unwrap()
}

/// Members in sorted order, whichever way `serde_json` keeps them.
fn canonical(value: &Value) -> Vec<u8> {
    serde_json_canonicalizer::to_vec(value).unwrap()
}

fn grant_key() -> GrantKey {
    GrantKey::from_seed(&[1; 32]).unwrap()
}

fn log() -> NoteSigner {
    signer(ORIGIN, KeyKind::Ed25519, 2)
}

fn witness() -> NoteSigner {
    signer(WITNESS, KeyKind::CosignatureV1, 3)
}

fn signer(name: &str, kind: KeyKind, seed: u8) -> NoteSigner {
    NoteSigner::new(name, kind, SecretKey::from_seed(&[seed; 32]).unwrap()).unwrap()
}

pub(crate) fn claims() -> Claims {
    Claims {
        issuer: ISSUER.to_owned(),
        audience: AUDIENCE.to_owned(),
        subject: expected().subject,
        issued_at: ISSUED,
        not_before: ISSUED,
        expires_at: ISSUED + 120,
        id: "Y291bnRlcnNpZ24tanRpMQ".to_owned(),
        action: expected().action,
        parameters: expected().parameters,
        digest: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".to_owned(),
        log_origin: ORIGIN.to_owned(),
    }
}

fn expected() -> Expected {
    let parameters = [("image", "debian-13"), ("server", "web-1 “Zürich”")];
    Expected {
        action: "server.reinstall".to_owned(),
        parameters: parameters
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        subject: "customer-7".to_owned(),
    }
}
