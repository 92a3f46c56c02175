//! The company's sign-in, in Chromium, with an OpenID provider that somebody else wrote (npm oidc-provider): a customer
//! proves by signing in or by a push to a device, and staff sign in with their groups.
//!
//! Needs Node for the provider, which `tests/external/node/install` fetches by hash; left out where either it or the
//! browser is missing, unless `COUNTERSIGN_BROWSER_REQUIRED` is set, as `./test` does.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests, which clippy does not see as tests"
)]

mod common;

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
};

use common::{
    Gate, Installation,
    site::{Backend, Site},
    workspace,
};
use countersign_testkit::browser::{Browser, Look, REQUIRED, play};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

const PROCEDURE: &str = r#"organisation "Acme Hosting"
staff agent  "support agent"
staff senior "senior support agent" includes agent
channel mailbox   "email address on file"
state   signed_in "signed in to Acme"      using oidc
device  app       "phone with the Acme app"
proof   mail_code "code sent by email"       shows mailbox using mail
proof   push      "approval in the Acme app" shows app     using ciba
action server.reinstall "Reinstall a server" {
  with   server "server", image "image to install"
  says   "Erase everything on {server} and install {image}"
  runs   panel
  path usual { prove signed_in }
  path phone { prove push }
}
"#;

const SENTENCE: &str = "Erase everything on web-3 and install debian-13";

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_proves_by_signing_in_at_the_company() {
    // It ends after the browsers: a stream that is cut off would stand on their consoles.
    let Some(company) = Company::new().await else {
        return;
    };
    play(async |stage| {
        let link = company.case_of("c-1042", &["signed_in"]).await;
        let signe = stage.browser(Look::DESK).await;
        signe.go(&link).await;
        signe.press("Yes, I asked for this").await;
        signe.sees("Sign in to Acme").await;

        // Turned back: nothing happened, and nothing is counted.
        company.signs_in(&signe, None).await;
        signe.sees("You are back from Acme").await;
        signe.will_be_refused(422);
        signe.press("Continue").await;
        signe.sees("The sign-in was cancelled").await;

        // With the password alone, where two steps were asked for.
        company.signs_in(&signe, Some("weak c-1042")).await;
        signe.sees("You are back from Acme").await;
        signe.press("Continue").await;
        signe.sees("a fresh and stronger sign-in").await;

        // Somebody else's account.
        company.signs_in(&signe, Some("c-7")).await;
        signe.sees("You are back from Acme").await;
        signe.press("Continue").await;
        signe.sees("That did not prove it is you").await;

        // Signed in there already, and asked again all the same.
        company.signs_in(&signe, Some("c-1042")).await;
        signe.sees("You are back from Acme").await;
        // The code left the address bar.
        assert_eq!(signe.path().await, "/c/prove/signed_in");
        signe.press("Continue").await;
        signe.sees(SENTENCE).await;
        assert_eq!(signe.path().await, "/c/confirm");
        signe.press("Yes: reinstall a server").await;
        signe.sees("It was done").await;
        assert_eq!(company.backend.books().len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_says_yes_on_the_device_and_the_page_moves_on() {
    // It ends after the browsers: a stream that is cut off would stand on their consoles.
    let Some(company) = Company::new().await else {
        return;
    };
    play(async |stage| {
        let link = company.case_of("c-1042", &["app"]).await;
        let signe = stage.browser(Look::DESK).await;
        signe.go(&link).await;
        signe.press("Yes, I asked for this").await;
        signe.sees("Answer on your device").await;
        signe.press("Ask my device").await;
        signe.sees("We asked the app on your phone").await;
        // The provider takes 40 characters: the words that fit, and the first digits of the digest.
        let message = signe.text("#message").await;
        assert!(
            message.starts_with("Erase everything on web-3 and… #"),
            "{message}"
        );
        let pushes = company.pushes(1).await;
        assert_eq!(
            pushes[0],
            json!({ "account": "c-1042", "message": message })
        );
        company.device("yes").await;
        // Nobody touches the page.
        signe.sees("You said yes on your device").await;
        signe.press("Continue").await;
        signe.sees(SENTENCE).await;
        signe.press("Yes: reinstall a server").await;
        signe.sees("It was done").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_no_on_the_device_stops_it() {
    // It ends after the browsers: a stream that is cut off would stand on their consoles.
    let Some(company) = Company::new().await else {
        return;
    };
    play(async |stage| {
        let link = company.case_of("c-1042", &["app"]).await;
        // Without scripts: the page is complete, and is refreshed by hand.
        let signe = stage
            .browser(Look {
                script: false,
                ..Look::DESK
            })
            .await;
        signe.go(&link).await;
        signe.press("Yes, I asked for this").await;
        signe.press("Ask my device").await;
        signe.sees("We asked the app on your phone").await;
        company.pushes(1).await;
        company.device("no").await;
        company.until_stopped(&signe).await;
        assert!(company.backend.books().is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn staff_sign_in_at_the_company_with_the_roles_of_their_groups() {
    // It ends after the browsers: a stream that is cut off would stand on their consoles.
    let Some(company) = Company::new().await else {
        return;
    };
    play(async |stage| {
        let petra = stage.browser(Look::DESK).await;
        petra.go(&company.at("/sign-in?next=/approvals")).await;
        petra.press("Continue with Acme").await;
        company.types_account(&petra, Some("petra")).await;
        petra.sees("You are back from Acme").await;
        petra.press("Sign in").await;
        petra.arrives("/approvals").await;
        assert!(petra.page().await.contains("Petra Holm"));
        assert!(petra.page().await.contains("Senior support agent"));

        // Whoever has no group that counts has no account; the page says so and no more.
        let otto = stage.browser(Look::DESK).await;
        otto.go(&company.at("/sign-in")).await;
        otto.press("Continue with Acme").await;
        company.types_account(&otto, Some("otto")).await;
        otto.press("Sign in").await;
        otto.sees("You have no account here").await;

        // Signing out ends the session here, and says that the company's goes on.
        petra.element("#me summary").await.click().await.unwrap();
        petra.press("Sign out").await;
        petra.sees("At Acme you may still be signed in").await;
        petra.go(&company.at("/approvals")).await;
        petra.sees("Continue with Acme").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_reads_what_the_provider_says_about_itself() {
    let Some(company) = Company::new().await else {
        return;
    };
    // The panel of these stories is no backend that doctor could be content with, and is not what is looked at here.
    company
        .installation
        .edit(&company.backend.url, "http://127.0.0.1:9");
    let found = company.doctor().await;
    for well in [
        "company login: http://127.0.0.1",
        "staff login: http://127.0.0.1",
        "of its keys 1 can be used",
        "pushes can be asked for",
    ] {
        assert!(found.contains(well), "{found}");
    }
    for login in ["company login", "staff login"] {
        assert!(!found.contains(&format!("problem  {login}")), "{found}");
    }
    let issuer = format!("issuer = \"{}\"", company.issuer);
    company
        .installation
        .edit(&issuer, "issuer = \"http://localhost:9/\"");
    company.installation.edit(
        "\"urn:acme:mfa\"",
        "\"urn:acme:mfa\", \"urn:acme:unheard-of\"",
    );
    let found = company.doctor().await;
    for wrong in ["problem  company login", "problem  staff login"] {
        assert!(found.contains(wrong), "{found}");
    }
}

/// A gate, the company's panel, and the provider.
struct Company {
    site: Site,
    backend: Backend,
    issuer: String,
    origin: String,
    _gate: Gate,
    installation: Installation,
    _provider: Node,
}

impl Company {
    async fn new() -> Option<Self> {
        let port = free_port().await;
        let origin = format!("http://localhost:{port}");
        let Some((provider, issuer)) = Node::provider(&origin) else {
            assert!(
                std::env::var_os(REQUIRED).is_none(),
                "no provider: Node is missing, or tests/external/node/install failed"
            );
            return None;
        };
        let backend = Backend::start().await;
        let installation = tokio::task::spawn_blocking(Installation::new)
            .await
            .unwrap();
        std::fs::write(installation.path("hosting.procedure"), PROCEDURE).unwrap();
        std::fs::write(
            installation.path("keys/login.secret"),
            "a client secret: 100%",
        )
        .unwrap();
        for (from, to) in [
            ("127.0.0.1:0", format!("127.0.0.1:{port}")),
            ("http://localhost:4180", origin.clone()),
            ("http://localhost:4181", backend.url.clone()),
        ] {
            installation.edit(from, &to);
        }
        installation.append(&format!(
            r#"[company_login]
name = "Acme"
issuer = "{issuer}"
client_id = "countersign"
client_secret = {{ file = "keys/login.secret" }}
acr_values = ["urn:acme:mfa"]
message_chars = 40
[staff_login]
name = "Acme"
issuer = "{issuer}"
client_id = "countersign"
client_secret = {{ file = "keys/login.secret" }}
scope = "openid profile email groups"
create = true
[groups.support]
roles = ["agent"]
[groups.leads]
group = "support-leads"
roles = ["senior"]
[limits]
code_again_seconds = 10
[log]
level = "warn""#
        ));
        let gate = installation.serve(&[]);
        let site = Site::new(&gate, &installation).await;
        Some(Self {
            site,
            backend,
            issuer,
            origin,
            _gate: gate,
            installation,
            _provider: provider,
        })
    }

    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }

    /// The panel puts a customer and opens a case; gives the customer's link.
    async fn case_of(&self, id: &str, holdings: &[&str]) -> String {
        let held: Vec<Value> = holdings
            .iter()
            .map(|holding| json!({ "holding": holding }))
            .collect();
        let put = json!({ "name": "Halden Freight AB", "number": "48213", "held": held });
        let (status, said) = self
            .call(Method::PUT, &format!("/v1/customers/{id}"), &put)
            .await;
        assert_eq!(status, StatusCode::CREATED, "{said}");
        let case = json!({
            "customer": id, "action": "server.reinstall",
            "parameters": { "server": "web-3", "image": "debian-13" },
        });
        let (status, opened) = self.call(Method::POST, "/v1/cases", &case).await;
        assert_eq!(status, StatusCode::CREATED, "{opened}");
        opened["link"]["url"].as_str().unwrap().to_owned()
    }

    async fn call(&self, method: Method, path: &str, body: &Value) -> (StatusCode, Value) {
        self.site.api(method, path, None, body).await.unwrap()
    }

    /// From the page that asks, to the company and back.
    async fn signs_in(&self, browser: &Browser, account: Option<&str>) {
        browser.press("Continue with Acme").await;
        self.types_account(browser, account).await;
    }

    async fn types_account(&self, browser: &Browser, account: Option<&str>) {
        browser.sees("Acme sign-in").await;
        assert!(browser.address().await.starts_with(&self.issuer));
        match account {
            Some(account) => {
                browser.fill("account", account).await;
                browser.press("Sign in").await;
            }
            None => browser.press("Turn back").await,
        }
        browser.sees("You are back from Acme").await;
    }

    /// The pushes the provider sent, once there are so many.
    async fn pushes(&self, wanted: usize) -> Vec<Value> {
        for _ in 0..600 {
            let answer = self.site.client.get(format!("{}/pushes", self.issuer));
            let pushes: Vec<Value> = answer.send().await.unwrap().json().await.unwrap();
            if pushes.len() >= wanted {
                return pushes;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        Vec::new()
    }

    async fn device(&self, answer: &str) {
        let url = format!("{}/device/{answer}", self.issuer);
        let done = self.site.client.post(url).send().await.unwrap();
        assert_eq!(done.status(), StatusCode::OK);
    }

    /// Refreshes the page until the case is stopped.
    async fn until_stopped(&self, browser: &Browser) {
        for _ in 0..400 {
            if browser.h1().await.starts_with("This was stopped") {
                return;
            }
            browser.reload().await;
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        browser.sees("This was stopped").await;
    }

    /// What `countersign doctor` says about this installation.
    async fn doctor(&self) -> String {
        let config = self.installation.config();
        tokio::task::spawn_blocking(move || {
            common::said(&common::countersign(&["doctor", "--config", &config])).0
        })
        .await
        .unwrap()
    }
}

/// The provider; killed when dropped.
struct Node(Child);

impl Node {
    /// Starts it; gives its issuer. `None` where there is no Node, or its packages cannot be had.
    fn provider(origin: &str) -> Option<(Self, String)> {
        let node = workspace().join("tests/external/node");
        let installed = Command::new(node.join("install")).status().ok()?;
        if !installed.success() {
            return None;
        }
        let mut child = Command::new("node")
            .arg(node.join("provider.mjs"))
            .args(["/c/company", "/sign-in/company/back"].map(|path| format!("{origin}{path}")))
            .current_dir(workspace().join("target/external/node"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .ok()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take()?)
            .read_line(&mut line)
            .ok()?;
        let issuer = line.trim().strip_prefix("ready ")?.to_owned();
        Some((Self(child), issuer))
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // Already gone is as good.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

async fn free_port() -> u16 {
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    taken.local_addr().unwrap().port()
}
