//! An auditor who reads the events and what was known when each was written, and nothing else.
//!
//! Written from `docs/cases.md`, without the crate's own evaluation: no [`Case`], no checklist. Slow
//! and plain on purpose.

use std::collections::{BTreeMap, BTreeSet};

use countersign_cases::*;
use countersign_language::*;

/// An event, and what was known when it was written.
pub(crate) type Entry = (Event, Facts);

/// What is wrong with this log; `Ok` if nothing is.
pub(crate) fn audit(procedure: &Procedure, log: &[Entry]) -> Result<(), String> {
    for (index, (event, facts)) in log.iter().enumerate() {
        let Some(((first, _), _)) = log.split_first() else {
            return Ok(());
        };
        let EventKind::Opened { by: opener, .. } = &first.kind else {
            return Err("the first event opens nothing".into());
        };
        let before = &log[..index];
        order(before, &event.kind)?;
        people(opener, before, &event.kind)?;
        if let EventKind::Granted { path, by, .. } = &event.kind {
            grant(procedure, before, facts, event.at, *path, by)?;
        }
    }
    Ok(())
}

fn order(before: &[Entry], kind: &EventKind) -> Result<(), String> {
    let had = |wanted: fn(&EventKind) -> bool| before.iter().any(|(event, _)| wanted(&event.kind));
    let granted = had(|kind| matches!(kind, EventKind::Granted { .. }));
    let handed_over = had(|kind| matches!(kind, EventKind::HandedOver));
    let ended = had(|kind| {
        matches!(
            kind,
            EventKind::Refused { .. }
                | EventKind::Stopped { .. }
                | EventKind::Withdrawn { .. }
                | EventKind::Expired
        )
    });
    let concluded = had(|kind| {
        matches!(
            kind,
            EventKind::Concluded {
                outcome: Outcome::Done | Outcome::Failed { .. }
            }
        )
    });
    let fine = match kind {
        EventKind::Opened { .. } => before.is_empty(),
        EventKind::HandedOver => granted && !handed_over && !ended,
        EventKind::Concluded { .. } => handed_over && !concluded,
        EventKind::StopCameTooLate { .. } => handed_over,
        EventKind::Stopped { .. } | EventKind::Withdrawn { .. } => !handed_over && !ended,
        _ => !granted && !ended,
    };
    if fine {
        Ok(())
    } else {
        Err(format!("out of order: {kind:?}"))
    }
}

fn people(opener: &Actor, before: &[Entry], kind: &EventKind) -> Result<(), String> {
    let opener = match opener {
        Actor::Staff(member) => Some(&member.person),
        _ => None,
    };
    let linked = opener.is_none()
        || before
            .iter()
            .any(|(event, _)| event.kind == EventKind::LinkUsed);
    let wrong = match kind {
        EventKind::SignedOff { by, .. } => {
            Some(&by.person) == opener
                || by.robot
                || by.concerned
                || before.iter().any(|(event, _)| {
                    matches!(&event.kind, EventKind::SignedOff { by: other, .. } | EventKind::Vouched { by: other, .. } if other.person == by.person)
                })
        }
        EventKind::Vouched { by, .. } => {
            let opener_spoke = before.iter().any(|(event, _)| {
                matches!(&event.kind, EventKind::Vouched { by: other, .. } if Some(&other.person) == opener)
            });
            let signed = before.iter().any(|(event, _)| {
                matches!(&event.kind, EventKind::SignedOff { by: other, .. } if other.person == by.person)
            });
            (Some(&by.person) != opener && !opener_spoke) || signed || by.robot || by.concerned
        }
        EventKind::Refused { by, .. } => Some(&by.person) == opener || by.robot || by.concerned,
        EventKind::Proved { .. } | EventKind::Confirmed => !linked,
        _ => false,
    };
    if wrong {
        Err(format!("by the wrong person: {kind:?}"))
    } else {
        Ok(())
    }
}

fn grant(
    procedure: &Procedure,
    before: &[Entry],
    facts: &Facts,
    now: Timestamp,
    path: PathId,
    by: &Actor,
) -> Result<(), String> {
    let Some((
        Event {
            kind:
                EventKind::Opened {
                    action,
                    parameters,
                    by: opener,
                    expires_at,
                    ..
                },
            ..
        },
        _,
    )) = before.first()
    else {
        return Err("granted without being opened".into());
    };
    let action = procedure
        .actions
        .iter()
        .find(|one| one.name == *action)
        .ok_or("no such action")?;
    let path_lines: Vec<_> = action.paths[path.index()]
        .lines
        .iter()
        .map(|line| &line.requirement)
        .collect();
    let now_facts = World {
        procedure,
        facts,
        now,
        opener,
    };

    let wait: Option<i64> = path_lines
        .iter()
        .filter_map(|line| match line {
            Requirement::Wait(duration) => Some(i64::try_from(duration.seconds()).unwrap() * 1_000),
            _ => None,
        })
        .max();
    now_facts.earned(before, &path_lines)?;
    if let Some(wait) = wait {
        let waited = before.iter().enumerate().any(|(index, (event, _))| {
            matches!(event.kind, EventKind::WaitStarted { path: of, .. } if of == path)
                && now.0 >= event.at.0 + wait
                && now_facts.earned(&before[..index], &path_lines).is_ok()
        });
        if !waited {
            return Err("granted before the wait was over".into());
        }
    }
    for line in &path_lines {
        if !now_facts.condition(line, action, parameters) {
            return Err(format!("granted although {line:?} does not hold"));
        }
    }
    let expires = before
        .iter()
        .fold(*expires_at, |latest, (event, _)| match event.kind {
            EventKind::WaitStarted { until, .. } => latest.max(until.plus_seconds(24 * 3_600)),
            _ => latest,
        });
    if now >= expires {
        return Err("granted after it ran out".into());
    }
    if facts
        .earlier
        .iter()
        .any(|earlier| earlier.closed_until > now)
        || facts.open_case.is_some()
    {
        return Err("granted although the request is closed or has a twin".into());
    }
    let may = match by {
        Actor::Customer => true,
        Actor::Gate => *opener == Actor::Customer || wait.is_some(),
        Actor::Staff(member) => {
            *opener != Actor::Customer
                && !member.concerned
                && now_facts.covers(member, action.opened_by.roles[0])
        }
    };
    if may {
        Ok(())
    } else {
        Err(format!("granted because {by:?} said so"))
    }
}

struct World<'a> {
    procedure: &'a Procedure,
    facts: &'a Facts,
    now: Timestamp,
    opener: &'a Actor,
}

impl World<'_> {
    fn earned(&self, log: &[Entry], lines: &[&Requirement]) -> Result<(), String> {
        if !log
            .iter()
            .any(|(event, _)| event.kind == EventKind::Confirmed)
        {
            return Err("the customer did not confirm".into());
        }
        let mut slots: Vec<RoleId> = Vec::new();
        let mut channels: BTreeSet<HoldingId> = BTreeSet::new();
        let mut words: BTreeMap<RoleId, BTreeSet<&str>> = BTreeMap::new();
        for line in lines {
            match line {
                Requirement::Prove(expr) if !self.proved(log, expr) => {
                    return Err(format!("not proved: {expr:?}"));
                }
                Requirement::Confirms { role, text } => {
                    words.entry(*role).or_default().insert(text);
                }
                Requirement::SignOff { count, role } => slots.extend((0..*count).map(|_| *role)),
                Requirement::Notify {
                    every,
                    channels: named,
                } => {
                    let reached = |channel: &HoldingId| {
                        self.to_tell(&BTreeSet::from([*channel])).next().is_some()
                    };
                    if !(if *every {
                        named.iter().any(reached)
                    } else {
                        named.iter().all(reached)
                    }) {
                        return Err("a channel has nobody to tell".into());
                    }
                    channels.extend(named);
                }
                _ => {}
            }
        }
        let words: Vec<_> = words.into_iter().collect();
        if !self.vouched(log, &words, &BTreeSet::new()) {
            return Err(format!("not everybody vouched: {words:?}"));
        }
        let signers: Vec<&StaffMember> = log
            .iter()
            .filter_map(|(event, _)| match &event.kind {
                EventKind::SignedOff { by, .. } => Some(by),
                _ => None,
            })
            .collect();
        if !self.fill(&slots, &signers) {
            return Err("the signatures do not fill the slots".into());
        }
        if channels.is_empty() {
            Ok(())
        } else {
            self.told(log, &channels)
        }
    }

    fn proved(&self, log: &[Entry], expr: &Expr) -> bool {
        let holding = |of: &[Expr]| of.iter().filter(|one| self.proved(log, one)).count();
        match expr {
            Expr::And(of) => holding(of) == of.len(),
            Expr::Or(of) => holding(of) > 0,
            Expr::NOf { n, of } => holding(of) >= *n as usize,
            Expr::Atom { proof, settled, .. } => {
                let shows = self.procedure.proofs[proof.index()].shows;
                let Some(fact) = self
                    .facts
                    .holdings
                    .iter()
                    .find(|fact| fact.holding == shows)
                else {
                    return false;
                };
                let changed = fact.changed_at.map_or(i64::MIN, |at| at.0);
                let made = log.iter().any(|(event, _)| {
                    matches!(&event.kind, EventKind::Proved { proof: made, .. } if made == proof)
                        && event.at.0 > changed
                });
                let age = self.now.0.saturating_sub(changed) / 1_000;
                made && settled
                    .is_none_or(|settled| age >= i64::try_from(settled.seconds()).unwrap())
            }
        }
    }

    /// Tries every way to give each role a person of its own who said all its words, the opener among them.
    fn vouched(
        &self,
        log: &[Entry],
        words: &[(RoleId, BTreeSet<&str>)],
        stand: &BTreeSet<&PersonId>,
    ) -> bool {
        let Some(((role, texts), rest)) = words.split_first() else {
            return stand.is_empty()
                || matches!(self.opener, Actor::Staff(opener) if stand.contains(&opener.person));
        };
        let said: Vec<(&StaffMember, &str)> = log
            .iter()
            .filter_map(|(event, _)| match &event.kind {
                EventKind::Vouched { by, text } if self.covers(by, *role) => {
                    Some((by, text.as_str()))
                }
                _ => None,
            })
            .collect();
        said.iter().any(|(by, _)| {
            let all = texts.iter().all(|text| {
                said.iter()
                    .any(|(other, said)| other.person == by.person && said == text)
            });
            let mut stand = stand.clone();
            all && stand.insert(&by.person) && self.vouched(log, rest, &stand)
        })
    }

    /// Tries every way to give each slot a person of its own.
    fn fill(&self, slots: &[RoleId], people: &[&StaffMember]) -> bool {
        let Some((slot, rest)) = slots.split_first() else {
            return true;
        };
        (0..people.len()).any(|index| {
            let mut others = people.to_vec();
            let one = others.remove(index);
            self.covers(one, *slot) && self.fill(rest, &others)
        })
    }

    fn covers(&self, member: &StaffMember, wanted: RoleId) -> bool {
        member.roles.iter().any(|has| {
            *has == wanted || self.procedure.roles[has.index()].includes.contains(&wanted)
        })
    }

    fn to_tell(&self, channels: &BTreeSet<HoldingId>) -> impl Iterator<Item = &ContactFact> {
        let month = 30 * 86_400_000 + 999;
        self.facts.contacts.iter().filter(move |contact| {
            channels.contains(&contact.channel)
                && contact
                    .removed_at
                    .is_none_or(|at| self.now.0 - at.0 <= month)
        })
    }

    fn told(&self, log: &[Entry], channels: &BTreeSet<HoldingId>) -> Result<(), String> {
        let answer = |id: &ContactId| {
            log.iter().find_map(|(event, _)| match &event.kind {
                EventKind::Notified {
                    contact,
                    handed_over,
                } if contact == id => Some(*handed_over),
                _ => None,
            })
        };
        if let Some(untold) = self
            .to_tell(channels)
            .find(|contact| answer(&contact.id).is_none())
        {
            return Err(format!("{:?} was not told", untold.id));
        }
        // Whoever had not changed lately, now or when the notices were due, and was reached.
        let old = |contact: &ContactFact, at: Timestamp| {
            contact
                .changed_at
                .is_none_or(|changed| (at.0 - changed.0) / 1_000 >= 30 * 86_400)
        };
        let somebody_now = self
            .to_tell(channels)
            .any(|contact| old(contact, self.now) && answer(&contact.id) == Some(true));
        let somebody_then = log.iter().any(|(event, known)| {
            matches!(event.kind, EventKind::NoticesDue { .. })
                && known.contacts.iter().any(|contact| {
                    channels.contains(&contact.channel)
                        && old(contact, event.at)
                        && answer(&contact.id) == Some(true)
                })
        });
        if somebody_now || somebody_then {
            Ok(())
        } else {
            Err("nobody was reached whose contact is old enough".into())
        }
    }

    fn condition(
        &self,
        line: &Requirement,
        action: &Action,
        parameters: &std::collections::BTreeMap<String, String>,
    ) -> bool {
        match line {
            Requirement::Backup {
                grade,
                within,
                places,
            } => {
                let found: BTreeSet<_> = self
                    .facts
                    .backups
                    .iter()
                    .filter(|backup| {
                        let age = self.now.0 - backup.at.0;
                        backup.grade >= *grade
                            && age >= 0
                            && age / 1_000 <= i64::try_from(within.seconds()).unwrap()
                    })
                    .map(|backup| &backup.place)
                    .collect();
                found.len() >= *places as usize
            }
            Requirement::AtMost { count, per, scope } => {
                let runs = match scope {
                    Scope::Customer => &self.facts.runs_for_customer,
                    Scope::Staff => &self.facts.runs_by_opener,
                };
                let recent = runs.iter().filter(|at| {
                    (self.now.0 - at.0) / 1_000 < i64::try_from(per.seconds()).unwrap()
                });
                recent.count() < *count as usize
            }
            Requirement::When {
                subject,
                comparison,
                value,
            } => {
                let actual = match subject {
                    Subject::Parameter(index) => {
                        parameters.get(&action.parameters[*index as usize].name)
                    }
                    Subject::Attribute(name) => self.facts.attributes.get(name),
                };
                let (Some(actual), Value::Text(wanted)) = (actual, value) else {
                    return false;
                };
                match comparison {
                    Comparison::Is => actual == wanted,
                    Comparison::IsNot => actual != wanted,
                    _ => false,
                }
            }
            _ => true,
        }
    }
}
