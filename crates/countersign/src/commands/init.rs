//! `init`: a new installation, ready to start.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, bail};

use crate::commands::secret::{Kind, fresh};
use crate::{config, terminal};

/// The procedure a new installation begins with: the same file the documents and the demo use.
const EXAMPLE: &str = include_str!("../../../../procedures/hosting.procedure");

/// `countersign init DIR`: writes a commented configuration, fresh keys and an example procedure. Overwrites nothing.
pub(crate) fn init(folder: &Path) -> anyhow::Result<ExitCode> {
    let configuration = folder.join("countersign.toml");
    if configuration.exists() {
        bail!(
            "`{}` is already there: nothing was changed",
            configuration.display()
        );
    }
    let keys = folder.join("keys");
    std::fs::create_dir_all(&keys).with_context(|| format!("cannot make `{}`", keys.display()))?;
    for name in ["ledger", "grant", "codes", "seal"] {
        write_new(&keys.join(format!("{name}.key")), &line(Kind::Key), true)?;
    }
    for name in ["panel", "password"] {
        write_new(
            &keys.join(format!("{name}.whsec")),
            &line(Kind::Webhook),
            true,
        )?;
    }
    write_new(&keys.join("panel.token"), &line(Kind::Token), true)?;
    write_new(&folder.join("hosting.procedure"), EXAMPLE, false)?;
    write_new(&configuration, &config::commented(&filled()), false)?;
    terminal::print(&format!(
        "Written to {}:\n  countersign.toml    the configuration, every key explained\n  hosting.procedure   an example procedure to make your own\n  keys/               fresh keys, readable by you alone; back them up apart from the database\n\n\
         Next:\n  1. read countersign.toml and put in your addresses and your people\n  2. countersign check hosting.procedure\n  3. countersign doctor --config countersign.toml\n  4. countersign serve --config countersign.toml\n",
        folder.display()
    ))?;
    Ok(ExitCode::SUCCESS)
}

fn filled() -> BTreeMap<&'static str, String> {
    let file = |name: &str| format!("{{ file = \"keys/{name}\" }}");
    BTreeMap::from([
        ("gate.listen", "\"127.0.0.1:4180\"".to_owned()),
        ("gate.origin", "\"http://localhost:4180\"".to_owned()),
        ("gate.procedure", "\"hosting.procedure\"".to_owned()),
        ("gate.database", "\"countersign.db\"".to_owned()),
        ("keys.ledger", file("ledger.key")),
        ("keys.grant", file("grant.key")),
        ("keys.codes", file("codes.key")),
        ("keys.seal", file("seal.key")),
        ("mail.server", "\"smtp://localhost:25\"".to_owned()),
        (
            "mail.from",
            "\"Acme Hosting <support@example.com>\"".to_owned(),
        ),
        (
            "password.url",
            "\"http://localhost:4181/countersign/password\"".to_owned(),
        ),
        ("password.secret", file("password.whsec")),
        (
            "connectors.panel.url",
            "\"http://localhost:4181/countersign/run\"".to_owned(),
        ),
        (
            "connectors.panel.status",
            "\"http://localhost:4181/countersign/status\"".to_owned(),
        ),
        ("connectors.panel.secret", file("panel.whsec")),
        ("machines.panel.token", file("panel.token")),
        (
            "machines.panel.may",
            "[\"panel\", \"customers\"]".to_owned(),
        ),
        ("staff.admin.name", "\"Your name\"".to_owned()),
        ("staff.admin.email", "\"you@example.com\"".to_owned()),
        ("staff.admin.roles", "[\"senior\"]".to_owned()),
        ("staff.admin.console", "[\"admin\"]".to_owned()),
    ])
}

fn line(kind: Kind) -> String {
    format!("{}\n", fresh(kind))
}

/// Writes a file that must not be there yet; a secret one is readable by its owner alone from its first byte on.
fn write_new(path: &Path, text: &str, secret: bool) -> anyhow::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if secret {
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    }
    let mut file = options
        .open(path)
        .with_context(|| format!("cannot write `{}`", path.display()))?;
    file.write_all(text.as_bytes())
        .with_context(|| format!("cannot write `{}`", path.display()))
}
