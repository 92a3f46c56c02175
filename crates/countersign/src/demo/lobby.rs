//! The lobby: a page from which anyone takes a part. It exists in the demo alone.
//!
//! It has no way into the gate of its own. Who sits down as Maja gets a
//! session that was signed for with Maja's passkey; who is the customer gets
//! the link that the customer would get.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Form, Query, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use countersign_service::adapters::clock::Clock as _;
use serde_json::json;
use tokio::sync::Mutex;

use super::panel::{escape, page, style};
use super::people::{Colleague, Reply, text};
use super::steps::{open, when, wipe};
use super::world::{Customer, World};

type Shared = State<Arc<World>>;
type Fields = BTreeMap<String, String>;

/// Seconds for which an authenticator shows a code (RFC 6238).
const CODE_SECONDS: i64 = 30;

/// Its pages.
pub(crate) fn router(world: Arc<World>) -> Router {
    Router::new()
        .route("/", get(lobby))
        .route("/demo.css", get(style))
        .route("/letters", get(letters))
        .route("/sit", post(sit))
        .route("/customer", post(customer))
        .route("/attacker", post(attacker))
        .route("/sign", post(sign))
        .route("/clock", post(clock))
        .layer(from_fn_with_state(Arc::clone(&world), only_from_here))
        .with_state(world)
}

/// Only pages of this very address may press the buttons: not another site, not by another name of this machine.
async fn only_from_here(State(world): Shared, request: Request, next: Next) -> Response {
    if let Some(refusal) = stranger(&world, request.method(), request.headers()) {
        return refusal;
    }
    let mut response = next.run(request).await;
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn stranger(world: &World, method: &Method, headers: &HeaderMap) -> Option<Response> {
    let told = |name: header::HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let reading = method == Method::GET;
    if told(header::HOST) != world.lobby_origin.strip_prefix("http://") {
        // The session cookie of the gate belongs to `localhost`, so people have to be there.
        return Some(if reading {
            see_other(&world.lobby_origin)
        } else {
            StatusCode::MISDIRECTED_REQUEST.into_response()
        });
    }
    let site = told(header::HeaderName::from_static("sec-fetch-site"));
    let elsewhere = told(header::ORIGIN).is_some_and(|origin| origin != world.lobby_origin)
        || site.is_some_and(|site| !matches!(site, "same-origin" | "none"));
    (elsewhere && !reading).then(|| StatusCode::FORBIDDEN.into_response())
}

/// `GET /`
async fn lobby(State(world): Shared) -> Response {
    let gate = world.http.origin();
    let now = world.clock.now();
    let mut body = format!(
        "<p>Acme Hosting does not exist. Its gate, its panel and its mail run on this machine, until you press Ctrl-C. \
         Take any part, in as many tabs as you like, and try to wipe a server that you should not.</p>\
         <table><caption>Where things are</caption><tbody>\
         <tr><th scope=\"row\"><a href=\"{gate}/\">The gate</a></th><td class=\"address\">{gate}</td><td>where agents ask, customers prove and colleagues sign</td></tr>\
         <tr><th scope=\"row\"><a href=\"{panel}/\">The panel</a></th><td class=\"address\">{panel}</td><td>the company’s own system: its servers, and what it refused</td></tr>\
         <tr><th scope=\"row\"><a href=\"/letters\">Letters</a></th><td class=\"address\">{lobby}/letters</td><td>all mail and text messages that were sent</td></tr>\
         <tr><th scope=\"row\"><a href=\"{gate}/docs/api\">The API</a></th><td class=\"address\">{gate}/docs/api</td><td>everything a program can ask of the gate</td></tr>\
         </tbody></table>",
        panel = world.panel_origin,
        lobby = world.lobby_origin,
    );
    body.push_str(
        "<h2>Be somebody on the staff</h2>\
         <p>You are signed in with that person’s passkey. One browser is one person; a second one needs a private window.</p>",
    );
    for (who, words) in [
        ("maja", "Maja, support agent"),
        ("tomas", "Tomas, support agent"),
        ("idris", "Idris, senior support agent"),
        ("petra", "Petra, senior, and looks after accounts"),
    ] {
        body.push_str(&button("/sit", "who", who, words));
    }
    body.push_str("<h2>Be the customer</h2><p>The panel opens the case for its signed-in customer and sends you to your page, as it would in a shop’s own “erase this server” button.</p>");
    for customer in [&world.signe, &world.tora] {
        body.push_str(&about(&world, customer));
    }
    let _ = write!(
        body,
        "<h2>Be the attacker</h2>\
         <p>You read <a href=\"/letters?to={mailbox}\">{person}’s mailbox</a>, and Maja believes every word you write in the chat: \
         she opens the case and hands you the link. You know neither password nor PIN, and have neither phone nor passkey.</p>{ask}\
         <p>Sit down as Maja too, and try to help. What the panel refused, it <a href=\"{panel}/\">shows</a>.</p>",
        mailbox = world.signe.mailbox,
        person = world.signe.person,
        panel = world.panel_origin,
        ask = button(
            "/attacker",
            "what",
            "reinstall",
            &format!("Ask Maja to reinstall {}", world.signe.server)
        ),
    );
    body.push_str(
        "<h2>Sign as the senior</h2>\
         <p>Idris’ passkey is made in software and lives in this program, so your browser cannot use it. Read the case at the desk as Idris, \
         and press here for the signature; it goes to the gate by the same requests as a browser’s.</p>",
    );
    body.push_str(&waiting(&world).await);
    let _ = write!(
        body,
        "<h2>Move the clock on</h2>\
         <p>It is {}. Waits, codes, links and sessions all go by this clock; a machine attests new backups after each move.</p>{}{}",
        when(now),
        button("/clock", "hours", "1", "One hour"),
        button("/clock", "hours", "24", "24 hours"),
    );
    page("Take a part", &body)
}

/// A customer: what they know, and a button.
fn about(world: &World, customer: &Customer) -> String {
    let now = world.clock.now();
    let left = CODE_SECONDS - now.0.div_euclid(1_000).rem_euclid(CODE_SECONDS);
    let app = if customer.id == world.tora.id {
        "lost with the phone".to_owned()
    } else {
        let code = customer.app.secret.code_now(now);
        format!("<code>{code}</code> for {left} more seconds; reload for the next")
    };
    let server = world.panel.server(customer.server);
    let image = server.map_or_else(String::new, |server| server.image);
    format!(
        "<article><h3>{person} of {account}</h3><dl>\
         <dt>Server</dt><dd>{name}, runs {image}</dd>\
         <dt>Account password</dt><dd><code>{password}</code></dd>\
         <dt>Support PIN</dt><dd><code>{pin}</code></dd>\
         <dt>Authenticator shows</dt><dd>{app}</dd>\
         <dt>Mailbox</dt><dd><a href=\"/letters?to={mailbox}\">{mailbox}</a></dd></dl>\
         {ask}</article>",
        person = customer.person,
        account = customer.account,
        name = customer.server,
        image = escape(&image),
        password = escape(customer.password),
        pin = customer.pin,
        mailbox = customer.mailbox,
        ask = button(
            "/customer",
            "who",
            customer.id,
            &format!(
                "As {}, ask to reinstall {}",
                customer.person, customer.server
            )
        ),
    )
}

/// The cases that wait for a signature, each with a button.
async fn waiting(world: &World) -> String {
    let listed = world
        .idris
        .lock()
        .await
        .read("/v1/cases?show=waiting")
        .await;
    let listed = listed.map(|reply| reply.json()).unwrap_or_default();
    let mut body = String::new();
    for case in listed
        .get("cases")
        .and_then(|cases| cases.as_array())
        .into_iter()
        .flatten()
    {
        let id = text(case, "id");
        let _ = write!(
            body,
            "<article><p><b>{}</b> {}</p>{}</article>",
            escape(&id),
            escape(&text(case, "sentence")),
            button("/sign", "case", &id, "Sign as Idris")
        );
    }
    if body.is_empty() {
        body.push_str("<p>No case waits for a signature now. To get one, be Tora, who has lost her phone: use the PIN and the code by mail.</p>");
    }
    body
}

/// `POST /sit`: signs that person in, and hands the session to this browser.
async fn sit(State(world): Shared, Form(fields): Form<Fields>) -> Response {
    let Some(colleague) = colleague(&world, field(&fields, "who")) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let signed_in = colleague.lock().await.sign_in().await;
    match signed_in {
        Ok(reply) => {
            let mut response = see_other(&format!("{}/", world.http.origin()));
            for cookie in reply.cookies {
                if let Ok(cookie) = HeaderValue::from_str(&cookie) {
                    response.headers_mut().append(header::SET_COOKIE, cookie);
                }
            }
            response
        }
        Err(error) => failed(&error),
    }
}

/// `POST /customer`: the panel asks for its customer, and sends them to their page.
async fn customer(State(world): Shared, Form(fields): Form<Fields>) -> Response {
    let Some(customer) = [&world.signe, &world.tora]
        .into_iter()
        .find(|customer| customer.id == field(&fields, "who"))
    else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let request = json!({
        "customer": customer.id,
        "action": "server.reinstall",
        "parameters": wipe(customer),
        "return_to": format!("{}/", world.panel_origin),
    });
    let opened = world
        .panel_machine
        .ask(Method::POST, "/v1/cases", &request)
        .await;
    match opened {
        Ok(reply) if reply.is_good() => {
            let link = reply.json().get("link").cloned().unwrap_or_default();
            see_other(&text(&link, "url"))
        }
        Ok(reply) => other_link(&world.tomas, &reply).await,
        Err(error) => failed(&error),
    }
}

/// `POST /attacker`: the willing agent asks, and gives the link to whoever is in the chat.
async fn attacker(State(world): Shared) -> Response {
    let opened = {
        let mut maja = world.maja.lock().await;
        let parameters = wipe(&world.signe);
        open(&mut maja, &world.signe, "server.reinstall", &parameters).await
    };
    match opened {
        Ok(reply) if reply.is_good() => link_to(&world.maja, &reply.field("id")).await,
        Ok(reply) => other_link(&world.maja, &reply).await,
        Err(error) => failed(&error),
    }
}

/// A case of the same kind may be open already; then an agent sends a new link to that one.
async fn other_link(agent: &Mutex<Colleague>, refusal: &Reply) -> Response {
    let title = refusal.field("title");
    match title.split('`').nth(1) {
        Some(case) if refusal.field("code") == "other-case-open" => link_to(agent, case).await,
        _ => refused(refusal),
    }
}

async fn link_to(agent: &Mutex<Colleague>, case: &str) -> Response {
    let path = format!("/v1/cases/{case}/link");
    let reply = agent.lock().await.post(&path, &json!({})).await;
    match reply {
        Ok(reply) if reply.is_good() => see_other(&reply.field("url")),
        Ok(reply) => refused(&reply),
        Err(error) => failed(&error),
    }
}

/// `POST /sign`
async fn sign(State(world): Shared, Form(fields): Form<Fields>) -> Response {
    let case = field(&fields, "case");
    let harmless = case
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if !harmless {
        return StatusCode::NOT_FOUND.into_response();
    }
    let signed = world.idris.lock().await.sign(case).await;
    match signed {
        Ok(reply) if reply.is_good() => page(
            "Signed",
            &format!(
                "<p>Idris signed {}. Everybody on file is told now, and then it waits. Read the <a href=\"/letters\">letters</a>, \
                 each with a link that stops it, or <a href=\"/\">go back</a> and move the clock on.</p>",
                escape(case)
            ),
        ),
        Ok(reply) => refused(&reply),
        Err(error) => failed(&error),
    }
}

/// `POST /clock`
async fn clock(State(world): Shared, Form(fields): Form<Fields>) -> Response {
    let hours = match field(&fields, "hours") {
        "1" => 1,
        "24" => 24,
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    world.clock.move_on(Duration::from_hours(hours));
    for customer in [&world.signe, &world.tora] {
        if let Err(error) = world.attest_backups(customer).await {
            return failed(&error);
        }
    }
    let more = if hours == 24 {
        " Everybody’s session ran out meanwhile; sit down again."
    } else {
        ""
    };
    page(
        "The clock was moved on",
        &format!(
            "<p>It is {}.{more} <a href=\"/\">Back to the parts</a></p>",
            when(world.clock.now())
        ),
    )
}

/// `GET /letters?to=ADDRESS`
async fn letters(State(world): Shared, Query(fields): Query<Fields>) -> Response {
    let only = field(&fields, "to");
    let mut body = String::from("<p><a href=\"/\">Back to the parts</a> · Show ");
    let everybody = [("", "everything")];
    let mailboxes =
        [&world.signe, &world.tora].map(|customer| (customer.mailbox, customer.mailbox));
    let links: Vec<String> = everybody
        .into_iter()
        .chain(mailboxes)
        .map(|(to, words)| {
            if to == only {
                format!("<b>{words}</b>")
            } else {
                format!("<a href=\"/letters?to={to}\">{words}</a>")
            }
        })
        .collect();
    body.push_str(&links.join(", "));
    body.push_str("</p>");
    let gate = world.http.origin();
    let mut shown = 0;
    for mail in world.mail.mails().iter().rev() {
        if !only.is_empty() && !mail.is_to(only) {
            continue;
        }
        shown += 1;
        let _ = write!(
            body,
            "<article><h2>{}</h2><p>To {}</p><pre>{}</pre></article>",
            escape(&mail.subject()),
            escape(&mail.to.join(", ")),
            linked(&mail.text(), gate)
        );
    }
    if shown == 0 {
        body.push_str("<p>Nothing yet.</p>");
    }
    if only.is_empty() {
        body.push_str("<h2>Text messages</h2>");
        for message in world.texts.all().iter().rev() {
            let _ = write!(
                body,
                "<article><p>To {}</p><pre>{}</pre></article>",
                escape(&message.to),
                linked(&message.text, gate)
            );
        }
    }
    page("Letters", &body)
}

/// Words as HTML, with addresses of the gate as links.
fn linked(words: &str, gate: &str) -> String {
    words
        .split_inclusive(char::is_whitespace)
        .map(|piece| {
            let word = piece.trim_end();
            if word.starts_with(&format!("{gate}/")) {
                let word = escape(word);
                let rest = piece.get(piece.trim_end().len()..).unwrap_or_default();
                format!("<a href=\"{word}\">{word}</a>{rest}")
            } else {
                escape(piece)
            }
        })
        .collect()
}

fn colleague<'a>(world: &'a World, who: &str) -> Option<&'a Mutex<Colleague>> {
    match who {
        "maja" => Some(&world.maja),
        "tomas" => Some(&world.tomas),
        "idris" => Some(&world.idris),
        "petra" => Some(&world.petra),
        _ => None,
    }
}

/// What the gate refused, in its own words.
fn refused(reply: &Reply) -> Response {
    let mut response = page(
        "The gate refused",
        &format!(
            "<p><b>{}</b></p><p>{}</p><p><a href=\"/\">Back to the parts</a></p>",
            escape(&reply.field("title")),
            escape(&reply.field("detail"))
        ),
    );
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::CONFLICT);
    response
}

fn failed(error: &anyhow::Error) -> Response {
    let mut response = page(
        "This did not work",
        &format!(
            "<p>{}</p><p><a href=\"/\">Back to the parts</a></p>",
            escape(&format!("{error:#}"))
        ),
    );
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response
}

/// A form of one button.
fn button(to: &str, name: &str, value: &str, words: &str) -> String {
    format!(
        "<form method=\"post\" action=\"{to}\"><button name=\"{name}\" value=\"{}\">{}</button></form>",
        escape(value),
        escape(words)
    )
}

fn field<'a>(fields: &'a Fields, name: &str) -> &'a str {
    fields.get(name).map_or("", String::as_str)
}

fn see_other(to: &str) -> Response {
    let mut headers = HeaderMap::new();
    match HeaderValue::from_str(to) {
        Ok(to) => headers.insert(header::LOCATION, to),
        Err(_) => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    };
    (StatusCode::SEE_OTHER, headers).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_the_gate_become_links() {
        let gate = "http://localhost:4180";
        let html = linked(
            "See\nhttp://localhost:4180/v/abc\nor <http://evil.example/>",
            gate,
        );
        assert_eq!(
            html,
            "See\n<a href=\"http://localhost:4180/v/abc\">http://localhost:4180/v/abc</a>\nor &lt;http://evil.example/&gt;"
        );
        assert_eq!(
            linked("http://localhost:41800/x", gate),
            "http://localhost:41800/x"
        );
    }
}
