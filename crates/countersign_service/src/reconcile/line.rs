//! Lines of a log, as they come: cut out of chunks, read as JSON or CSV, without a new allocation for each.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};

use super::mapping::{Mapping, Slot};

/// Longest line, in bytes. A longer one is counted as unreadable, and what follows it is read.
pub(crate) const LINE_MAX: usize = 1 << 20;

/// Cuts chunks into lines.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    /// The beginning of a line whose end has not come.
    open: Vec<u8>,
    /// The line under way is longer than [`LINE_MAX`].
    too_long: bool,
    /// Inside of quotation marks of a CSV field, where a line may end without ending the record.
    quoted: bool,
    /// Ends of lines inside of the record under way.
    inside: u64,
    csv: bool,
}

impl Lines {
    pub(crate) fn new(csv: bool) -> Self {
        Self {
            csv,
            ..Self::default()
        }
    }

    /// Hands every line that is now whole to `each`, without its end (`None` for one that was too long), and of how many
    /// lines of the file it is made.
    pub(crate) fn push(&mut self, mut chunk: &[u8], each: &mut impl FnMut(Option<&[u8]>, u64)) {
        while let Some(end) = memchr(chunk) {
            let (line, rest) = chunk.split_at_checked(end).unwrap_or((chunk, &[]));
            chunk = rest.get(1..).unwrap_or_default();
            if self.csv && marks(line) % 2 == 1 {
                self.quoted = !self.quoted;
            }
            if self.quoted && self.open.len() + line.len() < LINE_MAX {
                self.keep(line);
                self.keep(b"\n");
                self.inside += 1;
                continue;
            }
            self.quoted = false;
            if self.open.is_empty() && !self.too_long {
                each((line.len() <= LINE_MAX).then(|| without_return(line)), 1);
            } else {
                self.keep(line);
                self.end(each);
            }
        }
        if self.csv && marks(chunk) % 2 == 1 {
            self.quoted = !self.quoted;
        }
        self.keep(chunk);
    }

    /// The last line may lack its end.
    pub(crate) fn finish(&mut self, each: &mut impl FnMut(Option<&[u8]>, u64)) {
        if !self.open.is_empty() || self.too_long {
            self.end(each);
        }
        self.quoted = false;
    }

    fn keep(&mut self, bytes: &[u8]) {
        if self.too_long || self.open.len() + bytes.len() > LINE_MAX {
            self.too_long = true;
            self.open.clear();
        } else {
            self.open.extend_from_slice(bytes);
        }
    }

    fn end(&mut self, each: &mut impl FnMut(Option<&[u8]>, u64)) {
        let line = (!self.too_long).then(|| without_return(&self.open));
        each(line, self.inside + 1);
        self.inside = 0;
        self.open.clear();
        self.too_long = false;
    }
}

fn memchr(bytes: &[u8]) -> Option<usize> {
    // The standard library's search for a byte in a slice of bytes is by words of the machine only for readers.
    bytes.iter().position(|byte| *byte == b'\n')
}

fn marks(bytes: &[u8]) -> usize {
    bytes.iter().map(|byte| usize::from(*byte == b'"')).sum()
}

fn without_return(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// What a line says, in the fields that are looked for.
#[derive(Debug, Default)]
pub(crate) struct Fields<'l> {
    pub(crate) time: Option<Cow<'l, str>>,
    pub(crate) action: Option<Cow<'l, str>>,
    pub(crate) customer: Option<Cow<'l, str>>,
    pub(crate) grant: Option<Cow<'l, str>>,
    pub(crate) id: Option<Cow<'l, str>>,
    pub(crate) outcome: Option<Cow<'l, str>>,
    pub(crate) parameters: Vec<Option<Cow<'l, str>>>,
}

impl<'l> Fields<'l> {
    fn slot(&mut self, slot: Slot) -> Option<&mut Option<Cow<'l, str>>> {
        Some(match slot {
            Slot::Time => &mut self.time,
            Slot::Action => &mut self.action,
            Slot::Customer => &mut self.customer,
            Slot::Grant => &mut self.grant,
            Slot::Id => &mut self.id,
            Slot::Outcome => &mut self.outcome,
            Slot::Parameter(at) => {
                if self.parameters.len() <= at {
                    self.parameters.resize(at + 1, None);
                }
                return self.parameters.get_mut(at);
            }
        })
    }
}

/// The fields that are looked for in objects, as a tree.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    members: Vec<(String, Wanted)>,
    slots: Vec<Slot>,
}

impl Wanted {
    pub(crate) fn of(mapping: &Mapping) -> Self {
        let mut root = Self::default();
        for (path, slot) in mapping.slots() {
            let mut node = &mut root;
            for name in path.split('.') {
                let at =
                    if let Some(at) = node.members.iter().position(|(member, _)| member == name) {
                        at
                    } else {
                        node.members.push((name.to_owned(), Self::default()));
                        node.members.len() - 1
                    };
                let Some((_, next)) = node.members.get_mut(at) else {
                    break;
                };
                node = next;
            }
            node.slots.push(slot);
        }
        root
    }

    /// Reads one line as a JSON object.
    pub(crate) fn json<'l>(&self, line: &'l [u8]) -> Result<Fields<'l>, serde_json::Error> {
        let mut fields = Fields::default();
        let mut reader = serde_json::Deserializer::from_slice(line);
        let seed = Value {
            wanted: self,
            fields: &mut fields,
            is_root: true,
        };
        seed.deserialize(&mut reader)?;
        reader.end()?;
        Ok(fields)
    }
}

struct Value<'w, 'f, 'l> {
    wanted: &'w Wanted,
    fields: &'f mut Fields<'l>,
    is_root: bool,
}

impl<'l> DeserializeSeed<'l> for Value<'_, '_, 'l> {
    type Value = ();
    fn deserialize<D: Deserializer<'l>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'l> Value<'_, '_, 'l> {
    #[expect(
        clippy::ptr_arg,
        reason = "what is borrowed from the line stays borrowed where it is kept"
    )]
    fn put<E: serde::de::Error>(self, text: &Cow<'l, str>) -> Result<(), E> {
        if self.is_root {
            return Err(E::custom("a line is one object"));
        }
        for slot in &self.wanted.slots {
            if let Some(place) = self.fields.slot(*slot) {
                // Two values in one line: whoever reads the log may see the one and we the other.
                if place.is_some() {
                    return Err(E::custom("a field stands twice"));
                }
                *place = Some(text.clone());
            }
        }
        Ok(())
    }
}

impl<'l> Visitor<'l> for Value<'_, '_, 'l> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }
    fn visit_borrowed_str<E: serde::de::Error>(self, text: &'l str) -> Result<(), E> {
        self.put(&Cow::Borrowed(text))
    }
    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<(), E> {
        self.put(&Cow::Owned(text.to_owned()))
    }
    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<(), E> {
        self.put(&Cow::Owned(number.to_string()))
    }
    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<(), E> {
        self.put(&Cow::Owned(number.to_string()))
    }
    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<(), E> {
        self.put(&Cow::Owned(number.to_string()))
    }
    fn visit_bool<E: serde::de::Error>(self, is: bool) -> Result<(), E> {
        self.put(&Cow::Borrowed(if is { "true" } else { "false" }))
    }
    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        if self.is_root {
            return Err(E::custom("a line is one object"));
        }
        Ok(())
    }
    fn visit_seq<A: serde::de::SeqAccess<'l>>(self, mut items: A) -> Result<(), A::Error> {
        if self.is_root {
            return Err(A::Error::custom("a line is one object"));
        }
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }
    fn visit_map<A: MapAccess<'l>>(self, mut members: A) -> Result<(), A::Error> {
        while let Some(at) = members.next_key_seed(Name(self.wanted))? {
            match at.and_then(|at| self.wanted.members.get(at)) {
                Some((_, wanted)) => members.next_value_seed(Value {
                    wanted,
                    fields: self.fields,
                    is_root: false,
                })?,
                None => {
                    members.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

/// The name of a member, as its place among those that are wanted.
struct Name<'w>(&'w Wanted);

impl<'l> DeserializeSeed<'l> for Name<'_> {
    type Value = Option<usize>;
    fn deserialize<D: Deserializer<'l>>(self, reader: D) -> Result<Option<usize>, D::Error> {
        reader.deserialize_str(self)
    }
}

impl Visitor<'_> for Name<'_> {
    type Value = Option<usize>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }
    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Option<usize>, E> {
        Ok(self.0.members.iter().position(|(member, _)| member == name))
    }
}

/// Columns of a CSV log (RFC 4180), as its first record names them.
#[derive(Debug)]
pub(crate) struct Columns(Vec<Vec<Slot>>);

impl Columns {
    /// Reads the first record.
    ///
    /// # Errors
    /// What is missing, in words.
    pub(crate) fn read(header: &[u8], mapping: &Mapping) -> Result<Self, String> {
        let header = header.strip_prefix(b"\xef\xbb\xbf").unwrap_or(header);
        let names = record(header).map_err(str::to_owned)?;
        let slots = mapping.slots();
        let columns: Vec<Vec<Slot>> = names
            .iter()
            .map(|name| {
                let named = slots.iter().filter(|(field, _)| field == name.trim());
                named.map(|(_, slot)| *slot).collect()
            })
            .collect();
        for (field, slot) in &slots {
            let there = columns
                .iter()
                .flatten()
                .filter(|known| *known == slot)
                .count();
            if there > 1 {
                return Err(format!("the column `{field}` stands twice"));
            }
            if there == 0 && matches!(slot, Slot::Time | Slot::Action) {
                return Err(format!("there is no column `{field}`"));
            }
        }
        Ok(Self(columns))
    }

    /// Reads a record; an empty field is one that is not there.
    pub(crate) fn fields<'l>(&self, line: &'l [u8]) -> Result<Fields<'l>, &'static str> {
        let mut fields = Fields::default();
        let values = record(line)?;
        if values.len() != self.0.len() {
            return Err("it has another number of fields than the first line");
        }
        for (value, slots) in values.into_iter().zip(&self.0) {
            if value.is_empty() {
                continue;
            }
            for slot in slots {
                if let Some(place) = fields.slot(*slot) {
                    *place = Some(value.clone());
                }
            }
        }
        Ok(fields)
    }
}

fn record(line: &[u8]) -> Result<Vec<Cow<'_, str>>, &'static str> {
    let line = std::str::from_utf8(line).map_err(|_| "it is not UTF-8")?;
    let mut fields = Vec::with_capacity(8);
    let mut rest = line;
    loop {
        if let Some(quoted) = rest.strip_prefix('"') {
            let (value, after) = unquoted(quoted)?;
            fields.push(value);
            match after.strip_prefix(',') {
                Some(next) => rest = next,
                None if after.is_empty() => return Ok(fields),
                None => return Err("something stands after a closing quotation mark"),
            }
        } else if let Some((value, next)) = rest.split_once(',') {
            fields.push(Cow::Borrowed(value));
            rest = next;
        } else {
            fields.push(Cow::Borrowed(rest));
            return Ok(fields);
        }
    }
}

fn unquoted(quoted: &str) -> Result<(Cow<'_, str>, &str), &'static str> {
    let mut whole = String::new();
    let mut rest = quoted;
    loop {
        let (before, after) = rest
            .split_once('"')
            .ok_or("a quotation mark is not closed")?;
        match after.strip_prefix('"') {
            Some(next) => {
                whole.push_str(before);
                whole.push('"');
                rest = next;
            }
            None if whole.is_empty() => return Ok((Cow::Borrowed(before), after)),
            None => {
                whole.push_str(before);
                return Ok((Cow::Owned(whole), after));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(csv: bool, chunks: &[&str]) -> Vec<Option<String>> {
        let mut lines = Lines::new(csv);
        let mut found = Vec::new();
        let mut each = |line: Option<&[u8]>, _: u64| {
            found.push(line.map(|line| String::from_utf8_lossy(line).into_owned()));
        };
        for chunk in chunks {
            lines.push(chunk.as_bytes(), &mut each);
        }
        lines.finish(&mut each);
        found
    }

    #[test]
    fn lines_are_the_same_however_they_come() {
        let whole = "one\r\ntwo\n\n\"th\nree\",x\nlast";
        let by_letter: Vec<String> = whole.chars().map(String::from).collect();
        let letters: Vec<&str> = by_letter.iter().map(String::as_str).collect();
        let some = |lines: &[&str]| -> Vec<Option<String>> {
            lines.iter().map(|line| Some((*line).to_owned())).collect()
        };
        for csv in [false, true] {
            assert_eq!(cut(csv, &[whole]), cut(csv, &letters), "csv {csv}");
        }
        assert_eq!(
            cut(true, &[whole]),
            some(&["one", "two", "", "\"th\nree\",x", "last"])
        );
        assert_eq!(cut(false, &[whole]).len(), 6);
    }

    #[test]
    fn a_line_that_is_too_long_is_one_line() {
        let long = "x".repeat(LINE_MAX + 7);
        let found = cut(false, &["a\n", &long, "\nb\n"]);
        assert_eq!(found, [Some("a".to_owned()), None, Some("b".to_owned())]);
    }

    #[test]
    fn objects_are_read_by_path() {
        let mapping = Mapping {
            customer: "who.id".to_owned(),
            parameters: [("server".to_owned(), "target".to_owned())].into(),
            ..Mapping::default()
        };
        let wanted = Wanted::of(&mapping);
        let line = br#"{"at":1700000000,"who":{"id":7,"name":["x",{}]},"action":"a\u0062","target":"web-1","more":{"at":1}}"#;
        let fields = wanted.json(line).unwrap();
        assert_eq!(fields.time.as_deref(), Some("1700000000"));
        assert_eq!(fields.customer.as_deref(), Some("7"));
        assert_eq!(fields.action.as_deref(), Some("ab"));
        assert_eq!(fields.parameters, [Some(Cow::Borrowed("web-1"))]);
        assert_eq!(fields.grant, None);
        for wrong in [
            &b"[]"[..],
            b"null",
            b"7",
            b"\"at\"",
            b"{",
            b"{} {}",
            b"{\"at\":1,\"at\":2}",
            b"\xff",
            b"",
        ] {
            assert!(wanted.json(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn records_are_read_by_column() {
        let columns = Columns::read(
            b"\xef\xbb\xbfat, action,\"customer\",x",
            &Mapping::default(),
        )
        .unwrap();
        let fields = columns.fields(b"2026,\"say \"\"it\"\", now\",,y").unwrap();
        assert_eq!(fields.action.as_deref(), Some("say \"it\", now"));
        assert_eq!(fields.customer, None);
        for wrong in [&b"a,b"[..], b"\"a", b"\"a\"b,c,d,e", b"\xff,b,c,d"] {
            assert!(columns.fields(wrong).is_err(), "{wrong:?}");
        }
        assert!(Columns::read(b"at,customer", &Mapping::default()).is_err());
        assert!(Columns::read(b"at,at,action", &Mapping::default()).is_err());
    }
}
