//! Whether a path was complete when a grant was made: every line of it, worked out again from what had happened by then.

use std::collections::{BTreeMap, BTreeSet};

use countersign_language::{
    BackupGrade, Comparison, Expr, Path, ProofId, Requirement, RoleId, Scope, Subject,
    Value as Literal,
};
use serde_json::Value;

use super::{
    Books, Carried, Findings, Happened,
    customers::{Customers, MONTH_MS, Reached},
    life::{Life, Member, has_role, is_concerned, is_robot, may_open, text},
};

pub(super) fn check(
    books: &Books,
    customers: &Customers<'_>,
    life: &Life<'_>,
    lives: &[Life<'_>],
    found: &mut Findings,
) {
    for granted in life.of_kind("case.granted") {
        let Some((path, at)) = path_of(life, granted) else {
            found.unless(false, 1, || format!("{}: granted by no path", life.case));
            continue;
        };
        let look = Look {
            books,
            customers,
            life,
            lives,
            position: granted.position,
            now: granted.at,
        };
        for (invariant, missing) in look.missing(path, at) {
            found.unless(false, invariant, || {
                format!(
                    "{}: granted by `{}` without {missing}",
                    life.case, path.name
                )
            });
        }
        let by = Member::of(granted.data.get("by"));
        found.unless(look.may_say_run(&by, path), 1, || {
            format!("{}: {by:?} said run, and may not", life.case)
        });
        let confirmed = life
            .of_kind("case.confirmed")
            .any(|event| event.position < granted.position);
        found.unless(confirmed, 1, || {
            format!("{}: granted, and the customer never confirmed", life.case)
        });
    }
    notices_are_true(books, customers, life, found);
    waits_are_as_long_as_the_file_says(life, found);
}

fn path_of<'a>(life: &Life<'a>, event: &Happened) -> Option<(&'a Path, u64)> {
    let index = event.data.get("path")?.as_u64()?;
    let path = life.action.paths.get(usize::try_from(index).ok()?)?;
    Some((path, index))
}

/// A case at a moment.
struct Look<'b, 'a> {
    books: &'a Books,
    customers: &'b Customers<'a>,
    life: &'b Life<'a>,
    lives: &'b [Life<'a>],
    position: u64,
    now: i64,
}

impl<'a> Look<'_, 'a> {
    /// What of the path does not hold, with the invariant that it breaks.
    fn missing(&self, path: &Path, index: u64) -> Vec<(u8, String)> {
        let mut missing = Vec::new();
        let mut unless = |holds: bool, invariant: u8, what: String| {
            if !holds {
                missing.push((invariant, what));
            }
        };
        for line in &path.lines {
            match &line.requirement {
                Requirement::Prove(expr) => {
                    unless(
                        self.expr(expr, self.position),
                        10,
                        "the proofs it asks for".into(),
                    );
                }
                Requirement::When {
                    subject,
                    comparison,
                    value,
                } => unless(
                    self.when(subject, *comparison, value),
                    1,
                    "what it is for".into(),
                ),
                Requirement::AtMost { count, per, scope } => unless(
                    self.runs(*scope, per.seconds()) < u64::from(*count),
                    1,
                    "room in its limit".into(),
                ),
                Requirement::Backup {
                    grade,
                    within,
                    places,
                } => unless(
                    self.backups(*grade, within.seconds()) >= usize::try_from(*places).unwrap_or(0),
                    1,
                    "the backups it asks for".into(),
                ),
                Requirement::Confirms { .. }
                | Requirement::SignOff { .. }
                | Requirement::Notify { .. }
                | Requirement::Wait(_) => {}
            }
        }
        unless(
            self.people(path, self.position),
            4,
            "the people it asks for".into(),
        );
        unless(
            self.told(path, index, self.position),
            10,
            "everybody told".into(),
        );
        if let Some(seconds) = wait_of(path) {
            unless(self.waited(path, index, seconds), 6, "its wait".into());
        }
        missing
    }

    fn may_say_run(&self, by: &Member, path: &Path) -> bool {
        match by {
            Member::Customer => true,
            Member::Gate => self.life.by == Member::Customer || wait_of(path).is_some(),
            Member::Staff { .. } => {
                self.life.by != Member::Customer && may_open(self.books, self.life, by)
            }
        }
    }

    /// Events of the case before this position.
    fn earlier(&self, kind: &'static str, before: u64) -> impl Iterator<Item = &'a Happened> {
        self.life
            .of_kind(kind)
            .filter(move |event| event.position < before)
    }

    fn expr(&self, expr: &Expr, before: u64) -> bool {
        match expr {
            Expr::Atom { proof, settled, .. } => self.shown(
                *proof,
                settled.map(countersign_language::Duration::seconds),
                before,
            ),
            Expr::And(all) => all.iter().all(|one| self.expr(one, before)),
            Expr::Or(any) => any.iter().any(|one| self.expr(one, before)),
            Expr::NOf { n, of } => {
                let held = of.iter().filter(|one| self.expr(one, before)).count();
                held >= usize::try_from(*n).unwrap_or(usize::MAX)
            }
        }
    }

    /// The customer has it, unchanged for long enough, and showed it since it last changed: by the clock, and by the order
    /// in which the store took it.
    fn shown(&self, proof: ProofId, settled: Option<u64>, before: u64) -> bool {
        let procedure = self.life.procedure;
        let held = procedure
            .proofs
            .get(proof.index())
            .and_then(|proof| procedure.holdings.get(proof.shows.index()))
            .and_then(|holding| {
                self.customers
                    .holding(procedure, &self.life.customer, &holding.name, self.position)
            });
        let Some(held) = held else {
            return false;
        };
        let settled = match (settled, held.changed) {
            (Some(seconds), Some((_, at))) => self.now - at >= ms(seconds),
            _ => true,
        };
        let mut made = self.earlier("case.proved", before).filter(|event| {
            event.data.get("proof").and_then(Value::as_u64) == Some(u64::from(proof.0))
        });
        settled
            && made.any(|event| {
                held.changed
                    .is_none_or(|(position, at)| event.at > at && event.position > position)
            })
    }

    fn when(&self, subject: &Subject, comparison: Comparison, value: &Literal) -> bool {
        let actual = match subject {
            Subject::Parameter(index) => usize::try_from(*index)
                .ok()
                .and_then(|index| self.life.action.parameters.get(index))
                .and_then(|parameter| self.life.parameters.get(&parameter.name))
                .map(String::as_str),
            Subject::Attribute(name) => {
                self.customers
                    .attribute(&self.life.customer, name, self.position)
            }
        };
        let Some(actual) = actual else {
            return false;
        };
        match value {
            Literal::Text(wanted) => match comparison {
                Comparison::Is => actual == wanted,
                Comparison::IsNot => actual != wanted,
                _ => false,
            },
            Literal::Number(wanted) => {
                let Some(actual) = in_millionths(actual) else {
                    return false;
                };
                let order = actual.cmp(&i128::from(*wanted));
                match comparison {
                    Comparison::Is => order.is_eq(),
                    Comparison::IsNot => order.is_ne(),
                    Comparison::Less => order.is_lt(),
                    Comparison::AtMost => order.is_le(),
                    Comparison::More => order.is_gt(),
                    Comparison::AtLeast => order.is_ge(),
                }
            }
        }
    }

    /// Grants of this action within this time: for this customer, or in cases that the opener of this one opened.
    fn runs(&self, scope: Scope, seconds: u64) -> u64 {
        let of = self.lives.iter().filter(|other| {
            other.action.name == self.life.action.name
                && match scope {
                    Scope::Customer => other.customer == self.life.customer,
                    Scope::Staff => {
                        self.life.by.person().is_some()
                            && other.by.person() == self.life.by.person()
                    }
                }
        });
        let grants = of
            .flat_map(|other| other.of_kind("case.granted"))
            .filter(|event| event.position < self.position && self.now - event.at < ms(seconds));
        grants.count() as u64
    }

    fn backups(&self, grade: BackupGrade, seconds: u64) -> usize {
        let stream = format!("c.{}/account", self.life.customer);
        let places: BTreeSet<&str> = self
            .books
            .events
            .iter()
            .filter(|event| {
                event.kind == "backup.attested"
                    && event.stream == stream
                    && event.position < self.position
            })
            .filter(|event| {
                let at = event
                    .data
                    .get("at")
                    .and_then(Value::as_i64)
                    .unwrap_or(i64::MAX);
                // Of ages that differ by less than a second either will do.
                at <= self.now && self.now - at < ms(seconds) + 1_000
            })
            .filter(|event| {
                let good = match text(Some(&event.data), "grade").as_str() {
                    "exists" => BackupGrade::Exists,
                    "verified" => BackupGrade::Verified,
                    _ => BackupGrade::Restored,
                };
                good >= grade
            })
            .filter_map(|event| event.data.get("place").and_then(Value::as_str))
            .collect();
        places.len()
    }

    /// Everybody the path asks for: one of each role that vouches, the opener among them, and as many who sign, all
    /// different, none of them tied to the customer, no program, and nobody who opened the case signing it.
    fn people(&self, path: &Path, before: u64) -> bool {
        let mut wanted: BTreeMap<RoleId, BTreeSet<&str>> = BTreeMap::new();
        let mut slots: Vec<Vec<String>> = Vec::new();
        for line in &path.lines {
            match &line.requirement {
                Requirement::Confirms { role, text } => {
                    wanted.entry(*role).or_default().insert(text);
                }
                Requirement::SignOff { count, role } => {
                    let signers = self.signers(*role, before);
                    slots.extend((0..*count).map(|_| signers.clone()));
                }
                _ => {}
            }
        }
        let vouchers: Vec<Vec<String>> = wanted
            .iter()
            .map(|(role, texts)| self.vouchers(*role, texts, before))
            .collect();
        let opener = self.life.by.person();
        let opener_vouches = vouchers.is_empty()
            || vouchers
                .iter()
                .any(|people| people.iter().any(|person| Some(person.as_str()) == opener));
        slots.extend(vouchers);
        opener_vouches && all_different(&slots, &mut BTreeSet::new())
    }

    fn can_count(&self, member: &Member, role: RoleId) -> bool {
        let Member::Staff { person, account } = member else {
            return false;
        };
        let role = self.life.procedure.roles.get(role.index());
        role.is_some_and(|role| {
            has_role(self.books, self.life.procedure, account, person, &role.name)
        }) && !is_concerned(self.books, person, &self.life.customer)
            && !is_robot(self.books, person)
    }

    fn signers(&self, role: RoleId, before: u64) -> Vec<String> {
        let signed = self
            .earlier("case.signed_off", before)
            .map(|event| Member::staff(event.data.get("by")));
        signed
            .filter(|member| {
                self.can_count(member, role) && member.person() != self.life.by.person()
            })
            .filter_map(|member| member.person().map(str::to_owned))
            .collect()
    }

    fn vouchers(&self, role: RoleId, texts: &BTreeSet<&str>, before: u64) -> Vec<String> {
        let mut said: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for event in self.earlier("case.vouched", before) {
            let member = Member::staff(event.data.get("by"));
            if let (true, Some(person)) = (self.can_count(&member, role), member.person()) {
                said.entry(person.to_owned())
                    .or_default()
                    .insert(text(Some(&event.data), "text"));
            }
        }
        said.into_iter()
            .filter(|(_, given)| texts.iter().all(|text| given.contains(*text)))
            .map(|(person, _)| person)
            .collect()
    }

    /// Every contact in reach was tried, and one at least was reached that had not changed lately.
    fn told(&self, path: &Path, index: u64, before: u64) -> bool {
        let procedure = self.life.procedure;
        let contacts = self.customers.contacts(&self.life.customer, self.position);
        let in_reach: Vec<&Reached<'_>> = contacts
            .iter()
            .filter(|contact| {
                contact
                    .removed_at
                    .is_none_or(|removed| self.now - removed < MONTH_MS + 1_000)
            })
            .collect();
        let mut asked = false;
        let mut holds = true;
        let mut reached_settled = false;
        for line in &path.lines {
            let Requirement::Notify { every, channels } = &line.requirement else {
                continue;
            };
            asked = true;
            let mut served = 0;
            for channel in channels {
                let Some(channel) = procedure.holdings.get(channel.index()) else {
                    return false;
                };
                let there: Vec<_> = in_reach
                    .iter()
                    .filter(|one| one.channel == channel.name)
                    .collect();
                served += usize::from(!there.is_empty());
                for contact in there {
                    let answer = self
                        .earlier("case.notified", before)
                        .find(|event| text(Some(&event.data), "contact") == contact.id);
                    holds &= answer.is_some();
                    let handed_over = answer.is_some_and(|answer| {
                        answer.data.get("handed_over").and_then(Value::as_bool) == Some(true)
                    });
                    reached_settled |= handed_over && self.was_settled(contact, index, before);
                }
            }
            holds &= if *every {
                served > 0
            } else {
                served == channels.len()
            };
        }
        // Somebody who was told and is out of reach by now was told all the same.
        let gone: Vec<_> = contacts
            .iter()
            .filter(|contact| {
                self.earlier("case.notified", before).any(|event| {
                    text(Some(&event.data), "contact") == contact.id
                        && event.data.get("handed_over").and_then(Value::as_bool) == Some(true)
                })
            })
            .collect();
        reached_settled |= gone
            .iter()
            .any(|contact| self.was_settled(contact, index, before));
        !asked || (holds && reached_settled)
    }

    /// Unchanged for thirty days: now, or when the path's notices were due.
    fn was_settled(&self, contact: &Reached<'_>, path: u64, before: u64) -> bool {
        let Some(changed) = contact.changed_at else {
            return true;
        };
        let due = self
            .earlier("case.notices_due", before)
            .filter(|event| event.data.get("path").and_then(Value::as_u64) == Some(path))
            .map(|event| event.at);
        due.chain([self.now]).any(|at| at - changed >= MONTH_MS)
    }

    /// A wait of this path is over that was not void, and everything it was earned with was there before it and still holds.
    fn waited(&self, path: &Path, index: u64, seconds: u64) -> bool {
        let of_path =
            |event: &&Happened| event.data.get("path").and_then(Value::as_u64) == Some(index);
        let Some(wait) = self
            .earlier("case.wait_started", self.position)
            .filter(of_path)
            .last()
        else {
            return false;
        };
        let void = self
            .earlier("case.wait_void", self.position)
            .filter(of_path)
            .any(|event| event.position > wait.position);
        let over = self.now >= wait.at + ms(seconds);
        let confirmed = self
            .earlier("case.confirmed", wait.position)
            .next()
            .is_some();
        let earned = path.lines.iter().all(|line| match &line.requirement {
            Requirement::Prove(expr) => self.expr(expr, wait.position),
            _ => true,
        });
        !void
            && over
            && confirmed
            && earned
            && self.people(path, wait.position)
            && self.told(path, index, wait.position)
    }
}

/// One person for each place, nobody in two.
fn all_different(slots: &[Vec<String>], taken: &mut BTreeSet<String>) -> bool {
    let Some((first, rest)) = slots.split_first() else {
        return true;
    };
    first.iter().any(|person| {
        taken.insert(person.clone()) && {
            let fits = all_different(rest, taken);
            taken.remove(person);
            fits
        }
    })
}

fn wait_of(path: &Path) -> Option<u64> {
    let waits = path.lines.iter().filter_map(|line| match line.requirement {
        Requirement::Wait(duration) => Some(duration.seconds()),
        _ => None,
    });
    waits.max()
}

fn ms(seconds: u64) -> i64 {
    i64::try_from(seconds)
        .unwrap_or(i64::MAX)
        .saturating_mul(1_000)
}

/// A plain decimal number in millionths.
fn in_millionths(text: &str) -> Option<i128> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text),
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || part.len() > 6 || !all_digits(whole) || !all_digits(part) {
        return None;
    }
    let padded = format!("{whole}{part:0<6}");
    padded.parse::<i128>().ok().map(|number| sign * number)
}

/// Who counts as told got a letter that says so, and it was taken.
fn notices_are_true(
    books: &Books,
    customers: &Customers<'_>,
    life: &Life<'_>,
    found: &mut Findings,
) {
    for told in life.of_kind("case.notified") {
        if told.data.get("handed_over").and_then(Value::as_bool) != Some(true) {
            continue;
        }
        let id = text(Some(&told.data), "contact");
        let contacts = customers.contacts(&life.customer, told.position);
        let address = contacts.iter().find(|contact| contact.id == id);
        let letter = address.is_some_and(|contact| {
            books.letters.iter().any(|letter| {
                letter.to == contact.address
                    && letter.carried == Carried::Taken
                    && letter.position < told.position
                    && letter.text.contains(&life.case)
                    && letter.text.contains("/v/")
            })
        });
        found.unless(letter, 10, || {
            format!(
                "{}: `{id}` counts as told, and no letter was taken",
                life.case
            )
        });
    }
}

fn waits_are_as_long_as_the_file_says(life: &Life<'_>, found: &mut Findings) {
    for wait in life.of_kind("case.wait_started") {
        let seconds = path_of(life, wait).and_then(|(path, _)| wait_of(path));
        let until = wait.data.get("until").and_then(Value::as_i64);
        found.unless(
            seconds.is_some_and(|seconds| until == Some(wait.at + ms(seconds))),
            6,
            || format!("{}: a wait that is not as long as the file says", life.case),
        );
    }
}
