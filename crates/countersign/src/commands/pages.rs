//! `pages`: what the console and the customer's pages look like, as files.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::ValueEnum;
use countersign_web::pages::{Theme, gallery_files};

use crate::terminal;

/// The colours of all pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Colours {
    /// Ink on paper.
    Light,
    /// Paper on ink.
    Dark,
}

/// `countersign pages gallery DIR`
pub(crate) fn gallery(folder: &Path, colours: Option<Colours>) -> anyhow::Result<ExitCode> {
    let theme = match colours {
        None => Theme::System,
        Some(Colours::Light) => Theme::Light,
        Some(Colours::Dark) => Theme::Dark,
    };
    let files = gallery_files(theme).context("a page cannot be rendered")?;
    for (name, body) in &files {
        let file = folder.join(name);
        if let Some(above) = file.parent() {
            std::fs::create_dir_all(above)
                .with_context(|| format!("cannot make `{}`", above.display()))?;
        }
        std::fs::write(&file, body)
            .with_context(|| format!("cannot write `{}`", file.display()))?;
    }
    let pages = files
        .keys()
        .filter(|name| {
            name.contains("--") && Path::new(name).extension().is_some_and(|end| end == "html")
        })
        .count();
    terminal::print(&format!(
        "{pages} pages: open {}\n",
        folder.join("index.html").display()
    ))?;
    Ok(ExitCode::SUCCESS)
}
