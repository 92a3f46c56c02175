//! `/is-it-us`: somebody who is called or written to looks up who has the case of a spoken number open.
//!
//! Nobody signs in here, so what guessing finds is kept small by arithmetic:
//! 10¹¹ numbers, [`IN_ALL_AND_MINUTE`] tries a minute from all networks
//! together, and behind a number only a name, initials and a masked sentence.
//! docs/THREATS.md works it out.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use countersign_service::{Rate, SpokenNumber};

use super::{Answer, Browser, Fields, customer_frame, field, html, html_with};
use crate::Web;
use crate::body::Form;
use crate::network::Network;
use crate::pages::{CustomerFrame, Errors, FieldError, TalkingPage, TalkingState};
use crate::present::words;
use crate::problem::Problem;

/// Where it is. Short enough to be said.
pub const PATH: &str = "/is-it-us";

/// How many numbers one network may look up in a minute.
pub const PER_NETWORK_AND_MINUTE: u32 = 10;

/// How many numbers may be looked up in a minute at all.
pub const IN_ALL_AND_MINUTE: u32 = 120;

/// `GET /is-it-us`
pub async fn page(State(web): State<Web>, browser: Browser) -> Answer {
    html(&TalkingPage {
        frame: frame(&web, &browser),
        state: TalkingState::Ask,
        errors: Errors::default(),
    })
}

/// `POST /is-it-us`: the number stands in no address and in no log.
pub async fn look(
    State(web): State<Web>,
    browser: Browser,
    network: Network,
    headers: HeaderMap,
    Form(fields): Form<Fields>,
) -> Answer {
    let frame = frame(&web, &browser);
    let everybody = |rate: &Rate| Network::everybody().take(rate);
    if let Err(problem) = network
        .take(&web.rates.talking)
        .and_then(|()| everybody(&web.rates.talking_in_all))
    {
        return too_many(&web, frame, &problem);
    }
    let Some(number) = SpokenNumber::parse(field(&fields, "number")) else {
        let message = frame.say("talking-mistyped");
        return html_with(
            StatusCode::UNPROCESSABLE_ENTITY,
            &TalkingPage {
                frame,
                state: TalkingState::Ask,
                errors: Errors(vec![FieldError {
                    field: "number".to_owned(),
                    message,
                }]),
            },
        );
    };
    // Whoever sits at their own case sees that customer's cases alone.
    let seat = match web.cookies.seat(&headers) {
        Some(token) => web.gate.seat(&token).await?,
        None => None,
    };
    let state = match web.gate.who_is_talking(&number, seat.as_ref()).await? {
        None => TalkingState::Nobody,
        Some(talking) => TalkingState::Somebody {
            agent: talking.agent,
            program: talking.program,
            since: web
                .calendar()
                .spoken(browser.language())
                .when(talking.since),
            account: talking.account,
            words: words(&talking.pieces),
        },
    };
    html(&TalkingPage {
        frame,
        state,
        errors: Errors::default(),
    })
}

fn too_many(web: &Web, frame: CustomerFrame, problem: &Problem) -> Answer {
    let seconds = problem.retry_after_seconds.unwrap_or(60);
    let calendar = web.calendar().spoken(frame.language);
    let page = TalkingPage {
        frame,
        state: TalkingState::TooMany(calendar.when(calendar.now().plus_seconds(seconds))),
        errors: Errors::default(),
    };
    let mut response = html_with(StatusCode::TOO_MANY_REQUESTS, &page)?;
    response.headers_mut().insert(
        axum::http::header::RETRY_AFTER,
        axum::http::HeaderValue::from(seconds),
    );
    Ok(response)
}

fn frame(web: &Web, browser: &Browser) -> CustomerFrame {
    CustomerFrame {
        asks_who: true,
        ..customer_frame(web, browser)
    }
}
