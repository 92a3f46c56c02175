//! The number to match: two digits the agent tells in the chat and the customer types when they confirm.
//!
//! It is asked for where an agent opened the case and the action loses or
//! changes something. Whoever confirms then is in the conversation the agent
//! is in: somebody who was sent the link from elsewhere, or who presses "yes"
//! by reflex, does not know it (compare Microsoft's and Okta's number
//! matching against push fatigue). The agent sees the number and never what is
//! typed. It is derived from the digest, so another case has another one, and
//! is stored nowhere. Wrong numbers count per customer like wrong answers.

use aws_lc_rs::constant_time;
use countersign_cases::{
    Command, Digest, Timestamp,
    attempts::{Limits, Tally},
    decide,
};
use countersign_language::{Action, EffectKind};
use serde::Serialize;

use crate::{
    cases::CaseError, decisions::Loaded, gate::Gate, sessions::CustomerSeat, trouble::Trouble,
    views,
};

/// What wrong numbers are counted under; no proof has a name with a space.
const COUNTED_AS: &str = "number to match";

/// With 90 numbers, three guesses find the right one once in thirty times.
const WRONG_NUMBERS_MAX: u32 = 3;

/// The number as the desk shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NumberView {
    /// Two digits, the first not zero.
    pub digits: String,
    /// Until when nobody may try, after too many wrong numbers.
    pub closed_until: Option<Timestamp>,
}

/// Whether confirming this action asks for the number: something is lost for good, or something that proves who one is
/// becomes another.
fn is_critical(action: &Action) -> bool {
    action
        .effects
        .iter()
        .any(|effect| matches!(effect.kind, EffectKind::Loses(_) | EffectKind::Changes(_)))
}

fn limits() -> Limits {
    Limits {
        wrong_max: WRONG_NUMBERS_MAX,
        ..Limits::default()
    }
}

impl Gate {
    /// The number the customer must type to confirm; `None` where none is asked for, or nothing is left to confirm.
    pub(crate) fn number_of(&self, loaded: &Loaded) -> Result<Option<String>, CaseError> {
        let (opened, action) = views::opened_action(loaded)?;
        let asked = opened.opener().is_some()
            && is_critical(action)
            && loaded.case.confirmed_at().is_none()
            && loaded.case.state().is_live();
        Ok(asked.then(|| self.code_key().two_digits(&opened.digest.0)))
    }

    /// The same with how many tries were used up.
    pub(crate) async fn number_view(
        &self,
        loaded: &Loaded,
    ) -> Result<Option<NumberView>, CaseError> {
        let Some(digits) = self.number_of(loaded)? else {
            return Ok(None);
        };
        let tallies = self.tallies(&loaded.row.customer).await?;
        let closed_until = tallies
            .as_ref()
            .and_then(|held| held.value.get(COUNTED_AS))
            .and_then(|tally: &Tally| tally.locked_until(loaded.now));
        Ok(Some(NumberView {
            digits,
            closed_until,
        }))
    }

    /// Looks at the number that was typed, where one is asked for. The try is counted before it is looked at, and only
    /// where everything else about confirming is right: somebody who could not confirm anyway learns nothing and uses
    /// nothing up.
    pub(crate) async fn number_matches(
        &self,
        seat: &CustomerSeat,
        digest: Digest,
        typed: Option<&str>,
    ) -> Result<(), CaseError> {
        // A case that nobody at a desk opened has no number: its first event says so.
        let begun = self.as_opened(seat).await?;
        if begun
            .opened()
            .is_some_and(|opened| opened.opener().is_none())
        {
            return Ok(());
        }
        let loaded = self.load_case(seat.case()).await?;
        let Some(right) = self.number_of(&loaded)? else {
            return Ok(());
        };
        // Only asked: what it would decide is decided by the caller.
        drop(decide(
            &loaded.procedure,
            &loaded.case,
            Command::Confirm { digest },
            &loaded.moment(),
        )?);
        let typed = typed.map(str::trim).unwrap_or_default();
        if typed.len() != right.len() || !typed.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(CaseError::NumberMissing);
        }
        let Some(reservation) = self
            .reserve_within(&loaded.customer, COUNTED_AS, &limits())
            .await?
        else {
            return Err(self.number_closed(&loaded).await?);
        };
        if constant_time::verify_slices_are_equal(typed.as_bytes(), right.as_bytes()).is_ok() {
            self.give_back_within(&loaded.customer, COUNTED_AS, &reservation, &limits())
                .await?;
            return Ok(());
        }
        tracing::warn!(case = loaded.row.case.0, "a wrong number to match");
        let tallies = self.tallies(&loaded.row.customer).await?;
        let left = tallies
            .as_ref()
            .and_then(|held| held.value.get(COUNTED_AS))
            .map_or(0, |tally| tally.left(loaded.now, &limits()));
        if left == 0 {
            return Err(self.number_closed(&loaded).await?);
        }
        Err(CaseError::WrongNumber { tries_left: left })
    }

    async fn number_closed(&self, loaded: &Loaded) -> Result<CaseError, Trouble> {
        let tallies = self.tallies(&loaded.row.customer).await?;
        let until = tallies
            .as_ref()
            .and_then(|held| held.value.get(COUNTED_AS))
            .and_then(|tally| tally.locked_until(loaded.now))
            .unwrap_or(loaded.now);
        Ok(CaseError::NumberClosed { until })
    }
}
