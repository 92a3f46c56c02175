//! Which logs and witnesses a verifier trusts, and how many witnesses it asks for
//! (c2sp.org/tlog-policy).

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use crate::checkpoint::{Checkpoint, Cosignature};
use crate::note::{KeyError, KeyKind, NoteError, SignedNote, VerifierKey};

/// Logs, witnesses and groups a policy may list each; the specification asks for 32 at least.
const DEFINITIONS_MAX: usize = 64;

/// The trust of a verifier: logs, witnesses, and the quorum a checkpoint needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    logs: Vec<VerifierKey>,
    witnesses: Vec<VerifierKey>,
    quorum: Quorum,
}

/// A rule over the witnesses of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Quorum {
    /// No witness is asked for.
    None,
    /// The witness at this place among the policy's.
    Witness(usize),
    /// So many of these.
    Group(usize, Vec<Quorum>),
}

/// A checkpoint that a policy accepts. Nothing else makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// What the log says.
    pub checkpoint: Checkpoint,
    /// The good cosignatures of witnesses the policy lists, in the policy's order.
    pub cosignatures: Vec<Cosignature>,
}

impl Policy {
    /// Trust in one log without witnesses (`quorum none`).
    pub fn of_log(log: VerifierKey) -> Result<Self, PolicyError> {
        let mut policy = Self {
            logs: Vec::new(),
            witnesses: Vec::new(),
            quorum: Quorum::None,
        };
        policy.add_log(log)?;
        Ok(policy)
    }

    /// The logs that are trusted.
    pub fn logs(&self) -> &[VerifierKey] {
        &self.logs
    }

    /// The witnesses that are trusted.
    pub fn witnesses(&self) -> &[VerifierKey] {
        &self.witnesses
    }

    /// Reads a checkpoint note and accepts it if a listed log signed it under its own name and
    /// a quorum of witnesses cosigned it.
    ///
    /// The age of cosignatures is not looked at; their times are in the answer.
    pub fn accept(&self, note: &str) -> Result<Accepted, Untrusted> {
        let note = SignedNote::parse(note).map_err(Untrusted::Form)?;
        let checkpoint: Checkpoint = note
            .text
            .parse()
            .map_err(|_| Untrusted::Form(NoteError::Malformed))?;
        let signed = note.verify(&self.logs).map_err(|_| Untrusted::LogKey)?;
        if !signed
            .iter()
            .any(|signed| signed.key.name() == checkpoint.origin)
        {
            return Err(Untrusted::Origin);
        }
        let mut cosignatures = Vec::new();
        let mut cosigned = Vec::with_capacity(self.witnesses.len());
        for witness in &self.witnesses {
            let found =
                Cosignature::find(&note, witness).map_err(|_| Untrusted::WrongCosignature)?;
            cosigned.push(found.is_some());
            cosignatures.extend(found);
        }
        if !self.quorum.is_met(&cosigned) {
            return Err(Untrusted::Quorum);
        }
        Ok(Accepted {
            checkpoint,
            cosignatures,
        })
    }

    fn add_log(&mut self, key: VerifierKey) -> Result<(), PolicyError> {
        if key.kind() != KeyKind::Ed25519 {
            return Err(PolicyError::LogKind);
        }
        if self.logs.iter().any(|log| log.public() == key.public()) {
            return Err(PolicyError::Duplicate);
        }
        if self.logs.len() == DEFINITIONS_MAX {
            return Err(PolicyError::TooLong);
        }
        self.logs.push(key);
        Ok(())
    }

    fn add_witness(&mut self, key: VerifierKey) -> Result<Quorum, PolicyError> {
        if key.kind() != KeyKind::CosignatureV1 {
            return Err(PolicyError::WitnessKind);
        }
        if self.witnesses.iter().any(|w| w.public() == key.public()) {
            return Err(PolicyError::Duplicate);
        }
        if self.witnesses.len() == DEFINITIONS_MAX {
            return Err(PolicyError::TooLong);
        }
        self.witnesses.push(key);
        Ok(Quorum::Witness(self.witnesses.len() - 1))
    }
}

impl Quorum {
    fn is_met(&self, cosigned: &[bool]) -> bool {
        match self {
            Self::None => true,
            Self::Witness(at) => cosigned.get(*at).copied().unwrap_or(false),
            Self::Group(threshold, members) => {
                let met = members.iter().filter(|member| member.is_met(cosigned));
                met.count() >= *threshold
            }
        }
    }
}

impl FromStr for Policy {
    type Err = PolicyErrorAt;

    /// Reads a policy file. At least one log must be listed, since a verifier of ours never
    /// knows its log from elsewhere.
    fn from_str(text: &str) -> Result<Self, PolicyErrorAt> {
        let mut policy = Self {
            logs: Vec::new(),
            witnesses: Vec::new(),
            quorum: Quorum::None,
        };
        // A name's rule is taken out when a group uses it: each may be a member only once.
        let mut names: BTreeMap<&str, Option<Quorum>> = BTreeMap::new();
        let mut quorum = None;
        let mut groups = 0;
        for (number, line) in text.split('\n').enumerate() {
            let at = |error| PolicyErrorAt {
                line: number + 1,
                error,
            };
            if line
                .bytes()
                .any(|byte| byte < b' ' && byte != b'\t' || byte == 0x7F)
            {
                return Err(at(PolicyError::Form));
            }
            let words: Vec<_> = line
                .split([' ', '\t'])
                .filter(|word| !word.is_empty())
                .collect();
            match words.as_slice() {
                [] => {}
                [first, ..] if first.starts_with('#') => {}
                ["log", key] | ["log", key, _] => {
                    let key = key.parse().map_err(|error| at(PolicyError::Key(error)))?;
                    policy.add_log(key).map_err(at)?;
                }
                ["witness", name, key] | ["witness", name, key, _] => {
                    let key = key.parse().map_err(|error| at(PolicyError::Key(error)))?;
                    let rule = policy.add_witness(key).map_err(at)?;
                    define(&mut names, name, rule).map_err(at)?;
                }
                ["group", name, threshold, members @ ..] if !members.is_empty() => {
                    groups += 1;
                    if groups > DEFINITIONS_MAX {
                        return Err(at(PolicyError::TooLong));
                    }
                    let threshold = threshold_of(threshold, members.len()).map_err(at)?;
                    let mut rules = Vec::new();
                    for member in members {
                        let rule = names
                            .get_mut(member)
                            .ok_or(at(PolicyError::Unknown))?
                            .take()
                            .ok_or(at(PolicyError::MemberTwice))?;
                        rules.push(rule);
                    }
                    define(&mut names, name, Quorum::Group(threshold, rules)).map_err(at)?;
                }
                ["quorum", name] => {
                    let rule = match (*name, names.get(name)) {
                        ("none", _) => Quorum::None,
                        (_, None) => return Err(at(PolicyError::Unknown)),
                        (_, Some(None)) => return Err(at(PolicyError::MemberTwice)),
                        (_, Some(Some(rule))) => rule.clone(),
                    };
                    if quorum.replace(rule).is_some() {
                        return Err(at(PolicyError::Quorum));
                    }
                }
                _ => return Err(at(PolicyError::Form)),
            }
        }
        let at_end = |error| PolicyErrorAt {
            line: text.split('\n').count(),
            error,
        };
        policy.quorum = quorum.ok_or(at_end(PolicyError::Quorum))?;
        if policy.logs.is_empty() {
            return Err(at_end(PolicyError::NoLog));
        }
        Ok(policy)
    }
}

/// Why a checkpoint is not accepted, in the order of the checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Untrusted {
    /// Not a checkpoint in a signed note.
    Form(NoteError),
    /// No listed log signed it, or a signature in a listed log's name is wrong.
    LogKey,
    /// A listed log signed it, but it names another log.
    Origin,
    /// A cosignature in a listed witness's name is wrong.
    WrongCosignature,
    /// Too few witnesses cosigned it.
    Quorum,
}

impl fmt::Display for Untrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Form(_) => "not a checkpoint in a signed note",
            Self::LogKey => "the checkpoint is not signed by a log of the policy",
            Self::Origin => "the checkpoint names another log than the one that signed it",
            Self::WrongCosignature => "a cosignature of a witness of the policy is wrong",
            Self::Quorum => "too few witnesses cosigned the checkpoint",
        })
    }
}

impl std::error::Error for Untrusted {}

/// A mistake in a policy and the line it stands in, counted from one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PolicyErrorAt {
    /// The line; the last one if something is missing altogether.
    pub line: usize,
    /// What is wrong there.
    pub error: PolicyError,
}

impl fmt::Display for PolicyErrorAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.error)
    }
}

impl std::error::Error for PolicyErrorAt {}

/// What can be wrong with a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicyError {
    /// Not a line a policy may have.
    Form,
    /// The key does not read.
    Key(KeyError),
    /// A log's key must be of type 01.
    LogKind,
    /// A witness's key must be of type 04.
    WitnessKind,
    /// The key is already listed.
    Duplicate,
    /// The name is already taken, or is `none`.
    NameTaken,
    /// No witness or group of that name stands above.
    Unknown,
    /// The name is already a member of a group.
    MemberTwice,
    /// The threshold is not `all`, `any` or a number from one to the number of members.
    Threshold,
    /// There must be exactly one quorum line.
    Quorum,
    /// No log is listed.
    NoLog,
    /// More logs, witnesses or groups than are supported.
    TooLong,
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Form => f.write_str("not a `log`, `witness`, `group` or `quorum` line"),
            Self::Key(error) => error.fmt(f),
            Self::LogKind => f.write_str("a log's key must be of type Ed25519 (01)"),
            Self::WitnessKind => f.write_str("a witness's key must be of type cosignature/v1 (04)"),
            Self::Duplicate => f.write_str("the key is already listed"),
            Self::NameTaken => f.write_str("the name is already taken"),
            Self::Unknown => f.write_str("no witness or group of that name stands above"),
            Self::MemberTwice => f.write_str("the name is already a member of a group"),
            Self::Threshold => f.write_str(
                "a group needs `all`, `any` or a number from one to the number of its members",
            ),
            Self::Quorum => f.write_str("a policy needs exactly one `quorum` line"),
            Self::NoLog => f.write_str("a policy needs a `log` line"),
            Self::TooLong => write!(
                f,
                "a policy may list {DEFINITIONS_MAX} logs, witnesses and groups each"
            ),
        }
    }
}

impl std::error::Error for PolicyError {}

fn define<'a>(
    names: &mut BTreeMap<&'a str, Option<Quorum>>,
    name: &'a str,
    rule: Quorum,
) -> Result<(), PolicyError> {
    if name == "none" || names.insert(name, Some(rule)).is_some() {
        return Err(PolicyError::NameTaken);
    }
    Ok(())
}

fn threshold_of(word: &str, members: usize) -> Result<usize, PolicyError> {
    match word {
        "all" => Ok(members),
        "any" => Ok(1),
        number => number
            .parse()
            .ok()
            .filter(|threshold| {
                (1..=members).contains(threshold) && threshold.to_string() == number
            })
            .ok_or(PolicyError::Threshold),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::note::{NoteSigner, SecretKey};
    use crate::tree::empty_root;

    fn signer(name: &str, kind: KeyKind, seed: u8) -> NoteSigner {
        NoteSigner::new(name, kind, SecretKey::from_seed(&[seed; 32]).unwrap()).unwrap()
    }

    fn log() -> NoteSigner {
        signer("log.example", KeyKind::Ed25519, 1)
    }

    /// Witness `n`, whose key is made from its number.
    fn witness(n: u8) -> NoteSigner {
        signer(&format!("w{n}.example"), KeyKind::CosignatureV1, 10 + n)
    }

    /// The example of the specification: two of X1, X2, X3 and one of Y1, Y2, Y3.
    fn two_level_policy() -> Policy {
        let named = ["X1", "X2", "X3", "Y1", "Y2", "Y3"].iter().zip(0..);
        let witnesses = named
            .map(|(name, n)| format!("\twitness {name}  {}\n", witness(n).verifier()))
            .collect::<Vec<_>>()
            .concat();
        let mut text = format!(
            "# who we trust\nlog {} https://log.example/\n\n{witnesses}",
            log().verifier()
        );
        text += "group X 2 X1 X2 X3\ngroup Y any Y1 Y2 Y3\ngroup both all X Y\nquorum both";
        text.parse().unwrap()
    }

    fn checkpoint() -> Checkpoint {
        Checkpoint {
            origin: "log.example".to_owned(),
            size: 0,
            root: empty_root(),
        }
    }

    fn cosigned_by(witnesses: &[u8]) -> String {
        let mut note = checkpoint().sign(&log()).unwrap();
        for n in witnesses {
            note.sign(&witness(*n), 1000 + u64::from(*n));
        }
        note.to_string()
    }

    #[test]
    fn the_quorum_counts_witnesses_through_groups() {
        let policy = two_level_policy();
        for (witnesses, met) in [
            (&[][..], false),
            (&[0, 1], false),
            (&[0, 3, 4, 5], false),
            (&[0, 0, 3], false),
            (&[0, 9, 3], false),
            (&[0, 1, 3], true),
            (&[5, 2, 0], true),
            (&[0, 1, 2, 3, 4, 5, 9], true),
        ] {
            let accepted = policy.accept(&cosigned_by(witnesses));
            assert_eq!(accepted.is_ok(), met, "{witnesses:?}");
            if !met {
                assert_eq!(accepted, Err(Untrusted::Quorum));
            }
        }
        let accepted = policy.accept(&cosigned_by(&[5, 2, 0])).unwrap();
        let times: Vec<_> = accepted.cosignatures.iter().map(|c| c.time).collect();
        assert_eq!(times, [1000, 1002, 1005]);
        assert_eq!(accepted.checkpoint, checkpoint());
    }

    #[test]
    fn a_policy_of_one_log_asks_for_no_witness() {
        let policy = Policy::of_log(log().verifier().clone()).unwrap();
        let written = format!("log {}\nquorum none\n", log().verifier());
        assert_eq!(written.parse(), Ok(policy.clone()));
        assert!(policy.accept(&cosigned_by(&[])).is_ok());
        assert!(policy.accept(&cosigned_by(&[0])).is_ok());
    }

    #[test]
    fn each_refusal_has_its_reason() {
        let policy = two_level_policy();
        assert_eq!(
            policy.accept("not a note"),
            Err(Untrusted::Form(NoteError::Malformed))
        );
        let mut no_checkpoint = SignedNote::new("hello\n").unwrap();
        no_checkpoint.sign(&log(), 0);
        assert_eq!(
            policy.accept(&no_checkpoint.to_string()),
            Err(Untrusted::Form(NoteError::Malformed))
        );
        let stranger = signer("log.example", KeyKind::Ed25519, 99);
        let unsigned = checkpoint().sign(&stranger).unwrap().to_string();
        assert_eq!(policy.accept(&unsigned), Err(Untrusted::LogKey));
        let grown = cosigned_by(&[]).replace("\n0\n", "\n1\n");
        assert_eq!(policy.accept(&grown), Err(Untrusted::LogKey));

        let elsewhere = Checkpoint {
            origin: "elsewhere.example".to_owned(),
            ..checkpoint()
        };
        let named = elsewhere.sign(&log()).unwrap().to_string();
        assert_eq!(policy.accept(&named), Err(Untrusted::Origin));

        let mut forged = SignedNote::parse(&cosigned_by(&[0, 1, 3])).unwrap();
        forged.signatures[3].signature[20] ^= 1;
        assert_eq!(
            policy.accept(&forged.to_string()),
            Err(Untrusted::WrongCosignature)
        );
    }

    #[test]
    fn mistakes_in_a_policy_are_named_with_their_line() {
        let l = format!("log {}\n", log().verifier());
        let w = |name: &str, n: u8| format!("witness {name} {}\n", witness(n).verifier());
        let (a, b) = (w("a", 1), w("b", 2));
        for (text, line, error) in [
            (String::new(), 1, PolicyError::Quorum),
            ("quorum none".into(), 1, PolicyError::NoLog),
            (l.clone(), 2, PolicyError::Quorum),
            (
                format!("{l}quorum none\nquorum none"),
                3,
                PolicyError::Quorum,
            ),
            (format!("{l}{l}quorum none"), 2, PolicyError::Duplicate),
            (format!("{l}{a}{}", w("c", 1)), 3, PolicyError::Duplicate),
            (format!("{l}{a}{}", w("a", 2)), 3, PolicyError::NameTaken),
            (format!("{l}{}", w("none", 2)), 2, PolicyError::NameTaken),
            (format!("{l}quorum a\n{a}"), 2, PolicyError::Unknown),
            (
                format!("{l}{a}group g any a b\n{b}"),
                3,
                PolicyError::Unknown,
            ),
            (
                format!("{l}{a}group g any a a"),
                3,
                PolicyError::MemberTwice,
            ),
            (
                format!("{l}{a}group g any a\nquorum a"),
                4,
                PolicyError::MemberTwice,
            ),
            (format!("{l}{a}group g any none"), 3, PolicyError::Unknown),
            (format!("{l}{a}{b}group g 0 a b"), 4, PolicyError::Threshold),
            (format!("{l}{a}{b}group g 3 a b"), 4, PolicyError::Threshold),
            (
                format!("{l}{a}{b}group g 02 a b"),
                4,
                PolicyError::Threshold,
            ),
            (
                format!("{l}{a}{b}group g some a b"),
                4,
                PolicyError::Threshold,
            ),
            (format!("{l}group g any"), 2, PolicyError::Form),
            (format!("{l}\u{b}quorum none"), 2, PolicyError::Form),
            (format!("{l}quorum none\r\n"), 2, PolicyError::Form),
            (format!("{l}trust everybody"), 2, PolicyError::Form),
            (
                format!("log {}", witness(1).verifier()),
                1,
                PolicyError::LogKind,
            ),
            (
                format!("witness x {}", log().verifier()),
                1,
                PolicyError::WitnessKind,
            ),
            ("log x".into(), 1, PolicyError::Key(KeyError::Form)),
        ] {
            let read: Result<Policy, _> = text.parse();
            assert_eq!(read, Err(PolicyErrorAt { line, error }), "{text}");
        }
    }
}
