//! The scenario library: what a drill can play, each taken from a case of the museum.
//!
//! A scenario says what happened to somebody, what is planted so that it looks the same, and what a careful person notices.

/// What a planted case shows that an honest one would not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// A contact of the customer came hours ago, in place of one that was there for years.
    FreshContact,
    /// A value that the case asks for nearly is the customer's own, and is not.
    LookAlike,
    /// The reason given is these words.
    Reason(&'static str),
}

/// A story that a drill can play.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scenario {
    /// Its name in the language.
    pub name: &'static str,
    /// What people read.
    pub title: &'static str,
    /// The case of the museum it is taken from: a heading of `docs/museum.md`.
    pub from: &'static str,
    /// The procedures of that case, without `.practised.procedure` and `.repaired.procedure`.
    pub exhibit: &'static str,
    /// What happened then.
    pub story: &'static str,
    /// What is planted in the case.
    pub plants: &'static [Sign],
    /// What a careful person notices, and does.
    pub notices: &'static str,
}

/// All scenarios, by name.
pub const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "already_checked",
        title: "Somebody else has checked already",
        from: "2020: Twitter",
        exhibit: "2020-twitter",
        story: "Callers said that they were the company's own help desk, until an employee with the account tool believed it. Whoever came next relied on what had been said before.",
        plants: &[Sign::Reason(
            "Your help desk called me back this morning and has verified everything, they said it only needs to be signed now.",
        )],
        notices: "The case says in words that somebody checked, and no line of it shows that anybody did. What was proved stands in the case; what is told about a check elsewhere is no proof. Refuse, and ask the help desk that is named.",
    },
    Scenario {
        name: "fresh_contact",
        title: "A contact that came today",
        from: "2012: Amazon and Apple",
        exhibit: "2012-amazon-apple",
        story: "A caller had something of their own added to a customer's account, hung up, and called again: now they could name what was on file.",
        plants: &[Sign::FreshContact],
        notices: "A contact of this customer replaced another one hours before the case was opened. Whoever can change a contact can prove with it. Refuse, and reach the customer where they could be reached a month ago.",
    },
    Scenario {
        name: "hurried_caller",
        title: "A caller in a hurry",
        from: "2023: MGM Resorts",
        exhibit: "2023-mgm",
        story: "Ten minutes on the telephone with the help desk were enough. The caller knew a name and a title, and there was no time for more.",
        plants: &[Sign::Reason(
            "We are offline and lose money every minute, my director is on the other line and will speak to yours. Please skip the formalities and sign at once.",
        )],
        notices: "The words ask for haste, name somebody important and ask to leave steps out. An honest customer loses nothing by a call to the number that has been on file for years. Refuse, and make that call.",
    },
    Scenario {
        name: "look_alike",
        title: "An address that is nearly right",
        from: "2017: Fox-IT",
        exhibit: "2017-fox-it",
        story: "A domain was pointed elsewhere for a day. What was typed looked like what had been there before, and nobody compared it letter by letter.",
        plants: &[Sign::LookAlike],
        notices: "A value in the sentence to be signed is nearly the customer's own, with one letter like another. Compare it letter by letter with what is on file. Refuse, and say which letter.",
    },
    Scenario {
        name: "moved_number",
        title: "A number that moved, and a good reason",
        from: "2016: T-Mobile",
        exhibit: "2016-t-mobile",
        story: "A number was moved to a stranger's telephone on a call. Within minutes every account that sent its codes there was the stranger's.",
        plants: &[
            Sign::FreshContact,
            Sign::Reason(
                "I have a new telephone since today and cannot get into anything, please let this through so that I can work again.",
            ),
        ],
        notices: "A contact is from today, and the reason explains it before anybody asked. A new telephone is what a stolen number looks like. Refuse, and reach the customer in another way that has been there for long.",
    },
];

/// The scenario of this name.
pub fn scenario(name: &str) -> Option<&'static Scenario> {
    SCENARIOS.iter().find(|scenario| scenario.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scenario_is_taken_from_the_museum() {
        let museum = include_str!("../../../docs/museum.md");
        let mut last = "";
        for scenario in SCENARIOS {
            assert!(last < scenario.name, "by name");
            last = scenario.name;
            assert!(
                museum.contains(&format!("\n## {}\n", scenario.from)),
                "{}",
                scenario.from
            );
            let exhibit = format!("<!-- from the files: {} -->", scenario.exhibit);
            assert!(museum.contains(&exhibit), "{exhibit}");
            assert!(!scenario.plants.is_empty() && scenario.notices.contains("Refuse"));
        }
    }
}
