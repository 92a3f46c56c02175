//! `/approvals`: decide well. Signing is a passkey assertion over the digest; refusing needs a reason.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use countersign_cases::{Digest, State as CaseState, Who};
use countersign_service::{CaseError, CaseView, DeskRow};
use serde_json::json;

use super::cases::{done_or_already, happened};
use super::sign_in::Scripted;
use super::{Answer, Desk, Fields, field, html, html_with};
use crate::Web;
use crate::api::cases::case_id;
use crate::body::{Form, Json, Path, Query};
use crate::headers::see_other;
use crate::pages::{
    ApprovalPage, ApprovalRow, ApprovalState, ApprovalsPage, ApprovalsTab, DeclinePage, Errors,
    FieldError, Live, Section, encode,
};
use crate::present::{act, inside_sentence, risk, sentence_case};
use crate::problem::Problem;
use crate::words::Words;

/// `GET /approvals?show=me|cannot|decided&after=`
pub async fn list(State(web): State<Web>, desk: Desk, Query(fields): Query<Fields>) -> Answer {
    let (tab, after) = (tab(field(&fields, "show")), field(&fields, "after"));
    html(&page(&web, &desk, tab, after).await?)
}

/// Which tab.
pub fn tab(show: &str) -> ApprovalsTab {
    ApprovalsTab::ALL
        .into_iter()
        .find(|tab| tab.value() == show)
        .unwrap_or(ApprovalsTab::ForMe)
}

/// The page of one tab, beginning after an earlier page's last case.
pub async fn page(
    web: &Web,
    desk: &Desk,
    tab: ApprovalsTab,
    after: &str,
) -> Result<ApprovalsPage, Problem> {
    let from = web.gate.position();
    let approvals = web.gate.approvals(&desk.staff, after).await?;
    let size = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let counts = [
        size(approvals.for_me.len()),
        size(approvals.cannot.len()),
        size(approvals.decided.len()),
    ];
    let mut rows: Vec<ApprovalRow> = match tab {
        ApprovalsTab::ForMe => approvals
            .for_me
            .iter()
            .map(|row| approval_row(web, desk, row, None))
            .collect(),
        ApprovalsTab::CannotSign => approvals
            .cannot
            .iter()
            .map(|(row, ability)| {
                approval_row(
                    web,
                    desk,
                    row,
                    ability
                        .why
                        .as_deref()
                        .map(|why| format!("{}.", sentence_case(why))),
                )
            })
            .collect(),
        ApprovalsTab::Decided => approvals
            .decided
            .iter()
            .map(|row| approval_row(web, desk, row, Some(sentence_case(&row.state))))
            .collect(),
    };
    if tab != ApprovalsTab::Decided {
        rows.sort_by_key(|row| {
            (
                row.risk != Some(crate::pages::Risk::Critical),
                row.since.iso.clone(),
            )
        });
    }
    Ok(ApprovalsPage {
        frame: desk.frame(Some(Section::Approvals)),
        tab,
        counts,
        rows,
        new_since: 0,
        procedure_waits: web.gate.procedure_wants(&desk.staff).await?,
        // Only the first page moves on by itself.
        live: after.is_empty().then(|| Live {
            events: format!("/approvals/events?show={}", tab.value()),
            from,
        }),
        first: (!after.is_empty()).then(|| format!("/approvals?show={}", tab.value())),
        next: approvals
            .next
            .filter(|_| tab != ApprovalsTab::Decided)
            .map(|next| {
                let (show, after) = (tab.value(), encode(&next));
                format!("/approvals?show={show}&after={after}")
            }),
    })
}

fn approval_row(web: &Web, desk: &Desk, row: &DeskRow, remark: Option<String>) -> ApprovalRow {
    let procedure = web.gate.procedure();
    let action = procedure
        .actions
        .iter()
        .find(|action| action.label == row.action_label);
    let after = row.missing.len().saturating_sub(1);
    ApprovalRow {
        id: row.case.0.clone(),
        since: desk.calendar.when(row.updated_at),
        words: Words::new(&row.sentence, &[]),
        risk: action.map(risk),
        asked_by: row
            .opened_by
            .clone()
            .unwrap_or_else(|| "the customer".to_owned()),
        missing_after: if after == 0 {
            "nothing".to_owned()
        } else {
            row.missing
                .iter()
                .skip(1)
                .cloned()
                .collect::<Vec<_>>()
                .join(", ")
        },
        customer: row.customer_name.clone(),
        pill: remark
            .as_ref()
            .map(|_| super::desk::row_of(row, &desk.calendar).pill),
        remark,
    }
}

/// `GET /approvals/{id}`
pub async fn one(State(web): State<Web>, desk: Desk, Path(id): Path<String>) -> Answer {
    html(&approval(&web, &desk, &id).await?)
}

async fn approval(web: &Web, desk: &Desk, id: &str) -> Result<ApprovalPage, Problem> {
    let view = web.gate.case_view(&desk.staff, &case_id(id)?).await?;
    let procedure = web.gate.procedure_of(&view.procedure).await?;
    let state = state(web, desk, &view).await?;
    let calendar = &desk.calendar;
    let proved: Vec<_> = view
        .checklist
        .customer
        .proofs
        .iter()
        .filter(|proof| proof.at.is_some())
        .map(|proof| proof.label.clone())
        .collect();
    Ok(ApprovalPage {
        frame: desk.frame(Some(Section::Approvals)),
        id: view.case.0.clone(),
        act: act(&procedure, &view, calendar),
        asked_by: view
            .opened_by
            .name
            .clone()
            .unwrap_or_else(|| "The customer".to_owned()),
        reason: view.reason.clone().unwrap_or_default(),
        reference: view.reference.clone(),
        asked_at: calendar.when(view.opened_at),
        proven: happened(&view, calendar),
        not_proven: view
            .checklist
            .customer
            .proofs
            .iter()
            .filter(|proof| proof.at.is_none() && !proved.contains(&proof.label))
            .map(|proof| sentence_case(&proof.label))
            .collect(),
        against: against(&view, desk),
        looked_for: "an earlier refusal, closed ways, a fresh change of contact".to_owned(),
        history: history(web, desk, &view).await?,
        after: after(&view),
        state,
    })
}

fn against(view: &CaseView, desk: &Desk) -> Vec<String> {
    let calendar = &desk.calendar;
    let mut found: Vec<String> = view
        .earlier
        .iter()
        .map(|earlier| {
            let how = if earlier.stopped {
                "stopped"
            } else {
                "declined"
            };
            format!(
                "The same request was {how} in {} at {}.",
                earlier.case.0,
                calendar.when(earlier.at).shown
            )
        })
        .collect();
    for (label, until) in &view.customer.locked {
        found.push(format!(
            "{} is closed after wrong tries, until {}.",
            sentence_case(label),
            calendar.when(*until).shown
        ));
    }
    for contact in view
        .customer
        .contacts
        .iter()
        .filter(|contact| contact.removed_at.is_none())
    {
        if let Some(at) = contact
            .changed_at
            .filter(|at| calendar.now().seconds_since(*at) < 30 * 86_400)
        {
            found.push(format!(
                "The {} was changed on {}.",
                contact.channel_label,
                calendar.when(at).shown
            ));
        }
    }
    found
}

async fn history(web: &Web, desk: &Desk, view: &CaseView) -> Result<Vec<String>, Problem> {
    let rows = web
        .gate
        .cases_of_customer(&desk.staff, &view.customer.id)
        .await?;
    Ok(rows
        .iter()
        .filter(|row| row.case != view.case)
        .take(8)
        .map(|row| {
            format!(
                "{}: {} ({})",
                desk.calendar.when(row.opened_at).shown,
                row.action_label,
                row.state
            )
        })
        .collect())
}

fn after(view: &CaseView) -> Vec<String> {
    let mut steps: Vec<String> = view
        .checklist
        .missing
        .iter()
        .filter(|missing| !matches!(missing.who, Who::Colleague { .. }))
        .map(|missing| sentence_case(&missing.words))
        .collect();
    steps.push("Then it can run, once, and everybody gets a receipt".to_owned());
    steps
}

async fn state(web: &Web, desk: &Desk, view: &CaseView) -> Result<ApprovalState, Problem> {
    let calendar = &desk.calendar;
    let ended = view.ending.as_ref();
    let ended_at = || calendar.when(ended.map_or(view.opened_at, |ending| ending.at));
    Ok(match view.state {
        CaseState::Stopped => ApprovalState::Stopped(ended_at()),
        CaseState::Withdrawn => ApprovalState::Withdrawn(ended_at()),
        CaseState::Expired => ApprovalState::Expired(ended_at()),
        CaseState::Refused => ApprovalState::Declined {
            by: ended
                .and_then(|ending| ending.by.name.clone())
                .unwrap_or_default(),
            at: ended_at(),
            reason: ended
                .and_then(|ending| ending.reason.clone())
                .unwrap_or_default(),
        },
        _ if view.can.sign_off.can && desk.staff.passkeys() == 0 => ApprovalState::NoPasskey,
        _ if view.can.sign_off.can => ApprovalState::Sign {
            type_last_four_of: None,
            problem: None,
        },
        _ if view.can.sign_off.code == Some("already-signed") => {
            let still = match view.checklist.missing.first() {
                Some(missing) => format!("Still missing: {}.", missing.words),
                None => "Nothing is missing any more.".to_owned(),
            };
            let next = web
                .gate
                .approvals(&desk.staff, "")
                .await?
                .for_me
                .into_iter()
                .find(|row| row.case != view.case)
                .map(|row| row.case.0);
            ApprovalState::Signed { still, next }
        }
        _ if !signers(view).is_empty()
            && !view
                .checklist
                .missing
                .iter()
                .any(|missing| matches!(missing.who, Who::Colleague { .. })) =>
        {
            let last = view
                .timeline
                .iter()
                .rev()
                .find(|entry| entry.kind == "signed_off");
            ApprovalState::Complete {
                by: signers(view),
                at: calendar.when(last.map_or(view.opened_at, |entry| entry.at)),
            }
        }
        _ => ApprovalState::Cannot {
            why: format!(
                "{}.",
                sentence_case(
                    view.can
                        .sign_off
                        .why
                        .as_deref()
                        .unwrap_or("this case needs no signature")
                )
            ),
            who_can: view
                .can
                .sign_off
                .help
                .as_deref()
                .map(|help| format!("{}.", sentence_case(help))),
        },
    })
}

fn signers(view: &CaseView) -> Vec<String> {
    view.timeline
        .iter()
        .filter(|entry| entry.kind == "signed_off")
        .filter_map(|entry| entry.who.name.clone())
        .collect()
}

/// `POST /approvals/{id}/sign/start` (script)
pub async fn start(State(web): State<Web>, desk: Desk, Path(id): Path<String>) -> Answer {
    let prompt = web.gate.start_sign_off(&desk.staff, &case_id(&id)?).await?;
    // What the answer signs is remembered by the page, not by the gate: the challenge is made of the case itself.
    Ok(
        axum::Json(json!({ "ceremony": prompt.digest.to_string(), "publicKey": prompt.options }))
            .into_response(),
    )
}

/// `POST /approvals/{id}/sign/finish` (script)
pub async fn finish(
    State(web): State<Web>,
    desk: Desk,
    Path(id): Path<String>,
    body: Json<Scripted>,
) -> Answer {
    let case = case_id(&id)?;
    let digest = Digest::from_hex(&body.value.ceremony)
        .ok_or_else(|| Problem::invalid("ceremony", "is not of this prompt"))?;
    web.gate
        .finish_sign_off(&desk.staff, &case, digest, &body.value.credential)
        .await?;
    Ok(axum::Json(json!({ "location": format!("/approvals/{}", case.0) })).into_response())
}

/// `GET /approvals/{id}/decline`
pub async fn decline_page(State(web): State<Web>, desk: Desk, Path(id): Path<String>) -> Answer {
    html(&declining(&web, &desk, &id, "", Errors::default()).await?)
}

/// `POST /approvals/{id}/decline`
pub async fn decline(
    State(web): State<Web>,
    desk: Desk,
    Path(id): Path<String>,
    Form(fields): Form<Fields>,
) -> Answer {
    let case = case_id(&id)?;
    let reason = field(&fields, "reason");
    match web.gate.refuse(&desk.staff, &case, reason).await {
        Err(CaseError::Refused(refusal)) if refusal.code().starts_with("reason-") => {
            let errors = Errors(vec![FieldError {
                field: "reason".to_owned(),
                message: "Say why, in 10 to 500 characters.".to_owned(),
            }]);
            html_with(
                StatusCode::UNPROCESSABLE_ENTITY,
                &declining(&web, &desk, &id, reason, errors).await?,
            )
        }
        error => {
            done_or_already(error)?;
            Ok(see_other(&format!("/approvals/{}", case.0)))
        }
    }
}

async fn declining(
    web: &Web,
    desk: &Desk,
    id: &str,
    reason: &str,
    errors: Errors,
) -> Result<DeclinePage, Problem> {
    let view = web.gate.case_view(&desk.staff, &case_id(id)?).await?;
    let procedure = web.gate.procedure_of(&view.procedure).await?;
    Ok(DeclinePage {
        frame: desk.frame(Some(Section::Approvals)),
        id: view.case.0.clone(),
        act: act(&procedure, &view, &desk.calendar),
        verb: inside_sentence(&view.action_label),
        reason: reason.to_owned(),
        closed_for: crate::present::length(countersign_cases::policy::CLOSED_SECONDS),
        errors,
    })
}
