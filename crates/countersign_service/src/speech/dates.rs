//! Days, times and lengths of time as a language writes them: day month year, 24 hours.

use countersign_cases::Timestamp;
use jiff::ZonedDateTime;

use super::{Arg, Language};

/// How much of a moment is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MomentStyle {
    /// `10:31`
    Time,
    /// `10:31:04`
    Second,
    /// `24 Nov, 10:45`
    Day,
    /// `24 Nov 2026, 10:45`
    Year,
    /// `24 Nov 2026, 10:45:10`
    Full,
    /// `24 Nov 2026, 10:45:10 CET`
    Zone,
    /// `November 2026`
    Month,
    /// `24 November 2026, 10:31 UTC`, for letters
    Letter,
}

impl Language {
    /// A moment where its reader lives.
    pub fn moment(self, at: &ZonedDateTime, style: MomentStyle) -> String {
        let time = at.strftime("%H:%M").to_string();
        let second = at.strftime("%H:%M:%S").to_string();
        let time = match style {
            MomentStyle::Time => return time,
            MomentStyle::Second => return second,
            MomentStyle::Full | MomentStyle::Zone => second,
            _ => time,
        };
        let (year, zone) = (at.year().to_string(), at.strftime("%Z").to_string());
        let number = |number: i8| Arg::Number(u64::try_from(number).unwrap_or(0));
        let (day, month) = (("day", number(at.day())), ("month", number(at.month())));
        let (year, time, zone) = (
            ("year", Arg::Text(&year)),
            ("time", Arg::Text(&time)),
            ("zone", Arg::Text(&zone)),
        );
        match style {
            MomentStyle::Time | MomentStyle::Second | MomentStyle::Day => {
                self.tell("moment-day", &[day, month, time])
            }
            MomentStyle::Year | MomentStyle::Full => {
                self.tell("moment-year", &[day, month, year, time])
            }
            MomentStyle::Zone => self.tell("moment-zone", &[day, month, year, time, zone]),
            MomentStyle::Month => self.tell("moment-month", &[month, year]),
            MomentStyle::Letter => self.tell("moment-letter", &[day, month, year, time, zone]),
        }
    }

    /// `1 minute`, `24 hours`, `7 days`: a length of time in the largest unit that fits it whole, hours up to three days.
    pub fn length(self, seconds: u64) -> String {
        let (key, count) = match seconds {
            s if s >= 3 * 86_400 && s.is_multiple_of(86_400) => ("length-days", s / 86_400),
            s if s >= 3_600 && s.is_multiple_of(3_600) => ("length-hours", s / 3_600),
            s => ("length-minutes", s.div_ceil(60)),
        };
        self.tell(key, &[("count", Arg::Number(count))])
    }

    /// `in 16 minutes`, `2 hours ago`; nothing for what is now, or further away than two days.
    pub fn away(self, minutes: i64) -> Option<String> {
        let hours = (minutes.unsigned_abs() + 30) / 60;
        let (key, count) = match minutes {
            1..60 => ("away-in-minutes", minutes.unsigned_abs()),
            60..2_880 => ("away-in-hours", hours),
            -59..=-1 => ("away-minutes-ago", minutes.unsigned_abs()),
            -2_879..=-60 => ("away-hours-ago", hours),
            _ => return None,
        };
        Some(self.tell(key, &[("count", Arg::Number(count))]))
    }
}

/// Whole minutes from one moment to another, negative for the past.
pub fn minutes_of(from: Timestamp, to: Timestamp) -> i64 {
    to.0.saturating_sub(from.0) / 60_000
}
