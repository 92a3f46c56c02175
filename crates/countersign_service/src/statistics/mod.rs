//! How often procedure was really followed: figures from events alone.
//!
//! [`fold`] says what one event adds, [`rollup`] adds up, [`interval`] says how
//! far a rate can be trusted, [`report`] puts the figures together. What is
//! kept by day and month is kept by [`crate::kept`]; a test holds it against a
//! recount from the events.
//!
//! Nobody is shown by name but to themselves and to auditors, and nobody under
//! [`NAMED_FROM`] answers: people are not ranked by figures this small.

pub(crate) mod fold;
mod interval;
mod report;
pub(crate) mod rollup;
mod text;

use countersign_cases::Timestamp;

pub use interval::{Rate, grouped};
pub use report::{
    ActionRow, ApproverRow, Bar, ExceptionRow, HourRow, PeriodRow, Statistics, StepRow, Totals,
    Vigilance,
};
pub use text::{csv, length, text};

use crate::{
    cases::CaseError,
    gate::Gate,
    kept::{self, KeptSums, day_of},
    records::{self, space},
    sessions::{MachineCaller, SignedInStaff},
    settings::{ConsoleRole, Scope},
    staff::Operator,
    trouble::Trouble,
};
use report::Series;
use rollup::Rollup;

/// Charts begin at so many cases.
pub const CHARTS_FROM: u64 = 20;

/// A colleague's figures are shown to others from so many answers on.
pub const NAMED_FROM: u64 = 5;

/// The most days a period is shown by; longer ones are shown by month.
const DAYS_MAX: usize = 92;

/// Days of a period nobody chose.
const DEFAULT_DAYS: i64 = 30;

/// Records read at once.
const READ_MAX: usize = 2_000;

/// What the figures are about.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct StatisticsQuery {
    /// First day, `2026-11-23`, UTC; thirty days to the last one if left out.
    pub from: Option<String>,
    /// Last day; today if left out.
    pub to: Option<String>,
    /// Only this action.
    pub action: Option<String>,
    /// Only cases opened by this role, `customer` or `robot`.
    pub team: Option<String>,
    /// Only cases under this version of the procedure, hexadecimal, or the beginning of it.
    pub procedure: Option<String>,
}

/// Whose names may be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Reader {
    /// Everybody's, from [`NAMED_FROM`] answers on.
    Auditor,
    /// Their own.
    Person(String),
    /// Nobody's.
    Program,
}

/// Names, each with what people read.
pub type Choices = Vec<(String, String)>;

impl Gate {
    /// The figures of a period, for a member of staff: their own answers beside everybody's; for an auditor all of them.
    ///
    /// # Errors
    /// [`CaseError::NotAllowed`] without a role in the procedure and without the console role `auditor`.
    pub async fn statistics(
        &self,
        by: &SignedInStaff,
        query: &StatisticsQuery,
    ) -> Result<Statistics, CaseError> {
        let auditor = by.has(ConsoleRole::Auditor);
        if by.roles().is_empty() && !auditor {
            return Err(CaseError::NotAllowed("auditor"));
        }
        let reader = if auditor {
            Reader::Auditor
        } else {
            Reader::Person(by.person().0.clone())
        };
        let mut statistics = self.figures(query, &reader).await?;
        if auditor {
            statistics.own = self.own(query, &by.person().0).await?;
        }
        Ok(statistics)
    }

    /// The figures of a period, for a program; nobody is named.
    ///
    /// # Errors
    /// [`CaseError::NotAllowed`] without the scope `read`.
    pub async fn statistics_for(
        &self,
        by: &MachineCaller,
        query: &StatisticsQuery,
    ) -> Result<Statistics, CaseError> {
        if !by.may(Scope::Read) {
            return Err(CaseError::NotAllowed("read"));
        }
        Ok(self.figures(query, &Reader::Program).await?)
    }

    /// The figures of a period, for whoever has the database.
    ///
    /// # Errors
    /// [`Trouble`], if the store does not answer.
    pub async fn statistics_at_the_console(
        &self,
        _: &Operator,
        query: &StatisticsQuery,
    ) -> Result<Statistics, Trouble> {
        self.figures(query, &Reader::Auditor).await
    }

    /// Actions and teams that figures can be asked for.
    pub fn statistics_choices(&self) -> (Choices, Choices) {
        let procedure = self.procedure();
        let actions = procedure
            .actions
            .iter()
            .filter(|action| !action.outside)
            .map(|action| (action.name.clone(), action.label.clone()))
            .collect();
        let roles = procedure
            .roles
            .iter()
            .map(|role| (role.name.clone(), role.label.clone()));
        let teams = [("customer", "customer"), ("robot", "program")]
            .map(|(name, label)| (name.to_owned(), label.to_owned()))
            .into_iter()
            .chain(roles)
            .collect();
        (actions, teams)
    }

    async fn own(
        &self,
        query: &StatisticsQuery,
        person: &str,
    ) -> Result<Option<ApproverRow>, Trouble> {
        let period = Period::of(query, self.now());
        let sums = self.total(&period, query).await?;
        Ok(sums
            .approvers
            .get(person)
            .map(|answers| report::approver(person, answers)))
    }

    async fn figures(
        &self,
        query: &StatisticsQuery,
        reader: &Reader,
    ) -> Result<Statistics, Trouble> {
        let period = Period::of(query, self.now());
        let series = self.series(&period, query).await?;
        let before = self.total(&period.before(), query).await?;
        let cursor = self.kept_until().await?;
        let mut statistics = report::report(&period, &series, &before, &self.procedure());
        // The denominator that only the backend knows.
        for kept in self.kept_reconciliations().await? {
            statistics.rates.extend(report::adherence(&kept));
        }
        for sent in self.feed_figures(&period.from, &period.to).await? {
            statistics.rates.extend(report::sent(&sent));
        }
        statistics.behind = self.position().saturating_sub(cursor.position);
        let all = series.total();
        match reader {
            Reader::Auditor => {
                let enough = all
                    .approvers
                    .iter()
                    .filter(|(_, answers)| answers.signed + answers.refused >= NAMED_FROM);
                statistics.approvers = enough
                    .map(|(person, answers)| report::approver(person, answers))
                    .collect();
            }
            Reader::Person(person) => {
                let answers = all.approvers.get(person);
                statistics.own = answers.map(|answers| report::approver(person, answers));
            }
            Reader::Program => {}
        }
        // By name, so that the order says nothing.
        statistics.approvers.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(statistics)
    }

    /// The sums of each day or month of a period, without those where nothing happened.
    async fn series(&self, period: &Period, query: &StatisticsQuery) -> Result<Series, Trouble> {
        let mut series = Series::default();
        let mut add = |period: &str, kept: &KeptSums| {
            let by_period = series.by_period.entry(period.to_owned());
            by_period.or_default().absorb(&kept.sums);
            let teams = series.by_action.entry(kept.slice.action.clone());
            let team = teams.or_default().entry(kept.slice.team.clone());
            team.or_default().absorb(&kept.sums);
        };
        let days = period.days();
        if days.len() <= DAYS_MAX {
            for (day, kept) in self.kept_sums(&period.from, &period.to, query).await? {
                add(&day, &kept);
            }
            return Ok(series);
        }
        // Whole months from the sums of months, what is left at the ends from those of days.
        let mut at = 0;
        while let Some(day) = days.get(at) {
            let month = day.get(..7).unwrap_or_default().to_owned();
            let length = days
                .iter()
                .skip(at)
                .take_while(|day| day.starts_with(&month))
                .count();
            let last = days.get(at + length - 1).unwrap_or(day);
            let whole = day.ends_with("-01") && is_last_of_month(last);
            let found = if whole {
                self.kept_sums(&month, &month, query).await?
            } else {
                self.kept_sums(day, last, query).await?
            };
            for (_, kept) in &found {
                add(&month, kept);
            }
            at += length;
        }
        Ok(series)
    }

    async fn total(&self, period: &Period, query: &StatisticsQuery) -> Result<Rollup, Trouble> {
        Ok(self.series(period, query).await?.total())
    }

    /// Kept sums whose day, or month, lies between these two and whose slice is asked for.
    async fn kept_sums(
        &self,
        first: &str,
        last: &str,
        query: &StatisticsQuery,
    ) -> Result<Vec<(String, KeptSums)>, Trouble> {
        let mut from = kept::sums_of_period(first);
        // Below every key of the next day: `0` follows `/`.
        let to = format!("{}0", kept::sums_of_period(last).trim_end_matches('/'));
        let mut found = Vec::new();
        loop {
            let range = countersign_store::KeyRange {
                from: from.clone(),
                to: to.clone(),
                reverse: false,
            };
            let page = self.journal().scan(space::FIGURES, range, READ_MAX).await?;
            for record in &page {
                let mut parts = record.key.splitn(3, '/').skip(1);
                let (Some(period), Some(slice)) = (parts.next(), parts.next()) else {
                    continue;
                };
                if !asked_for(slice, query) {
                    continue;
                }
                let kept: KeptSums = records::read_json(&record.value)?;
                found.push((period.to_owned(), kept));
            }
            match page.last() {
                Some(record) if page.len() == READ_MAX => from = format!("{} ", record.key),
                _ => return Ok(found),
            }
        }
    }
}

/// Whether the slice of this key (`action/team/procedure`) is asked for.
fn asked_for(slice: &str, query: &StatisticsQuery) -> bool {
    let mut parts = slice.split('/');
    let mut is = |wanted: &Option<String>| {
        let part = parts.next().unwrap_or_default();
        wanted
            .as_ref()
            .is_none_or(|wanted| part == records::part(wanted))
    };
    let (action, team) = (is(&query.action), is(&query.team));
    let version = parts.next().unwrap_or_default();
    action
        && team
        && query
            .procedure
            .as_ref()
            .is_none_or(|wanted| version.starts_with(wanted.as_str()))
}

/// First and last day, both included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Period {
    pub(crate) from: String,
    pub(crate) to: String,
}

impl Period {
    pub(crate) fn of(query: &StatisticsQuery, now: Timestamp) -> Self {
        let today = day_of(now);
        let read = |text: &Option<String>| text.as_ref().and_then(|text| date(text));
        let to = read(&query.to)
            .or_else(|| date(&today))
            .unwrap_or(jiff::civil::Date::ZERO);
        let from = read(&query.from).unwrap_or_else(|| back(to, DEFAULT_DAYS - 1));
        Self {
            from: from.min(to).to_string(),
            to: to.to_string(),
        }
    }

    /// As many days just before.
    fn before(&self) -> Self {
        let days = i64::try_from(self.days().len()).unwrap_or(DEFAULT_DAYS);
        let from = date(&self.from).unwrap_or(jiff::civil::Date::ZERO);
        Self {
            from: back(from, days).to_string(),
            to: back(from, 1).to_string(),
        }
    }

    /// Every day of it, at most twenty years.
    pub(crate) fn days(&self) -> Vec<String> {
        let (Some(from), Some(to)) = (date(&self.from), date(&self.to)) else {
            return Vec::new();
        };
        from.series(jiff::Span::new().days(1))
            .take(7_305)
            .take_while(|day| *day <= to)
            .map(|day| day.to_string())
            .collect()
    }
}

fn date(text: &str) -> Option<jiff::civil::Date> {
    text.parse().ok()
}

fn back(day: jiff::civil::Date, days: i64) -> jiff::civil::Date {
    day.checked_sub(jiff::Span::new().days(days)).unwrap_or(day)
}

fn is_last_of_month(day: &str) -> bool {
    date(day).is_some_and(|day| day == day.last_of_month())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_is_thirty_days_and_the_one_before_as_long() {
        let monday = Timestamp(1_795_428_000_000);
        let period = Period::of(&StatisticsQuery::default(), monday);
        assert_eq!(
            (period.from.as_str(), period.to.as_str()),
            ("2026-10-25", "2026-11-23")
        );
        assert_eq!(period.days().len(), 30);
        let before = period.before();
        assert_eq!(
            (before.from.as_str(), before.to.as_str()),
            ("2026-09-25", "2026-10-24")
        );
        let turned = StatisticsQuery {
            from: Some("2027-01-01".to_owned()),
            to: Some("2026-12-01".to_owned()),
            ..StatisticsQuery::default()
        };
        assert_eq!(Period::of(&turned, monday).days(), ["2026-12-01"]);
        let nonsense = StatisticsQuery {
            from: Some("yesterday".to_owned()),
            ..StatisticsQuery::default()
        };
        assert_eq!(Period::of(&nonsense, monday), period);
    }

    #[test]
    fn slices_are_asked_for_by_their_parts() {
        let query = StatisticsQuery {
            action: Some("server.reinstall".to_owned()),
            procedure: Some("4be1".to_owned()),
            ..StatisticsQuery::default()
        };
        assert!(asked_for("server.reinstall/agent/4be1c0", &query));
        assert!(!asked_for("server.reinstall/agent/5be1c0", &query));
        assert!(!asked_for("email.change/agent/4be1c0", &query));
        assert!(asked_for("x/y/z", &StatisticsQuery::default()));
    }
}
