//! Names and words for the parts of a procedure.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::model::{
    Action, ActionId, Assumption, BackupGrade, Comparison, Duration, EffectKind, Expr, HoldingId,
    HoldingKind, Method, Openers, Procedure, Requirement, RoleId, Scope, SentencePart, Subject,
    Unit, Value,
};
use crate::twin::decimal;

impl HoldingKind {
    /// The keyword: `secret`, `channel`, `device`, `state`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Secret => "secret",
            Self::Channel => "channel",
            Self::Device => "device",
            Self::State => "state",
        }
    }

    /// `a secret`, `a channel`, `a device`, `a state`.
    pub(crate) fn with_article(self) -> &'static str {
        match self {
            Self::Secret => "a secret",
            Self::Channel => "a channel",
            Self::Device => "a device",
            Self::State => "a state",
        }
    }
}

impl Method {
    /// Every method, in the order of the manual.
    pub const ALL: [Self; 10] = [
        Self::Password,
        Self::Pin,
        Self::Totp,
        Self::Passkey,
        Self::Mail,
        Self::Text,
        Self::Oidc,
        Self::Ciba,
        Self::Webhook,
        Self::Panel,
    ];

    /// The word in the file: `password`, `pin`, `totp`, …
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Pin => "pin",
            Self::Totp => "totp",
            Self::Passkey => "passkey",
            Self::Mail => "mail",
            Self::Text => "text",
            Self::Oidc => "oidc",
            Self::Ciba => "ciba",
            Self::Webhook => "webhook",
            Self::Panel => "panel",
        }
    }

    /// The method of that name, if there is one.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.as_str() == name)
    }
}

impl Duration {
    /// `24 hours`, `1 day`, `30 minutes`.
    pub fn in_words(self) -> String {
        let unit = match self.unit {
            Unit::Minute => "minute",
            Unit::Hour => "hour",
            Unit::Day => "day",
        };
        format!("{} {unit}{}", self.count, plural(self.count))
    }
}

impl Procedure {
    /// The sentence people see and sign, with the case's values in it.
    ///
    /// `None` if there is no such action or a value is missing. Values are put
    /// in as they are; whoever shows the sentence escapes it.
    pub fn sentence(
        &self,
        action: ActionId,
        parameters: &BTreeMap<String, String>,
    ) -> Option<String> {
        let action = self.actions.get(action.index())?;
        let mut sentence = String::new();
        for part in &action.says {
            match part {
                SentencePart::Text(text) => sentence.push_str(text),
                SentencePart::Parameter(index) => {
                    let parameter = action.parameters.get(*index as usize)?;
                    sentence.push_str(parameters.get(&parameter.name)?);
                }
            }
        }
        Some(sentence)
    }

    /// One requirement as a short title: `Customer proves account password and (authenticator code or passkey)`.
    ///
    /// `action` is the one the requirement belongs to; it names the parameters of a `when`.
    pub fn describe_requirement(&self, action: &Action, requirement: &Requirement) -> String {
        match requirement {
            Requirement::Prove(expression) => {
                format!("Customer proves {}", self.describe_expression(expression))
            }
            Requirement::Confirms { role, text } => {
                format!(
                    "The {} who opened the case confirms: {text}",
                    self.role_label(*role)
                )
            }
            Requirement::SignOff { count: 1, role } => {
                format!("1 {} signs", self.role_label(*role))
            }
            Requirement::SignOff { count, role } => format!(
                "{count} different people sign as {}",
                self.role_label(*role)
            ),
            Requirement::Notify { every: true, .. } => "Every contact on file is told".to_owned(),
            Requirement::Notify { channels, .. } => {
                let channels: Vec<&str> = channels
                    .iter()
                    .map(|channel| self.holding_label(*channel))
                    .collect();
                format!("A notice goes to the {}", listed(&channels, "and"))
            }
            Requirement::Wait(duration) => {
                let pass = if duration.count == 1 {
                    "passes"
                } else {
                    "pass"
                };
                format!("{} {pass} and nobody stops it", duration.in_words())
            }
            Requirement::Backup {
                grade,
                within,
                places,
            } => {
                let what = match grade {
                    BackupGrade::Exists => "A backup",
                    BackupGrade::Verified => "A backup that was read back",
                    BackupGrade::Restored => "A backup that was restored and compared",
                };
                let places = if *places > 1 {
                    format!(", in {places} places")
                } else {
                    String::new()
                };
                format!("{what}, at most {} old{places}", within.in_words())
            }
            Requirement::When {
                subject,
                comparison,
                value,
            } => {
                let subject = match subject {
                    Subject::Parameter(index) => action
                        .parameters
                        .get(*index as usize)
                        .map_or("", |parameter| parameter.label.as_str())
                        .to_owned(),
                    Subject::Attribute(attribute) => {
                        format!("the customer's {}", attribute.replace('_', " "))
                    }
                };
                let comparison = match comparison {
                    Comparison::Is => "is",
                    Comparison::IsNot => "is not",
                    Comparison::Less => "is less than",
                    Comparison::AtMost => "is at most",
                    Comparison::More => "is more than",
                    Comparison::AtLeast => "is at least",
                };
                let value = match value {
                    Value::Number(millionths) => decimal(*millionths),
                    Value::Text(text) => format!("“{text}”"),
                };
                format!("Only if {subject} {comparison} {value}")
            }
            Requirement::AtMost { count, per, scope } => {
                let scope = match scope {
                    Scope::Customer => "for one customer",
                    Scope::Staff => "by one member of staff",
                };
                format!(
                    "At most {count} time{} in {} {scope}",
                    plural(*count),
                    per.in_words()
                )
            }
        }
    }

    /// What must be proved, in words: `account password and (authenticator code or passkey)`.
    pub fn describe_expression(&self, expression: &Expr) -> String {
        let mut words = String::new();
        self.expression(&mut words, expression, false);
        words
    }

    fn expression(&self, words: &mut String, expression: &Expr, within: bool) {
        let (parts, between) = match expression {
            Expr::Atom { proof, settled, .. } => {
                let proof = self.proofs.get(proof.index());
                words.push_str(proof.map_or("", |proof| proof.label.as_str()));
                if let Some(settled) = settled {
                    let shows = proof.map_or("", |proof| self.holding_label(proof.shows));
                    let _ = write!(words, " ({shows} unchanged for {})", settled.in_words());
                }
                return;
            }
            Expr::NOf { n, of } => {
                let _ = write!(words, "{n} of these {}: ", of.len());
                (of, ", ")
            }
            Expr::And(parts) => (parts, " and "),
            Expr::Or(parts) => (parts, " or "),
        };
        let grouped = within || matches!(expression, Expr::NOf { .. });
        words.push_str(if grouped { "(" } else { "" });
        for (n, part) in parts.iter().enumerate() {
            words.push_str(if n == 0 { "" } else { between });
            self.expression(words, part, true);
        }
        words.push_str(if grouped { ")" } else { "" });
    }

    /// What an action does, in words: `Whoever asks chooses a new e-mail address on file`.
    pub fn describe_effect(&self, effect: EffectKind) -> String {
        match effect {
            EffectKind::Gives(holding) => {
                format!("Whoever asks then has the {}", self.holding_label(holding))
            }
            EffectKind::Changes(holding) => {
                format!("Whoever asks chooses a new {}", self.holding_label(holding))
            }
            EffectKind::Sends { what, to } => {
                format!(
                    "The {} goes to the {}",
                    self.holding_label(what),
                    self.holding_label(to)
                )
            }
            EffectKind::Loses(loss) => {
                let label = self
                    .losses
                    .get(loss.index())
                    .map_or("", |loss| loss.label.as_str());
                format!("The customer stands to lose {label}")
            }
        }
    }

    /// Who may open a case, in words: `the customer, support agent or senior support agent`.
    pub fn describe_openers(&self, openers: &Openers) -> String {
        let mut who: Vec<&str> = if openers.customer {
            vec!["the customer"]
        } else {
            Vec::new()
        };
        who.extend(openers.roles.iter().map(|role| self.role_label(*role)));
        listed(&who, "or")
    }

    /// What a promise assumes or grants, in words: `1 senior support agent is deceived`.
    pub fn describe_assumption(&self, assumption: &Assumption) -> String {
        match assumption {
            Assumption::AnyOfKind { count, kind } => {
                let verb = lost(*kind);
                let be = if *count == 1 { "is" } else { "are" };
                format!(
                    "any {count} {}{} {be} {verb}",
                    kind.as_str(),
                    plural(*count)
                )
            }
            Assumption::Holding(id) => {
                let kind = self
                    .holdings
                    .get(id.index())
                    .map_or(HoldingKind::Secret, |holding| holding.kind);
                format!("the {} is {}", self.holding_label(*id), lost(kind))
            }
            Assumption::Deceived { count: 1, role } => {
                format!("1 {} is deceived", self.role_label(*role))
            }
            Assumption::Deceived { count, role } => format!(
                "{count} people who are {} are deceived",
                self.role_label(*role)
            ),
            Assumption::AnyDeceived(role) => {
                format!("everybody who is {} is deceived", self.role_label(*role))
            }
            Assumption::NoticesUnread => "the customer reads no notice".to_owned(),
        }
    }

    fn role_label(&self, role: RoleId) -> &str {
        self.roles
            .get(role.index())
            .map_or("", |role| role.label.as_str())
    }

    fn holding_label(&self, holding: HoldingId) -> &str {
        self.holdings
            .get(holding.index())
            .map_or("", |holding| holding.label.as_str())
    }
}

fn lost(kind: HoldingKind) -> &'static str {
    match kind {
        HoldingKind::Secret => "stolen",
        HoldingKind::Channel => "hijacked",
        HoldingKind::Device => "taken",
        HoldingKind::State => "reached",
    }
}

/// `a, b and c`.
pub(crate) fn listed(items: &[&str], last: &str) -> String {
    match items {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [most @ .., end] => format!("{} {last} {end}", most.join(", ")),
    }
}

pub(crate) fn plural(count: u32) -> &'static str {
    if count == 1 { "" } else { "s" }
}
