//! Every proof goes back to an answer that was right when it counted, and counts once; every signature to a passkey of whoever
//! signed, over this case and no other.

use std::collections::{BTreeMap, BTreeSet};

use aws_lc_rs::{
    hmac,
    signature::{ED25519, UnparsedPublicKey},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use countersign_language::{Method, Proof};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::{
    Answer, Books, Findings, Happened, Heard,
    customers::Customers,
    life::{Life, Member, is_concerned, is_robot, text},
};

/// Wrong answers to one proof of one customer before it is closed, and for how long.
const WRONG_MAX: usize = 5;
const CLOSED_MS: i64 = 86_400_000;

/// How far a clock may be off, and a store slow, between a code being shown and its proof being stored.
const CODE_MS: i64 = 150_000;

pub(super) fn check(
    books: &Books,
    customers: &Customers<'_>,
    lives: &[Life<'_>],
    found: &mut Findings,
) {
    let mut used = Used::default();
    for (life, event) in in_order(lives) {
        match event.kind.as_str() {
            "case.proved" => proved(books, customers, life, event, &mut used, found),
            "case.signed_off" => signed(books, life, event, &mut used, found),
            _ => {}
        }
    }
    closed_ways(books, customers, lives, found);
}

/// What counts once.
#[derive(Default)]
struct Used {
    answers: BTreeSet<usize>,
    codes: BTreeSet<String>,
    signatures: BTreeSet<String>,
}

fn in_order<'l, 'a>(lives: &'l [Life<'a>]) -> Vec<(&'l Life<'a>, &'a Happened)> {
    let mut all: Vec<_> = lives
        .iter()
        .flat_map(|life| life.events.iter().map(move |event| (life, *event)))
        .collect();
    all.sort_by_key(|(_, event)| event.position);
    all
}

fn declared<'a>(life: &Life<'a>, event: &Happened) -> Option<(&'a Proof, &'a str)> {
    let index = usize::try_from(event.data.get("proof")?.as_u64()?).ok()?;
    let proof = life.procedure.proofs.get(index)?;
    let holding = life.procedure.holdings.get(proof.shows.index())?;
    Some((proof, &holding.name))
}

fn proved(
    books: &Books,
    customers: &Customers<'_>,
    life: &Life<'_>,
    event: &Happened,
    used: &mut Used,
    found: &mut Findings,
) {
    let Some((proof, holding)) = declared(life, event) else {
        found.unless(false, 3, || {
            format!(
                "{}: proved something the procedure does not know",
                life.case
            )
        });
        return;
    };
    let good = match proof.using {
        Some(Method::Passkey) => {
            let domain = format!("countersign/proof/v1/{}", proof.name);
            let owner = format!("c.{}/{holding}", life.customer);
            assertion(books, life, event, &domain, &owner, used)
        }
        Some(Method::Panel) => life.by == Member::Customer,
        Some(method) => typed(
            books,
            customers,
            life,
            event,
            (proof, holding, method),
            used,
        ),
        None => false,
    };
    found.unless(good, 3, || {
        format!(
            "{}: `{}` counts at event {}, and nothing right was shown for it that had not counted before",
            life.case, proof.name, event.position
        )
    });
}

/// The one answer behind a proof.
fn typed(
    books: &Books,
    customers: &Customers<'_>,
    life: &Life<'_>,
    event: &Happened,
    (proof, holding, method): (&Proof, &str, Method),
    used: &mut Used,
) -> bool {
    let held = customers.holding(life.procedure, &life.customer, holding, event.position);
    let Some(held) = held else {
        return false;
    };
    let answers = books.answers.iter().enumerate().filter(|(_, answer)| {
        answer.case == life.case
            && answer.proof == proof.name
            && answer.sent < event.position
            && match answer.heard {
                Heard::Right => answer.heard_by >= event.position,
                Heard::Nothing => true,
                Heard::NotRight | Heard::Refused(_) => false,
            }
    });
    for (place, answer) in answers {
        if used.answers.contains(&place) {
            continue;
        }
        let once = match method {
            Method::Pin | Method::Password => {
                (held.value == Some(&answer.text)).then(|| format!("answer {place}"))
            }
            Method::Totp => held
                .value
                .and_then(|secret| step_of(secret, &answer.text, event.at))
                .map(|step| format!("{}/{holding}/{:?}/{step}", life.customer, held.value)),
            Method::Mail | Method::Text => {
                letter_of(books, customers, life, event, holding, &answer.text)
                    .map(|letter| format!("letter {letter}"))
            }
            _ => None,
        };
        if let Some(once) = once
            && used.codes.insert(once)
        {
            used.answers.insert(place);
            return true;
        }
    }
    false
}

/// The time step at which this authenticator shows this code, near this moment. RFC 6238 with the usual numbers.
fn step_of(base32: &str, code: &str, at: i64) -> Option<i64> {
    let secret = crate::simulator::from_base32(base32)?;
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &secret);
    let steps = (at - CODE_MS).div_euclid(30_000)..=(at + CODE_MS).div_euclid(30_000);
    steps.into_iter().find(|step| {
        let tag = hmac::sign(&key, &step.to_be_bytes());
        let tag = tag.as_ref();
        let offset = usize::from(tag.last().copied().unwrap_or(0) & 15);
        let number = tag
            .iter()
            .skip(offset)
            .take(4)
            .fold(0_u32, |number, byte| number << 8 | u32::from(*byte));
        format!("{:06}", (number & 0x7fff_ffff) % 1_000_000) == code
    })
}

/// The letter that carried this code for this case, to somebody who is this customer's contact of this channel now.
fn letter_of(
    books: &Books,
    customers: &Customers<'_>,
    life: &Life<'_>,
    event: &Happened,
    channel: &str,
    code: &str,
) -> Option<usize> {
    let contacts = customers.contacts(&life.customer, event.position);
    let live: Vec<&str> = contacts
        .iter()
        .filter(|contact| contact.removed_at.is_none() && contact.channel == channel)
        .map(|contact| contact.address)
        .collect();
    books.letters.iter().position(|letter| {
        letter.position <= event.position
            && letter.text.contains(&life.case)
            && live.contains(&letter.to.as_str())
            && letter
                .text
                .lines()
                .any(|line| line.len() == 9 && line.replace(' ', "") == code)
    })
}

fn signed(books: &Books, life: &Life<'_>, event: &Happened, used: &mut Used, found: &mut Findings) {
    let by = Member::staff(event.data.get("by"));
    let Member::Staff { person, account } = &by else {
        return;
    };
    let known = books
        .staff
        .iter()
        .any(|one| one.account == *account && one.person == *person);
    found.unless(
        known
            && assertion(
                books,
                life,
                event,
                "countersign/sign-off/v1",
                &format!("s.{account}"),
                used,
            ),
        3,
        || {
            format!(
                "{}: {account} signed, and not with their passkey over this case",
                life.case
            )
        },
    );
    found.unless(life.by.person() != Some(person.as_str()), 4, || {
        format!("{}: {person} signed their own case", life.case)
    });
    found.unless(!is_concerned(books, person, &life.customer), 4, || {
        format!(
            "{}: {person} is tied to {} and signed",
            life.case, life.customer
        )
    });
    found.unless(!is_robot(books, person), 4, || {
        format!("{}: a program signed", life.case)
    });
    let again = life
        .of_kind("case.signed_off")
        .filter(|other| other.position < event.position)
        .any(|other| Member::staff(other.data.get("by")).person() == Some(person));
    found.unless(!again, 4, || {
        format!("{}: {person} signed twice", life.case)
    });
}

/// A WebAuthn assertion of this owner's passkey, over this case in this domain, that was not used before.
fn assertion(
    books: &Books,
    life: &Life<'_>,
    event: &Happened,
    domain: &str,
    owner: &str,
    used: &mut Used,
) -> bool {
    let kept = event.data.pointer("/evidence/assertion");
    let bytes = |name: &str| URL_SAFE_NO_PAD.decode(text(kept, name)).unwrap_or_default();
    let mut sha = Sha256::new();
    sha.update(domain.as_bytes());
    sha.update([0]);
    sha.update(from_hex(&life.nonce));
    sha.update(from_hex(&life.digest));
    let challenge = URL_SAFE_NO_PAD.encode(sha.finalize());
    let (client_data, authenticator_data) = (bytes("client_data"), bytes("authenticator_data"));
    let client: Value = serde_json::from_slice(&client_data).unwrap_or_default();
    let mut message = authenticator_data.clone();
    message.extend(Sha256::digest(&client_data));
    // COSE_Key of an Ed25519 key ends with its 32 bytes.
    let cose = bytes("public_key");
    let public = cose
        .get(cose.len().saturating_sub(32)..)
        .unwrap_or_default();
    let verified = UnparsedPublicKey::new(&ED25519, public)
        .verify(&message, &bytes("signature"))
        .is_ok();
    let user_verified = authenticator_data
        .get(32)
        .is_some_and(|flags| flags & 5 == 5);
    verified
        && user_verified
        && text(Some(&client), "type") == "webauthn.get"
        && text(Some(&client), "challenge") == challenge
        && books
            .credentials
            .get(&text(kept, "credential"))
            .map(String::as_str)
            == Some(owner)
        && used.signatures.insert(text(kept, "signature"))
}

fn from_hex(text: &str) -> Vec<u8> {
    text.as_bytes()
        .chunks(2)
        .filter_map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}

/// After five wrong answers nothing is right for a day. Counted only where it is certain: answers that nobody else's answer
/// of the same kind overlapped, and that were looked at.
fn closed_ways(books: &Books, customers: &Customers<'_>, lives: &[Life<'_>], found: &mut Findings) {
    let mut ways: BTreeMap<(&str, &str), Vec<(&Life<'_>, &Answer)>> = BTreeMap::new();
    for answer in &books.answers {
        if let Some(life) = lives.iter().find(|life| life.case == answer.case) {
            ways.entry((&life.customer, &answer.proof))
                .or_default()
                .push((life, answer));
        }
    }
    for ((customer, proof), mut answers) in ways {
        answers.sort_by_key(|(_, answer)| answer.at);
        let mut wrong: Vec<i64> = Vec::new();
        let mut closed_until = 0;
        for (place, (life, answer)) in answers.iter().enumerate() {
            let (sent, heard) = answer.at;
            let overlaps = answers
                .iter()
                .enumerate()
                .any(|(other, (_, one))| other != place && one.at.0 <= heard && one.at.1 >= sent);
            let held = life
                .procedure
                .proofs
                .iter()
                .find(|one| one.name == proof)
                .and_then(|one| life.procedure.holdings.get(one.shows.index()))
                .and_then(|holding| {
                    customers.holding(life.procedure, customer, &holding.name, answer.sent)
                });
            match answer.heard {
                Heard::Right => {
                    // A clock set back makes a day a little longer and never shorter.
                    found.unless(heard >= closed_until - CODE_MS, 3, || {
                        format!(
                            "{}: `{proof}` of {customer} counted at {heard}, closed until {closed_until}",
                            answer.case
                        )
                    });
                }
                Heard::NotRight if !overlaps && held.is_some() && heard >= closed_until => {
                    wrong.retain(|at| sent - at < CLOSED_MS - CODE_MS);
                    wrong.push(heard);
                    if wrong.len() >= WRONG_MAX {
                        closed_until = heard + CLOSED_MS - CODE_MS;
                        wrong.clear();
                    }
                }
                _ => {}
            }
        }
    }
}
