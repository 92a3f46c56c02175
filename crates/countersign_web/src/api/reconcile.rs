//! `POST /v1/reconciliations`: a backend's own log, as it streams in, matched with cases.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use countersign_service::CustomerError;
use countersign_service::reconcile::{LogForm, Mapping, Reconciliation, WINDOW_SECONDS};
use countersign_service::settings::Scope;
use futures_util::StreamExt as _;
use tokio::sync::Semaphore;

use crate::Web;
use crate::body::Query;
use crate::callers::Machine;
use crate::problem::Problem;

/// The largest log of one request.
pub const MOST_BYTES: u64 = 4 << 30;

/// How long nothing may arrive.
const SILENCE: Duration = Duration::from_secs(30);

/// Largest window.
const WINDOW_MAX: u32 = 86_400;

/// One at a time: each holds the grants of years in memory.
static ONE: Semaphore = Semaphore::const_new(1);

/// `POST /v1/reconciliations?connector=panel&window=300&time=at&action=…&parameter.server=target&ignore=login,ping`
pub async fn reconcile(
    State(web): State<Web>,
    Machine(machine): Machine,
    Query(query): Query<BTreeMap<String, String>>,
    request: Request,
) -> Result<Response, Problem> {
    // Before anything of the request is looked at: whoever may not ask learns nothing from how it is answered.
    if !machine.may(Scope::Reconcile) {
        return Err(CustomerError::NotAllowed("reconcile").into());
    }
    let asked = Asked::read(query)?;
    if !web.gate.has_connector(&asked.connector) {
        return Err(Problem::invalid("connector", "no connector has this name"));
    }
    let form = match media_type(&request) {
        Some("application/x-ndjson" | "application/jsonl") => LogForm::JsonLines,
        Some("text/csv") => LogForm::Csv,
        _ => {
            return Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "wrong-content-type",
                "The body has the wrong content type",
            )
            .detail("send `application/x-ndjson` or `text/csv`"));
        }
    };
    let Ok(_turn) = ONE.try_acquire() else {
        return Err(Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "overloaded",
            "Back in a moment",
        )
        .detail("another log is being reconciled")
        .retry_after(10));
    };
    let mut reconciler = web
        .gate
        .reconciler_for(&machine, asked.mapping, asked.window)
        .await?;
    reconciler.begin(form);
    let mut body = request.into_body().into_data_stream();
    let mut bytes = 0_u64;
    loop {
        let next = tokio::time::timeout(SILENCE, body.next()).await;
        let chunk = match next {
            Ok(Some(Ok(chunk))) => chunk,
            Ok(None) => break,
            Ok(Some(Err(_))) => {
                return Err(Problem::new(
                    StatusCode::BAD_REQUEST,
                    "body-cut-off",
                    "The body did not arrive whole",
                ));
            }
            Err(_) => {
                return Err(Problem::new(
                    StatusCode::REQUEST_TIMEOUT,
                    "body-too-slow",
                    "The body took too long to arrive",
                ));
            }
        };
        bytes += chunk.len() as u64;
        if bytes > MOST_BYTES {
            return Err(Problem::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "body-too-large",
                "The body is too large",
            )
            .detail(format!("at most {MOST_BYTES} bytes are read")));
        }
        reconciler.feed(&chunk);
        // A chunk is a fraction of a millisecond; others get their turn in between.
        tokio::task::yield_now().await;
    }
    reconciler.end();
    let done: Reconciliation = reconciler.finish();
    web.gate
        .keep_reconciliation(&machine, &asked.connector, &done)
        .await?;
    Ok(axum::Json(done).into_response())
}

/// The query: a mapping in words of an address.
struct Asked {
    connector: String,
    window: u32,
    mapping: Mapping,
}

impl Asked {
    fn read(query: BTreeMap<String, String>) -> Result<Self, Problem> {
        let mut asked = Self {
            connector: String::new(),
            window: WINDOW_SECONDS,
            mapping: Mapping::default(),
        };
        for (name, value) in query {
            let mapping = &mut asked.mapping;
            match name.as_str() {
                "connector" => asked.connector = value,
                "window" => {
                    asked.window = value
                        .parse()
                        .ok()
                        .filter(|seconds| *seconds <= WINDOW_MAX)
                        .ok_or_else(|| Problem::invalid("window", "seconds, at most a day"))?;
                }
                "time" => mapping.time = value,
                "action" => mapping.action = value,
                "customer" => mapping.customer = value,
                "grant" => mapping.grant = value,
                "id" => mapping.id = Some(value),
                "ignore" => mapping
                    .ignore
                    .extend(value.split(',').map(|name| name.trim().to_owned())),
                other => {
                    if let Some(parameter) = other.strip_prefix("parameter.") {
                        mapping.parameters.insert(parameter.to_owned(), value);
                    } else if let Some(theirs) = other.strip_prefix("rename.") {
                        mapping.actions.insert(theirs.to_owned(), value);
                    } else {
                        return Err(Problem::new(
                            StatusCode::UNPROCESSABLE_ENTITY,
                            "unknown-field",
                            "The request has a field that is not known",
                        )
                        .field(other.to_owned(), "not known"));
                    }
                }
            }
        }
        if asked.connector.is_empty() {
            return Err(Problem::invalid(
                "connector",
                "name the connector whose log it is",
            ));
        }
        Ok(asked)
    }
}

fn media_type(request: &Request) -> Option<&str> {
    let value = request.headers().get(header::CONTENT_TYPE)?.to_str().ok()?;
    value.split(';').next().map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(query: &[(&str, &str)]) -> Result<Asked, Problem> {
        let owned = query
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Asked::read(owned.collect())
    }

    #[test]
    fn a_mapping_fits_into_an_address() {
        let asked = asked(&[
            ("connector", "panel"),
            ("window", "60"),
            ("time", "ts"),
            ("parameter.server", "target.id"),
            ("rename.srv.wipe", "server.reinstall"),
            ("ignore", "login, ping"),
        ])
        .unwrap();
        assert_eq!((asked.window, asked.mapping.time.as_str()), (60, "ts"));
        assert_eq!(asked.mapping.parameters["server"], "target.id");
        assert_eq!(asked.mapping.actions["srv.wipe"], "server.reinstall");
        assert!(asked.mapping.ignore.contains("ping"));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (query, field) in [
            (&[("window", "60")][..], "connector"),
            (&[("connector", "panel"), ("window", "-1")], "window"),
            (&[("connector", "panel"), ("window", "86401")], "window"),
            (&[("connector", "panel"), ("windwo", "1")], "windwo"),
        ] {
            let problem = asked(query).map(|_| ()).unwrap_err();
            assert_eq!(problem.errors[0].field, field, "{query:?}");
        }
    }
}
