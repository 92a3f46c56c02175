//! How much is done at once. What is past that is told so immediately, with a time to come back; nothing waits in a
//! queue that nobody bounds.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::Web;
use crate::problem::Problem;

/// Requests that are worked on at once. Each holds at most a body of 64 KiB and a page, so that all of them fit into
/// 128 MiB; at 5 ms a page, a request that is let in last is answered within two seconds on two processors.
pub const MOST_AT_ONCE: usize = 512;

/// Live streams in all: three quarters of the connections that the program's listener takes, so that the rest stay
/// free for questions.
pub const MOST_LISTENERS: usize = 3_072;

/// When to come back, in seconds.
const COME_BACK: u64 = 1;

/// What is being done now, and how much may be.
#[derive(Debug)]
pub struct Limits {
    working: Arc<Semaphore>,
    listeners: Mutex<Listeners>,
    most_listeners: usize,
}

/// Live streams, by who follows them.
#[derive(Debug, Default)]
struct Listeners {
    all: usize,
    by: BTreeMap<Listener, usize>,
}

/// Who follows a live stream.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Listener {
    /// Somebody on the staff, by account: the desk and the panel, each in some tabs.
    Staff(String),
    /// The customer of a case, by the case.
    Seat(String),
    /// A program, by its name in the configuration.
    Machine(String),
}

impl Listener {
    /// How many streams this one may have at once.
    fn most(&self) -> usize {
        match self {
            Self::Staff(_) => 24,
            Self::Seat(_) => 8,
            Self::Machine(_) => 512,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::of(MOST_AT_ONCE, MOST_LISTENERS)
    }
}

impl Limits {
    /// So many requests and so many streams.
    fn of(at_once: usize, most_listeners: usize) -> Self {
        Self {
            working: Arc::new(Semaphore::new(at_once)),
            listeners: Mutex::default(),
            most_listeners,
        }
    }

    /// A place for a request; `None` if all are taken.
    pub fn work(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.working).try_acquire_owned().ok()
    }

    /// How many live streams there are.
    pub fn listening(&self) -> usize {
        self.locked().all
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, Listeners> {
        self.listeners
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place among the live streams; given back when dropped.
#[derive(Debug)]
pub struct Listening {
    web: Web,
    who: Listener,
}

impl Listening {
    /// A place for one more stream.
    ///
    /// # Errors
    /// 503 with `Retry-After`: this one, or all together, follow as many as they may.
    pub fn begin(web: &Web, who: Listener) -> Result<Self, Problem> {
        let mut listeners = web.limits.locked();
        let theirs = listeners.by.get(&who).copied().unwrap_or(0);
        if listeners.all >= web.limits.most_listeners || theirs >= who.most() {
            return Err(overloaded());
        }
        listeners.all += 1;
        listeners.by.insert(who.clone(), theirs + 1);
        drop(listeners);
        Ok(Self {
            web: web.clone(),
            who,
        })
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let mut listeners = self.web.limits.locked();
        listeners.all = listeners.all.saturating_sub(1);
        if let Some(theirs) = listeners.by.get_mut(&self.who) {
            *theirs = theirs.saturating_sub(1);
            if *theirs == 0 {
                listeners.by.remove(&self.who);
            }
        }
    }
}

/// Lets a request in if there is a place for it, and answers at once if there is none. Whoever asks whether the
/// program lives is always let in: an overloaded gate that is started again is a gate that is down.
pub async fn admit(State(web): State<Web>, request: Request, next: Next) -> Response {
    if matches!(request.uri().path(), "/healthz" | "/readyz") {
        return next.run(request).await;
    }
    let Some(place) = web.limits.work() else {
        return overloaded().into_response();
    };
    let response = next.run(request).await;
    // What follows of a streamed answer is bounded by itself.
    drop(place);
    response
}

fn overloaded() -> Problem {
    Problem::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "overloaded",
        "Back in a moment",
    )
    .detail("nothing was changed; try again")
    .retry_after(COME_BACK)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_for_a_request_comes_back() {
        let limits = Limits::of(2, 1);
        let (one, two) = (limits.work(), limits.work());
        assert!(one.is_some() && two.is_some());
        assert!(limits.work().is_none());
        drop(one);
        assert!(limits.work().is_some());
    }

    #[test]
    fn an_overloaded_gate_says_when_to_come_back() {
        let response = overloaded().into_response();
        assert_eq!(response.status(), 503);
        assert_eq!(response.headers()["retry-after"], "1");
    }
}
