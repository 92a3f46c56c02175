//! `/receipts/verify`: anyone checks a receipt, with the same code as `countersign receipt verify`.

use axum::body::Bytes;
use axum::extract::{FromRequest as _, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use countersign_ledger::VerifierKey;
use countersign_service::speech::{Arg, Key};
use countersign_service::{VerifiedReceipt, WrongReceipt, verify_receipt};

use super::{Answer, Browser, customer_frame, html_with};
use crate::Web;
use crate::network::Network;
use crate::pages::{CustomerFrame, Errors, Fact, FactValue, VerifyOutcome, VerifyPage};
use crate::problem::Problem;
use crate::words::Words;

/// The largest receipt that is checked here, in bytes; some hundred events. The program on one's own computer takes more.
pub const MOST_BYTES: usize = 1 << 20;

/// `GET /receipts/verify`
pub async fn page(State(web): State<Web>, browser: Browser) -> Answer {
    show(&web, &browser, None, Errors::default())
}

/// `POST /receipts/verify`: `multipart/form-data` with `receipt` pasted or `file` chosen.
pub async fn check(
    State(web): State<Web>,
    browser: Browser,
    network: Network,
    headers: HeaderMap,
    request: Request,
) -> Answer {
    network.take(&web.rates.receipts)?;
    let boundary = boundary(&headers).ok_or_else(|| {
        Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "wrong-content-type",
            "The body is not of the kind this address takes",
        )
        .detail("send `multipart/form-data`")
    })?;
    let body = tokio::time::timeout(crate::body::LONGEST, Bytes::from_request(request, &web))
        .await
        .map_err(|_| {
            Problem::new(
                StatusCode::REQUEST_TIMEOUT,
                "body-too-slow",
                "The body took too long to arrive",
            )
        })?
        .map_err(|_| {
            Problem::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "body-too-large",
                "The body is too large",
            )
            .detail(format!(
                "a receipt checked here has at most {MOST_BYTES} bytes"
            ))
        })?;
    let receipt = ["file", "receipt"]
        .into_iter()
        .filter_map(|name| part(&body, &boundary, name))
        .filter_map(|bytes| std::str::from_utf8(bytes).ok())
        .map(str::trim)
        .find(|text| !text.is_empty())
        .map(str::to_owned);
    let Some(receipt) = receipt else {
        let said = customer_frame(&web, &browser).say("verify-empty");
        return show(&web, &browser, None, Errors::one("receipt", said));
    };
    let (key, others) = (web.log_key.clone(), web.other_log_keys());
    // Some hundred signatures are milliseconds of work: not on a thread that answers others.
    let checked = tokio::task::spawn_blocking(move || by_any(&receipt, &key, &others))
        .await
        .map_err(|_| {
            Problem::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "page-not-rendered",
                "This page could not be shown",
            )
        })?;
    let outcome = match checked {
        Ok(verified) => proved(&web, &customer_frame(&web, &browser), &verified),
        Err(wrong) => not_proved(&customer_frame(&web, &browser), &wrong),
    };
    show(&web, &browser, Some(outcome), Errors::default())
}

/// By the present key, or else by any other one that is published; what is wrong is said by the present one.
fn by_any(
    receipt: &str,
    present: &VerifierKey,
    others: &[VerifierKey],
) -> Result<VerifiedReceipt, WrongReceipt> {
    verify_receipt(receipt, present).or_else(|wrong| {
        let mut others = others.iter();
        others
            .find_map(|key| verify_receipt(receipt, key).ok())
            .ok_or(wrong)
    })
}

fn show(web: &Web, browser: &Browser, outcome: Option<VerifyOutcome>, errors: Errors) -> Answer {
    let status = match &outcome {
        Some(VerifyOutcome::NotProved { .. }) => StatusCode::UNPROCESSABLE_ENTITY,
        _ if !errors.is_empty() => StatusCode::UNPROCESSABLE_ENTITY,
        _ => StatusCode::OK,
    };
    html_with(
        status,
        &VerifyPage {
            frame: customer_frame(web, browser),
            outcome,
            key: web.log_key.to_string(),
            errors,
        },
    )
}

fn not_proved(frame: &CustomerFrame, wrong: &WrongReceipt) -> VerifyOutcome {
    let why = match wrong {
        WrongReceipt::Form(_) => frame.tell("verify-bad-form"),
        WrongReceipt::Event { number, .. } => frame
            .tell("verify-bad-event")
            .with("number", number.to_string()),
        WrongReceipt::Contradiction(_) => frame.tell("verify-bad-words"),
        WrongReceipt::Order(number) => frame
            .tell("verify-bad-order")
            .with("number", number.to_string()),
    };
    VerifyOutcome::NotProved {
        why,
        code: wrong.code(),
    }
}

fn proved(web: &Web, frame: &CustomerFrame, verified: &VerifiedReceipt) -> VerifyOutcome {
    let text = |key: Key, value: String| Fact {
        label: frame.say(key),
        value: FactValue::Text(value),
    };
    let machine = |key: Key, value: String| Fact {
        label: frame.say(key),
        value: FactValue::Machine(value),
    };
    let became = match verified.outcome.as_str() {
        "done" => Key("verify-happened"),
        "stopped" => Key("verify-stopped"),
        "refused" => Key("verify-declined"),
        "withdrawn" => Key("verify-taken-back"),
        "expired" => Key("verify-ran-out"),
        "failed" => Key("verify-failed"),
        _ => Key("verify-uncertain"),
    };
    let mut facts = vec![
        text(Key("verify-became"), frame.say(became)),
        text(Key("verify-when"), web.calendar().full(verified.at)),
    ];
    if !verified.signed_by.is_empty() {
        facts.push(text(Key("verify-signed-by"), verified.signed_by.join(", ")));
    }
    if !verified.checked_by.is_empty() {
        let names: Vec<&str> = verified
            .checked_by
            .iter()
            .map(|one| one.checker.as_str())
            .collect();
        facts.push(machine(Key("verify-checked-by"), names.join(", ")));
    }
    let events = u64::try_from(verified.events).unwrap_or(u64::MAX);
    facts.extend([
        machine(Key("verify-number"), verified.case.0.clone()),
        machine(Key("verify-digest"), verified.digest.to_string()),
        text(
            Key("verify-ledger"),
            frame.language.tell(
                "verify-ledger-size",
                &[
                    ("events", Arg::Number(events)),
                    ("entries", Arg::Number(verified.log_size)),
                ],
            ),
        ),
    ]);
    VerifyOutcome::Proved {
        words: Words::new(&verified.sentence, &[]),
        happened: verified.outcome == "done",
        facts,
    }
}

/// The boundary of a `multipart/form-data` body (RFC 7578, RFC 2046 5.1.1).
fn boundary(headers: &HeaderMap) -> Option<String> {
    let kind = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let (media, parameters) = kind.split_once(';')?;
    if !media.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let boundary = parameters
        .split(';')
        .filter_map(|parameter| parameter.split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("boundary"))
        .map(|(_, value)| value.trim().trim_matches('"').to_owned())?;
    (1..=70).contains(&boundary.len()).then_some(boundary)
}

/// The content of the part with this name; a browser never makes a boundary that stands in the content.
fn part<'b>(body: &'b [u8], boundary: &str, name: &str) -> Option<&'b [u8]> {
    let delimiter = format!("--{boundary}");
    let mut rest = after(body, delimiter.as_bytes())?;
    loop {
        let (head, content) = around(rest, b"\r\n\r\n")?;
        let (content, next) = around(content, format!("\r\n{delimiter}").as_bytes())?;
        let head = String::from_utf8_lossy(head);
        let wanted = format!("name=\"{name}\"");
        let disposition = head.lines().find(|line| {
            line.to_ascii_lowercase()
                .starts_with("content-disposition:")
        });
        if disposition.is_some_and(|line| line.split(';').any(|one| one.trim() == wanted)) {
            return Some(content);
        }
        rest = next;
    }
}

/// What stands before and after the first occurrence.
fn around<'b>(bytes: &'b [u8], needle: &[u8]) -> Option<(&'b [u8], &'b [u8])> {
    let at = bytes
        .windows(needle.len())
        .position(|window| window == needle)?;
    Some((bytes.get(..at)?, bytes.get(at + needle.len()..)?))
}

fn after<'b>(bytes: &'b [u8], needle: &[u8]) -> Option<&'b [u8]> {
    around(bytes, needle).map(|(_, after)| after)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = b"--x1\r\nContent-Disposition: form-data; name=\"receipt\"\r\n\r\nA\r\nB\r\n--x1\r\n\
        Content-Disposition: form-data; name=\"file\"; filename=\"name=\"\r\nContent-Type: application/json\r\n\r\n{}\r\n--x1--\r\n";

    #[test]
    fn parts_are_found_by_name() {
        assert_eq!(part(BODY, "x1", "receipt"), Some(&b"A\r\nB"[..]));
        assert_eq!(part(BODY, "x1", "file"), Some(&b"{}"[..]));
        assert_eq!(part(BODY, "x1", "other"), None);
        assert_eq!(part(BODY, "x2", "file"), None);
        for cut in 0..BODY.len() {
            let _ = part(BODY.get(..cut).unwrap(), "x1", "file");
        }
    }

    #[test]
    fn only_a_multipart_form_has_a_boundary() {
        let of = |kind: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_TYPE, kind.parse().unwrap());
            boundary(&headers)
        };
        assert_eq!(
            of("multipart/form-data; boundary=x1").as_deref(),
            Some("x1")
        );
        assert_eq!(
            of("Multipart/Form-Data; charset=utf-8; boundary=\"x 1\"").as_deref(),
            Some("x 1")
        );
        for none in [
            "application/json",
            "multipart/form-data",
            "multipart/mixed; boundary=x",
            "multipart/form-data; boundary=",
        ] {
            assert_eq!(of(none), None, "{none}");
        }
    }
}
