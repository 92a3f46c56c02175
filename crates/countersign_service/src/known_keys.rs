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

/// Public halves of the keys that the gate which started last signs with.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct KnownKeys {
    /// A verifier key (C2SP signed-note).
    ledger: String,
    /// The name of a key (RFC 7638 thumbprint).
    grant: String,
}

/// What these settings have.
#[derive(Debug)]
struct OurKeys {
    /// Those that sign.
    signing: KnownKeys,
    /// Those that sign beside the first, or not yet, or not any more.
    others: BTreeSet<String>,
}

/// Compares the keys of these settings with those of the gate that started last on this store, and writes them down in
/// their place. To be asked before the gate is started: it changes nothing where it refuses.
///
/// The keys it signed with must be among these, if not as those that sign, which is so at every step of an exchange. With
/// `new` nothing is compared.
///
/// # Errors
/// [`StartError::Settings`] if the ledger key or the grant key is not known here; [`StartError::Trouble`].
pub async fn agree_on_keys(
    journal: &SharedJournal,
    settings: &Settings,
    new: bool,
) -> Result<(), StartError> {
    let ours = OurKeys::of(settings)?;
    for _ in 0..TRIES {
        let record = journal
            .get(space::KNOWN_KEYS, ONE)
            .await
            .map_err(Trouble::from)?;
        let known = record.as_ref().map(read).transpose()?;
        if known.as_ref() == Some(&ours.signing) {
            return Ok(());
        }
        if let Some(known) = known.filter(|_| !new) {
            ours.include(&known).map_err(StartError::Settings)?;
        }
        let revision = record.map_or(0, |record| record.revision);
        let put = records::put(space::KNOWN_KEYS, ONE, &ours.signing, Some(revision))?;
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

impl OurKeys {
    fn of(settings: &Settings) -> Result<Self, StartError> {
        let keys = &settings.keys;
        let name = |seed: &[u8; 32]| {
            let key = GrantKey::from_seed(seed);
            key.map(|key| key.kid().to_owned())
                .map_err(|error| StartError::Settings(format!("grant key: {error}")))
        };
        let mut others: BTreeSet<String> = keys.others.ledger.iter().cloned().collect();
        for seed in &keys.others.grant_seeds {
            others.insert(name(seed)?);
        }
        Ok(Self {
            signing: KnownKeys {
                ledger: settings.log_verifier.clone(),
                grant: name(&keys.grant_seed)?,
            },
            others,
        })
    }

    fn include(&self, known: &KnownKeys) -> Result<(), String> {
        for (what, known, ours) in [
            ("ledger", &known.ledger, &self.signing.ledger),
            ("grant", &known.grant, &self.signing.grant),
        ] {
            if known != ours && !self.others.contains(known) {
                return Err(format!(
                    "`keys.{what}` is another key than this database was served with (`{known}`); all gates of a database have the same keys: put the right one back, exchange it step by step as docs/operations.md says, or, where it is lost, start once with `--new-keys`"
                ));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(ledger: &str, grant: &str, others: &[&str]) -> OurKeys {
        OurKeys {
            signing: KnownKeys {
                ledger: ledger.to_owned(),
                grant: grant.to_owned(),
            },
            others: others.iter().map(|&key| key.to_owned()).collect(),
        }
    }

    #[test]
    fn every_step_of_an_exchange_is_let_through_and_a_leap_is_not() {
        let steps = [
            keys("a", "g", &[]),
            keys("a", "g", &["b", "h"]),
            keys("b", "h", &["a", "g"]),
            keys("b", "h", &["a"]),
        ];
        for pair in steps.windows(2) {
            let [before, after] = pair else { continue };
            assert_eq!(after.include(&before.signing), Ok(()));
            assert_eq!(before.include(&after.signing), Ok(()), "at another gate");
        }
        let leap = steps[0].include(&steps[2].signing).unwrap_err();
        assert!(leap.starts_with("`keys.ledger` is another key"), "{leap}");
        // That both publish an old one does not make them one installation.
        let other = keys("c", "h", &["a"]).include(&steps[3].signing);
        assert!(other.unwrap_err().contains("(`b`)"));
        let grant = keys("b", "x", &["a"]).include(&steps[3].signing);
        assert!(grant.unwrap_err().starts_with("`keys.grant` is another"));
    }
}
