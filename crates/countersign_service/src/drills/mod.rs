//! Drills: planted cases that look like any other, and that a careful colleague refuses.
//!
//! Somebody plans one, or the procedure's own `drill` lines do; the gate draws the moment, and the scenario. A planted case is
//! of nobody: [`inventing`] makes a customer who does not exist and who carries that they are planted in the same record as
//! their addresses, so that no letter ever leaves. From there on it is a case like any other, opened, linked, proved, confirmed
//! and answered by the same functions, step by step as people do it. Its mark says that it is a drill to whoever has the salt,
//! and so no permit can be made of it ([`countersign_cases::Earnest`]). Once it is answered, or nobody did in time, it is told:
//! an event in its own stream opens the mark, and the page says what was planted and what there was to notice.
//!
//! Nobody plans a drill for themselves. Who planned one, and when, is an event; which case it became is known when it is told.

mod inventing;
mod script;

use std::collections::{BTreeMap, BTreeSet};

use countersign_cases::{
    Case, CaseId, Command, CustomerId, Drill, DrillPlan, Event, EventKind, Evidence, PersonId,
    Timestamp,
};
use countersign_language::{Action, Procedure, RoleId, SCENARIOS, Scenario, Sign, scenario};
use countersign_store::{Batch, NewWork, StreamKey, Work};
use serde::{Deserialize, Serialize};

use crate::{
    adapters::{
        dice::uniform_below,
        tokens::{Token, TokenKind},
    },
    cases::{CaseError, OpenRequest},
    customers::{Attested, terms},
    decisions::{Also, Loaded},
    gate::Gate,
    kept::day_of,
    notices::finished,
    records::{self, Account, CaseRow, Customer, Held, space},
    sessions::{MachineCaller, SignedInStaff},
    settings::{ConsoleRole, Scope},
    shell::{Entry, Tries},
    statistics::Rate,
    trouble::Trouble,
};
use inventing::Part;
use script::Script;

/// The queue of what happens in drills.
pub(crate) const DRILL: &str = "drill";

/// Somebody is shown by name from so many answers on.
pub(crate) const DRILLS_TO_BE_NAMED: u64 = 5;

/// The longest time in which a planned drill may be played.
const WITHIN_DAYS_MAX: u32 = 60;

/// Between what the customer of a planted case does and what they do next.
const STEP_SECONDS: (u32, u32) = (15, 90);

/// Most drills that are read for the page: years of them.
const READ_MAX: usize = 5_000;

/// Most drills that are told on one page.
const SHOWN_MAX: usize = 50;

/// How often ids are drawn anew before a drill is given up.
const DRAWN_MAX: usize = 20;

/// What somebody wants to be played.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DrillWish {
    /// Name of the action of one of the procedure's `drill` lines.
    pub action: String,
    /// Name of one of its scenarios; drawn if left out.
    #[serde(default)]
    pub scenario: Option<String>,
    /// Within how many days from now it is played; 1 to 60.
    pub within_days: u32,
    /// Values of the action's parameters that are not to be invented, by name.
    #[serde(default)]
    pub values: BTreeMap<String, String>,
}

/// A drill that is planned, runs, or was told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Planned {
    plan: DrillPlan,
    action: String,
    asks: Vec<String>,
    values: BTreeMap<String, String>,
    by: Option<Planner>,
    at: Timestamp,
    customer: Option<CustomerId>,
    case: Option<CaseId>,
    /// It could not be played, and why.
    dropped: Option<String>,
    told: Option<Told>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Planner {
    account: String,
    person: PersonId,
    name: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Told {
    at: Timestamp,
    answers: Vec<Answered>,
}

/// What a colleague did in a drill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Answered {
    person: PersonId,
    name: String,
    /// Names of those roles that were asked which they stand for.
    team: Vec<String>,
    /// They refused.
    noticed: bool,
    at: Timestamp,
}

/// Everything about drills that a reader may know.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Drills {
    /// The reader may plan some of them.
    pub may_plan: bool,
    /// What the procedure in force declares.
    pub declared: Vec<DeclaredDrill>,
    /// How many are planned or run now, for whoever plans them: nobody else is told when to look twice, and nobody learns which.
    pub under_way: Option<usize>,
    /// Vigilance by team and month, newest first.
    pub teams: Vec<TeamVigilance>,
    /// The reader's own, whatever their number; `None` where they answered none.
    pub own: Option<PersonVigilance>,
    /// People with five answers or more, by name; for auditors.
    pub people: Vec<PersonVigilance>,
    /// Drills that were told, newest first: those the reader answered; for auditors and whoever plans, all.
    pub told: Vec<ToldDrill>,
}

/// A `drill` line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeclaredDrill {
    /// Name of the action.
    pub action: String,
    /// Its label.
    pub action_label: String,
    /// Names and titles of the scenarios.
    pub plays: Vec<(String, String)>,
    /// Names and labels of the action's parameters.
    pub parameters: Vec<(String, String)>,
    /// Labels of the roles that are asked.
    pub asks: Vec<String>,
    /// How often on the average, in days.
    pub every_days: u64,
    /// The reader may plan it: they have none of its roles.
    pub may_plan: bool,
}

/// How a team answered drills in one month.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TeamVigilance {
    /// `2026-11`, UTC; of the answer.
    pub month: String,
    /// Name of the role.
    pub team: String,
    /// Its label.
    pub label: String,
    /// Refused, of all answers, with its interval.
    pub noticed: Rate,
}

/// How one person answered drills.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PersonVigilance {
    /// Name as the newest answer has it.
    pub name: String,
    /// Refused, of all answers, with its interval.
    pub noticed: Rate,
}

/// A drill that was told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ToldDrill {
    /// The case it was.
    pub case: CaseId,
    /// When it was told.
    pub told_at: Timestamp,
    /// Label of the action.
    pub action_label: String,
    /// What was played.
    pub title: String,
    /// The case of the museum that it was taken from.
    pub from: String,
    /// What happened then.
    pub story: String,
    /// What was planted, in words.
    pub planted: Vec<String>,
    /// What a careful person notices.
    pub notices: String,
    /// What the reader did: refused or signed; `None` where they did not answer.
    pub noticed: Option<bool>,
    /// How many answered, and how many of them refused.
    pub answers: (usize, usize),
    /// Who planned it; `None` for the gate.
    pub planned_by: Option<String>,
    /// When.
    pub planned_at: Timestamp,
}

/// Why a drill was not planned.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DrillError {
    /// The account has not the role.
    #[error("this needs `{0}`")]
    NotAllowed(&'static str),
    /// The procedure in force has no such line.
    #[error("the procedure in force declares no such drill")]
    Unknown,
    /// Whoever would be asked plans it.
    #[error("nobody plans a drill for themselves")]
    Yourself,
    /// A field cannot be taken.
    #[error("`{field}` {why}")]
    Field {
        /// Which.
        field: &'static str,
        /// Why.
        why: &'static str,
    },
    /// No path can be played without somebody real.
    #[error("this scenario cannot be played in a case of this action")]
    Unplayable,
    /// The store.
    #[error(transparent)]
    Trouble(#[from] Trouble),
}

impl DrillError {
    /// Stable word.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotAllowed(_) => "not-allowed",
            Self::Unknown => "unknown-drill",
            Self::Yourself => "own-drill",
            Self::Field { .. } => "bad-field",
            Self::Unplayable => "unplayable-drill",
            Self::Trouble(trouble) => trouble.code(),
        }
    }
}

/// What is to be done next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
enum Step {
    /// One of the procedure's own is due.
    Due { action: String, asks: Vec<String> },
    /// The customer of this one does what comes next.
    Play { plan: String },
    /// This one is over.
    Tell { plan: String },
}

impl Gate {
    /// Plans a drill. The gate draws when it is played, and the scenario where none is named.
    ///
    /// # Errors
    /// [`DrillError::NotAllowed`] without the console role `admin`; [`DrillError::Yourself`] for whoever could be asked in it,
    /// from whichever account.
    pub async fn plan_drill(&self, by: &SignedInStaff, wish: &DrillWish) -> Result<(), DrillError> {
        if !by.has(ConsoleRole::Admin) {
            return Err(DrillError::NotAllowed("admin"));
        }
        if !(1..=WITHIN_DAYS_MAX).contains(&wish.within_days) {
            return Err(field("within_days", "is 1 to 60"));
        }
        let procedure = self.procedure_for_new_cases().await?;
        let roles = self.roles_of_person(by.person()).await?;
        let lines = || {
            let all = procedure.drills.iter();
            all.filter(|line| name_of(&procedure, line) == Some(wish.action.as_str()))
        };
        if lines().next().is_none() {
            return Err(DrillError::Unknown);
        }
        let line = lines()
            .find(|line| !concerns(&procedure, line, &roles))
            .ok_or(DrillError::Yourself)?;
        let action = action_of(&procedure, line).ok_or(DrillError::Unknown)?;
        let known = |name: &String| action.parameters.iter().any(|one| one.name == *name);
        if !wish.values.keys().all(known) {
            return Err(field(
                "values",
                "name a parameter that the action does not have",
            ));
        }
        let mut planned = Planned {
            plan: DrillPlan {
                scenario: String::new(),
                plan: self.opaque_id("d"),
            },
            action: wish.action.clone(),
            asks: names_of(&procedure, &line.asks),
            values: wish.values.clone(),
            by: Some(Planner {
                account: by.account().to_owned(),
                person: by.person().clone(),
                name: by.name().to_owned(),
            }),
            at: self.now(),
            customer: None,
            case: None,
            dropped: None,
            told: None,
        };
        let wanted = match wish.scenario.as_ref().filter(|name| !name.is_empty()) {
            Some(name) if line.plays.contains(name) => std::slice::from_ref(name),
            Some(_) => return Err(field("scenario", "is not one of this drill")),
            None => line.plays.as_slice(),
        };
        planned.plan.scenario = self
            .drawn(&procedure, &planned, wanted)
            .await?
            .ok_or(DrillError::Unplayable)?;
        let within = wish.within_days.saturating_mul(86_400);
        let mut tries = Tries::default();
        loop {
            let mut batch = Batch::default();
            self.write_plan(&mut batch, &planned, within)?;
            if self.committed(batch, &mut tries).await? {
                return Ok(());
            }
        }
    }

    /// What a member of staff may know of drills.
    ///
    /// # Errors
    /// [`DrillError::NotAllowed`] without any role.
    pub async fn drills(&self, by: &SignedInStaff) -> Result<Drills, DrillError> {
        let (admin, auditor) = (by.has(ConsoleRole::Admin), by.has(ConsoleRole::Auditor));
        if by.roles().is_empty() && !admin && !auditor {
            return Err(DrillError::NotAllowed("staff"));
        }
        let roles = self.roles_of_person(by.person()).await?;
        let all = self.all_drills().await?;
        let procedure = self.procedure();
        let mut drills = vigilance(&procedure, &all);
        for (line, declared) in procedure.drills.iter().zip(&mut drills.declared) {
            declared.may_plan = admin && !concerns(&procedure, line, &roles);
        }
        drills.may_plan = drills.declared.iter().any(|declared| declared.may_plan);
        if !auditor {
            drills.people.clear();
        }
        if drills.may_plan {
            let open = |planned: &&Planned| planned.told.is_none() && planned.dropped.is_none();
            drills.under_way = Some(all.iter().filter(open).count());
        }
        drills.own = people(&all)
            .remove(by.person())
            .map(|(name, noticed, of)| PersonVigilance {
                name,
                noticed: Rate::new(noticed, of),
            });
        let mut told: Vec<ToldDrill> = all
            .iter()
            .filter_map(|planned| told_of(&procedure, planned, by.person()))
            .filter(|told| told.noticed.is_some() || admin || auditor)
            .collect();
        told.sort_by_key(|told| std::cmp::Reverse(told.told_at));
        told.truncate(SHOWN_MAX);
        drills.told = told;
        Ok(drills)
    }

    /// Vigilance by team, for a program; nobody is named, and no case.
    ///
    /// # Errors
    /// [`DrillError::NotAllowed`] without the scope `read`.
    pub async fn drills_for(&self, by: &MachineCaller) -> Result<Drills, DrillError> {
        if !by.may(Scope::Read) {
            return Err(DrillError::NotAllowed("read"));
        }
        let mut drills = vigilance(&self.procedure(), &self.all_drills().await?);
        drills.people.clear();
        Ok(drills)
    }

    /// Sees to it that every drill the procedure declares comes due by itself. Asking again changes nothing.
    pub(crate) async fn schedule_drills(&self) -> Result<(), Trouble> {
        let procedure = self.procedure();
        let mut batch = Batch::default();
        for line in &procedure.drills {
            let Some(action) = name_of(&procedure, line) else {
                continue;
            };
            let asks = names_of(&procedure, &line.asks);
            let every = u32::try_from(line.every.seconds()).unwrap_or(u32::MAX);
            let due = self
                .now()
                .plus_seconds(u64::from(self.drawn_seconds(0, every)));
            batch.work.push(NewWork {
                queue: DRILL,
                key: due_key(action, &asks),
                due_ms: due.0,
                body: records::write_json(&Step::Due {
                    action: action.to_owned(),
                    asks,
                })?,
            });
        }
        self.committed(batch, &mut Tries::default()).await?;
        Ok(())
    }

    /// Does what is due in a drill.
    pub(crate) async fn drill_step(&self, work: &Work) -> Result<(), Trouble> {
        let again = match records::read_json(&work.body)? {
            Step::Due { action, asks } => return self.plan_declared(work, &action, &asks).await,
            Step::Play { plan } => self.play(&plan).await?,
            Step::Tell { plan } => {
                self.tell(&plan).await?;
                None
            }
        };
        self.finish(DRILL, &work.key, again).await
    }

    /// One of the procedure's own is due: planned by the gate, and due again after half to one and a half times its period.
    async fn plan_declared(
        &self,
        work: &Work,
        action: &str,
        asks: &[String],
    ) -> Result<(), Trouble> {
        let procedure = self.procedure_for_new_cases().await?;
        let line = procedure.drills.iter().find(|line| {
            name_of(&procedure, line) == Some(action) && names_of(&procedure, &line.asks) == asks
        });
        let Some(line) = line else {
            // No longer declared.
            return self.finish(DRILL, &work.key, None).await;
        };
        let mut planned = Planned {
            plan: DrillPlan {
                scenario: String::new(),
                plan: self.opaque_id("d"),
            },
            action: action.to_owned(),
            asks: asks.to_vec(),
            values: BTreeMap::new(),
            by: None,
            at: self.now(),
            customer: None,
            case: None,
            dropped: None,
            told: None,
        };
        let every = u32::try_from(line.every.seconds()).unwrap_or(u32::MAX);
        let next = self.drawn_seconds(every / 2, every.saturating_add(every / 2));
        let mut batch = Batch::default();
        if let Some(drawn) = self.drawn(&procedure, &planned, &line.plays).await? {
            planned.plan.scenario = drawn;
            // The event says that one was planned, and not when it is played.
            self.write_plan(&mut batch, &planned, (every / 2).max(1))?;
        } else {
            tracing::warn!(action, "no scenario of this drill can be played");
        }
        let next = self.now().plus_seconds(u64::from(next));
        batch.finished.push(finished(DRILL, &work.key, Some(next)));
        self.committed(batch, &mut Tries::default()).await?;
        Ok(())
    }

    /// A plan, its event, and the moment at which it is played: somewhere in so many seconds from now.
    fn write_plan(
        &self,
        batch: &mut Batch,
        planned: &Planned,
        within_seconds: u32,
    ) -> Result<(), Trouble> {
        let id = &planned.plan.plan;
        let by = planned.by.as_ref().map_or("gate", |by| by.account.as_str());
        let data = serde_json::json!({ "plan": id, "by": by });
        let entry = Entry::new("drill.planned", planned.at, None, &data)?;
        self.record(batch, &stream(id), 0, vec![entry])?;
        batch
            .records
            .push(records::put(space::DRILL, id.clone(), planned, Some(0))?);
        let after = u64::from(self.drawn_seconds(0, within_seconds));
        batch.work.push(NewWork {
            queue: DRILL,
            key: format!("play/{id}"),
            due_ms: planned.at.plus_seconds(after).0,
            body: records::write_json(&Step::Play { plan: id.clone() })?,
        });
        Ok(())
    }

    /// The next thing the customer of a planted case does. Gives when the one after it is due.
    async fn play(&self, id: &str) -> Result<Option<Timestamp>, Trouble> {
        let Some(held) = self.load::<Planned>(space::DRILL, id).await? else {
            return Ok(None);
        };
        let planned = &held.value;
        if planned.told.is_some() || planned.dropped.is_some() {
            return Ok(None);
        }
        let done = match &planned.case {
            None => self.plant(held.clone()).await,
            Some(case) => self.act(planned, case).await,
        };
        match done {
            Ok(true) => {
                let (least, most) = STEP_SECONDS;
                let pause = self.drawn_seconds(least, most);
                Ok(Some(self.now().plus_seconds(u64::from(pause))))
            }
            Ok(false) => Ok(None),
            Err(CaseError::Trouble(trouble)) => Err(trouble),
            Err(error) => {
                self.drop_drill(id, error.code()).await?;
                Ok(None)
            }
        }
    }

    /// Invents the customer, opens their case as the company's panel would, and follows the link.
    async fn plant(&self, mut held: Held<Planned>) -> Result<bool, CaseError> {
        let procedure = self.procedure_for_new_cases().await?;
        let planned = held.value.clone();
        if planned.customer.is_some() {
            // It was interrupted here, and somebody may have seen half of it.
            self.drop_drill(&planned.plan.plan, "interrupted").await?;
            return Ok(false);
        }
        let Some((customer, request, backups)) = self.cast(&procedure, &planned).await? else {
            self.drop_drill(&planned.plan.plan, "unplayable-drill")
                .await?;
            return Ok(false);
        };
        let id = customer.id.clone();
        let mut batch = Batch::default();
        self.write_customer(&mut batch, None, &customer, 0).await?;
        if !backups.is_empty() {
            batch.records.push(records::put(
                space::BACKUPS,
                records::part(&id.0),
                &backups,
                Some(0),
            )?);
        }
        held.value.customer = Some(id.clone());
        let revision = held.revision;
        batch.records.push(records::put(
            space::DRILL,
            planned.plan.plan.clone(),
            &held.value,
            Some(revision),
        )?);
        if !self.committed(batch, &mut Tries::default()).await? {
            return Err(Trouble::Busy.into());
        }
        let token = Token::generate(TokenKind::Link, self.dice());
        let link = token.expose().to_owned();
        let (opened, _) = self
            .open(countersign_cases::Actor::Customer, &request, Some(token))
            .await?;
        drop(self.use_link(&link).await?);
        held.value.case = Some(opened.case);
        let mut batch = Batch::default();
        let key = planned.plan.plan.clone();
        batch
            .records
            .push(records::put(space::DRILL, key, &held.value, None)?);
        self.committed(batch, &mut Tries::default()).await?;
        Ok(true)
    }

    /// Who asks for what in this drill; `None` where it cannot be played.
    async fn cast(
        &self,
        procedure: &Procedure,
        planned: &Planned,
    ) -> Result<Option<(Customer, OpenRequest, Vec<Attested>)>, Trouble> {
        let id = procedure.action_named(&planned.action);
        let action = id.and_then(|id| procedure.actions.get(id.index()));
        let asks: Vec<RoleId> = planned
            .asks
            .iter()
            .filter_map(|name| procedure.role_named(name))
            .collect();
        let (Some(action), Some(played)) = (action, scenario(&planned.plan.scenario)) else {
            return Ok(None);
        };
        let Some(script) = Script::of(procedure, action, &asks) else {
            return Ok(None);
        };
        let like = self.some_customer().await?;
        let now = self.now();
        for _ in 0..DRAWN_MAX {
            let part = Part {
                procedure,
                action,
                script: &script,
                signs: played.plants,
                plan: planned.plan.clone(),
                values: &planned.values,
                like: like.as_ref(),
                now,
            };
            let Some(invented) = self.invent(&part)? else {
                return Ok(None);
            };
            let customer = invented.customer;
            if self.load_customer(&customer.id).await?.is_some() {
                continue;
            }
            let request = OpenRequest {
                customer: customer.id.clone(),
                action: planned.action.clone(),
                parameters: invented.values,
                reason: invented.reason,
                reference: None,
                return_to: None,
                language: None,
                shows: Vec::new(),
            };
            let (grade, places) = script
                .backups
                .unwrap_or((countersign_language::BackupGrade::Exists, 0));
            let backups = (1..=places)
                .map(|place| Attested {
                    grade,
                    place: format!("site {place}"),
                    at: Timestamp(now.0 - 3_600_000),
                    compared: "every file".to_owned(),
                    by: "backups".to_owned(),
                    recorded_at: Timestamp(now.0 - 3_000_000),
                })
                .collect();
            return Ok(Some((customer, request, backups)));
        }
        Ok(None)
    }

    /// One proof, or the confirmation. False once there is nothing left for the customer to do.
    async fn act(&self, planned: &Planned, case: &CaseId) -> Result<bool, CaseError> {
        let loaded = self.load_case(case).await?;
        if !loaded.case.state().is_live() || loaded.case.confirmed_at().is_some() {
            return Ok(false);
        }
        let digest = loaded.digest()?;
        let script = script_of(&loaded, planned).ok_or(CaseError::Unknown)?;
        let made = |proof| loaded.case.proofs().iter().any(|made| made.proof == proof);
        if let Some(proof) = script.proofs.into_iter().find(|proof| !made(*proof)) {
            let command = Command::Prove {
                proof,
                digest,
                evidence: Evidence::None,
            };
            self.apply(case, |_| Ok(command.clone())).await?;
            Ok(true)
        } else {
            self.apply(case, |_| Ok(Command::Confirm { digest }))
                .await?;
            Ok(false)
        }
    }

    /// A drill that cannot go on: what was opened of it is told, and nobody is counted.
    async fn drop_drill(&self, id: &str, why: &str) -> Result<(), Trouble> {
        let mut tries = Tries::default();
        loop {
            let Some(mut held) = self.load::<Planned>(space::DRILL, id).await? else {
                return Ok(());
            };
            if held.value.dropped.is_some() {
                break;
            }
            held.value.dropped = Some(why.to_owned());
            let now = self.now();
            let mut batch = Batch::default();
            let data = serde_json::json!({ "plan": id, "why": why });
            let entry = Entry::new("drill.dropped", now, None, &data)?;
            self.record(&mut batch, &stream(id), 1, vec![entry])?;
            batch.records.push(records::put(
                space::DRILL,
                id.to_owned(),
                &held.value,
                Some(held.revision),
            )?);
            if self.committed(batch, &mut tries).await? {
                tracing::warn!(plan = id, why, "a drill could not be played");
                break;
            }
        }
        self.tell(id).await
    }

    /// Says that it was a drill: opens the mark of every case there is of that nobody, keeps what was answered, and lets
    /// nobody find the customer any more.
    async fn tell(&self, id: &str) -> Result<(), Trouble> {
        let Some(held) = self.load::<Planned>(space::DRILL, id).await? else {
            return Ok(());
        };
        let Some(customer) = held.value.customer.clone() else {
            return Ok(());
        };
        let prefix = format!("{}/", records::part(&customer.0));
        let range = records::beginning_with(&prefix, false);
        let cases: Vec<CaseId> = self.list(space::CASES_OF, range, SHOWN_MAX).await?;
        for case in cases {
            self.tell_case(id, &case).await?;
        }
        let Some(customer) = self.load_customer(&customer).await? else {
            return Ok(());
        };
        let gone = terms(&customer.value)
            .into_iter()
            .map(|key| records::remove(space::FIND, key, None))
            .collect();
        Ok(self.write_records(gone).await?)
    }

    async fn tell_case(&self, id: &str, case: &CaseId) -> Result<(), Trouble> {
        let mut tries = Tries::default();
        loop {
            let loaded = match self.load_case(case).await {
                Ok(loaded) => loaded,
                Err(CaseError::Trouble(trouble)) => return Err(trouble),
                Err(_) => return Ok(()),
            };
            let (Some(salt), Some(plan)) = (loaded.row.salt, loaded.customer.planted.clone())
            else {
                return Ok(());
            };
            let Some(held) = self.load::<Planned>(space::DRILL, id).await? else {
                return Ok(());
            };
            let Some(drill) = Drill::of(&loaded.case, salt, plan) else {
                return Err(Trouble::Damaged(
                    "a drill whose mark does not open".to_owned(),
                ));
            };
            let events = drill.told(loaded.now);
            if events.is_empty() {
                return Ok(());
            }
            let mut also = Also::default();
            let own = held.value.case.as_ref() == Some(case);
            if own && held.value.told.is_none() {
                let mut planned = held.value;
                planned.told = Some(Told {
                    at: loaded.now,
                    answers: if planned.dropped.is_some() {
                        Vec::new()
                    } else {
                        answers(&loaded, &planned)
                    },
                });
                also.records.push(records::put(
                    space::DRILL,
                    id.to_owned(),
                    &planned,
                    Some(held.revision),
                )?);
            }
            let (batch, _) = self.write_decision(&loaded, &events, None, also)?;
            if self.committed(batch, &mut tries).await? {
                tracing::info!(case = case.0, "a drill was told");
                return Ok(());
            }
        }
    }

    async fn all_drills(&self) -> Result<Vec<Planned>, Trouble> {
        let range = records::beginning_with("", false);
        self.list(space::DRILL, range, READ_MAX).await
    }

    /// Names of all roles of a person, whichever account has them.
    async fn roles_of_person(&self, person: &PersonId) -> Result<BTreeSet<String>, Trouble> {
        let range = records::beginning_with("", false);
        let accounts: Vec<Account> = self.list(space::ACCOUNT, range, READ_MAX).await?;
        Ok(accounts
            .into_iter()
            .filter(|account| account.person == *person)
            .flat_map(|account| account.roles)
            .collect())
    }

    /// A customer there is, drawn from some; never one of nobody.
    async fn some_customer(&self) -> Result<Option<Customer>, Trouble> {
        let range = records::beginning_with("", false);
        let mut some: Vec<Customer> = self.list(space::CUSTOMER, range, 64).await?;
        some.retain(|customer| customer.planted.is_none());
        let most = u32::try_from(some.len()).unwrap_or(1);
        let at = usize::try_from(uniform_below(self.dice(), most)).unwrap_or(0);
        let Some(mut like) = some.get(at).cloned() else {
            return Ok(None);
        };
        // What several customers have alike says nothing of one; a number is drawn anew; the rest is theirs and is left out.
        like.attributes = like
            .attributes
            .into_iter()
            .filter_map(|(name, value)| {
                let alike = some
                    .iter()
                    .filter(|other| other.attributes.get(&name) == Some(&value));
                if alike.count() > 1 {
                    return Some((name, value));
                }
                let drawn = inventing::redrawn(self.dice(), &value, 0);
                (drawn != value).then_some((name, drawn))
            })
            .collect();
        Ok(Some(like))
    }

    /// One of these scenarios that can be played; `None` where none can.
    async fn drawn(
        &self,
        procedure: &Procedure,
        planned: &Planned,
        of: &[String],
    ) -> Result<Option<String>, Trouble> {
        let mut playable = Vec::new();
        for name in of {
            let mut tried = planned.clone();
            tried.plan.scenario.clone_from(name);
            if self.cast(procedure, &tried).await?.is_some() {
                playable.push(name);
            }
        }
        let most = u32::try_from(playable.len()).unwrap_or(1);
        let at = usize::try_from(uniform_below(self.dice(), most)).unwrap_or(0);
        Ok(playable.get(at).map(|name| (*name).clone()))
    }

    fn drawn_seconds(&self, least: u32, most: u32) -> u32 {
        least + uniform_below(self.dice(), most.saturating_sub(least).max(1))
    }
}

/// After a decision about a case of nobody: once nobody is asked any more, it is to be told.
pub(crate) fn after(
    batch: &mut Batch,
    loaded: &Loaded,
    case: &Case,
    events: &[Event],
    row: &CaseRow,
) -> Result<(), Trouble> {
    let Some(planted) = &loaded.customer.planted else {
        return Ok(());
    };
    let signed = events
        .iter()
        .any(|event| matches!(event.kind, EventKind::SignedOff { .. }));
    let answered = signed && row.wants_sign_off.is_empty();
    if case.drill().is_some() || (case.state().is_live() && !answered) {
        return Ok(());
    }
    let step = Step::Tell {
        plan: planted.plan.clone(),
    };
    batch.work.push(NewWork {
        queue: DRILL,
        key: format!("tell/{}/{}", planted.plan, case.version()),
        due_ms: events.last().map_or(loaded.now, |event| event.at).0,
        body: records::write_json(&step)?,
    });
    Ok(())
}

/// What colleagues answered; not what the planner did, who knew.
fn answers(loaded: &Loaded, planned: &Planned) -> Vec<Answered> {
    let case = &loaded.case;
    let refused = match case.ending().and_then(|ending| ending.by.as_ref()) {
        Some(countersign_cases::EndedBy::Colleague(by)) => {
            case.ending().map(|ending| (by, false, ending.at))
        }
        _ => None,
    };
    case.sign_offs()
        .iter()
        .map(|signed| (&signed.by, true, signed.at))
        .chain(refused)
        .filter(|(by, _, _)| {
            let planner = planned.by.as_ref();
            planner.is_none_or(|planner| planner.person != by.person)
        })
        .map(|(by, signed, at)| Answered {
            person: by.person.clone(),
            name: by.name.clone(),
            team: planned
                .asks
                .iter()
                .filter(|name| {
                    let asked = loaded.procedure.role_named(name);
                    asked.is_some_and(|asked| {
                        let mut has = by.roles.iter();
                        has.any(|has| loaded.procedure.role_covers(*has, asked))
                    })
                })
                .cloned()
                .collect(),
            noticed: !signed,
            at,
        })
        .collect()
}

/// What everybody may know.
fn vigilance(procedure: &Procedure, all: &[Planned]) -> Drills {
    let mut teams: BTreeMap<(String, String), (u64, u64)> = BTreeMap::new();
    let answers = all.iter().filter_map(|planned| planned.told.as_ref());
    for answer in answers.flat_map(|told| &told.answers) {
        let month = day_of(answer.at).get(..7).unwrap_or_default().to_owned();
        for team in &answer.team {
            let counted = teams.entry((month.clone(), team.clone())).or_default();
            counted.0 += u64::from(answer.noticed);
            counted.1 += 1;
        }
    }
    let label = |name: &str| {
        let role = procedure.role_named(name);
        let role = role.and_then(|role| procedure.roles.get(role.index()));
        role.map_or_else(|| name.to_owned(), |role| role.label.clone())
    };
    Drills {
        may_plan: false,
        declared: procedure
            .drills
            .iter()
            .map(|line| declared(procedure, line))
            .collect(),
        under_way: None,
        teams: teams
            .into_iter()
            .rev()
            .map(|((month, team), (noticed, of))| TeamVigilance {
                month,
                label: label(&team),
                team,
                noticed: Rate::new(noticed, of),
            })
            .collect(),
        own: None,
        people: people(all)
            .into_values()
            .filter(|(_, _, of)| *of >= DRILLS_TO_BE_NAMED)
            .map(|(name, noticed, of)| PersonVigilance {
                name,
                noticed: Rate::new(noticed, of),
            })
            .collect(),
        told: Vec::new(),
    }
}

/// Name, how often refused, how often asked.
fn people(all: &[Planned]) -> BTreeMap<PersonId, (String, u64, u64)> {
    let mut people: BTreeMap<PersonId, (String, u64, u64)> = BTreeMap::new();
    let answers = all.iter().filter_map(|planned| planned.told.as_ref());
    for answer in answers.flat_map(|told| &told.answers) {
        let person = people.entry(answer.person.clone()).or_default();
        answer.name.clone_into(&mut person.0);
        person.1 += u64::from(answer.noticed);
        person.2 += 1;
    }
    people
}

fn declared(procedure: &Procedure, line: &countersign_language::Drill) -> DeclaredDrill {
    let action = action_of(procedure, line);
    DeclaredDrill {
        action: action.map(|action| action.name.clone()).unwrap_or_default(),
        action_label: action
            .map(|action| action.label.clone())
            .unwrap_or_default(),
        plays: SCENARIOS
            .iter()
            .filter(|known| line.plays.iter().any(|name| name == known.name))
            .map(|known| (known.name.to_owned(), known.title.to_owned()))
            .collect(),
        parameters: action
            .iter()
            .flat_map(|action| &action.parameters)
            .map(|one| (one.name.clone(), one.label.clone()))
            .collect(),
        asks: line
            .asks
            .iter()
            .filter_map(|role| procedure.roles.get(role.index()))
            .map(|role| role.label.clone())
            .collect(),
        every_days: line.every.seconds() / 86_400,
        may_plan: false,
    }
}

fn told_of(procedure: &Procedure, planned: &Planned, reader: &PersonId) -> Option<ToldDrill> {
    let told = planned.told.as_ref()?;
    let played: &Scenario = scenario(&planned.plan.scenario)?;
    let action = procedure.action_named(&planned.action);
    let action = action.and_then(|id| procedure.actions.get(id.index()));
    let mut answers = told.answers.iter();
    let refused = told.answers.iter().filter(|answer| answer.noticed).count();
    Some(ToldDrill {
        case: planned.case.clone()?,
        told_at: told.at,
        action_label: action.map_or_else(|| planned.action.clone(), |action| action.label.clone()),
        title: played.title.to_owned(),
        from: played.from.to_owned(),
        story: played.story.to_owned(),
        planted: played.plants.iter().map(|sign| in_words(*sign)).collect(),
        notices: played.notices.to_owned(),
        noticed: answers
            .find(|answer| answer.person == *reader)
            .map(|answer| answer.noticed),
        answers: (told.answers.len(), refused),
        planned_by: planned.by.as_ref().map(|by| by.name.clone()),
        planned_at: planned.at,
    })
}

/// What a sign plants.
fn in_words(sign: Sign) -> String {
    match sign {
        Sign::FreshContact => {
            "a contact that came hours before, in place of one that was there for years".to_owned()
        }
        Sign::LookAlike => "a value that is nearly the customer's own".to_owned(),
        Sign::Reason(words) => format!("the words: “{words}”"),
    }
}

fn action_of<'a>(
    procedure: &'a Procedure,
    line: &countersign_language::Drill,
) -> Option<&'a Action> {
    procedure.actions.get(line.action.index())
}

fn name_of<'a>(procedure: &'a Procedure, line: &countersign_language::Drill) -> Option<&'a str> {
    action_of(procedure, line).map(|action| action.name.as_str())
}

fn names_of(procedure: &Procedure, roles: &[RoleId]) -> Vec<String> {
    roles
        .iter()
        .filter_map(|role| procedure.roles.get(role.index()))
        .map(|role| role.name.clone())
        .collect()
}

/// Whether somebody with these roles could be asked.
fn concerns(
    procedure: &Procedure,
    line: &countersign_language::Drill,
    roles: &BTreeSet<String>,
) -> bool {
    let has = |asked: &RoleId| {
        roles
            .iter()
            .filter_map(|name| procedure.role_named(name))
            .any(|has| procedure.role_covers(has, *asked))
    };
    line.asks.iter().any(has)
}

fn field(field: &'static str, why: &'static str) -> DrillError {
    DrillError::Field { field, why }
}

fn due_key(action: &str, asks: &[String]) -> String {
    format!(
        "due/{}/{}",
        records::part(action),
        records::part(&asks.join(" "))
    )
}

fn stream(id: &str) -> StreamKey {
    StreamKey(format!("drill/{}", records::part(id)))
}

fn script_of(loaded: &Loaded, planned: &Planned) -> Option<Script> {
    let procedure = &loaded.procedure;
    let opened = loaded.case.opened()?;
    let action = procedure.actions.get(opened.action_index.index())?;
    let asks: Vec<RoleId> = planned
        .asks
        .iter()
        .filter_map(|name| procedure.role_named(name))
        .collect();
    Script::of(procedure, action, &asks)
}
