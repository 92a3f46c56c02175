//! Fenced blocks of Markdown pages, for tests that run the examples in prose.

use std::path::{Path, PathBuf};

/// A fenced block.
#[derive(Debug)]
pub(crate) struct Block {
    /// First word after the fence.
    pub(crate) language: String,
    /// The other words.
    pub(crate) flags: Vec<String>,
    /// `key="value"` pairs.
    pub(crate) attributes: Vec<(String, String)>,
    /// The text between the fences.
    pub(crate) body: String,
    /// 1-based line of the opening fence.
    pub(crate) line: usize,
}

impl Block {
    pub(crate) fn attribute(&self, key: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|(name, _)| name == key)
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn has(&self, flag: &str) -> bool {
        self.flags.iter().any(|other| other == flag)
    }
}

pub(crate) fn blocks(page: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines = page.split_inclusive('\n').enumerate();
    while let Some((number, line)) = lines.next() {
        let Some(info) = line.strip_prefix("```") else {
            continue;
        };
        let (language, flags, attributes) = parse_info(info.trim_end());
        let mut body = String::new();
        for (_, line) in lines.by_ref() {
            if line.starts_with("```") {
                break;
            }
            body.push_str(line);
        }
        blocks.push(Block {
            language,
            flags,
            attributes,
            body,
            line: number + 1,
        });
    }
    blocks
}

fn parse_info(info: &str) -> (String, Vec<String>, Vec<(String, String)>) {
    let mut flags = Vec::new();
    let mut attributes = Vec::new();
    let mut letters = info.chars().peekable();
    loop {
        while letters.next_if(|letter| *letter == ' ').is_some() {}
        let mut word = String::new();
        while let Some(letter) = letters.next_if(|letter| !" =".contains(*letter)) {
            word.push(letter);
        }
        if word.is_empty() {
            break;
        }
        if letters.next_if_eq(&'=').is_some() {
            assert_eq!(letters.next(), Some('"'), "{info}");
            let mut value = String::new();
            while let Some(letter) = letters.next() {
                match letter {
                    '"' => break,
                    '\\' => value.push(letters.next().unwrap()),
                    other => value.push(other),
                }
            }
            attributes.push((word, value));
        } else {
            flags.push(word);
        }
    }
    let language = if flags.is_empty() {
        String::new()
    } else {
        flags.remove(0)
    };
    (language, flags, attributes)
}

/// All pages of a folder below the workspace, by name.
pub(crate) fn pages(folder: &str) -> Vec<(PathBuf, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(folder);
    let mut pages: Vec<_> = std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .map(|path| {
            let text = std::fs::read_to_string(&path).unwrap();
            (path, text)
        })
        .collect();
    pages.sort();
    assert!(!pages.is_empty());
    pages
}
