//! What people type about an incident: trimmed, within bounds, and nothing in it that cannot be seen.

use countersign_cases::policy::{REASON_CHARS_MAX, REASON_CHARS_MIN};

use super::IncidentError;

/// Most characters of a line: a title, a task, an update, a line of the timeline.
pub(crate) const LINE_CHARS_MAX: usize = 500;

/// Most characters of a long text: an update, the long versions of a statement.
pub(crate) const TEXT_CHARS_MAX: usize = 12_000;

/// A reason, with the bounds that reasons have everywhere.
pub(crate) fn reason(text: &str) -> Result<String, IncidentError> {
    bounded("reason", text, REASON_CHARS_MIN, REASON_CHARS_MAX, true)
}

/// One line.
pub(crate) fn line(field: &'static str, text: &str) -> Result<String, IncidentError> {
    bounded(field, text, 3, LINE_CHARS_MAX, false)
}

/// A text of several lines; it may be empty.
pub(crate) fn long(field: &'static str, text: &str) -> Result<String, IncidentError> {
    let text = text.replace("\r\n", "\n");
    bounded(field, &text, 0, TEXT_CHARS_MAX, true)
}

fn bounded(
    field: &'static str,
    text: &str,
    min: usize,
    max: usize,
    lines: bool,
) -> Result<String, IncidentError> {
    let text = text.trim();
    let count = text.chars().count();
    let why = if count < min {
        format!("at least {min} characters")
    } else if count > max {
        format!("at most {max} characters")
    } else if text
        .chars()
        .any(|letter| letter.is_control() && !(lines && matches!(letter, '\n' | '\t')))
    {
        "characters that nobody can see".to_owned()
    } else {
        return Ok(text.to_owned());
    };
    Err(IncidentError::Field { field, why })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_those_of_characters_and_not_of_bytes() {
        assert!(reason("für später").is_ok());
        assert!(reason("kurz").is_err());
        assert!(line("title", &"é".repeat(500)).is_ok());
        assert!(line("title", &"é".repeat(501)).is_err());
        assert!(line("title", "two\nlines").is_err());
        assert_eq!(long("text", "a\r\nb \n").unwrap(), "a\nb");
        assert!(long("text", "a\0b").is_err());
    }
}
