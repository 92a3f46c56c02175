//! Closing: an incident is over when its cause cannot come back, and the prover says so; or somebody senior signs why not.

use countersign_cases::{Digest, Timestamp};
use countersign_language::{Procedure, Severity};
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    Because, Happened, Incident, IncidentError, ThenStood, author,
    publication::{challenge, digest_of},
    texts,
};
use crate::{
    gate::Gate,
    records,
    sessions::SignedInStaff,
    shell::{Envelope, Tries},
    sign_offs::PasskeyPrompt,
    trouble::Trouble,
};

/// What a colleague's passkey signs for closing an incident without a promise: this, the incident's nonce, and the digest of
/// the reason.
pub const CLOSING_DOMAIN: &str = "countersign/incident-closing/v1";

/// A promise of the procedure in force, and how the procedure at the time of the incident stood to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PromiseStanding {
    /// In words.
    pub promise: String,
    /// The procedure in force keeps it.
    pub kept: bool,
    /// How the procedure of the time stood to the very same claim; `None` where it kept it as well.
    pub then: Option<ThenStood>,
}

impl PromiseStanding {
    /// Whether it closes an incident: kept now, and not then.
    pub fn closes(&self) -> bool {
        self.kept && self.then.is_some()
    }
}

impl Gate {
    /// The promises of the procedure in force, each proved now, and tried on the procedure at the time of the incident.
    ///
    /// # Errors
    /// [`IncidentError::NotAllowed`], [`IncidentError::Unknown`]
    pub async fn promises_for(
        &self,
        by: &SignedInStaff,
        id: &str,
    ) -> Result<Vec<PromiseStanding>, IncidentError> {
        self.may_read_incidents(by)?;
        let incident = self.load_incident(id).await?.value;
        let (_, standings) = self.standings(&incident).await?;
        Ok(standings)
    }

    /// Closes an incident by a promise that is kept now and was not then.
    ///
    /// # Errors
    /// [`IncidentError::UnknownPromise`], [`IncidentError::PromiseBroken`], [`IncidentError::PromiseNotNew`],
    /// [`IncidentError::Closed`]
    pub async fn close_by_promise(
        &self,
        by: &SignedInStaff,
        id: &str,
        promise: &str,
    ) -> Result<(), IncidentError> {
        let author = self.may_edit_incidents(by)?;
        let mut tries = Tries::default();
        loop {
            let open = self.begin_change(id).await?;
            if open.incident.closed.is_some() {
                return Err(IncidentError::Closed);
            }
            let (then, standings) = self.standings(&open.incident).await?;
            let standing = standings
                .into_iter()
                .find(|one| one.promise == promise)
                .ok_or(IncidentError::UnknownPromise)?;
            if !standing.kept {
                return Err(IncidentError::PromiseBroken);
            }
            let stood = standing.then.ok_or(IncidentError::PromiseNotNew)?;
            let because = Because::Promise {
                promise: standing.promise,
                kept_by: self.procedure().version.to_string(),
                then,
                stood,
            };
            let happened = vec![Happened::Closed { because }];
            if self.end_change(open, &author, happened, &mut tries).await? {
                return Ok(());
            }
        }
    }

    /// Begins to sign why an incident is closed without a promise.
    ///
    /// # Errors
    /// [`IncidentError::OwnIncident`] for whoever opened it, [`IncidentError::NoPasskey`], [`IncidentError::Field`] for the
    /// reason.
    pub async fn start_closing(
        &self,
        by: &SignedInStaff,
        id: &str,
        reason: &str,
    ) -> Result<PasskeyPrompt, IncidentError> {
        self.may_edit_incidents(by)?;
        let incident = self.load_incident(id).await?.value;
        may_sign_closing(by, &incident)?;
        let digest = closing_digest(&incident, &texts::reason(reason)?)?;
        let challenge = challenge(CLOSING_DOMAIN, &incident.nonce, &digest)?;
        Ok(PasskeyPrompt {
            digest,
            options: self
                .relying_party()
                .request_options(&challenge, &by.record().keys()),
        })
    }

    /// The passkey answered: the incident is closed, and the reason is kept with the signature.
    ///
    /// # Errors
    /// As [`Gate::start_closing`]; [`IncidentError::NotAccepted`] too where the incident changed since.
    pub async fn finish_closing(
        &self,
        by: &SignedInStaff,
        id: &str,
        reason: &str,
        response: &Value,
    ) -> Result<(), IncidentError> {
        let signer = self.may_edit_incidents(by)?;
        let reason = texts::reason(reason)?;
        let mut tries = Tries::default();
        loop {
            let mut open = self.begin_change(id).await?;
            if open.incident.closed.is_some() {
                return Err(IncidentError::Closed);
            }
            may_sign_closing(by, &open.incident)?;
            let digest = closing_digest(&open.incident, &reason)?;
            let challenge = challenge(CLOSING_DOMAIN, &open.incident.nonce, &digest)?;
            let evidence = self
                .signed(by, &mut open.batch, &challenge, response)
                .await?;
            let because = Because::Signature {
                reason: reason.clone(),
                digest,
                evidence,
            };
            let happened = vec![Happened::Closed { because }];
            if self.end_change(open, &signer, happened, &mut tries).await? {
                return Ok(());
            }
        }
    }

    /// The version at the time of the incident, and how every promise stands.
    async fn standings(
        &self,
        incident: &Incident,
    ) -> Result<(String, Vec<PromiseStanding>), IncidentError> {
        let around = self.around(incident).await?;
        let began = self
            .facts_of(incident, &around)
            .first_at
            .or(incident.scope.from)
            .unwrap_or(incident.opened_at);
        let version = self.version_at(began).await?;
        let now = self.procedure();
        let text = |version: String| async move {
            self.procedure_text(&version).await?.ok_or_else(|| {
                Trouble::Damaged(format!("procedure version `{version}` is missing"))
            })
        };
        let text_now = text(now.version.to_string()).await?;
        let text_then = text(version.clone()).await?;
        // A search: away from the threads that serve.
        let standings = tokio::task::spawn_blocking(move || stand(&now, &text_now, &text_then))
            .await
            .map_err(|error| Trouble::Damaged(error.to_string()))?;
        Ok((version, standings))
    }

    /// The version of the procedure that was in force at a time; the first one there was before that.
    pub(crate) async fn version_at(&self, at: Timestamp) -> Result<String, Trouble> {
        let mut version = None;
        for event in self.journal().read(&records::gate_stream(), 0).await? {
            if event.kind != "procedure.activated" || (event.at_ms > at.0 && version.is_some()) {
                continue;
            }
            let data = Envelope::open(&event)?.data;
            let named = data.get("version").and_then(Value::as_str);
            version = named.map(str::to_owned).or(version);
        }
        Ok(version.unwrap_or_else(|| self.procedure().version.to_string()))
    }
}

pub(crate) fn may_sign_closing(
    by: &SignedInStaff,
    incident: &Incident,
) -> Result<(), IncidentError> {
    if incident.is_opener(&author(by.record())) {
        return Err(IncidentError::OwnIncident);
    }
    if by.passkeys() == 0 {
        return Err(IncidentError::NoPasskey);
    }
    Ok(())
}

fn closing_digest(incident: &Incident, reason: &str) -> Result<Digest, Trouble> {
    digest_of(&json!({ "incident": incident.id, "events": incident.version, "reason": reason }))
}

/// What a claim is called while it is tried on another procedure, so that it can be told from what is promised there already.
const TRIED: &str = "tried";

/// Proves every promise of `now`, and tries the same claims on the text of `then`.
fn stand(now: &Procedure, text_now: &str, text_then: &str) -> Vec<PromiseStanding> {
    let verdicts = countersign_prover::check(now);
    let claims: Vec<String> = verdicts
        .iter()
        .enumerate()
        .map(|(number, verdict)| {
            let after = text_now
                .get(verdict.span.end as usize..)
                .unwrap_or_default();
            format!("promise \"{TRIED} {number}\" {{{}}}\n", claim(after))
        })
        .collect();
    // A claim that cannot be read there speaks of what that procedure did not know.
    let known: Vec<bool> = claims
        .iter()
        .map(|claim| with(text_then, claim).is_some())
        .collect();
    let sayable: String = claims
        .iter()
        .zip(&known)
        .filter_map(|(claim, known)| known.then_some(claim.as_str()))
        .collect();
    let kept_then: Vec<String> = with(text_then, &sayable)
        .map(|procedure| countersign_prover::check(&procedure))
        .unwrap_or_default()
        .into_iter()
        .filter_map(|verdict| verdict.kept.then_some(verdict.text))
        .collect();
    verdicts
        .into_iter()
        .zip(known)
        .enumerate()
        .map(|(number, (verdict, known))| PromiseStanding {
            promise: verdict.text,
            kept: verdict.kept,
            then: if !known {
                Some(ThenStood::Absent)
            } else if kept_then.contains(&format!("{TRIED} {number}")) {
                None
            } else {
                Some(ThenStood::Broken)
            },
        })
        .collect()
}

/// What stands between the braces after a promise's heading, without comments: a brace in one would end it early.
fn claim(after: &str) -> String {
    let mut comment = false;
    let bare = after.chars().filter(|letter| {
        comment = match letter {
            '#' => true,
            '\n' => false,
            _ => comment,
        };
        !comment
    });
    bare.skip_while(|letter| *letter != '{')
        .skip(1)
        .take_while(|letter| *letter != '}')
        .collect()
}

/// A procedure with these claims in the place of its own promises; `None` if they cannot be said of it.
fn with(text: &str, claims: &str) -> Option<Procedure> {
    let reading = countersign_language::read_procedure(&format!("{text}\n{claims}"));
    let valid = reading
        .diagnostics
        .iter()
        .all(|found| found.severity < Severity::Error);
    let mut procedure = reading.procedure.filter(|_| valid)?;
    procedure
        .promises
        .retain(|promise| promise.text.starts_with(TRIED));
    Some(procedure)
}

#[cfg(test)]
mod tests {
    use super::*;

    const THEN: &str = r#"
organisation "Acme"
staff agent "support agent"
channel mailbox "e-mail address on file"
device key "passkey"
proof mail_code "code by e-mail" shows mailbox using mail
proof passkey "passkey" shows key using passkey
loss server_data "every file"
action server.reinstall "Reinstall" {
  with server "server"
  says "Erase {server}"
  loses server_data
  runs panel
  path usual { prove mail_code }
}
promise "A taken key is not enough" { even if key taken  never server_data }
"#;

    fn standings(now: &str) -> Vec<(String, bool, Option<ThenStood>)> {
        let read = with_own(now);
        stand(&read, now, THEN)
            .into_iter()
            .map(|one| (one.promise, one.kept, one.then))
            .collect()
    }

    fn with_own(text: &str) -> Procedure {
        let reading = countersign_language::read_procedure(text);
        reading
            .procedure
            .unwrap_or_else(|| panic!("{:?}", reading.diagnostics))
    }

    #[test]
    fn a_claim_is_tried_on_the_procedure_of_the_time_whatever_it_was_called() {
        let now = THEN
            .replace("prove mail_code", "prove mail_code and passkey")
            .replace(
                "loss server_data",
                "device card \"bank card\"\nloss server_data",
            )
            + "promise \"A hijacked mailbox gains nothing\" { even if mailbox hijacked  never server_data }\n\
               promise \"A taken bank card is not enough\" { even if card taken  never server_data }\n\
               promise \"Nor is everything\" { even if key taken and mailbox hijacked  never server_data }\n";
        assert_eq!(
            standings(&now),
            [
                ("A taken key is not enough".to_owned(), true, None),
                (
                    "A hijacked mailbox gains nothing".to_owned(),
                    true,
                    Some(ThenStood::Broken)
                ),
                (
                    "A taken bank card is not enough".to_owned(),
                    true,
                    Some(ThenStood::Absent)
                ),
                (
                    "Nor is everything".to_owned(),
                    false,
                    Some(ThenStood::Broken)
                ),
            ]
        );
    }
}
