//! `/procedures`: the procedure in force, and what the prover says about it. Reading only.

use axum::extract::State;

use super::{Answer, Desk, Fields, field, html};
use crate::Web;
use crate::body::{Path, Query};
use crate::network::Network;
use crate::pages::{
    ActionPage, AttacksPage, LockoutPage, ProcedureTextPage, ProceduresPage, ReachPage, Section,
};
use crate::present::short;
use crate::problem::Problem;
use crate::study::{PEOPLE_MAX, Study, can_be_lost};

/// `GET /procedures`
pub async fn list(State(web): State<Web>, desk: Desk) -> Answer {
    let frame = desk.frame(Some(Section::Procedures));
    let organisation = web.gate.procedure().organisation.clone();
    let version = short_version(&web);
    let page = ask(&web, move |study| ProceduresPage {
        frame,
        organisation,
        version,
        lines: study.line_count(),
        actions: study.actions(false),
        outside: study.actions(true),
        promises: study.promises(),
        losses: study.losses(),
    });
    html(&page.await?)
}

/// `GET /procedures/action/{action}?version=`: a case names the version that it keeps.
pub async fn action(
    State(web): State<Web>,
    desk: Desk,
    Path(name): Path<String>,
    Query(fields): Query<Fields>,
) -> Answer {
    let study = ask(&web, move |study| study.action(&name)).await?;
    let (asked, version) = (field(&fields, "version"), short_version(&web));
    html(&ActionPage {
        frame: desk.frame(Some(Section::Procedures)),
        other_version: !asked.is_empty() && asked != version,
        version,
        study: study.ok_or_else(Problem::nothing_here)?,
    })
}

/// `GET /procedures/attacks?on=LOSS|ACTION&n=1`
pub async fn attacks(
    State(web): State<Web>,
    desk: Desk,
    network: Network,
    Query(fields): Query<Fields>,
) -> Answer {
    network.take(&web.rates.searches)?;
    let on = field(&fields, "on").to_owned();
    let number = field(&fields, "n").parse().unwrap_or(1);
    let named = !on.is_empty();
    let (tabs, study) = ask(&web, move |study| {
        (study.losses(), study.attacks(&on, number))
    })
    .await?;
    if named && study.is_none() {
        return Err(Problem::nothing_here());
    }
    html(&AttacksPage {
        frame: desk.frame(Some(Section::Procedures)),
        tabs,
        study,
    })
}

/// `GET /procedures/reach`: `h.NAME` for each holding, `r.ROLE` for people, `unread` for the notices.
pub async fn reach(
    State(web): State<Web>,
    desk: Desk,
    network: Network,
    Query(fields): Query<Fields>,
) -> Answer {
    network.take(&web.rates.searches)?;
    let with = chosen(&fields);
    let people: Vec<(String, u32)> = fields
        .iter()
        .filter_map(|(name, value)| {
            let count: u32 = value.trim().parse().ok()?;
            Some((name.strip_prefix("r.")?.to_owned(), count.min(PEOPLE_MAX)))
        })
        .collect();
    let unread = !field(&fields, "unread").is_empty();
    let asked = !fields.is_empty();
    let frame = desk.frame(Some(Section::Procedures));
    let page = ask(&web, move |study| ReachPage {
        frame,
        holdings: study.holdings(|name| with.iter().any(|chosen| chosen == name)),
        roles: study.roles(|name| {
            let role = people.iter().find(|(role, _)| role == name);
            role.map_or(0, |(_, count)| *count)
        }),
        unread,
        answer: asked.then(|| study.reach(&with, &people, unread)),
    });
    html(&page.await?)
}

/// `GET /procedures/lockout`: `h.NAME` for each holding that is lost.
pub async fn lockout(
    State(web): State<Web>,
    desk: Desk,
    network: Network,
    Query(fields): Query<Fields>,
) -> Answer {
    network.take(&web.rates.searches)?;
    let without = chosen(&fields);
    let asked = !fields.is_empty();
    let frame = desk.frame(Some(Section::Procedures));
    let page = ask(&web, move |study| {
        let mut holdings = study.holdings(|name| without.iter().any(|lost| lost == name));
        holdings.retain(|holding| can_be_lost(&holding.kind));
        LockoutPage {
            frame,
            holdings,
            answer: asked.then(|| study.lockout(&without)),
        }
    });
    html(&page.await?)
}

/// `GET /procedures/text`
pub async fn text(State(web): State<Web>, desk: Desk) -> Answer {
    let (lines, all) = ask(&web, |study| (study.lines(), study.line_count())).await?;
    html(&ProcedureTextPage {
        frame: desk.frame(Some(Section::Procedures)),
        version: web.gate.procedure().version.to_string(),
        lines,
        all,
    })
}

/// Names of the holdings that are ticked.
fn chosen(fields: &Fields) -> Vec<String> {
    fields
        .keys()
        .filter_map(|name| name.strip_prefix("h."))
        .map(str::to_owned)
        .collect()
}

fn short_version(web: &Web) -> String {
    short(&web.gate.procedure().version.to_string())
}

async fn ask<T: Send + 'static>(
    web: &Web,
    question: impl FnOnce(&Study) -> T + Send + 'static,
) -> Result<T, Problem> {
    let procedure = web.gate.procedure();
    let version = procedure.version.to_string();
    let text = web.gate.procedure_text(&version);
    let answer = web.studies.ask(&procedure, text, question);
    answer.await?.ok_or_else(|| {
        Problem::new(
            axum::http::StatusCode::SERVICE_UNAVAILABLE,
            "stopping",
            "The gate is about to stop",
        )
    })
}
