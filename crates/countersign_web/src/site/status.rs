//! `/status`: what anybody reads of incidents, as pages, as an Atom feed and as JSON; and news by mail.
//!
//! Nobody signs in here, and nothing of a case, a customer or a colleague is shown. What was shown last is shown again while
//! the store is away.

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use countersign_service::{
    Confirmed, IncidentError, PublicIncident, PublicStatus, SubscriptionError, Trouble,
};

use super::{Answer, Browser, Fields, customer_frame, field, html, html_with};
use crate::Web;
use crate::body::{Form, Path};
use crate::network::Network;
use crate::pages::{
    Errors, StatusIncidentPage, StatusPage, StatusRow, StatusStatement, StatusUpdate,
    SubscriptionPage, SubscriptionState,
};
use crate::present::{Calendar, iso};
use crate::problem::Problem;

/// How often one network may ask for letters in a minute.
pub const PER_NETWORK_AND_MINUTE: u32 = 5;

/// How long anybody may keep the page.
const CACHE_CONTROL: HeaderValue = HeaderValue::from_static("public, max-age=60");

/// `GET /status`
pub async fn page(State(web): State<Web>, browser: Browser) -> Answer {
    Ok(cached(
        shown(
            &web,
            &browser,
            String::new(),
            Errors::default(),
            StatusCode::OK,
        )
        .await?,
    ))
}

async fn shown(
    web: &Web,
    browser: &Browser,
    address: String,
    errors: Errors,
    status: StatusCode,
) -> Answer {
    let public = status_now(web).await?;
    let calendar = web.calendar().spoken(browser.language());
    let rows = |incidents: &[PublicIncident]| {
        incidents
            .iter()
            .map(|incident| row(incident, &calendar))
            .collect()
    };
    html_with(
        status,
        &StatusPage {
            frame: customer_frame(web, browser),
            current: rows(&public.current),
            past: rows(&public.past),
            address,
            errors,
        },
    )
}

/// What is public; what was public a moment ago, while the store is away.
async fn status_now(web: &Web) -> Result<PublicStatus, Trouble> {
    let mut last = web.status.lock().await;
    match web.gate.public_status().await {
        Ok(status) => {
            *last = Some(status.clone());
            Ok(status)
        }
        Err(trouble) => last.clone().ok_or(trouble),
    }
}

/// `GET /status/{id}`
pub async fn incident(State(web): State<Web>, browser: Browser, Path(id): Path<String>) -> Answer {
    let public = match web.gate.public_incident(&id).await {
        Err(IncidentError::Trouble(trouble)) => {
            let last = web.status.lock().await;
            let known = last
                .iter()
                .flat_map(|last| last.current.iter().chain(&last.past))
                .find(|known| known.id == id)
                .cloned();
            known.ok_or(trouble)?
        }
        other => other?,
    };
    let calendar = web.calendar().spoken(browser.language());
    Ok(cached(html(&StatusIncidentPage {
        frame: customer_frame(&web, &browser),
        row: row(&public, &calendar),
        updates: public
            .updates
            .iter()
            .map(|update| StatusUpdate {
                number: update.number,
                at: calendar.when(update.at),
                phase: update.phase,
                headline: update.headline.clone(),
                text: update.text.clone(),
            })
            .collect(),
        statements: public
            .statements
            .iter()
            .map(|statement| StatusStatement {
                version: statement.version,
                at: calendar.when(statement.at),
                text: paragraphs(&statement.text),
                digest: statement.digest.clone(),
            })
            .collect(),
    })?))
}

/// `GET /v1/status`
pub async fn api(State(web): State<Web>) -> Result<Response, Problem> {
    let mut response = axum::Json(status_now(&web).await?).into_response();
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, CACHE_CONTROL);
    Ok(response)
}

/// `GET /status/feed.atom`
pub async fn feed(State(web): State<Web>) -> Result<Response, Problem> {
    let status = status_now(&web).await?;
    let mut response = atom(&status, &web.gate.settings().origin).into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/atom+xml; charset=utf-8"),
    );
    headers.insert(header::CACHE_CONTROL, CACHE_CONTROL);
    Ok(response)
}

/// `POST /status/subscribe`: the answer is the same whoever's address it is.
pub async fn subscribe(
    State(web): State<Web>,
    browser: Browser,
    network: Network,
    Form(fields): Form<Fields>,
) -> Answer {
    network.take(&web.rates.subscriptions)?;
    let address = field(&fields, "address");
    match web.gate.subscribe(address, browser.language()).await {
        Ok(()) => subscription(&web, &browser, SubscriptionState::Asked),
        Err(SubscriptionError::Address) => {
            let errors = Errors::one(
                "address",
                browser
                    .language()
                    .say(countersign_service::speech::Key("status-address-wrong")),
            );
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            shown(&web, &browser, address.to_owned(), errors, status).await
        }
        Err(SubscriptionError::Trouble(trouble)) => Err(trouble.into()),
    }
}

/// `GET /status/confirm/{token}`: looks at nothing, for mail scanners follow links.
pub async fn confirm_page(
    State(web): State<Web>,
    browser: Browser,
    Path(token): Path<String>,
) -> Answer {
    subscription(&web, &browser, SubscriptionState::Confirm(token))
}

/// `POST /status/confirm/{token}`
pub async fn confirm(
    State(web): State<Web>,
    browser: Browser,
    network: Network,
    Path(token): Path<String>,
) -> Answer {
    network.take(&web.rates.answers)?;
    let state = match web.gate.confirm_subscription(&token).await? {
        Confirmed::Yes => SubscriptionState::Confirmed,
        Confirmed::LinkGone => SubscriptionState::Gone,
    };
    subscription(&web, &browser, state)
}

/// `GET /status/leave/{token}`
pub async fn leave_page(
    State(web): State<Web>,
    browser: Browser,
    Path(token): Path<String>,
) -> Answer {
    subscription(&web, &browser, SubscriptionState::Leave(token))
}

/// `POST /status/leave/{token}`: by a reader's press, or by their mail program (RFC 8058), whose body says nothing we need.
pub async fn leave(
    State(web): State<Web>,
    browser: Browser,
    network: Network,
    Path(token): Path<String>,
) -> Answer {
    network.take(&web.rates.answers)?;
    web.gate.leave_subscription(&token).await?;
    subscription(&web, &browser, SubscriptionState::Left)
}

fn subscription(web: &Web, browser: &Browser, state: SubscriptionState) -> Answer {
    html(&SubscriptionPage {
        frame: crate::pages::CustomerFrame {
            // What is shown after a press is not to be asked for again by choosing a language.
            here: "/status".to_owned(),
            ..customer_frame(web, browser)
        },
        state,
    })
}

fn row(incident: &PublicIncident, calendar: &Calendar) -> StatusRow {
    StatusRow {
        id: incident.id.clone(),
        headline: incident.headline.clone(),
        phase: incident.phase,
        updated: calendar.when(incident.updated_at),
        text: incident
            .updates
            .first()
            .map(|update| update.text.clone())
            .unwrap_or_default(),
        next: incident.next_at.map(|next| calendar.when(next)),
        overdue: incident.overdue,
    }
}

fn paragraphs(text: &str) -> Vec<String> {
    text.split("\n\n")
        .map(|paragraph| paragraph.trim().to_owned())
        .filter(|paragraph| !paragraph.is_empty())
        .collect()
}

fn cached(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, CACHE_CONTROL);
    headers.insert(
        header::VARY,
        HeaderValue::from_static("accept-language, cookie"),
    );
    response
}

/// The feed (RFC 4287): an entry for each update and each version of a statement. Ids never change (RFC 4151).
fn atom(status: &PublicStatus, origin: &str) -> String {
    let host = origin.split("://").nth(1).unwrap_or(origin);
    let host = host.split([':', '/']).next().unwrap_or(host);
    let tag = |what: &str| escape(&format!("tag:{host},2026:countersign/status{what}"));
    let mut entries: Vec<(countersign_cases::Timestamp, String)> = Vec::new();
    for incident in status.current.iter().chain(&status.past) {
        let link = escape(&format!("{origin}/status/{}", incident.id));
        for update in &incident.updates {
            let id = tag(&format!("/{}/update/{}", incident.id, update.number));
            let said = format!("{}\n\n{}", phase_words(update.phase), update.text);
            let to = format!("{link}#update-{}", update.number);
            entries.push((
                update.at,
                entry(&id, &to, &update.headline, &said, update.at),
            ));
        }
        for statement in &incident.statements {
            let id = tag(&format!("/{}/statement/{}", incident.id, statement.version));
            let title = match statement.version {
                1 => format!("Statement: {}", incident.headline),
                _ => format!("Statement, corrected: {}", incident.headline),
            };
            let to = format!("{link}#statement-{}", statement.version);
            entries.push((
                statement.at,
                entry(&id, &to, &title, &statement.text, statement.at),
            ));
        }
    }
    entries.sort_by(|one, other| other.cmp(one));
    let updated = entries.first().map_or_else(Default::default, |(at, _)| *at);
    let mut feed = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\">\n\
         <title>{name}</title>\n<id>{id}</id>\n<updated>{updated}</updated>\n\
         <author><name>{name}</name></author>\n\
         <link rel=\"self\" type=\"application/atom+xml\" href=\"{origin}/status/feed.atom\"/>\n\
         <link rel=\"alternate\" type=\"text/html\" href=\"{origin}/status\"/>\n",
        name = escape(&status.organisation),
        id = tag(""),
        updated = iso(updated),
        origin = escape(origin),
    );
    for (_, entry) in entries {
        feed.push_str(&entry);
    }
    feed.push_str("</feed>\n");
    feed
}

fn entry(
    id: &str,
    link: &str,
    title: &str,
    text: &str,
    at: countersign_cases::Timestamp,
) -> String {
    let at = iso(at);
    format!(
        "<entry>\n<title>{}</title>\n<id>{id}</id>\n<published>{at}</published>\n<updated>{at}</updated>\n\
         <link rel=\"alternate\" type=\"text/html\" href=\"{link}\"/>\n<content type=\"text\">{}</content>\n</entry>\n",
        escape(title),
        escape(text),
    )
}

fn phase_words(phase: countersign_service::Phase) -> &'static str {
    use countersign_service::Phase;
    match phase {
        Phase::Looking => "Looking into it",
        Phase::Found => "Found",
        Phase::Watching => "Fixed, watching",
        Phase::Over => "Over",
    }
}

/// Text as XML 1.0 may hold it: what it cannot hold at all is replaced.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' => out.push(letter),
            letter if letter.is_control() || matches!(letter, '\u{FFFE}' | '\u{FFFF}') => {
                out.push('\u{FFFD}');
            }
            letter => out.push(letter),
        }
    }
    out
}

/// Whether a page is one of these, for how refusals look.
pub fn is_public(path: &str) -> bool {
    path == "/status" || path.starts_with("/status/")
}

#[cfg(test)]
mod tests {
    use countersign_cases::Timestamp;
    use countersign_service::{Phase, PublicStatement, PublicUpdate};

    use super::*;

    fn status(headline: &str) -> PublicStatus {
        let at = Timestamp(1_795_429_860_000);
        PublicStatus {
            organisation: "Acme & Söhne".to_owned(),
            at: at.plus_seconds(9_000),
            current: vec![PublicIncident {
                id: "IN-7F3K9Q".to_owned(),
                headline: headline.to_owned(),
                phase: Phase::Looking,
                since: at,
                updated_at: at.plus_seconds(60),
                next_at: None,
                overdue: false,
                updates: vec![PublicUpdate {
                    number: 1,
                    at,
                    headline: headline.to_owned(),
                    phase: Phase::Looking,
                    text: "a\u{8}b ]]> <script>".to_owned(),
                    next_at: None,
                }],
                statements: vec![PublicStatement {
                    version: 1,
                    at: at.plus_seconds(60),
                    text: "We are sorry.".to_owned(),
                    digest: String::new(),
                }],
            }],
            past: Vec::new(),
        }
    }

    #[test]
    fn the_feed_escapes_everything_and_its_ids_stay() {
        let first = atom(
            &status("<b>\"down\" & out</b>"),
            "https://support.acme.example:8443",
        );
        assert!(
            first.contains("&lt;b&gt;&quot;down&quot; &amp; out&lt;/b&gt;"),
            "{first}"
        );
        assert!(
            first.contains("a\u{FFFD}b ]]&gt; &lt;script&gt;"),
            "{first}"
        );
        assert!(!first.contains("<script") && !first.contains('\u{8}'));
        assert!(first.contains(
            "<id>tag:support.acme.example,2026:countersign/status/IN-7F3K9Q/update/1</id>"
        ));
        assert!(first.contains("<updated>2026-11-23T10:32:00Z</updated>"));
        let ids = |feed: &str| -> Vec<String> {
            feed.lines()
                .filter(|line| line.starts_with("<id>"))
                .map(str::to_owned)
                .collect()
        };
        let mut later = status("another headline");
        later.past = std::mem::take(&mut later.current);
        assert_eq!(
            ids(&first),
            ids(&atom(&later, "https://support.acme.example:8443"))
        );
        assert_eq!(ids(&first).len(), 3);
    }
}
