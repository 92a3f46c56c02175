//! What every page owes to whoever is on it: it is up to date, it can be used by keyboard and without scripts, and it
//! says the same words as every other.

use countersign_testkit::browser::{Algorithm, Look, play};
use serde_json::{Value, json};

use crate::company::Company;
use crate::people::{Colleague, Customer, PIN};

/// WebDriver's code points for keys.
const TAB: &str = "\u{e004}";
const ENTER: &str = "\u{e007}";

/// Notes each patch of the page with its time, the newest line of the case's log, and what is read aloud.
const WATCH: &str = "window.seen = []; window.said = [];
    new MutationObserver(() => seen.push([Date.now(), document.querySelector('#log li')?.innerText ?? '']))
      .observe(document.querySelector('main'), { subtree: true, childList: true });
    new MutationObserver(() => said.push(document.querySelector('#announce').textContent))
      .observe(document.querySelector('#announce'), { childList: true, characterData: true, subtree: true });";

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_on_the_others_page_at_once_and_takes_no_focus() {
    play(async |stage| {
        let company = Company::new().await;
        company.knows_signe().await;
        let maja = Colleague::joins(stage, &company, "maja", Algorithm::Es256).await;
        let case = maja.opens_a_case(&company).await;
        let link = maja.sends_the_link().await;
        maja.looks_at(&company, &case).await;
        maja.until("document.querySelector('#live-state').dataset.state === 'on'").await;
        maja.eval(WATCH).await;
        // She is reading the other way of earning it, by keyboard.
        maja.eval("const other = document.querySelector('#way-2 summary'); other.focus(); other.click()").await;
        let focus = "return [document.activeElement.tagName, document.activeElement.textContent.replace(/\\s+/g, ' ').trim(), document.querySelector('#way-2')?.open]";
        assert_eq!(maja.eval(focus).await[2], json!(true));

        let signe = Customer::with(stage.browser(Look::PHONE).await);
        let mut figures = Vec::new();
        signe.says_yes(&link).await;
        signe.arrives("/c/prove").await;
        figures.push(latency(&maja, &signe, "Link opened and used").await);
        signe.proves("pin", PIN).await;
        maja.sees("Proven: support PIN").await;
        let at = maja.eval(focus).await;
        assert_eq!(at[0], "SUMMARY", "focus stays: {at}");
        assert!(at[1].as_str().unwrap().starts_with("Or: "), "{at}");
        assert_eq!(at[2], json!(true), "and what was open stays open");
        signe.proves_by_mail(&company).await;
        signe.confirms(&link).await;
        figures.push(latency(&maja, &signe, "Confirmed the exact words").await);
        signe.press("Stop this").await;
        signe.press("Stop it now").await;
        signe.sees("Nothing was changed").await;
        figures.push(latency(&maja, &signe, "Stopped").await);
        // The figure is for docs/PERFORMANCE.md; what must hold is that it came without a press.
        println!("from pressing to being on the other's page, the server's work included: {figures:?} ms");

        maja.until("said.some((words) => words.includes('Stopped'))").await;
        let said = maja.eval("return said.filter(Boolean)").await;
        let said: Vec<&str> = said.as_array().unwrap().iter().filter_map(Value::as_str).collect();
        assert!(said.iter().any(|words| words.contains("PIN")), "{said:?}");
        let patches = maja.eval("return seen.length").await;
        assert!(patches.as_u64().unwrap() >= 4, "{patches}");
        let loads = maja.eval("return performance.getEntriesByType('navigation')[0].type").await;
        assert_eq!(loads, "navigate", "it was never loaded again");
        company
    })
    .await;
}

/// Milliseconds from when the one pressed to when a line stood in the other's log.
async fn latency(there: &Colleague, here: &Customer, line: &str) -> f64 {
    there.shows("#log", line).await;
    let arrived = there
        .eval_with(
            "return seen.find(([, line]) => line.includes(arguments[0]))?.[0]",
            vec![json!(line)],
        )
        .await;
    let pressed = here
        .eval("const n = performance.getEntriesByType('navigation')[0]; return performance.timeOrigin + (n.redirectStart || n.requestStart)")
        .await;
    let took = arrived.as_f64().expect(line) - pressed.as_f64().unwrap();
    (took * 10.0).round() / 10.0
}

#[tokio::test(flavor = "multi_thread")]
async fn the_desk_is_worked_by_keyboard() {
    play(async |stage| {
        let company = Company::new().await;
        company.knows_signe().await;
        let maja = Colleague::joins(stage, &company, "maja", Algorithm::Es256).await;
        let case = maja.opens_a_case(&company).await;
        maja.looks_at(&company, &case).await;

        // From the top of the case's page: in the order in which it is read, and one always sees where one is.
        let mut order = Vec::new();
        maja.eval("document.activeElement.blur()").await;
        for _ in 0..40 {
            maja.keys(TAB).await;
            let at = maja
                .eval(
                    "const e = document.activeElement, style = getComputedStyle(e), box = e.getBoundingClientRect();
                     if (e === document.body) return null;
                     const name = (e.getAttribute('aria-label') || e.labels?.[0]?.textContent || e.textContent || '').replace(/\\s+/g, ' ').trim();
                     return [name, style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2, box.top + scrollY, box.bottom > 0 && box.top < innerHeight]",
                )
                .await;
            let Some(name) = at[0].as_str() else { break };
            if order.first().is_some_and(|first| first == name) {
                break;
            }
            assert_eq!(at[1], json!(true), "`{name}` shows that it has the focus");
            assert_eq!(at[3], json!(true), "`{name}` is on the screen");
            order.push(name.to_owned());
        }
        let expected = [
            "Skip to the content", "Countersign", "Desk", "Approvals", "Customers", "Procedures",
            "Search a case or a customer", "Dark colours", "Maja Support agent", "Desk", "Critical",
            "server.reinstall", "sha256", "Or: usual", "Send the link", "Open", "Copy", "Withdraw this case",
        ];
        let mut left = order.iter();
        for name in expected {
            assert!(
                left.any(|stop| stop.starts_with(name)),
                "`{name}` comes where it is read: {order:?}"
            );
        }

        // A key that a control names; none of them where somebody types.
        for (keys, path) in [("gd", "/desk"), ("gp", "/procedures"), ("?", "/settings/keys"), ("gd", "/desk")] {
            maja.keys(keys).await;
            maja.arrives(path).await;
        }
        maja.keys("/").await;
        assert_eq!(maja.eval("return document.activeElement.id").await, "find");
        maja.keys("gp?").await;
        assert_eq!(maja.eval("return document.activeElement.value").await, "gp?");
        assert_eq!(maja.path().await, "/desk");
        maja.eval("document.activeElement.blur()").await;
        maja.keys("j").await;
        assert_eq!(maja.eval("return document.activeElement.id").await, json!(format!("open-{case}")));
        maja.keys(ENTER).await;
        maja.arrives(&format!("/cases/{case}")).await;
        maja.keys("t").await;
        maja.until("document.documentElement.dataset.theme === 'dark'").await;
        maja.keys("gd").await;
        maja.arrives("/desk").await;
        maja.keys("c").await;
        maja.arrives("/cases/new/customer").await;
        // The first thing that is typed goes where it should.
        assert_eq!(maja.eval("return document.activeElement.id").await, "q");

        // Whoever does not want them turns them off, and they are gone from the page.
        maja.go(&company.at("/settings")).await;
        maja.element("[name=shortcuts]").await.click().await.unwrap();
        maja.press("Save the settings").await;
        maja.until("document.querySelector('[data-key]') === null").await;
        maja.go(&company.at("/desk")).await;
        maja.keys("gp").await;
        assert!(!maja.has("[data-key], kbd").await);
        assert_eq!(maja.path().await, "/desk");
        company
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_but_passkeys_works_without_scripts() {
    play(async |stage| {
        let company = Company::new().await;
        let signe = Customer::signe(stage, &company, Algorithm::Es256).await;
        let maja = Colleague::joins(stage, &company, "maja", Algorithm::Es256).await;
        maja.look(Look::DESK.without_script()).await;
        signe.look(Look::PHONE.without_script()).await;
        let case = maja.opens_a_case(&company).await;
        assert!(
            maja.page().await.contains("Not live"),
            "{}",
            maja.page().await
        );
        let link = maja.sends_the_link().await;

        signe.says_yes(&link).await;
        signe.chooses("passkey").await;
        signe.sees("Passkeys need JavaScript.").await;
        assert!(!signe.offers("Use my passkey").await);
        signe.press("Choose another way").await;
        signe.proves("pin", PIN).await;
        signe.proves_by_mail(&company).await;
        signe.confirms(&link).await;
        signe.press("Refresh").await;
        signe.sees("A colleague").await;

        maja.looks_at(&company, &case).await;
        maja.sees("Waiting for a senior").await;
        maja.press("Or: usual…").await;
        maja.press("Withdraw this case").await;
        maja.press("Withdraw…").await;
        maja.sees("Withdrawn").await;
        maja.press("Dark colours").await;
        maja.until("document.documentElement.dataset.theme === 'dark'")
            .await;
        for path in [
            "/desk",
            "/procedures",
            "/settings",
            "/settings/passkeys",
            "/approvals",
            "/customers",
        ] {
            maja.go(&company.at(path)).await;
            assert!(!maja.h1().await.is_empty(), "{path}");
        }
        company
    })
    .await;
}

/// UX.md §1: one sentence, the same bytes and the same emphasis wherever somebody reads or signs it.
#[tokio::test(flavor = "multi_thread")]
async fn the_words_are_the_same_bytes_on_every_page() {
    let image = "débian-13 \"Trixie\" <b>&amp; {server}";
    let plain = format!("Erase everything on web-3 and install {image}");
    play(async |stage| {
        let company = Company::new().await;
        company.knows_signe().await;
        let maja = Colleague::joins(stage, &company, "maja", Algorithm::Es256).await;
        let mut seen: Vec<(String, String)> = Vec::new();
        let words = "return document.querySelector('main p.words').innerHTML";
        let note = |place: &str, html: Value| (place.to_owned(), html.as_str().unwrap().to_owned());

        maja.fills_in(&company, "web-3", image).await;
        seen.push(note("check", maja.eval(words).await));
        let case = maja.opens_it().await;
        seen.push(note("case", maja.eval(words).await));
        let link = maja.sends_the_link().await;
        maja.close().await;

        let signe = Customer::with(stage.browser(Look::PHONE).await);
        signe.says_yes(&link).await;
        signe.proves("pin", PIN).await;
        signe.proves_by_mail(&company).await;
        assert_eq!(signe.text("p.words").await, plain);
        seen.push(note("confirm", signe.eval(words).await));
        signe.confirms(&link).await;
        seen.push(note("done", signe.eval(words).await));
        signe.go(&company.at("/c/stop")).await;
        seen.push(note("stop", signe.eval(words).await));

        let idris = Colleague::joins(stage, &company, "idris", Algorithm::Es256).await;
        for path in [
            "/approvals".to_owned(),
            format!("/approvals/{case}"),
            format!("/approvals/{case}/decline"),
            format!("/cases/{case}"),
        ] {
            idris.go(&company.at(&path)).await;
            if path == "/approvals" {
                // A list shows them without emphasis.
                assert_eq!(idris.text("tbody p.words").await, plain);
                continue;
            }
            seen.push(note(&path, idris.eval(words).await));
        }
        signe.press("Stop it now").await;
        signe.sees("Nothing was changed").await;
        seen.push(note("stopped", signe.eval(words).await));
        idris
            .go(&company.at(&format!("/cases/{case}/receipt")))
            .await;
        seen.push(note("receipt for staff", idris.eval(words).await));
        signe.go(&company.at(&format!("/c/receipts/{case}"))).await;
        seen.push(note("receipt", signe.eval(words).await));

        let (_, first) = seen.first().unwrap().clone();
        assert!(
            first.contains("&lt;b&gt;&amp;amp;") && !first.contains("<b>&"),
            "{first}"
        );
        for (place, html) in &seen {
            assert_eq!(html, &first, "{place}");
        }
        let receipt = signe
            .eval_async(
                "return await (await fetch(arguments[0])).text()",
                vec![json!(format!("/c/receipts/{case}/json"))],
            )
            .await;
        let receipt =
            countersign_service::verify_receipt(receipt.as_str().unwrap(), &company.log_key)
                .unwrap();
        assert_eq!(
            receipt.sentence, plain,
            "and what was committed to is that sentence"
        );
        company
    })
    .await;
}
