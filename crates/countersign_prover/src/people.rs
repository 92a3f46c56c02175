//! Who can fill which slot of a path, as plain sets.

#![expect(
    clippy::indexing_slicing,
    reason = "indices of the slots and roles that the vectors were made from"
)]

use std::collections::BTreeMap;

use countersign_language::RoleId;

/// So many people, each of one of these roles (ascending).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Slot {
    pub(crate) fits: Vec<RoleId>,
    pub(crate) count: u32,
}

/// How many people fill all.
pub(crate) fn total(slots: &[Slot]) -> u32 {
    slots
        .iter()
        .fold(0, |sum, slot| sum.saturating_add(slot.count))
}

/// Slots for the same people as one, in order; those for nobody left out.
pub(crate) fn tidy(mut slots: Vec<Slot>) -> Vec<Slot> {
    slots.retain(|slot| !slot.fits.is_empty());
    slots.sort_unstable();
    slots.dedup_by(|slot, before| {
        let same = slot.fits == before.fits;
        if same {
            before.count = before.count.saturating_add(slot.count);
        }
        same
    });
    slots
}

/// The slots that hang together with the first through people who fit several, and all others.
pub(crate) fn apart(slots: &[Slot]) -> (Vec<Slot>, Vec<Slot>) {
    let mut far: Vec<Slot> = slots.to_vec();
    let mut near: Vec<Slot> = Vec::new();
    let mut next = far.pop();
    let mut queue = Vec::new();
    while let Some(slot) = next {
        let meets = |other: &Slot| other.fits.iter().any(|role| slot.fits.contains(role));
        queue.extend(far.extract_if(.., |other| meets(other)));
        near.push(slot);
        next = queue.pop();
    }
    near.sort_unstable();
    (near, far)
}

/// The roles that fit every slot.
pub(crate) fn everywhere(slots: &[Slot]) -> Vec<RoleId> {
    let Some((first, others)) = slots.split_first() else {
        return Vec::new();
    };
    first
        .fits
        .iter()
        .copied()
        .filter(|role| others.iter().all(|slot| slot.fits.contains(role)))
        .collect()
}

/// The slots for everybody but these roles.
pub(crate) fn without(slots: &[Slot], roles: &[RoleId]) -> Vec<Slot> {
    slots
        .iter()
        .map(|slot| Slot {
            fits: slot
                .fits
                .iter()
                .copied()
                .filter(|role| !roles.contains(role))
                .collect(),
            count: slot.count,
        })
        .collect()
}

/// The most slots that so many people of each role can fill: a largest flow, by shortest augmenting paths.
pub(crate) fn most_filled(slots: &[Slot], people: &BTreeMap<RoleId, u32>) -> u32 {
    // `serve[slot][i]`: how many people of the slot's ith role serve there.
    let mut serve: Vec<Vec<u32>> = slots.iter().map(|slot| vec![0; slot.fits.len()]).collect();
    let mut free: BTreeMap<RoleId, u32> = people.clone();
    let mut filled = 0_u32;
    for (start, slot) in slots.iter().enumerate() {
        let mut open = slot.count;
        while open > 0 {
            // Slots reached, each with the slot and place there whose person would come here.
            let mut from: Vec<Option<(usize, usize)>> = vec![None; slots.len()];
            let mut queue = vec![start];
            let mut next = 0;
            let mut end = None;
            'search: while let Some(&slot) = queue.get(next) {
                next += 1;
                for (place, role) in slots[slot].fits.iter().enumerate() {
                    if free.get(role).is_some_and(|&count| count > 0) {
                        end = Some((slot, place));
                        break 'search;
                    }
                    for other in 0..slots.len() {
                        let there = slots[other].fits.iter().position(|fit| fit == role);
                        let serves = there.is_some_and(|there| serve[other][there] > 0);
                        if serves && other != start && from[other].is_none() {
                            from[other] = Some((slot, place));
                            queue.push(other);
                        }
                    }
                }
            }
            let Some((last, place)) = end else {
                break;
            };
            // How many can move along the way at once.
            let role = slots[last].fits[place];
            let mut many = open.min(free.get(&role).copied().unwrap_or(0));
            let mut way = vec![(last, place, None)];
            let mut slot = last;
            while let Some((before, place)) = from[slot] {
                let role = slots[before].fits[place];
                let there = slots[slot].fits.iter().position(|&fit| fit == role);
                let Some(there) = there.filter(|_| slot != start) else {
                    break;
                };
                many = many.min(serve[slot][there]);
                way.push((before, place, Some((slot, there))));
                slot = before;
            }
            for (to, place, leaves) in way {
                serve[to][place] += many;
                if let Some((slot, there)) = leaves {
                    serve[slot][there] -= many;
                }
            }
            if let Some(count) = free.get_mut(&role) {
                *count -= many;
            }
            open -= many;
            filled = filled.saturating_add(many);
        }
    }
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(fits: &[u32], count: u32) -> Slot {
        Slot {
            fits: fits.iter().copied().map(RoleId).collect(),
            count,
        }
    }

    #[test]
    fn people_move_on_to_make_room() {
        let slots = [slot(&[0, 1], 2), slot(&[0], 2), slot(&[1, 2], 1)];
        let people =
            |counts: [u32; 3]| -> BTreeMap<RoleId, u32> { (0..).map(RoleId).zip(counts).collect() };
        assert_eq!(most_filled(&slots, &people([2, 2, 1])), 5);
        assert_eq!(most_filled(&slots, &people([2, 3, 0])), 5);
        assert_eq!(most_filled(&slots, &people([1, 9, 9])), 4);
        assert_eq!(most_filled(&slots, &people([u32::MAX, 0, 0])), 4);
        assert_eq!(most_filled(&slots, &people([0, 0, 7])), 1);
    }

    #[test]
    fn slots_fall_apart_where_nobody_fits_both() {
        let slots = tidy(vec![
            slot(&[0, 1], 1),
            slot(&[2], 1),
            slot(&[1, 3], 1),
            slot(&[], 4),
            slot(&[2], 2),
        ]);
        assert_eq!(slots.len(), 3);
        let (near, far) = apart(&slots);
        assert_eq!((near.len(), far.len()), (1, 2));
        assert_eq!(near, [slot(&[2], 3)]);
        assert_eq!(everywhere(&far), [RoleId(1)]);
        assert_eq!(without(&far, &[RoleId(1)]), [slot(&[0], 1), slot(&[3], 1)]);
    }
}
