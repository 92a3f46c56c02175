//! An auditor that cannot fail is worth nothing: each of its checks is shown something that must never be, planted into the
//! books of a company where nothing was wrong, and has to find it.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::cast_possible_truncation,
    reason = "helpers of tests, which clippy does not see as tests"
)]

use std::collections::BTreeMap;

use countersign_language::{
    BackupGrade, Comparison, Duration, Line, Requirement, RoleId, Scope, Span, Subject, Unit,
    Value as Literal,
};
use countersign_testkit::{
    auditor::{Acknowledged, Attempt, Books, Carried, Happened, Heard, Held, audit},
    simulator::run,
};
use serde_json::{Value, json};

/// Companies in which enough happens for every planting to find its place.
const SEEDS: [u64; 6] = [0, 2, 3, 4, 5, 6];

/// One thing that must never be: how it is planted (`false` where there is no place for it), and what must be said of it.
struct Planting {
    name: &'static str,
    plant: fn(&mut Books) -> bool,
    invariant: u8,
    said: &'static str,
}

const fn planting(
    name: &'static str,
    invariant: u8,
    said: &'static str,
    plant: fn(&mut Books) -> bool,
) -> Planting {
    Planting {
        name,
        plant,
        invariant,
        said,
    }
}

/// Plants each in every company that has a place for it: found wherever it is, and there is such a company.
fn find_all(plantings: &[Planting]) {
    let mut planted: BTreeMap<&str, usize> = BTreeMap::new();
    for seed in SEEDS {
        if plantings
            .iter()
            .all(|one| planted.get(one.name).is_some_and(|times| *times > 0))
        {
            break;
        }
        let books = run(seed).unwrap().books;
        assert_eq!(audit(&books), [], "seed {seed} before anything is planted");
        for one in plantings {
            let mut spoiled = books.clone();
            if !(one.plant)(&mut spoiled) {
                continue;
            }
            *planted.entry(one.name).or_default() += 1;
            let findings = audit(&spoiled);
            assert!(
                findings
                    .iter()
                    .any(|found| found.invariant == one.invariant && found.what.contains(one.said)),
                "seed {seed}: `{}` was not found; found were {findings:#?}",
                one.name
            );
        }
    }
    for one in plantings {
        assert!(
            planted.contains_key(one.name),
            "no seed has a place for `{}`",
            one.name
        );
    }
}

/// The first event of this kind that this holds of.
fn find(books: &Books, kind: &str, holds: impl Fn(&Happened) -> bool) -> Option<usize> {
    books
        .events
        .iter()
        .position(|event| event.kind == kind && holds(event))
}

/// The stream of a case that was granted and of which this holds.
fn granted(books: &Books, holds: impl Fn(&[&Happened]) -> bool) -> Option<String> {
    books
        .events
        .iter()
        .filter(|event| event.kind == "case.granted")
        .map(|event| event.stream.clone())
        .find(|stream| {
            let events: Vec<&Happened> = books
                .events
                .iter()
                .filter(|event| event.stream == *stream)
                .collect();
            holds(&events)
        })
}

fn has(events: &[&Happened], kind: &str) -> bool {
    events.iter().any(|event| event.kind == kind)
}

/// Takes all events of a kind out of a stream. True if there were any.
fn take_out(books: &mut Books, stream: &str, kind: &str) -> bool {
    let before = books.events.len();
    books
        .events
        .retain(|event| event.stream != stream || event.kind != kind);
    books.events.len() < before
}

fn event<'a>(books: &'a mut Books, stream: &str, kind: &str) -> Option<&'a mut Happened> {
    books
        .events
        .iter_mut()
        .find(|event| event.stream == stream && event.kind == kind)
}

/// Puts an event before another, as the store would have numbered it.
fn insert_before(books: &mut Books, place: usize, mut new: Happened) {
    new.position = books.events[place].position;
    new.at = books.events[place].at;
    books.events.insert(place, new);
    for event in &mut books.events[place + 1..] {
        event.position += 1;
    }
}

/// The path by which the first grant was made gets one more line.
fn path_gets(books: &mut Books, requirement: Requirement) -> bool {
    let Some(place) = find(books, "case.granted", |_| true) else {
        return false;
    };
    let stream = books.events[place].stream.clone();
    let path = books.events[place].data["path"].as_u64().unwrap() as usize;
    let action = event(books, &stream, "case.opened").unwrap().data["action_index"]
        .as_u64()
        .unwrap() as usize;
    let procedure = books.procedures.values_mut().next().unwrap();
    procedure.actions[action].paths[path].lines.push(Line {
        requirement,
        span: Span::default(),
    });
    true
}

const HOUR: Duration = Duration {
    count: 1,
    unit: Unit::Hour,
};

#[test]
fn a_grant_without_a_complete_path_is_found() {
    find_all(&[
        planting(
            "a proof is missing",
            10,
            "the proofs it asks for",
            |books| {
                granted(books, |events| has(events, "case.proved"))
                    .is_some_and(|stream| take_out(books, &stream, "case.proved"))
            },
        ),
        planting("nobody confirmed", 1, "never confirmed", |books| {
            granted(books, |_| true)
                .is_some_and(|stream| take_out(books, &stream, "case.confirmed"))
        }),
        planting(
            "a holding changed after its proof",
            10,
            "the proofs it asks for",
            |books| {
                // Of every secret there is, just before the grant.
                let Some(place) = find(books, "case.granted", |_| true) else {
                    return false;
                };
                let (customer, rest) = books.events[place].stream.split_once('/').unwrap();
                assert!(rest.starts_with("case."));
                let customer = customer.trim_start_matches("c.").to_owned();
                let procedure = books.procedures.values().next().unwrap().clone();
                for (number, holding) in procedure.holdings.iter().enumerate() {
                    let new = Happened {
                        position: 0,
                        stream: format!("c.{customer}/account"),
                        sequence: 1_000 + number as u64,
                        kind: "customer.factor_put".into(),
                        at: 0,
                        data: json!({ "holding": holding.name }),
                        salt: String::new(),
                        leaf: None,
                    };
                    let earlier = books.events[..place]
                        .iter()
                        .filter(|event| event.stream == new.stream && event.kind == new.kind)
                        .count();
                    books.held.retain(|held| {
                        held.customer != customer
                            || held.event.0 != new.kind
                            || held.event.1 < earlier + number
                    });
                    books.held.push(Held {
                        event: (new.kind.clone(), earlier + number),
                        customer: customer.clone(),
                        holding: holding.name.clone(),
                        value: Some("another".into()),
                    });
                    insert_before(books, place + number, new);
                }
                // Channels change by puts alone; a path of nothing else has no place for this.
                audit(books)
                    .iter()
                    .any(|found| found.what.contains("the proofs it asks for"))
            },
        ),
        planting("a limit is full", 1, "room in its limit", |books| {
            path_gets(
                books,
                Requirement::AtMost {
                    count: 0,
                    per: HOUR,
                    scope: Scope::Customer,
                },
            )
        }),
        planting(
            "backups are missing",
            1,
            "the backups it asks for",
            |books| {
                path_gets(
                    books,
                    Requirement::Backup {
                        grade: BackupGrade::Restored,
                        within: HOUR,
                        places: 9,
                    },
                )
            },
        ),
        planting(
            "it is not for this customer",
            1,
            "what it is for",
            |books| {
                path_gets(
                    books,
                    Requirement::When {
                        subject: Subject::Attribute("number_lock".into()),
                        comparison: Comparison::Is,
                        value: Literal::Text("never heard of".into()),
                    },
                )
            },
        ),
        planting(
            "nobody gave their word",
            4,
            "the people it asks for",
            |books| {
                path_gets(
                    books,
                    Requirement::Confirms {
                        role: RoleId(0),
                        text: "nobody ever said this".into(),
                    },
                )
            },
        ),
        planting("too few signed", 4, "the people it asks for", |books| {
            path_gets(
                books,
                Requirement::SignOff {
                    count: 3,
                    role: RoleId(0),
                },
            )
        }),
        planting("it did not wait", 6, "its wait", |books| {
            path_gets(books, Requirement::Wait(HOUR))
        }),
        planting("nobody was told", 10, "everybody told", |books| {
            let channels = books.procedures.values().next().unwrap();
            let mailbox = channels.holding_named("mailbox").unwrap();
            let Some(place) = find(books, "case.granted", |_| true) else {
                return false;
            };
            let stream = books.events[place].stream.clone();
            take_out(books, &stream, "case.notified");
            path_gets(
                books,
                Requirement::Notify {
                    every: false,
                    channels: vec![mailbox].into(),
                },
            )
        }),
        planting("after its time", 6, "the case runs out", |books| {
            let stream = granted(books, |_| true).unwrap();
            let granted = event(books, &stream, "case.granted").unwrap();
            granted.at += 400 * 86_400_000;
            true
        }),
        planting(
            "the gate itself said run, and may not",
            1,
            "said run",
            |books| {
                let stream = granted(books, |events| {
                    events[0].data["by"].get("staff").is_some() && !has(events, "case.wait_started")
                });
                stream.is_some_and(|stream| {
                    event(books, &stream, "case.granted").unwrap().data["by"] = json!("gate");
                    true
                })
            },
        ),
        planting("two grants", 9, "2 grants", |books| {
            let place = find(books, "case.granted", |_| true).unwrap();
            let again = books.events[place].clone();
            insert_before(books, place, again);
            true
        }),
    ]);
}

#[test]
fn a_wait_that_was_not_earned_is_found() {
    fn waited(books: &Books) -> Option<String> {
        granted(books, |events| has(events, "case.wait_started"))
    }
    find_all(&[
        planting("a short wait", 6, "not as long as the file says", |books| {
            waited(books).is_some_and(|stream| {
                let wait = event(books, &stream, "case.wait_started").unwrap();
                wait.data["until"] = json!(wait.data["until"].as_i64().unwrap() - 60_000);
                true
            })
        }),
        planting(
            "granted before the wait is over",
            6,
            "without its wait",
            |books| {
                waited(books).is_some_and(|stream| {
                    let began = event(books, &stream, "case.wait_started").unwrap().at;
                    event(books, &stream, "case.granted").unwrap().at = began + 1;
                    true
                })
            },
        ),
        planting("the wait was void", 6, "without its wait", |books| {
            waited(books).is_some_and(|stream| {
                let place = find(books, "case.granted", |event| event.stream == stream).unwrap();
                let mut void = books.events[place].clone();
                void.kind = "case.wait_void".into();
                insert_before(books, place, void);
                true
            })
        }),
        planting("proved while it waited", 6, "without its wait", |books| {
            waited(books).is_some_and(|stream| {
                let place = find(books, "case.proved", |event| event.stream == stream).unwrap();
                let proof = books.events.remove(place);
                let granted = find(books, "case.granted", |event| event.stream == stream).unwrap();
                insert_before(books, granted, proof);
                true
            })
        }),
        planting("a contact was not told", 10, "everybody told", |books| {
            waited(books).is_some_and(|stream| take_out(books, &stream, "case.notified"))
        }),
        planting("nobody was reached", 10, "everybody told", |books| {
            waited(books).is_some_and(|stream| {
                let mut any = false;
                for event in &mut books.events {
                    if event.stream == stream && event.kind == "case.notified" {
                        event.data["handed_over"] = json!(false);
                        any = true;
                    }
                }
                any
            })
        }),
        planting(
            "only a changed contact was reached",
            10,
            "everybody told",
            |books| {
                // As if every contact had come a day before.
                waited(books).is_some_and(|stream| {
                    if !books
                        .events
                        .iter()
                        .any(|event| event.stream == stream && event.kind == "case.notified")
                    {
                        return false;
                    }
                    let customer = stream
                        .trim_start_matches("c.")
                        .split('/')
                        .next()
                        .unwrap()
                        .to_owned();
                    let account = format!("c.{customer}/account");
                    let place =
                        find(books, "customer.put", |event| event.stream == account).unwrap();
                    let due = event(books, &stream, "case.notices_due").unwrap().at;
                    let mut second = books.events[place].clone();
                    second.at = due - 86_400_000;
                    second.position += 1;
                    for event in &mut books.events[place + 1..] {
                        event.position += 1;
                    }
                    books.events.insert(place + 1, second);
                    let first = books
                        .puts
                        .iter()
                        .position(|put| put.customer == customer)
                        .unwrap();
                    let mut before = books.puts[first].clone();
                    before.contacts.clear();
                    books.puts.insert(first, before);
                    true
                })
            },
        ),
        planting(
            "a notice that nobody carried",
            10,
            "no letter was taken",
            |books| {
                if find(books, "case.notified", |event| {
                    event.data["handed_over"] == true
                })
                .is_none()
                {
                    return false;
                }
                for letter in &mut books.letters {
                    letter.carried = Carried::Refused;
                }
                true
            },
        ),
    ]);
}

#[test]
fn a_signature_that_may_not_count_is_found() {
    fn signed(books: &Books) -> Option<usize> {
        find(books, "case.signed_off", |_| true)
    }
    find_all(&[
        planting("their own case", 4, "signed their own case", |books| {
            let Some(place) = find(books, "case.signed_off", |event| {
                books.events.iter().any(|opened| {
                    opened.stream == event.stream
                        && opened.data["by"].get("staff").is_some()
                        && opened.kind == "case.opened"
                })
            }) else {
                return false;
            };
            let stream = books.events[place].stream.clone();
            let opener =
                event(books, &stream, "case.opened").unwrap().data["by"]["staff"]["person"].clone();
            books.events[place].data["by"]["person"] = opener;
            true
        }),
        planting("the customer's friend", 4, "is tied to", |books| {
            signed(books).is_some_and(|place| {
                let person = books.events[place].data["by"]["person"]
                    .as_str()
                    .unwrap()
                    .to_owned();
                for account in &mut books.staff {
                    if account.person == person {
                        account.concerned = ["c-0", "c-1", "c-2"].map(str::to_owned).to_vec();
                    }
                }
                true
            })
        }),
        planting("a program", 4, "a program signed", |books| {
            signed(books).is_some_and(|place| {
                let person = books.events[place].data["by"]["person"]
                    .as_str()
                    .unwrap()
                    .to_owned();
                for account in &mut books.staff {
                    account.robot |= account.person == person;
                }
                true
            })
        }),
        planting("twice", 4, "signed twice", |books| {
            signed(books).is_some_and(|place| {
                let again = books.events[place].clone();
                insert_before(books, place, again);
                true
            })
        }),
        planting(
            "somebody else's passkey",
            3,
            "not with their passkey",
            |books| {
                signed(books).is_some_and(|_| {
                    for owner in books.credentials.values_mut() {
                        *owner = "s.nobody".into();
                    }
                    true
                })
            },
        ),
        planting(
            "another case's signature",
            3,
            "not with their passkey",
            |books| {
                let places: Vec<usize> = books
                    .events
                    .iter()
                    .enumerate()
                    .filter(|(_, event)| event.kind == "case.signed_off")
                    .map(|(place, _)| place)
                    .collect();
                let Some(other) = places
                    .iter()
                    .find(|place| books.events[**place].stream != books.events[places[0]].stream)
                else {
                    return false;
                };
                let (first, other) = (places[0], *other);
                books.events[first].data = books.events[other].data.clone();
                true
            },
        ),
        planting("a forged signature", 3, "not with their passkey", |books| {
            signed(books).is_some_and(|place| {
                let signature = &mut books.events[place].data["evidence"]["assertion"]["signature"];
                let forged = format!("AAAA{}", &signature.as_str().unwrap()[4..]);
                *signature = json!(forged);
                true
            })
        }),
        planting(
            "the needed signature is gone",
            4,
            "the people it asks for",
            |books| {
                granted(books, |events| has(events, "case.signed_off"))
                    .is_some_and(|stream| take_out(books, &stream, "case.signed_off"))
            },
        ),
    ]);
}

#[test]
fn a_proof_of_nothing_is_found() {
    find_all(&[
        planting(
            "nobody typed anything",
            3,
            "nothing right was shown",
            |books| {
                books.answers.clear();
                find(books, "case.proved", |event| {
                    event.data["evidence"] == "none"
                })
                .is_some()
            },
        ),
        planting(
            "one answer counts twice",
            3,
            "nothing right was shown",
            |books| {
                find(books, "case.proved", |event| {
                    event.data["evidence"] == "none"
                })
                .is_some_and(|place| {
                    let again = books.events[place].clone();
                    insert_before(books, place + 1, again);
                    true
                })
            },
        ),
        planting(
            "a wrong answer counted",
            3,
            "nothing right was shown",
            |books| {
                for answer in &mut books.answers {
                    answer.text = "0".into();
                }
                find(books, "case.proved", |event| {
                    event.data["evidence"] == "none"
                })
                .is_some()
            },
        ),
        planting(
            "a code that went to somebody else",
            3,
            "nothing right was shown",
            |books| {
                for letter in &mut books.letters {
                    letter.to = "thief@elsewhere.example".into();
                }
                let of_letter = |event: &Happened| {
                    let procedure = books.procedures.values().next().unwrap();
                    let proof = &procedure.proofs[event.data["proof"].as_u64().unwrap() as usize];
                    proof.name.ends_with("_code") && proof.name != "app_code"
                };
                find(books, "case.proved", of_letter).is_some()
            },
        ),
        planting(
            "somebody else's passkey",
            3,
            "nothing right was shown",
            |books| {
                for owner in books.credentials.values_mut() {
                    *owner = "c.nobody/key".into();
                }
                find(books, "case.proved", |event| {
                    event.data["evidence"] != "none"
                })
                .is_some()
            },
        ),
        planting(
            "one passkey answer counts twice",
            3,
            "nothing right was shown",
            |books| {
                find(books, "case.proved", |event| {
                    event.data["evidence"] != "none"
                })
                .is_some_and(|place| {
                    let again = books.events[place].clone();
                    insert_before(books, place + 1, again);
                    true
                })
            },
        ),
        planting(
            "right after five wrong answers",
            3,
            "closed until",
            |books| {
                let Some(place) = books
                    .answers
                    .iter()
                    .position(|answer| answer.heard == Heard::Right)
                else {
                    return false;
                };
                let right = books.answers[place].clone();
                for number in 1..=5 {
                    let mut wrong = right.clone();
                    wrong.heard = Heard::NotRight;
                    wrong.at = (
                        right.at.0 - 20_000 * number,
                        right.at.0 - 20_000 * number + 10,
                    );
                    books.answers.insert(0, wrong);
                }
                // Nobody else's answers, so that it is certain what was counted.
                books.answers.retain(|answer| {
                    answer.at.1 < right.at.0 - 1_000_000 || answer.case == right.case
                });
                true
            },
        ),
    ]);
}

#[test]
fn what_a_backend_should_never_see_is_found() {
    find_all(&[
        planting(
            "sent again",
            9,
            "sent again after it may have arrived",
            |books| {
                let sent = books.attempts.iter().find(|sent| !sent.not_sent).cloned();
                sent.is_some_and(|sent| {
                    books.attempts.push(sent);
                    true
                })
            },
        ),
        planting("run twice", 9, "was run 2 times", |books| {
            books.done.first().cloned().is_some_and(|done| {
                books.done.push(done);
                true
            })
        }),
        planting("done, and nothing happened", 9, "not done", |books| {
            let any = !books.done.is_empty();
            books.done.clear();
            any
        }),
        planting("a grant of no case", 2, "no case made it", |books| {
            books.attempts.first().cloned().is_some_and(|sent| {
                books.attempts.push(Attempt {
                    jti: "AAAAAAAAAAAAAAAAAAAAAA".into(),
                    ..sent
                });
                true
            })
        }),
        planting(
            "left before it was handed over",
            7,
            "not handed over",
            |books| {
                books.attempts.first_mut().is_some_and(|sent| {
                    sent.position = 1;
                    true
                })
            },
        ),
        planting(
            "a grant for something else",
            3,
            "for something else",
            |books| {
                let Some(other) = books
                    .attempts
                    .iter()
                    .find(|sent| sent.jti != books.attempts[0].jti)
                else {
                    return false;
                };
                let jws = other.jws.clone();
                books.attempts[0].jws = jws;
                true
            },
        ),
        planting(
            "stopped, and handed over",
            7,
            "handed over all the same",
            |books| {
                find(books, "case.handed_over", |_| true).is_some_and(|place| {
                    let mut stop = books.events[place].clone();
                    stop.kind = "case.stopped".into();
                    insert_before(books, place, stop);
                    true
                })
            },
        ),
        planting("stopped, and it left", 7, "the case was Stopped", |books| {
            let Some(place) = find(books, "case.handed_over", |event| {
                books
                    .attempts
                    .iter()
                    .any(|sent| sent.position >= event.position)
                    && has(
                        &books
                            .events
                            .iter()
                            .filter(|other| other.stream == event.stream)
                            .collect::<Vec<_>>(),
                        "case.concluded",
                    )
            }) else {
                return false;
            };
            let stream = books.events[place].stream.clone();
            if books
                .procedures
                .values()
                .next()
                .unwrap()
                .actions
                .iter()
                .any(|action| action.runs.as_deref() == Some("gate"))
            {
                return false;
            }
            books.events[place].kind = "case.stopped".into();
            take_out(books, &stream, "case.concluded");
            true
        }),
    ]);
}

#[test]
fn an_answer_that_is_not_true_is_found() {
    find_all(&[
        planting("failed, and it happened", 9, "end as Failed", |books| {
            find(books, "case.concluded", |event| {
                event.data["outcome"] == "done"
                    && books
                        .attempts
                        .iter()
                        .any(|sent| sent.position < event.position)
                    && !books
                        .procedures
                        .values()
                        .next()
                        .unwrap()
                        .actions
                        .iter()
                        .any(|action| action.runs.as_deref() == Some("gate"))
            })
            .is_some_and(|place| {
                books.events[place].data["outcome"] = json!({ "failed": { "reason": "declined" } });
                true
            })
        }),
        planting("acknowledged and lost", 11, "was acknowledged", |books| {
            books.acknowledged.first().cloned().is_some_and(|said| {
                books.acknowledged.push(Acknowledged {
                    version: 10_000,
                    ..said
                });
                true
            })
        }),
        planting(
            "acknowledged as something else",
            11,
            "was acknowledged",
            |books| {
                books.acknowledged.first().cloned().is_some_and(|said| {
                    books.acknowledged.push(Acknowledged {
                        kinds: &["case.never"],
                        ..said
                    });
                    true
                })
            },
        ),
        planting(
            "another state than its events",
            11,
            "the gate says",
            |books| {
                books.standing.values_mut().next().is_some_and(|word| {
                    *word = if word == "done" { "open" } else { "done" }.into();
                    true
                })
            },
        ),
        planting(
            "handed over, and nobody ever asked",
            11,
            "long after it should be over",
            |books| {
                granted(books, |events| has(events, "case.concluded"))
                    .is_some_and(|stream| take_out(books, &stream, "case.concluded"))
            },
        ),
        planting(
            "ran out, and nobody looked",
            11,
            "long after it should be over",
            |books| {
                find(books, "case.expired", |event| {
                    event.at + 50 * 3_600_000 < books.closed_at
                })
                .is_some_and(|place| {
                    books.events.remove(place);
                    true
                })
            },
        ),
    ]);
}

/// The same request in a case of its own that ends, or does not, just before a grant.
fn another_case_before(books: &mut Books, ending: Option<&str>) -> bool {
    let Some(place) = find(books, "case.granted", |_| true) else {
        return false;
    };
    let stream = books.events[place].stream.clone();
    let mut opened = event(books, &stream, "case.opened").unwrap().clone();
    let other = format!("{stream}-other");
    opened.stream.clone_from(&other);
    opened.data["case"] = Value::from("CS-OTHER");
    insert_before(books, place, opened.clone());
    if let Some(ending) = ending {
        let mut end = opened;
        end.sequence = 2;
        end.kind = ending.into();
        end.data = json!({});
        insert_before(books, place + 1, end);
    }
    true
}

#[test]
fn a_request_that_should_be_closed_is_found() {
    find_all(&[
        planting(
            "refused a moment ago",
            8,
            "being refused or stopped",
            |books| another_case_before(books, Some("case.refused")),
        ),
        planting(
            "stopped a moment ago",
            8,
            "being refused or stopped",
            |books| another_case_before(books, Some("case.stopped")),
        ),
        planting("two at once", 9, "is not over", |books| {
            another_case_before(books, None)
        }),
        planting(
            "another sentence",
            3,
            "does not say what is asked",
            |books| {
                find(books, "case.opened", |_| true).is_some_and(|place| {
                    books.events[place].data["sentence"] = json!("Do nothing at all");
                    true
                })
            },
        ),
        planting("other parameters", 3, "the digest is not", |books| {
            find(books, "case.opened", |event| {
                event.data["parameters"]
                    .as_object()
                    .is_some_and(|all| !all.is_empty())
            })
            .is_some_and(|place| {
                let parameters = books.events[place].data["parameters"]
                    .as_object_mut()
                    .unwrap();
                *parameters.values_mut().next().unwrap() = json!("something else");
                true
            })
        }),
        planting("a parameter too many", 1, "parameters", |books| {
            find(books, "case.opened", |_| true).is_some_and(|place| {
                books.events[place].data["parameters"]["more"] = json!("x");
                true
            })
        }),
        planting(
            "opened by somebody who may not",
            1,
            "who may not",
            |books| {
                find(books, "case.opened", |event| {
                    event.data["by"].get("staff").is_some()
                })
                .is_some_and(|place| {
                    books.events[place].data["by"]["staff"]["name"] = json!("nobody");
                    true
                })
            },
        ),
        planting(
            "it lives longer than it should",
            6,
            "does not run out",
            |books| {
                find(books, "case.opened", |_| true).is_some_and(|place| {
                    books.events[place].data["expires_at"] = json!(i64::MAX);
                    true
                })
            },
        ),
        planting(
            "an event after the end",
            7,
            "happened to a case that is Stopped",
            |books| {
                find(books, "case.stopped", |_| true).is_some_and(|place| {
                    let mut late = books.events[place].clone();
                    late.kind = "case.proved".into();
                    insert_before(books, place + 1, late);
                    true
                })
            },
        ),
    ]);
}

#[test]
fn a_ledger_that_was_touched_is_found() {
    find_all(&[
        planting(
            "a bit of a leaf",
            12,
            "is not that of the leaves",
            |books| {
                books.leaves[3][10] ^= 1;
                true
            },
        ),
        planting("a leaf dropped", 12, "leaves", |books| {
            books.leaves.remove(5);
            true
        }),
        planting(
            "two leaves in the other order",
            12,
            "is not a leaf of it",
            |books| {
                books.leaves.swap(4, 7);
                true
            },
        ),
        planting("a leaf added", 12, "leaves for", |books| {
            let leaf = books.leaves[0].clone();
            books.leaves.push(leaf);
            true
        }),
        planting("two roots of one size", 13, "two roots", |books| {
            let (size, root) = books.signed[books.signed.len() / 2];
            books.signed.push((size, root.map(|byte| byte ^ 1)));
            true
        }),
        planting(
            "a root of what is not there",
            12,
            "not so many leaves",
            |books| {
                books.signed.push((1_000_000, [0; 32]));
                true
            },
        ),
        planting(
            "an event told otherwise",
            12,
            "is not a leaf of it",
            |books| {
                books.events[9].at += 60_000;
                true
            },
        ),
        planting("an event gone", 11, "should be", |books| {
            let place = find(books, "case.confirmed", |_| true).unwrap();
            books.events.remove(place);
            true
        }),
        planting("positions out of order", 11, "comes after", |books| {
            let position = books.events[8].position;
            books.events[20].position = position;
            true
        }),
    ]);
}
