//! The statement of an incident, as it is written, checked and signed; and the letters to whom it touched.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::IntoResponse as _;
use countersign_cases::Digest;
use countersign_service::{
    FIELDS, Facts, Finding, IncidentChange, IncidentError, StatementCheck, Texts,
};
use serde_json::{Value, json};

use super::{prompted, rows::version_words, status_of};
use crate::Web;
use crate::body::{Form, Json, Path};
use crate::headers::see_other;
use crate::pages::{
    Ask, AskKind, Errors, FindingRow, LetterRow, LettersPage, PublishedRow, Section, StatementPage,
    SubmittedStatement,
};
use crate::present::sentence_case;
use crate::problem::Problem;
use crate::site::sign_in::Scripted;
use crate::site::{Answer, Desk, Fields, field, html, html_with};

/// `GET /incidents/{id}/statement`
pub async fn statement(State(web): State<Web>, desk: Desk, Path(id): Path<String>) -> Answer {
    told(&web, &desk, &id, None, Errors::default()).await
}

async fn told(web: &Web, desk: &Desk, id: &str, typed: Option<&Texts>, errors: Errors) -> Answer {
    let view = web.gate.incident(&desk.staff, id).await?;
    let checked = match typed {
        Some(texts) => web.gate.check_statement(&desk.staff, id, texts).await?,
        None => view.check.clone(),
    };
    let texts = typed.unwrap_or(&view.incident.draft.texts);
    let ask = |name: &str, label: &str, value: &str| {
        let error = errors.of(format!("statement-{name}"));
        Ask {
            error: error.map(str::to_owned),
            ..Ask::new("statement", name, label, "", AskKind::Text).holding(value)
        }
    };
    let values: BTreeMap<String, String> = filled(&view.facts);
    let page = StatementPage {
        frame: desk.frame(Some(Section::Incidents)),
        id: view.incident.id.clone(),
        revision: view.incident.draft.revision,
        fields: vec![
            ask("blog", version_words("blog"), &texts.blog),
            ask("mail", version_words("mail"), &texts.mail),
            ask("chars_500", version_words("chars_500"), &texts.chars_500),
            ask("chars_280", version_words("chars_280"), &texts.chars_280),
        ],
        inserts: FIELDS
            .iter()
            .map(|(name, means)| {
                let value = values.get(*name).cloned().unwrap_or_default();
                (format!("{{{{{name}}}}}"), (*means).to_owned(), value)
            })
            .collect(),
        findings: found(&checked),
        // A statement may be corrected for ever, also of an incident that is closed.
        can_write: web.gate.edits_incidents(&desk.staff),
        submitted: view
            .incident
            .submitted
            .as_ref()
            .map(|waits| SubmittedStatement {
                by: waits.by.name.clone(),
                at: desk.calendar.when(waits.at),
                texts: waits
                    .texts
                    .versions()
                    .map(|(version, text)| (version_words(version).to_owned(), text.to_owned()))
                    .collect(),
                digest: waits.digest.to_string(),
                cannot: view
                    .can
                    .sign
                    .why
                    .as_ref()
                    .map(|why| format!("{}.", sentence_case(why))),
            }),
        published: view
            .incident
            .published
            .iter()
            .rev()
            .map(|published| PublishedRow {
                version: published.version,
                at: desk.calendar.when(published.at),
                authors: published
                    .authors
                    .iter()
                    .map(|author| author.name.as_str())
                    .collect::<Vec<_>>()
                    .join(", "),
                signed_by: published.signed_by.name.clone(),
                text: published.texts.blog.clone(),
            })
            .collect(),
        errors,
    };
    html_with(status_of(&page.errors), &page)
}

/// `POST /incidents/{id}/statement`: saved and checked, and handed in where that was pressed.
pub async fn write(
    State(web): State<Web>,
    desk: Desk,
    Path(id): Path<String>,
    Form(fields): Form<Fields>,
) -> Answer {
    let texts = texts_of(&fields);
    let revision: u32 = field(&fields, "revision")
        .parse()
        .map_err(|_| Problem::invalid("revision", "the number the page had"))?;
    let change = IncidentChange::Draft {
        texts: texts.clone(),
        revision,
    };
    let saved = web.gate.change(&desk.staff, &id, &change).await;
    let wrong = match saved {
        Ok(()) if field(&fields, "do") == "submit" => {
            let now = web.gate.incident(&desk.staff, &id).await?.incident.draft.revision;
            match web.gate.submit_statement(&desk.staff, &id, now).await {
                Ok(()) => None,
                Err(IncidentError::Facts(count)) => Some((
                    "statement-blog",
                    format!("It is saved, and not handed in: {count} errors keep it from being published"),
                )),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(()) => None,
        Err(IncidentError::Field { field, why }) => {
            let id = match field {
                "mail" => "statement-mail",
                "chars_500" => "statement-chars_500",
                "chars_280" => "statement-chars_280",
                _ => "statement-blog",
            };
            Some((id, sentence_case(&why)))
        }
        Err(IncidentError::Changed) => Some((
            "statement-blog",
            "Somebody else saved it since you read it. Yours is below; theirs counts until you save"
                .to_owned(),
        )),
        Err(error) => return Err(error.into()),
    };
    match wrong {
        None => Ok(see_other(&format!("/incidents/{id}/statement"))),
        Some((field, why)) => told(&web, &desk, &id, Some(&texts), Errors::one(field, why)).await,
    }
}

/// `POST /incidents/{id}/statement/check` (script): nothing is kept.
pub async fn check(
    State(web): State<Web>,
    desk: Desk,
    Path(id): Path<String>,
    Form(fields): Form<Fields>,
) -> Answer {
    let checked = web
        .gate
        .check_statement(&desk.staff, &id, &texts_of(&fields))
        .await?;
    let findings: Vec<Value> = found(&checked)
        .into_iter()
        .map(|row| {
            json!({
                "error": row.error, "version": row.version, "quote": row.quote,
                "why": row.why, "better": row.better,
            })
        })
        .collect();
    Ok(axum::Json(json!({ "findings": findings })).into_response())
}

/// `POST /incidents/{id}/sign/start` (script)
pub async fn start_sign(State(web): State<Web>, desk: Desk, Path(id): Path<String>) -> Answer {
    let prompt = web.gate.start_publication(&desk.staff, &id).await?;
    Ok(prompted(&prompt.digest, &prompt.options))
}

/// `POST /incidents/{id}/sign/finish` (script)
pub async fn finish_sign(
    State(web): State<Web>,
    desk: Desk,
    Path(id): Path<String>,
    body: Json<Scripted>,
) -> Answer {
    let digest = Digest::from_hex(&body.value.ceremony)
        .ok_or_else(|| Problem::invalid("ceremony", "the digest that was begun"))?;
    web.gate
        .finish_publication(&desk.staff, &id, digest, &body.value.credential)
        .await?;
    Ok(axum::Json(json!({ "location": format!("/incidents/{id}/statement") })).into_response())
}

/// `GET /incidents/{id}/letters`
pub async fn letters(State(web): State<Web>, desk: Desk, Path(id): Path<String>) -> Answer {
    let letters = web.gate.letters(&desk.staff, &id).await?;
    let view = web.gate.incident(&desk.staff, &id).await?;
    let unsent = letters
        .iter()
        .filter(|letter| !letter.sent && !letter.to.is_empty());
    let to_send = if view.can.edit.can { unsent.count() } else { 0 };
    html(&LettersPage {
        frame: desk.frame(Some(Section::Incidents)),
        id,
        to_send,
        letters: letters
            .into_iter()
            .map(|letter| LetterRow {
                name: letter.name,
                customer: letter.customer,
                to: letter.to.join(", "),
                subject: letter.subject,
                text: letter.text,
                sent: letter.sent,
            })
            .collect(),
    })
}

/// `POST /incidents/{id}/letters`
pub async fn send_letters(State(web): State<Web>, desk: Desk, Path(id): Path<String>) -> Answer {
    web.gate.send_letters(&desk.staff, &id).await?;
    Ok(see_other(&format!("/incidents/{id}/letters")))
}
fn texts_of(fields: &Fields) -> Texts {
    let text = |name: &str| field(fields, name).replace("\r\n", "\n");
    Texts {
        blog: text("blog"),
        mail: text("mail"),
        chars_500: text("chars_500"),
        chars_280: text("chars_280"),
    }
}

fn found(check: &StatementCheck) -> Vec<FindingRow> {
    let mut rows: Vec<&Finding> = check.findings.iter().collect();
    rows.sort_by_key(|found| !found.error);
    rows.into_iter()
        .map(|found| FindingRow {
            error: found.error,
            version: version_words(&found.version).to_owned(),
            quote: found.quote.clone(),
            why: found.why.clone(),
            better: found.better.clone(),
        })
        .collect()
}

/// Values of the fields as they are now, for the list beside the editor.
fn filled(facts: &Facts) -> BTreeMap<String, String> {
    FIELDS
        .iter()
        .filter_map(|(name, _)| Some(((*name).to_owned(), facts.field(name)?)))
        .collect()
}
