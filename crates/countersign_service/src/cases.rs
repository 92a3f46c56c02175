//! What people and programs ask of cases.
//!
//! Each function takes the witness of who may ask it and turns it into one
//! command; [`crate::decisions`] does the rest.

use std::collections::BTreeMap;

use countersign_cases::{
    Actor, Case, CaseId, Command, CustomerId, Digest, Event, Evidence, Mark, MarkSalt, Opening,
    Refusal, StaffMember, State, Stopper, Timestamp, decide, evolve,
};
use countersign_language::{Method, Procedure};
use countersign_store::Batch;
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};

use crate::{
    adapters::{
        dice,
        tokens::{self, Token, TokenHash, TokenKind},
    },
    decisions::{Also, Loaded, push_row},
    enrolment::awaits_customer,
    facts::Wanted,
    gate::Gate,
    idempotency::{Answer, InOneCommit, Reserved},
    records::{self, CaseRow, Customer, Held, Link, LinkNote, Seat, space},
    sessions::{CustomerSeat, MachineCaller, SignedInStaff, StopLink},
    settings::Scope,
    shell::{Entry, Tries, said_by},
    speech::Language,
    spoken,
    trouble::Trouble,
    views,
};

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
    /// What letters about it are written in, unless the customer's own record says it.
    #[serde(default)]
    pub language: Option<Language>,
    /// States that the customer is in, such as `signed_in`: each a proof `using panel` that the action asks for. Only for the
    /// company's own panel, whose word it is; made when the customer arrives by the link it sends them.
    #[serde(default)]
    pub shows: Vec<String>,
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
        /// It was made after the case was over, and opens its receipt.
        receipt: bool,
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
    /// The agent's two digits were not typed.
    #[error("type the two digits that the agent tells you")]
    NumberMissing,
    /// Two other digits.
    #[error("that is not the number")]
    WrongNumber {
        /// Tries left before nobody may try for a while.
        tries_left: u32,
    },
    /// Too many wrong numbers.
    #[error("too many wrong numbers")]
    NumberClosed {
        /// From when it may be tried again.
        until: Timestamp,
    },
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
            Self::NumberMissing => "number-missing",
            Self::WrongNumber { .. } => "wrong-number",
            Self::NumberClosed { .. } => "number-closed",
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

impl Gate {
    /// Opens a case as a member of staff.
    pub async fn open_case(
        &self,
        by: &SignedInStaff,
        request: &OpenRequest,
    ) -> Result<OpenedCase, CaseError> {
        if request.return_to.is_some() || !request.shows.is_empty() {
            return Err(CaseError::NotAllowed("panel"));
        }
        let member = by.member(&self.procedure(), &request.customer);
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
        if request.return_to.is_some() || !request.shows.is_empty() {
            return Err(CaseError::NotAllowed("panel"));
        }
        let robot = by.robot(&self.procedure());
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

    /// As [`Gate::open_case_for_panel`], and in the same commit the answer that is given again to whoever uses this key again.
    /// `None`: somebody used it meanwhile, and nothing was opened.
    pub fn open_case_for_panel_once<'a>(
        &'a self,
        by: &'a MachineCaller,
        request: &'a OpenRequest,
        key: &'a Reserved,
        answer: &'a (dyn Fn(&OpenedCase, &IssuedLink) -> Answer + Send + Sync),
    ) -> BoxFuture<'a, Result<Option<(OpenedCase, IssuedLink)>, CaseError>> {
        // Boxed, for the compiler cannot see through two closures that this may go to another thread.
        Box::pin(async move {
            allow(by, Scope::Panel, "panel")?;
            if let Some(target) = &request.return_to {
                self.check_return_to(target)?;
            }
            let token = Token::generate(TokenKind::Link, self.dice());
            let answer = |(opened, link): &(OpenedCase, Option<IssuedLink>)| {
                link.as_ref().map(|link| answer(opened, link))
            };
            let once = InOneCommit {
                key,
                answer: &answer,
            };
            let opened = self
                .open_once(Actor::Customer, request, Some(token), Some(once))
                .await;
            let (opened, link) = match opened {
                Ok(Some(opened)) => opened,
                Ok(None) => return Ok(None),
                // What it was refused for may be the very case that the same request has opened a moment ago.
                Err(CaseError::Refused(_)) if self.is_used(key).await? => return Ok(None),
                Err(error) => return Err(error),
            };
            let link = link.ok_or(CaseError::LinkGone)?;
            Ok(Some((opened, link)))
        })
    }

    pub(crate) async fn open(
        &self,
        by: Actor,
        request: &OpenRequest,
        token: Option<Token>,
    ) -> Result<(OpenedCase, Option<IssuedLink>), CaseError> {
        let opened = self.open_once(by, request, token, None).await?;
        // Without a key nobody can have used it.
        opened.ok_or(CaseError::Trouble(Trouble::Busy))
    }

    /// `None`: the key was used meanwhile, and nothing was opened.
    #[tracing::instrument(target = "trace", name = "decision", level = "info", skip_all)]
    async fn open_once(
        &self,
        by: Actor,
        request: &OpenRequest,
        token: Option<Token>,
        once: Option<InOneCommit<'_, (OpenedCase, Option<IssuedLink>)>>,
    ) -> Result<Option<(OpenedCase, Option<IssuedLink>)>, CaseError> {
        let mut tries = Tries::default();
        loop {
            let now = self.now();
            let procedure = self.procedure_for_new_cases().await?;
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
            let (facts, opener_runs) = self.facts(wanted, &customer, &desk, now).await?;
            let salt = MarkSalt::new(dice::random_bytes(self.dice()));
            let opening = Opening {
                // Whoever opens it and however: a case of nobody is a drill, and can never be granted.
                mark: match &customer.planted {
                    Some(plan) => Mark::of_drill(&salt, plan),
                    None => Mark::of_case(&salt),
                },
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
                row: CaseRow {
                    salt: Some(salt),
                    ..self.new_row(&case, request, &customer, &procedure, &by, now)
                },
                procedure,
                customer,
                desk,
                desk_revision,
                row_revision: 0,
                facts,
                opener_runs,
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
                .map(|token| {
                    let link = Link {
                        shows: request.shows.clone(),
                        ..Link::default_for(&row)
                    };
                    self.link(&mut also, &mut row, token, link, now)
                })
                .transpose()?;
            let loaded = Loaded { row, ..loaded };
            let (mut batch, case) = self.write_decision(&loaded, &decision.events, None, also)?;
            for name in &request.shows {
                // Asked now, so that the panel hears of it; made when the customer comes.
                let command = shown_by_panel(&loaded, &case, name)?;
                decide(&loaded.procedure, &case, command, &loaded.moment()).map(|_| ())?;
            }
            let opened = case
                .opened()
                .ok_or_else(|| Trouble::Damaged("a case that did not open".to_owned()))?;
            let answer = OpenedCase {
                case: opened.case.clone(),
                digest: opened.digest,
                sentence: opened.sentence.clone(),
                expires_at: case.expires_at(),
            };
            let answer = (answer, link);
            if let Some(once) = once
                && let Some(given) = (once.answer)(&answer)
            {
                batch.records.push(self.answered(once.key, &given)?);
            }
            if self.committed(batch, &mut tries).await? {
                tracing::info!(
                    case = answer.0.case.0,
                    action = request.action,
                    "case opened"
                );
                return Ok(Some(answer));
            }
            if let Some(once) = once
                && self.is_used(once.key).await?
            {
                return Ok(None);
            }
        }
    }

    /// Makes a new one-time link for the customer of a case. Only people with a staff role in the procedure may; older links
    /// stop counting. For a case that is over it leads to the receipt of this one case and to nothing else.
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
        let loaded = self.load_case(case).await?;
        let robot = by.robot(&loaded.procedure);
        let own = loaded.case.opened();
        if !own.is_some_and(|opened| opened.is_opener(&robot.person)) {
            // As for one that is not there: a robot may not read what others opened.
            return Err(CaseError::NotAllowed("opener"));
        }
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
            let purpose = link_purpose(&loaded).ok_or(CaseError::LinkGone)?;
            let mut also = Also::default();
            let mut row = loaded.row.clone();
            let link = match purpose {
                LinkPurpose::Case => Link::default_for(&row),
                LinkPurpose::Receipt => Link {
                    receipt: true,
                    ..Link::default_for(&row)
                },
            };
            let link = self.link(&mut also, &mut row, token.clone(), link, loaded.now)?;
            let mut batch = Batch {
                records: also.records,
                ..Batch::default()
            };
            let open = !loaded.case.state().is_final();
            push_row(&mut batch, &row, &loaded.row, loaded.row_revision, open)?;
            let entry = Entry::new(
                match purpose {
                    LinkPurpose::Case => "staff.link_issued",
                    LinkPurpose::Receipt => "staff.receipt_link_issued",
                },
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
        link: Link,
        now: Timestamp,
    ) -> Result<IssuedLink, Trouble> {
        let until = now.plus_seconds(self.settings().limits.link_seconds);
        if let Some(LinkNote { hash, .. }) = row.link.take() {
            also.records.push(records::remove(space::LINK, hash, None));
        }
        let hash = token.hash().to_string();
        let link = Link { until, ..link };
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
            Some(Link {
                case,
                until,
                receipt,
                ..
            }) if self.now() < until => LinkStanding::Usable {
                case,
                until,
                receipt,
            },
            _ => LinkStanding::Gone,
        })
    }

    /// Uses a link, once, by the customer's first POST: gives the seat's token for the cookie, and the seat.
    #[tracing::instrument(target = "trace", name = "decision", level = "info", skip_all)]
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
            let purpose = link_purpose(&loaded);
            // A second link of the same case opens a second seat; the case records the first use only.
            let (events, shown) = match decide(
                &loaded.procedure,
                &loaded.case,
                Command::UseLink,
                &loaded.moment(),
            ) {
                Ok(decision) => with_panels_word(&loaded, decision.events, &link.shows)?,
                Err(Refusal::LinkAlreadyUsed) => (Vec::new(), false),
                // Past its grant a link opens what is left to do there: setting the new value, or reading the receipt.
                Err(_) if purpose == Some(LinkPurpose::Case) || link.receipt => (Vec::new(), false),
                Err(refusal) => return Err(refusal.into()),
            };
            let limits = &self.settings().limits;
            let seat = Seat {
                case: link.case.clone(),
                customer: link.customer.clone(),
                proved: shown,
                receipt: link.receipt,
                until: now.plus_seconds(if shown {
                    limits.proved_seat_seconds
                } else {
                    limits.seat_seconds
                }),
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
            let (batch, _) = self.write_decision(&loaded, &events, None, also)?;
            if self.committed(batch, &mut tries).await? {
                let seat = CustomerSeat::seated(&seat, seat_token.hash());
                return Ok((seat_token, seat));
            }
        }
    }

    /// The opener, or a colleague of another role beside them, gives their word for a `confirms` line.
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
        self.speaks_for_the_proofs(seat).await?;
        self.grant(seat.case(), |_| Actor::Customer).await
    }

    /// The customer confirms the words they read; `digest` is the one the page showed, `number` the digits the agent
    /// told, where [`crate::SeatView::number_from`] asks for them.
    pub async fn confirm(
        &self,
        seat: &CustomerSeat,
        digest: Digest,
        number: Option<&str>,
    ) -> Result<Applied, CaseError> {
        self.speaks_for_the_proofs(seat).await?;
        self.number_matches(seat, digest, number).await?;
        self.apply(seat.case(), |_| Ok(Command::Confirm { digest }))
            .await
    }

    /// A case some of whose proofs were made is confirmed and run where one of them was made: nobody with a second link
    /// says yes to what somebody else proved.
    async fn speaks_for_the_proofs(&self, seat: &CustomerSeat) -> Result<(), CaseError> {
        if self.seat_has_proved(seat).await?
            || self.load_case(seat.case()).await?.case.proofs().is_empty()
        {
            Ok(())
        } else {
            Err(CaseError::NotAllowed("a proof on this page"))
        }
    }

    /// What everything about the case of this seat is bound to. It never changes.
    pub async fn digest_of(&self, seat: &CustomerSeat) -> Result<Digest, CaseError> {
        let begun = self.as_opened(seat).await?;
        begun.digest().ok_or(CaseError::Unknown)
    }

    /// The case of this seat as it was opened: what never changes about it, at the cost of one event.
    pub(crate) async fn as_opened(&self, seat: &CustomerSeat) -> Result<Case, CaseError> {
        let stream = records::case_stream(seat.customer(), seat.case());
        let stored = self.journal().read(&stream, 0).await;
        let stored = stored.map_err(Trouble::from)?;
        let opened = stored.first().ok_or(CaseError::Unknown)?;
        Ok(Case::replay(&[said_by(opened)?]))
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

    /// Whoever holds a customer's link stops it, even one that was used already: perhaps by somebody else, on another
    /// device. Stopping needs nothing.
    pub async fn stop_with_any_link(
        &self,
        token: &str,
        reason: Option<&str>,
    ) -> Result<Applied, CaseError> {
        let case = match self.link_standing(token).await? {
            LinkStanding::Usable { case, .. } | LinkStanding::Used { case } => case,
            LinkStanding::Gone => return Err(CaseError::LinkGone),
        };
        self.apply(&case, |_| {
            Ok(Command::Stop {
                by: Stopper::Customer,
                reason: reason.map(str::to_owned),
            })
        })
        .await
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
            language: request.language,
            spoken: spoken::number_for(by, self.dice()),
            salt: None,
        }
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

/// What a link of this case is for now; `None` where there is nothing left to open.
fn link_purpose(loaded: &Loaded) -> Option<LinkPurpose> {
    let state = loaded.case.state();
    if state.is_live() || awaits_customer(loaded) {
        Some(LinkPurpose::Case)
    } else if views::has_receipt(&loaded.case) {
        Some(LinkPurpose::Receipt)
    } else {
        None
    }
}

/// What a customer's link opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LinkPurpose {
    /// The case: to prove, confirm, set, stop.
    Case,
    /// The receipt of a case that is over.
    Receipt,
}

/// The command by which the panel's word counts: a proof `using panel`, of this case's digest.
fn shown_by_panel(loaded: &Loaded, case: &Case, name: &str) -> Result<Command, CaseError> {
    let not_asked = || Refusal::ProofNotAsked {
        proof: name.to_owned(),
    };
    let proof = loaded.procedure.proof_named(name).ok_or_else(not_asked)?;
    let method = loaded
        .procedure
        .proofs
        .get(proof.index())
        .and_then(|proof| proof.using);
    if method != Some(Method::Panel) {
        return Err(not_asked().into());
    }
    Ok(Command::Prove {
        proof,
        digest: case.digest().ok_or(CaseError::Unknown)?,
        evidence: Evidence::None,
    })
}

/// What using the panel's link leads to, and whether something is shown by it.
fn with_panels_word(
    loaded: &Loaded,
    mut events: Vec<Event>,
    shows: &[String],
) -> Result<(Vec<Event>, bool), CaseError> {
    let mut shown = false;
    for name in shows {
        let case = events.iter().fold(loaded.case.clone(), evolve);
        let command = shown_by_panel(loaded, &case, name)?;
        // What does not count any more is left out: the customer is here all the same.
        if let Ok(decision) = decide(&loaded.procedure, &case, command, &loaded.moment()) {
            events.extend(decision.events);
            shown = true;
        }
    }
    Ok((events, shown))
}

fn allow(by: &MachineCaller, scope: Scope, word: &'static str) -> Result<(), CaseError> {
    if by.may(scope) {
        Ok(())
    } else {
        Err(CaseError::NotAllowed(word))
    }
}
