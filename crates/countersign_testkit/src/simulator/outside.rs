//! Everything the gate talks to: backends that answer, answer twice, late, wrongly or never; mail that is lost, late or
//! doubled; the company's password check.

use std::{collections::BTreeMap, sync::Arc};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use countersign_grant::{Expected, GrantKey, Jwk, JwkSet, Reason, Verifier};
use countersign_ledger::Policy;
use countersign_service::adapters::{
    delivery::{Delivery, LaterReason, RefusedReason},
    outside::{Outside, OutsideMail, OutsideReply, OutsideRequest},
};
use futures_util::future::{BoxFuture, FutureExt};
use serde_json::{Value, json};

use super::{
    company::{GRANT_SEED, ORIGIN},
    sim::{MINUTE, SECOND, Sim, locked},
    tasks::turn,
};
use crate::auditor::{Attempt, Carried, Done, Letter};

/// What arrived where, and what the backends know.
#[derive(Debug, Default)]
pub(super) struct Post {
    /// Letters and messages as they arrive, or will.
    pub(super) arriving: Vec<Arriving>,
    /// What each backend decided, by grant; nothing for a grant it never saw.
    verdicts: BTreeMap<String, Verdict>,
    /// Grants still on their way.
    on_the_way: Vec<(i64, String, String, String)>,
    /// Grants that no honest backend should ever be handed, and why.
    pub(super) bad_grants: Vec<String>,
}

/// A letter that reaches somebody.
#[derive(Debug, Clone)]
pub(super) struct Arriving {
    pub(super) at: i64,
    pub(super) to: String,
    pub(super) text: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Verdict {
    Done,
    Failed(String),
}

/// Everything outside, in one.
#[derive(Debug)]
pub(super) struct Everything(pub(super) Arc<Sim>);

impl Outside for Everything {
    fn request(&self, request: OutsideRequest) -> BoxFuture<'_, OutsideReply> {
        async move {
            turn().await;
            self.0.moments_pass();
            let path = request
                .url
                .split_once("://")
                .and_then(|(_, rest)| rest.split_once('/'))
                .map(|(_, path)| path.to_owned())
                .unwrap_or_default();
            let reply = match path.split('/').collect::<Vec<_>>().as_slice() {
                ["text"] => self.0.text_message(&request),
                ["password"] => self.0.password(&request),
                ["run", connector] => self.0.run(connector, &request),
                ["status", _, jti] => self.0.status(jti),
                _ => OutsideReply::Answer {
                    status: 404,
                    body: Vec::new(),
                },
            };
            turn().await;
            self.0.moments_pass();
            reply
        }
        .boxed()
    }

    fn mail(&self, mail: OutsideMail) -> BoxFuture<'_, Delivery> {
        async move {
            turn().await;
            self.0.moments_pass();
            let text = format!("{}\n{}", mail.subject, mail.text);
            let carried = self.0.carry(&mail.to, &text);
            turn().await;
            match carried {
                Carried::Taken => Delivery::HandedOver,
                Carried::Refused => Delivery::Refused(RefusedReason::Answered(550)),
                Carried::Later => Delivery::TryLater(LaterReason::Answered(451)),
            }
        }
        .boxed()
    }
}

fn said(status: u16, words: &Value) -> OutsideReply {
    OutsideReply::Answer {
        status,
        body: words.to_string().into_bytes(),
    }
}

impl Sim {
    fn carry(&self, to: &str, text: &str) -> Carried {
        let now = self.time.now();
        let mut drawn = usize::MAX;
        if self.draw(100) < self.odds().mail {
            drawn = self.draw(6);
        }
        let (carried, copies): (_, &[i64]) = match drawn {
            0 => {
                self.count("letter lost");
                (Carried::Taken, &[])
            }
            1 => {
                self.count("letter doubled");
                (Carried::Taken, &[SECOND, MINUTE])
            }
            2 => {
                self.count("letter late");
                (Carried::Taken, &[25 * MINUTE])
            }
            3 => {
                self.count("letter refused");
                (Carried::Refused, &[])
            }
            4 => {
                self.count("letter not taken yet");
                (Carried::Later, &[])
            }
            5 => {
                self.count("letter taken, gate told later");
                (Carried::Later, &[SECOND])
            }
            _ => (Carried::Taken, &[2 * SECOND]),
        };
        let mut post = locked(&self.post);
        for after in copies {
            post.arriving.push(Arriving {
                at: now + after,
                to: to.to_owned(),
                text: text.to_owned(),
            });
        }
        let position = self.position();
        locked(&self.books).letters.push(Letter {
            position,
            at: now,
            to: to.to_owned(),
            text: text.to_owned(),
            carried,
        });
        carried
    }

    fn text_message(&self, request: &OutsideRequest) -> OutsideReply {
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let field = |name: &str| {
            body.get(name)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        match self.carry(&field("to"), &field("text")) {
            Carried::Taken => said(202, &json!({})),
            Carried::Refused => said(400, &json!({})),
            Carried::Later => OutsideReply::NoAnswer,
        }
    }

    fn password(&self, request: &OutsideRequest) -> OutsideReply {
        if self.draw(100) < self.odds().backend.min(4) {
            self.count("password check silent");
            return OutsideReply::NoAnswer;
        }
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let customer = body.get("customer").and_then(Value::as_str);
        let books = locked(&self.books);
        let right = books
            .puts
            .iter()
            .rev()
            .find(|put| Some(put.customer.as_str()) == customer)
            .is_some_and(|put| {
                put.elsewhere.iter().any(|(_, value, _)| {
                    body.get("password").and_then(Value::as_str) == Some(value)
                })
            });
        said(200, &json!({ "ok": right }))
    }

    /// A grant comes.
    fn run(&self, connector: &str, request: &OutsideRequest) -> OutsideReply {
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let jws = body
            .get("grant")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned();
        let bundle = String::from_utf8_lossy(&request.body).into_owned();
        let mut drawn = usize::MAX;
        if self.draw(100) < self.odds().backend {
            drawn = self.draw(8);
        }
        let position = self.position();
        locked(&self.books).attempts.push(Attempt {
            position,
            at: self.time.now(),
            jti: request.id.clone(),
            not_sent: drawn == 0,
            jws: jws.clone(),
        });
        let now = self.time.now();
        let act = || self.act(connector, &request.id, &jws, &bundle, now);
        match drawn {
            0 => {
                self.count("backend out of reach");
                OutsideReply::NotSent
            }
            1 => {
                self.count("backend did it, answer lost");
                act();
                OutsideReply::NoAnswer
            }
            2 => {
                self.count("backend got it twice");
                act();
                act()
            }
            3 => {
                self.count("backend got it late");
                let after = SECOND * i64::try_from(5 + self.draw(200)).unwrap_or(5);
                locked(&self.post).on_the_way.push((
                    now + after,
                    connector.to_owned(),
                    request.id.clone(),
                    bundle.clone(),
                ));
                OutsideReply::NoAnswer
            }
            4 => {
                self.count("backend never got it");
                OutsideReply::NoAnswer
            }
            5 => {
                self.count("backend did it, said 502");
                act();
                said(502, &json!({ "error": "bad gateway" }))
            }
            6 => {
                self.count("backend said no");
                let verdict = Verdict::Failed("declined".to_owned());
                self.settle(&request.id, verdict)
            }
            7 => {
                self.count("backend said nonsense");
                act();
                said(200, &json!({ "outcome": "perhaps" }))
            }
            _ => act(),
        }
    }

    /// What a backend makes of a grant: checked as the library for backends does it, and at most once.
    fn act(&self, connector: &str, jti: &str, jws: &str, bundle: &str, at: i64) -> OutsideReply {
        if let Some(verdict) = locked(&self.post).verdicts.get(jti).cloned() {
            return reply(&verdict);
        }
        match self.checked(connector, jws, bundle, at) {
            Ok(claims) => {
                self.count("done at a backend");
                locked(&self.books).done.push(Done {
                    jti: jti.to_owned(),
                    at,
                    claims,
                });
                self.settle(jti, Verdict::Done)
            }
            Err(reason) => {
                if !matches!(reason, Reason::Expired | Reason::NotYetValid) {
                    locked(&self.post)
                        .bad_grants
                        .push(format!("{jti}: {}", reason.as_str()));
                }
                self.count("grant refused by a backend");
                self.settle(jti, Verdict::Failed(reason.as_str().to_owned()))
            }
        }
    }

    fn settle(&self, jti: &str, verdict: Verdict) -> OutsideReply {
        let mut post = locked(&self.post);
        reply(post.verdicts.entry(jti.to_owned()).or_insert(verdict))
    }

    fn checked(&self, connector: &str, jws: &str, bundle: &str, at: i64) -> Result<Value, Reason> {
        let claims = claims_of(jws).ok_or(Reason::Form)?;
        let detail = claims
            .pointer("/authorization_details/0")
            .ok_or(Reason::Form)?;
        let expected = Expected {
            action: text(detail, "action"),
            parameters: serde_json::from_value(
                detail.get("parameters").cloned().unwrap_or_default(),
            )
            .map_err(|_| Reason::Form)?,
            subject: text(&claims, "sub"),
        };
        let verifier = Verifier {
            issuer: ORIGIN.to_owned(),
            audience: connector.to_owned(),
            keys: grant_keys().by_kid().map_err(|_| Reason::Key)?,
            policy: Policy::of_log(self.signer.verifier().clone()).map_err(|_| Reason::LogKey)?,
            leeway_s: 5,
        };
        let seconds = u64::try_from(at / SECOND).unwrap_or(0);
        verifier.verify(bundle, &expected, seconds, &mut |_, _| true)?;
        Ok(claims)
    }

    /// Grants that were on their way for a while come.
    pub(super) fn late_grants_come(&self) {
        let now = self.time.now();
        let due: Vec<_> = {
            let mut post = locked(&self.post);
            let (due, later) = std::mem::take(&mut post.on_the_way)
                .into_iter()
                .partition(|(at, ..)| *at <= now);
            post.on_the_way = later;
            due
        };
        for (at, connector, jti, bundle) in due {
            let jws = serde_json::from_str::<Value>(&bundle)
                .map(|body| text(&body, "grant"))
                .unwrap_or_default();
            let _ = self.act(&connector, &jti, &jws, &bundle, at);
        }
    }

    fn status(&self, jti: &str) -> OutsideReply {
        self.late_grants_come();
        if self.draw(100) < self.odds().backend.min(30) {
            self.count("status not told");
            return match self.draw(3) {
                0 => OutsideReply::NoAnswer,
                1 => said(503, &json!({})),
                _ => said(200, &json!({ "outcome": "running", "jti": jti })),
            };
        }
        if let Some(verdict) = locked(&self.post).verdicts.get(jti) {
            reply(verdict)
        } else {
            self.count("status never seen");
            said(404, &json!({ "outcome": "never_seen", "jti": jti }))
        }
    }
}

fn reply(verdict: &Verdict) -> OutsideReply {
    match verdict {
        Verdict::Done => said(200, &json!({ "outcome": "done" })),
        Verdict::Failed(reason) => said(200, &json!({ "outcome": "failed", "reason": reason })),
    }
}

fn grant_keys() -> JwkSet {
    let jwk: Option<Jwk> = GrantKey::from_seed(&GRANT_SEED).ok().map(|key| key.jwk());
    JwkSet {
        keys: jwk.into_iter().collect(),
    }
}

/// What a grant says, whoever signed it.
pub(super) fn claims_of(jws: &str) -> Option<Value> {
    let payload = jws.split('.').nth(1)?;
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
}

fn text(object: &Value, name: &str) -> String {
    object
        .get(name)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}
