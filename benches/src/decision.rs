//! "May this run now?": ours beside cedar-policy's `is_authorized`, in one run.
//!
//! Both are asked about the same path, `password and (app_code or passkey)`, a backup of the last day
//! in two places, and a senior's signature, once the customer confirmed. Both have everything they
//! need in memory. Ours holds one case per action and looks at each requirement with its time (is the
//! proof newer than the holding, is the backup fresh, is the signer somebody else); cedar gets those
//! answers ready-made in its context, which favours cedar.

use std::{collections::BTreeMap, fmt::Write as _, hint::black_box, str::FromStr as _};

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey},
};
use cedar_policy::{Authorizer, Context, Decision, Entities, EntityUid, PolicySet, Request};
use countersign_cases::{
    Actor, BackupFact, Case, CaseId, Command, CustomerId, Evidence, Facts, HoldingFact, Mark,
    MarkSalt, Moment, Opening, PersonId, StaffMember, Timestamp, decide, evolve, may_run,
};
use countersign_language::{BackupGrade, HoldingId, Procedure, read};

use crate::timing::{Measured, Samples, time, verdict};

/// Actions of the generated procedure, and policies of cedar's largest set.
const ACTIONS: usize = 1_000;
/// Samples per figure; the median is printed. Each sample is well under a millisecond where it can be, so
/// that few of them lose the processor to something else.
const SAMPLES: usize = 301;
/// 2026-11-23 10:45 UTC, in ms since the epoch.
const NOW: Timestamp = Timestamp(1_795_430_700_000);

/// Prints the figures.
///
/// # Errors
/// If either engine does not say yes: then the figures would mean nothing.
pub(crate) fn run() -> Measured {
    println!("may this run now? median of {SAMPLES} samples");
    let world = World::new()?;
    let moment = world.moment();
    let question = |case: Option<&Case>| {
        case.is_some_and(|case| may_run(black_box(&world.procedure), case, &moment).is_ok())
    };

    let mut turn = 0;
    let ours = median_ns(ACTIONS, || {
        turn = (turn + 1) % ACTIONS;
        question(world.cases.get(turn))
    })?;
    println!(
        "  ours, {ACTIONS} actions, another case each time  {ours:>10.0} ns   (at most 150: {})",
        verdict(ours <= 150.0)
    );
    let one = world.cases.get(ACTIONS / 2).ok_or("no case")?;
    let same = median_ns(ACTIONS, || question(Some(black_box(one))))?;
    println!("  ours, {ACTIONS} actions, the same case           {same:>10.0} ns");

    for policies in [10, 100, ACTIONS] {
        let cedar = Cedar::new(policies)?;
        let calls = (200 / policies).max(1);
        let theirs = median_ns(calls, || cedar.asks())?;
        println!(
            "  cedar-policy, {policies:>4} policies                   {theirs:>10.0} ns   {:>7.0} times ours",
            theirs / ours
        );
        let from_json = median_ns(calls, || cedar.asks_from_json().unwrap_or(false))?;
        println!("  cedar-policy, {policies:>4} policies, from JSON text   {from_json:>10.0} ns");
    }

    let by_id: BTreeMap<&str, &Case> = world
        .cases
        .iter()
        .filter_map(|case| Some((case.id()?.0.as_str(), case)))
        .collect();
    let text = format!(
        "{{\"case\":\"{}\",\"now\":{}}}",
        case_id(ACTIONS / 2),
        NOW.0
    );
    let from_json = median_ns(ACTIONS, || {
        let asked: Option<Question<'_>> = serde_json::from_str(black_box(&text)).ok();
        asked.is_some_and(|asked| {
            let moment = Moment {
                now: Timestamp(asked.now),
                facts: &world.facts,
            };
            by_id
                .get(asked.case)
                .is_some_and(|case| may_run(&world.procedure, case, &moment).is_ok())
        })
    })?;
    println!(
        "  ours, from the question's JSON text          {from_json:>10.0} ns   (under 500: {})",
        verdict(from_json < 500.0)
    );
    let snapshot = serde_json::to_string(one)?;
    let whole = median_ns(50, || {
        let case: Option<Case> = serde_json::from_str(black_box(&snapshot)).ok();
        question(case.as_ref())
    })?;
    println!(
        "  ours, with the whole case from JSON text     {whole:>10.0} ns   ({} bytes)",
        snapshot.len()
    );

    let verification = ed25519_ns()?;
    println!(
        "  one Ed25519 verification, for scale          {verification:>10.0} ns   (a grant costs three of these)"
    );
    Ok(())
}

type Failure = Box<dyn std::error::Error>;

/// What a caller sends.
#[derive(serde::Deserialize)]
struct Question<'a> {
    case: &'a str,
    now: i64,
}

struct World {
    procedure: Procedure,
    facts: Facts,
    cases: Vec<Case>,
}

impl World {
    fn new() -> Result<Self, Failure> {
        let reading = read(&procedure_text()?);
        let procedure = reading
            .procedure
            .ok_or("the generated procedure is not valid")?;
        let facts = Facts {
            holdings: (0_u32..)
                .zip(&procedure.holdings)
                .map(|(index, _)| HoldingFact {
                    holding: HoldingId(index),
                    changed_at: Some(Timestamp(0)),
                })
                .collect(),
            backups: ["vault", "shed"]
                .map(|place| BackupFact {
                    grade: BackupGrade::Verified,
                    place: place.into(),
                    at: Timestamp(NOW.0 - 3_600_000),
                })
                .into(),
            ..Facts::default()
        };
        let mut world = Self {
            procedure,
            facts,
            cases: Vec::new(),
        };
        world.cases = (0..ACTIONS)
            .map(|index| world.ready_case(index))
            .collect::<Result<_, _>>()?;
        Ok(world)
    }

    fn moment(&self) -> Moment<'_> {
        Moment {
            now: NOW,
            facts: &self.facts,
        }
    }

    /// A case for this action with which everything is done.
    fn ready_case(&self, index: usize) -> Result<Case, Failure> {
        let member = |person: &str, role: &str| -> Result<StaffMember, Failure> {
            Ok(StaffMember {
                person: PersonId(person.into()),
                name: person.into(),
                roles: vec![self.procedure.role_named(role).ok_or("no such role")?],
                concerned: false,
                robot: false,
            })
        };
        let opening = Opening {
            case: CaseId(case_id(index)),
            customer: CustomerId("c-1".into()),
            action: action_name(index),
            parameters: BTreeMap::from([("server".into(), "web-1".into())]),
            by: Actor::Staff(member("amira", "agent")?),
            reason: Some("the disk is full".into()),
            reference: None,
            nonce: [7; 16],
            mark: Mark::of_case(&MarkSalt::new([7; 32])),
        };
        let assertion = || Evidence::Assertion {
            credential: "Y3JlZA".into(),
            public_key: "a2V5".into(),
            client_data: "e30".into(),
            authenticator_data: "AA".into(),
            signature: "c2ln".into(),
        };
        let case = self.after(Case::none(), Command::Open(opening))?;
        let digest = case.digest().ok_or("not open")?;
        let prove = |proof: &str| -> Result<Command, Failure> {
            Ok(Command::Prove {
                proof: self.procedure.proof_named(proof).ok_or("no such proof")?,
                digest,
                evidence: assertion(),
            })
        };
        let case = self.after(case, Command::UseLink)?;
        let case = self.after(case, prove("password")?)?;
        let case = self.after(case, prove("passkey")?)?;
        let case = self.after(case, Command::Confirm { digest })?;
        self.after(
            case,
            Command::SignOff {
                by: member("petra", "senior")?,
                digest,
                evidence: assertion(),
            },
        )
    }

    fn after(&self, case: Case, command: Command) -> Result<Case, Failure> {
        let decision = decide(&self.procedure, &case, command, &self.moment())?;
        Ok(decision.events.iter().fold(case, evolve))
    }
}

fn case_id(index: usize) -> String {
    format!("CS-{index:04}")
}

fn action_name(index: usize) -> String {
    format!("server.task{index:04}")
}

pub(crate) fn procedure_text() -> Result<String, Failure> {
    let mut text = String::from(
        r#"organisation "Acme Hosting"

staff agent  "support agent"
staff senior "senior support agent" includes agent

secret  password "account password"        using password
secret  pin      "support PIN"             using pin
channel mailbox  "e-mail address on file"
channel mobile   "mobile number on file"
device  phone    "phone with the authenticator app"
device  key      "passkey"

proof mail_code "code sent by e-mail" shows mailbox using mail
proof app_code  "authenticator code"  shows phone   using totp
proof passkey_proof "another passkey" shows key     using passkey
proof passkey   "passkey"             shows key     using passkey

loss server_data "every file on a customer's server"
"#,
    );
    for index in 0..ACTIONS {
        write!(
            text,
            r#"
action {name} "Task {index}" {{
  with  server "server"
  says  "Do task {index} on {{server}}"
  loses server_data
  runs  panel
  path usual {{
    prove password and (app_code or passkey)
    backup within 24h in 2 places
    sign-off 1 senior
  }}
  path lost_phone {{
    prove pin and mail_code settled 7d
    sign-off 2 senior
    notify every channel
    wait 24h
  }}
}}
"#,
            name = action_name(index),
        )?;
    }
    Ok(text)
}

/// The same path, once for each of so many actions, as a cedar policy set; and the question about the middle one.
struct Cedar {
    authorizer: Authorizer,
    policies: PolicySet,
    entities: Entities,
    asker: EntityUid,
    action: EntityUid,
    target: EntityUid,
    request: Request,
}

const CEDAR_CONTEXT: &str = r#"{"confirmed":true,"proofs":["password","passkey"],"signed_by":["senior"],"backup_places":2}"#;

impl Cedar {
    fn new(policies: usize) -> Result<Self, Failure> {
        let mut text = String::new();
        for index in 0..policies {
            write!(
                text,
                r#"permit(principal, action == Action::"{name}", resource) when {{
                  context.confirmed && context.proofs.contains("password")
                  && (context.proofs.contains("app_code") || context.proofs.contains("passkey"))
                  && context.backup_places >= 2 && context.signed_by.contains("senior")
                }};
                "#,
                name = action_name(index),
            )?;
        }
        let asker = EntityUid::from_str(r#"Customer::"c-1""#)?;
        let action = EntityUid::from_str(&format!(r#"Action::"{}""#, action_name(policies / 2)))?;
        let target = EntityUid::from_str(r#"Server::"web-1""#)?;
        let context = Context::from_json_str(CEDAR_CONTEXT, None)?;
        Ok(Self {
            authorizer: Authorizer::new(),
            policies: PolicySet::from_str(&text)?,
            entities: Entities::empty(),
            request: Request::new(asker.clone(), action.clone(), target.clone(), context, None)?,
            asker,
            action,
            target,
        })
    }

    fn asks(&self) -> bool {
        let answer =
            self.authorizer
                .is_authorized(black_box(&self.request), &self.policies, &self.entities);
        answer.decision() == Decision::Allow
    }

    fn asks_from_json(&self) -> Result<bool, Failure> {
        let context = Context::from_json_str(black_box(CEDAR_CONTEXT), None)?;
        let request = Request::new(
            self.asker.clone(),
            self.action.clone(),
            self.target.clone(),
            context,
            None,
        )?;
        let answer = self
            .authorizer
            .is_authorized(&request, &self.policies, &self.entities);
        Ok(answer.decision() == Decision::Allow)
    }
}

fn ed25519_ns() -> Result<f64, Failure> {
    let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(|_| "no key")?;
    let pair = Ed25519KeyPair::from_pkcs8(document.as_ref()).map_err(|_| "no key")?;
    let message = [0x5a; 300];
    let signature = pair.sign(&message);
    let public = UnparsedPublicKey::new(&ED25519, pair.public_key().as_ref());
    median_ns(5, || {
        public
            .verify(black_box(&message), signature.as_ref())
            .is_ok()
    })
}

/// Median over [`SAMPLES`] samples of the mean time of one of `calls` calls, in nanoseconds.
///
/// # Errors
/// If a call says no.
fn median_ns(calls: usize, mut one: impl FnMut() -> bool) -> Result<f64, Failure> {
    let mut samples = Samples::default();
    for _ in 0..SAMPLES {
        let (took, yes) = time(|| (0..calls).all(|_| black_box(one())));
        if !yes {
            return Err("the answer was no".into());
        }
        samples.add(took);
    }
    #[expect(clippy::cast_precision_loss, reason = "a count of calls")]
    let calls = calls as f64;
    Ok(samples.quantile_us(0.5) * 1_000.0 / calls)
}
