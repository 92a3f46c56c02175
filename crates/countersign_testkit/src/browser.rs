//! Debian's Chromium without a window, for tests that see what people see.
//!
//! A test plays on a [`Stage`]: every browser on it has a profile of its own, and when the story is over the harness
//! reads what each of them wrote on its console. One line there that the story did not announce fails the test: a
//! script error, a report of the content security policy, a file that is not found. Nobody can forget to look.
//!
//! Follows W3C WebDriver 2, WebAuthn Level 3 §11 (virtual authenticators), and chromedriver's own `goog/cdp/execute`
//! and `se/log`. It waits for what it wants to see, and never for time to pass.
//!
//! Whoever asks for `localhost` gets a secure context and a valid relying party; an address in numbers is neither.

#![expect(
    clippy::panic,
    reason = "a harness of tests: what does not work fails the test, and says where"
)]

use std::fmt::{self, Write as _};
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use fantoccini::elements::Element;
use fantoccini::error::CmdError;
use fantoccini::wd::{Capabilities, WebDriverCompatibleCommand};
use fantoccini::{Client, ClientBuilder, Locator};
use http::Method;
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::Semaphore;
use url::{ParseError, Url};

/// Set to anything where a missing browser is a failure and not a reason to leave the test out. `./test` sets it.
pub const REQUIRED: &str = "COUNTERSIGN_BROWSER_REQUIRED";

/// How long a page may take to show what a test waits for. Far longer than it takes: the machine may be building.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long a page that is there may take to show what should be on it already.
const SHORTLY: Duration = Duration::from_secs(5);

/// How many stories are played at once in one process: each has up to two browsers, and the machine may have two cores.
static AT_ONCE: Semaphore = Semaphore::const_new(2);

/// How often a page is looked at while a test waits for something on it.
const GLANCE: Duration = Duration::from_millis(10);

/// How WebDriver writes an element in JSON (§12.1).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// Plays a story in Chromium, and fails it if a browser wrote anything on its console that was not announced.
///
/// What the story gives back, the server most likely, lives until the consoles have been read: a page whose server is gone
/// would say so.
///
/// Leaves the story out, with a line that says so, where chromedriver is not installed and [`REQUIRED`] is not set.
pub async fn play<T>(story: impl AsyncFnOnce(&Stage) -> T) {
    let Ok(_turn) = AT_ONCE.acquire().await else {
        panic!("nobody closes this");
    };
    let Some(stage) = Stage::new() else { return };
    let kept = story(&stage).await;
    stage.end().await;
    drop(kept);
}

/// A chromedriver, and the browsers that were opened with it. All of it ends when this is dropped.
#[derive(Debug)]
pub struct Stage {
    driver: Driver,
    browsers: Mutex<Vec<Browser>>,
}

impl Stage {
    fn new() -> Option<Self> {
        match Driver::start() {
            Ok(driver) => Some(Self {
                driver,
                browsers: Mutex::default(),
            }),
            Err(why) => {
                let help =
                    "install Debian's `chromium` and `chromium-driver`, or run ./test, which does";
                assert!(
                    std::env::var_os(REQUIRED).is_none(),
                    "no browser: {why}; {help}"
                );
                #[expect(clippy::print_stderr, reason = "a test that is left out says so")]
                {
                    eprintln!("left out, no browser: {why}; {help}");
                }
                None
            }
        }
    }

    /// A browser that nobody has used, with nothing in it.
    pub async fn browser(&self, look: Look) -> Browser {
        let browser = Browser::open(&self.driver, look).await;
        lock(&self.browsers).push(browser.clone());
        browser
    }

    /// Reads every console.
    async fn end(self) {
        let browsers = std::mem::take(&mut *lock(&self.browsers));
        let mut wrong = String::new();
        for (number, browser) in browsers.iter().enumerate() {
            for line in browser.unannounced().await {
                // Writing into a string cannot fail.
                let _ = writeln!(wrong, "browser {}: {line}", number + 1);
            }
        }
        assert!(wrong.is_empty(), "on the console:\n{wrong}");
    }
}

/// How a page is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of its own, as in the browser"
)]
pub struct Look {
    /// Of the page, in CSS pixels.
    pub width: u32,
    /// Of the page, in CSS pixels.
    pub height: u32,
    /// What the system prefers: dark or light.
    pub dark: bool,
    /// Whether the page's scripts run. The harness can look all the same.
    pub script: bool,
    /// Whether the system asks for less motion.
    pub still: bool,
    /// As `print`, not as `screen`.
    pub print: bool,
}

impl Look {
    /// A window on a desk.
    pub const DESK: Self = Self {
        width: 1280,
        height: 900,
        dark: false,
        script: true,
        still: true,
        print: false,
    };
    /// A telephone held upright.
    pub const PHONE: Self = Self {
        width: 390,
        height: 844,
        ..Self::DESK
    };

    /// The same in the dark.
    #[must_use]
    pub const fn dark(self) -> Self {
        Self { dark: true, ..self }
    }

    /// The same without scripts.
    #[must_use]
    pub const fn without_script(self) -> Self {
        Self {
            script: false,
            ..self
        }
    }
}

/// One browser with a profile of its own. Copies of it are the same browser.
#[derive(Debug, Clone)]
pub struct Browser {
    client: Client,
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    /// Until it is closed.
    chromium: Mutex<Option<u64>>,
    closed: AtomicBool,
    /// What the console may say, and has been read to say so far.
    announced: Mutex<Vec<String>>,
    console: Mutex<Vec<Line>>,
    _profile: TempDir,
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(pid) = lock(&self.chromium).take() {
            end(pid);
        }
    }
}

/// A line of the console.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// `SEVERE`, `WARNING`, `INFO` or `DEBUG`.
    pub level: String,
    /// Who said it: `javascript`, `network`, `security`, …
    pub source: String,
    /// The words.
    pub message: String,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}): {}", self.level, self.source, self.message)
    }
}

impl Browser {
    async fn open(driver: &Driver, look: Look) -> Self {
        let profile = tempfile::Builder::new()
            .prefix("countersign-browser-")
            .tempdir()
            .unwrap_or_else(|error| panic!("no folder for a profile: {error}"));
        let capabilities = json!({
            "goog:chromeOptions": { "args": [
                "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage", "--no-first-run",
                "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions",
                "--disable-default-apps", "--hide-scrollbars", "--lang=en-GB",
                format!("--user-data-dir={}", profile.path().display()),
            ] },
            "goog:loggingPrefs": { "browser": "ALL" },
            "timeouts": { "script": 20_000, "pageLoad": 60_000 },
        });
        let Value::Object(capabilities) = capabilities else {
            panic!("capabilities are an object");
        };
        let capabilities: Capabilities = capabilities.into_iter().collect();
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&driver.address)
            .await
            .unwrap_or_else(|error| panic!("chromium did not start: {error}"));
        let chromium = client
            .capabilities()
            .and_then(|known| known.get("goog:processID"))
            .and_then(Value::as_u64);
        let browser = Self {
            client,
            inner: Arc::new(Inner {
                chromium: Mutex::new(chromium),
                closed: AtomicBool::new(false),
                announced: Mutex::default(),
                console: Mutex::default(),
                _profile: profile,
            }),
        };
        browser.look(look).await;
        browser
    }

    /// fantoccini's handle, for what is not here.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Looks at all pages in this way from now on.
    pub async fn look(&self, look: Look) {
        let metrics = json!({ "width": look.width, "height": look.height, "deviceScaleFactor": 1, "mobile": false });
        self.cdp("Emulation.setDeviceMetricsOverride", &metrics)
            .await;
        let preference = |yes: bool, then: &'static str, otherwise: &'static str| {
            if yes { then } else { otherwise }
        };
        let media = json!({
            "media": preference(look.print, "print", "screen"),
            "features": [
                { "name": "prefers-color-scheme", "value": preference(look.dark, "dark", "light") },
                { "name": "prefers-reduced-motion", "value": preference(look.still, "reduce", "no-preference") },
            ],
        });
        self.cdp("Emulation.setEmulatedMedia", &media).await;
        let script = json!({ "value": !look.script });
        self.cdp("Emulation.setScriptExecutionDisabled", &script)
            .await;
    }

    /// Closes it: somebody goes home. Its console counts all the same.
    pub async fn close(&self) {
        self.console().await;
        self.inner.closed.store(true, Ordering::Relaxed);
        let chromium = lock(&self.inner.chromium).take();
        if let Some(pid) = chromium {
            // A browser that did not close in good order is ended.
            if self.client.clone().close().await.is_err() {
                end(pid);
            }
        }
    }

    /// Goes to an address, and waits until the page is there.
    pub async fn go(&self, url: &str) {
        if let Err(error) = self.client.goto(url).await {
            panic!("{url} did not open: {error}");
        }
    }

    /// The same address again.
    pub async fn reload(&self) {
        let done = self.client.refresh().await;
        self.good(done, "reload").await;
    }

    /// What stands in the address bar.
    pub async fn address(&self) -> String {
        match self.client.current_url().await {
            Ok(url) => url.to_string(),
            Err(error) => panic!("no address: {error}"),
        }
    }

    /// Path and query of the address.
    pub async fn path(&self) -> String {
        let address = self.address().await;
        match Url::parse(&address) {
            Ok(url) => match url.query() {
                Some(query) => format!("{}?{query}", url.path()),
                None => url.path().to_owned(),
            },
            Err(_) => address,
        }
    }

    /// The page's title.
    pub async fn title(&self) -> String {
        self.eval_text("return document.title").await
    }

    /// The first heading.
    pub async fn h1(&self) -> String {
        self.text("h1").await
    }

    /// What a reader sees of the first element that this CSS selector finds; empty if there is none.
    pub async fn text(&self, css: &str) -> String {
        self.eval_with(
            "const e = document.querySelector(arguments[0]); return e ? e.innerText.replace(/\\s+/g, ' ').trim() : ''",
            vec![json!(css)],
        )
        .await
        .as_str()
        .unwrap_or_default()
        .to_owned()
    }

    /// What a reader sees of the whole page, in one line.
    pub async fn page(&self) -> String {
        self.text("body").await
    }

    /// Whether this CSS selector finds anything.
    pub async fn has(&self, css: &str) -> bool {
        self.eval_with(
            "return document.querySelector(arguments[0]) !== null",
            vec![json!(css)],
        )
        .await
            == Value::Bool(true)
    }

    /// Presses the visible button or link of this name, as a hand with a mouse would, scrolling to it: what is covered cannot
    /// be pressed.
    /// A name with `…` at its end is the beginning of one.
    pub async fn press(&self, name: &str) {
        let element = self.button(name).await;
        let reference = json!({ ELEMENT: element.element_id().to_string() });
        // A link, or the button of a form that no script sends, leads to another page, even if to the same address.
        let leaves = self
            .eval_with(
                "const [e] = arguments, link = e.closest('a[href]'), at = (url) => url.split('#')[0];
                 e.scrollIntoView({ block: 'center', behavior: 'instant' });
                 window.countersignHere = true;
                 return link ? !link.hash || at(link.href) !== at(location.href)
                   : e.type === 'submit' && Boolean(e.form) && !e.form.dataset.passkey;",
                vec![reference],
            )
            .await;
        let done = element.click().await;
        self.good(done, &format!("press `{name}`")).await;
        if leaves == Value::Bool(true) {
            self.until("!window.countersignHere && document.readyState === 'complete'")
                .await;
        }
    }

    /// Whether there is a visible button or link of this name.
    pub async fn offers(&self, name: &str) -> bool {
        self.find_button(name).await.is_some()
    }

    async fn button(&self, name: &str) -> Element {
        let begun = Instant::now();
        loop {
            if let Some(element) = self.find_button(name).await {
                return element;
            }
            assert!(
                begun.elapsed() < SHORTLY,
                "nothing to press is called `{name}`: {}",
                self.sight().await
            );
            tokio::time::sleep(GLANCE).await;
        }
    }

    async fn find_button(&self, name: &str) -> Option<Element> {
        let found = self
            .eval_with(
                "const whole = !arguments[0].endsWith('…'), name = arguments[0].replace(/…$/, '');
                 const called = (e) => (e.getAttribute('aria-label') ?? (e.textContent || e.value || '')).replace(/\\s+/g, ' ').trim();
                 const shown = (e) => e.getClientRects().length > 0;
                 const all = [...document.querySelectorAll('button, a[href], summary, input[type=submit], [role=button]')].filter(shown);
                 return all.find((e) => called(e) === name) ?? all.find((e) => !whole && called(e).startsWith(name)) ?? null",
                vec![json!(name)],
            )
            .await;
        let id = found.get(ELEMENT)?.as_str()?.to_owned();
        Some(Element::from_element_id(self.client.clone(), id.into()))
    }

    /// Types into the field of this name in the page's main part, key by key, in place of what stands there.
    pub async fn fill(&self, name: &str, value: &str) {
        let css = format!(":is(main, body:not(:has(main))) [name='{name}']:not([type=hidden])");
        let field = self.element(&css).await;
        let cleared = field.clear().await;
        self.good(cleared, &format!("clear `{name}`")).await;
        let typed = field.send_keys(value).await;
        self.good(typed, &format!("type into `{name}`")).await;
    }

    /// Ticks or chooses the field of this name and value, or chooses the value in a list.
    pub async fn choose(&self, name: &str, value: &str) {
        let list = format!("select[name='{name}']");
        if self.has(&list).await {
            let field = self.element(&list).await;
            let chosen = field.select_by_value(value).await;
            self.good(chosen, &format!("choose `{value}`")).await;
            return;
        }
        let field = self
            .element(&format!("[name='{name}'][value='{value}']"))
            .await;
        let pressed = field.click().await;
        self.good(pressed, &format!("choose `{value}`")).await;
    }

    /// Presses keys where the focus is, e.g. `?` or `\u{e004}` (tab; the code points are WebDriver's).
    pub async fn keys(&self, keys: &str) {
        match self.client.active_element().await {
            Ok(element) => {
                let typed = element.send_keys(keys).await;
                self.good(typed, &format!("keys `{keys}`")).await;
            }
            Err(error) => panic!("nothing has the focus: {error}"),
        }
    }

    /// The first element that this CSS selector finds, waited for.
    pub async fn element(&self, css: &str) -> Element {
        let begun = Instant::now();
        loop {
            match self.client.find(Locator::Css(css)).await {
                Ok(element) => return element,
                Err(error) if begun.elapsed() > SHORTLY => {
                    panic!("no `{css}`: {error}: {}", self.sight().await)
                }
                Err(_) => tokio::time::sleep(GLANCE).await,
            }
        }
    }

    /// Runs a script in the page as if it were the page's, policy or no policy, and gives what it returns.
    pub async fn eval(&self, script: &str) -> Value {
        self.eval_with(script, Vec::new()).await
    }

    /// With arguments, which the script finds in `arguments`.
    pub async fn eval_with(&self, script: &str, arguments: Vec<Value>) -> Value {
        match self.client.execute(script, arguments).await {
            Ok(value) => value,
            Err(error) => panic!("`{script}` failed: {error}"),
        }
    }

    /// A script that awaits: its last argument is who wants the answer.
    pub async fn eval_async(&self, script: &str, arguments: Vec<Value>) -> Value {
        let script = format!(
            "const answer = arguments[arguments.length - 1];
             (async (...arguments) => {{ {script} }})(...Array.prototype.slice.call(arguments, 0, -1)).then(answer, (e) => answer({{ failed: String(e) }}))"
        );
        match self.client.execute_async(&script, arguments).await {
            Ok(value) => value,
            Err(error) => panic!("`{script}` failed: {error}"),
        }
    }

    /// Posts a form as a script of the page would, following redirects; the status and the text of the last answer.
    /// A status of 400 or more is announced.
    pub async fn posts(&self, path: &str, fields: &[(&str, &str)]) -> (u16, String) {
        let body: Vec<Value> = fields.iter().map(|pair| json!(pair)).collect();
        let answer = self
            .eval_async(
                "const answer = await fetch(arguments[0], { method: 'POST', body: new URLSearchParams(arguments[1]) });
                 return [answer.status, await answer.text()];",
                vec![json!(path), Value::Array(body)],
            )
            .await;
        let part = |at: usize| answer.get(at).cloned().unwrap_or_default();
        let status = part(0).as_u64().and_then(|status| status.try_into().ok());
        let Some(status) = status else {
            panic!("{path} was not answered: {answer}");
        };
        if status >= 400 {
            self.will_be_refused(status);
        }
        (status, part(1).as_str().unwrap_or_default().to_owned())
    }

    async fn eval_text(&self, script: &str) -> String {
        self.eval(script)
            .await
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    /// Waits until a script returns something true, and says how long that took. The page may change meanwhile.
    pub async fn until(&self, script: &str) -> Duration {
        let begun = Instant::now();
        loop {
            // While a page goes away there is nothing to ask.
            if let Ok(Value::Bool(true)) = self
                .client
                .execute(&format!("return Boolean({script})"), Vec::new())
                .await
            {
                return begun.elapsed();
            }
            assert!(
                begun.elapsed() < PATIENCE,
                "`{script}` never came true: {}",
                self.sight().await
            );
            tokio::time::sleep(GLANCE).await;
        }
    }

    /// Waits until these words stand on the page.
    pub async fn sees(&self, words: &str) -> Duration {
        let words = json!(words);
        self.until(&format!(
            "(document.body?.innerText ?? '').replace(/\\s+/g, ' ').includes({words})"
        ))
        .await
    }

    /// Waits until these words stand in what this CSS selector finds first.
    pub async fn shows(&self, css: &str, words: &str) -> Duration {
        let (css, words) = (json!(css), json!(words));
        self.until(&format!(
            "(document.querySelector({css})?.innerText ?? '').replace(/\\s+/g, ' ').includes({words})"
        ))
        .await
    }

    /// Waits until the address has this path.
    pub async fn arrives(&self, path: &str) -> Duration {
        let path = json!(path);
        self.until(&format!(
            "document.readyState === 'complete' && location.pathname === {path}"
        ))
        .await
    }

    /// Everything in the window, as PNG.
    pub async fn screenshot(&self) -> Vec<u8> {
        match self.client.screenshot().await {
            Ok(png) => png,
            Err(error) => panic!("no picture: {error}"),
        }
    }

    /// A command of the Chrome DevTools protocol.
    pub async fn cdp(&self, command: &str, parameters: &Value) -> Value {
        self.ask(
            Method::POST,
            "goog/cdp/execute",
            Some(&json!({ "cmd": command, "params": parameters })),
        )
        .await
    }

    /// Runs this in every page from now on, before the page's own scripts.
    pub async fn before_every_page(&self, script: &str) {
        self.cdp(
            "Page.addScriptToEvaluateOnNewDocument",
            &json!({ "source": script }),
        )
        .await;
    }

    /// All lines of the console since the browser was opened.
    pub async fn console(&self) -> Vec<Line> {
        if self.inner.closed.load(Ordering::Relaxed) {
            return lock(&self.inner.console).clone();
        }
        let read = self
            .ask(Method::POST, "se/log", Some(&json!({ "type": "browser" })))
            .await;
        let text = |line: &Value, name: &str| {
            line.get(name)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        // chromedriver gives each line once.
        let new = read.as_array().into_iter().flatten().map(|line| Line {
            level: text(line, "level"),
            source: text(line, "source"),
            message: text(line, "message"),
        });
        let mut console = lock(&self.inner.console);
        console.extend(new);
        console.clone()
    }

    /// Announces that this browser will be refused with this status, so that its console may say so (and must).
    pub fn will_be_refused(&self, status: u16) {
        self.announce(&format!("the server responded with a status of {status}"));
    }

    /// Announces a line with these words on the console. It must come: what never comes should not be announced.
    pub fn announce(&self, words: &str) {
        lock(&self.inner.announced).push(words.to_owned());
    }

    /// What the console says and nobody announced, and what was announced and never came.
    async fn unannounced(&self) -> Vec<String> {
        let console = self.console().await;
        let announced = lock(&self.inner.announced);
        let wrong = console
            .iter()
            .filter(|line| {
                !announced
                    .iter()
                    .any(|words| line.message.contains(words.as_str()))
            })
            .map(ToString::to_string);
        let missing = announced
            .iter()
            .filter(|words| {
                !console
                    .iter()
                    .any(|line| line.message.contains(words.as_str()))
            })
            .map(|words| format!("announced, and never said: {words}"));
        wrong.chain(missing).collect()
    }

    /// Puts an authenticator into the machine that makes passkeys of this kind, where the page takes it, and verifies its user.
    pub async fn authenticator(&self, algorithm: Algorithm) -> Authenticator {
        let options = json!({
            "protocol": "ctap2", "transport": "internal", "hasResidentKey": true,
            "hasUserVerification": true, "isUserConsenting": true, "isUserVerified": true,
        });
        let id = self
            .ask(Method::POST, "webauthn/authenticator", Some(&options))
            .await;
        let Some(id) = id.as_str() else {
            panic!("no authenticator: {id}");
        };
        if algorithm == Algorithm::Ed25519 {
            // Chromium's makes the first kind on the page's list that it can; one that prefers this puts it first.
            self.before_every_page(
                "const made = CredentialsContainer.prototype.create;
                 CredentialsContainer.prototype.create = function (options) {
                   options.publicKey.pubKeyCredParams.sort((one, other) => (other.alg === -8) - (one.alg === -8));
                   return made.call(this, options);
                 };",
            )
            .await;
        }
        Authenticator {
            browser: self.clone(),
            id: id.to_owned(),
        }
    }

    async fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> Value {
        let command = Raw {
            method: method.clone(),
            path: path.to_owned(),
            body: body.cloned(),
        };
        match self.client.issue_cmd(command).await {
            Ok(value) => value,
            Err(error) => panic!("{method} {path} failed: {error}"),
        }
    }

    async fn good<T>(&self, result: Result<T, CmdError>, what: &str) -> T {
        match result {
            Ok(value) => value,
            Err(error) => panic!("could not {what}: {error}: {}", self.sight().await),
        }
    }

    /// What there is to see, for the message of a failed test.
    async fn sight(&self) -> String {
        let page = self
            .client
            .execute(
                "return location.href + ': ' + (document.body?.innerText ?? '').replace(/\\s+/g, ' ').slice(0, 1500)",
                Vec::new(),
            )
            .await;
        match page {
            Ok(Value::String(seen)) => seen,
            Ok(other) => other.to_string(),
            Err(error) => error.to_string(),
        }
    }
}

/// What kind of passkeys an authenticator makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// ECDSA on P-256 with SHA-256; COSE -7.
    Es256,
    /// Ed25519; COSE -8.
    Ed25519,
}

/// An authenticator that is built into the machine, and in software. One browser has at most one.
#[derive(Debug, Clone)]
pub struct Authenticator {
    browser: Browser,
    id: String,
}

impl Authenticator {
    /// Whether it will say that it verified its user; if not, the browser says that the user did not allow it.
    pub async fn verifies(&self, user: bool) {
        let path = format!("webauthn/authenticator/{}/uv", self.id);
        self.browser
            .ask(
                Method::POST,
                &path,
                Some(&json!({ "isUserVerified": user })),
            )
            .await;
    }

    /// Its passkeys, as WebAuthn Level 3 §11.6 writes them: `credentialId`, `rpId`, `privateKey` (PKCS #8), `signCount`, …
    pub async fn passkeys(&self) -> Vec<Value> {
        let path = format!("webauthn/authenticator/{}/credentials", self.id);
        match self.browser.ask(Method::GET, &path, None).await {
            Value::Array(passkeys) => passkeys,
            other => panic!("no list of passkeys: {other}"),
        }
    }

    /// Puts a passkey into it that another one had.
    pub async fn take(&self, passkey: &Value) {
        let path = format!("webauthn/authenticator/{}/credential", self.id);
        self.browser.ask(Method::POST, &path, Some(passkey)).await;
    }

    /// Takes it out of the machine, with all its passkeys.
    pub async fn remove(self) {
        let path = format!("webauthn/authenticator/{}", self.id);
        self.browser.ask(Method::DELETE, &path, None).await;
    }
}

/// A running chromedriver.
#[derive(Debug)]
struct Driver {
    process: Child,
    /// `http://127.0.0.1:PORT`
    address: String,
}

impl Driver {
    /// On a port that nobody has.
    fn start() -> Result<Self, String> {
        let mut process = Command::new("chromedriver")
            .args(["--port=0", "--log-level=SEVERE"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("`chromedriver`: {error}"))?;
        let Some(said) = process.stdout.take() else {
            return Err("`chromedriver` has no output".to_owned());
        };
        let mut driver = Self {
            process,
            address: String::new(),
        };
        let mut said = BufReader::new(said);
        let mut line = String::new();
        while matches!(said.read_line(&mut line), Ok(1..)) {
            if let Some((_, rest)) = line.split_once("started successfully on port ") {
                let port: String = rest.chars().take_while(char::is_ascii_digit).collect();
                driver.address = format!("http://127.0.0.1:{port}");
                // It says little more; a pipe that nobody reads would stop it when full.
                std::thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
                return Ok(driver);
            }
            line.clear();
        }
        Err("`chromedriver` ended before it said its port".to_owned())
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // Already gone is as good.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Ends a process that this harness started through chromedriver.
fn end(pid: u64) {
    // Already gone is as good.
    let _ = Command::new("kill")
        .args(["-KILL", &pid.to_string()])
        .stderr(Stdio::null())
        .status();
}

/// A command that fantoccini does not have.
#[derive(Debug)]
struct Raw {
    method: Method,
    /// After `/session/ID/`.
    path: String,
    body: Option<Value>,
}

impl WebDriverCompatibleCommand for Raw {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        base.join(&format!(
            "session/{}/{}",
            session.unwrap_or_default(),
            self.path
        ))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (
            self.method.clone(),
            self.body.as_ref().map(ToString::to_string),
        )
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
