//! The people of the stories: each with a browser, and with nothing but what stands on the pages.

use std::ops::Deref;

use countersign_testkit::browser::{Algorithm, Authenticator, Browser, Look, Stage};
use reqwest::Method;
use serde_json::{Value, json};

use crate::company::Company;

/// What the customer asks for, as everybody reads it.
pub(crate) const WORDS: &str = "Erase everything on web-3 and install debian-13";

pub(crate) const CUSTOMER: &str = "c-1042";
pub(crate) const MAILBOX: &str = "signe@halden.example";
pub(crate) const MOBILE: &str = "+46701740605";
pub(crate) const PIN: &str = "482913";
pub(crate) const PASSWORD: &str = "correct horse";

/// Somebody on the staff.
pub(crate) struct Colleague {
    browser: Browser,
    pub(crate) passkey: Authenticator,
}

impl Deref for Colleague {
    type Target = Browser;

    fn deref(&self) -> &Browser {
        &self.browser
    }
}

impl Colleague {
    /// Opens the invitation, registers a passkey, and is at the desk.
    pub(crate) async fn joins(
        stage: &Stage,
        company: &Company,
        account: &str,
        algorithm: Algorithm,
    ) -> Self {
        let browser = stage.browser(Look::DESK).await;
        let passkey = browser.authenticator(algorithm).await;
        browser.go(&company.invitation(account).await).await;
        browser.press("Register a passkey").await;
        browser
            .until("location.pathname !== '/invitation' && document.readyState === 'complete'")
            .await;
        Self { browser, passkey }
    }

    /// Signs in with the passkey, from wherever that page was asked for.
    pub(crate) async fn signs_in(&self, company: &Company) {
        self.go(&company.at("/sign-in")).await;
        self.press("Sign in with a passkey").await;
        self.until("location.pathname !== '/sign-in' && document.readyState === 'complete'")
            .await;
    }

    /// Looks the customer up and fills in what they ask for, up to the page that shows the words.
    pub(crate) async fn fills_in(&self, company: &Company, server: &str, image: &str) {
        self.go(&company.at("/desk")).await;
        self.press("New case…").await;
        self.fill("q", "48213").await;
        self.press("Search").await;
        self.press("Choose Halden Freight").await;
        self.press("Choose: Reinstall a server").await;
        self.fill("p.server", server).await;
        self.fill("p.image", image).await;
        self.fill("reason", "the customer says the disk is full")
            .await;
        self.fill("reference", "chat 48213").await;
        self.press("Check the words").await;
    }

    /// Opens a case for the customer on its four pages, and gives its id.
    pub(crate) async fn opens_a_case(&self, company: &Company) -> String {
        self.fills_in(company, "web-3", "debian-13").await;
        assert_eq!(self.text("p.words").await, WORDS);
        self.press("Open the case").await;
        assert_eq!(self.text("p.words").await, WORDS, "{}", self.page().await);
        let path = self.path().await;
        path.split(['/', '?'])
            .find(|part| part.starts_with("CS-"))
            .unwrap()
            .to_owned()
    }

    /// The link that stands on the case's page only now, as it is pasted into the chat.
    pub(crate) async fn sends_the_link(&self) -> String {
        self.press("Send the link…").await;
        let link = self.element("#customer-link").await;
        link.prop("value").await.unwrap().unwrap()
    }
}

/// Somebody with an account at the company.
pub(crate) struct Customer {
    browser: Browser,
    pub(crate) passkey: Authenticator,
}

impl Deref for Customer {
    type Target = Browser;

    fn deref(&self) -> &Browser {
        &self.browser
    }
}

impl Customer {
    /// Signe of Halden Freight: a customer for years, with a password, a PIN, a mailbox, a mobile, and a passkey that she
    /// makes in her browser, in the company's panel.
    pub(crate) async fn signe(stage: &Stage, company: &Company, algorithm: Algorithm) -> Self {
        let browser = stage.browser(Look::PHONE).await;
        let passkey = browser.authenticator(algorithm).await;
        register(company).await;
        // The panel shows her the prompt that the gate gave it; here any page of the origin does.
        let path = format!("/v1/customers/{CUSTOMER}/holdings/key/passkey");
        let (status, begun) = company
            .ask(Method::POST, &format!("{path}/start"), &json!({}))
            .await;
        assert_eq!(status, 200, "{begun}");
        browser.go(&company.at("/sign-in")).await;
        let credential = browser
            .eval_async(
                "const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(arguments[0]);
                 return (await navigator.credentials.create({ publicKey })).toJSON();",
                vec![begun["publicKey"].clone()],
            )
            .await;
        let answer =
            json!({ "ceremony": begun["ceremony"], "credential": credential, "name": "phone" });
        let (status, finished) = company
            .ask(Method::POST, &format!("{path}/finish"), &answer)
            .await;
        assert_eq!(status, 204, "{finished} {credential}");
        Self { browser, passkey }
    }

    /// Opens the link, reads, and says that she asked for this.
    pub(crate) async fn says_yes(&self, link: &str) {
        self.go(link).await;
        assert_eq!(
            self.path().await,
            "/c",
            "the token is out of the address bar"
        );
        self.press("Yes, I asked for this").await;
    }

    /// Chooses a way to prove where several are offered.
    pub(crate) async fn chooses(&self, way: &str) {
        self.choose("way", way).await;
        self.press("Continue").await;
    }

    /// Chooses a way and types its secret.
    pub(crate) async fn proves(&self, way: &str, secret: &str) {
        self.chooses(way).await;
        self.fill("secret", secret).await;
        self.press("Check the …").await;
    }

    /// Has a code sent by mail, and types it as it came.
    pub(crate) async fn proves_by_mail(&self, company: &Company) {
        if self.path().await == "/c/prove" {
            self.chooses("mail_code").await;
        }
        let code = company.mailed_code(MAILBOX).await;
        self.fill("secret", &code).await;
        self.press("Check the code").await;
    }

    /// Uses the passkey that this browser has.
    pub(crate) async fn proves_by_passkey(&self) {
        self.chooses("passkey").await;
        self.press("Use my passkey").await;
        self.arrives("/c/confirm").await;
    }

    /// Reads once more, and says yes to the words.
    pub(crate) async fn confirms(&self) {
        assert_eq!(self.h1().await, "Check what will happen");
        assert_eq!(self.text("p.words").await, WORDS);
        self.press("Yes: …").await;
        assert_eq!(self.path().await, "/c/done", "{}", self.page().await);
    }
}

/// Puts Signe at the gate, as the company does: she has been a customer for years.
async fn register(company: &Company) {
    let years_ago = 1_600_000_000_000_i64;
    let customer = json!({
        "name": "Halden Freight", "number": "48213", "since_ms": years_ago,
        "contacts": [
            { "channel": "mailbox", "address": MAILBOX, "since_ms": years_ago },
            { "channel": "mobile", "address": MOBILE, "since_ms": years_ago },
        ],
        "held": [{ "holding": "password" }],
    });
    company.panel.set_password(CUSTOMER, PASSWORD);
    let path = format!("/v1/customers/{CUSTOMER}");
    let puts: [(String, Value); 2] = [
        (path.clone(), customer),
        (format!("{path}/holdings/pin"), json!({ "pin": PIN })),
    ];
    for (path, body) in puts {
        let (status, answer) = company.ask(Method::PUT, &path, &body).await;
        assert!((200..300).contains(&status), "{path}: {answer}");
    }
}
