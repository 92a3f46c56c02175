//! An OpenID provider on the loopback that tells the truth, or one chosen lie.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use aws_lc_rs::{
    digest, hmac,
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use countersign_service::{
    ProviderAnswer,
    adapters::{
        clock::{Clock as _, SettableClock},
        openid::{Credentials, ProviderSettings},
        secrets::Secret,
    },
};
use serde_json::{Map, Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

pub(crate) const CLIENT: &str = "countersign";
const SECRET: &str = "a client secret: 100%";

/// What the provider does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Lie {
    #[default]
    None,
    WrongNonce,
    NoNonce,
    WrongAudience,
    SecondAudience,
    ForeignParty,
    NoAlgorithm,
    HmacUnderPublicKey,
    CriticalHeader,
    BrokenSignature,
    OtherKey,
    OtherIssuer,
    RanOut,
    FromTheFuture,
    IssuedLongAgo,
    SignedInBefore,
    DoesNotSayWhen,
    Weak,
    NoAcr,
    NoSubject,
    NoToken,
    NotJson,
    HugeBody,
    Elsewhere,
    Fails,
    HangsUp,
    Trickles,
    InfoOfSomebodyElse,
}

/// What happens to a push.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Device {
    Silent,
    TooFast,
    Yes,
    No,
    GivesUp,
}

/// Who signs in.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) subject: String,
    pub(crate) claims: Map<String, Value>,
    /// Claims that only userinfo says.
    pub(crate) info: Map<String, Value>,
}

impl Person {
    pub(crate) fn new(subject: &str) -> Self {
        Self {
            subject: subject.to_owned(),
            claims: Map::new(),
            info: Map::new(),
        }
    }

    pub(crate) fn says(mut self, claim: &str, value: Value) -> Self {
        self.claims.insert(claim.to_owned(), value);
        self
    }

    pub(crate) fn tells_userinfo(mut self, claim: &str, value: Value) -> Self {
        self.info.insert(claim.to_owned(), value);
        self
    }
}

#[derive(Debug, Clone)]
struct Code {
    person: Person,
    nonce: String,
    challenge: String,
    redirect_uri: String,
    signed_in_at_s: i64,
}

#[derive(Debug, Default)]
struct State {
    lie: Lie,
    codes: BTreeMap<String, Code>,
    used: BTreeSet<String>,
    access: BTreeMap<String, Person>,
    asked: BTreeMap<String, usize>,
    pushes: Vec<BTreeMap<String, String>>,
    device: Option<(Device, Person)>,
    unknown_user: bool,
    issuer_said: Option<String>,
    says_iss: bool,
    key: usize,
    keys_shown: Vec<usize>,
    next: usize,
}

struct Shared {
    state: Mutex<State>,
    clock: Arc<SettableClock>,
    url: String,
    keys: Vec<EcdsaKeyPair>,
}

/// Stops when dropped.
pub(crate) struct Provider {
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Provider {
    pub(crate) async fn start(clock: Arc<SettableClock>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let keys = (0..3)
            .map(|_| EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
            .collect();
        let state = State {
            keys_shown: vec![0],
            says_iss: true,
            ..State::default()
        };
        let shared = Arc::new(Shared {
            state: Mutex::new(state),
            clock,
            url,
            keys,
        });
        let answering = Arc::clone(&shared);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, Arc::clone(&answering)));
            }
        });
        Self { shared, task }
    }

    pub(crate) fn settings(&self) -> ProviderSettings {
        ProviderSettings {
            issuer: self.shared.url.clone(),
            client_id: CLIENT.to_owned(),
            credentials: Credentials::Secret(Secret::new(SECRET)),
        }
    }

    fn state<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.shared.state.lock().unwrap())
    }

    pub(crate) fn lies(&self, lie: Lie) {
        self.state(|state| state.lie = lie);
    }

    /// Signs with this key from now on; shows these.
    pub(crate) fn rotates(&self, key: usize, shown: &[usize]) {
        self.state(|state| {
            state.key = key;
            state.keys_shown = shown.to_vec();
        });
    }

    pub(crate) fn names_another_issuer(&self, issuer: &str) {
        self.state(|state| state.issuer_said = Some(issuer.to_owned()));
    }

    /// What the device does from now on, and whose it is.
    pub(crate) fn device(&self, device: Device, person: &Person) {
        self.state(|state| state.device = Some((device, person.clone())));
    }

    pub(crate) fn knows_nobody(&self) {
        self.state(|state| state.unknown_user = true);
    }

    /// The forms of all pushes that were asked for.
    pub(crate) fn pushes(&self) -> Vec<BTreeMap<String, String>> {
        self.state(|state| state.pushes.clone())
    }

    /// How often an address was asked.
    pub(crate) fn asked(&self, path: &str) -> usize {
        self.state(|state| state.asked.get(path).copied().unwrap_or(0))
    }

    /// A person's browser goes to `url`, signs in there now, and comes back with the answer.
    pub(crate) fn signs_in(&self, url: &str, person: &Person) -> ProviderAnswer {
        let asked = query(url);
        assert!(url.starts_with(&format!("{}/authorize?", self.shared.url)));
        assert_eq!(asked["response_type"], "code");
        assert_eq!(asked["client_id"], CLIENT);
        assert_eq!(asked["code_challenge_method"], "S256");
        let now_s = self.shared.clock.now().0 / 1_000;
        let code = self.state(|state| {
            state.next += 1;
            let name = format!("code-{}", state.next);
            let code = Code {
                person: person.clone(),
                nonce: asked["nonce"].clone(),
                challenge: asked["code_challenge"].clone(),
                redirect_uri: asked["redirect_uri"].clone(),
                signed_in_at_s: now_s,
            };
            state.codes.insert(name.clone(), code);
            name
        });
        ProviderAnswer {
            state: asked["state"].clone(),
            code: Some(code),
            error: None,
            iss: Some(self.shared.url.clone()),
        }
    }

    /// The same person does not get through.
    pub(crate) fn refuses(&self, url: &str, error: &str) -> ProviderAnswer {
        ProviderAnswer {
            state: query(url)["state"].clone(),
            code: None,
            error: Some(error.to_owned()),
            iss: Some(self.shared.url.clone()),
        }
    }
}

/// The parameters of an address.
pub(crate) fn query(url: &str) -> BTreeMap<String, String> {
    form(url.split_once('?').unwrap().1)
}

fn form(text: &str) -> BTreeMap<String, String> {
    let decoded = |part: &str| {
        let mut bytes = Vec::new();
        let mut rest = part.bytes();
        while let Some(byte) = rest.next() {
            bytes.push(match byte {
                b'+' => b' ',
                b'%' => {
                    let hex = [rest.next().unwrap(), rest.next().unwrap()];
                    u8::from_str_radix(std::str::from_utf8(&hex).unwrap(), 16).unwrap()
                }
                byte => byte,
            });
        }
        String::from_utf8(bytes).unwrap()
    };
    text.split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(key, value)| (decoded(key), decoded(value)))
        .collect()
}

async fn answer(mut stream: TcpStream, shared: Arc<Shared>) -> Option<()> {
    let mut bytes = Vec::new();
    let head_end = loop {
        let mut more = [0; 4_096];
        let read = stream.read(&mut more).await.ok()?;
        if read == 0 {
            return None;
        }
        bytes.extend_from_slice(&more[..read]);
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
    };
    let head = String::from_utf8(bytes[..head_end].to_vec()).ok()?;
    let header = |name: &str| {
        head.lines()
            .filter_map(|line| line.split_once(':'))
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim().to_owned())
    };
    let length: usize = header("content-length")
        .and_then(|text| text.parse().ok())
        .unwrap_or(0);
    while bytes.len() < head_end + length {
        let mut more = [0; 4_096];
        let read = stream.read(&mut more).await.ok()?;
        bytes.extend_from_slice(&more[..read]);
    }
    let body = String::from_utf8(bytes[head_end..].to_vec()).ok()?;
    let path = head.split(' ').nth(1)?.to_owned();
    let (lie, asked) = {
        let mut state = shared.state.lock().unwrap();
        *state.asked.entry(path.clone()).or_default() += 1;
        (state.lie, form(&body))
    };
    let (status, document) = match path.as_str() {
        "/.well-known/openid-configuration" => (200, description(&shared)),
        "/jwks" => (200, jwks(&shared)),
        "/userinfo" => (200, userinfo(&shared, &header("authorization")?, lie)),
        "/token" | "/bc-authorize" => {
            if header("authorization").as_deref() != Some(&expected_basic()) {
                (401, json!({ "error": "invalid_client" }))
            } else if path == "/bc-authorize" {
                push(&shared, asked)
            } else {
                match lie {
                    Lie::HangsUp => return None,
                    Lie::Trickles => {
                        let _ = stream
                            .write_all(b"HTTP/1.1 200 x\r\ncontent-length: 1000\r\n\r\n")
                            .await;
                        return std::future::pending().await;
                    }
                    Lie::Elsewhere => {
                        let away = format!(
                            "HTTP/1.1 307 x\r\nlocation: {}/token2\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
                            shared.url
                        );
                        return stream.write_all(away.as_bytes()).await.ok();
                    }
                    Lie::Fails => (500, json!({ "error": "server_error" })),
                    _ if asked["grant_type"] == "authorization_code" => {
                        redeem(&shared, &asked, lie)
                    }
                    _ => poll(&shared, lie),
                }
            }
        }
        _ => (404, json!({})),
    };
    let text = match lie {
        Lie::NotJson if path == "/token" => "<html>".to_owned(),
        Lie::HugeBody if path == "/token" => {
            format!("{{\"id_token\":\"{}\"}}", "a".repeat(1 << 20))
        }
        _ => document.to_string(),
    };
    let response = format!(
        "HTTP/1.1 {status} x\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{text}",
        text.len()
    );
    stream.write_all(response.as_bytes()).await.ok()?;
    stream.shutdown().await.ok()
}

/// RFC 6749 §2.3.1.
fn expected_basic() -> String {
    format!(
        "Basic {}",
        STANDARD.encode(format!("{CLIENT}:a%20client%20secret%3A%20100%25"))
    )
}

fn description(shared: &Shared) -> Value {
    let url = &shared.url;
    let state = shared.state.lock().unwrap();
    json!({
        "issuer": state.issuer_said.as_ref().unwrap_or(url),
        "authorization_endpoint": format!("{url}/authorize"),
        "token_endpoint": format!("{url}/token"),
        "userinfo_endpoint": format!("{url}/userinfo"),
        "jwks_uri": format!("{url}/jwks"),
        "backchannel_authentication_endpoint": format!("{url}/bc-authorize"),
        "authorization_response_iss_parameter_supported": state.says_iss,
        "claims_parameter_supported": true,
    })
}

fn jwks(shared: &Shared) -> Value {
    let state = shared.state.lock().unwrap();
    let mut keys: Vec<Value> = state
        .keys_shown
        .iter()
        .map(|key| jwk(&shared.keys[*key], *key))
        .collect();
    // Kinds of key that nobody here understands are no reason to stop.
    keys.push(json!({ "kty": "odd", "kid": "odd", "use": "sig" }));
    keys.push(json!({ "kty": "oct", "kid": "hmac", "k": "c2VjcmV0" }));
    json!({ "keys": keys })
}

fn jwk(key: &EcdsaKeyPair, name: usize) -> Value {
    let point = key.public_key().as_ref();
    json!({
        "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": format!("key-{name}"),
        "x": URL_SAFE_NO_PAD.encode(&point[1..33]), "y": URL_SAFE_NO_PAD.encode(&point[33..]),
    })
}

fn userinfo(shared: &Shared, authorization: &str, lie: Lie) -> Value {
    let state = shared.state.lock().unwrap();
    let person = &state.access[authorization.strip_prefix("Bearer ").unwrap()];
    let mut said = person.info.clone();
    let subject = if lie == Lie::InfoOfSomebodyElse {
        "somebody-else"
    } else {
        &person.subject
    };
    said.insert("sub".to_owned(), json!(subject));
    Value::Object(said)
}

fn redeem(shared: &Shared, asked: &BTreeMap<String, String>, lie: Lie) -> (u16, Value) {
    let mut state = shared.state.lock().unwrap();
    let name = &asked["code"];
    let refused = (400, json!({ "error": "invalid_grant" }));
    let Some(code) = state.codes.get(name).cloned() else {
        return refused;
    };
    let challenge = digest::digest(&digest::SHA256, asked["code_verifier"].as_bytes());
    let right = code.challenge == URL_SAFE_NO_PAD.encode(challenge)
        && code.redirect_uri == asked["redirect_uri"];
    if !state.used.insert(name.clone()) || !right {
        return refused;
    }
    let mut claims = code.person.claims.clone();
    claims.insert("nonce".to_owned(), json!(code.nonce));
    claims.insert("auth_time".to_owned(), json!(code.signed_in_at_s));
    let access = format!("access-{name}");
    state.access.insert(access.clone(), code.person.clone());
    let token = sign(shared, state.key, &code.person.subject, claims, lie);
    if lie == Lie::NoToken {
        return (
            200,
            json!({ "access_token": access, "token_type": "Bearer" }),
        );
    }
    (
        200,
        json!({ "id_token": token, "access_token": access, "token_type": "Bearer" }),
    )
}

fn push(shared: &Shared, asked: BTreeMap<String, String>) -> (u16, Value) {
    let mut state = shared.state.lock().unwrap();
    state.pushes.push(asked);
    if state.unknown_user {
        return (400, json!({ "error": "unknown_user_id" }));
    }
    (
        200,
        json!({ "auth_req_id": format!("push-{}", state.pushes.len()), "expires_in": 120, "interval": 5 }),
    )
}

fn poll(shared: &Shared, lie: Lie) -> (u16, Value) {
    let state = shared.state.lock().unwrap();
    let (device, person) = state.device.clone().unwrap();
    let error = |code: &str| (400, json!({ "error": code }));
    match device {
        Device::Silent => error("authorization_pending"),
        Device::TooFast => error("slow_down"),
        Device::No => error("access_denied"),
        Device::GivesUp => error("expired_token"),
        Device::Yes => {
            let token = sign(
                shared,
                state.key,
                &person.subject,
                person.claims.clone(),
                lie,
            );
            (
                200,
                json!({ "id_token": token, "access_token": "none", "token_type": "Bearer" }),
            )
        }
    }
}

/// An ID token with everything right but what the lie is about.
fn sign(
    shared: &Shared,
    key: usize,
    subject: &str,
    mut claims: Map<String, Value>,
    lie: Lie,
) -> String {
    let now_s = shared.clock.now().0 / 1_000;
    let mut say = |claim: &str, value: Value| {
        claims.insert(claim.to_owned(), value);
    };
    say("iss", json!(shared.url));
    say("sub", json!(subject));
    say("aud", json!(CLIENT));
    say("iat", json!(now_s));
    say("exp", json!(now_s + 300));
    match lie {
        Lie::WrongNonce => say("nonce", json!("another")),
        Lie::NoNonce => say("nonce", Value::Null),
        Lie::WrongAudience => say("aud", json!("another")),
        Lie::SecondAudience => say("aud", json!([CLIENT, "another"])),
        Lie::ForeignParty => say("azp", json!("another")),
        Lie::OtherIssuer => say("iss", json!("https://login.example")),
        Lie::RanOut => {
            say("iat", json!(now_s - 400));
            say("exp", json!(now_s - 61));
        }
        Lie::FromTheFuture => say("iat", json!(now_s + 120)),
        Lie::IssuedLongAgo => say("iat", json!(now_s - 3_600)),
        Lie::SignedInBefore => say("auth_time", json!(now_s - 3_600)),
        Lie::DoesNotSayWhen => say("auth_time", Value::Null),
        Lie::Weak => say("acr", json!("urn:acme:password")),
        Lie::NoAcr => say("acr", Value::Null),
        Lie::NoSubject => say("sub", json!("")),
        _ => {}
    }
    let kid = if lie == Lie::OtherKey {
        "key-9".to_owned()
    } else {
        format!("key-{key}")
    };
    let header = match lie {
        Lie::NoAlgorithm => json!({ "alg": "none", "kid": kid }),
        Lie::HmacUnderPublicKey => json!({ "alg": "HS256", "kid": kid }),
        Lie::CriticalHeader => json!({ "alg": "ES256", "kid": kid, "crit": ["b64"], "b64": false }),
        _ => json!({ "alg": "ES256", "kid": kid, "typ": "JWT" }),
    };
    let signed = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header.to_string()),
        URL_SAFE_NO_PAD.encode(Value::Object(claims).to_string())
    );
    let mut signature = match lie {
        Lie::NoAlgorithm => Vec::new(),
        Lie::HmacUnderPublicKey => {
            let public = shared.keys[key].public_key().as_ref();
            let key = hmac::Key::new(hmac::HMAC_SHA256, public);
            hmac::sign(&key, signed.as_bytes()).as_ref().to_vec()
        }
        _ => {
            let made = shared.keys[key].sign(&SystemRandom::new(), signed.as_bytes());
            made.unwrap().as_ref().to_vec()
        }
    };
    if lie == Lie::BrokenSignature {
        signature[7] ^= 1;
    }
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}
