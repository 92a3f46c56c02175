//! What the prover says about the procedure in force, ready to be shown: computed once, asked for ever after.
//!
//! Pure but for the lock: [`Study`] turns a procedure and its text into views of
//! [`crate::pages`]; [`Studies`] keeps one and sees that questions take at most
//! so much of the machine.

use std::sync::Arc;

use countersign_language::{
    Action, ActionId, Claim, Expr, HoldingId, HoldingKind, LineIndex, LossId, Procedure,
    Requirement, RoleId, SentencePart, Span, Target,
};
use countersign_prover::draw::{self, Picture, Room};
use countersign_prover::{
    Attacks, Compromise, Limits, Missing, Step, System, Verdict, What, length, lockout, reach,
    target_name,
};
use tokio::sync::{Mutex, Semaphore};

use crate::pages::encode;
use crate::pages::{
    ActionRow, AttackLink, AttackView, Block, Figure, HoldingChoice, PromiseRow, RoleChoice,
    StandingRow, StepRow, TargetTab, WayNeeds,
};
use crate::present::sentence_case;
use crate::words::Words;

/// The largest attacks that pages list; people count each.
pub const ATTACK_SIZE: usize = 3;
/// Actions of one answer that are drawn; the others are told in words.
const DRAWN_MAX: usize = 24;
/// Attacks of one target that are listed.
const LISTED_MAX: usize = 200;
/// People of one role that a question can assume.
pub const PEOPLE_MAX: u32 = 3;
/// Lines of the text on its page: more is for an editor.
pub const LINES_MAX: usize = 3_000;

/// Well below a second: who wants more asks the program.
const LIMITS: Limits = Limits {
    sets: 2_000,
    tried: 200_000,
    candidates: 100_000,
};

/// The study of the procedure in force, made when it is first asked for, and anew when another came into force.
#[derive(Debug)]
pub struct Studies {
    made: Mutex<Option<Arc<Study>>>,
    /// Questions at the same time: the desk comes first.
    at_once: Semaphore,
}

impl Default for Studies {
    fn default() -> Self {
        Self {
            made: Mutex::new(None),
            at_once: Semaphore::new(1),
        }
    }
}

impl Studies {
    /// Asks something of the study, away from the threads that serve. `None` if the program is ending.
    ///
    /// `text` is the procedure's, and is fetched only where the study is not made yet.
    ///
    /// # Errors
    /// Whatever fetching the text ended with.
    pub async fn ask<T: Send + 'static, E>(
        &self,
        procedure: &Arc<Procedure>,
        text: impl Future<Output = Result<Option<String>, E>>,
        question: impl FnOnce(&Study) -> T + Send + 'static,
    ) -> Result<Option<T>, E> {
        let (Some(study), Ok(_turn)) = (
            self.of(procedure, text).await?,
            self.at_once.acquire().await,
        ) else {
            return Ok(None);
        };
        Ok(tokio::task::spawn_blocking(move || question(&study))
            .await
            .ok())
    }

    async fn of<E>(
        &self,
        procedure: &Arc<Procedure>,
        text: impl Future<Output = Result<Option<String>, E>>,
    ) -> Result<Option<Arc<Study>>, E> {
        // Whoever asks meanwhile waits for the one study, rather than making another.
        let mut made = self.made.lock().await;
        if let Some(study) = made.as_ref()
            && study.procedure.version == procedure.version
        {
            return Ok(Some(Arc::clone(study)));
        }
        let (procedure, text) = (Arc::clone(procedure), text.await?.unwrap_or_default());
        *made = tokio::task::spawn_blocking(move || Arc::new(Study::of(procedure, text)))
            .await
            .ok();
        Ok(made.clone())
    }
}

/// A procedure with its text and everything that was proved about it.
#[derive(Debug)]
pub struct Study {
    procedure: Arc<Procedure>,
    text: String,
    lines: LineIndex,
    system: System,
    verdicts: Vec<Verdict>,
    /// For each loss.
    attacks: Vec<Attacks>,
}

/// One action in full.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActionStudy {
    /// `Reinstall a server`
    pub label: String,
    /// `server.reinstall`
    pub name: String,
    /// Happens outside the gate.
    pub outside: bool,
    /// Where it stands in the file.
    pub line: usize,
    /// The sentence, with the names of its blanks.
    pub words: Words,
    /// One picture for each path.
    pub figures: Vec<Figure>,
    /// What `explain` says of it.
    pub explained: Vec<Block>,
    /// Promises that are about it.
    pub promises: Vec<PromiseRow>,
    /// What a thief needs to get it done.
    pub attacks: Vec<AttackLink>,
    /// Every attack of up to [`ATTACK_SIZE`] is listed.
    pub complete: bool,
}

/// The attacks on one target, one of them drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttackStudy {
    /// `every file on a customer's server`
    pub label: String,
    /// Of the target.
    pub name: String,
    /// Every one of up to [`ATTACK_SIZE`] is listed.
    pub complete: bool,
    /// Their names.
    pub list: Vec<AttackLink>,
    /// The chosen one.
    pub shown: Option<AttackView>,
}

/// What somebody can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReachStudy {
    /// One for each action at the gate.
    pub actions: Vec<StandingRow>,
    /// `They come to hold the account password.`
    pub gains: Vec<String>,
    /// Labels of what is lost.
    pub losses: Vec<String>,
}

impl AttackStudy {
    /// The attack of this number is the one that is drawn.
    pub fn is_shown(&self, number: &usize) -> bool {
        self.shown
            .as_ref()
            .is_some_and(|shown| shown.number == *number)
    }
}

impl Study {
    /// Decides every promise and lists the attacks on every loss; may take seconds.
    pub fn of(procedure: Arc<Procedure>, text: String) -> Self {
        let system = System::compile(&procedure);
        let attacks = losses(&procedure)
            .map(|(id, ..)| system.attacks(&procedure, &[Target::Loss(id)], ATTACK_SIZE, LIMITS))
            .collect();
        Self {
            lines: LineIndex::new(&text),
            verdicts: countersign_prover::check(&procedure),
            attacks,
            system,
            procedure,
            text,
        }
    }

    /// The text, line by line.
    pub fn lines(&self) -> Vec<String> {
        self.text
            .lines()
            .take(LINES_MAX)
            .map(str::to_owned)
            .collect()
    }

    /// How many lines it has.
    pub fn line_count(&self) -> usize {
        self.text.lines().count()
    }

    /// Actions at the gate, or those outside.
    pub fn actions(&self, outside: bool) -> Vec<ActionRow> {
        self.procedure
            .actions
            .iter()
            .filter(|action| action.outside == outside)
            .map(|action| self.action_row(action))
            .collect()
    }

    /// Every promise with its verdict.
    pub fn promises(&self) -> Vec<PromiseRow> {
        self.verdicts
            .iter()
            .map(|verdict| self.promise_row(verdict))
            .collect()
    }

    /// Every loss, with how many attacks there are.
    pub fn losses(&self) -> Vec<TargetTab> {
        losses(&self.procedure)
            .zip(&self.attacks)
            .map(|((_, name, label), found)| TargetTab {
                href: format!("/procedures/attacks?on={}", encode(name)),
                name: name.to_owned(),
                label: sentence_case(label),
                count: found.sets.len(),
            })
            .collect()
    }

    /// One action; none if there is none of that name.
    pub fn action(&self, name: &str) -> Option<ActionStudy> {
        let id = self.procedure.action_named(name)?;
        let action = self.procedure.actions.get(id.index())?;
        let found =
            self.system
                .attacks(&self.procedure, &[Target::Action(id)], ATTACK_SIZE, LIMITS);
        Some(ActionStudy {
            label: action.label.clone(),
            name: action.name.clone(),
            outside: action.outside,
            line: self.line(action.span).unwrap_or(1),
            words: sentence(action),
            figures: figures(&draw::action(&self.procedure, id)),
            explained: blocks(&countersign_language::explain(&self.procedure, Some(id))),
            promises: self
                .verdicts
                .iter()
                .filter(|verdict| self.is_about(verdict, id, action))
                .map(|verdict| self.promise_row(verdict))
                .collect(),
            attacks: attack_links(name, &found),
            complete: found.complete(),
        })
    }

    /// The attacks on a loss or an action, the one of this number (from 1) drawn; the first loss
    /// without a name. `None` if there is no such target.
    pub fn attacks(&self, on: &str, number: usize) -> Option<AttackStudy> {
        let (target, found) = if on.is_empty() {
            (Target::Loss(LossId(0)), self.attacks.first()?.clone())
        } else if let Some(loss) = self.procedure.loss_named(on) {
            (Target::Loss(loss), self.attacks.get(loss.index())?.clone())
        } else {
            let target = Target::Action(self.procedure.action_named(on)?);
            let found = self
                .system
                .attacks(&self.procedure, &[target], ATTACK_SIZE, LIMITS);
            (target, found)
        };
        let name = target_name(&self.procedure, target);
        let shown = number
            .checked_sub(1)
            .and_then(|index| found.sets.get(index))
            .and_then(|set| self.system.explain(&self.procedure, set, &[target]))
            .map(|attack| {
                let picture = draw::attack(&self.procedure, &attack);
                AttackView {
                    number,
                    needs: attack.set.iter().map(|name| sentence_case(name)).collect(),
                    steps: attack.steps.iter().map(|step| self.step(step)).collect(),
                    figure: figure(String::new(), &picture),
                }
            });
        Some(AttackStudy {
            label: self.label(target),
            name: name.to_owned(),
            complete: found.complete(),
            list: attack_links(name, &found),
            shown,
        })
    }

    /// What a question may name: holdings that can be stolen, hijacked, taken or reached.
    pub fn holdings(&self, is_chosen: impl Fn(&str) -> bool) -> Vec<HoldingChoice> {
        self.procedure
            .holdings
            .iter()
            .map(|holding| HoldingChoice {
                field: format!("h.{}", holding.name),
                label: sentence_case(&holding.label),
                kind: holding.kind.as_str().to_owned(),
                chosen: is_chosen(&holding.name),
            })
            .collect()
    }

    /// The staff a question may name.
    pub fn roles(&self, chosen: impl Fn(&str) -> u32) -> Vec<RoleChoice> {
        self.procedure
            .roles
            .iter()
            .map(|role| RoleChoice {
                field: format!("r.{}", role.name),
                label: sentence_case(&role.label),
                people: chosen(&role.name).min(PEOPLE_MAX),
            })
            .collect()
    }

    /// Everything somebody can do who has these holdings and these people, by name; unknown names count for nothing.
    pub fn reach(&self, with: &[String], people: &[(String, u32)], unread: bool) -> ReachStudy {
        let procedure = &*self.procedure;
        let mut set: Vec<Compromise> = with
            .iter()
            .filter_map(|name| procedure.holding_named(name))
            .map(Compromise::Holding)
            .collect();
        set.extend(people.iter().filter_map(|(name, count)| {
            let role = procedure.role_named(name)?;
            let count = (*count).min(PEOPLE_MAX);
            (count > 0).then_some(Compromise::Deceived { role, count })
        }));
        set.extend(unread.then_some(Compromise::NoticesUnread));
        let reached = reach(procedure, &set);
        let actions = at_the_gate(procedure)
            .enumerate()
            .map(|(index, (id, action))| {
                let open = reached.actions.iter().any(|(done, _)| *done == id);
                StandingRow {
                    name: action.name.clone(),
                    label: action.label.clone(),
                    open,
                    standing: if open { "Can have it done" } else { "Stopped" }.to_owned(),
                    figures: if index < DRAWN_MAX {
                        figures(&draw::reached(procedure, &set, Some(id)))
                    } else {
                        Vec::new()
                    },
                }
            })
            .collect();
        let labels = |ids: &[HoldingId]| -> Vec<String> {
            ids.iter()
                .filter_map(|id| procedure.holdings.get(id.index()))
                .map(|holding| holding.label.clone())
                .collect()
        };
        let mut gains: Vec<String> = labels(&reached.own)
            .into_iter()
            .map(|label| format!("They come to hold: {label}"))
            .collect();
        gains.extend(
            labels(&reached.new)
                .into_iter()
                .map(|label| format!("They can replace: {label}")),
        );
        ReachStudy {
            actions,
            gains,
            losses: reached
                .losses
                .iter()
                .map(|loss| sentence_case(&self.label(Target::Loss(*loss))))
                .collect(),
        }
    }

    /// What an honest customer can still do who has lost these; unknown names count for nothing.
    pub fn lockout(&self, without: &[String]) -> Vec<StandingRow> {
        let procedure = &*self.procedure;
        let without: Vec<HoldingId> = without
            .iter()
            .filter_map(|name| procedure.holding_named(name))
            .collect();
        let left = lockout(procedure, &without);
        at_the_gate(procedure)
            .enumerate()
            .filter_map(|(index, (id, action))| {
                let access = left.actions.iter().find(|access| access.action == id)?;
                Some(StandingRow {
                    name: action.name.clone(),
                    label: action.label.clone(),
                    open: access.way.is_some(),
                    standing: match &access.way {
                        None => "Locked out".to_owned(),
                        Some(way) => sentence_case(&after(way.seconds)),
                    },
                    figures: if index < DRAWN_MAX {
                        figures(&draw::locked_out(procedure, &left, Some(id)))
                    } else {
                        Vec::new()
                    },
                })
            })
            .collect()
    }

    fn action_row(&self, action: &Action) -> ActionRow {
        ActionRow {
            href: format!("/procedures/action/{}", encode(&action.name)),
            name: action.name.clone(),
            label: action.label.clone(),
            ways: action
                .paths
                .iter()
                .map(|path| WayNeeds {
                    name: sentence_case(&path.name.replace('_', " ")),
                    needs: self.needs(path),
                })
                .collect(),
        }
    }

    /// `2 proofs, 1 senior support agent, 24 hours`
    fn needs(&self, path: &countersign_language::Path) -> String {
        let mut proofs = 0;
        let mut needs = Vec::new();
        for line in &path.lines {
            match &line.requirement {
                Requirement::Prove(expr) => proofs += fewest(expr),
                Requirement::Confirms { role, .. } => {
                    needs.push(format!("the word of a {}", self.role(*role)));
                }
                Requirement::SignOff { count, role } => {
                    needs.push(format!("{count} {}", self.role(*role)));
                }
                Requirement::Wait(duration) => needs.push(duration.in_words()),
                Requirement::Backup { .. } => needs.push("a backup".to_owned()),
                Requirement::When { .. } | Requirement::AtMost { .. } => {
                    if needs.last().is_none_or(|last| last != "limits") {
                        needs.push("limits".to_owned());
                    }
                }
                Requirement::Notify { .. } => {}
            }
        }
        match proofs {
            0 => {}
            1 => needs.insert(0, "1 proof".to_owned()),
            proofs => needs.insert(0, format!("{proofs} proofs")),
        }
        if needs.is_empty() {
            "nothing: anybody may".to_owned()
        } else {
            needs.join(", ")
        }
    }

    fn promise_row(&self, verdict: &Verdict) -> PromiseRow {
        let promise = self.procedure.promises.get(verdict.promise);
        let way = verdict.way.as_ref();
        let attack = verdict
            .attack
            .as_ref()
            .map(|attack| attack.steps.as_slice());
        let steps = way.map(|way| way.steps.as_slice()).or(attack);
        PromiseRow {
            text: verdict.text.clone(),
            kept: verdict.kept,
            means: promise.map_or_else(String::new, |promise| self.claim(&promise.claim)),
            line: self.line(verdict.span),
            within: way.map(|way| format!("The quickest way: {}.", after(way.seconds))),
            steps: steps
                .unwrap_or_default()
                .iter()
                .map(|step| self.step(step))
                .collect(),
            missing: verdict
                .missing
                .iter()
                .map(|missing| self.missing(missing))
                .collect(),
            assumes: verdict
                .assumes
                .iter()
                .map(|assumption| sentence_case(assumption))
                .collect(),
        }
    }

    fn claim(&self, claim: &Claim) -> String {
        match claim {
            Claim::Never { even_if, targets } => {
                let never: Vec<String> = targets.iter().map(|target| self.label(*target)).collect();
                let never = never.join(", ");
                let even: Vec<String> = even_if
                    .iter()
                    .map(|assumption| self.procedure.describe_assumption(assumption))
                    .collect();
                if even.is_empty() {
                    format!("Never: {never}.")
                } else {
                    format!("Never: {never}. Even if {}.", even.join(" and "))
                }
            }
            Claim::Always {
                without,
                action,
                within,
            } => {
                let action = self.label(Target::Action(*action));
                let lost: Vec<&str> = without
                    .iter()
                    .filter_map(|id| self.procedure.holdings.get(id.index()))
                    .map(|holding| holding.label.as_str())
                    .collect();
                let lost = if lost.is_empty() {
                    String::new()
                } else {
                    format!(" Even without the {}.", lost.join(" and the "))
                };
                let within = within.map_or_else(String::new, |within| {
                    format!(" within {}", within.in_words())
                });
                format!("Always: {action}{within}.{lost}")
            }
        }
    }

    /// The promise names the action, or a loss that the action can cause.
    fn is_about(&self, verdict: &Verdict, id: ActionId, action: &Action) -> bool {
        let Some(promise) = self.procedure.promises.get(verdict.promise) else {
            return false;
        };
        match &promise.claim {
            Claim::Always { action, .. } => *action == id,
            Claim::Never { targets, .. } => targets.iter().any(|target| match target {
                Target::Action(target) => *target == id,
                Target::Loss(loss) => action
                    .effects
                    .iter()
                    .any(|effect| effect.kind == countersign_language::EffectKind::Loses(*loss)),
            }),
        }
    }

    fn step(&self, step: &Step) -> StepRow {
        let words = match step.what {
            What::Reached(target @ Target::Loss(_)) => format!("{} is lost", self.label(target)),
            What::Reached(target) => format!("{} is done", self.label(target)),
            _ => step.text.clone(),
        };
        StepRow {
            words: sentence_case(&words),
            line: self.line(step.span),
        }
    }

    fn missing(&self, missing: &Missing) -> StepRow {
        StepRow {
            words: sentence_case(&missing.text),
            line: self.line(missing.span),
        }
    }

    /// From 1; none for what stands nowhere in the text.
    fn line(&self, span: Span) -> Option<usize> {
        (span != Span::default()).then(|| self.lines.line(span.start))
    }

    fn label(&self, target: Target) -> String {
        match target {
            Target::Loss(id) => self
                .procedure
                .losses
                .get(id.index())
                .map_or_else(String::new, |loss| loss.label.clone()),
            Target::Action(id) => self
                .procedure
                .actions
                .get(id.index())
                .map_or_else(String::new, |action| action.label.clone()),
        }
    }

    fn role(&self, role: RoleId) -> &str {
        self.procedure
            .roles
            .get(role.index())
            .map_or("", |role| role.label.as_str())
    }
}

/// The least number of proofs that is enough.
fn fewest(expr: &Expr) -> usize {
    match expr {
        Expr::Atom { .. } => 1,
        Expr::And(of) => of.iter().map(fewest).sum(),
        Expr::Or(of) => of.iter().map(fewest).min().unwrap_or(0),
        Expr::NOf { n, of } => {
            let mut each: Vec<usize> = of.iter().map(fewest).collect();
            each.sort_unstable();
            each.iter().take(*n as usize).sum()
        }
    }
}

fn losses(procedure: &Procedure) -> impl Iterator<Item = (LossId, &str, &str)> {
    (0..)
        .map(LossId)
        .zip(&procedure.losses)
        .map(|(id, loss)| (id, loss.name.as_str(), loss.label.as_str()))
}

fn at_the_gate(procedure: &Procedure) -> impl Iterator<Item = (ActionId, &Action)> {
    (0..)
        .map(ActionId)
        .zip(&procedure.actions)
        .filter(|(_, action)| !action.outside)
}

/// `at once`, `after 3 days`
fn after(seconds: u64) -> String {
    match seconds {
        0 => "at once".to_owned(),
        seconds => format!("after {}", length(seconds)),
    }
}

fn attack_links(on: &str, found: &Attacks) -> Vec<AttackLink> {
    (1..)
        .zip(&found.names)
        .take(LISTED_MAX)
        .map(|(number, names)| AttackLink {
            number,
            needs: if names.is_empty() {
                "Nothing at all".to_owned()
            } else {
                sentence_case(&names.join(", "))
            },
            href: format!("/procedures/attacks?on={}&n={number}", encode(on)),
        })
        .collect()
}

fn figures(picture: &Picture) -> Vec<Figure> {
    picture
        .split()
        .iter()
        .map(|(name, part)| figure(name.clone(), part))
        .collect()
}

fn figure(caption: String, picture: &Picture) -> Figure {
    Figure {
        caption,
        svg: picture.inline(Room::Column),
        list: picture.list(),
    }
}

/// The sentence with the names of its blanks.
fn sentence(action: &Action) -> Words {
    Words::from_parts(action.says.iter().map(|part| match part {
        SentencePart::Text(text) => (text.as_str(), false),
        SentencePart::Parameter(index) => {
            let parameter = action.parameters.get(*index as usize);
            (parameter.map_or("", |parameter| &parameter.label), true)
        }
    }))
}

/// The Markdown of `explain`, without its heading and the sentence, both of which the page has.
fn blocks(markdown: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    for line in markdown.lines() {
        let is_number = |head: &str| !head.is_empty() && head.bytes().all(|b| b.is_ascii_digit());
        if line.is_empty() || line.starts_with("# ") || line.starts_with("> ") {
            continue;
        }
        if let Some(words) = line.strip_prefix("- ") {
            match blocks.last_mut() {
                Some(Block::Facts(facts)) => facts.push(plain(words)),
                _ => blocks.push(Block::Facts(vec![plain(words)])),
            }
        } else if let Some((_, words)) = line.split_once(". ").filter(|(head, _)| is_number(head)) {
            match blocks.last_mut() {
                Some(Block::Steps(steps)) => steps.push(plain(words)),
                _ => blocks.push(Block::Steps(vec![plain(words)])),
            }
        } else if let Some((_, words)) = line
            .split_once(' ')
            .filter(|(head, _)| head.bytes().all(|b| b == b'#'))
        {
            blocks.push(Block::Heading(plain(words)));
        } else {
            blocks.push(Block::Text(plain(line)));
        }
    }
    blocks
}

/// Words of `explain` without their Markdown: its own emphasis goes, what it escaped comes back.
fn plain(markdown: &str) -> String {
    let mut words = String::with_capacity(markdown.len());
    let mut letters = markdown.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => words.extend(letters.next()),
            '*' => {}
            letter => words.push(letter),
        }
    }
    // The ampersand last, so that what was written as an entity stays written as one.
    words
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
}

/// Whether a holding is one that an honest customer can lose.
pub fn can_be_lost(kind: &str) -> bool {
    kind != HoldingKind::State.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn explanations_come_back_as_they_were_meant() {
        assert_eq!(
            plain(r"a \*b\* *c* &amp;lt; \# &lt;x&gt;"),
            "a *b* c &lt; # <x>"
        );
        let made = blocks(
            "# A\n\n> B\n\n- one\n- two\n\nThere are 2 ways.\n\n## Usual\n\n1. x. y\n2. z\n",
        );
        assert_eq!(
            made,
            [
                Block::Facts(vec!["one".into(), "two".into()]),
                Block::Text("There are 2 ways.".into()),
                Block::Heading("Usual".into()),
                Block::Steps(vec!["x. y".into(), "z".into()]),
            ]
        );
    }
}
