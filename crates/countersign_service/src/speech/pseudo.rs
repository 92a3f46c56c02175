//! Made-up languages from English, for samples and tests: what stays plain English on a page of theirs was never translated.

use std::borrow::Cow;

/// Every letter with an accent, vowels twice: about 40 % longer, as German is.
pub(super) fn accented(text: &str) -> Cow<'_, str> {
    let mut changed = String::with_capacity(text.len() * 3);
    for c in text.chars() {
        let Some(accent) = accent(c) else {
            changed.push(c);
            continue;
        };
        changed.push(accent);
        if "aeiou".contains(c) {
            changed.push(accent);
        }
    }
    Cow::Owned(changed)
}

/// Every word forced from right to left, with the marks that Android's `ar-XB` uses.
pub(super) fn mirrored(text: &str) -> Cow<'_, str> {
    let words: Vec<String> = text
        .split(' ')
        .map(|word| {
            if word.chars().any(char::is_alphabetic) {
                format!("\u{200f}\u{202e}{word}\u{202c}\u{200f}")
            } else {
                word.to_owned()
            }
        })
        .collect();
    Cow::Owned(words.join(" "))
}

fn accent(c: char) -> Option<char> {
    const PLAIN: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    const ACCENTED: &str = "áƀçďéƒĝĥíĵķļɱñóƥɋŕšţúṽŵẋýžÁƁÇĎÉƑĜĤÍĴĶĻṀÑÓƤɊŔŠŢÚṼŴẊÝŽ";
    let at = PLAIN.chars().position(|plain| plain == c)?;
    ACCENTED.chars().nth(at)
}
