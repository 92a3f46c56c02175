//! The words: the one sentence that says what will happen, shown the same everywhere.

/// The sentence with its parameter values marked; see [`Words::new`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    parts: Vec<Part>,
}

/// Where a parameter's value stands in the sentence: byte offsets, `start <= end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ValueSpan {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Value(String),
}

impl Words {
    /// From the sentence people sign and the places of the parameter values in it.
    /// A span that overlaps an earlier one, is out of range or cuts a character is ignored.
    pub fn new(sentence: &str, values: &[ValueSpan]) -> Self {
        let mut parts = Vec::new();
        let mut at = 0;
        for span in values {
            let (Some(before), Some(value)) = (
                sentence.get(at..span.start),
                sentence.get(span.start..span.end),
            ) else {
                continue;
            };
            parts.push(Part::Text(before.to_owned()));
            parts.push(Part::Value(value.to_owned()));
            at = span.end;
        }
        parts.push(Part::Text(
            sentence.get(at..).unwrap_or_default().to_owned(),
        ));
        Self { parts }
    }

    /// From pieces in order: `(text, is_value)`; what the procedure's `says` line gives.
    pub fn from_parts<'a>(pieces: impl IntoIterator<Item = (&'a str, bool)>) -> Self {
        let parts = pieces
            .into_iter()
            .map(|(text, is_value)| {
                if is_value {
                    Part::Value(text.to_owned())
                } else {
                    Part::Text(text.to_owned())
                }
            })
            .collect();
        Self { parts }
    }
}
