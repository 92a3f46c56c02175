//! Letters to the affected: to each their own facts, at the addresses they had before it happened, and once.
//!
//! What stands in a letter is that customer's alone. The links to receipts are
//! made when the letter leaves, as stop links are: the outbox holds no secret.

use countersign_cases::{CaseId, ContactId, Timestamp};
use countersign_store::{Batch, NewWork};
use serde::{Deserialize, Serialize};

use super::{Happened, Incident, IncidentError, Standing, touched::Around};
use crate::{
    adapters::{
        delivery::Delivery,
        tokens::{Token, TokenKind},
    },
    cases::CaseError,
    gate::Gate,
    mask::mask_address,
    notices::{self, Letter, MAIL, Written, again_at, who_is_it, written_time},
    records::{self, Contact, Customer, Link, space},
    sessions::SignedInStaff,
    shell::Tries,
    speech::{Arg, Language},
    timeline,
    trouble::Trouble,
    views,
};

/// A letter that could not be handed over for this long is refused for good.
const GIVE_UP_SECONDS: u64 = 3 * 86_400;

/// How long a link to a receipt in a letter works: people are away.
const RECEIPT_SECONDS: u64 = 14 * 86_400;

/// How long it is remembered that a letter left.
const REMEMBERED_SECONDS: u64 = 60 * 86_400;

/// Most customers that one press of the button writes to; the next press writes to the others.
const AT_ONCE: usize = 200;

/// A letter to one contact of one affected customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct IncidentLetter {
    pub(crate) incident: String,
    /// Pseudonym.
    pub(crate) customer: String,
    pub(crate) contact: ContactId,
    pub(crate) at: Timestamp,
}

/// Word for everybody who subscribed, to be made into a letter each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StatusNews {
    pub(crate) incident: String,
    /// The update's number, or the statement's version.
    pub(crate) number: u32,
    pub(crate) statement: bool,
    /// Subscribers up to here have theirs.
    pub(crate) after: Option<String>,
}

/// A letter as it will read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LetterPreview {
    /// The company's own id.
    pub customer: String,
    /// Their name.
    pub name: String,
    /// Where it goes, masked: addresses they had before it happened.
    pub to: Vec<String>,
    /// Subject.
    pub subject: String,
    /// The letter; links are made when it leaves.
    pub text: String,
    /// It is on its way, or left.
    pub sent: bool,
}

/// What a letter tells of one case.
struct OwnCase {
    case: CaseId,
    at: Timestamp,
    label: String,
    outcome: String,
    has_receipt: bool,
}

impl Gate {
    /// The letters to all affected customers, as they would read now.
    ///
    /// # Errors
    /// [`IncidentError::NotAllowed`], [`IncidentError::Unknown`]
    pub async fn letters(
        &self,
        by: &SignedInStaff,
        id: &str,
    ) -> Result<Vec<LetterPreview>, IncidentError> {
        self.may_read_incidents(by)?;
        let incident = self.load_incident(id).await?.value;
        let around = self.around(&incident).await?;
        let mut previews = Vec::new();
        for (pseudonym, customer) in self.affected(&incident).await? {
            if by.record().concerned.contains(&customer.id) {
                continue;
            }
            let written = self
                .letter_to(&incident, &around, &customer, &mut |_| None)
                .await?;
            let to = self.settled(&incident, &around, &customer);
            previews.push(LetterPreview {
                to: to
                    .iter()
                    .map(|contact| mask_address(&contact.address))
                    .collect(),
                customer: customer.id.0,
                name: customer.name,
                subject: written.subject,
                text: written.text,
                sent: incident.lettered.contains(&pseudonym),
            });
        }
        previews.sort_by(|one, other| (one.sent, &one.name).cmp(&(other.sent, &other.name)));
        Ok(previews)
    }

    /// Sends them, to everybody who has none yet. Gives how many customers are written to.
    ///
    /// # Errors
    /// [`IncidentError::NobodyToWriteTo`]; [`IncidentError::Closed`]
    pub async fn send_letters(&self, by: &SignedInStaff, id: &str) -> Result<usize, IncidentError> {
        let author = self.may_edit_incidents(by)?;
        let mut tries = Tries::default();
        loop {
            let mut open = self.begin_change(id).await?;
            if open.incident.closed.is_some() {
                return Err(IncidentError::Closed);
            }
            let around = self.around(&open.incident).await?;
            let mut customers = Vec::new();
            for (pseudonym, customer) in self.affected(&open.incident).await? {
                let tied = by.record().concerned.contains(&customer.id);
                let contacts = self.settled(&open.incident, &around, &customer);
                if tied || contacts.is_empty() || open.incident.lettered.contains(&pseudonym) {
                    continue;
                }
                if customers.len() >= AT_ONCE {
                    break;
                }
                for contact in contacts {
                    let letter = IncidentLetter {
                        incident: open.incident.id.clone(),
                        customer: pseudonym.clone(),
                        contact: contact.id.clone(),
                        at: open.now,
                    };
                    open.batch.work.push(NewWork {
                        queue: MAIL,
                        key: format!(
                            "incident/{}/{}",
                            records::part(id),
                            records::part(&contact.id.0)
                        ),
                        due_ms: open.now.0,
                        body: records::write_json(&Letter::Incident(letter))?,
                    });
                }
                customers.push(pseudonym);
            }
            if customers.is_empty() {
                return Err(IncidentError::NobodyToWriteTo);
            }
            let count = customers.len();
            let happened = vec![Happened::LettersSent { customers }];
            if self.end_change(open, &author, happened, &mut tries).await? {
                return Ok(count);
            }
        }
    }

    /// Sends one letter, once: what was tried and never answered is not tried again.
    pub(crate) async fn send_incident_letter(
        &self,
        key: &str,
        attempts: u32,
        letter: &IncidentLetter,
    ) -> Result<(), CaseError> {
        let now = self.now();
        let incident = self
            .load_incident(&letter.incident)
            .await
            .map_err(|_| CaseError::Unknown)?
            .value;
        let customer = self
            .customer_named(&letter.customer)
            .await?
            .ok_or(CaseError::UnknownCustomer)?;
        let around = self.around(&incident).await?;
        let contact = self
            .settled(&incident, &around, &customer)
            .into_iter()
            .find(|contact| contact.id == letter.contact)
            .ok_or(CaseError::Unknown)?
            .clone();
        if self.load::<Timestamp>(space::LETTER, key).await?.is_some() {
            // A program ended while it was sending: it may have left, and is never sent twice.
            tracing::warn!(incident = incident.id, "a letter may have been lost");
            return Ok(self.finish(MAIL, key, None).await?);
        }
        let mut links = Vec::new();
        let until = now.plus_seconds(RECEIPT_SECONDS);
        let mut link = |case: &CaseId| {
            let token = Token::generate(TokenKind::Link, self.dice());
            let path = format!("{}/c/{}", self.settings().origin, token.expose());
            links.push((case.clone(), token));
            Some(path)
        };
        let written = self
            .letter_to(&incident, &around, &customer, &mut link)
            .await
            .map_err(|_| CaseError::Unknown)?;
        let mut writes = vec![records::put_until(
            space::LETTER,
            key,
            &now,
            Some(0),
            now.plus_seconds(REMEMBERED_SECONDS),
        )?];
        for (case, token) in links {
            let link = Link {
                case,
                customer: customer.id.clone(),
                until,
                used_at: None,
                shows: Vec::new(),
                receipt: true,
            };
            writes.push(records::put_until(
                space::LINK,
                token.hash().to_string(),
                &link,
                Some(0),
                until.plus_seconds(86_400),
            )?);
        }
        match self.write_records(writes).await {
            Ok(()) => {}
            // Another worker is sending it.
            Err(countersign_store::CommitError::Conflict { .. }) => return Ok(()),
            Err(error) => return Err(Trouble::from(error).into()),
        }
        let delivery = self
            .hand_over(&self.procedure(), &contact, key, &written)
            .await;
        let later = matches!(delivery, Delivery::TryLater(_))
            && now.seconds_since(letter.at) < GIVE_UP_SECONDS;
        let mut batch = Batch::default();
        if later {
            // It surely did not leave.
            batch
                .records
                .push(records::remove(space::LETTER, key, None));
        }
        batch.finished.push(notices::finished(
            MAIL,
            key,
            later.then(|| again_at(now, attempts)),
        ));
        self.commit(batch).await.map_err(Trouble::from)?;
        Ok(())
    }

    /// Customers who were marked affected, by pseudonym, and are not erased.
    async fn affected(&self, incident: &Incident) -> Result<Vec<(String, Customer)>, Trouble> {
        let mut found = Vec::new();
        for (pseudonym, mark) in &incident.marks {
            if mark.standing == Standing::Affected
                && let Some(customer) = self.customer_named(pseudonym).await?
            {
                found.push((pseudonym.clone(), customer));
            }
        }
        Ok(found)
    }

    /// Contacts that were on file, unchanged, before it began: whoever took an account over may have changed the others.
    fn settled<'a>(
        &self,
        incident: &Incident,
        around: &Around,
        customer: &'a Customer,
    ) -> Vec<&'a Contact> {
        let began = self
            .facts_of(incident, around)
            .first_at
            .or(incident.scope.from)
            .unwrap_or(incident.opened_at);
        let was_there = |contact: &&Contact| {
            contact.first_seen <= began
                && contact.changed_at.is_none_or(|changed| changed <= began)
                && contact.removed_at.is_none_or(|removed| removed > began)
        };
        customer.contacts.iter().filter(was_there).collect()
    }

    async fn letter_to(
        &self,
        incident: &Incident,
        around: &Around,
        customer: &Customer,
        link: &mut (dyn FnMut(&CaseId) -> Option<String> + Send),
    ) -> Result<Written, IncidentError> {
        let language = customer.language.unwrap_or(self.settings().language);
        let procedure = self.procedure();
        let name = procedure.organisation.as_str();
        let origin = &self.settings().origin;
        let organisation = ("organisation", Arg::Text(name));
        let mut parts = vec![language.tell("letter-incident-first", &[organisation])];
        if let Some(published) = incident.published.last() {
            let texts = &published.texts;
            let said = if texts.mail.trim().is_empty() {
                &texts.blog
            } else {
                &texts.mail
            };
            parts.push(said.clone());
        }
        let mut own = Vec::new();
        for case in self.own_cases(around, customer, language).await? {
            let at = written_time(case.at, language);
            own.push(format!(
                "- {at}: {}. {} ({})",
                case.label, case.outcome, case.case.0
            ));
            if case.has_receipt {
                let path = link(&case.case).unwrap_or_else(|| format!("{origin}/c/…"));
                own.push(format!(
                    "  {} {path}",
                    language.say("letter-incident-receipt")
                ));
            }
        }
        let alarms = around
            .alarms
            .iter()
            .filter(|alarm| alarm.customer.as_ref() == Some(&customer.id));
        for alarm in alarms {
            let at = written_time(alarm.at, language);
            let action = procedure
                .actions
                .iter()
                .find(|action| action.name == alarm.action)
                .map_or(alarm.action.as_str(), |action| action.label.as_str());
            let words = language.tell(
                "letter-incident-uncovered",
                &[("action", Arg::Text(action))],
            );
            own.push(format!("- {at}: {words}"));
        }
        if own.is_empty() {
            parts.push(language.say("letter-incident-no-case"));
        } else {
            parts.push(format!(
                "{}\n\n{}",
                language.say("letter-incident-yours"),
                own.join("\n")
            ));
        }
        if incident.is_public() {
            parts.push(format!(
                "{}\n{origin}/status/{}",
                language.say("letter-incident-more"),
                incident.id
            ));
        }
        parts.push(who_is_it(language, name, origin));
        Ok(Written {
            subject: language.tell("letter-incident-subject", &[organisation]),
            text: parts.join("\n\n"),
        })
    }

    /// This customer's cases of the incident, with what became of each.
    async fn own_cases(
        &self,
        around: &Around,
        customer: &Customer,
        language: Language,
    ) -> Result<Vec<OwnCase>, IncidentError> {
        let mut own = Vec::new();
        for case in &around.cases {
            if case.row.customer != customer.id {
                continue;
            }
            let loaded = self.load_case(&case.row.case).await?;
            let Some(last) = case.events.last() else {
                continue;
            };
            own.push(OwnCase {
                case: case.row.case.clone(),
                at: case.row.opened_at,
                label: case.row.action_label.clone(),
                outcome: timeline::timeline_entry(&loaded, last).told.text(language),
                has_receipt: views::has_receipt(&loaded.case),
            });
        }
        Ok(own)
    }
}

/// Work that tells everybody who subscribed of an update, or of a statement.
pub(crate) fn news(
    incident: &str,
    number: u32,
    statement: Option<u32>,
    now: Timestamp,
) -> Result<NewWork, Trouble> {
    let news = StatusNews {
        incident: incident.to_owned(),
        number,
        statement: statement.is_some(),
        after: None,
    };
    let kind = if news.statement {
        "statement"
    } else {
        "update"
    };
    Ok(NewWork {
        queue: MAIL,
        key: format!("status/{}/{kind}/{number}", records::part(incident)),
        due_ms: now.0,
        body: records::write_json(&Letter::StatusNews(news))?,
    })
}
