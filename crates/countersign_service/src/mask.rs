//! What may be shown of an address, a number or a sentence to somebody who has proved nothing.

use countersign_language::{Action, EffectKind, HoldingKind, Procedure, SentencePart};

/// `o••@h••.example` for an email address, the last two digits for a number, first letter otherwise.
pub fn mask_address(address: &str) -> String {
    if let Some((local, domain)) = address.rsplit_once('@') {
        let (name, tld) = domain
            .rsplit_once('.')
            .map_or((domain, ""), |(name, tld)| (name, tld));
        let dot = if tld.is_empty() { "" } else { "." };
        return format!("{}••@{}••{dot}{tld}", first(local), first(name));
    }
    let digits: Vec<char> = address.chars().filter(char::is_ascii_digit).collect();
    if digits.len() >= 5 {
        let tail: String = digits.iter().rev().take(2).rev().collect();
        return format!("•••• {tail}");
    }
    mask_word(address)
}

/// First letter and dots.
pub(crate) fn mask_word(word: &str) -> String {
    format!("{}•••", first(word))
}

fn first(text: &str) -> String {
    text.chars().next().map(String::from).unwrap_or_default()
}

/// A piece of the sentence, so that pages can set parameter values apart.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct SentencePiece {
    /// The words; all pieces together are the sentence, character for character.
    pub text: String,
    /// True for the value of a parameter.
    pub parameter: bool,
}

/// How much of the parameters a reader may see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Showing {
    /// All: these are the words that are hashed and signed.
    Everything,
    /// Identifiers shortened: the customer's page before the first proof.
    Masked,
    /// Nothing of a parameter that is, or will be, a contact: letters and stop pages, which an old or a new contact may read.
    Withheld,
}

/// The sentence of an action with these values.
pub(crate) fn sentence(
    procedure: &Procedure,
    action: &Action,
    value: impl Fn(&str) -> Option<String>,
    contacts: &[String],
    showing: Showing,
) -> Vec<SentencePiece> {
    let changes_channel = action.effects.iter().any(|effect| match effect.kind {
        EffectKind::Changes(holding) | EffectKind::Gives(holding) => procedure
            .holdings
            .get(holding.index())
            .is_some_and(|holding| holding.kind == HoldingKind::Channel),
        EffectKind::Sends { .. } | EffectKind::Loses(_) => false,
    });
    if action.says.is_empty() {
        return vec![SentencePiece {
            text: action.label.clone(),
            parameter: false,
        }];
    }
    action
        .says
        .iter()
        .filter_map(|piece| match piece {
            SentencePart::Text(text) => Some(SentencePiece {
                text: text.clone(),
                parameter: false,
            }),
            SentencePart::Parameter(index) => {
                let parameter = action.parameters.get(*index as usize)?;
                let full = value(&parameter.name).unwrap_or_default();
                let names_contact = full.contains('@')
                    || contacts
                        .iter()
                        .any(|contact| full.contains(contact.as_str()));
                let text = match showing {
                    Showing::Masked if names_contact || changes_channel => mask_address(&full),
                    Showing::Withheld if names_contact || changes_channel => {
                        format!("({}, not shown here)", parameter.label)
                    }
                    Showing::Everything | Showing::Masked | Showing::Withheld => full,
                };
                Some(SentencePiece {
                    text,
                    parameter: true,
                })
            }
        })
        .collect()
}

/// The pieces as one text.
pub(crate) fn joined(pieces: &[SentencePiece]) -> String {
    pieces.iter().map(|piece| piece.text.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_keep_a_shape_and_nothing_else() {
        assert_eq!(
            mask_address("ops@halden-freight.example"),
            "o••@h••.example"
        );
        assert_eq!(mask_address("+46 70 123 45 67"), "•••• 67");
        assert_eq!(mask_address("x"), "x•••");
        assert_eq!(mask_address("@"), "••@••");
        assert_eq!(mask_address(""), "•••");
    }
}
