//! What every customer had at every moment, from the company's own books and the places where the store says they counted.

use std::collections::BTreeMap;

use countersign_language::{HoldingKind, Method, Procedure};

use super::Books;

/// Notices go to contacts that were live within this long, and a contact that changed within it does not count as told.
pub(super) const MONTH_MS: i64 = 30 * 86_400_000;

/// All customers.
#[derive(Debug)]
pub(super) struct Customers<'a> {
    books: &'a Books,
    /// Position, time, and the put itself, by customer.
    puts: BTreeMap<&'a str, Vec<(u64, i64, &'a super::Put)>>,
    /// Position, time, holding and value, by customer.
    held: BTreeMap<&'a str, Vec<Changed<'a>>>,
}

#[derive(Debug)]
struct Changed<'a> {
    position: u64,
    at: i64,
    holding: &'a str,
    value: Option<&'a str>,
}

/// A holding at a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Now<'a> {
    /// When it last changed: place in the store and time on the clock.
    pub(super) changed: Option<(u64, i64)>,
    /// What it is.
    pub(super) value: Option<&'a str>,
}

/// A contact at a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reached<'a> {
    pub(super) id: &'a str,
    pub(super) channel: &'a str,
    pub(super) address: &'a str,
    pub(super) changed_at: Option<i64>,
    pub(super) removed_at: Option<i64>,
}

impl<'a> Customers<'a> {
    pub(super) fn new(books: &'a Books) -> Self {
        let mut puts: BTreeMap<&str, Vec<_>> = BTreeMap::new();
        let mut held: BTreeMap<&str, Vec<Changed<'_>>> = BTreeMap::new();
        let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for event in &books.events {
            let Some(customer) = event
                .stream
                .strip_prefix("c.")
                .and_then(|rest| rest.strip_suffix("/account"))
            else {
                continue;
            };
            let count = counts.entry((customer, &event.kind)).or_default();
            let place = *count;
            *count += 1;
            if event.kind == "customer.put" {
                let put = books
                    .puts
                    .iter()
                    .filter(|put| put.customer == customer)
                    .nth(place);
                if let Some(put) = put {
                    puts.entry(customer)
                        .or_default()
                        .push((event.position, event.at, put));
                }
            }
            let now_held = books.held.iter().find(|held| {
                held.customer == customer && held.event.0 == event.kind && held.event.1 == place
            });
            if let Some(now_held) = now_held {
                held.entry(customer).or_default().push(Changed {
                    position: event.position,
                    at: event.at,
                    holding: &now_held.holding,
                    value: now_held.value.as_deref(),
                });
            }
        }
        Self { books, puts, held }
    }

    /// A holding just before this position; `None` if the customer does not have it.
    pub(super) fn holding(
        &self,
        procedure: &Procedure,
        customer: &str,
        holding: &str,
        before: u64,
    ) -> Option<Now<'a>> {
        let declared = procedure.holdings.iter().find(|one| one.name == holding)?;
        if declared.using == Some(Method::Panel) {
            return Some(Now {
                changed: None,
                value: None,
            });
        }
        if declared.kind == HoldingKind::Channel {
            return self.channel(customer, holding, before);
        }
        let mut stored = self.held.get(customer).into_iter().flatten();
        let newest = stored.rfind(|one| one.holding == holding && one.position < before);
        if let Some(newest) = newest {
            return newest.value.map(|value| Now {
                changed: Some((newest.position, newest.at)),
                value: Some(value),
            });
        }
        let (_, _, put) = self.puts_before(customer, before).last()?;
        let elsewhere = put.elsewhere.iter().find(|(name, ..)| name == holding)?;
        Some(Now {
            changed: elsewhere.2.map(|at| (0, at)),
            value: Some(&elsewhere.1),
        })
    }

    fn puts_before(
        &self,
        customer: &str,
        before: u64,
    ) -> impl Iterator<Item = (u64, i64, &'a super::Put)> {
        let puts = self.puts.get(customer).map_or(&[][..], Vec::as_slice);
        puts.iter()
            .filter(move |(position, ..)| *position < before)
            .copied()
    }

    /// A channel changes whenever one of its contacts comes later than the first, or goes.
    fn channel(&self, customer: &str, channel: &str, before: u64) -> Option<Now<'a>> {
        let mut changed = None;
        let mut known: Option<Vec<&str>> = None;
        for (position, at, put) in self.puts_before(customer, before) {
            let mut now: Vec<&str> = put
                .contacts
                .iter()
                .filter(|(of, _)| of == channel)
                .map(|(_, address)| address.as_str())
                .collect();
            now.sort_unstable();
            if known.as_ref().is_some_and(|known| *known != now) {
                changed = Some((position, at));
            }
            known = Some(now);
        }
        known.filter(|known| !known.is_empty()).map(|_| Now {
            changed,
            value: None,
        })
    }

    /// Contacts, live and removed, just before this position.
    pub(super) fn contacts(&self, customer: &str, before: u64) -> Vec<Reached<'a>> {
        let mut reached: Vec<Reached<'a>> = Vec::new();
        let mut first = true;
        for (_, at, put) in self.puts_before(customer, before) {
            for contact in reached.iter_mut().filter(|one| one.removed_at.is_none()) {
                let stays = put.contacts.iter().any(|(channel, address)| {
                    channel == contact.channel && address == contact.address
                });
                if !stays {
                    contact.removed_at = Some(at);
                }
            }
            for (channel, address) in &put.contacts {
                let live = reached.iter().any(|one| {
                    one.removed_at.is_none() && one.channel == channel && one.address == address
                });
                if live {
                    continue;
                }
                let id = self.books.contacts.iter().find(|contact| {
                    contact.customer == customer
                        && contact.channel == *channel
                        && contact.address == *address
                });
                reached.push(Reached {
                    id: id.map_or("", |contact| &contact.id),
                    channel,
                    address,
                    changed_at: (!first).then_some(at),
                    removed_at: None,
                });
            }
            first = false;
        }
        reached
    }

    /// An attribute just before this position.
    pub(super) fn attribute(&self, customer: &str, name: &str, before: u64) -> Option<&'a str> {
        let (_, _, put) = self.puts_before(customer, before).last()?;
        put.attributes.get(name).map(String::as_str)
    }
}
