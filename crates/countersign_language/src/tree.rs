//! The syntax tree: what a file says, by name, before anybody asks whether it makes sense.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::OnceLock;

use crate::model::{BackupGrade, Comparison, Duration, HoldingKind, Scope, Span};

/// A procedure file by name, with places and comments. Reading always produces one.
///
/// Where something is missing or mangled the tree has a gap, and
/// [`Tree::is_broken`] says so; a tree without gaps can be formatted.
#[derive(Debug, Default)]
pub struct Tree {
    pub(crate) words: Words,
    pub(crate) items: Vec<Item>,
    pub(crate) comments: Vec<Comment>,
    /// Whether the grammar was not followed somewhere.
    pub(crate) broken: bool,
}

impl Tree {
    /// True if the text did not follow the grammar, so that the tree does not hold all it says.
    pub fn is_broken(&self) -> bool {
        self.broken
    }

    /// The tree of a text that was not read at all.
    pub(crate) fn broken() -> Self {
        Self {
            broken: true,
            ..Self::default()
        }
    }

    pub(crate) fn text(&self, word: Word) -> &str {
        self.words.text(word)
    }
}

/// A name or quoted words, and where they stand.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Word {
    pub(crate) symbol: Symbol,
    pub(crate) span: Span,
}

impl Word {
    /// What stands where a word is missing.
    pub(crate) fn missing(at: u32) -> Self {
        Self {
            symbol: Symbol::MISSING,
            span: Span { start: at, end: at },
        }
    }

    pub(crate) fn is_missing(self) -> bool {
        self.symbol == Symbol::MISSING
    }
}

#[derive(Debug)]
pub(crate) struct Item {
    pub(crate) kind: ItemKind,
    pub(crate) span: Span,
    /// An empty line stands before it.
    pub(crate) blank_before: bool,
}

#[derive(Debug)]
pub(crate) enum ItemKind {
    Organisation {
        label: Word,
    },
    Staff {
        name: Word,
        label: Word,
        includes: Box<[Word]>,
    },
    Holding {
        kind: HoldingKind,
        name: Word,
        label: Word,
        using: Option<Word>,
        exposure: ExposureNode,
    },
    Proof {
        name: Word,
        label: Word,
        shows: Word,
        using: Word,
    },
    Loss {
        name: Word,
        label: Word,
    },
    Action(Box<ActionNode>),
    Promise(Box<PromiseNode>),
    Drill(Box<DrillNode>),
}

#[derive(Debug)]
pub(crate) struct DrillNode {
    pub(crate) action: Word,
    pub(crate) plays: Box<[Word]>,
    pub(crate) asks: Box<[Word]>,
    pub(crate) every: Duration,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum ExposureNode {
    Hidden,
    Public,
    VisibleTo(Word),
}

#[derive(Debug)]
pub(crate) struct ActionNode {
    pub(crate) outside: bool,
    pub(crate) name: Word,
    pub(crate) label: Word,
    /// The `{`.
    pub(crate) open: Span,
    /// The `}`.
    pub(crate) close: Span,
    pub(crate) clauses: Box<[Clause]>,
    /// Something inside could not be read.
    pub(crate) broken: bool,
}

#[derive(Debug)]
pub(crate) struct Clause {
    pub(crate) kind: ClauseKind,
    pub(crate) span: Span,
    pub(crate) blank_before: bool,
}

#[derive(Debug)]
pub(crate) enum ClauseKind {
    /// Name and label of each parameter.
    With(Box<[(Word, Word)]>),
    Says(Word),
    OpenedBy(Box<[Word]>),
    Gives(Word),
    Changes(Word),
    Sends {
        what: Word,
        to: Word,
    },
    Loses(Word),
    Runs(Word),
    Expires(Duration),
    Path(Box<PathNode>),
}

#[derive(Debug)]
pub(crate) struct PathNode {
    pub(crate) name: Word,
    pub(crate) open: Span,
    pub(crate) close: Span,
    pub(crate) lines: Box<[LineNode]>,
    /// The author began the first requirement on the line of the `{`.
    pub(crate) one_line: bool,
    pub(crate) broken: bool,
}

#[derive(Debug)]
pub(crate) struct LineNode {
    pub(crate) kind: LineKind,
    pub(crate) span: Span,
    pub(crate) blank_before: bool,
}

#[derive(Debug)]
pub(crate) enum LineKind {
    Prove(ExprNode),
    Confirms {
        role: Word,
        text: Word,
    },
    SignOff {
        count: Count,
        role: Word,
    },
    NotifyEvery,
    Notify(Box<[Word]>),
    Wait(Duration),
    Backup {
        grade: BackupGrade,
        within: Duration,
        places: Option<Count>,
    },
    When {
        subject: Word,
        comparison: Comparison,
        value: ValueNode,
    },
    AtMost {
        count: Count,
        per: Duration,
        scope: Scope,
    },
}

/// A whole number and where it stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Count {
    pub(crate) value: u32,
    pub(crate) span: Span,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum ValueNode {
    /// In millionths.
    Number(i64),
    Text(Word),
}

#[derive(Debug)]
pub(crate) enum ExprNode {
    Atom {
        proof: Word,
        settled: Option<Duration>,
        span: Span,
    },
    /// At least two, none of them an `And`.
    And(Box<[ExprNode]>),
    /// At least two, none of them an `Or`.
    Or(Box<[ExprNode]>),
    NOf {
        n: Count,
        of: Box<[ExprNode]>,
    },
    /// Could not be read.
    Missing,
}

#[derive(Debug)]
pub(crate) struct PromiseNode {
    pub(crate) text: Word,
    pub(crate) open: Span,
    pub(crate) close: Span,
    pub(crate) claim: ClaimNode,
}

#[derive(Debug)]
pub(crate) enum ClaimNode {
    Never {
        even_if: Box<[AssumptionNode]>,
        /// Of the words `even if …`; where there are none, of the start.
        even_span: Span,
        targets: Box<[Word]>,
        never_span: Span,
        /// An empty line stands between the two.
        blank_between: bool,
    },
    Always {
        without: Box<[Word]>,
        even_span: Span,
        action: Word,
        within: Option<Duration>,
        always_span: Span,
        blank_between: bool,
    },
    /// Could not be read.
    Missing,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct AssumptionNode {
    pub(crate) kind: AssumptionKind,
    pub(crate) span: Span,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum AssumptionKind {
    AnyOfKind { count: Count, kind: HoldingKind },
    Holding { holding: Word, verb: Verb },
    Deceived { count: Count, role: Word },
    AnyDeceived(Word),
    NoticesUnread,
}

/// How a holding is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Stolen,
    Hijacked,
    Taken,
}

impl Verb {
    pub(crate) fn of(kind: HoldingKind) -> Option<Self> {
        match kind {
            HoldingKind::Secret => Some(Self::Stolen),
            HoldingKind::Channel => Some(Self::Hijacked),
            HoldingKind::Device => Some(Self::Taken),
            HoldingKind::State => None,
        }
    }

    pub(crate) fn named(word: &str) -> Option<Self> {
        match word {
            "stolen" => Some(Self::Stolen),
            "hijacked" => Some(Self::Hijacked),
            "taken" => Some(Self::Taken),
            _ => None,
        }
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Stolen => "stolen",
            Self::Hijacked => "hijacked",
            Self::Taken => "taken",
        }
    }
}

#[derive(Debug)]
pub(crate) struct Comment {
    /// From the `#` to the end of its line, without trailing white space.
    pub(crate) text: Box<str>,
    pub(crate) span: Span,
    /// Nothing but white space stands before it on its line.
    pub(crate) own_line: bool,
    /// Where the token before it ends.
    pub(crate) follows: u32,
    pub(crate) blank_before: bool,
}

/// A word in the table of words; equal names have equal symbols.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Symbol(u32);

impl Symbol {
    pub(crate) const MISSING: Self = Self(0);

    /// The symbol at a place in a table by symbols.
    pub(crate) fn at(index: usize) -> Self {
        Self(u32::try_from(index).unwrap_or(0))
    }

    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// Every name of a tree once, and all quoted words, in one piece of memory, with a look-up of names by hash.
#[derive(Debug)]
pub(crate) struct Words {
    text: String,
    /// Where each word ends; it begins where the one before ends.
    ends: Vec<u32>,
    /// How many of them are names.
    names: usize,
    /// Open addressing, a power of two long: 0 for a free place, else the symbol and above it
    /// some bits of the hash, so that the words themselves need hardly be looked at. At most half full.
    slots: Vec<u32>,
    /// Every name in order, from the moment one was [`MOST_STEPS`] places from where its hash says. The hash has no key, so
    /// somebody can make names that all go to one place; reading them costs no more than a tree of them then.
    ordered: OnceLock<BTreeMap<Box<str>, Symbol>>,
}

/// Places looked at for one name, at most. In a table half full of names that nobody chose for it, one name in 10^10 is so
/// far from its place (linear probing: exp(-0.193 k)).
const MOST_STEPS: usize = 128;

/// More than [`MOST_STEPS`] places were looked at.
#[derive(Debug)]
struct TooFar;

/// More symbols than can be: a text is at most `read::LARGEST` bytes, and between two words
/// that differ is at least one byte that belongs to neither.
const SYMBOL_BITS: u32 = 26;
const SYMBOL: u32 = (1 << SYMBOL_BITS) - 1;

impl Default for Words {
    fn default() -> Self {
        Self::for_text_of(0)
    }
}

impl Words {
    /// With room for the words of a text of so many bytes, as such texts usually are.
    pub(crate) fn for_text_of(bytes: usize) -> Self {
        Self {
            text: String::new(),
            // Symbol 0 is the missing word.
            ends: vec![0],
            slots: vec![0; (bytes / 64).next_power_of_two().max(64)],
            names: 0,
            ordered: OnceLock::new(),
        }
    }

    pub(crate) fn text(&self, word: Word) -> &str {
        self.get(word.symbol)
    }

    pub(crate) fn get(&self, symbol: Symbol) -> &str {
        self.text.get(self.place(symbol)).unwrap_or("")
    }

    fn place(&self, symbol: Symbol) -> Range<usize> {
        let index = symbol.index();
        let start = index
            .checked_sub(1)
            .and_then(|before| self.ends.get(before))
            .copied()
            .unwrap_or(0);
        let end = self.ends.get(index).copied().unwrap_or(start);
        start as usize..end as usize
    }

    /// Keeps words that are never looked up.
    pub(crate) fn keep(&mut self, words: &str) -> Symbol {
        // INVARIANT: a text is at most `read::LARGEST` bytes, so both fit.
        let symbol = u32::try_from(self.ends.len()).unwrap_or(0) & SYMBOL;
        self.text.push_str(words);
        self.ends
            .push(u32::try_from(self.text.len()).unwrap_or(u32::MAX));
        Symbol(symbol)
    }

    /// Keeps a name, once.
    pub(crate) fn intern(&mut self, word: &str) -> Symbol {
        if self.names * 2 >= self.slots.len() && self.ordered.get().is_none() {
            self.grow();
        }
        let hash = hash(word);
        if self.ordered.get().is_none() {
            match self.look_up(word, hash) {
                Ok((_, Some(symbol))) => return symbol,
                Ok((slot, None)) => {
                    let symbol = self.keep(word);
                    if let Some(free) = self.slots.get_mut(slot) {
                        *free = symbol.0 | hash & !SYMBOL;
                    }
                    self.names += 1;
                    return symbol;
                }
                Err(TooFar) => {}
            }
        }
        if let Some(symbol) = self.in_order().get(word) {
            return *symbol;
        }
        let symbol = self.keep(word);
        if let Some(ordered) = self.ordered.get_mut() {
            ordered.insert(word.into(), symbol);
        }
        symbol
    }

    /// The symbol of a word that is already there.
    pub(crate) fn find(&self, word: &str) -> Option<Symbol> {
        if self.ordered.get().is_none()
            && let Ok((_, there)) = self.look_up(word, hash(word))
        {
            return there;
        }
        self.in_order().get(word).copied()
    }

    /// Every name in order; from the first call on, names are looked up here alone.
    fn in_order(&self) -> &BTreeMap<Box<str>, Symbol> {
        self.ordered.get_or_init(|| {
            self.slots
                .iter()
                .filter(|taken| **taken != 0)
                .map(|taken| Symbol(taken & SYMBOL))
                .map(|symbol| (self.get(symbol).into(), symbol))
                .collect()
        })
    }

    /// The place of the word and its symbol, or the free place where it would go.
    fn look_up(&self, word: &str, hash: u32) -> Result<(usize, Option<Symbol>), TooFar> {
        let mask = self.slots.len() - 1;
        let mut slot = hash as usize & mask;
        for _ in 0..MOST_STEPS {
            let taken = self.slots.get(slot).copied().unwrap_or(0);
            if taken == 0 {
                return Ok((slot, None));
            }
            let symbol = Symbol(taken & SYMBOL);
            if (taken ^ hash) & !SYMBOL == 0
                && self.text.as_bytes().get(self.place(symbol)) == Some(word.as_bytes())
            {
                return Ok((slot, Some(symbol)));
            }
            slot = (slot + 1) & mask;
        }
        Err(TooFar)
    }

    fn grow(&mut self) {
        let length = self.slots.len() * 2;
        let mut symbols: Vec<u32> = self
            .slots
            .iter()
            .filter(|taken| **taken != 0)
            .map(|taken| taken & SYMBOL)
            .collect();
        // In the order in which they stand in memory.
        symbols.sort_unstable();
        let mut slots: Vec<u32> = vec![0; length];
        let mask = length - 1;
        for symbol in symbols.into_iter().map(Symbol) {
            let hash = hash(self.get(symbol));
            let free = (0..MOST_STEPS)
                .map(|step| (hash as usize + step) & mask)
                .find(|slot| slots.get(*slot) == Some(&0));
            let Some(place) = free.and_then(|slot| slots.get_mut(slot)) else {
                // The table as it was holds every name still.
                self.in_order();
                return;
            };
            *place = symbol.0 | hash & !SYMBOL;
        }
        self.slots = slots;
    }
}

/// Multiplies eight bytes at a time and folds the product: the same on every
/// run, and nothing about the order shows. Names are short and are looked up at
/// every mention, which is a third of the time of reading with a hash that
/// resists an adversary; [`MOST_STEPS`] resists them here.
fn hash(word: &str) -> u32 {
    const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
    let fold = |state: u64, bits: u64| {
        let product = u128::from(state ^ bits) * u128::from(ODD);
        let bytes = product.to_le_bytes();
        let (halves, _) = bytes.as_chunks::<8>();
        halves
            .iter()
            .fold(0, |folded, half| folded ^ u64::from_le_bytes(*half))
    };
    let (chunks, rest) = word.as_bytes().as_chunks::<8>();
    let state = chunks.iter().fold(ODD ^ word.len() as u64, |state, chunk| {
        fold(state, u64::from_le_bytes(*chunk))
    });
    let rest = rest
        .iter()
        .rev()
        .fold(0, |bits, byte| bits << 8 | u64::from(*byte));
    let state = fold(fold(state, rest), ODD);
    u32::try_from(state >> 32).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_words_have_equal_symbols() {
        let mut words = Words::default();
        let symbols: Vec<Symbol> = (0..1_000).map(|n| words.intern(&format!("w{n}"))).collect();
        for (n, symbol) in symbols.iter().enumerate() {
            assert_eq!(words.get(*symbol), format!("w{n}"));
            assert_eq!(words.intern(&format!("w{n}")), *symbol);
        }
        assert_eq!(words.find("w1000"), None);
    }

    /// Names that all go to a few places next to each other, in every table of up to `1 << bits` places.
    fn crafted(bits: u32, count: usize) -> Vec<String> {
        (0_u32..)
            .map(|n| format!("n{n}"))
            .filter(|name| hash(name) & ((1 << bits) - 1) < 8)
            .take(count)
            .collect()
    }

    /// Places looked at to find each name that is in the table.
    fn steps(words: &Words) -> Vec<usize> {
        let mask = words.slots.len() - 1;
        (words.slots.iter().enumerate())
            .filter(|(_, taken)| **taken != 0)
            .map(|(slot, taken)| {
                let home = hash(words.get(Symbol(taken & SYMBOL))) as usize & mask;
                (slot.wrapping_sub(home) & mask) + 1
            })
            .collect()
    }

    #[test]
    fn crafted_names_are_found_within_a_fixed_number_of_steps() {
        let names = crafted(12, 1_500);
        let mut words = Words::default();
        let symbols: Vec<Symbol> = names.iter().map(|name| words.intern(name)).collect();
        // Each would be found behind all the others.
        assert!(words.ordered.get().is_some());
        assert!(steps(&words).into_iter().all(|steps| steps <= MOST_STEPS));
        for (name, symbol) in names.iter().zip(&symbols) {
            assert_eq!(words.get(*symbol), name);
            assert_eq!(words.intern(name), *symbol);
            assert_eq!(words.find(name), Some(*symbol));
        }
        assert_eq!(words.find("nobody"), None);
        let more = words.intern("nobody");
        assert_eq!(
            (words.find("nobody"), words.get(more)),
            (Some(more), "nobody")
        );
    }

    #[test]
    fn a_run_of_names_at_their_places_slows_nobody_down() {
        // One name a place, in order: none is displaced, and yet whoever looks for another from the first place on passes
        // all of them.
        let mut words = Words::for_text_of(64 * 4_096);
        let mask = words.slots.len() - 1;
        let mut free: std::collections::BTreeSet<usize> = (0..400).collect();
        let mut another = None;
        for name in (0_u32..).map(|n| format!("r{n}")) {
            let home = hash(&name) as usize & mask;
            if free.remove(&home) {
                words.intern(&name);
            } else if home < 100 {
                another = Some(name);
            }
            if free.is_empty() && another.is_some() {
                break;
            }
        }
        assert!(words.ordered.get().is_none());
        assert_eq!(words.find(&another.unwrap()), None);
        assert!(words.ordered.get().is_some());
    }

    #[test]
    fn names_that_nobody_crafted_stay_in_the_table() {
        let mut words = Words::default();
        for n in 0..50_000 {
            words.intern(&format!("name_{n}"));
        }
        assert!(words.ordered.get().is_none());
        assert!(steps(&words).into_iter().max().unwrap() <= MOST_STEPS);
    }

    #[test]
    fn the_empty_text_is_not_the_missing_word() {
        let mut words = Words::default();
        let empty = words.intern("");
        assert_ne!(empty, Symbol::MISSING);
        assert_eq!(words.get(empty), "");
    }
}
