//! What people do in the stories, one step each, over HTTP.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use countersign_cases::Timestamp;
use countersign_grant::Expected;
use countersign_language::line_of;
use countersign_service::adapters::clock::Clock as _;
use countersign_service::verify_receipt;
use serde_json::{Value, json};

use super::people::{Browser, Colleague, Reply, hidden, options, text};
use super::telling::Story;
use super::world::{Customer, World, ledger_key, verifier};

/// Checks a receipt with the offline checker: it sees the text and the ledger's public key, and nothing else.
pub(crate) async fn check_receipt(
    world: &World,
    story: &mut Story<'_>,
    who: &str,
    does: &str,
    receipt: &str,
    signed_by: &[&str],
) -> anyhow::Result<()> {
    let published = world
        .http
        .get("/.well-known/countersign")
        .await?
        .good()?
        .json();
    let key = ledger_key(&published)?;
    match verify_receipt(receipt, &key) {
        Ok(verified) => {
            story.must(
                verified.outcome == "done",
                "the receipt must say that it was done",
            );
            story.must(
                verified.signed_by == signed_by,
                "the receipt must name who signed",
            );
            let signed = match signed_by {
                [] => String::new(),
                names => format!(", signed by {}", names.join(", ")),
            };
            story.tell(who, &format!("{does}; the offline checker says: \"{}\" {}{signed}; {} events, each in the ledger of {} entries",
                verified.sentence, verified.outcome, verified.events, verified.log_size))?;
        }
        Err(error) => story.must(false, format!("the receipt does not verify: {error}")),
    }
    let forged = receipt.replace("\"done\"", "\"failed\"");
    story.must(
        forged != receipt && verify_receipt(&forged, &key).is_err(),
        "a changed receipt must not verify",
    );
    Ok(())
}

/// Checks the grant as any other backend would, from what the gate publishes.
pub(crate) async fn check_grant(
    world: &World,
    story: &mut Story<'_>,
    customer: &Customer,
) -> anyhow::Result<()> {
    let bundle = world
        .panel
        .newest_bundle()
        .context("the panel kept no grant")?;
    let parameters = serde_json::from_value(wipe(customer))?;
    let expected = Expected {
        action: "server.reinstall".to_owned(),
        parameters,
        subject: customer.id.to_owned(),
    };
    let now = u64::try_from(world.clock.now().0 / 1_000).unwrap_or_default();
    let verifier = verifier(&world.http).await?;
    match verifier.verify(&bundle, &expected, now, &mut |_, _| true) {
        Ok(verified) => story.tell("Panel", &format!("shows the grant it ran for: entry {} of the ledger, good for this server and this image only", verified.index()))?,
        Err(reason) => story.must(false, format!("the grant does not verify: {reason}")),
    }
    let mut other = expected.clone();
    other
        .parameters
        .insert("server".to_owned(), "web-4".to_owned());
    let refused = verifier.verify(&bundle, &other, now, &mut |_, _| true);
    story.must(
        refused.is_err(),
        "the grant must not be good for another server",
    );
    Ok(())
}

/// What both customers ask for.
pub(crate) fn wipe(customer: &Customer) -> Value {
    json!({ "server": customer.server, "image": "debian-13" })
}

/// An agent opens a case; it may be refused.
pub(crate) async fn open(
    agent: &mut Colleague,
    customer: &Customer,
    action: &str,
    parameters: &Value,
) -> anyhow::Result<Reply> {
    let request = json!({
        "customer": customer.id,
        "action": action,
        "parameters": parameters,
        "reason": "The customer asks for it in the chat.",
        "reference": format!("chat {}", customer.person),
    });
    agent.post("/v1/cases", &request).await
}

/// Whoever has the link opens it and says: yes, I asked for this.
pub(crate) async fn sit(
    world: &World,
    agent: &mut Colleague,
    case: &str,
) -> anyhow::Result<Browser> {
    let link = agent
        .post(&format!("/v1/cases/{case}/link"), &json!({}))
        .await?
        .good()?
        .field("url");
    let path = link
        .strip_prefix(world.http.origin())
        .context("a link to somewhere else")?;
    let mut browser = Browser::new(&world.http);
    browser
        .open(path)
        .await?
        .good()
        .context("the link does not open")?;
    browser
        .submit("/c/yes", &[])
        .await?
        .good()
        .context("the link cannot be used")?;
    Ok(browser)
}

/// Types something that is right.
pub(crate) async fn answer(browser: &mut Browser, way: &str, secret: &str) -> anyhow::Result<()> {
    let reply = browser
        .submit(&format!("/c/prove/{way}"), &[("secret", secret)])
        .await?;
    ensure!(
        reply.status == 303,
        "`{way}` was not accepted: {}",
        complaint(&reply)
    );
    Ok(())
}

/// Asks for a code, reads it in the mailbox, types it.
pub(crate) async fn prove_by_mail(
    world: &World,
    browser: &mut Browser,
    customer: &Customer,
) -> anyhow::Result<()> {
    let known = world.mail.mails_to(customer.mailbox);
    browser
        .submit("/c/prove/mail_code/send", &[])
        .await?
        .good()?;
    let arrived = world.mail.wait_for(Duration::from_secs(10), |mail| {
        mail.is_to(customer.mailbox) && !known.contains(mail)
    });
    let letter = arrived.await.context("no code came by mail")?.text();
    let code = letter.lines().next().unwrap_or_default();
    answer(browser, "mail_code", code).await
}

/// Signs the case's digest with the customer's own passkey.
pub(crate) async fn prove_by_passkey(
    world: &World,
    browser: &mut Browser,
    customer: &Customer,
) -> anyhow::Result<()> {
    let mut passkey = customer
        .passkey
        .as_ref()
        .context("no passkey")?
        .lock()
        .await;
    let prompt = browser
        .submit("/c/prove/passkey/start", &[])
        .await?
        .good()?
        .json();
    let credential = passkey.get(options(&prompt), world.http.origin())?;
    let body = json!({ "ceremony": text(&prompt, "ceremony"), "credential": credential });
    browser
        .submit_json("/c/prove/passkey/finish", &body)
        .await?
        .good()
        .context("the passkey was not accepted")?;
    Ok(())
}

/// Reads the words, and confirms the digest that stands under them, with the two digits the agent tells.
pub(crate) async fn confirm(
    browser: &mut Browser,
    agent: &mut Colleague,
    case: &str,
) -> anyhow::Result<()> {
    let page = browser.open("/c/confirm").await?.good()?.text;
    let digest = hidden(&page, "digest")
        .context("no question to confirm")?
        .to_owned();
    let desk = agent.read(&format!("/v1/cases/{case}")).await?.good()?;
    let number = desk.field("number_to_match");
    let reply = browser
        .submit("/c/confirm", &[("digest", &digest), ("number", &number)])
        .await?;
    ensure!(
        reply.status == 303,
        "confirming was refused with {}",
        reply.status
    );
    Ok(())
}

/// What a page says is wrong.
pub(crate) fn complaint(reply: &Reply) -> String {
    reply.text.split_once("is not right.").map_or_else(
        || format!("refused with {}", reply.status),
        |(_, rest)| {
            let left = rest.split(['<', '.']).next().unwrap_or_default().trim();
            format!("not right. {left}.")
        },
    )
}

/// A line of the procedure that a case stops at.
#[derive(Debug)]
pub(crate) struct Stop {
    /// The path it belongs to.
    pub(crate) path: String,
    /// Line in the file, from 1.
    pub(crate) line: usize,
    /// The line itself.
    pub(crate) text: String,
}

/// Where each path of a case stops: the first requirement that does not hold, and its line in the procedure in force.
pub(crate) async fn stops(agent: &mut Colleague, case: &str) -> anyhow::Result<Vec<Stop>> {
    let source = agent.read("/v1/procedure").await?.good()?.field("text");
    let procedure = countersign_language::read(&source)
        .procedure
        .context("the procedure cannot be read")?;
    let document = agent
        .read(&format!("/v1/cases/{case}"))
        .await?
        .good()?
        .json();
    let action = procedure
        .actions
        .iter()
        .find(|action| action.name == text(&document, "action"))
        .context("no such action")?;
    let mut stops = Vec::new();
    for path in list(&document, "paths") {
        let name = text(&path, "path");
        let Some(first) = list(&path, "requirements")
            .into_iter()
            .find(|requirement| text(requirement, "standing") != "holds")
        else {
            continue;
        };
        let number = first
            .get("requirement")
            .and_then(Value::as_u64)
            .and_then(|number| usize::try_from(number).ok());
        let requirement = action
            .paths
            .iter()
            .find(|path| path.name == name)
            .and_then(|path| path.lines.get(number?.checked_sub(1)?))
            .context("the procedure has no such requirement")?;
        let line = line_of(&source, requirement.span);
        let text_of_line = source.lines().nth(line.saturating_sub(1));
        stops.push(Stop {
            text: text_of_line.unwrap_or_default().trim().to_owned(),
            path: name,
            line,
        });
    }
    Ok(stops)
}

fn list(object: &Value, name: &str) -> Vec<Value> {
    object
        .get(name)
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default()
}

/// A moment as people read it.
pub(crate) fn when(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.0)
        .map(|at| at.strftime("%A %-d %B at %H:%M UTC").to_string())
        .unwrap_or_default()
}
