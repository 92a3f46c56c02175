//! What pages and programs read: whole, in people's words, and masked where it must be.

use countersign_cases::{
    Actor, Case, CaseId, Checklist, ContactId, CustomerId, Digest, EarlierRefusal, EndedBy, Event,
    EventKind, Evidence, Missing, Outcome, Refusal, StaffMember, State, Stopper, Timestamp, Who,
    checklist, decide,
};
use countersign_language::{Action, EffectKind, Method, Procedure};
use serde::Serialize;

use crate::{
    cases::{CaseError, Loaded},
    customers::CustomerView,
    gate::Gate,
    mask::{self, SentencePiece, Showing, mask_address},
    records::{self, CaseRow, Held, space},
    sessions::{CustomerSeat, MachineCaller, SignedInStaff, StopLink},
    settings::{ConsoleRole, Scope},
    trouble::Trouble,
};

/// Most rows of one list.
const ROWS_MAX: usize = 500;

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
}

/// A parameter and its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ParameterView {
    /// Name in the procedure.
    pub name: String,
    /// What people read.
    pub label: String,
    /// The value; masked for a reader who has proved nothing.
    pub value: String,
}

/// Who did something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WhoView {
    /// `customer`, `staff`, `robot`, `gate`, `contact`.
    pub kind: &'static str,
    /// Name, where there is one.
    pub name: Option<String>,
}

/// One line of what happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TimelineEntry {
    /// When.
    pub at: Timestamp,
    /// The event's word, such as `proved`.
    pub kind: String,
    /// Who.
    pub who: WhoView,
    /// A sentence.
    pub words: String,
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
    fn of(answer: Result<(), Refusal>) -> Self {
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

/// A row of the desk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeskRow {
    /// The case.
    pub case: CaseId,
    /// The customer.
    pub customer: CustomerId,
    /// Their name.
    pub customer_name: String,
    /// Label of the action.
    pub action_label: String,
    /// The sentence; parameter values are masked until something is proved.
    pub sentence: String,
    /// The state in one word.
    pub state: String,
    /// What is missing, in people's words.
    pub missing: Vec<String>,
    /// Who opened it; `None` for the customer.
    pub opened_by: Option<String>,
    /// When.
    pub opened_at: Timestamp,
    /// Last change.
    pub updated_at: Timestamp,
    /// When it runs out.
    pub expires_at: Timestamp,
    /// Names of roles a signature is waited for of.
    pub wants_sign_off: Vec<String>,
    /// When its wait is over, while it waits.
    pub takes_effect_at: Option<Timestamp>,
}

/// Which cases the desk shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeskFilter {
    /// Opened by the reader, not finished.
    Mine,
    /// Not finished, whoever opened them.
    Team,
    /// Waiting for a signature.
    WaitingForSignOff,
    /// Finished since midnight UTC.
    FinishedToday,
}

/// The approvals page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Approvals {
    /// Cases the reader can sign.
    pub for_me: Vec<DeskRow>,
    /// Cases that wait for a signature the reader cannot give, and why.
    pub cannot: Vec<(DeskRow, Ability)>,
    /// Cases the reader signed or refused, newest first.
    pub decided: Vec<DeskRow>,
}

/// Everything the customer's page shows.
#[derive(Debug, Clone, Serialize)]
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
        let showing = if masked {
            Showing::Masked
        } else {
            Showing::Everything
        };
        let events = self.events_of(&loaded.row).await?;
        let sheet = checklist(&loaded.procedure, case, &loaded.moment())
            .map_err(|_| Trouble::Damaged("a case under another procedure".to_owned()))?;
        Ok(CaseView {
            case: opened.case.clone(),
            version: case.version(),
            digest: opened.digest,
            state: case.state(),
            // The words are the same for everyone who may see them; before a proof staff see what the customer's first page shows.
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
            receipt: case.state().is_final(),
            checklist: sheet,
        })
    }

    /// What happened in the case of this seat, oldest first; nothing before the customer proved something.
    pub async fn seat_timeline(
        &self,
        seat: &CustomerSeat,
    ) -> Result<Vec<TimelineEntry>, CaseError> {
        let loaded = self.load_case(seat.case()).await?;
        if loaded.case.proofs().is_empty() {
            return Ok(Vec::new());
        }
        let events = self.events_of(&loaded.row).await?;
        Ok(events
            .iter()
            .map(|event| timeline_entry(&loaded, event))
            .collect())
    }

    /// The customer's page.
    pub async fn seat_view(&self, seat: &CustomerSeat) -> Result<SeatView, CaseError> {
        let loaded = self.load_case(seat.case()).await?;
        self.seat_view_of(&loaded)
    }

    /// The first page of a link that was not used yet: masked, and without the ways.
    pub async fn link_view(&self, token: &str) -> Result<Option<SeatView>, CaseError> {
        let crate::cases::LinkStanding::Usable { case, .. } = self.link_standing(token).await?
        else {
            return Ok(None);
        };
        let loaded = self.load_case(&case).await?;
        self.seat_view_of(&loaded).map(Some)
    }

    fn seat_view_of(&self, loaded: &Loaded) -> Result<SeatView, CaseError> {
        let case = &loaded.case;
        let (opened, action) = opened_action(loaded)?;
        let masked = case.proofs().is_empty();
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
            may_confirm: sheet.customer.may_confirm,
            confirmed_at: case.confirmed_at(),
            may_run: countersign_cases::may_run(&loaded.procedure, case, &loaded.moment()).is_ok(),
            missing: sheet.missing.clone(),
            next_who: sheet.next.who.clone(),
            next_words: sheet.next.words.clone(),
            may_stop: case.state().is_live() || case.state() == State::Granted,
            ending: ending_view(case),
            return_to: loaded.row.return_to.clone().filter(|_| over),
            receipt: over,
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

    /// A list of the desk. Ready cases first, then the oldest.
    pub async fn desk(
        &self,
        by: &SignedInStaff,
        filter: DeskFilter,
    ) -> Result<Vec<DeskRow>, CaseError> {
        if by.roles().is_empty() {
            return Err(CaseError::NotAllowed("staff"));
        }
        let rows = match filter {
            DeskFilter::Mine => {
                let ids = self
                    .list::<CaseId>(
                        space::OPEN_BY,
                        records::beginning_with(
                            &format!("{}/", records::part(&by.person().0)),
                            false,
                        ),
                        ROWS_MAX,
                    )
                    .await?;
                self.rows(&ids).await?
            }
            DeskFilter::Team => self.open_rows().await?,
            DeskFilter::WaitingForSignOff => self
                .open_rows()
                .await?
                .into_iter()
                .filter(|row| !row.wants_sign_off.is_empty())
                .collect(),
            DeskFilter::FinishedToday => {
                let now = self.now();
                let midnight = Timestamp(now.0 - now.0.rem_euclid(86_400_000));
                let range = countersign_store::KeyRange {
                    from: records::sortable(midnight),
                    to: records::sortable(Timestamp(i64::MAX)),
                    reverse: true,
                };
                self.list::<CaseRow>(space::FINISHED, range, ROWS_MAX)
                    .await?
            }
        };
        let mut rows: Vec<DeskRow> = rows
            .iter()
            .filter(|row| !by.record().concerned.contains(&row.customer))
            .map(|row| self.desk_row(row))
            .collect();
        if filter != DeskFilter::FinishedToday {
            rows.sort_by_key(|row| (row.state != "ready", row.opened_at));
        }
        Ok(rows)
    }

    /// The approvals page.
    pub async fn approvals(&self, by: &SignedInStaff) -> Result<Approvals, CaseError> {
        let (mut for_me, mut cannot) = (Vec::new(), Vec::new());
        for row in self
            .open_rows()
            .await?
            .into_iter()
            .filter(|row| !row.wants_sign_off.is_empty())
        {
            let loaded = match self.load_case(&row.case).await {
                Ok(loaded) => loaded,
                Err(CaseError::Unknown) => continue,
                Err(error) => return Err(error),
            };
            let member = by.member(&loaded.procedure, &row.customer);
            let ability = Ability::of(can_sign(&loaded, &member));
            if ability.can {
                for_me.push(self.desk_row(&row))
            } else {
                cannot.push((self.desk_row(&row), ability))
            }
        }
        for_me.sort_by_key(|row: &DeskRow| row.updated_at);
        let prefix = format!("{}/", records::part(&by.person().0));
        let mut ids = self
            .list::<CaseId>(
                space::DECIDED_BY,
                records::beginning_with(&prefix, true),
                100,
            )
            .await?;
        ids.dedup();
        let decided = self
            .rows(&ids)
            .await?
            .iter()
            .map(|row| self.desk_row(row))
            .collect();
        Ok(Approvals {
            for_me,
            cannot,
            decided,
        })
    }

    /// Cases of a customer, newest first.
    pub async fn cases_of_customer(
        &self,
        by: &SignedInStaff,
        customer: &CustomerId,
    ) -> Result<Vec<DeskRow>, CaseError> {
        if by.roles().is_empty() || by.record().concerned.contains(customer) {
            return Err(CaseError::NotAllowed("staff"));
        }
        let prefix = format!("{}/", records::part(&customer.0));
        let ids = self
            .list::<CaseId>(space::CASES_OF, records::beginning_with(&prefix, true), 100)
            .await?;
        Ok(self
            .rows(&ids)
            .await?
            .iter()
            .map(|row| self.desk_row(row))
            .collect())
    }

    /// Other cases of the customer who sits on this seat, once they have proved something: their receipts.
    pub async fn cases_of_seat(&self, seat: &CustomerSeat) -> Result<Vec<DeskRow>, CaseError> {
        let loaded = self.load_case(seat.case()).await?;
        if loaded.case.proofs().is_empty() {
            return Ok(vec![self.desk_row(&loaded.row)]);
        }
        let prefix = format!("{}/", records::part(&seat.customer().0));
        let ids = self
            .list::<CaseId>(space::CASES_OF, records::beginning_with(&prefix, true), 100)
            .await?;
        Ok(self
            .rows(&ids)
            .await?
            .iter()
            .map(|row| self.desk_row(row))
            .collect())
    }

    async fn open_rows(&self) -> Result<Vec<CaseRow>, Trouble> {
        self.list(space::OPEN, records::beginning_with("", false), ROWS_MAX)
            .await
    }

    async fn rows(&self, ids: &[CaseId]) -> Result<Vec<CaseRow>, Trouble> {
        let mut rows = Vec::with_capacity(ids.len());
        for id in ids {
            if let Some(Held { value, .. }) = self
                .load::<CaseRow>(space::CASE, &records::part(&id.0))
                .await?
            {
                rows.push(value);
            }
        }
        Ok(rows)
    }

    fn desk_row(&self, row: &CaseRow) -> DeskRow {
        DeskRow {
            case: row.case.clone(),
            customer: row.customer.clone(),
            customer_name: row.customer_name.clone(),
            action_label: row.action_label.clone(),
            sentence: if row.proved {
                row.sentence.clone()
            } else {
                row.masked_sentence.clone()
            },
            state: row.state.clone(),
            missing: row.missing.clone(),
            opened_by: row.opener_name.clone(),
            opened_at: row.opened_at,
            updated_at: row.updated_at,
            expires_at: row.expires_at,
            wants_sign_off: row.wants_sign_off.clone(),
            takes_effect_at: row.takes_effect_at,
        }
    }
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

/// The sentence masked, for lists that staff read before anything is proved.
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
            let method = item.method.filter(|method| gate.supports(*method))?;
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
        Method::Webhook => 5,
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
    use countersign_cases::{Command, GrantId};
    let issue_link = if !loaded.case.state().is_live() {
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

pub(crate) fn actor_view(actor: &Actor) -> WhoView {
    match actor {
        Actor::Customer => WhoView {
            kind: "customer",
            name: None,
        },
        Actor::Staff(member) => staff_view(member),
        Actor::Gate => WhoView {
            kind: "gate",
            name: None,
        },
    }
}

fn staff_view(member: &StaffMember) -> WhoView {
    WhoView {
        kind: if member.robot { "robot" } else { "staff" },
        name: Some(member.name.clone()),
    }
}

fn stopper_view(stopper: &Stopper) -> WhoView {
    match stopper {
        Stopper::Customer => WhoView {
            kind: "customer",
            name: None,
        },
        // Which contact is nobody's business but the auditor's: naming it would tell one contact of another.
        Stopper::Contact(_) => WhoView {
            kind: "contact",
            name: None,
        },
    }
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

/// One event as a line people read.
fn timeline_entry(loaded: &Loaded, event: &Event) -> TimelineEntry {
    let customer = WhoView {
        kind: "customer",
        name: None,
    };
    let gate = WhoView {
        kind: "gate",
        name: None,
    };
    let contact_label = |id: &ContactId| {
        let channel = loaded
            .customer
            .contacts
            .iter()
            .find(|contact| contact.id == *id)
            .map(|contact| &contact.channel);
        channel.map_or_else(
            || "a former contact".to_owned(),
            |channel| crate::customers::holding_label(&loaded.procedure, channel),
        )
    };
    let (kind, who, words) = match &event.kind {
        EventKind::Opened { by, .. } => ("opened", actor_view(by), "Case opened".to_owned()),
        EventKind::LinkUsed => ("link_used", customer, "Link opened and used".to_owned()),
        EventKind::Proved { proof, .. } => {
            let label = loaded
                .procedure
                .proofs
                .get(proof.index())
                .map_or("proof", |proof| proof.label.as_str());
            ("proved", customer, format!("Proven: {label}"))
        }
        EventKind::Confirmed => (
            "confirmed",
            customer,
            "Confirmed the exact words".to_owned(),
        ),
        EventKind::Vouched { by, text } => (
            "vouched",
            staff_view(by),
            format!("Gave their word: {text}"),
        ),
        EventKind::SignedOff { by, .. } => (
            "signed_off",
            staff_view(by),
            "Signed with a passkey".to_owned(),
        ),
        EventKind::Refused { by, reason, .. } => {
            ("refused", staff_view(by), format!("Refused: {reason}"))
        }
        EventKind::NoticesDue { contacts, .. } => (
            "notices_due",
            gate,
            format!("Notices to {} contacts are on their way", contacts.len()),
        ),
        EventKind::Notified {
            contact,
            handed_over: true,
        } => (
            "notified",
            gate,
            format!("Notice handed over: {}", contact_label(contact)),
        ),
        EventKind::Notified {
            contact,
            handed_over: false,
        } => (
            "notified",
            gate,
            format!("Notice could not be delivered: {}", contact_label(contact)),
        ),
        EventKind::WaitStarted { .. } => {
            ("wait_started", gate, "The waiting period began".to_owned())
        }
        EventKind::WaitVoid { .. } => (
            "wait_void",
            gate,
            "The waiting period counts no more: what it was earned with no longer holds".to_owned(),
        ),
        EventKind::Ready { .. } => ("ready", gate, "Nothing is missing".to_owned()),
        EventKind::NoLongerReady { .. } => (
            "no_longer_ready",
            gate,
            "A requirement no longer holds".to_owned(),
        ),
        EventKind::Granted { by, .. } => ("granted", actor_view(by), "Granted".to_owned()),
        EventKind::HandedOver => (
            "handed_over",
            gate,
            "Handed to the system that runs it".to_owned(),
        ),
        EventKind::Concluded {
            outcome: Outcome::Done,
        } => ("concluded", gate, "Done".to_owned()),
        EventKind::Concluded {
            outcome: Outcome::Failed { reason },
        } => (
            "concluded",
            gate,
            format!("Could not be carried out ({reason}); nothing changed"),
        ),
        EventKind::Concluded {
            outcome: Outcome::Unknown,
        } => (
            "concluded",
            gate,
            "No answer: it is not certain whether it happened".to_owned(),
        ),
        EventKind::Stopped { by, reason, .. } => (
            "stopped",
            stopper_view(by),
            with_reason("Stopped", reason.as_deref()),
        ),
        EventKind::StopCameTooLate { by, reason } => (
            "stop_came_too_late",
            stopper_view(by),
            with_reason("Tried to stop it, too late", reason.as_deref()),
        ),
        EventKind::Withdrawn { by } => ("withdrawn", actor_view(by), "Taken back".to_owned()),
        EventKind::Expired => ("expired", gate, "Ran out".to_owned()),
    };
    TimelineEntry {
        at: event.at,
        kind: kind.to_owned(),
        who,
        words,
    }
}

fn with_reason(words: &str, reason: Option<&str>) -> String {
    reason
        .filter(|reason| !reason.trim().is_empty())
        .map_or_else(|| words.to_owned(), |reason| format!("{words}: {reason}"))
}
