//! Cases: load, decide, commit.
//!
//! Every surface ends in [`Gate::apply`], and that asks the one decision
//! function. Nothing here weighs a requirement.

use std::collections::BTreeMap;
use std::sync::Arc;

use countersign_cases::{
    Actor, Case, CaseId, Command, CustomerId, Digest, Event, EventKind, Facts, GrantId, Moment,
    Opening, Outcome, Permit, PersonId, Refusal, StaffMember, State, Stopper, Timestamp, decide,
    evolve,
};
use countersign_language::Procedure;
use countersign_store::{Batch, FinishedWork, NewWork, RecordWrite, StreamKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{
    adapters::{
        dice,
        tokens::{self, Token, TokenHash, TokenKind},
    },
    delivery,
    facts::{Wanted, request_hash},
    gate::Gate,
    grants::Minted,
    notices,
    records::{
        self, CaseRow, ClosedRequest, Customer, Desk, GrantRecord, Held, Link, LinkNote, Run, Seat,
        space,
    },
    sessions::{CustomerSeat, MachineCaller, SignedInStaff, StopLink},
    settings::Scope,
    shell::{Entry, Envelope, Tries},
    trouble::Trouble,
    views,
};

/// The queue of moments at which time alone may change a case.
pub(crate) const TIMER: &str = "timer";

/// Runs older than this can no longer matter: the longest window a procedure can sensibly count, two years.
const RUNS_KEPT_SECONDS: u64 = 2 * 366 * 86_400;

/// Most runs and refusals kept for one customer or person.
const KEPT_MAX: usize = 1_000;

/// A request to open a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenRequest {
    /// The company's own id of the customer.
    pub customer: CustomerId,
    /// Name of the action.
    pub action: String,
    /// Value by parameter name; exactly the action's parameters.
    #[serde(default)]
    pub parameters: BTreeMap<String, String>,
    /// Why, in the opener's words.
    #[serde(default)]
    pub reason: Option<String>,
    /// Ticket or chat reference.
    #[serde(default)]
    pub reference: Option<String>,
    /// Where the customer goes afterwards; its origin must be allowed in the settings. Only for the company's own panel.
    #[serde(default)]
    pub return_to: Option<String>,
}

/// A case that was opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OpenedCase {
    /// Its id.
    pub case: CaseId,
    /// What everything about it is bound to.
    pub digest: Digest,
    /// The sentence.
    pub sentence: String,
    /// When it runs out.
    pub expires_at: Timestamp,
}

/// A one-time link for the customer of a case. `path` is to be appended to the gate's origin.
#[derive(Debug, Clone)]
pub struct IssuedLink {
    /// The case.
    pub case: CaseId,
    /// The token; the path is `/c/{token}`.
    pub token: Token,
    /// When it runs out.
    pub until: Timestamp,
}

impl IssuedLink {
    /// `/c/{token}`
    pub fn path(&self) -> String {
        format!("/c/{}", self.token.expose())
    }
}

/// What a link that was not used yet shows: the first page, masked. Looking changes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkStanding {
    /// It can be used.
    Usable {
        /// The case.
        case: CaseId,
        /// Until when.
        until: Timestamp,
    },
    /// It was used, on this or another device.
    Used {
        /// The case.
        case: CaseId,
    },
    /// It ran out, or there never was such a link: the two cannot be told apart.
    Gone,
}

/// Why something asked of a case was not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CaseError {
    /// There is no such case, or it is not yours to see.
    #[error("there is no such case")]
    Unknown,
    /// There is no such customer.
    #[error("there is no such customer")]
    UnknownCustomer,
    /// The token does not have the scope, or the account not the role.
    #[error("this needs `{0}`")]
    NotAllowed(&'static str),
    /// The customer may not be sent back to that address.
    #[error("the customer may not be sent to `{0}`")]
    ReturnTo(String),
    /// The link was used, ran out, or never was.
    #[error("this link cannot be used")]
    LinkGone,
    /// It is not over yet.
    #[error("the case is not over yet")]
    NotOver,
    /// The words changed since they were read: another digest.
    #[error("this changed since it was read")]
    Changed,
    /// The procedure says no, and why.
    #[error(transparent)]
    Refused(Refusal),
    /// The store.
    #[error(transparent)]
    Trouble(#[from] Trouble),
}

impl CaseError {
    /// Stable word.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unknown => "unknown-case",
            Self::UnknownCustomer => "unknown-customer",
            Self::NotAllowed(_) => "not-allowed",
            Self::ReturnTo(_) => "return-to-not-allowed",
            Self::LinkGone => "link-gone",
            Self::NotOver => "not-over",
            Self::Changed => "changed",
            Self::Refused(refusal) => refusal.code(),
            Self::Trouble(trouble) => trouble.code(),
        }
    }

    /// What to do next, or who can.
    pub fn help(&self) -> Option<String> {
        if let Self::Refused(refusal) = self {
            refusal.help()
        } else {
            None
        }
    }
}

impl From<Refusal> for CaseError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// What became of a command.
#[derive(Debug, Clone)]
pub struct Applied {
    /// The case's events after it.
    pub version: u64,
    /// Its state after it.
    pub state: State,
}

/// Everything a decision about one case reads, with the revisions it was read at.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) case: Case,
    pub(crate) procedure: Arc<Procedure>,
    pub(crate) customer: Customer,
    pub(crate) desk: Desk,
    pub(crate) desk_revision: u64,
    pub(crate) row: CaseRow,
    pub(crate) row_revision: u64,
    pub(crate) facts: Facts,
    pub(crate) now: Timestamp,
}

impl Loaded {
    pub(crate) fn moment(&self) -> Moment<'_> {
        Moment {
            now: self.now,
            facts: &self.facts,
        }
    }

    pub(crate) fn digest(&self) -> Result<Digest, Trouble> {
        self.case
            .digest()
            .ok_or_else(|| Trouble::Damaged("a case without its first event".to_owned()))
    }

    pub(crate) fn stream(&self) -> StreamKey {
        records::case_stream(&self.row.customer, &self.row.case)
    }

    fn opener(&self) -> Option<&PersonId> {
        self.case
            .opened()
            .and_then(|opened| opened.opener())
            .map(|member| &member.person)
    }
}

/// More to be written together with a decision.
#[derive(Debug, Default)]
pub(crate) struct Also {
    pub(crate) records: Vec<RecordWrite>,
    pub(crate) work: Vec<NewWork>,
    pub(crate) finished: Vec<FinishedWork>,
}

impl Gate {
    /// Opens a case as a member of staff.
    pub async fn open_case(
        &self,
        by: &SignedInStaff,
        request: &OpenRequest,
    ) -> Result<OpenedCase, CaseError> {
        if request.return_to.is_some() {
            return Err(CaseError::NotAllowed("panel"));
        }
        let member = by.member(self.procedure(), &request.customer);
        self.open(Actor::Staff(member), request, None)
            .await
            .map(|(opened, _)| opened)
    }

    /// Opens a case as a program with a staff role.
    pub async fn open_case_as_robot(
        &self,
        by: &MachineCaller,
        request: &OpenRequest,
    ) -> Result<OpenedCase, CaseError> {
        allow(by, Scope::Robot, "robot")?;
        if request.return_to.is_some() {
            return Err(CaseError::NotAllowed("panel"));
        }
        let robot = by.robot(self.procedure());
        self.open(Actor::Staff(robot), request, None)
            .await
            .map(|(opened, _)| opened)
    }

    /// Opens a case for the customer who is signed in to the company's own panel, and makes the link the panel sends them to.
    pub async fn open_case_for_panel(
        &self,
        by: &MachineCaller,
        request: &OpenRequest,
    ) -> Result<(OpenedCase, IssuedLink), CaseError> {
        allow(by, Scope::Panel, "panel")?;
        if let Some(target) = &request.return_to {
            self.check_return_to(target)?;
        }
        let token = Token::generate(TokenKind::Link, self.dice());
        let (opened, link) = self.open(Actor::Customer, request, Some(token)).await?;
        link.map(|link| (opened, link)).ok_or(CaseError::LinkGone)
    }

    async fn open(
        &self,
        by: Actor,
        request: &OpenRequest,
        token: Option<Token>,
    ) -> Result<(OpenedCase, Option<IssuedLink>), CaseError> {
        let mut tries = Tries::default();
        loop {
            let now = self.now();
            let procedure = Arc::clone(self.procedure());
            let customer = self
                .load_customer(&request.customer)
                .await?
                .ok_or(CaseError::UnknownCustomer)?
                .value;
            let (desk, desk_revision) = self.desk_of(&request.customer).await?;
            let case = CaseId(tokens::speakable_id("CS", self.dice()));
            let wanted = Wanted {
                procedure: &procedure,
                action: &request.action,
                parameters: &request.parameters,
                opener: match &by {
                    Actor::Staff(member) => Some(&member.person),
                    Actor::Customer | Actor::Gate => None,
                },
                case: None,
            };
            let facts = self.facts(wanted, &customer, &desk, now).await?;
            let opening = Opening {
                case: case.clone(),
                customer: request.customer.clone(),
                action: request.action.clone(),
                parameters: request.parameters.clone(),
                by: by.clone(),
                reason: request.reason.clone(),
                reference: request.reference.clone(),
                nonce: dice::random_bytes(self.dice()),
            };
            let loaded = Loaded {
                case: Case::none(),
                row: self.new_row(&case, request, &customer, &procedure, &by, now),
                procedure,
                customer,
                desk,
                desk_revision,
                row_revision: 0,
                facts,
                now,
            };
            let decision = decide(
                &loaded.procedure,
                &loaded.case,
                Command::Open(opening),
                &loaded.moment(),
            )?;
            let mut also = Also::default();
            let mut row = loaded.row.clone();
            let link = token
                .clone()
                .map(|token| self.link(&mut also, &mut row, token, now))
                .transpose()?;
            let loaded = Loaded { row, ..loaded };
            let (batch, case) = self
                .write_decision(&loaded, &decision.events, None, also)
                .await?;
            let opened = case
                .opened()
                .ok_or_else(|| Trouble::Damaged("a case that did not open".to_owned()))?;
            let answer = OpenedCase {
                case: opened.case.clone(),
                digest: opened.digest,
                sentence: opened.sentence.clone(),
                expires_at: case.expires_at(),
            };
            if self.committed(batch, &mut tries).await? {
                self.bell().notify_waiters();
                tracing::info!(case = answer.case.0, action = request.action, "case opened");
                return Ok((answer, link));
            }
        }
    }

    /// Makes a new one-time link for the customer of a case. Only people with a staff role in the procedure may; older links stop counting.
    pub async fn issue_link(
        &self,
        by: &SignedInStaff,
        case: &CaseId,
    ) -> Result<IssuedLink, CaseError> {
        let token = Token::generate(TokenKind::Link, self.dice());
        self.issue(case, token, by.account(), |loaded| {
            by.member(&loaded.procedure, &loaded.row.customer)
        })
        .await
    }

    /// The same for the robot that opened it.
    pub async fn issue_link_as_robot(
        &self,
        by: &MachineCaller,
        case: &CaseId,
    ) -> Result<IssuedLink, CaseError> {
        allow(by, Scope::Robot, "robot")?;
        let token = Token::generate(TokenKind::Link, self.dice());
        self.issue(case, token, by.name(), |loaded| by.robot(&loaded.procedure))
            .await
    }

    async fn issue(
        &self,
        id: &CaseId,
        token: Token,
        account: &str,
        member: impl Fn(&Loaded) -> StaffMember,
    ) -> Result<IssuedLink, CaseError> {
        let mut tries = Tries::default();
        loop {
            let loaded = self.load_case(id).await?;
            let member = member(&loaded);
            if member.roles.is_empty() {
                return Err(CaseError::NotAllowed("staff"));
            }
            if member.concerned {
                return Err(Refusal::Concerned.into());
            }
            if !loaded.case.state().is_live() {
                return Err(CaseError::LinkGone);
            }
            let mut also = Also::default();
            let mut row = loaded.row.clone();
            let link = self.link(&mut also, &mut row, token.clone(), loaded.now)?;
            let mut batch = Batch {
                records: also.records,
                ..Batch::default()
            };
            push_row(&mut batch, &row, loaded.row_revision, true)?;
            let entry = Entry::new(
                "staff.link_issued",
                loaded.now,
                Some(&loaded.customer.pseudonym),
                &serde_json::json!({ "account": account, "case": id }),
            )?;
            self.log(
                &mut batch,
                &records::customer_stream(&loaded.row.customer),
                entry,
            )
            .await?;
            if self.committed(batch, &mut tries).await? {
                return Ok(link);
            }
        }
    }

    fn link(
        &self,
        also: &mut Also,
        row: &mut CaseRow,
        token: Token,
        now: Timestamp,
    ) -> Result<IssuedLink, Trouble> {
        let until = now.plus_seconds(self.settings().limits.link_seconds);
        if let Some(LinkNote { hash, .. }) = row.link.take() {
            also.records.push(records::remove(space::LINK, hash, None));
        }
        let hash = token.hash().to_string();
        let link = Link {
            case: row.case.clone(),
            customer: row.customer.clone(),
            until,
            used_at: None,
        };
        // Kept for a day beyond its end, so that a used link can say that it was used.
        also.records.push(records::put_until(
            space::LINK,
            hash.clone(),
            &link,
            Some(0),
            until.plus_seconds(86_400),
        )?);
        row.link = Some(LinkNote {
            hash,
            until,
            used_at: None,
        });
        Ok(IssuedLink {
            case: row.case.clone(),
            token,
            until,
        })
    }

    /// How a link stands. Looking changes nothing: chat previews and mail scanners look too.
    pub async fn link_standing(&self, token: &str) -> Result<LinkStanding, Trouble> {
        let Some(hash) = TokenHash::of(TokenKind::Link, token) else {
            return Ok(LinkStanding::Gone);
        };
        let held = self.load::<Link>(space::LINK, &hash.to_string()).await?;
        Ok(match held.map(|held| held.value) {
            Some(Link {
                case,
                used_at: Some(_),
                ..
            }) => LinkStanding::Used { case },
            Some(Link { case, until, .. }) if self.now() < until => {
                LinkStanding::Usable { case, until }
            }
            _ => LinkStanding::Gone,
        })
    }

    /// Uses a link, once, by the customer's first POST: gives the seat's token for the cookie, and the seat.
    pub async fn use_link(&self, token: &str) -> Result<(Token, CustomerSeat), CaseError> {
        let hash = TokenHash::of(TokenKind::Link, token).ok_or(CaseError::LinkGone)?;
        let seat_token = Token::generate(TokenKind::Session, self.dice());
        let mut tries = Tries::default();
        loop {
            let Held {
                value: link,
                revision,
            } = self
                .load::<Link>(space::LINK, &hash.to_string())
                .await?
                .ok_or(CaseError::LinkGone)?;
            let mut loaded = self.load_case(&link.case).await?;
            let now = loaded.now;
            if link.used_at.is_some() || now >= link.until {
                return Err(CaseError::LinkGone);
            }
            let seat = Seat {
                case: link.case.clone(),
                customer: link.customer.clone(),
                until: now.plus_seconds(self.settings().limits.seat_seconds),
            };
            let mut also = Also::default();
            let used = Link {
                used_at: Some(now),
                ..link.clone()
            };
            also.records.push(records::put_until(
                space::LINK,
                hash.to_string(),
                &used,
                Some(revision),
                link.until.plus_seconds(86_400),
            )?);
            also.records.push(records::put_until(
                space::SEAT,
                seat_token.hash().to_string(),
                &seat,
                Some(0),
                seat.until,
            )?);
            loaded.row.link = Some(LinkNote {
                hash: hash.to_string(),
                until: link.until,
                used_at: Some(now),
            });
            // A second link of the same case opens a second seat; the case records the first use only.
            let events = match decide(
                &loaded.procedure,
                &loaded.case,
                Command::UseLink,
                &loaded.moment(),
            ) {
                Ok(decision) => decision.events,
                Err(Refusal::LinkAlreadyUsed) => Vec::new(),
                Err(refusal) => return Err(refusal.into()),
            };
            let (batch, _) = self.write_decision(&loaded, &events, None, also).await?;
            if self.committed(batch, &mut tries).await? {
                let seat = CustomerSeat::seated(&seat, seat_token.hash());
                return Ok((seat_token, seat));
            }
        }
    }

    /// The opener gives their word for a `confirms` line.
    pub async fn vouch(
        &self,
        by: &SignedInStaff,
        case: &CaseId,
        text: &str,
    ) -> Result<Applied, CaseError> {
        self.apply(case, |loaded| {
            Ok(Command::Vouch {
                by: by.member(&loaded.procedure, &loaded.row.customer),
                text: text.to_owned(),
            })
        })
        .await
    }

    /// A colleague refuses; the reason has 10 to 500 characters.
    pub async fn refuse(
        &self,
        by: &SignedInStaff,
        case: &CaseId,
        reason: &str,
    ) -> Result<Applied, CaseError> {
        self.apply(case, |loaded| {
            Ok(Command::Refuse {
                by: by.member(&loaded.procedure, &loaded.row.customer),
                reason: reason.to_owned(),
            })
        })
        .await
    }

    /// The opener takes it back.
    pub async fn withdraw(&self, by: &SignedInStaff, case: &CaseId) -> Result<Applied, CaseError> {
        self.apply(case, |loaded| {
            Ok(Command::Withdraw {
                by: Actor::Staff(by.member(&loaded.procedure, &loaded.row.customer)),
            })
        })
        .await
    }

    /// The robot that opened it takes it back.
    pub async fn withdraw_as_robot(
        &self,
        by: &MachineCaller,
        case: &CaseId,
    ) -> Result<Applied, CaseError> {
        allow(by, Scope::Robot, "robot")?;
        self.apply(case, |loaded| {
            Ok(Command::Withdraw {
                by: Actor::Staff(by.robot(&loaded.procedure)),
            })
        })
        .await
    }

    /// The agent says run.
    pub async fn run(&self, by: &SignedInStaff, case: &CaseId) -> Result<Applied, CaseError> {
        self.grant(case, |loaded| {
            Actor::Staff(by.member(&loaded.procedure, &loaded.row.customer))
        })
        .await
    }

    /// The robot that opened it says run.
    pub async fn run_as_robot(
        &self,
        by: &MachineCaller,
        case: &CaseId,
    ) -> Result<Applied, CaseError> {
        allow(by, Scope::Robot, "robot")?;
        self.grant(case, |loaded| Actor::Staff(by.robot(&loaded.procedure)))
            .await
    }

    /// The customer says run.
    pub async fn run_from_seat(&self, seat: &CustomerSeat) -> Result<Applied, CaseError> {
        self.grant(seat.case(), |_| Actor::Customer).await
    }

    /// The customer confirms the words they read; `digest` is the one the page showed.
    pub async fn confirm(&self, seat: &CustomerSeat, digest: Digest) -> Result<Applied, CaseError> {
        self.apply(seat.case(), |_| Ok(Command::Confirm { digest }))
            .await
    }

    /// The customer stops it.
    pub async fn stop(
        &self,
        seat: &CustomerSeat,
        reason: Option<&str>,
    ) -> Result<Applied, CaseError> {
        self.apply(seat.case(), |_| {
            Ok(Command::Stop {
                by: Stopper::Customer,
                reason: reason.map(str::to_owned),
            })
        })
        .await
    }

    /// The customer takes back a case they opened through the panel.
    pub async fn withdraw_from_seat(&self, seat: &CustomerSeat) -> Result<Applied, CaseError> {
        self.apply(seat.case(), |_| {
            Ok(Command::Withdraw {
                by: Actor::Customer,
            })
        })
        .await
    }

    /// Whoever holds a link that was not used yet stops it ("No, stop this"): the link is used up by either button.
    pub async fn stop_with_link(
        &self,
        token: &str,
        reason: Option<&str>,
    ) -> Result<Applied, CaseError> {
        let (_, seat) = self.use_link(token).await?;
        self.stop(&seat, reason).await
    }

    /// Somebody who was notified stops it, without any login.
    pub async fn stop_by_link(
        &self,
        link: &StopLink,
        reason: Option<&str>,
    ) -> Result<Applied, CaseError> {
        let by = Stopper::Contact(link.contact().clone());
        self.apply(link.case(), |_| {
            Ok(Command::Stop {
                by: by.clone(),
                reason: reason.map(str::to_owned),
            })
        })
        .await
    }

    /// Makes one decision about a case and commits it, again from the start if anything it read changed meanwhile.
    pub(crate) async fn apply(
        &self,
        id: &CaseId,
        command: impl Fn(&Loaded) -> Result<Command, CaseError>,
    ) -> Result<Applied, CaseError> {
        self.apply_with(id, |loaded| Ok((command(loaded)?, Also::default())))
            .await
    }

    /// As [`Gate::apply`], with more to be written in the same commit.
    pub(crate) async fn apply_with(
        &self,
        id: &CaseId,
        command: impl Fn(&Loaded) -> Result<(Command, Also), CaseError>,
    ) -> Result<Applied, CaseError> {
        let mut tries = Tries::default();
        loop {
            let loaded = self.load_case(id).await?;
            let (command, also) = command(&loaded)?;
            let decision = decide(&loaded.procedure, &loaded.case, command, &loaded.moment())?;
            let (batch, case) = self
                .write_decision(&loaded, &decision.events, None, also)
                .await?;
            if self.committed(batch, &mut tries).await? {
                self.told_about(&loaded, &case);
                return Ok(Applied {
                    version: case.version(),
                    state: case.state(),
                });
            }
        }
    }

    /// The one way to a grant: `decide` makes the permit, [`crate::grants`] uses it up, and events, leaf and outbox entry are one commit.
    pub(crate) async fn grant(
        &self,
        id: &CaseId,
        by: impl Fn(&Loaded) -> Actor,
    ) -> Result<Applied, CaseError> {
        let mut tries = Tries::default();
        loop {
            let loaded = self.load_case(id).await?;
            let command = Command::Run {
                by: by(&loaded),
                grant: GrantId(dice::random_bytes(self.dice())),
            };
            let decision = decide(&loaded.procedure, &loaded.case, command, &loaded.moment())?;
            let permit = decision
                .permit
                .ok_or_else(|| Trouble::Damaged("a decision to run without a permit".to_owned()))?;
            let (batch, case) = self.write_grant(&loaded, &decision.events, permit).await?;
            if self.committed(batch, &mut tries).await? {
                self.bell().notify_waiters();
                self.told_about(&loaded, &case);
                return Ok(Applied {
                    version: case.version(),
                    state: case.state(),
                });
            }
        }
    }

    async fn write_grant(
        &self,
        loaded: &Loaded,
        events: &[Event],
        permit: Permit,
    ) -> Result<(Batch, Case), CaseError> {
        let minted = self.mint(permit, loaded.now)?;
        let mut also = Also::default();
        let record = GrantRecord {
            case: loaded.row.case.clone(),
            customer: loaded.row.customer.clone(),
            connector: minted.connector.clone(),
            jws: minted.jws.clone(),
            not_after: minted.not_after,
            delivery: records::Delivery::Waiting,
        };
        also.records.push(records::put(
            space::GRANT,
            minted.id.clone(),
            &record,
            Some(0),
        )?);
        let work = delivery::Delivering {
            case: loaded.row.case.clone(),
            grant: minted.id.clone(),
        };
        also.work.push(NewWork {
            queue: delivery::RUN,
            key: minted.id.clone(),
            due_ms: loaded.now.0,
            body: records::write_json(&work)?,
        });
        Ok(self
            .write_decision(loaded, events, Some(&minted), also)
            .await?)
    }

    fn told_about(&self, loaded: &Loaded, case: &Case) {
        if case.state() != loaded.case.state() {
            tracing::info!(
                case = loaded.row.case.0,
                state = case.state().word(),
                "case moved"
            );
        }
        self.bell().notify_waiters();
    }

    /// Everything a decision about this case reads.
    pub(crate) async fn load_case(&self, id: &CaseId) -> Result<Loaded, CaseError> {
        let key = records::part(&id.0);
        let Held {
            value: row,
            revision: row_revision,
        } = self
            .load::<CaseRow>(space::CASE, &key)
            .await?
            .ok_or(CaseError::Unknown)?;
        let events = self.events_of(&row).await?;
        let case = Case::replay(&events);
        let procedure = self.procedure_of(&row.procedure).await?;
        // The time is taken before the facts: they are never older than it claims.
        let now = self.now();
        let (desk, desk_revision) = self.desk_of(&row.customer).await?;
        let customer = self
            .load_customer(&row.customer)
            .await?
            .ok_or(CaseError::UnknownCustomer)?
            .value;
        let opened = case.opened().ok_or(CaseError::Unknown)?;
        let wanted = Wanted {
            procedure: &procedure,
            action: &opened.action,
            parameters: &opened.parameters,
            opener: opened.opener().map(|member| &member.person),
            case: Some(id),
        };
        let facts = self.facts(wanted, &customer, &desk, now).await?;
        Ok(Loaded {
            case,
            procedure,
            customer,
            desk,
            desk_revision,
            row,
            row_revision,
            facts,
            now,
        })
    }

    pub(crate) async fn events_of(&self, row: &CaseRow) -> Result<Vec<Event>, Trouble> {
        let stored = self
            .journal()
            .read(&records::case_stream(&row.customer, &row.case), 0)
            .await?;
        stored
            .iter()
            .map(|stored| from_value(Envelope::open(stored)?.data))
            .collect()
    }

    async fn desk_of(&self, customer: &CustomerId) -> Result<(Desk, u64), Trouble> {
        let held = self
            .load::<Desk>(space::DESK, &records::part(&customer.0))
            .await?;
        Ok(held.map_or((Desk::default(), 0), |held| (held.value, held.revision)))
    }

    /// One commit: events and leaves, the customer's desk, the case's row, and what is to be done next.
    pub(crate) async fn write_decision(
        &self,
        loaded: &Loaded,
        events: &[Event],
        minted: Option<&Minted>,
        also: Also,
    ) -> Result<(Batch, Case), Trouble> {
        let case = events.iter().fold(loaded.case.clone(), evolve);
        let mut batch = Batch {
            records: also.records,
            work: also.work,
            finished: also.finished,
            ..Batch::default()
        };
        let mut entries = Vec::with_capacity(events.len());
        for event in events {
            let mut entry = Entry::new(
                kind_of(event)?,
                event.at,
                Some(&loaded.customer.pseudonym),
                event,
            )?;
            entry.case = Some(loaded.row.pseudonym.clone());
            if matches!(event.kind, EventKind::Granted { .. }) {
                entry.grant = minted.map(|minted| Sha256::digest(minted.jws.as_bytes()).into());
            }
            entries.push(entry);
        }
        self.record(&mut batch, &loaded.stream(), loaded.case.version(), entries)?;
        let mut desk = loaded.desk.clone();
        for event in events {
            self.note_on_desk(&mut desk, loaded, &case, event);
            if matches!(event.kind, EventKind::Granted { .. })
                && let Some(person) = loaded.opener()
            {
                let (mut runs, revision) = self.runs_by(person).await?;
                push_run(&mut runs, &loaded.row.action, event.at);
                batch.records.push(records::put(
                    space::RUNS_BY,
                    records::part(&person.0),
                    &runs,
                    Some(revision),
                )?);
            }
            self.work_for(&mut batch, loaded, &case, event)?;
        }
        // Written also where nothing on it changed: it is what keeps two decisions about one customer from passing each other.
        batch.records.push(records::put(
            space::DESK,
            records::part(&loaded.row.customer.0),
            &desk,
            Some(loaded.desk_revision),
        )?);
        let row = self.row_after(loaded, &case, events);
        push_row(
            &mut batch,
            &row,
            loaded.row_revision,
            !case.state().is_final(),
        )?;
        index_row(&mut batch, &row, events, case.state())?;
        Ok((batch, case))
    }

    fn note_on_desk(&self, desk: &mut Desk, loaded: &Loaded, case: &Case, event: &Event) {
        let id = &loaded.row.case;
        let action = &loaded.row.action;
        let mut closed = |stopped: bool, closed_until: Timestamp| {
            let parameters = case.opened().map(|opened| &opened.parameters);
            let request = parameters
                .map(|parameters| request_hash(action, parameters))
                .unwrap_or_default();
            desk.closed.insert(
                0,
                ClosedRequest {
                    request,
                    case: id.clone(),
                    at: event.at,
                    stopped,
                    closed_until,
                },
            );
            desk.closed.truncate(KEPT_MAX);
        };
        match &event.kind {
            EventKind::Refused { closed_until, .. } => closed(false, *closed_until),
            EventKind::Stopped { closed_until, .. } => closed(true, *closed_until),
            EventKind::Granted { .. } => push_run(&mut desk.runs, action, event.at),
            _ => {}
        }
        if case.state().is_final() {
            desk.open.retain(|_, open| open != id);
        } else {
            desk.open.insert(action.clone(), id.clone());
        }
    }

    /// What must be done because of an event: notices, timers, asking.
    fn work_for(
        &self,
        batch: &mut Batch,
        loaded: &Loaded,
        case: &Case,
        event: &Event,
    ) -> Result<(), Trouble> {
        let id = &loaded.row.case;
        let timer = |at: Timestamp| -> Result<NewWork, Trouble> {
            Ok(NewWork {
                queue: TIMER,
                key: format!("{}/{}", records::part(&id.0), records::sortable(at)),
                due_ms: at.0,
                body: records::write_json(id)?,
            })
        };
        match &event.kind {
            EventKind::Opened { expires_at, .. } => batch.work.push(timer(*expires_at)?),
            EventKind::WaitStarted {
                until, expires_at, ..
            } => {
                batch.work.push(timer(*until)?);
                batch.work.push(timer(*expires_at)?);
            }
            EventKind::Ready {
                runs_by_itself: true,
                ..
            } if case.state().is_live() => batch.work.push(timer(event.at)?),
            EventKind::NoticesDue { contacts, .. } => {
                for contact in contacts {
                    let letter = notices::Letter::Notice {
                        case: id.clone(),
                        contact: contact.clone(),
                    };
                    batch.work.push(NewWork {
                        queue: notices::MAIL,
                        key: format!(
                            "notice/{}/{}",
                            records::part(&id.0),
                            records::part(&contact.0)
                        ),
                        due_ms: event.at.0,
                        body: records::write_json(&letter)?,
                    });
                }
            }
            EventKind::Concluded {
                outcome: Outcome::Unknown,
            } => {
                if let Some(grant) = case.grant() {
                    let grant = crate::grants::grant_key(&grant.id);
                    let asking = delivery::Delivering {
                        case: id.clone(),
                        grant: grant.clone(),
                    };
                    batch.work.push(NewWork {
                        queue: delivery::ASK,
                        key: grant,
                        due_ms: event.at.0,
                        body: records::write_json(&asking)?,
                    });
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn new_row(
        &self,
        case: &CaseId,
        request: &OpenRequest,
        customer: &Customer,
        procedure: &Procedure,
        by: &Actor,
        now: Timestamp,
    ) -> CaseRow {
        let opener = match by {
            Actor::Staff(member) => Some(member),
            Actor::Customer | Actor::Gate => None,
        };
        let action = procedure
            .action_named(&request.action)
            .and_then(|id| procedure.actions.get(id.index()));
        CaseRow {
            case: case.clone(),
            pseudonym: self.pseudonym(),
            customer: customer.id.clone(),
            customer_name: customer.name.clone(),
            action: request.action.clone(),
            action_label: action
                .map(|action| action.label.clone())
                .unwrap_or_default(),
            sentence: String::new(),
            masked_sentence: String::new(),
            procedure: procedure.version.to_string(),
            state: State::None.word().to_owned(),
            opener: opener.map(|member| member.person.clone()),
            opener_name: opener.map(|member| member.name.clone()),
            opened_at: now,
            updated_at: now,
            expires_at: now,
            missing: Vec::new(),
            proved: false,
            return_to: request.return_to.clone(),
            link: None,
            version: 0,
            decided_by: Vec::new(),
            wants_sign_off: Vec::new(),
            takes_effect_at: None,
        }
    }

    fn row_after(&self, loaded: &Loaded, case: &Case, events: &[Event]) -> CaseRow {
        let mut row = loaded.row.clone();
        row.sentence = case
            .opened()
            .map(|opened| opened.sentence.clone())
            .unwrap_or_default();
        case.state().word().clone_into(&mut row.state);
        row.updated_at = events.last().map_or(row.updated_at, |event| event.at);
        row.expires_at = case.expires_at();
        row.proved = !case.proofs().is_empty();
        row.version = case.version();
        for event in events {
            if let EventKind::SignedOff { by, .. } | EventKind::Refused { by, .. } = &event.kind {
                row.decided_by.push(by.person.clone());
            }
        }
        row.masked_sentence = views::masked_sentence(loaded, case);
        row.takes_effect_at = views::takes_effect(case);
        (row.missing, row.wants_sign_off) = if case.state().is_live() {
            views::missing_words(loaded, case)
        } else {
            (Vec::new(), Vec::new())
        };
        row
    }

    fn check_return_to(&self, target: &str) -> Result<(), CaseError> {
        let allowed = self.settings().return_to.iter().any(|origin| {
            let origin = origin.trim_end_matches('/');
            // The origin must end where it ends: `https://panel.example.evil` does not begin with `https://panel.example/`.
            target
                .strip_prefix(origin)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?', '#']))
        });
        let plain = target.len() <= 2_000
            && target.bytes().all(|byte| byte.is_ascii_graphic())
            && !target.contains('\\');
        if allowed && plain {
            Ok(())
        } else {
            Err(CaseError::ReturnTo(target.chars().take(100).collect()))
        }
    }
}

fn allow(by: &MachineCaller, scope: Scope, word: &'static str) -> Result<(), CaseError> {
    if by.may(scope) {
        Ok(())
    } else {
        Err(CaseError::NotAllowed(word))
    }
}

fn push_run(runs: &mut Vec<Run>, action: &str, at: Timestamp) {
    runs.insert(
        0,
        Run {
            action: action.to_owned(),
            at,
        },
    );
    runs.retain(|run| at.seconds_since(run.at) <= RUNS_KEPT_SECONDS);
    runs.truncate(KEPT_MAX);
}

/// The row by its case, and in the list of open ones.
fn push_row(batch: &mut Batch, row: &CaseRow, revision: u64, open: bool) -> Result<(), Trouble> {
    let key = records::part(&row.case.0);
    batch
        .records
        .push(records::put(space::CASE, key.clone(), row, Some(revision))?);
    batch.records.push(if open {
        records::put(space::OPEN, key, row, None)?
    } else {
        records::remove(space::OPEN, key, None)
    });
    Ok(())
}

/// The lists that hold ids only.
fn index_row(
    batch: &mut Batch,
    row: &CaseRow,
    events: &[Event],
    state: State,
) -> Result<(), Trouble> {
    let case = records::part(&row.case.0);
    let opened = events
        .iter()
        .any(|event| matches!(event.kind, EventKind::Opened { .. }));
    if opened {
        let of_customer = format!(
            "{}/{}/{case}",
            records::part(&row.customer.0),
            records::sortable(row.opened_at)
        );
        batch
            .records
            .push(records::put(space::CASES_OF, of_customer, &row.case, None)?);
    }
    if let Some(person) = &row.opener {
        let key = format!("{}/{case}", records::part(&person.0));
        if state.is_final() {
            batch
                .records
                .push(records::remove(space::OPEN_BY, key, None));
        } else if opened {
            batch
                .records
                .push(records::put(space::OPEN_BY, key, &row.case, None)?);
        }
    }
    if state.is_final() && !events.is_empty() {
        batch.records.push(records::put(
            space::FINISHED,
            format!("{}/{case}", records::sortable(row.updated_at)),
            row,
            None,
        )?);
    }
    for event in events {
        if let EventKind::SignedOff { by, .. } | EventKind::Refused { by, .. } = &event.kind {
            let key = format!(
                "{}/{}/{case}",
                records::part(&by.person.0),
                records::sortable(event.at)
            );
            batch
                .records
                .push(records::put(space::DECIDED_BY, key, &row.case, None)?);
        }
    }
    Ok(())
}

/// `case.opened`, `case.proved` …
fn kind_of(event: &Event) -> Result<String, Trouble> {
    let value = records::to_value(event)?;
    let kind = value.get("kind").and_then(|kind| kind.as_str());
    kind.map(|kind| format!("case.{kind}"))
        .ok_or_else(|| Trouble::Damaged("an event without a kind".to_owned()))
}

fn from_value<T: serde::de::DeserializeOwned>(value: serde_json::Value) -> Result<T, Trouble> {
    serde_json::from_value(value).map_err(|error| Trouble::Damaged(error.to_string()))
}
