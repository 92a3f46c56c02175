//! Pictures of every page, and the page of the documentation that shows them.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use countersign_testkit::browser::{Browser, Look, Stage, play};
use serde_json::json;

use crate::common::workspace;
use crate::site::Site;

/// What is photographed: a state of a page, and what it is for. Pages in the order in which people meet them.
#[rustfmt::skip]
pub(crate) const PICTURED: &[(&str, &str, &str)] = &[
    ("sign-in", "first", "Staff sign in with a passkey, or through the company."),
    ("invitation", "open", "A new colleague registers the first passkey."),
    ("desk", "mine", "The desk: cases to pick up."),
    ("desk", "finished", "Every way for a case to end."),
    ("new-case-customer", "found", "A new case, 1 of 4: whose?"),
    ("new-case-action", "choose", "2 of 4: what should happen?"),
    ("new-case-details", "one-mistake", "3 of 4: the details, with a mistake."),
    ("new-case-check", "check", "4 of 4: the words, and what they will need."),
    ("case", "customer", "A case: what is still missing, and how to move it on."),
    ("case", "link-made", "The link to paste into the chat."),
    ("case", "stopped", "Stopped by the customer."),
    ("case", "odd-characters", "Characters that are hidden or can be taken for others are marked."),
    ("run", "ask", "Before an action runs: everything that was proven."),
    ("withdraw", "ask", "Taking a case back."),
    ("approvals", "for-me", "What waits for a signature."),
    ("approval", "sign", "One signature: the words, what was proven, what speaks against it."),
    ("approval", "speaks-against", "When something speaks against it."),
    ("decline", "ask", "Declining takes a reason."),
    ("proposal", "sign", "A new version of the procedure waits for a signature."),
    ("customers", "found", "Looking a customer up."),
    ("customer", "masked", "What staff see of a customer who has proved nothing yet."),
    ("staff-receipt", "happened", "The receipt of a case."),
    ("procedures", "kept", "The procedure in force, its promises and their verdicts."),
    ("procedure-action", "two-ways", "An action and its ways, as pictures."),
    ("procedure-attacks", "drawn", "Every attack up to a size, as a story."),
    ("procedure-reach", "stopped", "What can somebody do who has these?"),
    ("procedure-lockout", "still-possible", "What can a customer still do who has lost these?"),
    ("procedure-text", "whole", "The text of the procedure."),
    ("statistics", "charts", "Numbers made from events, each chart with its finding and its table."),
    ("audit", "newest", "The audit log."),
    ("audit-entry", "signed", "One entry: what was signed, and whether it verifies."),
    ("audit-verify", "whole", "The whole log, computed again."),
    ("settings", "usual", "Settings."),
    ("passkeys", "two", "The passkeys of a colleague."),
    ("keys", "on", "Keyboard shortcuts."),
    ("error", "role", "An error page says what happened and the one way on."),
    ("api", "operations", "The API, described from the routes."),
    ("problem", "unknown-field", "A page for every problem code."),
    ("panel-door", "ask", "The panel beside a ticket, before anybody is signed in."),
    ("panel", "found", "The panel: the ticket's customer looked up."),
    ("panel-customer", "some", "A customer in the panel."),
    ("panel-check", "check", "A new case from the panel: the words."),
    ("panel-case", "customer", "A case in the panel."),
    ("talking", "somebody", "Is someone from this company talking to me? Yes."),
    ("talking", "nobody", "Nobody. Stop."),
    ("link-start", "ask", "The customer's first page: did you ask for this?"),
    ("link-prove", "second", "Choosing a way to prove it is you."),
    ("link-typed", "pin-wrong", "A PIN that is not right."),
    ("link-passkey", "ask", "Proving with a passkey."),
    ("link-company", "ask", "Proving through another company's sign-in."),
    ("link-push", "waiting", "Waiting for the answer on another device."),
    ("link-enrol", "pin", "Setting a support PIN."),
    ("link-enrol", "app", "Setting up an authenticator app."),
    ("link-enrol", "passkeys", "Registering passkeys."),
    ("link-confirm", "number", "The words in full, and a number to match."),
    ("link-done", "waits", "It takes effect later, and can be stopped until then."),
    ("link-stop", "ask", "Stopping needs no proof."),
    ("link-stop", "stopped", "Stopped."),
    ("link-receipts", "some", "A customer's receipts."),
    ("customer-receipt", "happened", "One of them."),
    ("verify", "happened", "Anybody can check a receipt."),
    ("customer-error", "too-many", "An error page for a customer."),
];

/// Suffix of the file, and how it was looked at.
const LOOKS: [(&str, Look); 3] = [
    ("light", Look::DESK),
    ("dark", Look::DESK.dark()),
    ("phone", Look::PHONE),
];

/// Lower windows than this are filled up with nothing; what is longer than that is cut.
const HEIGHTS: std::ops::RangeInclusive<u64> = 420..=2400;

/// Takes all pictures anew and writes `docs/pages.md`:
/// `COUNTERSIGN_PICTURES=1 cargo test -p countersign --test gallery pictures`
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pictures_are_taken_anew() {
    if std::env::var_os("COUNTERSIGN_PICTURES").is_none() {
        return;
    }
    play(async |stage: &Stage| {
        let site = Site::open().await;
        let folder = folder();
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        let browser = stage.browser(Look::DESK).await;
        for (suffix, look) in LOOKS {
            browser.look(look).await;
            for (page, state, _) in PICTURED {
                let picture =
                    taken(&browser, &site.file(&format!("{page}--{state}.html")), look).await;
                std::fs::write(folder.join(file(page, state, suffix)), picture).unwrap();
            }
        }
        make_small(&folder);
        std::fs::write(workspace().join("docs/pages.md"), document()).unwrap();
    })
    .await;
}

/// For what no program sees: the main pages as paper, in forced colours and in grey, and what a screen reader is told
/// of them, into `target/gallery-looks`: `COUNTERSIGN_PICTURES=1 cargo test -p countersign --test gallery eye`
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pictures_for_the_eye() {
    const PAGES: [(&str, &str); 5] = [
        ("desk", "mine"),
        ("case", "customer"),
        ("approval", "sign"),
        ("link-start", "ask"),
        ("customer-receipt", "happened"),
    ];
    if std::env::var_os("COUNTERSIGN_PICTURES").is_none() {
        return;
    }
    play(async |stage: &Stage| {
        let site = Site::open().await;
        let folder = workspace().join("target/gallery-looks");
        std::fs::create_dir_all(&folder).unwrap();
        let browser = stage.browser(Look::DESK).await;
        for (how, media) in [
            ("paper", json!({ "media": "print" })),
            (
                "forced",
                json!({ "media": "screen", "features": [{ "name": "forced-colors", "value": "active" }, { "name": "prefers-color-scheme", "value": "dark" }] }),
            ),
            ("grey", json!({ "media": "screen", "features": [] })),
        ] {
            browser.cdp("Emulation.setEmulatedMedia", &media).await;
            let vision = if how == "grey" { "achromatopsia" } else { "none" };
            browser
                .cdp("Emulation.setEmulatedVisionDeficiency", &json!({ "type": vision }))
                .await;
            for (page, state) in PAGES {
                let url = site.file(&format!("{page}--{state}.html"));
                browser.go(&url).await;
                let picture = browser.screenshot().await;
                std::fs::write(folder.join(format!("{page}-{state}-{how}.png")), picture).unwrap();
            }
        }
        for (page, state) in PAGES {
            browser.go(&site.file(&format!("{page}--{state}.html"))).await;
            let tree = browser.cdp("Accessibility.getFullAXTree", &json!({})).await;
            let mut lines = String::new();
            for node in tree["nodes"].as_array().unwrap() {
                let (role, name) = (&node["role"]["value"], &node["name"]["value"]);
                if node["ignored"] == json!(false) && role != "StaticText" && role != "InlineTextBox" {
                    writeln!(lines, "{} {name}", role.as_str().unwrap_or_default()).unwrap();
                }
            }
            std::fs::write(folder.join(format!("{page}-{state}.txt")), lines).unwrap();
        }
    })
    .await;
}

/// What `docs/pages.md` says.
pub(crate) fn document() -> String {
    let mut text = "# The pages\n\nEvery page in the state people mostly see it in, and a few more. \
        `countersign pages gallery DIR` writes all of them in all states; [ux.md](ux.md) says what each is for, \
        [accessibility.md](accessibility.md) how they were tested. People and companies are made up.\n\n\
        Taken from the samples that the tests use, in Chromium at 1280 and 390 pixels: \
        `COUNTERSIGN_PICTURES=1 cargo test -p countersign --test gallery pictures` takes them anew (and makes them small where \
        `pngquant` is installed).\n".to_owned();
    let mut before = "";
    for (page, state, what) in PICTURED {
        if *page != before {
            write!(text, "\n## `{page}`\n").unwrap();
            before = page;
        }
        write!(text, "\n{what}\n\n|").unwrap();
        for (suffix, _) in LOOKS {
            write!(text, " {suffix} |").unwrap();
        }
        text.push_str("\n|---|---|---|\n|");
        for (suffix, _) in LOOKS {
            write!(
                text,
                " ![{page}, {state}, {suffix}](pictures/pages/{}) |",
                file(page, state, suffix)
            )
            .unwrap();
        }
        text.push('\n');
    }
    text
}

/// Name of a picture.
pub(crate) fn file(page: &str, state: &str, suffix: &str) -> String {
    format!("{page}-{state}-{suffix}.png")
}

/// Where the pictures are.
pub(crate) fn folder() -> PathBuf {
    workspace().join("docs/pictures/pages")
}

/// The whole page, in a window as high as it.
async fn taken(browser: &Browser, url: &str, look: Look) -> Vec<u8> {
    let window = |height: u64| json!({ "width": look.width, "height": height, "deviceScaleFactor": 1, "mobile": false });
    let command = "Emulation.setDeviceMetricsOverride";
    browser.cdp(command, &window(*HEIGHTS.start())).await;
    browser.go(url).await;
    if browser.has(".where .live").await {
        browser
            .until("document.querySelector('.live').dataset.state === 'on'")
            .await;
    }
    let height = browser
        .eval("document.activeElement?.blur(); return document.scrollingElement.scrollHeight")
        .await
        .as_u64()
        .unwrap();
    let height = height.clamp(*HEIGHTS.start(), *HEIGHTS.end());
    browser.cdp(command, &window(height)).await;
    browser.screenshot().await
}

/// A quarter of the size, with 64 colours; nothing happens where the program is missing.
fn make_small(folder: &Path) {
    let pictures = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let _ = Command::new("pngquant")
        .args(["--force", "--ext=.png", "--speed=1", "--strip", "64", "--"])
        .args(pictures)
        .status();
}
