//! The procedure in force: what is asked, what is promised, what a thief would need.

use askama::Template;
use askama::filters::HtmlSafe;
use countersign_prover::draw::Item;

use super::frame::{Banner, StaffFrame};
use super::icon::Icon;
use super::page::Page;
use super::parts::Sentence;
use super::procedure_samples as samples;

/// `GET /procedures`
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "procedures.html")]
pub struct ProceduresPage {
    /// Frame.
    pub frame: StaffFrame,
    /// Whose procedure it is.
    pub organisation: String,
    /// First digits of its version.
    pub version: String,
    /// Lines of its text.
    pub lines: usize,
    /// What the gate does.
    pub actions: Vec<ActionRow>,
    /// What happens elsewhere.
    pub outside: Vec<ActionRow>,
    /// Every promise.
    pub promises: Vec<PromiseRow>,
    /// Every loss.
    pub losses: Vec<TargetTab>,
}

/// `GET /procedures/action/{action}`
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "procedure-action.html")]
pub struct ActionPage {
    /// Frame.
    pub frame: StaffFrame,
    /// First digits of the version in force, which is shown.
    pub version: String,
    /// The link was to another version.
    pub other_version: bool,
    /// The action.
    pub study: crate::study::ActionStudy,
}

/// `GET /procedures/attacks?on=&n=`
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "procedure-attacks.html")]
pub struct AttacksPage {
    /// Frame.
    pub frame: StaffFrame,
    /// Every loss.
    pub tabs: Vec<TargetTab>,
    /// The target that is shown; none where nothing can be lost.
    pub study: Option<crate::study::AttackStudy>,
}

/// `GET /procedures/reach?h.NAME=on&r.ROLE=1&unread=on`
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "procedure-reach.html")]
pub struct ReachPage {
    /// Frame.
    pub frame: StaffFrame,
    /// What can be chosen.
    pub holdings: Vec<HoldingChoice>,
    /// Whom.
    pub roles: Vec<RoleChoice>,
    /// Nobody reads the notices.
    pub unread: bool,
    /// The answer; none before anything was chosen.
    pub answer: Option<crate::study::ReachStudy>,
}

/// `GET /procedures/lockout?h.NAME=on`
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "procedure-lockout.html")]
pub struct LockoutPage {
    /// Frame.
    pub frame: StaffFrame,
    /// What can be chosen.
    pub holdings: Vec<HoldingChoice>,
    /// The answer; none before anything was chosen.
    pub answer: Option<Vec<StandingRow>>,
}

/// `GET /procedures/text`
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "procedure-text.html")]
pub struct ProcedureTextPage {
    /// Frame.
    pub frame: StaffFrame,
    /// All 64 digits.
    pub version: String,
    /// The first lines of the text.
    pub lines: Vec<String>,
    /// How many there are.
    pub all: usize,
}

/// An action in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActionRow {
    /// Its page.
    pub href: String,
    /// `server.reinstall`
    pub name: String,
    /// `Reinstall a server`
    pub label: String,
    /// Each path.
    pub ways: Vec<WayNeeds>,
}

/// What one path asks, in short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WayNeeds {
    /// `Lost phone`
    pub name: String,
    /// `2 proofs, 1 senior support agent, 24 hours`
    pub needs: String,
}

/// A promise with its verdict.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "parts/promise.html")]
pub struct PromiseRow {
    /// The claim as the procedure words it.
    pub text: String,
    /// Proved.
    pub kept: bool,
    /// The claim itself: `Never: … . Even if … .`
    pub means: String,
    /// Where it stands in the file.
    pub line: Option<usize>,
    /// `The quickest way: at once.`
    pub within: Option<String>,
    /// The quickest way, or the attack that breaks it.
    pub steps: Vec<StepRow>,
    /// What an honest customer lacks.
    pub missing: Vec<StepRow>,
    /// What the verdict takes for granted.
    pub assumes: Vec<String>,
}

impl HtmlSafe for PromiseRow {}

/// One step of a way or an attack.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(
    source = r##"<li>{{ words }}{% if let Some(line) = line %} <a class="ln" href="/procedures/text#L{{ line }}">line {{ line }}</a>{% endif %}</li>"##,
    ext = "html"
)]
pub struct StepRow {
    /// In the procedure's own words.
    pub words: String,
    /// Where it stands in the file.
    pub line: Option<usize>,
}

impl HtmlSafe for StepRow {}

/// A loss, with its attacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetTab {
    /// `server_data`
    pub name: String,
    /// `Every file on a customer's server`
    pub label: String,
    /// How many attacks are listed.
    pub count: usize,
    /// Its page.
    pub href: String,
}

/// An attack in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttackLink {
    /// From 1.
    pub number: usize,
    /// `Key taken, password stolen`
    pub needs: String,
    /// Its picture.
    pub href: String,
}

/// An attack in full.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttackView {
    /// From 1.
    pub number: usize,
    /// What it needs.
    pub needs: Vec<String>,
    /// The story.
    pub steps: Vec<StepRow>,
    /// The picture.
    pub figure: Figure,
}

/// A picture and the list it was drawn from.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "parts/figure.html")]
pub struct Figure {
    /// Name of the path; empty where there is only one.
    pub caption: String,
    /// SVG of `countersign_prover::draw`, which escapes every word in it.
    pub svg: String,
    /// The same as an ordered list.
    pub list: Vec<Item>,
}

impl HtmlSafe for Figure {}

/// A piece of an explanation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Block {
    /// Name of a path.
    Heading(String),
    /// A sentence.
    Text(String),
    /// What is so.
    Facts(Vec<String>),
    /// What is asked, in order.
    Steps(Vec<String>),
}

/// A holding that a question can name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldingChoice {
    /// Name of the field: `h.mailbox`.
    pub field: String,
    /// `E-mail address on file`
    pub label: String,
    /// `secret`, `channel`, `device`, `state`.
    pub kind: String,
    /// Chosen.
    pub chosen: bool,
}

/// A staff role that a question can name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleChoice {
    /// Name of the field: `r.agent`.
    pub field: String,
    /// `Support agent`
    pub label: String,
    /// How many are fooled.
    pub people: u32,
}

/// What becomes of one action in the answer to a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StandingRow {
    /// `server.reinstall`
    pub name: String,
    /// `Reinstall a server`
    pub label: String,
    /// They get it done.
    pub open: bool,
    /// `Stopped`, `After 3d`.
    pub standing: String,
    /// One picture for each path.
    pub figures: Vec<Figure>,
}

/// The list under a picture.
#[derive(Template)]
#[template(
    source = r#"<ol>{% for item in items %}<li>{{ item.words }}{% if let Some(s) = item.standing %} <b>({{ s }})</b>{% endif %}{% if !item.items.is_empty() %}{{ List::new(item.items) }}{% endif %}</li>{% endfor %}</ol>"#,
    ext = "html"
)]
struct List<'a> {
    items: &'a [Item],
}

impl HtmlSafe for List<'_> {}

impl<'a> List<'a> {
    fn new(items: &'a [Item]) -> Self {
        Self { items }
    }
}

impl ProceduresPage {
    fn kept(&self) -> usize {
        self.promises.iter().filter(|promise| promise.kept).count()
    }
}

impl HoldingChoice {
    /// What becomes of one that a thief has.
    fn fate(&self) -> &'static str {
        match self.kind.as_str() {
            "secret" => "stolen",
            "channel" => "hijacked",
            "device" => "taken",
            _ => "reached",
        }
    }
}

impl ReachPage {
    fn done(&self) -> usize {
        let actions = self.answer.as_ref().map(|answer| &answer.actions);
        actions.map_or(0, |actions| actions.iter().filter(|row| row.open).count())
    }
}

impl LockoutPage {
    fn out(&self) -> usize {
        let rows = self.answer.as_ref();
        rows.map_or(0, |rows| rows.iter().filter(|row| !row.open).count())
    }
}

impl AttacksPage {
    fn is_current(&self, tab: &TargetTab) -> bool {
        self.study
            .as_ref()
            .is_some_and(|study| study.name == tab.name)
    }
}

impl Page for ProceduresPage {
    const NAME: &'static str = "procedures";

    fn samples() -> Vec<(&'static str, Self)> {
        samples::lists()
    }
}

impl Page for ActionPage {
    const NAME: &'static str = "procedure-action";

    fn samples() -> Vec<(&'static str, Self)> {
        samples::actions()
    }
}

impl Page for AttacksPage {
    const NAME: &'static str = "procedure-attacks";

    fn samples() -> Vec<(&'static str, Self)> {
        samples::attacks()
    }
}

impl Page for ReachPage {
    const NAME: &'static str = "procedure-reach";

    fn samples() -> Vec<(&'static str, Self)> {
        samples::reach()
    }
}

impl Page for LockoutPage {
    const NAME: &'static str = "procedure-lockout";

    fn samples() -> Vec<(&'static str, Self)> {
        samples::lockout()
    }
}

impl Page for ProcedureTextPage {
    const NAME: &'static str = "procedure-text";

    fn samples() -> Vec<(&'static str, Self)> {
        samples::text()
    }
}
