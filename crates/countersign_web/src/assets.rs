//! Style, scripts and icon: in the binary, named by their content.
//!
//! A name changes with its content, so an answer may be kept for ever
//! ([`CACHE_CONTROL`]). Compression happens once, when a file is first asked for.

use std::sync::OnceLock;

use sha2::{Digest, Sha256};

/// `Cache-Control` of every asset.
pub const CACHE_CONTROL: &str = "public, max-age=31536000, immutable";

/// A file to serve.
#[derive(Debug, Clone, Copy)]
pub struct Asset {
    /// `Content-Type`.
    pub content_type: &'static str,
    /// The file as it is.
    pub body: &'static [u8],
    /// The file with `Content-Encoding: br`.
    pub brotli: &'static [u8],
}

/// The file with this name under `/assets/`: `app.0123456789abcdef.css`.
pub fn asset(path: &str) -> Option<Asset> {
    let file = FILES.iter().find(|file| file.named() == path)?;
    Some(Asset {
        content_type: file.content_type,
        body: file.body,
        brotli: file.brotli.get_or_init(|| compress(file.body, QUALITY)),
    })
}

/// Every file: its path as in [`href`], and what is in it.
pub fn all() -> impl Iterator<Item = (String, &'static [u8])> {
    FILES
        .iter()
        .map(|file| (format!("/assets/{}", file.named()), file.body))
}

/// Path of the file with this plain name: `/assets/app.0123456789abcdef.css` for `app.css`.
/// A name that is not a file of ours gives a path that answers 404.
pub fn href(name: &str) -> String {
    let file = FILES.iter().find(|file| file.name == name);
    format!("/assets/{}", file.map_or(name, File::named))
}

struct File {
    name: &'static str,
    content_type: &'static str,
    body: &'static [u8],
    named: OnceLock<String>,
    brotli: OnceLock<Vec<u8>>,
}

impl File {
    const fn new(name: &'static str, content_type: &'static str, body: &'static [u8]) -> Self {
        Self {
            name,
            content_type,
            body,
            named: OnceLock::new(),
            brotli: OnceLock::new(),
        }
    }

    fn named(&self) -> &str {
        self.named.get_or_init(|| {
            let hash = Sha256::digest(self.body);
            let hash = u64::from_be_bytes(std::array::from_fn(|i| {
                hash.get(i).copied().unwrap_or_default()
            }));
            let hash = format!("{hash:016x}");
            match self.name.rsplit_once('.') {
                Some((stem, ending)) => format!("{stem}.{hash}.{ending}"),
                None => hash,
            }
        })
    }
}

/// Best compression is slow without optimisation, and nobody measures a development build.
const QUALITY: i32 = if cfg!(debug_assertions) { 5 } else { 11 };

fn compress(body: &[u8], quality: i32) -> Vec<u8> {
    let parameters = brotli::enc::BrotliEncoderParams {
        quality,
        mode: brotli::enc::backward_references::BrotliEncoderMode::BROTLI_MODE_TEXT,
        ..Default::default()
    };
    let mut packed = Vec::with_capacity(body.len() / 3);
    // Reading and writing memory does not fail; an empty answer would be refused by the tests below.
    let _ = brotli::BrotliCompress(&mut &*body, &mut packed, &parameters);
    packed
}

static FILES: [File; 7] = [
    File::new(
        "app.css",
        "text/css; charset=utf-8",
        include_bytes!("../assets/app.css"),
    ),
    File::new(
        "live.js",
        "text/javascript; charset=utf-8",
        include_bytes!("../assets/live.js"),
    ),
    File::new(
        "verify.js",
        "text/javascript; charset=utf-8",
        include_bytes!("../assets/verify.js"),
    ),
    File::new(
        "passkey.js",
        "text/javascript; charset=utf-8",
        include_bytes!("../assets/passkey.js"),
    ),
    File::new(
        "panel.js",
        "text/javascript; charset=utf-8",
        include_bytes!("../assets/panel.js"),
    ),
    File::new(
        "statement.js",
        "text/javascript; charset=utf-8",
        include_bytes!("../assets/statement.js"),
    ),
    File::new(
        "icon.svg",
        "image/svg+xml",
        include_bytes!("../assets/icon.svg"),
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn found_by_the_name_in_href_only() {
        for file in &FILES {
            let path = href(file.name);
            let found = asset(path.strip_prefix("/assets/").unwrap()).unwrap();
            assert_eq!(found.body, file.body);
            let mut unpacked = Vec::new();
            brotli::BrotliDecompress(&mut &*found.brotli, &mut unpacked).unwrap();
            assert_eq!(unpacked, file.body);
        }
        assert!(asset("app.css").is_none());
        assert!(asset("../Cargo.toml").is_none());
    }

    #[test]
    fn budgets() {
        for (name, most) in [
            ("app.css", 8192),
            ("live.js", 2048),
            ("passkey.js", 1536),
            ("panel.js", 1024),
            ("icon.svg", 512),
        ] {
            let file = FILES.iter().find(|file| file.name == name).unwrap();
            let size = compress(file.body, 11).len();
            println!("{name}: {size} bytes brotli, {} raw", file.body.len());
            assert!(size <= most, "{name} is {size} bytes, at most {most}");
        }
    }

    #[test]
    fn scripts_need_no_eval_and_no_inner_html() {
        for file in FILES
            .iter()
            .filter(|file| file.content_type.starts_with("text/javascript"))
        {
            let text = std::str::from_utf8(file.body).unwrap();
            for word in [
                "innerHTML",
                "outerHTML",
                "eval(",
                "document.write",
                "new Function",
                "http://",
                "https://",
            ] {
                assert!(!text.contains(word), "{} has {word}", file.name);
            }
        }
    }
}
