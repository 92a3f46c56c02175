//! Which language somebody reads: their own choice, else what their browser says (RFC 9110, 12.5.4), else the gate's.

use fluent_langneg::{NegotiationStrategy, negotiate_languages};
use unic_langid::LanguageIdentifier;

use super::Language;

/// Longest `Accept-Language` that is looked at, in bytes; browsers send less than a hundred.
const HEADER_BYTES_MAX: usize = 1_024;

impl Language {
    /// The language for somebody whose cookie and `Accept-Language` header say this.
    pub fn chosen(cookie: Option<&str>, accept: Option<&str>, otherwise: Self) -> Self {
        cookie
            .and_then(Self::of_tag)
            .or_else(|| accept.and_then(Self::accepted))
            .unwrap_or(otherwise)
    }

    /// The best language for an `Accept-Language` header; `None` if it names none that is spoken.
    fn accepted(header: &str) -> Option<Self> {
        if header.len() > HEADER_BYTES_MAX {
            return None;
        }
        let available: Vec<LanguageIdentifier> = Self::OFFERED
            .iter()
            .filter_map(|language| language.tag().parse().ok())
            .collect();
        let wanted = wanted(header);
        let best = negotiate_languages(&wanted, &available, None, NegotiationStrategy::Lookup);
        best.first()
            .and_then(|best| Self::of_tag(&best.to_string()))
    }
}

/// The languages of the header, best first; those of weight 0 are not wanted at all.
fn wanted(header: &str) -> Vec<LanguageIdentifier> {
    let mut weighed: Vec<(u16, LanguageIdentifier)> = header
        .split(',')
        .filter_map(|part| {
            let (tag, parameters) = part.split_once(';').unwrap_or((part, ""));
            let weight = match parameters.trim() {
                "" => 1_000,
                parameters => thousandths(
                    parameters
                        .strip_prefix("q=")
                        .or(parameters.strip_prefix("Q="))?,
                )?,
            };
            let tag: LanguageIdentifier = tag.trim().parse().ok()?;
            (weight > 0).then_some((weight, tag))
        })
        .collect();
    // Stable: of equal weights, the one named first.
    weighed.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
    weighed.into_iter().map(|(_, tag)| tag).collect()
}

/// A weight of RFC 9110, 12.4.2, in thousandths: `1`, `0.8`, `0.125`.
fn thousandths(weight: &str) -> Option<u16> {
    let (whole, fraction) = weight.trim().split_once('.').unwrap_or((weight.trim(), ""));
    let digits = fraction.len() <= 3 && fraction.bytes().all(|digit| digit.is_ascii_digit());
    if !digits {
        return None;
    }
    let fraction: u16 = format!("{fraction:0<3}").parse().ok()?;
    match whole {
        "0" => Some(fraction),
        "1" if fraction == 0 => Some(1_000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(cookie: Option<&str>, accept: &str) -> Language {
        Language::chosen(cookie, Some(accept), Language::English)
    }

    #[test]
    fn the_browser_says_and_the_cookie_wins() {
        for (accept, language) in [
            ("de", Language::German),
            ("de-CH", Language::German),
            ("DE-at", Language::German),
            ("fr-CA;q=0.9, en;q=0.8", Language::French),
            ("en;q=0.8, fr-CA;q=0.9", Language::French),
            ("es-419, en;q=0.5", Language::Spanish),
            ("ja, es;q=0.1", Language::Spanish),
            ("de;q=0, fr;q=0.001", Language::French),
            ("en-GB,en;q=0.9,de;q=0.8", Language::English),
            ("de ; q=0.5 , fr ; q=0.6", Language::French),
            ("ja", Language::English),
            ("de;q=0", Language::English),
            ("*", Language::English),
            ("*;q=0.5, fr;q=0.4", Language::French),
            ("", Language::English),
        ] {
            assert_eq!(chosen(None, accept), language, "{accept}");
        }
        assert_eq!(chosen(Some("es"), "de"), Language::Spanish);
        assert_eq!(
            Language::chosen(None, None, Language::German),
            Language::German
        );
    }

    #[test]
    fn garbage_is_nobodys_language() {
        let long = "de,".repeat(500);
        for accept in [
            "\u{0}",
            ";;;",
            "q=1",
            ",,,,",
            "de;q=2",
            "de;q=1.5",
            "de;q=-1",
            "de;q=0.1234",
            "de;q=NaN",
            "de;q",
            "de;level=1",
            "d e",
            "../../de",
            "<script>",
            long.as_str(),
        ] {
            assert_eq!(chosen(None, accept), Language::English, "{accept}");
        }
        for cookie in ["", "xx", "de-DE", "DE", "en-XA", "ar-XB", "de; Path=/"] {
            assert_eq!(chosen(Some(cookie), "fr"), Language::French, "{cookie}");
        }
    }
}
