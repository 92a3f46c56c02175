//! The one configuration file: strict TOML, every mistake shown at once with its line.
//!
//! [`FIELDS`] is the single list of what may stand in the file. Checking,
//! defaults, the commented file that `countersign init` writes and the
//! reference page are all made from it. Secrets never stand in the file: they
//! come from another file or from the environment.

mod fields;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use countersign_store::{AddressError, PostgresAddress};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use fields::{Default, FIELDS, Field, Kind, OPTIONAL};

/// A configuration that was read and found right.
#[derive(Debug)]
pub(crate) struct Config {
    folder: PathBuf,
    values: BTreeMap<(String, &'static str), Given>,
    sections: BTreeSet<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Given {
    Text(String),
    Number(i64),
    List(Vec<String>),
    Secret(SecretSource),
}

/// Where a secret is to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
enum SecretSource {
    File(String),
    Environment(String),
}

/// One mistake in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mistake {
    /// Line, from 1; 0 where the mistake is that something is missing.
    pub(crate) line: usize,
    /// What is wrong.
    pub(crate) message: String,
}

impl Mistake {
    /// The mistake with its place: `countersign.toml:3: …`.
    pub(crate) fn in_file(&self, file: &Path) -> String {
        match self.line {
            0 => format!("{}: {}", file.display(), self.message),
            line => format!("{}:{line}: {}", file.display(), self.message),
        }
    }
}

impl Config {
    /// Reads the file's text; paths in it are relative to `folder`.
    ///
    /// # Errors
    /// Every mistake in it, in the order of its lines.
    pub(crate) fn read(text: &str, folder: &Path) -> Result<Self, Vec<Mistake>> {
        let (document, broken) = DeTable::parse_recoverable(text);
        let mut reader = Reader {
            text,
            mistakes: Vec::new(),
            values: BTreeMap::new(),
            sections: BTreeSet::new(),
        };
        for error in broken {
            let at = error.span().map_or(0, |span| span.start);
            reader.mistake(at, error.message().to_owned());
        }
        reader.document(document.get_ref());
        if reader.mistakes.is_empty() {
            return Ok(Self {
                folder: folder.to_owned(),
                values: reader.values,
                sections: reader.sections,
            });
        }
        reader
            .mistakes
            .sort_by_key(|mistake| (mistake.line == 0, mistake.line));
        Err(reader.mistakes)
    }

    /// Whether the file has this section.
    pub(crate) fn has(&self, section: &str) -> bool {
        self.sections.contains(section)
    }

    /// Names of the sections `prefix.NAME`, in order.
    pub(crate) fn named<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = &'a str> {
        self.sections
            .iter()
            .filter_map(move |section| section.strip_prefix(prefix)?.strip_prefix('.'))
    }

    /// Words; empty where the key is not used.
    pub(crate) fn text(&self, section: &str, key: &'static str) -> String {
        match self.given(section, key) {
            Some(Given::Text(text)) => text,
            _ => String::new(),
        }
    }

    /// A whole number.
    pub(crate) fn number(&self, section: &str, key: &'static str) -> i64 {
        match self.given(section, key) {
            Some(Given::Number(number)) => number,
            _ => 0,
        }
    }

    /// A list of words.
    pub(crate) fn list(&self, section: &str, key: &'static str) -> Vec<String> {
        match self.given(section, key) {
            Some(Given::List(list)) => list,
            _ => Vec::new(),
        }
    }

    /// A path, made absolute from the folder of the file.
    pub(crate) fn path(&self, section: &str, key: &'static str) -> PathBuf {
        self.folder.join(self.text(section, key))
    }

    /// Reads a secret from where the file says it is; `None` where the key is not used.
    ///
    /// # Errors
    /// A sentence that names the key and the place, never the secret.
    pub(crate) fn secret(
        &self,
        section: &str,
        key: &'static str,
    ) -> Result<Option<String>, String> {
        let read = match self.given(section, key) {
            Some(Given::Secret(SecretSource::File(file))) => {
                std::fs::read_to_string(self.folder.join(&file))
                    .map_err(|error| format!("{section}.{key}: cannot read `{file}`: {error}"))?
            }
            Some(Given::Secret(SecretSource::Environment(name))) => {
                std::env::var(&name).map_err(|_| {
                    format!("{section}.{key}: the environment variable `{name}` is not set")
                })?
            }
            _ => return Ok(None),
        };
        let secret = read.trim();
        if secret.is_empty() {
            return Err(format!("{section}.{key}: the secret is empty"));
        }
        Ok(Some(secret.to_owned()))
    }

    /// Every secret the file speaks of: section, key, and the file it is in unless it is in the environment.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = (&str, &'static str, Option<PathBuf>)> {
        self.values
            .iter()
            .filter_map(|((section, key), given)| match given {
                Given::Secret(SecretSource::File(file)) => {
                    Some((section.as_str(), *key, Some(self.folder.join(file))))
                }
                Given::Secret(SecretSource::Environment(_)) => Some((section.as_str(), *key, None)),
                _ => None,
            })
    }

    fn given(&self, section: &str, key: &'static str) -> Option<Given> {
        if let Some(value) = self.values.get(&(section.to_owned(), key)) {
            return Some(value.clone());
        }
        let field = FIELDS
            .iter()
            .find(|field| field.key == key && section_matches(field.section, section))?;
        match field.default {
            Default::Words(words) => Some(given_text(words)),
            Default::Count(count) => Some(Given::Number(count)),
            Default::Required | Default::Unused => None,
        }
    }
}

/// The commented file that `countersign init` writes: required keys filled from `filled` (by `section.key`), the others commented out.
pub(crate) fn commented(filled: &BTreeMap<&str, String>) -> String {
    let mut out = String::from(
        "# Countersign. Every key that may stand here is listed; a # in front means the value shown is not in force.\n",
    );
    let mut section = "";
    for field in FIELDS {
        let optional = OPTIONAL.contains(&field.section) || field.section.ends_with(".*");
        let example = match field.section {
            "staff.*" => "admin",
            "proofs.*" => "company_login",
            "checkers.*" => "badge",
            "groups.*" => "agents",
            _ => "panel",
        };
        let named = field.section.replace('*', example);
        let used = !optional
            || filled
                .keys()
                .any(|key| key.starts_with(&format!("{named}.")));
        if field.section != section {
            section = field.section;
            let _ = write!(out, "\n{}[{named}]\n", if used { "" } else { "# " });
        }
        let name = format!("{named}.{}", field.key);
        let _ = writeln!(out, "# {}", field.about);
        let _ = match filled.get(name.as_str()) {
            Some(value) => writeln!(out, "{} = {value}", field.key),
            None => writeln!(out, "# {} = {}", field.key, field.example),
        };
    }
    out
}

/// The reference page `docs/generated/config.md`.
pub(crate) fn reference() -> String {
    let mut out = String::from(
        "# The configuration file\n\nOne TOML file, strict: an unknown key or a wrong value is an error, and all of them are shown at once. \
         Made from the program by `countersign reference config`; a test keeps it fresh.\n",
    );
    let mut section = "";
    for field in FIELDS {
        if field.section != section {
            section = field.section;
            let _ = write!(
                out,
                "\n## `[{}]`\n\n| key | default | example | meaning |\n|---|---|---|---|\n",
                section.replace('*', "NAME")
            );
        }
        let default = match field.default {
            Default::Required => "required".to_owned(),
            Default::Unused => "not used".to_owned(),
            Default::Words(words) => format!("`{words}`"),
            Default::Count(count) => format!("`{count}`"),
        };
        let _ = writeln!(
            out,
            "| `{}` | {default} | `{}` | {} |",
            field.key, field.example, field.about
        );
    }
    out
}

struct Reader<'t> {
    text: &'t str,
    mistakes: Vec<Mistake>,
    values: BTreeMap<(String, &'static str), Given>,
    sections: BTreeSet<String>,
}

impl Reader<'_> {
    fn document(&mut self, document: &DeTable<'_>) {
        for (name, value) in document {
            let (name_at, name) = (name.span().start, name.get_ref().as_ref());
            let Some(table) = value.get_ref().as_table() else {
                self.mistake(name_at, format!("`{name}` stands outside every section"));
                continue;
            };
            if FIELDS.iter().any(|field| field.section == name) {
                self.section(name, name_at, table);
            } else if FIELDS
                .iter()
                .any(|field| field.section.strip_suffix(".*") == Some(name))
            {
                for (inner, value) in table {
                    let path = format!("{name}.{}", inner.get_ref());
                    match value.get_ref().as_table() {
                        Some(table) => self.section(&path, inner.span().start, table),
                        None => self.mistake(
                            inner.span().start,
                            format!("`{path}` is not a section: write `[{name}.NAME]`"),
                        ),
                    }
                }
            } else {
                let known = FIELDS
                    .iter()
                    .map(|field| field.section.trim_end_matches(".*"));
                let help = did_you_mean(name, known);
                self.mistake(name_at, format!("there is no section `{name}`{help}"));
            }
        }
        for (inner, outer) in [("proofs", "company_login"), ("groups", "staff_login")] {
            if self.sections.contains(outer) {
                continue;
            }
            if let Some((name, _)) = document.iter().find(|(name, _)| name.get_ref() == inner) {
                let message = format!("`[{inner}.NAME]` means nothing without `[{outer}]`");
                self.mistake(name.span().start, message);
            }
        }
        for field in FIELDS
            .iter()
            .filter(|field| field.default == Default::Required)
        {
            let optional = OPTIONAL.contains(&field.section) || field.section.ends_with(".*");
            if !optional
                && !self.sections.contains(field.section)
                && !self
                    .values
                    .contains_key(&(field.section.to_owned(), field.key))
            {
                self.mistakes.push(Mistake {
                    line: 0,
                    message: format!(
                        "`{}.{}` is missing: {}",
                        field.section, field.key, field.about
                    ),
                });
            }
        }
    }

    fn section(&mut self, name: &str, at: usize, table: &DeTable<'_>) {
        self.sections.insert(name.to_owned());
        for (key, value) in table {
            let fields = || {
                FIELDS
                    .iter()
                    .filter(|field| section_matches(field.section, name))
            };
            let known = fields().find(|field| field.key == key.get_ref().as_ref());
            if let Some(field) = known {
                self.value(name, field, value);
            } else {
                let help = did_you_mean(key.get_ref(), fields().map(|field| field.key));
                self.mistake(
                    key.span().start,
                    format!("`[{name}]` has no key `{}`{help}", key.get_ref()),
                );
            }
        }
        if let Some(Given::List(may)) = self.values.get(&(name.to_owned(), "may"))
            && may.len() > 1
            && may.iter().any(|scope| scope == "backups")
        {
            self.mistake(
                at,
                format!("`{name}.may`: a machine that attests backups may do nothing else"),
            );
        }
        self.login(name, at);
        for field in FIELDS.iter().filter(|field| {
            field.default == Default::Required && section_matches(field.section, name)
        }) {
            if !table
                .iter()
                .any(|(key, _)| key.get_ref().as_ref() == field.key)
            {
                self.mistake(
                    at,
                    format!("`[{name}]` needs `{}`: {}", field.key, field.about),
                );
            }
        }
    }

    /// A login shows the provider who it is in exactly one way.
    fn login(&mut self, name: &str, at: usize) {
        if !["company_login", "staff_login"].contains(&name) {
            return;
        }
        let has = |key: &'static str| self.values.contains_key(&(name.to_owned(), key));
        let wrong = match (has("client_secret"), has("private_key"), has("key_id")) {
            (false, false, _) => "needs `client_secret` or `private_key`",
            (true, true, _) => "has `client_secret` and `private_key`: choose one",
            (true, false, true) => "has `key_id` and no `private_key` that it would name",
            _ => return,
        };
        self.mistake(at, format!("`[{name}]` {wrong}"));
    }

    fn value(&mut self, section: &str, field: &Field, value: &Spanned<DeValue<'_>>) {
        let at = value.span().start;
        match read_value(field.kind, value.get_ref()) {
            Ok(given) => {
                self.values.insert((section.to_owned(), field.key), given);
            }
            Err(wanted) => self.mistake(at, format!("`{section}.{}` must be {wanted}", field.key)),
        }
    }

    fn mistake(&mut self, at: usize, message: String) {
        let line = self
            .text
            .bytes()
            .take(at)
            .filter(|byte| *byte == b'\n')
            .count()
            + 1;
        self.mistakes.push(Mistake { line, message });
    }
}

fn read_value(kind: Kind, value: &DeValue<'_>) -> Result<Given, String> {
    let text = value.as_str();
    match kind {
        Kind::Text | Kind::Path => text
            .filter(|text| !text.is_empty())
            .map(given_text)
            .ok_or_else(|| "words in quotes".to_owned()),
        Kind::Database => match text {
            Some(address) if PostgresAddress::is_one(address) => PostgresAddress::parse(address)
                .map(|_| Given::Text(address.to_owned()))
                .map_err(|error| match error {
                    AddressError::Password => "an address without the password, which stands apart, at `database_password`".to_owned(),
                    AddressError::NotOne => "a path, or an address such as `postgres://user@host/database`".to_owned(),
                    AddressError::Unknown(_) => format!("an address in which everything is known: {error}"),
                }),
            Some(path) if !path.is_empty() && !path.contains("://") => Ok(Given::Text(path.to_owned())),
            _ => Err("a path, or an address such as `postgres://user@host/database`".to_owned()),
        },
        Kind::Name => text
            .filter(|text| {
                !text.is_empty()
                    && !text.contains(|c: char| c.is_whitespace() || c.is_control() || c == '+')
            })
            .map(given_text)
            .ok_or_else(|| {
                "a name without spaces and `+`, such as `support.example/ledger`".to_owned()
            }),
        Kind::Origin => text
            .filter(|text| is_origin(text))
            .map(given_text)
            .ok_or_else(|| ORIGIN_WANTED.to_owned()),
        Kind::TimeZone => text
            .filter(|text| jiff::tz::TimeZone::get(text).is_ok())
            .map(given_text)
            .ok_or_else(|| {
                "a time zone that this machine knows, such as `Europe/Stockholm`".to_owned()
            }),
        Kind::Url => text
            .filter(|text| is_url(text))
            .map(given_text)
            .ok_or_else(|| URL_WANTED.to_owned()),
        Kind::Smtp => text
            .filter(|text| smtp(text).is_some())
            .map(given_text)
            .ok_or_else(|| "`smtp://host:port` or `smtps://host:port`".to_owned()),
        Kind::Socket => text
            .filter(|text| text.parse::<SocketAddr>().is_ok())
            .map(given_text)
            .ok_or_else(|| "an address and a port, such as `127.0.0.1:4180`".to_owned()),
        Kind::Number(least, most) => value
            .as_integer()
            .and_then(|number| i64::from_str_radix(number.as_str(), number.radix()).ok())
            .filter(|number| (least..=most).contains(number))
            .map(Given::Number)
            .ok_or_else(|| format!("a whole number from {least} to {most}")),
        Kind::Flag => value
            .as_bool()
            .map(|flag| given_text(if flag { "true" } else { "false" }))
            .ok_or_else(|| "`true` or `false`".to_owned()),
        Kind::OneOf(words) => text
            .filter(|text| words.contains(text))
            .map(given_text)
            .ok_or_else(|| format!("one of `{}`", words.join("`, `"))),
        Kind::List(words) => strings(value)
            .filter(|list| {
                words.is_empty() || list.iter().all(|word| words.contains(&word.as_str()))
            })
            .map(Given::List)
            .ok_or_else(|| {
                if words.is_empty() {
                    "a list of words in quotes".to_owned()
                } else {
                    format!("a list out of `{}`", words.join("`, `"))
                }
            }),
        Kind::Origins => strings(value)
            .filter(|list| list.iter().all(|origin| is_origin(origin)))
            .map(Given::List)
            .ok_or_else(|| format!("a list, each {ORIGIN_WANTED}")),
        Kind::Addresses => strings(value)
            .filter(|list| list.iter().all(|address| address.parse::<IpAddr>().is_ok()))
            .map(Given::List)
            .ok_or_else(|| "a list of IP addresses".to_owned()),
        Kind::Urls => strings(value)
            .filter(|list| list.iter().all(|url| is_url(url)))
            .map(Given::List)
            .ok_or_else(|| format!("a list, each {URL_WANTED}")),
        Kind::Secret => secret_source(value).map(Given::Secret).ok_or_else(|| {
            "`{ file = \"…\" }` or `{ env = \"…\" }`: a secret never stands in this file".to_owned()
        }),
    }
}

const URL_WANTED: &str = "an address that begins with `https://` (or `http://` on loopback)";

const ORIGIN_WANTED: &str = "an origin such as `https://support.example` (or `http://` on loopback), with nothing behind host and port";

fn given_text(text: &str) -> Given {
    Given::Text(text.to_owned())
}

/// `https` anywhere, or `http` on this very machine; no user name, query or fragment, which would end up in logs.
fn is_url(text: &str) -> bool {
    let Ok(url) = reqwest::Url::parse(text) else {
        return false;
    };
    let plain = url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    plain
        && url.host_str().is_some_and(|host| {
            url.scheme() == "https" || (url.scheme() == "http" && is_loopback(host))
        })
}

fn is_origin(text: &str) -> bool {
    is_url(text)
        && reqwest::Url::parse(text).is_ok_and(|url| url.origin().ascii_serialization() == text)
}

/// Whether a host name or address is this very machine.
pub(crate) fn is_loopback(host: &str) -> bool {
    let host = host.trim_matches(['[', ']']);
    host == "localhost"
        || host
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// Whether TLS begins with the first byte, the host and the port of an `smtp://` or `smtps://` address.
pub(crate) fn smtp(text: &str) -> Option<(bool, &str, u16)> {
    let (tls, rest) = text
        .strip_prefix("smtps://")
        .map(|rest| (true, rest))
        .or_else(|| Some((false, text.strip_prefix("smtp://")?)))?;
    let (host, port) = rest.rsplit_once(':')?;
    let host = host.trim_matches(['[', ']']);
    let plain = !host.is_empty() && !host.contains(['@', '/']);
    plain.then_some(())?;
    Some((tls, host, port.parse().ok().filter(|port| *port != 0)?))
}

fn strings(value: &DeValue<'_>) -> Option<Vec<String>> {
    value
        .as_array()?
        .iter()
        .map(|item| item.get_ref().as_str().map(str::to_owned))
        .collect()
}

fn secret_source(value: &DeValue<'_>) -> Option<SecretSource> {
    let table = value.as_table()?;
    let mut entries = table.iter();
    let (key, source) = (entries.next()?, entries.next());
    let place = key
        .1
        .get_ref()
        .as_str()
        .filter(|place| !place.is_empty())?
        .to_owned();
    match (key.0.get_ref().as_ref(), source) {
        ("file", None) => Some(SecretSource::File(place)),
        ("env", None) => Some(SecretSource::Environment(place)),
        _ => None,
    }
}

fn section_matches(pattern: &str, section: &str) -> bool {
    match pattern.strip_suffix("*") {
        Some(prefix) => section
            .strip_prefix(prefix)
            .is_some_and(|name| !name.is_empty()),
        None => pattern == section,
    }
}

/// `; did you mean …?` with the nearest of the known words, or nothing.
pub(crate) fn did_you_mean<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> String {
    known
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .filter(|(distance, _)| *distance <= 1 + word.len() / 4)
        .min()
        .map_or_else(String::new, |(_, candidate)| {
            format!("; did you mean `{candidate}`?")
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
[gate]
origin = "https://support.example"
procedure = "hosting.procedure"
[keys]
ledger = { file = "a" }
grant = { file = "b" }
codes = { env = "C" }
seal = { file = "s" }
[connectors.panel]
url = "https://panel.example/run"
secret = { file = "c" }
"#;

    fn mistakes(text: &str) -> Vec<(usize, String)> {
        match Config::read(text, Path::new("/x")) {
            Ok(_) => Vec::new(),
            Err(mistakes) => mistakes
                .into_iter()
                .map(|mistake| (mistake.line, mistake.message))
                .collect(),
        }
    }

    #[test]
    fn a_right_file_is_read_with_its_defaults() {
        let config = Config::read(GOOD, Path::new("/x")).unwrap();
        assert_eq!(config.text("gate", "listen"), "127.0.0.1:4180");
        assert_eq!(config.number("limits", "link_minutes"), 15);
        assert_eq!(
            config.path("gate", "procedure"),
            Path::new("/x/hosting.procedure")
        );
        assert_eq!(config.named("connectors").collect::<Vec<_>>(), ["panel"]);
        assert!(!config.has("mail"));
    }

    #[test]
    fn every_mistake_is_shown_at_once_with_its_line() {
        let text = GOOD
            .replace(
                "origin = \"https://support.example\"",
                "orign = \"https://support.example\"\nlisten = 4180",
            )
            .replace("[connectors.panel]", "[conectors.panel]");
        let found = mistakes(&text);
        assert_eq!(found.len(), 4, "{found:#?}");
        assert!(
            found
                .iter()
                .any(|(line, text)| *line == 3 && text.contains("did you mean `origin`?")),
            "{found:#?}"
        );
        assert!(
            found
                .iter()
                .any(|(line, text)| *line == 4 && text.contains("an address and a port")),
            "{found:#?}"
        );
        assert!(
            found
                .iter()
                .any(|(line, text)| *line == 2 && text.contains("needs `origin`")),
            "{found:#?}"
        );
        assert!(
            found
                .iter()
                .any(|(_, text)| text.contains("did you mean `connectors`?")),
            "{found:#?}"
        );
    }

    #[test]
    fn broken_toml_is_reported_beside_the_other_mistakes() {
        let found = mistakes(&format!("{GOOD}\n[log]\nlevel = \"loud\"\nformat = \n"));
        assert!(found.len() >= 2, "{found:#?}");
        assert!(
            found
                .iter()
                .any(|(_, text)| text.contains("one of `error`")),
            "{found:#?}"
        );
    }

    #[test]
    fn a_secret_in_the_file_is_refused_without_repeating_it() {
        let found = mistakes(&GOOD.replace("{ file = \"c\" }", "\"whsec_hush\""));
        assert_eq!(found.len(), 1);
        assert!(!found[0].1.contains("hush"));
    }

    #[test]
    fn plain_http_is_for_loopback_only() {
        assert!(
            is_url("http://localhost:8080/x")
                && is_url("http://127.0.0.1/x")
                && is_url("http://[::1]:80/")
        );
        assert!(
            !is_url("http://panel.example/")
                && !is_url("ftp://x")
                && !is_url("http://localhost.evil.example/")
        );
        assert!(
            !is_url("https://a:b@panel.example/")
                && !is_url("https://panel.example/?key=1")
                && !is_url("https://")
        );
        assert!(is_origin("https://support.example") && is_origin("http://localhost:4180"));
        assert!(
            !is_origin("https://support.example/")
                && !is_origin("https://support.example/desk")
                && !is_origin("https://Support.example")
        );
    }

    #[test]
    fn a_mail_server_has_a_host_and_a_port() {
        assert_eq!(smtp("smtp://localhost:25"), Some((false, "localhost", 25)));
        assert_eq!(smtp("smtps://[::1]:465"), Some((true, "::1", 465)));
        for wrong in [
            "smtp://localhost",
            "localhost:25",
            "smtp://:25",
            "smtp://h:0",
            "smtp://h:99999",
            "smtp://u@h:25",
            "http://h:25",
        ] {
            assert_eq!(smtp(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_login_shows_who_it_is_in_exactly_one_way() {
        const LOGIN: &str = "[staff_login]\nname = \"Acme\"\nissuer = \"https://login.acme.example\"\nclient_id = \"gate\"\n";
        let with = |more: &str| mistakes(&format!("{GOOD}\n{LOGIN}{more}"));
        assert_eq!(with("client_secret = { file = \"s\" }\ncreate = true"), []);
        assert_eq!(with("private_key = { file = \"k\" }\nkey_id = \"1\""), []);
        for (wrong, said) in [
            ("", "needs `client_secret` or `private_key`"),
            (
                "client_secret = { file = \"s\" }\nprivate_key = { file = \"k\" }",
                "choose one",
            ),
            (
                "client_secret = { file = \"s\" }\nkey_id = \"1\"",
                "no `private_key`",
            ),
            (
                "client_secret = { file = \"s\" }\ncreate = \"yes\"",
                "`true` or `false`",
            ),
        ] {
            let found = with(wrong);
            assert_eq!(found.len(), 1, "{found:#?}");
            assert!(found[0].1.contains(said), "{found:#?}");
        }
        let found = mistakes(&format!(
            "{GOOD}\n[groups.agents]\nroles = [\"agent\"]\n[proofs.login]\nacr_values = [\"x\"]\n"
        ));
        assert_eq!(found.len(), 2, "{found:#?}");
        assert!(
            found
                .iter()
                .all(|(line, text)| *line > 10 && text.contains("means nothing without")),
            "{found:#?}"
        );
    }

    #[test]
    fn who_attests_backups_does_nothing_else() {
        let found = mistakes(&format!(
            "{GOOD}\n[machines.checker]\ntoken = {{ file = \"t\" }}\nmay = [\"backups\", \"panel\"]\n"
        ));
        assert_eq!(found.len(), 1, "{found:#?}");
        assert!(found[0].1.contains("may do nothing else"));
    }

    #[test]
    fn the_commented_file_is_itself_right() {
        let filled = BTreeMap::from([
            ("gate.origin", "\"http://localhost:4180\"".to_owned()),
            ("gate.procedure", "\"hosting.procedure\"".to_owned()),
            ("keys.ledger", "{ file = \"a\" }".to_owned()),
            ("keys.grant", "{ file = \"b\" }".to_owned()),
            ("keys.codes", "{ file = \"c\" }".to_owned()),
            ("keys.seal", "{ file = \"s\" }".to_owned()),
            (
                "connectors.panel.url",
                "\"http://localhost:4181/run\"".to_owned(),
            ),
            ("connectors.panel.secret", "{ file = \"d\" }".to_owned()),
            ("machines.panel.token", "{ file = \"e\" }".to_owned()),
            ("machines.panel.may", "[\"panel\"]".to_owned()),
        ]);
        assert_eq!(mistakes(&commented(&filled)), []);
    }
}
