//! What happens when something is asked of a case.
//!
//! [`decide`] reads no clock, draws no dice, and never looks at a store. It checks the one command,
//! and then lets everything follow that now holds: notices become due, a wait begins, a path is
//! complete. `docs/cases.md` is the same in words.

use std::collections::{BTreeMap, BTreeSet};

use countersign_language::{
    Action, ActionId, Method, Path, PathId, Procedure, ProofId, Requirement, RoleId,
};

use crate::{
    Actor, Case, Command, ContactId, Digest, Earnest, Event, EventKind, Evidence, GrantId,
    MarkSalt, Moment, NotYet, Opened, Opening, Outcome, Permit, PermitContents, Refusal,
    StaffMember, State, Stopper, Timestamp,
    checklist::missing,
    digest,
    evaluate::{ALL, Shown, Told, View, Waited, confirms, may_run},
    evolve,
    policy::{
        CLOSED_SECONDS, PARAMETER_CHARS_MAX, REASON_CHARS_MAX, REASON_CHARS_MIN,
        REFERENCE_CHARS_MAX, RUN_AFTER_WAIT_SECONDS, SIGNERS_MAX,
    },
    request::{hex, not_held_yet},
    sentence,
};

/// What a command leads to.
#[must_use = "nothing has happened until the events are stored"]
#[derive(Debug)]
pub struct Decision {
    /// What happens, in order; empty where nothing changes.
    pub events: Vec<Event>,
    /// The witness that the path is complete; only for [`Command::Run`], and then always.
    pub permit: Option<Permit>,
}

/// What this command does to this case at this moment.
///
/// `procedure` is the version the case was opened under (for [`Command::Open`], the one in force),
/// and `moment` what is known about the case's customer.
///
/// # Errors
/// A [`Refusal`] if the command may not be carried out; then nothing happens.
pub fn decide(
    procedure: &Procedure,
    case: &Case,
    command: Command,
    moment: &Moment<'_>,
) -> Result<Decision, Refusal> {
    if let Command::Open(opening) = command {
        let opened = open(procedure, case, opening, moment)?;
        return Ok(Decision {
            events: with_consequences(procedure, case, opened, moment),
            permit: None,
        });
    }
    let desk = Desk(
        View::new(procedure, case, moment).map_err(|not_yet| match not_yet {
            NotYet::NoCase => Refusal::NoCase,
            _ => Refusal::OtherProcedure,
        })?,
    );
    if let Command::Run { by, grant, salt } = command {
        return desk.run(by, grant, salt.as_ref());
    }
    let kind = match command {
        Command::UseLink => desk.use_link()?,
        Command::Prove {
            proof,
            digest,
            evidence,
        } => desk.prove(proof, digest, evidence)?,
        Command::Confirm { digest } => desk.confirm(digest)?,
        Command::Vouch { by, text } => desk.vouch(by, text)?,
        Command::SignOff {
            by,
            digest,
            evidence,
        } => desk.sign_off(by, digest, evidence)?,
        Command::Refuse { by, reason } => desk.refuse(by, reason)?,
        Command::Stop { by, reason } => desk.stop(by, reason)?,
        Command::Withdraw { by } => desk.withdraw(by)?,
        Command::Notified {
            contact,
            handed_over,
        } => desk.notified(contact, handed_over)?,
        Command::HandOver => desk.hand_over()?,
        Command::Conclude(outcome) => desk.conclude(outcome)?,
        Command::Tick | Command::Open(_) | Command::Run { .. } => {
            let expired = desk.expired().then_some(EventKind::Expired);
            return Ok(Decision {
                events: with_consequences(procedure, case, expired, moment),
                permit: None,
            });
        }
    };
    Ok(Decision {
        events: with_consequences(procedure, case, Some(kind), moment),
        permit: None,
    })
}

/// The first event, if any, and everything that follows from it at the same moment.
fn with_consequences(
    procedure: &Procedure,
    case: &Case,
    first: impl Into<Option<EventKind>>,
    moment: &Moment<'_>,
) -> Vec<Event> {
    let mut case = case.clone();
    let mut events = Vec::new();
    let mut next = first
        .into()
        .or_else(|| consequence(procedure, &case, moment));
    while let Some(kind) = next {
        let event = Event {
            at: moment.now,
            kind,
        };
        case = evolve(case, &event);
        events.push(event);
        next = consequence(procedure, &case, moment);
    }
    events
}

/// The one thing that happens next by itself, if any. Each makes the next one of its kind impossible at
/// the same moment, so a decision ends.
fn consequence(procedure: &Procedure, case: &Case, moment: &Moment<'_>) -> Option<EventKind> {
    let view = View::new(procedure, case, moment).ok()?;
    match case.state() {
        State::Ready { path: id, .. } => {
            let holds = view
                .action
                .paths
                .get(id.index())
                .is_some_and(|path| view.complete(id, path));
            (!holds).then_some(EventKind::NoLongerReady { path: id })
        }
        State::Open | State::Waiting { .. } if moment.now < case.expires_at() => view
            .paths()
            .find(|(id, path)| view.complete(*id, path))
            .map(|(id, path)| EventKind::Ready {
                path: id,
                runs_by_itself: runs_by_itself(view.opened, path),
            })
            .or_else(|| {
                view.paths()
                    .find_map(|(id, path)| wait_void(&view, id, path))
            })
            .or_else(|| {
                view.paths()
                    .find_map(|(id, path)| notices_due(&view, id, path))
            })
            .or_else(|| {
                view.paths()
                    .find_map(|(id, path)| wait_started(&view, id, path))
            }),
        _ => None,
    }
}

/// Nobody needs to say run: the customer asked for it, or there was time to stop it.
fn runs_by_itself(opened: &Opened, path: &Path) -> bool {
    opened.by == Actor::Customer || View::wait_seconds(path).is_some()
}

fn wait_void(view: &View<'_>, id: PathId, path: &Path) -> Option<EventKind> {
    (view.waited(id, path) == Waited::Void).then_some(EventKind::WaitVoid { path: id })
}

fn notices_due(view: &View<'_>, id: PathId, path: &Path) -> Option<EventKind> {
    if view.told(id, path, ALL) != Told::OnTheWay || !view.rest_holds(path, ALL) {
        return None;
    }
    let named = view.case.notified_for(id);
    let news: Vec<_> = view
        .contacts_of(path)
        .filter(|contact| named.is_none_or(|named| !named.contacts.contains(&contact.id)))
        .collect();
    if news.is_empty() {
        return None;
    }
    let ids = |keep: &dyn Fn(&ContactId) -> bool| -> Vec<ContactId> {
        let ids: BTreeSet<_> = news
            .iter()
            .map(|contact| &contact.id)
            .filter(|id| keep(id))
            .collect();
        ids.into_iter().cloned().collect()
    };
    let settled: BTreeSet<_> = news
        .iter()
        .filter(|contact| view.contact_settled(contact))
        .map(|contact| &contact.id)
        .collect();
    Some(EventKind::NoticesDue {
        path: id,
        contacts: ids(&|id| view.case.notice_to(id).is_none()),
        named_before: ids(&|id| view.case.notice_to(id).is_some()),
        settled: settled.into_iter().cloned().collect(),
    })
}

fn wait_started(view: &View<'_>, id: PathId, path: &Path) -> Option<EventKind> {
    let seconds = View::wait_seconds(path)?;
    let due = view.waited(id, path) == Waited::NotStarted
        && matches!(view.told(id, path, ALL), Told::NotAsked | Told::Holds)
        && view.rest_holds(path, ALL);
    due.then(|| {
        let until = view.moment.now.plus_seconds(seconds);
        EventKind::WaitStarted {
            path: id,
            until,
            expires_at: view
                .case
                .expires_at()
                .max(until.plus_seconds(RUN_AFTER_WAIT_SECONDS)),
        }
    })
}

/// A case at which something is to be done. One method per command.
#[derive(Debug, Clone, Copy)]
struct Desk<'a>(View<'a>);

impl Desk<'_> {
    fn use_link(&self) -> Result<EventKind, Refusal> {
        self.live()?;
        if self.0.case.link_used_at().is_some() {
            return Err(Refusal::LinkAlreadyUsed);
        }
        Ok(EventKind::LinkUsed)
    }

    fn prove(
        &self,
        proof: ProofId,
        digest: Digest,
        evidence: Evidence,
    ) -> Result<EventKind, Refusal> {
        self.customer_may_act(digest)?;
        let view = &self.0;
        let declared = view.procedure.proofs.get(proof.index());
        let label = || {
            declared.map_or_else(
                || format!("#{}", proof.0),
                |declared| declared.label.clone(),
            )
        };
        let Some(declared) = declared.filter(|_| asks_for(view.action, proof)) else {
            return Err(Refusal::ProofNotAsked { proof: label() });
        };
        let Some(method) = declared.using else {
            return Err(Refusal::ProofNotCheckable { proof: label() });
        };
        let locks = view.moment.facts.locked.iter();
        if let Some(until) = locks
            .filter(|lock| lock.proof == proof && lock.until > view.moment.now)
            .map(|lock| lock.until)
            .max()
        {
            return Err(Refusal::ProofLocked {
                proof: label(),
                until,
            });
        }
        let holding = || {
            let holding = view.procedure.holdings.get(declared.shows.index());
            holding.map_or_else(label, |holding| holding.label.clone())
        };
        let Some(held) = view.holding_of(proof) else {
            return Err(Refusal::NotHeld { holding: holding() });
        };
        if held
            .changed_at
            .is_some_and(|changed| changed >= view.moment.now)
        {
            return Err(Refusal::HoldingJustChanged { holding: holding() });
        }
        if matches!(view.shown(proof, None, ALL), Shown::Holds { .. }) {
            return Err(Refusal::AlreadyProved { proof: label() });
        }
        if method == Method::Passkey && !evidence.is_assertion() {
            return Err(Refusal::AssertionMissing);
        }
        Ok(EventKind::Proved { proof, evidence })
    }

    fn confirm(&self, digest: Digest) -> Result<EventKind, Refusal> {
        self.customer_may_act(digest)?;
        let view = &self.0;
        if view.case.confirmed_at().is_some() {
            return Err(Refusal::AlreadyConfirmed);
        }
        if !view
            .paths()
            .any(|(_, path)| view.applies(path) && view.proved(path, ALL))
        {
            return Err(Refusal::CustomerPartMissing {
                missing: missing(view, true),
            });
        }
        Ok(EventKind::Confirmed)
    }

    fn vouch(&self, by: StaffMember, text: String) -> Result<EventKind, Refusal> {
        self.live()?;
        let view = &self.0;
        let paths = || view.action.paths.iter();
        let asks = |path: &Path| confirms(path).any(|(_, asked)| asked == text);
        // A colleague gives their word only beside the opener's, where a path asks for that of two people.
        let is_opener = view.opened.is_opener(&by.person);
        if !is_opener && !paths().any(|path| asks(path) && of_two_people(path)) {
            return Err(Refusal::OnlyOpenerVouches);
        }
        not_a_program(&by)?;
        not_concerned(&by)?;
        let mut signed = view.case.sign_offs().iter();
        if signed.any(|signed| signed.by.person == by.person) {
            return Err(Refusal::SignerVouches);
        }
        let roles: Vec<RoleId> = paths()
            .flat_map(confirms)
            .filter(|(_, asked)| *asked == text)
            .map(|(role, _)| role)
            .collect();
        if roles.is_empty() {
            return Err(Refusal::NothingToVouch { text });
        }
        if !roles.iter().any(|role| view.covers(&by, *role)) {
            return Err(Refusal::RoleMayNotVouch {
                needed: labels(view.procedure, &roles),
            });
        }
        if roles
            .iter()
            .all(|role| !view.covers(&by, *role) || view.gave(&by.person, *role, &text, ALL))
        {
            return Err(Refusal::AlreadyVouched);
        }
        let beside = |path: &&Path| is_opener || of_two_people(path);
        let mut open = paths().filter(beside).filter(|path| asks(path));
        if !is_opener
            && !open
                .clone()
                .any(|path| view.opener_vouched(path, ALL).is_some())
        {
            return Err(Refusal::OpenerVouchesFirst);
        }
        // Whoever stands for one role of a path does not stand for another as well.
        let helps = open.any(|path| {
            confirms(path).any(|(role, asked)| {
                asked == text
                    && view.covers(&by, role)
                    && !confirms(path).any(|(other, _)| {
                        other != role && view.gave_all(&by.person, path, other, ALL)
                    })
            })
        });
        if !helps {
            return Err(Refusal::OtherPersonVouches);
        }
        Ok(EventKind::Vouched { by, text })
    }

    fn sign_off(
        &self,
        by: StaffMember,
        digest: Digest,
        evidence: Evidence,
    ) -> Result<EventKind, Refusal> {
        self.live()?;
        let view = &self.0;
        self.judges(&by)?;
        if digest != view.opened.digest {
            return Err(Refusal::OtherDigest);
        }
        if !evidence.is_assertion() {
            return Err(Refusal::AssertionMissing);
        }
        if view
            .case
            .sign_offs()
            .iter()
            .any(|one| one.by.person == by.person)
        {
            return Err(Refusal::AlreadySigned);
        }
        let mut vouches = view.case.vouches().iter();
        if vouches.any(|vouch| vouch.by.person == by.person) {
            return Err(Refusal::OwnWord);
        }
        if view.case.sign_offs().len() >= SIGNERS_MAX {
            return Err(Refusal::TooManySigners);
        }
        if view.case.confirmed_at().is_none() {
            return Err(Refusal::NotConfirmed);
        }
        let judgeable = view.paths().any(|(_, path)| {
            view.applies(path)
                && view.proved(path, ALL)
                && sign_off_roles(path).any(|role| view.covers(&by, role))
        });
        if !judgeable {
            return Err(Refusal::CustomerPartMissing {
                missing: missing(view, true),
            });
        }
        Ok(EventKind::SignedOff { by, evidence })
    }

    fn refuse(&self, by: StaffMember, reason: String) -> Result<EventKind, Refusal> {
        self.live()?;
        self.judges(&by)?;
        check_reason(&reason, REASON_CHARS_MIN)?;
        Ok(EventKind::Refused {
            by,
            reason,
            closed_until: self.0.moment.now.plus_seconds(CLOSED_SECONDS),
        })
    }

    fn stop(&self, by: Stopper, reason: Option<String>) -> Result<EventKind, Refusal> {
        let case = self.0.case;
        if let Stopper::Contact(contact) = &by
            && case.notice_to(contact).is_none()
        {
            return Err(Refusal::NoNoticeDue {
                contact: contact.clone(),
            });
        }
        if let Some(reason) = &reason {
            check_reason(reason, 0)?;
        }
        match case.state() {
            State::None
            | State::Open
            | State::Waiting { .. }
            | State::Ready { .. }
            | State::Granted => Ok(EventKind::Stopped {
                by,
                reason,
                closed_until: self.0.moment.now.plus_seconds(CLOSED_SECONDS),
            }),
            State::Running | State::Done | State::Failed | State::Unknown
                if !case.late_stops().contains(&by) =>
            {
                Ok(EventKind::StopCameTooLate { by, reason })
            }
            state => Err(over(state, case.expires_at())),
        }
    }

    fn withdraw(&self, by: Actor) -> Result<EventKind, Refusal> {
        let view = &self.0;
        if view.case.state() != State::Granted && !view.case.state().is_live() {
            return Err(over(view.case.state(), view.case.expires_at()));
        }
        match &by {
            Actor::Customer => {}
            Actor::Staff(member) if view.opened.is_opener(&member.person) => {}
            Actor::Staff(_) => return Err(Refusal::OnlyOpenerWithdraws),
            Actor::Gate => return Err(Refusal::NotForTheGate),
        }
        Ok(EventKind::Withdrawn { by })
    }

    fn notified(&self, contact: ContactId, handed_over: bool) -> Result<EventKind, Refusal> {
        self.live()?;
        match self.0.case.notice_to(&contact) {
            None => Err(Refusal::NoNoticeDue { contact }),
            Some(notice) if notice.answer.is_some() => Err(Refusal::AlreadyNotified { contact }),
            Some(_) => Ok(EventKind::Notified {
                contact,
                handed_over,
            }),
        }
    }

    fn run(&self, by: Actor, grant: GrantId, salt: Option<&MarkSalt>) -> Result<Decision, Refusal> {
        let view = &self.0;
        self.live()?;
        self.may_say_run(&by)?;
        let path =
            may_run(view.procedure, view.case, view.moment).map_err(|not_yet| match not_yet {
                NotYet::NoCase => Refusal::NoCase,
                NotYet::OtherProcedure => Refusal::OtherProcedure,
                NotYet::Incomplete => Refusal::NotReady {
                    missing: missing(view, false),
                },
                NotYet::Over(state) => over(state, view.case.expires_at()),
                NotYet::Expired => Refusal::AlreadyExpired {
                    at: view.case.expires_at(),
                },
                NotYet::Closed { until } => Refusal::RequestClosed { until },
                NotYet::OtherCaseOpen => Refusal::OtherCaseOpen {
                    case: view.other_case().unwrap_or(&view.opened.case).clone(),
                },
            })?;
        let by_itself = matches!(
            view.case.state(),
            State::Ready {
                runs_by_itself: true,
                ..
            }
        );
        if by == Actor::Gate && !by_itself {
            return Err(Refusal::NotByItself);
        }
        let connector = runner(view.action)?;
        // Last of all, and with words that are said of cases too: until it is told, no answer tells a drill from a case.
        let Some(earnest) = Earnest::of(view.case, salt) else {
            return Err(Refusal::NotReady {
                missing: Vec::new(),
            });
        };
        let contents = PermitContents {
            case: view.opened.case.clone(),
            customer: view.opened.customer.clone(),
            action: view.opened.action.clone(),
            connector,
            parameters: view.opened.parameters.clone(),
            digest: view.opened.digest,
            grant,
            path,
        };
        Ok(Decision {
            events: vec![Event {
                at: view.moment.now,
                kind: EventKind::Granted { path, by, grant },
            }],
            permit: Some(Permit::new(contents, earnest)),
        })
    }

    fn may_say_run(&self, by: &Actor) -> Result<(), Refusal> {
        let view = &self.0;
        match by {
            Actor::Customer | Actor::Gate => Ok(()),
            Actor::Staff(_) if view.opened.opener().is_none() => Err(Refusal::CustomerRuns),
            Actor::Staff(member) => staff_may_open(view.procedure, view.action, member),
        }
    }

    fn hand_over(&self) -> Result<EventKind, Refusal> {
        match self.0.case.state() {
            State::Granted => Ok(EventKind::HandedOver),
            State::None | State::Open | State::Waiting { .. } | State::Ready { .. } => {
                Err(Refusal::NothingGranted)
            }
            state => Err(over(state, self.0.case.expires_at())),
        }
    }

    fn conclude(&self, outcome: Outcome) -> Result<EventKind, Refusal> {
        match (self.0.case.state(), &outcome) {
            (State::Running, _) | (State::Unknown, Outcome::Done | Outcome::Failed { .. }) => {
                Ok(EventKind::Concluded { outcome })
            }
            (State::Unknown, Outcome::Unknown) => Err(Refusal::StillUnknown),
            (
                State::None
                | State::Open
                | State::Waiting { .. }
                | State::Ready { .. }
                | State::Granted,
                _,
            ) => Err(Refusal::NothingRunning),
            (state, _) => Err(over(state, self.0.case.expires_at())),
        }
    }

    fn expired(&self) -> bool {
        self.0.case.state().is_live() && self.0.moment.now >= self.0.case.expires_at()
    }

    /// The case is before its grant and has not run out.
    fn live(&self) -> Result<(), Refusal> {
        let case = self.0.case;
        if self.expired() {
            return Err(Refusal::AlreadyExpired {
                at: case.expires_at(),
            });
        }
        if case.state().is_live() {
            Ok(())
        } else {
            Err(over(case.state(), case.expires_at()))
        }
    }

    /// The customer is there, and speaks of this case.
    fn customer_may_act(&self, digest: Digest) -> Result<(), Refusal> {
        self.live()?;
        if self.0.case.needs_link() && self.0.case.link_used_at().is_none() {
            return Err(Refusal::LinkNotUsed);
        }
        if digest != self.0.opened.digest {
            return Err(Refusal::OtherDigest);
        }
        Ok(())
    }

    /// This person may sign or refuse: of a role some path asks to sign, and with no part in the case.
    fn judges(&self, by: &StaffMember) -> Result<(), Refusal> {
        let view = &self.0;
        not_a_program(by)?;
        not_concerned(by)?;
        if view.opened.is_opener(&by.person) {
            return Err(Refusal::OwnCase);
        }
        let roles: Vec<RoleId> = view.action.paths.iter().flat_map(sign_off_roles).collect();
        if roles.is_empty() {
            return Err(Refusal::NoSignOffAsked);
        }
        if !roles.iter().any(|role| view.covers(by, *role)) {
            return Err(Refusal::RoleMayNotSign {
                needed: labels(view.procedure, &roles),
            });
        }
        Ok(())
    }
}

fn open(
    procedure: &Procedure,
    case: &Case,
    opening: Opening,
    moment: &Moment<'_>,
) -> Result<EventKind, Refusal> {
    if case.state() != State::None {
        return Err(Refusal::AlreadyOpened);
    }
    let found = procedure.action_named(&opening.action);
    let Some((action_index, action)) =
        found.and_then(|id| Some((id, procedure.actions.get(id.index())?)))
    else {
        return Err(Refusal::UnknownAction {
            action: opening.action,
        });
    };
    if action.outside {
        return Err(Refusal::OutsideAction {
            action: action.label.clone(),
        });
    }
    runner(action)?;
    match &opening.by {
        Actor::Gate => return Err(Refusal::NotForTheGate),
        Actor::Customer if !action.opened_by.customer => {
            return Err(Refusal::CustomerMayNotOpen {
                action: action.label.clone(),
            });
        }
        Actor::Customer => {}
        Actor::Staff(member) => staff_may_open(procedure, action, member)?,
    }
    check_parameters(action, &opening.parameters)?;
    match (&opening.by, &opening.reason) {
        (Actor::Staff(_), reason) => {
            check_reason(reason.as_deref().unwrap_or(""), REASON_CHARS_MIN)?;
        }
        (_, Some(reason)) => check_reason(reason, 0)?,
        (_, None) => {}
    }
    if opening
        .reference
        .as_deref()
        .is_some_and(|text| text.chars().count() > REFERENCE_CHARS_MAX || text.chars().any(unseen))
    {
        return Err(Refusal::ReferenceUnreadable {
            max: REFERENCE_CHARS_MAX,
        });
    }
    not_held_yet(procedure, action, moment)?;
    let closed = moment
        .facts
        .earlier
        .iter()
        .map(|earlier| earlier.closed_until)
        .max();
    if let Some(until) = closed.filter(|until| *until > moment.now) {
        return Err(Refusal::RequestClosed { until });
    }
    if let Some(other) = &moment.facts.open_case {
        return Err(Refusal::OtherCaseOpen {
            case: other.clone(),
        });
    }
    Ok(opened(procedure, action_index, action, opening, moment))
}

fn opened(
    procedure: &Procedure,
    action_index: ActionId,
    action: &Action,
    opening: Opening,
    moment: &Moment<'_>,
) -> EventKind {
    let version = procedure.version.to_string();
    let nonce = hex(&opening.nonce);
    EventKind::Opened {
        digest: digest(
            &action.name,
            &opening.customer,
            &nonce,
            &opening.parameters,
            &version,
        ),
        sentence: sentence(action, &opening.parameters),
        case: opening.case,
        customer: opening.customer,
        action: action.name.clone(),
        action_index,
        parameters: opening.parameters,
        procedure: version,
        nonce,
        by: opening.by,
        reason: opening.reason,
        reference: opening.reference,
        expires_at: moment.now.plus_seconds(action.expires.seconds()),
        earlier: moment.facts.earlier.clone(),
        mark: Some(opening.mark),
    }
}

fn check_parameters(action: &Action, given: &BTreeMap<String, String>) -> Result<(), Refusal> {
    for parameter in &action.parameters {
        let (name, label) = (|| parameter.name.clone(), || parameter.label.clone());
        let value = given.get(&parameter.name).map_or("", String::as_str);
        if value.trim().is_empty() {
            return Err(Refusal::ParameterMissing {
                parameter: name(),
                label: label(),
            });
        }
        if value.chars().count() > PARAMETER_CHARS_MAX {
            return Err(Refusal::ParameterTooLong {
                parameter: name(),
                label: label(),
                max: PARAMETER_CHARS_MAX,
            });
        }
        if value.chars().any(unseen) {
            return Err(Refusal::ParameterUnreadable {
                parameter: name(),
                label: label(),
            });
        }
    }
    let known = |name: &String| {
        action
            .parameters
            .iter()
            .any(|parameter| parameter.name == *name)
    };
    match given.keys().find(|name| !known(name)) {
        Some(name) => Err(Refusal::ParameterUnknown {
            parameter: name.clone(),
        }),
        None => Ok(()),
    }
}

/// Reasons may have line breaks; nothing else that cannot be seen.
fn check_reason(reason: &str, min: usize) -> Result<(), Refusal> {
    let chars = reason.trim().chars().count();
    if chars < min {
        return Err(Refusal::ReasonTooShort { min });
    }
    if reason.chars().count() > REASON_CHARS_MAX {
        return Err(Refusal::ReasonTooLong {
            max: REASON_CHARS_MAX,
        });
    }
    if reason
        .chars()
        .any(|one| unseen(one) && !matches!(one, '\n' | '\r' | '\t'))
    {
        return Err(Refusal::ReasonUnreadable);
    }
    Ok(())
}

/// Characters that people cannot see, or that change the order in which they read the others: what is
/// signed must be what is read. Joiners that many scripts need are not among them.
fn unseen(one: char) -> bool {
    one.is_control()
        || matches!(one,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
            | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

fn staff_may_open(
    procedure: &Procedure,
    action: &Action,
    member: &StaffMember,
) -> Result<(), Refusal> {
    not_concerned(member)?;
    let roles = &action.opened_by.roles;
    let may = member.roles.iter().any(|has| {
        roles
            .iter()
            .any(|wanted| procedure.role_covers(*has, *wanted))
    });
    if may {
        Ok(())
    } else {
        Err(Refusal::RoleMayNotOpen {
            needed: labels(procedure, roles),
        })
    }
}

fn not_a_program(member: &StaffMember) -> Result<(), Refusal> {
    if member.robot {
        Err(Refusal::NotForPrograms)
    } else {
        Ok(())
    }
}

fn not_concerned(member: &StaffMember) -> Result<(), Refusal> {
    if member.concerned {
        Err(Refusal::Concerned)
    } else {
        Ok(())
    }
}

fn runner(action: &Action) -> Result<String, Refusal> {
    action.runs.clone().ok_or_else(|| Refusal::NothingRunsIt {
        action: action.label.clone(),
    })
}

fn sign_off_roles(path: &Path) -> impl Iterator<Item = RoleId> {
    path.lines.iter().filter_map(|line| match line.requirement {
        Requirement::SignOff { role, .. } => Some(role),
        _ => None,
    })
}

/// Whether the path has `confirms` lines of two roles, which are two people.
fn of_two_people(path: &Path) -> bool {
    let mut roles = confirms(path).map(|(role, _)| role);
    let first = roles.next();
    roles.any(|role| Some(role) != first)
}

/// Whether some path of the action asks for this proof.
fn asks_for(action: &Action, proof: ProofId) -> bool {
    action
        .paths
        .iter()
        .flat_map(|path| &path.lines)
        .any(|line| match &line.requirement {
            Requirement::Prove(expr) => mentions(expr, proof),
            _ => false,
        })
}

fn mentions(expr: &countersign_language::Expr, wanted: ProofId) -> bool {
    use countersign_language::Expr;
    match expr {
        Expr::Atom { proof, .. } => *proof == wanted,
        Expr::And(of) | Expr::Or(of) | Expr::NOf { of, .. } => {
            of.iter().any(|one| mentions(one, wanted))
        }
    }
}

fn labels(procedure: &Procedure, roles: &[RoleId]) -> Vec<String> {
    let distinct: BTreeSet<_> = roles.iter().collect();
    distinct
        .into_iter()
        .filter_map(|role| procedure.roles.get(role.index()))
        .map(|role| role.label.clone())
        .collect()
}

/// Why nothing more can be asked of a case in this state.
fn over(state: State, expires_at: Timestamp) -> Refusal {
    match state {
        State::None | State::Open | State::Waiting { .. } | State::Ready { .. } => {
            Refusal::NotReady {
                missing: Vec::new(),
            }
        }
        State::Granted => Refusal::AlreadyGranted,
        State::Running => Refusal::AlreadyRunning,
        State::Done => Refusal::AlreadyDone,
        State::Failed => Refusal::AlreadyFailed,
        State::Unknown => Refusal::OutcomeUnknown,
        State::Refused => Refusal::AlreadyRefused,
        State::Stopped => Refusal::AlreadyStopped,
        State::Withdrawn => Refusal::AlreadyWithdrawn,
        State::Expired => Refusal::AlreadyExpired { at: expires_at },
    }
}
