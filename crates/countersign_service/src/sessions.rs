//! Who is asking: four witnesses, each made by one look-up and by nothing else.
//!
//! Their fields are private and they implement neither `Default` nor
//! `Deserialize`, so holding one *is* the proof that the look-up was made. No
//! function turns one into another: a staff session never becomes a
//! customer's seat.

use countersign_cases::{CaseId, ContactId, CustomerId, PersonId, StaffMember, Timestamp};
use countersign_language::{Procedure, RoleId};
use countersign_store::RecordWrite;

use crate::{
    adapters::tokens::{TokenHash, TokenKind},
    gate::Gate,
    records::{self, Account, Held, Seat, Session, Stop, space},
    settings::{ConsoleRole, MachineToken, Scope},
    trouble::Trouble,
};

/// How long an answer of a passkey counts as fresh.
const FRESH_SECONDS: u64 = 5 * 60;

/// A member of staff with a live session. Made only by [`Gate::staff_session`].
///
/// ```compile_fail,E0451
/// let forged = countersign_service::SignedInStaff { account: unreachable!(), session: unreachable!(), asserted_at: unreachable!(), asserted_by: unreachable!(), company_at: unreachable!() };
/// ```
#[derive(Debug, Clone)]
pub struct SignedInStaff {
    account: Account,
    session: TokenHash,
    asserted_at: Option<Timestamp>,
    asserted_by: Option<String>,
    company_at: Option<Timestamp>,
}

impl SignedInStaff {
    /// Id of the account.
    pub fn account(&self) -> &str {
        &self.account.account
    }

    /// The human being behind it.
    pub fn person(&self) -> &PersonId {
        &self.account.person
    }

    /// Name as colleagues read it.
    pub fn name(&self) -> &str {
        &self.account.name
    }

    /// Names of the procedure roles held.
    pub fn roles(&self) -> &[String] {
        &self.account.roles
    }

    /// Whether this console role is held.
    pub fn has(&self, role: ConsoleRole) -> bool {
        self.account.console.contains(&role)
    }

    /// How many passkeys the account has.
    pub fn passkeys(&self) -> usize {
        self.account.passkeys.len()
    }

    pub(crate) fn record(&self) -> &Account {
        &self.account
    }

    /// Whether one of the account's passkeys answered in this session a moment ago: what changes who can sign in needs that.
    /// Where there is no passkey yet, that the person signed in at the company a moment ago is what there is.
    pub fn is_fresh(&self, now: Timestamp) -> bool {
        let first = self.company_at.filter(|_| self.account.passkeys.is_empty());
        self.asserted_at
            .or(first)
            .is_some_and(|at| now.seconds_since(at) < FRESH_SECONDS)
    }

    /// Whether one of them answered a moment ago that is not this one: a passkey does not vouch for its own removal, for
    /// whoever has it would be removing the owner's others.
    pub fn is_fresh_without(&self, now: Timestamp, credential: &str) -> bool {
        self.is_fresh(now)
            && self
                .asserted_by
                .as_deref()
                .is_some_and(|answered| answered != credential)
    }

    /// Whether this account signs in at the company.
    pub fn is_of_company(&self) -> bool {
        self.account.company.is_some()
    }

    pub(crate) fn session(&self) -> &TokenHash {
        &self.session
    }

    /// As a case sees this person.
    pub(crate) fn member(&self, procedure: &Procedure, customer: &CustomerId) -> StaffMember {
        member(&self.account, procedure, customer)
    }
}

pub(crate) fn member(
    account: &Account,
    procedure: &Procedure,
    customer: &CustomerId,
) -> StaffMember {
    StaffMember {
        person: account.person.clone(),
        name: account.name.clone(),
        roles: role_ids(procedure, &account.roles),
        concerned: account.concerned.contains(customer),
        robot: false,
    }
}

fn role_ids(procedure: &Procedure, names: &[String]) -> Vec<RoleId> {
    names
        .iter()
        .filter_map(|name| procedure.role_named(name))
        .collect()
}

/// The customer of exactly one case, on their own page. Made only from a used link ([`Gate::use_link`]) or a live seat ([`Gate::seat`]).
///
/// ```compile_fail,E0451
/// let forged = countersign_service::CustomerSeat { case: unreachable!(), customer: unreachable!(), until: unreachable!(), seat: unreachable!() };
/// ```
#[derive(Debug, Clone)]
pub struct CustomerSeat {
    case: CaseId,
    customer: CustomerId,
    until: Timestamp,
    seat: TokenHash,
}

impl CustomerSeat {
    /// The one case this seat is for.
    pub fn case(&self) -> &CaseId {
        &self.case
    }

    /// Whose it is.
    pub fn customer(&self) -> &CustomerId {
        &self.customer
    }

    /// When it runs out.
    pub fn until(&self) -> Timestamp {
        self.until
    }

    pub(crate) fn key(&self) -> &TokenHash {
        &self.seat
    }

    pub(crate) fn seated(record: &Seat, seat: TokenHash) -> Self {
        Self {
            case: record.case.clone(),
            customer: record.customer.clone(),
            until: record.until,
            seat,
        }
    }
}

/// A program that may call. Made only by [`Gate::machine`].
#[derive(Debug, Clone)]
pub struct MachineCaller {
    token: MachineToken,
}

impl MachineCaller {
    /// Its name in the settings.
    pub fn name(&self) -> &str {
        &self.token.name
    }

    /// Whether it may do this.
    pub fn may(&self, scope: Scope) -> bool {
        self.token.scopes.contains(&scope)
    }

    /// As a case sees it: a robot that can open and withdraw, and never prove, sign or vouch.
    pub(crate) fn robot(&self, procedure: &Procedure) -> StaffMember {
        StaffMember {
            person: PersonId(format!("robot:{}", self.token.name)),
            name: self.token.name.clone(),
            roles: role_ids(procedure, &self.token.robot_roles),
            concerned: false,
            robot: true,
        }
    }
}

/// Whoever holds the stop link in a notice: may see what would happen, and stop it. Made only by [`Gate::stop_link`].
#[derive(Debug, Clone)]
pub struct StopLink {
    case: CaseId,
    contact: ContactId,
}

impl StopLink {
    /// The one case it can stop.
    pub fn case(&self) -> &CaseId {
        &self.case
    }

    pub(crate) fn contact(&self) -> &ContactId {
        &self.contact
    }
}

impl Gate {
    /// The staff session of this token, if it is live. Also moves the idle clock on, at most once a minute.
    pub async fn staff_session(&self, token: &str) -> Result<Option<SignedInStaff>, Trouble> {
        self.session_of(token, true).await
    }

    /// The same for an open page that follows what happens: nobody did anything, so the idle clock goes on.
    pub async fn staff_session_still(&self, token: &str) -> Result<Option<SignedInStaff>, Trouble> {
        self.session_of(token, false).await
    }

    async fn session_of(
        &self,
        token: &str,
        active: bool,
    ) -> Result<Option<SignedInStaff>, Trouble> {
        match TokenHash::of(TokenKind::Session, token) {
            Some(hash) => self.live_session(space::SESSION, hash, active).await,
            None => Ok(None),
        }
    }

    /// The session with this hash in its space, if its time is not over and its account still counts.
    pub(crate) async fn live_session(
        &self,
        space: &'static str,
        hash: TokenHash,
        active: bool,
    ) -> Result<Option<SignedInStaff>, Trouble> {
        let now = self.now();
        let Some(Held {
            value: session,
            revision,
        }) = self.load::<Session>(space, &hash.to_string()).await?
        else {
            return Ok(None);
        };
        let limits = &self.settings().limits;
        if now.seconds_since(session.seen_at) >= limits.session_idle_seconds
            || now.seconds_since(session.opened_at) >= limits.session_seconds
        {
            return Ok(None);
        }
        let Some(Held { value: account, .. }) = self
            .load::<Account>(space::ACCOUNT, &records::part(&session.account))
            .await?
        else {
            return Ok(None);
        };
        if !account.active || session.opened_at < account.sessions_from {
            return Ok(None);
        }
        let (asserted_at, asserted_by) = (session.asserted_at, session.asserted_by.clone());
        let company_at = session.company_at;
        if active && now.seconds_since(session.seen_at) >= 60 {
            let until = session.opened_at.plus_seconds(limits.session_seconds);
            let seen = Session {
                seen_at: now,
                ..session
            };
            // Losing this write only makes the session idle a little sooner.
            let write = records::put_until(space, hash.to_string(), &seen, Some(revision), until)?;
            let _ = self.write_records(vec![write]).await;
        }
        Ok(Some(SignedInStaff {
            account,
            session: hash,
            asserted_at,
            asserted_by,
            company_at,
        }))
    }

    /// The seat of this token, if it is live.
    pub async fn seat(&self, token: &str) -> Result<Option<CustomerSeat>, Trouble> {
        let Some(hash) = TokenHash::of(TokenKind::Session, token) else {
            return Ok(None);
        };
        let Some(Held { value: seat, .. }) =
            self.load::<Seat>(space::SEAT, &hash.to_string()).await?
        else {
            return Ok(None);
        };
        Ok((self.now() < seat.until).then(|| CustomerSeat::seated(&seat, hash)))
    }

    /// The seat that something was asked for from, if it is still live: for an answer that does not come with its cookie.
    pub(crate) async fn seat_asked_from(
        &self,
        key: TokenHash,
    ) -> Result<Option<CustomerSeat>, Trouble> {
        let held = self.load::<Seat>(space::SEAT, &key.to_string()).await?;
        Ok(held
            .filter(|held| self.now() < held.value.until)
            .map(|held| CustomerSeat::seated(&held.value, key)))
    }

    /// Whether something was proved on this very seat. A second link of one case opens a seat that has proved nothing.
    pub(crate) async fn seat_has_proved(&self, seat: &CustomerSeat) -> Result<bool, Trouble> {
        let held = self
            .load::<Seat>(space::SEAT, &seat.key().to_string())
            .await?;
        Ok(held.is_some_and(|held| held.value.proved))
    }

    /// Whether this seat may read its own case in full: something was proved on it, or it was opened for the receipt alone.
    pub(crate) async fn seat_reads_case(&self, seat: &CustomerSeat) -> Result<bool, Trouble> {
        let held = self
            .load::<Seat>(space::SEAT, &seat.key().to_string())
            .await?;
        Ok(held.is_some_and(|held| held.value.proved || held.value.receipt))
    }

    /// Marks a seat as proved on, together with the proof: it now stays for as long as there may be a receipt to fetch.
    pub(crate) fn proved_seat(
        &self,
        seat: &CustomerSeat,
        now: Timestamp,
    ) -> Result<RecordWrite, Trouble> {
        let until = now.plus_seconds(self.settings().limits.proved_seat_seconds);
        let record = Seat {
            case: seat.case.clone(),
            customer: seat.customer.clone(),
            until,
            proved: true,
            receipt: false,
        };
        records::put_until(space::SEAT, seat.key().to_string(), &record, None, until)
    }

    /// Ends a seat: the customer closes the page for good.
    pub async fn end_seat(&self, seat: CustomerSeat) -> Result<(), Trouble> {
        let write = records::remove(space::SEAT, seat.key().to_string(), None);
        Ok(self.write_records(vec![write]).await?)
    }

    /// The machine of this token, if there is one. Every known token is compared, in constant time.
    pub fn machine(&self, token: &str) -> Option<MachineCaller> {
        let hash = TokenHash::of(TokenKind::Machine, token)?;
        let mut found = None;
        for machine in &self.settings().machines {
            if machine.token == hash {
                found = Some(MachineCaller {
                    token: machine.clone(),
                });
            }
        }
        found
    }

    /// The stop link of this token, if there is one. Looking at it changes nothing.
    pub async fn stop_link(&self, token: &str) -> Result<Option<StopLink>, Trouble> {
        let Some(hash) = TokenHash::of(TokenKind::Stop, token) else {
            return Ok(None);
        };
        let record = self.load::<Stop>(space::STOP, &hash.to_string()).await?;
        Ok(record.map(
            |Held {
                 value: Stop { case, contact, .. },
                 ..
             }| StopLink { case, contact },
        ))
    }
}
