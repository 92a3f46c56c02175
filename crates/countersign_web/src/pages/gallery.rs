//! The gallery as files: every page in every state, an index, and the assets, to be looked at without a gate.

use std::collections::BTreeMap;

use askama::Template;

use super::GalleryPage;
use super::parts::Theme;
use crate::assets;

/// The files of a folder by their path in it, with `/` between the parts: `index.html` links to every page in every
/// state, and all of them find their style, scripts and icon under `assets/`, over `file:` as from any server.
///
/// Under [`Theme::System`] each page has the colours its sample asks for.
///
/// # Errors
/// If a template cannot be rendered; a test shows that none fails.
pub fn gallery_files(theme: Theme) -> askama::Result<BTreeMap<String, Vec<u8>>> {
    let pages = super::gallery()?;
    let index = IndexPage {
        theme,
        sections: sections(&pages),
    };
    let mut files = BTreeMap::from([("index.html".to_owned(), index.render()?)]);
    for page in pages {
        files.insert(page.file(), themed(&page.html, theme));
    }
    Ok(files
        .into_iter()
        .map(|(name, html)| (name, html.replace("\"/assets/", "\"assets/").into_bytes()))
        .chain(assets::all().map(|(path, body)| {
            let path = path.trim_start_matches('/').to_owned();
            (path, body.to_vec())
        }))
        .collect())
}

impl GalleryPage {
    /// Name of its file: `case--customer.html`.
    pub fn file(&self) -> String {
        format!("{}--{}.html", self.page, self.state)
    }

    /// Its title without the name after the dot.
    pub fn title(&self) -> &str {
        let title = self
            .html
            .split_once("<title>")
            .and_then(|(_, rest)| rest.split_once("</title>"))
            .map_or("", |(title, _)| title);
        title.rsplit_once(" · ").map_or(title, |(title, _)| title)
    }
}

#[derive(Debug, Template)]
#[template(path = "gallery.html")]
struct IndexPage {
    theme: Theme,
    sections: Vec<Section>,
}

#[derive(Debug)]
struct Section {
    page: &'static str,
    states: Vec<State>,
}

#[derive(Debug)]
struct State {
    file: String,
    name: &'static str,
    /// HTML, as it stands in the page.
    title: String,
}

/// The pages in the order of the gallery, each with its states.
fn sections(pages: &[GalleryPage]) -> Vec<Section> {
    pages
        .chunk_by(|one, next| one.page == next.page)
        .filter_map(|states| {
            Some(Section {
                page: states.first()?.page,
                states: states
                    .iter()
                    .map(|page| State {
                        file: page.file(),
                        name: page.state,
                        title: page.title().to_owned(),
                    })
                    .collect(),
            })
        })
        .collect()
}

/// The page in these colours, whatever its sample asked for.
fn themed(html: &str, theme: Theme) -> String {
    let Some((start, rest)) = html.split_once("<html").filter(|_| theme != Theme::System) else {
        return html.to_owned();
    };
    let (attributes, rest) = rest.split_once('>').unwrap_or((rest, ""));
    let attributes = attributes
        .replace(Theme::Light.attribute(), "")
        .replace(Theme::Dark.attribute(), "");
    format!("{start}<html{attributes}{}>{rest}", theme.attribute())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_asked_for_once() {
        let html = "<!doctype html>\n<html lang=\"en\" data-theme=light>\n<head>";
        assert_eq!(
            themed(html, Theme::Dark),
            "<!doctype html>\n<html lang=\"en\" data-theme=dark>\n<head>"
        );
        assert_eq!(themed(html, Theme::System), html);
    }

    #[test]
    fn a_title_is_what_stands_before_the_dot() {
        let page = GalleryPage {
            page: "desk",
            state: "mine",
            html: "<title>(2) Desk · all · Countersign</title>".into(),
        };
        assert_eq!(page.title(), "(2) Desk · all");
        assert_eq!(page.file(), "desk--mine.html");
    }
}
