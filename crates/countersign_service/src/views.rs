//! What pages and programs read: whole, in people's words, and masked where it must be.

use countersign_cases::{
    Actor, Case, CaseId, Checklist, Command, ContactId, Digest, EarlierRefusal, EndedBy, Evidence,
    GrantId, Missing, Refusal, StaffMember, State, Timestamp, Who, checklist, decide,
};
use countersign_language::{Action, EffectKind, Method, Procedure};
use serde::Serialize;

use crate::{
    cases::CaseError,
    decisions::Loaded,
    gate::Gate,
    lookups::CustomerView,
    mask::{self, SentencePiece, Showing, mask_address},
    matching::NumberView,
    records::CaseRow,
    sessions::{CustomerSeat, MachineCaller, SignedInStaff, StopLink},
    settings::{ConsoleRole, Scope},
    spoken::SpokenNumber,
    timeline::{TimelineEntry, WhoView, actor_view, staff_view, stopper_view, timeline_entry},
    trouble::Trouble,
};

/// Everything the case page shows.
#[derive(Debug, Clone, Serialize)]
pub struct CaseView {
    /// Its id.
    pub case: CaseId,
    /// How many events it has; grows with every change.
    pub version: u64,
    /// What everything about it is bound to.
    pub digest: Digest,
    /// Where it is in its life.
    pub state: State,
    /// The sentence, character for character.
    pub sentence: String,
    /// The same in pieces, parameter values apart.
    pub pieces: Vec<SentencePiece>,
    /// Name of the action.
    pub action: String,
    /// Its label.
    pub action_label: String,
    /// Labels of what the customer may lose by it.
    pub loses: Vec<String>,
    /// Version of the procedure, hexadecimal.
    pub procedure: String,
    /// The parameters with their labels.
    pub parameters: Vec<ParameterView>,
    /// Who opened it.
    pub opened_by: WhoView,
    /// When.
    pub opened_at: Timestamp,
    /// Why, in the opener's words.
    pub reason: Option<String>,
    /// Ticket or chat reference.
    pub reference: Option<String>,
    /// When it runs out.
    pub expires_at: Timestamp,
    /// When its wait is over, if it waits.
    pub takes_effect_at: Option<Timestamp>,
    /// The customer; masked until something is proved in this case.
    pub customer: CustomerView,
    /// What is missing, and who can supply it.
    pub checklist: Checklist,
    /// What happened, oldest first.
    pub timeline: Vec<TimelineEntry>,
    /// Earlier refusals of the same request.
    pub earlier: Vec<EarlierRefusal>,
    /// The customer's link.
    pub link: LinkView,
    /// What the reader can do, and why not.
    pub can: Abilities,
    /// Who ended it before it ran, and why.
    pub ending: Option<EndingView>,
    /// The backend's reason, if it failed.
    pub failure: Option<String>,
    /// The grant's id, base64url, once there is one.
    pub grant: Option<String>,
    /// True once a receipt can be downloaded.
    pub receipt: bool,
    /// It is granted, and the customer sets the new value themselves: until when.
    pub to_set: Option<Timestamp>,
    /// The number to say aloud, while an agent's case is open.
    pub spoken: Option<SpokenNumber>,
    /// The two digits the customer types to confirm; only for somebody who may be talking to them.
    pub number: Option<NumberView>,
}

/// A parameter and its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ParameterView {
    /// Name in the procedure.
    pub name: String,
    /// What people read.
    pub label: String,
    /// The value; masked for a customer who has proved nothing.
    pub value: String,
}

/// How the customer's link stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "link", rename_all = "snake_case")]
pub enum LinkView {
    /// None was made.
    None,
    /// It can be used.
    Issued {
        /// Until when.
        until: Timestamp,
    },
    /// It was used.
    Used {
        /// When.
        at: Timestamp,
    },
    /// It ran out unused.
    RanOut {
        /// When.
        at: Timestamp,
    },
}

/// What the reader can do. Each is asked of the decision function itself, so a page never promises what the gate refuses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Abilities {
    /// Say run.
    pub run: Ability,
    /// Take it back.
    pub withdraw: Ability,
    /// Make a link for the customer.
    pub issue_link: Ability,
    /// Sign.
    pub sign_off: Ability,
    /// Refuse.
    pub refuse: Ability,
    /// Lines the reader may give their word for.
    pub vouch: Vec<String>,
}

/// Whether something can be done, and why not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ability {
    /// It can.
    pub can: bool,
    /// Stable word for why not.
    pub code: Option<&'static str>,
    /// Why not.
    pub why: Option<String>,
    /// What to do next, or who can.
    pub help: Option<String>,
}

impl Ability {
    pub(crate) fn of(answer: Result<(), Refusal>) -> Self {
        match answer {
            Ok(()) => Self {
                can: true,
                code: None,
                why: None,
                help: None,
            },
            Err(refusal) => Self {
                can: false,
                code: Some(refusal.code()),
                why: Some(refusal.to_string()),
                help: refusal.help(),
            },
        }
    }
}

/// Who ended a case before it ran.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EndingView {
    /// Who; `gate` where time did.
    pub by: WhoView,
    /// Their words.
    pub reason: Option<String>,
    /// When.
    pub at: Timestamp,
    /// Until when the same request stays closed.
    pub closed_until: Option<Timestamp>,
}

/// Everything the customer's page shows.
#[derive(Debug, Clone, Serialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one question the page asks"
)]
pub struct SeatView {
    /// The company's name.
    pub organisation: String,
    /// Its id.
    pub case: CaseId,
    /// Grows with every change.
    pub version: u64,
    /// When it changed last.
    pub changed_at: Timestamp,
    /// Name of the action in the procedure.
    pub action: String,
    /// Version of the procedure, hexadecimal.
    pub procedure: String,
    /// What the customer proves and confirms.
    pub digest: Digest,
    /// Where it is in its life.
    pub state: State,
    /// The sentence in pieces; parameter values are masked while `masked`.
    pub pieces: Vec<SentencePiece>,
    /// True until the first proof.
    pub masked: bool,
    /// Label of the action.
    pub action_label: String,
    /// The parameters; masked like the sentence.
    pub parameters: Vec<ParameterView>,
    /// Who asked.
    pub opened_by: WhoView,
    /// When.
    pub opened_at: Timestamp,
    /// Ticket or chat reference.
    pub reference: Option<String>,
    /// When it runs out.
    pub expires_at: Timestamp,
    /// When its wait is over, if it waits.
    pub takes_effect_at: Option<Timestamp>,
    /// Ways to prove, strongest first.
    pub ways: Vec<Way>,
    /// The customer may confirm now.
    pub may_confirm: bool,
    /// When they confirmed.
    pub confirmed_at: Option<Timestamp>,
    /// Who tells the two digits that confirming asks for; `None` where it asks for none.
    pub number_from: Option<String>,
    /// The customer may say run now.
    pub may_run: bool,
    /// What is still missing, in people's words, with who can supply it.
    pub missing: Vec<Missing>,
    /// Who acts next.
    pub next_who: Who,
    /// What they do.
    pub next_words: String,
    /// True while it can be stopped.
    pub may_stop: bool,
    /// Who ended it, and why.
    pub ending: Option<EndingView>,
    /// Where the customer goes afterwards, once it is over.
    pub return_to: Option<String>,
    /// True once a receipt can be downloaded.
    pub receipt: bool,
    /// It is granted, and the customer sets the new value themselves: until when. Whether on this seat is for
    /// [`Gate::enrolment`] to say.
    pub to_set: Option<Timestamp>,
}

/// One way to prove.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Way {
    /// Name of the proof in the procedure; part of the page's address.
    pub proof: String,
    /// What people read.
    pub label: String,
    /// How it is made.
    pub method: Method,
    /// How it stands.
    pub standing: WayStanding,
    /// Where a code would be sent, masked.
    pub address: Option<String>,
    /// Answers left before it closes; told only to somebody who has proved something else in this case.
    pub tries_left: Option<u32>,
}

/// How a way stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "standing", rename_all = "snake_case")]
pub enum WayStanding {
    /// It can be used.
    Open,
    /// It is proved.
    Done {
        /// When.
        at: Timestamp,
    },
    /// It cannot be used now: closed after wrong answers, or not settled.
    Closed {
        /// Until when.
        until: Timestamp,
    },
}

/// What whoever holds a stop link sees: no parameter that is a contact, old or new.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StopView {
    /// The company's name.
    pub organisation: String,
    /// The case.
    pub case: CaseId,
    /// Where it is in its life.
    pub state: State,
    /// The sentence with contacts withheld.
    pub pieces: Vec<SentencePiece>,
    /// When it was asked for.
    pub opened_at: Timestamp,
    /// When its wait is over, if it waits.
    pub takes_effect_at: Option<Timestamp>,
    /// True while it can be stopped.
    pub may_stop: bool,
    /// True if it ran: a stop comes too late and is recorded all the same.
    pub too_late: bool,
    /// When it changed last.
    pub changed_at: Timestamp,
}

impl Gate {
    /// A case as a member of staff sees it.
    pub async fn case_view(&self, by: &SignedInStaff, id: &CaseId) -> Result<CaseView, CaseError> {
        if by.roles().is_empty() && !by.has(ConsoleRole::Auditor) {
            return Err(CaseError::NotAllowed("staff"));
        }
        let loaded = self.load_case(id).await?;
        let member = by.member(&loaded.procedure, &loaded.row.customer);
        if member.concerned {
            return Err(Refusal::Concerned.into());
        }
        if !loaded.case.proofs().is_empty() {
            self.note_look_at(by, &loaded).await?;
        }
        self.view(&loaded, Some(&member)).await
    }

    /// A case as a program with [`Scope::Read`] sees it, or the program that opened it.
    pub async fn case_view_for_machine(
        &self,
        by: &MachineCaller,
        id: &CaseId,
    ) -> Result<CaseView, CaseError> {
        let loaded = self.load_case(id).await?;
        let robot = by.robot(&loaded.procedure);
        let own = loaded
            .case
            .opened()
            .is_some_and(|opened| opened.is_opener(&robot.person));
        if !by.may(Scope::Read) && !own {
            return Err(CaseError::NotAllowed("read"));
        }
        self.view(&loaded, Some(&robot)).await
    }

    async fn view(
        &self,
        loaded: &Loaded,
        reader: Option<&StaffMember>,
    ) -> Result<CaseView, CaseError> {
        let case = &loaded.case;
        let (opened, action) = opened_action(loaded)?;
        let masked = case.proofs().is_empty();
        // The words are the same for everybody who asks, judges or signs, character for character; what is masked is the
        // customer's own data.
        let showing = Showing::Everything;
        let events = self.events_of(&loaded.row).await?;
        let sheet = checklist(&loaded.procedure, case, &loaded.moment())
            .map_err(|_| Trouble::Damaged("a case under another procedure".to_owned()))?;
        Ok(CaseView {
            case: opened.case.clone(),
            version: case.version(),
            digest: opened.digest,
            state: case.state(),
            sentence: mask::joined(&pieces(loaded, action, showing)),
            pieces: pieces(loaded, action, showing),
            action: opened.action.clone(),
            action_label: action.label.clone(),
            loses: losses(&loaded.procedure, action),
            procedure: opened.procedure.clone(),
            parameters: parameters(loaded, action, showing),
            opened_by: actor_view(&opened.by),
            opened_at: opened.at,
            reason: opened.reason.clone(),
            reference: opened.reference.clone(),
            expires_at: case.expires_at(),
            takes_effect_at: takes_effect(case),
            customer: self.customer_view(&loaded.customer, masked).await?,
            timeline: events
                .iter()
                .map(|event| timeline_entry(loaded, event))
                .collect(),
            earlier: loaded.facts.earlier.clone(),
            link: link_view(&loaded.row, loaded.now),
            can: abilities(loaded, reader),
            ending: ending_view(case),
            failure: case.failure().map(str::to_owned),
            grant: case
                .grant()
                .map(|grant| crate::grants::grant_key(&grant.id)),
            receipt: case.state().is_final() && !masked,
            to_set: crate::enrolment::awaits_customer(loaded)
                .then(|| case.grant().map(|grant| crate::enrolment::until(grant.at)))
                .flatten(),
            checklist: sheet,
            spoken: loaded.row.spoken.clone(),
            number: match reader {
                Some(member)
                    if !member.roles.is_empty()
                        && (!member.robot || opened.is_opener(&member.person)) =>
                {
                    self.number_view(loaded).await?
                }
                _ => None,
            },
        })
    }

    /// What happened in the case of this seat, oldest first; nothing before something was proved on it.
    pub async fn seat_timeline(
        &self,
        seat: &CustomerSeat,
    ) -> Result<Vec<TimelineEntry>, CaseError> {
        if !self.seat_reads_case(seat).await? {
            return Ok(Vec::new());
        }
        let loaded = self.load_case(seat.case()).await?;
        let events = self.events_of(&loaded.row).await?;
        Ok(events
            .iter()
            .map(|event| timeline_entry(&loaded, event))
            .collect())
    }

    /// The customer's page.
    pub async fn seat_view(&self, seat: &CustomerSeat) -> Result<SeatView, CaseError> {
        let loaded = self.load_case(seat.case()).await?;
        // A seat for the receipt reads what is over and can do nothing: there is nothing left to do.
        let proved = self.seat_reads_case(seat).await?;
        self.seat_view_of(&loaded, proved)
    }

    /// The first page of a link that was not used yet: masked, and without the ways.
    pub async fn link_view(&self, token: &str) -> Result<Option<SeatView>, CaseError> {
        let crate::cases::LinkStanding::Usable { case, .. } = self.link_standing(token).await?
        else {
            return Ok(None);
        };
        let loaded = self.load_case(&case).await?;
        self.seat_view_of(&loaded, false).map(Some)
    }

    fn seat_view_of(&self, loaded: &Loaded, proved: bool) -> Result<SeatView, CaseError> {
        let case = &loaded.case;
        let (opened, action) = opened_action(loaded)?;
        let masked = !proved;
        let showing = if masked {
            Showing::Masked
        } else {
            Showing::Everything
        };
        let sheet = checklist(&loaded.procedure, case, &loaded.moment())
            .map_err(|_| Trouble::Damaged("a case under another procedure".to_owned()))?;
        let over = case.state().is_final();
        Ok(SeatView {
            changed_at: loaded.row.updated_at,
            action: opened.action.clone(),
            procedure: opened.procedure.clone(),
            organisation: loaded.procedure.organisation.clone(),
            case: opened.case.clone(),
            version: case.version(),
            digest: opened.digest,
            state: case.state(),
            pieces: pieces(loaded, action, showing),
            masked,
            action_label: action.label.clone(),
            parameters: parameters(loaded, action, showing),
            opened_by: actor_view(&opened.by),
            opened_at: opened.at,
            reference: opened.reference.clone(),
            expires_at: case.expires_at(),
            takes_effect_at: takes_effect(case),
            ways: ways(self, loaded, &sheet, !masked),
            may_confirm: sheet.customer.may_confirm && (proved || case.proofs().is_empty()),
            confirmed_at: case.confirmed_at(),
            number_from: self
                .number_of(loaded)?
                .and(opened.opener())
                .map(|agent| agent.name.clone()),
            may_run: (proved || case.proofs().is_empty())
                && countersign_cases::may_run(&loaded.procedure, case, &loaded.moment()).is_ok(),
            missing: sheet.missing.clone(),
            next_who: sheet.next.who.clone(),
            next_words: sheet.next.words.clone(),
            may_stop: case.state().is_live() || case.state() == State::Granted,
            ending: ending_view(case),
            return_to: loaded.row.return_to.clone().filter(|_| over),
            receipt: over && proved,
            to_set: crate::enrolment::awaits_customer(loaded)
                .then(|| case.grant().map(|grant| crate::enrolment::until(grant.at)))
                .flatten(),
        })
    }

    /// What whoever holds a stop link sees.
    pub async fn stop_view(&self, link: &StopLink) -> Result<StopView, CaseError> {
        let loaded = self.load_case(link.case()).await?;
        let (opened, action) = opened_action(&loaded)?;
        let state = loaded.case.state();
        Ok(StopView {
            changed_at: loaded.row.updated_at,
            organisation: loaded.procedure.organisation.clone(),
            case: opened.case.clone(),
            state,
            pieces: pieces(&loaded, action, Showing::Withheld),
            opened_at: opened.at,
            takes_effect_at: takes_effect(&loaded.case),
            may_stop: state.is_live() || state == State::Granted,
            too_late: matches!(
                state,
                State::Running | State::Done | State::Failed | State::Unknown
            ),
        })
    }
}

/// Whether there is a receipt somebody may have: the case is over, or its outcome unknown, and the customer proved something
/// in it.
pub(crate) fn has_receipt(case: &Case) -> bool {
    (case.state().is_final() || case.state() == State::Unknown) && !case.proofs().is_empty()
}

/// What a case lacks, for its row.
pub(crate) fn missing_words(loaded: &Loaded, case: &Case) -> (Vec<String>, Vec<String>) {
    let Ok(sheet) = checklist(&loaded.procedure, case, &loaded.moment()) else {
        return (Vec::new(), Vec::new());
    };
    let missing = sheet.missing.iter().map(|one| one.words.clone()).collect();
    let mut roles = Vec::new();
    if case.confirmed_at().is_some() && case.state() == State::Open {
        let ready_for_people = sheet
            .paths
            .iter()
            .filter(|path| path.applies && path.proofs_left == Some(0));
        for line in ready_for_people.flat_map(|path| &path.lines) {
            if let Who::Colleague { role, .. } = line.who
                && line.done < line.of
                && let Some(role) = loaded.procedure.roles.get(role.index())
                && !roles.contains(&role.name)
            {
                roles.push(role.name.clone());
            }
        }
    }
    (missing, roles)
}

/// The sentence masked, for a customer who has proved nothing.
pub(crate) fn masked_sentence(loaded: &Loaded, case: &Case) -> String {
    let opened = case.opened();
    let action =
        opened.and_then(|opened| loaded.procedure.actions.get(opened.action_index.index()));
    let (Some(opened), Some(action)) = (opened, action) else {
        return String::new();
    };
    let addresses: Vec<String> = loaded
        .customer
        .contacts
        .iter()
        .map(|contact| contact.address.clone())
        .collect();
    mask::joined(&mask::sentence(
        &loaded.procedure,
        action,
        |name| opened.parameters.get(name).cloned(),
        &addresses,
        Showing::Masked,
    ))
}

/// The sentence of a case in pieces, masked as on the customer's first page.
pub(crate) fn masked_pieces(loaded: &Loaded, action: &Action) -> Vec<SentencePiece> {
    pieces(loaded, action, Showing::Masked)
}

/// The sentence as a letter to a contact may hold it.
pub(crate) fn withheld_sentence(loaded: &Loaded) -> Result<String, CaseError> {
    let (_, action) = opened_action(loaded)?;
    Ok(mask::joined(&pieces(loaded, action, Showing::Withheld)))
}

pub(crate) fn opened_action(
    loaded: &Loaded,
) -> Result<(&countersign_cases::Opened, &Action), CaseError> {
    let opened = loaded.case.opened().ok_or(CaseError::Unknown)?;
    let action = loaded.procedure.actions.get(opened.action_index.index());
    Ok((
        opened,
        action.ok_or_else(|| Trouble::Damaged("a case without its action".to_owned()))?,
    ))
}

fn pieces(loaded: &Loaded, action: &Action, showing: Showing) -> Vec<SentencePiece> {
    let value = |name: &str| {
        loaded
            .case
            .opened()
            .and_then(|opened| opened.parameters.get(name))
            .cloned()
    };
    let addresses: Vec<String> = loaded
        .customer
        .contacts
        .iter()
        .map(|contact| contact.address.clone())
        .collect();
    mask::sentence(&loaded.procedure, action, value, &addresses, showing)
}

fn parameters(loaded: &Loaded, action: &Action, showing: Showing) -> Vec<ParameterView> {
    let shown: Vec<SentencePiece> = pieces(loaded, action, showing)
        .into_iter()
        .filter(|piece| piece.parameter)
        .collect();
    let places = action.says.iter().filter_map(|part| match part {
        countersign_language::SentencePart::Parameter(index) => Some(*index as usize),
        countersign_language::SentencePart::Text(_) => None,
    });
    let value_at: std::collections::BTreeMap<usize, String> = places
        .zip(shown.into_iter().map(|piece| piece.text))
        .collect();
    action
        .parameters
        .iter()
        .enumerate()
        .map(|(index, parameter)| ParameterView {
            name: parameter.name.clone(),
            label: parameter.label.clone(),
            value: value_at.get(&index).cloned().unwrap_or_default(),
        })
        .collect()
}

fn losses(procedure: &Procedure, action: &Action) -> Vec<String> {
    action
        .effects
        .iter()
        .filter_map(|effect| match effect.kind {
            EffectKind::Loses(loss) => procedure
                .losses
                .get(loss.index())
                .map(|loss| loss.label.clone()),
            _ => None,
        })
        .collect()
}

pub(crate) fn takes_effect(case: &Case) -> Option<Timestamp> {
    if let State::Waiting { until, .. } = case.state() {
        Some(until)
    } else {
        None
    }
}

fn link_view(row: &CaseRow, now: Timestamp) -> LinkView {
    match &row.link {
        None => LinkView::None,
        Some(link) => match link.used_at {
            Some(at) => LinkView::Used { at },
            None if now < link.until => LinkView::Issued { until: link.until },
            None => LinkView::RanOut { at: link.until },
        },
    }
}

/// The ways to prove, strongest first.
fn ways(gate: &Gate, loaded: &Loaded, sheet: &Checklist, tell_tries: bool) -> Vec<Way> {
    let mut ways: Vec<Way> = sheet
        .customer
        .proofs
        .iter()
        .filter_map(|item| {
            let proof = loaded.procedure.proofs.get(item.proof.index())?;
            let method = item
                .method
                .filter(|method| gate.supports(&proof.name, *method))?;
            let shown = item.standing == countersign_cases::Standing::Holds;
            if method == Method::Panel && !shown {
                // Only the panel shows it, by the link it sends the customer by.
                return None;
            }
            let held = loaded
                .facts
                .holdings
                .iter()
                .any(|fact| fact.holding == proof.shows);
            let standing = match (
                item.at
                    .filter(|_| item.standing == countersign_cases::Standing::Holds),
                item.until,
            ) {
                (Some(at), _) => WayStanding::Done { at },
                (None, Some(until)) if until > loaded.now => WayStanding::Closed { until },
                _ => WayStanding::Open,
            };
            let address = matches!(method, Method::Mail | Method::Text)
                .then(|| code_address(loaded, item.proof))
                .flatten();
            held.then(|| Way {
                proof: proof.name.clone(),
                label: item.label.clone(),
                method,
                standing,
                address: address.map(|(_, address)| mask_address(&address)),
                tries_left: item.tries_left.filter(|_| tell_tries),
            })
        })
        .collect();
    ways.sort_by_key(|way| match way.method {
        Method::Passkey => 0,
        Method::Oidc | Method::Ciba => 1,
        Method::Totp => 2,
        Method::Password => 3,
        Method::Pin => 4,
        Method::Webhook | Method::Panel => 5,
        Method::Mail => 6,
        Method::Text => 7,
    });
    ways
}

/// Where a code goes: the contact of the channel that has been live the longest, so that an added one never gets it first.
pub(crate) fn code_address(
    loaded: &Loaded,
    proof: countersign_language::ProofId,
) -> Option<(ContactId, String)> {
    let shows = loaded.procedure.proofs.get(proof.index())?.shows;
    let channel = &loaded.procedure.holdings.get(shows.index())?.name;
    loaded
        .customer
        .contacts
        .iter()
        .filter(|contact| contact.removed_at.is_none() && contact.channel == *channel)
        .min_by_key(|contact| (contact.changed_at, contact.first_seen))
        .map(|contact| (contact.id.clone(), contact.address.clone()))
}

fn abilities(loaded: &Loaded, reader: Option<&StaffMember>) -> Abilities {
    let Some(member) = reader else {
        let never = Ability::of(Err(Refusal::NotForTheGate));
        return Abilities {
            run: never.clone(),
            withdraw: never.clone(),
            issue_link: never.clone(),
            sign_off: never.clone(),
            refuse: never,
            vouch: Vec::new(),
        };
    };
    let ask =
        |command| decide(&loaded.procedure, &loaded.case, command, &loaded.moment()).map(|_| ());
    let by = Actor::Staff(member.clone());
    let issue_link = if !loaded.case.state().is_live()
        && !has_receipt(&loaded.case)
        && !crate::enrolment::awaits_customer(loaded)
    {
        ask(Command::UseLink)
    } else if member.concerned {
        Err(Refusal::Concerned)
    } else if member.roles.is_empty() {
        Err(Refusal::RoleMayNotOpen { needed: Vec::new() })
    } else {
        Ok(())
    };
    let words = loaded
        .case
        .opened()
        .and_then(|opened| loaded.procedure.actions.get(opened.action_index.index()))
        .into_iter()
        .flat_map(|action| {
            action
                .paths
                .iter()
                .flat_map(|path| &path.lines)
                .filter_map(|line| match &line.requirement {
                    countersign_language::Requirement::Confirms { text, .. } => Some(text.clone()),
                    _ => None,
                })
        });
    let mut vouch: Vec<String> = words
        .filter(|text| {
            ask(Command::Vouch {
                by: member.clone(),
                text: text.clone(),
            })
            .is_ok()
        })
        .collect();
    vouch.dedup();
    Abilities {
        // Asking decides nothing: the permit that would come with it is dropped here and was never turned into a grant.
        run: Ability::of(ask(Command::Run {
            by: by.clone(),
            grant: GrantId([0; 16]),
            salt: loaded.row.salt,
        })),
        withdraw: Ability::of(ask(Command::Withdraw { by })),
        issue_link: Ability::of(issue_link),
        sign_off: Ability::of(can_sign(loaded, member)),
        refuse: Ability::of(ask(Command::Refuse {
            by: member.clone(),
            reason: "asking whether it may be refused".to_owned(),
        })),
        vouch,
    }
}

/// Whether this person's signature would be taken, were it made.
pub(crate) fn can_sign(loaded: &Loaded, member: &StaffMember) -> Result<(), Refusal> {
    let digest = loaded.case.digest().ok_or(Refusal::NoCase)?;
    let imagined = Evidence::Assertion {
        credential: String::new(),
        public_key: String::new(),
        client_data: String::new(),
        authenticator_data: String::new(),
        signature: String::new(),
    };
    let command = countersign_cases::Command::SignOff {
        by: member.clone(),
        digest,
        evidence: imagined,
    };
    decide(&loaded.procedure, &loaded.case, command, &loaded.moment()).map(|_| ())
}

fn ending_view(case: &Case) -> Option<EndingView> {
    let ending = case.ending()?;
    let by = match &ending.by {
        Some(EndedBy::Colleague(member)) => staff_view(member),
        Some(EndedBy::Stopper(stopper)) => stopper_view(stopper),
        Some(EndedBy::Withdrawer(actor)) => actor_view(actor),
        None => WhoView {
            kind: "gate",
            name: None,
        },
    };
    Some(EndingView {
        by,
        reason: ending.reason.clone(),
        at: ending.at,
        closed_until: ending.closed_until,
    })
}
