//! What the service says of incidents, as rows and words of the pages.

use countersign_cases::Timestamp;
use countersign_service::{
    Alarm, AlarmStanding, Facts, IncidentSummary, IncidentView, Phase, Reason, Standing, TaskState,
    TouchedCustomer,
};

use crate::pages::{AlarmRow, Ask, AskKind, Asks, IncidentRow, TouchedRow};
use crate::present::Calendar;

pub(super) fn summary(one: &IncidentSummary, calendar: &Calendar) -> IncidentRow {
    let mut about = Vec::new();
    let mut say = |count: u64, unit: &str| {
        if count > 0 {
            about.push(format!("{count} {unit}"));
        }
    };
    say(
        u64::try_from(one.tasks_open).unwrap_or_default(),
        "tasks open",
    );
    say(one.affected, "affected");
    say(
        u64::try_from(one.published).unwrap_or_default(),
        "statements published",
    );
    if one.submitted {
        about.push("a statement waits for a signature".to_owned());
    }
    IncidentRow {
        id: one.id.clone(),
        title: one.title.clone(),
        opened: calendar.when(one.opened_at),
        by: one.opened_by.clone(),
        state: match (one.closed_at, one.phase) {
            (Some(_), _) => "Closed".to_owned(),
            (None, Some(phase)) => phase_words(phase).to_owned(),
            (None, None) => "Not public".to_owned(),
        },
        overdue: one
            .overdue_since
            .filter(|_| one.closed_at.is_none())
            .map(|since| calendar.when(since)),
        about: about.join(" · "),
    }
}

pub(super) fn alarm_row(alarm: &Alarm, calendar: &Calendar, key: Option<&String>) -> AlarmRow {
    let words = match alarm.kind.as_str() {
        countersign_service::UNCOVERED => format!("No case covers this action: {}", alarm.action),
        kind => format!("{kind}: {}", alarm.action),
    };
    let words = if alarm.detail.is_empty() {
        words
    } else {
        format!("{words} ({})", alarm.detail)
    };
    let (became, incident) = match &alarm.standing {
        AlarmStanding::Open => (None, None),
        AlarmStanding::Settled { by, reason, .. } => (Some(format!("{by}: {reason}")), None),
        AlarmStanding::Incident { incident } => (
            Some(format!("In incident {incident}")),
            Some(incident.clone()),
        ),
    };
    let can = match (key, &alarm.standing) {
        (Some(key), AlarmStanding::Open) => alarm_forms(alarm, key),
        _ => Vec::new(),
    };
    AlarmRow {
        id: alarm.id.clone(),
        at: calendar.when(alarm.at),
        words,
        connector: alarm.connector.clone().unwrap_or_default(),
        became: became.or_else(|| {
            let looked = can.is_empty();
            looked.then(|| "Nobody has looked at it".to_owned())
        }),
        incident,
        can,
    }
}

pub(super) fn alarm_forms(alarm: &Alarm, key: &str) -> Vec<Asks> {
    let form = |name: String, title: &str, to: String, field: Ask, button: &str| Asks {
        name,
        title: title.to_owned(),
        to,
        fields: vec![field],
        button: button.to_owned(),
        open: false,
        key: key.to_owned(),
    };
    let (open, settle) = (format!("open-{}", alarm.id), format!("settle-{}", alarm.id));
    let title = Ask::new(&open, "title", "What colleagues call it", "", AskKind::Line);
    let reason = Ask::new(
        &settle,
        "reason",
        "Why",
        "10 to 500 characters.",
        AskKind::Line,
    );
    vec![
        form(
            open,
            "Open an incident",
            format!("/alarms/{}/incident", alarm.id),
            title,
            "Open it",
        ),
        form(
            settle,
            "It is nothing",
            format!("/alarms/{}/settle", alarm.id),
            reason,
            "Settle it",
        ),
    ]
}
pub(super) fn touched(row: &TouchedCustomer) -> TouchedRow {
    let reasons: Vec<String> = row
        .reasons
        .iter()
        .map(|(reason, count)| format!("{} {count}", reason_words(*reason)))
        .collect();
    TouchedRow {
        customer: row
            .customer
            .as_ref()
            .map(|id| id.0.clone())
            .unwrap_or_default(),
        name: row.name.clone(),
        reasons: if reasons.is_empty() {
            "named by hand".to_owned()
        } else {
            reasons.join(", ")
        },
        cases: row.cases.iter().map(|case| case.0.clone()).collect(),
        standing: row.mark.as_ref().map_or_else(
            || "Nobody has said yet".to_owned(),
            |mark| {
                format!(
                    "{}. {}: {}",
                    standing_words(mark.standing),
                    mark.by.name,
                    mark.reason
                )
            },
        ),
        affected: row
            .mark
            .as_ref()
            .is_some_and(|mark| mark.standing == Standing::Affected),
        lettered: row.lettered,
    }
}

pub(super) fn facts(facts: &Facts, calendar: &Calendar) -> Vec<(String, String)> {
    let at = |at: Timestamp| calendar.full(at);
    let rows = [
        ("First", facts.first_at.map(at)),
        ("Last", facts.last_at.map(at)),
        ("Took", facts.field("duration")),
        (
            "Customers affected",
            Some(facts.customers_affected.to_string()),
        ),
        (
            "Nobody knows yet of",
            Some(facts.customers_unknown.to_string()),
        ),
        ("Cases", Some(facts.cases.to_string())),
    ];
    rows.into_iter()
        .filter_map(|(label, value)| Some((label.to_owned(), value?)))
        .collect()
}

pub(super) fn scope(view: &IncidentView, calendar: &Calendar) -> Vec<(String, String)> {
    let scope = &view.incident.scope;
    let cases: Vec<&str> = scope.cases.iter().map(|case| case.0.as_str()).collect();
    let some = |text: String| Some(text).filter(|text| !text.is_empty());
    let rows = [
        ("Cases", some(cases.join(", "))),
        (
            "Alarms",
            (!scope.alarms.is_empty()).then(|| scope.alarms.len().to_string()),
        ),
        ("Customer", view.about.clone()),
        ("Agent", scope.agent.clone()),
        ("Connector", scope.connector.clone()),
        ("Action", scope.action.clone()),
        ("Path", scope.path.clone()),
        ("From", scope.from.map(|at| calendar.full(at))),
        ("To", scope.to.map(|at| calendar.full(at))),
    ];
    rows.into_iter()
        .filter_map(|(label, value)| Some((label.to_owned(), value?)))
        .collect()
}

pub(super) fn statement_words(view: &IncidentView) -> String {
    let incident = &view.incident;
    let mut said = match incident.published.len() {
        0 if incident.draft.revision == 0 => "Nothing is written yet.".to_owned(),
        0 => "Nothing is published yet.".to_owned(),
        version => format!("Version {version} is public."),
    };
    if incident.submitted.is_some() {
        said.push_str(" A version waits for a second person's signature.");
    }
    let errors = view.errors().count();
    if incident.draft.revision > 0 && errors > 0 {
        let findings = if errors == 1 { "finding" } else { "findings" };
        said =
            format!("{said} The draft has {errors} {findings} that keep it from being published.");
    }
    said
}

pub(super) fn version_words(version: &str) -> &'static str {
    match version {
        "blog" => "Status page and blog",
        "mail" => "Mail",
        "chars_500" => "500 characters",
        "chars_280" => "280 characters",
        _ => "All versions",
    }
}

pub(super) fn phase_words(phase: Phase) -> &'static str {
    match phase {
        Phase::Looking => "Looking into it",
        Phase::Found => "Found",
        Phase::Watching => "Fixed, watching",
        Phase::Over => "Over",
    }
}

pub(super) fn task_words(state: TaskState) -> &'static str {
    match state {
        TaskState::Evaluated => "Being evaluated",
        TaskState::Planned => "Planned",
        TaskState::BeingDone => "Being done",
        TaskState::Done => "Done",
    }
}

pub(super) fn standing_words(standing: Standing) -> &'static str {
    match standing {
        Standing::Affected => "Affected",
        Standing::NotAffected => "Not affected",
        Standing::Unknown => "Not known yet",
    }
}

pub(super) fn reason_words(reason: Reason) -> &'static str {
    match reason {
        Reason::Alarm => "alarm",
        Reason::Case => "case",
        Reason::Customer => "named",
        Reason::Path => "same path",
        Reason::Agent => "same agent",
        Reason::Connector => "same connector",
        Reason::Window => "same time",
    }
}
