//! The connection is cut, at whatever moment: nothing acknowledged is lost, nothing is written twice, one root a size.

use std::sync::Arc;

use countersign_store::{Clock, CommitError, Journal as _, conformance::RecordingSigner};
use countersign_testkit::postgres::{self, Cluster, Cut, Proxy};
use futures_util::future::join_all;

use super::{audit, length, open, open_with, turn};

/// Cut between the last write and the `COMMIT`, or between the `COMMIT` and its answer: the gate finds out which it was.
#[tokio::test]
async fn a_commit_that_was_cut_off_is_found_out() {
    let Some(database) = postgres::database() else {
        return;
    };
    let wire = Proxy::to(&database).unwrap();
    let signer = Arc::new(RecordingSigner::default());
    let gate = open_with(&wire.address(), signer.clone(), Clock::system())
        .await
        .unwrap();
    let other_signer = Arc::new(RecordingSigner::default());
    let other = open(&database, &other_signer).await;
    for round in 0..6_u64 {
        let cut = [Cut::BeforeCommit, Cut::AfterCommit][(round % 2) as usize];
        // Sometimes the other gate was the last to write.
        if round % 3 == 0 {
            other
                .commit(turn("bob/b", length(&other, "bob/b").await))
                .await
                .unwrap();
        }
        wire.cut_once(cut);
        let names = ["a", "b", "c"].map(|name| format!("ann/{name}{round}"));
        let group = names.each_ref().map(|name| gate.commit(turn(name, 0)));
        for (name, answer) in names.iter().zip(join_all(group).await) {
            let landed = length(&other, name).await == 1;
            match answer {
                Ok(_) => assert!(landed, "{cut:?}"),
                Err(CommitError::Overloaded) => assert!(!landed, "{cut:?}"),
                Err(error) => panic!("{cut:?}: {error}"),
            }
        }
        assert_eq!(wire.cuts() as u64, round + 1);
        // It goes on.
        gate.commit(turn("ann/on", round)).await.unwrap();
        audit(&gate, &[&signer, &other_signer]).await;
    }
}

/// While the wire is down, requests are refused; once it is up, they are served, without anybody doing anything.
#[tokio::test]
async fn a_wire_that_comes_back_is_used_again() {
    let Some(database) = postgres::database() else {
        return;
    };
    let wire = Proxy::to(&database).unwrap();
    let signer = Arc::new(RecordingSigner::default());
    let gate = open_with(&wire.address(), signer.clone(), Clock::system())
        .await
        .unwrap();
    gate.commit(turn("ann/a", 0)).await.unwrap();
    wire.down();
    assert_eq!(
        gate.commit(turn("ann/a", 1)).await.unwrap_err(),
        CommitError::Overloaded
    );
    gate.checkpoint().await.unwrap_err();
    gate.take_work("mail", 0, 1, 1).await.unwrap_err();
    wire.up();
    gate.commit(turn("ann/a", 1)).await.unwrap();
    assert_eq!(length(&gate, "ann/a").await, 2);
    audit(&gate, &[&signer]).await;
}

/// `COMMIT` was cut and the wire stays down: nothing is known, and that is said. Later everything is as the database has it.
#[tokio::test]
async fn what_cannot_be_found_out_is_said_to_be_unknown() {
    let Some(database) = postgres::database() else {
        return;
    };
    let wire = Proxy::to(&database).unwrap();
    let signer = Arc::new(RecordingSigner::default());
    let gate = open_with(&wire.address(), signer.clone(), Clock::system())
        .await
        .unwrap();
    let mut streams = 0;
    for (round, cut) in [Cut::BeforeCommit, Cut::AfterCommit]
        .into_iter()
        .enumerate()
    {
        wire.stay_down_after(cut);
        let name = format!("ann/{round}");
        let error = gate.commit(turn(&name, 0)).await.unwrap_err();
        assert!(
            matches!(error, CommitError::Unavailable(_)),
            "{cut:?}: {error}"
        );
        wire.up();
        // The callers read, and go on from what they find.
        gate.checkpoint().await.unwrap();
        let landed = length(&gate, &name).await;
        assert_eq!(landed, u64::from(cut == Cut::AfterCommit));
        gate.commit(turn(&name, landed)).await.unwrap();
        streams += landed + 1;
        assert_eq!(audit(&gate, &[&signer]).await, streams);
    }
}

/// The server itself is killed under load, and started again: every acknowledged turn is there, the tree is whole.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_server_loses_nothing_that_was_acknowledged() {
    let Some(cluster) = Cluster::start(&[]) else {
        return;
    };
    let cluster = Arc::new(cluster);
    let database = cluster.database();
    let signers = [(); 2].map(|()| Arc::new(RecordingSigner::default()));
    let gates = join_all(signers.iter().map(|signer| open(&database, signer))).await;
    let gates: Vec<_> = gates.into_iter().map(Arc::new).collect();
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let clients = (0..6).map(|client| {
        let (gate, stopped) = (gates[client % 2].clone(), stopped.clone());
        tokio::spawn(async move {
            let name = format!("ann/{client}");
            let (mut acknowledged, mut refused) = (0, 0);
            while !*stopped.borrow() || acknowledged == 0 {
                // As the contract says: read, then try again.
                let Ok(events) = gate
                    .read(&countersign_store::StreamKey(name.clone()), 0)
                    .await
                else {
                    refused += 1;
                    tokio::task::yield_now().await;
                    continue;
                };
                let at = events.len() as u64;
                assert!(at >= acknowledged, "{name}: {at} of {acknowledged}");
                match gate.commit(turn(&name, at)).await {
                    Ok(_) => acknowledged = at + 1,
                    Err(_) => refused += 1,
                }
            }
            (name, acknowledged, refused)
        })
    });
    let clients: Vec<_> = clients.collect();
    for _ in 0..3 {
        // Wait for some work done, not for time.
        let mut newest = gates[0].watch();
        let from = *newest.borrow();
        newest.wait_for(|now| *now > from + 20).await.unwrap();
        let killed = cluster.clone();
        tokio::task::spawn_blocking(move || {
            killed.crash();
            killed.resume();
        })
        .await
        .unwrap();
    }
    let mut newest = gates[0].watch();
    let from = *newest.borrow();
    newest.wait_for(|now| *now > from + 20).await.unwrap();
    stop.send_replace(true);
    let mut refused = 0;
    for client in join_all(clients).await {
        let (name, acknowledged, unheard) = client.unwrap();
        assert!(length(&*gates[0], &name).await >= acknowledged);
        refused += unheard;
    }
    assert!(refused > 0, "the kills were noticed");
    for gate in &gates {
        audit(&**gate, &[&signers[0], &signers[1]]).await;
        gate.close().await;
    }
}
