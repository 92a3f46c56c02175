//! The gallery: every page in every state, as `countersign pages gallery` writes it.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests, which clippy does not see as tests"
)]

mod checks;
#[path = "../common/mod.rs"]
mod common;
mod pictures;
mod site;

use std::collections::BTreeSet;
use std::path::Path;

use common::{countersign, said};
use countersign_web::pages;

/// Whoever opens the index can reach every page, and every page finds all that it loads.
#[test]
fn every_page_in_every_state_is_there_and_linked() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (printed, complaint, code) = said(&countersign(&[
        "pages",
        "gallery",
        folder.to_str().unwrap(),
    ]));
    assert_eq!(code, 0, "{complaint}");
    let expected: BTreeSet<String> = pages::gallery()
        .unwrap()
        .iter()
        .map(pages::GalleryPage::file)
        .collect();
    assert!(
        printed.starts_with(&format!("{} pages: open ", expected.len())),
        "{printed}"
    );
    let index = std::fs::read_to_string(folder.join("index.html")).unwrap();
    let linked: BTreeSet<String> = values(&index, "href=\"")
        .filter(|href| !href.starts_with("assets/"))
        .map(str::to_owned)
        .collect();
    assert_eq!(linked, expected);
    for file in linked.iter().map(String::as_str).chain(["index.html"]) {
        let html = std::fs::read_to_string(folder.join(file)).unwrap();
        assert!(
            html.ends_with("</html>\n") || html.ends_with("</html>"),
            "{file}"
        );
        let loaded: Vec<&str> = values(&html, "=\"assets/").collect();
        assert!(loaded.len() >= 2, "{file} has no style");
        for asset in loaded {
            assert!(
                is_file(&folder.join("assets").join(asset)),
                "{file}: {asset}"
            );
        }
        assert!(!html.contains("\"/assets/"), "{file} needs a server");
    }
}

#[test]
fn all_pages_are_in_the_colours_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    for theme in ["dark", "light"] {
        let (_, complaint, code) =
            said(&countersign(&["pages", "gallery", path, "--theme", theme]));
        assert_eq!(code, 0, "{complaint}");
        for page in pages::gallery().unwrap() {
            let html = std::fs::read_to_string(folder.path().join(page.file())).unwrap();
            let tag = html
                .split_once("<html")
                .unwrap()
                .1
                .split_once('>')
                .unwrap()
                .0;
            assert_eq!(
                tag.matches("data-theme=").count(),
                1,
                "{}: {tag}",
                page.file()
            );
            assert!(
                tag.contains(&format!("data-theme={theme}")),
                "{}: {tag}",
                page.file()
            );
        }
    }
}

fn values<'a>(html: &'a str, start: &'a str) -> impl Iterator<Item = &'a str> {
    html.split(start)
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
}

fn is_file(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|file| file.is_file() && file.len() > 0)
}
