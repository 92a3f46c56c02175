//! How a customer's page speaks: a message of the customer's language with moments, names and links in its places.
//!
//! In a template: `{{ frame.say("frame-stop") }}`, and
//! `{{ frame.tell("frame-works-until").with("until", until) }}`. A link or bold
//! words inside a sentence are two places, `{ $link }` and `{ $end }`.

use std::fmt;

use askama::Template;
use askama::filters::HtmlSafe;
use countersign_service::Language;
use countersign_service::speech::{Arg, Key, Piece};

use super::frame::CustomerFrame;
use super::icon::Icon;
use super::parts::{Errors, When};
use crate::words::{Machine, Typed, Words};

/// A message with what stands in its places. Displays as HTML, everything escaped that is not HTML already.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    /// HTML, finished; and the same as text.
    Html {
        /// Finished.
        html: String,
        /// What it says.
        text: String,
    },
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
pub struct Tag {
    html: String,
    text: &'static str,
}

impl Tag {
    /// `<a href="…">`, to a path of the gate.
    pub fn link(href: &str) -> Self {
        let mut tag = String::from("<a href=\"");
        escape(href, &mut tag);
        tag.push_str("\">");
        Self::new(tag)
    }

    /// `</a>`
    pub fn link_end() -> Self {
        Self::new("</a>")
    }

    /// `<b>`
    pub fn bold() -> Self {
        Self::new("<b>")
    }

    /// `</b>`
    pub fn bold_end() -> Self {
        Self::new("</b>")
    }

    /// `<code>…</code>`, for what one types into a terminal.
    pub fn code(text: &'static str) -> Self {
        let mut tag = String::from("<code>");
        escape(text, &mut tag);
        tag.push_str("</code>");
        Self { html: tag, text }
    }

    fn new(html: impl Into<String>) -> Self {
        Self {
            html: html.into(),
            text: "",
        }
    }
}

/// A word that a message chooses by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choice(pub &'static str);

/// The organisation's own words (a label, a sentence of its procedure) on a page that may speak another language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Own {
    text: String,
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

    /// As text: for the browser's tab, and for what is read aloud.
    pub fn plain(&self) -> String {
        let args = self.args();
        self.language
            .pieces(self.key, &args)
            .into_iter()
            .map(|piece| match piece {
                Piece::Words(words) => words,
                Piece::Slot(index) => match self.shown.get(index) {
                    Some((_, Shown::Text(text) | Shown::Html { text, .. })) => text.clone(),
                    _ => String::new(),
                },
            })
            .collect()
    }

    fn args(&self) -> Vec<(&'static str, Arg<'_>)> {
        self.shown
            .iter()
            .map(|(name, shown)| {
                let arg = match shown {
                    Shown::Text(text) | Shown::Html { text, .. } => Arg::Text(text),
                    Shown::Number(number) => Arg::Number(*number),
                    Shown::Choice(word) => Arg::Choice(word),
                };
                (*name, arg)
            })
            .collect()
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for piece in self.language.pieces(self.key, &self.args()) {
            match piece {
                Piece::Words(words) => escape(&words, f),
                Piece::Slot(index) => match self.shown.get(index) {
                    Some((_, Shown::Text(text))) if self.language.isolates(text) => {
                        f.write_str("<bdi>")?;
                        escape(text, f);
                        f.write_str("</bdi>")?;
                    }
                    Some((_, Shown::Text(text))) => escape(text, f),
                    Some((_, Shown::Html { html, .. })) => f.write_str(html)?,
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
    pub fn own(&self, text: impl AsRef<str>) -> Own {
        Own::new(text, self.language, self.own_language)
    }

    /// ` lang="…" dir="…"` for an element that holds the organisation's own words; nothing where the page speaks their language.
    pub fn own_attributes(&self) -> String {
        own_attributes(self.language, self.own_language)
    }

    /// The words, and what follows from them.
    pub(super) fn sentence<'a>(
        &'a self,
        words: &'a Words,
        consequence: Option<&'a Told>,
    ) -> OwnSentence<'a> {
        OwnSentence {
            frame: self,
            words,
            consequence,
        }
    }

    /// What was wrong with a form.
    pub(super) fn mistakes<'a>(&'a self, errors: &'a Errors) -> Mistakes<'a> {
        Mistakes {
            frame: self,
            errors,
        }
    }

    /// What the customer will need: labels of ways.
    pub(super) fn needed(&self, labels: &[String]) -> Told {
        match labels {
            [] => self.tell("start-need-nothing"),
            [one] => self.tell("start-need-one").with("labels", self.own(one)),
            some => self
                .tell("start-need-some")
                .with("labels", self.own(some.join(", "))),
        }
    }

    /// A telephone number that can be pressed.
    pub(super) fn dial_link(&self, phone: &str) -> Shown {
        let mut html = format!("<a class=\"m\" dir=\"ltr\" href=\"tel:{}\">", self.dial());
        escape(phone, &mut html);
        html.push_str("</a>");
        Shown::Html {
            html,
            text: phone.to_owned(),
        }
    }
}

/// ` lang="…" dir="…"` for the organisation's own words among words of this language; nothing where they are in it.
pub(super) fn own_attributes(language: Language, own: Language) -> String {
    if own == language {
        return String::new();
    }
    format!(" lang=\"{own}\" dir=\"{}\"", own.direction())
}

impl Own {
    /// These words, on a page of this language.
    pub(super) fn new(text: impl AsRef<str>, page: Language, own: Language) -> Self {
        Self {
            text: text.as_ref().to_owned(),
            lang: (own != page).then_some(own),
        }
    }
}

#[derive(Template)]
#[template(path = "parts/own-sentence.html")]
pub(super) struct OwnSentence<'a> {
    frame: &'a CustomerFrame,
    words: &'a Words,
    consequence: Option<&'a Told>,
}

impl HtmlSafe for OwnSentence<'_> {}

#[derive(Template)]
#[template(path = "parts/mistakes.html")]
pub(super) struct Mistakes<'a> {
    frame: &'a CustomerFrame,
    errors: &'a Errors,
}

impl HtmlSafe for Mistakes<'_> {}

impl fmt::Display for Own {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.lang {
            Some(lang) => write!(f, "<span lang=\"{lang}\" dir=\"{}\">", lang.direction())?,
            None => f.write_str("<bdi>")?,
        }
        escape(&self.text, f);
        f.write_str(if self.lang.is_some() {
            "</span>"
        } else {
            "</bdi>"
        })
    }
}

impl HtmlSafe for Own {}

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

impl Show for Shown {
    fn shown(&self) -> Shown {
        self.clone()
    }
}

impl Show for Tag {
    fn shown(&self) -> Shown {
        html(&self.html, self.text)
    }
}

impl Show for When {
    fn shown(&self) -> Shown {
        html(self, &self.shown)
    }
}

impl Show for Told {
    fn shown(&self) -> Shown {
        html(self, &self.plain())
    }
}

impl Show for Own {
    fn shown(&self) -> Shown {
        html(self, &self.text)
    }
}

impl Show for Typed<'_> {
    fn shown(&self) -> Shown {
        html(self, self.0)
    }
}

impl Show for Machine<'_> {
    fn shown(&self) -> Shown {
        html(self, self.0)
    }
}

fn html(shown: impl fmt::Display, text: &str) -> Shown {
    Shown::Html {
        html: shown.to_string(),
        text: text.to_owned(),
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
            Tag::link("/c\"><script>").html,
            "<a href=\"/c&quot;&gt;&lt;script&gt;\">"
        );
        let arabic = Told::new(Language::English, "frame-support").with("organisation", "سلام");
        assert_eq!(arabic.to_string(), "<bdi>سلام</bdi> support");
    }
}
