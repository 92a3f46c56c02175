//! What is asked for: the digest it is bound to, and the sentence people sign.

use std::collections::BTreeMap;

use countersign_language::{Action, Method, Procedure, SentencePart, Set};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::{CustomerId, Digest, Moment, Refusal};

/// The exact bytes whose SHA-256 is the [`digest`]: RFC 8785 canonical JSON of
///
/// ```json
/// {"action": "server.reinstall", "customer": "c-1", "nonce": "00…ff", "parameters": {"image": "debian-13"}, "procedure": "9f…"}
/// ```
///
/// `nonce` is 32 and `procedure` 64 lower-case hexadecimal digits. There are no other members.
pub fn canonical_request(
    action: &str,
    customer: &CustomerId,
    nonce: &str,
    parameters: &BTreeMap<String, String>,
    procedure: &str,
) -> Vec<u8> {
    let request: Value = json!({
        "action": action,
        "customer": customer.0,
        "nonce": nonce,
        "parameters": parameters,
        "procedure": procedure,
    });
    #[expect(
        clippy::expect_used,
        reason = "canonical JSON fails on numbers that are not finite, and there are no numbers here"
    )]
    serde_json_canonicalizer::to_vec(&request).expect("strings have a canonical form")
}

/// What a case is bound to: SHA-256 of [`canonical_request`].
pub fn digest(
    action: &str,
    customer: &CustomerId,
    nonce: &str,
    parameters: &BTreeMap<String, String>,
    procedure: &str,
) -> Digest {
    let bytes = canonical_request(action, customer, nonce, parameters, procedure);
    Digest(Sha256::digest(bytes).into())
}

/// A piece of the sentence people sign, so that a page can set values apart from the procedure's own words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'a> {
    /// The procedure's words.
    Words(&'a str),
    /// What the opener typed.
    Value(&'a str),
}

/// The pieces of the sentence, in order. A parameter that is missing gives an empty value.
pub fn sentence_pieces<'a>(
    action: &'a Action,
    parameters: &'a BTreeMap<String, String>,
) -> Vec<Piece<'a>> {
    if action.says.is_empty() {
        return vec![Piece::Words(&action.label)];
    }
    action
        .says
        .iter()
        .map(|part| match part {
            SentencePart::Text(words) => Piece::Words(words),
            SentencePart::Parameter(index) => Piece::Value(
                usize::try_from(*index)
                    .ok()
                    .and_then(|index| action.parameters.get(index))
                    .and_then(|parameter| parameters.get(&parameter.name))
                    .map_or("", String::as_str),
            ),
        })
        .collect()
}

/// The sentence people see and sign, character for character.
pub fn sentence(action: &Action, parameters: &BTreeMap<String, String>) -> String {
    sentence_pieces(action, parameters)
        .into_iter()
        .map(|piece| match piece {
            Piece::Words(text) | Piece::Value(text) => text,
        })
        .collect()
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}

/// `gives` with `runs gate` takes nothing away: a PIN or app of a customer who has one is changed, not given. Passkeys are
/// many.
pub(crate) fn not_held_yet(
    procedure: &Procedure,
    action: &Action,
    moment: &Moment<'_>,
) -> Result<(), Refusal> {
    let Some(first) = procedure
        .set_at_gate(action)
        .filter(|set| set.set == Set::Adds && set.method != Method::Passkey)
    else {
        return Ok(());
    };
    let mut held = moment.facts.holdings.iter();
    if held.any(|held| held.holding == first.holding) {
        let holding = procedure.holdings.get(first.holding.index());
        return Err(Refusal::AlreadyHeld {
            holding: holding.map_or_else(String::new, |holding| holding.label.clone()),
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_covers_exactly_these_members_in_canonical_order() {
        let parameters = BTreeMap::from([("image".to_owned(), "debian \"13\"\u{7f}é".to_owned())]);
        let bytes = canonical_request(
            "server.reinstall",
            &CustomerId("c-1".into()),
            "00ff",
            &parameters,
            "9f",
        );
        assert_eq!(
            String::from_utf8(bytes).unwrap(),
            "{\"action\":\"server.reinstall\",\"customer\":\"c-1\",\"nonce\":\"00ff\",\"parameters\":{\"image\":\"debian \\\"13\\\"\u{7f}é\"},\"procedure\":\"9f\"}"
        );
    }

    #[test]
    fn any_member_that_changes_changes_the_digest() {
        let none = BTreeMap::new();
        let one = BTreeMap::from([("a".to_owned(), "b".to_owned())]);
        let customer = |name: &str| CustomerId(name.into());
        let all = [
            digest("a", &customer("c"), "00", &none, "11"),
            digest("b", &customer("c"), "00", &none, "11"),
            digest("a", &customer("d"), "00", &none, "11"),
            digest("a", &customer("c"), "01", &none, "11"),
            digest("a", &customer("c"), "00", &one, "11"),
            digest("a", &customer("c"), "00", &none, "12"),
        ];
        let distinct: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(distinct.len(), all.len());
    }
}
