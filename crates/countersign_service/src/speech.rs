//! What customers read, in their language: the messages of `locales/*.ftl` (Project Fluent), compiled in.
//!
//! A [`Key`] names a message; tests show that every key in code and templates
//! is in every file, with the same variables, and that no file holds one
//! nobody says. Staff read English, and none of it comes from here.
//!
//! The sentence of an action is not translated: what is signed is what is
//! read. It goes into a message as an argument, untouched, or beside one.

mod choice;
mod dates;
mod pseudo;

use std::fmt;
use std::sync::LazyLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use unic_langid::LanguageIdentifier;

pub use dates::{MomentStyle, minutes_of};

/// A language the gate speaks to customers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Language {
    /// `en`
    #[default]
    English,
    /// `de`
    German,
    /// `es`
    Spanish,
    /// `fr`
    French,
    /// `en-XA`: English with accents and 40 % longer, for samples and tests; nobody is offered it.
    Accented,
    /// `ar-XB`: English written from right to left, for samples and tests; nobody is offered it.
    Mirrored,
}

/// The name of a message: lower-case letters, digits and hyphens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key(pub &'static str);

/// What stands for a variable of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arg<'a> {
    /// Words from elsewhere: a name, an address, a moment. Never looked at by the message.
    Text(&'a str),
    /// A number: grouped as the language does, and chooses the plural.
    Number(u64),
    /// A word the message chooses by, such as `pin`; never shown.
    Choice(&'static str),
}

/// A part of a message whose variables are filled in by whoever asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// The message's own words.
    Words(String),
    /// Here stands the argument of this index; an [`Arg::Text`].
    Slot(usize),
}

impl Language {
    /// The languages customers choose from, in the order shown.
    pub const OFFERED: [Self; 4] = [Self::English, Self::German, Self::Spanish, Self::French];

    /// The BCP 47 tag, for `lang` and for records.
    pub fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
            Self::Spanish => "es",
            Self::French => "fr",
            Self::Accented => "en-XA",
            Self::Mirrored => "ar-XB",
        }
    }

    /// Its name in itself, for the list customers choose from.
    pub fn name(self) -> &'static str {
        match self {
            Self::English | Self::Accented | Self::Mirrored => "English",
            Self::German => "Deutsch",
            Self::Spanish => "Español",
            Self::French => "Français",
        }
    }

    /// `ltr` or `rtl`, for `dir`.
    pub fn direction(self) -> &'static str {
        match self {
            Self::Mirrored => "rtl",
            _ => "ltr",
        }
    }

    /// The offered language of exactly this tag.
    pub fn of_tag(tag: &str) -> Option<Self> {
        Self::OFFERED.into_iter().find(|known| known.tag() == tag)
    }

    /// A message without variables.
    pub fn say(self, key: impl Into<Key>) -> String {
        self.tell(key, &[])
    }

    /// A message as plain text. What is put in is isolated where its direction could differ (UAX 9, 2.7), so that it
    /// cannot reorder the words around it.
    pub fn tell(self, key: impl Into<Key>, args: &[(&'static str, Arg<'_>)]) -> String {
        let mut text = String::new();
        for piece in self.pieces(key, args) {
            match piece {
                Piece::Words(words) => text.push_str(&words),
                Piece::Slot(index) => {
                    if let Some((_, Arg::Text(value))) = args.get(index) {
                        if self.isolates(value) {
                            text.extend(['\u{2068}']);
                            text.push_str(value);
                            text.extend(['\u{2069}']);
                        } else {
                            text.push_str(value);
                        }
                    }
                }
            }
        }
        text
    }

    /// A message in pieces, for whoever puts more than text in its places.
    pub fn pieces(self, key: impl Into<Key>, args: &[(&'static str, Arg<'_>)]) -> Vec<Piece> {
        let key = key.into();
        let text = self.formatted(key, args).unwrap_or_else(|| {
            tracing::error!(key = key.0, language = self.tag(), "a message is missing");
            debug_assert!(false, "no message `{}` in `{}`", key.0, self.tag());
            Self::English
                .formatted(key, args)
                .unwrap_or_else(|| key.0.to_owned())
        });
        in_pieces(&text)
    }

    /// True if a value put among words of this language has to be kept apart.
    pub fn isolates(self, value: &str) -> bool {
        self.direction() == "rtl" || value.chars().any(is_right_to_left)
    }

    fn formatted(self, key: Key, args: &[(&'static str, Arg<'_>)]) -> Option<String> {
        let bundle = &self.speech().0;
        let pattern = bundle.get_message(key.0)?.value()?;
        let mut values = FluentArgs::with_capacity(args.len());
        for (index, (name, arg)) in args.iter().enumerate() {
            let value = match arg {
                Arg::Text(_) => FluentValue::from(slot(index)),
                Arg::Number(number) => FluentValue::from(*number),
                Arg::Choice(word) => FluentValue::from(*word),
            };
            values.set(*name, value);
        }
        let mut errors = Vec::new();
        let text = bundle.format_pattern(pattern, Some(&values), &mut errors);
        if !errors.is_empty() {
            tracing::error!(
                key = key.0,
                language = self.tag(),
                ?errors,
                "a message is wrong"
            );
            debug_assert!(false, "`{}` in `{}`: {errors:?}", key.0, self.tag());
        }
        Some(text.into_owned())
    }

    fn speech(self) -> &'static Speech {
        static ENGLISH: LazyLock<Speech> = LazyLock::new(|| Speech::new(Language::English));
        static GERMAN: LazyLock<Speech> = LazyLock::new(|| Speech::new(Language::German));
        static SPANISH: LazyLock<Speech> = LazyLock::new(|| Speech::new(Language::Spanish));
        static FRENCH: LazyLock<Speech> = LazyLock::new(|| Speech::new(Language::French));
        static ACCENTED: LazyLock<Speech> = LazyLock::new(|| Speech::new(Language::Accented));
        static MIRRORED: LazyLock<Speech> = LazyLock::new(|| Speech::new(Language::Mirrored));
        match self {
            Self::English => &ENGLISH,
            Self::German => &GERMAN,
            Self::Spanish => &SPANISH,
            Self::French => &FRENCH,
            Self::Accented => &ACCENTED,
            Self::Mirrored => &MIRRORED,
        }
    }

    /// The file's text.
    fn source(self) -> &'static str {
        match self {
            Self::English | Self::Accented | Self::Mirrored => include_str!("../locales/en.ftl"),
            Self::German => include_str!("../locales/de.ftl"),
            Self::Spanish => include_str!("../locales/es.ftl"),
            Self::French => include_str!("../locales/fr.ftl"),
        }
    }

    /// Digits in groups of three: `1,204` · `1.204` · `1204`, `88 204` · `1 204`.
    fn grouped(self, number: u64) -> String {
        let (separator, from) = match self {
            Self::English | Self::Accented | Self::Mirrored => (',', 1_000),
            Self::German => ('.', 1_000),
            // Spanish leaves four digits together (Ortografía de la lengua española, 2010).
            Self::Spanish => ('\u{202f}', 10_000),
            Self::French => ('\u{202f}', 1_000),
        };
        let digits = number.to_string();
        if number < from {
            return digits;
        }
        let mut grouped = String::new();
        for (index, digit) in digits.chars().enumerate() {
            if index > 0 && (digits.len() - index).is_multiple_of(3) {
                grouped.push(separator);
            }
            grouped.push(digit);
        }
        grouped
    }
}

impl From<&'static str> for Key {
    fn from(key: &'static str) -> Self {
        Self(key)
    }
}

impl From<&Key> for Key {
    fn from(key: &Self) -> Self {
        *key
    }
}

// Templates hand over what they hold by reference, whatever it is.
impl From<&&Key> for Key {
    fn from(key: &&Self) -> Self {
        **key
    }
}

impl<'a> From<&'a str> for Arg<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.tag())
    }
}

impl Serialize for Language {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.tag())
    }
}

impl<'de> Deserialize<'de> for Language {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let tag = String::deserialize(deserializer)?;
        Self::of_tag(&tag).ok_or_else(|| {
            let known = Self::OFFERED.map(Self::tag).join("`, `");
            de::Error::custom(format!("unknown language `{tag}`; known are `{known}`"))
        })
    }
}

/// One language's messages, read once.
struct Speech(FluentBundle<FluentResource>);

impl Speech {
    fn new(language: Language) -> Self {
        // What does not parse is left out; a test shows that everything does.
        let resource = FluentResource::try_new(language.source().to_owned())
            .unwrap_or_else(|(resource, _)| resource);
        let identifier: LanguageIdentifier = language.tag().parse().unwrap_or_default();
        let mut bundle = FluentBundle::new_concurrent(vec![identifier]);
        // Whoever fills the places isolates: see `Language::tell`.
        bundle.set_use_isolating(false);
        bundle.set_formatter(Some(match language {
            Language::English | Language::Accented | Language::Mirrored => {
                |value, _| number(value, Language::English)
            }
            Language::German => |value, _| number(value, Language::German),
            Language::Spanish => |value, _| number(value, Language::Spanish),
            Language::French => |value, _| number(value, Language::French),
        }));
        bundle.set_transform(match language {
            Language::Accented => Some(pseudo::accented),
            Language::Mirrored => Some(pseudo::mirrored),
            _ => None,
        });
        bundle.add_resource_overriding(resource);
        Self(bundle)
    }
}

fn number(value: &FluentValue<'_>, language: Language) -> Option<String> {
    match value {
        FluentValue::Number(number) => {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "only ever made from an `Arg::Number`, and those are small"
            )]
            let number = number.value as u64;
            Some(language.grouped(number))
        }
        _ => None,
    }
}

/// The first of the characters that stand for arguments while a message is put together (a private use area).
const FIRST_SLOT: u32 = 0xE000;

/// How many there can be.
const SLOTS: u32 = 16;

fn slot(index: usize) -> String {
    u32::try_from(index)
        .ok()
        .filter(|index| *index < SLOTS)
        .and_then(|index| char::from_u32(FIRST_SLOT + index))
        .map(String::from)
        .unwrap_or_default()
}

fn in_pieces(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut words = String::new();
    for c in text.chars() {
        let index = u32::from(c).wrapping_sub(FIRST_SLOT);
        match usize::try_from(index) {
            Ok(slot) if index < SLOTS => {
                if !words.is_empty() {
                    pieces.push(Piece::Words(std::mem::take(&mut words)));
                }
                pieces.push(Piece::Slot(slot));
            }
            _ => words.push(c),
        }
    }
    if !words.is_empty() {
        pieces.push(Piece::Words(words));
    }
    pieces
}

/// Letters of scripts written from right to left, and the characters that force that direction.
fn is_right_to_left(c: char) -> bool {
    matches!(
        u32::from(c),
        0x0590..=0x08FF
            | 0x200F
            | 0x202B
            | 0x202E
            | 0x2067
            | 0xFB1D..=0xFDFF
            | 0xFE70..=0xFEFF
            | 0x1_0800..=0x1_0FFF
            | 0x1_E800..=0x1_EFFF
    )
}

#[cfg(test)]
mod tests;
