//! Whether a requirement holds now. The one evaluation that decisions, pages and the fast question share.
//!
//! Everything here only looks, and nothing here allocates.

use countersign_language::{
    Action, BackupGrade, Comparison, Duration, Expr, HoldingId, Path, PathId, Procedure, ProofId,
    Requirement, RoleId, Scope, Subject, Value,
};

use crate::{
    Case, CaseId, ContactFact, HoldingFact, Moment, NOTICE_REACH_SECONDS, NotYet, Opened, PersonId,
    StaffMember, State, Timestamp, Wait,
    policy::{CONTACT_SETTLES_SECONDS, SIGNERS_MAX},
};

/// Whether this case may run at this moment, and by which path: `Ok` exactly when [`crate::Command::Run`]
/// by the customer would be granted.
///
/// Looks at every requirement again, and allocates nothing.
pub fn may_run(procedure: &Procedure, case: &Case, moment: &Moment<'_>) -> Result<PathId, NotYet> {
    let view = View::new(procedure, case, moment)?;
    let State::Ready { path: id, .. } = case.state() else {
        return Err(match case.state() {
            State::Open | State::Waiting { .. } => NotYet::Incomplete,
            state => NotYet::Over(state),
        });
    };
    if moment.now >= case.expires_at() {
        return Err(NotYet::Expired);
    }
    view.not_closed()?;
    if view.other_case().is_some() {
        return Err(NotYet::OtherCaseOpen);
    }
    let path = view
        .action
        .paths
        .get(id.index())
        .ok_or(NotYet::OtherProcedure)?;
    if view.complete(id, path) {
        Ok(id)
    } else {
        Err(NotYet::Incomplete)
    }
}

/// A case beside the procedure it was opened under and what is known now.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) procedure: &'a Procedure,
    pub(crate) action: &'a Action,
    pub(crate) opened: &'a Opened,
    pub(crate) case: &'a Case,
    pub(crate) moment: &'a Moment<'a>,
}

/// Only what was recorded before this event counts; [`ALL`] for everything.
pub(crate) type Before = u64;
pub(crate) const ALL: Before = u64::MAX;

/// How a proof stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shown {
    Holds {
        at: Timestamp,
    },
    /// Not shown yet.
    Missing,
    /// Shown, but the holding changed at or after that.
    Void,
    /// The holding changed too lately; it is settled then.
    Unsettled {
        until: Timestamp,
    },
    /// The customer does not have it.
    NotHeld,
}

/// How the notices of a path stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    /// No line asks for any.
    NotAsked,
    Holds,
    /// A named channel has no contact, so nobody can be told there.
    NoContact,
    /// Somebody is still to be told.
    OnTheWay,
    /// Everybody was tried, and nobody reached whose contact had not changed lately.
    NobodyReached,
}

/// How the wait of a path stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Waited {
    /// No line asks for one.
    NotAsked,
    NotStarted,
    /// What it was earned with no longer holds.
    Void,
    Until(Timestamp),
    Over {
        until: Timestamp,
    },
}

impl<'a> View<'a> {
    pub(crate) fn new(
        procedure: &'a Procedure,
        case: &'a Case,
        moment: &'a Moment<'a>,
    ) -> Result<Self, NotYet> {
        let opened = case.opened().ok_or(NotYet::NoCase)?;
        let action = procedure
            .actions
            .get(opened.action_index.index())
            .filter(|_| case.is_under(procedure))
            .ok_or(NotYet::OtherProcedure)?;
        Ok(Self {
            procedure,
            action,
            opened,
            case,
            moment,
        })
    }

    /// The same request was refused or stopped elsewhere and is still closed.
    pub(crate) fn not_closed(&self) -> Result<(), NotYet> {
        let closed = self
            .moment
            .facts
            .earlier
            .iter()
            .filter(|earlier| {
                earlier.closed_until > self.moment.now && earlier.case != self.opened.case
            })
            .map(|earlier| earlier.closed_until)
            .max();
        closed.map_or(Ok(()), |until| Err(NotYet::Closed { until }))
    }

    /// Another case for the same customer and action that is not finished.
    pub(crate) fn other_case(&self) -> Option<&'a CaseId> {
        let other = self.moment.facts.open_case.as_ref();
        other.filter(|other| **other != self.opened.case)
    }

    pub(crate) fn paths(&self) -> impl Iterator<Item = (PathId, &'a Path)> + use<'a> {
        (0_u32..).map(PathId).zip(&self.action.paths)
    }

    /// Every line of the path holds, and the customer confirmed.
    pub(crate) fn complete(&self, id: PathId, path: &Path) -> bool {
        self.rest_holds(path, ALL)
            && matches!(self.told(id, path, ALL), Told::NotAsked | Told::Holds)
            && matches!(
                self.waited(id, path),
                Waited::NotAsked | Waited::Over { .. }
            )
    }

    /// The customer confirmed, and every line holds but notices and waits.
    pub(crate) fn rest_holds(&self, path: &Path, before: Before) -> bool {
        self.earned_holds(path, before)
            && path
                .lines
                .iter()
                .all(|line| self.condition_holds(&line.requirement))
    }

    /// The customer confirmed, and everything holds that people do: proofs, the opener's word, signatures.
    fn earned_holds(&self, path: &Path, before: Before) -> bool {
        self.case.confirmed_at().is_some()
            && self.proved(path, before)
            && self.vouched(path, before)
            && self.signed(path, before).is_ok()
    }

    /// The `when`, `at most` and `backup` lines: true of the world, not earned by anyone.
    pub(crate) fn condition_holds(&self, requirement: &Requirement) -> bool {
        match requirement {
            Requirement::When {
                subject,
                comparison,
                value,
            } => self.when(subject, *comparison, value),
            Requirement::AtMost { count, per, scope } => {
                self.runs_within(*per, *scope) < u64::from(*count)
            }
            Requirement::Backup {
                grade,
                within,
                places,
            } => self.backup_places(*grade, *within, *places) >= u64::from(*places),
            Requirement::Prove(_)
            | Requirement::Confirms { .. }
            | Requirement::SignOff { .. }
            | Requirement::Notify { .. }
            | Requirement::Wait(_) => true,
        }
    }

    /// All `when` lines hold: the path is for this request and this customer at all.
    pub(crate) fn applies(&self, path: &Path) -> bool {
        path.lines.iter().all(|line| match &line.requirement {
            Requirement::When { .. } => self.condition_holds(&line.requirement),
            _ => true,
        })
    }

    /// All `prove` lines hold: the customer's part.
    pub(crate) fn proved(&self, path: &Path, before: Before) -> bool {
        path.lines.iter().all(|line| match &line.requirement {
            Requirement::Prove(expr) => self.expr(expr, before),
            _ => true,
        })
    }

    pub(crate) fn expr(&self, expr: &Expr, before: Before) -> bool {
        match expr {
            Expr::Atom { proof, settled, .. } => {
                matches!(self.shown(*proof, *settled, before), Shown::Holds { .. })
            }
            Expr::And(all) => all.iter().all(|one| self.expr(one, before)),
            Expr::Or(any) => any.iter().any(|one| self.expr(one, before)),
            Expr::NOf { n, of } => {
                let holding = of.iter().filter(|one| self.expr(one, before)).count();
                u32::try_from(holding).is_ok_and(|holding| holding >= *n)
            }
        }
    }

    pub(crate) fn shown(&self, proof: ProofId, settled: Option<Duration>, before: Before) -> Shown {
        let Some(holding) = self.holding_of(proof) else {
            return Shown::NotHeld;
        };
        if let (Some(settled), Some(changed_at)) = (settled, holding.changed_at)
            && self.moment.now.seconds_since(changed_at) < settled.seconds()
        {
            return Shown::Unsettled {
                until: changed_at.plus_seconds(settled.seconds()),
            };
        }
        let made = self
            .case
            .proofs()
            .iter()
            .rev()
            .find(|made| made.proof == proof && made.event < before);
        match (made, holding.changed_at) {
            (None, _) => Shown::Missing,
            (Some(made), Some(changed_at)) if made.at <= changed_at => Shown::Void,
            (Some(made), _) => Shown::Holds { at: made.at },
        }
    }

    pub(crate) fn holding_of(&self, proof: ProofId) -> Option<&'a HoldingFact> {
        let shows = self.procedure.proofs.get(proof.index())?.shows;
        self.moment
            .facts
            .holdings
            .iter()
            .find(|fact| fact.holding == shows)
    }

    /// Every `confirms` line has somebody's word: the lines of one role that of one person, the lines of
    /// another role that of another, and one of them is the opener.
    pub(crate) fn vouched(&self, path: &Path, before: Before) -> bool {
        let (_, all) = Vouchers::find(self, path, before);
        all.is_ok()
            && (confirms(path).next().is_none() || self.opener_vouched(path, before).is_some())
    }

    /// Whether this `confirms` line has the word of somebody who is not needed for another role of the path.
    pub(crate) fn vouched_line(&self, path: &Path, role: RoleId, text: &str) -> bool {
        let (vouchers, _) = Vouchers::find(self, path, ALL);
        vouchers.of(role).is_some()
            || self.case.vouches().iter().any(|vouch| {
                self.gave(&vouch.by.person, role, text, ALL)
                    && !confirms(path).any(|(other, _)| {
                        vouchers
                            .of(other)
                            .and_then(|place| self.case.vouches().get(place))
                            .is_some_and(|seated| seated.by.person == vouch.by.person)
                    })
            })
    }

    /// A role of the path for which the opener gave their word in full.
    pub(crate) fn opener_vouched(&self, path: &Path, before: Before) -> Option<RoleId> {
        let opener = self.opened.opener()?;
        let mut roles = confirms(path).map(|(role, _)| role);
        roles.find(|role| self.gave_all(&opener.person, path, *role, before))
    }

    /// This person gave their word for every line of this role.
    pub(crate) fn gave_all(
        &self,
        person: &PersonId,
        path: &Path,
        role: RoleId,
        before: Before,
    ) -> bool {
        let mut lines = confirms(path).filter(|(of, _)| *of == role).peekable();
        lines.peek().is_some() && lines.all(|(role, text)| self.gave(person, role, text, before))
    }

    /// This person, of this role, no program, and not among those who had signed, gave their word for this.
    pub(crate) fn gave(&self, person: &PersonId, role: RoleId, text: &str, before: Before) -> bool {
        self.case.vouches().iter().any(|vouch| {
            vouch.by.person == *person
                && vouch.text == text
                && vouch.event < before
                && !vouch.by.robot
                && !vouch.by.concerned
                && self.covers(&vouch.by, role)
                && !self
                    .case
                    .sign_offs()
                    .iter()
                    .any(|signed| signed.by.person == *person && signed.event < vouch.event)
        })
    }

    pub(crate) fn covers(&self, member: &StaffMember, role: RoleId) -> bool {
        member
            .roles
            .iter()
            .any(|has| self.procedure.role_covers(*has, role))
    }

    /// All sign-off lines are filled by different people.
    pub(crate) fn signed(&self, path: &Path, before: Before) -> Result<(), Unfilled> {
        if path
            .lines
            .iter()
            .any(|line| matches!(line.requirement, Requirement::SignOff { .. }))
        {
            Slots::fill(self, path, before).1
        } else {
            Ok(())
        }
    }

    /// How many people fill each sign-off line of the path.
    pub(crate) fn signers_of_line(&self, path: &Path, line: usize) -> u32 {
        Slots::fill(self, path, ALL).0.of_line(line)
    }

    /// Who signed at this place, if the signature can count.
    fn signer(&self, place: usize, before: Before) -> Option<&'a StaffMember> {
        let one = self.case.sign_offs().get(place)?;
        (one.counts && one.event < before).then_some(&one.by)
    }

    fn when(&self, subject: &Subject, comparison: Comparison, value: &Value) -> bool {
        let actual = match subject {
            Subject::Parameter(index) => usize::try_from(*index)
                .ok()
                .and_then(|index| self.action.parameters.get(index))
                .and_then(|parameter| self.opened.parameters.get(&parameter.name)),
            Subject::Attribute(name) => self.moment.facts.attributes.get(name),
        };
        // What is not known proves nothing, not even `is not`.
        actual.is_some_and(|actual| compare(actual, comparison, value))
    }

    /// Runs that count for an `at most` line. One with a time in the future counts.
    pub(crate) fn runs_within(&self, per: Duration, scope: Scope) -> u64 {
        let runs = match scope {
            Scope::Customer => &self.moment.facts.runs_for_customer,
            Scope::Staff => &self.moment.facts.runs_by_opener,
        };
        let within = runs
            .iter()
            .filter(|at| self.moment.now.seconds_since(**at) < per.seconds())
            .count();
        u64::try_from(within).unwrap_or(u64::MAX)
    }

    /// Different places with a good enough backup, counted up to `enough`. One made in the future is none.
    pub(crate) fn backup_places(&self, grade: BackupGrade, within: Duration, enough: u32) -> u64 {
        let backups = &self.moment.facts.backups;
        let counts = |backup: &&crate::BackupFact| {
            backup.grade >= grade
                && backup.at <= self.moment.now
                && self.moment.now.seconds_since(backup.at) <= within.seconds()
        };
        let mut places = 0_u64;
        for (index, backup) in backups
            .iter()
            .enumerate()
            .filter(|(_, backup)| counts(backup))
        {
            if places >= u64::from(enough) {
                break;
            }
            if !backups
                .iter()
                .take(index)
                .filter(counts)
                .any(|other| other.place == backup.place)
            {
                places += 1;
            }
        }
        places
    }

    /// The contacts a path's notices must go to: of the named channels, live or removed lately.
    pub(crate) fn contacts_of<'v>(
        &'v self,
        path: &'v Path,
    ) -> impl Iterator<Item = &'a ContactFact> + use<'a, 'v> {
        self.moment.facts.contacts.iter().filter(move |contact| {
            let in_reach = contact.removed_at.is_none_or(|removed| {
                self.moment.now.seconds_since(removed) <= NOTICE_REACH_SECONDS
            });
            in_reach
                && path.lines.iter().any(|line| match &line.requirement {
                    Requirement::Notify { channels, .. } => channels.contains(&contact.channel),
                    _ => false,
                })
        })
    }

    /// Whether this contact has been the same long enough to count as told.
    pub(crate) fn contact_settled(&self, contact: &ContactFact) -> bool {
        contact
            .changed_at
            .is_none_or(|changed| self.moment.now.seconds_since(changed) >= CONTACT_SETTLES_SECONDS)
    }

    /// At each named channel somebody can be told; where the file says every channel, at one of them at least.
    fn channels_have_contacts(&self, path: &Path) -> bool {
        let has_contact = |channel: &HoldingId| {
            self.contacts_of(path)
                .any(|contact| contact.channel == *channel)
        };
        path.lines.iter().all(|line| match &line.requirement {
            Requirement::Notify {
                every: true,
                channels,
            } => channels.iter().any(has_contact),
            Requirement::Notify {
                every: false,
                channels,
            } => channels.iter().all(has_contact),
            _ => true,
        })
    }

    pub(crate) fn told(&self, id: PathId, path: &Path, before: Before) -> Told {
        if !path
            .lines
            .iter()
            .any(|line| matches!(line.requirement, Requirement::Notify { .. }))
        {
            return Told::NotAsked;
        }
        if !self.channels_have_contacts(path) {
            return Told::NoContact;
        }
        let Some(named) = self.case.notified_for(id) else {
            return Told::OnTheWay;
        };
        let answer = |contact| {
            self.case
                .notice_to(contact)
                .and_then(|notice| notice.answer)
                .filter(|answer| answer.event < before)
        };
        let all_named = self
            .contacts_of(path)
            .all(|contact| named.contacts.contains(&contact.id));
        if !all_named
            || !named
                .contacts
                .iter()
                .all(|contact| answer(contact).is_some())
        {
            return Told::OnTheWay;
        }
        let reached = |contact| answer(contact).is_some_and(|answer| answer.handed_over);
        let somebody = named.settled.iter().any(reached)
            || self
                .contacts_of(path)
                .any(|contact| self.contact_settled(contact) && reached(&contact.id));
        if somebody {
            Told::Holds
        } else {
            Told::NobodyReached
        }
    }

    /// The longest `wait` line of a path, in seconds.
    pub(crate) fn wait_seconds(path: &Path) -> Option<u64> {
        path.lines
            .iter()
            .filter_map(|line| match line.requirement {
                Requirement::Wait(duration) => Some(duration.seconds()),
                _ => None,
            })
            .max()
    }

    pub(crate) fn waited(&self, id: PathId, path: &Path) -> Waited {
        if Self::wait_seconds(path).is_none() {
            return Waited::NotAsked;
        }
        let Some(wait) = self.case.wait_of(id) else {
            return Waited::NotStarted;
        };
        if !self.wait_earned(wait, id, path) {
            Waited::Void
        } else if self.moment.now < wait.until {
            Waited::Until(wait.until)
        } else {
            Waited::Over { until: wait.until }
        }
    }

    /// What was earned before the wait began still earns the path by itself. Conditions of the world may
    /// lapse and return meanwhile.
    fn wait_earned(&self, wait: &Wait, id: PathId, path: &Path) -> bool {
        self.earned_holds(path, wait.event)
            && matches!(
                self.told(id, path, wait.event),
                Told::NotAsked | Told::Holds
            )
    }
}

/// Not every sign-off line is filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unfilled;

/// Who fills which sign-off line: a matching of people to lines, each person to one.
///
/// Augmenting paths (Kuhn), so that a senior who signed first moves on to the line only seniors can
/// fill when an agent comes who can fill the other.
struct Slots {
    /// Place in the path of the line each signature fills, by place in [`Case::sign_offs`]; [`NO_LINE`] for none.
    line_of: [u8; SIGNERS_MAX],
}

/// A path with more lines than this has no sign-off line behind them that can be filled.
const NO_LINE: u8 = u8::MAX;

/// The places already tried, one bit each.
type Tried = u64;
const _: () = assert!(SIGNERS_MAX == Tried::BITS as usize);

impl Slots {
    fn fill(view: &View<'_>, path: &Path, before: Before) -> (Self, Result<(), Unfilled>) {
        let mut slots = Self {
            line_of: [NO_LINE; SIGNERS_MAX],
        };
        let mut outcome = Ok(());
        for (line, of) in path.lines.iter().enumerate() {
            let Requirement::SignOff { count, .. } = of.requirement else {
                continue;
            };
            let line = u8::try_from(line).unwrap_or(NO_LINE);
            for _ in 0..count {
                if line == NO_LINE || !slots.place(view, path, line, before, &mut 0) {
                    outcome = Err(Unfilled);
                    break;
                }
            }
        }
        (slots, outcome)
    }

    /// One more person for this line, moving others on where that helps.
    fn place(
        &mut self,
        view: &View<'_>,
        path: &Path,
        line: u8,
        before: Before,
        tried: &mut Tried,
    ) -> bool {
        let of = path
            .lines
            .get(usize::from(line))
            .map(|line| &line.requirement);
        let Some(Requirement::SignOff { role, .. }) = of else {
            return false;
        };
        for place in 0..view.case.sign_offs().len().min(SIGNERS_MAX) {
            let bit = 1 << place;
            if *tried & bit != 0
                || !view
                    .signer(place, before)
                    .is_some_and(|member| view.covers(member, *role))
            {
                continue;
            }
            *tried |= bit;
            let free = match self.line_of.get(place) {
                Some(&NO_LINE) => true,
                Some(&other) if other != line => self.place(view, path, other, before, tried),
                _ => false,
            };
            if free && let Some(slot) = self.line_of.get_mut(place) {
                *slot = line;
                return true;
            }
        }
        false
    }

    fn of_line(&self, line: usize) -> u32 {
        let line = u8::try_from(line).unwrap_or(NO_LINE);
        let filled = self
            .line_of
            .iter()
            .filter(|filled| **filled == line && line != NO_LINE)
            .count();
        u32::try_from(filled).unwrap_or(u32::MAX)
    }
}

/// The `confirms` lines of a path.
pub(crate) fn confirms(path: &Path) -> impl Iterator<Item = (RoleId, &str)> {
    path.lines
        .iter()
        .filter_map(|line| match &line.requirement {
            Requirement::Confirms { role, text } => Some((*role, text.as_str())),
            _ => None,
        })
}

/// Who gives their word for which role of a path: a matching of roles to people, as [`Slots`] is one of
/// people to lines.
struct Vouchers {
    /// Place in [`Case::vouches`] of a word of the person who stands for this role; [`NOBODY`] for none.
    place_of: [usize; ROLES_MAX],
}

const NOBODY: usize = usize::MAX;

/// A procedure has no more roles than fit one machine word ([`countersign_language::MOST_ROLES`]).
const ROLES_MAX: usize = 64;

impl Vouchers {
    fn find(view: &View<'_>, path: &Path, before: Before) -> (Self, Result<(), Unfilled>) {
        let mut vouchers = Self {
            place_of: [NOBODY; ROLES_MAX],
        };
        let mut outcome = Ok(());
        for (role, _) in confirms(path) {
            if vouchers.of(role).is_none() && !vouchers.place(view, path, role, before, &mut 0) {
                outcome = Err(Unfilled);
            }
        }
        (vouchers, outcome)
    }

    /// Somebody for this role, moving others on where that helps.
    fn place(
        &mut self,
        view: &View<'_>,
        path: &Path,
        role: RoleId,
        before: Before,
        tried: &mut u64,
    ) -> bool {
        if role.index() >= ROLES_MAX {
            return false;
        }
        *tried |= 1 << role.index();
        for (place, vouch) in view.case.vouches().iter().enumerate() {
            let person = &vouch.by.person;
            if !view.gave_all(person, path, role, before) {
                continue;
            }
            let free = match self.role_of(view, person) {
                None => true,
                Some(other) => {
                    *tried >> other.index() & 1 == 0 && self.place(view, path, other, before, tried)
                }
            };
            if free && let Some(of) = self.place_of.get_mut(role.index()) {
                *of = place;
                return true;
            }
        }
        false
    }

    fn of(&self, role: RoleId) -> Option<usize> {
        let place = self.place_of.get(role.index());
        place.copied().filter(|place| *place != NOBODY)
    }

    /// The role this person stands for already.
    fn role_of(&self, view: &View<'_>, person: &PersonId) -> Option<RoleId> {
        (0_u32..).map(RoleId).take(ROLES_MAX).find(|role| {
            self.of(*role)
                .and_then(|place| view.case.vouches().get(place))
                .is_some_and(|vouch| vouch.by.person == *person)
        })
    }
}

fn compare(actual: &str, comparison: Comparison, value: &Value) -> bool {
    match value {
        Value::Text(wanted) => match comparison {
            Comparison::Is => actual == wanted,
            Comparison::IsNot => actual != wanted,
            // Words have no order.
            Comparison::Less | Comparison::AtMost | Comparison::More | Comparison::AtLeast => false,
        },
        Value::Number(wanted) => millionths(actual).is_some_and(|actual| match comparison {
            Comparison::Is => actual == *wanted,
            Comparison::IsNot => actual != *wanted,
            Comparison::Less => actual < *wanted,
            Comparison::AtMost => actual <= *wanted,
            Comparison::More => actual > *wanted,
            Comparison::AtLeast => actual >= *wanted,
        }),
    }
}

/// A plain decimal number (`-12.5`, at most six decimal places) in millionths. Anything else is no number.
fn millionths(text: &str) -> Option<i64> {
    let (negative, digits) = text
        .strip_prefix('-')
        .map_or((false, text), |rest| (true, rest));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let plain = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !plain(whole) || !plain(fraction) || fraction.len() > 6 {
        return None;
    }
    let whole: i64 = whole.parse().ok()?;
    let missing = u32::try_from(6 - fraction.len()).ok()?;
    let fraction = fraction
        .parse::<i64>()
        .ok()?
        .checked_mul(10_i64.pow(missing))?;
    let number = whole.checked_mul(1_000_000)?.checked_add(fraction)?;
    Some(if negative { -number } else { number })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_plain_decimals_and_nothing_else() {
        assert_eq!(millionths("0"), Some(0));
        assert_eq!(millionths("12.5"), Some(12_500_000));
        assert_eq!(millionths("-0.000001"), Some(-1));
        assert_eq!(millionths("0100"), Some(100_000_000));
        for not in [
            "",
            "-",
            ".",
            "1.",
            ".5",
            "+1",
            " 1",
            "1e3",
            "1,5",
            "0.0000001",
            "٣",
            "99999999999999999999",
        ] {
            assert_eq!(millionths(not), None, "{not:?}");
        }
    }

    #[test]
    fn words_have_no_order_and_an_unknown_number_proves_nothing() {
        let text = Value::Text("gold".into());
        assert!(compare("gold", Comparison::Is, &text));
        assert!(compare("Gold", Comparison::IsNot, &text));
        assert!(!compare("golf", Comparison::More, &text));
        assert!(!compare("a lot", Comparison::IsNot, &Value::Number(1)));
        assert!(compare("2", Comparison::AtLeast, &Value::Number(2_000_000)));
        assert!(!compare("2", Comparison::More, &Value::Number(2_000_000)));
    }
}
