//! Writes every page in every state to a directory, to be opened in a browser without a server:
//! `cargo run -p countersign_web --example gallery -- DIR [light|dark]`

use std::error::Error;
use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

use countersign_web::{assets, pages};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let dir = PathBuf::from(arguments.next().ok_or("usage: gallery DIR [light|dark]")?);
    let theme = arguments.next();
    fs::create_dir_all(dir.join("assets"))?;
    for name in ["app.css", "live.js", "passkey.js", "icon.svg"] {
        let href = assets::href(name);
        let file = href.trim_start_matches("/assets/");
        let asset = assets::asset(file).ok_or("an asset is missing")?;
        fs::write(dir.join("assets").join(file), asset.body)?;
    }
    let mut index = String::from("<!doctype html><meta charset=utf-8><title>Gallery</title><ul>");
    for page in pages::gallery()? {
        let file = format!("{}--{}.html", page.page, page.state);
        let mut html = page.html.replace("\"/assets/", "\"assets/");
        if let Some(theme) = &theme {
            html = html.replacen("<html ", &format!("<html data-theme=\"{theme}\" "), 1);
        }
        fs::write(dir.join(&file), html)?;
        write!(
            index,
            "<li><a href=\"{file}\">{}: {}</a>",
            page.page, page.state
        )?;
    }
    fs::write(dir.join("index.html"), index)?;
    Ok(())
}
