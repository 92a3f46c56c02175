//! The fourth story: something was done past the gate, and what a company can do about it then.

use std::time::Duration;

use anyhow::Context as _;
use countersign_cases::Timestamp;
use countersign_service::adapters::clock::Clock as _;
use serde_json::{Value, json};

use super::people::text;
use super::telling::Teller;
use super::world::World;

/// Why no promise is needed, in the words that are signed.
const WHY_CLOSED: &str = "The panel's old door is shut, and the gate never had it. No promise of the procedure was broken.";

/// From an action that no case covers to a statement that a second person signed.
pub(crate) async fn aftermath(world: &World, teller: &Teller) -> anyhow::Result<bool> {
    let mut story = teller.story(
        4,
        "When something went wrong anyway",
        "An engineer of the panel erases a server by hand, past the gate. Nobody asked for it, and \
         nobody would have known.",
    )?;
    let customer = &world.tora;
    let mut idris = world.idris.lock().await;
    let mut petra = world.petra.lock().await;
    world.panel.past_the_gate(customer.server);
    story.tell(
        "Panel",
        &format!(
            "{} is erased by hand; only the panel's own log says so",
            customer.server
        ),
    )?;

    // The backend's own log against the cases there are.
    let found = world.reconcile().await?;
    let count = |name: &str| found.get(name).and_then(Value::as_u64).unwrap_or_default();
    story.must(
        count("uncovered") == 1 && count("unreadable") == 0,
        "exactly one line of the log must be uncovered",
    );
    story.tell(
        "Reconcile",
        &format!(
            "reads the panel's log: {} actions that a case covers, {} that none does. An alarm is raised",
            count("covered"),
            count("uncovered")
        ),
    )?;
    let again = world.reconcile().await?;
    let alarms = idris.read("/v1/alarms").await?.good()?.json();
    let alarms = alarms.get("alarms").and_then(Value::as_array).cloned();
    let alarms = alarms.unwrap_or_default();
    story.must(
        alarms.len() == 1 && again.get("uncovered") == found.get("uncovered"),
        "the same log read twice must be one alarm",
    );
    let alarm = alarms.first().map(|alarm| text(alarm, "id"));
    let alarm = alarm.context("there is no alarm")?;

    let new = json!({ "title": format!("{} was erased without a case", customer.server), "alarm": alarm });
    let id = idris.post("/v1/incidents", &new).await?.good()?.field("id");
    let at = format!("/v1/incidents/{id}");
    let view = idris.read(&at).await?.good()?.json();
    let touched = view.pointer("/touched/customers").and_then(Value::as_array);
    let who: Vec<String> = touched
        .into_iter()
        .flatten()
        .map(|row| text(row, "customer"))
        .collect();
    story.must(
        who.iter().any(|one| one == customer.id),
        "the customer must be among those who were touched",
    );
    story.tell(
        "Idris, senior",
        &format!("opens incident {id} from the alarm. The timeline fills itself, and *who else?* names {}", who.join(", ")),
    )?;
    let mark = json!({
        "customer": customer.id, "standing": "affected",
        "reason": "the panel's log names their server, and it runs a fresh image",
    });
    idris.post(&format!("{at}/marks"), &mark).await?.good()?;
    let now = world.clock.now();
    let week = now.plus_seconds(6 * 86_400);
    let task = json!({ "text": "Compare the panel's log with the ledger every day", "owner": "senior", "due_ms": week.0 });
    idris.post(&format!("{at}/tasks"), &task).await?.good()?;
    let update = json!({
        "headline": "A server was erased that nobody asked us to erase", "phase": "found",
        "text": "An old door of our panel was open. It is shut.",
        "next_ms": now.plus_seconds(7_200).0,
    });
    idris
        .post(&format!("{at}/updates"), &update)
        .await?
        .good()?;
    let public = world.http.get(&format!("/status/{id}")).await?.good()?;
    story.must(
        public.text.contains("A server was erased") && !public.text.contains(customer.account),
        "anybody must read the update, and nobody's name in it",
    );
    story.tell(
        "Idris, senior",
        "says who was affected, adds a task with an owner and a date, and tells the public on /status \
         what is known and when more will be",
    )?;

    // The statement: what it counts is held against the incident.
    let told = statement(now, week, "three customers");
    let refused = submit(&mut idris, &at, &told, 0).await?;
    let checked = idris
        .post(&format!("{at}/statement/check"), &json!({ "blog": told }))
        .await?
        .good()?
        .json();
    let quoted = findings(&checked, true);
    story.must(
        refused.field("code") == "statement-facts" && !quoted.is_empty(),
        "a wrong number must keep the statement back",
    );
    story.tell(
        "Idris, senior",
        &format!("writes a statement. It is refused: {}", quoted.join("; ")),
    )?;
    let told = statement(now, week, "{{customers_affected}} customer");
    let handed_in = submit(&mut idris, &at, &told, 1).await?;
    story.must(handed_in.is_good(), "the mended statement must be taken");
    let checked = idris
        .post(&format!("{at}/statement/check"), &json!({ "blog": told }))
        .await?
        .good()?
        .json();
    let advice = findings(&checked, false);
    story.must(
        advice.is_empty() && findings(&checked, true).is_empty(),
        format!("nothing must be found in it: {advice:?}"),
    );
    story.tell(
        "Idris, senior",
        "inserts the number as a field. The checker finds all eight things an effective apology does, \
         and none of the four it does not",
    )?;
    let own = idris
        .sign_at(&format!("{at}/statement/sign"), &json!({}))
        .await?;
    story.must(
        own.field("code") == "own-statement",
        "nobody must publish their own words",
    );
    story.tell(
        "Idris, senior",
        &format!("would publish it himself: refused. {}.", own.field("title")),
    )?;
    petra
        .sign_at(&format!("{at}/statement/sign"), &json!({}))
        .await?
        .good()
        .context("the second senior could not publish")?;
    let public = world.http.get(&format!("/status/{id}")).await?.good()?.text;
    let feed = world.http.get("/status/feed.atom").await?.good()?.text;
    story.must(
        public.contains("we erased the files of 1 customer")
            && feed.matches("<entry>").count() == 2,
        "the statement must be public, and in the feed",
    );
    story.tell(
        "Petra, senior",
        "reads it, and publishes it with her passkey, over exactly these words and facts",
    )?;

    // A letter to her alone.
    let before = world.mail.mails_to(world.signe.mailbox).len();
    idris
        .post(&format!("{at}/letters"), &json!({}))
        .await?
        .good()?;
    let wanted = |mail: &countersign_service::adapters::smtp_sink::ReceivedMail| {
        mail.is_to(customer.mailbox) && mail.subject().contains("what happened to your account")
    };
    let letter = world.mail.wait_for(Duration::from_secs(10), wanted).await;
    story.must(
        letter.is_some(),
        "the customer must get a letter of her own",
    );
    story.must(
        world.mail.mails_to(world.signe.mailbox).len() == before,
        "nobody else must be written to",
    );
    story.tell(
        "Gate",
        &format!(
            "writes to {}: what happened on her account, and the statement. Nobody else gets that letter",
            customer.mailbox
        ),
    )?;

    // Closing it is not a matter of taste.
    let promises = idris.read(&format!("{at}/promises")).await?.good()?.json();
    let promises = promises.get("promises").and_then(Value::as_array).cloned();
    let old = promises
        .unwrap_or_default()
        .first()
        .map(|one| text(one, "promise"))
        .context("the procedure promises nothing")?;
    let refused = idris
        .post(&format!("{at}/close"), &json!({ "promise": old }))
        .await?;
    story.must(
        refused.field("code") == "promise-not-new",
        "a promise that held then must not close it",
    );
    story.tell(
        "Idris, senior",
        &format!(
            "would close it by a promise: refused. {}.",
            refused.field("title")
        ),
    )?;
    petra
        .sign_at(&format!("{at}/close"), &json!({ "reason": WHY_CLOSED }))
        .await?
        .good()
        .context("the second senior could not close it")?;
    let closed = idris.read(&at).await?.good()?.json();
    story.must(
        closed
            .pointer("/incident/closed/because/reason")
            .and_then(Value::as_str)
            == Some(WHY_CLOSED),
        "the incident must be closed, with the reason that was signed",
    );
    story.tell(
        "Petra, senior",
        &format!("signs why none is needed: \"{WHY_CLOSED}\""),
    )?;
    story.end("what was done past the gate was found, told to whom it happened, and signed for in public.")
}

/// Saves the statement and hands it in.
async fn submit(
    idris: &mut super::people::Colleague,
    at: &str,
    blog: &str,
    revision: u32,
) -> anyhow::Result<super::people::Reply> {
    let draft = json!({ "blog": blog, "revision": revision });
    idris
        .put(&format!("{at}/statement"), &draft)
        .await?
        .good()?;
    let next = json!({ "revision": revision + 1 });
    idris.post(&format!("{at}/statement/submit"), &next).await
}

/// What was found in a statement: errors, or advice.
fn findings(checked: &Value, errors: bool) -> Vec<String> {
    let all = checked.get("findings").and_then(Value::as_array);
    all.into_iter()
        .flatten()
        .filter(|found| found.get("error").and_then(Value::as_bool) == Some(errors))
        .map(|found| format!("\"{}\": {}", text(found, "quote"), text(found, "why")))
        .collect()
}

/// What the company tells the public. The day it began and how many it touched are fields and facts; what will be done has a
/// role, a state and a date.
fn statement(now: Timestamp, then: Timestamp, customers: &str) -> String {
    let day = |at: Timestamp| {
        jiff::Timestamp::from_millisecond(at.0)
            .map(|at| at.strftime("%-d %B").to_string())
            .unwrap_or_default()
    };
    format!(
        "On {{{{began_at}}}} we erased the files of {customers}. We are sorry.\n\n\
         We were wrong: we had left an old door of our panel open, and an engineer of ours could use it without \
         anybody's approval. That is our fault and nobody else's.\n\n\
         If it was your server, you lost every file on it and a working day, and you had done nothing to bring it \
         about. We have restored all of your files from the backup of the night before, and credited you a month.\n\n\
         What changes: our head of platform shut the old door on {}; this is done. Our senior support agents \
         compare the panel's log with the ledger every day; this begins on {} and is planned.\n\n\
         We will do better, and say here whether we did. We ask you to forgive us, and we understand if you cannot.",
        day(now),
        day(then),
    )
}
