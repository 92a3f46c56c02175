//! `/v1/reconciliations`: a backend's own log, as it streams in or event by event, matched with cases.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use countersign_service::CustomerError;
use countersign_service::adapters::webhooks::{
    ID_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER, WebhookHeaders,
};
use countersign_service::reconcile::{
    DeliveryError, FeedFigures, KeptReconciliation, LogForm, Mapping, OutcomeField, Reconciliation,
    Taken, WINDOW_SECONDS,
};
use countersign_service::settings::Scope;
use futures_util::StreamExt as _;
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use utoipa::ToSchema;

use crate::Web;
use crate::body::{Path, Query, read as read_body};
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

/// What became of an event.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventTaken {
    /// `covered`, `waiting`, `unknown`, `ignored`, `repeated` or `unreadable`
    #[schema(value_type = String, example = "covered")]
    pub outcome: Taken,
}

/// `POST /v1/reconciliations/webhooks/{connector}`
pub async fn event(
    State(web): State<Web>,
    Path(connector): Path<String>,
    request: Request,
) -> Result<axum::Json<EventTaken>, Problem> {
    let headers = signed(request.headers()).ok_or_else(refused)?;
    let body = read_body(request, &web).await?;
    let taken = web.gate.take_backend_event(&connector, &headers, &body);
    match taken.await {
        Ok(outcome) => Ok(axum::Json(EventTaken { outcome })),
        Err(DeliveryError::Refused) => Err(refused()),
        Err(DeliveryError::OtherEvent) => Err(Problem::new(
            StatusCode::CONFLICT,
            "webhook-id-used",
            "This id was that of another event",
        )
        .detail("an id is that of one event; the other one stays as it was taken")),
        Err(DeliveryError::Trouble(trouble)) => Err(trouble.into()),
    }
}

fn signed(headers: &HeaderMap) -> Option<WebhookHeaders> {
    let header = |name: &str| Some(headers.get(name)?.to_str().ok()?.to_owned());
    Some(WebhookHeaders {
        id: header(ID_HEADER)?,
        timestamp: header(TIMESTAMP_HEADER)?,
        signature: header(SIGNATURE_HEADER)?,
    })
}

/// The same for whatever is wrong: nobody without the secret learns which connectors there are.
fn refused() -> Problem {
    Problem::new(
        StatusCode::UNAUTHORIZED,
        "webhook-refused",
        "The delivery is refused",
    )
    .detail("the signature does not fit, or its time is further than five minutes from the gate's")
}

/// What reconciling came to.
#[derive(Debug, Serialize)]
pub struct Reconciled {
    /// The newest log of each connector.
    pub logs: Vec<KeptReconciliation>,
    /// Events that connectors send as they happen.
    pub events: Vec<FeedFigures>,
}

/// `GET /v1/reconciliations?from=2026-11-01&to=2026-11-30`
pub async fn read(
    State(web): State<Web>,
    Machine(machine): Machine,
    Query(days): Query<EventDays>,
) -> Result<axum::Json<Reconciled>, Problem> {
    let (from, to) = (days.from.as_deref(), days.to.as_deref());
    Ok(axum::Json(Reconciled {
        logs: web.gate.kept_reconciliations_for(&machine).await?,
        events: web.gate.feed_figures_for(&machine, from, to).await?,
    }))
}

/// Which days.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventDays {
    from: Option<String>,
    to: Option<String>,
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
        let mut outcome = OutcomeField {
            field: String::new(),
            done: std::collections::BTreeSet::new(),
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
                "outcome" => outcome.field = value,
                "done" => outcome
                    .done
                    .extend(value.split(',').map(|word| word.trim().to_owned())),
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
        if outcome.field.is_empty() != outcome.done.is_empty() {
            return Err(Problem::invalid(
                "outcome",
                "name the field, and with `done` what it says where something was done",
            ));
        }
        if !outcome.field.is_empty() {
            asked.mapping.outcome = Some(outcome);
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
            ("outcome", "result"),
            ("done", "ok,kept"),
        ])
        .unwrap();
        assert_eq!((asked.window, asked.mapping.time.as_str()), (60, "ts"));
        assert_eq!(asked.mapping.parameters["server"], "target.id");
        assert_eq!(asked.mapping.actions["srv.wipe"], "server.reinstall");
        assert!(asked.mapping.ignore.contains("ping"));
        let outcome = asked.mapping.outcome.unwrap();
        assert_eq!((outcome.field.as_str(), outcome.done.len()), ("result", 2));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (query, field) in [
            (&[("window", "60")][..], "connector"),
            (&[("connector", "panel"), ("window", "-1")], "window"),
            (&[("connector", "panel"), ("window", "86401")], "window"),
            (&[("connector", "panel"), ("windwo", "1")], "windwo"),
            (&[("connector", "panel"), ("done", "ok")], "outcome"),
        ] {
            let problem = asked(query).map(|_| ()).unwrap_err();
            assert_eq!(problem.errors[0].field, field, "{query:?}");
        }
    }
}
