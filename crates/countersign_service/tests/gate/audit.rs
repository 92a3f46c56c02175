//! The audit log: everything is there, found by every filter, on pages that neither repeat nor miss an entry.

use std::collections::BTreeSet;

use countersign_cases::CustomerId;
use countersign_service::{
    AuditFilter, AuditKind, AuditPage, AuditPlace, AuditRow, CaseError, Gate, SignedInStaff,
};
use futures_util::TryStreamExt as _;

use crate::world::{World, reinstall, without_parameters};

/// All pages of a filter, from the newest to the oldest, held against walking back the other way.
async fn all(gate: &Gate, by: &SignedInStaff, filter: &AuditFilter) -> Vec<AuditRow> {
    let mut rows = Vec::new();
    let mut pages: Vec<AuditPage> = Vec::new();
    let mut place = AuditPlace::Newest;
    loop {
        let page = gate.audit(by, filter, place).await.unwrap();
        assert!(page.newer.is_some() == (place != AuditPlace::Newest) || page.rows.is_empty());
        let older = page.older;
        rows.extend(page.rows.clone());
        pages.push(page);
        match older {
            Some(number) => place = AuditPlace::Before(number),
            None => break,
        }
    }
    let newest_first = rows.iter().map(|row| row.number);
    assert!(newest_first.is_sorted_by(|a, b| a > b));
    // Back again: what is after the last page's first entry, oldest pages first.
    let mut back: BTreeSet<u64> = BTreeSet::new();
    let mut after = 0;
    loop {
        let page = gate
            .audit(by, filter, AuditPlace::After(after))
            .await
            .unwrap();
        back.extend(page.rows.iter().map(|row| row.number));
        match page.newer {
            Some(number) => after = number,
            None => break,
        }
    }
    assert_eq!(back, rows.iter().map(|row| row.number).collect());
    rows
}

fn by_kind(kind: AuditKind) -> AuditFilter {
    AuditFilter {
        kind: Some(kind),
        ..AuditFilter::default()
    }
}

/// A world with a case that ran by its exception, and enough entries for several pages.
async fn busy() -> (World, CustomerId, countersign_cases::CaseId) {
    let mut world = World::new().await;
    let signe = world.signe().await;
    world.attest_backups(&signe).await;
    let maja = world.colleague("maja").await;
    let mut idris = world.colleague("idris").await;
    let case = world.open(&maja, &reinstall(&signe)).await.case;
    let seat = world.sit(&maja, &case).await;
    world.prove(&seat, "pin", "111111").await.unwrap();
    world.proves(&seat, "pin", "482913").await;
    world.proves_mail_code(&seat, "signe@halden.example").await;
    world.confirms(&seat).await;
    world.signs(&mut idris, &case).await.unwrap();
    world.gate.settle().await.unwrap();
    world.hours(25);
    world.gate.settle().await.unwrap();
    for _ in 0..190 {
        world
            .gate
            .look_up_customer(&maja.staff, &signe)
            .await
            .unwrap();
        world.pass(std::time::Duration::from_mins(1));
    }
    (world, signe, case)
}

#[tokio::test]
async fn every_filter_finds_what_it_names_and_nothing_else() {
    let (world, signe, case) = Box::pin(busy()).await;
    let vera = world.colleague("vera").await;
    world.gate.keep_up().await.unwrap();
    let everything = all(&world.gate, &vera.staff, &AuditFilter::default()).await;
    let stored = world.journal.follow(0, usize::MAX).await.unwrap();
    assert_eq!(everything.len(), stored.len());
    assert!(everything.len() > 200, "more than two pages");

    // The kinds are a partition.
    let mut found = BTreeSet::new();
    let mut count = 0;
    for kind in AuditKind::ALL {
        let rows = all(&world.gate, &vera.staff, &by_kind(kind)).await;
        let page = world
            .gate
            .audit(&vera.staff, &by_kind(kind), AuditPlace::Newest)
            .await
            .unwrap();
        assert_eq!(
            (page.count, page.at_most),
            (rows.len() as u64, false),
            "{kind:?}"
        );
        count += rows.len();
        found.extend(rows.iter().map(|row| row.number));
    }
    assert_eq!((count, found.len()), (everything.len(), everything.len()));

    // Who: an account finds what its person did in cases, too.
    let who = |who: &str, kind| AuditFilter {
        who: Some(who.to_owned()),
        kind,
        ..AuditFilter::default()
    };
    let idris = all(&world.gate, &vera.staff, &who("idris", None)).await;
    let kinds: BTreeSet<&str> = idris.iter().map(|row| row.kind.as_str()).collect();
    assert!(kinds.contains("case.signed_off") && kinds.contains("staff.signed_in"));
    assert!(
        idris
            .iter()
            .all(|row| row.who.name.as_deref() == Some("Idris"))
    );
    let signed = all(
        &world.gate,
        &vera.staff,
        &who("idris", Some(AuditKind::Signed)),
    )
    .await;
    assert_eq!(signed.len(), 1);
    let customer = all(&world.gate, &vera.staff, &who("customer", None)).await;
    assert!(
        customer
            .iter()
            .any(|row| row.kind == "customer.wrong_answer")
    );
    assert!(customer.iter().all(|row| row.who.kind == "customer"));
    assert!(
        all(&world.gate, &vera.staff, &who("nobody", None))
            .await
            .is_empty()
    );

    // Case and customer.
    let of_case = AuditFilter {
        case: Some(case.clone()),
        ..AuditFilter::default()
    };
    let rows = all(&world.gate, &vera.staff, &of_case).await;
    assert!(rows.iter().all(|row| row.case.as_ref() == Some(&case)));
    for kind in ["case.opened", "customer.wrong_answer", "case.concluded"] {
        assert!(rows.iter().any(|row| row.kind == kind), "{kind}");
    }
    let of_customer = AuditFilter {
        customer: Some(signe),
        ..AuditFilter::default()
    };
    let theirs = all(&world.gate, &vera.staff, &of_customer).await;
    assert!(theirs.len() > rows.len());
    assert!(theirs.iter().any(|row| row.kind == "backup.attested"));

    // Days: the whole in two parts, and neither in the other.
    let days = |from: Option<&str>, to: Option<&str>| AuditFilter {
        from: from.map(str::to_owned),
        to: to.map(str::to_owned),
        ..AuditFilter::default()
    };
    let early = all(&world.gate, &vera.staff, &days(None, Some("2026-12-23"))).await;
    let late = all(&world.gate, &vera.staff, &days(Some("2026-12-24"), None)).await;
    assert!(!early.is_empty() && !late.is_empty());
    assert_eq!(early.len() + late.len(), everything.len());
    assert!(
        all(&world.gate, &vera.staff, &days(Some("2031-01-01"), None))
            .await
            .is_empty()
    );

    // No line says what a customer is called, where they live or what they typed.
    for row in &everything {
        for said in [
            "Halden",
            "signe@",
            "+4670",
            "web-3",
            "disk is full",
            "482913",
        ] {
            assert!(!row.words.contains(said), "{row:?}");
        }
    }
}

#[tokio::test]
async fn an_entry_shows_what_its_leaf_commits_to_and_its_signature_verifies() {
    let (world, _, case) = Box::pin(busy()).await;
    let vera = world.colleague("vera").await;
    let filter = AuditFilter {
        case: Some(case),
        ..AuditFilter::default()
    };
    let rows = all(&world.gate, &vera.staff, &filter).await;
    for row in &rows {
        let entry = world
            .gate
            .audit_entry(&vera.staff, row.number)
            .await
            .unwrap();
        assert_eq!(entry.row, *row);
        assert_eq!(entry.committed, Some(true), "{entry:?}");
        assert!(entry.included_in.is_some());
        assert_eq!(entry.leaf_hash.as_ref().map(String::len), Some(64));
        match row.kind.as_str() {
            "case.signed_off" => {
                let signature = entry.signature.unwrap();
                assert!(signature.verified);
                assert_eq!(
                    signature.words,
                    "Erase everything on web-3 and install debian-13"
                );
            }
            _ => assert_eq!(entry.signature, None),
        }
    }
    // Each of them was itself an entry, once.
    world
        .gate
        .audit_entry(&vera.staff, rows[0].number)
        .await
        .unwrap();
    world.gate.keep_up().await.unwrap();
    let read = all(&world.gate, &vera.staff, &by_kind(AuditKind::LookedUp)).await;
    let read = read
        .iter()
        .filter(|row| row.kind == "staff.looked_at_entry")
        .count();
    assert_eq!(read, rows.len());
    assert!(matches!(
        world.gate.audit_entry(&vera.staff, 999_999).await,
        Err(CaseError::Unknown)
    ));
}

#[tokio::test]
async fn only_auditors_read_and_nobody_reads_about_their_own() {
    let (world, signe, case) = Box::pin(busy()).await;
    let otto = world.colleague("otto").await;
    world.gate.keep_up().await.unwrap();
    for account in ["maja", "idris", "root"] {
        let other = world.colleague(account).await;
        let filter = AuditFilter::default();
        assert!(matches!(
            world
                .gate
                .audit(&other.staff, &filter, AuditPlace::Newest)
                .await,
            Err(CaseError::NotAllowed("auditor"))
        ));
        assert!(world.gate.audit_entry(&other.staff, 1).await.is_err());
        assert!(
            world
                .gate
                .audit_export(&other.staff, &filter)
                .await
                .is_err()
        );
        assert!(world.gate.audit_check(&other.staff).await.is_err());
        assert!(world.gate.ask_for_audit_check(&other.staff).await.is_err());
    }
    for filter in [
        AuditFilter {
            case: Some(case),
            ..AuditFilter::default()
        },
        AuditFilter {
            customer: Some(signe),
            ..AuditFilter::default()
        },
    ] {
        let rows = all(&world.gate, &otto.staff, &filter).await;
        assert!(!rows.is_empty());
        for row in rows {
            assert!(row.closed && row.case.is_none(), "{row:?}");
            assert!(matches!(
                world.gate.audit_entry(&otto.staff, row.number).await,
                Err(CaseError::Unknown)
            ));
        }
    }
}

#[tokio::test]
async fn an_export_is_the_list_and_is_itself_an_entry() {
    let (world, ..) = Box::pin(busy()).await;
    let vera = world.colleague("vera").await;
    world.gate.keep_up().await.unwrap();
    let filter = by_kind(AuditKind::LookedUp);
    let listed = all(&world.gate, &vera.staff, &filter).await;
    let export = world.gate.audit_export(&vera.staff, &filter).await.unwrap();
    assert_eq!(export.count, listed.len() as u64);
    let text: String = export.lines.try_collect::<Vec<_>>().await.unwrap().concat();
    let numbers: Vec<u64> = text
        .lines()
        .map(|line| {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            line["number"].as_u64().unwrap()
        })
        .collect();
    let expected: Vec<u64> = listed.iter().rev().map(|row| row.number).collect();
    assert_eq!(numbers, expected);
    world.gate.keep_up().await.unwrap();
    let after = all(&world.gate, &vera.staff, &filter).await;
    assert_eq!(after[0].kind, "staff.exported_log");
    assert_eq!(after.len(), listed.len() + 1);
}

#[tokio::test]
async fn entries_of_an_erased_customer_are_gone_and_the_pages_go_on() {
    let (world, signe, case) = Box::pin(busy()).await;
    let vera = world.colleague("vera").await;
    let maja = world.colleague("maja").await;
    world.gate.keep_up().await.unwrap();
    let everything = all(&world.gate, &vera.staff, &AuditFilter::default()).await;
    let filter = AuditFilter {
        case: Some(case),
        ..AuditFilter::default()
    };
    let theirs = all(&world.gate, &vera.staff, &filter).await.len();
    let eraser = world.machine("eraser");
    world.gate.erase_customer(&eraser, &signe).await.unwrap();
    world.gate.keep_up().await.unwrap();
    let left = all(&world.gate, &vera.staff, &AuditFilter::default()).await;
    assert!(left.len() < everything.len() - theirs + 5);
    assert!(left.iter().any(|row| row.kind == "customer.erased"));
    assert!(all(&world.gate, &vera.staff, &filter).await.is_empty());
    // The index still has positions that lead nowhere.
    let signed = all(&world.gate, &vera.staff, &by_kind(AuditKind::Signed)).await;
    assert!(signed.is_empty());
    drop(maja);
}

#[tokio::test]
async fn the_log_is_looked_through_when_asked_and_once_a_day() {
    let (world, ..) = Box::pin(busy()).await;
    let vera = world.colleague("vera").await;
    assert_eq!(
        world.gate.audit_check(&vera.staff).await.unwrap(),
        (None, None)
    );
    assert!(world.gate.check_log_if_due().await.unwrap());
    let (result, asked) = world.gate.audit_check(&vera.staff).await.unwrap();
    let result = result.unwrap();
    assert_eq!((result.finding, asked), (None, None));
    assert_eq!(result.entries, world.leaves().await.len() as u64);
    assert_eq!(result.events, result.entries);
    assert!(!world.gate.check_log_if_due().await.unwrap());
    world.gate.ask_for_audit_check(&vera.staff).await.unwrap();
    let (_, asked) = world.gate.audit_check(&vera.staff).await.unwrap();
    assert!(asked.is_some());
    assert!(world.gate.check_log_if_due().await.unwrap());
    assert!(!world.gate.check_log_if_due().await.unwrap());
    world.hours(25);
    assert!(world.gate.check_log_if_due().await.unwrap());
}

#[tokio::test]
async fn an_event_that_was_changed_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gate.db");
    let mut world = World::on_sqlite(&path).await;
    let signe = world.signe().await;
    let maja = world.colleague("maja").await;
    world
        .open(&maja, &without_parameters(&signe, "password.reset"))
        .await;
    assert_eq!(world.gate.check_log().await.unwrap().finding, None);
    // Somebody with the file changes who opened the case.
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&path);
    let mut connection = <sqlx::SqliteConnection as sqlx::Connection>::connect_with(&options)
        .await
        .unwrap();
    for statement in [
        "DROP TRIGGER event_is_final",
        "UPDATE event SET data = replace(data, 'p-maja', 'p-tomas') WHERE kind = 'case.opened'",
    ] {
        sqlx::query(statement)
            .execute(&mut connection)
            .await
            .unwrap();
    }
    let finding = world.gate.check_log().await.unwrap().finding.unwrap();
    assert_eq!(finding.what, "it is not what its leaf commits to");
    let stored = world.journal.follow(0, usize::MAX).await.unwrap();
    let changed = stored.iter().find(|event| event.kind == "case.opened");
    assert_eq!(finding.entry, changed.map(|event| event.position));
}
