//! Text from bytes of any encoding: a statement comes out of a mail program, a word processor or a browser.

use std::borrow::Cow;

/// A text and what it was written in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded<'b> {
    /// The text.
    pub text: Cow<'b, str>,
    /// What it was taken for.
    pub encoding: Encoding,
}

/// Encodings that are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8, with or without a byte order mark.
    Utf8,
    /// UTF-16, lowest byte first.
    Utf16Little,
    /// UTF-16, highest byte first.
    Utf16Big,
    /// Windows-1252, which holds Latin-1: what is not UTF-8 is taken for it, and every byte means something in it.
    Windows1252,
}

impl Encoding {
    /// Its name, as people know it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "UTF-8",
            Self::Utf16Little => "UTF-16LE",
            Self::Utf16Big => "UTF-16BE",
            Self::Windows1252 => "Windows-1252",
        }
    }
}

/// Reads bytes of any kind; there are none it does not answer.
///
/// A byte order mark decides; without one, bytes of which every other one is zero are UTF-16, what is valid is UTF-8, and
/// the rest is Windows-1252. A text that was cut off inside of a letter is UTF-8 without that letter.
pub fn decode(bytes: &[u8]) -> Decoded<'_> {
    match bytes {
        [0xef, 0xbb, 0xbf, rest @ ..] => utf8(rest),
        [0xff, 0xfe, rest @ ..] => utf16(rest, Encoding::Utf16Little),
        [0xfe, 0xff, rest @ ..] => utf16(rest, Encoding::Utf16Big),
        _ => match zeros(bytes) {
            Some(encoding) => utf16(bytes, encoding),
            None => utf8(bytes),
        },
    }
}

/// Which half of the first letters is zero, if one mostly is.
fn zeros(bytes: &[u8]) -> Option<Encoding> {
    let pairs = bytes.chunks_exact(2).take(512);
    let looked_at = pairs.len();
    let (mut first, mut second) = (0, 0);
    for pair in pairs {
        first += usize::from(pair.first() == Some(&0));
        second += usize::from(pair.last() == Some(&0));
    }
    if looked_at == 0 || first.max(second) * 3 < looked_at * 2 || first.min(second) * 10 > looked_at
    {
        return None;
    }
    Some(if second > first {
        Encoding::Utf16Little
    } else {
        Encoding::Utf16Big
    })
}

fn utf8(bytes: &[u8]) -> Decoded<'_> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Decoded {
            text: Cow::Borrowed(text),
            encoding: Encoding::Utf8,
        },
        // Cut off inside of the last letter.
        Err(error) if error.error_len().is_none() && error.valid_up_to() > 0 => Decoded {
            text: String::from_utf8_lossy(bytes.get(..error.valid_up_to()).unwrap_or_default()),
            encoding: Encoding::Utf8,
        },
        Err(_) => Decoded {
            text: Cow::Owned(bytes.iter().map(|byte| windows(*byte)).collect()),
            encoding: Encoding::Windows1252,
        },
    }
}

fn utf16(bytes: &[u8], encoding: Encoding) -> Decoded<'static> {
    let units = bytes.chunks_exact(2).filter_map(|pair| {
        let pair = <[u8; 2]>::try_from(pair).ok()?;
        Some(if encoding == Encoding::Utf16Little {
            u16::from_le_bytes(pair)
        } else {
            u16::from_be_bytes(pair)
        })
    });
    let text = char::decode_utf16(units)
        .map(|letter| letter.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect();
    Decoded {
        text: Cow::Owned(text),
        encoding,
    }
}

/// The WHATWG's table of windows-1252 for 0x80 to 0x9f; the rest are the letters of their number.
fn windows(byte: u8) -> char {
    const HIGH: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž',
        '\u{8f}', '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}',
        'ž', 'Ÿ',
    ];
    byte.checked_sub(0x80)
        .and_then(|at| HIGH.get(usize::from(at)))
        .copied()
        .unwrap_or(char::from(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_encoding_says_the_same() {
        let text = "We’re sorry – €50 für Zoë.";
        let units: Vec<u16> = text.encode_utf16().collect();
        let little: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
        let big: Vec<u8> = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
        let windows = b"We\x92re sorry \x96 \x8050 f\xfcr Zo\xeb.".to_vec();
        let marked = |mark: &[u8], bytes: &[u8]| [mark, bytes].concat();
        for (bytes, encoding) in [
            (text.as_bytes().to_vec(), Encoding::Utf8),
            (marked(b"\xef\xbb\xbf", text.as_bytes()), Encoding::Utf8),
            (little.clone(), Encoding::Utf16Little),
            (marked(b"\xff\xfe", &little), Encoding::Utf16Little),
            (big.clone(), Encoding::Utf16Big),
            (marked(b"\xfe\xff", &big), Encoding::Utf16Big),
            (windows, Encoding::Windows1252),
        ] {
            let read = decode(&bytes);
            assert_eq!((read.text.as_ref(), read.encoding), (text, encoding));
        }
    }

    #[test]
    fn what_is_cut_off_loses_its_last_letter_only() {
        assert_eq!(
            decode("café".as_bytes().split_last().unwrap().1).text,
            "caf"
        );
        assert_eq!(decode(b"").text, "");
        assert_eq!(decode(b"\xff\xfe\x41").text, "");
        // Half a surrogate pair.
        assert_eq!(decode(b"\xff\xfe\x41\x00\x00\xd8").text, "A\u{fffd}");
    }
}
