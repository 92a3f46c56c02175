//! A real installation, the real program on it, and customers who have a phone and a passkey.

use std::{
    cell::RefCell,
    collections::VecDeque,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
    rc::Rc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use countersign_cases::Timestamp;
use countersign_service::adapters::{
    dice::SystemDice, soft_passkey::SoftPasskey, totp::TotpSecret,
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
    task::JoinSet,
};

use crate::{Failed, http::Pool};

/// Two proofs, one grant, one connector.
pub(crate) const PROCEDURE: &str = r#"organisation "Acme Hosting"
staff agent  "support agent"
staff senior "senior support agent" includes agent
device phone "phone with the authenticator app"
device key   "passkey"
proof app_code "authenticator code" shows phone using totp
proof passkey  "passkey"            shows key   using passkey
action note.add "Add a note" {
  with text "the note"
  says "Add the note {text}"
  runs panel
  path usual { prove app_code and passkey }
}
"#;

/// The origin that browsers see, and passkeys are bound to.
const ORIGIN: &str = "http://localhost:4180";

/// Seconds of one authenticator code.
const STEP_SECONDS: u64 = 30;

/// Requests at once while customers are put.
const PUT_AT_ONCE: usize = 32;

/// What `countersign init` wrote, with this panel and this database.
#[derive(Debug)]
pub(crate) struct Installation {
    program: PathBuf,
    folder: PathBuf,
    pub(crate) token: String,
}

impl Installation {
    /// A new one in this folder; `database` is a `postgres://` address, or else SQLite in the folder.
    pub(crate) async fn new(
        program: &Path,
        folder: PathBuf,
        panel: SocketAddr,
        database: Option<&str>,
    ) -> Result<Self, Failed> {
        let made = Command::new(program)
            .arg("init")
            .arg(&folder)
            .stdout(Stdio::null())
            .status()
            .await?;
        if !made.success() {
            return Err("`countersign init` failed".into());
        }
        std::fs::write(folder.join("hosting.procedure"), PROCEDURE)?;
        let file = folder.join("countersign.toml");
        let mut text = std::fs::read_to_string(&file)?;
        let mut replace = |from: &str, to: &str| {
            if !text.contains(from) {
                return Err(format!("`{from}` is not in the configuration"));
            }
            text = text.replace(from, to);
            Ok(())
        };
        replace("listen = \"127.0.0.1:4180\"", "listen = \"127.0.0.1:0\"")?;
        replace("http://localhost:4181", &format!("http://{panel}"))?;
        replace(
            "may = [\"panel\", \"customers\"]",
            "may = [\"panel\", \"customers\", \"read\"]",
        )?;
        // Each customer has an address of their own; the load program stands in for the proxy that says so.
        replace(
            "# trusted_proxies = [\"127.0.0.1\"]",
            "trusted_proxies = [\"127.0.0.1\"]",
        )?;
        if let Some(database) = database {
            replace(
                "database = \"countersign.db\"",
                &format!("database = \"{database}\""),
            )?;
        }
        text.push_str("\n[limits]\nanswers_per_minute = 10000\n[log]\nlevel = \"error\"\n");
        std::fs::write(&file, text)?;
        let token = std::fs::read_to_string(folder.join("keys/panel.token"))?
            .trim()
            .to_owned();
        Ok(Self {
            program: program.to_owned(),
            folder,
            token,
        })
    }

    /// Starts a gate and waits until it listens.
    pub(crate) async fn serve(&self) -> Result<Gate, Failed> {
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.folder.join("log"))?;
        let mut program = Command::new(&self.program)
            .args(["serve", "--config"])
            .arg(self.folder.join("countersign.toml"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()?;
        let stdout = program.stdout.take().ok_or("no output")?;
        let mut lines = BufReader::new(stdout).lines();
        let first = lines.next_line().await?.unwrap_or_default();
        let Some(url) = first.trim().strip_prefix("listening on http://") else {
            let log = std::fs::read_to_string(self.folder.join("log"))?;
            return Err(format!("the gate did not start: {first} {log}").into());
        };
        // The rest of what it says is read and thrown away, so that it never waits for us.
        let address = url.parse()?;
        tokio::task::spawn_local(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Ok(Gate {
            id: program.id().ok_or("the gate has ended")?,
            pool: Pool::new(address),
            program,
        })
    }

    /// What the gate wrote to its log.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// The database file.
    pub(crate) fn database(&self) -> PathBuf {
        self.folder.join("countersign.db")
    }

    /// `countersign ledger verify` of this gate's log.
    pub(crate) async fn verify_ledger(&self, gate: &Gate, key: &str) -> Result<bool, Failed> {
        let verified = Command::new(&self.program)
            .args(["ledger", "verify"])
            .arg(format!("http://{}", gate.pool.server()))
            .args(["--key", key])
            .stdout(Stdio::null())
            .status()
            .await?;
        Ok(verified.success())
    }
}

/// A running gate; killed when dropped.
#[derive(Debug)]
pub(crate) struct Gate {
    pub(crate) id: u32,
    pub(crate) pool: Pool,
    program: Child,
}

impl Gate {
    /// SIGTERM, and waits.
    pub(crate) async fn end(mut self) -> Result<(), Failed> {
        Command::new("kill")
            .arg(self.id.to_string())
            .status()
            .await?;
        self.program.wait().await?;
        Ok(())
    }

    pub(crate) async fn known(&self) -> Result<Value, Failed> {
        let known = self
            .pool
            .ask("GET /.well-known/countersign", "", b"")
            .await?;
        Ok(serde_json::from_slice(&known.body)?)
    }
}

/// A customer, with what is in their pocket.
pub(crate) struct Customer {
    pub(crate) id: String,
    /// Header lines of every request of theirs: an address of their own.
    pub(crate) from: String,
    pub(crate) passkey: SoftPasskey,
    totp: TotpSecret,
    last_step: u64,
    pub(crate) cases: u32,
}

impl Customer {
    /// A code that was not used yet and counts now, if there is one.
    pub(crate) fn code(&mut self) -> Option<String> {
        let now = now_ms() / 1_000 / STEP_SECONDS;
        // One step either way counts; the last is left out, so that a code never ages past its window under way.
        let step = now.max(self.last_step + 1);
        if step > now + 1 {
            return None;
        }
        self.last_step = step;
        let at = i64::try_from(step * STEP_SECONDS * 1_000).unwrap_or(i64::MAX);
        Some(self.totp.code_now(Timestamp(at)))
    }

    fn has_code(&self) -> bool {
        self.last_step < now_ms() / 1_000 / STEP_SECONDS + 1
    }

    /// What the passkey answers to these options.
    pub(crate) fn sign(&mut self, options: &Value) -> Result<Value, Failed> {
        Ok(self.passkey.get(options, ORIGIN)?)
    }
}

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(0))
}

/// Customers who are not in a case just now, the one who waited longest first.
#[derive(Clone)]
pub(crate) struct Customers(Rc<RefCell<VecDeque<Customer>>>);

impl Customers {
    /// Puts so many, each with an authenticator app and a passkey.
    pub(crate) async fn put(
        gate: &Gate,
        token: &str,
        prefix: &str,
        count: usize,
    ) -> Result<Self, Failed> {
        let mut all = VecDeque::with_capacity(count);
        let mut running = JoinSet::new();
        for number in 0..count {
            let (pool, token) = (gate.pool.clone(), token.to_owned());
            let id = format!("{prefix}{number}");
            running.spawn_local(async move { put(&pool, &token, number, id).await });
            if running.len() >= PUT_AT_ONCE
                && let Some(done) = running.join_next().await
            {
                all.push_back(done??);
            }
        }
        while let Some(done) = running.join_next().await {
            all.push_back(done??);
        }
        Ok(Self(Rc::new(RefCell::new(all))))
    }

    /// The next who has a code.
    pub(crate) fn next(&self) -> Option<Customer> {
        let mut all = self.0.borrow_mut();
        let next = all.pop_front()?;
        if next.has_code() {
            return Some(next);
        }
        // All behind this one had a case later; but the clock has steps, so some may have a code all the same.
        all.push_back(next);
        None
    }

    pub(crate) fn back(&self, customer: Customer) {
        self.0.borrow_mut().push_back(customer);
    }
}

async fn put(pool: &Pool, token: &str, number: usize, id: String) -> Result<Customer, Failed> {
    let json_of = async |line: String, body: Value| -> Result<Value, Failed> {
        let headers =
            format!("authorization: Bearer {token}\r\ncontent-type: application/json\r\n");
        let text = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let answer = pool.ask(&line, &headers, text.as_bytes()).await?;
        if answer.status >= 300 {
            let said = String::from_utf8_lossy(&answer.body).into_owned();
            return Err(format!("{line}: {} {said}", answer.status).into());
        }
        if answer.body.is_empty() {
            return Ok(Value::Null);
        }
        Ok(serde_json::from_slice(&answer.body)?)
    };
    let path = format!("/v1/customers/{id}");
    let name = json!({ "name": format!("Customer {id}"), "number": id });
    json_of(format!("PUT {path}"), name).await?;
    let enrolment = TotpSecret::enrol(&SystemDice, "Acme", &id)?;
    json_of(
        format!("PUT {path}/holdings/phone"),
        json!({ "totp_secret": enrolment.base32 }),
    )
    .await?;
    let start = json_of(
        format!("POST {path}/holdings/key/passkey/start"),
        Value::Null,
    )
    .await?;
    let options = start.get("publicKey").ok_or("no options")?;
    let (passkey, credential) = SoftPasskey::create(options, ORIGIN)?;
    json_of(
        format!("POST {path}/holdings/key/passkey/finish"),
        json!({ "ceremony": start.get("ceremony"), "credential": credential, "name": "phone" }),
    )
    .await?;
    let [_, high, middle, low] = u32::try_from(number)?.to_be_bytes();
    Ok(Customer {
        id,
        from: format!("x-forwarded-for: 10.{high}.{middle}.{low}\r\n"),
        passkey,
        totp: enrolment.secret,
        last_step: 0,
        cases: 0,
    })
}

/// Processor time that a process has used so far.
pub(crate) fn cpu_of(process: u32) -> Option<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The second field is the program's name in parentheses, which may hold spaces.
    let mut fields = stat.rsplit_once(") ")?.1.split(' ').skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    // USER_HZ is 100 on every Linux there is.
    Some(Duration::from_millis((user + system) * 10))
}

/// Resident memory of a process, in MB.
pub(crate) fn memory_of(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes / 1_024)
}
