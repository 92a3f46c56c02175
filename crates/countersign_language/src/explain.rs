//! A procedure in plain English, as Markdown for a knowledge base.

use std::fmt::Write as _;

use crate::model::{
    Action, ActionId, Claim, Drill, EffectKind, Exposure, HoldingKind, Path, Procedure, Promise,
    Requirement, SentencePart, Target,
};
use crate::scenarios::scenario;
use crate::words::listed;

/// The whole procedure, or one action of it, in plain English.
///
/// Markdown whose only markup is ours: words of the file are escaped. Empty if
/// there is no such action.
pub fn explain(procedure: &Procedure, action: Option<ActionId>) -> String {
    let explainer = Explainer { procedure };
    let mut page = String::new();
    match action {
        Some(id) => {
            if let Some(action) = procedure.actions.get(id.index()) {
                explainer.action(&mut page, action, 1);
            }
        }
        None => explainer.whole(&mut page),
    }
    page
}

/// When a line's turn comes: the order in which the gate goes through a path, whatever the file says first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    /// Decides whether this way is open at all.
    Condition,
    /// The proofs and the word of who asked; the customer's part ends with their confirmation.
    Customer,
    /// Nobody signs before the customer has confirmed.
    Colleague,
    /// Contacts are told of what was confirmed and signed.
    Notice,
    /// A wait begins once they were told.
    Wait,
}

impl Stage {
    const ALL: [Self; 5] = [
        Self::Condition,
        Self::Customer,
        Self::Colleague,
        Self::Notice,
        Self::Wait,
    ];

    fn of(requirement: &Requirement) -> Self {
        match requirement {
            Requirement::When { .. } | Requirement::AtMost { .. } => Self::Condition,
            Requirement::Prove(_) | Requirement::Confirms { .. } | Requirement::Backup { .. } => {
                Self::Customer
            }
            Requirement::SignOff { .. } => Self::Colleague,
            Requirement::Notify { .. } => Self::Notice,
            Requirement::Wait(_) => Self::Wait,
        }
    }
}

struct Explainer<'p> {
    procedure: &'p Procedure,
}

impl Explainer<'_> {
    fn whole(&self, page: &mut String) {
        let p = self.procedure;
        let organisation = escaped(&p.organisation);
        let _ = write!(
            page,
            "# What {organisation} asks before it acts on a customer's account\n\n\
             This page says what must be shown and signed before each action is done. Nobody can skip a line of it: \
             the action is carried out only when a machine has seen every one.\n"
        );
        if !p.roles.is_empty() {
            page.push_str("\n## Who works here\n\n");
            for role in &p.roles {
                let includes: Vec<&str> = role
                    .includes
                    .iter()
                    .filter_map(|role| p.roles.get(role.index()))
                    .map(|role| role.label.as_str())
                    .collect();
                let may = if includes.is_empty() {
                    String::new()
                } else {
                    format!(", who may also act as {}", listed(&includes, "and"))
                };
                let _ = writeln!(page, "- {}{}", escaped(&role.label), escaped(&may));
            }
        }
        if !p.holdings.is_empty() {
            page.push_str("\n## What customers have\n\n");
            let mut shown_by: Vec<Vec<&str>> = vec![Vec::new(); p.holdings.len()];
            for proof in p.proofs.iter().filter(|proof| !proof.implied) {
                if let Some(proofs) = shown_by.get_mut(proof.shows.index()) {
                    proofs.push(&proof.label);
                }
            }
            for (number, holding) in p.holdings.iter().enumerate() {
                let kind = match holding.kind {
                    HoldingKind::Secret => "something the customer knows",
                    HoldingKind::Channel => "a way to reach the customer",
                    HoldingKind::Device => "something the customer has",
                    HoldingKind::State => "something only an action leads to",
                };
                let exposure = match holding.exposure {
                    Exposure::Hidden => String::new(),
                    Exposure::Public => "; anybody can find it out".to_owned(),
                    Exposure::VisibleTo(role) => {
                        format!(
                            "; every {} can read it",
                            p.roles
                                .get(role.index())
                                .map_or("", |role| role.label.as_str())
                        )
                    }
                };
                let proofs = shown_by.get(number).map_or(&[][..], Vec::as_slice);
                let shown = if proofs.is_empty() {
                    String::new()
                } else {
                    format!("; shown by {}", listed(proofs, "or"))
                };
                let _ = writeln!(
                    page,
                    "- **{}**: {kind}{}{}",
                    escaped(&holding.label),
                    escaped(&exposure),
                    escaped(&shown)
                );
            }
        }
        page.push_str("\n## Actions\n");
        for action in p.actions.iter().filter(|action| !action.outside) {
            page.push('\n');
            self.action(page, action, 3);
        }
        let outside: Vec<&Action> = p.actions.iter().filter(|action| action.outside).collect();
        if !outside.is_empty() {
            page.push_str("\n## What happens elsewhere\n\nNobody here can prevent these; the promises count with them.\n");
            for action in outside {
                page.push('\n');
                self.action(page, action, 3);
            }
        }
        if !p.drills.is_empty() {
            page.push_str(
                "\n## Drills\n\nPlanted cases that a careful colleague refuses. None of them can be granted, and none is of a customer.\n\n",
            );
            for drill in &p.drills {
                let _ = writeln!(page, "- {}", escaped(&self.drill(drill)));
            }
        }
        if !p.promises.is_empty() {
            page.push_str(
                "\n## Promises\n\nEach was proved about this procedure before it took effect.\n\n",
            );
            for promise in &p.promises {
                let _ = writeln!(
                    page,
                    "- **{}.** {}",
                    escaped(&promise.text),
                    escaped(&self.promise(promise))
                );
            }
        }
    }

    fn drill(&self, drill: &Drill) -> String {
        let p = self.procedure;
        let action = p.actions.get(drill.action.index());
        let asks: Vec<&str> = drill
            .asks
            .iter()
            .filter_map(|role| p.roles.get(role.index()))
            .map(|role| role.label.as_str())
            .collect();
        let plays: Vec<&str> = drill
            .plays
            .iter()
            .filter_map(|name| scenario(name))
            .map(|scenario| scenario.title)
            .collect();
        format!(
            "{}: about every {}, {} may be asked to sign one ({})",
            action.map_or("", |action| action.label.as_str()),
            drill.every,
            listed(&asks, "or"),
            listed(&plays, "or"),
        )
    }

    fn action(&self, page: &mut String, action: &Action, level: usize) {
        let _ = write!(page, "{} {}\n\n", "#".repeat(level), escaped(&action.label));
        if !action.outside {
            let _ = write!(page, "> {}\n\n", Self::sentence(action));
            let _ = writeln!(
                page,
                "- Who may ask: {}",
                escaped(&self.procedure.describe_openers(&action.opened_by))
            );
        }
        for effect in &action.effects {
            let effect = match effect.kind {
                EffectKind::Loses(_) => format!(
                    "What is at stake: {}",
                    lower(&self.procedure.describe_effect(effect.kind))
                ),
                kind => self.procedure.describe_effect(kind),
            };
            let _ = writeln!(page, "- {}", escaped(&effect));
        }
        if !action.outside {
            let _ = writeln!(
                page,
                "- A request stays open for {}",
                action.expires.in_words()
            );
        }
        match action.paths.as_slice() {
            [only] => {
                page.push_str("\nWhat it takes:\n\n");
                self.path(page, action, only);
            }
            paths => {
                let _ = write!(
                    page,
                    "\nThere are {} ways; one of them is enough.\n",
                    paths.len()
                );
                for path in paths {
                    let _ = write!(
                        page,
                        "\n{} {}\n\n",
                        "#".repeat(level + 1),
                        escaped(&capital(&path.name.replace('_', " ")))
                    );
                    self.path(page, action, path);
                }
            }
        }
    }

    fn path(&self, page: &mut String, action: &Action, path: &Path) {
        let mut number = 0;
        let mut step = |page: &mut String, words: &str| {
            number += 1;
            let _ = writeln!(page, "{number}. {}", escaped(words));
        };
        if path.lines.is_empty() {
            page.push_str("Nothing: anybody may.\n");
            return;
        }
        let mut confirmed = action.outside;
        for stage in Stage::ALL {
            if stage > Stage::Customer && !confirmed {
                confirmed = true;
                step(
                    page,
                    "The customer reads the sentence above and confirms it",
                );
            }
            for line in path
                .lines
                .iter()
                .filter(|line| Stage::of(&line.requirement) == stage)
            {
                step(
                    page,
                    &self
                        .procedure
                        .describe_requirement(action, &line.requirement),
                );
            }
        }
    }

    /// The sentence with the parameters' labels in their places.
    fn sentence(action: &Action) -> String {
        let mut sentence = String::new();
        for part in &action.says {
            match part {
                SentencePart::Text(text) => sentence.push_str(&escaped(text)),
                SentencePart::Parameter(index) => {
                    let label = action
                        .parameters
                        .get(*index as usize)
                        .map_or("", |parameter| parameter.label.as_str());
                    let _ = write!(sentence, "*{}*", escaped(label));
                }
            }
        }
        sentence
    }

    fn promise(&self, promise: &Promise) -> String {
        let p = self.procedure;
        match &promise.claim {
            Claim::Never { even_if, targets } => {
                let losses: Vec<&str> = targets
                    .iter()
                    .filter_map(|target| {
                        if let Target::Loss(loss) = target {
                            p.losses.get(loss.index())
                        } else {
                            None
                        }
                    })
                    .map(|loss| loss.label.as_str())
                    .collect();
                let actions: Vec<String> = targets
                    .iter()
                    .filter_map(|target| {
                        if let Target::Action(action) = target {
                            p.actions.get(action.index())
                        } else {
                            None
                        }
                    })
                    .map(|action| format!("“{}”", action.label))
                    .collect();
                let actions: Vec<&str> = actions.iter().map(String::as_str).collect();
                let mut never = Vec::new();
                if !losses.is_empty() {
                    never.push(format!("no customer loses {}", listed(&losses, "or")));
                }
                if !actions.is_empty() {
                    never.push(format!("no stranger gets {} done", listed(&actions, "or")));
                }
                let assumed: Vec<String> = even_if
                    .iter()
                    .map(|assumption| p.describe_assumption(assumption))
                    .collect();
                let assumed: Vec<&str> = assumed.iter().map(String::as_str).collect();
                let even = if assumed.is_empty() {
                    String::new()
                } else {
                    format!("Even if {}: ", listed(&assumed, "and"))
                };
                capital(&format!("{even}{}", never.join(", and ")))
            }
            Claim::Always {
                without,
                action,
                within,
            } => {
                let action = p
                    .actions
                    .get(action.index())
                    .map_or("", |action| action.label.as_str());
                let without: Vec<&str> = without
                    .iter()
                    .filter_map(|holding| p.holdings.get(holding.index()))
                    .map(|holding| holding.label.as_str())
                    .collect();
                let even = if without.is_empty() {
                    String::new()
                } else {
                    format!("Even without the {}: ", listed(&without, "and"))
                };
                let within = within.map_or(String::new(), |within| {
                    format!(" within {}", within.in_words())
                });
                capital(&format!("{even}“{action}” can be done{within}"))
            }
        }
    }
}

fn capital(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map_or(String::new(), |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

fn lower(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map_or(String::new(), |first| {
        first.to_lowercase().chain(letters).collect()
    })
}

/// Words of the file, so that no Markdown or HTML in them is understood as such.
fn escaped(words: &str) -> String {
    let mut text = String::with_capacity(words.len());
    for letter in words.chars() {
        match letter {
            '\\' | '`' | '*' | '_' | '[' | ']' | '#' | '|' | '~' | '!' => {
                text.push('\\');
                text.push(letter);
            }
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            '&' => text.push_str("&amp;"),
            other => text.push(other),
        }
    }
    text
}
