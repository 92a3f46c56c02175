//! Passwords and PINs: kept in memory redacted, stored as Argon2id hashes.
//!
//! Hashing is slow on purpose, so it runs on a bounded number of blocking
//! threads with a bounded queue before them; past that the answer is
//! [`SecretError::Busy`], never an unbounded heap of memory. One customer has
//! few of these places, so that a flood of guesses at one PIN leaves the rest
//! to the others. A customer who does not exist costs exactly as much as one
//! who does.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use argon2::{
    Algorithm, Argon2, Params, PasswordHash, PasswordHasher as _, PasswordVerifier as _, Version,
};
use tokio::sync::Semaphore;

use super::dice::{Dice, random_bytes};

/// Something that must not be seen: redacted in debug text, overwritten when dropped, never serialised.
#[derive(Clone)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// Takes it over.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into().into_bytes())
    }

    /// Takes over bytes that need not be text.
    pub const fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes, for the one place that uses them.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// The text; empty if it is not UTF-8, which [`Secret::new`] excludes.
    pub fn expose_text(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.fill(0);
        // Keeps the compiler from leaving out a write that nobody reads.
        std::hint::black_box(&self.0);
    }
}

impl<'de> serde::Deserialize<'de> for Secret {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

/// How much work one hash is. Deliberately not readable from any configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HashCost {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

impl HashCost {
    /// OWASP's recommendation for Argon2id: 19 MiB, 2 passes, 1 lane.
    pub const STANDARD: Self = Self {
        memory_kib: 19_456,
        passes: 2,
        lanes: 1,
    };

    /// Worthless against guessing, and fast. For tests only: nothing but code that calls this by name can get it.
    pub const fn cheap_for_tests() -> Self {
        Self {
            memory_kib: 8,
            passes: 1,
            lanes: 1,
        }
    }
}

/// How many hashes run and wait at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HashLimits {
    /// Hashes running at once; each takes 19 MiB.
    pub running: usize,
    /// Callers waiting beyond those.
    pub waiting: usize,
    /// How many of these places, running or waiting, secrets of one customer may hold.
    pub each: usize,
    /// The longest one waits.
    pub patience: Duration,
}

impl Default for HashLimits {
    fn default() -> Self {
        Self {
            running: 2,
            waiting: 64,
            each: 2,
            patience: Duration::from_secs(5),
        }
    }
}

/// Hashes and verifies secrets. Cheap to clone; clones share the limits.
#[derive(Clone)]
pub struct SecretHasher {
    shared: Arc<Shared>,
    /// On the caller's own thread.
    in_place: bool,
}

struct Shared {
    cost: HashCost,
    pepper: Option<Secret>,
    limits: HashLimits,
    running: Arc<Semaphore>,
    admitted: Arc<Semaphore>,
    /// Places held now, by whose secret it is.
    held: Mutex<BTreeMap<String, usize>>,
    /// Verified against when there is nothing to verify against.
    dummy: String,
    dice: Arc<dyn Dice>,
}

/// Why a secret was neither accepted nor refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// Too many at once: ask again later.
    #[error("too many secrets are being checked")]
    Busy,
    /// Longer than [`MAX_SECRET_BYTES`].
    #[error("the secret is too long")]
    TooLong,
    /// The stored hash cannot be read, or asks for more work than anything this program ever stored.
    #[error("the stored hash is not valid")]
    BadHash,
    /// Argon2 itself failed, for want of memory.
    #[error("the secret could not be hashed")]
    Failed,
}

/// The longest secret hashed, in bytes. NIST SP 800-63B asks for at least 64 characters.
pub const MAX_SECRET_BYTES: usize = 1024;

/// Bounds on what a stored hash may ask for, so that a planted one cannot stall the gate.
const MAX_STORED_MEMORY_KIB: u32 = 256 * 1024;
const MAX_STORED_PASSES: u32 = 16;
const MAX_STORED_LANES: u32 = 8;

impl SecretHasher {
    /// Whether hashes need a key that is kept elsewhere: one that was made without it never matches here.
    pub fn is_peppered(&self) -> bool {
        self.shared.pepper.is_some()
    }

    /// With [`HashCost::STANDARD`]. The pepper, if any, is a key kept outside the database: without it the hashes cannot be tried.
    ///
    /// # Errors
    /// [`SecretError::Failed`] if Argon2 cannot run at all, for want of memory or with a pepper longer than it takes.
    pub fn new(
        pepper: Option<Secret>,
        limits: HashLimits,
        dice: Arc<dyn Dice>,
    ) -> Result<Self, SecretError> {
        Self::with_cost(HashCost::STANDARD, pepper, limits, dice)
    }

    /// With another cost.
    ///
    /// # Errors
    /// As [`SecretHasher::new`].
    pub fn with_cost(
        cost: HashCost,
        pepper: Option<Secret>,
        limits: HashLimits,
        dice: Arc<dyn Dice>,
    ) -> Result<Self, SecretError> {
        let dummy = hash_now(
            cost,
            pepper.as_ref(),
            &random_bytes::<32>(&*dice),
            random_bytes(&*dice),
        )?;
        let running = limits.running.max(1);
        let admitted = running
            .saturating_add(limits.waiting)
            .min(Semaphore::MAX_PERMITS);
        Ok(Self {
            shared: Arc::new(Shared {
                cost,
                pepper,
                limits,
                running: Arc::new(Semaphore::new(running)),
                admitted: Arc::new(Semaphore::new(admitted)),
                held: Mutex::default(),
                dummy,
                dice,
            }),
            in_place: false,
        })
    }

    /// The same on the caller's own thread, without a pool or a clock of its own: for the simulator, where nothing may
    /// happen beside the one thread whose order the seed decides. A server would stand still meanwhile.
    #[must_use]
    pub fn in_place(self) -> Self {
        Self {
            in_place: true,
            ..self
        }
    }

    /// Hashes a secret of `whom`, a customer, for storage, as a PHC string.
    ///
    /// # Errors
    /// [`SecretError`] if it was not hashed.
    pub async fn hash(&self, whom: &str, secret: &Secret) -> Result<String, SecretError> {
        let secret = bounded(secret)?;
        let salt = random_bytes(&*self.shared.dice);
        self.run(whom, move |shared| {
            hash_now(shared.cost, shared.pepper.as_ref(), secret.expose(), salt)
        })
        .await
    }

    /// Whether this is the secret of `whom`, a customer, behind the stored PHC string.
    ///
    /// Pass `None` where there is no such customer or no secret: it costs the same and is always false.
    ///
    /// # Errors
    /// [`SecretError`] if it was not found out; never to be taken for a wrong answer.
    pub async fn verify(
        &self,
        whom: &str,
        secret: &Secret,
        stored: Option<&str>,
    ) -> Result<bool, SecretError> {
        let secret = bounded(secret)?;
        let stored = stored.map(str::to_owned);
        self.run(whom, move |shared| {
            let known = stored.is_some();
            let matches = verify_now(
                shared.pepper.as_ref(),
                secret.expose(),
                stored.as_ref().unwrap_or(&shared.dummy),
            )?;
            Ok(matches && known)
        })
        .await
    }

    /// Whether a stored hash has another cost than new ones, so that the secret should be hashed again when next seen.
    pub fn is_outdated(&self, stored: &str) -> bool {
        let cost = self.shared.cost;
        PasswordHash::new(stored)
            .ok()
            .and_then(|hash| Params::try_from(&hash).ok())
            .is_none_or(|p| {
                (p.m_cost(), p.t_cost(), p.p_cost()) != (cost.memory_kib, cost.passes, cost.lanes)
            })
    }

    /// Callers that hold a place now: running, and waiting for their turn.
    pub fn load(&self) -> (usize, usize) {
        let shared = &self.shared;
        let running = shared.limits.running.max(1) - shared.running.available_permits();
        let places = shared.limits.running.max(1) + shared.limits.waiting;
        let admitted = places.saturating_sub(shared.admitted.available_permits());
        (running, admitted.saturating_sub(running))
    }

    async fn run<T: Send + 'static>(
        &self,
        whom: &str,
        work: impl FnOnce(&Shared) -> Result<T, SecretError> + Send + 'static,
    ) -> Result<T, SecretError> {
        if self.in_place {
            return work(&self.shared);
        }
        let place = Place::take(&self.shared, whom)?;
        let admitted = Arc::clone(&self.shared.admitted)
            .try_acquire_owned()
            .map_err(|_| SecretError::Busy)?;
        let turn = tokio::time::timeout(
            self.shared.limits.patience,
            Arc::clone(&self.shared.running).acquire_owned(),
        );
        let turn = turn
            .await
            .map_err(|_| SecretError::Busy)?
            .map_err(|_| SecretError::Busy)?;
        let shared = Arc::clone(&self.shared);
        let result = tokio::task::spawn_blocking(move || {
            // Held until the work is really over, even if nobody waits for it any more.
            let _held = (place, admitted, turn);
            work(&shared)
        });
        result.await.unwrap_or(Err(SecretError::Failed))
    }
}

/// One of the few places that secrets of one customer may hold.
struct Place {
    shared: Arc<Shared>,
    whom: String,
}

impl Place {
    fn take(shared: &Arc<Shared>, whom: &str) -> Result<Self, SecretError> {
        let mut held = shared.held.lock().unwrap_or_else(PoisonError::into_inner);
        let places = held.entry(whom.to_owned()).or_default();
        if *places >= shared.limits.each.max(1) {
            return Err(SecretError::Busy);
        }
        *places += 1;
        Ok(Self {
            shared: Arc::clone(shared),
            whom: whom.to_owned(),
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let held = &self.shared.held;
        let mut held = held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(places) = held.get_mut(&self.whom) {
            *places -= 1;
            if *places == 0 {
                held.remove(&self.whom);
            }
        }
    }
}

impl fmt::Debug for SecretHasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretHasher")
            .field("cost", &self.shared.cost)
            .field("peppered", &self.shared.pepper.is_some())
            .field("limits", &self.shared.limits)
            .finish_non_exhaustive()
    }
}

fn bounded(secret: &Secret) -> Result<Secret, SecretError> {
    if secret.expose().len() > MAX_SECRET_BYTES {
        Err(SecretError::TooLong)
    } else {
        Ok(secret.clone())
    }
}

fn hash_now(
    cost: HashCost,
    pepper: Option<&Secret>,
    secret: &[u8],
    salt: [u8; 16],
) -> Result<String, SecretError> {
    let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, None)
        .map_err(|_| SecretError::Failed)?;
    let hash = argon2(pepper, params)?
        .hash_password_with_salt(secret, &salt)
        .map_err(|_| SecretError::Failed)?;
    Ok(hash.to_string())
}

fn verify_now(pepper: Option<&Secret>, secret: &[u8], stored: &str) -> Result<bool, SecretError> {
    let hash = PasswordHash::new(stored).map_err(|_| SecretError::BadHash)?;
    if hash.algorithm.as_str() != "argon2id" || hash.hash.is_none() {
        return Err(SecretError::BadHash);
    }
    let params = Params::try_from(&hash).map_err(|_| SecretError::BadHash)?;
    if params.m_cost() > MAX_STORED_MEMORY_KIB
        || params.t_cost() > MAX_STORED_PASSES
        || params.p_cost() > MAX_STORED_LANES
    {
        return Err(SecretError::BadHash);
    }
    match argon2(pepper, params)?.verify_password(secret, &hash) {
        Ok(()) => Ok(true),
        Err(argon2::password_hash::Error::PasswordInvalid) => Ok(false),
        Err(_) => Err(SecretError::Failed),
    }
}

fn argon2(pepper: Option<&Secret>, params: Params) -> Result<Argon2<'_>, SecretError> {
    match pepper {
        Some(pepper) => {
            Argon2::new_with_secret(pepper.expose(), Algorithm::Argon2id, Version::V0x13, params)
                .map_err(|_| SecretError::Failed)
        }
        None => Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapters::dice::SeededDice;

    fn hasher(pepper: Option<&str>, limits: HashLimits) -> SecretHasher {
        SecretHasher::with_cost(
            HashCost::cheap_for_tests(),
            pepper.map(Secret::new),
            limits,
            Arc::new(SeededDice::new(1)),
        )
        .unwrap()
    }

    #[tokio::test]
    async fn the_right_secret_is_accepted_and_no_other() {
        let hasher = hasher(None, HashLimits::default());
        let stored = hasher.hash("c-1", &Secret::new("4711")).await.unwrap();
        assert!(
            stored.starts_with("$argon2id$v=19$m=8,t=1,p=1$"),
            "{stored}"
        );
        assert_eq!(
            hasher
                .verify("c-1", &Secret::new("4711"), Some(&stored))
                .await,
            Ok(true)
        );
        for wrong in ["4712", "", "47110", " 4711"] {
            assert_eq!(
                hasher
                    .verify("c-1", &Secret::new(wrong), Some(&stored))
                    .await,
                Ok(false),
                "{wrong}"
            );
        }
        assert_ne!(
            hasher.hash("c-1", &Secret::new("4711")).await.unwrap(),
            stored,
            "salted"
        );
    }

    #[tokio::test]
    async fn the_standard_cost_is_the_recommended_one() {
        let hasher =
            SecretHasher::new(None, HashLimits::default(), Arc::new(SeededDice::new(2))).unwrap();
        let stored = hasher
            .hash("c-1", &Secret::new("correct horse"))
            .await
            .unwrap();
        assert!(
            stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{stored}"
        );
        assert_eq!(
            hasher
                .verify("c-1", &Secret::new("correct horse"), Some(&stored))
                .await,
            Ok(true)
        );
        assert!(!hasher.is_outdated(&stored));
        assert!(
            hasher.is_outdated(
                &super::tests::hasher(None, HashLimits::default())
                    .shared
                    .dummy
            )
        );
    }

    /// Nobody's secret is verified against a hash of the same cost as everybody's, and is never right.
    #[tokio::test]
    async fn an_unknown_customer_costs_the_same_and_is_never_right() {
        let hasher = hasher(None, HashLimits::default());
        assert_eq!(
            hasher.verify("c-1", &Secret::new("4711"), None).await,
            Ok(false)
        );
        // Not even the random secret behind the hash that stands in, which these dice let us know.
        let stand_in = random_bytes::<32>(&SeededDice::new(1)).to_vec();
        let dummy = hasher.shared.dummy.clone();
        let stand_in = Secret::from_bytes(stand_in);
        assert_eq!(
            hasher.verify("c-1", &stand_in, Some(&dummy)).await,
            Ok(true)
        );
        assert_eq!(hasher.verify("c-1", &stand_in, None).await, Ok(false));
        let stored = hasher.hash("c-1", &Secret::new("4711")).await.unwrap();
        let cost_of = |phc: &str| Params::try_from(&PasswordHash::new(phc).unwrap()).unwrap();
        let (dummy, real) = (cost_of(&hasher.shared.dummy), cost_of(&stored));
        assert_eq!(
            (dummy.m_cost(), dummy.t_cost(), dummy.p_cost()),
            (real.m_cost(), real.t_cost(), real.p_cost())
        );
    }

    #[tokio::test]
    async fn a_hash_is_worthless_without_the_pepper() {
        let peppered = hasher(Some("sea salt and pepper"), HashLimits::default());
        let stored = peppered.hash("c-1", &Secret::new("4711")).await.unwrap();
        assert_eq!(
            peppered
                .verify("c-1", &Secret::new("4711"), Some(&stored))
                .await,
            Ok(true)
        );
        assert_eq!(
            hasher(None, HashLimits::default())
                .verify("c-1", &Secret::new("4711"), Some(&stored))
                .await,
            Ok(false)
        );
        assert_eq!(
            hasher(Some("other"), HashLimits::default())
                .verify("c-1", &Secret::new("4711"), Some(&stored))
                .await,
            Ok(false)
        );
    }

    #[tokio::test]
    async fn a_hash_that_is_broken_or_too_dear_is_an_error_and_not_a_wrong_answer() {
        let hasher = hasher(None, HashLimits::default());
        let salt_and_hash = "c2FsdHNhbHRzYWx0c2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        for stored in [
            String::new(),
            "plain".into(),
            "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHRzYWx0c2FsdA".into(),
            format!("$argon2i$v=19$m=8,t=1,p=1${salt_and_hash}"),
            format!("$argon2id$v=19$m=4194304,t=1,p=1${salt_and_hash}"),
            format!("$argon2id$v=19$m=8,t=1000000,p=1${salt_and_hash}"),
        ] {
            assert_eq!(
                hasher.verify("c-1", &Secret::new("x"), Some(&stored)).await,
                Err(SecretError::BadHash),
                "{stored}"
            );
        }
        assert_eq!(
            hasher
                .hash("c-1", &Secret::new("x".repeat(MAX_SECRET_BYTES + 1)))
                .await,
            Err(SecretError::TooLong)
        );
    }

    #[tokio::test]
    async fn a_full_queue_is_busy_at_once_and_recovers() {
        let hasher = hasher(
            None,
            HashLimits {
                running: 1,
                waiting: 1,
                each: 2,
                patience: Duration::from_mins(1),
            },
        );
        // Work that holds the only place until it is told to go on.
        let (release, released) = std::sync::mpsc::channel::<()>();
        let (started, has_started) = tokio::sync::oneshot::channel();
        let running = tokio::spawn({
            let hasher = hasher.clone();
            async move {
                hasher
                    .run("c-1", move |_| {
                        started.send(()).unwrap();
                        released.recv().unwrap();
                        Ok(())
                    })
                    .await
            }
        });
        has_started.await.unwrap();
        let waiting = tokio::spawn({
            let hasher = hasher.clone();
            async move { hasher.hash("c-2", &Secret::new("second")).await }
        });
        while hasher.shared.admitted.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(
            hasher.hash("c-3", &Secret::new("third")).await,
            Err(SecretError::Busy)
        );
        release.send(()).unwrap();
        running.await.unwrap().unwrap();
        assert!(waiting.await.unwrap().is_ok());
        assert!(hasher.hash("c-1", &Secret::new("fourth")).await.is_ok());
    }

    #[tokio::test]
    async fn one_customer_cannot_take_the_places_of_the_others() {
        let limits = HashLimits {
            running: 1,
            waiting: 8,
            each: 2,
            patience: Duration::from_mins(1),
        };
        let hasher = hasher(None, limits);
        // Somebody else's hash runs until it is told to end.
        let (release, released) = std::sync::mpsc::channel::<()>();
        let running = tokio::spawn({
            let hasher = hasher.clone();
            async move {
                let work = move |_: &Shared| released.recv().map_err(|_| SecretError::Failed);
                hasher.run("first", work).await
            }
        });
        while hasher.load() != (1, 0) {
            tokio::task::yield_now().await;
        }
        let guesses: Vec<_> = (0..2)
            .map(|_| {
                let hasher = hasher.clone();
                tokio::spawn(async move { hasher.hash("guessed", &Secret::new("1")).await })
            })
            .collect();
        while hasher.load().1 < 2 {
            tokio::task::yield_now().await;
        }
        for _ in 0..100 {
            let more = hasher.hash("guessed", &Secret::new("1")).await;
            assert_eq!(more, Err(SecretError::Busy));
        }
        assert_eq!(hasher.load(), (1, 2), "refused ones hold nothing");
        let other = tokio::spawn({
            let hasher = hasher.clone();
            async move { hasher.hash("other", &Secret::new("2")).await }
        });
        while hasher.load().1 < 3 {
            tokio::task::yield_now().await;
        }
        release.send(()).unwrap();
        running.await.unwrap().unwrap();
        assert!(other.await.unwrap().is_ok());
        for guess in guesses {
            assert!(guess.await.unwrap().is_ok());
        }
        // The places of work that is over come back.
        assert!(hasher.hash("guessed", &Secret::new("1")).await.is_ok());
        while hasher.load() != (0, 0) {
            tokio::task::yield_now().await;
        }
        assert!(hasher.shared.held.lock().unwrap().is_empty());
    }

    #[tokio::test]
    async fn patience_ends() {
        let hasher = hasher(
            None,
            HashLimits {
                running: 1,
                waiting: 1,
                each: 2,
                patience: Duration::from_millis(1),
            },
        );
        let held = Arc::clone(&hasher.shared.running)
            .acquire_owned()
            .await
            .unwrap();
        assert_eq!(
            hasher.hash("c-1", &Secret::new("x")).await,
            Err(SecretError::Busy)
        );
        drop(held);
        assert!(hasher.hash("c-1", &Secret::new("x")).await.is_ok());
    }

    #[test]
    fn a_secret_is_not_in_its_debug_text() {
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "Secret(…)");
        assert!(
            !format!("{:?}", hasher(Some("hunter2"), HashLimits::default())).contains("hunter2")
        );
    }
}
