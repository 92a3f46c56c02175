//! Which tiles a tree of some size has, and the bytes of its entry bundles.

use countersign_ledger::{TILE_WIDTH, TilePath};

/// Whether a tree of this size has the tile.
pub(crate) fn covers(size: u64, path: &TilePath) -> bool {
    let hashes = match path {
        TilePath::Hashes { level, .. } => hashes_at(size, *level),
        TilePath::Entries { .. } => size,
    };
    path.index()
        .checked_mul(u64::from(TILE_WIDTH))
        .and_then(|first| first.checked_add(u64::from(path.width())))
        .is_some_and(|end| end <= hashes)
}

/// Every tile and bundle of a tree of this size, the partial ones at its right edge included.
pub(crate) fn all(size: u64) -> impl Iterator<Item = TilePath> {
    let bundles = widths(size).map(|(index, width)| TilePath::Entries { index, width });
    let hashes = (0..=u8::MAX)
        .take_while(move |level| hashes_at(size, *level) > 0)
        .flat_map(move |level| {
            widths(hashes_at(size, level)).map(move |(index, width)| TilePath::Hashes {
                level,
                index,
                width,
            })
        });
    bundles.chain(hashes)
}

/// An entry bundle of these leaves (c2sp.org/tlog-tiles): each behind its length in two bytes,
/// big-endian. `None` if one does not fit.
pub(crate) fn bundle<'a>(leaves: impl IntoIterator<Item = &'a [u8]>) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    for leaf in leaves {
        bytes.extend_from_slice(&u16::try_from(leaf.len()).ok()?.to_be_bytes());
        bytes.extend_from_slice(leaf);
    }
    Some(bytes)
}

fn hashes_at(size: u64, level: u8) -> u64 {
    size.checked_shr(u32::from(level) * 8).unwrap_or(0)
}

/// Index and width of each tile that so many hashes or entries fill.
fn widths(hashes: u64) -> impl Iterator<Item = (u64, u16)> {
    let full = hashes / u64::from(TILE_WIDTH);
    let rest = u16::try_from(hashes % u64::from(TILE_WIDTH)).unwrap_or(0);
    (0..full)
        .map(|index| (index, TILE_WIDTH))
        .chain((rest > 0).then_some((full, rest)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_has_exactly_the_tiles_it_lists() {
        let paths = |size| all(size).map(|path| path.to_string()).collect::<Vec<_>>();
        assert_eq!(paths(0), Vec::<String>::new());
        assert_eq!(paths(5), ["tile/entries/000.p/5", "tile/0/000.p/5"]);
        assert_eq!(
            paths(513),
            [
                "tile/entries/000",
                "tile/entries/001",
                "tile/entries/002.p/1",
                "tile/0/000",
                "tile/0/001",
                "tile/0/002.p/1",
                "tile/1/000.p/2",
            ]
        );
        assert!(all(70_000).all(|path| covers(70_000, &path)));
    }

    #[test]
    fn narrower_tiles_are_covered_and_wider_ones_are_not() {
        for (path, covered) in [
            ("tile/0/000", true),
            ("tile/0/000.p/7", true),
            ("tile/0/001.p/44", true),
            ("tile/0/001.p/45", false),
            ("tile/entries/001.p/44", true),
            ("tile/entries/001.p/45", false),
            ("tile/0/001", false),
            ("tile/1/000.p/1", true),
            ("tile/1/000.p/2", false),
            ("tile/2/000.p/1", false),
            ("tile/0/x018/x446/x744/x073/x709/x551/615.p/1", false),
        ] {
            assert_eq!(covers(300, &path.parse().unwrap()), covered, "{path}");
        }
    }
}
