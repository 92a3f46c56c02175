//! Lists of cases: the desk, the approvals, a customer's cases.

use countersign_cases::{CaseId, CustomerId, Timestamp};
use countersign_store::KeyRange;
use serde::Serialize;

use crate::{
    cases::CaseError,
    gate::Gate,
    records::{self, CaseRow, space},
    sessions::{CustomerSeat, SignedInStaff},
    trouble::Trouble,
    views::{Ability, can_sign},
};

/// The count beside "Approvals" stops here.
const APPROVALS_MAX: usize = 100;

/// Cases the reader can sign after which a page of approvals ends.
const APPROVALS_SHOWN: usize = 25;

/// Most cases that are weighed anew for one page of approvals, so that nobody's own cases hide behind those of others.
const APPROVALS_WEIGHED: usize = 200;

/// Most rows of one list.
const ROWS_MAX: usize = 50;

/// Counts beside a list stop here: nobody works through more, and counting them is not free.
const COUNTED_MAX: usize = 500;

/// A row of the desk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeskRow {
    /// The case.
    pub case: CaseId,
    /// The customer.
    pub customer: CustomerId,
    /// Their name.
    pub customer_name: String,
    /// Label of the action.
    pub action_label: String,
    /// The sentence, character for character; masked only for a customer who has proved nothing.
    pub sentence: String,
    /// The state in one word.
    pub state: String,
    /// What is missing, in people's words.
    pub missing: Vec<String>,
    /// Who opened it; `None` for the customer.
    pub opened_by: Option<String>,
    /// When.
    pub opened_at: Timestamp,
    /// Last change.
    pub updated_at: Timestamp,
    /// When it runs out.
    pub expires_at: Timestamp,
    /// Names of roles a signature is waited for of.
    pub wants_sign_off: Vec<String>,
    /// When its wait is over, while it waits.
    pub takes_effect_at: Option<Timestamp>,
}

/// Which cases the desk shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeskFilter {
    /// Opened by the reader, not finished.
    Mine,
    /// Not finished, whoever opened them.
    Team,
    /// Waiting for a signature.
    WaitingForSignOff,
    /// Finished since midnight UTC.
    FinishedToday,
}

/// The approvals page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Approvals {
    /// Cases the reader can sign.
    pub for_me: Vec<DeskRow>,
    /// Cases that wait for a signature the reader cannot give, and why.
    pub cannot: Vec<(DeskRow, Ability)>,
    /// Cases the reader signed or refused, newest first.
    pub decided: Vec<DeskRow>,
    /// Where the page goes on with cases that wait, if it does not show them all.
    pub next: Option<String>,
}

impl Gate {
    /// A list of the desk. Ready cases first, then the oldest.
    pub async fn desk(
        &self,
        by: &SignedInStaff,
        filter: DeskFilter,
    ) -> Result<Vec<DeskRow>, CaseError> {
        if by.roles().is_empty() {
            return Err(CaseError::NotAllowed("staff"));
        }
        let (space, range) = self.where_listed(by, filter);
        let rows = match filter {
            DeskFilter::Mine | DeskFilter::Team => {
                let ids = self.list::<CaseId>(space, range, ROWS_MAX).await?;
                self.rows(&ids).await?
            }
            DeskFilter::WaitingForSignOff | DeskFilter::FinishedToday => {
                self.list(space, range, ROWS_MAX).await?
            }
        };
        let mut rows: Vec<DeskRow> = rows
            .iter()
            .filter(|row| !by.record().concerned.contains(&row.customer))
            .map(desk_row)
            .collect();
        if filter != DeskFilter::FinishedToday {
            rows.sort_by_key(|row| (row.state != "ready", row.opened_at));
        }
        Ok(rows)
    }

    /// How many cases there are under a filter, counted up to [`COUNTED_MAX`].
    pub async fn desk_count(
        &self,
        by: &SignedInStaff,
        filter: DeskFilter,
    ) -> Result<usize, CaseError> {
        if by.roles().is_empty() {
            return Err(CaseError::NotAllowed("staff"));
        }
        let (space, range) = self.where_listed(by, filter);
        let count = self.journal().count(space, range, COUNTED_MAX).await;
        Ok(count.map_err(Trouble::from)?)
    }

    fn where_listed(&self, by: &SignedInStaff, filter: DeskFilter) -> (&'static str, KeyRange) {
        match filter {
            DeskFilter::Mine => {
                let person = format!("{}/", records::part(&by.person().0));
                (space::OPEN_BY, records::beginning_with(&person, false))
            }
            DeskFilter::Team => (space::OPEN, records::beginning_with("", false)),
            DeskFilter::WaitingForSignOff => (space::WANTED, records::beginning_with("", false)),
            DeskFilter::FinishedToday => {
                let now = self.now();
                let midnight = Timestamp(now.0 - now.0.rem_euclid(86_400_000));
                let range = KeyRange {
                    from: records::sortable(midnight),
                    to: records::sortable(Timestamp(i64::MAX)),
                    reverse: true,
                };
                (space::FINISHED, range)
            }
        }
    }

    /// The approvals page: cases that wait, the oldest first, beginning after those of an earlier page.
    ///
    /// `after` is the earlier page's [`Approvals::next`]; empty for the first page, and anything else only means another place in the list.
    pub async fn approvals(&self, by: &SignedInStaff, after: &str) -> Result<Approvals, CaseError> {
        if by.roles().is_empty() {
            return Err(CaseError::NotAllowed("staff"));
        }
        let (mut for_me, mut cannot) = (Vec::new(), Vec::new());
        let mut range = records::beginning_with("", false);
        // The first key after it.
        range.from = format!("{after}/");
        let mut next = None;
        for _ in 0..APPROVALS_WEIGHED / APPROVALS_SHOWN {
            let found = self
                .journal()
                .scan(space::WANTED, range.clone(), APPROVALS_SHOWN)
                .await
                .map_err(Trouble::from)?;
            next = found
                .last()
                .filter(|_| found.len() == APPROVALS_SHOWN)
                .map(|last| last.key.clone());
            let wanted: Vec<CaseRow> = found
                .iter()
                .map(|record| records::read_json(&record.value))
                .collect::<Result<_, _>>()?;
            for (row, ability) in self.weigh(by, &wanted).await? {
                if ability.can {
                    for_me.push(row);
                } else {
                    cannot.push((row, ability));
                }
            }
            let Some(last) = &next else { break };
            if for_me.len() >= APPROVALS_SHOWN {
                break;
            }
            range.from = format!("{last}/");
        }
        let prefix = format!("{}/", records::part(&by.person().0));
        let mut ids = self
            .list::<CaseId>(
                space::DECIDED_BY,
                records::beginning_with(&prefix, true),
                ROWS_MAX,
            )
            .await?;
        ids.dedup();
        let decided = self.rows(&ids).await?.iter().map(desk_row).collect();
        Ok(Approvals {
            for_me,
            cannot,
            decided,
            next,
        })
    }

    /// Whether the reader can sign each of these cases. Those that were erased a moment ago, and those that concern the reader, are left out.
    async fn weigh(
        &self,
        by: &SignedInStaff,
        wanted: &[CaseRow],
    ) -> Result<Vec<(DeskRow, Ability)>, CaseError> {
        let weighed = wanted
            .iter()
            .filter(|row| !by.record().concerned.contains(&row.customer))
            .map(|row| async move {
                let loaded = match self.load_case(&row.case).await {
                    Ok(loaded) => loaded,
                    Err(CaseError::Unknown) => return Ok(None),
                    Err(error) => return Err(error),
                };
                let member = by.member(&loaded.procedure, &row.customer);
                let ability = Ability::of(can_sign(&loaded, &member));
                Ok(Some((desk_row(row), ability)))
            });
        // Side by side: each reads a handful of records.
        let weighed = futures_util::future::try_join_all(weighed).await?;
        Ok(weighed.into_iter().flatten().collect())
    }

    /// Cases of a customer, newest first.
    pub async fn cases_of_customer(
        &self,
        by: &SignedInStaff,
        customer: &CustomerId,
    ) -> Result<Vec<DeskRow>, CaseError> {
        if by.roles().is_empty() || by.record().concerned.contains(customer) {
            return Err(CaseError::NotAllowed("staff"));
        }
        let prefix = format!("{}/", records::part(&customer.0));
        let ids = self
            .list::<CaseId>(space::CASES_OF, records::beginning_with(&prefix, true), 100)
            .await?;
        Ok(self.rows(&ids).await?.iter().map(desk_row).collect())
    }

    /// Other cases of the customer who sits on this seat, once they have proved something: their receipts.
    pub async fn cases_of_seat(&self, seat: &CustomerSeat) -> Result<Vec<DeskRow>, CaseError> {
        if !self.seat_has_proved(seat).await? {
            let rows = self.rows(std::slice::from_ref(seat.case())).await?;
            return Ok(rows.iter().map(masked_row).collect());
        }
        let prefix = format!("{}/", records::part(&seat.customer().0));
        let ids = self
            .list::<CaseId>(space::CASES_OF, records::beginning_with(&prefix, true), 100)
            .await?;
        Ok(self.rows(&ids).await?.iter().map(desk_row).collect())
    }

    /// How many cases wait for a signature, for the badge on every page: at most [`APPROVALS_MAX`] are counted.
    pub async fn waiting_for_sign_off(&self, by: &SignedInStaff) -> Result<usize, CaseError> {
        if by.roles().is_empty() {
            return Ok(0);
        }
        let concerned = &by.record().concerned;
        let range = records::beginning_with("", false);
        if concerned.is_empty() {
            let count = self
                .journal()
                .count(space::WANTED, range, APPROVALS_MAX)
                .await;
            return Ok(count.map_err(Trouble::from)?);
        }
        let rows: Vec<CaseRow> = self.list(space::WANTED, range, APPROVALS_MAX).await?;
        let others = rows.iter().filter(|row| !concerned.contains(&row.customer));
        Ok(others.count())
    }

    /// The rows of these cases, read together; each once.
    pub(crate) async fn rows(&self, ids: &[CaseId]) -> Result<Vec<CaseRow>, Trouble> {
        let keys: Vec<String> = ids.iter().map(|id| records::part(&id.0)).collect();
        let found = self.journal().get_many(space::CASE, &keys).await?;
        let mut rows = std::collections::BTreeMap::new();
        for record in found {
            let row: CaseRow = records::read_json(&record.value)?;
            rows.insert(record.key, row);
        }
        // In the order asked for, which is that of the list.
        Ok(keys.iter().filter_map(|key| rows.remove(key)).collect())
    }
}

/// As the customer sees it who has proved nothing.
fn masked_row(row: &CaseRow) -> DeskRow {
    DeskRow {
        sentence: row.masked_sentence.clone(),
        ..desk_row(row)
    }
}

/// As staff see it: the words are the same for everybody who must judge or sign them.
fn desk_row(row: &CaseRow) -> DeskRow {
    DeskRow {
        case: row.case.clone(),
        customer: row.customer.clone(),
        customer_name: row.customer_name.clone(),
        action_label: row.action_label.clone(),
        sentence: row.sentence.clone(),
        state: row.state.clone(),
        missing: row.missing.clone(),
        opened_by: row.opener_name.clone(),
        opened_at: row.opened_at,
        updated_at: row.updated_at,
        expires_at: row.expires_at,
        wants_sign_off: row.wants_sign_off.clone(),
        takes_effect_at: row.takes_effect_at,
    }
}
