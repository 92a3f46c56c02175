//! Bearer tokens and speakable ids.
//!
//! A bearer token is 256 random bits; only its SHA-256 is ever stored, which
//! for 256 random bits needs neither salt nor stretching. The prefix lets
//! people and secret scanners recognise a leaked one.

use std::fmt;

use aws_lc_rs::{constant_time, digest};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use super::dice::{Dice, random_bytes, uniform_below};

/// What a token opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenKind {
    /// The customer's link to one case.
    Link,
    /// A contact's link to stop one case.
    Stop,
    /// A session cookie.
    Session,
    /// The session cookie of the panel beside a ticket.
    Panel,
    /// A program's key to the API.
    Machine,
    /// An invitation to register a passkey.
    Invitation,
    /// `state` of a sign-in at an OpenID provider, and the cookie of the browser that began it.
    Login,
    /// A link in a letter to a subscriber of the status page: to confirm, or to leave.
    Subscription,
}

impl TokenKind {
    /// How its tokens begin.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Link => "cs_link_",
            Self::Stop => "cs_stop_",
            Self::Session => "cs_sess_",
            Self::Panel => "cs_panel_",
            Self::Machine => "cs_machine_",
            Self::Invitation => "cs_invite_",
            Self::Login => "cs_login_",
            Self::Subscription => "cs_status_",
        }
    }
}

/// A bearer token in the clear: shown once, never stored, never logged.
#[derive(Clone)]
pub struct Token {
    text: String,
}

impl Token {
    /// A new token of this kind.
    pub fn generate(kind: TokenKind, dice: &dyn Dice) -> Self {
        Self {
            text: format!(
                "{}{}",
                kind.prefix(),
                URL_SAFE_NO_PAD.encode(random_bytes::<32>(dice))
            ),
        }
    }

    /// A token of this kind that can be made again from the key its bytes were derived with. Only where it must be the
    /// same each time.
    pub fn derived(kind: TokenKind, bytes: [u8; 32]) -> Self {
        Self {
            text: format!("{}{}", kind.prefix(), URL_SAFE_NO_PAD.encode(bytes)),
        }
    }

    /// The token itself, for the one place that hands it out.
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// What is stored.
    pub fn hash(&self) -> TokenHash {
        TokenHash::of_text(&self.text)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// SHA-256 of a token: the key under which it is looked up. Displays and serialises as base64url without padding.
#[derive(Clone, Copy)]
pub struct TokenHash([u8; 32]);

impl TokenHash {
    /// Hash of what somebody presented as a token of this kind; `None` if it is not even of the form of one.
    pub fn of(kind: TokenKind, presented: &str) -> Option<Self> {
        let random = URL_SAFE_NO_PAD
            .decode(presented.strip_prefix(kind.prefix())?)
            .ok()?;
        (random.len() == 32).then(|| Self::of_text(presented))
    }

    fn of_text(text: &str) -> Self {
        let mut hash = [0; 32];
        hash.iter_mut()
            .zip(digest::digest(&digest::SHA256, text.as_bytes()).as_ref())
            .for_each(|(to, from)| *to = *from);
        Self(hash)
    }
}

impl PartialEq for TokenHash {
    /// In constant time.
    fn eq(&self, other: &Self) -> bool {
        constant_time::verify_slices_are_equal(&self.0, &other.0).is_ok()
    }
}

impl Eq for TokenHash {}

impl fmt::Display for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenHash({self})")
    }
}

impl Serialize for TokenHash {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TokenHash {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = URL_SAFE_NO_PAD
            .decode(text)
            .ok()
            .and_then(|bytes| bytes.try_into().ok());
        bytes
            .map(Self)
            .ok_or_else(|| serde::de::Error::custom("a token hash is 32 bytes in base64url"))
    }
}

/// Crockford's base 32: digits and letters without I, L, O and U.
const SYMBOLS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Symbols in a speakable id: 30 bits before words are thrown away, about 28 after. Ids are not secrets; the store refuses a second use.
const SPEAKABLE_LENGTH: usize = 6;

/// A new id people can say over the telephone: `CS-7F3K9Q` for prefix `CS`.
///
/// Never three letters in a row, so that chance spells no words.
pub fn speakable_id(prefix: &str, dice: &dyn Dice) -> String {
    loop {
        let symbols: String = (0..SPEAKABLE_LENGTH)
            .filter_map(|_| {
                SYMBOLS.get(usize::try_from(uniform_below(dice, 32)).unwrap_or_default())
            })
            .map(|symbol| char::from(*symbol))
            .collect();
        if !spells_a_word(&symbols) {
            return format!("{prefix}-{symbols}");
        }
    }
}

/// The canonical form of an id as somebody typed or heard it: any case, with or without prefix, dash and spaces,
/// `o` for zero, `i` or `l` for one. `None` if it cannot be one.
pub fn parse_speakable_id(prefix: &str, typed: &str) -> Option<String> {
    let symbols: String = typed
        .chars()
        .filter(|c| !c.is_whitespace() && *c != '-')
        .take(64)
        .map(|c| c.to_ascii_uppercase())
        .collect();
    let prefixless = (symbols.len() > SPEAKABLE_LENGTH)
        .then(|| symbols.strip_prefix(&prefix.to_ascii_uppercase()))
        .flatten();
    let symbols: String = prefixless
        .unwrap_or(&symbols)
        .chars()
        .map(|c| match c {
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        })
        .collect();
    let well_formed =
        symbols.len() == SPEAKABLE_LENGTH && symbols.bytes().all(|byte| SYMBOLS.contains(&byte));
    well_formed.then(|| format!("{prefix}-{symbols}"))
}

fn spells_a_word(symbols: &str) -> bool {
    symbols
        .as_bytes()
        .windows(3)
        .any(|three| three.iter().all(u8::is_ascii_alphabetic))
}

#[cfg(test)]
#[expect(clippy::string_slice, reason = "the texts cut here are ASCII")]
mod tests {
    use super::*;
    use crate::adapters::dice::{SeededDice, SystemDice};

    #[test]
    fn a_token_is_found_again_by_its_hash_and_only_as_its_kind() {
        let token = Token::generate(TokenKind::Stop, &SystemDice);
        assert!(token.expose().starts_with("cs_stop_"));
        assert_eq!(
            TokenHash::of(TokenKind::Stop, token.expose()),
            Some(token.hash())
        );
        assert_eq!(TokenHash::of(TokenKind::Link, token.expose()), None);
        let other = Token::generate(TokenKind::Stop, &SystemDice);
        assert_ne!(
            TokenHash::of(TokenKind::Stop, other.expose()),
            Some(token.hash())
        );
    }

    #[test]
    fn malformed_tokens_have_no_hash() {
        let token = Token::generate(TokenKind::Session, &SeededDice::new(3));
        let text = token.expose();
        let longer = format!("{text}A");
        let padded = format!("{text}=");
        for wrong in [
            "",
            "cs_sess_",
            text.trim_end_matches(|_| true),
            &text[..text.len() - 1],
            &longer,
            &padded,
            &text.to_uppercase(),
        ] {
            assert_eq!(TokenHash::of(TokenKind::Session, wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_token_is_not_in_its_debug_text() {
        let token = Token::generate(TokenKind::Machine, &SystemDice);
        assert!(!format!("{token:?}").contains(&token.expose()[11..]));
    }

    #[test]
    fn a_token_hash_survives_json() {
        let hash = Token::generate(TokenKind::Link, &SystemDice).hash();
        let json = serde_json::to_string(&hash).unwrap();
        assert_eq!(serde_json::from_str::<TokenHash>(&json).unwrap(), hash);
        assert!(serde_json::from_str::<TokenHash>("\"AAAA\"").is_err());
    }

    #[test]
    fn speakable_ids_are_canonical_and_spell_nothing() {
        let dice = SeededDice::new(11);
        for _ in 0..1_000 {
            let id = speakable_id("CS", &dice);
            assert_eq!(parse_speakable_id("CS", &id).as_deref(), Some(id.as_str()));
            assert!(!spells_a_word(&id[3..]), "{id}");
            assert!(!id[3..].contains(['I', 'L', 'O', 'U']), "{id}");
        }
    }

    #[test]
    fn typed_ids_are_understood() {
        for typed in [
            "CS-7F3K9Q",
            "cs-7f3k9q",
            "7F3K9Q",
            " cs 7f3 k9q ",
            "CS7F3K9Q",
        ] {
            assert_eq!(
                parse_speakable_id("CS", typed).as_deref(),
                Some("CS-7F3K9Q"),
                "{typed}"
            );
        }
        assert_eq!(
            parse_speakable_id("CS", "cs-1o0lI2").as_deref(),
            Some("CS-100112")
        );
        // Six symbols that happen to begin like the prefix are an id without prefix.
        assert_eq!(
            parse_speakable_id("CS", "CS12AB").as_deref(),
            Some("CS-CS12AB")
        );
        for wrong in [
            "",
            "CS-",
            "CS-7F3K9",
            "CS-7F3K9QQ",
            "CS-7F3K9U",
            "XX-7F3K9Q",
            "CS-7F3Kä9",
        ] {
            assert_eq!(parse_speakable_id("CS", wrong), None, "{wrong}");
        }
    }
}
