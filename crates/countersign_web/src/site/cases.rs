//! `/cases/{id}`: the case desk, its run page and its receipt.

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::IntoResponse as _;
use countersign_cases::{Digest, State as CaseState, Who};
use countersign_language::Procedure;
use countersign_service::speech::Key;
use countersign_service::{Applied, CaseError, CaseView, LinkView, SpokenNumber};

use super::{Answer, Desk, Fields, field, html, html_with};
use crate::Web;
use crate::api::cases::case_id;
use crate::body::{Form, Path};
use crate::headers::see_other;
use crate::pages::{
    Button, CasePage, CustomerCard, CustomerLink, Does, Fact, FactValue, Family, Live, LogLine,
    MatchNumber, Notice, Receipt, ReceiptOutcome, RunPage, RunState, SaidNumber, SayThis, Section,
    StaffReceiptPage, When, WithdrawPage,
};
use crate::present::{self, Calendar, act, checks, inside_sentence, pill, sentence_case};
use crate::problem::Problem;

/// How many lines of what happened the desk shows.
const LOG_LINES: usize = 12;

/// `GET /cases/{id}`
pub async fn page(State(web): State<Web>, desk: Desk, Path(id): Path<String>) -> Answer {
    html(&case_page(&web, &desk, &id).await?)
}

/// The case desk.
pub async fn case_page(web: &Web, desk: &Desk, id: &str) -> Result<CasePage, Problem> {
    let view = web.gate.case_view(&desk.staff, &case_id(id)?).await?;
    let procedure = web.gate.procedure_of(&view.procedure).await?;
    let mut page = present_case(&procedure, desk, &view);
    page.spoken = view.spoken.as_ref().map(|number| spoken(web, number));
    page.report = super::incidents::report(web, desk, &view.case.0, &view.action_label);
    Ok(page)
}

/// What the agent says aloud, and where it is checked.
pub fn spoken(web: &Web, number: &SpokenNumber) -> SaidNumber {
    SaidNumber {
        number: number.said(),
        at: format!("{}{}", web.gate.settings().origin, super::talking::PATH),
    }
}

/// The two digits to tell the customer, or why they are of no use now.
pub fn number_to_match(view: &CaseView, calendar: &Calendar) -> Option<MatchNumber> {
    view.number.as_ref().map(|number| MatchNumber {
        digits: number.digits.clone(),
        closed: number.closed_until.map(|until| calendar.when(until)),
    })
}

fn present_case(procedure: &Procedure, desk: &Desk, view: &CaseView) -> CasePage {
    let calendar = &desk.calendar;
    let over = view.state.is_final();
    let next = &view.checklist.next;
    let missing = view.checklist.missing.len();
    let mut list = checks(procedure, &view.checklist, calendar);
    if let Some(text) = view.can.vouch.first() {
        let button = post(
            "Give your word",
            format!("/cases/{}/vouch", view.case.0),
            vec![("text".to_owned(), text.clone())],
            "",
        );
        let row = list
            .ways
            .iter_mut()
            .flat_map(|way| way.rows.iter_mut())
            .find(|row| row.title.contains(text.as_str()));
        if let Some(row) = row {
            row.action = Some(button);
        }
    }
    CasePage {
        frame: desk.frame(Some(Section::Desk)),
        id: view.case.0.clone(),
        title: format!("{}: {}", view.action_label, view.customer.name),
        opened: calendar.when(view.opened_at),
        expires: (!over).then(|| calendar.when(view.expires_at)),
        pill: pill(view.state, Some(&next.who), calendar),
        live: (!over).then(|| Live {
            events: format!("/cases/{}/events", view.case.0),
            from: view.version,
        }),
        act: act(procedure, view, calendar),
        notice: notice(view, calendar),
        checklist: list,
        bar_count: bar_count(view, missing),
        bar_next: bar_next(view),
        secondary: secondary(view),
        primary: primary(view),
        customer: customer_card(view, calendar),
        link: None,
        number: number_to_match(view, calendar),
        spoken: None,
        say: say(view),
        earlier: view
            .earlier
            .iter()
            .map(|earlier| {
                let how = if earlier.stopped {
                    "stopped"
                } else {
                    "refused by a colleague"
                };
                format!(
                    "{} was {how} at {}.",
                    earlier.case.0,
                    calendar.when(earlier.at).shown
                )
            })
            .collect(),
        log: log(view, calendar),
        also_here: Vec::new(),
        can_withdraw: view.can.withdraw.can,
        report: None,
    }
}

pub(super) fn bar_count(view: &CaseView, missing: usize) -> String {
    match view.state {
        CaseState::Ready { .. } => "Nothing is missing.".to_owned(),
        CaseState::Waiting { .. } => "Only time is missing.".to_owned(),
        state if state.is_final() => "This case is over.".to_owned(),
        CaseState::Granted | CaseState::Running | CaseState::Unknown => {
            "It was granted.".to_owned()
        }
        _ => format!("{missing} still missing."),
    }
}

pub(super) fn bar_next(view: &CaseView) -> String {
    let next = &view.checklist.next;
    if view.state.is_final() || next.words.is_empty() {
        return String::new();
    }
    let words = inside_sentence(next.words.trim_end_matches('.'));
    match next.who {
        // A proof is named by what is proved; every other step of the customer says who does it.
        Who::Customer if !words.starts_with("the customer ") => {
            format!("Next: the customer proves the {words}.")
        }
        _ => format!("Next: {words}."),
    }
}

fn open(label: &str, to: String, key: &str) -> Button {
    Button {
        label: label.to_owned(),
        does: Does::Open(to),
        key: key.to_owned(),
    }
}

fn post(label: &str, to: String, fields: Vec<(String, String)>, key: &str) -> Button {
    Button {
        label: label.to_owned(),
        does: Does::Post { to, fields },
        key: key.to_owned(),
    }
}

fn primary(view: &CaseView) -> Option<Button> {
    let id = &view.case.0;
    match view.state {
        CaseState::Ready { .. } if view.can.run.can => {
            Some(open("Run action", format!("/cases/{id}/run"), "r"))
        }
        CaseState::Done => Some(open("Open the receipt", format!("/cases/{id}/receipt"), "")),
        state if state.is_final() => Some(open(
            "Start a new case",
            "/cases/new/customer".to_owned(),
            "c",
        )),
        CaseState::Waiting { .. }
        | CaseState::Granted
        | CaseState::Running
        | CaseState::Unknown => None,
        _ if needs_link(view) && view.can.issue_link.can => Some(post(
            "Send the link",
            format!("/cases/{id}/link"),
            Vec::new(),
            "l",
        )),
        _ => Some(Button {
            label: "Run action".to_owned(),
            does: Does::Nothing,
            key: "r".to_owned(),
        }),
    }
}

fn secondary(view: &CaseView) -> Option<Button> {
    let id = &view.case.0;
    match view.checklist.next.who {
        Who::Colleague { .. } => Some(open("Open the approval", format!("/approvals/{id}"), "a")),
        _ if view.can.issue_link.can && view.state.is_final() => Some(post(
            "Send a link to the receipt",
            format!("/cases/{id}/link"),
            Vec::new(),
            "l",
        )),
        _ if view.can.issue_link.can
            && (view.to_set.is_some() || matches!(view.link, LinkView::Issued { .. })) =>
        {
            Some(post(
                "Send a new link",
                format!("/cases/{id}/link"),
                Vec::new(),
                "l",
            ))
        }
        _ => None,
    }
}

pub(super) fn needs_link(view: &CaseView) -> bool {
    view.checklist.customer.needs_link
        && matches!(view.link, LinkView::None | LinkView::RanOut { .. })
}

pub(super) fn say(view: &CaseView) -> Option<SayThis> {
    match view.state {
        CaseState::Waiting { .. } => Some(SayThis::Waits),
        CaseState::Done => Some(SayThis::Finished),
        CaseState::Open if view.checklist.customer.link_used_at.is_none() => {
            Some(SayThis::OpenTheLink)
        }
        CaseState::Open if view.checklist.customer.confirmed_at.is_none() => {
            Some(SayThis::NoWayAround)
        }
        _ => None,
    }
}

pub(super) fn notice(view: &CaseView, calendar: &Calendar) -> Option<Notice> {
    let ending = view.ending.as_ref();
    let at = ending.map_or_else(String::new, |ending| calendar.when(ending.at).shown);
    let by = ending
        .and_then(|ending| ending.by.name.clone())
        .unwrap_or_else(|| "the customer".to_owned());
    let words = ending
        .and_then(|ending| ending.reason.clone())
        .map_or_else(String::new, |reason| {
            format!(" They wrote: \u{201c}{reason}\u{201d}")
        });
    let card = |family, title: &str, text: String| {
        Some(Notice {
            family,
            title: title.to_owned(),
            text,
            action: None,
        })
    };
    match view.state {
        CaseState::Stopped => {
            let closed = ending.and_then(|ending| ending.closed_until).map_or_else(String::new, |until| format!(" The same request stays closed until {}.", calendar.when(until).shown));
            card(Family::Stop, "Stopped", format!("Stopped at {at}. Nothing happened.{words}{closed}"))
        }
        CaseState::Refused => card(Family::Bad, "Declined by a colleague", format!("{by} declined this at {at}. Nothing happened.{words}")),
        CaseState::Withdrawn => card(Family::Idle, "Taken back", format!("{by} took this back at {at}. Nothing happened.")),
        CaseState::Expired => card(Family::Idle, "Expired", "It ran out before everything was there. Nothing happened.".to_owned()),
        CaseState::Failed => {
            let reason = view.failure.clone().unwrap_or_default();
            if reason == "not_set_in_time" {
                return card(Family::Idle, "Not set in time", "The customer had a day to set the new one on their own page, and did not. Nothing changed.".to_owned());
            }
            card(Family::Bad, "Could not be carried out", format!("The backend said no ({reason}). Nothing changed."))
        }
        CaseState::Unknown => card(
            Family::Wait,
            "No answer from the backend",
            "It may or may not have happened. It is never repeated blindly: the gate asks until it knows. Do not run it by hand.".to_owned(),
        ),
        CaseState::Open if view.checklist.next.who == Who::Nobody => {
            card(Family::Bad, "This cannot go on", sentence_case(&view.checklist.next.words))
        }
        _ => None,
    }
}

fn customer_card(view: &CaseView, calendar: &Calendar) -> CustomerCard {
    let customer = &view.customer;
    let text = |label: &str, value: String| Fact {
        label: label.to_owned(),
        value: FactValue::Text(value),
    };
    let mut facts = vec![
        text("Account", customer.name.clone()),
        Fact {
            label: "Customer no.".to_owned(),
            value: FactValue::Machine(customer.number.clone()),
        },
    ];
    for contact in customer
        .contacts
        .iter()
        .filter(|contact| contact.removed_at.is_none())
    {
        facts.push(Fact {
            label: sentence_case(&contact.channel_label),
            value: FactValue::Machine(contact.address.clone()),
        });
    }
    if let Some(reference) = &view.reference {
        facts.push(text("Ticket", reference.clone()));
    }
    if let Some(reason) = &view.reason {
        facts.push(text("Reason", reason.clone()));
    }
    facts.push(text("Customer since", calendar.month(customer.since)));
    for (label, until) in &customer.locked {
        facts.push(text(
            "Notice",
            format!("{label} is closed until {}", calendar.when(*until).shown),
        ));
    }
    CustomerCard {
        href: Some(format!(
            "/customers/{}",
            crate::pages::encode(&customer.id.0)
        )),
        facts,
        masked: customer.masked,
    }
}

fn log(view: &CaseView, calendar: &Calendar) -> Vec<LogLine> {
    view.timeline
        .iter()
        .rev()
        .take(LOG_LINES)
        .map(|entry| LogLine {
            at: calendar.second(entry.at),
            text: sentence_case(&entry.words),
        })
        .collect()
}

/// `POST /cases/{id}/link`: makes the link and shows it, once.
pub async fn link(State(web): State<Web>, desk: Desk, Path(id): Path<String>) -> Answer {
    let issued = web.gate.issue_link(&desk.staff, &case_id(&id)?).await?;
    let mut page = case_page(&web, &desk, &id).await?;
    page.link = Some(CustomerLink {
        url: web.link(&issued).url,
        until: desk.calendar.when(issued.until),
    });
    html(&page)
}

/// `GET /cases/{id}/withdraw`
pub async fn withdraw_page(State(web): State<Web>, desk: Desk, Path(id): Path<String>) -> Answer {
    let view = web.gate.case_view(&desk.staff, &case_id(&id)?).await?;
    if !view.can.withdraw.can {
        return Ok(see_other(&format!("/cases/{}", view.case.0)));
    }
    let procedure = web.gate.procedure_of(&view.procedure).await?;
    html(&WithdrawPage {
        frame: desk.frame(Some(Section::Desk)),
        id: view.case.0.clone(),
        act: act(&procedure, &view, &desk.calendar),
    })
}

/// `POST /cases/{id}/withdraw`
pub async fn withdraw(State(web): State<Web>, desk: Desk, Path(id): Path<String>) -> Answer {
    let case = case_id(&id)?;
    done_or_already(web.gate.withdraw(&desk.staff, &case).await)?;
    Ok(see_other(&format!("/cases/{}", case.0)))
}

/// A button that was pressed twice, or too late, leads to the page that says how it stands.
pub fn done_or_already(done: Result<Applied, CaseError>) -> Result<(), Problem> {
    match done {
        Ok(_) => Ok(()),
        Err(CaseError::Refused(refusal)) if refusal.code().starts_with("already-") => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// `POST /cases/{id}/vouch`
pub async fn vouch(
    State(web): State<Web>,
    desk: Desk,
    Path(id): Path<String>,
    Form(fields): Form<Fields>,
) -> Answer {
    let case = case_id(&id)?;
    let text = field(&fields, "text");
    done_or_already(web.gate.vouch(&desk.staff, &case, text).await)?;
    Ok(see_other(&format!("/cases/{}", case.0)))
}

/// `GET /cases/{id}/run`
pub async fn run_page(State(web): State<Web>, desk: Desk, Path(id): Path<String>) -> Answer {
    html(&run_of(&web, &desk, &id).await?)
}

/// `POST /cases/{id}/run`
pub async fn run(
    State(web): State<Web>,
    desk: Desk,
    Path(id): Path<String>,
    Form(fields): Form<Fields>,
) -> Answer {
    let case = case_id(&id)?;
    // The button stands under words that were read; pressed under others it runs nothing.
    let view = web.gate.case_view(&desk.staff, &case).await?;
    if Digest::from_hex(field(&fields, "digest")) != Some(view.digest) {
        return Err(Problem::new(
            StatusCode::CONFLICT,
            "other-digest",
            "This changed while you were reading",
        ));
    }
    match web.gate.run(&desk.staff, &case).await {
        Ok(_) => Ok(see_other(&format!("/cases/{}/run", case.0))),
        Err(error @ countersign_service::CaseError::Refused(_)) => {
            let mut page = run_of(&web, &desk, &id).await?;
            if !matches!(
                page.state,
                RunState::Done { .. } | RunState::Running | RunState::Unknown
            ) {
                page.state = RunState::NotReady(sentence_case(&error.to_string()));
            }
            html_with(StatusCode::CONFLICT, &page)
        }
        Err(error) => Err(error.into()),
    }
}

async fn run_of(web: &Web, desk: &Desk, id: &str) -> Result<RunPage, Problem> {
    let view = web.gate.case_view(&desk.staff, &case_id(id)?).await?;
    let procedure = web.gate.procedure_of(&view.procedure).await?;
    let calendar = &desk.calendar;
    let state = match view.state {
        CaseState::Ready { .. } => RunState::Ask {
            proven: happened(&view, calendar),
            effect: "Takes effect now.".to_owned(),
        },
        CaseState::Waiting { until, .. } => RunState::Waits {
            until: calendar.when(until),
            next: vec!["It runs by itself then, unless somebody stops it.".to_owned()],
        },
        CaseState::Granted | CaseState::Running => RunState::Running,
        CaseState::Done => RunState::Done {
            at: calendar.when(view.timeline.last().map_or(view.opened_at, |last| last.at)),
            next: vec!["The customer can open the receipt.".to_owned()],
        },
        CaseState::Unknown => RunState::Unknown,
        CaseState::Failed => RunState::Failed(view.failure.clone().unwrap_or_default()),
        _ => RunState::NotReady(match view.checklist.missing.first() {
            Some(missing) => format!("Still missing: {}.", missing.words),
            None => "This case is over.".to_owned(),
        }),
    };
    Ok(RunPage {
        frame: desk.frame(Some(Section::Desk)),
        id: view.case.0.clone(),
        act: act(&procedure, &view, calendar),
        verb: inside_sentence(&view.action_label),
        state,
    })
}

/// What was proved, confirmed and signed, by whom and when.
pub fn happened(view: &CaseView, calendar: &Calendar) -> Vec<Fact> {
    view.timeline
        .iter()
        .filter(|entry| {
            matches!(
                entry.kind.as_str(),
                "proved" | "confirmed" | "signed_off" | "vouched" | "notified"
            )
        })
        .map(|entry| Fact {
            label: calendar.second(entry.at).shown,
            value: FactValue::Text(sentence_case(&entry.words)),
        })
        .collect()
}

/// `GET /cases/{id}/receipt`
pub async fn receipt(State(web): State<Web>, desk: Desk, Path(id): Path<String>) -> Answer {
    let view = web.gate.case_view(&desk.staff, &case_id(&id)?).await?;
    let receipt = staff_receipt(&web, &view, &desk.calendar);
    html(&StaffReceiptPage {
        frame: desk.frame(Some(Section::Desk)),
        receipt,
    })
}

fn staff_receipt(web: &Web, view: &CaseView, calendar: &Calendar) -> Receipt {
    let download = view
        .receipt
        .then(|| format!("/cases/{}/receipt.json", view.case.0));
    let asked = view
        .opened_by
        .name
        .clone()
        .unwrap_or_else(|| "the customer".to_owned());
    let mut facts = vec![Fact {
        label: "Asked by".to_owned(),
        value: FactValue::Text(format!("{asked}, {}", calendar.full(view.opened_at))),
    }];
    facts.extend(happened(view, calendar));
    let over = view.timeline.last().map_or(view.opened_at, |last| last.at);
    sheet(
        web,
        &SheetOf {
            case: &view.case.0,
            words: present::words(&view.pieces),
            state: view.state,
            procedure: &view.procedure,
            action: &view.action,
            digest: view.digest.to_string(),
        },
        facts,
        calendar,
        over,
        download,
    )
}

/// What a receipt is about.
#[derive(Debug)]
pub struct SheetOf<'a> {
    /// The case's id.
    pub case: &'a str,
    /// The words.
    pub words: crate::words::Words,
    /// How it stands.
    pub state: CaseState,
    /// Version of the procedure.
    pub procedure: &'a str,
    /// Name of the action.
    pub action: &'a str,
    /// The digest, hexadecimal.
    pub digest: String,
}

/// The sheet of a receipt, the same for staff and customer.
pub fn sheet(
    web: &Web,
    of: &SheetOf<'_>,
    facts: Vec<Fact>,
    calendar: &Calendar,
    at: countersign_cases::Timestamp,
    download: Option<String>,
) -> Receipt {
    let did_not = ReceiptOutcome::DidNotHappen;
    let language = calendar.language();
    let check_at = download.is_some().then(|| {
        let origin = &web.gate.settings().origin;
        format!("{origin}/receipts/verify#{}/{}", of.case, of.digest)
    });
    Receipt {
        language,
        own_language: web.gate.settings().language,
        qr: check_at
            .as_deref()
            .and_then(|check_at| Receipt::qr_of(check_at, language)),
        check_at,
        number: of.case.to_owned(),
        organisation: web.gate.procedure().organisation.clone(),
        words: of.words.clone(),
        outcome: match of.state {
            CaseState::Done => ReceiptOutcome::Happened,
            CaseState::Unknown => ReceiptOutcome::Unknown,
            CaseState::Failed => did_not(Key("receipt-why-failed")),
            CaseState::Stopped => did_not(Key("receipt-why-stopped")),
            CaseState::Refused => did_not(Key("receipt-why-refused")),
            CaseState::Withdrawn => did_not(Key("receipt-why-withdrawn")),
            CaseState::Expired => did_not(Key("receipt-why-expired")),
            _ => ReceiptOutcome::Open,
        },
        at: When {
            shown: calendar.with_zone(at),
            ..calendar.when(at)
        },
        facts,
        procedure: (of.action.to_owned(), present::short(of.procedure)),
        digest: of.digest.clone(),
        ledger: None,
        download,
    }
}

/// `GET /cases/{id}/receipt.json`
pub async fn receipt_json(State(web): State<Web>, desk: Desk, Path(id): Path<String>) -> Answer {
    let receipt = web
        .gate
        .receipt_for_staff(&desk.staff, &case_id(&id)?)
        .await?;
    Ok(download(&receipt.case.0, receipt.to_json()?))
}

/// A receipt as a file to keep.
pub fn download(case: &str, json: String) -> axum::response::Response {
    let mut response = json.into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    if let Ok(name) =
        HeaderValue::from_str(&format!("attachment; filename=\"receipt-{case}.json\""))
    {
        headers.insert(header::CONTENT_DISPOSITION, name);
    }
    response
}
