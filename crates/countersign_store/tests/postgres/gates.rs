//! Several gates on one database.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use countersign_store::{
    Batch, CommitError, Journal as _, NewWork, SharedJournal, conformance::RecordingSigner,
};
use countersign_testkit::postgres;
use futures_util::future::join_all;
use tokio::time::timeout;

use super::{audit, length, open, turn};

/// Far longer than anything here takes; so that what never comes fails the test.
const LONG: Duration = Duration::from_secs(20);

/// Two gates, eight clients each, all on the same four streams: one tree, nothing lost, nothing twice, one root a size.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_gates_keep_one_tree() {
    let Some(database) = postgres::database() else {
        return;
    };
    let signers = [(); 2].map(|()| Arc::new(RecordingSigner::default()));
    let mut gates: Vec<SharedJournal> = Vec::new();
    for signer in &signers {
        gates.push(Arc::new(open(&database, signer).await));
    }
    let clients = (0..16).map(|client| {
        let gate = gates[client % 2].clone();
        tokio::spawn(async move {
            let (mut written, mut conflicts) = (0_u64, 0_u64);
            while written < 12 {
                let name = format!("ann/{}", (client as u64 + written) % 4);
                let at = length(&*gate, &name).await;
                match gate.commit(turn(&name, at)).await {
                    Ok(committed) => {
                        assert!(committed.first_leaf < committed.tree_size);
                        written += 1;
                    }
                    Err(CommitError::Conflict { .. }) => conflicts += 1,
                    Err(error) => panic!("{error}"),
                }
            }
            conflicts
        })
    });
    let mut conflicts = 0;
    for client in join_all(clients).await {
        conflicts += client.unwrap();
    }
    assert!(conflicts > 0, "the clients have met");
    for gate in &gates {
        assert_eq!(audit(&**gate, &[&signers[0], &signers[1]]).await, 16 * 12);
    }
    let mut total = 0;
    for stream in 0..4 {
        total += length(&*gates[1], &format!("ann/{stream}")).await;
    }
    assert_eq!(total, 16 * 12);
    // And from the beginning, as the next gate will see it.
    let third = Arc::new(RecordingSigner::default());
    let gate = open(&database, &third).await;
    audit(&gate, &[&third, &signers[0], &signers[1]]).await;
}

/// What one gate has written, the other knows: its events, its records, its checkpoint, its tiles.
#[tokio::test]
async fn a_gate_sees_at_once_what_another_has_written() {
    let Some(database) = postgres::database() else {
        return;
    };
    let signer = Arc::new(RecordingSigner::default());
    let [one, two] = [
        open(&database, &signer).await,
        open(&database, &signer).await,
    ];
    for n in 0..5 {
        let (writes, reads) = if n % 2 == 0 {
            (&one, &two)
        } else {
            (&two, &one)
        };
        writes.commit(turn("ann/a", n)).await.unwrap();
        assert_eq!(length(reads, "ann/a").await, n + 1);
        assert_eq!(
            reads.get("turns", "ann/a").await.unwrap().unwrap().revision,
            n + 1
        );
        assert_eq!(
            reads.checkpoint().await.unwrap(),
            writes.checkpoint().await.unwrap()
        );
        let newest = format!("tile/0/000.p/{}", n + 1);
        assert!(reads.tile(&newest).await.unwrap().is_some());
        assert_eq!(audit(reads, &[&signer]).await, n + 1);
    }
}

#[tokio::test]
async fn a_commit_wakes_those_who_watch_another_gate() {
    let Some(database) = postgres::database() else {
        return;
    };
    let signer = Arc::new(RecordingSigner::default());
    let [one, two] = [
        open(&database, &signer).await,
        open(&database, &signer).await,
    ];
    let mut watched = two.watch();
    for n in 0..3 {
        one.commit(turn("ann/a", n)).await.unwrap();
        timeout(LONG, watched.wait_for(|newest| *newest == n + 1))
            .await
            .expect("woken")
            .unwrap();
    }
    // When the server's word is lost, it is asked for: without the listeners' sessions the news comes all the same.
    database.execute(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
         WHERE datname = current_database() AND query LIKE 'LISTEN%'",
    );
    one.commit(turn("ann/a", 3)).await.unwrap();
    timeout(LONG, watched.wait_for(|newest| *newest == 4))
        .await
        .expect("woken")
        .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_gates_never_take_the_same_work() {
    let Some(database) = postgres::database() else {
        return;
    };
    let signer = Arc::new(RecordingSigner::default());
    let gates = [(); 2].map(|()| async { Arc::new(open(&database, &signer).await) });
    let gates = join_all(gates).await;
    let work = (0..200).map(|n| NewWork {
        queue: "mail",
        key: format!("{n:03}"),
        due_ms: n % 7,
        body: "{}".into(),
    });
    let batch = Batch {
        work: work.collect(),
        ..Batch::default()
    };
    gates[0].commit(batch).await.unwrap();
    let takers = (0..8).map(|taker| {
        let gate = gates[taker % 2].clone();
        tokio::spawn(async move {
            let mut taken = Vec::new();
            loop {
                let more = gate.take_work("mail", 10, 1_000, 7).await.unwrap();
                if more.is_empty() {
                    return taken;
                }
                taken.extend(more.into_iter().map(|work| work.key));
            }
        })
    });
    let mut all = Vec::new();
    for taken in join_all(takers).await {
        all.extend(taken.unwrap());
    }
    assert_eq!(all.len(), 200);
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), 200);
}

/// A gate that has seen a leaf never goes on from a database that does not have it, nor signs its root: a backup put back
/// under a running gate, or a second history.
#[tokio::test]
async fn a_gate_does_not_follow_a_ledger_that_has_gone_back_or_forked() {
    let Some(database) = postgres::database() else {
        return;
    };
    let signer = Arc::new(RecordingSigner::default());
    let gate = open(&database, &signer).await;
    for n in 0..3 {
        gate.commit(turn("ann/a", n)).await.unwrap();
    }
    let signed = signer.signed();
    let root = "decode(repeat('ab', 32), 'hex')";
    database.execute(&format!(
        "INSERT INTO countersign.leaf VALUES (3, 'x'); INSERT INTO countersign.checkpoint VALUES (4, {root});
         UPDATE countersign.head SET generation = generation + 1, tree_size = 4"
    ));
    for _ in 0..2 {
        let error = gate.commit(turn("ann/a", 3)).await.unwrap_err();
        assert_eq!(error, CommitError::Overloaded);
        let error = gate.checkpoint().await.unwrap_err().to_string();
        assert!(
            error.contains("begins with the 3 this gate has seen"),
            "{error}"
        );
    }
    database.execute(
        "ALTER TABLE countersign.leaf DISABLE TRIGGER ALL; ALTER TABLE countersign.checkpoint DISABLE TRIGGER ALL;
         DELETE FROM countersign.leaf WHERE leaf_index >= 2; DELETE FROM countersign.checkpoint WHERE tree_size > 2;
         UPDATE countersign.head SET generation = generation + 1, tree_size = 2",
    );
    let error = gate.checkpoint().await.unwrap_err().to_string();
    assert!(error.contains("the database has gone back"), "{error}");
    assert_eq!(signer.signed(), signed, "nothing of it is signed");
}

/// A failover lost a commit, and another gate has since come to the same generation by another way.
#[tokio::test]
async fn the_same_generation_of_another_history_is_not_gone_on_from() {
    let Some(database) = postgres::database() else {
        return;
    };
    let signer = Arc::new(RecordingSigner::default());
    let gate = open(&database, &signer).await;
    for n in 0..2 {
        gate.commit(turn("ann/a", n)).await.unwrap();
    }
    let signed = signer.signed();
    // The same counts everywhere, and another second leaf.
    database.execute(
        "ALTER TABLE countersign.leaf DISABLE TRIGGER ALL; ALTER TABLE countersign.checkpoint DISABLE TRIGGER ALL;
         UPDATE countersign.leaf SET data = 'x' WHERE leaf_index = 1;
         UPDATE countersign.checkpoint SET root = decode(repeat('ab', 32), 'hex') WHERE tree_size = 2",
    );
    let error = gate.commit(turn("ann/a", 2)).await.unwrap_err();
    assert_eq!(error, CommitError::Overloaded);
    assert_eq!(signer.signed(), signed, "nothing of it is signed");
}

/// Gates that start at once on a new database make its tables once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gates_may_start_at_once_on_a_new_database() {
    let Some(database) = postgres::database() else {
        return;
    };
    let signer = Arc::new(RecordingSigner::default());
    let opened = join_all((0..4).map(|_| open(&database, &signer))).await;
    for (n, gate) in (0..).zip(&opened) {
        gate.commit(turn("ann/a", n)).await.unwrap();
    }
    audit(&opened[0], &[&signer]).await;
    for gate in opened {
        gate.close().await;
    }
    assert_eq!(
        database.execute("SELECT count(*) FROM countersign.gate"),
        "0"
    );
}
