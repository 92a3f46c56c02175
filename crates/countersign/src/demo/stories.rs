//! The first three stories: played over HTTP, told as they happen, each with a look at its own end.

use std::time::Duration;

use anyhow::Context as _;
use countersign_cases::Timestamp;
use countersign_service::adapters::clock::Clock as _;
use serde_json::{Value, json};

use super::aftermath::aftermath;
use super::people::{Http, text};
use super::steps::{
    Stop, answer, check_grant, check_receipt, complaint, confirm, open, prove_by_mail,
    prove_by_passkey, sit, stops, when, wipe,
};
use super::telling::{Story, Teller};
use super::world::{PROCEDURE_PATH, World};

/// Tells all four; true if each ended as it must.
pub(crate) async fn tell(world: &World, teller: &Teller) -> anyhow::Result<bool> {
    teller.heading("Countersign: support procedures that cannot be skipped")?;
    Teller::paragraph(
        "A demonstration with made-up data: Acme Hosting, four people on its staff, two customers. \
         Everything below goes over HTTP to a gate on this machine; passkeys are made in software. \
         The gate took the procedure only after every promise in it was proved.",
    )?;
    let mut ended = Vec::new();
    ended.push(attack(world, teller).await?);
    ended.push(honest(world, teller).await?);
    ended.push(lost_phone(world, teller).await?);
    ended.push(aftermath(world, teller).await?);
    let well = ended.iter().filter(|well| **well).count();
    teller.heading(&match well {
        4 => "All four stories ended as they must.".to_owned(),
        _ => format!("{well} of four stories ended as they must."),
    })?;
    Ok(well == 4)
}

/// Where to go now.
pub(crate) fn farewell(world: &World) -> anyhow::Result<()> {
    Teller::lines(&format!(
        "\nNow take a part yourself: customer, agent, senior, or attacker holding the mailbox.\n\n   \
         Start here   {}\n   The gate     {}\n   The panel    {}\n   Letters      {}/letters\n\n\
         Stop with Ctrl-C.\n",
        world.lobby_origin,
        world.http.origin(),
        world.panel_origin,
        world.lobby_origin,
    ))
}

/// Somebody reads the customer's mailbox, and the agent is willing.
async fn attack(world: &World, teller: &Teller) -> anyhow::Result<bool> {
    let mut story = teller.story(
        1,
        "The attack of 2016",
        "A stranger reads a customer's mailbox and asks the support chat to wipe a server. The agent \
         believes every word. In 2016, at a real company, this was enough.",
    )?;
    let customer = &world.signe;
    let mut maja = world.maja.lock().await;
    let mut tomas = world.tomas.lock().await;
    let what = format!("Please reinstall {}, I locked myself out.", customer.server);
    story.tell(
        "Stranger",
        &format!(
            "reads {}, and writes in the chat as {}: \"{what}\"",
            customer.mailbox, customer.person
        ),
    )?;

    let opened = open(&mut maja, customer, "server.reinstall", &wipe(customer))
        .await?
        .good()?;
    let (case, digest) = (opened.field("id"), opened.field("digest"));
    story.tell(
        "Maja, agent",
        &format!("opens case {case}: \"{}\"", opened.field("sentence")),
    )?;
    let mut browser = sit(world, &mut maja, &case).await?;
    story.tell("Maja, agent", "sends the customer's link into the chat")?;
    story.tell("Stranger", "opens it and says: yes, I asked for this")?;

    prove_by_mail(world, &mut browser, customer).await?;
    story.tell(
        "Stranger",
        "asks for a code by e-mail, reads it in the mailbox, types it: right",
    )?;
    for guess in ["1234", "0000"] {
        let reply = browser.submit("/c/prove/pin", &[("secret", guess)]).await?;
        story.must(reply.status == 422, "a guessed PIN must be refused");
        story.tell(
            "Stranger",
            &format!("guesses the support PIN, {guess}: {}", complaint(&reply)),
        )?;
    }
    let reply = browser.submit("/c/confirm", &[("digest", &digest)]).await?;
    story.must(
        reply.status == 409,
        "without the proofs nobody must be able to confirm",
    );
    story.tell(
        "Stranger",
        "tries to confirm all the same: refused, the proofs come first",
    )?;

    let reply = maja
        .post(&format!("/v1/cases/{case}/run"), &json!({}))
        .await?;
    story.must(
        reply.field("code") == "not-ready",
        "the willing agent must not be able to run it",
    );
    story.tell(
        "Maja, agent",
        &format!(
            "wants to help and presses Run: refused. {}.",
            reply.field("title")
        ),
    )?;
    let reply = maja.type_for_customer("pin", customer.pin).await?;
    story.must(
        reply.status == 410,
        "an agent must not be able to answer for the customer",
    );
    story.tell(
        "Maja, agent",
        "would type the PIN for them: no page takes a proof from staff",
    )?;
    let reply = maja.sign(&case).await?;
    story.must(
        !reply.is_good(),
        "an agent must not be able to sign their own case",
    );
    story.tell(
        "Maja, agent",
        &format!("would sign it herself: refused. {}.", reply.field("title")),
    )?;
    let reply = open(&mut tomas, customer, "server.reinstall", &wipe(customer)).await?;
    story.must(
        reply.field("code") == "other-case-open",
        "a second agent must find the case open already",
    );
    story.tell(
        "Tomas, agent",
        &format!(
            "is asked in another chat: refused. {}.",
            reply.field("title")
        ),
    )?;
    let wiping = stops(&mut maja, &case).await?;

    maja.post(&format!("/v1/cases/{case}/withdraw"), &json!({}))
        .await?
        .good()?;
    let reset = open(&mut maja, customer, "password.reset", &json!({}))
        .await?
        .good()?;
    let reset_case = reset.field("id");
    story.tell(
        "Maja, agent",
        &format!(
            "takes it back and tries another way, case {reset_case}: \"{}\"",
            reset.field("sentence")
        ),
    )?;
    let mut browser = sit(world, &mut maja, &reset_case).await?;
    let reply = browser.submit("/c/prove/mail_code/send", &[]).await?;
    story.must(
        reply.location.as_deref() != Some("/c/prove/mail_code"),
        "a code by mail must not open a password reset",
    );
    story.tell(
        "Stranger",
        "asks for a code by e-mail again: this action takes none",
    )?;
    let reply = maja
        .post(&format!("/v1/cases/{reset_case}/run"), &json!({}))
        .await?;
    story.must(
        reply.field("code") == "not-ready",
        "the reset must not run either",
    );
    story.tell(
        "Maja, agent",
        &format!("presses Run: refused. {}.", reply.field("title")),
    )?;
    let resetting = stops(&mut maja, &reset_case).await?;

    let panel = Http::new(&world.panel_origin)?;
    let reply = panel
        .post(
            &format!("/servers/{}/reinstall", customer.server),
            &json!({}),
        )
        .await?;
    story.must(reply.status == 403, "the panel's old door must be shut");
    story.tell(
        "Stranger",
        &format!(
            "knocks at the panel's old door instead: \"{}\"",
            reply.field("error")
        ),
    )?;

    let server = world
        .panel
        .server(customer.server)
        .context("the server is gone")?;
    story.must(server.reinstalled == 0, "the server must be untouched");
    let document = maja
        .read(&format!("/v1/cases/{case}"))
        .await?
        .good()?
        .json();
    story.must(
        text(&document, "state") == "withdrawn" && document.get("grant").is_none_or(Value::is_null),
        "no grant must exist",
    );
    story.tell(
        "Panel",
        &format!("{} still runs {}, untouched", customer.server, server.image),
    )?;
    tell_stops(&mut story, "Reinstall a server", &wiping)?;
    tell_stops(&mut story, "Send a password reset link", &resetting)?;
    story.must(
        wiping.len() == 2 && resetting.len() == 1,
        "every path must stop at a line of the procedure",
    );
    story.end("a willing agent and a hijacked mailbox were not enough, and no other way was open.")
}

/// The same customer asks, honestly.
async fn honest(world: &World, teller: &Teller) -> anyhow::Result<bool> {
    let mut story = teller.story(
        2,
        "The same customer, honestly",
        "The customer asks for the very same thing. It takes her a minute.",
    )?;
    let customer = &world.signe;
    let who = format!("{}, customer", customer.person);
    let mut maja = world.maja.lock().await;
    world.attest_backups(customer).await?;
    story.tell(
        "Backups",
        &format!(
            "a machine attests last night's backup of {} in two places, both read back",
            customer.server
        ),
    )?;
    let opened = open(&mut maja, customer, "server.reinstall", &wipe(customer))
        .await?
        .good()?;
    let case = opened.field("id");
    story.tell(
        "Maja, agent",
        &format!(
            "opens case {case} and sends the link: \"{}\"",
            opened.field("sentence")
        ),
    )?;
    let mut browser = sit(world, &mut maja, &case).await?;
    story.tell(&who, "says yes, I asked for this")?;
    answer(&mut browser, "password", customer.password).await?;
    story.tell(
        &who,
        "types her account password: right (the gate asked the panel, and keeps none)",
    )?;
    prove_by_passkey(world, &mut browser, customer).await?;
    story.tell(
        &who,
        "uses her passkey: right, over this one request and nothing else",
    )?;
    confirm(&mut browser, &mut maja, &case).await?;
    story.tell(&who, "reads once more what will happen, and confirms")?;

    let run = format!("/v1/cases/{case}/run");
    maja.post(&run, &json!({})).await?.good()?;
    let document = world
        .case_once(&mut maja, &case, &["done", "failed", "unknown"])
        .await?;
    story.must(text(&document, "state") == "done", "the case must be done");
    story.tell("Maja, agent", "presses Run: granted")?;
    let server = world
        .panel
        .server(customer.server)
        .context("the server is gone")?;
    story.must(
        server.reinstalled == 1,
        "the server must be reinstalled exactly once",
    );
    story.tell(
        "Panel",
        &format!(
            "checks the grant and its ledger proof, and installs {} on {}",
            server.image, customer.server
        ),
    )?;
    let reply = maja.post(&run, &json!({})).await?;
    let server = world
        .panel
        .server(customer.server)
        .context("the server is gone")?;
    story.must(
        !reply.is_good() && server.reinstalled == 1,
        "a second Run must change nothing",
    );
    story.tell(
        "Maja, agent",
        &format!("presses Run again: refused. {}.", reply.field("title")),
    )?;

    let receipt = browser
        .open(&format!("/c/receipts/{case}/json"))
        .await?
        .good()?
        .text;
    check_receipt(
        world,
        &mut story,
        &who,
        "downloads her receipt",
        &receipt,
        &[],
    )
    .await?;
    check_grant(world, &mut story, customer).await?;
    story.end("the server was reinstalled exactly once, and anyone can check the receipt.")
}

/// Password and phone are not enough reason to lose a customer.
async fn lost_phone(world: &World, teller: &Teller) -> anyhow::Result<bool> {
    let mut story = teller.story(
        3,
        "A lost phone",
        "Another customer has lost the phone with her authenticator app. The procedure has a path for \
         that: more eyes, and a day in which the true customer could say stop.",
    )?;
    let customer = &world.tora;
    let who = format!("{}, customer", customer.person);
    let mut tomas = world.tomas.lock().await;
    let mut idris = world.idris.lock().await;
    let opened = open(&mut tomas, customer, "server.reinstall", &wipe(customer))
        .await?
        .good()?;
    let case = opened.field("id");
    story.tell(
        "Tomas, agent",
        &format!(
            "opens case {case} and sends the link: \"{}\"",
            opened.field("sentence")
        ),
    )?;
    let mut browser = sit(world, &mut tomas, &case).await?;
    answer(&mut browser, "pin", customer.pin).await?;
    story.tell(&who, "says yes and types her support PIN: right")?;
    prove_by_mail(world, &mut browser, customer).await?;
    story.tell(&who, "types the code that came by e-mail: right")?;
    confirm(&mut browser, &mut tomas, &case).await?;
    story.tell(&who, "confirms")?;
    let run = format!("/v1/cases/{case}/run");
    let reply = tomas.post(&run, &json!({})).await?;
    story.must(
        reply.field("code") == "not-ready",
        "it must not run before anybody signed",
    );
    story.tell(
        "Tomas, agent",
        &format!("presses Run: refused. {}.", reply.field("title")),
    )?;

    let reply = idris
        .sign(&case)
        .await?
        .good()
        .context("the senior could not sign")?;
    story.must(reply.is_good(), "the senior must be able to sign");
    story.tell(
        "Idris, senior",
        "reads what was proved and what was not, and signs with a passkey, over the case's digest",
    )?;
    let document = world.case_once(&mut tomas, &case, &["waiting"]).await?;
    story.must(
        text(&document, "state") == "waiting",
        "the case must wait now",
    );
    let until = document
        .get("takes_effect_at_ms")
        .and_then(Value::as_i64)
        .unwrap_or_default();
    let letter = world
        .mail
        .mails_to(customer.mailbox)
        .pop()
        .context("no letter came")?;
    let stop = format!("{}/v/", world.http.origin());
    story.must(
        letter.text().contains(&stop),
        "the letter must carry a stop link",
    );
    story.tell(
        "Gate",
        &format!(
            "writes to {}: \"{}\", with a link that stops it",
            customer.mailbox,
            letter.subject()
        ),
    )?;
    let messages = world.texts.all();
    let message = messages
        .iter()
        .rfind(|message| message.to == customer.mobile)
        .context("no text message came")?;
    story.must(
        message.text.contains(&stop),
        "the text message must carry a stop link",
    );
    story.tell(
        "Gate",
        &format!(
            "sends the same to {}, and waits until {}",
            customer.mobile,
            when(Timestamp(until))
        ),
    )?;
    let reply = tomas.post(&run, &json!({})).await?;
    let server = world
        .panel
        .server(customer.server)
        .context("the server is gone")?;
    story.must(
        !reply.is_good() && server.reinstalled == 0,
        "nothing must run during the wait",
    );
    story.tell(
        "Tomas, agent",
        &format!("presses Run: refused. {}.", reply.field("title")),
    )?;

    world.clock.move_on(Duration::from_hours(24));
    story.tell(
        "Clock",
        &format!(
            "the demo moves its clock on by 24 hours: it is {}",
            when(world.clock.now())
        ),
    )?;
    let document = world
        .case_once(&mut tomas, &case, &["done", "failed", "unknown"])
        .await?;
    story.must(text(&document, "state") == "done", "the case must be done");
    story.tell("Gate", "nobody said stop, so it runs by itself")?;
    let server = world
        .panel
        .server(customer.server)
        .context("the server is gone")?;
    story.must(
        server.reinstalled == 1,
        "the server must be reinstalled exactly once",
    );
    story.tell(
        "Panel",
        &format!(
            "checks the grant and its ledger proof, and installs {} on {}",
            server.image, customer.server
        ),
    )?;
    let receipt = tomas
        .read(&format!("/v1/cases/{case}/receipt"))
        .await?
        .good()?
        .text;
    check_receipt(
        world,
        &mut story,
        "Tomas, agent",
        "fetches the receipt",
        &receipt,
        &["Idris"],
    )
    .await?;
    story.end("two proofs, a colleague's signature, a letter to every contact and a day; then exactly once.")
}

/// Where each path stopped: the line of the file, and the line itself.
fn tell_stops(story: &mut Story<'_>, action: &str, stops: &[Stop]) -> anyhow::Result<()> {
    for stop in stops {
        story.tell(
            "Stopped by",
            &format!(
                "line {} of {PROCEDURE_PATH} ({action}, path {})",
                stop.line, stop.path
            ),
        )?;
        story.excerpt(&stop.text)?;
    }
    Ok(())
}
