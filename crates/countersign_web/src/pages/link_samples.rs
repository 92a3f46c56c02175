//! The customer's pages in each of their states.

use countersign_service::Language;
use countersign_service::speech::{Arg, MomentStyle};

use super::link::{
    ConfirmPage, DonePage, DoneState, NextStep, PasskeyProofPage, ProofMethod, ProofProblem,
    ProofState, ProofWay, ProvePage, ReceiptRow, ReceiptsPage, StartPage, StartState, StepPlace,
    StopPage, StopState, TypedProofPage, WayGroup, WayKind,
};
use super::page::{Page, Spoken};
use super::parts::{Button, Errors, Live, When};
use super::samples::{
    DIGEST, at, customer, error, machine, moment, odd_words, server_words, tomorrow_in, words,
};
use super::told::{Own, Told};
use crate::words::Words;

impl Page for StartPage {
    const NAME: &'static str = "link-start";

    fn samples() -> Vec<(&'static str, Self)> {
        Self::samples_in(Language::English)
    }
}

impl Spoken for StartPage {
    fn samples_in(language: Language) -> Vec<(&'static str, Self)> {
        let ask = |words: Words, failed| StartState::Ask {
            words: words.masked(),
            consequence: Some(changes(language)),
            asked_by: Some("Maja".into()),
            asked_at: at("10:31"),
            takes_effect: waits(language),
            you_will_need: ["support PIN", "passkey", "authenticator code"]
                .map(str::to_owned)
                .into(),
            failed,
        };
        let mut before = customer(language);
        before.case = None;
        let page = |state| Self {
            frame: before.clone(),
            state,
        };
        let mut over = page(StartState::Gone);
        over.frame.can_stop = false;
        over.frame.works_until = None;
        over.frame.reference = None;
        let mut stopped = over.clone();
        stopped.state = StartState::Stopped(at("10:51"));
        let mut receipt = over.clone();
        receipt.state = StartState::Receipt;
        receipt.frame.works_until = Some(When {
            relative: language.away(14),
            ..at("10:46")
        });
        let mut own = page(ask(server_words(), false));
        if let StartState::Ask {
            asked_by,
            takes_effect,
            ..
        } = &mut own.state
        {
            *asked_by = None;
            *takes_effect = language.say("waits-not");
        }
        let mut demo = page(ask(words(), false));
        demo.frame.demo = Some("/".into());
        vec![
            ("demo", demo),
            ("ask", page(ask(words(), false))),
            ("from-panel", own),
            ("odd-characters", page(ask(odd_words(), false))),
            ("failed", page(ask(words(), true))),
            ("other-device", page(StartState::OtherDevice)),
            ("gone", over),
            ("stopped", stopped),
            ("receipt", receipt),
        ]
    }
}

/// What follows from the words of most samples.
fn changes(language: Language) -> Told {
    Told::new(language, "effect-changes").with(
        "label",
        Own::new("e-mail address on file", language, Language::English),
    )
}

fn waits(language: Language) -> String {
    let most = language.length(86_400);
    language.tell("waits-fixed", &[("most", Arg::Text(&most))])
}

pub(super) fn way(name: &str, label: &str, method: ProofMethod, state: ProofState) -> ProofWay {
    ProofWay {
        name: name.into(),
        label: label.into(),
        method,
        state,
    }
}

impl Page for ProvePage {
    const NAME: &'static str = "link-prove";

    fn samples() -> Vec<(&'static str, Self)> {
        Self::samples_in(Language::English)
    }
}

impl Spoken for ProvePage {
    fn samples_in(language: Language) -> Vec<(&'static str, Self)> {
        let page = |pin, mail, errors| Self {
            frame: customer(language),
            step: 1,
            steps: 2,
            groups: vec![
                WayGroup {
                    kind: WayKind::Have,
                    ways: vec![
                        way("passkey", "passkey", ProofMethod::Passkey, ProofState::Open),
                        way(
                            "app_code",
                            "authenticator code",
                            ProofMethod::App,
                            ProofState::Open,
                        ),
                    ],
                },
                WayGroup {
                    kind: WayKind::Know,
                    ways: vec![
                        way(
                            "password",
                            "account password",
                            ProofMethod::Password,
                            ProofState::Open,
                        ),
                        way("pin", "support PIN", ProofMethod::Pin, pin),
                    ],
                },
                WayGroup {
                    kind: WayKind::Receive,
                    ways: vec![way(
                        "mail_code",
                        "code sent by email",
                        ProofMethod::Mail,
                        mail,
                    )],
                },
            ],
            again: None,
            errors,
        };
        let mut second = page(
            ProofState::Done,
            ProofState::TooNew(moment(
                language,
                "2026-11-30T10:00:00+01:00",
                MomentStyle::Day,
            )),
            Errors::default(),
        );
        second.frame.proven = Some("Support PIN".into());
        second.step = 2;
        let mut none = page(ProofState::Open, ProofState::Open, Errors::default());
        none.groups = Vec::new();
        none.again = Some(at("11:34"));
        vec![
            (
                "choose",
                page(ProofState::Open, ProofState::Open, Errors::default()),
            ),
            ("second", second),
            (
                "closed",
                page(
                    ProofState::Closed(at("11:34")),
                    ProofState::Open,
                    Errors::default(),
                ),
            ),
            (
                "nothing-chosen",
                page(
                    ProofState::Open,
                    ProofState::Open,
                    error("way", &language.say("prove-choose")),
                ),
            ),
            ("none-left", none),
        ]
    }
}

impl Page for TypedProofPage {
    const NAME: &'static str = "link-typed";

    fn samples() -> Vec<(&'static str, Self)> {
        Self::samples_in(Language::English)
    }
}

impl Spoken for TypedProofPage {
    fn samples_in(language: Language) -> Vec<(&'static str, Self)> {
        let page = |name: &str, label: &str, method, problem| Self {
            frame: customer(language),
            step: 1,
            steps: 2,
            way: way(name, label, method, ProofState::Open),
            sent_to: None,
            code_until: None,
            again_from: None,
            other_ways: true,
            problem,
        };
        let mail = |again_from, problem| Self {
            sent_to: Some("o••@h••••.example".into()),
            code_until: Some(at("10:49")),
            again_from,
            ..page(
                "mail_code",
                "code sent by email",
                ProofMethod::Mail,
                problem,
            )
        };
        let pin = |problem| page("pin", "support PIN", ProofMethod::Pin, problem);
        let app = |problem| page("app_code", "authenticator code", ProofMethod::App, problem);
        vec![
            ("pin", pin(None)),
            ("pin-wrong", pin(Some(ProofProblem::Wrong(Some(2))))),
            ("pin-last-try", pin(Some(ProofProblem::Wrong(Some(1))))),
            ("pin-closed", pin(Some(ProofProblem::Closed(at("11:34"))))),
            (
                "password",
                page("password", "account password", ProofMethod::Password, None),
            ),
            (
                "password-failed",
                page(
                    "password",
                    "account password",
                    ProofMethod::Password,
                    Some(ProofProblem::Failed),
                ),
            ),
            ("app", app(None)),
            ("app-empty", app(Some(ProofProblem::Empty))),
            ("mail", mail(None, None)),
            ("mail-just-sent", mail(Some(at("10:35")), None)),
            ("mail-run-out", mail(None, Some(ProofProblem::RunOut))),
            (
                "text",
                Self {
                    sent_to: Some("•• 18".into()),
                    code_until: Some(at("10:49")),
                    ..page(
                        "text_code",
                        "code sent by text message",
                        ProofMethod::Text,
                        None,
                    )
                },
            ),
        ]
    }
}

impl Page for PasskeyProofPage {
    const NAME: &'static str = "link-passkey";

    fn samples() -> Vec<(&'static str, Self)> {
        Self::samples_in(Language::English)
    }
}

impl Spoken for PasskeyProofPage {
    fn samples_in(language: Language) -> Vec<(&'static str, Self)> {
        let page = |other_ways, problem| Self {
            frame: customer(language),
            step: 2,
            steps: 2,
            way: way("passkey", "passkey", ProofMethod::Passkey, ProofState::Open),
            other_ways,
            problem,
        };
        vec![
            ("ask", page(true, None)),
            ("only-way", page(false, None)),
            ("cancelled", page(true, Some(ProofProblem::Cancelled))),
            ("failed", page(true, Some(ProofProblem::Failed))),
        ]
    }
}

impl Page for ConfirmPage {
    const NAME: &'static str = "link-confirm";

    fn samples() -> Vec<(&'static str, Self)> {
        Self::samples_in(Language::English)
    }
}

impl Spoken for ConfirmPage {
    fn samples_in(language: Language) -> Vec<(&'static str, Self)> {
        let page = |number_from: Option<&str>, errors| Self {
            frame: customer(language),
            words: words(),
            consequence: Some(changes(language)),
            summary: vec![
                machine("Account", "Halden Freight AB"),
                machine("From", "ops@haldenfreight.example"),
                machine("To", "ops@halden-freight.example"),
            ],
            takes_effect: Some(waits(language)),
            digest: DIGEST.into(),
            number_from: number_from.map(str::to_owned),
            button: "Change my email address".into(),
            errors,
        };
        let mut proven = page(None, Errors::default());
        proven.frame.proven = Some("Passkey".into());
        let mut odd = page(None, Errors::default());
        odd.words = odd_words();
        vec![
            ("ask", page(None, Errors::default())),
            ("just-proven", proven),
            ("number", page(Some("Maja"), Errors::default())),
            (
                "number-wrong",
                page(
                    Some("Maja"),
                    error(
                        "number",
                        &language.tell("confirm-number-wrong", &[("who", Arg::Text("Maja"))]),
                    ),
                ),
            ),
            ("odd-characters", odd),
            (
                "not-certain",
                page(None, error("confirm", &language.say("confirm-not-certain"))),
            ),
        ]
    }
}

impl Page for DonePage {
    const NAME: &'static str = "link-done";

    fn samples() -> Vec<(&'static str, Self)> {
        Self::samples_in(Language::English)
    }
}

impl Spoken for DonePage {
    fn samples_in(language: Language) -> Vec<(&'static str, Self)> {
        let step = |key: &'static str, place| NextStep {
            text: language.say(key),
            place,
        };
        let page = |state, now: usize| {
            let texts = [
                "done-step-confirmed",
                "done-step-colleague",
                "done-step-told",
            ];
            let steps = texts
                .iter()
                .enumerate()
                .map(|(index, text)| {
                    step(
                        text,
                        match index.cmp(&now) {
                            std::cmp::Ordering::Less => StepPlace::Done,
                            std::cmp::Ordering::Equal => StepPlace::Now,
                            std::cmp::Ordering::Greater => StepPlace::Next,
                        },
                    )
                })
                .collect();
            let mut frame = customer(language);
            frame.works_until = None;
            Self {
                frame,
                state,
                words: words(),
                steps,
                set: None,
                receipt: None,
                stop_until: None,
                run: None,
                back_to: None,
                live: Some(Live {
                    events: "/c/events".into(),
                    from: 12,
                }),
            }
        };
        let over = |state, receipt: bool| {
            let mut page = page(state, 3);
            page.frame.can_stop = false;
            page.live = None;
            page.receipt = receipt.then(|| "/c/receipts/CS-7F3K9Q".into());
            page
        };
        let ended = |state| Self {
            steps: Vec::new(),
            ..over(state, true)
        };
        let mut waits = page(DoneState::Waits(tomorrow_in(language)), 2);
        waits.stop_until = Some(tomorrow_in(language));
        let mut ready = page(DoneState::Ready, 2);
        ready.run = Some(Button::post("Change the email address", "/c/run"));
        let mut back = over(DoneState::Done, true);
        back.back_to = Some((
            "the Nordhamn panel".into(),
            "https://panel.nordhamn.example/servers".into(),
        ));
        let to_set = |here: bool| Self {
            steps: Vec::new(),
            set: here.then(|| "/c/set".into()),
            ..page(
                DoneState::ToSet {
                    until: tomorrow_in(language),
                    here,
                },
                2,
            )
        };
        vec![
            ("to-set", to_set(true)),
            ("to-set-elsewhere", to_set(false)),
            ("checked", page(DoneState::Checked, 1)),
            ("waits", waits),
            ("ready", ready),
            ("running", page(DoneState::Running, 2)),
            ("done", over(DoneState::Done, true)),
            ("back-to-panel", back),
            ("failed", ended(DoneState::Failed)),
            ("unknown", page(DoneState::Unknown, 2)),
            ("declined", ended(DoneState::Declined)),
            ("stopped", ended(DoneState::Stopped(at("10:51")))),
            (
                "expired",
                Self {
                    receipt: None,
                    ..ended(DoneState::Expired)
                },
            ),
        ]
    }
}

impl Page for StopPage {
    const NAME: &'static str = "link-stop";

    fn samples() -> Vec<(&'static str, Self)> {
        Self::samples_in(Language::English)
    }
}

impl Spoken for StopPage {
    fn samples_in(language: Language) -> Vec<(&'static str, Self)> {
        let page = |state, from_notice: bool| {
            let mut frame = customer(language);
            frame.can_stop = false;
            frame.works_until = None;
            Self {
                frame,
                action: if from_notice {
                    "/v/Zk3nT8wq".into()
                } else {
                    "/c/stop".into()
                },
                back: (!from_notice).then(|| "/c".into()),
                words: Some(if from_notice {
                    words().masked()
                } else {
                    words()
                }),
                state,
                from_notice,
            }
        };
        let ask = |failed| StopState::Ask {
            until: Some(When {
                relative: language.away(60),
                ..at("11:45")
            }),
            failed,
        };
        let mut gone = page(StopState::Gone, true);
        gone.words = None;
        gone.frame.case = None;
        gone.frame.reference = None;
        vec![
            ("ask", page(ask(false), false)),
            ("from-notice", page(ask(false), true)),
            ("failed", page(ask(true), true)),
            ("stopped", page(StopState::Stopped, true)),
            ("already", page(StopState::Already(at("10:51")), true)),
            ("too-late", page(StopState::TooLate(at("10:45:10")), true)),
            ("over", page(StopState::Over, true)),
            ("gone", gone),
        ]
    }
}

impl Page for ReceiptsPage {
    const NAME: &'static str = "link-receipts";

    fn samples() -> Vec<(&'static str, Self)> {
        Self::samples_in(Language::English)
    }
}

impl Spoken for ReceiptsPage {
    fn samples_in(language: Language) -> Vec<(&'static str, Self)> {
        let mut frame = customer(language);
        frame.can_stop = false;
        frame.works_until = None;
        let row = |words, happened, iso: &str| ReceiptRow {
            href: "/c/receipts/CS-7F3K9Q".into(),
            at: moment(language, iso, MomentStyle::Year),
            words,
            happened,
        };
        let rows = vec![
            row(words(), false, "2026-11-23T10:45:10+01:00"),
            row(server_words(), true, "2026-09-14T09:12:31+02:00"),
        ];
        vec![
            (
                "some",
                Self {
                    frame: frame.clone(),
                    rows,
                },
            ),
            (
                "none",
                Self {
                    frame,
                    rows: Vec::new(),
                },
            ),
        ]
    }
}
