//! Moments of RFC 3339 in UTC, and the zones that statements name; no clock is read.

/// Seconds since 1970 in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment {
    pub(crate) seconds: i64,
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

impl Moment {
    /// `2026-03-14T09:12:00Z`, with fractions and offsets; a space for the `T` is read too.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let number = |from: usize, to: usize| -> Option<i64> {
            let digits = text.get(from..to)?;
            digits
                .bytes()
                .all(|byte| byte.is_ascii_digit())
                .then(|| digits.parse().ok())?
        };
        let mark = |at: usize, marks: &[u8]| {
            text.as_bytes()
                .get(at)
                .is_some_and(|byte| marks.contains(byte))
        };
        if !(mark(4, b"-") && mark(7, b"-") && mark(10, b"Tt ") && mark(13, b":") && mark(16, b":"))
        {
            return None;
        }
        let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
        let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
        let rest = text.get(19..)?;
        let rest = match rest.strip_prefix('.') {
            Some(fraction) => fraction.trim_start_matches(|digit: char| digit.is_ascii_digit()),
            None => rest,
        };
        let offset = match rest.as_bytes() {
            b"Z" | b"z" => 0,
            [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2]
                if [h1, h2, m1, m2].iter().all(|digit| digit.is_ascii_digit()) =>
            {
                let two =
                    |one: &u8, other: &u8| i64::from(one - b'0') * 10 + i64::from(other - b'0');
                let minutes = two(h1, h2) * 60 + two(m1, m2);
                if *sign == b'-' { -minutes } else { minutes }
            }
            _ => return None,
        };
        let there = (1..=12).contains(&month)
            && (1..=31).contains(&day)
            && hour < 24
            && minute < 60
            && second <= 60;
        there.then_some(Self {
            seconds: days(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second
                - offset * 60,
        })
    }

    /// Minutes since midnight, so many minutes east of UTC.
    pub(crate) fn minute_of_day(self, zone: i32) -> i32 {
        let local = self.seconds + i64::from(zone) * 60;
        i32::try_from(local.rem_euclid(86_400) / 60).unwrap_or(0)
    }

    /// Month and day of it, so many minutes east of UTC.
    pub(crate) fn month_and_day(self, zone: i32) -> (i64, i64) {
        let (_, month, day) = civil((self.seconds + i64::from(zone) * 60).div_euclid(86_400));
        (month, day)
    }

    /// `14 March 2026, 09:12 UTC`
    pub(crate) fn words(self) -> String {
        self.words_in(0)
    }

    pub(crate) fn words_in(self, zone: i32) -> String {
        let (year, month, day) = civil((self.seconds + i64::from(zone) * 60).div_euclid(86_400));
        let month = usize::try_from(month - 1)
            .ok()
            .and_then(|at| MONTHS.get(at))
            .unwrap_or(&"");
        let minute = self.minute_of_day(zone);
        let of = match zone {
            0 => String::new(),
            east => format!("{:+03}:{:02}", east / 60, (east % 60).abs()),
        };
        format!(
            "{day} {month} {year}, {:02}:{:02} UTC{of}",
            minute / 60,
            minute % 60
        )
    }
}

/// Minutes east of UTC of the zone that stands at the beginning of these small letters.
pub(crate) fn zone_minutes(after: &str) -> Option<i32> {
    const ZONES: [(&str, i32); 22] = [
        ("utc", 0),
        ("gmt", 0),
        ("z", 0),
        ("bst", 60),
        ("ist", 330),
        ("cet", 60),
        ("cest", 120),
        ("eet", 120),
        ("eest", 180),
        ("edt", -240),
        ("est", -300),
        ("et", -300),
        ("cdt", -300),
        ("cst", -360),
        ("mdt", -360),
        ("mst", -420),
        ("pdt", -420),
        ("pst", -480),
        ("pt", -480),
        ("jst", 540),
        ("aest", 600),
        ("aedt", 660),
    ];
    let word: String = after
        .trim_start_matches([' ', '('])
        .chars()
        .take_while(char::is_ascii_alphabetic)
        .collect();
    let word = match word.as_str() {
        // `9:12 am cet`: the half of the day is part of the time already, but not of every way to write it.
        "am" | "pm" => {
            let rest = after.trim_start().get(2..)?;
            return zone_minutes(rest);
        }
        word => word,
    };
    ZONES
        .iter()
        .find(|(name, _)| *name == word)
        .map(|(_, minutes)| *minutes)
}

/// Days since 1970-01-01 of a day of the Gregorian calendar (Hinnant, "chrono-Compatible Low-Level Date Algorithms").
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Year, month and day of a day since 1970-01-01; the inverse of [`days`].
fn civil(day: i64) -> (i64, i64, i64) {
    let day = day + 719_468;
    let era = day.div_euclid(146_097);
    let of_era = day.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, of_year - (153 * shifted + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_dates_are_each_other_s_inverse() {
        for day in -200_000..200_000 {
            let (year, month, of_month) = civil(day);
            assert_eq!(days(year, month, of_month), day);
        }
        assert_eq!(civil(0), (1970, 1, 1));
        assert_eq!(days(2026, 11, 23), 20_780);
    }

    #[test]
    fn moments_are_read_and_told() {
        let at = Moment::read("2026-03-14T09:12:30.5+01:00").unwrap();
        assert_eq!(at, Moment::read("2026-03-14 08:12:30Z").unwrap());
        assert_eq!(at.words(), "14 March 2026, 08:12 UTC");
        assert_eq!(at.words_in(-330), "14 March 2026, 02:42 UTC-05:30");
        for none in [
            "",
            "2026-03-14",
            "2026-13-14T09:12:30Z",
            "2026-03-14T09:12:30",
            "äöüß-03-14T09:12:30Z",
        ] {
            assert_eq!(Moment::read(none), None, "{none}");
        }
        assert_eq!(zone_minutes(" pm CET".to_lowercase().as_str()), Some(60));
        assert_eq!(zone_minutes(" and then"), None);
    }
}
