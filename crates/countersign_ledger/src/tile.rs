//! The addresses of a log's files, as c2sp.org/tlog-tiles lays them out.

use std::fmt;
use std::str::FromStr;

/// Hashes per hash tile and entries per entry bundle.
pub const TILE_WIDTH: u16 = 256;

/// Bytes of one hash.
const HASH_BYTES: usize = 32;

/// The highest level a tile can have: 2^64 entries fill eight levels of 2^8.
const LEVEL_MAX: u8 = 7;

/// Names one tile, without the log's prefix: `tile/0/x001/067.p/5`, `tile/entries/000`.
///
/// `index` counts tiles of the level from the left, `width` says how many hashes or
/// entries the tile holds: 1..=255 for a partial tile, 256 for a full one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TilePath {
    /// Hashes of 2^(8·level) entries each, 32 bytes apiece.
    Hashes {
        /// Height in tiles, 0..=7.
        level: u8,
        /// Zero-based place in the level.
        index: u64,
        /// 1..=256 hashes.
        width: u16,
    },
    /// The entries themselves, each behind its length in two bytes, big-endian.
    Entries {
        /// Zero-based place among the bundles.
        index: u64,
        /// 1..=256 entries.
        width: u16,
    },
}

impl TilePath {
    /// How many hashes or entries the tile holds, 1..=256.
    pub fn width(&self) -> u16 {
        match *self {
            Self::Hashes { width, .. } | Self::Entries { width, .. } => width,
        }
    }

    /// The zero-based place of the tile in its level.
    pub fn index(&self) -> u64 {
        match *self {
            Self::Hashes { index, .. } | Self::Entries { index, .. } => index,
        }
    }

    /// Whether the tile will never grow again.
    pub fn is_full(&self) -> bool {
        self.width() == TILE_WIDTH
    }

    /// The same tile at another width.
    #[must_use]
    pub fn with_width(self, width: u16) -> Self {
        match self {
            Self::Hashes { level, index, .. } => Self::Hashes {
                level,
                index,
                width,
            },
            Self::Entries { index, .. } => Self::Entries { index, width },
        }
    }

    /// The bytes of this tile, cut from the bytes of the same tile at this width or a greater one.
    ///
    /// Tiles only grow at their end, so a store may keep the widest version alone. Answers
    /// `None` when `wider` holds less than this tile needs or is not a tile.
    pub fn cut<'a>(&self, wider: &'a [u8]) -> Option<&'a [u8]> {
        match self {
            Self::Hashes { width, .. } => wider.get(..usize::from(*width) * HASH_BYTES),
            Self::Entries { width, .. } => {
                let mut rest = wider;
                for _ in 0..*width {
                    (_, rest) = split_entry(rest)?;
                }
                wider.get(..wider.len() - rest.len())
            }
        }
    }
}

/// The first entry of a bundle and the bytes after it; `None` at the end or if cut short.
pub(crate) fn split_entry(bundle: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bundle.split_first_chunk::<2>()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
}

/// The entries of a bundle in order, or `None` if its bytes do not divide into entries.
pub fn entries(bundle: &[u8]) -> Option<Vec<&[u8]>> {
    let mut found = Vec::new();
    let mut rest = bundle;
    while !rest.is_empty() {
        let (entry, after) = split_entry(rest)?;
        found.push(entry);
        rest = after;
    }
    Some(found)
}

impl fmt::Display for TilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hashes { level, .. } => write!(f, "tile/{level}/")?,
            Self::Entries { .. } => write!(f, "tile/entries/")?,
        }
        // Groups of three digits, all but the last marked with an `x`.
        let index = self.index();
        let mut scale = 1;
        while index / scale >= 1000 {
            scale *= 1000;
        }
        while scale > 1 {
            write!(f, "x{:03}/", index / scale % 1000)?;
            scale /= 1000;
        }
        write!(f, "{:03}", index % 1000)?;
        if self.is_full() {
            Ok(())
        } else {
            write!(f, ".p/{}", self.width())
        }
    }
}

/// Why a text is not the path of a tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotATilePath;

impl fmt::Display for NotATilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not the path of a tile")
    }
}

impl std::error::Error for NotATilePath {}

impl FromStr for TilePath {
    type Err = NotATilePath;

    /// Accepts the one canonical spelling of each path and nothing else, so that no two
    /// addresses serve the same bytes.
    fn from_str(text: &str) -> Result<Self, NotATilePath> {
        let path = parse(text).ok_or(NotATilePath)?;
        if path.to_string() == text {
            Ok(path)
        } else {
            Err(NotATilePath)
        }
    }
}

fn parse(text: &str) -> Option<TilePath> {
    let (level, place) = text.strip_prefix("tile/")?.split_once('/')?;
    let (groups, width) = match place.split_once(".p/") {
        Some((groups, width)) => (groups, width.parse().ok()?),
        None => (place, TILE_WIDTH),
    };
    if width == 0 || width > TILE_WIDTH {
        return None;
    }
    let mut index: u64 = 0;
    for group in groups.split('/') {
        let digits: u64 = group.strip_prefix('x').unwrap_or(group).parse().ok()?;
        index = index.checked_mul(1000)?.checked_add(digits)?;
    }
    if level == "entries" {
        return Some(TilePath::Entries { index, width });
    }
    let level = level.parse().ok().filter(|level| *level <= LEVEL_MAX)?;
    Some(TilePath::Hashes {
        level,
        index,
        width,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn paths_read_as_the_specification_writes_them() {
        for (path, text) in [
            (
                TilePath::Hashes {
                    level: 0,
                    index: 1067,
                    width: 5,
                },
                "tile/0/x001/067.p/5",
            ),
            (
                TilePath::Entries {
                    index: 0,
                    width: 256,
                },
                "tile/entries/000",
            ),
            (
                TilePath::Entries {
                    index: 1_234_067,
                    width: 256,
                },
                "tile/entries/x001/x234/067",
            ),
            (
                TilePath::Hashes {
                    level: 7,
                    index: u64::MAX,
                    width: 1,
                },
                "tile/7/x018/x446/x744/x073/x709/x551/615.p/1",
            ),
        ] {
            assert_eq!(path.to_string(), text);
            assert_eq!(text.parse(), Ok(path));
        }
    }

    #[test]
    fn other_spellings_are_refused() {
        for text in [
            "",
            "tile",
            "tile/0",
            "tile/0/",
            "tile/0/0",
            "tile/0/00",
            "tile/0/0000",
            "tile/0/x000/000",
            "tile/0/001/067",
            "tile/0/x001/x067",
            "tile/0/x001",
            "tile/0/x1/067",
            "tile/00/000",
            "tile/+0/000",
            "tile/0/+00",
            "tile/8/000",
            "tile/0/000.p/0",
            "tile/0/000.p/256",
            "tile/0/000.p/05",
            "tile/0/000.p/+5",
            "tile/0/000.p/5/",
            "tile/0/000.p",
            "tile/0/000.p/",
            "tile/0/000/",
            "tile//000",
            "/tile/0/000",
            "tile/0/x999/x999/x999/x999/x999/x999/999",
            "tile/entries/000 ",
            "tile/Entries/000",
            "tile/entries/../000",
            "tile/0/٠٠٠",
        ] {
            assert_eq!(text.parse::<TilePath>(), Err(NotATilePath), "{text}");
        }
    }

    #[test]
    fn a_partial_tile_is_cut_from_a_wider_one() {
        let bundle = [0, 1, b'a', 0, 0, 0, 2, b'b', b'c'];
        let path = TilePath::Entries { index: 0, width: 2 };
        assert_eq!(path.cut(&bundle), Some(&bundle[..5]));
        assert_eq!(path.with_width(3).cut(&bundle), Some(&bundle[..]));
        assert_eq!(path.with_width(4).cut(&bundle), None);
        assert_eq!(entries(&bundle), Some(vec![&b"a"[..], b"", b"bc"]));
        assert_eq!(entries(&bundle[..8]), None);
    }

    proptest! {
        #[test]
        fn every_path_reads_back(level in 0..=LEVEL_MAX, index: u64, width in 1..=TILE_WIDTH) {
            let hashes = TilePath::Hashes { level, index, width };
            prop_assert_eq!(hashes.to_string().parse(), Ok(hashes));
            let bundle = TilePath::Entries { index, width };
            prop_assert_eq!(bundle.to_string().parse(), Ok(bundle));
        }

        #[test]
        fn any_text_is_read_without_a_panic(text in "(tile/)?[0-9x/.pentris]{0,40}") {
            if let Ok(path) = text.parse::<TilePath>() {
                prop_assert_eq!(path.to_string(), text);
            }
        }
    }
}
