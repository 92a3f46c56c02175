//! Incidents: the list with its alarms, one incident with everything that belongs to it, and the pages on which it is told
//! and closed.

use askama::Template;
use askama::filters::HtmlSafe;

use super::frame::{Banner, Section, StaffFrame};
use super::icon::Icon;
use super::page::Page;
use super::parts::{Errors, When};
use super::samples::{DIGEST, at, error, on, senior, tomorrow};
use crate::words::{Machine, Quoted, Typed};

/// A field of a form: its label, what it holds, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "parts/ask.html")]
pub struct Ask {
    /// `id`; unique on the page.
    pub id: String,
    /// `name`.
    pub name: String,
    /// What it asks for.
    pub label: String,
    /// One line more; empty for none.
    pub hint: String,
    /// How it is asked.
    pub kind: AskKind,
    /// What it holds.
    pub value: String,
    /// What is wrong.
    pub error: Option<String>,
}

/// How a field is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AskKind {
    /// One line.
    Line,
    /// A moment, UTC.
    Moment,
    /// Several lines.
    Text,
    /// One of these: value and label.
    Choice(Vec<(String, String)>),
}

impl HtmlSafe for Ask {}

impl Ask {
    /// An empty field.
    pub fn new(form: &str, name: &str, label: &str, hint: &str, kind: AskKind) -> Self {
        Self {
            id: format!("{form}-{name}"),
            name: name.to_owned(),
            label: label.to_owned(),
            hint: hint.to_owned(),
            kind,
            value: String::new(),
            error: None,
        }
    }

    fn is_chosen(&self, option: &str) -> bool {
        self.value == option
    }

    /// With what it holds.
    #[must_use]
    pub fn holding(mut self, value: impl Into<String>) -> Self {
        self.value = value.into();
        self
    }
}

/// A form: where it goes, its fields, and its button.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "parts/asks.html")]
pub struct Asks {
    /// Name within the page: `line`.
    pub name: String,
    /// Heading of what it folds away.
    pub title: String,
    /// Where it is posted.
    pub to: String,
    /// Fields.
    pub fields: Vec<Ask>,
    /// What the button says.
    pub button: String,
    /// Shown open: something in it is wrong.
    pub open: bool,
    /// The hidden field of every form.
    pub key: String,
}

impl HtmlSafe for Asks {}

/// `GET /incidents`
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "incidents.html")]
pub struct IncidentsPage {
    /// Frame.
    pub frame: StaffFrame,
    /// Open ones first.
    pub incidents: Vec<IncidentRow>,
    /// Those nobody has looked at first.
    pub alarms: Vec<AlarmRow>,
    /// The form that opens one by hand; `None` for who may only read.
    pub open: Option<Asks>,
    /// What was wrong.
    pub errors: Errors,
}

/// An incident on the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncidentRow {
    /// `IN-7F3K9Q`
    pub id: String,
    /// What colleagues call it.
    pub title: String,
    /// When it was opened, and by whom.
    pub opened: When,
    /// Who opened it.
    pub by: String,
    /// How it stands: `Looking into it`, `Not public`, `Closed`.
    pub state: String,
    /// Since when an update is overdue.
    pub overdue: Option<When>,
    /// `2 tasks open · 4 affected · statement published`
    pub about: String,
}

/// An alarm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlarmRow {
    /// Its id.
    pub id: String,
    /// When it happened.
    pub at: When,
    /// What, in a sentence.
    pub words: String,
    /// Where it was seen.
    pub connector: String,
    /// What became of it; `None` while nobody has looked at it.
    pub became: Option<String>,
    /// Its incident.
    pub incident: Option<String>,
    /// The forms for what can be done with it.
    pub can: Vec<Asks>,
}

/// `GET /incidents/{id}`
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "incident.html")]
pub struct IncidentPage {
    /// Frame.
    pub frame: StaffFrame,
    /// `IN-7F3K9Q`
    pub id: String,
    /// What colleagues call it.
    pub title: String,
    /// When it was opened.
    pub opened: When,
    /// By whom.
    pub by: String,
    /// What it was opened from.
    pub source: String,
    /// How it ended.
    pub closed: Option<String>,
    /// Since when an update is overdue.
    pub overdue: Option<When>,
    /// Facts, label and value.
    pub facts: Vec<(String, String)>,
    /// What it is about, label and value.
    pub scope: Vec<(String, String)>,
    /// Newest first.
    pub updates: Vec<UpdateRow>,
    /// Oldest first.
    pub timeline: Vec<TimelineRow>,
    /// It goes on beyond what is shown.
    pub timeline_cut: bool,
    /// Who else?
    pub touched: Vec<TouchedRow>,
    /// How many for each reason, in words.
    pub counts: String,
    /// Customers the reader is tied to.
    pub hidden: u64,
    /// There are more cases than were looked at.
    pub more: bool,
    /// Tasks.
    pub tasks: Vec<TaskRow>,
    /// Forms by the name of the part they stand in.
    pub forms: Vec<Asks>,
    /// What is public of the statement, in words.
    pub statement: String,
    /// What was wrong.
    pub errors: Errors,
}

/// Word to the public.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdateRow {
    /// When.
    pub at: When,
    /// How it stood.
    pub phase: String,
    /// In one sentence.
    pub headline: String,
    /// More.
    pub text: String,
    /// When the next one was to come.
    pub next: Option<When>,
}

/// A line of the timeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimelineRow {
    /// When.
    pub at: When,
    /// What.
    pub text: String,
    /// Who.
    pub who: String,
    /// Where this is known from.
    pub source: String,
    /// Its page.
    pub href: Option<String>,
}

/// A customer who may have been touched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TouchedRow {
    /// The company's own id; empty once they are erased.
    pub customer: String,
    /// Their name.
    pub name: String,
    /// Why, with counts.
    pub reasons: String,
    /// Their cases.
    pub cases: Vec<String>,
    /// How it stands with them, and who says so and why.
    pub standing: String,
    /// What was said of them is that they were affected.
    pub affected: bool,
    /// A letter is on its way.
    pub lettered: bool,
}

/// Something to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskRow {
    /// Its number.
    pub number: u32,
    /// What.
    pub text: String,
    /// Role or account.
    pub owner: String,
    /// Until when.
    pub due: When,
    /// How far.
    pub state: String,
    /// It is late.
    pub late: bool,
}

impl IncidentPage {
    /// The form of this name, where the reader may use it.
    fn form(&self, name: &str) -> Option<&Asks> {
        self.forms.iter().find(|form| form.name == name)
    }
}

/// `GET /incidents/{id}/statement`: written, checked, handed in, signed.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "statement.html")]
pub struct StatementPage {
    /// Frame.
    pub frame: StaffFrame,
    /// `IN-7F3K9Q`
    pub id: String,
    /// How often the draft was saved: comes back with the form.
    pub revision: u32,
    /// The versions.
    pub fields: Vec<Ask>,
    /// Fields facts are inserted by: name, meaning, value now.
    pub inserts: Vec<(String, String, String)>,
    /// What was found, errors first.
    pub findings: Vec<FindingRow>,
    /// The reader may write.
    pub can_write: bool,
    /// What waits for the second person.
    pub submitted: Option<SubmittedStatement>,
    /// Newest first.
    pub published: Vec<PublishedRow>,
    /// What was wrong.
    pub errors: Errors,
}

/// Something found in a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FindingRow {
    /// It keeps the statement from being published.
    pub error: bool,
    /// Which version.
    pub version: String,
    /// The words.
    pub quote: String,
    /// Why.
    pub why: String,
    /// What a better sentence would do.
    pub better: String,
}

/// A statement that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubmittedStatement {
    /// By whom.
    pub by: String,
    /// When.
    pub at: When,
    /// Version and text, as they would be published.
    pub texts: Vec<(String, String)>,
    /// What is signed.
    pub digest: String,
    /// Why the reader cannot sign; `None` where they can.
    pub cannot: Option<String>,
}

/// A statement that is public.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedRow {
    /// From 1.
    pub version: u32,
    /// When.
    pub at: When,
    /// Who wrote it.
    pub authors: String,
    /// Who signed it.
    pub signed_by: String,
    /// The long version.
    pub text: String,
}

/// `GET /incidents/{id}/letters`
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "letters.html")]
pub struct LettersPage {
    /// Frame.
    pub frame: StaffFrame,
    /// `IN-7F3K9Q`
    pub id: String,
    /// Those not sent first.
    pub letters: Vec<LetterRow>,
    /// How many customers the button writes to; 0 hides it.
    pub to_send: usize,
}

/// One letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LetterRow {
    /// Their name.
    pub name: String,
    /// The company's own id.
    pub customer: String,
    /// Masked addresses.
    pub to: String,
    /// Subject.
    pub subject: String,
    /// Text.
    pub text: String,
    /// It is on its way.
    pub sent: bool,
}

/// `GET /incidents/{id}/close`
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "closing.html")]
pub struct ClosingPage {
    /// Frame.
    pub frame: StaffFrame,
    /// `IN-7F3K9Q`
    pub id: String,
    /// Promises of the procedure in force.
    pub promises: Vec<ClosingPromise>,
    /// Why the reader cannot close it by a promise; `None` where they can.
    pub cannot: Option<String>,
    /// Why the reader cannot sign; `None` where they can.
    pub cannot_sign: Option<String>,
}

/// A promise that may close it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClosingPromise {
    /// In words.
    pub text: String,
    /// How it stands now and stood then.
    pub stands: String,
    /// It closes the incident.
    pub closes: bool,
}

impl StatementPage {
    fn can_sign(&self) -> bool {
        self.submitted
            .as_ref()
            .is_some_and(|submitted| submitted.cannot.is_none())
    }

    fn errors_found(&self) -> usize {
        self.findings.iter().filter(|found| found.error).count()
    }
}

fn sample_frame(here: &str) -> StaffFrame {
    let mut frame = senior(Some(Section::Incidents), here);
    frame.sections.push(Section::Incidents);
    frame
}

fn sample_form(name: &str, title: &str, fields: Vec<Ask>, button: &str) -> Asks {
    Asks {
        name: name.into(),
        title: title.into(),
        to: format!("/incidents/IN-7F3K9Q/change/{name}"),
        fields,
        button: button.into(),
        open: false,
        key: "01JD3QZ6X4W8".into(),
    }
}

impl Page for IncidentsPage {
    const NAME: &'static str = "incidents";

    fn samples() -> Vec<(&'static str, Self)> {
        let open = || Asks {
            to: "/incidents".into(),
            ..sample_form(
                "open",
                "Open an incident",
                vec![Ask::new(
                    "open",
                    "title",
                    "What colleagues call it",
                    "",
                    AskKind::Line,
                )],
                "Open it",
            )
        };
        let row = |id: &str, title: &str, state: &str| IncidentRow {
            id: id.into(),
            title: title.into(),
            opened: at("10:31"),
            by: "Idris Bello".into(),
            state: state.into(),
            overdue: None,
            about: "2 tasks open · 4 affected".into(),
        };
        let alarm = |became: Option<&str>| AlarmRow {
            id: "0f".repeat(16),
            at: at("09:58"),
            words: "No case covers this action: server.reinstall".into(),
            connector: "panel".into(),
            became: became.map(str::to_owned),
            incident: became.map(|_| "IN-7F3K9Q".into()),
            can: if became.is_some() {
                Vec::new()
            } else {
                vec![sample_form(
                    "settle-0f",
                    "It is nothing",
                    vec![Ask::new(
                        "settle-0f",
                        "reason",
                        "Why",
                        "10 to 500 characters.",
                        AskKind::Line,
                    )],
                    "Settle it",
                )]
            },
        };
        let page = |incidents: Vec<IncidentRow>, alarms: Vec<AlarmRow>, open| Self {
            frame: sample_frame("/incidents"),
            incidents,
            alarms,
            open,
            errors: Errors::default(),
        };
        let late = IncidentRow {
            overdue: Some(at("10:00")),
            ..row(
                "IN-2M4T8W",
                "A mailbox was changed by telephone, and a very long title that has to wrap somewhere",
                "Looking into it",
            )
        };
        vec![
            (
                "some",
                page(
                    vec![
                        late.clone(),
                        row("IN-7F3K9Q", "Servers erased without a case", "Closed"),
                    ],
                    vec![alarm(None), alarm(Some("In incident IN-7F3K9Q"))],
                    Some(open()),
                ),
            ),
            ("none", page(Vec::new(), Vec::new(), Some(open()))),
            ("reader", page(vec![late], Vec::new(), None)),
            (
                "no-title",
                Self {
                    errors: error("open-title", "At least 3 characters"),
                    ..page(
                        Vec::new(),
                        Vec::new(),
                        Some(Asks {
                            open: true,
                            fields: vec![Ask {
                                error: Some("At least 3 characters".into()),
                                ..Ask::new(
                                    "open",
                                    "title",
                                    "What colleagues call it",
                                    "",
                                    AskKind::Line,
                                )
                                .holding("x")
                            }],
                            ..open()
                        }),
                    )
                },
            ),
        ]
    }
}

impl Page for IncidentPage {
    const NAME: &'static str = "incident";

    fn samples() -> Vec<(&'static str, Self)> {
        let pairs = |pairs: &[(&str, &str)]| {
            let owned = |(label, value): &(&str, &str)| ((*label).into(), (*value).into());
            pairs.iter().map(owned).collect()
        };
        let whole = Self {
            frame: sample_frame("/incidents/IN-7F3K9Q"),
            id: "IN-7F3K9Q".into(),
            title: "Servers erased without a case".into(),
            opened: at("10:31"),
            by: "Idris Bello".into(),
            source: "an alarm".into(),
            closed: None,
            overdue: Some(at("11:00")),
            facts: pairs(&[("First", "23 Nov, 09:58"), ("Customers affected", "2")]),
            scope: pairs(&[("Connector", "panel"), ("From", "23 Nov, 09:58")]),
            updates: vec![UpdateRow {
                at: at("10:40"),
                phase: "Looking into it".into(),
                headline: "Servers were erased without a request".into(),
                text: "We have shut the door it came through.".into(),
                next: Some(at("11:00")),
            }],
            timeline: vec![
                TimelineRow {
                    at: at("09:58"),
                    text: "No case covers this action: server.reinstall".into(),
                    who: String::new(),
                    source: "the log of panel".into(),
                    href: None,
                },
                TimelineRow {
                    at: at("10:02"),
                    text: "Reinstall a server: Opened".into(),
                    who: "Maja Lindqvist".into(),
                    source: "case CS-7F3K9Q".into(),
                    href: Some("/cases/CS-7F3K9Q".into()),
                },
            ],
            timeline_cut: false,
            touched: vec![
                TouchedRow {
                    customer: "c-1042".into(),
                    name: "Halden Freight AB".into(),
                    reasons: "alarm 1, connector 2".into(),
                    cases: vec!["CS-7F3K9Q".into()],
                    standing: "Affected. Idris Bello: their server answers with a fresh image"
                        .into(),
                    affected: true,
                    lettered: true,
                },
                TouchedRow {
                    customer: String::new(),
                    name: "Erased".into(),
                    reasons: "marked by hand".into(),
                    cases: Vec::new(),
                    standing: "Nobody has said yet".into(),
                    affected: false,
                    lettered: false,
                },
            ],
            counts: "alarm 1, connector 2".into(),
            hidden: 1,
            more: true,
            tasks: vec![TaskRow {
                number: 1,
                text: "Shut the panel's old door".into(),
                owner: "senior".into(),
                due: tomorrow(),
                state: "Being done".into(),
                late: false,
            }],
            forms: vec![
                sample_form(
                    "line",
                    "Add a line",
                    vec![
                        Ask::new("line", "when", "When (UTC)", "", AskKind::Moment),
                        Ask::new("line", "text", "What", "", AskKind::Text),
                        Ask::new(
                            "line",
                            "source",
                            "Where this is known from",
                            "",
                            AskKind::Line,
                        ),
                    ],
                    "Add the line",
                ),
                sample_form(
                    "mark",
                    "Say how it stands with a customer",
                    vec![
                        Ask::new("mark", "customer", "Customer id", "", AskKind::Line),
                        Ask::new(
                            "mark",
                            "standing",
                            "How it stands",
                            "",
                            AskKind::Choice(vec![
                                ("affected".into(), "Affected".into()),
                                ("not_affected".into(), "Not affected".into()),
                            ]),
                        ),
                        Ask::new(
                            "mark",
                            "reason",
                            "Why",
                            "10 to 500 characters.",
                            AskKind::Text,
                        ),
                    ],
                    "Write it down",
                ),
            ],
            statement: "Version 1 is public.".into(),
            errors: Errors::default(),
        };
        let empty = Self {
            overdue: None,
            updates: Vec::new(),
            timeline: Vec::new(),
            touched: Vec::new(),
            counts: String::new(),
            hidden: 0,
            more: false,
            tasks: Vec::new(),
            facts: Vec::new(),
            scope: Vec::new(),
            statement: "Nothing is written yet.".into(),
            ..whole.clone()
        };
        let closed = Self {
            closed: Some("Petra Holm signed on 24 Nov, 10:45 why no promise is needed: “the old door is shut”".into()),
            forms: Vec::new(),
            overdue: None,
            timeline_cut: true,
            ..whole.clone()
        };
        let mut wrong = whole.clone();
        wrong.errors = error("line-when", "It has not happened yet");
        if let Some(form) = wrong.forms.first_mut() {
            form.open = true;
            if let Some(field) = form.fields.first_mut() {
                field.error = Some("It has not happened yet".into());
                field.value = "2027-01-01T10:00".into();
            }
        }
        vec![
            ("open", whole),
            ("fresh", empty),
            ("closed", closed),
            ("mistyped", wrong),
        ]
    }
}

impl Page for StatementPage {
    const NAME: &'static str = "statement";

    fn samples() -> Vec<(&'static str, Self)> {
        let field = |name: &str, label: &str, value: &str| {
            Ask::new("statement", name, label, "", AskKind::Text).holding(value)
        };
        let texts = || {
            vec![
                field(
                    "blog",
                    "Status page and blog",
                    "At {{began_at}} we erased three servers.",
                ),
                field("mail", "Mail", ""),
                field("chars_500", "500 characters", ""),
                field("chars_280", "280 characters", ""),
            ]
        };
        let finding = |error: bool, quote: &str, why: &str, better: &str| FindingRow {
            error,
            version: "Status page and blog".into(),
            quote: quote.into(),
            why: why.into(),
            better: better.into(),
        };
        let page = Self {
            frame: sample_frame("/incidents/IN-7F3K9Q/statement"),
            id: "IN-7F3K9Q".into(),
            revision: 2,
            fields: texts(),
            inserts: vec![
                (
                    "customers_affected".into(),
                    "how many customers were affected".into(),
                    "2".into(),
                ),
                ("began_at".into(), "when it began".into(), String::new()),
            ],
            findings: vec![
                finding(
                    true,
                    "three customers",
                    "the incident has 2 affected customers",
                    "",
                ),
                finding(
                    false,
                    "any inconvenience",
                    "it makes small what somebody else lived through",
                    "names what it cost them, counted",
                ),
            ],
            can_write: true,
            submitted: None,
            published: Vec::new(),
            errors: Errors::default(),
        };
        let waits = |cannot: Option<&str>| {
            Some(SubmittedStatement {
                by: "Idris Bello".into(),
                at: at("11:20"),
                texts: vec![(
                    "Status page and blog".into(),
                    "At 09:58 UTC we erased two servers.".into(),
                )],
                digest: DIGEST.into(),
                cannot: cannot.map(str::to_owned),
            })
        };
        vec![
            ("draft", page.clone()),
            (
                "good",
                Self {
                    findings: Vec::new(),
                    ..page.clone()
                },
            ),
            (
                "sign",
                Self {
                    submitted: waits(None),
                    findings: Vec::new(),
                    ..page.clone()
                },
            ),
            (
                "own",
                Self {
                    submitted: waits(Some("Whoever wrote the statement does not sign it.")),
                    ..page.clone()
                },
            ),
            (
                "published",
                Self {
                    published: vec![PublishedRow {
                        version: 1,
                        at: on("2026-11-23T12:00:00+01:00", "12:00"),
                        authors: "Idris Bello".into(),
                        signed_by: "Petra Holm".into(),
                        text: "At 09:58 UTC we erased two servers.".into(),
                    }],
                    findings: Vec::new(),
                    can_write: false,
                    ..page.clone()
                },
            ),
            (
                "changed",
                Self {
                    errors: error(
                        "statement-blog",
                        "Somebody else saved it since you read it. Yours is below; theirs counts until you save.",
                    ),
                    ..page
                },
            ),
        ]
    }
}

impl Page for LettersPage {
    const NAME: &'static str = "letters";

    fn samples() -> Vec<(&'static str, Self)> {
        let letter = |sent: bool, to: &str| {
            // Whoever has no address from before is somebody else.
            let (name, customer) = if to.is_empty() {
                ("Ostra Books", "c-1077")
            } else {
                ("Halden Freight AB", "c-1042")
            };
            LetterRow {
            name: name.into(),
            customer: customer.into(),
            to: to.into(),
            subject: "Acme Hosting: what happened to your account".into(),
            text: "Something went wrong at Acme Hosting, and it touched your account.\n\n- 23 November 2026, 09:58 UTC: Reinstall a server. Done (CS-7F3K9Q)".into(),
            sent,
        }
        };
        let page = |letters: Vec<LetterRow>, to_send| Self {
            frame: sample_frame("/incidents/IN-7F3K9Q/letters"),
            id: "IN-7F3K9Q".into(),
            letters,
            to_send,
        };
        vec![
            (
                "to-send",
                page(
                    vec![letter(false, "s••••@halden.example"), letter(false, "")],
                    1,
                ),
            ),
            ("sent", page(vec![letter(true, "s••••@halden.example")], 0)),
            ("nobody", page(Vec::new(), 0)),
        ]
    }
}

impl Page for ClosingPage {
    const NAME: &'static str = "closing";

    fn samples() -> Vec<(&'static str, Self)> {
        let promise = |text: &str, stands: &str, closes| ClosingPromise {
            text: text.into(),
            stands: stands.into(),
            closes,
        };
        let page = |promises: Vec<ClosingPromise>, cannot: Option<&str>, sign: Option<&str>| Self {
            frame: sample_frame("/incidents/IN-7F3K9Q/close"),
            id: "IN-7F3K9Q".into(),
            promises,
            cannot: cannot.map(str::to_owned),
            cannot_sign: sign.map(str::to_owned),
        };
        let promises = || {
            vec![
                promise(
                    "A stolen PIN reads out nothing",
                    "Kept now. Broken by the procedure of that time.",
                    true,
                ),
                promise(
                    "A hijacked mailbox gains nothing",
                    "Kept now, and kept then: it is not what went wrong.",
                    false,
                ),
            ]
        };
        vec![
            (
                "promise",
                page(
                    promises(),
                    None,
                    Some("Whoever opened the incident does not sign this."),
                ),
            ),
            ("sign", page(Vec::new(), None, None)),
            (
                "reader",
                page(
                    promises(),
                    Some("This needs the role senior."),
                    Some("This needs the role senior."),
                ),
            ),
        ]
    }
}
