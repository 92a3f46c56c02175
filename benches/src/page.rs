//! The case page in the server: an open loop of 200 requests a second against the real router on SQLite.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use countersign_cases::CustomerId;
use countersign_service::adapters::clock::SystemClock;
use countersign_service::adapters::dice::SystemDice;
use countersign_service::adapters::secrets::{HashLimits, SecretHasher};
use countersign_service::adapters::soft_passkey::SoftPasskey;
use countersign_service::adapters::tokens::{Token, TokenKind};
use countersign_service::adapters::webhooks::WebhookSecret;
use countersign_service::settings::{
    Connector, Keys, Limits, MachineToken, NewAccount, Scope, Settings,
};
use countersign_service::{CustomerPut, Gate, LogSigner, OpenRequest, Operator, Parts};
use countersign_store::SqliteJournal;
use countersign_web::{Web, WebSettings};
use tower::ServiceExt as _;

use crate::timing::{Measured, Samples, verdict};

const ORIGIN: &str = "http://localhost:4180";
const RATE: u64 = 200;
const SECONDS: u64 = 15;

/// Goals: at most 5 ms at the 99th percentile; at most 60 KB with everything on a first visit.
pub(crate) fn run() -> Measured {
    let open_cases: usize = std::env::args()
        .nth(2)
        .and_then(|count| count.parse().ok())
        .unwrap_or(1_000);
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(measure(open_cases))
}

async fn measure(open_cases: usize) -> Measured {
    let folder = tempfile::tempdir()?;
    let log = LogSigner::new("localhost/ledger", &[7; 32])?;
    let token = Token::generate(TokenKind::Machine, &SystemDice);
    let journal =
        SqliteJournal::open(&folder.path().join("bench.db"), Arc::new(log.clone())).await?;
    let gate = Gate::start(settings(&log, &token), parts(Arc::new(journal))?).await?;
    let session = sign_in(&gate).await?;
    let staff = gate
        .staff_session(session.expose())
        .await?
        .ok_or("no session")?;
    let machine = gate.machine(token.expose()).ok_or("no machine")?;
    let mut cases = Vec::new();
    for number in 0..open_cases {
        let customer = CustomerId(format!("{number}"));
        let put = CustomerPut {
            name: format!("Customer {number}"),
            number: format!("204-{number}"),
            ..CustomerPut::default()
        };
        gate.put_customer(&machine, &customer, &put).await?;
        let request = OpenRequest {
            customer,
            action: "server.reinstall".to_owned(),
            parameters: [
                ("server".to_owned(), "web-1".to_owned()),
                ("image".to_owned(), "debian-12".to_owned()),
            ]
            .into(),
            reason: Some("asked in the chat".to_owned()),
            reference: None,
            return_to: None,
        };
        cases.push(gate.open_case(&staff, &request).await?.case.0);
    }
    let router = countersign_web::router(Web::new(
        gate,
        WebSettings {
            log_key: log.verifier().clone(),
            time_zone: "UTC".to_owned(),
            demo: None,
            trusted_proxies: Vec::new(),
            panel: countersign_web::PanelOrigins::default(),
        },
    ));
    let get = |path: String| {
        let request = Request::get(path)
            .header(header::COOKIE, format!("countersign={}", session.expose()))
            .header(header::ACCEPT_ENCODING, "br")
            .body(Body::empty());
        let router = router.clone();
        async move {
            let response = router.oneshot(request?).await?;
            let status = response.status();
            let body = to_bytes(response.into_body(), 1 << 20).await?;
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>((status, body))
        }
    };

    println!(
        "Pages in the server, {open_cases} open cases, {RATE} requests a second for {SECONDS} s each, SQLite, brotli"
    );
    for (name, path) in [
        ("case", None),
        ("desk", Some("/desk")),
        ("approvals", Some("/approvals")),
        ("settings", Some("/settings")),
    ] {
        let mut samples = Samples::default();
        let mut running = tokio::task::JoinSet::new();
        let begin = Instant::now();
        for number in 0..RATE * SECONDS {
            let due = begin + Duration::from_micros(number * 1_000_000 / RATE);
            tokio::time::sleep_until(due.into()).await;
            let at = usize::try_from(number).unwrap_or(0) * 7_919 % cases.len();
            let path = path.map_or_else(
                || format!("/cases/{}", cases.get(at).map_or("", String::as_str)),
                str::to_owned,
            );
            let request = get(path);
            running.spawn(async move {
                let start = Instant::now();
                let answer = request.await.map(|(status, _)| status);
                (start.elapsed(), answer)
            });
        }
        while let Some(done) = running.join_next().await {
            let (elapsed, status) = done?;
            if status.map_err(|error| error.to_string())? != StatusCode::OK {
                return Err(format!("the {name} page did not answer 200").into());
            }
            samples.add(elapsed);
        }
        let (median, p99) = (
            samples.quantile_us(0.5) / 1e3,
            samples.quantile_us(0.99) / 1e3,
        );
        println!(
            "  {name:<10} median {median:>7.2} ms   99th percentile {p99:>7.2} ms   (at most 5: {})",
            verdict(p99 <= 5.0)
        );
    }

    let (_, page) = get(format!("/cases/{}", cases.first().ok_or("no case")?))
        .await
        .map_err(|error| error.to_string())?;
    let mut first_visit = page.len();
    for name in ["app.css", "live.js", "passkey.js"] {
        let (_, asset) = get(countersign_web::assets::href(name))
            .await
            .map_err(|error| error.to_string())?;
        first_visit += asset.len();
    }
    println!(
        "  the case page is {:.1} KB, a first visit {:.1} KB with everything (at most 60: {})",
        kb(page.len()),
        kb(first_visit),
        verdict(first_visit <= 60 << 10)
    );
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "kilobytes for people")]
fn kb(bytes: usize) -> f64 {
    bytes as f64 / 1024.0
}

fn settings(log: &LogSigner, token: &Token) -> Settings {
    Settings {
        procedure: include_str!("../../procedures/hosting.procedure").to_owned(),
        origin: ORIGIN.to_owned(),
        rp_id: "localhost".to_owned(),
        procedure_role: "senior".to_owned(),
        keys: Keys {
            grant_seed: [1; 32],
            codes: [2; 32],
            seal: [3; 32],
        },
        log_verifier: log.verifier().to_string(),
        connectors: vec![Connector {
            name: "panel".to_owned(),
            url: "http://127.0.0.1:9/run".to_owned(),
            status_url: None,
            secrets: vec![WebhookSecret::generate(&SystemDice)],
        }],
        mail: None,
        text: None,
        password: None,
        staff: vec![NewAccount {
            account: "maja".to_owned(),
            person: "maja".to_owned(),
            name: "Maja".to_owned(),
            email: "maja@acme.example".to_owned(),
            roles: vec!["agent".to_owned()],
            console: Vec::new(),
            concerned: Vec::new(),
        }],
        machines: vec![MachineToken {
            name: "panel".to_owned(),
            token: token.hash(),
            scopes: vec![Scope::Customers],
            robot_roles: Vec::new(),
        }],
        return_to: Vec::new(),
        limits: Limits {
            lookups_per_hour: u32::MAX,
            ..Limits::default()
        },
    }
}

fn parts(journal: Arc<SqliteJournal>) -> Result<Parts, Box<dyn std::error::Error>> {
    Ok(Parts {
        journal,
        clock: Arc::new(SystemClock),
        dice: Arc::new(SystemDice),
        hasher: SecretHasher::new(None, HashLimits::default(), Arc::new(SystemDice))?,
        check: Box::new(|_| Ok(())),
    })
}

async fn sign_in(gate: &Gate) -> Result<Token, Box<dyn std::error::Error>> {
    let invitation = gate
        .invite_from_console(&Operator::at_the_console(), "maja")
        .await?;
    let begun = gate.start_registration(invitation.token.expose()).await?;
    let (_, response) = SoftPasskey::create(&begun.options, ORIGIN)?;
    Ok(gate
        .finish_registration(
            invitation.token.expose(),
            &begun.ceremony,
            &response,
            "bench",
        )
        .await?)
}
