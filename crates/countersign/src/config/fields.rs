//! The single list of what may stand in the configuration file.

use Kind::{
    Flag, List, Name, Number, OneOf, Origin, Path, Secret, Smtp, Socket, Text, TimeZone, Url, Urls,
};

/// What one key of the file may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Any words.
    Text,
    /// A name that fits into the first line of a signed note: no spaces, no `+`.
    Name,
    /// `https://host`, or `http://` on loopback; nothing behind the port.
    Origin,
    /// `http://` or `https://`; plain `http` only for loopback.
    Url,
    /// `smtp://host:port` or `smtps://host:port`.
    Smtp,
    /// `address:port`.
    Socket,
    /// A path, relative to the configuration file.
    Path,
    /// A path, relative to the configuration file, or the address of a PostgreSQL database, without its password.
    Database,
    /// A time zone of the IANA database.
    TimeZone,
    /// A whole number within these bounds.
    Number(i64, i64),
    /// `true` or `false`.
    Flag,
    /// One word out of these.
    OneOf(&'static [&'static str]),
    /// A list of words out of these; of any words if empty.
    List(&'static [&'static str]),
    /// A list of `http(s)` addresses.
    Urls,
    /// A list of IP addresses.
    Addresses,
    /// A list of origins.
    Origins,
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
    /// The value where the file says nothing.
    pub(crate) default: Default,
    /// An example for the generated file and reference, as it would stand in the file.
    pub(crate) example: &'static str,
    /// What it means.
    pub(crate) about: &'static str,
}

/// What holds where the file says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Default {
    /// The key must be there.
    Required,
    /// It is not used.
    Unused,
    /// Words.
    Words(&'static str),
    /// A number.
    Count(i64),
}

/// Sections that may be missing altogether; every other section must be there if it has a required key.
pub(crate) const OPTIONAL: &[&str] = &[
    "mail",
    "password",
    "text",
    "company_login",
    "staff_login",
    "limits",
    "log",
    "metrics",
    "telemetry",
];

const SCOPES: &[&str] = &[
    "panel",
    "customers",
    "erase",
    "backups",
    "read",
    "robot",
    "reconcile",
];
const CONSOLE: &[&str] = &["admin", "auditor"];

const fn required(
    section: &'static str,
    key: &'static str,
    kind: Kind,
    example: &'static str,
    about: &'static str,
) -> Field {
    Field {
        section,
        key,
        kind,
        default: Default::Required,
        example,
        about,
    }
}

const fn unused(
    section: &'static str,
    key: &'static str,
    kind: Kind,
    example: &'static str,
    about: &'static str,
) -> Field {
    Field {
        section,
        key,
        kind,
        default: Default::Unused,
        example,
        about,
    }
}

const fn words(
    section: &'static str,
    key: &'static str,
    kind: Kind,
    default: &'static str,
    example: &'static str,
    about: &'static str,
) -> Field {
    Field {
        section,
        key,
        kind,
        default: Default::Words(default),
        example,
        about,
    }
}

const fn count(
    section: &'static str,
    key: &'static str,
    (least, most): (i64, i64),
    default: i64,
    example: &'static str,
    about: &'static str,
) -> Field {
    Field {
        section,
        key,
        kind: Number(least, most),
        default: Default::Count(default),
        example,
        about,
    }
}

const fn limit(
    key: &'static str,
    least: i64,
    most: i64,
    default: i64,
    example: &'static str,
    about: &'static str,
) -> Field {
    count("limits", key, (least, most), default, example, about)
}

const SECOND_SECRET: &str = "A second secret beside the first while you exchange them: every request carries a signature of each.";

/// Everything that may stand in the file, in the order `init` writes it.
pub(crate) const FIELDS: &[Field] = &[
    words(
        "gate",
        "listen",
        Socket,
        "127.0.0.1:4180",
        "\"127.0.0.1:4180\"",
        "Where the gate listens; port 0 for any free one. Put a TLS-terminating proxy in front of anything but loopback.",
    ),
    required(
        "gate",
        "origin",
        Origin,
        "\"https://support.example\"",
        "The address people see in their browser. Passkeys and cookies are bound to its host, so it cannot change later.",
    ),
    required(
        "gate",
        "procedure",
        Path,
        "\"hosting.procedure\"",
        "The procedure file. The gate starts only if it is valid and every promise in it is kept. The first one is in force at once; a changed one is proposed, and cases are opened under the one in force until it is signed.",
    ),
    words(
        "gate",
        "procedure_role",
        Text,
        "senior",
        "\"senior\"",
        "The role, in the procedure in force, whose holders sign a new version of it with their passkey.",
    ),
    words(
        "gate",
        "database",
        Kind::Database,
        "countersign.db",
        "\"countersign.db\"",
        "The SQLite database, made if it does not exist, for one gate at a time; or a PostgreSQL database for several, as `postgres://user@host/database?sslmode=verify-full`.",
    ),
    unused(
        "gate",
        "database_password",
        Secret,
        "{ file = \"keys/database.password\" }",
        "The password at the PostgreSQL server, if it wants one.",
    ),
    unused(
        "gate",
        "ledger",
        Name,
        "\"support.example/ledger\"",
        "Name of the ledger, the first line of every checkpoint; it never changes. The host of `origin` and `/ledger` if left out.",
    ),
    words(
        "gate",
        "time_zone",
        TimeZone,
        "UTC",
        "\"Europe/Stockholm\"",
        "The time zone of every time on a page.",
    ),
    words(
        "gate",
        "language",
        OneOf(&["en", "de", "es", "fr"]),
        "en",
        "\"de\"",
        "The language the procedure is written in. Customers read their own; letters are in this one where neither the customer's record nor the case says another, and so are pages for browsers that name no language the gate speaks.",
    ),
    unused(
        "gate",
        "trusted_proxies",
        Kind::Addresses,
        "[\"127.0.0.1\"]",
        "Addresses of your own proxies, whose `X-Forwarded-For` is believed. Without them every customer behind a proxy counts as one network, and one who guesses slows all of them down.",
    ),
    count(
        "gate",
        "drain_seconds",
        (0, 300),
        0,
        "5",
        "How long the gate goes on after it was asked to end, while `/readyz` already says so: as long as your load balancer takes to notice. Nothing where systemd holds the socket.",
    ),
    unused(
        "gate",
        "return_to",
        Kind::Origins,
        "[\"https://panel.example\"]",
        "Origins the customer may be sent back to after a case that your own panel opened.",
    ),
    unused(
        "gate",
        "panel_in",
        Kind::Origins,
        "[\"https://acme.zendesk.com\"]",
        "Origins of the help desk in whose pages `/panel` may stand, each exactly as it is. Without them nobody may frame anything of the gate.",
    ),
    required(
        "keys",
        "ledger",
        Secret,
        "{ file = \"keys/ledger.key\" }",
        "Ed25519 seed that signs the ledger's checkpoints, 64 hexadecimal digits.",
    ),
    unused(
        "keys",
        "second_ledger",
        Secret,
        "{ file = \"keys/ledger.new.key\" }",
        "A second key that signs every checkpoint beside the first, while you exchange them. Its public key is published.",
    ),
    unused(
        "keys",
        "former_ledger",
        List(&[]),
        "[\"support.example/ledger+…\"]",
        "Public keys that signed this ledger before, `name+id+key`. They are published, and receipts from their time verify.",
    ),
    required(
        "keys",
        "grant",
        Secret,
        "{ file = \"keys/grant.key\" }",
        "Ed25519 seed that signs grants, 64 hexadecimal digits.",
    ),
    unused(
        "keys",
        "second_grant",
        Secret,
        "{ file = \"keys/grant.new.key\" }",
        "A second key whose public half is published beside the first's and which signs nothing: the next one before it is used, the last one until its grants have run out.",
    ),
    required(
        "keys",
        "codes",
        Secret,
        "{ file = \"keys/codes.key\" }",
        "Key under which one-time codes are kept, 64 hexadecimal digits.",
    ),
    required(
        "keys",
        "seal",
        Secret,
        "{ file = \"keys/seal.key\" }",
        "AES-256-GCM key that seals authenticator secrets at rest, 64 hexadecimal digits.",
    ),
    unused(
        "keys",
        "pepper",
        Secret,
        "{ file = \"keys/pepper.key\" }",
        "Key without which the stored hashes of PINs cannot be tried, 64 hexadecimal digits. Decide before the first PIN is stored: it cannot change later, and PINs that you put already hashed do not fit it.",
    ),
    required(
        "mail",
        "server",
        Smtp,
        "\"smtp://localhost:25\"",
        "The SMTP server; `smtps://` for TLS from the first byte, `smtp://` for STARTTLS (plain on loopback only).",
    ),
    required(
        "mail",
        "from",
        Text,
        "\"Acme Hosting <support@acme.example>\"",
        "The sender of every letter.",
    ),
    unused(
        "mail",
        "user",
        Text,
        "\"countersign\"",
        "User name at the SMTP server, if it wants one.",
    ),
    unused(
        "mail",
        "password",
        Secret,
        "{ env = \"COUNTERSIGN_SMTP_PASSWORD\" }",
        "Password at the SMTP server.",
    ),
    required(
        "password",
        "url",
        Url,
        "\"https://panel.example/countersign/password\"",
        "Your own endpoint that says whether an account password is right. The gate never stores one.",
    ),
    required(
        "password",
        "secret",
        Secret,
        "{ file = \"keys/password.whsec\" }",
        "Standard Webhooks secret (`whsec_…`) that signs the question.",
    ),
    unused(
        "password",
        "second_secret",
        Secret,
        "{ file = \"keys/password.new.whsec\" }",
        SECOND_SECRET,
    ),
    required(
        "text",
        "url",
        Url,
        "\"https://sms.example/send\"",
        "HTTP gateway that sends text messages.",
    ),
    required(
        "text",
        "secret",
        Secret,
        "{ file = \"keys/text.whsec\" }",
        "Standard Webhooks secret that signs the request.",
    ),
    unused(
        "text",
        "second_secret",
        Secret,
        "{ file = \"keys/text.new.whsec\" }",
        SECOND_SECRET,
    ),
    required(
        "company_login",
        "name",
        Text,
        "\"Acme\"",
        "What customers call it, as in `Continue with Acme`.",
    ),
    required(
        "company_login",
        "issuer",
        Url,
        "\"https://login.acme.example\"",
        "The OpenID provider, character for character as it names itself in its tokens.",
    ),
    required(
        "company_login",
        "client_id",
        Text,
        "\"countersign\"",
        "The name of this gate at the provider. Its redirect address there is `ORIGIN/c/company`.",
    ),
    unused(
        "company_login",
        "client_secret",
        Secret,
        "{ file = \"keys/login.secret\" }",
        "The secret shared with the provider; this or `private_key`, and not both.",
    ),
    unused(
        "company_login",
        "private_key",
        Secret,
        "{ file = \"keys/login.pem\" }",
        "A private key instead of a secret (`private_key_jwt`): Ed25519, P-256 or RSA, PKCS#8 in PEM. The provider holds its public half.",
    ),
    unused(
        "company_login",
        "key_id",
        Text,
        "\"countersign-1\"",
        "The `kid` under which the provider knows that key, if it wants one.",
    ),
    words(
        "company_login",
        "scope",
        Text,
        "openid",
        "\"openid\"",
        "Scopes asked for; `openid`, and whatever `account_claim` needs.",
    ),
    words(
        "company_login",
        "account_claim",
        Text,
        "sub",
        "\"customer_number\"",
        "The claim of the ID token that names the account. It must equal the id under which you put the customer, or the `account` you put for the holding.",
    ),
    unused(
        "company_login",
        "acr_values",
        List(&[]),
        "[\"urn:acme:mfa\"]",
        "Authentication contexts that will do (`acr`), best first; any if left out. A weaker sign-in is refused.",
    ),
    Field {
        section: "company_login",
        key: "message_chars",
        kind: Number(16, 1_000),
        default: Default::Count(128),
        example: "128",
        about: "The longest message that a push (CIBA) may show. A longer sentence is cut at a word and ends in the first digits of its digest.",
    },
    required(
        "staff_login",
        "name",
        Text,
        "\"Acme\"",
        "What staff call it, as in `Continue with Acme`.",
    ),
    required(
        "staff_login",
        "issuer",
        Url,
        "\"https://login.acme.example\"",
        "The OpenID provider, character for character as it names itself in its tokens.",
    ),
    required(
        "staff_login",
        "client_id",
        Text,
        "\"countersign\"",
        "The name of this gate at the provider. Its redirect address there is `ORIGIN/sign-in/company/back`.",
    ),
    unused(
        "staff_login",
        "client_secret",
        Secret,
        "{ file = \"keys/staff-login.secret\" }",
        "The secret shared with the provider; this or `private_key`, and not both.",
    ),
    unused(
        "staff_login",
        "private_key",
        Secret,
        "{ file = \"keys/staff-login.pem\" }",
        "A private key instead of a secret (`private_key_jwt`): Ed25519, P-256 or RSA, PKCS#8 in PEM. The provider holds its public half.",
    ),
    unused(
        "staff_login",
        "key_id",
        Text,
        "\"countersign-1\"",
        "The `kid` under which the provider knows that key, if it wants one.",
    ),
    words(
        "staff_login",
        "scope",
        Text,
        "openid profile email",
        "\"openid profile email groups\"",
        "Scopes asked for; `openid`, and whatever the name, the email address and the groups need.",
    ),
    words(
        "staff_login",
        "groups_claim",
        Text,
        "groups",
        "\"groups\"",
        "The claim, in the ID token or at userinfo, that lists a person's groups.",
    ),
    words(
        "staff_login",
        "create",
        Flag,
        "false",
        "true",
        "Whether somebody who has a group below and no account gets one when they first sign in.",
    ),
    required(
        "proofs.*",
        "acr_values",
        List(&[]),
        "[\"urn:acme:mfa\"]",
        "Authentication contexts that will do for this proof of the procedure, in place of `company_login.acr_values`.",
    ),
    required(
        "checkers.*",
        "url",
        Url,
        "\"https://panel.example/countersign/check\"",
        "Your own checker of the proof of this name, which the procedure makes `using webhook`. It answers at once, or later to the gate.",
    ),
    required(
        "checkers.*",
        "secret",
        Secret,
        "{ file = \"keys/check.whsec\" }",
        "Standard Webhooks secret (`whsec_…`) that signs the question, and the answer that comes later.",
    ),
    unused(
        "checkers.*",
        "second_secret",
        Secret,
        "{ file = \"keys/check.new.whsec\" }",
        SECOND_SECRET,
    ),
    count(
        "checkers.*",
        "expires_seconds",
        (30, 3_600),
        300,
        "300",
        "How long it has to answer. The customer waits on the page, and an answer that comes later counts for nothing.",
    ),
    unused(
        "groups.*",
        "group",
        Text,
        "\"support-agents\"",
        "The group as the provider names it; the name of this section if left out.",
    ),
    unused(
        "groups.*",
        "roles",
        List(&[]),
        "[\"agent\"]",
        "Roles of the procedure that this group gives. Somebody in several groups has all of theirs, and a group that is not here gives nothing.",
    ),
    unused(
        "groups.*",
        "console",
        List(CONSOLE),
        "[\"auditor\"]",
        "Roles in the console that this group gives; none has power over a case.",
    ),
    required(
        "connectors.*",
        "url",
        Url,
        "\"https://panel.example/countersign/run\"",
        "Where the grant for an action that `runs` this connector is posted.",
    ),
    unused(
        "connectors.*",
        "status",
        Url,
        "\"https://panel.example/countersign/status\"",
        "Where the gate asks what became of a grant whose answer never came; `url` if left out.",
    ),
    required(
        "connectors.*",
        "secret",
        Secret,
        "{ file = \"keys/panel.whsec\" }",
        "Standard Webhooks secret that signs every request to this connector.",
    ),
    unused(
        "connectors.*",
        "second_secret",
        Secret,
        "{ file = \"keys/panel.new.whsec\" }",
        SECOND_SECRET,
    ),
    unused(
        "connectors.*",
        "audit_secret",
        Secret,
        "{ file = \"keys/panel.audit.whsec\" }",
        "Standard Webhooks secret that this backend signs the events of its own log with, posted to `/v1/reconciliations/webhooks/NAME` as they happen. Another one than `secret`.",
    ),
    unused(
        "connectors.*",
        "second_audit_secret",
        Secret,
        "{ file = \"keys/panel.audit.new.whsec\" }",
        "A second secret beside the first while you exchange them: a signature of either will do.",
    ),
    unused(
        "connectors.*",
        "audit_map",
        Path,
        "\"panel-audit.toml\"",
        "How these events name things: the mapping that `countersign reconcile --map` reads.",
    ),
    Field {
        section: "connectors.*",
        key: "audit_window",
        kind: Number(0, 86_400),
        default: Default::Count(300),
        example: "300",
        about: "How far this backend's clock may differ, in seconds, and how long an event that no case covers waits before it is an alarm.",
    },
    unused(
        "connectors.*",
        "doors",
        Urls,
        "[\"https://panel.example/servers/1/reinstall\"]",
        "Your backend's own ways to the same actions, which must refuse whoever has no grant. `countersign doctor` posts an empty request to each: name only addresses where that could do no harm.",
    ),
    required(
        "machines.*",
        "token",
        Secret,
        "{ file = \"keys/panel.token\" }",
        "The bearer token this machine shows; `countersign secret token` makes one.",
    ),
    required(
        "machines.*",
        "may",
        List(SCOPES),
        "[\"panel\", \"customers\"]",
        "What it may do: `panel` open cases for your signed-in customers, `customers` put customers, contacts and proofs, `backups` attest backups (and nothing else beside it), `read` read cases, `robot` open cases as a program with a staff role, `reconcile` send a backend's own log to have it matched with cases.",
    ),
    unused(
        "machines.*",
        "roles",
        List(&[]),
        "[\"agent\"]",
        "Staff roles of a `robot`; it may ask, it can never prove, sign or vouch.",
    ),
    required(
        "staff.*",
        "name",
        Text,
        "\"Maja Lindqvist\"",
        "Name as colleagues and customers read it.",
    ),
    required(
        "staff.*",
        "email",
        Text,
        "\"maja@acme.example\"",
        "Address for invitations.",
    ),
    unused(
        "staff.*",
        "person",
        Text,
        "\"maja\"",
        "The human being behind the account; give two accounts of one human the same. The account's own name if left out.",
    ),
    unused(
        "staff.*",
        "roles",
        List(&[]),
        "[\"agent\"]",
        "Roles of the procedure.",
    ),
    unused(
        "staff.*",
        "console",
        List(CONSOLE),
        "[\"admin\"]",
        "Roles in the console itself; none has power over a case.",
    ),
    unused(
        "staff.*",
        "customers",
        List(&[]),
        "[\"1041\"]",
        "Customers this person is, or is tied to; they can take no part in those cases.",
    ),
    unused(
        "staff.*",
        "subject",
        Text,
        "\"248289761001\"",
        "`sub` of this person at the provider of `[staff_login]`: who signs in there is this account, and signs in there alone; the groups decide the roles.",
    ),
    limit(
        "link_minutes",
        1,
        1_440,
        15,
        "15",
        "How long a customer's link may be used.",
    ),
    limit(
        "seat_minutes",
        5,
        1_440,
        60,
        "60",
        "How long a customer's page stays open after the link was used.",
    ),
    limit(
        "proved_seat_days",
        1,
        90,
        14,
        "14",
        "How long it stays open once something was proved on it: it is how the customer comes back for the receipt.",
    ),
    limit(
        "code_again_seconds",
        10,
        3_600,
        60,
        "60",
        "How long one waits before a code is sent again.",
    ),
    limit(
        "codes",
        1,
        100,
        5,
        "5",
        "How many codes are sent for one case and proof.",
    ),
    limit(
        "idle_minutes",
        5,
        1_440,
        60,
        "30",
        "How long an idle staff session lives.",
    ),
    limit(
        "session_hours",
        1,
        24,
        12,
        "8",
        "How long any staff session lives.",
    ),
    limit(
        "invitation_hours",
        1,
        720,
        168,
        "24",
        "How long an invitation counts.",
    ),
    limit(
        "grant_seconds",
        1,
        120,
        120,
        "60",
        "How long a grant counts.",
    ),
    limit(
        "lookups_per_hour",
        1,
        10_000,
        120,
        "120",
        "How many customer look-ups one account may make in an hour.",
    ),
    limit(
        "answers_per_minute",
        1,
        10_000,
        60,
        "60",
        "How many answers one network may try in a minute.",
    ),
    unused(
        "metrics",
        "listen",
        Socket,
        "\"127.0.0.1:9464\"",
        "Where Prometheus may ask for `/metrics`. Keep it where only your own systems reach it: nothing in it names a person or a case, but it says how busy you are.",
    ),
    required(
        "telemetry",
        "endpoint",
        Url,
        "\"http://127.0.0.1:4318/v1/traces\"",
        "Where traces are sent, as OTLP in JSON by HTTP: a collector's address with its path. Nothing in them names a person; a case is named by its id.",
    ),
    words(
        "telemetry",
        "service",
        Text,
        "countersign",
        "\"countersign\"",
        "The name under which the gate stands in traces (`service.name`).",
    ),
    words(
        "telemetry",
        "header",
        Text,
        "authorization",
        "\"authorization\"",
        "The header that `header_value` is sent in.",
    ),
    unused(
        "telemetry",
        "header_value",
        Secret,
        "{ file = \"keys/telemetry.token\" }",
        "What the collector wants to see, such as `Bearer …`.",
    ),
    count(
        "telemetry",
        "keep_per_thousand",
        (1, 1_000),
        1_000,
        "1000",
        "Of a thousand traces that begin here, how many are kept. Where a trusted proxy says whether a trace is kept, that holds.",
    ),
    words(
        "log",
        "format",
        OneOf(&["text", "json"]),
        "text",
        "\"json\"",
        "How log lines are written.",
    ),
    words(
        "log",
        "level",
        OneOf(&["error", "warn", "info", "debug"]),
        "info",
        "\"info\"",
        "The least level that is written.",
    ),
];
