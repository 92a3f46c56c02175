//! The checked procedure: what every other part of the program works on.
//!
//! A [`Procedure`] is made only by a successful check of a [`crate::Tree`], so
//! every index in it is in range and every name is resolved. Nothing here
//! knows about text, files or time.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Byte range in the source text; `start <= end`. Empty and zero for nodes read from JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub u32);
        impl $name {
            /// Position in the procedure's list of these.
            pub fn index(self) -> usize { self.0 as usize }
        }
    )+};
}

ids! {
    /// Index into [`Procedure::roles`].
    RoleId,
    /// Index into [`Procedure::holdings`].
    HoldingId,
    /// Index into [`Procedure::proofs`].
    ProofId,
    /// Index into [`Procedure::losses`].
    LossId,
    /// Index into [`Procedure::actions`].
    ActionId,
    /// Index into [`Action::paths`].
    PathId,
}

/// A list that does not change and that many places of a procedure have in common, kept once:
/// every channel, every role. Reads like a slice; a copy costs nothing.
#[derive(PartialEq, Eq)]
pub struct Shared<T>(Arc<[T]>);

impl<T> Shared<T> {
    /// Whether both are the one list in memory: a quick yes, while a no says nothing.
    pub fn is_the_same_as(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl<T> Deref for Shared<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Default for Shared<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T: fmt::Debug> fmt::Debug for Shared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<T> From<Vec<T>> for Shared<T> {
    fn from(items: Vec<T>) -> Self {
        Self(items.into())
    }
}

impl<T: Clone> From<&[T]> for Shared<T> {
    fn from(items: &[T]) -> Self {
        Self(items.into())
    }
}

impl<T> FromIterator<T> for Shared<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        Self(items.into_iter().collect())
    }
}

impl<'s, T> IntoIterator for &'s Shared<T> {
    type Item = &'s T;
    type IntoIter = std::slice::Iter<'s, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

/// One whole procedure file, resolved and checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Procedure {
    /// The company's name, as customers read it.
    pub organisation: String,
    /// Staff roles, in file order.
    pub roles: Vec<Role>,
    /// Secrets, channels, devices and states, in file order.
    pub holdings: Vec<Holding>,
    /// Proofs: for each secret and state the one that is itself, then the declared ones, each in
    /// file order. So the numbers do not depend on how declarations of different kinds are mixed.
    pub proofs: Vec<Proof>,
    /// Losses, in file order.
    pub losses: Vec<Loss>,
    /// Actions, in file order, outside ones included.
    pub actions: Vec<Action>,
    /// Promises, in file order.
    pub promises: Vec<Promise>,
    /// Drills, in file order.
    pub drills: Vec<Drill>,
    /// SHA-256 of the canonical JSON twin: the version a case is opened under.
    pub version: Version,
}

/// SHA-256 of a procedure's canonical JSON twin (RFC 8785). Comments and layout do not change it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(pub [u8; 32]);

impl fmt::Display for Version {
    /// Lower-case hexadecimal, 64 characters.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A staff role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// Name in the file.
    pub name: String,
    /// What people read.
    pub label: String,
    /// Every role this one includes, transitively, without itself, ascending.
    pub includes: Vec<RoleId>,
    /// Where it is declared.
    pub span: Span,
}

/// What a customer has and a thief may get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holding {
    /// Name in the file.
    pub name: String,
    /// What people read.
    pub label: String,
    /// Secret, channel, device or state.
    pub kind: HoldingKind,
    /// How it is shown, for a secret or state that is its own proof.
    pub using: Option<Method>,
    /// Who may read it without stealing it.
    pub exposure: Exposure,
    /// Where it is declared.
    pub span: Span,
}

/// The four kinds of holding; a state can only be reached through an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HoldingKind {
    /// Can be stolen.
    Secret,
    /// Can be hijacked; receives notices.
    Channel,
    /// Can be taken.
    Device,
    /// Can only be reached through an action.
    State,
}

/// Who may read a holding without stealing it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Exposure {
    /// Nobody.
    Hidden,
    /// Costs a thief nothing.
    Public,
    /// A deceived person of this role (or of one that includes it) reads it out.
    VisibleTo(RoleId),
}

/// The ways a proof is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// Asked of the company's own endpoint, never stored.
    Password,
    /// Argon2id hash at the gate.
    Pin,
    /// RFC 6238.
    Totp,
    /// WebAuthn assertion over the case's digest.
    Passkey,
    /// One-time code by mail.
    Mail,
    /// One-time code by text message.
    Text,
    /// OpenID Connect code flow at the company's provider.
    Oidc,
    /// OpenID CIBA push.
    Ciba,
    /// Asked of an HTTP endpoint.
    Webhook,
    /// The company's own panel says so when it opens the case for its signed-in customer.
    Panel,
}

/// A way to show a holding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// Name in the file; for an implied proof the holding's own.
    pub name: String,
    /// What people read.
    pub label: String,
    /// The holding it shows.
    pub shows: HoldingId,
    /// How it is made; `None` for a proof about the world only, which nobody can make at the gate.
    pub using: Option<Method>,
    /// True where a secret or state is its own proof.
    pub implied: bool,
    /// Where it (or its holding) is declared.
    pub span: Span,
}

/// What must never happen to an honest customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    /// Name in the file.
    pub name: String,
    /// What people read.
    pub label: String,
    /// Where it is declared.
    pub span: Span,
}

/// An operation on one customer's account, and the ways to earn it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    /// Name in the file, dots included.
    pub name: String,
    /// What people read.
    pub label: String,
    /// True for what happens outside the gate: for the proofs only, never run.
    pub outside: bool,
    /// Parameters, in file order.
    pub parameters: Vec<Parameter>,
    /// The sentence people see and sign.
    pub says: Vec<SentencePart>,
    /// Who may open a case for it.
    pub opened_by: Openers,
    /// What it does, in file order.
    pub effects: Vec<Effect>,
    /// The connector that runs it.
    pub runs: Option<String>,
    /// How long a case for it stays open.
    pub expires: Duration,
    /// The alternative ways to earn it, in file order; never empty.
    pub paths: Vec<Path>,
    /// Where it is declared.
    pub span: Span,
}

/// A parameter of an action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Name in the file.
    pub name: String,
    /// What people read.
    pub label: String,
    /// Where it is declared.
    pub span: Span,
}

/// A piece of the sentence people sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SentencePart {
    /// Fixed words.
    Text(String),
    /// The value of the parameter at this index of [`Action::parameters`].
    Parameter(u32),
}

/// Who may open a case. Where the file does not say: the customer and every role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Openers {
    /// The customer may.
    pub customer: bool,
    /// Staff of these roles, or of roles that include them, may.
    pub roles: Shared<RoleId>,
}

/// What an action does, with where it is said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effect {
    /// What it does.
    pub kind: EffectKind,
    /// Where it is said.
    pub span: Span,
}

/// What an action does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EffectKind {
    /// Whoever asks now holds it.
    Gives(HoldingId),
    /// Whoever asks chooses the new one.
    Changes(HoldingId),
    /// Whoever holds the channel `to` now holds `what`.
    Sends {
        /// What is sent.
        what: HoldingId,
        /// The channel it goes to.
        to: HoldingId,
    },
    /// The customer suffers the loss.
    Loses(LossId),
}

/// One of the alternative ways to earn an action; all its lines must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    /// Name in the file.
    pub name: String,
    /// Requirements, in file order. Empty only for outside actions.
    pub lines: Vec<Line>,
    /// Where it is declared.
    pub span: Span,
}

/// One requirement, with where it stands in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What is required.
    pub requirement: Requirement,
    /// Where it stands.
    pub span: Span,
}

/// One line of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Requirement {
    /// `prove EXPR`
    Prove(Expr),
    /// `ROLE confirms STRING`: the opener's word.
    Confirms {
        /// Role the opener must have or include.
        role: RoleId,
        /// What they vouch for.
        text: String,
    },
    /// `sign-off N ROLE`: people other than the opener, all different.
    SignOff {
        /// How many people.
        count: u32,
        /// Role each must have or include.
        role: RoleId,
    },
    /// `notify every channel | H, …`; resolved to the channels named, `every` kept for the words.
    /// Every path of an action that changes a holding has one for every channel, at the place of its
    /// `changes` where the path does not say so itself.
    Notify {
        /// The file says `every channel`.
        every: bool,
        /// The channels, ascending.
        channels: Shared<HoldingId>,
    },
    /// `wait DURATION`
    Wait(Duration),
    /// `backup [verified|restored] within DURATION [in N places]`
    Backup {
        /// The least grade that counts.
        grade: BackupGrade,
        /// How old an attestation may be.
        within: Duration,
        /// In how many different places.
        places: u32,
    },
    /// `when SUBJECT OP VALUE`
    When {
        /// What is compared.
        subject: Subject,
        /// How.
        comparison: Comparison,
        /// With what.
        value: Value,
    },
    /// `at most N per DURATION per customer|staff`
    AtMost {
        /// How many runs.
        count: u32,
        /// In how long a sliding window.
        per: Duration,
        /// Counted over what.
        scope: Scope,
    },
}

/// What the customer must prove.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expr {
    /// One proof, perhaps of a holding that must not have changed lately.
    Atom {
        /// The proof.
        proof: ProofId,
        /// The holding must have been unchanged this long.
        settled: Option<Duration>,
        /// Where it stands.
        span: Span,
    },
    /// All of them; at least two.
    And(Vec<Expr>),
    /// Any of them; at least two.
    Or(Vec<Expr>),
    /// `n` of them; `1 <= n <= of.len()`.
    NOf {
        /// How many.
        n: u32,
        /// Of which.
        of: Vec<Expr>,
    },
}

/// The three grades of backup attestation, weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BackupGrade {
    /// It exists.
    Exists,
    /// Its stored bytes were read back.
    Verified,
    /// It was restored elsewhere and compared.
    Restored,
}

/// What a `when` line compares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// The parameter at this index of [`Action::parameters`].
    Parameter(u32),
    /// `customer.ATTRIBUTE`
    Attribute(String),
}

/// `is | is not | < | <= | > | >=`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Comparison {
    /// `is`
    #[serde(rename = "is")]
    Is,
    /// `is not`
    #[serde(rename = "is not")]
    IsNot,
    /// `<`
    #[serde(rename = "<")]
    Less,
    /// `<=`
    #[serde(rename = "<=")]
    AtMost,
    /// `>`
    #[serde(rename = ">")]
    More,
    /// `>=`
    #[serde(rename = ">=")]
    AtLeast,
}

/// A literal in a `when` line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A decimal number, in millionths (at most six decimal places).
    Number(i64),
    /// Quoted words.
    Text(String),
}

/// Over what an `at most` line counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Runs of this action for this customer.
    Customer,
    /// Runs of this action opened by this person.
    Staff,
}

/// A length of time as written: `30m`, `24h`, `7d`. `24h` and `1d` are equally long but differently written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Duration {
    /// How many of the unit; at least 1.
    pub count: u32,
    /// The unit.
    pub unit: Unit,
}

/// Unit of a [`Duration`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unit {
    /// `m`
    Minute,
    /// `h`
    Hour,
    /// `d`
    Day,
}

impl Duration {
    /// `expires` where the file does not say: 48h.
    pub const DEFAULT_EXPIRES: Self = Self {
        count: 48,
        unit: Unit::Hour,
    };

    /// Length in seconds.
    pub fn seconds(self) -> u64 {
        u64::from(self.count)
            * match self.unit {
                Unit::Minute => 60,
                Unit::Hour => 3_600,
                Unit::Day => 86_400,
            }
    }
}

impl fmt::Display for Duration {
    /// As in the file: `24h`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.unit {
            Unit::Minute => 'm',
            Unit::Hour => 'h',
            Unit::Day => 'd',
        };
        write!(f, "{}{unit}", self.count)
    }
}

/// A planted case that a careful colleague refuses: what is played, whom it asks, and how often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drill {
    /// What the planted case asks for.
    pub action: ActionId,
    /// Names of the scenarios, each one of [`crate::SCENARIOS`].
    pub plays: Vec<String>,
    /// Whose answers count.
    pub asks: Vec<RoleId>,
    /// How often on the average; in days.
    pub every: Duration,
    /// Where it is declared.
    pub span: Span,
}

/// A claim about the procedure that is proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Promise {
    /// The claim in words.
    pub text: String,
    /// The claim itself.
    pub claim: Claim,
    /// Where it is declared.
    pub span: Span,
}

/// What a promise claims.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// No set of compromises within the budget makes any target derivable.
    Never {
        /// The budget; empty means nothing at all is compromised.
        even_if: Vec<Assumption>,
        /// What must not become derivable; at least one.
        targets: Vec<Target>,
    },
    /// An honest customer without these holdings still reaches the action.
    Always {
        /// Holdings the customer has lost.
        without: Vec<HoldingId>,
        /// The action.
        action: ActionId,
        /// Within how long, waits added up.
        within: Option<Duration>,
    },
}

/// What a `never` promise is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// A loss.
    Loss(LossId),
    /// An action.
    Action(ActionId),
}

/// One part of a promise's budget.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Assumption {
    /// `N secrets stolen | N channels hijacked | N devices taken`; the kind is never `State`.
    AnyOfKind {
        /// How many.
        count: u32,
        /// Of which kind.
        kind: HoldingKind,
    },
    /// `HOLDING stolen | hijacked | taken`
    Holding(HoldingId),
    /// `N ROLE deceived`
    Deceived {
        /// How many people of exactly this role.
        count: u32,
        /// The role.
        role: RoleId,
    },
    /// `any ROLE deceived`: as many people of exactly this role as one likes.
    AnyDeceived(RoleId),
    /// `notices unread`
    NoticesUnread,
}

impl Procedure {
    /// The action of that name, if there is one.
    pub fn action_named(&self, name: &str) -> Option<ActionId> {
        position(&self.actions, |action| action.name == name).map(ActionId)
    }

    /// The proof of that name, if there is one.
    pub fn proof_named(&self, name: &str) -> Option<ProofId> {
        position(&self.proofs, |proof| proof.name == name).map(ProofId)
    }

    /// The holding of that name, if there is one.
    pub fn holding_named(&self, name: &str) -> Option<HoldingId> {
        position(&self.holdings, |holding| holding.name == name).map(HoldingId)
    }

    /// The role of that name, if there is one.
    pub fn role_named(&self, name: &str) -> Option<RoleId> {
        position(&self.roles, |role| role.name == name).map(RoleId)
    }

    /// The loss of that name, if there is one.
    pub fn loss_named(&self, name: &str) -> Option<LossId> {
        position(&self.losses, |loss| loss.name == name).map(LossId)
    }

    /// Whether a person of role `has` may act as `wanted`.
    pub fn role_covers(&self, has: RoleId, wanted: RoleId) -> bool {
        has == wanted
            || self
                .roles
                .get(has.index())
                .is_some_and(|role| role.includes.binary_search(&wanted).is_ok())
    }
}

fn position<T>(items: &[T], is: impl Fn(&T) -> bool) -> Option<u32> {
    items
        .iter()
        .position(is)
        .and_then(|at| u32::try_from(at).ok())
}

impl Procedure {
    /// The same with every span empty and zero, as it is when read from JSON: for
    /// comparing what procedures say, wherever they say it.
    #[must_use]
    pub fn without_spans(mut self) -> Self {
        let none = Span::default;
        self.roles.iter_mut().for_each(|role| role.span = none());
        self.holdings
            .iter_mut()
            .for_each(|holding| holding.span = none());
        self.proofs.iter_mut().for_each(|proof| proof.span = none());
        self.losses.iter_mut().for_each(|loss| loss.span = none());
        self.promises
            .iter_mut()
            .for_each(|promise| promise.span = none());
        self.drills.iter_mut().for_each(|drill| drill.span = none());
        for action in &mut self.actions {
            action.span = none();
            action
                .parameters
                .iter_mut()
                .for_each(|parameter| parameter.span = none());
            action
                .effects
                .iter_mut()
                .for_each(|effect| effect.span = none());
            for path in &mut action.paths {
                path.span = none();
                for line in &mut path.lines {
                    line.span = none();
                    if let Requirement::Prove(expression) = &mut line.requirement {
                        expression.forget_spans();
                    }
                }
            }
        }
        self
    }
}

impl Expr {
    fn forget_spans(&mut self) {
        match self {
            Self::Atom { span, .. } => *span = Span::default(),
            Self::And(parts) | Self::Or(parts) | Self::NOf { of: parts, .. } => {
                parts.iter_mut().for_each(Self::forget_spans);
            }
        }
    }
}
