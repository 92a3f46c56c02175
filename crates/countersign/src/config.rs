//! The one configuration file: strict TOML, every mistake shown at once with its line.
//!
//! [`FIELDS`] is the single list of what may stand in the file. Checking,
//! defaults, the commented file that `countersign init` writes and the
//! reference page are all made from it. Secrets never stand in the file: they
//! come from another file or from the environment.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// What one key of the file may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Any words.
    Text,
    /// `http://` or `https://`; plain `http` only for loopback.
    Url,
    /// `smtp://host:port` or `smtps://host:port`.
    Smtp,
    /// `address:port`.
    Socket,
    /// A path, relative to the configuration file.
    Path,
    /// A whole number within these bounds.
    Number(i64, i64),
    /// Words out of these.
    OneOf(&'static [&'static str]),
    /// A list of words out of these; of any words if empty.
    List(&'static [&'static str]),
    /// A list of `http(s)` addresses.
    Urls,
    /// `{ file = "…" }` or `{ env = "…" }`.
    Secret,
}

/// One key that may stand in the file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Field {
    /// Section, such as `gate`; `connectors.*` for a section with a name of its own.
    pub(crate) section: &'static str,
    /// Key.
    pub(crate) key: &'static str,
    /// What it holds.
    pub(crate) kind: Kind,
    /// The value where the file says nothing; `None` for a required key, `Some("")` for "not used".
    pub(crate) default: Option<&'static str>,
    /// An example for the generated file and reference, as it would stand in the file.
    pub(crate) example: &'static str,
    /// What it means.
    pub(crate) about: &'static str,
}

const SCOPES: &[&str] = &["panel", "customers", "backups", "read", "robot"];
const CONSOLE: &[&str] = &["admin", "auditor"];

/// Everything that may stand in the file, in the order `init` writes it.
pub(crate) const FIELDS: &[Field] = &[
    Field { section: "gate", key: "listen", kind: Kind::Socket, default: Some("127.0.0.1:4180"), example: "\"127.0.0.1:4180\"", about: "Where the gate listens. Put a TLS-terminating proxy in front of anything but loopback." },
    Field { section: "gate", key: "origin", kind: Kind::Url, default: None, example: "\"https://support.example\"", about: "The address people see in their browser. Passkeys and cookies are bound to it, so it cannot change later." },
    Field { section: "gate", key: "procedure", kind: Kind::Path, default: None, example: "\"hosting.procedure\"", about: "The procedure file. The gate starts only if it is valid and every promise in it is kept." },
    Field { section: "gate", key: "database", kind: Kind::Path, default: Some("countersign.db"), example: "\"countersign.db\"", about: "The SQLite database; made if it does not exist." },
    Field { section: "gate", key: "return_to", kind: Kind::Urls, default: Some(""), example: "[\"https://panel.example/\"]", about: "Addresses the customer may be sent back to after a case that your own panel opened; an address is allowed if it begins with one of these." },
    Field { section: "keys", key: "ledger", kind: Kind::Secret, default: None, example: "{ file = \"keys/ledger.key\" }", about: "Ed25519 seed that signs the ledger's checkpoints, 64 hexadecimal digits." },
    Field { section: "keys", key: "grant", kind: Kind::Secret, default: None, example: "{ file = \"keys/grant.key\" }", about: "Ed25519 seed that signs grants, 64 hexadecimal digits." },
    Field { section: "keys", key: "link", kind: Kind::Secret, default: None, example: "{ file = \"keys/link.key\" }", about: "Key that makes stop links and under which one-time codes are kept, 64 hexadecimal digits." },
    Field { section: "keys", key: "seal", kind: Kind::Secret, default: None, example: "{ file = \"keys/seal.key\" }", about: "AES-256-GCM key that seals authenticator secrets at rest, 64 hexadecimal digits." },
    Field { section: "mail", key: "server", kind: Kind::Smtp, default: None, example: "\"smtp://localhost:25\"", about: "The SMTP server; `smtps://` for TLS from the first byte, `smtp://` for STARTTLS (plain on loopback only)." },
    Field { section: "mail", key: "from", kind: Kind::Text, default: None, example: "\"Acme Hosting <support@acme.example>\"", about: "The sender of every letter." },
    Field { section: "mail", key: "user", kind: Kind::Text, default: Some(""), example: "\"countersign\"", about: "User name at the SMTP server, if it wants one." },
    Field { section: "mail", key: "password", kind: Kind::Secret, default: Some(""), example: "{ env = \"COUNTERSIGN_SMTP_PASSWORD\" }", about: "Password at the SMTP server." },
    Field { section: "password", key: "url", kind: Kind::Url, default: None, example: "\"https://panel.example/countersign/password\"", about: "Your own endpoint that says whether an account password is right. The gate never stores one." },
    Field { section: "password", key: "secret", kind: Kind::Secret, default: None, example: "{ file = \"keys/password.whsec\" }", about: "Standard Webhooks secret (`whsec_…`) that signs the question." },
    Field { section: "text", key: "url", kind: Kind::Url, default: None, example: "\"https://sms.example/send\"", about: "HTTP gateway that sends text messages." },
    Field { section: "text", key: "secret", kind: Kind::Secret, default: None, example: "{ file = \"keys/text.whsec\" }", about: "Standard Webhooks secret that signs the request." },
    Field { section: "connectors.*", key: "url", kind: Kind::Url, default: None, example: "\"https://panel.example/countersign/run\"", about: "Where the grant for an action that `runs` this connector is posted." },
    Field { section: "connectors.*", key: "status", kind: Kind::Url, default: Some(""), example: "\"https://panel.example/countersign/status\"", about: "Where the gate asks what became of a grant whose answer never came; `url` if left out." },
    Field { section: "connectors.*", key: "secret", kind: Kind::Secret, default: None, example: "{ file = \"keys/panel.whsec\" }", about: "Standard Webhooks secret that signs every request to this connector." },
    Field { section: "machines.*", key: "token", kind: Kind::Secret, default: None, example: "{ file = \"keys/panel.token\" }", about: "The bearer token this machine shows; at least 32 characters." },
    Field { section: "machines.*", key: "may", kind: Kind::List(SCOPES), default: None, example: "[\"panel\", \"customers\"]", about: "What it may do: `panel` open cases for your signed-in customers, `customers` put customers, contacts and proofs, `backups` attest backups (and nothing else beside it), `read` read cases, `robot` open cases as a program with a staff role." },
    Field { section: "machines.*", key: "roles", kind: Kind::List(&[]), default: Some(""), example: "[\"agent\"]", about: "Staff roles of a `robot`; it may ask, it can never prove, sign or vouch." },
    Field { section: "staff.*", key: "name", kind: Kind::Text, default: None, example: "\"Maja Lindqvist\"", about: "Name as colleagues and customers read it." },
    Field { section: "staff.*", key: "email", kind: Kind::Text, default: None, example: "\"maja@acme.example\"", about: "Address for invitations." },
    Field { section: "staff.*", key: "person", kind: Kind::Text, default: Some(""), example: "\"maja\"", about: "The human being behind the account; give two accounts of one human the same. The account's own name if left out." },
    Field { section: "staff.*", key: "roles", kind: Kind::List(&[]), default: Some(""), example: "[\"agent\"]", about: "Roles of the procedure." },
    Field { section: "staff.*", key: "console", kind: Kind::List(CONSOLE), default: Some(""), example: "[\"admin\"]", about: "Roles in the console itself; none has power over a case." },
    Field { section: "staff.*", key: "customers", kind: Kind::List(&[]), default: Some(""), example: "[\"1041\"]", about: "Customers this person is, or is tied to; they can take no part in those cases." },
    Field { section: "limits", key: "link_minutes", kind: Kind::Number(1, 1_440), default: Some("15"), example: "15", about: "How long a customer's link may be used." },
    Field { section: "limits", key: "code_minutes", kind: Kind::Number(1, 60), default: Some("10"), example: "10", about: "How long a one-time code counts." },
    Field { section: "limits", key: "session_hours", kind: Kind::Number(1, 24), default: Some("12"), example: "8", about: "How long a staff session lives." },
    Field { section: "limits", key: "lookups_per_hour", kind: Kind::Number(1, 10_000), default: Some("120"), example: "120", about: "How many customer look-ups one account may make in an hour." },
    Field { section: "log", key: "format", kind: Kind::OneOf(&["text", "json"]), default: Some("text"), example: "\"json\"", about: "How log lines are written." },
    Field { section: "log", key: "level", kind: Kind::OneOf(&["error", "warn", "info", "debug"]), default: Some("info"), example: "\"info\"", about: "The least level that is written." },
];

/// Sections that may be missing altogether; every other section must be there if it has a required key.
const OPTIONAL: &[&str] = &["mail", "password", "text", "limits", "log"];

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

impl Config {
    /// Reads the file's text; paths in it are relative to `folder`.
    ///
    /// # Errors
    /// Every mistake in it, in the order of its lines.
    pub(crate) fn read(text: &str, folder: &Path) -> Result<Self, Vec<Mistake>> {
        let (document, broken) = DeTable::parse_recoverable(text);
        let mut reader = Reader { text, mistakes: Vec::new(), values: BTreeMap::new(), sections: BTreeSet::new() };
        for error in broken {
            let at = error.span().map_or(0, |span| span.start);
            reader.mistake(at, error.message().to_owned());
        }
        reader.document(document.get_ref());
        if reader.mistakes.is_empty() {
            return Ok(Self { folder: folder.to_owned(), values: reader.values, sections: reader.sections });
        }
        reader.mistakes.sort_by_key(|mistake| (mistake.line == 0, mistake.line));
        Err(reader.mistakes)
    }

    /// Whether the file has this section.
    pub(crate) fn has(&self, section: &str) -> bool {
        self.sections.contains(section)
    }

    /// Names of the sections `prefix.NAME`, in order.
    pub(crate) fn named<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = &'a str> {
        self.sections.iter().filter_map(move |section| section.strip_prefix(prefix)?.strip_prefix('.'))
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
    pub(crate) fn secret(&self, section: &str, key: &'static str) -> Result<Option<String>, String> {
        let read = match self.given(section, key) {
            Some(Given::Secret(SecretSource::File(file))) => std::fs::read_to_string(self.folder.join(&file))
                .map_err(|error| format!("{section}.{key}: cannot read `{file}`: {error}"))?,
            Some(Given::Secret(SecretSource::Environment(name))) => std::env::var(&name)
                .map_err(|_| format!("{section}.{key}: the environment variable `{name}` is not set"))?,
            _ => return Ok(None),
        };
        let secret = read.trim();
        if secret.is_empty() {
            return Err(format!("{section}.{key}: the secret is empty"));
        }
        Ok(Some(secret.to_owned()))
    }

    fn given(&self, section: &str, key: &'static str) -> Option<Given> {
        if let Some(value) = self.values.get(&(section.to_owned(), key)) {
            return Some(value.clone());
        }
        let field = FIELDS.iter().find(|field| field.key == key && section_matches(field.section, section))?;
        let default = field.default.filter(|default| !default.is_empty())?;
        Some(match field.kind {
            Kind::Number(..) => Given::Number(default.parse().ok()?),
            _ => Given::Text(default.to_owned()),
        })
    }
}

/// The commented file that `countersign init` writes: required keys filled from `filled` (by `section.key`), the others commented out.
pub(crate) fn commented(filled: &BTreeMap<&str, String>) -> String {
    let mut out = String::from("# Countersign. Every key that may stand here is listed; a # in front means the value shown is not in force.\n");
    let mut section = "";
    for field in FIELDS {
        let optional = OPTIONAL.contains(&field.section);
        let named = field.section.replace('*', if field.section == "staff.*" { "admin" } else { "panel" });
        let used = !optional || filled.keys().any(|key| key.starts_with(&format!("{named}.")));
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
         Made from the program by `countersign init --reference`; a test keeps it fresh.\n",
    );
    let mut section = "";
    for field in FIELDS {
        if field.section != section {
            section = field.section;
            let _ = write!(out, "\n## `[{}]`\n\n| key | default | example | meaning |\n|---|---|---|---|\n", section.replace('*', "NAME"));
        }
        let default = match field.default {
            None => "required".to_owned(),
            Some("") => "not used".to_owned(),
            Some(value) => format!("`{value}`"),
        };
        let _ = writeln!(out, "| `{}` | {default} | `{}` | {} |", field.key, field.example, field.about);
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
            } else if FIELDS.iter().any(|field| field.section.strip_suffix(".*") == Some(name)) {
                for (inner, value) in table {
                    let path = format!("{name}.{}", inner.get_ref());
                    match value.get_ref().as_table() {
                        Some(table) => self.section(&path, inner.span().start, table),
                        None => self.mistake(inner.span().start, format!("`{path}` is not a section: write `[{name}.NAME]`")),
                    }
                }
            } else {
                let known = FIELDS.iter().map(|field| field.section.trim_end_matches(".*"));
                let help = did_you_mean(name, known);
                self.mistake(name_at, format!("there is no section `{name}`{help}"));
            }
        }
        for field in FIELDS.iter().filter(|field| field.default.is_none()) {
            let optional = OPTIONAL.contains(&field.section) || field.section.ends_with(".*");
            if !optional && !self.sections.contains(field.section) && !self.values.contains_key(&(field.section.to_owned(), field.key)) {
                self.mistakes.push(Mistake { line: 0, message: format!("`{}.{}` is missing: {}", field.section, field.key, field.about) });
            }
        }
    }

    fn section(&mut self, name: &str, at: usize, table: &DeTable<'_>) {
        self.sections.insert(name.to_owned());
        for (key, value) in table {
            let fields = || FIELDS.iter().filter(|field| section_matches(field.section, name));
            match fields().find(|field| field.key == key.get_ref().as_ref()) {
                Some(field) => self.value(name, field, value),
                None => {
                    let help = did_you_mean(key.get_ref(), fields().map(|field| field.key));
                    self.mistake(key.span().start, format!("`[{name}]` has no key `{}`{help}", key.get_ref()));
                }
            }
        }
        for field in FIELDS.iter().filter(|field| field.default.is_none() && section_matches(field.section, name)) {
            if !table.iter().any(|(key, _)| key.get_ref().as_ref() == field.key) {
                self.mistake(at, format!("`[{name}]` needs `{}`: {}", field.key, field.about));
            }
        }
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
        let line = self.text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1;
        self.mistakes.push(Mistake { line, message });
    }
}

fn read_value(kind: Kind, value: &DeValue<'_>) -> Result<Given, String> {
    let text = value.as_str();
    match kind {
        Kind::Text | Kind::Path => text.filter(|text| !text.is_empty()).map(given_text).ok_or_else(|| "words in quotes".to_owned()),
        Kind::Url => text.filter(|text| is_url(text)).map(given_text).ok_or_else(|| URL_WANTED.to_owned()),
        Kind::Smtp => text
            .filter(|text| text.strip_prefix("smtp://").or_else(|| text.strip_prefix("smtps://")).is_some_and(|rest| !rest.is_empty()))
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
        Kind::OneOf(words) => {
            text.filter(|text| words.contains(text)).map(given_text).ok_or_else(|| format!("one of `{}`", words.join("`, `")))
        }
        Kind::List(words) => strings(value)
            .filter(|list| words.is_empty() || list.iter().all(|word| words.contains(&word.as_str())))
            .map(Given::List)
            .ok_or_else(|| format!("a list out of `{}`", words.join("`, `"))),
        Kind::Urls => strings(value)
            .filter(|list| list.iter().all(|url| is_url(url)))
            .map(Given::List)
            .ok_or_else(|| format!("a list, each {URL_WANTED}")),
        Kind::Secret => secret_source(value)
            .map(Given::Secret)
            .ok_or_else(|| "`{ file = \"…\" }` or `{ env = \"…\" }`: a secret never stands in this file".to_owned()),
    }
}

const URL_WANTED: &str = "an address that begins with `https://` (or `http://` on loopback)";

fn given_text(text: &str) -> Given {
    Given::Text(text.to_owned())
}

fn is_url(text: &str) -> bool {
    if let Some(rest) = text.strip_prefix("https://") {
        return !rest.is_empty();
    }
    let host = text.strip_prefix("http://").map(|rest| rest.split(['/', ':']).next().unwrap_or_default());
    matches!(host, Some("localhost" | "127.0.0.1" | "[")) || text.starts_with("http://[::1]")
}

fn strings(value: &DeValue<'_>) -> Option<Vec<String>> {
    value.as_array()?.iter().map(|item| item.get_ref().as_str().map(str::to_owned)).collect()
}

fn secret_source(value: &DeValue<'_>) -> Option<SecretSource> {
    let table = value.as_table()?;
    let mut entries = table.iter();
    let (key, source) = (entries.next()?, entries.next());
    let place = key.1.get_ref().as_str().filter(|place| !place.is_empty())?.to_owned();
    match (key.0.get_ref().as_ref(), source) {
        ("file", None) => Some(SecretSource::File(place)),
        ("env", None) => Some(SecretSource::Environment(place)),
        _ => None,
    }
}

fn section_matches(pattern: &str, section: &str) -> bool {
    match pattern.strip_suffix("*") {
        Some(prefix) => section.strip_prefix(prefix).is_some_and(|name| !name.is_empty()),
        None => pattern == section,
    }
}

/// `; did you mean …?` with the nearest of the known words, or nothing.
pub(crate) fn did_you_mean<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> String {
    known
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .filter(|(distance, _)| *distance <= 1 + word.len() / 4)
        .min()
        .map_or_else(String::new, |(_, candidate)| format!("; did you mean `{candidate}`?"))
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
link = { env = "C" }
seal = { file = "s" }
[connectors.panel]
url = "https://panel.example/run"
secret = { file = "c" }
"#;

    fn mistakes(text: &str) -> Vec<(usize, String)> {
        match Config::read(text, Path::new("/x")) {
            Ok(_) => Vec::new(),
            Err(mistakes) => mistakes.into_iter().map(|mistake| (mistake.line, mistake.message)).collect(),
        }
    }

    #[test]
    fn a_right_file_is_read_with_its_defaults() {
        let config = Config::read(GOOD, Path::new("/x")).unwrap();
        assert_eq!(config.text("gate", "listen"), "127.0.0.1:4180");
        assert_eq!(config.number("limits", "link_minutes"), 15);
        assert_eq!(config.path("gate", "procedure"), Path::new("/x/hosting.procedure"));
        assert_eq!(config.named("connectors").collect::<Vec<_>>(), ["panel"]);
        assert!(!config.has("mail"));
    }

    #[test]
    fn every_mistake_is_shown_at_once_with_its_line() {
        let text = GOOD
            .replace("origin = \"https://support.example\"", "orign = \"https://support.example\"\nlisten = 4180")
            .replace("[connectors.panel]", "[conectors.panel]");
        let found = mistakes(&text);
        assert_eq!(found.len(), 4, "{found:#?}");
        assert!(found.iter().any(|(line, text)| *line == 3 && text.contains("did you mean `origin`?")), "{found:#?}");
        assert!(found.iter().any(|(line, text)| *line == 4 && text.contains("an address and a port")), "{found:#?}");
        assert!(found.iter().any(|(line, text)| *line == 2 && text.contains("needs `origin`")), "{found:#?}");
        assert!(found.iter().any(|(_, text)| text.contains("did you mean `connectors`?")), "{found:#?}");
    }

    #[test]
    fn broken_toml_is_reported_beside_the_other_mistakes() {
        let found = mistakes(&format!("{GOOD}\n[log]\nlevel = \"loud\"\nformat = \n"));
        assert!(found.len() >= 2, "{found:#?}");
        assert!(found.iter().any(|(_, text)| text.contains("one of `error`")), "{found:#?}");
    }

    #[test]
    fn a_secret_in_the_file_is_refused_without_repeating_it() {
        let found = mistakes(&GOOD.replace("{ file = \"c\" }", "\"whsec_hush\""));
        assert_eq!(found.len(), 1);
        assert!(!found[0].1.contains("hush"));
    }

    #[test]
    fn plain_http_is_for_loopback_only() {
        assert!(is_url("http://localhost:8080/x") && is_url("http://127.0.0.1/x") && is_url("http://[::1]:80/"));
        assert!(!is_url("http://panel.example/") && !is_url("ftp://x") && !is_url("http://localhost.evil.example/"));
    }

    #[test]
    fn the_commented_file_is_itself_right() {
        let filled = BTreeMap::from([
            ("gate.origin", "\"http://localhost:4180\"".to_owned()),
            ("gate.procedure", "\"hosting.procedure\"".to_owned()),
            ("keys.ledger", "{ file = \"a\" }".to_owned()),
            ("keys.grant", "{ file = \"b\" }".to_owned()),
            ("keys.link", "{ file = \"c\" }".to_owned()),
            ("keys.seal", "{ file = \"s\" }".to_owned()),
            ("connectors.panel.url", "\"http://localhost:4181/run\"".to_owned()),
            ("connectors.panel.secret", "{ file = \"d\" }".to_owned()),
            ("machines.panel.token", "{ file = \"e\" }".to_owned()),
            ("machines.panel.may", "[\"panel\"]".to_owned()),
        ]);
        assert_eq!(mistakes(&commented(&filled)), []);
    }
}
