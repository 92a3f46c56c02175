//! A PostgreSQL of one's own, for tests.
//!
//! [`database`] gives a test an empty database and takes it away again. Where `./test` has started a cluster
//! ([`SHARED`]) it is made there; otherwise this process starts one, on a Unix socket in a temporary folder (in memory,
//! where the machine has `/dev/shm`), with `fsync` and everything else as shipped. Such a cluster ends with the process
//! that started it, however that ends: a supervisor reads from a pipe that nobody else holds.
//!
//! PostgreSQL refuses to run as root; for root the cluster runs as Debian's user `postgres`.

#![expect(
    clippy::panic,
    reason = "a harness of tests: what does not work fails the test, and says where"
)]

use std::fmt;
use std::fs;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// Far longer than archiving or recovering what a test has written takes.
const PATIENCE: Duration = Duration::from_secs(30);

mod proxy;

pub use proxy::{Cut, Proxy};

/// The address of a running cluster, of a user who may make databases: `postgres://countersign@localhost/postgres?host=/folder`. `./test` sets it.
pub const SHARED: &str = "COUNTERSIGN_TEST_POSTGRES";

/// Set to anything where a missing PostgreSQL is a failure and not a reason to leave the test out. `./test` sets it.
pub const REQUIRED: &str = "COUNTERSIGN_POSTGRES_REQUIRED";

/// An empty database of one's own; `None`, with a line that says so, where PostgreSQL is not installed and [`REQUIRED`] is not set.
///
/// # Panics
/// If there is a PostgreSQL and it does not do as it is told.
pub fn database() -> Option<Database> {
    static OWN: OnceLock<Option<Cluster>> = OnceLock::new();
    if let Ok(address) = std::env::var(SHARED) {
        let folder = address
            .split_once("host=")
            .map(|(_, folder)| PathBuf::from(folder));
        let Some(folder) = folder else {
            panic!("`{SHARED}` names no folder of a socket: {address}")
        };
        return Some(Database::make(&folder, "template1"));
    }
    OWN.get_or_init(|| Cluster::start(&[]))
        .as_ref()
        .map(Cluster::database)
}

/// A running cluster; stopped and removed when it is dropped, or when this process ends in whatever way.
pub struct Cluster {
    folder: PathBuf,
    /// To and from the supervisor; closed to end it.
    pipes: Mutex<Option<(ChildStdin, BufReader<ChildStdout>)>>,
    supervisor: Child,
}

impl Cluster {
    /// Starts a cluster with these settings beside PostgreSQL's own, each like `fsync=off`.
    ///
    /// `None`, with a line that says so, where PostgreSQL is not installed and [`REQUIRED`] is not set.
    ///
    /// # Panics
    /// If PostgreSQL is there and does not start.
    pub fn start(settings: &[&str]) -> Option<Self> {
        let Some(programs) = programs() else {
            let help = "install Debian's `postgresql`, or run ./test, which does";
            assert!(
                std::env::var_os(REQUIRED).is_none(),
                "no PostgreSQL; {help}"
            );
            #[expect(clippy::print_stderr, reason = "a test that is left out says so")]
            {
                eprintln!("left out, no PostgreSQL; {help}");
            }
            return None;
        };
        match Self::supervised(&programs, settings) {
            Ok(cluster) => Some(cluster),
            Err(error) => panic!("PostgreSQL does not start: {error}"),
        }
    }

    fn supervised(programs: &Path, settings: &[&str]) -> io::Result<Self> {
        let folder = new_folder()?;
        let as_root = fs::metadata("/proc/self").is_ok_and(|own| {
            use std::os::unix::fs::MetadataExt as _;
            own.uid() == 0
        });
        // A session of its own: whoever kills this process' group must not kill the one who cleans up after it.
        let mut command = if as_root {
            let given = Command::new("chown")
                .arg("postgres")
                .arg(&folder)
                .status()?;
            if !given.success() {
                return Err(io::Error::other("there is no user `postgres`"));
            }
            let mut command = Command::new("setpriv");
            command.args([
                "--reuid=postgres",
                "--regid=postgres",
                "--init-groups",
                "--reset-env",
                "setsid",
            ]);
            command
        } else {
            Command::new("setsid")
        };
        let mut with = String::from("-c listen_addresses='' -c max_connections=200");
        for setting in settings {
            with.push_str(" -c ");
            with.push_str(setting);
        }
        let mut supervisor = command
            .args(["sh", "-c", include_str!("supervise.sh"), "supervise"])
            .arg(programs)
            .arg(&folder)
            .arg(with)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let (Some(orders), Some(answers)) = (supervisor.stdin.take(), supervisor.stdout.take())
        else {
            return Err(io::Error::other("no pipes to the supervisor"));
        };
        let cluster = Self {
            folder,
            pipes: Mutex::new(Some((orders, BufReader::new(answers)))),
            supervisor,
        };
        cluster.ask(None)?;
        Ok(cluster)
    }

    /// An empty database in it.
    ///
    /// # Panics
    /// If it cannot be made.
    pub fn database(&self) -> Database {
        Database::make(&self.folder, "template1")
    }

    /// The folder its socket is in.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The address of its database `postgres`.
    pub fn address(&self) -> String {
        address(&self.folder, "postgres")
    }

    /// Starts a cluster that archives its write-ahead log, as `docs/operations.md` says; `None` as for [`start`](Self::start).
    ///
    /// # Panics
    /// As [`start`](Self::start).
    pub fn archiving() -> Option<Self> {
        Self::start(&[
            "archive_mode=on",
            "archive_command='test ! -f ../archive/%f && cp %p ../archive/%f'",
        ])
    }

    /// Makes a copy of everything (`pg_basebackup`) in the place of the one before, while the server runs.
    ///
    /// # Panics
    /// If it cannot be made.
    pub fn back_up(&self) {
        self.order("base");
    }

    /// Waits until everything written so far is in the archive.
    ///
    /// # Panics
    /// If it does not get there within half a minute.
    pub fn archive(&self) {
        let ask = |sql: &str| execute(&self.folder, "postgres", sql);
        let segment = ask("SELECT pg_walfile_name(pg_switch_wal())");
        let began = Instant::now();
        while !self.folder.join("archive").join(&segment).exists()
            || ask("SELECT coalesce(last_archived_wal, '') FROM pg_stat_archiver") < segment
        {
            assert!(began.elapsed() < PATIENCE, "`{segment}` is not archived");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Its data are lost. They come back from the copy and from what was archived since, up to a moment that the server
    /// once gave, or all of it; then it may be written again.
    ///
    /// # Panics
    /// If they do not.
    pub fn restore(&self, until: Option<&str>) {
        self.order(&format!("restore {}", until.unwrap_or_default()));
        let began = Instant::now();
        while execute(&self.folder, "postgres", "SELECT pg_is_in_recovery()") == "t" {
            assert!(began.elapsed() < PATIENCE, "it goes on recovering");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Kills every process of it at once; [`resume`](Self::resume) starts it again.
    ///
    /// # Panics
    /// As [`stop`](Self::stop).
    pub fn crash(&self) {
        self.order("crash");
    }

    /// Stops it in order, connections and all.
    ///
    /// # Panics
    /// If it does not.
    pub fn stop(&self) {
        self.order("stop");
    }

    /// Starts it again after [`stop`](Self::stop) or [`crash`](Self::crash), and waits until it answers.
    ///
    /// # Panics
    /// If it does not.
    pub fn resume(&self) {
        self.order("start");
    }

    /// Starts it again as a standby of a primary that never says anything.
    ///
    /// # Panics
    /// As [`stop`](Self::stop).
    pub fn follow_nobody(&self) {
        self.order("stop");
        self.order("standby");
        self.order("start");
    }

    /// From now on this user has to give a password.
    ///
    /// # Panics
    /// As [`stop`](Self::stop).
    pub fn ask_for_passwords_of(&self, user: &str) {
        self.order(&format!("passwords {user}"));
        // Until it is started again it may go on by what it read before.
        self.order("stop");
        self.order("start");
    }

    fn order(&self, order: &str) {
        if let Err(error) = self.ask(Some(order)) {
            panic!("PostgreSQL does not {order}: {error}");
        }
    }

    /// Sends an order, or none, and waits for the answer.
    fn ask(&self, order: Option<&str>) -> io::Result<()> {
        let mut line = String::new();
        let mut pipes = self.pipes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((orders, answers)) = &mut *pipes {
            if let Some(order) = order {
                writeln!(orders, "{order}")?;
            }
            answers.read_line(&mut line)?;
        }
        if line.trim_end() == "done" {
            return Ok(());
        }
        let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        Err(io::Error::other(log))
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let pipes = self
            .pipes
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        drop(pipes);
        // Whatever it answers, it is gone.
        let _ = self.supervisor.wait();
    }
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Cluster").field(&self.folder).finish()
    }
}

/// An empty database; removed, with whoever is still connected to it, when this is dropped.
#[derive(Debug)]
pub struct Database {
    folder: PathBuf,
    name: String,
}

impl Database {
    fn make(folder: &Path, template: &str) -> Self {
        static MADE: AtomicU32 = AtomicU32::new(0);
        // A killed process leaves its databases in a shared cluster, and its number to another.
        let now = std::time::SystemTime::UNIX_EPOCH
            .elapsed()
            .map_or(0, |since| since.as_nanos());
        let name = format!(
            "test_{}_{now}_{}",
            std::process::id(),
            MADE.fetch_add(1, Ordering::Relaxed)
        );
        execute(
            folder,
            "postgres",
            &format!("CREATE DATABASE {name} TEMPLATE {template}"),
        );
        Self {
            folder: folder.to_owned(),
            name,
        }
    }

    /// Its address, for the user the cluster trusts.
    pub fn address(&self) -> String {
        address(&self.folder, &self.name)
    }

    /// The folder of its cluster's socket.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Its name in the cluster.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Another database with the same contents. Nobody may be connected to this one.
    ///
    /// # Panics
    /// If it cannot be made.
    #[must_use]
    pub fn copy(&self) -> Self {
        Self::make(&self.folder, &self.name)
    }

    /// Runs SQL in it and gives what it answers, a row a line, columns parted by `|`.
    ///
    /// # Panics
    /// If it fails.
    pub fn execute(&self, sql: &str) -> String {
        execute(&self.folder, &self.name, sql)
    }

    /// As [`execute`](Self::execute), and what the server says where it fails.
    ///
    /// # Errors
    /// The server's own.
    pub fn try_execute(&self, sql: &str) -> io::Result<String> {
        psql(&self.folder, &self.name, sql)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // Its cluster may be stopped, on purpose.
        let _ = psql(
            &self.folder,
            "postgres",
            &format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name),
        );
    }
}

fn address(folder: &Path, database: &str) -> String {
    format!(
        "postgres://countersign@localhost/{database}?host={}",
        folder.display()
    )
}

fn execute(folder: &Path, database: &str, sql: &str) -> String {
    match psql(folder, database, sql) {
        Ok(answer) => answer,
        Err(error) => panic!("`{sql}`: {error}"),
    }
}

fn psql(folder: &Path, database: &str, sql: &str) -> io::Result<String> {
    let answered = Command::new("psql")
        .args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"])
        .args(["-U", "countersign", "-d", database, "-c", sql, "-h"])
        .arg(folder)
        .stdin(Stdio::null())
        .output()?;
    if answered.status.success() {
        Ok(String::from_utf8_lossy(&answered.stdout)
            .trim_end()
            .to_owned())
    } else {
        Err(io::Error::other(
            String::from_utf8_lossy(&answered.stderr).into_owned(),
        ))
    }
}

/// The folder of PostgreSQL's programs, the newest where there are several.
fn programs() -> Option<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|version| {
            let version = version.ok()?;
            let number = version.file_name().to_str()?.parse().ok()?;
            let programs = version.path().join("bin");
            programs
                .join("initdb")
                .exists()
                .then_some((number, programs))
        })
        .collect();
    found.sort();
    found.pop().map(|(_, programs)| programs)
}

/// What a cluster may need in memory: its files, and a gigabyte of log before PostgreSQL takes old ones again.
const ROOM_KIB: u64 = 3 << 20;

/// In memory where there is room: `fsync` stays on and costs little. A container's `/dev/shm` often has 64 MB.
fn new_folder() -> io::Result<PathBuf> {
    static MADE: AtomicU32 = AtomicU32::new(0);
    let within = if free_kib(Path::new("/dev/shm")) > ROOM_KIB {
        PathBuf::from("/dev/shm")
    } else {
        std::env::temp_dir()
    };
    loop {
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let folder = within.join(format!("countersign-{}-{number}", std::process::id()));
        match fs::create_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            made => return made.map(|()| folder),
        }
    }
}

/// Free room of a folder in KiB, as `df` says; 0 if it does not say.
fn free_kib(folder: &Path) -> u64 {
    Command::new("df")
        .args(["-k", "--output=avail"])
        .arg(folder)
        .output()
        .ok()
        .and_then(|said| String::from_utf8(said.stdout).ok())
        .and_then(|said| said.lines().last()?.trim().parse().ok())
        .unwrap_or(0)
}
