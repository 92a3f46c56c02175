//! Every state that `docs/ux.md` names has a sample that shows it.
//!
//! The states are read from the document: what stands in italics after "States:", and the cells of the state matrix.
//! So a state that is only written down, and a row here for a state that nobody wants any more, both fail.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use countersign_web::pages::{self, GalleryPage};

const DOCUMENT: &str = include_str!("../../../docs/ux.md");

/// Where a state of the document is to be seen.
enum Seen {
    /// In this sample: these words, in its text or in what a script shows of it.
    In(&'static str, &'static str),
    /// On no page, and why that is right.
    Nowhere(&'static str),
}

use Seen::{In, Nowhere};

const FIXED: &str = "the words of a case never change: a form with another digest is answered 409";

/// What is named in italics: section and name.
#[rustfmt::skip]
const NAMED: &[(&str, Seen)] = &[
    ("7.1 no JavaScript", In("sign-in--first", "Passkeys need JavaScript. Continue with Nordhamn.")),
    ("7.1 cancelled", In("sign-in--cancelled", "The passkey was not used. Try again, or continue with Nordhamn.")),
    ("7.1 unknown passkey", In("sign-in--unknown-passkey", "This passkey is not registered here.")),
    ("7.1 locked out of hours", In("sign-in--not-on-shift", "You are not on shift. Ask Petra Holm.")),
    ("7.1 rate limited", In("sign-in--too-many", "Too many tries. Try again at 10:52.")),
    ("7.2 empty mine", In("desk--empty-mine", "You have no open cases. New case")),
    ("7.2 empty team", In("desk--empty-team", "Nothing is waiting.")),
    ("7.2 error", In("error--not-done", "This did not work Nothing was changed.")),
    ("7.3 duplicate", In("new-case-check--duplicate", "CS-7F3K9Q is already open for this There is no second case for the same request. Go to it")),
    ("7.3 locked customer", In("new-case-check--closed", "It stays closed until 24 Nov, 10:12, whoever asks.")),
    ("7.4 link expired", In("case--link-expired", "The link ran out at 10:46. Send a new one")),
    ("7.4 wrong proof", In("case--wrong-proof", "2 tries left")),
    ("7.4 proof closed", In("case--proof-closed", "Closed until 11:34 after 5 wrong tries. Other ways: passkey, authenticator code")),
    ("7.4 procedure cannot be satisfied any more", In("case--refused", "This cannot go on Every way to prove something the customer has is closed.")),
    ("7.4 stopped", In("case--stopped", "At 10:51, with the link in the email to the old mailbox")),
    ("7.4 executor failed", In("case--failed", "The panel answered: server_locked. Nothing changed.")),
    ("7.4 someone else ran it", In("case--running", "Handed over at 10:45:10.")),
    ("7.7 cannot sign", In("approval--own-case", "You cannot sign this You opened this case.")),
    ("7.7 already decided", In("approval--declined", "Declined by Petra Holm 10:50: “The address belongs to another customer.”")),
    ("7.7 withdrawn", In("approval--withdrawn", "Maja Lindqvist took this back at 10:40. There is nothing to sign.")),
    ("7.7 expired", In("approval--expired", "This case ran out at 11:45. Nothing was signed.")),
    ("7.7 passkey cancelled", In("approval--passkey-cancelled", "Nothing was signed The passkey was not used.")),
    ("7.7 no passkey registered", In("approval--no-passkey", "Register one first")),
    ("7.7 no JavaScript", In("approval--sign", "Signing needs JavaScript because browsers only offer passkeys to scripts.")),
    ("7.7 words changed since you opened it", Nowhere(FIXED)),
    ("8.1 used on another device", In("link-start--other-device", "This link was already opened on another device.")),
    ("8.1 expired", In("link-start--gone", "This link ran out or was used. Nothing was changed. Ask in the chat for a new one.")),
    ("8.1 unknown", In("link-start--gone", "This link ran out or was used. Nothing was changed. Ask in the chat for a new one.")),
    ("8.1 case finished", In("customer-receipt--happened", "Happened 23 Nov 2026, 10:45:10")),
    ("8.2 none left", In("link-prove--none-left", "There is no way left today Nothing was changed. You can try again from 11:34.")),
    ("8.4 waiting", In("link-passkey--ask", "Waiting for your passkey")),
    ("8.4 cancelled", In("link-passkey--cancelled", "The passkey was not used. Try again or choose another way.")),
    ("8.4 none on this device", In("link-passkey--ask", "If the passkey is on another device, choose that: this one will show a code to scan.")),
    ("8.4 no JavaScript", In("link-passkey--ask", "Passkeys need JavaScript.")),
    ("8.6 words changed", Nowhere(FIXED)),
    ("9.2 too little data", In("statistics--few", "Charts start at 20 cases.")),
    ("9.2 period without cases", In("statistics--empty", "No cases in this period.")),
];

/// The cells of the state matrix: page and column.
#[rustfmt::skip]
const MATRIX: &[(&str, Seen)] = &[
    ("Sign in: loading", In("sign-in--first", "Waiting for your passkey")),
    ("Sign in: error", In("sign-in--unknown-passkey", "This passkey is not registered here.")),
    ("Sign in: expired", In("sign-in--session-ended", "You were signed out at 18:00. Sign in to go on.")),
    ("Desk: empty", In("desk--empty-mine", "You have no open cases. New case")),
    ("Desk: loading", In("desk--mine", "Reconnecting")),
    ("Desk: error", In("desk--mine", "This page is not up to date.")),
    ("Desk: expired", In("desk--finished", "Orrskär Bygg Expired")),
    ("Desk: stopped", In("desk--mine", "Since CS-7F2Q4M Change the email address Halden Freight AB Stopped by the customer")),
    ("New case: empty", In("new-case-customer--nobody", "No customer matches.")),
    ("New case: error", In("new-case-details--mistakes", "There is a problem")),
    ("New case: expired", Nowhere("the pages of a new case hold everything in the form: nothing in them runs out")),
    ("Case desk: empty", Nowhere("a procedure without requirements is refused")),
    ("Case desk: loading", In("case--customer", "Reconnecting")),
    ("Case desk: error", In("case--refused", "This cannot go on")),
    ("Case desk: expired", In("case--expired", "Start a new case with the same details")),
    ("Case desk: stopped", In("case--stopped", "Nothing happened.")),
    ("Approvals: empty", In("approvals--empty-for-me", "Nothing needs your signature.")),
    ("Approvals: loading", In("approvals--for-me", "Reconnecting")),
    ("Approvals: error", In("approvals--for-me", "This page is not up to date.")),
    ("Approvals: expired", In("approvals--decided", "Expired")),
    ("Approvals: stopped", In("approvals--decided", "Stopped by the customer: “I did not ask for it.”")),
    ("Approval: loading", In("approval--sign", "Waiting for your passkey")),
    ("Approval: error", In("approval--failed", "Nothing was signed Signing did not work. Try again.")),
    ("Approval: expired", In("approval--expired", "This case ran out at 11:45. Nothing was signed.")),
    ("Approval: stopped", In("approval--stopped", "The customer stopped this at 10:51. There is nothing to sign.")),
    ("Customer start: error", In("link-start--failed", "This did not work. Nothing was changed.")),
    ("Customer start: expired", In("link-start--gone", "This link ran out or was used.")),
    ("Customer start: stopped", In("link-start--stopped", "You stopped this at 10:51. Nothing was changed.")),
    ("Prove (all ways): empty", In("link-prove--none-left", "There is no way left today")),
    ("Prove (all ways): loading", In("link-passkey--ask", "Waiting for your passkey")),
    ("Prove (all ways): error", In("link-typed--pin-wrong", "That PIN is not right. You have 2 tries left.")),
    ("Prove (all ways): expired", In("link-typed--mail-run-out", "That code has run out. Send a new one")),
    ("Prove (all ways): stopped", In("link-start--stopped", "You stopped this at 10:51.")),
    ("Confirm, done: loading", In("link-done--running", "It is being done now")),
    ("Confirm, done: error", In("link-done--unknown", "It is not certain whether it was done")),
    ("Confirm, done: expired", In("link-done--expired", "This ran out Nothing was changed.")),
    ("Confirm, done: stopped", In("link-done--stopped", "This was stopped at 10:51 Nothing was changed.")),
    ("Stop: error", In("link-stop--failed", "Stopping did not work. Call +46 31 555 01 20.")),
    ("Stop: expired", In("link-stop--too-late", "This already happened")),
    ("Stop: stopped", In("link-stop--already", "Already stopped, 10:51 Nothing was changed.")),
    ("Receipts: empty", In("link-receipts--none", "Nothing has been done on your account through support.")),
    ("Receipts: error", In("customer-error--not-done", "This did not work Nothing was changed.")),
    ("Receipts: stopped", In("customer-receipt--stopped", "Did not happen. Stopped")),
    ("Procedures: empty", In("procedures--bare", "This procedure promises nothing.")),
    ("Procedures: error", In("proposal--sign", "It is not in force")),
    ("Procedures: expired", In("procedure-action--one-way", "This is the version in force. The case was opened under another one and keeps that.")),
    ("Statistics: empty", In("statistics--few", "Charts start at 20 cases.")),
    ("Statistics: error", In("statistics--behind", "12,000 events are not counted yet.")),
    ("Statistics: stopped", In("statistics--charts", "Stopped")),
    ("Status: empty", In("status--empty", "Nothing has been reported yet.")),
    ("Status: error", Nowhere("it looks as it did before the database went away")),
    ("Audit: empty", In("audit--nothing", "Nothing matches. Clear filters")),
    ("Audit: error", In("audit-verify--broken-entry", "Entry 88,204 does not match.")),
    ("Audit: stopped", In("audit--newest", "Stopped")),
];

/// The headlines of the table of error pages, for staff and, where they can meet it, for customers.
#[rustfmt::skip]
const ERRORS: &[(&str, &[&str])] = &[
    ("This form came from somewhere else", &["error--elsewhere", "customer-error--elsewhere"]),
    ("Sign in to go on", &["error--sign-in"]),
    ("You cannot open this", &["error--role"]),
    ("There is nothing here", &["error--nothing", "customer-error--nothing"]),
    ("This changed while you were looking", &["error--changed", "customer-error--changed"]),
    ("This link is used up", &["error--gone", "customer-error--gone"]),
    ("Too many tries", &["error--too-many", "customer-error--too-many"]),
    ("This did not work", &["error--not-done", "error--not-certain", "customer-error--not-done", "customer-error--not-certain"]),
    ("Back in a moment", &["error--busy", "customer-error--busy"]),
];

#[test]
fn every_state_that_is_named_has_a_sample() {
    let mut wanted: BTreeSet<String> = states_in_italics(DOCUMENT);
    assert!(wanted.len() > 30, "the document is read: {wanted:?}");
    wanted.extend(matrix(DOCUMENT));
    let known: BTreeMap<&str, &Seen> = NAMED
        .iter()
        .chain(MATRIX)
        .map(|(name, seen)| (*name, seen))
        .collect();
    assert_eq!(known.len(), NAMED.len() + MATRIX.len(), "a row twice");
    let gallery = pages::gallery().unwrap();
    let mut mistakes = String::new();
    for name in wanted
        .iter()
        .filter(|name| !known.contains_key(name.as_str()))
    {
        writeln!(mistakes, "in the document, shown nowhere: {name}").unwrap();
    }
    for (name, seen) in known {
        if !wanted.contains(name) {
            writeln!(mistakes, "not in the document: {name}").unwrap();
        }
        match seen {
            In(sample, words) if !shows(&gallery, sample, words) => {
                writeln!(mistakes, "{name}: {sample} does not say “{words}”").unwrap();
            }
            Nowhere(why) => assert!(!why.is_empty()),
            In(..) => {}
        }
    }
    assert!(mistakes.is_empty(), "{mistakes}");
}

#[test]
fn every_error_has_its_page() {
    let gallery = pages::gallery().unwrap();
    let table = section(DOCUMENT, "## 10. Error");
    let headlines: Vec<&str> = rows(table)
        .filter(|cells| cells[0].starts_with(|c: char| c.is_ascii_digit()))
        .map(|cells| cells[1])
        .filter(|headline| !headline.starts_with("error summary"))
        .collect();
    assert!(headlines.len() > 5, "{headlines:?}");
    let known: Vec<&str> = ERRORS.iter().map(|(headline, _)| *headline).collect();
    assert_eq!(headlines, known);
    for (headline, samples) in ERRORS {
        for sample in *samples {
            assert!(shows(&gallery, sample, headline), "{sample}: {headline}");
        }
    }
}

/// The pills of section 2, letter for letter, each on a case of its own.
#[test]
fn every_state_of_a_case_has_its_pill() {
    let gallery = pages::gallery().unwrap();
    let mut found = 0;
    for cells in rows(section(DOCUMENT, "## 2. People")).filter(|cells| cells.len() == 5) {
        let (state, pill) = (cells[0], cells[1]);
        if state == "state" {
            continue;
        }
        let shown = gallery
            .iter()
            .filter(|page| page.page == "case" && page.html.contains("<p id=\"pill\">"))
            .any(|page| {
                let after = page
                    .html
                    .split_once("<p id=\"pill\">")
                    .map(|(_, rest)| rest);
                after.is_some_and(|rest| text(rest.split("</p>").next().unwrap()).trim() == pill)
            });
        assert!(shown, "no case is `{pill}`");
        found += 1;
    }
    assert_eq!(found, 15);
}

fn shows(gallery: &[GalleryPage], sample: &str, words: &str) -> bool {
    gallery
        .iter()
        .find(|page| page.file().strip_suffix(".html") == Some(sample))
        .is_some_and(|page| {
            text(&page.html).contains(words) || page.html.contains(&format!("=\"{words}\""))
        })
}

/// What stands in italics at the start of each item after "States:", as `7.1 no JavaScript`.
fn states_in_italics(document: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut heading = "";
    let mut paragraph = String::new();
    for line in document.lines().chain([""]) {
        if !line.trim().is_empty() && !line.starts_with('#') {
            paragraph.push_str(line.trim());
            paragraph.push(' ');
            continue;
        }
        let states = ["States:", "States: ", "State *", "states:"]
            .iter()
            .find_map(|marker| paragraph.split_once(marker).map(|(_, rest)| (marker, rest)));
        if let Some((marker, rest)) = states {
            let rest = format!("{}{rest}", if marker.ends_with('*') { "*" } else { "" });
            for item in rest.split(" · ") {
                let name = item
                    .trim()
                    .strip_prefix('*')
                    .and_then(|item| item.split_once('*'));
                if let Some((name, _)) = name {
                    names.insert(format!("{heading} {name}"));
                }
            }
        }
        paragraph.clear();
        if let Some(title) = line.strip_prefix("### ") {
            heading = title.split(' ').next().unwrap_or_default();
        }
    }
    names
}

/// The cells that hold something, as `Desk: empty`.
fn matrix(document: &str) -> BTreeSet<String> {
    let rows: Vec<Vec<&str>> = rows(section(document, "### State matrix")).collect();
    let columns = &rows[0];
    rows.iter()
        .skip(1)
        .flat_map(|cells| {
            cells
                .iter()
                .zip(columns)
                .skip(1)
                .filter(|(cell, _)| **cell != "–")
                .map(|(_, column)| format!("{}: {column}", cells[0]))
        })
        .collect()
}

/// From this heading to the next.
fn section<'a>(document: &'a str, heading: &str) -> &'a str {
    let (_, rest) = document.split_once(&format!("\n{heading}")).unwrap();
    rest.split("\n#").next().unwrap()
}

/// The rows of the tables in it.
fn rows(text: &str) -> impl Iterator<Item = Vec<&str>> {
    text.lines().filter_map(|line| {
        let cells = line
            .strip_prefix("| ")?
            .strip_suffix(" |")
            .or_else(|| line.strip_prefix("| "))?;
        Some(
            cells
                .trim_end_matches(" |")
                .split(" | ")
                .map(str::trim)
                .collect(),
        )
    })
}

/// What a reader sees of it, one space between the words.
fn text(html: &str) -> String {
    let mut seen = String::new();
    for piece in html.split('<').skip(1) {
        seen.push(' ');
        let (tag, rest) = piece.split_once('>').unwrap_or((piece, ""));
        let inline = [
            "b", "/b", "a", "/a", "span", "/span", "time", "/time", "i", "/i", "code", "/code",
            "bdi", "/bdi",
        ]
        .contains(&tag.split(' ').next().unwrap_or_default());
        if inline {
            seen.pop();
        }
        seen.push_str(rest);
    }
    let seen = seen
        .replace("&#39;", "'")
        .replace("&#34;", "\"")
        .replace("&quot;", "\"")
        .replace("&#38;", "&");
    seen.split_whitespace().collect::<Vec<_>>().join(" ")
}
