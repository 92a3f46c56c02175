//! The people of the stories: each with a browser, and with nothing but what stands on the pages.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::Mutex;

use countersign_testkit::browser::{Algorithm, Authenticator, Browser, Look, Stage};
use reqwest::Method;
use serde_json::{Value, json};

use crate::company::Company;

/// What the customer asks for, as everybody reads it.
pub(crate) const WORDS: &str = "Erase everything on web-3 and install debian-13";

pub(crate) const CUSTOMER: &str = "c-1042";
pub(crate) const MAILBOX: &str = "signe@halden.example";
pub(crate) const MOBILE: &str = "+46701740605";
/// Ole Berg's, of whom the gate knows this and that he has a password.
pub(crate) const OTHER_MAILBOX: &str = "ole@berg.example";
pub(crate) const PIN: &str = "482913";
pub(crate) const PASSWORD: &str = "correct horse";

/// A day in 2020, in milliseconds since 1970.
pub(crate) const YEARS_AGO: i64 = 1_600_000_000_000;

/// What agents told customers in the chat: the two digits on their desk, by case. Each story is a process of its own.
static TOLD: Mutex<BTreeMap<String, String>> = Mutex::new(BTreeMap::new());

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

    /// Looks a customer up, up to the page that asks what should happen.
    async fn looks_up(&self, company: &Company, number: &str, name: &str) {
        self.go(&company.at("/desk")).await;
        self.press("New case…").await;
        self.fill("q", number).await;
        self.press("Search").await;
        self.press(&format!("Choose {name}")).await;
    }

    /// Looks the customer up and fills in what they ask for, up to the page that shows the words.
    pub(crate) async fn fills_in(&self, company: &Company, server: &str, image: &str) {
        self.looks_up(company, "48213", "Halden Freight").await;
        self.fills_in_the_rest(server, image).await;
    }

    async fn fills_in_the_rest(&self, server: &str, image: &str) {
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
        self.opens_it().await
    }

    /// The same for another customer.
    pub(crate) async fn opens_a_case_for(
        &self,
        company: &Company,
        number: &str,
        name: &str,
    ) -> String {
        self.looks_up(company, number, name).await;
        self.fills_in_the_rest("web-3", "debian-13").await;
        self.opens_it().await
    }

    /// Opens a case for the customer's action of this label, which needs nothing to be filled in but why.
    pub(crate) async fn asks_for(&self, company: &Company, label: &str) -> String {
        self.looks_up(company, "48213", "Halden Freight").await;
        self.press(&format!("Choose: {label}")).await;
        self.fill("reason", "the customer asked in the chat").await;
        self.fill("reference", "chat 48214").await;
        self.press("Check the words").await;
        self.opens_it().await
    }

    /// From the page that shows the words to the case.
    pub(crate) async fn opens_it(&self) -> String {
        let words = self.text("p.words").await;
        self.press("Open the case").await;
        self.until("/^\\/cases\\/CS-/.test(location.pathname)")
            .await;
        assert_eq!(self.text("p.words").await, words, "{}", self.page().await);
        let path = self.path().await;
        let case = path
            .split(['/', '?'])
            .find(|part| part.starts_with("CS-"))
            .unwrap()
            .to_owned();
        if self.has("p.number").await {
            let number = self.text("p.number").await;
            TOLD.lock().unwrap().insert(case.clone(), number);
        }
        case
    }

    /// What a passkey would sign here, as the page says it.
    pub(crate) async fn digest(&self) -> String {
        let digest = self
            .eval("return document.querySelector('details.digest code').textContent")
            .await;
        digest.as_str().unwrap().to_owned()
    }

    /// The page of a case.
    pub(crate) async fn looks_at(&self, company: &Company, case: &str) {
        self.go(&company.at(&format!("/cases/{case}"))).await;
    }

    /// The link that stands on the case's page only now, and the number beside it, as they are told in the chat.
    pub(crate) async fn sends_the_link(&self) -> Chat {
        self.press("Send the link…").await;
        let link = self.element("#customer-link").await;
        Chat {
            link: link.prop("value").await.unwrap().unwrap(),
            number: self.text("p.number").await,
        }
    }
}

/// What an agent tells a customer.
#[derive(Clone)]
pub(crate) struct Chat {
    link: String,
    /// Two digits to be typed at the end; nothing where none are asked for.
    pub(crate) number: String,
}

impl Deref for Chat {
    type Target = str;

    fn deref(&self) -> &str {
        &self.link
    }
}

/// Somebody with an account at the company.
pub(crate) struct Customer {
    browser: Browser,
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
        browser.authenticator(algorithm).await;
        company.knows_signe().await;
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
        Self { browser }
    }

    /// Somebody with a browser, and no passkey in it: Signe elsewhere, or whoever plays her.
    pub(crate) fn with(browser: Browser) -> Self {
        Self { browser }
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

    /// The same, unless there is only one left and its page is here already.
    pub(crate) async fn chooses_if_asked(&self, way: &str) {
        if self.has("input[name=way]").await {
            self.chooses(way).await;
        }
    }

    /// Chooses a way and types its secret.
    pub(crate) async fn proves(&self, way: &str, secret: &str) {
        self.chooses(way).await;
        self.fill("secret", secret).await;
        self.press("Check the …").await;
    }

    /// Has a code sent by mail, and types it as it came.
    pub(crate) async fn proves_by_mail(&self, company: &Company) {
        self.chooses_if_asked("mail_code").await;
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

    /// Reads once more, types the number from the chat, and says yes to the words.
    pub(crate) async fn confirms(&self, chat: &Chat) {
        assert_eq!(self.h1().await, "Check what will happen");
        if !chat.number.is_empty() {
            self.fill("number", &chat.number).await;
        }
        self.press("Yes: …").await;
        assert_eq!(self.path().await, "/c/done", "{}", self.page().await);
    }
}

/// Halden Freight, with this mailbox.
pub(crate) fn halden(mailbox: &Value) -> Value {
    json!({
        "name": "Halden Freight", "number": "48213", "since_ms": YEARS_AGO,
        "contacts": [mailbox, { "channel": "mobile", "address": MOBILE, "since_ms": YEARS_AGO }],
        "held": [{ "holding": "password" }],
    })
}

/// Ole Berg, who never set a PIN.
pub(crate) fn ole() -> Value {
    json!({
        "name": "Ole Berg", "number": "50001", "since_ms": YEARS_AGO,
        "contacts": [
            { "channel": "mailbox", "address": OTHER_MAILBOX, "since_ms": YEARS_AGO },
            { "channel": "mobile", "address": "+46701740612", "since_ms": YEARS_AGO },
        ],
        "held": [{ "holding": "password" }],
    })
}

/// Answers a prompt of the gate with whatever passkey this browser has, whomever the prompt names.
pub(crate) async fn answers(browser: &Browser, prompt: &Value) -> Value {
    let credential = browser
        .eval_async(
            "const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON({ ...arguments[0], allowCredentials: [] });
             return (await navigator.credentials.get({ publicKey })).toJSON();",
            vec![prompt["publicKey"].clone()],
        )
        .await;
    assert!(credential["failed"].is_null(), "{credential}");
    json!({ "ceremony": prompt["ceremony"], "credential": credential })
}

/// Posts JSON as the script of a page does; a status of 400 or more is announced.
pub(crate) async fn posts_json(browser: &Browser, path: &str, body: &Value) -> (u16, Value) {
    let answer = browser
        .eval_async(
            "const answer = await fetch(arguments[0], { method: 'POST', body: JSON.stringify(arguments[1]),
               headers: { 'content-type': 'application/json', accept: 'application/json' } });
             return [answer.status, await answer.text()];",
            vec![json!(path), body.clone()],
        )
        .await;
    let status = u16::try_from(answer[0].as_u64().expect("an answer")).unwrap();
    if status >= 400 {
        browser.will_be_refused(status);
    }
    let text = answer[1].as_str().unwrap();
    (
        status,
        serde_json::from_str(text).unwrap_or_else(|_| json!(text)),
    )
}
