//! The panel beside a ticket: a small, framed desk with a session of its own.
//!
//! A framed page is never sent the desk's cookie, and must not be: whoever
//! frames it could then press its buttons. So the agent takes a *pass* from
//! the desk in a window of our own, types it into the panel, and the panel has
//! a session that is good for nothing else: its token has another form, is
//! kept elsewhere, and makes a [`PanelStaff`], which no function of the desk
//! takes. What can be done with one is [`PanelDesk`], and there is no more:
//! nothing there runs, signs, refuses, vouches or withdraws.

use countersign_cases::{CaseId, CustomerId, Timestamp};
use countersign_store::Batch;
use serde::{Deserialize, Serialize};

use crate::{
    adapters::{
        dice,
        tokens::{Token, TokenHash, TokenKind},
    },
    cases::{CaseError, IssuedLink, OpenRequest, OpenedCase},
    customers::CustomerError,
    gate::Gate,
    lists::{DeskFilter, DeskRow},
    lookups::CustomerView,
    records::{self, Account, Held, Session, space},
    sessions::SignedInStaff,
    shell::{Entry, Tries},
    staff::StaffError,
    trouble::Trouble,
    views::CaseView,
    work::CaseVersions,
};

/// How long a pass counts: long enough to copy it from one window into the other.
const PASS_SECONDS: u64 = 2 * 60;

/// Symbols of a pass, five bits each.
const PASS_SYMBOLS: usize = 10;

/// Crockford's base 32, so that it can be read off a screen.
const SYMBOLS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// A member of staff in the panel. Made only by [`Gate::panel_session`], and worth nothing at the desk:
///
/// ```compile_fail,E0308
/// # use countersign_service::{Gate, PanelStaff};
/// # use countersign_cases::CaseId;
/// async fn framed(gate: &Gate, agent: &PanelStaff, case: &CaseId) {
///     let _ = gate.run(agent, case).await;
/// }
/// ```
#[derive(Debug, Clone)]
pub struct PanelStaff {
    staff: SignedInStaff,
    form: String,
}

impl PanelStaff {
    /// Id of the account.
    pub fn account(&self) -> &str {
        self.staff.account()
    }

    /// Name as colleagues read it.
    pub fn name(&self) -> &str {
        self.staff.name()
    }

    /// Names of the procedure roles held.
    pub fn roles(&self) -> &[String] {
        self.staff.roles()
    }

    /// What every form of this session's pages carries: nobody who cannot read the page knows it.
    pub fn form_token(&self) -> &str {
        &self.form
    }

    /// Whether a form came from a page of this session, in constant time.
    pub fn made_form(&self, token: &str) -> bool {
        aws_lc_rs::constant_time::verify_slices_are_equal(token.as_bytes(), self.form.as_bytes())
            .is_ok()
    }
}

/// A pass into the panel: shown once, counts once.
#[derive(Clone)]
pub struct PanelPass {
    code: String,
    /// Until when it counts.
    pub until: Timestamp,
}

impl PanelPass {
    /// `7F3K9 QT2M4`
    pub fn shown(&self) -> String {
        let (first, second) = self
            .code
            .split_at_checked(PASS_SYMBOLS / 2)
            .unwrap_or((&self.code, ""));
        format!("{first} {second}")
    }
}

impl std::fmt::Debug for PanelPass {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PanelPass(…)")
    }
}

/// A pass as stored, under a keyed hash of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Pass {
    account: String,
    until: Timestamp,
}

/// All that can be asked from the panel.
#[derive(Debug, Clone, Copy)]
pub struct PanelDesk<'a> {
    gate: &'a Gate,
    by: &'a SignedInStaff,
}

impl Gate {
    /// A pass for the panel, from the desk. Only for people with a role in the procedure: the others have no cases there.
    pub async fn panel_pass(&self, by: &SignedInStaff) -> Result<PanelPass, StaffError> {
        if by.roles().is_empty() {
            return Err(StaffError::NotAllowed("staff"));
        }
        let code: String = dice::random_bytes::<PASS_SYMBOLS>(self.dice())
            .iter()
            .filter_map(|byte| SYMBOLS.get(usize::from(byte % 32)))
            .map(|symbol| char::from(*symbol))
            .collect();
        let until = self.now().plus_seconds(PASS_SECONDS);
        let pass = Pass {
            account: by.account().to_owned(),
            until,
        };
        let key = self.pass_key(&code);
        let write = records::put_until(space::PANEL_PASS, key, &pass, Some(0), until)?;
        self.write_records(vec![write])
            .await
            .map_err(Trouble::from)?;
        Ok(PanelPass { code, until })
    }

    /// Takes a pass, once: gives the token for the panel's cookie. The same answer for a wrong one, a used one and one
    /// that ran out.
    pub async fn enter_panel(&self, typed: &str) -> Result<Token, StaffError> {
        let code = pass_typed(typed).ok_or(StaffError::PassGone)?;
        let key = self.pass_key(&code);
        let Some(Held {
            value: pass,
            revision,
        }) = self.load::<Pass>(space::PANEL_PASS, &key).await?
        else {
            return Err(StaffError::PassGone);
        };
        let now = self.now();
        let account = self
            .load::<Account>(space::ACCOUNT, &records::part(&pass.account))
            .await?
            .map(|held| held.value);
        let active = account.is_some_and(|account| account.active);
        if now >= pass.until || !active {
            return Err(StaffError::PassGone);
        }
        let token = Token::generate(TokenKind::Panel, self.dice());
        let session = Session {
            account: pass.account.clone(),
            opened_at: now,
            seen_at: now,
            asserted_at: None,
            asserted_by: None,
            company_at: None,
        };
        let until = now.plus_seconds(self.settings().limits.session_seconds);
        let mut tries = Tries::default();
        loop {
            // The pass goes in the same commit as the session comes: whoever is second finds none.
            if self.load::<Pass>(space::PANEL_PASS, &key).await?.is_none() {
                return Err(StaffError::PassGone);
            }
            let mut batch = Batch::default();
            batch.records.push(records::remove(
                space::PANEL_PASS,
                key.clone(),
                Some(revision),
            ));
            batch.records.push(records::put_until(
                space::PANEL,
                token.hash().to_string(),
                &session,
                Some(0),
                until,
            )?);
            let entry = Entry::new(
                "staff.panel_opened",
                now,
                None,
                &serde_json::json!({ "account": pass.account }),
            )?;
            self.log(&mut batch, &records::account_stream(&pass.account), entry)
                .await?;
            if self.committed(batch, &mut tries).await? {
                return Ok(token);
            }
        }
    }

    /// The panel's session of this token, if it is live. `active` moves the idle clock on.
    pub async fn panel_session(
        &self,
        token: &str,
        active: bool,
    ) -> Result<Option<PanelStaff>, Trouble> {
        let Some(hash) = TokenHash::of(TokenKind::Panel, token) else {
            return Ok(None);
        };
        let form = self
            .code_key()
            .tag("panel-form", hash.to_string().as_bytes());
        Ok(self
            .live_session(space::PANEL, hash, active)
            .await?
            .map(|staff| PanelStaff {
                staff,
                form: countersign_cases::Digest(form).to_string(),
            }))
    }

    /// Ends the panel's session.
    pub async fn leave_panel(&self, by: &PanelStaff) -> Result<(), StaffError> {
        let key = by.staff.session().to_string();
        let write = records::remove(space::PANEL, key, None);
        self.write_records(vec![write])
            .await
            .map_err(Trouble::from)?;
        Ok(())
    }

    /// What somebody in the panel may ask.
    pub fn panel<'a>(&'a self, by: &'a PanelStaff) -> PanelDesk<'a> {
        PanelDesk {
            gate: self,
            by: &by.staff,
        }
    }

    fn pass_key(&self, code: &str) -> String {
        let tag = self.code_key().tag("panel-pass", code.as_bytes());
        countersign_cases::Digest(tag).to_string()
    }
}

impl PanelDesk<'_> {
    /// As [`Gate::find_customers`]: masked, counted and recorded.
    pub async fn find_customers(&self, query: &str) -> Result<Vec<CustomerView>, CustomerError> {
        self.gate.find_customers(self.by, query).await
    }

    /// As [`Gate::look_up_customer`]: masked, counted and recorded.
    pub async fn look_up_customer(&self, id: &CustomerId) -> Result<CustomerView, CustomerError> {
        self.gate.look_up_customer(self.by, id).await
    }

    /// The cases this person opened that are not finished, of all customers or of one.
    pub async fn my_cases(&self, of: Option<&CustomerId>) -> Result<Vec<DeskRow>, CaseError> {
        let mut rows = self.gate.desk(self.by, DeskFilter::Mine).await?;
        rows.retain(|row| of.is_none_or(|customer| row.customer == *customer));
        Ok(rows)
    }

    /// As [`Gate::open_case`].
    pub async fn open_case(&self, request: &OpenRequest) -> Result<OpenedCase, CaseError> {
        self.gate.open_case(self.by, request).await
    }

    /// As [`Gate::issue_link`].
    pub async fn issue_link(&self, case: &CaseId) -> Result<IssuedLink, CaseError> {
        self.gate.issue_link(self.by, case).await
    }

    /// As [`Gate::case_view`].
    pub async fn case(&self, case: &CaseId) -> Result<CaseView, CaseError> {
        self.gate.case_view(self.by, case).await
    }

    /// As [`Gate::case_versions`], for somebody who may see the case.
    pub async fn case_versions(&self, case: &CaseId) -> Result<CaseVersions, CaseError> {
        drop(self.case(case).await?);
        self.gate.case_versions(case).await
    }
}

/// What somebody typed or pasted: any case, with or without the space, `o` for zero, `i` and `l` for one.
fn pass_typed(typed: &str) -> Option<String> {
    let code: String = typed
        .chars()
        .take(64)
        .filter(|c| !c.is_whitespace() && *c != '-')
        .map(|c| match c.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        })
        .collect();
    (code.len() == PASS_SYMBOLS && code.bytes().all(|byte| SYMBOLS.contains(&byte))).then_some(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pass_is_read_as_people_type_it() {
        for typed in ["7F3K9 QT2M4", "7f3k9qt2m4", " 7F3K9-QT2M4 "] {
            assert_eq!(pass_typed(typed).as_deref(), Some("7F3K9QT2M4"), "{typed}");
        }
        assert_eq!(pass_typed("ooooo iiill").as_deref(), Some("0000011111"));
        for wrong in ["", "7F3K9", "7F3K9 QT2M4 7", "7F3K9 QT2MU", "7F3K9 QT2Mé"] {
            assert_eq!(pass_typed(wrong), None, "{wrong}");
        }
    }
}
