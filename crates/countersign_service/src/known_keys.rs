//! Which keys a database was served with: all gates of one have the same, and new ones come beside the old before they sign.

use std::collections::BTreeSet;

use countersign_grant::GrantKey;
use countersign_store::{Batch, CommitError, Record, SharedJournal};
use serde::{Deserialize, Serialize};

use crate::{
    gate::StartError,
    records::{self, space},
    settings::Settings,
    trouble::Trouble,
};

/// How often the record is read again because another gate wrote it meanwhile.
const TRIES: u32 = 8;

/// The only one of its space.
const ONE: &str = "keys";

/// Public halves of the keys that the gate which started last was given, those that do not sign yet or any more among them.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct KnownKeys {
    /// Verifier keys (C2SP signed-note).
    ledger: BTreeSet<String>,
    /// Names of keys (RFC 7638 thumbprints).
    grant: BTreeSet<String>,
}

/// Compares the keys of these settings with those of the gate that started last on this store, and writes them down in
/// their place. To be asked before the gate is started: it changes nothing where it refuses.
///
/// One key of each kind must be known already, which is so at every step of an exchange. With `new` nothing is compared.
///
/// # Errors
/// [`StartError::Settings`] if the ledger keys or the grant keys are all others; [`StartError::Trouble`].
pub async fn agree_on_keys(
    journal: &SharedJournal,
    settings: &Settings,
    new: bool,
) -> Result<(), StartError> {
    let ours = KnownKeys::of(settings)?;
    for _ in 0..TRIES {
        let record = journal
            .get(space::KNOWN_KEYS, ONE)
            .await
            .map_err(Trouble::from)?;
        let known = record.as_ref().map(read).transpose()?;
        if known.as_ref() == Some(&ours) {
            return Ok(());
        }
        if let Some(known) = known.filter(|_| !new) {
            known.compare(&ours).map_err(StartError::Settings)?;
        }
        let revision = record.map_or(0, |record| record.revision);
        let put = records::put(space::KNOWN_KEYS, ONE, &ours, Some(revision))?;
        let batch = Batch {
            records: vec![put],
            ..Batch::default()
        };
        match journal.commit(batch).await {
            Ok(_) => return Ok(()),
            // Another gate started at the same moment: held against what that one has.
            Err(CommitError::Conflict { .. }) => {}
            Err(error) => return Err(Trouble::from(error).into()),
        }
    }
    Err(Trouble::Busy.into())
}

fn read(record: &Record) -> Result<KnownKeys, Trouble> {
    records::read_json(&record.value)
}

impl KnownKeys {
    fn of(settings: &Settings) -> Result<Self, StartError> {
        let keys = &settings.keys;
        let seeds = std::iter::once(&keys.grant_seed).chain(&keys.others.grant_seeds);
        let grant = seeds
            .map(|seed| GrantKey::from_seed(seed).map(|key| key.kid().to_owned()))
            .collect::<Result<_, _>>()
            .map_err(|error| StartError::Settings(format!("grant key: {error}")))?;
        let ledger = std::iter::once(&settings.log_verifier).chain(&keys.others.ledger);
        Ok(Self {
            ledger: ledger.cloned().collect(),
            grant,
        })
    }

    fn compare(&self, ours: &Self) -> Result<(), String> {
        for (what, known, ours) in [
            ("ledger", &self.ledger, &ours.ledger),
            ("grant", &self.grant, &ours.grant),
        ] {
            if known.is_disjoint(ours) {
                let known: Vec<&str> = known.iter().map(String::as_str).collect();
                return Err(format!(
                    "`keys.{what}` is another key than this database was served with (`{}`); all gates of a database have the same keys: put the right one back, exchange it step by step as docs/operations.md says, or, where it is lost, start once with `--new-keys`",
                    known.join("`, `")
                ));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(ledger: &[&str], grant: &[&str]) -> KnownKeys {
        let set = |keys: &[&str]| keys.iter().map(|&key| key.to_owned()).collect();
        KnownKeys {
            ledger: set(ledger),
            grant: set(grant),
        }
    }

    #[test]
    fn every_step_of_an_exchange_is_let_through_and_a_leap_is_not() {
        let steps = [
            keys(&["a"], &["g"]),
            keys(&["a", "b"], &["g", "h"]),
            keys(&["b"], &["h"]),
        ];
        for pair in steps.windows(2) {
            assert_eq!(pair[0].compare(&pair[1]), Ok(()));
            assert_eq!(pair[1].compare(&pair[0]), Ok(()), "and back");
        }
        let leap = steps[0].compare(&steps[2]).unwrap_err();
        assert!(leap.starts_with("`keys.ledger` is another key"), "{leap}");
        let grant = steps[0].compare(&keys(&["a"], &["h"])).unwrap_err();
        assert!(grant.starts_with("`keys.grant` is another key"), "{grant}");
        assert!(grant.contains("(`g`)"), "{grant}");
    }
}
