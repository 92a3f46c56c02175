//! `/c`: the customer's pages, one question each. Every proof goes through the [`CustomerSeat`] of exactly one case.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use countersign_cases::{Digest, State as CaseState, Who};
use countersign_language::{Action, Expr, Method, Procedure, ProofId, Requirement};
use countersign_service::adapters::secrets::Secret;
use countersign_service::speech::Arg;
use countersign_service::{
    Answered, CaseError, CustomerSeat, Detail, Language, LinkStanding, ProofError, SeatView,
    ToldEvent, TooMany, WayStanding,
};
use serde_json::json;

use super::cases::{SheetOf, download, sheet};
use super::company;
use super::sign_in::Scripted;
use super::stop::reason;
use super::{Answer, Browser, Fields, customer_frame, field, html, html_with};
use crate::Web;
use crate::api::cases::case_id;
use crate::body::{Form, Json, Path};
use crate::callers::Seat;
use crate::headers::see_other;
use crate::network::Network;
use crate::pages::{
    Button, ConfirmPage, CustomerFrame, CustomerReceiptPage, Does, DonePage, DoneState, Errors,
    Fact, FactValue, FieldError, Live, NextStep, PasskeyProofPage, ProofMethod, ProofProblem,
    ProofState, ProofWay, ProvePage, ReceiptRow, ReceiptsPage, StartPage, StartState, StepPlace,
    StopPage, StopState, Told, TypedProofPage, WayGroup, WayKind,
};
use crate::present::{self, Calendar, inside_sentence, sentence_case, words};
use crate::problem::Problem;
use crate::words::Typed;

/// `GET /c/{token}`: the token leaves the address bar. Opening never uses the link up: scanners and previews open links too.
pub async fn opened(State(web): State<Web>, Path(token): Path<String>) -> Answer {
    let mut response = see_other("/c");
    response
        .headers_mut()
        .append(header::SET_COOKIE, web.cookies.set_link(&token));
    Ok(response)
}

/// `GET /c`
pub async fn start(State(web): State<Web>, browser: Browser, headers: HeaderMap) -> Answer {
    if let Some(token) = web.cookies.link(&headers) {
        let standing = web.gate.link_standing(&token).await?;
        if let LinkStanding::Usable {
            until,
            receipt: true,
            ..
        } = &standing
        {
            let mut frame = customer_frame(&web, &browser);
            frame.works_until = Some(calendar(&web, &browser).when(*until));
            return html(&StartPage {
                frame,
                state: StartState::Receipt,
            });
        }
        if let LinkStanding::Usable { until, .. } = &standing
            && let Some(view) = web.gate.link_view(&token).await?
        {
            if view.state.is_final() {
                let page = StartPage {
                    frame: customer_frame(&web, &browser),
                    state: over(&web, &browser, &view),
                };
                return html_with(StatusCode::GONE, &page);
            }
            let procedure = web.gate.procedure_of(&view.procedure).await?;
            return html(&ask(&web, &procedure, &browser, &view, *until));
        }
        if seat_of(&web, &headers).await?.is_none() {
            let state = match standing {
                LinkStanding::Used { .. } => StartState::OtherDevice,
                _ => StartState::Gone,
            };
            return html_with(
                StatusCode::GONE,
                &StartPage {
                    frame: customer_frame(&web, &browser),
                    state,
                },
            );
        }
    }
    match seat_of(&web, &headers).await? {
        Some(seat) => Ok(see_other(next_page(&web.gate.seat_view(&seat).await?))),
        None => html_with(
            StatusCode::GONE,
            &StartPage {
                frame: customer_frame(&web, &browser),
                state: StartState::Gone,
            },
        ),
    }
}

async fn seat_of(web: &Web, headers: &HeaderMap) -> Result<Option<CustomerSeat>, Problem> {
    match web.cookies.seat(headers) {
        Some(token) => Ok(web.gate.seat(&token).await?),
        None => Ok(None),
    }
}

/// What a link says whose case ended before it was used.
fn over(web: &Web, browser: &Browser, view: &SeatView) -> StartState {
    match (view.state, view.ending.as_ref()) {
        (CaseState::Stopped, Some(ending)) => {
            StartState::Stopped(calendar(web, browser).when(ending.at))
        }
        _ => StartState::Gone,
    }
}

fn ask(
    web: &Web,
    procedure: &Procedure,
    browser: &Browser,
    view: &SeatView,
    until: countersign_cases::Timestamp,
) -> StartPage {
    let calendar = calendar(web, browser);
    let mut frame = frame(web, browser, view);
    frame.works_until = Some(calendar.when(until));
    let action = action_of(procedure, view);
    StartPage {
        state: StartState::Ask {
            words: words(&view.pieces),
            consequence: action.and_then(|action| consequence(&frame, procedure, action)),
            asked_by: view.opened_by.name.clone(),
            asked_at: calendar.when(view.opened_at),
            takes_effect: action
                .and_then(|action| present::waits_in(action, frame.language))
                .unwrap_or_else(|| frame.say("waits-not")),
            you_will_need: view.ways.iter().map(|way| way.label.clone()).collect(),
            failed: false,
        },
        frame,
    }
}

/// What follows from the words, in the page's language with the procedure's own labels in it.
fn consequence(frame: &CustomerFrame, procedure: &Procedure, action: &Action) -> Option<Told> {
    let follows = present::consequence_of(procedure, action)?;
    let labels = follows.labels.into_iter();
    Some(labels.fold(frame.tell(follows.key), |told, (name, label)| {
        told.with(name, frame.own(label))
    }))
}

/// Times as this browser's customer reads them, now.
pub fn calendar(web: &Web, browser: &Browser) -> Calendar {
    web.calendar().spoken(browser.language())
}

fn action_of<'a>(procedure: &'a Procedure, view: &SeatView) -> Option<&'a Action> {
    procedure
        .action_named(&view.action)
        .and_then(|id| procedure.actions.get(id.index()))
}

/// `POST /c/yes`: "Yes, I asked for this". Uses the link up and gives the seat.
pub async fn yes(State(web): State<Web>, network: Network, headers: HeaderMap) -> Answer {
    network.take(&web.rates.answers)?;
    let Some(token) = web.cookies.link(&headers) else {
        // Pressed twice: the seat is there already.
        return Ok(see_other("/c"));
    };
    match web.gate.use_link(&token).await {
        Ok((token, seat)) => {
            let view = web.gate.seat_view(&seat).await?;
            let to = if view.receipt {
                format!("/c/receipts/{}", view.case.0)
            } else {
                next_page(&view).to_owned()
            };
            Ok(seated(&web, token.expose(), &to))
        }
        Err(CaseError::LinkGone) => Ok(see_other("/c")),
        Err(error) => Err(error.into()),
    }
}

/// `POST /c/no`: "No, stop this". Needs no proof of any kind.
pub async fn no(State(web): State<Web>, network: Network, headers: HeaderMap) -> Answer {
    let Some(token) = web.cookies.link(&headers) else {
        return Ok(see_other("/c/stop"));
    };
    network.take(&web.rates.answers)?;
    let (seat_token, seat) = match web.gate.use_link(&token).await {
        Ok(used) => used,
        Err(CaseError::LinkGone) => return Ok(see_other("/c")),
        Err(error) => return Err(error.into()),
    };
    match web.gate.stop(&seat, None).await {
        Ok(_) | Err(CaseError::Refused(_)) => Ok(seated(&web, seat_token.expose(), "/c/stop")),
        Err(error) => Err(error.into()),
    }
}

fn seated(web: &Web, token: &str, to: &str) -> Response {
    let mut response = see_other(to);
    response
        .headers_mut()
        .append(header::SET_COOKIE, web.cookies.set_seat(token));
    response
        .headers_mut()
        .append(header::SET_COOKIE, web.cookies.clear_link());
    response
}

/// The page of the next question.
fn next_page(view: &SeatView) -> &'static str {
    if view.state == CaseState::Open && view.confirmed_at.is_none() {
        if view.may_confirm {
            "/c/confirm"
        } else {
            "/c/prove"
        }
    } else if view.to_set.is_some() {
        // Sends on to `/c/done` where it is not for this seat to set.
        "/c/set"
    } else {
        "/c/done"
    }
}

pub(super) fn frame(web: &Web, browser: &Browser, view: &SeatView) -> CustomerFrame {
    CustomerFrame {
        organisation: view.organisation.clone(),
        reference: view.reference.clone(),
        case: Some(view.case.0.clone()),
        can_stop: view.may_stop,
        ..customer_frame(web, browser)
    }
}

/// `GET /c/prove`
pub async fn prove(State(web): State<Web>, browser: Browser, Seat(seat): Seat) -> Answer {
    let view = web.gate.seat_view(&seat).await?;
    if next_page(&view) != "/c/prove" {
        return Ok(see_other(next_page(&view)));
    }
    let open: Vec<_> = view
        .ways
        .iter()
        .filter(|way| way.standing == WayStanding::Open)
        .collect();
    // Choosing a code sends it, and nothing is sent because somebody looked.
    if let [only] = open.as_slice()
        && !is_sent(only.method)
    {
        return Ok(see_other(&format!("/c/prove/{}", only.proof)));
    }
    let procedure = web.gate.procedure_of(&view.procedure).await?;
    let page = prove_page(&web, &procedure, &browser, &view, Errors::default());
    html(&page)
}

/// Whether a code is sent for it.
fn is_sent(method: Method) -> bool {
    matches!(method, Method::Mail | Method::Text)
}

/// `POST /c/prove`: which way. Choosing a code by mail or text sends it.
pub async fn choose(
    State(web): State<Web>,
    browser: Browser,
    network: Network,
    Seat(seat): Seat,
    Form(fields): Form<Fields>,
) -> Answer {
    let view = web.gate.seat_view(&seat).await?;
    if next_page(&view) != "/c/prove" {
        return Ok(see_other(next_page(&view)));
    }
    let wanted = field(&fields, "way");
    let way = view
        .ways
        .iter()
        .find(|way| way.proof == wanted && way.standing == WayStanding::Open);
    if let Some(way) = way {
        let standing = web.gate.code_standing(&seat, wanted).await?;
        let counts = standing.is_some_and(|code| web.gate.now() < code.until);
        if is_sent(way.method) && !counts {
            return send_and_show(&web, &browser, &network, &seat, wanted).await;
        }
        return Ok(see_other(&format!("/c/prove/{wanted}")));
    }
    let procedure = web.gate.procedure_of(&view.procedure).await?;
    let errors = Errors(vec![FieldError {
        field: "way".to_owned(),
        message: browser.language().say("prove-choose"),
    }]);
    html_with(
        StatusCode::UNPROCESSABLE_ENTITY,
        &prove_page(&web, &procedure, &browser, &view, errors),
    )
}

fn prove_page(
    web: &Web,
    procedure: &Procedure,
    browser: &Browser,
    view: &SeatView,
    errors: Errors,
) -> ProvePage {
    let calendar = calendar(web, browser);
    let (step, steps) = steps(procedure, view);
    let groups = [WayKind::Have, WayKind::Know, WayKind::Receive]
        .into_iter()
        .filter_map(|kind| {
            let ways: Vec<_> = view
                .ways
                .iter()
                .map(|way| proof_way(way, &calendar))
                .filter(|way| kind_of(way.method) == kind)
                .collect();
            (!ways.is_empty()).then_some(WayGroup { kind, ways })
        })
        .collect();
    let none_left = !view
        .ways
        .iter()
        .any(|way| way.standing == WayStanding::Open);
    let again = view
        .ways
        .iter()
        .filter_map(|way| {
            if let WayStanding::Closed { until } = way.standing {
                Some(until)
            } else {
                None
            }
        })
        .min();
    ProvePage {
        frame: frame(web, browser, view),
        step,
        steps,
        groups: if none_left { Vec::new() } else { groups },
        again: again.filter(|_| none_left).map(|at| calendar.when(at)),
        errors,
    }
}

fn kind_of(method: ProofMethod) -> WayKind {
    match method {
        ProofMethod::Passkey | ProofMethod::App | ProofMethod::Push | ProofMethod::Check => {
            WayKind::Have
        }
        ProofMethod::Mail | ProofMethod::Text => WayKind::Receive,
        ProofMethod::Pin | ProofMethod::Password | ProofMethod::Company => WayKind::Know,
    }
}

fn proof_way(way: &countersign_service::Way, calendar: &Calendar) -> ProofWay {
    ProofWay {
        name: way.proof.clone(),
        label: sentence_case(&way.label),
        method: shown_method(way.method),
        state: match way.standing {
            WayStanding::Open => ProofState::Open,
            WayStanding::Done { .. } => ProofState::Done,
            WayStanding::Closed { until } => ProofState::Closed(calendar.when(until)),
        },
    }
}

fn shown_method(method: Method) -> ProofMethod {
    match method {
        Method::Pin => ProofMethod::Pin,
        Method::Password => ProofMethod::Password,
        Method::Totp => ProofMethod::App,
        Method::Passkey => ProofMethod::Passkey,
        Method::Mail => ProofMethod::Mail,
        Method::Text => ProofMethod::Text,
        Method::Ciba => ProofMethod::Push,
        Method::Webhook => ProofMethod::Check,
        Method::Oidc | Method::Panel => ProofMethod::Company,
    }
}

/// A way by its name. One that the customer never registered looks like any other: what stands on this page must not
/// tell somebody who has proved nothing whether there is a PIN.
pub(super) fn way_named(
    web: &Web,
    browser: &Browser,
    procedure: &Procedure,
    view: &SeatView,
    name: &str,
) -> Option<ProofWay> {
    if let Some(way) = view.ways.iter().find(|way| way.proof == name) {
        return Some(proof_way(way, &calendar(web, browser)));
    }
    let id = procedure.proof_named(name)?;
    let proof = procedure.proofs.get(id.index())?;
    let asked = action_of(procedure, view)?.paths.iter().any(|path| {
        path.lines.iter().any(
            |line| matches!(&line.requirement, Requirement::Prove(expression) if asks(expression, id)),
        )
    });
    let method = proof.using.filter(|method| {
        asked && web.gate.supports(name, *method) && !is_sent(*method) && *method != Method::Passkey
    })?;
    Some(ProofWay {
        name: name.to_owned(),
        label: sentence_case(&proof.label),
        method: shown_method(method),
        state: ProofState::Open,
    })
}

fn asks(expression: &Expr, wanted: ProofId) -> bool {
    match expression {
        Expr::Atom { proof, .. } => *proof == wanted,
        Expr::And(of) | Expr::Or(of) | Expr::NOf { of, .. } => {
            of.iter().any(|one| asks(one, wanted))
        }
    }
}

/// Which question this is, and of how many, on the way that needs the fewest.
pub(super) fn steps(procedure: &Procedure, view: &SeatView) -> (u32, u32) {
    let is_done = |name: &str| {
        view.ways
            .iter()
            .any(|way| way.proof == name && matches!(way.standing, WayStanding::Done { .. }))
    };
    let done = view
        .ways
        .iter()
        .filter(|way| matches!(way.standing, WayStanding::Done { .. }))
        .count();
    let left = action_of(procedure, view)
        .into_iter()
        .flat_map(|action| &action.paths)
        .map(|path| {
            path.lines
                .iter()
                .map(|line| match &line.requirement {
                    Requirement::Prove(expression) => proofs_left(procedure, expression, &is_done),
                    _ => 0,
                })
                .sum::<usize>()
        })
        .min()
        .unwrap_or(0);
    let step = u32::try_from(done + 1).unwrap_or(1);
    (step, u32::try_from(done + left).unwrap_or(step).max(step))
}

fn proofs_left(procedure: &Procedure, expression: &Expr, done: &impl Fn(&str) -> bool) -> usize {
    match expression {
        Expr::Atom { proof, .. } => usize::from(
            !procedure
                .proofs
                .get(proof.index())
                .is_some_and(|proof| done(&proof.name)),
        ),
        Expr::And(all) => all
            .iter()
            .map(|one| proofs_left(procedure, one, done))
            .sum(),
        Expr::Or(any) => any
            .iter()
            .map(|one| proofs_left(procedure, one, done))
            .min()
            .unwrap_or(0),
        Expr::NOf { n, of } => {
            let mut each: Vec<usize> = of
                .iter()
                .map(|one| proofs_left(procedure, one, done))
                .collect();
            each.sort_unstable();
            each.iter()
                .take(usize::try_from(*n).unwrap_or(usize::MAX))
                .sum()
        }
    }
}

/// `GET /c/prove/{way}`
pub async fn way(
    State(web): State<Web>,
    browser: Browser,
    Seat(seat): Seat,
    Path(name): Path<String>,
) -> Answer {
    let view = web.gate.seat_view(&seat).await?;
    let procedure = web.gate.procedure_of(&view.procedure).await?;
    let way =
        way_named(&web, &browser, &procedure, &view, &name).ok_or_else(Problem::nothing_here)?;
    if next_page(&view) != "/c/prove" || way.state == ProofState::Done {
        return Ok(see_other(next_page(&view)));
    }
    if matches!(way.method, ProofMethod::Mail | ProofMethod::Text)
        && web.gate.code_standing(&seat, &name).await?.is_none()
    {
        // No code was sent yet; choosing this way sends one.
        return Ok(see_other("/c/prove"));
    }
    if company::is_asked_here(way.method) {
        return company::show(&web, &browser, &seat, &name, way.method).await;
    }
    if way.method == ProofMethod::Passkey {
        let (step, steps) = steps(&procedure, &view);
        return html(&PasskeyProofPage {
            frame: frame(&web, &browser, &view),
            step,
            steps,
            problem: closed(&way),
            way,
            other_ways: view.ways.len() > 1,
        });
    }
    show_typed(&web, &browser, &seat, &name, None, None).await
}

fn closed(way: &ProofWay) -> Option<ProofProblem> {
    if let ProofState::Closed(until) = &way.state {
        Some(ProofProblem::Closed(until.clone()))
    } else {
        None
    }
}

async fn show_typed(
    web: &Web,
    browser: &Browser,
    seat: &CustomerSeat,
    name: &str,
    problem: Option<ProofProblem>,
    sent: Option<countersign_cases::Timestamp>,
) -> Answer {
    let view = web.gate.seat_view(seat).await?;
    let procedure = web.gate.procedure_of(&view.procedure).await?;
    let calendar = calendar(web, browser);
    let way = way_named(web, browser, &procedure, &view, name).ok_or_else(Problem::nothing_here)?;
    let address = view
        .ways
        .iter()
        .find(|way| way.proof == name)
        .and_then(|way| way.address.clone());
    let (step, steps) = steps(&procedure, &view);
    let status = if problem.is_some() {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    let standing = web.gate.code_standing(seat, name).await?;
    html_with(
        status,
        &TypedProofPage {
            frame: frame(web, browser, &view),
            step,
            steps,
            sent_to: address.filter(|_| standing.is_some() || sent.is_some()),
            code_until: standing.as_ref().map(|code| calendar.when(code.until)),
            again_from: standing
                .as_ref()
                .map(|code| code.again_at)
                .or(sent)
                .filter(|at| *at > calendar.now())
                .map(|at| calendar.when(at)),
            other_ways: view.ways.len() > 1,
            problem: problem.or_else(|| closed(&way)),
            way,
        },
    )
}

/// `POST /c/prove/{way}/send`: sends a one-time code.
pub async fn send(
    State(web): State<Web>,
    browser: Browser,
    network: Network,
    Seat(seat): Seat,
    Path(name): Path<String>,
) -> Answer {
    send_and_show(&web, &browser, &network, &seat, &name).await
}

async fn send_and_show(
    web: &Web,
    browser: &Browser,
    network: &Network,
    seat: &CustomerSeat,
    name: &str,
) -> Answer {
    network.take(&web.rates.answers)?;
    let failed = Some(ProofProblem::Failed);
    match web.gate.send_code(seat, name).await {
        Ok(_) => Ok(see_other(&format!("/c/prove/{name}"))),
        Err(ProofError::TooSoon { again_at }) => {
            show_typed(web, browser, seat, name, None, Some(again_at)).await
        }
        Err(ProofError::Case(CaseError::Refused(_))) => Ok(see_other("/c/prove")),
        Err(ProofError::Case(error)) => Err(error.into()),
        Err(ProofError::NotAsked) => Err(Problem::nothing_here()),
        Err(_) => show_typed(web, browser, seat, name, failed, None).await,
    }
}

/// `POST /c/prove/{way}`: the answer that was typed.
pub async fn answer(
    State(web): State<Web>,
    browser: Browser,
    network: Network,
    Seat(seat): Seat,
    Path(name): Path<String>,
    Form(mut fields): Form<Fields>,
) -> Answer {
    network.take(&web.rates.answers)?;
    let typed = Secret::new(fields.remove("secret").unwrap_or_default());
    if typed.expose().is_empty() {
        let problem = Some(ProofProblem::Empty);
        return show_typed(&web, &browser, &seat, &name, problem, None).await;
    }
    let digest = web.gate.digest_of(&seat).await?;
    match web.gate.prove(&seat, &name, digest, &typed).await {
        // Right, or proved already, or over: the next page says which.
        Ok(Answered::Right(_)) | Err(ProofError::Case(CaseError::Refused(_))) => {
            Ok(see_other("/c"))
        }
        Ok(Answered::NotRight { tries_left }) => {
            let problem = Some(ProofProblem::Wrong(tries_left));
            show_typed(&web, &browser, &seat, &name, problem, None).await
        }
        Err(ProofError::Case(error)) => Err(error.into()),
        Err(ProofError::NotAsked) => Err(Problem::nothing_here()),
        Err(error @ (ProofError::Overloaded | ProofError::TooMany(_))) => Err(error.into()),
        Err(_) => {
            let problem = Some(ProofProblem::Failed);
            show_typed(&web, &browser, &seat, &name, problem, None).await
        }
    }
}

/// `POST /c/prove/{way}/start` (script)
pub async fn start_passkey(
    State(web): State<Web>,
    Seat(seat): Seat,
    Path(name): Path<String>,
) -> Answer {
    let prompt = web.gate.start_passkey_proof(&seat, &name).await?;
    Ok(
        axum::Json(json!({ "ceremony": prompt.digest.to_string(), "publicKey": prompt.options }))
            .into_response(),
    )
}

/// `POST /c/prove/{way}/finish` (script)
pub async fn finish_passkey(
    State(web): State<Web>,
    network: Network,
    Seat(seat): Seat,
    Path(name): Path<String>,
    body: Json<Scripted>,
) -> Answer {
    network.take(&web.rates.answers)?;
    let digest = Digest::from_hex(&body.value.ceremony)
        .ok_or_else(|| Problem::invalid("ceremony", "is not of this prompt"))?;
    web.gate
        .finish_passkey_proof(&seat, &name, digest, &body.value.credential)
        .await?;
    Ok(axum::Json(json!({ "location": "/c" })).into_response())
}

/// `GET /c/confirm`
pub async fn confirm_page(State(web): State<Web>, browser: Browser, Seat(seat): Seat) -> Answer {
    let view = web.gate.seat_view(&seat).await?;
    if next_page(&view) != "/c/confirm" {
        return Ok(see_other(next_page(&view)));
    }
    let procedure = web.gate.procedure_of(&view.procedure).await?;
    let page = confirming(&web, &procedure, &browser, &view, Errors::default());
    html(&page)
}

fn confirming(
    web: &Web,
    procedure: &Procedure,
    browser: &Browser,
    view: &SeatView,
    errors: Errors,
) -> ConfirmPage {
    let action = action_of(procedure, view);
    let summary: Vec<Fact> = view
        .parameters
        .iter()
        .map(|parameter| Fact {
            label: sentence_case(&parameter.label),
            value: FactValue::Machine(parameter.value.clone()),
        })
        .collect();
    let frame = frame(web, browser, view);
    ConfirmPage {
        words: words(&view.pieces),
        consequence: action.and_then(|action| consequence(&frame, procedure, action)),
        summary,
        takes_effect: action.and_then(|action| present::waits_in(action, frame.language)),
        digest: view.digest.to_string(),
        number_from: view.number_from.clone(),
        // German nouns keep their capital.
        button: if frame.own_language == Language::German {
            view.action_label.clone()
        } else {
            inside_sentence(&view.action_label)
        },
        errors,
        frame,
    }
}

/// `POST /c/confirm`: the customer's last step. `digest` is the one of the words on the page, `number` the two digits the
/// agent tells, where they are asked for.
pub async fn confirm(
    State(web): State<Web>,
    browser: Browser,
    network: Network,
    Seat(seat): Seat,
    Form(fields): Form<Fields>,
) -> Answer {
    network.take(&web.rates.answers)?;
    let Some(digest) = Digest::from_hex(field(&fields, "digest")) else {
        return Err(Problem::new(
            StatusCode::CONFLICT,
            "other-digest",
            "This changed while you were reading",
        ));
    };
    let number = fields.get("number").map(String::as_str);
    let language = browser.language();
    let (status, at_field, message) = match web.gate.confirm(&seat, digest, number).await {
        Ok(_) => return Ok(see_other("/c/done")),
        Err(CaseError::Refused(refusal)) if refusal.code() == "already-confirmed" => {
            return Ok(see_other("/c/done"));
        }
        Err(CaseError::Refused(refusal)) if refusal.code() == "customer-part-missing" => (
            StatusCode::CONFLICT,
            "confirm",
            language.say("confirm-missing"),
        ),
        Err(CaseError::NumberMissing) => (
            StatusCode::UNPROCESSABLE_ENTITY,
            "number",
            language.say("confirm-number-missing"),
        ),
        Err(CaseError::WrongNumber { tries_left }) => (
            StatusCode::UNPROCESSABLE_ENTITY,
            "number",
            language.tell(
                "confirm-number-tries",
                &[("tries", Arg::Number(u64::from(tries_left)))],
            ),
        ),
        Err(CaseError::NumberClosed { until }) => (
            StatusCode::TOO_MANY_REQUESTS,
            "number",
            language.tell(
                "confirm-number-closed",
                &[(
                    "until",
                    Arg::Text(&calendar(&web, &browser).when(until).shown),
                )],
            ),
        ),
        Err(error) => return Err(error.into()),
    };
    let view = web.gate.seat_view(&seat).await?;
    let errors = Errors(vec![FieldError {
        field: at_field.to_owned(),
        message,
    }]);
    let procedure = web.gate.procedure_of(&view.procedure).await?;
    html_with(
        status,
        &confirming(&web, &procedure, &browser, &view, errors),
    )
}

/// `POST /c/run`: the customer says "run".
pub async fn run(State(web): State<Web>, Seat(seat): Seat) -> Answer {
    match web.gate.run_from_seat(&seat).await {
        Ok(_) | Err(CaseError::Refused(_)) => {
            Ok(see_other(next_page(&web.gate.seat_view(&seat).await?)))
        }
        Err(error) => Err(error.into()),
    }
}

/// `GET /c/done`
pub async fn done(State(web): State<Web>, browser: Browser, Seat(seat): Seat) -> Answer {
    html(&done_page(&web, &browser, &seat).await?)
}

/// The last page, as it stands now.
pub async fn done_page(
    web: &Web,
    browser: &Browser,
    seat: &CustomerSeat,
) -> Result<DonePage, Problem> {
    let view = web.gate.seat_view(seat).await?;
    let calendar = calendar(web, browser);
    let when =
        |at: Option<countersign_cases::Timestamp>| calendar.when(at.unwrap_or(view.opened_at));
    let state = match view.state {
        CaseState::None | CaseState::Open => DoneState::Checked,
        CaseState::Waiting { until, .. } => DoneState::Waits(calendar.when(until)),
        CaseState::Ready { .. } => DoneState::Ready,
        CaseState::Granted if view.to_set.is_some() => DoneState::ToSet {
            until: when(view.to_set),
            here: web.gate.enrolment(seat).await?.is_some(),
        },
        CaseState::Granted | CaseState::Running => DoneState::Running,
        CaseState::Done => DoneState::Done,
        CaseState::Failed => DoneState::Failed,
        CaseState::Unknown => DoneState::Unknown,
        CaseState::Refused => DoneState::Declined,
        CaseState::Stopped | CaseState::Withdrawn => {
            DoneState::Stopped(when(view.ending.as_ref().map(|ending| ending.at)))
        }
        CaseState::Expired => DoneState::Expired,
    };
    let over = view.state.is_final();
    let set = match &state {
        DoneState::ToSet { here: true, .. } => Some("/c/set".to_owned()),
        _ => None,
    };
    let host = |url: &str| {
        url.split("://")
            .nth(1)
            .and_then(|rest| rest.split('/').next())
            .unwrap_or(url)
            .to_owned()
    };
    Ok(DonePage {
        steps: next_steps(&view, &calendar, browser.language()),
        state,
        words: words(&view.pieces),
        set,
        receipt: view.receipt.then(|| format!("/c/receipts/{}", view.case.0)),
        stop_until: view
            .takes_effect_at
            .filter(|_| view.may_stop)
            .map(|at| calendar.when(at)),
        run: view.may_run.then(|| Button {
            label: sentence_case(&view.action_label),
            does: Does::Post {
                to: "/c/run".to_owned(),
                fields: Vec::new(),
            },
            key: String::new(),
        }),
        back_to: view.return_to.clone().map(|url| (host(&url), url)),
        live: (!over).then(|| Live {
            events: "/c/events".to_owned(),
            from: view.version,
        }),
        frame: frame(web, browser, &view),
    })
}

fn next_steps(view: &SeatView, calendar: &Calendar, language: Language) -> Vec<NextStep> {
    if view.state.is_final() || view.to_set.is_some() {
        return Vec::new();
    }
    let mut steps = vec![NextStep {
        text: language.say("done-step-confirmed"),
        place: StepPlace::Done,
    }];
    let colleague = view
        .missing
        .iter()
        .any(|missing| matches!(missing.who, Who::Colleague { .. }));
    if colleague {
        steps.push(NextStep {
            text: language.say("done-step-colleague"),
            place: StepPlace::Now,
        });
    }
    if let Some(at) = view.takes_effect_at {
        steps.push(NextStep {
            text: language.tell(
                "done-step-at",
                &[("at", Arg::Text(&calendar.when(at).shown))],
            ),
            place: if colleague {
                StepPlace::Next
            } else {
                StepPlace::Now
            },
        });
    } else if view
        .missing
        .iter()
        .any(|missing| matches!(missing.who, Who::Time | Who::Gate))
    {
        steps.push(NextStep {
            text: language.say("done-step-told"),
            place: StepPlace::Next,
        });
    }
    let now = steps.iter().all(|step| step.place == StepPlace::Done);
    steps.push(NextStep {
        text: language.say("done-step-last"),
        place: if now { StepPlace::Now } else { StepPlace::Next },
    });
    steps
}

/// `GET /c/stop`
pub async fn stop_page(State(web): State<Web>, browser: Browser, headers: HeaderMap) -> Answer {
    match (seat_of(&web, &headers).await?, web.cookies.link(&headers)) {
        (Some(seat), _) => html(&stopping(&web, &browser, &seat, None).await?),
        (None, Some(_)) => html(&stop_elsewhere(
            &web,
            &browser,
            StopState::Ask {
                until: None,
                failed: false,
            },
        )),
        (None, None) => Err(Problem::link_over()),
    }
}

/// For somebody who holds a link that was used on another device: perhaps by somebody else.
fn stop_elsewhere(web: &Web, browser: &Browser, state: StopState) -> StopPage {
    StopPage {
        frame: customer_frame(web, browser),
        action: "/c/stop".to_owned(),
        back: None,
        words: None,
        state,
        from_notice: false,
    }
}

/// `POST /c/stop`: needs no proof; stopping is easier than anything else here.
pub async fn stop(
    State(web): State<Web>,
    browser: Browser,
    network: Network,
    headers: HeaderMap,
    Form(fields): Form<Fields>,
) -> Answer {
    let reason = reason(&fields);
    let Some(seat) = seat_of(&web, &headers).await? else {
        network.take(&web.rates.answers)?;
        let token = web.cookies.link(&headers).ok_or_else(Problem::link_over)?;
        let stopped = web
            .gate
            .stop_with_any_link(&token, reason.as_deref())
            .await?;
        let state = if stopped.state == CaseState::Stopped {
            StopState::Stopped
        } else {
            StopState::TooLate(calendar(&web, &browser).when(web.gate.now()))
        };
        return html(&stop_elsewhere(&web, &browser, state));
    };
    let state = match web.gate.stop(&seat, reason.as_deref()).await {
        Ok(applied) if applied.state == CaseState::Stopped => Some(StopState::Stopped),
        Ok(_) | Err(CaseError::Refused(_)) => None,
        Err(_) => Some(StopState::Ask {
            until: None,
            failed: true,
        }),
    };
    html(&stopping(&web, &browser, &seat, state).await?)
}

async fn stopping(
    web: &Web,
    browser: &Browser,
    seat: &CustomerSeat,
    state: Option<StopState>,
) -> Result<StopPage, Problem> {
    let view = web.gate.seat_view(seat).await?;
    let calendar = calendar(web, browser);
    let ended = view.ending.as_ref().map(|ending| calendar.when(ending.at));
    let standing = match view.state {
        CaseState::Stopped => {
            StopState::Already(ended.unwrap_or_else(|| calendar.when(view.opened_at)))
        }
        CaseState::Running | CaseState::Done | CaseState::Unknown | CaseState::Failed => {
            StopState::TooLate(calendar.when(view.changed_at))
        }
        _ if view.may_stop => StopState::Ask {
            until: view.takes_effect_at.map(|at| calendar.when(at)),
            failed: false,
        },
        _ => StopState::Over,
    };
    let mut frame = frame(web, browser, &view);
    frame.can_stop = false;
    Ok(StopPage {
        frame,
        action: "/c/stop".to_owned(),
        back: Some("/c".to_owned()),
        words: Some(words(&view.pieces)),
        state: state.unwrap_or(standing),
        from_notice: false,
    })
}

/// `GET /c/receipts`
pub async fn receipts(State(web): State<Web>, browser: Browser, Seat(seat): Seat) -> Answer {
    let view = web.gate.seat_view(&seat).await?;
    let calendar = calendar(&web, &browser);
    let rows = web
        .gate
        .cases_of_seat(&seat)
        .await?
        .into_iter()
        .filter(|row| {
            matches!(
                row.state.as_str(),
                "done" | "failed" | "unknown" | "refused" | "stopped" | "withdrawn" | "expired"
            )
        })
        .map(|row| ReceiptRow {
            href: format!("/c/receipts/{}", row.case.0),
            at: calendar.when(row.updated_at),
            words: crate::words::Words::new(&row.sentence, &[]),
            happened: row.state == "done",
        })
        .collect();
    html(&ReceiptsPage {
        frame: frame(&web, &browser, &view),
        rows,
    })
}

/// `GET /c/receipts/{case}`
pub async fn receipt(
    State(web): State<Web>,
    browser: Browser,
    Seat(seat): Seat,
    Path(id): Path<String>,
) -> Answer {
    let view = web.gate.seat_view(&seat).await?;
    let calendar = calendar(&web, &browser);
    let receipt = web.gate.receipt_of_customer(&seat, &case_id(&id)?).await?;
    let own = receipt.case == view.case;
    let timeline = if own {
        web.gate.seat_timeline(&seat).await?
    } else {
        Vec::new()
    };
    let frame = frame(&web, &browser, &view);
    let facts = timeline
        .iter()
        .map(|entry| Fact {
            label: calendar.second(entry.at).shown,
            value: FactValue::Told(event(&frame, &entry.told)),
        })
        .collect();
    let of = SheetOf {
        case: &receipt.case.0,
        words: if own {
            words(&view.pieces)
        } else {
            crate::words::Words::new(&receipt.sentence, &[])
        },
        state: ended(&receipt.outcome),
        procedure: &view.procedure,
        action: &view.action,
        digest: receipt.digest.to_string(),
    };
    let sheet = sheet(
        &web,
        &of,
        facts,
        &calendar,
        receipt.at,
        Some(format!("/c/receipts/{}/json", receipt.case.0)),
    );
    html(&CustomerReceiptPage {
        frame,
        receipt: sheet,
    })
}

/// A line of what happened, in the page's language.
fn event(frame: &CustomerFrame, told: &ToldEvent) -> Told {
    let line = frame.tell(told.key);
    match &told.with {
        None => line,
        Some((name, Detail::Label(label))) => line.with(name, frame.own(label)),
        Some((name, Detail::Said(words))) => line.with(name, Typed(words)),
        Some((name, Detail::Count(count))) => line.with(name, count),
    }
}

/// The state a receipt names.
fn ended(word: &str) -> CaseState {
    [
        CaseState::Done,
        CaseState::Failed,
        CaseState::Unknown,
        CaseState::Refused,
        CaseState::Stopped,
        CaseState::Withdrawn,
        CaseState::Expired,
    ]
    .into_iter()
    .find(|state| state.word() == word)
    .unwrap_or(CaseState::Open)
}

/// `GET /c/receipts/{case}/json`
pub async fn receipt_json(
    State(web): State<Web>,
    Seat(seat): Seat,
    Path(id): Path<String>,
) -> Answer {
    let receipt = web.gate.receipt_of_customer(&seat, &case_id(&id)?).await?;
    Ok(download(&receipt.case.0, receipt.to_json()?))
}

impl From<ProofError> for Problem {
    fn from(error: ProofError) -> Self {
        let code = error.code();
        let title = sentence_case(&error.to_string());
        match error {
            ProofError::Case(error) => error.into(),
            ProofError::NotAsked => Self::nothing_here(),
            ProofError::TooSoon { .. } | ProofError::NoMoreCodes => {
                Self::new(StatusCode::TOO_MANY_REQUESTS, code, title).retry_after(60)
            }
            ProofError::TooMany(TooMany { after_seconds }) => {
                Self::new(StatusCode::TOO_MANY_REQUESTS, code, title).retry_after(after_seconds)
            }
            ProofError::Overloaded => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, code, title).retry_after(1)
            }
            ProofError::Unavailable => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, code, title).retry_after(5)
            }
            ProofError::LoginOver => Self::new(StatusCode::GONE, code, title),
            ProofError::LoginCancelled
            | ProofError::LoginTooWeak
            | ProofError::LoginNotAccepted
            | ProofError::NotAccepted
            | ProofError::NoPasskey => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, title).detail(error.to_string())
            }
        }
    }
}
