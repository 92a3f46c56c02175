//! Staff accounts, invitations, passkeys and sign-in.
//!
//! One signs in with a passkey, or at the company's identity provider
//! ([`crate::company_sign_in`]), and signs cases with a passkey alone. An
//! account begins with an invitation link, which registers the first one. Console roles manage
//! accounts and give no power over a case.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use countersign_cases::{CustomerId, Timestamp};
use countersign_language::Procedure;
use countersign_store::{Batch, Journal};
use serde::Serialize;
use serde_json::Value;

use crate::{
    adapters::{
        dice,
        tokens::{Token, TokenHash, TokenKind},
        webauthn::{self, Passkey},
    },
    gate::Gate,
    records::{self, Account, Held, Invitation, Owner, Registered, space},
    sessions::SignedInStaff,
    settings::{ConsoleRole, NewAccount},
    shell::{Entry, Tries},
    sign_in::{Ceremony, Purpose},
    trouble::Trouble,
};

/// Most accounts that are looked at from outside.
const ON_FILE_MAX: usize = 100_000;

/// Most passkeys of one account or customer.
pub(crate) const PASSKEYS_MAX: usize = 20;

/// Longest name of a passkey, in characters.
const NAME_CHARS_MAX: usize = 60;

/// Whoever runs the program: may make accounts and invitations without signing in, because they own the host anyway.
///
/// The commands of the program make one; no request ever does.
#[derive(Debug)]
pub struct Operator(());

impl Operator {
    /// For the program's own commands.
    pub fn at_the_console() -> Self {
        Self(())
    }
}

/// An invitation to register the first passkey of an account.
#[derive(Debug, Clone)]
pub struct IssuedInvitation {
    /// The account.
    pub account: String,
    /// The token; the path is `/invitation/{token}`.
    pub token: Token,
    /// When it runs out.
    pub until: Timestamp,
}

/// What an invitation shows before it is used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InvitationView {
    /// The account.
    pub account: String,
    /// Whose it is.
    pub name: String,
    /// Names of the procedure roles the account has.
    pub roles: Vec<String>,
    /// When it runs out.
    pub until: Timestamp,
}

/// A passkey as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PasskeyView {
    /// Credential id, base64url.
    pub credential: String,
    /// Its name.
    pub name: String,
    /// When it was registered.
    pub added_at: Timestamp,
    /// When it was last used.
    pub last_used: Option<Timestamp>,
    /// True if it can be copied to other devices of its owner.
    pub synced: bool,
}

/// An account as admins see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AccountView {
    /// Its id.
    pub account: String,
    /// The human being behind it.
    pub person: String,
    /// Name.
    pub name: String,
    /// Email.
    pub email: String,
    /// Roles in the procedure.
    pub roles: Vec<String>,
    /// Roles in the console.
    pub console: Vec<ConsoleRole>,
    /// Customers this person is, or is tied to.
    pub concerned: Vec<CustomerId>,
    /// False if it was switched off.
    pub active: bool,
    /// How many passkeys it has.
    pub passkeys: usize,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Why something about staff was not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StaffError {
    /// The account lacks the console role.
    #[error("this needs `{0}`")]
    NotAllowed(&'static str),
    /// There is no such account.
    #[error("there is no such account")]
    UnknownAccount,
    /// There is one already.
    #[error("there is an account `{0}` already")]
    Exists(String),
    /// A field cannot be taken.
    #[error("`{field}` {why}")]
    Field {
        /// Which.
        field: &'static str,
        /// Why.
        why: &'static str,
    },
    /// The invitation was used, ran out, or never was.
    #[error("this invitation cannot be used")]
    InvitationGone,
    /// The prompt was answered before, ran out, or never was.
    #[error("this passkey prompt is over; start again")]
    CeremonyGone,
    /// The answer was not accepted. Deliberately says nothing more: not which account, not why.
    #[error("the passkey was not accepted")]
    NotAccepted,
    /// The code for the panel was used, ran out, or never was.
    #[error("this code cannot be used")]
    PassGone,
    /// The last passkey of an account cannot be removed.
    #[error("the last passkey cannot be removed")]
    LastPasskey,
    /// The account has no such passkey, or has too many.
    #[error("there is no such passkey")]
    UnknownPasskey,
    /// No passkey of the account answered in this session a moment ago.
    #[error("show first, with a passkey you have, that it is you")]
    StepUp,
    /// Staff sign in nowhere but here.
    #[error("there is no company sign-in")]
    NoCompanySignIn,
    /// This account signs in at the company.
    #[error("this account signs in at the company; its passkey signs cases")]
    SignInAtCompany,
    /// The sign-in took too long, was used already, was cancelled, or never began here.
    #[error("this sign-in is over; start again")]
    SignInOver,
    /// What the provider answered is not believed.
    #[error("the answer of the sign-in was not accepted")]
    SignInNotAccepted,
    /// The provider does not answer.
    #[error("the company sign-in does not answer right now")]
    CompanyUnavailable,
    /// Whoever signed in has no account here, or no role. Deliberately says nothing more.
    #[error("you have no account here; ask an administrator")]
    NoAccountHere,
    /// Another account is this person already.
    #[error("this subject belongs to another account already")]
    SubjectTaken,
    /// Most passkeys reached.
    #[error("no more than 20 passkeys")]
    TooManyPasskeys,
    /// The store.
    #[error(transparent)]
    Trouble(#[from] Trouble),
}

impl StaffError {
    /// Stable word.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotAllowed(_) => "not-allowed",
            Self::UnknownAccount => "unknown-account",
            Self::Exists(_) => "account-exists",
            Self::Field { .. } => "bad-field",
            Self::InvitationGone => "invitation-gone",
            Self::CeremonyGone => "ceremony-gone",
            Self::NotAccepted => "passkey-not-accepted",
            Self::PassGone => "pass-gone",
            Self::LastPasskey => "last-passkey",
            Self::UnknownPasskey => "unknown-passkey",
            Self::StepUp => "step-up",
            Self::NoCompanySignIn => "no-company-sign-in",
            Self::SignInAtCompany => "sign-in-at-company",
            Self::SignInOver => "login-over",
            Self::SignInNotAccepted => "login-not-accepted",
            Self::CompanyUnavailable => "company-unavailable",
            Self::NoAccountHere => "no-account-here",
            Self::SubjectTaken => "subject-taken",
            Self::TooManyPasskeys => "too-many-passkeys",
            Self::Trouble(trouble) => trouble.code(),
        }
    }
}

impl Gate {
    /// Makes an account and an invitation for it.
    pub async fn invite(
        &self,
        by: &SignedInStaff,
        new: &NewAccount,
    ) -> Result<IssuedInvitation, StaffError> {
        admin(by)?;
        check_account(&self.procedure(), new)?;
        self.make_account(by.account(), new).await?;
        self.make_invitation(by.account(), &new.account).await
    }

    /// A new invitation for an account that lost its passkeys: they all stop counting.
    pub async fn invite_again(
        &self,
        by: &SignedInStaff,
        account: &str,
    ) -> Result<IssuedInvitation, StaffError> {
        admin(by)?;
        self.change_account(
            by.account(),
            account,
            "staff.passkeys_dropped",
            |record, now| {
                record.passkeys.clear();
                record.sessions_from = now;
                Ok(())
            },
        )
        .await?;
        self.make_invitation(by.account(), account).await
    }

    /// An invitation for an existing account, by whoever runs the program.
    pub async fn invite_from_console(
        &self,
        _by: &Operator,
        account: &str,
    ) -> Result<IssuedInvitation, StaffError> {
        self.make_invitation("console", account).await
    }

    /// Changes roles, ties and activity of an account; its sessions end.
    pub async fn update_account(
        &self,
        by: &SignedInStaff,
        new: &NewAccount,
        active: bool,
    ) -> Result<(), StaffError> {
        admin(by)?;
        check_account(&self.procedure(), new)?;
        self.change_account(
            by.account(),
            &new.account,
            "staff.account_changed",
            |record, now| {
                let company = self.identity(new.subject.as_ref());
                let fresh = Account::new(new, record.handle.clone(), record.created_at);
                let passkeys = std::mem::take(&mut record.passkeys);
                *record = Account {
                    passkeys,
                    active,
                    company: company.or_else(|| record.company.clone()),
                    sessions_from: now,
                    ..fresh
                };
                Ok(())
            },
        )
        .await
    }

    /// All accounts.
    pub async fn accounts(&self, by: &SignedInStaff) -> Result<Vec<AccountView>, StaffError> {
        admin(by)?;
        let accounts = self
            .list::<Account>(space::ACCOUNT, records::beginning_with("", false), 1_000)
            .await?;
        Ok(accounts.into_iter().map(account_view).collect())
    }

    /// Names of people who hold a role of the procedure, or one that includes it, and can sign in: for "on shift" and for staffing checks.
    pub async fn people_with_role(
        &self,
        _by: &SignedInStaff,
        role: &str,
    ) -> Result<Vec<String>, StaffError> {
        let procedure = self.procedure();
        let Some(wanted) = procedure.role_named(role) else {
            return Ok(Vec::new());
        };
        let accounts = self
            .list::<Account>(space::ACCOUNT, records::beginning_with("", false), 1_000)
            .await?;
        let mut people: Vec<(String, String)> = accounts
            .into_iter()
            .filter(|account| account.active && !account.passkeys.is_empty())
            .filter(|account| {
                account
                    .roles
                    .iter()
                    .filter_map(|name| procedure.role_named(name))
                    .any(|has| procedure.role_covers(has, wanted))
            })
            .map(|account| (account.person.0, account.name))
            .collect();
        people.sort();
        people.dedup_by(|left, right| left.0 == right.0);
        Ok(people.into_iter().map(|(_, name)| name).collect())
    }

    /// What an invitation shows. Looking changes nothing.
    pub async fn invitation(&self, token: &str) -> Result<InvitationView, StaffError> {
        let (invitation, account, _) = self.load_invitation(token).await?;
        Ok(InvitationView {
            account: account.account,
            name: account.name,
            roles: account.roles,
            until: invitation.until,
        })
    }

    /// Begins to register the first passkey.
    pub async fn start_registration(&self, invitation: &str) -> Result<Ceremony, StaffError> {
        let (_, account, _) = self.load_invitation(invitation).await?;
        self.start_creation(
            &account,
            Purpose::FirstPasskey {
                account: account.account.clone(),
            },
        )
        .await
    }

    /// Registers the first passkey, uses the invitation up, and signs in.
    pub async fn finish_registration(
        &self,
        invitation: &str,
        ceremony: &str,
        response: &Value,
        name: &str,
    ) -> Result<Token, StaffError> {
        let hash =
            TokenHash::of(TokenKind::Invitation, invitation).ok_or(StaffError::InvitationGone)?;
        let (_, account, revision) = self.load_invitation(invitation).await?;
        let purpose = Purpose::FirstPasskey {
            account: account.account.clone(),
        };
        let passkey = self
            .finish_creation(ceremony, &purpose, &handle(&account)?, response)
            .await?;
        let used = records::remove(space::INVITATION, hash.to_string(), Some(revision));
        self.add_passkey(&account.account, passkey, name, vec![used])
            .await?;
        self.open_session(&account.account, None, None).await
    }

    /// The reader's own passkeys.
    pub fn my_passkeys(&self, by: &SignedInStaff) -> Vec<PasskeyView> {
        by.record().passkeys.iter().map(Registered::view).collect()
    }

    /// Begins to register one more passkey. A session alone is not enough: one that was stolen would make itself a key.
    pub async fn start_passkey(&self, by: &SignedInStaff) -> Result<Ceremony, StaffError> {
        self.fresh(by)?;
        self.start_creation(
            by.record(),
            Purpose::AnotherPasskey {
                account: by.account().to_owned(),
            },
        )
        .await
    }

    /// Registers one more passkey.
    pub async fn finish_passkey(
        &self,
        by: &SignedInStaff,
        ceremony: &str,
        response: &Value,
        name: &str,
    ) -> Result<(), StaffError> {
        self.fresh(by)?;
        let purpose = Purpose::AnotherPasskey {
            account: by.account().to_owned(),
        };
        let passkey = self
            .finish_creation(ceremony, &purpose, &handle(by.record())?, response)
            .await?;
        self.add_passkey(by.account(), passkey, name, Vec::new())
            .await
    }

    fn fresh(&self, by: &SignedInStaff) -> Result<(), StaffError> {
        if by.is_fresh(self.now()) {
            Ok(())
        } else {
            Err(StaffError::StepUp)
        }
    }

    /// Removes a passkey; not the last one, and only after a fresh answer of another: a stolen session is not enough, nor a
    /// stolen passkey.
    pub async fn remove_passkey(
        &self,
        by: &SignedInStaff,
        credential: &str,
    ) -> Result<(), StaffError> {
        let wanted = URL_SAFE_NO_PAD
            .decode(credential)
            .map_err(|_| StaffError::UnknownPasskey)?;
        if by.passkeys() > 1 && !by.is_fresh_without(self.now(), credential) {
            return Err(StaffError::StepUp);
        }
        let mut tries = Tries::default();
        loop {
            let Held {
                value: mut account,
                revision,
            } = self.load_account(by.account()).await?;
            if !account
                .passkeys
                .iter()
                .any(|registered| registered.key.credential == wanted)
            {
                return Err(StaffError::UnknownPasskey);
            }
            if account.passkeys.len() == 1 {
                return Err(StaffError::LastPasskey);
            }
            account
                .passkeys
                .retain(|registered| registered.key.credential != wanted);
            let mut batch = Batch::default();
            batch
                .records
                .push(records::remove(space::CREDENTIAL, credential, None));
            if self
                .write_account(
                    batch,
                    &account,
                    revision,
                    by.account(),
                    "staff.passkey_removed",
                    &mut tries,
                )
                .await?
            {
                return Ok(());
            }
        }
    }

    /// Gives a passkey another name, 1 to 60 characters.
    pub async fn rename_passkey(
        &self,
        by: &SignedInStaff,
        credential: &str,
        name: &str,
    ) -> Result<(), StaffError> {
        let wanted = URL_SAFE_NO_PAD
            .decode(credential)
            .map_err(|_| StaffError::UnknownPasskey)?;
        if !(1..=60).contains(&name.chars().count()) || name.chars().any(char::is_control) {
            return Err(StaffError::Field {
                field: "name",
                why: "has 1 to 60 characters",
            });
        }
        self.change_account(
            by.account(),
            by.account(),
            "staff.passkey_renamed",
            |record, _| {
                let registered = record
                    .passkeys
                    .iter_mut()
                    .find(|registered| registered.key.credential == wanted)
                    .ok_or(StaffError::UnknownPasskey)?;
                name.clone_into(&mut registered.name);
                Ok(())
            },
        )
        .await
    }

    /// Accounts of the settings that do not exist yet.
    ///
    /// `ours` is the settings' own procedure, which may still wait for its signature and know roles that the one in force does not: they count from then on.
    pub(crate) async fn seed_staff(&self, ours: &Procedure) -> Result<(), Trouble> {
        for new in &self.settings().staff {
            let made = match check_account(ours, new) {
                // Whose subject it is, is settled once every account is there.
                Ok(()) => {
                    let unlinked = NewAccount {
                        subject: None,
                        ..new.clone()
                    };
                    self.make_account("settings", &unlinked).await
                }
                Err(error) => Err(error),
            };
            match made {
                Ok(()) | Err(StaffError::Exists(_)) => {}
                Err(StaffError::Trouble(trouble)) => return Err(trouble),
                Err(error) => {
                    return Err(Trouble::Damaged(format!(
                        "account `{}`: {error}",
                        new.account
                    )));
                }
            }
        }
        Ok(())
    }

    pub(crate) async fn make_account(&self, by: &str, new: &NewAccount) -> Result<(), StaffError> {
        let mut tries = Tries::default();
        loop {
            if self
                .load::<Account>(space::ACCOUNT, &records::part(&new.account))
                .await?
                .is_some()
            {
                return Err(StaffError::Exists(new.account.clone()));
            }
            let handle = URL_SAFE_NO_PAD.encode(dice::random_bytes::<32>(self.dice()));
            let account = Account {
                company: self.identity(new.subject.as_ref()),
                ..Account::new(new, handle, self.now())
            };
            let mut batch = Batch::default();
            self.move_identity(&mut batch, &new.account, None, account.company.as_ref())
                .await?;
            if self
                .write_account(batch, &account, 0, by, "staff.account_made", &mut tries)
                .await?
            {
                return Ok(());
            }
        }
    }

    async fn make_invitation(
        &self,
        by: &str,
        account: &str,
    ) -> Result<IssuedInvitation, StaffError> {
        self.load_account(account).await?;
        let token = Token::generate(TokenKind::Invitation, self.dice());
        let mut tries = Tries::default();
        loop {
            let now = self.now();
            let until = now.plus_seconds(self.settings().limits.invitation_seconds);
            let mut batch = Batch::default();
            let invitation = Invitation {
                account: account.to_owned(),
                until,
            };
            batch.records.push(records::put_until(
                space::INVITATION,
                token.hash().to_string(),
                &invitation,
                Some(0),
                until,
            )?);
            let entry = Entry::new(
                "staff.invited",
                now,
                None,
                &serde_json::json!({ "by": by, "account": account }),
            )?;
            self.log(&mut batch, &records::account_stream(account), entry)
                .await?;
            if self.committed(batch, &mut tries).await? {
                return Ok(IssuedInvitation {
                    account: account.to_owned(),
                    token,
                    until,
                });
            }
        }
    }

    async fn load_invitation(&self, token: &str) -> Result<(Invitation, Account, u64), StaffError> {
        let hash = TokenHash::of(TokenKind::Invitation, token).ok_or(StaffError::InvitationGone)?;
        let held = self
            .load::<Invitation>(space::INVITATION, &hash.to_string())
            .await?
            .ok_or(StaffError::InvitationGone)?;
        if self.now() >= held.value.until {
            return Err(StaffError::InvitationGone);
        }
        let account = self.load_account(&held.value.account).await?.value;
        if !account.active {
            return Err(StaffError::InvitationGone);
        }
        Ok((held.value, account, held.revision))
    }

    async fn load_account(&self, account: &str) -> Result<Held<Account>, StaffError> {
        self.load::<Account>(space::ACCOUNT, &records::part(account))
            .await?
            .ok_or(StaffError::UnknownAccount)
    }

    pub(crate) async fn change_account(
        &self,
        by: &str,
        account: &str,
        what: &'static str,
        change: impl Fn(&mut Account, Timestamp) -> Result<(), StaffError>,
    ) -> Result<(), StaffError> {
        let mut tries = Tries::default();
        loop {
            let Held {
                value: mut record,
                revision,
            } = self.load_account(account).await?;
            let before = record.passkeys.clone();
            let was = record.company.clone();
            change(&mut record, self.now())?;
            let mut batch = Batch::default();
            self.move_identity(&mut batch, account, was.as_ref(), record.company.as_ref())
                .await?;
            for gone in before.iter().filter(|old| {
                !record
                    .passkeys
                    .iter()
                    .any(|new| new.key.credential == old.key.credential)
            }) {
                batch.records.push(records::remove(
                    space::CREDENTIAL,
                    URL_SAFE_NO_PAD.encode(&gone.key.credential),
                    None,
                ));
            }
            if self
                .write_account(batch, &record, revision, by, what, &mut tries)
                .await?
            {
                return Ok(());
            }
        }
    }

    async fn write_account(
        &self,
        mut batch: Batch,
        account: &Account,
        revision: u64,
        by: &str,
        what: &'static str,
        tries: &mut Tries,
    ) -> Result<bool, Trouble> {
        batch.records.push(records::put(
            space::ACCOUNT,
            records::part(&account.account),
            account,
            Some(revision),
        )?);
        let data = serde_json::json!({ "by": by, "account": account.account, "person": account.person, "roles": account.roles, "console": account.console, "active": account.active, "passkeys": account.passkeys.len() });
        let entry = Entry::new(what, self.now(), None, &data)?;
        self.log(
            &mut batch,
            &records::account_stream(&account.account),
            entry,
        )
        .await?;
        self.committed(batch, tries).await
    }

    async fn add_passkey(
        &self,
        account: &str,
        passkey: Passkey,
        name: &str,
        also: Vec<countersign_store::RecordWrite>,
    ) -> Result<(), StaffError> {
        let mut tries = Tries::default();
        loop {
            let Held {
                value: mut record,
                revision,
            } = self.load_account(account).await?;
            if record.passkeys.len() >= PASSKEYS_MAX {
                return Err(StaffError::TooManyPasskeys);
            }
            let mut batch = Batch {
                records: also.clone(),
                ..Batch::default()
            };
            // A credential belongs to one owner, for ever: the write fails if anybody has it.
            batch.records.push(records::put(
                space::CREDENTIAL,
                URL_SAFE_NO_PAD.encode(&passkey.credential),
                &Owner::Staff(account.to_owned()),
                Some(0),
            )?);
            record
                .passkeys
                .push(Registered::new(passkey.clone(), name, self.now()));
            if self
                .write_account(
                    batch,
                    &record,
                    revision,
                    account,
                    "staff.passkey_added",
                    &mut tries,
                )
                .await?
            {
                return Ok(());
            }
        }
    }
}

pub(crate) fn check_account(procedure: &Procedure, new: &NewAccount) -> Result<(), StaffError> {
    let plain = |text: &str| {
        !text.trim().is_empty()
            && text.chars().count() <= 200
            && !text.chars().any(char::is_control)
    };
    for (field, value) in [
        ("account", &new.account),
        ("person", &new.person),
        ("name", &new.name),
    ] {
        if !plain(value) {
            return Err(StaffError::Field {
                field,
                why: "is empty, too long, or has control characters",
            });
        }
    }
    if new.person.starts_with("robot:") {
        return Err(StaffError::Field {
            field: "person",
            why: "names a program",
        });
    }
    if !new.email.contains('@') || !plain(&new.email) {
        return Err(StaffError::Field {
            field: "email",
            why: "is not an address",
        });
    }
    if new
        .roles
        .iter()
        .any(|role| procedure.role_named(role).is_none())
    {
        return Err(StaffError::Field {
            field: "roles",
            why: "names a role the procedure does not know",
        });
    }
    Ok(())
}

fn admin(by: &SignedInStaff) -> Result<(), StaffError> {
    if by.has(ConsoleRole::Admin) {
        Ok(())
    } else {
        Err(StaffError::NotAllowed("admin"))
    }
}

pub(crate) fn handle(account: &Account) -> Result<Vec<u8>, Trouble> {
    URL_SAFE_NO_PAD
        .decode(&account.handle)
        .map_err(|error| Trouble::Damaged(error.to_string()))
}

pub(crate) fn not_accepted(error: webauthn::WebauthnError) -> StaffError {
    tracing::info!(%error, "passkey not accepted");
    StaffError::NotAccepted
}

fn account_view(account: Account) -> AccountView {
    AccountView {
        passkeys: account.passkeys.len(),
        account: account.account,
        person: account.person.0,
        name: account.name,
        email: account.email,
        roles: account.roles,
        console: account.console,
        concerned: account.concerned,
        active: account.active,
        created_at: account.created_at,
    }
}

/// A member of staff as stored, for whoever looks at an installation from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnFile {
    /// The human being.
    pub person: String,
    /// Names of roles in the procedure.
    pub roles: Vec<String>,
    /// Has a passkey, and can sign.
    pub has_passkey: bool,
}

/// Everybody whose account is active.
pub async fn staff_on_file(journal: &dyn Journal) -> Result<Vec<OnFile>, Trouble> {
    let range = records::beginning_with("", false);
    let found = journal.scan(space::ACCOUNT, range, ON_FILE_MAX).await?;
    let mut staff = Vec::with_capacity(found.len());
    for record in &found {
        let account: Account = records::read_json(&record.value)?;
        if account.active {
            staff.push(OnFile {
                person: account.person.0,
                roles: account.roles,
                has_passkey: !account.passkeys.is_empty(),
            });
        }
    }
    Ok(staff)
}

impl Registered {
    pub(crate) fn new(key: Passkey, name: &str, at: Timestamp) -> Self {
        let name: String = name
            .chars()
            .filter(|one| !one.is_control())
            .take(NAME_CHARS_MAX)
            .collect();
        let name = if name.trim().is_empty() {
            "Passkey".to_owned()
        } else {
            name.trim().to_owned()
        };
        Self {
            key,
            name,
            added_at: at,
            last_used: None,
        }
    }

    pub(crate) fn used(&mut self, verified: &webauthn::VerifiedAssertion, at: Timestamp) {
        self.key.counter = verified.new_counter;
        self.key.backed_up = verified.backed_up;
        self.last_used = Some(at);
    }

    pub(crate) fn view(&self) -> PasskeyView {
        PasskeyView {
            credential: URL_SAFE_NO_PAD.encode(&self.key.credential),
            name: self.name.clone(),
            added_at: self.added_at,
            last_used: self.last_used,
            synced: self.key.backup_eligible,
        }
    }
}
