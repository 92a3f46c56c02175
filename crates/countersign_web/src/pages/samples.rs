//! Made-up people, words and frames that the samples of the pages share.

use std::cmp::Ordering;

use countersign_service::Language;
use countersign_service::speech::MomentStyle;

use super::frame::{CustomerFrame, Person, Section, StaffFrame};
use super::parts::{
    Act, ActOutcome, Check, CheckState, Checklist, Errors, Fact, FactValue, ProcedureRef, Risk,
    Theme, Way, When,
};
use crate::words::Words;

pub(super) const DIGEST: &str = "9f2c4d1be07a55c3a1f0d2b86c947e35108fa6d7c2b94e6f3d5a7081c6b2e41b";

/// Today at this time: `10:31`, with or without seconds.
pub(super) fn at(time: &str) -> When {
    let iso_time = if time.len() == 5 {
        format!("{time}:00")
    } else {
        time.to_owned()
    };
    When::new(format!("2026-11-23T{iso_time}+01:00"), time)
}

pub(super) fn at_in(time: &str, relative: &str) -> When {
    When {
        relative: Some(relative.to_owned()),
        ..at(time)
    }
}

pub(super) fn on(iso: &str, shown: &str) -> When {
    When::new(iso, shown)
}

pub(super) fn tomorrow() -> When {
    on("2026-11-24T10:45:00+01:00", "24 Nov, 10:45")
}

/// Tomorrow, as this language writes it.
pub(super) fn tomorrow_in(language: Language) -> When {
    moment(language, "2026-11-24T10:45:00+01:00", MomentStyle::Day)
}

/// When a receipt says it happened.
pub(super) fn at_in_zone(language: Language) -> When {
    moment(language, "2026-11-23T10:45:10+01:00", MomentStyle::Zone)
}

pub(super) fn moment(language: Language, iso: &str, style: MomentStyle) -> When {
    let shown = format!("{iso}[Europe/Stockholm]")
        .parse()
        .map_or_else(|_| String::new(), |at| language.moment(&at, style));
    When::new(iso, shown)
}

pub(super) fn agent(current: Option<Section>, here: &str) -> StaffFrame {
    StaffFrame {
        lang: "en".into(),
        theme: Theme::System,
        person: Some(Person {
            name: "Maja Lindqvist".into(),
            role: "Agent".into(),
        }),
        sections: vec![Section::Desk, Section::Customers, Section::Procedures],
        current,
        approvals_waiting: 0,
        banner: None,
        idempotency_key: "01JD3QZ6X4W8".into(),
        here: here.into(),
        version: "0.1.0".into(),
        shortcuts: true,
    }
}

pub(super) fn senior(current: Option<Section>, here: &str) -> StaffFrame {
    StaffFrame {
        person: Some(Person {
            name: "Idris Bello".into(),
            role: "Senior".into(),
        }),
        sections: vec![
            Section::Desk,
            Section::Approvals,
            Section::Customers,
            Section::Procedures,
        ],
        approvals_waiting: 2,
        ..agent(current, here)
    }
}

pub(super) fn nobody(here: &str) -> StaffFrame {
    StaffFrame {
        person: None,
        sections: Vec::new(),
        shortcuts: false,
        ..agent(None, here)
    }
}

pub(super) fn customer(language: Language) -> CustomerFrame {
    CustomerFrame {
        language,
        own_language: Language::English,
        here: "/c".into(),
        theme: Theme::System,
        organisation: "Nordhamn Hosting".into(),
        reference: Some("chat reference 48213".into()),
        case: Some("CS-7F3K9Q".into()),
        phone: Some("+46 31 555 01 20".into()),
        can_stop: true,
        works_until: Some(When {
            relative: language.away(14),
            ..at("10:46")
        }),
        more_time: true,
        demo: None,
        proven: None,
        asks_who: false,
        idempotency_key: "01JD3QZ6X4W8".into(),
    }
}

/// The sentence of most samples.
pub(super) fn words() -> Words {
    Words::from_parts([
        ("Change the recovery email of ", false),
        ("Halden Freight AB", true),
        (" from ", false),
        ("ops@haldenfreight.example", true),
        (" to ", false),
        ("ops@halden-freight.example", true),
        (".", false),
    ])
}

pub(super) fn server_words() -> Words {
    Words::from_parts([
        ("Erase everything on ", false),
        ("web-1.haldenfreight.example", true),
        (" and install ", false),
        ("Debian 13", true),
        (".", false),
    ])
}

/// A sentence somebody has tampered with: a direction override, a Cyrillic letter, a zero-width space.
pub(super) fn odd_words() -> Words {
    Words::from_parts([
        ("Change the recovery email of ", false),
        ("Halden\u{202E} Freight AB", true),
        (" to ", false),
        ("ops@h\u{430}lden\u{200B}freight.example", true),
        (".", false),
    ])
}

pub(super) fn consequence() -> String {
    "Anyone who can read the new mailbox can then reset the password.".into()
}

pub(super) fn act() -> Act {
    Act {
        words: words(),
        consequence: Some(consequence()),
        risk: Some(Risk::High),
        procedure: Some(ProcedureRef {
            name: "email.change".into(),
            version: "4be1".into(),
            href: None,
        }),
        takes_effect: Some("Waits 24 h before it takes effect".into()),
        digest: DIGEST.into(),
        outcome: ActOutcome::Open,
    }
}

pub(super) fn fact(label: &str, value: &str) -> Fact {
    Fact {
        label: label.into(),
        value: FactValue::Text(value.into()),
    }
}

pub(super) fn machine(label: &str, value: &str) -> Fact {
    Fact {
        label: label.into(),
        value: FactValue::Machine(value.into()),
    }
}

pub(super) fn check(state: CheckState, title: &str, detail: &str) -> Check {
    Check {
        state,
        title: title.into(),
        detail: (!detail.is_empty()).then(|| detail.to_owned()),
        word: None,
        at: None,
        options: Vec::new(),
        action: None,
    }
}

pub(super) fn proven(title: &str, detail: &str, time: &str) -> Check {
    Check {
        at: Some(at(time)),
        ..check(CheckState::Proven, title, detail)
    }
}

/// Titles and details of the one way of most samples, in order.
const ROWS: [(&str, &str); 6] = [
    (
        "Customer opened the one-time link",
        "Opened in the chat of ticket 48213.",
    ),
    (
        "Customer proves the support PIN",
        "Typed on the customer's own page. You never see it.",
    ),
    (
        "Customer proves a passkey or an authenticator code",
        "Two proofs of different kinds are needed; the PIN is the first.",
    ),
    (
        "Customer confirms the exact action",
        "They read the same words as above and press the button.",
    ),
    (
        "A senior signs with a passkey",
        "Anyone with the role except you.",
    ),
    (
        "Every channel is told, with a stop link",
        "Then it waits 24 hours.",
    ),
];

/// The rows with the first so many proven, the next waiting and the rest not started.
pub(super) fn checklist(done: usize) -> Checklist {
    let times = [
        "10:32:04", "10:33:41", "10:35:02", "10:36:20", "10:44:51", "10:45:10",
    ];
    let rows = ROWS
        .iter()
        .zip(times)
        .enumerate()
        .map(|(index, ((title, detail), time))| match index.cmp(&done) {
            Ordering::Less => proven(title, detail, time),
            Ordering::Equal => check(CheckState::Waiting, title, detail),
            Ordering::Greater => check(CheckState::NotStarted, title, detail),
        })
        .collect();
    Checklist {
        ways: vec![Way {
            name: "usual".into(),
            rows,
        }],
    }
}

pub(super) fn error(field: &str, message: &str) -> Errors {
    Errors::one(field, message)
}
