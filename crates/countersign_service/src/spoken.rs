//! "Is someone from this company talking to me?": the number of an open case that an agent says aloud.
//!
//! Twelve digits, because digits are said and typed alike in every language:
//! eleven that are drawn and one that catches slips of the tongue. It is not
//! the case's id, which stands in letters and receipts for ever and has 28
//! bits; a spoken number counts only while its case is open. Looking one up
//! costs one read whatever becomes of it, so that unknown, ended and somebody
//! else's are the same answer in the same time. How far guessing gets stands
//! in docs/THREATS.md.

use std::fmt;

use countersign_cases::{Actor, Case, CaseId, CustomerId, State, Timestamp};
use countersign_store::Batch;
use serde::{Deserialize, Serialize};

use crate::{
    adapters::dice::{Dice, uniform_below},
    cases::CaseError,
    decisions::Loaded,
    gate::Gate,
    mask::{SentencePiece, mask_word},
    records::{self, CaseRow, space},
    sessions::CustomerSeat,
    trouble::Trouble,
    views,
};

/// Digits that are drawn: 10¹¹ numbers.
const DRAWN: usize = 11;

/// With the check digit.
const DIGITS: usize = DRAWN + 1;

/// A number that has the form of a spoken one; whether a case has it is another question.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SpokenNumber(String);

/// Who has the case of a number open, and what it asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TalkingView {
    /// The agent's name as customers read it.
    pub agent: String,
    /// True if it is a program of the company.
    pub program: bool,
    /// Since when.
    pub since: Timestamp,
    /// Whose account, as initials: `H••• F•••`. It is what tells a relayed number from one's own.
    pub account: String,
    /// The sentence, masked as on the customer's first page.
    pub pieces: Vec<SentencePiece>,
}

/// What is found under a spoken number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Spoken {
    pub(crate) case: CaseId,
    pub(crate) customer: CustomerId,
    /// When the case runs out, unless somebody moves it on.
    pub(crate) until: Timestamp,
}

impl SpokenNumber {
    /// What somebody typed or heard, with any spaces, dots and dashes. `None` if it cannot be one: a digit is wrong, or
    /// there are too few. That says nothing about any case, since anybody can work out a check digit.
    pub fn parse(typed: &str) -> Option<Self> {
        let mut digits = String::with_capacity(DIGITS);
        for c in typed.chars().take(64) {
            match c {
                '0'..='9' => digits.push(c),
                ' ' | '.' | '-' | '\u{a0}' | '\u{202f}' | '\u{2009}' => {}
                _ => return None,
            }
        }
        let (drawn, check) = digits.split_at_checked(DRAWN)?;
        (digits.len() == DIGITS && check_digit(drawn).to_string() == check).then_some(Self(digits))
    }

    pub(crate) fn draw(dice: &dyn Dice) -> Self {
        let drawn: String = (0..DRAWN)
            .map(|_| uniform_below(dice, 10).to_string())
            .collect();
        let check = check_digit(&drawn);
        Self(format!("{drawn}{check}"))
    }

    /// As it is said: `407 192 385 064`.
    pub fn said(&self) -> String {
        let mut said = String::with_capacity(DIGITS + DIGITS / 3);
        for (at, digit) in self.0.chars().enumerate() {
            if at > 0 && at % 3 == 0 {
                said.push(' ');
            }
            said.push(digit);
        }
        said
    }
}

impl fmt::Debug for SpokenNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SpokenNumber(…)")
    }
}

/// ISO/IEC 7064, MOD 11,10: finds every single wrong digit and nearly every swap of two neighbours.
fn check_digit(drawn: &str) -> u32 {
    let left = drawn
        .chars()
        .filter_map(|digit| digit.to_digit(10))
        .fold(10, |product, digit| {
            let sum = (product + digit) % 10;
            (if sum == 0 { 10 } else { sum }) * 2 % 11
        });
    (11 - left) % 10
}

/// Keeps what a number leads to in step with its case: there from the opening to the end, and never longer than the case
/// can run.
pub(crate) fn keep(
    batch: &mut Batch,
    loaded: &Loaded,
    case: &Case,
    row: &mut CaseRow,
) -> Result<(), Trouble> {
    let Some(number) = row.spoken.clone() else {
        return Ok(());
    };
    if case.state().is_final() {
        row.spoken = None;
        batch
            .records
            .push(records::remove(space::SPOKEN, number.0, None));
        return Ok(());
    }
    let new = loaded.case.state() == State::None;
    if !new && loaded.case.expires_at() == case.expires_at() {
        return Ok(());
    }
    let until = case.expires_at();
    let found = Spoken {
        case: row.case.clone(),
        customer: row.customer.clone(),
        until,
    };
    // A number that somebody else's case has already is drawn again.
    let expected = new.then_some(0);
    batch.records.push(records::put_until(
        space::SPOKEN,
        number.0,
        &found,
        expected,
        until,
    )?);
    Ok(())
}

/// A number for a case that one of our people or programs opens; a customer's own panel talks to nobody.
pub(crate) fn number_for(by: &Actor, dice: &dyn Dice) -> Option<SpokenNumber> {
    match by {
        Actor::Staff(_) => Some(SpokenNumber::draw(dice)),
        Actor::Customer | Actor::Gate => None,
    }
}

impl Gate {
    /// Who has the case of this number open. `None` for one that never was, one whose case is over, and, where the one
    /// who asks sits at their own case (`seat`), one of another customer.
    pub async fn who_is_talking(
        &self,
        number: &SpokenNumber,
        seat: Option<&CustomerSeat>,
    ) -> Result<Option<TalkingView>, CaseError> {
        let found = self
            .load::<Spoken>(space::SPOKEN, &number.0)
            .await?
            .map(|held| held.value)
            .filter(|found| self.now() < found.until)
            .filter(|found| seat.is_none_or(|seat| *seat.customer() == found.customer));
        tracing::info!(found = found.is_some(), "a spoken number was looked up");
        let Some(found) = found else {
            return Ok(None);
        };
        let loaded = match self.load_case(&found.case).await {
            Ok(loaded) if !loaded.case.state().is_final() => loaded,
            Ok(_) | Err(CaseError::Unknown | CaseError::UnknownCustomer) => return Ok(None),
            Err(error) => return Err(error),
        };
        let (opened, action) = views::opened_action(&loaded)?;
        let Some(agent) = opened.opener() else {
            return Ok(None);
        };
        Ok(Some(TalkingView {
            agent: agent.name.clone(),
            program: agent.robot,
            since: opened.at,
            account: loaded
                .customer
                .name
                .split_whitespace()
                .map(mask_word)
                .collect::<Vec<_>>()
                .join(" "),
            pieces: views::masked_pieces(&loaded, action),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapters::dice::SeededDice;

    #[test]
    fn a_number_is_read_back_as_it_was_said() {
        let dice = SeededDice::new(7);
        for _ in 0..200 {
            let number = SpokenNumber::draw(&dice);
            assert_eq!(number.0.len(), DIGITS);
            for typed in [
                number.said(),
                number.0.clone(),
                number.said().replace(' ', "-"),
                format!("  {}\u{a0}", number.said().replace(' ', ".")),
            ] {
                assert_eq!(SpokenNumber::parse(&typed), Some(number.clone()), "{typed}");
            }
        }
    }

    #[test]
    fn every_single_slip_is_noticed() {
        let dice = SeededDice::new(8);
        let number = SpokenNumber::draw(&dice);
        for at in 0..DIGITS {
            for digit in '0'..='9' {
                let slipped: String = number
                    .0
                    .chars()
                    .enumerate()
                    .map(|(place, own)| if place == at { digit } else { own })
                    .collect();
                assert_eq!(
                    SpokenNumber::parse(&slipped).is_some(),
                    slipped == number.0,
                    "{slipped}"
                );
            }
        }
    }

    #[test]
    fn the_check_digit_is_the_one_of_the_standard() {
        // ISO/IEC 7064, the worked example of MOD 11,10: 0794 has the check digit 5.
        assert_eq!(check_digit("0794"), 5);
    }

    #[test]
    fn what_is_no_number_is_not_looked_up() {
        for typed in ["", "12", "CS-7F3K9Q", "١٢٣٤٥٦٧٨٩٠١٢", "407 192 385 06x"] {
            assert_eq!(SpokenNumber::parse(typed), None, "{typed}");
        }
        assert_eq!(SpokenNumber::parse(&"4".repeat(500)), None);
        assert_eq!(format!("{:?}", SpokenNumber("1".into())), "SpokenNumber(…)");
    }
}
