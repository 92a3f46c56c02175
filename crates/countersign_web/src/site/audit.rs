//! `/audit`: what happened, for auditors.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::IntoResponse as _;
use countersign_cases::{CaseId, CustomerId};
use countersign_service::statistics::grouped;
use countersign_service::{
    AuditCheck, AuditEntry, AuditFilter, AuditKind, AuditPlace, AuditRow, WhoView,
};
use futures_util::TryStreamExt as _;

use super::{Answer, Desk, Fields, field, html};
use crate::Web;
use crate::body::{Form, Path, Query};
use crate::headers::see_other;
use crate::pages::{
    AUDIT_KINDS, AuditEntryPage, AuditFact, AuditFields, AuditHolds, AuditLine, AuditPage,
    AuditVerifyPage, Chip, LastCheck, Section, encode,
};
use crate::present::Calendar;
use crate::problem::Problem;

/// Longest field of the filter that means anything.
const FIELD_CHARS_MAX: usize = 200;

/// `GET /audit?who=&kind=&case=&customer=&from=&to=&before=|after=`
pub async fn list(State(web): State<Web>, desk: Desk, Query(fields): Query<Fields>) -> Answer {
    let shown = fields_of(&fields);
    let frame = desk.frame(Some(Section::Audit));
    let number = |name: &str| field(&fields, name).parse().ok();
    let place = match (number("before"), number("after")) {
        (Some(before), _) => AuditPlace::Before(before),
        (None, Some(after)) => AuditPlace::After(after),
        (None, None) => AuditPlace::Newest,
    };
    let filter = match filter_of(&shown) {
        Ok(filter) => filter,
        Err(wrong_day) => {
            // Asked all the same, so that who may not read the log learns only that.
            web.gate
                .audit(&desk.staff, &AuditFilter::default(), AuditPlace::Newest)
                .await?;
            return html(&AuditPage {
                frame,
                chips: chips(&shown),
                filter: shown,
                wrong_day: Some(wrong_day),
                rows: Vec::new(),
                newer: None,
                older: None,
                count: "0 entries".to_owned(),
                behind: None,
            });
        }
    };
    let page = web.gate.audit(&desk.staff, &filter, place).await?;
    let with = |name: &str, number: u64| {
        let mut address = address(&shown, None);
        address.push(if address.contains('?') { '&' } else { '?' });
        format!("{address}{name}={number}")
    };
    html(&AuditPage {
        frame,
        chips: chips(&shown),
        wrong_day: None,
        rows: page
            .rows
            .iter()
            .map(|row| line_of(row, &desk.calendar))
            .collect(),
        newer: page.newer.map(|number| with("after", number)),
        older: page.older.map(|number| with("before", number)),
        count: counted(page.count, page.at_most),
        // A few are always on their way; a minute's worth is worth a word.
        behind: (page.behind > 1_000 && filter != AuditFilter::default()).then(|| {
            format!(
                "{} entries are not found by filters yet; they will be in a moment.",
                grouped(page.behind)
            )
        }),
        filter: shown,
    })
}

/// `POST /audit/export.jsonl`: that it was taken is itself an entry, so it is not a GET.
pub async fn export(State(web): State<Web>, desk: Desk, Form(fields): Form<Fields>) -> Answer {
    let filter =
        filter_of(&fields_of(&fields)).map_err(|wrong| Problem::invalid("from", &wrong))?;
    let export = web.gate.audit_export(&desk.staff, &filter).await?;
    let lines = export.lines.map_err(|trouble| {
        tracing::error!(code = trouble.code(), "an export broke off");
        std::io::Error::other(trouble.code())
    });
    let mut response = Body::from_stream(lines).into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/jsonl; charset=utf-8"),
    );
    headers.insert(
        header::CONTENT_DISPOSITION,
        HeaderValue::from_static("attachment; filename=\"audit.jsonl\""),
    );
    Ok(response)
}

/// `GET /audit/{seq}`
pub async fn entry(State(web): State<Web>, desk: Desk, Path(number): Path<u64>) -> Answer {
    let entry = web.gate.audit_entry(&desk.staff, number).await?;
    html(&AuditEntryPage {
        frame: desk.frame(Some(Section::Audit)),
        number: grouped(entry.row.number),
        words: entry.row.words.clone(),
        facts: facts_of(&entry),
        checks: checks_of(&entry),
        signed_words: entry.signature.as_ref().map(|signed| signed.words.clone()),
        signature: signature_of(&entry),
        older: entry.before.map(|number| format!("/audit/{number}")),
        newer: entry.after.map(|number| format!("/audit/{number}")),
        record: entry.record,
    })
}

/// `GET /audit/verify`: the last result, with its time.
pub async fn verify(State(web): State<Web>, desk: Desk) -> Answer {
    let (last, asked) = web.gate.audit_check(&desk.staff).await?;
    html(&AuditVerifyPage {
        frame: desk.frame(Some(Section::Audit)),
        last: last.map(|check| last_check(check, &desk.calendar)),
        asked: asked.map(|at| desk.calendar.when(at)),
    })
}

/// `POST /audit/verify`: the worker looks through the log.
pub async fn check(State(web): State<Web>, desk: Desk) -> Answer {
    web.gate.ask_for_audit_check(&desk.staff).await?;
    Ok(see_other("/audit/verify"))
}

fn last_check(check: AuditCheck, calendar: &Calendar) -> LastCheck {
    let (entry, finding) = match check.finding {
        Some(finding) => (
            finding
                .entry
                .map(|number| (grouped(number), format!("/audit/{number}"))),
            Some(finding.what),
        ),
        None => (None, None),
    };
    LastCheck {
        entries: grouped(check.entries),
        events: grouped(check.events),
        at: calendar.when(check.at),
        took: match check.milliseconds {
            ms @ 0..1_000 => format!("{ms} ms"),
            ms => format!("{}.{} s", ms / 1_000, ms % 1_000 / 100),
        },
        root: check.root,
        entry,
        finding,
    }
}

fn fields_of(fields: &Fields) -> AuditFields {
    let text = |name: &str| field(fields, name).chars().take(FIELD_CHARS_MAX).collect();
    AuditFields {
        who: text("who"),
        kind: text("kind"),
        case: text("case"),
        customer: text("customer"),
        from: text("from"),
        to: text("to"),
    }
}

fn filter_of(fields: &AuditFields) -> Result<AuditFilter, String> {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let day = |text: &str| match text {
        "" => Ok(None),
        text => text
            .parse::<jiff::civil::Date>()
            .map(|day| Some(day.to_string()))
            .map_err(|_| "A day is written like 2026-11-23".to_owned()),
    };
    Ok(AuditFilter {
        who: some(&fields.who),
        kind: AuditKind::from_word(&fields.kind),
        // As it is spoken: in capitals, perhaps with a different dash.
        case: some(&fields.case).map(|case| {
            let spoken = countersign_service::adapters::tokens::parse_speakable_id("CS", &case);
            CaseId(spoken.unwrap_or(case))
        }),
        customer: some(&fields.customer).map(CustomerId),
        from: day(&fields.from)?,
        to: day(&fields.to)?,
    })
}

fn pairs(fields: &AuditFields) -> [(&'static str, &'static str, &str); 6] {
    [
        ("who", "Who", &fields.who),
        ("kind", "Kind", &fields.kind),
        ("case", "Case", &fields.case),
        ("customer", "Customer", &fields.customer),
        ("from", "From", &fields.from),
        ("to", "To", &fields.to),
    ]
}

/// The address of this filter, perhaps without one of its fields.
fn address(fields: &AuditFields, without: Option<&str>) -> String {
    let query: Vec<String> = pairs(fields)
        .into_iter()
        .filter(|(name, _, value)| !value.is_empty() && Some(*name) != without)
        .map(|(name, _, value)| format!("{name}={}", encode(value)))
        .collect();
    if query.is_empty() {
        "/audit".to_owned()
    } else {
        format!("/audit?{}", query.join("&"))
    }
}

fn chips(fields: &AuditFields) -> Vec<Chip> {
    pairs(fields)
        .into_iter()
        .filter(|(_, _, value)| !value.is_empty())
        .map(|(name, label, value)| {
            let known = AUDIT_KINDS
                .iter()
                .find(|(kind, _)| name == "kind" && *kind == value);
            let value = known.map_or(value, |(_, label)| label);
            Chip {
                label: format!("{label}: {value}"),
                href: address(fields, Some(name)),
            }
        })
        .collect()
}

fn counted(count: u64, at_most: bool) -> String {
    let entries = if count == 1 { "entry" } else { "entries" };
    let most = if at_most { "at most " } else { "" };
    format!("{most}{} {entries}", grouped(count))
}

fn who(who: &WhoView) -> String {
    who.name.clone().unwrap_or_else(|| {
        match who.kind {
            "contact" => "somebody who was told",
            "gate" => "the gate",
            other => other,
        }
        .to_owned()
    })
}

fn line_of(row: &AuditRow, calendar: &Calendar) -> AuditLine {
    AuditLine {
        number: grouped(row.number),
        href: (!row.closed).then(|| format!("/audit/{}", row.number)),
        at: calendar.millisecond(row.at),
        who: who(&row.who),
        words: row.words.clone(),
        case: row.case.as_ref().map(|case| case.0.clone()),
        in_ledger: row.leaf.is_some(),
    }
}

fn fact(label: &str, value: impl Into<String>) -> AuditFact {
    AuditFact {
        label: label.to_owned(),
        value: value.into(),
    }
}

fn facts_of(entry: &AuditEntry) -> Vec<AuditFact> {
    let row = &entry.row;
    let mut facts = vec![
        fact("Time", crate::present::iso_millisecond(row.at)),
        fact("Kind", format!("{} (shape {})", row.kind, entry.version)),
        fact("Who", who(&row.who)),
        fact("In its stream", entry.sequence.to_string()),
    ];
    if let Some(case) = &row.case {
        facts.push(fact("Case", case.0.clone()));
    }
    if let Some(leaf) = row.leaf {
        facts.push(fact("Leaf", leaf.to_string()));
    }
    if let Some(hash) = &entry.leaf_hash {
        facts.push(fact("Leaf hash", hash.clone()));
    }
    facts
}

fn checks_of(entry: &AuditEntry) -> Vec<AuditHolds> {
    let holds = |good, words: String| AuditHolds { good, words };
    let committed = entry.committed == Some(true);
    let mut checks = vec![holds(
        committed,
        if committed {
            "The record is what its leaf commits to.".to_owned()
        } else {
            "The record is not what its leaf commits to.".to_owned()
        },
    )];
    checks.push(match entry.included_in {
        Some(size) => holds(
            true,
            format!(
                "The leaf is in the ledger of {} entries, whose signature was verified.",
                grouped(size)
            ),
        ),
        None => holds(
            false,
            "The leaf could not be proved to be in the ledger.".to_owned(),
        ),
    });
    if let Some(signature) = &entry.signature {
        checks.push(holds(
            signature.verified,
            if signature.verified {
                "The signature is over these words and verifies.".to_owned()
            } else {
                "The signature does not verify.".to_owned()
            },
        ));
    }
    checks
}

fn signature_of(entry: &AuditEntry) -> Vec<AuditFact> {
    let Some(signed) = &entry.signature else {
        return Vec::new();
    };
    vec![
        fact("Digest", signed.digest.clone()),
        fact("Challenge", signed.challenge.clone()),
        fact("Credential", signed.credential.clone()),
        fact("clientDataJSON", signed.client_data.clone()),
        fact("authenticatorData", signed.authenticator_data.clone()),
        fact("Signature", signed.signature.clone()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chip_leads_to_the_page_without_it() {
        let fields = AuditFields {
            who: "a&b".to_owned(),
            kind: "signed".to_owned(),
            ..AuditFields::default()
        };
        let chips = chips(&fields);
        assert_eq!(chips[0].label, "Who: a&b");
        assert_eq!(chips[0].href, "/audit?kind=signed");
        assert_eq!(chips[1].label, "Kind: Signed");
        assert_eq!(chips[1].href, "/audit?who=a%26b");
        assert_eq!(address(&AuditFields::default(), None), "/audit");
    }

    #[test]
    fn every_kind_of_the_service_is_in_the_filter() {
        let words: Vec<&str> = AUDIT_KINDS.iter().map(|(word, _)| *word).collect();
        let known: Vec<&str> = AuditKind::ALL.iter().map(|kind| kind.word()).collect();
        assert_eq!(words, known);
    }
}
