//! Who may do what: every route asked for by every kind of caller, compared with `docs/generated/who-may.txt`.
//! `UPDATE=1 cargo test -p countersign_web --test web who_may` writes it again.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use axum::body::Body;
use axum::http::{Request, header};
use countersign_service::adapters::clock::Clock as _;
use countersign_web::routes::{Door, Route, Verb, routes};
use serde_json::{Value, json};

use crate::world::{Client, MAILBOX, PIN, World, halden, reinstall};

/// Who asks, in the order of the file. The case was opened by another agent; the customer confirmed, a senior is waited for.
const CALLERS: [&str; 18] = [
    "anonymous",
    "agent",
    "opener",
    "senior",
    "concerned",
    "admin",
    "auditor",
    "seat",
    "link",
    "stop link",
    "framed",
    "panel",
    "customers",
    "eraser",
    "backups",
    "reader",
    "robot",
    "reconciler",
];

/// What the caller has to show.
fn shows(caller: &str) -> &'static str {
    match caller {
        "anonymous" | "stop link" | "link" => "nothing",
        "seat" => "seat",
        "framed" => "panel session",
        "panel" | "customers" | "eraser" | "backups" | "reader" | "robot" | "reconciler" => {
            "machine"
        }
        _ => "staff",
    }
}

struct Setting {
    caller: Client,
    case: String,
    token: String,
    /// One that a colleague opened, and nothing of which is public.
    incident: String,
    now: i64,
}

/// A world of their own for each caller, so that what one did changes nothing for the next.
async fn setting(world: &World, caller: &str) -> Setting {
    let mut signe = world.signe().await;
    let mut maja = world.colleague("maja").await;
    let case = world.case_of(&mut maja, &reinstall(&signe.id)).await;
    world.sit(&mut maja, &case, &mut signe).await;
    signe.types("pin", PIN).await;
    signe.types_mailed_code(world, MAILBOX).await;
    signe.confirms().await;
    let mut token = "cs_link_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA".to_owned();
    let caller = match caller {
        "anonymous" => world.visitor(),
        "agent" => world.colleague("tomas").await.browser,
        "opener" => maja.browser,
        "framed" => maja.panel(&world.router).await,
        "senior" => world.colleague("idris").await.browser,
        "concerned" => world.colleague("halvar").await.browser,
        "admin" => world.colleague("root").await.browser,
        "auditor" => world.colleague("alva").await.browser,
        "seat" => signe.browser,
        "link" => {
            let mut browser = world.visitor();
            let link = world.link(&mut maja, &case).await;
            browser.get(&link).await;
            link.rsplit('/').next().unwrap().clone_into(&mut token);
            browser
        }
        "stop link" => {
            world.colleague("petra").await.signs(&case).await;
            world.settle().await;
            let link = world.stop_link(MAILBOX);
            link.rsplit('/').next().unwrap().clone_into(&mut token);
            world.visitor()
        }
        machine => world.machine(machine),
    };
    let mut petra = world.colleague("petra").await.browser;
    let opened = petra
        .call(
            "POST",
            "/v1/incidents",
            &json!({ "title": "Servers erased" }),
        )
        .await;
    let incident = opened.json()["id"].as_str().unwrap().to_owned();
    Setting {
        incident,
        caller,
        case,
        token,
        now: world.clock.now().0,
    }
}

/// What the route answers, in a few words.
async fn outcome(setting: &mut Setting, route: &Route) -> String {
    let of_customers = route.path.contains("/customers/");
    let path = route
        .path
        .replace("{case}", &setting.case)
        .replace(
            "{id}",
            if of_customers {
                "c-1042"
            } else {
                &setting.case
            },
        )
        .replace("{customer}", "c-1042")
        .replace("{holding}", "pin")
        .replace("{question}", "q_0")
        .replace("{way}", "pin")
        .replace("{action}", "server.reinstall")
        .replace("{token}", &setting.token)
        .replace("{file}", "nothing.css")
        .replace("{code}", "sign-in")
        .replace("{connector}", "panel")
        .replace("{seq}", "1")
        .replace("{incident}", &setting.incident)
        .replace("{alarm}", &"0f".repeat(16))
        .replace("{task}", "1")
        .replace("{change}", "line")
        .replace("{*path}", "0/000");
    let of_api = route.operation.is_some();
    let kind = if of_api || path.ends_with("/start") || path.ends_with("/finish") {
        "application/json"
    } else {
        "application/x-www-form-urlencoded"
    };
    let body = match route.verb {
        Verb::Get | Verb::Delete => Body::empty(),
        _ if kind == "application/json" => Body::from(whole(route.path, setting.now).to_string()),
        _ => Body::empty(),
    };
    let request = Request::builder()
        .method(route.verb.name())
        .uri(&path)
        .header(header::ACCEPT, "application/json")
        .header(header::CONTENT_TYPE, kind)
        .header("sec-fetch-site", "same-origin")
        .body(body)
        .unwrap();
    if path.ends_with("/events") {
        let response = setting.caller.begin(request).await;
        let status = response.status().as_u16();
        if status == 200 {
            return "200 (stream)".to_owned();
        }
        let bytes = axum::body::to_bytes(response.into_body(), 1 << 16)
            .await
            .unwrap();
        let problem: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        return format!("{status} {}", problem["code"].as_str().unwrap());
    }
    let seen = setting.caller.send(request).await;
    let more = match (seen.location(), seen.code()) {
        (Some(to), _) => format!(" to {}", to.replace(&setting.case, "{case}")),
        (None, code) if !code.is_empty() => format!(" {code}"),
        _ => String::new(),
    };
    format!("{}{more}", seen.status)
}

/// A body that says all it must, so that what is refused is the caller and not the request.
fn whole(path: &str, now: i64) -> Value {
    match path {
        "/v1/cases" => reinstall("c-1042"),
        "/v1/cases/{case}/vouch" => json!({ "text": "the caller named the last invoice number" }),
        "/v1/cases/{case}/refuse" => json!({ "reason": "the voice was not hers" }),
        "/v1/customers/{customer}" => halden(MAILBOX),
        "/v1/customers/{customer}/holdings/{holding}" => json!({ "pin": PIN }),
        "/v1/customers/{customer}/backups" => {
            json!({ "grade": "exists", "place": "falun", "at_ms": now, "compared": "names" })
        }
        "/v1/staff" => {
            json!({ "account": "nils", "person": "p-nils", "name": "Nils", "email": "nils@acme.example" })
        }
        "/v1/drills" => json!({ "action": "server.reinstall", "within_days": 1 }),
        "/v1/incidents" => json!({ "title": "Servers erased" }),
        "/v1/incidents/{incident}/lines" => {
            json!({ "when_ms": now, "text": "a call came", "source": "the call" })
        }
        "/v1/incidents/{incident}/marks" => {
            json!({ "customer": "c-1042", "standing": "affected", "reason": "their server is empty" })
        }
        "/v1/incidents/{incident}/tasks" => {
            json!({ "text": "shut the door", "owner": "senior", "due_ms": now + 60_000 })
        }
        "/v1/incidents/{incident}/tasks/{task}" => json!({ "state": "done" }),
        "/v1/incidents/{incident}/updates" => {
            json!({ "headline": "Servers were erased", "phase": "over" })
        }
        "/v1/incidents/{incident}/statement" | "/v1/incidents/{incident}/statement/check" => {
            json!({ "blog": "We are sorry." })
        }
        "/v1/incidents/{incident}/statement/submit" => json!({ "revision": 1 }),
        "/v1/incidents/{incident}/close" => json!({ "promise": "All is well" }),
        "/v1/incidents/{incident}/close/start" => json!({ "reason": "the old door is shut" }),
        "/v1/incidents/{incident}/close/finish" => {
            json!({ "reason": "the old door is shut", "credential": {} })
        }
        "/v1/alarms/{alarm}/settle" => json!({ "reason": "it was nothing at all" }),
        path if path.ends_with("/finish") => {
            json!({ "ceremony": "00".repeat(32), "credential": {} })
        }
        _ => json!({}),
    }
}

/// Whether the door in the table is the door in the wall.
fn agrees(door: Door, caller: &str, outcome: &str) -> bool {
    let shut_out = outcome.starts_with("401");
    let gone = outcome.starts_with("410");
    match (door, shows(caller)) {
        (Door::Anyone, _)
        | (Door::Staff, "staff")
        | (Door::Machine, "machine")
        | (Door::StaffOrMachine, "staff" | "machine")
        | (Door::Panel, "panel session") => !shut_out,
        (Door::Seat, "seat") => !gone,
        (Door::Seat, _) => gone,
        _ => shut_out,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_do_what_is_as_written_down() {
    let routes = routes();
    let mut all: BTreeMap<(usize, &str), String> = BTreeMap::new();
    for caller in CALLERS {
        let world = World::new().await;
        let mut setting = setting(&world, caller).await;
        let sign_outs = |route: &&(usize, &Route)| {
            route.1.path.ends_with("sign-out") && route.1.door == Door::Staff
        };
        let mut numbered: Vec<(usize, &Route)> = routes.iter().enumerate().collect();
        // What ends the case comes after everything else, and what ends the session at the very end.
        numbered.sort_by_key(|(at, route)| {
            let ends = [
                "withdraw",
                "refuse",
                "decline",
                "/c/yes",
                "/c/no",
                "/c/stop",
                "/v/{token}",
            ]
            .iter()
            .any(|end| route.path.ends_with(end) && route.verb == Verb::Post);
            (sign_outs(&&(*at, *route)), ends, *at)
        });
        let last = numbered.len() - 1;
        for (at, route) in &numbered[..last] {
            let outcome = outcome(&mut setting, route).await;
            assert!(
                agrees(route.door, caller, &outcome),
                "{} {} is a door for {:?}, and {caller} gets: {outcome}",
                route.verb.name(),
                route.path,
                route.door
            );
            all.insert((*at, caller), outcome);
        }
        // Having signed out by one route, the other finds nobody.
        let (at, again) = numbered[last];
        let outcome = outcome(&mut setting, again).await;
        assert!(outcome.starts_with("401"), "{outcome}");
        all.insert((at, caller), outcome);
    }

    let mut text = String::from(
        "# Who may do what. Produced by asking the real router; `UPDATE=1 cargo test -p countersign_web --test web who_may` writes it again.\n\
         # The case was opened by an agent (opener), the customer proved and confirmed, and a senior's signature is waited for.\n\
         # Forms are empty and ceremonies are made up: 400, 415 and 422 mean that the door is open. `concerned` is a senior whose\n\
         # own account the case is about; `link` holds a link that was not used; `framed` is the opener in the panel beside a\n\
         # ticket (empty forms lack its token, hence 403), and `panel` the machine of that name. What ends the case is asked for after everything\n\
         # else, in the order of the file; the second sign-out comes after the first.\n",
    );
    for (at, route) in routes.iter().enumerate() {
        let _ = writeln!(
            text,
            "\n{} {}  ({})",
            route.verb.name(),
            route.path,
            match route.door {
                Door::Anyone => "anyone",
                Door::Staff => "staff",
                Door::Seat => "seat",
                Door::Panel => "panel session",
                Door::Machine => "machine",
                Door::StaffOrMachine => "staff or machine",
                Door::Signed => "a backend's signature",
                Door::Checker => "signature of a checker",
            }
        );
        let mut outcomes: Vec<(&String, Vec<&str>)> = Vec::new();
        for caller in CALLERS {
            let outcome = &all[&(at, caller)];
            match outcomes.iter_mut().find(|(known, _)| *known == outcome) {
                Some((_, callers)) => callers.push(caller),
                None => outcomes.push((outcome, vec![caller])),
            }
        }
        outcomes.sort();
        for (outcome, callers) in outcomes {
            let callers = if callers.len() == CALLERS.len() {
                "everybody".to_owned()
            } else {
                callers.join(", ")
            };
            let _ = writeln!(text, "  {outcome}: {callers}");
        }
    }
    crate::kept("docs/generated/who-may.txt", &text);
}
