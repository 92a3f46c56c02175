//! JSON (RFC 8259) to values that know where they stand, so that a mistake in a twin can be shown.

use crate::codes;
use crate::findings::Findings;
use crate::lexer::span;
use crate::model::Span;

/// A JSON value and its place.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) value: Json,
    pub(super) span: Span,
}

#[derive(Debug)]
pub(super) enum Json {
    Null,
    Bool(bool),
    /// As written.
    Number(Box<str>),
    Text(Box<str>),
    List(Vec<Node>),
    /// In the order of the file, repeated keys included.
    Object(Vec<(Key, Node)>),
}

#[derive(Debug)]
pub(super) struct Key {
    pub(super) name: Box<str>,
    pub(super) span: Span,
}

impl Json {
    /// What it is, for messages.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "true or false",
            Self::Number(_) => "a number",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Object(_) => "an object",
        }
    }
}

/// Reads one JSON value that is the whole text. At the first mistake it is reported and nothing returned.
pub(super) fn parse(text: &str, findings: &mut Findings) -> Option<Node> {
    let mut reader = Reader {
        text,
        at: if text.starts_with('\u{feff}') { 3 } else { 0 },
    };
    let result = reader.value(0).and_then(|node| {
        reader.space();
        if reader.byte().is_some() {
            Err(reader.bad("expected the end of the file"))
        } else {
            Ok(node)
        }
    });
    match result {
        Ok(node) => Some(node),
        Err(Bad { place, message }) => {
            if let Some(finding) = findings.add(codes::BAD_JSON, place, || message.to_owned()) {
                finding
                    .help("the twin is JSON as in RFC 8259, as `countersign fmt --json` writes it");
            }
            None
        }
    }
}

/// Deeper than any twin whose parentheses are within the limit.
const DEEPEST: u32 = 256;

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

struct Bad {
    place: Span,
    message: &'static str,
}

impl Reader<'_> {
    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn bad(&self, message: &'static str) -> Bad {
        let width = self
            .text
            .get(self.at..)
            .and_then(|rest| rest.chars().next())
            .map_or(0, char::len_utf8);
        Bad {
            place: span(self.at, self.at + width),
            message,
        }
    }

    fn space(&mut self) {
        while matches!(self.byte(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn accept(&mut self, wanted: u8) -> bool {
        self.space();
        let there = self.byte() == Some(wanted);
        self.at += usize::from(there);
        there
    }

    fn value(&mut self, depth: u32) -> Result<Node, Bad> {
        self.space();
        let start = self.at;
        if depth > DEEPEST {
            return Err(self.bad("nested deeper than any procedure"));
        }
        let value = match self.byte() {
            Some(b'{') => self.object(depth)?,
            Some(b'[') => self.list(depth)?,
            Some(b'"') => Json::Text(self.string()?),
            Some(b'-' | b'0'..=b'9') => self.number()?,
            Some(b't') => self.literal("true", Json::Bool(true))?,
            Some(b'f') => self.literal("false", Json::Bool(false))?,
            Some(b'n') => self.literal("null", Json::Null)?,
            _ => return Err(self.bad("expected a JSON value")),
        };
        Ok(Node {
            value,
            span: span(start, self.at),
        })
    }

    fn literal(&mut self, word: &str, value: Json) -> Result<Json, Bad> {
        if self
            .text
            .get(self.at..)
            .is_some_and(|rest| rest.starts_with(word))
        {
            self.at += word.len();
            return Ok(value);
        }
        Err(self.bad("expected a JSON value"))
    }

    fn object(&mut self, depth: u32) -> Result<Json, Bad> {
        self.at += 1;
        let mut fields = Vec::new();
        if self.accept(b'}') {
            return Ok(Json::Object(fields));
        }
        loop {
            self.space();
            let start = self.at;
            if self.byte() != Some(b'"') {
                return Err(self.bad("expected a field's name in quotes"));
            }
            let name = self.string()?;
            let key = Key {
                name,
                span: span(start, self.at),
            };
            if !self.accept(b':') {
                return Err(self.bad("expected `:`"));
            }
            fields.push((key, self.value(depth + 1)?));
            if self.accept(b'}') {
                return Ok(Json::Object(fields));
            }
            if !self.accept(b',') {
                return Err(self.bad("expected `,` or `}`"));
            }
        }
    }

    fn list(&mut self, depth: u32) -> Result<Json, Bad> {
        self.at += 1;
        let mut items = Vec::new();
        if self.accept(b']') {
            return Ok(Json::List(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            if self.accept(b']') {
                return Ok(Json::List(items));
            }
            if !self.accept(b',') {
                return Err(self.bad("expected `,` or `]`"));
            }
        }
    }

    fn number(&mut self) -> Result<Json, Bad> {
        let start = self.at;
        self.at += usize::from(self.byte() == Some(b'-'));
        match self.byte() {
            Some(b'0') => self.at += 1,
            Some(b'1'..=b'9') => self.digits(),
            _ => return Err(self.bad("expected a digit")),
        }
        if self.byte() == Some(b'.') {
            self.at += 1;
            self.some_digits()?;
        }
        if matches!(self.byte(), Some(b'e' | b'E')) {
            self.at += 1;
            self.at += usize::from(matches!(self.byte(), Some(b'+' | b'-')));
            self.some_digits()?;
        }
        Ok(Json::Number(
            self.text.get(start..self.at).unwrap_or("").into(),
        ))
    }

    fn some_digits(&mut self) -> Result<(), Bad> {
        if !matches!(self.byte(), Some(b'0'..=b'9')) {
            return Err(self.bad("expected a digit"));
        }
        self.digits();
        Ok(())
    }

    fn digits(&mut self) {
        while matches!(self.byte(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
    }

    fn string(&mut self) -> Result<Box<str>, Bad> {
        self.at += 1;
        let mut text = String::new();
        loop {
            let start = self.at;
            while self
                .byte()
                .is_some_and(|byte| byte >= b' ' && byte != b'"' && byte != b'\\')
            {
                self.at += 1;
            }
            text.push_str(self.text.get(start..self.at).unwrap_or(""));
            match self.byte() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(text.into());
                }
                Some(b'\\') => {
                    self.at += 1;
                    text.push(self.escape()?);
                }
                _ => return Err(self.bad("expected the end of the text: `\"`")),
            }
        }
    }

    fn escape(&mut self) -> Result<char, Bad> {
        let plain = match self.byte() {
            Some(letter @ (b'"' | b'\\' | b'/')) => char::from(letter),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                self.at += 1;
                let high = self.four_digits()?;
                if !(0xd800..0xdc00).contains(&high) {
                    return char::from_u32(high).ok_or_else(|| self.bad("half a surrogate pair"));
                }
                if self
                    .text
                    .get(self.at..)
                    .is_none_or(|rest| !rest.starts_with("\\u"))
                {
                    return Err(self.bad("half a surrogate pair"));
                }
                self.at += 2;
                let low = self.four_digits()?;
                let low = low.checked_sub(0xdc00).filter(|low| *low < 0x400);
                return low
                    .and_then(|low| char::from_u32(0x1_0000 + ((high - 0xd800) << 10) + low))
                    .ok_or_else(|| self.bad("half a surrogate pair"));
            }
            _ => return Err(self.bad("not an escape of JSON")),
        };
        self.at += 1;
        Ok(plain)
    }

    fn four_digits(&mut self) -> Result<u32, Bad> {
        let digits = self
            .text
            .get(self.at..self.at + 4)
            .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        let value = digits
            .and_then(|digits| u32::from_str_radix(digits, 16).ok())
            .ok_or_else(|| self.bad("expected four hexadecimal digits"))?;
        self.at += 4;
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn same(node: &Node, value: &serde_json::Value) -> bool {
        use serde_json::Value;
        match (&node.value, value) {
            (Json::Null, Value::Null) => true,
            (Json::Bool(a), Value::Bool(b)) => a == b,
            (Json::Number(a), Value::Number(b)) => {
                serde_json::from_str::<serde_json::Number>(a).unwrap() == *b
            }
            (Json::Text(a), Value::String(b)) => **a == **b,
            (Json::List(a), Value::Array(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
            }
            (Json::Object(a), Value::Object(b)) => {
                a.len() >= b.len()
                    && a.iter().all(|(key, _)| b.contains_key(&*key.name))
                    && b.iter().all(|(name, value)| {
                        a.iter()
                            .rev()
                            .find(|(key, _)| *key.name == **name)
                            .is_some_and(|(_, node)| same(node, value))
                    })
            }
            _ => false,
        }
    }

    proptest! {
        /// Another reader of JSON agrees about what is JSON and what it says.
        #[test]
        fn agrees_with_serde(text in r#"([\[\]{}:,"\\ 01-9.eE+a-z]|"[a-z\\"u0-9]{0,6}"|true|null|\\ud83d\\ude00|-0){0,24}"#) {
            let mut findings = Findings::default();
            let ours = parse(&text, &mut findings);
            match serde_json::from_str::<serde_json::Value>(&text) {
                Ok(theirs) => prop_assert!(ours.is_some_and(|ours| same(&ours, &theirs)), "{}", text),
                // A number too large for a double is JSON all the same.
                Err(error) => prop_assert!(ours.is_none() || error.to_string().contains("number out of range"), "{}: {}", text, error),
            }
        }
    }

    #[test]
    fn depth_is_limited() {
        let mut findings = Findings::default();
        assert!(parse(&"[".repeat(100_000), &mut findings).is_none());
    }
}
