//! Somebody who does not exist: the customer of a planted case.
//!
//! Made after the pattern of a customer there is, so that ids and numbers look as the company's do, and of nothing else of
//! theirs: every digit is drawn anew, names and addresses are put together from lists, and an attribute is one that several
//! customers have alike.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use countersign_cases::{ContactId, CustomerId, DrillPlan, Timestamp};
use countersign_language::{Action, HoldingKind, Method, Procedure, Sign};

use super::script::Script;
use crate::{
    adapters::dice::{Dice, random_bytes, uniform_below},
    gate::Gate,
    records::{Contact, Customer, Factor, FactorKind},
    trouble::Trouble,
};

const FIRST_NAMES: [&str; 16] = [
    "Anna", "Bastian", "Clara", "Dario", "Elise", "Femke", "Gregor", "Hanna", "Ivo", "Jonas",
    "Katrin", "Lorenz", "Mira", "Nora", "Oskar", "Paula",
];
const LAST_NAMES: [&str; 16] = [
    "Albers", "Brandt", "Costa", "Dietz", "Engel", "Falk", "Grund", "Holm", "Imhof", "Jansen",
    "Keller", "Lindner", "Moreau", "Novak", "Olsen", "Petri",
];
const PLACES: [&str; 12] = [
    "mill", "harbour", "orchard", "lantern", "bridge", "meadow", "anchor", "cedar", "falcon",
    "copper", "linden", "quarry",
];
const TRADES: [&str; 8] = [
    "bakery", "books", "bikes", "studio", "garden", "print", "tools", "music",
];

/// How long ago the fresh contact came: between one and five hours.
const FRESH_SECONDS: (u32, u32) = (3_600, 18_000);

/// A customer who does not exist, and what they ask for.
pub(super) struct Invented {
    pub(super) customer: Customer,
    pub(super) values: BTreeMap<String, String>,
    pub(super) reason: Option<String>,
}

/// What a customer is invented for.
pub(super) struct Part<'a> {
    pub(super) procedure: &'a Procedure,
    pub(super) action: &'a Action,
    pub(super) script: &'a Script,
    pub(super) signs: &'a [Sign],
    pub(super) plan: DrillPlan,
    /// Values that the planner chose.
    pub(super) values: &'a BTreeMap<String, String>,
    /// A customer there is, for the looks of ids and numbers alone.
    pub(super) like: Option<&'a Customer>,
    pub(super) now: Timestamp,
}

impl Gate {
    /// `None` where the scenario cannot be planted in a case of this action.
    pub(super) fn invent(&self, part: &Part<'_>) -> Result<Option<Invented>, Trouble> {
        let dice = self.dice();
        let first = pick(dice, &FIRST_NAMES);
        let last = pick(dice, &LAST_NAMES);
        let name = format!("{first} {last}");
        let domain = format!(
            "{}-{}{}.{}",
            pick(dice, &PLACES),
            pick(dice, &TRADES),
            10 + uniform_below(dice, 90),
            ending_like(part.like)
        );
        let (id, number) = if let Some(like) = part.like {
            (redrawn(dice, &like.id.0, 0), redrawn(dice, &like.number, 0))
        } else {
            let digits = 10_000 + uniform_below(dice, 90_000);
            (format!("c-{digits}"), digits.to_string())
        };
        let id = CustomerId(id);
        let since = years_before(dice, part.now);
        let mut contacts = Vec::new();
        for holding in &part.procedure.holdings {
            if holding.kind == HoldingKind::Channel {
                let address = address(dice, part, &holding.name, first, last, &domain);
                contacts.push(self.contact(&holding.name, address, since));
            }
        }
        let Some(values) = values(dice, part, &contacts, &domain) else {
            return Ok(None);
        };
        if part.signs.contains(&Sign::FreshContact)
            && !self.freshen(part, &mut contacts, first, last)
        {
            return Ok(None);
        }
        let reason = part.signs.iter().find_map(|sign| match sign {
            Sign::Reason(words) => Some((*words).to_owned()),
            Sign::FreshContact | Sign::LookAlike => None,
        });
        let customer = Customer {
            factors: self.factors_of_nobody(part.procedure, &id)?,
            id,
            name,
            number,
            attributes: {
                let mut attributes = part
                    .like
                    .map_or_else(BTreeMap::new, |like| like.attributes.clone());
                attributes.extend(part.script.attributes.clone());
                attributes
            },
            domains: part
                .like
                .filter(|like| !like.domains.is_empty())
                .map(|_| domain)
                .into_iter()
                .collect(),
            since,
            contacts,
            pseudonym: self.pseudonym(),
            recorded_at: since,
            language: None,
            planted: Some(part.plan.clone()),
        };
        Ok(Some(Invented {
            customer,
            values,
            reason,
        }))
    }

    fn contact(&self, channel: &str, address: String, since: Timestamp) -> Contact {
        Contact {
            id: ContactId(self.opaque_id("k")),
            channel: channel.to_owned(),
            address,
            first_seen: since,
            changed_at: None,
            removed_at: None,
            planted: true,
        }
    }

    /// Puts another contact in the place of one, hours ago; of a channel that nothing is proved by, if there is one.
    fn freshen(
        &self,
        part: &Part<'_>,
        contacts: &mut Vec<Contact>,
        first: &str,
        last: &str,
    ) -> bool {
        let dice = self.dice();
        let holding = |contact: &Contact| part.procedure.holding_named(&contact.channel);
        let proved = |contact: &Contact| {
            part.script.proofs.iter().any(|proof| {
                let shown = part.procedure.proofs.get(proof.index());
                shown.map(|proof| proof.shows) == holding(contact)
            })
        };
        let free = |contact: &&mut Contact| {
            holding(contact).is_some_and(|holding| !part.script.settled.contains(&holding))
        };
        let unproved = contacts.iter().position(|contact| !proved(contact));
        let at = unproved.unwrap_or(0);
        let Some(old) = contacts.get_mut(at).filter(free) else {
            return false;
        };
        let (least, most) = FRESH_SECONDS;
        let ago = i64::from(least + uniform_below(dice, most - least)) * 1_000;
        let changed = Timestamp(part.now.0 - ago);
        old.removed_at = Some(changed);
        let channel = old.channel.clone();
        let domain = format!(
            "{}{}.{}",
            pick(dice, &PLACES),
            100 + uniform_below(dice, 900),
            ending_like(part.like)
        );
        let address = address(dice, part, &channel, first, last, &domain);
        let mut fresh = self.contact(&channel, address, changed);
        fresh.changed_at = Some(changed);
        contacts.push(fresh);
        true
    }

    /// What they have: random bytes in the form each is kept in. Nobody knows the PIN, and nobody has the app.
    fn factors_of_nobody(
        &self,
        procedure: &Procedure,
        id: &CustomerId,
    ) -> Result<BTreeMap<String, Factor>, Trouble> {
        let dice = self.dice();
        let mut factors = BTreeMap::new();
        for (holding, number) in procedure.holdings.iter().zip(0_u32..) {
            let method = procedure
                .proofs
                .iter()
                .find(|proof| proof.shows.0 == number && proof.using.is_some())
                .and_then(|proof| proof.using);
            let kind = match method {
                _ if holding.kind == HoldingKind::Channel => continue,
                None | Some(Method::Panel | Method::Passkey) => continue,
                Some(Method::Pin) => FactorKind::Pin(format!(
                    "$argon2id$v=19$m=19456,t=2,p=1${}${}",
                    STANDARD_NO_PAD.encode(random_bytes::<16>(dice)),
                    STANDARD_NO_PAD.encode(random_bytes::<32>(dice))
                )),
                Some(Method::Totp) => FactorKind::Totp {
                    sealed: self.seal(id, &holding.name, &random_bytes::<20>(dice))?,
                    last_step: None,
                },
                Some(Method::Oidc | Method::Ciba) => FactorKind::Account(self.opaque_id("u")),
                Some(Method::Password | Method::Mail | Method::Text | Method::Webhook) => {
                    FactorKind::Elsewhere
                }
            };
            let factor = Factor {
                changed_at: None,
                kind,
            };
            factors.insert(holding.name.clone(), factor);
        }
        Ok(factors)
    }
}

/// What the case asks for; `None` where the scenario needs a value and the action has none.
fn values(
    dice: &dyn Dice,
    part: &Part<'_>,
    contacts: &[Contact],
    domain: &str,
) -> Option<BTreeMap<String, String>> {
    let mut values = BTreeMap::new();
    for parameter in &part.action.parameters {
        let value = part.values.get(&parameter.name).cloned();
        let value = value.unwrap_or_else(|| {
            likely(
                dice,
                &format!("{} {}", parameter.name, parameter.label),
                domain,
            )
        });
        values.insert(parameter.name.clone(), value);
    }
    if part.signs.contains(&Sign::LookAlike) {
        let mail = contacts.iter().map(|contact| contact.address.as_str());
        let own = mail.clone().find(|address| address.contains('@'));
        let about = |word: &str| {
            part.action
                .parameters
                .iter()
                .find(|parameter| parameter.label.contains(word) || parameter.name.contains(word))
        };
        // In a value of another kind nobody would look for it.
        let parameter = about("address")
            .or_else(|| about("mail"))
            .or_else(|| about("domain"))
            .or_else(|| about("host"))?;
        let (name, _) = own?.split_once('@')?;
        let wrong = look_alike(domain);
        let value = if ["domain", "host"]
            .iter()
            .any(|word| parameter.name.contains(word))
        {
            wrong
        } else {
            format!("{name}@{wrong}")
        };
        values.insert(parameter.name.clone(), value);
    }
    Some(values)
}

/// A value of the kind that a parameter's name and label speak of.
fn likely(dice: &dyn Dice, about: &str, domain: &str) -> String {
    let about = about.to_lowercase();
    let speaks = |words: &[&str]| words.iter().any(|word| about.contains(word));
    if speaks(&["mail", "address"]) {
        format!("office@{domain}")
    } else if speaks(&["domain", "host"]) {
        domain.to_owned()
    } else if speaks(&["phone", "mobile", "number"]) {
        format!("+44 7700 900{:03}", uniform_below(dice, 1_000))
    } else if speaks(&["amount", "price", "sum", "euro", "days", "count"]) {
        (10 + uniform_below(dice, 30)).to_string()
    } else if speaks(&["image", "system"]) {
        "debian-13".to_owned()
    } else {
        let kind = about.split([' ', '_', '.']).next().unwrap_or("item");
        format!("{kind}-{}", 10 + uniform_below(dice, 90))
    }
}

/// The same with one letter like another: what an eye that is in a hurry reads over.
fn look_alike(domain: &str) -> String {
    for (letter, like) in [("l", "1"), ("o", "0"), ("m", "rn"), ("i", "l"), ("e", "c")] {
        if domain.contains(letter) {
            return domain.replacen(letter, like, 1);
        }
    }
    format!("{domain}.net")
}

fn address(
    dice: &dyn Dice,
    part: &Part<'_>,
    channel: &str,
    first: &str,
    last: &str,
    domain: &str,
) -> String {
    let known = part.like.and_then(|like| {
        let mut contacts = like.contacts.iter();
        contacts.find(|contact| contact.channel == channel && !contact.address.contains('@'))
    });
    let by_text = part.procedure.proofs.iter().any(|proof| {
        Some(proof.shows) == part.procedure.holding_named(channel)
            && proof.using == Some(Method::Text)
    });
    match known {
        Some(like) => redrawn(dice, &like.address, 5),
        None if by_text => format!("+44 7700 900{:03}", uniform_below(dice, 1_000)),
        None => format!("{}.{}@{domain}", first.to_lowercase(), last.to_lowercase()),
    }
}

/// The ending of the domain of a customer there is, so that it is not the ending that tells.
fn ending_like(like: Option<&Customer>) -> String {
    like.and_then(|like| {
        let mut addresses = like.contacts.iter().map(|contact| contact.address.as_str());
        let address = addresses.find(|address| address.contains('@'))?;
        Some(address.rsplit_once('.')?.1.to_owned())
    })
    .unwrap_or_else(|| "example".to_owned())
}

/// Every digit after the first `kept` characters drawn anew; letters stay, but those of hexadecimal ids.
pub(super) fn redrawn(dice: &dyn Dice, text: &str, kept: usize) -> String {
    let hexadecimal = text.len() >= 16
        && text
            .chars()
            .all(|one| one.is_ascii_hexdigit() || one == '-');
    text.chars()
        .enumerate()
        .map(|(at, one)| {
            let base = match one {
                _ if at < kept => return one,
                _ if hexadecimal && one != '-' => 16,
                '0'..='9' => 10,
                _ => return one,
            };
            char::from_digit(uniform_below(dice, base), base).unwrap_or(one)
        })
        .collect()
}

fn years_before(dice: &dyn Dice, now: Timestamp) -> Timestamp {
    let days = 500 + i64::from(uniform_below(dice, 2_000));
    let seconds = i64::from(uniform_below(dice, 86_400));
    Timestamp(now.0 - (days * 86_400 + seconds) * 1_000)
}

fn pick<'a>(dice: &dyn Dice, of: &[&'a str]) -> &'a str {
    let most = u32::try_from(of.len()).unwrap_or(1);
    let at = usize::try_from(uniform_below(dice, most)).unwrap_or(0);
    of.get(at).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapters::dice::SeededDice;

    #[test]
    fn a_look_alike_is_another_and_nearly_the_same() {
        for domain in ["mill-books42.example", "harbour.net", "zzz.uk"] {
            let wrong = look_alike(domain);
            assert_ne!(wrong, domain);
            assert!(wrong.len().abs_diff(domain.len()) <= 4);
        }
    }

    #[test]
    fn ids_look_like_the_companys_and_are_others() {
        let dice = SeededDice::new(7);
        let id = redrawn(&dice, "c-77120934", 0);
        assert!(id.starts_with("c-") && id.len() == 10 && id != "c-77120934");
        let uuid = "0b1fd3a2-4c7e-4b7e-9a00-7f2f5c9d1e3b";
        let other = redrawn(&dice, uuid, 0);
        assert_eq!(other.len(), uuid.len());
        assert_ne!(other, uuid);
        assert!(redrawn(&dice, "+46 70 318 52 96", 5).starts_with("+46 7"));
    }
}
