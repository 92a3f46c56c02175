//! Passkey prompts, signing in with the answer to one, and sessions.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use countersign_cases::{CaseId, CustomerId, Timestamp};
use countersign_store::Batch;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    adapters::{
        dice,
        tokens::{Token, TokenKind},
        webauthn::{self, Passkey},
    },
    gate::Gate,
    records::{self, Account, Held, Owner, Session, space},
    sessions::SignedInStaff,
    shell::{Entry, Tries},
    staff::{StaffError, handle, not_accepted},
    trouble::Trouble,
};

/// How long an answer to a passkey prompt counts, in seconds.
const CEREMONY_SECONDS: u64 = 5 * 60;

/// A passkey prompt under way: the options go to the browser, the id comes back with its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ceremony {
    /// Names this prompt; counts once.
    pub ceremony: String,
    /// For `parseCreationOptionsFromJSON` or `parseRequestOptionsFromJSON`.
    pub options: Value,
}

/// A prompt as remembered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Prompt {
    pub(crate) purpose: Purpose,
    /// base64url
    pub(crate) challenge: String,
}

/// What a prompt is for; an answer to one never counts for another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Purpose {
    SignIn,
    FirstPasskey {
        account: String,
    },
    AnotherPasskey {
        account: String,
    },
    StepUp {
        account: String,
    },
    CustomerPasskey {
        customer: CustomerId,
        holding: String,
    },
    Enrolment {
        case: CaseId,
        grant: String,
    },
}

impl Gate {
    /// Begins to sign in: any passkey of this site may answer.
    pub async fn start_sign_in(&self) -> Result<Ceremony, StaffError> {
        let challenge = dice::random_bytes::<32>(self.dice());
        let ceremony = self.remember_prompt(Purpose::SignIn, &challenge).await?;
        Ok(Ceremony {
            ceremony,
            options: self.relying_party().request_options(&challenge, &[]),
        })
    }

    /// Signs in: gives the session's token for the cookie.
    pub async fn finish_sign_in(
        &self,
        ceremony: &str,
        response: &Value,
    ) -> Result<Token, StaffError> {
        let challenge = self.take_prompt(ceremony, &Purpose::SignIn).await?;
        let credential = webauthn::claimed_credential(response).map_err(not_accepted)?;
        let owner = self
            .load::<Owner>(space::CREDENTIAL, &URL_SAFE_NO_PAD.encode(&credential))
            .await?
            .map(|held| held.value);
        let Some(Owner::Staff(account)) = owner else {
            return Err(StaffError::NotAccepted);
        };
        // The company decides who still works there; a passkey would outlive it.
        let elsewhere = self.signs_in_at_company(&account).await?;
        let what = if elsewhere {
            "staff.sign_in_refused"
        } else {
            "staff.signed_in"
        };
        self.assertion_of(&account, what, &credential, &challenge, response)
            .await?;
        if elsewhere {
            return Err(StaffError::SignInAtCompany);
        }
        self.open_session(&account, Some((self.now(), &credential)), None)
            .await
    }

    /// Begins to show again, within a session, that its person is there: one of the account's own passkeys answers.
    ///
    /// `except` is a passkey that is not asked (credential id, base64url): the one that is to be removed.
    pub async fn start_step_up(
        &self,
        by: &SignedInStaff,
        except: Option<&str>,
    ) -> Result<Ceremony, StaffError> {
        let challenge = dice::random_bytes::<32>(self.dice());
        let purpose = Purpose::StepUp {
            account: by.account().to_owned(),
        };
        let ceremony = self.remember_prompt(purpose, &challenge).await?;
        let mut keys = by.record().keys();
        keys.retain(|key| Some(&*URL_SAFE_NO_PAD.encode(&key.credential)) != except);
        if keys.is_empty() {
            // An empty list would ask for any passkey of this site.
            return Err(StaffError::LastPasskey);
        }
        Ok(Ceremony {
            ceremony,
            options: self.relying_party().request_options(&challenge, &keys),
        })
    }

    /// One of them answered: the session counts as fresh for five minutes.
    pub async fn finish_step_up(
        &self,
        by: &SignedInStaff,
        ceremony: &str,
        response: &Value,
    ) -> Result<(), StaffError> {
        let purpose = Purpose::StepUp {
            account: by.account().to_owned(),
        };
        let challenge = self.take_prompt(ceremony, &purpose).await?;
        let credential = webauthn::claimed_credential(response).map_err(not_accepted)?;
        self.assertion_of(
            by.account(),
            "staff.stepped_up",
            &credential,
            &challenge,
            response,
        )
        .await?;
        let key = by.session().to_string();
        let held = self.load::<Session>(space::SESSION, &key).await?;
        let Some(Held { value, revision }) = held else {
            return Err(StaffError::CeremonyGone);
        };
        let until = value
            .opened_at
            .plus_seconds(self.settings().limits.session_seconds);
        let session = Session {
            asserted_at: Some(self.now()),
            asserted_by: Some(URL_SAFE_NO_PAD.encode(&credential)),
            ..value
        };
        let write = records::put_until(space::SESSION, key, &session, Some(revision), until)?;
        self.write_records(vec![write])
            .await
            .map_err(Trouble::from)?;
        Ok(())
    }

    /// Verifies an answer by this passkey of this account, and notes that it was used.
    async fn assertion_of(
        &self,
        account: &str,
        what: &'static str,
        credential: &[u8],
        challenge: &[u8; 32],
        response: &Value,
    ) -> Result<(), StaffError> {
        self.change_account(account, account, what, |record, now| {
            if !record.active {
                return Err(StaffError::NotAccepted);
            }
            let registered = record
                .passkeys
                .iter_mut()
                .find(|registered| registered.key.credential == credential)
                .ok_or(StaffError::NotAccepted)?;
            let verified = self
                .relying_party()
                .verify_assertion(challenge, &registered.key, response)
                .map_err(not_accepted)?;
            registered.used(&verified, now);
            Ok(())
        })
        .await
    }

    /// Ends this session.
    pub async fn sign_out(&self, by: &SignedInStaff) -> Result<(), StaffError> {
        let mut tries = Tries::default();
        loop {
            let mut batch = Batch::default();
            batch.records.push(records::remove(
                space::SESSION,
                by.session().to_string(),
                None,
            ));
            let entry = Entry::new(
                "staff.signed_out",
                self.now(),
                None,
                &serde_json::json!({ "account": by.account() }),
            )?;
            self.log(&mut batch, &records::account_stream(by.account()), entry)
                .await?;
            if self.committed(batch, &mut tries).await? {
                return Ok(());
            }
        }
    }

    pub(crate) async fn open_session(
        &self,
        account: &str,
        asserted: Option<(Timestamp, &[u8])>,
        company_at: Option<Timestamp>,
    ) -> Result<Token, StaffError> {
        let token = Token::generate(TokenKind::Session, self.dice());
        let now = self.now();
        let session = Session {
            account: account.to_owned(),
            opened_at: now,
            seen_at: now,
            asserted_at: asserted.map(|(at, _)| at),
            asserted_by: asserted.map(|(_, credential)| URL_SAFE_NO_PAD.encode(credential)),
            company_at,
        };
        let until = now.plus_seconds(self.settings().limits.session_seconds);
        let write = records::put_until(
            space::SESSION,
            token.hash().to_string(),
            &session,
            Some(0),
            until,
        )?;
        self.write_records(vec![write])
            .await
            .map_err(Trouble::from)?;
        Ok(token)
    }

    pub(crate) async fn start_creation(
        &self,
        account: &Account,
        purpose: Purpose,
    ) -> Result<Ceremony, StaffError> {
        let challenge = dice::random_bytes::<32>(self.dice());
        let ceremony = self.remember_prompt(purpose, &challenge).await?;
        let known = account.keys();
        let options = self.relying_party().creation_options(
            &handle(account)?,
            &account.email,
            &account.name,
            &challenge,
            &known,
        );
        Ok(Ceremony { ceremony, options })
    }

    pub(crate) async fn finish_creation(
        &self,
        ceremony: &str,
        purpose: &Purpose,
        handle: &[u8],
        response: &Value,
    ) -> Result<Passkey, StaffError> {
        let challenge = self.take_prompt(ceremony, purpose).await?;
        let passkey = self
            .relying_party()
            .finish_registration(handle, &challenge, response)
            .map_err(not_accepted)?;
        let taken = self
            .load::<Owner>(
                space::CREDENTIAL,
                &URL_SAFE_NO_PAD.encode(&passkey.credential),
            )
            .await?
            .is_some();
        if taken {
            Err(StaffError::NotAccepted)
        } else {
            Ok(passkey)
        }
    }

    /// Remembers a challenge; gives the name it can be taken by, once.
    pub(crate) async fn remember_prompt(
        &self,
        purpose: Purpose,
        challenge: &[u8; 32],
    ) -> Result<String, Trouble> {
        let name = self.pseudonym();
        let prompt = Prompt {
            purpose,
            challenge: URL_SAFE_NO_PAD.encode(challenge),
        };
        let until = self.now().plus_seconds(CEREMONY_SECONDS);
        self.write_records(vec![records::put_until(
            space::CEREMONY,
            name.clone(),
            &prompt,
            Some(0),
            until,
        )?])
        .await?;
        Ok(name)
    }

    /// Takes a challenge: whatever comes of the answer, it was the only one.
    pub(crate) async fn take_prompt(
        &self,
        name: &str,
        purpose: &Purpose,
    ) -> Result<[u8; 32], StaffError> {
        let Held {
            value: prompt,
            revision,
        } = self
            .load::<Prompt>(space::CEREMONY, &records::part(name))
            .await?
            .ok_or(StaffError::CeremonyGone)?;
        if prompt.purpose != *purpose {
            return Err(StaffError::CeremonyGone);
        }
        let taken = self
            .write_records(vec![records::remove(
                space::CEREMONY,
                records::part(name),
                Some(revision),
            )])
            .await;
        match taken {
            Ok(()) => {}
            Err(countersign_store::CommitError::Conflict { .. }) => {
                return Err(StaffError::CeremonyGone);
            }
            Err(error) => return Err(Trouble::from(error).into()),
        }
        let bytes = URL_SAFE_NO_PAD
            .decode(&prompt.challenge)
            .ok()
            .and_then(|bytes| bytes.try_into().ok());
        bytes.ok_or(StaffError::CeremonyGone)
    }
}
