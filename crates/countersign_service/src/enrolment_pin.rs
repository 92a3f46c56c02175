//! Which PINs a customer may choose: none that somebody who knows them would try first.

use crate::records::Customer;

/// Fewest and most digits of a PIN that a customer chooses.
pub const PIN_DIGITS: std::ops::RangeInclusive<usize> = 6..=12;

/// A number of the customer's with fewer digits than this is in too many PINs to mean anything.
const KNOWN_DIGITS_MIN: usize = 4;

/// Why a PIN is not taken. Says nothing about which number of the customer's it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WeakPin {
    /// Something other than digits, or too few or too many of them.
    #[error("use 6 to 12 digits")]
    Length,
    /// `234567`, `987654`, or two such halves.
    #[error("use digits that do not follow each other")]
    Run,
    /// `777777`, `121212`, `123123`, or hardly any different digits.
    #[error("use digits that do not repeat")]
    Repeated,
    /// A number of theirs that others know: a birthday, the customer number, a telephone number.
    #[error("use digits that nobody can look up")]
    Known,
}

/// Whether a customer may choose this PIN.
///
/// # Errors
/// [`WeakPin`], for the first thing that is wrong.
pub(crate) fn may_be_chosen(pin: &str, customer: &Customer) -> Result<(), WeakPin> {
    let digits: Vec<u8> = pin.bytes().collect();
    if !PIN_DIGITS.contains(&digits.len()) || !digits.iter().all(u8::is_ascii_digit) {
        return Err(WeakPin::Length);
    }
    if is_run(&digits) {
        return Err(WeakPin::Run);
    }
    if is_repeated(&digits) {
        return Err(WeakPin::Repeated);
    }
    if known(customer).any(|number| pin.contains(&number) || number.contains(pin)) {
        return Err(WeakPin::Known);
    }
    Ok(())
}

/// Every digit one more than the one before, or every one one less; round the corner as well, as in `890123`; or two runs
/// one after the other, as in `123789`.
fn is_run(digits: &[u8]) -> bool {
    let step = |pair: &[u8]| match pair {
        [one, two] => (two + 10 - one) % 10,
        _ => 0,
    };
    let one_way = |part: &[u8]| {
        [1, 9]
            .into_iter()
            .any(|by| part.windows(2).all(|pair| step(pair) == by))
    };
    let (first, second) = digits.split_at(digits.len() / 2);
    one_way(digits) || (one_way(first) && one_way(second))
}

/// One piece again and again, or no more than two different digits.
fn is_repeated(digits: &[u8]) -> bool {
    let again = (1..=digits.len() / 2)
        .filter(|size| digits.len().is_multiple_of(*size))
        .any(|size| {
            let mut pieces = digits.chunks(size);
            let first = pieces.next();
            pieces.all(|piece| Some(piece) == first)
        });
    let mut different = digits.to_vec();
    different.sort_unstable();
    different.dedup();
    again || different.len() <= 2
}

/// Numbers that others can know, digits only: customer number, telephone numbers, whatever is on file; of dates every usual
/// way to write them.
fn known(customer: &Customer) -> impl Iterator<Item = String> {
    let on_file = std::iter::once(customer.number.as_str())
        .chain(std::iter::once(customer.id.0.as_str()))
        .chain(customer.attributes.values().map(String::as_str))
        .chain(
            customer
                .contacts
                .iter()
                .map(|contact| contact.address.as_str()),
        )
        .chain(customer.domains.iter().map(String::as_str));
    let mut numbers = Vec::new();
    for text in on_file {
        numbers.extend(dates(text));
        // A telephone number is written with spaces, and an address may hold several numbers.
        numbers.push(text.chars().filter(char::is_ascii_digit).collect());
        numbers.extend(
            text.split(|letter: char| !letter.is_ascii_digit())
                .map(str::to_owned),
        );
    }
    numbers
        .into_iter()
        .filter(|number| number.len() >= KNOWN_DIGITS_MIN)
}

/// `1984-07-23`, `23.7.1984` or `07/23/1984` as people type it into a PIN.
fn dates(text: &str) -> Vec<String> {
    let parts: Vec<&str> = text.trim().split(['-', '.', '/', ' ']).collect();
    let [first, middle, last] = parts.as_slice() else {
        return Vec::new();
    };
    let all_digits = parts
        .iter()
        .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
    let (year, one, other) = match (first.len(), last.len()) {
        (4, 1..=2) => (first, middle, last),
        (1..=2, 4) => (last, first, middle),
        _ => return Vec::new(),
    };
    if !all_digits || middle.len() > 2 {
        return Vec::new();
    }
    let short = year.get(2..).unwrap_or(year);
    let mut ways = Vec::new();
    for (one, other) in [(one, other), (other, one)] {
        let (one, other) = (format!("{one:0>2}"), format!("{other:0>2}"));
        for year in [year, short] {
            ways.push(format!("{one}{other}{year}"));
            ways.push(format!("{year}{one}{other}"));
        }
    }
    ways
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use countersign_cases::{ContactId, CustomerId, Timestamp};

    use super::*;
    use crate::records::Contact;

    fn signe() -> Customer {
        Customer {
            language: None,
            id: CustomerId("c-77120934".to_owned()),
            name: "Signe".to_owned(),
            number: "HF 8802-1573".to_owned(),
            attributes: BTreeMap::from([
                ("born".to_owned(), "1984-07-03".to_owned()),
                ("since".to_owned(), "5.11.2009".to_owned()),
            ]),
            domains: vec!["halden4716.example".to_owned()],
            since: Timestamp(0),
            contacts: vec![Contact {
                id: ContactId("k".to_owned()),
                channel: "mobile".to_owned(),
                address: "+46 70 318 52 96".to_owned(),
                first_seen: Timestamp(0),
                changed_at: None,
                removed_at: None,
                planted: false,
            }],
            factors: BTreeMap::new(),
            pseudonym: "p".to_owned(),
            recorded_at: Timestamp(0),
            planted: None,
        }
    }

    #[test]
    fn what_others_would_try_first_is_not_taken() {
        let refused = [
            (
                WeakPin::Length,
                vec![
                    "",
                    "48291",
                    "4829130000000",
                    "48291a",
                    "４８２９１３",
                    "482 913",
                    "-48291",
                ],
            ),
            (
                WeakPin::Run,
                vec![
                    "123456",
                    "654321",
                    "890123",
                    "321098",
                    "123789",
                    "987123",
                    "0123456789",
                ],
            ),
            (
                WeakPin::Repeated,
                vec!["777777", "121212", "482482", "48294829", "112211", "900000"],
            ),
            (
                WeakPin::Known,
                vec![
                    "030784",
                    "070384",
                    "840703",
                    "19840703",
                    "03071984",
                    "051109",
                    "20091105",
                    "880215",
                    "15738802",
                    "077120934",
                    "703185",
                    "46703185",
                    "185296",
                    "471600",
                    "004716",
                ],
            ),
        ];
        let signe = signe();
        for (why, pins) in refused {
            for pin in pins {
                assert_eq!(may_be_chosen(pin, &signe), Err(why), "{pin}");
            }
        }
    }

    #[test]
    fn ordinary_pins_are_taken() {
        for pin in ["482913", "739105", "1357924680", "602417", "246813"] {
            assert_eq!(may_be_chosen(pin, &signe()), Ok(()), "{pin}");
        }
    }
}
