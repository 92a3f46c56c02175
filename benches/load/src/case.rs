//! One whole case, from the opening to the panel having run it, and what each step took.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::{
    Failed,
    http::{Answer, Pool},
    panel::Panel,
    site::Customer,
    timing::Samples,
};

/// The requests of a case, in their order, and two spans across them.
pub(crate) const STEPS: [&str; 8] = [
    "open (API)",
    "use the link",
    "authenticator code",
    "passkey, start",
    "passkey, finish",
    "confirm",
    "last proof to grant verified",
    "whole case",
];

/// How long a case may take altogether before it counts as failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// What the steps took, in the order of [`STEPS`].
#[derive(Debug, Default, Clone)]
pub(crate) struct Times(pub(crate) [Samples; STEPS.len()]);

impl Times {
    fn add(&mut self, step: usize, from: Instant, to: Instant) {
        if let Some(samples) = self.0.get_mut(step) {
            samples.add(to.saturating_duration_since(from));
        }
    }

    pub(crate) fn extend(&mut self, other: Self) {
        for (all, new) in self.0.iter_mut().zip(other.0) {
            all.extend(new);
        }
    }
}

/// Plays one case. The first request counts from `due`, when it should have begun; each further one from the end of the
/// one before, since that is when its customer would press the button.
pub(crate) async fn whole(
    pool: &Pool,
    panel: &Panel,
    token: &str,
    customer: &mut Customer,
    due: Instant,
) -> Result<Times, Failed> {
    let mut times = Times::default();
    customer.cases += 1;
    let text = format!("{}-{}", customer.id, customer.cases);
    let ran = panel.when_run(text.clone());

    let body =
        json!({ "customer": customer.id, "action": "note.add", "parameters": { "text": text } });
    let headers = format!(
        "authorization: Bearer {token}\r\ncontent-type: application/json\r\nidempotency-key: {text}\r\n"
    );
    let answer = pool
        .ask("POST /v1/cases", &headers, body.to_string().as_bytes())
        .await?;
    let mut at = Instant::now();
    times.add(0, due, at);
    let opened: Value = expect(&answer, 201, "open")?;
    let digest = text_of(&opened, "/digest")?;
    let link = text_of(&opened, "/link/url")?;
    let link = link.rsplit('/').next().unwrap_or_default();

    let mut timed = async |step: usize, line: &str, headers: String, body: String| {
        let answer = pool.ask(line, &headers, body.as_bytes()).await?;
        let now = Instant::now();
        times.add(step, at, now);
        at = now;
        Ok::<_, Failed>((answer, now))
    };
    let from = customer.from.clone();
    let (answer, _) = timed(
        1,
        "POST /c/yes",
        format!("{from}cookie: countersign-link={link}\r\n"),
        String::new(),
    )
    .await?;
    let seat = answer.cookie.ok_or("the link gave no seat")?;
    let as_seat = format!("{from}cookie: {seat}\r\n");
    let form = format!("{as_seat}content-type: application/x-www-form-urlencoded\r\n");
    let script = format!("{as_seat}content-type: application/json\r\n");

    let code = customer.code().ok_or("no code left")?;
    let (answer, _) = timed(
        2,
        "POST /c/prove/app_code",
        form.clone(),
        format!("secret={code}"),
    )
    .await?;
    expect_status(&answer, 303, "authenticator code")?;
    let (answer, _) = timed(
        3,
        "POST /c/prove/passkey/start",
        script.clone(),
        "{}".to_owned(),
    )
    .await?;
    let prompt: Value = expect(&answer, 200, "passkey, start")?;
    let credential = customer.sign(prompt.get("publicKey").ok_or("no options")?)?;
    let signed = json!({ "ceremony": prompt.get("ceremony"), "credential": credential });
    let (answer, _) = timed(
        4,
        "POST /c/prove/passkey/finish",
        script,
        signed.to_string(),
    )
    .await?;
    let proved = Instant::now();
    expect_status(&answer, 200, "passkey, finish")?;
    let (answer, _) = timed(5, "POST /c/confirm", form, format!("digest={digest}")).await?;
    expect_status(&answer, 303, "confirm")?;

    let ran = tokio::time::timeout(PATIENCE, ran).await??;
    times.add(6, proved, ran);
    times.add(7, due, ran);
    Ok(times)
}

fn expect(answer: &Answer, status: u16, what: &str) -> Result<Value, Failed> {
    expect_status(answer, status, what)?;
    Ok(serde_json::from_slice(&answer.body)?)
}

fn expect_status(answer: &Answer, status: u16, what: &str) -> Result<(), Failed> {
    if answer.status == status {
        return Ok(());
    }
    let said: String = String::from_utf8_lossy(&answer.body)
        .chars()
        .take(300)
        .collect();
    Err(format!("{what}: {} {said}", answer.status).into())
}

fn text_of(value: &Value, pointer: &str) -> Result<String, Failed> {
    let text = value.pointer(pointer).and_then(Value::as_str);
    Ok(text.ok_or_else(|| format!("no {pointer}"))?.to_owned())
}
