//! A wire to PostgreSQL that can be cut, at the one moment that matters.
//!
//! It stands between a program and a cluster, each end a Unix socket. It reads nothing of the protocol but what it must to
//! know a `COMMIT` when it passes: a caller that sends it as a query of its own (message `Q`), and the answer's tag.

use std::fmt;
use std::fs;
use std::io::{self, Read as _, Write as _};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use super::Database;

/// When the wire is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// The next `COMMIT` does not reach the database.
    BeforeCommit,
    /// The next `COMMIT` is carried out, and its answer does not come back.
    AfterCommit,
    /// The next `UPDATE` is carried out, and its answer does not come back.
    AfterUpdate,
}

/// A wire to one database. Ends when it is dropped.
pub struct Proxy {
    folder: PathBuf,
    database: String,
    wire: Arc<Wire>,
}

/// What its connections share.
struct Wire {
    target: PathBuf,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// What is to happen once.
    armed: Option<Cut>,
    /// Whether that is to last.
    then_down: bool,
    /// Whether nobody gets through.
    down: bool,
    ended: bool,
    /// How often it was cut at such a moment.
    cuts: usize,
    open: Vec<UnixStream>,
}

impl Proxy {
    /// A wire to this database.
    ///
    /// # Errors
    /// If no socket can be made.
    pub fn to(database: &Database) -> io::Result<Self> {
        let folder = super::new_folder()?;
        let listener = UnixListener::bind(folder.join(SOCKET))?;
        let wire = Arc::new(Wire {
            target: database.folder().join(SOCKET),
            state: Mutex::default(),
        });
        let accepting = Arc::clone(&wire);
        thread::spawn(move || {
            for near in listener.incoming() {
                let Ok(near) = near else { break };
                if accepting.state().ended {
                    break;
                }
                // A refused connection is what the test is about.
                let _ = Arc::clone(&accepting).connect(near);
            }
        });
        Ok(Self {
            folder,
            database: database.name().to_owned(),
            wire,
        })
    }

    /// The database's address by this wire.
    pub fn address(&self) -> String {
        super::address(&self.folder, &self.database)
    }

    /// Cuts every connection at that moment, once; new connections are let through.
    pub fn cut_once(&self, cut: Cut) {
        self.wire.state().armed = Some(cut);
    }

    /// As [`cut_once`](Self::cut_once), and lets nobody through after it until [`up`](Self::up).
    pub fn stay_down_after(&self, cut: Cut) {
        let mut state = self.wire.state();
        state.armed = Some(cut);
        state.then_down = true;
    }

    /// How often it was cut at such a moment.
    pub fn cuts(&self) -> usize {
        self.wire.state().cuts
    }

    /// Cuts every connection now, and lets none through until [`up`](Self::up).
    pub fn down(&self) {
        let mut state = self.wire.state();
        state.down = true;
        state.cut();
    }

    /// Lets connections through again.
    pub fn up(&self) {
        self.wire.state().down = false;
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.down();
        self.wire.state().ended = true;
        // Wakes the thread that accepts.
        let _ = UnixStream::connect(self.folder.join(SOCKET));
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Proxy").field(&self.folder).finish()
    }
}

/// What PostgreSQL calls its socket on its usual port.
const SOCKET: &str = ".s.PGSQL.5432";

impl Wire {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn connect(self: Arc<Self>, near: UnixStream) -> io::Result<()> {
        // Whoever is turned away is not to fill the server's queue, where others of the same cluster wait.
        if self.state().down {
            return Ok(());
        }
        let far = UnixStream::connect(&self.target)?;
        {
            let mut state = self.state();
            if state.down {
                return Ok(());
            }
            state.open.push(near.try_clone()?);
            state.open.push(far.try_clone()?);
        }
        let ends = [
            (near.try_clone()?, far.try_clone()?, Way::There),
            (far, near, Way::Back),
        ];
        for (from, to, way) in ends {
            let wire = Arc::clone(&self);
            thread::spawn(move || {
                // The end of one direction is the end of both.
                let _ = wire.carry(&from, &to, way);
                let _ = from.shutdown(Shutdown::Both);
                let _ = to.shutdown(Shutdown::Both);
            });
        }
        Ok(())
    }

    fn carry(&self, mut from: &UnixStream, mut to: &UnixStream, way: Way) -> io::Result<()> {
        let mut buffer = vec![0; 64 << 10];
        loop {
            let read = from.read(&mut buffer)?;
            let bytes = buffer.get(..read).unwrap_or_default();
            if bytes.is_empty() {
                return Ok(());
            }
            {
                let mut state = self.state();
                if state.armed.is_some_and(|cut| is_made(cut, way, bytes)) {
                    state.armed = None;
                    state.cuts += 1;
                    state.down |= std::mem::take(&mut state.then_down);
                    state.cut();
                    return Ok(());
                }
            }
            to.write_all(bytes)?;
        }
    }
}

impl State {
    fn cut(&mut self) {
        for stream in self.open.drain(..) {
            // It may have ended by itself.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    There,
    Back,
}

/// Whether the cut is made where these bytes pass: they hold the query `COMMIT` (message `Q`), or the tag of the answer
/// (message `C`, its length, the tag).
fn is_made(cut: Cut, way: Way, bytes: &[u8]) -> bool {
    let holds = |message: &[u8]| bytes.windows(message.len()).any(|at| at == message);
    match (cut, way) {
        (Cut::BeforeCommit, Way::There) => holds(b"Q\0\0\0\x0bCOMMIT\0"),
        (Cut::AfterCommit, Way::Back) => holds(b"C\0\0\0\x0bCOMMIT\0"),
        (Cut::AfterUpdate, Way::Back) => bytes
            .windows(12)
            .any(|at| at.starts_with(b"C\0\0\0") && at.ends_with(b"UPDATE ")),
        _ => false,
    }
}
