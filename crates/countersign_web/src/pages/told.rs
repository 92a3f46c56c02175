//! How a customer's page speaks: a message of the customer's language with moments, names and links in its places.
//!
//! In a template: `{{ frame.say("frame-stop") }}`, and
//! `{{ frame.tell("frame-works-until").with("until", until) }}`. A link or bold
//! words inside a sentence are two places, `{ $link }` and `{ $end }`.

use std::fmt;

use askama::filters::HtmlSafe;
use countersign_service::Language;
use countersign_service::speech::{Arg, Key, Piece};

use super::frame::CustomerFrame;
use super::parts::When;
use crate::words::{Machine, Typed, Words};

/// A message with what stands in its places. Displays as HTML, everything escaped that is not HTML already.
#[derive(Debug, Clone)]
pub struct Told {
    language: Language,
    key: Key,
    shown: Vec<(&'static str, Shown)>,
}

/// What stands in a place of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shown {
    /// Text, to be escaped.
    Text(String),
    /// HTML, finished.
    Html(String),
    /// A number the message may choose by.
    Number(u64),
    /// A word the message chooses by and does not show.
    Choice(&'static str),
}

/// What can stand in a place of a message.
pub trait Show {
    /// As it is shown.
    fn shown(&self) -> Shown;
}

/// The beginning or end of an element inside a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag(String);

impl Tag {
    /// `<a href="…">`, to a path of the gate.
    pub fn link(href: &str) -> Self {
        let mut tag = String::from("<a href=\"");
        escape(href, &mut tag);
        tag.push_str("\">");
        Self(tag)
    }

    /// `</a>`
    pub fn link_end() -> Self {
        Self("</a>".to_owned())
    }

    /// `<b>`
    pub fn bold() -> Self {
        Self("<b>".to_owned())
    }

    /// `</b>`
    pub fn bold_end() -> Self {
        Self("</b>".to_owned())
    }
}

/// A word that a message chooses by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choice(pub &'static str);

/// The organisation's own words (a label, a sentence of its procedure) on a page that may speak another language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Own<'a> {
    text: &'a str,
    /// Their language, where it is not the page's.
    lang: Option<Language>,
}

impl Told {
    /// A message of this language.
    pub fn new(language: Language, key: impl Into<Key>) -> Self {
        Self {
            language,
            key: key.into(),
            shown: Vec::new(),
        }
    }

    /// With this in the place of that name.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Show) -> Self {
        self.shown.push((name, value.shown()));
        self
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let args: Vec<(&'static str, Arg<'_>)> = self
            .shown
            .iter()
            .map(|(name, shown)| {
                let arg = match shown {
                    Shown::Text(text) | Shown::Html(text) => Arg::Text(text),
                    Shown::Number(number) => Arg::Number(*number),
                    Shown::Choice(word) => Arg::Choice(word),
                };
                (*name, arg)
            })
            .collect();
        for piece in self.language.pieces(self.key, &args) {
            match piece {
                Piece::Words(words) => escape(&words, f),
                Piece::Slot(index) => match self.shown.get(index) {
                    Some((_, Shown::Text(text))) if self.language.isolates(text) => {
                        f.write_str("<bdi>")?;
                        escape(text, f);
                        f.write_str("</bdi>")?;
                    }
                    Some((_, Shown::Text(text))) => escape(text, f),
                    Some((_, Shown::Html(html))) => f.write_str(html)?,
                    _ => {}
                },
            }
        }
        Ok(())
    }
}

impl HtmlSafe for Told {}

impl CustomerFrame {
    /// A message without places, as text.
    pub fn say(&self, key: impl Into<Key>) -> String {
        self.language.say(key)
    }

    /// A message with places.
    pub fn tell(&self, key: impl Into<Key>) -> Told {
        Told::new(self.language, key)
    }

    /// What the browser's tab says: the heading, and first that something is wrong.
    pub(super) fn title(&self, heading: impl AsRef<str>, wrong: bool) -> String {
        let heading = heading.as_ref();
        if wrong {
            self.language
                .tell("frame-error", &[("heading", Arg::Text(heading))])
        } else {
            heading.to_owned()
        }
    }

    /// A label or sentence of the procedure: marked with its language where the page speaks another.
    pub fn own<'a>(&self, text: &'a str) -> Own<'a> {
        Own {
            text,
            lang: (self.own_language != self.language).then_some(self.own_language),
        }
    }

    /// ` lang="…" dir="…"` for an element that holds the organisation's own words; nothing where the page speaks their language.
    pub fn own_attributes(&self) -> String {
        if self.own_language == self.language {
            return String::new();
        }
        format!(
            " lang={} dir={}",
            self.own_language,
            self.own_language.direction()
        )
    }
}

impl fmt::Display for Own<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.lang {
            Some(lang) => write!(f, "<span lang=\"{lang}\" dir=\"{}\">", lang.direction())?,
            None => f.write_str("<bdi>")?,
        }
        escape(self.text, f);
        f.write_str(if self.lang.is_some() {
            "</span>"
        } else {
            "</bdi>"
        })
    }
}

impl HtmlSafe for Own<'_> {}

impl<T: Show + ?Sized> Show for &T {
    fn shown(&self) -> Shown {
        (**self).shown()
    }
}

impl Show for str {
    fn shown(&self) -> Shown {
        Shown::Text(self.to_owned())
    }
}

impl Show for String {
    fn shown(&self) -> Shown {
        Shown::Text(self.clone())
    }
}

impl Show for u64 {
    fn shown(&self) -> Shown {
        Shown::Number(*self)
    }
}

impl Show for u32 {
    fn shown(&self) -> Shown {
        Shown::Number(u64::from(*self))
    }
}

impl Show for Choice {
    fn shown(&self) -> Shown {
        Shown::Choice(self.0)
    }
}

impl Show for Tag {
    fn shown(&self) -> Shown {
        Shown::Html(self.0.clone())
    }
}

impl Show for When {
    fn shown(&self) -> Shown {
        Shown::Html(self.to_string())
    }
}

impl Show for Told {
    fn shown(&self) -> Shown {
        Shown::Html(self.to_string())
    }
}

impl Show for Own<'_> {
    fn shown(&self) -> Shown {
        Shown::Html(self.to_string())
    }
}

impl Show for Typed<'_> {
    fn shown(&self) -> Shown {
        Shown::Html(self.to_string())
    }
}

impl Show for Machine<'_> {
    fn shown(&self) -> Shown {
        Shown::Html(self.to_string())
    }
}

impl Show for Words {
    fn shown(&self) -> Shown {
        Shown::Html(self.to_string())
    }
}

/// HTML escaping; writing to these cannot fail but for the reader's own reasons, which the next write reports.
fn escape(text: &str, to: &mut impl fmt::Write) {
    for c in text.chars() {
        let _ = match c {
            '&' => to.write_str("&amp;"),
            '<' => to.write_str("&lt;"),
            '>' => to.write_str("&gt;"),
            '"' => to.write_str("&quot;"),
            '\'' => to.write_str("&#39;"),
            c => to.write_char(c),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_a_place_cannot_become_html() {
        let told = Told::new(Language::English, "frame-support")
            .with("organisation", "<b onclick='x'>&\u{e000}");
        assert_eq!(
            told.to_string(),
            "&lt;b onclick=&#39;x&#39;&gt;&amp;\u{e000} support"
        );
        assert_eq!(
            Tag::link("/c\"><script>").0,
            "<a href=\"/c&quot;&gt;&lt;script&gt;\">"
        );
        let arabic = Told::new(Language::English, "frame-support").with("organisation", "سلام");
        assert_eq!(arabic.to_string(), "<bdi>سلام</bdi> support");
    }
}
